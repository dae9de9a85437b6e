/* The lanes (lanes.h). A lane is idle, sending, or noting: waiting for the commit that holds the result of what it sent. */
#include <notify/lane.h>
#include <base/clock.h>
#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIVE_UP_TRIES                                                                                        \
    3 /* at the least, in this run: a network that is not up yet is no receiver that is gone */
#define NOTE_AGAIN_MS 100
#define MINUTE_US INT64_C(60000000)
#define STORM_PACE_US INT64_C(10000000)

static void run(struct eg_lane *lane);

/* --- results --- */

static void fault(struct eg_lane *lane, const char *sentence)
{
    char key[32];
    snprintf(key, sizeof key, "notify.%.24s", lane->channel);
    if (!sentence) {
        if (eg_fault_clear(lane->lanes->faults, key))
            eg_log(EG_LOG_INFO, "channel %s: it works again", lane->channel);
    } else if (eg_fault_raise(lane->lanes->faults, key, eg_clock_now_ms(), "channel %.40s%s%.100s: %.240s",
                              lane->channel, *lane->recipient ? " to " : "", lane->recipient, sentence)) {
        eg_log(EG_LOG_WARNING, "channel %.40s%s%.100s: %.240s", lane->channel, *lane->recipient ? " to " : "",
               lane->recipient, sentence);
    }
}

static const struct eg_conf_channel *channel_of(const struct eg_lane *lane)
{
    return eg_conf_channel_find(lane->lanes->conf, lane->channel);
}

struct noting {
    struct eg_lane *lane;
    struct eg_delivery *delivery;
    bool taken;
};

static bool hand_over(void *arg, const struct eg_outbox_view *row)
{
    struct noting *noting = arg;
    struct eg_delivery *delivery = noting->delivery;
    const struct eg_lanes_door *door = &noting->lane->lanes->door;
    delivery->party = row->party;
    delivery->channel = row->channel;
    delivery->recipient = row->recipient;
    delivery->key = row->key;
    delivery->body = row->body;
    delivery->why = row->why;
    delivery->line = row->line;
    delivery->case_number = row->case_number;
    delivery->level = row->level;
    delivery->created_ms = row->created_ms;
    noting->taken = door->delivery(door->user, delivery);
    return false;
}

/* What the pipeline decides on needs the row, which is in the store. */
static bool tell(struct eg_lane *lane, struct eg_delivery *delivery)
{
    struct noting noting = {lane, delivery, false};
    if (delivery->delivered || delivery->setback == EG_SETBACK_TRIED)
        return lane->lanes->door.delivery(lane->lanes->door.user, delivery);
    return eg_reader_outbox_row(lane->lanes->reader, delivery->outbox_id, hand_over, &noting, NULL) ==
               EG_OK &&
           noting.taken;
}

static bool worth_noting(unsigned tries)
{
    return (tries & (tries - 1)) == 0; /* 1, 2, 4, 8 …: the card need not hear of each */
}

/* A try failed, another follows. True: given up, which the pipeline must hear of first. */
static bool put_off(struct eg_lane *lane, struct eg_message_row *row)
{
    struct eg_lanes *lanes = lane->lanes;
    const struct eg_conf_channel *channel = channel_of(lane);
    int64_t now_ms = eg_clock_now_ms(), first_ms = channel ? channel->retry_ms : 5000,
            patience_ms = channel ? channel->give_up_ms : 86400000;
    lane->failures++;
    row->tries++;
    row->tries_here++;
    lanes->figures.retried++;
    if (row->failing_since_ms == EG_TIME_NONE)
        row->failing_since_ms = now_ms;
    lane->until_us = eg_clock_mono_us() +
                     eg_lane_backoff_us(lanes, first_ms, lane->failures, lane->outcome.retry_after_ms);
    /* Is it the receiver or the message? Another one may tell. */
    row->next_us = lane->until_us + (row->tries_here > 1 && lane->count > 1 ? first_ms * 1000 : 0);
    bool over = patience_ms && !row->gave_up && row->tries_here >= GIVE_UP_TRIES &&
                now_ms - row->failing_since_ms >= patience_ms;
    if (over || lane->failures == GIVE_UP_TRIES)
        fault(lane, lane->outcome.text);
    return over;
}

static void note(struct eg_lane *lane)
{
    struct eg_message_row *row = eg_lane_find(lane, lane->id);
    struct eg_delivery delivery = {.outbox_id = lane->id,
                                   .delivered = lane->outcome.fate == EG_ARRIVED,
                                   .error = lane->outcome.fate == EG_ARRIVED ? NULL : lane->outcome.text,
                                   .setback = lane->outcome.fate == EG_MOOT    ? EG_SETBACK_MOOT
                                              : lane->outcome.fate == EG_NEVER ? EG_SETBACK_FINAL
                                                                               : EG_SETBACK_GIVE_UP,
                                   .more = lane->count > 1};
    if (row) {
        delivery.tries = row->tries;
        delivery.failing_since_ms = row->failing_since_ms;
    }
    lane->state = EG_LANE_NOTING;
    lane->unnoted = !tell(lane, &delivery);
}

static void arm(struct eg_lanes *lanes);

static void settle(struct eg_lane *lane, const struct eg_outcome *outcome)
{
    struct eg_lanes *lanes = lane->lanes;
    struct eg_message_row *row = eg_lane_find(lane, lane->id);
    lane->outcome = *outcome;
    if (outcome->fate == EG_AGAIN && row && !put_off(lane, row)) {
        struct eg_delivery delivery = {.outbox_id = row->id,
                                       .error = lane->outcome.text,
                                       .setback = EG_SETBACK_TRIED,
                                       .tries = row->tries,
                                       .failing_since_ms = row->failing_since_ms};
        if (worth_noting(row->tries))
            tell(lane, &delivery);
        lane->state = EG_LANE_IDLE;
    } else {
        if (outcome->fate == EG_ARRIVED) {
            lanes->figures.delivered++;
            if (lane->failures)
                fault(lane, NULL);
        } else if (outcome->fate == EG_NEVER) {
            lanes->figures.failed++;
            fault(lane, outcome->text);
        }
        if (outcome->fate == EG_ARRIVED || outcome->fate == EG_NEVER)
            lane->failures = 0;
        if (outcome->fate == EG_NEVER)
            lane->failures = 1; /* so that the next success takes the fault away */
        note(lane);
    }
    arm(lanes);
}

static void on_done(void *user, void *ticket, const struct eg_outcome *outcome)
{
    struct eg_lane *lane = ticket;
    (void)user;
    settle(lane, outcome);
    run(lane);
    arm(lane->lanes);
}

/* --- sending --- */

static bool send_row(void *arg, const struct eg_outbox_view *view)
{
    struct eg_lane *lane = arg;
    struct eg_lanes *lanes = lane->lanes;
    const struct eg_conf_channel *channel = channel_of(lane);
    const struct eg_parcel parcel = {.id = view->id,
                                     .party = view->party,
                                     .recipient = view->recipient,
                                     .key = view->key,
                                     .body = view->body,
                                     .why = view->why,
                                     .line = view->line,
                                     .case_number = view->case_number,
                                     .level = view->level,
                                     .created_ms = view->created_ms};
    struct eg_outcome outcome = {EG_AGAIN, 0, ""};
    bool under_way = false;
    lane->id = view->id;
    lane->state = EG_LANE_SENDING;
    if (view->done_ms != EG_TIME_NONE) { /* somebody else saw to it */
        eg_lane_drop(lane, eg_lane_find(lane, view->id));
        lane->state = EG_LANE_IDLE;
        return false;
    }
    if (eg_lane_is_moot(lanes, view))
        eg_outcome_set(&outcome, EG_MOOT, "not sent: it was acknowledged, or is over");
    else if (!channel)
        eg_outcome_set(&outcome, EG_NEVER, "the channel has left the configuration");
    else if (channel->kind == EG_BY_MQTT)
        under_way = eg_by_mqtt(&lanes->ways, &parcel, &outcome);
    else if (channel->kind == EG_BY_WEBHOOK)
        under_way = eg_by_webhook(&lanes->ways, channel, &parcel, lane, &outcome);
    else if (channel->kind == EG_BY_MAIL)
        under_way = eg_by_mail(&lanes->ways, channel, &parcel, lane, &outcome);
    else if (channel->kind == EG_BY_EXEC)
        under_way = eg_by_exec(&lanes->ways, channel, &parcel, lane, &outcome);
    if (!under_way)
        settle(lane, &outcome);
    return false;
}

/* More than the receiver bears: what comes next waits a little, and is gathered. */
static bool is_storm(struct eg_lane *lane, const struct eg_conf_channel *channel, int64_t now_us)
{
    if (now_us - lane->minute_us >= MINUTE_US) {
        lane->minute_us = now_us;
        lane->sent = 0;
    }
    return channel && channel->limit && lane->sent >= channel->limit;
}

static void run(struct eg_lane *lane)
{
    int64_t now_us = eg_clock_mono_us(), now_ms = eg_clock_now_ms();
    const struct eg_conf_channel *channel = channel_of(lane);
    struct eg_message_row *row;
    while (!lane->lanes->stopped && lane->state == EG_LANE_IDLE && lane->until_us <= now_us &&
           (row = eg_lane_next(lane, now_us, now_ms))) {
        int64_t id = row->id;
        bool storm = is_storm(lane, channel, now_us);
        if (!lane->failures && eg_lane_gather(lane, channel, now_us, now_ms))
            return;
        int code = eg_reader_outbox_row(lane->lanes->reader, id, send_row, lane, NULL);
        lane->sent++;
        if (storm && lane->until_us < now_us + STORM_PACE_US)
            lane->until_us = now_us + STORM_PACE_US;
        row = eg_lane_find(lane, id);
        if (code == EG_ENOTFOUND && row)
            eg_lane_drop(lane, row);
        else if (code != EG_OK)
            lane->until_us = now_us + NOTE_AGAIN_MS * 1000;
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct eg_lanes *lanes = timer->data;
    for (struct eg_lane *lane = lanes->first; lane; lane = lane->next) {
        if (lane->state == EG_LANE_NOTING && lane->unnoted)
            note(lane);
        run(lane);
    }
    arm(lanes);
}

/* To the next thing that is due. */
static void arm(struct eg_lanes *lanes)
{
    int64_t now_us = eg_clock_mono_us(), now_ms = eg_clock_now_ms(), next_us = INT64_MAX;
    for (const struct eg_lane *lane = lanes->first; lane; lane = lane->next) {
        if (lane->state == EG_LANE_NOTING && lane->unnoted && next_us > now_us + NOTE_AGAIN_MS * 1000)
            next_us = now_us + NOTE_AGAIN_MS * 1000;
        if (lane->state != EG_LANE_IDLE)
            continue;
        for (size_t i = 0; i < lane->count; i++) {
            int64_t at = eg_lane_due_us(&lane->rows[i], now_us, now_ms);
            at = at > lane->until_us ? at : lane->until_us;
            next_us = at < next_us ? at : next_us;
            if (next_us <= now_us)
                break;
        }
    }
    if (next_us == INT64_MAX || lanes->closed)
        uv_timer_stop(&lanes->timer);
    else
        uv_timer_start(&lanes->timer, on_timer,
                       next_us > now_us ? (uint64_t)((next_us - now_us) / 1000 + 1) : 0, 0);
}

/* --- from outside --- */

void eg_lanes_release(struct eg_lanes *lanes, const struct eg_batch *batch)
{
    for (size_t i = 0; i < batch->outbox_count; i++) {
        const struct eg_row_outbox *row = &batch->outbox[i];
        const struct eg_message_row fresh = {.id = row->id,
                                             .failing_since_ms = EG_TIME_NONE,
                                             .case_number = row->case_number,
                                             .created_ms = row->created_ms,
                                             .not_before_ms = row->not_before_ms};
        if (*row->party)
            eg_lane_add(lanes, row->channel, row->recipient, &fresh);
    }
    for (struct eg_lane *lane = lanes->first; lane; lane = lane->next) {
        for (size_t i = 0; i < batch->outbox_done_count; i++) {
            struct eg_message_row *row = eg_lane_find(lane, batch->outbox_done[i].id);
            if (row && lane->id == row->id && lane->state == EG_LANE_NOTING)
                lane->state = EG_LANE_IDLE;
            if (row)
                eg_lane_drop(lane, row);
        }
        for (size_t i = 0; i < batch->outbox_tried_count; i++) {
            struct eg_message_row *row =
                batch->outbox_tried[i].gave_up ? eg_lane_find(lane, batch->outbox_tried[i].id) : NULL;
            if (!row)
                continue;
            row->gave_up = true;
            if (lane->id == row->id && lane->state == EG_LANE_NOTING)
                lane->state = EG_LANE_IDLE;
        }
        run(lane);
    }
    arm(lanes);
}

static bool is_by_mqtt(const struct eg_lane *lane)
{
    const struct eg_conf_channel *channel = channel_of(lane);
    return channel && channel->kind == EG_BY_MQTT;
}

bool eg_lanes_published(struct eg_lanes *lanes, int64_t ticket, const char *error)
{
    struct eg_outcome outcome = {EG_ARRIVED, 0, ""};
    for (struct eg_lane *lane = lanes->first; lane; lane = lane->next) {
        if (lane->state != EG_LANE_SENDING || lane->id != ticket)
            continue;
        if (error)
            eg_outcome_set(&outcome, EG_NEVER, "%.200s", error);
        on_done(lanes, lane, &outcome);
        return true;
    }
    return false;
}

void eg_lanes_link(struct eg_lanes *lanes, bool connected)
{
    struct eg_outcome lost;
    eg_outcome_set(&lost, EG_AGAIN, "the link to the broker broke");
    for (struct eg_lane *lane = lanes->first; lane; lane = lane->next) {
        if (!is_by_mqtt(lane))
            continue;
        if (!connected && lane->state == EG_LANE_SENDING) {
            settle(lane, &lost);
        } else if (connected && lane->state == EG_LANE_IDLE) { /* it was not this receiver that failed */
            lane->until_us = 0;
            for (size_t i = 0; i < lane->count; i++)
                lane->rows[i].next_us = 0;
            run(lane);
        }
    }
    arm(lanes);
}

void eg_lanes_configure(struct eg_lanes *lanes, const struct eg_conf *conf)
{
    lanes->conf = conf;
    eg_transfers_configure(lanes->ways.transfers, lanes->conf, lanes->faults);
    for (struct eg_lane *lane = lanes->first; lane; lane = lane->next) /* perhaps that was what was wrong */
        if (lane->state == EG_LANE_IDLE)
            lane->until_us = 0;
    arm(lanes);
}

/* --- coming and going --- */

static bool load_row(void *arg, const struct eg_outbox_view *view)
{
    struct eg_lanes *lanes = arg;
    const struct eg_message_row row = {.id = view->id,
                                       .failing_since_ms = view->failing_since_ms,
                                       .case_number = view->case_number,
                                       .tries = view->tries,
                                       .created_ms = view->created_ms,
                                       .not_before_ms = view->not_before_ms,
                                       .gave_up = view->gave_up};
    if (*view->party)
        eg_lane_add(lanes, view->channel, view->recipient, &row);
    return true;
}

int eg_lanes_create(uv_loop_t *loop, const struct eg_conf *conf, struct eg_reader *reader,
                    struct eg_faults *faults, const struct eg_lanes_door *door, struct eg_lanes **ret,
                    struct eg_err *err)
{
    struct eg_lanes *lanes = calloc(1, sizeof *lanes);
    if (!lanes)
        return eg_err_set(err, EG_ENOMEM, "no memory for the outbox");
    *lanes = (struct eg_lanes){.loop = loop,
                               .conf = conf,
                               .reader = reader,
                               .faults = faults,
                               .door = *door,
                               .jitter = (uint64_t)eg_clock_mono_us() * 2654435761u | 1,
                               .ways = {.loop = loop, .user = door->user, .publish = door->publish}};
    lanes->ways.transfers = eg_transfers_create(loop);
    if (!lanes->ways.transfers) {
        free(lanes);
        return eg_err_set(err, EG_ENOMEM, "no memory for the outbox");
    }
    eg_transfers_configure(lanes->ways.transfers, lanes->conf, lanes->faults);
    lanes->ways.done = on_done;
    uv_timer_init(loop, &lanes->timer);
    lanes->timer.data = lanes;
    eg_reader_outbox(reader, true, 0, 0, load_row, lanes, NULL);
    uv_timer_start(&lanes->timer, on_timer, 0, 0);
    *ret = lanes;
    return EG_OK;
}

void eg_lanes_stop(struct eg_lanes *lanes)
{
    lanes->stopped = true;
}

static void check_closed(struct eg_lanes *lanes)
{
    if (!lanes->timer_closed || !lanes->transfers_closed)
        return;
    for (struct eg_lane *lane = lanes->first, *next; lane; lane = next) {
        next = lane->next;
        free(lane->rows);
        free(lane);
    }
    void (*closed)(void *) = lanes->closed;
    void *user = lanes->closed_user;
    free(lanes);
    closed(user);
}

static void on_transfers_closed(void *user)
{
    struct eg_lanes *lanes = user;
    lanes->transfers_closed = true;
    check_closed(lanes);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct eg_lanes *lanes = handle->data;
    lanes->timer_closed = true;
    check_closed(lanes);
}

void eg_lanes_close(struct eg_lanes *lanes, void (*closed)(void *user), void *user)
{
    lanes->stopped = true;
    lanes->closed = closed;
    lanes->closed_user = user;
    eg_by_exec_stop(&lanes->ways);
    uv_close((uv_handle_t *)&lanes->timer, on_timer_closed);
    eg_transfers_close(lanes->ways.transfers, on_transfers_closed, lanes);
}
