/* The teller (teller.h): knows publications in flight and the daemon's own state topic. */
#include <mqtt/teller.h>

#include <stdio.h>
#include <string.h>

#define STATE_TOPIC "ecogov/state/daemon"

static void on_publish(struct mosquitto *client, void *user, int mid, int reason,
                       const mosquitto_property *properties)
{
    struct eg_link *link = user;
    struct eg_teller *teller = link->owner.user;
    (void)client;
    (void)properties;
    for (size_t i = 0; i < EG_TELLER_IN_FLIGHT; i++) {
        if (teller->in_flight[i].mid != mid)
            continue;
        teller->in_flight[i].mid = 0;
        teller->door->published(teller->door->user, teller->in_flight[i].ticket,
                                reason >= 0x80 ? mosquitto_reason_string(reason) : NULL);
        return;
    }
}

static void on_readable(void *user)
{
    struct eg_teller *teller = user;
    eg_link_read(&teller->link);
}

static bool may_write(void *user)
{
    (void)user;
    return true;
}

static void on_opened(void *user, bool session_present)
{
    struct eg_teller *teller = user;
    (void)session_present;
    mosquitto_publish(teller->link.client, NULL, STATE_TOPIC, 6, "online", 1, true);
    teller->door->link(teller->door->user, true, NULL);
}

static void on_lost(void *user, const char *why)
{
    struct eg_teller *teller = user;
    memset(teller->in_flight, 0, sizeof teller->in_flight);
    teller->door->link(teller->door->user, false, why);
}

int eg_teller_init(struct eg_teller *teller, uv_loop_t *loop, const struct eg_conf *conf,
                   const struct eg_mqtt_door *door, struct eg_err *err)
{
    const struct eg_link_owner owner = {.user = teller,
                                        .opened = on_opened,
                                        .lost = on_lost,
                                        .readable = on_readable,
                                        .may_write = may_write};
    char client_id[128];
    snprintf(client_id, sizeof client_id, "%.100s-out", conf->mqtt.client_id);
    teller->door = door;
    int code = eg_link_init(&teller->link, loop, &conf->mqtt, client_id, false, &owner, err);
    if (code != EG_OK)
        return code;
    mosquitto_publish_v5_callback_set(teller->link.client, on_publish);
    mosquitto_will_set(teller->link.client, STATE_TOPIC, 7, "offline", 1, true);
    return EG_OK;
}

int eg_teller_publish(struct eg_teller *teller, const char *topic, const void *payload, size_t length,
                      bool retain, int64_t ticket)
{
    size_t at = 0;
    while (at < EG_TELLER_IN_FLIGHT && teller->in_flight[at].mid)
        at++;
    if (!teller->link.up || at == EG_TELLER_IN_FLIGHT || length > INT32_MAX)
        return EG_EBUSY;
    int mid = 0;
    switch (mosquitto_publish(teller->link.client, &mid, topic, (int)length, payload, 1, retain)) {
    case MOSQ_ERR_SUCCESS:
        break;
    case MOSQ_ERR_INVAL: /* no topic */
    case MOSQ_ERR_MALFORMED_UTF8:
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
        return EG_EINVAL;
    default:
        return EG_EIO;
    }
    teller->in_flight[at].mid = mid;
    teller->in_flight[at].ticket = ticket;
    eg_link_flush(&teller->link);
    return EG_OK;
}

int eg_teller_state(struct eg_teller *teller, const char *topic, const void *payload, size_t length)
{
    if (!teller->link.up || length > INT32_MAX)
        return EG_EBUSY;
    if (mosquitto_publish(teller->link.client, NULL, topic, (int)length, payload, 0, true) !=
        MOSQ_ERR_SUCCESS)
        return EG_EIO;
    eg_link_flush(&teller->link);
    return EG_OK;
}

void eg_teller_farewell(struct eg_teller *teller)
{
    if (teller->link.up)
        mosquitto_publish(teller->link.client, NULL, STATE_TOPIC, 7, "offline", 1, true);
}
