/* A sketch of many values that tells their quantiles: DDSketch (Masson, Rim, Lee 2019). What it tells is within EG_SKETCH_ERROR of the
 * value it stands for, relatively; below EG_SKETCH_LEAST, within that. Sketches add up: the same values in any order and any parts give
 * the same. */
#ifndef EG_SKETCH_H
#define EG_SKETCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define EG_SKETCH_ERROR 0.01
#define EG_SKETCH_LEAST 1e-6
#define EG_SKETCH_MOST 1e12 /* beyond, as this */
struct eg_sketch {          /* zeroed: empty */
    struct eg_sketch_bin {
        int32_t key;
        uint32_t count;
    } * bins; /* ascending; at most 4200 */
    size_t count, capacity;
    uint64_t total;
};
void eg_sketch_finish(struct eg_sketch *sketch);
void eg_sketch_clear(struct eg_sketch *sketch);                               /* keeps the memory */
bool eg_sketch_add(struct eg_sketch *sketch, double value);                   /* false: no memory */
bool eg_sketch_merge(struct eg_sketch *sketch, const struct eg_sketch *part); /* likewise */
/* The value at `share` (0 … 1) of both together, by HJ 663: 1 + (n - 1) * share, linear between neighbours. `b` may be NULL. At least one
 * value must be in them. */
double eg_sketch_quantile(const struct eg_sketch *a, const struct eg_sketch *b, double share);
/* The same of an array, exactly; changes their order. */
double eg_sketch_exact(double *values, size_t count, double share);
#endif
