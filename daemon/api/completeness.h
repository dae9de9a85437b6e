/* How much of a bucket's time is covered by readings. */
#ifndef EG_API_COMPLETENESS_H
#define EG_API_COMPLETENESS_H
#include <pipeline/pipeline.h>
/* Covered share of the part of [start, end) that has passed at `now_ms`, 0 … 1. `interval_ms`: the device's, as learned; 0: unknown. */
double eg_completeness(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                       int64_t now_ms);
/* Of a series' open day, by its hours; `until_ms`: now. */
struct eg_dayknown eg_completeness_of_day(const struct eg_series_view *series, int64_t until_ms,
                                          const struct eg_conf_validity *validity);
/* The share of [start, end) that is known, as far as it has passed. */
double eg_completeness_share(int64_t observed_ms, int64_t start_ms, int64_t end_ms, int64_t now_ms);
#endif
