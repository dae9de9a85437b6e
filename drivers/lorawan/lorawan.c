/* Knows how an uplink becomes readings: whose it is, which of its forms is read, what the radio says of its health. Refuses to know
 * any server's JSON. Called by the drivers of network servers and by those of bare frames. */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

/* --- a frame's values --- */

unsigned eg_frame_u16(const struct eg_frame *frame, size_t at)
{
    return (unsigned)frame->bytes[at] << 8 | frame->bytes[at + 1];
}

int eg_frame_i16(const struct eg_frame *frame, size_t at)
{
    const unsigned value = eg_frame_u16(frame, at);
    return value < 32768 ? (int)value : (int)value - 65536;
}

static const struct eg_named_field *mapped(const struct eg_frame *frame, const char *name)
{
    const struct eg_named_field *field =
        frame->named == NULL ? NULL : eg_named_find(frame->named, name, strlen(name));
    return field == NULL && frame->named != NULL && name[0] == '/'
               ? eg_named_find(frame->named, name + 1, strlen(name + 1))
               : field;
}

/* The same thing twice in one frame: the first one counts, as a list that repeats itself is no contradiction worth losing both for. */
static void drop_repeated(struct eg_sink *sink, size_t before)
{
    for (size_t i = 0; sink->count > before && i < before; i++)
        if (sink->readings[i].quantity == sink->readings[before].quantity &&
            sink->readings[i].device == sink->readings[before].device &&
            sink->readings[i].time_ms == sink->readings[before].time_ms &&
            strcmp(sink->readings[i].channel, sink->readings[before].channel) == 0)
            sink->count = before;
}

/* What the source maps may be two things of one value. */
static void put_mapped(struct eg_frame *frame, const struct eg_named_field *field, double value,
                       const char *unit)
{
    for (; field != NULL && !frame->refused; field = eg_named_next(frame->named, field)) {
        const size_t before = frame->sink->count;
        frame->refused = !eg_named_put(field, value, unit, frame->time_ms, frame->sink);
        drop_repeated(frame->sink, before);
    }
}

void eg_frame_put(struct eg_frame *frame, const char *name, int quantity, const char *channel,
                  const char *unit, double value)
{
    const struct eg_named_field guessed = {
        .scale = 1, .channel = channel == NULL ? "" : channel, .quantity = (uint16_t)quantity};
    const struct eg_named_field *field = mapped(frame, name);
    struct eg_unit_map map;
    const size_t before = frame->sink->count;
    if (frame->refused)
        return;
    if (field != NULL) {
        put_mapped(frame, field, value, unit);
        return;
    }
    if (quantity == EG_QUANTITY_NONE || !eg_unit_find(quantity, unit, &map)) {
        if (frame->unknown[0] == '\0')
            (void)eg_excerpt_write(name, strlen(name), frame->unknown);
        return;
    }
    frame->refused = !eg_named_put(&guessed, value, unit, frame->time_ms, frame->sink);
    drop_repeated(frame->sink, before);
}

void eg_frame_fault(struct eg_frame *frame, const char *name, int quantity, const char *channel,
                    const char *mark)
{
    const struct eg_named_field *field = mapped(frame, name);
    if (field != NULL)
        eg_sink_fault(frame->sink, field->quantity, field->channel, mark);
    else if (quantity != EG_QUANTITY_NONE)
        eg_sink_fault(frame->sink, (uint16_t)quantity, channel, mark);
}

enum eg_verdict eg_frame_short(struct eg_frame *frame, size_t least)
{
    return REFUSE(frame->sink, EG_MALFORMED, "%zu bytes are too few: this frame has at least %zu",
                  frame->length, least);
}

enum eg_verdict eg_frame_end(struct eg_frame *frame)
{
    if (frame->refused)
        return EG_IMPLAUSIBLE;
    if (frame->sink->count > 0 || frame->sink->fault_count > 0)
        return EG_DECODED;
    return REFUSE(frame->sink, EG_IMPLAUSIBLE,
                  frame->unknown[0] != '\0'
                      ? "no name is a known quantity, the first is \"%s\"; name it in fields"
                      : "there is no measurement in it%s",
                  frame->unknown);
}

/* --- bytes as text --- */

static int sextet(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+' || c == '-' ? 62
           : c == '/' || c == '_' ? 63
                                  : -1;
}

static int nibble(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool from_hex(const char *text, size_t length, uint8_t out[EG_FRAME_BYTES], size_t *ret_length)
{
    if (length % 2 || length == 0 || length / 2 > EG_FRAME_BYTES)
        return false;
    for (size_t i = 0; i < length; i += 2) {
        if (nibble(text[i]) < 0 || nibble(text[i + 1]) < 0)
            return false;
        out[i / 2] = (uint8_t)(nibble(text[i]) << 4 | nibble(text[i + 1]));
    }
    *ret_length = length / 2;
    return true;
}

bool eg_lorawan_bytes(const char *text, size_t length, bool hex, uint8_t out[EG_FRAME_BYTES],
                      size_t *ret_length)
{
    unsigned held = 0;
    int bits = 0;
    size_t count = 0;
    if (hex && from_hex(text, length, out, ret_length))
        return true;
    while (length > 0 && text[length - 1] == '=')
        length--;
    if (length % 4 == 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (sextet(text[i]) < 0)
            return false;
        held = held << 6 | (unsigned)sextet(text[i]);
        bits += 6;
        if (bits < 8)
            continue;
        if (count == EG_FRAME_BYTES)
            return false;
        bits -= 8;
        out[count++] = (uint8_t)(held >> bits);
    }
    *ret_length = count;
    return true;
}

/* --- the mapping --- */

void eg_lorawan_release(void *prepared)
{
    struct eg_lorawan_plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_named_finish(&plan->named);
    free(plan);
}

/* NULL, or what is wrong. */
static const char *compile(struct eg_lorawan_plan *plan, const struct eg_mapping *mapping)
{
    const char *device = mapping->device == NULL ? "" : mapping->device,
               *codec = mapping->codec == NULL ? "" : mapping->codec;
    if (strcmp(device, "dev_eui") == 0 || strcmp(device, "devEui") == 0 || strcmp(device, "devEUI") == 0)
        plan->device = EG_LORAWAN_EUI;
    else if (strcmp(device, "device_id") == 0 || strcmp(device, "deviceName") == 0)
        plan->device = EG_LORAWAN_NAME;
    else if (device[0] != '\0')
        return "a LoRaWAN event names its device by dev_eui or by device_id (deviceName)";
    plan->codec = codec[0] == '\0' ? NULL : eg_codec_find(codec);
    return codec[0] != '\0' && plan->codec == NULL ? "there is no such codec (ecogovctl drivers lists them)"
                                                   : NULL;
}

int eg_lorawan_prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                       int *ret_field)
{
    struct eg_lorawan_plan *plan = calloc(1, sizeof *plan);
    *ret_field = -1;
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    const char *wrong = compile(plan, mapping);
    if (wrong != NULL)
        (void)snprintf(error, error_size, "%s", wrong);
    if (wrong != NULL || !eg_named_init(&plan->named, mapping, error, error_size, ret_field)) {
        eg_lorawan_release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

/* --- an event's members --- */

const cJSON *eg_lorawan_member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *eg_lorawan_text(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(eg_lorawan_member(object, key));
}

double eg_lorawan_larger(double a, const cJSON *item)
{
    return cJSON_IsNumber(item) && !(item->valuedouble <= a) ? item->valuedouble : a;
}

/* --- the uplink --- */

enum eg_verdict eg_lorawan_parse(const struct eg_message *message, struct eg_sink *sink,
                                 struct eg_json_tree *ret_tree)
{
    if (eg_json_tree_read(ret_tree, message->payload, message->payload_len, sink) != EG_DECODED)
        return EG_MALFORMED;
    if (cJSON_IsObject(ret_tree->root))
        return EG_DECODED;
    eg_json_tree_finish(ret_tree);
    return REFUSE(sink, EG_MALFORMED, "it is no JSON object");
}

/* Sixteen small hexadecimal digits, however it is written. False: it is no EUI. */
static bool write_eui(const char *text, char out[17])
{
    uint8_t bytes[EG_FRAME_BYTES];
    size_t length = 0;
    if (strlen(text) != 16 || !eg_lorawan_bytes(text, 16, true, bytes, &length) || length != 8)
        if (!eg_lorawan_bytes(text, strlen(text), false, bytes, &length) || length != 8)
            return false;
    for (size_t i = 0; i < 8; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

static bool name_device(const struct eg_lorawan_plan *plan, const struct eg_uplink *uplink,
                        struct eg_sink *sink)
{
    char eui[17];
    if (plan == NULL || plan->device == EG_LORAWAN_TOPIC)
        return true;
    if (plan->device == EG_LORAWAN_NAME)
        return uplink->name == NULL || eg_sink_device(sink, uplink->name, strlen(uplink->name));
    if (uplink->eui == NULL || !write_eui(uplink->eui, eui)) {
        (void)eg_sink_reject(sink, 0,
                             "the device's EUI is missing, or is neither 16 hexadecimal digits nor base64");
        return false;
    }
    return eg_sink_device(sink, eui, 16);
}

static void put_health(struct eg_frame *frame, const struct eg_uplink *uplink)
{
    if (isfinite(uplink->rssi))
        eg_frame_put(frame, "rssi", EG_Q_rssi, NULL, NULL, uplink->rssi);
    if (isfinite(uplink->snr))
        eg_frame_put(frame, "snr", EG_Q_snr, NULL, NULL, uplink->snr);
    if (isfinite(uplink->battery))
        eg_frame_put(frame, "deviceStatusBattery", EG_Q_battery, NULL, NULL, uplink->battery);
}

/* Nothing that can be read without a codec is no fault of the message: but somebody should hear of it. */
static enum eg_verdict read_form(const struct eg_lorawan_plan *plan, const struct eg_uplink *uplink,
                                 struct eg_frame *frame)
{
    uint8_t bytes[EG_FRAME_BYTES];
    const bool has_data = uplink->data != NULL && uplink->data[0] != '\0';
    if (plan != NULL && plan->codec != NULL && has_data) {
        if (!eg_lorawan_bytes(uplink->data, strlen(uplink->data), false, bytes, &frame->length))
            return REFUSE(frame->sink, EG_MALFORMED, "the device's bytes are no base64 of at most %d bytes",
                          EG_FRAME_BYTES);
        frame->bytes = bytes;
        return plan->codec->decode(frame, plan->codec->variant);
    }
    if (uplink->object == NULL)
        return has_data ? REFUSE(frame->sink, EG_IMPLAUSIBLE,
                                 "the network server has decoded nothing: give it a codec, or say codec: in "
                                 "the source")
                        : REFUSE(frame->sink, EG_NOT_MINE, "an event without data");
    if (uplink->normalized)
        eg_object_read_normalized(frame, uplink->object);
    else
        eg_object_read(frame, uplink->object);
    return eg_frame_end(frame);
}

enum eg_verdict eg_lorawan_read(const struct eg_lorawan_plan *plan, const struct eg_uplink *uplink,
                                struct eg_sink *sink)
{
    struct eg_frame frame = {.port = uplink->port,
                             .time_ms = uplink->time_ms,
                             .named = plan == NULL ? NULL : &plan->named,
                             .sink = sink};
    if (!name_device(plan, uplink, sink))
        return EG_IMPLAUSIBLE;
    enum eg_verdict verdict = read_form(plan, uplink, &frame);
    if (verdict != EG_DECODED)
        return verdict;
    if (uplink->has_counter)
        eg_sink_frame(sink, uplink->counter);
    frame.time_ms = uplink->time_ms; /* a codec may have gone through older values */
    put_health(&frame, uplink);
    return frame.refused ? EG_IMPLAUSIBLE : EG_DECODED;
}

/* --- bytes without an event --- */

static bool is_text(const struct eg_message *message)
{
    for (size_t i = 0; i < message->payload_len; i++)
        if (message->payload[i] <= 0x20 || message->payload[i] > 0x7e)
            return false;
    return message->payload_len > 0;
}

enum eg_verdict eg_lorawan_read_bytes(const struct eg_lorawan_plan *plan, const struct eg_codec *codec,
                                      const struct eg_message *message, struct eg_sink *sink)
{
    uint8_t bytes[EG_FRAME_BYTES];
    struct eg_frame frame = {.bytes = message->payload,
                             .length = message->payload_len,
                             .time_ms = EG_TIME_NONE,
                             .named = plan == NULL ? NULL : &plan->named,
                             .sink = sink};
    eg_sink_reset(sink);
    if (message->payload_len == 0)
        return REFUSE(sink, EG_MALFORMED, "the payload is empty");
    if (is_text(message) &&
        eg_lorawan_bytes((const char *)message->payload, message->payload_len, true, bytes, &frame.length))
        frame.bytes = bytes;
    if (frame.length > EG_FRAME_BYTES)
        return REFUSE(sink, EG_MALFORMED, "%zu bytes are more than a LoRaWAN frame has", frame.length);
    return codec->decode(&frame, codec->variant);
}
