/* Units: every line of unit.def, and conversions whose results can be looked up elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ecogov/quantity.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct line {
    const char *spelling, *kind;
    double scale, offset;
} lines[] = {
#define EG_UNIT(spelling, kind, scale, offset) {spelling, #kind, scale, offset},
#include "../../../drivers/kit/unit.def"
#undef EG_UNIT
};
#define LINES (sizeof lines / sizeof *lines)

static int named(const char *name)
{
    int quantity = eg_quantity_find(name, strlen(name));
    if (quantity == EG_QUANTITY_NONE)
        fail_msg("there is no quantity %s", name);
    return quantity;
}

static double convert(const char *quantity, const char *unit, double value)
{
    struct eg_unit_map map;
    if (!eg_unit_find(named(quantity), unit, &map))
        fail_msg("%s does not come in %s", quantity, unit);
    return value * map.scale + map.offset;
}

/* A line is folded already, converts one to one upwards, and stands in its kind once. */
static void test_each_line_is_sane(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < LINES; i++) {
        const struct line *line = &lines[i];
        if (!(line->scale > 0) || !isfinite(line->scale) || !isfinite(line->offset))
            fail_msg("%s: scale %g, offset %g", line->spelling, line->scale, line->offset);
        if (line->offset != 0 && strcmp(line->kind, "TEMPERATURE") && strcmp(line->kind, "RADIO_LEVEL"))
            fail_msg("%s: only temperatures and levels against a reference have an offset", line->spelling);
        if (!line->spelling[0] || strlen(line->spelling) > 23)
            fail_msg("'%s' is empty or longer than a folded unit may be", line->spelling);
        for (const char *c = line->spelling; *c; c++)
            if (strchr(" \t.*^", *c) || (*c >= 'A' && *c <= 'Z') || (unsigned char)*c >= 0x80)
                fail_msg("'%s' is not folded: nobody can find it", line->spelling);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(lines[k].spelling, line->spelling) && !strcmp(lines[k].kind, line->kind))
                fail_msg("'%s' stands twice under %s", line->spelling, line->kind);
    }
}

/* A line for a kind that a quantity comes in can be used; kinds without a quantity (yet) are known here. */
static void test_each_line_is_of_use(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < LINES; i++) {
        struct eg_unit_map map;
        int users = 0;
        for (int q = 0; q < EG_QUANTITY_COUNT; q++)
            users += eg_unit_find(q, lines[i].spelling, &map);
        bool expected = strcmp(lines[i].kind, "CURRENT") && strcmp(lines[i].kind, "POWER");
        if ((users > 0) != expected)
            fail_msg("'%s' (%s) is used by %d quantities", lines[i].spelling, lines[i].kind, users);
    }
}

static void test_each_quantity_comes_in_its_own_unit(void **unused)
{
    (void)unused;
    for (int q = 0; q < EG_QUANTITY_COUNT; q++) {
        const char *const same[] = {eg_quantity_info(q)->unit, "", NULL};
        for (size_t i = 0; i < 3; i++) {
            struct eg_unit_map map = {7, 7};
            assert_true(eg_unit_find(q, same[i], &map));
            if (map.scale != 1 || map.offset != 0)
                fail_msg("%s in %s: %g, %g", eg_quantity_info(q)->name, same[i] ? same[i] : "NULL", map.scale,
                         map.offset);
        }
    }
}

static void test_conversions(void **unused)
{
    (void)unused;
    static const struct {
        const char *quantity, *unit;
        double value, wanted;
    } table[] = {
        {"temperature", "degF", 32, 0},
        {"temperature", "°F", 212, 100},
        {"temperature", "F", -40, -40},
        {"temperature", "K", 0, -273.15},
        {"temperature", "℃", 21.5, 21.5},
        {"temperature", "° C", 21.5, 21.5},
        {"soil_temp", "kelvin", 300, 26.85},
        {"bin_temp", "[degF]", 451, 232.7778},
        /* 25 degC, 1013.25 hPa: 24.4654 L/mol */
        {"o3", "ppb", 50, 98.0936},
        {"so2", "mg/Nm3", 0.1, 91.6150}, /* 273.15 / 298.15 */
        {"co", "mg/Nm3", 10, 9.16150},
        {"no2", "ppb", 21, 39.4893},
        {"so2", "ppm", 0.1, 261.8637},
        {"co", "ppm", 9, 10.3040},
        {"co", "ppb", 9000, 10.3040},
        {"co2", "mg/m3", 1000, 555.90},
        {"nh3", "ppm", 1, 0.69613},
        {"h2s", "ppb", 1000, 1.39303},
        {"ch4", "ppm", 1e4, 1},
        {"ch4", "%LEL", 20, 1},
        {"ch4", "%", 3, 3},
        {"ch4", "%vol", 3, 3},
        {"co2", "%", 0.04, 400},
        {"pm25", "mg/m3", 0.035, 35},
        {"pm25", "µg/m³", 35, 35},
        {"pm25", "μg·m⁻³", 35, 35},
        {"pm25", "ug/m^3", 35, 35},
        {"tvoc", "ug/m3", 250, .25},
        {"cd", "ppm", .3, .3},
        {"cd", "ug/kg", 300, .3},
        {"cd", "g/kg", .001, 1},
        {"cod", "ppm", 40, 40},
        {"nh3n", "ppb", 500, .5},
        {"tp", "ug/L", 50, .05},
        {"humidity", "1", .55, 55},
        {"soil_moisture", "m3/m3", .3, 30},
        {"soil_moisture", "m³·m⁻³", .3, 30},
        {"soil_moisture", "‰", 300, 30},
        {"soil_ec", "µS/cm", 1200, 1.2},
        {"soil_ec", "mS/cm", 1.2, 1.2},
        {"soil_ec", "S/m", .12, 1.2},
        {"ec", "mS/m", 120, 1.2},
        {"pressure", "Pa", 101325, 1013.25},
        {"pressure", "kPa", 101.325, 1013.25},
        {"pressure", "atm", 1, 1013.25},
        {"pressure", "mmHg", 760, 1013.25},
        {"pressure", "inHg", 29.9213, 1013.25},
        {"pressure", "psi", 14.6959, 1013.25},
        {"pressure", "bar", 1, 1000},
        {"wind_speed", "km/h", 36, 10},
        {"wind_speed", "kn", 10, 5.14444},
        {"wind_speed", "mph", 10, 4.4704},
        {"wind_dir", "rad", 3.14159265358979, 180},
        {"rain", "in", 1, 25.4},
        {"rain", "L/m2", 3, 3},
        {"distance", "cm", 120, 1200},
        {"level", "mm", 1500, 1.5},
        {"light", "klx", 20, 20000},
        {"solar", "kW/m2", 1, 1000},
        {"weight", "g", 1500, 1.5},
        {"weight", "lb", 10, 4.5359237},
        {"flow", "m3/h", 3.6, 1},
        {"flow", "L/min", 60, 1},
        {"flow", "m3/d", 86.4, 1},
        {"voltage", "mV", 3300, 3.3},
        {"tvoc_ppb", "ppm", .125, 125},
        {"hcho", "ppb", 100, .122728},
        {"rain_rate", "mm/min", .5, 30},
        {"soil_water_potential", "hPa", -330, -33},
        {"orp", "V", -.2, -200},
        {"uptime", "d", 2, 172800},
        {"rssi", "dBW", -100, -70},
        {"odour", "OU/m3", 12, 12},
        {"turbidity", "FNU", 4, 4},
        {"noise", "dB(A)", 55, 55},
        {"soil_ph", "pH", 6.2, 6.2},
        {"tilt", "rad", 1.5707963267948966, 90},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double value = convert(table[i].quantity, table[i].unit, table[i].value);
        if (fabs(value - table[i].wanted) > 1e-5 * (1 + fabs(table[i].wanted)))
            fail_msg("%g %s of %s became %.9g instead of %.9g", table[i].value, table[i].unit,
                     table[i].quantity, value, table[i].wanted);
    }
}

static void test_what_cannot_be(void **unused)
{
    (void)unused;
    static const struct {
        const char *quantity, *unit;
    } table[] = {{"pm25", "ppb"},
                 {"pm25", "m"},
                 {"temperature", "%"},
                 {"humidity", "degC"},
                 {"tvoc", "ppb"},
                 {"rain", "mm/h"},
                 {"rssi", "dB"},
                 {"weight", "N"},
                 {"pm25", "ug/m3 "
                          "x"},
                 {"pm25", "\xff"},
                 {"pm25", "微克"},
                 {"pm25", "                              ug/m3 ug/m3 ug/m3 ug/m3 ug/m3"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_unit_map map;
        if (eg_unit_find(named(table[i].quantity), table[i].unit, &map))
            fail_msg("%s was taken in %s", table[i].quantity, table[i].unit);
    }
}

/* From ppb to ug/m3 and from ug/m3 to ppb are inverse, for every gas. */
static void test_gases_by_mass_and_by_volume(void **unused)
{
    (void)unused;
    static const char *const gases[] = {"so2", "no2", "no", "nox", "o3", "co", "nh3", "h2s", "ch3sh"};
    for (size_t i = 0; i < sizeof gases / sizeof *gases; i++) {
        double ppm = convert(gases[i], "ppm", 1), ppb = convert(gases[i], "ppb", 1000),
               mass = convert(gases[i], "mg/m3", 1);
        assert_true(fabs(ppm / ppb - 1) < 1e-12);
        double grams_per_mole = ppm / mass * 24.4654;
        if (grams_per_mole < 17 || grams_per_mole > 65)
            fail_msg("%s weighs %g g/mol", gases[i], grams_per_mole);
    }
    assert_true(fabs(convert("co2", "mg/m3", convert("co", "ppm", 1) * 44.010 / 28.010) - 1) < 1e-9);
    assert_true(fabs(convert("ch4", "mg/m3", convert("co", "ppm", 1e4) * 16.043 / 28.010) - 1) < 1e-9);
}

/* What another temperature and pressure would make another number of. */
static void test_gases_in_the_airs_own_state(void **unused)
{
    (void)unused;
    static const int gases[] = {EG_Q_so2, EG_Q_no2, EG_Q_no,    EG_Q_nox,       EG_Q_o3,   EG_Q_co,
                                EG_Q_nh3, EG_Q_h2s, EG_Q_ch3sh, EG_Q_mercaptan, EG_Q_tvoc, EG_Q_hcho},
                     others[] = {EG_Q_pm1, EG_Q_pm25, EG_Q_pm4,   EG_Q_pm10,        EG_Q_tsp,
                                 EG_Q_co2, EG_Q_ch4,  EG_Q_odour, EG_Q_temperature, EG_Q_soil_moisture};
    for (size_t i = 0; i < sizeof gases / sizeof *gases; i++)
        assert_true(eg_unit_gas(gases[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(eg_unit_gas(others[i]));
    static const char *const in_air[] = {NULL, "", "ug/m3", "\xc2\xb5g/m\xc2\xb3", "mg/m3", "mg m-3"},
                             *const not_in_air[] = {"ppb", "ppm", "mg/Nm3", "%", "furlong"};
    for (size_t i = 0; i < sizeof in_air / sizeof *in_air; i++)
        assert_true(eg_unit_in_air(in_air[i]));
    for (size_t i = 0; i < sizeof not_in_air / sizeof *not_in_air; i++)
        assert_false(eg_unit_in_air(not_in_air[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_line_is_sane),
        cmocka_unit_test(test_each_line_is_of_use),
        cmocka_unit_test(test_each_quantity_comes_in_its_own_unit),
        cmocka_unit_test(test_conversions),
        cmocka_unit_test(test_what_cannot_be),
        cmocka_unit_test(test_gases_by_mass_and_by_volume),
        cmocka_unit_test(test_gases_in_the_airs_own_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
