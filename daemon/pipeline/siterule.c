/* Which rules look at the index of which site, of which series it is made, whether their hours have changed, and when an hour is over by
 * the clock. Knows nothing of the index. Called by pipeline.c, registry.c and series.c. */
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

bool eg_siteindex_bind(struct eg_pipeline *pipeline, const struct eg_series *series)
{
    struct eg_index_site *site = group_of(pipeline, series);
    if (!site)
        return true;
    if (!eg_room_more((void **)&site->series, site->series_count, &site->series_capacity,
                      sizeof *site->series, SERIES_MAX))
        return false;
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
    pipeline->index_touched = false;
    pipeline->index_wake_ms = INT64_MAX;
}

static void begin_anew(struct eg_siteindex *index)
{
    eg_judge_nothing(&index->state);
    index->at_ms = EG_TIME_NONE;
    index->base = (struct eg_checkpoint){.at_ms = EG_TIME_NONE};
    eg_judge_nothing(&index->base.state);
}

/* What the rule of the same id stood at, at the site of the same id. */
static void carry_over(struct eg_siteindex *index, const struct eg_conf *conf,
                       const struct eg_siteindex *before, size_t count, const struct eg_conf *old)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(old->rules[before[i].rule].id, conf->rules[index->rule].id) &&
            !strcmp(old->sites[before[i].site].id, conf->sites[index->site].id)) {
            index->state = before[i].state;
            index->at_ms = before[i].at_ms;
            index->base = before[i].base;
        }
}

/* Cases of rules that were not in force: they are found again. */
static void adopt_cases(struct eg_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->case_count; i++)
        if (pipeline->cases[i]->kind == EG_CASE_BREACH && !pipeline->cases[i]->series)
            eg_siteindex_recall(pipeline, pipeline->cases[i], NULL);
}

static int64_t heard_before(const struct eg_pipeline *pipeline, const struct eg_conf *conf,
                            const struct eg_conf *old, size_t place)
{
    const char *id = conf->sites[place / EG_INDEX_GROUPS].id;
    uint32_t was = old && pipeline->index_sites ? eg_conf_site_find(old, id, strlen(id)) : EG_CONF_NONE;
    return was == EG_CONF_NONE
               ? EG_TIME_NONE
               : pipeline->index_sites[was * EG_INDEX_GROUPS + place % EG_INDEX_GROUPS].heard_ms;
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
    bool land = false;
    if (count && (!indices || !sites)) {
        free(indices);
        free(sites);
        return false;
    }
    for (uint32_t i = 0; count && i < conf->site_count * EG_INDEX_GROUPS; i++) {
        sites[i] = (struct eg_index_site){.group = (enum eg_index_group)(i % EG_INDEX_GROUPS),
                                          .first = at,
                                          .touched_ms = INT64_MAX,
                                          .heard_ms = heard_before(pipeline, conf, old, i)};
        for (uint32_t r = 0; r < conf->rule_count; r++) {
            if (!applies(conf, &conf->rules[r], i / EG_INDEX_GROUPS) ||
                eg_siteindex_group(conf->rules[r].quantity) != sites[i].group)
                continue;
            indices[at].rule = r;
            indices[at].site = i / EG_INDEX_GROUPS;
            begin_anew(&indices[at]);
            carry_over(&indices[at++], conf, before, before_count, old);
            sites[i].count++;
            land |= sites[i].group != EG_INDEX_AIR;
        }
    }
    pipeline->siteindices = NULL; /* not freed with the others: it was carried over */
    eg_siteindex_finish(pipeline);
    free(before);
    pipeline->siteindices = indices;
    pipeline->siteindex_count = count;
    pipeline->index_sites = sites;
    pipeline->index_site_count = count ? conf->site_count * EG_INDEX_GROUPS : 0;
    pipeline->index_wake_ms = land ? INT64_MIN : INT64_MAX;
    bool ok = true;
    for (size_t i = 0; i < pipeline->series_count; i++)
        ok = eg_siteindex_bind(pipeline, pipeline->series[i]) && ok;
    adopt_cases(pipeline);
    return ok;
}

void eg_siteindex_touch(struct eg_pipeline *pipeline, const struct eg_series *series,
                        const struct eg_rollup *hour)
{
    struct eg_index_site *site = group_of(pipeline, series);
    if (!site || !site->count)
        return;
    if (hour->end_ms < site->touched_ms)
        site->touched_ms = hour->end_ms;
    pipeline->index_touched = true;
}

/* --- the clock, of soil and waste --- */

static int64_t next_hour(int64_t now_ms)
{
    int64_t start_ms, end_ms;
    eg_zone_hour(now_ms, &start_ms, &end_ms);
    return end_ms;
}

void eg_siteindex_spoke(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t now_ms,
                        struct eg_batch *batch)
{
    struct eg_index_site *site = group_of(pipeline, series);
    if (!site || !site->count)
        return;
    if (pipeline->index_wake_ms == INT64_MAX)
        pipeline->index_wake_ms = next_hour(now_ms);
    int64_t judged_ms = EG_TIME_NONE, end_ms;
    if (now_ms < site->heard_ms ||
        now_ms >= site->heard_ms + EG_HOUR_MS) { /* the zone is asked once an hour */
        eg_zone_hour(now_ms, &site->heard_ms, &end_ms);
        eg_siteindex_write(pipeline, &pipeline->siteindices[site->first], batch);
    }
    for (size_t i = 0; i < site->count; i++)
        if (pipeline->siteindices[site->first + i].at_ms > judged_ms)
            judged_ms = pipeline->siteindices[site->first + i].at_ms;
    const struct eg_rollup *open = &series->open[EG_PERIOD_HOUR];
    if (open->end_ms <= judged_ms) /* it lags behind */
        eg_siteindex_touch(pipeline, series, open);
    else if (open->start_ms > judged_ms && open->count <= 1) /* the hour before it may be over for all */
        site->due = pipeline->index_touched = true;
}

void eg_siteindex_tick(struct eg_pipeline *pipeline, int64_t now_ms)
{
    bool alive = false;
    if (pipeline->index_wake_ms > now_ms)
        return;
    for (size_t i = 0; i < pipeline->index_site_count; i++) {
        struct eg_index_site *site = &pipeline->index_sites[i];
        if (!site->count || site->group == EG_INDEX_AIR)
            continue;
        int64_t clock_ms = eg_sitelook_clock(pipeline, site);
        if (clock_ms == EG_TIME_NONE)
            continue;
        site->due = pipeline->index_touched = true;
        alive |= now_ms - clock_ms <= eg_sitelook_speaks(site) + 3 * EG_HOUR_MS;
    }
    pipeline->index_wake_ms = alive ? next_hour(now_ms) : INT64_MAX;
}
