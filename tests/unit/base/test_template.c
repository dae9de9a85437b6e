/* Texts with placeholders (template.c): what is filled, what is left out, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/template.h>

#include <string.h>

static const char *value(void *user, const char *name, size_t length)
{
    (void)user;
    if (length == 4 && !memcmp(name, "site", 4))
        return "上田村";
    if (length == 4 && !memcmp(name, "evil", 4))
        return "{site}\n{site}";
    return "";
}

static void test_fill(void **unused)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"at {site}.", "at 上田村."},
        {"{site}{site}", "上田村上田村"},
        {"a\nnone: {none}\nb\n", "a\nb\n"},
        {"none: {none}", ""},
        {"both: {none} {site}\n", "both: 上田村\n"}, /* no blank is left of what is not there */
        {"{site} {none} {none}\nb", "上田村\nb"},
        {"{site} {none}, {none}{site}", "上田村 , 上田村"}, /* marks are not ours to move */
        {"  {none} {site}", "  上田村"},
        {"{site}\n {none}{site}", "上田村\n 上田村"},
        {"\n\n", "\n\n"},
        {"{{site}", "{site}"},
        {"open { brace", "open { brace"},
        {"{}", "{}"},
        {"{site", "{site"},
        {"{evil}", "{site}\n{site}"}, /* a value is no template */
    };
    (void)unused;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct eg_buf out;
        eg_buf_init(&out, 1000);
        eg_buf_text(&out, "");
        eg_template_fill(pairs[i][0], value, NULL, &out);
        assert_string_equal(out.length ? out.data : "", pairs[i][1]);
        eg_buf_finish(&out);
    }
    struct eg_buf small; /* what does not fit is cut, and said to be */
    eg_buf_init(&small, 5);
    eg_template_fill("{site}{site}\n{none}\n", value, NULL, &small);
    assert_true(small.failed && small.length <= 5);
    eg_buf_finish(&small);
}

static void test_check(void **unused)
{
    static const char *const names[] = {"site", "device", NULL};
    (void)unused;
    assert_null(eg_template_check("{site} {{x} {device}", names));
    assert_string_equal(eg_template_check("a {sit} b", names), "{sit} b");
    assert_string_equal(eg_template_check("a {site", names), "{site");
    assert_string_equal(eg_template_check("{site\n}", names), "{site\n}");
    assert_string_equal(eg_template_check("{}", names), "{}");
    assert_string_equal(eg_template_check("{sites}", names), "{sites}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fill), cmocka_unit_test(test_check)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
