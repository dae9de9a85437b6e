/* The room's front (mqtt.h): a taker, a teller, and what both share. */
#include <mqtt/account.h>
#include <mqtt/mqtt.h>
#include <base/hash.h>
#include <mqtt/taker.h>
#include <mqtt/teller.h>

#include <stdlib.h>
#include <string.h>

struct eg_mqtt {
    uint64_t fixed; /* by the start, whatever the configuration says now */
    uv_loop_t *loop;
    const struct eg_conf *conf;
    struct eg_mqtt_door door;
    struct eg_taker taker;
    struct eg_teller teller;
    struct eg_mqtt_door teller_door; /* the teller's link is told apart from the taker's */
    struct eg_account account;
    bool has_teller, teller_started;
    int open;
    void (*closed)(void *user);
    void *closed_user;
};

static void teller_link(void *user, bool connected, const char *why)
{
    struct eg_mqtt *mqtt = user;
    (void)why; /* the taker says it of the same broker */
    if (mqtt->door.telling)
        mqtt->door.telling(mqtt->door.user, connected);
}

static void teller_published(void *user, int64_t ticket, const char *error)
{
    struct eg_mqtt *mqtt = user;
    mqtt->door.published(mqtt->door.user, ticket, error);
}

/* --- the account of what the session holds --- */

static bool wanted(const void *arg, const char *topic)
{
    return eg_taker_wants(arg, topic);
}

/* Before it is subscribed. */
static int note_all(struct eg_mqtt *mqtt, struct eg_err *err)
{
    char text[EG_SUBSCRIPTION_MAX];
    for (size_t i = 0; i <= mqtt->conf->source_count; i++)
        if (eg_taker_subscription(mqtt->conf, i, text, sizeof text))
            eg_account_add(&mqtt->account, text);
    return eg_account_write(&mqtt->account, err);
}

static void settled(void *user)
{
    struct eg_mqtt *mqtt = user;
    eg_account_keep(&mqtt->account, wanted, mqtt->conf);
    eg_account_write(&mqtt->account,
                     NULL); /* if it cannot be written it names too much, which does no harm */
}

int eg_mqtt_remember(struct eg_mqtt *mqtt, const char *path, struct eg_err *err)
{
    int code = eg_account_open(&mqtt->account, path, err);
    for (size_t i = 0; i < mqtt->account.count; i++)
        if (!eg_taker_wants(mqtt->conf, mqtt->account.topics[i]))
            eg_taker_unwanted(&mqtt->taker, mqtt->account.topics[i]);
    return code == EG_OK ? note_all(mqtt, err) : code;
}

/* libmosquitto sets OpenSSL up within the first attempt, and not safely for two at a time: so the teller comes second. */
static void start_teller(void *user)
{
    struct eg_mqtt *mqtt = user;
    if (mqtt->has_teller && !mqtt->teller_started)
        eg_link_start(&mqtt->teller.link);
    mqtt->teller_started = true;
}

/* --- moving in and out --- */

/* What only a new client can take. */
static uint64_t fixed_of(const struct eg_conf_mqtt *conf)
{
    const char *const texts[] = {conf->client_id, conf->user,      conf->password, conf->password_file,
                                 conf->ca_file,   conf->cert_file, conf->key_file};
    const bool switches[] = {conf->tls, conf->tls_insecure, conf->publish};
    uint64_t hash = eg_hash(switches, sizeof switches, 1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        hash = texts[i] ? eg_hash(texts[i], strlen(texts[i]), hash + i) : hash * 31;
    return hash;
}

int eg_mqtt_create(uv_loop_t *loop, const struct eg_conf *conf, const struct eg_mqtt_door *door,
                   struct eg_mqtt **ret, struct eg_err *err)
{
    struct eg_mqtt *mqtt = calloc(1, sizeof *mqtt);
    if (!mqtt)
        return eg_err_set(err, EG_ENOMEM, "no memory for MQTT");
    mosquitto_lib_init();
    mqtt->loop = loop;
    mqtt->conf = conf;
    mqtt->fixed = fixed_of(&conf->mqtt);
    mqtt->door = *door;
    mqtt->teller_door =
        (struct eg_mqtt_door){.user = mqtt, .link = teller_link, .published = teller_published};
    mqtt->has_teller = conf->mqtt.publish;
    int code = eg_taker_init(&mqtt->taker, loop, conf, &mqtt->door, err);
    mqtt->taker.settled = settled;
    mqtt->taker.tried = start_teller;
    mqtt->taker.settled_user = mqtt;
    if (code == EG_OK && mqtt->has_teller)
        code = eg_teller_init(&mqtt->teller, loop, conf, &mqtt->teller_door, err);
    if (code != EG_OK) { /* the process ends: nothing runs on the loop yet */
        mosquitto_lib_cleanup();
        free(mqtt);
        return code;
    }
    eg_link_start(&mqtt->taker.link);
    *ret = mqtt;
    return EG_OK;
}

static bool differs(const char *a, const char *b)
{
    return (a == NULL) != (b == NULL) || (a && strcmp(a, b) != 0);
}

bool eg_mqtt_configure(struct eg_mqtt *mqtt, const struct eg_conf *conf)
{
    const struct eg_conf *old = mqtt->conf;
    char text[EG_SUBSCRIPTION_MAX];
    bool elsewhere = differs(old->mqtt.host, conf->mqtt.host) || old->mqtt.port != conf->mqtt.port;
    for (size_t i = 0; i <= old->source_count; i++)
        if (eg_taker_subscription(old, i, text, sizeof text) && !eg_taker_wants(conf, text))
            eg_taker_unwanted(&mqtt->taker, text);
    mqtt->conf = mqtt->taker.conf = conf;
    mqtt->taker.link.conf = &conf->mqtt;
    note_all(mqtt, NULL);
    if (mqtt->has_teller)
        mqtt->teller.link.conf = &conf->mqtt;
    if (elsewhere) {
        eg_link_drop(&mqtt->taker.link, "the configuration names another broker");
        if (mqtt->has_teller)
            eg_link_drop(&mqtt->teller.link, "the configuration names another broker");
    } else {
        eg_taker_subscribe(&mqtt->taker);
    }
    return fixed_of(&conf->mqtt) == mqtt->fixed;
}

void eg_mqtt_pause(struct eg_mqtt *mqtt)
{
    eg_taker_pause(&mqtt->taker);
}

void eg_mqtt_release(struct eg_mqtt *mqtt)
{
    eg_taker_release(&mqtt->taker);
}

int eg_mqtt_publish(struct eg_mqtt *mqtt, const char *topic, const void *payload, size_t length, bool retain,
                    int64_t ticket)
{
    return mqtt->has_teller ? eg_teller_publish(&mqtt->teller, topic, payload, length, retain, ticket)
                            : EG_EBUSY;
}

int eg_mqtt_state(struct eg_mqtt *mqtt, const char *topic, const void *payload, size_t length)
{
    return mqtt->has_teller ? eg_teller_state(&mqtt->teller, topic, payload, length) : EG_EBUSY;
}

bool eg_mqtt_connected(const struct eg_mqtt *mqtt, int64_t *ret_since_ms)
{
    *ret_since_ms = mqtt->taker.link.since_ms;
    return eg_taker_hears(&mqtt->taker);
}

static void one_closed(void *user)
{
    struct eg_mqtt *mqtt = user;
    if (--mqtt->open)
        return;
    void (*closed)(void *) = mqtt->closed;
    void *closed_user = mqtt->closed_user;
    mosquitto_lib_cleanup();
    free(mqtt->taker.unwanted);
    free(mqtt->taker.asked);
    eg_account_finish(&mqtt->account);
    free(mqtt);
    closed(closed_user);
}

void eg_mqtt_close(struct eg_mqtt *mqtt, void (*closed)(void *user), void *user)
{
    mqtt->closed = closed;
    mqtt->closed_user = user;
    mqtt->open = 1 + mqtt->has_teller;
    if (mqtt->has_teller) {
        eg_teller_farewell(&mqtt->teller);
        eg_link_close(&mqtt->teller.link, one_closed, mqtt);
    }
    eg_link_close(&mqtt->taker.link, one_closed, mqtt);
}

bool eg_mqtt_subscription(const char *topic_template, char *out, size_t size)
{
    size_t used = 0;
    for (const char *at = topic_template; *at;) {
        const char *end = strchr(at, '/');
        size_t length = end ? (size_t)(end - at) : strlen(at);
        bool name = length > 2 && *at == '{' && at[length - 1] == '}';
        const char *part = name ? "+" : at;
        size_t part_length = name ? 1 : length;
        if (used + part_length + 2 > size)
            return false;
        memcpy(out + used, part, part_length);
        used += part_length;
        if (end)
            out[used++] = '/';
        at += length + (end != NULL);
    }
    out[used] = '\0';
    return used > 0;
}
