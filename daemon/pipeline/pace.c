/* Paces (pace.h). Knows how many readings an hour holds, and from when to when; refuses to know what is made of it. Called wherever it is
 * told how much of an hour is spoken for. */
#include <pipeline/pace.h>
#include <pipeline/batch.h>

#define HOUR_MS INT64_C(3600000)

struct eg_spacing eg_spacing_of(const struct eg_rollup *hour)
{
    int64_t apart_ms = hour->count ? HOUR_MS / (int64_t)hour->count : 0;
    if (hour->count > 1) {
        const int64_t within_ms = (hour->last_ms - hour->first_ms) / (int64_t)(hour->count - 1);
        apart_ms = within_ms < apart_ms ? within_ms : apart_ms;
    }
    if (hour->count && apart_ms <= 0)
        apart_ms = 1; /* all within a moment */
    return (struct eg_spacing){(int32_t)(hour->start_ms / HOUR_MS), (uint32_t)apart_ms};
}

int64_t eg_pace_add(struct eg_pace *pace, struct eg_spacing hour)
{
    uint32_t sorted[EG_PACE_HOURS] = {0};
    unsigned known = 0;
    if (!hour.apart_ms)
        return 0;
    pace->hours[pace->next] = hour;
    pace->next = (pace->next + 1) % EG_PACE_HOURS;
    pace->count += pace->count < EG_PACE_HOURS;
    for (unsigned i = 0; i < pace->count; i++) {
        const struct eg_spacing *one = &pace->hours[i];
        if ((int64_t)hour.number - one->number > EG_PACE_BACK)
            continue;
        unsigned at = known++;
        for (; at && sorted[at - 1] > one->apart_ms; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = one->apart_ms;
    }
    return known == 1 && hour.apart_ms == HOUR_MS ? 1 : sorted[(known - 1) / 2];
}

int64_t eg_pace_hour(struct eg_pace *pace, const struct eg_rollup *hour)
{
    return eg_pace_add(pace, eg_spacing_of(hour));
}
