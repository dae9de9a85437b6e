/* Knows how a device stands, as it is shown: silent, since it said so itself or was not heard for as long as it may be; suspect, since
 * what it tells is in doubt; late, since more than one message of its rhythm is missing. What the daemon makes of silence and of doubt,
 * and when, is the business of unheard.c and suspect.c. Called by the edges. */
#include <pipeline/silent.h>

#include <base/json.h>

#define LATE_INTERVALS 2
#define LATE_LEAST_MS 60000
#define INCONSISTENT_LEAST_MS INT64_C(3600000) /* a single contradiction makes no sensor suspect */

const char *eg_standing_name(enum eg_standing standing)
{
    static const char *const names[EG_STANDING_COUNT] = {"reporting", "late", "suspect", "silent", "retired"};
    return (unsigned)standing < EG_STANDING_COUNT ? names[standing] : "?";
}

bool eg_silent_is(const struct eg_device_view *view, int64_t now_ms)
{
    return view->gone || view->last_seen_ms == EG_TIME_NONE || view->last_seen_ms <= 0 ||
           now_ms - view->last_seen_ms >= view->silent_after_ms;
}

bool eg_silent_missed(const struct eg_device_view *view, int64_t now_ms)
{
    return !view->by_hand && eg_silent_is(view, now_ms);
}

const char *eg_doubt_name(enum eg_doubt doubt)
{
    static const char *const names[EG_DOUBT_COUNT] = {"stuck",    "bad",   "inconsistent",
                                                      "unjudged", "noisy", "drifting"};
    return (unsigned)doubt < EG_DOUBT_COUNT ? names[doubt] : "?";
}

bool eg_silent_doubted(const struct eg_series_view *series, enum eg_doubt doubt, int64_t *ret_since_ms)
{
    const struct eg_verdict_of_quality *quality = &series->quality;
    const unsigned flags = series->has_last ? series->last_flags : 0;
    const bool stuck = flags & EG_FLAG_STUCK;
    *ret_since_ms = quality->since_ms;
    switch (doubt) {
    case EG_DOUBT_STUCK:
        *ret_since_ms = quality->stuck_since_ms;
        return stuck;
    case EG_DOUBT_BAD:
        return !stuck && flags & EG_FLAGS_SET_ASIDE;
    case EG_DOUBT_INCONSISTENT:
        return flags & EG_FLAG_INCONSISTENT && quality->since_ms != EG_TIME_NONE &&
               series->last_ms - quality->since_ms >= INCONSISTENT_LEAST_MS;
    case EG_DOUBT_UNJUDGED:
        *ret_since_ms = series->last_ms;
        return flags & (EG_FLAG_LATE | EG_FLAG_RETAINED | EG_FLAG_IMPORTED);
    case EG_DOUBT_NOISY:
        *ret_since_ms = series->noisy_ms;
        return series->noisy_ms != EG_TIME_NONE;
    case EG_DOUBT_DRIFTING:
        *ret_since_ms = series->drifting_ms;
        return series->drifting_ms != EG_TIME_NONE;
    case EG_DOUBT_COUNT:
        break;
    }
    return false;
}

bool eg_silent_suspect(const struct eg_series_view *series)
{
    int64_t since_ms;
    for (int doubt = 0; doubt < EG_DOUBT_COUNT; doubt++)
        if (eg_silent_doubted(series, (enum eg_doubt)doubt, &since_ms))
            return true;
    return false;
}

enum eg_standing eg_silent_standing(const struct eg_device_view *view, int64_t now_ms, bool suspect)
{
    if (view->retired)
        return EG_RETIRED;
    if (eg_silent_missed(view, now_ms))
        return EG_SILENT;
    if (suspect)
        return EG_STANDING_SUSPECT;
    if (view->by_hand)
        return EG_REPORTING;
    int64_t since = now_ms - view->last_seen_ms;
    return view->interval_ms && since > LATE_LEAST_MS && since / LATE_INTERVALS > view->interval_ms
               ? EG_STANDING_LATE
               : EG_REPORTING;
}

void eg_silent_write_retired(struct eg_json *json, int64_t retired_ms, const char *by, const char *note,
                             int64_t heard_ms)
{
    if (retired_ms == EG_TIME_NONE) {
        eg_json_null(json);
        return;
    }
    eg_json_open(json, '{');
    eg_json_put_time(json, "at", retired_ms);
    eg_json_put_string(json, "by", by);
    eg_json_put_string(json, "note", note);
    eg_json_put_time(json, "heard", heard_ms);
    eg_json_close(json, '}');
}
