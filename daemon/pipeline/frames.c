/* What a device's own message counter says about messages that never came. Pure; called by message.c.
 *
 * A gap is a loss. A device that starts anew counts from 0 or 1, or from anywhere: a step beyond GAP_MAX, or far back, is a start, and
 * nobody knows what was lost before. A small step back is a message that was held up: it was counted as lost too early. */
#include <pipeline/state.h>

#define GAP_MAX 1000
#define BACK_MAX 16

void eg_frames_take(struct eg_frames *frames, uint32_t counter)
{
    uint32_t ahead = counter - frames->last,
             back = frames->last - counter; /* wraps around like the counter */
    if (frames->any && ahead == 0) {
        frames->repeated++;
        return;
    }
    frames->heard++;
    if (frames->any && counter > 1 && back <= BACK_MAX && frames->lost) {
        frames->lost--;
        return; /* the newest counter stays */
    }
    if (frames->any && ahead <= GAP_MAX)
        frames->lost += ahead - 1;
    frames->any = true;
    frames->last = counter;
}

void eg_frames_gap(struct eg_frames *frames, uint32_t lost)
{
    frames->heard++;
    frames->lost += lost;
}
