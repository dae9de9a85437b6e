/* What a rule over an index sees of a site: of its air the mean of its stations' hours, of its soil and waste the hours of each
 * plot and bin; which hour is over for all, the index of an hour or a local day, and what it came of. Refuses to know what rules make of
 * it (siteindex.c). Called by it, and for people who ask. */
#include <pipeline/plots.h>
#include <pipeline/explain.h>
#include <pipeline/hours.h>
#include <pipeline/pasthours.h>
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
                           int64_t start_ms)
{
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

/* The clock was moved back, or so much of it has passed. */
static bool quiet(const struct eg_index_site *site, int64_t now_ms, int64_t for_ms)
{
    return site->late_ms == EG_TIME_NONE || now_ms < site->late_ms || now_ms - site->late_ms >= for_ms;
}

/* By the clock: a little while after its end, when nobody brings late what he has measured in it. What soil and waste told last speaks on
 * in hours of which nobody tells anything: a bin or a laboratory may say nothing more for long. Then nothing late must have come for an
 * hour, which may be the days that a gateway has kept. */
static int64_t by_clock(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                        int64_t clock_ms, int64_t behind_ms, int64_t now_ms)
{
    const int64_t speaks_ms = eg_sitelook_speaks(site);
    int64_t over_ms, start_ms, end_ms;
    if (pipeline->doubt.on || !quiet(site, now_ms, EG_SITE_QUIET_MS))
        return EG_TIME_NONE;
    eg_zone_hour(now_ms - EG_SITE_WAITS_MS, &over_ms, &end_ms);
    if (!speaks_ms || !quiet(site, now_ms, EG_SITE_SPEAKS_ON_MS))
        return over_ms < behind_ms ? over_ms : behind_ms;
    eg_zone_hour(clock_ms + speaks_ms, &start_ms, &end_ms);
    return over_ms < end_ms ? over_ms : end_ms;
}

int64_t eg_sitelook_newest_hour(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                                int64_t now_ms)
{
    const int64_t clock_ms = eg_sitelook_clock(pipeline, site);
    int64_t start_ms, end_ms;
    if (clock_ms == EG_TIME_NONE)
        return EG_TIME_NONE;
    eg_zone_hour(clock_ms, &start_ms, &end_ms);
    const int64_t told_ms = by_readings(pipeline, site, start_ms),
                  over_ms = by_clock(pipeline, site, clock_ms, end_ms, now_ms);
    return told_ms > over_ms ? told_ms : over_ms;
}

int64_t eg_sitelook_newest_day(int64_t hour_ms)
{
    int64_t start_ms, end_ms;
    eg_zone_day(hour_ms - 1, &start_ms, &end_ms);
    return end_ms <= hour_ms ? end_ms : start_ms;
}

/* --- gathering --- */

#define LOOK_BACK 26 /* hours, before the end of one: a day of 25, a mean of 24 */

static bool gather_air(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                       const struct eg_batch *batch, struct eg_site_hours *hours)
{
    const size_t count = hours->count;
    struct eg_air_mean *sums = calloc(EG_POLLUTANTS * count, sizeof *sums);
    int64_t *nano = malloc(count * sizeof *nano);
    hours->means = malloc(EG_POLLUTANTS * count * sizeof *hours->means);
    bool ok = sums && nano && hours->means;
    for (size_t i = 0; i < site->series_count && ok; i++) {
        const struct eg_series *series = pipeline->series[site->series[i] - 1];
        const size_t pollutant = (size_t)eg_hours_pollutant(series->quantity);
        ok = eg_past_air(pipeline, series, hours->first, hours->first + (int64_t)count, batch, nano);
        for (size_t hour = 0; hour < count && ok; hour++)
            eg_air_mean_add(&sums[pollutant * count + hour], nano[hour]);
    }
    for (size_t i = 0; i < EG_POLLUTANTS * count && ok; i++)
        hours->means[i] = eg_air_mean_tell(&sums[i]);
    free(sums);
    free(nano);
    return ok;
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
    const int64_t end = hours->first + (int64_t)hours->count;
    bool ok = true;
    hours->columns = malloc((site->series_count + 1) * sizeof *hours->columns);
    hours->values = malloc((site->series_count + 1) * hours->count * sizeof *hours->values);
    if (!hours->columns || !hours->values)
        return false;
    for (size_t i = 0; i < site->series_count && ok; i++) {
        const struct eg_series *series = pipeline->series[site->series[i] - 1];
        const struct eg_device *device = &pipeline->devices[series->device - 1];
        double *values = hours->values + hours->column_count * hours->count;
        if (!eg_part_is_of(series->part, index))
            continue;
        ok = eg_plots_fill(pipeline, series, hours->first, end, batch, values);
        hours->columns[hours->column_count++] = (struct eg_column){
            device->id, series->part, eg_land_of(device->described ? device->described->land_use : NULL),
            device->name, values};
    }
    if (hours->column_count)
        qsort(hours->columns, hours->column_count, sizeof *hours->columns, by_device);
    return ok;
}

bool eg_sitelook_gather(const struct eg_pipeline *pipeline, const struct eg_index_site *site,
                        const struct eg_conf_rule *rule, int64_t from_ms, int64_t end_ms,
                        const struct eg_batch *batch, struct eg_site_hours *ret_hours)
{
    ret_hours->rule = rule;
    ret_hours->end_ms = end_ms;
    ret_hours->first = from_ms / EG_HOUR_MS - LOOK_BACK;
    ret_hours->count = (size_t)(end_ms / EG_HOUR_MS - ret_hours->first);
    ret_hours->means = NULL;
    ret_hours->columns = NULL;
    ret_hours->values = NULL;
    ret_hours->column_count = 0;
    return site->group == EG_INDEX_AIR ? gather_air(pipeline, site, batch, ret_hours)
                                       : gather_land(pipeline, site, batch, ret_hours);
}

void eg_sitelook_finish(struct eg_site_hours *hours)
{
    free(hours->means);
    free(hours->columns);
    free(hours->values);
    hours->means = NULL;
    hours->columns = NULL;
    hours->values = NULL;
}

/* --- telling --- */

/* The last two days before there. */
static void look_back(const struct eg_site_hours *hours, int64_t end_ms, struct eg_air_hours *ret)
{
    const int64_t newest = end_ms / EG_HOUR_MS - 1 - hours->first;
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int64_t ago = 0; ago < EG_AIR_HOURS; ago++) {
            const int64_t hour = newest - ago;
            ret->nano[pollutant][ago] = hour >= 0 && hour < (int64_t)hours->count
                                            ? hours->means[(size_t)pollutant * hours->count + (size_t)hour]
                                            : EG_NANO_NONE;
        }
}

static void index_of_day(const struct eg_air_hours *hours, int64_t newest_ms, int64_t end_ms,
                         struct eg_aqi *ret_aqi)
{
    int64_t nano[EG_DAY_HOURS], start_ms, behind_ms;
    struct eg_air air;
    eg_zone_day(end_ms - 1, &start_ms, &behind_ms);
    enum eg_aqi_cn_edition edition = eg_aqi_cn_edition_at(start_ms);
    eg_air_init(&air);
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++) {
        size_t count = 0;
        for (int64_t at = start_ms; at < end_ms && count < EG_DAY_HOURS; at += EG_HOUR_MS) {
            int64_t ago = (newest_ms - at) / EG_HOUR_MS - 1;
            nano[count++] = ago >= 0 && ago < EG_AIR_HOURS ? hours->nano[pollutant][ago] : EG_NANO_NONE;
        }
        eg_air_hours_day(edition, (enum eg_pollutant)pollutant, nano, count, &air);
    }
    eg_aqi_cn(edition, &air, ret_aqi);
}

void eg_sitelook_air(const struct eg_site_hours *hours, int64_t end_ms, struct eg_aqi *ret_aqi)
{
    struct eg_air air;
    struct eg_air_hours then;
    const struct eg_air_hours *from = hours->means ? &then : &hours->air;
    const int64_t newest_ms = hours->means ? end_ms : hours->end_ms;
    const size_t ago = (size_t)((newest_ms - end_ms) / EG_HOUR_MS);
    if (hours->means)
        look_back(hours, end_ms, &then);
    if (eg_siteindex_of_days(hours->rule))
        index_of_day(from, newest_ms, end_ms, ret_aqi);
    else if (hours->rule->quantity == EG_Q_aqi_us)
        eg_air_index_us(from, ago, newest_ms, &air, ret_aqi);
    else
        eg_air_index_cn(from, ago, newest_ms, &air, ret_aqi);
}

static bool land_index(const struct eg_site_hours *hours, int64_t end_ms, struct eg_land_state *ret)
{
    const int64_t end = end_ms / EG_HOUR_MS - hours->first;
    int64_t start_ms, behind_ms;
    ret->known = false;
    if (end < 1 || end > (int64_t)hours->count)
        return false;
    if (!eg_siteindex_of_days(hours->rule))
        return eg_land_tell_hour(land_of(hours->rule), hours->columns, hours->column_count, (size_t)end - 1,
                                 ret);
    eg_zone_day(end_ms - 1, &start_ms, &behind_ms);
    int64_t from = start_ms / EG_HOUR_MS - hours->first;
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
    *ret = (struct eg_explained){
        .state = index->state,
        .judged_ms = index->state.seen_ms == EG_TIME_NONE ? EG_TIME_NONE : index->at_ms,
        .goes = {.levels = judges->levels, .holds = true, .band = -1},
        .speaks_ms = judges->calendar == EG_CALENDAR_DAY ? EG_DAY_HOURS * EG_HOUR_MS : EG_HOUR_MS};
    ret->value = (double)NAN;
    if (index->at_ms != EG_TIME_NONE) {
        if (eg_sitelook_gather(pipeline, site, judges, index->at_ms, index->at_ms, NULL, &hours)) {
            ret->has_value = eg_sitelook_value(&hours, index->at_ms, &ret->value);
            eg_sitelook_note(&hours, index->at_ms, ret->note, sizeof ret->note);
        }
        eg_sitelook_finish(&hours);
    }
    *ret_site = index->site;
    return true;
}
