/* The heartbeat (turn.h). Knows the order of things: decide, commit, release. Knows no MQTT, no socket, no SQL; is handed events by the
 * edges' doors and tells the edges when to hold and when to let go. Called by house.c. */
#include "tidying.h"

#include <base/clock.h>
#include <base/log.h>

#include <stdlib.h>
#include <string.h>

/* about 25 ms of work at full speed; twice as much rather than wait for the worker to finish tidying */
#define TURN_READINGS_MAX 8192
#define TURN_ROLLUPS_MAX                                                                                     \
    4096 /* a history comes in: each of its hours is a row of its own until it is folded */
#define RESERVE_FROM_TRY 2
#define WAIT_FROM_TRY 3
/* So many events, then so long nothing: a backlog has come in whole. Its turn need not wait for commit_interval: shared by so many,
 * the page or two that an earlier commit costs are nothing. The everyday trickle does wait: that is what spares the card. */
#define QUIET_EVENTS 256
#define QUIET_MS 20
/* A deadline is looked at once a minute at least: the wall clock may be set meanwhile. */
#define WAKE_MOST_MS 60000

static void halt(struct eg_turn *turn);

/* --- the commit --- */

static void commit_work(uv_work_t *work)
{
    struct eg_turn *turn = work->data;
    turn->result = eg_store_commit(turn->store, &turn->batch, &turn->err);
}

static void commit_again(uv_timer_t *timer);

/* At max_size what is oldest gives way, so at once; then with what is kept back for cases, at once; then there is nothing but to wait. */
static void try_again(struct eg_turn *turn)
{
    if (++turn->full_tries < WAIT_FROM_TRY) {
        commit_again(&turn->timer);
        return;
    }
    if (turn->closed) { /* what is not on disk was never acknowledged: the broker brings it again */
        eg_log(EG_LOG_WARNING, "store: leaving without the last turn: %s", turn->err.text);
        halt(turn);
        return;
    }
    if (eg_fault_raise(turn->faults, "store.full", eg_clock_now_ms(),
                       "%s; nothing is acknowledged until there is room", turn->err.text))
        eg_log(EG_LOG_ERROR, "store: %s", turn->err.text);
    uv_timer_start(&turn->timer, commit_again, EG_TURN_RETRY_MS, 0);
}

static void committed(uv_work_t *work, int status)
{
    struct eg_turn *turn = work->data;
    (void)status;
    turn->figures.beats++;
    if (turn->result == EG_EFULL) {
        try_again(turn);
        return;
    }
    if (turn->result != EG_OK) {
        turn->state = HALTED;
        eg_log(EG_LOG_ERROR, "store: %s", turn->err.text);
        if (turn->edges.fatal)
            turn->edges.fatal(turn->edges.user, turn->err.text);
        return;
    }
    turn->full_tries = 0;
    turn->figures.commits++;
    turn->figures.last_commit_us = eg_clock_mono_us() - turn->began_us;
    struct eg_store_figures store;
    eg_store_figures(turn->store, &store);
    turn->more_to_tidy = turn->more_to_tidy || store.wants_tidy;
    turn->figures.counters = turn->batch.counters;
    struct eg_batch done = turn->batch;
    turn->batch = turn->released;
    turn->released = done;
    if (turn->redating)
        eg_redating_begin(turn);
    else
        eg_turn_let_go(turn);
}

void eg_turn_let_go(struct eg_turn *turn)
{
    turn->state = OPEN;
    turn->paused = false;
    if (turn->edges.release)
        turn->edges.release(turn->edges.user, &turn->released);
    eg_batch_clear(&turn->released);
    eg_tidying_mind_room(turn);
    if (turn->state == OPEN) /* else a pipelined command has begun the next commit already */
        eg_turn_advance(turn);
}

void eg_turn_begin_commit(struct eg_turn *turn)
{
    uv_timer_stop(&turn->timer);
    if (turn->state == TIDYING) { /* one worker, one writer: a bite is short */
        turn->commit_wanted = true;
        if (turn->somebody_waits || turn->batch.case_events_count || turn->closed)
            atomic_store(&turn->hurry, true);
        if (!turn->paused && turn->edges.pause)
            turn->edges.pause(turn->edges.user);
        turn->paused = true;
        return;
    }
    turn->commit_wanted = false;
    eg_pipeline_settle(turn->pipeline, &turn->batch);
    if (turn->batch.failed) {
        turn->state = HALTED;
        if (turn->edges.fatal)
            turn->edges.fatal(turn->edges.user, "out of memory while deciding; the turn is given up whole");
        return;
    }
    turn->state = COMMITTING;
    if (!turn->paused && turn->edges.pause)
        turn->edges.pause(turn->edges.user);
    turn->paused = true;
    turn->began_us = eg_clock_mono_us();
    uv_queue_work(turn->loop, &turn->work, commit_work, committed);
}

static void make_room_work(uv_work_t *work)
{
    struct eg_turn *turn = work->data;
    eg_tidying_make_room(turn, turn->full_tries >= RESERVE_FROM_TRY);
    commit_work(work);
}

static void commit_again(uv_timer_t *timer)
{
    struct eg_turn *turn = timer->data;
    turn->tidy_at_ms = eg_clock_now_ms();
    uv_queue_work(turn->loop, &turn->work, make_room_work, committed);
}

/* Tidying touches only what lies sealed: the turn stays open meanwhile. */
static bool open_for_events(const struct eg_turn *turn)
{
    return turn->state == OPEN || turn->state == TIDYING;
}

static void patience_over(uv_timer_t *timer)
{
    struct eg_turn *turn = timer->data;
    int64_t left_us = turn->patience_until_us - eg_clock_mono_us();
    if (!open_for_events(turn) || !turn->batch.events)
        return;
    if (left_us > 0 && turn->batch.events != turn->quiet_events) { /* more came after the silence */
        turn->quiet_events = 0;
        uv_timer_start(timer, patience_over, (uint64_t)(left_us / 1000 + 1), 0);
        return;
    }
    eg_turn_begin_commit(turn);
}

/* --- events --- */

static void patience(struct eg_turn *turn)
{
    /* While the gate is shut no keep-alive goes out either: longer than half of it, and the broker would think us dead. */
    int64_t patience_ms = turn->conf->store.commit_interval_ms,
            most_ms = (int64_t)turn->conf->mqtt.keepalive_s * 500;
    if (patience_ms > most_ms)
        patience_ms = most_ms;
    turn->patience_until_us = eg_clock_mono_us() + patience_ms * 1000;
    turn->quiet_events = 0;
    uv_timer_start(&turn->timer, patience_over, (uint64_t)patience_ms, 0);
}

/* The socket is dry: wait for a silence only, unless what is left of the patience is less. */
static void await_silence(struct eg_turn *turn)
{
    if (turn->batch.events == turn->quiet_events ||
        turn->patience_until_us - eg_clock_mono_us() <= QUIET_MS * 1000)
        return;
    turn->quiet_events = turn->batch.events;
    uv_timer_start(&turn->timer, patience_over, QUIET_MS, 0);
}

static void take(struct eg_turn *turn, const struct eg_event *event)
{
    bool first = turn->batch.events == 0;
    eg_pipeline_event(turn->pipeline, event, &turn->batch);
    turn->figures.beats++;
    turn->somebody_waits =
        (turn->somebody_waits && !first) || event->kind == EG_EVENT_COMMAND || event->kind == EG_EVENT_REPORT;
    if (first)
        patience(turn);
}

void eg_turn_trust(struct eg_turn *turn, const struct eg_event *event)
{
    turn->redating = true;
    take(turn, event);
    eg_turn_begin_commit(turn);
}

bool eg_turn_message(struct eg_turn *turn, const struct eg_message *message)
{
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = message->arrived_ms, .message = *message};
    if (turn->state == HALTED)
        return false; /* leaving: it is not acknowledged, the broker brings it again */
    take(turn, &event);
    size_t most = turn->state == TIDYING ? 2 * TURN_READINGS_MAX : TURN_READINGS_MAX;
    if (!turn->batch.urgent && !turn->batch.failed && turn->batch.readings_count < most &&
        turn->batch.events < most && turn->batch.rollups_count < TURN_ROLLUPS_MAX)
        return true;
    eg_turn_begin_commit(turn);
    return false;
}

void eg_turn_dry(struct eg_turn *turn, bool full, bool perhaps)
{
    if (!open_for_events(turn) || !turn->batch.events)
        return;
    if (full)
        eg_turn_begin_commit(turn);
    else if (perhaps || turn->batch.events >= QUIET_EVENTS)
        await_silence(turn);
}

static bool wait_for_turn(struct eg_turn *turn, const struct eg_event *event)
{
    if (turn->closed || !eg_waiting_add(&turn->waiting, event))
        return false;
    if (open_for_events(turn) && !turn->commit_wanted)
        eg_turn_advance(turn);
    return true;
}

bool eg_turn_event(struct eg_turn *turn, struct eg_event event)
{
    event.now_ms = eg_clock_now_ms();
    return wait_for_turn(turn, &event);
}

bool eg_turn_delivery(struct eg_turn *turn, const struct eg_delivery *delivery)
{
    struct eg_event event = {.kind = EG_EVENT_DELIVERY, .now_ms = eg_clock_now_ms(), .delivery = *delivery};
    return wait_for_turn(turn, &event);
}

/* --- what next --- */

static void closed_one(uv_handle_t *handle)
{
    struct eg_turn *turn = handle->data;
    if (--turn->handles)
        return;
    void (*closed)(void *) = turn->closed;
    void *user = turn->closed_user;
    eg_waiting_clear(&turn->waiting);
    eg_batch_finish(&turn->batch);
    eg_batch_finish(&turn->released);
    free(turn);
    closed(user);
}

static void close_timers(struct eg_turn *turn)
{
    turn->state = HALTED;
    uv_close((uv_handle_t *)&turn->timer, closed_one);
    uv_close((uv_handle_t *)&turn->tidy_timer, closed_one);
    uv_close((uv_handle_t *)&turn->wake_timer, closed_one);
}

/* The end without a commit. */
static void halt(struct eg_turn *turn)
{
    eg_batch_clear(&turn->batch);
    close_timers(turn);
}

static void on_wake(uv_timer_t *timer)
{
    struct eg_turn *turn = timer->data;
    if (!turn->minded) { /* the disk may have been full at the start */
        turn->minded = true;
        eg_tidying_mind_room(turn);
    }
    if (open_for_events(turn)) /* else the end of the commit looks */
        eg_turn_advance(turn);
}

/* What time has done is an event like any other. */
static void wake(struct eg_turn *turn)
{
    int64_t now_ms = eg_clock_now_ms();
    if (eg_pipeline_deadline(turn->pipeline, now_ms) <= now_ms)
        take(turn, &(struct eg_event){.kind = EG_EVENT_TICK, .now_ms = now_ms});
    int64_t left_ms = eg_pipeline_deadline(turn->pipeline, now_ms) - now_ms;
    left_ms = left_ms > WAKE_MOST_MS ? WAKE_MOST_MS : left_ms > 0 ? left_ms : 1;
    uv_timer_start(&turn->wake_timer, on_wake, (uint64_t)left_ms, 0);
}

/* The turn is open and nobody works: take what waited, then commit, or rest. */
void eg_turn_advance(struct eg_turn *turn)
{
    const struct eg_event *event;
    while (open_for_events(turn) && (event = eg_waiting_oldest(&turn->waiting))) {
        take(turn, event);
        eg_waiting_drop(&turn->waiting);
    }
    if (open_for_events(turn) && !turn->closed)
        wake(turn);
    if (turn->batch.events && !turn->commit_wanted &&
        (turn->batch.urgent || turn->batch.failed || turn->closed || turn->quiet)) {
        eg_turn_begin_commit(turn);
        return;
    }
    if (turn->state != OPEN)
        return; /* the worker tidies; its end asks again */
    if (!turn->batch.events && turn->quiet) {
        void (*quiet)(void *) = turn->quiet;
        turn->quiet = NULL;
        quiet(turn->quiet_user);
    }
    if (!turn->batch.events && turn->closed && !uv_is_closing((uv_handle_t *)&turn->timer)) {
        close_timers(turn);
    } else if (!turn->closed) {
        eg_tidying_soon(turn);
    }
}

void eg_turn_quiet(struct eg_turn *turn, void (*when)(void *user), void *user)
{
    turn->quiet = when;
    turn->quiet_user = user;
    if (turn->state == OPEN)
        eg_turn_advance(turn);
}

int eg_turn_create(uv_loop_t *loop, const struct eg_conf *conf, struct eg_pipeline *pipeline,
                   struct eg_store *store, struct eg_faults *faults, const struct eg_turn_edges *edges,
                   struct eg_turn **ret, struct eg_err *err)
{
    struct eg_turn *turn = calloc(1, sizeof *turn);
    if (!turn)
        return eg_err_set(err, EG_ENOMEM, "no memory for the turn");
    *turn = (struct eg_turn){.loop = loop,
                             .conf = conf,
                             .pipeline = pipeline,
                             .store = store,
                             .faults = faults,
                             .edges = *edges,
                             .handles = 3};
    eg_batch_init(&turn->batch);
    eg_batch_init(&turn->released);
    turn->batch.counters = turn->figures.counters = *eg_pipeline_counters(pipeline);
    uv_timer_init(loop, &turn->timer);
    uv_timer_init(loop, &turn->tidy_timer);
    uv_timer_init(loop, &turn->wake_timer);
    turn->timer.data = turn->tidy_timer.data = turn->wake_timer.data = turn->work.data = turn;
    uv_timer_start(&turn->wake_timer, on_wake, 0, 0); /* what fell due while nobody watched */
    *ret = turn;
    return EG_OK;
}

void eg_turn_configure(struct eg_turn *turn, const struct eg_conf *conf)
{
    turn->conf = conf;
    uv_timer_start(&turn->wake_timer, on_wake, 0, 0);
}

bool eg_turn_is_short(const struct eg_turn *turn)
{
    return turn->is_short;
}

void eg_turn_figures(const struct eg_turn *turn, struct eg_turn_figures *ret)
{
    *ret = turn->figures;
}

void eg_turn_close(struct eg_turn *turn, void (*closed)(void *user), void *user)
{
    turn->closed = closed;
    turn->closed_user = user;
    if (turn->state == OPEN || turn->state == HALTED) {
        if (turn->state == HALTED)
            halt(turn);
        else
            eg_turn_advance(turn);
    }
}
