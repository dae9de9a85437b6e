/* Knows the US EPA's breakpoints. Called by the summary's index and by `ecogovctl index`. */
#include "aqi_us.h"

#include "nano.h"

#include <limits.h>
#include <stddef.h>

/* A band's ends in truncation steps, and its index. */
struct band {
    int low, high, index_low, index_high;
};
struct scale {
    enum eg_pollutant pollutant;
    enum eg_average average;
    struct band bands[6]; /* ascending; one with high == 0 ends them */
};
/* EPA-454/B-24-002, table 6 */
static const struct scale scales[] = {
    {EG_PM25,
     EG_24H,
     {{0, 90, 0, 50},
      {91, 354, 51, 100},
      {355, 554, 101, 150},
      {555, 1254, 151, 200},
      {1255, 2254, 201, 300},
      {2255, 3254, 301, 500}}},
    {EG_PM10,
     EG_24H,
     {{0, 54, 0, 50},
      {55, 154, 51, 100},
      {155, 254, 101, 150},
      {255, 354, 151, 200},
      {355, 424, 201, 300},
      {425, 604, 301, 500}}},
    {EG_CO,
     EG_8H,
     {{0, 44, 0, 50},
      {45, 94, 51, 100},
      {95, 124, 101, 150},
      {125, 154, 151, 200},
      {155, 304, 201, 300},
      {305, 504, 301, 500}}},
    {EG_NO2,
     EG_1H,
     {{0, 53, 0, 50},
      {54, 100, 51, 100},
      {101, 360, 101, 150},
      {361, 649, 151, 200},
      {650, 1249, 201, 300},
      {1250, 2049, 301, 500}}},
    {EG_SO2, EG_1H, {{0, 35, 0, 50}, {36, 75, 51, 100}, {76, 185, 101, 150}, {186, 304, 151, 200}}},
    {EG_SO2, EG_24H, {{305, 604, 201, 300}, {605, 1004, 301, 500}}},
    {EG_O3,
     EG_8H,
     {{0, 54, 0, 50}, {55, 70, 51, 100}, {71, 85, 101, 150}, {86, 105, 151, 200}, {106, 200, 201, 300}}},
    {EG_O3, EG_1H, {{125, 164, 101, 150}, {165, 204, 151, 200}, {205, 404, 201, 300}, {405, 604, 301, 500}}},
};

const struct eg_aqi_class eg_aqi_us_classes[6] = {
    {50, "Good", "良好", "green", {0, 228, 0}},
    {100, "Moderate", "中等", "yellow", {255, 255, 0}},
    {150, "Unhealthy for Sensitive Groups", "对敏感人群不健康", "orange", {255, 126, 0}},
    {200, "Unhealthy", "不健康", "red", {255, 0, 0}},
    {300, "Very Unhealthy", "非常不健康", "purple", {143, 63, 151}},
    {INT_MAX, "Hazardous", "危险", "maroon", {126, 0, 35}},
};

int64_t eg_aqi_us_step(enum eg_pollutant pollutant)
{
    switch (pollutant) {
    case EG_O3:
        return EG_NANO / 1000;
    case EG_PM25:
    case EG_CO:
        return EG_NANO / 10;
    default:
        return EG_NANO;
    }
}

int eg_aqi_us_sub(enum eg_pollutant pollutant, enum eg_average average, int64_t nano)
{
    const struct scale *scale = NULL;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        if (scales[i].pollutant == pollutant && scales[i].average == average)
            scale = &scales[i];
    if (!scale || nano == EG_NANO_NONE)
        return EG_AQI_NONE;
    int64_t steps = nano < 0 ? 0 : nano / eg_aqi_us_step(pollutant);
    if (steps < scale->bands[0].low)
        return EG_AQI_NONE;
    const struct band *band = scale->bands;
    while (steps > band->high && band + 1 < scale->bands + 6 && band[1].high)
        band++;
    if (steps > band->high && band->index_high < 500)
        return EG_AQI_NONE; /* another mean speaks from here on */
    int64_t width = band->high - band->low;
    int64_t rise = (band->index_high - band->index_low) * (steps - band->low);
    int64_t index = band->index_low + (2 * rise + width) / (2 * width);
    return index > INT_MAX ? INT_MAX : (int)index;
}

enum eg_average eg_aqi_us_plain(enum eg_pollutant pollutant)
{
    switch (pollutant) {
    case EG_O3:
    case EG_CO:
        return EG_8H;
    case EG_NO2:
    case EG_SO2:
        return EG_1H;
    default:
        return EG_24H;
    }
}

int eg_aqi_us_level(int aqi)
{
    int level = 1;
    if (aqi < 0)
        return 0;
    while (aqi > eg_aqi_us_classes[level - 1].up_to)
        level++;
    return level;
}

/* From 305 ppb in an hour on, the day's mean says the index, and not less than 200. */
static void settle_so2(const struct eg_air *air, struct eg_aqi *aqi)
{
    const int64_t *mean = air->mean[EG_SO2];
    if (mean[EG_1H] != EG_NANO_NONE && mean[EG_1H] >= 305 * EG_NANO && mean[EG_24H] != EG_NANO_NONE &&
        aqi->sub[EG_SO2][EG_24H] == EG_AQI_NONE)
        aqi->sub[EG_SO2][EG_1H] = 200;
}

void eg_aqi_us(const struct eg_air *air, struct eg_aqi *ret_aqi)
{
    struct eg_aqi aqi = {.value = EG_AQI_NONE};
    int best[EG_POLLUTANTS];
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int average = 0; average < EG_AVERAGES; average++)
            aqi.sub[pollutant][average] = eg_aqi_us_sub(
                (enum eg_pollutant)pollutant, (enum eg_average)average, air->mean[pollutant][average]);
    settle_so2(air, &aqi);
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++) {
        best[pollutant] = EG_AQI_NONE;
        for (int average = 0; average < EG_AVERAGES; average++)
            if (aqi.sub[pollutant][average] > best[pollutant])
                best[pollutant] = aqi.sub[pollutant][average];
        if (best[pollutant] == EG_AQI_NONE)
            aqi.missing |= (uint8_t)(1u << pollutant);
        if (best[pollutant] > aqi.value)
            aqi.value = best[pollutant];
    }
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        if (aqi.value != EG_AQI_NONE && best[pollutant] == aqi.value)
            aqi.primary |= (uint8_t)(1u << pollutant);
    aqi.available = aqi.value;
    aqi.level = eg_aqi_us_level(aqi.value);
    *ret_aqi = aqi;
}
