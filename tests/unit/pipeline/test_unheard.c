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

/* The changes of a case: when, to what. */
static void changes(char out[], size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < room.events_count; i++)
        used += (size_t)snprintf(out + used, size - used, "%s %s@%lld; ", room.events[i].kind,
                                 room.events[i].to, (long long)((room.events[i].at_ms - NOON) / MINUTE));
}

/* A day by a device that speaks each five minutes: three hours quiet, five of a breach, eight quiet, two of a breach; then nothing. */
static double of_the_day(int i)
{
    int hour = i / 12;
    return (hour >= 3 && hour < 8) || hour >= 16 ? 150 : 30;
}

/* Live, and at once in order, with time passing between two readings: the same history, known later. */
static void test_a_day_at_once_as_live(void **unused)
{
    (void)unused;
    enum { READINGS = 18 * 12 };
    static const int64_t steps[] = {0, 50, 1000};
    char live[1000], upload[1000];
    memory_open(&room, VILLAGE);
    room.now_ms = NOON;
    for (int i = 0; i < READINGS; i++, pass(5 * MINUTE))
        speak(of_the_day(i));
    pass(DAY);
    changes(live, sizeof live);
    assert_string_equal(
        live, "opened warning@180; condition ok@480; condition breaching@960; condition unknown@1090; ");
    memory_close(&room);
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        for (int known = 0; known < 2;
             known++) { /* its device was never heard before; it was, and is silent */
            memory_open(&room, VILLAGE);
            room.now_ms = NOON - 5 * MINUTE;
            for (int i = 0; known && i < 3; i++, pass(MINUTE))
                speak(20);
            room.now_ms = NOON + 20 * HOUR;
            pass(0);
            for (int i = 0; i < READINGS; i++, pass(steps[s]))
                reads(&room, NOON + i * 5 * MINUTE, of_the_day(i));
            const int64_t end_ms = room.now_ms;
            assert_int_equal(condition(), EG_CONDITION_BREACHING);
            pass(HOUR);
            changes(upload, sizeof upload);
            if (strcmp(upload, live) != 0 && (!known || strncmp(upload, live, 75) != 0))
                fail_msg("%lld ms apart, %s: %s", (long long)steps[s], known ? "known" : "new", upload);
            assert_true(room.events[0].known_ms > NOON + 20 * HOUR - MINUTE &&
                        room.events[3].known_ms <= end_ms + HOUR);
            assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
            memory_close(&room);
        }
    }
}

/* What is uploaded, in whatever order, is no rhythm, and takes none away; where none is known the readings tell, and what is said of it
 * is what happens. */
static void test_an_upload_teaches_nothing(void **unused)
{
    (void)unused;
    enum { READINGS = 24 };
    struct eg_device_view device;
    for (int known = 0; known < 2; known++)
        for (int step = 1; step < READINGS; step += 6) { /* in order; mixed; newest first */
            memory_open(&room, VILLAGE);
            room.now_ms = NOON - 10 * MINUTE;
            for (int i = 0; known && i < 5; i++, pass(2 * MINUTE))
                speak(20);
            room.now_ms = NOON + 5 * HOUR;
            for (int i = 0; i < READINGS; i++) {
                int at = step == 19 ? READINGS - 1 - i : i * step % (READINGS + 1);
                reads(&room, NOON + at * 5 * MINUTE, 90);
            }
            assert_true(eg_pipeline_device(room.pipeline, 1, &device));
            assert_int_equal(device.interval_ms, known ? 2 * MINUTE : 0);
            assert_true(device.silent_after_ms <= 16 * MINUTE);
            pass(6 * MINUTE);
            assert_int_equal(condition(), EG_CONDITION_UNKNOWN);
            memory_close(&room);
        }
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
        cmocka_unit_test(test_a_day_at_once_as_live),
        cmocka_unit_test(test_an_upload_teaches_nothing),
        cmocka_unit_test(test_a_deaf_daemon),
        cmocka_unit_test(test_what_the_configuration_says),
        cmocka_unit_test(test_a_first_message),
        cmocka_unit_test(test_a_rhythm_of_bursts),
        cmocka_unit_test(test_who_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
