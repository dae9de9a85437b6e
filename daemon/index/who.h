/* The WHO's global air quality guidelines of 2021: short-term levels and interim targets. µg/m³, CO mg/m³. The 24 h levels are meant
 * as the 99th percentile of a year; a day above one is one of the three or four a year may have. */
#ifndef EG_INDEX_WHO_H
#define EG_INDEX_WHO_H

#include "air.h"

#include <stdbool.h>

struct eg_who {
    double guideline; /* NAN: the WHO has none for this mean */
    double ratio;     /* value / guideline */
    int target;       /* 0: the guideline is met; 4, 3, 2, 1: this interim target is; -1: none is */
};
/* PM2.5, PM10, NO2, SO2, CO by 24 h, O3 by 8 h (and NO2 by the hour, 200, kept from 2005); false for other means. */
bool eg_who_compare(enum eg_pollutant pollutant, enum eg_average average, int64_t nano,
                    struct eg_who *ret_who);

#endif
