/* Private to the pipeline: messages that were lost on the way. */
#ifndef EG_FRAMES_H
#define EG_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

/* What a device's own counter of its messages tells, since the start of the daemon. */
struct eg_frames {
    bool any;
    uint32_t last;
    uint64_t heard, lost, repeated;
    uint32_t restarts; /* it counts from elsewhere */
};
void eg_frames_take(struct eg_frames *frames, uint32_t counter);
void eg_frames_gap(struct eg_frames *frames, uint32_t lost); /* this one came, `lost` before it did not */

#endif
