/* The hours of a site's stations, and what is made of them. Private to the extension. */
#ifndef EG_STATIONS_H
#define EG_STATIONS_H
#include <store/extension/localdays.h>
#include <store/inside.h>
#include <index/hours.h>

struct eg_stations { /* zeroed but for the first line */
    sqlite3 *db;
    int64_t from_ms, to_ms;
    bool folded, only_hours;
    const struct eg_aged *tail; /* the journal's readings, by series; the caller's */
    size_t tail_count;
    int64_t now_ms; /* the newest turn: what is not over by then is not told */
    struct eg_rollups rollups;
    struct eg_air_mean *means;  /* [pollutant * hours + hour] */
    int64_t first_ms, shift_ms; /* shift: of an hour's start against the epoch's hours */
    size_t hours;
    struct eg_localdays days;
};
int eg_stations_add(struct eg_stations *stations, uint32_t series, const char *quantity, struct eg_err *err);
int eg_stations_fill(struct eg_stations *stations, struct eg_err *err); /* when all of the site are in */
void eg_stations_hour(const struct eg_stations *stations, size_t hour, bool american, struct eg_aqi *ret_aqi);
void eg_stations_day(const struct eg_stations *stations, size_t day, struct eg_aqi *ret_aqi);
void eg_stations_clear(struct eg_stations *stations); /* for the next site */
void eg_stations_close(struct eg_stations *stations);

#endif
