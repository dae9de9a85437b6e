/* Connections and statements. Knows SQLite's manners; what the statements mean, commit.c and seal.c know. */
#include <store/inside.h>
#include <store/schema.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a row of `rows`: it lies within a day of a case of its series, of another of the same device, which the case's rule may ask, too, or
 * of one that stands on its series, and then from whenever the case looks at. Evidence, kept as long as the case. */
#define EVIDENCE(rows)                                                                                       \
    "(EXISTS(SELECT 1 FROM series a JOIN series b ON b.device=a.device JOIN cases c ON c.series=b.id WHERE " \
    "a.id=" rows ".series AND c.opened_at-86400000<=t_last AND "                                             \
    "(c.closed_at IS NULL OR c.closed_at+86400000>=t_first)) OR EXISTS(SELECT 1 FROM evidence e JOIN cases " \
    "c ON c.number=e.case_number WHERE e.series=" rows ".series AND "                                        \
    "min(e.since,c.opened_at-86400000)<=t_last AND "                                                         \
    "(c.closed_at IS NULL OR c.closed_at+86400000>=t_first)))"

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_TURN] = "INSERT INTO turn VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_DEVICE] = "INSERT INTO device(id,site,domain,device,registered_at) VALUES(?,?,?,?,?)",
    [SQL_RHYTHM] = "UPDATE device SET interval=?2 WHERE id=?1",
    [SQL_STANDING] = "UPDATE device SET silent_at=?2, heard_at=?3, awaited_at=?4, case_number=?5, gone=?6, "
                     "due_told=?7 WHERE id=?1",
    [SQL_DEVICE_EVENT] = "INSERT INTO device_event(device, kind, at, actor, note) VALUES(?,?,?,?,?)",
    [SQL_EVIDENCE] =
        "INSERT INTO evidence(case_number,series,since,why) VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE "
        "SET since=min(since,excluded.since)",
    [SQL_FINDING] = "INSERT OR REPLACE INTO finding VALUES(?,?,?,?,?)",
    [SQL_SERIES] = "INSERT INTO series VALUES(?,?,?,?)",
    [SQL_ROLLUP_MERGE] = "INSERT INTO rollup VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,0) ON "
                         "CONFLICT DO UPDATE SET"
                         " count=count+excluded.count, sum=sum+excluded.sum, min=min(min,excluded.min), "
                         "max=max(max,excluded.max),"
                         " first=iif(excluded.first_at<first_at,excluded.first,first), "
                         "last=iif(excluded.last_at>=last_at,excluded.last,last),"
                         " first_at=min(first_at,excluded.first_at), last_at=max(last_at,excluded.last_at),"
                         " slots0=slots0|excluded.slots0, slots1=slots1|excluded.slots1",
    [SQL_ROLLUP_REPLACE] =
        "INSERT OR REPLACE INTO rollup VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,1)",
    [SQL_RULE_STATE] = "INSERT OR REPLACE INTO rule_state VALUES(?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_CASE] =
        "INSERT INTO cases "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,"
        "?23,?24,?25,?26,?27,?28,?29,?30,?31,?32,?33,?34,?35,?36,?37,?38,?39,?40,?41,?42) ON "
        "CONFLICT(number) DO "
        "UPDATE "
        "SET rule_version=?10, level=?11, condition=?12, handling=?13, mode=?14, opened_at=?15, "
        "detected_at=?16, "
        "closed_at=?17, due_at=?18,"
        " last_value=?19, last_at=?20, peak_value=?21, peak_at=?22, level_limit=?23, lead=?24, assignee=?25,"
        " escalation=?26, reopened=?27, version=?28, began_at=?30, until_at=?31, missed=?32, overdue=?33,"
        " handed_on=?34, fixer=?35, repairer=?36, parent=?38, clear_hours=?39, within_since_at=?40,"
        " fix_missed_at=?42",
    [SQL_CASE_EVENT] = "INSERT INTO case_event VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_OUTBOX] =
        "INSERT INTO "
        "outbox(id,channel,recipient,key,body,created_at,retain,party,why,line,case_number,level,not_before)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_OUTBOX_DONE] =
        "UPDATE outbox SET done_at=?2, delivered=?3, error=?4, carried_by=?5 WHERE id=?1 AND done_at IS NULL",
    [SQL_OUTBOX_PRUNE] =
        "DELETE FROM outbox WHERE done_at IS NOT NULL AND id<=(SELECT max(id) FROM outbox)-?1",
    /* what waits for the broker, beyond so many: the oldest */
    [SQL_OUTBOX_OVERFLOW] = "UPDATE outbox SET done_at=?2, delivered=0, error='given up: the broker was away "
                            "for too long' WHERE id IN"
                            " (SELECT id FROM outbox WHERE done_at IS NULL AND party='' ORDER BY id LIMIT"
                            " max(0,(SELECT count(*) FROM outbox WHERE done_at IS NULL AND party='')-?1))",
    [SQL_OUTBOX_TRIED] =
        "UPDATE outbox SET tries=?2, failing_since=?3, error=?4, delivered=?5 WHERE id=?1 AND "
        "done_at IS NULL",
    [SQL_TOLD] = "INSERT OR REPLACE INTO told VALUES(?,?,?,?,?,?)",
    [SQL_CALIBRATION] = "INSERT OR REPLACE INTO calibration(series,quantity,since,scale,offset,noted_at) "
                        "VALUES(?1,(SELECT quantity FROM series WHERE id=?1),?2,?3,?4,?5)",
    [SQL_CALIBRATION_FORGET] = "DELETE FROM calibration WHERE series=?1 AND since>=?2",
    [SQL_TOLD_DROP] = "DELETE FROM told WHERE case_number=?1",
    [SQL_SILENCE] = "INSERT OR REPLACE INTO silence VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_SILENCE_PRUNE] =
        "DELETE FROM silence WHERE ended_at IS NOT NULL AND id<=(SELECT max(id) FROM silence)-10000",
    [SQL_SUPPRESSED] = "INSERT OR REPLACE INTO suppressed VALUES(?,?,?,?,?,?)",
    [SQL_SUPPRESSED_DROP] = "DELETE FROM suppressed WHERE case_number=?1",
    [SQL_QUARANTINE] = "INSERT INTO quarantine(at,topic,source,verdict,reason,payload,full_len,retain) "
                       "VALUES(?,?,?,?,?,?,?,?)",
    [SQL_QUARANTINE_PRUNE] = "DELETE FROM quarantine WHERE id<=(SELECT max(id) FROM quarantine)-?1",
    [SQL_QUARANTINE_DROP] = "DELETE FROM quarantine WHERE id=?1",
    [SQL_QUARANTINE_REJECT] = "UPDATE quarantine SET verdict='rejected', reason=?2 WHERE id=?1",
    [SQL_CHUNK] = "INSERT INTO chunk(series,t_first,seq,t_last,n,body) VALUES(?,?,?,?,?,?)",
    [SQL_YOUNG] = "INSERT OR REPLACE INTO young VALUES(?,?,?,?,?,?)",
    [SQL_YOUNG_GET] = "SELECT body FROM young WHERE series=?",
    [SQL_YOUNG_DROP] = "DELETE FROM young WHERE series=?",
    [SQL_SERIES_LAST] =
        "INSERT INTO series_last VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET time=?2, value=?3, flags=?4"
        " WHERE ?2>=time",
    [SQL_META] = "INSERT OR REPLACE INTO meta VALUES(?,?)",
    [SQL_TURN_PRUNE] = "DELETE FROM turn WHERE seq IN (SELECT seq FROM turn WHERE seq<=?1 ORDER BY seq LIMIT "
                       "?3) AND received<=?2",
    [SQL_TURNS] = "SELECT seq, at, readings, r_stored FROM turn WHERE seq>? ORDER BY seq",
    [SQL_SERIES_MOST] = "SELECT ifnull(max(id),0) FROM series",
    [SQL_YOUNG_OLD] =
        "DELETE FROM young WHERE series IN (SELECT series FROM young ORDER BY t_last LIMIT ?1) RETURNING n",
    [SQL_CHUNK_OLD] = "SELECT id, t_last, n, " EVIDENCE(
        "chunk") " FROM chunk WHERE (t_last,id)>(?1,?2) ORDER BY t_last, id LIMIT ?3",
    [SQL_CHUNK_DROP] = "DELETE FROM chunk WHERE id=?1",
    [SQL_TURN_SEALED] = "SELECT seq, idents FROM turn WHERE seq>?1 AND seq<=?2 ORDER BY seq LIMIT ?3",
    [SQL_TURN_FOLD] = "DELETE FROM turn WHERE seq>=?1 AND seq<?2",
    [SQL_TURN_BARE] = "UPDATE turn SET readings=NULL, idents=?2 WHERE seq=?1",
    [SQL_ROLLUP_AGED] =
        "SELECT r.start, r.series, d.domain, s.quantity FROM rollup r CROSS JOIN series s CROSS JOIN device d"
        " WHERE r.period=?1 AND (r.start,r.series)>(?2,?3) AND r.start<?5 AND s.id=r.series AND "
        "d.id=s.device ORDER BY "
        "r.start, r.series LIMIT ?4",
    [SQL_CHUNK_AGED] =
        "SELECT id, n FROM chunk WHERE series=?1 AND t_first<?2 AND t_last<?2 AND NOT " EVIDENCE(
            "chunk") " ORDER BY t_first LIMIT ?3",
    [SQL_SERIES_NEXT] =
        "SELECT s.id, d.domain, s.quantity FROM series s CROSS JOIN device d WHERE s.id>?1 AND "
        "d.id=s.device ORDER BY s.id LIMIT 1",
    [SQL_ROLLUP_GET] =
        "SELECT " EG_ROLLUP_COLUMNS ",whole FROM rollup WHERE period=?1 AND start=?2 AND series=?3",
    [SQL_ROLLUP_DROP] = "DELETE FROM rollup WHERE period=?1 AND start=?2 AND series=?3",
    [SQL_FOLD_KEYS] = "SELECT period,start,series FROM rollup WHERE (period,start,series)>(?1,?2,?3) ORDER "
                      "BY period,start,series",
    [SQL_BUCKET_AT] = "SELECT id,t_first,body FROM bucket WHERE series=?1 AND period=?2 AND t_first<=?3 "
                      "ORDER BY t_first DESC LIMIT 1",
    [SQL_BUCKET_BEFORE] = "SELECT id,n FROM bucket WHERE series=?1 AND period=?2 AND t_first<?3 "
                          "ORDER BY t_first DESC LIMIT 1",
    [SQL_BUCKET_AFTER] = "SELECT id,t_first,body FROM bucket WHERE series=?1 AND period=?2 AND t_first>?3 "
                         "ORDER BY t_first LIMIT 1",
    [SQL_BUCKET_ADD] = "INSERT INTO bucket(body,t_first,t_last,n,series,period) VALUES(?,?,?,?,?,?)",
    [SQL_BUCKET_DROP] = "DELETE FROM bucket WHERE id=?1",
    [SQL_BUCKET_SET] = "UPDATE bucket SET body=?1, t_first=?2, t_last=?3, n=?4 WHERE id=?5",
    [SQL_BUCKET_AGED] = "DELETE FROM bucket WHERE series=?1 AND period=?2 AND t_first<?3 AND t_last<?3",
    [SQL_BUCKET_OLD] =
        "DELETE FROM bucket WHERE id IN (SELECT id FROM bucket WHERE period=?1 ORDER BY t_last LIMIT ?2)",
    [SQL_PAGES] = "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count",
    [SQL_OWN] = "INSERT INTO own_time VALUES(?,?)",
    [SQL_OWN_GET] = "SELECT body FROM own_time WHERE seq=?",
    [SQL_OWN_DROP] = "DELETE FROM own_time WHERE seq=?",
    [SQL_DATE_NEXT] = "SELECT seq, at, readings FROM turn WHERE seq>?1 AND seq<=?2 ORDER BY seq LIMIT 1",
    [SQL_DATE_TURN] = "UPDATE turn SET at=?2, readings=?3 WHERE seq=?1",
    [SQL_YOUNG_PRUNE] =
        "DELETE FROM young WHERE series=?1 AND t_last<?2 AND NOT " EVIDENCE("young") " RETURNING n",
};

void eg_sql_text(sqlite3_stmt *sql, int at, const char *text)
{
    sqlite3_bind_text(sql, at, text ? text : "", -1, SQLITE_STATIC);
}

int64_t eg_sql_number(sqlite3 *db, const char *query, int64_t otherwise)
{
    sqlite3_stmt *sql = NULL;
    if (sqlite3_prepare_v2(db, query, -1, &sql, NULL) == SQLITE_OK && sqlite3_step(sql) == SQLITE_ROW)
        otherwise = sqlite3_column_int64(sql, 0);
    sqlite3_finalize(sql);
    return otherwise;
}

int eg_sql_error(sqlite3 *db, struct eg_err *err, const char *doing)
{
    int code = sqlite3_errcode(db);
    bool full = code == SQLITE_FULL || (code == SQLITE_IOERR && sqlite3_system_errno(db) == ENOSPC) ||
                (code == SQLITE_IOERR && sqlite3_system_errno(db) == EFBIG);
    return eg_err_set(err,
                      full                                              ? EG_EFULL
                      : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? EG_ECORRUPT
                                                                        : EG_EIO,
                      "%s: %s%s", doing, sqlite3_errmsg(db),
                      full ? " (the disk is full, or store.max_size is reached: free some space or raise it)"
                           : "");
}

int eg_sql_open(const char *path, bool writer, sqlite3 **ret_db, struct eg_err *err)
{
    static const char common[] =
        "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
        "PRAGMA cache_size=-1024;";
    static const char writing[] = "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                  "PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=OFF;";
    sqlite3 *db = NULL;
    int flags =
        SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK ||
        sqlite3_exec(db, common, NULL, NULL, NULL) != SQLITE_OK ||
        (writer && sqlite3_exec(db, writing, NULL, NULL, NULL) != SQLITE_OK)) {
        int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
        bool damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
        eg_err_set(err, damaged ? EG_ECORRUPT : EG_EIO, "%s cannot be opened: %s", path,
                   db ? sqlite3_errmsg(db) : "no memory");
        sqlite3_close(db);
        return damaged ? EG_ECORRUPT : EG_EIO;
    }
    sqlite3_busy_timeout(db, 50);
    *ret_db = db;
    return EG_OK;
}

int eg_sql_prepare(struct eg_store *store, struct eg_err *err)
{
    for (int i = 0; i < SQL_COUNT; i++)
        if (sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &store->sql[i], NULL) !=
            SQLITE_OK)
            return eg_sql_error(store->db, err, "preparing the store's statements");
    return EG_OK;
}

int eg_sql_run(struct eg_store *store, enum eg_sql which)
{
    int code = sqlite3_step(store->sql[which]);
    sqlite3_reset(store->sql[which]);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

int eg_meta_put(struct eg_store *store, const char *key, int64_t value)
{
    sqlite3_bind_text(store->sql[SQL_META], 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(store->sql[SQL_META], 2, value);
    return eg_sql_run(store, SQL_META);
}

int64_t eg_meta_get(sqlite3 *db, const char *key, int64_t otherwise)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key=?", -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) == SQLITE_ROW)
            otherwise = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return otherwise;
}

void eg_sql_figures(struct eg_store *store)
{
    char wal[4096];
    struct stat file = {0}, log = {0};
    eg_flash_pages(store);
    snprintf(wal, sizeof wal, "%s-wal", store->path);
    stat(store->path, &file);
    stat(wal, &log);
    atomic_store(&store->bytes, (int64_t)file.st_size + (int64_t)log.st_size);
    uint64_t there = store->counters.r_stored - store->counters.r_corrected;
    atomic_store(&store->readings, there > store->dropped ? there - store->dropped : 0);
    atomic_store(&store->journal_readings, store->counters.r_stored - store->sealed_stored);
    eg_prune_measure(store);
    atomic_store(&store->behind, eg_seal_behind(store) || eg_fold_behind(store));
    atomic_store(&store->wants_tidy, eg_log_due(store) || eg_prune_tight(store) || store->behind);
}

/* --- opening --- */

static int make_folder(const char *path, struct eg_err *err)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return EG_OK;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    for (char *at = folder + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char held = *at;
        *at = '\0';
        if (mkdir(folder, 0750) != 0 && errno != EEXIST)
            return eg_err_set(err, EG_EIO, "the folder %s cannot be made: %s", folder, strerror(errno));
        *at = held;
        if (!held)
            return EG_OK;
    }
}

static int take_lock(struct eg_store *store, struct eg_err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.lock", store->path);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (store->lock_fd < 0)
        return eg_err_set(err, EG_EIO, "%s cannot be made: %s", path, strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return eg_err_set(err, EG_EBUSY, "%s is in use by another ecogovd", store->path);
    return EG_OK;
}

/* A small file must not be filled by the journal alone, at 8 bytes a reading: then it is sealed earlier. */
static void fit_into(struct eg_store *store, int64_t max_size)
{
    uint64_t most = (uint64_t)max_size / 32;
    if (store->seal_at > most)
        store->seal_at = most;
    if (store->fold_at > most / 16) /* at a hundred bytes a row */
        store->fold_at = most / 16;
    if (store->seal_run > most / 2)
        store->seal_run = most / 2;
    eg_room_size(store, max_size);
    store->pages_wanted = eg_prune_reserve(store->max_pages);
    store->spared_ms = INT64_MIN;
}

int eg_store_open(const struct eg_conf *conf, struct eg_store **ret_store, struct eg_err *err)
{
    struct eg_store *store = calloc(1, sizeof *store);
    if (!store)
        return eg_err_set(err, EG_ENOMEM, "no memory for the store");
    store->lock_fd = -1;
    store->seal_at = EG_SEAL_AT;
    store->fold_at = EG_FOLD_AT;
    store->seal_run = EG_SEAL_RUN;
    fit_into(store, conf->store.max_size);
    store->wal_due = EG_WAL_PAGES;
    store->path = strdup(conf->store.path);
    eg_buf_init(&store->blob, (size_t)256 * 1024 * 1024);
    eg_buf_init(&store->idents, (size_t)64 * 1024 * 1024);
    int code =
        store->path ? make_folder(store->path, err) : eg_err_set(err, EG_ENOMEM, "no memory for the store");
    if (code == EG_OK)
        code = eg_age_configure(store, conf, err);
    if (code == EG_OK)
        code = take_lock(store, err);
    if (code == EG_OK)
        eg_room_before(store);
    if (code == EG_OK)
        code = eg_sql_open(store->path, true, &store->db, err);
    if (code == EG_OK)
        code = eg_schema_migrate(store->db, store->path, err);
    if (code == EG_OK)
        code = eg_sql_prepare(store, err);
    if (code == EG_OK)
        code = eg_history_load(store->db, &store->history, err);
    if (code == EG_OK)
        code = eg_room_open(store, err);
    if (code != EG_OK) {
        eg_store_close(store);
        return code;
    }
    sqlite3_wal_hook(store->db, eg_log_note, store);
    store->sealed_seq = eg_meta_get(store->db, "sealed_seq", 0);
    store->sealed_stored = (uint64_t)eg_meta_get(store->db, "sealed_stored", 0);
    store->dropped = (uint64_t)eg_meta_get(store->db, "dropped", 0);
    store->seal_to = eg_meta_get(store->db, "seal_to", 0);
    store->seal_series = (uint32_t)eg_meta_get(store->db, "seal_series", 0);
    store->bare_seq = store->bare_next = eg_meta_get(store->db, "bare_seq", 0);
    store->bare = store->bare_seq < store->sealed_seq;
    store->series_most = (uint32_t)eg_sql_number(store->db, "SELECT max(id) FROM series", 0);
    store->fold.rows = (uint64_t)eg_sql_number(store->db, "SELECT count(*) FROM rollup", 0);
    eg_flash_open(store);
    code = eg_clock_open(store, err);
    if (code != EG_OK) {
        eg_store_close(store);
        return code;
    }
    eg_land_use_keep(store, conf);
    *ret_store = store;
    return EG_OK;
}

void eg_store_close(struct eg_store *store)
{
    if (!store)
        return;
    eg_flash_close(store);
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(store->sql[i]);
    if (store->db) {
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_close(store->db);
    }
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    eg_buf_finish(&store->blob);
    eg_buf_finish(&store->idents);
    eg_seal_finish(store);
    eg_redate_finish(store);
    eg_age_finish(store);
    free(store->path);
    free(store);
}

void eg_store_figures(const struct eg_store *store, struct eg_store_figures *ret)
{
    *ret = (struct eg_store_figures){.bytes = atomic_load(&store->bytes),
                                     .bytes_written = atomic_load(&store->bytes_written),
                                     .readings = atomic_load(&store->readings),
                                     .journal_readings = atomic_load(&store->journal_readings),
                                     .schema = EG_SCHEMA_VERSION,
                                     .wants_tidy = atomic_load(&store->wants_tidy),
                                     .behind = atomic_load(&store->behind),
                                     .short_of_room = atomic_load(&store->short_of_room)};
}
