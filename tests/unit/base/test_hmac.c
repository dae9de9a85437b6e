/* HMAC-SHA256 against RFC 4231, base64 against RFC 4648, and the signatures robots want, made by openssl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/hmac.h>

#include <string.h>

static void expect_hmac(const void *key, size_t key_length, const void *data, size_t length,
                        const char *wanted)
{
    uint8_t sum[EG_SHA256_BYTES];
    char hex[2 * EG_SHA256_BYTES + 1];
    eg_hmac_sha256(key, key_length, data, length, sum);
    assert_string_equal(eg_hex(sum, sizeof sum, hex), wanted);
}

static void test_rfc_4231(void **unused)
{
    uint8_t key[131], data[50];
    (void)unused;
    memset(key, 0x0b, 20);
    expect_hmac(key, 20, "Hi There", 8, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    expect_hmac("Jefe", 4, "what do ya want for nothing?", 28,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    expect_hmac(key, 20, data, sizeof data,
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    expect_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    expect_hmac("", 0, "", 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_rfc_4648(void **unused)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xfb\xff\xfe", "+//+"}};
    char out[EG_BASE64_TEXT(8)];
    (void)unused;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_equal(eg_base64((const uint8_t *)pairs[i][0], strlen(pairs[i][0]), out), pairs[i][1]);
}

static void test_secrets_are_compared(void **unused)
{
    (void)unused;
    assert_true(eg_same_secret("abc", "abc", 3));
    assert_false(eg_same_secret("abc", "abd", 3));
    assert_false(eg_same_secret("abc", "xbc", 3));
    assert_true(eg_same_secret("", "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_4231),
        cmocka_unit_test(test_rfc_4648),
        cmocka_unit_test(test_secrets_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
