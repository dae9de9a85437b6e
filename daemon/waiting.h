/* Commands and delivery reports that came while the pipeline must not run: first in, first out. */
#ifndef EG_WAITING_H
#define EG_WAITING_H

#include <pipeline/event.h>

#define EG_WAITING_MAX 256

struct eg_waiting_row;
struct eg_waiting {
    struct eg_waiting_row *first, *last;
    size_t count;
};
bool eg_waiting_add(struct eg_waiting *waiting,
                    const struct eg_event *event); /* copies; false: full, or no memory */
/* The oldest, or NULL; give it back to eg_waiting_drop() when it was taken. */
const struct eg_event *eg_waiting_oldest(const struct eg_waiting *waiting);
void eg_waiting_drop(struct eg_waiting *waiting); /* the oldest */
void eg_waiting_clear(struct eg_waiting *waiting);

#endif
