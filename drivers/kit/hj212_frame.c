/* The frame of HJ 212: where it begins, and its checksum as standards and makers compute it. Pure; called by drivers/hj212.c. */
#include "hj212_frame.h"

#define FRAME_LEAST 12 /* "##", length, "ST", CRC */

unsigned eg_hj212_crc(const uint8_t *bytes, size_t length, enum eg_hj212_checksum which)
{
    /* What four steps of the polynomial A001 make of the lowest four bits. */
    static const uint16_t steps[16] = {0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
                                       0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400};
    unsigned reg = which == EG_HJ212_ARC ? 0 : 0xFFFF;
    for (size_t i = 0; i < length; i++) {
        reg = (which == EG_HJ212_OWN ? reg >> 8 : reg) ^
              bytes[i]; /* the standard's own: only the high byte stays */
        reg = reg >> 4 ^ steps[reg & 15];
        reg = reg >> 4 ^ steps[reg & 15];
    }
    return reg;
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

int eg_hj212_four(const uint8_t *bytes, int base)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const int digit = hex(bytes[i]);
        if (digit < 0 || digit >= base)
            return -1;
        value = value * base + digit;
    }
    return value;
}

unsigned eg_hj212_swapped(unsigned crc)
{
    return (crc >> 8 | crc << 8) & 0xFFFF;
}

size_t eg_hj212_next(const uint8_t *bytes, size_t from, size_t length)
{
    for (size_t at = from; at + FRAME_LEAST <= length; at++)
        if (bytes[at] == '#' && bytes[at + 1] == '#' && eg_hj212_four(bytes + at + 2, 10) >= 0 &&
            bytes[at + 6] >= 'A' && bytes[at + 6] <= 'Z')
            return at;
    return length;
}
