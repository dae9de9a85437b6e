/* Times as field devices write them: a number's precision and a text's missing zone are what the source says. Pure; called by
 * drivers. */
#include "stamp.h"
#include "decimal.h"

#include <ecogov/time.h>

#include <math.h>
#include <string.h>

#define TEXT_MAX 64
#define MINUTE_MS INT64_C(60000)
#define LAST_MS 253402300799999.0 /* 9999-12-31T23:59:59.999Z */

static bool parse_offset(const char *text, int64_t *ret_ms)
{
    const size_t length = strlen(text);
    if (length == 1 && (*text == 'Z' || *text == 'z')) {
        *ret_ms = 0;
        return true;
    }
    if (length != 6 || (*text != '+' && *text != '-') || text[3] != ':' ||
        strspn(text + 1, "0123456789") != 2 || strspn(text + 4, "0123456789") != 2)
        return false;
    const int hours = (text[1] - '0') * 10 + text[2] - '0', minutes = (text[4] - '0') * 10 + text[5] - '0';
    *ret_ms = (*text == '-' ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
    return hours <= 23 && minutes <= 59;
}

struct precision {
    const char *name;
    double to_ms;
};

const char *eg_stamp_init(struct eg_stamp *ret_stamp, const struct eg_mapping *mapping)
{
    static const struct precision precisions[] = {{"s", 1e3}, {"ms", 1}, {"us", 1e-3}, {"ns", 1e-6}};
    const char *precision = mapping && mapping->precision ? mapping->precision : "";
    const char *offset = mapping && mapping->utc_offset ? mapping->utc_offset : "";
    *ret_stamp = (struct eg_stamp){0, 0, false};
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++)
        if (strcmp(precisions[i].name, precision) == 0)
            ret_stamp->to_ms = precisions[i].to_ms;
    if (*precision != '\0' && ret_stamp->to_ms == 0)
        return "the precision of a time is s, ms, us or ns";
    ret_stamp->has_offset = *offset != '\0';
    if (*offset != '\0' && !parse_offset(offset, &ret_stamp->offset_ms))
        return "a utc_offset is written like +08:00";
    return NULL;
}

bool eg_stamp_number(const struct eg_stamp *stamp, double number, int64_t *ret_ms)
{
    if (stamp->to_ms == 0)
        return eg_time_from_epoch(number, ret_ms);
    const double ms = number * stamp->to_ms;
    if (!(ms >= 0 && ms <= LAST_MS))
        return false;
    *ret_ms = (int64_t)llround(ms);
    return true;
}

bool eg_stamp_has_zone(const char *text, size_t length)
{
    for (size_t i = length; i > 10; i--)
        if (strchr("Zz+-", text[i - 1]) != NULL && text[i - 1] != '\0')
            return true;
    return false;
}

bool eg_stamp_text(const struct eg_stamp *stamp, const char *text, size_t length, int64_t *ret_ms)
{
    char copy[TEXT_MAX];
    double number;
    if (length >= sizeof copy)
        return false;
    if (eg_decimal_parse(text, length, &number))
        return eg_stamp_number(stamp, number, ret_ms);
    memcpy(copy, text, length);
    if (length > 10 && copy[4] == '/' && copy[7] == '/')
        copy[4] = copy[7] = '-';
    if (!eg_time_parse(copy, length, ret_ms))
        return false;
    if (!eg_stamp_has_zone(copy, length))
        *ret_ms -= stamp->offset_ms;
    return true;
}
