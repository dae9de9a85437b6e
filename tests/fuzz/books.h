/* A pipeline, the store it stands on, and the books that must balance: after every event those of CONTRACT §2, row by row, and after a
 * restart the rebuilt pipeline and the one that was never stopped must go on deciding the same. Knows turns; refuses to know where events
 * come from (fuzz_pipeline_fold.c). */
#ifndef EG_FUZZ_BOOKS_H
#define EG_FUZZ_BOOKS_H

#include "memory.h"

#include <ecogov/time.h>
#include <pipeline/state.h>

#include <math.h>

#define CLOCK_UNSET_MS INT64_C(946684800000)

struct books {
    struct memory memory;
    struct eg_pipeline *pipeline, *twin; /* twin: the one that was not restarted; NULL: none */
    struct eg_batch batch, twin_batch;
    const struct eg_conf *conf;
    int64_t now_ms;
    bool changed; /* the clock was set right, or a reading that had been judged was set aside */
    bool reloaded;
    uint32_t versions[4096]; /* [case number] */
};

UNWATCHED_BEGIN

struct marks { /* how long the batch's lists were before the event */
    size_t readings, case_events, cases, answers, quarantine, devices, series, device_events;
    struct eg_counters counters;
};

static struct marks mark(const struct eg_batch *batch, const struct eg_pipeline *pipeline)
{
    return (struct marks){batch->readings_count, batch->case_events_count,   batch->cases_count,
                          batch->answers_count,  batch->quarantine_count,    batch->devices_count,
                          batch->series_count,   batch->device_events_count, *eg_pipeline_counters(pipeline)};
}

/* --- what must be true after every event --- */

static void check_books(const struct eg_counters *now, const struct eg_counters *before,
                        enum eg_event_kind kind)
{
    DEMAND(now->received == now->decoded + now->duplicate + now->quarantined + now->ignored,
           "messages do not balance");
    DEMAND(now->r_decoded == now->r_stored + now->r_duplicate + now->r_rejected, "readings do not balance");
    DEMAND(now->r_corrected <= now->r_stored, "more corrected than stored");
    DEMAND(now->received == before->received + (kind == EG_EVENT_MESSAGE), "received %llu, then %llu",
           (unsigned long long)before->received, (unsigned long long)now->received);
    DEMAND(now->decoded >= before->decoded && now->duplicate >= before->duplicate &&
               now->quarantined >= before->quarantined && now->ignored >= before->ignored &&
               now->r_stored >= before->r_stored && now->r_duplicate >= before->r_duplicate &&
               now->r_rejected >= before->r_rejected && now->r_corrected >= before->r_corrected,
           "a counter went back");
}

static bool earlier(struct books *books, size_t index, double *ret_value)
{
    const struct eg_row_reading *rows = books->batch.readings;
    for (size_t i = index; i-- > 0;)
        if (rows[i].series == rows[index].series && rows[i].time_ms == rows[index].time_ms) {
            *ret_value = rows[i].value;
            return true;
        }
    return memory_lookup(&books->memory, rows[index].series, rows[index].time_ms, ret_value);
}

/* One (series, time) is stored once, and once more for every other value. */
static void check_reading(struct books *books, size_t index)
{
    const struct eg_row_reading *row = &books->batch.readings[index];
    struct eg_series_view series;
    double before;
    DEMAND(eg_pipeline_series(books->pipeline, row->series, &series), "series %u", row->series);
    const struct eg_quantity_info *info = eg_quantity_info(series.quantity);
    DEMAND(isfinite(row->value) && row->value >= info->low && row->value <= info->high, "%s %g", info->name,
           row->value);
    DEMAND(row->time_ms >= CLOCK_UNSET_MS, "time %lld", (long long)row->time_ms);
    if (row->flags & EG_FLAG_REQUALIFIED) { /* none that came: one that is there, with other flags */
        DEMAND(earlier(books, index, &before) && memcmp(&before, &row->value, sizeof before) == 0,
               "requalified: series %u at %lld", row->series, (long long)row->time_ms);
        return;
    }
    if (!(row->flags & EG_FLAG_ARRIVAL))
        DEMAND(row->time_ms <= books->now_ms + books->conf->future_tolerance_ms, "a reading of the future");
    else
        DEMAND(row->time_ms >= books->now_ms && !(row->flags & EG_FLAG_CORRECTION),
               "dated by arrival: %lld, %d", (long long)row->time_ms, row->flags);
    bool known = earlier(books, index, &before);
    DEMAND(known == ((row->flags & EG_FLAG_CORRECTION) != 0), "known %d, flags %d", known, row->flags);
    DEMAND(!known || memcmp(&before, &row->value, sizeof before) != 0, "stored twice: series %u at %lld",
           row->series, (long long)row->time_ms);
}

static void check_case(const struct books *books, const struct eg_case *row)
{
    DEMAND(row->number && row->id[0] && row->level > EG_LEVEL_NONE && row->level < EG_LEVEL_COUNT,
           "case %u level %u", row->number, row->level);
    DEMAND(row->handling < EG_HANDLING_COUNT && row->condition < EG_CONDITION_COUNT, "case %u", row->number);
    DEMAND((row->closed_ms != EG_TIME_NONE) == (row->handling == EG_CLOSED || row->handling == EG_REJECTED),
           "case %u is %s, closed at %lld", row->number, eg_handling_name((enum eg_handling)row->handling),
           (long long)row->closed_ms);
    /* When the clock is set right a case moves with it, and what a device had dated itself in the meantime does not; what opened a case
     * may be the newest of all, and be set aside when the next comes; and other rules may find another newest. */
    DEMAND(books->changed || books->reloaded || row->opened_ms <= row->last_ms,
           "case %u opened after its last value", row->number);
}

static void note_set_aside(struct books *books, size_t from)
{
    for (size_t i = from; i < books->batch.readings_count; i++)
        books->changed = books->changed || (books->batch.readings[i].flags & EG_FLAG_REQUALIFIED &&
                                            books->batch.readings[i].flags & EG_FLAGS_SET_ASIDE);
}

/* The last of each, which is the one that stays: an event may write a case several times. */
static void check_cases(const struct books *books, size_t from)
{
    const struct eg_case *rows = books->batch.cases;
    for (size_t i = from; i < books->batch.cases_count; i++) {
        bool last = true;
        for (size_t k = i + 1; k < books->batch.cases_count && last; k++)
            last = rows[k].number != rows[i].number;
        if (last)
            check_case(books, &rows[i]);
    }
}

static void check_case_event(struct books *books, const struct eg_case_event *event)
{
    uint32_t *version = &books->versions[event->case_number % 4096];
    DEMAND(event->kind && event->actor && event->from && event->to && event->note,
           "an event with a hole in it");
    DEMAND(event->version == *version + 1, "case %u: version %u after %u", event->case_number, event->version,
           *version);
    *version = event->version;
}

static void check_active(const struct eg_pipeline *pipeline)
{
    const struct eg_case *row, *before = NULL;
    for (size_t i = 0; (row = eg_pipeline_case_at(pipeline, i)); before = row, i++) {
        DEMAND(!before || before->number < row->number, "cases %u and %u are out of order", before->number,
               row->number);
        DEMAND(row->handling != EG_CLOSED && row->handling != EG_REJECTED, "case %u has ended and is active",
               row->number);
    }
}

static void check_answer(const struct books *books, const struct marks *marks, const struct eg_event *event)
{
    const struct eg_batch *batch = &books->batch;
    if (event->kind != EG_EVENT_COMMAND) {
        DEMAND(batch->answers_count == marks->answers, "an answer that nobody asked for");
        return;
    }
    DEMAND(batch->answers_count == marks->answers + 1 && batch->urgent, "%zu answers",
           batch->answers_count - marks->answers);
    const struct eg_answer *answer = &batch->answers[marks->answers];
    size_t events = batch->case_events_count - marks->case_events;
    DEMAND(answer->ticket == event->command.ticket, "another's ticket");
    /* What is refused changes nothing. What is done is in the history, and more may follow from it: who starts takes the lead. */
    events += batch->device_events_count - marks->device_events;
    DEMAND((events >= 1) == (answer->code == EG_OK), "code %d and %zu events", answer->code, events);
    DEMAND(answer->code == EG_OK || *answer->sentence, "refused without a sentence");
}

static void check(struct books *books, const struct marks *marks, const struct eg_event *event)
{
    const struct eg_batch *batch = &books->batch;
    const struct eg_counters *now = eg_pipeline_counters(books->pipeline);
    DEMAND(!batch->failed, "the batch failed");
    DEMAND(!memcmp(now, &batch->counters, sizeof *now), "the batch has other counters than the pipeline");
    check_books(now, &marks->counters, event->kind);
    size_t came = 0; /* what was there and is marked anew counted when it came */
    for (size_t i = marks->readings; i < batch->readings_count; i++)
        came += !(batch->readings[i].flags & EG_FLAG_REQUALIFIED);
    DEMAND(came == now->r_stored - marks->counters.r_stored, "%zu rows for %llu stored", came,
           (unsigned long long)(now->r_stored - marks->counters.r_stored));
    DEMAND(now->quarantined - marks->counters.quarantined <= batch->quarantine_count - marks->quarantine,
           "quarantined without a row");
    for (size_t i = marks->readings; i < batch->readings_count; i++)
        check_reading(books, i);
    note_set_aside(books, marks->readings);
    check_cases(books, marks->cases);
    for (size_t i = marks->case_events; i < batch->case_events_count; i++)
        check_case_event(books, &batch->case_events[i]);
    for (size_t i = marks->quarantine; i < batch->quarantine_count; i++) {
        const struct eg_row_quarantine *row = &batch->quarantine[i];
        DEMAND(*row->reason && *row->verdict && row->payload_len <= EG_QUARANTINE_BYTES &&
                   row->payload_len <= row->full_len,
               "a quarantine row without its reason or with too much payload");
    }
    check_answer(books, marks, event);
    check_active(books->pipeline);
}

/* The rebuilt one and the one that never stopped decide the same. */
static void check_twin(const struct books *books)
{
    if (books->reloaded && books->changed) /* how far back a new rule then judges anew hangs on restarts */
        return;
    const struct eg_batch *a = &books->batch, *b = &books->twin_batch;
    DEMAND(!memcmp(&a->counters, &b->counters, sizeof a->counters), "other counters after a restart");
    DEMAND(a->readings_count == b->readings_count && a->case_events_count == b->case_events_count,
           "after a restart: %zu readings, %zu case events; without: %zu, %zu", a->readings_count,
           a->case_events_count, b->readings_count, b->case_events_count);
    for (size_t i = 0; i < a->readings_count; i++)
        DEMAND(a->readings[i].time_ms == b->readings[i].time_ms &&
                   a->readings[i].flags == b->readings[i].flags,
               "reading %zu differs after a restart", i);
    for (size_t i = 0; i < a->case_events_count; i++) {
        const struct eg_case_event *x = &a->case_events[i], *y = &b->case_events[i];
        DEMAND(x->case_number == y->case_number && x->at_ms == y->at_ms && !strcmp(x->kind, y->kind) &&
                   !strcmp(x->from, y->from) && !strcmp(x->to, y->to),
               "case %u %s %s->%s at %lld after a restart, case %u %s %s->%s at %lld without", x->case_number,
               x->kind, x->from, x->to, (long long)x->at_ms, y->case_number, y->kind, y->from, y->to,
               (long long)y->at_ms);
    }
}

/* --- turns --- */

static void books_settle(struct books *books)
{
    struct marks marks = mark(&books->batch, books->pipeline);
    eg_pipeline_settle(books->pipeline, &books->batch);
    DEMAND(!books->batch.failed, "the batch failed");
    note_set_aside(books, marks.readings);
    check_cases(books, marks.cases);
    for (size_t i = marks.case_events; i < books->batch.case_events_count; i++)
        check_case_event(books, &books->batch.case_events[i]);
    if (!books->twin || !books->batch.events)
        return;
    eg_pipeline_settle(books->twin, &books->twin_batch);
    check_twin(books);
}

static void books_commit(struct books *books)
{
    books_settle(books);
    memory_commit(&books->memory, &books->batch);
    eg_batch_clear(&books->batch);
    eg_batch_clear(&books->twin_batch);
}

static void books_take(struct books *books, const struct eg_event *event)
{
    if (event->kind == EG_EVENT_COMMAND)
        books_settle(books);
    books->changed = books->changed || (event->kind == EG_EVENT_CLOCK && event->clock.is == EG_CLOCK_TRUSTED);
    struct marks marks = mark(&books->batch, books->pipeline);
    eg_pipeline_event(books->pipeline, event, &books->batch);
    check(books, &marks, event);
    if (books->twin) {
        eg_pipeline_event(books->twin, event, &books->twin_batch);
        check_twin(books);
    }
    if (books->batch.urgent) /* as the turn does */
        books_commit(books);
}

/* --- restarts --- */

/* The twin is what follows from no restart: where the store alone was changed, there is none. */
static void books_drop_twin(struct books *books)
{
    eg_pipeline_destroy(books->twin);
    books->twin = NULL;
}

static void books_rebuild(struct books *books)
{
    books_drop_twin(books);
    eg_pipeline_destroy(books->pipeline);
    books->pipeline = memory_restore(&books->memory, books->conf);
}

static void check_bucket(const struct eg_rollup *a, const struct eg_rollup *b)
{
    DEMAND(a->count == b->count, "a bucket of %llu readings, after a restart %llu",
           (unsigned long long)a->count, (unsigned long long)b->count);
    DEMAND(!a->count ||
               (a->start_ms == b->start_ms && a->first_ms == b->first_ms && a->last_ms == b->last_ms &&
                !(a->min < b->min || a->min > b->min) && !(a->max < b->max || a->max > b->max) &&
                fabs(a->sum - b->sum) <= 1e-9 * (1 + fabs(a->sum))),
           "a bucket differs after a restart");
}

static void check_rebuilt(const struct eg_pipeline *live, const struct eg_pipeline *rebuilt)
{
    DEMAND(!memcmp(eg_pipeline_counters(live), eg_pipeline_counters(rebuilt), sizeof(struct eg_counters)),
           "counters");
    DEMAND(eg_pipeline_device_count(live) == eg_pipeline_device_count(rebuilt), "devices");
    DEMAND(eg_pipeline_series_count(live) == eg_pipeline_series_count(rebuilt), "series");
    for (uint32_t id = 1; id <= eg_pipeline_series_count(live); id++) {
        struct eg_series_view a, b;
        eg_pipeline_series(live, id, &a);
        eg_pipeline_series(rebuilt, id, &b);
        DEMAND(a.device == b.device && a.quantity == b.quantity && !strcmp(a.channel, b.channel), "series %u",
               id);
        DEMAND(a.has_last == b.has_last && a.last_ms == b.last_ms &&
                   !memcmp(&a.last_value, &b.last_value, sizeof(double)) && a.last_flags == b.last_flags,
               "the last reading of series %u", id);
        check_bucket(&a.hour, &b.hour);
        check_bucket(&a.day, &b.day);
        DEMAND(isnan(a.day_mean) ? isnan(b.day_mean) : !memcmp(&a.day_mean, &b.day_mean, sizeof a.day_mean),
               "series %u: the mean of the day is %.17g, after a restart %.17g", id, a.day_mean, b.day_mean);
        DEMAND(a.hour_interval_ms == b.hour_interval_ms && a.day_known.hours == b.day_known.hours &&
                   a.day_known.observed_ms == b.day_known.observed_ms,
               "series %u: %u hours of the day are valid, after a restart %u", id, a.day_known.hours,
               b.day_known.hours);
        DEMAND(!memcmp(&a.hour_doubts, &b.hour_doubts, sizeof a.hour_doubts) &&
                   !memcmp(&a.day_doubts, &b.day_doubts, sizeof a.day_doubts),
               "series %u: how many readings are in doubt", id);
        const struct eg_finding *x = live->series[id - 1]->finding, *y = rebuilt->series[id - 1]->finding;
        DEMAND(!x == !y && (!x || (x->noisy_ms == y->noisy_ms && x->drifting_ms == y->drifting_ms &&
                                   x->side == y->side && !memcmp(&x->usual, &y->usual, sizeof x->usual))),
               "series %u: what its hours tell", id);
    }
    for (size_t i = 0;; i++) {
        const struct eg_case *a = eg_pipeline_case_at(live, i), *b = eg_pipeline_case_at(rebuilt, i);
        DEMAND(!a == !b, "%zu active cases", i);
        if (!a)
            return;
        DEMAND(a->number == b->number && a->version == b->version && a->level == b->level &&
                   a->condition == b->condition && a->handling == b->handling && !strcmp(a->id, b->id) &&
                   !strcmp(a->assignee, b->assignee) &&
                   !memcmp(&a->peak_value, &b->peak_value, sizeof(double)),
               "case %u differs after a restart", a->number);
    }
}

/* What a restart does not know of a device: that it was heard without a reading or with one of the near future, its last
 * outage; and since when there is anything to hear. The next silence may then be told sooner or later; no more may differ. */
static void forget_devices(struct eg_pipeline *pipeline, const struct eg_pipeline *rebuilt)
{
    for (size_t i = 0; i < pipeline->device_count; i++) {
        struct eg_device *device = &pipeline->devices[i];
        device->long_ms = 0;
        device->last_seen_ms = rebuilt->devices[i].last_seen_ms;
    }
    pipeline->silent_wake_ms = INT64_MIN;
    pipeline->hearing_ms = rebuilt->hearing_ms;
    pipeline->examine_wake_ms = rebuilt->examine_wake_ms; /* a pass begins anew, and finds the same */
    pipeline->examined_ms = rebuilt->examined_ms;
}

static void books_restart(struct books *books)
{
    books_commit(books);
    struct eg_pipeline *rebuilt = memory_restore(&books->memory, books->conf);
    check_rebuilt(books->pipeline, rebuilt);
    memory_check_buckets(&books->memory);
    books_drop_twin(books);
    books->twin = books->pipeline;
    forget_devices(books->twin, rebuilt);
    books->pipeline = rebuilt;
}

/* Is it of a rule, and for an index ("rule@site") of a site, that the configuration has? */
static bool in_force(const struct eg_conf *conf, const char *key)
{
    const size_t length = strcspn(key, "@");
    bool rule = false, site = !key[length];
    for (size_t i = 0; i < conf->rule_count && !rule; i++)
        rule = strlen(conf->rules[i].id) == length && !strncmp(conf->rules[i].id, key, length);
    for (size_t i = 0; i < conf->site_count && !site; i++)
        site = !strcmp(conf->sites[i].id, key + length + 1);
    return rule && site;
}

/* A timer of a rule that left the configuration ends there; only what belongs to a case is kept for its return. */
static void forget_timers(struct memory *memory, const struct eg_conf *conf)
{
    size_t kept = 0;
    for (size_t i = 0; i < memory->states_count; i++)
        if (memory->states[i].row.state.case_number || in_force(conf, memory->states[i].rule))
            memory->states[kept++] = memory->states[i];
    memory->states_count = kept;
}

static void books_reload(struct books *books, const struct eg_conf *conf)
{
    struct eg_err err = {EG_OK, ""};
    books_commit(books);
    books_drop_twin(books);
    books->conf = conf;
    books->reloaded = true;
    DEMAND(eg_pipeline_configure(books->pipeline, books->conf, &err) == EG_OK, "%s", err.text);
    forget_timers(&books->memory, books->conf);
    check_active(books->pipeline);
}

/* --- its life --- */

static void books_begin(struct books *books, const struct eg_conf *conf, int64_t now_ms)
{
    memset(books, 0, sizeof *books);
    books->conf = conf;
    books->now_ms = now_ms;
    const struct eg_past past = memory_past(&books->memory);
    books->pipeline = eg_pipeline_create(conf, &past);
    if (!books->pipeline)
        abort();
    eg_batch_init(&books->batch);
    eg_batch_init(&books->twin_batch);
}

static void books_finish(struct books *books)
{
    eg_batch_finish(&books->batch);
    eg_batch_finish(&books->twin_batch);
    eg_pipeline_destroy(books->pipeline);
    eg_pipeline_destroy(books->twin);
    memory_finish(&books->memory);
}

UNWATCHED_END

#endif
