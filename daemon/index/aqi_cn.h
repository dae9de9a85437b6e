/* China's air quality index: HJ 633-2012 (to 2026-02-28) and HJ 633-2026 (from 2026-03-01). Concentrations in µg/m³, CO in mg/m³, at
 * 298.15 K and 1013.25 hPa for gases (GB 3095). All arithmetic is in integers.
 *
 *   sub-index   IAQI = (IAQIhi - IAQIlo) / (BPhi - BPlo) * (C - BPlo) + IAQIlo, rounded up (6.2 of 2012, 4.2.6 of 2026)
 *   2026        C is first rounded half to even to an integer, CO to one decimal (4.2.2, GB/T 8170); SO2 1 h above 800 is 200,
 *               O3 8 h above 800 is 300; PM of the hour against the breakpoints of the day
 *   2012        C as it is; SO2 1 h and O3 8 h above 800 have no sub-index (the day's, the hour's, speak); PM of the hour has none
 *   above       the last breakpoint: 500
 *   NA          2026, 5.3.1: a pollutant is missing and the index of the others is at most 100
 */
#ifndef EG_INDEX_AQI_CN_H
#define EG_INDEX_AQI_CN_H

#include "air.h"

#include <stdbool.h>

enum eg_aqi_cn_edition { EG_HJ633_2012, EG_HJ633_2026 };

/* The edition in force on the Beijing day that holds `ms` (UTC). */
enum eg_aqi_cn_edition eg_aqi_cn_edition_at(int64_t ms);

/* 0 to 500, or EG_AQI_NONE: missing, or the standard has none. Below zero (an instrument's noise around it) counts as zero. */
int eg_aqi_cn_sub(enum eg_aqi_cn_edition edition, enum eg_pollutant pollutant, enum eg_average average,
                  int64_t nano);

/* The mean a pollutant's plain name stands for in an index of the hour or the day; false and both: 2012's hour has two for O3 (1 h,
 * and the moving 8 h), its day has the highest 1 h and the highest 8 h. */
enum eg_average eg_aqi_cn_plain(enum eg_aqi_cn_edition edition, bool hour, enum eg_pollutant pollutant);

/* Of all means in `air`; says what is missing of the six. */
void eg_aqi_cn(enum eg_aqi_cn_edition edition, const struct eg_air *air, struct eg_aqi *ret_aqi);

/* Class 1 (优, excellent) to 6 (严重污染, severely polluted); 0: none. */
int eg_aqi_cn_level(int aqi);
extern const struct eg_aqi_class eg_aqi_cn_classes[6];

#endif
