/* Knows in which unit a number makes sense as a value of a quantity, and which numbers are none: codes for "not measured". Refuses to know
 * names. Called by guess_field.c. */
#include "guess_name.h"

#include <math.h>
#include <string.h>

bool guess_is_code(double value)
{
    static const double codes[] = {-1,      -9,     -99,    -127,   -128,         -255,    -273.15,
                                   -327.68, -999,   -999.9, -1000,  -1000.99,     -3276.8, -9999,
                                   -32768,  127,    255,    999,    6553.5,       9999,    32767,
                                   65535,   655.35, 327.67, 3276.7, 4294967295.0, 99999,   999999};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (value == codes[i])
            return true;
    return false;
}

static bool fits(int quantity, const char *unit, double value, double *ret_value)
{
    const struct eg_quantity_info *info = eg_quantity_info(quantity);
    struct eg_unit_map map;
    if (!eg_unit_find(quantity, unit, &map))
        return false;
    *ret_value = eg_unit_apply(&map, value);
    return *ret_value >= info->low && *ret_value <= info->high;
}

/* The value makes sense, but more so in another unit: 0.31 of soil moisture, an EC of 480. */
static const char *better(int quantity, double value)
{
    bool whole = value == floor(value);
    if ((quantity == EG_Q_soil_moisture || quantity == EG_Q_humidity) && value > 0 && value < 1)
        return "fraction";
    if ((quantity == EG_Q_soil_ec || quantity == EG_Q_ec) && whole && value >= 2)
        return "uS/cm";
    return NULL;
}

/* What a village may have, where the plausible range is that of the whole earth. */
static bool usual(int quantity, double value)
{
    return quantity != EG_Q_temperature || (value > -45 && value < 55);
}

static bool by_size(int quantity, double value, struct guess_unit *ret)
{
    static const char *const units[] = {"Pa",  "kPa",   "degF",     "K", "mV", "uS/cm",
                                        "ppb", "ug/m3", "fraction", "m", NULL};
    for (const char *const *unit = units; *unit; unit++)
        if (fits(quantity, *unit, value, &ret->value) && usual(quantity, ret->value)) {
            ret->unit = *unit;
            return true;
        }
    return false;
}

void guess_unit(const struct guess_name *name, double value, struct guess_unit *ret)
{
    *ret = (struct guess_unit){.quantity = name->quantity, .scale = 1, .sure = true, .plausible = true};
    if (name->quantity == EG_Q_battery && !*name->unit &&
        ((value > 1.5 && value < 5 && value != floor(value)) || (value > 1500 && value < 6000)))
        ret->quantity = EG_Q_voltage;
    int quantity = ret->quantity;
    if (*name->unit && fits(quantity, name->unit, value, &ret->value)) {
        ret->unit = name->unit;
        return;
    }
    if (!*name->unit && (ret->unit = better(quantity, value)) &&
        fits(quantity, ret->unit, value, &ret->value)) {
        ret->sure = false;
        return;
    }
    ret->unit = NULL;
    if (!*name->unit && fits(quantity, NULL, value, &ret->value))
        return;
    ret->unit = *name->unit ? name->unit : NULL;
    if (guess_is_code(value)) {
        ret->plausible = false;
        return;
    }
    ret->sure = false;
    if (!*name->unit && by_size(quantity, value, ret))
        return;
    for (ret->scale = 0.1; value == floor(value) && ret->scale > 0.0005; ret->scale /= 10)
        if (fits(quantity, ret->unit, value * ret->scale, &ret->value))
            return;
    ret->plausible = false;
}
