/* Messages to parties, a lane for each receiver: one at a time, in order, the next when the result of the one before it is on disk. So
 * what a kill can make come twice is what was in flight, and no receiver waits for another. Knows back-off, patience and when to give up;
 * what follows from giving up, the pipeline decides. Called by outbox.c on the loop's thread. */
#ifndef EG_LANES_H
#define EG_LANES_H

#include <base/fault.h>
#include <store/store.h>
#include <uv.h>

struct eg_lanes;
struct eg_lanes_door {
    void *user;
    /* As in notify.h. */
    int (*publish)(void *user, const char *topic, const char *body, size_t length, bool retain,
                   int64_t ticket);
    bool (*delivery)(void *user, const struct eg_delivery *delivery); /* false: not now */
};
struct eg_lanes_figures {
    uint64_t pending, failing,
        unreachable; /* messages; in lanes whose last try failed; given up and still tried */
    uint64_t delivered, failed, retried; /* since the start */
};
/* Reads what waits in the store; `conf`, `reader` and `faults` are borrowed. */
int eg_lanes_create(uv_loop_t *loop, const struct eg_conf *conf, struct eg_reader *reader,
                    struct eg_faults *faults, const struct eg_lanes_door *door, struct eg_lanes **ret,
                    struct eg_err *err);
void eg_lanes_configure(struct eg_lanes *lanes, const struct eg_conf *conf);
/* A batch is on disk: new messages are taken over, noted results let the next go. */
void eg_lanes_release(struct eg_lanes *lanes, const struct eg_batch *batch);
/* The broker's answer to a publication; false: it was none of these. */
bool eg_lanes_published(struct eg_lanes *lanes, int64_t ticket, const char *error);
void eg_lanes_link(struct eg_lanes *lanes, bool connected); /* down: what was in flight is sent again */
void eg_lanes_figures(const struct eg_lanes *lanes, struct eg_lanes_figures *ret);
/* How a pending message stands: failed tries, and when the next one is due (EG_TIME_NONE: now, or unknown). False: not ours. */
bool eg_lanes_look(const struct eg_lanes *lanes, int64_t id, unsigned *ret_tries, int64_t *ret_next_ms,
                   const char **ret_error);
void eg_lanes_stop(struct eg_lanes *lanes); /* begins nothing new */
/* Breaks off what is under way: it is sent again by the next run. Accepts no NULL. */
void eg_lanes_close(struct eg_lanes *lanes, void (*closed)(void *user), void *user);

#endif
