/* sensecap-openstream: SenseCAP's cloud, and gateways that speak like it. One value a message; whose and what it is stands in the topic,
 * which begins with a slash.
 *
 *   /device_sensor_data/<org>/<EUI>/<channel>/<reserved>/<measurement>    {"value":437,"timestamp":1544151922137}
 *
 * Both numbers may be texts. The measurement's number is what `fields` can name ("4165": what is wired to an S2100); the known ones need
 * none. A second probe (channel 2 and so on) is a channel. device: EUI says that the topic's fourth level names the device, {device} does
 * the same. /device_status_data/… is read alike (battery); anything else is not meant for us.
 *
 * https://wiki.seeedstudio.com/sensecraft-data-platform/api/data-openstream-api/data_openstream_api_reference/ */
#include "lorawan/lorawan.h"

#include "kit/decimal.h"

#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define LEVELS 7 /* "", what, org, EUI, channel, reserved, measurement */
enum level { WHAT = 1, EUI = 3, CHANNEL = 4, MEASUREMENT = 6 };

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    struct eg_mapping own = *mapping;
    if (own.device != NULL && strcmp(own.device, "EUI") == 0)
        own.device = "dev_eui";
    else if (own.device != NULL && own.device[0] != '\0') {
        *ret_field = -1;
        (void)snprintf(error, error_size, "the topic names the device: leave device_path out, or say EUI");
        return -1;
    }
    return eg_lorawan_prepare(&own, ret_prepared, error, error_size, ret_field);
}

struct text {
    const char *at;
    size_t length;
};

/* False: the topic has another number of levels. */
static bool split(const char *topic, struct text levels[LEVELS])
{
    size_t count = 0;
    for (const char *at = topic;; at++) {
        const size_t length = strcspn(at, "/");
        if (count == LEVELS)
            return false;
        levels[count++] = (struct text){at, length};
        at += length;
        if (*at == '\0')
            return count == LEVELS;
    }
}

static bool is(struct text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.at, word, text.length) == 0;
}

/* A small number without a sign; -1: it is none. */
static long number_of(struct text text)
{
    long number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || number > 65535)
            return -1;
        number = number * 10 + (text.at[i] - '0');
    }
    return text.length == 0 ? -1 : number;
}

static bool read_number(const cJSON *item, double *ret_number)
{
    if (cJSON_IsString(item))
        return eg_decimal_parse(item->valuestring, strlen(item->valuestring), ret_number) &&
               isfinite(*ret_number);
    *ret_number = cJSON_IsNumber(item) ? item->valuedouble : 0;
    return cJSON_IsNumber(item) && isfinite(*ret_number);
}

static enum eg_verdict read_json(const cJSON *json, long id, long probe, struct eg_frame *frame)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value"),
                *time = cJSON_GetObjectItemCaseSensitive(json, "timestamp");
    double number;
    if (value == NULL || cJSON_IsNull(value))
        return REFUSE(frame->sink, EG_IMPLAUSIBLE, "there is no \"value\" in it");
    if (!read_number(value, &number))
        return REFUSE(frame->sink, EG_MALFORMED, "\"value\" holds no number");
    frame->time_ms = EG_TIME_NONE;
    if (time != NULL && !cJSON_IsNull(time)) {
        double epoch;
        if (!read_number(time, &epoch) || !eg_time_from_epoch(epoch, &frame->time_ms))
            return REFUSE(frame->sink, EG_MALFORMED, "\"timestamp\" is no time: milliseconds since 1970");
    }
    eg_sensecap_put(frame, (unsigned)id, probe > 1 ? (unsigned)probe : 0, number);
    return eg_frame_end(frame);
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    const struct eg_lorawan_plan *plan = prepared;
    struct text levels[LEVELS];
    struct eg_json_tree tree;
    eg_sink_reset(sink);
    if (!split(message->topic, levels) ||
        !(is(levels[WHAT], "device_sensor_data") || is(levels[WHAT], "device_status_data")))
        return REFUSE(sink, EG_NOT_MINE,
                      "not a topic like /device_sensor_data/ORG/EUI/CHANNEL/RESERVED/MEASUREMENT");
    const long id = number_of(levels[MEASUREMENT]);
    if (id < 0)
        return REFUSE(sink, EG_MALFORMED, "the topic's last level is no number of a measurement");
    if (plan != NULL && plan->device == EG_LORAWAN_EUI &&
        !eg_sink_device(sink, levels[EUI].at, levels[EUI].length))
        return EG_IMPLAUSIBLE;
    if (eg_lorawan_parse(message, sink, &tree) != EG_DECODED)
        return EG_MALFORMED;
    struct eg_frame frame = {.named = plan == NULL ? NULL : &plan->named, .sink = sink};
    const enum eg_verdict verdict = read_json(tree.root, id, number_of(levels[CHANNEL]), &frame);
    eg_json_tree_finish(&tree);
    return verdict;
}

extern const struct eg_driver eg_driver_sensecap_openstream;
const struct eg_driver eg_driver_sensecap_openstream = {
    .name = "sensecap-openstream",
    .about = "SenseCAP's cloud: one value a message, named by its topic",
    .keys = "device_path fields",
    .device = "EUI",
    .prepare = prepare,
    .release = eg_lorawan_release,
    .decode = decode,
};
