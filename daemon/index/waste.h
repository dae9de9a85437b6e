/* The waste pressure index: how hard a place's waste presses on who lives there, on the scale of an air quality index (0 to
 * 500; above 100 something is to be done). It is ours: no authority defines one. Each measure has its own ladder, linear
 * between the steps and rounded up; the index is the highest, and the measure that has it is named.
 *
 *   index        0    50   100   150   200   300   400   500
 *   fill         0    60    80    90    95   100               % of a bin: collection is due at 80, the bin is full at 95
 *   overdue      0     6    24    48    72   120   168   240   hours a bin has been above 80 %
 *   h2s          0  0.03  0.06  0.10  0.32  0.60   10    20    mg/m³: GB 14554-93 classes 1 to 3, GB/T 50493's alarms
 *   nh3          0   1.0   1.5   2.0   4.0   5.0   20    40    mg/m³: the same
 *   odour        0    10    20    30    60    70               GB 14554-93
 *   ch4          0  0.05   0.1  0.25  1.25     5               % vol: 1.25 in structures (40 CFR 258.23), 5 explodes
 *   temperature  0    45    50    55    60    70    80   100   °C in a bin: smouldering from 60 on
 */
#ifndef EG_INDEX_WASTE_H
#define EG_INDEX_WASTE_H

#include <stddef.h>
#include <stdint.h>

enum eg_waste {
    EG_WASTE_FILL,
    EG_WASTE_OVERDUE,
    EG_WASTE_H2S,
    EG_WASTE_NH3,
    EG_WASTE_ODOUR,
    EG_WASTE_CH4,
    EG_WASTE_TEMPERATURE,
    EG_WASTES
};
extern const char *const eg_waste_names[EG_WASTES];

struct eg_waste_pressure {
    int value; /* -1: nothing is known */
    int sub[EG_WASTES];
    uint8_t primary; /* bit 1u << eg_waste, above 50 only */
    int level;       /* 1 to 6, the classes of aqi_cn.h */
};
void eg_waste_pressure(const int64_t nano[EG_WASTES], struct eg_waste_pressure *ret_pressure);

#endif
