/* How a test lives with memory.h's pipeline: opens it, starts it again by the way of daemon/store/load.c, and speaks to it. */
#ifndef TEST_PIPELINE_SPEAK_H
#define TEST_PIPELINE_SPEAK_H

#include "memory.h"

/* --- restoring: the order of pipeline.h --- */

struct refill {
    struct eg_pipeline *pipeline;
    uint32_t series;
};
static inline void memory_refill_one(void *arg, int64_t time_ms, double value, uint16_t flags)
{
    const struct refill *refill = arg;
    eg_pipeline_restore_reading(refill->pipeline, refill->series, time_ms, value, flags);
}

/* How often the condition or the level has changed since the case last came to life. */
static inline void memory_restore_changes(const struct memory *memory, struct eg_pipeline *pipeline,
                                          uint32_t number)
{
    size_t first = 0;
    bool regional = false;
    for (size_t i = 0; i < memory->cases_count; i++)
        regional =
            regional || (memory->cases[i].number == number && memory->cases[i].kind == EG_CASE_REGIONAL);
    for (size_t i = 0; i < memory->events_count; i++)
        if (memory->events[i].case_number == number &&
            (!strcmp(memory->events[i].from, "closed") || !strcmp(memory->events[i].from, "rejected")))
            first = i + 1;
    for (size_t i = first; i < memory->events_count; i++)
        if (memory->events[i].case_number == number &&
            (!strcmp(memory->events[i].kind, "condition") || !strcmp(memory->events[i].kind, "level")) &&
            (regional || (strcmp(memory->events[i].from, "unknown") != 0 &&
                          strcmp(memory->events[i].to, "unknown") != 0)))
            eg_pipeline_restore_change(pipeline, number, memory->events[i].known_ms, memory->events[i].at_ms);
}

static inline struct eg_pipeline *memory_restore(struct memory *memory)
{
    struct eg_past past = memory_past(memory);
    struct eg_err err = {0};
    struct eg_pipeline *pipeline = eg_pipeline_create(memory->conf, &past);
    assert_non_null(pipeline);
    eg_pipeline_restore_counters(pipeline, &memory->counters);
    for (uint32_t i = 0; i < memory->devices_count; i++) {
        const struct stored_device *row = &memory->devices[i];
        if (eg_pipeline_restore_device(pipeline,
                                       &(struct eg_row_device){i + 1, row->site, row->domain, row->device, 0},
                                       &err) != EG_OK)
            fail_msg("%s", err.text);
        eg_pipeline_restore_rhythm(pipeline, &(struct eg_row_rhythm){i + 1, row->interval_ms});
        eg_pipeline_restore_standing(pipeline, &row->standing);
    }
    for (size_t i = 0; i < memory->device_events_count; i++) {
        const struct stored_device_event *kept = &memory->device_events[i];
        assert_int_equal(
            eg_pipeline_restore_device_event(
                pipeline,
                &(struct eg_row_device_event){kept->device, kept->kind, kept->at_ms, kept->actor, kept->note},
                &err),
            EG_OK);
    }
    for (uint32_t i = 0; i < memory->series_count; i++)
        if (eg_pipeline_restore_series(pipeline, &memory->series[i], &err) != EG_OK)
            fail_msg("%s", err.text);
    for (size_t i = 0; i < memory->findings_count; i++)
        eg_pipeline_restore_finding(pipeline, &memory->findings[i]);
    for (size_t i = 0; i < memory->calibrations_count; i++)
        assert_int_equal(eg_pipeline_restore_calibration(pipeline, &memory->calibrations[i], &err), EG_OK);
    for (uint32_t id = 1; id <= memory->series_count; id++) {
        const struct eg_row_reading *last = NULL;
        for (size_t i = 0; i < memory->readings_count; i++)
            if (memory->readings[i].series == id && (!last || memory->readings[i].time_ms >= last->time_ms))
                last = &memory->readings[i];
        if (!last)
            continue;
        assert_int_equal(eg_pipeline_restore_last(pipeline, id, last->time_ms, last->value, last->flags),
                         EG_OK);
        memory_range(memory, id, eg_pipeline_restore_since(pipeline, id), INT64_MAX, memory_refill_one,
                     &(struct refill){pipeline, id});
    }
    for (size_t i = 0; i < memory->states_count; i++) {
        struct eg_row_rule_state row = memory->states[i].row;
        row.rule = memory->states[i].rule;
        eg_pipeline_restore_rule_state(pipeline, &row);
    }
    for (size_t i = 0; i < memory->cases_count; i++)
        if (memory_active(&memory->cases[i]) &&
            eg_pipeline_restore_case(pipeline, &memory->cases[i], &err) != EG_OK)
            fail_msg("%s", err.text);
    for (size_t i = 0; i < memory->told_count; i++) {
        const struct stored_told *told = &memory->told[i];
        const struct eg_row_told row = {told->case_number, told->party, told->channel,
                                        told->recipient,   told->at_ms, told->repeats};
        assert_int_equal(eg_pipeline_restore_told(pipeline, &row, &err), EG_OK);
    }
    for (size_t i = 0; i < memory->silences_count; i++)
        assert_int_equal(eg_pipeline_restore_silence(pipeline, &memory->silences[i], &err), EG_OK);
    for (size_t i = 0; i < memory->suppressed_count; i++)
        assert_int_equal(eg_pipeline_restore_suppressed(pipeline, &memory->suppressed[i], &err), EG_OK);
    for (size_t i = 0; i < memory->cases_count; i++)
        if (memory_active(&memory->cases[i]))
            memory_restore_changes(memory, pipeline, memory->cases[i].number);
    for (size_t i = 0; i < memory->idents_count; i++)
        eg_pipeline_restore_ident(pipeline, memory->idents[i].mid, memory->idents[i].hash);
    eg_pipeline_restore_ids(pipeline, (uint32_t)memory->cases_count, memory->last_outbox);
    return pipeline;
}

/* --- moving in and out --- */

static inline struct eg_conf *memory_conf(const char *yaml)
{
    struct eg_buf faults;
    eg_buf_init(&faults, 1 << 16);
    struct eg_conf *conf = eg_conf_parse("t.yaml", yaml, strlen(yaml), &faults);
    if (!conf)
        fail_msg("%s", faults.data);
    eg_buf_finish(&faults);
    assert_true(eg_zone_use(conf->time_zone));
    return conf;
}

static inline void memory_open(struct memory *memory, const char *yaml)
{
    memset(memory, 0, sizeof *memory);
    memory->conf = memory_conf(yaml);
    struct eg_past past = memory_past(memory);
    memory->pipeline = eg_pipeline_create(memory->conf, &past);
    assert_non_null(memory->pipeline);
    eg_batch_init(&memory->batch);
    memory->now_ms = NOON;
}

static inline void memory_close(struct memory *memory)
{
    memory_forget_answers(memory);
    for (size_t i = 0; i < memory->series_count; i++)
        free((void *)(uintptr_t)memory->series[i].channel);
    for (size_t i = 0; i < memory->events_count; i++) {
        const struct eg_case_event *row = &memory->events[i];
        const char *const texts[] = {row->kind, row->actor, row->from, row->to, row->note, row->party};
        for (size_t t = 0; t < 6; t++)
            free((void *)(uintptr_t)texts[t]);
    }
    for (size_t i = 0; i < memory->quarantine_count; i++) {
        free((void *)(uintptr_t)memory->quarantine[i].reason);
        free((void *)(uintptr_t)memory->quarantine[i].verdict);
        free((void *)(uintptr_t)memory->quarantine[i].source);
    }
    void *const lists[] = {memory->devices,    memory->series,       memory->readings,      memory->idents,
                           memory->rollups,    memory->states,       memory->cases,         memory->events,
                           memory->quarantine, memory->answers,      memory->told,          memory->silences,
                           memory->suppressed, memory->calibrations, memory->device_events, memory->findings,
                           memory->evidence};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]);
    eg_batch_finish(&memory->batch);
    eg_pipeline_destroy(memory->pipeline);
    eg_conf_destroy(memory->conf);
}

static inline void memory_reconfigure(struct memory *memory, const char *yaml)
{
    struct eg_conf *fresh = memory_conf(yaml);
    assert_int_equal(eg_pipeline_configure(memory->pipeline, fresh, NULL), EG_OK);
    eg_conf_destroy(memory->conf);
    memory->conf = fresh;
}

/* As after kill -9: what was not committed is gone. */
static inline void memory_restart(struct memory *memory)
{
    eg_batch_clear(&memory->batch);
    struct eg_pipeline *fresh = memory_restore(memory);
    eg_pipeline_destroy(memory->pipeline);
    memory->pipeline = fresh;
}

/* --- events; each `say` is a turn of its own, `add` leaves the turn open --- */

static inline struct eg_event message_event(int64_t now_ms, const char *topic, const void *payload,
                                            size_t length, uint16_t mid)
{
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = now_ms};
    event.message = (struct eg_message){.topic = topic,
                                        .topic_len = strlen(topic),
                                        .payload = payload,
                                        .payload_len = length,
                                        .arrived_ms = now_ms,
                                        .mid = mid,
                                        .qos = mid ? 1 : 0};
    return event;
}

static inline void add(struct memory *memory, const struct eg_event *event)
{
    eg_pipeline_event(memory->pipeline, event, &memory->batch);
}

static inline void turn(struct memory *memory)
{
    eg_pipeline_settle(memory->pipeline, &memory->batch);
    memory_commit(memory, &memory->batch);
}

/* What is due by now is done. */
static inline void catch_up(struct memory *memory)
{
    while (eg_pipeline_deadline(memory->pipeline, memory->now_ms) <= memory->now_ms) {
        const struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = memory->now_ms};
        add(memory, &event);
        turn(memory);
    }
}

static inline void say(struct memory *memory, const char *topic, const char *payload)
{
    struct eg_event event = message_event(memory->now_ms, topic, payload, strlen(payload), ++memory->mid);
    add(memory, &event);
    turn(memory);
}

/* pm25 of one device, at `time_ms`. */
#define A1 "ecogov/shangtian/air/a1"
static inline void reads(struct memory *memory, int64_t time_ms, double value)
{
    char payload[100];
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%.17g}", (long long)time_ms, value);
    say(memory, A1, payload);
}

static inline const struct eg_answer *asks(struct memory *memory, struct eg_command command)
{
    command.user = command.user ? command.user : "li";
    command.until_ms = command.until_ms ? command.until_ms : EG_TIME_NONE;
    struct eg_event event = {.kind = EG_EVENT_COMMAND, .now_ms = memory->now_ms, .command = command};
    add(memory, &event);
    turn(memory);
    assert_int_equal(memory->answers_count, 1);
    return &memory->answers[0];
}

static inline const struct eg_case *case_of(const struct memory *memory, uint32_t number)
{
    for (size_t i = 0; i < memory->cases_count; i++)
        if (memory->cases[i].number == number)
            return &memory->cases[i];
    fail_msg("there is no case %u", number);
    return NULL;
}

static inline uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}
static inline int64_t random_below(uint64_t *seed, int64_t bound)
{
    return (int64_t)(random_next(seed) % (uint64_t)bound);
}

#define SITES                                                                                                \
    "time_zone: UTC\nsites: [{id: linan}, {id: shangtian, parent: linan, parties: [grid, bureau]}, {id: "    \
    "else}]\n"                                                                                               \
    "parties: [{id: grid, sector: society}, {id: bureau, sector: government}]\n"                             \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"

#endif
