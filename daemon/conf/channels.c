/* The ways by which parties are told: channels, and what a party says of those it uses. Knows addresses and hours; how a message is
 * handed over, daemon/notify knows. Called by resolve.c. */
#include <conf/resolve.h>

#include <stdio.h>
#include <string.h>

#define TOPIC_MAX 250
#define ROUTES_MAX 16
#define SECRET_LEAST 16
#define URL_MAX 1000
#define ARGUMENTS_MAX 32
#define ADDRESS_MAX 254
#define REPEATS 12
#define REPEATS_MAX 1000
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

bool eg_conf_is_address(const char *text)
{
    size_t local = strcspn(text, "@"), length = strlen(text);
    if (!local || length > ADDRESS_MAX || text[local] != '@' || strchr(text + local + 1, '@'))
        return false;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 127 || strchr("<>()[],;:\\\"", *at))
            return false;
    return text[local + 1] && text[local + 1] != '.' && text[length - 1] != '.';
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

struct eg_conf_hours eg_resolve_hours(struct eg_resolve *resolve, const yaml_node_t *node, const char *key,
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

/* A key that only channels of some kinds have: which. */
static void check_kinds(struct eg_resolve *resolve, const struct eg_raw_channel *raw, const yaml_node_t *node)
{
    static const char *const keys[EG_BY_COUNT] = {
        " topic ",
        " url url_file format secret_file token_file ca_file tls_insecure private_network timeout ",
        " url url_file user password_file from ca_file tls_insecure starttls private_network timeout ",
        " program arguments timeout "};
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++) {
        const yaml_node_t *key = yaml_document_get_node(&resolve->file->document, pair->key);
        char word[40];
        snprintf(word, sizeof word, " %.30s ", (const char *)key->data.scalar.value);
        if (!strstr(keys[raw->kind], word) && !strstr(" id kind retry give_up limit ", word))
            eg_resolve_fault(resolve, key, "a channel of kind %s has no '%.30s'",
                             eg_channel_kind_name((enum eg_channel_kind)raw->kind), word + 1);
    }
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void take_url(struct eg_resolve *resolve, const struct eg_raw_channel *raw, const yaml_node_t *node,
                     struct eg_conf_channel *ret)
{
    const char *given = raw->url ? "url" : "url_file";
    bool mail = ret->kind == EG_BY_MAIL;
    ret->url = raw->url ? raw->url : eg_resolve_secret(resolve, node, "url_file", raw->url_file);
    if (!raw->url == !raw->url_file) {
        eg_resolve_fault(resolve, node, "a channel of kind %s needs either url or url_file",
                         eg_channel_kind_name(ret->kind));
        return;
    }
    if (!ret->url)
        return;
    bool fits = mail ? begins(ret->url, "smtp://") || begins(ret->url, "smtps://")
                     : begins(ret->url, "http://") || begins(ret->url, "https://");
    if (!fits || strlen(ret->url) > URL_MAX || ret->url[strcspn(ret->url, " \t\"<>")])
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, given),
                         mail ? "a mail server is smtp://host:port or smtps://host:port, %d bytes at most"
                              : "a webhook's url begins with http:// or https:// and has %d bytes at most",
                         URL_MAX);
}

static void take_mail(struct eg_resolve *resolve, const struct eg_raw_channel *raw, const yaml_node_t *node,
                      struct eg_conf_channel *ret)
{
    ret->user = raw->user;
    ret->password = eg_resolve_secret(resolve, node, "password_file", raw->password_file);
    ret->from = raw->from;
    ret->starttls = raw->starttls ? *raw->starttls : true;
    if (!raw->from || !eg_conf_is_address(raw->from))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "from"),
                         "a channel of kind mail needs from: an address such as ecogov@example.org");
    if (!raw->user != !raw->password_file)
        eg_resolve_fault(resolve, node, "user and password_file go together");
}

static void take_program(struct eg_resolve *resolve, const struct eg_raw_channel *raw,
                         const yaml_node_t *node, struct eg_conf_channel *ret)
{
    ret->program = eg_resolve_path(resolve, raw->program);
    ret->arguments = (const char **)(void *)raw->arguments;
    ret->argument_count = raw->arguments_count;
    if (!raw->program)
        eg_resolve_fault(resolve, node, "a channel of kind exec needs program");
    if (raw->arguments_count > ARGUMENTS_MAX)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "arguments"), "at most %d arguments",
                         ARGUMENTS_MAX);
}

static void take_patience(struct eg_resolve *resolve, const struct eg_raw_channel *raw,
                          const yaml_node_t *node, struct eg_conf_channel *ret)
{
    ret->timeout_ms = eg_resolve_span(resolve, node, "timeout", raw->timeout, 20000);
    ret->retry_ms = eg_resolve_span(resolve, node, "retry", raw->retry, 5000);
    ret->give_up_ms = eg_resolve_span(resolve, node, "give_up", raw->give_up, 86400000);
    ret->limit = raw->limit ? *raw->limit : 20;
    if (ret->limit < 0 || ret->limit > 100000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "limit"), "limit may be 0 to 100000");
    if (ret->timeout_ms < 100 || ret->timeout_ms > 600000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "timeout"), "timeout may be 100ms to 10m");
    if (ret->retry_ms < 10 || ret->retry_ms > 3600000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "retry"), "retry may be 10ms to 1h");
}

void eg_resolve_channel(struct eg_resolve *resolve, const struct eg_raw_channel *raw, const yaml_node_t *node,
                        struct eg_conf_channel *ret)
{
    const struct eg_conf *conf = &resolve->loaded->conf;
    *ret = (struct eg_conf_channel){.id = raw->id,
                                    .kind = (enum eg_channel_kind)raw->kind,
                                    .topic = raw->topic ? raw->topic : NOTIFY_PREFIX "{party}",
                                    .format = raw->format ? (enum eg_format) * raw->format : EG_FORMAT_JSON,
                                    .ca_file = eg_resolve_path(resolve, raw->ca_file),
                                    .tls_insecure = raw->tls_insecure && *raw->tls_insecure,
                                    .private_network = raw->private_network && *raw->private_network};
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a channel's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    if (eg_conf_channel_find(conf, raw->id) != ret)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "channel '%.60s' is given twice",
                         raw->id);
    check_kinds(resolve, raw, node);
    take_patience(resolve, raw, node, ret);
    switch (ret->kind) {
    case EG_BY_MQTT:
        check_topic(resolve, eg_resolve_node(resolve, node, "topic"), ret->topic);
        if (!conf->mqtt.publish)
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "kind"),
                             "channel '%.60s' needs mqtt.publish, which is off", raw->id);
        break;
    case EG_BY_WEBHOOK:
        take_url(resolve, raw, node, ret);
        ret->secret = eg_resolve_secret(resolve, node, "secret_file", raw->secret_file);
        ret->token = eg_resolve_secret(resolve, node, "token_file", raw->token_file);
        break;
    case EG_BY_MAIL:
        take_url(resolve, raw, node, ret);
        take_mail(resolve, raw, node, ret);
        break;
    case EG_BY_EXEC:
        take_program(resolve, raw, node, ret);
        break;
    case EG_BY_COUNT:
        break;
    }
}

static const char *channel_name(const void *from, size_t index)
{
    const struct eg_conf *conf = from;
    return index < conf->channel_count ? conf->channels[index].id : NULL;
}

/* What is an address depends on who takes it there. */
static void check_address(struct eg_resolve *resolve, const struct eg_raw_route *raw, const yaml_node_t *node,
                          const struct eg_conf_channel *channel)
{
    const yaml_node_t *at = eg_resolve_node(resolve, node, "to");
    if (channel->kind == EG_BY_MQTT && raw->to)
        check_topic(resolve, at, raw->to);
    if (channel->kind == EG_BY_MAIL && (!raw->to || !eg_conf_is_address(raw->to)))
        eg_resolve_fault(resolve, at, "mail needs to: an address such as li@example.org");
    if (channel->kind == EG_BY_WEBHOOK && raw->to)
        eg_resolve_fault(resolve, at, "a webhook's address is its url: make a channel for each");
    if (channel->kind == EG_BY_EXEC && raw->to && (strlen(raw->to) > ADDRESS_MAX || *raw->to == '-'))
        eg_resolve_fault(resolve, at, "to has at most %d bytes and does not begin with '-'", ADDRESS_MAX);
}

static void take_repeats(struct eg_resolve *resolve, const struct eg_raw_route *raw, const yaml_node_t *node,
                         struct eg_conf_route *route)
{
    route->repeat_ms = eg_resolve_span(resolve, node, "repeat", raw->repeat, 0);
    route->repeat_level = raw->repeat_level ? (enum eg_level) * raw->repeat_level : EG_LEVEL_NOTICE;
    route->repeat_most = raw->repeat_most ? *raw->repeat_most : REPEATS;
    if (route->repeat_ms && (route->repeat_ms < 60000 || route->repeat_ms > 604800000))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "repeat"), "repeat may be 1m to 7d");
    if (route->repeat_most < 1 || route->repeat_most > REPEATS_MAX)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "repeat_most"), "repeat_most may be 1 to %d",
                         REPEATS_MAX);
    if (!raw->repeat && (raw->repeat_level || raw->repeat_most))
        eg_resolve_fault(resolve, node, "repeat_level and repeat_most need repeat");
    if (route->repeat_ms && route->fallback)
        eg_resolve_fault(resolve, node, "a fallback repeats nothing");
}

static void take_digest(struct eg_resolve *resolve, const struct eg_raw_route *raw, const yaml_node_t *node,
                        struct eg_conf_route *route)
{
    route->digest_min = raw->digest && strlen(raw->digest) == 5 ? minute_of(raw->digest) : -1;
    route->digest_empty = raw->digest_empty && *raw->digest_empty;
    if (raw->digest && (route->digest_min < 0 || route->digest_min == 24 * 60))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "digest"),
                         "digest is '%.40s', a time of the day such as \"07:30\" is expected", raw->digest);
    if (!raw->digest && raw->digest_empty)
        eg_resolve_fault(resolve, node, "digest_empty needs digest");
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
                                    .hours = eg_resolve_hours(resolve, node, "hours", raw->hours),
                                    .days = raw->days_count ? 0 : EG_DAYS_ALL};
    for (unsigned i = 0; i < raw->days_count; i++)
        route->days |= 1u << raw->days[i];
    route->fallback = raw->fallback && *raw->fallback;
    take_repeats(resolve, raw, node, route);
    take_digest(resolve, raw, node, route);
    check_address(resolve, raw, node, channel);
    for (size_t i = 0; i + 1 < party->route_count; i++)
        if (party->routes[i].channel == route->channel && !strcmp(party->routes[i].to, route->to))
            eg_resolve_fault(resolve, node, "party '%.60s' names channel '%.60s' twice with the same address",
                             party->id, raw->id);
}

void eg_resolve_routes(struct eg_resolve *resolve, const struct eg_raw_party *raw, const yaml_node_t *node,
                       struct eg_conf_party *ret)
{
    const yaml_node_t *list = eg_files_key(resolve->file, node, "channels");
    ret->secret = eg_resolve_secret(resolve, node, "secret_file", raw->secret_file);
    if (ret->secret && strlen(ret->secret) < SECRET_LEAST)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "secret_file"),
                         "a secret of at least %d characters is expected", SECRET_LEAST);
    ret->quiet = eg_resolve_hours(resolve, node, "quiet", raw->quiet);
    if (raw->channels_count > ROUTES_MAX) {
        eg_resolve_fault(resolve, list, "a party has at most %d channels", ROUTES_MAX);
        return;
    }
    ret->routes = eg_resolve_keep(resolve, raw->channels_count, sizeof *ret->routes);
    for (unsigned i = 0; ret->routes && i < raw->channels_count; i++)
        take_route(resolve, &raw->channels[i], eg_files_item(resolve->file, list, i), ret);
}
