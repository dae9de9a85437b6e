/* A window over one series in event time: sliding, (T - width, T], T being its newest reading; or aligned, from the start of the local
 * hour, day or month that T lies in, up to T.
 *
 * Exact, with the single readings, while at most EG_WINDOW_RAW of them lie in it. While there are more it slides in steps of a pane:
 * EG_WINDOW_PANES of them or some fewer, aligned to the epoch, hold aggregates, so the cost of a reading does not depend on the width, nor
 * its memory. Late readings land where they belong; older than the window they change nothing.
 *
 * The mean of more than an hour weighs time, not readings: it is the mean of the means of the clock's hours in it that hold any, as
 * GB 3095 makes the mean of a day, and an hour that is not whole counts like others. A window of other than whole hours, or of more than
 * EG_WINDOW_PANES, has as many equal parts in their stead (30 days: of 15 hours each); a local day has its hours, a local month its days.
 * All other statistics are of its readings. */
#ifndef EG_WINDOW_H
#define EG_WINDOW_H
#include <conf/conf.h>
#define EG_WINDOW_RAW 64
#define EG_WINDOW_PANES 48
struct eg_window;
/* What it is asked for. */
struct eg_window_shape {
    int64_t width_ms; /* of a sliding one */
    enum eg_calendar calendar;
    enum eg_statistic statistic;
    double share, above; /* of a quantile; the limit of EG_STAT_ABOVE */
    int64_t enough_ms;   /* an hour of it is valid with */
};
struct eg_window *eg_window_create(const struct eg_window_shape *shape); /* NULL: no memory */
void eg_window_destroy(struct eg_window *window);
void eg_window_clear(struct eg_window *window);
/* `spoken_ms`: for how much of the time before it the reading speaks, an hour at the most (eg_rhythm_spoken()); 0: nothing is known before
 * it, and it speaks for as long as the one after it. False: no memory. */
bool eg_window_add(struct eg_window *window, int64_t ms, double value, int64_t spoken_ms);
/* The statistic it was made for (or mean, min, max, sum, rate of any). rate: change per hour from the first to the last reading in it
 * (two at least); change: the same in the unit itself; stddev: two at least; above: minutes that readings above the limit speak
 * for; vector_mean: none where directions cancel each other out. Of more than EG_WINDOW_RAW readings a quantile is a sketch's (sketch.h).
 * False: no such value. */
bool eg_window_value(struct eg_window *window, enum eg_statistic statistic, double *ret);
/* How much of its time its readings speak for, and how long it is. */
int64_t eg_window_observed(struct eg_window *window, int64_t *ret_width_ms);
/* How many of its hours (or parts, see above) are valid. */
unsigned eg_window_hours(struct eg_window *window);
#endif
