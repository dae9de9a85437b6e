/* Calibrations that are due: told once, ahead of the day, over restarts; over when a later day stands in the configuration. */
#include "speak.h"

static struct memory room;

#define VILLAGE                                                                                              \
    "time_zone: UTC\n"                                                                                       \
    "sites: [{id: linan}, {id: shangtian, parent: linan}]\n"                                                 \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "device_rules: [{id: due, when: calibration, ahead: 2d, level: notice, deadline: {fix: 4h}}]\n"
#define DEVICE(rest) "devices: [{id: a1, site: shangtian, domain: air, " rest "}]\n"

/* Days with a reading each hour, whose rhythm is known. */
static void pass(int days)
{
    for (int hour = 0; hour < 24 * days; hour++) {
        room.now_ms += HOUR;
        catch_up(&room);
        reads(&room, room.now_ms, 20 + hour % 3);
    }
}

static void reload(const char *yaml)
{
    struct eg_err err = {EG_OK, ""};
    struct eg_conf *before = room.conf;
    room.conf = memory_conf(yaml);
    assert_int_equal(eg_pipeline_configure(room.pipeline, room.conf, &err), EG_OK);
    eg_conf_destroy(before);
}

static char *day(int days, char out[EG_TIME_TEXT])
{
    eg_time_format(NOON + days * 24 * HOUR, out);
    return out;
}

static void test_told_once_and_over_by_a_later_day(void **unused)
{
    (void)unused;
    char yaml[1024], at[EG_TIME_TEXT];
    snprintf(yaml, sizeof yaml, VILLAGE DEVICE("calibration_due: '%s'"), day(5, at));
    memory_open(&room, yaml);
    pass(2);
    assert_int_equal(room.cases_count, 0);
    pass(2);
    assert_int_equal(room.cases_count, 1);
    assert_true(room.cases[0].kind == EG_CASE_MAINTENANCE && room.cases[0].level == EG_LEVEL_NOTICE);
    assert_true(room.cases[0].opened_ms >= NOON + 3 * 24 * HOUR &&
                room.cases[0].opened_ms < NOON + 3 * 24 * HOUR + 2 * HOUR);
    assert_string_equal(room.cases[0].rule, "due");
    assert_non_null(strstr(room.events[0].note, "the calibration is good until "));
    memory_restart(&room);
    pass(4);
    assert_int_equal(room.cases_count, 1);
    assert_int_equal(room.cases[0].handling, EG_OPEN);
    snprintf(yaml, sizeof yaml, VILLAGE DEVICE("calibration_due: '%s'"), day(100, at));
    reload(yaml);
    pass(1);
    assert_int_equal(room.cases[0].handling, EG_CLOSED);
    assert_non_null(strstr(room.events[room.events_count - 1].note, "its calibration is good until "));
    pass(80);
    assert_int_equal(room.cases_count, 1);
    pass(20);
    assert_int_equal(room.cases_count, 2);
    memory_close(&room);
}

/* Closed by people, and the day in the configuration is the old one: they know. */
static void test_closed_by_people(void **unused)
{
    (void)unused;
    char yaml[1024], at[EG_TIME_TEXT];
    snprintf(yaml, sizeof yaml, VILLAGE DEVICE("calibration: [{quantity: pm25, until: '%s'}]"), day(3, at));
    memory_open(&room, yaml);
    pass(2);
    assert_int_equal(room.cases_count, 1);
    assert_non_null(strstr(room.events[0].note, "the calibration of pm25 is good until "));
    assert_int_equal(asks(&room, (struct eg_command){.verb = "close", .case_id = "1", .version = -1})->code,
                     EG_OK);
    pass(2);
    memory_restart(&room);
    pass(2);
    assert_int_equal(room.cases_count, 1);
    memory_close(&room);
}

/* An entry that holds from a later time on takes the place of the one that was due; a retired device is not asked. */
static void test_which_entry_holds(void **unused)
{
    (void)unused;
    char yaml[1024], first[EG_TIME_TEXT], from[EG_TIME_TEXT], until[EG_TIME_TEXT];
    snprintf(
        yaml, sizeof yaml,
        VILLAGE DEVICE("calibration: [{quantity: pm25, until: '%s'}, {quantity: pm25, from: '%s', until: "
                       "'%s'}]"),
        day(4, first), day(3, from), day(30, until));
    memory_open(&room, yaml);
    pass(3);
    assert_int_equal(room.cases_count, 1); /* two days ahead of the first */
    pass(2);
    assert_int_equal(room.cases[0].handling, EG_CLOSED); /* the second holds */
    pass(20);
    assert_int_equal(room.cases_count, 1);
    snprintf(yaml, sizeof yaml, VILLAGE DEVICE("retired: true, calibration_due: '%s'"), day(5, first));
    reload(yaml);
    pass(10);
    assert_int_equal(room.cases_count, 1);
    memory_close(&room);
}

/* A sensor in doubt is another matter than its calibration: neither takes the other's case. */
static void test_beside_a_sensor_in_doubt(void **unused)
{
    (void)unused;
    char yaml[1024], at[EG_TIME_TEXT];
    snprintf(yaml, sizeof yaml,
             VILLAGE
             "    \n" DEVICE("calibration_due: '%s'") "quality: {limits: [{quantity: pm25, stuck: 3h}]}\n",
             day(1, at));
    memory_open(&room, yaml);
    pass(1);
    assert_int_equal(room.cases_count, 1);
    memory_close(&room);
    char *rule = strstr(yaml, "device_rules: [");
    assert_non_null(rule);
    char both[1200];
    snprintf(both, sizeof both, "%.*sdevice_rules: [{id: doubt, when: suspect, level: notice}, %s",
             (int)(rule - yaml), yaml, rule + strlen("device_rules: ["));
    memory_open(&room, both);
    for (int hour = 0; hour < 12; hour++) {
        room.now_ms += HOUR;
        catch_up(&room);
        reads(&room, room.now_ms, 20);
    }
    assert_int_equal(room.cases_count, 2);
    assert_string_not_equal(room.cases[0].rule, room.cases[1].rule);
    assert_true(room.cases[0].handling == EG_OPEN && room.cases[1].handling == EG_OPEN);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_once_and_over_by_a_later_day),
        cmocka_unit_test(test_closed_by_people),
        cmocka_unit_test(test_which_entry_holds),
        cmocka_unit_test(test_beside_a_sensor_in_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
