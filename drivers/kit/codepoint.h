/* UTF-8 one character at a time, strictly: no surrogates, no overlong forms, up to U+10FFFF. */
#ifndef EG_CODEPOINT_H
#define EG_CODEPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at `text`, its number in *ret_codepoint; 0 when it is not well-formed or
 * cut off. */
size_t eg_codepoint_next(const char *text, size_t length, uint32_t *ret_codepoint);
/* Something that may stand in a name on a terminal and a page: no control, direction or invisible formatting
 * character. */
bool eg_codepoint_printable(uint32_t codepoint);
bool eg_codepoint_printable_text(const char *text, size_t length);

#endif
