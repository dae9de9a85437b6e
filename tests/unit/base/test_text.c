/* Spans and sizes as configuration writes them; UTF-8 and the columns it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/span.h>
#include <base/utf8.h>

#include <stdlib.h>
#include <string.h>

static void test_spans(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t ms;
        const char *written;
    } table[] = {{"0", 0, "0s"},
                 {"0s", 0, "0s"},
                 {"0d", 0, "0s"},
                 {"1ms", 1, "1ms"},
                 {"500ms", 500, "500ms"},
                 {"30s", 30000, "30s"},
                 {"60s", 60000, "1m"},
                 {"10m", 600000, "10m"},
                 {"90m", 5400000, "90m"},
                 {"1h", 3600000, "1h"},
                 {"24h", 86400000, "1d"},
                 {"25h", 90000000, "25h"},
                 {"30d", INT64_C(2592000000), "30d"},
                 {"1500ms", 1500, "1500ms"},
                 {"0007s", 7000, "7s"},
                 {"106751991167d", INT64_C(106751991167) * 86400000, "106751991167d"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t ms = -7;
        char text[32];
        if (!eg_span_parse(table[i].text, &ms) || ms != table[i].ms)
            fail_msg("'%s' became %lld", table[i].text, (long long)ms);
        assert_string_equal(eg_span_format(ms, text), table[i].written);
    }
    static const char *const bad[] = {"",
                                      "1",
                                      "s",
                                      "ms",
                                      "-1s",
                                      "+1s",
                                      " 1s",
                                      "1s ",
                                      "1 s",
                                      "1S",
                                      "1H",
                                      "1.5h",
                                      "1h30m",
                                      "1min",
                                      "1w",
                                      "0x1s",
                                      "１s",
                                      "106751991168d",
                                      "9223372036854775808ms",
                                      "99999999999999999999999999s",
                                      "1e3s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = -7;
        if (eg_span_parse(bad[i], &ms) || ms != -7)
            fail_msg("'%s' became %lld", bad[i], (long long)ms);
    }
}

static void test_sizes(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } table[] = {{"0", 0},
                 {"64KB", 64000},
                 {"64KiB", 65536},
                 {"4GB", 4000000000},
                 {"512MiB", 536870912},
                 {"1B", 1},
                 {"1TB", 1000000000000},
                 {"8388607TiB", INT64_C(8388607) << 40},
                 {"8388608TiB", -1},
                 {"64", -1},
                 {"64K", -1},
                 {"64kb", -1},
                 {"64 KB", -1},
                 {"-1KB", -1},
                 {"", -1},
                 {"1s", -1}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t bytes = -1;
        bool taken = eg_size_parse(table[i].text, &bytes);
        if (taken != (table[i].bytes >= 0) || bytes != table[i].bytes)
            fail_msg("'%s' became %lld", table[i].text, (long long)bytes);
    }
}

static void test_utf8(void **unused)
{
    (void)unused;
#define BYTES(text) text, sizeof text - 1
    static const struct {
        const char *text;
        size_t length;
        bool valid;
    } table[] = {
        {BYTES(""), true},
        {BYTES("\0"), true},
        {BYTES("上田村"), true},
        {BYTES("\xF4\x8F\xBF\xBF"), true},
        {BYTES("\xEF\xBF\xBF"), true},
        {BYTES("\x80"), false},
        {BYTES("\xC0\x80"), false},
        {BYTES("\xC1\xBF"), false},
        {BYTES("\xE0\x80\xAF"), false},
        {BYTES("\xED\xA0\x80"), false},
        {BYTES("\xF0\x80\x80\xAF"), false},
        {BYTES("\xF4\x90\x80\x80"), false},
        {BYTES("\xF5\x80\x80\x80"), false},
        {BYTES("\xE4\xB8"), false},
        {BYTES("\xC3("), false},
        {BYTES("\xFE"), false},
        {BYTES("\xFF"), false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t before = 0; before < 20;
             before++) { /* words of eight bytes are looked at at once: wherever it lies, it is found */
            char *text = malloc(before + table[i].length + 9);
            memset(text, 'x', before + table[i].length + 9);
            memcpy(text + before, table[i].text, table[i].length);
            if (eg_utf8_valid(text, before + table[i].length) != table[i].valid ||
                eg_utf8_valid(text, before + table[i].length + 9) != table[i].valid)
                fail_msg("row %zu at byte %zu", i, before);
            free(text);
        }
}

static void test_columns(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t columns;
    } table[] = {{"", 0},
                 {"abc", 3},
                 {"上田村", 6},
                 {"PM2.5 细颗粒物", 14},
                 {"é", 1},
                 {"e\xCC\x81", 1},
                 {"，。", 4},
                 {"ＡＢ", 4},
                 {"한국", 4},
                 {"カナ", 4},
                 {"ｶﾅ", 2},
                 {"🌾", 2},
                 {"a\xE2\x80\x8B"
                  "b",
                  2},
                 {"\xff\xfe", 2},
                 {"\xE4\xB8", 2},
                 {"a\tb\n", 2},
                 {"…—°µ", 4},
                 {"│█", 2}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (eg_utf8_columns(table[i].text) != table[i].columns)
            fail_msg("'%s' takes %zu columns, not %zu", table[i].text, table[i].columns,
                     eg_utf8_columns(table[i].text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_spans), cmocka_unit_test(test_sizes),
                                       cmocka_unit_test(test_utf8), cmocka_unit_test(test_columns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
