/* The turn from inside, for turn.c and tidying.c alone. */
#ifndef EG_TIDYING_H
#define EG_TIDYING_H

#include "turn.h"
#include "waiting.h"

#include <stdatomic.h>

#define EG_TURN_RETRY_MS 1000 /* on a full disk */

enum eg_turn_state { OPEN, COMMITTING, TIDYING, REDATING, HALTED };

struct eg_turn {
    uv_loop_t *loop;
    const struct eg_conf *conf;
    struct eg_pipeline *pipeline;
    struct eg_store *store;
    struct eg_faults *faults;
    struct eg_turn_edges edges;
    struct eg_batch batch;    /* being filled, or under way to the disk */
    struct eg_batch released; /* on disk, being let out: what comes in now is of the next turn */
    enum eg_turn_state state;
    uv_timer_t timer; /* the first event's patience, or the next try */
    uv_timer_t tidy_timer;
    uv_timer_t wake_timer; /* a case is due */
    uv_work_t work;
    int result, full_tries;
    bool is_short;                            /* the disk is full: readings wait elsewhere */
    bool redating;                            /* the commit under way says that the clock is trusted */
    bool minded;                              /* it was asked about that */
    bool more_to_tidy, paused, commit_wanted; /* wanted while the worker tidies */
    bool somebody_waits;                      /* a person, for what is in the batch; an import may wait */
    _Atomic bool hurry; /* the commit is wanted for a person or a case: no more bites than one */
    struct eg_err err;
    int64_t began_us, tidy_at_ms, patience_until_us;
    unsigned long tidied_commits; /* as many had been when the store was last looked at */
    size_t quiet_events;          /* as many as there were when the socket went dry; 0: it did not */
    struct eg_turn_figures figures;
    struct eg_waiting waiting;
    void (*quiet)(void *user);
    void *quiet_user;
    void (*closed)(void *user);
    void *closed_user;
    int handles; /* still to be closed */
};

/* turn.c */
void eg_turn_advance(struct eg_turn *turn);
void eg_turn_begin_commit(struct eg_turn *turn);

void eg_turn_let_go(struct eg_turn *turn); /* what was committed is let out, and events are taken again */

/* redating.c: on the worker, then the pipeline is loaded anew */
void eg_redating_begin(struct eg_turn *turn);

/* tidying.c */
void eg_tidying_soon(struct eg_turn *turn); /* when there is a reason: the next bite */
/* On the worker, when a commit did not fit: what is oldest gives way, as far as max_size is why; then what is kept back may be used. */
void eg_tidying_make_room(struct eg_turn *turn, bool spend_reserve);
/* After a release, and when a bite is done: may more readings come? */
void eg_tidying_mind_room(struct eg_turn *turn);

#endif
