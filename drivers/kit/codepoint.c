/* Knows UTF-8 (RFC 3629) and which characters could deceive a reader. Refuses to know what a text is for.
 * Called by the sink for channel names, by the JSON scan, by excerpts in a reject's sentence. */
#include "codepoint.h"

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xC0U) == 0x80U;
}

size_t eg_codepoint_next(const char *text, size_t length, uint32_t *ret_codepoint)
{
    if (length == 0)
        return 0;
    const uint32_t lead = (unsigned char)text[0];
    if (lead < 0x80U) {
        *ret_codepoint = lead;
        return 1;
    }
    const size_t need = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
    if (lead < 0xC2U || lead > 0xF4U || length < need)
        return 0;
    uint32_t codepoint = lead & (0xFFU >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if (!is_tail(text[i]))
            return 0;
        codepoint = codepoint << 6 | ((unsigned char)text[i] & 0x3FU);
    }
    static const uint32_t least[] = {0, 0, 0x80U, 0x800U, 0x10000U};
    if (codepoint < least[need] || codepoint > 0x10FFFFU || (codepoint >= 0xD800U && codepoint <= 0xDFFFU))
        return 0;
    *ret_codepoint = codepoint;
    return need;
}

bool eg_codepoint_printable(uint32_t codepoint)
{
    if (codepoint < 0x7FU)
        return codepoint >= 0x20U;
    /* C1 controls, soft hyphen, zero-width and direction marks, line and paragraph separators, byte order
     * mark, interlinear and tag characters, non-characters. */
    static const uint32_t hidden[][2] = {
        {0x7FU, 0x9FU},     {0xADU, 0xADU},     {0x61CU, 0x61CU},   {0x200BU, 0x200FU}, {0x2028U, 0x202EU},
        {0x2060U, 0x206FU}, {0xFDD0U, 0xFDEFU}, {0xFEFFU, 0xFEFFU}, {0xFFF9U, 0xFFFBU}, {0xE0000U, 0xE0FFFU}};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (codepoint >= hidden[i][0] && codepoint <= hidden[i][1])
            return false;
    return (codepoint & 0xFFFEU) != 0xFFFEU;
}

bool eg_codepoint_printable_text(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t codepoint;
        const size_t bytes = eg_codepoint_next(text + at, length - at, &codepoint);
        if (bytes == 0 || !eg_codepoint_printable(codepoint))
            return false;
        at += bytes;
    }
    return true;
}
