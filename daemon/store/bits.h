/* Numbers as bits, most significant first. Pure; hostile bytes end in `failed`, never beyond the end. */
#ifndef EG_BITS_H
#define EG_BITS_H
#include <base/buf.h>

struct eg_bits_out {
    struct eg_buf *buf;
    uint64_t held;
    unsigned count; /* bits held, below 32 between two calls; none after a flush */
};
struct eg_bits_in {
    const uint8_t *at, *end;
    uint64_t held;
    unsigned count;
    bool failed;
};
void eg_bits_put(struct eg_bits_out *out, uint64_t value, unsigned bits /* 0..64 */);
void eg_bits_flush(struct eg_bits_out *out); /* fills the last byte with zeros */
uint64_t eg_bits_get(struct eg_bits_in *in, unsigned bits);

/* What `step` (0: anything) and a difference, of either sign, are both multiples of. */
uint64_t eg_bits_shared(uint64_t step, uint64_t difference);

/* Rice codes in blocks of EG_BITS_BLOCK numbers, each block with the parameter that makes it smallest: 6 bits, then per number the
 * high part in unary and the low part as it is; a number whose high part is EG_BITS_UNARY or more is escaped and comes whole. A block of
 * zeros is its parameter and nothing else: regular times cost next to nothing. */
#define EG_BITS_BLOCK 64
#define EG_BITS_UNARY 24
void eg_bits_put_rice(struct eg_bits_out *out, const uint64_t *values, size_t count);
void eg_bits_get_rice(struct eg_bits_in *in, uint64_t *ret_values, size_t count);
void eg_bits_cut_rice(struct eg_cut *cut, uint64_t *ret, size_t count); /* from whole bytes, whole bytes */
/* In bits; `most` or more: it is not looked on. */
size_t eg_bits_rice_size(const uint64_t *values, size_t count, size_t most);

/* Doubles as Gorilla has them (VLDB 2015): XOR with the one before, zeros in front and behind left away. */
void eg_bits_put_xor(struct eg_bits_out *out, const uint64_t *values, size_t count);
void eg_bits_get_xor(struct eg_bits_in *in, uint64_t *ret_values, size_t count);
#endif
