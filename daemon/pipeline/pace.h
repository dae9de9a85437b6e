/* How long one reading of a series speaks for, as its hours tell it. A function of the hours, so of the readings by their time: whenever
 * and in whatever order they came, how often a device reported then is the same, and so is which hours are valid (ADR 32).
 *
 * How far apart the readings of an hour are: as they lie in it, but no further than an even share of the hour; of a single one, an hour.
 * What holds for the hour is the middle of that of the last five hours with readings, itself among them, of it and the twelve before it; of
 * an even number the shorter of the two in the middle. Of a single reading that is all there is in these hours nothing is known: it speaks
 * for a moment. So two hours with outages, or with a burst, change nothing, and a device that reports more seldom from now on loses two
 * hours. */
#ifndef EG_PACE_H
#define EG_PACE_H

#include <stdint.h>

#define EG_PACE_HOURS 5
#define EG_PACE_BACK 12 /* hours before one that are looked at */
#define EG_PACE_BACK_MS (EG_PACE_BACK * INT64_C(3600000))

struct eg_rollup;

struct eg_spacing {    /* of an hour's readings */
    int32_t number;    /* of the hour, counted from the epoch */
    uint32_t apart_ms; /* 0: it holds none */
};
struct eg_pace { /* zeroed: no hour yet; a ring */
    struct eg_spacing hours[EG_PACE_HOURS];
    unsigned count, next;
};

struct eg_spacing eg_spacing_of(const struct eg_rollup *hour);
/* Takes in the next hour of a series, ascending. What is told of one holds when all from EG_PACE_BACK hours before it on were taken in
 * before it. Returns for how long a reading of that hour speaks, in ms; 0: it holds none, and is passed over. */
int64_t eg_pace_add(struct eg_pace *pace, struct eg_spacing hour);
int64_t eg_pace_hour(struct eg_pace *pace, const struct eg_rollup *hour);

#endif
