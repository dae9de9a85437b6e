/* Knows how times, sizes and values are written for people. Refuses to know where they are shown. */
#include "page.h"
#include "words.h"

#include <base/clock.h>
#include <base/json.h>
#include <base/zone.h>
#include <ecogov/quantity.h>
#include <ecogov/time.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The hour that clocks set back show twice: by its distance from UTC, " +02:00" and " +01:00"; else "". */
static const char *which(int64_t ms, char out[16])
{
    const int64_t hour = 3600000;
    char here[32], earlier[32], later[32];
    int weekday, east = eg_zone_minute(ms, &weekday) - (int)(ms / 60000 % 1440);
    *out = '\0';
    if (strcmp(eg_zone_format(ms, here), eg_zone_format(ms - hour, earlier)) != 0 &&
        strcmp(here, eg_zone_format(ms + hour, later)) != 0)
        return out;
    east += east < -720 ? 1440 : east > 840 ? -1440 : 0;
    snprintf(out, 16, " %c%02d:%02d", east < 0 ? '-' : '+', abs(east) / 60 % 24, abs(east) % 60);
    return out;
}

const char *page_time(const char *rfc3339, char out[PAGE_TEXT])
{
    char today[32], then[32], fold[16];
    int64_t ms;
    if (!rfc3339 || !eg_time_parse(rfc3339, strlen(rfc3339), &ms))
        return "-";
    eg_zone_format(ms, then);
    eg_zone_format(eg_clock_now_ms(), today);
    snprintf(out, PAGE_TEXT, "%s%s", memcmp(today, then, 4) == 0 ? then + 5 : then, which(ms, fold));
    return out;
}

const char *page_time_full(const char *rfc3339, char out[PAGE_TEXT])
{
    char then[32], fold[16];
    int64_t ms;
    if (!rfc3339 || !eg_time_parse(rfc3339, strlen(rfc3339), &ms))
        return "-";
    snprintf(out, PAGE_TEXT, "%s:%02d%s", eg_zone_format(ms, then), (int)(ms / 1000 % 60), which(ms, fold));
    return out;
}

const char *page_span(int64_t ms, char out[PAGE_TEXT])
{
    int64_t s = ms / 1000;
    if (s < 60)
        snprintf(out, PAGE_TEXT, "%" PRId64 " %s", s, word("s"));
    else if (s < 3600)
        snprintf(out, PAGE_TEXT, "%" PRId64 " %s", s / 60, word("min"));
    else if (s < 86400)
        snprintf(out, PAGE_TEXT, "%" PRId64 " %s %" PRId64 " %s", s / 3600, word("h"), s / 60 % 60,
                 word("min"));
    else
        snprintf(out, PAGE_TEXT, "%" PRId64 " %s %" PRId64 " %s", s / 86400, word("d"), s / 3600 % 24,
                 word("h"));
    return out;
}

const char *page_bytes(double bytes, char out[PAGE_TEXT])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (bytes >= 1000 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    snprintf(out, PAGE_TEXT, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return out;
}

const char *page_count(double count, char out[PAGE_TEXT])
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", count);
    char *to = out;
    for (int i = 0; i < length; i++) {
        *to++ = digits[i];
        int left = length - 1 - i;
        if (left && left % 3 == 0 && digits[i] != '-')
            *to++ = ',';
    }
    *to = '\0';
    return out;
}

const char *page_value(const char *quantity, double value, char out[PAGE_TEXT])
{
    int found = quantity ? eg_quantity_find(quantity, strlen(quantity)) : EG_QUANTITY_NONE;
    if (!isfinite(value))
        return "-";
    if (found == EG_QUANTITY_NONE)
        return eg_number_format(value, out);
    snprintf(out, PAGE_TEXT, "%.*f", eg_quantity_info(found)->decimals, value);
    return out;
}

const char *page_unit(const char *unit, char out[PAGE_TEXT])
{
    static const struct {
        const char *ascii, *shown;
    } units[] = {{"ug/m3", "µg/m³"}, {"mg/m3", "mg/m³"}, {"Cel", "°C"}, {"1", ""},       {"deg", "°"},
                 {"W/m2", "W/m²"},   {"g/m3", "g/m³"},   {"m3", "m³"},  {"L/m2", "L/m²"}};
    size_t length = unit ? strlen(unit) : 0;
    const char *rate = length > 2 && strcmp(unit + length - 2, "/h") == 0 ? "/h" : "";
    length -= strlen(rate);
    for (size_t i = 0; unit && i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].ascii) == length && strncmp(units[i].ascii, unit, length) == 0) {
            snprintf(out, PAGE_TEXT, "%s%s", units[i].shown, rate);
            return out;
        }
    snprintf(out, PAGE_TEXT, "%s", unit ? unit : "");
    return out;
}
