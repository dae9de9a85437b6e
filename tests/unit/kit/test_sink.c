/* What a driver may put down: the sink's bounds, the sentence of a refusal, quoting strangers, saying the
 * same thing twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ecogov/driver.h>

#include "../../../drivers/kit/codepoint.h"
#include "../../../drivers/kit/excerpt.h"
#include "../../../drivers/kit/twice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct eg_sink sink;

static void test_bounds(void **unused)
{
    (void)unused;
    eg_sink_reset(&sink);
    for (int i = 0; i < EG_SINK_MAX; i++)
        assert_true(eg_sink_add(&sink, EG_Q_pm25, NULL, i, i));
    assert_string_equal(sink.reason, "");
    assert_false(eg_sink_add(&sink, EG_Q_pm25, NULL, 5000, 1));
    assert_int_equal(sink.count, EG_SINK_MAX);
    assert_non_null(strstr(sink.reason, "more than 1024 readings"));
    eg_sink_reset(&sink);
    assert_int_equal(sink.count, 0);
    assert_string_equal(sink.reason, "");
}

/* By these numbers devices say that they could not measure; not where the quantity can have them. */
static void test_codes(void **unused)
{
    (void)unused;
    static const struct {
        uint16_t quantity;
        double value;
        bool fault;
    } table[] = {
        {EG_Q_temperature, -127, true},   {EG_Q_temperature, -327.68, true}, {EG_Q_temperature, 85, true},
        {EG_Q_temperature, -1, false},    {EG_Q_bin_temp, 85, false},        {EG_Q_humidity, -1, true},
        {EG_Q_humidity, -2, false},       {EG_Q_co2, 65535, true},           {EG_Q_light, 65535, false},
        {EG_Q_pm25, -1000.99, true},      {EG_Q_pm25, 655.35, false},        {EG_Q_pm25, 6553.5, true},
        {EG_Q_soil_moisture, -999, true}, {EG_Q_orp, -999, false},           {EG_Q_pressure, 327.67, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        eg_sink_reset(&sink);
        assert_true(eg_sink_add(&sink, table[i].quantity, "c", 1, table[i].value));
        if (sink.fault_count != table[i].fault || sink.count != !table[i].fault)
            fail_msg("%s %g: %u faults, %zu readings", eg_quantity_info(table[i].quantity)->name,
                     table[i].value, sink.fault_count, sink.count);
    }
    eg_sink_reset(&sink);
    assert_true(eg_sink_add(&sink, EG_Q_co2, "2", 1, 65535));
    assert_string_equal(sink.fault, "co2 of channel 2: the device says 65535");
}

static void test_what_is_let_in(void **unused)
{
    (void)unused;
    static const struct {
        const char *channel;
        double value;
        const char *says; /* NULL: let in */
    } table[] = {
        {NULL, 1, NULL},
        {"", -0.0, NULL},
        {"10cm", 1, NULL},
        {"东", 1, NULL},
        {"1234567890123456789012345678901", 1, NULL},
        {"12345678901234567890123456789012", 1, "longer than 31"},
        {"一二三四五六七八九十一", 1, "longer than 31"},
        {"a\nb", 1, "printable"},
        {"a\x7f", 1, "printable"},
        {"\xff", 1, "printable"},
        {"a\xE2\x80\xAE"
         "b",
         1, "printable"}, /* turns the text round */
        {"\xEF\xBB\xBF", 1, "printable"},
        {"\xC2\x85", 1, "printable"},
        {"\xE2\x80\x8B", 1, "printable"},
        {"", (double)NAN, "pm25 is no finite"},
        {"", (double)INFINITY, "no finite"},
        {"", (double)-INFINITY, "no finite"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        eg_sink_reset(&sink);
        bool in = eg_sink_add(&sink, EG_Q_pm25, table[i].channel, EG_TIME_NONE, table[i].value);
        assert_int_equal(in, table[i].says == NULL);
        assert_int_equal(sink.count, in);
        if (in) {
            assert_string_equal(sink.readings[0].channel, table[i].channel ? table[i].channel : "");
            assert_true(sink.readings[0].time_ms == EG_TIME_NONE && sink.readings[0].flags == 0);
        } else if (!strstr(sink.reason, table[i].says)) {
            fail_msg("row %zu: '%s' does not say %s", i, sink.reason, table[i].says);
        }
    }
}

/* A sentence that is cut stays UTF-8, wherever the cut falls. */
static void test_a_refusal_is_cut_between_characters(void **unused)
{
    (void)unused;
    for (int lead = 0; lead < 5; lead++) {
        char text[2 * EG_REASON_MAX] = "";
        memset(text, 'x', (size_t)lead);
        while (strlen(text) < EG_REASON_MAX + 20)
            strcat(text, lead % 2 ? "上" : "🌾");
        assert_int_equal(eg_sink_reject(&sink, EG_CHECKSUM, "%s", text), EG_CHECKSUM);
        size_t length = strlen(sink.reason);
        assert_in_range(length, EG_REASON_MAX - 4, EG_REASON_MAX - 1);
        uint32_t codepoint;
        for (size_t at = 0, step; at < length; at += step) {
            step = eg_codepoint_next(sink.reason + at, length - at, &codepoint);
            assert_true(step > 0);
        }
        assert_memory_equal(sink.reason, text, length);
    }
}

static void test_excerpts(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t length;
        const char *wanted;
    } table[] = {
        {"", 0, ""},
        {"pm25", 4, "pm25"},
        {"pm25", 2, "pm"},
        {"a\"b", 3, "a?b"},
        {"a\033[2J", 5, "a?[2J"},
        {"a\0b", 3, "a?b"},
        {"\xff\xfe", 2, "??"},
        {"上田", 6, "上田"},
        {"上田", 5, "上??"},
        {"\xE2\x80\xAE", 3, "?"},
        {"12345678901234567890123456789012", 32, "12345678901234567890123456789012"},
        {"123456789012345678901234567890123", 33, "12345678901234567890123456789012..."},
        {"1234567890123456789012345678901上", 34, "1234567890123456789012345678901..."},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[EG_EXCERPT_MAX];
        assert_ptr_equal(eg_excerpt_write(table[i].text, table[i].length, out), out);
        assert_string_equal(out, table[i].wanted);
    }
}

static void test_codepoints(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t length, bytes;
        uint32_t codepoint;
    } table[] = {{"a", 1, 1, 'a'},
                 {"\0", 1, 1, 0},
                 {"\xC2\x80", 2, 2, 0x80},
                 {"\xDF\xBF", 2, 2, 0x7FF},
                 {"\xE0\xA0\x80", 3, 3, 0x800},
                 {"\xEF\xBF\xBF", 3, 3, 0xFFFF},
                 {"\xF0\x90\x80\x80", 4, 4, 0x10000},
                 {"\xF4\x8F\xBF\xBF", 4, 4, 0x10FFFF},
                 {"", 0, 0, 0},
                 {"\x80", 1, 0, 0},
                 {"\xC0\x80", 2, 0, 0},
                 {"\xC1\xBF", 2, 0, 0},
                 {"\xE0\x9F\xBF", 3, 0, 0},
                 {"\xED\xA0\x80", 3, 0, 0},
                 {"\xED\xBF\xBF", 3, 0, 0},
                 {"\xF0\x8F\xBF\xBF", 4, 0, 0},
                 {"\xF4\x90\x80\x80", 4, 0, 0},
                 {"\xF5\x80\x80\x80", 4, 0, 0},
                 {"\xE4\xB8\x8A", 2, 0, 0},
                 {"\xC2", 1, 0, 0},
                 {"\xE4z\x8A", 3, 0, 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t codepoint = 0;
        assert_int_equal(eg_codepoint_next(table[i].text, table[i].length, &codepoint), table[i].bytes);
        assert_int_equal(codepoint, table[i].codepoint);
    }
}

static void add(size_t i, const char *channel, int64_t ms, uint16_t quantity)
{
    sink.readings[i] = (struct eg_reading){.time_ms = ms, .quantity = quantity};
    snprintf(sink.readings[i].channel, sizeof sink.readings[i].channel, "%s", channel);
}

/* Few readings are compared in pairs, many by hash: both find the same one. */
static void test_twice(void **unused)
{
    (void)unused;
    static const size_t counts[] = {2, 8, 9, 100, EG_SINK_MAX};
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        size_t count = sink.count = counts[n];
        char channel[32];
        for (size_t i = 0; i < count; i++) {
            snprintf(channel, sizeof channel, "%zu", i / 4);
            add(i, channel, i % 2 ? EG_TIME_NONE : 5, i % 4 < 2 ? EG_Q_pm25 : EG_Q_pm10);
        }
        assert_int_equal(eg_twice_find(&sink), count);
        sink.readings[count - 1] = sink.readings[count / 2 - 1];
        assert_int_equal(eg_twice_find(&sink), count - 1);
        sink.readings[count - 1].time_ms++;
        assert_int_equal(eg_twice_find(&sink), count);
    }
    sink.count = 0;
    assert_int_equal(eg_twice_find(&sink), 0);
}

static void test_devices_and_faults(void **unused)
{
    (void)unused;
    char name[8];
    eg_sink_reset(&sink);
    assert_true(eg_sink_device(&sink, "a1", 2) && eg_sink_add(&sink, EG_Q_pm25, NULL, 0, 1));
    assert_true(eg_sink_device(&sink, "b", 1) && eg_sink_device(&sink, "a1", 2));
    assert_int_equal(sink.device, 1);
    assert_true(eg_sink_device(&sink, "", 0) && eg_sink_add(&sink, EG_Q_pm25, NULL, 0, 1));
    assert_int_equal(sink.readings[0].device, 1);
    assert_int_equal(sink.readings[1].device, 0);
    assert_string_equal(sink.devices[0], "a1");
    assert_false(eg_sink_device(&sink, "a\n", 2));
    for (int i = 2; i < EG_SINK_DEVICES; i++)
        assert_true(eg_sink_device(&sink, name, (size_t)snprintf(name, sizeof name, "d%d", i)));
    assert_false(eg_sink_device(&sink, "one more", 8));
    assert_non_null(strstr(sink.reason, "more than 64 devices"));
    eg_sink_fault(&sink, EG_Q_pm10, "roof", "-999");
    eg_sink_fault(&sink, EG_Q_pm25, NULL, "-1");
    assert_int_equal(sink.fault_count, 2);
    assert_string_equal(sink.fault, "pm10 of channel roof: the device says -999");
    eg_sink_frame(&sink, 7);
    assert_true(sink.has_frame && sink.frame == 7);
    eg_sink_reset(&sink);
    assert_true(!sink.has_frame && !sink.fault_count && !sink.device && !sink.device_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_what_is_let_in),
        cmocka_unit_test(test_a_refusal_is_cut_between_characters),
        cmocka_unit_test(test_excerpts),
        cmocka_unit_test(test_codepoints),
        cmocka_unit_test(test_devices_and_faults),
        cmocka_unit_test(test_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
