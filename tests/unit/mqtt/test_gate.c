/* The ack gate: a contract test of what we measured of libmosquitto. No PUBACK before the release, all of them at it, in
 * order; nothing read while the gate is shut; the broker's window learned; redeliveries known for what they are; a lost link's
 * acknowledgements never said. */
#include "broker.h"

static struct eg_conf *conf;
static struct eg_mqtt *mqtt;
static int taker;

static int move_in(void **state)
{
    if (open_broker(state) != 0)
        return -1;
    conf = make_conf(plain, false);
    mqtt = start(conf);
    until(door.links_up == 1 && has_seen(SUBSCRIBE, "ecogov/+/+/+"));
    taker = taker_link(0);
    return 0;
}

static int move_out(void **state)
{
    leave(mqtt, conf);
    return close_broker(state);
}

static void pubacks_are(unsigned from, unsigned count)
{
    unsigned at = 0;
    for (size_t i = 0; i < broker.seen.count; i++)
        if (broker.seen.rows[i].type == PUBACK && broker.seen.rows[i].link == taker) {
            if (broker.seen.rows[i].mid != from + at)
                fail_msg("PUBACK %u came where %u was due", broker.seen.rows[i].mid, from + at);
            at++;
        }
    assert_int_equal(at, count);
}

static void no_puback_before_the_release(void **unused)
{
    (void)unused;
    broker_send(taker, 1, 5);
    until(door.messages == 5 && door.dries);
    assert_int_equal(door.unacked, 5);
    assert_false(door.window_full);
    assert_string_equal(door.rows[4].body, "5");
    assert_int_equal(door.rows[4].mid, 5);
    assert_int_equal(door.rows[4].qos, 1);
    settle();
    pubacks_are(1, 0);
    eg_mqtt_pause(mqtt);
    settle();
    pubacks_are(1, 0);
    eg_mqtt_release(mqtt);
    until(count_seen(taker, PUBACK) == 5);
    pubacks_are(1, 5);
}

/* While the commit is under way what comes stays in the socket; its PUBACKs belong to the next release. */
static void nothing_is_read_while_the_gate_is_shut(void **unused)
{
    (void)unused;
    broker_send(taker, 1, 3);
    until(door.messages == 3);
    eg_mqtt_pause(mqtt);
    broker_send(taker, 4, 4);
    settle();
    assert_int_equal(door.messages, 3);
    eg_mqtt_release(mqtt);
    until(door.messages == 7);
    until(count_seen(taker, PUBACK) == 3);
    settle();
    pubacks_are(1, 3);
    eg_mqtt_release(mqtt);
    until(count_seen(taker, PUBACK) == 7);
    pubacks_are(1, 7);
}

static void a_full_turn_stops_reading(void **unused)
{
    (void)unused;
    door.take_most = 10;
    broker_send(taker, 1, 25);
    until(door.messages == 10);
    settle();
    assert_int_equal(door.messages, 10); /* the tenth was taken, the eleventh not touched */
    door.take_most = 20;
    eg_mqtt_release(mqtt);
    until(door.messages == 20);
    settle();
    assert_int_equal(door.messages, 20);
    pubacks_are(1, 10);
    door.take_most = 0;
    eg_mqtt_release(mqtt);
    until(door.messages == 25);
    eg_mqtt_release(mqtt);
    until(count_seen(taker, PUBACK) == 25);
    pubacks_are(1, 25);
}

/* More than one full buffer of PUBACKs, while messages go on. */
static void a_large_turn_is_acknowledged_whole_and_in_order(void **unused)
{
    (void)unused;
    const unsigned each = 1500;
    for (unsigned turn = 0; turn < 2; turn++) {
        broker_send(taker, turn * each + 1, each);
        until(door.messages == (turn + 1) * each);
        eg_mqtt_pause(mqtt);
        settle();
        assert_int_equal(count_seen(taker, PUBACK), turn * each);
        eg_mqtt_release(mqtt);
        until(count_seen(taker, PUBACK) == (turn + 1) * each);
        pubacks_are(1, (turn + 1) * each);
    }
}

static void qos_0_waits_for_nobody(void **unused)
{
    (void)unused;
    broker_publish(taker, 0, 0, false, false, "ecogov/shangtian/air/a1", "zero");
    broker_publish(taker, 9, 1, false, true, "ecogov/shangtian/air/a1", "one");
    until(door.messages == 2);
    assert_int_equal(door.rows[0].mid, 0);
    assert_true(door.rows[1].retain);
    until(door.dries);
    assert_int_equal(door.unacked, 1);
    eg_mqtt_release(mqtt);
    until(count_seen(taker, PUBACK) == 1);
    pubacks_are(9, 1);
}

/* --- the window --- */

/* One window, as a broker with so many in flight sends it; what the door was told when it was dry. */
static bool window_of(unsigned mid, unsigned window)
{
    size_t before = door.messages, dries = door.dries;
    broker_send(taker, mid, window);
    until(door.messages == before + window && door.dries > dries);
    settle();
    bool full = door.window_full;
    assert_int_equal(door.unacked, window);
    eg_mqtt_pause(mqtt);
    eg_mqtt_release(mqtt);
    until(count_seen(taker, PUBACK) == before + window);
    return full;
}

static void the_window_is_learned(void **unused)
{
    (void)unused;
    assert_false(window_of(1, 20));
    assert_false(window_of(21, 20));
    assert_true(window_of(41, 20)); /* twice the same is no chance */
    assert_true(window_of(61, 20));
    assert_false(window_of(81, 7)); /* a quiet moment is none */
    assert_true(window_of(101, 20));
    assert_false(window_of(121, 32)); /* it was more than that */
    assert_false(window_of(161, 32));
    assert_true(window_of(201, 32));
}

static void a_quiet_village_is_no_window(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 6; i++) {
        assert_false(window_of(1 + i * 2, 2));
        assert_int_equal(door.window, EG_WINDOW_OPEN);
    }
}

/* Until it is known, a dry socket may mean a full window; so many tries a connection, then it waits as long as it is told to. */
static void a_window_is_tried_for_now_and_then(void **unused)
{
    (void)unused;
    unsigned mid = 1, tries = 0;
    for (unsigned window = 4; window < 20; mid += window++) {
        assert_false(window_of(mid, window));
        tries += door.window == EG_WINDOW_PERHAPS;
    }
    assert_int_equal(tries, 8);
    assert_int_equal(door.window, EG_WINDOW_OPEN);
}

/* --- a lost link --- */

static void a_lost_links_acknowledgements_are_never_said(void **unused)
{
    (void)unused;
    broker_send(taker, 1, 3);
    until(door.messages == 3);
    eg_mqtt_pause(mqtt); /* the commit of these three is under way */
    hang_up(taker);
    broker.session_present = true;
    eg_mqtt_release(mqtt); /* and done, when nobody is there to hear it */
    until(door.links_down == 1 && door.links_up == 2);
    int fresh = taker_link(taker + 1);
    settle();
    assert_int_equal(count_seen(fresh, PUBACK), 0);
    broker_publish(fresh, 1, 1, true, false, "ecogov/shangtian/air/a1", "1");
    until(door.messages == 4);
    settle();
    assert_int_equal(count_seen(fresh, PUBACK), 0);
    eg_mqtt_release(mqtt);
    until(count_seen(fresh, PUBACK) == 1);
    taker = fresh;
}

/* libmosquitto 2.0 tells the DUP flag in its log only. Redeliveries come first; behind them nobody asks any more. */
static void redeliveries_are_known(void **unused)
{
    (void)unused;
    broker_publish(taker, 1, 1, true, false, "ecogov/shangtian/air/a1", "new session");
    until(door.messages == 1);
    assert_false(door.rows[0].dup); /* a session that is new has nothing to redeliver */
    hang_up(taker);
    broker.session_present = true;
    until(door.links_up == 2);
    int fresh = taker_link(taker + 1);
    taker = fresh;
    broker_publish(fresh, 1, 1, true, false, "ecogov/shangtian/air/a1", "again");
    broker_publish(fresh, 2, 1, true, false, "ecogov/d1, q0/received PUBLISH (d0/x",
                   "a topic that looks like a log");
    broker_publish(fresh, 3, 1, false, false, "ecogov/shangtian/air/a1", "fresh");
    until(door.messages == 4);
    assert_true(door.rows[1].dup);
    assert_true(door.rows[2].dup);
    assert_false(door.rows[3].dup);
    eg_mqtt_release(mqtt);
    until(count_seen(fresh, PUBACK) == 3);
}

#define gated(test) cmocka_unit_test_setup_teardown(test, move_in, move_out)

int main(void)
{
    const struct CMUnitTest tests[] = {
        gated(no_puback_before_the_release),
        gated(nothing_is_read_while_the_gate_is_shut),
        gated(a_full_turn_stops_reading),
        gated(a_large_turn_is_acknowledged_whole_and_in_order),
        gated(qos_0_waits_for_nobody),
        gated(the_window_is_learned),
        gated(a_quiet_village_is_no_window),
        gated(a_window_is_tried_for_now_and_then),
        gated(a_lost_links_acknowledgements_are_never_said),
        gated(redeliveries_are_known),
    };
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
