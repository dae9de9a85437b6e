/* chirpstack: events of ChirpStack 4 and 3 (JSON).
 *
 *   application/ID/device/EUI/event/up
 *   {"time":"2023-05-22T07:47:05.404859+00:00","deviceInfo":{"devEui":"24e124136b322343","deviceName":"a"},"fCnt":4,"fPort":85,
 *    "data":"AXVVA2fuAA==","object":{"temperature":23.8},"rxInfo":[{"rssi":-35,"snr":11.5}]}
 *
 * `up` carries readings, `status` the battery; join, ack, txack, log, location and integration none. With codec: the bytes in `data` are
 * read, else `object` (3: `objectJSON`, a text). Time: `time`, else the earliest of rxInfo, so that what two gateways heard is one
 * uplink. Version 3 may write the EUI in base64 and battery as 0 to 254. The device is the topic's, or device_path: dev_eui, device_id
 * (deviceName).
 *
 * https://www.chirpstack.io/docs/chirpstack/integrations/events.html, https://www.chirpstack.io/application-server/integrations/events/ */
#include "lorawan/lorawan.h"

#include <ecogov/time.h>

#include <math.h>
#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

static void read_gateways(const cJSON *list, struct eg_uplink *uplink)
{
    for (const cJSON *one = list == NULL ? NULL : list->child; one != NULL; one = one->next) {
        int64_t ms;
        uplink->rssi = eg_lorawan_larger(uplink->rssi, eg_lorawan_member(one, "rssi"));
        uplink->snr = eg_lorawan_larger(uplink->snr, eg_lorawan_member(one, "snr") != NULL
                                                         ? eg_lorawan_member(one, "snr")
                                                         : eg_lorawan_member(one, "loRaSNR"));
        const cJSON *time = eg_lorawan_member(one, "time");
        if (cJSON_IsString(time) && eg_object_time(time, &ms) &&
            (uplink->time_ms == EG_TIME_NONE || ms < uplink->time_ms))
            uplink->time_ms = ms;
    }
}

static double battery_of(const cJSON *event)
{
    const cJSON *old = eg_lorawan_member(event, "deviceStatusBattery"),
                *level = eg_lorawan_member(event, "batteryLevel");
    if (cJSON_IsNumber(level) && !cJSON_IsTrue(eg_lorawan_member(event, "batteryLevelUnavailable")) &&
        !cJSON_IsTrue(eg_lorawan_member(event, "externalPowerSource")))
        return level->valuedouble;
    /* LoRaWAN 1.0.3, 5.5: 0 mains, 1 to 254, 255 not known */
    return cJSON_IsNumber(old) && old->valuedouble >= 1 && old->valuedouble <= 254
               ? round(old->valuedouble / 254 * 1000) / 10
               : (double)NAN;
}

static enum eg_verdict read_time(const cJSON *event, struct eg_uplink *uplink, struct eg_sink *sink)
{
    const cJSON *time = eg_lorawan_member(event, "time");
    if (time == NULL || cJSON_IsNull(time)) {
        read_gateways(eg_lorawan_member(event, "rxInfo"), uplink);
        return EG_DECODED;
    }
    read_gateways(eg_lorawan_member(event, "rxInfo"), uplink);
    return cJSON_IsString(time) && eg_object_time(time, &uplink->time_ms)
               ? EG_DECODED
               : REFUSE(sink, EG_MALFORMED, "\"time\" is no RFC 3339 time");
}

static bool about(const struct eg_message *message, const char *kind)
{
    const size_t length = strlen(kind);
    return message->topic_len > length &&
           memcmp(message->topic + message->topic_len - length, kind, length) == 0;
}

/* `objectJSON` is a text that is JSON again. False: it is none. */
static bool read_inner(const cJSON *event, struct eg_sink *sink, struct eg_json_tree *ret_tree)
{
    const char *text = eg_lorawan_text(event, "objectJSON");
    return text != NULL && *text != '\0' &&
           eg_json_tree_read(ret_tree, (const uint8_t *)text, strlen(text), sink) == EG_DECODED;
}

static enum eg_verdict read_event(const struct eg_lorawan_plan *plan, const struct eg_message *message,
                                  const cJSON *event, struct eg_sink *sink)
{
    const cJSON *info = eg_lorawan_member(event, "deviceInfo"), *counter = eg_lorawan_member(event, "fCnt"),
                *port = eg_lorawan_member(event, "fPort");
    const cJSON *object = eg_lorawan_member(event, "object");
    const bool status = about(message, "/status") || (eg_lorawan_member(event, "batteryLevel") != NULL &&
                                                      eg_lorawan_member(event, "data") == NULL);
    struct eg_uplink uplink = {
        .time_ms = EG_TIME_NONE, .rssi = NAN, .snr = NAN, .battery = battery_of(event)};
    uplink.eui = info != NULL ? eg_lorawan_text(info, "devEui") : eg_lorawan_text(event, "devEUI");
    uplink.name = info != NULL ? eg_lorawan_text(info, "deviceName") : eg_lorawan_text(event, "deviceName");
    uplink.has_counter =
        cJSON_IsNumber(counter) && counter->valuedouble >= 0 && counter->valuedouble <= UINT32_MAX;
    uplink.counter = uplink.has_counter ? (uint32_t)counter->valuedouble : 0;
    uplink.port = cJSON_IsNumber(port) && port->valuedouble >= 0 && port->valuedouble <= 255
                      ? (int)port->valuedouble
                      : 0;
    uplink.data = eg_lorawan_text(event, "data");
    const enum eg_verdict verdict = read_time(event, &uplink, sink);
    if (verdict != EG_DECODED)
        return verdict;
    if (status) {
        if (!isfinite(uplink.battery))
            return REFUSE(sink, EG_NOT_MINE, "a status without a battery");
        uplink.object = event; /* batteryLevel is a quantity's name */
        uplink.battery = NAN;
        uplink.data = NULL;
        return eg_lorawan_read(plan, &uplink, sink);
    }
    struct eg_json_tree inner;
    const bool has_inner = object == NULL && read_inner(event, sink, &inner);
    uplink.object = cJSON_IsObject(object) || cJSON_IsArray(object) ? object : has_inner ? inner.root : NULL;
    const enum eg_verdict read = eg_lorawan_read(plan, &uplink, sink);
    if (has_inner)
        eg_json_tree_finish(&inner);
    return read;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    static const char *const other[] = {"/join", "/ack", "/txack", "/log", "/location", "/integration"};
    struct eg_json_tree event;
    eg_sink_reset(sink);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (about(message, other[i]))
            return REFUSE(sink, EG_NOT_MINE, "an event of another kind: %s", other[i] + 1);
    enum eg_verdict verdict = eg_lorawan_parse(message, sink, &event);
    if (verdict != EG_DECODED)
        return verdict;
    verdict = read_event(prepared, message, event.root, sink);
    eg_json_tree_finish(&event);
    return verdict;
}

extern const struct eg_driver eg_driver_chirpstack;
const struct eg_driver eg_driver_chirpstack = {
    .name = "chirpstack",
    .about = "LoRaWAN devices by way of ChirpStack 4 or 3",
    .device = "dev_eui",
    .codecs = eg_codec_names,
    .keys = "device_path codec fields",
    .prepare = eg_lorawan_prepare,
    .release = eg_lorawan_release,
    .decode = decode,
};
