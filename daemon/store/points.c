/* A list of points and the order in it. Knows times only; who is newer is told by position. Called by tail.c, seal.c, load.c. */
#include <store/points.h>

#include <stdlib.h>
#include <string.h>

bool eg_points_add(struct eg_points *points, const struct eg_point *point)
{
    if (points->count == points->capacity) {
        size_t capacity = points->capacity ? points->capacity * 2 : 64;
        struct eg_point *rows = realloc(points->rows, capacity * sizeof *rows);
        if (!rows)
            return false;
        points->rows = rows;
        points->capacity = capacity;
    }
    points->rows[points->count++] = *point;
    return true;
}

void eg_points_finish(struct eg_points *points)
{
    free(points->rows);
    *points = (struct eg_points){0};
}

void eg_points_reverse(struct eg_points *points)
{
    for (size_t low = 0, high = points->count; low + 1 < high; low++) {
        struct eg_point swap = points->rows[low];
        points->rows[low] = points->rows[--high];
        points->rows[high] = swap;
    }
}

static bool ascending(const struct eg_points *points)
{
    for (size_t i = 1; i < points->count; i++)
        if (points->rows[i].time_ms <= points->rows[i - 1].time_ms)
            return false;
    return true;
}

/* Stable: of equal times the earlier position comes first. */
static void merge_runs(const struct eg_point *from, struct eg_point *to, size_t low, size_t middle, size_t high)
{
    size_t left = low, right = middle;
    for (size_t at = low; at < high; at++) {
        bool take_left = left < middle && (right >= high || from[left].time_ms <= from[right].time_ms);
        to[at] = take_left ? from[left++] : from[right++];
    }
}

bool eg_points_sort(struct eg_points *points)
{
    if (ascending(points)) /* nearly always */
        return true;
    size_t count = points->count;
    struct eg_point *from = points->rows, *to = malloc(count * sizeof *to);
    if (!to)
        return false;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t middle = low + width < count ? low + width : count;
            merge_runs(from, to, low, middle, middle + width < count ? middle + width : count);
        }
        struct eg_point *swap = from;
        from = to;
        to = swap;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && from[kept - 1].time_ms == from[i].time_ms)
            kept--;
        from[kept++] = from[i];
    }
    if (from != points->rows)
        points->capacity = count;
    points->rows = from;
    points->count = kept;
    free(to);
    return true;
}

bool eg_points_merge(const struct eg_points *older, const struct eg_points *newer, struct eg_points *out)
{
    size_t a = 0, b = 0;
    while (a < older->count || b < newer->count) {
        bool take_newer = b < newer->count && (a >= older->count || newer->rows[b].time_ms <= older->rows[a].time_ms);
        const struct eg_point *point = take_newer ? &newer->rows[b++] : &older->rows[a++];
        if (take_newer && a < older->count && older->rows[a].time_ms == point->time_ms)
            a++;
        if (!eg_points_add(out, point))
            return false;
    }
    return true;
}
