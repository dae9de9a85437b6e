/* The last two days of an air pollutant's hours, in memory: what its indices are made of, without asking the store. */
#ifndef EG_HOURS_H
#define EG_HOURS_H

#include <index/hours.h>
#include <pipeline/batch.h>

#include <stdbool.h>

#define EG_HOUR_MS INT64_C(3600000)

/* EG_POLLUTANTS: the quantity is none. */
enum eg_pollutant eg_hours_pollutant(int quantity);

/* A pollutant's sub-index of its mean over an hour, 8 h or a day (EG_STAT_AQI_CN, after the edition of that time; EG_STAT_AQI_US).
 * False: the standard has none for such a mean. */
bool eg_hours_sub_index(enum eg_statistic statistic, int quantity, int64_t width_ms, int64_t at_ms,
                        double mean, double *ret);

#endif
