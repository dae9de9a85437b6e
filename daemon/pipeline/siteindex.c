/* Rules over the whole index of a site, of its air, soil or waste: judged by the hour or the local day, at the end of it, of all the site's
 * readings (sitelook.c). Knows which of them have something to judge, where each begins, what is kept of it and what people's steps mean
 * to it. Refuses to know what an index is, what comes of judging (siterun.c) and what a level means (judge.c). Called by pipeline.c and
 * rejudge.c (at the end of an event and of settling), rule.c and unheard.c (their cases).
 *
 * An hour is judged when everyone who has measured in it has measured after it, when the next one is over, or, by the clock, a little while
 * after its end. An air index may be without some pollutants: what is there is judged (HJ 633-2026, 5.3.1: beyond 100 it is published all
 * the same). What comes late changes the hours; once a turn those after it that were judged are judged anew, from a checkpoint on, as with
 * series (ADR 14, 33). A rule begins with the site's first reading that may be judged, or, where the site is older, with the newest hour.
 * Nothing of it is kept but where a rule stands: a row of rule_state, "rule@site" of series 0. */
#include <pipeline/explain.h>
#include <pipeline/hours.h>
#include <pipeline/siteindex.h>
#include <pipeline/state.h>
#include <pipeline/unheard.h>

#include <base/zone.h>

#include <stdio.h>
#include <string.h>

#define KEY_BYTES 160

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

const char *eg_siteindex_domain(const struct eg_conf_rule *rule)
{
    static const char *const domains[EG_INDEX_GROUPS] = {"air", "waste", "soil"};
    return rule->domain ? rule->domain : domains[eg_siteindex_group(rule->quantity)];
}

/* --- what is kept --- */

void eg_siteindex_write(const struct eg_pipeline *pipeline, const struct eg_siteindex *index,
                        struct eg_batch *batch)
{
    char key[KEY_BYTES];
    struct eg_row_rule_state *row = batch ? EG_BATCH_ADD(batch, rule_states) : NULL;
    if (!row)
        return;
    snprintf(key, sizeof key, "%s@%s", pipeline->conf->rules[index->rule].id,
             pipeline->conf->sites[index->site].id);
    *row = (struct eg_row_rule_state){.state = index->state,
                                      .checkpointed = true,
                                      .of_site = true,
                                      .judged_ms = index->at_ms,
                                      .late_ms = eg_sitelook_site(pipeline, index)->late_ms};
    memcpy(row->checkpoints, index->checkpoints, sizeof row->checkpoints);
    row->rule = eg_batch_text(batch, key);
}

/* --- judging --- */

/* A rule that is younger than its site begins with the newest hour or day. */
static bool begins(struct eg_pipeline *pipeline, struct eg_siteindex *index, int64_t end_ms, int64_t now_ms)
{
    const struct eg_case *row =
        index->state.case_number ? eg_pipeline_case_active(pipeline, index->state.case_number) : NULL;
    int64_t start_ms, behind_ms;
    if (index->fresh || now_ms - end_ms > pipeline->conf->late_limit_ms)
        return false;
    if (eg_siteindex_of_days(&pipeline->conf->rules[index->rule]))
        eg_zone_day(end_ms - 1, &start_ms, &behind_ms);
    else
        eg_zone_hour(end_ms - 1, &start_ms, &behind_ms);
    index->at_ms = start_ms;
    eg_siteindex_settle(index, row);
    return true;
}

static void judge(struct eg_pipeline *pipeline, struct eg_siteindex *index, const struct eg_index_site *site,
                  int64_t hour_ms, int64_t now_ms, struct eg_batch *batch)
{
    const bool days = eg_siteindex_of_days(&pipeline->conf->rules[index->rule]);
    int64_t end_ms = days ? eg_sitelook_newest_day(hour_ms) : hour_ms;
    if (index->at_ms == EG_TIME_NONE && !begins(pipeline, index, end_ms, now_ms))
        return;
    end_ms = end_ms > index->at_ms ? end_ms : index->at_ms;
    if (end_ms > index->at_ms || site->touched_ms <= end_ms)
        eg_siterun_judge(pipeline, index, end_ms, site->touched_ms, now_ms, batch);
}

void eg_siteindex_judge(struct eg_pipeline *pipeline, int64_t now_ms, bool settling, struct eg_batch *batch)
{
    if (!pipeline->index_touched && !(settling && pipeline->index_late))
        return;
    pipeline->index_touched = false;
    if (settling)
        pipeline->index_late = false;
    for (size_t s = 0; s < pipeline->index_site_count; s++) {
        struct eg_index_site *site = &pipeline->index_sites[s];
        if (site->touched_ms == INT64_MAX ? !site->due : !settling)
            continue; /* what came late is judged once a turn, and all after it */
        const int64_t hour_ms = eg_sitelook_newest_hour(pipeline, site, now_ms);
        for (size_t i = 0; hour_ms != EG_TIME_NONE && i < site->count; i++) {
            struct eg_siteindex *index = &pipeline->siteindices[site->first + i];
            judge(pipeline, index, site, hour_ms, now_ms, batch);
            site->judged_ms = index->at_ms > site->judged_ms ? index->at_ms : site->judged_ms;
        }
        pipeline->index_judged_ms =
            site->judged_ms > pipeline->index_judged_ms ? site->judged_ms : pipeline->index_judged_ms;
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
    index->state = row->state;
    memcpy(index->checkpoints, row->checkpoints, sizeof index->checkpoints);
    index->at_ms = row->judged_ms;
    index->fresh = index->checkpoints[EG_OLDER].state.seen_ms == EG_TIME_NONE;
    if (!row->of_site) { /* as it was written before: where it stood, and a day earlier */
        index->at_ms = row->checkpoints[EG_NEWER].at_ms;
        index->state.seen_ms = row->checkpoints[EG_NEWER].state.seen_ms;
        index->checkpoints[EG_NEWER] = index->checkpoints[EG_OLDER];
        index->fresh = false;
    }
    if (row->of_site && row->late_ms > site->late_ms)
        site->late_ms = row->late_ms;
    if (index->at_ms > site->judged_ms)
        site->judged_ms = index->at_ms;
    if (index->at_ms > pipeline->index_judged_ms)
        pipeline->index_judged_ms = index->at_ms;
}

void eg_siteindex_settle(struct eg_siteindex *index, const struct eg_case *row)
{
    if (index->state.seen_ms == EG_TIME_NONE)
        index->state.seen_ms = index->at_ms; /* it has begun */
    index->checkpoints[EG_OLDER] = index->checkpoints[EG_NEWER] =
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
    eg_siteindex_settle(index, row);
    eg_siteindex_write(pipeline, index, batch);
}

void eg_siteindex_forget(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch)
{
    struct eg_siteindex *index = find(pipeline, row->rule, strlen(row->rule), row->site);
    if (!index || index->state.case_number != row->number)
        return;
    eg_judge_nothing(&index->state); /* still beyond: the next hour or day starts a new case */
    eg_siteindex_settle(index, NULL);
    eg_siteindex_write(pipeline, index, batch);
}

int64_t eg_siteindex_due(const struct eg_pipeline *pipeline, const struct eg_case *row)
{
    const struct eg_conf_rule *rule = row->series ? NULL : eg_conf_rule_find(pipeline->conf, row->rule);
    if (!rule || !rule->index || row->last_ms == EG_TIME_NONE)
        return INT64_MAX;
    int64_t from_ms = row->last_ms > pipeline->hearing_ms ? row->last_ms : pipeline->hearing_ms;
    return from_ms + eg_siterun_unknown_after(rule);
}

void eg_siteindex_redate(struct eg_pipeline *pipeline, const struct eg_redating *by, struct eg_batch *batch)
{
    for (size_t i = 0; i < pipeline->siteindex_count; i++) {
        struct eg_siteindex *index = &pipeline->siteindices[i];
        const int64_t at_ms = index->at_ms;
        eg_redate(&index->at_ms, by);
        if (eg_judge_redate(&index->state, index->checkpoints, by) || index->at_ms != at_ms)
            eg_siteindex_write(pipeline, index, batch);
    }
}
