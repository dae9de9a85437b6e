/* What is written down of a case's evidence beside its own device: which series, why, and since when. */
#include "speak.h"

static struct memory room;

#define VILLAGE                                                                                              \
    "time_zone: UTC\n"                                                                                       \
    "sites: [{id: linan}, {id: east, parent: linan}, {id: west, parent: linan}]\n"                           \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"

/* `text` as "quantity@device:why:-minutes before the case's opening", space between, in the order they were written. */
static void stands_on(uint32_t number, const char *text)
{
    char said[2048] = "";
    size_t used = 0;
    for (size_t i = 0; i < room.evidence_count; i++) {
        const struct eg_row_evidence *row = &room.evidence[i];
        const struct eg_row_series *series = &room.series[row->series - 1];
        if (row->case_number == number)
            used += (size_t)snprintf(
                said + used, sizeof said - used, "%s%s@%s/%s:%s:%lld", used ? " " : "",
                eg_quantity_info(series->quantity)->name, room.devices[series->device - 1].site,
                room.devices[series->device - 1].device, eg_evidence_name(row->why),
                (long long)((room.cases[number - 1].opened_ms - row->since_ms) / MINUTE));
    }
    assert_string_equal(said, text);
}

/* Its rule's further conditions, wherever they look, each as far back as it does; not what it does not look at. */
static void test_what_the_rule_asked(void **unused)
{
    (void)unused;
    memory_open(&room,
                VILLAGE "rules: [{id: straw, quantity: pm25, levels: {warning: {open: 75, clear: 70}}, "
                        "and: [{quantity: co, of: site, above: 1, within: 3h}, {quantity: humidity, below: "
                        "60, within: 30m}]}]\n");
    say(&room, "ecogov/east/air/e2", "{\"co\":2,\"temperature\":20}");
    say(&room, "ecogov/west/air/w1", "{\"co\":2}");
    say(&room, "ecogov/east/air/e1", "{\"humidity\":40}");
    say(&room, "ecogov/east/air/e1", "{\"pm25\":90,\"co\":3}");
    assert_int_equal(room.cases_count, 1);
    stands_on(1, "co@east/e2:asked:180 humidity@east/e1:asked:30 co@east/e1:asked:180");
    memory_restart(&room);
    memory_close(&room);
}

/* Of its own series nothing has to be written down, but for a window that is longer than what is kept around a case. */
static void test_a_long_window(void **unused)
{
    (void)unused;
    memory_open(&room, VILLAGE
                "rules: [{id: day, quantity: pm25, statistic: mean, window: 24h, levels: {notice: {open: "
                "75, clear: 70}}}, {id: week, quantity: pm25, statistic: mean, window: 7d, "
                "levels: {notice: {open: 75, clear: 70}}}]\n");
    say(&room, "ecogov/east/air/e1", "{\"pm25\":90}");
    assert_int_equal(room.cases_count, 2);
    stands_on(1, "");
    stands_on(2, "pm25@east/e1:asked:10080");
    memory_close(&room);
}

/* All stations of the site, of two days. */
static void test_an_index(void **unused)
{
    (void)unused;
    char payload[100];
    memory_open(
        &room, VILLAGE
        "rules: [{id: aqi, domain: air, quantity: aqi_cn, levels: {notice: {open: 100, clear: 90}}}]\n");
    for (int quarter = 0; quarter < 5; quarter++) {
        room.now_ms = NOON + quarter * 15 * MINUTE;
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":150,\"pm10\":20}", (long long)room.now_ms);
        say(&room, "ecogov/east/air/e1", payload);
        say(&room, "ecogov/west/air/w1", "{\"pm25\":10}");
    }
    assert_int_equal(room.cases_count, 1);
    stands_on(1, "pm25@east/e1:asked:2880 pm10@east/e1:asked:2880");
    memory_close(&room);
}

/* Who fell silent, and what was heard last. */
static void test_silence(void **unused)
{
    (void)unused;
    memory_open(
        &room, VILLAGE
        "rules: []\ndevice_rules: [{id: quiet, when: silent, hold: 1h, level: notice}, {id: out, when: "
        "outage, hold: 10m, devices: 2}]\n");
    for (int minute = 0; minute < 120; minute++) {
        room.now_ms += MINUTE;
        catch_up(&room);
        if (minute < 60) {
            say(&room, "ecogov/east/air/e1", "{\"pm25\":20}");
            say(&room, "ecogov/east/soil/s1", "{\"soil_ph\":6,\"soil_temp\":9}");
        }
        if (minute < 20 || minute > 60) /* silent alone, and heard when the others are not */
            say(&room, "ecogov/west/air/w1", "{\"pm25\":20}");
    }
    assert_int_equal(room.cases_count, 1);
    assert_int_equal(room.cases[0].kind, EG_CASE_OUTAGE);
    stands_on(1, "pm25@east/e1:heard:10 soil_ph@east/s1:heard:10");
    memory_close(&room);
}

static uint32_t submit(const struct eg_report *said)
{
    struct eg_event event = {.kind = EG_EVENT_REPORT, .now_ms = room.now_ms, .report = *said};
    event.report.domain = "soil";
    event.report.site = "east";
    event.report.user = "li";
    event.report.ticket = 1;
    event.report.latitude = event.report.longitude = NAN;
    add(&room, &event);
    turn(&room);
    assert_int_equal(room.answers_count, 1);
    assert_int_equal(room.answers[0].code, EG_OK);
    return room.answers[0].case_number;
}

/* What people measure for a case, from the first of it on; what opened it, and what came of no case. */
static void test_what_people_measured(void **unused)
{
    (void)unused;
    memory_open(&room, VILLAGE
                "rules: [{id: sour, quantity: soil_ph, levels: {notice: {open: 5, clear: 5.5}}, direction: "
                "below}]\n");
    struct eg_report report = {.quantity = EG_Q_soil_ph, .value = 6, .time_ms = EG_TIME_NONE};
    assert_int_equal(submit(&report), 0);
    assert_int_equal(room.evidence_count, 0);
    report.text = "the rice is yellow";
    assert_int_equal(submit(&report), 1);
    stands_on(1, "soil_ph@east/manual:measured:0");
    report.time_ms = room.now_ms - 20 * DAY; /* the laboratory had it for long */
    report.value = 6.5;
    report.case_id = "1";
    assert_int_equal(submit(&report), 1);
    room.now_ms += HOUR;
    report.time_ms = EG_TIME_NONE;
    assert_int_equal(submit(&report), 1);
    stands_on(1, "soil_ph@east/manual:measured:28800");
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_the_rule_asked),
                                       cmocka_unit_test(test_a_long_window), cmocka_unit_test(test_an_index),
                                       cmocka_unit_test(test_silence),
                                       cmocka_unit_test(test_what_people_measured)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
