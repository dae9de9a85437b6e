/* What a device's own message counter says about messages that never came. Pure; called by message.c.
 *
 * A gap is a loss. A device that starts anew counts from 0 or 1, or from anywhere: a step beyond GAP_MAX, or far back, is a start, and
 * nobody knows what was lost before. A small step back is a message that was held up: it was counted as lost too early; where nothing is
 * missing it is there already, over another gateway. */
#include <pipeline/state.h>

#define GAP_MAX 1000
#define BACK_MAX 16

void eg_frames_take(struct eg_frames *frames, uint32_t counter)
{
    uint32_t ahead = counter - frames->last,
             back = frames->last - counter; /* wraps around like the counter */
    bool wraps = (frames->last == UINT16_MAX || frames->last == UINT8_MAX) && counter == 0;
    bool straggler =
        frames->any && counter > 1 && ahead != 0 && back <= BACK_MAX; /* the newest counter stays */
    if (frames->any && (ahead == 0 || (straggler && !frames->lost))) {
        frames->repeated++;
        return;
    }
    frames->heard++;
    if (straggler) {
        frames->lost--;
        return;
    }
    if (frames->any && ahead <= GAP_MAX)
        frames->lost += ahead - 1;
    else if (frames->any && !wraps)
        frames->restarts++;
    frames->any = true;
    frames->last = counter;
}

void eg_frames_gap(struct eg_frames *frames, uint32_t lost)
{
    frames->heard++;
    frames->lost += lost;
}
