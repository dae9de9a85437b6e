/* Mapped fields of formats that name their values: SenML, line protocol and the like. */
#ifndef EG_NAMED_H
#define EG_NAMED_H

#include "field.h"

#define EG_NAMED_MAX 256 /* fields of one mapping */

struct eg_named_field {
    char *name;
    const char *channel;    /* stands behind the name, in its block */
    char *unit;             /* NULL: the payload's own */
    struct eg_unit_map map; /* of `unit`; scale 0: not looked up */
    double scale, offset;
    struct eg_span span;
    double *missing;
    size_t missing_count;
    uint16_t quantity;
};
struct eg_named {
    struct eg_quantity_index names; /* for what no field names */
    size_t count;
    struct eg_named_field *fields;
};
/* False with a sentence, the field's index in *ret_field where it is one field's fault. finish() is for both. */
bool eg_named_init(struct eg_named *ret_named, const struct eg_mapping *mapping, char *error,
                   size_t error_size, int *ret_field);
void eg_named_finish(struct eg_named *named);
const struct eg_named_field *eg_named_find(const struct eg_named *named, const char *name, size_t length);
/* The next field of that name: one value may be a distance and a filling. NULL: the last. */
const struct eg_named_field *eg_named_next(const struct eg_named *named, const struct eg_named_field *field);
/* Puts a value of a field into the sink, in the canonical unit; `unit` is the payload's, where the mapping says none. False with the
 * sink's reason. A code for "not measured" becomes a fault. */
bool eg_named_put(const struct eg_named_field *field, double value, const char *unit, int64_t time_ms,
                  struct eg_sink *sink);

#endif
