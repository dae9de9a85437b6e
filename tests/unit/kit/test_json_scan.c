/* The first look at a JSON payload: letters, words and how much is too much. Duplicate keys are the driver's
 * to find (golden pairs). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../drivers/kit/json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct eg_sink sink;

static enum eg_verdict scan(const void *text, size_t length)
{
    /* A copy of its own, so that the sanitizer sees one byte too many. */
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, text, length);
    eg_sink_reset(&sink);
    enum eg_verdict verdict = eg_json_scan(exact, length, &sink);
    free(exact);
    return verdict;
}

static void test_good(void **unused)
{
    (void)unused;
    static const char *const table[] = {"{}",
                                        "[]",
                                        " \t\r\n[ ] ",
                                        "null",
                                        "true",
                                        "false",
                                        "0",
                                        "-0",
                                        "-1.5e+3",
                                        "1E9",
                                        "0.1",
                                        "\"\"",
                                        "\"上田村\"",
                                        "\"\\u4e0a \\\" \\\\ \\n\"",
                                        "\"\\\\u0000\"",
                                        "{\"pm25\":35.2,\"ok\":[true,null]}",
                                        "\xEF\xBB\xBF{}",
                                        "\"\xF0\x9F\x8C\xBE\"",
                                        "\"\x7f\""};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (scan(table[i], strlen(table[i])) != EG_DECODED)
            fail_msg("'%s': %s", table[i], sink.reason);
}

static void test_bad(void **unused)
{
    (void)unused;
#define BYTES(text) text, sizeof text - 1
    static const struct {
        const char *text;
        size_t length;
        const char *says;
    } table[] = {
        {BYTES(""), "empty"},
        {BYTES("nan"), "\"nan\""},
        {BYTES("NaN"), "\"NaN\""},
        {BYTES("[Infinity]"), "\"Infinity\""},
        {BYTES("-"), "\"-\""},
        {BYTES("01"), "\"01\""},
        {BYTES("-01"), "\"-01\""},
        {BYTES("1."), "\"1.\""},
        {BYTES(".5"), "\".5\""},
        {BYTES("+1"), "\"+1\""},
        {BYTES("1e"), "\"1e\""},
        {BYTES("1e+"), "\"1e+\""},
        {BYTES("0x10"), "\"0x10\""},
        {BYTES("1e5x"), "\"1e5x\""},
        {BYTES("True"), "\"True\""},
        {BYTES("tru"), "\"tru\""},
        {BYTES("nulls"), "\"nulls\""},
        {BYTES("'a'"), "\"'a'\""},
        {BYTES("// c"), "\"//\""},
        {BYTES("\"a"), "does not end"},
        {BYTES("\"a\\"), "does not end"},
        {BYTES("\"a\\\""), "does not end"},
        {BYTES("\"a\nb\""), "0x0a"},
        {BYTES("\"a\0b\""), "0x00"},
        {BYTES("\"\\u0000\""), "U+0000"},
        {BYTES("{\"a\\u0000\":1}"), "U+0000"},
        {BYTES("\"\\\\\\u0000\""), "U+0000"},
        {BYTES("\0"), "0x00"},
        {BYTES("{}\0"), "0x00"},
        {BYTES("\x01"), "0x01"},
        {BYTES("\"\xff\""), "UTF-8 at byte 1"},
        {BYTES("\"ab\x80\""), "UTF-8 at byte 3"},
        {BYTES("\"\xC0\xAF\""), "UTF-8"},
        {BYTES("\"\xED\xA0\x80\""), "UTF-8"},
        {BYTES("\"\xF4\x90\x80\x80\""), "UTF-8"},
        {BYTES("\"\xE4\xB8"), "UTF-8"},
        {BYTES("\xff"), "UTF-8 at byte 0"},
        {BYTES("上"), "is not JSON"},
        {BYTES("\xEF\xBB\xBF\xEF\xBB\xBF{}"), "is not JSON"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (scan(table[i].text, table[i].length) != EG_MALFORMED || !strstr(sink.reason, table[i].says))
            fail_msg("'%s' (%zu): '%s' does not say %s", table[i].text, i, sink.reason, table[i].says);
}

/* Every bound: what just fits passes, one more does not. */
static void test_bounds(void **unused)
{
    (void)unused;
    static char text[EG_JSON_BYTES_MAX + 1];
    memset(text, '[', EG_JSON_DEPTH_MAX + 1);
    assert_int_equal(scan(text, EG_JSON_DEPTH_MAX), EG_DECODED);
    assert_int_equal(scan(text, EG_JSON_DEPTH_MAX + 1), EG_MALFORMED);
    assert_non_null(strstr(sink.reason, "deeper than 32 at byte 32"));

    memset(text, '1', EG_JSON_NUMBER_MAX + 1);
    assert_int_equal(scan(text, EG_JSON_NUMBER_MAX), EG_DECODED);
    assert_int_equal(scan(text, EG_JSON_NUMBER_MAX + 1), EG_MALFORMED);

    memset(text, ' ', sizeof text);
    assert_int_equal(scan(text, EG_JSON_BYTES_MAX), EG_DECODED);
    assert_int_equal(scan(text, EG_JSON_BYTES_MAX + 1), EG_MALFORMED);
    assert_non_null(strstr(sink.reason, "262145 bytes"));

    for (size_t i = 0; i <= EG_JSON_VALUES_MAX; i++)
        memcpy(text + 2 * i, "1,", 2);
    assert_int_equal(scan(text, (size_t)2 * EG_JSON_VALUES_MAX), EG_DECODED);
    assert_int_equal(scan(text, (size_t)2 * EG_JSON_VALUES_MAX + 2), EG_MALFORMED);
    assert_non_null(strstr(sink.reason, "more than 32768 values"));
}

/* A reason is a sentence for a terminal, whatever was sent. */
static void test_reasons_are_printable(void **unused)
{
    (void)unused;
    for (int c = 0; c < 256; c++) {
        char text[40];
        memset(text, c, sizeof text);
        if (scan(text, sizeof text) == EG_DECODED)
            continue;
        assert_true(sink.reason[0] != '\0');
        for (const char *at = sink.reason; *at; at++)
            assert_in_range(*at, 0x20, 0x7e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_reasons_are_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
