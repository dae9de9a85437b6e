/* UTF-8: validation, and the columns a text takes on a terminal (East Asian wide = 2, combining = 0). */
#ifndef EG_UTF8_H
#define EG_UTF8_H
#include <stdbool.h>
#include <stddef.h>
bool eg_utf8_valid(const char *text, size_t length); /* no surrogates, no overlong, up to U+10FFFF */
size_t eg_utf8_columns(const char *text);
#endif
