/* An export stands still while life goes on. */
#include "day.h"

struct seen {
    size_t count;
    uint64_t sum;
    uint32_t last_series;
    int64_t last_ms;
    uint32_t only;
};

static bool see(void *arg, uint32_t series, const struct eg_point *point)
{
    struct seen *seen = arg;
    assert_true(series > seen->last_series ||
                (series == seen->last_series && point->time_ms > seen->last_ms));
    assert_true(!seen->only || series == seen->only);
    seen->last_series = series;
    seen->last_ms = point->time_ms;
    seen->count++;
    seen->sum += (uint64_t)point->time_ms * 31 + (uint64_t)(point->value * 1000) + series;
    return true;
}

static struct seen see_all(struct house *house, struct eg_export *xport, size_t most)
{
    struct seen seen = {0};
    bool finished = false;
    while (!finished)
        assert_int_equal(eg_export_next(xport, most, see, &seen, &finished, &house->err), EG_OK);
    return seen;
}

static void an_export_stands_still(void **unused)
{
    (void)unused;
    struct house house;
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    struct eg_export *slow = NULL, *quick = NULL;
    bool finished = false, more;
    house_start(&house);
    house.store->seal_at = 50;
    house.store->seal_run = 40;
    for (int turn = 0; turn < 10; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    assert_int_equal(eg_export_open(house.store, &all, &quick, &house.err), EG_OK);
    assert_int_equal(eg_export_open(house.store, &all, &slow, &house.err), EG_OK);
    struct seen want = see_all(&house, quick, 1000000), got = {0};
    eg_export_close(quick);
    for (int turn = 10; turn < 40 || !finished;
         turn++) { /* commits, corrections and sealing go on between the bites */
        if (turn < 40) {
            day_turn(&house, turn);
            house_commits(&house);
            for (int bite = 0; bite < 9; bite++)
                assert_int_equal(eg_store_tidy(house.store, NOW, 0, &more, &house.err), EG_OK);
        }
        if (!finished)
            assert_int_equal(eg_export_next(slow, 7, see, &got, &finished, &house.err), EG_OK);
    }
    eg_export_close(slow);
    assert_true(house.store->sealed_seq > 10);
    assert_int_equal(got.count, want.count);
    assert_int_equal(got.sum, want.sum);
    assert_int_equal(eg_export_open(house.store, &all, &quick, &house.err), EG_OK);
    assert_true(see_all(&house, quick, 100).count > 2 * want.count);
    eg_export_close(quick);
    house_raze(&house);
}

static bool only_two(void *arg, uint32_t series)
{
    (*(int *)arg)++;
    return series == 2;
}

static bool stop_at_once(void *arg, uint32_t series, const struct eg_point *point)
{
    (void)series;
    (void)point;
    ++*(int *)arg;
    return false;
}

static void an_export_of_a_part(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_export *xport = NULL;
    int asked = 0, handed = 0;
    bool finished = false;
    struct seen seen = {.only = 2};
    house_start(&house);
    for (int turn = 0; turn < 10; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    const struct eg_export_filter part = {NOW + 5 * MINUTE - 200, NOW + 15 * MINUTE - 200, only_two, &asked};
    assert_int_equal(eg_export_open(house.store, &part, &xport, &house.err), EG_OK);
    while (!finished)
        assert_int_equal(eg_export_next(xport, 3, see, &seen, &finished, &house.err), EG_OK);
    eg_export_close(xport);
    assert_int_equal(seen.count, 10); /* one a minute, the end not among them */
    assert_true(asked >= 4);
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    assert_int_equal(eg_export_open(house.store, &all, &xport, &house.err), EG_OK);
    assert_int_equal(eg_export_next(xport, 100, stop_at_once, &handed, &finished, &house.err), EG_OK);
    assert_false(finished);
    assert_int_equal(handed, 1);
    eg_export_close(xport); /* in the middle */
    eg_export_close(NULL);
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_stands_still),
        cmocka_unit_test(an_export_of_a_part),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
