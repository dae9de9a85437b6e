/* What quality control finds in a series when a reading came out of order: it is looked at in its place, and so are those behind it, as far
 * as it makes a difference to them. Knows how to run the checks once more over the readings and how to put right what was stored; refuses
 * to know what is checked (quality.c). Once a turn, before anything is judged anew: by eg_pipeline_settle().
 *
 * A reading of this batch is marked in place. One that is committed is written once more, with other flags and the mark REQUALIFIED; it is
 * no reading that came, and counts as none. */
#include <pipeline/quality.h>
#include <pipeline/state.h>

#include <math.h>
#include <string.h>

#define NEAR_MS INT64_C(3600000) /* what a step looks back to, and what is gathered ahead at first */

struct review {
    struct eg_pipeline *pipeline;
    struct eg_series *series;
    struct eg_batch *batch;
    struct eg_gather gather;
    struct eg_followed followed;
    int64_t from_ms, to_ms; /* the first and the last that came out of order */
    bool aside;             /* what is set aside has changed */
};

void eg_quality_take(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_reading *reading,
                     struct eg_batch *batch)
{
    if (!series->has_last || reading->time_ms > series->last_ms) {
        reading->flags = (uint16_t)eg_quality_next(pipeline->conf, series->limits, &series->followed,
                                                   reading->time_ms, reading->value, reading->flags);
        return;
    }
    struct eg_followed alone = {.last_ms = EG_TIME_NONE};
    reading->flags = (uint16_t)eg_quality_next(pipeline->conf, series->limits, &alone, reading->time_ms,
                                               reading->value, reading->flags);
    if (series->unreviewed) {
        if (reading->time_ms < series->review_from_ms)
            series->review_from_ms = reading->time_ms;
        if (reading->time_ms > series->review_to_ms)
            series->review_to_ms = reading->time_ms;
        return;
    }
    if (!eg_room_more((void **)&pipeline->unreviewed, pipeline->unreviewed_count,
                      &pipeline->unreviewed_capacity, sizeof *pipeline->unreviewed, SIZE_MAX / 64)) {
        batch->failed = true;
        return;
    }
    pipeline->unreviewed[pipeline->unreviewed_count++] = series->id;
    series->unreviewed = true;
    series->review_from_ms = series->review_to_ms = reading->time_ms;
}

/* --- putting right --- */

static void mark(struct review *review, struct eg_gathered *row, unsigned flags)
{
    if ((row->flags ^ flags) & EG_FLAGS_SET_ASIDE)
        review->aside = true;
    else
        eg_series_recount(review->series, row->time_ms, row->flags, flags);
    if (row->batch_row) {
        review->batch->readings[row->batch_row - 1].flags = (uint16_t)flags;
    } else {
        struct eg_row_reading *again = EG_BATCH_ADD(review->batch, readings);
        flags |= EG_FLAG_REQUALIFIED;
        if (again)
            *again = (struct eg_row_reading){review->series->id, (uint16_t)flags, row->time_ms, row->value};
    }
    if (row->time_ms == review->series->last_ms)
        review->series->last_flags = (uint16_t)flags;
    row->was = row->flags;
    row->flags = (uint16_t)flags;
}

/* Buckets, windows and judgements of what is set aside now, or is not any more. */
static void remake(struct review *review)
{
    int64_t first_ms = EG_TIME_NONE, made_to_ms[EG_PERIOD_COUNT] = {EG_TIME_NONE, EG_TIME_NONE};
    for (size_t i = 0; i < review->gather.count; i++) {
        const struct eg_gathered *row = &review->gather.rows[i];
        if (!((row->was ^ row->flags) & EG_FLAGS_SET_ASIDE))
            continue;
        if (first_ms == EG_TIME_NONE)
            first_ms = row->time_ms;
        for (int period = 0; period < EG_PERIOD_COUNT; period++)
            if (row->time_ms >= made_to_ms[period])
                made_to_ms[period] = eg_series_remake(review->pipeline, review->series,
                                                      (enum eg_period)period, row->time_ms, review->batch);
    }
    if (first_ms != EG_TIME_NONE)
        eg_series_disturb(review->pipeline, review->series, first_ms, review->batch);
}

/* --- looking --- */

static bool one_value(const struct review *review)
{
    const struct eg_gather *gather = &review->gather;
    for (size_t i = 1; i < gather->count && gather->rows[i - 1].time_ms < review->from_ms; i++)
        if (gather->rows[i].value < gather->rows[0].value || gather->rows[i].value > gather->rows[0].value)
            return false;
    return true;
}

/* True: the rest is as it was. A run of one value that begins here began here before, where the reading before it is none of those that
 * came. */
static bool look(struct review *review, struct eg_gathered *row)
{
    const struct eg_conf_limits *limits = review->series->limits;
    /* What a clock in doubt has dated is written once: it is dated anew, and only one row can be. */
    if (row->time_ms < review->from_ms || (!row->batch_row && (row->flags & EG_FLAG_CLOCK))) {
        eg_quality_pass(limits, &review->followed, row->time_ms, row->value, row->flags);
        return false;
    }
    const int64_t before_ms = review->followed.last_ms;
    unsigned flags = eg_quality_next(review->pipeline->conf, limits, &review->followed, row->time_ms,
                                     row->value, row->flags);
    bool same = flags == row->flags;
    if (!same)
        mark(review, row, flags);
    return same && !(flags & EG_FLAG_STEP) && before_ms > review->to_ms &&
           review->followed.run_ms == row->time_ms;
}

/* As far as it makes a difference, or to the newest. False: no memory. */
static bool look_all(struct review *review, int64_t back_ms)
{
    struct eg_series *series = review->series;
    for (int64_t ahead = NEAR_MS;; ahead *= 4) {
        int64_t end_ms = ahead < series->last_ms - review->to_ms ? review->to_ms + ahead : series->last_ms;
        if (!eg_gather_span(review->pipeline, series, review->from_ms - back_ms, end_ms + 1, review->batch,
                            &review->gather))
            return false;
        if (back_ms == NEAR_MS && series->limits->stuck_ms != INT64_MAX && one_value(review))
            return look_all(review, series->last_ms - eg_quality_since(series) + NEAR_MS);
        review->followed = (struct eg_followed){.last_ms = EG_TIME_NONE};
        bool settled = false;
        for (size_t i = 0; i < review->gather.count && !settled; i++)
            settled = look(review, &review->gather.rows[i]);
        if (review->aside)
            remake(review);
        review->aside = false;
        if (!settled && end_ms == series->last_ms)
            series->followed = review->followed;
        if (settled || end_ms == series->last_ms)
            return true;
    }
}

void eg_quality_review(struct eg_pipeline *pipeline, struct eg_batch *batch)
{
    for (size_t i = 0; i < pipeline->unreviewed_count; i++) {
        struct eg_series *series = pipeline->series[pipeline->unreviewed[i] - 1];
        struct review review = {.pipeline = pipeline,
                                .series = series,
                                .batch = batch,
                                .from_ms = series->review_from_ms,
                                .to_ms = series->review_to_ms};
        series->unreviewed = false;
        if (!look_all(&review, NEAR_MS))
            batch->failed = true;
        eg_gather_finish(&review.gather);
    }
    pipeline->unreviewed_count = 0;
}
