/* The payloads that stand in the comments of conf/sources.d are read by the sources below them, and give
 * these readings. Knows templates only as far as needed to find the source of an example; the router has its
 * own tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <conf/conf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 * 1024)
#define ARRIVED INT64_C(1795500000000)

/* readings: quantity[/channel]=value, with @ where the payload has the time 2026-11-23T07:00:00Z (or, behind
 * the point, more). */
static const struct {
    const char *file, *readings[3];
} shapes[] = {
    {"village-json.yaml",
     {"pm25=35.2@0 temperature=21.4@0", "fill_level=82@0 bin_temp=24@0 battery=91@0",
      "soil_moisture/10cm=24.1@0 soil_moisture/30cm=27.9@0"}},
    {"presets/airgradient.yaml",
     {"pm1=22 pm25=34 pm25/raw=34 pm10=41 co2=778 temperature=22.17 humidity=47 temperature/housing=23.1 "
      "humidity/housing=32 rssi=-52"}},
    {"presets/sensor-community.yaml",
     {"pm10=4.3 pm25=3.53 temperature/bme280=6.86 pressure/bme280=1000.04 rssi=-82"}},
    {"presets/purpleair.yaml",
     {"pm25/a=8@0 pm25/b=11@0 temperature=17.7778@0 humidity=39@0 pressure=1018.62@0 rssi=-70@0"}},
    {"presets/purpleair-cloud.yaml",
     {"humidity=13@0 temperature=27.7778@0 pm25=4.5@0 humidity=15@0 temperature=27.2222@0 pm25=4.7@0"}},
    {"own-device.yaml.example",
     {"soil_moisture/10cm=24.1@0 soil_temp/10cm=14.1@0 tilt/10cm=90@0 voltage/10cm=3.61@0 "
      "soil_temp/10cm=13.9@0 tilt/10cm=0@0 "
      "voltage/10cm=3.58@0"}},
    {"gas-station.yaml.example", {"no2=38@0 o3=61@0 temperature=-10@0 humidity=60@0"}},
    {"dusty.yaml.example", {"pm25=35.2@0 pm10=61@0 temperature=21.3889@0 voltage=3.89@0"}},
    {"soil-profile.yaml.example",
     {"soil_moisture/10=24.1@0 soil_ec/10=0.31@0 soil_temp/10=14.2@0 soil_moisture/30=27.9@0 "
      "soil_ec/30=0.28@0 "
      "soil_temp/30=15@0"}},
    {"weather-station.yaml.example",
     {"temperature=12.4@0 humidity=71@0 pressure=1019.2@0 wind_speed=2.1@0 wind_dir=310@0 rain=0@0"}},
};

static char *text_of(const char *name)
{
    char path[512], *text = calloc(1, TEXT_MAX);
    snprintf(path, sizeof path, "%s/conf/%s", SOURCE_DIR, name);
    FILE *file = fopen(path, "re");
    if (!text || !file)
        fail_msg("%s cannot be read", path);
    assert_true(fread(text, 1, TEXT_MAX - 1, file) > 0);
    fclose(file);
    return text;
}

static struct eg_conf *load(const char *file)
{
    char name[200];
    struct eg_buf faults;
    snprintf(name, sizeof name, "sources.d/%s", file);
    char *sites = text_of("sites.d/village.yaml"), *sources = text_of(name), *both = calloc(2, TEXT_MAX);
    assert_non_null(both);
    int used = snprintf(both, 2 * TEXT_MAX, "%s\n%s", sites, sources);
    const char *preset = strncmp(file, "presets/", 8) == 0 ? file + 8 : NULL;
    if (preset) /* as one line takes it; of those that leave the topic open, the example's own */
        snprintf(both + used, 2 * TEXT_MAX - (size_t)used,
                 "\nsources: [{id: s, preset: %.*s, site: shangtian%s%s}]\n", (int)strcspn(preset, "."),
                 preset, strstr(sources, "\n    topic: ") ? "" : ", topic: '{device}'",
                 strstr(sources, "\n    domain: ") ? "" : ", domain: air");
    eg_buf_init(&faults, 65536);
    struct eg_conf *conf = eg_conf_parse(name, both, strlen(both), &faults);
    if (!conf)
        fail_msg("%s: %s", file, faults.data);
    eg_buf_finish(&faults);
    free(both);
    free(sources);
    free(sites);
    return conf;
}

static bool fits(const char *template, const char *topic)
{
    for (;;) {
        size_t wanted = strcspn(template, "/"), given = strcspn(topic, "/");
        bool any = *template == '+' || *template == '{';
        if (!any && (wanted != given || memcmp(template, topic, wanted) != 0))
            return false;
        if (!template[wanted] || !topic[given])
            return template[wanted] == topic[given];
        template += wanted + 1;
        topic += given + 1;
    }
}

/* "#   topic    {payload" and the lines that continue it: "#" and at least 10 blanks. */
static const char *next_example(const char *at, char topic[256], char payload[1024])
{
    for (; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        size_t length = strncmp(at, "#   ", 4) == 0 ? strcspn(at + 4, " \n") : 0;
        const char *json = at + 4 + length;
        if (!length || length >= 256 || strncmp(json, "    ", 4) != 0 || !strchr("{[", json[4]))
            continue;
        memcpy(topic, at + 4, length);
        topic[length] = '\0';
        size_t used = 0;
        for (at = json + 4;; at += 11) {
            size_t more = strcspn(at, "\n");
            assert_true(used + more < 1023);
            memcpy(payload + used, at, more);
            used += more;
            at += more + (at[more] == '\n');
            if (strncmp(at, "#          ", 11) != 0)
                break;
        }
        payload[used] = '\0';
        return at;
    }
    return NULL;
}

static void write_readings(const struct eg_sink *sink, char *out, size_t size)
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < sink->count; i++) {
        const struct eg_reading *reading = &sink->readings[i];
        used += (size_t)snprintf(out + used, size - used, "%s%s%s%s=%g", i ? " " : "",
                                 eg_quantity_info(reading->quantity)->name, *reading->channel ? "/" : "",
                                 reading->channel, reading->value);
        if (reading->time_ms != EG_TIME_NONE)
            used += (size_t)snprintf(out + used, size - used, "@%lld",
                                     (long long)(reading->time_ms - INT64_C(1795417200000)));
        assert_true(used < size);
    }
}

static void try(const struct eg_conf *conf, const char *file, const char *topic, const char *payload,
                const char *expected)
{
    char readings[2048];
    struct eg_sink *sink = calloc(1, sizeof *sink);
    const struct eg_conf_source *source = NULL;
    const struct eg_message message = {.topic = topic,
                                       .topic_len = strlen(topic),
                                       .payload = (const uint8_t *)payload,
                                       .payload_len = strlen(payload),
                                       .arrived_ms = ARRIVED};
    assert_non_null(sink);
    for (size_t i = 0; i < conf->source_count && !source; i++)
        if (fits(conf->sources[i].topic, topic))
            source = &conf->sources[i];
    if (!source)
        fail_msg("%s: no source there takes %s", file, topic);
    if (source->driver->decode(source->prepared, &message, sink) != EG_DECODED)
        fail_msg("%s: %s: %s", file, payload, sink->reason);
    write_readings(sink, readings, sizeof readings);
    assert_string_equal(readings, expected);
    free(sink);
}

static void test_shapes(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char topic[256], payload[1024], name[200];
        int count = 0;
        struct eg_conf *conf = load(shapes[i].file);
        snprintf(name, sizeof name, "sources.d/%s", shapes[i].file);
        char *text = text_of(name);
        for (const char *at = text; (at = next_example(at, topic, payload)) != NULL; count++) {
            if (count >= 3 || !shapes[i].readings[count])
                fail_msg("%s: what does this example give? %s", name, payload);
            try(conf, name, topic, payload, shapes[i].readings[count]);
        }
        if (!count || (count < 3 && shapes[i].readings[count]))
            fail_msg("%s: %d examples, more are expected", name, count);
        free(text);
        eg_conf_destroy(conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes)};
    return cmocka_run_group_tests_name("conf/shapes", tests, NULL, NULL);
}
