/* When the gateway's clock is believed (daemon/doubting.c). Part of conf.h. */
#ifndef EG_RTC_H
#define EG_RTC_H
#include <stdint.h>

/* What lies further ahead than that is no time: no gateway lies in a drawer for longer. */
#define EG_CLOCK_AHEAD_MOST_MS (INT64_C(20) * 366 * 24 * 3600 * 1000)

enum eg_rtc { EG_RTC_AUTO, EG_RTC_YES, EG_RTC_NO }; /* does a battery keep it? AUTO: asked of the machine */
struct eg_conf_clock {
    enum eg_rtc rtc;
    int devices;       /* so many of them that agree about the time are believed; 0: none ever is */
    int64_t within_ms; /* so close together */
};

#endif
