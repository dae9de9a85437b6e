/* A series' closed hours in memory: of the last day how often it reported, of the last two days of an air pollutant what they came to.
 * What its indices are made of, without asking the store. */
#ifndef EG_HOURS_H
#define EG_HOURS_H

#include <index/hours.h>
#include <pipeline/batch.h>

#include <stdbool.h>
#include <stddef.h>

#define EG_HOUR_MS INT64_C(3600000)
#define EG_HOURS_A_DAY 26 /* Troll, in Antarctica, sets its clocks back by two */

/* EG_POLLUTANTS: the quantity is none. */
enum eg_pollutant eg_hours_pollutant(int quantity);

/* A pollutant's sub-index of its mean over an hour, 8 h or a day (EG_STAT_AQI_CN, after the edition of that time; EG_STAT_AQI_US).
 * False: the standard has none for such a mean. */
bool eg_hours_sub_index(enum eg_statistic statistic, int quantity, int64_t width_ms, int64_t at_ms,
                        double mean, double *ret);

/* Private to the pipeline. */
struct eg_pipeline;
struct eg_series;
void eg_hours_put(const struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_rollup *hour);
/* For how long a reading of the open hour speaks (pace.h), or of one of the day before it; 0: it holds none. */
int64_t eg_hours_interval(const struct eg_series *series, int64_t start_ms);
/* The same of hours one after the other; `start_ms`: of the first. */
void eg_hours_intervals(const struct eg_series *series, int64_t start_ms, size_t count, int64_t *ret_ms);
/* Its minutes with readings, as bits. */
uint64_t eg_hours_minutes(const struct eg_series *series, int64_t start_ms);
/* The means of those that are valid, newest first; EG_NANO_NONE. */
void eg_hours_tell(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t end_ms,
                   int64_t ret_nano[EG_AIR_HOURS]);
int64_t eg_hours_since(const struct eg_series *series); /* what a start has to read again */
void eg_hours_refill(struct eg_pipeline *pipeline, struct eg_series *series, int64_t time_ms, double value,
                     bool aside);

#endif
