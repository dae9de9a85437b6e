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
 *                   {"id":"n1","data":[{"k":"SDS_P1","v":"4.30"},{"k":"BME280_pressure","v":"100003"}]}
 *                       device: /id  readings: /data  quantity: /k  value: /v  fields: [{path: SDS_P1, quantity: pm10}, …]
 *                   {"columns":["id","pm"],"rows":[["a",35],["b",41]]}
 *                       device: /0  readings: /rows  quantity: /columns  fields: [{path: pm, quantity: pm25}]
 *
 *                   {"nodes":{"n1":{"pm":35},"n2":{"pm":41}}}
 *                       readings: /nodes/\*  device: "*"  fields: [{path: /pm, quantity: pm25}]     (members as elements; "*" is their key)
 *                   {"t":70.5,"tu":"F"}
 *                       fields: [{path: /t, quantity: temperature, unit: /tu}]                      (the payload says its unit)
 *
 * Keys of the flat shape are names and aliases of the dictionary, in any case, canonical units; the time is
 * `ts`, else `time`, else `timestamp`; `channel` counts when it is a string. Pointers are relative to the
 * element where there are several; the time and the channel are looked for in the element first, then in the
 * document. An array at the top is an array of elements, unless a field's path itself begins with an index.
 *
 * Of several fields with one quantity and channel the first that has a value counts: a compensated value before the raw one. A field's
 * codes for "not measured", and "nan", are faults.
 *
 * A string that holds a number is that number; in a mapped field a unit may follow ("3.384 V"). null,
 * true, false, objects, words ("n/a") and unknown keys are skipped; a number that is none ("12,5", "NaN", 1e400), a
 * key or reading given twice, a time that is none,
 * or no reading at all refuse the whole message. With unmatched: ignore, a message that has none of the fields, or is a bare word
 * ("online") or nothing, is not meant for us: states and announcements stand on the same topics as readings.
 *
 * JSON: https://www.rfc-editor.org/rfc/rfc8259  JSON Pointer: https://www.rfc-editor.org/rfc/rfc6901
 * Time: https://www.rfc-editor.org/rfc/rfc3339 */
#include <ecogov/driver.h>
#include <ecogov/time.h>

#include "kit/decimal.h"
#include "kit/excerpt.h"
#include "kit/field.h"
#include "kit/json_plan.h"
#include "kit/json_tree.h"
#include "kit/names.h"
#include "kit/stamp.h"
#include "kit/twice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 64

/* One message while it is read. */
struct reader {
    const struct eg_json_plan *plan;
    struct eg_sink *sink;
    const cJSON *shared_time, *shared_channel; /* of the document, for elements that have none */
    const cJSON *shared_device;
    const cJSON *document;
    const cJSON *columns;  /* the names of what stands in an element that is an array */
    const char *valueless; /* a key that is known, and held no number */
};

/* The verdict of a refusal, its sentence set. */
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

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
    if (cJSON_IsNumber(item) && read_number(item, &epoch) == VALUE_NUMBER &&
        eg_stamp_number(&reader->plan->stamp, epoch, ret_ms))
        return EG_DECODED;
    if (cJSON_IsString(item) &&
        eg_stamp_text(&reader->plan->stamp, item->valuestring, strlen(item->valuestring), ret_ms))
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

/* A depth, a probe's number: printf would take as long as the rest. */
static int write_small(char *out, int number)
{
    char *at = out;
    if (number >= 10)
        *at++ = (char)('0' + number / 10);
    *at++ = (char)('0' + number % 10);
    *at = '\0';
    return (int)(at - out);
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
        const int written = whole && item->valueint >= 0 && item->valueint < 100
                                ? write_small(channel, item->valueint)
                            : whole ? snprintf(channel, EG_CHANNEL_MAX + 1, "%d", item->valueint)
                                    : snprintf(channel, EG_CHANNEL_MAX + 1, "%.15g", item->valuedouble);
        length = written < 0 ? 0 : (size_t)written;
    }
    if (length > EG_CHANNEL_MAX)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE, "the channel's name has %zu bytes, the most is %d",
                      length, EG_CHANNEL_MAX);
    return EG_DECODED;
}

/* Readings that follow are this device's; those of an element that names none are the topic's. */
static enum eg_verdict read_device(struct reader *reader, const cJSON *item)
{
    char digits[32];
    const char *name = "";
    if (cJSON_IsString(item)) {
        name = item->valuestring;
    } else if (cJSON_IsNumber(item) && isfinite(item->valuedouble)) {
        (void)snprintf(digits, sizeof digits, "%.15g", item->valuedouble);
        name = digits;
    }
    return eg_sink_device(reader->sink, name, strlen(name)) ? EG_DECODED : EG_IMPLAUSIBLE;
}

static enum eg_verdict take_key_channel(struct reader *reader, const cJSON *element,
                                        char channel[EG_CHANNEL_MAX + 1])
{
    const size_t length = element->string == NULL ? 0 : strlen(element->string);
    if (length > EG_CHANNEL_MAX)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE, "the channel's name has %zu bytes, the most is %d",
                      length, EG_CHANNEL_MAX);
    if (length > 0)
        memcpy(channel, element->string, length + 1);
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

struct context { /* what holds for the readings of an element */
    const cJSON *time, *channel, *device;
};

static enum eg_verdict find_context(struct reader *reader, const cJSON *element, struct context *context)
{
    const struct eg_json_plan *plan = reader->plan;
    enum eg_verdict verdict = EG_DECODED;
    if (plan->time.count == 0 || plan->field_count == 0)
        verdict = find_head(reader, element, &context->time, &context->channel);
    if (verdict == EG_DECODED && plan->time.count > 0)
        verdict = follow(reader, &plan->time, element, &context->time);
    if (verdict == EG_DECODED && plan->channel.count > 0)
        verdict = follow(reader, &plan->channel, element, &context->channel);
    if (verdict == EG_DECODED && plan->device.count > 0)
        verdict = follow(reader, &plan->device, element, &context->device);
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

/* The plan of a field whose unit the payload says: in the element, else in the document; a unit that is missing, null or blank is the
 * canonical one. */
static enum eg_verdict take_unit(struct reader *reader, const struct eg_json_field *field,
                                 const cJSON *element, struct eg_field_plan *plan)
{
    const struct eg_json_pointer *pointer = field->unit.count > 0 ? &field->unit : &reader->plan->unit;
    const cJSON *item = NULL;
    char shown[EG_EXCERPT_MAX];
    enum eg_verdict verdict = follow(reader, pointer, element, &item);
    if (verdict == EG_DECODED && item == NULL && element != reader->document)
        verdict = follow(reader, pointer, reader->document, &item);
    if (verdict != EG_DECODED || !cJSON_IsString(item) ||
        item->valuestring[strspn(item->valuestring, " ")] == '\0')
        return verdict;
    if (eg_unit_find(plan->quantity, item->valuestring, &plan->unit))
        return EG_DECODED;
    return REFUSE(reader->sink, EG_IMPLAUSIBLE, "%s does not come in \"%s\"; its own unit is %s",
                  eg_quantity_info(plan->quantity)->name,
                  eg_excerpt_write(item->valuestring, strlen(item->valuestring), shown),
                  eg_quantity_info(plan->quantity)->unit);
}

/* What the field holds, put where it belongs. */
static enum eg_verdict read_field(struct reader *reader, const struct eg_json_field *field,
                                  const cJSON *element, const cJSON *item, const char *channel,
                                  int64_t time_ms)
{
    struct eg_field_plan told; /* borrows what `plan` owns */
    const struct eg_field_plan *plan = &field->plan;
    enum eg_field_kind kind = EG_FIELD_NONE;
    double value = 0;
    if (item != NULL && (field->unit.count > 0 || (reader->plan->unit.count > 0 && !plan->own_unit))) {
        told = *plan;
        const enum eg_verdict verdict = take_unit(reader, field, element, &told);
        if (verdict != EG_DECODED)
            return verdict;
        plan = &told;
    }
    if (plan->channel[0] != '\0')
        channel = plan->channel;
    if (cJSON_IsNumber(item))
        kind =
            isfinite(item->valuedouble) ? eg_field_number(plan, item->valuedouble, &value) : EG_FIELD_WRONG;
    else if (cJSON_IsString(item))
        kind = eg_field_text(plan, item->valuestring, strlen(item->valuestring), &value);
    else if (cJSON_IsBool(item) && plan->word_count > 0)
        kind = eg_field_text(plan, cJSON_IsTrue(item) ? "true" : "false", cJSON_IsTrue(item) ? 4 : 5, &value);
    if (kind == EG_FIELD_WRONG ||
        (kind == EG_FIELD_NONE && cJSON_IsString(item) && meant_as_number(item->valuestring)))
        return refuse_number(reader->sink, item, plan->quantity);
    if (kind == EG_FIELD_FAULT) {
        char mark[EG_EXCERPT_MAX];
        if (cJSON_IsNumber(item))
            (void)snprintf(mark, sizeof mark, "%.15g", item->valuedouble);
        else
            (void)eg_excerpt_write(item->valuestring, strlen(item->valuestring), mark);
        eg_sink_fault(reader->sink, plan->quantity, channel, mark);
    }
    return kind == EG_FIELD_NUMBER ? put(reader, plan->quantity, channel, time_ms, value) : EG_DECODED;
}

/* Whether the element has given this series a value before. */
static bool has_series(const struct eg_sink *sink, size_t from, const struct eg_json_field *field,
                       const char *channel)
{
    if (field->plan.channel[0] != '\0')
        channel = field->plan.channel;
    for (size_t i = from; i < sink->count; i++)
        if (sink->readings[i].quantity == field->plan.quantity &&
            strcmp(sink->readings[i].channel, channel) == 0)
            return true;
    return false;
}

static enum eg_verdict read_fields(struct reader *reader, const cJSON *element, const char *channel,
                                   int64_t time_ms)
{
    const size_t from = reader->sink->count;
    for (size_t i = 0; i < reader->plan->field_count; i++) {
        const struct eg_json_field *field = &reader->plan->fields[i];
        const cJSON *item = NULL;
        if (field->fallback && has_series(reader->sink, from, field, channel))
            continue;
        if (follow(reader, &field->path, element, &item) != EG_DECODED)
            return EG_MALFORMED;
        const enum eg_verdict verdict = read_field(reader, field, element, item, channel, time_ms);
        if (verdict != EG_DECODED)
            return verdict;
    }
    return EG_DECODED;
}

/* A value by the name that stands beside it. Without fields the names are quantities; what is neither is skipped. */
static enum eg_verdict read_named(struct reader *reader, const char *name, const cJSON *element,
                                  const cJSON *item, const char *channel, int64_t time_ms)
{
    const struct eg_json_plan *plan = reader->plan;
    for (size_t i = 0; i < plan->field_count; i++)
        if (strcasecmp(plan->fields[i].key, name) == 0)
            return read_field(reader, &plan->fields[i], element, item, channel, time_ms);
    struct eg_json_field guessed = {.plan = {.scale = 1, .unit = {1, 0}}};
    char own[EG_CHANNEL_MAX + 1];
    int quantity;
    if (plan->field_count > 0 || !eg_names_guess(&plan->names, name, strlen(name), NULL, &quantity, own))
        return EG_DECODED;
    guessed.plan.quantity = (uint16_t)quantity;
    memcpy(guessed.plan.channel, own, sizeof own);
    return read_field(reader, &guessed, element, item, channel, time_ms);
}

/* An element that holds one value, or a row below a head of columns. */
static enum eg_verdict read_keyed(struct reader *reader, const cJSON *element, const char *channel,
                                  int64_t time_ms)
{
    const struct eg_json_plan *plan = reader->plan;
    enum eg_verdict verdict = EG_DECODED;
    if (reader->columns != NULL) {
        const cJSON *item = cJSON_IsArray(element) ? element->child : NULL;
        for (const cJSON *column = reader->columns->child; column && item && verdict == EG_DECODED;
             column = column->next, item = item->next)
            if (cJSON_IsString(column))
                verdict = read_named(reader, column->valuestring, element, item, channel, time_ms);
        return verdict;
    }
    const cJSON *key = NULL, *item = NULL;
    verdict = follow(reader, &plan->key, element, &key);
    if (verdict == EG_DECODED)
        verdict = follow(reader, &plan->value, element, &item);
    return verdict == EG_DECODED && cJSON_IsString(key)
               ? read_named(reader, key->valuestring, element, item, channel, time_ms)
               : verdict;
}

static enum eg_verdict read_element(struct reader *reader, const cJSON *element)
{
    const struct eg_json_plan *plan = reader->plan;
    if (!cJSON_IsObject(element) && !(cJSON_IsArray(element) && (plan->field_count > 0 || reader->columns)))
        return REFUSE(reader->sink, plan->ignore_unmatched ? EG_NOT_MINE : EG_MALFORMED,
                      "expected a JSON object with readings, or an array of such objects");
    struct context context = {reader->shared_time, reader->shared_channel, reader->shared_device};
    enum eg_verdict verdict = find_context(reader, element, &context);
    char channel[EG_CHANNEL_MAX + 1] = "";
    int64_t time_ms = EG_TIME_NONE;
    if (verdict == EG_DECODED)
        verdict = read_time(reader, context.time, &time_ms);
    if (verdict == EG_DECODED)
        verdict = plan->channel_is_key ? take_key_channel(reader, element, channel)
                                       : read_channel(reader, context.channel, channel);
    if (verdict == EG_DECODED && plan->device.count > 0)
        verdict = read_device(reader, context.device);
    if (verdict == EG_DECODED && plan->device_is_key && element->string != NULL &&
        !eg_sink_device(reader->sink, element->string, strlen(element->string)))
        verdict = EG_IMPLAUSIBLE;
    if (verdict != EG_DECODED)
        return verdict;
    return plan->key.count > 0     ? read_keyed(reader, element, channel, time_ms)
           : plan->field_count > 0 ? read_fields(reader, element, channel, time_ms)
                                   : read_flat(reader, element, channel, time_ms);
}

static enum eg_verdict read_list(struct reader *reader, const cJSON *document, const cJSON *list)
{
    struct context context = {NULL, NULL, NULL};
    enum eg_verdict verdict = find_context(reader, document, &context);
    reader->shared_time = context.time;
    reader->shared_channel = context.channel;
    reader->shared_device = context.device;
    if (verdict == EG_DECODED && reader->plan->key.count > 0)
        verdict = follow(reader, &reader->plan->key, document, &reader->columns);
    if (!cJSON_IsArray(reader->columns))
        reader->columns = NULL;
    for (const cJSON *element = list->child; element != NULL && verdict == EG_DECODED;
         element = element->next)
        if (!cJSON_IsNull(element) && (!reader->plan->members || cJSON_IsObject(element)))
            verdict = read_element(reader, element);
    return verdict;
}

/* ---- the whole ---- */

static enum eg_verdict unmatched(const struct eg_json_plan *plan)
{
    return plan->ignore_unmatched ? EG_NOT_MINE : EG_IMPLAUSIBLE;
}

/* Nothing, or a word ("online"): no JSON, and never meant to be. */
static bool is_word(const struct eg_message *message)
{
    for (size_t i = 0; i < message->payload_len; i++) {
        const uint8_t c = message->payload[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) &&
            (i == 0 || strchr(" _-\n", c) == NULL || c == 0))
            return false;
    }
    return message->payload_len <= WORD_MAX;
}

static enum eg_verdict refuse_empty(struct reader *reader, const cJSON *element)
{
    char name[EG_EXCERPT_MAX], keys[4 * (EG_EXCERPT_MAX + 4)] = "";
    if (reader->valueless != NULL)
        return REFUSE(reader->sink, (int)unmatched(reader->plan), "no value: \"%s\" holds no number",
                      eg_excerpt_write(reader->valueless, strlen(reader->valueless), name));
    size_t used = 0, shown = 0;
    for (const cJSON *item = cJSON_IsObject(element) ? element->child : NULL; item != NULL && shown < 4;
         item = item->next, shown++)
        used += (size_t)snprintf(keys + used, sizeof keys - used, "%s\"%s\"", shown == 0 ? "" : ", ",
                                 eg_excerpt_write(item->string, strlen(item->string), name));
    return REFUSE(reader->sink, (int)unmatched(reader->plan), "%s; %s%s",
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
    const struct eg_json_plan *plan = reader->plan;
    const cJSON *list = document;
    reader->document = document;
    if (plan->readings.count > 0 || plan->members) {
        list = NULL;
        if (follow(reader, &plan->readings, document, &list) != EG_DECODED)
            return EG_MALFORMED;
        if (!cJSON_IsArray(list) && !(plan->members && cJSON_IsObject(list)))
            return REFUSE(reader->sink, (int)unmatched(plan),
                          "there is no array of readings where the mapping says");
    }
    const bool several =
        plan->members || (cJSON_IsArray(list) && (plan->readings.count > 0 || !plan->from_top));
    const enum eg_verdict verdict =
        several ? read_list(reader, document, list) : read_element(reader, document);
    if (verdict != EG_DECODED)
        return verdict;
    if (reader->sink->count == 0 && reader->sink->fault_count == 0)
        return refuse_empty(reader, several ? list->child : document);
    const size_t twice = eg_twice_find(reader->sink);
    return twice < reader->sink->count ? refuse_repeated(reader->sink, &reader->sink->readings[twice])
                                       : EG_DECODED;
}

static enum eg_verdict read_text(const struct eg_json_plan *plan, const struct eg_message *message,
                                 struct eg_sink *sink)
{
    if (plan->ignore_unmatched && is_word(message))
        return REFUSE(sink, EG_NOT_MINE, "a word, no JSON");
    struct eg_json_tree tree;
    if (eg_json_tree_read(&tree, message->payload, message->payload_len, sink) != EG_DECODED)
        return EG_MALFORMED;
    struct reader reader = {.plan = plan, .sink = sink};
    const enum eg_verdict verdict = read_document(&reader, tree.root);
    eg_json_tree_finish(&tree);
    return verdict;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    eg_sink_reset(sink);
    if (prepared != NULL)
        return read_text(prepared, message, sink);
    struct eg_json_plan plain = {.field_count = 0}; /* nothing was prepared: the flat shape */
    eg_quantity_index_init(&plain.names);
    return read_text(&plain, message, sink);
}

extern const struct eg_driver eg_driver_json;
const struct eg_driver eg_driver_json = {
    .name = "json",
    .about = "JSON objects: flat by quantity names, other shapes by JSON Pointer",
    .keys = "time readings channel device_path quantity value unit precision utc_offset time_format fields "
            "words unmatched",
    .prepare = eg_json_plan_prepare,
    .release = eg_json_plan_release,
    .decode = decode,
};
