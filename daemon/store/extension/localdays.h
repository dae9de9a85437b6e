/* The local days of a site, in their order, each once. Private to the extension. */
#ifndef EG_LOCALDAYS_H
#define EG_LOCALDAYS_H
#include <store/inside.h>

struct eg_localday {
    int64_t start_ms, end_ms;
};
struct eg_localdays { /* zeroed */
    struct eg_localday *list;
    size_t count, room;
};
/* Those the daemon has drawn for a series. `rollups`: open on its days. */
int eg_localdays_take(struct eg_localdays *days, struct eg_rollups *rollups, struct eg_err *err);
/* When all are in: so that every moment of [first_ms, end_ms) but the last day's has one. */
int eg_localdays_fill(struct eg_localdays *days, sqlite3 *db, bool folded, int64_t first_ms, int64_t end_ms,
                      struct eg_err *err);
void eg_localdays_clear(struct eg_localdays *days);

#endif
