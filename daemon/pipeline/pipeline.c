/* The fold's front: makes and rebuilds the state, hands events to where they belong, lets the edges look. The files of this room in
 * reading order: batch, route, registry, message, calibration, quality, series, gather, review, rollup, window, rule, partner,
 * circumstance, rhythm, judge, rejudge, siteindex, case, tell. Called by turn.c, the store's load, and (views) the API. */
#include <pipeline/hours.h>
#include <pipeline/plots.h>
#include <pipeline/today.h>
#include <pipeline/due.h>
#include <pipeline/examine.h>
#include <pipeline/outage.h>
#include <pipeline/retire.h>
#include <pipeline/unheard.h>
#include <pipeline/state.h>

#include <stdlib.h>
#include <string.h>

static bool configure(struct eg_pipeline *pipeline, const struct eg_conf *conf)
{
    struct eg_route *route = eg_route_create(conf);
    uint64_t(*counts)[EG_VERDICT_COUNT] = calloc(conf->source_count ? conf->source_count : 1, sizeof *counts);
    struct eg_names *topics = eg_names_create((size_t)conf->max_devices * 2 + 16, 3);
    if (!route || !counts || !topics || !eg_outage_configure(pipeline, conf) ||
        !eg_rule_sort(pipeline, conf)) {
        eg_route_destroy(route);
        free(counts);
        eg_names_destroy(topics);
        return false;
    }
    eg_route_destroy(pipeline->route);
    free(pipeline->source_counts);
    eg_names_destroy(pipeline->topics);
    pipeline->route = route;
    pipeline->source_counts = counts;
    pipeline->topics = topics;
    pipeline->topic_count = 0;
    pipeline->conf = conf;
    memset(pipeline->opened, 0, sizeof pipeline->opened); /* of another time zone, perhaps */
    pipeline->rules_seen = pipeline->wake_known = false;
    eg_suppress_look_again(pipeline);
    pipeline->silent_wake_ms = pipeline->due_wake_ms = INT64_MIN;
    pipeline->examine_wake_ms = pipeline->examined_ms = INT64_MIN; /* anew, by what is asked now */
    return true;
}

struct eg_pipeline *eg_pipeline_create(const struct eg_conf *conf, const struct eg_past *past)
{
    struct eg_pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline)
        return NULL;
    if (past)
        pipeline->past = *past;
    pipeline->hearing_ms = INT64_MIN;
    pipeline->device_names = eg_names_create(1000000, 5);
    pipeline->idents = calloc(65536, sizeof *pipeline->idents);
    pipeline->sink = calloc(1, sizeof *pipeline->sink);
    pipeline->memory = eg_memory_create();
    if (!pipeline->device_names || !pipeline->idents || !pipeline->sink || !pipeline->memory ||
        !configure(pipeline, conf) || !eg_siteindex_bind_all(pipeline, NULL)) {
        eg_pipeline_destroy(pipeline);
        return NULL;
    }
    return pipeline;
}

void eg_pipeline_destroy(struct eg_pipeline *pipeline)
{
    if (!pipeline)
        return;
    for (size_t i = 0; i < pipeline->series_count; i++) {
        eg_rule_unbind(pipeline->series[i]);
        eg_partner_unbind(pipeline->series[i]);
        free(pipeline->series[i]->hours);
        free(pipeline->series[i]->plots);
        free(pipeline->series[i]->today);
        free(pipeline->series[i]->finding);
        free(pipeline->series[i]->steps);
        free(pipeline->series[i]);
    }
    for (size_t i = 0; i < pipeline->device_count; i++) {
        struct eg_device *device = &pipeline->devices[i];
        free(device->site_id);
        free(device->domain);
        free(device->name);
        free(device->series);
        free(device->fault);
        eg_retire_finish(device);
    }
    for (size_t i = 0; i < pipeline->case_count; i++)
        free(pipeline->cases[i]);
    for (size_t i = 0; i < pipeline->lost_count; i++)
        free(pipeline->lost[i].rule);
    eg_doubt_finish(&pipeline->doubt);
    eg_told_finish(pipeline);
    eg_suppress_finish(pipeline);
    free(pipeline->tallies);
    free(pipeline->series);
    free(pipeline->devices);
    free(pipeline->cases);
    free(pipeline->lost);
    free(pipeline->unsettled);
    free(pipeline->unreviewed);
    free(pipeline->deferred);
    eg_siteindex_finish(pipeline);
    free(pipeline->rules);
    free(pipeline->topic_rows);
    free(pipeline->idents);
    free(pipeline->sink);
    eg_memory_destroy(pipeline->memory);
    free(pipeline->source_counts);
    eg_route_destroy(pipeline->route);
    eg_names_destroy(pipeline->topics);
    eg_names_destroy(pipeline->device_names);
    free(pipeline);
}

int eg_pipeline_begin_anew(struct eg_pipeline *pipeline, struct eg_err *err)
{
    struct eg_pipeline *fresh = eg_pipeline_create(pipeline->conf, &pipeline->past), was = *pipeline;
    if (!fresh)
        return eg_err_set(err, EG_ENOMEM, "no memory to begin anew from the store");
    *pipeline = *fresh;
    *fresh = was;
    /* What no store holds stays. */
    fresh->memory = pipeline->memory;
    fresh->source_counts = pipeline->source_counts;
    pipeline->memory = was.memory;
    pipeline->source_counts = was.source_counts;
    pipeline->deaf = was.deaf;
    pipeline->hearing_ms = was.hearing_ms;
    pipeline->turn = was.turn;
    eg_pipeline_destroy(fresh);
    return EG_OK;
}

int eg_pipeline_configure(struct eg_pipeline *pipeline, const struct eg_conf *conf, struct eg_err *err)
{
    const struct eg_conf *old = pipeline->conf;
    if (!configure(pipeline, conf))
        return eg_err_set(err, EG_ENOMEM, "no memory for the new configuration; the old one goes on");
    eg_registry_bind(pipeline);
    bool ok = eg_siteindex_bind_all(pipeline, old);
    for (size_t i = 0; i < pipeline->series_count; i++) {
        struct eg_series *series = pipeline->series[i];
        ok = eg_rule_bind(pipeline, series, old) && ok;
        eg_series_fill_windows(pipeline, series);
    }
    ok = eg_partner_bind_all(pipeline) && ok;
    for (size_t i = 0; i < pipeline->case_count; i++)
        eg_judge_recall_last(pipeline, pipeline->cases[i]);
    return ok ? EG_OK : eg_err_set(err, EG_ENOMEM, "no memory for the rules of the new configuration");
}

void eg_pipeline_event(struct eg_pipeline *pipeline, const struct eg_event *event, struct eg_batch *batch)
{
    if (!batch->events)
        pipeline->turn++;
    batch->events++;
    batch->now_ms = event->now_ms;
    switch (event->kind) {
    case EG_EVENT_MESSAGE:
        eg_message_take(pipeline, &event->message, batch);
        break;
    case EG_EVENT_COMMAND:
        eg_pipeline_settle(pipeline, batch); /* people act on what is known */
        if (!strcmp(event->command.verb, "test-notification"))
            eg_trial_take(pipeline, &event->command, event->now_ms, batch);
        else if (!strcmp(event->command.verb, "silence") || !strcmp(event->command.verb, "unsilence"))
            eg_silence_take(pipeline, &event->command, event->now_ms, batch);
        else if (!strcmp(event->command.verb, "retire") || !strcmp(event->command.verb, "restore"))
            eg_retire_take(pipeline, &event->command, event->now_ms, batch);
        else
            eg_command_take(pipeline, &event->command, event->now_ms, batch);
        break;
    case EG_EVENT_DELIVERY:
        eg_deliver_take(pipeline, &event->delivery, event->now_ms, batch);
        break;
    case EG_EVENT_IMPORT:
        eg_import_take(pipeline, &event->import, event->now_ms, batch);
        break;
    case EG_EVENT_RETRY:
        eg_retry_take(pipeline, &event->retry, event->now_ms, batch);
        break;
    case EG_EVENT_REPORT:
        eg_pipeline_settle(pipeline, batch);
        eg_report_answer(pipeline, &event->report, event->now_ms, batch);
        break;
    case EG_EVENT_TICK:
        eg_pipeline_settle(pipeline, batch);
        if (pipeline->doubt.on)
            break;
        eg_unheard_tick(pipeline, event->now_ms, batch);
        eg_due_tick(pipeline, event->now_ms, batch);
        eg_examine_tick(pipeline, event->now_ms, batch);
        eg_siteindex_tick(pipeline, event->now_ms);
        eg_silence_tick(pipeline, event->now_ms, batch);
        eg_suppress_tick(pipeline, event->now_ms, batch);
        eg_deadline_tick(pipeline, event->now_ms, batch);
        eg_repeat_tick(pipeline, event->now_ms, batch);
        eg_digest_tick(pipeline, event->now_ms, batch);
        break;
    case EG_EVENT_LINK:
        eg_unheard_link(pipeline, event->link_up, event->now_ms);
        break;
    case EG_EVENT_CLOCK:
        eg_pipeline_settle(pipeline, batch);
        eg_doubt_take(pipeline, &event->clock, event->now_ms, batch);
        break;
    }
    eg_judge_deferred(pipeline, event->now_ms, batch);
    if (pipeline->index_touched && !pipeline->unreviewed_count) /* else with the turn, when these are */
        eg_siteindex_judge(pipeline, event->now_ms, false, batch);
    batch->counters = pipeline->counters;
}

/* --- rebuilding --- */

void eg_pipeline_restore_counters(struct eg_pipeline *pipeline, const struct eg_counters *counters)
{
    pipeline->counters = *counters;
}

int eg_pipeline_restore_last(struct eg_pipeline *pipeline, uint32_t series, int64_t time_ms, double value,
                             uint16_t flags)
{
    struct eg_series *row = eg_registry_series(pipeline, series);
    if (!row)
        return EG_ECORRUPT;
    row->has_last = true;
    row->last_ms = time_ms;
    row->last_value = value;
    row->last_flags = flags;
    row->rhythm = (struct eg_rhythm){0};
    for (size_t i = 0; i < row->watch_count; i++) /* so it is where nothing is known of a rule */
        eg_judge_begin(row, &row->watches[i]);
    struct eg_device *device = &pipeline->devices[row->device - 1];
    if (!(flags & (EG_FLAG_RETAINED | EG_FLAG_IMPORTED | EG_FLAG_MANUAL)) && time_ms > device->last_seen_ms)
        device->last_seen_ms = time_ms;
    return EG_OK;
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

int64_t eg_pipeline_restore_since(const struct eg_pipeline *pipeline, uint32_t series)
{
    const struct eg_series *row =
        series && series <= pipeline->series_count ? pipeline->series[series - 1] : NULL;
    if (!row || !row->has_last)
        return INT64_MAX;
    struct eg_rollup day;
    eg_rollup_start(&day, EG_PERIOD_DAY, row->last_ms);
    int64_t since =
        earlier(earlier(eg_hours_since(row), day.start_ms),
                earlier(eg_plots_since(row), earlier(eg_quality_since(row), eg_partner_since(row))));
    for (size_t i = 0; i < row->watch_count; i++) {
        const int64_t reach_ms = pipeline->conf->rules[row->watches[i].rule].window_ms + EG_RHYTHM_BACK_MS;
        since = row->watches[i].window ? earlier(since, row->last_ms - reach_ms) : since;
    }
    return since;
}

void eg_pipeline_restore_reading(struct eg_pipeline *pipeline, uint32_t series, int64_t time_ms, double value,
                                 uint16_t flags)
{
    struct eg_series *row = eg_registry_series(pipeline, series);
    if (row)
        eg_series_refill(pipeline, row, time_ms, value, flags);
}

int eg_pipeline_restore_case(struct eg_pipeline *pipeline, const struct eg_case *row, struct eg_err *err)
{
    if (!row->number || row->quantity > EG_QUANTITY_COUNT || row->handling >= EG_HANDLING_COUNT ||
        row->level >= EG_LEVEL_COUNT || row->condition >= EG_CONDITION_COUNT ||
        row->kind >= EG_CASE_KIND_COUNT ||
        (row->kind == EG_CASE_BREACH && row->quantity == EG_QUANTITY_COUNT))
        return eg_err_set(err, EG_ECORRUPT, "case %u (%s) holds values nobody wrote", row->number, row->id);
    if (!eg_case_add(pipeline, row))
        return eg_err_set(err, EG_ENOMEM, "case %s could not be taken: at most %d are open at a time",
                          row->id, EG_CASES_MAX);
    if (row->kind == EG_CASE_BREACH && !row->series)
        eg_siteindex_recall(pipeline, row, NULL);
    eg_judge_recall_last(pipeline, eg_case_find(pipeline, row->number));
    return EG_OK;
}

int eg_pipeline_restore_told(struct eg_pipeline *pipeline, const struct eg_row_told *row, struct eg_err *err)
{
    return eg_told_note(pipeline, row, NULL) ? EG_OK
                                             : eg_err_set(err, EG_ENOMEM, "no memory for who was told");
}

int eg_pipeline_restore_silence(struct eg_pipeline *pipeline, const struct eg_silence *row,
                                struct eg_err *err)
{
    if (!row->id || row->matcher.level >= EG_LEVEL_COUNT || row->matcher.quantity >= EG_QUANTITY_COUNT)
        return eg_err_set(err, EG_ECORRUPT, "silence %u holds values nobody wrote", row->id);
    return eg_silence_restore(pipeline, row) ? EG_OK : eg_err_set(err, EG_ENOMEM, "no memory for silences");
}

int eg_pipeline_restore_suppressed(struct eg_pipeline *pipeline, const struct eg_row_suppressed *row,
                                   struct eg_err *err)
{
    return eg_suppress_restore(pipeline, row)
               ? EG_OK
               : eg_err_set(err, EG_ENOMEM, "no memory for the notices that are held back");
}

int eg_pipeline_restore_change(struct eg_pipeline *pipeline, uint32_t case_number, int64_t known_ms,
                               int64_t at_ms)
{
    return eg_suppress_note_change(pipeline, case_number, known_ms, at_ms) ? EG_OK : EG_ENOMEM;
}

void eg_pipeline_restore_doubt(struct eg_pipeline *pipeline, int64_t since_ms, uint32_t known)
{
    eg_doubt_finish(&pipeline->doubt);
    pipeline->doubt = (struct eg_clock_doubt){.on = true, .since_ms = since_ms, .known = known};
}

void eg_pipeline_restore_ident(struct eg_pipeline *pipeline, uint16_t mid, uint32_t hash)
{
    pipeline->idents[mid] = hash;
}

void eg_pipeline_restore_ids(struct eg_pipeline *pipeline, uint32_t last_case, int64_t last_outbox)
{
    pipeline->last_case = last_case;
    pipeline->last_outbox = last_outbox;
}

/* --- views --- */

const struct eg_counters *eg_pipeline_counters(const struct eg_pipeline *pipeline)
{
    return &pipeline->counters;
}

size_t eg_pipeline_device_count(const struct eg_pipeline *pipeline)
{
    return pipeline->device_count;
}

/* It has never been heard, and all that is known of it people have measured. */
static bool is_by_hand(const struct eg_pipeline *pipeline, const struct eg_device *device)
{
    bool manual = device->last_seen_ms == EG_TIME_NONE && device->series_count;
    for (size_t i = 0; i < device->series_count && manual; i++) {
        const struct eg_series *series = pipeline->series[device->series[i] - 1];
        manual = series->has_last && (series->last_flags & EG_FLAG_MANUAL);
    }
    return manual;
}

bool eg_pipeline_device(const struct eg_pipeline *pipeline, uint32_t id, struct eg_device_view *ret_view)
{
    if (!id || id > pipeline->device_count)
        return false;
    const struct eg_device *device = &pipeline->devices[id - 1];
    *ret_view = (struct eg_device_view){
        .id = id,
        .conf_site = device->site,
        .site = device->site_id,
        .domain = device->domain,
        .device = device->name,
        .name = device->described && device->described->name ? device->described->name : device->name,
        .land_use = device->described ? device->described->land_use : "",
        .last_seen_ms = device->last_seen_ms,
        .interval_ms = device->interval_ms,
        .silent_after_ms = eg_unheard_after(pipeline, device),
        .series_count = device->series_count,
        .faults = device->faults,
        .described = device->described,
        .gone = device->gone,
        .by_hand = is_by_hand(pipeline, device),
        .retired = eg_registry_retired(device),
        .retired_ms = device->retired_ms,
        .retired_heard_ms = device->retired_heard_ms,
        .retired_by = device->retired_by,
        .retired_note = device->retired_note,
        .heard = device->frames.heard,
        .lost = device->frames.lost,
        .repeated = device->frames.repeated,
        .restarts = device->reboots > device->frames.restarts ? device->reboots : device->frames.restarts,
        .fault = device->fault,
        .fault_ms = device->fault_ms,
    };
    return true;
}

uint32_t eg_pipeline_device_series(const struct eg_pipeline *pipeline, uint32_t device, size_t index)
{
    if (!device || device > pipeline->device_count || index >= pipeline->devices[device - 1].series_count)
        return 0;
    return pipeline->devices[device - 1].series[index];
}

size_t eg_pipeline_series_count(const struct eg_pipeline *pipeline)
{
    return pipeline->series_count;
}

bool eg_pipeline_series(const struct eg_pipeline *pipeline, uint32_t id, struct eg_series_view *ret_view)
{
    if (!id || id > pipeline->series_count)
        return false;
    const struct eg_series *series = pipeline->series[id - 1];
    *ret_view = (struct eg_series_view){
        .id = id,
        .device = series->device,
        .quantity = series->quantity,
        .last_flags = series->last_flags,
        .channel = series->channel,
        .has_last = series->has_last,
        .last_ms = series->last_ms,
        .last_value = series->last_value,
        .hour = series->open[EG_PERIOD_HOUR],
        .day = series->open[EG_PERIOD_DAY],
        .hour_interval_ms = eg_hours_interval(series, series->open[EG_PERIOD_HOUR].start_ms),
        .day_mean = eg_today_mean(series),
        .hour_doubts = series->doubts[EG_PERIOD_HOUR],
        .day_doubts = series->doubts[EG_PERIOD_DAY],
    };
    ret_view->noisy_ms = series->finding ? series->finding->noisy_ms : EG_TIME_NONE;
    ret_view->drifting_ms = series->finding ? series->finding->drifting_ms : EG_TIME_NONE;
    eg_today_known(series, &pipeline->conf->validity, &ret_view->day_known);
    eg_quality_verdict(series, &ret_view->quality);
    return true;
}

void eg_pipeline_hours(const struct eg_pipeline *pipeline, uint32_t id, int64_t end_ms,
                       int64_t ret_nano[EG_AIR_HOURS])
{
    static const struct eg_series none = {.quantity = UINT16_MAX}; /* a pollutant it is not */
    const bool there = id && id <= pipeline->series_count;
    eg_hours_tell(pipeline, there ? pipeline->series[id - 1] : &none, end_ms, ret_nano);
}

const struct eg_conf *eg_pipeline_conf(const struct eg_pipeline *pipeline)
{
    return pipeline->conf;
}

void eg_pipeline_source_counts(const struct eg_pipeline *pipeline, size_t source,
                               uint64_t ret_counts[EG_VERDICT_COUNT])
{
    memcpy(ret_counts, pipeline->source_counts[source], sizeof *pipeline->source_counts);
}
