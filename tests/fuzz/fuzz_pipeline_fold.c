/* A life of the pipeline out of bytes: messages, redeliveries, commands, deliveries, ticks, commits, restarts, reloads. After every
 * event the books of CONTRACT §2 must balance, row by row, and after a restart the rebuilt pipeline and the one that was never
 * stopped must go on deciding the same.
 *
 * Input: one byte chooses a step (steps[] at the end), the step takes what it needs. */
#include "memory.h"

#include <base/zone.h>
#include <ecogov/time.h>
#include <pipeline/state.h>

#include <math.h>

#define STEPS_MAX 400
#define READINGS_MOST 1200 /* before days by the hour: what is asked of them is looked for one by one */
#define BEGIN_MS INT64_C(1795417200000)
#define CLOCK_UNSET_MS INT64_C(946684800000)
#define BURST_MS 2000 /* readings without a time may run ahead of the clock */

#define PLACES                                                                                               \
    "parties:\n"                                                                                             \
    "  - {id: p1, name: P, sector: government}\n"                                                            \
    "  - {id: p2, name: Q, sector: society}\n"                                                               \
    "sources:\n"                                                                                             \
    "  - {id: usual, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n"                            \
    "  - id: dusty\n"                                                                                        \
    "    topic: dusty/{site}/{device}/state\n"                                                               \
    "    domain: air\n"                                                                                      \
    "    driver: json\n"                                                                                     \
    "    time: /ts\n"                                                                                        \
    "    fields: [{path: /pm25, quantity: pm25}, {path: /temperature, quantity: temperature, unit: degF}]\n" \
    "  - {id: raw, topic: \"raw/{device}/#\", site: v, domain: soil, driver: json}\n"                        \
    "time_zone: Asia/Shanghai\n"                                                                             \
    "flapping: {window: 10m, high: 8, low: 4}\n"                                                             \
    "maintenance: {windows: [{id: w, reason: r, domain: soil, level: critical, hours: '08:00-09:00'}]}\n"    \
    "mqtt: {publish: true}\n"

static const char before_text[] =
    "sites:\n"
    "  - {id: c, name: C, level: county}\n"
    "  - {id: v, name: V, parent: c, mode: gap_filling, parties: [p1, p2]}\n"
    "  - {id: w, name: W, parent: c}\n"
    "max_devices: 6\n"
    "rules:\n"
    "  - {id: now, quantity: pm25, levels: {warning: {open: 75, clear: 70}, "
    "critical: {open: 150, clear: 140}}}\n"
    "  - {id: mean, quantity: pm25, statistic: mean, window: 10m, levels: "
    "{notice: {open: 50, clear: 40}}, hold: 2m}\n"
    "  - {id: aqi, quantity: aqi_cn, levels: {notice: {open: 50, clear: 40}, "
    "critical: {open: 150, clear: 100}}, hold: 1h}\n"
    "  - {id: heap, quantity: waste_pressure, levels: {notice: {open: 50, clear: "
    "40}, critical: {open: 150, clear: 100}}}\n"
    "  - {id: salt, quantity: soil_nemerow, levels: {notice: {open: 1, clear: "
    "1}}}\n"
    "  - {id: rate, quantity: temperature, statistic: rate, window: 1h, "
    "levels: {warning: {open: 20, clear: 5}}}\n"
    "  - {id: cold, quantity: temperature, direction: below, levels: {warning: "
    "{open: 0, clear: 2}}, clear_hold: 5m}\n"
    "  - {id: full, quantity: fill_level, statistic: min, window: 1m, levels: "
    "{warning: {open: 80, clear: 60}}, hold: 10m,\n"
    "     sites: [v], deadline: {acknowledge: 2h, fix: 48h}}\n"
    "  - {id: sum, domain: soil, quantity: soil_moisture, statistic: sum, "
    "window: 1d, levels: {notice: {open: 90, clear: 50}}}\n" PLACES;
static const char after_text[] =
    "sites:\n"
    "  - {id: c, name: C, level: county}\n"
    "  - {id: v, name: V, parent: c, mode: alternative, parties: [p2, p1]}\n"
    "max_devices: 4\n"
    "auto_register: false\n"
    "late_limit: 1h\n"
    "rules:\n"
    "  - {id: now, quantity: pm25, levels: {critical: {open: 150, clear: 140}}, clear_hold: 1m}\n"
    "  - {id: mean, quantity: pm25, statistic: max, window: 1h, levels: {notice: {open: 60, clear: 40}}}\n"
    "  - {id: aqi, quantity: aqi_cn, levels: {notice: {open: 60, clear: 40}}}\n"
    "  - {id: heap, quantity: waste_pressure, levels: {notice: {open: 60, clear: 40}}}\n"
    "  - {id: warm, quantity: temperature, statistic: mean, window: 1h, levels: {notice: {open: 30, clear: "
    "25}}}\n"
    "  - {id: cold, quantity: temperature, direction: below, levels: {warning: {open: 0, clear: "
    "2}}}\n" PLACES;

static struct eg_conf *confs[2];

struct world {
    struct input input;
    struct memory memory;
    struct eg_pipeline *pipeline, *twin; /* twin: the one that was not restarted; NULL: none */
    struct eg_batch batch, twin_batch;
    const struct eg_conf *conf;
    int64_t now_ms;
    uint64_t ticket;
    char topic[128], payload[512]; /* of the last message */
    size_t payload_len;
    uint16_t mid;
    bool retain, dated, sent;
    bool whole;              /* the last message was taken, and all its readings were */
    uint32_t versions[4096]; /* [case number] */
};

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

static bool earlier(struct world *world, size_t index, double *ret_value)
{
    const struct eg_row_reading *rows = world->batch.readings;
    for (size_t i = index; i-- > 0;)
        if (rows[i].series == rows[index].series && rows[i].time_ms == rows[index].time_ms) {
            *ret_value = rows[i].value;
            return true;
        }
    return memory_lookup(&world->memory, rows[index].series, rows[index].time_ms, ret_value);
}

/* One (series, time) is stored once, and once more for every other value. */
static void check_reading(struct world *world, size_t index)
{
    const struct eg_row_reading *row = &world->batch.readings[index];
    struct eg_series_view series;
    double before;
    DEMAND(eg_pipeline_series(world->pipeline, row->series, &series), "series %u", row->series);
    const struct eg_quantity_info *info = eg_quantity_info(series.quantity);
    DEMAND(isfinite(row->value) && row->value >= info->low && row->value <= info->high, "%s %g", info->name,
           row->value);
    DEMAND(row->time_ms >= CLOCK_UNSET_MS, "time %lld", (long long)row->time_ms);
    if (row->flags & EG_FLAG_REQUALIFIED) { /* none that came: one that is there, with other flags */
        DEMAND(earlier(world, index, &before) && memcmp(&before, &row->value, sizeof before) == 0,
               "requalified: series %u at %lld", row->series, (long long)row->time_ms);
        return;
    }
    if (!(row->flags & EG_FLAG_ARRIVAL))
        DEMAND(row->time_ms <= world->now_ms + world->conf->future_tolerance_ms, "a reading of the future");
    else
        DEMAND(row->time_ms >= world->now_ms && !(row->flags & EG_FLAG_CORRECTION),
               "dated by arrival: %lld, %d", (long long)row->time_ms, row->flags);
    bool known = earlier(world, index, &before);
    DEMAND(known == ((row->flags & EG_FLAG_CORRECTION) != 0), "known %d, flags %d", known, row->flags);
    DEMAND(!known || memcmp(&before, &row->value, sizeof before) != 0, "stored twice: series %u at %lld",
           row->series, (long long)row->time_ms);
}

static void check_case(const struct eg_case *row)
{
    DEMAND(row->number && row->id[0] && row->level > EG_LEVEL_NONE && row->level < EG_LEVEL_COUNT,
           "case %u level %u", row->number, row->level);
    DEMAND(row->handling < EG_HANDLING_COUNT && row->condition < EG_CONDITION_COUNT, "case %u", row->number);
    DEMAND((row->closed_ms != EG_TIME_NONE) == (row->handling == EG_CLOSED || row->handling == EG_REJECTED),
           "case %u is %s, closed at %lld", row->number, eg_handling_name((enum eg_handling)row->handling),
           (long long)row->closed_ms);
    DEMAND(row->opened_ms <= row->last_ms, "case %u opened after its last value", row->number);
}

static void check_case_event(struct world *world, const struct eg_case_event *event)
{
    uint32_t *version = &world->versions[event->case_number % 4096];
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

static void check_answer(const struct world *world, const struct marks *marks, const struct eg_event *event)
{
    const struct eg_batch *batch = &world->batch;
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

static void check(struct world *world, const struct marks *marks, const struct eg_event *event)
{
    const struct eg_batch *batch = &world->batch;
    const struct eg_counters *now = eg_pipeline_counters(world->pipeline);
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
        check_reading(world, i);
    for (size_t i = marks->cases; i < batch->cases_count; i++)
        check_case(&batch->cases[i]);
    for (size_t i = marks->case_events; i < batch->case_events_count; i++)
        check_case_event(world, &batch->case_events[i]);
    for (size_t i = marks->quarantine; i < batch->quarantine_count; i++) {
        const struct eg_row_quarantine *row = &batch->quarantine[i];
        DEMAND(*row->reason && *row->verdict && row->payload_len <= EG_QUARANTINE_BYTES &&
                   row->payload_len <= row->full_len,
               "a quarantine row without its reason or with too much payload");
    }
    check_answer(world, marks, event);
    check_active(world->pipeline);
}

/* The rebuilt one and the one that never stopped decide the same. */
static void check_twin(const struct world *world)
{
    const struct eg_batch *a = &world->batch, *b = &world->twin_batch;
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

static void settle(struct world *world)
{
    struct marks marks = mark(&world->batch, world->pipeline);
    eg_pipeline_settle(world->pipeline, &world->batch);
    DEMAND(!world->batch.failed, "the batch failed");
    for (size_t i = marks.cases; i < world->batch.cases_count; i++)
        check_case(&world->batch.cases[i]);
    for (size_t i = marks.case_events; i < world->batch.case_events_count; i++)
        check_case_event(world, &world->batch.case_events[i]);
    if (!world->twin || !world->batch.events)
        return;
    eg_pipeline_settle(world->twin, &world->twin_batch);
    check_twin(world);
}

static void commit(struct world *world)
{
    settle(world);
    memory_commit(&world->memory, &world->batch);
    eg_batch_clear(&world->batch);
    eg_batch_clear(&world->twin_batch);
}

static void take(struct world *world, const struct eg_event *event)
{
    if (event->kind == EG_EVENT_COMMAND)
        settle(world);
    struct marks marks = mark(&world->batch, world->pipeline);
    eg_pipeline_event(world->pipeline, event, &world->batch);
    check(world, &marks, event);
    if (world->twin) {
        eg_pipeline_event(world->twin, event, &world->twin_batch);
        check_twin(world);
    }
    if (world->batch.urgent) /* as the turn does */
        commit(world);
}

static void drop_twin(struct world *world)
{
    eg_pipeline_destroy(world->twin);
    world->twin = NULL;
}

/* --- messages --- */

static void deliver(struct world *world, bool dup)
{
    char *topic = strdup(world->topic);
    uint8_t *payload = malloc(world->payload_len ? world->payload_len : 1);
    if (!topic || !payload)
        abort();
    memcpy(payload, world->payload, world->payload_len);
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = world->now_ms};
    event.message = (struct eg_message){.topic = topic,
                                        .topic_len = strlen(topic),
                                        .payload = payload,
                                        .payload_len = world->payload_len,
                                        .arrived_ms = world->now_ms,
                                        .mid = world->mid,
                                        .qos = world->mid ? 1 : 0,
                                        .retain = world->retain,
                                        .dup = dup};
    const struct eg_counters before = *eg_pipeline_counters(world->pipeline);
    take(world, &event);
    const struct eg_counters *now = eg_pipeline_counters(world->pipeline);
    if (now->duplicate == before.duplicate)
        world->whole = now->decoded > before.decoded && now->r_rejected == before.r_rejected;
    world->sent = true;
    free(topic);
    free(payload);
}

static void make_topic(struct world *world)
{
    static const char *const sites[] = {"v", "w", "c", "nowhere"}, *const domains[] = {"air", "soil", "waste",
                                                                                       "B\xc3"};
    static const char *const devices[] = {"a1", "a2", "a3", "\xe4\xb8\x8a", "", "x\x7f", "a4", "a5"};
    unsigned choice = input_byte(&world->input), names = input_byte(&world->input);
    const char *site = sites[names & 3], *domain = domains[names >> 2 & 3], *device = devices[names >> 4 & 7];
    char *out = world->topic;
    size_t size = sizeof world->topic;
    if (choice < 160)
        snprintf(out, size, "ecogov/%s/%s/%s", site, domain, device);
    else if (choice < 200)
        snprintf(out, size, "dusty/%s/%s/state", site, device);
    else if (choice < 240)
        snprintf(out, size, "raw/%s/%s/x", device, domain);
    else if (choice < 248)
        snprintf(out, size, "ecogov/state/%s", site);
    else
        snprintf(out, size, "nobody/%s", device);
}

static void make_payload(struct world *world)
{
    static const char *const names[] = {"pm25",          "temperature", "fill_level",
                                        "soil_moisture", "cd",          "soil_ph"};
    static const int64_t spans[] = {1, 1000, 60000, 3600000};
    unsigned which = input_byte(&world->input), when = input_byte(&world->input);
    int64_t span = spans[when >> 2 & 3] * (int64_t)input_byte(&world->input);
    char *out = world->payload;
    size_t size = sizeof world->payload,
           used = (size_t)snprintf(out, size, "{\"channel\":\"%s\"", which & 16 ? "x" : "");
    world->dated = (when & 3) != 0;
    if (world->dated)
        used += (size_t)snprintf(out + used, size - used, ",\"ts\":%lld",
                                 (long long)(world->now_ms + ((when & 3) == 3 ? span : -span)));
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (which >> (i < 4 ? i : i + 1) & 1)
            used += (size_t)snprintf(out + used, size - used, ",\"%s\":%d", names[i],
                                     (int)input_byte(&world->input) - 20);
    used += (size_t)snprintf(out + used, size - used, "}");
    world->payload_len = used;
}

static void make_head(struct world *world)
{
    unsigned head = input_byte(&world->input);
    world->mid = (uint16_t)(head & 7); /* few, so that they are used again */
    world->retain = head >> 3 & 1 && head >> 4 & 1;
    world->now_ms += (head >> 5) * 250;
}

static void step_message(struct world *world)
{
    make_head(world);
    make_topic(world);
    make_payload(world);
    deliver(world, false);
}

static void step_any_payload(struct world *world)
{
    make_head(world);
    make_topic(world);
    size_t length = input_byte(&world->input);
    if (length > input_left(&world->input))
        length = input_left(&world->input);
    memcpy(world->payload, world->input.at, length);
    world->input.at += length;
    world->payload_len = length;
    world->dated = false;
    deliver(world, false);
}

static void step_any_topic(struct world *world)
{
    make_head(world);
    char *topic = input_text(&world->input, '\0');
    snprintf(world->topic, sizeof world->topic, "%s", topic);
    free(topic);
    make_payload(world);
    deliver(world, false);
}

/* The broker sends it again: nothing may change a second time. */
static void step_redeliver(struct world *world)
{
    if (!world->sent || !world->mid)
        return;
    const struct eg_counters before = *eg_pipeline_counters(world->pipeline);
    size_t rows = world->batch.readings_count;
    deliver(world, true);
    DEMAND(eg_pipeline_counters(world->pipeline)->duplicate == before.duplicate + 1 &&
               world->batch.readings_count == rows,
           "a redelivered message was taken again");
}

/* The gateway sends it again, as a new message: readings with a time of their own are known. */
static void step_send_again(struct world *world)
{
    if (!world->sent)
        return;
    const struct eg_counters before = *eg_pipeline_counters(world->pipeline);
    const bool known = world->dated && world->whole;
    world->mid = (uint16_t)(world->mid + 8);
    deliver(world, input_byte(&world->input) & 1);
    DEMAND(!known || eg_pipeline_counters(world->pipeline)->r_stored == before.r_stored,
           "readings were stored a second time");
}

/* --- the other doors --- */

static void step_command(struct world *world)
{
    static const char *const verbs[] = {"acknowledge", "assign", "start",   "fix",    "verify", "close",
                                        "reject",      "reopen", "comment", "wonder", "retire", "restore"};
    static const char *const notes[] = {NULL, "", "because", "\xff\n"}, *const parties[] = {NULL, "p1", "p2",
                                                                                            "nobody"};
    unsigned verb = input_byte(&world->input) % 12, which = input_byte(&world->input),
             what = input_byte(&world->input);
    char id[96];
    snprintf(id, sizeof id, "%u", which & 31);
    const char *device = world->memory.devices_count
                             ? world->memory.devices[which % world->memory.devices_count].device
                             : "nobody";
    if (which & 32 && (which & 31) < world->memory.cases_count)
        snprintf(id, sizeof id, "%s", world->memory.cases[which & 31].id);
    struct eg_event event = {.kind = EG_EVENT_COMMAND, .now_ms = world->now_ms};
    event.command = (struct eg_command){.verb = verbs[verb],
                                        .case_id = id,
                                        .device = device,
                                        .user = "li",
                                        .note = notes[what & 3],
                                        .party = parties[what >> 2 & 3],
                                        .until_ms = EG_TIME_NONE,
                                        .version = (what >> 4 & 3) == 3 ? (int64_t)(what >> 6) : -1,
                                        .ticket = ++world->ticket};
    take(world, &event);
}

static void step_delivery(struct world *world)
{
    unsigned what = input_byte(&world->input);
    struct eg_event event = {.kind = EG_EVENT_DELIVERY, .now_ms = world->now_ms};
    event.delivery = (struct eg_delivery){.outbox_id = (int64_t)(what >> 1),
                                          .delivered = what & 1,
                                          .error = what & 1 ? NULL : "refused",
                                          .setback = what & 2 ? EG_SETBACK_TRIED : EG_SETBACK_FINAL};
    take(world, &event);
}

/* The clock is in doubt from here on; or it is trusted, and all is made of what was dated anew. */
static void step_clock(struct world *world)
{
    struct eg_event event = {.kind = EG_EVENT_CLOCK, .now_ms = world->now_ms};
    event.clock = (struct eg_clock_news){.is = EG_CLOCK_DOUBTED, .boot = "b", .why = "store"};
    commit(world);
    drop_twin(world);
    if (eg_pipeline_doubted(world->pipeline) == EG_TIME_NONE) {
        world->now_ms++; /* a line begins behind all there is */
        event.now_ms = world->now_ms;
        take(world, &event);
        return;
    }
    event.clock.is = EG_CLOCK_TRUSTED;
    event.clock.was_ms = world->now_ms + BURST_MS;
    world->now_ms += BURST_MS + (int64_t)input_byte(&world->input) * 3600000;
    event.now_ms = world->now_ms;
    take(world, &event);
    commit(world);
    eg_pipeline_destroy(world->pipeline);
    world->pipeline = memory_restore(&world->memory, world->conf);
    world->sent = false; /* what was sent last may be another reading when it is sent again */
}

static void step_tick(struct world *world)
{
    static const int64_t spans[] = {1, 1000, 60000, 3600000};
    unsigned what = input_byte(&world->input);
    if (what >= 252) {
        step_clock(world);
        return;
    }
    world->now_ms += spans[what & 3] * (int64_t)(what >> 2);
    struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = world->now_ms};
    take(world, &event);
}

/* Days by the hour, of four stations, one of them with an error of its own: so that there is something for the daily look at hours. */
static void step_days(struct world *world)
{
    unsigned days = input_byte(&world->input) % 8, how = input_byte(&world->input);
    const int wrong = (int)(how & 3), kind = (int)(how >> 2 & 3);
    if (world->memory.readings_count > READINGS_MOST)
        return;
    for (int hour = 0; hour < (int)days * 24; hour++) {
        world->now_ms += 3600000;
        struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = world->now_ms};
        for (int i = 0; i < 4 && eg_pipeline_deadline(world->pipeline, world->now_ms) <= world->now_ms; i++)
            take(world, &event);
        for (int station = 0; station < 4; station++) {
            const int error = station != wrong ? 0 : kind == 1 ? 60 : kind == 2 ? (hour % 2 ? 45 : -25) : 0;
            snprintf(world->topic, sizeof world->topic, "ecogov/v/air/a%d", station + 1);
            world->payload_len =
                (size_t)snprintf(world->payload, sizeof world->payload, "{\"ts\":%lld,\"pm25\":%d}",
                                 (long long)(world->now_ms - (how >> 4 & 1 ? (hour % 3) * 1800000 : 0)),
                                 30 + hour % 24 + (hour * 7 + station * 3) % 5 + error);
            world->mid = 0;
            world->retain = false;
            world->dated = true;
            deliver(world, false);
        }
    }
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
 * outage. The next silence may then be told sooner or later; no more may differ. */
static void forget_devices(struct eg_pipeline *pipeline, const struct eg_pipeline *rebuilt)
{
    for (size_t i = 0; i < pipeline->device_count; i++) {
        struct eg_device *device = &pipeline->devices[i];
        device->long_ms = 0;
        device->last_seen_ms = rebuilt->devices[i].last_seen_ms;
    }
    pipeline->silent_wake_ms = INT64_MIN;
    pipeline->examine_wake_ms = rebuilt->examine_wake_ms; /* a pass begins anew, and finds the same */
    pipeline->examined_ms = rebuilt->examined_ms;
}

static void step_restart(struct world *world)
{
    commit(world);
    struct eg_pipeline *rebuilt = memory_restore(&world->memory, world->conf);
    check_rebuilt(world->pipeline, rebuilt);
    memory_check_buckets(&world->memory);
    drop_twin(world);
    world->twin = world->pipeline;
    forget_devices(world->twin, rebuilt);
    world->pipeline = rebuilt;
}

/* A timer of a rule that left the configuration ends there; only what belongs to a case is kept for its return. */
static void forget_timers(struct memory *memory, const struct eg_conf *conf)
{
    size_t kept = 0;
    for (size_t i = 0; i < memory->states_count; i++) {
        bool in_force = memory->states[i].row.state.case_number != 0;
        for (size_t r = 0; r < conf->rule_count; r++)
            in_force = in_force || !strcmp(conf->rules[r].id, memory->states[i].rule);
        if (in_force)
            memory->states[kept++] = memory->states[i];
    }
    memory->states_count = kept;
}

static void step_reload(struct world *world)
{
    struct eg_err err = {EG_OK, ""};
    commit(world);
    drop_twin(world);
    world->conf = world->conf == confs[0] ? confs[1] : confs[0];
    DEMAND(eg_pipeline_configure(world->pipeline, world->conf, &err) == EG_OK, "%s", err.text);
    forget_timers(&world->memory, world->conf);
    check_active(world->pipeline);
}

static void (*const steps[])(struct world *world) = {
    step_message,   step_message, step_message,   step_message,    step_message, step_any_payload,
    step_any_topic, step_tick,    step_redeliver, step_send_again, step_command, step_command,
    step_delivery,  commit,       step_restart,   step_reload,
};
#define DAYS_FROM 248

static void build(void)
{
    static const char *const texts[] = {before_text, after_text};
    for (int i = 0; i < 2; i++) {
        struct eg_buf said;
        eg_buf_init(&said, 65536);
        confs[i] = eg_conf_parse("fuzz.yaml", texts[i], strlen(texts[i]), &said);
        DEMAND(confs[i], "%s", said.data ? said.data : "no memory");
        eg_buf_finish(&said);
    }
    DEMAND(eg_zone_use("Asia/Shanghai"), "no time zone");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    if (!confs[0])
        build();
    memset(&world, 0, sizeof world);
    world.input = (struct input){data, data + size};
    world.conf = confs[0];
    world.now_ms = BEGIN_MS;
    const struct eg_past past = memory_past(&world.memory);
    world.pipeline = eg_pipeline_create(world.conf, &past);
    if (!world.pipeline)
        abort();
    eg_batch_init(&world.batch);
    eg_batch_init(&world.twin_batch);
    for (int i = 0; i < STEPS_MAX && input_left(&world.input); i++) {
        unsigned what = input_byte(&world.input);
        what < DAYS_FROM ? steps[what % (sizeof steps / sizeof *steps)](&world) : step_days(&world);
    }
    eg_batch_finish(&world.batch);
    eg_batch_finish(&world.twin_batch);
    eg_pipeline_destroy(world.pipeline);
    eg_pipeline_destroy(world.twin);
    memory_finish(&world.memory);
    return 0;
}
