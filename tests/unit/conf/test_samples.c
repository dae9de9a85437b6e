/* The samples of shared payloads/, written by the formats' own projects: each decodes to what its expect.json says, through a source as
 * an administrator would write it. Skipped where the samples are not at hand ($ECOGOV_SHARED, else ../shared). To add a format: one
 * line in `formats`.
 *
 * A sample's metrics bear third-party names, so a reading is held against the values: an expected reading is there when a decoded one
 * has its value (in the expected unit, 1e-5 relative), its time (1 ms) and its device, and every decoded one must be expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <conf/conf.h>
#include <ecogov/time.h>

#include <cjson/cJSON.h>
#include <fnmatch.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX ((size_t)1024 * 1024)
#define PATH_BYTES 600

static const struct format {
    const char *prefix; /* of "<format>/<sample>"; the first that fits */
    const char
        *source; /* keys of the source: driver and mapping, or preset; NULL: not held, `ignored` says why */
    const char *
        ignored; /* metrics (fnmatch patterns, blank-separated; or @ and a unit) that are no quantity of the dictionary */
    const char *more; /* quantities that are read beyond what is expected ("*": any) */
    double
        apart_s; /* how far times may be from the expected, where a message has several and people take different ones; 0: 1 ms */
} formats[] = {
#include "samples.def"
};

/* --- files --- */

static const char *shared(void)
{
    const char *given = getenv("ECOGOV_SHARED");
    return given ? given : SOURCE_DIR "/../shared";
}

static char *read_all(const char *path, size_t *ret_length)
{
    char *bytes = calloc(1, BYTES_MAX);
    FILE *file = fopen(path, "re");
    if (!bytes || !file)
        fail_msg("%s cannot be read", path);
    *ret_length = fread(bytes, 1, BYTES_MAX - 1, file);
    fclose(file);
    return bytes;
}

static const struct format *format_of(const char *sample)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strncmp(formats[i].prefix, sample, strlen(formats[i].prefix)))
            return &formats[i];
    return NULL;
}

/* --- one sample --- */

struct sample {
    const char *name;
    const struct format *format;
    const cJSON *expect;
    const struct eg_conf *conf;
    const char *topic;
    int64_t arrived_ms;
    struct eg_sink *sink;
    enum eg_verdict verdict;
    char wrong[2000]; /* what is not as expected, a line each */
};

static void complain(struct sample *sample, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(struct sample *sample, const char *format, ...)
{
    size_t used = strlen(sample->wrong);
    va_list args;
    va_start(args, format);
    used += (size_t)snprintf(sample->wrong + used, sizeof sample->wrong - used, "\n    ");
    if (used < sizeof sample->wrong)
        vsnprintf(sample->wrong + used, sizeof sample->wrong - used, format, args);
    va_end(args);
}

static bool listed(const char *patterns, const char *name)
{
    char one[100];
    for (const char *at = patterns ? patterns : ""; *at;) {
        size_t length = strcspn(at, " ");
        snprintf(one, sizeof one, "%.*s", (int)length, at);
        if (length && fnmatch(one, name, 0) == 0)
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

/* By its metric, or by its unit: "@lon". */
static bool is_ignored(const struct format *format, const cJSON *expected)
{
    char unit[40] = "@";
    const cJSON *given = cJSON_GetObjectItem(expected, "unit");
    if (cJSON_IsString(given))
        snprintf(unit, sizeof unit, "@%s", given->valuestring);
    return listed(format->ignored, cJSON_GetObjectItem(expected, "metric")->valuestring) ||
           listed(format->ignored, unit);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-5 * fmax(fabs(a), fabs(b)) + 1e-9;
}

static bool same_value(const struct eg_reading *reading, const cJSON *value, const cJSON *unit)
{
    struct eg_unit_map map = {1, 0};
    bool known = cJSON_IsString(unit) && eg_unit_find(reading->quantity, unit->valuestring, &map);
    double expected = cJSON_IsBool(value) ? cJSON_IsTrue(value) : value->valuedouble;
    if (known)
        return near(reading->value, eg_unit_apply(&map, expected));
    if (cJSON_IsString(unit)) /* another kind of thing */
        return false;
    double scale = 1e-9; /* its unit is not told: a power of ten away at most */
    for (int i = 0; i < 19; i++, scale *= 10)
        if (near(reading->value, expected * scale))
            return true;
    return false;
}

static bool same_reading(const struct sample *sample, const struct eg_reading *reading, const cJSON *expected)
{
    const cJSON *value = cJSON_GetObjectItem(expected, "value"),
                *device = cJSON_GetObjectItem(expected, "device"),
                *time = cJSON_GetObjectItem(expected, "time");
    if (cJSON_HasObjectItem(expected, "spec_value")) /* where a test library and the specification differ */
        value = cJSON_GetObjectItem(expected, "spec_value");
    if (!(cJSON_IsNumber(value) || cJSON_IsBool(value)) ||
        !same_value(reading, value, cJSON_GetObjectItem(expected, "unit")))
        return false;
    const int64_t time_ms = reading->time_ms == EG_TIME_NONE ? sample->arrived_ms : reading->time_ms;
    if (cJSON_IsNumber(time) &&
        fabs((double)time_ms - time->valuedouble * 1000) > fmax(1, sample->format->apart_s * 1000))
        return false;
    if (!cJSON_IsString(device) || strstr(sample->topic, device->valuestring))
        return true;
    const char *named = reading->device ? sample->sink->devices[reading->device - 1] : "";
    size_t length = strlen(named); /* ours may be without the separator at the end of a base name */
    return length && !strncmp(named, device->valuestring, length) &&
           strspn(device->valuestring + length, ":/.-_") == strlen(device->valuestring + length);
}

static bool admissible(const struct eg_reading *reading)
{
    const struct eg_quantity_info *info = eg_quantity_info(reading->quantity);
    return reading->value >= info->low && reading->value <= info->high;
}

static void say_reading(struct sample *sample, const struct eg_reading *reading, const char *what)
{
    char time[EG_TIME_TEXT] = "-";
    if (reading->time_ms != EG_TIME_NONE)
        eg_time_format(reading->time_ms, time);
    complain(sample, "%s: %s/%s = %.9g at %s of '%s'", what, eg_quantity_info(reading->quantity)->name,
             reading->channel, reading->value, time,
             reading->device ? sample->sink->devices[reading->device - 1] : "");
}

static void compare(struct sample *sample)
{
    const struct eg_sink *sink = sample->sink;
    const cJSON *expected, *readings = cJSON_GetObjectItem(sample->expect, "readings");
    bool used[EG_SINK_MAX] = {false};
    size_t wanted = 0;
    cJSON_ArrayForEach(expected, readings)
    {
        const cJSON *metric = cJSON_GetObjectItem(expected, "metric"),
                    *value = cJSON_GetObjectItem(expected, "value");
        bool found = false, ignored = is_ignored(sample->format, expected) ||
                                      !(cJSON_IsNumber(value) || cJSON_IsBool(value)); /* texts, arrays */
        for (size_t i = 0; i < sink->count; i++)
            if (same_reading(sample, &sink->readings[i], expected))
                found = used[i] = true;
        wanted += !ignored;
        if (!found && !ignored)
            complain(sample, "missing: %s = %.9g", metric->valuestring, value->valuedouble);
    }
    bool partial = cJSON_IsTrue(cJSON_GetObjectItem(sample->expect, "partial_readings"));
    for (size_t i = 0; i < sink->count && !partial; i++)
        if (!used[i] && !listed(sample->format->more, eg_quantity_info(sink->readings[i].quantity)->name))
            say_reading(sample, &sink->readings[i], "not expected");
    if (sample->verdict != EG_DECODED && wanted)
        complain(sample, "%s: %s", eg_verdict_name(sample->verdict), sink->reason);
}

static void judge(struct sample *sample)
{
    const cJSON *readings = cJSON_GetObjectItem(sample->expect, "readings"),
                *error = cJSON_GetObjectItem(sample->expect, "expect_error");
    size_t taken = 0;
    if (sample->verdict != EG_DECODED)
        sample->sink->count = 0;
    for (size_t i = 0; i < sample->sink->count; i++)
        taken += admissible(&sample->sink->readings[i]);
    if (error && (sample->verdict == EG_NOT_MINE || taken))
        complain(sample, "%s, %zu readings; to be refused: %s", eg_verdict_name(sample->verdict), taken,
                 error->valuestring);
    else if (!error && cJSON_GetArraySize(readings) == 0 && taken)
        say_reading(sample, &sample->sink->readings[0], "no reading is expected");
    else if (!error && cJSON_GetArraySize(readings) > 0)
        compare(sample);
}

static struct eg_conf *conf_of(const struct sample *sample)
{
    char yaml[4000];
    struct eg_buf faults;
    const cJSON *domain = cJSON_GetObjectItem(sample->expect, "domain");
    const char *source = sample->format->source;
    eg_buf_init(&faults, 65536);
    snprintf(yaml, sizeof yaml,
             "sites: [{id: a}]\nsources:\n  - {id: s, topic: '#', site: a, domain: %s, device: d, %s}\n",
             cJSON_IsString(domain) ? domain->valuestring : "air", source);
    struct eg_conf *conf = eg_conf_parse("test", yaml, strlen(yaml), &faults);
    if (!conf)
        fail_msg("%s: %s---\n%s", sample->name, faults.data, yaml);
    eg_buf_finish(&faults);
    return conf;
}

/* The payload at `path` into the sink, and what is expected of it. Given. */
static cJSON *take(struct sample *sample, const char *path, const struct eg_conf *given,
                   struct eg_conf **ret_conf, struct eg_memory *memory)
{
    char expect_path[PATH_BYTES];
    size_t length, expect_length;
    snprintf(expect_path, sizeof expect_path, "%.*s.expect.json", (int)(strlen(path) - strlen(".payload")),
             path);
    char *bytes = read_all(path, &length), *text = read_all(expect_path, &expect_length);
    uint8_t *exact = malloc(length ? length : 1); /* so that a read beyond the end is seen */
    cJSON *expect = cJSON_ParseWithLength(text, expect_length);
    assert_true(exact && expect);
    memcpy(exact, bytes, length);
    sample->expect = expect;
    sample->topic = cJSON_GetObjectItem(expect, "topic")->valuestring;
    const cJSON *arrived = cJSON_GetObjectItem(expect, "default_time_ns");
    sample->arrived_ms = arrived ? strtoll(arrived->valuestring, NULL, 10) / 1000000 : INT64_C(1795417200000);
    const struct eg_conf *conf = given ? given : (*ret_conf = conf_of(sample));
    const cJSON *before = cJSON_GetObjectItem(expect, "requires_previous");
    if (cJSON_IsString(before) && !given) { /* it came before, and is remembered */
        const char *topic = sample->topic;
        snprintf(expect_path, sizeof expect_path, "%.*s/%s.payload", (int)(strrchr(path, '/') - path), path,
                 before->valuestring);
        cJSON_Delete(take(sample, expect_path, conf, NULL, memory));
        sample->expect = expect;
        sample->topic = topic;
    }
    const struct eg_message message = {.topic = sample->topic,
                                       .topic_len = strlen(sample->topic),
                                       .payload = exact,
                                       .payload_len = length,
                                       .memory = memory,
                                       .arrived_ms = sample->arrived_ms};
    eg_sink_reset(sample->sink);
    sample->verdict = conf->sources[0].driver->decode(conf->sources[0].prepared, &message, sample->sink);
    free(exact);
    free(text);
    free(bytes);
    return expect;
}

static bool try_sample(struct sample *sample, const char *path)
{
    struct eg_conf *conf = NULL;
    struct eg_memory *memory = eg_memory_create();
    assert_non_null(memory);
    cJSON *expect = take(sample, path, NULL, &conf, memory);
    judge(sample);
    eg_memory_destroy(memory);
    eg_conf_destroy(conf);
    cJSON_Delete(expect);
    return !*sample->wrong;
}

static void test_samples(void **unused)
{
    (void)unused;
    char pattern[PATH_BYTES];
    glob_t found;
    size_t tried = 0, failed = 0, unread = 0, refused = 0;
    snprintf(pattern, sizeof pattern, "%s/payloads/*/*.payload", shared());
    if (glob(pattern, 0, NULL, &found) != 0) {
        print_message("no samples in %s/payloads\n", shared());
        skip();
    }
    struct eg_sink *sink = calloc(1, sizeof *sink);
    assert_non_null(sink);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = found.gl_pathv[i] + strlen(shared()) + strlen("/payloads/");
        struct sample sample = {.name = name, .format = format_of(name), .sink = sink};
        unread += !sample.format;
        if (!sample.format)
            print_message("no line: %s\n", name);
        refused += sample.format && !sample.format->source;
        if (sample.format && !sample.format->source)
            print_message("not held: %s: %s\n", name, sample.format->ignored);
        if (!sample.format || !sample.format->source)
            continue;
        tried++;
        if (!try_sample(&sample, found.gl_pathv[i])) {
            print_message("%s%s\n", name, sample.wrong);
            failed++;
        }
    }
    free(sink);
    print_message("%zu of %zu samples held, %zu wrong, %zu not held for a reason, %zu without a line\n",
                  tried - failed, (size_t)found.gl_pathc, failed, refused, unread);
    globfree(&found);
    assert_true(tried > 0 && failed == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples)};
    return cmocka_run_group_tests_name("conf/samples", tests, NULL, NULL);
}
