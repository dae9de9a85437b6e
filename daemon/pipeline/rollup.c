/* What an hour or a day of a series comes to. Knows buckets; which one is open, and what is written, is series.c's business. */
#include <pipeline/rollup.h>
#include <base/zone.h>
#include <ecogov/quantity.h>

#include <float.h>
#include <math.h>
#include <string.h>

#define SLOTS 128
#define EXACT 9007199254740992.0 /* 2^53 */
#define DAY_READINGS 86400.0
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

double eg_rollup_scale(int quantity)
{
    const struct eg_quantity_info *info = eg_quantity_info(quantity);
    double most = fabs(info->low) > fabs(info->high) ? fabs(info->low) : fabs(info->high), scale = 1;
    while (scale < 1e12 && most * DAY_READINGS * scale * 10 < EXACT)
        scale *= 10;
    return scale;
}

void eg_rollup_add(struct eg_rollup *rollup, enum eg_period period, double scale, int64_t ms, double value)
{
    bool first = !rollup->count;
    if (first || ms < rollup->first_ms) {
        rollup->first_ms = ms;
        rollup->first = value;
    }
    if (first || ms >= rollup->last_ms) {
        rollup->last_ms = ms;
        rollup->last = value;
    }
    if (first || value < rollup->min)
        rollup->min = value;
    if (first || value > rollup->max)
        rollup->max = value;
    rollup->count++;
    /* Whole numbers add up the same in any order, and a quotient is rounded once: what is stored tells the whole number again. */
    rollup->sum = first ? value : (rint(rollup->sum * scale) + rint(value * scale)) / scale;
    int64_t slot = (ms - rollup->start_ms) / slot_ms[period];
    if (slot < SLOTS)
        rollup->slots[slot / 64] |= UINT64_C(1) << (slot % 64);
}

void eg_rollup_none(struct eg_rollup *rollup)
{
    *rollup = (struct eg_rollup){.start_ms = rollup->start_ms,
                                 .end_ms = rollup->end_ms,
                                 .min = DBL_MAX,
                                 .max = -DBL_MAX,
                                 .first_ms = INT64_MAX,
                                 .last_ms = INT64_MIN};
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

static bool slot_set(const struct eg_rollup *rollup, int64_t slot)
{
    return rollup->slots[slot / 64] >> (slot % 64) & 1;
}

/* How much of each slot before `until_ms` is spoken for, told one by one. */
static void speak(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                  int64_t until_ms, int64_t ret_ms[SLOTS])
{
    const int64_t slot_span = slot_ms[period], end_ms = until_ms < rollup->end_ms ? until_ms : rollup->end_ms;
    int64_t speaks = interval_ms > 0 ? interval_ms : 0;
    if (rollup->count > 1) {
        int64_t apart = (rollup->last_ms - rollup->first_ms) / (int64_t)(rollup->count - 1);
        speaks = speaks && speaks < apart ? speaks : apart;
    }
    if (speaks > SPEAKS_MAX_MS)
        speaks = SPEAKS_MAX_MS;
    const int64_t reach = speaks > slot_span ? (speaks + slot_span - 1) / slot_span : 1;
    const int64_t first = rollup->count ? (rollup->first_ms - rollup->start_ms) / slot_span : SLOTS + reach;
    int64_t spoken_to = 0;
    memset(ret_ms, 0, SLOTS * sizeof *ret_ms);
    for (int64_t slot = 0; slot < SLOTS && rollup->start_ms + slot * slot_span < end_ms; slot++) {
        int64_t from_ms = rollup->start_ms + slot * slot_span, to_ms = from_ms + slot_span;
        if (slot_set(rollup, slot))
            spoken_to = slot + reach;
        if (slot < spoken_to || (slot < first && first - slot < reach))
            ret_ms[slot] = (to_ms < end_ms ? to_ms : end_ms) - from_ms;
    }
}

int64_t eg_rollup_observed(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                           int64_t until_ms)
{
    int64_t spoken[SLOTS], observed = 0;
    speak(rollup, period, interval_ms, until_ms, spoken);
    for (int slot = 0; slot < SLOTS; slot++)
        observed += spoken[slot];
    return observed;
}

bool eg_rollup_valid(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                     const struct eg_conf_validity *validity)
{
    const int a_hour = (int)(SPEAKS_MAX_MS / slot_ms[period]);
    int64_t spoken[SLOTS];
    unsigned hours = 0;
    if (!rollup->count)
        return false;
    speak(rollup, period, interval_ms, INT64_MAX, spoken);
    for (int slot = 0; slot + a_hour <= SLOTS; slot += a_hour) {
        int64_t hour_ms = 0;
        for (int i = 0; i < a_hour; i++)
            hour_ms += spoken[slot + i];
        hours += hour_ms >= validity->hour_ms;
    }
    return hours >= (period == EG_PERIOD_HOUR ? 1 : validity->day_hours);
}
