/* Knows when two readings are the same one. Refuses to know which of them would be right: the driver refuses
 * both. Called once per message, after decoding; a message may carry EG_SINK_MAX readings, so pairs are not
 * compared blindly. */
#include "twice.h"

#include <ecogov/quantity.h>

#include <string.h>

#define FEW 8
#define SLOTS 2048 /* twice EG_SINK_MAX, a power of two */

_Static_assert(SLOTS >= 2 * EG_SINK_MAX && (SLOTS & (SLOTS - 1)) == 0, "open addressing needs room");

static bool same(const struct eg_reading *a, const struct eg_reading *b)
{
    return a->quantity == b->quantity && a->time_ms == b->time_ms && a->device == b->device &&
           strcmp(a->channel, b->channel) == 0;
}

static uint32_t hash(const struct eg_reading *reading)
{
    uint64_t h = (uint64_t)reading->time_ms * 0x9E3779B97F4A7C15U ^ reading->quantity ^
                 (uint64_t)reading->device << 16;
    for (const char *c = reading->channel; *c != '\0'; c++)
        h = (h ^ (unsigned char)*c) * 0x100000001B3U;
    h ^= h >> 29;
    return (uint32_t)((h * 0xBF58476D1CE4E5B9U) >> 32);
}

static size_t find_among_few(const struct eg_sink *sink)
{
    for (size_t i = 1; i < sink->count; i++)
        for (size_t k = 0; k < i; k++)
            if (same(&sink->readings[i], &sink->readings[k]))
                return i;
    return sink->count;
}

/* As a rule a message tells each quantity once. */
static bool all_differ(const struct eg_sink *sink)
{
    uint64_t told[(EG_QUANTITY_COUNT + 63) / 64] = {0};
    for (size_t i = 0; i < sink->count; i++) {
        const uint16_t quantity = sink->readings[i].quantity;
        if (told[quantity / 64] >> quantity % 64 & 1)
            return false;
        told[quantity / 64] |= UINT64_C(1) << quantity % 64;
    }
    return true;
}

size_t eg_twice_find(const struct eg_sink *sink)
{
    if (all_differ(sink))
        return sink->count;
    if (sink->count <= FEW)
        return find_among_few(sink);
    uint16_t slots[SLOTS] = {0}; /* index + 1; 0 = free */
    for (size_t i = 0; i < sink->count; i++) {
        uint32_t at = hash(&sink->readings[i]) % SLOTS;
        while (slots[at] != 0) {
            if (same(&sink->readings[i], &sink->readings[slots[at] - 1]))
                return i;
            at = (at + 1) % SLOTS;
        }
        slots[at] = (uint16_t)(i + 1);
    }
    return sink->count;
}
