/* The ways a message is handed over, a file each: by_mqtt.c, by_webhook.c, by_mail.c, by_exec.c. Private to the room. They know how; what
 * is sent when, and what follows from how it went, lanes.c knows. */
#ifndef EG_WAYS_H
#define EG_WAYS_H

#include <notify/transfer.h>
#include <conf/conf.h>
#include <base/buf.h>

struct eg_parcel { /* what is handed over; borrowed for the call */
    int64_t id;
    const char *party, *recipient, *key, *body, *why, *line;
    uint32_t case_number;
    uint8_t level;
    int64_t created_ms;
};
enum eg_arrival { EG_ARRIVED, EG_AGAIN, EG_NEVER, EG_MOOT /* not sent: it is not so any more */ };
struct eg_outcome {
    enum eg_arrival fate;
    int64_t retry_after_ms; /* as the receiver asked; 0: it did not */
    char text[240];         /* why not; names no secret */
};
void eg_outcome_set(struct eg_outcome *outcome, enum eg_arrival fate, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct eg_ways {
    uv_loop_t *loop;
    struct eg_transfers *transfers;
    struct eg_program *programs; /* running: by_exec.c */
    void *user;
    int (*publish)(void *user, const char *topic, const char *body, size_t length, bool retain,
                   int64_t ticket);
    /* How it went, for a send that returned true. */
    void (*done)(void *user, void *ticket, const struct eg_outcome *outcome);
};
/* True: it is under way, `done` comes. False: *ret says at once how it went. The channel is borrowed for the call. */
bool eg_by_mqtt(struct eg_ways *ways, const struct eg_parcel *parcel, struct eg_outcome *ret);
bool eg_by_webhook(struct eg_ways *ways, const struct eg_conf_channel *channel,
                   const struct eg_parcel *parcel, void *ticket, struct eg_outcome *ret);
bool eg_by_mail(struct eg_ways *ways, const struct eg_conf_channel *channel, const struct eg_parcel *parcel,
                void *ticket, struct eg_outcome *ret);
bool eg_by_exec(struct eg_ways *ways, const struct eg_conf_channel *channel, const struct eg_parcel *parcel,
                void *ticket, struct eg_outcome *ret);
void eg_by_exec_stop(struct eg_ways *ways); /* ends what runs; nobody is told */

/* robots.c: what a receiver of that format is sent, and what its answer means. */
struct eg_letter {
    struct eg_buf body, url;
    const char *content_type;
    char headers[4][512];
    size_t header_count;
};
bool eg_robot_write(const struct eg_conf_channel *channel, const struct eg_parcel *parcel, int64_t now_ms,
                    struct eg_letter *ret); /* false: no memory, or a body nobody wrote */
void eg_robot_judge(enum eg_format format, long status, const char *reply, size_t length,
                    struct eg_outcome *ret);

#endif
