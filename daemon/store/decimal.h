/* Private to the store: doubles as scaled integers, when that gives back every bit. */
#ifndef EG_DECIMAL_H
#define EG_DECIMAL_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EG_DECIMAL_MOST 6

static const double eg_decimal_power[EG_DECIMAL_MOST + 1] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};

static inline double eg_decimal_value(int64_t scaled, int decimals)
{
    return (double)scaled / eg_decimal_power[decimals];
}

/* True when value is scaled / 10^decimals bit for bit: a division of two exact numbers is rounded as the decimal text would be.
 * -0, NaN, infinities and what has more digits are not. Below 2^50, so that differences cannot overflow. */
static inline bool eg_decimal_fits(double value, int decimals, int64_t *ret_scaled)
{
    double scaled = value * eg_decimal_power[decimals];
    if (!(fabs(scaled) < 0x1p50))
        return false;
    int64_t whole = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    double back = eg_decimal_value(whole, decimals);
    *ret_scaled = whole;
    return memcmp(&back, &value, sizeof back) == 0;
}

#endif
