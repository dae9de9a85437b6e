/* Local hours and days, where clocks change and where they do not. Knows libc's calendar as the judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/zone.h>
#include <ecogov/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static int64_t at(const char *text)
{
    int64_t ms;
    assert_true(eg_time_parse(text, strlen(text), &ms));
    return ms;
}

static void test_the_days_and_hours_that_matter(void **unused)
{
    (void)unused;
    static const struct {
        const char *zone, *when, *day_start, *day_end, *hour_start, *hour_end;
    } table[] = {
        {"UTC", "2026-11-23T07:30:00Z", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z",
         "2026-11-23T07:00:00Z", "2026-11-23T08:00:00Z"},
        {"Asia/Shanghai", "2026-11-22T16:00:00Z", "2026-11-22T16:00:00Z", "2026-11-23T16:00:00Z",
         "2026-11-22T16:00:00Z", "2026-11-22T17:00:00Z"},
        {"Asia/Shanghai", "2026-11-22T15:59:59.999Z", "2026-11-21T16:00:00Z", "2026-11-22T16:00:00Z",
         "2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z"},
        /* 23 hours, seen from before and after the change; then 25 */
        {"Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z",
         "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "2026-03-29T12:30:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z",
         "2026-03-29T12:00:00Z", "2026-03-29T13:00:00Z"},
        {"Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z",
         "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
        {"Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z",
         "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
        {"Europe/Berlin", "2026-10-25T22:59:59.999Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z",
         "2026-10-25T22:00:00Z", "2026-10-25T23:00:00Z"},
        /* half an hour off, and quarters */
        {"America/St_Johns", "2026-07-01T12:00:00Z", "2026-07-01T02:30:00Z", "2026-07-02T02:30:00Z",
         "2026-07-01T11:30:00Z", "2026-07-01T12:30:00Z"},
        {"America/St_Johns", "2026-03-08T12:00:00Z", "2026-03-08T03:30:00Z", "2026-03-09T02:30:00Z",
         "2026-03-08T11:30:00Z", "2026-03-08T12:30:00Z"},
        {"Asia/Kathmandu", "2026-07-01T18:00:00Z", "2026-06-30T18:15:00Z", "2026-07-01T18:15:00Z",
         "2026-07-01T17:15:00Z", "2026-07-01T18:15:00Z"},
        /* midnight itself is skipped: the day begins at one o'clock */
        {"Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z",
         "2026-04-24T12:00:00Z", "2026-04-24T13:00:00Z"},
        /* the clocks change within an hour: its two parts are hours of their own */
        {"Pacific/Chatham", "2026-09-26T13:20:00Z", "2026-09-26T11:15:00Z", "2026-09-27T10:15:00Z",
         "2026-09-26T13:15:00Z", "2026-09-26T14:00:00Z"},
        {"Pacific/Chatham", "2026-09-26T13:50:00Z", "2026-09-26T11:15:00Z", "2026-09-27T10:15:00Z",
         "2026-09-26T13:15:00Z", "2026-09-26T14:00:00Z"},
        {"Pacific/Chatham", "2026-09-26T14:14:59Z", "2026-09-26T11:15:00Z", "2026-09-27T10:15:00Z",
         "2026-09-26T14:00:00Z", "2026-09-26T14:15:00Z"},
        {"Australia/Lord_Howe", "2026-10-03T15:20:00Z", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z",
         "2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t start, end;
        assert_true(eg_zone_use(table[i].zone));
        eg_zone_day(at(table[i].when), &start, &end);
        if (start != at(table[i].day_start) || end != at(table[i].day_end))
            fail_msg("%s: the day of %s is %lld to %lld", table[i].zone, table[i].when, (long long)start,
                     (long long)end);
        eg_zone_hour(at(table[i].when), &start, &end);
        if (start != at(table[i].hour_start) || end != at(table[i].hour_end))
            fail_msg("%s: the hour of %s is %lld to %lld", table[i].zone, table[i].when, (long long)start,
                     (long long)end);
    }
}

static void local(int64_t ms, struct tm *ret)
{
    time_t seconds = (time_t)(ms / 1000);
    localtime_r(&seconds, ret);
}

static int day_number(int64_t ms)
{
    struct tm tm;
    local(ms, &tm);
    return tm.tm_year * 1000 + tm.tm_yday;
}

/* The bucket of every moment in it is itself, and the next one begins where it ends. */
static void holds(const char *zone, const char *what, void (*bucket)(int64_t, int64_t *, int64_t *),
                  int64_t ms, int64_t *ret_end)
{
    int64_t start, end, s, e;
    bucket(ms, &start, &end);
    if (!(start <= ms && ms < end))
        fail_msg("%s: the %s of %lld is %lld to %lld", zone, what, (long long)ms, (long long)start,
                 (long long)end);
    const int64_t inside[] = {start, start + 1, start + (end - start) / 3, end - 1};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        bucket(inside[i], &s, &e);
        if (s != start || e != end)
            fail_msg("%s: %lld lies in the %s %lld to %lld, but its own is %lld to %lld", zone,
                     (long long)inside[i], what, (long long)start, (long long)end, (long long)s,
                     (long long)e);
    }
    bucket(end, &s, &e);
    if (s != end)
        fail_msg("%s: the %s after %lld begins at %lld", zone, what, (long long)end, (long long)s);
    *ret_end = end;
}

static void sweep(const char *zone, int64_t from, int64_t to)
{
    assert_true(eg_zone_use(zone));
    for (int64_t ms = from, end; ms < to; ms = end) {
        holds(zone, "day", eg_zone_day, ms, &end);
        if (day_number(ms) != day_number(end - 1) || day_number(ms) == day_number(end))
            fail_msg("%s: the day of %lld ends at %lld", zone, (long long)ms, (long long)end);
        int64_t hour_end = 0;
        for (int64_t hour = ms; hour < end; hour = hour_end) { /* days are made of whole hours */
            struct tm first, last;
            holds(zone, "hour", eg_zone_hour, hour, &hour_end);
            local(hour, &first);
            local(hour_end - 1, &last);
            if (hour_end > end || first.tm_hour != last.tm_hour || first.tm_gmtoff != last.tm_gmtoff)
                fail_msg("%s: the hour of %lld ends at %lld", zone, (long long)hour, (long long)hour_end);
        }
        assert_true(hour_end == end);
    }
}

/* Two years of hours where clocks change in every manner they do. */
static void test_buckets_tile_the_time(void **unused)
{
    (void)unused;
    static const char *const zones[] = {"Asia/Shanghai",       "Europe/Berlin",   "America/St_Johns",
                                        "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Cairo",
                                        "America/Havana",      "Asia/Beirut",     "Africa/Casablanca",
                                        "Antarctica/Troll",    "America/Santiago"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        sweep(zones[i], at("2025-12-20T00:00:00Z"), at("2027-12-20T00:00:00Z"));
    sweep("America/St_Johns", at("2010-03-01T00:00:00Z"),
          at("2011-12-01T00:00:00Z")); /* clocks changed at 00:01 */
    sweep("America/Sao_Paulo", at("2017-09-01T00:00:00Z"),
          at("2019-03-01T00:00:00Z")); /* at midnight, to 01:00 and to 23:00 */
    sweep("Pacific/Apia", at("2011-12-20T00:00:00Z"), at("2012-01-10T00:00:00Z"));   /* a day was left out */
    sweep("Asia/Pyongyang", at("2015-08-01T00:00:00Z"), at("2018-06-01T00:00:00Z")); /* by half an hour */
}

static void test_names(void **unused)
{
    (void)unused;
    int64_t start, end;
    char text[32];
    assert_true(eg_zone_use("Asia/Shanghai"));
    assert_string_equal(eg_zone_format(at("2026-11-23T07:00:00Z"), text), "2026-11-23 15:00");
    static const char *const bad[] = {
        "",     "Mars/Olympus", "/etc/localtime", "../zoneinfo/UTC", "Asia/../UTC", "Asia",
        ":UTC", "./UTC",        "zone.tab",       "tzdata.zi",       "CST-8"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (eg_zone_use(bad[i]))
            fail_msg("'%s' was taken as a zone", bad[i]);
        assert_string_equal(getenv("TZ"), "Asia/Shanghai"); /* nothing changed */
    }
    eg_zone_day(at("2026-11-23T07:00:00Z"), &start, &end);
    assert_true(end - start == DAY && start == at("2026-11-22T16:00:00Z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_days_and_hours_that_matter),
        cmocka_unit_test(test_buckets_tile_the_time),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
