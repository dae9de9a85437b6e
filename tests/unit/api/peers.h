/* A server on a real socket, driven by hand: this side writes and reads without blocking, and turns the
 * loop in between. A watchdog on the loop ends a test that waits for what never comes. */
#ifndef TESTS_API_PEERS_H
#define TESTS_API_PEERS_H

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
static inline struct eg_api *serve(int fd)
{
    struct eg_api *made = NULL;
    struct eg_err err = {0};
    int code = eg_api_create(&loop, &house.conf, fd, SOMETHING(eg_pipeline), SOMETHING(eg_store),
                             SOMETHING(eg_reader), &door, &made, &err);
    if (code < 0)
        fail_msg("%s", err.text);
    return made;
}
static inline int set_up(void **state)
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
static inline void stop(struct eg_api *which)
{
    bool closed = false;
    eg_api_close(which, on_api_closed, &closed);
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
}
static inline int take_down(void **state)
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
static inline struct peer dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    struct peer peer = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    assert_int_equal(connect(peer.fd, (struct sockaddr *)&address, sizeof address), 0);
    return peer;
}
static inline void hang_up(struct peer *peer)
{
    close(peer->fd);
    free(peer->data);
    memset(peer, 0, sizeof *peer);
}
/* Takes what is there; true when something was. */
static inline bool receive(struct peer *peer)
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
static inline void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}
/* Lets the loop turn until nothing is left to do at once. */
static inline void settle(void)
{
    for (int i = 0; i < 20; i++)
        turn();
}
static inline void say_bytes(struct peer *peer, const char *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = send(peer->fd, bytes + done, length - done, MSG_NOSIGNAL);
        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0)
            done += (size_t)n;
        turn();
    }
}
static inline void say(struct peer *peer, const char *text)
{
    say_bytes(peer, text, strlen(text));
}
/* The next line, as JSON; NULL when the connection ended before. */
static inline cJSON *hear(struct peer *peer)
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
static inline double number_of(cJSON *answer, const char *first, const char *second)
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

static inline void release_answer(uint64_t ticket, int code)
{
    struct eg_answer answer = {.ticket = ticket, .code = code, .sentence = "No.", .case_number = 1};
    struct eg_batch batch = {.answers = &answer, .answers_count = 1};
    eg_api_release(api, &batch);
}

#endif
