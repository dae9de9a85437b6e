/* Tells systemd that we live (watchdog.h). Knows the turn's beats, and how long a commit may take. Called by house.c. */
#include "watchdog.h"

#include <base/clock.h>

#include <systemd/sd-daemon.h>

/* A commit that hangs longer than this is no progress: the watchdog may bite. */
#define COMMIT_HANGS_US INT64_C(120000000)

static void on_timer(uv_timer_t *timer)
{
    struct eg_watchdog *watchdog = timer->data;
    struct eg_turn_figures figures = {0};
    if (*watchdog->turn)
        eg_turn_figures(*watchdog->turn, &figures);
    if (!watchdog->committing || figures.beats != watchdog->beats) { /* tries on a full disk are beats, too */
        watchdog->beats = figures.beats;
        watchdog->beat_us = eg_clock_mono_us();
    }
    if (eg_clock_mono_us() - watchdog->beat_us < COMMIT_HANGS_US)
        sd_notify(0, "WATCHDOG=1");
}

void eg_watchdog_start(struct eg_watchdog *watchdog, uv_loop_t *loop, struct eg_turn *const *turn)
{
    uint64_t usec = 0;
    watchdog->turn = turn;
    uv_timer_init(loop, &watchdog->timer);
    watchdog->timer.data = watchdog;
    if (sd_watchdog_enabled(0, &usec) > 0)
        uv_timer_start(&watchdog->timer, on_timer, 0, usec / 2000 > 1000 ? usec / 2000 : 1000);
}

void eg_watchdog_close(struct eg_watchdog *watchdog)
{
    uv_close((uv_handle_t *)&watchdog->timer, NULL);
}
