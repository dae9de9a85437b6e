/* Every fault of a configuration in one go, each at its line and column, with the word that was probably
 * meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <conf/conf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct eg_buf faults;

static struct eg_conf *parse(const char *text)
{
    eg_buf_clear(&faults);
    return eg_conf_parse("t.yaml", text, strlen(text), &faults);
}

static const char *said(void)
{
    return faults.length ? faults.data : "";
}

/* One fault and no more; it begins with `wanted`. */
static void refuses(const char *text, const char *wanted)
{
    struct eg_conf *conf = parse(text);
    const char *end = strchr(said(), '\n');
    if (conf || strncmp(said(), wanted, strlen(wanted)) != 0 || !end || end[1])
        fail_msg("--- for\n%s--- wanted\n%s…\n--- said\n%s", text, wanted, said());
    eg_conf_destroy(conf);
}

static void test_each_kind_at_its_place(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *wanted;
    } table[] = {
        /* YAML itself */
        {"mqtt: {host: a\n", "t.yaml:2:1: this is no YAML: "},
        {"mqtt:\n  host: a\n port: 1\n", "t.yaml:3:2: this is no YAML: "},
        {"time_zone: \"\xff\"\n", "t.yaml:"},
        {"a: &x 1\nb: *x\n", "t.yaml:1:4: anchors and aliases are not read"},
        {"{}\n---\n{}\n", "t.yaml:2:1: a file holds one document"},
        {"sites: [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\n", "t.yaml:1:23: nested too deep"},
        {"just words\n", "t.yaml:1:1: the file is a single value, a group of keys is expected"},
        {"- a\n", "t.yaml:1:1: the file is a list, a group of keys is expected"},
        {"? [a]\n: 1\n", "t.yaml:1:3: a key must be a word"},
        /* keys */
        {"mqqt: {}\n", "t.yaml:1:1: unknown key 'mqqt' (did you mean 'mqtt'?)"},
        {"mqtt:\n  hsot: a\n", "t.yaml:2:3: unknown key 'hsot' (did you mean 'host'?)"},
        {"mqtt: {host: a, clientid: b}\n", "t.yaml:1:17: unknown key 'clientid' (did you mean 'client_id'?)"},
        {"wholly_unknown_thing: 1\n", "t.yaml:1:1: unknown key 'wholly_unknown_thing'\n"},
        {"late_salmon: 1d\n", "t.yaml:1:1: unknown key 'late_salmon'\n"}, /* not near enough to late_limit */
        {"time_zone: UTC\ntime_zone: UTC\n", "t.yaml:2:1: 'time_zone' is given twice (first in line 1)"},
        {"mqtt: {port: 1, port: 2}\n", "t.yaml:1:17: 'port' is given twice"},
        {"sites:\n  - {name: x}\n", "t.yaml:2:5: 'id' is missing here"},
        {"parties:\n  - {id: x}\n", "t.yaml:2:5: 'sector' is missing here"},
        {"rules:\n  - {id: r, quantity: pm25}\n", "t.yaml:2:5: 'levels' is missing here"},
        {"rules:\n  - {id: r, quantity: pm25, levels: {notice: {open: 1}}}\n",
         "t.yaml:2:46: 'clear' is missing here"},
        /* kinds of values */
        {"mqtt: 5\n", "t.yaml:1:7: mqtt is a single value, a group of keys is expected"},
        {"mqtt:\n", "t.yaml:1:6: mqtt is empty: leave it out or give a group of keys"},
        {"sites: {id: x}\n", "t.yaml:1:8: sites is a group of keys, a list is expected"},
        {"time_zone: [UTC]\n", "t.yaml:1:12: time_zone is a list, a single value is expected"},
        {"mqtt: {port: many}\n", "t.yaml:1:14: port is 'many', a whole number is expected"},
        {"mqtt: {port: 1.5}\n", "t.yaml:1:14: port is '1.5', a whole number is expected"},
        {"mqtt: {port: 0x75b}\n", "t.yaml:1:14: port is '0x75b', a whole number is expected"},
        {"mqtt: {port: 0755}\n", "t.yaml:1:14: port is '0755', a whole number is expected"},
        {"mqtt: {port: 99999999999999999999}\n",
         "t.yaml:1:14: port is '99999999999999999999', a whole number is expected"},
        {"mqtt: {port: ''}\n", "t.yaml:1:14: port is '', a whole number is expected"},
        {"mqtt: {port: 0}\n", "t.yaml:1:14: port is 0, it may be 1 to 65535"},
        {"mqtt: {port: 65536}\n", "t.yaml:1:14: port is 65536, it may be 1 to 65535"},
        {"mqtt: {receive_maximum: -1}\n", "t.yaml:1:25: receive_maximum is -1, it may be 1 to 65535"},
        {"max_devices: 0\n", "t.yaml:1:14: max_devices is 0"},
        {"auto_register: maybe\n", "t.yaml:1:16: auto_register is 'maybe', true or false is expected"},
        {"sites:\n  - {id: a, latitude: north}\n", "t.yaml:2:23: latitude is 'north', a number is expected"},
        {"sites:\n  - {id: a, latitude: nan}\n", "t.yaml:2:23: latitude is 'nan', a number is expected"},
        {"sites:\n  - {id: a, latitude: 1e400}\n", "t.yaml:2:23: latitude is '1e400', a number is expected"},
        {"sites:\n  - {id: a, latitude: 91}\n", "t.yaml:2:23: latitude is -90 to 90"},
        {"sites:\n  - {id: a, longitude: -180.5}\n", "t.yaml:2:24: longitude is -180 to 180"},
        {"sites:\n  - {id: a, mode: alone}\n",
         "t.yaml:2:19: mode is 'alone', it may be collaborative, gap_filling, alternative"},
        {"parties:\n  - {id: a, sector: state}\n",
         "t.yaml:2:21: sector is 'state', it may be government, market, society"},
        {"sites:\n  - {id: ''}\n", "t.yaml:2:10: id is empty"},
        {"sites:\n  - {id: \"a\\0b\"}\n", "t.yaml:2:10: id holds a zero byte"},
        /* spans, sizes, zones */
        {"store: {commit_interval: 1}\n", "t.yaml:1:26: commit_interval is '1', a duration such as"},
        {"store: {commit_interval: 1 s}\n", "t.yaml:1:26: commit_interval is '1 s', a duration such as"},
        {"store: {commit_interval: 0s}\n", "t.yaml:1:26: commit_interval may be 1ms to 10m"},
        {"store: {retain_raw: forever}\n", "t.yaml:1:21: retain_raw is 'forever', a duration"},
        {"store: {retain: [{raw: 5d}]}\n", "t.yaml:1:18: an entry of retain names a domain or a quantity"},
        {"store: {retain: [{domain: soil}]}\n", "t.yaml:1:18: an entry of retain says how long"},
        {"store: {retain: [{domain: soil, raw: old}]}\n", "t.yaml:1:38: raw is 'old', a duration"},
        {"store: {retain: [{quantity: pm26, raw: 5d}]}\n", "t.yaml:1:29: there is no quantity 'pm26'"},
        {"store: {retain: [{quantity: pm25, raw: 5d}, {quantity: PM2.5, hour: 5d}]}\n",
         "t.yaml:1:45: retain says twice how long the same is kept"},
        {"store: {max_size: 4}\n", "t.yaml:1:19: max_size is '4', a size such as"},
        {"store: {endurance: 5MB}\n", "t.yaml:1:20: endurance is '5MB', a size such as"},
        {"store: {max_size: 1KB}\n", "t.yaml:1:19: max_size is '1KB', a size such as"},
        {"late_limit: 1w\n", "t.yaml:1:13: late_limit is '1w', a duration"},
        {"future_tolerance: -5m\n", "t.yaml:1:19: future_tolerance is '-5m', a duration"},
        {"board: {interval: often}\n", "t.yaml:1:19: interval is 'often', a duration"},
        {"metrics: {file: /x/ecogov.txt}\n",
         "t.yaml:1:17: file is '/x/ecogov.txt', a name that ends in .prom"},
        {"metrics: {file: /x/.prom}\n", "t.yaml:1:17: file is '/x/.prom', a name that ends in .prom"},
        {"metrics: {file: x.prom, interval: 2h}\n", "t.yaml:1:35: interval may be 1s to 1h"},
        {"mqtt: {keepalive: 1s}\n", "t.yaml:1:19: keepalive may be 5s to 1h"},
        {"time_zone: Mars/Olympus\n", "t.yaml:1:12: there is no time zone 'Mars/Olympus'"},
        {"time_zone: /etc/localtime\n", "t.yaml:1:12: there is no time zone '/etc/localtime'"},
        {"time_zone: zone.tab\n", "t.yaml:1:12: there is no time zone 'zone.tab'"},
        {"time_zone: ''\n", "t.yaml:1:12: there is no time zone ''"},
        /* what belongs together */
        {"mqtt: {client_id: ''}\n", "t.yaml:1:19: client_id must have 1 to 100 bytes"},
        {"mqtt: {cert_file: /a}\n", "t.yaml:1:7: cert_file and key_file go together"},
        {"mqtt: {password: x}\n", "t.yaml:1:7: a password is given without user"},
        {"include: [other.yaml]\n", "t.yaml:1:10: include is for files only"},
        /* references */
        {"sites:\n  - {id: village}\n  - {id: spot, parent: vilage}\n",
         "t.yaml:3:24: there is no site 'vilage' (did you mean 'village'?)"},
        {"sites:\n  - {id: a}\n  - {id: a}\n", "t.yaml:3:10: site 'a' is given twice"},
        {"sites:\n  - {id: a, parent: a}\n", "t.yaml:2:21: site 'a' lies below itself"},
        {"sites:\n  - {id: a, parent: b}\n  - {id: b, parent: c}\n  - {id: c, parent: a}\n  - {id: d, "
         "parent: a}\n",
         "t.yaml:4:21: site 'c' lies below itself"},
        {"sites:\n  - {id: A village}\n", "t.yaml:2:10: a site's id is a-z, 0-9, - and _"},
        {"sites:\n  - id: a\n    parties: [x]\n", "t.yaml:3:15: there is no party 'x'"},
        {"parties:\n  - {id: p, sector: market}\n  - {id: p, sector: market}\n",
         "t.yaml:3:10: party 'p' is given twice"},
        {"parties:\n  - {id: '@p', sector: market}\n", "t.yaml:2:10: a party's id is a-z"},
        {"channels:\n  - {id: c, kind: mqtt}\n  - {id: c, kind: mqtt}\n",
         "t.yaml:3:10: channel 'c' is given twice"},
        {"channels:\n  - {id: c, kind: pigeon}\n", "t.yaml:2:19: kind is 'pigeon', it may be mqtt"},
        {"channels:\n  - {id: c, kind: mqtt, topic: other/x}\n",
         "t.yaml:2:32: the topic 'other/x' must lie below"},
        {"mqtt: {publish: false}\nchannels:\n  - {id: c, kind: mqtt}\n",
         "t.yaml:3:19: channel 'c' needs mqtt.publish"},
        {"channels: [{id: mail, kind: mqtt}]\nparties:\n  - id: p\n    sector: market\n    channels: [{id: "
         "mial}]\n",
         "t.yaml:5:21: there is no channel 'mial' (did you mean 'mail'?)"},
        {"channels: [{id: c, kind: mqtt}]\nparties:\n  - id: p\n    sector: market\n    channels: [{id: c, "
         "hours: 8-20}]\n",
         "t.yaml:5:31: hours is '8-20', hours such as 22:00-06:00"},
        {"channels: [{id: c, kind: mqtt}]\nparties:\n  - id: p\n    sector: market\n    channels: [{id: c, "
         "days: [sunday]}]\n",
         "t.yaml:5:31: days is 'sunday', it may be sun, mon"},
        {"channels: [{id: c, kind: mqtt}]\nparties:\n  - id: p\n    sector: market\n    channels: [{id: c}, "
         "{id: c}]\n",
         "t.yaml:5:25: party 'p' names channel 'c' twice with the same address"},
        {"devices:\n  - {id: d, site: nowhere}\n", "t.yaml:2:19: there is no site 'nowhere'"},
        {"sites:\n  - {id: a}\ndevices:\n  - {id: d, site: a}\n  - {id: d, site: a}\n",
         "t.yaml:5:10: device 'd' is given twice at this site"},
        {"sites:\n  - {id: a}\ndevices:\n  - {id: d, site: a, silent_after: soon}\n",
         "t.yaml:4:36: silent_after is 'soon'"},
        {"sites:\n  - {id: a}\ndevices:\n  - {id: d, site: a, calibration: [{quantity: pm52}]}\n",
         "t.yaml:4:47: there is no quantity 'pm52' (did you mean 'pm25'?)"},
        {"sites:\n  - {id: a}\ndevices:\n  - {id: d, site: a, calibration: [{quantity: pm25, from: "
         "today}]}\n",
         "t.yaml:4:59: from is 'today', a time such as"},
        {"sites:\n  - {id: a}\ndevices:\n  - {id: d, site: a, calibration: [{quantity: pm25, scale: 0}]}\n",
         "t.yaml:4:36: scale is 0, offset 0: numbers are expected, and a scale that is not 0"},
        {"sites:\n  - {id: a}\ndevices:\n  - {id: d, site: a, calibration: [{quantity: pm25, offset: 1}, "
         "{quantity: "
         "pm25, offset: 2}]}\n",
         "t.yaml:4:65: calibration says twice what holds from that time on"},
        {"quality: {humidity: 101}\n", "t.yaml:1:21: humidity is 101, it may be 0 to 100"},
        {"quality: {limits: [{quantity: pm25, low: 9, high: 8}]}\n",
         "t.yaml:1:20: what is usual ends at 8, below 9 where it begins"},
        {"quality: {limits: [{quantity: pm25, step: -1}]}\n", "t.yaml:1:20: step and fall are a change"},
        {"quality: {limits: [{quantity: pm25, spike: -1}]}\n",
         "t.yaml:1:44: spike is -1, 0 or more is expected"},
        {"quality: {limits: [{quantity: pm25, spike_share: 11}]}\n",
         "t.yaml:1:50: spike_share is 11, a share of 0 to 10 is expected"},
        {"quality: {limits: [{quantity: pm25, stuck: 2h, stuck_bad: 1h}]}\n",
         "t.yaml:1:20: stuck_bad is shorter than stuck"},
        {"quality: {limits: [{quantity: pm25, device: a}, {quantity: pm25, device: a}]}\n",
         "t.yaml:1:49: quality.limits says twice what is asked of the same"},
        {"quality: {limits: [{quantity: pm25, site: nowhere}]}\n", "t.yaml:1:43: there is no site 'nowhere'"},
        {"sites:\n  - {id: a}\ndevices:\n  - {id: d, site: a, position: {latitude: 1}}\n",
         "t.yaml:4:32: 'longitude' is missing here"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        refuses(table[i].text, table[i].wanted);
}

#define SOURCE(rest) "sites: [{id: a}]\nsources:\n  - {id: s, driver: json, " rest "}\n"
static void test_sources(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *wanted;
    } table[] = {
        {SOURCE("topic: 'x/{site}/{domain}/{devcie}'"),
         "t.yaml:3:34: topic 'x/{site}/{domain}/{devcie}': '{devcie}' is none of"},
        {SOURCE("topic: 'x/{site}/{site}/{domain}/{device}'"),
         "t.yaml:3:34: topic 'x/{site}/{site}/{domain}/{device}': {site} stands in it twice"},
        {SOURCE("topic: 'x/#/{site}', domain: air, device: d"),
         "t.yaml:3:34: topic 'x/#/{site}': '#' may stand at the end only"},
        {SOURCE("topic: 'x/a+/{site}', domain: air, device: d"),
         "t.yaml:3:34: topic 'x/a+/{site}': '+', '#', '{' and '}'"},
        {SOURCE("topic: 'x/y{site}/{device}', domain: air, site: a"),
         "t.yaml:3:34: topic 'x/y{site}/{device}': '+', '#', '{' and '}'"},
        {SOURCE("topic: 'x/{site}/{device}'"), "t.yaml:3:5: the topic has no {domain}: say 'domain:'"},
        {SOURCE("topic: 'x/{site}/{device}', domain: air, site: a"),
         "t.yaml:3:74: site is given, and {site} stands in the topic"},
        {SOURCE("topic: 'x/{device}', domain: air, site: b"), "t.yaml:3:67: there is no site 'b'"},
        {SOURCE("topic: 'x/{site}/{device}', domain: The Air"), "t.yaml:3:63: a domain is a-z, 0-9, - and _"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', fields: [{path: pm, quantity: pm25}]"),
         "t.yaml:3:73: "},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', fields: [{path: /pm, quantity: pm52}]"),
         "t.yaml:3:73: "},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', fields: [{path: /pm, quantity: pm25, unit: furlong}]"),
         "t.yaml:3:73: "},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', time: when"), "t.yaml:3:5: "},
        {SOURCE("topic: 'x/{site}', domain: air"),
         "t.yaml:3:5: the topic has no {device}: say 'device:', or 'device_path:'"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', fields: [{path: /a, quantity: pm25, scale: 0}]"),
         "t.yaml:3:73: scale is 0"},
        {SOURCE(
             "topic: 'x/{site}/{domain}/{device}', fields: [{path: /a, quantity: fill_level, empty: 1500}]"),
         "t.yaml:3:73: empty and full belong together"},
        {SOURCE(
             "topic: 'x/{site}/{domain}/{device}', fields: [{path: /a, quantity: pm25, empty: 1, full: 0}]"),
         "t.yaml:3:73: empty and full make a percentage"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', fields: [{path: /a, quantity: fill_level, empty: 7, "
                "full: 7}]"),
         "t.yaml:3:73: empty and full must be two numbers"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', ambient: [no2, pm25]"),
         "t.yaml:3:79: ambient: pm25 is no gas that is told as mass by volume"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', ambient: [co2]"),
         "t.yaml:3:74: ambient: co2 is no gas that is told as mass by volume"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', ambient: [nno2]"),
         "t.yaml:3:74: there is no quantity 'nno2' (did you mean 'no2'?)"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', ambient: [o3], fields: [{path: /a, quantity: o3, unit: "
                "ppb}]"),
         "t.yaml:3:74: ambient: o3 comes in \"ppb\"; its unit is the same at any temperature and pressure"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', ambient: [o3], fields: [{path: /a, quantity: o3, unit: "
                "mg/Nm3}]"),
         "t.yaml:3:74: ambient: o3 comes in \"mg/Nm3\"; its unit is the same"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', ambient: [o3], fields: [{path: /a, quantity: o3, unit: "
                "/u}]"),
         "t.yaml:3:74: ambient: o3 comes in \"/u\"; the payload says its unit"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', ambient: [o3], ambient_pressure: 101.3"),
         "t.yaml:3:97: ambient_pressure is 300 to 1100 hPa"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', ambient_pressure: 900"),
         "t.yaml:3:82: ambient_pressure does nothing without 'ambient'"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', unmatched: perhaps"),
         "t.yaml:3:75: driver json knows no unmatched 'perhaps'; there is ignore, quarantine"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', device_path: '*'"),
         "t.yaml:3:5: \"*\" is the key of an element"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', fields: [{path: /a, quantity: pm25, scale: much}]"),
         "t.yaml:3:107: scale is 'much', a number is expected"},
        {SOURCE(
             "topic: 'x/{site}/{domain}/{device}', fields: [{path: /a, quantity: pm25, missing: [-9, x]}]"),
         "t.yaml:3:114: missing is 'x', a number is expected"},
        {SOURCE("topic: 'x/{site}/{domain}/{device}', fields: [{path: /a, quantity: pm25, words: [{text: "
                "on}]}]"),
         "t.yaml:3:108: 'value' is missing here"},
        {"sources:\n  - {id: s, topic: 'x/{site}/{domain}/{device}'}\n",
         "t.yaml:2:5: say 'driver:', or 'preset:'"},
        {SOURCE("site: a"), "t.yaml:3:5: 'topic' is missing here"},
        {"sources:\n  - {id: s, preset: airgradiant}\n",
         "t.yaml:2:21: there is no preset 'airgradiant' (did you mean 'airgradient'?)"},
        {"sources:\n  - {id: s, preset: ../x}\n", "t.yaml:2:21: there is no preset '../x'"},
        {"sources:\n  - {id: s, preset: airgradient}\n", "t.yaml:2:5: the topic has no {site}: say 'site:'"},
        {"presets:\n  - {id: p, topic: '{site}/{domain}/{device}', driver: json, fields: [{path: a, "
         "quantity: pm25}]}\n"
         "sources:\n  - {id: s, preset: p}\n",
         "t.yaml:2:71: "},
        {"presets:\n  - {id: p, driver: json}\nsources:\n  - {id: s, preset: p}\n",
         "t.yaml:4:5: 'topic' is missing here: the preset knows no usual one"},
        {"presets:\n  - {id: p, drvier: json}\nsources:\n  - {id: s, preset: p}\n",
         "t.yaml:2:13: unknown key 'drvier' (did you mean 'driver'?)"},
        {"sources:\n  - {id: s, topic: 'x/{site}/{domain}/{device}', driver: senml, time: /t}\n",
         "t.yaml:2:71: driver senml makes nothing of 'time'; it heeds device_path fields\n"},
        {"sources:\n  - {id: s, topic: 'x/{site}/{domain}/{device}', driver: senml, fields: [{path: a, "
         "quantity: "
         "pm25, words: [{text: x, value: 1}]}]}\n",
         "t.yaml:2:5: driver senml makes nothing of 'words'; it heeds device_path fields\n"},
        {"sources:\n  - {id: s, topic: 'x/{site}/{domain}/{device}', driver: jsn}\n",
         "t.yaml:2:58: there is no driver 'jsn' (did you mean 'json'?)"},
        {"sources:\n  - &a {id: s, topic: 'x/{site}/{domain}/{device}', driver: json}\n  - *a\n",
         "t.yaml:2:5: anchors and aliases"},
        {"sources:\n  - {id: s, topic: 'x/{site}/{domain}/{device}', driver: json}\n  - {id: s, topic: "
         "'y/{site}/{domain}/{device}', driver: json}\n",
         "t.yaml:3:10: source 's' is given twice"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        refuses(table[i].text, table[i].wanted);
    char text[600] = "sources:\n  - {id: s, driver: json, topic: 'x";
    for (int level = 0; level < 32; level++)
        strcat(text, "/y");
    strcat(text, "', site: a, domain: air, device: d}\nsites: [{id: a}]\n");
    refuses(text, "t.yaml:2:34: topic 'x/y");
}

#define RULE(rest) "rules:\n  - {id: r, " rest "}\n"
#define LEVELS "levels: {warning: {open: 75, clear: 70}}"
static void test_rules(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *wanted;
    } table[] = {
        {RULE("quantity: pm2, " LEVELS), "t.yaml:2:23: there is no quantity 'pm2' (did you mean 'pm25'?)"},
        {RULE("quantity: pm25, levels: {}"), "t.yaml:2:37: a rule needs at least one level"},
        {RULE("quantity: pm25, levels: {alarm: {open: 1, clear: 1}, notice: {open: 1, clear: 0}}"),
         "t.yaml:2:38: unknown key 'alarm'"},
        {RULE("quantity: pm25, levels: {warning: {open: 75, clear: 80}}"),
         "t.yaml:2:47: warning: clear (80) lies beyond open (75)"},
        {RULE("quantity: pm25, direction: below, levels: {warning: {open: 75, clear: 70}}"),
         "t.yaml:2:65: warning: clear (70) lies beyond open (75)"},
        {RULE("quantity: pm25, levels: {notice: {open: 75, clear: 70}, critical: {open: 50, clear: 40}}"),
         "t.yaml:2:79: critical opens at 50, before notice at 75"},
        {RULE("quantity: pm25, statistic: median, " LEVELS),
         "t.yaml:2:40: there is no statistic 'median': use last, mean, min, max, sum, rate, change"},
        {RULE("quantity: pm25, direction: up, " LEVELS),
         "t.yaml:2:40: direction is 'up', it may be above, below"},
        {RULE("quantity: wind_dir, statistic: mean, " LEVELS),
         "t.yaml:2:44: wind_dir is a direction: 350 and 10 degrees are 20 apart, and halfway between them is "
         "0, "
         "not 180: use vector_mean"},
        {RULE("quantity: wind_dir, statistic: p95, " LEVELS), "t.yaml:2:44: wind_dir is a direction"},
        {RULE("quantity: pm25, and: [{quantity: wind_dir, statistic: stddev, above: 5}], " LEVELS),
         "t.yaml:2:67: wind_dir is a direction"},
        {RULE("quantity: pm25, statistic: p101, " LEVELS), "t.yaml:2:40: there is no statistic 'p101'"},
        {RULE("quantity: pm25, statistic: above, " LEVELS), "t.yaml:2:40: statistic above and the key above"},
        {RULE("quantity: pm25, statistic: mean, above: 3, " LEVELS),
         "t.yaml:2:53: statistic above and the key above"},
        {RULE("quantity: pm25, statistic: mean, valid: 61m, " LEVELS),
         "t.yaml:2:53: valid is longer than the window"},
        {RULE("quantity: pm25, statistic: mean, valid: most, " LEVELS),
         "t.yaml:2:53: valid is 'most': standard, a duration"},
        {RULE("quantity: pm25, statistic: mean, valid: 101%, " LEVELS), "t.yaml:2:53: valid is '101%'"},
        {RULE("quantity: pm25, valid: 45m, " LEVELS), "t.yaml:2:36: statistic last has no window that"},
        {RULE("quantity: pm25, window: 1h, " LEVELS), "t.yaml:2:37: statistic last has no window"},
        {RULE("quantity: pm25, statistic: mean, window: 0s, " LEVELS),
         "t.yaml:2:54: window may be 1s to 31d"},
        {RULE("quantity: pm25, statistic: mean, window: 32d, " LEVELS),
         "t.yaml:2:54: window may be 1s to 31d"},
        {RULE("quantity: pm25, hold: a while, " LEVELS), "t.yaml:2:35: hold is 'a while', a duration"},
        {RULE("quantity: pm25, clear_hold: 5, " LEVELS), "t.yaml:2:41: clear_hold is '5', a duration"},
        {RULE("quantity: pm25, deadline: {fix: never}, " LEVELS), "t.yaml:2:45: fix is 'never', a duration"},
        {RULE("quantity: pm25, sites: [nowhere], " LEVELS), "t.yaml:2:37: there is no site 'nowhere'"},
        {RULE("quantity: pm25, " LEVELS) "  - {id: r, quantity: pm10, " LEVELS "}\n",
         "t.yaml:3:10: rule 'r' is given twice"},
        {"rules:\n  - {id: R 1, quantity: pm25, " LEVELS "}\n", "t.yaml:2:10: a rule's id is a-z"},
        {RULE("quantity: pm25, levels: {warning: {open: hot, clear: 70}}"),
         "t.yaml:2:54: open is 'hot', a number is expected"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        refuses(table[i].text, table[i].wanted);
}

/* One go: faults of every phase, in the order of the file. */
static void test_all_of_them(void **unused)
{
    (void)unused;
    static const char text[] =
        "mqtt:\n"
        "  prot: 1883\n"
        "store: {commit_interval: soon, max_size: x}\n"
        "time_zone: Mars/Olympus\n"
        "sites:\n"
        "  - {id: a, parent: a}\n"
        "  - {id: a}\n"
        "  - {id: c, mode: alone}\n" /* so that nobody knows whether d is there */
        "rules:\n"
        "  - {id: r, quantity: pm52, levels: {warning: {open: 1, clear: 2}}, sites: [d]}\n"
        "  - {id: s, quantity: pm25, levels: {warning: {open: 1}}}\n"
        "devices: {}\n"
        "max_devices: none\n";
    static const char *const wanted[] = {
        "2:3: unknown key 'prot'",
        "3:26: commit_interval is 'soon'",
        "3:42: max_size is 'x'",
        "4:12: there is no time zone",
        "6:21: site 'a' lies below itself",
        "7:10: site 'a' is given twice",
        "8:19: mode is 'alone'",
        "10:23: there is no quantity 'pm52'",
        "10:47: warning: clear (2)",
        "11:47: 'clear' is missing here",
        "12:10: devices is a group of keys",
        "13:14: max_devices is 'none'",
    };
    assert_null(parse(text));
    const char *at = said();
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char start[100];
        snprintf(start, sizeof start, "t.yaml:%s", wanted[i]);
        if (strncmp(at, start, strlen(start)) != 0)
            fail_msg("wanted %s\nhave %s\nof all\n%s", start, at, said());
        at = strchr(at, '\n') + 1;
    }
    assert_string_equal(at, "");
}

static void test_hostile_files(void **unused)
{
    (void)unused;
    struct eg_buf text;
    eg_buf_init(&text, 4 << 20);
    eg_buf_text(&text, "a: &a [x,x,x,x,x,x,x,x,x]\n"); /* a billion laughs */
    for (char c = 'b'; c < 'k'; c++)
        eg_buf_printf(&text, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1, c - 1,
                      c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
    assert_null(parse(text.data));
    assert_non_null(strstr(said(), "t.yaml:1:4: anchors and aliases are not read"));

    eg_buf_clear(&text); /* more faults than anybody reads */
    for (int i = 0; i < 3000; i++)
        eg_buf_printf(&text, "- a%d\n", i);
    eg_buf_clear(&text);
    eg_buf_text(&text, "sites:\n");
    for (int i = 0; i < 3000; i++)
        eg_buf_text(&text, "  - {}\n");
    assert_null(parse(text.data));
    size_t lines = 0;
    for (const char *c = said(); *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 501);
    assert_non_null(strstr(said(), "\nthere are more faults than these\n"));

    eg_buf_clear(&text); /* too many keys to compare with each other */
    for (int i = 0; i < 5000; i++)
        eg_buf_printf(&text, "k%d: 1\n", i);
    refuses(text.data, "t.yaml:1:1: 5000 keys in one place");

    eg_buf_clear(&text); /* a mebibyte and a byte */
    while (text.length <= (1 << 20))
        eg_buf_text(&text, "# nothing\n");
    assert_null(parse(text.data));
    assert_true(faults.length > 0);

    eg_buf_clear(&text);
    for (int i = 0; i < 20000; i++)
        eg_buf_text(&text, "[");
    assert_null(parse(text.data));
    assert_non_null(strstr(said(), "nested too deep"));

    eg_buf_clear(&text); /* a fault is one line, whatever it quotes */
    eg_buf_text(&text, "\"a\\nb\\e[2J\": 1\n");
    refuses(text.data, "t.yaml:1:1: unknown key 'a?b?[2J'");
    eg_buf_finish(&text);
}

/* Whatever is cut off or changed: no crash, and either a configuration or a fault. */
static void test_damaged_files(void **unused)
{
    (void)unused;
    static const char text[] = "mqtt: {host: h, port: 1883}\nsites:\n  - {id: a, latitude: 1.5}\n  - {id: b, "
                               "parent: a, parties: [p]}\n"
                               "parties: [{id: p, sector: market}]\nsources:\n  - {id: s, topic: "
                               "'x/{site}/{device}', domain: air, driver: json, fields: [{path: /a, "
                               "quantity: pm25}]}\nrules:\n  - {id: r, quantity: pm25, levels: {warning: "
                               "{open: 75, clear: 70}}, sites: [a]}\n";
    struct eg_conf *conf = parse(text);
    if (!conf)
        fail_msg("%s", said());
    eg_conf_destroy(conf);
    char changed[sizeof text];
    srand(3);
    for (int round = 0; round < 4000; round++) {
        memcpy(changed, text, sizeof text);
        size_t at = (size_t)rand() % (sizeof text - 1), length = sizeof text - 1;
        if (round % 3)
            changed[at] = "{}[]:,-'\"\n #&*!|>%@`a0\\\t\x80"[rand() % 26];
        else
            length = at;
        eg_buf_clear(&faults);
        conf = eg_conf_parse("t.yaml", changed, length, &faults);
        assert_true((conf == NULL) == (faults.length > 0));
        eg_conf_destroy(conf);
    }
}

static int set_up(void **unused)
{
    (void)unused;
    eg_buf_init(&faults, 1 << 20);
    return 0;
}
static int take_down(void **unused)
{
    (void)unused;
    eg_buf_finish(&faults);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_at_its_place),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_all_of_them),
        cmocka_unit_test(test_hostile_files),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, set_up, take_down);
}
