/* Times as field devices write them: a number's precision and a text's missing zone are what the source says. Pure; called by
 * drivers. */
#include "stamp.h"
#include "decimal.h"

#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
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
    const char *format = mapping && mapping->time_format ? mapping->time_format : "";
    *ret_stamp = (struct eg_stamp){.to_ms = 0};
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++)
        if (strcmp(precisions[i].name, precision) == 0)
            ret_stamp->to_ms = precisions[i].to_ms;
    if (*precision != '\0' && ret_stamp->to_ms == 0)
        return "the precision of a time is s, ms, us or ns";
    ret_stamp->has_offset = *offset != '\0';
    if (*offset != '\0' && !parse_offset(offset, &ret_stamp->offset_ms))
        return "a utc_offset is written like +08:00";
    for (const char *at = format; (at = strchr(at, '%')) != NULL; at += 2)
        if (at[1] == '\0' || strchr("YymdHIMSfpz%", at[1]) == NULL)
            return "a time_format knows %Y %y %m %d %H %I %M %S %f %p %z and %%";
    if (strlen(format) > EG_STAMP_FORMAT_MAX)
        return "a time_format has at most 63 bytes";
    memcpy(ret_stamp->format, format, strlen(format) + 1);
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

/* --- times that are not written like RFC 3339 --- */

struct parts {
    int year, month, day, hour, minute, second;
    char rest[TEXT_MAX]; /* a fraction with its point, then a zone: as RFC 3339 has them */
};

static bool take_digits(const char **at, int most, int *ret_number)
{
    int number = 0, digits = 0;
    for (; digits < most && **at >= '0' && **at <= '9'; digits++)
        number = number * 10 + (*(*at)++ - '0');
    *ret_number = number;
    return digits > 0;
}

static bool take_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool from_parts(const struct eg_stamp *stamp, const struct parts *parts, int64_t *ret_ms)
{
    char text[TEXT_MAX + 40];
    const int length =
        snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%s", parts->year, parts->month, parts->day,
                 parts->hour, parts->minute, parts->second, parts->rest);
    if (length < 0 || (size_t)length >= sizeof text || !eg_time_parse(text, (size_t)length, ret_ms))
        return false;
    if (!eg_stamp_has_zone(text, (size_t)length))
        *ret_ms -= stamp->offset_ms;
    return *ret_ms >= 0;
}

/* 2026-11-23 7:05, 2026/1/3 07:05:30, 2026.01.03, 23.11.2026 07:05; with points the day stands in front. 23/11/2026 may be anything. */
static bool read_loose(const struct eg_stamp *stamp, const char *text, int64_t *ret_ms)
{
    struct parts parts = {.rest = ""};
    const char *at = text;
    int first, second, third;
    if (!take_digits(&at, 4, &first))
        return false;
    const bool year_first = at - text == 4;
    const char mark = *at;
    if (!(mark == '.' || (year_first && (mark == '-' || mark == '/'))) || !take_char(&at, mark) ||
        !take_digits(&at, 2, &second) || !take_char(&at, mark) || !take_digits(&at, 4, &third))
        return false;
    parts.year = year_first ? first : third;
    parts.month = second;
    parts.day = year_first ? third : first;
    if (parts.year < 1000)
        return false;
    if (*at != '\0') {
        if (!take_char(&at, 'T'))
            while (take_char(&at, ' '))
                ;
        if (!take_digits(&at, 2, &parts.hour) || !take_char(&at, ':') ||
            !take_digits(&at, 2, &parts.minute) ||
            (take_char(&at, ':') && !take_digits(&at, 2, &parts.second)))
            return false;
    }
    (void)snprintf(parts.rest, sizeof parts.rest, "%s", at);
    return from_parts(stamp, &parts, ret_ms);
}

/* YYYYMMDDhhmm, with or without ss. */
static bool read_packed(const struct eg_stamp *stamp, const char *text, int64_t *ret_ms)
{
    struct parts parts = {.rest = ""};
    const char *at = text;
    const size_t length = strlen(text);
    return (length == 12 || length == 14) && strspn(text, "0123456789") == length &&
           take_digits(&at, 4, &parts.year) && take_digits(&at, 2, &parts.month) &&
           take_digits(&at, 2, &parts.day) && take_digits(&at, 2, &parts.hour) &&
           take_digits(&at, 2, &parts.minute) && (length == 12 || take_digits(&at, 2, &parts.second)) &&
           parts.year >= 2000 && parts.year < 2100 && from_parts(stamp, &parts, ret_ms);
}

/* %z: Z, +08:00 or +0800. */
static bool take_zone(const char **at, char out[8])
{
    int hours, minutes;
    if (take_char(at, 'Z')) {
        memcpy(out, "Z", 2);
        return true;
    }
    const char sign = **at;
    if ((sign != '+' && sign != '-') || !take_char(at, sign) || !take_digits(at, 2, &hours))
        return false;
    (void)take_char(at, ':');
    if (!take_digits(at, 2, &minutes))
        return false;
    return snprintf(out, 8, "%c%02d:%02d", sign, hours, minutes) == 6;
}

struct format {
    struct parts parts;
    char fraction[16], zone[8];
    int half; /* of the day: 0 not said, 1 am, 2 pm */
};

static bool take_half(const char **at, int *ret_half)
{
    const char c = (char)(**at | 0x20),
               m = (char)((c == 'a' || c == 'p') && (*at)[0] != '\0' ? (*at)[1] | 0x20 : 0);
    if (m != 'm')
        return false;
    *ret_half = c == 'a' ? 1 : 2;
    *at += 2;
    return true;
}

static bool take_letter(struct format *format, char letter, const char **at)
{
    struct parts *parts = &format->parts;
    switch (letter) {
    case 'Y':
        return take_digits(at, 4, &parts->year);
    case 'y':
        if (!take_digits(at, 2, &parts->year))
            return false;
        parts->year += 2000;
        return true;
    case 'm':
        return take_digits(at, 2, &parts->month);
    case 'd':
        return take_digits(at, 2, &parts->day);
    case 'H':
    case 'I':
        return take_digits(at, 2, &parts->hour);
    case 'M':
        return take_digits(at, 2, &parts->minute);
    case 'S':
        return take_digits(at, 2, &parts->second);
    case 'p':
        return take_half(at, &format->half);
    case 'z':
        return take_zone(at, format->zone);
    case 'f': {
        const size_t digits = strspn(*at, "0123456789");
        if (digits == 0 || digits + 2 > sizeof format->fraction)
            return false;
        (void)snprintf(format->fraction, sizeof format->fraction, ".%.*s", (int)digits, *at);
        *at += digits;
        return true;
    }
    default:
        return take_char(at, '%');
    }
}

static bool read_format(const struct eg_stamp *stamp, const char *text, int64_t *ret_ms)
{
    struct format format = {.parts = {.month = 1, .day = 1, .rest = ""}, .half = 0};
    struct parts *parts = &format.parts;
    const char *at = text;
    for (const char *f = stamp->format; *f != '\0'; f++) {
        if (*f == ' ') {
            while (take_char(&at, ' '))
                ;
        } else if (*f != '%' ? !take_char(&at, *f) : !take_letter(&format, *++f, &at)) {
            return false;
        }
    }
    if (*at != '\0')
        return false;
    if (format.half != 0)
        parts->hour = parts->hour % 12 + (format.half == 2 ? 12 : 0);
    (void)snprintf(parts->rest, sizeof parts->rest, "%s%s", format.fraction, format.zone);
    return from_parts(stamp, parts, ret_ms);
}

bool eg_stamp_text(const struct eg_stamp *stamp, const char *text, size_t length, int64_t *ret_ms)
{
    char copy[TEXT_MAX];
    double number;
    if (length == 0 || length >= sizeof copy || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (stamp->format[0] != '\0')
        return read_format(stamp, copy, ret_ms);
    if (stamp->to_ms == 0 && read_packed(stamp, copy, ret_ms))
        return true;
    if (eg_decimal_parse(text, length, &number))
        return eg_stamp_number(stamp, number, ret_ms);
    if (!eg_time_parse(copy, length, ret_ms))
        return read_loose(stamp, copy, ret_ms);
    if (!eg_stamp_has_zone(copy, length))
        *ret_ms -= stamp->offset_ms;
    return true;
}
