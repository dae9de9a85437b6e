/* SHA-256 against the examples of FIPS 180-4 and every way to cut a message in two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/sha256.h>

#include <stdio.h>
#include <string.h>

static void hex(const void *data, size_t length, size_t cut, char out[65])
{
    struct eg_sha256 sum;
    uint8_t hash[EG_SHA256_BYTES];
    eg_sha256_init(&sum);
    eg_sha256_add(&sum, data, cut);
    eg_sha256_add(&sum, (const char *)data + cut, length - cut);
    eg_sha256_end(&sum, hash);
    for (int i = 0; i < EG_SHA256_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

static void test_vectors(void **unused)
{
    (void)unused;
    static const char *const table[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
    char found[65];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        hex(table[i][0], strlen(table[i][0]), strlen(table[i][0]) / 2, found);
        assert_string_equal(found, table[i][1]);
    }
}

static void test_a_message_in_two_parts_is_the_message(void **unused)
{
    (void)unused;
    char bytes[200], whole[65], parts[65];
    memset(bytes, 'a', sizeof bytes);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        hex(bytes, length, 0, whole);
        for (size_t cut = 0; cut <= length; cut++) {
            hex(bytes, length, cut, parts);
            assert_string_equal(parts, whole);
        }
    }
}

static void test_a_million(void **unused)
{
    (void)unused;
    struct eg_sha256 sum;
    uint8_t hash[EG_SHA256_BYTES];
    char bytes[1000];
    static const uint8_t begins[4] = {0xcd, 0xc7, 0x6e, 0x5c};
    memset(bytes, 'a', sizeof bytes);
    eg_sha256_init(&sum);
    for (int i = 0; i < 1000; i++)
        eg_sha256_add(&sum, bytes, sizeof bytes);
    eg_sha256_end(&sum, hash);
    assert_memory_equal(hash, begins, sizeof begins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_a_message_in_two_parts_is_the_message),
        cmocka_unit_test(test_a_million),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
