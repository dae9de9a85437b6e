/* Hashes are stored: what they come to must never change. And the table of names over them; faults, errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/err.h>
#include <base/fault.h>
#include <base/hash.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_vectors(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t length;
        uint64_t seed, hash;
    } table[] = {
        {"", 0, 0, UINT64_C(0x1D96E6C77D744C17)},
        {"", 0, 1, UINT64_C(0xDED40A13B7B10835)},
        {"a", 1, 0, UINT64_C(0x3436AEFBEA23500A)},
        {"a", 1, 1, UINT64_C(0xAA70F3E2D0C97CE0)},
        {"abcdefg", 7, 0, UINT64_C(0xBBBA57C4A38F5FD0)},
        {"abcdefg", 7, 1, UINT64_C(0xA8BEABA98AD37A18)},
        {"abcdefgh", 8, 0, UINT64_C(0xDE9116B639435801)},
        {"abcdefgh", 8, 1, UINT64_C(0xEE0882745D94EDD3)},
        {"abcdefghi", 9, 0, UINT64_C(0x740AC03B408FE296)},
        {"abcdefghi", 9, 1, UINT64_C(0xB93188D987BCBBFC)},
        {"ecogov/shangtian/air/a1{\"pm25\":35.2}", 36, 0, UINT64_C(0x8F5434164B5A222F)},
        {"ecogov/shangtian/air/a1{\"pm25\":35.2}", 36, 1, UINT64_C(0xD4DA79EF56E731F6)},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t hash = eg_hash(table[i].text, table[i].length, table[i].seed);
        if (hash != table[i].hash)
            fail_msg("'%s' with seed %llu now comes to 0x%016llX", table[i].text,
                     (unsigned long long)table[i].seed, (unsigned long long)hash);
    }
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Names as gateways have them differ in a digit: neither all of the bits nor the low ones may show it. */
static void test_spread(void **unused)
{
    (void)unused;
    enum { KEYS = 100000, BINS = 1024 };
    static uint64_t hashes[KEYS];
    static unsigned bins[BINS];
    char key[64];
    for (int i = 0; i < KEYS; i++) {
        int length = snprintf(key, sizeof key, "ecogov/site-%d/air/a%d", i % 100, i / 100);
        hashes[i] = eg_hash(key, (size_t)length, 1);
        bins[hashes[i] % BINS]++;
    }
    qsort(hashes, KEYS, sizeof *hashes, ascending);
    for (int i = 1; i < KEYS; i++)
        assert_true(hashes[i] != hashes[i - 1]);
    for (int i = 0; i < BINS; i++)
        assert_in_range(bins[i], KEYS / BINS / 2, KEYS / BINS * 2);
    assert_true(eg_hash("a", 1, 0) != eg_hash("a\0", 2, 0));
    assert_true(eg_hash("a", 1, 0) != eg_hash("a", 1, 1));
    const char bytes[] = "xabcdefghij"; /* an odd address is read all the same */
    assert_true(eg_hash(bytes + 1, 10, 3) == eg_hash("abcdefghij", 10, 3));
}

static void test_names(void **unused)
{
    (void)unused;
    enum { MOST = 5000 };
    struct eg_names *names = eg_names_create(MOST, 1);
    char name[32];
    assert_non_null(names);
    assert_int_equal(eg_names_find(names, "", 0), EG_ID_NONE);
    for (uint32_t i = 0; i < MOST; i++) {
        int length = snprintf(name, sizeof name, "name-%u", i);
        assert_true(eg_names_set(names, name, (size_t)length, i));
        memset(name, 'x', sizeof name); /* it was copied */
    }
    assert_int_equal(eg_names_count(names), MOST);
    assert_false(eg_names_set(names, "one more", 8, 1));
    assert_true(eg_names_set(names, "name-7", 6, 77)); /* replacing needs no room */
    for (uint32_t i = 0; i < MOST; i++) {
        int length = snprintf(name, sizeof name, "name-%u", i);
        assert_int_equal(eg_names_find(names, name, (size_t)length), i == 7 ? 77 : i);
    }
    assert_int_equal(eg_names_find(names, "name-7x", 6), 77); /* not a byte beyond the length */
    assert_int_equal(eg_names_find(names, "one more", 8), EG_ID_NONE);
    eg_names_clear(names);
    assert_int_equal(eg_names_count(names), 0);
    assert_int_equal(eg_names_find(names, "name-7", 6), EG_ID_NONE);
    assert_true(eg_names_set(names, "a\0b", 3, 1) && eg_names_set(names, "a", 1, 2) &&
                eg_names_set(names, "", 0, 3));
    assert_int_equal(eg_names_find(names, "a\0b", 3), 1);
    assert_int_equal(eg_names_find(names, "a", 1), 2);
    assert_int_equal(eg_names_find(names, "", 0), 3);
    eg_names_destroy(names);
    eg_names_destroy(NULL);
}

static void test_faults(void **unused)
{
    (void)unused;
    static struct eg_faults faults;
    char key[32];
    assert_false(eg_fault_clear(&faults, "mqtt"));
    assert_true(eg_fault_raise(&faults, "mqtt", 10, "broker %s", "a"));
    assert_false(eg_fault_raise(&faults, "mqtt", 20, "broker a")); /* nothing new */
    assert_true(eg_fault_raise(&faults, "mqtt", 30, "broker b"));
    assert_int_equal(faults.count, 1);
    assert_string_equal(faults.rows[0].text, "broker b");
    assert_int_equal(faults.rows[0].since_ms, 10); /* the key stayed */
    assert_true(eg_fault_raise(&faults, "store", 40, "full"));
    assert_true(eg_fault_raise(&faults, "conf", 50, "%600d", 1)); /* a long one is cut */
    assert_int_equal(strlen(faults.rows[2].text), sizeof faults.rows[2].text - 1);
    assert_true(eg_fault_clear(&faults, "store"));
    assert_false(eg_fault_clear(&faults, "store"));
    assert_int_equal(faults.count, 2);
    assert_string_equal(faults.rows[1].key, "conf");
    for (int i = 0; i < 2 * EG_FAULT_MAX; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        assert_true(eg_fault_raise(&faults, key, 60, "x"));
    }
    assert_int_equal(faults.count, EG_FAULT_MAX);
}

static void test_errors(void **unused)
{
    (void)unused;
    struct eg_err err;
    assert_int_equal(eg_err_set(&err, EG_EFULL, "%s %d", "room for", 7), EG_EFULL);
    assert_int_equal(err.code, EG_EFULL);
    assert_string_equal(err.text, "room for 7");
    assert_int_equal(eg_err_set(NULL, EG_EIO, "nobody asks"), EG_EIO);
    eg_err_set(&err, EG_EIO, "%600d", 1);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_spread),
                                       cmocka_unit_test(test_names), cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
