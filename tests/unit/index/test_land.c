/* Soil and waste: GB 15618's tables and classes, salinity, and the ladders of the waste pressure index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <index/nano.h>
#include <index/soil.h>
#include <index/waste.h>

#include <math.h>
#include <stdio.h>

#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

static struct eg_soil judge(enum eg_land land, double ph, enum eg_element element, double mg_kg)
{
    double values[EG_ELEMENTS];
    struct eg_soil soil;
    for (int i = 0; i < EG_ELEMENTS; i++)
        values[i] = i == (int)element ? mg_kg : (double)NAN;
    eg_soil_judge(land, ph, values, &soil);
    return soil;
}

static void limits_follow_ph_and_land(void **state)
{
    (void)state;
    assert_true(judge(EG_PADDY, 5.5, EG_CD, 0.3).class_ == 1);
    assert_true(judge(EG_PADDY, 5.5, EG_CD, 0.31).class_ == 2);
    assert_true(judge(EG_PADDY, 5.51, EG_CD, 0.31).class_ == 1);
    assert_true(judge(EG_OTHER, 6.5, EG_CD, 0.31).class_ == 2);
    assert_true(judge(EG_OTHER, 7.51, EG_CD, 0.6).class_ == 1);
    assert_true(judge(EG_OTHER, 7, EG_CD, 3.0).class_ == 2);
    assert_true(judge(EG_OTHER, 7, EG_CD, 3.01).class_ == 3);
    assert_true(judge(EG_OTHER, 7, EG_ZN, 9000).class_ == 2); /* no intervention value */
    assert_true(judge(EG_ORCHARD, 5, EG_CU, 150).class_ == 1);
    assert_true(judge(EG_OTHER, 5, EG_CU, 150).class_ == 2);
    /* rotation: the stricter column, which for lead is the other land's, for arsenic the paddy's */
    assert_near(judge(EG_ROTATION, 6, EG_PB, 1).screening[EG_PB], 90, 0);
    assert_near(judge(EG_ROTATION, 6, EG_AS, 1).screening[EG_AS], 30, 0);
    assert_true(judge(EG_PADDY, 5, EG_CD, 0.1 + 0.2).class_ == 1); /* 0.30000000000000004 */
}

static void nemerow(void **state)
{
    double values[EG_ELEMENTS];
    struct eg_soil soil;
    (void)state;
    for (int i = 0; i < EG_ELEMENTS; i++)
        values[i] = NAN;
    eg_soil_judge(EG_PADDY, 6.2, values, &soil);
    assert_true(soil.class_ == 0 && soil.grade == 0 && isnan(soil.nemerow) && soil.primary == 0);
    values[EG_CD] = 0.35;
    values[EG_PB] = 60;
    eg_soil_judge(EG_PADDY, 6.2, values, &soil);
    /* P = 0.875 and 0.6: sqrt((0.7375² + 0.875²) / 2) */
    assert_near(soil.nemerow, 0.809175892498, 1e-10);
    char told[32]; /* a decimal, to the last digit that is told */
    snprintf(told, sizeof told, "%.17g", soil.factor[EG_CD]);
    assert_string_equal(told, "0.875");
    assert_int_equal(soil.grade, 2);
    assert_int_equal(soil.primary, 1u << EG_CD);
    assert_int_equal(eg_salinity_class(1.99), 1);
    assert_int_equal(eg_salinity_class(2), 2);
    assert_int_equal(eg_salinity_class(16), 5);
}

static int waste(enum eg_waste measure, double value)
{
    int64_t nano[EG_WASTES];
    struct eg_waste_pressure pressure;
    for (int i = 0; i < EG_WASTES; i++)
        nano[i] = i == (int)measure ? eg_nano_of(value) : EG_NANO_NONE;
    eg_waste_pressure(nano, &pressure);
    assert_int_equal(pressure.value, pressure.sub[measure]);
    assert_int_equal(pressure.primary, pressure.value > 50 ? 1u << measure : 0);
    return pressure.value;
}

static void waste_ladders(void **state)
{
    (void)state;
    assert_int_equal(waste(EG_WASTE_FILL, 0), 0);
    assert_int_equal(waste(EG_WASTE_FILL, 80), 100);
    assert_int_equal(waste(EG_WASTE_FILL, 80.1), 101); /* up */
    assert_int_equal(waste(EG_WASTE_FILL, 250), 300);
    assert_int_equal(waste(EG_WASTE_H2S, 0.06), 100);
    assert_int_equal(waste(EG_WASTE_NH3, 1.75), 125);
    assert_int_equal(waste(EG_WASTE_TEMPERATURE, 60), 200);
    assert_int_equal(waste(EG_WASTE_TEMPERATURE, -20), 0);
    for (int measure = 0; measure < EG_WASTES; measure++) {
        int last = 0;
        for (int i = 0; i < 3000; i++) {
            int now = waste((enum eg_waste)measure, i / 10.0);
            assert_true(now >= last && now <= 500);
            last = now;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_follow_ph_and_land),
        cmocka_unit_test(nemerow),
        cmocka_unit_test(waste_ladders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
