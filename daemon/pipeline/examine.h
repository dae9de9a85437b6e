/* Series looked at once a day, beside their neighbours. Private to the pipeline. */
#ifndef EG_EXAMINE_H
#define EG_EXAMINE_H
#include <pipeline/state.h>

int64_t eg_examine_wake(struct eg_pipeline *pipeline, int64_t now_ms); /* INT64_MAX: never */
void eg_examine_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch);
/* neighbours.c: the series of that quantity and channel nearest to it, at other devices; the nearest first. How many. */
size_t eg_neighbours_of(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t since_ms,
                        uint32_t ret_ids[EG_NEIGHBOURS_MOST]);

#endif
