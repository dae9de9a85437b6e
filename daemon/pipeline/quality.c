/* Quality control (quality.h): the checks. Knows a reading, those before it in its series by time, the one behind it, and those beside it
 * in its message; refuses to know when any of them came: the same readings are found the same, whatever their order of arrival (review.c).
 * Called by message.c, series.c and review.c. */
#include <pipeline/quality.h>
#include <pipeline/state.h>

#include <math.h>
#include <string.h>

#define MINUTE_MS 60000.0
#define STEP_REACH_MS INT64_C(3600000) /* what lies further back is no reference */
#define BESIDE 64                      /* readings of a message that are looked at on either side of one */
#define BACK_SHARE 0.5 /* of its height: so close to where it was comes what follows a spike */
#define SLACK 5.0      /* ug/m3, and a tenth: so far two channels of one sensor may cross */
#define SLACK_SHARE 0.1
#define DEW_SLACK 0.5 /* Cel */

static bool equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

/* --- in the order of time --- */

static bool too_fast(const struct eg_conf_limits *limits, const struct eg_followed *followed, int64_t ms,
                     double change)
{
    int64_t gap = ms - followed->good.ms;
    double minutes = (double)gap / MINUTE_MS;
    if (gap > STEP_REACH_MS)
        return false;
    if (minutes < 1)
        minutes = 1;
    return change > limits->rise * minutes || -change > limits->fall * minutes;
}

static bool goes_on(const struct eg_conf_limits *limits, const struct eg_followed *followed, int64_t ms,
                    double value)
{
    return equal(value, followed->last.value) && ms - followed->last.ms <= limits->stuck_ms / 2;
}

bool eg_quality_spikes(const struct eg_conf_limits *limits, struct eg_told_value before,
                       struct eg_told_value middle, struct eg_told_value after)
{
    const double up = middle.value - before.value, down = middle.value - after.value;
    const double height = fmin(fabs(up), fabs(down));
    if (!(height > limits->spike) || (up > 0) != (down > 0))
        return false;
    return middle.ms - before.ms <= EG_SPIKE_REACH_MS && after.ms - middle.ms <= EG_SPIKE_REACH_MS &&
           height > limits->spike_share * fabs((before.value + after.value) / 2) &&
           fabs(before.value - after.value) <= BACK_SHARE * height;
}

bool eg_quality_spiked(const struct eg_conf_limits *limits, const struct eg_followed *followed, int64_t ms,
                       double value)
{
    return followed->last.ms != EG_TIME_NONE &&
           eg_quality_spikes(limits, followed->before, followed->last, (struct eg_told_value){ms, value});
}

unsigned eg_quality_respike(const struct eg_conf *conf, unsigned flags, bool spike)
{
    if (spike)
        return flags | EG_FLAG_SPIKE | (conf->quality.strict ? EG_FLAG_BAD : 0);
    if (!(flags & EG_FLAG_SPIKE))
        return flags;
    flags &= ~(unsigned)EG_FLAG_SPIKE;
    return flags & EG_FLAGS_DOUBT ? flags : flags & ~(unsigned)EG_FLAG_BAD;
}

/* With a reading that is settled, or was looked at. */
static void advance(struct eg_followed *followed, int64_t ms, double value, bool again, unsigned flags)
{
    const struct eg_told_value next = {ms, value};
    if (!again)
        followed->run_ms = ms;
    if (!(flags & (EG_FLAG_STEP | EG_FLAG_SPIKE)))
        followed->good = next;
    if (!(flags & (EG_FLAGS_DOUBT | EG_FLAG_BAD)))
        followed->doubted_ms = EG_TIME_NONE;
    else if (followed->doubted_ms == EG_TIME_NONE)
        followed->doubted_ms = ms;
    followed->before = followed->last;
    followed->last = next;
}

static void begin(struct eg_followed *followed, int64_t ms, double value)
{
    const struct eg_told_value first = {ms, value};
    *followed = (struct eg_followed){first, first, first, ms, EG_TIME_NONE};
}

void eg_quality_pass(const struct eg_conf_limits *limits, struct eg_followed *followed, int64_t ms,
                     double value, unsigned flags)
{
    if (followed->last.ms == EG_TIME_NONE)
        begin(followed, ms, value);
    advance(followed, ms, value, goes_on(limits, followed, ms, value), flags);
}

unsigned eg_quality_next(const struct eg_conf *conf, const struct eg_conf_limits *limits,
                         struct eg_followed *followed, int64_t ms, double value, unsigned flags, bool spike)
{
    /* RANGE hangs on nothing but the value, and the device itself may have said it. */
    flags &= ~(unsigned)(EG_FLAG_STEP | EG_FLAG_SPIKE | EG_FLAG_STUCK | EG_FLAG_BAD);
    if (value < limits->low || value > limits->high)
        flags |= EG_FLAG_RANGE;
    if (followed->last.ms == EG_TIME_NONE)
        begin(followed, ms, value);
    double change = value - followed->good.value;
    if ((change > limits->rise || -change > limits->fall) && too_fast(limits, followed, ms, change))
        flags |= EG_FLAG_STEP;
    if (spike)
        flags |= EG_FLAG_SPIKE;
    bool again = goes_on(limits, followed, ms, value);
    if (again && ms - followed->run_ms >= limits->stuck_ms && value > limits->calm && value < limits->full)
        flags |= EG_FLAG_STUCK | (ms - followed->run_ms >= limits->stuck_bad_ms ? EG_FLAG_BAD : 0);
    if ((flags & EG_FLAGS_DOUBT) && conf->quality.strict)
        flags |= EG_FLAG_BAD;
    advance(followed, ms, value, again, flags);
    return flags;
}

/* --- within a message --- */

/* Finer particles are among the coarser ones; 0: no particles. */
static int coarseness(int quantity)
{
    switch (quantity) {
    case EG_Q_pm1:
        return 1;
    case EG_Q_pm25:
        return 2;
    case EG_Q_pm4:
        return 3;
    case EG_Q_pm10:
        return 4;
    case EG_Q_tsp:
        return 5;
    default:
        return 0;
    }
}

static bool contradict(const struct eg_reading *a, const struct eg_reading *b)
{
    int fine = coarseness(a->quantity), coarse = coarseness(b->quantity);
    if (a->quantity == EG_Q_dew_point && b->quantity == EG_Q_temperature)
        return a->value > b->value + DEW_SLACK;
    return fine && coarse && fine < coarse && a->value > b->value * (1 + SLACK_SHARE) + SLACK;
}

static bool asks(int quantity)
{
    return coarseness(quantity) || quantity == EG_Q_dew_point;
}

static void compare_one(const struct eg_conf *conf, struct eg_reading *one, struct eg_reading *other)
{
    if (one->device != other->device || one->time_ms != other->time_ms)
        return;
    if (coarseness(one->quantity) && other->quantity == EG_Q_humidity &&
        other->value >= conf->quality.humidity)
        one->flags |= EG_FLAG_HUMID;
    if (contradict(one, other) &&
        !strcmp(one->channel, other->channel)) { /* which of them is wrong nobody knows */
        one->flags |= EG_FLAG_INCONSISTENT;
        other->flags |= EG_FLAG_INCONSISTENT;
    }
}

void eg_quality_compare(const struct eg_conf *conf, struct eg_sink *sink)
{
    for (size_t i = 0; i < sink->count && sink->count > 1; i++) {
        if (!asks(sink->readings[i].quantity))
            continue;
        size_t from = i > BESIDE ? i - BESIDE : 0,
               to = i + BESIDE < sink->count ? i + BESIDE + 1 : sink->count;
        for (size_t k = from; k < to; k++)
            compare_one(conf, &sink->readings[i], &sink->readings[k]);
    }
}

/* --- of a series --- */

void eg_quality_refill(struct eg_series *series, int64_t ms, double value, unsigned flags)
{
    eg_quality_pass(series->limits, &series->followed, ms, value, flags);
}

int64_t eg_quality_since(const struct eg_series *series)
{
    const struct eg_conf_limits *limits = series->limits;
    int64_t back = isinf(limits->rise) && isinf(limits->fall) ? 0 : STEP_REACH_MS;
    if (!isinf(limits->spike))
        back = EG_SPIKE_REACH_MS;
    if (limits->stuck_ms != INT64_MAX) {
        int64_t run = limits->stuck_bad_ms != INT64_MAX ? limits->stuck_bad_ms : limits->stuck_ms;
        run += limits->stuck_ms / 2; /* the first that is found may be so far from where was looked */
        back = run > back ? run : back;
    }
    return series->last_ms - back;
}

void eg_doubts_count(struct eg_doubts *doubts, unsigned flags)
{
    if (flags & EG_FLAGS_SET_ASIDE)
        doubts->bad++;
    else if (flags & EG_FLAGS_DOUBT)
        doubts->suspect++;
    doubts->clock += (flags & EG_FLAG_CLOCK) != 0;
}

void eg_quality_verdict(const struct eg_series *series, struct eg_verdict_of_quality *ret)
{
    const bool doubted = series->has_last && series->last_flags & (EG_FLAGS_DOUBT | EG_FLAG_BAD),
               stuck = doubted && series->last_flags & EG_FLAG_STUCK;
    *ret = (struct eg_verdict_of_quality){
        .grade = !doubted                           ? EG_GRADE_GOOD
                 : series->last_flags & EG_FLAG_BAD ? EG_GRADE_BAD
                                                    : EG_GRADE_SUSPECT,
        .flags = doubted ? series->last_flags & EG_FLAGS_DOUBT : 0,
        .since_ms = doubted ? series->followed.doubted_ms : EG_TIME_NONE,
        .stuck_since_ms = stuck ? series->followed.run_ms : EG_TIME_NONE,
    };
}
