/* What nobody acknowledges is said again: to who was told, by the same channel, as often as the channel asks for it. Each time the case is
 * looked at as it is: once it is acknowledged, over, or back to normal there is nothing to repeat, however old the reminder. Quiet hours
 * and the hours of the channel hold for it. Called by pipeline.c (ticks). */
#include <pipeline/state.h>
#include <base/zone.h>

#include <string.h>

#define STEPS 64
#define MINUTE_MS 60000

static int64_t minutes_on(int64_t at_ms, int minute, int to)
{
    return at_ms - at_ms % MINUTE_MS + (int64_t)((to - minute + 24 * 60 - 1) % (24 * 60) + 1) * MINUTE_MS;
}

int64_t eg_tell_when(const struct eg_conf_party *party, const struct eg_conf_route *route, unsigned level,
                     int64_t from_ms)
{
    int64_t at_ms = from_ms;
    for (int i = 0; i < STEPS; i++) {
        int weekday, minute = eg_zone_minute(at_ms, &weekday);
        bool any_hour = route->hours.from == route->hours.to;
        if (level != EG_LEVEL_CRITICAL && eg_conf_hours_hold(&party->quiet, minute))
            at_ms = minutes_on(at_ms, minute, party->quiet.to % (24 * 60));
        else if (!any_hour && !eg_conf_hours_hold(&route->hours, minute))
            at_ms = minutes_on(at_ms, minute, route->hours.from % (24 * 60));
        else if (!(route->days & 1u << weekday))
            at_ms = minutes_on(at_ms, minute, 0);
        else
            return at_ms;
    }
    return INT64_MAX;
}

static const struct eg_conf_route *route_of(const struct eg_pipeline *pipeline, const struct eg_told *told,
                                            const struct eg_conf_party **ret_party)
{
    const struct eg_conf *conf = pipeline->conf;
    const struct eg_conf_party *party = eg_conf_party_find(conf, told->party);
    char recipient[EG_RECIPIENT_TEXT];
    *ret_party = party;
    for (size_t i = 0; party && i < party->route_count; i++) {
        eg_tell_recipient(conf, party, &party->routes[i], recipient);
        if (!strcmp(conf->channels[party->routes[i].channel].id, told->channel) &&
            !strcmp(recipient, told->recipient))
            return &party->routes[i];
    }
    return NULL;
}

/* The first moment from `at_ms` on at which nothing holds it back and the hour is right. */
static int64_t allowed(const struct eg_pipeline *pipeline, const struct eg_conf_party *party,
                       const struct eg_conf_route *route, const struct eg_case *row, int64_t at_ms)
{
    struct eg_suppression held;
    for (int i = 0; i < STEPS; i++) {
        at_ms = eg_tell_when(party, route, row->level, at_ms);
        if (at_ms == INT64_MAX || !eg_pipeline_suppression(pipeline, row, at_ms, &held))
            break;
        at_ms = held.until_ms;
    }
    return at_ms;
}

/* When it is to be said again, as things stand; INT64_MAX: not at all. It may be long past: then as soon as it may be. */
static int64_t due(struct eg_pipeline *pipeline, const struct eg_told *told, int64_t now_ms)
{
    const struct eg_conf_party *party;
    const struct eg_case *row = told->case_number ? eg_case_find(pipeline, told->case_number) : NULL;
    if (!row || row->handling != EG_OPEN || row->condition == EG_CONDITION_OK)
        return INT64_MAX;
    const struct eg_conf_route *route = route_of(pipeline, told, &party);
    if (!route || !route->repeat_ms || row->level < route->repeat_level || row->level < route->level ||
        told->repeats >= (unsigned)route->repeat_most)
        return INT64_MAX;
    int64_t at_ms = told->at_ms + (row->faster ? route->repeat_ms / row->faster + 1 : route->repeat_ms);
    return allowed(pipeline, party, route, row, at_ms > now_ms ? at_ms : now_ms);
}

void eg_repeat_look_again(struct eg_pipeline *pipeline, uint32_t case_number)
{
    for (size_t i = case_number ? eg_told_first(pipeline, case_number) : 0;
         i < pipeline->told_count && (!case_number || pipeline->told[i].case_number == case_number); i++)
        pipeline->told[i].next_ms = 0;
    pipeline->wake_known = false;
}

int64_t eg_repeat_wake(struct eg_pipeline *pipeline)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < pipeline->told_count; i++) {
        struct eg_told *told = &pipeline->told[i];
        if (!told->next_ms)
            told->next_ms = due(pipeline, told, 0);
        if (told->next_ms < first)
            first = told->next_ms;
    }
    return first;
}

void eg_repeat_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    for (size_t i = 0; i < pipeline->told_count; i++) {
        struct eg_told *told = &pipeline->told[i];
        if (told->next_ms > now_ms)
            continue;
        told->next_ms = due(pipeline, told, now_ms); /* not as it was when the reminder was set */
        if (told->next_ms <= now_ms)
            eg_tell_again(pipeline, eg_case_find(pipeline, told->case_number), told, now_ms, batch);
    }
    pipeline->wake_known = false;
}
