/* Tells the world (CONTRACT §6) over a client of its own, since the taker's writing is gated. Private to the room. */
#ifndef EG_TELLER_H
#define EG_TELLER_H

#include <mqtt/link.h>
#include <mqtt/mqtt.h>

#define EG_TELLER_IN_FLIGHT 64

struct eg_teller {
    struct eg_link link;
    const struct eg_mqtt_door *door;
    struct {
        int mid; /* 0: free */
        int64_t ticket;
    } in_flight[EG_TELLER_IN_FLIGHT];
};

int eg_teller_init(struct eg_teller *teller, uv_loop_t *loop, const struct eg_conf *conf,
                   const struct eg_mqtt_door *door, struct eg_err *err);
int eg_teller_publish(struct eg_teller *teller, const char *topic, const void *payload, size_t length,
                      bool retain, int64_t ticket);
int eg_teller_state(struct eg_teller *teller, const char *topic, const void *payload, size_t length);
void eg_teller_farewell(struct eg_teller *teller);

#endif
