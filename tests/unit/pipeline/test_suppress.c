/* Silences, maintenance windows and flapping (silence.c, matcher.c, flap.c, suppress.c): nobody is told while a case is held back, the
 * history goes on, and one message makes up for it; over restarts; critical ones only where it is said. */
#include "speak.h"

#include <pipeline/flap.h>

#define REST                                                                                                 \
    "channels: [{id: a, kind: mqtt}]\n"                                                                      \
    "time_zone: UTC\nsites: [{id: linan, parties: [top]}, {id: shangtian, parent: linan, parties: "          \
    "[grid]}]\n"                                                                                             \
    "parties: [{id: top, sector: government, channels: [{id: a}]}, {id: grid, sector: society, channels: "   \
    "[{id: a}]}]\n"                                                                                          \
    "devices: [{id: a3, site: shangtian, silent_after: 365d}, {id: a1, site: shangtian, silent_after: "      \
    "365d}, {id: a2, site: shangtian, silent_after: "                                                        \
    "365d}]\n"                                                                                               \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "rules: [{id: dust, quantity: pm25, levels: {warning: {open: 75, clear: 70}, critical: {open: 150, "     \
    "clear: 140}}, deadline: {acknowledge: 1h}}]\n"

static struct memory room;
static char told_text[4096];
static int64_t turns_of_time;

/* The rows for parties of the open batch, as "case/party/why". */
static void note_told(void)
{
    size_t used = strlen(told_text);
    for (size_t i = 0; i < room.batch.outbox_count; i++) {
        const struct eg_row_outbox *row = &room.batch.outbox[i];
        if (*row->party)
            used += (size_t)snprintf(told_text + used, sizeof told_text - used, "%s%u/%s/%s", used ? " " : "",
                                     row->case_number, row->party, row->why);
        assert_true(used < sizeof told_text);
    }
}

static void happens(const struct eg_event *event)
{
    add(&room, event);
    eg_pipeline_settle(room.pipeline, &room.batch);
    note_told();
    turn(&room);
}

/* As turn.c and replay.c do: each deadline at its own moment. */
static void until(int64_t now_ms)
{
    for (int64_t due_ms; (due_ms = eg_pipeline_deadline(room.pipeline, now_ms)) <= now_ms; turns_of_time++) {
        if (due_ms <= 0)
            due_ms = room.now_ms;
        assert_true(turns_of_time < 10000);
        room.now_ms = due_ms > room.now_ms ? due_ms : room.now_ms;
        happens(&(struct eg_event){.kind = EG_EVENT_TICK, .now_ms = room.now_ms});
    }
    room.now_ms = now_ms;
}

static void value_of(const char *device, int64_t time_ms, double value)
{
    char payload[100], topic[100];
    until(time_ms);
    int length = snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%g}", (long long)time_ms, value);
    snprintf(topic, sizeof topic, "ecogov/shangtian/air/%s", device);
    struct eg_event event = message_event(time_ms, topic, payload, (size_t)length, ++room.mid);
    happens(&event);
}

static const struct eg_answer *command(struct eg_command command)
{
    command.user = command.user ? command.user : "li";
    command.version = -1;
    if (!command.until_ms)
        command.until_ms = EG_TIME_NONE;
    happens(&(struct eg_event){.kind = EG_EVENT_COMMAND, .now_ms = room.now_ms, .command = command});
    assert_int_equal(room.answers_count, 1);
    return &room.answers[0];
}

static void case_step(const char *verb, const char *id, const char *user, const char *note)
{
    const struct eg_answer *answer =
        command((struct eg_command){.verb = verb, .case_id = id, .user = user, .note = note});
    if (answer->code != EG_OK)
        fail_msg("%s %s: %s", verb, id, answer->sentence);
}

static void silence(struct eg_command of, int64_t expires_ms)
{
    of.verb = "silence";
    of.case_id = "";
    of.note = "works";
    of.until_ms = expires_ms;
    const struct eg_answer *answer = command(of);
    if (answer->code != EG_OK)
        fail_msg("%s", answer->sentence);
}

static void expect(const char *wanted)
{
    assert_string_equal(told_text, wanted);
    *told_text = '\0';
}

static void enter(const char *more)
{
    char yaml[4096];
    snprintf(yaml, sizeof yaml, "%s%s", more, REST);
    memory_open(&room, yaml);
    *told_text = '\0';
    turns_of_time = 0;
}

/* The kinds of the case's events, in order. */
static const char *history(uint32_t number)
{
    static char text[2048];
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < room.events_count; i++)
        if (room.events[i].case_number == number)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                     room.events[i].kind);
    return text;
}

static void test_silence_and_what_is_still_open(void **unused)
{
    (void)unused;
    enter("");
    silence((struct eg_command){.site = "linan"}, NOON + 2 * HOUR);
    value_of("a1", NOON + MINUTE, 80);
    value_of("a1", NOON + 2 * MINUTE, 60);
    value_of("a1", NOON + 3 * MINUTE, 90);
    memory_restart(&room);
    struct eg_suppression now;
    assert_true(eg_pipeline_suppression(room.pipeline, case_of(&room, 1), room.now_ms, &now));
    assert_int_equal(now.by, EG_SUPPRESSED_BY_SILENCE);
    assert_true(now.until_ms == NOON + 2 * HOUR);
    assert_string_equal(now.reason, "works");
    until(NOON + 2 * HOUR - 1);
    expect("");
    assert_string_equal(history(1), "opened suppressed condition condition"); /* no deadline is missed */
    until(NOON + 2 * HOUR);
    expect("1/grid/caught_up");
    assert_string_equal(history(1), "opened suppressed condition condition resumed");
    assert_true(case_of(&room, 1)->due_ms == NOON + 3 * HOUR); /* from now on */
    assert_int_equal(room.suppressed_count, 0);
    assert_true(room.silences[0].ended_ms == NOON + 2 * HOUR && !room.silences[0].removed);
    value_of("a1", NOON + 2 * HOUR + MINUTE, 60);
    expect("1/grid/recovered");
    memory_close(&room);
}

static void test_over_meanwhile(void **unused)
{
    (void)unused;
    enter("");
    value_of("a1", NOON, 80); /* told before */
    expect("1/grid/opened");
    value_of("a3", NOON, 80);
    expect("2/grid/opened");
    silence((struct eg_command){.domain = "air"}, NOON + HOUR);
    case_step("reject", "2", "wang", "a barbecue"); /* the first that is held back is its end */
    value_of("a2", NOON + MINUTE, 80);              /* not told */
    for (const char *id = "1"; id; id = *id == '1' ? "3" : NULL) {
        case_step("fix", id, "chen", NULL);
        case_step("verify", id, "wang", NULL);
    }
    expect("");
    memory_restart(&room);
    assert_int_equal(room.told_count, 2);
    assert_int_equal(room.suppressed_count, 2); /* of the third nobody will be told */
    until(NOON + HOUR);
    expect("1/grid/ended 2/grid/ended");
    assert_int_equal(room.told_count, 0);
    assert_string_equal(history(3), "opened suppressed fixed verified");
    until(NOON + DAY);
    expect("");
    memory_close(&room);
}

static void test_critical_only_where_it_is_said(void **unused)
{
    (void)unused;
    enter("");
    silence((struct eg_command){.device = "a1"}, NOON + HOUR);
    silence((struct eg_command){.device = "shangtian/air/a2", .level = "critical"}, NOON + HOUR);
    value_of("a1", NOON + MINUTE, 80);
    value_of("a2", NOON + MINUTE, 180);
    value_of("a3", NOON + MINUTE, 80);
    expect("3/grid/opened");
    value_of("a1", NOON + 2 * MINUTE, 180);
    expect("1/grid/caught_up"); /* it is beyond the silence now: one message for both */
    value_of("a1", NOON + 3 * MINUTE, 60);
    expect("1/grid/recovered"); /* the level stays, so it is not covered */
    assert_string_equal(history(1), "opened suppressed level resumed condition");
    assert_int_equal(command((struct eg_command){.verb = "unsilence", .case_id = "2"})->code, EG_OK);
    expect("2/grid/caught_up");
    assert_int_equal(command((struct eg_command){.verb = "unsilence", .case_id = "2"})->code, EG_ENOTFOUND);
    memory_close(&room);
}

static void test_what_no_silence_is(void **unused)
{
    static const struct {
        struct eg_command command;
        int64_t expires_ms;
        enum eg_code code;
    } table[] = {
        {{.note = "r"}, NOON + HOUR, EG_EINVAL}, /* of nothing */
        {{.note = "r", .level = "critical"}, NOON + HOUR, EG_EINVAL},
        {{.site = "linan"}, NOON + HOUR, EG_EINVAL}, /* no reason */
        {{.site = "linan", .note = " \n"}, NOON + HOUR, EG_EINVAL},
        {{.site = "linan", .note = "r"}, EG_TIME_NONE, EG_EINVAL},
        {{.site = "linan", .note = "r"}, NOON - 1, EG_EINVAL},
        {{.site = "linan", .note = "r"}, NOON + 91 * DAY, EG_EINVAL},
        {{.site = "linan", .note = "r", .starts_ms = NOON + 2 * HOUR}, NOON + HOUR, EG_EINVAL},
        {{.site = "linan", .note = "r", .level = "worst"}, NOON + HOUR, EG_EINVAL},
        {{.site = "nowhere", .note = "r"}, NOON + HOUR, EG_ENOTFOUND},
        {{.rule = "none", .note = "r"}, NOON + HOUR, EG_ENOTFOUND},
        {{.quantity = "none", .note = "r"}, NOON + HOUR, EG_ENOTFOUND},
        {{.rule = "dust", .quantity = "pm25", .note = "r", .starts_ms = NOON + 2 * HOUR},
         NOON + 92 * DAY,
         EG_EINVAL},
        {{.rule = "dust", .quantity = "pm25", .note = "r", .starts_ms = NOON + 89 * DAY},
         NOON + 90 * DAY,
         EG_OK},
    };
    (void)unused;
    enter("");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_command asked = table[i].command;
        asked.verb = "silence";
        asked.case_id = "";
        asked.until_ms = table[i].expires_ms;
        const struct eg_answer *answer = command(asked);
        if (answer->code != table[i].code)
            fail_msg("row %zu: %d, %s", i, answer->code, answer->sentence);
    }
    assert_int_equal(room.silences_count, 1);
    value_of("a1", NOON + MINUTE, 80);
    expect("1/grid/opened"); /* it has not begun */
    memory_close(&room);
}

static void test_windows(void **unused)
{
    static const struct {
        const char *window;
        int64_t at_ms, end_ms; /* end 0: it does not hold */
    } table[] = {
        /* NOON is of Monday, 2026-11-23 */
        {"days: [mon], hours: '08:00-14:00'", NOON, NOON + 2 * HOUR},
        {"days: [tue], hours: '08:00-14:00'", NOON, 0},
        {"hours: '22:00-06:00', days: [mon]", NOON + 11 * HOUR, NOON + 18 * HOUR},
        {"hours: '22:00-06:00', days: [mon]", NOON + 13 * HOUR, NOON + 18 * HOUR},
        {"hours: '22:00-06:00', days: [tue]", NOON + 13 * HOUR, 0},
        {"days: [mon, tue]", NOON, NOON + 36 * HOUR},
        {"dates: ['2026-11-23..2026-11-25'], hours: '11:00-13:00'", NOON + 24 * HOUR, NOON + 25 * HOUR},
        {"dates: ['2026-11-24']", NOON, 0},
        {"dates: ['2026-11-23'], level: notice", NOON, 0},
        {"dates: ['2026-11-23'], rule: dust, device: a2", NOON, 0}};
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml, "maintenance: {windows: [{id: w, reason: works, site: linan, %s}]}\n",
                 table[i].window);
        enter(yaml);
        room.now_ms = table[i].at_ms;
        value_of("a1", table[i].at_ms, 80);
        if (strcmp(told_text, table[i].end_ms ? "" : "1/grid/opened") != 0)
            fail_msg("%s: told '%s'", table[i].window, told_text);
        *told_text = '\0';
        if (table[i].end_ms) {
            until(table[i].end_ms - 1);
            expect("");
            memory_restart(&room);
            until(table[i].end_ms);
            expect("1/grid/caught_up");
        }
        memory_close(&room);
    }
}

static void test_a_window_that_leaves_the_configuration(void **unused)
{
    (void)unused;
    enter("maintenance: {windows: [{id: w, reason: works, site: linan, days: [mon]}]}\n");
    value_of("a1", NOON, 80);
    expect("");
    memory_reconfigure(&room, REST);
    until(NOON + MINUTE);
    expect("1/grid/caught_up");
    memory_close(&room);
}

static void test_flapping(void **unused)
{
    (void)unused;
    enter("");
    int64_t at = NOON;
    value_of("a1", at, 80);
    for (int i = 0; i < 12; i++)
        value_of("a1", at += MINUTE, i % 2 ? 80 : 60);
    /* 1.2 to 0.8 of each change in the hour: the sixth makes it more than 30 % of 20 */
    expect(
        "1/grid/opened 1/grid/recovered 1/grid/breaching 1/grid/recovered 1/grid/breaching 1/grid/recovered");
    memory_restart(&room);
    struct eg_suppression now;
    assert_true(eg_pipeline_suppression(room.pipeline, case_of(&room, 1), room.now_ms, &now));
    assert_int_equal(now.by, EG_SUPPRESSED_BY_FLAPPING);
    value_of("a1", at += MINUTE, 180); /* critical: once, come what may */
    value_of("a1", at += MINUTE, 80);
    value_of("a1", at += MINUTE, 180);
    expect("1/grid/level");
    value_of("a1", at += MINUTE, 60);
    assert_true(eg_pipeline_suppression(room.pipeline, case_of(&room, 1), room.now_ms, &now));
    assert_true(now.until_ms > at + 30 * MINUTE && now.until_ms < at + HOUR);
    until(now.until_ms - 1);
    expect("");
    memory_restart(&room);
    until(now.until_ms);
    expect(
        "1/grid/caught_up 1/top/caught_up"); /* a deadline has passed meanwhile: those above hear of it, too */
    assert_int_equal(room.suppressed_count, 0);
    value_of("a1", now.until_ms + MINUTE, 80);
    expect("1/grid/breaching 1/top/breaching"); /* calm means calm: it may change again */
    memory_close(&room);
}

static void test_flapping_ends_with_the_case(void **unused)
{
    (void)unused;
    enter("flapping: {window: 10m, high: 10, low: 5}\n");
    value_of("a1", NOON, 80);
    value_of("a1", NOON + MINUTE, 60);
    value_of("a1", NOON + 2 * MINUTE, 80);
    expect("1/grid/opened 1/grid/recovered"); /* the second change is above 10 % */
    case_step("reject", "1", "wang", "a barbecue");
    expect("1/grid/ended");
    until(NOON + DAY);
    expect("");
    assert_string_equal(history(1), "opened condition condition flapping rejected");
    assert_int_equal(room.suppressed_count, 0);
    memory_close(&room);
}

static void test_flapping_by_numbers(void **unused)
{
    (void)unused;
    struct eg_flap flap = {0};
    uint64_t seed = 20261126;
    assert_true(eg_flap_calm(&flap, HOUR, 25, NOON) == NOON);
    for (int i = 0; i < 5; i++)
        eg_flap_change(&flap, NOON, NOON + i);
    assert_true(eg_flap_share(&flap, HOUR, NOON) > 29.9999 && eg_flap_share(&flap, HOUR, NOON) < 30.0001);
    assert_false(eg_flap_is_above(&flap, HOUR, 30, NOON));
    eg_flap_change(&flap, NOON, NOON + 4); /* the same reading */
    assert_int_equal(flap.count, 5);
    eg_flap_change(&flap, NOON, NOON + 5);
    assert_true(eg_flap_is_above(&flap, HOUR, 30, NOON));
    assert_true(eg_flap_share(&flap, HOUR, NOON + HOUR) > 23.9999); /* 0.8 each at the end of the window */
    assert_true(eg_flap_share(&flap, HOUR, NOON + HOUR + 1) < 0.0001);
    for (int round = 0; round < 300; round++) { /* the moment it is calm, found by looking at each */
        int64_t window = 50 + random_below(&seed, 2000), at = NOON;
        int low = 1 + (int)random_below(&seed, 60);
        struct eg_flap some = {0};
        for (int64_t i = random_below(&seed, 25); i > 0; i--)
            eg_flap_change(&some, at += random_below(&seed, window / 4 + 1), i);
        int64_t found = at;
        while (eg_flap_share(&some, window, found) >= low)
            found++;
        if (eg_flap_calm(&some, window, low, at) != found)
            fail_msg("round %d: %lld, not %lld", round,
                     (long long)(eg_flap_calm(&some, window, low, at) - at), (long long)(found - at));
    }
}

/* Who had to do with it for a while only hears of its end, too. */
static void test_called_off_for_who_was_asked(void **unused)
{
    (void)unused;
    memory_open(&room, "channels: [{id: a, kind: mqtt}]\ntime_zone: UTC\n"
                       "sites: [{id: shangtian, parties: [grid]}]\n"
                       "parties: [{id: grid, sector: society}, {id: x, sector: market, channels: [{id: a}]}, "
                       "{id: y, sector: market, channels: [{id: a}]}]\n"
                       "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"
                       "rules: [{id: dust, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n");
    *told_text = '\0';
    value_of("a1", NOON, 80);
    command((struct eg_command){.verb = "assign", .case_id = "1", .party = "x"});
    command((struct eg_command){.verb = "assign", .case_id = "1", .party = "y"});
    expect("1/x/assigned 1/y/assigned");
    value_of("a1", NOON + MINUTE, 60);
    expect("1/y/recovered 1/x/recovered");
    case_step("reject", "1", "wang", "a barbecue");
    expect("1/y/ended 1/x/ended");
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_and_what_is_still_open),
        cmocka_unit_test(test_over_meanwhile),
        cmocka_unit_test(test_critical_only_where_it_is_said),
        cmocka_unit_test(test_what_no_silence_is),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_a_window_that_leaves_the_configuration),
        cmocka_unit_test(test_flapping),
        cmocka_unit_test(test_flapping_ends_with_the_case),
        cmocka_unit_test(test_flapping_by_numbers),
        cmocka_unit_test(test_called_off_for_who_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
