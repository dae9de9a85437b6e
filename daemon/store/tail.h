/* Private to the store: the journal's readings that are not sealed yet, in memory, so that the newest are found at once.
 *
 * Each reading has an ordinal: how many came before it since the store was made. The tail holds [head, next). Entries lie in blocks
 * in order of arrival, 20 bytes each; those of a series are chained from the newest back; a table of 4-byte slots finds one by series
 * and time. Starts empty, grows with the load, gives memory back when readings are sealed: 5 MB when sealing begins, never more
 * than 6 MB unless one turn alone is larger.
 *
 * Changed by the worker only, at the end of a commit or of a bite of sealing, under the store's lock; read by the main thread under
 * the same lock; read by the worker without it. */
#ifndef EG_TAIL_H
#define EG_TAIL_H

#include <store/pack.h>
#include <store/points.h>

#define EG_TAIL_BLOCK  8192
#define EG_TAIL_BLOCKS 128 /* 2^20 readings: what 20 bits of a link and a slot can say */
#define EG_TAIL_MAX    ((uint64_t)EG_TAIL_BLOCK * (EG_TAIL_BLOCKS - 2))

struct eg_tail_block {
    uint64_t end;    /* ordinal behind the last turn that ended in this block, and its number; 0: none did */
    int64_t end_seq;
    int64_t place[EG_TAIL_BLOCK];
    double value[EG_TAIL_BLOCK];
    uint32_t link[EG_TAIL_BLOCK]; /* distance back to the series' entry before, 20 bits; flags, 12 bits */
};
struct eg_tail_series {
    int64_t sealed_ms; /* newest sealed time, -1: none */
    uint32_t newest;   /* slot of the newest entry, EG_TAIL_NONE: none */
};
#define EG_TAIL_NONE UINT32_MAX

struct eg_tail {
    struct eg_tail_block *blocks[EG_TAIL_BLOCKS]; /* [ordinal / EG_TAIL_BLOCK % EG_TAIL_BLOCKS] */
    uint64_t head, next;
    uint32_t *slots; /* low 20 bits: ordinal % 2^20; high 12: of the hash */
    size_t slot_count, slots_used;
    struct eg_tail_series *series; /* [id] */
    size_t series_count;
    uint64_t seals; /* counts changes of the sealed part, for those who keep a decoded chunk */
};

void eg_tail_init(struct eg_tail *tail, uint64_t head); /* empty; the next reading has ordinal `head` */
void eg_tail_finish(struct eg_tail *tail);
static inline uint64_t eg_tail_count(const struct eg_tail *tail)
{
    return tail->next - tail->head;
}

/* Makes room for `readings` more of series up to `series_max`, so that eg_tail_add() cannot fail. EG_EFULL never: EG_ENOMEM, or
 * EG_EINVAL when it is more than EG_TAIL_MAX. */
int eg_tail_reserve(struct eg_tail *tail, size_t readings, uint32_t series_max, struct eg_err *err);
void eg_tail_add(struct eg_tail *tail, const struct eg_row_reading *row);
void eg_tail_mark(struct eg_tail *tail, int64_t seq); /* turn `seq` ends here */

/* The newest value at that time. O(1). */
bool eg_tail_find(const struct eg_tail *tail, uint32_t series, int64_t time_ms, double *ret_value);
int64_t eg_tail_sealed_ms(const struct eg_tail *tail, uint32_t series); /* newest sealed time, -1: none */
void eg_tail_set_sealed_ms(struct eg_tail *tail, uint32_t series, int64_t time_ms);
/* Appends the series' readings with ordinal in [from, to) and time in [from_ms, to_ms), ascending, newest wins. *ret_raw: how many
 * entries it took, superseded ones among them. False: no memory. */
struct eg_tail_span { uint64_t from, to; int64_t from_ms, to_ms; };
bool eg_tail_copy(const struct eg_tail *tail, uint32_t series, const struct eg_tail_span *span, struct eg_points *out,
                  size_t *ret_raw);

/* Sealing. Where to stop when about `want` readings are to go: the end of a turn; false when there is none yet. */
bool eg_tail_target(const struct eg_tail *tail, uint64_t want, uint64_t *ret_end, int64_t *ret_seq);
/* The series' entries below that ordinal are sealed: they are not found any more. */
void eg_tail_forget(struct eg_tail *tail, uint32_t series, uint64_t below);
/* All series forgot what is below: the memory goes back. */
void eg_tail_advance(struct eg_tail *tail, uint64_t head);

#endif
