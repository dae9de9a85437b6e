/* Knows the ladders of the waste pressure index. Called by `ecogovctl index`. */
#include "waste.h"

#include "aqi_cn.h"
#include "nano.h"

const char *const eg_waste_names[EG_WASTES] = {"fill",  "overdue", "h2s",        "nh3",
                                               "odour", "ch4",     "temperature"};

#define STEPS 8
static const int index_at[STEPS] = {0, 50, 100, 150, 200, 300, 400, 500};
/* in thousandths of the unit; a ladder that ends early ends with zeros */
static const int32_t ladders[EG_WASTES][STEPS] = {
    [EG_WASTE_FILL] = {0, 60000, 80000, 90000, 95000, 100000},
    [EG_WASTE_OVERDUE] = {0, 6000, 24000, 48000, 72000, 120000, 168000, 240000},
    [EG_WASTE_H2S] = {0, 30, 60, 100, 320, 600, 10000, 20000},
    [EG_WASTE_NH3] = {0, 1000, 1500, 2000, 4000, 5000, 20000, 40000},
    [EG_WASTE_ODOUR] = {0, 10000, 20000, 30000, 60000, 70000},
    [EG_WASTE_CH4] = {0, 50, 100, 250, 1250, 5000},
    [EG_WASTE_TEMPERATURE] = {0, 45000, 50000, 55000, 60000, 70000, 80000, 100000},
};

static int climb(const int32_t ladder[STEPS], int64_t nano)
{
    const int64_t unit = EG_NANO / 1000;
    int top = 1;
    if (nano < 0)
        nano = 0;
    while (top < STEPS && ladder[top] && nano > ladder[top] * unit)
        top++;
    if (top == STEPS || !ladder[top])
        return index_at[top - 1];
    int64_t low = ladder[top - 1] * unit, width = ladder[top] * unit - low;
    int64_t rise = (index_at[top] - index_at[top - 1]) * (nano - low);
    return index_at[top - 1] + (int)((rise + width - 1) / width);
}

void eg_waste_pressure(const int64_t nano[EG_WASTES], struct eg_waste_pressure *ret_pressure)
{
    struct eg_waste_pressure pressure = {.value = EG_AQI_NONE};
    for (int measure = 0; measure < EG_WASTES; measure++) {
        pressure.sub[measure] =
            nano[measure] == EG_NANO_NONE ? EG_AQI_NONE : climb(ladders[measure], nano[measure]);
        if (pressure.sub[measure] > pressure.value)
            pressure.value = pressure.sub[measure];
    }
    for (int measure = 0; measure < EG_WASTES; measure++)
        if (pressure.value > 50 && pressure.sub[measure] == pressure.value)
            pressure.primary |= (uint8_t)(1u << measure);
    pressure.level = eg_aqi_cn_level(pressure.value);
    *ret_pressure = pressure;
}
