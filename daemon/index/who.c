/* Knows the WHO's levels. Called by `ecogovctl index`. */
#include "who.h"

#include "nano.h"

#include <stddef.h>

#define TARGETS 4
/* In tenths of the unit: interim targets 1 to 4 (0: there are fewer), and the guideline. WHO 2021, table 0.1. */
static const struct level {
    enum eg_pollutant pollutant;
    enum eg_average average;
    int targets[TARGETS], guideline;
} levels[] = {
    {EG_PM25, EG_24H, {750, 500, 375, 250}, 150},
    {EG_PM10, EG_24H, {1500, 1000, 750, 500}, 450},
    {EG_O3, EG_8H, {1600, 1200}, 1000},
    {EG_NO2, EG_24H, {1200, 500}, 250},
    {EG_NO2, EG_1H, {0}, 2000},
    {EG_SO2, EG_24H, {1250, 500}, 400},
    {EG_CO, EG_24H, {70}, 40},
};

bool eg_who_compare(enum eg_pollutant pollutant, enum eg_average average, int64_t nano,
                    struct eg_who *ret_who)
{
    const struct level *level = NULL;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (levels[i].pollutant == pollutant && levels[i].average == average)
            level = &levels[i];
    if (!level || nano == EG_NANO_NONE)
        return false;
    struct eg_who who = {.guideline = level->guideline / 10.0, .target = -1};
    who.ratio = eg_nano_value(nano) / who.guideline;
    for (int i = 0; i < TARGETS && level->targets[i]; i++)
        if (nano <= level->targets[i] * (EG_NANO / 10))
            who.target = i + 1;
    if (nano <= level->guideline * (EG_NANO / 10))
        who.target = 0;
    *ret_who = who;
    return true;
}
