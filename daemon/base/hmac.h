/* HMAC-SHA256 (RFC 2104), and the texts binary goes in: base64 (RFC 4648) and hexadecimal. For what is signed. */
#ifndef EG_HMAC_H
#define EG_HMAC_H
#include <base/sha256.h>
#include <stdbool.h>
#define EG_BASE64_TEXT(bytes) (((bytes) + 2) / 3 * 4 + 1)
void eg_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                    uint8_t ret[EG_SHA256_BYTES]);
char *eg_base64(const uint8_t *data, size_t length, char *out); /* [EG_BASE64_TEXT(length)]; gives it back */
char *eg_hex(const uint8_t *data, size_t length, char *out); /* [2 * length + 1], lower case; gives it back */
/* In a time that tells nothing of where they differ. */
bool eg_same_secret(const void *left, const void *right, size_t length);
#endif
