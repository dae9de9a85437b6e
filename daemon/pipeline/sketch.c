/* Quantiles of many values in little memory (sketch.h). Knows numbers only. Called by window.c and tally.c. */
#include <pipeline/sketch.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FEW 128 /* readings; beyond, they are sorted */

static double gamma_log(void)
{
    return log((1 + EG_SKETCH_ERROR) / (1 - EG_SKETCH_ERROR));
}

/* Bins of growing width, the same below zero; 0 is that of all that is smaller than the least. */
static int32_t key_of(double value)
{
    double size = fabs(value);
    if (size < EG_SKETCH_LEAST)
        return 0;
    int32_t key =
        (int32_t)ceil(log((size < EG_SKETCH_MOST ? size : EG_SKETCH_MOST) / EG_SKETCH_LEAST) / gamma_log()) +
        1;
    return value < 0 ? -key : key;
}

static double value_of(int32_t key)
{
    if (!key)
        return 0;
    double upper = EG_SKETCH_LEAST * exp((abs(key) - 1) * gamma_log()), value = upper * (1 - EG_SKETCH_ERROR);
    return key < 0 ? -value : value;
}

void eg_sketch_finish(struct eg_sketch *sketch)
{
    free(sketch->bins);
    *sketch = (struct eg_sketch){0};
}

void eg_sketch_clear(struct eg_sketch *sketch)
{
    sketch->count = 0;
    sketch->total = 0;
}

static bool room_for(struct eg_sketch *sketch, size_t count)
{
    if (count <= sketch->capacity)
        return true;
    size_t more = sketch->capacity ? sketch->capacity : 8;
    while (more < count)
        more *= 2;
    struct eg_sketch_bin *bins = realloc(sketch->bins, more * sizeof *bins);
    if (!bins)
        return false;
    sketch->bins = bins;
    sketch->capacity = more;
    return true;
}

bool eg_sketch_add(struct eg_sketch *sketch, double value)
{
    const int32_t key = key_of(value);
    size_t low = 0, high = sketch->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sketch->bins[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == sketch->count || sketch->bins[low].key != key) {
        if (!room_for(sketch, sketch->count + 1))
            return false;
        memmove(sketch->bins + low + 1, sketch->bins + low, (sketch->count - low) * sizeof *sketch->bins);
        sketch->bins[low] = (struct eg_sketch_bin){key, 0};
        sketch->count++;
    }
    sketch->bins[low].count++;
    sketch->total++;
    return true;
}

/* From behind, so that nothing is overwritten before it is read. */
bool eg_sketch_merge(struct eg_sketch *sketch, const struct eg_sketch *part)
{
    size_t own = sketch->count, other = part->count, at = own + other;
    if (!room_for(sketch, at))
        return false;
    for (; own || other; at--) {
        struct eg_sketch_bin *to = &sketch->bins[at - 1];
        if (own && other && sketch->bins[own - 1].key == part->bins[other - 1].key) {
            *to = sketch->bins[--own];
            to->count += part->bins[--other].count;
        } else if (own && (!other || sketch->bins[own - 1].key > part->bins[other - 1].key)) {
            *to = sketch->bins[--own];
        } else {
            *to = part->bins[--other];
        }
    }
    sketch->count += part->count - at; /* `at` bins were in both */
    memmove(sketch->bins, sketch->bins + at, sketch->count * sizeof *sketch->bins);
    sketch->total += part->total;
    return true;
}

/* The values at two neighbouring ranks, from 0. */
static void at_ranks(const struct eg_sketch *a, const struct eg_sketch *b, uint64_t rank, double ret[2])
{
    static const struct eg_sketch none;
    size_t i = 0, k = 0, found = 0;
    uint64_t before = 0;
    if (!b)
        b = &none;
    while (found < 2 && (i < a->count || k < b->count)) {
        bool mine = i < a->count && (k == b->count || a->bins[i].key <= b->bins[k].key);
        const struct eg_sketch_bin *bin = mine ? &a->bins[i++] : &b->bins[k++];
        before += bin->count;
        while (found < 2 && rank + found < before)
            ret[found++] = value_of(bin->key);
    }
    if (found == 1)
        ret[1] = ret[0];
}

double eg_sketch_quantile(const struct eg_sketch *a, const struct eg_sketch *b, double share)
{
    double rank = (double)(a->total + (b ? b->total : 0) - 1) * share, whole = floor(rank), pair[2] = {0, 0};
    at_ranks(a, b, (uint64_t)whole, pair);
    return pair[0] + (pair[1] - pair[0]) * (rank - whole);
}

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Hoare's FIND: the value that belongs at `at` is there, none behind it is less. Of few, since the worst case is a square. */
static void find(double *values, ptrdiff_t count, ptrdiff_t at)
{
    for (ptrdiff_t low = 0, high = count - 1; low < high;) {
        const double pivot = values[at];
        ptrdiff_t left = low, right = high;
        while (left <= right) {
            while (values[left] < pivot)
                left++;
            while (pivot < values[right])
                right--;
            if (left > right)
                break;
            const double held = values[left];
            values[left++] = values[right];
            values[right--] = held;
        }
        if (right < at)
            low = left;
        if (at < left)
            high = right;
    }
}

double eg_sketch_exact(double *values, size_t count, double share)
{
    double rank = (double)(count - 1) * share, whole = floor(rank);
    size_t at = (size_t)whole;
    if (count > FEW)
        qsort(values, count, sizeof *values, ascending);
    else
        find(values, (ptrdiff_t)count, (ptrdiff_t)at);
    if (at + 1 >= count)
        return values[at];
    double next = values[at + 1];
    for (size_t i = at + 2; i < count && count <= FEW; i++)
        next = values[i] < next ? values[i] : next;
    return values[at] + (next - values[at]) * (rank - whole);
}
