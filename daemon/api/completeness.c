/* Knows how the slots of a bucket (pipeline/batch.h) become a share of its time. Refuses to know who asks.
 * Called by m_history.c and m_summary.c. */
#include <api/completeness.h>

#define SLOTS_MAX 128
static const int64_t slot_ms[EG_PERIOD_COUNT] = {60 * 1000, 15 * 60 * 1000};

static uint64_t first_bits(int64_t count)
{
    return count >= 64 ? UINT64_MAX : count <= 0 ? 0 : (UINT64_C(1) << count) - 1;
}

double eg_completeness(const struct eg_rollup *rollup, enum eg_period period, int64_t now_ms)
{
    int64_t end = now_ms < rollup->end_ms ? now_ms : rollup->end_ms;
    if (end <= rollup->start_ms)
        end = rollup->start_ms + 1;
    int64_t passed = (end - rollup->start_ms + slot_ms[period] - 1) / slot_ms[period];
    if (passed > SLOTS_MAX)
        passed = SLOTS_MAX;
    int covered = __builtin_popcountll(rollup->slots[0] & first_bits(passed)) +
                  __builtin_popcountll(rollup->slots[1] & first_bits(passed - 64));
    return (double)covered / (double)passed;
}
