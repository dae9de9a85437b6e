/* The readings of one series in order, wherever they lie: sealed chunks, which may overlap where readings came late, and the journal.
 * Holds no more than what overlaps. Called by load.c, read.c and export.c. */
#include <store/inside.h>

#include <stdlib.h>
#include <string.h>

struct journal_one {
    bool (*each)(void *arg, int64_t seq, const struct eg_row_reading *row);
    void *arg;
    int64_t seq;
    bool stopped;
};

static bool with_seq(void *arg, const struct eg_row_reading *row)
{
    struct journal_one *one = arg;
    one->stopped = !one->each(one->arg, one->seq, row);
    return !one->stopped;
}

int eg_journal_each(sqlite3 *db, int64_t after_seq,
                    bool (*each)(void *arg, int64_t seq, const struct eg_row_reading *row), void *arg,
                    struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    struct journal_one one = {each, arg, 0, false};
    int result = EG_OK,
        code = sqlite3_prepare_v2(db, "SELECT seq, at, readings FROM turn WHERE seq>? ORDER BY seq", -1, &sql,
                                  NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(sql, 1, after_seq);
        while (!one.stopped && result == EG_OK && (code = sqlite3_step(sql)) == SQLITE_ROW) {
            one.seq = sqlite3_column_int64(sql, 0);
            const uint8_t *blob = sqlite3_column_blob(sql, 2);
            if (blob && eg_pack_each_reading(blob, (size_t)sqlite3_column_bytes(sql, 2),
                                             sqlite3_column_int64(sql, 1), with_seq, &one) != EG_OK)
                result =
                    eg_err_set(err, EG_ECORRUPT, "turn %lld of the journal is damaged", (long long)one.seq);
        }
    }
    if (result == EG_OK && code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
        result = eg_sql_error(db, err, "reading the journal");
    sqlite3_finalize(sql);
    return result;
}

static bool room(struct eg_aged **rows, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return true;
    size_t more = *capacity ? *capacity * 2 : 256;
    struct eg_aged *grown = realloc(*rows, more * sizeof *grown);
    if (!grown)
        return false;
    *rows = grown;
    *capacity = more;
    return true;
}

int eg_aged_compare(const void *left, const void *right)
{
    const struct eg_aged *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->point.time_ms != b->point.time_ms)
        return a->point.time_ms < b->point.time_ms ? -1 : 1;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

struct tail_rows {
    uint32_t series;
    int64_t
        seal_to; /* a run of sealing is under way: up to this turn, series up to seal_series lie in chunks */
    uint32_t seal_series;
    struct eg_aged *rows;
    size_t count, capacity;
    bool failed;
};

static bool take_tail(void *arg, int64_t seq, const struct eg_row_reading *row)
{
    struct tail_rows *tail = arg;
    if ((tail->series && row->series != tail->series) ||
        (seq <= tail->seal_to && row->series <= tail->seal_series))
        return true;
    if (!room(&tail->rows, tail->count, &tail->capacity)) {
        tail->failed = true;
        return false;
    }
    tail->rows[tail->count] =
        (struct eg_aged){{row->time_ms, row->value, row->flags}, seq, (uint32_t)tail->count, row->series};
    tail->count++;
    return true;
}

int eg_stream_tail(sqlite3 *db, uint32_t series, struct eg_aged **ret_rows, size_t *ret_count,
                   struct eg_err *err)
{
    struct tail_rows tail = {.series = series,
                             .seal_to = eg_meta_get(db, "seal_to", 0),
                             .seal_series = (uint32_t)eg_meta_get(db, "seal_series", 0)};
    int code = eg_journal_each(db, eg_meta_get(db, "sealed_seq", 0), take_tail, &tail, err);
    if (code == EG_OK && tail.failed)
        code = eg_err_set(err, EG_ENOMEM, "no memory for the journal's readings");
    if (code != EG_OK) {
        free(tail.rows);
        return code;
    }
    if (tail.count)
        qsort(tail.rows, tail.count, sizeof *tail.rows, eg_aged_compare);
    *ret_rows = tail.rows;
    *ret_count = tail.count;
    return EG_OK;
}

/* --- one series --- */

static int peek_chunk(struct eg_stream *stream, sqlite3 *db)
{
    int code = sqlite3_step(stream->cover.chunks);
    stream->more_chunks = code == SQLITE_ROW;
    if (stream->more_chunks)
        stream->next_first = sqlite3_column_int64(stream->cover.chunks, 0);
    return code == SQLITE_ROW || code == SQLITE_DONE
               ? EG_OK
               : eg_sql_error(db, stream->err, "reading sealed readings");
}

static int take_tail_rows(struct eg_stream *stream, const struct eg_aged *tail, size_t tail_count,
                          struct eg_err *err)
{
    for (size_t i = 0; i < tail_count; i++) {
        if (tail[i].point.time_ms < stream->from_ms || tail[i].point.time_ms >= stream->to_ms)
            continue;
        if (!room(&stream->pending, stream->count, &stream->capacity))
            return eg_err_set(err, EG_ENOMEM, "no memory to read a series");
        stream->pending[stream->count++] = tail[i];
    }
    return EG_OK;
}

int eg_stream_open(struct eg_stream *stream, sqlite3 *db, uint32_t series, int64_t from_ms, int64_t to_ms,
                   const struct eg_aged *tail, size_t tail_count, struct eg_err *err)
{
    stream->series = series;
    stream->from_ms = from_ms;
    stream->to_ms = to_ms;
    stream->err = err;
    stream->count = stream->at = 0;
    stream->more_chunks = false;
    if (!stream->decoded)
        stream->decoded = malloc(EG_CHUNK_POINTS * sizeof *stream->decoded);
    int code = stream->decoded ? take_tail_rows(stream, tail, tail_count, err)
                               : eg_err_set(err, EG_ENOMEM, "no memory to read a series");
    if (code == EG_OK && eg_cover_open(&stream->cover, db, series, from_ms, to_ms) != SQLITE_OK)
        code = eg_sql_error(db, err, "reading sealed readings");
    if (code == EG_OK)
        code = peek_chunk(stream, db);
    if (code != EG_OK)
        eg_stream_close(stream);
    return code;
}

/* Merges `count` decoded points into what is pending, from the back, so that each moves once. */
static bool merge(struct eg_stream *stream, size_t count, int64_t seq)
{
    size_t left = stream->count, to = left + count;
    while (stream->capacity < to)
        if (!room(&stream->pending, stream->capacity, &stream->capacity))
            return false;
    stream->count = to;
    while (count) {
        struct eg_aged fresh = {stream->decoded[count - 1], seq, (uint32_t)count, stream->series};
        if (left && eg_aged_compare(&stream->pending[left - 1], &fresh) > 0) {
            stream->pending[--to] = stream->pending[--left];
        } else {
            stream->pending[--to] = fresh;
            count--;
        }
    }
    return true;
}

/* The next chunk joins what is pending. */
static int take_chunk(struct eg_stream *stream)
{
    size_t count = 0, kept = 0;
    sqlite3_stmt *chunks = stream->cover.chunks;
    int64_t seq = sqlite3_column_int64(chunks, 1);
    const uint8_t *blob = sqlite3_column_blob(chunks, 2);
    if (eg_pack_chunk_points(blob, (size_t)sqlite3_column_bytes(chunks, 2), stream->decoded, &count) != EG_OK)
        return eg_err_set(stream->err, EG_ECORRUPT, "a sealed chunk (turn %lld) is damaged", (long long)seq);
    if (stream->at) /* else there may be no array yet */
        memmove(stream->pending, stream->pending + stream->at,
                (stream->count - stream->at) * sizeof *stream->pending);
    stream->count -= stream->at;
    stream->at = 0;
    for (size_t i = 0; i < count; i++)
        if (stream->decoded[i].time_ms >= stream->from_ms && stream->decoded[i].time_ms < stream->to_ms)
            stream->decoded[kept++] = stream->decoded[i];
    if (!merge(stream, kept, seq))
        return eg_err_set(stream->err, EG_ENOMEM, "no memory to read a series");
    return peek_chunk(stream, sqlite3_db_handle(chunks));
}

int eg_stream_next(struct eg_stream *stream, struct eg_point *ret_point)
{
    while (stream->more_chunks &&
           (stream->at == stream->count || stream->pending[stream->at].point.time_ms >= stream->next_first)) {
        int code = take_chunk(stream);
        if (code != EG_OK)
            return code;
    }
    if (stream->at == stream->count)
        return 0;
    while (stream->at + 1 < stream->count &&
           stream->pending[stream->at + 1].point.time_ms == stream->pending[stream->at].point.time_ms)
        stream->at++; /* the newest value of a time */
    *ret_point = stream->pending[stream->at++].point;
    return 1;
}

void eg_stream_close(struct eg_stream *stream)
{
    eg_cover_close(&stream->cover);
    free(stream->pending);
    free(stream->decoded);
    memset(stream, 0, sizeof *stream);
}
