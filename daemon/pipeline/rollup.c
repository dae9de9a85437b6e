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
#define HOUR_SLOT_MS (60 * 1000)
#define DAY_SLOT_MS (15 * 60 * 1000)
static const int64_t slot_ms[EG_PERIOD_COUNT] = {HOUR_SLOT_MS, DAY_SLOT_MS};
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

/* Whole numbers add up the same in any order, and a quotient is rounded once: what is stored tells the whole number again. */
double eg_rollup_plus(double sum, double value, double scale)
{
    return (rint(sum * scale) + rint(value * scale)) / scale;
}

void eg_daymean_add(struct eg_daymean *mean, const struct eg_rollup *hour)
{
    if (!hour->count)
        return;
    mean->means += hour->sum / (double)hour->count;
    mean->hours++;
    mean->count += hour->count;
}

double eg_daymean_of(const struct eg_daymean *mean, double sum, uint64_t count)
{
    return mean->hours && mean->count == count ? mean->means / mean->hours : sum / (double)count;
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
    rollup->sum = first ? value : eg_rollup_plus(rollup->sum, value, scale);
    int64_t into = ms - rollup->start_ms,
            slot = period == EG_PERIOD_HOUR ? into / HOUR_SLOT_MS : into / DAY_SLOT_MS;
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

/* Slots as bits, as in a rollup. */
struct spoken {
    uint64_t word[SLOTS / 64];
};

static struct spoken later(struct spoken slots, unsigned by) /* 1..63 slots */
{
    return (struct spoken){{slots.word[0] << by, slots.word[1] << by | slots.word[0] >> (64 - by)}};
}

static struct spoken earlier(struct spoken slots, unsigned by) /* 1..63 slots */
{
    return (struct spoken){{slots.word[0] >> by | slots.word[1] << (64 - by), slots.word[1] >> by}};
}

static void add(struct spoken *slots, struct spoken more)
{
    slots->word[0] |= more.word[0];
    slots->word[1] |= more.word[1];
}

/* The first `count`; of none or less, none. */
static struct spoken up_to(int64_t count)
{
    struct spoken slots = {{0, 0}};
    for (int i = 0; i < SLOTS / 64; i++, count -= 64)
        slots.word[i] = count >= 64 ? UINT64_MAX : count > 0 ? (UINT64_C(1) << count) - 1 : 0;
    return slots;
}

static int64_t among(struct spoken slots, unsigned from, unsigned count)
{
    const struct spoken before = up_to(from), all = up_to(from + count);
    return __builtin_popcountll(slots.word[0] & all.word[0] & ~before.word[0]) +
           __builtin_popcountll(slots.word[1] & all.word[1] & ~before.word[1]);
}

static int64_t interval_of(const struct eg_rollup *rollup, int64_t interval_ms)
{
    int64_t speaks = interval_ms > 0 ? interval_ms : 0;
    if (!speaks && rollup->count > 1)
        speaks = (rollup->last_ms - rollup->first_ms) / (int64_t)(rollup->count - 1);
    return speaks < SPEAKS_MAX_MS ? speaks : SPEAKS_MAX_MS;
}

/* Each slot for so many after it, too. */
static void spread(struct spoken *slots, unsigned by)
{
    for (unsigned done = 0; done < by;) {
        const unsigned more = done + 1 < by - done ? done + 1 : by - done;
        add(slots, later(*slots, more));
        done += more;
    }
}

/* What is missing between them for no longer than `by` is not: no clock is exact, and no device. */
static void bridge(struct spoken *slots, unsigned by)
{
    struct spoken filled = *slots;
    spread(&filled, by);
    for (unsigned done = 0; done < by;) {
        const unsigned more = done + 1 < by - done ? done + 1 : by - done;
        const struct spoken next = earlier(filled, more);
        filled.word[0] &= next.word[0];
        filled.word[1] &= next.word[1];
        done += more;
    }
    add(slots, filled);
}

/* Which of its slots that begin before `end_ms` are spoken for. */
static struct spoken speak(const struct eg_rollup *rollup, int64_t slot_span, int64_t interval_ms,
                           int64_t end_ms)
{
    const int64_t speaks = interval_of(rollup, interval_ms);
    const unsigned reach = speaks > slot_span ? (unsigned)((speaks + slot_span - 1) / slot_span) : 1;
    struct spoken spoken = {{rollup->slots[0], rollup->slots[1]}};
    spread(&spoken, reach - 1);
    if (rollup->count && reach > 1) {
        int64_t first = (rollup->first_ms - rollup->start_ms) / slot_span;
        struct spoken before = up_to(first), not = up_to(first - reach + 1);
        add(&spoken, (struct spoken){{before.word[0] & ~not .word[0], before.word[1] & ~not .word[1]}});
    }
    bridge(&spoken, (reach + 1) / 2);
    int64_t ends = end_ms > rollup->start_ms ? (end_ms - rollup->start_ms + slot_span - 1) / slot_span : 0;
    struct spoken within = up_to(ends);
    return (struct spoken){{spoken.word[0] & within.word[0], spoken.word[1] & within.word[1]}};
}

int64_t eg_rollup_observed(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                           int64_t until_ms)
{
    const int64_t span = slot_ms[period], end_ms = until_ms < rollup->end_ms ? until_ms : rollup->end_ms;
    const struct spoken spoken = speak(rollup, span, interval_ms, end_ms);
    int64_t last = (end_ms - rollup->start_ms) / span, part_ms = (end_ms - rollup->start_ms) % span;
    bool cut = part_ms > 0 && last < SLOTS && spoken.word[last / 64] >> (last % 64) & 1;
    return among(spoken, 0, SLOTS) * span - (cut ? span - part_ms : 0);
}

bool eg_rollup_valid(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                     const struct eg_conf_validity *validity)
{
    const int64_t span = slot_ms[period];
    const unsigned a_hour = (unsigned)(SPEAKS_MAX_MS / span);
    if (!rollup->count)
        return false;
    const struct spoken spoken = speak(rollup, span, interval_ms, rollup->end_ms);
    unsigned hours = 0;
    for (unsigned slot = 0; slot + a_hour <= SLOTS; slot += a_hour)
        hours += among(spoken, slot, a_hour) * span >= validity->hour_ms;
    return hours >= (period == EG_PERIOD_HOUR ? 1 : validity->day_hours);
}

void eg_dayknown_add(struct eg_dayknown *known, const struct eg_rollup *hour, int64_t interval_ms,
                     int64_t until_ms, const struct eg_conf_validity *validity)
{
    const int64_t observed_ms = eg_rollup_observed(hour, EG_PERIOD_HOUR, interval_ms, until_ms);
    known->observed_ms += observed_ms;
    known->hours += hour->count && observed_ms >= validity->hour_ms;
}
