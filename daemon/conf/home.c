/* Home Assistant's discovery: what its keys mean, and that no source takes for a reading what is said there. Called by resolve.c. */
#include <conf/resolve.h>

#include <stdio.h>
#include <string.h>

#define PREFIX_MAX 100

/* Would a subscription to this topic template bring it back to us? {site} and the like are levels of their own. */
static bool brings(const char *template, const char *topic)
{
    while (*template && *topic) {
        size_t wanted = strcspn(template, "/"), there = strcspn(topic, "/");
        if (*template == '#')
            return true;
        bool any = *template == '+' || memchr(template, '{', wanted);
        if (!any && (wanted != there || memcmp(template, topic, wanted) != 0))
            return false;
        template += wanted + (template[wanted] == '/');
        topic += there + (topic[there] == '/');
    }
    return !*topic && (!*template || !strcmp(template, "#"));
}

void eg_resolve_home(struct eg_resolve *resolve, const struct eg_raw *raw)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    struct eg_conf_homeassistant *home = &conf->home_assistant;
    const struct eg_raw_homeassistant *own = raw->home_assistant;
    if (!own)
        return;
    const yaml_node_t *node = eg_files_key(resolve->file, eg_files_root(resolve->file), "home_assistant");
    home->enable = own->enable && *own->enable;
    home->take_back = own->enable && !*own->enable;
    home->prefix = own->prefix ? own->prefix : home->prefix;
    home->language = own->language ? (enum eg_language) * own->language : home->language;
    home->interval_ms = eg_resolve_span(resolve, node, "interval", own->interval, home->interval_ms);
    home->retire_ms = eg_resolve_span(resolve, node, "retire_after", own->retire_after, home->retire_ms);
    if (!*home->prefix || strlen(home->prefix) > PREFIX_MAX || strpbrk(home->prefix, "+#{} ") ||
        !strncmp(home->prefix, "ecogov", 6) || home->prefix[0] == '$')
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "prefix"),
                         "prefix is a topic such as homeassistant, without wildcards, not below ecogov, of "
                         "%d bytes at most",
                         PREFIX_MAX);
    if (home->interval_ms < 1000 || home->interval_ms > 86400000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "interval"), "interval may be 1s to 1d");
    if (home->enable && !conf->mqtt.publish)
        eg_resolve_fault(resolve, node, "home_assistant needs mqtt.publish, which is off");
    char topic[PREFIX_MAX + 40];
    snprintf(topic, sizeof topic, "%.100s/device/x/config", home->prefix);
    for (size_t i = 0; home->enable && i < conf->source_count; i++)
        if (conf->sources[i].topic && brings(conf->sources[i].topic, topic))
            eg_resolve_fault(
                resolve, eg_resolve_node(resolve, node, "prefix"),
                "source '%.60s' subscribes what is announced below %.60s: choose another prefix, or a "
                "narrower topic there",
                conf->sources[i].id, home->prefix);
}
