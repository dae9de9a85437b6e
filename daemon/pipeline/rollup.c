/* What an hour or a day of a series comes to. Knows buckets; which one is open, and what is written, is series.c's business. */
#include <pipeline/rollup.h>
#include <base/zone.h>

#include <string.h>

#define SLOTS 128
static const int64_t slot_ms[EG_PERIOD_COUNT] = {60 * 1000, 15 * 60 * 1000};
/* A reading never speaks for more than this, however rare the device is: an hour is complete with one reading an hour. */
#define SPEAKS_MAX_MS (60 * 60 * 1000)

void eg_rollup_start(struct eg_rollup *rollup, enum eg_period period, int64_t ms)
{
    memset(rollup, 0, sizeof *rollup);
    if (period == EG_PERIOD_HOUR)
        eg_zone_hour(ms, &rollup->start_ms, &rollup->end_ms);
    else
        eg_zone_day(ms, &rollup->start_ms, &rollup->end_ms);
}

void eg_rollup_add(struct eg_rollup *rollup, enum eg_period period, int64_t ms, double value,
                   int64_t interval_ms)
{
    if (!rollup->count || ms < rollup->first_ms) {
        rollup->first_ms = ms;
        rollup->first = value;
    }
    if (!rollup->count || ms >= rollup->last_ms) {
        rollup->last_ms = ms;
        rollup->last = value;
    }
    if (!rollup->count || value < rollup->min)
        rollup->min = value;
    if (!rollup->count || value > rollup->max)
        rollup->max = value;
    rollup->count++;
    rollup->sum += value;

    if (interval_ms > SPEAKS_MAX_MS)
        interval_ms = SPEAKS_MAX_MS;
    int64_t until = ms + (interval_ms > 0 ? interval_ms - 1 : 0);
    if (until >= rollup->end_ms)
        until = rollup->end_ms - 1;
    int64_t from = (ms - rollup->start_ms) / slot_ms[period],
            to = (until - rollup->start_ms) / slot_ms[period];
    for (int64_t slot = from; slot <= to && slot < SLOTS; slot++)
        rollup->slots[slot / 64] |= UINT64_C(1) << (slot % 64);
}

void eg_rollup_merge(struct eg_rollup *rollup, const struct eg_rollup *part)
{
    if (part->first_ms < rollup->first_ms) {
        rollup->first_ms = part->first_ms;
        rollup->first = part->first;
    }
    if (part->last_ms >= rollup->last_ms) {
        rollup->last_ms = part->last_ms;
        rollup->last = part->last;
    }
    if (part->min < rollup->min)
        rollup->min = part->min;
    if (part->max > rollup->max)
        rollup->max = part->max;
    rollup->count += part->count;
    rollup->sum += part->sum;
    for (int half = 0; half < 2; half++)
        rollup->slots[half] |= part->slots[half];
}
