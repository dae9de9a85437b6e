/* Knows how what a bucket's readings speak for becomes a share of its time. Refuses to know who asks.
 * Called by m_history.c and m_summary.c. */
#include <api/completeness.h>
#include <pipeline/rollup.h>

double eg_completeness(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                       int64_t now_ms)
{
    int64_t end_ms = now_ms < rollup->end_ms ? now_ms : rollup->end_ms;
    if (end_ms <= rollup->start_ms) /* a clock that runs ahead */
        end_ms = rollup->start_ms + 1;
    return (double)eg_rollup_observed(rollup, period, interval_ms, end_ms) /
           (double)(end_ms - rollup->start_ms);
}
