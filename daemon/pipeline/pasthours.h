/* Private to the pipeline: hours of a series further back than memory reaches, and those in memory, as one. */
#ifndef EG_PASTHOURS_H
#define EG_PASTHOURS_H

#include <pipeline/pipeline.h>

struct eg_series;

/* All hours with readings that begin in a span, ascending, each once: the committed ones, overlaid by the batch's and the open one. */
struct eg_past_hours { /* zeroed at first; serves again */
    struct eg_rollup *rows;
    size_t count, capacity;
    bool failed;
};
/* `batch` may be NULL. False: no memory, or they could not be read. */
bool eg_past_hours(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t from_ms,
                   int64_t to_ms, const struct eg_batch *batch, struct eg_past_hours *hours);
void eg_past_finish(struct eg_past_hours *hours);

/* The valid means of a pollutant's hours [first, end), counted from the epoch, oldest first; EG_NANO_NONE where there is none. */
bool eg_past_air(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t first,
                 int64_t end, const struct eg_batch *batch, int64_t *ret_nano);

#endif
