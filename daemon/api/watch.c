/* Knows what a watcher asked for and how a batch is told to him. Refuses to know when the batch became true
 * (the turn does) and how much a connection may hold (peer.c does). Called by peer.c. */
#include <api/watch.h>
#include <api/methods.h>

#include <stdio.h>
#include <string.h>

static bool fits(const char *filter, const char *value)
{
    return !filter[0] || strcmp(filter, value) == 0;
}

static struct eg_scope scope_of(const struct eg_desk *desk, const struct eg_watch *watch)
{
    struct eg_scope scope = {.all = !watch->site[0], .site = EG_CONF_NONE};
    snprintf(scope.name, sizeof scope.name, "%s", watch->site);
    if (!scope.all) /* by name each time: a reload may have moved it */
        scope.site = eg_conf_site_find(desk->conf, watch->site, strlen(watch->site));
    return scope;
}

static void open_line(struct eg_json *json, struct eg_buf *out, const char *topic)
{
    eg_json_init(json, out);
    eg_json_open(json, '{');
    eg_json_put_string(json, "jsonrpc", "2.0");
    eg_json_put_string(json, "method", topic);
    eg_json_key(json, "params");
}

static void close_line(struct eg_json *json)
{
    eg_json_close(json, '}');
    eg_buf_text(json->out, "\n");
}

static const struct eg_case *case_of(const struct eg_batch *batch, uint32_t number)
{
    for (size_t i = batch->cases_count; i-- > 0;) /* the last of a number wins */
        if (batch->cases[i].number == number)
            return &batch->cases[i];
    return NULL;
}

static bool is_device(const struct eg_watch *watch, const struct eg_case *row)
{
    struct eg_device_view view = {.site = row->site, .domain = row->domain, .device = row->device};
    return !watch->device[0] || eg_call_device_is(&view, watch->device);
}

static bool tell_cases(const struct eg_desk *desk, const struct eg_watch *watch, const struct eg_batch *batch,
                       struct eg_buf *out, size_t most)
{
    struct eg_scope scope = scope_of(desk, watch);
    for (size_t i = 0; i < batch->case_events_count; i++) {
        const struct eg_case_event *event = &batch->case_events[i];
        const struct eg_case *row = case_of(batch, event->case_number);
        if (!row || !eg_scope_has(desk->conf, &scope, row->site) || !fits(watch->domain, row->domain) ||
            !is_device(watch, row) ||
            (watch->quantity != EG_QUANTITY_NONE && watch->quantity != row->quantity))
            continue;
        struct eg_json json;
        open_line(&json, out, "cases");
        eg_json_open(&json, '{');
        eg_m_cases_event_write(&json, event);
        eg_json_key(&json, "case");
        eg_json_open(&json, '{');
        eg_m_cases_write(desk, &json, row);
        eg_json_close(&json, '}');
        eg_json_close(&json, '}');
        close_line(&json);
        if (out->failed || out->length > most)
            return false;
    }
    return true;
}

static bool tell_readings(const struct eg_desk *desk, const struct eg_watch *watch,
                          const struct eg_batch *batch, struct eg_buf *out, size_t most)
{
    struct eg_scope scope = scope_of(desk, watch);
    for (size_t i = 0; i < batch->readings_count; i++) {
        const struct eg_row_reading *row = &batch->readings[i];
        struct eg_series_view series;
        struct eg_device_view device;
        if (!eg_pipeline_series(desk->pipeline, row->series, &series) ||
            (watch->quantity != EG_QUANTITY_NONE && watch->quantity != series.quantity) ||
            !eg_pipeline_device(desk->pipeline, series.device, &device) ||
            !fits(watch->domain, device.domain) ||
            (watch->device[0] && !eg_call_device_is(&device, watch->device)) ||
            !eg_scope_has_device(desk->conf, &scope, &device))
            continue;
        struct eg_json json;
        open_line(&json, out, "readings");
        eg_m_readings_write(&json, desk->pipeline, &device, &series, row->time_ms, row->value, row->flags);
        close_line(&json);
        if (out->failed || out->length > most)
            return false;
    }
    return true;
}

bool eg_watch_batch(const struct eg_desk *desk, const struct eg_watch *watch, const struct eg_batch *batch,
                    struct eg_buf *out, size_t most)
{
    if ((watch->topics & EG_TOPIC_CASES) && !tell_cases(desk, watch, batch, out, most))
        return false;
    return !(watch->topics & EG_TOPIC_READINGS) || tell_readings(desk, watch, batch, out, most);
}

void eg_watch_status(const struct eg_desk *desk, struct eg_watch *watch, struct eg_buf *out)
{
    uint64_t print = eg_m_status_fingerprint(desk);
    if (print == watch->told)
        return;
    watch->told = print;
    struct eg_json json;
    open_line(&json, out, "status");
    eg_m_status_write(desk, &json);
    close_line(&json);
}
