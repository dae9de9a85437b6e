/* Any templates and topics through the router's trie, beside a matcher that is slow and obvious. Knows the order in route.h: level
 * by level a literal before any, any before '#'; among equals the first in the configuration.
 *
 * Input: lines. Templates up to an empty line, then topics. */
#include "input.h"

#include <pipeline/route.h>

#define SOURCES_MAX 64
#define LEVELS_MAX 32
#define TEMPLATE_MAX 250

struct level {
    const char *text;
    size_t length;
};

static size_t split(const char *text, size_t length, struct level *levels, size_t most)
{
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] != '/')
            continue;
        if (count < most)
            levels[count] = (struct level){text + start, i - start};
        count++;
        start = i + 1;
    }
    return count;
}

static bool is(struct level level, const char *text)
{
    return level.length == strlen(text) && !memcmp(level.text, text, level.length);
}

static bool any(struct level level)
{
    return is(level, "+") || is(level, "{site}") || is(level, "{domain}") || is(level, "{device}");
}

/* What the configuration lets through; it is checked before it gets here. */
static bool well_formed(const char *topic)
{
    struct level levels[LEVELS_MAX];
    size_t length = strlen(topic), count = split(topic, length, levels, LEVELS_MAX), roles[3] = {0};
    if (!length || length > TEMPLATE_MAX || count > LEVELS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        static const char *const names[] = {"{site}", "{domain}", "{device}"};
        for (int role = 0; role < 3; role++)
            if (is(levels[i], names[role]) && roles[role]++)
                return false;
        if (is(levels[i], "#") ? i + 1 < count
                               : !any(levels[i]) && strcspn(levels[i].text, "+#{}") < levels[i].length)
            return false;
    }
    return true;
}

/* One letter a level: a literal, b any, c '#'. False when it does not match. The least such word wins. */
static bool match(const char *template, const char *topic, size_t topic_length, char word[LEVELS_MAX + 2])
{
    struct level want[LEVELS_MAX], have[LEVELS_MAX];
    size_t wanted = split(template, strlen(template), want, LEVELS_MAX);
    size_t had = split(topic, topic_length, have, LEVELS_MAX), i;
    if (had > LEVELS_MAX)
        return false;
    for (i = 0; i < wanted; i++) {
        if (is(want[i], "#")) {
            word[i++] = 'c';
            break;
        }
        if (i >= had)
            return false;
        bool whatever = any(want[i]);
        if (!whatever &&
            (want[i].length != have[i].length || memcmp(want[i].text, have[i].text, want[i].length)))
            return false;
        word[i] = whatever ? 'b' : 'a';
    }
    word[i] = '\0';
    return word[i - 1] == 'c' || had == wanted;
}

static uint32_t find(const struct eg_conf *conf, const char *topic, size_t length)
{
    char best[LEVELS_MAX + 2] = "", word[LEVELS_MAX + 2];
    uint32_t found = EG_CONF_NONE;
    for (uint32_t i = 0; i < conf->source_count; i++)
        if (match(conf->sources[i].topic, topic, length, word) &&
            (found == EG_CONF_NONE || strcmp(word, best) < 0)) {
            found = i;
            memcpy(best, word, sizeof best);
        }
    return found;
}

static void check_role(const struct eg_conf_source *source, const char *role, const char *fixed,
                       const char *topic, size_t topic_length, struct eg_slice said)
{
    struct level want[LEVELS_MAX], have[LEVELS_MAX];
    size_t wanted = split(source->topic, strlen(source->topic), want, LEVELS_MAX);
    split(topic, topic_length, have, LEVELS_MAX);
    struct level expected = {fixed, strlen(fixed)};
    for (size_t i = 0; i < wanted; i++)
        if (is(want[i], role))
            expected = have[i];
    DEMAND(said.length == expected.length && !memcmp(said.text, expected.text, said.length),
           "%s of '%s' by '%s' is '%.*s'", role, topic, source->topic, (int)said.length, said.text);
}

static void ask(const struct eg_conf *conf, const struct eg_route *route, const char *text)
{
    struct eg_routed routed = {.source = 12345};
    size_t length = strlen(text);
    char *topic = malloc(length ? length : 1); /* exactly its size: a slice that runs over is a report */
    if (!topic)
        abort();
    memcpy(topic, text, length);
    bool matched = eg_route_find(route, topic, length, &routed);
    uint32_t expected = find(conf, text, length);
    DEMAND(matched == (expected != EG_CONF_NONE), "'%s' is %srouted", text, matched ? "" : "not ");
    if (!matched) {
        DEMAND(routed.source == 12345, "refused, and yet something was written");
    } else {
        DEMAND(routed.source == expected, "'%s' goes to '%s', not to '%s'", text,
               conf->sources[routed.source].topic, conf->sources[expected].topic);
        const struct eg_conf_source *source = &conf->sources[expected];
        check_role(source, "{site}", source->site, text, length, routed.site);
        check_role(source, "{domain}", source->domain, text, length, routed.domain);
        check_role(source, "{device}", source->device, text, length, routed.device);
    }
    static const char *const own[] = {"ecogov/state/", "ecogov/events/", "ecogov/commands/",
                                      "ecogov/notify/"};
    bool reserved = false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        reserved = reserved || !strncmp(text, own[i], strlen(own[i]));
    DEMAND(eg_route_reserved(topic, length) == reserved, "'%s' is %sreserved", text, reserved ? "not " : "");
    free(topic);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct eg_conf_source sources[SOURCES_MAX];
    char *templates[SOURCES_MAX];
    struct eg_conf conf = {.sources = sources};
    while (input_left(&input) && conf.source_count < SOURCES_MAX) {
        char *topic = input_text(&input, '\n');
        if (!*topic) {
            free(topic);
            break;
        }
        if (!well_formed(topic)) {
            free(topic);
            continue;
        }
        templates[conf.source_count] = topic;
        sources[conf.source_count++] = (struct eg_conf_source){
            .id = "s", .topic = topic, .site = "fixed-site", .domain = "", .device = "fixed-device"};
    }
    struct eg_route *route = eg_route_create(&conf);
    if (!route)
        abort();
    while (input_left(&input)) {
        char *topic = input_text(&input, '\n');
        ask(&conf, route, topic);
        free(topic);
    }
    eg_route_destroy(route);
    for (size_t i = 0; i < conf.source_count; i++)
        free(templates[i]);
    return 0;
}
