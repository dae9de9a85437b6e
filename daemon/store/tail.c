/* The tail index: which (series, time) the journal holds. An answer in O(1) for readings that come out of order, at no cost to those in
 * order: it is made of the journal when somebody asks, and only what is new is read when somebody asks again. Called by read.c. */
#include <store/inside.h>
#include <base/hash.h>

#include <stdlib.h>
#include <string.h>

static uint64_t key_of(uint32_t series, int64_t time_ms)
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

static bool put(struct eg_tail *tail, uint32_t series, int64_t time_ms, double value)
{
    if ((tail->count + 1) * 4 > tail->capacity * 3 && !grow(tail))
        return false;
    uint64_t key = key_of(series, time_ms);
    struct eg_tail_slot *slot = slot_of(tail, key);
    tail->count += !slot->key;
    *slot = (struct eg_tail_slot){key, value};
    return true;
}

bool eg_tail_get(const struct eg_tail *tail, uint32_t series, int64_t time_ms, double *ret_value)
{
    if (!tail->capacity)
        return false;
    const struct eg_tail_slot *slot = slot_of(tail, key_of(series, time_ms));
    if (slot->key)
        *ret_value = slot->value;
    return slot->key != 0;
}

void eg_tail_finish(struct eg_tail *tail)
{
    free(tail->slots);
    memset(tail, 0, sizeof *tail);
}

struct fill {
    struct eg_tail *tail;
    bool failed;
};

static bool fill_one(void *arg, int64_t seq, const struct eg_row_reading *row)
{
    struct fill *fill = arg;
    fill->tail->to_seq = seq;
    fill->failed = !put(fill->tail, row->series, row->time_ms, row->value);
    return !fill->failed;
}

/* Sealed readings may stay in it: a later value would have come through here, too. Not so when turns were sealed, and are gone, that
 * never came. */
static int refresh(struct eg_tail *tail, sqlite3 *db, int64_t newest_seq, struct eg_err *err)
{
    struct fill fill = {tail, false};
    int64_t sealed_seq = eg_meta_get(db, "sealed_seq", 0);
    if (!tail->slots || sealed_seq > tail->to_seq ||
        (tail->count > EG_TAIL_MOST && sealed_seq > tail->from_seq)) {
        eg_tail_finish(tail);
        tail->from_seq = tail->to_seq = sealed_seq;
    }
    int code = eg_journal_each(db, tail->to_seq, fill_one, &fill, err);
    if (code == EG_OK && fill.failed)
        code = eg_err_set(err, EG_ENOMEM, "no memory for the journal's index");
    if (code != EG_OK)
        eg_tail_finish(tail); /* half of it would be worse than none: the next question begins anew */
    else if (newest_seq > tail->to_seq)
        tail->to_seq = newest_seq; /* turns without readings */
    return code;
}

int eg_tail_refresh(struct eg_tail *tail, sqlite3 *db, int64_t newest_seq, struct eg_err *err)
{
    if (tail->slots && tail->to_seq >= newest_seq)
        return EG_OK;
    sqlite3_exec(db, "BEGIN", NULL, NULL,
                 NULL); /* sealing moves on beside us: one moment for both questions */
    int code = refresh(tail, db, newest_seq, err);
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return code;
}
