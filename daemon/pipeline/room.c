/* Arrays that grow. */
#include <pipeline/state.h>

#include <stdlib.h>

bool eg_room_more(void **rows, size_t count, size_t *capacity, size_t size, size_t most)
{
    if (count < *capacity)
        return true;
    size_t more = *capacity ? *capacity * 2 : 16;
    if (more > most)
        more = most;
    if (more <= count)
        return false;
    void *grown = realloc(*rows, more * size);
    if (!grown)
        return false;
    *rows = grown;
    *capacity = more;
    return true;
}
