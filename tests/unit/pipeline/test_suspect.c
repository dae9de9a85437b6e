/* Sensors in doubt: one case about the sensor, none about the village from the same series meanwhile. */
#include "speak.h"

static struct memory room;

#define VILLAGE                                                                                              \
    "time_zone: UTC\n"                                                                                       \
    "sites: [{id: linan}, {id: shangtian, parent: linan}]\n"                                                 \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "rules: [{id: r, quantity: pm25, hold: 3h, levels: {warning: {open: 75, clear: 70}}}]\n"                 \
    "quality: {limits: [{quantity: pm25, stuck: 1h, stuck_bad: 30d}]}\n"                                     \
    "device_rules: [{id: doubt, when: suspect, hold: 1h, level: notice, deadline: {fix: 4h}}]\n"

/* `value` each ten minutes, with a flicker or none. */
static void speak(int times, double value, double flicker)
{
    for (; times > 0; times--, room.now_ms += 10 * MINUTE)
        reads(&room, room.now_ms, value + (times % 2 ? flicker : 0));
}

static const struct eg_case *only(void)
{
    assert_int_equal(room.cases_count, 1);
    return &room.cases[0];
}

static void test_stuck(void **unused)
{
    (void)unused;
    memory_open(&room, VILLAGE);
    speak(6, 20, 1);
    speak(12, 90, 0); /* beyond the limit, for two hours, without a flicker: in doubt after one */
    assert_int_equal(room.cases_count, 0);
    speak(3, 90, 0);
    assert_true(only()->kind == EG_CASE_MAINTENANCE && only()->level == EG_LEVEL_NOTICE);
    assert_string_equal(only()->rule, "doubt");
    assert_non_null(strstr(room.events[0].note, "pm25 has been 90"));
    speak(12, 90, 0); /* longer than `hold` */
    memory_restart(&room);
    speak(12, 90, 0);
    assert_int_equal(only()->handling, EG_OPEN); /* nothing about the air */
    speak(1, 92, 0);                             /* it moves, and the air is bad */
    assert_int_equal(room.cases[0].handling, EG_CLOSED);
    speak(2, 93, 1);
    assert_int_equal(room.cases_count, 2);
    assert_int_equal(room.cases[1].kind, EG_CASE_BREACH);
    memory_close(&room);
}

/* Closed by hand, and stuck still: after the hold again, over a restart too. */
static void test_closed_by_hand(void **unused)
{
    (void)unused;
    for (int restarts = 0; restarts < 2; restarts++) {
        memory_open(&room, VILLAGE);
        speak(6, 20, 1);
        speak(15, 30, 0);
        assert_int_equal(only()->kind, EG_CASE_MAINTENANCE);
        assert_int_equal(
            asks(&room, (struct eg_command){.verb = "close", .case_id = "1", .version = -1})->code, EG_OK);
        if (restarts)
            memory_restart(&room);
        speak(5, 30, 0);
        assert_int_equal(room.cases_count, 1);
        speak(4, 30, 0);
        assert_int_equal(room.cases_count, 2);
        memory_close(&room);
    }
}

/* A case that was there goes on, and is followed. */
static void test_a_case_that_was_there(void **unused)
{
    (void)unused;
    memory_open(&room, VILLAGE);
    speak(24, 90, 1);
    assert_int_equal(only()->kind, EG_CASE_BREACH);
    speak(20, 90, 0);
    assert_int_equal(room.cases_count, 2);
    assert_int_equal(room.cases[0].condition, EG_CONDITION_BREACHING);
    speak(2, 20, 1);
    assert_true(room.cases[0].condition == EG_CONDITION_OK && room.cases[1].handling == EG_CLOSED);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_closed_by_hand),
        cmocka_unit_test(test_a_case_that_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
