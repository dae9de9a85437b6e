/* Knows when a device counts as silent: by what the configuration says, or after three of its own intervals, ten minutes at the least.
 * Refuses to know what follows from it. Called by the edges, for what they show. */
#include <pipeline/silent.h>

#define SILENT_LEAST_MS (10 * 60 * 1000)
#define SILENT_INTERVALS 3

bool eg_silent_is(const struct eg_device_view *view, int64_t now_ms)
{
    if (view->gone || view->last_seen_ms == EG_TIME_NONE || view->last_seen_ms <= 0)
        return true;
    int64_t after = view->silent_after_ms;
    if (after <= 0) {
        after = view->interval_ms < INT64_MAX / SILENT_INTERVALS ? view->interval_ms * SILENT_INTERVALS
                                                                 : INT64_MAX;
        if (after < SILENT_LEAST_MS)
            after = SILENT_LEAST_MS;
    }
    return now_ms - view->last_seen_ms > after;
}
