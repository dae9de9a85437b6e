/* "Did you mean …?" */
#ifndef EG_API_NEAREST_H
#define EG_API_NEAREST_H
#include <stddef.h>
struct eg_nearest {
    const char *wanted;
    const char *best; /* NULL: nothing comes close. Borrowed from eg_nearest_offer() */
    size_t distance;
};
void eg_nearest_init(struct eg_nearest *nearest, const char *wanted);
void eg_nearest_offer(struct eg_nearest *nearest, const char *name);
/* "; did you mean \"x\"?" or ".", written into `out`; gives `out` back. */
char *eg_nearest_end(const struct eg_nearest *nearest, char *out, size_t size);
#endif
