/* Configurations from files: what they come to, defaults, includes, paths; and the contract's own examples.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <conf/conf.h>
#include <ecogov/time.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct eg_buf faults;

static const char *path_of(const char *name)
{
    static char path[2][PATH_MAX];
    static unsigned turn;
    char *out = path[turn++ % 2];
    snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return out;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static struct eg_conf *load(const char *name)
{
    eg_buf_clear(&faults);
    return eg_conf_load(path_of(name), &faults);
}

static struct eg_conf *good(const char *name)
{
    struct eg_conf *conf = load(name);
    if (!conf)
        fail_msg("%s", faults.data);
    assert_int_equal(faults.length, 0);
    return conf;
}

/* `wanted`, with @ for the folder, is all that is said. */
static void bad(const char *name, const char *wanted)
{
    struct eg_buf whole;
    assert_null(load(name));
    eg_buf_init(&whole, 1 << 16);
    for (; *wanted; wanted++)
        if (*wanted == '@')
            eg_buf_text(&whole, folder);
        else
            eg_buf_add(&whole, wanted, 1);
    assert_string_equal(faults.data, whole.data);
    eg_buf_finish(&whole);
}

static void test_defaults(void **unused)
{
    (void)unused;
    static const char *const empty[] = {"", "# nothing\n", "---\n", "{}\n", "\n\n"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        put("empty.yaml", empty[i]);
        struct eg_conf *conf = good("empty.yaml");
        assert_string_equal(conf->mqtt.host, "127.0.0.1");
        assert_int_equal(conf->mqtt.port, 1883);
        assert_int_equal(conf->mqtt.receive_maximum, 65535);
        assert_true(conf->mqtt.session_expiry_ms == INT64_C(7) * 86400000 && conf->mqtt.publish &&
                    !conf->mqtt.tls);
        assert_true(conf->store.commit_interval_ms == 1000 &&
                    conf->store.retain_raw_ms == INT64_C(400) * 86400000 &&
                    conf->store.retain_hour_ms == INT64_C(1825) * 86400000 &&
                    conf->store.retain_day_ms == 0 && conf->store.max_size == INT64_C(4000000000) &&
                    conf->store.endurance_bytes == INT64_C(10000000000000));
        assert_string_equal(conf->time_zone, "Asia/Shanghai");
        assert_true(conf->auto_register && conf->late_limit_ms == 86400000 &&
                    conf->future_tolerance_ms == 300000);
        assert_int_equal(conf->rule_count + conf->site_count + conf->party_count + conf->device_count, 0);
        assert_int_equal(conf->source_count, 1); /* the one of CONTRACT §4 */
        assert_string_equal(conf->sources[0].topic, "ecogov/{site}/{domain}/{device}");
        assert_string_equal(conf->sources[0].driver->name, "json");
        eg_conf_destroy(conf);
    }
    eg_conf_destroy(NULL);
}

static void test_values(void **unused)
{
    (void)unused;
    put("all.yaml",
        "mqtt: {host: broker, port: 8883, client_id: 'gw 1', user: u, password_file: secret, ca_file: "
        "/etc/ca.pem, keepalive: 30s,\n"
        "       receive_maximum: 20, session_expiry: 1h, publish: false}\n"
        "store: {path: state/x.db, commit_interval: 250ms, retain_raw: 30d, max_size: 512MiB,\n"
        "  retain: [{domain: soil, quantity: temp, raw: 0, hour: 9d}]}\n"
        "socket: {path: /run/x.sock, supervisors: [li, '@grid']}\n"
        "board: {dir: ../board, interval: 5m}\nmetrics: {file: ../m.prom, interval: 15s}\n"
        "time_zone: Europe/Berlin\nauto_register: no\nlate_limit: 2d\nfuture_tolerance: 0\nmax_devices: 7\n"
        "parties:\n  - {id: p1, name: One, sector: society}\n  - {id: p2, sector: market}\n"
        "sites:\n  - {id: spot, parent: village, parties: [p2, p1], mode: alternative}\n"
        "  - {id: village, name: 村, level: village, latitude: -30.5, longitude: 1.2e2}\n  - {id: else}\n"
        "devices:\n  - {id: d1, site: spot, domain: soil, name: D, land_use: paddy, silent_after: 2h, "
        "position: {latitude: 1, longitude: 2},\n"
        "     calibration: [{quantity: PM2.5, scale: 1.1, offset: -3, from: '2026-01-01T00:00:00Z'}, "
        "{quantity: pm10}]}\n"
        "sources:\n  - {id: s1, topic: 'x/{device}/#', site: spot, domain: air, driver: json, time: /t, "
        "fields: [{path: /a, quantity: temp, unit: degF}]}\n"
        "rules:\n  - {id: r1, quantity: pm2.5, statistic: mean, window: 24h, direction: below, levels: "
        "{notice: {open: 10, clear: 12}, critical: {open: 5, clear: 5}},\n"
        "     hold: 10m, clear_hold: 1h, sites: [village], domain: air, basis: b, action: a, title: t, "
        "title_zh: 题, deadline: {acknowledge: 2h, fix: 48h, verify: 7d}}\n"
        "  - {id: r2, quantity: fill, levels: {warning: {open: 80, clear: 60}}}\n");
    struct eg_conf *conf = good("all.yaml");
    const struct eg_conf_retain *retain = conf->store.retain;
    assert_true(conf->store.retain_count == 1 && !strcmp(retain->domain, "soil") &&
                retain->quantity == EG_Q_temperature && retain->raw_ms == 0 &&
                retain->hour_ms == INT64_C(9) * 86400000 && retain->day_ms < 0);
    assert_string_equal(conf->path, path_of("all.yaml"));
    assert_string_equal(conf->mqtt.host, "broker");
    assert_int_equal(conf->mqtt.port, 8883);
    assert_string_equal(conf->mqtt.client_id, "gw 1");
    assert_string_equal(conf->mqtt.password_file, path_of("secret"));
    assert_string_equal(conf->mqtt.ca_file, "/etc/ca.pem");
    assert_true(conf->mqtt.tls && !conf->mqtt.publish && conf->mqtt.keepalive_s == 30 &&
                conf->mqtt.receive_maximum == 20 && conf->mqtt.session_expiry_ms == 3600000);
    assert_string_equal(conf->store.path, path_of("state/x.db"));
    assert_true(conf->store.commit_interval_ms == 250 && conf->store.max_size == INT64_C(536870912));
    assert_string_equal(conf->socket.path, "/run/x.sock");
    assert_int_equal(conf->socket.supervisor_count, 2);
    assert_string_equal(conf->socket.supervisors[1], "@grid");
    assert_string_equal(conf->board.dir, path_of("../board"));
    assert_string_equal(conf->metrics.file, path_of("../m.prom"));
    assert_int_equal(conf->metrics.interval_ms, 15000);
    assert_true(!conf->auto_register && conf->late_limit_ms == 172800000 && conf->future_tolerance_ms == 0 &&
                conf->max_devices == 7);

    assert_int_equal(conf->site_count, 3);
    assert_int_equal(conf->sites[0].parent, 1); /* forward references are fine */
    assert_int_equal(conf->sites[1].parent, EG_CONF_NONE);
    assert_int_equal(conf->sites[0].mode, EG_MODE_ALTERNATIVE);
    assert_true(conf->sites[0].party_count == 2 && conf->sites[0].parties[0] == 1 &&
                conf->sites[0].parties[1] == 0);
    assert_true(conf->sites[1].latitude == -30.5 && conf->sites[1].longitude == 120 &&
                isnan(conf->sites[0].latitude));
    assert_string_equal(conf->sites[0].name, "spot");
    assert_string_equal(conf->sites[1].name, "村");
    assert_int_equal(eg_conf_site_find(conf, "villagex", 7), 1);
    assert_int_equal(eg_conf_site_find(conf, "villag", 6), EG_CONF_NONE);
    assert_true(eg_conf_site_within(conf, 0, 1) && eg_conf_site_within(conf, 0, 0) &&
                !eg_conf_site_within(conf, 1, 0) && !eg_conf_site_within(conf, 2, 1) &&
                !eg_conf_site_within(conf, EG_CONF_NONE, 1));

    const struct eg_conf_device *device = &conf->devices[0];
    assert_true(device->site == 0 && device->silent_after_ms == 7200000 && device->longitude == 2 &&
                device->calibration_count == 2);
    assert_true(device->calibrations[0].quantity == EG_Q_pm25 && device->calibrations[0].scale == 1.1 &&
                device->calibrations[0].offset == -3 &&
                device->calibrations[0].from_ms == INT64_C(1767225600000));
    assert_true(device->calibrations[1].scale == 1 && device->calibrations[1].offset == 0 &&
                device->calibrations[1].from_ms == INT64_MIN);
    assert_string_equal(conf->sources[0].site, "spot");
    assert_non_null(conf->sources[0].prepared);

    const struct eg_conf_rule *rule = &conf->rules[0];
    assert_true(rule->quantity == EG_Q_pm25 && rule->statistic == EG_STAT_MEAN && rule->below &&
                rule->window_ms == 86400000 && rule->hold_ms == 600000 && rule->clear_hold_ms == 3600000);
    assert_true(rule->levels[EG_LEVEL_NOTICE].set && !rule->levels[EG_LEVEL_WARNING].set &&
                rule->levels[EG_LEVEL_CRITICAL].set && rule->levels[EG_LEVEL_NOTICE].clear == 12 &&
                rule->levels[EG_LEVEL_CRITICAL].open == 5);
    assert_true(rule->site_count == 1 && rule->sites[0] == 1 &&
                rule->terms.deadline_ms[EG_LEVEL_WARNING][EG_DEADLINE_ACKNOWLEDGE] == 7200000 &&
                rule->terms.deadline_ms[EG_LEVEL_WARNING][EG_DEADLINE_VERIFY] == 604800000);
    assert_true(conf->rules[1].statistic == EG_STAT_LAST && !conf->rules[1].below &&
                conf->rules[1].site_count == 0 && !conf->rules[1].domain);
    eg_conf_destroy(conf);
}

/* The version of a rule moves with what it decides, and with nothing else. */
static void test_rule_versions(void **unused)
{
    (void)unused;
#define R(rest) "sites: [{id: a}, {id: b}]\nrules:\n  - {id: r, quantity: pm25, " rest "}\n"
    static const struct {
        const char *text;
        bool same;
    } table[] = {
        {R("levels: {warning: {open: 75.0, clear: 70}}"), true},
        {R("levels: {warning: {open: 75, clear: 70}}, basis: other, action: x, title: t"), true},
        {R("levels: {warning: {open: 75, clear: 70}}, statistic: last, direction: above, hold: 0s, deadline: "
           "{fix: 1h}"),
         true},
        {R("levels: {warning: {open: 75, clear: 69}}"), false},
        {R("levels: {warning: {open: 76, clear: 70}}"), false},
        {R("levels: {notice: {open: 75, clear: 70}}"), false},
        {R("levels: {warning: {open: 75, clear: 70}}, hold: 1s"), false},
        {R("levels: {warning: {open: 75, clear: 70}}, clear_hold: 1s"), false},
        {R("levels: {warning: {open: 75, clear: 70}}, statistic: max"), false},
        {R("levels: {warning: {open: 75, clear: 75}}, direction: below"), false},
        {R("levels: {warning: {open: 75, clear: 70}}, sites: [a]"), false},
        {R("levels: {warning: {open: 75, clear: 70}}, sites: [b]"), false},
        {R("levels: {warning: {open: 75, clear: 70}}, domain: air"), false},
    };
    uint64_t first = 0, seen[sizeof table / sizeof *table];
    put("r.yaml", R("levels: {warning: {open: 75, clear: 70}}"));
    struct eg_conf *conf = good("r.yaml");
    first = conf->rules[0].version;
    eg_conf_destroy(conf);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        put("r.yaml", table[i].text);
        conf = good("r.yaml");
        seen[i] = conf->rules[0].version;
        if ((seen[i] == first) != table[i].same)
            fail_msg("version and meaning differ: %s", table[i].text);
        for (size_t k = 0; k < i; k++)
            assert_true(table[i].same || seen[k] != seen[i]);
        eg_conf_destroy(conf);
    }
}

static void test_includes(void **unused)
{
    (void)unused;
    mkdir(path_of("sub"), 0700);
    mkdir(path_of("sub/d"), 0700);
    put("main.yaml", "include: [sub/*.yaml, none-*.yaml, more.yaml]\nsites: [{id: m}]\n");
    put("sub/20.yaml", "sites: [{id: b, parent: a}]\nstore: {path: here.db}\n");
    put("sub/10.yaml", "include: [d/deep.yaml]\nsites: [{id: a, parent: deep}]\n");
    put("sub/d/deep.yaml", "sites: [{id: deep}]\nboard: {dir: board}\n");
    put("sub/notes.txt", "no: {yaml\n");
    put("more.yaml", "# nothing yet\n");
    struct eg_conf *conf = good("main.yaml");
    assert_int_equal(conf->site_count, 4);
    static const char *const order[] = {"m", "a", "deep", "b"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(conf->sites[i].id, order[i]);
    assert_string_equal(conf->store.path, path_of("sub/here.db")); /* relative to the file that names it */
    assert_string_equal(conf->board.dir, path_of("sub/d/board"));
    eg_conf_destroy(conf);

    char text[PATH_MAX + 40];
    snprintf(text, sizeof text, "include: ['%s']\n", path_of("sub/d/deep.yaml"));
    put("absolute.yaml", text);
    conf = good("absolute.yaml");
    assert_int_equal(conf->site_count, 1);
    eg_conf_destroy(conf);
}

static void test_faults_of_files(void **unused)
{
    (void)unused;
    mkdir(path_of("dir.yaml"), 0700);
    bad("nowhere.yaml", "@/nowhere.yaml:1:1: @/nowhere.yaml cannot be read: No such file or directory\n");
    bad("dir.yaml", "@/dir.yaml:1:1: @/dir.yaml cannot be read: Is a directory\n");
    put("i.yaml",
        "sites: []\ninclude:\n  - nowhere.yaml\n  - dir.yaml\n  - ok.yaml\n  - ok.yaml\n  - i.yaml\n");
    put("ok.yaml", "sites: [{id: a}]\n");
    bad("i.yaml", "@/i.yaml:3:5: @/nowhere.yaml cannot be read: No such file or directory\n"
                  "@/i.yaml:4:5: @/dir.yaml cannot be read: Is a directory\n"
                  "@/i.yaml:6:5: @/ok.yaml is included a second time\n"
                  "@/i.yaml:7:5: @/i.yaml is included a second time\n");
    /* each in its own file, in the order of reading; and what one file says, another may not say again */
    put("two.yaml",
        "time_zone: UTC\ninclude: [one.yaml, ok.yaml]\nsites:\n  - {id: b, parent: x}\n  - {id: a}\n");
    put("one.yaml", "\nmax_devices: 0\ntime_zone: UTC\ndevices: [{id: c, sit: b}]\n");
    bad("two.yaml", "@/two.yaml:4:21: there is no site 'x'\n"
                    "@/one.yaml:2:14: max_devices is 0, it may be 1 to 500000\n"
                    "@/one.yaml:3:12: time_zone is given in @/two.yaml already\n"
                    "@/one.yaml:4:11: 'site' is missing here\n"
                    "@/one.yaml:4:19: unknown key 'sit' (did you mean 'site'?)\n"
                    "@/ok.yaml:1:14: site 'a' is given twice\n");
}

static void test_too_much(void **unused)
{
    (void)unused;
    char name[40], text[60];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "n%d.yaml", i);
        snprintf(text, sizeof text, "include: [n%d.yaml]\n", i + 1);
        put(name, text);
    }
    bad("n0.yaml", "@/n8.yaml:1:11: includes are nested deeper than 8\n");

    FILE *file = fopen(path_of("huge.yaml"), "w");
    for (int i = 0; i < 1024 * 1024 / 8; i++)
        fputs("# 3456 \n", file);
    fclose(file);
    struct eg_conf *conf = good("huge.yaml"); /* exactly a mebibyte */
    eg_conf_destroy(conf);
    file = fopen(path_of("huge.yaml"), "a");
    fputs("#", file);
    fclose(file);
    bad("huge.yaml", "@/huge.yaml:1:1: @/huge.yaml is larger than 1 MiB\n");

    mkdir(path_of("many"), 0700);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "many/%03d.yaml", i);
        put(name, "");
    }
    put("many.yaml", "include: ['many/*']\n");
    assert_null(load("many.yaml"));
    assert_non_null(strstr(faults.data, "/many/255.yaml is one file too many (at most 256)"));
}

/* Five thousand sites and rules: their cross references must not take minutes. */
static void test_a_large_one(void **unused)
{
    (void)unused;
    FILE *file = fopen(path_of("large.yaml"), "w");
    fputs("sites:\n", file);
    for (int i = 0; i < 5000; i++)
        fprintf(file, "  - {id: s%d, parent: s%d}\n", i, (i + 1) % 5001 < 5000 ? i + 1 : 0);
    fclose(file);
    assert_null(load("large.yaml"));
    assert_non_null(
        strstr(faults.data, "large.yaml:5001:")); /* the last one closes the circle, and only it is named */
    assert_int_equal(strchr(faults.data, '\n') - faults.data + 1, faults.length);
}

static void test_the_contract_loads_unchanged(void **unused)
{
    (void)unused;
    const char *shared = getenv("ECOGOV_SHARED") ? getenv("ECOGOV_SHARED") : SOURCE_DIR "/../shared";
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/contract/ecogov.yaml", shared);
    if (access(path, R_OK) != 0) {
        print_message("no contract at %s\n", path);
        skip();
    }
    eg_buf_clear(&faults);
    struct eg_conf *conf = eg_conf_load(path, &faults);
    if (!conf)
        fail_msg("%s", faults.data);
    assert_string_equal(conf->mqtt.client_id, "ecogov-shangtian");
    assert_int_equal(conf->site_count, 3);
    assert_int_equal(conf->party_count, 3);
    assert_int_equal(conf->source_count, 2);
    assert_int_equal(conf->rule_count, 2);
    assert_string_equal(conf->rules[0].id, "pm25-now");
    assert_true(conf->rules[0].levels[EG_LEVEL_WARNING].open == 75 && conf->rules[1].hold_ms == 600000);
    assert_true(eg_conf_site_within(conf, eg_conf_site_find(conf, "shangtian", 9), conf->rules[1].sites[0]));
    const char *board = strrchr(conf->board.dir, '/');
    assert_true(conf->board.dir[0] == '/' && strcmp(board, "/board") == 0);
    eg_conf_destroy(conf);
}

static int set_up(void **unused)
{
    (void)unused;
    snprintf(folder, sizeof folder, "/tmp/eg-conf-XXXXXX");
    eg_buf_init(&faults, 1 << 20);
    return mkdtemp(folder) ? 0 : -1;
}

static void empty_out(const char *path)
{
    char inner[PATH_MAX];
    DIR *stream = opendir(path);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(inner, sizeof inner, "%.2000s/%s", path, entry->d_name);
        if (unlink(inner) != 0 && (errno == EISDIR || errno == EPERM))
            empty_out(inner);
    }
    if (stream)
        closedir(stream);
    rmdir(path);
}

static int take_down(void **unused)
{
    (void)unused;
    empty_out(folder);
    eg_buf_finish(&faults);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
/* A preset: built in, beside the file, in the file; what the source says itself wins. */
static void test_presets(void **unused)
{
    (void)unused;
    put("p.yaml", "sites: [{id: a}]\n"
                  "presets:\n  - {id: own, topic: 'own/{device}', domain: soil, driver: json}\n"
                  "sources:\n"
                  "  - {id: one, preset: airgradient, site: a}\n"
                  "  - {id: two, preset: airgradient, topic: 'x/{domain}/{device}', site: a}\n"
                  "  - {id: three, preset: own, site: a, domain: waste}\n");
    struct eg_conf *conf = good("p.yaml");
    const struct eg_conf_source *row = conf->sources;
    assert_int_equal(conf->source_count, 3);
    assert_string_equal(row[0].topic, "airgradient/readings/{device}");
    assert_string_equal(row[0].domain, "air");
    assert_string_equal(row[0].driver->name, "json");
    assert_string_equal(row[1].topic, "x/{domain}/{device}");
    assert_null(row[1].domain);
    assert_string_equal(row[2].topic, "own/{device}");
    assert_string_equal(row[2].domain, "waste");
    assert_false(row[2].payload_device);
    eg_conf_destroy(conf);
    /* A file beside wins over what was built in. */
    assert_int_equal(mkdir(path_of("presets"), 0755), 0);
    put("presets/airgradient.yaml",
        "presets: [{id: airgradient, topic: 'z/#', driver: json, device_path: /serial}]\n");
    put("p.yaml", "sites: [{id: a}]\nsources: [{id: one, preset: airgradient, site: a, domain: air}]\n");
    conf = good("p.yaml");
    assert_string_equal(conf->sources[0].topic, "z/#");
    assert_true(conf->sources[0].payload_device);
    assert_null(conf->sources[0].device);
    eg_conf_destroy(conf);
    put("presets/airgradient.yaml", "presets: [{id: other, driver: json}]\n");
    bad("p.yaml", "@/p.yaml:2:29: there is no preset 'airgradient' (did you mean 'airgradient'?)\n");
    assert_int_equal(unlink(path_of("presets/airgradient.yaml")) | rmdir(path_of("presets")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),      TEST(test_presets),     TEST(test_values),
        TEST(test_rule_versions), TEST(test_includes),    TEST(test_faults_of_files),
        TEST(test_too_much),      TEST(test_a_large_one), TEST(test_the_contract_loads_unchanged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
