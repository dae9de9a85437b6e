/* What people are told of silence: a device that is not heard is a case of its own, a site none of whose devices is heard is one case and
 * holds back theirs. Knows which of the two it is, and when; that somebody is silent, unheard.c says. Called by it.
 *
 * A site is out when those of its devices that were heard last fell silent together, within the time one of them may be silent, and no
 * other was heard since. Whoever is still expected within that time is waited for. It is the lowest site that holds all who are silent.
 * Nobody is blamed while the broker is not heard: then it is the daemon that is deaf. */
#include <pipeline/evidence.h>
#include <pipeline/outage.h>

#include <ecogov/time.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_CASE UINT32_MAX /* as many are open as there may be: it stays without one */
#define NAMES_BYTES 200

/* Of a site and all below. `newest` … `after` of those who fell silent together and have no case yet. */
struct eg_outage_tally {
    uint32_t number; /* its outage's case, when there is one */
    uint32_t fresh;
    bool alive;        /* somebody was heard since */
    int64_t newest_ms; /* the last of them was heard */
    int64_t fell_ms;   /* the last of them fell silent */
    int64_t silent_ms,
        after_ms;       /* the last of them has been waited for since; the longest of them may be silent */
    int64_t pending_ms; /* who is expected until then is waited for; INT64_MIN: nobody is */
    int64_t due_ms;     /* it is an outage, from then on; INT64_MAX: it is none */
    const struct eg_conf_rule *rule; /* NULL: nobody asks for outages there */
};

bool eg_outage_configure(struct eg_pipeline *pipeline, const struct eg_conf *conf)
{
    struct eg_outage_tally *tallies = calloc(conf->site_count + 1, sizeof *tallies);
    if (!tallies)
        return false;
    free(pipeline->tallies);
    pipeline->tallies = tallies;
    pipeline->device_rules = false;
    for (size_t i = 0; i < conf->rule_count; i++)
        pipeline->device_rules = pipeline->device_rules || conf->rules[i].when;
    return true;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t later(int64_t at_ms, int64_t span_ms)
{
    return at_ms > INT64_MAX - span_ms ? INT64_MAX : at_ms + span_ms;
}

const struct eg_conf_rule *eg_outage_rule(const struct eg_conf *conf, enum eg_when when, uint32_t site,
                                          const char *domain)
{
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct eg_conf_rule *rule = &conf->rules[i];
        bool there = !rule->site_count;
        for (size_t s = 0; s < rule->site_count; s++)
            there = there || eg_conf_site_within(conf, site, rule->sites[s]);
        if (rule->when == when && there && (!rule->domain || !strcmp(rule->domain, domain)))
            return rule;
    }
    return NULL;
}

static bool counts(const struct eg_device *device)
{
    return device->site != EG_CONF_NONE && device->last_seen_ms != EG_TIME_NONE &&
           !eg_registry_retired(device);
}

static bool waits(const struct eg_device *device)
{
    return counts(device) && device->silent_ms != EG_TIME_NONE && !device->case_number;
}

#define EACH_SITE_UP(conf, site, from)                                                                       \
    for (uint32_t site = (from); site != EG_CONF_NONE; site = (conf)->sites[site].parent)

/* --- which sites are out --- */

static bool together(const struct eg_pipeline *pipeline, const struct eg_device *device,
                     const struct eg_outage_tally *tally)
{
    return device->last_seen_ms >= tally->newest_ms - eg_unheard_after(pipeline, device);
}

static void tally_silent(const struct eg_pipeline *pipeline, struct eg_outage_tally *tallies)
{
    const struct eg_conf *conf = pipeline->conf;
    for (size_t i = 0; i < pipeline->device_count; i++)
        if (waits(&pipeline->devices[i]))
            EACH_SITE_UP(conf, site, pipeline->devices[i].site)
    tallies[site].newest_ms = greater(tallies[site].newest_ms, pipeline->devices[i].last_seen_ms);
    for (size_t i = 0; i < pipeline->device_count; i++) {
        const struct eg_device *device = &pipeline->devices[i];
        if (!waits(device))
            continue;
        EACH_SITE_UP(conf, site, device->site)
        {
            struct eg_outage_tally *tally = &tallies[site];
            if (!together(pipeline, device, tally))
                continue;
            tally->fresh++;
            tally->fell_ms = greater(tally->fell_ms, device->silent_ms);
            tally->silent_ms = greater(tally->silent_ms, device->awaited_ms);
            tally->after_ms = greater(tally->after_ms, eg_unheard_after(pipeline, device));
        }
    }
}

/* Who is not silent: proof that the site is alive, or somebody to wait for. */
static void tally_heard(const struct eg_pipeline *pipeline, struct eg_outage_tally *tallies)
{
    const struct eg_conf *conf = pipeline->conf;
    for (size_t i = 0; i < pipeline->device_count; i++) {
        const struct eg_device *device = &pipeline->devices[i];
        if (!counts(device) || device->silent_ms != EG_TIME_NONE)
            continue;
        int64_t due = eg_unheard_due(pipeline, device);
        EACH_SITE_UP(conf, site, device->site)
        {
            struct eg_outage_tally *tally = &tallies[site];
            if (!tally->fresh)
                continue;
            if (device->last_seen_ms > tally->newest_ms + tally->after_ms / 2)
                tally->alive = true;
            else if (due <= later(tally->silent_ms, tally->after_ms))
                tally->pending_ms = greater(tally->pending_ms, due);
        }
    }
}

static bool covered(const struct eg_pipeline *pipeline, uint32_t from)
{
    EACH_SITE_UP(pipeline->conf, site, from)
    if (pipeline->tallies[site].number)
        return true;
    return false;
}

static bool may_be_out(const struct eg_outage_tally *tally)
{
    return tally->rule && tally->fresh && !tally->alive;
}

static void tally_all(struct eg_pipeline *pipeline)
{
    const struct eg_conf *conf = pipeline->conf;
    struct eg_outage_tally *tallies = pipeline->tallies;
    for (uint32_t s = 0; s < conf->site_count; s++)
        tallies[s] = (struct eg_outage_tally){.newest_ms = INT64_MIN,
                                              .fell_ms = INT64_MIN,
                                              .silent_ms = INT64_MIN,
                                              .pending_ms = INT64_MIN,
                                              .due_ms = INT64_MAX};
    for (size_t i = 0; i < pipeline->case_count && pipeline->outage_count; i++) {
        const struct eg_case *row = pipeline->cases[i];
        uint32_t site = row->kind == EG_CASE_OUTAGE ? eg_conf_site_find(conf, row->site, strlen(row->site))
                                                    : EG_CONF_NONE;
        if (site != EG_CONF_NONE)
            tallies[site].number = row->number;
    }
    tally_silent(pipeline, tallies);
    tally_heard(pipeline, tallies);
    for (uint32_t s = 0; s < conf->site_count; s++) {
        struct eg_outage_tally *tally = &tallies[s];
        if (tally->fresh)
            tally->rule = eg_outage_rule(conf, EG_WHEN_OUTAGE, s, "");
        if (may_be_out(tally) && tally->fresh >= tally->rule->devices && tally->pending_ms == INT64_MIN &&
            !covered(pipeline, s))
            tally->due_ms = greater(later(tally->silent_ms, tally->rule->hold_ms),
                                    later(pipeline->hearing_ms, tally->after_ms));
    }
    for (uint32_t s = 0; s < conf->site_count; s++) /* it may turn out to be more than this site */
        EACH_SITE_UP(conf, above, conf->sites[s].parent)
    if (tallies[s].due_ms != INT64_MAX && may_be_out(&tallies[above])) {
        int64_t due = tallies[above].fresh > tallies[s].fresh && tallies[above].due_ms != INT64_MAX
                          ? tallies[above].due_ms
                          : tallies[above].pending_ms;
        tallies[s].due_ms = greater(tallies[s].due_ms, due);
    }
}

/* Of all sites that are out, the lowest that holds as many as any above it. */
static bool is_the_one(const struct eg_pipeline *pipeline, uint32_t site, int64_t now_ms)
{
    const struct eg_conf *conf = pipeline->conf;
    const struct eg_outage_tally *tallies = pipeline->tallies, *own = &tallies[site];
    if (own->due_ms > now_ms || covered(pipeline, site))
        return false;
    EACH_SITE_UP(conf, above, conf->sites[site].parent)
    if (tallies[above].due_ms <= now_ms && tallies[above].fresh > own->fresh)
        return false;
    for (uint32_t below = 0; below < conf->site_count; below++)
        if (below != site && tallies[below].due_ms <= now_ms && tallies[below].fresh == own->fresh &&
            eg_conf_site_within(conf, below, site))
            return false;
    return true;
}

/* --- when --- */

static int64_t own_due(const struct eg_pipeline *pipeline, const struct eg_device *device)
{
    const struct eg_conf_rule *rule;
    if (!waits(device) ||
        !(rule = eg_outage_rule(pipeline->conf, EG_WHEN_SILENT, device->site, device->domain)))
        return INT64_MAX;
    if (covered(pipeline, device->site))
        return device->silent_ms;
    int64_t due = greater(later(device->awaited_ms, rule->hold_ms),
                          later(pipeline->hearing_ms, eg_unheard_after(pipeline, device)));
    EACH_SITE_UP(pipeline->conf, site, device->site)
    {
        const struct eg_outage_tally *tally = &pipeline->tallies[site];
        if (!may_be_out(tally) || !together(pipeline, device, tally))
            continue;
        due = greater(due, tally->pending_ms);
        due = tally->due_ms != INT64_MAX ? greater(due, tally->due_ms) : due;
    }
    return due;
}

/* Its own case, and it is in service no more. */
static bool is_moot(const struct eg_pipeline *pipeline, const struct eg_device *device)
{
    const struct eg_case *row = device->case_number && eg_registry_retired(device)
                                    ? eg_pipeline_case_active(pipeline, device->case_number)
                                    : NULL;
    return row && row->kind == EG_CASE_DEVICE;
}

bool eg_outage_cares(const struct eg_pipeline *pipeline, const struct eg_device *device)
{
    if (pipeline->outage_asked)
        EACH_SITE_UP(pipeline->conf, site, device->site)
    if (pipeline->tallies[site].fresh && !pipeline->tallies[site].alive)
        return true;
    return false;
}

int64_t eg_outage_wake(struct eg_pipeline *pipeline)
{
    int64_t first = INT64_MAX;
    if (!pipeline->device_rules || pipeline->deaf)
        return first;
    size_t asking = 0;
    for (size_t i = 0; i < pipeline->device_count; i++)
        asking += waits(&pipeline->devices[i]) || is_moot(pipeline, &pipeline->devices[i]);
    pipeline->outage_asked = asking > 0;
    if (!asking)
        return first;
    tally_all(pipeline);
    for (uint32_t s = 0; s < pipeline->conf->site_count; s++)
        first = pipeline->tallies[s].due_ms < first ? pipeline->tallies[s].due_ms : first;
    for (size_t i = 0; i < pipeline->device_count; i++) {
        const struct eg_device *device = &pipeline->devices[i];
        int64_t due = is_moot(pipeline, device) ? INT64_MIN + 1 : own_due(pipeline, device);
        first = due < first ? due : first;
    }
    return first;
}

/* --- what becomes of it --- */

enum eg_level eg_outage_level(const struct eg_conf_rule *rule)
{
    int level = EG_LEVEL_NOTICE;
    while (level < EG_LEVEL_COUNT - 1 && !rule->levels[level].set)
        level++;
    return (enum eg_level)level;
}

static struct eg_case *active(struct eg_pipeline *pipeline, const struct eg_case *like)
{
    for (size_t i = 0; i < pipeline->case_count; i++) {
        struct eg_case *row = pipeline->cases[i];
        if (row->kind == like->kind && !strcmp(row->rule, like->rule) && !strcmp(row->site, like->site) &&
            !strcmp(row->domain, like->domain) && !strcmp(row->device, like->device))
            return row;
    }
    return NULL;
}

static uint32_t open_case(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_conf_rule *rule,
                          const char *note, int64_t now_ms, struct eg_batch *batch)
{
    row->quantity = EG_QUANTITY_COUNT;
    row->rule_version = rule->version;
    row->level = (uint8_t)eg_outage_level(rule);
    row->condition = EG_CONDITION_BREACHING;
    row->last_value = row->peak_value = row->limit = (double)NAN;
    row->last_ms = row->peak_ms = EG_TIME_NONE;
    snprintf(row->rule, sizeof row->rule, "%s", rule->id);
    const struct eg_case *there = active(pipeline, row);
    if (!there)
        there = eg_case_begin(pipeline, row,
                              (struct eg_case_event){.at_ms = row->opened_ms,
                                                     .known_ms = now_ms,
                                                     .actor = "ecogovd",
                                                     .to = eg_level_name((enum eg_level)row->level),
                                                     .note = note,
                                                     .value = (double)NAN},
                              batch);
    return there ? there->number : NO_CASE;
}

static void answer(struct eg_device *device, uint32_t number, struct eg_batch *batch)
{
    device->case_number = number;
    eg_registry_write_standing(device, batch);
}

static void add_name(char names[NAMES_BYTES], size_t *used, const char *name, uint32_t more)
{
    if (*used + strlen(name) + 16 < NAMES_BYTES)
        *used += (size_t)snprintf(names + *used, NAMES_BYTES - *used, "%s%s", *used ? ", " : "", name);
    else if (*used < NAMES_BYTES && names[*used - 1] != '.')
        *used += (size_t)snprintf(names + *used, NAMES_BYTES - *used, " (%" PRIu32 " in all) ...", more);
}

static void open_outage(struct eg_pipeline *pipeline, uint32_t site, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_conf *conf = pipeline->conf;
    const struct eg_outage_tally *tally = &pipeline->tallies[site];
    char names[NAMES_BYTES] = "", note[NAMES_BYTES + 96], time[EG_TIME_TEXT];
    size_t used = 0;
    struct eg_case row = {.kind = EG_CASE_OUTAGE, .opened_ms = tally->fell_ms};
    for (size_t i = 0; i < pipeline->device_count; i++)
        if (waits(&pipeline->devices[i]) && eg_conf_site_within(conf, pipeline->devices[i].site, site) &&
            together(pipeline, &pipeline->devices[i], tally))
            add_name(names, &used, pipeline->devices[i].name, tally->fresh);
    snprintf(note, sizeof note, "%" PRIu32 " devices, none heard since %s: %s", tally->fresh,
             eg_time_format(tally->newest_ms, time), names);
    snprintf(row.site, sizeof row.site, "%s", conf->sites[site].id);
    uint32_t number = open_case(pipeline, &row, tally->rule, note, now_ms, batch), shown = 0;
    for (size_t i = 0; i < pipeline->device_count; i++) {
        struct eg_device *device = &pipeline->devices[i];
        if (!waits(device) || !eg_conf_site_within(conf, device->site, site) ||
            !together(pipeline, device, tally))
            continue;
        answer(device, number, batch);
        if (number != NO_CASE && shown++ < EG_EVIDENCE_MOST)
            eg_evidence_silent(pipeline, device, number, batch);
    }
}

static void open_own(struct eg_pipeline *pipeline, struct eg_device *device, int64_t now_ms,
                     struct eg_batch *batch)
{
    const struct eg_conf_rule *rule =
        eg_outage_rule(pipeline->conf, EG_WHEN_SILENT, device->site, device->domain);
    char note[96], time[EG_TIME_TEXT];
    struct eg_case row = {.kind = EG_CASE_DEVICE, .opened_ms = device->silent_ms};
    EACH_SITE_UP(pipeline->conf, site, device->site)
    {
        if (!pipeline->tallies[site].number)
            continue;
        answer(device, pipeline->tallies[site].number, batch); /* held back */
        return;
    }
    snprintf(row.site, sizeof row.site, "%s", device->site_id);
    snprintf(row.domain, sizeof row.domain, "%s", device->domain);
    snprintf(row.device, sizeof row.device, "%s", device->name);
    snprintf(note, sizeof note, "not heard since %s%s", eg_time_format(device->last_seen_ms, time),
             device->gone ? ", when it said that it leaves" : "");
    uint32_t number = open_case(pipeline, &row, rule, note, now_ms, batch);
    answer(device, number, batch);
    if (number != NO_CASE)
        eg_evidence_silent(pipeline, device, number, batch);
}

static void close_case(struct eg_pipeline *pipeline, uint32_t number, const char *note, int64_t at_ms,
                       int64_t now_ms, struct eg_batch *batch)
{
    struct eg_case *row = eg_case_find(pipeline, number);
    if (!row)
        return; /* people have closed it */
    row->condition = EG_CONDITION_OK;
    eg_command_over(pipeline, row, note, at_ms, now_ms, batch);
}

void eg_outage_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    if (!pipeline->device_rules || pipeline->deaf)
        return;
    tally_all(pipeline);
    for (uint32_t s = 0; s < pipeline->conf->site_count; s++)
        if (is_the_one(pipeline, s, now_ms))
            open_outage(pipeline, s, now_ms, batch);
    tally_all(pipeline);
    for (size_t i = 0; i < pipeline->device_count; i++) {
        struct eg_device *device = &pipeline->devices[i];
        if (is_moot(pipeline, device)) {
            uint32_t number = device->case_number;
            answer(device, 0, batch);
            close_case(pipeline, number, "the device is retired", now_ms, now_ms, batch);
        } else if (own_due(pipeline, device) <= now_ms) {
            open_own(pipeline, device, now_ms, batch);
        }
    }
}

/* It is over: who was held back by it and is silent still has as long again to be heard. */
static void end_outage(struct eg_pipeline *pipeline, uint32_t number, const struct eg_device *by,
                       int64_t now_ms, struct eg_batch *batch)
{
    char note[96];
    for (size_t i = 0; i < pipeline->device_count; i++) {
        struct eg_device *device = &pipeline->devices[i];
        if (device->case_number != number || device == by)
            continue;
        device->awaited_ms = later(now_ms, eg_unheard_after(pipeline, device));
        answer(device, 0, batch);
    }
    snprintf(note, sizeof note, "%s is heard again", by->name);
    close_case(pipeline, number, note, by->last_seen_ms, now_ms, batch);
}

void eg_outage_heard(struct eg_pipeline *pipeline, struct eg_device *device, uint32_t number, int64_t now_ms,
                     struct eg_batch *batch)
{
    if (number && number != NO_CASE)
        end_outage(pipeline, number, device, now_ms, batch);
    if (!pipeline->outage_count || device->site == EG_CONF_NONE)
        return;
    for (size_t i = pipeline->case_count;
         i-- > 0;) { /* one that never was silent has spoken: the site is not out */
        const struct eg_case *row = pipeline->cases[i];
        uint32_t site = row->kind == EG_CASE_OUTAGE
                            ? eg_conf_site_find(pipeline->conf, row->site, strlen(row->site))
                            : EG_CONF_NONE;
        if (site == EG_CONF_NONE || !eg_conf_site_within(pipeline->conf, device->site, site) ||
            device->last_seen_ms <= row->opened_ms)
            continue;
        end_outage(pipeline, row->number, device, now_ms, batch);
        i = i > pipeline->case_count ? pipeline->case_count : i;
    }
}
