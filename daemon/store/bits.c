/* Bits (bits.h). Knows numbers and bytes; what they stand for, pack.c and columns.c know, the callers. */
#include <store/bits.h>

#define ZEROS 63 /* a block's parameter: all of it is 0 */
#define PARAMETER_BITS 6

/* The oldest of those held, which are 63 at the most. */
static void write_bytes(struct eg_bits_out *out, unsigned count)
{
    uint8_t bytes[4];
    for (unsigned i = 0; i < count; i++)
        bytes[i] = (uint8_t)(out->held >> (out->count -= 8));
    eg_buf_add(out->buf, bytes, count);
}

void eg_bits_put(struct eg_bits_out *out, uint64_t value, unsigned bits)
{
    if (bits > 32) {
        eg_bits_put(out, value >> 32, bits - 32);
        bits = 32;
    }
    if (!bits)
        return;
    out->held = out->held << bits | (value & (UINT64_MAX >> (64 - bits)));
    out->count += bits;
    if (out->count >= 32)
        write_bytes(out, 4);
}

void eg_bits_flush(struct eg_bits_out *out)
{
    if (out->count % 8)
        eg_bits_put(out, 0, 8 - out->count % 8);
    write_bytes(out, out->count / 8);
}

uint64_t eg_bits_get(struct eg_bits_in *in, unsigned bits)
{
    if (bits > 32) {
        uint64_t high = eg_bits_get(in, bits - 32);
        return high << 32 | eg_bits_get(in, 32);
    }
    while (in->count < bits) {
        if (in->at == in->end) {
            in->failed = true;
            return 0;
        }
        in->held = in->held << 8 | *in->at++;
        in->count += 8;
    }
    in->count -= bits;
    return bits ? in->held >> in->count & (UINT64_MAX >> (64 - bits)) : 0;
}

uint64_t eg_bits_shared(uint64_t step, uint64_t difference)
{
    uint64_t left = difference >> 63 ? 0 - difference : difference;
    if (left == step || (step && left % step == 0)) /* as a rule */
        return step;
    for (uint64_t held; left; left = held) { /* Euclid */
        held = step % left;
        step = left;
    }
    return step;
}

/* --- Rice --- */

/* `most` or more: it is not looked on. */
static size_t cost(const uint64_t *values, size_t count, unsigned low, size_t most)
{
    size_t bits = 0;
    for (size_t i = 0; i < count && bits < most; i++) {
        uint64_t high = values[i] >> low;
        bits += high < EG_BITS_UNARY ? (size_t)high + 1 + low : EG_BITS_UNARY + 64;
    }
    return bits;
}

/* The least parameter of the cheapest. A number takes its low bits and one more at least: beyond that nothing is cheaper. */
static unsigned best(const uint64_t *values, size_t count, size_t *ret_bits)
{
    uint64_t all = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        all |= values[i];
        sum += values[i] >> 8; /* so that it does not overflow; only where to begin hangs on it */
    }
    *ret_bits = 0;
    if (!all)
        return ZEROS;
    unsigned guess = 0, most = 64 - (unsigned)__builtin_clzll(all);
    while (guess + 1 < most && sum / count << 8 >> guess > 1)
        guess++;
    if (guess > ZEROS - 1)
        guess = ZEROS - 1;
    unsigned found = guess;
    *ret_bits = cost(values, count, guess, SIZE_MAX);
    for (unsigned low = 0; low < ZEROS && low <= most && (low <= found || count * (low + 1) < *ret_bits);
         low++) {
        size_t bits = low == guess ? *ret_bits : cost(values, count, low, *ret_bits + 1);
        if (bits < *ret_bits || (bits == *ret_bits && low < found)) {
            *ret_bits = bits;
            found = low;
        }
    }
    return found;
}

size_t eg_bits_rice_size(const uint64_t *values, size_t count, size_t most)
{
    size_t total = 0, bits;
    for (size_t at = 0; at < count && total < most; at += EG_BITS_BLOCK) {
        best(values + at, count - at < EG_BITS_BLOCK ? count - at : EG_BITS_BLOCK, &bits);
        total += PARAMETER_BITS + bits;
    }
    return total;
}

void eg_bits_put_rice(struct eg_bits_out *out, const uint64_t *values, size_t count)
{
    for (size_t at = 0; at < count; at += EG_BITS_BLOCK) {
        size_t length = count - at < EG_BITS_BLOCK ? count - at : EG_BITS_BLOCK, bits;
        unsigned low = best(values + at, length, &bits);
        eg_bits_put(out, low, PARAMETER_BITS);
        for (size_t i = at; low != ZEROS && i < at + length; i++) {
            uint64_t high = values[i] >> low;
            if (high < EG_BITS_UNARY && high + 1 + low <= 32) {
                uint64_t ones = (UINT64_C(2) << high) - 2; /* so many, and a zero */
                eg_bits_put(out, ones << low | (values[i] & ((UINT64_C(1) << low) - 1)),
                            (unsigned)high + 1 + low);
            } else if (high < EG_BITS_UNARY) {
                eg_bits_put(out, (UINT64_C(2) << high) - 2, (unsigned)high + 1); /* so many ones, a zero */
                eg_bits_put(out, values[i], low);
            } else {
                eg_bits_put(out, UINT64_MAX, EG_BITS_UNARY);
                eg_bits_put(out, values[i], 64);
            }
        }
    }
}

/* Bit by bit, when it does not lie whole in what is held. */
static uint64_t get_slowly(struct eg_bits_in *in, unsigned low)
{
    uint64_t high = 0;
    while (high < EG_BITS_UNARY && eg_bits_get(in, 1))
        high++;
    return high == EG_BITS_UNARY ? eg_bits_get(in, 64) : high << low | eg_bits_get(in, low);
}

static uint64_t get_one(struct eg_bits_in *in, unsigned low)
{
    while (in->count <= 56 && in->at < in->end) {
        in->held = in->held << 8 | *in->at++;
        in->count += 8;
    }
    /* A zero stands behind the ones, if it were only beyond what is held. */
    uint64_t ahead = in->count ? ~(in->held << (64 - in->count)) : UINT64_MAX;
    unsigned high = ahead ? (unsigned)__builtin_clzll(ahead) : 64, taken = high + 1 + low;
    if (high >= EG_BITS_UNARY || taken > in->count)
        return get_slowly(in, low);
    in->count -= taken;
    return (uint64_t)high << low | (in->held >> in->count & ((UINT64_C(1) << low) - 1));
}

/* Whole bytes that were held and not needed. */
static void give_back(struct eg_bits_in *in)
{
    const unsigned bytes = in->count / 8;
    in->at -= bytes;
    in->held = bytes < 8 ? in->held >> 8 * bytes : 0;
    in->count %= 8;
}

void eg_bits_get_rice(struct eg_bits_in *in, uint64_t *ret_values, size_t count)
{
    unsigned low = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % EG_BITS_BLOCK == 0)
            low = (unsigned)eg_bits_get(in, PARAMETER_BITS);
        ret_values[i] = low == ZEROS || in->failed ? 0 : get_one(in, low);
    }
    give_back(in);
}

void eg_bits_cut_rice(struct eg_cut *cut, uint64_t *ret, size_t count)
{
    struct eg_bits_in bits = {.at = cut->at, .end = cut->end};
    eg_bits_get_rice(&bits, ret, count);
    cut->at = bits.at;
    cut->failed = cut->failed || bits.failed;
}

/* --- XOR --- */

/* 0: as before. 10: within the window of the one before. 11: 5 bits of zeros in front, 6 bits of length less one, then those bits. */
void eg_bits_put_xor(struct eg_bits_out *out, const uint64_t *values, size_t count)
{
    uint64_t before = 0;
    unsigned front = 64, back = 0; /* no window yet */
    for (size_t i = 0; i < count; i++) {
        uint64_t differs = values[i] ^ before;
        before = values[i];
        if (!differs) {
            eg_bits_put(out, 0, 1);
            continue;
        }
        unsigned zeros = (unsigned)__builtin_clzll(differs), behind = (unsigned)__builtin_ctzll(differs);
        if (zeros > 31)
            zeros = 31;
        if (front < 64 && zeros >= front && behind >= back) {
            eg_bits_put(out, 2, 2);
        } else {
            front = zeros;
            back = behind;
            eg_bits_put(out, 3, 2);
            eg_bits_put(out, front, 5);
            eg_bits_put(out, 63 - front - back, 6);
        }
        eg_bits_put(out, differs >> back, 64 - front - back);
    }
}

void eg_bits_get_xor(struct eg_bits_in *in, uint64_t *ret_values, size_t count)
{
    uint64_t value = 0;
    unsigned length = 0, back = 0;
    for (size_t i = 0; i < count; i++) {
        if (eg_bits_get(in, 1)) {
            if (eg_bits_get(in, 1)) {
                unsigned front = (unsigned)eg_bits_get(in, 5);
                length = (unsigned)eg_bits_get(in, 6) + 1;
                if (front + length > 64)
                    in->failed = true;
                back = in->failed ? 0 : 64 - front - length;
            }
            if (!length)
                in->failed = true; /* a window nobody opened */
            if (in->failed)
                return;
            value ^= eg_bits_get(in, length) << back;
        }
        ret_values[i] = value;
    }
}
