/* Knows how a rule looks from outside. Refuses to know how it judges. Called by m_rules.c and m_explain.c. */
#include <api/rule_json.h>
#include <ecogov/quantity.h>
#include <base/span.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_name(struct eg_json *json, const char *key, const char *name)
{
    eg_json_put_string(json, key, name && name[0] ? name : NULL);
}

static void put_span(struct eg_json *json, const char *key, int64_t ms)
{
    char text[32];
    eg_json_put_string(json, key, ms > 0 ? eg_span_format(ms, text) : NULL);
}

/* A time, a share, or null: nothing is asked. */
static void put_valid(struct eg_json *json, const struct eg_conf_rule *rule)
{
    if (rule->valid_ms || !(rule->valid_share > 0))
        put_span(json, "valid", rule->valid_ms);
    else
        eg_json_put_number(json, "valid", rule->valid_share);
}

/* How long people have at each of the rule's levels. */
static void write_deadlines(struct eg_json *json, const struct eg_conf_rule *rule)
{
    eg_json_key(json, "deadline");
    eg_json_open(json, '{');
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        if (!rule->levels[level].set)
            continue;
        eg_json_key(json, eg_level_name((enum eg_level)level));
        eg_json_open(json, '{');
        for (int which = 0; which < EG_DEADLINE_COUNT; which++)
            put_span(json, eg_deadline_name((enum eg_deadline)which), rule->terms.deadline_ms[level][which]);
        eg_json_close(json, '}');
    }
    eg_json_close(json, '}');
}

static void write_levels(struct eg_json *json, const struct eg_conf_limit levels[EG_LEVEL_COUNT])
{
    eg_json_key(json, "levels");
    eg_json_open(json, '{');
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        if (!levels[level].set)
            continue;
        eg_json_key(json, eg_level_name((enum eg_level)level));
        eg_json_open(json, '{');
        eg_json_put_number(json, "open", levels[level].open);
        eg_json_put_number(json, "clear", levels[level].clear);
        eg_json_close(json, '}');
    }
    eg_json_close(json, '}');
}

static void write_words(struct eg_json *json, const char *key, const struct eg_conf_words *words)
{
    if (!words->count)
        return;
    eg_json_key(json, key);
    eg_json_open(json, '[');
    for (size_t i = 0; i < words->count; i++)
        eg_json_string(json, words->rows[i]);
    eg_json_close(json, ']');
}

void eg_rule_json_when(struct eg_json *json, const struct eg_conf *conf, const struct eg_conf_rule *rule,
                       const struct eg_conf_band *band)
{
    char text[32];
    eg_json_open(json, '{');
    write_words(json, "land_use", &band->land_uses);
    write_words(json, "device", &band->devices);
    write_words(json, "channel", &band->channels);
    if (band->site_count) {
        eg_json_key(json, "site");
        eg_json_open(json, '[');
        for (size_t i = 0; i < band->site_count; i++)
            eg_json_string(json, conf->sites[band->sites[i]].id);
        eg_json_close(json, ']');
    }
    if (band->has_hours) {
        snprintf(text, sizeof text, "%02d:%02d-%02d:%02d", band->hours.from / 60, band->hours.from % 60,
                 band->hours.to / 60, band->hours.to % 60);
        eg_json_put_string(json, "hours", text);
    }
    if (band->has_season) {
        snprintf(text, sizeof text, "%02d-%02d..%02d-%02d", band->season_from / 100, band->season_from % 100,
                 band->season_to / 100, band->season_to % 100);
        eg_json_put_string(json, "season", text);
    }
    for (size_t i = 0; i < band->range_count; i++) {
        const struct eg_conf_range *range = &band->ranges[i];
        eg_json_key(json, eg_quantity_info(rule->partners[range->partner].quantity)->name);
        eg_json_open(json, '[');
        eg_json_number(json, range->low); /* an open end is null */
        eg_json_number(json, range->high);
        eg_json_close(json, ']');
    }
    eg_json_close(json, '}');
}

static void write_bands(struct eg_json *json, const struct eg_conf *conf, const struct eg_conf_rule *rule)
{
    eg_json_key(json, "bands");
    eg_json_open(json, '[');
    for (size_t i = 0; i < rule->band_count; i++) {
        eg_json_open(json, '{');
        eg_json_key(json, "when");
        eg_rule_json_when(json, conf, rule, &rule->bands[i]);
        write_levels(json, rule->bands[i].levels);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

static const char *const calendars[] = {NULL, "hour", "day", "month"};

static void put_window(struct eg_json *json, enum eg_calendar calendar, int64_t window_ms)
{
    if (calendar)
        eg_json_put_string(json, "window", calendars[calendar]);
    else
        put_span(json, "window", window_ms);
}

static void write_test(struct eg_json *json, const struct eg_conf_rule *rule, const struct eg_conf_node *node)
{
    const struct eg_conf_partner *partner = &rule->partners[node->partner];
    char statistic[EG_STATISTIC_TEXT];
    eg_json_put_string(json, "quantity", eg_quantity_info(partner->quantity)->name);
    eg_json_put_string(json, "statistic", eg_statistic_text(partner->statistic, partner->share, statistic));
    put_window(json, partner->calendar, partner->window_ms);
    eg_json_put_number(json, "above", node->above);
    eg_json_put_number(json, "below", node->below);
    put_span(json, "within", partner->within_ms);
    eg_json_put_string(json, "of", partner->of_site ? "site" : "device");
}

static void write_condition(struct eg_json *json, const struct eg_conf_rule *rule, unsigned at)
{
    const struct eg_conf_node *node = &rule->nodes[at];
    eg_json_open(json, '{');
    if (node->kind == EG_NODE_TEST) {
        write_test(json, rule, node);
    } else {
        eg_json_key(json, node->kind == EG_NODE_AND ? "and" : "or");
        eg_json_open(json, '[');
        for (unsigned i = at + 1; i < node->end; i = rule->nodes[i].end)
            write_condition(json, rule, i);
        eg_json_close(json, ']');
    }
    eg_json_close(json, '}');
}

static void write_conditions(struct eg_json *json, const struct eg_conf_rule *rule)
{
    eg_json_key(json, "conditions");
    eg_json_open(json, '[');
    for (unsigned i = 1; i < rule->node_count; i = rule->nodes[i].end)
        write_condition(json, rule, i);
    eg_json_close(json, ']');
}

void eg_rule_json(struct eg_json *json, const struct eg_conf *conf, const struct eg_conf_rule *rule)
{
    char version[24];
    char unit[EG_UNIT_TEXT];
    snprintf(version, sizeof version, "%016" PRIx64, rule->version);
    eg_json_open(json, '{');
    eg_json_put_string(json, "id", rule->id);
    put_name(json, "title", rule->title_en);
    put_name(json, "title_zh", rule->title_zh);
    put_name(json, "domain", rule->domain);
    eg_json_put_string(json, "when", eg_when_name(rule->when));
    eg_json_put_string(json, "quantity", rule->when ? NULL : eg_quantity_info(rule->quantity)->name);
    eg_json_put_string(json, "unit", rule->when ? NULL : eg_conf_rule_unit(rule, rule->quantity, unit));
    char statistic[EG_STATISTIC_TEXT];
    eg_json_put_string(json, "statistic", eg_statistic_text(rule->statistic, rule->share, statistic));
    if (rule->statistic == EG_STAT_ABOVE)
        eg_json_put_number(json, "above", rule->above);
    put_window(json, rule->calendar, rule->statistic == EG_STAT_LAST && !rule->index ? 0 : rule->window_ms);
    put_valid(json, rule);
    eg_json_put_string(json, "direction", rule->below ? "below" : "above");
    write_levels(json, rule->levels);
    write_bands(json, conf, rule);
    write_conditions(json, rule);
    put_span(json, "hold", rule->hold_ms);
    put_span(json, "clear_hold", rule->clear_hold_ms);
    put_span(json, "gap", rule->gap_ms);
    eg_json_key(json, "sites");
    eg_json_open(json, '[');
    for (size_t i = 0; i < rule->site_count; i++)
        eg_json_string(json, conf->sites[rule->sites[i]].id);
    eg_json_close(json, ']');
    put_name(json, "basis", rule->basis);
    put_name(json, "basis_zh", rule->basis_zh);
    put_name(json, "action", rule->action);
    put_name(json, "action_zh", rule->action_zh);
    put_span(json, "acknowledge_within", rule->terms.deadline_ms[EG_LEVEL_NONE][EG_DEADLINE_ACKNOWLEDGE]);
    put_span(json, "fix_within", rule->terms.deadline_ms[EG_LEVEL_NONE][EG_DEADLINE_FIX]);
    put_span(json, "verify_within", rule->terms.deadline_ms[EG_LEVEL_NONE][EG_DEADLINE_VERIFY]);
    write_deadlines(json, rule);
    eg_json_put_string(json, "mode", rule->terms.has_mode ? eg_mode_name(rule->terms.mode) : NULL);
    eg_json_put_string(json, "version", version);
    eg_json_close(json, '}');
}
