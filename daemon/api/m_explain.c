/* Knows how it looks what a rule sees at each of its series, and how far that is from a case. Refuses to know how a rule judges
 * (pipeline/explain.c). Called by the table in methods.c. */
#include <api/methods.h>
#include <api/rule_json.h>
#include <pipeline/explain.h>
#include <pipeline/silent.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SERIES_DEFAULT 100

struct at { /* one series being explained */
    const struct eg_desk *desk;
    struct eg_json *json;
    const struct eg_conf_rule *rule;
    const struct eg_explained *seen;
    int64_t now_ms;
};

/* Why nothing is judged, for whoever can do something about it. */
static const char *why(const struct at *at, char out[240])
{
    const struct eg_circumstance *goes = &at->seen->goes;
    const struct eg_conf_partner *partner =
        at->rule->partner_count ? &at->rule->partners[goes->partner] : NULL;
    const char *other = partner ? eg_quantity_info(partner->quantity)->name : "",
               *whose = partner && partner->of_site ? "at this site" : "by this device";
    switch (goes->blind) {
    case EG_BLIND_VALUE:
        snprintf(out, 240,
                 at->seen->judged_ms == EG_TIME_NONE
                     ? "there is no reading that may be judged"
                     : "the readings in the window are too few for the statistic");
        break;
    case EG_BLIND_INVALID:
        snprintf(out, 240, "only %lld of the %lld minutes of the window are known",
                 (long long)(at->seen->observed_ms / 60000), (long long)(at->seen->width_ms / 60000));
        break;
    case EG_BLIND_LAND_USE:
        snprintf(out, 240, "nobody said what the land is used for: land_use of the device, under devices:");
        break;
    case EG_BLIND_MISSING:
        snprintf(out, 240, "%s was never measured %s", other, whose);
        break;
    case EG_BLIND_STALE:
        snprintf(out, 240,
                 "%s is not known well enough %s: its newest reading is too old, or too few are there", other,
                 whose);
        break;
    case EG_BLIND_NO_BAND:
        snprintf(out, 240, "none of the bands fits");
        break;
    default:
        return NULL;
    }
    return out;
}

static void put_seconds(struct eg_json *json, const char *key, int64_t ms)
{
    eg_json_put_number(json, key, ms < 0 ? (double)NAN : (double)(ms / 1000)); /* not a number: null */
}

/* A timer: since when, how much of it was observed, how much is missing. */
static void put_timer(struct eg_json *json, const char *key, int64_t since_ms, int64_t gap_ms,
                      int64_t hold_ms, int64_t at_ms)
{
    eg_json_key(json, key);
    if (since_ms == EG_TIME_NONE) {
        eg_json_null(json);
        return;
    }
    int64_t observed = at_ms - since_ms - gap_ms;
    eg_json_open(json, '{');
    eg_json_put_time(json, "since", since_ms);
    put_seconds(json, "observed_s", observed);
    put_seconds(json, "left_s", observed < hold_ms ? hold_ms - observed : 0);
    eg_json_close(json, '}');
}

static void put_levels(const struct at *at)
{
    struct eg_json *json = at->json;
    const struct eg_explained *seen = at->seen;
    eg_json_key(json, "levels");
    eg_json_open(json, '[');
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT && seen->goes.levels; level++) {
        const struct eg_conf_limit *limit = &seen->goes.levels[level];
        double sign = at->rule->below ? -1 : 1;
        if (!limit->set || (at->rule->band_count && seen->goes.band < 0))
            continue;
        eg_json_open(json, '{');
        eg_json_put_string(json, "level", eg_level_name((enum eg_level)level));
        eg_json_put_number(json, "open", limit->open);
        eg_json_put_number(json, "clear", limit->clear);
        eg_json_put_number(json, "to_open", seen->has_value ? sign * (limit->open - seen->value) : NAN);
        eg_json_put_number(json, "to_clear", seen->has_value ? sign * (seen->value - limit->clear) : NAN);
        eg_json_put_bool(json, "holds", level <= seen->state.level);
        put_timer(json, "hold", seen->state.since_ms[level], seen->state.gap_ms[level], at->rule->hold_ms,
                  seen->state.seen_ms);
        put_timer(json, "clearing", seen->state.clear_since_ms[level], seen->state.clear_gap_ms[level],
                  at->rule->clear_hold_ms, seen->state.seen_ms);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

static void put_sights(const struct at *at)
{
    struct eg_json *json = at->json;
    eg_json_key(json, "beside");
    eg_json_open(json, '[');
    for (size_t i = 0; i < at->seen->sight_count; i++) {
        const struct eg_sight *sight = &at->seen->sights[i];
        const struct eg_conf_partner *partner = &at->rule->partners[sight->partner];
        struct eg_series_view series;
        struct eg_device_view device;
        char statistic[EG_STATISTIC_TEXT];
        if (!eg_pipeline_series(at->desk->pipeline, sight->series, &series) ||
            !eg_pipeline_device(at->desk->pipeline, series.device, &device))
            continue;
        eg_json_open(json, '{');
        eg_json_put_string(json, "device", device.device);
        eg_json_put_string(json, "channel", series.channel);
        eg_json_put_string(json, "quantity", eg_quantity_info(partner->quantity)->name);
        eg_json_put_string(json, "statistic",
                           eg_statistic_text(partner->statistic, partner->share, statistic));
        eg_json_put_number(json, "value", sight->known ? sight->value : NAN);
        eg_json_put_time(json, "time", sight->measured ? sight->ms : EG_TIME_NONE);
        eg_json_put_bool(json, "fresh",
                         sight->known && at->seen->judged_ms != EG_TIME_NONE &&
                             at->seen->judged_ms - sight->ms <= partner->within_ms);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

static void put_case(const struct at *at)
{
    const struct eg_case *row = at->seen->state.case_number
                                    ? eg_pipeline_case_active(at->desk->pipeline, at->seen->state.case_number)
                                    : NULL;
    eg_json_key(at->json, "case");
    if (!row) {
        eg_json_null(at->json);
        return;
    }
    eg_json_open(at->json, '{');
    eg_json_put_string(at->json, "id", row->id);
    eg_json_put_string(at->json, "level", eg_level_name((enum eg_level)row->level));
    eg_json_put_string(at->json, "condition", eg_condition_name((enum eg_condition)row->condition));
    eg_json_put_string(at->json, "handling", eg_handling_name((enum eg_handling)row->handling));
    eg_json_put_time(at->json, "opened_at", row->opened_ms);
    eg_json_close(at->json, '}');
}

static void put_series(const struct at *at, const struct eg_device_view *device,
                       const struct eg_series_view *series)
{
    struct eg_json *json = at->json;
    const struct eg_explained *seen = at->seen;
    const struct eg_circumstance *goes = &seen->goes;
    char sentence[240];
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", device->site);
    eg_json_put_string(json, "domain", device->domain);
    eg_json_put_string(json, "device", device->device);
    eg_json_put_string(json, "channel", series->channel);
    eg_json_put_bool(json, "silent", eg_silent_missed(device, at->now_ms));
    eg_json_put_number(json, "value", seen->has_value ? seen->value : NAN);
    eg_json_put_time(json, "time", seen->judged_ms);
    if (at->rule->index)
        eg_json_put_string(json, "made_of", *seen->note ? seen->note : NULL);
    put_seconds(json, "observed_s", seen->width_ms ? seen->observed_ms : -1);
    put_seconds(json, "window_s", seen->width_ms ? seen->width_ms : -1);
    put_seconds(json, "speaks_for_s", seen->speaks_ms);
    eg_json_put_string(json, "blind", goes->blind ? eg_blind_name(goes->blind) : NULL);
    eg_json_put_string(json, "why", why(at, sentence));
    eg_json_key(json, "band");
    if (goes->band < 0)
        eg_json_null(json);
    else
        eg_rule_json_when(json, at->desk->conf, at->rule, &at->rule->bands[goes->band]);
    put_sights(at);
    eg_json_key(json, "conditions_hold");
    if (!at->rule->node_count || goes->blind)
        eg_json_null(json);
    else
        eg_json_bool(json, goes->holds);
    eg_json_put_string(json, "level",
                       seen->state.level ? eg_level_name((enum eg_level)seen->state.level) : NULL);
    put_levels(at);
    put_case(at);
    eg_json_close(json, '}');
}

/* Of a rule over the index of sites: the sites it applies to, whose series has no device. */
static int64_t put_sites(const struct eg_call *call, const struct eg_conf_rule *rule,
                         const struct eg_scope *scope, int64_t most)
{
    const struct eg_desk *desk = call->desk;
    struct eg_explained seen;
    const struct at at = {desk, call->json, rule, &seen, call->state.now_ms};
    const struct eg_series_view series = {.quantity = (uint16_t)rule->quantity, .channel = ""};
    uint32_t site, count = 0;
    for (size_t i = 0;
         eg_explain_index(desk->pipeline, (uint32_t)(rule - desk->conf->rules), i, &seen, &site); i++) {
        const struct eg_device_view place = {.conf_site = site,
                                             .site = desk->conf->sites[site].id,
                                             .domain = eg_siteindex_domain(rule),
                                             .device = "",
                                             .last_seen_ms = call->state.now_ms,
                                             .silent_after_ms = INT64_MAX / 2};
        if (seen.judged_ms != EG_TIME_NONE && eg_scope_has_device(desk->conf, scope, &place) &&
            ++count <= most)
            put_series(&at, &place, &series);
    }
    return count;
}

int eg_m_explain(struct eg_call *call)
{
    const struct eg_desk *desk = call->desk;
    const struct eg_conf_rule *rule = eg_conf_rule_find(desk->conf, eg_call_text(call, "rule"));
    char name[EG_CALL_NUMBER_MAX];
    const char *device_name = eg_call_path(call, "device", name);
    const int64_t most = eg_call_int(call, "limit", SERIES_DEFAULT);
    struct eg_scope scope;
    int64_t count = 0;
    if (!rule)
        return eg_call_fail(call, EG_RPC_NOT_FOUND, "There is no rule \"%.60s\".",
                            eg_call_text(call, "rule"));
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    eg_json_open(call->json, '{');
    eg_json_put_time(call->json, "now", call->state.now_ms);
    eg_json_key(call->json, "rule");
    eg_rule_json(call->json, desk->conf, rule);
    eg_json_key(call->json, "series");
    eg_json_open(call->json, '[');
    if (rule->index)
        count = put_sites(call, rule, &scope, most);
    for (uint32_t id = 1; id <= eg_pipeline_series_count(desk->pipeline); id++) {
        struct eg_series_view series;
        struct eg_device_view device;
        struct eg_explained seen;
        const struct at at = {desk, call->json, rule, &seen, call->state.now_ms};
        if (!eg_pipeline_series(desk->pipeline, id, &series) || series.quantity != rule->quantity ||
            !eg_pipeline_device(desk->pipeline, series.device, &device) ||
            !eg_scope_has_device(desk->conf, &scope, &device) ||
            (device_name && !eg_call_device_is(&device, device_name)) ||
            !eg_explain_tell(desk->pipeline, (uint32_t)(rule - desk->conf->rules), id, &seen))
            continue;
        if (++count <= most)
            put_series(&at, &device, &series);
    }
    eg_json_close(call->json, ']');
    eg_json_put_int(call->json, "count", count);
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}
