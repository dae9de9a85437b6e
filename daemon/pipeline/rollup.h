/* Hour and day buckets of a series, in event time and the configured zone. */
#ifndef EG_ROLLUP_H
#define EG_ROLLUP_H
#include <pipeline/batch.h>
/* The empty bucket that holds `ms`. */
void eg_rollup_start(struct eg_rollup *rollup, enum eg_period period, int64_t ms);
/* Adds a reading that lies in the bucket; it speaks for the time until `ms` + `interval_ms` (0: unknown). */
void eg_rollup_add(struct eg_rollup *rollup, enum eg_period period, int64_t ms, double value,
                   int64_t interval_ms);
/* Adds what a part of the same bucket holds. */
void eg_rollup_merge(struct eg_rollup *rollup, const struct eg_rollup *part);
#endif
