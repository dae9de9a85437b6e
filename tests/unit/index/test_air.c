/* Air quality indices: what the standards' tables and texts say, and the places where binary fractions go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <index/aqi_cn.h>
#include <index/aqi_us.h>
#include <index/nano.h>
#include <index/nowcast.h>
#include <index/who.h>

#include <math.h>

#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

static int cn(enum eg_aqi_cn_edition edition, enum eg_pollutant pollutant, enum eg_average average,
              double value)
{
    return eg_aqi_cn_sub(edition, pollutant, average, eg_nano_of(value));
}

static int us(enum eg_pollutant pollutant, enum eg_average average, double value)
{
    return eg_aqi_us_sub(pollutant, average, eg_nano_of(value));
}

static void nano_is_decimal(void **state)
{
    (void)state;
    assert_int_equal(eg_nano_of(2.15), INT64_C(2150000000));
    assert_int_equal(eg_nano_of(35.39999999999999), INT64_C(35400000000));
    assert_int_equal(eg_nano_of(8999999999.125), INT64_C(8999999999125000000));
    assert_int_equal(eg_nano_of(-0.5), INT64_C(-500000000));
    assert_true(eg_nano_of(NAN) == EG_NANO_NONE && eg_nano_of(INFINITY) == EG_NANO_NONE &&
                eg_nano_of(1e10) == EG_NANO_NONE);
    /* GB/T 8170: half to even */
    assert_int_equal(eg_nano_half_even(eg_nano_of(120.5), EG_NANO), 120 * EG_NANO);
    assert_int_equal(eg_nano_half_even(eg_nano_of(121.5), EG_NANO), 122 * EG_NANO);
    assert_int_equal(eg_nano_half_even(eg_nano_of(2.15), EG_NANO / 10), eg_nano_of(2.2));
    assert_int_equal(eg_nano_half_even(eg_nano_of(2.05), EG_NANO / 10), 2 * EG_NANO);
    assert_int_equal(eg_nano_half_even(eg_nano_of(60.500001), EG_NANO), 61 * EG_NANO);
}

/* Every breakpoint has its own index, and a sub-index never falls while the concentration rises. */
static void cn_knots(void **state)
{
    static const struct {
        enum eg_pollutant pollutant;
        enum eg_average average;
        double knots[2][8];
    } columns[] = {
        {EG_PM25, EG_24H, {{0, 35, 75, 115, 150, 250, 350, 500}, {0, 35, 60, 115, 150, 250, 350, 500}}},
        {EG_PM10, EG_24H, {{0, 50, 150, 250, 350, 420, 500, 600}, {0, 50, 120, 250, 350, 420, 500, 600}}},
        {EG_SO2,
         EG_24H,
         {{0, 50, 150, 475, 800, 1600, 2100, 2620}, {0, 50, 150, 475, 800, 1600, 2100, 2620}}},
        {EG_NO2,
         EG_1H,
         {{0, 100, 200, 700, 1200, 2340, 3090, 3840}, {0, 100, 200, 700, 1200, 2340, 3090, 3840}}},
        {EG_CO, EG_24H, {{0, 2, 4, 14, 24, 36, 48, 60}, {0, 2, 4, 14, 24, 36, 48, 60}}},
        {EG_O3, EG_1H, {{0, 160, 200, 300, 400, 800, 1000, 1200}, {0, 160, 200, 300, 400, 800, 1000, 1200}}},
    };
    static const int index[8] = {0, 50, 100, 150, 200, 300, 400, 500};
    (void)state;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        for (int edition = 0; edition < 2; edition++) {
            for (int knot = 0; knot < 8; knot++)
                assert_int_equal(cn((enum eg_aqi_cn_edition)edition, columns[i].pollutant, columns[i].average,
                                    columns[i].knots[edition][knot]),
                                 index[knot]);
            int last = 0;
            for (int tenths = 0; tenths < 45000; tenths++) {
                int sub = cn((enum eg_aqi_cn_edition)edition, columns[i].pollutant, columns[i].average,
                             tenths / 10.0);
                assert_true(sub >= last && sub <= 500);
                last = sub;
            }
            assert_int_equal(last, 500);
        }
}

static void cn_edges(void **state)
{
    (void)state;
    /* double and ceil() give 56 and 50 here */
    assert_int_equal(cn(EG_HJ633_2012, EG_CO, EG_24H, 2.2), 55);
    assert_int_equal(cn(EG_HJ633_2012, EG_CO, EG_1H, 4.9), 49);
    /* 4.2.2 of 2026 rounds the concentration, 2012 does not */
    assert_int_equal(cn(EG_HJ633_2026, EG_PM25, EG_24H, 35.4), 50);
    assert_int_equal(cn(EG_HJ633_2012, EG_PM25, EG_24H, 35.4), 51);
    assert_int_equal(cn(EG_HJ633_2026, EG_PM25, EG_1H, 35.99), 52);
    assert_int_equal(cn(EG_HJ633_2012, EG_PM25, EG_1H, 35), EG_AQI_NONE);
    assert_int_equal(cn(EG_HJ633_2012, EG_SO2, EG_1H, 801), EG_AQI_NONE);
    assert_int_equal(cn(EG_HJ633_2026, EG_SO2, EG_1H, 801), 200);
    assert_int_equal(cn(EG_HJ633_2012, EG_O3, EG_8H, 801), EG_AQI_NONE);
    assert_int_equal(cn(EG_HJ633_2026, EG_O3, EG_8H, 801), 300);
    assert_int_equal(cn(EG_HJ633_2026, EG_O3, EG_24H, 10), EG_AQI_NONE);
    assert_int_equal(cn(EG_HJ633_2026, EG_PM25, EG_24H, -1.5), 0);
    assert_int_equal(cn(EG_HJ633_2026, EG_PM25, EG_24H, 9e8), 500);
    assert_int_equal(eg_aqi_cn_sub(EG_HJ633_2026, EG_PM25, EG_24H, EG_NANO_NONE), EG_AQI_NONE);
    /* 2026-02-28 24:00 in Beijing */
    assert_int_equal(eg_aqi_cn_edition_at(INT64_C(1772294399999)), EG_HJ633_2012);
    assert_int_equal(eg_aqi_cn_edition_at(INT64_C(1772294400000)), EG_HJ633_2026);
}

/* 5.3.1 of 2026: with one missing, up to 100 is not published. */
static void cn_not_available(void **state)
{
    struct eg_air air;
    struct eg_aqi aqi;
    (void)state;
    eg_air_init(&air);
    eg_aqi_cn(EG_HJ633_2026, &air, &aqi);
    assert_true(aqi.value == EG_AQI_NONE && aqi.available == EG_AQI_NONE && aqi.level == 0 &&
                aqi.missing == 0x3f);
    air.mean[EG_PM25][EG_24H] = eg_nano_of(60);
    air.mean[EG_PM10][EG_24H] = eg_nano_of(120);
    eg_aqi_cn(EG_HJ633_2026, &air, &aqi);
    assert_int_equal(aqi.value, EG_AQI_NONE);
    assert_int_equal(aqi.available, 100);
    assert_int_equal(aqi.primary, 1u << EG_PM10 | 1u << EG_PM25);
    assert_int_equal(aqi.missing, 1u << EG_CO | 1u << EG_NO2 | 1u << EG_O3 | 1u << EG_SO2);
    air.mean[EG_PM25][EG_24H] = eg_nano_of(80);
    eg_aqi_cn(EG_HJ633_2026, &air, &aqi);
    assert_int_equal(aqi.value, 119);
    assert_int_equal(aqi.primary, 1u << EG_PM25);
    assert_int_equal(aqi.level, 3);
    air.mean[EG_PM25][EG_24H] = air.mean[EG_PM10][EG_24H] = eg_nano_of(20);
    eg_aqi_cn(EG_HJ633_2012, &air, &aqi);
    assert_int_equal(aqi.value, 29);
    assert_int_equal(aqi.primary, 0); /* up to 50 there is no primary pollutant */
}

static void us_bands(void **state)
{
    (void)state;
    /* the ends of bands, and the truncation between them */
    assert_int_equal(us(EG_PM25, EG_24H, 9.0), 50);
    assert_int_equal(us(EG_PM25, EG_24H, 9.09), 50);
    assert_int_equal(us(EG_PM25, EG_24H, 9.1), 51);
    assert_int_equal(us(EG_PM25, EG_24H, 35.9), 102); /* EPA-454/B-24-002, section IV */
    assert_int_equal(us(EG_O3, EG_8H, 0.07853333), 126);
    assert_int_equal(us(EG_CO, EG_8H, 8.4), 90);
    assert_int_equal(us(EG_O3, EG_1H, 0.162),
                     147); /* the document prints 148; its own formula gives 147.487 */
    assert_int_equal(us(EG_O3, EG_1H, 0.124), EG_AQI_NONE);
    assert_int_equal(us(EG_O3, EG_8H, 0.201), EG_AQI_NONE);
    assert_int_equal(us(EG_SO2, EG_1H, 305), EG_AQI_NONE);
    assert_int_equal(us(EG_SO2, EG_24H, 304), EG_AQI_NONE);
    assert_int_equal(us(EG_PM25, EG_24H, 400), 649); /* goes on above 500 */
    /* twelve times 35.4 is 424.79999999999995 */
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += 35.4;
    assert_true(sum / 12 < 35.4);
    assert_int_equal(us(EG_PM25, EG_24H, sum / 12), 100);
}

static void us_sulphur(void **state)
{
    struct eg_air air;
    struct eg_aqi aqi;
    (void)state;
    eg_air_init(&air);
    air.mean[EG_SO2][EG_1H] = eg_nano_of(350);
    eg_aqi_us(&air, &aqi);
    assert_int_equal(aqi.value, EG_AQI_NONE); /* the day's mean is asked for, and is not there */
    air.mean[EG_SO2][EG_24H] = eg_nano_of(200);
    eg_aqi_us(&air, &aqi);
    assert_int_equal(aqi.value, 200);
    air.mean[EG_SO2][EG_24H] = eg_nano_of(400);
    eg_aqi_us(&air, &aqi);
    assert_int_equal(aqi.value, 232);
    assert_int_equal(aqi.primary, 1u << EG_SO2);
}

static void nowcast(void **state)
{
    const double epa[12] = {13, 16, 10, 21, 74, 64, 53, 82, 90, 75, 80, 50};
    const double gap[4] = {NAN, 40, 20, NAN}, few[4] = {10, NAN, NAN, 20}, zero[3] = {0, 0, 0};
    const double ozone[4] = {NAN, 60, 200, 10};
    double value, weight;
    (void)state;
    assert_true(eg_nowcast_pm(epa, 12, &value, &weight));
    assert_near(value, 17.413919413919412, 1e-9);
    assert_true(eg_nowcast_pm(gap, 4, &value, &weight));
    assert_near(value, 100 / 3.0, 1e-9); /* (40w + 20w²) / (w + w²) with w = 0.5 */
    assert_false(eg_nowcast_pm(few, 4, &value, &weight));
    assert_true(eg_nowcast_pm(zero, 3, &value, &weight));
    assert_true(value == 0 && weight == 1);
    assert_true(eg_nowcast_o3(ozone, 4, &value));
    assert_near(value, 55.5, 1e-9);
    assert_true(eg_nowcast_o3(zero, 3, &value) && value == 0);
    assert_false(eg_nowcast_o3(few + 1, 2, &value));
}

static void who(void **state)
{
    struct eg_who who;
    (void)state;
    assert_true(eg_who_compare(EG_PM25, EG_24H, eg_nano_of(15), &who) && who.target == 0);
    assert_true(eg_who_compare(EG_PM25, EG_24H, eg_nano_of(15.1), &who) && who.target == 4);
    assert_true(eg_who_compare(EG_PM25, EG_24H, eg_nano_of(75.1), &who) && who.target == -1);
    assert_true(eg_who_compare(EG_CO, EG_24H, eg_nano_of(5), &who) && who.target == 1);
    assert_near(who.ratio, 1.25, 1e-12);
    assert_false(eg_who_compare(EG_PM25, EG_1H, eg_nano_of(15), &who));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nano_is_decimal),  cmocka_unit_test(cn_knots), cmocka_unit_test(cn_edges),
        cmocka_unit_test(cn_not_available), cmocka_unit_test(us_bands), cmocka_unit_test(us_sulphur),
        cmocka_unit_test(nowcast),          cmocka_unit_test(who),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
