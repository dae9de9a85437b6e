/* Private to the pipeline: the readings of a span, committed or not. */
#ifndef EG_GATHER_H
#define EG_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eg_batch;
struct eg_pipeline;
struct eg_series;

struct eg_gathered {
    int64_t time_ms;
    double value;
    size_t order;
    uint16_t flags, was; /* was: before review.c has looked at it */
    size_t batch_row;    /* where in the batch, from 1; 0: it is committed */
};
struct eg_gather { /* zeroed at first; serves again */
    struct eg_gathered *rows;
    size_t count, capacity;
    bool failed;
};
/* All readings of [from, to). False: no memory, or they could not be read. */
bool eg_gather_span(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t from_ms,
                    int64_t to_ms, const struct eg_batch *batch, struct eg_gather *gather);
void eg_gather_finish(struct eg_gather *gather);

#endif
