/* How time passes for a test of the pipeline that asks to be woken. */
#ifndef TEST_PIPELINE_UNTIL_H
#define TEST_PIPELINE_UNTIL_H

#include "speak.h"

/* Time goes on to there; a tick where one is due. */
static inline void until(struct memory *memory, int64_t now_ms)
{
    for (;;) {
        int64_t due = eg_pipeline_deadline(memory->pipeline, memory->now_ms);
        if (due > now_ms)
            break;
        if (due > memory->now_ms)
            memory->now_ms = due;
        struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = memory->now_ms};
        add(memory, &event);
        turn(memory);
    }
    if (now_ms > memory->now_ms)
        memory->now_ms = now_ms;
}

#endif
