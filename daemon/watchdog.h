/* The sign of life for systemd: given while the loop turns, and no longer when a commit hangs. */
#ifndef EG_WATCHDOG_H
#define EG_WATCHDOG_H
#include "turn.h"
struct eg_watchdog {
    uv_timer_t timer;
    struct eg_turn *const *turn; /* NULL while leaving */
    int64_t beat_us;
    uint64_t beats;
    bool committing; /* set by whoever knows */
};
void eg_watchdog_start(struct eg_watchdog *watchdog, uv_loop_t *loop, struct eg_turn *const *turn);
void eg_watchdog_close(struct eg_watchdog *watchdog);
#endif
