/* The unsealed readings in memory (tail.h). Knows ordinals, chains and hashing; knows nothing of SQLite. Called by commit.c and load.c
 * (add), seal.c (copy, forget), reader.c and export.c (find, copy). */
#include <store/tail.h>

#include <stdlib.h>
#include <string.h>

#define SPAN       ((uint64_t)EG_TAIL_BLOCK * EG_TAIL_BLOCKS) /* 2^20 */
#define SLOT_MASK  ((uint32_t)SPAN - 1)
#define TAGS       4095 /* not 4096: a slot of all ones means free */
#define TAG_SHIFT  20
#define SLOTS_LEAST 1024

_Static_assert(((uint64_t)EG_TAIL_BLOCK * EG_TAIL_BLOCKS) == 1u << TAG_SHIFT, "links and slots have 20 bits");

void eg_tail_init(struct eg_tail *tail, uint64_t head)
{
    memset(tail, 0, sizeof *tail);
    tail->head = tail->next = head;
}

void eg_tail_finish(struct eg_tail *tail)
{
    for (size_t i = 0; i < EG_TAIL_BLOCKS; i++)
        free(tail->blocks[i]);
    free(tail->slots);
    free(tail->series);
    eg_tail_init(tail, 0);
}

/* --- entries --- */

static struct eg_tail_block *block_of(const struct eg_tail *tail, uint64_t ordinal)
{
    return tail->blocks[ordinal / EG_TAIL_BLOCK % EG_TAIL_BLOCKS];
}

static int64_t place_at(const struct eg_tail *tail, uint64_t ordinal)
{
    return block_of(tail, ordinal)->place[ordinal % EG_TAIL_BLOCK];
}

/* From a slot's 20 bits to the ordinal: the one that is not below head. */
static uint64_t ordinal_of(const struct eg_tail *tail, uint32_t bits)
{
    return tail->head + ((bits - (uint32_t)tail->head) & SLOT_MASK);
}

/* --- the table --- */

static uint64_t hash_of(int64_t place)
{
    uint64_t hash = (uint64_t)place * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32;
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)((hash >> 40) % TAGS) << TAG_SHIFT;
}

/* The place's slot, or the free one where it would go. */
static size_t slot_of(const struct eg_tail *tail, int64_t place)
{
    uint64_t hash = hash_of(place);
    uint32_t tag = tag_of(hash);
    for (size_t at = (size_t)hash & (tail->slot_count - 1);; at = (at + 1) & (tail->slot_count - 1)) {
        uint32_t slot = tail->slots[at];
        if (slot == EG_TAIL_NONE ||
            ((slot & ~SLOT_MASK) == tag && place_at(tail, ordinal_of(tail, slot)) == place))
            return at;
    }
}

/* Up to seven eighths full: the table of 2^18 slots then holds all that the journal may (seal.c). */
static bool slots_suffice(size_t slot_count, size_t used)
{
    return used <= slot_count - slot_count / 8;
}

static bool grow_slots(struct eg_tail *tail, size_t used)
{
    size_t count = tail->slot_count ? tail->slot_count : SLOTS_LEAST;
    while (!slots_suffice(count, used))
        count *= 2;
    if (count == tail->slot_count)
        return true;
    uint32_t *old = tail->slots, *slots = malloc(count * sizeof *slots);
    if (!slots)
        return false;
    size_t old_count = tail->slot_count;
    memset(slots, 0xff, count * sizeof *slots);
    tail->slots = slots;
    tail->slot_count = count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i] != EG_TAIL_NONE)
            slots[slot_of(tail, place_at(tail, ordinal_of(tail, old[i])))] = old[i];
    free(old);
    return true;
}

/* Linear probing without tombstones: what follows moves up when that brings it nearer to where it belongs. */
static void free_slot(struct eg_tail *tail, size_t gap)
{
    size_t mask = tail->slot_count - 1;
    for (size_t at = (gap + 1) & mask; tail->slots[at] != EG_TAIL_NONE; at = (at + 1) & mask) {
        size_t home = (size_t)hash_of(place_at(tail, ordinal_of(tail, tail->slots[at]))) & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            tail->slots[gap] = tail->slots[at];
            gap = at;
        }
    }
    tail->slots[gap] = EG_TAIL_NONE;
    tail->slots_used--;
}

/* --- in --- */

static bool grow_series(struct eg_tail *tail, uint32_t series_max)
{
    if (series_max < tail->series_count)
        return true;
    size_t count = tail->series_count ? tail->series_count : 64;
    while (count <= series_max)
        count *= 2;
    struct eg_tail_series *series = realloc(tail->series, count * sizeof *series);
    if (!series)
        return false;
    for (size_t i = tail->series_count; i < count; i++)
        series[i] = (struct eg_tail_series){-1, EG_TAIL_NONE};
    tail->series = series;
    tail->series_count = count;
    return true;
}

int eg_tail_reserve(struct eg_tail *tail, size_t readings, uint32_t series_max, struct eg_err *err)
{
    if (eg_tail_count(tail) + readings > EG_TAIL_MAX)
        return eg_err_set(err, EG_EINVAL, "%zu readings on top of %llu unsealed ones are too many: at most %llu", readings,
                          (unsigned long long)eg_tail_count(tail), (unsigned long long)EG_TAIL_MAX);
    bool ok = series_max <= EG_PLACE_SERIES_MAX && grow_series(tail, series_max) &&
              grow_slots(tail, tail->slots_used + readings);
    if (readings)
        for (uint64_t b = tail->next / EG_TAIL_BLOCK; ok && b <= (tail->next + readings) / EG_TAIL_BLOCK; b++) {
            struct eg_tail_block **block = &tail->blocks[b % EG_TAIL_BLOCKS];
            if (*block)
                continue;
            *block = malloc(sizeof **block); /* not cleared: untouched pages cost nothing */
            ok = *block != NULL;
            if (ok)
                (*block)->end = 0;
        }
    return ok ? EG_OK : eg_err_set(err, EG_ENOMEM, "no memory for %zu readings more in the journal's tail", readings);
}

void eg_tail_add(struct eg_tail *tail, const struct eg_row_reading *row)
{
    uint64_t ordinal = tail->next++;
    struct eg_tail_block *block = block_of(tail, ordinal);
    size_t at = ordinal % EG_TAIL_BLOCK;
    struct eg_tail_series *series = &tail->series[row->series];
    uint32_t bits = (uint32_t)ordinal & SLOT_MASK;
    uint32_t back = series->newest == EG_TAIL_NONE ? 0 : (bits - series->newest) & SLOT_MASK;
    int64_t place = eg_place(row->series, row->time_ms);
    block->place[at] = place;
    block->value[at] = row->value;
    block->link[at] = back << 12 | row->flags;
    series->newest = bits;
    size_t slot = slot_of(tail, place);
    if (tail->slots[slot] == EG_TAIL_NONE)
        tail->slots_used++;
    tail->slots[slot] = tag_of(hash_of(place)) | bits;
}

void eg_tail_mark(struct eg_tail *tail, int64_t seq)
{
    if (!eg_tail_count(tail))
        return;
    struct eg_tail_block *block = block_of(tail, tail->next - 1);
    block->end = tail->next;
    block->end_seq = seq;
}

/* --- questions --- */

bool eg_tail_find(const struct eg_tail *tail, uint32_t series, int64_t time_ms, double *ret_value)
{
    if (!tail->slot_count || series >= tail->series_count || time_ms < 0 || time_ms >= EG_PLACE_TIME_MAX)
        return false;
    uint32_t slot = tail->slots[slot_of(tail, eg_place(series, time_ms))];
    if (slot == EG_TAIL_NONE)
        return false;
    uint64_t ordinal = ordinal_of(tail, slot);
    *ret_value = block_of(tail, ordinal)->value[ordinal % EG_TAIL_BLOCK];
    return true;
}

int64_t eg_tail_sealed_ms(const struct eg_tail *tail, uint32_t series)
{
    return series < tail->series_count ? tail->series[series].sealed_ms : -1;
}

void eg_tail_set_sealed_ms(struct eg_tail *tail, uint32_t series, int64_t time_ms)
{
    if (series < tail->series_count && time_ms > tail->series[series].sealed_ms)
        tail->series[series].sealed_ms = time_ms;
}

bool eg_tail_copy(const struct eg_tail *tail, uint32_t series, const struct eg_tail_span *span, struct eg_points *out,
                  size_t *ret_raw)
{
    struct eg_points found = {0};
    size_t raw = 0;
    bool ok = true;
    if (series < tail->series_count && tail->series[series].newest != EG_TAIL_NONE)
        for (uint64_t ordinal = ordinal_of(tail, tail->series[series].newest); ok;) {
            if (ordinal < span->from)
                break;
            const struct eg_tail_block *block = block_of(tail, ordinal);
            size_t at = ordinal % EG_TAIL_BLOCK;
            int64_t time_ms = eg_place_time(block->place[at]);
            if (ordinal < span->to && time_ms >= span->from_ms && time_ms < span->to_ms) {
                raw++;
                ok = eg_points_add(&found, &(struct eg_point){time_ms, block->value[at],
                                                              (uint16_t)(block->link[at] & EG_PACK_FLAGS_MAX)});
            }
            uint32_t back = block->link[at] >> 12;
            if (!back || back > ordinal - tail->head)
                break;
            ordinal -= back;
        }
    eg_points_reverse(&found);
    ok = ok && eg_points_sort(&found);
    if (ok && !out->rows) { /* the usual case: nothing to append to */
        *out = found;
        found = (struct eg_points){0};
    }
    for (size_t i = 0; ok && i < found.count; i++)
        ok = eg_points_add(out, &found.rows[i]);
    eg_points_finish(&found);
    if (ret_raw)
        *ret_raw = raw;
    return ok;
}

/* --- sealing --- */

bool eg_tail_target(const struct eg_tail *tail, uint64_t want, uint64_t *ret_end, int64_t *ret_seq)
{
    bool found = false;
    if (!eg_tail_count(tail))
        return false;
    for (uint64_t b = tail->head / EG_TAIL_BLOCK; b <= (tail->next - 1) / EG_TAIL_BLOCK; b++) {
        const struct eg_tail_block *block = tail->blocks[b % EG_TAIL_BLOCKS];
        if (block->end <= tail->head)
            continue;
        if (found && block->end > tail->head + want)
            break;
        *ret_end = block->end;
        *ret_seq = block->end_seq;
        found = true;
    }
    return found;
}

void eg_tail_forget(struct eg_tail *tail, uint32_t series, uint64_t below)
{
    if (series >= tail->series_count || tail->series[series].newest == EG_TAIL_NONE)
        return;
    uint64_t ordinal = ordinal_of(tail, tail->series[series].newest), kept = UINT64_MAX;
    bool more = true;
    if (ordinal < below)
        tail->series[series].newest = EG_TAIL_NONE;
    while (more) {
        struct eg_tail_block *block = block_of(tail, ordinal);
        uint32_t *link = &block->link[ordinal % EG_TAIL_BLOCK];
        uint32_t back = *link >> 12;
        more = back && back <= ordinal - tail->head;
        if (ordinal >= below) {
            kept = ordinal;
        } else {
            size_t slot = slot_of(tail, block->place[ordinal % EG_TAIL_BLOCK]);
            if (tail->slots[slot] != EG_TAIL_NONE && ordinal_of(tail, tail->slots[slot]) == ordinal)
                free_slot(tail, slot); /* else a newer one has the place, or it is gone already */
        }
        ordinal -= back;
    }
    if (kept != UINT64_MAX) /* the oldest that stays is the chain's end now */
        block_of(tail, kept)->link[kept % EG_TAIL_BLOCK] &= EG_PACK_FLAGS_MAX;
}

void eg_tail_advance(struct eg_tail *tail, uint64_t head)
{
    for (uint64_t b = tail->head / EG_TAIL_BLOCK; b < head / EG_TAIL_BLOCK; b++) {
        struct eg_tail_block **block = &tail->blocks[b % EG_TAIL_BLOCKS];
        free(*block);
        *block = NULL;
    }
    tail->head = head;
}
