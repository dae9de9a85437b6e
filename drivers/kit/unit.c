/* Units as payloads and configurations write them, to the dictionary's canonical ones. Compiled once, applied per value.
 *
 * Gases: ug/m3 = ppb * M / Vm with Vm = R * 298.15 K / 1013.25 hPa = 24.4654 L/mol (GB 3095-2026; US EPA), M from the table below. */
#include <ecogov/quantity.h>

#include <string.h>

#define MOLAR_VOLUME 24.465403697038125 /* L/mol: 8.314462618 J/(mol K) * 298.15 K / 101325 Pa * 1000 */

static const struct {
    int quantity;
    double molar_mass; /* g/mol */
} gases[] = {{EG_Q_o3, 47.998},  {EG_Q_no2, 46.0055}, {EG_Q_so2, 64.066}, {EG_Q_co, 28.010},   {EG_Q_no, 30.006},
             {EG_Q_nox, 46.0055}, {EG_Q_nh3, 17.031},  {EG_Q_h2s, 34.081}, {EG_Q_ch3sh, 48.107}};

/* From a unit to a canonical one: canonical = value * scale + offset. */
static const struct {
    const char *unit, *canonical;
    double scale, offset;
} rows[] = {
    {"mg/m3", "ug/m3", 1000, 0},
    {"ng/m3", "ug/m3", 0.001, 0},
    {"kg/m3", "ug/m3", 1e9, 0},
    {"g/m3", "ug/m3", 1e6, 0},
    {"ug/m3", "mg/m3", 0.001, 0},
    {"ng/m3", "mg/m3", 1e-6, 0},
    {"g/m3", "mg/m3", 1000, 0},
    {"kg/m3", "mg/m3", 1e6, 0},
    {"ppb", "ppm", 0.001, 0},
    {"%", "ppm", 10000, 0},
    {"ppm", "%", 1e-4, 0},
    {"ppb", "%", 1e-7, 0},
    {"/", "%", 100, 0},
    {"1", "%", 100, 0},
    {"m3/m3", "%", 100, 0},
    {"%rh", "%", 1, 0},
    {"%vol", "%", 1, 0},
    {"%el", "%", 1, 0},
    {"degc", "Cel", 1, 0},
    {"c", "Cel", 1, 0},
    {"celsius", "Cel", 1, 0},
    {"degf", "Cel", 5.0 / 9.0, -160.0 / 9.0},
    {"f", "Cel", 5.0 / 9.0, -160.0 / 9.0},
    {"fahrenheit", "Cel", 5.0 / 9.0, -160.0 / 9.0},
    {"k", "Cel", 1, -273.15},
    {"kelvin", "Cel", 1, -273.15},
    {"pa", "hPa", 0.01, 0},
    {"kpa", "hPa", 10, 0},
    {"mbar", "hPa", 1, 0},
    {"bar", "hPa", 1000, 0},
    {"mmhg", "hPa", 1.333223684, 0},
    {"inhg", "hPa", 33.86388667, 0},
    {"km/h", "m/s", 1 / 3.6, 0},
    {"kmh", "m/s", 1 / 3.6, 0},
    {"mph", "m/s", 0.44704, 0},
    {"kn", "m/s", 1852.0 / 3600.0, 0},
    {"rad", "deg", 57.29577951308232, 0},
    {"us/cm", "dS/m", 0.001, 0},
    {"ms/cm", "dS/m", 1, 0},
    {"s/m", "dS/m", 10, 0},
    {"ms/m", "dS/m", 0.01, 0},
    {"us/m", "dS/m", 0.00001, 0},
    {"mv", "V", 0.001, 0},
    {"g", "kg", 0.001, 0},
    {"t", "kg", 1000, 0},
    {"m", "mm", 1000, 0},
    {"cm", "mm", 10, 0},
    {"in", "mm", 25.4, 0},
    {"mm", "m", 0.001, 0},
    {"cm", "m", 0.01, 0},
    {"ug/l", "mg/L", 0.001, 0},
    {"g/l", "mg/L", 1000, 0},
    {"m3/h", "L/s", 1 / 3.6, 0},
    {"m3/s", "L/s", 1000, 0},
    {"l/min", "L/s", 1.0 / 60.0, 0},
    {"ug/kg", "mg/kg", 0.001, 0},
    {"g/kg", "mg/kg", 1000, 0},
    {"ppm", "mg/kg", 1, 0},
    {"lux", "lx", 1, 0},
    {"ph", "1", 1, 0},
    {"dba", "dB", 1, 0},
    {"db(a)", "dB", 1, 0},
    {"dbspl", "dB", 1, 0},
    {"ntu", "NTU", 1, 0},
    {"fnu", "NTU", 1, 0},
};

/* Lower case, blanks out, µ and μ as u, ³ and ² as digits, ° as deg. False when it does not fit. */
static bool plain(const char *unit, char *out, size_t size)
{
    static const struct {
        const char *from, *to;
    } spellings[] = {{"µ", "u"}, {"μ", "u"}, {"³", "3"}, {"²", "2"}, {"°", "deg"}, {"℃", "degc"}, {"℉", "degf"},
                     {"^", ""},  {" ", ""},  {"%RH", "%rh"}, {"·", "*"}};
    size_t used = 0;
    while (*unit) {
        const char *to = NULL;
        for (size_t i = 0; i < sizeof spellings / sizeof *spellings && !to; i++)
            if (!strncmp(unit, spellings[i].from, strlen(spellings[i].from))) {
                to = spellings[i].to;
                unit += strlen(spellings[i].from);
            }
        char one[2] = {*unit >= 'A' && *unit <= 'Z' ? (char)(*unit - 'A' + 'a') : *unit, '\0'};
        if (!to) {
            to = one;
            unit++;
        }
        if (used + strlen(to) >= size)
            return false;
        memcpy(out + used, to, strlen(to));
        used += strlen(to);
    }
    out[used] = '\0';
    return true;
}

static bool gas_unit(int quantity, const char *unit, const char *canonical, struct eg_unit_map *map)
{
    bool ppm = !strcmp(unit, "ppm") || !strcmp(unit, "umol/mol"), ppb = !strcmp(unit, "ppb") || !strcmp(unit, "nmol/mol");
    for (size_t i = 0; (ppm || ppb) && i < sizeof gases / sizeof *gases; i++) {
        if (gases[i].quantity != quantity)
            continue;
        map->scale = gases[i].molar_mass / MOLAR_VOLUME * (ppm ? 1000 : 1) * (strcmp(canonical, "mg/m3") ? 1 : 0.001);
        map->offset = 0;
        return true;
    }
    return false;
}

bool eg_unit_find(int quantity, const char *unit, struct eg_unit_map *ret_map)
{
    const char *canonical = eg_quantity_info(quantity)->unit;
    char text[32], own[32];
    *ret_map = (struct eg_unit_map){1, 0};
    if (!unit || !*unit)
        return true;
    if (!plain(unit, text, sizeof text) || !plain(canonical, own, sizeof own))
        return false;
    if (!strcmp(text, own))
        return true;
    struct eg_unit_map map;
    if (gas_unit(quantity, text, canonical, &map)) {
        *ret_map = map;
        return true;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].unit, text) && !strcmp(rows[i].canonical, canonical)) {
            *ret_map = (struct eg_unit_map){rows[i].scale, rows[i].offset};
            return true;
        }
    return false;
}
