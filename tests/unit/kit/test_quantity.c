/* The dictionary of quantities, as a whole: nothing in it contradicts anything else in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ecogov/quantity.h>

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Calls `each` for every name and alias. */
static void each_name(void (*each)(const char *name, int quantity, void *arg), void *arg)
{
    for (int q = 0; q < EG_QUANTITY_COUNT; q++) {
        each(eg_quantity_info(q)->name, q, arg);
        char *aliases = strdup(eg_quantity_info(q)->aliases), *rest = NULL;
        for (char *word = strtok_r(aliases, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
            each(word, q, arg);
        free(aliases);
    }
}

static void upper(const char *name, char *out)
{
    for (; *name; name++)
        *out++ = (char)toupper((unsigned char)*name);
    *out = '\0';
}

static void find_it(const char *name, int quantity, void *arg)
{
    const struct eg_quantity_index *index = arg;
    char loud[64];
    assert_in_range(strlen(name), 1, 40);
    upper(name, loud);
    if (eg_quantity_find(name, strlen(name)) !=
        quantity) /* unique: the first that has it is the one that said it */
        fail_msg("%s of %s is a name of %s, too", name, eg_quantity_info(quantity)->name,
                 eg_quantity_info(eg_quantity_find(name, strlen(name)))->name);
    assert_int_equal(eg_quantity_find(loud, strlen(loud)), quantity);
    if (eg_quantity_derived(quantity)) { /* no device brings it */
        assert_int_equal(eg_quantity_index_find(index, name, strlen(name)), EG_QUANTITY_NONE);
        return;
    }
    assert_int_equal(eg_quantity_index_find(index, name, strlen(name)), quantity);
    assert_int_equal(eg_quantity_index_find(index, loud, strlen(loud)), quantity);
    for (const char *c = name; *c; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && !strchr("_-.", *c))
            fail_msg("'%s' is not written in lower case", name);
}

static void test_names(void **unused)
{
    (void)unused;
    static struct eg_quantity_index index;
    eg_quantity_index_init(&index);
    each_name(find_it, &index);
    size_t used = 0;
    for (size_t i = 0; i < EG_QUANTITY_SLOTS; i++)
        used += index.slots[i].name != NULL;
    assert_in_range(used, EG_QUANTITY_COUNT, EG_QUANTITY_SLOTS * 3 / 4); /* open addressing needs room */
    static const char *const unknown[] = {"",        " ",     "pm",   "pm25 ",      " pm25",
                                          "pm2.5\t", "pm25x", "温度", "pm2.5 pm2_5"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_int_equal(eg_quantity_find(unknown[i], strlen(unknown[i])), EG_QUANTITY_NONE);
        assert_int_equal(eg_quantity_index_find(&index, unknown[i], strlen(unknown[i])), EG_QUANTITY_NONE);
    }
    assert_int_equal(eg_quantity_find("pm25\0", 5), EG_QUANTITY_NONE);
    assert_int_equal(eg_quantity_find("pm25x", 4), EG_Q_pm25); /* not a byte beyond the length */
}

static void test_rows(void **unused)
{
    (void)unused;
    for (int q = 0; q < EG_QUANTITY_COUNT; q++) {
        const struct eg_quantity_info *info = eg_quantity_info(q);
        if (!isfinite(info->low) || !isfinite(info->high) || !(info->low < info->high))
            fail_msg("%s: %g to %g", info->name, info->low, info->high);
        assert_in_range(info->decimals, 0, 4);
        assert_true(info->unit[0] && info->about_en[0] && info->about_zh[0]);
        for (const char *c = info->unit; *c; c++)
            assert_in_range(*c, 0x21, 0x7e);
        assert_true(info->aliases[0] != ' ' && !strstr(info->aliases, "  "));
        assert_true(!info->aliases[0] || info->aliases[strlen(info->aliases) - 1] != ' ');
    }
}

/* Spot checks against the sources quantity.def names: a typo in a limit refuses real readings. */
static void test_ranges(void **unused)
{
    (void)unused;
    static const struct {
        int quantity;
        double plausible, implausible;
    } table[] = {{EG_Q_pm25, 500, 1001},      {EG_Q_temperature, -50, -81}, {EG_Q_temperature, 55, 61},
                 {EG_Q_humidity, 100, 106},   {EG_Q_pressure, 870, 499},    {EG_Q_soil_ph, 14, 14.01},
                 {EG_Q_fill_level, 100, 101}, {EG_Q_wind_dir, 360, 361},    {EG_Q_bin_temp, 400, 1001},
                 {EG_Q_battery, 0, -1},       {EG_Q_rssi, -120, -201},      {EG_Q_rain, 300, -0.1}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct eg_quantity_info *info = eg_quantity_info(table[i].quantity);
        assert_true(table[i].plausible >= info->low && table[i].plausible <= info->high);
        assert_false(table[i].implausible >= info->low && table[i].implausible <= info->high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_ranges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
