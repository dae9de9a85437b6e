/* The air quality index of the US EPA: 40 CFR 58 appendix G as in force since 2024-05-06, after EPA-454/B-24-002 (May 2024). PM in
 * µg/m³, O3 and CO in ppm, SO2 and NO2 in ppb. Concentrations are truncated (O3 to 0.001, PM2.5 and CO to 0.1, others to 1), the
 * sub-index is rounded to the nearest integer; above 500 it goes on with the slope of the last band.
 * O3: the 1 h mean speaks from 0.125 ppm on, the 8 h mean up to 0.200. SO2: the 1 h mean speaks up to 304 ppb, from 305 on the 24 h
 * mean does, and where that is below 305 the sub-index is exactly 200. */
#ifndef EG_INDEX_AQI_US_H
#define EG_INDEX_AQI_US_H

#include "air.h"

/* CO is judged by its 8 h mean, NO2 by the hour, PM by the day, O3 by 8 h and 1 h, SO2 by 1 h and 24 h. EG_AQI_NONE: missing, or no
 * index is defined there. */
int eg_aqi_us_sub(enum eg_pollutant pollutant, enum eg_average average, int64_t nano);
enum eg_average eg_aqi_us_plain(enum eg_pollutant pollutant); /* the mean a plain name stands for */
void eg_aqi_us(const struct eg_air *air,
               struct eg_aqi *ret_aqi); /* `value` is `available`: the EPA asks for no full set */
int eg_aqi_us_level(int aqi);
extern const struct eg_aqi_class eg_aqi_us_classes[6];
/* What a concentration is truncated to, in nano. */
int64_t eg_aqi_us_step(enum eg_pollutant pollutant);

#endif
