/* The local days of a site: those that the daemon has drawn, and, where something is told on a day without readings, days of 24 hours
 * between and behind them. Knows days through rollups.c; the database holds no time zone. Called by stations.c and landrows.c. */
#include <store/extension/localdays.h>

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define DAYS_MAX 200000

static int put(struct eg_localdays *days, int64_t start_ms, int64_t end_ms, struct eg_err *err)
{
    if (days->count >= DAYS_MAX)
        return eg_err_set(err, EG_EFULL, "it has more than %d days", DAYS_MAX);
    if (days->count == days->room) {
        size_t room = days->room ? days->room * 2 : 512;
        struct eg_localday *more = realloc(days->list, room * sizeof *more);
        if (!more)
            return eg_err_set(err, EG_ENOMEM, "no memory for its days");
        days->list = more;
        days->room = room;
    }
    days->list[days->count++] = (struct eg_localday){start_ms, end_ms};
    return EG_OK;
}

static int by_start(const void *left, const void *right)
{
    const struct eg_localday *a = left, *b = right;
    return (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms);
}

static void order(struct eg_localdays *days)
{
    size_t kept = 0;
    if (days->count)
        qsort(days->list, days->count, sizeof *days->list, by_start);
    for (size_t i = 0; i < days->count; i++)
        if (!kept || days->list[kept - 1].start_ms != days->list[i].start_ms)
            days->list[kept++] = days->list[i];
    days->count = kept;
}

int eg_localdays_take(struct eg_localdays *days, struct eg_rollups *rollups, struct eg_err *err)
{
    struct eg_rollup day;
    int code = EG_OK, step = 0;
    while (code == EG_OK && (step = eg_rollups_next(rollups, &day)) == 1)
        code = put(days, day.start_ms, day.end_ms, err);
    order(days); /* after each series: a site's days are no more than one series has */
    return code == EG_OK && step < 0 ? step : code;
}

/* None was drawn: as those of any other series begin, or at midnight, UTC. */
static int seed(struct eg_localdays *days, sqlite3 *db, bool folded, int64_t first_ms, struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int64_t shift_ms = 0;
    bool found = false;
    int code = sqlite3_prepare_v2(db, "SELECT id FROM main.series ORDER BY id LIMIT 1000", -1, &sql, NULL) ==
                       SQLITE_OK
                   ? EG_OK
                   : eg_sql_error(db, err, "reading the series");
    while (code == EG_OK && !found && sqlite3_step(sql) == SQLITE_ROW) {
        struct eg_rollups rollups;
        struct eg_rollup day;
        memset(&rollups, 0, sizeof rollups);
        code = eg_rollups_open(&rollups, db, (uint32_t)sqlite3_column_int64(sql, 0), EG_PERIOD_DAY, INT64_MIN,
                               INT64_MAX, folded, err);
        found = code == EG_OK && eg_rollups_next(&rollups, &day) == 1;
        if (found)
            shift_ms = day.start_ms % DAY_MS;
        eg_rollups_close(&rollups);
    }
    sqlite3_finalize(sql);
    int64_t start_ms = first_ms - (first_ms - shift_ms) % DAY_MS;
    return code == EG_OK ? put(days, start_ms, start_ms + DAY_MS, err) : code;
}

/* Between those that were drawn, and behind them up to now: days of 24 hours. */
int eg_localdays_fill(struct eg_localdays *days, sqlite3 *db, bool folded, int64_t first_ms, int64_t end_ms,
                      struct eg_err *err)
{
    int code = days->count ? EG_OK : seed(days, db, folded, first_ms, err);
    const size_t drawn = days->count;
    for (int64_t at = drawn ? days->list[0].start_ms : 0; drawn && code == EG_OK && at > first_ms;
         at -= DAY_MS)
        code = put(days, at - DAY_MS, at, err); /* before the first that was drawn */
    for (size_t i = 0; i < drawn && code == EG_OK; i++) {
        int64_t next_ms = i + 1 < drawn ? days->list[i + 1].start_ms : end_ms;
        for (int64_t at = days->list[i].end_ms; code == EG_OK && at + DAY_MS <= next_ms + HOUR_MS;
             at += DAY_MS) {
            int64_t behind_ms = i + 1 < drawn && next_ms - at - DAY_MS <= HOUR_MS ? next_ms : at + DAY_MS;
            if (behind_ms <= end_ms)
                code = put(days, at, behind_ms, err);
        }
    }
    if (days->count)
        qsort(days->list, days->count, sizeof *days->list, by_start);
    return code;
}

void eg_localdays_clear(struct eg_localdays *days)
{
    free(days->list);
    *days = (struct eg_localdays){0};
}
