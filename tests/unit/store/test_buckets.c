/* Blobs of closed buckets (store/buckets.h): what goes in comes out bit for bit, whatever the doubles; hostile bytes are refused; and they
 * are small. Property tests over seeds: each failure names the seed it failed with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chance.h"

#include <base/hash.h>
#include <store/bits.h>
#include <store/buckets.h>
#include <store/store.h>

#include <string.h>

#define SEEDS 300
#define HOUR INT64_C(3600000)

static struct eg_rollup rows[EG_BUCKETS_MAX], back[EG_BUCKETS_MAX];

static double any_double(void)
{
    static const double odd[] = {
        0.0, -0.0, 1e300, -1e300, 5e-324, 0.1, 9007199254740993.0, -0.30000000000000004};
    if (below(4) == 0)
        return odd[below(sizeof odd / sizeof *odd)];
    uint64_t bits = random64();
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Buckets as the pipeline makes them: tenths, hours with gaps, now and then a day of 23 or 25 hours. */
static size_t make_plain(size_t count, uint64_t per_bucket)
{
    int64_t start = INT64_C(1767196800000) + (int64_t)below(1000) * HOUR, level = (int64_t)below(1000);
    for (size_t i = 0; i < count; i++) {
        struct eg_rollup *row = &rows[i];
        *row = (struct eg_rollup){.start_ms = start, .end_ms = start + HOUR, .slots = {~UINT64_C(0) >> 4, 0}};
        for (uint64_t k = 0; k < per_bucket; k++) {
            level += (int64_t)below(7) - 3;
            double value = (double)level / 10;
            int64_t at = start + (int64_t)k * (HOUR / (int64_t)per_bucket);
            if (!row->count) {
                row->first = row->min = row->max = value;
                row->first_ms = at;
            }
            row->min = value < row->min ? value : row->min;
            row->max = value > row->max ? value : row->max;
            row->last = value;
            row->last_ms = at;
            row->sum += value;
            row->count++;
        }
        start += HOUR * (below(50) ? 1 : 1 + (int64_t)below(30));
    }
    return count;
}

static size_t make_wild(void)
{
    size_t count = 1 + below(EG_BUCKETS_MAX);
    int64_t start = (int64_t)below(UINT64_C(1) << 42) - (INT64_C(1) << 41);
    for (size_t i = 0; i < count; i++) {
        int64_t width = 1 + (int64_t)below(below(2) ? 3 : 100000000);
        rows[i] = (struct eg_rollup){.start_ms = start,
                                     .end_ms = start + width,
                                     .count = 1 + below(below(2) ? 4 : INT64_MAX - 1),
                                     .sum = any_double(),
                                     .min = any_double(),
                                     .max = any_double(),
                                     .first = any_double(),
                                     .last = any_double(),
                                     .first_ms = (int64_t)random64(),
                                     .last_ms = (int64_t)random64(),
                                     .slots = {random64(), random64()}};
        start += 1 + (int64_t)below(2 * (uint64_t)width); /* days overlap where the time zone changed */
    }
    return count;
}

static void check_back(size_t count, const struct eg_buf *blob)
{
    size_t got = 0;
    if (eg_buckets_unpack((const uint8_t *)blob->data, blob->length, back, &got) != EG_OK)
        fail_msg("seed %llu: refused", (unsigned long long)seed);
    if (got != count)
        fail_msg("seed %llu: %zu buckets of %zu", (unsigned long long)seed, got, count);
    for (size_t i = 0; i < count; i++)
        if (memcmp(&rows[i], &back[i], sizeof rows[i]) != 0)
            fail_msg("seed %llu: bucket %zu differs", (unsigned long long)seed, i);
}

static void test_back_bit_for_bit(void **unused)
{
    struct eg_buf blob;
    (void)unused;
    eg_buf_init(&blob, 1 << 20);
    for (uint64_t number = 1; number <= SEEDS; number++) {
        begin(number);
        size_t count = number % 2 ? make_plain(1 + below(EG_BUCKETS_MAX), 1 + below(60)) : make_wild();
        eg_buf_clear(&blob);
        assert_true(eg_buckets_pack(&blob, rows, count));
        check_back(count, &blob);
    }
    eg_buf_finish(&blob);
}

/* As the first version wrote them: the seeds' buckets. */
static const uint8_t plain_1[] = {
    0x01, 0x28, 0x80, 0xe2, 0xbd, 0x82, 0x84, 0x67, 0x01, 0x00, 0x80, 0xba, 0xb7, 0x03, 0xfc, 0x80, 0xe8,
    0xdd, 0x0d, 0x00, 0x00, 0x00, 0x00, 0x01, 0x80, 0x00, 0x00, 0x01, 0x00, 0x06, 0xfc, 0x01, 0x00, 0x00,
    0xfc, 0x01, 0x00, 0x80, 0xfc, 0xa4, 0x02, 0xfc, 0x00, 0xc9, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0x80, 0x00, 0x00, 0x01, 0x0b, 0xff, 0xff, 0xfc, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x60,
    0xaa, 0x8c, 0x4e, 0x6d, 0x50, 0x3d, 0x29, 0x78, 0x8c, 0x45, 0x38, 0xc2, 0x8c, 0xe2, 0xce, 0x46, 0xed,
    0xe0, 0xe2, 0x3f, 0x11, 0x08, 0x35, 0x18, 0x2c, 0xe3, 0x86, 0xb1, 0x87, 0x70, 0x55, 0x56, 0x62, 0x8c,
    0x6d, 0x65, 0x37, 0x64, 0xe8, 0x60, 0x63, 0xf0, 0x11, 0x04, 0xd0, 0x1a, 0x85, 0x02, 0xf4, 0x40, 0xf4,
    0x13, 0xe9, 0xe9, 0x77, 0xbb, 0x40, 0x0f, 0xc0, 0x21, 0x07, 0x98, 0x04, 0xce, 0x06, 0x40, 0xe7, 0x93,
    0x00, 0xf8, 0x1c, 0x3f, 0x33, 0xe1, 0x99, 0xe4, 0x84, 0x21, 0xf8, 0x51, 0x02, 0x6c, 0xd3, 0x0a, 0xd6,
    0x6c, 0x40, 0x6c, 0x60, 0x40, 0x00, 0x6c, 0xc6, 0xc0, 0x35, 0x08, 0x20, 0x00, 0xca, 0xdf, 0x17, 0x91,
};
static const uint8_t wild_1[] = {
    0x01, 0x03, 0xc8, 0xec, 0x9a, 0x89, 0xf8, 0x29, 0x03, 0x00, 0xf2, 0xec, 0x9b, 0x52, 0x5f, 0x2e, 0x21,
    0x49, 0x7d, 0xf8, 0x63, 0x01, 0x00, 0x00, 0x66, 0x9f, 0xa9, 0x05, 0xaf, 0x69, 0xe3, 0xc0, 0x02, 0x00,
    0x02, 0x01, 0x80, 0x01, 0x02, 0xdb, 0x95, 0xf2, 0xb9, 0xf8, 0xa0, 0xfb, 0xd0, 0x8c, 0x01, 0xfb, 0x81,
    0x51, 0xed, 0xcc, 0x03, 0x8a, 0x3c, 0x59, 0x2c, 0x96, 0x77, 0xa6, 0x9f, 0x04, 0x82, 0x0a, 0x03, 0x02,
    0xca, 0xc8, 0xe1, 0x8c, 0x9b, 0xf6, 0xe6, 0xb8, 0xca, 0x01, 0xea, 0xe8, 0x4d, 0x1d, 0x96, 0x87, 0x07,
    0x4e, 0xf6, 0x21, 0x71, 0x79, 0x42, 0x1f, 0x9f, 0xe2, 0x01, 0xc1, 0xfc, 0x28, 0x17, 0x08, 0x7c, 0xb9,
    0x50, 0x8b, 0x2c, 0x9d, 0x2a, 0xcb, 0xf0, 0x44, 0xbe, 0xab, 0xf5, 0x22, 0xcd, 0x12, 0xd2, 0xa6, 0x56,
    0x3b, 0x39, 0x00, 0x01, 0xc5, 0xdc, 0xef, 0xb5, 0xc0, 0xa8, 0xf0, 0x70, 0x0d, 0xe0, 0xf2, 0x34, 0xa3,
    0xd5, 0xd7, 0x97, 0xec, 0xb1, 0xf8, 0x3f, 0xe3, 0x1c, 0x65, 0xa2, 0xd3, 0x0d, 0x4f, 0x21, 0xff, 0xc3,
    0xcd, 0x7e, 0x41, 0x8d, 0xe5, 0x89, 0x1c, 0xaf, 0x83, 0xf9, 0x38, 0x09, 0x52, 0x0c, 0xcd, 0x9a, 0x13,
    0x59, 0x11, 0x92, 0x37, 0xfa, 0x51, 0x21, 0xaf, 0x54, 0xff, 0xc5, 0xe7, 0xf7, 0x33, 0x33, 0x33, 0x33,
    0x33, 0x33, 0x70, 0xef, 0xdc, 0xc6, 0x3d, 0xbc, 0xd6, 0x67, 0xa7, 0x83, 0xf8, 0x79, 0x18, 0x99, 0x2d,
    0xb0, 0xaa, 0xb6, 0x10, 0xff, 0xc0, 0x07, 0x1f, 0x9f, 0xcf, 0x0e, 0x04, 0x66, 0x22, 0xbf, 0xa5, 0xc3,
    0xf6, 0x1f, 0x8e, 0xa3, 0x8e, 0xe2, 0x2c, 0xa3, 0x90, 0xff, 0xc1, 0xed, 0xfe, 0x99, 0x99, 0x99, 0x99,
    0x99, 0x99, 0xb8, 0x7d, 0xb7, 0x07, 0x80, 0xd9, 0xba, 0x2e, 0xd6, 0x37, 0x07, 0xff, 0xcd, 0x87, 0xca,
    0x23, 0x28, 0x6c, 0x95, 0x60, 0xff, 0xc5, 0xed, 0x94, 0xe1, 0xcb, 0x07, 0x60, 0xed, 0x67, 0xb8, 0x7c,
    0xa2, 0x49, 0xd0, 0x22, 0x3e, 0x13, 0xba, 0x8e, 0x0f, 0x79, 0x04, 0x83, 0x8a, 0x3d, 0xb8, 0x5c, 0x3f,
    0x98, 0x12, 0x28, 0x40,
};

static void test_first_version(void **unused)
{
    const struct eg_buf plain = {.data = (char *)(uintptr_t)plain_1, .length = sizeof plain_1},
                        wild = {.data = (char *)(uintptr_t)wild_1, .length = sizeof wild_1};
    (void)unused;
    assert_int_equal(plain_1[0], 1);
    begin(11);
    make_plain(40, 3);
    check_back(40, &plain);
    begin(12);
    make_wild();
    check_back(3, &wild);
}

static void test_small(void **unused)
{
    struct eg_buf blob;
    (void)unused;
    eg_buf_init(&blob, 1 << 20);
    begin(7);
    make_plain(EG_BUCKETS_MAX, 1);
    assert_true(eg_buckets_pack(&blob, rows, EG_BUCKETS_MAX));
    print_message("one reading an hour: %.2f bytes a bucket\n", (double)blob.length / EG_BUCKETS_MAX);
    assert_true(blob.length <= 0.9 * EG_BUCKETS_MAX);
    eg_buf_clear(&blob);
    make_plain(EG_BUCKETS_MAX, 60);
    assert_true(eg_buckets_pack(&blob, rows, EG_BUCKETS_MAX));
    print_message("sixty readings an hour: %.2f bytes a bucket\n", (double)blob.length / EG_BUCKETS_MAX);
    assert_true(blob.length <= 4.5 * EG_BUCKETS_MAX);
    eg_buf_finish(&blob);
}

static void test_bounds(void **unused)
{
    struct eg_buf blob;
    (void)unused;
    eg_buf_init(&blob, 1 << 20);
    begin(3);
    make_plain(EG_BUCKETS_MAX, 2);
    assert_false(eg_buckets_pack(&blob, rows, 0));
    assert_false(eg_buckets_pack(&blob, rows, EG_BUCKETS_MAX + 1));
    eg_buf_finish(&blob);
}

/* Damage with a sum that fits, too: nothing is read beyond the end, and whatever is taken is sound. */
static void test_hostile(void **unused)
{
    struct eg_buf blob;
    (void)unused;
    eg_buf_init(&blob, 1 << 20);
    for (uint64_t number = 1; number <= 20 * SEEDS; number++) {
        begin(number);
        make_plain(1 + below(40), 1 + below(5));
        eg_buf_clear(&blob);
        assert_true(eg_buckets_pack(&blob, rows, 1 + below(1)));
        size_t length = below(3) ? blob.length : 6 + below(blob.length - 6), got = 0;
        for (uint64_t hits = 1 + below(4), at = 1; hits && at < length - 4; hits--, at++) /* no place twice */
            ((uint8_t *)blob.data)[at += below(length - 4 - at)] ^= (uint8_t)(1 + below(255));
        assert_int_equal(eg_buckets_unpack((const uint8_t *)blob.data, length, back, &got), EG_ECORRUPT);
        uint32_t sum = (uint32_t)eg_hash(blob.data, length - 4, 0);
        memcpy(blob.data + length - 4, &sum, 4);
        if (eg_buckets_unpack((const uint8_t *)blob.data, length, back, &got) == EG_OK)
            for (size_t i = 0; i < got; i++)
                assert_true(back[i].count && back[i].end_ms > back[i].start_ms);
    }
    eg_buf_finish(&blob);
}

/* The parameter of a Rice block is the one that makes it smallest, of all there are; numbers come back. */
static void test_rice_is_the_cheapest(void **unused)
{
    (void)unused;
    for (uint64_t number = 1; number <= 3000; number++) {
        uint64_t values[EG_BITS_BLOCK], got[EG_BITS_BLOCK], all = 0, wide = 1 + (begin(number), below(64));
        size_t count = 1 + below(EG_BITS_BLOCK), least = SIZE_MAX;
        for (size_t i = 0; i < count; i++)
            all |= values[i] = below(9) ? random64() >> (64 - 1 - below(wide)) : below(3) ? 0 : random64();
        for (unsigned low = 0; low < 63; low++) {
            size_t bits = 0;
            for (size_t i = 0; i < count; i++)
                bits += values[i] >> low < EG_BITS_UNARY ? (values[i] >> low) + 1 + low : EG_BITS_UNARY + 64;
            least = bits < least ? bits : least;
        }
        if (eg_bits_rice_size(values, count, SIZE_MAX) != 6 + (all ? least : 0))
            fail_msg("seed %llu: %zu bits of %zu numbers, %zu are enough", (unsigned long long)seed,
                     eg_bits_rice_size(values, count, SIZE_MAX), count, 6 + least);
        struct eg_buf blob;
        eg_buf_init(&blob, 4096);
        struct eg_bits_out out = {.buf = &blob};
        eg_bits_put_rice(&out, values, count);
        eg_bits_flush(&out);
        assert_int_equal(blob.length, (eg_bits_rice_size(values, count, SIZE_MAX) + 7) / 8);
        struct eg_bits_in in = {.at = (const uint8_t *)blob.data,
                                .end = (const uint8_t *)blob.data + blob.length};
        eg_bits_get_rice(&in, got, count);
        assert_false(in.failed);
        assert_memory_equal(got, values, count * sizeof *values);
        eg_buf_finish(&blob);
    }
    assert_int_equal(eg_bits_shared(0, 0), 0);
    assert_int_equal(eg_bits_shared(0, 0 - UINT64_C(12)), 12);
    assert_int_equal(eg_bits_shared(12, 36), 12);
    assert_int_equal(eg_bits_shared(12, 0 - UINT64_C(30)), 6);
    assert_int_equal(eg_bits_shared(12, 0), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_back_bit_for_bit),
                                       cmocka_unit_test(test_first_version),
                                       cmocka_unit_test(test_small),
                                       cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_hostile),
                                       cmocka_unit_test(test_rice_is_the_cheapest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
