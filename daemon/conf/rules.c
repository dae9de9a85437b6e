/* Rules: levels, limits, spans, sites. */
#include <ecogov/quantity.h>
#include <conf/resolve.h>
#include <base/hash.h>

#include <stdio.h>
#include <string.h>

#define WINDOW_DEFAULT_MS 3600000
#define WINDOW_MOST_MS (INT64_C(31) * 86400000)

static bool beyond(const struct eg_conf_rule *rule, double a, double b)
{
    return rule->below ? a < b : a > b;
}

static void take_levels(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                        struct eg_conf_rule *rule)
{
    const struct eg_raw_limit *const given[EG_LEVEL_COUNT] = {NULL, raw->levels.notice, raw->levels.warning,
                                                              raw->levels.critical};
    const yaml_node_t *levels = eg_resolve_node(resolve, node, "levels");
    int lower = 0, count = 0;
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        if (!given[level])
            continue;
        const char *name = eg_level_name((enum eg_level)level);
        const yaml_node_t *at = eg_resolve_node(resolve, levels, name);
        rule->levels[level].set = true;
        rule->levels[level].open = given[level]->open;
        rule->levels[level].clear = given[level]->clear;
        count++;
        if (beyond(rule, given[level]->clear, given[level]->open))
            eg_resolve_fault(resolve, at,
                             "%s: clear (%g) lies beyond open (%g), with direction %s it would never end",
                             name, given[level]->clear, given[level]->open, rule->below ? "below" : "above");
        if (lower && beyond(rule, rule->levels[lower].open, given[level]->open))
            eg_resolve_fault(resolve, at, "%s opens at %g, before %s at %g: levels grow in severity", name,
                             given[level]->open, eg_level_name((enum eg_level)lower),
                             rule->levels[lower].open);
        lower = level;
    }
    if (!count)
        eg_resolve_fault(resolve, levels, "a rule needs at least one level: notice, warning or critical");
}

static void take_spans(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                       struct eg_conf_rule *rule)
{
    static const struct eg_raw_deadline none;
    const struct eg_raw_deadline *deadline = raw->deadline ? raw->deadline : &none;
    const yaml_node_t *at = eg_resolve_node(resolve, node, "deadline");
    rule->window_ms = eg_resolve_span(resolve, node, "window", raw->window, WINDOW_DEFAULT_MS);
    rule->hold_ms = eg_resolve_span(resolve, node, "hold", raw->hold, 0);
    rule->clear_hold_ms = eg_resolve_span(resolve, node, "clear_hold", raw->clear_hold, 0);
    rule->deadline_acknowledge_ms = eg_resolve_span(resolve, at, "acknowledge", deadline->acknowledge, 0);
    rule->deadline_fix_ms = eg_resolve_span(resolve, at, "fix", deadline->fix, 0);
    rule->deadline_verify_ms = eg_resolve_span(resolve, at, "verify", deadline->verify, 0);
    if (rule->window_ms < 1000 || rule->window_ms > WINDOW_MOST_MS)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"), "window may be 1s to 31d");
    if (raw->window && rule->statistic == EG_STAT_LAST)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"), "statistic last has no window");
}

static uint64_t number(double value, uint64_t seed)
{
    return eg_hash(&value, sizeof value, seed);
}

/* Moves when what the rule decides moves; not with its texts. */
static uint64_t version_of(const struct eg_conf *conf, const struct eg_conf_rule *rule)
{
    const int64_t spans[] = {rule->statistic, rule->statistic == EG_STAT_LAST ? 0 : rule->window_ms,
                             rule->below, rule->hold_ms, rule->clear_hold_ms};
    const char *quantity = eg_quantity_info(rule->quantity)->name;
    uint64_t hash = eg_hash(spans, sizeof spans, 1);
    hash = eg_hash(quantity, strlen(quantity), hash);
    if (rule->domain)
        hash = eg_hash(rule->domain, strlen(rule->domain), hash);
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        if (rule->levels[level].set)
            hash =
                number(rule->levels[level].clear, number(rule->levels[level].open, hash + (uint64_t)level));
    for (size_t i = 0; i < rule->site_count; i++)
        hash = eg_hash(conf->sites[rule->sites[i]].id, strlen(conf->sites[rule->sites[i]].id), hash);
    return hash;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

void eg_resolve_rule(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                     struct eg_conf_rule *ret)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    struct eg_conf_rule rule = {.id = raw->id,
                                .domain = raw->domain,
                                .basis = or_empty(raw->basis),
                                .action = or_empty(raw->action),
                                .title_en = or_empty(raw->title),
                                .title_zh = or_empty(raw->title_zh),
                                .statistic =
                                    raw->statistic ? (enum eg_statistic) * raw->statistic : EG_STAT_LAST,
                                .below = raw->direction && *raw->direction == EG_DIRECTION_BELOW};
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a rule's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    eg_resolve_domain(resolve, node, raw->domain);
    for (size_t i = 0; &conf->rules[i] != ret; i++)
        if (!strcmp(conf->rules[i].id, raw->id))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "rule '%.60s' is given twice",
                             raw->id);
    if (rule.statistic == EG_STAT_AQI_CN || rule.statistic == EG_STAT_AQI_US)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "statistic"),
                         "%s is not computed by this version: use last, mean, min, max, sum or rate",
                         eg_statistic_name(rule.statistic));
    rule.quantity = eg_resolve_quantity(resolve, eg_resolve_node(resolve, node, "quantity"), raw->quantity);
    take_levels(resolve, raw, node, &rule);
    take_spans(resolve, raw, node, &rule);
    rule.sites = eg_resolve_keep(resolve, raw->sites_count, sizeof *rule.sites);
    for (unsigned i = 0; rule.sites && i < raw->sites_count; i++) {
        uint32_t site = eg_resolve_site(
            resolve, eg_files_item(resolve->file, eg_files_key(resolve->file, node, "sites"), i),
            raw->sites[i]);
        if (site != EG_CONF_NONE)
            rule.sites[rule.site_count++] = site;
    }
    rule.version = version_of(conf, &rule);
    *ret = rule;
}

const struct eg_conf_rule *eg_conf_rule_find(const struct eg_conf *conf, const char *id)
{
    for (size_t i = 0; i < conf->rule_count; i++)
        if (strcmp(conf->rules[i].id, id) == 0)
            return &conf->rules[i];
    return NULL;
}

char *eg_conf_rule_unit(const struct eg_conf_rule *rule, int quantity, char out[EG_UNIT_TEXT])
{
    bool rate = rule && rule->statistic == EG_STAT_RATE;
    snprintf(out, EG_UNIT_TEXT, "%s%s", eg_quantity_info(quantity)->unit, rate ? "/h" : "");
    return out;
}
