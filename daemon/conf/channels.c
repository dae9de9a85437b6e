/* The ways by which parties are told: channels, and what a party says of those it uses. Knows addresses and hours; how a message is
 * handed over, daemon/notify knows. Called by resolve.c. */
#include <conf/resolve.h>

#include <stdio.h>
#include <string.h>

#define TOPIC_MAX 250
#define ROUTES_MAX 16
#define NOTIFY_PREFIX "ecogov/notify/"

const struct eg_conf_party *eg_conf_party_find(const struct eg_conf *conf, const char *id)
{
    for (size_t i = 0; i < conf->party_count; i++)
        if (!strcmp(conf->parties[i].id, id))
            return &conf->parties[i];
    return NULL;
}

const struct eg_conf_channel *eg_conf_channel_find(const struct eg_conf *conf, const char *id)
{
    for (size_t i = 0; i < conf->channel_count; i++)
        if (!strcmp(conf->channels[i].id, id))
            return &conf->channels[i];
    return NULL;
}

bool eg_conf_hours_hold(const struct eg_conf_hours *hours, int minute)
{
    if (hours->from <= hours->to)
        return minute >= hours->from && minute < hours->to;
    return minute >= hours->from || minute < hours->to;
}

/* "HH:MM", up to 24:00; a negative number: it is none. */
static int minute_of(const char *text)
{
    static const char shape[] = "dd:dd";
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return -1;
    int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';
    return minute < 60 && hour * 60 + minute <= 24 * 60 ? hour * 60 + minute : -1;
}

static struct eg_conf_hours hours_of(struct eg_resolve *resolve, const yaml_node_t *node, const char *key,
                                     const char *text)
{
    struct eg_conf_hours hours = {0, 0};
    if (!text)
        return hours;
    if (strlen(text) == 11 && text[5] == '-') {
        hours.from = minute_of(text);
        hours.to = minute_of(text + 6);
    }
    if (strlen(text) != 11 || hours.from < 0 || hours.to < 0 || hours.from == hours.to)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, key),
                         "%s is '%.40s', hours such as 22:00-06:00 are expected", key, text);
    return hours;
}

/* Below ecogov/notify/, so that no source takes for a reading what we said ourselves. */
static void check_topic(struct eg_resolve *resolve, const yaml_node_t *node, const char *topic)
{
    if (strncmp(topic, NOTIFY_PREFIX, sizeof NOTIFY_PREFIX - 1) != 0 ||
        topic[sizeof NOTIFY_PREFIX - 1] == '\0' || strpbrk(topic, "+#") || strlen(topic) > TOPIC_MAX)
        eg_resolve_fault(resolve, node,
                         "the topic '%.60s' must lie below " NOTIFY_PREFIX
                         ", without wildcards, and have %d bytes at most",
                         topic, TOPIC_MAX);
}

void eg_resolve_channel(struct eg_resolve *resolve, const struct eg_raw_channel *raw, const yaml_node_t *node,
                        struct eg_conf_channel *ret)
{
    const struct eg_conf *conf = &resolve->loaded->conf;
    *ret = (struct eg_conf_channel){.id = raw->id,
                                    .kind = (enum eg_channel_kind)raw->kind,
                                    .topic = raw->topic ? raw->topic : NOTIFY_PREFIX "{party}"};
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a channel's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    if (eg_conf_channel_find(conf, raw->id) != ret)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "channel '%.60s' is given twice",
                         raw->id);
    check_topic(resolve, eg_resolve_node(resolve, node, "topic"), ret->topic);
    if (!conf->mqtt.publish)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "kind"),
                         "channel '%.60s' needs mqtt.publish, which is off", raw->id);
}

static const char *channel_name(const void *from, size_t index)
{
    const struct eg_conf *conf = from;
    return index < conf->channel_count ? conf->channels[index].id : NULL;
}

static void take_route(struct eg_resolve *resolve, const struct eg_raw_route *raw, const yaml_node_t *node,
                       struct eg_conf_party *party)
{
    const struct eg_conf *conf = &resolve->loaded->conf;
    const struct eg_conf_channel *channel = eg_conf_channel_find(conf, raw->id);
    if (!channel && !resolve->loaded->files.holes) {
        const char *near = eg_faults_nearest(raw->id, channel_name, conf);
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "there is no channel '%.60s'%s%s%s",
                         raw->id, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    }
    if (!channel)
        return;
    struct eg_conf_route *route = &party->routes[party->route_count++];
    *route = (struct eg_conf_route){.channel = (uint32_t)(channel - conf->channels),
                                    .to = raw->to ? raw->to : "",
                                    .level = raw->level ? (enum eg_level) * raw->level : EG_LEVEL_NOTICE,
                                    .hours = hours_of(resolve, node, "hours", raw->hours),
                                    .days = raw->days_count ? 0 : EG_DAYS_ALL};
    for (unsigned i = 0; i < raw->days_count; i++)
        route->days |= 1u << raw->days[i];
    if (raw->to)
        check_topic(resolve, eg_resolve_node(resolve, node, "to"), raw->to);
    for (size_t i = 0; i + 1 < party->route_count; i++)
        if (party->routes[i].channel == route->channel && !strcmp(party->routes[i].to, route->to))
            eg_resolve_fault(resolve, node, "party '%.60s' names channel '%.60s' twice with the same address",
                             party->id, raw->id);
}

void eg_resolve_routes(struct eg_resolve *resolve, const struct eg_raw_party *raw, const yaml_node_t *node,
                       struct eg_conf_party *ret)
{
    const yaml_node_t *list = eg_files_key(resolve->file, node, "channels");
    if (raw->channels_count > ROUTES_MAX) {
        eg_resolve_fault(resolve, list, "a party has at most %d channels", ROUTES_MAX);
        return;
    }
    ret->routes = eg_resolve_keep(resolve, raw->channels_count, sizeof *ret->routes);
    for (unsigned i = 0; ret->routes && i < raw->channels_count; i++)
        take_route(resolve, &raw->channels[i], eg_files_item(resolve->file, list, i), ret);
}
