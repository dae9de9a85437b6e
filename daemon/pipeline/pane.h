/* What a stretch of a window's time holds, without the single readings. Private to the pipeline; window.c's. */
#ifndef EG_PANE_H
#define EG_PANE_H
#include <pipeline/window.h>
struct eg_pane {
    int64_t index; /* covers [index, index+1) * pane width; 0 readings: empty */
    uint32_t count;
    int64_t first_ms, last_ms, spoken_ms, above_ms; /* above_ms: of it, by readings above the limit */
    double sum, min, max, first, last;
    double apart;       /* sum of squares of how far values lie from their mean */
    double east, north; /* sums of directions */
};
/* `shape`: whose: what only some statistics need is left out for others. */
void eg_pane_add(struct eg_pane *pane, const struct eg_window_shape *shape, int64_t ms, double value,
                 int64_t spoken_ms);
/* One of its readings, of that value, speaks for so much more. */
void eg_pane_speak(struct eg_pane *pane, const struct eg_window_shape *shape, double value,
                   int64_t spoken_ms);
/* Adds a later one, of which no reading is before any of this one's. */
void eg_pane_merge(struct eg_pane *pane, const struct eg_pane *later);
/* Parts of a window, each of whole panes: their means, and how many of them are spoken for by as much as is asked. */
struct eg_parts {
    double means; /* the sum of the means of all but the newest */
    unsigned count, valid;
    uint32_t newest_count; /* readings */
    double newest_sum;
    int64_t newest_spoken_ms;
};
/* Of the newest part, which has readings. */
void eg_parts_add(struct eg_parts *parts, uint32_t count, double sum, int64_t spoken_ms);
/* The next one begins. `enough_ms`: that a part is valid with. */
void eg_parts_close(struct eg_parts *parts, int64_t enough_ms);
/* What it tells by itself: all but the mean and quantiles. False: no such value. */
bool eg_pane_value(const struct eg_pane *pane, enum eg_statistic statistic, double *ret);
#endif
