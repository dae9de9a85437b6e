/* Knows which time a question about an index is about. Refuses to know which index. Called by m_indices.c and m_land.c. */
#include <api/indexspan.h>
#include <base/zone.h>
#include <pipeline/hours.h>

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
