/* One reading enters a series: known already? Then its buckets and windows, then its rules. Knows event time only.
 *
 * In order is the common case and costs no look-up. Whatever is not newer than the newest is looked for in the batch being
 * filled and then in the past. A different value for the same time replaces the earlier one (the newest value wins); the buckets
 * and windows it stood in are then made anew from the readings. */
#include <pipeline/hours.h>
#include <pipeline/plots.h>
#include <pipeline/today.h>
#include <pipeline/unheard.h>
#include <pipeline/state.h>
#include <pipeline/suspect.h>

#include <stdlib.h>
#include <string.h>

/* A burst of messages without a time of their own may run this far ahead of the arrival clock. */
#define BURST_MS 2000

static bool same_value(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool in_batch(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t time_ms,
                     const struct eg_batch *batch, double *ret_value)
{
    if (series->turn != pipeline->turn)
        return false;
    for (size_t i = batch->readings_count; i-- > 0;) {
        const struct eg_row_reading *row = &batch->readings[i];
        if (row->series == series->id && row->time_ms == time_ms) {
            *ret_value = row->value;
            return true;
        }
    }
    return false;
}

static bool known(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t time_ms,
                  const struct eg_batch *batch, double *ret_value)
{
    if (!series->has_last || time_ms > series->last_ms)
        return false;
    if (time_ms == series->last_ms) {
        *ret_value = series->last_value;
        return true;
    }
    return in_batch(pipeline, series, time_ms, batch, ret_value) ||
           (pipeline->past.lookup &&
            pipeline->past.lookup(pipeline->past.user, series->id, time_ms, ret_value));
}

static void date_by_arrival(const struct eg_pipeline *pipeline, const struct eg_series *series,
                            struct eg_reading *reading, int64_t now_ms, const struct eg_batch *batch)
{
    double value;
    reading->flags |= EG_FLAG_ARRIVAL;
    reading->time_ms = now_ms;
    if (series->has_last && (series->last_flags & EG_FLAG_ARRIVAL) && series->last_ms >= now_ms &&
        series->last_ms - now_ms < BURST_MS)
        reading->time_ms = series->last_ms + 1;
    while (known(pipeline, series, reading->time_ms, batch, &value))
        reading->time_ms++;
}

bool eg_series_holds(const struct eg_pipeline *pipeline, const struct eg_series *series,
                     struct eg_reading *reading, int64_t arrived_ms, const struct eg_batch *batch)
{
    double value;
    if (reading->time_ms != EG_TIME_NONE)
        return known(pipeline, series, reading->time_ms, batch, &value);
    reading->flags |= EG_FLAG_ARRIVAL;
    reading->time_ms = arrived_ms;
    for (; known(pipeline, series, reading->time_ms, batch, &value); reading->time_ms++)
        if (same_value(value, reading->value))
            return true;
    return false;
}

/* --- buckets --- */

static void keep_hour(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_rollup *hour)
{
    eg_hours_put(pipeline, series, hour);
    eg_plots_put(series, hour);
    eg_today_put(series, hour);
}

static void push_rollup(struct eg_pipeline *pipeline, struct eg_series *series, enum eg_period period,
                        const struct eg_rollup *rollup, bool whole, struct eg_batch *batch)
{
    struct eg_row_rollup *row = EG_BATCH_ADD(batch, rollups);
    if (row)
        *row = (struct eg_row_rollup){series->id, period, whole, *rollup};
    if (row && !rollup->count)
        eg_rollup_none(&row->rollup);
    series->bucket_row[period] = (uint32_t)batch->rollups_count;
    if (whole && period == EG_PERIOD_HOUR)
        keep_hour(pipeline, series, rollup);
}

/* Where this batch writes the bucket that starts there, or NULL. */
static struct eg_row_rollup *bucket_in_batch(const struct eg_series *series, enum eg_period period,
                                             int64_t start_ms, struct eg_batch *batch)
{
    if (!series->bucket_row[period])
        return NULL; /* none of this series' */
    for (size_t i = series->bucket_row[period]; i-- > 0;) {
        struct eg_row_rollup *row = &batch->rollups[i];
        if (row->series == series->id && row->period == period && row->rollup.start_ms == start_ms)
            return row;
    }
    return NULL;
}

/* A reading older than the open bucket: its own is taken up again and written whole. Where the past cannot be asked, as a part that the
 * store adds. */
static void add_to_closed(struct eg_pipeline *pipeline, struct eg_series *series, enum eg_period period,
                          int64_t time_ms, double value, struct eg_batch *batch)
{
    struct eg_rollup late;
    eg_rollup_start(&late, period, time_ms);
    struct eg_row_rollup *row = bucket_in_batch(series, period, late.start_ms, batch);
    if (row) {
        eg_rollup_add(&row->rollup, period, series->scale, time_ms, value);
        if (row->replace && period == EG_PERIOD_HOUR)
            keep_hour(pipeline, series, &row->rollup);
        else if (period == EG_PERIOD_HOUR)
            eg_today_miss(series, time_ms);
        return;
    }
    bool whole =
        pipeline->past.rollup && pipeline->past.rollup(pipeline->past.user, series->id, period, &late) >= 0;
    eg_rollup_add(&late, period, series->scale, time_ms, value);
    push_rollup(pipeline, series, period, &late, whole, batch);
    if (!whole && period == EG_PERIOD_HOUR)
        eg_today_miss(series, time_ms);
}

void eg_series_recount(struct eg_series *series, int64_t time_ms, unsigned was, unsigned flags)
{
    for (int period = 0; period < EG_PERIOD_COUNT; period++) {
        if (time_ms < series->open[period].start_ms || time_ms >= series->open[period].end_ms)
            continue;
        if (was & EG_FLAGS_SET_ASIDE)
            series->doubts[period].bad--;
        else if (was & EG_FLAGS_DOUBT)
            series->doubts[period].suspect--;
        if (was & EG_FLAG_CLOCK)
            series->doubts[period].clock--;
        eg_doubts_count(&series->doubts[period], flags);
    }
}

/* All series open theirs within a minute or so: of the time zone, which is slow, it is asked once. */
static void open_bucket(struct eg_pipeline *pipeline, struct eg_rollup *open, enum eg_period period,
                        int64_t time_ms)
{
    struct eg_rollup *opened = &pipeline->opened[period];
    if (time_ms < opened->start_ms || time_ms >= opened->end_ms)
        eg_rollup_start(opened, period, time_ms);
    *open = *opened;
}

/* The open bucket is the one of the newest reading. It is written when a later one opens; a late reading's bucket at once. What is set
 * aside opens and closes buckets, and is in none. */
static void add_to_bucket(struct eg_pipeline *pipeline, struct eg_series *series, enum eg_period period,
                          const struct eg_reading *reading, struct eg_batch *batch)
{
    struct eg_rollup *open = &series->open[period];
    const int64_t time_ms = reading->time_ms;
    if (!open->end_ms || time_ms >= open->end_ms) {
        if (open->count)
            push_rollup(pipeline, series, period, open, true, batch);
        if (open->count && period == EG_PERIOD_HOUR)
            eg_measure_hour(pipeline, series, open, batch);
        if (period == EG_PERIOD_HOUR && pipeline->siteindices)
            eg_siteindex_closed(pipeline, series);
        open_bucket(pipeline, open, period, time_ms);
        series->doubts[period] = (struct eg_doubts){0};
    }
    if (time_ms >= open->start_ms)
        eg_doubts_count(&series->doubts[period], reading->flags);
    if (reading->flags & EG_FLAGS_SET_ASIDE)
        return;
    if (time_ms >= open->start_ms)
        eg_rollup_add(open, period, series->scale, time_ms, reading->value);
    else
        add_to_closed(pipeline, series, period, time_ms, reading->value, batch);
}

/* --- making anew after a correction --- */

int64_t eg_series_remake(struct eg_pipeline *pipeline, struct eg_series *series, enum eg_period period,
                         int64_t time_ms, struct eg_batch *batch)
{
    struct eg_rollup fresh;
    struct eg_gather gather = {0};
    struct eg_doubts doubts = {0};
    eg_rollup_start(&fresh, period, time_ms);
    if (eg_gather_span(pipeline, series, fresh.start_ms, fresh.end_ms, batch, &gather)) {
        for (size_t i = 0; i < gather.count; i++) {
            eg_doubts_count(&doubts, gather.rows[i].flags);
            if (!(gather.rows[i].flags & EG_FLAGS_SET_ASIDE))
                eg_rollup_add(&fresh, period, series->scale, gather.rows[i].time_ms, gather.rows[i].value);
        }
        if (fresh.start_ms == series->open[period].start_ms) {
            series->open[period] = fresh;
            series->doubts[period] = doubts;
        } else {
            push_rollup(pipeline, series, period, &fresh, true, batch);
        }
    } else {
        batch->failed = true;
    }
    eg_gather_finish(&gather);
    return fresh.end_ms;
}

static bool remake_window(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_watch *watch,
                          const struct eg_batch *batch)
{
    int64_t width = pipeline->conf->rules[watch->rule].window_ms;
    struct eg_gather gather = {0};
    const int64_t from_ms = series->last_ms - width;
    struct eg_rhythm rhythm = {0};
    bool ok =
        eg_gather_span(pipeline, series, from_ms - EG_RHYTHM_BACK_MS, series->last_ms + 1, batch, &gather);
    eg_window_clear(watch->window);
    for (size_t i = 0; ok && i < gather.count; i++) {
        const struct eg_gathered *row = &gather.rows[i];
        if (row->flags & EG_FLAGS_UNJUDGED)
            continue;
        ok = row->time_ms <= from_ms ||
             eg_window_add(watch->window, row->time_ms, row->value, eg_rhythm_spoken(&rhythm, row->time_ms));
        eg_rhythm_add(&rhythm, row->time_ms);
    }
    eg_gather_finish(&gather);
    return ok;
}

static void remake_windows(struct eg_pipeline *pipeline, struct eg_series *series, int64_t time_ms,
                           struct eg_batch *batch)
{
    for (size_t w = 0; w < series->watch_count; w++) {
        struct eg_watch *watch = &series->watches[w];
        if (watch->window && time_ms > series->last_ms - pipeline->conf->rules[watch->rule].window_ms &&
            !remake_window(pipeline, series, watch, batch))
            batch->failed = true;
    }
}

void eg_series_fill_windows(struct eg_pipeline *pipeline, struct eg_series *series)
{
    static const struct eg_batch nothing;
    for (size_t w = 0; w < series->watch_count && series->has_last; w++)
        if (series->watches[w].window)
            remake_window(pipeline, series, &series->watches[w], &nothing);
}

/* --- the way in --- */

/* Windows are what rules judge: what no rule may judge is not in them. */
static void add_to_windows(struct eg_series *series, int64_t time_ms, double value, unsigned flags,
                           bool *failed)
{
    if (flags & EG_FLAGS_UNJUDGED)
        return;
    const int64_t spoken_ms = series->watch_count ? eg_rhythm_spoken(&series->rhythm, time_ms) : 0;
    for (size_t w = 0; w < series->watch_count; w++)
        if (series->watches[w].window && !eg_window_add(series->watches[w].window, time_ms, value, spoken_ms))
            *failed = true;
    for (size_t i = 0; i < series->lookout_count; i++)
        if (series->lookouts[i].window && !eg_window_add(series->lookouts[i].window, time_ms, value, 0))
            *failed = true;
    eg_rhythm_add(&series->rhythm, time_ms);
    series->judged_value = value;
}

void eg_series_refill(struct eg_pipeline *pipeline, struct eg_series *series, int64_t time_ms, double value,
                      unsigned flags)
{
    bool failed =
        false; /* a window that is short of memory is short of readings: shown by its count, mended by time */
    bool aside = flags & EG_FLAGS_SET_ASIDE;
    eg_quality_refill(series, time_ms, value, flags);
    add_to_windows(series, time_ms, value, flags, &failed);
    eg_hours_refill(pipeline, series, time_ms, value, aside);
    eg_plots_refill(series, time_ms, value, aside);
    for (int period = 0; period < EG_PERIOD_COUNT; period++) {
        struct eg_rollup *open = &series->open[period];
        if (!open->end_ms) /* asked of the zone once a series: a start takes in millions of readings */
            eg_rollup_start(open, (enum eg_period)period, series->last_ms);
        if (time_ms < open->start_ms || time_ms >= open->end_ms)
            continue;
        eg_doubts_count(&series->doubts[period], flags);
        if (!aside)
            eg_rollup_add(open, (enum eg_period)period, series->scale, time_ms, value);
    }
}

void eg_series_disturb(struct eg_pipeline *pipeline, struct eg_series *series, int64_t from_ms,
                       struct eg_batch *batch)
{
    if (series->watch_count || series->lookout_count)
        eg_rejudge_mark(pipeline, series, from_ms, batch);
    else
        series->rhythm = (struct eg_rhythm){0}; /* found again when somebody asks */
    eg_partner_tell(pipeline, series, from_ms, batch);
}

/* What was judged is of a kind that is not, now. */
static void take_back(struct eg_pipeline *pipeline, struct eg_series *series, int64_t time_ms,
                      struct eg_batch *batch)
{
    remake_windows(pipeline, series, time_ms, batch);
    if (!eg_partner_refill(pipeline, series, batch))
        batch->failed = true;
    eg_partner_tell(pipeline, series, time_ms, batch);
}

static void take_in_order(struct eg_pipeline *pipeline, struct eg_series *series,
                          const struct eg_reading *reading, int64_t before_ms, int64_t now_ms,
                          struct eg_batch *batch)
{
    if (series->watch_count && !eg_rhythm_complete(pipeline, series, reading->time_ms, batch))
        batch->failed = true;
    add_to_windows(series, reading->time_ms, reading->value, reading->flags, &batch->failed);
    eg_judge_newest(pipeline, series, now_ms, batch);
    if (series->waits)
        eg_judge_defer(pipeline, series, before_ms, batch);
    if (series->dependent_count)
        eg_partner_tell(pipeline, series, reading->time_ms, batch);
}

/* Of an hour that goes on it is enough to know that it has begun. */
static void hear(struct eg_pipeline *pipeline, struct eg_series *series, int64_t time_ms, int64_t now_ms,
                 struct eg_batch *batch)
{
    if (time_ms < series->hour_ms || time_ms >= series->hour_ms + EG_HOUR_MS ||
        series->hour_ms + EG_HOUR_MS <= now_ms || time_ms < pipeline->index_judged_ms)
        series->hour_ms = eg_siteindex_hear(pipeline, series, time_ms, now_ms, batch);
}

enum eg_fate eg_series_take(struct eg_pipeline *pipeline, struct eg_series *series,
                            struct eg_reading *reading, int64_t now_ms, struct eg_batch *batch)
{
    double before = 0;
    bool corrected = false;
    if (reading->time_ms == EG_TIME_NONE)
        date_by_arrival(pipeline, series, reading, now_ms, batch);
    else if (known(pipeline, series, reading->time_ms, batch, &before)) {
        /* what came in alive is not replaced by what is brought in later */
        if (same_value(before, reading->value) || (reading->flags & EG_FLAG_IMPORTED))
            return EG_FATE_DUPLICATE;
        corrected = true;
        reading->flags |= EG_FLAG_CORRECTION;
    }
    eg_quality_take(pipeline, series, reading, batch);
    struct eg_row_reading *row = EG_BATCH_ADD(batch, readings);
    if (!row)
        return EG_FATE_STORED; /* batch->failed: the turn will not be committed */
    *row = (struct eg_row_reading){series->id, reading->flags, reading->time_ms, reading->value};
    if (series->turn != pipeline->turn)
        memset(series->bucket_row, 0, sizeof series->bucket_row);
    series->turn = pipeline->turn;

    bool judged_before = series->has_last && !(series->last_flags & EG_FLAGS_UNJUDGED);
    bool newest = !series->has_last || reading->time_ms >= series->last_ms;
    const int64_t before_ms = series->has_last ? series->last_ms : EG_TIME_NONE;
    if (newest) {
        series->has_last = true;
        series->last_ms = reading->time_ms;
        series->last_value = reading->value;
        series->last_flags = reading->flags;
    }
    for (int period = 0; period < EG_PERIOD_COUNT; period++) {
        if (corrected)
            eg_series_remake(pipeline, series, (enum eg_period)period, reading->time_ms, batch);
        else
            add_to_bucket(pipeline, series, (enum eg_period)period, reading, batch);
    }
    if (reading->flags & EG_FLAGS_UNJUDGED) {
        if (corrected)
            take_back(pipeline, series, reading->time_ms, batch);
        eg_judge_pass_over(pipeline, series, judged_before, batch);
    } else if (!newest || corrected || series->unsettled) {
        eg_series_disturb(pipeline, series, reading->time_ms, batch);
    } else {
        take_in_order(pipeline, series, reading, before_ms, now_ms, batch);
    }
    if (pipeline->siteindices && !(reading->flags & EG_FLAGS_UNJUDGED))
        hear(pipeline, series, reading->time_ms, now_ms, batch);
    if (newest)
        eg_suspect_look(pipeline, series, now_ms, batch);
    eg_unheard_spoke(pipeline, series);
    return corrected ? EG_FATE_CORRECTED : EG_FATE_STORED;
}
