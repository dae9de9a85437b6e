/* The hours of a site's bins and plots, and what is made of them. Private to the extension. */
#ifndef EG_LANDROWS_H
#define EG_LANDROWS_H
#include <index/land.h>
#include <store/extension/localdays.h>
#include <store/inside.h>

struct eg_landhour { /* with readings */
    int64_t number;  /* since the epoch */
    double highest, last;
};
struct eg_landseries {
    uint32_t device;
    int part;
    enum eg_land land;
    int64_t until; /* the hour from which on its device is out of service; INT64_MAX */
    char *name;    /* Owned */
    struct eg_landhour *hours;
    size_t count, room;
};
struct eg_landrows { /* zeroed but for the first lines */
    sqlite3 *db;
    int64_t from_ms, to_ms;
    bool folded;
    const struct eg_aged *tail; /* the journal's readings, by series; the caller's */
    size_t tail_count;
    int64_t now_ms;   /* the newest turn: of what came after it nothing is known */
    int64_t shift_ms; /* of an hour's start against the epoch's hours */
    struct eg_landseries *series;
    size_t count, room;
    struct eg_localdays days;
    int64_t first, end; /* hours since the epoch that are told */
    double *values;
    struct eg_column *columns;
};
int eg_landrows_begin(struct eg_landrows *rows, struct eg_err *err); /* a query */
int eg_landrows_add(struct eg_landrows *rows, uint32_t series, uint32_t device, const char *name, int part,
                    enum eg_land land, int64_t until, struct eg_err *err);
int eg_landrows_fill(struct eg_landrows *rows, struct eg_err *err); /* when all of the site are in */
bool eg_landrows_hour(const struct eg_landrows *rows, enum eg_land_index index, size_t hour,
                      struct eg_land_state *ret);
bool eg_landrows_day(const struct eg_landrows *rows, enum eg_land_index index, size_t day,
                     struct eg_land_state *ret);
void eg_landrows_clear(struct eg_landrows *rows); /* for the next site */

#endif
