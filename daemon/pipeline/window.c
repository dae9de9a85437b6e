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
struct eg_window {
    int64_t width_ms, newest_ms;
    size_t count, capacity; /* of points, ascending by time */
    struct point *points;
    struct pane *panes; /* not NULL: paned; a ring by index */
};

struct eg_window *eg_window_create(int64_t width_ms)
{
    struct eg_window *window = calloc(1, sizeof *window);
    if (window) {
        window->width_ms = width_ms > EG_WINDOW_PANES ? width_ms : EG_WINDOW_PANES;
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
    window->count = window->capacity = 0;
    window->newest_ms = INT64_MIN;
}

void eg_window_destroy(struct eg_window *window)
{
    if (!window)
        return;
    eg_window_clear(window);
    free(window);
}

static int64_t pane_width(const struct eg_window *window)
{
    return window->width_ms / EG_WINDOW_PANES;
}

static int64_t pane_index(const struct eg_window *window, int64_t ms)
{
    int64_t width = pane_width(window);
    return ms > 0 ? (ms + width - 1) / width : ms / width;
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
}

static bool to_panes(struct eg_window *window)
{
    window->panes = calloc(EG_WINDOW_PANES, sizeof *window->panes);
    if (!window->panes)
        return false;
    for (size_t i = 0; i < window->count; i++)
        if (pane_index(window, window->points[i].ms) > pane_index(window, window->newest_ms) - EG_WINDOW_PANES)
            pane_add(window, window->points[i].ms, window->points[i].value);
    free(window->points);
    window->points = NULL;
    window->count = window->capacity = 0;
    return true;
}

static void evict(struct eg_window *window)
{
    size_t gone = 0;
    while (gone < window->count && window->points[gone].ms <= window->newest_ms - window->width_ms)
        gone++;
    if (gone) {
        window->count -= gone;
        memmove(window->points, window->points + gone, window->count * sizeof *window->points);
    }
}

static bool grow(struct eg_window *window)
{
    size_t more = window->capacity ? window->capacity * 2 : 8;
    struct point *points = realloc(window->points, more * sizeof *points);
    if (!points)
        return false;
    window->points = points;
    window->capacity = more;
    return true;
}

bool eg_window_add(struct eg_window *window, int64_t ms, double value)
{
    if (window->newest_ms != INT64_MIN && ms <= window->newest_ms - window->width_ms)
        return true;
    if (window->panes && ms - window->width_ms >= window->newest_ms)
        eg_window_clear(window); /* nothing of it is left: exact again */
    if (ms > window->newest_ms)
        window->newest_ms = ms;
    if (window->panes) {
        if (pane_index(window, ms) > pane_index(window, window->newest_ms) - EG_WINDOW_PANES)
            pane_add(window, ms, value);
        return true;
    }
    evict(window);
    if (window->count == EG_WINDOW_RAW) {
        if (!to_panes(window))
            return false;
        pane_add(window, ms, value);
        return true;
    }
    if (window->count == window->capacity && !grow(window))
        return false;
    size_t at = window->count;
    while (at && window->points[at - 1].ms > ms)
        at--;
    memmove(window->points + at + 1, window->points + at, (window->count - at) * sizeof *window->points);
    window->points[at] = (struct point){ms, value};
    window->count++;
    return true;
}

/* Both give the window as one pane, oldest first, so that sums do not depend on the ring's turn. This runs for every reading of every
 * rule: no more is looked at than has to be. */
static struct pane total_of_points(const struct eg_window *window)
{
    const struct point *points = window->points;
    double sum = points[0].value, min = sum, max = sum;
    for (size_t i = 1; i < window->count; i++) {
        double value = points[i].value;
        sum += value;
        min = value < min ? value : min;
        max = value > max ? value : max;
    }
    const struct point *last = &points[window->count - 1];
    return (struct pane){0, (uint32_t)window->count, points[0].ms, last->ms, sum, min, max, points[0].value, last->value};
}

static struct pane total_of_panes(const struct eg_window *window)
{
    struct pane all = {0};
    int64_t oldest = pane_index(window, window->newest_ms) - EG_WINDOW_PANES + 1;
    size_t at = (uint64_t)oldest % EG_WINDOW_PANES;
    for (int64_t index = oldest; index < oldest + EG_WINDOW_PANES; index++, at = at + 1 < EG_WINDOW_PANES ? at + 1 : 0) {
        const struct pane *one = &window->panes[at];
        if (!one->count || one->index != index)
            continue;
        if (!all.count) {
            all = *one;
            continue;
        }
        all.count += one->count;
        all.sum += one->sum;
        all.min = one->min < all.min ? one->min : all.min;
        all.max = one->max > all.max ? one->max : all.max;
        all.last = one->last;
        all.last_ms = one->last_ms;
    }
    return all;
}

bool eg_window_value(const struct eg_window *window, enum eg_statistic statistic, double *ret)
{
    if (!window->panes && !window->count)
        return false;
    struct pane all = window->panes ? total_of_panes(window) : total_of_points(window);
    if (!all.count)
        return false;
    switch (statistic) {
    case EG_STAT_MEAN:
        *ret = all.sum / all.count;
        return true;
    case EG_STAT_SUM:
        *ret = all.sum;
        return true;
    case EG_STAT_MIN:
        *ret = all.min;
        return true;
    case EG_STAT_MAX:
        *ret = all.max;
        return true;
    case EG_STAT_RATE:
        if (all.last_ms <= all.first_ms)
            return false;
        *ret = (all.last - all.first) * 3600000.0 / (double)(all.last_ms - all.first_ms);
        return true;
    default:
        return false;
    }
}
