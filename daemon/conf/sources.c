/* Sources: topic templates and the drivers' mappings. */
#include <conf/presets.h>
#include <conf/resolve.h>

#include <stdio.h>
#include <string.h>

#define LEVELS_MAX 32
#define TOPIC_MAX 250

enum part { PART_SITE, PART_DOMAIN, PART_DEVICE, PART_QUANTITY, PART_CHANNEL, PART_COUNT };
static const char *const part_names[PART_COUNT] = {"{site}", "{domain}", "{device}", "{quantity}",
                                                   "{channel}"};

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
    snprintf(text, size, "'%.40s' is none of {site}, {domain}, {device}, {quantity}, {channel}%s%s%s", level,
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
    static const char *const keys[] = {"site", "domain", "device"};
    const char *const given[] = {raw->site, raw->domain, raw->device};
    const struct eg_driver *driver = raw->mapping.driver ? eg_driver_find(raw->mapping.driver) : NULL;
    for (int part = 0; part <= PART_DEVICE; part++) {
        bool elsewhere = part == PART_DEVICE && (raw->mapping.device_path || (driver && driver->device));
        if (!seen[part] && !given[part] && !elsewhere)
            eg_resolve_fault(resolve, node, "the topic has no {%s}: say '%s:'%s", keys[part], keys[part],
                             part == PART_DEVICE ? ", or 'device_path:' where the payload names it" : "");
        if (seen[part] && given[part])
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, keys[part]),
                             "%s is given, and {%s} stands in the topic: one of them", keys[part],
                             keys[part]);
    }
    if (seen[PART_QUANTITY] && driver && !eg_driver_heeds(driver, "{quantity}"))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "topic"),
                         "driver %s makes nothing of {quantity}: its payloads say what they hold",
                         driver->name);
    if (seen[PART_QUANTITY] && raw->mapping.quantity)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "quantity"),
                         "quantity is given, and {quantity} stands in the topic: one of them");
}

static const char *driver_name(const void *from, size_t index)
{
    const struct eg_driver *driver = eg_driver_at(index);
    (void)from;
    return driver ? driver->name : NULL;
}

/* --- presets --- */

struct preset_place { /* of the preset that a source takes */
    struct eg_conf_file *file;
    unsigned file_index, index;
};

#define TAKE(own, preset, member) (own)->member = (own)->member ? (own)->member : (preset)->member

/* What the source does not say itself. Its fields replace the preset's as a whole. */
static void take_preset(struct eg_raw_source *own, const struct eg_raw_preset *preset)
{
    TAKE(own, preset, topic);
    if (!strstr(own->topic ? own->topic : "", "{domain}"))
        TAKE(own, preset, domain);
    TAKE(own, preset, mapping.driver);
    TAKE(own, preset, mapping.time);
    TAKE(own, preset, mapping.readings);
    TAKE(own, preset, mapping.channel);
    TAKE(own, preset, mapping.device_path);
    TAKE(own, preset, mapping.quantity);
    TAKE(own, preset, mapping.value);
    TAKE(own, preset, mapping.unit);
    TAKE(own, preset, mapping.precision);
    TAKE(own, preset, mapping.time_format);
    TAKE(own, preset, mapping.separator);
    TAKE(own, preset, mapping.decimal);
    TAKE(own, preset, mapping.utc_offset);
    TAKE(own, preset, mapping.codec);
    TAKE(own, preset, mapping.checksum);
    TAKE(own, preset, mapping.unmatched);
    TAKE(own, preset, mapping.ambient_pressure);
    if (!own->mapping.ambient_count) {
        own->mapping.ambient = preset->mapping.ambient;
        own->mapping.ambient_count = preset->mapping.ambient_count;
    }
    if (!own->mapping.fields_count) {
        own->mapping.fields = preset->mapping.fields;
        own->mapping.fields_count = preset->mapping.fields_count;
    }
}

static const char *preset_name(const void *from, size_t index)
{
    (void)from;
    for (size_t i = 0; i < index; i++)
        if (!eg_preset_texts[i].id)
            return NULL;
    return eg_preset_texts[index].id;
}

/* False after a fault. */
static bool merge(struct eg_resolve *resolve, struct eg_raw_source *own, const yaml_node_t *node,
                  struct preset_place *ret_place)
{
    if (!own->preset)
        return true;
    const struct eg_conf_files *files = &resolve->loaded->files;
    const struct eg_raw_preset *preset =
        eg_files_preset(files, own->preset, &ret_place->file_index, &ret_place->index);
    if (preset) {
        if (!own->mapping.fields_count) /* else a fault in a field is the source's own */
            ret_place->file = files->rows[ret_place->file_index];
        take_preset(own, preset);
        return true;
    }
    if (files->holes) /* it may stand in what could not be read */
        return false;
    const char *near = eg_faults_nearest(own->preset, preset_name, NULL);
    eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "preset"), "there is no preset '%.60s'%s%s%s",
                     own->preset, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    return false;
}

/* --- the driver and its mapping --- */

static struct eg_field *fields_of(struct eg_resolve *resolve, const struct eg_raw_mapping *raw)
{
    struct eg_field *fields = eg_resolve_keep(resolve, raw->fields_count, sizeof *fields);
    for (unsigned i = 0; fields && i < raw->fields_count; i++) {
        const struct eg_raw_field *from = &raw->fields[i];
        struct eg_word *words = eg_resolve_keep(resolve, from->words_count, sizeof *words);
        for (unsigned k = 0; words && k < from->words_count; k++)
            words[k] = (struct eg_word){from->words[k].text, from->words[k].value};
        if (!words)
            return NULL;
        fields[i] = (struct eg_field){.path = from->path,
                                      .quantity = from->quantity,
                                      .unit = from->unit,
                                      .channel = from->channel,
                                      .empty = from->empty,
                                      .full = from->full,
                                      .scale = from->scale ? *from->scale : 1,
                                      .offset = from->offset ? *from->offset : 0,
                                      .missing = from->missing,
                                      .missing_count = from->missing_count,
                                      .words = words,
                                      .word_count = from->words_count};
    }
    return fields;
}

static void say_fault(struct eg_resolve *resolve, const yaml_node_t *node, const struct preset_place *place,
                      int at, const char *error)
{
    struct eg_resolve there = *resolve;
    if (at >= 0 && place->file) {
        there.file = place->file;
        there.index = place->file_index;
        node = eg_resolve_entry(&there, "presets", place->index);
    }
    const yaml_node_t *field =
        at >= 0 ? eg_files_item(there.file, eg_files_key(there.file, node, "fields"), (size_t)at) : NULL;
    eg_resolve_fault(&there, field ? field : node, "%s", error);
}

static const char *word_at(const void *from, size_t index)
{
    const char *const *words = from;
    return words ? words[index] : NULL;
}

/* One of the driver's own words, or a fault that names them. */
static bool check_word(struct eg_resolve *resolve, const yaml_node_t *node, const char *key, const char *word,
                       const char *const *words, const char *driver)
{
    char known[200] = "";
    if (!word)
        return true;
    for (size_t i = 0; words && words[i]; i++) {
        if (!strcmp(words[i], word))
            return true;
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", words[i]);
    }
    const yaml_node_t *at = eg_resolve_node(resolve, node, key);
    const char *near = eg_faults_nearest(word, word_at, words);
    if (!words)
        eg_resolve_fault(resolve, at ? at : node, "driver %s has no %s to choose", driver, key);
    else
        eg_resolve_fault(resolve, at ? at : node, "driver %s knows no %s '%.60s'%s%s%s; there is %s", driver,
                         key, word, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "",
                         known);
    return false;
}

/* A key that the driver passes over would be one that somebody relies on in vain. */
static bool check_keys(struct eg_resolve *resolve, const struct eg_raw_mapping *raw, const yaml_node_t *node,
                       const struct eg_driver *driver)
{
    bool words = false;
    for (unsigned i = 0; i < raw->fields_count; i++)
        words = words || raw->fields[i].words_count;
    const struct {
        const char *key;
        bool given;
    } keys[] = {{"time", raw->time},
                {"readings", raw->readings},
                {"channel", raw->channel},
                {"device_path", raw->device_path},
                {"quantity", raw->quantity},
                {"value", raw->value},
                {"unit", raw->unit},
                {"precision", raw->precision},
                {"time_format", raw->time_format},
                {"separator", raw->separator},
                {"decimal", raw->decimal},
                {"utc_offset", raw->utc_offset},
                {"fields", raw->fields_count > 0},
                {"words", words},
                {"unmatched", raw->unmatched}};
    bool good = true;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!keys[i].given || eg_driver_heeds(driver, keys[i].key))
            continue;
        const yaml_node_t *at = eg_resolve_node(resolve, node, keys[i].key);
        eg_resolve_fault(resolve, at ? at : node, "driver %s makes nothing of '%s'; it heeds %s",
                         driver->name, keys[i].key, driver->keys);
        good = false;
    }
    return good;
}

static const char *const unmatched_words[] = {"ignore", "quarantine", NULL};

static void prepare(struct eg_resolve *resolve, const struct eg_raw_mapping *raw, const yaml_node_t *node,
                    const struct preset_place *place, struct eg_conf_source *ret)
{
    char error[240] = "";
    int at = -1;
    for (unsigned i = 0; i < raw->fields_count; i++)
        if (raw->fields[i].scale && *raw->fields[i].scale == 0) {
            say_fault(resolve, node, place, (int)i, "scale is 0: every value would be the same");
            return;
        }
    const struct eg_driver *driver = ret->driver;
    bool good = check_word(resolve, node, "codec", raw->codec, driver->codecs, driver->name);
    good = check_word(resolve, node, "checksum", raw->checksum, driver->checksums, driver->name) && good;
    good = check_word(resolve, node, "unmatched", raw->unmatched, unmatched_words, driver->name) && good;
    if (!check_keys(resolve, raw, node, driver) || !good)
        return;
    struct eg_field *fields = fields_of(resolve, raw);
    const struct eg_mapping mapping = {
        .time = raw->time,
        .readings = raw->readings,
        .channel = raw->channel,
        .device = ret->payload_device && !raw->device_path ? ret->driver->device : raw->device_path,
        .quantity = raw->quantity,
        .value = raw->value,
        .unit = raw->unit,
        .precision = raw->precision,
        .time_format = raw->time_format,
        .separator = raw->separator,
        .decimal = raw->decimal,
        .utc_offset = raw->utc_offset,
        .codec = raw->codec,
        .checksum = raw->checksum,
        .ignore_unmatched = raw->unmatched && !strcmp(raw->unmatched, unmatched_words[0]),
        .fields = fields,
        .field_count = raw->fields_count};
    if (fields && ret->driver->prepare(&mapping, &ret->prepared, error, sizeof error, &at) != 0)
        say_fault(resolve, node, place, at, error);
}

static void take_driver(struct eg_resolve *resolve, const struct eg_raw_mapping *raw, const yaml_node_t *node,
                        const struct preset_place *place, struct eg_conf_source *ret)
{
    if (!raw->driver) {
        eg_resolve_fault(resolve, node, "say 'driver:', or 'preset:' which knows one");
        return;
    }
    if (ret->driver) {
        prepare(resolve, raw, node, place, ret);
        return;
    }
    const char *near = eg_faults_nearest(raw->driver, driver_name, NULL);
    eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "driver"), "there is no driver '%.60s'%s%s%s",
                     raw->driver, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

void eg_resolve_source(struct eg_resolve *resolve, const struct eg_raw_source *given, const yaml_node_t *node,
                       struct eg_conf_source *ret)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    struct eg_raw_source own = *given; /* as it stands with what the preset adds */
    struct preset_place place = {NULL, 0, 0};
    bool seen[PART_COUNT] = {false};
    *ret = (struct eg_conf_source){.id = own.id, .topic = ""};
    for (size_t i = 0; &conf->sources[i] != ret; i++)
        if (!strcmp(conf->sources[i].id, own.id))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "source '%.60s' is given twice",
                             own.id);
    if (!merge(resolve, &own, node, &place))
        return;
    ret->topic = own.topic ? own.topic : "";
    ret->site = own.site;
    ret->domain = own.domain;
    ret->device = own.device;
    ret->driver = own.mapping.driver ? eg_driver_find(own.mapping.driver) : NULL;
    ret->payload_device = own.mapping.device_path || (ret->driver && ret->driver->device && !own.device &&
                                                      !strstr(ret->topic, "{device}"));
    if (!own.topic)
        eg_resolve_fault(resolve, node, "'topic' is missing here%s",
                         own.preset ? ": the preset knows no usual one" : "");
    else if (check_template(resolve, eg_resolve_node(resolve, node, "topic"), own.topic, seen))
        check_given(resolve, node, &own, seen);
    if (own.site)
        eg_resolve_site(resolve, eg_resolve_node(resolve, node, "site"), own.site);
    eg_resolve_domain(resolve, node, own.domain);
    eg_resolve_ambient(resolve, &own.mapping, node, ret);
    take_driver(resolve, &own.mapping, node, &place, ret);
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
