/* JSON in one pass: what it reads, held against the scan and cJSON (json_judge.h), over the golden payloads, over damaged ones, and at the
 * maxima. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../fuzz/json_judge.h"

#include <glob.h>
#include <stdlib.h>
#include <time.h>

#define PAYLOAD_MAX 8192
#define DAMAGED 60 /* each golden payload so often */

static struct eg_sink sink;

static void agree(const void *payload, size_t length)
{
    uint8_t *exact = malloc(length ? length : 1); /* so that the sanitizer sees one byte too many */
    assert_non_null(exact);
    memcpy(exact, payload, length);
    const char *differ = json_judge(exact, length, &sink);
    free(exact);
    if (differ != NULL)
        fail_msg("%.*s: %s (%s)", (int)(length < 400 ? length : 400), (const char *)payload, differ,
                 sink.reason);
}

static const cJSON *read_text(struct eg_json_tree *tree, const char *text)
{
    eg_sink_reset(&sink);
    if (eg_json_tree_read(tree, (const uint8_t *)text, strlen(text), &sink) != EG_DECODED)
        fail_msg("%s: %s", text, sink.reason);
    return tree->root;
}

static void test_values(void **unused)
{
    (void)unused;
    struct eg_json_tree tree;
    const cJSON *root = read_text(&tree, " {\"a\\u00e9\\ud83c\\udf3e\\n\":[-1.5e1,0.1,\"\\\\\\/"
                                         "\\\"\",true,false,null,{}],\"b\":\"x\",\"b\":3e9} ");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "a\xC3\xA9\xF0\x9F\x8C\xBE\n");
    assert_int_equal(cJSON_GetArraySize(list), 7);
    assert_true(cJSON_GetArrayItem(list, 0)->valuedouble == -15);
    assert_true(cJSON_GetArrayItem(list, 1)->valuedouble == 0.1);
    assert_string_equal(cJSON_GetArrayItem(list, 2)->valuestring, "\\/\"");
    assert_true(cJSON_IsTrue(cJSON_GetArrayItem(list, 3)));
    assert_true(cJSON_IsFalse(cJSON_GetArrayItem(list, 4)));
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(list, 5)));
    assert_true(cJSON_IsObject(cJSON_GetArrayItem(list, 6)));
    assert_string_equal(list->next->string, "b"); /* given twice: there twice */
    assert_string_equal(list->next->next->string, "b");
    assert_int_equal(list->next->next->valueint, INT32_MAX);
    eg_json_tree_finish(&tree);
}

static void test_sentences(void **unused)
{
    (void)unused;
    static const char *const table[][2] = {
        {"{\"a\":1,}", "not JSON from byte 7 on"},
        {"{} {}", "something follows the JSON value at byte 3"},
        {"{\"a\" 1}", "not JSON from byte 5 on"},
        {"[1 2]", "not JSON from byte 3 on"},
        {"[1,,2]", "not JSON from byte 3 on"},
        {"]", "not JSON from byte 0 on"},
        {"[1", "not JSON from byte 1 on"},
        {"\"\\x\"", "not JSON from byte 1 on"},
        {"\"\\ud800\"", "not JSON from byte 1 on"},
        {"\"\\u12G4\"", "not JSON from byte 1 on"},
        {"\"\\u0000\"", "U+0000 in a string at byte 1"},
        {"[1,NaN}", "\"NaN\" at byte 3 is not JSON"}, /* the scan's sentences come first */
        {"", "the payload is empty"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_json_tree tree;
        eg_sink_reset(&sink);
        assert_int_equal(eg_json_tree_read(&tree, (const uint8_t *)table[i][0], strlen(table[i][0]), &sink),
                         EG_MALFORMED);
        assert_string_equal(sink.reason, table[i][1]);
    }
}

/* `count` times `one` between brackets. */
static void agree_on_many(const char *one, size_t count, char open, char close)
{
    const size_t each = strlen(one), length = count * each + 2;
    char *text = malloc(length);
    assert_non_null(text);
    text[0] = open;
    for (size_t i = 0; i < count; i++)
        memcpy(text + 1 + i * each, one, each);
    text[length - 2] = close; /* over the last comma */
    agree(text, length - 1);
    free(text);
}

static void test_maxima(void **unused)
{
    (void)unused;
    char deep[2 * EG_JSON_DEPTH_MAX + 2], digits[EG_JSON_NUMBER_MAX + 1];
    for (size_t depth = EG_JSON_DEPTH_MAX; depth <= EG_JSON_DEPTH_MAX + 1; depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        agree(deep, 2 * depth);
    }
    memset(digits, '7', sizeof digits);
    agree(digits, sizeof digits - 1);
    agree(digits, sizeof digits);
    static const size_t counts[] = {1,   EG_JSON_TREE_NODES - 1, EG_JSON_TREE_NODES, EG_JSON_TREE_NODES + 1,
                                    700, EG_JSON_VALUES_MAX - 1, EG_JSON_VALUES_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        agree_on_many("1,", counts[i], '[', ']');
        agree_on_many("\"k\":1,", counts[i] / 2, '{', '}'); /* a key counts, too */
    }
    for (size_t bytes = EG_JSON_TREE_BYTES - 3; bytes <= EG_JSON_TREE_BYTES + 1; bytes++)
        agree_on_many("9", bytes - 1, '"', '"');
    agree_on_many("9", EG_JSON_BYTES_MAX - 1, '"', '"');
    agree_on_many("9", EG_JSON_BYTES_MAX, '"', '"');
}

static size_t read_file(const char *path, uint8_t room[PAYLOAD_MAX])
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t length = fread(room, 1, PAYLOAD_MAX, file);
    fclose(file);
    return length;
}

static uint32_t random_of(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

/* A few bytes changed, left out or put in, of those that JSON is made of. */
static size_t damage(uint8_t *bytes, size_t length, uint32_t *state)
{
    static const char letters[] = "{}[]\",:\\u0e-+.9tn \x01\x80\xC3\xF0";
    for (uint32_t hits = 1 + random_of(state) % 3; hits > 0 && length > 1; hits--) {
        const size_t at = random_of(state) % length;
        const uint8_t letter = (uint8_t)letters[random_of(state) % sizeof letters];
        switch (random_of(state) % 3) {
        case 0:
            bytes[at] = letter;
            break;
        case 1:
            memmove(bytes + at, bytes + at + 1, --length - at);
            break;
        default:
            memmove(bytes + at + 1, bytes + at, length++ - at);
            bytes[at] = letter;
        }
    }
    return length;
}

static void test_golden_payloads(void **unused)
{
    (void)unused;
    uint32_t state = (uint32_t)time(NULL);
    const char *given = getenv("ECOGOV_SEED");
    if (given != NULL)
        state = (uint32_t)strtoul(given, NULL, 10);
    print_message("ECOGOV_SEED=%u\n", state);
    glob_t found;
    assert_int_equal(glob(SOURCE_DIR "/tests/drivers/*/*.payload", 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 300);
    size_t read = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        uint8_t whole[PAYLOAD_MAX], damaged[PAYLOAD_MAX + 3];
        const size_t length = read_file(found.gl_pathv[i], whole);
        agree(whole, length);
        read += *sink.reason == '\0';
        for (int k = 0; k < DAMAGED && length > 0; k++) {
            memcpy(damaged, whole, length);
            agree(damaged, damage(damaged, length, &state));
        }
    }
    globfree(&found);
    assert_true(read > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_maxima),
        cmocka_unit_test(test_golden_payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
