/* Blobs of closed buckets (store/buckets.h): what goes in comes out bit for bit, whatever the doubles; hostile bytes are refused; and they
 * are small. Property tests over seeds: each failure names the seed it failed with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/hash.h>
#include <store/buckets.h>
#include <store/store.h>

#include <string.h>

#define SEEDS 300
#define HOUR INT64_C(3600000)

static uint64_t state, seed;
static struct eg_rollup rows[EG_BUCKETS_MAX], back[EG_BUCKETS_MAX];

static void begin(uint64_t number)
{
    seed = number;
    state = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static uint64_t random64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t below(uint64_t most)
{
    return random64() % most;
}

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

static void test_small(void **unused)
{
    struct eg_buf blob;
    (void)unused;
    eg_buf_init(&blob, 1 << 20);
    begin(7);
    make_plain(EG_BUCKETS_MAX, 1);
    assert_true(eg_buckets_pack(&blob, rows, EG_BUCKETS_MAX));
    print_message("one reading an hour: %.2f bytes a bucket\n", (double)blob.length / EG_BUCKETS_MAX);
    assert_true(blob.length <= 1.2 * EG_BUCKETS_MAX);
    eg_buf_clear(&blob);
    make_plain(EG_BUCKETS_MAX, 60);
    assert_true(eg_buckets_pack(&blob, rows, EG_BUCKETS_MAX));
    print_message("sixty readings an hour: %.2f bytes a bucket\n", (double)blob.length / EG_BUCKETS_MAX);
    assert_true(blob.length <= 10 * EG_BUCKETS_MAX);
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
        for (uint64_t hits = 1 + below(4); hits; hits--)
            ((uint8_t *)blob.data)[1 + below(length - 5)] ^= (uint8_t)(1 + below(255));
        assert_int_equal(eg_buckets_unpack((const uint8_t *)blob.data, length, back, &got), EG_ECORRUPT);
        uint32_t sum = (uint32_t)eg_hash(blob.data, length - 4, 0);
        memcpy(blob.data + length - 4, &sum, 4);
        if (eg_buckets_unpack((const uint8_t *)blob.data, length, back, &got) == EG_OK)
            for (size_t i = 0; i < got; i++)
                assert_true(back[i].count && back[i].end_ms > back[i].start_ms);
    }
    eg_buf_finish(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_back_bit_for_bit), cmocka_unit_test(test_small),
                                       cmocka_unit_test(test_bounds), cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
