/* Background work between turns: the oldest part of the journal becomes chunks, one or more per series; what is older than
 * retain_raw goes. Sealing and forgetting are one transaction. Called by turn.c's worker when no commit runs. */
#include <store/inside.h>
#include <base/clock.h>

#include <stdlib.h>

struct bite {
    struct eg_aged *rows;
    size_t count, capacity;
    int64_t last_seq;
    uint64_t stored; /* r_stored as of last_seq */
    int code;
};

static bool take(void *arg, const struct eg_row_reading *row)
{
    struct bite *bite = arg;
    if (bite->count == bite->capacity) {
        size_t more = bite->capacity ? bite->capacity * 2 : 4096;
        struct eg_aged *grown = realloc(bite->rows, more * sizeof *grown);
        if (!grown) {
            bite->code = EG_ENOMEM;
            return false;
        }
        bite->rows = grown;
        bite->capacity = more;
    }
    bite->rows[bite->count] = (struct eg_aged){{row->time_ms, row->value, row->flags}, bite->last_seq, (uint32_t)bite->count,
                                               row->series};
    bite->count++;
    return true;
}

static int read_bite(struct eg_store *store, struct bite *bite, struct eg_err *err)
{
    sqlite3_stmt *sql = store->sql[SQL_TURNS];
    int code = SQLITE_DONE;
    sqlite3_bind_int64(sql, 1, store->sealed_seq);
    while (bite->code == EG_OK && bite->count < EG_SEAL_BITE && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        const uint8_t *blob = sqlite3_column_blob(sql, 2);
        bite->last_seq = sqlite3_column_int64(sql, 0);
        bite->stored = (uint64_t)sqlite3_column_int64(sql, 3);
        if (blob && eg_pack_each_reading(blob, (size_t)sqlite3_column_bytes(sql, 2), sqlite3_column_int64(sql, 1), take, bite) != EG_OK)
            bite->code = eg_err_set(err, EG_ECORRUPT, "turn %lld of the journal is damaged: run ecogovd --verify",
                                    (long long)bite->last_seq);
    }
    sqlite3_reset(sql);
    if (bite->code == EG_ENOMEM)
        return eg_err_set(err, EG_ENOMEM, "no memory to seal the journal");
    if (bite->code == EG_OK && code != SQLITE_ROW && code != SQLITE_DONE)
        return eg_sql_error(store->db, err, "reading the journal");
    return bite->code;
}

static int by_series_time_age(const void *left, const void *right)
{
    const struct eg_aged *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->point.time_ms != b->point.time_ms)
        return a->point.time_ms < b->point.time_ms ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static int put_chunk(struct eg_store *store, uint32_t series, int64_t seq, const struct eg_point *points, size_t count)
{
    sqlite3_stmt *sql = store->sql[SQL_CHUNK];
    eg_buf_clear(&store->blob);
    if (!eg_pack_chunk(&store->blob, points, count))
        return SQLITE_NOMEM;
    sqlite3_bind_int64(sql, 1, series);
    sqlite3_bind_int64(sql, 2, points[0].time_ms);
    sqlite3_bind_int64(sql, 3, seq);
    sqlite3_bind_int64(sql, 4, points[count - 1].time_ms);
    sqlite3_bind_int64(sql, 5, (int64_t)count);
    sqlite3_bind_blob64(sql, 6, store->blob.data, store->blob.length, SQLITE_STATIC);
    int code = eg_sql_run(store, SQL_CHUNK);
    const struct eg_point *last = &points[count - 1];
    sqlite3_bind_int64(store->sql[SQL_SERIES_LAST], 1, series);
    sqlite3_bind_int64(store->sql[SQL_SERIES_LAST], 2, last->time_ms);
    sqlite3_bind_double(store->sql[SQL_SERIES_LAST], 3, last->value);
    sqlite3_bind_int(store->sql[SQL_SERIES_LAST], 4, last->flags);
    return code == SQLITE_OK ? eg_sql_run(store, SQL_SERIES_LAST) : code;
}

/* One series' rows, ascending: the newest value of each time, cut into chunks. `seq`, the bite's last turn, tells its age. */
static int put_series(struct eg_store *store, const struct bite *bite, size_t from, size_t to)
{
    struct eg_point points[EG_CHUNK_POINTS];
    size_t count = 0;
    int code = SQLITE_OK;
    for (size_t i = from; code == SQLITE_OK && i < to; i++) {
        if (i + 1 < to && bite->rows[i + 1].point.time_ms == bite->rows[i].point.time_ms)
            continue;
        points[count++] = bite->rows[i].point;
        if (count == EG_CHUNK_POINTS) {
            code = put_chunk(store, bite->rows[i].series, bite->last_seq, points, count);
            count = 0;
        }
    }
    return code == SQLITE_OK && count ? put_chunk(store, bite->rows[from].series, bite->last_seq, points, count) : code;
}

static int put_bite(struct eg_store *store, const struct bite *bite, int64_t now_ms)
{
    int code = SQLITE_OK;
    for (size_t from = 0, to; code == SQLITE_OK && from < bite->count; from = to) {
        for (to = from + 1; to < bite->count && bite->rows[to].series == bite->rows[from].series;)
            to++;
        code = put_series(store, bite, from, to);
        if (code == SQLITE_OK && store->retain_raw_ms) {
            sqlite3_bind_int64(store->sql[SQL_CHUNK_PRUNE], 1, bite->rows[from].series);
            sqlite3_bind_int64(store->sql[SQL_CHUNK_PRUNE], 2, now_ms - store->retain_raw_ms);
            code = eg_sql_run(store, SQL_CHUNK_PRUNE);
        }
    }
    if (code == SQLITE_OK)
        code = eg_meta_put(store, "sealed_seq", bite->last_seq);
    if (code == SQLITE_OK)
        code = eg_meta_put(store, "sealed_stored", (int64_t)bite->stored);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(store->sql[SQL_TURN_PRUNE], 1, bite->last_seq < store->seq ? bite->last_seq : store->seq - 1);
        sqlite3_bind_int64(store->sql[SQL_TURN_PRUNE], 2, (int64_t)store->counters.received - EG_IDENTS_KEPT);
        code = eg_sql_run(store, SQL_TURN_PRUNE);
    }
    return code;
}

int eg_store_tidy(struct eg_store *store, int64_t now_ms, int64_t budget_us, bool *ret_more, struct eg_err *err)
{
    struct bite bite = {0};
    (void)budget_us; /* a bite is bounded by EG_SEAL_BITE; the turn goes on taking messages meanwhile */
    *ret_more = false;
    if (store->counters.r_stored - store->sealed_stored < EG_SEAL_AT)
        return EG_OK;
    int code = read_bite(store, &bite, err);
    if (code == EG_OK && bite.last_seq) {
        if (bite.count)
            qsort(bite.rows, bite.count, sizeof *bite.rows, by_series_time_age);
        int sql = eg_sql_run(store, SQL_BEGIN);
        if (sql == SQLITE_OK)
            sql = put_bite(store, &bite, now_ms);
        if (sql == SQLITE_OK)
            sql = eg_sql_run(store, SQL_COMMIT);
        if (sql != SQLITE_OK) {
            code = eg_sql_error(store->db, err, "sealing the journal");
            if (!sqlite3_get_autocommit(store->db))
                eg_sql_run(store, SQL_ROLLBACK);
        } else {
            store->sealed_seq = bite.last_seq;
            store->sealed_stored = bite.stored;
            *ret_more = store->counters.r_stored - store->sealed_stored >= EG_SEAL_AT;
            eg_sql_figures(store);
        }
    }
    free(bite.rows);
    return code;
}
