/* The JSON writer: commas, escapes, the shortest number that reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/json.h>
#include <base/utf8.h>
#include <ecogov/reading.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct eg_buf buf;
static struct eg_json json;

static void start(void)
{
    eg_buf_clear(&buf);
    eg_json_init(&json, &buf);
}

static void test_structure(void **unused)
{
    (void)unused;
    start();
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "a\"", "上");
    eg_json_put_string(&json, "none", NULL);
    eg_json_put_int(&json, "least", INT64_MIN);
    eg_json_key(&json, "list");
    eg_json_open(&json, '[');
    eg_json_open(&json, '{');
    eg_json_close(&json, '}');
    eg_json_open(&json, '[');
    eg_json_close(&json, ']');
    eg_json_bool(&json, true);
    eg_json_number(&json, 0.5);
    eg_json_raw(&json, "{\"x\":1}");
    eg_json_null(&json);
    eg_json_close(&json, ']');
    eg_json_put_bool(&json, "no", false);
    eg_json_put_time(&json, "at", INT64_C(1795417200000));
    eg_json_put_time(&json, "never", EG_TIME_NONE);
    eg_json_put_number(&json, "nan", (double)NAN);
    eg_json_put_number(&json, "inf", (double)-INFINITY);
    eg_json_close(&json, '}');
    assert_string_equal(
        buf.data,
        "{\"a\\\"\":\"上\",\"none\":null,\"least\":-9223372036854775808,\"list\":[{},[],true,0.5,{\"x\":1},"
        "null],"
        "\"no\":false,\"at\":\"2026-11-23T07:00:00.000Z\",\"never\":null,\"nan\":null,\"inf\":null}");
}

static void test_strings(void **unused)
{
    (void)unused;
#define BAD "\xEF\xBF\xBD"
#define BYTES(text) text, sizeof text - 1
    static const struct {
        const char *text;
        size_t length;
        const char *wanted;
    } table[] = {
        {BYTES(""), "\"\""},
        {BYTES("a/b"), "\"a/b\""},
        {BYTES("\"\\"), "\"\\\"\\\\\""},
        {BYTES("\n\t\r\b\f"), "\"\\n\\t\\u000d\\u0008\\u000c\""},
        {BYTES("\0\x1f\x7f"), "\"\\u0000\\u001f\\u007f\""},
        {BYTES("上🌾"), "\"上🌾\""},
        {BYTES("\xff"), "\"" BAD "\""},
        {BYTES("a\xff"
               "b"),
         "\"a" BAD "b\""},
        {BYTES("\xE4\xB8"), "\"" BAD BAD "\""},
        {BYTES("上\xE4"), "\"上" BAD "\""},
        {BYTES("\xED\xA0\x80"), "\"" BAD BAD BAD "\""},
        {BYTES("\xF0\x9F\x8C"
               "x"),
         "\"" BAD BAD BAD "x\""},
        {BYTES("\xC0\xAF\n"), "\"" BAD BAD "\\n\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        start();
        eg_json_string_n(&json, table[i].text, table[i].length);
        assert_string_equal(buf.data, table[i].wanted);
    }
}

/* Whatever bytes go in: out comes one line of UTF-8 without a bare control character or quote. */
static void test_any_bytes(void **unused)
{
    (void)unused;
    srand(7);
    for (int round = 0; round < 3000; round++) {
        unsigned char bytes[40];
        size_t length = (size_t)(rand() % 40);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (unsigned char)(rand() % 4 ? 0x70 + rand() % 0x90 : rand());
        start();
        eg_json_string_n(&json, (const char *)bytes, length);
        assert_true(buf.length >= 2 && eg_utf8_valid(buf.data, buf.length));
        for (size_t i = 1; i + 1 < buf.length; i++) {
            assert_true((unsigned char)buf.data[i] >= 0x20 && buf.data[i] != '"');
            i += buf.data[i] == '\\';
        }
    }
}

static void test_numbers(void **unused)
{
    (void)unused;
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {0, "0"},
        {-0.0, "-0"},
        {35, "35"},
        {-35.5, "-35.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e-7, "1e-07"},
        {75.123, "75.123"},
        {0.001, "0.001"},
        {-0.001, "-0.001"},
        {0.0001, "0.0001"},
        {999999999, "999999999"},
        {1e9, "1000000000"},
        {123456789.25, "123456789.25"},
        {1e15, "1e+15"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {9007199254740993.0, "9007199254740992"},
        {5e-324, "5e-324"},
        {1.5e-323, "1.5e-323"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {2.0 / 3, "0.6666666666666666"},
        {1.0 / 3, "0.3333333333333333"},
        {100.0 / 3, "33.333333333333336"},
        {1795417200000.0, "1795417200000"},
    };
    char text[EG_NUMBER_TEXT];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_ptr_equal(eg_number_format(table[i].value, text), text);
        assert_string_equal(text, table[i].text);
    }
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static int digits_of(const char *text)
{
    int count = 0, zeros = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (count || *text != '0')) {
            zeros = *text == '0' ? zeros + 1 : 0;
            count++;
        }
    return count - zeros;
}

/* Reads back to the same bits, and no text with fewer digits would. */
static void is_shortest(double value)
{
    char text[EG_NUMBER_TEXT], shorter[EG_NUMBER_TEXT];
    eg_number_format(value, text);
    double back = strtod(text, NULL);
    if (memcmp(&back, &value, sizeof value) != 0)
        fail_msg("%.17g was written as %s", value, text);
    snprintf(shorter, sizeof shorter, "%.*e", digits_of(text) > 1 ? digits_of(text) - 2 : 0, value);
    if (digits_of(text) > 1 && strtod(shorter, NULL) == value)
        fail_msg("%s is not the shortest: %s", text, shorter);
}

static void test_numbers_round_trip(void **unused)
{
    (void)unused;
    uint64_t seed = 20261123;
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = next(&seed);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            is_shortest(value);
        bits &= UINT64_C(0x800fffffffffffff); /* subnormal */
        memcpy(&value, &bits, sizeof value);
        is_shortest(value);
        is_shortest((double)(int64_t)(next(&seed) % 2000000000) / 1000 - 1e6); /* what sensors send */
        is_shortest((double)(next(&seed) % 100000) / 7);
    }
}

static int set_up(void **unused)
{
    (void)unused;
    eg_buf_init(&buf, 4096);
    return 0;
}
static int take_down(void **unused)
{
    (void)unused;
    eg_buf_finish(&buf);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),          cmocka_unit_test(test_strings),
        cmocka_unit_test(test_any_bytes),          cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_round_trip),
    };
    return cmocka_run_group_tests(tests, set_up, take_down);
}
