/* From hour means to what an air quality index is made of: moving means, a day's means, concentrations in the units of the US EPA.
 * Validity after GB 3095-2026 table 4: an 8 h mean needs 6 hours, a day's 20; an ozone day 14 of its 17 running 8 h means, or one above
 * the limit of 160 µg/m³ (HJ 663-2013). Which hour means are valid (45 minutes of data) is for the caller to know.
 * Concentrations: µg/m³, CO mg/m³, gases at 298.15 K and 1013.25 hPa, where a mole fills 24.4654 L (GB 3095-2026, US EPA). */
#ifndef EG_INDEX_HOURS_H
#define EG_INDEX_HOURS_H

#include "aqi_cn.h"

#include <stddef.h>

#define EG_AIR_HOURS 48 /* a day's index, and what it was each hour of the day before */
#define EG_DAY_HOURS 25 /* of the day on which clocks go back */

/* Newest first; EG_NANO_NONE: there is no valid mean of that hour. */
struct eg_air_hours {
    int64_t nano[EG_POLLUTANTS][EG_AIR_HOURS];
};
void eg_air_hours_init(struct eg_air_hours *hours); /* nothing known */

/* All moving means, `ago` hours before the newest. */
void eg_air_hours_moving(const struct eg_air_hours *hours, size_t ago, struct eg_air *ret_air);
/* The means that China's real-time index is made of, `ago` hours before the newest. 2026: of the hour. 2012: of the hour for gases, the
 * moving 24 h for PM, also the moving 8 h for O3; above 800 µg/m³ an hour of SO2 has no sub-index and the 24 h mean speaks. */
void eg_air_hours_cn(enum eg_aqi_cn_edition edition, const struct eg_air_hours *hours, size_t ago,
                     struct eg_air *ret_air);
/* The same moment in the units and means of the US EPA: NowCast for PM (as its 24 h mean) and for O3 (the surrogate, as its 8 h mean), CO
 * moving 8 h, NO2 and SO2 of the hour, SO2 of 24 h. */
void eg_air_hours_us(const struct eg_air_hours *hours, size_t ago, struct eg_air *ret_air);
/* What a day's index takes of one pollutant, whose hours come oldest first (23 to 25 of them): the 24 h mean, for ozone the highest
 * running 8 h mean, in 2012 also the highest hour. */
void eg_air_hours_day(enum eg_aqi_cn_edition edition, enum eg_pollutant pollutant, const int64_t *nano,
                      size_t count, struct eg_air *air);

/* A site's air is the mean of all its stations' valid hours, as HJ 633 has it for a town: of a pollutant and hour, of as many stations as
 * have one. This is the only place that says so; the summary, histories, tables and rules add up with it. */
struct eg_air_mean {
    int64_t sum; /* billionths */
    uint32_t stations;
};
void eg_air_mean_add(struct eg_air_mean *mean, int64_t nano); /* EG_NANO_NONE adds nothing */
int64_t eg_air_mean_tell(const struct eg_air_mean *mean);     /* to the nearest billionth */
struct eg_air_sums {                                          /* newest first, as struct eg_air_hours */
    struct eg_air_mean mean[EG_POLLUTANTS][EG_AIR_HOURS];
};
void eg_air_sums_add(struct eg_air_sums *sums, enum eg_pollutant pollutant, const int64_t nano[EG_AIR_HOURS]);
void eg_air_sums_tell(const struct eg_air_sums *sums, struct eg_air_hours *ret_hours);

/* An index of the hour that ended `ago` hours before `end_ms`, after the edition of its date; the means it was made of. There is none
 * of an hour that has no valid mean of any pollutant: what was measured before does not speak for it. */
typedef void eg_air_index(const struct eg_air_hours *hours, size_t ago, int64_t end_ms,
                          struct eg_air *ret_air, struct eg_aqi *ret_aqi);
void eg_air_index_cn(const struct eg_air_hours *hours, size_t ago, int64_t end_ms, struct eg_air *ret_air,
                     struct eg_aqi *ret_aqi);
void eg_air_index_us(const struct eg_air_hours *hours, size_t ago, int64_t end_ms, struct eg_air *ret_air,
                     struct eg_aqi *ret_aqi);

/* µg/m³ (CO: mg/m³) to ppb (CO: ppm), and ppb to ppm for O3, as the US tables want it; PM stays. */
double eg_air_us_unit(enum eg_pollutant pollutant, double concentration);

#endif
