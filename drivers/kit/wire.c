/* Knows how protobuf is written (https://protobuf.dev/programming-guides/encoding/). Refuses to know any .proto. Called by drivers.
 *
 * Not protobuf-c: what it unpacks is a tree, about 200 bytes for a metric that came as two, and it goes down a level of the C stack for
 * each message within a message, as deep as the payload says. Here a field is looked at where it lies. */
#include "wire.h"

#include <string.h>

#define VARINT_BYTES 10
#define NUMBER_MAX ((UINT32_C(1) << 29) - 1)

static bool read_varint(struct eg_wire *wire, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES && wire->at < wire->end; i++) {
        const uint8_t byte = *wire->at++;
        if (i == VARINT_BYTES - 1 && byte > 1)
            return false; /* beyond 64 bits */
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct eg_wire *wire, unsigned bytes, uint64_t *ret_value)
{
    uint64_t value = 0;
    if ((size_t)(wire->end - wire->at) < bytes)
        return false;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)wire->at[i] << (8 * i);
    wire->at += bytes;
    *ret_value = value;
    return true;
}

static bool read_body(struct eg_wire *wire, struct eg_wire *ret_body)
{
    uint64_t length;
    if (!read_varint(wire, &length) || length > (uint64_t)(wire->end - wire->at))
        return false;
    *ret_body = (struct eg_wire){wire->at, wire->at + length};
    wire->at += length;
    return true;
}

enum eg_wire_result eg_wire_next(struct eg_wire *wire, struct eg_wire_field *ret_field)
{
    struct eg_wire_field field = {.value = 0, .body = {wire->end, wire->end}};
    uint64_t key;
    bool good;
    if (wire->at == wire->end)
        return EG_WIRE_END;
    if (!read_varint(wire, &key) || key >> 3 == 0 || key >> 3 > NUMBER_MAX)
        return EG_WIRE_WRONG;
    field.number = (uint32_t)(key >> 3);
    field.type = (enum eg_wire_type)(key & 7);
    switch (key & 7) {
    case EG_WIRE_VARINT:
        good = read_varint(wire, &field.value);
        break;
    case EG_WIRE_FIXED64:
        good = read_fixed(wire, 8, &field.value);
        break;
    case EG_WIRE_FIXED32:
        good = read_fixed(wire, 4, &field.value);
        break;
    case EG_WIRE_BYTES:
        good = read_body(wire, &field.body);
        break;
    default:
        good = false; /* groups: nobody writes them */
    }
    *ret_field = field;
    return good ? EG_WIRE_FIELD : EG_WIRE_WRONG;
}

double eg_wire_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float eg_wire_float(uint64_t bits)
{
    const uint32_t half = (uint32_t)bits;
    float value;
    memcpy(&value, &half, sizeof value);
    return value;
}
