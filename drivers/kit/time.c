/* Times as text and epochs. Pure. Called by drivers, the API and the command line. */
#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant's days_from_civil). */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool digits(const char **at, const char *end, int count, int *ret)
{
    int value = 0;
    if (end - *at < count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += count;
    *ret = value;
    return true;
}

static bool one_of(const char **at, const char *end, const char *set)
{
    for (; *at < end && *set; set++)
        if (**at == *set) {
            ++*at;
            return true;
        }
    return false;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool parse_offset(const char **at, const char *end, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (*at == end || one_of(at, end, "Zz"))
        return true;
    bool west = **at == '-';
    int hours, minutes;
    if (!one_of(at, end, "+-") || !digits(at, end, 2, &hours))
        return false;
    one_of(at, end, ":");
    if (!digits(at, end, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_ms = (west ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60000;
    return true;
}

bool eg_time_parse(const char *text, size_t length, int64_t *ret_ms)
{
    const char *at = text, *end = text + length;
    int year, month, day, hour, minute, second, ms = 0;
    int64_t offset;
    if (!digits(&at, end, 4, &year) || !one_of(&at, end, "-") || !digits(&at, end, 2, &month) ||
        !one_of(&at, end, "-") || !digits(&at, end, 2, &day) || !one_of(&at, end, "Tt ") ||
        !digits(&at, end, 2, &hour) || !one_of(&at, end, ":") || !digits(&at, end, 2, &minute) ||
        !one_of(&at, end, ":") || !digits(&at, end, 2, &second))
        return false;
    if (one_of(&at, end, ".,")) {
        int count = 0, digit;
        for (; digits(&at, end, 1, &digit); count++)
            if (count < 3)
                ms = ms * 10 + digit;
        if (!count)
            return false;
        for (; count < 3; count++)
            ms *= 10;
    }
    if (!parse_offset(&at, end, &offset) || at != end)
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    if (second == 60) {
        second = 59;
        ms = 999;
    }
    int64_t value =
        (days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000 + ms - offset;
    if (value < 0 || value > LAST_MS)
        return false;
    *ret_ms = value;
    return true;
}

bool eg_time_from_epoch(double epoch, int64_t *ret_ms)
{
    if (!(epoch >= 0) || epoch > 2.6e17)
        return false;
    double ms = epoch < 1e11   ? nearbyint(epoch * 1000)
                : epoch < 1e14 ? nearbyint(epoch)
                               : floor(epoch / 1000);
    if (ms > (double)LAST_MS)
        return false;
    *ret_ms = (int64_t)ms;
    return true;
}

char *eg_time_format(int64_t ms, char out[EG_TIME_TEXT])
{
    if (ms < 0)
        ms = 0;
    if (ms > LAST_MS)
        ms = LAST_MS;
    int64_t days = ms / 86400000 + 719468, of_day = ms % 86400000;
    int64_t era = days / 146097, doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    int64_t fields[7] = {year,         month, day, of_day / 3600000, of_day / 60000 % 60, of_day / 1000 % 60,
                         of_day % 1000};
    static const char shape[] = "yyyy-MM-ddThh:mm:ss.mmmZ";
    static const int widths[7] = {4, 2, 2, 2, 2, 2, 3};
    size_t at = 0;
    for (int i = 0; i < 7; i++) {
        for (int w = widths[i]; w-- > 0;) {
            out[at + (size_t)w] = (char)('0' + fields[i] % 10);
            fields[i] /= 10;
        }
        at += (size_t)widths[i];
        out[at] = shape[at];
        at++;
    }
    out[at] = '\0';
    return out;
}
