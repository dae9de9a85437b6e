/* Takes messages and holds their PUBACKs: the ack gate. Private to the room. */
#ifndef EG_TAKER_H
#define EG_TAKER_H

#include <mqtt/account.h>
#include <mqtt/link.h>
#include <mqtt/mqtt.h>

struct eg_taker {
    struct eg_link link;
    const struct eg_mqtt_door *door;
    const struct eg_conf *conf;
    bool paused;
    unsigned unacked;
    /* the broker's in-flight window, learned: the socket goes dry at the same count again and again */
    unsigned window, candidate, confirmed, probes;
    int64_t released_us, filled_us;
    bool dry;
    bool ask_dup, last_dup; /* after a reconnect: read the DUP flag off libmosquitto's log */
    unsigned long taken;
    struct eg_unwanted { /* to be unsubscribed, until the broker has confirmed it */
        int mid;         /* of the UNSUBSCRIBE; 0: not sent on this link */
        char topic[EG_SUBSCRIPTION_MAX];
    } * unwanted;
    size_t unwanted_count;
    int *asked; /* mids of SUBSCRIBEs the broker has not answered */
    size_t asked_count, asked_capacity;
    bool heard; /* on this link it has once answered all: before that, what is published is nobody's */
    void (*settled)(void *user); /* the broker's session holds nothing that is not wanted; may be NULL */
    void (*tried)(void *user);   /* an attempt to connect is over; may be NULL */
    void *settled_user;
};

int eg_taker_init(struct eg_taker *taker, uv_loop_t *loop, const struct eg_conf *conf,
                  const struct eg_mqtt_door *door, struct eg_err *err);
void eg_taker_pause(struct eg_taker *taker);
void eg_taker_release(struct eg_taker *taker);
void eg_taker_unwanted(struct eg_taker *taker,
                       const char *topic); /* unsubscribed now, or on the next connect */
void eg_taker_subscribe(struct eg_taker *taker);
bool eg_taker_hears(const struct eg_taker *taker); /* connected, and subscribed since */
/* What is subscribed, one by one: index 0 to source_count; false: nothing there. */
bool eg_taker_subscription(const struct eg_conf *conf, size_t index, char *out, size_t size);
bool eg_taker_wants(const struct eg_conf *conf, const char *subscription);

#endif
