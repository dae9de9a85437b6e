/* The server on a real socket, driven by hand: this side writes and reads without blocking, and turns the
 * loop in between. A watchdog on the loop ends a test that waits for what never comes. */
#include "house.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PATIENCE_MS 20000
#define HURRY 50

static uv_loop_t loop;
static uv_timer_t watchdog;
static struct eg_api *api;
static char folder[64], path[100];
static unsigned pace; /* the server's seconds pass this much faster */

/* Stands before libuv's: so nobody sleeps through the server's patience. */
int uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t timeout, uint64_t repeat)
{
    int (*real)(uv_timer_t *, uv_timer_cb, uint64_t, uint64_t);
    *(void **)&real = dlsym(RTLD_NEXT, "uv_timer_start");
    if (timer == &watchdog || timeout < 1000) /* libuv itself comes here again with what we made of it */
        return real(timer, callback, timeout, repeat);
    return real(timer, callback, timeout / pace, repeat / pace);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    fprintf(stderr, "waited in vain\n");
    abort();
}
static struct eg_api *serve(int fd)
{
    struct eg_api *made = NULL;
    struct eg_err err = {0};
    int code = eg_api_create(&loop, &house.conf, fd, SOMETHING(eg_pipeline), SOMETHING(eg_store),
                             SOMETHING(eg_reader), &door, &made, &err);
    if (code < 0)
        fail_msg("%s", err.text);
    return made;
}
static int set_up(void **state)
{
    (void)state;
    furnish();
    pace = 1;
    snprintf(folder, sizeof folder, "/tmp/eg-api-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/run/s.sock", folder); /* the last level is made */
    house.conf.socket.path = path;
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_timer_init(&loop, &watchdog);
    uv_timer_start(&watchdog, on_watchdog, PATIENCE_MS, 0);
    uv_unref((uv_handle_t *)&watchdog);
    api = serve(-1);
    return 0;
}
static void on_api_closed(void *user)
{
    *(bool *)user = true;
}
static void stop(struct eg_api *which)
{
    bool closed = false;
    eg_api_close(which, on_api_closed, &closed);
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
}
static int take_down(void **state)
{
    (void)state;
    if (api)
        stop(api);
    uv_close((uv_handle_t *)&watchdog, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0); /* nothing of ours is left on it */
    assert_int_equal(house.exports, 0);
    free(house.points);
    house.points = NULL;
    unlink(path);
    char run[80];
    snprintf(run, sizeof run, "%s/run", folder);
    rmdir(run);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

/* --- the other end --- */

struct peer {
    int fd;
    char *data; /* what came, from `at` on not looked at yet */
    size_t length, capacity, at;
    bool ended;
};
static struct peer dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    struct peer peer = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    assert_int_equal(connect(peer.fd, (struct sockaddr *)&address, sizeof address), 0);
    return peer;
}
static void hang_up(struct peer *peer)
{
    close(peer->fd);
    free(peer->data);
    memset(peer, 0, sizeof *peer);
}
/* Takes what is there; true when something was. */
static bool receive(struct peer *peer)
{
    if (peer->capacity - peer->length < 65536) {
        peer->capacity = 2 * peer->capacity + 131072;
        peer->data = realloc(peer->data, peer->capacity);
        assert_non_null(peer->data);
    }
    ssize_t n = recv(peer->fd, peer->data + peer->length, peer->capacity - peer->length - 1, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        peer->ended = true;
    if (n > 0)
        peer->length += (size_t)n;
    if (peer->data)
        peer->data[peer->length] = '\0';
    return n > 0;
}
static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}
/* Lets the loop turn until nothing is left to do at once. */
static void settle(void)
{
    for (int i = 0; i < 20; i++)
        turn();
}
static void say_bytes(struct peer *peer, const char *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = send(peer->fd, bytes + done, length - done, MSG_NOSIGNAL);
        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0)
            done += (size_t)n;
        turn();
    }
}
static void say(struct peer *peer, const char *text)
{
    say_bytes(peer, text, strlen(text));
}
/* The next line, as JSON; NULL when the connection ended before. */
static cJSON *hear(struct peer *peer)
{
    for (;;) {
        char *start = peer->data + peer->at,
             *end = peer->data ? memchr(start, '\n', peer->length - peer->at) : NULL;
        if (end) {
            peer->at += (size_t)(end - start) + 1;
            cJSON *root = cJSON_ParseWithLength(start, (size_t)(end - start));
            assert_non_null(root);
            return root;
        }
        if (peer->ended)
            return NULL;
        if (!receive(peer))
            uv_run(&loop, UV_RUN_NOWAIT);
    }
}
static double number_of(cJSON *answer, const char *first, const char *second)
{
    const cJSON *value = cJSON_GetObjectItem(answer, first);
    if (second)
        value = cJSON_GetObjectItem(value, second);
    double number = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    cJSON_Delete(answer);
    return number;
}
#define STATUS(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"status\"}\n"
#define ACK "{\"jsonrpc\":\"2.0\",\"id\":50,\"method\":\"cases.acknowledge\",\"params\":{\"id\":1}}\n"

static void release_answer(uint64_t ticket, int code)
{
    struct eg_answer answer = {.ticket = ticket, .code = code, .sentence = "No.", .case_number = 1};
    struct eg_batch batch = {.answers = &answer, .answers_count = 1};
    eg_api_release(api, &batch);
}

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

/* --- watching --- */

static void release_readings(size_t count)
{
    struct eg_row_reading *rows = calloc(count, sizeof *rows);
    assert_non_null(rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct eg_row_reading){
            .series = 1 + (uint32_t)(i % 4), .time_ms = NOW + (int64_t)i, .value = (double)i};
    struct eg_batch batch = {.readings = rows, .readings_count = count};
    eg_api_release(api, &batch);
    free(rows);
}
static void test_watchers_are_told(void **state)
{
    (void)state;
    struct peer peer = dial(), quiet = dial();
    say(&peer,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"watch\",\"params\":{\"topics\":[\"cases\",\"readings\"],"
        "\"site\":\"shangtian\",\"quantity\":\"pm25\"}}\n");
    cJSON_Delete(hear(&peer));
    release_readings(8); /* series 1 and 3 are the village's pm25 */
    for (int i = 0; i < 4; i++) {
        cJSON *told = hear(&peer);
        const cJSON *params = cJSON_GetObjectItem(told, "params");
        assert_string_equal(cJSON_GetObjectItem(told, "method")->valuestring, "readings");
        assert_false(cJSON_HasObjectItem(told, "id"));
        assert_string_equal(cJSON_GetObjectItem(params, "quantity")->valuestring, "pm25");
        assert_string_equal(cJSON_GetObjectItem(params, "site")->valuestring, "shangtian");
        cJSON_Delete(told);
    }
    struct eg_case_event events[2] = {
        {.case_number = 2, .version = 1, .kind = "opened", .actor = "ecogovd"},
        {.case_number = 1, .version = 2, .kind = "acknowledged", .actor = "li", .note = "ok"}};
    struct eg_batch batch = {
        .cases = house.cases, .cases_count = 2, .case_events = events, .case_events_count = 2};
    eg_api_release(api, &batch);
    cJSON *told = hear(&peer); /* the other village's case is not told */
    const cJSON *params = cJSON_GetObjectItem(told, "params");
    assert_string_equal(cJSON_GetObjectItem(told, "method")->valuestring, "cases");
    assert_string_equal(cJSON_GetObjectItem(params, "kind")->valuestring, "acknowledged");
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(params, "case"), "site")->valuestring,
                        "shangtian");
    cJSON_Delete(told);
    settle();
    assert_false(receive(&quiet)); /* who did not ask is not told */
    hang_up(&peer);
    hang_up(&quiet);
}
/* A turn at full speed is big; who reads it is not cut off for that. */
static void test_a_big_turn_is_told_whole(void **state)
{
    (void)state;
    struct peer peer = dial();
    say(&peer,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"watch\",\"params\":{\"topics\":[\"readings\"]}}\n");
    cJSON_Delete(hear(&peer));
    for (int turns = 0; turns < 4; turns++) {
        release_readings(8192);
        for (int i = 0; i < 8192; i++) {
            cJSON *told = hear(&peer);
            assert_non_null(told);
            cJSON_Delete(told);
        }
    }
    hang_up(&peer);
}
static void test_status_is_told_on_change(void **state)
{
    (void)state;
    pace = HURRY;
    struct peer peer = dial();
    say(&peer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"watch\",\"params\":{\"topics\":[\"status\"]}}\n");
    cJSON_Delete(hear(&peer));
    cJSON *told = hear(&peer); /* how it stands */
    assert_string_equal(cJSON_GetObjectItem(told, "method")->valuestring, "status");
    cJSON_Delete(told);
    house.now_ms += 5000; /* the clock alone is no change */
    uint64_t start = uv_now(&loop);
    while (uv_now(&loop) < start + 3000 / HURRY)
        uv_run(&loop, UV_RUN_ONCE);
    assert_false(receive(&peer));
    house.counters.received++;
    told = hear(&peer);
    assert_true(cJSON_HasObjectItem(cJSON_GetObjectItem(told, "params"), "messages"));
    cJSON_Delete(told);
    house.broker_connected = false;
    told = hear(&peer);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(
        cJSON_GetObjectItem(cJSON_GetObjectItem(told, "params"), "broker"), "connected")));
    cJSON_Delete(told);
    hang_up(&peer);
}
static void test_slow_watcher_is_cut_off(void **state)
{
    (void)state;
    struct peer slow = dial(), other = dial();
    say(&slow,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"watch\",\"params\":{\"topics\":[\"readings\"]}}\n");
    settle();
    size_t turns = 0;
    for (; turns < 20; turns++) { /* 0.8 MB each */
        release_readings(4000);
        settle();
        say(&other, STATUS(1));
        assert_int_equal(number_of(hear(&other), "id", NULL), 1);
        if (send(slow.fd, "\n", 1, MSG_NOSIGNAL) < 0)
            break;
    }
    assert_in_range(turns, 1, 2); /* a megabyte is kept for him, and not much more */
    while (receive(&slow))
        ;
    assert_true(slow.ended);
    hang_up(&slow);
    hang_up(&other);
}
/* A client that asks and asks and never reads: its calls are left unread, and then it is cut off. */
static void test_asking_without_reading(void **state)
{
    (void)state;
    pace = HURRY;
    struct peer peer = dial(), other = dial();
    size_t sent = 0;
    bool stuck = false;
    for (int i = 0; i < 200000 && !stuck; i++) {
        ssize_t n = send(peer.fd, STATUS(1), strlen(STATUS(1)), MSG_NOSIGNAL);
        if (n == (ssize_t)strlen(STATUS(1))) {
            sent++;
            continue;
        }
        assert_true(n > 0 || errno == EAGAIN);
        size_t before = sent;
        settle();
        if (n > 0) /* the rest of a line that was cut */
            stuck = true;
        else if (sent == before) {
            stuck = send(peer.fd, "\n", 1, MSG_NOSIGNAL) < 0;
        }
    }
    assert_true(stuck);
    say(&other, STATUS(2));
    assert_int_equal(number_of(hear(&other), "id", NULL), 2);
    /* It takes nothing: after EG_PEER_STALL_S it is gone. */
    while (send(peer.fd, "\n", 1, MSG_NOSIGNAL) >= 0 || errno == EAGAIN)
        uv_run(&loop, UV_RUN_ONCE);
    hang_up(&peer);
    hang_up(&other);
}
/* Thousands of calls in one breath from somebody who reads are all answered. */
static void test_pipelining_far(void **state)
{
    (void)state;
    struct peer peer = dial();
    char line[100];
    int asked = 0, heard = 0;
    while (heard < 5000) {
        for (; asked < 5000; asked++) {
            int n = snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%06d,\"method\":\"status\"}\n",
                             100000 + asked);
            if (send(peer.fd, line, (size_t)n, MSG_NOSIGNAL) != n)
                break;
        }
        turn();
        cJSON *answer = hear(&peer);
        assert_int_equal(number_of(answer, "id", NULL), 100000 + heard++);
    }
    hang_up(&peer);
}

/* Big answers wait for the one who reads them, and do not pile up. */
static void test_pipelining_big_answers(void **state)
{
    (void)state;
    add_points(5000, NOW - 20 * HOUR, 1000);
    struct peer peer = dial();
    for (int i = 0; i < 60; i++) /* 20 MB of answers */
        say(&peer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"readings.history\",\"params\":{\"device\":"
                   "\"shangtian/air/a1\","
                   "\"quantity\":\"pm25\",\"limit\":5000}}\n");
    for (int i = 0; i < 60; i++) {
        cJSON *answer = hear(&peer);
        assert_non_null(answer);
        assert_int_equal(
            cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "result"), "points")), 5000);
        cJSON_Delete(answer);
    }
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
        TEST(test_watchers_are_told),
        TEST(test_a_big_turn_is_told_whole),
        TEST(test_status_is_told_on_change),
        TEST(test_slow_watcher_is_cut_off),
        TEST(test_asking_without_reading),
        TEST(test_pipelining_far),
        TEST(test_pipelining_big_answers),
        TEST(test_export_at_the_takers_pace),
        TEST(test_gone_amid_an_export),
        TEST(test_closing_lets_answers_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
