/* The blobs (store/pack.h): what goes in comes out bit for bit, and hostile bytes are refused.
 *
 * Property tests over seeds: each failure names the seed it failed with. Knows bytes only; no store is opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chance.h"

#include <base/hash.h>
#include <store/pack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 60
#define ROWS_MOST 3000

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Everything a double can be, the odd ones more often than by chance. */
static double any_double(void)
{
    static const uint64_t odd[] = {
        0x0000000000000000, 0x8000000000000000, /* 0, -0 */
        0x7ff0000000000000, 0xfff0000000000000, /* infinities */
        0x7ff8000000000000, 0xfff8000000000000,
        0x7ff8dead0000beef, 0x7ff0000000000001, /* NaNs, quiet and signalling */
        0x0000000000000001, 0x8000000000000001,
        0x000fffffffffffff, 0x0010000000000000, /* denormals and their edge */
        0x7fefffffffffffff, 0xffefffffffffffff, /* largest */
        0x4340000000000000, 0x4340000000000001,
        0x433fffffffffffff, 0xc340000000000000, /* around 2^53 */
        0x3fb999999999999a, 0x3fd3333333333334, /* 0.1, and 0.1 + 0.2 */
    };
    switch (below(4)) {
    case 0:
        return from_bits(odd[below(sizeof odd / sizeof *odd)]);
    case 1:
        return from_bits(random64());
    default: { /* what sensors say: decimals */
        static const double scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
        return (double)((int64_t)below(2000001) - 1000000) / scales[below(8)];
    }
    }
}

static int64_t any_time(bool wild)
{
    if (wild && below(8) == 0)
        return (int64_t)random64();
    if (wild && below(16) == 0)
        return below(2) ? INT64_MAX : INT64_MIN + 1;
    return INT64_C(1795417200000) + (int64_t)below(86400000) - 43200000;
}

/* --- readings of a turn: any order --- */

struct expected {
    const struct eg_row_reading *rows;
    size_t at;
};

static bool reading_is(void *arg, const struct eg_row_reading *row)
{
    struct expected *expected = arg;
    const struct eg_row_reading *want = &expected->rows[expected->at];
    if (row->series != want->series || row->flags != want->flags || row->time_ms != want->time_ms ||
        to_bits(row->value) != to_bits(want->value))
        fail_msg(
            "seed %llu: reading %zu came back as series %u flags %u time %lld bits %llx, not %u %u %lld %llx",
            (unsigned long long)seed, expected->at, row->series, row->flags, (long long)row->time_ms,
            (unsigned long long)to_bits(row->value), want->series, want->flags, (long long)want->time_ms,
            (unsigned long long)to_bits(want->value));
    expected->at++;
    return true;
}

static void readings_come_back(void **unused)
{
    (void)unused;
    struct eg_row_reading *rows = malloc(ROWS_MOST * sizeof *rows);
    struct eg_buf blob;
    assert_non_null(rows);
    eg_buf_init(&blob, (size_t)1 << 24);
    for (uint64_t s = 1; s <= SEEDS; s++) {
        begin(s);
        size_t count = below(s % 10 ? 40 : ROWS_MOST);
        int64_t at_ms = any_time(true);
        for (size_t i = 0; i < count; i++)
            rows[i] = (struct eg_row_reading){
                below(20) ? (uint32_t)below(10000) : UINT32_MAX - (uint32_t)below(3),
                (uint16_t)(below(4) ? below(16) : below(65536)), any_time(true), any_double()};
        eg_buf_clear(&blob);
        assert_true(eg_pack_readings(&blob, rows, count, at_ms));
        struct expected expected = {rows, 0};
        assert_int_equal(
            eg_pack_each_reading((const uint8_t *)blob.data, blob.length, at_ms, reading_is, &expected),
            EG_OK);
        assert_int_equal(expected.at, count);
    }
    eg_buf_finish(&blob);
    free(rows);
}

static bool stop_at_third(void *arg, const struct eg_row_reading *row)
{
    (void)row;
    return ++*(int *)arg < 3;
}

static void a_taker_may_stop(void **unused)
{
    (void)unused;
    struct eg_row_reading rows[5] = {
        {1, 0, 1, 1.5}, {2, 0, 2, 2.5}, {3, 0, 3, 3.5}, {4, 0, 4, 4.5}, {5, 0, 5, 5.5}};
    struct eg_buf blob;
    int seen = 0;
    eg_buf_init(&blob, 4096);
    assert_true(eg_pack_readings(&blob, rows, 5, 0));
    assert_int_equal(eg_pack_each_reading((const uint8_t *)blob.data, blob.length, 0, stop_at_third, &seen),
                     EG_OK);
    assert_int_equal(seen, 3);
    eg_buf_finish(&blob);
}

/* --- identities --- */

struct idents {
    const struct eg_row_ident *rows;
    size_t at;
};

static void ident_is(void *arg, uint16_t mid, uint32_t hash)
{
    struct idents *idents = arg;
    assert_int_equal(mid, idents->rows[idents->at].mid);
    assert_int_equal(hash, idents->rows[idents->at].hash);
    idents->at++;
}

static void identities_come_back(void **unused)
{
    (void)unused;
    struct eg_row_ident rows[500];
    struct eg_buf blob;
    eg_buf_init(&blob, 1 << 20);
    for (uint64_t s = 1; s <= SEEDS; s++) {
        begin(s);
        size_t count = below(500);
        for (size_t i = 0; i < count; i++)
            rows[i] = (struct eg_row_ident){(uint16_t)(below(3) ? i + 1 : random64()), (uint32_t)random64()};
        if (count > 2) { /* the longest steps there are */
            rows[0].mid = UINT16_MAX;
            rows[1].mid = 0;
        }
        eg_buf_clear(&blob);
        assert_true(eg_pack_idents(&blob, rows, count));
        struct idents idents = {rows, 0};
        assert_int_equal(eg_pack_each_ident((const uint8_t *)blob.data, blob.length, ident_is, &idents),
                         EG_OK);
        assert_int_equal(idents.at, count);
    }
    eg_buf_finish(&blob);
}

/* --- chunks: ascending --- */

static int by_time(const void *left, const void *right)
{
    const struct eg_point *a = left, *b = right;
    return (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
}

static size_t any_points(struct eg_point *points, bool wild)
{
    size_t count = 1 + below(seed % 7 ? 60 : EG_CHUNK_POINTS);
    bool plain = below(2);
    uint64_t decimals = below(8);
    static const double scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    for (size_t i = 0; i < count; i++)
        points[i] = (struct eg_point){any_time(wild),
                                      plain ? (double)(int64_t)below(5000) / scales[decimals] : any_double(),
                                      (uint16_t)(below(10) ? 0 : below(65536))};
    qsort(points, count, sizeof *points, by_time);
    return count;
}

static void chunks_come_back(void **unused)
{
    (void)unused;
    static struct eg_point points[EG_CHUNK_POINTS], back[EG_CHUNK_POINTS];
    struct eg_buf blob;
    eg_buf_init(&blob, 1 << 20);
    for (uint64_t s = 1; s <= 4 * SEEDS; s++) {
        begin(s);
        size_t count = any_points(points, s % 3 == 0), got = 0;
        eg_buf_clear(&blob);
        assert_true(eg_pack_chunk(&blob, points, count));
        assert_int_equal(eg_pack_chunk_points((const uint8_t *)blob.data, blob.length, back, &got), EG_OK);
        assert_int_equal(got, count);
        for (size_t i = 0; i < count; i++)
            if (back[i].time_ms != points[i].time_ms || back[i].flags != points[i].flags ||
                to_bits(back[i].value) != to_bits(points[i].value))
                fail_msg("seed %llu: point %zu came back as %lld %llx %u, not %lld %llx %u",
                         (unsigned long long)s, i, (long long)back[i].time_ms,
                         (unsigned long long)to_bits(back[i].value), back[i].flags,
                         (long long)points[i].time_ms, (unsigned long long)to_bits(points[i].value),
                         points[i].flags);
    }
    eg_buf_finish(&blob);
}

/* A sensor's day, once a minute with one decimal, is what chunks are for: the trial had 2.2 bytes a reading. */
static void a_plain_day_is_small(void **unused)
{
    (void)unused;
    static struct eg_point points[1440];
    struct eg_buf blob;
    eg_buf_init(&blob, 1 << 20);
    begin(1);
    int64_t tenths = 352;
    for (size_t i = 0; i < 1440; i++) {
        tenths += (int64_t)below(11) - 5;
        points[i] = (struct eg_point){INT64_C(1795417200000) + (int64_t)i * 60000 + (int64_t)below(20),
                                      (double)tenths / 10, 0};
    }
    assert_true(eg_pack_chunk(&blob, points, 1440));
    assert_true(blob.length < 1440 * 3 / 2); /* 20 ms of jitter and 11 steps of value: 10 bits of news */
    eg_buf_finish(&blob);
}

static void chunk_back(const struct eg_buf *blob, const struct eg_point *points, size_t count)
{
    static struct eg_point back[EG_CHUNK_POINTS];
    size_t got = 0;
    assert_int_equal(eg_pack_chunk_points((const uint8_t *)blob->data, blob->length, back, &got), EG_OK);
    assert_int_equal(got, count);
    for (size_t i = 0; i < count; i++)
        assert_true(back[i].time_ms == points[i].time_ms && back[i].flags == points[i].flags &&
                    to_bits(back[i].value) == to_bits(points[i].value));
}

/* Times at one pace cost next to nothing, a gap in them little; what has no decimals goes by XOR where that is less. */
static void each_form_is_as_small_as_it_can_be(void **unused)
{
    (void)unused;
    static struct eg_point points[1000];
    struct eg_buf blob;
    struct eg_chunk_stats stats;
    double sum = 0;
    eg_buf_init(&blob, 1 << 20);
    for (size_t i = 0; i < 1000; i++) {
        points[i] = (struct eg_point){(int64_t)(i + i / 100) * 3600000, (double)(i / 8), 0};
        sum += points[i].value;
    }
    assert_true(eg_pack_chunk(&blob, points, 1000));
    assert_true(blob.length < 350);
    chunk_back(&blob, points, 1000);
    assert_true(eg_pack_chunk_stats((const uint8_t *)blob.data, blob.length, &stats));
    assert_true(stats.count == 1000 && stats.min == 0 && stats.max == 124 && stats.sum == sum);
    assert_false(eg_pack_chunk_stats((const uint8_t *)blob.data, blob.length - 1, &stats));
    for (size_t i = 0; i < 1000; i++)
        points[i].value = 1.0 / 3 + (double)(i / 50) * 1e-3;
    eg_buf_clear(&blob);
    assert_true(eg_pack_chunk(&blob, points, 1000));
    assert_true(blob.length < 700); /* raw: 8,000 */
    chunk_back(&blob, points, 1000);
    begin(5);
    for (size_t i = 0; i < 1000; i++)
        points[i].value = 22.5 * (double)below(16); /* a wind vane's */
    eg_buf_clear(&blob);
    assert_true(eg_pack_chunk(&blob, points, 1000));
    assert_true(blob.length < 800);
    chunk_back(&blob, points, 1000);
    for (size_t i = 0; i < 1000; i++)
        points[i].value = from_bits(random64());
    eg_buf_clear(&blob);
    assert_true(eg_pack_chunk(&blob, points, 1000));
    assert_true(blob.length < 8300);
    chunk_back(&blob, points, 1000);
    eg_buf_finish(&blob);
}

/* As version 1 wrote it: varints throughout. */
static void an_old_chunk_is_read(void **unused)
{
    (void)unused;
    const struct eg_point points[3] = {{1000, 1.5, 0}, {61000, 1.25, 7}, {122000, -2, 7}};
    const uint8_t version = 1;
    struct eg_buf blob;
    eg_buf_init(&blob, 1000);
    eg_buf_add(&blob, &version, 1);
    eg_buf_varint(&blob, 3);
    eg_buf_zigzag(&blob, 1000);
    eg_buf_zigzag(&blob, 60000);
    eg_buf_zigzag(&blob, 1000);
    eg_buf_add(&blob, "\1\0\2\7\2", 5); /* flags 0 once, 7 twice; two decimals */
    eg_buf_zigzag(&blob, 150);
    eg_buf_zigzag(&blob, -25);
    eg_buf_zigzag(&blob, -325);
    uint32_t sum = (uint32_t)eg_hash(blob.data, blob.length, 0);
    eg_buf_add(&blob, &sum, 4);
    chunk_back(&blob, points, 3);
    eg_buf_finish(&blob);
}

/* As version 2 wrote it: deltas of values as they are. */
static void a_second_chunk_is_read(void **unused)
{
    (void)unused;
    const struct eg_point points[6] = {{1000, 1.5, 0}, {61000, 2, 7},     {122000, -2, 7},
                                       {182000, 0, 0}, {242000, 12.5, 0}, {302500, 12.5, 1}};
    static const uint8_t bytes[] = {0x02, 0x06, 0xd0, 0x0f, 0xf4, 0x03, 0x78, 0x07, 0x29, 0x00,
                                    0x01, 0x00, 0x02, 0x07, 0x02, 0x00, 0x01, 0x01, 0x01, 0x1e,
                                    0x18, 0x54, 0x7a, 0x8e, 0xe8, 0x00, 0x62, 0xf2, 0x40, 0x2d};
    const struct eg_buf blob = {.data = (char *)(uintptr_t)bytes, .length = sizeof bytes};
    assert_int_equal(bytes[0], 2);
    chunk_back(&blob, points, 6);
}

/* --- hostile bytes --- */

static bool any_reading(void *arg, const struct eg_row_reading *row)
{
    *(double *)arg += (double)row->series;
    return true;
}

static void any_ident(void *arg, uint16_t mid, uint32_t hash)
{
    *(double *)arg += mid + (double)hash;
}

/* All three readers over the same bytes; how many took them. The bytes lie alone on the heap, so that a step outside is seen. */
static int readers_that_take(const uint8_t *bytes, size_t length)
{
    static struct eg_point points[EG_CHUNK_POINTS];
    double sum = 0;
    size_t count = 0;
    uint8_t *alone = malloc(length ? length : 1);
    assert_non_null(alone);
    memcpy(alone, bytes, length);
    int codes[] = {eg_pack_each_reading(alone, length, 0, any_reading, &sum),
                   eg_pack_each_ident(alone, length, any_ident, &sum),
                   eg_pack_chunk_points(alone, length, points, &count)};
    free(alone);
    int taken = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_true(codes[i] == EG_OK || codes[i] == EG_ECORRUPT);
        taken += codes[i] == EG_OK;
    }
    assert_true(count <= EG_CHUNK_POINTS);
    return taken;
}

static void pack_some(struct eg_buf *blob, int kind)
{
    static struct eg_point points[EG_CHUNK_POINTS];
    struct eg_row_reading rows[40];
    struct eg_row_ident idents[40];
    eg_buf_clear(blob);
    for (size_t i = 0; i < 40; i++) {
        rows[i] = (struct eg_row_reading){(uint32_t)below(100), 0, any_time(false), any_double()};
        idents[i] = (struct eg_row_ident){(uint16_t)random64(), (uint32_t)random64()};
    }
    assert_true(kind == 0   ? eg_pack_readings(blob, rows, 40, 0)
                : kind == 1 ? eg_pack_idents(blob, idents, 40)
                            : eg_pack_chunk(blob, points, any_points(points, false)));
}

static void damage_is_seen(void **unused)
{
    (void)unused;
    struct eg_buf blob;
    eg_buf_init(&blob, 1 << 20);
    for (uint64_t s = 1; s <= SEEDS; s++) {
        begin(s);
        pack_some(&blob, (int)(s % 3));
        for (size_t length = 0; length < blob.length; length += 1 + blob.length / 97)
            assert_int_equal(readers_that_take((const uint8_t *)blob.data, length), 0);
        for (int flip = 0; flip < 40; flip++) {
            uint64_t bit = below(blob.length * 8);
            blob.data[bit / 8] ^= (char)(1 << (bit % 8));
            assert_int_equal(readers_that_take((const uint8_t *)blob.data, blob.length), 0);
            blob.data[bit / 8] ^= (char)(1 << (bit % 8));
        }
    }
    eg_buf_finish(&blob);
    assert_int_equal(eg_pack_each_reading(NULL, 0, 0, any_reading, NULL), EG_ECORRUPT);
}

/* With a right checksum the bytes get in deeper: refused or read, never believed in their lengths. */
static void forgeries_do_no_harm(void **unused)
{
    (void)unused;
    struct eg_buf blob;
    int taken = 0;
    eg_buf_init(&blob, 1 << 20);
    for (uint64_t s = 1; s <= 40 * SEEDS; s++) {
        begin(s);
        if (s % 2) {
            pack_some(&blob, (int)(s % 3));
            for (uint64_t i = below(6); i; i--)
                blob.data[1 + below(blob.length - 5)] = (char)random64();
        } else {
            eg_buf_clear(&blob);
            eg_buf_add(&blob, s % 4 ? "\1" : "\2", 1);
            for (uint64_t i = below(200) + 4; i; i--) {
                char byte = (char)random64();
                eg_buf_add(&blob, &byte, 1);
            }
        }
        uint32_t sum = (uint32_t)eg_hash(blob.data, blob.length - 4, 0);
        memcpy(blob.data + blob.length - 4, &sum, 4);
        taken += readers_that_take((const uint8_t *)blob.data, blob.length);
    }
    assert_true(taken > 0); /* else the forging is wrong, and nothing was tried */
    eg_buf_finish(&blob);
}

static void another_version_is_refused(void **unused)
{
    (void)unused;
    struct eg_buf blob;
    eg_buf_init(&blob, 1 << 20);
    begin(1);
    for (int kind = 0; kind < 3; kind++) {
        pack_some(&blob, kind);
        blob.data[0]++;
        uint32_t sum = (uint32_t)eg_hash(blob.data, blob.length - 4, 0);
        memcpy(blob.data + blob.length - 4, &sum, 4);
        assert_int_equal(readers_that_take((const uint8_t *)blob.data, blob.length), 0);
    }
    eg_buf_finish(&blob);
}

/* A full buffer is an error, not half a blob. */
static void a_full_buffer_is_told(void **unused)
{
    (void)unused;
    struct eg_row_reading rows[100] = {{1, 0, 1, 0.123456789}};
    struct eg_point points[100] = {{1, 0.123456789, 0}};
    struct eg_row_ident idents[100] = {{1, 1}};
    struct eg_buf small;
    eg_buf_init(&small, 32);
    assert_false(eg_pack_readings(&small, rows, 100, 0));
    eg_buf_clear(&small);
    assert_false(eg_pack_chunk(&small, points, 100));
    eg_buf_clear(&small);
    assert_false(eg_pack_idents(&small, idents, 100));
    eg_buf_finish(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_come_back),
        cmocka_unit_test(a_taker_may_stop),
        cmocka_unit_test(identities_come_back),
        cmocka_unit_test(chunks_come_back),
        cmocka_unit_test(each_form_is_as_small_as_it_can_be),
        cmocka_unit_test(an_old_chunk_is_read),
        cmocka_unit_test(a_second_chunk_is_read),
        cmocka_unit_test(a_plain_day_is_small),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(forgeries_do_no_harm),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
