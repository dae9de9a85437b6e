/* Which rules look at the index of which site, of which stations' series it is made, and whether their hours have changed. Knows nothing of
 * the index. Called by pipeline.c, registry.c and series.c. */
#include <pipeline/hours.h>
#include <pipeline/siteindex.h>
#include <pipeline/state.h>

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

bool eg_siteindex_bind(struct eg_pipeline *pipeline, const struct eg_series *series)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    if (!pipeline->siteindices || device->site == EG_CONF_NONE || !strcmp(device->domain, "waste") ||
        eg_hours_pollutant(series->quantity) == EG_POLLUTANTS)
        return true;
    struct eg_index_site *site = &pipeline->index_sites[device->site];
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

bool eg_siteindex_bind_all(struct eg_pipeline *pipeline, const struct eg_conf *old)
{
    const struct eg_conf *conf = pipeline->conf;
    size_t count = 0, before_count = pipeline->siteindex_count, at = 0;
    for (uint32_t site = 0; site < conf->site_count; site++)
        for (size_t r = 0; r < conf->rule_count; r++)
            count += applies(conf, &conf->rules[r], site);
    struct eg_siteindex *indices = count ? calloc(count, sizeof *indices) : NULL,
                        *before = pipeline->siteindices;
    struct eg_index_site *sites = count ? calloc(conf->site_count, sizeof *sites) : NULL;
    if (count && (!indices || !sites)) {
        free(indices);
        free(sites);
        return false;
    }
    for (uint32_t site = 0; count && site < conf->site_count; site++) {
        sites[site].first = at;
        sites[site].touched_ms = INT64_MAX;
        for (uint32_t r = 0; r < conf->rule_count; r++) {
            if (!applies(conf, &conf->rules[r], site))
                continue;
            indices[at].rule = r;
            indices[at].site = site;
            begin_anew(&indices[at]);
            carry_over(&indices[at++], conf, before, before_count, old);
            sites[site].count++;
        }
    }
    pipeline->siteindices = NULL; /* not freed with the others: it was carried over */
    eg_siteindex_finish(pipeline);
    free(before);
    pipeline->siteindices = indices;
    pipeline->siteindex_count = count;
    pipeline->index_sites = sites;
    pipeline->index_site_count = count ? conf->site_count : 0;
    bool ok = true;
    for (size_t i = 0; i < pipeline->series_count; i++)
        ok = eg_siteindex_bind(pipeline, pipeline->series[i]) && ok;
    adopt_cases(pipeline);
    return ok;
}

void eg_siteindex_touch(struct eg_pipeline *pipeline, const struct eg_series *series,
                        const struct eg_rollup *hour)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    if (device->site == EG_CONF_NONE || !strcmp(device->domain, "waste") ||
        eg_hours_pollutant(series->quantity) == EG_POLLUTANTS)
        return;
    struct eg_index_site *site = &pipeline->index_sites[device->site];
    if (!site->count)
        return;
    if (hour->end_ms < site->touched_ms)
        site->touched_ms = hour->end_ms;
    pipeline->index_touched = true;
}
