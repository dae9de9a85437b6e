/* Concentrations as whole billionths of their unit. What instruments and people write is decimal; 2.15 as a double is
 * 2.1499…, and a standard that rounds half to even, truncates or rounds up must see 2.15. Up to 9e9 of any unit. */
#ifndef EG_INDEX_NANO_H
#define EG_INDEX_NANO_H

#include <stdbool.h>
#include <stdint.h>

#define EG_NANO INT64_C(1000000000)
#define EG_NANO_NONE INT64_MIN /* missing, or no number, or more than fits */

/* The nearest billionth: a mean of decimals that came out as 35.39999999999999 is 35.4 again. EG_NANO_NONE for what is not finite or
 * beyond ±9e9. */
int64_t eg_nano_of(double value);
double eg_nano_value(int64_t nano);
/* Rounded to a multiple of `step` (nano): half to even, as GB/T 8170 (its 3.2, "round half to even") says; downwards. `nano` >= 0. */
int64_t eg_nano_half_even(int64_t nano, int64_t step);
int64_t eg_nano_truncate(int64_t nano, int64_t step);

#endif
