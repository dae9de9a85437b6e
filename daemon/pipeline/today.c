/* Knows the closed hours of a series' open day by their means. Refuses to know the open hour until it is asked: that is the series'.
 * Called by series.c, as hours close, as late readings and corrections change them, and as a start reads them again; asked by whoever
 * looks at a series. */
#include <pipeline/today.h>
#include <base/zone.h>
#include <pipeline/state.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define QUARTER_MS                                                                                           \
    (HOUR_MS /                                                                                               \
     4) /* where clocks change within an hour its parts are hours of their own: no zone has shorter ones */
#define HOURS_MOST 26 /* Troll, in Antarctica, sets its clocks back by two */

struct eg_today {
    int64_t day_ms; /* when the day began */
    bool lost,
        filling; /* an hour is not as it was; at a start: the last of them is a sum yet, of `filled` readings */
    uint8_t count;
    uint8_t at[HOURS_MOST]; /* when they began, in quarters of an hour since the day did; ascending */
    uint32_t filled;
    double mean[HOURS_MOST];
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
    if (today->count == HOURS_MOST) {
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

/* --- at a start --- */

static void end_filling(struct eg_today *today)
{
    if (today->filling)
        today->mean[today->count - 1] /= today->filled;
    today->filling = false;
}

/* A day of whole hours has them all on the hour since it began: of the time zone, which is slow, nothing is asked. */
static int64_t hour_of(const struct eg_rollup *day, int64_t time_ms)
{
    int64_t start_ms, end_ms;
    if ((day->end_ms - day->start_ms) % HOUR_MS == 0)
        return time_ms - (time_ms - day->start_ms) % HOUR_MS;
    eg_zone_hour(time_ms, &start_ms, &end_ms);
    return start_ms;
}

void eg_today_refill(struct eg_series *series, int64_t time_ms, double value, bool aside)
{
    const struct eg_rollup *day = &series->open[EG_PERIOD_DAY];
    uint8_t at;
    if (time_ms < day->start_ms)
        return;
    if (time_ms >= series->open[EG_PERIOD_HOUR].start_ms) {
        if (series->today)
            end_filling(series->today);
        return;
    }
    struct eg_today *today = aside ? NULL : today_at(series, hour_of(day, time_ms), &at);
    if (!today)
        return;
    if (today->filling && today->at[today->count - 1] == at) {
        double *sum = &today->mean[today->count - 1];
        *sum = eg_rollup_plus(*sum, value, series->scale);
        today->filled++;
        return;
    }
    end_filling(today);
    if (!insert_at(today, today->count, at))
        return;
    today->mean[today->count - 1] = value;
    today->filled = 1;
    today->filling = true;
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
