/* Knows the names of pollutants and means. Called by the air quality indices and by who shows them. */
#include "air.h"

#include "nano.h"

const char *const eg_pollutant_names[EG_POLLUTANTS] = {"co", "no2", "o3", "pm10", "pm25", "so2"};
const char *const eg_average_names[EG_AVERAGES] = {"1h", "8h", "24h"};

void eg_air_init(struct eg_air *air)
{
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int average = 0; average < EG_AVERAGES; average++)
            air->mean[pollutant][average] = EG_NANO_NONE;
}
