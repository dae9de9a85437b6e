/* Hour and day buckets of a series, in event time and the configured zone. A bucket is a function of the readings in it: in whatever order
 * they came, and however often the daemon was started between them, it is the same to the last bit. */
#ifndef EG_ROLLUP_H
#define EG_ROLLUP_H
#include <pipeline/batch.h>
/* The empty bucket that holds `ms`. */
void eg_rollup_start(struct eg_rollup *rollup, enum eg_period period, int64_t ms);
/* Adds a reading that lies in the bucket. `scale`: eg_rollup_scale() of its quantity. */
void eg_rollup_add(struct eg_rollup *rollup, enum eg_period period, double scale, int64_t ms, double value);
/* Of no readings, so that a part may be added: for one that has lost all it had. */
void eg_rollup_none(struct eg_rollup *rollup);
/* Adds what a part of the same bucket holds: for the store, which does not know the quantity. */
void eg_rollup_merge(struct eg_rollup *rollup, const struct eg_rollup *part);
/* A sum and one more value. */
double eg_rollup_plus(double sum, double value, double scale);
/* The mean of a day is that of its hours' means (GB 3095): an hour counts as one, however many readings came in it. {0} is empty; hours
 * are added ascending, so that whoever makes the mean makes the same one. */
struct eg_daymean {
    double means;
    unsigned hours;
    uint64_t count; /* readings */
};
void eg_daymean_add(struct eg_daymean *mean, const struct eg_rollup *hour);
/* Of a day of `count` readings, one at least, with that sum. Where its hours are not all there any more, it is that of its readings. */
double eg_daymean_of(const struct eg_daymean *mean, double sum, uint64_t count);
/* A day's next hour, known up to `until_ms`. */
void eg_dayknown_add(struct eg_dayknown *known, const struct eg_rollup *hour, int64_t interval_ms,
                     int64_t until_ms, const struct eg_conf_validity *validity);
/* Sums are whole multiples of 1/scale, a power of ten: so fine that a plausible reading every second of a day stays below 2^53 of them. */
double eg_rollup_scale(int quantity);
/* How much of the bucket's time before `until_ms` its readings speak for: each for the slot it lies in and for the time to the next one,
 * but for no longer than `interval_ms` (pace.h; 0: as far as readings are apart in this bucket) nor than an hour. What is left between two
 * is spoken for, too, where it is no more than half of that: no clock is exact, and a message that is lost leaves more. What lies before
 * the first one is spoken for by the reading before the bucket, likewise. */
int64_t eg_rollup_observed(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                           int64_t until_ms);
/* Is enough of it spoken for? Of a day: so many of its hours, told by their quarters. */
bool eg_rollup_valid(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                     const struct eg_conf_validity *validity);
#endif
