/* Statistics of a span: what they are, how complete, whether valid; days of 23 and 25 hours, February, running means of eight hours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/zone.h>
#include <pipeline/tally.h>

#include <math.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define NOON INT64_C(1795435200000) /* 2026-11-23T12:00:00Z */

static const struct eg_conf_validity table4 = {45 * MINUTE, 6, 20, 27, 25, 324};

static double value_of(struct eg_tally *tally, enum eg_statistic statistic, double share)
{
    double value = NAN;
    return eg_tally_value(tally, statistic, share, &value) ? value : NAN;
}

static void near(double is, double want)
{
    if (!(fabs(is - want) < 1e-9))
        fail_msg("%.17g, not %.17g", is, want);
}

static void test_values(void **unused)
{
    (void)unused;
    struct eg_tally tally = {0};
    assert_true(eg_zone_use("UTC"));
    eg_tally_begin(&tally, EG_CALENDAR_SLIDING, NOON, NOON + HOUR, 25, 1000, &table4);
    eg_tally_end(&tally, NOON + HOUR);
    assert_true(isnan(value_of(&tally, EG_STAT_MEAN, 0)) && value_of(&tally, EG_STAT_READINGS, 0) == 0);
    assert_false(eg_tally_valid(&tally));
    eg_tally_begin(&tally, EG_CALENDAR_SLIDING, NOON, NOON + HOUR, 25, 1000, &table4);
    for (int i = 0; i < 6; i++)
        eg_tally_add(&tally, NOON + i * 10 * MINUTE, 10 * (i + 1));
    eg_tally_end(&tally, NOON + HOUR);
    near(value_of(&tally, EG_STAT_MEAN, 0), 35);
    near(value_of(&tally, EG_STAT_SUM, 0), 210);
    near(value_of(&tally, EG_STAT_MIN, 0), 10);
    near(value_of(&tally, EG_STAT_MAX, 0), 60);
    near(value_of(&tally, EG_STAT_LAST, 0), 60);
    near(value_of(&tally, EG_STAT_RATE, 0), 60);
    near(value_of(&tally, EG_STAT_STDDEV, 0), sqrt(350));
    near(value_of(&tally, EG_STAT_QUANTILE, 0.5), 35);
    near(value_of(&tally, EG_STAT_QUANTILE, 0.98), 59);
    near(value_of(&tally, EG_STAT_ABOVE, 0), 40);
    near(eg_tally_completeness(&tally, NOON + HOUR), 1);
    assert_true(eg_tally_valid(&tally) && isnan(value_of(&tally, EG_STAT_MAX_8H, 0)));
    eg_tally_finish(&tally);
}

/* North-west and north-east make north; opposite ones nothing. */
static void test_directions(void **unused)
{
    (void)unused;
    struct eg_tally tally = {0};
    eg_tally_begin(&tally, EG_CALENDAR_SLIDING, NOON, NOON + HOUR, 0, 1000, &table4);
    eg_tally_add(&tally, NOON, 350);
    eg_tally_add(&tally, NOON + 1, 30);
    near(value_of(&tally, EG_STAT_VECTOR_MEAN, 0), 10);
    eg_tally_add(&tally, NOON + 2, 170);
    eg_tally_add(&tally, NOON + 3, 210);
    assert_true(isnan(value_of(&tally, EG_STAT_VECTOR_MEAN, 0)));
    eg_tally_finish(&tally);
}

/* The local day that holds `ms`, a reading every ten minutes of which `hours_out` from the third hour on are missing. */
static bool day_valid(const char *zone, int64_t ms, int hours_out, int64_t *ret_hours)
{
    struct eg_tally tally = {0};
    int64_t start, end;
    assert_true(eg_zone_use(zone));
    eg_zone_day(ms, &start, &end);
    *ret_hours = (end - start) / HOUR;
    eg_tally_begin(&tally, EG_CALENDAR_DAY, start, end, 0, 1000, &table4);
    for (int64_t at = start; at < end; at += 10 * MINUTE)
        if (at < start + 3 * HOUR || at >= start + (3 + hours_out) * HOUR)
            eg_tally_add(&tally, at, 1);
    eg_tally_end(&tally, end + HOUR);
    near(eg_tally_completeness(&tally, end), 1 - (double)hours_out / (double)*ret_hours);
    bool valid = eg_tally_valid(&tally);
    eg_tally_finish(&tally);
    assert_true(eg_zone_use("UTC"));
    return valid;
}

static void test_days(void **unused)
{
    (void)unused;
    int64_t hours;
    assert_true(day_valid("Asia/Shanghai", NOON, 4, &hours) && hours == 24);
    assert_false(day_valid("Asia/Shanghai", NOON, 5, &hours));
    assert_true(day_valid("Europe/Berlin", INT64_C(1774778400000), 3, &hours) &&
                hours == 23); /* 2026-03-29 */
    assert_false(day_valid("Europe/Berlin", INT64_C(1774778400000), 4, &hours));
    assert_true(day_valid("Europe/Berlin", INT64_C(1792926000000), 5, &hours) &&
                hours == 25); /* 2026-10-25 */
    assert_false(day_valid("Europe/Berlin", INT64_C(1792926000000), 6, &hours));
}

/* Whoever reports more often in an hour of smoke does not make a day of it; nor does such a day more of its month. */
static void test_means_of_means(void **unused)
{
    (void)unused;
    struct eg_tally tally = {0};
    int64_t start, end;
    assert_true(eg_zone_use("UTC"));
    for (enum eg_calendar calendar = EG_CALENDAR_DAY; calendar <= EG_CALENDAR_MONTH; calendar++) {
        calendar == EG_CALENDAR_DAY ? eg_zone_day(NOON, &start, &end) : eg_zone_month(NOON, &start, &end);
        eg_tally_begin(&tally, calendar, start, end, 0, 1000, &table4);
        for (int64_t at = start; at < end; at += HOUR / 2) {
            bool smoke = at >= NOON && at < NOON + HOUR;
            for (int64_t more = 0; more < (smoke ? HOUR / 2 : 1); more += 30000)
                eg_tally_add(&tally, at + more, smoke ? 300 : 20);
        }
        eg_tally_end(&tally, end);
        assert_true(eg_tally_valid(&tally));
        const double day = (23 * 20 + 300) / 24.0;
        near(value_of(&tally, EG_STAT_MEAN, 0), calendar == EG_CALENDAR_DAY ? day : (29 * 20 + day) / 30);
    }
    /* Whether an hour is valid does not matter. */
    eg_zone_day(NOON, &start, &end);
    eg_tally_begin(&tally, EG_CALENDAR_DAY, start, end, 0, 1000, &table4);
    for (int i = 0; i < 3; i++)
        eg_tally_add(&tally, NOON + i * MINUTE, 10 * (i + 1));
    eg_tally_end(&tally, end);
    near(value_of(&tally, EG_STAT_MEAN, 0), 20);
    eg_tally_finish(&tally);
}

/* A month with so many whole days out of it. */
static bool month_valid(int64_t ms, int days_out)
{
    struct eg_tally tally = {0};
    int64_t start, end;
    eg_zone_month(ms, &start, &end);
    eg_tally_begin(&tally, EG_CALENDAR_MONTH, start, end, 0, 1000, &table4);
    for (int64_t at = start; at < end; at += HOUR / 2)
        if (at < start + 48 * HOUR || at >= start + (2 + days_out) * 24 * HOUR)
            eg_tally_add(&tally, at, 1);
    eg_tally_end(&tally, end + HOUR);
    bool valid = eg_tally_valid(&tally);
    eg_tally_finish(&tally);
    return valid;
}

static void test_months(void **unused)
{
    (void)unused;
    assert_true(eg_zone_use("UTC"));
    assert_true(month_valid(NOON, 3)); /* November */
    assert_false(month_valid(NOON, 4));
    assert_true(month_valid(INT64_C(1771200000000), 3)); /* February 2026 */
    assert_false(month_valid(INT64_C(1771200000000), 4));
    assert_true(month_valid(INT64_C(1768500000000), 4)); /* January */
    assert_false(month_valid(INT64_C(1768500000000), 5));
}

/* A year of which whole days are missing: `days` of them from the day `first` of the year on, and the same once more half a year later. */
static bool year_valid(const struct eg_conf_validity *validity, int first, int days)
{
    struct eg_tally tally = {0};
    int64_t start, end;
    eg_zone_year(NOON, &start, &end);
    assert_true(end - start == 365 * 24 * HOUR);
    eg_tally_begin(&tally, EG_CALENDAR_YEAR, start, end, 0, 1000, validity);
    for (int64_t at = start; at < end; at += HOUR / 2) {
        int day = (int)((at - start) / (24 * HOUR)) % 182;
        if (day < first || day >= first + days)
            eg_tally_add(&tally, at, 1);
    }
    eg_tally_end(&tally, end + HOUR);
    bool valid = eg_tally_valid(&tally);
    eg_tally_finish(&tally);
    return valid;
}

static void test_years(void **unused)
{
    (void)unused;
    const struct eg_conf_validity strict = {45 * MINUTE, 6, 20, 27, 25, 362},
                                  lax = {45 * MINUTE, 6, 20, 20, 20, 320};
    assert_true(eg_zone_use("UTC"));
    assert_true(year_valid(&table4, 0, 0));
    assert_true(year_valid(&table4, 90, 3));  /* three days of April, three of September or October */
    assert_false(year_valid(&strict, 90, 2)); /* 361 days */
    assert_false(year_valid(&table4, 91, 5)); /* April has 25 */
    assert_true(year_valid(&lax, 91, 5));
    assert_true(year_valid(&lax, 85, 12));  /* of two months */
    assert_false(year_valid(&lax, 80, 23)); /* 319 days */
    int64_t start, end;
    assert_true(eg_zone_use("Asia/Shanghai"));
    eg_zone_year(INT64_C(1798732800000) - 1, &start,
                 &end); /* the last millisecond of 2026 there: 15:59:59.999Z on the 31st */
    assert_true(start == INT64_C(1767196800000) && end == INT64_C(1798732800000));
    eg_zone_year(end, &start, &end);
    assert_true(start == INT64_C(1798732800000));
    assert_true(eg_zone_use("UTC"));
}

/* Eight hours in a row: from 06:00 to 14:00 it was 100, with a bad hour in between that does not count. */
static void test_running_means(void **unused)
{
    (void)unused;
    struct eg_tally tally = {0};
    int64_t start = NOON - 12 * HOUR;
    for (int out = 0; out < 4; out++) { /* hours of the eight that are missing */
        eg_tally_begin(&tally, EG_CALENDAR_DAY, start, start + 24 * HOUR, 0, 1000, &table4);
        for (int minute = 0; minute < 1440; minute += 10) {
            int hour = minute / 60;
            if (hour >= 9 && hour < 9 + out)
                continue;
            eg_tally_add(&tally, start + minute * MINUTE, hour >= 6 && hour < 14 ? 100 : 20);
        }
        eg_tally_end(&tally, start + 25 * HOUR);
        double most = value_of(&tally, EG_STAT_MAX_8H, 0);
        if (out <= 2 ? !(fabs(most - 100) < 1e-9) : !(most < 100))
            fail_msg("%d hours missing: %g", out, most);
    }
    eg_tally_finish(&tally);
}

/* Beyond what is exact a percentile is within one in a hundred; a sum of many tenths is what it should be. */
static void test_many(void **unused)
{
    (void)unused;
    struct eg_tally tally = {0};
    eg_tally_begin(&tally, EG_CALENDAR_SLIDING, NOON, NOON + 300000000, 0, 1000, &table4);
    for (int i = 0; i < 300000; i++)
        eg_tally_add(&tally, NOON + i * 1000, (double)(i * INT64_C(7919) % 300000) / 10);
    eg_tally_end(&tally, NOON + 300000000);
    near(value_of(&tally, EG_STAT_SUM, 0), 4499985000);
    for (int percent = 5; percent < 100; percent += 5) {
        double is = value_of(&tally, EG_STAT_QUANTILE, percent / 100.0), want = 29999.9 * percent / 100;
        if (fabs(is - want) > want * EG_SKETCH_ERROR + 1)
            fail_msg("p%d: %g, not %g", percent, is, want);
    }
    eg_tally_finish(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),         cmocka_unit_test(test_directions),
        cmocka_unit_test(test_means_of_means), cmocka_unit_test(test_days),
        cmocka_unit_test(test_months),         cmocka_unit_test(test_years),
        cmocka_unit_test(test_running_means),  cmocka_unit_test(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
