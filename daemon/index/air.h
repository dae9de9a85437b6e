/* The pollutants that air quality indices are made of, and the means they are held against. */
#ifndef EG_INDEX_AIR_H
#define EG_INDEX_AIR_H

#include <stdint.h>

/* In the order of their names, which is the order in which equals are listed. */
enum eg_pollutant { EG_CO, EG_NO2, EG_O3, EG_PM10, EG_PM25, EG_SO2, EG_POLLUTANTS };
enum eg_average { EG_1H, EG_8H, EG_24H, EG_AVERAGES };

extern const char *const eg_pollutant_names[EG_POLLUTANTS]; /* "pm25": the dictionary's names of quantities */
extern const char *const eg_average_names[EG_AVERAGES];     /* "8h" */

/* What an index is made of; EG_NANO_NONE where there is no (valid) mean. An O3 8 h mean is the day's highest where an index of a
 * day is asked for. */
struct eg_air {
    int64_t mean[EG_POLLUTANTS][EG_AVERAGES]; /* billionths of the unit of the index at hand */
};
void eg_air_init(struct eg_air *air); /* nothing known */

#define EG_AQI_NONE (-1) /* the standard gives no index here, or nothing to make it of is there */

/* An index and how it came about. */
struct eg_aqi {
    int value;     /* EG_AQI_NONE: not to be published ("NA") */
    int available; /* of what was there, published or not; EG_AQI_NONE: nothing was */
    int sub[EG_POLLUTANTS][EG_AVERAGES];
    uint8_t
        primary; /* pollutants, bit 1u << eg_pollutant: those with the greatest sub-index where the standard names some */
    uint8_t missing; /* pollutants the standard asks for and that are not there */
    int level;       /* 1 to 6 of `available`; 0: none */
};

struct eg_aqi_class {
    int up_to; /* the class's last index; the worst has INT_MAX */
    const char *name, *name_zh, *colour;
    uint8_t rgb[3];
};

#endif
