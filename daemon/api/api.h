/* The local socket (CONTRACT §5): JSON-RPC 2.0, one object a line. server.c knows connections and lines, rpc.c the envelope,
 * methods.c the table, one method or family per m_*.c. It reads from the pipeline's views and the reader; what writes becomes a
 * command handed through the door, and is answered when eg_api_release() is called after the commit. */
#ifndef EG_API_H
#define EG_API_H

#include <base/fault.h>
#include <store/store.h>
#include <uv.h>

struct eg_api;

/* What turn.c tells, read when a question is answered. */
struct eg_api_state {
    int64_t started_ms, now_ms;
    bool broker_connected;
    int64_t broker_since_ms;
    const struct eg_faults *faults;
    struct eg_counters counters; /* as of the last commit, as everything that the store is asked */
    unsigned long commits;
    int64_t last_commit_us; /* how long the last commit took */
    unsigned clock_jumps;   /* of `now_ms`, since the start: somebody who waits for news is told */
    struct {
        uint64_t pending, failing, unreachable, delivered, failed;
    } outbox; /* messages to parties */
};
struct eg_api_door {
    void *user;
    void (*state)(void *user, struct eg_api_state *ret);
    /* Queues a command; the answer comes through eg_api_release() with the same ticket. false: busy (-32004). Copies. */
    bool (*command)(void *user, const struct eg_command *command);
    bool (*import)(void *user, const struct eg_import *import); /* likewise; NULL: nobody takes any */
    /* How a pending message to a party stands; false: unknown. NULL: nobody knows. */
    bool (*outbox_look)(void *user, int64_t id, unsigned *ret_tries, int64_t *ret_next_ms,
                        const char **ret_error);
    bool (*retry)(void *user, const struct eg_retry *retry);    /* likewise */
    bool (*report)(void *user, const struct eg_report *report); /* as command */
    /* Has the configuration read again; the answer comes by eg_api_reloaded(), from the loop. false: one is under way. NULL: nobody
     * does. */
    bool (*reload)(void *user, uint64_t ticket);
    /* Somebody says that the machine's clock is right: EG_OK, and the answer comes through eg_api_release(); EG_ECONFLICT, EG_EBUSY with a
     * sentence. NULL: nobody doubts it. */
    int (*trust_clock)(void *user, uint64_t ticket, struct eg_err *err);
};

/* Listens at conf->socket.path (made with mode 0660 and group ecogov when that group exists; a stale socket file is removed, a live one
 * is refused). fd >= 0: an already listening socket (systemd). */
int eg_api_create(uv_loop_t *loop, const struct eg_conf *conf, int fd, const struct eg_pipeline *pipeline,
                  struct eg_store *store, struct eg_reader *reader, const struct eg_api_door *door,
                  struct eg_api **ret, struct eg_err *err);
void eg_api_configure(struct eg_api *api, const struct eg_conf *conf);
/* `faults` NULL: `conf` is in force, but for what needs a restart; else why nothing was taken over, a sentence a line. */
void eg_api_reloaded(struct eg_api *api, uint64_t ticket, const char *faults, const struct eg_conf *conf,
                     bool restart_needed);
/* After a commit: the answers of its commands go out, and the watchers are told of case events and readings in the batch. */
void eg_api_release(struct eg_api *api, const struct eg_batch *batch);
/* What `summary` would say of each site, one JSON object each, borrowed for the call. */
void eg_api_summaries(struct eg_api *api,
                      void (*each)(void *user, const char *site, const char *json, size_t length),
                      void *user);
void eg_api_close(struct eg_api *api, void (*closed)(void *user),
                  void *user); /* flushes answers, removes the socket file */

#endif
