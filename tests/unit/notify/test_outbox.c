/* The outbox pump (notify.c): everything that was committed goes out, in order, also when the door is narrow, links break and
 * daemons are killed; nothing goes twice over one link. The store is a table of this test's; its answers are what the real one
 * promises (store.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <notify/notify.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 2000

static struct {
    int64_t rows; /* committed: 1 … rows */
    bool done[ROWS + 1], delivered[ROWS + 1];
    char error[ROWS + 1][48];
    bool unreadable;
    unsigned asked;
} store;

static struct {
    size_t room; /* publications it takes at a time */
    int64_t in_flight[ROWS], noted[ROWS];
    size_t in_flight_count, noted_count;
    int64_t last;            /* the newest that went over this link */
    unsigned sent[ROWS + 1]; /* ever */
    unsigned over_link[ROWS + 1];
    int64_t never; /* this one the broker takes never */
    char noted_error[ROWS][48];
} wire;

static uint64_t state;
static uint64_t below(uint64_t most)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % most;
}

int eg_reader_outbox(struct eg_reader *reader, bool pending_only, int64_t after_id, size_t limit,
                     bool (*each)(void *arg, const struct eg_outbox_view *row), void *arg, struct eg_err *err)
{
    assert_true((void *)reader == (void *)&store);
    assert_true(pending_only);
    store.asked++;
    if (store.unreadable)
        return eg_err_set(err, EG_EIO, "the disk is away");
    for (int64_t id = after_id + 1; id <= store.rows && limit; id++) {
        char topic[32], body[32];
        if (store.done[id])
            continue;
        snprintf(topic, sizeof topic, "topic/%lld", (long long)id);
        snprintf(body, sizeof body, "{\"n\":%lld}", (long long)id);
        const struct eg_outbox_view row = {.id = id,
                                           .channel = "mqtt",
                                           .recipient = topic,
                                           .key = topic,
                                           .body = body,
                                           .error = "",
                                           .party = "",
                                           .retain = id % 2,
                                           .done_ms = EG_TIME_NONE};
        limit--;
        if (!each(arg, &row))
            break;
    }
    return EG_OK;
}

static int publish(void *user, const char *topic, const char *body, size_t length, bool retain,
                   int64_t ticket)
{
    char want[32];
    assert_ptr_equal(user, &wire);
    if (ticket == wire.never)
        return EG_EINVAL;
    if (wire.in_flight_count >= wire.room)
        return EG_EBUSY;
    snprintf(want, sizeof want, "topic/%lld", (long long)ticket);
    assert_string_equal(topic, want);
    snprintf(want, sizeof want, "{\"n\":%lld}", (long long)ticket);
    assert_int_equal(length, strlen(want));
    assert_memory_equal(body, want, length);
    assert_int_equal(retain, ticket % 2);
    assert_true(ticket > wire.last); /* in the order of the outbox */
    wire.last = ticket;
    wire.sent[ticket]++;
    assert_int_equal(++wire.over_link[ticket], 1);
    wire.in_flight[wire.in_flight_count++] = ticket;
    return EG_OK;
}

static void delivery(void *user, const struct eg_delivery *result)
{
    assert_ptr_equal(user, &wire);
    assert_int_equal(result->delivered, result->error == NULL);
    snprintf(wire.noted_error[wire.noted_count], 48, "%s", result->error ? result->error : "");
    wire.noted[wire.noted_count++] = result->outbox_id;
}

static struct eg_notify *wake_up(void)
{
    static const struct eg_notify_door door = {&wire, publish, delivery};
    struct eg_notify *notify = eg_notify_create((struct eg_reader *)&store, &door);
    assert_non_null(notify);
    return notify;
}

static int clear(void **unused)
{
    (void)unused;
    memset(&store, 0, sizeof store);
    memset(&wire, 0, sizeof wire);
    wire.room = 64;
    state = 1;
    return 0;
}

static void up(struct eg_notify *notify)
{
    wire.last = 0;
    memset(wire.over_link, 0, sizeof wire.over_link);
    eg_notify_link(notify, true);
}

static void down(struct eg_notify *notify)
{
    wire.in_flight_count = 0; /* what was on its way is as good as lost */
    eg_notify_link(notify, false);
}

/* The broker answers the `at`-th in flight. */
static void acknowledge(struct eg_notify *notify, size_t at, const char *error)
{
    int64_t id = wire.in_flight[at];
    wire.in_flight_count--;
    memmove(wire.in_flight + at, wire.in_flight + at + 1,
            (wire.in_flight_count - at) * sizeof *wire.in_flight);
    eg_notify_published(notify, id, error);
}

/* The turn with the results is committed. */
static void commit(void)
{
    for (size_t i = 0; i < wire.noted_count; i++) {
        int64_t id = wire.noted[i];
        if (store.done[id])
            continue; /* told twice: the first counts */
        store.done[id] = true;
        store.delivered[id] = !*wire.noted_error[i];
        snprintf(store.error[id], sizeof store.error[id], "%s", wire.noted_error[i]);
    }
    wire.noted_count = 0;
}

static void nothing_goes_before_the_link_is_up(void **unused)
{
    (void)unused;
    struct eg_notify *notify = wake_up();
    store.rows = 3;
    eg_notify_pump(notify);
    assert_int_equal(wire.in_flight_count, 0);
    up(notify);
    assert_int_equal(wire.in_flight_count, 3);
    eg_notify_pump(notify); /* not twice */
    assert_int_equal(wire.in_flight_count, 3);
    store.rows = 5;
    eg_notify_pump(notify);
    assert_int_equal(wire.in_flight_count, 5);
    acknowledge(notify, 4, NULL);
    acknowledge(notify, 0, "no");
    assert_int_equal(wire.noted_count, 2);
    assert_int_equal(wire.noted[0], 5);
    assert_int_equal(wire.noted[1], 1);
    assert_string_equal(wire.noted_error[1], "no");
    eg_notify_destroy(notify);
}

static void a_narrow_door_is_filled_again_and_again(void **unused)
{
    (void)unused;
    struct eg_notify *notify = wake_up();
    wire.room = 3;
    store.rows = 500;
    up(notify);
    for (int64_t answered = 1; answered <= 500; answered++) {
        assert_in_range(wire.in_flight_count, 1, 3);
        assert_int_equal(wire.in_flight[0], answered);
        acknowledge(notify, 0, NULL);
        if (answered % 50 == 0)
            commit();
    }
    assert_int_equal(wire.in_flight_count, 0);
    eg_notify_destroy(notify);
}

static void what_was_on_its_way_goes_again(void **unused)
{
    (void)unused;
    struct eg_notify *notify = wake_up();
    store.rows = 10;
    up(notify);
    acknowledge(notify, 2, NULL);
    commit();
    down(notify);
    eg_notify_pump(notify);
    assert_int_equal(wire.in_flight_count, 0);
    up(notify);
    assert_int_equal(wire.in_flight_count, 9);
    assert_int_equal(wire.sent[1], 2);
    assert_int_equal(wire.sent[3], 1);
    eg_notify_destroy(notify);
}

static void what_no_broker_takes_stands_in_nobodys_way(void **unused)
{
    (void)unused;
    struct eg_notify *notify = wake_up();
    wire.never = 2;
    store.rows = 4;
    up(notify);
    assert_int_equal(wire.in_flight_count, 3);
    assert_int_equal(wire.noted_count, 1);
    assert_int_equal(wire.noted[0], 2);
    assert_true(*wire.noted_error[0]);
    commit();
    down(notify);
    up(notify);
    assert_int_equal(wire.in_flight_count, 3);
    assert_int_equal(wire.noted_count, 0);
    eg_notify_destroy(notify);
}

static void a_store_that_cannot_be_read_is_asked_again(void **unused)
{
    (void)unused;
    struct eg_notify *notify = wake_up();
    store.rows = 4;
    store.unreadable = true;
    up(notify);
    assert_int_equal(wire.in_flight_count, 0);
    assert_int_equal(store.asked, 1);
    store.unreadable = false;
    eg_notify_pump(notify);
    assert_int_equal(wire.in_flight_count, 4);
    eg_notify_destroy(notify);
}

/* A life of chances; at the end the link stays, and all is delivered or refused for good. */
static void nothing_is_lost(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        clear(NULL);
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct eg_notify *notify = wake_up();
        bool is_up = false;
        wire.room = 1 + below(64);
        for (int step = 0; step < 1500; step++) {
            switch (below(10)) {
            case 0:
                if (store.rows + 5 < ROWS)
                    store.rows += 1 + (int64_t)below(4);
                commit();
                eg_notify_pump(notify);
                break;
            case 1:
                if (below(8))
                    break;
                is_up ? down(notify) : up(notify);
                is_up = !is_up;
                break;
            case 2:
                if (below(30))
                    break;
                eg_notify_destroy(notify); /* killed: results not committed are gone as well */
                wire.noted_count = wire.in_flight_count = 0;
                is_up = false;
                notify = wake_up();
                break;
            default:
                if (wire.in_flight_count)
                    acknowledge(notify, below(wire.in_flight_count), below(20) ? NULL : "quota");
            }
        }
        if (is_up)
            down(notify);
        commit();
        up(notify);
        while (wire.in_flight_count)
            acknowledge(notify, 0, NULL);
        commit();
        for (int64_t id = 1; id <= store.rows; id++) {
            if (!store.done[id] || !wire.sent[id] || store.delivered[id] == (*store.error[id] != 0))
                fail_msg("seed %llu: number %lld of %lld was sent %u times and is %s",
                         (unsigned long long)seed, (long long)id, (long long)store.rows, wire.sent[id],
                         store.done[id] ? "done" : "not done");
        }
        assert_true(store.rows > 50);
        eg_notify_destroy(notify);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_goes_before_the_link_is_up, clear),
        cmocka_unit_test_setup(a_narrow_door_is_filled_again_and_again, clear),
        cmocka_unit_test_setup(what_was_on_its_way_goes_again, clear),
        cmocka_unit_test_setup(what_no_broker_takes_stands_in_nobodys_way, clear),
        cmocka_unit_test_setup(a_store_that_cannot_be_read_is_asked_again, clear),
        cmocka_unit_test_setup(nothing_is_lost, clear),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
