/* How long a reading speaks for, in holds and in windows. A hold counts time that somebody observed: two readings much further apart than
 * is usual leave a gap between them, and nobody knows what was in it but for the usual time after the first. What is usual is told by the
 * readings before, in the order of their times, so that it is the same whenever and in whatever order they came. Called by judge.c,
 * rejudge.c, backtest.c and series.c. */
#include <pipeline/state.h>

#include <string.h>

#define USUAL_TIMES 3
#define USUAL_OF 3
#define SPEAKS_LEAST_MS INT64_C(600000)  /* as a device is given before it is silent (registry.c) */
#define SPEAKS_FIRST_MS INT64_C(3600000) /* nothing is known of what is usual yet */
#define SPEAKS_MAX_MS INT64_C(3600000)   /* in a window, however seldom there is one */

void eg_rhythm_add(struct eg_rhythm *rhythm, int64_t ms)
{
    if (rhythm->count == EG_RHYTHM_READINGS)
        memmove(rhythm->ms, rhythm->ms + 1, --rhythm->count * sizeof *rhythm->ms);
    rhythm->ms[rhythm->count++] = ms;
}

int64_t eg_rhythm_newest(const struct eg_rhythm *rhythm)
{
    return rhythm->count ? rhythm->ms[rhythm->count - 1] : EG_TIME_NONE;
}

/* The middle of the last three distances before `at_ms`, so that one outage changes nothing; the greater of two. */
static int64_t usual(const struct eg_rhythm *rhythm, int64_t at_ms)
{
    int64_t apart[USUAL_OF] = {0};
    int behind = rhythm->count, count;
    while (behind && rhythm->ms[behind - 1] >= at_ms)
        behind--;
    count = behind - 1 < USUAL_OF ? behind - 1 : USUAL_OF;
    for (int i = 0; i < count; i++) {
        int64_t one = rhythm->ms[behind - count + i] - rhythm->ms[behind - count + i - 1];
        int at = i;
        for (; at && apart[at - 1] > one; at--)
            apart[at] = apart[at - 1];
        apart[at] = one;
    }
    return count > 0 ? apart[count / 2] : 0;
}

int64_t eg_rhythm_spoken(const struct eg_rhythm *rhythm, int64_t ms)
{
    int64_t usual_ms = 0;
    int last = rhythm->count - 1;
    if (last < 0 || rhythm->ms[last] < ms - EG_RHYTHM_BACK_MS || rhythm->ms[last] >= ms)
        return 0;
    for (int i = last; i > 0 && rhythm->ms[i - 1] >= ms - EG_RHYTHM_BACK_MS; i--)
        if (rhythm->ms[i] - rhythm->ms[i - 1] > usual_ms)
            usual_ms = rhythm->ms[i] - rhythm->ms[i - 1];
    int64_t apart_ms = ms - rhythm->ms[last];
    if (usual_ms && apart_ms > usual_ms + usual_ms / 4) /* no clock is exact */
        apart_ms = usual_ms;
    return apart_ms < SPEAKS_MAX_MS ? apart_ms : SPEAKS_MAX_MS;
}

int64_t eg_rhythm_speaks(const struct eg_rhythm *rhythm, const struct eg_conf_rule *rule,
                         const struct eg_device *device, int64_t at_ms)
{
    if (rule->gap_ms)
        return rule->gap_ms;
    if (device && device->described && device->described->silent_after_ms)
        return device->described->silent_after_ms;
    int64_t apart = usual(rhythm, at_ms);
    if (!apart)
        return SPEAKS_FIRST_MS;
    return apart * USUAL_TIMES > SPEAKS_LEAST_MS ? apart * USUAL_TIMES : SPEAKS_LEAST_MS;
}

int64_t eg_rhythm_unobserved(const struct eg_rhythm *rhythm, const struct eg_conf_rule *rule,
                             const struct eg_device *device, int64_t before_ms, int64_t at_ms)
{
    if (before_ms == EG_TIME_NONE || before_ms >= at_ms)
        return 0;
    int64_t speaks = eg_rhythm_speaks(rhythm, rule, device, at_ms), apart = at_ms - before_ms,
            known = usual(rhythm, at_ms);
    if (apart <= speaks)
        return 0;
    return apart - (known < speaks ? known : speaks);
}

bool eg_rhythm_complete(struct eg_pipeline *pipeline, struct eg_series *series, int64_t before_ms,
                        const struct eg_batch *batch)
{
    struct eg_gather gather = {0};
    if (series->rhythm.whole || series->rhythm.count == EG_RHYTHM_READINGS)
        return true;
    bool ok = eg_gather_back(pipeline, series, before_ms, before_ms, EG_RHYTHM_READINGS, 0, batch, &gather);
    series->rhythm = (struct eg_rhythm){.whole = true};
    for (size_t i = 0; ok && i < gather.count; i++)
        if (!(gather.rows[i].flags & EG_FLAGS_UNJUDGED))
            eg_rhythm_add(&series->rhythm, gather.rows[i].time_ms);
    eg_gather_finish(&gather);
    return ok;
}
