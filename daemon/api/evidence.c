/* What a case stands on, for people who look at one: the readings its rule looked at when it was opened, of its own series and of the
 * others that further conditions, bands or an index ask; the devices that fell silent, and the last of each; what people measured; of a
 * regional case the readings of the cases it holds. Knows the stored readings, which are kept as long as the case, and which series were
 * looked at then. Refuses to judge anew: the value that decided stands in the history. Called by m_cases.c. */
#include <api/evidence.h>
#include <api/evidence_air.h>
#include <index/land.h>
#include <api/methods.h>

#include <string.h>

#define HOUR_MS (INT64_C(3600) * 1000)
#define SERIES_MOST 16
#define READINGS_MOST 12
#define MEMBERS_MOST 16
#define ROWS_MOST 192 /* as many as a case can have */
#define SILENT_LOOK_MS                                                                                       \
    (7 * 24 * HOUR_MS) /* of cases without rows: how far back last readings are looked for */

struct evidence {
    struct eg_call *call;
    const struct eg_case *row;
    const struct eg_conf_rule *rule;
    int64_t end_ms; /* nothing after it was known then */
    struct eg_row_evidence rows[ROWS_MOST];
    size_t row_count;
    size_t series;
    const char *of_case; /* of a regional one: whose they are; NULL */
    struct eg_evidence_air air;
    int code;
};
struct newest { /* of a span, the last few */
    struct eg_point rows[READINGS_MOST];
    size_t most, seen;
    bool manual; /* these only */
};

static bool keep(void *arg, const struct eg_point *point)
{
    struct newest *newest = arg;
    if (!newest->manual || point->flags & EG_FLAG_MANUAL)
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

void eg_evidence_head(struct eg_json *json, const struct eg_device_view *device,
                      const struct eg_series_view *series)
{
    eg_json_put_string(json, "site", device->site);
    eg_json_put_string(json, "device", device->device);
    eg_json_put_string(json, "quantity", eg_quantity_info(series->quantity)->name);
    eg_json_put_string(json, "channel", series->channel);
    eg_json_put_string(json, "unit", eg_quantity_info(series->quantity)->unit);
}

/* Those of a span, its end included; a series that said nothing then is left out. */
static void put_span(struct evidence *evidence, uint32_t id, int64_t from_ms, int64_t to_ms,
                     struct newest newest)
{
    struct eg_json *json = evidence->call->json;
    struct eg_series_view series;
    struct eg_device_view device;
    struct eg_err err = {0};
    if (evidence->code < 0 || evidence->series == SERIES_MOST ||
        !eg_pipeline_series(evidence->call->desk->pipeline, id, &series) ||
        !eg_pipeline_device(evidence->call->desk->pipeline, series.device, &device))
        return;
    if (eg_reader_points(evidence->call->desk->reader, id, from_ms, to_ms + 1, keep, &newest, &err) < 0) {
        evidence->code = eg_call_fail_err(evidence->call, &err);
        return;
    }
    if (!newest.seen)
        return;
    evidence->series++;
    eg_json_open(json, '{');
    eg_evidence_head(json, &device, &series);
    if (evidence->of_case)
        eg_json_put_string(json, "case", evidence->of_case);
    put_readings(json, &newest);
    eg_json_close(json, '}');
}

static void put_series(struct evidence *evidence, uint32_t id, int64_t from_ms)
{
    put_span(evidence, id, from_ms, evidence->end_ms, (struct newest){.most = READINGS_MOST});
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The least span that a look at these takes in. */
static int64_t back_to(const struct eg_case *row, int64_t window_ms)
{
    return row->opened_ms - longer(window_ms, HOUR_MS);
}

/* --- a breach --- */

static const struct eg_conf_partner *asked_for(const struct eg_conf_rule *rule, int quantity,
                                               bool same_device)
{
    for (size_t i = 0; rule && i < rule->partner_count; i++)
        if (rule->partners[i].quantity == quantity && (same_device || rule->partners[i].of_site))
            return &rule->partners[i];
    return NULL;
}

/* What else the rule asks now, at the device or at those of the site: of a case from before that was written down. */
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
                       evidence->row->opened_ms - longer(partner->within_ms, partner->window_ms));
    }
}

static bool put_asked(struct evidence *evidence)
{
    bool any = false;
    for (size_t i = 0; i < evidence->row_count; i++)
        if (evidence->rows[i].why == EG_EVIDENCE_ASKED && evidence->rows[i].series != evidence->row->series) {
            put_series(evidence, evidence->rows[i].series, evidence->rows[i].since_ms);
            any = true;
        }
    return any;
}

static void put_breach(struct evidence *evidence)
{
    const struct eg_pipeline *pipeline = evidence->call->desk->pipeline;
    struct eg_series_view series;
    struct eg_device_view home;
    put_series(evidence, evidence->row->series,
               back_to(evidence->row, evidence->rule ? evidence->rule->window_ms : 0));
    if (!put_asked(evidence) && evidence->rule &&
        eg_pipeline_series(pipeline, evidence->row->series, &series) &&
        eg_pipeline_device(pipeline, series.device, &home))
        put_others(evidence, evidence->row->series, &home);
}

static void put_index(struct evidence *evidence)
{
    uint32_t series[ROWS_MOST];
    size_t count = 0;
    if (eg_land_index_find(eg_quantity_info(evidence->row->quantity)->name) != EG_LAND_INDICES) {
        put_asked(evidence); /* no means: what bins and plots told */
        return;
    }
    for (size_t i = 0; i < evidence->row_count; i++)
        if (evidence->rows[i].why == EG_EVIDENCE_ASKED)
            series[count++] = evidence->rows[i].series;
    if (count)
        evidence->code = eg_evidence_air_write(evidence->call, evidence->row, evidence->rule, series, count,
                                               &evidence->air);
}

/* --- silence, people, neighbours --- */

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
            put_span(evidence, id, from_ms, evidence->end_ms,
                     (struct newest){.most = quantity < 0 ? 1 : READINGS_MOST});
}

static void put_silent(struct evidence *evidence)
{
    bool any = false;
    for (size_t i = 0; i < evidence->row_count; i++)
        if (evidence->rows[i].why == EG_EVIDENCE_HEARD) {
            put_span(evidence, evidence->rows[i].series, evidence->rows[i].since_ms, evidence->end_ms,
                     (struct newest){.most = 1});
            any = true;
        }
    if (!any && evidence->row->kind == EG_CASE_DEVICE)
        put_device(evidence, evidence->row->device, -1, evidence->row->opened_ms - SILENT_LOOK_MS);
}

/* By people, for this case, until it was over. */
static bool put_measured(struct evidence *evidence)
{
    const struct eg_case *row = evidence->row;
    int64_t now_ms = evidence->call->state.now_ms,
            end_ms = row->closed_ms == EG_TIME_NONE || row->closed_ms > now_ms ? now_ms : row->closed_ms;
    bool any = false;
    for (size_t i = 0; i < evidence->row_count; i++)
        if (evidence->rows[i].why == EG_EVIDENCE_MEASURED) {
            int64_t since_ms = evidence->rows[i].since_ms;
            if (evidence->rows[i].series == row->series && since_ms <= evidence->end_ms)
                since_ms =
                    evidence->end_ms + 1; /* the others have been shown: it is what the case is about */
            put_span(evidence, evidence->rows[i].series, since_ms, longer(end_ms, since_ms),
                     (struct newest){.most = READINGS_MOST, .manual = true});
            any = true;
        }
    return any;
}

struct members {
    struct eg_case rows[MEMBERS_MOST];
    size_t count;
};

static bool take_member(void *arg, const struct eg_case *row)
{
    struct members *members = arg;
    members->rows[members->count++] = *row;
    return members->count < MEMBERS_MOST;
}

/* Of each case that it holds, the readings that opened it. */
static void put_members(struct evidence *evidence)
{
    struct members members = {.count = 0};
    struct eg_case_query query = {.handling = -1,
                                  .condition = -1,
                                  .level = -1,
                                  .since_ms = EG_TIME_NONE,
                                  .parent = evidence->row->number,
                                  .limit = MEMBERS_MOST};
    struct eg_err err = {0};
    if (eg_reader_cases(evidence->call->desk->reader, &query, take_member, &members, &err) < 0)
        evidence->code = eg_call_fail_err(evidence->call, &err);
    for (size_t i = members.count; i-- > 0;) { /* oldest first */
        const struct eg_case *row = &members.rows[i];
        evidence->of_case = row->id;
        if (row->series)
            put_span(evidence, row->series, back_to(row, evidence->rule ? evidence->rule->window_ms : 0),
                     row->opened_ms, (struct newest){.most = READINGS_MOST});
    }
}

/* --- all of it --- */

static bool take_row(void *arg, const struct eg_row_evidence *row)
{
    struct evidence *evidence = arg;
    evidence->rows[evidence->row_count++] = *row;
    return evidence->row_count < ROWS_MOST;
}

/* Who fell silent, and what is known of each: when it was heard last before the case, and how often it speaks. */
static void write_devices(struct evidence *evidence)
{
    struct eg_json *json = evidence->call->json;
    const struct eg_pipeline *pipeline = evidence->call->desk->pipeline;
    struct eg_series_view series;
    struct eg_device_view device;
    eg_json_key(json, "devices");
    eg_json_open(json, '[');
    for (size_t i = 0; i < evidence->row_count; i++) {
        const struct eg_row_evidence *row = &evidence->rows[i];
        if (row->why != EG_EVIDENCE_HEARD || !eg_pipeline_series(pipeline, row->series, &series) ||
            !eg_pipeline_device(pipeline, series.device, &device))
            continue;
        eg_json_open(json, '{');
        eg_json_put_string(json, "site", device.site);
        eg_json_put_string(json, "domain", device.domain);
        eg_json_put_string(json, "device", device.device);
        eg_json_put_string(json, "name", device.name && *device.name ? device.name : NULL);
        /* when that was before the case; it may have said something without a reading */
        eg_json_put_time(json, "last_seen",
                         device.last_seen_ms > row->since_ms &&
                                 device.last_seen_ms <= evidence->row->opened_ms
                             ? device.last_seen_ms
                             : row->since_ms);
        eg_m_lists_span(json, "interval", eg_m_lists_rhythm(device.interval_ms));
        eg_m_lists_span(json, "silent_after", device.silent_after_ms);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

/* Without a hold the reading at which it began decided; with one the first behind it, which is not written down: as long after it as the
 * device may take for two, or an hour, and not after it was known. */
static int64_t decided_by(const struct eg_call *call, const struct eg_case *row,
                          const struct eg_conf_rule *rule)
{
    struct eg_series_view series;
    struct eg_device_view device = {.interval_ms = 0};
    if (!rule || !rule->hold_ms || row->kind != EG_CASE_BREACH)
        return row->opened_ms;
    if (call->desk->pipeline && row->series && eg_pipeline_series(call->desk->pipeline, row->series, &series))
        eg_pipeline_device(call->desk->pipeline, series.device, &device);
    int64_t end_ms = row->opened_ms + rule->hold_ms + longer(HOUR_MS, 2 * device.interval_ms);
    return row->detected_ms < end_ms ? row->detected_ms : end_ms;
}

int eg_evidence_write(struct eg_call *call, const struct eg_case *row)
{
    const struct eg_conf_rule *rule = eg_conf_rule_find(call->desk->conf, row->rule);
    const int64_t end_ms = decided_by(call, row, rule);
    struct evidence evidence = {.call = call, .row = row, .rule = rule, .end_ms = end_ms};
    struct eg_err err = {0};
    if (eg_reader_evidence(call->desk->reader, row->number, take_row, &evidence, &err) < 0)
        return eg_call_fail_err(call, &err);
    eg_json_key(call->json, "evidence");
    eg_json_open(call->json, '[');
    if (call->desk->pipeline) {
        if (row->kind == EG_CASE_DEVICE || row->kind == EG_CASE_OUTAGE)
            put_silent(&evidence);
        else if (row->kind == EG_CASE_REGIONAL)
            put_members(&evidence);
        else if (row->series)
            put_breach(&evidence);
        else if (row->kind == EG_CASE_BREACH)
            put_index(&evidence);
        if (!put_measured(&evidence) && row->kind == EG_CASE_REPORT && row->quantity < EG_QUANTITY_COUNT)
            put_device(&evidence, "manual", row->quantity, back_to(row, 0));
    }
    eg_json_close(call->json, ']');
    if (evidence.code < 0)
        return evidence.code;
    if (evidence.air.told)
        eg_evidence_air_index(call->json, &evidence.air);
    if (row->kind == EG_CASE_DEVICE || row->kind == EG_CASE_OUTAGE)
        write_devices(&evidence);
    return 0;
}
