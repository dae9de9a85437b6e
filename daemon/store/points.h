/* Private to the store: a growing list of points of one series. */
#ifndef EG_POINTS_H
#define EG_POINTS_H

#include <store/store.h>

struct eg_points {
    struct eg_point *rows;
    size_t count, capacity;
};

bool eg_points_add(struct eg_points *points, const struct eg_point *point); /* false: no memory */
void eg_points_reverse(struct eg_points *points);
/* Ascending by time, one point a time: of several with the same time the last one stays. False: no memory. */
bool eg_points_sort(struct eg_points *points);
/* Both lists ascending; where both have a time, `newer` wins. Appends to `out`. False: no memory. */
bool eg_points_merge(const struct eg_points *older, const struct eg_points *newer, struct eg_points *out);
void eg_points_finish(struct eg_points *points);

#endif
