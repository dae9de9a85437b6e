/* Which rules look at the index of which site, of which series it is made, whether hours that were judged have changed, and when to look
 * whether another is over. Knows nothing of the index. Called by pipeline.c, registry.c, series.c and review.c. */
#include <pipeline/hours.h>
#include <pipeline/siteindex.h>
#include <pipeline/state.h>

#include <base/zone.h>

#include <stdlib.h>
#include <string.h>

#define SERIES_MAX 100000

static bool applies(const struct eg_conf *conf, const struct eg_conf_rule *rule, uint32_t site)
{
    bool there = !rule->site_count;
    for (size_t i = 0; i < rule->site_count && !there; i++)
        there = eg_conf_site_within(conf, site, rule->sites[i]);
    return rule->index && there;
}

enum eg_index_group eg_siteindex_group(int quantity)
{
    return quantity == EG_Q_aqi_cn || quantity == EG_Q_aqi_us ? EG_INDEX_AIR
           : quantity == EG_Q_waste_pressure                  ? EG_INDEX_WASTE
                                                              : EG_INDEX_SOIL;
}

/* Where the series is looked at; NULL: nowhere. */
static struct eg_index_site *group_of(const struct eg_pipeline *pipeline, const struct eg_series *series)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    enum eg_index_group group = EG_INDEX_GROUPS;
    if (series->part != EG_PARTS)
        group = series->part < EG_PART_ELEMENT ? EG_INDEX_WASTE : EG_INDEX_SOIL;
    else if (eg_hours_pollutant(series->quantity) != EG_POLLUTANTS && strcmp(device->domain, "waste") != 0)
        group = EG_INDEX_AIR;
    if (!pipeline->siteindices || device->site == EG_CONF_NONE || group == EG_INDEX_GROUPS)
        return NULL;
    return &pipeline->index_sites[device->site * EG_INDEX_GROUPS + group];
}

bool eg_siteindex_bind(struct eg_pipeline *pipeline, const struct eg_series *series, struct eg_batch *batch)
{
    struct eg_index_site *site = group_of(pipeline, series);
    if (!site)
        return true;
    if (!eg_room_more((void **)&site->series, site->series_count, &site->series_capacity,
                      sizeof *site->series, SERIES_MAX))
        return false;
    for (size_t i = 0; batch && !site->series_count && i < site->count; i++) {
        struct eg_siteindex *index = &pipeline->siteindices[site->first + i];
        if (index->at_ms != EG_TIME_NONE || index->state.case_number)
            continue;
        index->fresh = true;
        eg_siteindex_write(pipeline, index, batch);
    }
    site->series[site->series_count++] = series->id;
    return true;
}

static void free_sites(struct eg_index_site *sites, size_t count)
{
    for (size_t i = 0; sites && i < count; i++)
        free(sites[i].series);
    free(sites);
}

void eg_siteindex_finish(struct eg_pipeline *pipeline)
{
    free_sites(pipeline->index_sites, pipeline->index_site_count);
    free(pipeline->siteindices);
    pipeline->index_sites = NULL;
    pipeline->siteindices = NULL;
    pipeline->siteindex_count = pipeline->index_site_count = 0;
    pipeline->index_touched = pipeline->index_late = false;
    pipeline->index_wake_ms = INT64_MAX;
    pipeline->index_judged_ms = EG_TIME_NONE;
}

static void begin_anew(struct eg_siteindex *index)
{
    eg_judge_nothing(&index->state);
    index->at_ms = EG_TIME_NONE;
    for (int i = 0; i < EG_CHECKPOINTS; i++)
        index->checkpoints[i] = (struct eg_checkpoint){.at_ms = EG_TIME_NONE, .state = index->state};
}

/* What the rule of the same id stood at, at the site of the same id. */
static void carry_over(struct eg_siteindex *index, const struct eg_conf *conf,
                       const struct eg_siteindex *before, size_t count, const struct eg_conf *old)
{
    const uint32_t rule = index->rule, site = index->site;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(old->rules[before[i].rule].id, conf->rules[rule].id) &&
            !strcmp(old->sites[before[i].site].id, conf->sites[site].id)) {
            *index = before[i];
            index->rule = rule;
            index->site = site;
        }
}

/* Cases of rules that were not in force: they are found again. */
static void adopt_cases(struct eg_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->case_count; i++)
        if (pipeline->cases[i]->kind == EG_CASE_BREACH && !pipeline->cases[i]->series)
            eg_siteindex_recall(pipeline, pipeline->cases[i], NULL);
}

static int64_t late_before(const struct eg_pipeline *pipeline, const struct eg_conf *conf,
                           const struct eg_conf *old, size_t place)
{
    const char *id = conf->sites[place / EG_INDEX_GROUPS].id;
    uint32_t was = old && pipeline->index_sites ? eg_conf_site_find(old, id, strlen(id)) : EG_CONF_NONE;
    return was == EG_CONF_NONE
               ? EG_TIME_NONE
               : pipeline->index_sites[was * EG_INDEX_GROUPS + place % EG_INDEX_GROUPS].late_ms;
}

bool eg_siteindex_bind_all(struct eg_pipeline *pipeline, const struct eg_conf *old)
{
    const struct eg_conf *conf = pipeline->conf;
    size_t count = 0, before_count = pipeline->siteindex_count, at = 0;
    for (uint32_t site = 0; site < conf->site_count; site++)
        for (size_t r = 0; r < conf->rule_count; r++)
            count += applies(conf, &conf->rules[r], site);
    struct eg_siteindex *indices = count ? calloc(count, sizeof *indices) : NULL,
                        *before = pipeline->siteindices;
    struct eg_index_site *sites = count ? calloc(conf->site_count * EG_INDEX_GROUPS, sizeof *sites) : NULL;
    int64_t judged_ms = EG_TIME_NONE;
    if (count && (!indices || !sites)) {
        free(indices);
        free(sites);
        return false;
    }
    for (uint32_t i = 0; count && i < conf->site_count * EG_INDEX_GROUPS; i++) {
        sites[i] = (struct eg_index_site){.group = (enum eg_index_group)(i % EG_INDEX_GROUPS),
                                          .first = at,
                                          .judged_ms = EG_TIME_NONE,
                                          .touched_ms = INT64_MAX,
                                          .late_ms = late_before(pipeline, conf, old, i)};
        for (uint32_t r = 0; r < conf->rule_count; r++) {
            if (!applies(conf, &conf->rules[r], i / EG_INDEX_GROUPS) ||
                eg_siteindex_group(conf->rules[r].quantity) != sites[i].group)
                continue;
            indices[at].rule = r;
            indices[at].site = i / EG_INDEX_GROUPS;
            begin_anew(&indices[at]);
            carry_over(&indices[at], conf, before, before_count, old);
            if (indices[at].at_ms > sites[i].judged_ms)
                sites[i].judged_ms = indices[at].at_ms;
            sites[i].count++;
            at++;
        }
        judged_ms = sites[i].judged_ms > judged_ms ? sites[i].judged_ms : judged_ms;
    }
    pipeline->siteindices = NULL; /* not freed with the others: it was carried over */
    eg_siteindex_finish(pipeline);
    free(before);
    pipeline->siteindices = indices;
    pipeline->siteindex_count = count;
    pipeline->index_sites = sites;
    pipeline->index_site_count = count ? conf->site_count * EG_INDEX_GROUPS : 0;
    pipeline->index_wake_ms = count ? INT64_MIN : INT64_MAX;
    pipeline->index_judged_ms = judged_ms;
    bool ok = true;
    for (size_t i = 0; i < pipeline->series_count; i++)
        ok = eg_siteindex_bind(pipeline, pipeline->series[i], NULL) && ok;
    adopt_cases(pipeline);
    return ok;
}

/* --- hours that change, and are over --- */

void eg_siteindex_closed(struct eg_pipeline *pipeline, const struct eg_series *series)
{
    struct eg_index_site *site = group_of(pipeline, series);
    if (site && site->count)
        site->due = pipeline->index_touched = true; /* the hour may be over for all */
}

/* The first reading that may be judged, as they come: it may be another one's turn tomorrow. True: a rule begins earlier. */
static bool begin_at(struct eg_siteindex *index, int64_t start_ms)
{
    struct eg_checkpoint *older = &index->checkpoints[EG_OLDER], *newer = &index->checkpoints[EG_NEWER];
    if (!index->fresh || older->state.seen_ms != EG_TIME_NONE ||
        (older->at_ms != EG_TIME_NONE && older->at_ms <= start_ms))
        return false;
    if (index->at_ms == older->at_ms)
        index->at_ms = start_ms;
    if (newer->at_ms == older->at_ms)
        newer->at_ms = start_ms;
    older->at_ms = start_ms;
    return true;
}

static int64_t minute_of(int64_t now_ms)
{
    return now_ms - now_ms % 60000;
}

static void wake_at(struct eg_pipeline *pipeline, int64_t ms)
{
    if (pipeline->index_wake_ms > ms)
        pipeline->index_wake_ms = ms;
}

static int64_t next_hour(int64_t now_ms)
{
    int64_t start_ms, end_ms;
    eg_zone_hour(now_ms - EG_SITE_WAITS_MS, &start_ms, &end_ms);
    return end_ms + EG_SITE_WAITS_MS;
}

/* When the clock may tell more of it than it does now, because of what came late. */
static void wake_when_quiet(struct eg_pipeline *pipeline, const struct eg_index_site *site, int64_t now_ms)
{
    if (site->late_ms == EG_TIME_NONE)
        return;
    if (site->late_ms + EG_SITE_QUIET_MS > now_ms)
        wake_at(pipeline, site->late_ms + EG_SITE_QUIET_MS);
    if (eg_sitelook_speaks(site) && site->late_ms + EG_SITE_SPEAKS_ON_MS > now_ms)
        wake_at(pipeline, site->late_ms + EG_SITE_SPEAKS_ON_MS);
}

int64_t eg_siteindex_hear(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t time_ms,
                          int64_t now_ms, struct eg_batch *batch)
{
    struct eg_index_site *site = group_of(pipeline, series);
    int64_t start_ms, end_ms;
    eg_zone_hour(time_ms, &start_ms, &end_ms);
    if (!site || !site->count)
        return start_ms;
    bool moved = false;
    for (size_t i = 0; i < site->count; i++) {
        const bool begins = begin_at(&pipeline->siteindices[site->first + i], start_ms);
        if (begins && i) /* the first is written below */
            eg_siteindex_write(pipeline, &pipeline->siteindices[site->first + i], batch);
        moved |= begins;
    }
    if (end_ms <= site->judged_ms) {
        site->touched_ms = end_ms < site->touched_ms ? end_ms : site->touched_ms;
        pipeline->index_late = true;
    }
    if (end_ms + EG_SITE_WAITS_MS <= now_ms && site->late_ms != minute_of(now_ms)) {
        site->late_ms = minute_of(now_ms);
        moved = true;
    }
    wake_when_quiet(pipeline, site, now_ms);
    wake_at(pipeline, next_hour(now_ms));
    if (moved)
        eg_siteindex_write(pipeline, &pipeline->siteindices[site->first], batch);
    /* the hour before it may be over for all */
    site->due = pipeline->index_touched = true;
    return start_ms;
}

/* Does the clock alone bring something? For as long as its readings speak. */
static bool goes_on(const struct eg_pipeline *pipeline, const struct eg_index_site *site, int64_t now_ms)
{
    const int64_t clock_ms = eg_sitelook_clock(pipeline, site);
    return clock_ms != EG_TIME_NONE && now_ms - clock_ms <= eg_sitelook_speaks(site) + 3 * EG_HOUR_MS;
}

void eg_siteindex_tick(struct eg_pipeline *pipeline, int64_t now_ms)
{
    bool alive = false;
    if (pipeline->index_wake_ms > now_ms)
        return;
    pipeline->index_wake_ms = INT64_MAX;
    for (size_t i = 0; i < pipeline->index_site_count; i++) {
        struct eg_index_site *site = &pipeline->index_sites[i];
        if (!site->count || !site->series_count)
            continue;
        site->due = pipeline->index_touched = true;
        alive |= goes_on(pipeline, site, now_ms);
        wake_when_quiet(pipeline, site, now_ms);
    }
    if (alive)
        wake_at(pipeline, next_hour(now_ms));
}
