/* Rules about devices themselves: that one is not heard, that none of a site is. They stand among the other rules, so that their cases
 * have titles, deadlines and a lead like any other; what they decide is daemon/pipeline/outage.c's business. */
#include <ecogov/quantity.h>
#include <conf/resolve.h>
#include <base/hash.h>

#include <math.h>
#include <string.h>

#define DEVICES 2 /* fewer are no outage of a site */
#define DEVICES_MOST 100000
#define HOLD_MOST_MS (INT64_C(366) * 86400000)

const char *eg_when_name(enum eg_when when)
{
    static const char *const names[EG_WHEN_COUNT] = {"readings", "silent", "outage", "suspect",
                                                     "calibration"};
    return (unsigned)when < EG_WHEN_COUNT ? names[when] : "?";
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Another one of the same series is in force at that time. */
static bool superseded(const struct eg_conf_device *device, const struct eg_conf_calibration *one,
                       int64_t now_ms)
{
    for (size_t i = 0; i < device->calibration_count; i++) {
        const struct eg_conf_calibration *other = &device->calibrations[i];
        if (other->quantity == one->quantity && other->from_ms > one->from_ms && other->from_ms <= now_ms &&
            !strcmp(or_empty(other->channel), or_empty(one->channel)))
            return true;
    }
    return false;
}

int64_t eg_conf_calibration_due(const struct eg_conf_device *device, int64_t now_ms, int *ret_quantity)
{
    int64_t due_ms = device->calibration_due_ms;
    *ret_quantity = EG_QUANTITY_NONE;
    for (size_t i = 0; i < device->calibration_count; i++) {
        const struct eg_conf_calibration *one = &device->calibrations[i];
        if (one->until_ms == EG_TIME_NONE || (due_ms != EG_TIME_NONE && one->until_ms >= due_ms) ||
            one->from_ms > now_ms || superseded(device, one, now_ms))
            continue;
        due_ms = one->until_ms;
        *ret_quantity = one->quantity;
    }
    return due_ms;
}

/* Moves when what the rule decides moves; not with its texts. */
static uint64_t version_of(const struct eg_conf *conf, const struct eg_conf_rule *rule, enum eg_level level)
{
    const int64_t parts[] = {rule->when, rule->devices, rule->hold_ms, level};
    uint64_t hash = eg_hash(parts, sizeof parts, 2);
    if (rule->ahead_ms)
        hash = eg_hash(&rule->ahead_ms, sizeof rule->ahead_ms, hash);
    if (rule->domain)
        hash = eg_hash(rule->domain, strlen(rule->domain), hash);
    for (size_t i = 0; i < rule->site_count; i++)
        hash = eg_hash(conf->sites[rule->sites[i]].id, strlen(conf->sites[rule->sites[i]].id), hash);
    return hash;
}

static void take_devices(struct eg_resolve *resolve, const struct eg_raw_device_rule *raw,
                         const yaml_node_t *node, struct eg_conf_rule *rule)
{
    int devices = raw->devices ? *raw->devices : DEVICES;
    if (raw->devices && rule->when != EG_WHEN_OUTAGE)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "devices"),
                         "devices goes with when: outage");
    if (devices < DEVICES || devices > DEVICES_MOST)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "devices"), "devices may be %d to %d",
                         DEVICES, DEVICES_MOST);
    if (raw->domain && rule->when == EG_WHEN_OUTAGE)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "domain"),
                         "an outage is of a site, whatever its devices watch: it has no domain");
    rule->devices = (unsigned)devices;
}

void eg_resolve_device_rule(struct eg_resolve *resolve, const struct eg_raw_device_rule *raw,
                            const yaml_node_t *node, struct eg_conf_rule *ret)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    enum eg_level level = raw->level ? (enum eg_level) * raw->level : EG_LEVEL_WARNING;
    struct eg_conf_rule rule = {.id = raw->id,
                                .domain = raw->domain,
                                .when = (enum eg_when)raw->when,
                                .quantity = EG_QUANTITY_NONE,
                                .basis = or_empty(raw->basis),
                                .action = or_empty(raw->action),
                                .basis_zh = or_empty(raw->basis_zh),
                                .action_zh = or_empty(raw->action_zh),
                                .title_en = or_empty(raw->title),
                                .title_zh = or_empty(raw->title_zh)};
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a rule's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    for (size_t i = 0; &conf->rules[i] != ret; i++)
        if (!strcmp(conf->rules[i].id, raw->id))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "rule '%.60s' is given twice",
                             raw->id);
    eg_resolve_domain(resolve, node, raw->domain);
    take_devices(resolve, raw, node, &rule);
    rule.levels[level].set = true;
    rule.levels[level].open = rule.levels[level].clear = NAN;
    rule.hold_ms = eg_resolve_span(resolve, node, "hold", raw->hold, 0);
    if (rule.hold_ms > HOLD_MOST_MS)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "hold"), "hold may be a year at most");
    rule.ahead_ms = eg_resolve_span(resolve, node, "ahead", raw->ahead, 0);
    if (rule.ahead_ms > HOLD_MOST_MS)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "ahead"), "ahead may be a year at most");
    if (raw->ahead && rule.when != EG_WHEN_CALIBRATION)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "ahead"),
                         "ahead goes with when: calibration");
    if (raw->deadline)
        eg_resolve_spans(resolve, raw->deadline, eg_resolve_node(resolve, node, "deadline"), &rule.terms);
    rule.terms.has_mode = raw->mode != NULL;
    rule.terms.mode = raw->mode ? (enum eg_mode) * raw->mode : EG_MODE_COLLABORATIVE;
    rule.sites = eg_resolve_sites(resolve, node, raw->sites, raw->sites_count, &rule.site_count);
    rule.version = version_of(conf, &rule, level);
    *ret = rule;
}
