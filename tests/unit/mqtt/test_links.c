/* How we come to a broker and what we ask of it: the CONNECT, the older protocol, subscriptions kept, given up and remembered
 * over a restart, and what is told through the second client. */
#include "broker.h"

static char folder[64], account[96];

static int move_in(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/ecogov-mqtt-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(account, sizeof account, "%s/subscriptions", folder);
    return open_broker(state);
}

static int move_out(void **state)
{
    unlink(account);
    if (rmdir(folder) != 0)
        return -1; /* something was left behind */
    return close_broker(state);
}

static void what_connect_asks_for(void **unused)
{
    (void)unused;
    struct eg_conf *conf = make_conf(plain, true);
    struct eg_mqtt *mqtt = start(conf);
    int64_t since;
    assert_false(eg_mqtt_connected(mqtt, &since));
    until(door.links_up == 1 && door.telling && eg_mqtt_connected(mqtt, &since));
    assert_true(llabs(since - eg_clock_now_ms()) < 60000);
    const struct link *taker = &broker.links[taker_link(0)], *teller = &broker.links[1 - taker_link(0)];
    assert_true(taker->five && teller->five);
    assert_false(taker->clean);
    assert_int_equal(taker->expiry, 2 * 86400);
    assert_int_equal(taker->receive_maximum, 65535);
    assert_int_equal(taker->keepalive, 60);
    assert_string_equal(taker->client, "test");
    assert_false(taker->will);
    assert_string_equal(
        teller->client,
        "test-out"); /* the taker's writing is gated: the will and all telling are another's */
    assert_string_equal(teller->will_topic, "ecogov/state/daemon");
    until(has_seen(PUBLISH, "ecogov/state/daemon"));
    leave(mqtt, conf);
    size_t states = 0;
    for (size_t i = 0; i < broker.seen.count; i++)
        if (broker.seen.rows[i].type == PUBLISH && !strcmp(broker.seen.rows[i].text, "ecogov/state/daemon")) {
            assert_string_equal(broker.seen.rows[i].body, states++ ? "offline" : "online");
            assert_true(broker.seen.rows[i].retain);
        }
    assert_int_equal(states, 2);
    assert_int_equal(count_seen(-1, DISCONNECT), 2);
}

static void an_older_broker_is_spoken_to_in_its_language(void **unused)
{
    (void)unused;
    broker.five_refused = true;
    struct eg_conf *conf = make_conf(plain, false);
    struct eg_mqtt *mqtt = start(conf);
    until(door.links_up == 1 && has_seen(SUBSCRIBE, "ecogov/+/+/+"));
    int link = taker_link(0);
    while (broker.links[link].five)
        link = taker_link(link + 1);
    broker_send(link, 1, 3);
    until(door.messages == 3);
    assert_string_equal(door.rows[2].body, "3");
    settle();
    assert_int_equal(count_seen(link, PUBACK), 0);
    eg_mqtt_release(mqtt);
    until(count_seen(link, PUBACK) == 3);
    leave(mqtt, conf);
}

static void a_refusal_is_told_and_tried_again(void **unused)
{
    (void)unused;
    broker.connack = 0x86;
    struct eg_conf *conf = make_conf(plain, false);
    struct eg_mqtt *mqtt = start(conf);
    until(door.links_down == 1);
    if (!strstr(door.why, "refuses") || !strstr(door.why, "127.0.0.1"))
        fail_msg("it says: %s", door.why);
    broker.connack = 0;
    until(door.links_up == 1);
    leave(mqtt, conf);
}

static void leaving_while_the_broker_says_nothing(void **unused)
{
    (void)unused;
    broker.mute = true;
    struct eg_conf *conf = make_conf(plain, true);
    struct eg_mqtt *mqtt = start(conf);
    until(count_seen(-1, CONNECT) == 2);
    leave(mqtt, conf);
    assert_int_equal(door.links_up, 0);
}

static void leaving_before_anything_was_tried(void **unused)
{
    (void)unused;
    struct eg_conf *conf = make_conf(plain, true);
    leave(start(conf), conf);
}

/* --- subscriptions --- */

static const char two[] = "  - {id: plain, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n"
                          "  - {id: again, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n"
                          "  - {id: mast, topic: \"mast/{site}/{device}/#\", domain: air, driver: json}\n";
static const char other[] = "  - {id: mast, topic: \"mast/{site}/{device}/#\", domain: air, driver: json}\n"
                            "  - {id: bins, topic: \"bins/{site}/{device}\", domain: waste, driver: json}\n";

static size_t count_text(int type, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < broker.seen.count; i++)
        count += broker.seen.rows[i].type == type && !strcmp(broker.seen.rows[i].text, text);
    return count;
}

static void account_is(const char *want)
{
    char text[1024] = "";
    FILE *file = fopen(account, "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[length] = '\0';
    if (file)
        fclose(file);
    assert_string_equal(text, want);
}

static void a_new_configuration_is_followed(void **unused)
{
    (void)unused;
    struct eg_conf *conf = make_conf(two, false), *fresh = make_conf(other, false);
    struct eg_mqtt *mqtt = start(conf);
    until(has_seen(SUBSCRIBE, "ecogov/+/+/+") && has_seen(SUBSCRIBE, "mast/+/+/#"));
    assert_int_equal(count_text(SUBSCRIBE, "ecogov/+/+/+"), 1);
    assert_true(eg_mqtt_configure(mqtt, fresh));
    eg_conf_destroy(conf);
    until(has_seen(UNSUBSCRIBE, "ecogov/+/+/+") && has_seen(SUBSCRIBE, "bins/+/+"));
    assert_int_equal(count_seen(-1, UNSUBSCRIBE), 1);
    hang_up(taker_link(0));
    broker.session_present = true;
    until(door.links_up == 2 && count_text(SUBSCRIBE, "bins/+/+") == 2); /* again on every connect */
    settle();
    assert_int_equal(count_text(SUBSCRIBE, "ecogov/+/+/+"), 1);
    leave(mqtt, fresh);
}

/* What is published before the broker has subscribed us is kept for nobody: we are not there yet, however long the link is up. What is
 * subscribed later changes nothing of that. */
static void connected_is_when_all_is_subscribed(void **unused)
{
    (void)unused;
    int64_t since;
    broker.suback_held = true;
    struct eg_conf *conf = make_conf(two, false), *fresh = make_conf(other, false);
    struct eg_mqtt *mqtt = start(conf);
    until(door.links_up == 1 && has_seen(SUBSCRIBE, "ecogov/+/+/+") && has_seen(SUBSCRIBE, "mast/+/+/#"));
    settle();
    for (size_t i = 0, n = broker.seen.count; i < n; i++) {
        if (broker.seen.rows[i].type != SUBSCRIBE)
            continue;
        assert_false(eg_mqtt_connected(mqtt, &since));
        answer(broker.seen.rows[i].link, 0x90, broker.seen.rows[i].mid, 1);
        settle();
    }
    assert_true(eg_mqtt_connected(mqtt, &since));
    assert_true(eg_mqtt_configure(mqtt, fresh));
    until(has_seen(SUBSCRIBE, "bins/+/+"));
    assert_true(eg_mqtt_connected(mqtt, &since));
    eg_conf_destroy(conf);
    leave(mqtt, fresh);
}

static void what_left_the_configuration_over_a_restart_is_unsubscribed(void **unused)
{
    (void)unused;
    struct eg_err err;
    struct eg_conf *conf = make_conf(two, false);
    struct eg_mqtt *mqtt = start(conf);
    assert_int_equal(eg_mqtt_remember(mqtt, account, &err), EG_OK);
    account_is("ecogov/+/+/+\nmast/+/+/#\n"); /* before anything is subscribed */
    until(has_seen(SUBSCRIBE, "mast/+/+/#"));
    leave(mqtt, conf);

    door.closed = false;
    conf = make_conf(other, false);
    broker.mute = true; /* it goes before it got through: nothing is forgotten */
    mqtt = start(conf);
    assert_int_equal(eg_mqtt_remember(mqtt, account, &err), EG_OK);
    until(count_seen(-1, CONNECT) == 2);
    leave(mqtt, conf);
    account_is("ecogov/+/+/+\nmast/+/+/#\nbins/+/+\n");

    door.closed = broker.mute = false;
    broker.session_present = true;
    conf = make_conf(other, false);
    mqtt = start(conf);
    assert_int_equal(eg_mqtt_remember(mqtt, account, &err), EG_OK);
    until(has_seen(UNSUBSCRIBE, "ecogov/+/+/+"));
    assert_int_equal(count_seen(-1, UNSUBSCRIBE), 1);
    settle();
    account_is("mast/+/+/#\nbins/+/+\n"); /* confirmed */
    leave(mqtt, conf);
}

/* A reload that takes a topic away and one that brings it back before the broker was there to hear of it. */
static void what_comes_back_is_not_unsubscribed(void **unused)
{
    (void)unused;
    struct eg_err err;
    struct eg_conf *conf = make_conf(two, false), *fresh = make_conf(other, false),
                   *back = make_conf(two, false);
    broker.mute = true;
    struct eg_mqtt *mqtt = start(conf);
    assert_int_equal(eg_mqtt_remember(mqtt, account, &err), EG_OK);
    until(count_seen(-1, CONNECT) == 1);
    eg_mqtt_configure(mqtt, fresh);
    account_is("ecogov/+/+/+\nmast/+/+/#\nbins/+/+\n");
    eg_mqtt_configure(mqtt, back);
    eg_conf_destroy(conf);
    eg_conf_destroy(fresh);
    broker.mute = false;
    hang_up(0);
    until(has_seen(SUBSCRIBE, "mast/+/+/#") && has_seen(UNSUBSCRIBE, "bins/+/+"));
    settle();
    assert_int_equal(count_text(UNSUBSCRIBE, "ecogov/+/+/+"), 0);
    account_is("ecogov/+/+/+\nmast/+/+/#\n");
    leave(mqtt, back);
}

static void an_account_that_cannot_be_kept_is_told(void **unused)
{
    (void)unused;
    struct eg_err err;
    struct eg_conf *conf = make_conf(plain, false);
    struct eg_mqtt *mqtt = start(conf);
    char nowhere[128];
    snprintf(nowhere, sizeof nowhere, "%s/no/such/folder", folder);
    assert_int_equal(eg_mqtt_remember(mqtt, nowhere, &err), EG_EIO);
    assert_non_null(strstr(err.text, nowhere));
    until(door.links_up == 1); /* all else works */
    leave(mqtt, conf);
}

static void templates_become_subscriptions(void **unused)
{
    static const char *const pairs[][2] = {
        {"ecogov/{site}/{domain}/{device}", "ecogov/+/+/+"},
        {"a/{b}", "a/+"},
        {"{a}", "+"},
        {"a/#", "a/#"},
        {"a/+/{b}/c", "a/+/+/c"},
        {"/a/", "/a/"},
        {"a//{b}", "a//+"},
        {"a{b}", "a{b}"},
        {"{}", "{}"},
        {"a/{b}c", "a/{b}c"},
    };
    (void)unused;
    char out[64], small[8];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_true(eg_mqtt_subscription(pairs[i][0], out, sizeof out));
        assert_string_equal(out, pairs[i][1]);
    }
    assert_false(eg_mqtt_subscription("", out, sizeof out));
    assert_false(eg_mqtt_subscription("too/long/for/this", small, sizeof small));
}

/* --- telling --- */

static void what_is_published_is_confirmed_by_its_ticket(void **unused)
{
    (void)unused;
    struct eg_conf *conf = make_conf(plain, true);
    struct eg_mqtt *mqtt = start(conf);
    assert_true(eg_mqtt_publish(mqtt, "x", "{}", 2, false, 1) < 0); /* nobody is there yet */
    until(door.telling && door.links_up == 1);
    broker.puback_held = true;
    assert_int_equal(eg_mqtt_publish(mqtt, "ecogov/events/case/x/1", "{\"a\":1}", 7, false, 41), EG_OK);
    assert_int_equal(eg_mqtt_publish(mqtt, "ecogov/events/case/x/2", "{\"a\":2}", 7, true, 42), EG_OK);
    until(has_seen(PUBLISH, "ecogov/events/case/x/2"));
    settle();
    assert_int_equal(door.published, 0);
    unsigned mids[2] = {0};
    int link = -1;
    for (size_t i = 0; i < broker.seen.count; i++)
        if (!strncmp(broker.seen.rows[i].text, "ecogov/events/case/x/", 21)) {
            int which = broker.seen.rows[i].text[21] - '1';
            mids[which] = broker.seen.rows[i].mid;
            link = broker.seen.rows[i].link;
            assert_int_equal(broker.seen.rows[i].retain, which);
            assert_string_equal(broker.seen.rows[i].body, which ? "{\"a\":2}" : "{\"a\":1}");
        }
    assert_true(mids[0] && mids[1]);
    answer(link, 0x40, mids[1], -1); /* in another order than they went */
    until(door.published == 1);
    answer(link, 0x40, mids[0], 0x87);
    until(door.published == 2);
    assert_int_equal(door.tickets[0], 42);
    assert_string_equal(door.errors[0], "");
    assert_int_equal(door.tickets[1], 41);
    assert_string_equal(door.errors[1], "Not authorized");
    leave(mqtt, conf);
}

static void too_much_at_once_is_refused_and_fits_later(void **unused)
{
    (void)unused;
    struct eg_conf *conf = make_conf(plain, true);
    struct eg_mqtt *mqtt = start(conf);
    until(door.telling);
    assert_int_equal(eg_mqtt_publish(mqtt, "no/topic/#", "{}", 2, false, 1),
                     EG_EINVAL); /* never, not later */
    assert_int_equal(eg_mqtt_publish(mqtt, "", "{}", 2, false, 1), EG_EINVAL);
    broker.puback_held = true;
    int64_t taken = 0;
    while (taken < 200 && eg_mqtt_publish(mqtt, "ecogov/events/case/x/1", "{}", 2, false, taken + 1) == EG_OK)
        taken++;
    assert_in_range(taken, 10, 100);
    until(count_text(PUBLISH, "ecogov/events/case/x/1") == (size_t)taken || broker.seen.count > 20);
    settle();
    for (size_t i = 0, n = broker.seen.count; i < n; i++)
        if (!strcmp(broker.seen.rows[i].text, "ecogov/events/case/x/1")) {
            answer(broker.seen.rows[i].link, 0x40, broker.seen.rows[i].mid, -1);
            break;
        }
    until(door.published == 1);
    assert_int_equal(eg_mqtt_publish(mqtt, "ecogov/events/case/x/1", "{}", 2, false, 999), EG_OK);
    leave(mqtt, conf);
}

#define linked(test) cmocka_unit_test_setup_teardown(test, move_in, move_out)

int main(void)
{
    const struct CMUnitTest tests[] = {
        linked(what_connect_asks_for),
        linked(an_older_broker_is_spoken_to_in_its_language),
        linked(a_refusal_is_told_and_tried_again),
        linked(leaving_while_the_broker_says_nothing),
        linked(leaving_before_anything_was_tried),
        linked(a_new_configuration_is_followed),
        linked(connected_is_when_all_is_subscribed),
        linked(what_left_the_configuration_over_a_restart_is_unsubscribed),
        linked(what_comes_back_is_not_unsubscribed),
        linked(an_account_that_cannot_be_kept_is_told),
        cmocka_unit_test(templates_become_subscriptions),
        linked(what_is_published_is_confirmed_by_its_ticket),
        linked(too_much_at_once_is_refused_and_fits_later),
    };
    return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
