/* The online copy. Knows SQLite's backup API and how a file comes to be on disk whole; refuses to know who asked, and threads. Called
 * by m_backup.c's worker.
 *
 * One read transaction holds the moment that is copied, so that no commit makes SQLite begin the copy anew; meanwhile the log grows by
 * what is committed, and is written back afterwards. The copy goes to the disk every few megabytes: a turn's fsync on the same card
 * never finds all of it before it. */
#include <store/backup.h>
#include <store/inside.h>
#include <base/clock.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STEP_PAGES 64                           /* 256 KiB between two looks at `stop` */
#define SYNC_STEPS 16                           /* 4 MiB between two syncs */
#define SPARE_BYTES (INT64_C(16) * 1024 * 1024) /* left to the store when both lie on one disk */

struct copy {
    const char *path, *to;
    char part[EG_BACKUP_PATH_MAX + 8];
    const atomic_bool *stop;
    sqlite3 *from, *into;
    bool made; /* the .part is ours to remove */
};

const char *eg_store_path(const struct eg_store *store)
{
    return store->path;
}

static bool stopped(const struct copy *copy)
{
    return copy->stop && atomic_load(copy->stop);
}

static int say_stopped(const struct copy *copy, struct eg_err *err)
{
    return eg_err_set(err, EG_EBUSY, "the backup to %.200s was broken off: the daemon is leaving", copy->to);
}

/* A name that leads to one place wherever the daemon stands, and that nobody has. */
static int check_name(const struct copy *copy, struct eg_err *err)
{
    struct stat info;
    size_t length = strlen(copy->to);
    if (copy->to[0] != '/' || length >= EG_BACKUP_PATH_MAX || copy->to[length - 1] == '/')
        return eg_err_set(err, EG_EINVAL,
                          "\"%.200s\" is no absolute name of a file on the gateway (at most %d bytes)",
                          copy->to, EG_BACKUP_PATH_MAX - 1);
    if (lstat(copy->to, &info) == 0)
        return eg_err_set(err, EG_ECONFLICT, "%.300s is there already; a backup overwrites nothing",
                          copy->to);
    if (errno != ENOENT)
        return eg_err_set(err, EG_EINVAL, "%.300s cannot be written: %s", copy->to, strerror(errno));
    return EG_OK;
}

static int make_part(struct copy *copy, struct eg_err *err)
{
    int file = open(copy->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (file < 0 && errno == EEXIST)
        return eg_err_set(err, EG_ECONFLICT,
                          "%.300s is there: another backup writes it, or one was cut short; then remove it",
                          copy->part);
    if (file < 0)
        return eg_err_set(err, errno == ENOSPC ? EG_EFULL : EG_EINVAL, "%.300s cannot be made: %s",
                          copy->part, strerror(errno));
    close(file);
    copy->made = true;
    return EG_OK;
}

/* Looked at before the first byte: a copy that fills the card would shut the store's own gate. */
static int check_room(const struct copy *copy, struct eg_err *err)
{
    char folder[EG_BACKUP_PATH_MAX];
    struct statvfs disk;
    int64_t needed = eg_sql_number(copy->from, "PRAGMA page_count", -1) *
                     eg_sql_number(copy->from, "PRAGMA page_size", -1);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(copy->to, '/') - copy->to + 1), copy->to);
    if (statvfs(folder, &disk) != 0)
        return EG_OK; /* making the file says it better */
    int64_t there = (int64_t)(disk.f_bavail * disk.f_frsize);
    return needed + SPARE_BYTES <= there
               ? EG_OK
               : eg_err_set(err, EG_EFULL, "%.200s has room for %lld MB, the backup takes %lld and leaves 16",
                            folder, (long long)(there >> 20), (long long)((needed >> 20) + 1));
}

static int open_both(struct copy *copy, struct eg_err *err)
{
    int code = eg_sql_open(copy->path, false, &copy->from, err);
    if (code != EG_OK)
        return code;
    if (sqlite3_exec(copy->from, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
        return eg_sql_error(copy->from, err, "beginning a backup");
    code = check_room(copy, err);
    if (code == EG_OK)
        code = make_part(copy, err);
    if (code != EG_OK)
        return code;
    if (sqlite3_open_v2(copy->part, &copy->into, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(copy->into, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1024",
                     NULL, NULL, NULL) != SQLITE_OK)
        return eg_err_set(err, EG_EIO, "%.200s cannot be written: %s", copy->part,
                          copy->into ? sqlite3_errmsg(copy->into) : "no memory");
    return EG_OK;
}

static int sync_part(struct copy *copy)
{
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(copy->into, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&file);
    return code == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : code;
}

static int copy_pages(struct copy *copy, struct eg_err *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(copy->into, "main", copy->from, "main");
    int code = backup ? SQLITE_OK : SQLITE_ERROR;
    for (int steps = 1; code == SQLITE_OK && !stopped(copy); steps++) {
        code = sqlite3_backup_step(backup, STEP_PAGES);
        if (code == SQLITE_OK && steps % SYNC_STEPS == 0)
            code = sync_part(copy);
    }
    sqlite3_backup_finish(backup);
    if (code == SQLITE_OK)
        return say_stopped(copy, err);
    if (code != SQLITE_DONE) {
        bool theirs = (code & 0xff) == SQLITE_CORRUPT;
        return eg_err_set(err,
                          code == SQLITE_FULL ? EG_EFULL
                          : theirs            ? EG_ECORRUPT
                                              : EG_EIO,
                          "copying to %.200s: %s", copy->part, sqlite3_errstr(code));
    }
    /* A copy stands alone: no log beside it, so that it can be read where nothing can be written. */
    if (sqlite3_exec(copy->into, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK ||
        sync_part(copy) != SQLITE_OK)
        return eg_sql_error(copy->into, err, "ending a backup");
    return EG_OK;
}

static int check_copy(const struct copy *copy, struct eg_err *err)
{
    struct eg_buf findings;
    eg_buf_init(&findings, (size_t)64 * 1024);
    int code = eg_store_verify_until(copy->part, copy->stop, &findings, err);
    if (code == EG_OK && findings.length)
        code = eg_err_set(
            err, EG_ECORRUPT, "the copy has faults, as the store has: %.*s; see ecogovd --verify",
            (int)(strcspn(findings.data, "\n") > 200 ? 200 : strcspn(findings.data, "\n")), findings.data);
    eg_buf_finish(&findings);
    return code;
}

/* On disk under its own name: what is in it, then the name. */
static int give_name(struct copy *copy, struct eg_err *err)
{
    char folder[EG_BACKUP_PATH_MAX];
    int file = open(copy->part, O_RDONLY | O_CLOEXEC), failed = file < 0 || fsync(file) != 0;
    if (file >= 0)
        close(file);
    if (!failed && renameat2(AT_FDCWD, copy->part, AT_FDCWD, copy->to, RENAME_NOREPLACE) != 0) {
        struct stat info; /* a file system that cannot promise not to replace: look, then rename */
        failed = (errno != EINVAL && errno != ENOSYS) || lstat(copy->to, &info) == 0 ||
                 rename(copy->part, copy->to) != 0;
    }
    if (failed)
        return eg_err_set(err, errno == EEXIST ? EG_ECONFLICT : EG_EIO, "%.300s cannot be named so: %s",
                          copy->to, strerror(errno));
    copy->made = false;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(copy->to, '/') - copy->to + 1), copy->to);
    file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) { /* some file systems do not sync folders: then the name is as safe as it gets */
        fsync(file);
        close(file);
    }
    return EG_OK;
}

static void tell(const struct copy *copy, struct eg_backup_figures *ret)
{
    ret->bytes = eg_sql_number(copy->into, "PRAGMA page_count", -1) *
                 eg_sql_number(copy->into, "PRAGMA page_size", -1);
    int64_t stored = eg_sql_number(
        copy->into, "SELECT r_stored-r_corrected FROM turn WHERE seq=(SELECT max(seq) FROM turn)", -1);
    ret->readings = stored > 0 ? (uint64_t)stored : 0;
}

int eg_store_backup(const char *path, const char *to, const atomic_bool *stop, struct eg_backup_figures *ret,
                    struct eg_err *err)
{
    struct copy copy = {.path = path, .to = to, .stop = stop};
    struct eg_backup_figures figures = {0};
    int64_t began_us = eg_clock_mono_us();
    int code = check_name(&copy, err);
    if (code != EG_OK)
        return code;
    snprintf(copy.part, sizeof copy.part, "%s.part", to);
    code = open_both(&copy, err);
    if (code == EG_OK)
        code = copy_pages(&copy, err);
    if (code == EG_OK)
        tell(&copy, &figures);
    sqlite3_close(copy.into);
    sqlite3_close(copy.from); /* before the check, which takes as long again: the log may be written back */
    if (code == EG_OK)
        code = check_copy(&copy, err);
    if (code == EG_OK && stopped(&copy))
        code = say_stopped(&copy, err);
    if (code == EG_OK)
        code = give_name(&copy, err);
    if (copy.made)
        unlink(copy.part);
    if (code != EG_OK)
        return code;
    figures.took_us = eg_clock_mono_us() - began_us;
    *ret = figures;
    return EG_OK;
}
