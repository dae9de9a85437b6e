/* What drivers remember: found again, replaced, forgotten, and never more than its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ecogov/memory.h>

#include <stdio.h>
#include <string.h>

static void keep(struct eg_memory *memory, const char *key, const char *text)
{
    char *room = eg_memory_make(memory, key, strlen(text) + 1);
    assert_non_null(room);
    memcpy(room, text, strlen(text) + 1);
}

static const char *kept(struct eg_memory *memory, const char *key)
{
    size_t size;
    return eg_memory_find(memory, key, &size);
}

static void test_kept_replaced_forgotten(void **unused)
{
    (void)unused;
    size_t size = 0;
    struct eg_memory *memory = eg_memory_create();
    assert_non_null(memory);
    assert_null(kept(memory, "a"));
    keep(memory, "a", "one");
    keep(memory, "b", "two");
    assert_string_equal(kept(memory, "a"), "one");
    keep(memory, "a", "three");
    assert_string_equal(eg_memory_find(memory, "a", &size), "three");
    assert_int_equal(size, sizeof "three");
    eg_memory_forget(memory, "a");
    eg_memory_forget(memory, "a");
    assert_null(kept(memory, "a"));
    assert_string_equal(kept(memory, "b"), "two");
    assert_int_equal(*(char *)eg_memory_make(memory, "b", 1), 0); /* all zero */
    eg_memory_destroy(memory);
}

static void test_none_at_all(void **unused)
{
    (void)unused;
    size_t size;
    assert_null(eg_memory_make(NULL, "a", 1));
    assert_null(eg_memory_find(NULL, "a", &size));
    eg_memory_forget(NULL, "a");
    eg_memory_destroy(NULL);
}

static void test_too_large_is_not_kept(void **unused)
{
    (void)unused;
    char key[EG_MEMORY_KEY_MAX + 2];
    struct eg_memory *memory = eg_memory_create();
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    assert_null(eg_memory_make(memory, key, 1));
    key[sizeof key - 2] = '\0';
    assert_non_null(eg_memory_make(memory, key, 1));
    keep(memory, "a", "one");
    assert_null(eg_memory_make(memory, "a", EG_MEMORY_VALUE_MAX + 1));
    assert_null(kept(memory, "a")); /* what it replaced does not hold either */
    assert_non_null(eg_memory_make(memory, "a", EG_MEMORY_VALUE_MAX));
    eg_memory_destroy(memory);
}

static void test_what_was_not_asked_for_longest_gives_way(void **unused)
{
    (void)unused;
    char key[20];
    const size_t fit = EG_MEMORY_BYTES_MAX / EG_MEMORY_VALUE_MAX; /* without what an entry itself takes */
    struct eg_memory *memory = eg_memory_create();
    for (size_t i = 0; i + 1 < fit; i++) {
        (void)snprintf(key, sizeof key, "%zu", i);
        assert_non_null(eg_memory_make(memory, key, EG_MEMORY_VALUE_MAX));
    }
    assert_non_null(kept(memory, "0"));
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(key, sizeof key, "more %zu", i);
        assert_non_null(eg_memory_make(memory, key, EG_MEMORY_VALUE_MAX));
    }
    assert_non_null(kept(memory, "0"));
    assert_null(kept(memory, "1"));
    assert_null(kept(memory, "2"));
    assert_non_null(kept(memory, "3"));
    assert_non_null(kept(memory, "more 1"));
    for (size_t i = 0; i < 200000; i++) { /* many small ones, too */
        (void)snprintf(key, sizeof key, "s%zu", i);
        keep(memory, key, "small");
    }
    assert_null(kept(memory, "s0"));
    assert_string_equal(kept(memory, "s199999"), "small");
    eg_memory_destroy(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_replaced_forgotten),
        cmocka_unit_test(test_none_at_all),
        cmocka_unit_test(test_too_large_is_not_kept),
        cmocka_unit_test(test_what_was_not_asked_for_longest_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
