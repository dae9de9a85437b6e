/* The heartbeat: open → committing → released.
 *
 * Events are folded into a batch while the turn is open. It closes when something in it is urgent (a case moved, an operator waits), when
 * the broker's window is used up, when it is full, or when its first event has waited `commit_interval`. Then reading pauses, a
 * worker thread makes the batch true in one transaction, and only after that anything leaves: PUBACKs, answers, notifications.
 * Between the turns the worker tidies the store in small bites. Events that come while a commit runs wait for the next turn.
 *
 * When the disk is full, what the store keeps back for cases is used: readings then wait at the broker, commands and deadlines do not. */
#ifndef EG_TURN_H
#define EG_TURN_H

#include <base/fault.h>
#include <store/store.h>
#include <uv.h>

struct eg_turn;

/* Who is told, on the loop's thread. Every function may be NULL (replay has none). */
struct eg_turn_edges {
    void *user;
    void (*pause)(void *user);                                 /* a commit begins: read no more */
    void (*release)(void *user, const struct eg_batch *batch); /* it is on disk: let out what waits */
    /* After a release: the store has no room for more readings, read none until told otherwise; all else goes on. */
    void (*hold)(void *user, bool held);
    void (*redated)(void *user); /* the store's past is another one: forget what was kept of it */
    void (*fatal)(void *user, const char *sentence); /* it will never be: leave, start again from the store */
};

int eg_turn_create(uv_loop_t *loop, const struct eg_conf *conf, struct eg_pipeline *pipeline,
                   struct eg_store *store, struct eg_faults *faults, const struct eg_turn_edges *edges,
                   struct eg_turn **ret, struct eg_err *err);
void eg_turn_configure(struct eg_turn *turn, const struct eg_conf *conf);

/* The doors. message: false when the turn takes no more for now (the message itself was taken). */
bool eg_turn_message(struct eg_turn *turn, const struct eg_message *message);
/* The broker has sent what it had. full: it sends nothing more before the release; perhaps: that may be so. */
void eg_turn_dry(struct eg_turn *turn, bool full, bool perhaps);
/* Commands, reports, imports, retries: dated here. Copies; false: too many wait. */
bool eg_turn_event(struct eg_turn *turn, struct eg_event event);
bool eg_turn_delivery(struct eg_turn *turn, const struct eg_delivery *delivery); /* false: not now */

/* No room for readings: whoever brings many is to come back later. */
bool eg_turn_is_short(const struct eg_turn *turn);

/* Nothing uncommitted and no commit running: the pipeline may be given a new configuration. Otherwise `when` is called as soon as
 * that is so (one at a time). */
void eg_turn_quiet(struct eg_turn *turn, void (*when)(void *user), void *user);

/* The clock is trusted again. In a moment that is quiet: commits the event, has the store date anew what was dated meanwhile, and the
 * pipeline loaded from it, before anything else is taken. */
void eg_turn_trust(struct eg_turn *turn, const struct eg_event *event);

struct eg_turn_figures {
    unsigned long commits;
    int64_t last_commit_us;
    struct eg_counters counters; /* as of the last commit: what a kill leaves */
    uint64_t beats;              /* moves with every event and commit: the watchdog's sign of life */
};
void eg_turn_figures(const struct eg_turn *turn, struct eg_turn_figures *ret);

/* Commits what is open, then calls `closed`; takes no more events. */
void eg_turn_close(struct eg_turn *turn, void (*closed)(void *user), void *user);

#endif
