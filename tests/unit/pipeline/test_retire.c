/* Devices taken out of service by people: nobody misses them, what was open about them is over, and if they speak it is told. */
#include "speak.h"

static struct memory room;

#define VILLAGE                                                                                              \
    "time_zone: UTC\n"                                                                                       \
    "sites: [{id: linan}, {id: shangtian, parent: linan}, {id: else, parent: linan}]\n"                      \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n"                           \
    "device_rules: [{id: quiet, when: silent, hold: 1h}, {id: out, when: outage, hold: 10m}]\n"
#define DEVICES 3

static bool lives[DEVICES];

static void pass(int minutes, double value)
{
    char topic[64], payload[32];
    snprintf(payload, sizeof payload, "{\"pm25\":%g}", value);
    for (; minutes > 0; minutes--) {
        room.now_ms += MINUTE;
        catch_up(&room);
        for (int i = 0; i < DEVICES; i++) {
            snprintf(topic, sizeof topic, "ecogov/%s/air/d%d", i == 2 ? "else" : "shangtian", i);
            if (lives[i])
                say(&room, topic, payload);
        }
    }
}

static void begin(void)
{
    memory_open(&room, VILLAGE);
    for (int i = 0; i < DEVICES; i++)
        lives[i] = true;
    pass(30, 20);
}

static int command(const char *verb, const char *device, const char *note)
{
    const struct eg_command command = {
        .verb = verb, .case_id = "", .device = device, .note = note, .user = "li", .version = -1};
    return asks(&room, command)->code;
}

static struct eg_device_view view(const char *name)
{
    struct eg_device_view view;
    for (uint32_t id = 1; eg_pipeline_device(room.pipeline, id, &view); id++)
        if (!strcmp(view.device, name))
            return view;
    fail_msg("no device %s", name);
    return view;
}

static void test_nobody_misses_it(void **unused)
{
    (void)unused;
    begin();
    lives[0] = false;
    assert_int_equal(command("retire", "d0", ""), EG_EINVAL); /* why? */
    assert_int_equal(command("retire", "nobody", "gone"), EG_ENOTFOUND);
    assert_int_equal(command("restore", "d0", NULL), EG_ECONFLICT);
    assert_int_equal(command("retire", "d0", "stolen"), EG_OK);
    assert_int_equal(command("retire", "shangtian/air/d0", "again"), EG_ECONFLICT);
    for (int i = 0; i < 2; i++) {
        assert_true(view("d0").retired);
        assert_string_equal(view("d0").retired_by, "li");
        assert_string_equal(view("d0").retired_note, "stolen");
        assert_true(view("d0").retired_heard_ms == EG_TIME_NONE);
        memory_restart(&room);
    }
    pass(24 * 60, 20);
    assert_int_equal(room.cases_count, 0);
    memory_close(&room);
}

static void test_its_cases(void **unused)
{
    (void)unused;
    begin();
    pass(1, 90);
    assert_int_equal(room.cases_count, 3);
    lives[0] = false;
    pass(100, 20);
    assert_int_equal(room.cases_count, 4);
    assert_int_equal(room.cases[3].kind, EG_CASE_DEVICE);
    assert_int_equal(command("retire", "d0", "stolen"), EG_OK);
    assert_int_equal(room.cases[3].handling, EG_CLOSED);
    assert_int_equal(room.cases[0].condition, EG_CONDITION_UNKNOWN);
    assert_true(room.cases[0].handling == EG_OPEN); /* what was about the village is for people */
    memory_restart(&room);
    pass(24 * 60, 20);
    assert_int_equal(room.cases_count, 4);
    memory_close(&room);
}

/* One that spoke for both goes on for the other; when there is none left, it is over. */
static void test_an_outage(void **unused)
{
    (void)unused;
    begin();
    lives[0] = lives[1] = false;
    pass(60, 20);
    assert_int_equal(room.cases_count, 1);
    assert_int_equal(room.cases[0].kind, EG_CASE_OUTAGE);
    size_t events = room.events_count;
    assert_int_equal(command("retire", "d0", "stolen"), EG_OK);
    assert_int_equal(room.cases[0].handling, EG_OPEN);
    assert_int_equal(room.events_count, events + 1);
    assert_string_equal(room.events[events].kind, "comment");
    assert_non_null(strstr(room.events[events].note, "li has retired d0: stolen"));
    assert_int_equal(command("retire", "d1", "stolen, too"), EG_OK);
    assert_int_equal(room.cases[0].handling, EG_CLOSED);
    pass(24 * 60, 20);
    assert_int_equal(room.cases_count, 1);
    memory_close(&room);
}

static void test_it_speaks_all_the_same(void **unused)
{
    (void)unused;
    begin();
    assert_int_equal(command("retire", "d0", "stolen"), EG_OK);
    pass(2, 90); /* the others' are cases, its own is not */
    assert_int_equal(room.cases_count, 2);
    const int64_t heard_ms = view("d0").retired_heard_ms;
    assert_true(heard_ms == room.now_ms - MINUTE);
    assert_int_equal(room.device_events_count, 2);
    assert_int_equal(room.device_events[1].kind, EG_DEVICE_HEARD);
    memory_restart(&room);
    pass(5, 90);
    assert_true(view("d0").retired_heard_ms == heard_ms);
    assert_int_equal(room.device_events_count, 2);
    assert_int_equal(command("restore", "d0", NULL), EG_OK);
    pass(1, 90);
    assert_int_equal(room.cases_count, 3);
    assert_false(view("d0").retired);
    memory_restart(&room);
    assert_false(view("d0").retired);
    memory_close(&room);
}

/* Back in service and not heard: it has as long to be heard as any. */
static void test_restored_and_silent(void **unused)
{
    (void)unused;
    begin();
    lives[0] = false;
    assert_int_equal(command("retire", "d0", "to the workshop"), EG_OK);
    pass(24 * 60, 20);
    assert_int_equal(command("restore", "d0", "back"), EG_OK);
    pass(60, 20);
    assert_int_equal(room.cases_count, 0);
    pass(15, 20);
    assert_int_equal(room.cases_count, 1);
    assert_int_equal(room.cases[0].kind, EG_CASE_DEVICE);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_misses_it),    cmocka_unit_test(test_its_cases),
        cmocka_unit_test(test_an_outage),           cmocka_unit_test(test_it_speaks_all_the_same),
        cmocka_unit_test(test_restored_and_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
