/* How often a device reports: as learned now, and how it was before that changed the last time. What is told of the past, how much of an
 * hour its readings spoke for, is told by how it was then: a device that reports every half hour and then every minute has not been
 * silent all the while before. */
#ifndef EG_PACE_H
#define EG_PACE_H

#include <stdint.h>

struct eg_pace {
    int64_t interval_ms; /* between two messages; 0: not known yet */
    int64_t since_ms,
        before_ms;      /* since then, and what it was before; before_ms 0: it has never changed by much */
    int64_t settled_ms; /* what a change is measured by */
};

/* Of what lies in [start, end); where it changed within, the longer one. */
static inline int64_t eg_pace_over(const struct eg_pace *pace, int64_t start_ms, int64_t end_ms)
{
    if (!pace->before_ms || start_ms >= pace->since_ms)
        return pace->interval_ms;
    return end_ms <= pace->since_ms || pace->before_ms > pace->interval_ms ? pace->before_ms
                                                                           : pace->interval_ms;
}

#endif
