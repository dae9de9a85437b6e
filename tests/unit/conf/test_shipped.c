/* What an administrator is given says the truth: conf/ loads, its commented values are the defaults, and
 * conf/ and ecogov.yaml(5) name the keys of the schema tables, all of them and no others. Refuses to know
 * what the keys do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <conf/conf.h>
#include <conf/schema.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define TEXT_MAX ((size_t)256 * 1024)
#define KEYS_MAX 400
#define KEY_MAX 80

/* --- texts --- */

static char *text_of(const char *path)
{
    char *text = calloc(1, TEXT_MAX);
    FILE *file = fopen(path, "re");
    if (!text || !file)
        fail_msg("%s cannot be read", path);
    size_t length = fread(text, 1, TEXT_MAX - 1, file);
    fclose(file);
    assert_true(length > 0 && length < TEXT_MAX - 1);
    return text;
}

/* "#key: value", "#  key: value" or "#  - …": what may be switched on. Prose stands one blank behind its
 * mark. */
static bool is_setting(const char *line)
{
    size_t blanks = strspn(line, " ");
    if (blanks == 1)
        return false;
    line += blanks;
    if (strncmp(line, "- {", 3) == 0)
        return true;
    if (strncmp(line, "- ", 2) == 0)
        line += 2;
    size_t word = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return word && line[word] == ':' && (line[word + 1] == ' ' || line[word + 1] == '\n');
}

/* Takes away the marks of lines with up to `marks` of them. Gives how many lines that were. */
static int switch_on(const char *text, int marks, char *out)
{
    int count = 0;
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n") + 1, used = strspn(line, "#");
        bool on = used && used <= (size_t)marks && is_setting(line + used);
        size_t skipped = on ? used : 0;
        memcpy(out, line + skipped, length - skipped);
        out += length - skipped;
        count += on;
        line += length;
    }
    *out = '\0';
    return count;
}

/* --- configurations --- */

static struct eg_conf *parse(const char *text)
{
    struct eg_buf faults;
    eg_buf_init(&faults, 65536);
    struct eg_conf *conf = eg_conf_parse("test", text, strlen(text), &faults);
    if (!conf)
        fail_msg("%s---\n%s", faults.data, text);
    eg_buf_finish(&faults);
    return conf;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const struct eg_conf_socket *a, const struct eg_conf_socket *b)
{
    bool same = a->supervisor_count == b->supervisor_count;
    for (size_t i = 0; same && i < a->supervisor_count; i++)
        same = same_text(a->supervisors[i], b->supervisors[i]);
    same = same && a->clerks_told == b->clerks_told && a->clerk_count == b->clerk_count;
    for (size_t i = 0; same && i < a->clerk_count; i++)
        same = same_text(a->clerks[i], b->clerks[i]);
    return same;
}

static bool same_mqtt(const struct eg_conf_mqtt *a, const struct eg_conf_mqtt *b)
{
    return same_text(a->host, b->host) && a->port == b->port && same_text(a->client_id, b->client_id) &&
           same_text(a->user, b->user) && same_text(a->password, b->password) &&
           same_text(a->password_file, b->password_file) && same_text(a->ca_file, b->ca_file) &&
           same_text(a->cert_file, b->cert_file) && same_text(a->key_file, b->key_file) && a->tls == b->tls &&
           a->tls_insecure == b->tls_insecure && a->keepalive_s == b->keepalive_s &&
           a->receive_maximum == b->receive_maximum && a->session_expiry_ms == b->session_expiry_ms &&
           a->publish == b->publish;
}

static bool same(const struct eg_conf *a, const struct eg_conf *b)
{
    return same_mqtt(&a->mqtt, &b->mqtt) && same_text(a->store.path, b->store.path) &&
           a->store.commit_interval_ms == b->store.commit_interval_ms &&
           a->store.retain_raw_ms == b->store.retain_raw_ms &&
           a->store.retain_hour_ms == b->store.retain_hour_ms &&
           a->store.retain_day_ms == b->store.retain_day_ms &&
           a->store.retain_count == b->store.retain_count && a->store.max_size == b->store.max_size &&
           a->store.endurance_bytes == b->store.endurance_bytes &&
           same_text(a->socket.path, b->socket.path) && same_list(&a->socket, &b->socket) &&
           same_text(a->board.dir, b->board.dir) && a->board.interval_ms == b->board.interval_ms &&
           a->quality.strict == b->quality.strict &&
           !memcmp(&a->quality.humidity, &b->quality.humidity, sizeof a->quality.humidity) &&
           !memcmp(&a->quality.neighbours_m, &b->quality.neighbours_m, sizeof a->quality.neighbours_m) &&
           a->quality.row_count == b->quality.row_count &&
           !memcmp(&a->validity, &b->validity, sizeof a->validity) &&
           !memcmp(a->quality.quantities, b->quality.quantities, sizeof a->quality.quantities) &&
           same_text(a->metrics.file, b->metrics.file) && a->metrics.interval_ms == b->metrics.interval_ms &&
           a->clock.rtc == b->clock.rtc && a->clock.devices == b->clock.devices &&
           a->clock.within_ms == b->clock.within_ms && same_text(a->time_zone, b->time_zone) &&
           a->auto_register == b->auto_register && a->late_limit_ms == b->late_limit_ms &&
           a->future_tolerance_ms == b->future_tolerance_ms && a->max_devices == b->max_devices &&
           same_text(a->template_folder, b->template_folder) && a->site_count == b->site_count &&
           a->party_count == b->party_count && a->channel_count == b->channel_count &&
           a->device_count == b->device_count && a->rule_count == b->rule_count &&
           a->source_count == b->source_count &&
           !memcmp(&a->maintenance, &b->maintenance, sizeof a->maintenance) &&
           a->window_count == b->window_count && a->home_assistant.enable == b->home_assistant.enable &&
           same_text(a->home_assistant.prefix, b->home_assistant.prefix) &&
           a->home_assistant.language == b->home_assistant.language &&
           a->home_assistant.interval_ms == b->home_assistant.interval_ms &&
           a->home_assistant.retire_ms == b->home_assistant.retire_ms &&
           a->flapping.window_ms == b->flapping.window_ms && a->flapping.high == b->flapping.high &&
           a->flapping.low == b->flapping.low &&
           !memcmp(&a->reports.terms, &b->reports.terms, sizeof a->reports.terms) &&
           a->reports.level == b->reports.level && a->reports.submitter_count == b->reports.submitter_count;
}

static void must_be_defaults(const char *text)
{
    struct eg_conf *none = parse(""), *all = parse(text);
    if (!same(none, all))
        fail_msg("these are not the defaults:\n%s", text);
    eg_conf_destroy(all);
    eg_conf_destroy(none);
}

/* --- keys --- */

struct keys {
    size_t count;
    char rows[KEYS_MAX][KEY_MAX];
};

static bool has_key(const struct keys *keys, const char *key)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->rows[i], key) == 0)
            return true;
    return false;
}

/* What is told of once: a range by any quantity's name, and conditions, which nest and stand under `and` as under `or`. */
static const char *told_as(const char *key, char out[KEY_MAX])
{
    static const char ranges[] = "rules[].bands[].when.", any[] = "rules[].or[].", all[] = "rules[].and[].";
    snprintf(out, KEY_MAX, "%s", key);
    if (!strncmp(key, ranges, sizeof ranges - 1) &&
        eg_quantity_find(key + sizeof ranges - 1, strlen(key + sizeof ranges - 1)) != EG_QUANTITY_NONE)
        snprintf(out, KEY_MAX, "%s[quantity]", ranges);
    if (!strncmp(key, any, sizeof any - 1))
        snprintf(out, KEY_MAX, "%s%s", all, key + sizeof any - 1);
    return !strncmp(out, all, sizeof all - 1) &&
                   (!strncmp(out + sizeof all - 1, "and", 3) || !strncmp(out + sizeof all - 1, "or", 2))
               ? NULL
               : out;
}

static void add_key(struct keys *keys, const char *name)
{
    char told[KEY_MAX];
    const char *key = told_as(name, told);
    if (!key || has_key(keys, key))
        return;
    assert_true(keys->count < KEYS_MAX);
    snprintf(keys->rows[keys->count++], KEY_MAX, "%s", key);
}

static void add_schema(struct keys *keys, const cyaml_schema_field_t *fields, const char *prefix)
{
    char key[KEY_MAX], below[KEY_MAX];
    for (; fields->key; fields++) {
        const cyaml_schema_value_t *value = &fields->value;
        assert_true(snprintf(key, sizeof key, "%s%s", prefix, fields->key) < (int)sizeof key);
        add_key(keys, key);
        const char *mark = value->type == CYAML_SEQUENCE ? "[]." : ".";
        if (value->type == CYAML_SEQUENCE)
            value = value->sequence.entry;
        if (value->type != CYAML_MAPPING || !told_as(key, below))
            continue;
        assert_true(snprintf(below, sizeof below, "%s%s", key, mark) < (int)sizeof below);
        add_schema(keys, value->mapping.fields, below);
    }
}

static void add_yaml(struct keys *keys, yaml_document_t *document, const yaml_node_t *node,
                     const char *prefix)
{
    char key[KEY_MAX], below[KEY_MAX];
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++) {
        const yaml_node_t *value = yaml_document_get_node(document, pair->value);
        const char *name = (const char *)yaml_document_get_node(document, pair->key)->data.scalar.value;
        assert_true(snprintf(key, sizeof key, "%s%s", prefix, name) < (int)sizeof key);
        add_key(keys, key);
        snprintf(below, sizeof below, "%.*s%s", KEY_MAX - 4, key,
                 value->type == YAML_SEQUENCE_NODE ? "[]." : ".");
        if (value->type == YAML_MAPPING_NODE)
            add_yaml(keys, document, value, below);
        if (value->type != YAML_SEQUENCE_NODE)
            continue;
        for (const yaml_node_item_t *item = value->data.sequence.items.start;
             item < value->data.sequence.items.top; item++)
            if (yaml_document_get_node(document, *item)->type == YAML_MAPPING_NODE)
                add_yaml(keys, document, yaml_document_get_node(document, *item), below);
    }
}

static void add_file(struct keys *keys, const char *path)
{
    char *text = text_of(path), *on = calloc(1, TEXT_MAX);
    yaml_parser_t parser;
    yaml_document_t document;
    assert_non_null(on);
    switch_on(text, 2, on);
    assert_true(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)on, strlen(on));
    if (!yaml_parser_load(&parser, &document))
        fail_msg("%s, all switched on, line %zu: %s", path, parser.problem_mark.line + 1, parser.problem);
    add_yaml(keys, &document, yaml_document_get_root_node(&document), "");
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    free(on);
    free(text);
}

/* A definition in the page: "*key* (type, default _value_)". */
static bool definition(const char *line, char key[KEY_MAX], const char **ret_rest)
{
    if (*line != '*')
        return false;
    size_t length = strspn(line + 1, "abcdefghijklmnopqrstuvwxyz0123456789_.[]");
    if (!length || length >= KEY_MAX || strncmp(line + 1 + length, "* (", 3) != 0)
        return false;
    memcpy(key, line + 1, length);
    key[length] = '\0';
    *ret_rest = line + 1 + length + 3;
    return true;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

static void must_match(const struct keys *schema, const struct keys *told, const char *where)
{
    for (size_t i = 0; i < schema->count; i++)
        if (!has_key(told, schema->rows[i]))
            fail_msg("%s does not tell of %s", where, schema->rows[i]);
    for (size_t i = 0; i < told->count; i++)
        if (!has_key(schema, told->rows[i]))
            fail_msg("%s tells of %s, which is no key", where, told->rows[i]);
}

/* --- the tests --- */

static const char folder[] = SOURCE_DIR "/conf";

static void test_what_is_shipped_loads(void **unused)
{
    struct eg_buf faults;
    (void)unused;
    eg_buf_init(&faults, 65536);
    struct eg_conf *conf = eg_conf_load(SOURCE_DIR "/conf/ecogov.yaml", &faults);
    if (!conf)
        fail_msg("%s", faults.data);
    assert_true(conf->rule_count > 20 && conf->site_count > 3 && conf->party_count == 3);
    assert_int_equal(conf->source_count, 1);
    uint32_t spot = eg_conf_site_find(conf, "shangtian-bins", strlen("shangtian-bins"));
    assert_true(eg_conf_site_within(conf, spot, eg_conf_site_find(conf, "qingxi", strlen("qingxi"))));
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct eg_conf_rule *rule = &conf->rules[i];
        if (!*rule->title_en || !*rule->title_zh || !*rule->basis || !*rule->action ||
            (!rule->when && (!*rule->basis_zh || !*rule->action_zh)) ||
            !rule->terms.deadline_ms[EG_LEVEL_WARNING][EG_DEADLINE_ACKNOWLEDGE])
            fail_msg("rule %s lacks a title, title_zh, basis, action or deadline", rule->id);
    }
    eg_conf_destroy(conf);
    eg_buf_finish(&faults);
}

/* Packs for other places: renamed, they load beside those that are switched on. */
static void test_packs_to_choose_from(void **unused)
{
    char pattern[512], path[600];
    glob_t found;
    struct eg_buf faults;
    (void)unused;
    snprintf(pattern, sizeof pattern, "%s/rules.d/*.yaml.example", folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 3);
    eg_buf_init(&faults, 65536);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        snprintf(path, sizeof path, "%s", found.gl_pathv[i]);
        struct eg_conf *conf = eg_conf_load(path, &faults);
        if (!conf)
            fail_msg("%s", faults.data);
        assert_true(conf->rule_count > 5);
        for (size_t r = 0; r < conf->rule_count; r++)
            assert_true(*conf->rules[r].basis_zh && *conf->rules[r].action_zh && *conf->rules[r].title_zh);
        eg_conf_destroy(conf);
    }
    eg_buf_finish(&faults);
    globfree(&found);
}

/* Every preset is taken by a line that says the site, and as much as the preset leaves open. */
static void test_presets_are_understood(void **unused)
{
    char pattern[512], yaml[400];
    glob_t found;
    (void)unused;
    snprintf(pattern, sizeof pattern, "%s/sources.d/presets/*.yaml", folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *name = strrchr(found.gl_pathv[i], '/') + 1, *text = text_of(found.gl_pathv[i]);
        *strrchr(name, '.') = '\0';
        snprintf(yaml, sizeof yaml, "sites: [{id: a}]\nsources: [{id: s, preset: %s, site: a%s%s}]\n", name,
                 strstr(text, "\n    topic: ") ? "" : ", topic: 'x/{device}'",
                 strstr(text, "\n    domain: ") ? "" : ", domain: air");
        struct eg_conf *conf = parse(yaml);
        assert_true(conf->sources[0].driver && conf->sources[0].prepared);
        eg_conf_destroy(conf);
        free(text);
    }
    globfree(&found);
}

/* The main file without its include, which the parser takes from files only. */
static char *main_file(int marks, int *ret_count)
{
    char *text = text_of(SOURCE_DIR "/conf/ecogov.yaml"), *on = calloc(1, TEXT_MAX);
    assert_non_null(on);
    char *from = strstr(text, "\ninclude:\n"), *to = from ? strstr(from + 1, "\n\n") : NULL;
    assert_non_null(to);
    memmove(from, to, strlen(to) + 1);
    *ret_count = switch_on(text, marks, on);
    free(text);
    return on;
}

static void test_commented_values_are_the_defaults(void **unused)
{
    int count;
    (void)unused;
    char *text = main_file(1, &count);
    assert_int_equal(count, 61); /* keys with a default, and the twelve groups */
    must_be_defaults(text);
    free(text);
}

static void test_examples_are_understood_and_no_defaults(void **unused)
{
    int count, defaults;
    (void)unused;
    char *text = main_file(2, &count);
    free(main_file(1, &defaults));
    assert_int_equal(count - defaults, 18);
    struct eg_conf *none = parse(""), *all = parse(text);
    assert_false(same(none, all));
    assert_string_equal(all->mqtt.user, "ecogov");
    assert_int_equal(all->store.retain_count, 2);
    eg_conf_destroy(all);
    eg_conf_destroy(none);
    free(text);
}

/* Every key moves what is compared: without this, a key the comparison forgets would pass for a default. */
static void test_every_setting_is_compared(void **unused)
{
    static const struct {
        const char *key, *yaml;
    } others[] = {
        {"mqtt.host", "mqtt: {host: broker}"},
        {"mqtt.port", "mqtt: {port: 8883}"},
        {"mqtt.client_id", "mqtt: {client_id: other}"},
        {"mqtt.user", "mqtt: {user: li}"},
        {"mqtt.password", "mqtt: {user: ecogov, password: p}"},
        {"mqtt.password_file", "mqtt: {user: ecogov, password_file: p}"},
        {"mqtt.tls", "mqtt: {tls: true}"},
        {"mqtt.tls_insecure", "mqtt: {tls_insecure: true}"},
        {"mqtt.ca_file", "mqtt: {ca_file: ca.pem, tls: false}"},
        {"mqtt.cert_file", "mqtt: {cert_file: c, key_file: k}"},
        {"mqtt.key_file", "mqtt: {cert_file: c, key_file: k}"},
        {"mqtt.keepalive", "mqtt: {keepalive: 61s}"},
        {"mqtt.receive_maximum", "mqtt: {receive_maximum: 20}"},
        {"mqtt.session_expiry", "mqtt: {session_expiry: 8d}"},
        {"mqtt.publish", "mqtt: {publish: false}"},
        {"store.path", "store: {path: other.db}"},
        {"store.commit_interval", "store: {commit_interval: 2s}"},
        {"store.retain_raw", "store: {retain_raw: 0}"},
        {"store.retain_hour", "store: {retain_hour: 0}"},
        {"store.retain_day", "store: {retain_day: 9d}"},
        {"store.retain", "store: {retain: [{domain: soil, raw: 0}]}"},
        {"store.max_size", "store: {max_size: 5GB}"},
        {"store.endurance", "store: {endurance: 1TB}"},
        {"socket.path", "socket: {path: other.sock}"},
        {"socket.supervisors", "socket: {supervisors: []}"},
        {"socket.clerks", "socket: {clerks: []}"},
        {"board.dir", "board: {dir: other}"},
        {"board.interval", "board: {interval: 61s}"},
        {"validity.hour", "validity: {hour: 40m}"},
        {"validity.eight_hours", "validity: {eight_hours: 5}"},
        {"validity.day", "validity: {day: 18}"},
        {"validity.month", "validity: {month: 20}"},
        {"validity.february", "validity: {february: 20}"},
        {"validity.year", "validity: {year: 300}"},
        {"quality.set_aside", "quality: {set_aside: suspect}"},
        {"quality.humidity", "quality: {humidity: 90}"},
        {"quality.neighbours", "quality: {neighbours: 500}"},
        {"quality.limits", "quality: {limits: [{quantity: pm25, device: a, step: 9}]}"},
        {"clock.rtc", "clock: {rtc: no}"},
        {"clock.devices", "clock: {devices: 4}"},
        {"clock.within", "clock: {within: 31s}"},
        {"metrics.file", "metrics: {file: other.prom}"},
        {"metrics.interval", "metrics: {interval: 61s}"},
        {"time_zone", "time_zone: UTC"},
        {"late_limit", "late_limit: 25h"},
        {"future_tolerance", "future_tolerance: 6m"},
        {"auto_register", "auto_register: false"},
        {"max_devices", "max_devices: 20001"},
        {"templates", "templates: /other"},
        {"reports.submitters", "reports: {submitters: [li]}"},
        {"reports.level", "reports: {level: warning}"},
        {"reports.deadline.acknowledge", "reports: {deadline: {acknowledge: 1h}}"},
        {"reports.deadline.fix", "reports: {deadline: {fix: 1h}}"},
        {"reports.deadline.verify", "reports: {deadline: {verify: 1h}}"},
        {"maintenance.deadline.acknowledge", "maintenance: {deadline: {acknowledge: 1h}}"},
        {"maintenance.deadline.fix", "maintenance: {deadline: {fix: 1h}}"},
        {"maintenance.deadline.verify", "maintenance: {deadline: {verify: 1h}}"},
        {"maintenance.windows",
         "maintenance: {windows: [{id: w, reason: r, domain: air, days: [sun], hours: '08:00-09:00'}]}"},
        {"home_assistant.enable", "home_assistant: {enable: true}"},
        {"home_assistant.prefix", "home_assistant: {prefix: ha}"},
        {"home_assistant.language", "home_assistant: {language: en}"},
        {"home_assistant.interval", "home_assistant: {interval: 10s}"},
        {"home_assistant.retire_after", "home_assistant: {retire_after: 1d}"},
        {"flapping.window", "flapping: {window: 2h}"},
        {"flapping.high", "flapping: {high: 50}"},
        {"flapping.low", "flapping: {low: 20}"},
    };
    (void)unused;
    struct keys *schema = calloc(1, sizeof *schema), *tried = calloc(1, sizeof *tried);
    struct eg_conf *none = parse("");
    assert_true(schema && tried);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct eg_conf *other = parse(others[i].yaml);
        if (same(none, other))
            fail_msg("%s is not compared", others[i].key);
        eg_conf_destroy(other);
        add_key(tried, others[i].key);
    }
    eg_conf_destroy(none);
    add_schema(schema, eg_schema_file.mapping.fields, "");
    for (size_t i = 0; i < schema->count; i++) {
        const char *key = schema->rows[i];
        bool group = !strcmp(key, "mqtt") || !strcmp(key, "store") || !strcmp(key, "socket") ||
                     !strcmp(key, "board") || !strcmp(key, "metrics") || !strcmp(key, "clock") ||
                     !strcmp(key, "maintenance") || !strcmp(key, "maintenance.deadline") ||
                     !strcmp(key, "reports") || !strcmp(key, "flapping") || !strcmp(key, "home_assistant") ||
                     !strcmp(key, "reports.deadline") || !strcmp(key, "quality") || !strcmp(key, "validity");
        bool list = !strcmp(key, "include") || !strcmp(key, "rules") || !strcmp(key, "sites") ||
                    !strcmp(key, "channels") || !strcmp(key, "parties") || !strcmp(key, "calendars") ||
                    !strcmp(key, "presets") || !strcmp(key, "sources") || !strcmp(key, "devices") ||
                    !strcmp(key, "device_rules") || strstr(key, "[]");
        if (!group && !list && !has_key(tried, key))
            fail_msg("%s is new: compare it here", key);
    }
    free(tried);
    free(schema);
}

/* A mapping is written the same way in a source and in a preset: shown in one, it is shown. */
static void add_twins(struct keys *shown, const struct keys *schema)
{
    char twin[KEY_MAX];
    for (size_t i = 0, count = shown->count; i < count; i++) {
        const char *key = shown->rows[i];
        bool source = strncmp(key, "sources[].", 10) == 0, preset = strncmp(key, "presets[].", 10) == 0;
        snprintf(twin, sizeof twin, "%s%.*s", source ? "presets" : "sources", KEY_MAX - 8, key + 7);
        if ((source || preset) && has_key(schema, twin))
            add_key(shown, twin);
    }
}

static void test_shipped_files_show_every_key(void **unused)
{
    static const char *const patterns[] = {"*.yaml", "*/*.yaml", "*/*.yaml.example", "*/*/*.yaml"};
    (void)unused;
    struct keys *schema = calloc(1, sizeof *schema), *shown = calloc(1, sizeof *shown);
    assert_true(schema && shown);
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        char pattern[512];
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s/%s", folder, patterns[p]);
        assert_int_equal(glob(pattern, 0, NULL, &found), 0);
        for (size_t i = 0; i < found.gl_pathc; i++)
            add_file(shown, found.gl_pathv[i]);
        globfree(&found);
    }
    add_schema(schema, eg_schema_file.mapping.fields, "");
    add_twins(shown, schema);
    must_match(schema, shown, "conf/");
    free(shown);
    free(schema);
}

static void test_manual_tells_every_key(void **unused)
{
    char key[KEY_MAX];
    const char *rest;
    (void)unused;
    struct keys *schema = calloc(1, sizeof *schema), *told = calloc(1, sizeof *told);
    char *page = text_of(SOURCE_DIR "/docs/man/ecogov.yaml.5.scd");
    assert_true(schema && told);
    /* Groups of the main file are headings there, not definitions. */
    add_key(told, "mqtt");
    add_key(told, "store");
    add_key(told, "socket");
    add_key(told, "board");
    add_key(told, "metrics");
    add_key(told, "quality");
    add_key(told, "validity");
    add_key(told, "clock");
    for (const char *line = page; *line; line = next_line(line))
        if (definition(line, key, &rest))
            add_key(told, key);
    add_schema(schema, eg_schema_file.mapping.fields, "");
    must_match(schema, told, "ecogov.yaml(5)");
    free(page);
    free(told);
    free(schema);
}

/* The defaults the page tells, written down as a file, change nothing. */
static void test_manual_tells_the_defaults(void **unused)
{
    char key[KEY_MAX], yaml[8192] = "", group[KEY_MAX] = "";
    const char *rest;
    int count = 0;
    size_t used = 0;
    (void)unused;
    char *page = text_of(SOURCE_DIR "/docs/man/ecogov.yaml.5.scd");
    for (const char *line = page; *line; line = next_line(line)) {
        if (!definition(line, key, &rest) || strstr(key, "[]") || strcmp(key, "include") == 0)
            continue;
        const char *end = rest + strcspn(rest, "\n"), *value = strstr(rest, "default _");
        const char *dot = strchr(key, '.');
        if (!value || value > end)
            continue;
        value += strlen("default _");
        while (end > value && *end != '_')
            end--;
        size_t length = dot ? (size_t)(dot - key) : 0;
        if (dot && (strncmp(group, key, length) != 0 || group[length]))
            used += (size_t)snprintf(yaml + used, sizeof yaml - used, "%.*s:\n", (int)length, key);
        snprintf(group, sizeof group, "%.*s", (int)length, key);
        used += (size_t)snprintf(yaml + used, sizeof yaml - used, "%s%s: %.*s\n", dot ? "  " : "",
                                 dot ? dot + 1 : key, (int)(end - value), value);
        assert_true(used < sizeof yaml);
        count++;
    }
    assert_int_equal(count, 45 + 12); /* settings, and the empty lists */
    must_be_defaults(yaml);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_shipped_loads),
        cmocka_unit_test(test_packs_to_choose_from),
        cmocka_unit_test(test_presets_are_understood),
        cmocka_unit_test(test_commented_values_are_the_defaults),
        cmocka_unit_test(test_examples_are_understood_and_no_defaults),
        cmocka_unit_test(test_every_setting_is_compared),
        cmocka_unit_test(test_shipped_files_show_every_key),
        cmocka_unit_test(test_manual_tells_every_key),
        cmocka_unit_test(test_manual_tells_the_defaults),
    };
    return cmocka_run_group_tests_name("conf/shipped", tests, NULL, NULL);
}
