/* Local hours and days over libc's time zone, which a process has one of. */
#include <base/zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ZONES "/usr/share/zoneinfo/"

bool eg_zone_use(const char *name)
{
    char path[256];
    struct stat info;
    if (!*name || *name == '/' || *name == ':' || *name == '.' || strstr(name, "..") ||
        snprintf(path, sizeof path, ZONES "%s", name) >= (int)sizeof path || stat(path, &info) != 0 ||
        !S_ISREG(info.st_mode))
        return false;
    if (setenv("TZ", name, 1) != 0)
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

/* The first instant in (from, to] at which the local clock has reached the local time `wall`, given that it has at `to` and has not
 * just before `from`: clocks may have been put forward over it. */
static int64_t reached(int64_t from, int64_t to, int64_t wall)
{
    while (to - from > 1000) {
        int64_t middle = from + (to - from) / 2;
        middle -= middle % 1000;
        if (middle <= from)
            middle = from + 1000;
        if (middle >= to)
            break;
        if (middle + offset_ms(middle) >= wall)
            to = middle;
        else
            from = middle;
    }
    return to;
}

void eg_zone_hour(int64_t ms, int64_t *ret_start, int64_t *ret_end)
{
    /* Zones differ from UTC by multiples of 15 minutes since long; a change of clocks falls on a local hour's edge but for
     * Lord Howe's half hour, whose hours are cut at the change. */
    const int64_t hour = 3600000;
    int64_t offset = offset_ms(ms);
    int64_t start = floor_div(ms + offset, hour) * hour - offset, end = start + hour;
    if (offset_ms(start) != offset)
        start = ms - (ms - start) % 1000, start = floor_div(ms, 1800000) * 1800000;
    if (offset_ms(end - 1) != offset)
        end = (floor_div(ms, 1800000) + 1) * 1800000;
    *ret_start = start;
    *ret_end = end;
}

void eg_zone_day(int64_t ms, int64_t *ret_start, int64_t *ret_end)
{
    const int64_t day = 86400000;
    int64_t wall = floor_div(ms + offset_ms(ms), day) * day; /* the local midnight before, as a wall time */
    int64_t start = wall - offset_ms(ms), end = start + day;
    if (start + offset_ms(start) != wall)
        start = reached(start - 3 * 3600000, start + 3 * 3600000, wall);
    if (end + offset_ms(end) != wall + day || end - 1 + offset_ms(end - 1) >= wall + day)
        end = reached(end - 3 * 3600000, end + 3 * 3600000, wall + day);
    *ret_start = start;
    *ret_end = end;
}

char *eg_zone_format(int64_t ms, char out[32])
{
    struct tm at = local(ms);
    if (!strftime(out, 32, "%Y-%m-%d %H:%M", &at))
        *out = '\0';
    return out;
}
