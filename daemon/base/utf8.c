/* UTF-8 (RFC 3629) and terminal columns (UAX #11, the ranges that matter). */
#include <base/utf8.h>

#include <stdint.h>
#include <string.h>

/* Decodes one character; 0 bytes when it is invalid. */
static size_t decode(const unsigned char *at, size_t left, uint32_t *ret)
{
    if (at[0] < 0x80) {
        *ret = at[0];
        return 1;
    }
    size_t length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || length > left)
        return 0;
    uint32_t code = at[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3F);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret = code;
    return length;
}

bool eg_utf8_valid(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    while (at < end) {
        uint64_t word;
        while (end - at >= 8 && (memcpy(&word, at, 8), (word & UINT64_C(0x8080808080808080)) == 0))
            at += 8;
        if (at == end)
            break;
        uint32_t code;
        size_t step = decode(at, (size_t)(end - at), &code);
        if (!step)
            return false;
        at += step;
    }
    return true;
}

static bool wide(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0x303E) || (c >= 0x3041 && c <= 0xA4CF) ||
           (c >= 0xA960 && c <= 0xA97F) || (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) ||
           (c >= 0x1F300 && c <= 0x1F64F) || (c >= 0x1F900 && c <= 0x1F9FF) || (c >= 0x20000 && c <= 0x3FFFD);
}

static bool takes_no_column(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x300 && c <= 0x36F) ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x20D0 && c <= 0x20FF) || (c >= 0xFE00 && c <= 0xFE0F) ||
           c == 0xFEFF;
}

size_t eg_utf8_columns(const char *text)
{
    size_t columns = 0, left = strlen(text);
    const unsigned char *at = (const unsigned char *)text;
    while (left) {
        uint32_t code;
        size_t step = decode(at, left, &code);
        if (!step) {
            step = 1;
            columns++;
        } else if (!takes_no_column(code)) {
            columns += wide(code) ? 2 : 1;
        }
        at += step;
        left -= step;
    }
    return columns;
}
