/* Working time. */
#ifndef EG_CALENDAR_H
#define EG_CALENDAR_H

#include <conf/conf.h>

/* When `span_ms` of working time have passed since `from_ms`. NULL: all time is working time. A calendar that holds too little of it gives
 * the end of what it holds within ten years. */
int64_t eg_calendar_after(const struct eg_conf_calendar *calendar, int64_t from_ms, int64_t span_ms);

#endif
