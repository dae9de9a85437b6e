/* JSON Pointer: the examples of RFC 6901, what is none, and what makes it ambiguous. The document is built by
 * hand from cJSON's nodes: the kit follows them and needs none of the parser's functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../drivers/kit/json_pointer.h"

#include <stdio.h>
#include <string.h>

#define NAME(text) (char *)(uintptr_t)(text)
#define MEMBER(key, number, after)                                                                           \
    {                                                                                                        \
        .type = cJSON_Number, .string = NAME(key), .valuedouble = (number), .next = (after)                  \
    }

/* {"foo":["bar","baz"], "":0, "a/b":1, "c%d":2, "e^f":3, "g|h":4, "i\\j":5, "k\"l":6, " ":7, "m~n":8, "~1":9,
 * "0":10, "d":1, "d":2} */
static cJSON baz = {.type = cJSON_String, .valuestring = NAME("baz")};
static cJSON bar = {.type = cJSON_String, .valuestring = NAME("bar"), .next = &baz};
static cJSON members[] = {
    {.type = cJSON_Array, .string = NAME("foo"), .child = &bar, .next = &members[1]},
    MEMBER("", 0, &members[2]),
    MEMBER("a/b", 1, &members[3]),
    MEMBER("c%d", 2, &members[4]),
    MEMBER("e^f", 3, &members[5]),
    MEMBER("g|h", 4, &members[6]),
    MEMBER("i\\j", 5, &members[7]),
    MEMBER("k\"l", 6, &members[8]),
    MEMBER(" ", 7, &members[9]),
    MEMBER("m~n", 8, &members[10]),
    MEMBER("~1", 9, &members[11]),
    MEMBER("0", 10, &members[12]),
    MEMBER("d", 1, &members[13]),
    MEMBER("d", 2, NULL),
};
static const cJSON document = {.type = cJSON_Object, .child = members};

static const cJSON *follow(const char *path, const char **ret_twice)
{
    struct eg_json_pointer pointer;
    const char *wrong = eg_json_pointer_init(&pointer, path);
    if (wrong)
        fail_msg("%s %s", path, wrong);
    const cJSON *found = eg_json_pointer_follow(&pointer, &document, ret_twice);
    eg_json_pointer_finish(&pointer);
    return found;
}

static void test_the_examples(void **unused)
{
    (void)unused;
    static const struct {
        const char *path;
        const cJSON *wanted;
    } table[] = {
        {"/foo", &members[0]},
        {"/foo/0", &bar},
        {"/foo/1", &baz},
        {"/", &members[1]},
        {"/a~1b", &members[2]},
        {"/c%d", &members[3]},
        {"/e^f", &members[4]},
        {"/g|h", &members[5]},
        {"/i\\j", &members[6]},
        {"/k\"l", &members[7]},
        {"/ ", &members[8]},
        {"/m~0n", &members[9]},
        {"/~01", &members[10]},
        {"/0", &members[11]},
        /* nothing there */
        {"/Foo", NULL},
        {"/foo/2", NULL},
        {"/foo/-", NULL},
        {"/foo/00", NULL},
        {"/foo/01", NULL},
        {"/foo/-1", NULL},
        {"/foo/1e0", NULL},
        {"/foo/", NULL},
        {"/foo/99999999999999999999", NULL},
        {"/foo/0/x", NULL},
        {"/a/b", NULL},
        {"//", NULL},
        {"/foo/ 1", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *twice = NULL;
        if (follow(table[i].path, &twice) != table[i].wanted || twice)
            fail_msg("%s does not lead where it should", table[i].path);
    }
}

static void test_a_key_given_twice_is_ambiguous(void **unused)
{
    (void)unused;
    const char *twice = NULL;
    assert_null(follow("/d", &twice));
    assert_string_equal(twice, "d");
}

static void test_no_pointers(void **unused)
{
    (void)unused;
    char deep[2 * (EG_JSON_POINTER_PARTS + 1) + 1] = "", longest[EG_JSON_POINTER_BYTES + 1];
    for (int i = 0; i <= EG_JSON_POINTER_PARTS; i++)
        strcat(deep, "/a");
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[EG_JSON_POINTER_BYTES] = '\0';
    const struct {
        const char *path, *says;
    } table[] = {{"", "begins with '/'"},
                 {"foo", "begins with '/'"},
                 {"#/foo", "begins with '/'"},
                 {"/~", "~0"},
                 {"/~2", "~0"},
                 {"/a~/b", "~0"},
                 {deep, "more than 16"},
                 {longest, "too long"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_json_pointer pointer;
        const char *wrong = eg_json_pointer_init(&pointer, table[i].path);
        if (!wrong || !strstr(wrong, table[i].says))
            fail_msg("%s: %s", table[i].path, wrong ? wrong : "taken");
        eg_json_pointer_finish(&pointer);
    }
    struct eg_json_pointer pointer;
    deep[strlen(deep) - 2] = '\0'; /* as deep as may be */
    longest[EG_JSON_POINTER_BYTES - 1] = '\0';
    assert_null(eg_json_pointer_init(&pointer, deep));
    eg_json_pointer_finish(&pointer);
    assert_null(eg_json_pointer_init(&pointer, longest));
    eg_json_pointer_finish(&pointer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples),
        cmocka_unit_test(test_a_key_given_twice_is_ambiguous),
        cmocka_unit_test(test_no_pointers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
