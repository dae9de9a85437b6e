/* Knows the closed hours of what an index of soil or waste is made of: the last hundred hours in memory, what was before them by asking the
 * past, and until when a device serves. Refuses to know what is made of them. Called by series.c, as hours close, as late readings and
 * corrections change them, and as a start reads them again; by sitelook.c.
 *
 * What is in memory hangs on the series' newest reading alone, so a restart, which reads as far back, remembers the same. */
#include <pipeline/plots.h>
#include <pipeline/hours.h>
#include <pipeline/pasthours.h>
#include <pipeline/siteindex.h>
#include <pipeline/state.h>

#include <stdlib.h>
#include <string.h>

#define RING_HOURS 100

struct eg_plots {
    struct place {
        int64_t number; /* which hour it holds, counted from the epoch; 0: none */
        double highest, last;
    } places[RING_HOURS];
    struct eg_rollup filling; /* at a start */
};

/* Conductivity is that of a saturation extract only where a calibration says so. */
static bool tells(const struct eg_series *series, const struct eg_rollup *hour)
{
    return hour->count && (series->part != EG_PART_EC || eg_calibration_holds(series, hour->last_ms));
}

void eg_plots_put(struct eg_series *series, const struct eg_rollup *hour)
{
    int64_t number = hour->start_ms / EG_HOUR_MS;
    if (series->part == EG_PARTS || number <= 0)
        return;
    if (!series->plots)
        series->plots = calloc(1, sizeof *series->plots);
    if (!series->plots)
        return; /* short of memory it is short of hours: an index that is missing, mended by time */
    struct place *place = &series->plots->places[number % RING_HOURS];
    if (number < place->number)
        return;
    *place = (struct place){number, hour->max, hour->last};
    if (!tells(series, hour))
        *place = (struct place){0};
}

int64_t eg_plots_since(const struct eg_series *series)
{
    struct eg_rollup first;
    if (series->part == EG_PARTS)
        return INT64_MAX;
    eg_rollup_start(&first, EG_PERIOD_HOUR, series->last_ms - (RING_HOURS - 1) * EG_HOUR_MS);
    return first.start_ms;
}

void eg_plots_refill(struct eg_series *series, int64_t time_ms, double value, bool aside)
{
    if (series->part == EG_PARTS)
        return;
    if (!series->plots)
        series->plots = calloc(1, sizeof *series->plots);
    if (!series->plots)
        return;
    struct eg_rollup *filling = &series->plots->filling;
    if (time_ms >= filling->end_ms) {
        if (filling->count)
            eg_plots_put(series, filling);
        eg_rollup_start(filling, EG_PERIOD_HOUR, time_ms);
    }
    if (!aside)
        eg_rollup_add(filling, EG_PERIOD_HOUR, series->scale, time_ms, value);
}

/* --- asking --- */

/* The newest hour of [low, below) that is told of, of before what is at hand: looked for near by at first. */
static bool find_before(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t low,
                        int64_t below, const struct eg_batch *batch, struct eg_part_fill *fill)
{
    struct eg_past_hours hours = {0};
    bool ok = true, found = false;
    for (int64_t span = 2 * EG_AIR_HOURS, behind = below; ok && !found && behind > low; span *= 16) {
        const int64_t from = behind - low > span ? behind - span : low;
        ok = eg_past_hours(pipeline, series, from * EG_HOUR_MS, behind * EG_HOUR_MS, batch, &hours);
        for (size_t i = hours.count; ok && !found && i-- > 0;) {
            const struct eg_rollup *hour = &hours.rows[i];
            found = tells(series, hour);
            if (found)
                eg_part_fill_hour(fill, hour->start_ms / EG_HOUR_MS, hour->max, hour->last);
        }
        behind = from;
    }
    eg_past_finish(&hours);
    return ok;
}

int64_t eg_pipeline_serves_until(const struct eg_pipeline *pipeline, uint32_t id)
{
    const struct eg_series *series = id && id <= pipeline->series_count ? pipeline->series[id - 1] : NULL;
    const struct eg_device *device = series ? &pipeline->devices[series->device - 1] : NULL;
    if (!device || !eg_registry_retired(device))
        return INT64_MAX;
    if (device->retired_ms != EG_TIME_NONE)
        return device->retired_ms / EG_HOUR_MS + 1;
    return series->has_last ? series->last_ms / EG_HOUR_MS + 1
                            : 0; /* by the configuration, which has no date */
}

static bool fill_from_memory(const struct eg_pipeline *pipeline, const struct eg_series *series,
                             int64_t known, const struct eg_batch *batch, struct eg_part_fill *fill)
{
    const struct eg_rollup *open = &series->open[EG_PERIOD_HOUR];
    const int64_t newest = series->last_ms / EG_HOUR_MS, low = fill->first - eg_part_hours(series->part),
                  from = low > known ? low : known;
    const bool any = tells(series, open);
    bool early = any && open->start_ms / EG_HOUR_MS <= fill->first, ok = true;
    for (int64_t number = from; series->plots && number <= fill->first && !early; number++)
        early = number > 0 && series->plots->places[number % RING_HOURS].number == number;
    if (!early && low < known)
        ok = find_before(pipeline, series, low, known, batch, fill);
    for (int64_t number = from; series->plots && number <= newest && number < fill->end; number++) {
        const struct place *place = number > 0 ? &series->plots->places[number % RING_HOURS] : NULL;
        if (place && place->number == number && !(any && number == open->start_ms / EG_HOUR_MS))
            eg_part_fill_hour(fill, number, place->highest, place->last);
    }
    if (any && open->start_ms / EG_HOUR_MS < fill->end)
        eg_part_fill_hour(fill, open->start_ms / EG_HOUR_MS, open->max, open->last);
    return ok;
}

static bool fill_from_past(const struct eg_pipeline *pipeline, const struct eg_series *series,
                           const struct eg_batch *batch, struct eg_part_fill *fill)
{
    struct eg_past_hours hours = {0};
    bool ok =
        eg_past_hours(pipeline, series, fill->first * EG_HOUR_MS, fill->end * EG_HOUR_MS, batch, &hours);
    const bool early = ok && hours.count && tells(series, &hours.rows[0]) &&
                       hours.rows[0].start_ms / EG_HOUR_MS == fill->first;
    if (ok && !early)
        ok = find_before(pipeline, series, fill->first - eg_part_hours(series->part), fill->first, batch,
                         fill);
    for (size_t i = 0; i < hours.count && ok; i++)
        if (tells(series, &hours.rows[i]))
            eg_part_fill_hour(fill, hours.rows[i].start_ms / EG_HOUR_MS, hours.rows[i].max,
                              hours.rows[i].last);
    eg_past_finish(&hours);
    return ok;
}

bool eg_plots_fill(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t first,
                   int64_t end, const struct eg_batch *batch, double *values)
{
    const int64_t known = series->last_ms / EG_HOUR_MS - RING_HOURS + 1; /* from here on all is in memory */
    struct eg_part_fill fill;
    bool ok = true;
    eg_part_fill_begin(&fill, series->part, first, end, values);
    fill.until = eg_pipeline_serves_until(pipeline, series->id);
    if (series->has_last && first < known && pipeline->past.rollups)
        ok = fill_from_past(pipeline, series, batch, &fill);
    else if (series->has_last)
        ok = fill_from_memory(pipeline, series, known, batch, &fill);
    eg_part_fill_end(&fill);
    return ok;
}
