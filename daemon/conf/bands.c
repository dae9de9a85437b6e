/* What a rule looks at beside its own quantity: bands, whose limits are for some circumstances, and conditions that must be so besides
 * the limit. Knows what the strings mean; which band fits is pipeline/circumstance.c's business. Called by rules.c. */
#include <conf/resolve.h>
#include <ecogov/quantity.h>
#include <base/hash.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_DEFAULT_MS INT64_C(3600000)
#define WINDOW_LEAST_MS 1000
#define WINDOW_MOST_MS (INT64_C(31) * 86400000)
#define BAND_WITHIN_MS INT64_C(86400000) /* so old a band's quantity may be, unless it is said */
#define WORDS_MAX 32

static bool same(double a, double b)
{
    return !(a < b) && !(a > b);
}

/* Where the rule keeps it; the same one twice is one. */
static unsigned add_partner(struct eg_resolve *resolve, struct eg_conf_rule *rule,
                            const struct eg_conf_partner *partner, const yaml_node_t *node)
{
    for (unsigned i = 0; i < rule->partner_count; i++) {
        const struct eg_conf_partner *one = &rule->partners[i];
        if (one->quantity == partner->quantity && one->statistic == partner->statistic &&
            same(one->share, partner->share) && one->window_ms == partner->window_ms &&
            one->calendar == partner->calendar && one->within_ms == partner->within_ms &&
            one->of_site == partner->of_site)
            return i;
    }
    if (!rule->partners)
        rule->partners = eg_resolve_keep(resolve, EG_CONF_PARTNERS_MAX, sizeof *rule->partners);
    if (!rule->partners)
        return 0;
    if (rule->partner_count == EG_CONF_PARTNERS_MAX) {
        eg_resolve_fault(resolve, node, "a rule looks at %d other quantities or statistics at most",
                         EG_CONF_PARTNERS_MAX);
        return 0;
    }
    rule->partners[rule->partner_count] = *partner;
    return (unsigned)rule->partner_count++;
}

/* "paddy" or "paddy, rotation". */
static void take_words(struct eg_resolve *resolve, const yaml_node_t *node, const char *key, const char *text,
                       struct eg_conf_words *ret)
{
    char *copy = text ? eg_resolve_text(resolve, text) : NULL, *rest = NULL;
    if (!copy)
        return;
    ret->rows = eg_resolve_keep(resolve, WORDS_MAX, sizeof *ret->rows);
    for (char *word = ret->rows ? strtok_r(copy, ", ", &rest) : NULL; word;
         word = strtok_r(NULL, ", ", &rest)) {
        if (ret->count == WORDS_MAX) {
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, key), "%s names more than %d", key,
                             WORDS_MAX);
            return;
        }
        ret->rows[ret->count++] = word;
    }
    if (!ret->count)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, key),
                         "%s names nothing: leave it out where it does not matter", key);
}

/* "null" is an open end. */
static bool take_end(const char *text, double open, double *ret)
{
    char *end;
    if (!strcmp(text, "null") || !strcmp(text, "~")) {
        *ret = open;
        return true;
    }
    *ret = strtod(text, &end);
    return end != text && !*end && isfinite(*ret) && !strpbrk(text, "xX");
}

static void take_ranges(struct eg_resolve *resolve, const struct eg_raw_when *raw, const yaml_node_t *node,
                        const struct eg_conf_partner *like, struct eg_conf_rule *rule,
                        struct eg_conf_band *band)
{
    size_t count = 0;
    for (int quantity = 0; quantity < EG_QUANTITY_COUNT; quantity++)
        count += raw->ranges[quantity].ends != NULL;
    band->ranges = eg_resolve_keep(resolve, count, sizeof *band->ranges);
    for (int quantity = 0; band->ranges && quantity < EG_QUANTITY_COUNT; quantity++) {
        const struct eg_raw_range *range = &raw->ranges[quantity];
        const char *name = eg_quantity_info(quantity)->name;
        const yaml_node_t *at = eg_resolve_node(resolve, node, name);
        struct eg_conf_range out = {.low = -INFINITY, .high = INFINITY};
        struct eg_conf_partner partner = *like;
        if (!range->ends)
            continue;
        if (eg_quantity_derived(quantity)) {
            eg_resolve_fault(resolve, at, "%s is made of a site's readings: no band can hang on it", name);
            continue;
        }
        if (range->ends_count != 2 || !take_end(range->ends[0], -INFINITY, &out.low) ||
            !take_end(range->ends[1], INFINITY, &out.high) || !(out.low < out.high)) {
            eg_resolve_fault(
                resolve, at,
                "%s: two ends are expected, the lower one first, null where it is open: [null, 5.5] is "
                "up to 5.5, [5.5, 6.5] above 5.5 up to 6.5",
                name);
            continue;
        }
        partner.quantity = quantity;
        out.partner = add_partner(resolve, rule, &partner, at);
        band->ranges[band->range_count++] = out;
    }
}

/* "MM-DD" as month * 100 + day; 0: it is none. */
static int day_of(const char *text, size_t length)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (length != 5 || text[2] != '-' || strspn(text, "0123456789") != 2 ||
        strspn(text + 3, "0123456789") < 2)
        return 0;
    int month = (text[0] - '0') * 10 + text[1] - '0', day = (text[3] - '0') * 10 + text[4] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] ? month * 100 + day : 0;
}

static void take_season(struct eg_resolve *resolve, const struct eg_raw_when *raw, const yaml_node_t *node,
                        struct eg_conf_band *band)
{
    const char *dots = raw->season ? strstr(raw->season, "..") : NULL;
    if (!raw->season)
        return;
    band->has_season = true;
    band->season_from = dots ? day_of(raw->season, (size_t)(dots - raw->season)) : 0;
    band->season_to = dots ? day_of(dots + 2, strlen(dots + 2)) : 0;
    if (!band->season_from || !band->season_to)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "season"),
                         "season is '%.40s', days of the year such as \"11-15..03-15\" are expected",
                         raw->season);
}

static void take_sites(struct eg_resolve *resolve, const struct eg_conf_words *names, const yaml_node_t *node,
                       struct eg_conf_band *band)
{
    band->sites = eg_resolve_keep(resolve, names->count, sizeof *band->sites);
    for (size_t i = 0; band->sites && i < names->count; i++) {
        uint32_t site = eg_resolve_site(resolve, eg_resolve_node(resolve, node, "site"), names->rows[i]);
        if (site != EG_CONF_NONE)
            band->sites[band->site_count++] = site;
    }
}

static void take_band(struct eg_resolve *resolve, const struct eg_raw_band *raw, const yaml_node_t *node,
                      const struct eg_conf_partner *like, struct eg_conf_rule *rule,
                      struct eg_conf_band *band)
{
    const yaml_node_t *when = eg_resolve_node(resolve, node, "when");
    struct eg_conf_words sites = {0};
    take_words(resolve, when, "land_use", raw->when.land_use, &band->land_uses);
    take_words(resolve, when, "device", raw->when.device, &band->devices);
    take_words(resolve, when, "channel", raw->when.channel, &band->channels);
    take_words(resolve, when, "site", raw->when.site, &sites);
    take_sites(resolve, &sites, when, band);
    band->has_hours = raw->when.hours != NULL;
    band->hours = eg_resolve_hours(resolve, when, "hours", raw->when.hours);
    take_season(resolve, &raw->when, when, band);
    take_ranges(resolve, &raw->when, when, like, rule, band);
    eg_resolve_levels(resolve, &raw->levels, eg_resolve_node(resolve, node, "levels"), rule->below,
                      band->levels);
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        const struct eg_conf_limit *one = &band->levels[level];
        struct eg_conf_limit *strictest = &rule->levels[level];
        if (one->set &&
            (!strictest->set || (rule->below ? one->open > strictest->open : one->open < strictest->open)))
            *strictest = *one;
    }
}

/* --- conditions --- */

struct branch { /* of the tree being written */
    struct eg_resolve *resolve;
    struct eg_conf_rule *rule;
    const char *within; /* the rule's own */
};

static struct eg_conf_node *add_node(const struct branch *branch, enum eg_node_kind kind,
                                     const yaml_node_t *at)
{
    struct eg_conf_rule *rule = branch->rule;
    if (!rule->nodes)
        rule->nodes = eg_resolve_keep(branch->resolve, EG_CONF_NODES_MAX, sizeof *rule->nodes);
    if (!rule->nodes)
        return NULL;
    if (rule->node_count == EG_CONF_NODES_MAX) {
        eg_resolve_fault(branch->resolve, at, "a rule has %d conditions at most", EG_CONF_NODES_MAX);
        return NULL;
    }
    struct eg_conf_node *node = &rule->nodes[rule->node_count++];
    *node = (struct eg_conf_node){
        .kind = kind, .end = (unsigned)rule->node_count, .above = -INFINITY, .below = INFINITY};
    return node;
}

static void take_test(const struct branch *branch, const struct eg_raw_condition *raw,
                      const yaml_node_t *node)
{
    struct eg_resolve *resolve = branch->resolve;
    struct eg_conf_node *test = add_node(branch, EG_NODE_TEST, node);
    struct eg_conf_partner partner = {.statistic = EG_STAT_LAST,
                                      .of_site = raw->of && *raw->of == EG_OF_SITE};
    partner.quantity =
        eg_resolve_measured(resolve, eg_resolve_node(resolve, node, "quantity"), raw->quantity);
    if (raw->statistic && (!eg_statistic_find(raw->statistic, &partner.statistic, &partner.share) ||
                           partner.statistic == EG_STAT_AQI_CN || partner.statistic == EG_STAT_AQI_US ||
                           partner.statistic == EG_STAT_ABOVE || partner.statistic == EG_STAT_MAX_8H))
        eg_resolve_fault(
            resolve, eg_resolve_node(resolve, node, "statistic"),
            "a condition is of last, mean, min, max, sum, rate, change, count, stddev, vector_mean or a "
            "percentile such as p95, not of '%.40s'",
            raw->statistic);
    else
        eg_resolve_turning(resolve, eg_resolve_node(resolve, node, "statistic"), partner.quantity,
                           partner.statistic);
    if (partner.statistic != EG_STAT_LAST) {
        partner.window_ms = eg_resolve_calendar_window(raw->window, &partner.calendar);
        if (!partner.calendar)
            partner.window_ms = eg_resolve_span(resolve, node, "window", raw->window, WINDOW_DEFAULT_MS);
        if (!partner.calendar && (partner.window_ms < WINDOW_LEAST_MS || partner.window_ms > WINDOW_MOST_MS))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"),
                             "a condition's window may be 1s to 31d, or hour, day or month");
    } else if (raw->window) {
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"), "statistic last has no window");
    }
    partner.within_ms = partner.window_ms ? partner.window_ms : WINDOW_DEFAULT_MS;
    partner.within_ms = eg_resolve_span(resolve, node, "within", branch->within, partner.within_ms);
    partner.within_ms = eg_resolve_span(resolve, node, "within", raw->within, partner.within_ms);
    if (!raw->above && !raw->below)
        eg_resolve_fault(resolve, node, "a condition says above or below which value (or both)");
    if (!test)
        return;
    test->partner = add_partner(resolve, branch->rule, &partner, node);
    test->above = raw->above ? *raw->above : -INFINITY;
    test->below = raw->below ? *raw->below : INFINITY;
    if (raw->above && raw->below && !(*raw->above < *raw->below))
        eg_resolve_fault(resolve, node, "nothing is above %g and below %g", *raw->above, *raw->below);
}

static void take_conditions(const struct branch *branch, enum eg_node_kind kind,
                            const struct eg_raw_condition *rows, unsigned count, const yaml_node_t *list)
{
    struct eg_resolve *resolve = branch->resolve;
    struct eg_conf_node *group = add_node(branch, kind, list);
    if (!count)
        eg_resolve_fault(resolve, list, "'%s' is empty: leave it out or say what must be so",
                         kind == EG_NODE_OR ? "or" : "and");
    for (unsigned i = 0; group && i < count; i++) {
        const struct eg_raw_condition *raw = &rows[i];
        const yaml_node_t *node = eg_files_item(resolve->file, list, i);
        bool own = raw->statistic || raw->window || raw->within || raw->above || raw->below || raw->of;
        if ((raw->quantity != NULL) + (raw->all != NULL) + (raw->any != NULL) != 1 || (own && !raw->quantity))
            eg_resolve_fault(
                resolve, node,
                "a condition is one of these: a test with a quantity, 'and' with a list, 'or' with a list");
        else if (raw->quantity)
            take_test(branch, raw, node);
        else if (raw->all)
            take_conditions(branch, EG_NODE_AND, raw->all, raw->all_count,
                            eg_resolve_node(resolve, node, "and"));
        else
            take_conditions(branch, EG_NODE_OR, raw->any, raw->any_count,
                            eg_resolve_node(resolve, node, "or"));
    }
    if (group)
        group->end = (unsigned)branch->rule->node_count;
}

void eg_resolve_circumstances(struct eg_resolve *resolve, const struct eg_raw_rule *raw,
                              const yaml_node_t *node, struct eg_conf_rule *rule)
{
    const struct branch branch = {resolve, rule, raw->within};
    const struct eg_conf_partner like = {
        .statistic = EG_STAT_LAST,
        .within_ms = eg_resolve_span(resolve, node, "within", raw->within, BAND_WITHIN_MS),
        .of_site = raw->of && *raw->of == EG_OF_SITE};
    const yaml_node_t *list = eg_resolve_node(resolve, node, "bands");
    if (raw->bands_count > EG_CONF_BANDS_MAX)
        eg_resolve_fault(resolve, list, "%u bands, at most %d are read", raw->bands_count, EG_CONF_BANDS_MAX);
    if (raw->levels && raw->bands)
        eg_resolve_fault(
            resolve, list,
            "'levels' stand in each of the bands, not beside them: one band with 'when: {}' fits always");
    if (!raw->levels && !raw->bands_count)
        eg_resolve_fault(resolve, node, "'levels' is missing here");
    rule->bands = eg_resolve_keep(resolve, raw->bands_count, sizeof *rule->bands);
    for (unsigned i = 0; rule->bands && i < raw->bands_count && i < EG_CONF_BANDS_MAX; i++)
        take_band(resolve, &raw->bands[i], eg_files_item(resolve->file, list, i), &like, rule,
                  &rule->bands[rule->band_count++]);
    if (raw->all || raw->any)
        add_node(&branch, EG_NODE_AND, node);
    if (raw->all)
        take_conditions(&branch, EG_NODE_AND, raw->all, raw->all_count,
                        eg_resolve_node(resolve, node, "and"));
    if (raw->any)
        take_conditions(&branch, EG_NODE_OR, raw->any, raw->any_count, eg_resolve_node(resolve, node, "or"));
    if (rule->node_count)
        rule->nodes[0].end = (unsigned)rule->node_count;
    if (raw->of && !rule->band_count)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "of"),
                         "'of' goes with bands; a condition has one of its own");
    for (size_t i = 0; i < rule->partner_count; i++)
        resolve->loaded->conf.looks_around |= rule->partners[i].of_site;
}

/* --- what of it moves a rule's version --- */

static uint64_t text_of(const struct eg_conf_words *words, uint64_t hash)
{
    for (size_t i = 0; i < words->count; i++)
        hash = eg_hash(words->rows[i], strlen(words->rows[i]), hash + i + 1);
    return hash;
}

static uint64_t band_of(const struct eg_conf *conf, const struct eg_conf_band *band, uint64_t hash)
{
    const int64_t times[] = {band->has_hours,  band->hours.from,  band->hours.to,
                             band->has_season, band->season_from, band->season_to};
    hash = eg_hash(times, sizeof times, hash);
    hash = text_of(&band->land_uses, hash + 1);
    hash = text_of(&band->devices, hash + 2);
    hash = text_of(&band->channels, hash + 3);
    for (size_t i = 0; i < band->site_count; i++)
        hash = eg_hash(conf->sites[band->sites[i]].id, strlen(conf->sites[band->sites[i]].id), hash);
    for (size_t i = 0; i < band->range_count; i++) {
        const double ends[] = {band->ranges[i].partner, band->ranges[i].low, band->ranges[i].high};
        hash = eg_hash(ends, sizeof ends, hash);
    }
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        const double limits[] = {band->levels[level].set, band->levels[level].open,
                                 band->levels[level].clear};
        hash = eg_hash(limits, sizeof limits, hash);
    }
    return hash;
}

uint64_t eg_resolve_circumstances_hash(const struct eg_conf *conf, const struct eg_conf_rule *rule,
                                       uint64_t hash)
{
    for (size_t i = 0; i < rule->partner_count; i++) {
        const struct eg_conf_partner *partner = &rule->partners[i];
        const char *quantity = eg_quantity_info(partner->quantity)->name;
        const double figures[] = {partner->statistic,         partner->share,   (double)partner->window_ms,
                                  (double)partner->within_ms, partner->of_site, partner->calendar};
        hash = eg_hash(quantity, strlen(quantity), eg_hash(figures, sizeof figures, hash));
    }
    for (size_t i = 0; i < rule->band_count; i++)
        hash = band_of(conf, &rule->bands[i], hash + i);
    for (size_t i = 0; i < rule->node_count; i++) {
        const struct eg_conf_node *node = &rule->nodes[i];
        const double figures[] = {node->kind, node->end, node->partner, node->above, node->below};
        hash = eg_hash(figures, sizeof figures, hash);
    }
    return hash;
}
