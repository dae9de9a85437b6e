/* Local hours and days over libc's time zone, which a process has one of. */
#include <base/zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ZONES "/usr/share/zoneinfo/"
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

bool eg_zone_exists(const char *name)
{
    char path[256], magic[4] = "";
    if (!*name || *name == '/' || *name == ':' || *name == '.' || strstr(name, "..") ||
        snprintf(path, sizeof path, ZONES "%s", name) >= (int)sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    bool is_zone =
        file && fread(magic, 1, sizeof magic, file) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
    if (file)
        fclose(file);
    return is_zone; /* tables and leap seconds lie beside the zones */
}

bool eg_zone_use(const char *name)
{
    if (!eg_zone_exists(name) || setenv("TZ", name, 1) != 0)
        return false;
    tzset();
    return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

static struct tm local(int64_t ms)
{
    time_t seconds = (time_t)floor_div(ms, 1000);
    struct tm out;
    memset(&out, 0, sizeof out);
    localtime_r(&seconds, &out);
    return out;
}

static int64_t offset_ms(int64_t ms)
{
    return (int64_t)local(ms).tm_gmtoff * 1000;
}

/* The first instant in (from, to] for which `is` holds; it does not at `from`, it does at `to`, and it does not change back. */
static int64_t first(int64_t from, int64_t to, bool (*is)(int64_t ms, int64_t what), int64_t what)
{
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        if (is(middle, what))
            to = middle;
        else
            from = middle;
    }
    return to;
}

static bool has_offset(int64_t ms, int64_t offset)
{
    return offset_ms(ms) == offset;
}

static bool has_other_offset(int64_t ms, int64_t offset)
{
    return offset_ms(ms) != offset;
}

/* The latest local time that the clock has shown up to `ms`: it stands still while a change backwards is made up for, so that a day
 * which has begun does not end again. No change was ever by more than three hours but for whole days. */
static int64_t reached(int64_t ms)
{
    int64_t offset = offset_ms(ms), before = offset_ms(ms - 3 * HOUR);
    if (before <= offset)
        return ms + offset;
    int64_t shown = first(ms - 3 * HOUR, ms, has_other_offset, before) - 1 + before;
    return shown > ms + offset ? shown : ms + offset;
}

static bool has_reached(int64_t ms, int64_t wall)
{
    return reached(ms) >= wall;
}

static int64_t midnight(int64_t wall, int64_t offset)
{
    int64_t guess = wall - offset;
    if (has_reached(guess, wall) && !has_reached(guess - 1, wall))
        return guess;
    return first(guess - DAY, guess + DAY, has_reached,
                 wall); /* clocks change that day, perhaps over midnight itself */
}

void eg_zone_hour(int64_t ms, int64_t *ret_start, int64_t *ret_end)
{
    int64_t offset = offset_ms(ms);
    int64_t start = floor_div(ms + offset, HOUR) * HOUR - offset, end = start + HOUR;
    /* Where clocks change within a local hour (Lord Howe, Chatham) its two parts are hours of their own. */
    *ret_start = has_offset(start, offset) ? start : first(start, ms, has_offset, offset);
    *ret_end = has_offset(end - 1, offset) ? end : first(ms, end - 1, has_other_offset, offset);
}

void eg_zone_day(int64_t ms, int64_t *ret_start, int64_t *ret_end)
{
    int64_t wall = floor_div(reached(ms), DAY) * DAY, offset = offset_ms(ms);
    *ret_start = midnight(wall, offset);
    *ret_end = midnight(wall + DAY, offset);
}

void eg_zone_month(int64_t ms, int64_t *ret_start, int64_t *ret_end)
{
    int64_t start, end;
    eg_zone_day(ms, &start, &end);
    struct tm day = local(start + (end - start) / 2); /* noon: the day's own date, whatever midnight did */
    const int today = day.tm_mday, month = day.tm_mon;
    eg_zone_day(start - (today - 1) * DAY + DAY / 2, ret_start, &end);
    eg_zone_day(*ret_start + 27 * DAY + DAY / 2, &start, &end); /* the 28th, in every month */
    while (day = local(end + DAY / 2), day.tm_mon == month)
        eg_zone_day(end, &start, &end);
    *ret_end = end;
}

void eg_zone_year(int64_t ms, int64_t *ret_start, int64_t *ret_end)
{
    int64_t start, end, ignored;
    eg_zone_month(ms, &start, &end);
    while (local(start + DAY / 2).tm_mon > 0)
        eg_zone_month(start - DAY / 2, &start, &ignored);
    *ret_start = end = start;
    for (int month = 0; month < 12; month++)
        eg_zone_month(end + DAY / 2, &ignored, &end);
    *ret_end = end;
}

int32_t eg_zone_date(int64_t ms)
{
    return (int32_t)floor_div(reached(ms), DAY);
}

int64_t eg_zone_at(int64_t day_start, int minutes)
{
    int64_t ms = day_start + (int64_t)minutes * 60000;
    return ms + offset_ms(day_start) - offset_ms(ms); /* clocks changed since midnight, perhaps */
}

char *eg_zone_format(int64_t ms, char out[32])
{
    struct tm at = local(ms);
    if (!strftime(out, 32, "%Y-%m-%d %H:%M", &at))
        *out = '\0';
    return out;
}

int eg_zone_minute(int64_t ms, int *ret_weekday)
{
    struct tm at = local(ms);
    *ret_weekday = at.tm_wday;
    return at.tm_hour * 60 + at.tm_min;
}
