/* Rules: levels, limits, spans, sites. */
#include <ecogov/quantity.h>
#include <conf/resolve.h>
#include <base/hash.h>
#include <base/span.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEASURED_HOURS 3
#define WINDOW_DEFAULT_MS 3600000
#define WINDOW_MOST_MS (INT64_C(31) * 86400000)

static bool beyond(bool below, double a, double b)
{
    return below ? a < b : a > b;
}

void eg_resolve_levels(struct eg_resolve *resolve, const struct eg_raw_levels *raw, const yaml_node_t *node,
                       bool below, struct eg_conf_limit ret[EG_LEVEL_COUNT])
{
    const struct eg_raw_limit *const given[EG_LEVEL_COUNT] = {NULL, raw->notice, raw->warning, raw->critical};
    int lower = 0, count = 0;
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        if (!given[level])
            continue;
        const char *name = eg_level_name((enum eg_level)level);
        const yaml_node_t *at = eg_resolve_node(resolve, node, name);
        ret[level] = (struct eg_conf_limit){true, given[level]->open, given[level]->clear};
        count++;
        if (beyond(below, given[level]->clear, given[level]->open))
            eg_resolve_fault(resolve, at,
                             "%s: clear (%g) lies beyond open (%g), with direction %s it would never end",
                             name, given[level]->clear, given[level]->open, below ? "below" : "above");
        if (lower && beyond(below, ret[lower].open, given[level]->open))
            eg_resolve_fault(resolve, at, "%s opens at %g, before %s at %g: levels grow in severity", name,
                             given[level]->open, eg_level_name((enum eg_level)lower), ret[lower].open);
        lower = level;
    }
    if (!count)
        eg_resolve_fault(resolve, node, "a rule needs at least one level: notice, warning or critical");
}

/* When a case is over, and when it is the same again. */
static void take_ends(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                      struct eg_conf_terms *terms)
{
    bool measured = raw->close && *raw->close == EG_CLOSE_MEASURED;
    int hours = raw->close_hours ? *raw->close_hours : MEASURED_HOURS;
    const yaml_node_t *regional = eg_resolve_node(resolve, node, "regional");
    terms->measured_hours = measured ? (unsigned)hours : 0;
    if (raw->close_hours && !measured)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "close_hours"),
                         "close_hours goes with close: measured");
    if (hours < 1 || hours > 1000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "close_hours"),
                         "close_hours may be 1 to 1000");
    terms->reopen_within_ms = eg_resolve_span(resolve, node, "reopen_within", raw->reopen_within, 0);
    if (!raw->regional)
        return;
    if (raw->regional->sites < 2 || raw->regional->sites > 1000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, regional, "sites"), "sites may be 2 to 1000");
    terms->regional_sites = (unsigned)raw->regional->sites;
    terms->regional_within_ms = eg_resolve_span(resolve, regional, "within", raw->regional->within, 0);
}

static void take_limit(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                       struct eg_conf_rule *rule)
{
    rule->limit = raw->limit ? *raw->limit : 0;
    if (rule->limit < 0 || rule->limit > 100000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "limit"), "limit may be 0 to 100000");
}

void eg_resolve_turning(struct eg_resolve *resolve, const yaml_node_t *node, int quantity,
                        enum eg_statistic statistic)
{
    if (quantity != EG_QUANTITY_NONE && eg_quantity_direction(quantity) && eg_statistic_linear(statistic))
        eg_resolve_fault(resolve, node,
                         "%s is a direction: 350 and 10 degrees are 20 apart, and halfway between them is 0, "
                         "not 180: use vector_mean",
                         eg_quantity_info(quantity)->name);
}

/* The statistic, and what it is to be told. */
static void take_statistic(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                           struct eg_conf_rule *rule)
{
    const yaml_node_t *at = eg_resolve_node(resolve, node, "statistic");
    rule->statistic = EG_STAT_LAST;
    if (raw->statistic && !eg_statistic_find(raw->statistic, &rule->statistic, &rule->share))
        eg_resolve_fault(
            resolve, at,
            "there is no statistic '%.40s': use last, mean, min, max, sum, rate, change, count, stddev, "
            "above, vector_mean or a percentile such as p95",
            raw->statistic);
    if (rule->statistic == EG_STAT_MAX_8H)
        eg_resolve_fault(resolve, at,
                         "max_8h is for questions: judge the mean over a window of 8h, which runs");
    else
        eg_resolve_turning(resolve, at, rule->quantity, rule->statistic);
    if ((rule->statistic == EG_STAT_ABOVE) != (raw->above != NULL))
        eg_resolve_fault(resolve, raw->above ? eg_resolve_node(resolve, node, "above") : at,
                         "statistic above and the key above, its limit, go together");
    if (raw->above)
        rule->above = *raw->above;
}

static const struct {
    const char *word;
    int64_t most_ms;
} calendars[] = {[EG_CALENDAR_HOUR] = {"hour", WINDOW_DEFAULT_MS},
                 [EG_CALENDAR_DAY] = {"day", 25 * WINDOW_DEFAULT_MS},
                 [EG_CALENDAR_MONTH] = {"month", WINDOW_MOST_MS + WINDOW_DEFAULT_MS}};

int64_t eg_resolve_calendar_window(const char *text, enum eg_calendar *ret_calendar)
{
    *ret_calendar = EG_CALENDAR_SLIDING;
    for (int i = EG_CALENDAR_HOUR; text && i <= EG_CALENDAR_MONTH; i++)
        if (!strcmp(text, calendars[i].word)) {
            *ret_calendar = (enum eg_calendar)i;
            return calendars[i].most_ms;
        }
    return 0;
}

static void take_window(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                        struct eg_conf_rule *rule)
{
    rule->window_ms = eg_resolve_calendar_window(raw->window, &rule->calendar);
    if (!rule->calendar) {
        rule->window_ms = eg_resolve_span(resolve, node, "window", raw->window, WINDOW_DEFAULT_MS);
        if (rule->window_ms < 1000 || rule->window_ms > WINDOW_MOST_MS)
            eg_resolve_fault(
                resolve, eg_resolve_node(resolve, node, "window"),
                "window may be 1s to 31d, or hour, day or month: from the start of the local one");
    }
    if (raw->window && rule->statistic == EG_STAT_LAST)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"), "statistic last has no window");
}

/* As `validity` says (GB 3095, table 4), by the length of the window; three quarters where it names none. */
static void take_standard(const struct eg_conf_validity *validity, struct eg_conf_rule *rule)
{
    const struct {
        int64_t window_ms, valid_ms;
        unsigned hours;
    } standard[] = {{WINDOW_DEFAULT_MS, validity->hour_ms, 0},
                    {8 * WINDOW_DEFAULT_MS, 0, validity->eight_hours},
                    {24 * WINDOW_DEFAULT_MS, 0, validity->day_hours},
                    {25 * WINDOW_DEFAULT_MS, 0, validity->day_hours}};
    rule->valid_share = 0.75;
    if (rule->calendar == EG_CALENDAR_MONTH)
        rule->valid_share = validity->month_days / 31.0; /* 27 of 31 days, 25 of February's 28 */
    for (size_t i = 0; i < sizeof standard / sizeof *standard; i++)
        if (rule->window_ms == standard[i].window_ms) {
            rule->valid_hours = standard[i].hours;
            rule->valid_hour_ms = validity->hour_ms;
            rule->valid_ms = standard[i].valid_ms + standard[i].hours * WINDOW_DEFAULT_MS;
        }
}

static bool is_index(const struct eg_conf_rule *rule)
{
    return rule->statistic == EG_STAT_AQI_CN || rule->statistic == EG_STAT_AQI_US;
}

/* An index is of a mean that its standard knows: of an hour, of 8 h, of a day. */
static void check_index(struct eg_resolve *resolve, const yaml_node_t *node, const struct eg_conf_rule *rule)
{
    static const int pollutants[] = {EG_Q_pm25, EG_Q_pm10, EG_Q_so2, EG_Q_no2, EG_Q_co, EG_Q_o3};
    static const int64_t windows[] = {1, 8, 24, 25};
    bool polluting = false, fits = false;
    for (size_t i = 0; i < sizeof pollutants / sizeof *pollutants; i++)
        polluting |= rule->quantity == pollutants[i];
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        fits |= rule->window_ms == windows[i] * WINDOW_DEFAULT_MS;
    if (!polluting)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "quantity"),
                         "an air quality index is made of pm25, pm10, so2, no2, co or o3");
    if (!fits)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"),
                         "an air quality index is of an hour, 8h or a day: window 1h, 8h, 24h, hour or day");
}

/* A rule over a site's whole index: nothing is asked of it but limits and time. */
static void take_index(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                       struct eg_conf_rule *rule)
{
    static const char *const never[] = {"statistic", "above", "valid", "bands", "and", "or", "within", "of"};
    rule->index = true;
    rule->window_ms = eg_resolve_calendar_window(raw->window ? raw->window : "hour", &rule->calendar);
    if (rule->calendar != EG_CALENDAR_HOUR && rule->calendar != EG_CALENDAR_DAY)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"),
                         "the index of a site is of the hour or the day: window hour or day");
    if (rule->calendar == EG_CALENDAR_DAY && rule->quantity == EG_Q_aqi_us)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"),
                         "aqi_us is told by the hour (NowCast): window day is for aqi_cn");
    const char *domain = rule->quantity == EG_Q_waste_pressure                            ? "waste"
                         : rule->quantity == EG_Q_aqi_cn || rule->quantity == EG_Q_aqi_us ? NULL
                                                                                          : "soil";
    if (domain && rule->domain && strcmp(rule->domain, domain) != 0)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "domain"),
                         "%s is made of what is measured in %s: domain %s, or none",
                         eg_quantity_info(rule->quantity)->name, domain, domain);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (eg_files_key(resolve->file, node, never[i]))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, never[i]),
                             "%s goes with what a device measures, not with the index of a site", never[i]);
}

static void take_valid(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                       struct eg_conf_rule *rule)
{
    char *end;
    if (is_index(rule)) {
        check_index(resolve, node, rule);
        take_standard(&resolve->loaded->conf.validity,
                      rule); /* an index of a part of an hour is none, unless the rule says otherwise */
    }
    if (!raw->valid)
        return;
    rule->valid_ms = 0;
    rule->valid_share = 0;
    rule->valid_hours = 0;
    if (rule->statistic == EG_STAT_LAST) {
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "valid"),
                         "statistic last has no window that could be complete");
    } else if (!strcmp(raw->valid, "standard")) {
        take_standard(&resolve->loaded->conf.validity, rule);
    } else if (!eg_span_parse(raw->valid, &rule->valid_ms)) {
        rule->valid_share = strtod(raw->valid, &end);
        if (!strcmp(end, "%")) {
            rule->valid_share /= 100;
            end++;
        }
        if (end == raw->valid || *end || !(rule->valid_share > 0 && rule->valid_share <= 1))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "valid"),
                             "valid is '%.40s': standard, a duration such as 45m, or a share such as 0.75 or "
                             "75%% is expected",
                             raw->valid);
    } else if (rule->valid_ms <= 0 || rule->valid_ms > rule->window_ms) {
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "valid"),
                         "valid is longer than the window, or 0: it could never be, or always is");
    }
}

static void take_spans(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                       struct eg_conf_rule *rule)
{
    if (rule->quantity != EG_QUANTITY_NONE && eg_quantity_derived(rule->quantity))
        take_index(resolve, raw, node, rule);
    else
        take_window(resolve, raw, node, rule);
    rule->hold_ms = eg_resolve_span(resolve, node, "hold", raw->hold, 0);
    rule->clear_hold_ms = eg_resolve_span(resolve, node, "clear_hold", raw->clear_hold, 0);
    rule->gap_ms = eg_resolve_span(resolve, node, "gap", raw->gap, 0);
    eg_resolve_deadline(resolve, raw->deadline, eg_resolve_node(resolve, node, "deadline"), &rule->terms);
    take_ends(resolve, raw, node, &rule->terms);
    take_limit(resolve, raw, node, rule);
    rule->terms.has_mode = raw->mode != NULL;
    rule->terms.mode = raw->mode ? (enum eg_mode) * raw->mode : EG_MODE_COLLABORATIVE;
}

static uint64_t number(double value, uint64_t seed)
{
    return eg_hash(&value, sizeof value, seed);
}

/* Moves when what the rule decides moves; not with its texts. */
static uint64_t version_of(const struct eg_conf *conf, const struct eg_conf_rule *rule)
{
    const bool windowed = rule->statistic != EG_STAT_LAST || rule->index;
    const int64_t spans[] = {rule->statistic, windowed ? rule->window_ms : 0, rule->below, rule->hold_ms,
                             rule->clear_hold_ms};
    const char *quantity = eg_quantity_info(rule->quantity)->name;
    const double more[] = {
        rule->share,       rule->above,         (double)rule->calendar, (double)rule->valid_ms,
        rule->valid_share, (double)rule->gap_ms};
    uint64_t hash = eg_hash(spans, sizeof spans, 1);
    for (size_t i = 0; i < sizeof more / sizeof *more;
         i++) /* what is not given leaves the version as it was */
        hash = more[i] != 0 ? number(more[i], hash + i) : hash;
    hash = eg_hash(quantity, strlen(quantity), hash);
    if (rule->domain)
        hash = eg_hash(rule->domain, strlen(rule->domain), hash);
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        if (rule->levels[level].set && !rule->band_count)
            hash =
                number(rule->levels[level].clear, number(rule->levels[level].open, hash + (uint64_t)level));
    for (size_t i = 0; i < rule->site_count; i++)
        hash = eg_hash(conf->sites[rule->sites[i]].id, strlen(conf->sites[rule->sites[i]].id), hash);
    return eg_resolve_circumstances_hash(conf, rule, hash);
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
                                .basis_zh = or_empty(raw->basis_zh),
                                .action_zh = or_empty(raw->action_zh),
                                .title_en = or_empty(raw->title),
                                .title_zh = or_empty(raw->title_zh),
                                .below = raw->direction && *raw->direction == EG_DIRECTION_BELOW};
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a rule's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    eg_resolve_domain(resolve, node, raw->domain);
    for (size_t i = 0; &conf->rules[i] != ret; i++)
        if (!strcmp(conf->rules[i].id, raw->id))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "rule '%.60s' is given twice",
                             raw->id);
    rule.quantity = eg_resolve_quantity(resolve, eg_resolve_node(resolve, node, "quantity"), raw->quantity);
    if (raw->levels)
        eg_resolve_levels(resolve, raw->levels, eg_resolve_node(resolve, node, "levels"), rule.below,
                          rule.levels);
    eg_resolve_circumstances(resolve, raw, node, &rule);
    take_statistic(resolve, raw, node, &rule);
    take_spans(resolve, raw, node, &rule);
    if (!rule.index)
        take_valid(resolve, raw, node, &rule);
    rule.sites = eg_resolve_sites(resolve, node, raw->sites, raw->sites_count, &rule.site_count);
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
    const enum eg_statistic statistic = rule ? rule->statistic : EG_STAT_LAST;
    if (eg_quantity_derived(quantity) || statistic == EG_STAT_READINGS || statistic == EG_STAT_AQI_CN ||
        statistic == EG_STAT_AQI_US)
        *out = '\0';
    else
        snprintf(out, EG_UNIT_TEXT, "%s%s",
                 statistic == EG_STAT_ABOVE ? "min" : eg_quantity_info(quantity)->unit,
                 statistic == EG_STAT_RATE ? "/h" : "");
    return out;
}
