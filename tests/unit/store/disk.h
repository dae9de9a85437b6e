/* A disk that a test may spoil: SQLite's own VFS with a layer over it that counts calls and refuses them, and that knows what was
 * written and not yet synced, so that a power cut can take that away again: all of it, or such sectors as chance wants. Knows files
 * and nothing of what is in them. What it holds is static, since SQLite's methods are handed no more than a file. */
#ifndef TEST_STORE_DISK_H
#define TEST_STORE_DISK_H

#include <sqlite3.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK_FILES 16
#define DISK_SECTOR 512

enum disk_kind {
    DISK_WRITE = 1,
    DISK_SYNC = 2,
    DISK_TRUNCATE = 4,
    DISK_READ = 8,
    DISK_OPEN = 16,
    DISK_DELETE = 32,
    DISK_SHM = 64, /* the shared index of the log: mapping and locking */
    DISK_CHANGES = DISK_WRITE | DISK_SYNC | DISK_TRUNCATE,
    DISK_OTHERS = DISK_READ | DISK_OPEN | DISK_DELETE | DISK_SHM,
};

struct disk_op { /* not synced yet */
    enum disk_kind kind;
    sqlite3_int64 at; /* or the new size */
    int length;
    unsigned char *bytes;
};

struct disk_image { /* of a file, as a power cut would leave it */
    char name[160];
    unsigned char *bytes;
    size_t length;
    bool there;
    struct disk_op *ops;
    size_t count, capacity;
};

static struct {
    int kinds;          /* that are counted */
    long done, fail_at; /* 0: never */
    int code;
    bool for_ever;
    long failures;
    bool keeps; /* images, for a cut */
    bool cut;   /* the power is gone: nothing reaches the disk any more */
    struct disk_image images[DISK_FILES];
    sqlite3_vfs *below;
} disk;

struct disk_file {
    sqlite3_file base;
    struct disk_image *image;
    bool fresh; /* its first sync is one of the folder, too */
    sqlite3_file *real;
};

/* --- images --- */

static void disk_no_ops(struct disk_image *image)
{
    for (size_t i = 0; i < image->count; i++)
        free(image->ops[i].bytes);
    image->count = 0;
}

static void disk_forget(void)
{
    for (int i = 0; i < DISK_FILES; i++) {
        disk_no_ops(&disk.images[i]);
        free(disk.images[i].ops);
        free(disk.images[i].bytes);
    }
    memset(disk.images, 0, sizeof disk.images);
}

/* A good disk, from nothing counted on. */
static void disk_new(void)
{
    sqlite3_vfs *below = disk.below;
    disk_forget();
    memset(&disk, 0, sizeof disk);
    disk.below = below;
    disk.kinds = DISK_CHANGES;
}

static void disk_write_image(struct disk_image *image, sqlite3_int64 at, const void *bytes, size_t length)
{
    size_t end = (size_t)at + length;
    if (end > image->length) {
        image->bytes = realloc(image->bytes, end);
        memset(image->bytes + image->length, 0, end - image->length);
        image->length = end;
    }
    memcpy(image->bytes + at, bytes, length);
    image->there = true;
}

static void disk_size_image(struct disk_image *image, sqlite3_int64 size)
{
    if ((size_t)size < image->length)
        image->length = (size_t)size;
}

static void disk_read_file(struct disk_image *image)
{
    unsigned char block[65536];
    int file = open(image->name, O_RDONLY);
    sqlite3_int64 at = 0;
    image->there = file >= 0;
    for (ssize_t got; file >= 0 && (got = read(file, block, sizeof block)) > 0; at += got)
        disk_write_image(image, at, block, (size_t)got);
    if (file >= 0)
        close(file);
}

static struct disk_image *disk_image_of(const char *name)
{
    if (!disk.keeps || !name)
        return NULL;
    for (int i = 0; i < DISK_FILES; i++) {
        struct disk_image *image = &disk.images[i];
        if (strcmp(image->name, name) == 0)
            return image;
        if (image->name[0])
            continue;
        snprintf(image->name, sizeof image->name, "%s", name);
        disk_read_file(image);
        return image;
    }
    abort(); /* more files than the test knows of */
}

static void disk_note(struct disk_image *image, enum disk_kind kind, sqlite3_int64 at, const void *bytes,
                      int length)
{
    if (!image)
        return;
    if (image->count == image->capacity) {
        image->capacity = image->capacity ? 2 * image->capacity : 64;
        image->ops = realloc(image->ops, image->capacity * sizeof *image->ops);
    }
    struct disk_op *op = &image->ops[image->count++];
    *op = (struct disk_op){kind, at, length, length ? malloc((size_t)length) : NULL};
    if (length)
        memcpy(op->bytes, bytes, (size_t)length);
}

static void disk_apply(struct disk_image *image, const struct disk_op *op)
{
    if (op->kind == DISK_WRITE)
        disk_write_image(image, op->at, op->bytes, (size_t)op->length);
    else
        disk_size_image(image, op->kind == DISK_DELETE ? 0 : op->at);
    if (op->kind == DISK_DELETE)
        image->there = false;
}

static void disk_sync_image(struct disk_image *image)
{
    for (size_t i = 0; image && i < image->count; i++)
        disk_apply(image, &image->ops[i]);
    if (image) {
        image->there = true;
        disk_no_ops(image);
    }
}

/* Files that were deleted are gone for good. */
static void disk_sync_folder(void)
{
    for (int i = 0; i < DISK_FILES; i++) {
        struct disk_image *image = &disk.images[i];
        size_t upto = image->count;
        while (upto && image->ops[upto - 1].kind != DISK_DELETE)
            upto--;
        for (size_t op = 0; op < upto; op++) {
            disk_apply(image, &image->ops[op]);
            free(image->ops[op].bytes);
        }
        image->count -= upto;
        if (upto)
            memmove(image->ops, image->ops + upto, image->count * sizeof *image->ops);
    }
}

/* Each sector of a write for itself, in no order with other writes. A file deleted and made anew is two files: when the deletion did
 * not get there, nothing of the second one is found. */
static void disk_apply_some(struct disk_image *image, unsigned *chance)
{
    for (size_t i = 0; i < image->count; i++) {
        struct disk_op op = image->ops[i];
        if (op.kind != DISK_WRITE) {
            if (rand_r(chance) % 2)
                disk_apply(image, &op);
            else if (op.kind == DISK_DELETE)
                return;
            continue;
        }
        for (int from = 0, to; from < op.length; from = to) {
            to = from + DISK_SECTOR - (int)((op.at + from) % DISK_SECTOR);
            to = to > op.length ? op.length : to;
            if (rand_r(chance) % 2)
                disk_write_image(image, op.at + from, op.bytes + from, (size_t)(to - from));
        }
    }
}

/* The power comes back: the files hold what was synced, and of the rest nothing (`chance` NULL) or what chance wants. All handles
 * must be closed. From here on the disk is a good one. */
static inline void disk_power_on(unsigned *chance)
{
    for (int i = 0; i < DISK_FILES; i++) {
        struct disk_image *image = &disk.images[i];
        if (!image->name[0])
            continue;
        if (chance)
            disk_apply_some(image, chance);
        unlink(image->name);
        int file = image->there ? open(image->name, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
        if (file >= 0) {
            if (image->length && write(file, image->bytes, image->length) != (ssize_t)image->length)
                abort();
            close(file);
        }
        char shm[200];
        snprintf(shm, sizeof shm, "%s-shm", image->name);
        unlink(shm);
    }
    disk_new();
}

/* --- the layer --- */

static bool disk_refuses(enum disk_kind kind)
{
    if (disk.cut && (kind & (DISK_CHANGES | DISK_DELETE)))
        return true;
    if (!((int)kind & disk.kinds))
        return false;
    disk.done++;
    bool fails = disk.fail_at && (disk.for_ever ? disk.done >= disk.fail_at : disk.done == disk.fail_at);
    disk.failures += fails;
    if (fails && disk.keeps)
        disk.cut = true;
    return fails;
}

static sqlite3_file *disk_real(sqlite3_file *file)
{
    return ((struct disk_file *)file)->real;
}
static int disk_close(sqlite3_file *file)
{
    return disk_real(file)->pMethods->xClose(disk_real(file));
}
static int disk_read(sqlite3_file *file, void *out, int length, sqlite3_int64 at)
{
    return disk_refuses(DISK_READ) ? SQLITE_IOERR_READ
                                   : disk_real(file)->pMethods->xRead(disk_real(file), out, length, at);
}
static int disk_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
    struct disk_image *image = ((struct disk_file *)file)->image;
    bool before = disk.cut, refused = disk_refuses(DISK_WRITE);
    if (!before)
        disk_note(image, DISK_WRITE, at, bytes, length); /* the one that is cut may be there, or part of it */
    if (!refused)
        return disk_real(file)->pMethods->xWrite(disk_real(file), bytes, length, at);
    if (disk.code != SQLITE_FULL && !disk.cut) /* torn: half of it got there */
        disk_real(file)->pMethods->xWrite(disk_real(file), bytes, length / 2, at);
    return disk.code ? disk.code : SQLITE_IOERR_WRITE;
}
static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (disk_refuses(DISK_TRUNCATE))
        return SQLITE_IOERR_TRUNCATE;
    disk_note(((struct disk_file *)file)->image, DISK_TRUNCATE, size, NULL, 0);
    return disk_real(file)->pMethods->xTruncate(disk_real(file), size);
}
/* The machine under the test keeps its power: what a sync promises, the images keep. */
static int disk_sync(sqlite3_file *file, int flags)
{
    struct disk_file *synced = (struct disk_file *)file;
    (void)flags;
    if (disk_refuses(DISK_SYNC))
        return disk.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
    disk_sync_image(synced->image);
    if (synced->fresh)
        disk_sync_folder();
    synced->fresh = false;
    return SQLITE_OK;
}
static int disk_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return disk_real(file)->pMethods->xFileSize(disk_real(file), ret_size);
}
static int disk_lock(sqlite3_file *file, int level)
{
    return disk_real(file)->pMethods->xLock(disk_real(file), level);
}
static int disk_unlock(sqlite3_file *file, int level)
{
    return disk_real(file)->pMethods->xUnlock(disk_real(file), level);
}
static int disk_reserved(sqlite3_file *file, int *ret)
{
    return disk_real(file)->pMethods->xCheckReservedLock(disk_real(file), ret);
}
static int disk_control(sqlite3_file *file, int what, void *arg)
{
    return disk_real(file)->pMethods->xFileControl(disk_real(file), what, arg);
}
static int disk_sector(sqlite3_file *file)
{
    return disk_real(file)->pMethods->xSectorSize(disk_real(file));
}
static int disk_traits(sqlite3_file *file)
{
    return disk_real(file)->pMethods->xDeviceCharacteristics(disk_real(file));
}
static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return disk_refuses(DISK_SHM)
               ? SQLITE_IOERR_SHMMAP
               : disk_real(file)->pMethods->xShmMap(disk_real(file), page, size, extend, ret);
}
static int disk_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    if (flags & SQLITE_SHM_LOCK && disk_refuses(DISK_SHM)) /* letting go cannot fail */
        return SQLITE_IOERR_SHMLOCK;
    return disk_real(file)->pMethods->xShmLock(disk_real(file), offset, count, flags);
}
static void disk_shm_barrier(sqlite3_file *file)
{
    disk_real(file)->pMethods->xShmBarrier(disk_real(file));
}
static int disk_shm_unmap(sqlite3_file *file, int forget)
{
    return disk_real(file)->pMethods->xShmUnmap(disk_real(file), forget);
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *out, int flags, int *ret_flags)
{
    struct disk_file *file = (struct disk_file *)out;
    (void)vfs;
    file->base.pMethods = NULL;
    if (disk_refuses(DISK_OPEN))
        return SQLITE_CANTOPEN;
    file->real = (sqlite3_file *)(file + 1);
    file->image = disk_image_of(name);
    file->fresh = flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL) && access(name, F_OK) != 0;
    int code = disk.below->xOpen(disk.below, name, file->real, flags, ret_flags);
    file->base.pMethods = file->real->pMethods ? &disk_methods : NULL;
    return code;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    if (disk_refuses(DISK_DELETE))
        return SQLITE_IOERR_DELETE;
    struct disk_image *image = disk_image_of(name);
    disk_note(image, DISK_DELETE, 0, NULL, 0);
    if (sync_folder)
        disk_sync_folder();
    return disk.below->xDelete(disk.below, name, sync_folder);
}

static int disk_put_in(void **unused)
{
    static sqlite3_vfs layer;
    (void)unused;
    disk.below = sqlite3_vfs_find(NULL);
    layer = *disk.below;
    layer.zName = "spoilt";
    layer.szOsFile = (int)sizeof(struct disk_file) + disk.below->szOsFile;
    layer.xOpen = disk_open;
    layer.xDelete = disk_delete;
    disk_new();
    return sqlite3_vfs_register(&layer, 1);
}

#endif
