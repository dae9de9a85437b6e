/* Paces (pace.h). Knows which minutes of an hour hold a reading; refuses to know what is made of it. Called wherever it is told how much of
 * an hour is spoken for. */
#include <pipeline/pace.h>
#include <pipeline/batch.h>

#include <stdbool.h>

#define HOUR_MS INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)
#define MINUTES 60
#define SHARE 45 /* % */
#define WHOLE ((UINT64_C(1) << MINUTES) - 1)

struct eg_minutes eg_minutes_of(const struct eg_rollup *hour)
{
    return (struct eg_minutes){(int32_t)(hour->start_ms / HOUR_MS), hour->count ? hour->slots[0] & WHOLE : 0};
}

static void count(struct eg_pace *pace, int64_t apart, uint32_t times, bool away)
{
    if (apart < 1 || apart > EG_PACE_APART)
        return;
    const uint32_t minutes = (uint32_t)apart * times;
    pace->apart[apart] += away ? -minutes : minutes;
    pace->all += away ? -minutes : minutes;
}

/* The distances of an hour's minutes from those before them, the first one from `before`. */
static void count_hour(struct eg_pace *pace, struct eg_minutes hour, int64_t before, bool away)
{
    if (hour.minutes == WHOLE) {
        count(pace, (int64_t)hour.number * MINUTES - before, 1, away);
        count(pace, 1, MINUTES - 1, away);
        return;
    }
    for (uint64_t left = hour.minutes; left; left &= left - 1) {
        const int64_t minute = (int64_t)hour.number * MINUTES + __builtin_ctzll(left);
        count(pace, minute - before, 1, away);
        before = minute;
    }
}

static void forget_until(struct eg_pace *pace, int64_t number)
{
    while (pace->count && pace->hours[pace->first].own.number <= number) {
        count_hour(pace, pace->hours[pace->first].own, pace->hours[pace->first].before, true);
        pace->first = (pace->first + 1) % EG_PACE_HOURS;
        pace->count--;
    }
}

int64_t eg_pace_add(struct eg_pace *pace, struct eg_minutes hour)
{
    const int64_t before = pace->last ? pace->last : INT64_MIN / 2;
    int64_t apart = 0;
    uint32_t sum = 0;
    if (!hour.minutes)
        return 0;
    forget_until(pace, (int64_t)hour.number - EG_PACE_HOURS);
    if (pace->count == EG_PACE_HOURS) /* not ascending: of a damaged store */
        forget_until(pace, INT64_MAX);
    const unsigned at = (pace->first + pace->count++) % EG_PACE_HOURS;
    pace->hours[at].own = hour;
    pace->hours[at].before = before;
    count_hour(pace, hour, before, false);
    pace->last = (int64_t)hour.number * MINUTES + 63 - __builtin_clzll(hour.minutes);
    if (!pace->all)
        return MINUTE_MS;
    while (sum * 100 < pace->all * SHARE)
        sum += pace->apart[++apart];
    return apart < MINUTES ? apart * MINUTE_MS : HOUR_MS;
}

int64_t eg_pace_hour(struct eg_pace *pace, const struct eg_rollup *hour)
{
    return eg_pace_add(pace, eg_minutes_of(hour));
}
