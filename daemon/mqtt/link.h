/* One libmosquitto client on the libuv loop: connecting without blocking, keeping alive, coming back with back-off. What is
 * said over the link is its owner's business (taker.c, teller.c). Private to the room. */
#ifndef EG_LINK_H
#define EG_LINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <conf/conf.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <uv.h>

struct eg_link_owner {
    void *user;
    void (*opened)(void *user, bool session_present); /* CONNACK came: subscribe, say hello */
    void (*lost)(void *user, const char *why);        /* not connected, or not any more; it will try again */
    void (*readable)(void *user);                     /* call eg_link_read() as often as wanted */
    bool (*may_write)(void *user);                    /* false: what is queued must wait */
    void (*tried)(void *user);   /* an attempt to connect is over, well or not; may be NULL */
    void (*drained)(void *user); /* what the socket had not taken at once is out; may be NULL */
};
struct eg_link_poll;
struct eg_link {
    uv_loop_t *loop;
    struct mosquitto *client;
    const struct eg_conf_mqtt *conf; /* borrowed */
    struct eg_link_owner owner;
    struct eg_link_poll *poll; /* NULL: no socket */
    uv_timer_t timer;          /* the next attempt, or keep-alive */
    uv_work_t work;
    _Atomic(pthread_t) worker; /* valid while `working` */
    atomic_bool working;
    bool connecting, closing, up, timer_closed, session_present, ready_to_open, wake;
    int version;       /* MQTT_PROTOCOL_V5 or _V311 */
    int silent_closes; /* in a row, without a CONNACK */
    int connect_code, connect_errno, refused;
    int64_t since_ms, tried_us;
    uint64_t backoff_ms;
    unsigned seed;
    void (*closed)(void *user);
    void *closed_user;
};

/* `client_id` is copied by libmosquitto. `threaded`: queue what is sent until eg_link_flush() (the ack gate). */
int eg_link_init(struct eg_link *link, uv_loop_t *loop, const struct eg_conf_mqtt *conf,
                 const char *client_id, bool threaded, const struct eg_link_owner *owner, struct eg_err *err);
void eg_link_start(struct eg_link *link);
/* One packet at most. False: the link was lost (the owner has been told). */
bool eg_link_read(struct eg_link *link);
/* Writes all that is queued, as far as the socket takes it; the rest follows when it is writable (then false). */
bool eg_link_flush(struct eg_link *link);
void eg_link_listen(struct eg_link *link, bool reading); /* be told of what can be read, or not */
void eg_link_wake(struct eg_link *link); /* `drained` from the loop soon, never from within this call */
void eg_link_drop(struct eg_link *link, const char *why); /* and try again */
void eg_link_close(struct eg_link *link, void (*closed)(void *user), void *user);

#endif
