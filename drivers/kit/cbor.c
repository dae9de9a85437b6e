/* Knows how CBOR is written (RFC 8949). Refuses to know what it means. Called by drivers whose payload is CBOR.
 *
 * Not libcbor: it makes room for as many items as a head claims, and builds a tree of what comes. A head here claims nothing; an item is
 * looked at where it lies. */
#include "cbor.h"

#include "codepoint.h"

#include <math.h>
#include <string.h>

#define INDEFINITE 31
#define BIG_BYTES_MAX 128 /* 2^1024 is no double any more */
#define EXPONENT_CAP 5000

static size_t left(const struct eg_cbor *cbor)
{
    return (size_t)(cbor->end - cbor->at);
}

static double half(unsigned bits)
{
    const int exponent = (int)(bits >> 10 & 0x1F), mantissa = (int)(bits & 0x3FF);
    const double size = exponent == 0    ? ldexp(mantissa, -24)
                        : exponent != 31 ? ldexp(mantissa + 1024, exponent - 25)
                        : mantissa == 0  ? (double)INFINITY
                                         : (double)NAN;
    return bits & 0x8000 ? -size : size;
}

static double real_of(unsigned info, uint64_t bits)
{
    const uint32_t small = (uint32_t)bits;
    float single;
    double full;
    if (info == 25)
        return half((unsigned)bits);
    memcpy(&single, &small, sizeof single);
    memcpy(&full, &bits, sizeof full);
    return info == 26 ? (double)single : full;
}

/* Major type 7. */
static enum eg_cbor_kind simple(struct eg_cbor_item *item, unsigned info)
{
    if (info == INDEFINITE)
        return EG_CBOR_BREAK;
    if (info >= 25) {
        item->real = real_of(info, item->count);
        return EG_CBOR_REAL;
    }
    if (info == 24 && item->count < 32)
        return EG_CBOR_WRONG;
    return item->count == 20 || item->count == 21 ? EG_CBOR_BOOLEAN : EG_CBOR_OTHER;
}

/* The number behind an initial byte. False: cut off, or reserved. */
static bool read_count(struct eg_cbor *cbor, unsigned info, uint64_t *ret_count)
{
    uint64_t count = 0;
    if (info < 24) {
        *ret_count = info;
        return true;
    }
    if (info > 27) {
        *ret_count = 0;
        return info == INDEFINITE;
    }
    const size_t bytes = (size_t)1 << (info - 24);
    if (left(cbor) < bytes)
        return false;
    for (size_t i = 0; i < bytes; i++)
        count = count << 8 | *cbor->at++;
    *ret_count = count;
    return true;
}

struct eg_cbor_item eg_cbor_next(struct eg_cbor *cbor)
{
    static const enum eg_cbor_kind kinds[] = {EG_CBOR_UNSIGNED, EG_CBOR_NEGATIVE, EG_CBOR_BYTES, EG_CBOR_TEXT,
                                              EG_CBOR_ARRAY,    EG_CBOR_MAP,      EG_CBOR_TAG};
    struct eg_cbor_item item = {.kind = EG_CBOR_END};
    if (left(cbor) == 0)
        return item;
    const unsigned first = *cbor->at++, major = first >> 5, info = first & 0x1F;
    item.kind = EG_CBOR_WRONG;
    if (!read_count(cbor, info, &item.count))
        return item;
    item.indefinite = info == INDEFINITE;
    if (major == 7) {
        item.kind = simple(&item, info);
        return item;
    }
    if (item.indefinite && (major < 2 || major == 6))
        return item;
    if ((major == 2 || major == 3) && !item.indefinite) {
        if (item.count > left(cbor))
            return item;
        item.bytes = cbor->at;
        item.length = (size_t)item.count;
        cbor->at += item.length;
    }
    item.kind = kinds[major];
    return item;
}

/* How many items follow a head; UINT64_MAX: up to a break. */
static uint64_t follows(const struct eg_cbor_item *item)
{
    if (item->kind == EG_CBOR_TAG)
        return 1;
    if (item->kind > EG_CBOR_MAP || item->kind < EG_CBOR_BYTES)
        return 0;
    if (item->indefinite)
        return UINT64_MAX;
    if (item->kind == EG_CBOR_ARRAY)
        return item->count;
    /* More pairs than there is room for in any payload: it will be cut off. */
    return item->kind == EG_CBOR_MAP ? (item->count > UINT64_MAX / 4 ? UINT64_MAX / 2 : item->count * 2) : 0;
}

bool eg_cbor_skip(struct eg_cbor *cbor, const struct eg_cbor_item *item)
{
    uint64_t open[EG_CBOR_DEPTH_MAX]; /* items still to come, of each level */
    int depth = 0;
    open[0] = follows(item);
    while (depth >= 0) {
        if (open[depth] == 0) {
            depth--;
            continue;
        }
        const struct eg_cbor_item next = eg_cbor_next(cbor);
        if (next.kind >= EG_CBOR_END)
            return false;
        if (next.kind == EG_CBOR_BREAK) {
            if (open[depth] != UINT64_MAX)
                return false;
            depth--;
            continue;
        }
        if (open[depth] != UINT64_MAX)
            open[depth]--;
        if (follows(&next) > 0) {
            if (++depth == EG_CBOR_DEPTH_MAX)
                return false;
            open[depth] = follows(&next);
        }
    }
    return true;
}

/* A big number's bytes, whole. */
static bool read_big(struct eg_cbor *cbor, bool negative, double *ret_number, bool *ret_wrong)
{
    const struct eg_cbor_item item = eg_cbor_next(cbor);
    double number = 0;
    size_t at = 0;
    if (item.kind != EG_CBOR_BYTES || item.indefinite) {
        *ret_wrong = item.kind >= EG_CBOR_END || !eg_cbor_skip(cbor, &item);
        return false;
    }
    while (at < item.length && item.bytes[at] == 0)
        at++;
    for (size_t i = at; i < item.length && i - at <= BIG_BYTES_MAX; i++)
        number = number * 256 + item.bytes[i];
    *ret_number = negative ? -1 - number : number;
    return true;
}

static bool is_plain(const struct eg_cbor_item *item)
{
    return item->kind == EG_CBOR_UNSIGNED || item->kind == EG_CBOR_NEGATIVE || item->kind == EG_CBOR_REAL;
}

static double plain_of(const struct eg_cbor_item *item)
{
    return item->kind == EG_CBOR_UNSIGNED   ? (double)item->count
           : item->kind == EG_CBOR_NEGATIVE ? -1 - (double)item->count
                                            : item->real;
}

static double scaled(double mantissa, double exponent, bool decimal)
{
    const double cut = fmin(fmax(exponent, -EXPONENT_CAP), EXPONENT_CAP);
    if (mantissa == 0)
        return 0;
    if (!decimal)
        return ldexp(mantissa, (int)cut);
    /* A quotient of two exact numbers is the double nearest to the decimal: 27.2, not 27.200000000000003. */
    return cut < 0 && cut >= -300 ? mantissa / pow(10, -cut) : mantissa * pow(10, cut);
}

/* [exponent, mantissa]: tags 4 and 5. */
static bool read_fraction(struct eg_cbor *cbor, bool decimal, double *ret_number, bool *ret_wrong)
{
    const struct eg_cbor_item pair = eg_cbor_next(cbor);
    double mantissa = 0;
    if (pair.kind != EG_CBOR_ARRAY || pair.indefinite || pair.count != 2) {
        *ret_wrong = pair.kind >= EG_CBOR_END || !eg_cbor_skip(cbor, &pair);
        return false;
    }
    const struct eg_cbor_item exponent = eg_cbor_next(cbor);
    struct eg_cbor_item item = eg_cbor_next(cbor);
    *ret_wrong = true; /* what is no fraction under this tag is not valid */
    if (!is_plain(&exponent) || exponent.kind == EG_CBOR_REAL)
        return false;
    if (item.kind == EG_CBOR_TAG && (item.count == 2 || item.count == 3)) {
        if (!read_big(cbor, item.count == 3, &mantissa, ret_wrong))
            return false;
    } else if (item.kind != EG_CBOR_UNSIGNED && item.kind != EG_CBOR_NEGATIVE) {
        return false;
    } else {
        mantissa = plain_of(&item);
    }
    *ret_wrong = false;
    *ret_number = scaled(mantissa, plain_of(&exponent), decimal);
    return true;
}

bool eg_cbor_number(struct eg_cbor *cbor, struct eg_cbor_item item, double *ret_number, bool *ret_wrong)
{
    *ret_wrong = false;
    for (int tags = 0; item.kind == EG_CBOR_TAG; tags++) {
        if (item.count == 2 || item.count == 3)
            return read_big(cbor, item.count == 3, ret_number, ret_wrong);
        if (item.count == 4 || item.count == 5)
            return read_fraction(cbor, item.count == 4, ret_number, ret_wrong);
        item = tags == EG_CBOR_DEPTH_MAX ? (struct eg_cbor_item){.kind = EG_CBOR_WRONG} : eg_cbor_next(cbor);
    }
    if (!is_plain(&item)) {
        *ret_wrong = item.kind >= EG_CBOR_BREAK || !eg_cbor_skip(cbor, &item);
        return false;
    }
    *ret_number = plain_of(&item);
    return true;
}

/* --- texts --- */

static bool is_text(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t codepoint;
        const size_t used = bytes[at] < 0x80
                                ? bytes[at] != 0
                                : eg_codepoint_next((const char *)bytes + at, length - at, &codepoint);
        if (used == 0)
            return false;
        at += used;
    }
    return true;
}

static bool add(const struct eg_cbor_item *item, char *out, size_t size, size_t *length)
{
    if (!is_text(item->bytes, item->length))
        return false;
    if (*length < size - 1 && item->length > 0) {
        const size_t fits = size - 1 - *length < item->length ? size - 1 - *length : item->length;
        memcpy(out + *length, item->bytes, fits);
        out[*length + fits] = '\0';
    }
    *length += item->length;
    return true;
}

bool eg_cbor_text(struct eg_cbor *cbor, const struct eg_cbor_item *item, char *out, size_t size,
                  size_t *ret_length)
{
    *ret_length = 0;
    out[0] = '\0';
    if (item->kind != EG_CBOR_TEXT)
        return false;
    if (!item->indefinite)
        return add(item, out, size, ret_length);
    for (;;) {
        const struct eg_cbor_item chunk = eg_cbor_next(cbor);
        if (chunk.kind == EG_CBOR_BREAK)
            return true;
        if (chunk.kind != EG_CBOR_TEXT || chunk.indefinite || !add(&chunk, out, size, ret_length))
            return false;
    }
}
