/* Calibrations that are due. Private to the pipeline. */
#ifndef EG_DUE_H
#define EG_DUE_H
#include <pipeline/state.h>

/* When the next one asks for something to be done; INT64_MAX: never. */
int64_t eg_due_wake(struct eg_pipeline *pipeline, int64_t now_ms);
void eg_due_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);

#endif
