/* One MQTT PUBLISH as it came in. Borrowed: valid for the call it is handed to, no longer. */
#ifndef ECOGOV_MESSAGE_H
#define ECOGOV_MESSAGE_H

#include <ecogov/memory.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eg_message {
    const char *topic; /* NUL-terminated */
    size_t topic_len;
    const uint8_t *payload; /* may be NULL when payload_len is 0; not NUL-terminated */
    size_t payload_len;
    int64_t arrived_ms; /* UTC milliseconds, taken once at the door */
    uint16_t mid;       /* MQTT packet identifier; 0 with QoS 0 */
    uint8_t qos;
    bool retain; /* a retained message, sent on subscribing: old news */
    bool dup;    /* the broker marked it as delivered before */
    bool again;  /* it was kept aside when it came, and is read once more: news of then */
    /* The levels of the topic that the source's template calls {quantity} and {channel}: borrowed from it; length 0: it has none. A
     * reading without a channel gets the topic's. */
    const char *quantity, *channel;
    size_t quantity_len, channel_len;
    struct eg_memory *memory; /* what drivers remember; NULL: nothing */
};

#endif
