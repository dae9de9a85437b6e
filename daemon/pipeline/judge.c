/* Judging: what a rule sees at a reading, and the level that holds there, in the readings' own time. Knows limits, hysteresis and hold;
 * what becomes of a level is case.c's business, and which readings are judged anew is rejudge.c's.
 *
 * Beyond a limit is strictly above (below) it; within is everything else. A level is reached when the statistic has been beyond
 * its `open` for `hold`, and left when it has been within its `clear` for `clear_hold`. */
#include <pipeline/hours.h>
#include <pipeline/unheard.h>
#include <pipeline/state.h>

#include <string.h>

static bool beyond(const struct eg_conf_rule *rule, double value, double limit)
{
    return rule->below ? value < limit : value > limit;
}

/* A timer of a level: since when, and what of that time nobody observed. */
static void run(bool runs, const struct eg_reach *reach, int64_t *since_ms, int64_t *gap_ms)
{
    if (!runs) {
        *since_ms = EG_TIME_NONE;
        *gap_ms = 0;
    } else if (*since_ms == EG_TIME_NONE) {
        *since_ms = reach->at_ms;
        *gap_ms = 0;
    } else {
        *gap_ms += reach->unobserved_ms;
    }
}

static bool over(int64_t since_ms, int64_t gap_ms, int64_t at_ms, int64_t hold_ms)
{
    return since_ms != EG_TIME_NONE && at_ms - since_ms - gap_ms >= hold_ms;
}

enum eg_level eg_judge_advance(const struct eg_conf_rule *rule, struct eg_rule_state *state,
                               const struct eg_reach *reach)
{
    enum eg_level reached = EG_LEVEL_NONE;
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        const struct eg_conf_limit *limit = &reach->levels[level];
        int64_t *since = &state->since_ms[level], *clear = &state->clear_since_ms[level];
        bool breaks = limit->set && reach->holds && beyond(rule, reach->value, limit->open),
             stays_out = limit->set && reach->holds && beyond(rule, reach->value, limit->clear);
        run(breaks, reach, since, &state->gap_ms[level]);
        run(limit->set && !stays_out, reach, clear, &state->clear_gap_ms[level]);
        bool rises = over(*since, state->gap_ms[level], reach->at_ms, rule->hold_ms);
        bool stays = limit->set && level <= state->level &&
                     !over(*clear, state->clear_gap_ms[level], reach->at_ms, rule->clear_hold_ms);
        if (rises || stays)
            reached = (enum eg_level)level;
    }
    for (int level = (int)reached + 1; level < EG_LEVEL_COUNT; level++) {
        state->clear_since_ms[level] = EG_TIME_NONE; /* of a level that holds: no other is left */
        state->clear_gap_ms[level] = 0;
    }
    if (reached && reached != state->level) {
        state->had = (uint8_t)reached;
        state->limit = reach->levels[reached].open;
    }
    state->level = (uint8_t)reached;
    return reached;
}

void eg_judge_nothing(struct eg_rule_state *state)
{
    memset(state, 0, sizeof *state);
    state->seen_ms = EG_TIME_NONE;
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        state->since_ms[level] = state->clear_since_ms[level] = EG_TIME_NONE;
}

bool eg_judge_look(const struct eg_conf_rule *rule, struct eg_window *window, int64_t at_ms, double value,
                   struct eg_seen *ret)
{
    *ret = (struct eg_seen){.value = value, .valid = true, .blind = EG_BLIND_VALUE};
    if (!window) {
        ret->blind = EG_BLIND_NOT;
        return true;
    }
    bool index = rule->statistic == EG_STAT_AQI_CN || rule->statistic == EG_STAT_AQI_US;
    if (!eg_window_value(window, index ? EG_STAT_MEAN : rule->statistic, &ret->value))
        return false;
    if (index &&
        !eg_hours_sub_index(rule->statistic, rule->quantity, rule->window_ms, at_ms, ret->value, &ret->value))
        return false;
    bool asked = rule->valid_ms || rule->valid_share > 0;
    ret->blind = EG_BLIND_NOT;
    if (!asked)
        return true;
    ret->observed_ms = eg_window_observed(window, &ret->width_ms);
    int64_t enough = rule->valid_ms ? rule->valid_ms : (int64_t)(rule->valid_share * (double)ret->width_ms);
    ret->valid =
        rule->valid_hours ? eg_window_hours(window) >= rule->valid_hours : ret->observed_ms >= enough;
    ret->blind = ret->valid ? EG_BLIND_NOT : EG_BLIND_INVALID;
    return ret->valid;
}

/* --- checkpoints --- */

/* Else it is as before the first reading: no level, no timer. */
static bool matters(const struct eg_rule_state *state)
{
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        if (state->since_ms[level] != EG_TIME_NONE)
            return true;
    return state->level || state->case_number;
}

/* Of a stretch: no reading comes later than that after a newer one, and is judged. */
static int64_t width(const struct eg_conf *conf)
{
    return conf->late_limit_ms + conf->future_tolerance_ms + 1;
}

static int64_t stretch(const struct eg_conf *conf, int64_t ms)
{
    return ms < 0 ? -1 : ms / width(conf); /* no reading is from before 1970 */
}

/* Behind the last moment of the stretch that `ms` lies in. */
static int64_t stretch_end(const struct eg_conf *conf, int64_t ms)
{
    return (stretch(conf, ms) + 1) * width(conf);
}

bool eg_judge_checkpoint(const struct eg_conf *conf, struct eg_checkpoint checkpoints[EG_CHECKPOINTS],
                         const struct eg_checkpoint *now, int64_t next_ms)
{
    if (now->at_ms == EG_TIME_NONE || stretch(conf, now->at_ms) == stretch(conf, next_ms) ||
        checkpoints[EG_NEWER].at_ms == now->at_ms)
        return false;
    if (checkpoints[EG_NEWER].at_ms == EG_TIME_NONE ||
        stretch(conf, checkpoints[EG_NEWER].at_ms) != stretch(conf, now->at_ms))
        checkpoints[EG_OLDER] =
            checkpoints[EG_NEWER]; /* else a later one of the same stretch, which came late */
    checkpoints[EG_NEWER] = *now;
    return true;
}

static struct eg_checkpoint as_it_stands(const struct eg_watch *watch, const struct eg_case *row)
{
    return (struct eg_checkpoint){watch->at_ms, watch->state, row ? row->peak_value : 0,
                                  row ? row->peak_ms : 0};
}

/* At most once a stretch, so not asked at each reading. True: it was kept. */
static bool keep_checkpoint(const struct eg_conf *conf, struct eg_watch *watch, const struct eg_case *row,
                            int64_t next_ms)
{
    if (next_ms < watch->stretch_end_ms)
        return false;
    const struct eg_checkpoint stands = as_it_stands(watch, row);
    watch->stretch_end_ms = stretch_end(conf, next_ms);
    if (!eg_judge_checkpoint(conf, watch->checkpoints, &stands, next_ms))
        return false;
    if (watch->behind) /* the newer one is known now, then both */
        watch->behind--;
    return true;
}

/* The newest reading before that time that may be judged; what this turn brings is not in it, some of it may be late. False: no memory. */
static bool newest_before(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t ms,
                          int64_t *ret_ms)
{
    static const struct eg_batch nothing;
    struct eg_gather gather = {0};
    bool ok = ms <= 0 || eg_gather_back(pipeline, series, ms - 1, ms, 1, 0, &nothing, &gather);
    *ret_ms = EG_TIME_NONE;
    for (size_t i = 0; i < gather.count; i++)
        if (!(gather.rows[i].flags & EG_FLAGS_UNJUDGED))
            *ret_ms = gather.rows[i].time_ms;
    eg_gather_finish(&gather);
    return ok;
}

static struct eg_checkpoint all_was_well(int64_t at_ms)
{
    struct eg_checkpoint well = {.at_ms = at_ms};
    eg_judge_nothing(&well.state);
    well.state.seen_ms = at_ms;
    return well;
}

/* As keep_checkpoint() would have kept them, had nobody stopped. */
bool eg_judge_catch_up(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_watch *watch)
{
    const struct eg_conf *conf = pipeline->conf;
    struct eg_checkpoint *older = &watch->checkpoints[EG_OLDER], *newer = &watch->checkpoints[EG_NEWER];
    const int64_t rested = stretch(conf, watch->rests_ms);
    int64_t ms = newer->at_ms;
    bool ok = true;
    if (watch->behind == EG_CHECKPOINTS && rested < stretch(conf, watch->at_ms)) {
        ok = newest_before(pipeline, series, stretch(conf, watch->at_ms) * width(conf), &ms);
        if (ms != newer->at_ms) {
            if (stretch(conf, newer->at_ms) != stretch(conf, ms))
                *older = *newer;
            *newer = all_was_well(ms);
        }
    }
    if (watch->behind && rested < stretch(conf, ms)) {
        ok = newest_before(pipeline, series, stretch(conf, ms) * width(conf), &ms) && ok;
        if (ms != older->at_ms)
            *older = all_was_well(ms);
    }
    watch->behind = 0;
    return ok;
}

void eg_judge_settle(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_watch *watch)
{
    const struct eg_case *row =
        watch->state.case_number ? eg_case_find(pipeline, watch->state.case_number) : NULL;
    watch->at_ms = series->has_last ? series->last_ms : EG_TIME_NONE;
    watch->stretch_end_ms = 0;
    watch->behind = 0;
    watch->checkpoints[EG_OLDER] = watch->checkpoints[EG_NEWER] = as_it_stands(watch, row);
}

void eg_judge_begin(const struct eg_series *series, struct eg_watch *watch)
{
    watch->at_ms = series->has_last ? series->last_ms : EG_TIME_NONE;
    watch->stretch_end_ms = 0;
    watch->checkpoints[EG_OLDER] = watch->checkpoints[EG_NEWER] = all_was_well(EG_TIME_NONE);
    watch->rests_ms = EG_TIME_NONE;
    watch->behind = series->has_last ? EG_CHECKPOINTS : 0;
}

void eg_judge_restore(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_watch *watch,
                      const struct eg_row_rule_state *row)
{
    watch->state = row->state;
    if (!row->state.blind) /* it saw all of them */
        watch->state.seen_ms = eg_rhythm_newest(&series->rhythm);
    eg_judge_settle(pipeline, series, watch);
    if (!row->checkpointed)
        return;
    memcpy(watch->checkpoints, row->checkpoints, sizeof watch->checkpoints);
    if (matters(&row->state))
        return;
    const int64_t settled_ms = row->checkpoints[EG_NEWER].at_ms; /* by people, behind what it saw */
    watch->rests_ms = settled_ms > row->state.seen_ms ? settled_ms : row->state.seen_ms;
    watch->behind = EG_CHECKPOINTS;
}

/* --- the clock was wrong --- */

/* What ran before the doubt and went on in it was unobserved for as long as the clock was behind. */
static void redate_timer(int64_t *since_ms, int64_t *gap_ms, bool went_on, const struct eg_redating *by)
{
    if (*since_ms != EG_TIME_NONE && *since_ms < by->from_ms && went_on && by->later_ms > 0)
        *gap_ms += by->later_ms;
    eg_redate(since_ms, by);
}

static void redate_state(struct eg_rule_state *state, int64_t at_ms, const struct eg_redating *by)
{
    const bool went_on = at_ms != EG_TIME_NONE && at_ms >= by->from_ms && at_ms <= by->to_ms;
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        redate_timer(&state->since_ms[level], &state->gap_ms[level], went_on, by);
        redate_timer(&state->clear_since_ms[level], &state->clear_gap_ms[level], went_on, by);
    }
    eg_redate(&state->seen_ms, by);
}

bool eg_judge_redate(struct eg_rule_state *state, struct eg_checkpoint *checkpoints,
                     const struct eg_redating *by)
{
    struct eg_rule_state before = *state;
    bool moved = false;
    redate_state(state, state->seen_ms, by);
    for (int i = 0; checkpoints && i < EG_CHECKPOINTS; i++) {
        int64_t at_ms = checkpoints[i].at_ms;
        redate_state(&checkpoints[i].state, at_ms, by);
        eg_redate(&checkpoints[i].at_ms, by);
        eg_redate(&checkpoints[i].peak_ms, by);
        moved = moved || checkpoints[i].at_ms != at_ms;
    }
    return moved || memcmp(state, &before, sizeof before) != 0;
}

/* --- at the newest reading --- */

/* A rule that cannot tell: its timers stand still, and whether its limit is broken nobody knows. */
static void keep_blind(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_watch *watch,
                       struct eg_case *row, enum eg_blind blind, int64_t now_ms, struct eg_batch *batch)
{
    if (row && !watch->state.blind)
        eg_case_write(row, batch); /* its last value cannot be recalled from the readings any more */
    watch->state.blind = (uint8_t)blind;
    if (row && eg_blind_unsettles(&pipeline->conf->rules[watch->rule], blind))
        eg_case_unknown(pipeline, row, series->last_ms, now_ms, eg_blind_text(blind), batch);
}

static void follow(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_watch *watch,
                   struct eg_case *row, const struct eg_rule_state *before, struct eg_judged *judged,
                   struct eg_batch *batch)
{
    const struct eg_conf_rule *rule = &pipeline->conf->rules[watch->rule];
    const struct eg_rule_state *state = &watch->state;
    const bool was_blind = eg_blind_unsettles(rule, (enum eg_blind)before->blind); /* and unknown by that */
    judged->since_ms =
        state->since_ms[judged->level] != EG_TIME_NONE ? state->since_ms[judged->level] : series->last_ms;
    judged->limit = state->limit;
    judged->old = row && !was_blind && eg_unheard_old(pipeline, series, series->last_ms, judged->now_ms);
    if (row && (judged->level != before->level || (row->condition == EG_CONDITION_UNKNOWN && !judged->old)))
        eg_case_level(pipeline, row, rule, judged, batch);
    else if (row)
        eg_case_follow(row, rule, judged, batch);
    else if (judged->level && !series->suspect_case)
        watch->state.case_number = eg_case_open(pipeline, series, rule, judged, batch);
}

static void judge(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_watch *watch,
                  int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_conf_rule *rule = &pipeline->conf->rules[watch->rule];
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    struct eg_rule_state *state = &watch->state, before = *state;
    struct eg_case *row = state->case_number ? eg_case_find(pipeline, state->case_number) : NULL;
    struct eg_circumstance goes = {.levels = rule->levels, .holds = true};
    struct eg_seen seen;
    if (eg_registry_retired(device))
        return;
    bool kept = keep_checkpoint(pipeline->conf, watch, row, series->last_ms);
    watch->at_ms = series->last_ms;
    if (!eg_judge_look(rule, watch->window, series->last_ms, series->last_value, &seen)) {
        goes.blind = seen.blind;
    } else if (rule->band_count || rule->node_count) {
        struct eg_sight sights[EG_LINKS_MAX];
        const struct eg_place place = eg_partner_place(pipeline, series);
        eg_circumstance_tell(rule, &place, series->last_ms, sights,
                             eg_partner_sights(pipeline, watch, sights), &goes);
    }
    if (goes.blind) {
        keep_blind(pipeline, series, watch, row, goes.blind, now_ms, batch);
    } else {
        const struct eg_reach reach = {
            .levels = goes.levels,
            .holds = goes.holds,
            .at_ms = series->last_ms,
            .value = seen.value,
            .unobserved_ms = matters(state) ? eg_rhythm_unobserved(&series->rhythm, rule, device,
                                                                   state->seen_ms, series->last_ms)
                                            : 0};
        struct eg_judged judged = {
            .at_ms = series->last_ms, .now_ms = now_ms, .value = seen.value, .levels = goes.levels};
        judged.level = eg_judge_advance(rule, state, &reach);
        state->blind = EG_BLIND_NOT;
        state->seen_ms = series->last_ms;
        follow(pipeline, series, watch, row, &before, &judged, batch);
    }
    before.seen_ms = state->seen_ms;
    if (memcmp(state, &before, sizeof before) == 0 && !(kept && matters(state)))
        return;
    if (!eg_judge_catch_up(pipeline, series, watch))
        batch->failed = true;
    eg_rule_write_state(pipeline, series, watch, batch);
}

void eg_judge_newest(struct eg_pipeline *pipeline, struct eg_series *series, int64_t now_ms,
                     struct eg_batch *batch)
{
    for (size_t i = 0; i < series->watch_count; i++)
        if (!series->waits || !pipeline->conf->rules[series->watches[i].rule].partner_count)
            judge(pipeline, series, &series->watches[i], now_ms, batch);
}

/* --- of rules that look at others, too: when all that came with the reading is there --- */

void eg_judge_defer(struct eg_pipeline *pipeline, struct eg_series *series, int64_t before_ms,
                    struct eg_batch *batch)
{
    if (series->deferred) {
        eg_rejudge_mark(pipeline, series, series->deferred_ms,
                        batch); /* several at once: one after the other */
        return;
    }
    if (!eg_room_more((void **)&pipeline->deferred, pipeline->deferred_count, &pipeline->deferred_capacity,
                      sizeof *pipeline->deferred, SIZE_MAX / 64)) {
        batch->failed = true;
        return;
    }
    pipeline->deferred[pipeline->deferred_count++] = series->id;
    series->deferred = true;
    series->deferred_ms = series->last_ms;
    series->deferred_before_ms = before_ms;
}

void eg_judge_deferred(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    for (size_t d = 0; d < pipeline->deferred_count; d++) {
        struct eg_series *series = pipeline->series[pipeline->deferred[d] - 1];
        bool level = true;
        series->deferred = false;
        if (series->unsettled)
            continue;
        for (size_t i = 0; i < series->watch_count; i++)
            level = level && eg_partner_level(pipeline, series, &series->watches[i]);
        for (size_t i = 0; level && i < series->watch_count; i++)
            if (pipeline->conf->rules[series->watches[i].rule].partner_count)
                judge(pipeline, series, &series->watches[i], now_ms, batch);
        if (!level)
            eg_rejudge_mark(pipeline, series, series->deferred_ms, batch);
    }
    pipeline->deferred_count = 0;
}

/* --- what is not judged --- */

void eg_judge_pass_over(struct eg_pipeline *pipeline, struct eg_series *series, bool judged_before,
                        struct eg_batch *batch)
{
    bool judged = !(series->last_flags & EG_FLAGS_UNJUDGED);
    for (size_t i = 0; i < series->watch_count; i++) {
        struct eg_case *row = series->watches[i].state.case_number
                                  ? eg_case_find(pipeline, series->watches[i].state.case_number)
                                  : NULL;
        if (row && judged)
            eg_judge_recall_last(pipeline, row);
        else if (row && judged_before)
            eg_case_write(row, batch);
    }
}

void eg_judge_recall_last(struct eg_pipeline *pipeline, struct eg_case *row)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    struct eg_seen seen;
    if (!series || !series->has_last || (series->last_flags & EG_FLAGS_UNJUDGED))
        return;
    for (size_t i = 0; i < series->watch_count; i++) {
        struct eg_watch *watch = &series->watches[i];
        if (watch->state.case_number == row->number && !watch->state.blind &&
            eg_judge_look(&pipeline->conf->rules[watch->rule], watch->window, series->last_ms,
                          series->last_value, &seen)) {
            row->last_value = seen.value;
            row->last_ms = series->last_ms;
        }
    }
}
