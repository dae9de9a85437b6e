/* Questions (store.h): a read-only connection on the main thread that sees the last commit. */
#include <store/inside.h>
#include <store/salvage.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_at(sqlite3_stmt *sql, int column)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    return text ? text : "";
}

int eg_reader_open(struct eg_store *store, struct eg_reader **ret_reader, struct eg_err *err)
{
    struct eg_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return eg_err_set(err, EG_ENOMEM, "no memory for the reader");
    reader->store = store;
    int code = eg_sql_open(store->path, false, &reader->db, err);
    if (code != EG_OK) {
        eg_reader_close(reader);
        return code;
    }
    *ret_reader = reader;
    return EG_OK;
}

void eg_reader_close(struct eg_reader *reader)
{
    if (!reader)
        return;
    eg_cover_close(&reader->lookup);
    eg_rollups_close(&reader->day);
    eg_rollups_close(&reader->rollups);
    eg_lastday_finish(&reader->hours);
    sqlite3_close(reader->db);
    eg_tail_finish(&reader->tail);
    eg_recent_finish(&reader->recent);
    free(reader);
}

void eg_reader_forget(struct eg_reader *reader)
{
    eg_lastday_finish(&reader->hours);
    eg_tail_finish(&reader->tail);
    eg_recent_finish(&reader->recent);
}

/* --- the past --- */

static bool in_chunk(const struct eg_point *points, size_t count, int64_t time_ms, double *ret_value)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (points[middle].time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || points[low].time_ms != time_ms)
        return false;
    *ret_value = points[low].value;
    return true;
}

/* The newest value a chunk holds of a time. */
static bool in_chunks(struct eg_reader *reader, uint32_t series, int64_t time_ms, double *ret_value)
{
    struct eg_point points[EG_CHUNK_POINTS];
    int64_t newest_seq = INT64_MIN;
    bool found = false;
    sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL);
    if (eg_cover_open(&reader->lookup, reader->db, series, time_ms, time_ms + 1) == SQLITE_OK) {
        sqlite3_stmt *chunks = reader->lookup.chunks;
        while (sqlite3_step(chunks) == SQLITE_ROW) {
            size_t count;
            int64_t seq = sqlite3_column_int64(chunks, 1);
            if (seq >= newest_seq &&
                eg_pack_chunk_points(sqlite3_column_blob(chunks, 2), (size_t)sqlite3_column_bytes(chunks, 2),
                                     points, &count) == EG_OK &&
                in_chunk(points, count, time_ms, ret_value)) {
                newest_seq = seq;
                found = true;
            }
        }
        sqlite3_reset(chunks);
    }
    sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
    return found;
}

static bool lookup(void *user, uint32_t series, int64_t time_ms, double *ret_value)
{
    struct eg_reader *reader = user;
    struct eg_err err;
    /* Without the index a redelivered reading may be stored once more; told, it is one: the newest of a time counts. */
    return (eg_tail_refresh(&reader->tail, reader->db, reader->store->seq, &err) == EG_OK &&
            eg_tail_get(&reader->tail, series, time_ms, ret_value)) ||
           in_chunks(reader, series, time_ms, ret_value);
}

struct range {
    void (*each)(void *arg, int64_t time_ms, double value, uint16_t flags);
    void *arg;
};

static bool range_point(void *arg, const struct eg_point *point)
{
    const struct range *range = arg;
    range->each(range->arg, point->time_ms, point->value, point->flags);
    return true;
}

static int range(void *user, uint32_t series, int64_t from_ms, int64_t to_ms,
                 void (*each)(void *arg, int64_t time_ms, double value, uint16_t flags), void *arg)
{
    struct range one = {each, arg};
    return eg_reader_points(user, series, from_ms, to_ms, range_point, &one, NULL);
}

struct bucket {
    struct eg_rollup *rollup;
    bool found;
};

static bool bucket_at(void *arg, const struct eg_rollup *rollup)
{
    struct bucket *bucket = arg;
    bucket->found = rollup->start_ms == bucket->rollup->start_ms;
    if (bucket->found)
        *bucket->rollup = *rollup;
    return false;
}

static int rollup(void *user, uint32_t series, enum eg_period period, struct eg_rollup *ret)
{
    struct bucket bucket = {ret, false};
    int code =
        eg_reader_rollups(user, series, period, ret->start_ms, ret->start_ms + 1, bucket_at, &bucket, NULL);
    return code < 0 ? code : bucket.found;
}

static int rollups(void *user, uint32_t series, enum eg_period period, int64_t from_ms, int64_t to_ms,
                   bool (*each)(void *arg, const struct eg_rollup *bucket), void *arg)
{
    return eg_reader_rollups(user, series, period, from_ms, to_ms, each, arg, NULL);
}

static bool find_case(void *user, const char *id, struct eg_case *ret)
{
    return eg_reader_case(user, id, ret, NULL) == EG_OK;
}

void eg_reader_past(struct eg_reader *reader, struct eg_past *ret_past)
{
    *ret_past = (struct eg_past){.user = reader,
                                 .lookup = lookup,
                                 .range = range,
                                 .rollup = rollup,
                                 .find_case = find_case,
                                 .case_user = reader,
                                 .find_former = eg_reader_former,
                                 .rollups = rollups};
}

/* --- readings --- */

int eg_reader_points(struct eg_reader *reader, uint32_t series, int64_t from_ms, int64_t to_ms,
                     bool (*each)(void *arg, const struct eg_point *point), void *arg, struct eg_err *err)
{
    struct eg_aged *tail = NULL;
    struct eg_stream stream = {0};
    struct eg_point point;
    size_t tail_count = 0;
    sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL); /* journal and chunks as of one moment */
    int code = eg_recent_of(&reader->recent, reader->db, series, from_ms, to_ms, &tail, &tail_count, err);
    if (code == EG_OK)
        code = eg_stream_open(&stream, reader->db, series, from_ms, to_ms, tail, tail_count, err);
    free(tail);
    if (code == EG_OK) {
        while ((code = eg_stream_next(&stream, &point)) == 1)
            if (!each(arg, &point))
                break;
        code = code > 0 ? EG_OK : code;
        eg_stream_close(&stream);
    }
    sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
    if (code == EG_ECORRUPT)
        eg_salvage_suspect(reader->store->path); /* the next start looks closely */
    return code;
}

/* --- quarantine and outbox --- */

#define QUARANTINE_COLUMNS "SELECT id,at,topic,source,verdict,reason,payload,full_len,retain FROM quarantine"

/* Hands out the rows of a prepared statement, which goes. `code`: of preparing it. */
static int each_quarantined(struct eg_reader *reader, sqlite3_stmt *sql, int code,
                            bool (*each)(void *arg, const struct eg_quarantine_view *row), void *arg,
                            struct eg_err *err)
{
    bool go_on = code == SQLITE_OK;
    while (go_on && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        struct eg_quarantine_view row = {.id = sqlite3_column_int64(sql, 0),
                                         .at_ms = sqlite3_column_int64(sql, 1),
                                         .topic = text_at(sql, 2),
                                         .source = text_at(sql, 3),
                                         .verdict = text_at(sql, 4),
                                         .reason = text_at(sql, 5),
                                         .payload = sqlite3_column_blob(sql, 6),
                                         .payload_len = (size_t)sqlite3_column_bytes(sql, 6),
                                         .full_len = (size_t)sqlite3_column_int64(sql, 7),
                                         .retain = sqlite3_column_int(sql, 8) != 0};
        go_on = each(arg, &row);
    }
    int result = code == SQLITE_ROW || code == SQLITE_DONE
                     ? EG_OK
                     : eg_sql_error(reader->db, err, "reading the quarantine");
    sqlite3_finalize(sql);
    return result;
}

int eg_reader_quarantine(struct eg_reader *reader, int64_t id, int64_t before_id, size_t limit,
                         bool (*each)(void *arg, const struct eg_quarantine_view *row), void *arg,
                         struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(reader->db,
                                  QUARANTINE_COLUMNS
                                  " WHERE (?1<=0 OR id=?1) AND (?2<=0 OR id<?2) ORDER BY id DESC LIMIT ?3",
                                  -1, &sql, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(sql, 1, id);
        sqlite3_bind_int64(sql, 2, before_id);
        sqlite3_bind_int64(sql, 3, limit ? (int64_t)limit : -1);
    }
    return each_quarantined(reader, sql, code, each, arg, err);
}

int eg_reader_quarantined(struct eg_reader *reader, int64_t after_id, const char *source, size_t limit,
                          bool (*each)(void *arg, const struct eg_quarantine_view *row), void *arg,
                          struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(
        reader->db, QUARANTINE_COLUMNS " WHERE id>?1 AND (?2 IS NULL OR source=?2) ORDER BY id LIMIT ?3", -1,
        &sql, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(sql, 1, after_id);
        if (source)
            sqlite3_bind_text(sql, 2, source, -1, SQLITE_STATIC);
        sqlite3_bind_int64(sql, 3, (int64_t)limit);
    }
    return each_quarantined(reader, sql, code, each, arg, err);
}
