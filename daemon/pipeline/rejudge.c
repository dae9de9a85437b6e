/* Judging anew: a reading came that is older than the newest, so all that was judged after its time may have to be judged otherwise. Knows
 * how to run a rule's judgements once more over the readings, from a checkpoint on, and how the case it comes to differs from the one
 * that is there. Refuses to know what a level means. Once a turn, whatever came: by eg_pipeline_settle().
 *
 * What was decided stays in the history; what it should have been is appended. What people have ended is not judged anew: their step
 * makes the checkpoints. */
#include <pipeline/unheard.h>
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
    const struct eg_conf_limit *levels; /* that held there */
};
/* A series that the rule looks at, too, as it comes along. */
struct companion {
    struct eg_sight sight;
    enum eg_statistic statistic;
    struct eg_gather gather;
    size_t next;
    struct eg_window *window; /* NULL: the reading itself */
};
/* One rule's judgements as they run again. */
struct track {
    struct eg_watch *watch;
    const struct eg_conf_rule *rule;
    struct eg_window *window; /* the watch's, made anew */
    int64_t from_ms, width_ms;
    const struct eg_device *device;
    struct eg_place place;
    struct eg_rhythm rhythm;
    struct companion *companions;
    struct eg_checkpoint now, checkpoints[EG_CHECKPOINTS];
    struct eg_judged opened; /* of the pending case */
    struct change changes[CHANGES], last;
    size_t change_count;
    int64_t blind_ms;                   /* since when it cannot tell */
    bool ran, judged;                   /* over a reading at all; over one it could judge */
    double value;                       /* as seen last */
    const struct eg_conf_limit *levels; /* likewise */
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

/* --- those beside it --- */

static void finish_companions(struct track *track)
{
    for (size_t i = 0; track->companions && i < track->watch->link_count; i++) {
        eg_window_destroy(track->companions[i].window);
        eg_gather_finish(&track->companions[i].gather);
    }
    free(track->companions);
    track->companions = NULL;
}

static bool begin_companions(struct eg_pipeline *pipeline, struct track *track, int64_t to_ms,
                             const struct eg_batch *batch)
{
    const struct eg_watch *watch = track->watch;
    bool ok = true;
    track->companions = watch->link_count ? calloc(watch->link_count, sizeof *track->companions) : NULL;
    if (watch->link_count && !track->companions)
        return false;
    for (size_t i = 0; ok && i < watch->link_count; i++) {
        const struct eg_link *link = &watch->links[i];
        const struct eg_series *other = pipeline->series[link->series - 1];
        const struct eg_lookout *lookout = &other->lookouts[link->lookout];
        struct companion *one = &track->companions[i];
        one->sight = (struct eg_sight){
            .partner = link->partner, .series = link->series, .same_channel = link->same_channel};
        one->statistic = lookout->shape.statistic;
        one->window = lookout->window ? eg_window_create(&lookout->shape) : NULL;
        ok =
            (!lookout->window || one->window) && eg_gather_back(pipeline, other, track->from_ms, to_ms, 1,
                                                                lookout->shape.width_ms, batch, &one->gather);
    }
    return ok;
}

/* What they show after all their readings up to `at_ms`. */
static bool come_along(struct track *track, int64_t at_ms, struct eg_sight sights[EG_LINKS_MAX])
{
    bool ok = true;
    for (size_t i = 0; i < track->watch->link_count; i++) {
        struct companion *one = &track->companions[i];
        for (; one->next < one->gather.count && one->gather.rows[one->next].time_ms <= at_ms; one->next++) {
            const struct eg_gathered *row = &one->gather.rows[one->next];
            if (row->flags & EG_FLAGS_UNJUDGED)
                continue;
            ok = (!one->window || eg_window_add(one->window, row->time_ms, row->value, 0)) && ok;
            one->sight.measured = true;
            one->sight.ms = row->time_ms;
            one->sight.value = row->value;
        }
        one->sight.known = one->sight.measured &&
                           (!one->window || eg_window_value(one->window, one->statistic, &one->sight.value));
        sights[i] = one->sight;
    }
    return ok;
}

/* --- running --- */

static void begin(struct track *track, struct eg_pipeline *pipeline, const struct eg_series *series,
                  struct eg_watch *watch)
{
    const struct eg_checkpoint *base =
        &watch->checkpoints[series->unsettled_ms > watch->checkpoints[EG_NEWER].at_ms];
    memset(track, 0, sizeof *track);
    track->watch = watch;
    track->rule = &pipeline->conf->rules[watch->rule];
    track->device = &pipeline->devices[series->device - 1];
    track->place = eg_partner_place(pipeline, series);
    track->window = watch->window;
    track->width_ms = track->window ? track->rule->window_ms : 0;
    track->now = *base;
    track->from_ms = base->at_ms == EG_TIME_NONE ? 0 : base->at_ms; /* no reading is from before 1970 */
    track->checkpoints[EG_OLDER] = watch->checkpoints[EG_OLDER];
    track->checkpoints[EG_NEWER] = *base;
    track->levels = track->rule->levels;
    track->blind_ms = track->from_ms;
    if (track->window)
        eg_window_clear(track->window);
}

static void note_change(struct track *track, const struct change *change)
{
    track->last = *change;
    if (track->change_count < CHANGES)
        track->changes[track->change_count++] = *change;
}

/* A reading the rule can judge. */
static void advance(struct track *track, int64_t at_ms, double value, const struct eg_circumstance *goes)
{
    struct eg_rule_state *state = &track->now.state;
    enum eg_level before = (enum eg_level)state->level;
    const struct eg_reach reach = {.levels = goes->levels,
                                   .holds = goes->holds,
                                   .at_ms = at_ms,
                                   .value = value,
                                   .unobserved_ms = eg_rhythm_unobserved(
                                       &track->rhythm, track->rule, track->device, state->seen_ms, at_ms)};
    const struct change change = {eg_judge_advance(track->rule, state, &reach), at_ms, value, goes->levels};
    const bool opens = !state->case_number && change.level;
    state->blind = EG_BLIND_NOT;
    state->seen_ms = at_ms;
    track->judged = true;
    track->value = value;
    track->levels = goes->levels;
    if (opens) {
        state->case_number = PENDING;
        track->opened =
            (struct eg_judged){.level = change.level, .at_ms = at_ms, .value = value, .levels = goes->levels};
        track->opened.since_ms =
            state->since_ms[change.level] != EG_TIME_NONE ? state->since_ms[change.level] : at_ms;
        track->last = change;
    } else if (change.level != before) {
        note_change(track, &change);
    }
    if (state->case_number &&
        (opens || (track->rule->below ? value < track->now.peak_value : value > track->now.peak_value))) {
        track->now.peak_value = value;
        track->now.peak_ms = at_ms;
    }
}

static bool feed(struct track *track, const struct eg_conf *conf, const struct eg_gathered *reading)
{
    struct eg_seen seen;
    struct eg_sight sights[EG_LINKS_MAX];
    struct eg_circumstance goes = {.levels = track->rule->levels, .holds = true};
    const int64_t at_ms = reading->time_ms;
    bool ok = true;
    if (reading->flags & EG_FLAGS_UNJUDGED)
        return true;
    if (track->window && at_ms > track->from_ms - track->width_ms)
        ok = eg_window_add(track->window, at_ms, reading->value, eg_rhythm_spoken(&track->rhythm, at_ms));
    if (ok && at_ms > track->from_ms) {
        eg_judge_checkpoint(conf, track->checkpoints, &track->now, at_ms);
        track->now.at_ms = at_ms;
        track->ran = true;
        if (!eg_judge_look(track->rule, track->window, at_ms, reading->value, &seen)) {
            goes.blind = seen.blind;
        } else if (track->rule->band_count || track->rule->node_count) {
            ok = come_along(track, at_ms, sights);
            eg_circumstance_tell(track->rule, &track->place, at_ms, sights, track->watch->link_count, &goes);
        }
        if (goes.blind && !track->now.state.blind)
            track->blind_ms = at_ms;
        if (goes.blind)
            track->now.state.blind = (uint8_t)goes.blind;
        else
            advance(track, at_ms, seen.value, &goes);
    }
    eg_rhythm_add(&track->rhythm, at_ms);
    return ok;
}

/* --- what it comes to --- */

static struct eg_judged as_judged(const struct change *change, int64_t now_ms)
{
    return (struct eg_judged){.level = change->level,
                              .at_ms = change->at_ms,
                              .since_ms = change->at_ms,
                              .now_ms = now_ms,
                              .value = change->value,
                              .levels = change->levels,
                              .limit = change->levels[change->level].open};
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
    if (without ? row->condition == EG_CONDITION_OK : row->opened_ms == track->opened.since_ms)
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
                                  .to = eg_level_name((enum eg_level)track->now.state.had),
                                  .note = "",
                                  .value = judged->value};
    row->level = track->now.state.had;
    row->limit = track->now.state.limit;
    eg_case_happened(pipeline, row, event, batch);
}

static void reconcile(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_case *row,
                      const struct track *track, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_case before = *row;
    const struct eg_rule_state *state = &track->now.state;
    const bool unknown = eg_blind_unsettles(track->rule, (enum eg_blind)state->blind) &&
                         row->condition == EG_CONDITION_UNKNOWN;
    enum eg_level level = (enum eg_level)track->now.state.level,
                  shown =
                      row->condition == EG_CONDITION_BREACHING ? (enum eg_level)row->level : EG_LEVEL_NONE;
    row->last_value = track->value;
    row->last_ms = track->now.state.seen_ms;
    if (state->case_number == PENDING || (!state->case_number && !unknown))
        correct(pipeline, row, track, now_ms, batch);
    if (track->now.state.case_number) {
        row->peak_value = track->now.peak_value;
        row->peak_ms = track->now.peak_ms;
    }
    struct eg_judged judged = {.level = level,
                               .at_ms = track->now.state.seen_ms,
                               .now_ms = now_ms,
                               .value = track->value,
                               .levels = track->levels,
                               .limit = track->now.state.limit};
    judged.old = !eg_blind_unsettles(track->rule, (enum eg_blind)track->watch->state.blind) &&
                 eg_unheard_old(pipeline, series, track->now.at_ms, now_ms);
    if (!unknown && (level != shown || (row->condition == EG_CONDITION_UNKNOWN && !judged.old))) {
        const bool old = judged.old;
        if (track->last.level == level && track->last.at_ms >= series->unsettled_ms)
            judged = as_judged(&track->last, now_ms);
        judged.old = old;
        eg_case_level(pipeline, row, track->rule, &judged, batch);
    }
    if ((!level || unknown) && state->had && state->had != row->level)
        correct_level(pipeline, row, track, &judged, batch);
    if (state->had && state->had == row->level)
        row->limit = state->limit;
    row->last_value = track->value;
    row->last_ms = track->now.state.seen_ms;
    if (row->limit != before.limit || row->peak_ms != before.peak_ms ||
        row->peak_value != before.peak_value || track->now.state.blind ||
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
    if (!track->ran || eg_registry_retired(&pipeline->devices[series->device - 1]))
        return;
    const enum eg_blind blind = (enum eg_blind)track->now.state.blind;
    if (row && track->judged)
        reconcile(pipeline, series, row, track, now_ms, batch);
    else if (track->now.state.case_number == PENDING && !series->suspect_case)
        number = open_case(pipeline, series, track, now_ms, batch);
    row = number ? eg_case_find(pipeline, number) : NULL;
    if (row && eg_blind_unsettles(track->rule, blind))
        eg_case_unknown(pipeline, row, track->blind_ms, now_ms, eg_blind_text(blind), batch);
    for (int i = 0; i < EG_CHECKPOINTS; i++)
        if (track->checkpoints[i].state.case_number == PENDING)
            track->checkpoints[i].state.case_number = number;
    track->now.state.case_number = number;
    watch->state = track->now.state;
    watch->at_ms = track->now.at_ms;
    watch->stretch_end_ms = 0;
    memcpy(watch->checkpoints, track->checkpoints, sizeof watch->checkpoints);
    eg_rule_write_state(pipeline, series, watch, batch);
}

static bool run_tracks(struct eg_pipeline *pipeline, struct eg_series *series, struct track *tracks,
                       struct eg_batch *batch)
{
    struct eg_gather gather = {0};
    int64_t from_ms = INT64_MAX, width_ms = 0;
    bool ok = true;
    for (size_t i = 0; i < series->watch_count; i++) {
        ok = eg_judge_catch_up(pipeline, series, &series->watches[i]) && ok;
        begin(&tracks[i], pipeline, series, &series->watches[i]);
        from_ms = tracks[i].from_ms < from_ms ? tracks[i].from_ms : from_ms;
        if (tracks[i].width_ms && tracks[i].width_ms + EG_RHYTHM_BACK_MS > width_ms)
            width_ms = tracks[i].width_ms + EG_RHYTHM_BACK_MS;
    }
    for (size_t i = 0; ok && i < series->watch_count; i++)
        ok = begin_companions(pipeline, &tracks[i], series->last_ms + 1, batch);
    ok = ok && eg_gather_back(pipeline, series, from_ms, series->last_ms + 1, EG_RHYTHM_READINGS, width_ms,
                              batch, &gather);
    for (size_t r = 0; ok && r < gather.count; r++)
        for (size_t i = 0; ok && i < series->watch_count; i++)
            ok = feed(&tracks[i], pipeline->conf, &gather.rows[r]);
    for (size_t i = 0; ok && i < series->watch_count; i++)
        end(pipeline, series, &tracks[i], batch->now_ms, batch);
    for (size_t i = 0; i < series->watch_count; i++)
        finish_companions(&tracks[i]);
    eg_gather_finish(&gather);
    return ok;
}

static bool run(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_batch *batch)
{
    struct track *tracks = calloc(series->watch_count ? series->watch_count : 1, sizeof *tracks);
    bool ok = tracks && (!series->watch_count || run_tracks(pipeline, series, tracks, batch));
    free(tracks);
    return eg_partner_refill(pipeline, series, batch) && ok; /* as it stands now, for whom it may concern */
}

void eg_pipeline_settle(struct eg_pipeline *pipeline, struct eg_batch *batch)
{
    eg_quality_review(pipeline, batch);
    for (size_t i = 0; i < pipeline->unsettled_count; i++) {
        struct eg_series *series = pipeline->series[pipeline->unsettled[i] - 1];
        series->unsettled = false;
        if (!run(pipeline, series, batch))
            batch->failed = true;
    }
    pipeline->unsettled_count = 0;
    eg_siteindex_judge(pipeline, batch->now_ms, true, batch);
}

bool eg_pipeline_unsettled(const struct eg_pipeline *pipeline)
{
    return pipeline->unsettled_count > 0 || pipeline->index_late ||
           pipeline->index_touched; /* what is to be reviewed only, nobody judges */
}
