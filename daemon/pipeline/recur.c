/* What belongs together: a breach soon after its case was closed is the same matter again, a later one follows it; the same breach at
 * neighbouring sites is a regional matter at their common parent. Called by case.c and command.c. */
#include <pipeline/state.h>
#include <pipeline/suspect.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- again --- */

/* The newest of this rule and series (of no series: and site) that ended: as this turn left it, else as the past knows it. */
bool eg_recur_former(const struct eg_pipeline *pipeline, enum eg_case_kind kind, const char *rule,
                     uint32_t series, const char *site, const struct eg_batch *batch, struct eg_case *ret)
{
    for (size_t i = batch->cases_count; i-- > 0;) {
        const struct eg_case *row = &batch->cases[i];
        if (row->kind != kind || row->series != series || strcmp(row->rule, rule) != 0 ||
            (!series && strcmp(row->site, site) != 0))
            continue;
        *ret = *row;
        return eg_handling_ended(row);
    }
    return pipeline->past.find_former &&
           pipeline->past.find_former(pipeline->past.user, rule, series, site, ret);
}

struct eg_case *eg_recur_again(struct eg_pipeline *pipeline, const struct eg_conf_rule *rule,
                               struct eg_case *fresh, const struct eg_judged *judged, struct eg_batch *batch)
{
    struct eg_case former;
    if (!eg_recur_former(pipeline, EG_CASE_BREACH, rule->id, fresh->series, fresh->site, batch, &former) ||
        former.handling != EG_CLOSED)
        return NULL;
    fresh->follows = former.number;
    if (!rule->terms.reopen_within_ms || judged->now_ms - former.closed_ms > rule->terms.reopen_within_ms ||
        pipeline->case_count >= EG_CASES_MAX)
        return NULL;
    if (!eg_case_add(pipeline, &former)) {
        batch->failed = true;
        return NULL;
    }
    struct eg_case *row = eg_case_find(pipeline, former.number);
    eg_command_begin_anew(row, judged->now_ms);
    row->handling = EG_OPEN;
    row->closed_ms = EG_TIME_NONE;
    row->condition = EG_CONDITION_BREACHING;
    row->level = fresh->level;
    row->limit = fresh->limit;
    row->rule_version = fresh->rule_version;
    row->last_value = fresh->last_value;
    row->last_ms = fresh->last_ms;
    if (rule->below ? fresh->peak_value < row->peak_value : fresh->peak_value > row->peak_value) {
        row->peak_value = fresh->peak_value;
        row->peak_ms = fresh->peak_ms;
    }
    eg_deadline_begin(pipeline, row, judged->now_ms);
    eg_case_happened(pipeline, row,
                     (struct eg_case_event){.at_ms = judged->since_ms,
                                            .known_ms = judged->now_ms,
                                            .kind = "reopened",
                                            .actor = "ecogovd",
                                            .from = eg_handling_name(EG_CLOSED),
                                            .to = eg_handling_name(EG_OPEN),
                                            .value = judged->value},
                     batch);
    return row;
}

/* --- neighbours --- */

static bool one_of(const struct eg_case *row, const struct eg_case *like)
{
    return row->kind == EG_CASE_BREACH && !strcmp(row->rule, like->rule) &&
           !strcmp(row->domain, like->domain);
}

static uint32_t site_of(const struct eg_conf *conf, const struct eg_case *row)
{
    return eg_conf_site_find(conf, row->site, strlen(row->site));
}

static struct eg_case *regional_at(struct eg_pipeline *pipeline, const struct eg_case *like, uint32_t site)
{
    for (size_t i = 0; i < pipeline->case_count; i++) {
        struct eg_case *row = pipeline->cases[i];
        if (row->kind == EG_CASE_REGIONAL && !strcmp(row->rule, like->rule) &&
            !strcmp(row->domain, like->domain) && !strcmp(row->site, pipeline->conf->sites[site].id))
            return row;
    }
    return NULL;
}

/* Breaching below this site since about the same time, of no regional case yet. */
static bool neighbour(const struct eg_pipeline *pipeline, const struct eg_case *row,
                      const struct eg_case *like, uint32_t above, int64_t within_ms)
{
    uint32_t site = site_of(pipeline->conf, row);
    return one_of(row, like) && !row->parent && row->condition == EG_CONDITION_BREACHING &&
           site != EG_CONF_NONE && eg_conf_site_within(pipeline->conf, site, above) &&
           llabs(row->opened_ms - like->opened_ms) <= within_ms;
}

static unsigned count_sites(const struct eg_pipeline *pipeline, const struct eg_case *like, uint32_t above,
                            int64_t within_ms)
{
    unsigned count = 0;
    for (size_t i = 0; i < pipeline->case_count; i++) {
        const struct eg_case *row = pipeline->cases[i];
        bool first = neighbour(pipeline, row, like, above, within_ms);
        for (size_t k = 0; first && k < i; k++)
            first = !(neighbour(pipeline, pipeline->cases[k], like, above, within_ms) &&
                      !strcmp(pipeline->cases[k]->site, row->site));
        count += first;
    }
    return count;
}

static struct eg_case_event by_us(const char *kind, int64_t at_ms, int64_t now_ms)
{
    return (struct eg_case_event){
        .at_ms = at_ms, .known_ms = now_ms, .kind = kind, .actor = "ecogovd", .value = (double)NAN};
}

static void link_to(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_case *regional,
                    int64_t now_ms, struct eg_batch *batch)
{
    struct eg_case_event event = by_us("linked", now_ms, now_ms);
    row->parent = regional->number;
    event.to = regional->id;
    eg_case_happened(pipeline, row, event, batch);
}

static struct eg_case *open_regional(struct eg_pipeline *pipeline, const struct eg_case *like, uint32_t site,
                                     int64_t now_ms, struct eg_batch *batch)
{
    struct eg_case row = {.kind = EG_CASE_REGIONAL,
                          .quantity = like->quantity,
                          .rule_version = like->rule_version,
                          .level = like->level,
                          .opened_ms = like->opened_ms,
                          .last_value = like->last_value,
                          .last_ms = like->last_ms,
                          .peak_value = like->peak_value,
                          .peak_ms = like->peak_ms,
                          .limit = like->limit};
    memcpy(row.rule, like->rule, sizeof row.rule);
    memcpy(row.domain, like->domain, sizeof row.domain);
    snprintf(row.site, sizeof row.site, "%s", pipeline->conf->sites[site].id);
    struct eg_case_event event = by_us("opened", like->opened_ms, now_ms);
    event.to = eg_level_name((enum eg_level)row.level);
    event.value = like->last_value;
    return eg_case_begin(pipeline, &row, event, batch);
}

void eg_recur_join(struct eg_pipeline *pipeline, const struct eg_conf_rule *rule, uint32_t number,
                   int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_conf *conf = pipeline->conf;
    struct eg_case *row = eg_case_find(pipeline, number), *regional = NULL;
    uint32_t site = row ? site_of(conf, row) : EG_CONF_NONE, above = EG_CONF_NONE;
    if (!rule->terms.regional_sites || site == EG_CONF_NONE || row->parent)
        return;
    for (above = conf->sites[site].parent; above != EG_CONF_NONE && !regional;
         above = conf->sites[above].parent) {
        regional = regional_at(pipeline, row, above);
        if (!regional &&
            count_sites(pipeline, row, above, rule->terms.regional_within_ms) >= rule->terms.regional_sites)
            regional = open_regional(pipeline, row, above, now_ms, batch);
        if (regional)
            break;
    }
    if (!regional)
        return;
    row = eg_case_find(pipeline, number);
    for (size_t i = 0; i < pipeline->case_count; i++)
        if (neighbour(pipeline, pipeline->cases[i], row, above, rule->terms.regional_within_ms))
            link_to(pipeline, pipeline->cases[i], regional, now_ms, batch);
    eg_recur_follow(pipeline, regional->number, now_ms, batch);
}

static bool beyond(const struct eg_conf_rule *rule, double a, double b)
{
    return rule && rule->below ? a < b : a > b;
}

/* What is said of it now is said of the worst that still breaches, now. */
static bool worse(const struct eg_conf_rule *rule, const struct eg_case *a, const struct eg_case *b)
{
    return a->level != b->level ? a->level > b->level : beyond(rule, a->last_value, b->last_value);
}

/* The worst there was. */
static void keep_peak(const struct eg_conf_rule *rule, struct eg_case *regional, const struct eg_case *row)
{
    if (!beyond(rule, row->peak_value, regional->peak_value))
        return;
    regional->peak_value = row->peak_value;
    regional->peak_ms = row->peak_ms;
}

/* A regional case is as bad as the worst of its own, and over with the last of them. */
void eg_recur_follow(struct eg_pipeline *pipeline, uint32_t number, int64_t now_ms, struct eg_batch *batch)
{
    struct eg_case *regional = number ? eg_case_find(pipeline, number) : NULL;
    const struct eg_case *worst = NULL;
    size_t active = 0, unknown = 0;
    if (!regional || regional->kind != EG_CASE_REGIONAL)
        return;
    const struct eg_conf_rule *rule = eg_conf_rule_find(pipeline->conf, regional->rule);
    for (size_t i = 0; i < pipeline->case_count; i++) {
        const struct eg_case *row = pipeline->cases[i];
        if (row->parent != number)
            continue;
        active++;
        unknown += row->condition == EG_CONDITION_UNKNOWN;
        keep_peak(rule, regional, row);
        if (row->condition == EG_CONDITION_BREACHING && (!worst || worse(rule, row, worst)))
            worst = row;
    }
    const uint8_t condition = worst     ? EG_CONDITION_BREACHING
                              : unknown ? EG_CONDITION_UNKNOWN
                                        : EG_CONDITION_OK;
    if (worst) {
        regional->last_value = worst->last_value;
        regional->last_ms = worst->last_ms;
        regional->limit = worst->limit;
    }
    if (condition != regional->condition) {
        struct eg_case_event event = by_us("condition", now_ms, now_ms);
        event.from = eg_condition_name((enum eg_condition)regional->condition);
        event.to = eg_condition_name((enum eg_condition)condition);
        regional->condition = condition;
        eg_case_happened(pipeline, regional, event, batch);
    }
    if (worst && worst->level != regional->level) {
        struct eg_case_event event = by_us("level", now_ms, now_ms);
        event.from = eg_level_name((enum eg_level)regional->level);
        event.to = eg_level_name((enum eg_level)worst->level);
        event.value = worst->last_value;
        regional->level = worst->level;
        eg_deadline_level(pipeline, regional, now_ms);
        eg_case_happened(pipeline, regional, event, batch);
    } else if (worst) {
        eg_case_write(regional, batch);
    }
    if (!active)
        eg_command_over(pipeline, regional, "all its cases are over", now_ms, now_ms, batch);
}
