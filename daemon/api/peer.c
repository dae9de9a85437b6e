/* Knows one connection: bytes into lines, answers into writes, and where a peer that asks too much or reads
 * too little is cut off. Refuses to know what the lines say (rpc.c) and how many connections there are
 * (server.c, who calls it).
 *
 * A peer's calls are answered in order: while one waits for its commit, or an export runs, the following
 * lines wait unread. */
#include <api/peer.h>
#include <api/watch.h>
#include <base/log.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define OUT_MAX (EG_RPC_ANSWER_MAX + 2 * EG_PEER_BACKLOG_MAX + EG_PEER_TOLD_MAX)

struct eg_peer {
    uv_pipe_t pipe;
    uv_write_t write;
    const struct eg_peer_home *home;
    struct eg_client client;
    struct eg_buf in, out, sending; /* `sending` is libuv's until the write is done */
    size_t unread_max;    /* bytes of output that may wait before a notification cuts the peer off */
    size_t unread_before; /* at the last tick */
    unsigned stalled_s;
    bool started, reading, writing, finishing, closing;
};

struct eg_peer *eg_peer_create(const struct eg_peer_home *home)
{
    struct eg_peer *peer = calloc(1, sizeof *peer);
    if (!peer)
        return NULL;
    peer->home = home;
    peer->unread_max = EG_PEER_BACKLOG_MAX;
    eg_client_init(&peer->client, (uid_t)-1, (gid_t)-1);
    eg_buf_init(&peer->in, EG_RPC_LINE_MAX + EG_PEER_READ_BYTES);
    eg_buf_init(&peer->out, OUT_MAX);
    eg_buf_init(&peer->sending, OUT_MAX);
    if (uv_pipe_init(home->loop, &peer->pipe, 0) < 0) {
        free(peer);
        return NULL;
    }
    peer->pipe.data = peer;
    return peer;
}

uv_stream_t *eg_peer_stream(struct eg_peer *peer)
{
    return (uv_stream_t *)&peer->pipe;
}

/* --- going --- */

static void on_closed(uv_handle_t *handle)
{
    struct eg_peer *peer = handle->data;
    peer->home->gone(peer->home->user, peer);
    eg_buf_finish(&peer->in);
    eg_buf_finish(&peer->out);
    eg_buf_finish(&peer->sending);
    free(peer);
}

void eg_peer_close(struct eg_peer *peer)
{
    if (peer->closing)
        return;
    peer->closing = true;
    /* From here on its tickets find nobody and its snapshot is let go; `sending` stays until libuv is done
     * with it. */
    eg_client_finish(peer->home->desk, &peer->client);
    peer->client.watch.topics = 0;
    uv_close((uv_handle_t *)&peer->pipe, on_closed);
}

/* Not done in silence: whoever wonders where his watcher went finds it in the log. */
static void cut_off(struct eg_peer *peer, const char *why)
{
    eg_log(EG_LOG_WARNING, "A client of user id %lu at the socket was cut off: %s.",
           (unsigned long)peer->client.uid, why);
    eg_peer_close(peer);
}

void eg_peer_finish(struct eg_peer *peer)
{
    peer->finishing = true;
    eg_buf_clear(&peer->in);
    eg_peer_pump(peer);
}

void eg_peer_turn_away(struct eg_peer *peer, int code, const char *sentence)
{
    eg_rpc_refuse(&peer->out, code, sentence);
    uv_buf_t part = uv_buf_init(peer->out.data, (unsigned)peer->out.length);
    uv_try_write((uv_stream_t *)&peer->pipe, &part, 1); /* whatever came of it, he goes */
    eg_peer_close(peer);
}

/* --- output --- */

static size_t unread(const struct eg_peer *peer)
{
    return peer->out.length + uv_stream_get_write_queue_size((const uv_stream_t *)&peer->pipe);
}

/* Big answers are rare: their memory is not kept for the next. */
static void empty(struct eg_buf *buf)
{
    if (buf->capacity <= EG_PEER_PAUSE_BYTES) {
        eg_buf_clear(buf);
        return;
    }
    size_t max = buf->max;
    eg_buf_finish(buf);
    eg_buf_init(buf, max);
}

static void on_written(uv_write_t *write, int status)
{
    struct eg_peer *peer = write->data;
    peer->writing = false;
    empty(&peer->sending);
    if (peer->closing)
        return;
    if (status < 0) {
        eg_peer_close(peer);
        return;
    }
    if (peer->out.length == 0)
        peer->unread_max = EG_PEER_BACKLOG_MAX;
    eg_peer_pump(peer);
}

static void flush(struct eg_peer *peer)
{
    if (peer->closing || peer->writing || peer->out.length == 0)
        return;
    if (peer->out.failed) {
        eg_peer_close(peer);
        return;
    }
    struct eg_buf empty_one = peer->sending;
    peer->sending = peer->out;
    peer->out = empty_one;
    uv_buf_t part = uv_buf_init(peer->sending.data, (unsigned)peer->sending.length);
    peer->write.data = peer;
    if (uv_write(&peer->write, (uv_stream_t *)&peer->pipe, &part, 1, on_written) < 0) {
        eg_peer_close(peer);
        return;
    }
    peer->writing = true;
    peer->stalled_s = 0;
    peer->unread_before = SIZE_MAX;
    if (unread(peer) > 0)
        peer->home->waits(peer->home->user);
}

/* The answer to a line is ready. Its own length does not count against a slow reader. */
static void deliver(struct eg_peer *peer)
{
    struct eg_buf *text = &peer->client.reply.text;
    peer->unread_max += text->length;
    if (peer->out.length == 0) { /* the usual case, and a big answer need not be copied */
        struct eg_buf other = peer->out;
        peer->out = *text;
        peer->out.max = OUT_MAX;
        *text = other;
        text->max = EG_RPC_ANSWER_MAX;
    } else {
        eg_buf_add(&peer->out, text->data, text->length);
    }
    empty(text);
    if (peer->client.watch.topics & EG_TOPIC_STATUS)
        peer->home->waits(peer->home->user);
}

/* --- input --- */

static bool idle(const struct eg_peer *peer)
{
    return eg_rpc_complete(&peer->client);
}

/* Answers lines until one has to wait, the output is piling up, or there is none. Gives how many bytes were
 * used. */
static size_t take_lines(struct eg_peer *peer)
{
    size_t at = 0;
    while (idle(peer) && !peer->finishing && unread(peer) <= EG_PEER_PAUSE_BYTES && at < peer->in.length) {
        const char *line = peer->in.data + at, *end = memchr(line, '\n', peer->in.length - at);
        size_t length = end ? (size_t)(end - line) : peer->in.length - at;
        if (length > EG_RPC_LINE_MAX) {
            eg_rpc_refuse(&peer->out, EG_RPC_REQUEST,
                          "The line is longer than 64 KiB; the connection ends here.");
            peer->finishing = true;
            return peer->in.length;
        }
        if (!end)
            break;
        at += length + 1;
        if (eg_rpc_line(peer->home->desk, &peer->client, line, length))
            deliver(peer);
        flush(peer);
        if (peer->closing)
            break;
    }
    return at;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    (void)suggested;
    struct eg_peer *peer = handle->data;
    *ret = uv_buf_init(peer->home->read_buffer, EG_PEER_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buf)
{
    struct eg_peer *peer = stream->data;
    if (length == 0)
        return;
    if (length == UV_EOF) { /* it may only have shut its sending side: what is under way is still answered */
        eg_peer_finish(peer);
        return;
    }
    if (length < 0 || !eg_buf_add(&peer->in, buf->base, (size_t)length)) {
        eg_peer_close(peer);
        return;
    }
    eg_peer_pump(peer);
}

static void set_reading(struct eg_peer *peer, bool wanted)
{
    if (wanted == peer->reading || !peer->started)
        return;
    peer->reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&peer->pipe);
    else if (uv_read_start((uv_stream_t *)&peer->pipe, on_alloc, on_read) < 0)
        eg_peer_close(peer);
}

void eg_peer_pump(struct eg_peer *peer)
{
    if (peer->closing)
        return;
    size_t used = take_lines(peer);
    if (peer->closing)
        return;
    if (used == peer->in.length)
        empty(&peer->in);
    else
        eg_buf_drop(&peer->in, used);

    /* The next bite of an export is read only when the last one is gone: a slow taker costs one bite of
     * memory. */
    if (peer->client.stream && !peer->writing && peer->out.length == 0) {
        eg_rpc_stream(peer->home->desk, &peer->client, &peer->out);
        if (idle(peer))
            deliver(peer);
    }
    flush(peer);
    if (peer->closing)
        return;
    if (peer->finishing && idle(peer) && !peer->writing && peer->out.length == 0) {
        eg_peer_close(peer);
        return;
    }
    set_reading(peer, idle(peer) && !peer->finishing && unread(peer) <= EG_PEER_PAUSE_BYTES);
}

bool eg_peer_start(struct eg_peer *peer)
{
    uv_os_fd_t fd;
    struct ucred who;
    socklen_t size = sizeof who;
    if (uv_fileno((uv_handle_t *)&peer->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        return false;
    peer->client.uid = who.uid;
    peer->client.gid = who.gid;
    peer->started = true;
    set_reading(peer, true);
    return !peer->closing;
}

/* --- what the server brings --- */

bool eg_peer_answer(struct eg_peer *peer, const struct eg_answer *answer)
{
    if (peer->closing || !eg_rpc_answer(peer->home->desk, &peer->client, answer))
        return false;
    if (idle(peer))
        deliver(peer);
    return true;
}

bool eg_peer_told(struct eg_peer *peer, uint64_t ticket, int code, const char *text)
{
    if (peer->closing || !eg_rpc_told(&peer->client, ticket, code, text))
        return false;
    if (idle(peer))
        deliver(peer);
    return true;
}

void eg_peer_tell(struct eg_peer *peer, const struct eg_batch *batch)
{
    if (peer->closing || !peer->client.watch.topics)
        return;
    /* Judged by what he left of the turns before: a big turn alone makes nobody slow. */
    if (unread(peer) > peer->unread_max || !eg_watch_batch(peer->home->desk, &peer->client.watch, batch,
                                                           &peer->out, peer->out.length + EG_PEER_TOLD_MAX)) {
        cut_off(peer, "it reads slower than what it watches goes on");
        return;
    }
    flush(peer);
}

bool eg_peer_tick(struct eg_peer *peer)
{
    if (peer->closing)
        return false;
    size_t waiting = uv_stream_get_write_queue_size((uv_stream_t *)&peer->pipe);
    if (waiting > 0 && waiting >= peer->unread_before) {
        unsigned most = peer->client.stream ? EG_PEER_STALL_EXPORT_S : EG_PEER_STALL_S;
        if (++peer->stalled_s >= most) {
            cut_off(peer, "it took nothing for too long");
            return false;
        }
    } else {
        peer->stalled_s = 0;
    }
    peer->unread_before = waiting;
    bool watching = peer->client.watch.topics & EG_TOPIC_STATUS;
    if (watching && waiting == 0 && idle(peer)) {
        eg_watch_status(peer->home->desk, &peer->client.watch, &peer->out);
        flush(peer);
    }
    return watching || waiting > 0;
}
