/* libcurl is loaded by name: what is said when it is not there, or is something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <notify/libcurl.h>

#include <string.h>

static void says(const char *file, const char *what)
{
    struct eg_libcurl curl;
    struct eg_err err = {0};
    assert_int_equal(eg_libcurl_load(file, &curl, &err), EG_EIO);
    if (!strstr(err.text, what))
        fail_msg("'%s' does not say '%s'", err.text, what);
}

static void test_not_there(void **unused)
{
    (void)unused;
    says("libcurl.so.0-not-there", "webhooks and mail need libcurl (Debian: libcurl4)");
    says("libuv.so.1", "has no curl_global_init()");
}

static void test_there(void **unused)
{
    (void)unused;
    struct eg_libcurl curl;
    struct eg_err err = {0};
    assert_int_equal(eg_libcurl_load(EG_LIBCURL, &curl, &err), EG_OK);
    CURL *easy = curl.easy_init();
    assert_non_null(easy);
    assert_int_equal(curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https"),
                     CURLE_OK); /* the newest option that is used */
    curl.easy_cleanup(easy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_not_there), cmocka_unit_test(test_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
