/* Knows how the readings of sites become hours, the hours an index, and that what a rule over it would have judged, as it does live: the
 * same buckets, the same indices, the same rule. Refuses to know where readings come from. Made on the main thread, fed and told on the
 * worker's (m_backtest.c), which asks nothing of the pipeline. */
#include <api/indexback.h>
#include <base/zone.h>
#include <index/nano.h>
#include <pipeline/hours.h>
#include <pipeline/pace.h>
#include <pipeline/rollup.h>
#include <pipeline/siteback.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 4000000 /* hours of series, or of a site's pollutants, that one test holds */

struct source { /* a series that counts */
    uint32_t id, site, device;
    int part;                    /* EG_PARTS: a pollutant */
    enum eg_pollutant pollutant; /* EG_POLLUTANTS: a part */
    enum eg_land land;
    struct eg_pace pace; /* of the hours so far */
    int64_t until;
    const char *name; /* the pipeline's, which stays */
    size_t place;     /* of its site */
    double scale;
    double *values; /* Owned; of a part */
};
struct place {
    uint32_t site;
    struct eg_air_mean *means; /* Owned; [pollutant * hours + hour] */
    struct eg_column *columns; /* Owned */
    size_t column_count;
};
struct eg_indexback {
    const struct eg_conf_rule *rule;
    struct eg_conf_validity validity;
    enum eg_index_group group;
    enum eg_land_index land;
    int64_t from_ms, to_ms, now_ms, back_ms;
    int64_t first, end; /* hours since the epoch that are held */
    struct source *sources;
    size_t source_count, source_room;
    uint32_t *by_series; /* [series]: its source's place and 1; 0: it does not count */
    size_t series_count;
    struct place *places;
    size_t place_count;
    /* while a series comes in */
    struct source *filling;
    struct eg_rollup hour;
    bool plain; /* the hour's newest reading is as its device said it */
    struct eg_part_fill fill;
};

/* --- preparing --- */

static bool applies(const struct eg_conf *conf, const struct eg_conf_rule *rule, uint32_t site)
{
    bool there = !rule->site_count;
    for (size_t i = 0; i < rule->site_count && !there; i++)
        there = eg_conf_site_within(conf, site, rule->sites[i]);
    return there && site != EG_CONF_NONE;
}

static bool add_source(struct eg_indexback *back, const struct eg_pipeline *pipeline,
                       const struct eg_device_view *device, const struct eg_series_view *series)
{
    const int part = eg_part_find(device->domain, eg_quantity_info(series->quantity)->name);
    enum eg_pollutant pollutant = eg_hours_pollutant(series->quantity);
    if (back->group == EG_INDEX_AIR
            ? part != EG_PARTS || pollutant == EG_POLLUTANTS || !strcmp(device->domain, "waste")
            : !eg_part_is_of(part, back->land))
        return true;
    if (back->source_count == back->source_room) {
        size_t room = back->source_room ? back->source_room * 2 : 64;
        struct source *more = realloc(back->sources, room * sizeof *more);
        if (!more)
            return false;
        back->sources = more;
        back->source_room = room;
    }
    back->sources[back->source_count++] =
        (struct source){.id = series->id,
                        .site = device->conf_site,
                        .device = device->id,
                        .part = part,
                        .pollutant = pollutant,
                        .land = eg_land_of(device->land_use),
                        .until = eg_pipeline_serves_until(pipeline, series->id),
                        .name = device->device,
                        .scale = eg_rollup_scale(series->quantity)};
    return true;
}

static int by_place(const void *left, const void *right)
{
    const struct source *a = left, *b = right;
    if (a->site != b->site)
        return a->site < b->site ? -1 : 1;
    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* Room for what comes. */
static bool make_places(struct eg_indexback *back)
{
    const size_t hours = (size_t)(back->end - back->first);
    bool ok = true;
    back->places = calloc(back->source_count + 1, sizeof *back->places);
    back->by_series = calloc(back->series_count, sizeof *back->by_series);
    if (!back->places || !back->by_series)
        return false;
    for (size_t i = 0; i < back->source_count && ok; i++) {
        struct source *source = &back->sources[i];
        back->by_series[source->id] = (uint32_t)i + 1;
        if (!i || source[-1].site != source->site)
            back->places[back->place_count++].site = source->site;
        source->place = back->place_count - 1;
        struct place *place = &back->places[back->place_count - 1];
        if (back->group != EG_INDEX_AIR) {
            source->values = malloc(hours * sizeof *source->values);
            struct eg_column *more = realloc(place->columns, (place->column_count + 1) * sizeof *more);
            if (more)
                place->columns = more;
            ok = more && source->values;
            for (size_t hour = 0; ok && hour < hours; hour++)
                source->values[hour] = (double)NAN;
            if (ok)
                place->columns[place->column_count++] = (struct eg_column){
                    source->device, source->part, source->land, source->name, source->values};
        } else if (!place->means) {
            place->means = calloc(EG_POLLUTANTS * hours, sizeof *place->means);
            ok = place->means != NULL;
        }
    }
    return ok;
}

static bool too_many(const struct eg_indexback *back)
{
    const size_t hours = (size_t)(back->end - back->first);
    size_t sites = 0;
    for (size_t i = 0; i < back->source_count; i++)
        sites += !i || back->sources[i - 1].site != back->sources[i].site; /* as they were found: a bound */
    return hours * (back->group == EG_INDEX_AIR ? 2 * EG_POLLUTANTS * sites : back->source_count) >
           VALUES_MAX;
}

static int gather(struct eg_call *call, const struct eg_conf *conf, struct eg_indexback *back)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    struct eg_device_view device;
    struct eg_series_view series;
    bool ok = true;
    for (uint32_t id = 1; id < back->series_count && ok; id++)
        if (eg_pipeline_series(pipeline, id, &series) &&
            eg_pipeline_device(pipeline, series.device, &device) &&
            applies(conf, back->rule, device.conf_site))
            ok = add_source(back, pipeline, &device, &series);
    if (ok && back->source_count)
        qsort(back->sources, back->source_count, sizeof *back->sources, by_place);
    if (ok && too_many(back))
        return eg_call_fail(
            call, EG_RPC_PARAMS,
            "That is more than one test may hold; ask for a shorter time, or name fewer sites.");
    return ok && make_places(back) ? 0
                                   : eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the test.");
}

int eg_indexback_prepare(struct eg_call *call, const struct eg_conf *conf, int64_t from_ms, int64_t to_ms,
                         struct eg_indexback **ret)
{
    struct eg_indexback *back = calloc(1, sizeof *back);
    int64_t start_ms, end_ms;
    *ret = back;
    if (!back)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the test.");
    back->rule = &conf->rules[0];
    back->validity = call->desk->conf->validity;
    back->group = eg_siteindex_group(back->rule->quantity);
    back->land = eg_land_index_find(eg_quantity_info(back->rule->quantity)->name);
    back->now_ms = call->state.now_ms;
    back->from_ms = from_ms;
    back->to_ms = to_ms < back->now_ms ? to_ms : back->now_ms; /* what is not over has no index */
    eg_zone_day(from_ms, &start_ms, &end_ms);
    back->back_ms = start_ms - EG_HOUR_MS * (back->group == EG_INDEX_AIR ? EG_AIR_HOURS + EG_PACE_BACK
                                                                         : eg_land_hours(back->land));
    back->first = (start_ms - (back->group == EG_INDEX_AIR ? EG_AIR_HOURS * EG_HOUR_MS : 0)) / EG_HOUR_MS;
    back->end = back->to_ms / EG_HOUR_MS + 1;
    back->end = back->end > back->first ? back->end : back->first + 1;
    back->series_count = eg_pipeline_series_count(call->desk->pipeline) + 1;
    return gather(call, conf, back);
}

void eg_indexback_destroy(struct eg_indexback *back)
{
    if (!back)
        return;
    for (size_t i = 0; i < back->source_count; i++)
        free(back->sources[i].values);
    for (size_t i = 0; i < back->place_count; i++) {
        free(back->places[i].means);
        free(back->places[i].columns);
    }
    free(back->sources);
    free(back->by_series);
    free(back->places);
    free(back);
}

int64_t eg_indexback_from(const struct eg_indexback *back)
{
    return back->back_ms;
}

bool eg_indexback_wants(const struct eg_indexback *back, uint32_t series)
{
    return series < back->series_count && back->by_series[series];
}

size_t eg_indexback_series(const struct eg_indexback *back)
{
    return back->source_count;
}

/* --- feeding --- */

/* An hour of the series is whole. */
static void keep_hour(struct eg_indexback *back)
{
    struct source *source = back->filling;
    const int64_t hour = back->hour.start_ms / EG_HOUR_MS;
    if (!source || !back->hour.count || back->hour.end_ms > back->to_ms)
        return;
    if (back->group != EG_INDEX_AIR) {
        if (source->part != EG_PART_EC || !back->plain)
            eg_part_fill_hour(&back->fill, hour, back->hour.max, back->hour.last);
        return;
    }
    const size_t hours = (size_t)(back->end - back->first), at = (size_t)(hour - back->first);
    const int64_t interval_ms = eg_pace_hour(&source->pace, &back->hour);
    if (hour >= back->first && hour < back->end &&
        eg_rollup_valid(&back->hour, EG_PERIOD_HOUR, interval_ms, &back->validity))
        eg_air_mean_add(&back->places[source->place].means[(size_t)source->pollutant * hours + at],
                        eg_nano_of(back->hour.sum / (double)back->hour.count));
}

static void end_series(struct eg_indexback *back)
{
    keep_hour(back);
    if (back->filling && back->group != EG_INDEX_AIR)
        eg_part_fill_end(&back->fill);
    back->filling = NULL;
    back->hour = (struct eg_rollup){0};
}

void eg_indexback_feed(struct eg_indexback *back, uint32_t series, const struct eg_point *point)
{
    if (!eg_indexback_wants(back, series))
        return;
    struct source *source = &back->sources[back->by_series[series] - 1];
    if (source != back->filling) {
        end_series(back);
        back->filling = source;
        if (back->group != EG_INDEX_AIR) {
            eg_part_fill_begin(&back->fill, source->part, back->first, back->end, source->values);
            back->fill.until = source->until;
        }
    }
    if (point->flags & EG_FLAGS_SET_ASIDE)
        return;
    if (point->time_ms >= back->hour.end_ms) {
        keep_hour(back);
        eg_rollup_start(&back->hour, EG_PERIOD_HOUR, point->time_ms);
    }
    eg_rollup_add(&back->hour, EG_PERIOD_HOUR, source->scale, point->time_ms, point->value);
    back->plain = !(point->flags & EG_FLAG_CALIBRATED);
}

/* --- telling --- */

/* One site, hour by hour or day by day. */
struct run {
    struct eg_indexback *back;
    const struct place *place;
    struct eg_siteback rule;
    struct eg_site_hours *air; /* of the hour at hand */
    char note[EG_INDEXBACK_NOTE];
    void (*each)(void *arg, uint32_t site, const struct eg_episode *episode, const char *note);
    void *arg;
};

static void take_air(const struct run *run, int64_t end_ms)
{
    const struct eg_indexback *back = run->back;
    const size_t hours = (size_t)(back->end - back->first);
    run->air->rule = back->rule;
    run->air->end_ms = end_ms;
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int64_t ago = 0; ago < EG_AIR_HOURS; ago++) {
            int64_t hour = end_ms / EG_HOUR_MS - 1 - ago - back->first;
            run->air->air.nano[pollutant][ago] =
                hour >= 0 && hour < (int64_t)hours
                    ? eg_air_mean_tell(&run->place->means[(size_t)pollutant * hours + (size_t)hour])
                    : EG_NANO_NONE;
        }
}

/* The index of [start, end); what it came of, where an episode may begin with it. */
static bool tell_index(struct run *run, int64_t start_ms, int64_t end_ms, double *ret_value, char *note)
{
    const struct eg_indexback *back = run->back;
    const struct place *place = run->place;
    struct eg_land_state state;
    if (back->group == EG_INDEX_AIR) {
        take_air(run, end_ms);
        if (!eg_sitelook_value(run->air, end_ms, ret_value))
            return false;
        eg_sitelook_note(run->air, end_ms, note, EG_INDEXBACK_NOTE);
        return true;
    }
    size_t from = (size_t)(start_ms / EG_HOUR_MS - back->first),
           end = (size_t)(end_ms / EG_HOUR_MS - back->first);
    if (!(eg_siteindex_of_days(back->rule)
              ? eg_land_tell_day(back->land, place->columns, place->column_count, from, end, &state)
              : eg_land_tell_hour(back->land, place->columns, place->column_count, end - 1, &state)))
        return false;
    *ret_value = state.value;
    eg_land_note(&state, note, EG_INDEXBACK_NOTE);
    return true;
}

static void tell_place(struct run *run)
{
    const struct eg_indexback *back = run->back;
    const bool days = eg_siteindex_of_days(back->rule);
    struct eg_episode episode;
    char note[EG_INDEXBACK_NOTE];
    int64_t start_ms, end_ms;
    double value;
    for (int64_t at = back->from_ms; at < back->to_ms; at = end_ms) {
        days ? eg_zone_day(at, &start_ms, &end_ms) : eg_zone_hour(at, &start_ms, &end_ms);
        if (end_ms > back->to_ms)
            break;
        if (!tell_index(run, start_ms, end_ms, &value, note))
            continue;
        const bool held = run->rule.state.level != EG_LEVEL_NONE;
        if (eg_siteback_feed(&run->rule, end_ms, value, &episode))
            run->each(run->arg, run->place->site, &episode, run->note);
        else if (!held && run->rule.state.level != EG_LEVEL_NONE)
            memcpy(run->note, note, sizeof note);
    }
    if (eg_siteback_last(&run->rule, &episode))
        run->each(run->arg, run->place->site, &episode, run->note);
}

bool eg_indexback_tell(struct eg_indexback *back,
                       void (*each)(void *arg, uint32_t site, const struct eg_episode *episode,
                                    const char *note),
                       void *arg)
{
    struct run run = {.back = back, .air = calloc(1, sizeof *run.air), .each = each, .arg = arg};
    end_series(back);
    if (!run.air)
        return false;
    for (size_t i = 0; i < back->place_count; i++) {
        run.place = &back->places[i];
        *run.note = '\0';
        eg_siteback_begin(&run.rule, back->rule);
        tell_place(&run);
    }
    free(run.air);
    return true;
}
