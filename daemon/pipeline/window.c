/* Windows. Knows times, values and where local hours, days and months begin. Called by series.c, judge.c and rejudge.c. */
#include <pipeline/window.h>
#include <pipeline/pane.h>
#include <pipeline/sketch.h>
#include <base/zone.h>

#include <stdlib.h>
#include <string.h>

struct point {
    int64_t ms;
    double value;
    uint32_t spoken_ms;
};
/* One more than is exact: as long as the oldest of them lies in the window there are too many readings for that, and when it has left, the
 * others are all there is. So whether the panes are asked depends on the readings in the window alone, not on what came before: a window
 * that was rebuilt says what the one that lived on would say. */
#define POINTS_MAX (EG_WINDOW_RAW + 1)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define SLACK 15 /* so many may be evicted before the rest moves to the front */

struct eg_window {
    struct eg_window_shape shape;
    int64_t width_ms, pane_ms, newest_ms;
    int64_t base_ms, end_ms;       /* of an aligned one: [base, end); else base is the epoch */
    int parts, panes_a_part;       /* which its mean is made of */
    int pane_count;                /* all of an aligned one lies in them */
    size_t start, count, capacity; /* of points, ascending by time: the newest POINTS_MAX of the window */
    struct point *points;
    struct eg_pane *panes; /* not NULL: more than EG_WINDOW_RAW readings lie in the window; a ring by index */
    struct eg_pane before; /* all panes but the newest in one, while that has the index `before_of` */
    struct eg_parts before_parts; /* likewise */
    int64_t before_of;
    struct eg_sketch *sketches; /* of a quantile: a pane each, and behind them `before` */
};

/* Into so many parts of as many whole panes as there may be. */
static void divide(struct eg_window *window, int parts)
{
    window->parts = parts < 1 ? 1 : parts > EG_WINDOW_PANES ? EG_WINDOW_PANES : parts;
    window->panes_a_part = EG_WINDOW_PANES / window->parts;
    window->pane_count = window->parts * window->panes_a_part;
}

struct eg_window *eg_window_create(const struct eg_window_shape *shape)
{
    struct eg_window *window = calloc(1, sizeof *window);
    if (window) {
        window->shape = *shape;
        window->width_ms = shape->width_ms > EG_WINDOW_PANES ? shape->width_ms : EG_WINDOW_PANES;
        const int64_t hours = (window->width_ms + HOUR_MS / 2) / HOUR_MS;
        divide(window, hours < EG_WINDOW_PANES ? (int)hours : EG_WINDOW_PANES);
        window->pane_ms = window->width_ms / window->pane_count;
        window->newest_ms = INT64_MIN;
    }
    return window;
}

static void drop_panes(struct eg_window *window)
{
    for (int i = 0; window->sketches && i <= window->pane_count; i++)
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
    return (ms - window->base_ms) / window->pane_ms;
}

static size_t place_of(const struct eg_window *window, int64_t index)
{
    return (uint64_t)index % (unsigned)window->pane_count;
}

/* Of the panes that are in use while `newest` is the newest. */
static int64_t oldest_index(const struct eg_window *window, int64_t newest)
{
    return window->shape.calendar ? 0 : newest - window->pane_count + 1;
}

static bool pane_add(struct eg_window *window, int64_t ms, double value, int64_t spoken_ms)
{
    int64_t index = pane_index(window, ms);
    size_t place = place_of(window, index);
    struct eg_pane *pane = &window->panes[place];
    if (!pane->count || pane->index != index) {
        *pane = (struct eg_pane){.index = index};
        if (window->sketches)
            eg_sketch_clear(&window->sketches[place]);
    }
    eg_pane_add(pane, &window->shape, ms, value, spoken_ms);
    if (index < window->before_of)
        window->before_of = INT64_MIN; /* a late one: made anew when asked for */
    return !window->sketches || eg_sketch_add(&window->sketches[place], value);
}

static bool to_panes(struct eg_window *window)
{
    bool quantile = window->shape.statistic == EG_STAT_QUANTILE, ok = true;
    const size_t room = (size_t)window->pane_count;
    window->panes = calloc(room, sizeof *window->panes);
    window->sketches = quantile ? calloc(room + 1, sizeof *window->sketches) : NULL;
    if (!window->panes || (quantile && !window->sketches)) {
        drop_panes(window);
        return false;
    }
    window->before_of = INT64_MIN;
    for (const struct point *point = window->points + window->start;
         point < window->points + window->start + window->count; point++)
        if (pane_index(window, point->ms) >= oldest_index(window, pane_index(window, window->newest_ms)))
            ok = pane_add(window, point->ms, point->value, point->spoken_ms) && ok;
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

static bool add_point(struct eg_window *window, int64_t ms, double value, int64_t spoken_ms)
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
    points[at] = (struct point){ms, value, (uint32_t)spoken_ms};
    return true;
}

/* A day into its hours, a month into its days, two panes each: where clocks change, a month's are some minutes longer or shorter. */
static void divide_period(struct eg_window *window)
{
    const int64_t width_ms = window->width_ms;
    if (window->shape.calendar == EG_CALENDAR_HOUR) {
        divide(window, 1);
        window->pane_ms = (width_ms + window->pane_count - 1) / window->pane_count;
        return;
    }
    const bool day = window->shape.calendar == EG_CALENDAR_DAY;
    window->parts = (int)(day ? (width_ms + HOUR_MS - 1) / HOUR_MS : (width_ms + DAY_MS / 2) / DAY_MS);
    window->panes_a_part = 2;
    window->pane_count = window->parts * 2;
    window->pane_ms = day ? HOUR_MS / 2 : (width_ms + window->pane_count - 1) / window->pane_count;
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
    divide_period(window);
}

/* A reading before which nothing is known speaks for as long as the one after it. */
static void speak_for_first(struct eg_window *window, int64_t spoken_ms)
{
    struct point *last = window->points + window->start + window->count - 1;
    if (window->shape.calendar && spoken_ms > last->ms - window->base_ms)
        spoken_ms = last->ms - window->base_ms;
    last->spoken_ms = (uint32_t)spoken_ms;
    if (window->panes)
        eg_pane_speak(&window->panes[place_of(window, pane_index(window, last->ms))], &window->shape,
                      last->value, spoken_ms);
}

bool eg_window_add(struct eg_window *window, int64_t ms, double value, int64_t spoken_ms)
{
    if (window->shape.calendar && window->newest_ms != INT64_MIN && ms < window->base_ms)
        return true;
    if (window->shape.calendar && (window->newest_ms == INT64_MIN || ms >= window->end_ms))
        begin_period(window, ms);
    if (window->newest_ms != INT64_MIN && ms <= window->newest_ms - window->width_ms)
        return true;
    const bool newest = ms > window->newest_ms;
    window->newest_ms = newest ? ms : window->newest_ms;
    evict(window);
    if (newest && window->count && !window->points[window->start + window->count - 1].spoken_ms)
        speak_for_first(window, spoken_ms);
    if (window->shape.calendar && spoken_ms > ms - window->base_ms)
        spoken_ms = ms - window->base_ms;
    if (!add_point(window, ms, value, spoken_ms))
        return false;
    if (window->count <= EG_WINDOW_RAW)
        return true;
    if (!window->panes)
        return to_panes(window);
    return pane_index(window, ms) < oldest_index(window, pane_index(window, window->newest_ms)) ||
           pane_add(window, ms, value, spoken_ms);
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

static int64_t part_of(const struct eg_window *window, int64_t index)
{
    return window->parts > 1 ? index / window->panes_a_part : 0;
}

/* Oldest first, so that sums do not depend on the ring's turn, nor on when it was last asked for. */
static bool sum_up_before(struct eg_window *window, int64_t newest)
{
    struct eg_sketch *sketch = window->sketches ? &window->sketches[window->pane_count] : NULL;
    struct eg_parts parts = {0};
    int64_t part = INT64_MIN;
    memset(&window->before, 0, sizeof window->before);
    if (sketch)
        eg_sketch_clear(sketch);
    for (int64_t index = oldest_index(window, newest); index < newest; index++) {
        size_t place = place_of(window, index);
        const struct eg_pane *one = &window->panes[place];
        if (!one->count || one->index != index)
            continue;
        if (part_of(window, index) != part)
            eg_parts_close(&parts, window->shape.enough_ms);
        part = part_of(window, index);
        eg_parts_add(&parts, one->count, one->sum, one->spoken_ms);
        eg_pane_merge(&window->before, one);
        if (sketch && !eg_sketch_merge(sketch, &window->sketches[place]))
            return false;
    }
    if (part_of(window, newest) != part)
        eg_parts_close(&parts, window->shape.enough_ms);
    window->before_parts = parts;
    window->before_of = newest;
    return true;
}

/* The newest pane, which is never empty, and in `before` all others. NULL: no memory. */
static const struct eg_pane *newest_pane(struct eg_window *window)
{
    int64_t newest = pane_index(window, window->newest_ms);
    if (window->before_of != newest && !sum_up_before(window, newest))
        return NULL;
    return &window->panes[place_of(window, newest)];
}

static double mean_of_panes(const struct eg_window *window, const struct eg_pane *newest)
{
    const struct eg_parts *parts = &window->before_parts;
    double mean = (parts->newest_sum + newest->sum) / ((double)parts->newest_count + newest->count);
    return (parts->means + mean) / (parts->count + 1);
}

static int64_t passed_of(const struct eg_window *window)
{
    return window->shape.calendar ? window->newest_ms - window->base_ms : window->width_ms;
}

/* What the first one speaks for may have begun before the window. */
static int64_t spoken_by(const struct eg_window *window, size_t at)
{
    const struct point *point = window->points + window->start + at;
    const int64_t into_ms = point->ms - (window->newest_ms - passed_of(window));
    return at || point->spoken_ms < into_ms ? point->spoken_ms : into_ms;
}

static struct eg_parts parts_of_points(const struct eg_window *window)
{
    struct eg_parts parts = {0};
    const int64_t part_ms = window->pane_ms * window->panes_a_part;
    int64_t until_ms = INT64_MIN;
    for (size_t i = 0; i < window->count; i++) {
        const struct point *point = window->points + window->start + i;
        if (point->ms >= until_ms) {
            eg_parts_close(&parts, window->shape.enough_ms);
            until_ms = point->ms - (point->ms - window->base_ms) % part_ms + part_ms;
        }
        eg_parts_add(&parts, 1, point->value, spoken_by(window, i));
    }
    eg_parts_close(&parts, window->shape.enough_ms);
    return parts;
}

static double mean_of_points(const struct eg_window *window)
{
    const struct eg_parts parts = parts_of_points(window);
    return parts.means / parts.count;
}

/* `ends`: of the first and the last, which is all that a change needs. */
static struct eg_pane pane_of_points(const struct eg_window *window, bool ends)
{
    struct eg_pane all = {0};
    for (size_t i = 0; i < window->count; i += ends && window->count > 1 ? window->count - 1 : 1) {
        const struct point *point = &window->points[window->start + i];
        eg_pane_add(&all, &window->shape, point->ms, point->value, spoken_by(window, i));
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

static bool value_of_few(const struct eg_window *window, enum eg_statistic statistic, double *ret)
{
    if (statistic == EG_STAT_QUANTILE)
        *ret = quantile_of_points(window);
    else if (statistic == EG_STAT_MEAN && window->parts > 1)
        *ret = mean_of_points(window);
    else if (statistic >= EG_STAT_MEAN && statistic <= EG_STAT_SUM)
        *ret = value_of_points(window->points + window->start, window->count, statistic);
    else {
        struct eg_pane all = pane_of_points(window, statistic == EG_STAT_RATE || statistic == EG_STAT_CHANGE);
        return eg_pane_value(&all, statistic, ret);
    }
    return true;
}

bool eg_window_value(struct eg_window *window, enum eg_statistic statistic, double *ret)
{
    const struct eg_pane *newest;
    if (!window->panes)
        return window->count && value_of_few(window, statistic, ret);
    if (!(newest = newest_pane(window)))
        return false;
    if (statistic == EG_STAT_MEAN) {
        *ret = mean_of_panes(window, newest);
        return true;
    }
    struct eg_pane all = window->before;
    eg_pane_merge(&all, newest);
    if (statistic != EG_STAT_QUANTILE)
        return eg_pane_value(&all, statistic, ret);
    double value = eg_sketch_quantile(&window->sketches[window->pane_count],
                                      &window->sketches[newest - window->panes], window->shape.share);
    *ret = value < all.min ? all.min : value > all.max ? all.max : value;
    return true;
}

/* --- how complete it is --- */

int64_t eg_window_observed(struct eg_window *window, int64_t *ret_width_ms)
{
    const int64_t passed = passed_of(window);
    int64_t spoken_ms = 0;
    *ret_width_ms = window->width_ms;
    if (!window->count)
        return 0;
    if (window->panes) {
        const struct eg_pane *newest = newest_pane(window);
        spoken_ms = newest ? window->before.spoken_ms + newest->spoken_ms : 0;
        const int64_t oldest = oldest_index(window, pane_index(window, window->newest_ms));
        if (!window->shape
                 .calendar) /* the newest is not full yet: together they are shorter than the window */
            spoken_ms = (int64_t)((double)spoken_ms * (double)passed /
                                  (double)(window->newest_ms + 1 - oldest * window->pane_ms));
    } else {
        for (size_t i = 0; i < window->count; i++)
            spoken_ms += spoken_by(window, i);
    }
    return spoken_ms < passed ? spoken_ms : passed;
}

unsigned eg_window_hours(struct eg_window *window)
{
    const struct eg_pane *newest = window->panes ? newest_pane(window) : NULL;
    if (!newest)
        return parts_of_points(window).valid;
    struct eg_parts parts = window->before_parts;
    eg_parts_add(&parts, newest->count, newest->sum, newest->spoken_ms);
    eg_parts_close(&parts, window->shape.enough_ms);
    return parts.valid;
}
