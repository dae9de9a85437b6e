/* What a source says of rows of separated values, compiled. */
#ifndef EG_CSV_PLAN_H
#define EG_CSV_PLAN_H

#include "field.h"
#include "stamp.h"

#define EG_CSV_FIELDS_MAX 256
#define EG_CSV_TIMES_MAX 4 /* columns that make a time */
#define EG_CSV_NAME_MAX 127
#define EG_CSV_NOWHERE SIZE_MAX

struct eg_csv_column { /* as the source says it */
    char name[EG_CSV_NAME_MAX + 1];
    size_t number; /* from 0 on, where the name is a number; EG_CSV_NOWHERE */
};
struct eg_csv_field {
    struct eg_csv_column column;
    bool own_unit; /* the source says one */
    struct eg_field_plan plan;
};
struct eg_csv_plan {
    struct eg_quantity_index names;
    struct eg_stamp stamp;
    char separator;    /* '\0': found out */
    bool comma, named; /* decimal comma; some column is said by its name */
    size_t time_count, field_count;
    struct eg_csv_column times[EG_CSV_TIMES_MAX], channel, device;
    struct eg_csv_field *fields;
};

/* The driver's prepare() and release(). */
int eg_csv_plan_prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                        int *ret_field);
void eg_csv_plan_release(void *prepared);

#endif
