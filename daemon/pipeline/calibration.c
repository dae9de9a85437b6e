/* Calibration: from what a device said to what is stored. Knows which scale and offset hold for a series at a time, and keeps that; refuses
 * to know who measured them. Called by message.c, before anything is checked.
 *
 * A series has steps: from a time on its readings are value = raw * scale + offset. A step is made when the configuration says something
 * new, and begins behind the newest reading that is there: what is stored is neither calibrated anew nor doubled, and a reading that is
 * sent again, however late, becomes the same value as the first time. Steps are kept in the store, so that raw values can be told. */
#include <pipeline/state.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool meant(const struct eg_conf_calibration *row, const struct eg_reading *of)
{
    return row->quantity == of->quantity && (!row->channel || !strcmp(row->channel, of->channel));
}

/* What the configuration says of a series at a time: of its channel, else of its quantity; the latest of these. */
static struct eg_scaling said(const struct eg_conf_device *described, const struct eg_reading *of, int64_t ms)
{
    const struct eg_conf_calibration *best = NULL;
    for (size_t i = 0; described && i < described->calibration_count; i++) {
        const struct eg_conf_calibration *row = &described->calibrations[i];
        if (!meant(row, of) || row->from_ms > ms)
            continue;
        if (!best || (row->channel && !best->channel) ||
            ((row->channel != NULL) == (best->channel != NULL) && row->from_ms >= best->from_ms))
            best = row;
    }
    return best ? (struct eg_scaling){ms, best->scale, best->offset} : (struct eg_scaling){ms, 1, 0};
}

static bool same(const struct eg_scaling *a, const struct eg_scaling *b)
{
    return !memcmp(&a->scale, &b->scale, sizeof a->scale) &&
           !memcmp(&a->offset, &b->offset, sizeof a->offset);
}

static struct eg_scaling holds(const struct eg_series *series, int64_t ms)
{
    struct eg_scaling step = {ms, 1, 0};
    for (size_t i = 0; i < series->step_count && series->steps[i].since_ms <= ms; i++)
        step = series->steps[i];
    return step;
}

/* --- steps --- */

static bool push(struct eg_series *series, struct eg_scaling step)
{
    if (series->step_count == EG_STEPS_MAX) { /* of readings that old the raw value is not known any more */
        memmove(series->steps, series->steps + 1, (EG_STEPS_MAX - 1) * sizeof *series->steps);
        series->step_count--;
    }
    struct eg_scaling *grown = realloc(series->steps, (size_t)(series->step_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    series->steps = grown;
    series->steps[series->step_count++] = step;
    return true;
}

int eg_pipeline_restore_calibration(struct eg_pipeline *pipeline, const struct eg_row_calibration *row,
                                    struct eg_err *err)
{
    struct eg_series *series = eg_registry_series(pipeline, row->series);
    if (!series || !isfinite(row->scale) || !isfinite(row->offset) || row->scale == 0)
        return eg_err_set(err, EG_ECORRUPT, "a calibration of series %u holds what nobody wrote",
                          row->series);
    pipeline->devices[series->device - 1].calibrated = true;
    return push(series, (struct eg_scaling){row->since_ms, row->scale, row->offset})
               ? EG_OK
               : eg_err_set(err, EG_ENOMEM, "no memory for calibrations");
}

static void write_step(const struct eg_series *series, struct eg_scaling step, bool forget,
                       struct eg_batch *batch)
{
    struct eg_row_calibration *row = EG_BATCH_ADD(batch, calibrations);
    if (row)
        *row = (struct eg_row_calibration){series->id, forget, step.since_ms, step.scale, step.offset};
}

static int by_time(const void *left, const void *right)
{
    const struct eg_scaling *a = left, *b = right;
    return a->since_ms < b->since_ms ? -1 : a->since_ms > b->since_ms;
}

/* What is to hold from `from_ms` on, ascending, each unlike the one before it. */
static size_t wanted(const struct eg_conf_device *described, const struct eg_reading *of, int64_t from_ms,
                     struct eg_scaling before, struct eg_scaling ret[EG_CALIBRATIONS_MAX + 1])
{
    size_t count = 0, kept = 0;
    ret[count++] = said(described, of, from_ms);
    for (size_t i = 0; described && i < described->calibration_count; i++)
        if (meant(&described->calibrations[i], of) && described->calibrations[i].from_ms > from_ms)
            ret[count++] = said(described, of, described->calibrations[i].from_ms);
    qsort(ret, count, sizeof *ret, by_time);
    for (size_t i = 0; i < count; i++)
        if (!same(&ret[i], kept ? &ret[kept - 1] : &before))
            ret[kept++] = ret[i];
    return kept;
}

/* Is what the configuration says of the time to come what is kept? */
void eg_calibration_settle(const struct eg_device *device, struct eg_series *series, struct eg_batch *batch)
{
    const struct eg_conf_device *described = device->described;
    struct eg_scaling fresh[EG_CALIBRATIONS_MAX + 1];
    struct eg_reading of = {.quantity = series->quantity};
    int64_t from_ms = series->has_last ? series->last_ms + 1 : INT64_MIN;
    size_t kept = 0;
    memcpy(of.channel, series->channel, sizeof of.channel);
    series->steps_settled = true;
    while (kept < series->step_count && series->steps[kept].since_ms < from_ms)
        kept++;
    const struct eg_scaling before =
        series->has_last ? holds(series, series->last_ms) : (struct eg_scaling){0, 1, 0};
    size_t count = wanted(described, &of, from_ms, before, fresh);
    bool all = count == series->step_count - kept;
    for (size_t i = 0; all && i < count; i++)
        all = same(&fresh[i], &series->steps[kept + i]) &&
              fresh[i].since_ms == series->steps[kept + i].since_ms;
    if (all)
        return;
    if (kept < series->step_count)
        write_step(series, (struct eg_scaling){from_ms, 1, 0}, true, batch);
    series->step_count = (uint16_t)kept;
    for (size_t i = 0; i < count; i++) {
        write_step(series, fresh[i], false, batch);
        batch->failed = !push(series, fresh[i]) || batch->failed;
    }
}

/* --- readings --- */

static void apply(const struct eg_device *device, struct eg_series *series, struct eg_reading *reading,
                  int64_t arrived_ms, struct eg_batch *batch)
{
    int64_t ms = reading->time_ms == EG_TIME_NONE ? arrived_ms : reading->time_ms;
    if (series && !series->steps_settled)
        eg_calibration_settle(device, series, batch);
    const struct eg_scaling step = series ? holds(series, ms) : said(device->described, reading, ms),
                            none = {0, 1, 0};
    if (same(&step, &none))
        return;
    const struct eg_unit_map map = {step.scale, step.offset};
    reading->value = eg_unit_apply(&map, reading->value);
    reading->flags |= EG_FLAG_CALIBRATED;
}

void eg_calibration_message(struct eg_speakers *speakers, struct eg_batch *batch, char reason[EG_REASON_MAX])
{
    struct eg_pipeline *pipeline = speakers->pipeline;
    for (size_t i = 0; i < pipeline->sink->count; i++) {
        struct eg_reading *reading = &pipeline->sink->readings[i];
        const struct eg_device *device = eg_speakers_device(speakers, reading->device, batch, reason);
        if (device && device->calibrated)
            apply(device, eg_registry_find_series(pipeline, device, reading), reading,
                  speakers->message->arrived_ms, batch);
    }
}

bool eg_pipeline_original(const struct eg_pipeline *pipeline, uint32_t id, int64_t ms, double value,
                          double *ret)
{
    const struct eg_series *series = id && id <= pipeline->series_count ? pipeline->series[id - 1] : NULL;
    if (!series || !series->step_count || ms < series->steps[0].since_ms)
        return false;
    const struct eg_scaling step = holds(series, ms);
    const struct eg_unit_map back = {1 / step.scale, -step.offset / step.scale};
    *ret = eg_unit_apply(&back, value);
    return true;
}

bool eg_pipeline_calibrated(const struct eg_pipeline *pipeline, uint32_t id, int64_t ms)
{
    const struct eg_series *series = id && id <= pipeline->series_count ? pipeline->series[id - 1] : NULL;
    return series && eg_calibration_holds(series, ms);
}

bool eg_calibration_holds(const struct eg_series *series, int64_t ms)
{
    const struct eg_scaling plain = {0, 1, 0}, step = holds(series, ms);
    return !same(&step, &plain);
}
