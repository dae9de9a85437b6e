/* What the columns of rule_state do not say: why a rule is blind, what of its timers nobody observed, and where judging anew may begin, as
 * a blob. Pure; hostile bytes are refused, not trusted. */
#ifndef EG_CHECKPOINTS_H
#define EG_CHECKPOINTS_H
#include <pipeline/batch.h>
#include <base/buf.h>

/* Version byte (2; 3 of the index of a site). Of now: the blind byte, the level that held last (varint) and, where there was one, its
 * limit's bits, the newest reading that was judged (zigzag, 0: none, else 1 + its time), per level what of `since` and of `clear` nobody
 * observed (varints). Per checkpoint: a byte, 0 before the first reading, 1 nothing held, 2 all of it; its time, zigzag; the blind byte;
 * the level that held last, as above; how long before it the newest was judged (0: none, else 1 + that, varint); the level, the case, since
 * when per level (0: not, else 1 + how long before, varint), within since when, likewise, what of them nobody observed, the peak's bits and
 * time. In version 3 then, zigzag, up to where was judged and when something came late, INT64_MIN for none. 4 bytes eg_hash() of all before
 * them. Version 1 had the checkpoints alone, without what is blind, judged or unobserved. */
bool eg_checkpoints_pack(struct eg_buf *out, const struct eg_row_rule_state *row);
int eg_checkpoints_unpack(const uint8_t *blob, size_t length,
                          struct eg_row_rule_state *row); /* EG_ECORRUPT: `row` is as it was */
#endif
