/* Knows which time a question about an index is about, and what is the same in all answers. Refuses to know what an index is. Called by
 * m_indices.c and m_land.c. */
#include <api/indexspan.h>
#include <base/zone.h>
#include <pipeline/hours.h>

#include <ecogov/time.h>

#include <stdio.h>
#include <string.h>

#define DAYS_SPAN_HOURS (14 * 24) /* from here on it is days, unless asked otherwise */

int eg_index_span_find(struct eg_call *call, bool *ret_days, struct eg_index_span *ret_span)
{
    const char *resolution = eg_call_text(call, "resolution");
    int64_t now_ms = call->state.now_ms, end_ms;
    int64_t from_ms = eg_call_time(call, "from", now_ms - 24 * EG_HOUR_MS),
            to_ms = eg_call_time(call, "to", now_ms);
    if (to_ms > now_ms)
        to_ms = now_ms; /* what is not over has no index */
    if (from_ms >= to_ms)
        return eg_call_fail(call, EG_RPC_PARAMS,
                            "indices.history: \"from\" must lie before \"to\" and before now.");
    if (to_ms - from_ms > EG_INDEX_SPAN_HOURS * EG_HOUR_MS)
        return eg_call_fail(call, EG_RPC_PARAMS, "indices.history tells of 800 days at a time.");
    if (resolution && strcmp(resolution, "raw") == 0)
        return eg_call_fail(call, EG_RPC_PARAMS, "An index is of an hour or a day: resolution hour or day.");
    if (resolution && strcmp(resolution, "auto") == 0)
        resolution = NULL;
    bool days = resolution ? strcmp(resolution, "day") == 0
                           : ret_days && to_ms - from_ms > DAYS_SPAN_HOURS * EG_HOUR_MS;
    if (days && !ret_days)
        return eg_call_fail(call, EG_RPC_PARAMS,
                            "aqi_us is told by the hour (NowCast); for days ask for aqi_cn.");
    const int64_t asked_ms = from_ms;
    from_ms = eg_call_int(call, "cursor", from_ms);
    if (from_ms >= to_ms || from_ms < asked_ms - 2 * EG_DAY_HOURS * EG_HOUR_MS)
        return eg_call_fail(call, EG_RPC_PARAMS, "indices.history: that \"cursor\" is of another question.");
    if (days)
        eg_zone_day(from_ms, &ret_span->from_ms, &end_ms);
    else
        eg_zone_hour(from_ms, &ret_span->from_ms, &end_ms);
    ret_span->to_ms = to_ms;
    if (ret_days)
        *ret_days = days;
    return 0;
}

bool eg_index_step(const struct eg_call *call, bool days, int64_t at_ms, int64_t *ret_start_ms,
                   int64_t *ret_end_ms)
{
    int64_t start_ms = at_ms, end_ms = at_ms + EG_HOUR_MS;
    if (days)
        eg_zone_day(at_ms, &start_ms, &end_ms);
    if (end_ms > call->state.now_ms)
        return false;
    *ret_start_ms = start_ms;
    *ret_end_ms = end_ms;
    return true;
}

/* Where it comes from. */
static void write_sources(struct eg_call *call, const uint32_t *ids, size_t count)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    struct eg_json *json = call->json;
    struct eg_series_view series;
    struct eg_device_view device;
    eg_json_key(json, "made_of");
    eg_json_open(json, '[');
    for (size_t i = 0; i < count && i < EG_INDEX_SOURCES; i++) {
        if (!eg_pipeline_series(pipeline, ids[i], &series) ||
            !eg_pipeline_device(pipeline, series.device, &device))
            continue;
        eg_json_open(json, '{');
        eg_json_put_string(json, "site", device.site);
        eg_json_put_string(json, "device", device.device);
        eg_json_put_string(json, "quantity", eg_quantity_info(series.quantity)->name);
        eg_json_put_string(json, "channel", series.channel);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

void eg_index_open(struct eg_call *call, const char *index, const char *device, bool days,
                   const uint32_t *series, size_t count)
{
    struct eg_json *json = call->json;
    eg_json_open(json, '{');
    eg_json_put_string(json, "index", index);
    eg_json_put_string(json, "quantity", index);
    eg_json_put_string(json, "unit", "1");
    eg_json_put_string(json, "site", eg_call_text(call, "site"));
    eg_json_put_string(json, "device", device);
    eg_json_put_string(json, "resolution", days ? "day" : "hour");
    write_sources(call, series, count);
    eg_json_key(json, "points");
    eg_json_open(json, '[');
}

void eg_index_close(struct eg_call *call, int64_t next_ms)
{
    char next[24];
    eg_json_close(call->json, ']');
    snprintf(next, sizeof next, "%lld", (long long)next_ms);
    eg_json_put_string(call->json, "next", next_ms == EG_TIME_NONE ? NULL : next);
    eg_json_close(call->json, '}');
}
