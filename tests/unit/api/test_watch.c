/* Watchers and those who ask without reading: told whole, bounded, cut off when they are slow. */
#include "peers.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_watchers_are_told),        TEST(test_a_big_turn_is_told_whole),
        TEST(test_status_is_told_on_change), TEST(test_slow_watcher_is_cut_off),
        TEST(test_asking_without_reading),   TEST(test_pipelining_far),
        TEST(test_pipelining_big_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
