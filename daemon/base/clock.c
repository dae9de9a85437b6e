/* The only file that asks for the time; everybody else is told. Knows where the machine says how good its clock is; refuses to know what
 * follows from that (daemon/doubting.c decides). The line that may stand in for the wall clock is the process's, as its time zone is. */
#include <base/clock.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* All in "wall time less time since the machine started", milliseconds; read on any thread. */
static struct {
    _Atomic bool guarded, held;
    _Atomic int64_t offset_ms; /* of the line, when it is held; else of the wall clock as it was last seen */
} line;

static int64_t ms_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t us_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t eg_clock_now_ms(void)
{
    int64_t wall_ms = ms_of(CLOCK_REALTIME);
    if (!atomic_load_explicit(&line.guarded, memory_order_relaxed) &&
        !atomic_load_explicit(&line.held, memory_order_relaxed))
        return wall_ms;
    int64_t boot_ms = ms_of(CLOCK_BOOTTIME), offset_ms = atomic_load(&line.offset_ms);
    if (!atomic_load(&line.held) && llabs(wall_ms - boot_ms - offset_ms) > EG_CLOCK_STEP_MS)
        atomic_store(&line.held, true); /* it jumped: nothing is dated by that before it was looked at */
    if (atomic_load(&line.held))
        return boot_ms + offset_ms;
    atomic_store(&line.offset_ms, wall_ms - boot_ms);
    return wall_ms;
}

int64_t eg_clock_mono_us(void)
{
    return us_of(CLOCK_MONOTONIC);
}

static bool is_there(const char *path)
{
    return access(path, R_OK) == 0;
}

void eg_clock_look(struct eg_clock_look *ret)
{
    struct timex state;
    memset(&state, 0, sizeof state);
    memset(ret, 0, sizeof *ret);
    ret->wall_ms = ms_of(CLOCK_REALTIME);
    ret->boot_us = us_of(CLOCK_BOOTTIME);
    ret->synchronised = adjtimex(&state) != -1 && !(state.status & STA_UNSYNC);
    ret->board = is_there("/sys/firmware/devicetree/base/model");
    ret->rtc = is_there("/sys/class/rtc/rtc0");
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file)
        return;
    if (!fgets(ret->boot, sizeof ret->boot, file))
        *ret->boot = '\0';
    ret->boot[strcspn(ret->boot, "\n")] = '\0';
    fclose(file);
}

void eg_clock_hold(int64_t now_ms, int64_t boot_us)
{
    atomic_store(&line.offset_ms, now_ms - boot_us / 1000);
    atomic_store(&line.held, true);
}

void eg_clock_release(void)
{
    atomic_store(&line.offset_ms, ms_of(CLOCK_REALTIME) - ms_of(CLOCK_BOOTTIME));
    atomic_store(&line.held, false);
}

bool eg_clock_held(void)
{
    return atomic_load(&line.held);
}

void eg_clock_guard(void)
{
    if (!atomic_load(&line.held))
        atomic_store(&line.offset_ms, ms_of(CLOCK_REALTIME) - ms_of(CLOCK_BOOTTIME));
    atomic_store(&line.guarded, true);
}
