/* The text for Prometheus (metrics.c), read by a strict reader of the format 0.0.4: every sample belongs to the family above it, no family
 * and no sample comes twice, names keep the conventions; with names that want to break out of their quotation marks. The pipeline is
 * of cardboard. And the file it goes into (textfile.c): whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <notify/textfile.h>
#include <base/utf8.h>
#include <ecogov/quantity.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW INT64_C(1795435200000)
#define MINUTE INT64_C(60000)

static struct {
    struct eg_conf conf;
    struct eg_device_view devices[4];
    struct eg_series_view series[4]; /* one a device, unless `many` */
    struct eg_case cases[4];
    size_t device_count, case_count, many;
} house;

size_t eg_pipeline_device_count(const struct eg_pipeline *pipeline)
{
    (void)pipeline;
    return house.device_count;
}
bool eg_pipeline_device(const struct eg_pipeline *pipeline, uint32_t id, struct eg_device_view *ret)
{
    (void)pipeline;
    if (!id || id > house.device_count)
        return false;
    *ret = house.devices[id - 1];
    return true;
}
uint32_t eg_pipeline_device_series(const struct eg_pipeline *pipeline, uint32_t device, size_t index)
{
    (void)pipeline;
    return house.many ? (uint32_t)index + 1 : index ? 0 : device;
}
bool eg_pipeline_series(const struct eg_pipeline *pipeline, uint32_t id, struct eg_series_view *ret)
{
    static char channel[16];
    (void)pipeline;
    if (!id || id > (house.many ? house.many : house.device_count))
        return false;
    *ret = house.series[house.many ? 0 : id - 1];
    if (house.many) {
        snprintf(channel, sizeof channel, "%u", id);
        ret->channel = channel;
    }
    return true;
}
const struct eg_conf *eg_pipeline_conf(const struct eg_pipeline *pipeline)
{
    (void)pipeline;
    return &house.conf;
}
const struct eg_case *eg_pipeline_case_at(const struct eg_pipeline *pipeline, size_t index)
{
    (void)pipeline;
    return index < house.case_count ? &house.cases[index] : NULL;
}

static int set_up(void **unused)
{
    static struct eg_conf_site sites[2] = {{.id = "v1"}, {.id = "v2"}};
    (void)unused;
    memset(&house, 0, sizeof house);
    house.conf.sites = sites;
    house.conf.site_count = 2;
    house.device_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        static const char *const names[] = {"a1", "a2", "a3"};
        house.devices[i] = (struct eg_device_view){.id = i + 1,
                                                   .conf_site = i,
                                                   .site = i < 2 ? sites[i].id : "left",
                                                   .domain = "air",
                                                   .device = names[i],
                                                   .last_seen_ms = NOW - MINUTE,
                                                   .silent_after_ms = 10 * MINUTE,
                                                   .series_count = 1};
        house.series[i] = (struct eg_series_view){.id = i + 1,
                                                  .device = i + 1,
                                                  .quantity = EG_Q_pm25,
                                                  .channel = "",
                                                  .has_last = true,
                                                  .last_value = 12.5 + i};
    }
    house.devices[2].conf_site = EG_CONF_NONE;
    return 0;
}

/* --- the strict reader --- */

static const char *name_end(const char *at)
{
    assert_true(isalpha((unsigned char)*at) || *at == '_');
    while (isalnum((unsigned char)*at) || *at == '_')
        at++;
    return at;
}

/* Behind the closing brace. */
static const char *labels_end(const char *at)
{
    assert_int_equal(*at, '{');
    do {
        at = name_end(at + 1);
        assert_memory_equal(at, "=\"", 2);
        for (at += 2; *at != '"'; at++) {
            assert_true(*at && *at != '\n');
            if (*at == '\\') {
                at++;
                assert_true(*at == '\\' || *at == '"' || *at == 'n');
            }
        }
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

/* What promtool's linter asks of names. */
static void check_name(const char *name, const char *type)
{
    static const char *const wrong[] = {"_ms",  "_millis", "_kb",    "_count",
                                        "_sum", "_bucket", "_gauge", "_counter"};
    size_t length = strlen(name);
    bool total = length > 6 && !strcmp(name + length - 6, "_total");
    assert_int_equal(strncmp(name, "ecogov_", 7), 0);
    assert_true(!strcmp(type, "counter") || !strcmp(type, "gauge"));
    if (total != !strcmp(type, "counter"))
        fail_msg("%s is a %s", name, type);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (length > strlen(wrong[i]) && !strcmp(name + length - strlen(wrong[i]), wrong[i]))
            fail_msg("%s ends in %s", name, wrong[i]);
    for (const char *c = name; *c; c++)
        assert_true(islower((unsigned char)*c) || *c == '_');
}

static void twice_never(const char *text, const char *what, size_t length)
{
    size_t found = 0;
    for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        found += strncmp(at, what, length) == 0;
    if (found != 1)
        fail_msg("%zu times: %.*s", found, (int)length, what);
}

/* Quadratic, so long texts are looked through without `twice`. */
static size_t check(const char *text, size_t length, bool twice)
{
    char name[100] = "", type[16] = "";
    size_t samples = 0;
    assert_true(length > 0 && text[length - 1] == '\n' && strlen(text) == length);
    assert_true(eg_utf8_valid(text, length));
    for (const char *line = text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        if (strncmp(line, "# HELP ", 7) == 0) {
            const char *to = name_end(line + 7);
            twice_never(text, line, (size_t)(to + 1 - line));
            snprintf(name, sizeof name, "%.*s", (int)(to - line - 7), line + 7);
            assert_true(*to == ' ' && end - to > 10 && end[-1] == '.');
            assert_int_equal(strncmp(end + 1, "# TYPE ", 7), 0);
            line = end + 1;
            end = strchr(line, '\n');
            to = name_end(line + 7);
            assert_true((size_t)(to - line - 7) == strlen(name) && !strncmp(line + 7, name, strlen(name)));
            snprintf(type, sizeof type, "%.*s", (int)(end - to - 1), to + 1);
            check_name(name, type);
            continue;
        }
        const char *at = name_end(line);
        assert_true((size_t)(at - line) == strlen(name) && !strncmp(line, name, strlen(name)));
        if (*at == '{')
            at = labels_end(at);
        if (twice)
            twice_never(text, line, (size_t)(at + 1 - line));
        char *stop;
        assert_int_equal(*at, ' ');
        assert_false(isspace((unsigned char)at[1]));
        strtod(at + 1, &stop);
        assert_ptr_equal(stop, end);
        samples++;
    }
    return samples;
}

static struct eg_buf written(const struct eg_metrics_state *state)
{
    struct eg_buf out;
    eg_buf_init(&out, EG_METRICS_BYTES_MAX);
    eg_metrics_write(&out, NULL, state);
    assert_false(out.failed);
    return out;
}

static void has(const struct eg_buf *out, const char *line)
{
    const char *at = strstr(out->data, line);
    if (!at || (at != out->data && at[-1] != '\n') || at[strlen(line)] != '\n')
        fail_msg("no line %s in\n%s", line, out->data);
}

static void test_all_figures_are_told(void **unused)
{
    struct eg_faults faults = {0};
    (void)unused;
    eg_fault_raise(&faults, "store.full", NOW, "full");
    struct eg_metrics_state state = {.started_ms = NOW - 1500,
                                     .now_ms = NOW,
                                     .broker_connected = true,
                                     .faults = &faults,
                                     .counters = {10, 4, 3, 2, 1, 20, 15, 3, 2, 5},
                                     .commits = 7,
                                     .last_commit_us = 2500,
                                     .store = {.bytes = 4096, .bytes_written = 8192, .readings = 15},
                                     .outbox = {3, 2, 1, 9, 8, 6}};
    house.cases[0] = (struct eg_case){.site = "v1", .series = 1, .level = EG_LEVEL_CRITICAL};
    house.cases[1] = (struct eg_case){.site = "v1", .kind = EG_CASE_REPORT, .level = EG_LEVEL_CRITICAL};
    house.cases[2] = (struct eg_case){.site = "gone", .series = 3, .level = EG_LEVEL_NOTICE};
    house.cases[3] = (struct eg_case){.site = "v2", .kind = EG_CASE_DRILL, .level = EG_LEVEL_CRITICAL};
    house.case_count = 4;
    struct eg_buf out = written(&state);
    check(out.data, out.length, true);
    has(&out, "ecogov_start_time_seconds 1795435198.5");
    has(&out, "ecogov_messages_total{verdict=\"decoded\"} 4");
    has(&out, "ecogov_messages_total{verdict=\"ignored\"} 1");
    has(&out, "ecogov_readings_total{fate=\"stored\"} 15");
    has(&out, "ecogov_readings_total{fate=\"rejected\"} 2");
    has(&out, "ecogov_readings_corrected_total 5");
    has(&out, "ecogov_last_commit_duration_seconds 0.0025");
    has(&out, "ecogov_store_bytes 4096");
    has(&out, "ecogov_store_written_bytes_total 8192");
    has(&out, "ecogov_outbox_messages{state=\"unreachable\"} 1");
    has(&out, "ecogov_outbox_results_total{result=\"failed\"} 8");
    has(&out, "ecogov_outbox_retries_total 6");
    has(&out, "ecogov_fault{key=\"store.full\"} 1");
    has(&out, "ecogov_cases_open{site=\"v1\",level=\"critical\"} 2");
    has(&out, "ecogov_cases_open{site=\"v2\",level=\"critical\"} 0");
    has(&out, "ecogov_cases_open{site=\"\",level=\"notice\"} 1");
    has(&out, "ecogov_reading{site=\"v1\",domain=\"air\",device=\"a1\",quantity=\"pm25\",channel=\"\",unit="
              "\"ug/m3\"} 12.5");
    has(&out, "ecogov_reading{site=\"left\",domain=\"air\",device=\"a3\",quantity=\"pm25\",channel=\"\",unit="
              "\"ug/m3\"} 14.5");
    eg_buf_finish(&out);
}

static void test_silent_devices_are_counted_not_shown(void **unused)
{
    const struct eg_metrics_state state = {.now_ms = NOW};
    (void)unused;
    house.devices[0].last_seen_ms = NOW - 11 * MINUTE;
    house.devices[1].gone = true;
    house.series[2].has_last = false;
    struct eg_buf out = written(&state);
    check(out.data, out.length, true);
    assert_null(strstr(out.data, "\necogov_reading{"));
    has(&out, "ecogov_devices{site=\"v1\",state=\"silent\"} 1");
    has(&out, "ecogov_devices{site=\"v1\",state=\"heard\"} 0");
    has(&out, "ecogov_devices{site=\"v2\",state=\"silent\"} 1");
    has(&out, "ecogov_devices{site=\"\",state=\"heard\"} 1");
    eg_buf_finish(&out);
}

static void test_names_stay_in_their_quotation_marks(void **unused)
{
    const struct eg_metrics_state state = {.now_ms = NOW};
    (void)unused;
    house.devices[0].device = "a\"} 1\necogov_up 1\n\\";
    house.devices[1].device = "传感器 {,}=";
    house.devices[2].device = "\xff\xc0x"; /* no UTF-8 */
    house.series[0].channel = "\\\\\"";
    house.series[1].last_value = -1e-9;
    struct eg_buf out = written(&state);
    check(out.data, out.length, true);
    has(&out, "ecogov_reading{site=\"v1\",domain=\"air\",device=\"a\\\"} 1\\necogov_up "
              "1\\n\\\\\",quantity=\"pm25\","
              "channel=\"\\\\\\\\\\\"\",unit=\"ug/m3\"} 12.5");
    assert_non_null(strstr(out.data, "device=\"传感器 {,}=\""));
    assert_non_null(strstr(out.data, "device=\"??x\""));
    eg_buf_finish(&out);
}

static void test_latest_values_are_bounded(void **unused)
{
    const struct eg_metrics_state state = {.now_ms = NOW};
    size_t shown = 0;
    (void)unused;
    house.device_count = 1;
    house.many = house.devices[0].series_count = EG_METRICS_READINGS_MAX + 7;
    struct eg_buf out = written(&state);
    check(out.data, out.length, false);
    for (const char *at = out.data; (at = strstr(at, "\necogov_reading{")); at++)
        shown++;
    assert_int_equal(shown, EG_METRICS_READINGS_MAX);
    has(&out, "ecogov_readings_left_out 7");
    eg_buf_finish(&out);
}

static void test_the_file_is_whole_or_not_there(void **unused)
{
    char folder[] = "/tmp/eg-metrics-XXXXXX", path[64], fresh[72], text[16] = "", victim[64];
    struct eg_err err = {EG_OK, ""};
    struct stat stat_buf;
    (void)unused;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.prom", folder);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    snprintf(victim, sizeof victim, "%s/victim", folder);
    mode_t mask = umask(0077);
    assert_int_equal(eg_textfile_put(path, "first\n", 6, &err), EG_OK);
    assert_int_equal(stat(path, &stat_buf), 0);
    assert_int_equal(stat_buf.st_mode & 0777, 0644); /* the collector is another user */
    assert_int_equal(symlink(victim, fresh), 0);     /* somebody's trap in a folder others may write to */
    assert_int_equal(eg_textfile_put(path, "second\n", 7, &err), EG_OK);
    assert_int_equal(access(victim, F_OK), -1);
    assert_int_equal(access(fresh, F_OK), -1);
    umask(mask);
    assert_int_equal(mkdir(fresh, 0700), 0);
    assert_int_equal(eg_textfile_put(path, "third\n", 6, &err), EG_EIO);
    assert_non_null(strstr(err.text, "m.prom"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "second\n");
    assert_int_equal(rmdir(fresh), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* cannot be renamed onto: nothing is left behind */
    assert_int_equal(eg_textfile_put(path, "fourth\n", 7, &err), EG_EIO);
    assert_int_equal(access(fresh, F_OK), -1);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_figures_are_told, set_up),
        cmocka_unit_test_setup(test_silent_devices_are_counted_not_shown, set_up),
        cmocka_unit_test_setup(test_names_stay_in_their_quotation_marks, set_up),
        cmocka_unit_test_setup(test_latest_values_are_bounded, set_up),
        cmocka_unit_test(test_the_file_is_whole_or_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
