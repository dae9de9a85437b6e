/* HMAC-SHA256, base64, hexadecimal (hmac.h). Knows no keys. Called by whoever signs or checks a signature. */
#include <base/hmac.h>

#include <string.h>

#define BLOCK 64

void eg_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                    uint8_t ret[EG_SHA256_BYTES])
{
    uint8_t pad[BLOCK] = {0}, inner[EG_SHA256_BYTES];
    struct eg_sha256 sum;
    if (key_length > BLOCK) {
        eg_sha256_init(&sum);
        eg_sha256_add(&sum, key, key_length);
        eg_sha256_end(&sum, pad);
    } else if (key_length) {
        memcpy(pad, key, key_length);
    }
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    eg_sha256_init(&sum);
    eg_sha256_add(&sum, pad, BLOCK);
    eg_sha256_add(&sum, data, length);
    eg_sha256_end(&sum, inner);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    eg_sha256_init(&sum);
    eg_sha256_add(&sum, pad, BLOCK);
    eg_sha256_add(&sum, inner, sizeof inner);
    eg_sha256_end(&sum, ret);
}

char *eg_base64(const uint8_t *data, size_t length, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = out;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t bits = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                        (left > 2 ? data[i + 2] : 0);
        *at++ = digits[bits >> 18];
        *at++ = digits[bits >> 12 & 63];
        *at++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[bits & 63] : '=';
    }
    *at = '\0';
    return out;
}

char *eg_hex(const uint8_t *data, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * length] = '\0';
    return out;
}

bool eg_same_secret(const void *left, const void *right, size_t length)
{
    const volatile uint8_t *a = left, *b = right;
    uint8_t differ = 0;
    for (size_t i = 0; i < length; i++)
        differ |= a[i] ^ b[i];
    return differ == 0;
}
