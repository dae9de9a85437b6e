/* Knows how line protocol writes numbers, booleans and times, as InfluxDB's own decoder has it. Refuses to know lines and quantities.
 * Called by drivers/influx.c. */
#include "influx_value.h"

#include "decimal.h"

#include <string.h>

#define TIME_MAX_MS INT64_C(253402300799999) /* the end of year 9999 */

static bool digits_only(const char *text, size_t length, bool sign)
{
    const size_t from = sign && length > 0 && text[0] == '-' ? 1 : 0;
    for (size_t i = from; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return length > from;
}

static bool is_boolean(const char *text)
{
    static const char *const words[] = {"t", "T", "true",  "True",  "TRUE",
                                        "f", "F", "false", "False", "FALSE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (*words[i] == *text && strcmp(words[i], text) == 0)
            return true;
    return false;
}

/* 64 bits, with a sign or without. */
static bool fits(const char *digits, bool has_sign)
{
    const bool negative = *digits == '-';
    const uint64_t most = !has_sign ? UINT64_MAX : negative ? UINT64_C(1) << 63 : (UINT64_C(1) << 63) - 1;
    uint64_t number = 0;
    for (const char *at = digits + negative; *at >= '0' && *at <= '9'; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');
        if (number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    return true;
}

enum eg_influx_value eg_influx_value_parse(const char *text, size_t length, double *ret_number)
{
    if (length == 0 || *text == '+')
        return EG_INFLUX_WRONG;
    if (is_boolean(text))
        return EG_INFLUX_BOOLEAN;
    const char last = text[length - 1];
    const bool whole = last == 'i' || last == 'u';
    length -= whole;
    if ((whole && !digits_only(text, length, last == 'i')) || !eg_decimal_parse(text, length, ret_number))
        return EG_INFLUX_WRONG;
    return whole && !fits(text, last == 'i') ? EG_INFLUX_RANGE : EG_INFLUX_NUMBER;
}

bool eg_influx_value_is_count(const char *text, size_t length)
{
    return digits_only(text, length, true);
}

bool eg_influx_value_to_ms(const char *count, int64_t per_second, int64_t *ret_ms)
{
    int64_t number = 0;
    for (const char *at = count; *at != '\0'; at++) {
        if (*at == '-' || number > (INT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (*at - '0');
    }
    if (per_second == 1 && number > TIME_MAX_MS / 1000)
        return false;
    const int64_t ms = per_second == 1 ? number * 1000 : number / (per_second / 1000);
    if (ms > TIME_MAX_MS)
        return false;
    *ret_ms = ms;
    return true;
}
