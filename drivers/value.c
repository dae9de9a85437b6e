/* value: a topic's whole payload is one value: a number, with its unit behind it or without.
 *
 *   21.5        21.5 °C        "70.7 °F"        nan
 *
 * What it is says the topic, where the template has {quantity}: by fields (path = that level, or a pattern with one '*': *_temperature;
 * what the '*' stands for is the channel, unless the field says one), else by the dictionary. Else the source: quantity and unit, or
 * the one of its fields whose path is "value". A unit that stands in the payload wins over the source's. decimal: "," says that
 * numbers are written 21,5.
 *
 *   shellies/shellyht-1A2B3C/sensor/temperature    topic: shellies/{device}/sensor/{quantity}                       Shelly Gen1
 *   kitchen/sensor/outdoor_pm25/state              topic: "{device}/sensor/{quantity}/state"                        ESPHome
 *   homeassistant/sensor/yard_temperature/state    topic: homeassistant/sensor/{quantity}/state, device: yard       Home Assistant
 *
 * unmatched: ignore passes over topics whose {quantity} is none (free_heap), which are refused otherwise.
 *
 * "nan", "unknown", "unavailable", "none", "null" and "n/a" are faults. An empty message is none: it clears what was retained. Refused:
 * another word, unless the field's words have it, JSON, more than 255 bytes, what nobody says the quantity of.
 *
 * https://shelly-api-docs.shelly.cloud/gen1/  https://esphome.io/components/mqtt
 * https://www.home-assistant.io/integrations/mqtt_statestream/ */
#include <ecogov/driver.h>

#include "kit/codepoint.h"
#include "kit/excerpt.h"
#include "kit/field.h"
#include "kit/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BYTES_MAX 255
#define FIELDS_MAX 256
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

struct field {
    char *path;
    struct eg_field_plan plan;
};
struct plan {
    struct eg_quantity_index names;
    struct field own; /* what the source says; path NULL: nothing */
    size_t field_count;
    struct field *fields;
    char *unit; /* of values whose field says none; NULL: canonical */
    bool comma, ignore_unmatched;
};

/* --- the mapping --- */

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->field_count; i++) {
        eg_field_finish(&plan->fields[i].plan);
        free(plan->fields[i].path);
    }
    eg_field_finish(&plan->own.plan);
    free(plan->own.path);
    free(plan->unit);
    free(plan->fields);
    free(plan);
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool compile_field(struct field *field, const struct eg_field *from, const char *unit, char *error,
                          size_t error_size)
{
    const char *star = given(from->path) ? strchr(from->path, '*') : NULL;
    if (!given(from->path) || (star != NULL && strchr(star + 1, '*') != NULL)) {
        (void)snprintf(
            error, error_size,
            "a field needs a path: what the topic has for {quantity}, with one '*' at most, or \"value\"");
        return false;
    }
    if (!eg_field_init(&field->plan, from, unit, error, error_size))
        return false;
    field->path = strdup(from->path);
    if (field->path == NULL)
        (void)snprintf(error, error_size, "no memory for the field");
    return field->path != NULL;
}

static bool compile(struct plan *plan, const struct eg_mapping *mapping, char *error, size_t error_size,
                    int *ret_field)
{
    eg_quantity_index_init(&plan->names);
    if (given(mapping->decimal) && strcmp(mapping->decimal, ",") != 0 && strcmp(mapping->decimal, ".") != 0) {
        (void)snprintf(error, error_size, "decimal is \".\" or \",\"");
        return false;
    }
    plan->ignore_unmatched = mapping->ignore_unmatched;
    plan->comma = given(mapping->decimal) && mapping->decimal[0] == ',';
    if (mapping->field_count > FIELDS_MAX) {
        (void)snprintf(error, error_size, "%zu fields, the most is %d", mapping->field_count, FIELDS_MAX);
        return false;
    }
    const struct eg_field own = {.path = "value", .quantity = mapping->quantity};
    if (given(mapping->quantity) && !compile_field(&plan->own, &own, mapping->unit, error, error_size))
        return false;
    plan->unit = given(mapping->unit) ? strdup(mapping->unit) : NULL;
    plan->fields = calloc(mapping->field_count + 1, sizeof *plan->fields);
    if (plan->fields == NULL || (given(mapping->unit) && plan->unit == NULL)) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return false;
    }
    for (size_t i = 0; i < mapping->field_count; i++) {
        plan->field_count = i + 1;
        if (!compile_field(&plan->fields[i], &mapping->fields[i], mapping->unit, error, error_size)) {
            *ret_field = (int)i;
            return false;
        }
    }
    return true;
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    struct plan *plan = calloc(1, sizeof *plan);
    *ret_field = -1;
    if (plan == NULL)
        (void)snprintf(error, error_size, "no memory for the mapping");
    if (plan == NULL || !compile(plan, mapping, error, error_size, ret_field)) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

/* --- what it is --- */

/* `name` is of the pattern; what its '*' stands for in *ret_rest. */
static bool fits(const char *pattern, const char *name, size_t length, const char **ret_rest,
                 size_t *ret_rest_length)
{
    const char *star = strchr(pattern, '*');
    const size_t before = star == NULL ? strlen(pattern) : (size_t)(star - pattern);
    const size_t after = star == NULL ? 0 : strlen(star + 1);
    if (length < before + after || (star == NULL && length != before) || memcmp(pattern, name, before) != 0 ||
        (after > 0 && memcmp(star + 1, name + length - after, after) != 0))
        return false;
    *ret_rest = name + before;
    *ret_rest_length = length - before - after;
    return true;
}

static const struct field *find_field(const struct plan *plan, const char *name, size_t length,
                                      const char **ret_rest, size_t *ret_rest_length)
{
    for (size_t i = 0; i < plan->field_count; i++)
        if (fits(plan->fields[i].path, name, length, ret_rest, ret_rest_length))
            return &plan->fields[i];
    return NULL;
}

/* The plan for the topic's {quantity}: a field's, or one made of the dictionary in `own`. */
static enum eg_verdict choose(const struct plan *plan, const struct eg_message *message, struct eg_sink *sink,
                              struct eg_field_plan *own, const struct eg_field_plan **ret_plan,
                              char channel[EG_CHANNEL_MAX + 1])
{
    char shown[EG_EXCERPT_MAX];
    const char *name = message->quantity, *rest = "";
    size_t length = message->quantity_len, rest_length = 0;
    int quantity;
    channel[0] = '\0';
    const struct field *field = length > 0 ? find_field(plan, name, length, &rest, &rest_length)
                                           : find_field(plan, "value", 5, &rest, &rest_length);
    if (field == NULL && length == 0 && plan->own.path != NULL)
        field = &plan->own;
    if (field != NULL) {
        if (rest_length > EG_CHANNEL_MAX)
            return REFUSE(sink, EG_IMPLAUSIBLE, "\"%s\" is too long for a channel: %d bytes at most",
                          eg_excerpt_write(rest, rest_length, shown), EG_CHANNEL_MAX);
        (void)snprintf(channel, EG_CHANNEL_MAX + 1, "%.*s", (int)rest_length, rest);
        if (field->plan.channel[0] != '\0')
            memcpy(channel, field->plan.channel, sizeof field->plan.channel);
        *ret_plan = &field->plan;
        return EG_DECODED;
    }
    if (length == 0)
        return REFUSE(sink, EG_IMPLAUSIBLE,
                      "nobody says what it is: say quantity: in the source, or {quantity} in its topic");
    quantity = eg_quantity_index_find(&plan->names, name, length);
    if (quantity == EG_QUANTITY_NONE && !eg_names_guess(&plan->names, name, length, NULL, &quantity, channel))
        return REFUSE(sink, plan->ignore_unmatched ? EG_NOT_MINE : EG_IMPLAUSIBLE,
                      "\"%s\" in the topic is no known quantity; name it in fields",
                      eg_excerpt_write(name, length, shown));
    *own = (struct eg_field_plan){.scale = 1, .quantity = (uint16_t)quantity};
    if (!eg_unit_find(quantity, plan->unit, &own->unit))
        return REFUSE(sink, EG_IMPLAUSIBLE, "%s does not come in the source's unit; name it in fields",
                      eg_quantity_info(quantity)->name);
    *ret_plan = own;
    return EG_DECODED;
}

/* --- the value --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without blanks and one pair of quotation marks around it. */
static void trim(const char **text, size_t *length)
{
    for (int round = 0; round < 2; round++) {
        while (*length > 0 && is_blank(**text))
            (*text)++, (*length)--;
        while (*length > 0 && is_blank((*text)[*length - 1]))
            (*length)--;
        if (round > 0 || *length < 2 || **text != '"' || (*text)[*length - 1] != '"')
            continue;
        (*text)++;
        *length -= 2;
    }
}

static bool is_unknown(const char *text, size_t length)
{
    static const char *const words[] = {"nan", "-nan", "unknown", "unavailable", "none", "null", "n/a", "na"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0)
            return true;
    return false;
}

static enum eg_verdict put(const struct eg_field_plan *plan, const char *channel, const char *text,
                           size_t length, struct eg_sink *sink)
{
    char shown[EG_EXCERPT_MAX];
    double value;
    (void)eg_excerpt_write(text, length, shown);
    switch (eg_field_text(plan, text, length, &value)) {
    case EG_FIELD_NUMBER:
        return eg_sink_add(sink, plan->quantity, channel, EG_TIME_NONE, value) ? EG_DECODED : EG_IMPLAUSIBLE;
    case EG_FIELD_FAULT:
        break;
    default:
        if (!is_unknown(text, length))
            return REFUSE(sink, EG_MALFORMED, "\"%s\" is no number", shown);
    }
    eg_sink_fault(sink, plan->quantity, channel, shown);
    return EG_DECODED;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    struct plan plain; /* not cleared for nothing: it is large */
    const struct plan *plan = prepared == NULL ? &plain : prepared;
    const struct eg_field_plan *field = NULL;
    struct eg_field_plan own;
    char channel[EG_CHANNEL_MAX + 1], copy[BYTES_MAX + 1];
    const char *text = copy;
    size_t length = message->payload_len;
    eg_sink_reset(sink);
    if (prepared == NULL) {
        plain = (struct plan){.unit = NULL};
        eg_quantity_index_init(&plain.names);
    }
    if (length > BYTES_MAX)
        return REFUSE(sink, EG_MALFORMED, "%zu bytes are no single value: %d at most", length, BYTES_MAX);
    if (length > 0)
        memcpy(copy, message->payload, length);
    trim(&text, &length);
    if (length == 0)
        return REFUSE(sink, EG_NOT_MINE, "an empty message clears a retained one");
    if (*text == '{' || *text == '[')
        return REFUSE(sink, EG_MALFORMED, "it is JSON, not a single value: for the driver json");
    for (size_t i = 0; plan->comma && i < length; i++)
        if (text[i] == ',')
            copy[text - copy + (ptrdiff_t)i] = '.';
    const enum eg_verdict verdict = choose(plan, message, sink, &own, &field, channel);
    return verdict == EG_DECODED ? put(field, channel, text, length, sink) : verdict;
}

extern const struct eg_driver eg_driver_value;
const struct eg_driver eg_driver_value = {
    .name = "value",
    .about = "One value a topic: a number, with or without a unit",
    .keys = "{quantity} quantity unit decimal fields words unmatched",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
