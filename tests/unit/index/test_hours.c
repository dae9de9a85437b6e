/* From hours to means: what counts as valid, which means an index takes, and that decimals stay decimals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <index/aqi_us.h>
#include <index/hours.h>
#include <index/nano.h>

#include <math.h>

static struct eg_air_hours hours_of(enum eg_pollutant pollutant, const double *values, size_t count)
{
    struct eg_air_hours hours;
    eg_air_hours_init(&hours);
    for (size_t i = 0; i < count; i++)
        hours.nano[pollutant][i] = isnan(values[i]) ? EG_NANO_NONE : eg_nano_of(values[i]);
    return hours;
}

static void a_moving_day_needs_twenty_hours(void **state)
{
    (void)state;
    struct eg_air air;
    double values[24];
    for (int i = 0; i < 24; i++)
        values[i] = i < 4 ? NAN : 35.4;
    struct eg_air_hours hours = hours_of(EG_PM25, values, 24);
    eg_air_hours_cn(EG_HJ633_2012, &hours, 0, &air);
    assert_int_equal(air.mean[EG_PM25][EG_24H], eg_nano_of(35.4)); /* not 35.399999 */
    assert_int_equal(air.mean[EG_PM25][EG_1H], EG_NANO_NONE);      /* 2012 asks for no hour of PM */
    hours.nano[EG_PM25][9] = EG_NANO_NONE;
    eg_air_hours_cn(EG_HJ633_2012, &hours, 0, &air);
    assert_int_equal(air.mean[EG_PM25][EG_24H], EG_NANO_NONE);
    eg_air_hours_cn(EG_HJ633_2026, &hours, 4, &air); /* 2026: the hour's own */
    assert_int_equal(air.mean[EG_PM25][EG_1H], eg_nano_of(35.4));
    assert_int_equal(air.mean[EG_PM25][EG_24H], EG_NANO_NONE);
    eg_air_hours_cn(EG_HJ633_2026, &hours, EG_AIR_HOURS, &air);
    assert_int_equal(air.mean[EG_PM25][EG_1H], EG_NANO_NONE);
}

static void sulphur_above_800(void **state)
{
    (void)state;
    struct eg_air air;
    struct eg_aqi aqi;
    double values[24];
    for (int i = 0; i < 24; i++)
        values[i] = i ? 400 : 900;
    struct eg_air_hours hours = hours_of(EG_SO2, values, 24);
    eg_air_hours_cn(EG_HJ633_2012, &hours, 0, &air);
    eg_aqi_cn(EG_HJ633_2012, &air, &aqi);
    assert_int_equal(aqi.available, eg_aqi_cn_sub(EG_HJ633_2012, EG_SO2, EG_24H, eg_nano_of(10100.0 / 24)));
    eg_air_hours_cn(EG_HJ633_2026, &hours, 0, &air);
    eg_aqi_cn(EG_HJ633_2026, &air, &aqi);
    assert_int_equal(aqi.available, 200);
}

static void day(const double *values, size_t count, enum eg_pollutant pollutant, struct eg_air *ret_air)
{
    int64_t nano[EG_DAY_HOURS];
    eg_air_init(ret_air);
    for (size_t i = 0; i < count; i++)
        nano[i] = isnan(values[i]) ? EG_NANO_NONE : eg_nano_of(values[i]);
    eg_air_hours_day(EG_HJ633_2012, pollutant, nano, count, ret_air);
}

static void a_day_of_ozone(void **state)
{
    (void)state;
    struct eg_air air;
    double values[EG_DAY_HOURS];
    for (int i = 0; i < EG_DAY_HOURS; i++)
        values[i] = i >= 10 && i < 18 ? 120 : 40;
    day(values, 24, EG_O3, &air);
    assert_int_equal(air.mean[EG_O3][EG_8H], eg_nano_of(120));
    assert_int_equal(air.mean[EG_O3][EG_1H], eg_nano_of(120));
    assert_int_equal(air.mean[EG_O3][EG_24H], EG_NANO_NONE); /* ozone has no 24 h mean */
    for (int i = 0; i < 12; i++)
        values[i] = NAN; /* windows that end 18:00 to 24:00 remain: 7 of 17 */
    day(values, 24, EG_O3, &air);
    assert_int_equal(air.mean[EG_O3][EG_8H], EG_NANO_NONE);
    for (int i = 12; i < 18; i++)
        values[i] = 200; /* but one above the limit speaks */
    day(values, 24, EG_O3, &air);
    assert_int_equal(air.mean[EG_O3][EG_8H], eg_nano_of(200));
    assert_int_equal(air.mean[EG_O3][EG_1H], EG_NANO_NONE);
    for (int i = 0; i < EG_DAY_HOURS; i++)
        values[i] = 10;
    day(values, 23, EG_O3, &air);
    assert_int_equal(air.mean[EG_O3][EG_8H], eg_nano_of(10));
    day(values, 25, EG_PM10, &air);
    assert_int_equal(air.mean[EG_PM10][EG_24H], eg_nano_of(10));
    assert_int_equal(air.mean[EG_PM10][EG_8H], EG_NANO_NONE);
}

static void in_the_units_of_the_epa(void **state)
{
    (void)state;
    /* STANDARDS: µg/m³ per ppb at 25 °C: O3 1.9619, NO2 1.8804, SO2 2.6186, CO 1.1449 */
    assert_true(fabs(eg_air_us_unit(EG_O3, 1.9619 * 70) - 0.070) < 1e-6);
    assert_true(fabs(eg_air_us_unit(EG_NO2, 1.8804 * 100) - 100) < 1e-2);
    assert_true(fabs(eg_air_us_unit(EG_SO2, 2.6186 * 75) - 75) < 1e-2);
    assert_true(fabs(eg_air_us_unit(EG_CO, 1.1449 * 9) - 9) < 1e-3);
    assert_true(eg_air_us_unit(EG_PM25, 35.9) == 35.9);

    /* EPA-454/B-24-002's example of a NowCast: 17.413919, truncated 17.4 */
    static const double epa[] = {13, 16, 10, 21, 74, 64, 53, 82, 90, 75, 80, 50};
    struct eg_air_hours hours = hours_of(EG_PM25, epa, 12);
    struct eg_air air;
    struct eg_aqi aqi;
    eg_air_hours_us(&hours, 0, &air);
    assert_true(fabs(eg_nano_value(air.mean[EG_PM25][EG_24H]) - 17.413919) < 1e-6);
    eg_aqi_us(&air, &aqi);
    assert_int_equal(aqi.available, eg_aqi_us_sub(EG_PM25, EG_24H, eg_nano_of(17.4)));
    hours.nano[EG_PM25][0] = hours.nano[EG_PM25][2] = EG_NANO_NONE; /* one of the newest three is too few */
    eg_air_hours_us(&hours, 0, &air);
    assert_int_equal(air.mean[EG_PM25][EG_24H], EG_NANO_NONE);

    static const double ozone[] = {140};
    hours = hours_of(EG_O3, ozone, 1);
    eg_air_hours_us(&hours, 0, &air);
    double ppb = 140 / 1.96189;
    assert_true(fabs(eg_nano_value(air.mean[EG_O3][EG_8H]) * 1000 - (0.85 * ppb + 4.5)) < 1e-3);
    assert_true(fabs(eg_nano_value(air.mean[EG_O3][EG_1H]) * 1000 - ppb) < 1e-3);
}

/* PM, ozone and NO2 for a day, then silence: the NowCast of PM would speak an hour longer, that of ozone two, the mean of 24 h four. */
static void nothing_measured_has_no_index(void **state)
{
    (void)state;
    struct eg_air_hours hours;
    struct eg_air air;
    struct eg_aqi aqi;
    eg_air_hours_init(&hours);
    for (int hour = 3; hour < 27; hour++) {
        hours.nano[EG_PM25][hour] = eg_nano_of(40);
        hours.nano[EG_O3][hour] = eg_nano_of(100);
    }
    const int64_t editions[] = {INT64_C(1764547200000), INT64_C(1795708800000)}; /* of 2012, of 2026 */
    for (int edition = 0; edition < 2; edition++) {
        const int64_t end_ms = editions[edition];
        for (size_t ago = 0; ago < 3; ago++) {
            eg_air_index_us(&hours, ago, end_ms, &air, &aqi);
            assert_int_equal(aqi.available, EG_AQI_NONE);
            assert_int_equal(air.mean[EG_O3][EG_8H], EG_NANO_NONE);
            eg_air_index_cn(&hours, ago, end_ms, &air, &aqi);
            assert_int_equal(aqi.available, EG_AQI_NONE);
        }
        eg_air_index_us(&hours, 3, end_ms, &air, &aqi);
        assert_int_equal(aqi.available, 112);
        eg_air_index_cn(&hours, 3, end_ms, &air, &aqi);
        assert_int_equal(aqi.available, edition ? 60 : 57);
    }
    /* one pollutant goes on: what the standards make of the others is told beside it */
    hours.nano[EG_NO2][2] = eg_nano_of(20);
    eg_air_index_us(&hours, 2, editions[1], &air, &aqi);
    assert_int_equal(aqi.available, 112);
    eg_air_index_us(&hours, EG_AIR_HOURS, editions[1], &air, &aqi);
    assert_int_equal(aqi.available, EG_AQI_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moving_day_needs_twenty_hours),
        cmocka_unit_test(sulphur_above_800),
        cmocka_unit_test(a_day_of_ozone),
        cmocka_unit_test(in_the_units_of_the_epa),
        cmocka_unit_test(nothing_measured_has_no_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
