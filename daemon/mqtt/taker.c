/* The taker (taker.h). libmosquitto queues a message's PUBACK before it hands the message over; in its threaded mode the queue stays
 * until mosquitto_loop_write(). So: nothing is written while messages lie in an uncommitted turn, and on release all goes at once. A lost
 * connection empties the queue, and the broker brings the messages again. */
#include <mqtt/taker.h>
#include <base/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define BITE_PACKETS 256
#define BITE_US 1000
#define WINDOW_LEAST 4 /* fewer than that is a quiet village, not a window */
#define WINDOW_SURE 2
#define REFILL_US 500000 /* a round trip on a poor line */
#define PROBES 8         /* a connection: each may cost the card a commit */

/* "Client %s received PUBLISH (d%d, q%d, r%d, m%d, '%s', ... (%ld bytes))" comes before on_message(); it is the only place where
 * libmosquitto 2.0 tells the DUP flag. */
static void on_log(struct mosquitto *client, void *user, int level, const char *text)
{
    struct eg_link *link = user;
    struct eg_taker *taker = link->owner.user;
    (void)client;
    (void)level;
    const char *publish = strstr(text, " received PUBLISH (d");
    if (publish)
        taker->last_dup = publish[strlen(" received PUBLISH (d")] == '1';
}

/* Our own retained state (CONTRACT §6) comes back where a template such as ecogov/{site}/{domain}/{device} covers it, too, and MQTT has
 * no way to leave it out. It comes with QoS 0, so nothing waits for its PUBACK. */
static bool is_echo(const struct mosquitto_message *received)
{
    static const char state[] = "ecogov/state/";
    return received->qos == 0 && strncmp(received->topic, state, sizeof state - 1) == 0;
}

static void on_message(struct mosquitto *client, void *user, const struct mosquitto_message *received)
{
    struct eg_link *link = user;
    struct eg_taker *taker = link->owner.user;
    struct eg_message message = {.topic = received->topic,
                                 .topic_len = strlen(received->topic),
                                 .payload = received->payload,
                                 .payload_len = (size_t)received->payloadlen,
                                 .arrived_ms = eg_clock_now_ms(),
                                 .mid = (uint16_t)received->mid,
                                 .qos = (uint8_t)received->qos,
                                 .retain = received->retain};
    if (taker->ask_dup) {
        message.dup = taker->last_dup;
        if (!taker->last_dup) { /* redeliveries come first: there are no more */
            taker->ask_dup = false;
            mosquitto_log_callback_set(client, NULL);
        }
    }
    taker->taken++;
    if (is_echo(received))
        return;
    if (received->qos)
        taker->unacked++;
    if (!taker->door->message(taker->door->user, &message))
        taker->paused = true;
}

static void tell_dry(struct eg_taker *taker)
{
    if (!taker->unacked)
        return;
    taker->dry = true;
    taker->filled_us = eg_clock_mono_us();
    if (taker->unacked > taker->window)
        taker->window = 0;
    enum eg_window window = EG_WINDOW_OPEN;
    if (taker->window && taker->unacked == taker->window)
        window = EG_WINDOW_FULL;
    else if (!taker->window && taker->probes && taker->unacked >= WINDOW_LEAST)
        window = EG_WINDOW_PERHAPS;
    taker->door->dry(taker->door->user, taker->unacked, window);
}

static bool socket_empty(const struct eg_taker *taker)
{
    int waiting = 0;
    return ioctl(mosquitto_socket(taker->link.client), FIONREAD, &waiting) != 0 || waiting == 0;
}

static bool over_tls(const struct eg_taker *taker)
{
    return taker->link.conf->tls || taker->link.conf->ca_file;
}

static void on_readable(void *user)
{
    struct eg_taker *taker = user;
    bool tls = over_tls(taker); /* its buffer is invisible to the loop: read it empty */
    int64_t until_us = eg_clock_mono_us() + BITE_US;
    taker->dry = false;
    for (int packets = 1; !taker->paused; packets++) {
        unsigned long before = taker->taken;
        if (!eg_link_read(&taker->link))
            return;
        if (taker->taken == before && socket_empty(taker)) {
            tell_dry(taker);
            break;
        }
        if (!tls && (packets >= BITE_PACKETS || (packets % 32 == 0 && eg_clock_mono_us() > until_us))) {
            if (socket_empty(taker))
                tell_dry(taker);
            break;
        }
    }
    if (taker->paused)
        eg_link_listen(&taker->link, false);
}

void eg_taker_pause(struct eg_taker *taker)
{
    taker->paused = true;
    eg_link_listen(&taker->link, false);
}

/* A turn ended with a dry socket at some count: the same count again, as soon as the first was released, is the broker's window. What
 * comes later is the devices' own rhythm, and no reason to write the card more often than commit_interval says. */
static void learn(struct eg_taker *taker)
{
    if (!taker->dry || taker->unacked < WINDOW_LEAST)
        return;
    if (!taker->window && taker->probes)
        taker->probes--;
    if (taker->candidate == taker->unacked && taker->filled_us - taker->released_us <= REFILL_US) {
        if (++taker->confirmed >= WINDOW_SURE)
            taker->window = taker->unacked;
    } else {
        taker->candidate = taker->unacked;
        taker->confirmed = 1;
    }
}

static void read_on(void *user)
{
    struct eg_taker *taker = user;
    if (taker->paused)
        return;
    eg_link_listen(&taker->link, true);
    if (over_tls(taker) && taker->link.poll)
        on_readable(taker);
}

void eg_taker_release(struct eg_taker *taker)
{
    learn(taker);
    taker->released_us = eg_clock_mono_us();
    taker->unacked = 0;
    taker->paused = false;
    if (!eg_link_flush(
            &taker->link)) /* when the last PUBACK is out: a later one must not overtake its turn's commit */
        return;
    eg_link_listen(&taker->link, true);
    if (over_tls(
            taker)) /* what its buffer holds no poll sees; and the turn, which calls this, is not open again yet */
        eg_link_wake(&taker->link);
}

/* --- subscriptions --- */

bool eg_taker_subscription(const struct eg_conf *conf, size_t index, char *out, size_t size)
{
    if (index < conf->source_count)
        return eg_mqtt_subscription(conf->sources[index].topic, out, size);
    for (size_t i = 0; i < conf->party_count; i++)
        if (conf->parties[i].secret)
            return snprintf(out, size, "ecogov/commands/+") > 0;
    return false;
}

bool eg_taker_wants(const struct eg_conf *conf, const char *subscription)
{
    char text[EG_SUBSCRIPTION_MAX];
    for (size_t i = 0; i <= conf->source_count; i++)
        if (eg_taker_subscription(conf, i, text, sizeof text) && !strcmp(text, subscription))
            return true;
    return false;
}

/* Without memory for its number its answer is not waited for. */
static void await(struct eg_taker *taker, int mid)
{
    if (taker->asked_count == taker->asked_capacity) {
        size_t capacity = taker->asked_capacity ? 2 * taker->asked_capacity : 8;
        int *grown = realloc(taker->asked, capacity * sizeof *grown);
        if (!grown)
            return;
        taker->asked = grown;
        taker->asked_capacity = capacity;
    }
    taker->asked[taker->asked_count++] = mid;
}

/* Granted or refused: it will not become more. */
static void on_subscribed(struct mosquitto *client, void *user, int mid, int count, const int *granted)
{
    struct eg_link *link = user;
    struct eg_taker *taker = link->owner.user;
    (void)client;
    (void)count;
    (void)granted;
    for (size_t i = taker->asked_count; i-- > 0;)
        if (taker->asked[i] == mid)
            taker->asked[i] = taker->asked[--taker->asked_count];
    taker->heard = taker->heard || !taker->asked_count;
}

bool eg_taker_hears(const struct eg_taker *taker)
{
    return taker->link.up && taker->heard;
}

void eg_taker_subscribe(struct eg_taker *taker)
{
    const struct eg_conf *conf = taker->conf;
    char text[EG_SUBSCRIPTION_MAX], earlier[EG_SUBSCRIPTION_MAX];
    if (!taker->link.up)
        return;
    for (size_t i = 0; i <= conf->source_count; i++) {
        bool again = !eg_taker_subscription(conf, i, text, sizeof text);
        for (size_t k = 0; k < i && !again; k++)
            again = eg_taker_subscription(conf, k, earlier, sizeof earlier) && !strcmp(text, earlier);
        int mid = 0;
        if (!again && mosquitto_subscribe(taker->link.client, &mid, text, 1) == MOSQ_ERR_SUCCESS)
            await(taker, mid);
    }
    for (size_t i = taker->unwanted_count; i-- > 0;)
        if (eg_taker_wants(conf, taker->unwanted[i].topic))
            taker->unwanted[i] = taker->unwanted[--taker->unwanted_count];
        else if (!taker->unwanted[i].mid)
            mosquitto_unsubscribe(taker->link.client, &taker->unwanted[i].mid, taker->unwanted[i].topic);
    eg_link_flush(&taker->link);
    if (!taker->unwanted_count && taker->settled)
        taker->settled(taker->settled_user);
}

static void on_unsubscribed(struct mosquitto *client, void *user, int mid)
{
    struct eg_link *link = user;
    struct eg_taker *taker = link->owner.user;
    (void)client;
    for (size_t i = taker->unwanted_count; i-- > 0;)
        if (taker->unwanted[i].mid == mid) {
            taker->unwanted[i] = taker->unwanted[--taker->unwanted_count];
            if (!taker->unwanted_count && taker->settled)
                taker->settled(taker->settled_user);
        }
}

void eg_taker_unwanted(struct eg_taker *taker, const char *topic)
{
    for (size_t i = 0; i < taker->unwanted_count; i++) /* several sources may share a subscription */
        if (!strcmp(taker->unwanted[i].topic, topic))
            return;
    void *grown = realloc(taker->unwanted, (taker->unwanted_count + 1) * sizeof *taker->unwanted);
    if (!grown)
        return;
    taker->unwanted = grown;
    struct eg_unwanted *row = &taker->unwanted[taker->unwanted_count++];
    row->mid = 0;
    snprintf(row->topic, sizeof row->topic, "%s", topic);
}

/* --- the link --- */

static void on_opened(void *user, bool session_present)
{
    struct eg_taker *taker = user;
    char what[256];
    taker->unacked = 0;
    taker->probes = PROBES;
    taker->ask_dup = session_present;
    taker->last_dup = false;
    mosquitto_log_callback_set(taker->link.client, session_present ? on_log : NULL);
    for (size_t i = 0; i < taker->unwanted_count; i++)
        taker->unwanted[i].mid = 0;
    taker->asked_count = 0;
    eg_taker_subscribe(taker);
    taker->heard = !taker->asked_count;
    snprintf(what, sizeof what, "connected to %s:%d, MQTT %s, %s session", taker->link.conf->host,
             taker->link.conf->port, taker->link.version == MQTT_PROTOCOL_V5 ? "5" : "3.1.1",
             session_present ? "earlier" : "new");
    taker->door->link(taker->door->user, true, what);
}

static void on_lost(void *user, const char *why)
{
    struct eg_taker *taker = user;
    taker->unacked = 0;
    taker->dry = false;
    taker->window = taker->candidate = taker->confirmed = 0;
    taker->door->link(taker->door->user, false, why);
}

static bool may_write(void *user)
{
    const struct eg_taker *taker = user;
    return !taker->paused && taker->unacked == 0;
}

static void on_tried(void *user)
{
    struct eg_taker *taker = user;
    if (taker->tried)
        taker->tried(taker->settled_user);
}

int eg_taker_init(struct eg_taker *taker, uv_loop_t *loop, const struct eg_conf *conf,
                  const struct eg_mqtt_door *door, struct eg_err *err)
{
    const struct eg_link_owner owner = {.user = taker,
                                        .opened = on_opened,
                                        .lost = on_lost,
                                        .readable = on_readable,
                                        .may_write = may_write,
                                        .tried = on_tried,
                                        .drained = read_on};
    taker->door = door;
    taker->conf = conf;
    int code = eg_link_init(&taker->link, loop, &conf->mqtt, conf->mqtt.client_id, true, &owner, err);
    if (code != EG_OK)
        return code;
    mosquitto_message_callback_set(taker->link.client, on_message);
    mosquitto_subscribe_callback_set(taker->link.client, on_subscribed);
    mosquitto_unsubscribe_callback_set(taker->link.client, on_unsubscribed);
    return EG_OK;
}
