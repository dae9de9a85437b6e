/* Statistics over a span (tally.h). Knows numbers, times and where local hours and days begin. Called by the API. */
#include <pipeline/tally.h>
#include <pipeline/rollup.h>
#include <base/zone.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define RADIANS 0.017453292519943295
#define EIGHT 8
#define MONTHS 12
#define FEBRUARY_MS (INT64_C(59) * 12 * HOUR_MS) /* shorter than any other month by a day and more */

void eg_tally_begin(struct eg_tally *tally, enum eg_calendar calendar, int64_t from_ms, int64_t to_ms,
                    double above, double scale, const struct eg_conf_validity *validity)
{
    const struct eg_pace pace = tally->pace;
    struct eg_sketch kept = tally->sketch;
    double *values = tally->values;
    size_t capacity = tally->capacity;
    *tally = (struct eg_tally){.from_ms = from_ms,
                               .to_ms = to_ms,
                               .calendar = calendar,
                               .above = above,
                               .scale = scale,
                               .validity = validity,
                               .pace = pace};
    tally->values = values;
    tally->capacity = capacity;
    tally->sketch = kept;
    eg_sketch_clear(&tally->sketch);
}

void eg_tally_hour(struct eg_tally *tally, const struct eg_rollup *hour)
{
    eg_pace_hour(&tally->pace, hour);
}

void eg_tally_finish(struct eg_tally *tally)
{
    eg_sketch_finish(&tally->sketch);
    free(tally->values);
}

/* --- hours and days --- */

static void push_hour(struct eg_tally *tally, double mean)
{
    double sum = 0;
    unsigned valid = 0;
    memmove(tally->hours, tally->hours + 1, (EIGHT - 1) * sizeof *tally->hours);
    tally->hours[EIGHT - 1] = mean;
    if (++tally->hours_in < EIGHT)
        return;
    for (int i = 0; i < EIGHT; i++)
        if (!isnan(tally->hours[i])) {
            sum += tally->hours[i];
            valid++;
        }
    if (valid < tally->validity->eight_hours)
        return;
    if (!tally->running++ || sum / valid > tally->running_most)
        tally->running_most = sum / valid;
}

static void close_day(struct eg_tally *tally)
{
    bool valid = tally->valid_hours >= tally->validity->day_hours;
    if (tally->day_hours) {
        tally->day_mean = tally->day_sum / tally->day_hours;
        tally->days_sum += tally->day_mean;
        tally->days++;
    }
    tally->valid_days += valid;
    tally->month_days += valid;
    tally->valid_hours = 0;
    tally->day_sum = 0;
    tally->day_hours = 0;
}

static void close_month(struct eg_tally *tally)
{
    bool february = tally->month_end_ms - tally->month_start_ms < FEBRUARY_MS;
    tally->valid_months +=
        tally->month_days >= (february ? tally->validity->february_days : tally->validity->month_days);
    tally->month_days = 0;
}

/* An hour that is not over at `until` counts in means, and for nothing else until it is valid. */
static void close_hour(struct eg_tally *tally, int64_t until_ms)
{
    struct eg_tally_hour *hour = &tally->hour;
    const struct eg_rollup *rollup = &hour->rollup;
    const int64_t interval_ms = eg_pace_hour(&tally->pace, rollup),
                  end_ms = until_ms < tally->to_ms ? until_ms : tally->to_ms;
    if (!hour->count)
        return;
    int64_t observed_ms = eg_rollup_observed(rollup, EG_PERIOD_HOUR, interval_ms, end_ms);
    if (rollup->start_ms < tally->from_ms)
        observed_ms -= eg_rollup_observed(rollup, EG_PERIOD_HOUR, interval_ms, tally->from_ms);
    const bool valid = observed_ms >= tally->validity->hour_ms, over = rollup->end_ms <= until_ms || valid;
    tally->observed_ms += observed_ms;
    tally->above_ms += (double)hour->above / (double)hour->count * (double)observed_ms;
    if (rollup->start_ms >= tally->day_end_ms) {
        int64_t start;
        close_day(tally);
        eg_zone_day(rollup->start_ms, &start, &tally->day_end_ms);
        if (start >= tally->month_end_ms) {
            close_month(tally);
            eg_zone_month(start, &tally->month_start_ms, &tally->month_end_ms);
        }
    }
    tally->valid_hours += valid;
    tally->day_sum += hour->sum / (double)hour->count;
    tally->day_hours++;
    if (over)
        push_hour(tally, valid ? hour->sum / (double)hour->count : NAN);
}

static void open_hour(struct eg_tally *tally, int64_t ms)
{
    int64_t before_end = tally->hour.rollup.end_ms ? tally->hour.rollup.end_ms : tally->from_ms;
    tally->hour = (struct eg_tally_hour){0};
    eg_rollup_start(&tally->hour.rollup, EG_PERIOD_HOUR, ms);
    int64_t missing = (tally->hour.rollup.start_ms - before_end) / HOUR_MS;
    for (int64_t i = 0; i < missing && i < EIGHT * 2; i++)
        push_hour(tally, NAN);
}

/* --- values --- */

static void keep_value(struct eg_tally *tally, double value)
{
    if (!tally->sketched && tally->count <= EG_TALLY_EXACT) {
        if (tally->count > tally->capacity) {
            size_t more = tally->capacity ? tally->capacity * 2 : 1024;
            double *values = realloc(tally->values, more * sizeof *values);
            if (!values) {
                tally->failed = true;
                return;
            }
            tally->values = values;
            tally->capacity = more;
        }
        tally->values[tally->count - 1] = value;
        return;
    }
    for (size_t i = 0; !tally->sketched && i < EG_TALLY_EXACT; i++)
        tally->failed = !eg_sketch_add(&tally->sketch, tally->values[i]) || tally->failed;
    tally->sketched = true;
    tally->failed = !eg_sketch_add(&tally->sketch, value) || tally->failed;
}

/* Neumaier: what a sum of many loses is kept beside it. */
static void add_to_sum(struct eg_tally *tally, double value)
{
    double sum = tally->sum + value;
    tally->sum_lost +=
        fabs(tally->sum) >= fabs(value) ? (tally->sum - sum) + value : (value - sum) + tally->sum;
    tally->sum = sum;
}

void eg_tally_add(struct eg_tally *tally, int64_t ms, double value)
{
    if (ms >= tally->hour.rollup.end_ms) {
        close_hour(tally, INT64_MAX);
        open_hour(tally, ms);
    }
    eg_rollup_add(&tally->hour.rollup, EG_PERIOD_HOUR, tally->scale, ms, value);
    if (ms < tally->from_ms)
        return;
    tally->hour.sum = tally->hour.count ? eg_rollup_plus(tally->hour.sum, value, tally->scale) : value;
    tally->hour.count++;
    if (!tally->count || value < tally->min)
        tally->min = value;
    if (!tally->count || value > tally->max)
        tally->max = value;
    if (!tally->count++) {
        tally->first_ms = ms;
        tally->first = value;
    }
    tally->last_ms = ms;
    tally->last = value;
    double off = value - tally->mean;
    tally->mean += off / (double)tally->count;
    tally->apart += off * (value - tally->mean);
    tally->hour.above += value > tally->above;
    tally->east += sin(value * RADIANS);
    tally->north += cos(value * RADIANS);
    add_to_sum(tally, value);
    keep_value(tally, value);
}

void eg_tally_end(struct eg_tally *tally, int64_t now_ms)
{
    if (!tally->count)
        return;
    close_hour(tally, now_ms);
    tally->day_valid = tally->valid_hours >= tally->validity->day_hours;
    close_day(tally);
    close_month(tally);
}

double eg_tally_completeness(const struct eg_tally *tally, int64_t now_ms)
{
    int64_t to_ms = now_ms < tally->to_ms ? now_ms : tally->to_ms;
    if (to_ms <= tally->from_ms)
        return 0;
    double share = (double)tally->observed_ms / (double)(to_ms - tally->from_ms);
    return share > 1 ? 1 : share;
}

bool eg_tally_valid(const struct eg_tally *tally)
{
    int64_t span = tally->to_ms - tally->from_ms;
    switch (tally->calendar) {
    case EG_CALENDAR_HOUR:
        return tally->observed_ms >= tally->validity->hour_ms;
    case EG_CALENDAR_DAY:
        return tally->day_valid;
    case EG_CALENDAR_MONTH:
        return tally->valid_months == 1;
    case EG_CALENDAR_YEAR:
        return tally->valid_months == MONTHS && tally->valid_days >= tally->validity->year_days;
    default:
        return (double)tally->observed_ms >= 0.75 * (double)span;
    }
}

static bool quantile(struct eg_tally *tally, double share, double *ret)
{
    if (tally->failed)
        return false;
    if (!tally->sketched) {
        *ret = eg_sketch_exact(tally->values, tally->count, share);
        return true;
    }
    *ret = eg_sketch_quantile(&tally->sketch, NULL, share);
    *ret = *ret < tally->min ? tally->min : *ret > tally->max ? tally->max : *ret;
    return true;
}

/* Of all hours that hold a reading: which of them are valid hangs on what is known of the device. */
static double mean(const struct eg_tally *tally, double of_readings)
{
    if (tally->calendar == EG_CALENDAR_DAY && tally->days)
        return tally->day_mean;
    const bool months = tally->calendar == EG_CALENDAR_MONTH || tally->calendar == EG_CALENDAR_YEAR;
    return months && tally->days ? tally->days_sum / tally->days : of_readings;
}

bool eg_tally_value(struct eg_tally *tally, enum eg_statistic statistic, double share, double *ret)
{
    const double count = (double)tally->count, sum = tally->sum + tally->sum_lost;
    if (statistic == EG_STAT_READINGS) {
        *ret = count;
        return true;
    }
    if (!tally->count)
        return false;
    switch (statistic) {
    case EG_STAT_LAST:
        *ret = tally->last;
        return true;
    case EG_STAT_MEAN:
        *ret = mean(tally, sum / count);
        return true;
    case EG_STAT_MIN:
        *ret = tally->min;
        return true;
    case EG_STAT_MAX:
        *ret = tally->max;
        return true;
    case EG_STAT_SUM:
        *ret = sum;
        return true;
    case EG_STAT_RATE:
        *ret = tally->last_ms > tally->first_ms
                   ? (tally->last - tally->first) * 3600000.0 / (double)(tally->last_ms - tally->first_ms)
                   : 0;
        return tally->last_ms > tally->first_ms;
    case EG_STAT_CHANGE:
        *ret = tally->last - tally->first;
        return tally->last_ms > tally->first_ms;
    case EG_STAT_STDDEV:
        *ret = sqrt(tally->apart / (count - 1));
        return tally->count > 1;
    case EG_STAT_QUANTILE:
        return quantile(tally, share, ret);
    case EG_STAT_ABOVE:
        *ret = tally->above_ms / 60000.0;
        return true;
    case EG_STAT_VECTOR_MEAN:
        *ret = fmod(atan2(tally->east, tally->north) / RADIANS + 360, 360);
        return hypot(tally->east, tally->north) >= 1e-6 * count;
    case EG_STAT_MAX_8H:
        *ret = tally->running_most;
        return tally->running > 0;
    default:
        return false;
    }
}
