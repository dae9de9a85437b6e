/* Which band fits, and whether further conditions hold, in three values: what is not known decides nothing. Knows places, times and
 * what others read; refuses to know where the readings come from. Called by judge.c, rejudge.c, backtest.c and the API's explain. */
#include <pipeline/circumstance.h>
#include <base/zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum truth { NO, YES, UNKNOWN };

struct ask {
    const struct eg_conf_rule *rule;
    const struct eg_place *place;
    int64_t at_ms;
    const struct eg_sight *sights;
    size_t count;
    struct eg_circumstance *out; /* of an unknown: why */
};

const char *eg_blind_name(enum eg_blind blind)
{
    static const char *const names[EG_BLIND_COUNT] = {"",        "value", "invalid", "land_use",
                                                      "missing", "stale", "no_band"};
    return (unsigned)blind < EG_BLIND_COUNT ? names[blind] : "?";
}

const char *eg_blind_text(enum eg_blind blind)
{
    static const char *const texts[EG_BLIND_COUNT] = {
        "",
        "too few readings lie in the window",
        "too little of the window is known",
        "nobody says what the land is used for",
        "another quantity the rule looks at was never measured",
        "another quantity the rule looks at is not known any more",
        "none of the rule's bands fits"};
    return (unsigned)blind < EG_BLIND_COUNT ? texts[blind] : "";
}

bool eg_blind_unsettles(const struct eg_conf_rule *rule, enum eg_blind blind)
{
    return blind && !(rule->calendar && (blind == EG_BLIND_INVALID || blind == EG_BLIND_VALUE));
}

static enum truth unknown(const struct ask *ask, enum eg_blind blind, unsigned partner)
{
    if (ask->out->blind == EG_BLIND_NOT) { /* the first is told */
        ask->out->blind = blind;
        ask->out->partner = partner;
    }
    return UNKNOWN;
}

static enum truth and (enum truth a, enum truth b) {
    return a == NO || b == NO             ? NO
           : a == UNKNOWN || b == UNKNOWN ? UNKNOWN
                                          : YES;
}

static enum truth or (enum truth a, enum truth b) {
    return a == YES || b == YES           ? YES
           : a == UNKNOWN || b == UNKNOWN ? UNKNOWN
                                          : NO;
}

/* Of those of a partner, does this one count? Where one has the judged series' channel, no other does. */
static bool counts(const struct eg_sight *sights, size_t count, unsigned partner, size_t which)
{
    if (sights[which].partner != partner)
        return false;
    if (sights[which].same_channel)
        return true;
    for (size_t i = 0; i < count; i++)
        if (sights[i].partner == partner && sights[i].same_channel)
            return false;
    return true;
}

static bool fresh(const struct eg_conf_rule *rule, const struct eg_sight *sight, int64_t at_ms)
{
    return sight->known && at_ms - sight->ms <= rule->partners[sight->partner].within_ms;
}

const struct eg_sight *eg_circumstance_newest(const struct eg_conf_rule *rule, unsigned partner,
                                              int64_t at_ms, const struct eg_sight *sights, size_t count,
                                              enum eg_blind *ret_blind)
{
    const struct eg_sight *newest = NULL;
    *ret_blind = EG_BLIND_MISSING;
    for (size_t i = 0; i < count; i++) {
        if (!counts(sights, count, partner, i))
            continue;
        if (sights[i].measured)
            *ret_blind = EG_BLIND_STALE;
        if (fresh(rule, &sights[i], at_ms) && (!newest || sights[i].ms > newest->ms))
            newest = &sights[i];
    }
    return newest;
}

/* --- bands --- */

static bool named(const struct eg_conf_words *words, const char *name)
{
    for (size_t i = 0; i < words->count; i++)
        if (!strcmp(words->rows[i], name))
            return true;
    return false;
}

static enum truth at_site(const struct eg_conf_band *band, const struct eg_place *place)
{
    for (size_t i = 0; i < band->site_count && place->site != EG_CONF_NONE; i++)
        if (eg_conf_site_within(place->conf, place->site, band->sites[i]))
            return YES;
    return NO;
}

static enum truth in_season(const struct eg_conf_band *band, int64_t at_ms)
{
    char local[32]; /* "2026-11-23 15:00" */
    eg_zone_format(at_ms, local);
    int day = (int)(strtol(local + 5, NULL, 10) * 100 + strtol(local + 8, NULL, 10));
    bool after = day >= band->season_from, before = day <= band->season_to;
    return (band->season_from <= band->season_to ? after && before : after || before) ? YES : NO;
}

static enum truth in_range(const struct ask *ask, const struct eg_conf_range *range)
{
    enum eg_blind blind;
    const struct eg_sight *sight =
        eg_circumstance_newest(ask->rule, range->partner, ask->at_ms, ask->sights, ask->count, &blind);
    if (!sight)
        return unknown(ask, blind, range->partner);
    return sight->value > range->low && sight->value <= range->high ? YES : NO;
}

/* What is known without a sensor is asked first: a paddy's bands do not care for the pH of other land. */
static enum truth fits(const struct ask *ask, const struct eg_conf_band *band)
{
    const struct eg_place *place = ask->place;
    int weekday;
    if (band->devices.count && !named(&band->devices, place->device))
        return NO;
    if (band->channels.count && !named(&band->channels, place->channel))
        return NO;
    if (band->site_count && at_site(band, place) == NO)
        return NO;
    if (band->has_hours && !eg_conf_hours_hold(&band->hours, eg_zone_minute(ask->at_ms, &weekday)))
        return NO;
    if (band->has_season && in_season(band, ask->at_ms) == NO)
        return NO;
    enum truth all = YES;
    if (band->land_uses.count) {
        if (!place->land_use || !*place->land_use)
            all = unknown(ask, EG_BLIND_LAND_USE, 0);
        else if (!named(&band->land_uses, place->land_use))
            return NO;
    }
    for (size_t i = 0; i < band->range_count; i++)
        all = and(all, in_range(ask, &band->ranges[i]));
    return all;
}

/* The first that fits; one that may fit, before it, leaves it open. */
static bool choose(const struct ask *ask)
{
    for (size_t i = 0; i < ask->rule->band_count; i++) {
        struct eg_circumstance before = *ask->out;
        enum truth one = fits(ask, &ask->rule->bands[i]);
        if (one == UNKNOWN)
            return false;
        ask->out->blind = before.blind; /* what was not known did not matter */
        if (one == NO)
            continue;
        ask->out->band = (int)i;
        ask->out->levels = ask->rule->bands[i].levels;
        return true;
    }
    ask->out->blind = EG_BLIND_NO_BAND;
    return false;
}

/* --- conditions --- */

static enum truth test(const struct ask *ask, const struct eg_conf_node *node)
{
    enum truth any = NO;
    size_t known = 0;
    enum eg_blind blind;
    for (size_t i = 0; i < ask->count; i++) {
        const struct eg_sight *sight = &ask->sights[i];
        if (!counts(ask->sights, ask->count, node->partner, i) || !fresh(ask->rule, sight, ask->at_ms))
            continue;
        known++;
        any = or (any, sight->value > node->above && sight->value < node->below ? YES : NO);
    }
    if (known)
        return any;
    eg_circumstance_newest(ask->rule, node->partner, ask->at_ms, ask->sights, ask->count, &blind);
    return unknown(ask, blind, node->partner);
}

static enum truth weigh(const struct ask *ask, unsigned at)
{
    const struct eg_conf_node *node = &ask->rule->nodes[at];
    if (node->kind == EG_NODE_TEST)
        return test(ask, node);
    enum truth all = node->kind == EG_NODE_AND ? YES : NO;
    for (unsigned i = at + 1; i < node->end; i = ask->rule->nodes[i].end) {
        enum truth one = weigh(ask, i);
        all = node->kind == EG_NODE_AND ? and(all, one) : or (all, one);
    }
    return all;
}

bool eg_circumstance_tell(const struct eg_conf_rule *rule, const struct eg_place *place, int64_t at_ms,
                          const struct eg_sight *sights, size_t count, struct eg_circumstance *ret)
{
    const struct ask ask = {rule, place, at_ms, sights, count, ret};
    *ret = (struct eg_circumstance){.band = -1, .levels = rule->levels, .holds = true};
    if (rule->band_count && !choose(&ask))
        return false;
    if (!rule->node_count)
        return true;
    enum truth holds = weigh(&ask, 0);
    if (holds == UNKNOWN)
        return false;
    ret->blind = EG_BLIND_NOT;
    ret->holds = holds == YES;
    return true;
}
