/* Knows the closed hours of what an index of soil or waste is made of: the last hundred hours in memory, what was before them by asking the
 * past, and until when a device serves. Refuses to know what is made of them. Called by series.c, as hours close, as late readings and
 * corrections change them, and as a start reads them again; by sitelook.c.
 *
 * What is in memory hangs on the series' newest reading alone, so a restart, which reads as far back, remembers the same. */
#include <pipeline/plots.h>
#include <pipeline/hours.h>
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

struct newest { /* hour before `below` */
    const struct eg_series *series;
    struct place place;
    int64_t below;
};

static void take(struct newest *newest, const struct eg_rollup *hour)
{
    int64_t number = hour->start_ms / EG_HOUR_MS;
    if (number < newest->below && number >= newest->place.number && tells(newest->series, hour))
        newest->place = (struct place){number, hour->max, hour->last};
}

static bool take_past(void *arg, const struct eg_rollup *hour)
{
    take(arg, hour);
    return true;
}

/* The newest hour of before what is in memory. */
static struct place find_before(const struct eg_pipeline *pipeline, const struct eg_series *series,
                                int64_t low, int64_t below, const struct eg_batch *batch)
{
    struct newest newest = {series, {0}, below};
    if (pipeline->past.rollups)
        pipeline->past.rollups(pipeline->past.user, series->id, EG_PERIOD_HOUR, low * EG_HOUR_MS,
                               below * EG_HOUR_MS, take_past, &newest);
    for (size_t i = 0; batch && i < batch->rollups_count; i++) {
        const struct eg_row_rollup *row = &batch->rollups[i];
        if (row->series == series->id && row->period == EG_PERIOD_HOUR && row->replace)
            take(&newest, &row->rollup);
    }
    return newest.place.number >= low ? newest.place : (struct place){0};
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

void eg_plots_fill(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t first,
                   int64_t end, const struct eg_batch *batch, double *values)
{
    const struct eg_rollup *open = &series->open[EG_PERIOD_HOUR];
    const int64_t newest = series->has_last ? series->last_ms / EG_HOUR_MS : 0,
                  low = first - eg_part_hours(series->part);
    const int64_t known = newest - RING_HOURS + 1; /* from here on all is in memory */
    const bool any = tells(series, open);
    bool early = any && open->start_ms / EG_HOUR_MS <= first;
    struct eg_part_fill fill;
    eg_part_fill_begin(&fill, series->part, first, end, values);
    fill.until = eg_pipeline_serves_until(pipeline, series->id);
    for (int64_t number = low > known ? low : known; series->plots && number <= first && !early; number++)
        early = number > 0 && series->plots->places[number % RING_HOURS].number == number;
    if (!early && low < known && series->has_last) {
        struct place before = find_before(pipeline, series, low, known, batch);
        if (before.number)
            eg_part_fill_hour(&fill, before.number, before.highest, before.last);
    }
    for (int64_t number = low > known ? low : known; series->plots && number <= newest && number < end;
         number++) {
        const struct place *place = number > 0 ? &series->plots->places[number % RING_HOURS] : NULL;
        if (place && place->number == number && !(any && number == open->start_ms / EG_HOUR_MS))
            eg_part_fill_hour(&fill, number, place->highest, place->last);
    }
    if (any && open->start_ms / EG_HOUR_MS < end)
        eg_part_fill_hour(&fill, open->start_ms / EG_HOUR_MS, open->max, open->last);
    eg_part_fill_end(&fill);
}
