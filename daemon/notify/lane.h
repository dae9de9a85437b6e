/* Private to lanes.c and lane.c: what a lane is made of. */
#ifndef EG_LANE_H
#define EG_LANE_H

#include <notify/lanes.h>
#include <notify/ways.h>

enum eg_lane_state { EG_LANE_IDLE, EG_LANE_SENDING, EG_LANE_NOTING };
struct eg_message_row {
    int64_t id, next_us /* monotonic */, failing_since_ms, created_ms, not_before_ms;
    uint32_t case_number;
    unsigned tries, tries_here; /* in this run */
    bool gave_up;
};
struct eg_lane {
    struct eg_lane *next;
    struct eg_lanes *lanes;
    struct eg_message_row *rows; /* oldest first */
    size_t count, capacity;
    enum eg_lane_state state;
    int64_t id; /* under way, or being noted */
    int64_t until_us;
    unsigned failures; /* in a row */
    int64_t minute_us; /* since when `sent` counts */
    int sent;
    bool unnoted; /* the turn would not take the result yet */
    struct eg_outcome outcome;
    char channel[64];
    char recipient[];
};
struct eg_lanes {
    uv_loop_t *loop;
    const struct eg_conf *conf;
    struct eg_reader *reader;
    struct eg_faults *faults;
    struct eg_lanes_door door;
    struct eg_ways ways;
    struct eg_lane *first;
    uv_timer_t timer;
    struct eg_lanes_figures figures;
    uint64_t jitter;
    bool stopped, timer_closed, transfers_closed;
    void (*closed)(void *user);
    void *closed_user;
};

/* lane.c */
struct eg_message_row *eg_lane_find(struct eg_lane *lane, int64_t id);
/* Ascending ids; what finds no memory is found in the store by the next start. */
void eg_lane_add(struct eg_lanes *lanes, const char *channel, const char *recipient,
                 const struct eg_message_row *row);
void eg_lane_drop(struct eg_lane *lane, struct eg_message_row *row);
/* The oldest whose time has come; not before an older one of the same case. */
struct eg_message_row *eg_lane_next(struct eg_lane *lane, int64_t now_us, int64_t now_ms);
bool eg_lane_is_due(const struct eg_message_row *row, int64_t now_us, int64_t now_ms);
/* When its time comes, by the monotonic clock. */
int64_t eg_lane_due_us(const struct eg_message_row *row, int64_t now_us, int64_t now_ms);

bool eg_lane_is_moot(const struct eg_lanes *lanes, const struct eg_outbox_view *view);

/* gather.c: several that wait become one; true: the pipeline was asked to */
bool eg_lane_gather(struct eg_lane *lane, const struct eg_conf_channel *channel, int64_t now_us,
                    int64_t now_ms);
int64_t eg_lane_backoff_us(struct eg_lanes *lanes, int64_t first_ms, unsigned failures, int64_t asked_ms);

#endif
