/* Private to the store: sealed readings of one series, coded. */
#ifndef EG_CHUNK_H
#define EG_CHUNK_H

#include <store/store.h>

#define EG_CHUNK_POINTS_MAX 2000

/* Appends the coded points (1 … EG_CHUNK_POINTS_MAX, strictly ascending by time) to `out`. Gives back every bit of every double. */
int eg_chunk_encode(const struct eg_point *points, size_t count, struct eg_buf *out, struct eg_err *err);
/* `points` has room for EG_CHUNK_POINTS_MAX. Every byte may be hostile: EG_ECORRUPT with a sentence. */
int eg_chunk_decode(const void *body, size_t length, struct eg_point *points, size_t *ret_count, struct eg_err *err);

#endif
