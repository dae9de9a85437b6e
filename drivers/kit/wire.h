/* Protocol Buffers' wire format, read field by field on the payload itself: nothing is allocated, nothing recurses. */
#ifndef EG_WIRE_H
#define EG_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eg_wire { /* a message, or what is left of it */
    const uint8_t *at, *end;
};
enum eg_wire_type { EG_WIRE_VARINT = 0, EG_WIRE_FIXED64 = 1, EG_WIRE_BYTES = 2, EG_WIRE_FIXED32 = 5 };
struct eg_wire_field {
    uint32_t number;
    enum eg_wire_type type;
    uint64_t value;      /* of a number, its bits */
    struct eg_wire body; /* of bytes: a text, a message within, packed numbers */
};
enum eg_wire_result { EG_WIRE_FIELD, EG_WIRE_END, EG_WIRE_WRONG /* cut off, or no such thing */ };

enum eg_wire_result eg_wire_next(struct eg_wire *wire, struct eg_wire_field *ret_field);
double eg_wire_double(uint64_t bits);
float eg_wire_float(uint64_t bits);

#endif
