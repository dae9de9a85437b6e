/* Mapped fields that are found by name: compiles them, converts what they hold. Knows quantities and units; refuses to know any
 * payload. Called by drivers of formats that name their values. */
#include "named.h"

#include "codepoint.h"
#include "excerpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool copy_field(struct eg_named_field *field, const struct eg_field *given)
{
    const char *channel = given->channel == NULL ? "" : given->channel;
    const size_t name_size = strlen(given->path) + 1, channel_size = strlen(channel) + 1;
    field->name = malloc(name_size + channel_size);
    if (field->name == NULL)
        return false;
    memcpy(field->name, given->path, name_size);
    memcpy(field->name + name_size, channel, channel_size);
    field->channel = field->name + name_size;
    if (given->unit != NULL && given->unit[0] != '\0' && (field->unit = strdup(given->unit)) == NULL)
        return false;
    if (given->missing_count == 0)
        return true;
    field->missing = calloc(given->missing_count, sizeof *field->missing);
    if (field->missing == NULL)
        return false;
    memcpy(field->missing, given->missing, given->missing_count * sizeof *field->missing);
    field->missing_count = given->missing_count;
    return true;
}

static bool compile(struct eg_named_field *field, const struct eg_field *given, char *error,
                    size_t error_size)
{
    char shown[EG_EXCERPT_MAX];
    struct eg_unit_map map = {0, 0};
    if (given->path == NULL || given->path[0] == '\0') {
        (void)snprintf(error, error_size,
                       "a field needs a path, here the name that the payload gives the value");
        return false;
    }
    const char *name = given->quantity == NULL ? "" : given->quantity;
    const int quantity = eg_quantity_find(name, strlen(name));
    if (quantity == EG_QUANTITY_NONE) {
        (void)snprintf(error, error_size, "there is no quantity \"%s\" (docs/quantities.md lists them)",
                       eg_excerpt_write(name, strlen(name), shown));
        return false;
    }
    if (!eg_span_init(&field->span, given, quantity, error, error_size))
        return false;
    if (!field->span.given && !eg_unit_find(quantity, given->unit, &map)) {
        (void)snprintf(
            error, error_size, "%s cannot come in \"%s\"; its unit is %s", eg_quantity_info(quantity)->name,
            eg_excerpt_write(given->unit, strlen(given->unit), shown), eg_quantity_info(quantity)->unit);
        return false;
    }
    if (given->channel != NULL && (strlen(given->channel) > EG_CHANNEL_MAX ||
                                   !eg_codepoint_printable_text(given->channel, strlen(given->channel)))) {
        (void)snprintf(error, error_size, "the channel's name must be at most %d bytes of printable text",
                       EG_CHANNEL_MAX);
        return false;
    }
    field->quantity = (uint16_t)quantity;
    field->map = map;
    field->scale = given->scale == 0 ? 1 : given->scale;
    field->offset = given->offset;
    if (copy_field(field, given))
        return true;
    (void)snprintf(error, error_size, "no memory for the mapping");
    return false;
}

bool eg_named_init(struct eg_named *ret_named, const struct eg_mapping *mapping, char *error,
                   size_t error_size, int *ret_field)
{
    *ret_named = (struct eg_named){.count = 0};
    eg_quantity_index_init(&ret_named->names);
    const size_t count = mapping == NULL ? 0 : mapping->field_count;
    if (count > EG_NAMED_MAX) {
        (void)snprintf(error, error_size, "%zu fields, the most is %d", count, EG_NAMED_MAX);
        return false;
    }
    ret_named->fields = count == 0 ? NULL : calloc(count, sizeof *ret_named->fields);
    if (count > 0 && ret_named->fields == NULL) {
        (void)snprintf(error, error_size, "no memory for %zu fields", count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        ret_named->count = i + 1;
        if (!compile(&ret_named->fields[i], &mapping->fields[i], error, error_size)) {
            *ret_field = (int)i;
            return false;
        }
    }
    return true;
}

void eg_named_finish(struct eg_named *named)
{
    for (size_t i = 0; i < named->count; i++) {
        free(named->fields[i].name);
        free(named->fields[i].unit);
        free(named->fields[i].missing);
    }
    free(named->fields);
    named->fields = NULL;
    named->count = 0;
}

const struct eg_named_field *eg_named_find(const struct eg_named *named, const char *name, size_t length)
{
    for (size_t i = 0; i < named->count; i++)
        if (strlen(named->fields[i].name) == length && memcmp(named->fields[i].name, name, length) == 0)
            return &named->fields[i];
    return NULL;
}

const struct eg_named_field *eg_named_next(const struct eg_named *named, const struct eg_named_field *field)
{
    for (const struct eg_named_field *next = field + 1; next < named->fields + named->count; next++)
        if (strcmp(next->name, field->name) == 0)
            return next;
    return NULL;
}

static bool put_span(const struct eg_named_field *field, double value, int64_t time_ms, struct eg_sink *sink)
{
    char shown[EG_EXCERPT_MAX];
    double percent;
    if (eg_span_apply(&field->span, value, &percent) == EG_FIELD_NUMBER)
        return eg_sink_add(sink, field->quantity, field->channel, time_ms, percent);
    (void)snprintf(shown, sizeof shown, "%.15g, beyond empty", value);
    eg_sink_fault(sink, field->quantity, field->channel, shown);
    return true;
}

bool eg_named_put(const struct eg_named_field *field, double value, const char *unit, int64_t time_ms,
                  struct eg_sink *sink)
{
    char shown[EG_EXCERPT_MAX];
    struct eg_unit_map map = field->map;
    const char *given = field->unit != NULL ? field->unit : unit;
    for (size_t i = 0; i < field->missing_count; i++)
        if (value == field->missing[i]) {
            (void)snprintf(shown, sizeof shown, "%.15g", value);
            eg_sink_fault(sink, field->quantity, field->channel, shown);
            return true;
        }
    if (field->span.given)
        return put_span(field, value, time_ms, sink);
    if ((field->unit == NULL || map.scale == 0) && !eg_unit_find(field->quantity, given, &map)) {
        (void)eg_sink_reject(
            sink, 0, "%s cannot come in \"%s\"; its unit is %s", eg_quantity_info(field->quantity)->name,
            eg_excerpt_write(given, strlen(given), shown), eg_quantity_info(field->quantity)->unit);
        return false;
    }
    return eg_sink_add(sink, field->quantity, field->channel, time_ms,
                       eg_unit_apply(&map, value * field->scale + field->offset));
}
