/* Whether one message says the same thing twice. */
#ifndef EG_TWICE_H
#define EG_TWICE_H

#include <ecogov/reading.h>

/* The first reading whose device, quantity, channel and time stand in the sink before it, too; sink->count when there
 * is none. "No time" counts as one time. */
size_t eg_twice_find(const struct eg_sink *sink);

#endif
