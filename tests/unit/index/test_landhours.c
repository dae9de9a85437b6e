/* Soil and waste hour by hour: who speaks for how long, which bin and plot is told, the same in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <index/land.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOURS 60

static void test_names(void **unused)
{
    (void)unused;
    assert_int_equal(eg_part_find("waste", "fill_level"), EG_WASTE_FILL);
    assert_int_equal(eg_part_find("waste", "h2s"), EG_WASTE_H2S);
    assert_int_equal(eg_part_find("air", "h2s"), EG_PARTS); /* of a farm's air, say */
    assert_int_equal(eg_part_find("soil", "cd"), EG_PART_ELEMENT + EG_CD);
    assert_int_equal(eg_part_find("water", "cd"), EG_PARTS);
    assert_int_equal(eg_part_find("soil", "soil_ec"), EG_PART_EC);
    assert_int_equal(eg_land_index_find("soil_nemerow"), EG_LAND_SOIL_NEMEROW);
    assert_int_equal(eg_land_index_find("aqi_cn"), EG_LAND_INDICES);
    assert_int_equal(eg_land_of("paddy"), EG_PADDY);
    assert_int_equal(eg_land_of(""), EG_OTHER);
    for (int part = 0; part < EG_PARTS; part++) {
        int of = 0;
        for (int index = 0; index < EG_LAND_INDICES; index++)
            of += eg_part_is_of(part, (enum eg_land_index)index);
        assert_int_equal(of, part >= EG_PART_ELEMENT && part <= EG_PART_PH ? 3 : 1);
    }
}

/* Hour 100 is the first that is told. */
static void test_how_long_it_speaks(void **unused)
{
    (void)unused;
    double values[HOURS];
    struct eg_part_fill fill;
    eg_part_fill_begin(&fill, EG_WASTE_H2S, 100, 100 + HOURS, values);
    eg_part_fill_hour(&fill, 70, 0.9, 0.8); /* too old when it begins */
    eg_part_fill_hour(&fill, 90, 0.5, 0.2);
    eg_part_fill_hour(&fill, 105, 0.7, 0.1);
    eg_part_fill_hour(&fill, 150, 0.6, 0.3);
    eg_part_fill_hour(&fill, 170, 0.6, 0.4); /* behind the end */
    eg_part_fill_end(&fill);
    for (int hour = 100; hour < 100 + HOURS; hour++) {
        double wants = hour < 105    ? 0.2
                       : hour == 105 ? 0.7
                       : hour <= 129 ? 0.1
                       : hour < 150  ? (double)NAN
                       : hour == 150 ? 0.6
                                     : 0.3;
        double got = values[hour - 100];
        if (isnan(wants) ? !isnan(got) : got < wants || got > wants)
            fail_msg("hour %d: %g, not %g", hour, got, wants);
    }
    eg_part_fill_begin(&fill, EG_PART_PH, 100, 100 + HOURS, values);
    eg_part_fill_hour(&fill, 100 - 366 * 24 + 3, 9, 6.5);
    fill.until = 140; /* out of service then */
    eg_part_fill_end(&fill);
    assert_true(values[0] == 6.5 && values[3] == 6.5 && isnan(values[4]) && isnan(values[HOURS - 1]));
    eg_part_fill_begin(&fill, EG_PART_PH, 100, 100 + HOURS, values);
    fill.until = 140;
    eg_part_fill_hour(&fill, 120, 9, 6.5);
    eg_part_fill_hour(&fill, 145, 9, 7.5);
    eg_part_fill_end(&fill);
    assert_true(isnan(values[19]) && values[20] == 6.5 && values[39] == 6.5 && isnan(values[40]) &&
                isnan(values[45]));
}

/* Two bins, two plots, two probes; each column has one hour. */
static const double fill1 = 92, fill2 = 40, h2s2 = 0.4, ph1 = 5.4, cd1 = 0.45, ph2 = 7, hg2 = 2.6, zn2 = 500,
                    ec1 = 3, ec2 = 3;
static const struct eg_column bins[] = {{1, EG_WASTE_FILL, EG_OTHER, "b1", &fill1},
                                        {2, EG_WASTE_FILL, EG_OTHER, "b2", &fill2},
                                        {2, EG_WASTE_H2S, EG_OTHER, "b2", &h2s2}};
static const struct eg_column plots[] = {{3, EG_PART_PH, EG_PADDY, "p1", &ph1},
                                         {3, EG_PART_ELEMENT + EG_CD, EG_PADDY, "p1", &cd1},
                                         {4, EG_PART_PH, EG_OTHER, "p2", &ph2},
                                         {4, EG_PART_ELEMENT + EG_HG, EG_OTHER, "p2", &hg2},
                                         {4, EG_PART_ELEMENT + EG_ZN, EG_OTHER, "p2", &zn2}};
static const struct eg_column probes[] = {{6, EG_PART_EC, EG_OTHER, "s2", &ec2},
                                          {5, EG_PART_EC, EG_OTHER, "s1", &ec1}};

static void test_the_worst_is_told(void **unused)
{
    (void)unused;
    struct eg_land_state state;
    char note[160];
    assert_true(eg_land_tell_hour(EG_LAND_WASTE_PRESSURE, bins, 3, 0, &state));
    assert_true(state.value == 229 && state.device == 2 && state.worst[EG_WASTE_FILL] == 92 &&
                state.of[EG_WASTE_FILL].device == 1);
    assert_string_equal(eg_land_note(&state, note, sizeof note), "h2s 0.4 of b2");
    assert_true(eg_land_tell_hour(EG_LAND_SOIL_CLASS, plots, 5, 0, &state));
    assert_true(state.value == 2 && state.level == 2 &&
                state.device == 4); /* both are: the greater Nemerow index */
    assert_string_equal(eg_land_note(&state, note, sizeof note),
                        "p2: hg 2.6 mg/kg (1.08 × screening), zn 500 mg/kg (2.00 × screening), pH 7, other");
    assert_true(eg_land_tell_hour(EG_LAND_SOIL_FACTOR, plots, 5, 0, &state) && state.value == 2 &&
                state.device == 4);
    assert_true(eg_land_tell_hour(EG_LAND_SOIL_NEMEROW, plots, 2, 0, &state));
    assert_true(state.value > 1.499 && state.value < 1.501 && state.level == 3 && state.device == 3);
    assert_string_equal(eg_land_category(&state, false), "light pollution");
    assert_false(eg_land_tell_hour(EG_LAND_SOIL_CLASS, plots + 1, 1, 0, &state)); /* without its pH */
    assert_true(eg_land_tell_hour(EG_LAND_SALINITY_CLASS, probes, 2, 0, &state));
    assert_true(state.value == 2);
    assert_string_equal(state.name, "s1"); /* of two that are equal the first by name */
    assert_string_equal(eg_land_note(&state, note, sizeof note), "s1: ec 3 dS/m");
    char little[12];
    assert_string_equal(eg_land_note(&state, little, sizeof little), "s1: ec 3 dS");
}

static void test_of_a_day(void **unused)
{
    (void)unused;
    const double fill[] = {40, 96, 5, 5}, ph[] = {6, 6, 6, 6}, cd[] = {0.2, 2.5, NAN, 0.31};
    const struct eg_column columns[] = {{1, EG_WASTE_FILL, EG_OTHER, "b", fill}},
                           soil[] = {{1, EG_PART_PH, EG_OTHER, "p", ph},
                                     {1, EG_PART_ELEMENT + EG_CD, EG_OTHER, "p", cd}};
    struct eg_land_state state;
    assert_true(eg_land_tell_day(EG_LAND_WASTE_PRESSURE, columns, 1, 0, 4, &state) &&
                state.worst[EG_WASTE_FILL] == 96);
    assert_true(eg_land_tell_day(EG_LAND_SOIL_CLASS, soil, 2, 0, 4, &state) && state.value == 2);
    assert_false(eg_land_tell_day(EG_LAND_SOIL_CLASS, soil, 2, 0, 3, &state));
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Devices in any order, or joined from places: the same to the last bit. */
static void test_any_order(void **unused)
{
    (void)unused;
    enum { DEVICES = 7 };
    static const char *const names[DEVICES] = {"a", "b", "c", "d", "e", "f", "g"};
    for (uint64_t first = 1; first <= 300; first++) {
        uint64_t seed = first * 7919;
        double values[DEVICES][EG_PARTS];
        int order[DEVICES];
        for (int i = 0; i < DEVICES; i++) {
            order[i] = i;
            for (int part = 0; part < EG_PARTS; part++)
                values[i][part] = random_next(&seed) % 3 ? (double)(random_next(&seed) % 8) / 2 : (double)NAN;
        }
        for (int index = 0; index < EG_LAND_INDICES; index++) {
            struct eg_land_state straight, shuffled, above, below;
            eg_land_state_init(&straight, (enum eg_land_index)index);
            eg_land_state_init(&shuffled, (enum eg_land_index)index);
            eg_land_state_init(&above, (enum eg_land_index)index);
            for (int i = DEVICES - 1; i > 0; i--) {
                int other = (int)(random_next(&seed) % (uint64_t)(i + 1)), kept = order[i];
                order[i] = order[other];
                order[other] = kept;
            }
            for (int i = 0; i < DEVICES; i++) {
                struct eg_column of = {.device = (uint32_t)i,
                                       .name = names[i],
                                       .land = (enum eg_land)(i % EG_LANDS)},
                                 at = {.device = (uint32_t)order[i],
                                       .name = names[order[i]],
                                       .land = (enum eg_land)(order[i] % EG_LANDS)};
                eg_land_state_add(&straight, &of, values[i]);
                eg_land_state_add(&shuffled, &at, values[order[i]]);
                eg_land_state_init(&below, (enum eg_land_index)index);
                eg_land_state_add(&below, &at, values[order[i]]);
                eg_land_state_join(&above, &below);
            }
            eg_land_state_tell(&straight);
            eg_land_state_tell(&shuffled);
            eg_land_state_tell(&above);
            char one[200], two[200], three[200];
            if (straight.known != shuffled.known || straight.known != above.known ||
                (straight.known &&
                 (memcmp(&straight.value, &shuffled.value, sizeof(double)) != 0 ||
                  memcmp(&straight.value, &above.value, sizeof(double)) != 0 ||
                  strcmp(straight.name, shuffled.name) != 0 || strcmp(straight.name, above.name) != 0 ||
                  strcmp(eg_land_note(&straight, one, sizeof one),
                         eg_land_note(&shuffled, two, sizeof two)) != 0 ||
                  strcmp(one, eg_land_note(&above, three, sizeof three)) != 0)))
                fail_msg("seed %llu: %s is %g of %s in order, %g of %s shuffled, %g of %s from below",
                         (unsigned long long)first, eg_land_index_names[index], straight.value, straight.name,
                         shuffled.value, shuffled.name, above.value, above.name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_how_long_it_speaks),
                                       cmocka_unit_test(test_the_worst_is_told),
                                       cmocka_unit_test(test_of_a_day), cmocka_unit_test(test_any_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
