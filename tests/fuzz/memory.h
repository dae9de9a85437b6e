/* A store that is no more than RAM, for the fold's harness: takes batches, answers what the pipeline asks of the past, and rebuilds a
 * pipeline in the order pipeline.h asks for. Slow and obvious; knows no SQL. */
#ifndef EG_FUZZ_MEMORY_H
#define EG_FUZZ_MEMORY_H

#include "input.h"

#include <pipeline/pipeline.h>
#include <pipeline/rollup.h>

struct kept_device {
    uint32_t id;
    int64_t registered_ms;
    int64_t interval_ms;
    struct eg_row_standing standing;
    char site[64], domain[64], device[64];
};
struct kept_device_event {
    uint32_t device;
    enum eg_device_event kind;
    int64_t at_ms;
    char note[256];
};
struct kept_series {
    uint32_t id, device;
    uint16_t quantity;
    char channel[EG_CHANNEL_MAX + 1];
};
struct kept_state {
    uint32_t series;
    char rule[64];
    struct eg_row_rule_state row;
};

struct kept_change {
    uint32_t case_number;
    int64_t known_ms, at_ms;
};

struct kept_own_time { /* what a reading said itself while the clock was in doubt */
    size_t reading;
    int64_t time_ms;
};

#define MEMORY_ROWS(type, name)                                                                              \
    struct type *name;                                                                                       \
    size_t name##_count, name##_capacity
struct memory {
    MEMORY_ROWS(kept_device, devices);
    MEMORY_ROWS(kept_device_event, device_events);
    MEMORY_ROWS(kept_series, series);
    MEMORY_ROWS(kept_state, states);
    MEMORY_ROWS(eg_row_reading, readings); /* as they came: the last of a time is in force */
    MEMORY_ROWS(eg_row_ident, idents);
    MEMORY_ROWS(eg_case, cases);
    MEMORY_ROWS(kept_change, changes); /* of condition and level, since a case came to life */
    MEMORY_ROWS(eg_row_suppressed, suppressed);
    MEMORY_ROWS(kept_own_time, own_times);
    MEMORY_ROWS(eg_row_rollup, rollups); /* a part is added to what was there */
    MEMORY_ROWS(eg_row_finding, findings);
    struct eg_counters counters;
    int64_t last_outbox;
    bool doubted;
    int64_t doubted_since_ms;
    uint32_t doubted_known;
};

UNWATCHED_BEGIN

#define MEMORY_ADD(memory, name)                                                                             \
    memory_more((void **)&(memory)->name, (memory)->name##_count++, &(memory)->name##_capacity,              \
                sizeof *(memory)->name)

static void *memory_more(void **rows, size_t count, size_t *capacity, size_t size)
{
    if (count == *capacity) {
        *capacity = count ? count * 2 : 32;
        *rows = realloc(*rows, *capacity * size);
        if (!*rows)
            abort();
    }
    return (char *)*rows + count * size;
}

static void memory_finish(struct memory *memory)
{
    free(memory->devices);
    free(memory->device_events);
    free(memory->series);
    free(memory->states);
    free(memory->readings);
    free(memory->idents);
    free(memory->cases);
    free(memory->changes);
    free(memory->suppressed);
    free(memory->own_times);
    free(memory->rollups);
    free(memory->findings);
}

#include "hours.h"

static struct eg_case *memory_case(const struct memory *memory, uint32_t number)
{
    for (size_t i = 0; i < memory->cases_count; i++)
        if (memory->cases[i].number == number)
            return &memory->cases[i];
    return NULL;
}

static void memory_keep_change(struct memory *memory, const struct eg_case_event *row)
{
    size_t kept = 0;
    if (!strcmp(row->from, "closed") || !strcmp(row->from, "rejected")) {
        for (size_t i = 0; i < memory->changes_count; i++)
            if (memory->changes[i].case_number != row->case_number)
                memory->changes[kept++] = memory->changes[i];
        memory->changes_count = kept;
    }
    const struct eg_case *of = memory_case(memory, row->case_number);
    const bool regional =
        of && of->kind == EG_CASE_REGIONAL; /* of any other silence is no change, nor is its end */
    if ((!strcmp(row->kind, "condition") || !strcmp(row->kind, "level")) &&
        (regional || (strcmp(row->from, "unknown") != 0 && strcmp(row->to, "unknown") != 0)))
        *(struct kept_change *)MEMORY_ADD(memory, changes) =
            (struct kept_change){row->case_number, row->known_ms, row->at_ms};
}

static void memory_keep_suppressed(struct memory *memory, const struct eg_row_suppressed *row)
{
    size_t kept = 0;
    for (size_t i = 0; i < memory->suppressed_count; i++)
        if (memory->suppressed[i].case_number != row->case_number)
            memory->suppressed[kept++] = memory->suppressed[i];
    memory->suppressed_count = kept;
    if (row->since_ms != EG_TIME_NONE)
        *(struct eg_row_suppressed *)MEMORY_ADD(memory, suppressed) = *row;
}

static void memory_keep_state(struct memory *memory, const struct eg_row_rule_state *row)
{
    struct kept_state *kept = NULL;
    for (size_t i = 0; i < memory->states_count && !kept; i++)
        if (memory->states[i].series == row->series && !strcmp(memory->states[i].rule, row->rule))
            kept = &memory->states[i];
    if (!kept)
        kept = MEMORY_ADD(memory, states);
    kept->series = row->series;
    kept->row = *row;
    snprintf(kept->rule, sizeof kept->rule, "%s", row->rule);
}

static void memory_later(int64_t *ms, const struct eg_row_clock *by)
{
    if (*ms != EG_TIME_NONE && *ms >= by->since_ms && *ms <= by->until_ms)
        *ms += by->shift_ms;
}

/* As the store does: what was dated in doubt is dated anew. */
static void memory_redate(struct memory *memory, const struct eg_row_clock *by)
{
    for (size_t i = 0; i < memory->own_times_count; i++) {
        struct eg_row_reading *row = &memory->readings[memory->own_times[i].reading];
        if (!(row->flags & EG_FLAG_CLOCK) || memory->own_times[i].time_ms > by->latest_ms)
            continue;
        row->time_ms = memory->own_times[i].time_ms;
        row->flags &= (uint16_t) ~(EG_FLAG_CLOCK | EG_FLAG_ARRIVAL);
    }
    for (size_t i = 0; i < memory->readings_count; i++)
        if (memory->readings[i].flags & EG_FLAG_CLOCK) {
            memory->readings[i].time_ms += by->shift_ms;
            memory->readings[i].flags &= (uint16_t)~EG_FLAG_CLOCK;
        }
    memory->own_times_count = 0;
    memory_remake_buckets(memory);
    for (size_t i = 0; i < memory->devices_count; i++) {
        memory_later(&memory->devices[i].standing.silent_ms, by);
        memory_later(&memory->devices[i].standing.heard_ms, by);
        memory_later(&memory->devices[i].standing.awaited_ms, by);
    }
    for (size_t i = 0; i < memory->suppressed_count; i++)
        memory_later(&memory->suppressed[i].since_ms, by);
}

static void memory_commit(struct memory *memory, const struct eg_batch *batch)
{
    for (size_t i = 0; i < batch->own_times_count; i++)
        *(struct kept_own_time *)MEMORY_ADD(memory, own_times) = (struct kept_own_time){
            memory->readings_count + batch->own_times[i].reading, batch->own_times[i].time_ms};
    for (size_t i = 0; i < batch->devices_count; i++) {
        const struct eg_row_device *row = &batch->devices[i];
        struct kept_device *kept = MEMORY_ADD(memory, devices);
        kept->id = row->id;
        kept->registered_ms = row->registered_ms;
        kept->interval_ms = 0;
        kept->standing = (struct eg_row_standing){.device = batch->devices[i].id,
                                                  .silent_ms = EG_TIME_NONE,
                                                  .heard_ms = EG_TIME_NONE,
                                                  .awaited_ms = EG_TIME_NONE,
                                                  .due_told_ms = EG_TIME_NONE};
        snprintf(kept->site, sizeof kept->site, "%s", row->site);
        snprintf(kept->domain, sizeof kept->domain, "%s", row->domain);
        snprintf(kept->device, sizeof kept->device, "%s", row->device);
    }
    for (size_t i = 0; i < batch->rhythms_count; i++)
        memory->devices[batch->rhythms[i].device - 1].interval_ms = batch->rhythms[i].interval_ms;
    for (size_t i = 0; i < batch->standings_count; i++)
        memory->devices[batch->standings[i].device - 1].standing = batch->standings[i];
    for (size_t i = 0; i < batch->device_events_count; i++) {
        const struct eg_row_device_event *event = &batch->device_events[i];
        struct kept_device_event *kept = MEMORY_ADD(memory, device_events);
        *kept =
            (struct kept_device_event){.device = event->device, .kind = event->kind, .at_ms = event->at_ms};
        snprintf(kept->note, sizeof kept->note, "%s", event->note);
    }
    for (size_t i = 0; i < batch->series_count; i++) {
        const struct eg_row_series *row = &batch->series[i];
        struct kept_series *kept = MEMORY_ADD(memory, series);
        *kept = (struct kept_series){.id = row->id, .device = row->device, .quantity = row->quantity};
        snprintf(kept->channel, sizeof kept->channel, "%s", row->channel);
    }
    for (size_t i = 0; i < batch->readings_count; i++)
        *(struct eg_row_reading *)MEMORY_ADD(memory, readings) = batch->readings[i];
    for (size_t i = 0; i < batch->rollups_count; i++)
        memory_keep_bucket(memory, &batch->rollups[i]);
    for (size_t i = 0; i < batch->findings_count; i++)
        memory_keep_finding(memory, &batch->findings[i]);
    for (size_t i = 0; i < batch->idents_count; i++)
        *(struct eg_row_ident *)MEMORY_ADD(memory, idents) = batch->idents[i];
    for (size_t i = 0; i < batch->rule_states_count; i++)
        memory_keep_state(memory, &batch->rule_states[i]);
    for (size_t i = 0; i < batch->cases_count; i++) {
        struct eg_case *kept = memory_case(memory, batch->cases[i].number);
        if (!kept)
            kept = MEMORY_ADD(memory, cases);
        *kept = batch->cases[i];
    }
    for (size_t i = 0; i < batch->case_events_count; i++)
        memory_keep_change(memory, &batch->case_events[i]);
    for (size_t i = 0; i < batch->suppressed_count; i++)
        memory_keep_suppressed(memory, &batch->suppressed[i]);
    for (size_t i = 0; i < batch->outbox_count; i++)
        if (batch->outbox[i].id > memory->last_outbox)
            memory->last_outbox = batch->outbox[i].id;
    if (batch->events)
        memory->counters = batch->counters;
    for (size_t i = 0; i < batch->clocks_count; i++) {
        memory->doubted = !batch->clocks[i].trusted;
        memory->doubted_since_ms = batch->clocks[i].since_ms;
        memory->doubted_known = (uint32_t)memory->devices_count;
        if (batch->clocks[i].trusted)
            memory_redate(memory, &batch->clocks[i]);
    }
}

/* As an import does: it was never judged. Its hours and days are still to be made (memory_remake_buckets). */
static void memory_put(struct memory *memory, uint32_t series, int64_t time_ms, double value)
{
    *(struct eg_row_reading *)MEMORY_ADD(memory, readings) =
        (struct eg_row_reading){.series = series, .time_ms = time_ms, .value = value};
}

/* --- the past --- */

static bool memory_lookup(void *user, uint32_t series, int64_t time_ms, double *ret_value)
{
    const struct memory *memory = user;
    for (size_t i = memory->readings_count; i-- > 0;)
        if (memory->readings[i].series == series && memory->readings[i].time_ms == time_ms) {
            *ret_value = memory->readings[i].value;
            return true;
        }
    return false;
}

static int memory_order(const void *left, const void *right)
{
    const struct eg_row_reading *const *a = left, *const *b = right;
    if ((*a)->time_ms != (*b)->time_ms)
        return (*a)->time_ms < (*b)->time_ms ? -1 : 1;
    return *a < *b ? -1 : *a > *b; /* neighbours in one array: as they came */
}

static int memory_range(void *user, uint32_t series, int64_t from_ms, int64_t to_ms,
                        void (*each)(void *arg, int64_t time_ms, double value, uint16_t flags), void *arg)
{
    const struct memory *memory = user;
    const struct eg_row_reading **found =
        calloc(memory->readings_count + 1, sizeof(const struct eg_row_reading *));
    size_t count = 0;
    if (!found)
        abort();
    for (size_t i = 0; i < memory->readings_count; i++) {
        const struct eg_row_reading *row = &memory->readings[i];
        if (row->series == series && row->time_ms >= from_ms && row->time_ms < to_ms)
            found[count++] = row;
    }
    qsort(found, count, sizeof(const struct eg_row_reading *), memory_order);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || found[i + 1]->time_ms != found[i]->time_ms)
            each(arg, found[i]->time_ms, found[i]->value, found[i]->flags);
    free(found);
    return EG_OK;
}

static bool memory_find_case(void *user, const char *id, struct eg_case *ret_case)
{
    const struct memory *memory = user;
    char number[16];
    for (size_t i = 0; i < memory->cases_count; i++) {
        snprintf(number, sizeof number, "%u", memory->cases[i].number);
        if (!strcmp(memory->cases[i].id, id) || !strcmp(number, id)) {
            *ret_case = memory->cases[i];
            return true;
        }
    }
    return false;
}

static struct eg_past memory_past(struct memory *memory)
{
    return (struct eg_past){memory, memory_lookup, memory_range, memory_find_case,
                            memory, memory_rollup, NULL,         memory_rollups};
}

/* --- rebuilding --- */

struct memory_refill {
    struct eg_pipeline *pipeline;
    uint32_t series;
};

static void memory_refill_one(void *arg, int64_t time_ms, double value, uint16_t flags)
{
    const struct memory_refill *refill = arg;
    eg_pipeline_restore_reading(refill->pipeline, refill->series, time_ms, value, flags);
}

static void memory_restore_series(struct memory *memory, struct eg_pipeline *pipeline, uint32_t series)
{
    const struct eg_row_reading *last = NULL;
    for (size_t i = 0; i < memory->readings_count; i++)
        if (memory->readings[i].series == series && (!last || memory->readings[i].time_ms >= last->time_ms))
            last = &memory->readings[i];
    if (last)
        DEMAND(eg_pipeline_restore_last(pipeline, series, last->time_ms, last->value, last->flags) == EG_OK,
               "last of %u", series);
    int64_t since = eg_pipeline_restore_since(pipeline, series);
    struct memory_refill refill = {pipeline, series};
    if (since != INT64_MAX)
        memory_range(memory, series, since, INT64_MAX, memory_refill_one, &refill);
}

static struct eg_pipeline *memory_restore(struct memory *memory, const struct eg_conf *conf)
{
    const struct eg_past past = memory_past(memory);
    struct eg_err err = {EG_OK, ""};
    uint32_t last_case = 0;
    struct eg_pipeline *pipeline = eg_pipeline_create(conf, &past);
    if (!pipeline)
        abort();
    eg_pipeline_restore_counters(pipeline, &memory->counters);
    for (size_t i = 0; i < memory->devices_count; i++) {
        const struct kept_device *kept = &memory->devices[i];
        struct eg_row_device row = {kept->id, kept->site, kept->domain, kept->device, kept->registered_ms};
        DEMAND(eg_pipeline_restore_device(pipeline, &row, &err) == EG_OK, "%s", err.text);
        eg_pipeline_restore_rhythm(pipeline, &(struct eg_row_rhythm){kept->id, kept->interval_ms});
        eg_pipeline_restore_standing(pipeline, &kept->standing);
    }
    for (size_t i = 0; i < memory->device_events_count; i++) {
        const struct kept_device_event *kept = &memory->device_events[i];
        const struct eg_row_device_event row = {kept->device, kept->kind, kept->at_ms, "li", kept->note};
        DEMAND(eg_pipeline_restore_device_event(pipeline, &row, &err) == EG_OK, "%s", err.text);
    }
    for (size_t i = 0; i < memory->series_count; i++) {
        const struct kept_series *kept = &memory->series[i];
        struct eg_row_series row = {kept->id, kept->device, kept->quantity, kept->channel};
        DEMAND(eg_pipeline_restore_series(pipeline, &row, &err) == EG_OK, "%s", err.text);
    }
    for (size_t i = 0; i < memory->findings_count; i++)
        eg_pipeline_restore_finding(pipeline, &memory->findings[i]);
    for (uint32_t id = 1; id <= memory->series_count; id++)
        memory_restore_series(memory, pipeline, id);
    for (size_t i = 0; i < memory->states_count; i++) {
        struct eg_row_rule_state row = memory->states[i].row;
        row.rule = memory->states[i].rule;
        eg_pipeline_restore_rule_state(pipeline, &row);
    }
    for (size_t i = 0; i < memory->cases_count; i++) {
        const struct eg_case *row = &memory->cases[i];
        last_case = row->number > last_case ? row->number : last_case;
        if (row->handling != EG_CLOSED && row->handling != EG_REJECTED)
            DEMAND(eg_pipeline_restore_case(pipeline, row, &err) == EG_OK, "%s", err.text);
    }
    for (size_t i = 0; i < memory->suppressed_count; i++)
        DEMAND(eg_pipeline_restore_suppressed(pipeline, &memory->suppressed[i], &err) == EG_OK, "%s",
               err.text);
    for (size_t i = 0; i < memory->changes_count; i++) {
        const struct kept_change *kept = &memory->changes[i];
        const struct eg_case *row = memory_case(memory, kept->case_number);
        if (row && row->handling != EG_CLOSED && row->handling != EG_REJECTED)
            eg_pipeline_restore_change(pipeline, kept->case_number, kept->known_ms, kept->at_ms);
    }
    for (size_t i = 0; i < memory->idents_count; i++)
        eg_pipeline_restore_ident(pipeline, memory->idents[i].mid, memory->idents[i].hash);
    eg_pipeline_restore_ids(pipeline, last_case, memory->last_outbox);
    if (memory->doubted)
        eg_pipeline_restore_doubt(pipeline, memory->doubted_since_ms, memory->doubted_known);
    for (size_t i = 0; memory->doubted && i < memory->own_times_count; i++) {
        const struct eg_row_reading *row = &memory->readings[memory->own_times[i].reading];
        eg_pipeline_restore_said(pipeline, row->series, row->value, memory->own_times[i].time_ms);
    }
    return pipeline;
}

UNWATCHED_END

#endif
