/* What is found in the hours of a series beside those of its neighbours: that it jumps about, that it departs from them. Private to the
 * pipeline. docs/quality.md says by which measure, ADR 28 why. */
#ifndef EG_FINDING_H
#define EG_FINDING_H

#include <conf/conf.h>
#include <ecogov/time.h>

#define EG_FINDING_DAYS 14
#define EG_FINDING_HOURS (EG_FINDING_DAYS * 24)
#define EG_FINDING_MS (EG_FINDING_HOURS * INT64_C(3600000))
#define EG_NEIGHBOURS_LEAST 3 /* fewer say nothing */
#define EG_NEIGHBOURS_MOST 8

/* Of the hours up to some midnight, the oldest first. NAN: not known. */
struct eg_hourly {
    double mean[EG_FINDING_HOURS];
    double range[EG_FINDING_HOURS]; /* between its least and its most; of an hour of several readings */
    double jumps[EG_FINDING_DAYS];  /* eg_finding_jumps() */
};
struct eg_finding {
    int64_t noisy_ms, drifting_ms; /* since when; EG_TIME_NONE: it does not */
    double usual;                  /* of one that is noisy: what its hours were like before */
    int side;                      /* of one that drifts: 1 above its neighbours, -1 below */
};
bool eg_finding_none(const struct eg_finding *finding);

/* How much it jumped about on each of the days. NAN: too few hours are known. */
void eg_finding_jumps(struct eg_hourly *hourly);
/* `others`: its neighbours. `finding`: what was found before, as of any day; what is found now. What was found more than a
 * week before the midnight `end_ms` goes on from there; all else is a function of the hours. */
void eg_finding_make(const struct eg_conf_limits *limits, const struct eg_hourly *own,
                     const struct eg_hourly *const *others, size_t count, int64_t end_ms,
                     struct eg_finding *finding);

#endif
