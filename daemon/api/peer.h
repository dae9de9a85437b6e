/* One connection: lines in, text out, and the limits on both. Private to server.c and peer.c. */
#ifndef EG_API_PEER_H
#define EG_API_PEER_H

#include <api/rpc.h>

#define EG_PEER_READ_BYTES 65536
#define EG_PEER_BACKLOG_MAX (1024 * 1024) /* unread by a watcher when the next turn has something to tell */
#define EG_PEER_TOLD_MAX                                                                                     \
    (4 * 1024 * 1024)             /* bytes of notifications of one turn: more than a full turn makes */
#define EG_PEER_PAUSE_BYTES 65536 /* with more than this unread, its next call waits */
#define EG_PEER_STALL_S 10        /* taking nothing for so long, with output waiting, is leaving */
#define EG_PEER_STALL_EXPORT_S 60 /* an export may hang in a pager for a while */

struct eg_peer;
struct eg_peer_home { /* what a connection needs of the server; Borrowed */
    uv_loop_t *loop;
    struct eg_desk *desk;
    char *read_buffer; /* EG_PEER_READ_BYTES, shared: used within one callback */
    void *user;
    void (*gone)(void *user, struct eg_peer *peer); /* closed; the peer's memory goes after this */
    void (*waits)(void *user); /* some peer has output the kernel did not take, or watches status */
};

/* NULL: no memory. Accept into eg_peer_stream() and then start, or close. */
struct eg_peer *eg_peer_create(const struct eg_peer_home *home);
uv_stream_t *eg_peer_stream(struct eg_peer *peer);
bool eg_peer_start(struct eg_peer *peer); /* false: who it is cannot be told */
/* Says so as far as the kernel takes it, and closes: for a connection that was accepted and not started. */
void eg_peer_turn_away(struct eg_peer *peer, int code, const char *sentence);
void eg_peer_close(struct eg_peer *peer);  /* at once */
void eg_peer_finish(struct eg_peer *peer); /* takes no more calls, closes when the output is gone */

bool eg_peer_answer(struct eg_peer *peer, const struct eg_answer *answer); /* true: it was this peer's */
bool eg_peer_told(struct eg_peer *peer, uint64_t ticket, int code, const char *text); /* eg_rpc_told() */
void eg_peer_tell(struct eg_peer *peer, const struct eg_batch *batch);                /* what it watches */
void eg_peer_pump(struct eg_peer *peer);
/* Once a second: stalled peers are closed, status watchers told. True: wants to be called again. */
bool eg_peer_tick(struct eg_peer *peer);

#endif
