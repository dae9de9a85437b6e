/* The tail index: which (series, time) the journal holds. An answer in O(1) for readings that come out of order, without an index on
 * the ingest path. Written while a commit runs, read between commits: never both. */
#include <store/inside.h>
#include <base/hash.h>

#include <stdlib.h>
#include <string.h>

uint64_t eg_tail_key(uint32_t series, int64_t time_ms)
{
    uint64_t key = eg_hash(&time_ms, sizeof time_ms, series);
    return key ? key : 1;
}

static struct eg_tail_slot *slot_of(const struct eg_tail *tail, uint64_t key)
{
    for (size_t at = (size_t)key;; at++) {
        struct eg_tail_slot *slot = &tail->slots[at & (tail->capacity - 1)];
        if (!slot->key || slot->key == key)
            return slot;
    }
}

static bool grow(struct eg_tail *tail)
{
    struct eg_tail bigger = {.capacity = tail->capacity ? tail->capacity * 2 : 1024, .count = tail->count};
    bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < tail->capacity; i++)
        if (tail->slots[i].key)
            *slot_of(&bigger, tail->slots[i].key) = tail->slots[i];
    free(tail->slots);
    *tail = bigger;
    return true;
}

bool eg_tail_put(struct eg_tail *tail, uint32_t series, int64_t time_ms, double value)
{
    if ((tail->count + 1) * 4 > tail->capacity * 3 && !grow(tail))
        return false;
    uint64_t key = eg_tail_key(series, time_ms);
    struct eg_tail_slot *slot = slot_of(tail, key);
    tail->count += !slot->key;
    *slot = (struct eg_tail_slot){key, value};
    return true;
}

bool eg_tail_get(const struct eg_tail *tail, uint32_t series, int64_t time_ms, double *ret_value)
{
    if (!tail->capacity)
        return false;
    const struct eg_tail_slot *slot = slot_of(tail, eg_tail_key(series, time_ms));
    if (slot->key)
        *ret_value = slot->value;
    return slot->key != 0;
}

void eg_tail_clear(struct eg_tail *tail)
{
    if (tail->slots)
        memset(tail->slots, 0, tail->capacity * sizeof *tail->slots);
    tail->count = 0;
}

void eg_tail_finish(struct eg_tail *tail)
{
    free(tail->slots);
    memset(tail, 0, sizeof *tail);
}
