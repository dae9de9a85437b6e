/* Lines in, answers out, with no socket: the envelope, the parameters, the methods. */
#include "house.h"

static struct eg_desk desk;
static struct eg_client client;

static int set_up(void **state)
{
    (void)state;
    furnish();
    desk = (struct eg_desk){.conf = &house.conf,
                            .pipeline = SOMETHING(eg_pipeline),
                            .store = SOMETHING(eg_store),
                            .reader = SOMETHING(eg_reader),
                            .door = &door,
                            .owner = 4711};
    eg_client_init(&client, 0, 0);
    return 0;
}
static int take_down(void **state)
{
    (void)state;
    eg_client_finish(&desk, &client);
    free(house.points);
    house.points = NULL;
    return 0;
}

/* The answer to a line that is answered at once; NULL: nothing was said. Its one line is checked to be one.
 */
static cJSON *ask(const char *line)
{
    assert_true(eg_rpc_line(&desk, &client, line, strlen(line)));
    const struct eg_buf *text = &client.reply.text;
    if (text->length == 0)
        return NULL;
    assert_true(text->data[text->length - 1] == '\n');
    assert_ptr_equal(memchr(text->data, '\n', text->length), text->data + text->length - 1);
    cJSON *root = cJSON_ParseWithOpts(text->data, NULL, true);
    if (!root)
        fail_msg("not JSON: %s", text->data);
    return root;
}
static cJSON *call(const char *method, const char *params)
{
    char line[8192];
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}", method,
             params);
    return ask(line);
}
static const cJSON *at(const cJSON *value, const char *path)
{
    char step[64];
    while (*path) {
        size_t n = strcspn(path, "/");
        snprintf(step, sizeof step, "%.*s", (int)n, path);
        value = cJSON_IsArray(value) ? cJSON_GetArrayItem(value, (int)strtol(step, NULL, 10))
                                     : cJSON_GetObjectItemCaseSensitive(value, step);
        if (!value)
            fail_msg("there is no %s", step);
        path += n + (path[n] == '/');
    }
    return value;
}
static double number(const cJSON *value, const char *path)
{
    assert_true(cJSON_IsNumber(at(value, path)));
    return at(value, path)->valuedouble;
}
static const char *text(const cJSON *value, const char *path)
{
    assert_true(cJSON_IsString(at(value, path)));
    return at(value, path)->valuestring;
}
static int size(const cJSON *value, const char *path)
{
    assert_true(cJSON_IsArray(at(value, path)));
    return cJSON_GetArraySize(at(value, path));
}
/* The answer is this error, and its sentence holds `word`. */
static void refused(cJSON *answer, int code, const char *word)
{
    assert_non_null(answer);
    assert_int_equal(number(answer, "error/code"), code);
    if (!strstr(text(answer, "error/message"), word))
        fail_msg("\"%s\" does not say \"%s\"", text(answer, "error/message"), word);
    assert_null(cJSON_GetObjectItem(answer, "result"));
    cJSON_Delete(answer);
}

/* --- the envelope --- */

static void test_not_json(void **state)
{
    (void)state;
    refused(ask("{\"jsonrpc\":\"2.0\","), EG_RPC_PARSE, "JSON");
    refused(ask("{} {}"), EG_RPC_PARSE, "JSON");
    refused(ask("{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"status\"}"), EG_RPC_PARSE, "UTF-8");
    refused(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\\u0000x\"}"), EG_RPC_PARSE, "U+0000");
    /* An escaped backslash before u0000 is no NUL. */
    refused(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\\\u0000\"}"), EG_RPC_METHOD, "no method");
}
static void test_no_request(void **state)
{
    (void)state;
    refused(ask("1"), EG_RPC_REQUEST, "object");
    refused(ask("{}"), EG_RPC_REQUEST, "jsonrpc");
    refused(ask("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}"), EG_RPC_REQUEST, "2.0");
    refused(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}"), EG_RPC_REQUEST, "method");
    refused(ask("{\"jsonrpc\":\"2.0\",\"id\":1e400,\"method\":\"status\"}"), EG_RPC_REQUEST, "id");
    refused(ask("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"status\"}"), EG_RPC_REQUEST, "id");
    char line[400];
    memset(line, 'x', sizeof line);
    memcpy(line, "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"id\":\"", 41);
    memcpy(line + 390, "\"}", 3);
    refused(ask(line), EG_RPC_REQUEST, "id");
}
static void test_ids_come_back(void **state)
{
    (void)state;
    static const char *const ids[] = {"1", "-2.5", "null", "\"a\\\"b\"", "\"村\"", "9007199254740991"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char line[200], wanted[200];
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"drivers.list\"}", ids[i]);
        snprintf(wanted, sizeof wanted, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":[", ids[i]);
        cJSON_Delete(ask(line));
        assert_memory_equal(client.reply.text.data, wanted, strlen(wanted));
    }
}
static void test_notifications_are_not_answered(void **state)
{
    (void)state;
    assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"status\"}"));
    assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}"));
    assert_null(ask("[{\"jsonrpc\":\"2.0\",\"method\":\"status\"}]"));
    assert_null(ask(""));
    assert_null(ask(" \r"));
    /* A write is done all the same. */
    assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"cases.acknowledge\",\"params\":{\"id\":1}}"));
    assert_int_equal(house.command_count, 1);
    assert_int_equal(house.commands[0].ticket, 0);
}
static void test_batches(void **state)
{
    (void)state;
    refused(ask("[]"), EG_RPC_REQUEST, "empty");
    char line[4096] = "[";
    for (int i = 0; i < 33; i++)
        strncat(line, i ? ",{}" : "{}", sizeof line - strlen(line) - 1);
    strncat(line, "]", sizeof line - strlen(line) - 1);
    refused(ask(line), EG_RPC_REQUEST, "at most 32");

    cJSON *answer = ask(
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"},5,{\"jsonrpc\":\"2.0\",\"method\":\"status\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"nope\"},{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":"
        "\"watch\"}]");
    assert_int_equal(size(answer, ""), 4);
    assert_int_equal(number(answer, "0/result/protocol"), 1);
    assert_int_equal(number(answer, "1/error/code"), EG_RPC_REQUEST);
    assert_int_equal(number(answer, "2/error/code"), EG_RPC_METHOD);
    assert_int_equal(number(answer, "3/error/code"), EG_RPC_REQUEST); /* watch stands alone */
    assert_int_equal(client.watch.topics, 0);
    cJSON_Delete(answer);
}
static void test_unknown_methods(void **state)
{
    (void)state;
    refused(call("cases.lst", "{}"), EG_RPC_METHOD, "\"cases.list\"");
    static const char *const later[] = {"silences.extend", "rules.delete"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        refused(call(later[i], "{}"), EG_RPC_METHOD, "no method");
}

/* --- parameters --- */

static void test_params(void **state)
{
    (void)state;
    refused(call("cases.list", "{\"handlin\":\"open\"}"), EG_RPC_PARAMS, "\"handling\"");
    refused(call("cases.list", "{\"handling\":\"opened\"}"), EG_RPC_PARAMS, "in_progress");
    refused(call("cases.list", "{\"limit\":0}"), EG_RPC_PARAMS, "from 1 to 500");
    refused(call("cases.list", "{\"limit\":1.5}"), EG_RPC_PARAMS, "whole number");
    refused(call("cases.list", "{\"limit\":1e300}"), EG_RPC_PARAMS, "whole number");
    refused(call("cases.list", "{\"site\":5}"), EG_RPC_PARAMS, "text");
    refused(call("cases.list", "{\"site\":\"\"}"), EG_RPC_PARAMS, "empty");
    refused(call("cases.list", "{\"site\":\"shangtia\"}"), EG_RPC_NOT_FOUND, "\"shangtian\"");
    refused(call("cases.list", "{\"site\":\"shangtian\",\"site\":\"xiatian\"}"), EG_RPC_PARAMS, "twice");
    refused(call("cases.list", "{\"since\":\"yesterday\"}"), EG_RPC_PARAMS, "-24h");
    refused(call("cases.list", "{\"cursor\":\"-1\"}"), EG_RPC_PARAMS, "next");
    refused(call("cases.list", "[1]"), EG_RPC_PARAMS, "by name");
    refused(call("cases.list", "\"x\""), EG_RPC_PARAMS, "by name");
    refused(call("status", "{\"x\":1}"), EG_RPC_PARAMS, "no parameter");
    refused(call("cases.show", "{}"), EG_RPC_PARAMS, "\"id\"");
    refused(call("cases.show", "{\"id\":null}"), EG_RPC_PARAMS, "\"id\"");
    refused(call("cases.show", "{\"id\":1.5}"), EG_RPC_PARAMS, "\"id\"");
    refused(call("readings.latest", "{\"quantity\":\"pm2\"}"), EG_RPC_PARAMS, "pm2");
    refused(call("watch", "{\"topics\":[]}"), EG_RPC_PARAMS, "cases readings status");
    refused(call("watch", "{\"topics\":[\"rain\"]}"), EG_RPC_PARAMS, "cases readings status");
    char params[6000] = "{\"id\":1,\"note\":\"";
    memset(params + strlen(params), 'n', 4097);
    strncat(params, "\"}", 3);
    refused(call("cases.comment", params), EG_RPC_PARAMS, "at most 4096");
    snprintf(params, sizeof params, "{\"domain\":\"%064d\"}", 0);
    refused(call("cases.list", params), EG_RPC_PARAMS, "at most 63");
    cJSON_Delete(call("cases.list", "[]"));
    assert_non_null(strstr(client.reply.text.data, "\"result\""));
    cJSON_Delete(call("cases.list", "{\"site\":null}"));
    assert_non_null(strstr(client.reply.text.data, "\"result\""));
}
/* Whatever the table holds is answered, with a result or a sentence; also without a store. */
static void test_every_method_answers(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        const struct eg_method *method;
        for (size_t i = 0; (method = eg_methods_at(i)); i++) {
            char line[200];
            assert_true(strlen(method->help) > 10);
            if (method->writes || strcmp(method->name, "export") == 0)
                continue;
            snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}", method->name);
            cJSON *answer = ask(line);
            assert_true(cJSON_HasObjectItem(answer, "result") != cJSON_HasObjectItem(answer, "error"));
            cJSON_Delete(answer);
        }
        desk.store = NULL;
        desk.reader = NULL;
    }
    refused(call("cases.list", "{}"), EG_RPC_BUSY, "store");
    refused(call("cases.show", "{\"id\":1}"), EG_RPC_BUSY, "store");
    refused(call("readings.history", "{\"device\":\"a2\",\"quantity\":\"pm25\"}"), EG_RPC_BUSY, "store");
    refused(call("quarantine.list", "{}"), EG_RPC_BUSY, "store");
    refused(call("quarantine.show", "{\"id\":1}"), EG_RPC_BUSY, "store");
    refused(call("outbox.list", "{}"), EG_RPC_BUSY, "store");
    refused(call("export", "{}"), EG_RPC_BUSY, "store");
}

/* --- reading --- */

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
    struct eg_rollup *day = &house.series[0].day; /* the first 12 hours, and all from the 16th on */
    *day = (struct eg_rollup){.start_ms = NOW - 16 * HOUR,
                              .end_ms = NOW + 8 * HOUR,
                              .count = 9,
                              .slots = {UINT64_MAX >> 16, UINT64_MAX}};
    answer = call("readings.history",
                  "{\"device\":\"shangtian/air/a1\",\"quantity\":\"pm25\",\"resolution\":\"day\"}");
    assert_true(fabs(number(answer, "result/points/0/completeness") - 48.0 / 64) < 1e-9);
    day->start_ms = NOW - 20 * HOUR;
    cJSON_Delete(answer);
    answer = call("readings.history",
                  "{\"device\":\"shangtian/air/a1\",\"quantity\":\"pm25\",\"resolution\":\"day\"}");
    assert_true(fabs(number(answer, "result/points/0/completeness") - 64.0 / 80) < 1e-9);
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

/* --- writing --- */

static void test_who_may_write(void **state)
{
    (void)state;
    client.uid = 4000000001u; /* nobody we know */
    refused(call("cases.acknowledge", "{\"id\":1}"), EG_RPC_FORBIDDEN, "uid:4000000001");
    cJSON_Delete(call("status", "{}")); /* may read */
    assert_non_null(strstr(client.reply.text.data, "\"result\""));
    house.supervisors[0] = "@no-such-group";
    house.supervisors[1] = "uid:4000000001";
    house.conf.socket.supervisor_count = 1;
    refused(call("cases.acknowledge", "{\"id\":1}"), EG_RPC_FORBIDDEN, "socket.supervisors");
    assert_int_equal(house.command_count, 0);
    house.conf.socket.supervisor_count = 2;
    const char *line =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cases.acknowledge\",\"params\":{\"id\":1}}";
    assert_false(eg_rpc_line(&desk, &client, line, strlen(line)));
    assert_int_equal(house.command_count, 1);

    eg_client_finish(&desk, &client);
    eg_client_init(&client, desk.owner, 1); /* the daemon's own user */
    assert_true(eg_client_may_write(&desk, &client));
    eg_client_finish(&desk, &client);
    eg_client_init(&client, 4000000001u, 0); /* by the group it came with */
    house.supervisors[0] = "@root";
    house.conf.socket.supervisor_count = 1;
    assert_true(eg_client_may_write(&desk, &client));
}
static void test_a_write_is_answered_after_its_commit(void **state)
{
    (void)state;
    const char *line = "{\"jsonrpc\":\"2.0\",\"id\":\"w\",\"method\":\"cases.assign\",\"params\":{\"id\":"
                       "\"2\",\"version\":4,"
                       "\"note\":\"去看看\",\"party\":\"grid\",\"until\":\"+2h\"}}";
    assert_false(eg_rpc_line(&desk, &client, line, strlen(line)));
    assert_int_equal(client.reply.text.length, 0); /* not a byte before the commit */
    assert_string_equal(house.texts[0][0], "assign");
    assert_string_equal(house.texts[0][1], "2");
    assert_string_equal(house.texts[0][2], "root");
    assert_string_equal(house.texts[0][3], "去看看");
    assert_int_equal(house.commands[0].version, 4);
    assert_int_equal(house.commands[0].until_ms, NOW + 2 * HOUR);
    struct eg_answer answer = {
        .ticket = house.commands[0].ticket + 1, .code = EG_OK, .sentence = "", .case_number = 2};
    assert_false(eg_rpc_answer(&desk, &client, &answer)); /* somebody else's */
    answer.ticket--;
    assert_true(eg_rpc_answer(&desk, &client, &answer));
    assert_true(eg_rpc_complete(&client));
    cJSON *root = cJSON_Parse(client.reply.text.data);
    assert_string_equal(text(root, "id"), "w");
    assert_string_equal(text(root, "result/id"), "xiatian-20261123-test-2");
    cJSON_Delete(root);
    assert_false(eg_rpc_answer(&desk, &client, &answer)); /* once */
}
static void test_refusals_of_the_pipeline(void **state)
{
    (void)state;
    static const int codes[][2] = {{EG_ENOTFOUND, EG_RPC_NOT_FOUND},  {EG_ECONFLICT, EG_RPC_CONFLICT},
                                   {EG_EINVAL, EG_RPC_PARAMS},        {EG_EBUSY, EG_RPC_BUSY},
                                   {EG_EFORBIDDEN, EG_RPC_FORBIDDEN}, {EG_EIO, EG_RPC_INTERNAL}};
    const char *line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cases.close\",\"params\":{\"id\":1}}";
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_false(eg_rpc_line(&desk, &client, line, strlen(line)));
        struct eg_answer answer = {.ticket = desk.last_ticket, .code = codes[i][0], .sentence = "Because."};
        assert_true(eg_rpc_answer(&desk, &client, &answer));
        refused(cJSON_Parse(client.reply.text.data), codes[i][1], "Because.");
    }
    house.busy = true;
    refused(ask(line), EG_RPC_BUSY, "again");
}
static void test_a_batch_of_writes(void **state)
{
    (void)state;
    const char *line = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cases.close\",\"params\":{\"id\":1}},"
                       "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"drivers.list\"},"
                       "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"cases.fix\",\"params\":{\"id\":2}},"
                       "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"cases.close\",\"params\":{\"id\":2}}]";
    assert_false(eg_rpc_line(&desk, &client, line, strlen(line)));
    assert_int_equal(house.command_count, 3);
    /* Their answers come in whatever order, and the line is answered with the last. */
    struct eg_answer answer = {.ticket = 1, .code = EG_ECONFLICT, .sentence = "It is closed."};
    assert_true(eg_rpc_answer(&desk, &client, &answer));
    answer = (struct eg_answer){.ticket = 3, .code = EG_OK, .case_number = 2};
    assert_true(eg_rpc_answer(&desk, &client, &answer));
    assert_false(eg_rpc_complete(&client));
    answer = (struct eg_answer){.ticket = 2, .code = EG_ENOTFOUND, .sentence = "Gone."};
    assert_true(eg_rpc_answer(&desk, &client, &answer));
    assert_true(eg_rpc_complete(&client));
    cJSON *root = cJSON_Parse(client.reply.text.data);
    assert_int_equal(size(root, ""), 4);
    assert_int_equal(number(root, "0/id"), 2);
    assert_int_equal(number(root, "1/id"), 1);
    assert_int_equal(number(root, "1/error/code"), EG_RPC_CONFLICT);
    assert_int_equal(number(root, "2/id"), 4);
    assert_int_equal(number(root, "2/result/number"), 2);
    assert_int_equal(number(root, "3/id"), 3);
    assert_int_equal(number(root, "3/error/code"), EG_RPC_NOT_FOUND);
    cJSON_Delete(root);
}

/* --- export --- */

static void test_export(void **state)
{
    (void)state;
    add_points(3000, NOW - 50 * HOUR, MINUTE);
    house.devices[0].device = "a-device-with-a-very-long-name-so-that-a-bite-is-more-than-a-line";
    const char *line = "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"export\",\"params\":{\"site\":"
                       "\"shangtian\",\"quantity\":\"pm25\"}}";
    assert_false(eg_rpc_line(&desk, &client, line, strlen(line)));
    assert_non_null(client.stream);
    assert_int_equal(house.exports, 1);
    struct eg_buf out;
    eg_buf_init(&out, 1 << 20);
    size_t rows = 0, bites = 0, lines = 0;
    while (client.stream) {
        eg_rpc_stream(&desk, &client, &out);
        assert_true(++bites < 100);
        for (char *at_line = out.data; out.length && at_line < out.data + out.length;) {
            char *end = memchr(at_line, '\n', out.length - (size_t)(at_line - out.data));
            assert_non_null(end);
            assert_true(end - at_line < 65536);
            lines++;
            cJSON *root = cJSON_ParseWithLength(at_line, (size_t)(end - at_line));
            assert_string_equal(text(root, "method"), "export");
            const cJSON *row;
            cJSON_ArrayForEach(row, at(root, "params/rows"))
            {
                assert_int_equal(cJSON_GetArraySize(row), 8);
                assert_int_equal(number(row, "5"), rows++);
                assert_string_equal(text(row, "1"), "shangtian");
                assert_string_equal(text(row, "6"), "ug/m3");
            }
            cJSON_Delete(root);
            at_line = end + 1;
        }
        eg_buf_clear(&out);
    }
    eg_buf_finish(&out);
    assert_int_equal(rows, 3000);
    assert_true(bites >= 5); /* not all in one go */
    assert_true(lines > bites);
    cJSON *root = cJSON_Parse(client.reply.text.data);
    assert_int_equal(number(root, "result/rows"), 3000);
    assert_int_equal(number(root, "id"), 9);
    cJSON_Delete(root);
    assert_int_equal(house.exports, 0);
    assert_int_equal(desk.exports, 0);
}
/* What matches nothing must not go round and round in one breath, and still comes to its end. */
static void test_export_of_nothing(void **state)
{
    (void)state;
    add_points(100000, 0, 1);
    const char *line =
        "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"export\",\"params\":{\"site\":\"xiatian\"}}";
    assert_false(eg_rpc_line(&desk, &client, line, strlen(line)));
    struct eg_buf out;
    eg_buf_init(&out, 1 << 20);
    size_t bites = 0;
    for (; client.stream; bites++) {
        size_t before = out.length;
        eg_rpc_stream(&desk, &client, &out);
        if (client.stream)
            assert_true(out.length > before); /* something to send, so that somebody asks again */
    }
    eg_buf_finish(&out);
    assert_true(bites > 3 && bites < 30);
    assert_non_null(strstr(client.reply.text.data, "\"rows\":0"));
}
static void test_exports_are_bounded(void **state)
{
    (void)state;
    struct eg_client others[EG_CALL_EXPORT_MAX];
    const char *line = "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"export\"}";
    for (int i = 0; i < EG_CALL_EXPORT_MAX; i++) {
        eg_client_init(&others[i], 0, 0);
        assert_false(eg_rpc_line(&desk, &others[i], line, strlen(line)));
    }
    refused(ask(line), EG_RPC_BUSY, "under way");
    for (int i = 0; i < EG_CALL_EXPORT_MAX; i++)
        eg_client_finish(&desk, &others[i]);
    assert_int_equal(house.exports, 0);
    assert_false(eg_rpc_line(&desk, &client, line, strlen(line)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_not_json),
        TEST(test_no_request),
        TEST(test_ids_come_back),
        TEST(test_notifications_are_not_answered),
        TEST(test_batches),
        TEST(test_unknown_methods),
        TEST(test_params),
        TEST(test_every_method_answers),
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
        TEST(test_who_may_write),
        TEST(test_a_write_is_answered_after_its_commit),
        TEST(test_refusals_of_the_pipeline),
        TEST(test_a_batch_of_writes),
        TEST(test_export),
        TEST(test_export_of_nothing),
        TEST(test_exports_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
