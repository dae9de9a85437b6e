/* Silence: who has not been heard for longer than its rhythm allows. It is neither zero nor ok: the condition of cases at what is silent
 * becomes unknown, until a reading tells. Knows when that is, of a device and of a series; refuses to know what people are told of it.
 *
 * A device's time runs from when it was last heard, or from when the broker was: while nobody listens, and just after, it is not the
 * device that is deaf. What was decided is kept with the device, so that a restart decides nothing twice. While what has opened a case
 * may go on to come in, however old, the case is not unknown; then it is, from when it would have been live.
 * Called by pipeline.c (ticks), message.c (who is heard) and judge.c. */
#include <pipeline/outage.h>
#include <pipeline/unheard.h>

#include <ecogov/time.h>

#include <stdio.h>

#define SERIES_INTERVALS 3
/* So long is given where nobody knows yet how often something comes: a device after its first message, a series early in the day. */
#define UNKNOWN_RHYTHM_MS (INT64_C(24) * 3600 * 1000)
/* As long an upload may take that a case comes of. */
#define UPLOAD_MS (INT64_C(5) * 60 * 1000)

static int64_t later(int64_t at_ms, int64_t span_ms)
{
    return at_ms > INT64_MAX - span_ms ? INT64_MAX : at_ms + span_ms;
}

static int64_t from(const struct eg_pipeline *pipeline, int64_t heard_ms)
{
    return heard_ms > pipeline->hearing_ms ? heard_ms : pipeline->hearing_ms;
}

/* By the readings of its day, in whatever order they came. */
static int64_t own_after(const struct eg_series *series)
{
    const struct eg_rollup *day = &series->open[EG_PERIOD_DAY];
    return day->count > 2 ? SERIES_INTERVALS * ((day->last_ms - day->first_ms) / (int64_t)(day->count - 1))
                          : UNKNOWN_RHYTHM_MS;
}

/* What nobody has learned of a device, because all that came was late, its readings tell. */
int64_t eg_unheard_after(const struct eg_pipeline *pipeline, const struct eg_device *device)
{
    int64_t after = UNKNOWN_RHYTHM_MS, least = eg_registry_silent_after(device);
    if (device->interval_ms || (device->described && device->described->silent_after_ms))
        return least;
    for (size_t i = 0; i < device->series_count; i++) {
        int64_t own = own_after(pipeline->series[device->series[i] - 1]);
        after = own < after ? own : after;
    }
    return after > least ? after : least;
}

static int64_t device_at(const struct eg_pipeline *pipeline, const struct eg_device *device)
{
    return later(from(pipeline, device->last_seen_ms), eg_unheard_after(pipeline, device));
}

int64_t eg_unheard_due(const struct eg_pipeline *pipeline, const struct eg_device *device)
{
    if (device->silent_ms != EG_TIME_NONE || device->last_seen_ms == EG_TIME_NONE)
        return INT64_MAX;
    if (device->gone)
        return device->last_seen_ms;
    return device_at(pipeline, device);
}

/* How long a series may say nothing while its device speaks: a device may tell one thing each minute and another once an hour. */
static int64_t series_after(const struct eg_pipeline *pipeline, const struct eg_device *device,
                            const struct eg_series *series)
{
    int64_t least = eg_unheard_after(pipeline, device), own = own_after(series);
    return own > least ? own : least;
}

/* Since when it is not known any more how the case stands; INT64_MAX: never, or it is so already. */
static int64_t case_at(const struct eg_pipeline *pipeline, const struct eg_case *row)
{
    const struct eg_series *series =
        row->series && row->series <= pipeline->series_count ? pipeline->series[row->series - 1] : NULL;
    if (row->kind == EG_CASE_BREACH && row->condition != EG_CONDITION_UNKNOWN && !row->series)
        return eg_siteindex_due(pipeline, row);
    if (row->kind != EG_CASE_BREACH || row->condition == EG_CONDITION_UNKNOWN || !series || !series->has_last)
        return INT64_MAX;
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    if (device->silent_ms != EG_TIME_NONE && (device->gone || series->last_ms < device->silent_ms))
        return device->silent_ms;
    if (device->silent_ms != EG_TIME_NONE) /* it has told since of a time after it, too old to be heard by */
        return later(series->last_ms, eg_unheard_after(pipeline, device));
    if (eg_registry_retired(device))
        return series->last_ms;
    if (series->last_flags & EG_FLAG_MANUAL) /* nobody expects the next one */
        return INT64_MAX;
    return later(from(pipeline, series->last_ms), series_after(pipeline, device, series));
}

/* When that is decided: not while what opened the case may go on to come in, half of the time that is given anyway, so that who spoke of
 * then is unknown when it was. */
static int64_t case_due(const struct eg_pipeline *pipeline, const struct eg_case *row)
{
    const int64_t at_ms = case_at(pipeline, row);
    if (at_ms == INT64_MAX || !row->series)
        return at_ms == INT64_MAX                           ? at_ms
               : at_ms > later(row->detected_ms, UPLOAD_MS) ? at_ms
                                                            : later(row->detected_ms, UPLOAD_MS);
    const struct eg_series *series = pipeline->series[row->series - 1];
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    const int64_t half = eg_unheard_after(pipeline, device) / 2,
                  more_ms = later(row->detected_ms, half < UPLOAD_MS ? half : UPLOAD_MS);
    return at_ms > more_ms || device->gone || eg_registry_retired(device) ? at_ms : more_ms;
}

static int64_t first(struct eg_pipeline *pipeline)
{
    int64_t first = eg_outage_wake(pipeline);
    for (size_t i = 0; i < pipeline->device_count; i++) {
        int64_t due = eg_unheard_due(pipeline, &pipeline->devices[i]);
        first = due < first ? due : first;
    }
    for (size_t i = 0; i < pipeline->case_count; i++) {
        int64_t due = case_due(pipeline, pipeline->cases[i]);
        first = due < first ? due : first;
    }
    return first;
}

/* Who is heard moves its own time on, which need not be looked for: only when the time comes that was the first one is that done again.
 * So a device costs a look now and then, not one with each message. */
int64_t eg_unheard_wake(struct eg_pipeline *pipeline, int64_t now_ms)
{
    if (pipeline->silent_wake_ms <= now_ms)
        pipeline->silent_wake_ms = first(pipeline);
    return pipeline->silent_wake_ms;
}

void eg_unheard_heard(struct eg_pipeline *pipeline, struct eg_device *device, int64_t now_ms,
                      struct eg_batch *batch)
{
    bool fresh = now_ms - device->last_seen_ms < eg_unheard_after(pipeline, device);
    if (fresh && device->silent_ms != EG_TIME_NONE) {
        uint32_t number = device->case_number;
        device->silent_ms = device->awaited_ms = EG_TIME_NONE;
        device->case_number = 0;
        eg_registry_write_standing(device, batch);
        eg_outage_heard(pipeline, device, number, now_ms, batch);
        pipeline->silent_wake_ms = INT64_MIN;
    } else if (fresh && pipeline->outage_count) {
        eg_outage_heard(pipeline, device, 0, now_ms, batch);
    }
    if (eg_outage_cares(pipeline, device))
        pipeline->silent_wake_ms = INT64_MIN;
    int64_t due = eg_unheard_due(pipeline, device);
    if (due < pipeline->silent_wake_ms)
        pipeline->silent_wake_ms = due;
}

/* Its cases will not be unknown before its device may be: a bound only, since each reading changes how often it comes. */
void eg_unheard_spoke(struct eg_pipeline *pipeline, const struct eg_series *series)
{
    for (size_t i = 0; i < series->watch_count; i++) {
        if (!series->watches[i].state.case_number)
            continue;
        int64_t bound = later(from(pipeline, series->last_ms),
                              eg_unheard_after(pipeline, &pipeline->devices[series->device - 1]));
        if (bound < pipeline->silent_wake_ms)
            pipeline->silent_wake_ms = bound;
        return;
    }
}

bool eg_unheard_old(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t time_ms,
                    int64_t now_ms)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    return later(time_ms, series_after(pipeline, device, series)) <= now_ms;
}

void eg_unheard_link(struct eg_pipeline *pipeline, bool up, int64_t now_ms)
{
    pipeline->deaf = !up;
    pipeline->hearing_ms = now_ms;
    pipeline->silent_wake_ms = INT64_MIN;
}

static void fall(struct eg_device *device, int64_t at_ms, struct eg_batch *batch)
{
    device->silent_ms = device->awaited_ms = at_ms;
    device->case_number = 0;
    eg_registry_write_standing(device, batch);
}

/* Of whom an index is made. */
static const char *nobody_told(int quantity)
{
    switch (quantity) {
    case EG_Q_waste_pressure:
        return "no bin or place of the site has told enough for an index";
    case EG_Q_soil_class:
    case EG_Q_soil_nemerow:
    case EG_Q_soil_factor:
    case EG_Q_salinity_class:
        return "no plot of the site has told enough for an index";
    default:
        return "no station of the site has told enough for an index";
    }
}

static void forget(struct eg_pipeline *pipeline, struct eg_case *row, int64_t at_ms, int64_t now_ms,
                   struct eg_batch *batch)
{
    at_ms = row->opened_ms > at_ms ? row->opened_ms : at_ms; /* until then it was known */
    at_ms = row->last_ms > at_ms ? row->last_ms : at_ms;
    if (!row->series) {
        eg_case_unknown(pipeline, row, at_ms, now_ms, nobody_told((int)row->quantity), batch);
        return;
    }
    const struct eg_series *series = pipeline->series[row->series - 1];
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    bool silent = device->silent_ms != EG_TIME_NONE, retired = eg_registry_retired(device);
    char note[96], time[EG_TIME_TEXT];
    snprintf(note, sizeof note, "%s since %s",
             retired  ? "the device is retired; it has not been judged"
             : silent ? "the device has not been heard"
                      : "the device has sent no reading of it",
             eg_time_format(silent ? device->last_seen_ms : series->last_ms, time));
    eg_case_unknown(pipeline, row, at_ms, now_ms, note, batch);
}

void eg_unheard_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    if (eg_unheard_wake(pipeline, now_ms) > now_ms)
        return;
    for (size_t i = 0; i < pipeline->device_count; i++) {
        int64_t due = eg_unheard_due(pipeline, &pipeline->devices[i]);
        if (due <= now_ms)
            fall(&pipeline->devices[i],
                 pipeline->devices[i].gone ? now_ms : device_at(pipeline, &pipeline->devices[i]), batch);
    }
    for (size_t i = 0; i < pipeline->case_count; i++) {
        if (case_due(pipeline, pipeline->cases[i]) <= now_ms)
            forget(pipeline, pipeline->cases[i], case_at(pipeline, pipeline->cases[i]), now_ms, batch);
    }
    eg_outage_tick(pipeline, now_ms, batch);
    pipeline->silent_wake_ms = INT64_MIN;
}
