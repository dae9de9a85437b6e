/* Times as text and as the epochs devices send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ecogov/time.h>

#include <math.h>
#include <string.h>
#include <time.h>

#define NOON INT64_C(1795417200000) /* 2026-11-23T07:00:00Z */
#define LAST INT64_C(253402300799999)

static void test_rfc3339(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t ms;
    } table[] = {
        {"2026-11-23T07:00:00Z", NOON},
        {"2026-11-23t07:00:00z", NOON},
        {"2026-11-23 07:00:00", NOON},
        {"2026-11-23T15:00:00+08:00", NOON},
        {"2026-11-23T15:00:00+0800", NOON},
        {"2026-11-23T03:30:00-03:30", NOON},
        {"2026-11-24T06:59:00+23:59", NOON},
        {"2026-11-23T07:00:00-00:00", NOON},
        {"2026-11-23T07:00:00.5Z", NOON + 500},
        {"2026-11-23T07:00:00,25Z", NOON + 250},
        {"2026-11-23T07:00:00.0009999999999999999999999999Z", NOON},
        {"2026-11-23T07:00:00.9999Z", NOON + 999},
        {"2016-12-31T23:59:60Z", INT64_C(1483228799999)},
        {"2016-12-31T23:59:60.123Z", INT64_C(1483228799999)},
        {"2017-01-01T07:59:60+08:00", INT64_C(1483228799999)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T08:00:00+08:00", 0},
        {"9999-12-31T23:59:59.999Z", LAST},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t ms = -7;
        if (!eg_time_parse(table[i].text, strlen(table[i].text), &ms) || ms != table[i].ms)
            fail_msg("'%s' became %lld instead of %lld", table[i].text, (long long)ms,
                     (long long)table[i].ms);
    }
}

static void test_no_times(void **unused)
{
    (void)unused;
    static const char *const table[] = {"",
                                        "2026",
                                        "2026-11-23",
                                        "2026-11-23T07:00Z",
                                        "2026-11-23T07:00:00 Z",
                                        " 2026-11-23T07:00:00Z",
                                        "2026-11-23T07:00:00Zx",
                                        "2026-1-23T07:00:00Z",
                                        "26-11-23T07:00:00Z",
                                        "2026/11/23T07:00:00Z",
                                        "2026-11-23_07:00:00Z",
                                        "2026-11-23T07:00:00.Z",
                                        "2026-00-23T07:00:00Z",
                                        "2026-13-23T07:00:00Z",
                                        "2026-11-00T07:00:00Z",
                                        "2026-11-31T07:00:00Z",
                                        "2026-02-29T07:00:00Z",
                                        "2100-02-29T00:00:00Z",
                                        "2026-11-23T24:00:00Z",
                                        "2026-11-23T07:60:00Z",
                                        "2026-11-23T07:00:61Z",
                                        "2026-11-23T07:00:00+24:00",
                                        "2026-11-23T07:00:00+08:60",
                                        "2026-11-23T07:00:00+8:00",
                                        "2026-11-23T07:00:00+08",
                                        "2026-11-23T07:00:00+",
                                        "-026-11-23T07:00:00Z",
                                        "1969-12-31T23:59:59Z",
                                        "1970-01-01T00:00:00+00:01",
                                        "9999-12-31T23:59:59-00:01",
                                        "2026-11-23T07:00:00+08:00Z"};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t ms = -7;
        if (eg_time_parse(table[i], strlen(table[i]), &ms) || ms != -7)
            fail_msg("'%s' was taken as %lld", table[i], (long long)ms);
    }
    int64_t ms;
    for (size_t cut = 0; cut < strlen("2026-11-23T07:00:00"); cut++)
        assert_false(eg_time_parse("2026-11-23T07:00:00", cut, &ms)); /* not a byte beyond the length */
}

static void test_epochs(void **unused)
{
    (void)unused;
    static const struct {
        double epoch;
        int64_t ms; /* -1: refused */
    } table[] = {
        {0, 0},
        {-0.0, 0},
        {1795417200, NOON},
        {1795417200.25, NOON + 250},
        {1795417200.0004, NOON},
        {1795417200000, NOON},
        {1795417200123, NOON + 123},
        {1795417200000000, NOON},
        {1795417200123999, NOON + 123},
        {99999999999, INT64_C(99999999999000)},
        {1e11, INT64_C(100000000000)},
        {99999999999999, INT64_C(99999999999999)},
        {1e14, INT64_C(100000000000)},
        {253402300799999000.0, LAST},
        {253402300800000000.0, -1},
        {-1, -1},
        {-0.001, -1},
        {1e300, -1},
        {(double)INFINITY, -1},
        {(double)-INFINITY, -1},
        {(double)NAN, -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t ms = -1;
        bool taken = eg_time_from_epoch(table[i].epoch, &ms);
        if (taken != (table[i].ms >= 0) || ms != table[i].ms)
            fail_msg("%.17g became %lld instead of %lld", table[i].epoch, (long long)ms,
                     (long long)table[i].ms);
    }
}

/* Against libc's calendar, over the whole range; and back. */
static void test_format(void **unused)
{
    (void)unused;
    char text[EG_TIME_TEXT], wanted[64];
    for (int64_t ms = 0; ms <= LAST; ms += INT64_C(86399999) * 37 + 1) {
        time_t seconds = (time_t)(ms / 1000);
        struct tm tm;
        int64_t back = -1;
        gmtime_r(&seconds, &tm);
        size_t n = strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S", &tm);
        wanted[n++] = '.';
        wanted[n++] = (char)('0' + ms % 1000 / 100);
        wanted[n++] = (char)('0' + ms % 100 / 10);
        wanted[n++] = (char)('0' + ms % 10);
        wanted[n++] = 'Z';
        wanted[n] = '\0';
        assert_ptr_equal(eg_time_format(ms, text), text);
        assert_string_equal(text, wanted);
        assert_true(eg_time_parse(text, strlen(text), &back));
        assert_true(back == ms);
    }
    assert_string_equal(eg_time_format(LAST, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(eg_time_format(-1, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(eg_time_format(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3339),
        cmocka_unit_test(test_no_times),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
