/* A device's rhythm: when it was heard last, and how long it is between two messages as a rule. Refuses to know what follows from a silence
 * (unheard.c). Called by message.c. */
#include <pipeline/retire.h>
#include <pipeline/unheard.h>
#include <pipeline/state.h>

#include <stdlib.h>

#define STEADY_PART 4
#define OUTAGE_INTERVALS 10
#define RHYTHM_LEAST_MS 1000
#define LATE_MS INT64_C(60000)

/* It moves an eighth of the way when a gap is off by more than a quarter: only what is kept with the device counts, so that a restart
 * changes nothing, and a rhythm that is steady is written once. An outage is not its rhythm; the same one again is (a restart in between
 * forgets the first). What is uploaded late comes in any order and of any part of a time: it teaches nothing, and unteaches nothing. */
static void learn(struct eg_pipeline *pipeline, struct eg_device *device, int64_t gap_ms,
                  struct eg_batch *batch)
{
    int64_t interval_ms = device->interval_ms;
    if (gap_ms < RHYTHM_LEAST_MS)
        return; /* a burst: readings of one message, or one that was held up */
    if (!interval_ms)
        interval_ms = gap_ms;
    else if (gap_ms / OUTAGE_INTERVALS >= interval_ms && device->long_ms &&
             llabs(gap_ms - device->long_ms) <= device->long_ms / STEADY_PART)
        interval_ms = gap_ms;
    else if (gap_ms / OUTAGE_INTERVALS >= interval_ms)
        device->long_ms = gap_ms;
    else if (llabs(gap_ms - interval_ms) > interval_ms / STEADY_PART)
        interval_ms += (gap_ms - interval_ms) / 8;
    if (interval_ms == device->interval_ms)
        return;
    device->interval_ms = interval_ms;
    pipeline->silent_wake_ms = INT64_MIN; /* it may be silent for less long than was thought */
    struct eg_row_rhythm *row = EG_BATCH_ADD(batch, rhythms);
    if (row)
        *row = (struct eg_row_rhythm){device->id, interval_ms};
}

void eg_heard_note(struct eg_pipeline *pipeline, struct eg_device *device, int64_t time_ms,
                   int64_t arrived_ms, struct eg_batch *batch)
{
    if (time_ms > device->last_seen_ms) {
        if (device->last_seen_ms != EG_TIME_NONE && arrived_ms - time_ms <= LATE_MS)
            learn(pipeline, device, time_ms - device->last_seen_ms, batch);
        device->last_seen_ms = time_ms;
    }
    eg_retire_heard(pipeline, device, time_ms, arrived_ms, batch);
    eg_unheard_heard(pipeline, device, arrived_ms, batch);
}
