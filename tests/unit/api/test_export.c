/* Exports over the socket: many lines for one question. */
#include "ask.h"

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
        TEST(test_export),
        TEST(test_export_of_nothing),
        TEST(test_exports_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
