/* The envelope of JSON-RPC, the parameters, and what is answered after a commit. */
#include "ask.h"

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
        TEST(test_who_may_write),
        TEST(test_a_write_is_answered_after_its_commit),
        TEST(test_refusals_of_the_pipeline),
        TEST(test_a_batch_of_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
