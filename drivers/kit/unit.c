/* Knows units: how they are written, and how each becomes a quantity's canonical one, as a straight line.
 * Refuses to know payloads. Called when a mapping is compiled, never per value, so a plain search through the
 * table will do. */
#include <ecogov/quantity.h>

#include "codepoint.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define SPELLING_MAX 24 /* bytes of a folded unit, with the NUL */

/* Units of one kind convert into each other without knowing the substance. */
enum kind {
    KIND_NUMBER,
    KIND_PERCENT,
    KIND_CONCENTRATION, /* mass by volume */
    KIND_NORMAL,        /* of gases: mass by volume at 273.15 K */
    KIND_MIXTURE,       /* volume by volume */
    KIND_SOLUTION,      /* "ppm" of something dissolved in water; base as KIND_CONCENTRATION */
    KIND_LEL,           /* percent of methane's lower explosive limit */
    KIND_CONTENT,       /* mass by mass */
    KIND_TEMPERATURE,
    KIND_PRESSURE,
    KIND_SPEED,
    KIND_ANGLE,
    KIND_LENGTH,
    KIND_RAIN_RATE,
    KIND_RADIATION,
    KIND_LIGHT,
    KIND_DECIBEL,
    KIND_CONDUCTIVITY,
    KIND_MASS,
    KIND_TURBIDITY,
    KIND_FLOW,
    KIND_VOLTAGE,
    KIND_CURRENT,
    KIND_POWER,
    KIND_RADIO_LEVEL,
    KIND_DURATION,
};

static const struct unit {
    const char *spelling;
    enum kind kind;
    double scale, offset;
} units[] = {
#define EG_UNIT(spelling, kind, scale, offset) {spelling, KIND_##kind, scale, offset},
#include "unit.def"
#undef EG_UNIT
};

/* g/mol of the gases that come both by mass and by volume; 0 for everything else. */
static double molar_mass(int quantity)
{
    switch (quantity) {
    case EG_Q_o3:
        return 47.998;
    case EG_Q_no2:
    case EG_Q_nox: /* as NO2, which is how limits count it */
        return 46.0055;
    case EG_Q_no:
        return 30.006;
    case EG_Q_so2:
        return 64.066;
    case EG_Q_co:
        return 28.010;
    case EG_Q_co2:
        return 44.010;
    case EG_Q_nh3:
        return 17.031;
    case EG_Q_h2s:
        return 34.081;
    case EG_Q_ch4:
        return 16.043;
    case EG_Q_ch3sh:
        return 48.107;
    case EG_Q_hcho:
        return 30.026;
    default:
        return 0;
    }
}

/* What a character beyond ASCII stands for in a unit; NULL when it does not belong into one. */
static const char *fold_codepoint(uint32_t codepoint)
{
    switch (codepoint) {
    case 0xB5:  /* micro sign */
    case 0x3BC: /* Greek mu */
        return "u";
    case 0xB0: /* degree sign */
    case 0xBA: /* masculine ordinal, taken for it on some keyboards */
        return "deg";
    case 0x2103:
        return "degc";
    case 0x2109:
        return "degf";
    case 0xB9:
        return "1";
    case 0xB2:
        return "2";
    case 0xB3:
        return "3";
    case 0x207B: /* superscript minus */
    case 0x2212: /* minus sign */
        return "-";
    case 0xFF05: /* full-width percent */
        return "%";
    case 0x2030:
        return "permille";
    case 0xA0: /* blanks and multiplication dots */
    case 0x2009:
    case 0x202F:
    case 0xB7:
    case 0x2219:
    case 0x22C5:
        return "";
    default:
        return NULL;
    }
}

static bool fold(const char *unit, char out[SPELLING_MAX])
{
    const size_t length = strnlen(unit, 4 * SPELLING_MAX);
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        uint32_t codepoint;
        const size_t bytes = eg_codepoint_next(unit + at, length - at, &codepoint);
        if (bytes == 0)
            return false;
        char ascii[2] = {(char)codepoint, '\0'};
        const char *text = ascii;
        if (codepoint >= 0x80)
            text = fold_codepoint(codepoint);
        else if (memchr(" \t.*^", (int)codepoint, 5) != NULL)
            text = "";
        else if (codepoint >= 'A' && codepoint <= 'Z')
            ascii[0] = (char)(codepoint - 'A' + 'a');
        if (text == NULL || used + strlen(text) >= SPELLING_MAX)
            return false;
        memcpy(out + used, text, strlen(text));
        used += strlen(text);
        at += bytes;
    }
    out[used] = '\0';
    return true;
}

static const struct unit *find_unit(const char *spelling, int kind)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].spelling[0] == spelling[0] && (kind < 0 || (int)units[i].kind == kind) &&
            strcmp(units[i].spelling, spelling) == 0)
            return &units[i];
    return NULL;
}

static const struct unit *find_canonical(int quantity)
{
    char spelling[SPELLING_MAX];
    if (!fold(eg_quantity_info(quantity)->unit, spelling))
        return NULL;
    return find_unit(spelling, quantity == EG_Q_ch4 ? (int)KIND_MIXTURE : -1); /* its "%" is by volume */
}

bool eg_unit_find(int quantity, const char *unit, struct eg_unit_map *ret_map)
{
    if (unit == NULL || unit[0] == '\0' || strcmp(unit, eg_quantity_info(quantity)->unit) == 0) {
        *ret_map = (struct eg_unit_map){.scale = 1, .offset = 0};
        return true;
    }
    const struct unit *to = find_canonical(quantity);
    char spelling[SPELLING_MAX];
    assert(to != NULL); /* a unit test proves it for the whole dictionary */
    if (to == NULL || !fold(unit, spelling))
        return false;

    /* 298.15 K and 1013.25 hPa: litres that a mole of gas fills, by the CODATA 2018 gas constant. */
    const double molar_volume = 8.314462618 * 298.15 / 101.325;
    const double mass = molar_mass(quantity);
    const struct unit *from = find_unit(spelling, (int)to->kind);
    double factor = 1;
    if (from == NULL && mass > 0 && to->kind == KIND_CONCENTRATION) {
        from = find_unit(spelling, KIND_MIXTURE);
        factor = mass / molar_volume; /* ppb to ug/m3 */
        if (from == NULL && (from = find_unit(spelling, KIND_NORMAL)) != NULL)
            factor = 273.15 / 298.15; /* the same gas in a warmer, so larger, cubic metre */
    } else if (from == NULL && mass > 0 && to->kind == KIND_MIXTURE) {
        from = find_unit(spelling, KIND_CONCENTRATION);
        factor = molar_volume / mass;
    } else if (from == NULL && to->kind == KIND_CONCENTRATION &&
               strcmp(eg_quantity_info(quantity)->unit, "mg/L") == 0) {
        from = find_unit(spelling, KIND_SOLUTION);
    }
    if (from == NULL && quantity == EG_Q_ch4) {
        from = find_unit(spelling, KIND_LEL);
        factor = 5e5; /* 100 % of the lower explosive limit are 5 % by volume, in ppb */
    }
    if (from == NULL)
        return false;
    const double scale = from->scale * factor / to->scale;
    *ret_map = (struct eg_unit_map){.scale = scale, .offset = (from->offset - to->offset) / to->scale};
    return true;
}

bool eg_unit_gas(int quantity)
{
    switch (quantity) {
    case EG_Q_pm1:
    case EG_Q_pm25:
    case EG_Q_pm4:
    case EG_Q_pm10:
    case EG_Q_tsp:
        return false;
    default:
        return strcmp(eg_quantity_info(quantity)->unit, "ug/m3") == 0 ||
               strcmp(eg_quantity_info(quantity)->unit, "mg/m3") == 0;
    }
}

bool eg_unit_in_air(const char *unit)
{
    char spelling[SPELLING_MAX];
    return unit == NULL || unit[0] == '\0' ||
           (fold(unit, spelling) && find_unit(spelling, (int)KIND_CONCENTRATION) != NULL);
}

double eg_unit_apply(const struct eg_unit_map *map, double value)
{
    if (map->scale == 1 && map->offset == 0)
        return value;
    value = value * map->scale + map->offset;
    double size = fabs(value);
    if (!(size >= 1e-9 && size < 1e11))
        return value;
    /* Both factors are exact up to 10^22 and 2^53, so the quotient is the double nearest to the decimal. */
    double power = 1;
    for (double top = size; top < 1e11; top *= 10)
        power *= 10;
    return round(value * power) / power;
}
