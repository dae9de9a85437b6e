/* A life of the pipeline out of bytes: messages, redeliveries, commands, deliveries, ticks, commits, restarts, reloads. Refuses to know
 * what must be true then (books.h).
 *
 * Input: one byte chooses a step (steps[] at the end), the step takes what it needs. A life costs about as much as its events: what takes
 * many of them to be reached is either put into the store at once or has a budget, so that a search of seconds sees thousands of lives. */
#include "books.h"

#include <base/zone.h>

#define STEPS_MAX 400
#define READINGS_MOST 900 /* with days by the hour: what is asked of them is looked for one by one */
#define TOLD_MOST 32      /* readings of hours in a row: each is judged anew for each that is late */
#define BEGIN_MS INT64_C(1795417200000)
#define YEARS 251 /* off, and on again */
#define HOUR_MS INT64_C(3600000)
#define BURST_MS 2000 /* readings without a time may run ahead of the clock */

/* How late is too late is the same in both: else a restart behind a reload would judge less anew than no restart. */
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
    "late_limit: 12h\n"                                                                                      \
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
    "quality: {limits: [{quantity: pm25, spike: 20, spike_share: 0.1}, {quantity: temperature, spike: 3}]}\n"
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
    "quality: {set_aside: suspect, limits: [{quantity: pm25, spike: 30}]}\n"
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

struct life {
    struct input input;
    struct books books;
    uint64_t ticket;
    char topic[128], payload[512]; /* of the last message */
    size_t payload_len;
    uint16_t mid;
    bool retain, dated, sent;
    bool whole; /* the last message was taken, and all its readings were */
    int told;   /* by stations, in hours in a row */
};

/* --- messages --- */

static void deliver(struct life *life, bool dup)
{
    char *topic = strdup(life->topic);
    uint8_t *payload = malloc(life->payload_len ? life->payload_len : 1);
    if (!topic || !payload)
        abort();
    memcpy(payload, life->payload, life->payload_len);
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = life->books.now_ms};
    event.message = (struct eg_message){.topic = topic,
                                        .topic_len = strlen(topic),
                                        .payload = payload,
                                        .payload_len = life->payload_len,
                                        .arrived_ms = life->books.now_ms,
                                        .mid = life->mid,
                                        .qos = life->mid ? 1 : 0,
                                        .retain = life->retain,
                                        .dup = dup};
    const struct eg_counters before = *eg_pipeline_counters(life->books.pipeline);
    books_take(&life->books, &event);
    const struct eg_counters *now = eg_pipeline_counters(life->books.pipeline);
    if (now->duplicate == before.duplicate)
        life->whole = now->decoded > before.decoded && now->r_rejected == before.r_rejected;
    life->sent = true;
    free(topic);
    free(payload);
}

static void make_topic(struct life *life)
{
    static const char *const sites[] = {"v", "w", "c", "nowhere"}, *const domains[] = {"air", "soil", "waste",
                                                                                       "B\xc3"};
    static const char *const devices[] = {"a1", "a2", "a3", "\xe4\xb8\x8a", "", "x\x7f", "a4", "a5"};
    unsigned choice = input_byte(&life->input), names = input_byte(&life->input);
    const char *site = sites[names & 3], *domain = domains[names >> 2 & 3], *device = devices[names >> 4 & 7];
    char *out = life->topic;
    size_t size = sizeof life->topic;
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

static void make_payload(struct life *life)
{
    static const char *const names[] = {"pm25",          "temperature", "fill_level",
                                        "soil_moisture", "cd",          "soil_ph"};
    static const int64_t spans[] = {1, 1000, 60000, 3600000};
    unsigned which = input_byte(&life->input), when = input_byte(&life->input);
    int64_t span = spans[when >> 2 & 3] * (int64_t)input_byte(&life->input);
    char *out = life->payload;
    size_t size = sizeof life->payload,
           used = (size_t)snprintf(out, size, "{\"channel\":\"%s\"", which & 16 ? "x" : "");
    life->dated = (when & 3) != 0;
    if (life->dated)
        used += (size_t)snprintf(out + used, size - used, ",\"ts\":%lld",
                                 (long long)(life->books.now_ms + ((when & 3) == 3 ? span : -span)));
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (which >> (i < 4 ? i : i + 1) & 1)
            used += (size_t)snprintf(out + used, size - used, ",\"%s\":%d", names[i],
                                     (int)input_byte(&life->input) - 20);
    used += (size_t)snprintf(out + used, size - used, "}");
    life->payload_len = used;
}

static void make_head(struct life *life)
{
    unsigned head = input_byte(&life->input);
    life->mid = (uint16_t)(head & 7); /* few, so that they are used again */
    life->retain = head >> 3 & 1 && head >> 4 & 1;
    life->books.now_ms += (head >> 5) * 250;
}

static void step_message(struct life *life)
{
    make_head(life);
    make_topic(life);
    make_payload(life);
    deliver(life, false);
}

static void step_any_payload(struct life *life)
{
    make_head(life);
    make_topic(life);
    size_t length = input_byte(&life->input);
    if (length > input_left(&life->input))
        length = input_left(&life->input);
    memcpy(life->payload, life->input.at, length);
    life->input.at += length;
    life->payload_len = length;
    life->dated = false;
    deliver(life, false);
}

static void step_any_topic(struct life *life)
{
    make_head(life);
    char *topic = input_text(&life->input, '\0');
    snprintf(life->topic, sizeof life->topic, "%s", topic);
    free(topic);
    make_payload(life);
    deliver(life, false);
}

/* The broker sends it again: nothing may change a second time. */
static void step_redeliver(struct life *life)
{
    if (!life->sent || !life->mid)
        return;
    const struct eg_counters before = *eg_pipeline_counters(life->books.pipeline);
    size_t rows = life->books.batch.readings_count;
    deliver(life, true);
    DEMAND(eg_pipeline_counters(life->books.pipeline)->duplicate == before.duplicate + 1 &&
               life->books.batch.readings_count == rows,
           "a redelivered message was taken again");
}

/* The gateway sends it again, as a new message: readings with a time of their own are known. */
static void step_send_again(struct life *life)
{
    if (!life->sent)
        return;
    const struct eg_counters before = *eg_pipeline_counters(life->books.pipeline);
    const bool known = life->dated && life->whole;
    life->mid = (uint16_t)(life->mid + 8);
    deliver(life, input_byte(&life->input) & 1);
    DEMAND(!known || eg_pipeline_counters(life->books.pipeline)->r_stored == before.r_stored,
           "readings were stored a second time");
}

/* --- the other doors --- */

static void step_command(struct life *life)
{
    static const char *const verbs[] = {"acknowledge", "assign", "start",   "fix",    "verify", "close",
                                        "reject",      "reopen", "comment", "wonder", "retire", "restore"};
    static const char *const notes[] = {NULL, "", "because", "\xff\n"}, *const parties[] = {NULL, "p1", "p2",
                                                                                            "nobody"};
    unsigned verb = input_byte(&life->input) % 12, which = input_byte(&life->input),
             what = input_byte(&life->input);
    char id[96];
    snprintf(id, sizeof id, "%u", which & 31);
    const char *device = life->books.memory.devices_count
                             ? life->books.memory.devices[which % life->books.memory.devices_count].device
                             : "nobody";
    if (which & 32 && (which & 31) < life->books.memory.cases_count)
        snprintf(id, sizeof id, "%s", life->books.memory.cases[which & 31].id);
    struct eg_event event = {.kind = EG_EVENT_COMMAND, .now_ms = life->books.now_ms};
    event.command = (struct eg_command){.verb = verbs[verb],
                                        .case_id = id,
                                        .device = device,
                                        .user = "li",
                                        .note = notes[what & 3],
                                        .party = parties[what >> 2 & 3],
                                        .until_ms = EG_TIME_NONE,
                                        .version = (what >> 4 & 3) == 3 ? (int64_t)(what >> 6) : -1,
                                        .ticket = ++life->ticket};
    books_take(&life->books, &event);
}

static void step_delivery(struct life *life)
{
    unsigned what = input_byte(&life->input);
    struct eg_event event = {.kind = EG_EVENT_DELIVERY, .now_ms = life->books.now_ms};
    event.delivery = (struct eg_delivery){.outbox_id = (int64_t)(what >> 1),
                                          .delivered = what & 1,
                                          .error = what & 1 ? NULL : "refused",
                                          .setback = what & 2 ? EG_SETBACK_TRIED : EG_SETBACK_FINAL};
    books_take(&life->books, &event);
}

/* The clock is in doubt from here on; or it is trusted, and all is made of what was dated anew. */
static void step_clock(struct life *life)
{
    struct eg_event event = {.kind = EG_EVENT_CLOCK, .now_ms = life->books.now_ms};
    event.clock = (struct eg_clock_news){.is = EG_CLOCK_DOUBTED, .boot = "b", .why = "store"};
    books_commit(&life->books);
    books_drop_twin(&life->books);
    if (eg_pipeline_doubted(life->books.pipeline) == EG_TIME_NONE) {
        life->books.now_ms++; /* a line begins behind all there is */
        event.now_ms = life->books.now_ms;
        books_take(&life->books, &event);
        return;
    }
    event.clock.is = EG_CLOCK_TRUSTED;
    event.clock.was_ms = life->books.now_ms + BURST_MS;
    life->books.now_ms += BURST_MS + (int64_t)input_byte(&life->input) * 3600000;
    event.now_ms = life->books.now_ms;
    books_take(&life->books, &event);
    books_commit(&life->books);
    books_rebuild(&life->books);
    life->sent = false; /* what was sent last may be another reading when it is sent again */
}

static void step_tick(struct life *life)
{
    static const int64_t spans[] = {1, 1000, 60000, 3600000};
    unsigned what = input_byte(&life->input);
    if (what >= 252) {
        step_clock(life);
        return;
    }
    life->books.now_ms += what == YEARS ? (int64_t)(input_byte(&life->input) % 4) * 366 * 24 * HOUR_MS
                                        : spans[what & 3] * (int64_t)(what >> 2);
    struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = life->books.now_ms};
    books_take(&life->books, &event);
}

static void step_restart(struct life *life)
{
    books_restart(&life->books);
}

static void step_reload(struct life *life)
{
    books_reload(&life->books, life->books.conf == confs[0] ? confs[1] : confs[0]);
}

static void step_commit(struct life *life)
{
    books_commit(&life->books);
}

/* --- hours in a row --- */

/* What one of four stations tells in an hour; one of them may have an error of its own, of a kind. */
static int told(int station, int hour, unsigned how)
{
    const int kind = (int)(how >> 2 & 3);
    const int error = station != (int)(how & 3) ? 0 : kind == 1 ? 40 : kind == 2 ? (hour % 2 ? 45 : -25) : 0;
    return 30 + hour % 24 + (hour * 7 + station * 3) % 5 + error;
}

static void tell(struct life *life, const char *quantity, int station, int hour, unsigned how)
{
    const int64_t ago_ms = how >> 4 & 1 ? (hour % 3) * HOUR_MS / 2 : 0;
    snprintf(life->topic, sizeof life->topic, "ecogov/v/air/a%d", station + 1);
    life->payload_len =
        (size_t)snprintf(life->payload, sizeof life->payload, "{\"ts\":%lld,\"%s\":%d}",
                         (long long)(life->books.now_ms - ago_ms), quantity, told(station, hour, how));
    life->mid = 0;
    life->retain = false;
    life->dated = true;
    deliver(life, false);
}

static void tick_due(struct life *life)
{
    struct books *books = &life->books;
    const struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = books->now_ms};
    for (int i = 0; i < 4 && eg_pipeline_deadline(books->pipeline, books->now_ms) <= books->now_ms; i++)
        books_take(books, &event);
}

/* As they come, and judged one by one: a few; seldom a day and more, over its end and beyond what is judged anew. */
static void step_hours(struct life *life)
{
    const unsigned many = input_byte(&life->input), how = input_byte(&life->input);
    const int hours = many >= 248 ? 26 : (int)many % 4 + 1, stations = (int)(how >> 5 & 3) + 1;
    if (life->told + hours * stations > TOLD_MOST)
        return;
    life->told += hours * stations;
    for (int hour = 0; hour < hours; hour++) {
        life->books.now_ms += HOUR_MS;
        tick_due(life);
        for (int station = 0; station < stations; station++)
            tell(life, "pm25", station, hour, how);
    }
}

/* Days of four stations that are in the store when the pipeline wakes, as behind an import: for the daily look at hours. Judging each hour
 * as it came would cost as much as a thousand lives; so it is a quantity of which no rule asks. */
static void step_days(struct life *life)
{
    const unsigned days = input_byte(&life->input) % 8, how = input_byte(&life->input);
    struct books *books = &life->books;
    struct memory *memory = &books->memory;
    const int64_t begin_ms = books->now_ms;
    if (memory->readings_count + days * 24 * 4 > READINGS_MOST || memory->doubted)
        return;
    for (int station = 0; station < 4; station++)
        tell(life, "humidity", station, 0, how);
    books_commit(books);
    for (uint32_t id = 1; id <= memory->series_count; id++) {
        const char *device = memory->devices[memory->series[id - 1].device - 1].device;
        if (memory->series[id - 1].quantity != EG_Q_humidity || device[0] != 'a')
            continue;
        for (int hour = 0; hour < (int)days * 24; hour++)
            memory_put(memory, id, begin_ms + hour * HOUR_MS + 1, told(device[1] - '1', hour, how));
    }
    memory_remake_buckets(memory);
    books->now_ms += (int64_t)days * 24 * HOUR_MS;
    books_rebuild(books);
    tick_due(life);
}

static void (*const steps[])(struct life *life) = {
    step_message,   step_message, step_message,   step_message,    step_message, step_any_payload,
    step_any_topic, step_tick,    step_redeliver, step_send_again, step_command, step_command,
    step_delivery,  step_commit,  step_restart,   step_reload,
};
#define HOURS_FROM 248 /* even: days; odd: hours */

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
    static struct life life;
    if (!confs[0])
        build();
    memset(&life, 0, sizeof life);
    life.input = (struct input){data, data + size};
    books_begin(&life.books, confs[0], BEGIN_MS);
    for (int i = 0; i < STEPS_MAX && input_left(&life.input); i++) {
        const unsigned what = input_byte(&life.input);
        what < HOURS_FROM ? steps[what % (sizeof steps / sizeof *steps)](&life)
        : what & 1        ? step_hours(&life)
                          : step_days(&life);
    }
    books_finish(&life.books);
    return 0;
}
