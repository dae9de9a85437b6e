/* Where judging anew may begin, as a blob. Pure; hostile bytes are refused, not trusted. */
#ifndef EG_CHECKPOINTS_H
#define EG_CHECKPOINTS_H
#include <pipeline/batch.h>
#include <base/buf.h>

/* Version byte; per checkpoint: a byte, 0 before the first reading, 1 nothing held, 2 all of it; its time, zigzag; the level, the case,
 * since when per level (0: not, else 1 + how long before, varint), within since when, likewise, the peak's bits and time; 4 bytes
 * eg_hash() of all before them. */
bool eg_checkpoints_pack(struct eg_buf *out, const struct eg_checkpoint checkpoints[EG_CHECKPOINTS]);
int eg_checkpoints_unpack(const uint8_t *blob, size_t length,
                          struct eg_checkpoint ret[EG_CHECKPOINTS]); /* EG_ECORRUPT */
#endif
