/* The socket's answers over the real rooms: configuration, pipeline and store, with a turn made by hand. What
 * the outside is promised (CONTRACT §2, §5) is asked here the way a client asks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <api/methods.h>
#include <api/rpc.h>
#include <base/zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW INT64_C(1795417200000) /* 2026-11-23T07:00:00Z */

static const char yaml[] =
    "store: {path: %s/ecogov.db}\n"
    "time_zone: UTC\n"
    "sites:\n"
    "  - {id: county, name: County, level: county}\n"
    "  - {id: shangtian, name: 上田村, level: village, parent: county, parties: [grid]}\n"
    "parties:\n"
    "  - {id: grid, name: Grid workers, sector: society}\n"
    "  - {id: bureau, name: Bureau, sector: government}\n"
    "sources:\n"
    "  - {id: village, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n"
    "rules:\n"
    "  - id: pm25-now\n"
    "    domain: air\n"
    "    quantity: pm25\n"
    "    statistic: last\n"
    "    direction: above\n"
    "    levels: {warning: {open: 75, clear: 70}}\n"
    "    hold: 0s\n"
    "    clear_hold: 0s\n"
    "    basis: a standard\n"
    "    action: Look upwind.\n";

static struct {
    char folder[64];
    struct eg_conf *conf;
    struct eg_store *store;
    struct eg_reader *reader;
    struct eg_pipeline *pipeline;
    struct eg_batch batch;
    struct eg_desk desk;
    struct eg_client client;
    int64_t now_ms;
    uint16_t mid;
} room;

static void state(void *user, struct eg_api_state *ret)
{
    (void)user;
    *ret = (struct eg_api_state){
        .started_ms = NOW, .now_ms = room.now_ms, .counters = *eg_pipeline_counters(room.pipeline)};
}
static bool command(void *user, const struct eg_command *asked)
{
    (void)user;
    struct eg_event event = {.kind = EG_EVENT_COMMAND, .now_ms = room.now_ms, .command = *asked};
    eg_pipeline_event(room.pipeline, &event, &room.batch);
    return true;
}
static const struct eg_api_door door = {.state = state, .command = command};

static bool find_case(void *user, const char *id, struct eg_case *ret)
{
    return eg_reader_case(user, id, ret, NULL) == EG_OK;
}

static void commit(void)
{
    struct eg_err err = {0};
    eg_pipeline_settle(room.pipeline, &room.batch);
    if (eg_store_commit(room.store, &room.batch, &err) != EG_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < room.batch.answers_count; i++)
        eg_rpc_answer(&room.desk, &room.client, &room.batch.answers[i]);
    eg_batch_clear(&room.batch);
}
static void publish(const char *topic, const char *payload)
{
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = room.now_ms};
    event.message = (struct eg_message){.topic = topic,
                                        .topic_len = strlen(topic),
                                        .payload = (const uint8_t *)payload,
                                        .payload_len = strlen(payload),
                                        .arrived_ms = room.now_ms,
                                        .mid = ++room.mid,
                                        .qos = 1};
    eg_pipeline_event(room.pipeline, &event, &room.batch);
    commit();
}

static int set_up(void **unused)
{
    (void)unused;
    char text[2000];
    struct eg_buf faults;
    struct eg_err err = {0};
    memset(&room, 0, sizeof room);
    room.now_ms = NOW;
    snprintf(room.folder, sizeof room.folder, "/tmp/eg-rooms-XXXXXX");
    assert_non_null(mkdtemp(room.folder));
    snprintf(text, sizeof text, yaml, room.folder);
    eg_buf_init(&faults, 4096);
    room.conf = eg_conf_parse("test.yaml", text, strlen(text), &faults);
    if (!room.conf)
        fail_msg("%s", faults.data);
    eg_buf_finish(&faults);
    eg_zone_use("UTC");
    if (eg_store_open(room.conf, &room.store, &err) < 0 || eg_reader_open(room.store, &room.reader, &err) < 0)
        fail_msg("%s", err.text);
    struct eg_past past;
    eg_reader_past(room.reader, &past);
    past.find_case = find_case; /* the way house.c does it */
    past.case_user = room.reader;
    room.pipeline = eg_pipeline_create(room.conf, &past);
    assert_non_null(room.pipeline);
    if (eg_store_load(room.store, room.pipeline, &err) < 0)
        fail_msg("%s", err.text);
    eg_batch_init(&room.batch);
    room.desk = (struct eg_desk){.conf = room.conf,
                                 .pipeline = room.pipeline,
                                 .store = room.store,
                                 .reader = room.reader,
                                 .door = &door,
                                 .owner = 1};
    eg_client_init(&room.client, 0, 0);
    return 0;
}
static int take_down(void **unused)
{
    (void)unused;
    char path[100];
    eg_client_finish(&room.desk, &room.client);
    eg_batch_finish(&room.batch);
    eg_pipeline_destroy(room.pipeline);
    eg_reader_close(room.reader);
    eg_store_close(room.store);
    eg_conf_destroy(room.conf);
    static const char *const files[] = {"ecogov.db", "ecogov.db-wal", "ecogov.db-shm", "ecogov.db-lock",
                                        "ecogov.db.lock"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", room.folder, files[i]);
        unlink(path);
    }
    rmdir(room.folder);
    return 0;
}

static cJSON *call(const char *method, const char *params)
{
    char line[2000];
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
             params);
    if (!eg_rpc_line(&room.desk, &room.client, line, strlen(line)) && !room.client.stream)
        commit();
    assert_true(eg_rpc_complete(&room.client));
    cJSON *root = cJSON_ParseWithOpts(room.client.reply.text.data, NULL, true);
    assert_non_null(root);
    return root;
}
static const cJSON *at(const cJSON *value, const char *path)
{
    char step[64];
    while (*path) {
        size_t n = strcspn(path, "/");
        snprintf(step, sizeof step, "%.*s", (int)n, path);
        const cJSON *within = value;
        value = cJSON_IsArray(value) ? cJSON_GetArrayItem(value, (int)strtol(step, NULL, 10))
                                     : cJSON_GetObjectItemCaseSensitive(value, step);
        if (!value) {
            char *shown = cJSON_Print(within);
            fail_msg("there is no %s in %s", step, shown);
        }
        path += n + (path[n] == '/');
    }
    return value;
}
/* Asks, takes one value out, forgets the rest. */
static double number(const char *method, const char *params, const char *path)
{
    cJSON *root = call(method, params);
    const cJSON *value = at(root, path);
    assert_true(cJSON_IsNumber(value));
    double result = value->valuedouble;
    cJSON_Delete(root);
    return result;
}
static void is_text(const char *method, const char *params, const char *path, const char *wanted)
{
    cJSON *root = call(method, params);
    assert_true(cJSON_IsString(at(root, path)));
    assert_string_equal(at(root, path)->valuestring, wanted);
    cJSON_Delete(root);
}
static int size(const char *method, const char *params, const char *path)
{
    cJSON *root = call(method, params);
    assert_true(cJSON_IsArray(at(root, path)));
    int result = cJSON_GetArraySize(at(root, path));
    cJSON_Delete(root);
    return result;
}

#define A1 "ecogov/shangtian/air/a1"

static void test_from_a_reading_to_a_closed_case(void **unused)
{
    (void)unused;
    publish(A1, "{\"ts\":\"2026-11-23T06:58:00Z\",\"pm25\":40,\"temperature\":12.5}");
    assert_int_equal(size("cases.list", "{}", "result/cases"), 0);
    publish(A1, "{\"ts\":\"2026-11-23T06:59:00Z\",\"pm25\":90}");
    assert_int_equal(size("cases.list", "{\"site\":\"county\",\"handling\":\"open\"}", "result/cases"), 1);
    is_text("cases.list", "{}", "result/cases/0/level", "warning");
    is_text("cases.list", "{}", "result/cases/0/rule", "pm25-now");
    assert_int_equal(number("status", "{}", "result/cases/open"), 1);
    is_text("cases.show", "{\"id\":1}", "result/history/0/kind", "opened");
    is_text("cases.show", "{\"id\":1}", "result/action", "Look upwind.");

    is_text("cases.acknowledge", "{\"id\":1,\"note\":\"我去看看\"}", "result/handling", "acknowledged");
    is_text("cases.show", "{\"id\":1}", "result/handling", "acknowledged"); /* it is in the store */
    is_text("cases.show", "{\"id\":1}", "result/history/1/actor", "root");
    is_text("cases.show", "{\"id\":1}", "result/history/1/note", "我去看看");
    assert_int_equal(number("cases.close", "{\"id\":1,\"version\":1}", "error/code"),
                     EG_RPC_CONFLICT); /* it has moved on */
    assert_int_equal(number("cases.acknowledge", "{\"id\":\"nobody-1\"}", "error/code"), EG_RPC_NOT_FOUND);
    is_text("cases.comment", "{\"id\":1,\"note\":\"straw\"}", "result/handling", "acknowledged");
    is_text("cases.fix", "{\"id\":1,\"party\":\"grid\"}", "result/handling", "fixed");
    is_text("cases.close", "{\"id\":1,\"party\":\"bureau\"}", "result/handling", "closed");
    assert_int_equal(number("cases.close", "{\"id\":1}", "error/code"), EG_RPC_CONFLICT);
    assert_int_equal(size("cases.list", "{\"handling\":\"active\"}", "result/cases"), 0);
    assert_int_equal(size("cases.list", "{\"handling\":\"closed\"}", "result/cases"), 1);
}
static void test_what_comes_in_can_be_asked_for(void **unused)
{
    (void)unused;
    char payload[100];
    for (int minute = 0; minute < 50; minute++) {
        snprintf(payload, sizeof payload, "{\"ts\":\"2026-11-23T06:%02d:00Z\",\"pm25\":%d}", minute, minute);
        publish(A1, payload);
    }
    publish(A1, "{\"ts\":\"2026-11-23T06:49:00Z\",\"pm25\":49}"); /* again */
    publish(A1, "{\"pm25\":");
    publish("ecogov/nowhere/air/a1", "{\"pm25\":1}");

    cJSON *root = call("status", "{}");
    const cJSON *messages = at(root, "result/messages"), *readings = at(root, "result/readings");
    assert_int_equal(at(messages, "received")->valuedouble, 53);
    assert_int_equal(at(messages, "quarantined")->valuedouble, 2);
    assert_int_equal(at(messages, "received")->valuedouble,
                     at(messages, "decoded")->valuedouble + at(messages, "duplicate")->valuedouble +
                         at(messages, "quarantined")->valuedouble + at(messages, "ignored")->valuedouble);
    assert_int_equal(at(readings, "stored")->valuedouble, 50);
    assert_int_equal(at(readings, "decoded")->valuedouble, at(readings, "stored")->valuedouble +
                                                               at(readings, "duplicate")->valuedouble +
                                                               at(readings, "rejected")->valuedouble);
    cJSON_Delete(root);

    assert_int_equal(number("readings.latest", "{}", "result/0/value"), 49);
    assert_int_equal(size("readings.history",
                          "{\"device\":\"a1\",\"quantity\":\"pm25\",\"resolution\":\"raw\"}",
                          "result/points"),
                     50);
    assert_int_equal(number("readings.history",
                            "{\"device\":\"a1\",\"quantity\":\"pm25\",\"resolution\":\"hour\"}",
                            "result/points/0/count"),
                     50);
    assert_int_equal(number("summary", "{}", "result/sites/0/domains/air/day/0/count"), 50);
    assert_int_equal(number("summary", "{}", "result/sites/0/domains/air/devices/total"), 1);
    assert_int_equal(size("devices.list", "{\"state\":\"silent\"}", "result"), 1); /* for eleven minutes */
    room.now_ms = NOW - 10 * 60 * 1000;
    assert_int_equal(size("devices.list", "{\"state\":\"reporting\"}", "result"), 1);

    assert_int_equal(size("quarantine.list", "{}", "result/entries"), 2);
    is_text("quarantine.list", "{}", "result/entries/0/topic", "ecogov/nowhere/air/a1");
    is_text("quarantine.list", "{}", "result/entries/1/payload", "{\"pm25\":");
    int id = (int)number("quarantine.list", "{}", "result/entries/1/id");
    char params[60];
    snprintf(params, sizeof params, "{\"id\":%d}", id);
    is_text("quarantine.show", params, "result/payload", "{\"pm25\":");
    snprintf(params, sizeof params, "{\"limit\":1,\"cursor\":\"%d\"}",
             (int)number("quarantine.list", "{}", "result/entries/0/id"));
    assert_int_equal(number("quarantine.list", params, "result/entries/0/id"), id);
}
static void test_export_holds_each_reading_once(void **unused)
{
    (void)unused;
    char payload[100];
    for (int i = 0; i < 1500; i++) {
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%d,\"pm10\":%d}",
                 (long long)(NOW - 1500000 + i * 1000), i % 70, i % 90);
        publish(A1, payload);
    }
    const char *line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"export\",\"params\":{\"site\":\"county\","
                       "\"quantity\":\"pm25\"}}";
    assert_false(eg_rpc_line(&room.desk, &room.client, line, strlen(line)));
    struct eg_buf out;
    eg_buf_init(&out, 16 << 20);
    for (int bites = 0; room.client.stream; bites++) {
        assert_true(bites < 1000);
        eg_rpc_stream(&room.desk, &room.client, &out);
    }
    int seen = 0;
    for (char *start = out.data, *end; start < out.data + out.length; start = end + 1) {
        end = memchr(start, '\n', out.length - (size_t)(start - out.data));
        cJSON *root = cJSON_ParseWithLength(start, (size_t)(end - start));
        const cJSON *row;
        cJSON_ArrayForEach(row, at(root, "params/rows"))
        {
            assert_int_equal(at(row, "5")->valuedouble, seen % 70);
            seen++;
        }
        cJSON_Delete(root);
    }
    eg_buf_finish(&out);
    assert_int_equal(seen, 1500);
    assert_non_null(strstr(room.client.reply.text.data, "\"rows\":1500"));
}
static void test_case_events_reach_the_outbox(void **unused)
{
    (void)unused;
    publish(A1, "{\"ts\":\"2026-11-23T06:59:00Z\",\"pm25\":90}");
    assert_int_equal(size("outbox.list", "{\"pending\":true}", "result/entries"), 1);
    is_text("outbox.list", "{}", "result/entries/0/state", "pending");
    cJSON_Delete(call("cases.acknowledge", "{\"id\":1}"));
    assert_int_equal(size("outbox.list", "{}", "result/entries"), 2);
    cJSON *root = call("outbox.list", "{\"limit\":1}");
    assert_true(cJSON_IsString(at(root, "result/next")));
    cJSON_Delete(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_from_a_reading_to_a_closed_case),
        TEST(test_what_comes_in_can_be_asked_for),
        TEST(test_export_holds_each_reading_once),
        TEST(test_case_events_reach_the_outbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
