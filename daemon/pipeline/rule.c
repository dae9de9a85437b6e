/* Rules: which of them watch a series, where each stands, and what is kept of one that is not in force. How it is judged is judge.c's
 * business. */
#include <pipeline/state.h>

#include <stdlib.h>
#include <string.h>

bool eg_rule_sort(struct eg_pipeline *pipeline, const struct eg_conf *conf)
{
    uint32_t *rules = calloc(conf->rule_count ? conf->rule_count : 1, sizeof *rules), at = 0;
    if (!rules)
        return false;
    for (int quantity = 0; quantity < EG_QUANTITY_COUNT; quantity++) {
        pipeline->rule_start[quantity] = at;
        for (uint32_t r = 0; r < conf->rule_count; r++)
            if (conf->rules[r].quantity == quantity)
                rules[at++] = r;
    }
    pipeline->rule_start[EG_QUANTITY_COUNT] = at;
    free(pipeline->rules);
    pipeline->rules = rules;
    return true;
}

bool eg_rule_applies(const struct eg_conf *conf, const struct eg_conf_rule *rule,
                     const struct eg_device *device, const struct eg_series *series)
{
    if (rule->when || rule->index || rule->quantity != series->quantity ||
        (rule->domain && strcmp(rule->domain, device->domain) != 0))
        return false;
    if (!rule->site_count)
        return true;
    for (size_t i = 0; i < rule->site_count && device->site != EG_CONF_NONE; i++)
        if (eg_conf_site_within(conf, device->site, rule->sites[i]))
            return true;
    return false;
}

void eg_rule_unbind(struct eg_series *series)
{
    for (size_t i = 0; i < series->watch_count; i++) {
        eg_window_destroy(series->watches[i].window);
        free(series->watches[i].links);
    }
    free(series->watches);
    series->watches = NULL;
    series->watch_count = 0;
}

/* What was known of (rule, series) when the rule was last in force. */
static void take_lost(struct eg_pipeline *pipeline, const struct eg_series *series, const char *rule,
                      struct eg_watch *watch)
{
    for (size_t i = 0; i < pipeline->lost_count; i++) {
        struct eg_lost_state *lost = &pipeline->lost[i];
        if (lost->row.series == series->id && !strcmp(lost->rule, rule)) {
            eg_judge_restore(pipeline, series, watch, &lost->row);
            free(lost->rule);
            *lost = pipeline->lost[--pipeline->lost_count];
            return;
        }
    }
}

static bool keep_lost(struct eg_pipeline *pipeline, const char *rule, const struct eg_row_rule_state *row)
{
    char *name = strdup(rule);
    if (!name || !eg_room_more((void **)&pipeline->lost, pipeline->lost_count, &pipeline->lost_capacity,
                               sizeof *pipeline->lost, EG_CASES_MAX)) {
        free(name);
        return false;
    }
    pipeline->lost[pipeline->lost_count] = (struct eg_lost_state){name, *row};
    pipeline->lost[pipeline->lost_count++].row.rule = name;
    return true;
}

static struct eg_row_rule_state row_of(const struct eg_series *series, const struct eg_watch *watch)
{
    struct eg_row_rule_state row = {.series = series->id, .state = watch->state, .checkpointed = true};
    memcpy(row.checkpoints, watch->checkpoints, sizeof row.checkpoints);
    return row;
}

static struct eg_window_shape shape_of(const struct eg_conf_rule *rule)
{
    return (struct eg_window_shape){rule->window_ms, rule->calendar, rule->statistic,
                                    rule->share,     rule->above,    rule->valid_hour_ms};
}

struct eg_window *eg_rule_window(const struct eg_conf_rule *rule)
{
    const struct eg_window_shape shape = shape_of(rule);
    return eg_window_create(&shape);
}

static bool same_shape(const struct eg_window_shape *a, const struct eg_window_shape *b)
{
    return a->width_ms == b->width_ms && a->calendar == b->calendar && a->statistic == b->statistic &&
           !(a->share < b->share) && !(a->share > b->share) && !(a->above < b->above) &&
           !(a->above > b->above) && a->enough_ms == b->enough_ms;
}

bool eg_rule_bind(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_conf *old)
{
    const struct eg_conf *conf = pipeline->conf;
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    struct eg_watch *before = series->watches;
    size_t before_count = series->watch_count, count = 0;
    const uint32_t *first = pipeline->rules + pipeline->rule_start[series->quantity],
                   *behind = pipeline->rules + pipeline->rule_start[series->quantity + 1];
    for (const uint32_t *r = first; r < behind; r++)
        count += eg_rule_applies(conf, &conf->rules[*r], device, series);
    struct eg_watch *watches = count ? calloc(count, sizeof *watches) : NULL;
    if (count && !watches)
        return false;
    bool ok = true;
    size_t at = 0;
    for (const uint32_t *r = first; r < behind; r++) {
        const struct eg_conf_rule *rule = &conf->rules[*r];
        if (!eg_rule_applies(conf, rule, device, series))
            continue;
        struct eg_watch *watch = &watches[at++];
        bool known = false;
        watch->rule = *r;
        eg_judge_nothing(&watch->state);
        for (size_t i = 0; i < before_count; i++) {
            const struct eg_conf_rule *was =
                before[i].rule == UINT32_MAX ? NULL : &old->rules[before[i].rule];
            if (!was || strcmp(was->id, rule->id) != 0)
                continue; /* carried over already, or another one */
            watch->state = before[i].state;
            known = true;
            watch->at_ms = before[i].at_ms;
            memcpy(watch->checkpoints, before[i].checkpoints, sizeof watch->checkpoints);
            watch->rests_ms = before[i].rests_ms;
            watch->behind = before[i].behind;
            const struct eg_window_shape shape = shape_of(rule), shape_was = shape_of(was);
            if (rule->statistic != EG_STAT_LAST && same_shape(&shape, &shape_was)) {
                watch->window = before[i].window;
                before[i].window = NULL;
            }
            before[i].rule = UINT32_MAX;
            break;
        }
        if (!known) {
            eg_judge_begin(series, watch);
            take_lost(pipeline, series, rule->id, watch);
        }
        if (rule->statistic != EG_STAT_LAST && !watch->window) {
            watch->window = eg_rule_window(rule);
            ok = ok && watch->window;
        }
    }
    for (size_t i = 0; i < before_count; i++) {
        struct eg_row_rule_state row = row_of(series, &before[i]);
        if (before[i].rule != UINT32_MAX && before[i].state.case_number)
            ok = keep_lost(pipeline, old->rules[before[i].rule].id, &row) && ok;
        eg_window_destroy(before[i].window);
        free(before[i].links); /* partner.c makes them anew */
    }
    free(before);
    series->watches = watches;
    series->watch_count = (uint16_t)count;
    return ok;
}

void eg_rule_write_state(const struct eg_pipeline *pipeline, const struct eg_series *series,
                         const struct eg_watch *watch, struct eg_batch *batch)
{
    struct eg_row_rule_state *row = EG_BATCH_ADD(batch, rule_states);
    if (!row)
        return;
    *row = row_of(series, watch);
    row->rule = eg_batch_text(batch, pipeline->conf->rules[watch->rule].id);
}

static void write_lost(const struct eg_lost_state *lost, struct eg_batch *batch)
{
    struct eg_row_rule_state *row = EG_BATCH_ADD(batch, rule_states);
    if (row) {
        *row = lost->row;
        row->rule = eg_batch_text(batch, lost->rule);
    }
}

void eg_rule_forget_case(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    for (size_t i = 0; series && i < series->watch_count; i++) {
        struct eg_watch *watch = &series->watches[i];
        if (watch->state.case_number != row->number)
            continue;
        eg_judge_nothing(&watch->state); /* still beyond: the next reading starts a new case, after `hold` */
        eg_judge_settle(pipeline, series, watch);
        eg_rule_write_state(pipeline, series, watch, batch);
    }
    if (!row->series)
        eg_siteindex_forget(pipeline, row, batch);
    for (size_t i = pipeline->lost_count; i-- > 0;) {
        struct eg_lost_state *lost = &pipeline->lost[i];
        if (lost->row.state.case_number != row->number)
            continue;
        eg_judge_nothing(&lost->row.state);
        lost->row.checkpointed = false;
        write_lost(lost, batch);
        free(lost->rule);
        *lost = pipeline->lost[--pipeline->lost_count];
    }
}

bool eg_rule_recall_case(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    if (!row->series) {
        eg_siteindex_recall(pipeline, row, batch);
        return true;
    }
    enum eg_level level =
        row->condition == EG_CONDITION_BREACHING ? (enum eg_level)row->level : EG_LEVEL_NONE;
    for (size_t i = 0; series && i < series->watch_count; i++) {
        struct eg_watch *watch = &series->watches[i];
        const struct eg_conf_rule *rule = &pipeline->conf->rules[watch->rule];
        if (strcmp(rule->id, row->rule) != 0)
            continue;
        watch->state.case_number = row->number;
        watch->state.level = (uint8_t)level;
        watch->state.had = row->level;
        watch->state.limit = row->limit;
        eg_judge_settle(pipeline, series, watch);
        eg_rule_write_state(pipeline, series, watch, batch);
        return true;
    }
    struct eg_row_rule_state none = {
        .series = row->series}; /* not in force; should it come back, it finds its case */
    eg_judge_nothing(&none.state);
    none.state.case_number = row->number;
    none.state.level = (uint8_t)level;
    none.state.had = row->level;
    none.state.limit = row->limit;
    if (!keep_lost(pipeline, row->rule, &none))
        return false;
    write_lost(&pipeline->lost[pipeline->lost_count - 1], batch);
    return true;
}

void eg_pipeline_restore_rule_state(struct eg_pipeline *pipeline, const struct eg_row_rule_state *row)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    if (!row->series)
        eg_siteindex_restore(pipeline, row);
    for (size_t i = 0; series && i < series->watch_count; i++)
        if (!strcmp(pipeline->conf->rules[series->watches[i].rule].id, row->rule)) {
            eg_judge_restore(pipeline, series, &series->watches[i], row);
            return;
        }
    if (series && row->state.case_number)
        keep_lost(pipeline, row->rule, row);
}

void eg_rule_redate(struct eg_pipeline *pipeline, const struct eg_redating *by, struct eg_batch *batch)
{
    for (size_t s = 0; s < pipeline->series_count; s++) {
        const struct eg_series *series = pipeline->series[s];
        for (size_t i = 0; i < series->watch_count; i++) {
            struct eg_watch *watch = &series->watches[i];
            if (watch->at_ms >= by->from_ms && !eg_judge_catch_up(pipeline, series, watch))
                batch->failed = true; /* as long as the store still has the times of before */
            if (eg_judge_redate(&watch->state, watch->checkpoints, by))
                eg_rule_write_state(pipeline, series, watch, batch);
        }
    }
    for (size_t i = 0; i < pipeline->lost_count; i++)
        if (eg_judge_redate(&pipeline->lost[i].row.state,
                            pipeline->lost[i].row.checkpointed ? pipeline->lost[i].row.checkpoints : NULL,
                            by))
            write_lost(&pipeline->lost[i], batch);
}
