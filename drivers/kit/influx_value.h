/* Values and times of line protocol, as they stand in a line. */
#ifndef EG_INFLUX_VALUE_H
#define EG_INFLUX_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum eg_influx_value {
    EG_INFLUX_NUMBER,
    EG_INFLUX_BOOLEAN,
    EG_INFLUX_RANGE, /* an integer that 64 bits do not hold */
    EG_INFLUX_WRONG
};

/* 12.5, -12i, 12u, t, FALSE; no text. The number may be infinite. `text` ends in a NUL at `length`. */
enum eg_influx_value eg_influx_value_parse(const char *text, size_t length, double *ret_number);
/* Digits, and a '-' before them at the most. */
bool eg_influx_value_is_count(const char *text, size_t length);
/* Milliseconds since 1970 of such a count; whole, for nanoseconds are more than a double holds. False: none between 1970 and 9999. */
bool eg_influx_value_to_ms(const char *count, int64_t per_second, int64_t *ret_ms);

#endif
