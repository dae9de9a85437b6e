/* What the files say, put together: defaults, references between entries, durations, places. Called by load.c. */
#include <conf/resolve.h>
#include <base/span.h>
#include <base/zone.h>
#include <ecogov/time.h>

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eg_resolve_fault(struct eg_resolve *resolve, const yaml_node_t *node, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    eg_faults_add(resolve->faults, resolve->index, resolve->file->name,
                  node ? node->start_mark : (yaml_mark_t){0, 0, 0}, "%s", text);
}

void *eg_resolve_keep(struct eg_resolve *resolve, size_t count, size_t size)
{
    struct eg_loaded *loaded = resolve->loaded;
    if (loaded->block_count == loaded->block_capacity) {
        size_t more = loaded->block_capacity ? loaded->block_capacity * 2 : 64;
        void **blocks = realloc(loaded->blocks, more * sizeof *blocks);
        if (!blocks) {
            resolve->faults->failed = true;
            return NULL;
        }
        loaded->blocks = blocks;
        loaded->block_capacity = more;
    }
    void *block = calloc(count ? count : 1, size);
    if (block)
        loaded->blocks[loaded->block_count++] = block;
    else
        resolve->faults->failed = true;
    return block;
}

char *eg_resolve_text(struct eg_resolve *resolve, const char *text)
{
    char *copy = eg_resolve_keep(resolve, strlen(text) + 1, 1);
    if (copy)
        memcpy(copy, text, strlen(text) + 1);
    return copy;
}

const yaml_node_t *eg_resolve_node(struct eg_resolve *resolve, const yaml_node_t *mapping, const char *key)
{
    const yaml_node_t *node = eg_files_key(resolve->file, mapping, key);
    return node ? node : mapping;
}

const yaml_node_t *eg_resolve_entry(struct eg_resolve *resolve, const char *list, size_t index)
{
    return eg_files_item(resolve->file, eg_files_key(resolve->file, eg_files_root(resolve->file), list),
                         index);
}

int64_t eg_resolve_span(struct eg_resolve *resolve, const yaml_node_t *mapping, const char *key,
                        const char *text, int64_t otherwise)
{
    int64_t ms;
    if (!text)
        return otherwise;
    if (eg_span_parse(text, &ms))
        return ms;
    eg_resolve_fault(resolve, eg_resolve_node(resolve, mapping, key),
                     "%s is '%.40s', a duration such as 500ms, 30s, 10m, 24h or 30d is expected", key, text);
    return otherwise;
}

static const char *quantity_name(const void *from, size_t index)
{
    (void)from;
    return index < EG_QUANTITY_COUNT ? eg_quantity_info((int)index)->name : NULL;
}

int eg_resolve_measured(struct eg_resolve *resolve, const yaml_node_t *node, const char *name)
{
    int quantity = eg_resolve_quantity(resolve, node, name);
    if (quantity == EG_QUANTITY_NONE || !eg_quantity_derived(quantity))
        return quantity;
    eg_resolve_fault(resolve, node,
                     "%s is made of a site's readings, no device measures it: only rules look at it", name);
    return EG_QUANTITY_NONE;
}

int eg_resolve_quantity(struct eg_resolve *resolve, const yaml_node_t *node, const char *name)
{
    int quantity = eg_quantity_find(name, strlen(name));
    if (quantity == EG_QUANTITY_NONE) {
        const char *near = eg_faults_nearest(name, quantity_name, NULL);
        eg_resolve_fault(resolve, node, "there is no quantity '%.60s'%s%s%s", name,
                         near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
        return 0;
    }
    return quantity;
}

static const char *site_name(const void *from, size_t index)
{
    const struct eg_conf *conf = from;
    return index < conf->site_count ? conf->sites[index].id : NULL;
}

uint32_t eg_resolve_site(struct eg_resolve *resolve, const yaml_node_t *node, const char *id)
{
    const struct eg_conf *conf = &resolve->loaded->conf;
    uint32_t site = eg_conf_site_find(conf, id, strlen(id));
    if (site == EG_CONF_NONE && !resolve->loaded->files.holes) {
        const char *near = eg_faults_nearest(id, site_name, conf);
        eg_resolve_fault(resolve, node, "there is no site '%.60s'%s%s%s", id, near ? " (did you mean '" : "",
                         near ? near : "", near ? "'?)" : "");
    }
    return site;
}

uint32_t *eg_resolve_sites(struct eg_resolve *resolve, const yaml_node_t *node, char **ids, unsigned count,
                           size_t *ret_count)
{
    const yaml_node_t *list = eg_files_key(resolve->file, node, "sites");
    uint32_t *sites = eg_resolve_keep(resolve, count, sizeof *sites);
    *ret_count = 0;
    for (unsigned i = 0; sites && i < count; i++) {
        uint32_t site = eg_resolve_site(resolve, eg_files_item(resolve->file, list, i), ids[i]);
        if (site != EG_CONF_NONE)
            sites[(*ret_count)++] = site;
    }
    return sites;
}

bool eg_resolve_slug(const char *text)
{
    size_t length = strlen(text);
    return length && length < 64 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}

void eg_resolve_domain(struct eg_resolve *resolve, const yaml_node_t *node, const char *text)
{
    if (text && (!eg_resolve_slug(text) || strlen(text) >= EG_DOMAIN_TEXT))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "domain"),
                         "a domain is a-z, 0-9, - and _, at most %d bytes: '%.60s' is not",
                         EG_DOMAIN_TEXT - 1, text);
}

/* --- single settings --- */

static const char *or_text(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

/* --- parties, sites, devices --- */

static void take_party(struct eg_resolve *resolve, const struct eg_raw_party *raw, const yaml_node_t *node)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a party's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    for (size_t i = 0; i < conf->party_count; i++)
        if (!strcmp(conf->parties[i].id, raw->id))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "party '%.60s' is given twice",
                             raw->id);
    struct eg_conf_party *party = &conf->parties[conf->party_count++];
    *party = (struct eg_conf_party){.id = raw->id,
                                    .name = or_text(raw->name, raw->id),
                                    .sector = (enum eg_sector)raw->sector,
                                    .language = raw->language ? (enum eg_language) * raw->language
                                                              : EG_LANGUAGE_ZH_CN,
                                    .members = (const char **)raw->members,
                                    .member_count = raw->members_count,
                                    .calendar = EG_CONF_NONE};
    eg_resolve_routes(resolve, raw, node, party);
    for (uint32_t i = 0; raw->calendar && i < conf->calendar_count; i++)
        if (!strcmp(conf->calendars[i].id, raw->calendar))
            party->calendar = i;
    if (raw->calendar && party->calendar == EG_CONF_NONE && !resolve->loaded->files.holes)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "calendar"), "there is no calendar '%.60s'",
                         raw->calendar);
}

static void take_site(struct eg_resolve *resolve, const struct eg_raw_site *raw, const yaml_node_t *node)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    struct eg_conf_site *site = &conf->sites[conf->site_count];
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a site's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    if (eg_conf_site_find(conf, raw->id, strlen(raw->id)) != EG_CONF_NONE)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "site '%.60s' is given twice",
                         raw->id);
    *site = (struct eg_conf_site){.id = raw->id,
                                  .name = or_text(raw->name, raw->id),
                                  .level = or_text(raw->level, ""),
                                  .parent = EG_CONF_NONE,
                                  .latitude = raw->latitude ? *raw->latitude : NAN,
                                  .longitude = raw->longitude ? *raw->longitude : NAN,
                                  .mode = raw->mode ? (enum eg_mode) * raw->mode : EG_MODE_COLLABORATIVE};
    if (fabs(site->latitude) > 90)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "latitude"), "latitude is -90 to 90");
    if (fabs(site->longitude) > 180)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "longitude"), "longitude is -180 to 180");
    conf->site_count++;
}

/* When all sites and parties are known. */
static void link_site(struct eg_resolve *resolve, const struct eg_raw_site *raw, const yaml_node_t *node,
                      struct eg_conf_site *site)
{
    const struct eg_conf *conf = &resolve->loaded->conf;
    if (raw->parent)
        site->parent = eg_resolve_site(resolve, eg_resolve_node(resolve, node, "parent"), raw->parent);
    site->parties = eg_resolve_keep(resolve, raw->parties_count, sizeof *site->parties);
    for (unsigned i = 0; site->parties && i < raw->parties_count; i++) {
        uint32_t party = eg_conf_party_index(conf, raw->parties[i]);
        if (party == EG_CONF_NONE && resolve->loaded->files.holes)
            continue;
        if (party == EG_CONF_NONE)
            eg_resolve_fault(resolve,
                             eg_files_item(resolve->file, eg_files_key(resolve->file, node, "parties"), i),
                             "there is no party '%.60s'", raw->parties[i]);
        else
            site->parties[site->party_count++] = party;
    }
    size_t steps = 0;
    for (uint32_t at = site->parent; at != EG_CONF_NONE; at = conf->sites[at].parent)
        if (++steps > conf->site_count) {
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "parent"),
                             "site '%.60s' lies below itself", site->id);
            site->parent = EG_CONF_NONE;
            break;
        }
}

/* A moment, or a day: then its beginning in UTC. */
static int64_t take_until(struct eg_resolve *resolve, const yaml_node_t *node, const char *key,
                          const char *text)
{
    char whole[64];
    int64_t ms = EG_TIME_NONE;
    if (!text)
        return EG_TIME_NONE;
    snprintf(whole, sizeof whole, "%.40s%s", text, strlen(text) == 10 ? "T00:00:00Z" : "");
    if (!eg_time_parse(whole, strlen(whole), &ms))
        eg_resolve_fault(
            resolve, eg_resolve_node(resolve, node, key),
            "%s is '%.40s', a day such as 2027-03-01 or a time such as 2027-03-01T00:00:00Z is expected", key,
            text);
    return ms;
}

static void take_calibration(struct eg_resolve *resolve, const struct eg_raw_device *raw,
                             const yaml_node_t *node, struct eg_conf_device *device)
{
    const yaml_node_t *list = eg_files_key(resolve->file, node, "calibration");
    if (raw->calibration_count > EG_CALIBRATIONS_MAX) {
        eg_resolve_fault(resolve, list, "calibration has %u entries, it may have %d", raw->calibration_count,
                         EG_CALIBRATIONS_MAX);
        return;
    }
    device->calibrations = eg_resolve_keep(resolve, raw->calibration_count, sizeof *device->calibrations);
    for (unsigned i = 0; device->calibrations && i < raw->calibration_count; i++) {
        const struct eg_raw_calibration *from = &raw->calibration[i];
        const yaml_node_t *entry = eg_files_item(resolve->file, list, i);
        struct eg_conf_calibration *to = &device->calibrations[device->calibration_count++];
        to->quantity =
            eg_resolve_measured(resolve, eg_resolve_node(resolve, entry, "quantity"), from->quantity);
        to->scale = from->scale ? *from->scale : 1;
        to->offset = from->offset ? *from->offset : 0;
        to->channel = from->channel;
        to->from_ms = INT64_MIN;
        if (!isfinite(to->scale) || !isfinite(to->offset) || fabs(to->scale) < 1e-12)
            eg_resolve_fault(resolve, entry,
                             "scale is %g, offset %g: numbers are expected, and a scale that is not 0",
                             to->scale, to->offset);
        if (from->from && !eg_time_parse(from->from, strlen(from->from), &to->from_ms))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, entry, "from"),
                             "from is '%.40s', a time such as 2026-11-23T00:00:00Z is expected", from->from);
        to->until_ms = take_until(resolve, entry, "until", from->until);
        for (size_t k = 0; k + 1 < device->calibration_count; k++)
            if (device->calibrations[k].quantity == to->quantity &&
                device->calibrations[k].from_ms == to->from_ms &&
                !strcmp(or_text(device->calibrations[k].channel, ""), or_text(to->channel, "")))
                eg_resolve_fault(resolve, entry, "calibration says twice what holds from that time on");
    }
}

static void take_device(struct eg_resolve *resolve, const struct eg_raw_device *raw, const yaml_node_t *node)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    struct eg_conf_device device = {.id = raw->id,
                                    .domain = raw->domain,
                                    .name = raw->name,
                                    .land_use = or_text(raw->land_use, ""),
                                    .latitude = raw->position ? raw->position->latitude : NAN,
                                    .longitude = raw->position ? raw->position->longitude : NAN};
    device.site = eg_resolve_site(resolve, eg_resolve_node(resolve, node, "site"), raw->site);
    device.silent_after_ms = eg_resolve_span(resolve, node, "silent_after", raw->silent_after, 0);
    device.retired = raw->retired && *raw->retired;
    device.calibration_due_ms = take_until(resolve, node, "calibration_due", raw->calibration_due);
    take_calibration(resolve, raw, node, &device);
    eg_resolve_domain(resolve, node, raw->domain);
    for (size_t i = 0; i < conf->device_count; i++)
        if (conf->devices[i].site == device.site && !strcmp(conf->devices[i].id, device.id) &&
            (!device.domain || !conf->devices[i].domain || !strcmp(device.domain, conf->devices[i].domain)))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                             "device '%.60s' is given twice at this site", raw->id);
    conf->devices[conf->device_count++] = device;
}

/* --- all --- */

#define EACH_FILE(resolve, raw_name)                                                                         \
    for (unsigned f_ = 0; f_ < (resolve)->loaded->files.count; f_++)                                         \
        if (((resolve)->file = (resolve)->loaded->files.rows[f_], (resolve)->index = f_,                     \
             raw_name = (resolve)->file->raw))

static void check_once(struct eg_resolve *resolve)
{
    static const char *const groups[] = {"mqtt",        "store",         "socket",      "board",
                                         "time_zone",   "auto_register", "late_limit",  "future_tolerance",
                                         "max_devices", "templates",     "maintenance", "reports",
                                         "metrics",     "quality",       "flapping",    "home_assistant",
                                         "validity",    "clock"};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        const char *first = NULL;
        const struct eg_raw *raw;
        EACH_FILE(resolve, raw)
        {
            const yaml_node_t *node = eg_files_key(resolve->file, eg_files_root(resolve->file), groups[g]);
            const char *once = !strcmp(groups[g], "maintenance") ? "deadline"
                               : !strcmp(groups[g], "quality")   ? "set_aside"
                                                                 : NULL;
            if (node && once) /* its list may stand in several */
                node = eg_files_key(resolve->file, node, once);
            if (node && first)
                eg_resolve_fault(resolve, node, "%s is given in %.200s already", groups[g], first);
            if (node && !first)
                first = resolve->file->name;
        }
    }
}

static bool make_room(struct eg_resolve *resolve)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    size_t sites = 0, parties = 0, calendars = 0, channels = 0, devices = 0, sources = 0, rules = 0;
    const struct eg_raw *raw;
    EACH_FILE(resolve, raw)
    {
        sites += raw->sites_count;
        parties += raw->parties_count;
        channels += raw->channels_count;
        calendars += raw->calendars_count;
        devices += raw->devices_count;
        sources += raw->sources_count;
        rules += raw->rules_count + raw->device_rules_count;
    }
    conf->sites = eg_resolve_keep(resolve, sites, sizeof *conf->sites);
    conf->channels = eg_resolve_keep(resolve, channels, sizeof *conf->channels);
    conf->parties = eg_resolve_keep(resolve, parties, sizeof *conf->parties);
    conf->calendars = eg_resolve_keep(resolve, calendars, sizeof *conf->calendars);
    conf->devices = eg_resolve_keep(resolve, devices, sizeof *conf->devices);
    conf->sources = eg_resolve_keep(resolve, sources + 1, sizeof *conf->sources);
    conf->rules = eg_resolve_keep(resolve, rules, sizeof *conf->rules);
    return !resolve->faults->failed;
}

static void link_sites(struct eg_resolve *resolve)
{
    const struct eg_raw *raw;
    size_t site = 0;
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->sites_count; i++)
        link_site(resolve, &raw->sites[i], eg_resolve_entry(resolve, "sites", i),
                  &resolve->loaded->conf.sites[site++]);
}

void eg_resolve_all(struct eg_resolve *resolve)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    const struct eg_raw *raw;
    check_once(resolve);
    if (!make_room(resolve))
        return;
    eg_resolve_templates(resolve, NULL);
    EACH_FILE(resolve, raw)
    eg_resolve_settings(resolve, raw);
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->channels_count; i++)
        eg_resolve_channel(resolve, &raw->channels[i], eg_resolve_entry(resolve, "channels", i),
                           &conf->channels[conf->channel_count++]);
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->calendars_count; i++)
        eg_resolve_calendar(resolve, &raw->calendars[i], eg_resolve_entry(resolve, "calendars", i),
                            &conf->calendars[conf->calendar_count++]);
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->parties_count; i++)
        take_party(resolve, &raw->parties[i], eg_resolve_entry(resolve, "parties", i));
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->sites_count; i++)
        take_site(resolve, &raw->sites[i], eg_resolve_entry(resolve, "sites", i));
    link_sites(resolve);
    EACH_FILE(resolve, raw)
    if (raw->quality)
        eg_resolve_quality(resolve, raw->quality,
                           eg_files_key(resolve->file, eg_files_root(resolve->file), "quality"));
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->devices_count; i++)
        take_device(resolve, &raw->devices[i], eg_resolve_entry(resolve, "devices", i));
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->sources_count; i++)
        eg_resolve_source(resolve, &raw->sources[i], eg_resolve_entry(resolve, "sources", i),
                          &conf->sources[conf->source_count++]);
    if (!conf->source_count)
        eg_resolve_default_source(resolve, &conf->sources[conf->source_count++]);
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->rules_count; i++)
        eg_resolve_rule(resolve, &raw->rules[i], eg_resolve_entry(resolve, "rules", i),
                        &conf->rules[conf->rule_count++]);
    EACH_FILE(resolve, raw)
    for (unsigned i = 0; i < raw->device_rules_count; i++)
        eg_resolve_device_rule(resolve, &raw->device_rules[i], eg_resolve_entry(resolve, "device_rules", i),
                               &conf->rules[conf->rule_count++]);
    EACH_FILE(resolve, raw)
    eg_resolve_windows(resolve, raw);
    EACH_FILE(resolve, raw)
    eg_resolve_home(resolve, raw);
}
