/* A device's rhythm: when it was heard last, and how long it is between two messages as a rule. Refuses to know what follows from a silence
 * (unheard.c). Called by message.c. */
#include <pipeline/unheard.h>
#include <pipeline/state.h>

#include <stdlib.h>

#define RHYTHM_PART 16
#define RHYTHM_LEAST_MS 1000

/* What counts is what a restart will know, too; a rhythm that is steady is written once. */
static void learn(struct eg_pipeline *pipeline, struct eg_device *device, int64_t gap_ms,
                  struct eg_batch *batch)
{
    if (gap_ms < RHYTHM_LEAST_MS)
        return; /* a burst: readings of one message, or one that was held up */
    if (!device->average_ms)
        device->average_ms = gap_ms;
    else if (gap_ms < 10 * device->average_ms)
        device->average_ms += (gap_ms - device->average_ms) / 8;
    else if (device->long_ms && llabs(gap_ms - device->long_ms) <= device->long_ms / 4)
        device->average_ms = gap_ms; /* an outage is not its rhythm; the same one again is */
    else
        device->long_ms = gap_ms;
    if (device->interval_ms &&
        llabs(device->average_ms - device->interval_ms) <= device->interval_ms / RHYTHM_PART)
        return;
    device->interval_ms = device->average_ms;
    pipeline->silent_wake_ms = INT64_MIN; /* it may be silent for less long than was thought */
    struct eg_row_rhythm *row = EG_BATCH_ADD(batch, rhythms);
    if (row)
        *row = (struct eg_row_rhythm){device->id, device->interval_ms};
}

void eg_heard_note(struct eg_pipeline *pipeline, struct eg_device *device, int64_t time_ms,
                   int64_t arrived_ms, struct eg_batch *batch)
{
    if (device->last_seen_ms != EG_TIME_NONE && time_ms > device->last_seen_ms)
        learn(pipeline, device, time_ms - device->last_seen_ms, batch);
    if (time_ms > device->last_seen_ms)
        device->last_seen_ms = time_ms;
    eg_unheard_heard(pipeline, device, arrived_ms, batch);
}
