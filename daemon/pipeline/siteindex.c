/* Rules over the whole index of a site, of its air, soil or waste: judged by the hour or the local day, at the end of it, of all the site's
 * readings (sitelook.c). Knows what has to be judged anew when its hours change, and the case that comes of it, which is the site's and
 * no device's. Refuses to know what an index is, and what a level means (judge.c). Called by pipeline.c and rejudge.c (at the end of an
 * event and of settling), rule.c and unheard.c (their cases).
 *
 * An hour is judged when everyone who has measured in it has measured after it, or when the next one is over; by the readings' time
 * alone where it is of the air, so it is the same in any order and after any restart. Of soil and waste, whose readings speak on, it is
 * judged an hour after its end at the latest. An air index may be without some pollutants: what is there is judged (HJ 633-2026, 5.3.1:
 * beyond 100 it is published all the same). What comes late changes the hours; those of the last day before the newest are then judged
 * anew, those that are older, or that people have ended a case after, are settled. Of days it is the newest. Nothing of it is kept but
 * where a rule stands: a row of rule_state, "rule@site" of series 0. */
#include <pipeline/evidence.h>
#include <pipeline/explain.h>
#include <pipeline/hours.h>
#include <pipeline/unheard.h>
#include <pipeline/siteindex.h>
#include <pipeline/state.h>

#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACK_HOURS 24 /* are judged anew */
#define PENDING UINT32_MAX
#define NOTE_BYTES 160
#define KEY_BYTES 160
#define HOUR_UNKNOWN_MS (3 * EG_HOUR_MS)
#define DAY_UNKNOWN_MS (30 * EG_HOUR_MS)

struct change {
    enum eg_level level;
    int64_t at_ms, since_ms;
    double value;
};
/* Judging from the base on, once more. */
struct run {
    const struct eg_conf_rule *rule;
    struct eg_site_hours hours;
    int64_t end_ms; /* of the newest hour or day to be judged */
    struct eg_checkpoint now, base;
    struct change opened, turned,
        last; /* where a case would have opened, the level was another; the newest */
    bool any; /* a point was judged */
};

bool eg_siteindex_of_days(const struct eg_conf_rule *rule)
{
    return rule->calendar == EG_CALENDAR_DAY;
}

/* --- running --- */

/* Between two that were judged: each speaks for its own hour or day. */
static int64_t unobserved(const struct eg_conf_rule *rule, int64_t before_ms, int64_t at_ms)
{
    int64_t own_ms = eg_siteindex_of_days(rule) ? EG_DAY_HOURS * EG_HOUR_MS : EG_HOUR_MS;
    if (before_ms == EG_TIME_NONE || at_ms - before_ms <= (rule->gap_ms ? rule->gap_ms : own_ms))
        return 0;
    return at_ms - before_ms - own_ms > 0 ? at_ms - before_ms - own_ms : 0;
}

struct eg_reach eg_siteindex_reach(const struct eg_conf_rule *rule, const struct eg_rule_state *state,
                                   int64_t end_ms, double value)
{
    return (struct eg_reach){.levels = rule->levels,
                             .holds = true,
                             .at_ms = end_ms,
                             .value = value,
                             .unobserved_ms = unobserved(rule, state->seen_ms, end_ms)};
}

static void judge_point(struct run *run, int64_t end_ms, double value)
{
    struct eg_rule_state *state = &run->now.state;
    enum eg_level before = (enum eg_level)state->level;
    const struct eg_reach reach = eg_siteindex_reach(run->rule, state, end_ms, value);
    enum eg_level level = eg_judge_advance(run->rule, state, &reach);
    const struct change change = {
        level, end_ms, state->since_ms[level] != EG_TIME_NONE ? state->since_ms[level] : end_ms, value};
    state->seen_ms = run->now.at_ms = end_ms;
    run->any = true;
    if (level && !state->case_number) {
        state->case_number = PENDING;
        run->opened = change;
        run->now.peak_value = value;
        run->now.peak_ms = end_ms;
    } else if (state->case_number &&
               (run->rule->below ? value < run->now.peak_value : value > run->now.peak_value)) {
        run->now.peak_value = value;
        run->now.peak_ms = end_ms;
    }
    if (level != before || !run->turned.at_ms)
        run->turned = change;
    run->last = change;
}

static void run_through(struct run *run)
{
    double value;
    run->now = run->base;
    if (eg_siteindex_of_days(run->rule)) {
        if (eg_sitelook_value(&run->hours, run->end_ms, &value))
            judge_point(run, run->end_ms, value);
        return;
    }
    for (int64_t ago = EG_AIR_HOURS - 1; ago >= 0; ago--) {
        int64_t end_ms = run->end_ms - ago * EG_HOUR_MS;
        if (end_ms <= run->base.at_ms)
            continue; /* settled */
        if (eg_sitelook_value(&run->hours, end_ms, &value))
            judge_point(run, end_ms, value);
        if (ago == BACK_HOURS) { /* behind the last day */
            run->base = run->now;
            run->base.at_ms = end_ms;
        }
    }
}

/* --- what it comes to --- */

static struct eg_judged judged_of(const struct run *run, const struct change *change, int64_t now_ms,
                                  char note[NOTE_BYTES])
{
    return (struct eg_judged){.level = change->level,
                              .at_ms = change->at_ms,
                              .since_ms = change->since_ms,
                              .now_ms = now_ms,
                              .value = change->value,
                              .levels = run->rule->levels,
                              .limit = run->rule->levels[change->level].open,
                              .note = eg_sitelook_note(&run->hours, change->at_ms, note, NOTE_BYTES)};
}

/* As it is now known, it was opened at another time, or without reason. */
static void correct(struct eg_pipeline *pipeline, struct eg_case *row, const struct run *run, int64_t now_ms,
                    struct eg_batch *batch)
{
    char from[EG_TIME_TEXT], to[EG_TIME_TEXT];
    const bool without = !run->now.state.case_number;
    const int64_t at_ms = without ? row->opened_ms : run->opened.since_ms;
    if (without ? row->condition == EG_CONDITION_OK : row->opened_ms == at_ms)
        return;
    struct eg_case_event event = {.at_ms = at_ms,
                                  .known_ms = now_ms,
                                  .kind = "corrected",
                                  .actor = "ecogovd",
                                  .from = eg_time_format(row->opened_ms, from),
                                  .to = without ? "" : eg_time_format(at_ms, to),
                                  .value = without ? (double)NAN : run->opened.value,
                                  .note = without ? "with readings that came late, the limit was not broken"
                                                  : ""};
    row->opened_ms = at_ms;
    eg_case_happened(pipeline, row, event, batch);
}

static int64_t unknown_after(const struct eg_conf_rule *rule)
{
    return eg_siteindex_of_days(rule) ? DAY_UNKNOWN_MS : HOUR_UNKNOWN_MS;
}

static void follow(struct eg_pipeline *pipeline, struct eg_case *row, const struct run *run, int64_t now_ms,
                   struct eg_batch *batch)
{
    char note[NOTE_BYTES];
    enum eg_level shown =
        row->condition == EG_CONDITION_BREACHING ? (enum eg_level)row->level : EG_LEVEL_NONE;
    const bool old = now_ms - run->last.at_ms > unknown_after(run->rule),
               known_again = row->condition == EG_CONDITION_UNKNOWN && !old;
    const struct change *tells = run->last.level != shown && !known_again ? &run->turned : &run->last;
    struct eg_judged judged = judged_of(run, tells, now_ms, note);
    judged.limit = run->now.state.limit;
    judged.old = old;
    if (run->now.state.case_number) {
        row->peak_value = run->now.peak_value;
        row->peak_ms = run->now.peak_ms;
    }
    if (judged.level != shown || known_again)
        eg_case_level(pipeline, row, run->rule, &judged, batch);
    else
        eg_case_follow(row, run->rule, &judged, batch);
    row->last_value = run->last.value;
    row->last_ms = run->last.at_ms;
    eg_case_write(row, batch); /* its last value is not among the readings, where a restart would find it */
}

const char *eg_siteindex_domain(const struct eg_conf_rule *rule)
{
    static const char *const domains[EG_INDEX_GROUPS] = {"air", "waste", "soil"};
    return rule->domain ? rule->domain : domains[eg_siteindex_group(rule->quantity)];
}

static uint32_t open_case(struct eg_pipeline *pipeline, const struct eg_siteindex *index,
                          const struct run *run, int64_t now_ms, struct eg_batch *batch)
{
    char note[NOTE_BYTES];
    const struct eg_judged judged = judged_of(run, &run->opened, now_ms, note);
    struct eg_case row = {.quantity = (uint16_t)run->rule->quantity};
    snprintf(row.site, sizeof row.site, "%s", pipeline->conf->sites[index->site].id);
    snprintf(row.domain, sizeof row.domain, "%s", eg_siteindex_domain(run->rule));
    uint32_t number = eg_case_open_at(pipeline, &row, run->rule, &judged, batch);
    struct eg_case *opened = number ? eg_case_find(pipeline, number) : NULL;
    if (opened)
        eg_evidence_index(pipeline, eg_sitelook_site(pipeline, index), run->rule, opened, batch);
    if (opened && run->last.at_ms > run->opened.at_ms)
        follow(pipeline, opened, run, now_ms, batch);
    return number;
}

static void write_state(const struct eg_pipeline *pipeline, const struct eg_siteindex *index,
                        double peak_value, int64_t peak_ms, struct eg_batch *batch)
{
    char key[KEY_BYTES];
    struct eg_row_rule_state *row = batch ? EG_BATCH_ADD(batch, rule_states) : NULL;
    if (!row)
        return;
    snprintf(key, sizeof key, "%s@%s", pipeline->conf->rules[index->rule].id,
             pipeline->conf->sites[index->site].id);
    *row = (struct eg_row_rule_state){.state = index->state, .checkpointed = true};
    /* When the newest was seen stands in its checkpoint; here, when something came last. */
    row->state.seen_ms = eg_sitelook_site(pipeline, index)->heard_ms;
    row->checkpoints[EG_OLDER] = index->base;
    row->checkpoints[EG_NEWER] = (struct eg_checkpoint){index->at_ms, index->state, peak_value, peak_ms};
    row->rule = eg_batch_text(batch, key);
}

void eg_siteindex_write(const struct eg_pipeline *pipeline, const struct eg_siteindex *index,
                        struct eg_batch *batch)
{
    const struct eg_case *row =
        index->state.case_number ? eg_pipeline_case_active(pipeline, index->state.case_number) : NULL;
    write_state(pipeline, index, row ? row->peak_value : 0, row ? row->peak_ms : 0, batch);
}

/* --- when --- */

/* From where on it is judged; false: there is nothing to judge. */
static bool find_span(const struct eg_pipeline *pipeline, const struct eg_siteindex *index, int64_t hour_ms,
                      int64_t touched_ms, int64_t now_ms, struct run *run)
{
    const struct eg_case *row =
        index->state.case_number ? eg_pipeline_case_active(pipeline, index->state.case_number) : NULL;
    const bool begins = index->at_ms == EG_TIME_NONE;
    const bool land = eg_siteindex_group(run->rule->quantity) !=
                      EG_INDEX_AIR; /* what came before the base goes on to speak */
    int64_t end_ms = eg_siteindex_of_days(run->rule) ? eg_sitelook_newest_day(hour_ms) : hour_ms;
    if (begins ? now_ms - end_ms > pipeline->conf->late_limit_ms
               : end_ms <= index->at_ms || now_ms - end_ms > pipeline->conf->late_limit_ms)
        end_ms = index->at_ms; /* nothing that is new, or it is too old to be judged */
    run->end_ms = end_ms;
    run->base = index->base;
    if (end_ms == EG_TIME_NONE)
        return false;
    if (end_ms == index->at_ms)
        return touched_ms <= end_ms && (land || touched_ms > index->base.at_ms);
    if (begins) {
        eg_judge_nothing(&run->base.state);
        run->base.at_ms = end_ms - 1;
        run->base.state.case_number = index->state.case_number; /* of a case that was found */
        run->base.state.level = index->state.level;
        run->base.state.had = index->state.had;
        run->base.state.limit = index->state.limit;
        run->base.peak_value = row ? row->peak_value : 0;
        run->base.peak_ms = row ? row->peak_ms : 0;
    } else if (eg_siteindex_of_days(run->rule) || end_ms - index->at_ms >= BACK_HOURS * EG_HOUR_MS) {
        run->base = (struct eg_checkpoint){index->at_ms, index->state, row ? row->peak_value : 0,
                                           row ? row->peak_ms : 0};
    }
    return true;
}

static void take_over(struct eg_siteindex *index, struct run *run, uint32_t number)
{
    run->now.state.case_number = number;
    if (run->base.state.case_number == PENDING)
        run->base.state.case_number = number;
    index->state = run->now.state;
    index->base = run->base;
    index->at_ms = run->end_ms;
}

/* There was an index: what it comes to. */
static void take_effect(struct eg_pipeline *pipeline, struct eg_siteindex *index, struct run *run,
                        int64_t now_ms, struct eg_batch *batch)
{
    uint32_t number = index->state.case_number;
    struct eg_case *row = number ? eg_case_find(pipeline, number) : NULL;
    const bool fresh = run->end_ms != index->at_ms;
    if (row && (run->now.state.case_number == PENDING || !run->now.state.case_number))
        correct(pipeline, row, run, now_ms, batch);
    if (row)
        follow(pipeline, row, run, now_ms, batch);
    else if (run->now.state.case_number == PENDING)
        number = open_case(pipeline, index, run, now_ms, batch);
    take_over(index, run, number);
    write_state(pipeline, index, run->now.peak_value, run->now.peak_ms, batch);
    row = number ? eg_case_find(pipeline, number) : NULL;
    if (row && fresh && run->rule->terms.measured_hours && !eg_siteindex_of_days(run->rule))
        eg_measure_count(pipeline, row, run->rule, run->end_ms - EG_HOUR_MS, run->end_ms, batch);
}

/* There was none. */
static void pass_over(const struct eg_pipeline *pipeline, struct eg_siteindex *index, const struct run *run,
                      struct eg_batch *batch)
{
    const bool moved = run->end_ms != index->at_ms && run->base.at_ms > index->base.at_ms;
    index->at_ms = run->end_ms;
    if (!moved)
        return;
    index->base.state = index->state; /* what was judged lies behind it */
    index->base.at_ms = run->base.at_ms;
    eg_siteindex_write(pipeline, index, batch);
}

static void judge_to(struct eg_pipeline *pipeline, struct eg_siteindex *index,
                     const struct eg_index_site *site, int64_t hour_ms, int64_t now_ms,
                     struct eg_batch *batch)
{
    struct run run = {.rule = &pipeline->conf->rules[index->rule]};
    if (!find_span(pipeline, index, hour_ms, site->touched_ms, now_ms, &run))
        return;
    if (!eg_sitelook_gather(pipeline, site, run.rule, hour_ms > run.end_ms ? hour_ms : run.end_ms, batch,
                            &run.hours))
        batch->failed = true;
    run_through(&run);
    if (run.any)
        take_effect(pipeline, index, &run, now_ms, batch);
    else
        pass_over(pipeline, index, &run, batch);
    eg_sitelook_finish(&run.hours);
}

/* Several hours that are over at once are judged one by one, so that a case has the history that it would have had. */
static void judge(struct eg_pipeline *pipeline, struct eg_siteindex *index, const struct eg_index_site *site,
                  int64_t hour_ms, int64_t now_ms, struct eg_batch *batch)
{
    const int64_t before_ms = index->at_ms;
    if (before_ms != EG_TIME_NONE && hour_ms - before_ms <= BACK_HOURS * EG_HOUR_MS)
        for (int64_t at_ms = before_ms + EG_HOUR_MS; at_ms < hour_ms; at_ms += EG_HOUR_MS)
            judge_to(pipeline, index, site, at_ms, now_ms, batch);
    judge_to(pipeline, index, site, hour_ms, now_ms, batch);
}

void eg_siteindex_judge(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    if (!pipeline->index_touched)
        return;
    pipeline->index_touched = false;
    for (size_t s = 0; s < pipeline->index_site_count; s++) {
        struct eg_index_site *site = &pipeline->index_sites[s];
        if (site->touched_ms == INT64_MAX && !site->due)
            continue;
        int64_t hour_ms = eg_sitelook_newest_hour(pipeline, site, now_ms);
        for (size_t i = 0; hour_ms != EG_TIME_NONE && i < site->count; i++)
            judge(pipeline, &pipeline->siteindices[site->first + i], site, hour_ms, now_ms, batch);
        site->touched_ms = INT64_MAX;
        site->due = false;
    }
}

/* --- its cases --- */

static struct eg_siteindex *find(struct eg_pipeline *pipeline, const char *rule, size_t rule_length,
                                 const char *site)
{
    for (size_t i = 0; i < pipeline->siteindex_count; i++) {
        struct eg_siteindex *index = &pipeline->siteindices[i];
        const char *id = pipeline->conf->rules[index->rule].id;
        if (strlen(id) == rule_length && !strncmp(id, rule, rule_length) &&
            !strcmp(pipeline->conf->sites[index->site].id, site))
            return index;
    }
    return NULL;
}

void eg_siteindex_restore(struct eg_pipeline *pipeline, const struct eg_row_rule_state *row)
{
    const char *at = strchr(row->rule, '@');
    struct eg_siteindex *index = at ? find(pipeline, row->rule, (size_t)(at - row->rule), at + 1) : NULL;
    if (!index || !row->checkpointed)
        return;
    struct eg_index_site *site =
        &pipeline->index_sites[index->site * EG_INDEX_GROUPS +
                               eg_siteindex_group(pipeline->conf->rules[index->rule].quantity)];
    if (site->group != EG_INDEX_AIR && row->state.seen_ms > site->heard_ms)
        site->heard_ms = row->state.seen_ms;
    index->state = row->state;
    index->state.seen_ms = row->checkpoints[EG_NEWER].state.seen_ms;
    index->at_ms = row->checkpoints[EG_NEWER].at_ms;
    index->base = row->checkpoints[EG_OLDER];
}

static void settle(struct eg_siteindex *index, const struct eg_case *row)
{
    index->base =
        (struct eg_checkpoint){index->at_ms, index->state, row ? row->peak_value : 0, row ? row->peak_ms : 0};
}

void eg_siteindex_recall(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch)
{
    struct eg_siteindex *index = find(pipeline, row->rule, strlen(row->rule), row->site);
    if (!index || index->state.case_number == row->number)
        return;
    index->state.case_number = row->number;
    index->state.level = row->condition == EG_CONDITION_BREACHING ? row->level : EG_LEVEL_NONE;
    index->state.had = row->level;
    index->state.limit = row->limit;
    settle(index, row);
    write_state(pipeline, index, row->peak_value, row->peak_ms, batch);
}

void eg_siteindex_forget(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch)
{
    struct eg_siteindex *index = find(pipeline, row->rule, strlen(row->rule), row->site);
    if (!index || index->state.case_number != row->number)
        return;
    eg_judge_nothing(&index->state); /* still beyond: the next hour or day starts a new case */
    settle(index, NULL);
    write_state(pipeline, index, 0, 0, batch);
}

int64_t eg_siteindex_due(const struct eg_pipeline *pipeline, const struct eg_case *row)
{
    const struct eg_conf_rule *rule = row->series ? NULL : eg_conf_rule_find(pipeline->conf, row->rule);
    if (!rule || !rule->index || row->last_ms == EG_TIME_NONE)
        return INT64_MAX;
    int64_t from_ms = row->last_ms > pipeline->hearing_ms ? row->last_ms : pipeline->hearing_ms;
    return from_ms + unknown_after(rule);
}

void eg_siteindex_redate(struct eg_pipeline *pipeline, const struct eg_redating *by, struct eg_batch *batch)
{
    for (size_t i = 0; i < pipeline->siteindex_count; i++) {
        struct eg_siteindex *index = &pipeline->siteindices[i];
        struct eg_checkpoint base[EG_CHECKPOINTS] = {index->base, index->base};
        if (!eg_judge_redate(&index->state, base, by))
            continue;
        index->base = base[EG_OLDER];
        eg_redate(&index->at_ms, by);
        const struct eg_case *row =
            index->state.case_number ? eg_case_find(pipeline, index->state.case_number) : NULL;
        int64_t peak_ms = row ? row->peak_ms : 0;
        eg_redate(&peak_ms, by);
        write_state(pipeline, index, row ? row->peak_value : 0, peak_ms, batch);
    }
}
