/* Quality control of readings: what is found in one, in those of one message, in those of one series. Flags never erase; what is BAD is
 * set aside (pipeline.h). docs/quality.md says what is asked, and ADR 19 what it depends on. */
#ifndef EG_QUALITY_H
#define EG_QUALITY_H

#include <conf/conf.h>
#include <ecogov/reading.h>

struct eg_batch;
struct eg_pipeline;
struct eg_series;

/* A reading as the checks see it. */
struct eg_told_value {
    int64_t ms; /* EG_TIME_NONE: there is none */
    double value;
};
/* What is remembered of a series' readings up to one of them, in the order of their times. Zeroed at first, with last.ms EG_TIME_NONE. */
struct eg_followed {
    struct eg_told_value last, before;
    struct eg_told_value good; /* the last that was no step, nor a spike */
    int64_t run_ms;            /* since when they have had the last one's value */
    int64_t doubted_ms;        /* since when each of them was in doubt; EG_TIME_NONE: the last one is not */
};
/* How far the readings beside a spike may lie from it. */
#define EG_SPIKE_REACH_MS INT64_C(10800000)
/* Does the middle one stick out from both beside it, which are close to each other? */
bool eg_quality_spikes(const struct eg_conf_limits *limits, struct eg_told_value before,
                       struct eg_told_value middle, struct eg_told_value after);
/* With this one behind it, is the last one a spike? What was held against it in the next one is reviewed then. */
bool eg_quality_spiked(const struct eg_conf_limits *limits, const struct eg_followed *followed, int64_t ms,
                       double value);
/* The flags of a reading that is known to be a spike, or to be none, now that what is behind it is there. */
unsigned eg_quality_respike(const struct eg_conf *conf, unsigned flags, bool spike);
/* What is found in the next reading, beside `flags` that it has; they come back with STEP, SPIKE, STUCK and BAD as they
 * should be, and with RANGE where it had that already (its device says so) or should. `spike`: as far as is known. */
unsigned eg_quality_next(const struct eg_conf *conf, const struct eg_conf_limits *limits,
                         struct eg_followed *followed, int64_t ms, double value, unsigned flags, bool spike);
/* As above, of a reading whose flags are settled. */
void eg_quality_pass(const struct eg_conf_limits *limits, struct eg_followed *followed, int64_t ms,
                     double value, unsigned flags);

/* Marks what contradicts itself within a message: per device and time. */
void eg_quality_compare(const struct eg_conf *conf, struct eg_sink *sink);

/* How many readings of an hour or a day are in doubt, how many are set aside; and how many were dated by a clock in doubt. */
struct eg_doubts {
    uint32_t suspect, bad, clock;
};
void eg_doubts_count(struct eg_doubts *doubts, unsigned flags);
/* What is thought of a series' newest reading. */
enum eg_grade { EG_GRADE_GOOD, EG_GRADE_SUSPECT, EG_GRADE_BAD };
struct eg_verdict_of_quality {
    enum eg_grade grade;
    unsigned flags; /* of EG_FLAGS_DOUBT */
    int64_t
        since_ms; /* since when, without a break, its readings have been in doubt; EG_TIME_NONE: they are not */
    int64_t
        stuck_since_ms; /* since when it has told the value it is stuck at; EG_TIME_NONE: it is not. After a restart: at least */
};
void eg_quality_verdict(const struct eg_series *series, struct eg_verdict_of_quality *ret);

/* For series.c. A reading about to be stored: flags are found where it is the newest; else, and where the one before it turns out to be a
 * spike, the series is reviewed with this turn. */
void eg_quality_take(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_reading *reading,
                     struct eg_batch *batch);
void eg_quality_refill(struct eg_series *series, int64_t ms, double value, unsigned flags);
/* How far back a start has to read. */
int64_t eg_quality_since(const struct eg_series *series);
/* review.c: what came out of order is put in it; before anything is judged anew. */
void eg_quality_review(struct eg_pipeline *pipeline, struct eg_batch *batch);

#endif
