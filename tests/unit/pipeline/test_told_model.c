/* Who is told of what, against a model: random readings, steps, silences, a window, flapping, reminders, restarts. Whatever comes: nobody
 * is told twice of one event by one channel, an alarm is called off where it was raised and nowhere else, nothing comes after the end,
 * nobody is told of what is held back, each that was told knows how it stands as soon as nothing holds the case back, and one message
 * makes up for it. ECOGOV_MODEL_STEPS sets how many steps, ECOGOV_MODEL_SEED the seed. */
#include "speak.h"

#define STEPS 3000
#define WINDOW_FROM 18
#define WINDOW_TO 19
#define VILLAGE                                                                                              \
    "channels: [{id: a, kind: mqtt}, {id: b, kind: mqtt, topic: 'ecogov/notify/siren/{party}'}]\n"           \
    "time_zone: UTC\nsites: [{id: linan, parties: [top]}, {id: shangtian, parent: linan, parties: [grid, "   \
    "bureau]}]\n"                                                                                            \
    "parties: [{id: top, sector: government, channels: [{id: a}]}, {id: grid, sector: society, channels: "   \
    "[{id: a}, {id: b, level: critical}]}, {id: bureau, sector: government, channels: [{id: a, repeat: "     \
    "20m, repeat_most: 3}]}]\n"                                                                              \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "maintenance: {windows: [{id: w, reason: works, device: a2, hours: '18:00-19:00'}]}\n"                   \
    "flapping: {window: 30m, high: 15, low: 8}\n"                                                            \
    "rules: [{id: dust, quantity: pm25, levels: {warning: {open: 75, clear: 70}, critical: {open: 150, "     \
    "clear: 140}}, deadline: {acknowledge: 2h, fix: 8h}, reopen_within: 20m}]\n"

static struct memory room;

struct ear { /* a channel of a party, and what it knows of a case */
    uint32_t case_number, version;
    char party[16], channel[8], condition[16];
    bool knows;
};
static struct ear ears[20000];
static size_t ear_count;
static struct {
    unsigned rows, resumed, suppressed, flapping, repeated, ended, caught_up;
} seen;

static struct ear *ear_of(uint32_t number, const char *party, const char *channel)
{
    for (size_t i = ear_count; i-- > 0;)
        if (ears[i].case_number == number && !strcmp(ears[i].party, party) &&
            !strcmp(ears[i].channel, channel))
            return &ears[i];
    assert_true(ear_count < sizeof ears / sizeof *ears);
    struct ear *ear = &ears[ear_count++];
    *ear = (struct ear){.case_number = number};
    snprintf(ear->party, sizeof ear->party, "%s", party);
    snprintf(ear->channel, sizeof ear->channel, "%s", channel);
    return ear;
}

/* As the batch leaves it. */
static const struct eg_case *now_of(uint32_t number)
{
    for (size_t i = room.batch.cases_count; i-- > 0;)
        if (room.batch.cases[i].number == number)
            return &room.batch.cases[i];
    return case_of(&room, number);
}

/* By the model's own lights. */
static bool covered(const char *device, unsigned level)
{
    for (size_t i = 0; i < room.silences_count; i++) {
        const struct eg_silence *silence = &room.silences[i];
        if (silence->ended_ms == EG_TIME_NONE && room.now_ms >= silence->starts_ms &&
            room.now_ms < silence->expires_ms && level <= (unsigned)silence->matcher.level &&
            (!*silence->matcher.device || !strcmp(silence->matcher.device, device)))
            return true;
    }
    int64_t hour = room.now_ms % DAY / HOUR;
    return !strcmp(device, "a2") && level < EG_LEVEL_CRITICAL && hour >= WINDOW_FROM && hour < WINDOW_TO;
}

static bool held(uint32_t number)
{
    for (size_t i = 0; i < room.suppressed_count; i++)
        if (room.suppressed[i].case_number == number)
            return true;
    return false;
}

static bool is(const struct eg_row_outbox *row, const char *why)
{
    return !strcmp(row->why, why);
}

static void take_row(const struct eg_row_outbox *row, bool removal)
{
    const struct eg_case *now = now_of(row->case_number);
    struct ear *ear = ear_of(row->case_number, row->party, row->channel);
    const char *version = strstr(row->body, "\"version\":"),
               *condition = strstr(row->body, "\"condition\":\"");
    assert_true(version && condition);
    uint32_t number = (uint32_t)strtoul(version + 10, NULL, 10);
    bool ended = now->handling == EG_CLOSED || now->handling == EG_REJECTED;
    if (!is(row, "repeated") && ear->version == number)
        fail_msg("%s: told twice of version %u: %s", row->key, number, row->why);
    if ((is(row, "recovered") || is(row, "breaching") || is(row, "ended")) && !ear->knows)
        fail_msg("%s: %s, and nobody there knew of it", row->key, row->why);
    if (ended != is(row, "ended"))
        fail_msg("%s: %s of a case that is %s", row->key, row->why,
                 eg_handling_name((enum eg_handling)now->handling));
    if (is(row, "repeated") && (now->handling != EG_OPEN || now->condition == EG_CONDITION_OK || !ear->knows))
        fail_msg("%s: nobody waits for that", row->key);
    if (!removal && covered(now->device, row->level))
        fail_msg("%s: told while it is held back", row->key);
    ear->knows = !ended;
    ear->version = is(row, "repeated") ? ear->version : number;
    snprintf(ear->condition, sizeof ear->condition, "%.*s", (int)strcspn(condition + 13, "\""),
             condition + 13);
    seen.rows++;
    seen.repeated += is(row, "repeated");
    seen.ended += is(row, "ended");
    seen.caught_up += is(row, "caught_up");
}

/* One message makes up for it, for whoever is meant. */
static void check_resumed(const struct eg_case_event *event)
{
    const struct eg_case *now = now_of(event->case_number);
    unsigned rows = 0;
    for (size_t i = 0; i < room.batch.outbox_count; i++) {
        const struct eg_row_outbox *row = &room.batch.outbox[i];
        const char *version = *row->party ? strstr(row->body, "\"version\":") : NULL;
        rows += version && row->case_number == event->case_number && !strcmp(row->party, "grid") &&
                !strcmp(row->channel, "a") && strtoul(version + 10, NULL, 10) == event->version;
    }
    if (rows != 1)
        fail_msg("case %u was resumed (%s), and the grid got %u messages", event->case_number,
                 eg_handling_name((enum eg_handling)now->handling), rows);
    seen.resumed++;
}

/* Who was told knows how it stands; and who is always meant was told. */
static void check_known(void)
{
    for (size_t i = 0; i < ear_count; i++) {
        const struct ear *ear = &ears[i];
        if (!ear->knows || held(ear->case_number))
            continue;
        const struct eg_case *row = case_of(&room, ear->case_number);
        if (!memory_active(row) ||
            strcmp(ear->condition, eg_condition_name((enum eg_condition)row->condition)) != 0)
            fail_msg("case %u is %s, %s; %s/%s was told last that it is %s", row->number,
                     eg_handling_name((enum eg_handling)row->handling),
                     eg_condition_name((enum eg_condition)row->condition), ear->party, ear->channel,
                     ear->condition);
    }
    for (size_t i = 0; i < room.cases_count; i++)
        if (memory_active(&room.cases[i]) && !held(room.cases[i].number) &&
            !ear_of(room.cases[i].number, "grid", "a")->knows)
            fail_msg("case %u: the grid was never told", room.cases[i].number);
}

static void happens(const struct eg_event *event)
{
    bool removal = event->kind == EG_EVENT_COMMAND && !strcmp(event->command.verb, "unsilence");
    add(&room, event);
    eg_pipeline_settle(room.pipeline, &room.batch);
    for (size_t i = 0; i < room.batch.outbox_count; i++)
        if (*room.batch.outbox[i].party)
            take_row(&room.batch.outbox[i], removal);
    for (size_t i = 0; i < room.batch.case_events_count; i++) {
        const struct eg_case_event *row = &room.batch.case_events[i];
        seen.suppressed += !strcmp(row->kind, "suppressed");
        seen.flapping += !strcmp(row->kind, "flapping");
        if (!strcmp(row->kind, "resumed"))
            check_resumed(row);
    }
    turn(&room);
    check_known();
}

static void until(int64_t now_ms)
{
    int rounds = 0;
    for (int64_t due_ms; (due_ms = eg_pipeline_deadline(room.pipeline, now_ms)) <= now_ms;) {
        if (++rounds > 5000)
            fail_msg("time does not go on at %lld", (long long)room.now_ms);
        room.now_ms = due_ms > room.now_ms ? due_ms : room.now_ms;
        happens(&(struct eg_event){.kind = EG_EVENT_TICK, .now_ms = room.now_ms});
    }
    room.now_ms = now_ms;
}

static void read_something(uint64_t *random)
{
    static const double values[] = {40, 60, 72, 90, 90, 145, 170};
    char payload[100], topic[64];
    int length = snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%g}", (long long)room.now_ms,
                          values[random_below(random, 7)]);
    snprintf(topic, sizeof topic, "ecogov/shangtian/air/a%d", 1 + (int)random_below(random, 3));
    struct eg_event event = message_event(room.now_ms, topic, payload, (size_t)length, ++room.mid);
    happens(&event);
}

static void say_something(uint64_t *random)
{
    static const char *const verbs[] = {"acknowledge", "assign", "start", "fix",
                                        "verify",      "reject", "reopen"};
    static const char *const users[] = {"chen", "li", "wang"};
    static const char *const parties[] = {"grid", "bureau", "top"};
    char id[16];
    if (!room.cases_count)
        return;
    size_t newest = room.cases_count < 6 ? room.cases_count : 6;
    snprintf(id, sizeof id, "%u",
             room.cases[room.cases_count - 1 - (size_t)random_below(random, (int64_t)newest)].number);
    const char *verb = verbs[random_below(random, 7)];
    struct eg_command command = {.verb = verb,
                                 .case_id = id,
                                 .user = users[random_below(random, 3)],
                                 .party = !strcmp(verb, "assign") ? parties[random_below(random, 3)] : NULL,
                                 .note = "because",
                                 .until_ms = EG_TIME_NONE,
                                 .version = -1};
    happens(&(struct eg_event){.kind = EG_EVENT_COMMAND, .now_ms = room.now_ms, .command = command});
}

static void silence_something(uint64_t *random)
{
    static const char *const devices[] = {"a1", "a2", "a3"}, *const levels[] = {"notice", "warning",
                                                                                "critical"};
    bool all = !random_below(random, 4);
    struct eg_command command = {.verb = "silence",
                                 .case_id = "",
                                 .user = "li",
                                 .site = all ? "linan" : NULL,
                                 .device = all ? NULL : devices[random_below(random, 3)],
                                 .level = levels[random_below(random, 3)],
                                 .note = "works",
                                 .starts_ms = room.now_ms + random_below(random, 2) * 10 * MINUTE,
                                 .until_ms = room.now_ms + (11 + random_below(random, 50)) * MINUTE,
                                 .version = -1};
    happens(&(struct eg_event){.kind = EG_EVENT_COMMAND, .now_ms = room.now_ms, .command = command});
}

static void unsilence_something(uint64_t *random)
{
    char id[16];
    if (!room.silences_count)
        return;
    size_t newest = room.silences_count < 4 ? room.silences_count : 4;
    snprintf(id, sizeof id, "%zu", room.silences_count - (size_t)random_below(random, (int64_t)newest));
    struct eg_command command = {
        .verb = "unsilence", .case_id = id, .user = "li", .until_ms = EG_TIME_NONE, .version = -1};
    happens(&(struct eg_event){.kind = EG_EVENT_COMMAND, .now_ms = room.now_ms, .command = command});
}

static void test_random_walk(void **unused)
{
    const char *seed = getenv("ECOGOV_MODEL_SEED"), *wanted = getenv("ECOGOV_MODEL_STEPS");
    uint64_t random = seed ? strtoull(seed, NULL, 10) : 20261126;
    long steps = wanted ? strtol(wanted, NULL, 10) : STEPS;
    (void)unused;
    printf("seed %llu, %ld steps\n", (unsigned long long)random, steps);
    random = random * 2654435761u | 1;
    memory_open(&room, VILLAGE);
    for (long step = 0; step < steps; step++) {
        until(room.now_ms + random_below(&random, 6 * MINUTE));
        int64_t what = random_below(&random, 100);
        if (what < 55)
            read_something(&random);
        else if (what < 78)
            say_something(&random);
        else if (what < 86)
            silence_something(&random);
        else if (what < 91)
            unsilence_something(&random);
        else if (what < 95)
            memory_restart(&room);
    }
    until(room.now_ms + 2 * DAY);
    assert_int_equal(room.suppressed_count, 0);
    printf(
        "%zu cases: %u messages, %u held back, %u flapped, %u resumed, %u told late, %u repeated, %u ended\n",
        room.cases_count, seen.rows, seen.suppressed, seen.flapping, seen.resumed, seen.caught_up,
        seen.repeated, seen.ended);
    if (steps >= STEPS)
        assert_true(seen.suppressed > 30 && seen.flapping > 10 && seen.resumed > 30 && seen.repeated > 10 &&
                    seen.ended > 30);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_walk)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
