/* Hostile text, made fit to be quoted in a sentence. */
#ifndef EG_EXCERPT_H
#define EG_EXCERPT_H

#include <stddef.h>

#define EG_EXCERPT_MAX 36 /* bytes, with the NUL */

/* At most EG_EXCERPT_MAX bytes of `text`: what cannot be printed and '"' become '?', and "..." says that it
 * was cut. Gives `out` back. */
char *eg_excerpt_write(const char *text, size_t length, char out[EG_EXCERPT_MAX]);

#endif
