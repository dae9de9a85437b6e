/* Compiles the mapping of the json driver: pointers, fields, units, and which field only stands in for another. Refuses to know payloads.
 * Called by drivers/json.c. */
#include "json_plan.h"

#include "excerpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eg_json_plan_release(void *prepared)
{
    struct eg_json_plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_json_pointer_finish(&plan->time);
    eg_json_pointer_finish(&plan->readings);
    eg_json_pointer_finish(&plan->channel);
    eg_json_pointer_finish(&plan->device);
    eg_json_pointer_finish(&plan->key);
    eg_json_pointer_finish(&plan->value);
    eg_json_pointer_finish(&plan->unit);
    for (size_t i = 0; i < plan->field_count; i++) {
        eg_json_pointer_finish(&plan->fields[i].path);
        eg_json_pointer_finish(&plan->fields[i].unit);
        eg_field_finish(&plan->fields[i].plan);
        free(plan->fields[i].key);
    }
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

/* "/" alone is a unit: a ratio. */
static bool is_unit_pointer(const char *unit)
{
    return unit != NULL && unit[0] == '/' && unit[1] != '\0';
}

static bool same_series(const struct eg_json_field *a, const struct eg_json_field *b)
{
    return a->plan.quantity == b->plan.quantity && strcmp(a->plan.channel, b->plan.channel) == 0;
}

static bool compile_field(struct eg_json_plan *plan, size_t at, const struct eg_mapping *mapping, char *error,
                          size_t error_size)
{
    struct eg_json_field *field = &plan->fields[at];
    struct eg_field fixed = mapping->fields[at];
    const struct eg_field *given = &fixed;
    if (given->path == NULL || given->path[0] == '\0') {
        (void)snprintf(error, error_size, "a field needs a path, a JSON Pointer such as /pm/fine");
        return false;
    }
    if (plan->key.count == 0 && !compile_pointer(&field->path, given->path, error, error_size))
        return false;
    if (is_unit_pointer(given->unit)) {
        if (!compile_pointer(&field->unit, given->unit, error, error_size))
            return false;
        fixed.unit = NULL;
    }
    if (!eg_field_init(&field->plan, given, is_unit_pointer(mapping->unit) ? NULL : mapping->unit, error,
                       error_size))
        return false;
    field->key = plan->key.count > 0 ? strdup(given->path) : NULL;
    for (size_t i = 0; i < at && !field->fallback; i++)
        field->fallback = same_series(field, &plan->fields[i]);
    plan->from_top = plan->from_top || (plan->key.count == 0 && field->path.parts[0].index >= 0);
    if (plan->key.count > 0 && field->key == NULL)
        (void)snprintf(error, error_size, "no memory for the field");
    return plan->key.count == 0 || field->key != NULL;
}

/* readings: /nodes/\*  without the star, which says that an object's members are meant. */
static bool compile_readings(struct eg_json_plan *plan, const char *path, char *error, size_t error_size)
{
    if (!compile_pointer(&plan->readings, path, error, error_size))
        return false;
    struct eg_json_pointer *readings = &plan->readings;
    plan->members = readings->count > 0 && strcmp(readings->parts[readings->count - 1].name, "*") == 0;
    readings->count -= plan->members;
    return true;
}

/* NULL where "*" says that it is the element's key. */
static const char *unless_key(const char *path, bool *ret_is_key)
{
    *ret_is_key = path != NULL && strcmp(path, "*") == 0;
    return *ret_is_key ? NULL : path;
}

static bool compile_pointers(struct eg_json_plan *plan, const struct eg_mapping *mapping, char *error,
                             size_t error_size)
{
    const char *channel = unless_key(mapping->channel, &plan->channel_is_key);
    const char *device = unless_key(mapping->device, &plan->device_is_key);
    const char *unit = is_unit_pointer(mapping->unit) ? mapping->unit : NULL;
    if (!compile_readings(plan, mapping->readings, error, error_size))
        return false;
    if ((plan->channel_is_key || plan->device_is_key) && !plan->members) {
        (void)snprintf(error, error_size, "\"*\" is the key of an element: readings must end in /*");
        return false;
    }
    return compile_pointer(&plan->time, mapping->time, error, error_size) &&
           compile_pointer(&plan->channel, channel, error, error_size) &&
           compile_pointer(&plan->device, device, error, error_size) &&
           compile_pointer(&plan->key, mapping->quantity, error, error_size) &&
           compile_pointer(&plan->value, mapping->value, error, error_size) &&
           compile_pointer(&plan->unit, unit, error, error_size);
}

static bool compile(struct eg_json_plan *plan, const struct eg_mapping *mapping, char *error,
                    size_t error_size, int *ret_field)
{
    eg_quantity_index_init(&plan->names);
    if (mapping == NULL)
        return true;
    plan->ignore_unmatched = mapping->ignore_unmatched;
    const char *wrong = eg_stamp_init(&plan->stamp, mapping);
    if (wrong != NULL)
        (void)snprintf(error, error_size, "%s", wrong);
    if (wrong != NULL || !compile_pointers(plan, mapping, error, error_size))
        return false;
    if (mapping->field_count > EG_JSON_FIELDS_MAX) {
        (void)snprintf(error, error_size, "%zu fields, the most is %d", mapping->field_count,
                       EG_JSON_FIELDS_MAX);
        return false;
    }
    plan->fields = mapping->field_count == 0 ? NULL : calloc(mapping->field_count, sizeof *plan->fields);
    if (mapping->field_count > 0 && plan->fields == NULL) {
        (void)snprintf(error, error_size, "no memory for %zu fields", mapping->field_count);
        return false;
    }
    for (size_t i = 0; i < mapping->field_count; i++) {
        plan->field_count = i + 1;
        if (!compile_field(plan, i, mapping, error, error_size)) {
            *ret_field = (int)i;
            return false;
        }
    }
    return true;
}

int eg_json_plan_prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error,
                         size_t error_size, int *ret_field)
{
    *ret_field = -1;
    struct eg_json_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    if (!compile(plan, mapping, error, error_size, ret_field)) {
        eg_json_plan_release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}
