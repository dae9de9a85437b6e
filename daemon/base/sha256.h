/* SHA-256 (FIPS 180-4), for what must not be changed unseen; for tables and checksums eg_hash() is enough. */
#ifndef EG_SHA256_H
#define EG_SHA256_H
#include <stddef.h>
#include <stdint.h>
#define EG_SHA256_BYTES 32
struct eg_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
};
void eg_sha256_init(struct eg_sha256 *sum);
void eg_sha256_add(struct eg_sha256 *sum, const void *data, size_t length);
void eg_sha256_end(struct eg_sha256 *sum, uint8_t ret[EG_SHA256_BYTES]);
#endif
