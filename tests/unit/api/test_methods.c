/* What the reading methods answer. */
#include "ask.h"

static void test_status(void **state)
{
    (void)state;
    house.counters = (struct eg_counters){10, 6, 2, 1, 1, 12, 9, 2, 1, 3};
    eg_fault_raise(&house.faults, "mqtt", NOW, "The broker %s is away.", "there");
    cJSON *answer = call("status", "{}");
    const cJSON *result = at(answer, "result");
    assert_string_equal(text(result, "started_at"), "2026-11-23T06:00:00.000Z");
    assert_string_equal(text(result, "now"), "2026-11-23T07:00:00.000Z");
    assert_string_equal(text(result, "time_zone"), "UTC");
    assert_true(cJSON_IsTrue(at(result, "broker/connected")));
    assert_int_equal(number(result, "broker/port"), 1883);
    assert_int_equal(number(result, "messages/received"), 10);
    assert_int_equal(number(result, "messages/ignored"), 1);
    assert_int_equal(number(result, "readings/stored"), 9);
    assert_int_equal(number(result, "readings/corrected"), 3);
    assert_int_equal(number(result, "store/journal"), 2);
    assert_int_equal(number(result, "cases/open"), 1);
    assert_int_equal(number(result, "cases/assigned"), 1);
    assert_int_equal(number(result, "cases/active"), 2);
    assert_int_equal(number(result, "cases/level/critical"), 1);
    assert_string_equal(text(result, "faults/0/text"), "The broker there is away.");
    assert_int_equal(number(result, "turns/commits"), 7);
    assert_true(fabs(number(result, "turns/last_commit_ms") - 1.5) < 1e-9);
    cJSON_Delete(answer);
}
/* The card's life is reckoned with what the kernel writes, where that is known. */
static void test_status_of_the_card(void **state)
{
    (void)state;
    house.conf.store.endurance_bytes = INT64_C(10000000000000);
    cJSON *answer = call("status", "{}");
    double years = number(answer, "result/store/card/years_left");
    assert_true(cJSON_IsNull(at(answer, "result/store/card/kernel_factor")));
    assert_true(fabs(years - 10e12 / 24e6 / 365.25) < 0.1);
    cJSON_Delete(answer);
    house.kernel_factor = 2.5;
    answer = call("status", "{}");
    assert_true(fabs(number(answer, "result/store/card/years_left") - years / 2.5) < 0.1);
    assert_true(number(answer, "result/store/card/kernel_factor") == 2.5);
    cJSON_Delete(answer);
}
static void test_lists(void **state)
{
    (void)state;
    cJSON *answer = call("sites.list", "{}");
    assert_int_equal(size(answer, "result"), 3);
    assert_true(cJSON_IsNull(at(answer, "result/0/parent")));
    assert_true(cJSON_IsNull(at(answer, "result/0/latitude")));
    assert_string_equal(text(answer, "result/1/parent"), "county");
    cJSON_Delete(answer);
    answer = call("sites.list", "{\"site\":\"xiatian\"}");
    assert_int_equal(size(answer, "result"), 1);
    cJSON_Delete(answer);
    answer = call("devices.list", "{\"site\":\"county\",\"state\":\"silent\"}");
    assert_int_equal(size(answer, "result"), 2); /* a2 of old, bin1 never heard */
    assert_string_equal(text(answer, "result/0/device"), "a2");
    assert_true(cJSON_IsNull(at(answer, "result/1/last_seen")));
    cJSON_Delete(answer);
    answer = call("devices.list", "{\"device\":\"xiatian/air/a1\"}");
    assert_int_equal(size(answer, "result"), 1);
    assert_string_equal(text(answer, "result/0/site"), "xiatian");
    cJSON_Delete(answer);
    answer = call("rules.list", "{\"domain\":\"air\"}");
    assert_int_equal(size(answer, "result"), 1);
    assert_int_equal(number(answer, "result/0/levels/warning/open"), 75);
    assert_string_equal(text(answer, "result/0/window"), "1h");
    cJSON_Delete(answer);
    answer = call("rules.list", "{\"domain\":\"soil\"}");
    assert_int_equal(size(answer, "result"), 0);
    cJSON_Delete(answer);
    answer = call("quantities.list", "{\"quantity\":\"PM2.5\"}"); /* an alias */
    assert_int_equal(size(answer, "result"), 1);
    assert_string_equal(text(answer, "result/0/name"), "pm25");
    cJSON_Delete(answer);
    answer = call("readings.latest", "{\"site\":\"county\",\"quantity\":\"pm25\"}");
    assert_int_equal(size(answer, "result"), 3);
    assert_string_equal(text(answer, "result/0/unit"), "ug/m3");
    assert_string_equal(text(answer, "result/2/site"), "xiatian");
    cJSON_Delete(answer);
    house.series[0].last_flags = EG_FLAG_LATE | EG_FLAG_ARRIVAL;
    answer = call("readings.latest", "{\"site\":\"shangtian\",\"device\":\"a1\",\"quantity\":\"pm25\"}");
    assert_int_equal(size(answer, "result/0/flags"), 2);
    assert_string_equal(text(answer, "result/0/flags/1"), "arrival");
    cJSON_Delete(answer);
}
static void test_summary(void **state)
{
    (void)state;
    refused(call("summary", "{\"at\":\"+2h\"}"), EG_RPC_PARAMS,
            "future"); /* of the past: tests/system/test_indices.py */
    cJSON *answer = call("summary", "{\"at\":\"now\"}");
    assert_int_equal(size(answer, "result/sites"), 3);
    const cJSON *county = at(answer, "result/sites/0/domains"),
                *shangtian = at(answer, "result/sites/1/domains");
    const cJSON *xiatian = at(answer, "result/sites/2/domains");
    /* The parent sums up its children … */
    assert_int_equal(number(county, "air/devices/total"), 3);
    assert_int_equal(number(county, "air/devices/reporting"), 2);
    assert_int_equal(number(county, "air/devices/silent"), 1);
    assert_int_equal(number(county, "waste/devices/silent"), 1);
    assert_int_equal(number(shangtian, "air/devices/total"), 2);
    assert_int_equal(number(xiatian, "air/devices/total"), 1);
    assert_int_equal(number(county, "air/cases/open"), 2);
    assert_int_equal(number(county, "air/cases/critical"), 1);
    assert_int_equal(number(shangtian, "air/cases/critical"), 0);
    /* … but lists no reading twice. */
    assert_int_equal(size(county, "air/latest"), 0);
    assert_int_equal(size(shangtian, "air/latest"), 3);
    /* Two of three series have an hour that is this one: (40+20)/2; a2's is over. */
    assert_string_equal(text(county, "air/hour/0/quantity"), "pm25");
    assert_int_equal(number(county, "air/hour/0/series"), 3);
    assert_int_equal(number(county, "air/hour/0/count"), 4);
    assert_int_equal(number(county, "air/hour/0/mean"), 30);
    assert_int_equal(number(county, "air/hour/0/min"), 19);
    assert_int_equal(number(county, "air/hour/0/max"), 41);
    assert_true(fabs(number(county, "air/hour/0/completeness") - (0.5 + 0.5 + 0) / 3) < 1e-9);
    assert_int_equal(number(county, "air/day/0/count"), 6);
    cJSON_Delete(answer);
    answer = call("summary", "{\"site\":\"xiatian\",\"domain\":\"waste\"}");
    assert_int_equal(size(answer, "result/sites"), 1);
    assert_null(cJSON_GetObjectItem(at(answer, "result/sites/0/domains"), "air"));
    assert_int_equal(size(answer, "result/sites/0/domains/waste/latest"), 2);
    cJSON_Delete(answer);
}
static void test_summary_counts_what_has_no_place(void **state)
{
    (void)state;
    house.devices[0].conf_site = EG_CONF_NONE;
    house.devices[0].site = "gone";
    cJSON *answer = call("summary", "{}");
    assert_int_equal(number(answer, "result/unplaced"), 1);
    assert_int_equal(number(answer, "result/sites/0/domains/air/devices/total"), 2);
    cJSON_Delete(answer);
    answer = call("devices.list", "{\"site\":\"gone\"}"); /* still to be found */
    assert_int_equal(size(answer, "result"), 1);
    cJSON_Delete(answer);
    /* The clock of a2 is wrong: it is heard, and not to be believed. */
    house.devices[1].last_seen_ms = NOW;
    house.series[2].last_flags = EG_FLAG_LATE;
    answer = call("summary", "{\"site\":\"shangtian\"}");
    assert_int_equal(number(answer, "result/sites/0/domains/air/devices/suspect"), 1);
    cJSON_Delete(answer);
}
static void test_history_finds_its_series(void **state)
{
    (void)state;
    refused(call("readings.history", "{\"device\":\"a9\",\"quantity\":\"pm25\"}"), EG_RPC_NOT_FOUND, "a9");
    refused(call("readings.history", "{\"device\":\"a1\",\"quantity\":\"pm25\"}"), EG_RPC_PARAMS,
            "shangtian/air/a1, xiatian/air/a1");
    refused(call("readings.history", "{\"device\":\"bin1\",\"quantity\":\"pm25\"}"), EG_RPC_NOT_FOUND,
            "pm25");
    refused(call("readings.history", "{\"device\":\"bin1\",\"quantity\":\"temperature\"}"), EG_RPC_PARAMS,
            "\"lid\", \"floor\"");
    refused(
        call("readings.history", "{\"device\":\"bin1\",\"quantity\":\"temperature\",\"channel\":\"top\"}"),
        EG_RPC_NOT_FOUND, "\"lid\"");
    refused(
        call("readings.history", "{\"device\":\"a2\",\"quantity\":\"pm25\",\"from\":\"now\",\"to\":\"-1h\"}"),
        EG_RPC_PARAMS, "before");
    cJSON *answer =
        call("readings.history", "{\"device\":\"a1\",\"site\":\"xiatian\",\"quantity\":\"pm25\"}");
    assert_string_equal(text(answer, "result/site"), "xiatian");
    cJSON_Delete(answer);
    answer =
        call("readings.history", "{\"device\":\"bin1\",\"quantity\":\"temperature\",\"channel\":\"lid\"}");
    assert_string_equal(text(answer, "result/channel"), "lid");
    cJSON_Delete(answer);
}
/* Page after page, every point once and in order. */
static void test_history_pages(void **state)
{
    (void)state;
    add_points(95, NOW - 2 * HOUR, MINUTE);
    char params[300], cursor[40] = "null";
    size_t seen = 0, pages = 0;
    for (;;) {
        snprintf(params, sizeof params,
                 "{\"device\":\"shangtian/air/"
                 "a1\",\"quantity\":\"pm25\",\"resolution\":\"raw\",\"limit\":10,\"cursor\":%s}",
                 cursor);
        cJSON *answer = call("readings.history", params);
        int count = size(answer, "result/points");
        for (int i = 0; i < count; i++) {
            char path[40];
            snprintf(path, sizeof path, "result/points/%d/value", i);
            assert_int_equal(number(answer, path), seen++);
        }
        pages++;
        const cJSON *next = at(answer, "result/next");
        bool last = cJSON_IsNull(next);
        if (!last)
            snprintf(cursor, sizeof cursor, "\"%s\"", next->valuestring);
        cJSON_Delete(answer);
        if (last)
            break;
        assert_true(pages < 20);
    }
    assert_int_equal(seen, 95);
    assert_int_equal(pages, 10);
}
static void test_history_rolled_up(void **state)
{
    (void)state;
    int64_t this_hour = NOW - 30 * MINUTE; /* as furnished */
    for (int i = 0; i < 3; i++)
        house.rollups[house.rollup_count++] = (struct eg_rollup){.start_ms = this_hour - (3 - i) * HOUR,
                                                                 .end_ms = this_hour - (2 - i) * HOUR,
                                                                 .count = 60,
                                                                 .sum = 600,
                                                                 .min = 5,
                                                                 .max = 20,
                                                                 .slots = {UINT64_MAX >> 4, 0}};
    /* An older state of the open bucket, written before the last restart: memory knows better. */
    house.rollups[house.rollup_count++] =
        (struct eg_rollup){.start_ms = this_hour, .end_ms = this_hour + HOUR, .count = 1, .sum = 1};
    cJSON *answer = call("readings.history",
                         "{\"device\":\"shangtian/air/a1\",\"quantity\":\"pm25\",\"resolution\":\"hour\"}");
    assert_int_equal(size(answer, "result/points"), 4);
    assert_int_equal(number(answer, "result/points/0/mean"), 10);
    assert_true(fabs(number(answer, "result/points/0/completeness") - 1) < 1e-9);
    assert_int_equal(number(answer, "result/points/3/count"), 2);
    assert_int_equal(number(answer, "result/points/3/mean"), 40);
    assert_true(fabs(number(answer, "result/points/3/completeness") - 0.5) < 1e-9);
    cJSON_Delete(answer);
    struct eg_rollup *day = &house.series[0].day; /* of 16 hours twelve are known */
    house.series[0].hour.count = 0;
    house.series[0].day_known = (struct eg_dayknown){.observed_ms = 12 * HOUR, .hours = 12};
    *day = (struct eg_rollup){.start_ms = NOW - 16 * HOUR, .end_ms = NOW + 8 * HOUR, .count = 9};
    answer = call("readings.history",
                  "{\"device\":\"shangtian/air/a1\",\"quantity\":\"pm25\",\"resolution\":\"day\"}");
    assert_true(fabs(number(answer, "result/points/0/completeness") - 12.0 / 16) < 1e-9);
    day->start_ms = NOW - 20 * HOUR;
    house.series[0].day_known.observed_ms = 16 * HOUR;
    cJSON_Delete(answer);
    answer = call("readings.history",
                  "{\"device\":\"shangtian/air/a1\",\"quantity\":\"pm25\",\"resolution\":\"day\"}");
    assert_true(fabs(number(answer, "result/points/0/completeness") - 16.0 / 20) < 1e-9);
    cJSON_Delete(answer);
    static const char *const spans[][2] = {{"-24h", "raw"}, {"-10d", "hour"}, {"-100d", "day"}};
    for (size_t i = 0; i < 3; i++) {
        char params[200];
        snprintf(params, sizeof params, "{\"device\":\"a2\",\"quantity\":\"pm25\",\"from\":\"%s\"}",
                 spans[i][0]);
        answer = call("readings.history", params);
        assert_string_equal(text(answer, "result/resolution"), spans[i][1]);
        cJSON_Delete(answer);
    }
}
static void test_statistics(void **state)
{
    (void)state;
    int64_t this_hour = NOW - 30 * MINUTE; /* as furnished */
    for (int i = 0; i < 30; i++)
        house.rollups[house.rollup_count++] = (struct eg_rollup){.start_ms = this_hour - (29 - i) * HOUR,
                                                                 .end_ms = this_hour - (28 - i) * HOUR,
                                                                 .count = 10,
                                                                 .sum = 10.0 * i,
                                                                 .min = i,
                                                                 .max = i + 0.5};
    /* The open hour is the pipeline's: what the store holds of it is older. Now is a full hour: 24 hours begin a day before it. */
    cJSON *answer = call("readings.statistics", "{\"device\":\"shangtian/air/a1\",\"quantity\":\"pm25\"}");
    char params[64];
    double mean = house.series[0].last_value;
    assert_int_equal(size(answer, "result/series"), 1);
    assert_int_equal(number(answer, "result/series/0/hours"), 24);
    assert_int_equal(number(answer, "result/series/0/count"), 232);
    assert_true(fabs(number(answer, "result/series/0/mean") - (10.0 * 23 * 17 + 2 * mean) / 232) < 1e-9);
    assert_int_equal(number(answer, "result/series/0/min"), 6);
    assert_string_equal(text(answer, "result/from"), eg_time_format(NOW - 24 * HOUR, params));
    assert_true(cJSON_IsNull(at(answer, "result/next")));
    cJSON_Delete(answer);
    answer =
        call("readings.statistics", "{\"device\":\"shangtian/air/a1\",\"quantity\":\"pm25\",\"hours\":1}");
    assert_int_equal(number(answer, "result/series/0/hours"), 1);
    cJSON_Delete(answer);
    /* A page at a time gives the same as all at once. */
    answer = call("readings.statistics", "{}");
    int all = size(answer, "result/series"), seen = 0;
    cJSON_Delete(answer);
    assert_true(all > 2);
    snprintf(params, sizeof params, "{\"limit\":1}");
    while (seen < all) {
        answer = call("readings.statistics", params);
        assert_int_equal(size(answer, "result/series"), 1);
        const char *next = cJSON_GetStringValue(at(answer, "result/next"));
        assert_int_equal(++seen < all, next != NULL);
        snprintf(params, sizeof params, "{\"limit\":1,\"cursor\":\"%s\"}", next ? next : "");
        cJSON_Delete(answer);
    }
    refused(call("readings.statistics", "{\"hours\":25}"), EG_RPC_PARAMS, "hours");
}
/* What has to be read first is bounded: the answer ends early and says where it goes on. */
static void test_statistics_of_many(void **state)
{
    (void)state;
    size_t before = house.series_count;
    while (house.series_count < sizeof house.series / sizeof *house.series)
        add_series(1, "pm25", "x", 1);
    cJSON *answer = call("readings.statistics", "{\"limit\":10000}");
    assert_int_equal(size(answer, "result/series"), 256);
    assert_string_equal(text(answer, "result/next"), "257");
    cJSON_Delete(answer);
    answer = call("readings.statistics", "{\"limit\":10000}");
    assert_int_equal(size(answer, "result/series"), (int)house.series_count);
    cJSON_Delete(answer);
    assert_true(before < 256);
}
static void test_cases(void **state)
{
    (void)state;
    add_case(3, "shangtian", EG_LEVEL_NOTICE, EG_CLOSED);
    cJSON *answer = call("cases.list", "{}");
    assert_int_equal(size(answer, "result/cases"), 3);
    assert_true(cJSON_IsNull(at(answer, "result/next")));
    assert_int_equal(number(answer, "result/cases/0/number"), 3);
    cJSON_Delete(answer);
    answer = call("cases.list", "{\"limit\":2}");
    assert_int_equal(size(answer, "result/cases"), 2);
    assert_string_equal(text(answer, "result/next"), "2");
    cJSON_Delete(answer);
    answer = call("cases.list", "{\"limit\":2,\"cursor\":\"2\"}");
    assert_int_equal(size(answer, "result/cases"), 1);
    assert_true(cJSON_IsNull(at(answer, "result/next")));
    cJSON_Delete(answer);
    answer = call("cases.list", "{\"site\":\"county\",\"handling\":\"active\"}"); /* and all below it */
    assert_int_equal(size(answer, "result/cases"), 2);
    cJSON_Delete(answer);
    answer = call("cases.list", "{\"site\":\"shangtian\",\"handling\":\"closed\",\"level\":\"notice\"}");
    assert_int_equal(size(answer, "result/cases"), 1);
    cJSON_Delete(answer);

    house.events[0] = (struct eg_case_event){.case_number = 1,
                                             .version = 1,
                                             .at_ms = NOW,
                                             .known_ms = NOW,
                                             .kind = "opened",
                                             .actor = "ecogovd",
                                             .from = "",
                                             .to = "warning",
                                             .value = 80,
                                             .note = ""};
    house.events[1] = (struct eg_case_event){.case_number = 1,
                                             .version = 2,
                                             .at_ms = NOW,
                                             .known_ms = NOW,
                                             .kind = "comment",
                                             .actor = "li",
                                             .from = "",
                                             .to = "",
                                             .value = NAN,
                                             .note = "来了"};
    house.event_count = 2;
    answer = call("cases.show", "{\"id\":\"shangtian-20261123-test-1\"}");
    static const char *const keys[] = {
        "id",    "site",      "device",   "domain",     "quantity",    "channel", "rule", "rule_version",
        "level", "condition", "handling", "opened_at",  "detected_at", "last",    "peak", "mode",
        "lead",  "assignee",  "due_at",   "escalation", "reopened",    "version"}; /* CONTRACT §5 */
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_true(cJSON_HasObjectItem(at(answer, "result"), keys[i]));
    assert_string_equal(text(answer, "result/rule_version"), "ffffffffffffffff");
    assert_true(fabs(number(answer, "result/peak/value") - 120.5) < 1e-9);
    assert_string_equal(text(answer, "result/basis"), "GB 3095-2012");
    assert_string_equal(text(answer, "result/title_zh"), "细颗粒物");
    assert_int_equal(size(answer, "result/history"), 2);
    assert_string_equal(text(answer, "result/history/1/note"), "来了");
    assert_true(cJSON_IsNull(at(answer, "result/history/1/value")));
    cJSON_Delete(answer);
    refused(call("cases.show", "{\"id\":99}"), EG_RPC_NOT_FOUND, "99");
}
static void test_quarantine(void **state)
{
    (void)state;
    char long_text[1000] = "";
    for (int i = 0; i < 300; i++)
        strncat(long_text, "村", sizeof long_text - strlen(long_text) - 1);
    static const uint8_t bytes[] = {0xff, 0x00, 0xfe, 0x41};
    house.quarantine[0] = (struct eg_quarantine_view){.id = 1,
                                                      .at_ms = NOW,
                                                      .topic = "t",
                                                      .source = "",
                                                      .verdict = "malformed",
                                                      .reason = "no",
                                                      .payload = (const uint8_t *)long_text,
                                                      .payload_len = strlen(long_text),
                                                      .full_len = 100000};
    house.quarantine[1] = house.quarantine[0];
    house.quarantine[1].id = 2;
    house.quarantine[1].payload = bytes;
    house.quarantine[1].payload_len = house.quarantine[1].full_len = sizeof bytes;
    house.quarantine_count = 2;
    cJSON *answer = call("quarantine.list", "{\"limit\":1}");
    assert_int_equal(number(answer, "result/entries/0/id"), 2);
    assert_string_equal(text(answer, "result/next"), "2");
    cJSON_Delete(answer);
    answer = call("quarantine.list", "{\"cursor\":\"2\"}");
    assert_int_equal(size(answer, "result/entries"), 1);
    assert_int_equal(strlen(text(answer, "result/entries/0/payload")), 200 * strlen("村"));
    assert_int_equal(number(answer, "result/entries/0/bytes"), 100000);
    assert_true(cJSON_IsNull(at(answer, "result/entries/0/source")));
    cJSON_Delete(answer);
    answer = call("quarantine.show", "{\"id\":1}");
    assert_string_equal(text(answer, "result/payload"), long_text);
    cJSON_Delete(answer);
    answer = call("quarantine.show", "{\"id\":2}");
    assert_string_equal(text(answer, "result/payload_base64"), "/wD+QQ==");
    cJSON_Delete(answer);
    refused(call("quarantine.show", "{\"id\":3}"), EG_RPC_NOT_FOUND, "3");
    answer = call("outbox.list", "{}");
    assert_string_equal(text(answer, "result/entries/0/state"), "pending");
    assert_string_equal(text(answer, "result/entries/1/state"), "failed");
    assert_string_equal(text(answer, "result/entries/1/error"), "the broker went away");
    cJSON_Delete(answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status),
        TEST(test_status_of_the_card),
        TEST(test_lists),
        TEST(test_summary),
        TEST(test_summary_counts_what_has_no_place),
        TEST(test_history_finds_its_series),
        TEST(test_history_pages),
        TEST(test_history_rolled_up),
        TEST(test_statistics),
        TEST(test_statistics_of_many),
        TEST(test_cases),
        TEST(test_quarantine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
