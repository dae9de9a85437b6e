/* How many messages about the cases of one rule a receiver is brought in an hour: what is beyond the rule's limit waits for the end of the
 * hour, and then comes as one (notify/gather.c). A critical case's bad news does not ask. Memory only: a restart begins to count anew.
 * Called by tell.c. */
#include <pipeline/state.h>
#include <base/hash.h>

#include <stdlib.h>
#include <string.h>

#define PLACES 4096
#define PROBES 8
#define HOUR_MS INT64_C(3600000)

struct rate {
    uint64_t key; /* 0: free */
    int64_t began_ms;
    int sent;
};
struct eg_rates {
    struct rate rows[PLACES];
};

static uint64_t key_of(const char *rule, const char *channel, const char *recipient)
{
    uint64_t key = eg_hash(rule, strlen(rule), 11);
    key = eg_hash(channel, strlen(channel), key);
    return eg_hash(recipient, strlen(recipient), key) | 1;
}

/* Its place, or that of one whose hour is over, or the least used: who loses its place is counted anew, and loses no message. */
static struct rate *place_of(struct eg_rates *rates, uint64_t key, int64_t now_ms)
{
    struct rate *free = NULL, *least = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct rate *row = &rates->rows[(key + i) % PLACES];
        if (row->key == key)
            return row;
        if (!free && (!row->key || now_ms - row->began_ms >= HOUR_MS))
            free = row;
        if (!least || row->sent < least->sent)
            least = row;
    }
    free = free ? free : least;
    *free = (struct rate){.key = key, .began_ms = now_ms};
    return free;
}

int64_t eg_rate_hold(struct eg_pipeline *pipeline, const struct eg_conf_rule *rule, const char *channel,
                     const char *recipient, int64_t now_ms)
{
    if (!rule || !rule->limit)
        return 0;
    if (!pipeline->rates)
        pipeline->rates = calloc(1, sizeof *pipeline->rates);
    if (!pipeline->rates)
        return 0; /* better too many than none */
    struct rate *row = place_of(pipeline->rates, key_of(rule->id, channel, recipient), now_ms);
    if (now_ms - row->began_ms >= HOUR_MS || now_ms < row->began_ms)
        *row = (struct rate){.key = row->key, .began_ms = now_ms};
    return row->sent++ < rule->limit ? 0 : row->began_ms + HOUR_MS;
}
