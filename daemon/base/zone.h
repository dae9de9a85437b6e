/* Local hours and days of the configured time zone, over libc's TZ. One zone a process: eg_zone_use() sets TZ. */
#ifndef EG_ZONE_H
#define EG_ZONE_H
#include <stdbool.h>
#include <stdint.h>
bool eg_zone_exists(const char *name); /* in the zone database; changes nothing */
/* IANA name ("Asia/Shanghai", "UTC"); false (nothing changed) when the zone database has no such name or the name is no
 * plain relative path. */
bool eg_zone_use(const char *name);
/* Start and end (exclusive) of the local hour / day that holds `ms`. Days have 23 to 25 hours where clocks change. */
void eg_zone_hour(int64_t ms, int64_t *ret_start, int64_t *ret_end);
void eg_zone_day(int64_t ms, int64_t *ret_start, int64_t *ret_end);
void eg_zone_month(int64_t ms, int64_t *ret_start, int64_t *ret_end); /* whole local days */
void eg_zone_year(int64_t ms, int64_t *ret_start, int64_t *ret_end);
/* The local date that `ms` falls on, as days since 1970-01-01 (a Thursday). */
int32_t eg_zone_date(int64_t ms);
/* When the wall clock shows so many minutes after midnight on the local day that begins at `day_start`. */
int64_t eg_zone_at(int64_t day_start, int minutes);
/* "2026-11-23 15:00" local; gives `out` back. */
char *eg_zone_format(int64_t ms, char out[32]);
/* Minutes since local midnight by the clock on the wall; ret_weekday: 0 is Sunday. */
int eg_zone_minute(int64_t ms, int *ret_weekday);
#endif
