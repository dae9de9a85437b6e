/* Knows how to quote what a stranger wrote without letting it deceive the reader. Refuses to know why it is
 * quoted. Called by drivers when they refuse a payload. */
#include "excerpt.h"

#include "codepoint.h"

#include <string.h>

char *eg_excerpt_write(const char *text, size_t length, char out[EG_EXCERPT_MAX])
{
    const size_t room = EG_EXCERPT_MAX - sizeof "...";
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        uint32_t codepoint;
        size_t bytes = eg_codepoint_next(text + at, length - at, &codepoint);
        const bool fit = bytes > 0 && codepoint != '"' && eg_codepoint_printable(codepoint);
        const size_t wanted = fit ? bytes : 1;
        if (used + wanted > room) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        if (fit)
            memcpy(out + used, text + at, bytes);
        else
            out[used] = '?';
        used += wanted;
        at += bytes > 0 ? bytes : 1;
    }
    out[used] = '\0';
    return out;
}
