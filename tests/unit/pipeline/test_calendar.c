/* Working time: hours, weekdays, holidays, days that make up for them, clocks that change. Spans are held against a count by the minute. */
#include "speak.h"
#include <pipeline/calendar.h>

#define CALENDARS                                                                                            \
    "calendars:\n"                                                                                           \
    "  - {id: office, hours: ['08:30-12:00', '13:30-17:30'], holidays: ['2026-10-01..2026-10-08'], "         \
    "workdays: ['2026-10-10']}\n"                                                                            \
    "  - {id: night, days: [sun, sat], hours: ['00:00-06:00', '22:00-24:00']}\n"                             \
    "  - {id: never, days: [mon], hours: ['01:00-02:00'], holidays: ['2000-01-01..2099-12-31']}\n"

static int64_t at(const char *text)
{
    int64_t ms;
    assert_true(eg_time_parse(text, strlen(text), &ms));
    return ms;
}

static void test_office_hours(void **unused)
{
    (void)unused;
    struct eg_conf *conf = memory_conf("time_zone: Asia/Shanghai\n" CALENDARS);
    static const struct {
        const char *from;
        int64_t span;
        const char *to;
    } table[] = {
        {"2026-11-23T09:00:00+08:00", HOUR, "2026-11-23T10:00:00+08:00"},
        {"2026-11-23T07:00:00+08:00", HOUR, "2026-11-23T09:30:00+08:00"},     /* before it opens */
        {"2026-11-23T11:30:00+08:00", HOUR, "2026-11-23T14:00:00+08:00"},     /* over noon */
        {"2026-11-23T11:30:00+08:00", HOUR / 2, "2026-11-23T12:00:00+08:00"}, /* to the end of a span */
        {"2026-11-27T17:00:00+08:00", HOUR, "2026-11-30T09:00:00+08:00"},     /* over a weekend */
        {"2026-09-30T17:00:00+08:00", HOUR, "2026-10-09T09:00:00+08:00"},     /* over the national day */
        {"2026-10-09T17:00:00+08:00", HOUR,
         "2026-10-10T09:00:00+08:00"}, /* a Saturday that makes up for it */
        {"2026-10-10T17:00:00+08:00", HOUR, "2026-10-12T09:00:00+08:00"},
        {"2026-11-23T08:30:00+08:00", 75 * HOUR / 2, "2026-11-27T17:30:00+08:00"}, /* the whole week */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t reached = eg_calendar_after(&conf->calendars[0], at(table[i].from), table[i].span);
        if (reached != at(table[i].to))
            fail_msg("row %zu: %lld ms off", i, (long long)(reached - at(table[i].to)));
        assert_true(eg_calendar_after(NULL, at(table[i].from), table[i].span) ==
                    at(table[i].from) + table[i].span);
    }
    assert_true(eg_calendar_after(&conf->calendars[2], NOON, HOUR) ==
                NOON); /* it ends, whatever is written */
    eg_conf_destroy(conf);
}

/* What the wall clock says, asked minute by minute. */
static bool works_at(const struct eg_conf_calendar *calendar, int64_t ms)
{
    char local[32];
    eg_zone_format(ms, local);
    int weekday = (eg_zone_date(ms) + 3) % 7, hour = (local[11] - '0') * 10 + local[12] - '0',
        minute = (local[14] - '0') * 10 + local[15] - '0';
    if (!(calendar->days >> weekday & 1))
        return false;
    for (size_t i = 0; i < calendar->hour_count; i++)
        if (hour * 60 + minute >= calendar->hours[i].from_min &&
            hour * 60 + minute < calendar->hours[i].to_min)
            return true;
    return false;
}

static void test_against_a_count_by_the_minute(void **unused)
{
    (void)unused;
    uint64_t seed = 20261123;
    printf("seed %llu\n", (unsigned long long)seed);
    static const char *const zones[] = {"Asia/Shanghai", "Europe/Berlin", "UTC"};
    for (size_t z = 0; z < 3; z++) {
        char yaml[1000];
        snprintf(yaml, sizeof yaml, "time_zone: %s\n" CALENDARS, zones[z]);
        struct eg_conf *conf = memory_conf(yaml);
        for (int i = 0; i < 60; i++) {
            const struct eg_conf_calendar *calendar = &conf->calendars[1];
            int64_t from = at("2026-03-27T00:00:00Z") + random_below(&seed, 2) * 217 * DAY +
                           random_below(&seed, 3 * 1440) *
                               MINUTE, /* about the weekends at which Berlin's clocks change */
                span = (1 + random_below(&seed, 900)) * MINUTE, expected = from, left = span;
            for (; left; expected += MINUTE)
                left -= works_at(calendar, expected) ? MINUTE : 0;
            int64_t reached = eg_calendar_after(calendar, from, span);
            if (reached != expected)
                fail_msg("%s, case %d: %lld minutes off", zones[z], i,
                         (long long)((reached - expected) / MINUTE));
        }
        eg_conf_destroy(conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_office_hours),
        cmocka_unit_test(test_against_a_count_by_the_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
