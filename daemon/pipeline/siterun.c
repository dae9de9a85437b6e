/* Judging the hours or days of a site's index, in their order, from where a rule stood up to the newest, and the case that comes of it.
 * Knows what is judged for the first time, each at its own time, and what is judged once more since hours have changed, which is compared
 * with the case that is there. Refuses to know what an index is (sitelook.c), when hours are over (siterule.c) and what a level means
 * (judge.c). Called by siteindex.c.
 *
 * Nothing in a case's history is taken back: an event `corrected` says what was and what is. Before the first hour that has changed nothing
 * opens that had not: what came beyond the late limit is in the hours, too. */
#include <pipeline/evidence.h>
#include <pipeline/explain.h>
#include <pipeline/hours.h>
#include <pipeline/siteindex.h>
#include <pipeline/state.h>

#include <base/zone.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PENDING UINT32_MAX /* the number of a case that should be there */
#define NOTE_BYTES 160
#define HOURS_MAX 200000 /* of series, that are read for one judgement */
#define HOUR_UNKNOWN_MS (3 * EG_HOUR_MS)
#define DAY_UNKNOWN_MS (30 * EG_HOUR_MS)
#define SLACK_MS (3 * EG_HOUR_MS) /* until what came within the late limit is judged */

struct change {
    enum eg_level level;
    int64_t at_ms, since_ms;
    double value;
};
struct run {
    struct eg_pipeline *pipeline;
    struct eg_siteindex *index;
    const struct eg_index_site *site;
    const struct eg_conf_rule *rule;
    struct eg_batch *batch;
    int64_t now_ms, touched_ms;
    struct eg_site_hours hours;
    struct eg_checkpoint now, checkpoints[EG_CHECKPOINTS];
    struct change opened, turned,
        last;       /* where a case would have opened, the level was another; the newest */
    bool once_more; /* the case that is there is compared when all that was judged is judged again */
    bool any;       /* an hour or day had an index */
};

static struct eg_case *case_of(const struct run *run)
{
    const uint32_t number = run->index->state.case_number;
    return number ? eg_case_find(run->pipeline, number) : NULL;
}

/* --- what comes after it --- */

static int64_t next_point(const struct eg_conf_rule *rule, int64_t at_ms)
{
    int64_t start_ms, end_ms;
    if (eg_siteindex_of_days(rule))
        eg_zone_day(at_ms, &start_ms, &end_ms);
    else
        eg_zone_hour(at_ms, &start_ms, &end_ms);
    return end_ms;
}

int64_t eg_siterun_unknown_after(const struct eg_conf_rule *rule)
{
    return eg_siteindex_of_days(rule) ? DAY_UNKNOWN_MS : HOUR_UNKNOWN_MS;
}

static bool is_old(const struct run *run, int64_t at_ms)
{
    return run->now_ms - at_ms > eg_siterun_unknown_after(run->rule);
}

static struct eg_judged judged_of(const struct run *run, const struct change *change, char note[NOTE_BYTES])
{
    return (struct eg_judged){.level = change->level,
                              .at_ms = change->at_ms,
                              .since_ms = change->since_ms,
                              .now_ms = run->now_ms,
                              .value = change->value,
                              .levels = run->rule->levels,
                              .limit = run->now.state.limit,
                              .note = eg_sitelook_note(&run->hours, change->at_ms, note, NOTE_BYTES)};
}

/* --- for the first time --- */

static enum eg_level shown(const struct eg_case *row)
{
    return row->condition == EG_CONDITION_BREACHING ? (enum eg_level)row->level : EG_LEVEL_NONE;
}

static void open_case(struct run *run)
{
    char note[NOTE_BYTES];
    const struct eg_judged judged = judged_of(run, &run->last, note);
    const uint32_t newest = run->pipeline->last_case;
    struct eg_case row = {.quantity = (uint16_t)run->rule->quantity};
    snprintf(row.site, sizeof row.site, "%s", run->pipeline->conf->sites[run->index->site].id);
    snprintf(row.domain, sizeof row.domain, "%s", eg_siteindex_domain(run->rule));
    uint32_t number = eg_case_open_at(run->pipeline, &row, run->rule, &judged, run->batch);
    const struct eg_case *opened = number ? eg_case_find(run->pipeline, number) : NULL;
    run->index->state.case_number = run->now.state.case_number = number;
    if (!opened)
        return;
    run->now.peak_value = opened->peak_value;
    run->now.peak_ms = opened->peak_ms;
    if (number <= newest) /* one that people had closed: what was before is settled */
        run->checkpoints[EG_OLDER] = run->checkpoints[EG_NEWER] = run->now;
    eg_evidence_index(run->pipeline, run->site, run->rule, opened, run->batch);
}

static void follow(struct run *run, struct eg_case *row, const struct change *tells)
{
    char note[NOTE_BYTES] = "";
    const bool old = is_old(run, run->last.at_ms),
               known_again = row->condition == EG_CONDITION_UNKNOWN && !old,
               turns = tells->level != shown(row) || known_again;
    struct eg_judged judged = {.level = tells->level,
                               .at_ms = tells->at_ms,
                               .since_ms = tells->since_ms,
                               .now_ms = run->now_ms,
                               .value = tells->value,
                               .levels = run->rule->levels,
                               .limit = run->now.state.limit,
                               .old = old};
    if (run->now.state.case_number) {
        row->peak_value = run->now.peak_value;
        row->peak_ms = run->now.peak_ms;
    }
    if (turns) {
        judged.note = eg_sitelook_note(&run->hours, tells->at_ms, note, sizeof note);
        eg_case_level(run->pipeline, row, run->rule, &judged, run->batch);
    } else {
        eg_case_follow(row, run->rule, &judged, run->batch);
    }
    row->last_value = run->last.value;
    row->last_ms = run->last.at_ms;
}

/* --- once more --- */

/* As it is now known, it was opened at another time, or without reason. */
static void correct(const struct run *run, struct eg_case *row)
{
    char from[EG_TIME_TEXT], to[EG_TIME_TEXT];
    const bool without = !run->now.state.case_number, was_without = !run->index->state.had;
    const int64_t at_ms = without ? row->opened_ms : run->opened.since_ms;
    if (without ? was_without : row->opened_ms == at_ms && !was_without)
        return;
    struct eg_case_event event = {.at_ms = at_ms,
                                  .known_ms = run->now_ms,
                                  .kind = "corrected",
                                  .actor = "ecogovd",
                                  .from = was_without ? "" : eg_time_format(row->opened_ms, from),
                                  .to = without ? "" : eg_time_format(at_ms, to),
                                  .value = without ? (double)NAN : run->opened.value,
                                  .note = without ? "with readings that came late, the limit was not broken"
                                                  : ""};
    row->opened_ms = at_ms;
    eg_case_happened(run->pipeline, row, event, run->batch);
    if (!without)
        eg_evidence_index(run->pipeline, run->site, run->rule, row, run->batch);
}

/* It is within the limit again, but the level it had was another. */
static void correct_level(const struct run *run, struct eg_case *row)
{
    const struct eg_rule_state *state = &run->now.state;
    struct eg_case_event event = {.at_ms = run->last.at_ms,
                                  .known_ms = run->now_ms,
                                  .kind = "level",
                                  .actor = "ecogovd",
                                  .from = eg_level_name((enum eg_level)row->level),
                                  .to = eg_level_name((enum eg_level)state->had),
                                  .note = "",
                                  .value = run->last.value};
    row->level = state->had;
    row->limit = state->limit;
    eg_case_happened(run->pipeline, row, event, run->batch);
}

/* All that was judged before is judged again: its case is what it would be. */
static void compare(struct run *run)
{
    struct eg_case *row = case_of(run);
    const uint32_t number = run->index->state.case_number;
    run->once_more = false;
    if (!row || !run->any) { /* it has no index any more: as it was */
        run->now.state = run->index->state;
        run->now.peak_value = row ? row->peak_value : 0;
        run->now.peak_ms = row ? row->peak_ms : 0;
        return;
    }
    if (run->now.state.case_number == PENDING || !run->now.state.case_number)
        correct(run, row);
    const bool turned = run->last.level != shown(row) && run->turned.at_ms &&
                        (row->condition != EG_CONDITION_UNKNOWN || is_old(run, run->last.at_ms));
    follow(run, row, turned ? &run->turned : &run->last);
    if (!run->now.state.level && run->now.state.had && run->now.state.case_number &&
        run->now.state.had != row->level)
        correct_level(run, row);
    run->now.state.case_number = number;
    for (int i = 0; i < EG_CHECKPOINTS; i++)
        if (run->checkpoints[i].state.case_number == PENDING)
            run->checkpoints[i].state.case_number = number;
}

/* --- an hour or a day --- */

static void peak(struct run *run, double value, int64_t at_ms, bool first)
{
    if (first || (run->rule->below ? value < run->now.peak_value : value > run->now.peak_value)) {
        run->now.peak_value = value;
        run->now.peak_ms = at_ms;
    }
}

static void judge(struct run *run, int64_t end_ms, double value, bool takes_effect)
{
    struct eg_rule_state *state = &run->now.state;
    const enum eg_level before = (enum eg_level)state->level;
    const bool never = !state->had; /* a case that is there was opened without reason */
    const struct eg_reach reach = eg_siteindex_reach(run->rule, state, end_ms, value);
    const enum eg_level level = eg_judge_advance(run->rule, state, &reach);
    struct change change = {level, end_ms,
                            state->since_ms[level] != EG_TIME_NONE ? state->since_ms[level] : end_ms, value};
    bool opens = level && !state->case_number;
    if (opens && !takes_effect) /* of what is not judged, unless it is the case that is there */
        opens = run->once_more && case_of(run)->opened_ms == change.since_ms;
    else if (opens && before)
        change.since_ms = end_ms; /* likewise, up to here */
    state->seen_ms = end_ms;
    run->any = true;
    run->last = change;
    if (level != before)
        run->turned = change;
    if (run->once_more && opens) {
        state->case_number = PENDING;
        run->opened = change;
    }
    if (state->case_number)
        peak(run, value, end_ms, opens);
    if (run->once_more || !takes_effect)
        return;
    struct eg_case *row = case_of(run);
    if (row && never && level) {
        run->opened = change;
        correct(run, row);
        peak(run, value, end_ms, true);
    }
    if (row)
        follow(run, row, &run->last);
    else if (opens)
        open_case(run);
}

/* It was judged for the first time: people's counts and steps follow. */
static void move_on(struct run *run, int64_t end_ms, bool known)
{
    struct eg_siteindex *index = run->index;
    index->state = run->now.state;
    index->at_ms = end_ms;
    memcpy(index->checkpoints, run->checkpoints, sizeof index->checkpoints);
    struct eg_case *row = known ? case_of(run) : NULL;
    if (!row || !run->rule->terms.measured_hours || eg_siteindex_of_days(run->rule))
        return;
    eg_measure_count(run->pipeline, row, run->rule, end_ms - EG_HOUR_MS, end_ms, run->batch);
    if (index->state.case_number == run->now.state.case_number)
        return;
    run->now = (struct eg_checkpoint){end_ms, index->state, 0, 0}; /* its case has ended by that */
    memcpy(run->checkpoints, index->checkpoints, sizeof run->checkpoints);
}

static void run_through(struct run *run, int64_t end_ms)
{
    const int64_t judged_ms = run->index->at_ms;
    double value;
    for (int64_t at_ms = next_point(run->rule, run->now.at_ms); at_ms <= end_ms;
         at_ms = next_point(run->rule, at_ms)) {
        const bool fresh = at_ms > judged_ms;
        if (fresh && run->once_more)
            compare(run);
        eg_judge_checkpoint(run->pipeline->conf, run->checkpoints, &run->now, at_ms);
        run->now.at_ms = at_ms;
        const bool known = eg_sitelook_value(&run->hours, at_ms, &value);
        if (known)
            judge(run, at_ms, value, fresh || at_ms >= run->touched_ms);
        if (fresh)
            move_on(run, at_ms, known);
    }
    if (run->once_more)
        compare(run);
}

/* --- from where on --- */

static void jump(struct run *run, int64_t to_ms)
{
    int64_t start_ms, end_ms;
    if (to_ms <= run->now.at_ms)
        return;
    if (eg_siteindex_of_days(run->rule))
        eg_zone_day(to_ms, &start_ms, &end_ms);
    else
        eg_zone_hour(to_ms, &start_ms, &end_ms);
    if (start_ms <= run->now.at_ms)
        return;
    run->now.at_ms = start_ms;
    run->checkpoints[EG_OLDER] = run->checkpoints[EG_NEWER] = run->now;
}

/* From where it stands, or from a checkpoint before what has changed. False: there is nothing to judge. */
static bool begin(struct run *run, int64_t end_ms)
{
    struct eg_siteindex *index = run->index;
    const struct eg_case *row = case_of(run);
    const int64_t most_ms =
        HOURS_MAX / (int64_t)(run->site->series_count ? run->site->series_count : 1) * EG_HOUR_MS;
    memcpy(run->checkpoints, index->checkpoints, sizeof run->checkpoints);
    run->now = index->checkpoints[run->touched_ms > index->checkpoints[EG_NEWER].at_ms];
    if (run->touched_ms != INT64_MAX && next_point(run->rule, run->touched_ms - 1) <= index->at_ms &&
        end_ms - run->now.at_ms <= most_ms) {
        run->checkpoints[EG_NEWER] = run->now;
        run->once_more = row != NULL && run->now.at_ms < index->at_ms;
    } else {
        run->now = (struct eg_checkpoint){index->at_ms, index->state, row ? row->peak_value : 0,
                                          row ? row->peak_ms : 0};
        jump(run, run->now_ms - run->pipeline->conf->late_limit_ms - SLACK_MS); /* too old to be judged */
        if (end_ms - run->now.at_ms > most_ms)
            jump(run, end_ms - most_ms);
    }
    return next_point(run->rule, run->now.at_ms) <= end_ms;
}

void eg_siterun_judge(struct eg_pipeline *pipeline, struct eg_siteindex *index, int64_t end_ms,
                      int64_t touched_ms, int64_t now_ms, struct eg_batch *batch)
{
    struct run run = {.pipeline = pipeline,
                      .index = index,
                      .site = eg_sitelook_site(pipeline, index),
                      .rule = &pipeline->conf->rules[index->rule],
                      .batch = batch,
                      .now_ms = now_ms,
                      .touched_ms = touched_ms};
    const int64_t judged_ms = index->at_ms;
    if (!begin(&run, end_ms))
        return;
    if (eg_sitelook_gather(pipeline, run.site, run.rule, next_point(run.rule, run.now.at_ms), end_ms, batch,
                           &run.hours)) {
        run_through(&run, end_ms);
        index->state = run.now.state;
        memcpy(index->checkpoints, run.checkpoints, sizeof index->checkpoints);
    } else {
        batch->failed = true;
    }
    eg_sitelook_finish(&run.hours);
    const struct eg_case *row = case_of(&run);
    if (row && run.any)
        eg_case_write(row,
                      batch); /* its last value is not among the readings, where a restart would find it */
    if (run.any || judged_ms != index->at_ms) /* what had no index then has none for a restart, either */
        eg_siteindex_write(pipeline, index, batch);
}
