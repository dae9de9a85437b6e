/* Series that rules at other series look at, too. Knows which they are, by device and site, and keeps the statistics that are asked of
 * them up to date; what a rule makes of them is circumstance.c's business. A statistic is that at the other's newest reading, so what a
 * rule sees at a time depends on the readings up to it, not on when they came: who has looked past a reading that comes now is judged
 * anew. Called by registry.c, series.c, judge.c, rejudge.c and pipeline.c. */
#include <pipeline/state.h>

#include <stdlib.h>
#include <string.h>

#define DEPENDENTS_MAX 100000
#define LOOKOUTS_MAX 1000

static struct eg_window_shape shape_of(const struct eg_conf_partner *partner)
{
    return (struct eg_window_shape){.width_ms = partner->window_ms,
                                    .calendar = partner->calendar,
                                    .statistic = partner->statistic,
                                    .share = partner->share};
}

static bool same_shape(const struct eg_window_shape *a, const struct eg_window_shape *b)
{
    return a->width_ms == b->width_ms && a->calendar == b->calendar && a->statistic == b->statistic &&
           !(a->share < b->share) && !(a->share > b->share);
}

/* --- who looks at whom --- */

/* The place of the lookout, or SIZE_MAX: no memory. */
static size_t take_lookout(struct eg_series *series, const struct eg_conf_partner *partner)
{
    const struct eg_window_shape shape = shape_of(partner);
    for (size_t i = 0; i < series->lookout_count; i++)
        if (same_shape(&series->lookouts[i].shape, &shape)) {
            if (series->lookouts[i].within_ms < partner->within_ms)
                series->lookouts[i].within_ms = partner->within_ms;
            return i;
        }
    struct eg_lookout *more = series->lookout_count < LOOKOUTS_MAX
                                  ? realloc(series->lookouts, (series->lookout_count + 1u) * sizeof *more)
                                  : NULL;
    if (!more)
        return SIZE_MAX;
    series->lookouts = more;
    struct eg_lookout *fresh = &more[series->lookout_count];
    *fresh = (struct eg_lookout){.shape = shape, .within_ms = partner->within_ms};
    if (partner->statistic != EG_STAT_LAST && !(fresh->window = eg_window_create(&shape)))
        return SIZE_MAX;
    return series->lookout_count++;
}

static bool add_dependent(struct eg_series *series, uint32_t dependent)
{
    for (size_t i = 0; i < series->dependent_count; i++)
        if (series->dependents[i] == dependent)
            return true;
    if (!eg_room_more((void **)&series->dependents, series->dependent_count, &series->dependent_capacity,
                      sizeof *series->dependents, DEPENDENTS_MAX))
        return false;
    series->dependents[series->dependent_count++] = dependent;
    return true;
}

static bool link(struct eg_series *series, struct eg_watch *watch, uint16_t slot,
                 const struct eg_conf_partner *partner, struct eg_series *other)
{
    if (watch->link_count == EG_LINKS_MAX)
        return true; /* one more at a site than are looked at */
    size_t lookout = take_lookout(other, partner);
    struct eg_link *links =
        lookout == SIZE_MAX ? NULL : realloc(watch->links, (watch->link_count + 1u) * sizeof *links);
    if (!links)
        return false;
    watch->links = links;
    links[watch->link_count++] =
        (struct eg_link){.series = other->id,
                         .partner = slot,
                         .lookout = (uint16_t)lookout,
                         .same_channel = !partner->of_site && !strcmp(series->channel, other->channel)};
    return add_dependent(other, series->id);
}

/* Each rule at `series` that would look at `other` does. */
static bool link_both(struct eg_pipeline *pipeline, struct eg_series *series, struct eg_series *other)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1],
                           *others = &pipeline->devices[other->device - 1];
    bool ok = true;
    for (size_t w = 0; w < series->watch_count; w++) {
        const struct eg_conf_rule *rule = &pipeline->conf->rules[series->watches[w].rule];
        for (uint16_t i = 0; i < rule->partner_count; i++) {
            const struct eg_conf_partner *partner = &rule->partners[i];
            bool there = partner->of_site ? device->site == others->site : device == others;
            if (there && partner->quantity == other->quantity)
                ok = link(series, &series->watches[w], i, partner, other) && ok;
        }
    }
    return ok;
}

static bool wants_any(const struct eg_pipeline *pipeline, const struct eg_series *series)
{
    for (size_t w = 0; w < series->watch_count; w++)
        if (pipeline->conf->rules[series->watches[w].rule].partner_count)
            return true;
    return false;
}

/* With all series of the device, or of the site's devices where some rule looks there. `both`: they with it, too. */
static bool link_around(struct eg_pipeline *pipeline, struct eg_series *series, bool both)
{
    const struct eg_device *own = &pipeline->devices[series->device - 1];
    size_t first = pipeline->conf->looks_around ? 0 : series->device - 1,
           behind = pipeline->conf->looks_around ? pipeline->device_count : series->device;
    bool ok = true;
    series->waits = wants_any(pipeline, series);
    for (size_t d = first; d < behind; d++) {
        const struct eg_device *device = &pipeline->devices[d];
        if (device->site != own->site)
            continue;
        for (size_t i = 0; i < device->series_count; i++) {
            struct eg_series *other = pipeline->series[device->series[i] - 1];
            ok = (!series->waits || link_both(pipeline, series, other)) && ok;
            if (both && other != series && other->waits)
                ok = link_both(pipeline, other, series) && ok;
        }
    }
    return ok;
}

bool eg_partner_bind(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_batch *batch)
{
    bool ok = link_around(pipeline, series, true);
    for (size_t w = 0; w < series->watch_count; w++)
        for (size_t i = 0; i < series->watches[w].link_count; i++) {
            struct eg_series *other = pipeline->series[series->watches[w].links[i].series - 1];
            if (batch && other->has_last) /* of a start, the readings are still to come */
                ok = eg_partner_refill(pipeline, other, batch) && ok;
        }
    return ok;
}

void eg_partner_unbind(struct eg_series *series)
{
    for (size_t i = 0; i < series->lookout_count; i++)
        eg_window_destroy(series->lookouts[i].window);
    free(series->lookouts);
    free(series->dependents);
    series->lookouts = NULL;
    series->dependents = NULL;
    series->lookout_count = 0;
    series->dependent_count = series->dependent_capacity = 0;
}

bool eg_partner_bind_all(struct eg_pipeline *pipeline)
{
    static const struct eg_batch nothing;
    bool ok = true;
    for (size_t i = 0; i < pipeline->series_count; i++)
        eg_partner_unbind(pipeline->series[i]);
    for (size_t i = 0; i < pipeline->series_count; i++)
        ok = link_around(pipeline, pipeline->series[i], false) && ok;
    for (size_t i = 0; i < pipeline->series_count; i++)
        if (pipeline->series[i]->lookout_count)
            ok = eg_partner_refill(pipeline, pipeline->series[i], &nothing) && ok;
    return ok;
}

/* --- what they show --- */

int64_t eg_partner_since(const struct eg_series *series)
{
    int64_t since = INT64_MAX;
    for (size_t i = 0; i < series->lookout_count; i++) {
        const struct eg_lookout *lookout = &series->lookouts[i];
        int64_t back = lookout->shape.width_ms; /* and where the newest is not judged, one before it counts */
        if (series->last_flags & EG_FLAGS_UNJUDGED)
            back += lookout->within_ms;
        if (series->last_ms - back < since)
            since = series->last_ms - back;
    }
    return since;
}

bool eg_partner_refill(struct eg_pipeline *pipeline, struct eg_series *series, const struct eg_batch *batch)
{
    struct eg_gather gather = {0};
    int64_t width_ms = 0;
    if (!series->has_last)
        return true;
    for (size_t i = 0; i < series->lookout_count; i++) {
        struct eg_lookout *lookout = &series->lookouts[i];
        width_ms = lookout->shape.width_ms > width_ms ? lookout->shape.width_ms : width_ms;
        if (lookout->window)
            eg_window_clear(lookout->window);
    }
    bool ok = eg_gather_back(pipeline, series, series->last_ms, series->last_ms + 1, EG_RHYTHM_READINGS,
                             width_ms, batch, &gather);
    series->rhythm = (struct eg_rhythm){.whole = true};
    for (size_t r = 0; ok && r < gather.count; r++) {
        const struct eg_gathered *row = &gather.rows[r];
        if (row->flags & EG_FLAGS_UNJUDGED)
            continue;
        eg_rhythm_add(&series->rhythm, row->time_ms);
        series->judged_value = row->value;
        for (size_t i = 0; ok && i < series->lookout_count; i++)
            ok = !series->lookouts[i].window ||
                 eg_window_add(series->lookouts[i].window, row->time_ms, row->value, 0);
    }
    eg_gather_finish(&gather);
    return ok;
}

void eg_partner_tell(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t time_ms,
                     struct eg_batch *batch)
{
    for (size_t i = 0; i < series->dependent_count; i++) {
        struct eg_series *other = pipeline->series[series->dependents[i] - 1];
        int64_t judged_ms = other->deferred ? other->deferred_before_ms : other->last_ms;
        if (other->has_last && judged_ms != EG_TIME_NONE && judged_ms >= time_ms)
            eg_rejudge_mark(pipeline, other, time_ms, batch);
    }
}

bool eg_partner_level(const struct eg_pipeline *pipeline, const struct eg_series *series,
                      const struct eg_watch *watch)
{
    for (size_t i = 0; i < watch->link_count; i++) {
        const struct eg_series *other = pipeline->series[watch->links[i].series - 1];
        if (other->unsettled || eg_rhythm_newest(&other->rhythm) > series->last_ms)
            return false;
    }
    return true;
}

size_t eg_partner_sights(const struct eg_pipeline *pipeline, const struct eg_watch *watch,
                         struct eg_sight ret_sights[EG_LINKS_MAX])
{
    for (size_t i = 0; i < watch->link_count; i++) {
        const struct eg_link *one = &watch->links[i];
        const struct eg_series *other = pipeline->series[one->series - 1];
        const struct eg_lookout *lookout = &other->lookouts[one->lookout];
        struct eg_sight *sight = &ret_sights[i];
        *sight = (struct eg_sight){.partner = one->partner,
                                   .series = one->series,
                                   .same_channel = one->same_channel,
                                   .measured = other->rhythm.count > 0,
                                   .ms = eg_rhythm_newest(&other->rhythm),
                                   .value = other->judged_value};
        sight->known =
            sight->measured &&
            (!lookout->window || eg_window_value(lookout->window, lookout->shape.statistic, &sight->value));
    }
    return watch->link_count;
}

struct eg_place eg_partner_place(const struct eg_pipeline *pipeline, const struct eg_series *series)
{
    const struct eg_device *device = &pipeline->devices[series->device - 1];
    return (struct eg_place){.conf = pipeline->conf,
                             .site = device->site,
                             .land_use = device->described ? device->described->land_use : "",
                             .device = device->name,
                             .channel = series->channel};
}
