/* Buffers with a maximum, LEB128, and the reader that never runs past the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/buf.h>

#include <stdlib.h>
#include <string.h>

static void test_it_grows_up_to_its_maximum(void **unused)
{
    (void)unused;
    struct eg_buf buf;
    eg_buf_init(&buf, 1000);
    for (int i = 0; i < 100; i++) {
        assert_true(eg_buf_text(&buf, "0123456789"));
        assert_int_equal(buf.length, 10 * (i + 1));
        assert_int_equal(buf.data[buf.length], '\0');
    }
    assert_true(eg_buf_add(&buf, NULL, 0)); /* nothing always fits */
    assert_false(eg_buf_add(&buf, "x", 1));
    assert_true(buf.failed);
    assert_int_equal(buf.length, 1000); /* what is there stays */
    assert_memory_equal(buf.data + 990, "0123456789", 11);
    assert_false(eg_buf_add(&buf, NULL, 0)); /* failed: nothing more, even what would fit */
    eg_buf_drop(&buf, 995);
    assert_string_equal(buf.data, "56789");
    assert_false(eg_buf_text(&buf, "x"));
    eg_buf_clear(&buf);
    assert_false(buf.failed);
    assert_string_equal(buf.data, "");
    assert_true(eg_buf_printf(&buf, "%d-%s", 7, "上"));
    assert_string_equal(buf.data, "7-上");
    eg_buf_drop(&buf, SIZE_MAX);
    assert_int_equal(buf.length, 0);
    eg_buf_finish(&buf);
}

static void test_hostile_lengths(void **unused)
{
    (void)unused;
    struct eg_buf buf;
    eg_buf_init(&buf, 10);
    eg_buf_drop(&buf, 5); /* nothing was ever written */
    eg_buf_clear(&buf);
    assert_false(eg_buf_add(&buf, "x", SIZE_MAX));
    assert_int_equal(buf.length, 0);
    eg_buf_clear(&buf);
    assert_true(eg_buf_text(&buf, "12345"));
    assert_false(eg_buf_add(&buf, "x", SIZE_MAX - 2));
    eg_buf_clear(&buf);
    assert_false(eg_buf_printf(&buf, "%s", "12345678901"));
    assert_int_equal(buf.length, 0);
    eg_buf_finish(&buf);
}

static void test_numbers_come_back(void **unused)
{
    (void)unused;
    static const uint64_t whole[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_C(1) << 63, UINT64_MAX};
    static const size_t bytes[] = {1, 1, 1, 2, 2, 3, 5, 10, 10};
    static const int64_t sign[] = {0, -1, 1, -64, 64, INT64_MIN, INT64_MAX, INT64_C(1795417200000)};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        struct eg_buf buf;
        eg_buf_init(&buf, 100);
        assert_true(eg_buf_varint(&buf, whole[i]));
        assert_int_equal(buf.length, bytes[i]);
        struct eg_cut cut = {(const uint8_t *)buf.data, (const uint8_t *)buf.data + buf.length, false};
        assert_true(eg_cut_varint(&cut) == whole[i] && !cut.failed && cut.at == cut.end);
        for (size_t less = 0; less < buf.length; less++) { /* cut short: said, not read on */
            uint8_t *exact = malloc(less ? less : 1);
            memcpy(exact, buf.data, less);
            cut = (struct eg_cut){exact, exact + less, false};
            assert_true(eg_cut_varint(&cut) == 0 && cut.failed && cut.at == cut.end);
            free(exact);
        }
        eg_buf_finish(&buf);
    }
    struct eg_buf buf;
    eg_buf_init(&buf, 100);
    for (size_t i = 0; i < sizeof sign / sizeof *sign; i++)
        assert_true(eg_buf_zigzag(&buf, sign[i]));
    assert_int_equal(buf.data[1], 1); /* -1 is small */
    struct eg_cut cut = {(const uint8_t *)buf.data, (const uint8_t *)buf.data + buf.length, false};
    for (size_t i = 0; i < sizeof sign / sizeof *sign; i++)
        assert_true(eg_cut_zigzag(&cut) == sign[i]);
    assert_true(!cut.failed && cut.at == cut.end);
    eg_buf_finish(&buf);
}

static void test_hostile_bytes(void **unused)
{
    (void)unused;
    static const uint8_t endless[12] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t too_big[10] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    struct eg_cut cut = {endless, endless + 12, false};
    assert_true(eg_cut_varint(&cut) == 0 && cut.failed);
    assert_true(eg_cut_varint(&cut) == 0 && eg_cut_bytes(&cut, 0) == NULL); /* it stays failed */
    cut = (struct eg_cut){too_big, too_big + 10, false};
    assert_true(eg_cut_varint(&cut) == 0 && cut.failed);
    cut = (struct eg_cut){endless, endless + 12, false};
    assert_ptr_equal(eg_cut_bytes(&cut, 12), endless);
    assert_false(cut.failed);
    assert_ptr_equal(eg_cut_bytes(&cut, 0), endless + 12);
    assert_null(eg_cut_bytes(&cut, 1));
    assert_true(cut.failed);
    cut = (struct eg_cut){endless, endless + 12, false};
    assert_null(eg_cut_bytes(&cut, SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_grows_up_to_its_maximum),
        cmocka_unit_test(test_hostile_lengths),
        cmocka_unit_test(test_numbers_come_back),
        cmocka_unit_test(test_hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
