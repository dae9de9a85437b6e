/* ecogov_readings, ecogov_hours, ecogov_days: all readings, closed hours and days of an ecogov database as read-only tables, for whoever
 * loads this library into a program with an SQLite of its own. Knows the journal and the chunks through stream.c and rollups.c; refuses to
 * know a daemon, which may run beside it. Called by SQLite.
 *
 * A query holds the series' statement open from the first row to the last, so that all it reads is of one moment. It keeps the
 * journal's readings and one chunk in memory, however long the history is. */
#include <store/extension/indices.h>
#include <store/extension/plan.h>
#include <store/extension/vtab.h>
#include <ecogov/quantity.h>
#include <ecogov/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_TIME_MS INT64_C(253402300799999) /* of the year 9999 */

const sqlite3_api_routines *sqlite3_api;

struct table {
    struct eg_vtab head;
    bool rolled_up;
    enum eg_period period;
};
struct cursor {
    struct eg_vtab_cursor head;
    sqlite3_stmt *series; /* id, site, domain, device, quantity, channel */
    int64_t from_ms, to_ms;
    struct eg_aged *tail;
    size_t tail_count, tail_at;
    struct eg_stream stream;
    struct eg_rollups rollups;
    struct eg_rollups hours; /* of the days, for their means: from where somebody asked for one */
    struct eg_rollup hour;   /* the next of them, while `hour_there` */
    double day_mean;         /* of the row, while `day_mean_there` */
    bool hours_open, hour_there, day_mean_there;
    struct eg_point point;   /* the row, of readings */
    struct eg_rollup rollup; /* of hours and days */
    int quantity;            /* of the series; EG_QUANTITY_NONE: one we do not know */
    bool open, folded;       /* folded: the sixth schema or later */
};

/* --- a query's life --- */

static void forget(struct cursor *cursor)
{
    eg_stream_close(&cursor->stream);
    eg_rollups_close(&cursor->rollups);
    eg_rollups_close(&cursor->hours);
    sqlite3_finalize(cursor->series);
    free(cursor->tail);
    cursor->series = NULL;
    cursor->tail = NULL;
    cursor->tail_count = cursor->tail_at = 0;
    cursor->open = cursor->hours_open = false;
    cursor->head.end = true;
}

static int open_series(struct cursor *cursor, const struct eg_plan *plan)
{
    static const char query[] =
        "SELECT s.id, d.site, d.domain, d.device, s.quantity, s.channel FROM main.series s"
        " JOIN main.device d ON d.id=s.device WHERE (?1 IS NULL OR d.site=?1) AND (?2 IS NULL OR d.domain=?2)"
        " AND (?3 IS NULL OR d.device=?3) AND (?4 IS NULL OR s.quantity=?4) AND (?5 IS NULL OR s.channel=?5)"
        " ORDER BY s.id";
    sqlite3 *db = ((struct eg_vtab *)cursor->head.base.pVtab)->db;
    int code = eg_plan_database(db, &cursor->folded, &cursor->head.err);
    if (code != EG_OK)
        return code;
    if (sqlite3_prepare_v2(db, query, -1, &cursor->series, NULL) != SQLITE_OK)
        return eg_sql_error(db, &cursor->head.err, "reading the series");
    for (int i = 0; i < EG_PLAN_TEXTS; i++)
        if (plan->equal[i])
            sqlite3_bind_text(cursor->series, i + 1, (const char *)sqlite3_value_text(plan->equal[i]),
                              sqlite3_value_bytes(plan->equal[i]), SQLITE_TRANSIENT);
    return EG_OK;
}

/* The tail is sorted by series, and so are they. */
static int open_stream(struct cursor *cursor, uint32_t series)
{
    while (cursor->tail_at < cursor->tail_count && cursor->tail[cursor->tail_at].series < series)
        cursor->tail_at++;
    size_t from = cursor->tail_at;
    while (cursor->tail_at < cursor->tail_count && cursor->tail[cursor->tail_at].series == series)
        cursor->tail_at++;
    const char *name = (const char *)sqlite3_column_text(cursor->series, 4);
    cursor->quantity = name ? eg_quantity_find(name, strlen(name)) : EG_QUANTITY_NONE;
    cursor->hours_open = false;
    const struct table *table = (const struct table *)cursor->head.base.pVtab;
    if (table->rolled_up) {
        int opened = eg_rollups_open(&cursor->rollups, table->head.db, series, table->period, cursor->from_ms,
                                     cursor->to_ms, cursor->folded, &cursor->head.err);
        cursor->open = opened == EG_OK;
        return opened;
    }
    int code = eg_stream_open(&cursor->stream, sqlite3_db_handle(cursor->series), series, cursor->from_ms,
                              cursor->to_ms, cursor->tail ? cursor->tail + from : NULL,
                              cursor->tail_at - from, &cursor->head.err);
    cursor->open = code == EG_OK;
    return code;
}

static int fail_at_series(struct cursor *cursor)
{
    char where[256];
    sqlite3_snprintf(sizeof where, where, "series %lld (%s/%s/%s %s)",
                     sqlite3_column_int64(cursor->series, 0), sqlite3_column_text(cursor->series, 1),
                     sqlite3_column_text(cursor->series, 2), sqlite3_column_text(cursor->series, 3),
                     sqlite3_column_text(cursor->series, 4));
    int code = eg_vtab_fail(&cursor->head, where);
    forget(cursor);
    return code;
}

static int next_row(struct cursor *cursor)
{
    cursor->day_mean_there = false;
    if (!cursor->open)
        return 0;
    return ((struct table *)cursor->head.base.pVtab)->rolled_up
               ? eg_rollups_next(&cursor->rollups, &cursor->rollup)
               : eg_stream_next(&cursor->stream, &cursor->point);
}

static int advance(struct cursor *cursor)
{
    const bool rolled_up = ((struct table *)cursor->head.base.pVtab)->rolled_up;
    for (;;) {
        int step = next_row(cursor);
        if (step < 0)
            return fail_at_series(cursor);
        if (step) {
            cursor->head.row++;
            return SQLITE_OK;
        }
        cursor->open = false;
        int code = sqlite3_step(cursor->series);
        if (code == SQLITE_DONE) {
            forget(cursor); /* lets the moment go: the daemon may want to clean up behind it */
            return SQLITE_OK;
        }
        if (code != SQLITE_ROW) {
            eg_sql_error(sqlite3_db_handle(cursor->series), &cursor->head.err, "reading the series");
            return eg_vtab_fail(&cursor->head, NULL);
        }
        sqlite3_int64 id = sqlite3_column_int64(cursor->series, 0);
        if (id < 1 || id > UINT32_MAX) {
            eg_err_set(&cursor->head.err, EG_ECORRUPT, "no series has such a number");
            return fail_at_series(cursor);
        }
        /* Behind the first step: it is of the same moment then. */
        if (!rolled_up && !cursor->tail &&
            eg_stream_tail(sqlite3_db_handle(cursor->series), 0, &cursor->tail, &cursor->tail_count,
                           &cursor->head.err) != EG_OK) {
            code = eg_vtab_fail(&cursor->head, NULL);
            forget(cursor);
            return code;
        }
        if (open_stream(cursor, (uint32_t)id) != EG_OK)
            return fail_at_series(cursor);
    }
}

/* --- what SQLite calls --- */

static const char hour[] = "hour", day[] = "day"; /* what a table is of */

static int x_connect(sqlite3 *db, void *user, int count, const char *const *words, sqlite3_vtab **ret,
                     char **ret_error)
{
    (void)count, (void)words, (void)ret_error;
    const char *period = user; /* NULL: readings */
    int code = eg_vtab_connect(
        db,
        period ? "CREATE TABLE x(start TEXT, start_ms INTEGER, site TEXT, domain TEXT, device TEXT, "
                 "quantity TEXT, channel TEXT,"
                 " \"end\" TEXT, count INTEGER, mean REAL, sum REAL, min REAL, max REAL, first REAL, "
                 "last REAL, first_at TEXT,"
                 " last_at TEXT, unit TEXT)"
               : "CREATE TABLE x(time TEXT, time_ms INTEGER, site TEXT, domain TEXT, device TEXT,"
                 " quantity TEXT, channel TEXT, value REAL, unit TEXT, flags TEXT)",
        sizeof(struct table), ret);
    if (code != SQLITE_OK)
        return code;
    struct table *table = (struct table *)*ret;
    table->rolled_up = period != NULL;
    table->period = period == day ? EG_PERIOD_DAY : EG_PERIOD_HOUR;
    return SQLITE_OK;
}

static int x_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
    (void)base;
    return eg_vtab_open(sizeof(struct cursor), ret);
}

static int x_close(sqlite3_vtab_cursor *base)
{
    forget((struct cursor *)base);
    sqlite3_free(base);
    return SQLITE_OK;
}

static int x_filter(sqlite3_vtab_cursor *base, int number, const char *written, int count,
                    sqlite3_value **values)
{
    struct cursor *cursor = (struct cursor *)base;
    struct eg_plan plan;
    (void)number;
    forget(cursor);
    eg_plan_read(written, count, values, &plan);
    cursor->from_ms = plan.from_ms;
    cursor->to_ms = plan.to_ms;
    cursor->head.row = 0;
    cursor->head.end = false;
    if (plan.from_ms >= plan.to_ms) {
        cursor->head.end = true;
        return SQLITE_OK;
    }
    return open_series(cursor, &plan) == EG_OK ? advance(cursor) : eg_vtab_fail(&cursor->head, NULL);
}

static int x_next(sqlite3_vtab_cursor *base)
{
    return advance((struct cursor *)base);
}

static void put_flags(sqlite3_context *context, unsigned flags)
{
    char text[128];
    int length = 0;
    for (int bit = 0; bit < EG_FLAG_COUNT; bit++)
        if (flags >> bit & 1)
            length += snprintf(text + length, sizeof text - (size_t)length, "%s%s", length ? "|" : "",
                               eg_flag_name(bit));
    sqlite3_result_text(context, text, length, SQLITE_TRANSIENT);
}

static void put_time(sqlite3_context *context, int64_t time_ms)
{
    char text[EG_TIME_TEXT];
    if (time_ms >= 0 && time_ms <= LAST_TIME_MS)
        sqlite3_result_text(context, eg_time_format(time_ms, text), -1, SQLITE_TRANSIENT);
}

static void put_unit(sqlite3_context *context, const struct cursor *cursor)
{
    if (cursor->quantity != EG_QUANTITY_NONE)
        sqlite3_result_text(context, eg_quantity_info(cursor->quantity)->unit, -1, SQLITE_STATIC);
}

/* The hours are read along with the days, ascending like them. */
static int add_hours(struct cursor *cursor, struct eg_daymean *mean)
{
    const struct eg_rollup *row = &cursor->rollup;
    int step = 0;
    if (!cursor->hours_open) {
        int code = eg_rollups_open(&cursor->hours, ((struct eg_vtab *)cursor->head.base.pVtab)->db,
                                   (uint32_t)sqlite3_column_int64(cursor->series, 0), EG_PERIOD_HOUR,
                                   row->start_ms, INT64_MAX, cursor->folded, &cursor->head.err);
        if (code != EG_OK)
            return code;
        cursor->hours_open = true;
        cursor->hour_there = false;
    }
    while (cursor->hour_there || (step = eg_rollups_next(&cursor->hours, &cursor->hour)) == 1) {
        cursor->hour_there = cursor->hour.start_ms >= row->end_ms;
        if (cursor->hour_there)
            return EG_OK;
        if (cursor->hour.start_ms >= row->start_ms)
            eg_daymean_add(mean, &cursor->hour);
    }
    return step;
}

/* Null: of the mean of directions a sum knows nothing. */
static void put_mean(sqlite3_context *context, struct cursor *cursor)
{
    const struct eg_rollup *row = &cursor->rollup;
    const bool of_day = ((struct table *)cursor->head.base.pVtab)->period == EG_PERIOD_DAY;
    struct eg_daymean mean = {0};
    if (cursor->quantity != EG_QUANTITY_NONE && eg_quantity_direction(cursor->quantity)) {
        sqlite3_result_null(context);
        return;
    }
    if (of_day && !cursor->day_mean_there) {
        if (add_hours(cursor, &mean) < 0) {
            sqlite3_result_error(context, cursor->head.err.text, -1);
            return;
        }
        cursor->day_mean = eg_daymean_of(&mean, row->sum, row->count);
        cursor->day_mean_there = true;
    }
    sqlite3_result_double(context, of_day ? cursor->day_mean : row->sum / (double)row->count);
}

/* The columns behind those that say whose it is. */
static void put_rollup(sqlite3_context *context, struct cursor *cursor, int column)
{
    const struct eg_rollup *row = &cursor->rollup;
    const double values[] = {row->sum, row->min, row->max, row->first, row->last};
    if (column == EG_COLUMN_END)
        put_time(context, row->end_ms);
    else if (column == EG_COLUMN_COUNT)
        sqlite3_result_int64(context, (int64_t)row->count);
    else if (column == EG_COLUMN_COUNT + 1)
        put_mean(context, cursor);
    else if (column < EG_COLUMN_FIRST_AT)
        sqlite3_result_double(context, values[column - EG_COLUMN_COUNT - 2]);
    else if (column < EG_COLUMN_ROLLUP_UNIT)
        put_time(context, column == EG_COLUMN_FIRST_AT ? row->first_ms : row->last_ms);
    else
        put_unit(context, cursor);
}

static int x_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    struct cursor *cursor = (struct cursor *)base;
    const bool rolled_up = ((struct table *)base->pVtab)->rolled_up;
    const int64_t time_ms = rolled_up ? cursor->rollup.start_ms : cursor->point.time_ms;
    if (rolled_up && column > EG_COLUMN_CHANNEL) {
        put_rollup(context, cursor, column);
        return SQLITE_OK;
    }
    switch (column) {
    case EG_COLUMN_TIME:
        put_time(context, time_ms);
        break;
    case EG_COLUMN_TIME_MS:
        sqlite3_result_int64(context, time_ms);
        break;
    case EG_COLUMN_VALUE:
        sqlite3_result_double(context, cursor->point.value);
        break;
    case EG_COLUMN_UNIT:
        put_unit(context, cursor);
        break;
    case EG_COLUMN_FLAGS:
        put_flags(context, cursor->point.flags);
        break;
    default: /* site to channel */
        sqlite3_result_value(context, sqlite3_column_value(cursor->series, column - EG_COLUMN_SITE + 1));
        break;
    }
    return SQLITE_OK;
}

/* No xCreate: eponymous only. No xUpdate: read only. */
static const sqlite3_module module = {.iVersion = 0,
                                      .xConnect = x_connect,
                                      .xBestIndex = eg_vtab_best_index,
                                      .xDisconnect = eg_vtab_disconnect,
                                      .xOpen = x_open,
                                      .xClose = x_close,
                                      .xFilter = x_filter,
                                      .xNext = x_next,
                                      .xEof = eg_vtab_eof,
                                      .xColumn = x_column,
                                      .xRowid = eg_vtab_rowid};

/* The name follows from the file's: ecogov.so. */
__attribute__((visibility("default"))) int sqlite3_ecogov_init(sqlite3 *db, char **ret_error,
                                                               const sqlite3_api_routines *routines);
int sqlite3_ecogov_init(sqlite3 *db, char **ret_error, const sqlite3_api_routines *routines)
{
    (void)ret_error;
    sqlite3_api = routines;
    int code = sqlite3_create_module_v2(db, "ecogov_readings", &module, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_create_module_v2(db, "ecogov_hours", &module, (void *)(uintptr_t)hour, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_create_module_v2(db, "ecogov_days", &module, (void *)(uintptr_t)day, NULL);
    return code == SQLITE_OK ? sqlite3_create_module_v2(db, "ecogov_indices", &eg_indices_module, NULL, NULL)
                             : code;
}
