/* What a rule over an index sees of a site: of its air the mean of its stations' hours in memory, of its soil and waste the hours of each
 * plot and bin; which hour is over for all, the index of an hour or a local day, and what it came of. Refuses to know what rules make of
 * it (siteindex.c). Called by it, and for people who ask. */
#include <pipeline/plots.h>
#include <pipeline/explain.h>
#include <pipeline/hours.h>
#include <pipeline/siteindex.h>
#include <pipeline/state.h>

#include <base/zone.h>
#include <index/nano.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct eg_index_site *eg_sitelook_site(const struct eg_pipeline *pipeline,
                                             const struct eg_siteindex *index)
{
    const struct eg_conf_rule *rule = &pipeline->conf->rules[index->rule];
    return &pipeline->index_sites[index->site * EG_INDEX_GROUPS + eg_siteindex_group(rule->quantity)];
}

/* --- when --- */

int64_t eg_sitelook_clock(const struct eg_pipeline *pipeline, const struct eg_index_site *site)
{
    int64_t clock_ms = EG_TIME_NONE;
    for (size_t i = 0; i < site->series_count; i++) {
        const struct eg_series *series = pipeline->series[site->series[i] - 1];
        if (series->has_last && !(series->last_flags & EG_FLAGS_UNJUDGED) && series->last_ms > clock_ms)
            clock_ms = series->last_ms;
    }
    return clock_ms;
}

/* By the readings' time alone: an hour that is over is waited for until all that have measured in it have measured after it, or the next
 * one is over. */
static int64_t by_readings(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                           int64_t clock_ms)
{
    int64_t start_ms, end_ms;
    eg_zone_hour(clock_ms, &start_ms, &end_ms);
    for (size_t i = 0; i < site->series_count; i++) {
        const struct eg_rollup *open = &pipeline->series[site->series[i] - 1]->open[EG_PERIOD_HOUR];
        if (open->count && open->end_ms == start_ms)
            return start_ms - EG_HOUR_MS; /* it has measured in that hour, and not after it yet */
    }
    return start_ms;
}

int64_t eg_sitelook_speaks(const struct eg_index_site *site)
{
    return EG_HOUR_MS * (site->group == EG_INDEX_AIR     ? 0
                         : site->group == EG_INDEX_WASTE ? eg_land_hours(EG_LAND_WASTE_PRESSURE)
                                                         : eg_land_hours(EG_LAND_SOIL_CLASS));
}

int64_t eg_sitelook_newest_hour(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                                int64_t now_ms)
{
    const int64_t clock_ms = eg_sitelook_clock(pipeline, site), speaks_ms = eg_sitelook_speaks(site);
    int64_t now_start_ms, start_ms, end_ms;
    if (clock_ms == EG_TIME_NONE)
        return EG_TIME_NONE;
    int64_t newest_ms = by_readings(pipeline, site, clock_ms);
    if (!speaks_ms || pipeline->doubt.on)
        return newest_ms;
    /* A bin or a laboratory may say nothing more for long: what is over for an hour is over, unless something still comes, which may be
     * the days that a gateway has kept. */
    eg_zone_hour(now_ms, &now_start_ms, &end_ms);
    if (site->heard_ms >= now_start_ms - EG_HOUR_MS && site->heard_ms <= now_start_ms)
        return newest_ms;
    eg_zone_hour(clock_ms + speaks_ms, &start_ms, &end_ms);
    now_start_ms -= EG_HOUR_MS;
    now_start_ms = now_start_ms < end_ms ? now_start_ms : end_ms;
    return now_start_ms > newest_ms ? now_start_ms : newest_ms;
}

int64_t eg_sitelook_newest_day(int64_t hour_ms)
{
    int64_t start_ms, end_ms;
    eg_zone_day(hour_ms - 1, &start_ms, &end_ms);
    return end_ms <= hour_ms ? end_ms : start_ms;
}

/* --- gathering --- */

static void gather_air(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                       struct eg_site_hours *hours)
{
    struct eg_air_sums sums;
    int64_t nano[EG_AIR_HOURS];
    memset(&sums, 0, sizeof sums);
    for (size_t i = 0; i < site->series_count; i++) {
        const struct eg_series *series = pipeline->series[site->series[i] - 1];
        eg_hours_tell(pipeline, series, hours->end_ms, nano);
        eg_air_sums_add(&sums, eg_hours_pollutant(series->quantity), nano);
    }
    eg_air_sums_tell(&sums, &hours->air);
}

static int by_device(const void *left, const void *right)
{
    const struct eg_column *a = left, *b = right;
    return (a->device > b->device) - (a->device < b->device);
}

static enum eg_land_index land_of(const struct eg_conf_rule *rule)
{
    return eg_land_index_find(eg_quantity_info(rule->quantity)->name);
}

static bool gather_land(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                        const struct eg_batch *batch, struct eg_site_hours *hours)
{
    const enum eg_land_index index = land_of(hours->rule);
    const int64_t end = hours->end_ms / EG_HOUR_MS;
    hours->columns = malloc((site->series_count + 1) * sizeof *hours->columns);
    hours->values = malloc((site->series_count + 1) * EG_LAND_LOOK_HOURS * sizeof *hours->values);
    if (!hours->columns || !hours->values)
        return false;
    for (size_t i = 0; i < site->series_count; i++) {
        const struct eg_series *series = pipeline->series[site->series[i] - 1];
        const struct eg_device *device = &pipeline->devices[series->device - 1];
        double *values = hours->values + hours->column_count * EG_LAND_LOOK_HOURS;
        if (!eg_part_is_of(series->part, index))
            continue;
        eg_plots_fill(pipeline, series, end - EG_LAND_LOOK_HOURS, end, batch, values);
        hours->columns[hours->column_count++] = (struct eg_column){
            device->id, series->part, eg_land_of(device->described ? device->described->land_use : NULL),
            device->name, values};
    }
    if (hours->column_count)
        qsort(hours->columns, hours->column_count, sizeof *hours->columns, by_device);
    return true;
}

bool eg_sitelook_gather(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                        const struct eg_conf_rule *rule, int64_t end_ms, const struct eg_batch *batch,
                        struct eg_site_hours *ret_hours)
{
    ret_hours->rule = rule;
    ret_hours->end_ms = end_ms;
    ret_hours->columns = NULL;
    ret_hours->values = NULL;
    ret_hours->column_count = 0;
    if (site->group != EG_INDEX_AIR)
        return gather_land(pipeline, site, batch, ret_hours);
    gather_air(pipeline, site, ret_hours);
    return true;
}

void eg_sitelook_finish(struct eg_site_hours *hours)
{
    free(hours->columns);
    free(hours->values);
    hours->columns = NULL;
    hours->values = NULL;
}

/* --- telling --- */

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

void eg_sitelook_air(const struct eg_site_hours *hours, int64_t end_ms, struct eg_aqi *ret_aqi)
{
    struct eg_air air;
    size_t ago = (size_t)((hours->end_ms - end_ms) / EG_HOUR_MS);
    if (eg_siteindex_of_days(hours->rule))
        index_of_day(hours, end_ms, ret_aqi);
    else if (hours->rule->quantity == EG_Q_aqi_us)
        eg_air_index_us(&hours->air, ago, hours->end_ms, &air, ret_aqi);
    else
        eg_air_index_cn(&hours->air, ago, hours->end_ms, &air, ret_aqi);
}

static bool land_index(const struct eg_site_hours *hours, int64_t end_ms, struct eg_land_state *ret)
{
    const int64_t first = hours->end_ms / EG_HOUR_MS - EG_LAND_LOOK_HOURS, end = end_ms / EG_HOUR_MS - first;
    int64_t start_ms, behind_ms;
    ret->known = false;
    if (end < 1 || end > EG_LAND_LOOK_HOURS)
        return false;
    if (!eg_siteindex_of_days(hours->rule))
        return eg_land_tell_hour(land_of(hours->rule), hours->columns, hours->column_count, (size_t)end - 1,
                                 ret);
    eg_zone_day(end_ms - 1, &start_ms, &behind_ms);
    int64_t from = start_ms / EG_HOUR_MS - first;
    return eg_land_tell_day(land_of(hours->rule), hours->columns, hours->column_count,
                            from > 0 ? (size_t)from : 0, (size_t)end, ret);
}

bool eg_sitelook_value(const struct eg_site_hours *hours, int64_t end_ms, double *ret_value)
{
    struct eg_land_state state;
    struct eg_aqi aqi = {.available = EG_AQI_NONE};
    if (eg_siteindex_group(hours->rule->quantity) != EG_INDEX_AIR) {
        bool known = land_index(hours, end_ms, &state);
        *ret_value = known ? state.value : (double)NAN;
        return known;
    }
    eg_sitelook_air(hours, end_ms, &aqi);
    *ret_value = aqi.available == EG_AQI_NONE ? (double)NAN : aqi.available;
    return aqi.available != EG_AQI_NONE;
}

static void air_note(const struct eg_aqi *aqi, char *out, size_t size)
{
    size_t used = 0;
    *out = '\0';
    for (int p = 0; p < EG_POLLUTANTS; p++) {
        int sub = EG_AQI_NONE;
        for (int average = 0; average < EG_AVERAGES; average++)
            sub = aqi->sub[p][average] > sub ? aqi->sub[p][average] : sub;
        if (aqi->primary & 1u << p && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s %d",
                                     used ? ", " : "primary pollutant: ", eg_pollutant_names[p], sub);
    }
}

const char *eg_sitelook_note(const struct eg_site_hours *hours, int64_t end_ms, char *out, size_t size)
{
    struct eg_land_state state;
    struct eg_aqi aqi;
    *out = '\0';
    if (eg_siteindex_group(hours->rule->quantity) != EG_INDEX_AIR)
        return land_index(hours, end_ms, &state) ? eg_land_note(&state, out, size) : out;
    eg_sitelook_air(hours, end_ms, &aqi);
    if (aqi.available != EG_AQI_NONE)
        air_note(&aqi, out, size);
    return out;
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
    const struct eg_index_site *site = eg_sitelook_site(pipeline, index);
    struct eg_site_hours hours;
    *ret = (struct eg_explained){.state = index->state,
                                 .judged_ms = index->at_ms,
                                 .goes = {.levels = judges->levels, .holds = true, .band = -1},
                                 .speaks_ms = judges->calendar == EG_CALENDAR_DAY ? EG_DAY_HOURS * EG_HOUR_MS
                                                                                  : EG_HOUR_MS};
    ret->value = (double)NAN;
    if (index->at_ms != EG_TIME_NONE) {
        if (eg_sitelook_gather(pipeline, site, judges, index->at_ms, NULL, &hours)) {
            ret->has_value = eg_sitelook_value(&hours, index->at_ms, &ret->value);
            eg_sitelook_note(&hours, index->at_ms, ret->note, sizeof ret->note);
        }
        eg_sitelook_finish(&hours);
    }
    *ret_site = index->site;
    return true;
}
