/* Knows whole billionths and how they are rounded. Called by the indices beside it. */
#include "nano.h"

#include <math.h>

#define LARGEST 9e9

int64_t eg_nano_of(double value)
{
    if (!isfinite(value) || fabs(value) > LARGEST)
        return EG_NANO_NONE;
    /* In two parts: value * 1e9 alone would round twice where the value is large. */
    double whole = trunc(value), rest = value - whole;
    return (int64_t)whole * EG_NANO + (int64_t)llround(rest * (double)EG_NANO);
}

double eg_nano_value(int64_t nano)
{
    return (double)(nano / EG_NANO) + (double)(nano % EG_NANO) / (double)EG_NANO;
}

int64_t eg_nano_truncate(int64_t nano, int64_t step)
{
    return nano / step * step;
}

int64_t eg_nano_half_even(int64_t nano, int64_t step)
{
    int64_t whole = nano / step, rest = nano % step;
    if (rest * 2 > step || (rest * 2 == step && whole % 2))
        whole++;
    return whole * step;
}
