/* Once a day, an hour after midnight, every series is looked at: the hours of its last two weeks, beside those of its neighbours. Knows
 * where the hours are: in the store, in the batch that is being filled, in the open hour of who has fallen silent; refuses to know by which
 * measure they are judged (finding.c) and what becomes of it (suspect.c). What is found is kept with the series. Called by pipeline.c and
 * deadline.c: nothing of it is done when a reading comes.
 *
 * A pass takes a bite of series at a time, so that nobody waits for it, and few bites, since each is a turn. */
#include <pipeline/examine.h>
#include <pipeline/suspect.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GRACE_MS INT64_C(3600000) /* what is sent by the hour is there */
#define BITE 64
#define BITE_EVERY_MS 10000
#define KEPT 64 /* series whose hours are in memory during a bite */
#define HOUR_MS INT64_C(3600000)
#define READINGS 4 /* fewer in an hour have no range */

struct shelf {
    struct pile {
        uint32_t series; /* 0: empty */
        uint64_t used;
        struct eg_hourly hourly;
    } piles[KEPT];
    uint64_t uses;
    int64_t from_ms, end_ms;
    bool damaged;
};

/* --- hours --- */

struct fill {
    const struct shelf *shelf;
    struct eg_hourly *hourly;
};

static bool put(void *arg, const struct eg_rollup *hour)
{
    const struct fill *fill = arg;
    if (hour->start_ms < fill->shelf->from_ms || hour->end_ms > fill->shelf->end_ms)
        return true;
    size_t at = (size_t)((hour->start_ms - fill->shelf->from_ms) / HOUR_MS);
    fill->hourly->mean[at] = hour->count ? hour->sum / (double)hour->count : (double)NAN;
    fill->hourly->range[at] = hour->count >= READINGS ? hour->max - hour->min : (double)NAN;
    return true;
}

static void read_hours(const struct eg_pipeline *pipeline, const struct eg_series *series,
                       const struct eg_batch *batch, struct shelf *shelf, struct eg_hourly *hourly)
{
    struct fill fill = {shelf, hourly};
    for (size_t i = 0; i < EG_FINDING_HOURS; i++)
        hourly->mean[i] = hourly->range[i] = (double)NAN;
    if (pipeline->past.rollups(pipeline->past.user, series->id, EG_PERIOD_HOUR, shelf->from_ms, shelf->end_ms,
                               put, &fill) < 0)
        shelf->damaged = true;
    for (size_t i = 0; i < batch->rollups_count; i++) /* newer than the store: whole hours */
        if (batch->rollups[i].series == series->id && batch->rollups[i].period == EG_PERIOD_HOUR &&
            batch->rollups[i].replace)
            put(&fill, &batch->rollups[i].rollup);
    if (series->open[EG_PERIOD_HOUR].count)
        put(&fill, &series->open[EG_PERIOD_HOUR]);
}

/* The one that was not asked for longest gives way: there are more places than one examination asks for. */
static const struct eg_hourly *hours_of(const struct eg_pipeline *pipeline, uint32_t id,
                                        const struct eg_batch *batch, struct shelf *shelf)
{
    struct pile *oldest = &shelf->piles[0];
    for (size_t i = 0; i < KEPT; i++) {
        struct pile *pile = &shelf->piles[i];
        if (pile->series == id) {
            pile->used = ++shelf->uses;
            return &pile->hourly;
        }
        oldest = pile->used < oldest->used ? pile : oldest;
    }
    oldest->series = id;
    oldest->used = ++shelf->uses;
    read_hours(pipeline, pipeline->series[id - 1], batch, shelf, &oldest->hourly);
    eg_finding_jumps(&oldest->hourly);
    return &oldest->hourly;
}

/* --- one series --- */

static bool is_asked(const struct eg_pipeline *pipeline, const struct eg_series *series)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    return series->has_last && device->site != EG_CONF_NONE && !eg_registry_retired(device) &&
           !(isinf(series->limits->noise) && isinf(series->limits->drift));
}

static void keep(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_finding *found,
                 int64_t now_ms, struct eg_batch *batch)
{
    if (!series->finding && eg_finding_none(found))
        return;
    if (!series->finding && !(series->finding = malloc(sizeof *series->finding))) {
        batch->failed = true;
        return;
    }
    *series->finding = *found;
    struct eg_row_finding *row = EG_BATCH_ADD(batch, findings);
    if (row)
        *row = (struct eg_row_finding){series->id, found->noisy_ms, found->drifting_ms, found->usual,
                                       found->side};
    if (eg_finding_none(found)) {
        free(series->finding);
        series->finding = NULL;
    }
    eg_suspect_look(pipeline, series, now_ms, batch);
}

static void examine(struct eg_pipeline *pipeline, struct eg_series *series, struct shelf *shelf,
                    int64_t now_ms, struct eg_batch *batch)
{
    uint32_t ids[EG_NEIGHBOURS_MOST];
    const struct eg_hourly *others[EG_NEIGHBOURS_MOST], *own;
    const struct eg_finding none = {EG_TIME_NONE, EG_TIME_NONE, 0, 0},
                            before = series->finding ? *series->finding : none;
    struct eg_finding found = before;
    if (!is_asked(pipeline, series)) {
        found = none;
    } else if (series->last_ms >= shelf->from_ms || series->finding) {
        size_t count = eg_neighbours_of(pipeline, series, shelf->from_ms, ids);
        shelf->damaged = false;
        own = hours_of(pipeline, series->id, batch, shelf);
        for (size_t i = 0; i < count; i++)
            others[i] = hours_of(pipeline, ids[i], batch, shelf);
        if (shelf->damaged)
            return; /* told where it is noticed; it is as it was */
        eg_finding_make(series->limits, own, others, count, shelf->end_ms, &found);
    }
    if (found.noisy_ms != before.noisy_ms || found.drifting_ms != before.drifting_ms ||
        found.side != before.side)
        keep(pipeline, series, &found, now_ms, batch);
}

/* --- passes --- */

static int64_t midnight(int64_t ms, int64_t *ret_next_ms)
{
    struct eg_rollup day;
    eg_rollup_start(&day, EG_PERIOD_DAY, ms);
    *ret_next_ms = day.end_ms;
    return day.start_ms;
}

int64_t eg_examine_wake(struct eg_pipeline *pipeline, int64_t now_ms)
{
    int64_t next_ms;
    if (!pipeline->past.rollups)
        return INT64_MAX;
    if (pipeline->examine_wake_ms > now_ms)
        return pipeline->examine_wake_ms;
    int64_t end_ms = midnight(now_ms - GRACE_MS, &next_ms);
    if (end_ms != pipeline->examined_ms) {
        pipeline->examined_ms = end_ms;
        pipeline->examine_quantity = 0;
        pipeline->examine_next = 0;
    }
    if (pipeline->series_count && pipeline->examine_quantity < EG_QUANTITY_COUNT)
        return now_ms;
    return pipeline->examine_wake_ms = next_ms + GRACE_MS;
}

void eg_examine_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    size_t looked_at = 0;
    if (eg_examine_wake(pipeline, now_ms) > now_ms)
        return;
    struct shelf *shelf = calloc(1, sizeof *shelf);
    if (!shelf) {
        batch->failed = true;
        return;
    }
    shelf->end_ms = pipeline->examined_ms;
    shelf->from_ms = shelf->end_ms - EG_FINDING_MS;
    /* By quantity, so that those who are neighbours follow each other, and their hours are read once. */
    while (pipeline->examine_quantity < EG_QUANTITY_COUNT && looked_at < BITE) {
        if (pipeline->examine_next >= pipeline->series_count) {
            pipeline->examine_quantity++;
            pipeline->examine_next = 0;
            continue;
        }
        struct eg_series *series = pipeline->series[pipeline->examine_next++];
        if (series->quantity != pipeline->examine_quantity)
            continue;
        looked_at += is_asked(pipeline, series);
        examine(pipeline, series, shelf, now_ms, batch);
    }
    free(shelf);
    pipeline->examine_wake_ms = now_ms + BITE_EVERY_MS;
}

void eg_pipeline_restore_finding(struct eg_pipeline *pipeline, const struct eg_row_finding *row)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    const struct eg_finding found = {row->noisy_ms, row->drifting_ms, row->usual, row->side};
    if (series && !series->finding && !eg_finding_none(&found) && (series->finding = malloc(sizeof found)))
        *series->finding = found;
}
