/* CBOR (RFC 8949) read item by item, on the payload itself: nothing is allocated, nothing recurses. */
#ifndef EG_CBOR_H
#define EG_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EG_CBOR_DEPTH_MAX 16

enum eg_cbor_kind {
    EG_CBOR_UNSIGNED, /* count */
    EG_CBOR_NEGATIVE, /* -1 - count */
    EG_CBOR_BYTES,    /* bytes, length; of an indefinite one they follow in chunks, up to a break */
    EG_CBOR_TEXT,
    EG_CBOR_ARRAY, /* count items follow, or up to a break */
    EG_CBOR_MAP,   /* count pairs follow */
    EG_CBOR_TAG,   /* count is the tag; its item follows */
    EG_CBOR_BOOLEAN,
    EG_CBOR_REAL,
    EG_CBOR_OTHER, /* null, undefined, a simple value */
    EG_CBOR_BREAK,
    EG_CBOR_END,  /* the payload is over */
    EG_CBOR_WRONG /* cut off, or no CBOR */
};
struct eg_cbor {
    const uint8_t *begin, *at, *end;
};
struct eg_cbor_item {
    enum eg_cbor_kind kind;
    bool indefinite;
    uint64_t count;
    double real;
    const uint8_t *bytes; /* of the payload */
    size_t length;
};

/* The next item's head, and the whole of what has no items in it. */
struct eg_cbor_item eg_cbor_next(struct eg_cbor *cbor);
/* What belongs to an item whose head was read. False: it is wrong, or deeper than EG_CBOR_DEPTH_MAX. */
bool eg_cbor_skip(struct eg_cbor *cbor, const struct eg_cbor_item *item);
/* A number: integer, float, decimal fraction, big number, big float (tags 2 to 5; other tags are looked through). Infinite when it is too
 * large. False: it is none; *ret_wrong: no CBOR either. */
bool eg_cbor_number(struct eg_cbor *cbor, struct eg_cbor_item item, double *ret_number, bool *ret_wrong);
/* A text, whole or in chunks, as a string of at most size - 1 bytes; UTF-8 without NUL. False: it is none. *ret_length may be larger than
 * what fitted. */
bool eg_cbor_text(struct eg_cbor *cbor, const struct eg_cbor_item *item, char *out, size_t size,
                  size_t *ret_length);

#endif
