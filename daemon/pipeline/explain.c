/* Knows what a rule sees at a series at this moment, as judge.c would see it. Changes nothing. Called by api/m_explain.c. */
#include <pipeline/explain.h>
#include <pipeline/state.h>

static const struct eg_watch *watch_of(const struct eg_series *series, uint32_t rule)
{
    for (size_t i = 0; i < series->watch_count; i++)
        if (series->watches[i].rule == rule)
            return &series->watches[i];
    return NULL;
}

bool eg_explain_tell(const struct eg_pipeline *pipeline, uint32_t rule_at, uint32_t id,
                     struct eg_explained *ret)
{
    _Static_assert(EG_EXPLAIN_SIGHTS >= EG_LINKS_MAX, "all that a rule looks at can be told");
    const struct eg_series *series = id && id <= pipeline->series_count ? pipeline->series[id - 1] : NULL;
    const struct eg_watch *watch = series ? watch_of(series, rule_at) : NULL;
    if (!watch)
        return false;
    const struct eg_conf_rule *rule = &pipeline->conf->rules[rule_at];
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    const struct eg_place place = eg_partner_place(pipeline, series);
    struct eg_seen seen;
    *ret = (struct eg_explained){.state = watch->state,
                                 .judged_ms = eg_rhythm_newest(&series->rhythm),
                                 .judged_value = series->judged_value};
    ret->sight_count = eg_partner_sights(pipeline, watch, ret->sights);
    ret->goes = (struct eg_circumstance){.band = -1, .levels = rule->levels, .holds = true};
    if (ret->judged_ms == EG_TIME_NONE) {
        ret->goes.blind = EG_BLIND_VALUE;
        return true;
    }
    ret->speaks_ms = eg_rhythm_speaks(&series->rhythm, rule, device, ret->judged_ms);
    eg_judge_look(rule, watch->window, ret->judged_ms, ret->judged_value, &seen);
    ret->has_value = seen.blind != EG_BLIND_VALUE;
    ret->value = seen.value;
    if (watch->window)
        ret->observed_ms = eg_window_observed(watch->window, &ret->width_ms);
    bool tells =
        eg_circumstance_tell(rule, &place, ret->judged_ms, ret->sights, ret->sight_count, &ret->goes);
    if (seen.blind)
        ret->goes.blind = seen.blind;
    else if (tells)
        ret->goes.blind = EG_BLIND_NOT;
    return true;
}
