/* What a source says of JSON payloads, compiled. */
#ifndef EG_JSON_PLAN_H
#define EG_JSON_PLAN_H

#include "field.h"
#include "json_pointer.h"
#include "names.h"
#include "stamp.h"

#define EG_JSON_FIELDS_MAX 256

struct eg_json_field {
    struct eg_json_pointer path;
    struct eg_json_pointer unit; /* where the payload says the unit; without parts: it is fixed */
    char *key;                   /* instead of a path, where elements have keys */
    bool fallback; /* an earlier field makes the same series: this one counts when that has no value */
    struct eg_field_plan plan;
};

/* A compiled mapping. A pointer without parts was not given. */
struct eg_json_plan {
    struct eg_quantity_index names;
    struct eg_json_pointer time, readings, channel, device, key, value;
    struct eg_stamp stamp;
    struct eg_json_pointer unit; /* of fields that say none */
    bool members;                /* `readings` goes over the members of an object */
    bool channel_is_key, device_is_key;
    bool ignore_unmatched;
    bool from_top; /* a path begins with an index: an array at the top is not a list of elements */
    size_t field_count;
    struct eg_json_field *fields;
};

/* As a driver's prepare() and release(). */
int eg_json_plan_prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error,
                         size_t error_size, int *ret_field);
void eg_json_plan_release(void *prepared);

#endif
