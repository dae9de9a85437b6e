/* What quality control finds in a series when a reading came out of order: it is looked at in its place, and so are the one before it and
 * those behind it, as far as it makes a difference to them; and when one that came in order shows the one before it to be a spike. Knows
 * how to run the checks once more over the readings and how to put right what was stored; refuses to know what is checked (quality.c).
 * Once a turn, before anything is judged anew: by eg_pipeline_settle().
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

/* With this turn. */
static void look_later(struct eg_pipeline *pipeline, struct eg_series *series, int64_t ms,
                       struct eg_batch *batch)
{
    if (series->unreviewed) {
        series->review_from_ms = ms < series->review_from_ms ? ms : series->review_from_ms;
        series->review_to_ms = ms > series->review_to_ms ? ms : series->review_to_ms;
        return;
    }
    if (!eg_room_more((void **)&pipeline->unreviewed, pipeline->unreviewed_count,
                      &pipeline->unreviewed_capacity, sizeof *pipeline->unreviewed, SIZE_MAX / 64)) {
        batch->failed = true;
        return;
    }
    pipeline->unreviewed[pipeline->unreviewed_count++] = series->id;
    series->unreviewed = true;
    series->review_from_ms = series->review_to_ms = ms;
}

void eg_quality_take(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_reading *reading,
                     struct eg_batch *batch)
{
    const bool newest = !series->has_last || reading->time_ms > series->last_ms,
               spiked = newest && eg_quality_spiked(series->limits, &series->followed, reading->time_ms,
                                                    reading->value);
    struct eg_followed alone = {.last.ms = EG_TIME_NONE}, *followed = newest ? &series->followed : &alone;
    reading->flags = (uint16_t)eg_quality_next(pipeline->conf, series->limits, followed, reading->time_ms,
                                               reading->value, reading->flags, false);
    if (!newest || spiked)
        look_later(pipeline, series, reading->time_ms, batch);
    /* What is about to be set aside is not to be judged together with this one first. */
    if (spiked && pipeline->conf->quality.strict && !(series->last_flags & EG_FLAGS_SET_ASIDE))
        eg_series_disturb(pipeline, series, series->last_ms, batch);
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
        if (review->pipeline->siteindices && !(row->flags & (EG_FLAGS_UNJUDGED & ~EG_FLAGS_SET_ASIDE)))
            eg_siteindex_hear(review->pipeline, review->series, row->time_ms, review->batch->now_ms,
                              review->batch);
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

/* A run may have begun further back; the one before those that came, or the one before that, may lie there. */
static bool too_little(const struct review *review)
{
    const struct eg_conf_limits *limits = review->series->limits;
    const struct eg_gather *gather = &review->gather;
    const bool two = gather->count > 1 && gather->rows[1].time_ms < review->from_ms;
    return (!isinf(limits->spike) && !two) || (limits->stuck_ms != INT64_MAX && one_value(review));
}

static struct eg_told_value value_of(const struct eg_gathered *row)
{
    return (struct eg_told_value){row->time_ms, row->value};
}

/* The one before those that came: all that was found in it stays, but that it is a spike may be over, or begin. */
static void look_at_neighbour(struct review *review, struct eg_gathered *row, bool spike)
{
    unsigned flags = eg_quality_respike(review->pipeline->conf, row->flags, spike);
    if (flags != row->flags)
        mark(review, row, flags);
    eg_quality_pass(review->series->limits, &review->followed, row->time_ms, row->value, flags);
}

/* True: the rest is as it was. A run of one value that begins here began here before, where the reading before it is none of those that
 * came. What a clock in doubt has dated is written once: it is dated anew, and only one row can be; it is not asked for spikes at all, or
 * it would matter in which turn the next one came. */
static bool look(struct review *review, size_t at)
{
    const struct eg_conf_limits *limits = review->series->limits;
    struct eg_gathered *row = &review->gather.rows[at];
    const struct eg_gathered *next = at + 1 < review->gather.count ? row + 1 : NULL;
    const bool unsure = row->flags & EG_FLAG_CLOCK,
               spike = at && next && !unsure &&
                       eg_quality_spikes(limits, value_of(row - 1), value_of(row), value_of(next));
    if (row->time_ms < review->from_ms && next && next->time_ms >= review->from_ms) {
        look_at_neighbour(review, row, spike);
        return false;
    }
    if (row->time_ms < review->from_ms || (!row->batch_row && unsure)) {
        eg_quality_pass(limits, &review->followed, row->time_ms, row->value, row->flags);
        return false;
    }
    const int64_t before_ms = review->followed.last.ms;
    unsigned flags = eg_quality_next(review->pipeline->conf, limits, &review->followed, row->time_ms,
                                     row->value, row->flags, spike);
    bool same = flags == row->flags;
    if (!same)
        mark(review, row, flags);
    return same && !(flags & (EG_FLAG_STEP | EG_FLAG_SPIKE)) && before_ms > review->to_ms &&
           review->followed.run_ms == row->time_ms;
}

/* Over what was gathered. Where that ends before the newest, what is behind the last one is not known: it is looked at further on. */
static bool look_on(struct review *review, bool to_the_newest)
{
    const size_t count = review->gather.count;
    bool settled = false;
    review->followed = (struct eg_followed){.last.ms = EG_TIME_NONE};
    for (size_t i = 0; i + !to_the_newest < count && !settled; i++)
        settled = look(review, i);
    return settled;
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
        if (back_ms == NEAR_MS && too_little(review))
            return look_all(review, series->last_ms - eg_quality_since(series) + EG_SPIKE_REACH_MS);
        bool settled = look_on(review, end_ms == series->last_ms);
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
