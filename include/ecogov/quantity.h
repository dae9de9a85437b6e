/* The dictionary of quantities: one list (quantity.def), many renderings. */
#ifndef ECOGOV_QUANTITY_H
#define ECOGOV_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum eg_quantity {
#define EG_QUANTITY(id, unit, low, high, decimals, aliases, about_en, about_zh) EG_Q_##id,
#include <ecogov/quantity.def>
#undef EG_QUANTITY
    EG_QUANTITY_COUNT
};
#define EG_QUANTITY_NONE ((int)-1)

struct eg_quantity_info {
    const char *name;    /* "pm25" */
    const char *unit;    /* canonical, ASCII: "ug/m3" "Cel" "%" … */
    double low, high;    /* plausible range, inclusive, canonical unit */
    int decimals;        /* for display */
    const char *aliases; /* blank-separated lower-case further names */
    const char *about_en, *about_zh;
};

const struct eg_quantity_info *eg_quantity_info(int quantity); /* never NULL for a valid one; asserts */
/* By name or alias; ASCII case does not matter. EG_QUANTITY_NONE when unknown. Looks through the whole dictionary: for
 * configurations; a driver builds an index in prepare() and asks that, in O(length). */
int eg_quantity_find(const char *name, size_t length);
/* An index that is made of others' readings: no device brings it, so a driver's index does not hold it. */
bool eg_quantity_derived(int quantity);
/* A direction of the compass: 350 and 10 degrees are 20 apart, and their sum means nothing. */
bool eg_quantity_direction(int quantity);
#define EG_QUANTITY_SLOTS 512
struct eg_quantity_index { /* the caller's memory; borrows from the dictionary */
    struct eg_quantity_slot {
        const char *name;
        uint16_t length;
        int16_t quantity;
    } slots[EG_QUANTITY_SLOTS];
};
void eg_quantity_index_init(struct eg_quantity_index *index);
int eg_quantity_index_find(const struct eg_quantity_index *index, const char *name, size_t length);

/* Converts to the canonical unit. `unit` as a payload or configuration writes it ("degF", "mg/m3", "ppb", "µS/cm", "V" …);
 * NULL or "" means canonical. Compile once, apply per value: canonical = value * scale + offset.
 * False when the quantity cannot come in that unit. Gases: 298.15 K and 1013.25 hPa. */
struct eg_unit_map {
    double scale, offset;
};
bool eg_unit_find(int quantity, const char *unit, struct eg_unit_map *ret_map);
/* A gas whose canonical unit is mass in a cubic metre of air, which is another one at another temperature and pressure. No particles. */
bool eg_unit_gas(int quantity);
/* `unit` is such a mass in the cubic metre of nobody says which state: no share of volume, no normal cubic metre. "" and NULL are. */
bool eg_unit_in_air(const char *unit);
/* value * scale + offset, rounded to 12 significant digits: 14.9, not 14.899999999999999. What needs no conversion stays bit for bit. */
double eg_unit_apply(const struct eg_unit_map *map, double value);

#endif
