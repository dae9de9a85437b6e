/* ## length(4 digits) segment checksum(4 hexadecimal digits): HJ 212-2017, 6.3 and appendix A. */
#ifndef EG_HJ212_FRAME_H
#define EG_HJ212_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum eg_hj212_checksum { EG_HJ212_OWN, EG_HJ212_MODBUS, EG_HJ212_ARC, EG_HJ212_NONE, EG_HJ212_CHECKSUMS };

unsigned eg_hj212_crc(const uint8_t *bytes, size_t length, enum eg_hj212_checksum which);
unsigned eg_hj212_swapped(unsigned crc);
/* The number of four digits in base 10 or 16; -1: they are none. */
int eg_hj212_four(const uint8_t *bytes, int base);
/* Where the next frame begins: "##", four digits and a name; `length` when there is none. What lies between is noise. */
size_t eg_hj212_next(const uint8_t *bytes, size_t from, size_t length);

#endif
