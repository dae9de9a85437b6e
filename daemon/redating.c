/* The clock is trusted again: the store dates anew what was dated in doubt, in bites on the worker, while questions are answered and
 * messages wait at the broker; then the pipeline is loaded from it, as at a start. Knows the order; refuses to know what is moved.
 * Called by turn.c. */
#include "tidying.h"

#include <base/clock.h>
#include <base/log.h>

#define BITE_US 200000

static void work_one(uv_work_t *work)
{
    struct eg_turn *turn = work->data;
    turn->result = eg_store_redate(turn->store, BITE_US, &turn->more_to_tidy, &turn->err);
}

static void give_up(struct eg_turn *turn)
{
    turn->state = HALTED;
    eg_log(EG_LOG_ERROR, "store: %s", turn->err.text);
    if (turn->edges.fatal)
        turn->edges.fatal(turn->edges.user, turn->err.text);
}

static void done_one(uv_work_t *work, int status);

static void again(uv_timer_t *timer)
{
    struct eg_turn *turn = timer->data;
    uv_queue_work(turn->loop, &turn->work, work_one, done_one);
}

static void done_one(uv_work_t *work, int status)
{
    struct eg_turn *turn = work->data;
    (void)status;
    turn->figures.beats++;
    if (turn->result == EG_EFULL && !turn->closed) {
        if (eg_fault_raise(turn->faults, "store.full", eg_clock_now_ms(),
                           "%s; nothing is taken until there is room", turn->err.text))
            eg_log(EG_LOG_ERROR, "store: %s", turn->err.text);
        uv_timer_start(&turn->timer, again, EG_TURN_RETRY_MS, 0);
        return;
    }
    if (turn->result == EG_OK && turn->more_to_tidy) {
        uv_queue_work(turn->loop, &turn->work, work_one, done_one);
        return;
    }
    if (turn->edges.redated)
        turn->edges.redated(turn->edges.user);
    if (turn->result != EG_OK || eg_pipeline_begin_anew(turn->pipeline, &turn->err) != EG_OK ||
        eg_store_load(turn->store, turn->pipeline, &turn->err) != EG_OK) {
        give_up(turn);
        return;
    }
    turn->redating = false;
    turn->more_to_tidy = true; /* what waited may be sealed */
    eg_turn_let_go(turn);
}

void eg_redating_begin(struct eg_turn *turn)
{
    turn->state = REDATING;
    uv_queue_work(turn->loop, &turn->work, work_one, done_one);
}
