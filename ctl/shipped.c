/* Knows how little must be said for a driver or a preset to read a payload: a topic, a place, a name. Refuses to read the payload.
 * Called by run_try.c. */
#include "shipped.h"

#include <base/json.h>
#include <ecogov/driver.h>
#include <pipeline/route.h>

#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 10)
#define STANDARD "ecogov/{site}/{domain}/{device}"

struct wanted {
    const char *name;
    bool preset, found;
    char topic[SHIPPED_TOPIC], domain[64], driver[64];
};

static const char *name_in(const char *source, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(source, prefix, length) == 0 ? source + length : NULL;
}

bool shipped_is(const char *source)
{
    return source && (name_in(source, "preset:") || name_in(source, "driver:"));
}

static void take_preset(void *user, const struct eg_conf_preset *preset)
{
    struct wanted *wanted = user;
    if (strcmp(preset->id, wanted->name) != 0)
        return;
    wanted->found = true;
    snprintf(wanted->topic, sizeof wanted->topic, "%s", preset->topic ? preset->topic : "");
    snprintf(wanted->domain, sizeof wanted->domain, "%s", preset->domain ? preset->domain : "");
    snprintf(wanted->driver, sizeof wanted->driver, "%s", preset->driver ? preset->driver : "");
}

static bool look_up(const char *source, struct wanted *ret)
{
    const char *preset = name_in(source, "preset:");
    *ret = (struct wanted){.name = preset ? preset : name_in(source, "driver:"), .preset = preset != NULL};
    if (preset) {
        (void)eg_conf_presets(take_preset, ret);
    } else {
        ret->found = eg_driver_find(ret->name) != NULL;
        snprintf(ret->driver, sizeof ret->driver, "%s", ret->name);
    }
    if (!ret->found)
        fprintf(stderr, "ecogovctl: try: there is no %s \"%s\"; see: ecogovctl %s\n",
                preset ? "preset" : "driver", ret->name, preset ? "presets" : "help drivers");
    return ret->found;
}

/* The levels that a template leaves open, filled in. */
static void instantiate(const char *template, char out[SHIPPED_TOPIC])
{
    static const struct {
        const char *level, *word;
    } words[] = {
        {"{site}", SHIPPED_SITE}, {"{domain}", "air"}, {"{device}", SHIPPED_DEVICE}, {"+", "x"}, {"#", "x"}};
    size_t used = 0;
    *out = '\0';
    for (const char *at = template; used < SHIPPED_TOPIC;) {
        size_t length = strcspn(at, "/");
        const char *word = at;
        size_t size = length;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strlen(words[i].level) == length && strncmp(at, words[i].level, length) == 0) {
                word = words[i].word;
                size = strlen(word);
            }
        used += (size_t)snprintf(out + used, SHIPPED_TOPIC - used, "%s%.*s", at == template ? "" : "/",
                                 (int)size, word);
        if (!at[length])
            return;
        at += length + 1;
    }
}

static void write(const struct wanted *wanted, const char *template, const char *site, const char *codec,
                  struct eg_buf *out)
{
    struct eg_json json;
    const struct eg_driver *driver = eg_driver_find(wanted->driver);
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_key(&json, "sites");
    eg_json_open(&json, '[');
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "id", site);
    eg_json_close(&json, '}');
    eg_json_close(&json, ']');
    eg_json_key(&json, "sources");
    eg_json_open(&json, '[');
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "id", "try");
    eg_json_put_string(&json, wanted->preset ? "preset" : "driver", wanted->name);
    eg_json_put_string(&json, "topic", template);
    if (!strstr(template, "{site}"))
        eg_json_put_string(&json, "site", site);
    if (!strstr(template, "{domain}"))
        eg_json_put_string(&json, "domain", *wanted->domain ? wanted->domain : "air");
    if (!strstr(template, "{device}") && !(driver && driver->device)) /* else the payload names it */
        eg_json_put_string(&json, "device", SHIPPED_DEVICE);
    if (codec)
        eg_json_put_string(&json, "codec", codec);
    eg_json_close(&json, '}');
    eg_json_close(&json, ']');
    eg_json_close(&json, '}');
}

static struct eg_conf *parse(const struct wanted *wanted, const char *template, const char *site,
                             const char *codec)
{
    struct eg_buf text, faults;
    eg_buf_init(&text, TEXT_MAX);
    eg_buf_init(&faults, TEXT_MAX);
    write(wanted, template, site, codec, &text);
    struct eg_conf *conf = text.failed ? NULL : eg_conf_parse("try", text.data, text.length, &faults);
    if (!conf) { /* the place in a text that nobody has seen says nothing */
        const char *sentence = faults.length ? strchr(faults.data, ' ') : NULL;
        fprintf(stderr, "ecogovctl: try:%s", sentence ? sentence : " there is no memory for it\n");
    }
    eg_buf_finish(&text);
    eg_buf_finish(&faults);
    return conf;
}

static bool takes(const struct eg_conf *conf, const char *topic)
{
    struct eg_routed routed;
    struct eg_route *route = eg_route_create(conf);
    bool found = route && eg_route_find(route, topic, strlen(topic), &routed);
    eg_route_destroy(route);
    return found;
}

/* The site of a topic of ecogov's own form. False: it is none. */
static bool standard_site(const char *topic, char site[64])
{
    const char *at = name_in(topic, "ecogov/");
    size_t length = at ? strcspn(at, "/") : 0;
    if (!length || length >= 64 || strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-_") < length)
        return false;
    int levels = 0;
    for (const char *c = topic; *c; c++)
        levels += *c == '/';
    snprintf(site, 64, "%.*s", (int)length, at);
    return levels == 3;
}

struct eg_conf *shipped_conf(const char *source, const char *topic, const char *codec,
                             char ret_topic[SHIPPED_TOPIC])
{
    struct wanted wanted;
    char site[64] = SHIPPED_SITE;
    if (!look_up(source, &wanted))
        return NULL;
    if (!topic) {
        instantiate(*wanted.topic ? wanted.topic : SHIPPED_DEVICE, ret_topic);
        return parse(&wanted, *wanted.topic ? wanted.topic : SHIPPED_DEVICE, site, codec);
    }
    snprintf(ret_topic, SHIPPED_TOPIC, "%s", topic);
    if (*wanted.topic) {
        struct eg_conf *usual = parse(&wanted, wanted.topic, site, codec);
        if (!usual || takes(usual, topic))
            return usual;
        eg_conf_destroy(usual);
    }
    return parse(&wanted, standard_site(topic, site) ? STANDARD : topic, site, codec);
}
