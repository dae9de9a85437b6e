/* How long a reading speaks for: by the hours (pace.h), for hours and days; by the readings before it (eg_rhythm_spoken()), for windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/zone.h>
#include <pipeline/pace.h>
#include <pipeline/rollup.h>
#include <pipeline/state.h>
#include <pipeline/window.h>

#include <stdlib.h>
#include <string.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define NOON INT64_C(1795435200000) /* 2026-11-23T12:00:00Z */

static const struct eg_conf_validity table4 = {45 * MINUTE, 6, 20, 27, 25, 324};

/* --- hours --- */

/* Readings every so many minutes for so many hours; 0: none for so long. */
struct phase {
    int minutes, hours;
};
struct story {
    const char *what;
    struct phase phases[6];
    const char *valid; /* an hour each: v, or - */
};

static const struct story stories[] = {
    {"every minute", {{1, 4}}, "vvvv"},
    {"once an hour", {{60, 4}}, "-vvv"},
    {"every three hours: no hour is known", {{180, 12}}, "------------"},
    {"from every half hour to every minute", {{30, 6}, {1, 4}}, "vvvvvvvvvv"},
    {"from every minute to every half hour: two hours until it is believed",
     {{1, 6}, {30, 5}},
     "vvvvvv--vvv"},
    {"two hours of a burst, else once an hour", {{60, 5}, {1, 2}, {60, 4}}, "-vvvvvvvvvv"},
    {"every 40 minutes", {{40, 12}}, "vvvvvvvvvvvv"},
    {"every 25 minutes", {{25, 12}}, "vvvvvvvvvvvv"},
    {"after an outage of three hours", {{1, 6}, {0, 3}, {1, 3}}, "vvvvvv---vvv"},
};

static size_t hours_of_story(const struct story *story, struct eg_rollup hours[32])
{
    int64_t at = NOON, until = NOON;
    size_t count = 0;
    memset(hours, 0, 32 * sizeof *hours);
    for (size_t i = 0; i < 6 && story->phases[i].hours; i++) {
        until += story->phases[i].hours * HOUR;
        for (at = at < until - story->phases[i].hours * HOUR ? until - story->phases[i].hours * HOUR : at;
             story->phases[i].minutes && at < until; at += story->phases[i].minutes * MINUTE) {
            struct eg_rollup *hour = &hours[(at - NOON) / HOUR];
            if (!hour->count)
                eg_rollup_start(hour, EG_PERIOD_HOUR, at);
            eg_rollup_add(hour, EG_PERIOD_HOUR, 1, at + 30000, 1);
        }
    }
    count = (size_t)((until - NOON) / HOUR);
    return count;
}

static void test_stories(void **unused)
{
    (void)unused;
    struct eg_rollup hours[32];
    assert_true(eg_zone_use("UTC"));
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        struct eg_pace pace = {0};
        char found[33] = "";
        size_t count = hours_of_story(&stories[i], hours);
        for (size_t hour = 0; hour < count; hour++) {
            const int64_t interval_ms = hours[hour].count ? eg_pace_hour(&pace, &hours[hour]) : 0;
            found[hour] = eg_rollup_valid(&hours[hour], EG_PERIOD_HOUR, interval_ms, &table4) ? 'v' : '-';
        }
        if (strcmp(found, stories[i].valid) != 0)
            fail_msg("%s: %s, not %s", stories[i].what, found, stories[i].valid);
    }
}

/* An hour of which half an hour is missing, or that holds two readings of sixty, is not valid for all that it may be alone. */
static void test_outages(void **unused)
{
    (void)unused;
    struct eg_rollup hour;
    assert_true(eg_zone_use("UTC"));
    for (int kept = 0; kept < 3; kept++) {
        struct eg_pace pace = {0};
        for (int64_t at = NOON; at < NOON + 5 * HOUR; at += HOUR) {
            const bool last = at == NOON + 4 * HOUR;
            eg_rollup_start(&hour, EG_PERIOD_HOUR, at);
            for (int minute = 0; minute < 60; minute++)
                if (!last || (kept == 0   ? minute < 30
                              : kept == 1 ? minute == 10 || minute == 50
                                          : minute == 59))
                    eg_rollup_add(&hour, EG_PERIOD_HOUR, 1, at + minute * MINUTE, 1);
            const int64_t interval_ms = eg_pace_hour(&pace, &hour);
            assert_int_equal(eg_rollup_valid(&hour, EG_PERIOD_HOUR, interval_ms, &table4), !last);
        }
    }
}

/* Hours whose minutes are the same again and again, from the second of them on. */
static void test_irregular(void **unused)
{
    (void)unused;
    static const struct {
        const char *what;
        int minutes[24]; /* -1 ends */
        bool valid;
    } table[] = {
        {"two at once every ten minutes", {0, 0, 10, 10, 20, 20, 30, 30, 40, 40, 50, 50, -1}, true},
        {"two at once", {30, 30, -1}, true},
        {"two, a minute apart", {30, 31, -1}, true},
        {"every quarter, and some between", {0, 3, 15, 30, 34, 37, 45, -1}, true},
        {"five a minute apart every quarter",
         {0, 1, 2, 3, 4, 15, 16, 17, 18, 19, 30, 31, 32, 33, 34, 45, 46, 47, 48, 49, -1},
         true},
        {"about every five minutes, one of eight lost", {1, 6, 11, 22, 25, 31, 35, 41, 46, 51, -1}, true},
        {"about every five minutes, the last twenty are missing", {1, 6, 11, 17, 22, 25, 31, 35, -1}, false},
    };
    struct eg_rollup hour;
    assert_true(eg_zone_use("UTC"));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_pace pace = {0};
        for (int64_t at = NOON; at < NOON + 8 * HOUR; at += HOUR) {
            eg_rollup_start(&hour, EG_PERIOD_HOUR, at);
            for (int k = 0; table[i].minutes[k] >= 0; k++)
                eg_rollup_add(&hour, EG_PERIOD_HOUR, 1, at + table[i].minutes[k] * MINUTE + k, 1);
            const int64_t interval_ms = eg_pace_hour(&pace, &hour);
            if (at > NOON && eg_rollup_valid(&hour, EG_PERIOD_HOUR, interval_ms, &table4) != table[i].valid)
                fail_msg("%s: for %lld minutes", table[i].what, (long long)(interval_ms / MINUTE));
        }
    }
}

/* At the full minute, give or take: now in this one, now in the one before. And of hours of which 24 minutes are missing each time none
 * is valid. */
static void test_at_the_full_minute(void **unused)
{
    (void)unused;
    uint64_t random = 20261128;
    assert_true(eg_zone_use("UTC"));
    for (int half = 0; half < 2; half++) {
        struct eg_rollup hours[24] = {0};
        struct eg_pace pace = {0};
        for (int64_t minute = 1; minute < 24 * 60; minute++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            const int64_t at = NOON + minute * MINUTE + (int64_t)(random >> 33) % 101 - 50;
            struct eg_rollup *hour = &hours[(at - NOON) / HOUR];
            if (half && minute % 60 > 35)
                continue;
            if (!hour->count)
                eg_rollup_start(hour, EG_PERIOD_HOUR, at);
            eg_rollup_add(hour, EG_PERIOD_HOUR, 1, at, 1);
        }
        for (int i = 0; i < 24; i++) {
            const int64_t interval_ms = eg_pace_hour(&pace, &hours[i]);
            if (eg_rollup_valid(&hours[i], EG_PERIOD_HOUR, interval_ms, &table4) == (half > 0))
                fail_msg("%s, hour %d: for %lld minutes", half ? "part" : "all", i,
                         (long long)(interval_ms / MINUTE));
        }
    }
}

/* Of a single reading nothing is known, however long it was silent before; of some, what they say. */
static void test_first_hours(void **unused)
{
    (void)unused;
    struct eg_rollup hour;
    struct eg_pace pace = {0};
    assert_true(eg_zone_use("UTC"));
    eg_rollup_start(&hour, EG_PERIOD_HOUR, NOON);
    assert_int_equal(eg_pace_hour(&pace, &hour), 0);
    for (int64_t at = 20; at < 60; at += 5)
        eg_rollup_add(&hour, EG_PERIOD_HOUR, 1, NOON + at * MINUTE, 1);
    assert_int_equal(eg_pace_hour(&pace, &hour), 5 * MINUTE);
    assert_false(eg_rollup_valid(&hour, EG_PERIOD_HOUR, 5 * MINUTE, &table4));
    for (int64_t later = 11; later < 40; later += 14) {
        eg_rollup_start(&hour, EG_PERIOD_HOUR, NOON + later * HOUR);
        eg_rollup_add(&hour, EG_PERIOD_HOUR, 1, NOON + later * HOUR + 57 * MINUTE, 1);
        assert_int_equal(eg_pace_hour(&pace, &hour), MINUTE);
        assert_false(eg_rollup_valid(&hour, EG_PERIOD_HOUR, MINUTE, &table4));
    }
}

/* What is told of an hour does not hang on what is known of those before its half day. */
static void test_reach(void **unused)
{
    (void)unused;
    uint64_t random = 20261127;
    assert_true(eg_zone_use("Australia/Lord_Howe"));
    for (int round = 0; round < 300; round++) {
        struct eg_rollup hours[64] = {0};
        size_t count = 0;
        for (int64_t at = NOON; at < NOON + 64 * HOUR; at += HOUR) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            const int readings = random >> 61 ? (int)(random >> 33) % 60 : 0;
            if (!readings)
                continue;
            eg_rollup_start(&hours[count], EG_PERIOD_HOUR, at);
            for (int i = 0; i < readings; i++)
                eg_rollup_add(&hours[count], EG_PERIOD_HOUR, 1, hours[count].start_ms + i * HOUR / readings,
                              1);
            count++;
        }
        struct eg_pace all = {0};
        for (size_t i = 0; i < count; i++) {
            struct eg_pace part = {0};
            int64_t of_part = 0, of_all = eg_pace_hour(&all, &hours[i]);
            for (size_t k = 0; k <= i; k++)
                if (hours[k].start_ms >= hours[i].start_ms - EG_PACE_BACK_MS)
                    of_part = eg_pace_hour(&part, &hours[k]);
            if (of_part != of_all)
                fail_msg("round %d, hour %zu: %lld ms, with all before it %lld", round, i, (long long)of_part,
                         (long long)of_all);
        }
    }
    assert_true(eg_zone_use("UTC"));
}

/* --- windows --- */

static void test_spoken(void **unused)
{
    (void)unused;
    static const struct {
        const char *what;
        int minutes[6]; /* of the readings before, ascending; -1 ends */
        int at, want;   /* tenths of a minute */
    } table[] = {
        {"the first", {-1}, 60, 0},
        {"the second", {0, -1}, 70, 70},
        {"the second, much later", {0, -1}, 130, 130},
        {"in its rhythm", {0, 10, 20, 30, -1}, 40, 100},
        {"a little late", {0, 10, 20, 30, -1}, 42, 120},
        {"an outage", {0, 10, 20, 30, -1}, 90, 100},
        {"the same once more: its rhythm", {10, 20, 30, 90, -1}, 150, 600},
        {"once an hour", {0, 60, 120, 180, -1}, 240, 600},
        {"every two hours: an hour at the most", {0, 120, -1}, 240, 600},
        {"nothing for four hours", {0, 1, 2, 3, -1}, 244, 0},
        {"not newer than the newest", {0, 1, 2, 3, -1}, 3, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_rhythm rhythm = {0};
        for (int k = 0; k < 6 && table[i].minutes[k] >= 0; k++)
            eg_rhythm_add(&rhythm, NOON + table[i].minutes[k] * MINUTE);
        int64_t want = i == 1 ? 60 * MINUTE : i == 2 ? HOUR : i == 0 ? 0 : table[i].want * MINUTE / 10;
        int64_t found = eg_rhythm_spoken(&rhythm, NOON + table[i].at * MINUTE);
        if (found != want)
            fail_msg("%s: %g minutes", table[i].what, (double)found / (double)MINUTE);
    }
}

/* How much of a sliding window is spoken for. */
static void test_observed(void **unused)
{
    (void)unused;
    static const struct {
        const char *what;
        int width_minutes, step_s, hours, out_from_minute, out_to_minute, burst_minutes, low, high;
    } table[] = {
        {"every minute", 60, 60, 2, 0, 0, 0, 60, 60},
        {"every ten minutes", 60, 600, 2, 0, 0, 0, 60, 60},
        {"once an hour", 60, 3600, 5, 0, 0, 0, 60, 60},
        {"in panes", 60, 10, 2, 0, 0, 0, 60, 60},
        {"in panes, with a gap", 60, 10, 2, 80, 100, 0, 39, 41},
        {"every minute, with a gap", 60, 60, 2, 80, 100, 0, 40, 42},
        {"a day of one an hour, then a burst", 1440, 3600, 26, 0, 0, 60, 1430, 1440},
        {"a day, a third of it missing", 1440, 600, 26, 600, 1080, 0, 950, 975},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_window *window = eg_window_create(&(struct eg_window_shape){
            .width_ms = table[i].width_minutes * MINUTE, .statistic = EG_STAT_MEAN});
        struct eg_rhythm rhythm = {0};
        int64_t width, end = table[i].hours * HOUR;
        for (int64_t at = 0; at <= end;
             at += at >= end - table[i].burst_minutes * MINUTE && at < end ? 30000 : table[i].step_s * 1000) {
            if (at > table[i].out_from_minute * MINUTE && at < table[i].out_to_minute * MINUTE)
                continue;
            assert_true(eg_window_add(window, NOON + at, 1, eg_rhythm_spoken(&rhythm, NOON + at)));
            eg_rhythm_add(&rhythm, NOON + at);
        }
        int64_t is = eg_window_observed(window, &width) / MINUTE;
        if (is < table[i].low || is > table[i].high || width != table[i].width_minutes * MINUTE)
            fail_msg("%s: %lld minutes of %lld", table[i].what, (long long)is, (long long)(width / MINUTE));
        eg_window_destroy(window);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),     cmocka_unit_test(test_outages),
        cmocka_unit_test(test_irregular),   cmocka_unit_test(test_at_the_full_minute),
        cmocka_unit_test(test_first_hours), cmocka_unit_test(test_reach),
        cmocka_unit_test(test_spoken),      cmocka_unit_test(test_observed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
