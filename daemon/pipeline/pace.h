/* How long one reading of a series speaks for, as its hours tell it. A function of the hours, so of the readings by their time: whenever
 * and in whatever order they came, how often a device reported then is the same, and so is which hours are valid (ADR 32).
 *
 * Of the time between readings, by the minutes that hold one, 45 % of that in the hour and the four before it lie in distances up to one,
 * which is how often the device reports: so long a reading speaks for, an hour at the most. So what
 * comes more often for a while takes nothing away, a pause is no rhythm unless it is most of the time, and a device that reports more
 * seldom from now on loses two hours. A distance of more than an hour and a quarter is none: of it nothing follows. Where there is no
 * distance, nothing is known, and a reading speaks for its minute. */
#ifndef EG_PACE_H
#define EG_PACE_H

#include <stdint.h>

#define EG_PACE_HOURS 5
#define EG_PACE_BACK 6 /* hours before one that it hangs on */
#define EG_PACE_BACK_MS (EG_PACE_BACK * INT64_C(3600000))
#define EG_PACE_APART 75 /* minutes, at the most */

struct eg_rollup;

struct eg_minutes {   /* of an hour */
    int32_t number;   /* which, counted from the epoch */
    uint64_t minutes; /* bits: those that hold a reading; 0: none does */
};
struct eg_pace { /* zeroed: no hour yet */
    struct {
        struct eg_minutes own;
        int64_t before; /* the minute of the reading before it */
    } hours[EG_PACE_HOURS];
    int64_t last;                      /* the newest minute with a reading */
    uint32_t apart[EG_PACE_APART + 1]; /* minutes that lie in distances of so many */
    uint32_t all;
    unsigned first, count; /* of the ring */
};

struct eg_minutes eg_minutes_of(const struct eg_rollup *hour);
/* Takes in the next hour of a series, ascending. What is told of one holds when all from EG_PACE_BACK hours before it on were taken in
 * before it. Returns for how long a reading of that hour speaks, in ms; 0: it holds none, and is passed over. */
int64_t eg_pace_add(struct eg_pace *pace, struct eg_minutes hour);
int64_t eg_pace_hour(struct eg_pace *pace, const struct eg_rollup *hour);

#endif
