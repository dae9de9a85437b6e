/* Knows the NowCast. Called by the summary's index and by `ecogovctl index`. */
#include "nowcast.h"

#include <math.h>

bool eg_nowcast_pm(const double *hours, size_t count, double *ret_value, double *ret_weight)
{
    double least = INFINITY, most = -INFINITY, sum = 0, weights = 0, weight = 1;
    int recent = 0;
    if (count > EG_NOWCAST_HOURS)
        count = EG_NOWCAST_HOURS;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(hours[i]))
            continue;
        recent += i < 3;
        least = fmin(least, hours[i]);
        most = fmax(most, hours[i]);
    }
    if (recent < 2)
        return false;
    double factor = most > 0 ? fmin(1, fmax(0.5, 1 - (most - least) / most)) : 1;
    for (size_t i = 0; i < count; i++, weight *= factor) {
        if (!isfinite(hours[i]))
            continue;
        sum += weight * hours[i];
        weights += weight;
    }
    *ret_value = sum / weights;
    *ret_weight = factor;
    return true;
}

bool eg_nowcast_o3(const double *hours_ppb, size_t count, double *ret_ppb)
{
    double latest = NAN, most = 0;
    for (size_t i = 0; i < count && i < 3; i++)
        if (isnan(latest) && isfinite(hours_ppb[i]))
            latest = hours_ppb[i];
    for (size_t i = 0; i < count; i++)
        if (isfinite(hours_ppb[i]))
            most = fmax(most, hours_ppb[i]);
    if (isnan(latest))
        return false;
    *ret_ppb = most > 0 ? fmax(0, 0.85 * latest + 4.5) : 0;
    return true;
}
