/* Knows how what a bucket's readings speak for becomes a share of its time. Refuses to know who asks.
 * Called by m_history.c and m_summary.c. */
#include <api/completeness.h>
#include <pipeline/rollup.h>

double eg_completeness_share(int64_t observed_ms, int64_t start_ms, int64_t end_ms, int64_t now_ms)
{
    end_ms = now_ms < end_ms ? now_ms : end_ms;
    if (end_ms <= start_ms) /* a clock that runs ahead */
        end_ms = start_ms + 1;
    return observed_ms < end_ms - start_ms ? (double)observed_ms / (double)(end_ms - start_ms) : 1;
}

double eg_completeness(const struct eg_rollup *rollup, enum eg_period period, int64_t interval_ms,
                       int64_t now_ms)
{
    return eg_completeness_share(eg_rollup_observed(rollup, period, interval_ms, now_ms), rollup->start_ms,
                                 rollup->end_ms, now_ms);
}

struct eg_dayknown eg_completeness_of_day(const struct eg_series_view *series, int64_t until_ms,
                                          const struct eg_conf_validity *validity)
{
    struct eg_dayknown known = series->day_known;
    if (series->hour.count && series->hour.start_ms >= series->day.start_ms &&
        series->hour.start_ms < series->day.end_ms)
        eg_dayknown_add(&known, &series->hour, series->hour_interval_ms, until_ms, validity);
    return known;
}
