/* How much of a bucket's time is covered by readings. */
#ifndef EG_API_COMPLETENESS_H
#define EG_API_COMPLETENESS_H
#include <pipeline/batch.h>
/* Covered share of the part of [start, end) that has passed at `now_ms`, 0 … 1. `interval_ms`: the device's, as learned; 0: unknown. */
double eg_completeness(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                       int64_t now_ms);
#endif
