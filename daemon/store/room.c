/* Room for what must not wait. When the disk or max_size leaves none, readings stay with the broker, but cases, their messages and what
 * people do about them go on. Two things are kept back for that: a file beside the store, whose blocks are handed back to the disk when
 * it is full, and the last pages below max_size, which readings may not fill. Knows when both are used and when they are whole again;
 * refuses to know what is written. Called by sql.c, by seal.c when there is nothing to tidy, and by turn.c when a commit did not fit. */
#include <store/inside.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The log, which is written back early while there is no room, and what the file itself grows by: some thousand cases. */
#define FILE_MOST (INT64_C(8) << 20)
#define FILE_LEAST (INT64_C(256) << 10)
#define PAGES_MOST 1024
#define PAGES_LEAST 16
#define START_BYTES (INT64_C(128) << 10) /* what SQLite needs to open: its shared memory, a log */

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void name_file(const struct eg_store *store, char ret[4096])
{
    snprintf(ret, 4096, "%s.reserve", store->path);
}

/* What the disk has to give to us. INT64_MAX: it does not say. */
static int64_t bytes_free(const char *path)
{
    struct statvfs disk;
    if (statvfs(path, &disk) != 0 || !disk.f_frsize)
        return INT64_MAX;
    return disk.f_bavail < (uint64_t)INT64_MAX / disk.f_frsize ? (int64_t)(disk.f_bavail * disk.f_frsize)
                                                               : INT64_MAX;
}

/* Allocated, not written: it wears nothing. False: there is no room for it, and as much again, so that the next turn does not fill the
 * disk anew. */
static bool take_file(struct eg_store *store)
{
    char path[4096];
    struct stat there;
    name_file(store, path);
    if (stat(path, &there) == 0 && there.st_size >= store->reserve_bytes &&
        there.st_blocks * 512 >= store->reserve_bytes)
        return true;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno != ENOSPC && errno != EDQUOT; /* a folder that lets us write one file only: without */
    bool taken = bytes_free(path) >= 2 * store->reserve_bytes;
    if (taken) {
        int code = posix_fallocate(fd, 0, store->reserve_bytes);
        taken = code == 0 || code == EOPNOTSUPP || code == EINVAL;
    }
    close(fd);
    if (!taken)
        unlink(path);
    return taken;
}

static bool limit(struct eg_store *store, int64_t pages)
{
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA max_page_count=%lld", (long long)pages);
    return sqlite3_exec(store->db, pragma, NULL, NULL, NULL) == SQLITE_OK;
}

void eg_room_size(struct eg_store *store, int64_t max_size)
{
    int64_t pages = max_size / EG_PAGE_BYTES;
    store->spare_pages = within(pages / 32, PAGES_LEAST, PAGES_MOST);
    store->max_pages = pages - store->spare_pages;
    store->reserve_bytes = within(max_size / 64, FILE_LEAST, FILE_MOST);
}

/* A disk that is full at the start would not even let the file be opened. */
void eg_room_before(struct eg_store *store)
{
    char path[4096];
    struct stat there;
    name_file(store, path);
    if (stat(path, &there) == 0 && bytes_free(path) < START_BYTES && unlink(path) == 0)
        atomic_store(&store->short_of_room, true);
}

int eg_room_open(struct eg_store *store, struct eg_err *err)
{
    if (!atomic_load(&store->short_of_room))
        take_file(store); /* without it things go on as long as there is room */
    return limit(store, store->max_pages + (atomic_load(&store->short_of_room) ? store->spare_pages : 0))
               ? EG_OK
               : eg_sql_error(store->db, err, "setting max_size");
}

void eg_store_spend_reserve(struct eg_store *store)
{
    char path[4096];
    name_file(store, path);
    atomic_store(&store->short_of_room, true);
    unlink(path);
    limit(store, store->max_pages + store->spare_pages);
    store->wal_due = store->wal_due < EG_WAL_PAGES_SHORT ? store->wal_due : EG_WAL_PAGES_SHORT;
}

void eg_room_regain(struct eg_store *store)
{
    if (!atomic_load(&store->short_of_room))
        return;
    eg_prune_measure(store);
    if (store->pages_free < eg_prune_reserve(store->max_pages)) {
        store->nothing_left = false; /* perhaps by now: the next bite looks */
        return;
    }
    if (take_file(store) && limit(store, store->max_pages))
        atomic_store(&store->short_of_room, false);
}
