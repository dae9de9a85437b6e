/* Sources: topic templates and the drivers' mappings. */
#include <conf/resolve.h>

#include <stdio.h>
#include <string.h>

#define LEVELS_MAX 32
#define TOPIC_MAX 250

enum part { PART_SITE, PART_DOMAIN, PART_DEVICE, PART_COUNT };
static const char *const part_names[PART_COUNT] = {"{site}", "{domain}", "{device}"};

static const char *part_name(const void *from, size_t index)
{
    (void)from;
    return index < PART_COUNT ? part_names[index] : NULL;
}

/* One level of a template; a sentence when it is none. */
static const char *check_level(const char *level, bool last, bool seen[PART_COUNT], char *text, size_t size)
{
    if (!strcmp(level, "+"))
        return NULL;
    if (!strcmp(level, "#"))
        return last ? NULL : "'#' may stand at the end only";
    if (*level != '{')
        return strpbrk(level, "+#{}") ? "'+', '#', '{' and '}' stand for a whole level or not at all" : NULL;
    for (int part = 0; part < PART_COUNT; part++)
        if (!strcmp(level, part_names[part])) {
            bool twice = seen[part];
            seen[part] = true;
            if (twice)
                snprintf(text, size, "%s stands in it twice", level);
            return twice ? text : NULL;
        }
    const char *near = eg_faults_nearest(level, part_name, NULL);
    snprintf(text, size, "'%.40s' is none of {site}, {domain}, {device}%s%s%s", level,
             near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    return text;
}

/* False when something is wrong with it: what it lacks is not worth saying then. */
static bool check_template(struct eg_resolve *resolve, const yaml_node_t *node, const char *topic,
                           bool seen[PART_COUNT])
{
    char level[TOPIC_MAX + 1], text[400];
    int levels = 0;
    if (!*topic || strlen(topic) > TOPIC_MAX) {
        eg_resolve_fault(resolve, node, "a topic template has 1 to %d bytes", TOPIC_MAX);
        return false;
    }
    for (const char *at = topic;; levels++) {
        const char *slash = strchr(at, '/');
        size_t length = slash ? (size_t)(slash - at) : strlen(at);
        memcpy(level, at, length);
        level[length] = '\0';
        const char *wrong = levels == LEVELS_MAX ? "it has more than 32 levels"
                                                 : check_level(level, !slash, seen, text, sizeof text);
        if (wrong) {
            eg_resolve_fault(resolve, node, "topic '%.100s': %s", topic, wrong);
            return false;
        }
        if (!slash)
            return true;
        at = slash + 1;
    }
}

static void check_given(struct eg_resolve *resolve, const yaml_node_t *node, const struct eg_raw_source *raw,
                        const bool seen[PART_COUNT])
{
    static const char *const keys[PART_COUNT] = {"site", "domain", "device"};
    const char *const given[PART_COUNT] = {raw->site, raw->domain, raw->device};
    for (int part = 0; part < PART_COUNT; part++) {
        if (!seen[part] && !given[part])
            eg_resolve_fault(resolve, node, "the topic has no {%s}: say '%s:'", keys[part], keys[part]);
        if (seen[part] && given[part])
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, keys[part]),
                             "%s is given, and {%s} stands in the topic: one of them", keys[part],
                             keys[part]);
    }
}

static const char *driver_name(const void *from, size_t index)
{
    const struct eg_driver *driver = eg_driver_at(index);
    (void)from;
    return driver ? driver->name : NULL;
}

static void prepare(struct eg_resolve *resolve, const struct eg_raw_source *raw, const yaml_node_t *node,
                    struct eg_conf_source *ret)
{
    char error[240] = "";
    int at = -1;
    struct eg_field *fields = eg_resolve_keep(resolve, raw->fields_count, sizeof *fields);
    for (unsigned i = 0; fields && i < raw->fields_count; i++)
        fields[i] = (struct eg_field){.path = raw->fields[i].path,
                                      .quantity = raw->fields[i].quantity,
                                      .unit = raw->fields[i].unit,
                                      .channel = raw->fields[i].channel};
    const struct eg_mapping mapping = {.time = raw->time,
                                       .readings = raw->readings,
                                       .channel = raw->channel,
                                       .fields = fields,
                                       .field_count = raw->fields_count};
    if (!fields || ret->driver->prepare(&mapping, &ret->prepared, error, sizeof error, &at) == 0)
        return;
    const yaml_node_t *field =
        at >= 0 ? eg_files_item(resolve->file, eg_files_key(resolve->file, node, "fields"), (size_t)at)
                : NULL;
    eg_resolve_fault(resolve, field ? field : node, "%s", error);
}

void eg_resolve_source(struct eg_resolve *resolve, const struct eg_raw_source *raw, const yaml_node_t *node,
                       struct eg_conf_source *ret)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    bool seen[PART_COUNT] = {false};
    *ret = (struct eg_conf_source){
        .id = raw->id, .topic = raw->topic, .site = raw->site, .domain = raw->domain, .device = raw->device};
    for (size_t i = 0; &conf->sources[i] != ret; i++)
        if (!strcmp(conf->sources[i].id, raw->id))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "source '%.60s' is given twice",
                             raw->id);
    if (check_template(resolve, eg_resolve_node(resolve, node, "topic"), raw->topic, seen))
        check_given(resolve, node, raw, seen);
    if (raw->site)
        eg_resolve_site(resolve, eg_resolve_node(resolve, node, "site"), raw->site);
    eg_resolve_domain(resolve, node, raw->domain);
    ret->driver = eg_driver_find(raw->driver);
    if (ret->driver) {
        prepare(resolve, raw, node, ret);
        return;
    }
    const char *near = eg_faults_nearest(raw->driver, driver_name, NULL);
    eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "driver"), "there is no driver '%.60s'%s%s%s",
                     raw->driver, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

void eg_resolve_default_source(struct eg_resolve *resolve, struct eg_conf_source *ret)
{
    char error[240];
    int at;
    const struct eg_mapping plain = {0};
    *ret = (struct eg_conf_source){
        .id = "ecogov-json", .topic = "ecogov/{site}/{domain}/{device}", .driver = eg_driver_find("json")};
    if (ret->driver->prepare(&plain, &ret->prepared, error, sizeof error, &at) != 0)
        resolve->faults->failed = true;
}
