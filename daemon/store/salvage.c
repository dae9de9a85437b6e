/* Sets a damaged database aside and puts a new one in its place. Knows files, names and in which order they move, so that a power cut in
 * the middle loses nothing: the mark `path`.salvaging holds the name of what is set aside until the new one stands. Refuses to know rows
 * (mend.c) and when to do it (house.c, main.c). */
#include <store/salvage.h>
#include <store/inside.h>
#include <store/mend.h>
#include <store/schema.h>

#include <dirent.h>
#include <ecogov/time.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 4200
#define LIST_MAX_BYTES ((size_t)1024 * 1024)

static const char *name(char out[NAME_MAX_BYTES], const char *path, const char *end)
{
    snprintf(out, NAME_MAX_BYTES, "%.4100s%s", path, end);
    return out;
}

static bool is_there(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static void sync_folder(const char *path)
{
    char folder[NAME_MAX_BYTES];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        fsync(file);
        close(file);
    }
}

static int write_whole(const char *path, const char *text, size_t length, struct eg_err *err)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool good = file >= 0 && write(file, text, length) == (ssize_t)length && fsync(file) == 0;
    if (!good)
        eg_err_set(err, errno == ENOSPC ? EG_EFULL : EG_EIO, "%.300s cannot be written: %s", path,
                   strerror(errno));
    if (file >= 0)
        close(file);
    sync_folder(path);
    return good ? EG_OK : EG_EIO;
}

static bool read_text(const char *path, char *out, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, out, size - 1) : -1;
    if (file >= 0)
        close(file);
    out[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* --- whose file is it? --- */

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* By its header. One that is gone says nothing: then the rows must speak (mend.c finds some of ours, or not). */
static int check_owner(const char *path, bool *ret_ours, struct eg_err *err)
{
    uint8_t head[100] = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? pread(file, head, sizeof head, 0) : -1;
    if (file >= 0)
        close(file);
    if (length < 0)
        return eg_err_set(err, EG_EINVAL, "%s cannot be read: %s", path, strerror(errno));
    *ret_ours = length == 0;
    if (length < (ssize_t)sizeof head || memcmp(head, "SQLite format 3", 16) != 0)
        return EG_OK;
    uint32_t application = get32(head + 68), version = get32(head + 60);
    if (application != EG_SCHEMA_APPLICATION && application != 0)
        return eg_err_set(err, EG_EINVAL, "%s is a database of another program; give store.path another name",
                          path);
    if (application && version > EG_SCHEMA_VERSION && version < 1000)
        return eg_err_set(err, EG_EINVAL, "%s was written by a newer ecogovd (schema %u); install that one",
                          path, version);
    *ret_ours = application == EG_SCHEMA_APPLICATION;
    return EG_OK;
}

/* --- the new database --- */

static int build(const char *from, const char *to, bool ours, struct eg_buf *list, struct eg_err *err)
{
    sqlite3 *db = NULL;
    char other[NAME_MAX_BYTES];
    unlink(to);
    unlink(name(other, to, "-wal"));
    unlink(name(other, to, "-shm"));
    int code = eg_sql_open(to, true, &db, err);
    if (code == EG_OK)
        code = eg_schema_migrate(db, to, err);
    if (code == EG_OK)
        code = eg_mend_fill(db, from, ours, list, err);
    if (code == EG_OK &&
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
        code = eg_sql_error(db, err, "writing the mended database");
    sqlite3_close(db);
    if (code != EG_OK) {
        unlink(to);
        unlink(name(other, to, "-wal"));
        unlink(name(other, to, "-shm"));
    }
    return code;
}

static int move(const char *path, const char *aside, const char *end, struct eg_err *err)
{
    char from[NAME_MAX_BYTES], to[NAME_MAX_BYTES];
    name(from, path, end);
    name(to, aside, end);
    if (!is_there(from))
        return EG_OK;
    if (is_there(to))
        errno = EEXIST;
    else if (rename(from, to) == 0)
        return EG_OK;
    return eg_err_set(err, EG_EIO, "%.200s cannot be set aside: %s", from, strerror(errno));
}

/* From wherever a salvage stands to its end. With the mark written: log aside, file aside, new one in place, mark away. */
static int finish(const char *path, const char *aside, const char *fresh, struct eg_err *err)
{
    char mark[NAME_MAX_BYTES], other[NAME_MAX_BYTES];
    int code = move(path, aside, "-wal", err);
    if (code == EG_OK)
        code = move(path, aside, "", err);
    unlink(name(other, path, "-shm"));
    sync_folder(path);
    if (code == EG_OK && rename(fresh, path) != 0)
        code = eg_err_set(err, EG_EIO, "%.200s cannot be named %.200s: %s", fresh, path, strerror(errno));
    sync_folder(path);
    if (code == EG_OK) {
        unlink(name(mark, path, ".salvaging"));
        unlink(name(other, path, ".suspect"));
        sync_folder(path);
    }
    return code;
}

/* A name nobody has: what was set aside before is not overwritten. */
static void name_aside(const char *path, int64_t now_ms, char out[NAME_MAX_BYTES])
{
    char time[EG_TIME_TEXT], stamp[EG_TIME_TEXT], end[64], other[NAME_MAX_BYTES];
    size_t length = 0;
    eg_time_format(now_ms, time);
    for (const char *at = time; *at; at++)
        if (*at != '-' && *at != ':')
            stamp[length++] = *at;
    stamp[length] = '\0';
    snprintf(end, sizeof end, ".damaged-%s", stamp);
    for (int again = 2; is_there(name(out, path, end)) || is_there(name(other, out, "-wal")); again++)
        snprintf(end, sizeof end, ".damaged-%s-%d", stamp, again);
}

/* The mark is written when the new one is whole: what is left to do then is to move files. */
static int go_on(const char *path, const char *aside, const char *fresh, const char *mark, struct eg_err *err)
{
    if (is_there(fresh))
        return finish(path, aside, fresh, err);
    if (!is_there(path) || !is_there(aside))
        return eg_err_set(err, EG_EINVAL, "%.200s was begun, and neither %.200s nor both others are there",
                          mark, fresh);
    unlink(mark); /* the new one stands already */
    return EG_OK;
}

static int salvage(const char *path, int64_t now_ms, struct eg_err *err)
{
    char aside[NAME_MAX_BYTES], mark[NAME_MAX_BYTES], fresh[NAME_MAX_BYTES], text[NAME_MAX_BYTES];
    struct eg_buf list;
    bool ours = false;
    name(mark, path, ".salvaging");
    name(fresh, path, ".salvage");
    if (read_text(mark, aside, sizeof aside))
        return go_on(path, aside, fresh, mark, err);
    name_aside(path, now_ms, aside);
    eg_buf_init(&list, LIST_MAX_BYTES);
    /* Reading comes first: a file that gives nothing of ours stays where it is. */
    int code = check_owner(path, &ours, err);
    if (code == EG_OK)
        code = build(path, fresh, ours, &list, err);
    if (code == EG_OK)
        code = write_whole(name(text, aside, ".txt"), list.data, list.length, err);
    if (code == EG_OK)
        code = write_whole(mark, aside, strlen(aside), err);
    eg_buf_finish(&list);
    return code == EG_OK ? finish(path, aside, fresh, err) : code;
}

int eg_salvage_run(const char *path, int64_t now_ms, struct eg_err *err)
{
    char lock[NAME_MAX_BYTES];
    int file = open(name(lock, path, ".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (file < 0)
        return eg_err_set(err, EG_EIO, "%s cannot be made: %s", lock, strerror(errno));
    int code = flock(file, LOCK_EX | LOCK_NB) == 0
                   ? salvage(path, now_ms, err)
                   : eg_err_set(err, EG_EBUSY, "%s is in use by another ecogovd", path);
    close(file);
    return code == EG_ENOTFOUND ? EG_EINVAL : code;
}

/* --- before, and after --- */

void eg_salvage_suspect(const char *path)
{
    char mark[NAME_MAX_BYTES];
    int file = open(name(mark, path, ".suspect"), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (file >= 0)
        close(file);
}

bool eg_salvage_pending(const char *path)
{
    char mark[NAME_MAX_BYTES];
    struct stat info;
    struct eg_buf findings;
    if (is_there(name(mark, path, ".salvaging")))
        return true;
    if (stat(path, &info) == 0 && info.st_size == 0 && stat(name(mark, path, ".subscriptions"), &info) == 0)
        return true; /* emptied: it has lived, or there would be no such list beside it */
    if (!is_there(name(mark, path, ".suspect")))
        return false;
    eg_buf_init(&findings, LIST_MAX_BYTES);
    int code = eg_store_verify(path, &findings, NULL);
    bool damaged = code != EG_OK || findings.length;
    eg_buf_finish(&findings);
    if (!damaged)
        unlink(mark); /* a passing fault of the disk */
    return damaged;
}

bool eg_salvage_told(const char *path, struct eg_buf *out)
{
    char folder[NAME_MAX_BYTES], newest[300] = "", text[1024], whole[2 * NAME_MAX_BYTES], prefix[300];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    snprintf(prefix, sizeof prefix, "%.255s.damaged-", slash ? slash + 1 : path);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && length > 4 &&
            strcmp(entry->d_name + length - 4, ".txt") == 0 && strcmp(entry->d_name, newest) > 0)
            snprintf(newest, sizeof newest, "%s", entry->d_name);
    }
    if (dir)
        closedir(dir);
    snprintf(whole, sizeof whole, "%s/%s", folder, newest);
    if (!newest[0] || !read_text(whole, text, sizeof text))
        return false;
    eg_buf_printf(out, "%.*s; see %s, and move that list away when you have read it",
                  (int)strcspn(text, "\n"), text, newest);
    return true;
}
