/* The air of a site: the mean of its stations' hours in memory, which of them is over for all, the index of an hour or a local day.
 * Refuses to know what rules make of it (siteindex.c). Called by it, and for people who ask. */
#include <pipeline/explain.h>
#include <pipeline/hours.h>
#include <pipeline/siteindex.h>
#include <pipeline/state.h>

#include <base/zone.h>
#include <index/nano.h>

#include <math.h>
#include <string.h>

int64_t eg_siteair_newest_hour(const struct eg_pipeline *pipeline, const struct eg_index_site *site)
{
    int64_t clock_ms = EG_TIME_NONE, start_ms, end_ms;
    for (size_t i = 0; i < site->series_count; i++) {
        const struct eg_series *series = pipeline->series[site->series[i] - 1];
        if (series->has_last && !(series->last_flags & EG_FLAGS_UNJUDGED) && series->last_ms > clock_ms)
            clock_ms = series->last_ms;
    }
    if (clock_ms == EG_TIME_NONE)
        return EG_TIME_NONE;
    eg_zone_hour(clock_ms, &start_ms, &end_ms);
    for (size_t i = 0; i < site->series_count; i++) {
        const struct eg_rollup *open = &pipeline->series[site->series[i] - 1]->open[EG_PERIOD_HOUR];
        if (open->count && open->end_ms == start_ms)
            return start_ms - EG_HOUR_MS; /* it has measured in that hour, and not after it yet */
    }
    return start_ms;
}

int64_t eg_siteair_newest_day(int64_t hour_ms)
{
    int64_t start_ms, end_ms;
    eg_zone_day(hour_ms - 1, &start_ms, &end_ms);
    return end_ms <= hour_ms ? end_ms : start_ms;
}

void eg_siteair_gather(const struct eg_pipeline *pipeline, const struct eg_index_site *site, int64_t end_ms,
                       struct eg_site_hours *ret_hours)
{
    struct eg_air_sums sums;
    int64_t nano[EG_AIR_HOURS];
    memset(&sums, 0, sizeof sums);
    for (size_t i = 0; i < site->series_count; i++) {
        const struct eg_series *series = pipeline->series[site->series[i] - 1];
        eg_hours_tell(pipeline, series, end_ms, nano);
        eg_air_sums_add(&sums, eg_hours_pollutant(series->quantity), nano);
    }
    eg_air_sums_tell(&sums, &ret_hours->air);
    ret_hours->end_ms = end_ms;
}

static void index_of_day(const struct eg_site_hours *hours, int64_t end_ms, struct eg_aqi *ret_aqi)
{
    int64_t nano[EG_DAY_HOURS], start_ms, behind_ms;
    struct eg_air air;
    eg_zone_day(end_ms - 1, &start_ms, &behind_ms);
    enum eg_aqi_cn_edition edition = eg_aqi_cn_edition_at(start_ms);
    eg_air_init(&air);
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++) {
        size_t count = 0;
        for (int64_t at = start_ms; at < end_ms && count < EG_DAY_HOURS; at += EG_HOUR_MS) {
            int64_t ago = (hours->end_ms - at) / EG_HOUR_MS - 1;
            nano[count++] = ago >= 0 && ago < EG_AIR_HOURS ? hours->air.nano[pollutant][ago] : EG_NANO_NONE;
        }
        eg_air_hours_day(edition, (enum eg_pollutant)pollutant, nano, count, &air);
    }
    eg_aqi_cn(edition, &air, ret_aqi);
}

void eg_siteair_index(const struct eg_conf_rule *rule, const struct eg_site_hours *hours, int64_t end_ms,
                      struct eg_aqi *ret_aqi)
{
    struct eg_air air;
    size_t ago = (size_t)((hours->end_ms - end_ms) / EG_HOUR_MS);
    if (rule->calendar == EG_CALENDAR_DAY)
        index_of_day(hours, end_ms, ret_aqi);
    else if (rule->quantity == EG_Q_aqi_us)
        eg_air_index_us(&hours->air, ago, hours->end_ms, &air, ret_aqi);
    else
        eg_air_index_cn(&hours->air, ago, hours->end_ms, &air, ret_aqi);
}

bool eg_explain_index(const struct eg_pipeline *pipeline, uint32_t rule, size_t nth, struct eg_explained *ret,
                      uint32_t *ret_site)
{
    const struct eg_siteindex *index = NULL;
    for (size_t i = 0; i < pipeline->siteindex_count && !index; i++)
        if (pipeline->siteindices[i].rule == rule && nth-- == 0)
            index = &pipeline->siteindices[i];
    if (!index)
        return false;
    const struct eg_conf_rule *judges = &pipeline->conf->rules[rule];
    struct eg_site_hours hours;
    struct eg_aqi aqi = {.available = EG_AQI_NONE};
    *ret = (struct eg_explained){.state = index->state,
                                 .judged_ms = index->at_ms,
                                 .goes = {.levels = judges->levels, .holds = true, .band = -1},
                                 .speaks_ms = judges->calendar == EG_CALENDAR_DAY ? EG_DAY_HOURS * EG_HOUR_MS
                                                                                  : EG_HOUR_MS};
    if (index->at_ms != EG_TIME_NONE) {
        eg_siteair_gather(pipeline, &pipeline->index_sites[index->site], index->at_ms, &hours);
        eg_siteair_index(judges, &hours, index->at_ms, &aqi);
    }
    ret->has_value = aqi.available != EG_AQI_NONE;
    ret->value = ret->has_value ? aqi.available : (double)NAN;
    *ret_site = index->site;
    return true;
}
