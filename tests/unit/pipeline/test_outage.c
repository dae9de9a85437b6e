/* Cases of silence: a device of its own, a site instead of its devices, the site above instead of the sites; and who ends them. */
#include "speak.h"

static struct memory room;

#define VILLAGE                                                                                              \
    "time_zone: UTC\n"                                                                                       \
    "sites: [{id: linan}, {id: east, parent: linan}, {id: west, parent: linan}, {id: else}]\n"               \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n"
#define RULES                                                                                                \
    "device_rules: [{id: quiet, when: silent, hold: 1h, level: notice, deadline: {acknowledge: 2h}}, {id: "  \
    "out, when: outage, hold: 10m}]\n"

struct speaker {
    const char *site, *device;
    bool lives;
};
static struct speaker speakers[] = {
    {"east", "e1", true}, {"east", "e2", true}, {"west", "w1", true}, {"west", "w2", true}};
#define SPEAKERS ((int)(sizeof speakers / sizeof *speakers))

/* Minutes pass; who lives speaks in each. */
static void pass(int minutes)
{
    char topic[64];
    for (; minutes > 0; minutes--) {
        for (int i = 0; i < SPEAKERS; i++) {
            room.now_ms += MINUTE / SPEAKERS;
            catch_up(&room);
            if (!speakers[i].lives)
                continue;
            snprintf(topic, sizeof topic, "ecogov/%s/air/%s", speakers[i].site, speakers[i].device);
            say(&room, topic, "{\"pm25\":20}");
        }
    }
}

static void live(const char *who)
{
    for (int i = 0; i < SPEAKERS; i++)
        speakers[i].lives = strstr(who, speakers[i].device) != NULL;
}

static void begin(const char *yaml)
{
    memory_open(&room, yaml);
    live("e1 e2 w1 w2");
    pass(30);
    assert_int_equal(room.cases_count, 0);
}

static const struct eg_case *newest(void)
{
    assert_true(room.cases_count > 0);
    return &room.cases[room.cases_count - 1];
}

static void test_one_device(void **unused)
{
    (void)unused;
    begin(VILLAGE RULES);
    live("e2 w1 w2");
    pass(9 + 60);
    assert_int_equal(room.cases_count, 0);
    pass(2);
    assert_int_equal(room.cases_count, 1);
    assert_true(newest()->kind == EG_CASE_DEVICE && newest()->level == EG_LEVEL_NOTICE);
    assert_string_equal(newest()->device, "e1");
    assert_string_equal(newest()->rule, "quiet");
    assert_true(newest()->detected_ms - newest()->opened_ms == HOUR); /* held from its first silent moment */
    pass(120);
    assert_string_equal(room.events[room.events_count - 1].kind,
                        "missed"); /* people have as long as the rule says */
    memory_restart(&room);
    pass(600);
    assert_int_equal(room.cases_count, 1);
    live("e1 e2 w1 w2");
    pass(1);
    assert_true(newest()->handling == EG_CLOSED && newest()->condition == EG_CONDITION_OK);
    live("e2 w1 w2");
    pass(71);
    assert_int_equal(room.cases_count, 2); /* it falls silent again */
    memory_close(&room);
}

/* Who has closed it need not hear of the same silence again. */
static void test_closed_by_people(void **unused)
{
    (void)unused;
    begin(VILLAGE RULES);
    live("e2 w1 w2");
    pass(75);
    assert_int_equal(asks(&room, (struct eg_command){.verb = "close", .case_id = "1", .version = -1})->code,
                     EG_OK);
    pass(24 * 60);
    memory_restart(&room);
    pass(60);
    assert_int_equal(room.cases_count, 1);
    memory_close(&room);
}

static void test_a_site(void **unused)
{
    (void)unused;
    begin(VILLAGE RULES);
    live("w1 w2");
    pass(22);
    assert_int_equal(room.cases_count, 1);
    assert_true(newest()->kind == EG_CASE_OUTAGE && newest()->level == EG_LEVEL_WARNING);
    assert_string_equal(newest()->site, "east");
    assert_string_equal(newest()->device, "");
    pass(600); /* and holds back its devices */
    assert_int_equal(room.cases_count, 1);
    live("e1 w1 w2");
    pass(1);
    assert_int_equal(newest()->handling, EG_CLOSED);
    pass(68); /* e2 has as long again, and the hold */
    assert_int_equal(room.cases_count, 1);
    memory_restart(&room);
    pass(3);
    assert_int_equal(room.cases_count, 2);
    assert_true(newest()->kind == EG_CASE_DEVICE && !strcmp(newest()->device, "e2"));
    memory_close(&room);
}

static void test_the_sites_above(void **unused)
{
    (void)unused;
    begin(VILLAGE RULES);
    live("");
    pass(25);
    assert_int_equal(room.cases_count, 1);
    assert_string_equal(newest()->site, "linan");
    live("e1 e2 w1 w2");
    pass(60);
    assert_int_equal(room.cases_count, 1);
    assert_int_equal(newest()->handling, EG_CLOSED);
    memory_close(&room);
}

/* What falls silent long after another is no outage with it. */
static void test_one_after_the_other(void **unused)
{
    (void)unused;
    begin(VILLAGE RULES);
    live("e2 w1 w2");
    pass(60);
    live("w1 w2");
    pass(600);
    assert_int_equal(room.cases_count, 2);
    assert_true(room.cases[0].kind == EG_CASE_DEVICE && room.cases[1].kind == EG_CASE_DEVICE);
    memory_close(&room);
}

static void hear(bool up)
{
    const struct eg_event event = {.kind = EG_EVENT_LINK, .now_ms = room.now_ms, .link_up = up};
    add(&room, &event);
    turn(&room);
}

/* The broker is not heard: no device is to blame, and no site. */
static void test_a_deaf_daemon(void **unused)
{
    (void)unused;
    begin(VILLAGE RULES);
    live("");
    hear(false);
    pass(600);
    assert_int_equal(room.cases_count, 0);
    memory_restart(&room);
    hear(false);
    pass(60);
    hear(true);
    pass(9);
    assert_int_equal(room.cases_count, 0); /* just came back */
    pass(30);
    assert_int_equal(room.cases_count, 1);
    memory_close(&room);
}

static void test_nobody_asks(void **unused)
{
    (void)unused;
    begin(VILLAGE "devices: [{id: e1, site: east, retired: true}]\n");
    live("");
    pass(600);
    assert_int_equal(room.cases_count, 0);
    memory_close(&room);
}

/* Retired: missed by nobody, judged by no rule; and what is open about it ends. */
static void test_retired(void **unused)
{
    (void)unused;
    begin(VILLAGE RULES);
    say(&room, "ecogov/east/air/e2", "{\"pm25\":90}");
    live("e2 w1 w2");
    speakers[1].lives = false;
    pass(5);
    say(&room, "ecogov/east/air/e2", "{\"pm25\":90}");
    speakers[1].lives = true;
    pass(90);
    assert_int_equal(room.cases_count, 2); /* a breach, and e1 */
    live("w1 w2");
    memory_reconfigure(
        &room, VILLAGE RULES
        "devices: [{id: e1, site: east, retired: true}, {id: e2, site: east, retired: true}]\n");
    pass(1);
    assert_int_equal(room.cases[1].handling, EG_CLOSED);
    assert_int_equal(room.cases[0].condition, EG_CONDITION_UNKNOWN);
    size_t readings = room.readings_count;
    say(&room, "ecogov/east/air/e1", "{\"pm25\":300}");
    assert_int_equal(room.readings_count, readings + 1);
    pass(600);
    assert_int_equal(room.cases_count, 2);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_device),
        cmocka_unit_test(test_closed_by_people),
        cmocka_unit_test(test_a_site),
        cmocka_unit_test(test_the_sites_above),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_a_deaf_daemon),
        cmocka_unit_test(test_nobody_asks),
        cmocka_unit_test(test_retired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
