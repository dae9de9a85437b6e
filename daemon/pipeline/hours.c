/* Knows a pollutant's closed hours of the last two days. Refuses to know what is made of them. Called by series.c, as hours close, as
 * late readings and corrections change them, and as a start reads them again; asked by the summary. */
#include <pipeline/hours.h>
#include <index/aqi_us.h>
#include <index/nano.h>
#include <pipeline/state.h>

#include <stdlib.h>

struct eg_hours {
    int64_t number[EG_AIR_HOURS]; /* which hour a place holds, counted from the epoch; 0: none */
    int64_t nano[EG_AIR_HOURS];   /* its mean */
    uint32_t needs_ms
        [EG_AIR_HOURS]; /* it is valid where the device is known to report as seldom as that, or more seldom */
    bool blank[EG_AIR_HOURS]; /* … and where nothing is known of it */
    struct eg_rollup filling; /* at a start */
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

/* What is known of a device's rhythm moves on; whether its past hours are valid is told by what is known when they are asked for, so a
 * restart, which reads them again, tells the same. The longer the rhythm, the longer a reading speaks for. */
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

static int64_t nano_of(const struct eg_pipeline *pipeline, const struct eg_series *series,
                       const struct eg_rollup *hour)
{
    const struct eg_pace *pace = &pipeline->devices[series->device - 1].pace;
    return valid(pipeline, hour, eg_pace_over(pace, hour->start_ms, hour->end_ms))
               ? eg_nano_of(hour->sum / (double)hour->count)
               : EG_NANO_NONE;
}

void eg_hours_put(const struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_rollup *hour)
{
    if (eg_hours_pollutant(series->quantity) == EG_POLLUTANTS)
        return;
    if (!series->hours)
        series->hours = calloc(1, sizeof *series->hours);
    if (!series->hours)
        return; /* short of memory it is short of hours: an index that is missing, mended by time */
    int64_t number = hour->start_ms / EG_HOUR_MS;
    size_t at = (size_t)(number % EG_AIR_HOURS);
    if (number <= 0 || number < series->hours->number[at])
        return; /* before the epoch, or older than what it would take the place of */
    series->hours->number[at] = number;
    series->hours->nano[at] = hour->count ? eg_nano_of(hour->sum / (double)hour->count) : EG_NANO_NONE;
    series->hours->needs_ms[at] = needs_of(pipeline, hour);
    series->hours->blank[at] = valid(pipeline, hour, 0);
}

int64_t eg_hours_since(const struct eg_series *series)
{
    struct eg_rollup first;
    if (eg_hours_pollutant(series->quantity) == EG_POLLUTANTS)
        return INT64_MAX;
    eg_rollup_start(&first, EG_PERIOD_HOUR, series->last_ms - EG_AIR_HOURS * EG_HOUR_MS);
    return first.start_ms;
}

void eg_hours_refill(const struct eg_pipeline *pipeline, struct eg_series *series, int64_t time_ms,
                     double value, bool aside)
{
    if (eg_hours_pollutant(series->quantity) == EG_POLLUTANTS)
        return;
    if (!series->hours)
        series->hours = calloc(1, sizeof *series->hours);
    if (!series->hours)
        return;
    struct eg_rollup *filling = &series->hours->filling;
    if (time_ms >= filling->end_ms) {
        if (filling->count)
            eg_hours_put(pipeline, series, filling);
        eg_rollup_start(filling, EG_PERIOD_HOUR, time_ms);
    }
    if (!aside)
        eg_rollup_add(filling, EG_PERIOD_HOUR, series->scale, time_ms, value);
}

void eg_hours_tell(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t end_ms,
                   int64_t ret_nano[EG_AIR_HOURS])
{
    bool known = eg_hours_pollutant(series->quantity) != EG_POLLUTANTS;
    const struct eg_rollup *open = &series->open[EG_PERIOD_HOUR];
    const struct eg_pace *pace = &pipeline->devices[series->device - 1].pace;
    for (int64_t i = 0; i < EG_AIR_HOURS; i++) {
        int64_t number = (end_ms - (i + 1) * EG_HOUR_MS) / EG_HOUR_MS;
        ret_nano[i] = EG_NANO_NONE;
        if (!known || number <= 0)
            continue;
        size_t at = (size_t)(number % EG_AIR_HOURS);
        const int64_t interval_ms = eg_pace_over(pace, number * EG_HOUR_MS, (number + 1) * EG_HOUR_MS);
        if (open->count && open->start_ms / EG_HOUR_MS == number) /* over, but nothing has come since */
            ret_nano[i] = nano_of(pipeline, series, open);
        else if (series->hours && series->hours->number[at] == number &&
                 (interval_ms ? series->hours->needs_ms[at] <= interval_ms : series->hours->blank[at]))
            ret_nano[i] = series->hours->nano[at];
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
