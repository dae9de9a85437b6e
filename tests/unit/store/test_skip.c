/* Questions skip what they need not read (stream.c, recent.c). A damaged chunk is the witness: whoever decodes it says so, and whoever
 * does not was never there. And what is not sealed yet is found by series, whatever was sealed in between. */
#include "house.h"

#define POINTS 6000
#define EACH 500 /* a turn */

static void fill(struct house *house, int from, int to)
{
    bool more = true;
    for (int at = from; at < to; at++) {
        for (uint32_t series = 1; series <= 2; series++) {
            struct eg_row_reading *row = EG_BATCH_ADD(&house->batch, readings);
            *row = (struct eg_row_reading){series, 0, NOW + at * MINUTE, at + 0.5 * series};
        }
        house->batch.counters.r_decoded += 2;
        house->batch.counters.r_stored += 2;
        house->batch.events++;
        house->batch.now_ms = NOW + at * MINUTE;
        if ((at + 1) % EACH == 0)
            house_commits(house);
    }
    while (more)
        assert_int_equal(eg_store_tidy(house->store, NOW, 1000000, &more, &house->err), EG_OK);
}

static void enter(struct house *house)
{
    house_start(house);
    house->store->seal_at = house->store->seal_run = 4 * EACH;
    for (uint32_t id = 1; id <= 2; id++) {
        struct eg_row_series *series = EG_BATCH_ADD(&house->batch, series);
        *series = (struct eg_row_series){id, 1, id == 1 ? EG_Q_pm25 : EG_Q_pm10, ""};
    }
    struct eg_row_device *device = EG_BATCH_ADD(&house->batch, devices);
    *device = (struct eg_row_device){1, "shangtian", "air", "a1", NOW};
}

struct seen {
    int next, count;
    double half;
};

static bool see(void *arg, const struct eg_point *point)
{
    struct seen *seen = arg;
    assert_true(point->time_ms == NOW + seen->next * MINUTE);
    assert_true(point->value == seen->next + seen->half);
    seen->next++;
    seen->count++;
    return true;
}

static int ask(struct house *house, uint32_t series, int from, int to)
{
    struct seen seen = {.next = from, .half = 0.5 * series};
    int code = eg_reader_points(house->reader, series, NOW + from * MINUTE, NOW + to * MINUTE, see, &seen,
                                &house->err);
    if (code == EG_OK)
        assert_int_equal(seen.count, to - from);
    return code;
}

static void skipped_chunks_are_not_decoded(void **state)
{
    struct house house;
    char text[160];
    enter(&house);
    fill(&house, 0, POINTS);
    assert_true(house.store->sealed_stored >= 8 * EACH);
    assert_int_equal(ask(&house, 1, 0, POINTS), EG_OK);
    /* Beyond these all is damaged, on both sides. */
    int64_t from = NOW + 2100 * MINUTE, to = NOW + 2200 * MINUTE;
    snprintf(text, sizeof text, "UPDATE chunk SET body=x'00' WHERE t_last<%lld OR t_first>=%lld",
             (long long)from, (long long)to);
    assert_int_equal(sqlite3_exec(house.store->db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_true(sqlite3_changes(house.store->db) >= 4);
    assert_int_equal(ask(&house, 1, 2100, 2200), EG_OK);
    assert_int_equal(ask(&house, 2, 2100, 2200), EG_OK);
    assert_int_equal(ask(&house, 1, 0, 10), EG_ECORRUPT);
    assert_int_equal(ask(&house, 1, 0, POINTS), EG_ECORRUPT);
    /* Nor are chunks asked for what is not sealed yet. */
    fill(&house, POINTS, POINTS + EACH);
    assert_int_equal(ask(&house, 2, POINTS, POINTS + EACH), EG_OK);
    house_raze(&house);
    (void)state;
}

/* Asked again and again by the same reader, while turns come and runs of sealing go. */
static void the_journal_is_followed(void **state)
{
    struct house house;
    enter(&house);
    for (int at = 0; at < POINTS; at += EACH) {
        fill(&house, at, at + EACH);
        assert_int_equal(ask(&house, 1, 0, at + EACH), EG_OK);
        assert_int_equal(ask(&house, 2, at + EACH / 2, at + EACH), EG_OK);
        assert_int_equal(ask(&house, 2, at / 2, at / 2 + 1), EG_OK);
    }
    assert_true(house.store->sealed_seq > 0);
    assert_int_equal(ask(&house, 3, 0, 0), EG_OK);
    house_raze(&house);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skipped_chunks_are_not_decoded),
        cmocka_unit_test(the_journal_is_followed),
    };
    return cmocka_run_group_tests_name("skip", tests, NULL, NULL);
}
