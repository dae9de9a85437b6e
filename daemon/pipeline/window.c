/* Windows. Knows times, values and where local hours, days and months begin. Called by series.c, judge.c and rejudge.c. */
#include <pipeline/window.h>
#include <pipeline/sketch.h>
#include <base/zone.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct point {
    int64_t ms;
    double value;
};
struct pane {
    int64_t index; /* covers (index-1, index] * pane width; 0 readings: empty */
    uint32_t count;
    uint32_t above;
    int64_t first_ms, last_ms;
    double sum, min, max, first, last;
    double apart;       /* sum of squares of how far values lie from their mean */
    double east, north; /* sums of directions */
};
/* One more than is exact: as long as the oldest of them lies in the window there are too many readings for that, and when it has left, the
 * others are all there is. So whether the panes are asked depends on the readings in the window alone, not on what came before: a window
 * that was rebuilt says what the one that lived on would say. */
#define POINTS_MAX (EG_WINDOW_RAW + 1)
#define RADIANS 0.017453292519943295
#define SLACK 15 /* so many may be evicted before the rest moves to the front */

struct eg_window {
    struct eg_window_shape shape;
    int64_t width_ms, pane_ms, newest_ms;
    int64_t base_ms, end_ms;       /* of an aligned one: [base, end); else base is the epoch */
    size_t start, count, capacity; /* of points, ascending by time: the newest POINTS_MAX of the window */
    struct point *points;
    struct pane *panes; /* not NULL: more than EG_WINDOW_RAW readings lie in the window; a ring by index */
    struct pane before; /* all panes but the newest in one, while that has the index `before_of` */
    int64_t before_of;
    struct eg_sketch *sketches; /* of a quantile: a pane each, and behind them `before` */
};

struct eg_window *eg_window_create(const struct eg_window_shape *shape)
{
    struct eg_window *window = calloc(1, sizeof *window);
    if (window) {
        window->shape = *shape;
        window->width_ms = shape->width_ms > EG_WINDOW_PANES ? shape->width_ms : EG_WINDOW_PANES;
        window->pane_ms = window->width_ms / EG_WINDOW_PANES;
        window->newest_ms = INT64_MIN;
    }
    return window;
}

static void drop_panes(struct eg_window *window)
{
    for (int i = 0; window->sketches && i <= EG_WINDOW_PANES; i++)
        eg_sketch_finish(&window->sketches[i]);
    free(window->sketches);
    free(window->panes);
    window->sketches = NULL;
    window->panes = NULL;
}

void eg_window_clear(struct eg_window *window)
{
    free(window->points);
    drop_panes(window);
    window->points = NULL;
    window->start = window->count = window->capacity = 0;
    window->newest_ms = window->end_ms = INT64_MIN;
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
    ms -= window->base_ms;
    return ms > 0 ? (ms + window->pane_ms - 1) / window->pane_ms : ms / window->pane_ms;
}

static bool pane_add(struct eg_window *window, int64_t ms, double value)
{
    int64_t index = pane_index(window, ms);
    size_t place = (uint64_t)index % EG_WINDOW_PANES;
    struct pane *pane = &window->panes[place];
    if (!pane->count || pane->index != index) {
        memset(pane, 0, sizeof *pane);
        pane->index = index;
        if (window->sketches)
            eg_sketch_clear(&window->sketches[place]);
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
    if (pane->count) {
        double off = value - pane->sum / pane->count;
        pane->apart += off * off * pane->count / (pane->count + 1.0);
    }
    pane->sum += value;
    pane->count++;
    pane->above += window->shape.statistic == EG_STAT_ABOVE && value > window->shape.above;
    if (window->shape.statistic == EG_STAT_VECTOR_MEAN) {
        pane->east += sin(value * RADIANS);
        pane->north += cos(value * RADIANS);
    }
    if (index < window->before_of)
        window->before_of = INT64_MIN; /* a late one: made anew when asked for */
    return !window->sketches || eg_sketch_add(&window->sketches[place], value);
}

static bool to_panes(struct eg_window *window)
{
    bool quantile = window->shape.statistic == EG_STAT_QUANTILE, ok = true;
    window->panes = calloc(EG_WINDOW_PANES, sizeof *window->panes);
    window->sketches = quantile ? calloc(EG_WINDOW_PANES + 1, sizeof *window->sketches) : NULL;
    if (!window->panes || (quantile && !window->sketches)) {
        drop_panes(window);
        return false;
    }
    window->before_of = INT64_MIN;
    for (const struct point *point = window->points + window->start;
         point < window->points + window->start + window->count; point++)
        if (pane_index(window, point->ms) > pane_index(window, window->newest_ms) - EG_WINDOW_PANES)
            ok = pane_add(window, point->ms, point->value) && ok;
    return ok;
}

static void evict(struct eg_window *window)
{
    for (; window->count && window->points[window->start].ms <= window->newest_ms - window->width_ms;
         window->count--)
        window->start++;
    if (window->panes && window->count < EG_WINDOW_RAW) /* with the reading to come it is exact again */
        drop_panes(window);
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

/* The period of an aligned window that holds `ms`. */
static void begin_period(struct eg_window *window, int64_t ms)
{
    eg_window_clear(window);
    if (window->shape.calendar == EG_CALENDAR_HOUR)
        eg_zone_hour(ms, &window->base_ms, &window->end_ms);
    else if (window->shape.calendar == EG_CALENDAR_DAY)
        eg_zone_day(ms, &window->base_ms, &window->end_ms);
    else
        eg_zone_month(ms, &window->base_ms, &window->end_ms);
    window->width_ms = window->end_ms - window->base_ms;
    window->pane_ms = window->width_ms / EG_WINDOW_PANES + 1; /* all of it lies in the ring */
}

bool eg_window_add(struct eg_window *window, int64_t ms, double value)
{
    if (window->shape.calendar && window->newest_ms != INT64_MIN && ms < window->base_ms)
        return true;
    if (window->shape.calendar && (window->newest_ms == INT64_MIN || ms >= window->end_ms))
        begin_period(window, ms);
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
    return pane_index(window, ms) <= pane_index(window, window->newest_ms) - EG_WINDOW_PANES ||
           pane_add(window, ms, value);
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
    double off = one->sum / one->count - all->sum / all->count;
    all->apart += one->apart + off * off * all->count * one->count / ((double)all->count + one->count);
    all->count += one->count;
    all->above += one->above;
    all->sum += one->sum;
    all->east += one->east;
    all->north += one->north;
    all->min = one->min < all->min ? one->min : all->min;
    all->max = one->max > all->max ? one->max : all->max;
    all->last = one->last;
    all->last_ms = one->last_ms;
}

/* Oldest first, so that sums do not depend on the ring's turn, nor on when it was last asked for. */
static bool total_of_panes(struct eg_window *window, struct pane *ret)
{
    int64_t newest = pane_index(window, window->newest_ms);
    struct eg_sketch *sketch = window->sketches ? &window->sketches[EG_WINDOW_PANES] : NULL;
    if (window->before_of != newest) {
        memset(&window->before, 0, sizeof window->before);
        if (sketch)
            eg_sketch_clear(sketch);
        for (int64_t index = newest - EG_WINDOW_PANES + 1; index < newest; index++) {
            size_t place = (uint64_t)index % EG_WINDOW_PANES;
            const struct pane *one = &window->panes[place];
            if (!one->count || one->index != index)
                continue;
            merge(&window->before, one);
            if (sketch && !eg_sketch_merge(sketch, &window->sketches[place]))
                return false;
        }
        window->before_of = newest;
    }
    *ret = window->before;
    merge(ret,
          &window->panes[(uint64_t)newest % EG_WINDOW_PANES]); /* holds the newest reading: never empty */
    return true;
}

static bool rate(const struct pane *all, double *ret)
{
    if (all->last_ms <= all->first_ms)
        return false;
    *ret = (all->last - all->first) * 3600000.0 / (double)(all->last_ms - all->first_ms);
    return true;
}

/* Where from, 0 … 360. */
static bool direction(const struct pane *all, double *ret)
{
    if (hypot(all->east, all->north) < 1e-6 * all->count)
        return false;
    *ret = fmod(atan2(all->east, all->north) / RADIANS + 360, 360);
    return true;
}

/* What panes tell but for quantiles; points that are few become one pane. */
static bool value_of_pane(const struct pane *all, enum eg_statistic statistic, double *ret)
{
    switch (statistic) {
    case EG_STAT_RATE:
        return rate(all, ret);
    case EG_STAT_CHANGE:
        *ret = all->last - all->first;
        return all->last_ms > all->first_ms;
    case EG_STAT_VECTOR_MEAN:
        return direction(all, ret);
    case EG_STAT_STDDEV:
        *ret = sqrt(all->apart / (all->count - 1.0));
        return all->count > 1;
    case EG_STAT_READINGS:
        *ret = all->count;
        return true;
    case EG_STAT_ABOVE:
        *ret = (double)all->above / all->count;
        return true;
    case EG_STAT_MEAN:
        *ret = all->sum / all->count;
        return true;
    case EG_STAT_SUM:
        *ret = all->sum;
        return true;
    case EG_STAT_MIN:
        *ret = all->min;
        return true;
    case EG_STAT_MAX:
        *ret = all->max;
        return true;
    default:
        return false;
    }
}

/* `ends`: of the first and the last, which is all that a change needs. */
static struct pane pane_of_points(const struct eg_window *window, bool ends)
{
    struct pane all = {0};
    for (size_t i = 0; i < window->count; i += ends && window->count > 1 ? window->count - 1 : 1) {
        const struct point *point = &window->points[window->start + i];
        struct pane one = {.count = 1,
                           .first_ms = point->ms,
                           .last_ms = point->ms,
                           .sum = point->value,
                           .min = point->value,
                           .max = point->value,
                           .first = point->value,
                           .last = point->value};
        one.above = window->shape.statistic == EG_STAT_ABOVE && point->value > window->shape.above;
        if (window->shape.statistic == EG_STAT_VECTOR_MEAN) {
            one.east = sin(point->value * RADIANS);
            one.north = cos(point->value * RADIANS);
        }
        merge(&all, &one);
    }
    return all;
}

static double quantile_of_points(const struct eg_window *window)
{
    double values[EG_WINDOW_RAW];
    for (size_t i = 0; i < window->count; i++)
        values[i] = window->points[window->start + i].value;
    return eg_sketch_exact(values, window->count, window->shape.share);
}

bool eg_window_value(struct eg_window *window, enum eg_statistic statistic, double *ret)
{
    struct pane all;
    if (!window->panes && !window->count)
        return false;
    if (!window->panes && statistic == EG_STAT_QUANTILE) {
        *ret = quantile_of_points(window);
        return true;
    }
    if (!window->panes && statistic >= EG_STAT_MEAN && statistic <= EG_STAT_SUM) {
        *ret = value_of_points(window->points + window->start, window->count, statistic);
        return true;
    }
    if (!window->panes) {
        all = pane_of_points(window, statistic == EG_STAT_RATE || statistic == EG_STAT_CHANGE);
        return value_of_pane(&all, statistic, ret);
    }
    if (!total_of_panes(window, &all))
        return false;
    if (statistic != EG_STAT_QUANTILE)
        return value_of_pane(&all, statistic, ret);
    double value = eg_sketch_quantile(
        &window->sketches[EG_WINDOW_PANES],
        &window->sketches[(uint64_t)pane_index(window, window->newest_ms) % EG_WINDOW_PANES],
        window->shape.share);
    *ret = value < all.min ? all.min : value > all.max ? all.max : value;
    return true;
}

/* --- how complete it is --- */

#define SPEAKS_MAX_MS (INT64_C(60) * 60 * 1000)

static int64_t observed_of_points(const struct eg_window *window, int64_t from_ms, int64_t speaks_ms)
{
    int64_t before = from_ms, observed = 0;
    for (size_t i = 0; i < window->count; i++) {
        int64_t ms = window->points[window->start + i].ms, gap = ms - before;
        observed += gap < speaks_ms ? gap : speaks_ms;
        before = ms;
    }
    return observed;
}

static int64_t observed_of_panes(const struct eg_window *window, int64_t speaks_ms)
{
    const int64_t newest = pane_index(window, window->newest_ms),
                  reach = (speaks_ms + window->pane_ms - 1) / window->pane_ms;
    int64_t observed = 0, spoken_from = newest + 1; /* each pane speaks for itself and those before it */
    for (int64_t index = newest; index > newest - EG_WINDOW_PANES; index--) {
        const struct pane *one = &window->panes[(uint64_t)index % EG_WINDOW_PANES];
        if (one->count && one->index == index)
            spoken_from = index - (reach > 1 ? reach : 1);
        observed += index > spoken_from && spoken_from <= newest ? window->pane_ms : 0;
    }
    return observed;
}

int64_t eg_window_observed(const struct eg_window *window, int64_t interval_ms, int64_t *ret_width_ms)
{
    *ret_width_ms = window->width_ms;
    if (!window->count)
        return 0;
    const struct point *points = window->points + window->start;
    int64_t speaks = interval_ms, observed,
            passed = window->shape.calendar ? window->newest_ms - window->base_ms : window->width_ms;
    if (window->count > 1) {
        int64_t apart = (points[window->count - 1].ms - points[0].ms) / (int64_t)(window->count - 1);
        speaks = speaks > 0 && speaks < apart ? speaks : apart;
    }
    speaks += speaks / 4; /* no clock is exact */
    if (speaks > SPEAKS_MAX_MS)
        speaks = SPEAKS_MAX_MS;
    observed = window->panes ? observed_of_panes(window, speaks)
                             : observed_of_points(window, window->newest_ms - passed, speaks);
    return observed < passed ? observed : passed;
}
