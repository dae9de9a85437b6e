/* Knows how to look at the present (the pipeline's memory) and at a past moment (the store) in the same way. Refuses to know what is made
 * of it. Called by m_summary.c and indices.c. A series of the past costs the readings of its day and 48 hours' buckets, once; one of a
 * laboratory's values the buckets of a year. */
#include <api/asof.h>
#include <api/methods.h>
#include <base/zone.h>
#include <index/land.h>
#include <index/nano.h>
#include <pipeline/hours.h>
#include <pipeline/pace.h>
#include <pipeline/rollup.h>

#include <stdlib.h>
#include <string.h>

struct seen {
    struct eg_series_view view;
    bool heard; /* has_last, or anything before the two days that are looked at */
    int64_t hours_end_ms;
    int64_t nano[EG_AIR_HOURS];
};

int eg_asof_init(struct eg_asof *asof, struct eg_call *call, int64_t at_ms)
{
    *asof = (struct eg_asof){.call = call, .past = at_ms != EG_TIME_NONE, .at_ms = at_ms};
    if (!asof->past) {
        asof->at_ms = call->state.now_ms;
        return 0;
    }
    if (!call->desk->reader)
        return eg_call_no_store(call);
    asof->series = calloc(eg_pipeline_series_count(call->desk->pipeline) + 1, sizeof *asof->series);
    return asof->series ? 0 : eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory to look back with.");
}

void eg_asof_finish(struct eg_asof *asof)
{
    size_t count = asof->series ? eg_pipeline_series_count(asof->call->desk->pipeline) : 0;
    for (size_t id = 1; id <= count; id++)
        free(asof->series[id]);
    free(asof->series);
}

/* --- one series of the past --- */

struct look {
    struct seen *seen;
    struct eg_daymean day_hours;
    double scale;
    int64_t at_ms;
    struct eg_pace pace;
    const struct eg_conf_validity *validity;
};

static bool take_point(void *arg, const struct eg_point *point)
{
    struct look *look = arg;
    struct eg_series_view *view = &look->seen->view;
    view->has_last = true;
    view->last_ms = point->time_ms;
    view->last_value = point->value;
    view->last_flags = point->flags;
    if (point->time_ms >= view->hour.start_ms)
        eg_doubts_count(&view->hour_doubts, point->flags);
    eg_doubts_count(&view->day_doubts, point->flags);
    if (point->flags & EG_FLAGS_SET_ASIDE)
        return true;
    if (point->time_ms >= view->hour.start_ms)
        eg_rollup_add(&view->hour, EG_PERIOD_HOUR, look->scale, point->time_ms, point->value);
    eg_rollup_add(&view->day, EG_PERIOD_DAY, look->scale, point->time_ms, point->value);
    return true;
}

static bool take_hour(void *arg, const struct eg_rollup *hour)
{
    struct look *look = arg;
    struct seen *seen = look->seen;
    const int64_t interval_ms = eg_pace_hour(&look->pace, hour);
    if (hour->end_ms > look->at_ms)
        return true;
    if (hour->start_ms >= seen->view.day.start_ms) {
        eg_daymean_add(&look->day_hours, hour);
        eg_dayknown_add(&seen->view.day_known, hour, interval_ms, hour->end_ms, look->validity);
    }
    if (!seen->view.has_last && hour->count) { /* nothing that day: the newest of those before */
        seen->view.last_ms = hour->last_ms;
        seen->view.last_value = hour->last;
        seen->view.last_flags = 0; /* not known of a bucket: what is set aside is in none */
        seen->heard = true;
    }
    int64_t back = (seen->hours_end_ms - hour->end_ms) / EG_HOUR_MS;
    if (back >= 0 && back < EG_AIR_HOURS && eg_hours_pollutant(seen->view.quantity) != EG_POLLUTANTS &&
        eg_rollup_valid(hour, EG_PERIOD_HOUR, interval_ms, look->validity))
        seen->nano[back] = eg_nano_of(hour->sum / (double)hour->count);
    return true;
}

/* A laboratory's value speaks for a year: the newest of the hours before the day. */
static bool take_sample(void *arg, const struct eg_rollup *hour)
{
    struct seen *seen = arg;
    if (!hour->count)
        return true;
    seen->view.last_ms = hour->last_ms;
    seen->view.last_value = hour->last;
    seen->view.last_flags = 0;
    seen->heard = true;
    return true;
}

static bool any_day(void *arg, const struct eg_rollup *day)
{
    *(bool *)arg |= day->count > 0;
    return false;
}

/* 0, or a code in asof. */
static int look_back(struct eg_asof *asof, struct seen *seen, const struct eg_device_view *device)
{
    struct eg_reader *reader = asof->call->desk->reader;
    struct look look = {.seen = seen,
                        .scale = eg_rollup_scale(seen->view.quantity),
                        .at_ms = asof->at_ms,
                        .validity = &asof->call->desk->conf->validity};
    struct eg_err err = {0};
    int64_t end_ms, at = asof->at_ms;
    struct eg_series_view *view = &seen->view;
    const struct eg_rollup open = view->hour; /* nothing has come since: it is in no table yet */
    eg_rollup_start(&view->hour, EG_PERIOD_HOUR, at);
    eg_rollup_start(&view->day, EG_PERIOD_DAY, at);
    view->hour_doubts = view->day_doubts = (struct eg_doubts){0};
    view->day_known = (struct eg_dayknown){0};
    view->has_last = false;
    eg_zone_hour(at, &seen->hours_end_ms, &end_ms);
    for (int back = 0; back < EG_AIR_HOURS; back++)
        seen->nano[back] = EG_NANO_NONE;
    int code = eg_reader_points(reader, view->id, view->day.start_ms, at + 1, take_point, &look, &err);
    if (code >= 0)
        code = eg_reader_rollups(reader, view->id, EG_PERIOD_HOUR,
                                 seen->hours_end_ms - EG_AIR_HOURS * EG_HOUR_MS - EG_PACE_BACK_MS,
                                 seen->hours_end_ms, take_hour, &look, &err);
    const int part = eg_part_find(device->domain, eg_quantity_info(view->quantity)->name);
    const bool sample = part < EG_PARTS && eg_part_hours(part) > EG_AIR_HOURS;
    const int64_t first_ms = seen->hours_end_ms - EG_AIR_HOURS * EG_HOUR_MS;
    if (code >= 0 && sample && !view->has_last && !seen->heard)
        code = eg_reader_rollups(reader, view->id, EG_PERIOD_HOUR, at - eg_part_hours(part) * EG_HOUR_MS,
                                 first_ms, take_sample, seen, &err);
    if (code >= 0 && open.count && open.start_ms < seen->hours_end_ms &&
        (sample || open.start_ms >= first_ms))
        take_hour(&look, &open);
    view->hour_interval_ms = eg_pace_hour(&look.pace, &view->hour);
    eg_daymean_add(&look.day_hours, &view->hour);
    view->day_mean = eg_daymean_of(&look.day_hours, view->day.sum, view->day.count);
    view->has_last |= seen->heard;
    seen->heard = view->has_last;
    if (code >= 0 && !seen->heard)
        code = eg_reader_rollups(reader, view->id, EG_PERIOD_DAY, 0, view->day.start_ms, any_day,
                                 &seen->heard, &err);
    return code < 0 ? eg_call_fail_err(asof->call, &err) : 0;
}

/* NULL: there is none, or it could not be looked at. */
static struct seen *see(struct eg_asof *asof, uint32_t id)
{
    const struct eg_pipeline *pipeline = asof->call->desk->pipeline;
    struct eg_series_view view;
    struct eg_device_view device;
    if (asof->code || !eg_pipeline_series(pipeline, id, &view) ||
        !eg_pipeline_device(pipeline, view.device, &device))
        return NULL;
    if (asof->series[id])
        return asof->series[id];
    if (++asof->looked_at > EG_ASOF_SERIES_MAX) {
        asof->code =
            eg_call_fail(asof->call, EG_RPC_PARAMS,
                         "A look back takes in %d series at the most; ask for one site or one domain.",
                         EG_ASOF_SERIES_MAX);
        return NULL;
    }
    struct seen *seen = calloc(1, sizeof *seen);
    if (!seen) {
        asof->code = eg_call_fail(asof->call, EG_RPC_INTERNAL, "There is no memory to look back with.");
        return NULL;
    }
    seen->view = view;
    asof->series[id] = seen;
    asof->code = look_back(asof, seen, &device);
    return asof->code ? NULL : seen;
}

/* --- the views --- */

bool eg_asof_device(struct eg_asof *asof, uint32_t id, struct eg_device_view *ret_view)
{
    const struct eg_pipeline *pipeline = asof->call->desk->pipeline;
    if (!eg_pipeline_device(pipeline, id, ret_view))
        return false;
    bool heard = false;
    if (!asof->past)
        return true;
    ret_view->last_seen_ms = 0;
    for (size_t i = 0; i < ret_view->series_count; i++) {
        const struct seen *seen = see(asof, eg_pipeline_device_series(pipeline, id, i));
        if (!seen)
            continue;
        heard |= seen->heard;
        if (seen->view.has_last && seen->view.last_ms > ret_view->last_seen_ms)
            ret_view->last_seen_ms = seen->view.last_ms;
    }
    return heard;
}

bool eg_asof_series(struct eg_asof *asof, uint32_t id, struct eg_series_view *ret_view)
{
    if (!asof->past)
        return eg_pipeline_series(asof->call->desk->pipeline, id, ret_view);
    const struct seen *seen = see(asof, id);
    if (!seen)
        return false;
    *ret_view = seen->view;
    return true;
}

void eg_asof_hours(struct eg_asof *asof, uint32_t id, int64_t end_ms, int64_t ret_nano[EG_AIR_HOURS])
{
    if (!asof->past) {
        eg_pipeline_hours(asof->call->desk->pipeline, id, end_ms, ret_nano);
        return;
    }
    const struct seen *seen = see(asof, id);
    for (int back = 0; back < EG_AIR_HOURS; back++)
        ret_nano[back] = seen ? seen->nano[back] : EG_NANO_NONE;
}

/* --- cases of the past: those that were open then, at the level that they had --- */

struct level_then {
    int64_t at_ms;
    enum eg_level level;
};

static bool take_event(void *arg, const struct eg_case_event *event)
{
    struct level_then *then = arg;
    bool tells = strcmp(event->kind, "opened") == 0 || strcmp(event->kind, "level") == 0;
    for (int level = EG_LEVEL_NOTICE; tells && event->at_ms <= then->at_ms && level < EG_LEVEL_COUNT; level++)
        if (strcmp(event->to, eg_level_name((enum eg_level)level)) == 0)
            then->level = (enum eg_level)level;
    return true;
}

struct case_look {
    struct eg_asof *asof;
    bool (*each)(void *arg, const struct eg_case *row, enum eg_level level);
    void *arg;
};

static bool take_case(void *arg, const struct eg_case *row)
{
    const struct case_look *look = arg;
    struct level_then then = {look->asof->at_ms, (enum eg_level)row->level};
    struct eg_err err = {0};
    if (row->kind == EG_CASE_DRILL)
        return true;
    if (row->opened_ms > then.at_ms || (row->closed_ms != EG_TIME_NONE && row->closed_ms <= then.at_ms))
        return true;
    if (eg_reader_case_events(look->asof->call->desk->reader, row->number, take_event, &then, &err) < 0) {
        look->asof->code = eg_call_fail_err(look->asof->call, &err);
        return false;
    }
    return look->each(look->arg, row, then.level);
}

void eg_asof_cases(struct eg_asof *asof, const char *domain,
                   bool (*each)(void *arg, const struct eg_case *row, enum eg_level level), void *arg)
{
    struct case_look look = {asof, each, arg};
    struct eg_case_query query = {.handling = -1,
                                  .condition = -1,
                                  .level = -1,
                                  .domain = domain,
                                  .since_ms = EG_TIME_NONE,
                                  .limit = EG_ASOF_CASES_MAX};
    struct eg_err err = {0};
    if (eg_reader_cases(asof->call->desk->reader, &query, take_case, &look, &err) < 0)
        asof->code = eg_call_fail_err(asof->call, &err);
}
