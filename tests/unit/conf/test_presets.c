/* Each preset that is built in reads what its devices send: tests/presets/<preset>.json holds payloads from the makers' documents and
 * what they become, through a source that says no more than `preset:` and a site. A preset without a file fails, and a file without a
 * preset. Refuses to know what the presets' keys mean.
 *
 *   [{"source": more keys of the source, in YAML, or none, "topic":"…","topic_quantity":"…",
 *     "payload":{…} or "a text" or "payload_base64":"…",
 *     "verdict":"decoded","readings":[as in golden pairs]}] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <conf/conf.h>
#include <conf/presets.h>

#include "../expected.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES_MAX ((size_t)256 * 1024)

static cJSON *cases_of(const char *path)
{
    char *text = calloc(1, BYTES_MAX);
    FILE *file = fopen(path, "re");
    if (text == NULL || file == NULL)
        fail_msg("%s cannot be read: each preset needs one", path);
    assert_true(fread(text, 1, BYTES_MAX - 1, file) > 0);
    (void)fclose(file);
    cJSON *json = cJSON_Parse(text);
    if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) == 0)
        fail_msg("%s is no JSON array of cases", path);
    free(text);
    return json;
}

static struct eg_conf *source_of(const char *preset, const char *more)
{
    char yaml[4096];
    struct eg_buf faults;
    eg_buf_init(&faults, 65536);
    const int length =
        snprintf(yaml, sizeof yaml, "sites: [{id: a}]\nsources:\n  - {id: s, preset: %s, site: a%s%s}\n",
                 preset, more == NULL ? "" : ", ", more == NULL ? "" : more);
    struct eg_conf *conf = eg_conf_parse("test", yaml, (size_t)length, &faults);
    if (conf == NULL)
        fail_msg("%s: %s", preset, faults.data);
    eg_buf_finish(&faults);
    return conf;
}

static void run_case(const char *path, const char *preset, const cJSON *one)
{
    struct eg_conf *conf = source_of(preset, text_of(one, "source"));
    struct eg_sink *sink = calloc(1, sizeof *sink);
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(one, "payload");
    const char *topic = text_of(one, "topic");
    char *text = cJSON_IsString(payload) ? strdup(payload->valuestring) : cJSON_PrintUnformatted(payload);
    if (sink == NULL || text == NULL || topic == NULL)
        fail_msg("%s: a case needs a topic and a payload", path);
    const char *level = text_of(one, "topic_quantity"); /* what the template calls {quantity} */
    const struct eg_message message = {.topic = topic,
                                       .topic_len = strlen(topic),
                                       .quantity = level,
                                       .quantity_len = level == NULL ? 0 : strlen(level),
                                       .payload = (const uint8_t *)text,
                                       .payload_len = strlen(text),
                                       .arrived_ms = INT64_C(1795417200000)};
    const struct eg_conf_source *source = &conf->sources[0];
    (void)check(path, one, source->driver->decode(source->prepared, &message, sink), sink);
    cJSON_free(text);
    free(sink);
    eg_conf_destroy(conf);
}

static void test_each_preset_reads_its_devices(void **state)
{
    (void)state;
    size_t cases = 0, presets = 0;
    for (const struct eg_preset_text *preset = eg_preset_texts; preset->id != NULL; preset++, presets++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/tests/presets/%s.json", SOURCE_DIR, preset->id);
        cJSON *list = cases_of(path);
        const cJSON *one;
        size_t decoded = 0;
        cJSON_ArrayForEach(one, list)
        {
            run_case(path, preset->id, one);
            decoded += cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(one, "readings")) > 0;
            cases++;
        }
        if (decoded == 0 && strcmp(preset->id, "ha-discovery") != 0) /* which never carries any */
            fail_msg("%s has no case with readings", path);
        cJSON_Delete(list);
    }
    print_message("%zu presets, %zu cases\n", presets, cases);
}

static void test_each_file_has_its_preset(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob(SOURCE_DIR "/tests/presets/*.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;
        bool known = false;
        for (const struct eg_preset_text *preset = eg_preset_texts; preset->id != NULL; preset++)
            known |=
                strlen(name) == strlen(preset->id) + 5 && strncmp(name, preset->id, strlen(preset->id)) == 0;
        if (!known)
            fail_msg("%s: there is no such preset", found.gl_pathv[i]);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_preset_reads_its_devices),
                                       cmocka_unit_test(test_each_file_has_its_preset)};
    return cmocka_run_group_tests_name("conf/presets", tests, NULL, NULL);
}
