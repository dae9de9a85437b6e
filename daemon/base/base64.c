/* Base64 (RFC 4648). Refuses to know what the bytes are. Called by recording.c, by the API and by ecogovctl, where payloads are no text. */
#include <base/base64.h>

#include <stdlib.h>
#include <string.h>

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

uint8_t *eg_base64_read(const char *text, size_t *ret_length)
{
    size_t length = strlen(text), count = 0;
    while (length && text[length - 1] == '=')
        length--;
    uint8_t *bytes = malloc(length * 3 / 4 + 1);
    uint32_t held = 0;
    int bits = 0;
    for (size_t i = 0; bytes && i < length; i++) {
        int value = sextet(text[i]);
        if (value < 0) {
            free(bytes);
            return NULL;
        }
        held = held << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[count++] = (uint8_t)(held >> bits);
        }
    }
    *ret_length = count;
    return bytes;
}

void eg_base64_write(const uint8_t *bytes, size_t length, struct eg_buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t held = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (left > 2 ? bytes[i + 2] : 0);
        char quad[4] = {digits[held >> 18], digits[held >> 12 & 63], left > 1 ? digits[held >> 6 & 63] : '=',
                        left > 2 ? digits[held & 63] : '='};
        eg_buf_add(out, quad, sizeof quad);
    }
}
