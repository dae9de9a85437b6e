/* ttn: uplinks of The Things Stack 3 and of The Things Network 2 (JSON).
 *
 *   v3/APP@TENANT/devices/DEVICE/up
 *   {"end_device_ids":{"device_id":"a","dev_eui":"24E124136B322343"},"received_at":"2023-05-19T05:33:35.848446463Z",
 *    "uplink_message":{"f_port":85,"f_cnt":10335,"frm_payload":"AXVV","decoded_payload":{"temperature":23.8},
 *     "normalized_payload":[{"air":{"temperature":23.8}}],"rx_metadata":[{"rssi":-35,"snr":13.2}],"received_at":"…"}}
 *   2: {"dev_id":"a","hardware_serial":"3339344771356214","port":99,"counter":243,"payload_raw":"AWcA1A==","payload_fields":{…},
 *    "metadata":{"time":"2018-04-01T13:43:31.591541572Z","gateways":[{"rssi":-5,"snr":6.75}]}}
 *
 * With codec: the bytes are read, else normalized_payload where something in it is of ours, else decoded_payload. Time: when the
 * network server had the uplink (uplink_message.received_at), else received_at. Members that are zero, false or empty are left out by
 * the server: no port is port 0. The
 * device is the topic's, or device_path: dev_eui, device_id.
 *
 * https://www.thethingsindustries.com/docs/integrations/data-formats/ */
#include "lorawan/lorawan.h"

#include <ecogov/time.h>

#include <math.h>
#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

static void read_gateways(const cJSON *list, struct eg_uplink *uplink)
{
    for (const cJSON *one = list == NULL ? NULL : list->child; one != NULL; one = one->next) {
        uplink->rssi = eg_lorawan_larger(uplink->rssi, eg_lorawan_member(one, "rssi"));
        uplink->snr = eg_lorawan_larger(uplink->snr, eg_lorawan_member(one, "snr"));
    }
}

static void read_counts(const cJSON *counter, const cJSON *port, struct eg_uplink *uplink)
{
    uplink->has_counter =
        cJSON_IsNumber(counter) && counter->valuedouble >= 0 && counter->valuedouble <= UINT32_MAX;
    uplink->counter = uplink->has_counter ? (uint32_t)counter->valuedouble : 0;
    uplink->port = cJSON_IsNumber(port) && port->valuedouble >= 0 && port->valuedouble <= 255
                       ? (int)port->valuedouble
                       : 0;
}

static enum eg_verdict read_time(const cJSON *time, struct eg_uplink *uplink, struct eg_sink *sink)
{
    if (time == NULL || cJSON_IsNull(time) ||
        (cJSON_IsString(time) && eg_object_time(time, &uplink->time_ms)))
        return EG_DECODED;
    return REFUSE(sink, EG_MALFORMED, "the time of receiving is no RFC 3339 time");
}

static enum eg_verdict read_stack(const cJSON *event, const cJSON *message, struct eg_uplink *uplink,
                                  struct eg_sink *sink)
{
    const cJSON *ids = eg_lorawan_member(event, "end_device_ids"),
                *normalized = eg_lorawan_member(message, "normalized_payload"),
                *own = eg_lorawan_member(message, "received_at"),
                *battery = eg_lorawan_member(message, "last_battery_percentage");
    uplink->eui = eg_lorawan_text(ids, "dev_eui");
    uplink->name = eg_lorawan_text(ids, "device_id");
    uplink->data = eg_lorawan_text(message, "frm_payload");
    uplink->object = eg_lorawan_member(message, "decoded_payload");
    if ((cJSON_IsArray(normalized) || cJSON_IsObject(normalized)) && eg_object_is_normal(normalized)) {
        uplink->object = normalized;
        uplink->normalized = true;
    }
    if (cJSON_IsNumber(eg_lorawan_member(battery, "value")))
        uplink->battery = eg_lorawan_member(battery, "value")->valuedouble;
    read_counts(eg_lorawan_member(message, "f_cnt"), eg_lorawan_member(message, "f_port"), uplink);
    read_gateways(eg_lorawan_member(message, "rx_metadata"), uplink);
    return read_time(own != NULL ? own : eg_lorawan_member(event, "received_at"), uplink, sink);
}

static enum eg_verdict read_network(const cJSON *event, struct eg_uplink *uplink, struct eg_sink *sink)
{
    const cJSON *metadata = eg_lorawan_member(event, "metadata");
    uplink->eui = eg_lorawan_text(event, "hardware_serial");
    uplink->name = eg_lorawan_text(event, "dev_id");
    uplink->data = eg_lorawan_text(event, "payload_raw");
    uplink->object = eg_lorawan_member(event, "payload_fields");
    read_counts(eg_lorawan_member(event, "counter"), eg_lorawan_member(event, "port"), uplink);
    read_gateways(eg_lorawan_member(metadata, "gateways"), uplink);
    return read_time(eg_lorawan_member(metadata, "time"), uplink, sink);
}

static enum eg_verdict read_event(const struct eg_lorawan_plan *plan, const cJSON *event,
                                  struct eg_sink *sink)
{
    struct eg_uplink uplink = {.time_ms = EG_TIME_NONE, .rssi = NAN, .snr = NAN, .battery = NAN};
    const cJSON *message = eg_lorawan_member(event, "uplink_message");
    enum eg_verdict verdict;
    if (message == NULL && eg_lorawan_member(event, "uplink_normalized") != NULL)
        message = eg_lorawan_member(event, "uplink_normalized");
    if (cJSON_IsObject(message))
        verdict = read_stack(event, message, &uplink, sink);
    else if (eg_lorawan_member(event, "payload_raw") != NULL ||
             eg_lorawan_member(event, "payload_fields") != NULL)
        verdict = read_network(event, &uplink, sink);
    else
        return REFUSE(sink, EG_NOT_MINE, "an event of another kind: there is no uplink in it");
    if (verdict != EG_DECODED)
        return verdict;
    if (!cJSON_IsObject(uplink.object) && !uplink.normalized)
        uplink.object = NULL;
    return eg_lorawan_read(plan, &uplink, sink);
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    struct eg_json_tree event;
    eg_sink_reset(sink);
    enum eg_verdict verdict = eg_lorawan_parse(message, sink, &event);
    if (verdict != EG_DECODED)
        return verdict;
    verdict = read_event(prepared, event.root, sink);
    eg_json_tree_finish(&event);
    return verdict;
}

extern const struct eg_driver eg_driver_ttn;
const struct eg_driver eg_driver_ttn = {
    .name = "ttn",
    .about = "LoRaWAN devices by way of The Things Stack 3 or The Things Network 2",
    .device = "dev_eui",
    .codecs = eg_codec_names,
    .keys = "device_path codec fields",
    .prepare = eg_lorawan_prepare,
    .release = eg_lorawan_release,
    .decode = decode,
};
