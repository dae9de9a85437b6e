/* Reminders, digests and the rates of rules (repeat.c, digest.c, rate.c): said again until somebody acknowledges, as often as asked and at
 * hours that are right; the open cases once a day; what a rule says too often waits, and nothing critical does. */
#include "speak.h"

#define VILLAGE(route, rule)                                                                                    \
    "channels: [{id: a, kind: mqtt}]\n"                                                                         \
    "time_zone: UTC\nsites: [{id: linan, name: 临安, parties: [top]}, {id: shangtian, name: 上田, parent: " \
    "linan, parties: [grid]}, "                                                                                 \
    "{id: xiatian, name: 下田, parent: linan}]\n"                                                             \
    "parties: [{id: top, sector: government}, {id: grid, sector: society, quiet: '22:00-06:00', "               \
    "language: en, channels: [{id: a, " route "}]}]\n"                                                          \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                        \
    "devices: [{id: a1, site: shangtian, silent_after: 365d}, {id: a2, site: shangtian, silent_after: "         \
    "365d}, {id: a1, site: xiatian, silent_after: 365d}]\n"                                                     \
    "flapping: {window: 0s}\n"                                                                                  \
    "rules: [{id: dust, quantity: pm25, " rule " levels: {warning: {open: 75, clear: 70}, critical: {open: "    \
    "150, clear: 140}}}]\n"

static struct memory room;
static char told_text[4096], last_text[8192], last_line[200];
static int64_t last_held;

static void happens(const struct eg_event *event)
{
    add(&room, event);
    eg_pipeline_settle(room.pipeline, &room.batch);
    size_t used = strlen(told_text);
    for (size_t i = 0; i < room.batch.outbox_count; i++) {
        const struct eg_row_outbox *row = &room.batch.outbox[i];
        if (!*row->party)
            continue;
        int minute = (int)(room.now_ms % DAY / MINUTE);
        used += (size_t)snprintf(told_text + used, sizeof told_text - used, "%s%s@%02d:%02d", used ? " " : "",
                                 row->why, minute / 60, minute % 60);
        snprintf(last_text, sizeof last_text, "%s", row->body);
        snprintf(last_line, sizeof last_line, "%s", row->line);
        last_held = row->not_before_ms;
    }
    turn(&room);
}

static void until(int64_t now_ms)
{
    int rounds = 0;
    for (int64_t due_ms; (due_ms = eg_pipeline_deadline(room.pipeline, now_ms)) <= now_ms;) {
        assert_true(++rounds < 2000);
        room.now_ms = due_ms > room.now_ms ? due_ms : room.now_ms;
        happens(&(struct eg_event){.kind = EG_EVENT_TICK, .now_ms = room.now_ms});
    }
    room.now_ms = now_ms;
}

static void value_at(const char *place, int64_t time_ms, double value)
{
    char payload[100], topic[100];
    until(time_ms);
    int length = snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%g}", (long long)time_ms, value);
    snprintf(topic, sizeof topic, "ecogov/%s", place);
    struct eg_event event = message_event(time_ms, topic, payload, (size_t)length, ++room.mid);
    happens(&event);
}

static void command(const char *verb, const char *id)
{
    happens(&(struct eg_event){.kind = EG_EVENT_COMMAND,
                               .now_ms = room.now_ms,
                               .command = {.verb = verb,
                                           .case_id = id,
                                           .user = "li",
                                           .note = "because",
                                           .until_ms = EG_TIME_NONE,
                                           .version = -1}});
    assert_int_equal(room.answers[0].code, EG_OK);
}

static void expect(const char *wanted)
{
    assert_string_equal(told_text, wanted);
    *told_text = '\0';
}

static void enter(const char *yaml)
{
    memory_open(&room, yaml);
    *told_text = '\0';
}

#define PLACE "shangtian/air/a1"

/* In Chinese, too, a reminder says that it is one. */
static void test_a_reminder_in_chinese(void **unused)
{
    (void)unused;
    static const char english[] = VILLAGE("repeat: 30m", "");
    char yaml[4096];
    const char *at = strstr(english, "language: en");
    snprintf(yaml, sizeof yaml, "%.*slanguage: zh_CN%s", (int)(at - english), english,
             at + strlen("language: en"));
    enter(yaml);
    value_at(PLACE, NOON, 80);
    until(NOON + 35 * MINUTE);
    expect("opened@12:00 repeated@12:30");
    assert_string_equal(last_line, "【警告】仍无人确认：上田a1pm2580.0 ug/m3，11-23 12:00起，案件1");
    memory_close(&room);
}

static void test_until_acknowledged(void **unused)
{
    (void)unused;
    enter(VILLAGE("repeat: 30m", ""));
    value_at(PLACE, NOON, 80);
    until(NOON + 65 * MINUTE);
    expect("opened@12:00 repeated@12:30 repeated@13:00");
    assert_string_equal(last_line,
                        "[warning] nobody has acknowledged: 上田 a1: pm25 80.0 ug/m3, since 11-23 12:00 #1");
    command("acknowledge", "1");
    memory_restart(&room);
    until(NOON + 5 * HOUR);
    expect("");
    command("reject", "1");
    expect("ended@17:00");
    command("reopen", "1");
    until(NOON + 6 * HOUR);
    expect("reopened@17:00 repeated@17:30 repeated@18:00");
    value_at(PLACE, NOON + 6 * HOUR + MINUTE, 60);
    until(NOON + 8 * HOUR);
    expect("recovered@18:01"); /* nobody needs to hurry */
    value_at(PLACE, NOON + 8 * HOUR, 90);
    until(NOON + 8 * HOUR + 31 * MINUTE);
    expect("breaching@20:00 repeated@20:30");
    memory_close(&room);
}

static void test_as_often_as_asked_and_at_what_hour(void **unused)
{
    (void)unused;
    enter(VILLAGE(
        "repeat: 30m, repeat_most: 3, repeat_level: warning, hours: '08:00-20:00', days: [mon, wed]", ""));
    value_at(PLACE, NOON + 7 * HOUR + 20 * MINUTE, 80); /* Monday, 19:20 */
    until(NOON + 8 * HOUR);
    memory_restart(&room);
    until(NOON + 70 * HOUR);
    expect(
        "opened@19:20 repeated@19:50 repeated@08:00 repeated@08:30"); /* on Wednesday; three times in all */
    memory_close(&room);
    enter(VILLAGE("repeat: 30m, repeat_most: 2, repeat_level: critical", ""));
    value_at(PLACE, NOON + 10 * HOUR, 80);
    until(NOON + 11 * HOUR);
    value_at(PLACE, NOON + 11 * HOUR, 180);
    until(NOON + 20 * HOUR);
    expect("opened@22:00 level@23:00 repeated@23:30 repeated@00:00"); /* critical: at night, too */
    memory_close(&room);
    enter(VILLAGE("repeat: 30m, repeat_most: 2", ""));
    value_at(PLACE, NOON + 9 * HOUR + 50 * MINUTE, 80);
    until(NOON + 20 * HOUR);
    expect("opened@21:50 repeated@06:00 repeated@06:30");
    memory_close(&room);
}

/* The daemon was down for months: one reminder, by what the case is now. */
static void test_not_after_months(void **unused)
{
    (void)unused;
    enter(VILLAGE("repeat: 30m", ""));
    value_at(PLACE, NOON, 80);
    value_at("shangtian/air/a2", NOON + MINUTE, 80);
    command("acknowledge", "2");
    room.now_ms = NOON + 90 * DAY;
    memory_restart(&room);
    until(NOON + 90 * DAY + MINUTE);
    expect("opened@12:00 opened@12:01 repeated@12:00");
    memory_close(&room);
}

static void test_held_back_while_silenced(void **unused)
{
    (void)unused;
    enter(VILLAGE("repeat: 30m", ""));
    value_at(PLACE, NOON, 80);
    happens(&(struct eg_event){.kind = EG_EVENT_COMMAND,
                               .now_ms = room.now_ms,
                               .command = {.verb = "silence",
                                           .case_id = "",
                                           .user = "li",
                                           .site = "linan",
                                           .note = "works",
                                           .until_ms = NOON + 2 * HOUR,
                                           .version = -1}});
    until(NOON + 2 * HOUR + 31 * MINUTE);
    expect("opened@12:00 repeated@14:00 repeated@14:30");
    memory_close(&room);
}

static void test_digest(void **unused)
{
    (void)unused;
    enter(VILLAGE("digest: '07:30', level: warning", ""));
    until(NOON + DAY);
    expect(""); /* nothing to say */
    value_at(PLACE, NOON + DAY, 80);
    value_at("xiatian/air/x1", NOON + DAY, 180); /* not the grid's */
    value_at("shangtian/air/a2", NOON + DAY + MINUTE, 180);
    value_at("shangtian/air/a2", NOON + DAY + 2 * MINUTE, 60);
    *told_text = '\0';
    memory_restart(&room);
    until(NOON + 2 * DAY);
    expect("digest@07:30");
    assert_string_equal(last_line, "11-25: 2 open cases, 1 of them critical");
    assert_non_null(strstr(last_text,
                           "\"text\":\"上田:\\n- [warning] 上田 a1: pm25 80.0 ug/m3, since 11-24 12:00 #1 "
                           "(open)\\n- [critical] 上田 a2"));
    assert_non_null(strstr(last_text, "#3 (open, back to normal)\\n\""));
    assert_non_null(strstr(last_text, "\"count\":2,\"cases\":[1,3]"));
    room.now_ms = NOON + 30 * DAY; /* down for a month: one for all of it */
    memory_restart(&room);
    until(NOON + 31 * DAY);
    expect("digest@12:00 digest@07:30");
    command("reject", "1");
    command("reject", "3");
    *told_text = '\0';
    until(NOON + 33 * DAY);
    expect("");
    memory_close(&room);
    enter(VILLAGE("digest: '07:30', digest_empty: true", ""));
    until(NOON + 2 * DAY);
    expect("digest@07:30 digest@07:30");
    assert_string_equal(last_line, "11-25: 0 open cases, 0 of them critical");
    memory_close(&room);
}

static void test_rate_of_a_rule(void **unused)
{
    (void)unused;
    char place[40];
    enter(VILLAGE("level: notice", "limit: 3,"));
    for (int i = 0; i < 6; i++) {
        snprintf(place, sizeof place, "shangtian/air/n%d", i);
        value_at(place, NOON + i * MINUTE, 80);
        assert_true(last_held == (i < 3 ? 0 : NOON + HOUR));
    }
    value_at("shangtian/air/n9", NOON + 10 * MINUTE, 180);
    assert_true(last_held == 0); /* critical */
    value_at("shangtian/air/n9", NOON + 11 * MINUTE, 30);
    assert_true(last_held == NOON + HOUR); /* and its good news can wait */
    value_at("shangtian/air/n0", NOON + HOUR, 30);
    assert_true(last_held == 0);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_until_acknowledged),
        cmocka_unit_test(test_a_reminder_in_chinese),
        cmocka_unit_test(test_as_often_as_asked_and_at_what_hour),
        cmocka_unit_test(test_not_after_months),
        cmocka_unit_test(test_held_back_while_silenced),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_rate_of_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
