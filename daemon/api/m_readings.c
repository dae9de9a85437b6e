/* Knows how a reading looks from outside, and the newest of every series. Refuses to know the past
 * (m_history.c). Called by the table in methods.c; the writers also by watch.c, m_history.c and m_export.c.
 */
#include <api/methods.h>

#include <string.h>

void eg_m_readings_flags(struct eg_json *json, unsigned flags)
{
    eg_json_open(json, '[');
    for (int bit = 0; bit < EG_FLAG_COUNT; bit++)
        if (flags >> bit & 1)
            eg_json_string(json, eg_flag_name(bit));
    eg_json_close(json, ']');
}

void eg_m_readings_original(struct eg_json *json, const struct eg_pipeline *pipeline, uint32_t series,
                            int64_t time_ms, double value, unsigned flags)
{
    double original;
    if ((flags & EG_FLAG_CALIBRATED) && eg_pipeline_original(pipeline, series, time_ms, value, &original))
        eg_json_put_number(json, "original", original);
}

void eg_m_readings_write(struct eg_json *json, const struct eg_pipeline *pipeline,
                         const struct eg_device_view *device, const struct eg_series_view *series,
                         int64_t time_ms, double value, unsigned flags)
{
    const struct eg_quantity_info *info = eg_quantity_info(series->quantity);
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", device->site);
    eg_json_put_string(json, "device", device->device);
    eg_json_put_string(json, "domain", device->domain);
    eg_json_put_string(json, "quantity", info->name);
    eg_json_put_string(json, "channel", series->channel);
    eg_json_put_number(json, "value", value);
    eg_m_readings_original(json, pipeline, series->id, time_ms, value, flags);
    eg_json_put_string(json, "unit", info->unit);
    eg_json_put_time(json, "time", time_ms);
    eg_json_key(json, "flags");
    eg_m_readings_flags(json, flags);
    eg_json_close(json, '}');
}

int eg_m_readings_latest(struct eg_call *call)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    char digits[EG_CALL_NUMBER_MAX];
    const char *name = eg_call_path(call, "device", digits), *domain = eg_call_text(call, "domain");
    int quantity = eg_call_quantity(call);
    struct eg_scope scope;
    struct eg_device_view device;
    struct eg_series_view series;
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    eg_json_open(call->json, '[');
    size_t count = eg_pipeline_device_count(pipeline);
    for (size_t id = 1; id <= count; id++) {
        if (!eg_pipeline_device(pipeline, (uint32_t)id, &device) ||
            (domain && strcmp(domain, device.domain) != 0) || (name && !eg_call_device_is(&device, name)) ||
            !eg_scope_has_device(call->desk->conf, &scope, &device))
            continue;
        for (size_t i = 0; i < device.series_count; i++)
            if (eg_pipeline_series(pipeline, eg_pipeline_device_series(pipeline, (uint32_t)id, i), &series) &&
                series.has_last && (quantity == EG_QUANTITY_NONE || quantity == series.quantity))
                eg_m_readings_write(call->json, pipeline, &device, &series, series.last_ms, series.last_value,
                                    series.last_flags);
    }
    eg_json_close(call->json, ']');
    return EG_CALL_DONE;
}
