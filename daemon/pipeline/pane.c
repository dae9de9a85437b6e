/* What a stretch of time holds, as sums and ends. Knows values and times; refuses to know which stretch. Called by window.c. */
#include <pipeline/pane.h>

#include <math.h>

#define RADIANS 0.017453292519943295

void eg_pane_speak(struct eg_pane *pane, const struct eg_window_shape *shape, double value, int64_t spoken_ms)
{
    pane->spoken_ms += spoken_ms;
    if (shape->statistic == EG_STAT_ABOVE && value > shape->above)
        pane->above_ms += spoken_ms;
}

void eg_pane_add(struct eg_pane *pane, const struct eg_window_shape *shape, int64_t ms, double value,
                 int64_t spoken_ms)
{
    if (!pane->count || ms < pane->first_ms) {
        pane->first_ms = ms;
        pane->first = value;
    }
    if (!pane->count || ms >= pane->last_ms) {
        pane->last_ms = ms;
        pane->last = value;
    }
    if (!pane->count || value < pane->min)
        pane->min = value;
    if (!pane->count || value > pane->max)
        pane->max = value;
    if (pane->count) {
        double off = value - pane->sum / pane->count;
        pane->apart += off * off * pane->count / (pane->count + 1.0);
    }
    pane->sum += value;
    pane->count++;
    eg_pane_speak(pane, shape, value, spoken_ms);
    if (shape->statistic == EG_STAT_VECTOR_MEAN) {
        pane->east += sin(value * RADIANS);
        pane->north += cos(value * RADIANS);
    }
}

void eg_pane_merge(struct eg_pane *pane, const struct eg_pane *later)
{
    if (!pane->count) {
        *pane = *later;
        return;
    }
    double off = later->sum / later->count - pane->sum / pane->count;
    pane->apart +=
        later->apart + off * off * pane->count * later->count / ((double)pane->count + later->count);
    pane->count += later->count;
    pane->spoken_ms += later->spoken_ms;
    pane->above_ms += later->above_ms;
    pane->sum += later->sum;
    pane->east += later->east;
    pane->north += later->north;
    pane->min = later->min < pane->min ? later->min : pane->min;
    pane->max = later->max > pane->max ? later->max : pane->max;
    pane->last = later->last;
    pane->last_ms = later->last_ms;
}

static bool rate(const struct eg_pane *pane, double *ret)
{
    if (pane->last_ms <= pane->first_ms)
        return false;
    *ret = (pane->last - pane->first) * 3600000.0 / (double)(pane->last_ms - pane->first_ms);
    return true;
}

/* Where from, 0 … 360. */
static bool direction(const struct eg_pane *pane, double *ret)
{
    if (hypot(pane->east, pane->north) < 1e-6 * pane->count)
        return false;
    *ret = fmod(atan2(pane->east, pane->north) / RADIANS + 360, 360);
    return true;
}

bool eg_pane_value(const struct eg_pane *pane, enum eg_statistic statistic, double *ret)
{
    switch (statistic) {
    case EG_STAT_RATE:
        return rate(pane, ret);
    case EG_STAT_CHANGE:
        *ret = pane->last - pane->first;
        return pane->last_ms > pane->first_ms;
    case EG_STAT_VECTOR_MEAN:
        return direction(pane, ret);
    case EG_STAT_STDDEV:
        *ret = sqrt(pane->apart / (pane->count - 1.0));
        return pane->count > 1;
    case EG_STAT_READINGS:
        *ret = pane->count;
        return true;
    case EG_STAT_ABOVE:
        *ret = (double)pane->above_ms / 60000.0;
        return true;
    case EG_STAT_SUM:
        *ret = pane->sum;
        return true;
    case EG_STAT_MIN:
        *ret = pane->min;
        return true;
    case EG_STAT_MAX:
        *ret = pane->max;
        return true;
    default:
        return false;
    }
}

void eg_parts_add(struct eg_parts *parts, uint32_t count, double sum, int64_t spoken_ms)
{
    parts->newest_count += count;
    parts->newest_sum += sum;
    parts->newest_spoken_ms += spoken_ms;
}

void eg_parts_close(struct eg_parts *parts, int64_t enough_ms)
{
    if (!parts->newest_count)
        return;
    parts->means += parts->newest_sum / parts->newest_count;
    parts->count++;
    parts->valid += parts->newest_spoken_ms >= enough_ms;
    parts->newest_count = 0;
    parts->newest_sum = 0;
    parts->newest_spoken_ms = 0;
}
