/* A pipeline over a store of cardboard: what the batches say is kept in plain arrays, looked for from end to
 * end, and watched over: at every commit the promises that hold always (CONTRACT §2.4, one history per case,
 * one open case per rule and series) are asked for. How a test lives with it stands in speak.h. */
#ifndef TEST_PIPELINE_MEMORY_H
#define TEST_PIPELINE_MEMORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/zone.h>
#include <ecogov/time.h>
#include <pipeline/pipeline.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOON INT64_C(1795435200000) /* 2026-11-23T12:00:00Z */
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define LIST(type, name)                                                                                     \
    struct type *name;                                                                                       \
    size_t name##_count, name##_room
#define PUSH(owner, name)                                                                                    \
    memory_more((void **)&(owner)->name, &(owner)->name##_count, &(owner)->name##_room, sizeof *(owner)->name)

struct stored_state {
    char rule[64];
    struct eg_row_rule_state row;
};
struct stored_device {
    int64_t interval_ms;
    struct eg_row_standing standing;
    char site[64], domain[64], device[64];
};
struct stored_device_event {
    uint32_t device;
    enum eg_device_event kind;
    int64_t at_ms;
    char actor[64], note[256];
};
struct stored_told {
    uint32_t case_number;
    char party[64], channel[64], recipient[256];
    int64_t at_ms;
    unsigned repeats;
};
struct memory {
    struct eg_conf *conf;
    struct eg_pipeline *pipeline;
    struct eg_batch batch;
    LIST(stored_device, devices);
    LIST(stored_device_event, device_events);
    LIST(eg_row_finding, findings);
    LIST(eg_row_series, series);            /* channel: owned */
    LIST(eg_row_calibration, calibrations); /* ascending by series and time */
    LIST(eg_row_reading, readings);
    LIST(eg_row_ident, idents);
    LIST(eg_row_rollup, rollups); /* one per series, period and start */
    LIST(stored_state, states);
    LIST(eg_case, cases);
    LIST(eg_case_event, events);     /* kind, from, to: owned */
    LIST(eg_row_evidence, evidence); /* one per case, series and why */
    LIST(stored_told, told);
    LIST(eg_silence, silences);
    LIST(eg_row_suppressed, suppressed);
    LIST(eg_row_quarantine, quarantine); /* reason, verdict, source: owned */
    LIST(eg_answer, answers);            /* sentence: owned; of the last commit */
    struct eg_counters counters;
    int64_t last_outbox;
    size_t outbox_count;
    size_t requalified; /* of the readings: written once more, with other flags */
    int64_t now_ms;
    uint16_t mid;
};

static inline void *memory_more(void **rows, size_t *count, size_t *room, size_t size)
{
    if (*count == *room) {
        *room = *room ? *room * 2 : 64;
        *rows = realloc(*rows, *room * size);
        assert_non_null(*rows);
    }
    return (char *)*rows + (*count)++ * size;
}

/* --- the past --- */

static inline bool memory_lookup(void *user, uint32_t series, int64_t time_ms, double *ret)
{
    const struct memory *memory = user;
    for (size_t i = memory->readings_count; i-- > 0;)
        if (memory->readings[i].series == series && memory->readings[i].time_ms == time_ms) {
            *ret = memory->readings[i].value;
            return true;
        }
    return false;
}

static inline int memory_by_time(const void *left, const void *right)
{
    const struct eg_row_reading *a = *(const struct eg_row_reading *const *)left,
                                *b = *(const struct eg_row_reading *const *)right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Ascending, the newest value of each time. */
static inline int memory_range(void *user, uint32_t series, int64_t from_ms, int64_t to_ms,
                               void (*each)(void *arg, int64_t time_ms, double value, uint16_t flags),
                               void *arg)
{
    const struct memory *memory = user;
    const struct eg_row_reading **rows = calloc(memory->readings_count + 1, sizeof *rows);
    size_t count = 0;
    for (size_t i = 0; i < memory->readings_count; i++) {
        const struct eg_row_reading *row = &memory->readings[i];
        if (row->series == series && row->time_ms >= from_ms && row->time_ms < to_ms)
            rows[count++] = row;
    }
    qsort(rows, count, sizeof *rows, memory_by_time);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || rows[i + 1]->time_ms != rows[i]->time_ms)
            each(arg, rows[i]->time_ms, rows[i]->value, rows[i]->flags);
    free(rows);
    return EG_OK;
}

static inline bool memory_find_case(void *user, const char *id, struct eg_case *ret)
{
    const struct memory *memory = user;
    char number[16];
    for (size_t i = 0; i < memory->cases_count; i++) {
        snprintf(number, sizeof number, "%u", memory->cases[i].number);
        if (!strcmp(memory->cases[i].id, id) || !strcmp(number, id)) {
            *ret = memory->cases[i];
            return true;
        }
    }
    return false;
}

static inline int memory_rollup(void *user, uint32_t series, enum eg_period period, struct eg_rollup *bucket)
{
    const struct memory *memory = user;
    for (size_t i = 0; i < memory->rollups_count; i++)
        if (memory->rollups[i].series == series && memory->rollups[i].period == period &&
            memory->rollups[i].rollup.start_ms == bucket->start_ms) {
            *bucket = memory->rollups[i].rollup;
            return 1;
        }
    return 0;
}

static inline bool memory_find_former(void *user, const char *rule, uint32_t series, const char *site,
                                      struct eg_case *ret)
{
    const struct memory *memory = user;
    for (size_t i = memory->cases_count; i-- > 0;) {
        const struct eg_case *row = &memory->cases[i];
        if ((row->kind != EG_CASE_BREACH && row->kind != EG_CASE_MAINTENANCE) || row->series != series ||
            strcmp(row->rule, rule) != 0 || (!series && strcmp(row->site, site) != 0))
            continue;
        *ret = *row;
        return row->handling == EG_CLOSED || row->handling == EG_REJECTED;
    }
    return false;
}

static inline int memory_rollups(void *user, uint32_t series, enum eg_period period, int64_t from_ms,
                                 int64_t to_ms, bool (*each)(void *arg, const struct eg_rollup *bucket),
                                 void *arg)
{
    const struct memory *memory = user;
    for (size_t i = 0; i < memory->rollups_count; i++) /* in whatever order: who asks must not mind */
        if (memory->rollups[i].series == series && memory->rollups[i].period == period &&
            memory->rollups[i].rollup.start_ms >= from_ms && memory->rollups[i].rollup.start_ms < to_ms &&
            !each(arg, &memory->rollups[i].rollup))
            break;
    return EG_OK;
}

static inline struct eg_past memory_past(struct memory *memory)
{
    return (struct eg_past){memory,        memory_lookup, memory_range,       memory_find_case,
                            memory,        memory_rollup, memory_find_former,
#ifdef MEMORY_TELLS_HOURS
                            memory_rollups
#else
                            NULL
#endif
    };
}

/* --- the commit --- */

static inline bool memory_active(const struct eg_case *row)
{
    return row->handling != EG_CLOSED && row->handling != EG_REJECTED;
}

static inline void memory_take_rollup(struct memory *memory, const struct eg_row_rollup *row)
{
    struct eg_rollup *kept = NULL;
    for (size_t i = 0; i < memory->rollups_count && !kept; i++) {
        struct eg_row_rollup *known = &memory->rollups[i];
        if (known->series == row->series && known->period == row->period &&
            known->rollup.start_ms == row->rollup.start_ms)
            kept = &known->rollup;
    }
    const struct eg_rollup *add = &row->rollup;
    if (!kept) {
        *(struct eg_row_rollup *)PUSH(memory, rollups) = *row;
    } else if (row->replace) {
        *kept = *add;
    } else {
        kept->count += add->count;
        kept->sum += add->sum;
        kept->min = fmin(kept->min, add->min);
        kept->max = fmax(kept->max, add->max);
        if (add->first_ms < kept->first_ms) {
            kept->first_ms = add->first_ms;
            kept->first = add->first;
        }
        if (add->last_ms >= kept->last_ms) {
            kept->last_ms = add->last_ms;
            kept->last = add->last;
        }
        kept->slots[0] |= add->slots[0];
        kept->slots[1] |= add->slots[1];
    }
}

static inline void memory_take_state(struct memory *memory, const struct eg_row_rule_state *row)
{
    struct stored_state *kept = NULL;
    for (size_t i = 0; i < memory->states_count && !kept; i++)
        if (memory->states[i].row.series == row->series && !strcmp(memory->states[i].rule, row->rule))
            kept = &memory->states[i];
    if (!kept)
        kept = PUSH(memory, states);
    snprintf(kept->rule, sizeof kept->rule, "%s", row->rule);
    kept->row = *row;
}

static inline void memory_take_case(struct memory *memory, const struct eg_case *row)
{
    struct eg_case *kept = NULL;
    for (size_t i = 0; i < memory->cases_count && !kept; i++)
        if (memory->cases[i].number == row->number)
            kept = &memory->cases[i];
    if (!kept)
        kept = PUSH(memory, cases);
    *kept = *row;
    for (size_t i = 0; i < memory->cases_count && memory_active(row); i++) {
        const struct eg_case *other = &memory->cases[i];
        if (other->number != row->number && memory_active(other) && other->series == row->series &&
            other->kind == row->kind && !strcmp(other->rule, row->rule) && !strcmp(other->site, row->site) &&
            !strcmp(other->domain, row->domain) && !strcmp(other->device, row->device))
            fail_msg("cases %u and %u are open for the same rule %s and series %u", other->number,
                     row->number, row->rule, row->series);
    }
}

static inline void memory_take_event(struct memory *memory, const struct eg_case_event *row)
{
    uint32_t version = 0;
    for (size_t i = 0; i < memory->events_count; i++)
        if (memory->events[i].case_number == row->case_number)
            version = memory->events[i].version;
    if (row->version != version + 1)
        fail_msg("case %u: version %u (%s) after %u", row->case_number, row->version, row->kind, version);
    struct eg_case_event *kept = PUSH(memory, events);
    *kept = *row;
    kept->kind = strdup(row->kind);
    kept->actor = strdup(row->actor);
    kept->from = strdup(row->from);
    kept->to = strdup(row->to);
    kept->note = strdup(row->note);
    kept->party = strdup(row->party);
}

static inline void memory_take_evidence(struct memory *memory, const struct eg_row_evidence *row)
{
    struct eg_row_evidence *kept = NULL;
    for (size_t i = 0; i < memory->evidence_count && !kept; i++)
        if (memory->evidence[i].case_number == row->case_number &&
            memory->evidence[i].series == row->series && memory->evidence[i].why == row->why)
            kept = &memory->evidence[i];
    assert_true(row->case_number > 0 && row->case_number <= memory->cases_count);
    assert_true(row->series > 0 && row->series <= memory->series_count);
    if (!kept)
        *(struct eg_row_evidence *)PUSH(memory, evidence) = *row;
    else if (row->since_ms < kept->since_ms)
        kept->since_ms = row->since_ms;
}

static inline void memory_take_told(struct memory *memory, const struct eg_row_told *row)
{
    size_t kept = 0;
    for (size_t i = 0; i < memory->told_count; i++) {
        const struct stored_told *told = &memory->told[i];
        if (told->case_number != row->case_number ||
            (row->at_ms != EG_TIME_NONE &&
             (strcmp(told->party, row->party) != 0 || strcmp(told->channel, row->channel) != 0 ||
              strcmp(told->recipient, row->recipient) != 0)))
            memory->told[kept++] = *told;
    }
    memory->told_count = kept;
    if (row->at_ms == EG_TIME_NONE)
        return;
    struct stored_told *told = PUSH(memory, told);
    told->case_number = row->case_number;
    told->at_ms = row->at_ms;
    told->repeats = row->repeats;
    snprintf(told->party, sizeof told->party, "%s", row->party);
    snprintf(told->channel, sizeof told->channel, "%s", row->channel);
    snprintf(told->recipient, sizeof told->recipient, "%s", row->recipient);
}

static inline void memory_take_silence(struct memory *memory, const struct eg_silence *row)
{
    struct eg_silence *kept = NULL;
    for (size_t i = 0; i < memory->silences_count && !kept; i++)
        if (memory->silences[i].id == row->id)
            kept = &memory->silences[i];
    kept = kept ? kept : PUSH(memory, silences);
    *kept = *row;
}

static inline void memory_take_suppressed(struct memory *memory, const struct eg_row_suppressed *row)
{
    size_t kept = 0;
    for (size_t i = 0; i < memory->suppressed_count; i++)
        if (memory->suppressed[i].case_number != row->case_number)
            memory->suppressed[kept++] = memory->suppressed[i];
    memory->suppressed_count = kept;
    if (row->since_ms != EG_TIME_NONE)
        *(struct eg_row_suppressed *)PUSH(memory, suppressed) = *row;
}

static inline void memory_check_counters(const struct eg_counters *c)
{
    if (c->received != c->decoded + c->duplicate + c->quarantined + c->ignored ||
        c->r_decoded != c->r_stored + c->r_duplicate + c->r_rejected || c->r_corrected > c->r_stored)
        fail_msg("counters: %llu != %llu + %llu + %llu + %llu, or %llu != %llu + %llu + %llu",
                 (unsigned long long)c->received, (unsigned long long)c->decoded,
                 (unsigned long long)c->duplicate, (unsigned long long)c->quarantined,
                 (unsigned long long)c->ignored, (unsigned long long)c->r_decoded,
                 (unsigned long long)c->r_stored, (unsigned long long)c->r_duplicate,
                 (unsigned long long)c->r_rejected);
}

static inline void memory_forget_answers(struct memory *memory)
{
    for (size_t i = 0; i < memory->answers_count; i++)
        free((void *)(uintptr_t)memory->answers[i].sentence);
    memory->answers_count = 0;
}

static inline int memory_by_series(const void *left, const void *right)
{
    const struct eg_row_calibration *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    return a->since_ms < b->since_ms ? -1 : a->since_ms > b->since_ms;
}

static inline void memory_take_calibration(struct memory *memory, const struct eg_row_calibration *row)
{
    size_t kept = 0;
    for (size_t i = 0; i < memory->calibrations_count; i++)
        if (memory->calibrations[i].series != row->series ||
            (row->forget ? memory->calibrations[i].since_ms < row->since_ms
                         : memory->calibrations[i].since_ms != row->since_ms))
            memory->calibrations[kept++] = memory->calibrations[i];
    memory->calibrations_count = kept;
    if (!row->forget)
        *(struct eg_row_calibration *)PUSH(memory, calibrations) = *row;
    if (memory->calibrations_count)
        qsort(memory->calibrations, memory->calibrations_count, sizeof *row, memory_by_series);
}

/* Writes the batch down; `batch` is cleared. */
static inline void memory_commit(struct memory *memory, struct eg_batch *batch)
{
    assert_false(batch->failed);
    for (size_t i = 0; i < batch->devices_count; i++) {
        assert_int_equal(batch->devices[i].id, memory->devices_count + 1);
        struct stored_device *row = PUSH(memory, devices);
        snprintf(row->site, sizeof row->site, "%s", batch->devices[i].site);
        snprintf(row->domain, sizeof row->domain, "%s", batch->devices[i].domain);
        snprintf(row->device, sizeof row->device, "%s", batch->devices[i].device);
        row->interval_ms = 0;
        row->standing = (struct eg_row_standing){.device = batch->devices[i].id,
                                                 .silent_ms = EG_TIME_NONE,
                                                 .heard_ms = EG_TIME_NONE,
                                                 .awaited_ms = EG_TIME_NONE,
                                                 .due_told_ms = EG_TIME_NONE};
    }
    for (size_t i = 0; i < batch->rhythms_count; i++)
        memory->devices[batch->rhythms[i].device - 1].interval_ms = batch->rhythms[i].interval_ms;
    for (size_t i = 0; i < batch->standings_count; i++)
        memory->devices[batch->standings[i].device - 1].standing = batch->standings[i];
    for (size_t i = 0; i < batch->findings_count; i++) {
        struct eg_row_finding *kept = NULL;
        for (size_t k = 0; k < memory->findings_count && !kept; k++)
            if (memory->findings[k].series == batch->findings[i].series)
                kept = &memory->findings[k];
        kept = kept ? kept : PUSH(memory, findings);
        *kept = batch->findings[i];
    }
    for (size_t i = 0; i < batch->device_events_count; i++) {
        const struct eg_row_device_event *event = &batch->device_events[i];
        struct stored_device_event *kept = PUSH(memory, device_events);
        *kept =
            (struct stored_device_event){.device = event->device, .kind = event->kind, .at_ms = event->at_ms};
        snprintf(kept->actor, sizeof kept->actor, "%s", event->actor);
        snprintf(kept->note, sizeof kept->note, "%s", event->note);
    }
    for (size_t i = 0; i < batch->series_count; i++) {
        assert_int_equal(batch->series[i].id, memory->series_count + 1);
        struct eg_row_series *row = PUSH(memory, series);
        *row = batch->series[i];
        row->channel = strdup(row->channel);
    }
    for (size_t i = 0; i < batch->calibrations_count; i++)
        memory_take_calibration(memory, &batch->calibrations[i]);
    for (size_t i = 0; i < batch->readings_count; i++) {
        *(struct eg_row_reading *)PUSH(memory, readings) = batch->readings[i];
        memory->requalified += (batch->readings[i].flags & EG_FLAG_REQUALIFIED) != 0;
    }
    for (size_t i = 0; i < batch->idents_count; i++)
        *(struct eg_row_ident *)PUSH(memory, idents) = batch->idents[i];
    for (size_t i = 0; i < batch->rollups_count; i++)
        memory_take_rollup(memory, &batch->rollups[i]);
    for (size_t i = 0; i < batch->rule_states_count; i++)
        memory_take_state(memory, &batch->rule_states[i]);
    for (size_t i = 0; i < batch->cases_count; i++)
        memory_take_case(memory, &batch->cases[i]);
    for (size_t i = 0; i < batch->case_events_count; i++)
        memory_take_event(memory, &batch->case_events[i]);
    for (size_t i = 0; i < batch->evidence_count; i++)
        memory_take_evidence(memory, &batch->evidence[i]);
    for (size_t i = 0; i < batch->outbox_count; i++, memory->outbox_count++) {
        assert_true(batch->outbox[i].id == memory->last_outbox + 1);
        memory->last_outbox = batch->outbox[i].id;
    }
    for (size_t i = 0; i < batch->told_count; i++)
        memory_take_told(memory, &batch->told[i]);
    for (size_t i = 0; i < batch->silences_count; i++)
        memory_take_silence(memory, &batch->silences[i]);
    for (size_t i = 0; i < batch->suppressed_count; i++)
        memory_take_suppressed(memory, &batch->suppressed[i]);
    for (size_t i = 0; i < batch->quarantine_count; i++) {
        struct eg_row_quarantine *row = PUSH(memory, quarantine);
        *row = batch->quarantine[i];
        row->reason = strdup(row->reason);
        row->verdict = strdup(row->verdict);
        row->source = strdup(row->source);
        row->topic = NULL;
        row->payload = NULL;
    }
    memory_forget_answers(memory);
    for (size_t i = 0; i < batch->answers_count; i++) {
        struct eg_answer *row = PUSH(memory, answers);
        *row = batch->answers[i];
        row->sentence = strdup(row->sentence);
    }
    if (batch->events)
        memory->counters = batch->counters;
    memory_check_counters(&memory->counters);
    assert_int_equal(memory->counters.r_stored, memory->readings_count - memory->requalified);
    eg_batch_clear(batch);
}

#endif
