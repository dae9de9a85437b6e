/* Judging anew: a reading came that is older than the newest, so all that was judged after its time may have to be judged otherwise. Knows
 * how to run a rule's judgements once more over the readings, from a checkpoint on, and how the case it comes to differs from the one
 * that is there. Refuses to know what a level means. Once a turn, whatever came: by eg_pipeline_settle().
 *
 * What was decided stays in the history; what it should have been is appended. What people have ended is not judged anew: their step
 * makes the checkpoints. */
#include <pipeline/state.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PENDING UINT32_MAX /* the number of a case that is not there yet */
#define CHANGES 32         /* of level, that a case which is found late is told of; then only how it stands */

struct change {
    enum eg_level level;
    int64_t at_ms;
    double value;
};
/* One rule's judgements as they run again. */
struct track {
    struct eg_watch *watch;
    const struct eg_conf_rule *rule;
    struct eg_window *window;               /* the watch's, made anew */
    int64_t from_ms, width_ms, interval_ms; /* interval: the device's */
    struct eg_checkpoint now, checkpoints[EG_CHECKPOINTS];
    struct eg_judged opened; /* of the pending case */
    struct change changes[CHANGES], last;
    size_t change_count;
    enum eg_level had; /* the level it has, or had when it last had one */
    bool judged;
    double value; /* as seen last */
};

void eg_rejudge_mark(struct eg_pipeline *pipeline, struct eg_series *series, int64_t from_ms,
                     struct eg_batch *batch)
{
    if (series->unsettled) {
        if (from_ms < series->unsettled_ms)
            series->unsettled_ms = from_ms;
        return;
    }
    if (!eg_room_more((void **)&pipeline->unsettled, pipeline->unsettled_count, &pipeline->unsettled_capacity,
                      sizeof *pipeline->unsettled, SIZE_MAX / 64)) {
        batch->failed = true;
        return;
    }
    pipeline->unsettled[pipeline->unsettled_count++] = series->id;
    series->unsettled = true;
    series->unsettled_ms = from_ms;
}

/* --- running --- */

static void begin(struct track *track, struct eg_pipeline *pipeline, struct eg_watch *watch, int64_t late_ms)
{
    const struct eg_checkpoint *base = &watch->checkpoints[late_ms > watch->checkpoints[EG_NEWER].at_ms];
    memset(track, 0, sizeof *track);
    track->watch = watch;
    track->rule = &pipeline->conf->rules[watch->rule];
    track->window = watch->window;
    track->width_ms = track->window ? track->rule->window_ms : 0;
    track->now = *base;
    track->from_ms = base->at_ms == EG_TIME_NONE ? 0 : base->at_ms; /* no reading is from before 1970 */
    track->checkpoints[EG_OLDER] = watch->checkpoints[EG_OLDER];
    track->checkpoints[EG_NEWER] = *base;
    track->had = (enum eg_level)base->state.level;
    if (track->window)
        eg_window_clear(track->window);
}

static void note_change(struct track *track, enum eg_level level, int64_t at_ms, double value)
{
    track->last = (struct change){level, at_ms, value};
    if (track->change_count < CHANGES)
        track->changes[track->change_count++] = track->last;
    if (level)
        track->had = level;
}

static bool feed(struct track *track, const struct eg_conf *conf, const struct eg_gathered *reading)
{
    struct eg_seen seen;
    struct eg_rule_state *state = &track->now.state;
    if ((reading->flags & EG_FLAGS_UNJUDGED) || reading->time_ms <= track->from_ms - track->width_ms)
        return true;
    if (track->window && !eg_window_add(track->window, reading->time_ms, reading->value))
        return false;
    if (reading->time_ms <= track->from_ms || !eg_judge_look(track->rule, track->window, track->interval_ms,
                                                             reading->time_ms, reading->value, &seen))
        return true;
    eg_judge_checkpoint(conf, track->checkpoints, &track->now, reading->time_ms);
    enum eg_level before = (enum eg_level)state->level,
                  level = eg_judge_advance(track->rule, state, reading->time_ms, seen.value);
    track->now.at_ms = reading->time_ms;
    track->judged = true;
    track->value = seen.value;
    if (!state->case_number && level) {
        state->case_number = PENDING;
        track->opened = (struct eg_judged){.level = level, .at_ms = reading->time_ms, .value = seen.value};
        track->opened.since_ms =
            state->since_ms[level] != EG_TIME_NONE ? state->since_ms[level] : reading->time_ms;
        track->last = (struct change){level, reading->time_ms, seen.value};
        track->had = level;
    } else if (level != before) {
        note_change(track, level, reading->time_ms, seen.value);
    }
    bool opens = track->opened.at_ms == reading->time_ms && state->case_number == PENDING;
    if (state->case_number && (opens || (track->rule->below ? seen.value < track->now.peak_value
                                                            : seen.value > track->now.peak_value))) {
        track->now.peak_value = seen.value;
        track->now.peak_ms = reading->time_ms;
    }
    return true;
}

/* --- what it comes to --- */

static struct eg_judged as_judged(const struct change *change, int64_t now_ms)
{
    return (struct eg_judged){.level = change->level,
                              .at_ms = change->at_ms,
                              .since_ms = change->at_ms,
                              .now_ms = now_ms,
                              .value = change->value};
}

/* The times of a case as they are now known to be: it was opened at another one, or without reason. */
static void correct(struct eg_pipeline *pipeline, struct eg_case *row, const struct track *track,
                    int64_t now_ms, struct eg_batch *batch)
{
    char from[EG_TIME_TEXT], to[EG_TIME_TEXT];
    bool without = !track->now.state.case_number;
    struct eg_case_event event = {.at_ms = without ? row->opened_ms : track->opened.since_ms,
                                  .known_ms = now_ms,
                                  .kind = "corrected",
                                  .actor = "ecogovd",
                                  .from = eg_time_format(row->opened_ms, from),
                                  .to = without ? "" : eg_time_format(track->opened.since_ms, to),
                                  .value = without ? NAN : track->opened.value,
                                  .note = without ? "with readings that came late, the limit was not broken"
                                                  : ""};
    if (without ? row->condition != EG_CONDITION_BREACHING : row->opened_ms == track->opened.since_ms)
        return;
    if (!without)
        row->opened_ms = track->opened.since_ms;
    eg_case_happened(pipeline, row, event, batch);
}

/* It is within the limit again, but the level it had was another. */
static void correct_level(struct eg_pipeline *pipeline, struct eg_case *row, const struct track *track,
                          const struct eg_judged *judged, struct eg_batch *batch)
{
    struct eg_case_event event = {.at_ms = judged->at_ms,
                                  .known_ms = judged->now_ms,
                                  .kind = "level",
                                  .actor = "ecogovd",
                                  .from = eg_level_name((enum eg_level)row->level),
                                  .to = eg_level_name(track->had),
                                  .note = "",
                                  .value = judged->value};
    row->level = (uint8_t)track->had;
    row->limit = track->rule->levels[track->had].open;
    eg_case_happened(pipeline, row, event, batch);
}

static void reconcile(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_case *row,
                      const struct track *track, int64_t now_ms, struct eg_batch *batch)
{
    struct eg_case before = *row;
    enum eg_level level = (enum eg_level)track->now.state.level,
                  shown =
                      row->condition == EG_CONDITION_BREACHING ? (enum eg_level)row->level : EG_LEVEL_NONE;
    row->last_value = track->value;
    row->last_ms = track->now.at_ms;
    if (track->now.state.case_number == PENDING || !track->now.state.case_number)
        correct(pipeline, row, track, now_ms, batch);
    if (track->now.state.case_number) {
        row->peak_value = track->now.peak_value;
        row->peak_ms = track->now.peak_ms;
    }
    struct eg_judged judged = {
        .level = level, .at_ms = track->now.at_ms, .now_ms = now_ms, .value = track->value};
    if (level != shown) {
        if (track->last.level == level && track->last.at_ms >= series->unsettled_ms)
            judged = as_judged(&track->last, now_ms);
        eg_case_level(pipeline, row, track->rule, &judged, batch);
    }
    if (!level && track->had && track->had != row->level)
        correct_level(pipeline, row, track, &judged, batch);
    row->last_value = track->value;
    row->last_ms = track->now.at_ms;
    if (row->peak_ms != before.peak_ms || row->peak_value != before.peak_value ||
        (series->last_flags & EG_FLAGS_UNJUDGED)) /* else a restart finds its last value among the readings */
        eg_case_write(row, batch);
}

static uint32_t open_case(struct eg_pipeline *pipeline, struct eg_series *series, struct track *track,
                          int64_t now_ms, struct eg_batch *batch)
{
    track->opened.now_ms = now_ms;
    uint32_t number = eg_case_open(pipeline, series, track->rule, &track->opened, batch);
    struct eg_case *row = number ? eg_case_find(pipeline, number) : NULL;
    for (size_t i = 0; row && i < track->change_count; i++) {
        struct eg_judged judged = as_judged(&track->changes[i], now_ms);
        eg_case_level(pipeline, row, track->rule, &judged, batch);
    }
    if (row)
        reconcile(pipeline, series, row, track, now_ms, batch);
    return number;
}

static void end(struct eg_pipeline *pipeline, struct eg_series *series, struct track *track, int64_t now_ms,
                struct eg_batch *batch)
{
    struct eg_watch *watch = track->watch;
    uint32_t number = watch->state.case_number;
    struct eg_case *row = number ? eg_case_find(pipeline, number) : NULL;
    if (!track->judged)
        return;
    if (row)
        reconcile(pipeline, series, row, track, now_ms, batch);
    else if (track->now.state.case_number == PENDING)
        number = open_case(pipeline, series, track, now_ms, batch);
    for (int i = 0; i < EG_CHECKPOINTS; i++)
        if (track->checkpoints[i].state.case_number == PENDING)
            track->checkpoints[i].state.case_number = number;
    track->now.state.case_number = number;
    watch->state = track->now.state;
    watch->at_ms = track->now.at_ms;
    memcpy(watch->checkpoints, track->checkpoints, sizeof watch->checkpoints);
    eg_rule_write_state(pipeline, series, watch, batch);
}

static bool run(struct eg_pipeline *pipeline, struct eg_series *series, struct track *tracks,
                struct eg_batch *batch)
{
    struct eg_gather gather = {0};
    int64_t from_ms = INT64_MAX;
    for (size_t i = 0; i < series->watch_count; i++) {
        begin(&tracks[i], pipeline, &series->watches[i], series->unsettled_ms);
        tracks[i].interval_ms = pipeline->devices[series->device - 1].interval_ms;
        if (tracks[i].from_ms - tracks[i].width_ms < from_ms)
            from_ms = tracks[i].from_ms - tracks[i].width_ms;
    }
    bool ok = eg_gather_span(pipeline, series, from_ms + 1, series->last_ms + 1, batch, &gather);
    for (size_t r = 0; ok && r < gather.count; r++)
        for (size_t i = 0; ok && i < series->watch_count; i++)
            ok = feed(&tracks[i], pipeline->conf, &gather.rows[r]);
    for (size_t i = 0; ok && i < series->watch_count; i++)
        end(pipeline, series, &tracks[i], batch->now_ms, batch);
    eg_gather_finish(&gather);
    return ok;
}

void eg_pipeline_settle(struct eg_pipeline *pipeline, struct eg_batch *batch)
{
    eg_quality_review(pipeline, batch);
    for (size_t i = 0; i < pipeline->unsettled_count; i++) {
        struct eg_series *series = pipeline->series[pipeline->unsettled[i] - 1];
        struct track *tracks = calloc(series->watch_count ? series->watch_count : 1, sizeof *tracks);
        series->unsettled = false;
        if (!tracks || !run(pipeline, series, tracks, batch))
            batch->failed = true;
        free(tracks);
    }
    pipeline->unsettled_count = 0;
}

bool eg_pipeline_unsettled(const struct eg_pipeline *pipeline)
{
    return pipeline->unsettled_count > 0; /* what is to be reviewed only, nobody judges */
}
