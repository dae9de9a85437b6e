/* The hours of what an index of soil or waste is made of. Private to the pipeline. */
#ifndef EG_PLOTS_H
#define EG_PLOTS_H

#include <pipeline/batch.h>

struct eg_pipeline;
struct eg_series;

void eg_plots_put(struct eg_series *series, const struct eg_rollup *hour);
int64_t eg_plots_since(const struct eg_series *series);
void eg_plots_refill(struct eg_series *series, int64_t time_ms, double value, bool aside);
/* What it tells in the hours [first, end) since the epoch. `batch` may be NULL. False: no memory, or the past could not be read. */
bool eg_plots_fill(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t first,
                   int64_t end, const struct eg_batch *batch, double *values);

#endif
