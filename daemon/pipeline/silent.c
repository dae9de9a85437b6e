/* Knows how a device stands, as it is shown: silent, since it said so itself or was not heard for as long as it may be; late, since more
 * than one message of its rhythm is missing. What the daemon makes of silence, and when, is unheard.c's business. Called by the edges. */
#include <pipeline/silent.h>

#define LATE_INTERVALS 2
#define LATE_LEAST_MS 60000

const char *eg_standing_name(enum eg_standing standing)
{
    static const char *const names[EG_STANDING_COUNT] = {"reporting", "late", "silent", "retired"};
    return (unsigned)standing < EG_STANDING_COUNT ? names[standing] : "?";
}

bool eg_silent_is(const struct eg_device_view *view, int64_t now_ms)
{
    return view->gone || view->last_seen_ms == EG_TIME_NONE || view->last_seen_ms <= 0 ||
           now_ms - view->last_seen_ms >= view->silent_after_ms;
}

enum eg_standing eg_silent_standing(const struct eg_device_view *view, int64_t now_ms)
{
    if (view->retired)
        return EG_RETIRED;
    if (eg_silent_is(view, now_ms))
        return EG_SILENT;
    int64_t since = now_ms - view->last_seen_ms;
    return view->interval_ms && since > LATE_LEAST_MS && since / LATE_INTERVALS > view->interval_ms
               ? EG_STANDING_LATE
               : EG_REPORTING;
}
