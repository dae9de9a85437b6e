/* Silence: when a device counts as silent, what that makes of its cases, and that neither a restart nor a deaf daemon makes anything
 * of it. */
#include "speak.h"

static struct memory room;

#define VILLAGE                                                                                              \
    "time_zone: UTC\n"                                                                                       \
    "sites: [{id: linan}, {id: shangtian, parent: linan, parties: [grid]}]\n"                                \
    "channels: [{id: all, kind: mqtt, topic: 'ecogov/notify/{party}'}]\n"                                    \
    "parties: [{id: grid, sector: society, channels: [{id: all}]}]\n"                                        \
    "devices: [{id: hand, site: shangtian, domain: air, silent_after: 1h}]\n"                                \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n"

/* Time passes, and does what it has to do. */
static void pass(int64_t ms)
{
    room.now_ms += ms;
    catch_up(&room);
}

static void speak(double value)
{
    reads(&room, room.now_ms, value);
}

static void hear(bool up)
{
    const struct eg_event event = {.kind = EG_EVENT_LINK, .now_ms = room.now_ms, .link_up = up};
    add(&room, &event);
    turn(&room);
}

/* A breach, by a device that speaks each minute. */
static void breach(void)
{
    memory_open(&room, VILLAGE);
    for (int i = 0; i < 5; i++) {
        speak(90);
        pass(MINUTE);
    }
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_BREACHING);
}

static enum eg_condition condition(void)
{
    return (enum eg_condition)case_of(&room, 1)->condition;
}

static void test_unknown_until_the_next_reading(void **unused)
{
    (void)unused;
    breach(); /* a minute ago */
    pass(9 * MINUTE - 1);
    assert_int_equal(condition(), EG_CONDITION_BREACHING);
    pass(1);
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    const struct eg_case_event *event = &room.events[room.events_count - 1];
    assert_string_equal(event->kind, "condition");
    assert_string_equal(event->from, "breaching");
    assert_true(isnan(event->value) && event->at_ms == room.now_ms);
    assert_non_null(strstr(event->note, "not been heard since"));
    size_t events = room.events_count;
    pass(DAY);
    memory_restart(&room);
    pass(DAY);
    assert_int_equal(room.events_count, events); /* once, whatever else happens */
    speak(72);                                   /* between clear and open: as it was */
    assert_int_equal(condition(), EG_CONDITION_BREACHING);
    pass(HOUR);
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    speak(60);
    assert_int_equal(condition(), EG_CONDITION_OK);
    pass(HOUR);
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN); /* ok neither */
    memory_close(&room);
}

/* What was decided by a turn that was not committed is decided again. */
static void test_a_kill_before_the_commit(void **unused)
{
    (void)unused;
    breach();
    room.now_ms += HOUR;
    const struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = room.now_ms};
    add(&room, &event);
    memory_restart(&room);
    assert_int_equal(condition(), EG_CONDITION_BREACHING);
    pass(0);
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    memory_close(&room);
}

static void test_old_news_tells_nothing(void **unused)
{
    (void)unused;
    breach();
    pass(HOUR);
    reads(&room, room.now_ms - 30 * MINUTE, 60); /* in order, and within the limit, half an hour ago */
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    reads(&room, room.now_ms - 40 * MINUTE, 95); /* out of order */
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    speak(61);
    assert_int_equal(condition(), EG_CONDITION_OK);
    memory_close(&room);
}

/* Nobody listened: the device's time begins when somebody does, and so it does when nobody has for as long. */
static void test_a_deaf_daemon(void **unused)
{
    (void)unused;
    breach();
    hear(false);
    pass(5 * MINUTE);
    hear(true);
    pass(10 * MINUTE - 1);
    assert_int_equal(condition(), EG_CONDITION_BREACHING);
    pass(1);
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    speak(90);
    hear(false);
    pass(10 * MINUTE); /* it is not known for that */
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    memory_close(&room);
}

static void test_what_the_configuration_says(void **unused)
{
    (void)unused;
    memory_open(&room, VILLAGE);
    say(&room, "ecogov/shangtian/air/hand", "{\"pm25\":90}");
    pass(HOUR - 1);
    assert_int_equal(condition(), EG_CONDITION_BREACHING);
    pass(1);
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    memory_close(&room);
}

/* One message tells no rhythm: a day is waited for the second. */
static void test_a_first_message(void **unused)
{
    (void)unused;
    memory_open(&room, VILLAGE);
    speak(90);
    pass(DAY - 1);
    assert_int_equal(condition(), EG_CONDITION_BREACHING);
    pass(1);
    assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
    memory_close(&room);
}

/* Three messages in a breath, once an hour: what comes again and again is its rhythm, and no outage. */
static void test_a_rhythm_of_bursts(void **unused)
{
    (void)unused;
    struct eg_device_view device;
    memory_open(&room, VILLAGE);
    for (int hour = 0; hour < 4; hour++, room.now_ms += HOUR - 3000)
        for (int i = 0; i < 3; i++, room.now_ms += 1500)
            speak(20);
    assert_true(eg_pipeline_device(room.pipeline, 1, &device));
    assert_true(device.silent_after_ms > HOUR);
    memory_close(&room);
}

/* Those at it hear of it, where they heard of the case. */
static void test_who_is_told(void **unused)
{
    (void)unused;
    memory_open(&room, VILLAGE);
    for (int i = 0; i < 3; i++, room.now_ms += MINUTE)
        speak(i ? 90 : 20);
    size_t told = room.outbox_count;
    pass(HOUR);
    assert_int_equal(room.outbox_count, told + 2); /* the broker, and the party */
    speak(90);
    assert_int_equal(room.outbox_count, told + 4);
    speak(90);
    assert_int_equal(room.outbox_count, told + 4);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_until_the_next_reading),
        cmocka_unit_test(test_a_kill_before_the_commit),
        cmocka_unit_test(test_old_news_tells_nothing),
        cmocka_unit_test(test_a_deaf_daemon),
        cmocka_unit_test(test_what_the_configuration_says),
        cmocka_unit_test(test_a_first_message),
        cmocka_unit_test(test_a_rhythm_of_bursts),
        cmocka_unit_test(test_who_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
