/* Between the turns: the worker tidies the store in small bites, and what happens when there is no room (tidying.h). Knows when a bite is
 * due and who must be told that the disk is full; what a bite does, the store knows. Called by turn.c. */
#include "tidying.h"

#include <base/clock.h>
#include <base/log.h>

#define TIDY_BITE_US 3000
#define CATCH_UP_MOST_US 500000
#define TIDY_PAUSE_MS 20
#define TIDY_EVERY 64 /* commits */
#define ROOM_BITES 100

/* --- no room --- */

/* Nothing else can run meanwhile, and nothing is released before it is done: as many bites as it takes, within reason. */
void eg_tidying_make_room(struct eg_turn *turn, bool spend_reserve)
{
    bool more = true;
    for (int bites = 0; more && bites < ROOM_BITES; bites++)
        if (eg_store_tidy(turn->store, turn->tidy_at_ms, TIDY_BITE_US, &more, &turn->err) != EG_OK)
            break; /* the commit says why */
    if (spend_reserve)
        eg_store_spend_reserve(turn->store);
}

void eg_tidying_mind_room(struct eg_turn *turn)
{
    struct eg_store_figures store;
    eg_store_figures(turn->store, &store);
    bool before = turn->is_short;
    turn->is_short = store.short_of_room;
    if (store.short_of_room) {
        if (eg_fault_raise(
                turn->faults, "store.full", eg_clock_now_ms(),
                "there is no room left on the disk or below max_size: readings wait at the broker until "
                "there is, cases go on; free the disk, or lower store.retain_raw"))
            eg_log(EG_LOG_ERROR, "store: no room for more readings: they wait at the broker");
    } else if (eg_fault_clear(turn->faults, "store.full")) {
        eg_log(EG_LOG_INFO, "store: there is room again");
    }
    /* The end of a commit that began meanwhile lets go by itself. */
    if ((turn->is_short || (before && turn->state == OPEN)) && turn->edges.hold)
        turn->edges.hold(turn->edges.user, turn->is_short);
}

/* --- bites --- */

/* One bite; many, while more comes in than single bites can put away (a history that is imported), and nobody waits for the commit. */
static void tidy_work(uv_work_t *work)
{
    struct eg_turn *turn = work->data;
    struct eg_store_figures store;
    int64_t until_us = eg_clock_mono_us() + CATCH_UP_MOST_US;
    do {
        turn->result =
            eg_store_tidy(turn->store, turn->tidy_at_ms, TIDY_BITE_US, &turn->more_to_tidy, &turn->err);
        eg_store_figures(turn->store, &store);
    } while (turn->result == EG_OK && turn->more_to_tidy && store.behind && !atomic_load(&turn->hurry) &&
             eg_clock_mono_us() < until_us);
}

static void tidied(uv_work_t *work, int status)
{
    struct eg_turn *turn = work->data;
    (void)status;
    turn->state = OPEN;
    if (turn->result != EG_OK) {
        turn->more_to_tidy = false;
        if (eg_fault_raise(turn->faults, "store.tidy", eg_clock_now_ms(), "%s", turn->err.text))
            eg_log(EG_LOG_WARNING, "store: %s", turn->err.text);
    } else {
        eg_fault_clear(turn->faults, "store.tidy");
    }
    if (turn->is_short && !turn->commit_wanted)
        eg_tidying_mind_room(turn);
    if (turn->commit_wanted)
        eg_turn_begin_commit(turn);
    else
        eg_turn_advance(turn);
}

static void tidy(uv_timer_t *timer)
{
    struct eg_turn *turn = timer->data;
    if (turn->state != OPEN)
        return; /* the commit's end asks again */
    turn->state = TIDYING;
    atomic_store(&turn->hurry, false);
    turn->tidy_at_ms = eg_clock_now_ms();
    turn->tidied_commits = turn->figures.commits;
    uv_queue_work(turn->loop, &turn->work, tidy_work, tidied);
}

/* Long logs at once; on a full disk it is looked whether there is room again. */
void eg_tidying_soon(struct eg_turn *turn)
{
    bool some = turn->figures.commits - turn->tidied_commits >= TIDY_EVERY;
    uint64_t wait_ms = turn->more_to_tidy ? 0 : some ? TIDY_PAUSE_MS : EG_TURN_RETRY_MS;
    if (turn->more_to_tidy || ((some || turn->is_short) && !uv_is_active((uv_handle_t *)&turn->tidy_timer)))
        uv_timer_start(&turn->tidy_timer, tidy, wait_ms, 0);
}
