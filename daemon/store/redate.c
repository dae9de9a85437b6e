/* Dating anew what a clock in doubt has dated. All of it lies in the journal, in the turns of that time (seal.c leaves them there), so it
 * is moved by writing these turns anew, each once: how far it came stands in the same transaction. Then the hours and days it lay in,
 * and those it lies in now, are made of the readings, series by series. Killed anywhere, the next start goes on from there, before a
 * pipeline is loaded. Called by turn.c's worker, by replay.c, and at a start. */
#include <store/inside.h>
#include <store/salvage.h>
#include <base/clock.h>
#include <pipeline/rollup.h>

#include <stdlib.h>
#include <string.h>

#define ROWS_MOST 512 /* hours and days of a series that are written at once */

struct eg_dating {
    struct eg_aged *rows; /* unsealed ones, by series */
    size_t count, at;
    struct eg_stream stream;
};

void eg_redate_finish(struct eg_store *store)
{
    if (!store->dating)
        return;
    free(store->dating->rows);
    eg_stream_close(&store->dating->stream);
    free(store->dating);
    store->dating = NULL;
}

/* --- turns --- */

struct turn {
    const struct eg_clock_row *clock;
    struct eg_row_reading *rows;
    int64_t *own; /* [capacity]: what each said itself; 0: nothing, or nothing that may be */
    size_t count, capacity;
    bool failed;
};

static bool take_row(void *arg, const struct eg_row_reading *row)
{
    struct turn *turn = arg;
    if (turn->count == turn->capacity) {
        size_t more = turn->capacity ? 2 * turn->capacity : 1024;
        struct eg_row_reading *rows = realloc(turn->rows, more * sizeof *rows);
        turn->rows = rows ? rows : turn->rows;
        int64_t *own = realloc(turn->own, more * sizeof *own);
        turn->own = own ? own : turn->own;
        turn->failed = !rows || !own;
        if (turn->failed)
            return false;
        turn->capacity = more;
    }
    turn->own[turn->count] = 0;
    turn->rows[turn->count++] = *row;
    return true;
}

/* It said itself when it was; unless that lies in the future even now. */
static bool take_own(void *arg, const struct eg_row_reading *own)
{
    struct turn *turn = arg;
    if (own->series && own->series <= turn->count && own->time_ms <= turn->clock->latest_ms)
        turn->own[own->series - 1] = own->time_ms;
    return true;
}

static void date(struct turn *turn)
{
    for (size_t i = 0; i < turn->count; i++) {
        struct eg_row_reading *row = &turn->rows[i];
        if (!(row->flags & EG_FLAG_CLOCK))
            continue;
        row->flags &= (uint16_t)~EG_FLAG_CLOCK;
        if (turn->own[i]) {
            row->time_ms = turn->own[i];
            row->flags &= (uint16_t)~EG_FLAG_ARRIVAL;
        } else {
            row->time_ms += turn->clock->shift_ms;
        }
    }
}

static int own_times(struct eg_store *store, int64_t seq, int64_t at_ms, struct turn *turn)
{
    sqlite3_stmt *get = store->sql[SQL_OWN_GET];
    sqlite3_bind_int64(get, 1, seq);
    int code = sqlite3_step(get);
    if (code == SQLITE_ROW &&
        eg_pack_each_reading(sqlite3_column_blob(get, 0), (size_t)sqlite3_column_bytes(get, 0), at_ms,
                             take_own, turn) != EG_OK)
        code = SQLITE_CORRUPT;
    sqlite3_reset(get);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? SQLITE_OK : code;
    sqlite3_bind_int64(store->sql[SQL_OWN_DROP], 1, seq);
    return eg_sql_run(store, SQL_OWN_DROP);
}

static int write_turn(struct eg_store *store, int64_t seq, int64_t at_ms, struct turn *turn)
{
    const struct eg_clock_row *clock = &store->clock;
    int64_t later_ms = at_ms >= clock->since_ms && at_ms <= clock->until_ms ? clock->shift_ms : 0;
    sqlite3_stmt *put = store->sql[SQL_DATE_TURN];
    int code = turn->count ? own_times(store, seq, at_ms, turn) : SQLITE_OK;
    if (code != SQLITE_OK)
        return code;
    date(turn);
    eg_buf_clear(&store->blob);
    if (turn->count && !eg_pack_readings(&store->blob, turn->rows, turn->count, at_ms + later_ms))
        return SQLITE_NOMEM;
    sqlite3_bind_int64(put, 1, seq);
    sqlite3_bind_int64(put, 2, at_ms + later_ms);
    if (turn->count)
        sqlite3_bind_blob64(put, 3, store->blob.data, store->blob.length, SQLITE_STATIC);
    else
        sqlite3_bind_null(put, 3);
    return eg_sql_run(store, SQL_DATE_TURN);
}

/* The turn behind `*seq`; SQLITE_DONE: there is none. */
static int date_next(struct eg_store *store, int64_t *seq, struct turn *turn)
{
    sqlite3_stmt *next = store->sql[SQL_DATE_NEXT];
    sqlite3_bind_int64(next, 1, *seq);
    sqlite3_bind_int64(next, 2, store->clock.to_seq);
    int64_t at_ms = 0;
    int code = sqlite3_step(next);
    turn->count = 0;
    if (code == SQLITE_ROW) {
        const uint8_t *blob = sqlite3_column_blob(next, 2);
        *seq = sqlite3_column_int64(next, 0);
        at_ms = sqlite3_column_int64(next, 1);
        if (blob &&
            eg_pack_each_reading(blob, (size_t)sqlite3_column_bytes(next, 2), at_ms, take_row, turn) != EG_OK)
            code = turn->failed ? SQLITE_NOMEM : SQLITE_CORRUPT;
    }
    sqlite3_reset(next);
    if (code == SQLITE_DONE)
        *seq = store->clock.to_seq;
    return code == SQLITE_ROW ? write_turn(store, *seq, at_ms, turn) : code;
}

static int date_turns(struct eg_store *store, int64_t until_us, int64_t *ret_seq)
{
    struct turn turn = {.clock = &store->clock};
    int code = SQLITE_OK;
    *ret_seq = store->clock.dated_seq;
    do
        code = date_next(store, ret_seq, &turn);
    while (code == SQLITE_OK && *ret_seq < store->clock.to_seq && eg_clock_mono_us() < until_us);
    free(turn.rows);
    free(turn.own);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* --- hours and days --- */

/* Closed buckets as they were, of the time in doubt: where no reading lies any more they are emptied. */
struct former {
    struct eg_rollup *rows;
    size_t count, capacity, at;
};
struct buckets {
    struct eg_store *store;
    uint32_t series;
    double scale;
    struct eg_rollup open[EG_PERIOD_COUNT]; /* filled by the readings */
    struct former former[EG_PERIOD_COUNT];
    struct eg_rollups rollups;
    struct eg_row_rollup rows[ROWS_MOST];
    size_t count;
    uint64_t written;
    int code;
};

static void flush(struct buckets *buckets)
{
    if (buckets->code == SQLITE_OK)
        buckets->code = eg_commit_rollups(buckets->store, buckets->rows, buckets->count);
    buckets->written += buckets->count;
    buckets->count = 0;
}

static void put(struct buckets *buckets, enum eg_period period, const struct eg_rollup *rollup, bool none)
{
    if (buckets->count == ROWS_MOST)
        flush(buckets);
    struct eg_row_rollup *row = &buckets->rows[buckets->count++];
    *row = (struct eg_row_rollup){buckets->series, period, true, *rollup};
    if (none || !rollup->count)
        eg_rollup_none(&row->rollup);
}

/* What lay before `start_ms` and has no readings any more; what begins there is written anew, or is open. */
static void empty_up_to(struct buckets *buckets, enum eg_period period, int64_t start_ms)
{
    struct former *former = &buckets->former[period];
    for (; former->at < former->count && former->rows[former->at].start_ms <= start_ms; former->at++)
        if (former->rows[former->at].start_ms < start_ms)
            put(buckets, period, &former->rows[former->at], true);
}

static int gather_former(struct buckets *buckets, enum eg_period period, struct eg_err *err)
{
    const struct eg_clock_row *clock = &buckets->store->clock;
    struct former *former = &buckets->former[period];
    struct eg_rollup first, row;
    eg_rollup_start(&first, period, clock->since_ms);
    former->count = former->at = 0;
    int code = eg_rollups_open(&buckets->rollups, buckets->store->db, buckets->series, period, first.start_ms,
                               clock->until_ms + 1, true, err);
    if (code != EG_OK)
        return code;
    while ((code = eg_rollups_next(&buckets->rollups, &row)) == 1) {
        if (former->count == former->capacity) {
            size_t more = former->capacity ? 2 * former->capacity : 64;
            struct eg_rollup *grown = realloc(former->rows, more * sizeof *grown);
            if (!grown) {
                code = eg_err_set(err, EG_ENOMEM, "no memory to make hours and days anew");
                break;
            }
            former->rows = grown;
            former->capacity = more;
        }
        former->rows[former->count++] = row;
    }
    eg_rollups_close(&buckets->rollups);
    return code;
}

static void take_point(struct buckets *buckets, const struct eg_point *point)
{
    for (int period = 0; period < EG_PERIOD_COUNT; period++) {
        struct eg_rollup *open = &buckets->open[period];
        if (!open->end_ms || point->time_ms >= open->end_ms) {
            if (open->end_ms)
                put(buckets, (enum eg_period)period, open, false);
            eg_rollup_start(open, (enum eg_period)period, point->time_ms);
            empty_up_to(buckets, (enum eg_period)period, open->start_ms);
        }
        if (!(point->flags & EG_FLAGS_SET_ASIDE))
            eg_rollup_add(open, (enum eg_period)period, buckets->scale, point->time_ms, point->value);
    }
}

/* The newest ones are still open: the pipeline writes them when they close. */
static void end(struct buckets *buckets)
{
    for (int period = 0; period < EG_PERIOD_COUNT; period++) {
        const struct former *former = &buckets->former[period];
        const struct eg_rollup *open = &buckets->open[period];
        bool was = former->at && former->rows[former->at - 1].start_ms == open->start_ms;
        if (open->end_ms && was)
            put(buckets, (enum eg_period)period, open, true);
        empty_up_to(buckets, (enum eg_period)period, INT64_MAX);
    }
    flush(buckets);
}

static int quantity_of(struct eg_store *store, uint32_t series)
{
    char text[80];
    sqlite3_stmt *sql = NULL;
    int quantity = EG_QUANTITY_NONE;
    sqlite3_snprintf(sizeof text, text, "SELECT quantity FROM series WHERE id=%u", series);
    if (sqlite3_prepare_v2(store->db, text, -1, &sql, NULL) == SQLITE_OK && sqlite3_step(sql) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(sql, 0);
        quantity = name ? eg_quantity_find(name, strlen(name)) : EG_QUANTITY_NONE;
    }
    sqlite3_finalize(sql);
    return quantity;
}

/* Where the series' rows end. False: none of them was dated anew. */
static bool rows_of(const struct eg_store *store, uint32_t series, size_t *ret_to, int64_t *ret_first_ms)
{
    const struct eg_dating *dating = store->dating;
    bool concerned = false;
    *ret_first_ms = store->clock.since_ms;
    for (*ret_to = dating->at; *ret_to < dating->count && dating->rows[*ret_to].series == series; ++*ret_to) {
        const struct eg_aged *row = &dating->rows[*ret_to];
        if (row->seq <= store->clock.from_seq || row->seq > store->clock.to_seq)
            continue;
        concerned = true;
        if (row->point.time_ms < *ret_first_ms)
            *ret_first_ms = row->point.time_ms;
    }
    return concerned;
}

static int make_series(struct eg_store *store, struct buckets *buckets, size_t to, int64_t first_ms,
                       struct eg_err *err)
{
    struct eg_dating *dating = store->dating;
    struct eg_rollup day;
    struct eg_point point;
    int quantity = quantity_of(store, buckets->series), step;
    if (quantity == EG_QUANTITY_NONE)
        return EG_OK;
    eg_rollup_start(&day, EG_PERIOD_DAY, first_ms);
    buckets->scale = eg_rollup_scale(quantity);
    int code = EG_OK;
    for (int period = 0; code == EG_OK && period < EG_PERIOD_COUNT; period++) {
        memset(&buckets->open[period], 0, sizeof buckets->open[period]);
        code = gather_former(buckets, (enum eg_period)period, err);
    }
    if (code == EG_OK)
        code = eg_stream_open(&dating->stream, store->db, buckets->series, day.start_ms, INT64_MAX,
                              dating->rows + dating->at, to - dating->at, err);
    if (code != EG_OK)
        return code;
    while ((step = eg_stream_next(&dating->stream, &point)) == 1)
        take_point(buckets, &point);
    end(buckets);
    if (step == 0 && buckets->code != SQLITE_OK)
        return eg_sql_error(store->db, err, "writing hours and days that were dated anew");
    return step;
}

static int make_buckets(struct eg_store *store, int64_t until_us, uint32_t *ret_series, uint64_t *ret_rows,
                        struct eg_err *err)
{
    struct buckets *buckets = calloc(1, sizeof *buckets);
    if (!store->dating)
        store->dating = calloc(1, sizeof *store->dating);
    struct eg_dating *dating = store->dating;
    int code =
        buckets && dating ? EG_OK : eg_err_set(err, EG_ENOMEM, "no memory to make hours and days anew");
    if (code == EG_OK && !dating->rows)
        code = eg_stream_tail(store->db, 0, &dating->rows, &dating->count, err);
    *ret_series = store->clock.dated_series;
    if (code == EG_OK)
        buckets->store = store;
    while (code == EG_OK && *ret_series < store->series_most) {
        size_t to;
        int64_t first_ms;
        buckets->series = ++*ret_series;
        while (dating->at < dating->count && dating->rows[dating->at].series < buckets->series)
            dating->at++;
        if (rows_of(store, buckets->series, &to, &first_ms))
            code = make_series(store, buckets, to, first_ms, err);
        dating->at = to;
        if (eg_clock_mono_us() >= until_us)
            break;
    }
    *ret_rows = buckets ? buckets->written : 0;
    for (int period = 0; buckets && period < EG_PERIOD_COUNT; period++)
        free(buckets->former[period].rows);
    free(buckets);
    return code;
}

/* --- one bite --- */

static int note(struct eg_store *store, const struct eg_clock_row *next)
{
    char text[160];
    sqlite3_snprintf(sizeof text, text,
                     "UPDATE clock SET state=%d, dated_seq=%lld, dated_series=%u WHERE id=%lld",
                     (int)next->state, (long long)next->dated_seq, next->dated_series, (long long)next->id);
    return sqlite3_exec(store->db, text, NULL, NULL, NULL);
}

static int bite(struct eg_store *store, int64_t until_us, struct eg_clock_row *next, uint64_t *ret_rows,
                struct eg_err *err)
{
    int code = eg_sql_run(store, SQL_BEGIN), result = EG_OK;
    if (code == SQLITE_OK && next->dated_seq < next->to_seq)
        code = date_turns(store, until_us, &next->dated_seq);
    else if (code == SQLITE_OK)
        result = make_buckets(store, until_us, &next->dated_series, ret_rows, err);
    if (next->dated_seq >= next->to_seq && next->dated_series >= store->series_most)
        next->state = EG_CLOCK_DATED;
    if (code == SQLITE_OK && result == EG_OK)
        code = note(store, next);
    if (code == SQLITE_OK && result == EG_OK)
        code = eg_sql_run(store, SQL_COMMIT);
    if (code != SQLITE_OK && result == EG_OK)
        result = code == SQLITE_NOMEM     ? eg_err_set(err, EG_ENOMEM, "no memory to date readings anew")
                 : code == SQLITE_CORRUPT ? eg_err_set(err, EG_ECORRUPT,
                                                       "a turn of the journal is damaged: run "
                                                       "ecogovd --verify")
                                          : eg_sql_error(store->db, err, "dating readings anew");
    if (!sqlite3_get_autocommit(store->db))
        eg_sql_run(store, SQL_ROLLBACK);
    return result;
}

int eg_store_redate(struct eg_store *store, int64_t budget_us, bool *ret_more, struct eg_err *err)
{
    struct eg_clock_row next = store->clock;
    uint64_t rows = 0;
    *ret_more = false;
    if (store->clock.state != EG_CLOCK_DATING)
        return EG_OK;
    if (store->fold.keys)
        eg_fold_done(store, false); /* rows change under what was gathered */
    /* Nothing here is news: as bites of sealing do, the next turn's fsync takes it along. */
    sqlite3_exec(store->db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    int code = bite(store, eg_clock_mono_us() + budget_us / 2, &next, &rows, err);
    sqlite3_exec(store->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    if (code == EG_ECORRUPT)
        eg_salvage_suspect(store->path);
    if (code != EG_OK) {
        eg_redate_finish(store);
        return code;
    }
    store->clock = next;
    store->fold.rows += rows;
    *ret_more = next.state == EG_CLOCK_DATING;
    if (!*ret_more)
        eg_redate_finish(store);
    if (store->wal_pages > EG_WAL_PAGES_MAX && eg_log_due(store))
        eg_log_write_back(store);
    eg_sql_figures(store);
    return EG_OK;
}
