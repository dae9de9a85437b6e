/* Closed buckets of one series and period as a blob. Pure; hostile bytes are refused, not trusted. */
#ifndef EG_BUCKETS_H
#define EG_BUCKETS_H
#include <pipeline/batch.h>
#include <base/buf.h>

/* Version byte; n varint; the first start, zigzag; whole numbers as columns: lengths, gaps between a bucket and the one before it, counts,
 * how long after its start a bucket's first reading came, how long after that its last; the two words of slots, each behind a byte: 0 one
 * for all, 1 each, as XOR (bits.h); then first, last, min, max, sum; 4 bytes eg_hash() of all before them.
 *
 * A column of whole numbers: the step all differences are multiples of, varint; the order: 0 from the first number, 1 from the one before,
 * 2 deltas of deltas; the first, zigzag; the rest in Rice codes. A column of doubles: 255: XOR. Else decimals | what foretells it << 4: the
 * scaled integers' difference from what is foretold, then how many doubles lie between the scaled integer and the value (a sum of
 * tenths is seldom the double next to its tenths), both in Rice codes. Foretold by: 0 the bucket before; 1 to 4 the same bucket's first,
 * last, min, max; 5 count times the middle of min and max; 6 count times the middle of first and last. Buckets ascend by
 * start; where the time zone changed, days overlap. */
#define EG_BUCKETS_MAX 512
bool eg_buckets_pack(struct eg_buf *out, const struct eg_rollup *rows, size_t count /* 1 … EG_BUCKETS_MAX */);
/* EG_ECORRUPT. `ret_rows`: [EG_BUCKETS_MAX] */
int eg_buckets_unpack(const uint8_t *blob, size_t length, struct eg_rollup *ret_rows, size_t *ret_count);
#endif
