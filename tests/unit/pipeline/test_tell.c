/* Who is told of what, by which way and when (tell.c, told.c, brief.c): channels by level, hour and day; called off where it was raised
 * and nowhere else, also after a restart. */
#include "speak.h"

#define CHANNELS "channels: [{id: a, kind: mqtt}, {id: b, kind: mqtt, topic: ecogov/notify/siren}]\n"
#define REST                                                                                                 \
    "time_zone: UTC\nsites: [{id: linan, parties: [top]}, {id: shangtian, name: 上田村, parent: linan, "  \
    "parties: [grid, bureau]}]\n"                                                                            \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "rules: [{id: dust, quantity: pm25, title: Dust, title_zh: 扬尘, levels: {warning: {open: 75, clear: " \
    "70}, critical: {open: 150, clear: 140}}}]\n"

static struct memory room;

/* The rows for parties of the open batch, in order, as "party/channel/why". */
static const char *told(void)
{
    static char text[1024];
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < room.batch.outbox_count; i++) {
        const struct eg_row_outbox *row = &room.batch.outbox[i];
        if (*row->party)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s/%s/%s", used ? " " : "",
                                     row->party, row->channel, row->why);
    }
    return text;
}

static void value_at(int64_t time_ms, double value)
{
    char payload[100];
    int length = snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%g}", (long long)time_ms, value);
    struct eg_event event = message_event(time_ms, A1, payload, (size_t)length, ++room.mid);
    room.now_ms = time_ms;
    add(&room, &event);
}

static void command(const char *verb, const char *note)
{
    struct eg_event event = {.kind = EG_EVENT_COMMAND, .now_ms = room.now_ms};
    event.command = (struct eg_command){.verb = verb,
                                        .case_id = "1",
                                        .user = strcmp(verb, "verify") ? "li" : "wang",
                                        .note = note,
                                        .until_ms = EG_TIME_NONE,
                                        .version = -1};
    add(&room, &event);
}

static void expect(const char *wanted)
{
    assert_string_equal(told(), wanted);
    turn(&room);
}

static void test_by_level_and_back(void **unused)
{
    (void)unused;
    memory_open(&room, CHANNELS REST
                "parties: [{id: top, sector: government, channels: [{id: a}]}, {id: grid, sector: "
                "society, channels: [{id: a}, {id: b, level: critical}]}, {id: bureau, sector: "
                "government, channels: [{id: b, level: critical}]}]\n");
    value_at(NOON, 80);
    const struct eg_row_outbox *row = &room.batch.outbox[1];
    assert_string_equal(row->recipient, "ecogov/notify/grid");
    assert_string_equal(row->line, "【警告】上田村a1扬尘80.0 ug/m3，11-23 12:00起，案件1");
    assert_non_null(strstr(row->body, "\"party\":\"grid\",\"why\":\"opened\",\"language\":\"zh_CN\""));
    assert_non_null(strstr(row->body, "\"level\":\"warning\""));
    expect("grid/a/opened"); /* not those of the site above: this one has parties */
    value_at(NOON + MINUTE, 60);
    expect("grid/a/recovered"); /* the bureau heard of nothing */
    memory_restart(&room);
    value_at(NOON + 2 * MINUTE, 160);
    assert_string_equal(room.batch.outbox[1].recipient, "ecogov/notify/grid");
    expect("grid/a/breaching grid/a/level grid/b/level bureau/b/level");
    value_at(NOON + 3 * MINUTE, 100);
    expect(""); /* better, and still bad: nobody's phone rings */
    memory_restart(&room);
    value_at(NOON + 4 * MINUTE, 60);
    expect("grid/a/recovered grid/b/recovered bureau/b/recovered");
    command("fix", NULL);
    expect("grid/a/fixed"); /* who is to look */
    command("verify", NULL);
    expect("grid/a/ended grid/b/ended bureau/b/ended");
    assert_int_equal(room.told_count, 0);
    command("comment", "nothing to tell of");
    expect("");
    memory_close(&room);
}

static void test_by_hour_and_day(void **unused)
{
    (void)unused;
    static const struct {
        const char *route, *told;
        int64_t at_ms;
    } table[] = {/* 2026-11-23 is a Monday */
                 {"hours: '08:00-20:00'", "grid/a/opened", NOON},
                 {"hours: '08:00-12:00'", "", NOON},
                 {"hours: '12:00-12:01'", "grid/a/opened", NOON},
                 {"hours: '20:00-06:00'", "grid/a/opened", NOON + 17 * HOUR},
                 {"hours: '20:00-06:00'", "grid/a/opened", NOON + 8 * HOUR},
                 {"hours: '20:00-06:00'", "", NOON + 18 * HOUR},
                 {"days: [mon]", "grid/a/opened", NOON},
                 {"days: [sun, sat]", "", NOON},
                 {"days: [tue]", "grid/a/opened", NOON + 12 * HOUR},
                 {"days: [sun, sat]", "grid/a/opened", NOON + 5 * DAY}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char yaml[2048];
        snprintf(yaml, sizeof yaml,
                 CHANNELS REST
                 "parties: [{id: top, sector: government}, {id: bureau, sector: market}, {id: grid, "
                 "sector: society, channels: [{id: a, %s}]}]\n",
                 table[i].route);
        memory_open(&room, yaml);
        value_at(table[i].at_ms, 80);
        if (strcmp(told(), table[i].told) != 0)
            fail_msg("%s: told '%s'", table[i].route, told());
        bool was = *told();
        turn(&room);
        value_at(table[i].at_ms + 9 * HOUR, 60); /* called off at any hour */
        expect(was ? "grid/a/recovered" : "");
        memory_close(&room);
    }
}

static void test_the_site_above_and_another_language(void **unused)
{
    (void)unused;
    memory_open(&room, CHANNELS
                "time_zone: UTC\nsites: [{id: linan, parties: [top]}, {id: shangtian, parent: linan}]\n"
                "rules: [{id: dust, quantity: pm25, levels: {critical: {open: 75, clear: 70}}}]\n"
                "parties: [{id: top, sector: government, language: en, channels: [{id: a, to: "
                "ecogov/notify/x}, {id: a, to: ecogov/notify/y}]}]\n");
    value_at(NOON, 80);
    assert_string_equal(room.batch.outbox[1].recipient, "ecogov/notify/x");
    assert_string_equal(room.batch.outbox[2].recipient, "ecogov/notify/y");
    assert_string_not_equal(room.batch.outbox[1].key, room.batch.outbox[2].key);
    assert_string_equal(room.batch.outbox[2].line,
                        "[critical] shangtian a1: pm25 80.0 ug/m3, since 11-23 12:00 #1");
    expect("top/a/opened top/a/opened");
    command("reject", "a barbecue");
    expect("top/a/ended top/a/ended");
    command("reopen", NULL);
    expect("top/a/reopened top/a/reopened");
    memory_close(&room);
}

static void test_quiet_hours(void **unused)
{
    (void)unused;
    memory_open(&room, CHANNELS REST
                "parties: [{id: top, sector: government}, {id: bureau, sector: market}, {id: grid, "
                "sector: society, quiet: '22:00-06:00', channels: [{id: a}]}]\n");
    value_at(NOON + 11 * HOUR + 90000, 80); /* 23:01:30 */
    assert_true(room.batch.outbox[1].not_before_ms == NOON + 18 * HOUR);
    expect("grid/a/opened");
    value_at(NOON + 12 * HOUR, 160);
    assert_true(room.batch.outbox[1].not_before_ms == 0); /* critical: at any hour */
    expect("grid/a/level");
    value_at(NOON + 13 * HOUR, 60);
    assert_true(room.batch.outbox[1].not_before_ms == NOON + 18 * HOUR); /* good news can wait */
    expect("grid/a/recovered");
    value_at(NOON + 18 * HOUR, 80);
    assert_true(room.batch.outbox[1].not_before_ms == 0);
    expect("grid/a/breaching");
    memory_close(&room);
}

static void test_gathered(void **unused)
{
    static struct eg_gather_item items[100];
    (void)unused;
    memory_open(&room, CHANNELS REST
                "parties: [{id: top, sector: government}, {id: bureau, sector: market}, {id: grid, "
                "sector: society, language: en, channels: [{id: a}]}]\n");
    for (size_t i = 0; i < 100; i++) {
        items[i] = (struct eg_gather_item){.id = (int64_t)i + 1,
                                           .created_ms = NOON + (int64_t)i * MINUTE,
                                           .case_number = (uint32_t)i + 1,
                                           .level = i % 2 ? EG_LEVEL_CRITICAL : EG_LEVEL_WARNING};
        snprintf(items[i].line, sizeof items[i].line, "line %zu", i + 1);
    }
    struct eg_event event = {.kind = EG_EVENT_DELIVERY, .now_ms = NOON + DAY};
    event.delivery = (struct eg_delivery){.outbox_id = 1,
                                          .setback = EG_SETBACK_GATHER,
                                          .party = "grid",
                                          .channel = "a",
                                          .recipient = "ecogov/notify/grid",
                                          .items = items,
                                          .item_count = 100,
                                          .late = true};
    add(&room, &event);
    assert_int_equal(room.batch.outbox_count, 1);
    const struct eg_row_outbox *row = &room.batch.outbox[0];
    assert_string_equal(row->line, "sent late: 100 messages, 50 of them critical");
    assert_string_equal(row->why, "gathered");
    assert_int_equal(row->level, EG_LEVEL_CRITICAL);
    const char *first = strstr(row->body, "happened at 11-23 12:01: line 2\\n");
    assert_non_null(first); /* the first critical one comes before all others */
    assert_null(strstr(row->body, "line 1\\n"));
    for (unsigned i = 82; i <= 100; i += 2) { /* beyond the fortieth by number only, but each */
        char number[16];
        snprintf(number, sizeof number, " #%u", i);
        assert_non_null(strstr(row->body, number));
    }
    assert_non_null(strstr(row->body, "and 50 more"));
    assert_int_equal(room.batch.outbox_done_count, 100);
    for (size_t i = 0; i < 100; i++)
        assert_true(room.batch.outbox_done[i].carried_by == row->id && !room.batch.outbox_done[i].delivered);
    turn(&room);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_level_and_back),
        cmocka_unit_test(test_by_hour_and_day),
        cmocka_unit_test(test_the_site_above_and_another_language),
        cmocka_unit_test(test_quiet_hours),
        cmocka_unit_test(test_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
