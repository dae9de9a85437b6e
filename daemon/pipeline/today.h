/* What the closed hours of a series' open day came to, in memory: what the mean of a day that is not over is made of. Private to the
 * pipeline. */
#ifndef EG_TODAY_H
#define EG_TODAY_H
#include <pipeline/batch.h>
#include <pipeline/rollup.h>
struct eg_series;
/* A closed hour as it is now, of whatever day. */
void eg_today_put(struct eg_series *series, const struct eg_rollup *hour);
/* An hour of that time has changed, and how is not known. */
void eg_today_miss(struct eg_series *series, int64_t time_ms);
/* The mean of its open day. NAN: it holds no reading. */
double eg_today_mean(const struct eg_series *series);
/* How much of that day's closed hours is known. */
void eg_today_known(const struct eg_series *series, const struct eg_conf_validity *validity,
                    struct eg_dayknown *ret);
#endif
