/* A flow of readings whose every value is known from its place: six devices that say something each minute, an hour of it in a turn, one
 * reading corrected an hour later and one that comes an hour late. So a store that has sealed, resealed and dropped in between can be
 * asked whether each reading is there once, with its newest value, without a list of them. Knows the store's interface, no tables. */
#ifndef TEST_STORE_FLOW_H
#define TEST_STORE_FLOW_H

#include "house.h"

#define FLOW_DEVICES 6
#define FLOW_EACH 60
#define FLOW_MESSAGES (FLOW_DEVICES + 2) /* of a turn; the first has nothing to correct */
#define FLOW_CORRECTED 7                 /* so many minutes before the turn's hour, of the first device */
#define FLOW_LATE 5                      /* and of the second */

struct flow {
    struct house house;
    int turns;       /* acknowledged */
    bool torn;       /* one more was begun, and its commit did not say yes */
    int64_t told_ms; /* the latest time tidying was told */
};

static inline double flow_value(int device, int minute, bool corrected)
{
    unsigned mixed = ((unsigned)minute * 8u + (unsigned)device) * 2654435761u;
    return (double)(mixed % 100000000u + (corrected ? 50000000u : 0)) / 1000;
}

static inline int64_t flow_time(int minute)
{
    return NOW + minute * MINUTE;
}

static inline void flow_put(struct eg_buf *payload, int device, int minute, bool corrected)
{
    eg_buf_printf(payload, "%c{\"ts\":%lld,\"light\":%.3f}", payload->length ? ',' : '[',
                  (long long)flow_time(minute), flow_value(device, minute, corrected));
}

static inline void flow_send(struct house *house, int turn, int device, struct eg_buf *payload)
{
    char topic[64];
    snprintf(topic, sizeof topic, "ecogov/shangtian/air/f%d", device);
    eg_buf_text(payload, "]");
    house_send(house, flow_time((turn + 1) * FLOW_EACH), (struct eg_message){.qos = 0}, topic, payload->data);
    eg_buf_clear(payload);
}

static inline bool flow_is_late(int device, int minute)
{
    return device == 1 && minute % FLOW_EACH == FLOW_EACH - FLOW_LATE;
}

static inline void flow_turn(struct house *house, int turn)
{
    struct eg_buf payload;
    int first = turn * FLOW_EACH;
    eg_buf_init(&payload, (size_t)256 * 1024);
    for (int device = 0; device < FLOW_DEVICES; device++) {
        for (int minute = first; minute < first + FLOW_EACH; minute++)
            if (!flow_is_late(device, minute))
                flow_put(&payload, device, minute, false);
        flow_send(house, turn, device, &payload);
    }
    if (turn) {
        flow_put(&payload, 0, first - FLOW_CORRECTED, true);
        flow_send(house, turn, 0, &payload);
        flow_put(&payload, 1, first - FLOW_LATE, false);
        flow_send(house, turn, 1, &payload);
    }
    eg_buf_finish(&payload);
}

/* The turns whose effects are there, by the counters; -1: half of one. */
static inline int flow_turns_there(const struct house *house)
{
    const struct eg_counters *c = eg_pipeline_counters(house->pipeline);
    uint64_t more = c->received + 2;
    if (!c->received)
        return 0;
    return more % FLOW_MESSAGES || c->received != c->decoded || c->r_decoded != c->r_stored
               ? -1
               : (int)(more / FLOW_MESSAGES);
}

struct flow_seen {
    int turns;
    const char *what;
    unsigned char *there; /* [FLOW_DEVICES * minutes] */
    int minutes;
    size_t count;
};

static inline bool flow_see(void *arg, uint32_t series, const struct eg_point *point)
{
    struct flow_seen *seen = arg;
    int device = (int)series - 1, minute = (int)((point->time_ms - NOW) / MINUTE);
    if (device < 0 || device >= FLOW_DEVICES || minute < 0 || minute >= seen->minutes ||
        point->time_ms != flow_time(minute))
        fail_msg("%s: a reading nobody sent: series %u, %lld", seen->what, series, (long long)point->time_ms);
    if (seen->there[device * seen->minutes + minute]++)
        fail_msg("%s: device %d, minute %d twice", seen->what, device, minute);
    bool corrected = device == 0 && minute % FLOW_EACH == FLOW_EACH - FLOW_CORRECTED &&
                     minute / FLOW_EACH + 1 < seen->turns;
    if (point->value != flow_value(device, minute, corrected))
        fail_msg("%s: device %d, minute %d is %.3f, and %.3f was its newest value", seen->what, device,
                 minute, point->value, flow_value(device, minute, corrected));
    seen->count++;
    return true;
}

/* What may be missing: nothing from `from_ms` on; before that, with `any_old`, whatever is older than all that is there of its device,
 * but for the minutes round one that came late or was corrected: they may lie in a younger chunk.
 * All may be gone: in a file of a few pages the reserve is most of it. */
static inline void flow_check_device(const struct flow_seen *seen, int device, int64_t from_ms, bool any_old)
{
    const unsigned char *there = seen->there + device * seen->minutes;
    int oldest = 0;
    while (any_old && oldest < seen->minutes && !there[oldest])
        oldest++;
    for (int minute = 0; minute < seen->minutes; minute++) {
        bool coming = flow_is_late(device, minute) && minute / FLOW_EACH + 1 == seen->turns;
        bool may_go = any_old ? minute < oldest + FLOW_CORRECTED + 1 : flow_time(minute) < from_ms;
        if (!there[minute] && !coming && !may_go)
            fail_msg("%s: device %d, minute %d of %d is lost", seen->what, device, minute, seen->minutes);
    }
}

/* `retain_ms` 0: nothing may be missing; below 0: whatever is old may. */
static inline void flow_check(struct flow *flow, int64_t retain_ms, const char *what)
{
    struct house *house = &flow->house;
    struct eg_export *xport = NULL;
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    struct flow_seen seen = {.turns = flow_turns_there(house), .what = what};
    bool done = false;
    if (seen.turns != flow->turns && !(flow->torn && seen.turns == flow->turns + 1))
        fail_msg("%s: %d turns were acknowledged%s, and what is there is turn %d's", what, flow->turns,
                 flow->torn ? ", one more was begun" : "", seen.turns);
    seen.minutes = seen.turns * FLOW_EACH;
    seen.there = calloc((size_t)seen.minutes + 1, FLOW_DEVICES);
    int code = eg_export_open(house->store, &all, &xport, &house->err);
    while (code == EG_OK && !done)
        code = eg_export_next(xport, 1000, flow_see, &seen, &done, &house->err);
    eg_export_close(xport);
    if (code != EG_OK)
        fail_msg("%s: %s", what, house->err.text);
    for (int device = 0; device < FLOW_DEVICES; device++)
        flow_check_device(&seen, device, retain_ms > 0 ? flow->told_ms - retain_ms : 0, retain_ms < 0);
    free(seen.there);
    house_verify(house, what);
    flow->turns = seen.turns;
    flow->torn = false;
}

#endif
