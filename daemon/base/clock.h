/* The only place that asks for the time, and what the machine says of its own clock. */
#ifndef EG_CLOCK_H
#define EG_CLOCK_H
#include <stdbool.h>
#include <stdint.h>

int64_t eg_clock_now_ms(void);  /* UTC, milliseconds since 1970: the wall clock, or the line (below) */
int64_t eg_clock_mono_us(void); /* monotonic, microseconds */

/* Nobody may have meant an earlier moment: this program was not there yet. */
#define EG_CLOCK_RELEASED_MS INT64_C(1767225600000) /* 2026-01-01 */
#define EG_CLOCK_BOOT_TEXT 40
struct eg_clock_look {
    int64_t wall_ms;
    int64_t
        boot_us; /* since the machine started, sleep included: a restart of the daemon does not disturb it */
    bool synchronised;             /* the kernel's clock is disciplined (NTP, GPS, PTP) */
    bool board;                    /* a single-board computer, by its device tree */
    bool rtc;                      /* something keeps time while the power is off */
    char boot[EG_CLOCK_BOOT_TEXT]; /* names this start of the machine; "" where it cannot be told */
};
void eg_clock_look(struct eg_clock_look *ret);

/* A line: instead of the wall clock, `now_ms` as of `boot_us`, and on from there with the time since the machine started. */
void eg_clock_hold(int64_t now_ms, int64_t boot_us);
void eg_clock_release(void); /* the wall clock again */
bool eg_clock_held(void);
/* From here on, should the wall clock jump by more than that, a line goes on where it was, until somebody says hold or release. */
#define EG_CLOCK_STEP_MS 60000
void eg_clock_guard(void);
#endif
