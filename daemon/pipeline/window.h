/* A sliding window over one series in event time: (T - width, T], T being its newest reading.
 *
 * Exact, with the single readings, while at most EG_WINDOW_RAW of them lie in it. While there are more it slides in steps of width /
 * EG_WINDOW_PANES: the panes are aligned to the epoch and hold aggregates, so the cost of a reading does not depend on the width,
 * nor its memory. Late readings land where they belong; older than the window they change nothing. */
#ifndef EG_WINDOW_H
#define EG_WINDOW_H
#include <conf/conf.h>
#define EG_WINDOW_RAW 64
#define EG_WINDOW_PANES 48
struct eg_window;
struct eg_window *eg_window_create(int64_t width_ms); /* NULL: no memory */
void eg_window_destroy(struct eg_window *window);
void eg_window_clear(struct eg_window *window);
bool eg_window_add(struct eg_window *window, int64_t ms, double value); /* false: no memory */
/* mean min max sum; rate: change per hour from the first to the last reading in it (two at least). False: no such value. */
bool eg_window_value(struct eg_window *window, enum eg_statistic statistic, double *ret);
#endif
