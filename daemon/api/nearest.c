/* Knows how far two short names lie apart, and so what a mistyped one may have meant. Refuses to know what
 * the names name. Called by whoever refuses an unknown method, parameter, site or quantity. */
#include <api/nearest.h>

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 48 /* longer names are not compared: nobody mistypes those by a letter */

static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[NAME_MAX_BYTES + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t drop = row[j] + 1, insert = row[j - 1] + 1;
            row[j] = change < drop ? change : drop;
            if (insert < row[j])
                row[j] = insert;
        }
    }
    return row[b_len];
}

void eg_nearest_init(struct eg_nearest *nearest, const char *wanted)
{
    nearest->wanted = wanted;
    nearest->best = NULL;
    nearest->distance = strlen(wanted) / 3 + 2; /* must be nearer than this */
}

void eg_nearest_offer(struct eg_nearest *nearest, const char *name)
{
    size_t wanted_len = strlen(nearest->wanted), len = strlen(name);
    if (wanted_len > NAME_MAX_BYTES || len > NAME_MAX_BYTES)
        return;
    size_t far = distance(nearest->wanted, wanted_len, name, len);
    if (far < nearest->distance) {
        nearest->distance = far;
        nearest->best = name;
    }
}

char *eg_nearest_end(const struct eg_nearest *nearest, char *out, size_t size)
{
    if (nearest->best)
        snprintf(out, size, "; did you mean \"%s\"?", nearest->best);
    else
        snprintf(out, size, ".");
    return out;
}
