/* Handling against a model: random readings, late ones, gaps, commands by several people of several parties, reports, exercises, silences,
 * ticks, restarts; a small reference model of the table of steps says what each command and each report must come to. Held at every step:
 * versions without a gap and one active case per rule and series (memory.h), no close without a verification by another than who fixed,
 * each deadline missed once. ECOGOV_MODEL_STEPS sets how many steps (100,000 for a long run), ECOGOV_MODEL_SEED the seed. A case of a
 * silent device or series is unknown, by what is stored alone. That the chain of the history holds, tests/replay/test_random.py says. */
#include "speak.h"

static struct memory room;
static size_t unknowns;

#define VILLAGE                                                                                              \
    "time_zone: Asia/Shanghai\n"                                                                             \
    "socket: {clerks: [wang]}\n"                                                                             \
    "sites: [{id: linan, parties: [bureau]}, {id: shangtian, parent: linan, mode: collaborative, parties: "  \
    "[grid, office]}, {id: xiatian, parent: linan, mode: gap_filling, parties: [grid, office]}, {id: "       \
    "dongtian, parent: linan, mode: alternative, parties: [grid, office]}]\n"                                \
    "parties: [{id: grid, sector: society, members: [chen, hu]}, {id: office, sector: government, members: " \
    "[li]}, {id: bureau, sector: government}]\n"                                                             \
    "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}, critical: {open: 150, clear: " \
    "140}}, deadline: {acknowledge: 2h, fix: 8h, verify: 4h, critical: {acknowledge: 30m}}, reopen_within: " \
    "1h, regional: {sites: 2, within: 30m}}, {id: m, quantity: pm10, levels: {warning: {open: 100, clear: "  \
    "90}}, close: measured, close_hours: 2}]\n"                                                              \
    "device_rules: [{id: quiet, when: silent, hold: 2h, deadline: {fix: 4h}}, {id: out, when: outage}]\n"    \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"

static const char *const sites[] = {"shangtian", "xiatian", "dongtian"};
static const char *const verbs[] = {"acknowledge", "assign", "start",  "fix",    "verify",
                                    "close",       "reject", "reopen", "comment"};
enum verb { ACKNOWLEDGE, ASSIGN, START, FIX, VERIFY, CLOSE, REJECT, REOPEN, COMMENT, VERBS };
static const char *const users[] = {"chen", "hu", "li", "wang"};

/* Who is whose member, as the model has it. */
static const char *party_of(const char *user)
{
    return !strcmp(user, "chen") || !strcmp(user, "hu") ? "grid" : !strcmp(user, "li") ? "office" : "";
}

static const char *sector_of(const char *party)
{
    return !strcmp(party, "grid") ? "society" : *party ? "government" : "";
}

/* May this person, speaking for that party or none, say that it is over? */
static bool may_look(const struct eg_case *row, const char *user, const char *party)
{
    bool clerk = party && !strcmp(party, "bureau") && !strcmp(user, "wang");
    const char *own = party ? party : party_of(user);
    if (*row->repairer && !strcmp(own, row->repairer))
        return false;
    if (!clerk && !strcmp(user, row->fixer))
        return false;
    if (!strcmp(row->site, "linan") && !strcmp(sector_of(row->repairer), "government"))
        return true; /* nobody of another sector is there */
    if (row->mode == EG_MODE_COLLABORATIVE && *row->repairer)
        return *own && strcmp(sector_of(own), sector_of(row->repairer)) != 0;
    return true;
}

/* What the table says: where it leads, -1: refused, -2: it stays. Row: enum eg_handling. */
static int table(enum verb verb, const struct eg_case *row, bool spared)
{
    static const char *const rows[EG_HANDLING_COUNT] = {
        "1234--6-=", "-234--6-=", "-234--6-=", "-2-4--6-=", "----5560=", "-------0=", "-------0="};
    char mark = rows[row->handling][verb];
    if (verb == CLOSE && spared)
        return row->handling < EG_CLOSED ? EG_CLOSED : -1;
    return mark == '-' ? -1 : mark == '=' ? -2 : mark - '0';
}

static bool spared(const struct eg_case *row)
{
    return row->kind == EG_CASE_MAINTENANCE || row->kind == EG_CASE_DEVICE || row->kind == EG_CASE_OUTAGE ||
           (row->kind == EG_CASE_BREACH && !strcmp(row->rule, "m"));
}

static bool other_active(const struct eg_case *row)
{
    for (size_t i = 0; i < room.cases_count; i++) {
        const struct eg_case *other = &room.cases[i];
        if (other->number != row->number && memory_active(other) && other->kind == row->kind &&
            other->series == row->series && !strcmp(other->rule, row->rule) &&
            !strcmp(other->site, row->site) && !strcmp(other->domain, row->domain) &&
            !strcmp(other->device, row->device))
            return true;
    }
    return false;
}

static void command(uint64_t *random, int step)
{
    if (!room.cases_count)
        return;
    char id[16];
    enum verb verb = (enum verb)random_below(random, VERBS);
    size_t newest = room.cases_count < 12 ? room.cases_count : 12;
    const struct eg_case before =
        room.cases[room.cases_count - 1 - (size_t)random_below(random, (int64_t)newest)];
    const char *user = users[random_below(random, 4)], *party = random_below(random, 3)   ? NULL
                                                                : random_below(random, 2) ? "bureau"
                                                                                          : "grid";
    int64_t version = random_below(random, 8) ? -1 : before.version - random_below(random, 2);
    snprintf(id, sizeof id, "%u", before.number);
    if (verb == ASSIGN)
        party = random_below(random, 5) ? "grid" : NULL;
    const struct eg_answer *answer =
        asks(&room, (struct eg_command){
                        .verb = verbs[verb],
                        .case_id = id,
                        .user = user,
                        .party = party,
                        .note = verb == REJECT || verb == COMMENT ? "because" : NULL,
                        .reason = verb == REJECT && !random_below(random, 3) ? "sensor" : NULL,
                        .until_ms = verb == ACKNOWLEDGE && !random_below(random, 3) ? room.now_ms + HOUR : 0,
                        .version = version});
    int to = table(verb, &before, spared(&before));
    bool looks = (verb == VERIFY || verb == CLOSE) && !(verb == CLOSE && spared(&before));
    enum eg_code expected = EG_OK;
    if (version >= 0 && version != before.version)
        expected = EG_ECONFLICT;
    else if (to == -1)
        expected = EG_ECONFLICT;
    else if (verb == ASSIGN && !party)
        expected = EG_EINVAL;
    else if (verb != ASSIGN && party && !strcmp(party, "grid") && strcmp(party_of(user), "grid") != 0)
        expected = EG_EFORBIDDEN;
    else if (looks && !may_look(&before, user, party))
        expected = EG_ECONFLICT;
    else if (verb == REOPEN && !memory_active(&before) && other_active(&before))
        expected = EG_ECONFLICT;
    if (answer->code != (int)expected)
        fail_msg("step %d: %s of case %u (%s, kind %u) by %s for %s: %d, expected %d: %s", step, verbs[verb],
                 before.number, eg_handling_name((enum eg_handling)before.handling), before.kind, user,
                 party ? party : "-", answer->code, expected, answer->sentence);
    const struct eg_case *after = case_of(&room, before.number);
    if (after->handling != (expected != EG_OK || to == -2 ? before.handling : to))
        fail_msg("step %d: %s of case %u leads to %s", step, verbs[verb], before.number,
                 eg_handling_name((enum eg_handling)after->handling));
}

/* --- what nobody knows any more --- */

/* How long may this be silent? By what is stored alone: three times the mean distance of what came on the local day of the newest. */
static int64_t series_may(uint32_t series, int64_t last_ms)
{
    int64_t day = (last_ms + 8 * HOUR) / DAY, first_ms = last_ms, count = 0;
    for (size_t i = 0; i < room.readings_count; i++) {
        const struct eg_row_reading *row = &room.readings[i];
        if (row->series != series || (row->time_ms + 8 * HOUR) / DAY != day)
            continue;
        count++;
        first_ms = row->time_ms < first_ms ? row->time_ms : first_ms;
    }
    return count > 2 ? 3 * ((last_ms - first_ms) / (count - 1)) : DAY;
}

static int64_t newest_of(uint32_t device, uint32_t series)
{
    int64_t newest = EG_TIME_NONE;
    for (size_t i = 0; i < room.readings_count; i++) {
        const struct eg_row_reading *row = &room.readings[i];
        if ((series ? row->series == series : room.series[row->series - 1].device == device) &&
            row->time_ms > newest)
            newest = row->time_ms;
    }
    return newest;
}

/* `slack_ms`: a reading without a time may be dated some ms behind its arrival, from which its device's time runs. */
static bool nobody_knows(const struct eg_case *row, int64_t slack_ms)
{
    struct eg_device_view device;
    uint32_t of = room.series[row->series - 1].device;
    assert_true(eg_pipeline_device(room.pipeline, of, &device));
    int64_t may = device.interval_ms ? device.interval_ms * 3 : DAY, last_ms = newest_of(of, row->series);
    for (uint32_t s = 1; !device.interval_ms && s <= room.series_count; s++)
        if (room.series[s - 1].device == of && newest_of(of, s) != EG_TIME_NONE &&
            series_may(s, newest_of(of, s)) < may)
            may = series_may(s, newest_of(of, s)); /* nobody has learned it: its readings tell */
    may = may < 10 * MINUTE ? 10 * MINUTE : may;
    int64_t own = series_may(row->series, last_ms);
    int64_t now_ms = room.now_ms + slack_ms;
    return now_ms - newest_of(of, 0) >= may || now_ms - last_ms >= (own > may ? own : may);
}

/* What opened it may go on to come in. */
static bool may_go_on(const struct eg_case *row)
{
    return room.now_ms - row->detected_ms < 5 * MINUTE;
}

/* Whoever is silent is neither breaching nor ok, and nobody else is unknown: before the tick and behind it, and over a restart. */
static void look_at_the_conditions(size_t events_before)
{
    for (size_t c = 0; c < room.cases_count; c++) {
        const struct eg_case *row = &room.cases[c];
        bool became = false;
        if (row->kind != EG_CASE_BREACH || !memory_active(row))
            continue;
        for (size_t i = events_before; i < room.events_count; i++)
            became = became ||
                     (room.events[i].case_number == row->number && !strcmp(room.events[i].to, "unknown"));
        bool unknown = row->condition == EG_CONDITION_UNKNOWN;
        bool sure = nobody_knows(row, 0) == nobody_knows(row, 20);
        if (sure && nobody_knows(row, 0) != unknown && !(unknown && !became) && !(!unknown && may_go_on(row)))
            fail_msg("case %u at %lld is %s", row->number, (long long)room.now_ms,
                     eg_condition_name((enum eg_condition)row->condition));
        unknowns += became;
    }
}

/* The next reading tells. */
static void look_at_who_spoke(size_t readings_before)
{
    for (size_t c = 0; c < room.cases_count; c++)
        for (size_t i = readings_before; i < room.readings_count; i++)
            if (memory_active(&room.cases[c]) && room.cases[c].series == room.readings[i].series &&
                room.cases[c].condition == EG_CONDITION_UNKNOWN)
                fail_msg("case %u is unknown, though a reading came", room.cases[c].number);
}

static void reading(uint64_t *random)
{
    size_t readings_before = room.readings_count;
    char payload[96];
    char topic[64];
    const char *quantity = random_below(random, 3) ? "pm25" : "pm10";
    bool late = !random_below(random, 6);
    snprintf(topic, sizeof topic, "ecogov/%s/air/a1", sites[random_below(random, 3)]);
    int length = snprintf(payload, sizeof payload, "{\"%s\":%d", quantity, (int)random_below(random, 180));
    if (late) /* never at the same moment as another: that would be a correction */
        length += snprintf(payload + length, sizeof payload - (size_t)length, ",\"ts\":%lld",
                           (long long)(room.now_ms - 1 - random_below(random, 20 * HOUR)));
    length += snprintf(payload + length, sizeof payload - (size_t)length, "}");
    struct eg_event event = message_event(room.now_ms, topic, payload, (size_t)length, ++room.mid);
    add(&room, &event);
    turn(&room);
    if (!late)
        look_at_who_spoke(readings_before);
}

/* --- what people report --- */

/* The newest active one that a report about the place joins; of a repair: that is said to be fixed. */
static const struct eg_case *joined(const char *site, const char *domain, bool repair)
{
    const struct eg_case *found = NULL;
    for (size_t i = 0; i < room.cases_count; i++) {
        const struct eg_case *row = &room.cases[i];
        bool kind = row->kind == EG_CASE_BREACH || row->kind == EG_CASE_REPORT;
        if (kind && memory_active(row) && !strcmp(row->site, site) && !strcmp(row->domain, domain) &&
            (!repair || row->handling == EG_FIXED) && (!found || row->number > found->number))
            found = row;
    }
    return found;
}

static void report(uint64_t *random, int step)
{
    static const char *const domains[] = {"air", "waste"};
    char id[16];
    struct eg_report said = {.site = sites[random_below(random, 3)],
                             .domain = domains[random_below(random, 2)],
                             .user = users[random_below(random, 4)],
                             .text = "smoke",
                             .quantity = EG_QUANTITY_NONE,
                             .value = (double)NAN,
                             .time_ms = EG_TIME_NONE,
                             .latitude = (double)NAN,
                             .longitude = (double)NAN,
                             .repair = (enum eg_repair)random_below(random, 3)};
    const struct eg_case *there = NULL;
    if (room.cases_count && !random_below(random, 2)) {
        there = &room.cases[random_below(random, (int64_t)room.cases_count)];
        snprintf(id, sizeof id, "%u", there->number);
        said.case_id = id;
    } else {
        there = joined(said.site, said.domain, said.repair != EG_REPAIR_NONE);
    }
    const struct eg_case before = there ? *there : (struct eg_case){0};
    size_t cases_before = room.cases_count;
    enum eg_code expected = EG_OK;
    bool repaired = before.handling == EG_FIXED || before.handling == EG_CLOSED,
         past = there && !memory_active(there);
    if (!there && said.repair != EG_REPAIR_NONE)
        expected = EG_ENOTFOUND;
    else if (there && said.repair != EG_REPAIR_NONE && !repaired)
        expected = EG_ECONFLICT;
    else if (there && said.repair == EG_REPAIR_DISPUTED && past && other_active(there))
        expected = EG_ECONFLICT;
    struct eg_event event = {.kind = EG_EVENT_REPORT, .now_ms = room.now_ms, .report = said};
    add(&room, &event);
    turn(&room);
    assert_int_equal(room.answers_count, 1);
    const struct eg_answer *answer = &room.answers[0];
    if (answer->code != (int)expected)
        fail_msg("step %d: report at %s/%s (repair %d) on %u (%s): %d, expected %d: %s", step, said.site,
                 said.domain, said.repair, before.number, eg_handling_name((enum eg_handling)before.handling),
                 answer->code, expected, answer->sentence);
    if (!there) { /* it opens one, or none */
        assert_true(room.cases_count == cases_before + (expected == EG_OK));
        return;
    }
    const struct eg_case *after = case_of(&room, before.number);
    assert_true(room.cases_count == cases_before);
    /* and that it is held back, or not any more, may be told with it */
    assert_true(expected == EG_OK ? after->version > before.version : after->version == before.version);
    assert_int_equal(after->handling,
                     expected == EG_OK && said.repair == EG_REPAIR_DISPUTED ? EG_OPEN : before.handling);
}

/* --- exercises and silences --- */

static void exercise(uint64_t *random)
{
    const char *site = sites[random_below(random, 3)];
    bool under_way = false;
    for (size_t i = 0; i < room.cases_count; i++)
        under_way = under_way || (room.cases[i].kind == EG_CASE_DRILL && memory_active(&room.cases[i]) &&
                                  !strcmp(room.cases[i].site, site));
    int code = asks(&room, (struct eg_command){.verb = "drill",
                                               .case_id = "",
                                               .rule = "r",
                                               .site = site,
                                               .faster = random_below(random, 2) * 60,
                                               .version = -1})
                   ->code;
    assert_int_equal(code, under_way ? EG_ECONFLICT : EG_OK);
}

static void silence(uint64_t *random)
{
    if (random_below(random, 3)) {
        asks(&room, (struct eg_command){.verb = "silence",
                                        .case_id = "",
                                        .site = sites[random_below(random, 3)],
                                        .note = "the road is swept",
                                        .level = random_below(random, 2) ? "critical" : NULL,
                                        .starts_ms = EG_TIME_NONE,
                                        .until_ms = room.now_ms + (1 + random_below(random, 180)) * MINUTE,
                                        .version = -1});
        assert_int_equal(room.answers[0].code, EG_OK);
    } else if (room.silences_count) {
        char id[16];
        snprintf(id, sizeof id, "%u", room.silences[random_below(random, (int64_t)room.silences_count)].id);
        asks(&room, (struct eg_command){.verb = "unsilence", .case_id = id, .version = -1});
    }
}

static void tick(void)
{
    const struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = room.now_ms};
    if (eg_pipeline_deadline(room.pipeline, room.now_ms) > room.now_ms)
        return;
    add(&room, &event);
    turn(&room);
    assert_true(eg_pipeline_deadline(room.pipeline, room.now_ms) >
                room.now_ms); /* what was due has been seen to, once */
}

/* The histories, from the first event on. */
static void look_at_the_histories(void)
{
    for (size_t c = 0; c < room.cases_count; c++) {
        const struct eg_case *row = &room.cases[c];
        const char *fixer = "";
        for (size_t i = 0; i < room.events_count; i++) {
            const struct eg_case_event *event = &room.events[i];
            if (event->case_number != row->number)
                continue;
            if (!strcmp(event->kind, "fixed"))
                fixer = event->actor;
            if (!strcmp(event->kind, "verified") && !strcmp(event->actor, fixer) &&
                (strcmp(event->party, "bureau") != 0 || strcmp(event->actor, "wang") != 0))
                fail_msg("case %u: %s verified what he fixed", row->number, fixer);
            for (size_t k = 0; k < i && !strcmp(event->kind, "missed"); k++)
                if (room.events[k].case_number == row->number && !strcmp(room.events[k].kind, "missed") &&
                    room.events[k].at_ms == event->at_ms && !strcmp(room.events[k].to, event->to))
                    fail_msg("case %u missed the deadline (%s) of %lld twice", row->number, event->to,
                             (long long)event->at_ms);
            bool closes = !strcmp(event->kind, "closed");
            if (closes && row->kind == EG_CASE_BREACH && !strcmp(row->rule, "r"))
                fail_msg("case %u was closed without a verification", row->number);
        }
    }
}

static void test_against_the_model(void **unused)
{
    (void)unused;
    const char *steps_text = getenv("ECOGOV_MODEL_STEPS"), *seed_text = getenv("ECOGOV_MODEL_SEED");
    int64_t steps = steps_text ? strtoll(steps_text, NULL, 10) : 20000;
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 20261126;
    printf("seed %llu, %lld steps\n", (unsigned long long)seed, (long long)steps);
    size_t cases = 0, events = 0;
    /* many short lives: the store of cardboard is searched from end to end */
    for (int64_t done = 0; done < steps; seed++) {
        uint64_t random = seed;
        memory_open(&room, VILLAGE);
        for (int step = 0; step < 300 && done < steps; step++, done++) {
            room.now_ms += random_below(&random, 20) * MINUTE;
            size_t events_before = room.events_count;
            tick();
            look_at_the_conditions(events_before);
            int64_t pick = random_below(&random, 100);
            if (pick < 40)
                reading(&random);
            else if (pick < 84)
                command(&random, step);
            else if (pick < 92)
                report(&random, step);
            else if (pick < 94)
                exercise(&random);
            else if (pick < 96)
                silence(&random);
            else
                memory_restart(&room);
        }
        look_at_the_histories();
        cases += room.cases_count;
        events += room.events_count;
        memory_close(&room);
    }
    printf("%zu cases, %zu events, %zu times unknown\n", cases, events, unknowns);
    assert_true(cases * 50 > (size_t)steps && events > 4 * cases &&
                unknowns * 200 > (size_t)steps); /* something did happen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_the_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
