/* Knows HJ 633 in its two editions. Refuses to know where means come from and whether they are valid. Called by the summary's index
 * and by `ecogovctl index`. */
#include "aqi_cn.h"

#include "nano.h"

#include <limits.h>
#include <stddef.h>

#define KNOTS 8
static const int iaqi[KNOTS] = {0, 50, 100, 150, 200, 300, 400, 500};

/* Breakpoints in whole units of the standard; a column that ends early ends with zeros. HJ 633-2012 table 1, HJ 633-2026 table 3. */
struct column {
    int knots[KNOTS];
    int beyond[2]; /* above the last knot, 2012 and 2026 */
};
#define MISSING EG_AQI_NONE
static const struct column pm25[2] = {
    {{0, 35, 75, 115, 150, 250, 350, 500}, {500, 500}},
    {{0, 35, 60, 115, 150, 250, 350, 500}, {500, 500}},
};
static const struct column pm10[2] = {
    {{0, 50, 150, 250, 350, 420, 500, 600}, {500, 500}},
    {{0, 50, 120, 250, 350, 420, 500, 600}, {500, 500}},
};
static const struct column so2_24h = {{0, 50, 150, 475, 800, 1600, 2100, 2620}, {500, 500}};
static const struct column so2_1h = {{0, 150, 500, 650, 800}, {MISSING, 200}};
static const struct column no2_24h = {{0, 40, 80, 180, 280, 565, 750, 940}, {500, 500}};
static const struct column no2_1h = {{0, 100, 200, 700, 1200, 2340, 3090, 3840}, {500, 500}};
static const struct column co_24h = {{0, 2, 4, 14, 24, 36, 48, 60}, {500, 500}};
static const struct column co_1h = {{0, 5, 10, 35, 60, 90, 120, 150}, {500, 500}};
static const struct column o3_1h = {{0, 160, 200, 300, 400, 800, 1000, 1200}, {500, 500}};
static const struct column o3_8h = {{0, 100, 160, 215, 265, 800}, {MISSING, 300}};

const struct eg_aqi_class eg_aqi_cn_classes[6] = {
    {50, "excellent", "优", "green", {0, 228, 0}},
    {100, "good", "良", "yellow", {255, 255, 0}},
    {150, "lightly polluted", "轻度污染", "orange", {255, 126, 0}},
    {200, "moderately polluted", "中度污染", "red", {255, 0, 0}},
    {300, "heavily polluted", "重度污染", "purple", {153, 0, 76}},
    {INT_MAX, "severely polluted", "严重污染", "maroon", {126, 0, 35}},
};

static const struct column *column_of(enum eg_aqi_cn_edition edition, enum eg_pollutant pollutant,
                                      enum eg_average average)
{
    bool hour = average == EG_1H, day = average == EG_24H;
    switch (pollutant) {
    case EG_PM25:
        return day || (hour && edition == EG_HJ633_2026) ? &pm25[edition] : NULL;
    case EG_PM10:
        return day || (hour && edition == EG_HJ633_2026) ? &pm10[edition] : NULL;
    case EG_SO2:
        return hour ? &so2_1h : day ? &so2_24h : NULL;
    case EG_NO2:
        return hour ? &no2_1h : day ? &no2_24h : NULL;
    case EG_CO:
        return hour ? &co_1h : day ? &co_24h : NULL;
    case EG_O3:
        return hour ? &o3_1h : average == EG_8H ? &o3_8h : NULL;
    default:
        return NULL;
    }
}

enum eg_aqi_cn_edition eg_aqi_cn_edition_at(int64_t ms)
{
    /* 2026-03-01 00:00 in Beijing, UTC+8 without daylight saving */
    return ms < INT64_C(1772294400000) ? EG_HJ633_2012 : EG_HJ633_2026;
}

int eg_aqi_cn_sub(enum eg_aqi_cn_edition edition, enum eg_pollutant pollutant, enum eg_average average,
                  int64_t nano)
{
    const struct column *column = column_of(edition, pollutant, average);
    if (!column || nano == EG_NANO_NONE)
        return EG_AQI_NONE;
    if (nano < 0)
        nano = 0;
    if (edition == EG_HJ633_2026)
        nano = eg_nano_half_even(nano, pollutant == EG_CO ? EG_NANO / 10 : EG_NANO);
    int top = 1;
    while (top < KNOTS && column->knots[top] && nano > column->knots[top] * EG_NANO)
        top++;
    if (top == KNOTS || !column->knots[top])
        return column->beyond[edition];
    int64_t low = column->knots[top - 1] * EG_NANO, width = column->knots[top] * EG_NANO - low;
    int64_t rise = (iaqi[top] - iaqi[top - 1]) * (nano - low); /* at most 1500e9 * 100: fits */
    return iaqi[top - 1] + (int)((rise + width - 1) / width);
}

enum eg_average eg_aqi_cn_plain(enum eg_aqi_cn_edition edition, bool hour, enum eg_pollutant pollutant)
{
    bool dust = pollutant == EG_PM25 || pollutant == EG_PM10;
    if (hour)
        return dust && edition == EG_HJ633_2012 ? EG_24H : EG_1H;
    return pollutant == EG_O3 ? EG_8H : EG_24H;
}

int eg_aqi_cn_level(int aqi)
{
    int level = 1;
    if (aqi < 0)
        return 0;
    while (aqi > eg_aqi_cn_classes[level - 1].up_to)
        level++;
    return level;
}

void eg_aqi_cn(enum eg_aqi_cn_edition edition, const struct eg_air *air, struct eg_aqi *ret_aqi)
{
    int best[EG_POLLUTANTS];
    struct eg_aqi aqi = {.available = EG_AQI_NONE};
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++) {
        best[pollutant] = EG_AQI_NONE;
        for (int average = 0; average < EG_AVERAGES; average++) {
            int sub = eg_aqi_cn_sub(edition, (enum eg_pollutant)pollutant, (enum eg_average)average,
                                    air->mean[pollutant][average]);
            aqi.sub[pollutant][average] = sub;
            if (sub > best[pollutant])
                best[pollutant] = sub;
        }
        if (best[pollutant] == EG_AQI_NONE)
            aqi.missing |= (uint8_t)(1u << pollutant);
        if (best[pollutant] > aqi.available)
            aqi.available = best[pollutant];
    }
    aqi.level = eg_aqi_cn_level(aqi.available);
    aqi.value = edition == EG_HJ633_2026 && aqi.missing && aqi.available <= 100 ? EG_AQI_NONE : aqi.available;
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        if (aqi.available > 50 && best[pollutant] == aqi.available)
            aqi.primary |= (uint8_t)(1u << pollutant);
    *ret_aqi = aqi;
}
