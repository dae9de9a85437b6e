/* Knows the listening socket, who is connected, and which answer belongs to whom. Refuses to know lines and
 * bytes (peer.c) and what is asked (rpc.c, m_*.c). Called by turn.c and main.c through api.h. */
#include <api/listen.h>
#include <api/methods.h>
#include <api/peer.h>
#include <base/log.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define RELOADED_MAX_BYTES ((size_t)32 * 1024)
#define PEERS_MAX 64
#define TICK_MS 1000       /* only while somebody has unread output or watches status */
#define LAST_WORDS_MS 1000 /* how long closing waits for peers to take their answers */

struct eg_api {
    struct eg_desk desk;
    struct eg_api_door door;
    struct eg_peer_home home;
    uv_pipe_t listener;
    uv_timer_t timer;
    struct eg_peer *peers[PEERS_MAX];
    size_t peer_count;                                    /* in `peers` */
    size_t handles;                                       /* that libuv has not given back yet */
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* "" when the file is not ours */
    bool ticking, closing;
    void (*closed)(void *user);
    void *closed_user;
    char read_buffer[EG_PEER_READ_BYTES];
};

/* --- the end --- */

static void handle_gone(struct eg_api *api)
{
    if (--api->handles > 0 || !api->closing)
        return;
    void (*closed)(void *user) = api->closed;
    void *user = api->closed_user;
    free(api);
    if (closed)
        closed(user);
}

static void on_closed(uv_handle_t *handle)
{
    handle_gone(handle->data);
}

static void on_gone(void *user, struct eg_peer *peer)
{
    struct eg_api *api = user;
    for (size_t i = 0; i < api->peer_count; i++)
        if (api->peers[i] == peer) {
            api->peers[i] = api->peers[--api->peer_count];
            break;
        }
    if (api->closing && api->peer_count == 0 && !uv_is_closing((uv_handle_t *)&api->timer))
        uv_close((uv_handle_t *)&api->timer, on_closed);
    handle_gone(api);
}

static void on_last_words(uv_timer_t *timer)
{
    struct eg_api *api = timer->data;
    for (size_t i = 0; i < api->peer_count; i++)
        eg_peer_close(api->peers[i]);
}

void eg_api_close(struct eg_api *api, void (*closed)(void *user), void *user)
{
    api->closing = true;
    api->closed = closed;
    api->closed_user = user;
    if (api->path[0])
        unlink(api->path);
    if (eg_m_backup_stop(&api->desk)) /* its end is awaited: it removes what it began */
        api->handles++;
    if (eg_m_backtest_stop(&api->desk)) /* likewise: it reads the store */
        api->handles++;
    uv_close((uv_handle_t *)&api->listener, on_closed);
    for (size_t i = 0; i < api->peer_count; i++)
        eg_peer_finish(api->peers[i]);
    if (api->peer_count == 0)
        uv_close((uv_handle_t *)&api->timer, on_closed);
    else
        uv_timer_start(&api->timer, on_last_words, LAST_WORDS_MS, 0);
}

/* --- once a second, while there is a reason --- */

static void on_tick(uv_timer_t *timer)
{
    struct eg_api *api = timer->data;
    bool again = false;
    for (size_t i = 0; i < api->peer_count; i++)
        again |= eg_peer_tick(api->peers[i]);
    if (again || api->closing)
        return;
    uv_timer_stop(timer);
    api->ticking = false;
}

static void on_waits(void *user)
{
    struct eg_api *api = user;
    if (api->ticking || api->closing)
        return;
    api->ticking = true;
    uv_timer_start(&api->timer, on_tick, TICK_MS, TICK_MS);
}

/* --- the end of a job --- */

static void on_told(void *user, uint64_t ticket, int code, const char *text)
{
    struct eg_api *api = user;
    for (size_t i = 0; i < api->peer_count; i++)
        if (eg_peer_told(api->peers[i], ticket, code, text)) {
            eg_peer_pump(api->peers[i]);
            break;
        }
    if (api->closing)
        handle_gone(api);
}

/* --- the beginning --- */

static void on_connection(uv_stream_t *listener, int status)
{
    struct eg_api *api = listener->data;
    struct eg_peer *peer = status < 0 ? NULL : eg_peer_create(&api->home);
    if (!peer)
        return;
    api->handles++;
    if (uv_accept(listener, eg_peer_stream(peer)) < 0) {
        eg_peer_close(peer);
        return;
    }
    if (api->peer_count == PEERS_MAX) {
        eg_peer_turn_away(peer, EG_RPC_BUSY, "All 64 connections are in use; try again later.");
        return;
    }
    api->peers[api->peer_count++] = peer;
    if (!eg_peer_start(peer))
        eg_peer_close(peer);
}

static int start(struct eg_api *api, uv_loop_t *loop, int fd, struct eg_err *err)
{
    uv_timer_init(loop, &api->timer);
    api->timer.data = api;
    api->handles++;
    int code = uv_pipe_init(loop, &api->listener, 0);
    api->listener.data = api;
    api->handles++;
    if (code == 0)
        code = uv_pipe_open(&api->listener, fd);
    if (code < 0) {
        close(fd);
        return eg_err_set(err, EG_EIO, "Cannot take the socket into the loop: %s.", uv_strerror(code));
    }
    code = uv_listen((uv_stream_t *)&api->listener, PEERS_MAX, on_connection);
    if (code < 0)
        return eg_err_set(err, EG_EIO, "Cannot listen at the socket: %s.", uv_strerror(code));
    return EG_OK;
}

int eg_api_create(uv_loop_t *loop, const struct eg_conf *conf, int fd, const struct eg_pipeline *pipeline,
                  struct eg_store *store, struct eg_reader *reader, const struct eg_api_door *door,
                  struct eg_api **ret, struct eg_err *err)
{
    struct eg_api *api = calloc(1, sizeof *api);
    if (!api)
        return eg_err_set(err, EG_ENOMEM, "There is no memory for the local socket.");
    signal(SIGPIPE,
           SIG_IGN); /* libuv writes without MSG_NOSIGNAL: a peer that hangs up must not end the daemon */
    if (fd < 0) {
        int code = eg_listen_open(conf->socket.path, &fd, err);
        if (code < 0) {
            free(api);
            return code;
        }
        snprintf(api->path, sizeof api->path, "%s", conf->socket.path);
    }
    api->door = *door;
    api->desk = (struct eg_desk){.conf = conf,
                                 .pipeline = pipeline,
                                 .store = store,
                                 .reader = reader,
                                 .door = &api->door,
                                 .owner = geteuid(),
                                 .loop = loop,
                                 .told = on_told,
                                 .told_user = api};
    api->home = (struct eg_peer_home){.loop = loop,
                                      .desk = &api->desk,
                                      .read_buffer = api->read_buffer,
                                      .user = api,
                                      .gone = on_gone,
                                      .waits = on_waits};
    int code = start(api, loop, fd, err);
    if (code < 0) {
        eg_api_close(api, NULL, NULL);
        return code;
    }
    *ret = api;
    return EG_OK;
}

void eg_api_configure(struct eg_api *api, const struct eg_conf *conf)
{
    api->desk.conf = conf;
}

void eg_api_reloaded(struct eg_api *api, uint64_t ticket, const char *faults, const struct eg_conf *conf,
                     bool restart_needed)
{
    struct eg_buf text;
    eg_buf_init(&text, RELOADED_MAX_BYTES);
    if (faults)
        eg_buf_printf(&text, "The configuration was not reloaded, the old one goes on:\n%s", faults);
    else
        eg_m_reload_write(&text, conf, restart_needed);
    on_told(api, ticket, faults ? EG_RPC_CONFLICT : 0, text.data ? text.data : "");
    eg_buf_finish(&text);
}

/* --- after a commit --- */

void eg_api_summaries(struct eg_api *api,
                      void (*each)(void *user, const char *site, const char *json, size_t length), void *user)
{
    eg_m_summary_each(&api->desk, each, user);
}

void eg_api_release(struct eg_api *api, const struct eg_batch *batch)
{
    if (api->desk.reader)
        eg_reader_committed(api->desk.reader, batch);
    for (size_t i = 0; i < batch->answers_count; i++) {
        if (batch->answers[i].ticket == 0)
            continue;
        if (batch->answers[i].ticket == api->desk.retrying)
            api->desk.retrying = 0;
        /* Nobody's: the connection has gone in the meantime. What was decided stands all the same. */
        for (size_t p = 0; p < api->peer_count && !eg_peer_answer(api->peers[p], &batch->answers[i]); p++)
            ;
    }
    for (size_t p = 0; p < api->peer_count; p++) {
        eg_peer_tell(api->peers[p], batch);
        eg_peer_pump(api->peers[p]);
    }
}
