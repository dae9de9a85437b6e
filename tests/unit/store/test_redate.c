/* What a clock in doubt has dated is dated anew: once, whatever comes between. Held against a store whose clock was right all along. */
#include "house.h"

#define WEEK (INT64_C(7) * 24 * HOUR)

struct told {      /* what a reading becomes: a device's own time, or none */
    int64_t at_ms; /* when it came, since the doubt began */
    const char *device;
    double value;
    int64_t own_ms; /* of the same kind; 0: none */
};

static void says(struct house *house, int64_t now_ms, const char *device, double value, int64_t own_ms)
{
    char topic[64], payload[96];
    snprintf(topic, sizeof topic, "ecogov/shangtian/air/%s", device);
    if (own_ms)
        snprintf(payload, sizeof payload, "{\"pm25\":%.17g,\"ts\":%lld}", value, (long long)own_ms);
    else
        snprintf(payload, sizeof payload, "{\"pm25\":%.17g}", value);
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = now_ms};
    event.message = (struct eg_message){.topic = topic,
                                        .topic_len = strlen(topic),
                                        .payload = (const uint8_t *)payload,
                                        .payload_len = strlen(payload),
                                        .arrived_ms = now_ms};
    eg_pipeline_event(house->pipeline, &event, &house->batch);
}

static void commits(struct house *house)
{
    eg_pipeline_settle(house->pipeline, &house->batch);
    assert_false(house->batch.failed);
    if (eg_store_commit(house->store, &house->batch, &house->err) != EG_OK)
        fail_msg("%s", house->err.text);
    eg_batch_clear(&house->batch);
}

static void clock_is(struct house *house, int64_t now_ms, enum eg_clock_is is, int64_t was_ms)
{
    struct eg_event event = {.kind = EG_EVENT_CLOCK,
                             .now_ms = now_ms,
                             .clock = {.is = is, .was_ms = was_ms, .boot = "one", .why = "store"}};
    eg_pipeline_event(house->pipeline, &event, &house->batch);
    commits(house);
}

#define MESSAGES 400
static void told(int i, struct told *ret)
{
    static const char *const devices[] = {"a1", "a2", "a3"};
    *ret = (struct told){.at_ms = MINUTE * (i + 1) + i % 7, .device = devices[i % 3], .value = 20 + i % 50};
    if (i % 3 == 2) /* it has a clock of its own, and is a little late */
        ret->own_ms = ret->at_ms - 1500;
}

static void before(struct house *house)
{
    for (int i = 0; i < 30; i++)
        says(house, NOW + i * MINUTE, "a1", 10 + i, 0);
    commits(house);
}
#define SINCE (NOW + 30 * MINUTE)

/* As text, without what tells of the doubt itself. */
static bool add_point(void *arg, const struct eg_point *point)
{
    eg_buf_printf(arg, " %lld=%.17g/%x", (long long)point->time_ms, point->value, point->flags);
    return true;
}

static bool add_bucket(void *arg, const struct eg_rollup *row)
{
    eg_buf_printf(arg, " [%lld %llu %.17g %.17g %.17g %llx]", (long long)row->start_ms,
                  (unsigned long long)row->count, row->sum, row->first, row->last,
                  (unsigned long long)row->slots[0]);
    return true;
}

static void write_all(struct house *house, struct eg_buf *out)
{
    eg_reader_forget(house->reader);
    for (uint32_t id = 1; id <= eg_pipeline_series_count(house->pipeline); id++) {
        struct eg_series_view view;
        assert_true(eg_pipeline_series(house->pipeline, id, &view));
        eg_buf_printf(out, "\n%u last %lld=%.17g open %lld %llu %.17g:", id, (long long)view.last_ms,
                      view.last_value, (long long)view.hour.start_ms, (unsigned long long)view.hour.count,
                      view.day.sum);
        assert_int_equal(eg_reader_points(house->reader, id, 0, INT64_MAX, add_point, out, &house->err),
                         EG_OK);
        for (int period = 0; period < EG_PERIOD_COUNT; period++)
            assert_int_equal(eg_reader_rollups(house->reader, id, (enum eg_period)period, 0, INT64_MAX,
                                               add_bucket, out, &house->err),
                             EG_OK);
    }
    for (size_t i = 0; eg_pipeline_case_at(house->pipeline, i); i++) {
        const struct eg_case *row = eg_pipeline_case_at(house->pipeline, i);
        eg_buf_printf(out, "\ncase %u %s %lld %lld", row->number, row->rule, (long long)row->opened_ms,
                      (long long)row->peak_ms);
    }
}

static int64_t lacks_ms = WEEK; /* the doubted clock; negative: it is ahead */

static void live(struct house *house, bool in_doubt)
{
    house_start(house);
    before(house);
    const int64_t line_ms = in_doubt ? SINCE : SINCE + lacks_ms;
    if (in_doubt)
        clock_is(house, SINCE, EG_CLOCK_DOUBTED, 0);
    for (int i = 0; i < MESSAGES; i++) {
        struct told one;
        told(i, &one);
        says(house, line_ms + one.at_ms, one.device, one.value,
             one.own_ms ? SINCE + lacks_ms + one.own_ms : 0);
        if (i % 10 == 9)
            commits(house);
    }
    commits(house);
}

static void date_all(struct house *house, int64_t budget_us)
{
    for (bool more = true; more;)
        if (eg_store_redate(house->store, budget_us, &more, &house->err) != EG_OK)
            fail_msg("%s", house->err.text);
}

static void trusts(struct house *house)
{
    const int64_t was_ms = SINCE + (MESSAGES + 2) * MINUTE;
    clock_is(house, was_ms + lacks_ms, EG_CLOCK_TRUSTED, was_ms);
}

static void enters(struct house *house)
{
    house_leave(house);
    if (house_enter(house) != EG_OK)
        fail_msg("%s", house->err.text);
}

static void same(struct house *house, const char *when)
{
    struct house right;
    struct eg_buf a, b;
    eg_buf_init(&a, 1 << 24);
    eg_buf_init(&b, 1 << 24);
    live(&right, false);
    enters(&right); /* both are made of what lies there */
    write_all(&right, &a);
    write_all(house, &b);
    if (a.length != b.length || memcmp(a.data, b.data, a.length) != 0) {
        size_t at = 0;
        while (at < a.length && at < b.length && a.data[at] == b.data[at])
            at++;
        at = at > 100 ? at - 100 : 0;
        fail_msg("%s:\nright: %.300s\nhere:  %.300s", when, a.data + at, b.data + at);
    }
    eg_buf_finish(&a);
    eg_buf_finish(&b);
    house_raze(&right);
    house_verify(house, when);
}

static void comes_to_the_same(void **unused)
{
    (void)unused;
    struct house house;
    live(&house, true);
    assert_true(eg_pipeline_doubted(house.pipeline) == SINCE);
    trusts(&house);
    date_all(&house, 1000000);
    enters(&house);
    same(&house, "dated anew");
    house_raze(&house);
}

/* It was ahead, and was set back: what was dated since lies earlier, among what was there. */
static void moves_back(void **unused)
{
    (void)unused;
    struct house house;
    lacks_ms = -3 * HOUR - 500;
    live(&house, true);
    trusts(&house);
    date_all(&house, 1000000);
    enters(&house);
    same(&house, "dated earlier");
    house_raze(&house);
    lacks_ms = WEEK;
}

/* What a device sends once more is the same reading, although the daemon was started anew between. */
static void sent_again_after_a_restart(void **unused)
{
    (void)unused;
    struct house house;
    live(&house, true);
    const uint64_t stored = eg_pipeline_counters(house.pipeline)->r_stored;
    enters(&house);
    const uint64_t known = eg_pipeline_counters(house.pipeline)->r_duplicate;
    int again = 0;
    for (int i = 0; i < MESSAGES; i++) {
        struct told one;
        told(i * 7 % MESSAGES, &one); /* in another order */
        if (!one.own_ms)
            continue;
        says(&house, SINCE + (MESSAGES + 1) * MINUTE, one.device, one.value, SINCE + WEEK + one.own_ms);
        again++;
    }
    commits(&house);
    assert_true(again > 100);
    assert_true(eg_pipeline_counters(house.pipeline)->r_stored == stored);
    assert_true(eg_pipeline_counters(house.pipeline)->r_duplicate == known + (uint64_t)again);
    trusts(&house);
    date_all(&house, 1000000);
    enters(&house);
    same(&house, "sent again");
    house_raze(&house);
}

/* And the store opened again, with nothing loaded from it yet. */
static void killed(struct house *house)
{
    static const char *const ends[] = {"", "-wal"};
    char from[128], aside[160];
    for (int leaving = 0; leaving < 2; leaving++) {
        for (int i = 0; i < 2; i++) {
            snprintf(from, sizeof from, "%s%s", house->path, ends[i]);
            snprintf(aside, sizeof aside, "%s.aside", from);
            if (leaving)
                assert_int_equal(rename(aside, from), 0);
            else
                house_copy_file(from, aside);
        }
        if (!leaving)
            house_leave(house);
    }
    eg_batch_init(&house->batch);
    assert_int_equal(eg_store_open(house->conf, &house->store, &house->err), EG_OK);
    assert_int_equal(eg_reader_open(house->store, &house->reader, &house->err), EG_OK);
}

/* Bites as small as they come, a kill after each: the next start goes on. */
static void killed_after_each_bite(void **unused)
{
    (void)unused;
    struct house house;
    live(&house, true);
    trusts(&house);
    int bites = 0;
    for (bool more = true; more; bites++) {
        assert_int_equal(eg_store_redate(house.store, 0, &more, &house.err), EG_OK);
        if (bites % 5)
            continue;
        killed(&house);
        more = true;
    }
    assert_true(bites > 20);
    enters(&house);
    same(&house, "killed after each bite");
    house_raze(&house);
}

/* Nothing of it is sealed before; all of it may be afterwards. */
static void waits_unsealed(void **unused)
{
    (void)unused;
    struct house house;
    bool more = true;
    live(&house, true);
    house.store->seal_at = 50;
    house.store->seal_run = 40;
    for (int i = 0; i < 500 && more; i++)
        assert_int_equal(eg_store_tidy(house.store, SINCE, 1000000, &more, &house.err), EG_OK);
    assert_false(more);
    assert_true(house.store->sealed_seq <= house.store->clock.from_seq);
    trusts(&house);
    date_all(&house, 1000000);
    more = true;
    for (int i = 0; i < 500 && more; i++)
        assert_int_equal(eg_store_tidy(house.store, SINCE + WEEK, 1000000, &more, &house.err), EG_OK);
    assert_true(house.store->sealed_seq > house.store->clock.from_seq);
    enters(&house);
    same(&house, "sealed afterwards");
    house_raze(&house);
}

static void the_machine_starts_anew(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_store_clock kept;
    live(&house, true);
    enters(&house);
    eg_store_clock(house.store, &kept);
    assert_true(kept.doubted && kept.since_ms == SINCE && !strcmp(kept.boot, "one"));
    assert_true(eg_pipeline_doubted(house.pipeline) == SINCE);
    assert_int_equal(eg_store_leave_doubt(house.store, &house.err), EG_OK);
    enters(&house);
    assert_true(eg_pipeline_doubted(house.pipeline) == EG_TIME_NONE);
    struct eg_series_view view;
    assert_true(eg_pipeline_series(house.pipeline, 1, &view));
    assert_true(view.last_flags & EG_FLAG_CLOCK);
    house_verify(&house, "left in doubt");
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(comes_to_the_same),
                                       cmocka_unit_test(moves_back),
                                       cmocka_unit_test(sent_again_after_a_restart),
                                       cmocka_unit_test(killed_after_each_bite),
                                       cmocka_unit_test(waits_unsealed),
                                       cmocka_unit_test(the_machine_starts_anew)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
