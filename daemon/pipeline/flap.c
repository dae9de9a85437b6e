/* When is a case flapping? As in Icinga: of its last 20 changes, newer ones weigh more (1.2 for one of just now, down to 0.8), and one
 * that is older than the window weighs nothing; their sum in per cent of 20 is held against two thresholds. Pure arithmetic in whole
 * numbers, so that a replay and a restart come to the same. Called by suppress.c. */
#include <pipeline/flap.h>

/* Twice the window times the per cent: sum of (1.2 - 0.4 * age / window) / 20 * 100. */
static int64_t scaled(const struct eg_flap *flap, int64_t window_ms, int64_t at_ms)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < flap->count; i++) {
        int64_t age = at_ms - flap->at_ms[i];
        if (age <= window_ms)
            sum += 12 * window_ms - 4 * (age > 0 ? age : 0);
    }
    return sum;
}

void eg_flap_change(struct eg_flap *flap, int64_t at_ms, int64_t reading_ms)
{
    if (flap->count && flap->at_ms[flap->count - 1] == at_ms && flap->reading_ms == reading_ms)
        return;
    flap->reading_ms = reading_ms;
    if (flap->count < EG_FLAP_CHANGES) {
        flap->at_ms[flap->count++] = at_ms;
        return;
    }
    for (unsigned i = 1; i < EG_FLAP_CHANGES; i++)
        flap->at_ms[i - 1] = flap->at_ms[i];
    flap->at_ms[EG_FLAP_CHANGES - 1] = at_ms;
}

double eg_flap_share(const struct eg_flap *flap, int64_t window_ms, int64_t at_ms)
{
    return (double)scaled(flap, window_ms, at_ms) / (double)(2 * window_ms);
}

bool eg_flap_is_above(const struct eg_flap *flap, int64_t window_ms, int high, int64_t at_ms)
{
    return scaled(flap, window_ms, at_ms) > 2 * window_ms * high;
}

/* Between two changes that leave the window the share falls in a straight line. */
int64_t eg_flap_calm(const struct eg_flap *flap, int64_t window_ms, int low, int64_t from_ms)
{
    int64_t at_ms = from_ms;
    for (unsigned step = 0; step <= flap->count; step++) {
        int64_t count = 0, sum = 0, leaves = INT64_MAX;
        for (unsigned i = 0; i < flap->count; i++) {
            if (at_ms - flap->at_ms[i] > window_ms)
                continue;
            count++;
            sum += flap->at_ms[i] - from_ms;
            if (flap->at_ms[i] + window_ms + 1 < leaves)
                leaves = flap->at_ms[i] + window_ms + 1;
        }
        if (!count)
            return at_ms;
        int64_t most = 12 * count * window_ms + 4 * sum - 2 * window_ms * low,
                after = most < 0 ? 0 : most / (4 * count) + 1;
        int64_t falls = from_ms + after > at_ms ? from_ms + after : at_ms;
        if (falls < leaves)
            return falls;
        at_ms = leaves;
    }
    return at_ms;
}
