/* Rules: where each stands for a series, with hysteresis and hold, in the readings' own time. Decides levels; what becomes of a
 * level is case.c's business.
 *
 * Beyond a limit is strictly above (below) it; within is everything else. A level is reached when the statistic has been beyond
 * its `open` for `hold`, and left when it has been within its `clear` for `clear_hold`. */
#include <pipeline/state.h>

#include <stdlib.h>
#include <string.h>

static bool beyond(const struct eg_conf_rule *rule, double value, double limit)
{
    return rule->below ? value < limit : value > limit;
}

bool eg_rule_applies(const struct eg_conf *conf, const struct eg_conf_rule *rule,
                     const struct eg_device *device, const struct eg_series *series)
{
    if (rule->quantity != series->quantity || (rule->domain && strcmp(rule->domain, device->domain) != 0))
        return false;
    if (!rule->site_count)
        return true;
    for (size_t i = 0; i < rule->site_count && device->site != EG_CONF_NONE; i++)
        if (eg_conf_site_within(conf, device->site, rule->sites[i]))
            return true;
    return false;
}

static void state_none(struct eg_rule_state *state)
{
    memset(state, 0, sizeof *state);
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        state->since_ms[level] = state->clear_since_ms[level] = EG_TIME_NONE;
}

void eg_rule_unbind(struct eg_series *series)
{
    for (size_t i = 0; i < series->watch_count; i++)
        eg_window_destroy(series->watches[i].window);
    free(series->watches);
    series->watches = NULL;
    series->watch_count = 0;
}

/* What was known of (rule, series) when the rule was last in force. */
static void take_lost(struct eg_pipeline *pipeline, const char *rule, uint32_t series,
                      struct eg_rule_state *state)
{
    for (size_t i = 0; i < pipeline->lost_count; i++) {
        struct eg_lost_state *lost = &pipeline->lost[i];
        if (lost->series == series && !strcmp(lost->rule, rule)) {
            *state = lost->state;
            free(lost->rule);
            *lost = pipeline->lost[--pipeline->lost_count];
            return;
        }
    }
}

static bool keep_lost(struct eg_pipeline *pipeline, const char *rule, uint32_t series,
                      const struct eg_rule_state *state)
{
    char *name = strdup(rule);
    if (!name || !eg_room_more((void **)&pipeline->lost, pipeline->lost_count, &pipeline->lost_capacity,
                               sizeof *pipeline->lost, EG_CASES_MAX)) {
        free(name);
        return false;
    }
    pipeline->lost[pipeline->lost_count++] = (struct eg_lost_state){series, name, *state};
    return true;
}

static bool same_window(const struct eg_conf_rule *a, const struct eg_conf_rule *b)
{
    return a->window_ms == b->window_ms;
}

bool eg_rule_bind(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_conf *old)
{
    const struct eg_conf *conf = pipeline->conf;
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    struct eg_watch *before = series->watches;
    size_t before_count = series->watch_count, count = 0;
    for (size_t r = 0; r < conf->rule_count; r++)
        count += eg_rule_applies(conf, &conf->rules[r], device, series);
    struct eg_watch *watches = count ? calloc(count, sizeof *watches) : NULL;
    if (count && !watches)
        return false;
    bool ok = true;
    size_t at = 0;
    for (uint32_t r = 0; r < conf->rule_count; r++) {
        const struct eg_conf_rule *rule = &conf->rules[r];
        if (!eg_rule_applies(conf, rule, device, series))
            continue;
        struct eg_watch *watch = &watches[at++];
        watch->rule = r;
        state_none(&watch->state);
        for (size_t i = 0; i < before_count; i++) {
            const struct eg_conf_rule *was =
                before[i].rule == UINT32_MAX ? NULL : &old->rules[before[i].rule];
            if (!was || strcmp(was->id, rule->id) != 0)
                continue; /* carried over already, or another one */
            watch->state = before[i].state;
            if (rule->statistic != EG_STAT_LAST && same_window(was, rule)) {
                watch->window = before[i].window;
                before[i].window = NULL;
            }
            before[i].rule = UINT32_MAX;
            break;
        }
        take_lost(pipeline, rule->id, series->id, &watch->state);
        if (rule->statistic != EG_STAT_LAST && !watch->window) {
            watch->window = eg_window_create(rule->window_ms);
            ok = ok && watch->window;
        }
    }
    for (size_t i = 0; i < before_count; i++) {
        if (before[i].rule != UINT32_MAX && before[i].state.case_number)
            ok = keep_lost(pipeline, old->rules[before[i].rule].id, series->id, &before[i].state) && ok;
        eg_window_destroy(before[i].window);
    }
    free(before);
    series->watches = watches;
    series->watch_count = (uint16_t)count;
    return ok;
}

static void write_state(const struct eg_conf_rule *rule, const struct eg_series *series,
                        const struct eg_rule_state *state, struct eg_batch *batch)
{
    struct eg_row_rule_state *row = EG_BATCH_ADD(batch, rule_states);
    if (row)
        *row = (struct eg_row_rule_state){eg_batch_text(batch, rule->id), series->id, *state};
}

/* Runs the timers of each level to `at_ms`; gives the level that holds now. */
static enum eg_level advance(const struct eg_conf_rule *rule, struct eg_rule_state *state, int64_t at_ms,
                             double value)
{
    enum eg_level reached = EG_LEVEL_NONE;
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        if (!rule->levels[level].set)
            continue;
        int64_t *since = &state->since_ms[level], *clear = &state->clear_since_ms[level];
        if (!beyond(rule, value, rule->levels[level].open))
            *since = EG_TIME_NONE;
        else if (*since == EG_TIME_NONE)
            *since = at_ms;
        if (beyond(rule, value, rule->levels[level].clear))
            *clear = EG_TIME_NONE;
        else if (*clear == EG_TIME_NONE)
            *clear = at_ms;
        bool rises = *since != EG_TIME_NONE && at_ms - *since >= rule->hold_ms;
        bool stays =
            level <= state->level && !(*clear != EG_TIME_NONE && at_ms - *clear >= rule->clear_hold_ms);
        if (rises || stays)
            reached = (enum eg_level)level;
    }
    return reached;
}

static void judge(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_watch *watch,
                  double value, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_conf_rule *rule = &pipeline->conf->rules[watch->rule];
    struct eg_rule_state *state = &watch->state, before = *state;
    struct eg_judged judged = {.at_ms = series->last_ms, .now_ms = now_ms, .value = value};
    judged.level = advance(rule, state, series->last_ms, value);
    judged.since_ms =
        state->since_ms[judged.level] != EG_TIME_NONE ? state->since_ms[judged.level] : series->last_ms;
    state->level = (uint8_t)judged.level;
    struct eg_case *row = state->case_number ? eg_case_find(pipeline, state->case_number) : NULL;
    if (row) {
        if (judged.level != before.level)
            eg_case_level(pipeline, row, rule, &judged, batch);
        else
            eg_case_follow(row, rule, &judged, batch);
    } else if (judged.level) {
        state->case_number = eg_case_open(pipeline, series, rule, &judged, batch);
    }
    if (memcmp(state, &before, sizeof before) != 0)
        write_state(rule, series, state, batch);
}

/* What the rule looks at, as of the newest reading; false: there is no such value. */
static bool value_of(const struct eg_pipeline *pipeline, const struct eg_series *series,
                     const struct eg_watch *watch, double *ret)
{
    if (watch->window)
        return eg_window_value(watch->window, pipeline->conf->rules[watch->rule].statistic, ret);
    *ret = series->last_value;
    return true;
}

void eg_rule_judge(struct eg_pipeline *pipeline, struct eg_series *series, int64_t now_ms,
                   struct eg_batch *batch)
{
    for (size_t i = 0; i < series->watch_count; i++) {
        double value;
        struct eg_watch *watch = &series->watches[i];
        const struct eg_case *row =
            watch->state.case_number ? eg_case_find(pipeline, watch->state.case_number) : NULL;
        if (value_of(pipeline, series, watch, &value))
            judge(pipeline, series, watch, value, now_ms, batch);
        else if (row)
            eg_case_write(row, batch); /* its last value cannot be recalled from the readings any more */
    }
}

void eg_rule_pass_over(struct eg_pipeline *pipeline, struct eg_series *series, bool judged_before,
                       struct eg_batch *batch)
{
    bool judged = !(series->last_flags & EG_FLAGS_UNJUDGED);
    for (size_t i = 0; i < series->watch_count; i++) {
        struct eg_case *row = series->watches[i].state.case_number
                                  ? eg_case_find(pipeline, series->watches[i].state.case_number)
                                  : NULL;
        if (row && judged)
            eg_rule_recall_last(pipeline, row);
        else if (row && judged_before)
            eg_case_write(row, batch);
    }
}

void eg_rule_recall_last(struct eg_pipeline *pipeline, struct eg_case *row)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    if (!series || !series->has_last || (series->last_flags & EG_FLAGS_UNJUDGED))
        return;
    for (size_t i = 0; i < series->watch_count; i++)
        if (series->watches[i].state.case_number == row->number &&
            value_of(pipeline, series, &series->watches[i], &row->last_value))
            row->last_ms = series->last_ms;
}

static void write_lost(const struct eg_lost_state *lost, struct eg_batch *batch)
{
    struct eg_row_rule_state *row = EG_BATCH_ADD(batch, rule_states);
    if (row)
        *row = (struct eg_row_rule_state){eg_batch_text(batch, lost->rule), lost->series, lost->state};
}

void eg_rule_forget_case(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    for (size_t i = 0; series && i < series->watch_count; i++) {
        struct eg_watch *watch = &series->watches[i];
        if (watch->state.case_number != row->number)
            continue;
        state_none(&watch->state); /* still beyond: the next reading starts a new case, after `hold` */
        write_state(&pipeline->conf->rules[watch->rule], series, &watch->state, batch);
    }
    for (size_t i = pipeline->lost_count; i-- > 0;) {
        struct eg_lost_state *lost = &pipeline->lost[i];
        if (lost->state.case_number != row->number)
            continue;
        state_none(&lost->state);
        write_lost(lost, batch);
        free(lost->rule);
        *lost = pipeline->lost[--pipeline->lost_count];
    }
}

bool eg_rule_recall_case(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_batch *batch)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    enum eg_level level =
        row->condition == EG_CONDITION_BREACHING ? (enum eg_level)row->level : EG_LEVEL_NONE;
    for (size_t i = 0; series && i < series->watch_count; i++) {
        struct eg_watch *watch = &series->watches[i];
        const struct eg_conf_rule *rule = &pipeline->conf->rules[watch->rule];
        if (strcmp(rule->id, row->rule) != 0)
            continue;
        watch->state.case_number = row->number;
        watch->state.level = (uint8_t)level;
        write_state(rule, series, &watch->state, batch);
        return true;
    }
    struct eg_rule_state state; /* the rule is not in force; should it come back, it finds its case */
    state_none(&state);
    state.case_number = row->number;
    state.level = (uint8_t)level;
    if (!keep_lost(pipeline, row->rule, row->series, &state))
        return false;
    write_lost(&pipeline->lost[pipeline->lost_count - 1], batch);
    return true;
}

void eg_pipeline_restore_rule_state(struct eg_pipeline *pipeline, const struct eg_row_rule_state *row)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    for (size_t i = 0; series && i < series->watch_count; i++)
        if (!strcmp(pipeline->conf->rules[series->watches[i].rule].id, row->rule)) {
            series->watches[i].state = row->state;
            return;
        }
    if (series && row->state.case_number)
        keep_lost(pipeline, row->rule, row->series, &row->state);
}
