/* The blobs of the store: a turn's readings and packet identities, a sealed chunk. Pure; hostile bytes are refused, not trusted.
 *
 * Every blob: version byte, body, 4 bytes eg_hash() of all before them. */
#ifndef EG_PACK_H
#define EG_PACK_H
#include <pipeline/batch.h>
#include <base/buf.h>
#include <store/store.h>

/* Adds the sum over what was written since `start`. */
bool eg_pack_finish(struct eg_buf *out, size_t start);
/* Checks version and sum; what is left is the body. */
bool eg_pack_open(const uint8_t *blob, size_t length, uint8_t version, struct eg_cut *ret);

/* readings: first time zigzag from `at_ms`, then per reading: series varint, (flags << 3 | form) varint, time zigzag from
 * the reading before, value by form: 0..3 = decimals of a zigzag integer, 7 = 8 bytes IEEE 754 little-endian. */
bool eg_pack_readings(struct eg_buf *out, const struct eg_row_reading *rows, size_t count, int64_t at_ms);
int eg_pack_each_reading(const uint8_t *blob, size_t length, int64_t at_ms,
                         bool (*each)(void *arg, const struct eg_row_reading *row), void *arg);
/* idents: mid zigzag from the one before, hash 4 bytes */
bool eg_pack_idents(struct eg_buf *out, const struct eg_row_ident *rows, size_t count);
int eg_pack_each_ident(const uint8_t *blob, size_t length,
                       void (*each)(void *arg, uint16_t mid, uint32_t hash), void *arg);
/* chunk, version 3: n varint; from EG_CHUNK_STATS points on min, max, sum (3 doubles); first time zigzag, the step all differences are
 * multiples of, the first difference, then deltas of deltas in Rice codes (bits.h); flags as runs (count, flags); form byte, values: 0..6 =
 * decimals of integers: what all deltas are multiples of, varint, the first zigzag, then deltas divided by that in Rice codes; 7 = raw; 8 =
 * XOR. Points ascend by time. Still read: version 2 (deltas as they are), version 1 (varints instead of Rice codes, no XOR). */
#define EG_CHUNK_POINTS 2000
#define EG_CHUNK_STATS 256
struct eg_chunk_stats {
    uint64_t count;
    double min, max, sum;
};
/* Of a chunk that has them, without decoding it. */
bool eg_pack_chunk_stats(const uint8_t *blob, size_t length, struct eg_chunk_stats *ret);
bool eg_pack_chunk(struct eg_buf *out, const struct eg_point *points, size_t count);
int eg_pack_chunk_points(const uint8_t *blob, size_t length,
                         struct eg_point *ret_points /* [EG_CHUNK_POINTS] */, size_t *ret_count);
#endif
