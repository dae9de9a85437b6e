/* Knows a Metric of sparkplug_b.proto: its fields, and the number that its datatype makes of them. Refuses to know topics, states and
 * quantities. Called by the driver sparkplug-b.
 *
 *   1 name  2 alias  3 timestamp  4 datatype  5 is_historical  6 is_transient  7 is_null  8 metadata  9 properties
 *   10 int (32 bits)  11 long (64)  12 float  13 double  14 boolean  15 string  16 bytes  17 dataset  18 template */
#include "sparkplug.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNIFICANT_MIN 6 /* digits that every float keeps … */
#define SIGNIFICANT_MAX 9 /* … and that tell every float from the next */

static struct eg_sparkplug_text text_of(struct eg_wire body)
{
    return (struct eg_sparkplug_text){(const char *)body.at, (size_t)(body.end - body.at)};
}

static bool is(struct eg_sparkplug_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.at, word, text.length) == 0;
}

/* A PropertyValue: type 1, is_null 2, int 3, long 4, float 5, double 6, boolean 7, string 8. */
static bool read_property(struct eg_sparkplug_metric *metric, struct eg_sparkplug_text key,
                          struct eg_wire value)
{
    const bool unit = is(key, "engUnit") || is(key, "EngUnit") || is(key, "Engineering Units");
    const bool quality = is(key, "Quality") || is(key, "quality");
    struct eg_wire_field field;
    enum eg_wire_result result;
    while ((result = eg_wire_next(&value, &field)) == EG_WIRE_FIELD) {
        if (unit && field.number == 8 && field.type == EG_WIRE_BYTES)
            metric->unit = text_of(field.body);
        if (quality && (field.number == 3 || field.number == 4) && field.type == EG_WIRE_VARINT) {
            metric->has_quality = true;
            metric->quality = (int64_t)field.value;
        }
    }
    return result == EG_WIRE_END;
}

/* A PropertySet: keys 1, values 2, the n-th of each belong together. */
static bool read_properties(struct eg_sparkplug_metric *metric, struct eg_wire set)
{
    struct eg_wire keys = set, values = set;
    struct eg_wire_field key, value;
    enum eg_wire_result result;
    while ((result = eg_wire_next(&keys, &key)) == EG_WIRE_FIELD) {
        if (key.number != 1 || key.type != EG_WIRE_BYTES)
            continue;
        do
            result = eg_wire_next(&values, &value);
        while (result == EG_WIRE_FIELD && (value.number != 2 || value.type != EG_WIRE_BYTES));
        if (result != EG_WIRE_FIELD || !read_property(metric, text_of(key.body), value.body))
            return result == EG_WIRE_END; /* fewer values than keys: the rest says nothing */
    }
    return result == EG_WIRE_END;
}

/* A Template: version 1, metrics 2, parameters 3, template_ref 4, is_definition 5. */
static bool read_template(struct eg_sparkplug_metric *metric, struct eg_wire body)
{
    struct eg_wire_field field;
    enum eg_wire_result result;
    metric->members = body;
    while ((result = eg_wire_next(&body, &field)) == EG_WIRE_FIELD)
        if (field.number == 5 && field.type == EG_WIRE_VARINT)
            metric->is_definition = field.value != 0;
    return result == EG_WIRE_END;
}

static bool read_number(struct eg_sparkplug_metric *metric, const struct eg_wire_field *field)
{
    switch (field->number) {
    case 2:
        metric->has_alias = true;
        metric->alias = field->value;
        return true;
    case 3:
        metric->has_time = true;
        metric->time = field->value;
        return true;
    case 4:
        metric->type = (uint32_t)field->value;
        return true;
    case 6:
        metric->is_transient = field->value != 0;
        return true;
    case 7:
        metric->is_null = field->value != 0;
        return true;
    case 10:
    case 11:
    case 14:
        metric->held = field->number == 14 ? EG_SPARKPLUG_TRUTH : EG_SPARKPLUG_INTEGER;
        metric->integer = field->value;
        return true;
    default:
        return true;
    }
}

static bool read_body(struct eg_sparkplug_metric *metric, const struct eg_wire_field *field)
{
    switch (field->number) {
    case 1:
        metric->name = text_of(field->body);
        return true;
    case 9:
        return read_properties(metric, field->body);
    case 15:
        metric->held = EG_SPARKPLUG_WORDS;
        metric->text = text_of(field->body);
        return true;
    case 16:
    case 17:
        metric->held = EG_SPARKPLUG_ELSE;
        return true;
    case 18:
        metric->held = EG_SPARKPLUG_MEMBERS;
        return read_template(metric, field->body);
    default:
        return true;
    }
}

bool eg_sparkplug_metric_read(struct eg_wire wire, struct eg_sparkplug_metric *ret_metric)
{
    struct eg_sparkplug_metric metric = {.held = EG_SPARKPLUG_NOTHING};
    struct eg_wire_field field;
    enum eg_wire_result result;
    while ((result = eg_wire_next(&wire, &field)) == EG_WIRE_FIELD) {
        bool good = true;
        if (field.type == EG_WIRE_VARINT) {
            good = read_number(&metric, &field);
        } else if (field.type == EG_WIRE_BYTES) {
            good = read_body(&metric, &field);
        } else if ((field.number == 12 && field.type == EG_WIRE_FIXED32) ||
                   (field.number == 13 && field.type == EG_WIRE_FIXED64)) {
            metric.held = EG_SPARKPLUG_REAL;
            metric.real =
                field.number == 12 ? (double)eg_wire_float(field.value) : eg_wire_double(field.value);
            if (field.number == 12)
                metric.type = EG_SPARKPLUG_FLOAT;
        }
        if (!good)
            return false;
    }
    *ret_metric = metric;
    return result == EG_WIRE_END;
}

/* Negative numbers come as the bits of their width, or of 32 or 64. */
static double integer_of(uint32_t type, uint64_t bits)
{
    if (type == EG_SPARKPLUG_UNKNOWN || type > EG_SPARKPLUG_INT64)
        return (double)bits;
    const unsigned width = 4U << type; /* 8, 16, 32, 64 */
    const uint64_t sign = UINT64_C(1) << (width - 1), top = sign | (sign - 1);
    const bool narrow =
        bits <= top || (bits >> 32 == 0 && (bits | top) == UINT32_MAX) || (bits | top) == UINT64_MAX;
    if (!narrow)
        return (double)bits; /* more than its type can hold: what it says */
    bits &= top;
    return bits & sign ? -1 - (double)(top - bits) : (double)bits;
}

/* 12.3, and not 12.300000190734863: the shortest decimal that is this float. */
static double shortest(double real)
{
    const float wanted = (float)real;
    char text[40];
    for (int digits = SIGNIFICANT_MIN; digits <= SIGNIFICANT_MAX; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, real);
        if (strtof(text, NULL) == wanted)
            return strtod(text, NULL);
    }
    return real;
}

bool eg_sparkplug_metric_number(const struct eg_sparkplug_metric *metric, double *ret_number)
{
    switch (metric->held) {
    case EG_SPARKPLUG_INTEGER:
        *ret_number = integer_of(metric->type, metric->integer);
        return metric->type <= EG_SPARKPLUG_UINT64;
    case EG_SPARKPLUG_REAL:
        *ret_number = metric->type == EG_SPARKPLUG_FLOAT && isfinite(metric->real) ? shortest(metric->real)
                                                                                   : metric->real;
        return true;
    case EG_SPARKPLUG_TRUTH:
        *ret_number = metric->integer != 0;
        return true;
    default:
        return false;
    }
}
