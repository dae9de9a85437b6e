/* The measures behind `noisy` and `drifting` (finding.h). Knows hours, and what is asked of a quantity; refuses to know devices, cases and
 * the store. Called by examine.c.
 *
 * Both are asked of days, of each by itself, and a few days in succession make a finding: a festival with fireworks, a storm, a stubble
 * fire are over by then. And both are asked of nearly all hours of a day, the calm ones among them: what is in the air comes and goes, an
 * error of a sensor does not. */
#include <pipeline/finding.h>

#include <math.h>
#include <string.h>

#define HOURS 24
#define HOURS_LEAST 18    /* of a day, three quarters (EPA: 75 %) */
#define SHARE_OF_HOURS 10 /* of those, all but one in ten depart on the same side */
#define AGREE_OF_FOUR 3   /* of four neighbours so many must agree */
#define NOISY_DAYS 3
#define DRIFTING_DAYS 5
#define OVER_DAYS 2   /* so many in succession without it, and it is over */
#define BLIND_DAYS 7  /* so many about which nothing can be said, and nothing is */
#define USUAL_DAYS 5  /* whose hours say what is usual */
#define USUAL_TIMES 4 /* so much more than usual */
#define NEIGHBOUR_TIMES 3
#define STAYS 0.5 /* so much of what makes a finding keeps it up */
#define DAY_MS (HOURS * INT64_C(3600000))
#define WEEK_MS (7 * DAY_MS)

bool eg_finding_none(const struct eg_finding *finding)
{
    return finding->noisy_ms == EG_TIME_NONE && finding->drifting_ms == EG_TIME_NONE;
}

/* A day's at most: by insertion. */
static void sort(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        double value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

/* Of an even number the lower one of the two in the middle, so that it is a value that was told. */
static double median(double *values, size_t count)
{
    sort(values, count);
    return values[(count - 1) / 2];
}

/* --- jumps --- */

/* Within the hour, where it holds several readings; else how far it lies off the line between those beside it. */
static double jump(const struct eg_hourly *hourly, size_t hour)
{
    if (!isnan(hourly->range[hour]))
        return hourly->range[hour];
    if (hour == 0 || hour + 1 == EG_FINDING_HOURS)
        return NAN;
    return fabs(hourly->mean[hour] - (hourly->mean[hour - 1] + hourly->mean[hour + 1]) / 2);
}

/* Of ranges the lower quartile, so that calm hours count; how far an hour is off those beside it is often little by chance: the median. */
void eg_finding_jumps(struct eg_hourly *hourly)
{
    for (size_t day = 0; day < EG_FINDING_DAYS; day++) {
        double jumps[HOURS];
        size_t count = 0, ranges = 0;
        for (size_t hour = day * HOURS; hour < (day + 1) * HOURS; hour++) {
            jumps[count] = jump(hourly, hour);
            count += (size_t)!isnan(jumps[count]);
            ranges += (size_t)!isnan(hourly->range[hour]);
        }
        sort(jumps, count);
        hourly->jumps[day] =
            count < HOURS_LEAST ? NAN : jumps[ranges * 2 > count ? count / 4 : (count - 1) / 2];
    }
}

static double mean_of_day(const struct eg_hourly *hourly, size_t day)
{
    double sum = 0;
    size_t count = 0;
    for (size_t hour = day * HOURS; hour < (day + 1) * HOURS; hour++) {
        bool known = !isnan(hourly->mean[hour]);
        sum += known ? hourly->mean[hour] : 0;
        count += known;
    }
    return count ? sum / (double)count : NAN;
}

/* --- a run of days --- */

enum day { DAY_UNKNOWN, DAY_WITHOUT, DAY_ABOVE, DAY_BELOW };
struct run {
    int64_t since_ms; /* found; EG_TIME_NONE: not */
    int64_t first_ms; /* of the days that are counted */
    int days, over, blind, needed;
    enum day side;
};

static void follow(struct run *run, enum day day, int64_t start_ms)
{
    if (day == DAY_UNKNOWN) {
        run->blind++;
        if (run->blind >= BLIND_DAYS) {
            run->since_ms = EG_TIME_NONE;
            run->days = run->over = 0;
        }
        return;
    }
    run->blind = 0;
    bool same = day != DAY_WITHOUT && day == run->side;
    if (run->since_ms != EG_TIME_NONE) {
        run->over = same ? 0 : run->over + 1;
        if (run->over < OVER_DAYS)
            return;
        run->since_ms = EG_TIME_NONE;
        run->days = run->over = 0;
    }
    if (day == DAY_WITHOUT) {
        run->days = 0;
        return;
    }
    if (!same || !run->days) {
        run->days = 0;
        run->first_ms = start_ms;
        run->side = day;
    }
    if (++run->days >= run->needed)
        run->since_ms = run->first_ms;
}

/* What was found more than a week ago goes on until the days since then say otherwise; *ret_day: the first of them that is looked at. All
 * else is found anew. */
static struct run begin(int64_t since_ms, enum day side, int needed, int64_t from_ms, size_t *ret_day)
{
    bool before = since_ms != EG_TIME_NONE && since_ms < from_ms + WEEK_MS;
    *ret_day = before && since_ms > from_ms ? (size_t)((since_ms - from_ms) / DAY_MS) : 0;
    return (struct run){.since_ms = before ? since_ms : EG_TIME_NONE, .side = side, .needed = needed};
}

/* --- noise --- */

static bool neighbours_jump(const struct eg_hourly *const *others, size_t count, size_t day, double own)
{
    double jumps[EG_NEIGHBOURS_MOST];
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        jumps[known] = others[i]->jumps[day];
        known += (size_t)!isnan(jumps[known]);
    }
    return known >= EG_NEIGHBOURS_LEAST && own <= NEIGHBOUR_TIMES * median(jumps, known);
}

static void look_for_noise(const struct eg_conf_limits *limits, const struct eg_hourly *own,
                           const struct eg_hourly *const *others, size_t count, int64_t from_ms,
                           struct eg_finding *finding)
{
    const double *jumps = own->jumps;
    double calm[EG_FINDING_DAYS], sorted[USUAL_DAYS];
    size_t calm_days = 0, day; /* that were not noisy, as they came */
    struct run run = begin(finding->noisy_ms, DAY_ABOVE, NOISY_DAYS, from_ms, &day);
    double usual = run.since_ms != EG_TIME_NONE ? finding->usual : NAN;
    for (; day < EG_FINDING_DAYS; day++) {
        double before = usual;
        if (run.since_ms ==
            EG_TIME_NONE) { /* the last few, so that it does not matter how far back is looked */
            if (calm_days >= USUAL_DAYS)
                memcpy(sorted, calm + calm_days - USUAL_DAYS, sizeof sorted);
            before = calm_days >= USUAL_DAYS ? median(sorted, USUAL_DAYS) : NAN;
        }
        bool found = run.since_ms != EG_TIME_NONE;
        const double much =
            (limits->noise + limits->noise_share * fabs(mean_of_day(own, day))) * (found ? STAYS : 1);
        bool noisy = jumps[day] > much && jumps[day] > USUAL_TIMES * before * (found ? STAYS : 1) &&
                     !neighbours_jump(others, count, day, jumps[day]);
        follow(&run,
               isnan(jumps[day]) || isnan(before) ? DAY_UNKNOWN
               : noisy                            ? DAY_ABOVE
                                                  : DAY_WITHOUT,
               from_ms + (int64_t)day * DAY_MS);
        if (!found && run.since_ms != EG_TIME_NONE)
            usual = before;
        if (!noisy && !isnan(jumps[day]))
            calm[calm_days++] = jumps[day];
    }
    finding->noisy_ms = run.since_ms;
    finding->usual = run.since_ms != EG_TIME_NONE ? usual : 0;
}

/* --- drift --- */

/* On which side of its neighbours it lies in that hour; UNKNOWN: too few are known, or they do not agree. */
static enum day side_of(const struct eg_conf_limits *limits, const struct eg_hourly *own,
                        const struct eg_hourly *const *others, size_t count, size_t hour)
{
    double values[EG_NEIGHBOURS_MOST];
    size_t known = 0, agree = 0;
    for (size_t i = 0; i < count; i++) {
        values[known] = others[i]->mean[hour];
        known += (size_t)!isnan(values[known]);
    }
    if (known < EG_NEIGHBOURS_LEAST || isnan(own->mean[hour]))
        return DAY_UNKNOWN;
    double middle = median(values, known), share = limits->drift_share * fabs(middle);
    double far = share > limits->drift ? share : limits->drift;
    for (size_t i = 0; i < known; i++)
        agree += fabs(values[i] - middle) <= far / 2;
    if (agree < EG_NEIGHBOURS_LEAST || agree * 4 < known * AGREE_OF_FOUR)
        return DAY_UNKNOWN;
    return own->mean[hour] > middle + far   ? DAY_ABOVE
           : own->mean[hour] < middle - far ? DAY_BELOW
                                            : DAY_WITHOUT;
}

static void look_for_drift(const struct eg_conf_limits *limits, const struct eg_hourly *own,
                           const struct eg_hourly *const *others, size_t count, int64_t from_ms,
                           struct eg_finding *finding)
{
    size_t day;
    struct run run =
        begin(finding->drifting_ms, finding->side < 0 ? DAY_BELOW : DAY_ABOVE, DRIFTING_DAYS, from_ms, &day);
    for (; day < EG_FINDING_DAYS; day++) {
        size_t hours[DAY_BELOW + 1] = {0}, asked;
        for (size_t hour = day * HOURS; hour < (day + 1) * HOURS; hour++)
            hours[side_of(limits, own, others, count, hour)]++;
        asked = HOURS - hours[DAY_UNKNOWN];
        follow(&run,
               asked < HOURS_LEAST                                    ? DAY_UNKNOWN
               : (asked - hours[DAY_ABOVE]) * SHARE_OF_HOURS <= asked ? DAY_ABOVE
               : (asked - hours[DAY_BELOW]) * SHARE_OF_HOURS <= asked ? DAY_BELOW
                                                                      : DAY_WITHOUT,
               from_ms + (int64_t)day * DAY_MS);
    }
    finding->drifting_ms = run.since_ms;
    finding->side = run.since_ms == EG_TIME_NONE ? 0 : run.side == DAY_BELOW ? -1 : 1;
}

void eg_finding_make(const struct eg_conf_limits *limits, const struct eg_hourly *own,
                     const struct eg_hourly *const *others, size_t count, int64_t end_ms,
                     struct eg_finding *finding)
{
    const int64_t from_ms = end_ms - EG_FINDING_MS;
    if (isinf(limits->noise))
        finding->noisy_ms = EG_TIME_NONE;
    else
        look_for_noise(limits, own, others, count, from_ms, finding);
    if (isinf(limits->drift))
        finding->drifting_ms = EG_TIME_NONE;
    else
        look_for_drift(limits, own, others, count, from_ms, finding);
}
