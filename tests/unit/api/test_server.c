/* The socket's file, lines however they come, writes that are waited for, exports and the end. */
#include "peers.h"

/* --- the file --- */

static void test_file(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0660);

    struct eg_api *second = NULL;
    struct eg_err err = {0};
    assert_int_equal(eg_api_create(&loop, &house.conf, -1, NULL, NULL, NULL, &door, &second, &err),
                     EG_EBUSY); /* a live one */
    assert_non_null(strstr(err.text, "Another ecogovd"));
    stop(api);
    api = NULL;
    assert_int_equal(stat(path, &status), -1); /* removed */

    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    assert_int_equal(eg_api_create(&loop, &house.conf, -1, NULL, NULL, NULL, &door, &second, &err), EG_EIO);
    assert_non_null(strstr(err.text, "no socket"));
    unlink(path);

    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* a dead daemon's */
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    api = serve(-1);

    char far[200];
    memset(far, 'x', sizeof far);
    memcpy(far, "/tmp/", 5);
    far[sizeof far - 1] = '\0';
    house.conf.socket.path = far;
    assert_int_equal(eg_api_create(&loop, &house.conf, -1, NULL, NULL, NULL, &door, &second, &err),
                     EG_EINVAL);
    house.conf.socket.path = "/tmp/no/such/tree/s.sock";
    assert_int_equal(eg_api_create(&loop, &house.conf, -1, NULL, NULL, NULL, &door, &second, &err), EG_EIO);
    house.conf.socket.path = path;
}
static void test_given_socket_stays(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    stop(api);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    api = serve(fd);
    struct peer peer = dial();
    say(&peer, STATUS(1));
    assert_int_equal(number_of(hear(&peer), "id", NULL), 1);
    hang_up(&peer);
    stop(api);
    api = NULL;
    assert_int_equal(access(path, F_OK), 0); /* systemd's, not ours */
}

/* --- lines --- */

static void test_lines_however_they_come(void **state)
{
    (void)state;
    struct peer peer = dial();
    say(&peer, STATUS(1) "\r\n" STATUS(2) STATUS(3));
    for (int i = 1; i <= 3; i++)
        assert_int_equal(number_of(hear(&peer), "id", NULL), i);
    const char *line = STATUS(4);
    for (size_t i = 0; line[i]; i++)
        say_bytes(&peer, line + i, 1);
    assert_int_equal(number_of(hear(&peer), "id", NULL), 4);
    say(&peer, "{\"jsonrpc\":\n");
    assert_int_equal(number_of(hear(&peer), "error", "code"), EG_RPC_PARSE);
    say(&peer, STATUS(5)); /* and on it goes */
    assert_int_equal(number_of(hear(&peer), "id", NULL), 5);
    hang_up(&peer);
}
static void test_longest_line(void **state)
{
    (void)state;
    char *line = malloc(EG_RPC_LINE_MAX + 3);
    memset(line, ' ', EG_RPC_LINE_MAX + 2);
    memcpy(line, STATUS(1), strlen(STATUS(1)) - 1);
    struct peer peer = dial();
    line[EG_RPC_LINE_MAX] = '\n';
    say_bytes(&peer, line, EG_RPC_LINE_MAX + 1);
    assert_int_equal(number_of(hear(&peer), "result", "protocol"), 1);
    line[EG_RPC_LINE_MAX] = ' ';
    line[EG_RPC_LINE_MAX + 1] = '\n';
    say_bytes(&peer, line, EG_RPC_LINE_MAX + 2);
    assert_int_equal(number_of(hear(&peer), "error", "code"), EG_RPC_REQUEST);
    assert_null(hear(&peer)); /* closed */
    hang_up(&peer);
    peer = dial(); /* without a newline at all */
    say_bytes(&peer, line, EG_RPC_LINE_MAX + 1);
    assert_int_equal(number_of(hear(&peer), "error", "code"), EG_RPC_REQUEST);
    assert_null(hear(&peer));
    hang_up(&peer);
    free(line);
}
static void test_half_closed_is_answered(void **state)
{
    (void)state;
    struct peer peer = dial();
    say(&peer, STATUS(1) STATUS(2) "{\"half");
    shutdown(peer.fd, SHUT_WR);
    assert_int_equal(number_of(hear(&peer), "id", NULL), 1);
    assert_int_equal(number_of(hear(&peer), "id", NULL), 2);
    assert_null(hear(&peer));
    hang_up(&peer);
}
static void test_connections_are_bounded(void **state)
{
    (void)state;
    struct peer peers[64];
    for (int i = 0; i < 64; i++) {
        peers[i] = dial();
        turn();
    }
    settle();
    struct peer late = dial();
    assert_int_equal(number_of(hear(&late), "error", "code"), EG_RPC_BUSY);
    assert_null(hear(&late));
    hang_up(&late);
    say(&peers[63], STATUS(64)); /* the others are not disturbed */
    assert_int_equal(number_of(hear(&peers[63]), "id", NULL), 64);
    hang_up(&peers[0]);
    settle();
    late = dial();
    say(&late, STATUS(65));
    assert_int_equal(number_of(hear(&late), "id", NULL), 65);
    hang_up(&late);
    for (int i = 1; i < 64; i++)
        hang_up(&peers[i]);
}

/* --- writes --- */

static void test_calls_after_a_write_wait_for_it(void **state)
{
    (void)state;
    struct peer peer = dial(), other = dial();
    say(&peer, ACK STATUS(51));
    settle();
    assert_int_equal(house.command_count, 1);
    assert_false(receive(&peer)); /* nothing before the commit */
    say(&other, STATUS(1));       /* others do not wait */
    assert_int_equal(number_of(hear(&other), "id", NULL), 1);
    release_answer(house.commands[0].ticket, EG_OK);
    assert_int_equal(number_of(hear(&peer), "result", "number"), 1);
    assert_int_equal(number_of(hear(&peer), "id", NULL), 51);
    say(&peer, ACK);
    settle();
    release_answer(house.commands[1].ticket, EG_ECONFLICT);
    assert_int_equal(number_of(hear(&peer), "error", "code"), EG_RPC_CONFLICT);
    hang_up(&peer);
    hang_up(&other);
}
static void test_gone_before_its_answer(void **state)
{
    (void)state;
    struct peer peer = dial();
    say(&peer, ACK);
    settle();
    hang_up(&peer);
    settle();
    peer = dial(); /* may get the memory of the first */
    settle();
    release_answer(house.commands[0].ticket, EG_OK);
    settle();
    assert_false(receive(&peer));
    say(&peer, STATUS(1));
    assert_int_equal(number_of(hear(&peer), "id", NULL), 1);
    hang_up(&peer);
}

/* --- export --- */

static void test_export_at_the_takers_pace(void **state)
{
    (void)state;
    add_points(60000, 0, 1);
    struct peer peer = dial(), other = dial();
    say(&peer,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"export\",\"params\":{\"device\":\"shangtian/air/a1\","
        "\"quantity\":\"pm25\"}}\n" STATUS(2));
    settle(); /* he does not read yet: what is under way fits the socket and one bite */
    for (int i = 0; i < 200; i++)
        turn();
    say(&other, STATUS(1));
    assert_int_equal(number_of(hear(&other), "id", NULL), 1);
    size_t rows = 0;
    for (;;) {
        cJSON *line = hear(&peer);
        assert_non_null(line);
        const cJSON *result = cJSON_GetObjectItem(line, "result");
        if (result) {
            assert_int_equal(number_of(line, "result", "rows"), 60000);
            break;
        }
        const cJSON *row;
        cJSON_ArrayForEach(row, cJSON_GetObjectItem(cJSON_GetObjectItem(line, "params"), "rows"))
        {
            assert_int_equal(cJSON_GetArrayItem(row, 5)->valuedouble, rows);
            rows++;
        }
        cJSON_Delete(line);
    }
    assert_int_equal(rows, 60000);
    assert_int_equal(number_of(hear(&peer), "id", NULL), 2); /* what was asked behind it */
    assert_int_equal(house.exports, 0);
    hang_up(&peer);
    hang_up(&other);
}
static void test_gone_amid_an_export(void **state)
{
    (void)state;
    add_points(60000, 0, 1);
    struct peer peer = dial();
    say(&peer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"export\"}\n");
    settle();
    assert_int_equal(house.exports, 1);
    hang_up(&peer);
    while (house.exports)
        uv_run(&loop, UV_RUN_ONCE);
}

/* --- the end --- */

static void test_closing_lets_answers_out(void **state)
{
    (void)state;
    pace = HURRY;
    struct peer peer = dial(), waiting = dial();
    say(&peer, STATUS(1));
    say(&waiting, ACK);
    settle();
    stop(api); /* the loop turns on until all is gone, however long the write would have waited */
    api = NULL;
    assert_int_equal(number_of(hear(&peer), "id", NULL), 1);
    assert_null(hear(&peer));
    assert_null(hear(&waiting));
    hang_up(&peer);
    hang_up(&waiting);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file),
        TEST(test_given_socket_stays),
        TEST(test_lines_however_they_come),
        TEST(test_longest_line),
        TEST(test_half_closed_is_answered),
        TEST(test_connections_are_bounded),
        TEST(test_calls_after_a_write_wait_for_it),
        TEST(test_gone_before_its_answer),
        TEST(test_export_at_the_takers_pace),
        TEST(test_gone_amid_an_export),
        TEST(test_closing_lets_answers_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
