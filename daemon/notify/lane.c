/* What waits in a lane, and for how long. Knows rows and times; when something is sent, lanes.c knows, which calls it. */
#include <notify/lane.h>
#include <base/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MAX_MS INT64_C(900000)
#define LOOK_AHEAD 64

/* --- rows --- */

struct eg_message_row *eg_lane_find(struct eg_lane *lane, int64_t id)
{
    size_t low = 0, high = lane->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (lane->rows[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < lane->count && lane->rows[low].id == id ? &lane->rows[low] : NULL;
}

static struct eg_lane *lane_of(struct eg_lanes *lanes, const char *channel, const char *recipient)
{
    for (struct eg_lane *lane = lanes->first; lane; lane = lane->next)
        if (!strcmp(lane->channel, channel) && !strcmp(lane->recipient, recipient))
            return lane;
    size_t length = strlen(recipient) + 1;
    struct eg_lane *lane = calloc(1, sizeof *lane + length);
    if (!lane)
        return NULL;
    lane->lanes = lanes;
    snprintf(lane->channel, sizeof lane->channel, "%s", channel);
    memcpy(lane->recipient, recipient, length);
    lane->next = lanes->first;
    lanes->first = lane;
    return lane;
}

void eg_lane_add(struct eg_lanes *lanes, const char *channel, const char *recipient,
                 const struct eg_message_row *row)
{
    struct eg_lane *lane = lane_of(lanes, channel, recipient);
    if (!lane || (lane->count && lane->rows[lane->count - 1].id >= row->id))
        return;
    if (lane->count == lane->capacity) {
        size_t more = lane->capacity ? lane->capacity * 2 : 16;
        struct eg_message_row *rows = realloc(lane->rows, more * sizeof *rows);
        if (!rows)
            return;
        lane->rows = rows;
        lane->capacity = more;
    }
    lane->rows[lane->count++] = *row;
}

void eg_lane_drop(struct eg_lane *lane, struct eg_message_row *row)
{
    size_t at = (size_t)(row - lane->rows);
    memmove(row, row + 1, (lane->count - at - 1) * sizeof *row);
    lane->count--;
}

bool eg_lane_is_due(const struct eg_message_row *row, int64_t now_us, int64_t now_ms)
{
    return row->next_us <= now_us && row->not_before_ms <= now_ms;
}

int64_t eg_lane_due_us(const struct eg_message_row *row, int64_t now_us, int64_t now_ms)
{
    int64_t held_us = row->not_before_ms > now_ms ? now_us + (row->not_before_ms - now_ms) * 1000 : 0;
    return held_us > row->next_us ? held_us : row->next_us;
}

struct eg_message_row *eg_lane_next(struct eg_lane *lane, int64_t now_us, int64_t now_ms)
{
    size_t looked = 0;
    for (size_t i = 0; i < lane->count && looked < LOOK_AHEAD; i++) {
        struct eg_message_row *row = &lane->rows[i];
        bool behind = false;
        if (row->not_before_ms > now_ms) /* held back: nobody waits for it */
            continue;
        looked++;
        for (size_t k = i < LOOK_AHEAD ? 0 : i - LOOK_AHEAD; k < i && !behind; k++)
            behind = row->case_number && lane->rows[k].case_number == row->case_number &&
                     lane->rows[k].not_before_ms <= now_ms;
        if (!behind && row->next_us <= now_us)
            return row;
    }
    return NULL;
}

int64_t eg_lane_backoff_us(struct eg_lanes *lanes, int64_t first_ms, unsigned failures, int64_t asked_ms)
{
    int64_t ms = first_ms;
    for (unsigned i = 1; i < failures && ms < BACKOFF_MAX_MS; i++)
        ms *= 2;
    ms = ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : ms;
    lanes->jitter ^= lanes->jitter << 13;
    lanes->jitter ^= lanes->jitter >> 7;
    lanes->jitter ^= lanes->jitter << 17;
    int64_t us = ms * 750 + (int64_t)(lanes->jitter % (uint64_t)(ms * 500 + 1)); /* ±25 % */
    return us > asked_ms * 1000 ? us : asked_ms * 1000;
}

/* A reminder that had to wait: does anybody still need it? */
bool eg_lane_is_moot(const struct eg_lanes *lanes, const struct eg_outbox_view *view)
{
    char number[16];
    struct eg_case row;
    snprintf(number, sizeof number, "%u", view->case_number);
    return strcmp(view->why, eg_why_name(EG_WHY_REPEATED)) == 0 &&
           eg_reader_case(lanes->reader, number, &row, NULL) == EG_OK &&
           (row.handling != EG_OPEN || row.condition == EG_CONDITION_OK);
}

void eg_lanes_figures(const struct eg_lanes *lanes, struct eg_lanes_figures *ret)
{
    *ret = lanes->figures;
    for (const struct eg_lane *lane = lanes->first; lane; lane = lane->next) {
        ret->pending += lane->count;
        ret->failing += lane->failures ? lane->count : 0;
        for (size_t i = 0; i < lane->count; i++)
            ret->unreachable += lane->rows[i].gave_up;
    }
}

bool eg_lanes_look(const struct eg_lanes *lanes, int64_t id, unsigned *ret_tries, int64_t *ret_next_ms,
                   const char **ret_error)
{
    for (struct eg_lane *lane = lanes->first; lane; lane = lane->next) {
        const struct eg_message_row *row = eg_lane_find(lane, id);
        if (!row)
            continue;
        int64_t at_us = row->next_us > lane->until_us ? row->next_us : lane->until_us,
                wait_us = at_us - eg_clock_mono_us();
        *ret_tries = row->tries;
        *ret_next_ms = wait_us > 0 ? eg_clock_now_ms() + wait_us / 1000 : EG_TIME_NONE;
        *ret_error = lane->id == id && row->tries ? lane->outcome.text : NULL;
        return true;
    }
    return false;
}
