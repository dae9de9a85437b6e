/* The readings that a case stands on, for people who look at one: those its rule looked at when it was opened, of its own series and of
 * the others that a rule with further conditions or bands asks; of a silent device the last of each of its series; of a report what was
 * measured. Knows the rule as it stands in the configuration now, and the stored readings, which are kept as long as the case. Refuses to
 * judge anew: the value that decided stands in the history. Called by m_cases.c. */
#include <api/evidence.h>
#include <api/methods.h>

#include <string.h>

#define HOUR_MS (INT64_C(3600) * 1000)
#define SERIES_MOST 16
#define READINGS_MOST 12
#define SILENT_LOOK_MS (7 * 24 * HOUR_MS) /* how far back a silent device's last readings are looked for */

struct evidence {
    struct eg_call *call;
    const struct eg_case *row;
    const struct eg_conf_rule *rule;
    int64_t end_ms; /* nothing after it was known then */
    size_t series;
    int code;
};
struct newest { /* of a span, the last few */
    struct eg_point rows[READINGS_MOST];
    size_t most, seen;
};

static bool keep(void *arg, const struct eg_point *point)
{
    struct newest *newest = arg;
    newest->rows[newest->seen++ % newest->most] = *point;
    return true;
}

static void put_readings(struct eg_json *json, const struct newest *newest)
{
    size_t count = newest->seen < newest->most ? newest->seen : newest->most;
    eg_json_key(json, "readings");
    eg_json_open(json, '[');
    for (size_t i = newest->seen - count; i < newest->seen; i++) {
        const struct eg_point *point = &newest->rows[i % newest->most];
        eg_json_open(json, '{');
        eg_json_put_time(json, "time", point->time_ms);
        eg_json_put_number(json, "value", point->value);
        eg_json_key(json, "flags");
        eg_m_readings_flags(json, point->flags);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
    eg_json_put_int(json, "count", (int64_t)newest->seen);
}

/* Those of `span_ms` up to the end; a series that said nothing then is left out. */
static void put_series(struct evidence *evidence, uint32_t id, int64_t from_ms, size_t most)
{
    struct eg_json *json = evidence->call->json;
    struct eg_series_view series;
    struct eg_device_view device;
    struct newest newest = {.most = most};
    struct eg_err err = {0};
    if (evidence->code < 0 || evidence->series == SERIES_MOST ||
        !eg_pipeline_series(evidence->call->desk->pipeline, id, &series) ||
        !eg_pipeline_device(evidence->call->desk->pipeline, series.device, &device))
        return;
    if (eg_reader_points(evidence->call->desk->reader, id, from_ms, evidence->end_ms + 1, keep, &newest,
                         &err) < 0) {
        evidence->code = eg_call_fail_err(evidence->call, &err);
        return;
    }
    if (!newest.seen)
        return;
    evidence->series++;
    eg_json_open(json, '{');
    eg_json_put_string(json, "device", device.device);
    eg_json_put_string(json, "quantity", eg_quantity_info(series.quantity)->name);
    eg_json_put_string(json, "channel", series.channel);
    eg_json_put_string(json, "unit", eg_quantity_info(series.quantity)->unit);
    put_readings(json, &newest);
    eg_json_close(json, '}');
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The least span that a look at these takes in. */
static int64_t back_to(const struct evidence *evidence, int64_t window_ms)
{
    return evidence->row->opened_ms - longer(window_ms, HOUR_MS);
}

static const struct eg_conf_partner *asked_for(const struct eg_conf_rule *rule, int quantity,
                                               bool same_device)
{
    for (size_t i = 0; rule && i < rule->partner_count; i++)
        if (rule->partners[i].quantity == quantity && (same_device || rule->partners[i].of_site))
            return &rule->partners[i];
    return NULL;
}

/* What else the rule asks, at the device or at those of the site. */
static void put_others(struct evidence *evidence, uint32_t own, const struct eg_device_view *home)
{
    const struct eg_pipeline *pipeline = evidence->call->desk->pipeline;
    struct eg_series_view series;
    struct eg_device_view device;
    for (uint32_t id = 1; id <= eg_pipeline_series_count(pipeline) && evidence->rule->partner_count; id++) {
        if (id == own || !eg_pipeline_series(pipeline, id, &series) ||
            !eg_pipeline_device(pipeline, series.device, &device) || strcmp(device.site, home->site) != 0)
            continue;
        const struct eg_conf_partner *partner =
            asked_for(evidence->rule, series.quantity,
                      !strcmp(device.device, home->device) && !strcmp(device.domain, home->domain));
        if (partner)
            put_series(evidence, id,
                       evidence->row->opened_ms - longer(partner->within_ms, partner->window_ms),
                       READINGS_MOST);
    }
}

static void put_breach(struct evidence *evidence)
{
    const struct eg_pipeline *pipeline = evidence->call->desk->pipeline;
    struct eg_series_view series;
    struct eg_device_view home;
    put_series(evidence, evidence->row->series,
               back_to(evidence, evidence->rule ? evidence->rule->window_ms : 0), READINGS_MOST);
    if (evidence->rule && eg_pipeline_series(pipeline, evidence->row->series, &series) &&
        eg_pipeline_device(pipeline, series.device, &home))
        put_others(evidence, evidence->row->series, &home);
}

/* Of the device that the case names: its last readings, or what was measured by hand. */
static void put_device(struct evidence *evidence, const char *name, int quantity, int64_t from_ms)
{
    const struct eg_pipeline *pipeline = evidence->call->desk->pipeline;
    struct eg_series_view series;
    struct eg_device_view device;
    for (uint32_t id = 1; id <= eg_pipeline_series_count(pipeline); id++)
        if (eg_pipeline_series(pipeline, id, &series) && (quantity < 0 || series.quantity == quantity) &&
            eg_pipeline_device(pipeline, series.device, &device) &&
            !strcmp(device.site, evidence->row->site) && !strcmp(device.domain, evidence->row->domain) &&
            !strcmp(device.device, name))
            put_series(evidence, id, from_ms, quantity < 0 ? 1 : READINGS_MOST);
}

int eg_evidence_write(struct eg_call *call, const struct eg_case *row)
{
    const struct eg_conf_rule *rule = eg_conf_rule_find(call->desk->conf, row->rule);
    /* Without a hold the reading at which it began decided; with one the first behind it, which is not kept. */
    int64_t end_ms = row->opened_ms;
    if (rule && rule->hold_ms && row->kind == EG_CASE_BREACH)
        end_ms = row->detected_ms < end_ms + rule->hold_ms + HOUR_MS ? row->detected_ms
                                                                     : end_ms + rule->hold_ms + HOUR_MS;
    struct evidence evidence = {.call = call, .row = row, .rule = rule, .end_ms = end_ms};
    eg_json_key(call->json, "evidence");
    eg_json_open(call->json, '[');
    if (!call->desk->pipeline)
        ;
    else if (row->kind == EG_CASE_DEVICE)
        put_device(&evidence, row->device, -1, row->opened_ms - SILENT_LOOK_MS);
    else if (row->kind == EG_CASE_REPORT && row->quantity < EG_QUANTITY_COUNT)
        put_device(&evidence, "manual", row->quantity, back_to(&evidence, 0));
    else if (row->series)
        put_breach(&evidence);
    eg_json_close(call->json, ']');
    return evidence.code;
}
