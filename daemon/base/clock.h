/* The only place that asks for the time. */
#ifndef EG_CLOCK_H
#define EG_CLOCK_H
#include <stdint.h>
int64_t eg_clock_now_ms(void);  /* UTC, milliseconds since 1970 */
int64_t eg_clock_mono_us(void); /* monotonic, microseconds */
#endif
