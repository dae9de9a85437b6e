/* Decimal numbers as text: what is one, what it is worth to the last bit. Knows strtod() as the judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../drivers/kit/decimal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void is(const char *text, double wanted)
{
    double value = 12345;
    if (!eg_decimal_parse(text, strlen(text), &value))
        fail_msg("'%s' is refused", text);
    if (memcmp(&value, &wanted, sizeof value) != 0)
        fail_msg("'%s' became %.17g instead of %.17g", text, value, wanted);
}

static void test_numbers(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        double wanted;
    } table[] = {
        {"0", 0},
        {"-0", -0.0},
        {"+0", 0},
        {"-0.0e5", -0.0},
        {"0e400", 0},
        {"0e-999999999999", 0},
        {"35", 35},
        {"+35", 35},
        {"-35.5", -35.5},
        {".5", .5},
        {"5.", 5},
        {"007", 7},
        {"  1\t\r\n", 1},
        {"0.1", 0.1},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"25e-1", 2.5},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"1e-22", 1e-22},
        {"1e-23", 1e-23},
        {"8.5e22", 8.5e22},
        {"999999999999999e22", 999999999999999e22},
        {"9007199254740993", 9007199254740992.0}, /* half way: to even */
        {"9007199254740995", 9007199254740996.0},
        {"9007199254740992.9999999999999999999", 9007199254740992.0},
        {"1.7976931348623157e308", DBL_MAX},
        {"1e400", HUGE_VAL},
        {"-1e400", -HUGE_VAL},
        {"1e999999999999", HUGE_VAL},
        {"2.2250738585072014e-308", DBL_MIN},
        {"2.2250738585072011e-308", 2.225073858507201e-308},
        {"4.9406564584124654e-324", 4.9406564584124654e-324},
        {"2e-324", 0},
        {"-1e-400", -0.0},
        {"0.000000000000000000000000000001", 1e-30},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        is(table[i].text, table[i].wanted);
}

static void test_no_numbers(void **unused)
{
    (void)unused;
    static const char *const table[] = {
        "",    " ",   "+",   "-",    ".",   "-.",  "e5",       ".e5",   "1e", "1e+",  "1e5.5", "1.2.3", "--1",
        "+-1", "1 2", "1,5", "0x10", "nan", "inf", "Infinity", "1_000", "１", "1e5x", "1-",    "\v1"};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double value = 7;
        if (eg_decimal_parse(table[i], strlen(table[i]), &value))
            fail_msg("'%s' was taken as %g", table[i], value);
        assert_true(value == 7);
    }
    double value;
    assert_false(eg_decimal_parse("1\0", 2, &value));
    assert_true(eg_decimal_parse("123", 2, &value)); /* not a byte beyond the length */
    assert_true(value == 12);
}

static void test_the_text_is_bounded(void **unused)
{
    (void)unused;
    char text[4096];
    memset(text, '9', sizeof text);
    double value = 7;
    assert_false(eg_decimal_parse(text, sizeof text, &value));
    assert_true(value == 7);
    is("00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
       "000000000000000000"
       "00000000000000000000000000000000000000000000000001",
       1);
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Any finite double, written with 17 digits, comes back; any few digits become what strtod() makes of them.
 */
static void test_round_trip(void **unused)
{
    (void)unused;
    uint64_t seed = 20261123;
    char text[64];
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = next(&seed);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof text, "%.17g", value);
        is(text, value);
        snprintf(text, sizeof text, "%lld.%llde%d", (long long)(next(&seed) % 100000000),
                 (long long)(next(&seed) % 100000000), (int)(next(&seed) % 60) - 30);
        is(text, strtod(text, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_no_numbers),
        cmocka_unit_test(test_the_text_is_bounded),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
