/* What a query asks of ecogov_readings that need not be read at all. Private to the extension. */
#ifndef EG_PLAN_H
#define EG_PLAN_H
#include <store/inside.h>

enum {
    EG_COLUMN_TIME,
    EG_COLUMN_TIME_MS,
    EG_COLUMN_SITE, /* the first of five that are looked up as texts */
    EG_COLUMN_DOMAIN,
    EG_COLUMN_DEVICE,
    EG_COLUMN_QUANTITY,
    EG_COLUMN_CHANNEL,
    EG_COLUMN_VALUE,
    EG_COLUMN_UNIT,
    EG_COLUMN_FLAGS,
};
/* Of hours and days, behind EG_COLUMN_CHANNEL: end, count, mean, sum, min, max, first, last, first_at, last_at, unit. */
enum {
    EG_COLUMN_END = EG_COLUMN_CHANNEL + 1,
    EG_COLUMN_COUNT,
    EG_COLUMN_FIRST_AT = EG_COLUMN_COUNT + 7,
    EG_COLUMN_ROLLUP_UNIT = EG_COLUMN_FIRST_AT + 2,
};
#define EG_PLAN_TEXTS 5

struct eg_plan {
    int64_t from_ms, to_ms;              /* [from, to) */
    sqlite3_value *equal[EG_PLAN_TEXTS]; /* borrowed; NULL: any */
};
/* Is it one of ours, and no newer than we are? *ret_folded: of the sixth schema or later. */
int eg_plan_database(sqlite3 *db, bool *ret_folded, struct eg_err *err);
int eg_plan_version(sqlite3 *db); /* of its schema */
/* For xBestIndex. An SQLite code. */
int eg_plan_choose(sqlite3_index_info *info);
/* For xFilter: what eg_plan_choose() wrote, with the values. Never narrower than what was asked; SQLite looks at every row again. */
void eg_plan_read(const char *written, int count, sqlite3_value **values, struct eg_plan *ret);
#endif
