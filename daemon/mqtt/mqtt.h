/* The MQTT edge: the only room that knows libmosquitto; owns the ack gate.
 *
 * Two clients on one libuv loop. The taker subscribes (QoS 1, persistent session) and hands messages up through the door; its
 * PUBACKs stay queued inside libmosquitto until eg_mqtt_release(). The teller publishes (CONTRACT §6) and holds the will.
 * Neither resolving names nor connecting blocks the loop: libmosquitto does both on a thread of libuv's pool, and the loop
 * adopts the socket when it is there. */
#ifndef EG_MQTT_H
#define EG_MQTT_H

#include <conf/conf.h>
#include <ecogov/message.h>
#include <uv.h>

struct eg_mqtt;

/* What a dry socket means: the broker sends no more than its in-flight window before it hears PUBACKs. */
enum eg_window {
    EG_WINDOW_OPEN, /* more may come at any time */
    EG_WINDOW_PERHAPS, /* or that was the window, which is not known yet: worth a try, if nothing more comes soon */
    EG_WINDOW_FULL, /* as many as the broker was seen to send: nothing more comes until they are released */
};

/* The door. All called on the loop's thread, never from within eg_mqtt_create(). */
struct eg_mqtt_door {
    void *user;
    /* One message. false: the door takes no more now (the turn is full or closing): nothing more is read until
     * eg_mqtt_release(). The message itself has been taken. */
    bool (*message)(void *user, const struct eg_message *message);
    /* The socket is dry: `unacked` messages were taken and not released yet. */
    void (*dry)(void *user, unsigned unacked, enum eg_window window);
    /* The link came up or went down. `why` is a sentence. */
    void (*link)(void *user, bool connected, const char *why);
    /* The teller came up or went down: publications are taken, or not. May be NULL. */
    void (*telling)(void *user, bool connected);
    /* A publication was acknowledged by the broker, or failed for good (`error`). */
    void (*published)(void *user, int64_t ticket, const char *error);
};

/* Starts connecting in the background and keeps trying (back-off 1 s doubling to 60 s, with jitter). `conf` is borrowed until
 * replaced by eg_mqtt_configure(). */
int eg_mqtt_create(uv_loop_t *loop, const struct eg_conf *conf, const struct eg_mqtt_door *door,
                   struct eg_mqtt **ret, struct eg_err *err);
/* Subscribes what is new, unsubscribes what is no longer named, goes over to another host or port. False: the client id, credentials,
 * TLS or `publish` are others than at the start: only the next one takes them. */
bool eg_mqtt_configure(struct eg_mqtt *mqtt, const struct eg_conf *conf);
/* Keeps an account of the session's subscriptions in the file `path`: what an earlier run subscribed and the configuration no longer
 * names is unsubscribed on the next connect. Once, right after eg_mqtt_create(). Negative: it cannot be kept; all else works. */
int eg_mqtt_remember(struct eg_mqtt *mqtt, const char *path, struct eg_err *err);
/* Stops reading (the commit is under way): nothing is read, nothing is written on the taker until release. */
void eg_mqtt_pause(struct eg_mqtt *mqtt);
/* The commit is on disk: lets all queued PUBACKs out and reads on. */
void eg_mqtt_release(struct eg_mqtt *mqtt);
/* Publishes on the teller, QoS 1; `ticket` comes back in door.published. Negative code when not connected or the window is full: try
 * again after the next `link` or `published`. EG_EINVAL: this broker will never take it. */
int eg_mqtt_publish(struct eg_mqtt *mqtt, const char *topic, const void *payload, size_t length, bool retain,
                    int64_t ticket);
/* Publishes retained state on the teller, QoS 0: what gets lost is said again before long. Negative code when not connected. */
int eg_mqtt_state(struct eg_mqtt *mqtt, const char *topic, const void *payload, size_t length);
bool eg_mqtt_connected(const struct eg_mqtt *mqtt, int64_t *ret_since_ms);
/* Says `offline`, disconnects, closes all handles; `closed` is called when nothing of it is left on the loop. */
void eg_mqtt_close(struct eg_mqtt *mqtt, void (*closed)(void *user), void *user);

/* The subscription of a topic template: {name} becomes '+'. false when it is no valid template. */
bool eg_mqtt_subscription(const char *topic_template, char *out, size_t size);

#endif
