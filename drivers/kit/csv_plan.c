/* Knows what a mapping may say of rows of separated values. Refuses to know rows. Called by the driver csv. */
#include "csv_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- the mapping --- */

void eg_csv_plan_release(void *prepared)
{
    struct eg_csv_plan *plan = prepared;
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->field_count; i++)
        eg_field_finish(&plan->fields[i].plan);
    free(plan->fields);
    free(plan);
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool compile_column(struct eg_csv_plan *plan, struct eg_csv_column *column, const char *text,
                           size_t length)
{
    column->number = EG_CSV_NOWHERE;
    if (length == 0 || length > EG_CSV_NAME_MAX)
        return false;
    memcpy(column->name, text, length);
    column->name[length] = '\0';
    const size_t digits = strspn(column->name, "0123456789");
    if (digits == length && digits <= 3 && strtoul(column->name, NULL, 10) > 0)
        column->number = strtoul(column->name, NULL, 10) - 1;
    plan->named = plan->named || column->number == EG_CSV_NOWHERE;
    return true;
}

/* NULL, or what is wrong. */
static const char *compile_columns(struct eg_csv_plan *plan, const struct eg_mapping *mapping)
{
    plan->channel.number = plan->device.number = EG_CSV_NOWHERE;
    for (const char *at = mapping->time; given(at);) {
        const size_t length = strcspn(at, "+");
        if (plan->time_count == EG_CSV_TIMES_MAX ||
            !compile_column(plan, &plan->times[plan->time_count++], at, length))
            return "time: is a column, or up to four joined with '+'";
        at += length + (at[length] == '+');
    }
    if (given(mapping->channel) &&
        !compile_column(plan, &plan->channel, mapping->channel, strlen(mapping->channel)))
        return "channel: is a column's name or number";
    if (given(mapping->device) &&
        !compile_column(plan, &plan->device, mapping->device, strlen(mapping->device)))
        return "device_path: is a column's name or number";
    return NULL;
}

/* NULL, or what is wrong. */
static const char *compile_marks(struct eg_csv_plan *plan, const struct eg_mapping *mapping)
{
    const char *separator = given(mapping->separator) ? mapping->separator : "";
    const char *decimal = given(mapping->decimal) ? mapping->decimal : ".";
    plan->separator = strcasecmp(separator, "tab") == 0 ? '\t' : separator[0];
    if (plan->separator != '\t' && separator[0] != '\0' &&
        (strchr(",;|", separator[0]) == NULL || separator[1] != '\0'))
        return "the separator is \",\" \";\" \"|\" or \"tab\"";
    if (strcmp(decimal, ".") != 0 && strcmp(decimal, ",") != 0)
        return "decimal is \".\" or \",\"";
    plan->comma = decimal[0] == ',';
    return eg_stamp_init(&plan->stamp, mapping);
}

static bool compile(struct eg_csv_plan *plan, const struct eg_mapping *mapping, char *error,
                    size_t error_size, int *ret_field)
{
    eg_quantity_index_init(&plan->names);
    const char *wrong = compile_columns(plan, mapping);
    if (wrong == NULL)
        wrong = compile_marks(plan, mapping);
    if (wrong == NULL && mapping->field_count > EG_CSV_FIELDS_MAX)
        wrong = "there are more than 256 fields";
    if (wrong == NULL && (plan->fields = calloc(mapping->field_count + 1, sizeof *plan->fields)) == NULL)
        wrong = "no memory for the mapping";
    if (wrong != NULL) {
        (void)snprintf(error, error_size, "%s", wrong);
        return false;
    }
    for (size_t i = 0; i < mapping->field_count; i++) {
        const struct eg_field *from = &mapping->fields[i];
        struct eg_csv_field *field = &plan->fields[i];
        plan->field_count = i + 1;
        *ret_field = (int)i;
        if (!given(from->path) || !compile_column(plan, &field->column, from->path, strlen(from->path))) {
            (void)snprintf(error, error_size, "a field needs a path, here a column's name or number");
            return false;
        }
        field->own_unit = given(from->unit) || given(mapping->unit);
        if (!eg_field_init(&field->plan, from, mapping->unit, error, error_size))
            return false;
    }
    *ret_field = -1;
    plan->named = plan->named || plan->field_count == 0;
    return true;
}

int eg_csv_plan_prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                        int *ret_field)
{
    struct eg_csv_plan *plan = calloc(1, sizeof *plan);
    *ret_field = -1;
    if (plan == NULL)
        (void)snprintf(error, error_size, "no memory for the mapping");
    if (plan == NULL || !compile(plan, mapping, error, error_size, ret_field)) {
        eg_csv_plan_release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}
