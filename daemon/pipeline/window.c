/* Sliding windows. Knows times and values only. Called by series.c and rule.c. */
#include <pipeline/window.h>

#include <stdlib.h>
#include <string.h>

struct point {
    int64_t ms;
    double value;
};
struct pane {
    int64_t index; /* covers (index-1, index] * pane width; 0 readings: empty */
    uint32_t count;
    int64_t first_ms, last_ms;
    double sum, min, max, first, last;
};
/* One more than is exact: as long as the oldest of them lies in the window there are too many readings for that, and when it has left, the
 * others are all there is. So whether the panes are asked depends on the readings in the window alone, not on what came before: a window
 * that was rebuilt says what the one that lived on would say. */
#define POINTS_MAX (EG_WINDOW_RAW + 1)
#define SLACK 15 /* so many may be evicted before the rest moves to the front */

struct eg_window {
    int64_t width_ms, pane_ms, newest_ms;
    size_t start, count, capacity; /* of points, ascending by time: the newest POINTS_MAX of the window */
    struct point *points;
    struct pane *panes; /* not NULL: more than EG_WINDOW_RAW readings lie in the window; a ring by index */
    struct pane before; /* all panes but the newest in one, while that has the index `before_of` */
    int64_t before_of;
};

struct eg_window *eg_window_create(int64_t width_ms)
{
    struct eg_window *window = calloc(1, sizeof *window);
    if (window) {
        window->width_ms = width_ms > EG_WINDOW_PANES ? width_ms : EG_WINDOW_PANES;
        window->pane_ms = window->width_ms / EG_WINDOW_PANES;
        window->newest_ms = INT64_MIN;
    }
    return window;
}

void eg_window_clear(struct eg_window *window)
{
    free(window->points);
    free(window->panes);
    window->points = NULL;
    window->panes = NULL;
    window->start = window->count = window->capacity = 0;
    window->newest_ms = INT64_MIN;
}

void eg_window_destroy(struct eg_window *window)
{
    if (!window)
        return;
    eg_window_clear(window);
    free(window);
}

static int64_t pane_index(const struct eg_window *window, int64_t ms)
{
    return ms > 0 ? (ms + window->pane_ms - 1) / window->pane_ms : ms / window->pane_ms;
}

static void pane_add(struct eg_window *window, int64_t ms, double value)
{
    int64_t index = pane_index(window, ms);
    struct pane *pane = &window->panes[(uint64_t)index % EG_WINDOW_PANES];
    if (pane->index != index) {
        memset(pane, 0, sizeof *pane);
        pane->index = index;
    }
    if (!pane->count || ms < pane->first_ms) {
        pane->first_ms = ms;
        pane->first = value;
    }
    if (!pane->count || ms >= pane->last_ms) {
        pane->last_ms = ms;
        pane->last = value;
    }
    if (!pane->count || value < pane->min)
        pane->min = value;
    if (!pane->count || value > pane->max)
        pane->max = value;
    pane->sum += value;
    pane->count++;
    if (index < window->before_of)
        window->before_of = INT64_MIN; /* a late one: made anew when asked for */
}

static bool to_panes(struct eg_window *window)
{
    window->panes = calloc(EG_WINDOW_PANES, sizeof *window->panes);
    if (!window->panes)
        return false;
    window->before_of = INT64_MIN;
    for (const struct point *point = window->points + window->start;
         point < window->points + window->start + window->count; point++)
        if (pane_index(window, point->ms) > pane_index(window, window->newest_ms) - EG_WINDOW_PANES)
            pane_add(window, point->ms, point->value);
    return true;
}

static void evict(struct eg_window *window)
{
    for (; window->count && window->points[window->start].ms <= window->newest_ms - window->width_ms;
         window->count--)
        window->start++;
    if (window->panes && window->count < EG_WINDOW_RAW) { /* with the reading to come it is exact again */
        free(window->panes);
        window->panes = NULL;
    }
}

/* Room for one more behind the last: what was evicted in front is used first. */
static bool make_room(struct eg_window *window)
{
    if (window->start + window->count < window->capacity)
        return true;
    if (window->start) {
        memmove(window->points, window->points + window->start, window->count * sizeof *window->points);
        window->start = 0;
        return true;
    }
    size_t more = window->capacity ? window->capacity * 2 : 8;
    if (more > POINTS_MAX + SLACK)
        more = POINTS_MAX + SLACK;
    struct point *points = realloc(window->points, more * sizeof *points);
    if (!points)
        return false;
    window->points = points;
    window->capacity = more;
    return true;
}

static bool add_point(struct eg_window *window, int64_t ms, double value)
{
    if (window->count == POINTS_MAX) {
        if (ms < window->points[window->start].ms)
            return true; /* not among the newest */
        window->start++;
        window->count--;
    }
    if (!make_room(window))
        return false;
    struct point *points = window->points + window->start;
    size_t at = window->count++;
    for (; at && points[at - 1].ms > ms; at--)
        points[at] = points[at - 1];
    points[at] = (struct point){ms, value};
    return true;
}

bool eg_window_add(struct eg_window *window, int64_t ms, double value)
{
    if (window->newest_ms != INT64_MIN && ms <= window->newest_ms - window->width_ms)
        return true;
    if (ms > window->newest_ms)
        window->newest_ms = ms;
    evict(window);
    if (!add_point(window, ms, value))
        return false;
    if (window->count <= EG_WINDOW_RAW)
        return true;
    if (!window->panes)
        return to_panes(window);
    if (pane_index(window, ms) > pane_index(window, window->newest_ms) - EG_WINDOW_PANES)
        pane_add(window, ms, value);
    return true;
}

/* --- the value: asked for every reading by every rule, so no more is looked at than has to be --- */

static double value_of_points(const struct point *points, size_t count, enum eg_statistic statistic)
{
    double value = points[0].value;
    if (statistic == EG_STAT_MIN)
        for (size_t i = 1; i < count; i++)
            value = points[i].value < value ? points[i].value : value;
    else if (statistic == EG_STAT_MAX)
        for (size_t i = 1; i < count; i++)
            value = points[i].value > value ? points[i].value : value;
    else
        for (size_t i = 1; i < count; i++)
            value += points[i].value;
    return statistic == EG_STAT_MEAN ? value / (double)count : value;
}

static void merge(struct pane *all, const struct pane *one)
{
    if (!all->count) {
        *all = *one;
        return;
    }
    all->count += one->count;
    all->sum += one->sum;
    all->min = one->min < all->min ? one->min : all->min;
    all->max = one->max > all->max ? one->max : all->max;
    all->last = one->last;
    all->last_ms = one->last_ms;
}

/* Oldest first, so that sums do not depend on the ring's turn, nor on when it was last asked for. */
static struct pane total_of_panes(struct eg_window *window)
{
    int64_t newest = pane_index(window, window->newest_ms);
    if (window->before_of != newest) {
        memset(&window->before, 0, sizeof window->before);
        for (int64_t index = newest - EG_WINDOW_PANES + 1; index < newest; index++) {
            const struct pane *one = &window->panes[(uint64_t)index % EG_WINDOW_PANES];
            if (one->count && one->index == index)
                merge(&window->before, one);
        }
        window->before_of = newest;
    }
    struct pane all = window->before;
    merge(&all,
          &window->panes[(uint64_t)newest % EG_WINDOW_PANES]); /* holds the newest reading: never empty */
    return all;
}

static bool rate(const struct point *first, const struct point *last, double *ret)
{
    if (last->ms <= first->ms)
        return false;
    *ret = (last->value - first->value) * 3600000.0 / (double)(last->ms - first->ms);
    return true;
}

bool eg_window_value(struct eg_window *window, enum eg_statistic statistic, double *ret)
{
    if (statistic < EG_STAT_MEAN || statistic > EG_STAT_RATE || (!window->panes && !window->count))
        return false;
    if (!window->panes) {
        const struct point *points = window->points + window->start;
        if (statistic == EG_STAT_RATE)
            return rate(points, points + window->count - 1, ret);
        *ret = value_of_points(points, window->count, statistic);
        return true;
    }
    struct pane all = total_of_panes(window);
    if (statistic == EG_STAT_RATE)
        return rate(&(struct point){all.first_ms, all.first}, &(struct point){all.last_ms, all.last}, ret);
    *ret = statistic == EG_STAT_MEAN  ? all.sum / all.count
           : statistic == EG_STAT_SUM ? all.sum
           : statistic == EG_STAT_MIN ? all.min
                                      : all.max;
    return true;
}
