/* Runs every golden pair of every driver: tests/drivers/<driver>/NAME.payload, NAME.expect.json, and NAME.mapping.json where
 * the source maps it. What is expected is written down, so a changed driver shows up as a changed file.
 *
 *   {"verdict":"decoded","readings":[{"quantity":"pm25","channel":"","time":"2026-11-23T07:00:00.000Z" or null,"value":35.2,
 *    "device": where it is not the topic's, "flags":["range"] where it has any}],"frame":7,"faults":1}
 *   {"verdict":"malformed","reason_contains":"…"}
 *
 * "after":["NAME",…] are pairs whose payloads came before, for a driver that remembers; "gap":2 messages were lost before it, "unread":1
 * value could not be read, "gone":["DEVICE",…] have left; "arrived" is when the message came, 1970 where that does not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../expected.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)16 << 20)
#define FIELDS_MAX 64
#define LIST_MAX 8

static int pairs, rejects;

static char *read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *text = malloc(FILE_MAX + 1);
    assert_non_null(text);
    *ret_length = fread(text, 1, FILE_MAX, file);
    text[*ret_length] = '\0';
    (void)fclose(file);
    return text;
}

static cJSON *read_json(const char *path)
{
    size_t length;
    char *text = read_file(path, &length);
    if (text == NULL)
        return NULL;
    cJSON *json = cJSON_Parse(text);
    if (json == NULL)
        fail_msg("%s is not JSON", path);
    free(text);
    return json;
}

static double number_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

/* Where the number was put, or NULL. */
static const double *at(const cJSON *object, const char *key, double *place)
{
    *place = number_of(object, key);
    return cJSON_GetObjectItemCaseSensitive(object, key) == NULL ? NULL : place;
}

static void prepare(const struct eg_driver *driver, const char *path, const cJSON *json, void **ret_prepared)
{
    struct eg_field fields[FIELDS_MAX];
    double missing[FIELDS_MAX][LIST_MAX], empty[FIELDS_MAX], full[FIELDS_MAX];
    struct eg_word words[FIELDS_MAX][LIST_MAX];
    struct eg_mapping mapping = {.time = text_of(json, "time"),
                                 .readings = text_of(json, "readings"),
                                 .channel = text_of(json, "channel"),
                                 .device = text_of(json, "device"),
                                 .quantity = text_of(json, "quantity"),
                                 .value = text_of(json, "value"),
                                 .unit = text_of(json, "unit"),
                                 .precision = text_of(json, "precision"),
                                 .time_format = text_of(json, "time_format"),
                                 .separator = text_of(json, "separator"),
                                 .decimal = text_of(json, "decimal"),
                                 .utc_offset = text_of(json, "utc_offset"),
                                 .codec = text_of(json, "codec"),
                                 .checksum = text_of(json, "checksum"),
                                 .ignore_unmatched = text_of(json, "unmatched") != NULL,
                                 .fields = fields};
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "fields"))
    {
        assert_true(mapping.field_count < FIELDS_MAX);
        struct eg_field *field = &fields[mapping.field_count++];
        *field = (struct eg_field){.path = text_of(item, "path"),
                                   .quantity = text_of(item, "quantity"),
                                   .unit = text_of(item, "unit"),
                                   .channel = text_of(item, "channel"),
                                   .empty = at(item, "empty", &empty[mapping.field_count - 1]),
                                   .full = at(item, "full", &full[mapping.field_count - 1]),
                                   .scale = number_of(item, "scale"),
                                   .offset = number_of(item, "offset"),
                                   .missing = missing[mapping.field_count - 1],
                                   .words = words[mapping.field_count - 1]};
        const cJSON *one;
        cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(item, "missing"))
        {
            assert_true(field->missing_count < LIST_MAX);
            missing[mapping.field_count - 1][field->missing_count++] = one->valuedouble;
        }
        cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(item, "words"))
        {
            assert_true(field->word_count < LIST_MAX);
            words[mapping.field_count - 1][field->word_count++] =
                (struct eg_word){one->string, one->valuedouble};
        }
    }
    char error[256] = "";
    int field;
    if (driver->prepare(&mapping, ret_prepared, error, sizeof error, &field) != 0)
        fail_msg("%s: field %d: %s", path, field, error);
}

/* One payload into the sink; its expectation. Given. */
static cJSON *decode(const struct eg_driver *driver, const void *prepared, struct eg_memory *memory,
                     const char *folder, const char *name, struct eg_sink *sink, enum eg_verdict *ret_verdict)
{
    static const char topic[] = "ecogov/shangtian/air/a1";
    char path[1024];
    size_t length;
    (void)snprintf(path, sizeof path, "%s/%s.payload", folder, name);
    char *payload = read_file(path, &length);
    (void)snprintf(path, sizeof path, "%s/%s.expect.json", folder, name);
    cJSON *expect = read_json(path);
    if (payload == NULL || expect == NULL)
        fail_msg("%s/%s lacks its .payload or .expect.json", folder, name);
    const char *own_topic = text_of(expect, "topic");
    struct eg_message message = {
        .topic = own_topic == NULL ? topic : own_topic, .payload_len = length, .memory = memory};
    message.topic_len = strlen(message.topic);
    const char *arrived = text_of(expect, "arrived");
    if (arrived != NULL)
        assert_true(eg_time_parse(arrived, strlen(arrived), &message.arrived_ms));
    message.quantity = text_of(expect, "topic_quantity"); /* what the template calls {quantity} */
    message.quantity_len = message.quantity == NULL ? 0 : strlen(message.quantity);
    /* A block of exactly that size: a driver that reads one byte too many is caught by the sanitizer. */
    uint8_t *exact = malloc(length == 0 ? 1 : length);
    assert_non_null(exact);
    memcpy(exact, payload, length);
    message.payload = length == 0 ? NULL : exact;
    *ret_verdict = driver->decode(prepared, &message, sink);
    free(exact);
    free(payload);
    return expect;
}

static void run_pair(const struct eg_driver *driver, const char *folder, const char *name)
{
    char path[1024];
    struct eg_sink *sink = calloc(1, sizeof *sink);
    struct eg_memory *memory = eg_memory_create();
    assert_true(sink != NULL && memory != NULL);
    (void)snprintf(path, sizeof path, "%s/%s.mapping.json", folder, name);
    cJSON *mapping = read_json(path);
    void *prepared = NULL;
    prepare(driver, path, mapping, &prepared);
    (void)snprintf(path, sizeof path, "%s/%s.expect.json", folder, name);
    cJSON *own = read_json(path);
    const cJSON *before;
    enum eg_verdict verdict;
    cJSON_ArrayForEach(before, cJSON_GetObjectItemCaseSensitive(own, "after"))
        cJSON_Delete(decode(driver, prepared, memory, folder, before->valuestring, sink, &verdict));
    cJSON *expect = decode(driver, prepared, memory, folder, name, sink, &verdict);
    (void)snprintf(path, sizeof path, "%s/%s.payload", folder, name);
    rejects += check(path, expect, verdict, sink);
    pairs++;

    eg_memory_destroy(memory);
    free(sink);
    cJSON_Delete(own);
    cJSON_Delete(mapping);
    cJSON_Delete(expect);
    driver->release(prepared);
}

static void run_driver(const struct eg_driver *driver, const char *folder)
{
    static const char suffix[] = ".expect.json";
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    rejects = pairs = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char name[256];
        const size_t length = strlen(entry->d_name);
        if (length <= sizeof suffix - 1 || strcmp(entry->d_name + length - (sizeof suffix - 1), suffix) != 0)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)(length - (sizeof suffix - 1)), entry->d_name);
        run_pair(driver, folder, name);
    }
    (void)closedir(directory);
    print_message("%s: %d pairs, %d of them rejects\n", driver->name, pairs, rejects);
}

/* Those that can be chosen, and the one that new ones begin with. */
extern const struct eg_driver eg_driver_template;
static const struct eg_driver *driver_at(size_t index)
{
    if (index == 0)
        return &eg_driver_template;
    return eg_driver_at(index - 1);
}

static void test_every_pair_reads_as_expected(void **state)
{
    (void)state;
    for (size_t i = 0; driver_at(i) != NULL; i++) {
        char folder[512];
        (void)snprintf(folder, sizeof folder, "%s/tests/drivers/%s", SOURCE_DIR, driver_at(i)->name);
        run_driver(driver_at(i), folder);
        if (pairs == 0 || rejects == 0)
            fail_msg("%s needs golden pairs, at least one of them a reject", folder);
    }
}

static void test_every_folder_has_its_driver(void **state)
{
    (void)state;
    assert_null(eg_driver_find(eg_driver_template.name)); /* nobody can choose it */
    DIR *directory = opendir(SOURCE_DIR "/tests/drivers");
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.' && entry->d_type == DT_DIR && eg_driver_find(entry->d_name) == NULL &&
            strcmp(entry->d_name, eg_driver_template.name) != 0)
            fail_msg("tests/drivers/%s: there is no such driver", entry->d_name);
    (void)closedir(directory);
}

/* What `keys` says is what the configuration lets through: a word that is none would let nothing through. */
static void test_every_driver_says_which_keys_it_heeds(void **state)
{
    (void)state;
    static const char known[] =
        " {quantity} time readings channel device_path quantity value unit precision utc_offset codec "
        "time_format separator decimal "
        "checksum fields words unmatched ";
    for (size_t i = 0; driver_at(i) != NULL; i++) {
        const struct eg_driver *driver = driver_at(i);
        if (driver->keys == NULL)
            fail_msg("%s does not say which keys it heeds", driver->name);
        char keys[256];
        (void)snprintf(keys, sizeof keys, "%s", driver->keys);
        for (char *rest = *keys ? keys : NULL, *key; (key = strsep(&rest, " ")) != NULL;) {
            char word[64];
            (void)snprintf(word, sizeof word, " %s ", key);
            if (strstr(known, word) == NULL)
                fail_msg("%s: \"%s\" is no key of a source", driver->name, key);
        }
        assert_int_equal(strstr(driver->keys, "codec") != NULL, driver->codecs != NULL);
        assert_int_equal(strstr(driver->keys, "checksum") != NULL, driver->checksums != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair_reads_as_expected),
        cmocka_unit_test(test_every_folder_has_its_driver),
        cmocka_unit_test(test_every_driver_says_which_keys_it_heeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
