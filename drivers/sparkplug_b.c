/* sparkplug-b: Eclipse Sparkplug, payload B: protobuf, under topics that say what it is.
 *
 *   spBv1.0/GROUP/NBIRTH/NODE   an edge node is there: all its metrics, with name, alias, datatype, unit (property engUnit)
 *   …/DBIRTH/NODE/DEVICE    a device behind it, the same
 *   …/NDATA/NODE, DDATA     what has changed: a metric by its name, or by the alias alone
 *   …/NDEATH/NODE, DDEATH   gone: its devices are silent at once
 *
 *   Payload  1 timestamp (ms)  2 metrics  3 seq (0 to 255, over all messages of a node)      Metric: kit/sparkplug_metric.c
 *
 * A metric is a reading by fields: (path = its name, folders included), else by the dictionary: the whole name, or what stands behind
 * the last '/', with the folders as the channel. A template's members are metrics "NAME/MEMBER". The device is DEVICE, or NODE where there
 * is none (device_path: node.device says NODE.DEVICE, where nodes have devices of the same name), unless the source's topic names it.
 * Names, datatypes and units of a birth are remembered (kit/sparkplug_births.c) until the node's next birth or death. A message with an
 * alias that no birth has told is refused, or where it holds other readings kept aside: a node that is asked for a rebirth tells it. A
 * death certificate of an earlier session (another bdSeq) is passed over. Gaps of seq are losses.
 *
 * null, the quality bad or stale (below 64; 500) and NaN are faults. Booleans are readings where fields says so. Transient values are
 * not for keeping, datasets, arrays, bytes and dates no readings: passed over. So are commands, host states, and data that the
 * dictionary does not know; a birth of nothing else is refused, so that somebody hears of it.
 *
 * https://sparkplug.eclipse.org/specification/ */
#include "kit/codepoint.h"
#include "kit/decimal.h"
#include "kit/excerpt.h"
#include "kit/named.h"
#include "kit/names.h"
#include "kit/sparkplug.h"
#include "kit/twice.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (256 * 1024)
#define LATEST_MS UINT64_C(253402300799999) /* the end of year 9999 */
#define TEMPLATES_MAX 4                     /* one within the other */
#define QUALITY_LEAST 64
#define QUALITY_STALE 500
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

struct plan {
    struct eg_named named;
    enum { FROM_TOPIC, FROM_DEVICE, FROM_NODE_DEVICE } device;
};
struct payload {
    struct eg_wire wire;
    bool has_time, has_seq, has_bd_seq;
    uint64_t time, seq, bd_seq;
};
struct reader {
    const struct plan *plan;
    const struct eg_message *message;
    struct eg_sink *sink;
    struct eg_sparkplug_address address;
    struct payload payload;
    uint32_t generation;
    bool old; /* news of then: read, no more */
    size_t metrics;
    char unknown[EG_EXCERPT_MAX]; /* the first name that is no quantity */
};

/* --- the mapping --- */

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_named_finish(&plan->named);
    free(plan);
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    struct plan *plan = calloc(1, sizeof *plan);
    const char *device = mapping->device == NULL ? "" : mapping->device;
    *ret_field = -1;
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    plan->device = strcmp(device, "device") == 0        ? FROM_DEVICE
                   : strcmp(device, "node.device") == 0 ? FROM_NODE_DEVICE
                                                        : FROM_TOPIC;
    const bool good = device[0] == '\0' || plan->device != FROM_TOPIC;
    if (!good)
        (void)snprintf(error, error_size, "Sparkplug names a device by \"device\" or \"node.device\"");
    if (!good || !eg_named_init(&plan->named, mapping, error, error_size, ret_field)) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

static bool speak_for(const struct reader *reader, const char *device)
{
    char name[2 * EG_SPARKPLUG_PART_MAX + 2];
    const char *node = reader->address.node;
    const bool both = reader->plan->device == FROM_NODE_DEVICE && device[0] != '\0';
    const int length = snprintf(name, sizeof name, "%s%s%s", both ? node : "", both ? "." : "",
                                device[0] != '\0' ? device : node);
    return eg_sink_device(reader->sink, name, (size_t)length);
}

/* --- a metric --- */

static bool is_control(const char *name)
{
    static const char *const words[] = {"Node Control/", "Device Control/", "Node Info/", "Properties/",
                                        "_types_/"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(name, words[i], strlen(words[i])) == 0)
            return true;
    return strcmp(name, "bdSeq") == 0;
}

/* The folders, as many of the last as fit, and what the name itself tells apart. False: not printable. */
static bool write_channel(const char *folders, size_t length, const char *own, char out[EG_CHANNEL_MAX + 1])
{
    const size_t room = EG_CHANNEL_MAX - (own[0] == '\0' ? 0 : strlen(own) + 1);
    while (length > room) {
        const char *slash = memchr(folders, '/', length);
        const size_t cut = slash == NULL ? length : (size_t)(slash - folders) + 1;
        folders += cut;
        length -= cut;
    }
    const int written = snprintf(out, EG_CHANNEL_MAX + 1, "%.*s%s%s", (int)length, folders,
                                 length > 0 && own[0] != '\0' ? "/" : "", own);
    return eg_codepoint_printable_text(out, (size_t)written);
}

static int guess(const struct reader *reader, const char *name, char channel[EG_CHANNEL_MAX + 1])
{
    char own[EG_CHANNEL_MAX + 1] = "";
    const char *slash = strrchr(name, '/'), *last = slash == NULL ? name : slash + 1;
    const struct eg_quantity_index *names = &reader->plan->named.names;
    int quantity = eg_quantity_index_find(names, name, strlen(name));
    channel[0] = '\0';
    if (quantity != EG_QUANTITY_NONE || eg_names_guess(names, name, strlen(name), NULL, &quantity, channel) ||
        slash == NULL)
        return quantity;
    quantity = eg_quantity_index_find(names, last, strlen(last));
    if (quantity == EG_QUANTITY_NONE && !eg_names_guess(names, last, strlen(last), NULL, &quantity, own))
        return EG_QUANTITY_NONE;
    return write_channel(name, (size_t)(slash - name), own, channel) ? quantity : EG_QUANTITY_NONE;
}

/* NULL: it has none that is a measurement's. */
static const char *fault_of(const struct reader *reader, const struct eg_sparkplug_metric *metric)
{
    if (metric->has_quality && metric->quality < QUALITY_LEAST)
        return "bad quality";
    if (metric->has_quality && metric->quality == QUALITY_STALE)
        return "stale";
    return metric->is_null && reader->address.kind == EG_SPARKPLUG_DATA ? "null" : NULL;
}

static bool read_number(const struct eg_sparkplug_metric *metric, bool mapped, double *ret_number)
{
    if (metric->held == EG_SPARKPLUG_WORDS)
        return eg_decimal_parse(metric->text.at, metric->text.length, ret_number);
    return (metric->held != EG_SPARKPLUG_TRUTH || mapped) && eg_sparkplug_metric_number(metric, ret_number);
}

static bool stands_already(const struct eg_sink *sink, const struct eg_named_field *field, int64_t time_ms)
{
    for (size_t i = 0; i < sink->count; i++)
        if (sink->readings[i].quantity == field->quantity && sink->readings[i].time_ms == time_ms &&
            strcmp(sink->readings[i].channel, field->channel) == 0)
            return true;
    return false;
}

static enum eg_verdict put(struct reader *reader, const char *name, const struct eg_sparkplug_metric *metric,
                           const struct eg_named_field *field, bool mapped)
{
    char unit[EG_SPARKPLUG_UNIT_MAX + 1], shown[EG_EXCERPT_MAX];
    const uint64_t time = metric->has_time ? metric->time : reader->payload.time;
    const int64_t time_ms = metric->has_time || reader->payload.has_time ? (int64_t)time : EG_TIME_NONE;
    const char *mark = fault_of(reader, metric), *quantity = eg_quantity_info(field->quantity)->name;
    struct eg_unit_map map;
    double number = 0;
    if (mark == NULL && (metric->is_null || metric->is_transient || !read_number(metric, mapped, &number)))
        return EG_DECODED;
    if (mark == NULL && !isfinite(number))
        mark = "NaN";
    if (mark != NULL) {
        eg_sink_fault(reader->sink, field->quantity, field->channel, mark);
        return EG_DECODED;
    }
    if (time > LATEST_MS)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE, "%s: %" PRIu64 " ms is no time before the year 10000",
                      quantity, time);
    (void)snprintf(unit, sizeof unit, "%.*s", (int)metric->unit.length,
                   metric->unit.length > 0 ? metric->unit.at : "");
    if (field->unit == NULL && !eg_unit_find(field->quantity, unit, &map)) {
        eg_sink_unread(reader->sink, "%s cannot come in \"%s\"; say its unit in fields", quantity,
                       eg_excerpt_write(unit, strlen(unit), shown));
        return EG_DECODED;
    }
    if (!mapped && stands_already(reader->sink, field, time_ms)) {
        eg_sink_unread(reader->sink, "\"%s\" is not the first that looks like %s: name them in fields",
                       eg_excerpt_write(name, strlen(name), shown), quantity);
        return EG_DECODED;
    }
    return eg_named_put(field, number, unit, time_ms, reader->sink) ? EG_DECODED : EG_IMPLAUSIBLE;
}

static enum eg_verdict read_value(struct reader *reader, const char *name,
                                  const struct eg_sparkplug_metric *metric)
{
    char channel[EG_CHANNEL_MAX + 1];
    struct eg_named_field own = {.scale = 1, .channel = channel};
    const struct eg_named_field *field = eg_named_find(&reader->plan->named, name, strlen(name));
    if (field != NULL)
        return put(reader, name, metric, field, true);
    if (is_control(name))
        return EG_DECODED;
    const int quantity = guess(reader, name, channel);
    if (quantity == EG_QUANTITY_NONE) {
        if (reader->unknown[0] == '\0')
            (void)eg_excerpt_write(name, strlen(name), reader->unknown);
        return EG_DECODED;
    }
    own.quantity = (uint16_t)quantity;
    return put(reader, name, metric, &own, false);
}

/* Adds what a birth has told of it. False: it has no name. */
static bool complete(const struct reader *reader, struct eg_sparkplug_metric *metric)
{
    struct eg_sparkplug_born born;
    if (reader->address.kind == EG_SPARKPLUG_BIRTH ||
        !eg_sparkplug_births_find(reader->message->memory, &reader->address, reader->generation, metric,
                                  &born))
        return metric->name.length > 0;
    metric->name = born.name;
    if (metric->unit.length == 0)
        metric->unit = born.unit;
    if (metric->type == EG_SPARKPLUG_UNKNOWN)
        metric->type = born.type;
    return true;
}

static enum eg_verdict read_metrics(struct reader *reader, struct eg_wire wire, const char *folder,
                                    int depth);

static enum eg_verdict read_metric(struct reader *reader, struct eg_wire body, const char *folder, int depth)
{
    char name[EG_SPARKPLUG_NAME_MAX + 1];
    struct eg_sparkplug_metric metric;
    if (!eg_sparkplug_metric_read(body, &metric))
        return REFUSE(reader->sink, EG_MALFORMED, "metric %zu is no protobuf, or cut off", reader->metrics);
    if (!complete(reader, &metric)) {
        if (metric.has_alias)
            eg_sink_unread(reader->sink,
                           "no birth has told what alias %" PRIu64 " is: ask the node for a rebirth",
                           metric.alias);
        return EG_DECODED;
    }
    const int length = snprintf(
        name, sizeof name, "%s%s%.*s", folder, folder[0] == '\0' ? "" : "/",
        (int)(metric.name.length > EG_SPARKPLUG_NAME_MAX ? EG_SPARKPLUG_NAME_MAX + 1 : metric.name.length),
        metric.name.length > 0 ? metric.name.at : "");
    if (length < 0 || (size_t)length >= sizeof name || strlen(name) != (size_t)length)
        return EG_DECODED; /* nobody's: too long, or with a NUL in it */
    if (metric.held != EG_SPARKPLUG_MEMBERS)
        return read_value(reader, name, &metric);
    if (metric.is_definition || metric.is_null || depth == TEMPLATES_MAX)
        return EG_DECODED;
    return read_metrics(reader, metric.members, name, depth + 1);
}

static enum eg_verdict read_metrics(struct reader *reader, struct eg_wire wire, const char *folder, int depth)
{
    struct eg_wire_field field;
    while (eg_wire_next(&wire, &field) == EG_WIRE_FIELD) {
        if (field.number != 2 || field.type != EG_WIRE_BYTES)
            continue;
        if (++reader->metrics > EG_SPARKPLUG_METRICS_MAX)
            return REFUSE(reader->sink, EG_MALFORMED, "more than %d metrics", EG_SPARKPLUG_METRICS_MAX);
        const enum eg_verdict verdict = read_metric(reader, field.body, folder, depth);
        if (verdict != EG_DECODED)
            return verdict;
    }
    return EG_DECODED;
}

/* --- the payload --- */

static bool is_bd_seq(const struct eg_sparkplug_metric *metric)
{
    return metric->name.length == 5 && memcmp(metric->name.at, "bdSeq", 5) == 0 &&
           metric->held == EG_SPARKPLUG_INTEGER;
}

static enum eg_verdict read_payload(struct reader *reader)
{
    struct payload *payload = &reader->payload;
    struct eg_wire wire = payload->wire;
    struct eg_wire_field field;
    enum eg_wire_result result;
    while ((result = eg_wire_next(&wire, &field)) == EG_WIRE_FIELD) {
        struct eg_sparkplug_metric metric;
        if (field.number == 1 && field.type == EG_WIRE_VARINT) {
            payload->has_time = true;
            payload->time = field.value;
        } else if (field.number == 3 && field.type == EG_WIRE_VARINT) {
            payload->has_seq = true;
            payload->seq = field.value;
        } else if (field.number == 2 && field.type == EG_WIRE_BYTES &&
                   reader->address.kind != EG_SPARKPLUG_DATA &&
                   eg_sparkplug_metric_read(field.body, &metric) && is_bd_seq(&metric)) {
            payload->has_bd_seq = true;
            payload->bd_seq = metric.integer;
        }
    }
    return result == EG_WIRE_END
               ? EG_DECODED
               : REFUSE(reader->sink, EG_MALFORMED, "no protobuf, or cut off: before byte %zu",
                        (size_t)(wire.at - payload->wire.at));
}

/* --- births, data, deaths --- */

static enum eg_verdict read_death(struct reader *reader, struct eg_sparkplug_node *node)
{
    struct eg_sink *sink = reader->sink;
    size_t size;
    sink->gone = true;
    if (reader->address.device[0] != '\0') {
        if (!reader->old)
            eg_sparkplug_births_forget(reader->message->memory, &reader->address);
        return speak_for(reader, reader->address.device) ? EG_DECODED : EG_IMPLAUSIBLE;
    }
    if (node != NULL && node->has_bd_seq && reader->payload.has_bd_seq &&
        node->bd_seq != reader->payload.bd_seq)
        return REFUSE(sink, EG_NOT_MINE, "the death certificate of an earlier session");
    if (node != NULL && !reader->old)
        eg_sparkplug_node_end(node);
    const char *devices = eg_sparkplug_node_devices(reader->message->memory, &reader->address, &size);
    bool good = speak_for(reader, "");
    for (size_t at = 0; good && at < size && sink->device_count < EG_SINK_DEVICES;
         at += strlen(devices + at) + 1)
        good = speak_for(reader, devices + at);
    return good ? EG_DECODED : EG_IMPLAUSIBLE;
}

static enum eg_verdict nothing_known(const struct reader *reader)
{
    struct eg_sink *sink = reader->sink;
    if (sink->unread_count > 0)
        return REFUSE(sink, EG_IMPLAUSIBLE, "%s", sink->unread);
    if (reader->unknown[0] == '\0')
        return REFUSE(sink, EG_NOT_MINE, "there is no measurement in it");
    return REFUSE(sink, reader->address.kind == EG_SPARKPLUG_BIRTH ? EG_IMPLAUSIBLE : EG_NOT_MINE,
                  "no metric is a known quantity, the first is \"%s\"; name it in fields", reader->unknown);
}

static enum eg_verdict read_values(struct reader *reader)
{
    struct eg_sink *sink = reader->sink;
    if (reader->plan->device != FROM_TOPIC && !speak_for(reader, reader->address.device))
        return EG_IMPLAUSIBLE;
    enum eg_verdict verdict = read_metrics(reader, reader->payload.wire, "", 0);
    if (verdict != EG_DECODED)
        return verdict;
    if (sink->count == 0 && sink->fault_count == 0)
        return nothing_known(reader);
    const size_t twice = eg_twice_find(sink);
    return twice == sink->count ? EG_DECODED
                                : REFUSE(sink, EG_MALFORMED, "%s is given twice for one time",
                                         eg_quantity_info(sink->readings[twice].quantity)->name);
}

static void count(const struct reader *reader, struct eg_sparkplug_node *node, enum eg_verdict verdict)
{
    if (node == NULL || !reader->payload.has_seq || reader->old || verdict == EG_MALFORMED)
        return;
    eg_sparkplug_node_count(node, (uint8_t)reader->payload.seq);
    if (verdict != EG_DECODED || reader->sink->gone)
        return;
    eg_sink_gap(reader->sink, node->gap);
    node->gap = 0;
}

static enum eg_verdict read_message(struct reader *reader)
{
    struct eg_memory *memory = reader->message->memory;
    const struct eg_sparkplug_address *address = &reader->address;
    const bool of_node = address->device[0] == '\0',
               birth = address->kind == EG_SPARKPLUG_BIRTH && !reader->message->again;
    struct eg_sparkplug_node *node = eg_sparkplug_node_find(memory, address);
    reader->generation = node == NULL ? 0 : node->generation;
    if (address->kind == EG_SPARKPLUG_DEATH) {
        const enum eg_verdict verdict = read_death(reader, node);
        if (!of_node)
            count(reader, node, verdict);
        return verdict;
    }
    const enum eg_verdict verdict = read_values(reader);
    if (birth && of_node && verdict != EG_MALFORMED)
        node = eg_sparkplug_node_begin(memory, address, reader->message->arrived_ms);
    if (birth && of_node && node != NULL && (node->has_bd_seq = reader->payload.has_bd_seq))
        node->bd_seq = reader->payload.bd_seq;
    count(reader, node, verdict);
    if (!birth || verdict == EG_MALFORMED)
        return verdict;
    reader->generation = node == NULL ? 0 : node->generation;
    if (!of_node)
        eg_sparkplug_node_add(memory, address);
    eg_sparkplug_births_keep(memory, address, reader->generation, reader->payload.wire);
    return verdict;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    struct plan plain = {.device = FROM_TOPIC};
    const uint8_t *bytes = message->payload_len == 0 ? (const uint8_t *)"" : message->payload;
    struct reader reader = {.plan = prepared == NULL ? &plain : prepared,
                            .message = message,
                            .sink = sink,
                            .old = message->retain || message->again,
                            .payload = {.wire = {bytes, bytes + message->payload_len}}};
    eg_sink_reset(sink);
    if (prepared == NULL)
        eg_quantity_index_init(&plain.named.names);
    if (!eg_sparkplug_address_read(message->topic, &reader.address))
        return REFUSE(sink, EG_NOT_MINE,
                      "its topic is no birth, data or death (spBv1.0/GROUP/DDATA/NODE/DEVICE)");
    if (message->payload_len > BYTES_MAX)
        return REFUSE(sink, EG_MALFORMED, "%zu bytes, the most is %d", message->payload_len, BYTES_MAX);
    const enum eg_verdict verdict = read_payload(&reader);
    return verdict == EG_DECODED ? read_message(&reader) : verdict;
}

extern const struct eg_driver eg_driver_sparkplug_b;
const struct eg_driver eg_driver_sparkplug_b = {
    .name = "sparkplug-b",
    .about = "Eclipse Sparkplug B: births, data and deaths of edge nodes",
    .device = "device",
    .keys = "device_path fields",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
