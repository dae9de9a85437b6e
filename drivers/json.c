/* json: readings in JSON, flat by quantity names or of any shape by JSON Pointer.
 *
 *   no mapping      {"ts":"2026-11-23T07:00:00Z","pm25":35.2,"temp":"21.4","channel":"roof"}
 *                   [{"ts":1763881200,"pm25":35.2},{"ts":1763881260,"pm25":35.9}]
 *   with a mapping  {"when":1763881200000,"pm":{"fine":35.2},"temp_f":70.5}
 *                       time: /when  fields: [{path: /pm/fine, quantity: pm25}, {path: /temp_f, …, unit:
 * degF}]
 *                   {"at":1763881200,"rows":[{"d":10,"m":0.31},{"d":30,"m":0.28}]}
 *                       time: /at  readings: /rows  channel: /d  fields: [{path: /m, quantity: soil_moisture,
 * unit: m3/m3}]
 *
 * Keys of the flat shape are names and aliases of the dictionary, in any case, canonical units; the time is
 * `ts`, else `time`, else `timestamp`; `channel` counts when it is a string. Pointers are relative to the
 * element where there are several; the time and the channel are looked for in the element first, then in the
 * document. An array at the top is an array of elements, unless a field's path itself begins with an index.
 *
 * A string that holds a number is that number. null, true, false, objects, words ("n/a") and unknown keys are
 * skipped; a number that is none ("12,5", "NaN", 1e400), a key or reading given twice, a time that is none,
 * or no reading at all refuse the whole message.
 *
 * JSON: https://www.rfc-editor.org/rfc/rfc8259  JSON Pointer: https://www.rfc-editor.org/rfc/rfc6901
 * Time: https://www.rfc-editor.org/rfc/rfc3339 */
#include <ecogov/driver.h>
#include <ecogov/time.h>

#include "kit/codepoint.h"
#include "kit/decimal.h"
#include "kit/excerpt.h"
#include "kit/json_pointer.h"
#include "kit/json_scan.h"
#include "kit/twice.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELDS_MAX 256

struct field {
    struct eg_json_pointer path;
    struct eg_unit_map unit;
    uint16_t quantity;
    char channel[EG_CHANNEL_MAX + 1];
};

/* A compiled mapping. A pointer without parts was not given. */
struct plan {
    struct eg_quantity_index names;
    struct eg_json_pointer time, readings, channel;
    bool from_top; /* a path begins with an index: an array at the top is not a list of elements */
    size_t field_count;
    struct field *fields;
};

/* One message while it is read. */
struct reader {
    const struct plan *plan;
    struct eg_sink *sink;
    const cJSON *shared_time, *shared_channel; /* of the document, for elements that have none */
    const char *valueless;                     /* a key that is known, and held no number */
};

/* The verdict of a refusal, its sentence set. */
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

/* ---- preparing ---- */

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_json_pointer_finish(&plan->time);
    eg_json_pointer_finish(&plan->readings);
    eg_json_pointer_finish(&plan->channel);
    for (size_t i = 0; i < plan->field_count; i++)
        eg_json_pointer_finish(&plan->fields[i].path);
    free(plan->fields);
    free(plan);
}

static bool compile_pointer(struct eg_json_pointer *pointer, const char *path, char *error, size_t error_size)
{
    char shown[EG_EXCERPT_MAX];
    if (path == NULL || path[0] == '\0')
        return true;
    const char *wrong = eg_json_pointer_init(pointer, path);
    if (wrong != NULL)
        (void)snprintf(error, error_size, "\"%s\" %s", eg_excerpt_write(path, strlen(path), shown), wrong);
    return wrong == NULL;
}

static bool compile_channel(struct field *field, const char *channel, char *error, size_t error_size)
{
    const size_t length = channel == NULL ? 0 : strlen(channel);
    if (length > EG_CHANNEL_MAX || !eg_codepoint_printable_text(channel, length)) {
        (void)snprintf(error, error_size, "the channel's name must be at most %d bytes of printable text",
                       EG_CHANNEL_MAX);
        return false;
    }
    if (length > 0)
        memcpy(field->channel, channel, length);
    return true;
}

static bool compile_field(struct field *field, const struct eg_field *given, char *error, size_t error_size)
{
    char shown[EG_EXCERPT_MAX];
    if (given->path == NULL || given->path[0] == '\0') {
        (void)snprintf(error, error_size, "a field needs a path, a JSON Pointer such as /pm/fine");
        return false;
    }
    if (!compile_pointer(&field->path, given->path, error, error_size))
        return false;
    const char *name = given->quantity == NULL ? "" : given->quantity;
    const int quantity = eg_quantity_find(name, strlen(name));
    if (quantity == EG_QUANTITY_NONE) {
        (void)snprintf(error, error_size, "there is no quantity \"%s\" (docs/quantities.md lists them)",
                       eg_excerpt_write(name, strlen(name), shown));
        return false;
    }
    field->quantity = (uint16_t)quantity;
    if (!eg_unit_find(quantity, given->unit, &field->unit)) {
        (void)snprintf(error, error_size, "%s does not come in \"%s\"; its own unit is %s",
                       eg_quantity_info(quantity)->name,
                       eg_excerpt_write(given->unit, strlen(given->unit), shown),
                       eg_quantity_info(quantity)->unit);
        return false;
    }
    return compile_channel(field, given->channel, error, error_size);
}

static bool compile(struct plan *plan, const struct eg_mapping *mapping, char *error, size_t error_size,
                    int *ret_field)
{
    eg_quantity_index_init(&plan->names);
    if (mapping == NULL)
        return true;
    if (!compile_pointer(&plan->time, mapping->time, error, error_size) ||
        !compile_pointer(&plan->readings, mapping->readings, error, error_size) ||
        !compile_pointer(&plan->channel, mapping->channel, error, error_size))
        return false;
    if (mapping->field_count > FIELDS_MAX) {
        (void)snprintf(error, error_size, "%zu fields, the most is %d", mapping->field_count, FIELDS_MAX);
        return false;
    }
    plan->fields = mapping->field_count == 0 ? NULL : calloc(mapping->field_count, sizeof *plan->fields);
    if (mapping->field_count > 0 && plan->fields == NULL) {
        (void)snprintf(error, error_size, "no memory for %zu fields", mapping->field_count);
        return false;
    }
    for (size_t i = 0; i < mapping->field_count; i++) {
        plan->field_count = i + 1;
        if (!compile_field(&plan->fields[i], &mapping->fields[i], error, error_size)) {
            *ret_field = (int)i;
            return false;
        }
        plan->from_top = plan->from_top || plan->fields[i].path.parts[0].index >= 0;
    }
    return true;
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    *ret_field = -1;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    if (!compile(plan, mapping, error, error_size, ret_field)) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

/* ---- single values ---- */

enum value { VALUE_NONE, VALUE_NUMBER, VALUE_WRONG };

/* A text that is no number, but was meant as one. Words, such as "on" or "n/a", are not. */
static bool meant_as_number(const char *text)
{
    text += strspn(text, " \t\r\n");
    text += strspn(text, "+-.");
    return (*text >= '0' && *text <= '9') || strncasecmp(text, "nan", 3) == 0 ||
           strncasecmp(text, "inf", 3) == 0;
}

static enum value read_number(const cJSON *item, double *ret_number)
{
    if (cJSON_IsNumber(item)) {
        *ret_number = item->valuedouble;
        return isfinite(*ret_number) ? VALUE_NUMBER : VALUE_WRONG;
    }
    if (!cJSON_IsString(item))
        return VALUE_NONE;
    if (!eg_decimal_parse(item->valuestring, strlen(item->valuestring), ret_number))
        return meant_as_number(item->valuestring) ? VALUE_WRONG : VALUE_NONE;
    return isfinite(*ret_number) ? VALUE_NUMBER : VALUE_WRONG;
}

static enum eg_verdict refuse_number(struct eg_sink *sink, const cJSON *item, uint16_t quantity)
{
    char name[EG_EXCERPT_MAX], text[EG_EXCERPT_MAX];
    const char *key = item->string == NULL ? eg_quantity_info(quantity)->name : item->string;
    (void)eg_excerpt_write(key, strlen(key), name);
    if (!cJSON_IsString(item))
        return REFUSE(sink, EG_IMPLAUSIBLE, "\"%s\" is too large a number", name);
    (void)eg_excerpt_write(item->valuestring, strlen(item->valuestring), text);
    return REFUSE(sink, EG_MALFORMED, "\"%s\" holds \"%s\", which is not a number", name, text);
}

static enum eg_verdict refuse_twice(struct eg_sink *sink, const char *key)
{
    char name[EG_EXCERPT_MAX];
    return REFUSE(sink, EG_MALFORMED, "the key \"%s\" is given twice",
                  eg_excerpt_write(key, strlen(key), name));
}

static enum eg_verdict read_time(struct reader *reader, const cJSON *item, int64_t *ret_ms)
{
    char name[EG_EXCERPT_MAX], text[EG_EXCERPT_MAX];
    double epoch;
    if (item == NULL || cJSON_IsNull(item))
        return EG_DECODED;
    if (read_number(item, &epoch) == VALUE_NUMBER && eg_time_from_epoch(epoch, ret_ms))
        return EG_DECODED;
    if (cJSON_IsString(item) && eg_time_parse(item->valuestring, strlen(item->valuestring), ret_ms))
        return EG_DECODED;
    const char *key = item->string == NULL ? "time" : item->string;
    (void)eg_excerpt_write(key, strlen(key), name);
    if (cJSON_IsString(item))
        (void)eg_excerpt_write(item->valuestring, strlen(item->valuestring), text);
    else if (cJSON_IsNumber(item))
        (void)snprintf(text, sizeof text, "%.17g", item->valuedouble);
    else
        (void)snprintf(text, sizeof text, "neither number nor text");
    return REFUSE(reader->sink, EG_MALFORMED, "\"%s\" is no time: %s (RFC 3339, or an epoch in s, ms or us)",
                  name, text);
}

/* A channel that was pointed at may be a number: a depth, a probe. */
static enum eg_verdict read_channel(struct reader *reader, const cJSON *item,
                                    char channel[EG_CHANNEL_MAX + 1])
{
    size_t length = 0;
    if (cJSON_IsString(item)) {
        length = strlen(item->valuestring);
        if (length <= EG_CHANNEL_MAX)
            memcpy(channel, item->valuestring, length + 1);
    } else if (cJSON_IsNumber(item) && isfinite(item->valuedouble)) {
        const bool whole = item->valuedouble == (double)item->valueint; /* %g is slow, and depths are whole */
        const int written = whole ? snprintf(channel, EG_CHANNEL_MAX + 1, "%d", item->valueint)
                                  : snprintf(channel, EG_CHANNEL_MAX + 1, "%.15g", item->valuedouble);
        length = written < 0 ? 0 : (size_t)written;
    }
    if (length > EG_CHANNEL_MAX)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE, "the channel's name has %zu bytes, the most is %d",
                      length, EG_CHANNEL_MAX);
    return EG_DECODED;
}

static enum eg_verdict put(struct reader *reader, uint16_t quantity, const char *channel, int64_t time_ms,
                           double value)
{
    return eg_sink_add(reader->sink, quantity, channel, time_ms, value) ? EG_DECODED : EG_IMPLAUSIBLE;
}

/* ---- where the time and the channel are ---- */

static bool is_missing(const cJSON *item)
{
    return item == NULL || cJSON_IsNull(item);
}

/* 0 for "ts", 1 for "time", 2 for "timestamp", 3 for "channel", -1 for any other key. */
static int head_key(const char *key)
{
    if ((key[0] | 0x20) == 't')
        return strcasecmp(key, "ts") == 0          ? 0
               : strcasecmp(key, "time") == 0      ? 1
               : strcasecmp(key, "timestamp") == 0 ? 2
                                                   : -1;
    return (key[0] | 0x20) == 'c' && strcasecmp(key, "channel") == 0 ? 3 : -1;
}

/* Both may stand behind the readings, so they are looked for first. Untouched where there is none. */
static enum eg_verdict find_head(struct reader *reader, const cJSON *object, const cJSON **ret_time,
                                 const cJSON **ret_channel)
{
    const cJSON *heads[4] = {NULL};
    for (const cJSON *item = cJSON_IsObject(object) ? object->child : NULL; item != NULL; item = item->next) {
        const int head = head_key(item->string);
        if (head < 0)
            continue;
        if (heads[head] != NULL)
            return refuse_twice(reader->sink, item->string);
        heads[head] = item;
    }
    for (int i = 2; i >= 0 && reader->plan->time.count == 0; i--)
        if (!is_missing(heads[i]))
            *ret_time = heads[i];
    if (cJSON_IsString(heads[3]) && reader->plan->channel.count == 0 && reader->plan->field_count == 0)
        *ret_channel = heads[3];
    return EG_DECODED;
}

static enum eg_verdict follow(struct reader *reader, const struct eg_json_pointer *pointer, const cJSON *from,
                              const cJSON **ret_item)
{
    const char *twice = NULL;
    const cJSON *item = eg_json_pointer_follow(pointer, from, &twice);
    if (twice != NULL)
        return refuse_twice(reader->sink, twice);
    if (!is_missing(item))
        *ret_item = item;
    return EG_DECODED;
}

static enum eg_verdict find_context(struct reader *reader, const cJSON *element, const cJSON **ret_time,
                                    const cJSON **ret_channel)
{
    const struct plan *plan = reader->plan;
    enum eg_verdict verdict = EG_DECODED;
    if (plan->time.count == 0 || plan->field_count == 0)
        verdict = find_head(reader, element, ret_time, ret_channel);
    if (verdict == EG_DECODED && plan->time.count > 0)
        verdict = follow(reader, &plan->time, element, ret_time);
    if (verdict == EG_DECODED && plan->channel.count > 0)
        verdict = follow(reader, &plan->channel, element, ret_channel);
    return verdict;
}

/* ---- elements ---- */

static enum eg_verdict read_flat(struct reader *reader, const cJSON *object, const char *channel,
                                 int64_t time_ms)
{
    const cJSON *seen[EG_QUANTITY_COUNT] = {NULL};
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        const int quantity = eg_quantity_index_find(&reader->plan->names, item->string, strlen(item->string));
        double value;
        if (quantity == EG_QUANTITY_NONE)
            continue;
        /* Two names of one quantity may both be there while only one has a value; the same name may not. */
        if (seen[quantity] != NULL && strcasecmp(seen[quantity]->string, item->string) == 0)
            return refuse_twice(reader->sink, item->string);
        seen[quantity] = item;
        const enum value kind = read_number(item, &value);
        if (kind == VALUE_WRONG)
            return refuse_number(reader->sink, item, (uint16_t)quantity);
        if (kind == VALUE_NONE)
            reader->valueless = item->string;
        else if (put(reader, (uint16_t)quantity, channel, time_ms, value) != EG_DECODED)
            return EG_IMPLAUSIBLE;
    }
    return EG_DECODED;
}

static enum eg_verdict read_fields(struct reader *reader, const cJSON *element, const char *channel,
                                   int64_t time_ms)
{
    for (size_t i = 0; i < reader->plan->field_count; i++) {
        const struct field *field = &reader->plan->fields[i];
        const cJSON *item = NULL;
        double value;
        if (follow(reader, &field->path, element, &item) != EG_DECODED)
            return EG_MALFORMED;
        const enum value kind = read_number(item, &value);
        if (kind == VALUE_WRONG)
            return refuse_number(reader->sink, item, field->quantity);
        if (kind == VALUE_NONE)
            continue;
        value = eg_unit_apply(&field->unit, value);
        if (put(reader, field->quantity, field->channel[0] != '\0' ? field->channel : channel, time_ms,
                value) != EG_DECODED)
            return EG_IMPLAUSIBLE;
    }
    return EG_DECODED;
}

static enum eg_verdict read_element(struct reader *reader, const cJSON *element)
{
    if (!cJSON_IsObject(element) && !(cJSON_IsArray(element) && reader->plan->field_count > 0))
        return REFUSE(reader->sink, EG_MALFORMED,
                      "expected a JSON object with readings, or an array of such objects");
    const cJSON *time_item = reader->shared_time, *channel_item = reader->shared_channel;
    enum eg_verdict verdict = find_context(reader, element, &time_item, &channel_item);
    char channel[EG_CHANNEL_MAX + 1] = "";
    int64_t time_ms = EG_TIME_NONE;
    if (verdict == EG_DECODED)
        verdict = read_time(reader, time_item, &time_ms);
    if (verdict == EG_DECODED)
        verdict = read_channel(reader, channel_item, channel);
    if (verdict != EG_DECODED)
        return verdict;
    return reader->plan->field_count > 0 ? read_fields(reader, element, channel, time_ms)
                                         : read_flat(reader, element, channel, time_ms);
}

static enum eg_verdict read_list(struct reader *reader, const cJSON *document, const cJSON *list)
{
    enum eg_verdict verdict = find_context(reader, document, &reader->shared_time, &reader->shared_channel);
    for (const cJSON *element = list->child; element != NULL && verdict == EG_DECODED;
         element = element->next)
        if (!cJSON_IsNull(element))
            verdict = read_element(reader, element);
    return verdict;
}

/* ---- the whole ---- */

static enum eg_verdict refuse_empty(struct reader *reader, const cJSON *element)
{
    char name[EG_EXCERPT_MAX], keys[4 * (EG_EXCERPT_MAX + 4)] = "";
    if (reader->valueless != NULL)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE, "no value: \"%s\" holds no number",
                      eg_excerpt_write(reader->valueless, strlen(reader->valueless), name));
    size_t used = 0, shown = 0;
    for (const cJSON *item = cJSON_IsObject(element) ? element->child : NULL; item != NULL && shown < 4;
         item = item->next, shown++)
        used += (size_t)snprintf(keys + used, sizeof keys - used, "%s\"%s\"", shown == 0 ? "" : ", ",
                                 eg_excerpt_write(item->string, strlen(item->string), name));
    return REFUSE(reader->sink, EG_IMPLAUSIBLE, "%s; %s%s",
                  reader->plan->field_count > 0 ? "none of the mapped fields is there"
                                                : "no key is a known quantity",
                  shown == 0 ? "there are no keys" : "the keys begin with ", keys);
}

static enum eg_verdict refuse_repeated(struct eg_sink *sink, const struct eg_reading *reading)
{
    char time[EG_TIME_TEXT] = "without a time";
    if (reading->time_ms != EG_TIME_NONE)
        (void)eg_time_format(reading->time_ms, time);
    return REFUSE(sink, EG_MALFORMED, "%s%s%s is given twice, %s", eg_quantity_info(reading->quantity)->name,
                  reading->channel[0] == '\0' ? "" : " of channel ", reading->channel, time);
}

static enum eg_verdict read_document(struct reader *reader, const cJSON *document)
{
    const struct plan *plan = reader->plan;
    const cJSON *list = document;
    if (plan->readings.count > 0) {
        list = NULL;
        if (follow(reader, &plan->readings, document, &list) != EG_DECODED)
            return EG_MALFORMED;
        if (!cJSON_IsArray(list))
            return REFUSE(reader->sink, EG_IMPLAUSIBLE,
                          "there is no array of readings where the mapping says");
    }
    const bool several = cJSON_IsArray(list) && (plan->readings.count > 0 || !plan->from_top);
    const enum eg_verdict verdict =
        several ? read_list(reader, document, list) : read_element(reader, document);
    if (verdict != EG_DECODED)
        return verdict;
    if (reader->sink->count == 0)
        return refuse_empty(reader, several ? list->child : document);
    const size_t twice = eg_twice_find(reader->sink);
    return twice < reader->sink->count ? refuse_repeated(reader->sink, &reader->sink->readings[twice])
                                       : EG_DECODED;
}

static enum eg_verdict read_text(const struct plan *plan, const struct eg_message *message,
                                 struct eg_sink *sink)
{
    if (eg_json_scan(message->payload, message->payload_len, sink) != EG_DECODED)
        return EG_MALFORMED;
    const char *text = (const char *)message->payload, *end = NULL;
    cJSON *document = cJSON_ParseWithLengthOpts(text, message->payload_len, &end, false);
    if (document == NULL)
        return REFUSE(sink, EG_MALFORMED, "not JSON from byte %zu on",
                      end == NULL ? (size_t)0 : (size_t)(end - text));
    size_t at = (size_t)(end - text);
    while (at < message->payload_len && text[at] != '\0' && strchr(" \t\r\n", text[at]) != NULL)
        at++;
    struct reader reader = {.plan = plan, .sink = sink};
    const enum eg_verdict verdict =
        at < message->payload_len
            ? REFUSE(sink, EG_MALFORMED, "something follows the JSON value at byte %zu", at)
            : read_document(&reader, document);
    cJSON_Delete(document);
    return verdict;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    eg_sink_reset(sink);
    if (prepared != NULL)
        return read_text(prepared, message, sink);
    struct plan plain = {.field_count = 0}; /* nothing was prepared: the flat shape */
    eg_quantity_index_init(&plain.names);
    return read_text(&plain, message, sink);
}

extern const struct eg_driver eg_driver_json;
const struct eg_driver eg_driver_json = {
    .name = "json",
    .about = "JSON objects: flat by quantity names, other shapes by JSON Pointer",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
