/* Knows a series' closed hours: of the last day and more which of their minutes hold a reading, which tells how often it reports (pace.h);
 * of a pollutant those of the last two days and what they came to. Refuses to know what is made of them. Called by series.c, as hours
 * close, as late readings and corrections change them, and as a start reads them again; asked by the summary, and where an index is
 * told. */
#include <pipeline/hours.h>
#include <index/aqi_us.h>
#include <index/nano.h>
#include <pipeline/pace.h>
#include <pipeline/state.h>
#include <pipeline/today.h>

#include <stdlib.h>

#define PLACES (EG_HOURS_A_DAY + EG_PACE_BACK)
#define AIR_PLACES (EG_AIR_HOURS + EG_PACE_BACK)

struct mean {
    int64_t nano;
    uint32_t needs_ms; /* it is valid where a reading speaks for as long as that, or longer */
};
struct eg_hours {
    unsigned places;
    struct mean *means;        /* [places], of a pollutant; behind the places */
    struct eg_minutes hours[]; /* by the number of the hour modulo places */
};

enum eg_pollutant eg_hours_pollutant(int quantity)
{
    switch (quantity) {
    case EG_Q_co:
        return EG_CO;
    case EG_Q_no2:
        return EG_NO2;
    case EG_Q_o3:
        return EG_O3;
    case EG_Q_pm10:
        return EG_PM10;
    case EG_Q_pm25:
        return EG_PM25;
    case EG_Q_so2:
        return EG_SO2;
    default:
        return EG_POLLUTANTS;
    }
}

#define NEVER UINT32_MAX

static bool valid(const struct eg_pipeline *pipeline, const struct eg_rollup *hour, int64_t interval_ms)
{
    return eg_rollup_valid(hour, EG_PERIOD_HOUR, interval_ms, &pipeline->conf->validity);
}

/* Whether it is valid hangs on the hours before it, which may change still. The longer the rhythm, the longer a reading speaks for. */
static uint32_t needs_of(const struct eg_pipeline *pipeline, const struct eg_rollup *hour)
{
    uint32_t low = 1, high = (uint32_t)EG_HOUR_MS;
    if (valid(pipeline, hour, low))
        return low;
    if (!valid(pipeline, hour, high))
        return NEVER;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (valid(pipeline, hour, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Short of memory it is short of hours: an index that is missing, mended by time. */
static struct eg_hours *hours_of(struct eg_series *series)
{
    const bool air = eg_hours_pollutant(series->quantity) != EG_POLLUTANTS;
    const unsigned places = air ? AIR_PLACES : PLACES;
    const size_t head = sizeof(struct eg_hours) + places * sizeof(struct eg_minutes),
                 before = (head + 7) / 8 * 8;
    if (series->hours)
        return series->hours;
    series->hours = calloc(1, air ? before + places * sizeof(struct mean) : head);
    if (series->hours) {
        series->hours->places = places;
        series->hours->means = air ? (struct mean *)((char *)series->hours + before) : NULL;
    }
    return series->hours;
}

void eg_hours_put(const struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_rollup *hour)
{
    const int64_t number = hour->start_ms / EG_HOUR_MS;
    struct eg_hours *hours = hours_of(series);
    if (!hours || number <= 0 || number > INT32_MAX)
        return;
    const size_t at = (size_t)(number % hours->places);
    if (number < hours->hours[at].number)
        return; /* older than what it would take the place of */
    hours->hours[at] = eg_minutes_of(hour);
    if (hours->means)
        hours->means[at] =
            (struct mean){hour->count ? eg_nano_of(hour->sum / (double)hour->count) : EG_NANO_NONE,
                          needs_of(pipeline, hour)};
}

int64_t eg_hours_since(const struct eg_series *series)
{
    struct eg_rollup first;
    const int64_t back = eg_hours_pollutant(series->quantity) == EG_POLLUTANTS ? PLACES : AIR_PLACES;
    eg_rollup_start(&first, EG_PERIOD_HOUR, series->last_ms - back * EG_HOUR_MS);
    return first.start_ms;
}

/* Many series have the same hours: of the time zone, which is slow, each is asked once. */
static void start_filling(struct eg_pipeline *pipeline, int64_t time_ms)
{
    struct eg_filled *known = &pipeline->filled[time_ms / EG_HOUR_MS % EG_FILLED];
    pipeline->filling = (struct eg_rollup){.start_ms = known->start_ms, .end_ms = known->end_ms};
    if (time_ms >= known->start_ms && time_ms < known->end_ms)
        return;
    eg_rollup_start(&pipeline->filling, EG_PERIOD_HOUR, time_ms);
    *known = (struct eg_filled){pipeline->filling.start_ms, pipeline->filling.end_ms};
}

/* A start takes in one series after the other: of each, all hours but the one that is open. */
void eg_hours_refill(struct eg_pipeline *pipeline, struct eg_series *series, int64_t time_ms, double value,
                     bool aside)
{
    struct eg_rollup *filling = &pipeline->filling;
    if (pipeline->filling_series != series->id || time_ms >= filling->end_ms) {
        if (pipeline->filling_series == series->id && filling->count) {
            eg_hours_put(pipeline, series, filling);
            eg_today_put(series, filling);
        }
        pipeline->filling_series = series->id;
        start_filling(pipeline, time_ms);
    }
    if (!aside)
        eg_rollup_add(filling, EG_PERIOD_HOUR, series->scale, time_ms, value);
}

/* The hour `number` as it is known: closed, or over though nothing has come since. */
static struct eg_minutes hour_of(const struct eg_series *series, int64_t number, struct eg_minutes open)
{
    if (open.minutes && open.number == number)
        return open;
    if (!series->hours || number <= 0)
        return (struct eg_minutes){0};
    const struct eg_minutes hour = series->hours->hours[number % series->hours->places];
    return hour.number == number ? hour : (struct eg_minutes){0};
}

void eg_hours_intervals(const struct eg_series *series, int64_t start_ms, size_t count, int64_t *ret_ms)
{
    const struct eg_minutes open = eg_minutes_of(&series->open[EG_PERIOD_HOUR]);
    const int64_t first = start_ms / EG_HOUR_MS;
    struct eg_pace pace = {0};
    for (int64_t number = first - EG_PACE_BACK; number < first + (int64_t)count; number++) {
        const int64_t interval_ms = eg_pace_add(&pace, hour_of(series, number, open));
        if (number >= first)
            ret_ms[number - first] = interval_ms;
    }
}

uint64_t eg_hours_minutes(const struct eg_series *series, int64_t start_ms)
{
    return hour_of(series, start_ms / EG_HOUR_MS, eg_minutes_of(&series->open[EG_PERIOD_HOUR])).minutes;
}

int64_t eg_hours_interval(const struct eg_series *series, int64_t start_ms)
{
    int64_t interval_ms;
    eg_hours_intervals(series, start_ms, 1, &interval_ms);
    return interval_ms;
}

void eg_hours_tell(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t end_ms,
                   int64_t ret_nano[EG_AIR_HOURS])
{
    const bool known = eg_hours_pollutant(series->quantity) != EG_POLLUTANTS;
    const struct eg_rollup *rollup = &series->open[EG_PERIOD_HOUR];
    const struct eg_minutes open = eg_minutes_of(rollup);
    const int64_t newest = end_ms / EG_HOUR_MS - 1;
    struct eg_pace pace = {0};
    for (int i = 0; i < EG_AIR_HOURS; i++)
        ret_nano[i] = EG_NANO_NONE;
    for (int64_t number = newest - AIR_PLACES + 1; known && number <= newest; number++) {
        const int64_t interval_ms = eg_pace_add(&pace, hour_of(series, number, open));
        if (!interval_ms || newest - number >= EG_AIR_HOURS)
            continue;
        if (open.minutes && open.number == number) {
            if (valid(pipeline, rollup, interval_ms))
                ret_nano[newest - number] = eg_nano_of(rollup->sum / (double)rollup->count);
        } else if (series->hours->means[number % series->hours->places].needs_ms <= interval_ms) {
            ret_nano[newest - number] = series->hours->means[number % series->hours->places].nano;
        }
    }
}

bool eg_hours_sub_index(enum eg_statistic statistic, int quantity, int64_t width_ms, int64_t at_ms,
                        double mean, double *ret)
{
    enum eg_pollutant pollutant = eg_hours_pollutant(quantity);
    enum eg_average average = width_ms <= EG_HOUR_MS ? EG_1H : width_ms <= 8 * EG_HOUR_MS ? EG_8H : EG_24H;
    int index = EG_AQI_NONE;
    if (pollutant != EG_POLLUTANTS && statistic == EG_STAT_AQI_CN)
        index = eg_aqi_cn_sub(eg_aqi_cn_edition_at(at_ms), pollutant, average, eg_nano_of(mean));
    else if (pollutant != EG_POLLUTANTS)
        index = eg_aqi_us_sub(pollutant, average, eg_nano_of(eg_air_us_unit(pollutant, mean)));
    *ret = index;
    return index != EG_AQI_NONE;
}
