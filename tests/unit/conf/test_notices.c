/* Windows, flapping, reminders, digests, rates and Home Assistant's discovery: what is no such thing is refused at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <conf/conf.h>

#include <stdio.h>
#include <string.h>

static struct eg_buf faults;

/* One fault, in which `wanted` stands; NULL: none. Owned. */
static struct eg_conf *parse(const char *text, const char *wanted)
{
    eg_buf_clear(&faults);
    struct eg_conf *conf = eg_conf_parse("t.yaml", text, strlen(text), &faults);
    const char *said = faults.length ? faults.data : "", *end = strchr(said, '\n');
    if (wanted ? conf || !strstr(said, wanted) || !end || end[1] : !conf)
        fail_msg("--- for\n%s--- wanted\n%s\n--- said\n%s", text, wanted ? wanted : "nothing", said);
    return conf;
}

static void window(const char *keys, const char *wanted)
{
    char text[600];
    snprintf(
        text, sizeof text,
        "sites: [{id: v}]\nrules: [{id: dust, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\n"
        "maintenance: {windows: [{id: w, reason: r, %s}]}\n",
        keys);
    eg_conf_destroy(parse(text, wanted));
}

static void test_windows(void **unused)
{
    (void)unused;
    window("site: v, hours: '06:00-08:00'", NULL);
    window("rule: dust, days: [sun], level: critical", NULL);
    window("hours: '06:00-08:00'", "a window says what it is about");
    window("site: v", "would never end");
    window("site: vv, days: [sun]", "there is no site 'vv' (did you mean 'v'?)");
    window("rule: dusk, days: [sun]", "there is no rule 'dusk' (did you mean 'dust'?)");
    window("quantity: pm2, days: [sun]", "there is no quantity 'pm2'");
    window("site: v, hours: '06:00-06:00'", "hours such as 22:00-06:00 are expected");
    window("site: v, dates: ['2026-02-30']", "is no date");
    window("site: v, days: [sun]}, {id: w, reason: r, site: v, days: [mon]", "window 'w' is given twice");
    eg_conf_destroy(parse("flapping: {window: 0s}\n", NULL));
    eg_conf_destroy(parse("flapping: {window: 30s}\n", "window may be 1m to 7d"));
    eg_conf_destroy(parse("flapping: {high: 20}\n", "low is below high"));
}

static void route(const char *keys, const char *wanted)
{
    char text[400];
    snprintf(text, sizeof text,
             "channels: [{id: a, kind: mqtt}]\nparties: [{id: p, sector: market, channels: [{id: a, %s}]}]\n",
             keys);
    eg_conf_destroy(parse(text, wanted));
}

static void test_routes(void **unused)
{
    (void)unused;
    route("repeat: 30m, repeat_most: 3, repeat_level: critical, digest: '07:30', digest_empty: true", NULL);
    route("repeat: 30s", "repeat may be 1m to 7d");
    route("repeat: 30m, repeat_most: 0", "repeat_most may be 1 to 1000");
    route("repeat_most: 3", "need repeat");
    route("repeat: 30m, fallback: true", "a fallback repeats nothing");
    route("digest: '7:30'", "a time of the day such as \"07:30\" is expected");
    route("digest: '24:00'", "a time of the day such as \"07:30\" is expected");
    route("digest_empty: true", "digest_empty needs digest");
    eg_conf_destroy(
        parse("rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}, limit: -1}]\n",
              "limit may be 0 to 100000"));
    struct eg_conf *conf = parse(
        "channels: [{id: a, kind: mqtt}]\nparties: [{id: p, sector: market, channels: [{id: a}]}]\n", NULL);
    assert_true(conf->parties[0].routes[0].digest_min < 0 && conf->parties[0].routes[0].repeat_ms == 0);
    eg_conf_destroy(conf);
}

/* Nothing that is announced comes back as a reading. */
static void test_home_assistant(void **unused)
{
    static const struct {
        const char *topic;
        bool brings;
    } table[] = {{"#", true},
                 {"+/device/{device}/config", true},
                 {"homeassistant/#", true},
                 {"homeassistant/{device}/+/config", true},
                 {"homeassistant/device/#", true},
                 {"homeassistant/sensor/{device}/state", false},
                 {"homeassistant/device/{device}", false},
                 {"home/device/{device}/config", false},
                 {"ecogov/{device}/#", false}};
    char text[400];
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(text, sizeof text,
                 "sites: [{id: v}]\nhome_assistant: {enable: true}\nsources: [{id: s, topic: '%s', site: v, "
                 "domain: "
                 "air, %sdriver: json}]\n",
                 table[i].topic, strstr(table[i].topic, "{device}") ? "" : "device: d, ");
        eg_conf_destroy(parse(text, table[i].brings ? "subscribes what is announced" : NULL));
    }
    eg_conf_destroy(parse("home_assistant: {enable: true, prefix: ecogov/x}\n", "prefix is a topic"));
    eg_conf_destroy(parse("home_assistant: {enable: true, prefix: 'a/+'}\n", "prefix is a topic"));
    eg_conf_destroy(parse("home_assistant: {enable: true, interval: 10ms}\n", "interval may be 1s to 1d"));
    eg_conf_destroy(parse("home_assistant: {enable: true}\nmqtt: {publish: false}\n", "needs mqtt.publish"));
    struct eg_conf *conf = parse("home_assistant: {enable: false}\n", NULL);
    assert_true(conf->home_assistant.take_back && !conf->home_assistant.enable);
    eg_conf_destroy(conf);
    conf = parse("home_assistant: {prefix: ha}\n", NULL);
    assert_false(conf->home_assistant.take_back);
    eg_conf_destroy(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_home_assistant),
    };
    eg_buf_init(&faults, 1 << 16);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    eg_buf_finish(&faults);
    return failed;
}
