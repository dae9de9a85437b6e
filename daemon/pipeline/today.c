/* Knows the closed hours of a series' open day by their means, and by hours.c how much of them is known. Refuses to know the open hour
 * until it is asked: that is the series'. Called by series.c, as hours close, as late readings and corrections change them; by hours.c,
 * as a start reads them again; asked by whoever looks at a series. */
#include <pipeline/today.h>
#include <pipeline/hours.h>
#include <pipeline/rollup.h>
#include <pipeline/state.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QUARTER_MS                                                                                           \
    (EG_HOUR_MS /                                                                                            \
     4) /* where clocks change within an hour its parts are hours of their own: no zone has shorter ones */
#define MINUTE_MS INT64_C(60000)

struct eg_today {
    int64_t day_ms; /* when the day began */
    bool lost;      /* an hour is not as it was */
    uint8_t count;
    uint8_t at[EG_HOURS_A_DAY]; /* when they began, in quarters of an hour since the day did; ascending */
    double mean[EG_HOURS_A_DAY];
};

/* NULL: `start_ms` is not of the open day, or there is no memory. */
static struct eg_today *today_at(struct eg_series *series, int64_t start_ms, uint8_t *ret_at)
{
    const struct eg_rollup *day = &series->open[EG_PERIOD_DAY];
    if (start_ms < day->start_ms || start_ms >= day->end_ms ||
        (start_ms - day->start_ms) / QUARTER_MS > UINT8_MAX)
        return NULL;
    if (!series->today)
        series->today = calloc(1, sizeof *series->today);
    if (series->today && series->today->day_ms != day->start_ms)
        *series->today = (struct eg_today){.day_ms = day->start_ms};
    *ret_at = (uint8_t)((start_ms - day->start_ms) / QUARTER_MS);
    return series->today;
}

static void remove_at(struct eg_today *today, size_t place)
{
    today->count--;
    memmove(today->at + place, today->at + place + 1, today->count - place);
    memmove(today->mean + place, today->mean + place + 1, (today->count - place) * sizeof *today->mean);
}

/* Room for one before `place`. */
static bool insert_at(struct eg_today *today, size_t place, uint8_t at)
{
    if (today->count == EG_HOURS_A_DAY) {
        today->lost = true;
        return false;
    }
    memmove(today->at + place + 1, today->at + place, today->count - place);
    memmove(today->mean + place + 1, today->mean + place, (today->count - place) * sizeof *today->mean);
    today->at[place] = at;
    today->count++;
    return true;
}

void eg_today_put(struct eg_series *series, const struct eg_rollup *hour)
{
    uint8_t at;
    struct eg_today *today = today_at(series, hour->start_ms, &at);
    if (!today)
        return;
    size_t place = today->count;
    while (place && today->at[place - 1] >= at)
        place--;
    const bool there = place < today->count && today->at[place] == at;
    if (!hour->count) {
        if (there)
            remove_at(today, place);
        return;
    }
    if (there || insert_at(today, place, at))
        today->mean[place] = hour->sum / (double)hour->count;
}

void eg_today_miss(struct eg_series *series, int64_t time_ms)
{
    uint8_t at;
    struct eg_today *today = today_at(series, time_ms, &at);
    if (today)
        today->lost = true;
}

/* --- asking --- */

double eg_today_mean(const struct eg_series *series)
{
    const struct eg_rollup *day = &series->open[EG_PERIOD_DAY], *open = &series->open[EG_PERIOD_HOUR];
    const struct eg_today *today =
        series->today && series->today->day_ms == day->start_ms ? series->today : NULL;
    struct eg_daymean mean = {0};
    if (!day->count)
        return NAN;
    if (today ? today->lost : open->count != day->count)
        return day->sum / (double)day->count; /* short of memory */
    for (size_t i = 0; today && i < today->count; i++) {
        mean.means += today->mean[i];
        mean.hours++;
    }
    if (open->start_ms >= day->start_ms)
        eg_daymean_add(&mean, open);
    return mean.means / mean.hours;
}

/* The hour as its minutes tell it. */
static struct eg_rollup hour_at(const struct eg_series *series, const struct eg_today *today, size_t place)
{
    struct eg_rollup hour = {.start_ms = today->day_ms + today->at[place] * QUARTER_MS, .count = 1};
    hour.slots[0] = eg_hours_minutes(series, hour.start_ms);
    hour.end_ms = hour.start_ms + EG_HOUR_MS;
    hour.first_ms = hour.start_ms + (hour.slots[0] ? __builtin_ctzll(hour.slots[0]) : 0) * MINUTE_MS;
    return hour;
}

void eg_today_known(const struct eg_series *series, const struct eg_conf_validity *validity,
                    struct eg_dayknown *ret)
{
    const struct eg_rollup *day = &series->open[EG_PERIOD_DAY];
    const struct eg_today *today = series->today;
    int64_t intervals[EG_HOURS_A_DAY];
    *ret = (struct eg_dayknown){0};
    if (!today || today->day_ms != day->start_ms)
        return;
    eg_hours_intervals(series, day->start_ms, EG_HOURS_A_DAY, intervals);
    for (size_t i = 0; i < today->count; i++) {
        const struct eg_rollup hour = hour_at(series, today, i);
        const int64_t after = hour.start_ms / EG_HOUR_MS - day->start_ms / EG_HOUR_MS;
        if (after < EG_HOURS_A_DAY)
            eg_dayknown_add(ret, &hour, intervals[after], hour.end_ms, validity);
    }
}
