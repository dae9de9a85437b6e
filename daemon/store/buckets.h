/* Closed buckets of one series and period as a blob. Pure; hostile bytes are refused, not trusted. */
#ifndef EG_BUCKETS_H
#define EG_BUCKETS_H
#include <pipeline/batch.h>
#include <base/buf.h>

/* Version byte; n varint; the first start, zigzag; whole numbers as columns: lengths, gaps between a bucket and the one before it, counts,
 * how long after its start a bucket's first reading came, how long after that its last; the two words of slots but for those of the first
 * and the last reading, each behind a byte: 0 one for all, 1 each, as XOR (bits.h), 2 what any has, what all have (8 bytes each), then per
 * word a bit: 0 as any, 1 the bits in which any and all differ; then first, last, min, max, sum; 4 bytes eg_hash() of all before them.
 *
 * A column of whole numbers: the step all differences are multiples of, varint; the order: 0 from the first number, 1 from the one
 * before, 2 deltas of deltas, 3 more when all of them are 0; the first, zigzag; else the rest in Rice codes.
 *
 * A column of doubles: 255: XOR. 7 | what foretells it << 4: the same as that, bit for bit. Else decimals | what foretells it << 4: of the
 * scaled integers' differences from what is foretold, what all but the first are multiples of, the first, the others divided by that in
 * Rice codes, then, unless 8 is added, how many doubles lie between the scaled integer and the value (a sum of tenths is not always the
 * double next to its tenths), in Rice codes, too. Foretold by: 0 the bucket before; 1 to 4 the same bucket's first, last, min, max; 5 count
 * times the middle of min and max; 6 count times the middle of first and last; 7 the next bucket's first; 8 the lower, 9 the upper of
 * first and last (differences without a sign); 10 count times the middle of all four. Buckets ascend by start; where the time zone
 * changed, days overlap.
 *
 * Version 1, still read: whole words of slots, form 0 or 1; no 3 in orders, no 7 or 8 in forms, no multiples, the first difference a Rice
 * code like the others; foretold by 0 to 6. */
#define EG_BUCKETS_MAX 512
bool eg_buckets_pack(struct eg_buf *out, const struct eg_rollup *rows, size_t count /* 1 … EG_BUCKETS_MAX */);
/* EG_ECORRUPT. `ret_rows`: [EG_BUCKETS_MAX] */
int eg_buckets_unpack(const uint8_t *blob, size_t length, struct eg_rollup *ret_rows, size_t *ret_count);
#endif
