/* What people do with cases: which step is allowed when, what is said when it is not, versions, and what a
 * step leaves behind. */
#include "speak.h"

#include <pipeline/state.h>

static struct memory room;

#define RULES                                                                                                \
    "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}, deadline: {acknowledge: 2h, " \
    "fix: 48h}}]\n"

static const char *const verbs[] = {"acknowledge", "assign", "start",  "fix",    "verify",
                                    "close",       "reject", "reopen", "comment"};
#define VERBS (sizeof verbs / sizeof *verbs)

static struct eg_command step(const char *verb)
{
    bool looks = !strcmp(verb, "verify") || !strcmp(verb, "close"); /* not the one who fixed */
    return (struct eg_command){.verb = verb,
                               .case_id = "1",
                               .user = looks ? "wang" : "li",
                               .until_ms = EG_TIME_NONE,
                               .version = -1,
                               .ticket = 77,
                               .note = !strcmp(verb, "reject") || !strcmp(verb, "comment") ? "because" : NULL,
                               .party = !strcmp(verb, "assign") ? "grid" : NULL};
}

/* Brings a fresh case 1 into a handling. */
static void bring_to(enum eg_handling handling)
{
    static const char *const way[EG_HANDLING_COUNT] = {NULL,  "acknowledge", "assign", "start",
                                                       "fix", "close",       "reject"};
    memory_open(&room, SITES RULES);
    reads(&room, NOON, 80);
    room.now_ms += MINUTE;
    if (handling == EG_CLOSED)
        assert_int_equal(asks(&room, step("fix"))->code, EG_OK);
    if (way[handling])
        assert_int_equal(asks(&room, step(way[handling]))->code, EG_OK);
    assert_int_equal(case_of(&room, 1)->handling, handling);
}

/* Rows: where it stands; columns: what is asked. A letter: where it comes to; '-': refused; '=': stays. */
static void test_each_step_from_each_handling(void **unused)
{
    (void)unused;
    static const char *const table[EG_HANDLING_COUNT] = {
        /*              ack assign start fix verify close reject reopen comment */
        [EG_OPEN] = "ASIF--R-=",        [EG_ACKNOWLEDGED] = "-SIF--R-=", [EG_ASSIGNED] = "-SIF--R-=",
        [EG_IN_PROGRESS] = "-S-F--R-=", [EG_FIXED] = "----CCRO=",        [EG_CLOSED] = "-------O=",
        [EG_REJECTED] = "-------O=",
    };
    static const char letters[EG_HANDLING_COUNT + 1] = "OASIFCR";
    for (int handling = 0; handling < EG_HANDLING_COUNT; handling++)
        for (size_t v = 0; v < VERBS; v++)
            for (int restart = 0; restart < 2; restart++) {
                bring_to((enum eg_handling)handling);
                if (restart)
                    memory_restart(&room);
                struct eg_case before = *case_of(&room, 1);
                size_t events = room.events_count;
                const struct eg_answer *answer = asks(&room, step(verbs[v]));
                const struct eg_case *after = case_of(&room, 1);
                char wanted = table[handling][v];
                if (answer->code != (wanted == '-' ? EG_ECONFLICT : EG_OK))
                    fail_msg("%s in %s: %d %s", verbs[v], eg_handling_name((enum eg_handling)handling),
                             answer->code, answer->sentence);
                assert_true(answer->ticket == 77 && answer->case_number == 1);
                if (wanted == '-') {
                    char text[200];
                    assert_memory_equal(after, &before, sizeof before);
                    assert_int_equal(room.events_count, events);
                    snprintf(text, sizeof text, "case %s is %s: %s is not allowed now; allowed: ", before.id,
                             eg_handling_name((enum eg_handling)handling), verbs[v]);
                    assert_int_equal(strncmp(answer->sentence, text, strlen(text)), 0);
                    char allowed[200];
                    snprintf(allowed, sizeof allowed, "%s", answer->sentence + strlen(text));
                    allowed[strcspn(allowed, ";")] = '\0';
                    for (size_t k = 0; k < VERBS; k++) /* names just what the table allows */
                        if ((strstr(allowed, verbs[k]) != NULL) != (table[handling][k] != '-') &&
                            strcmp(verbs[k], "close") != 0)
                            fail_msg("%s: %s", verbs[k], answer->sentence);
                } else {
                    assert_string_equal(answer->sentence, "");
                    assert_int_equal(after->version, before.version + 1);
                    assert_int_equal(after->handling,
                                     wanted == '=' ? handling : strchr(letters, wanted) - letters);
                    bool ended = after->handling == EG_CLOSED || after->handling == EG_REJECTED;
                    assert_true((after->closed_ms != EG_TIME_NONE) == ended);
                    assert_int_equal(after->reopened, wanted == 'O');
                    const struct eg_case_event *event = &room.events[events];
                    assert_true(room.events_count == events + 1 && event->version == after->version &&
                                event->known_ms == room.now_ms && isnan(event->value));
                    assert_string_equal(event->actor, step(verbs[v]).user);
                    assert_string_equal(event->from,
                                        wanted == '=' ? "" : eg_handling_name((enum eg_handling)handling));
                    assert_string_equal(event->note, step(verbs[v]).note ? "because" : "");
                    assert_string_equal(after->assignee,
                                        wanted == 'S' || handling == EG_ASSIGNED ? "grid" : "");
                    assert_true((eg_pipeline_case_at(room.pipeline, 0) == NULL) ==
                                ended); /* the pipeline knows the active ones itself */
                }
                memory_close(&room);
            }
}

static void test_what_is_refused(void **unused)
{
    (void)unused;
    bring_to(EG_ACKNOWLEDGED);
    const struct {
        struct eg_command command;
        enum eg_code code;
        const char *says;
    } table[] = {
        {{.verb = "close", .case_id = "1", .version = 1, .until_ms = EG_TIME_NONE},
         EG_ECONFLICT,
         "has moved on: you saw version 1, it is at 2"},
        {{.verb = "close", .case_id = "1", .version = 3}, EG_ECONFLICT, "you saw version 3"},
        {{.verb = "close", .case_id = "2", .version = -1}, EG_ENOTFOUND, "there is no case '2'"},
        {{.verb = "close", .case_id = "0", .version = -1}, EG_ENOTFOUND, "there is no case '0'"},
        {{.verb = "close", .case_id = "", .version = -1}, EG_ENOTFOUND, "there is no case ''"},
        {{.verb = "close", .case_id = "4294967297", .version = -1},
         EG_ENOTFOUND,
         "there is no case '4294967297'"},
        {{.verb = "close", .case_id = "1 ", .version = -1}, EG_ENOTFOUND, "there is no case '1 '"},
        {{.verb = "burn", .case_id = "1", .version = -1}, EG_EINVAL, "a case knows no step 'burn'"},
        {{.verb = "reject", .case_id = "1", .version = -1}, EG_EINVAL, "reject needs a note"},
        {{.verb = "comment", .case_id = "1", .version = -1, .note = ""}, EG_EINVAL, "comment needs a note"},
        {{.verb = "assign", .case_id = "1", .version = -1}, EG_EINVAL, "assign needs a party"},
        {{.verb = "assign", .case_id = "1", .version = -1, .party = "nobody"},
         EG_EINVAL,
         "there is no party 'nobody'"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct eg_answer *answer = asks(&room, table[i].command);
        if (answer->code != table[i].code || !strstr(answer->sentence, table[i].says))
            fail_msg("row %zu: %d %s", i, answer->code, answer->sentence);
        assert_int_equal(case_of(&room, 1)->version, 2);
    }
    struct eg_command by_id = step("fix");
    by_id.case_id = case_of(&room, 1)->id;
    by_id.version = 2;
    assert_int_equal(asks(&room, by_id)->code, EG_OK);
    memory_close(&room);
}

/* Handling and condition are two axes: what people do changes no condition, what sensors say no handling. */
static void test_two_axes(void **unused)
{
    (void)unused;
    bring_to(EG_FIXED);
    reads(&room, NOON + MINUTE, 60);
    assert_true(case_of(&room, 1)->handling == EG_FIXED && case_of(&room, 1)->condition == EG_CONDITION_OK);
    reads(&room, NOON + 2 * MINUTE, 80);
    assert_true(case_of(&room, 1)->handling == EG_FIXED &&
                case_of(&room, 1)->condition == EG_CONDITION_BREACHING);
    asks(&room, step("verify"));
    assert_true(case_of(&room, 1)->handling == EG_CLOSED &&
                case_of(&room, 1)->condition == EG_CONDITION_BREACHING);
    memory_close(&room);
}

/* Closed while it still burns: the next reading opens another case. Reopened while that one is open: refused;
 * afterwards: it lives again. */
static void test_closing_and_reopening(void **unused)
{
    (void)unused;
    bring_to(EG_CLOSED);
    reads(&room, NOON + MINUTE, 90);
    assert_int_equal(room.cases_count, 2);
    const struct eg_answer *answer = asks(&room, step("reopen"));
    assert_int_equal(answer->code, EG_ECONFLICT);
    assert_non_null(strstr(answer->sentence, "is open for the same matter"));
    assert_non_null(strstr(answer->sentence, case_of(&room, 2)->id));
    struct eg_command close_second = step("close");
    close_second.case_id = "2";
    struct eg_command fix_second = step("fix");
    fix_second.case_id = "2";
    assert_int_equal(asks(&room, fix_second)->code, EG_OK);
    assert_int_equal(asks(&room, close_second)->code, EG_OK);
    assert_int_equal(asks(&room, step("reopen"))->code, EG_OK);
    assert_int_equal(eg_pipeline_case_at(room.pipeline, 0)->number, 1);
    reads(&room, NOON + 2 * MINUTE, 95); /* its rule watches it again */
    assert_int_equal(room.cases_count, 2);
    assert_true(case_of(&room, 1)->peak_value == 95);
    reads(&room, NOON + 3 * MINUTE, 10);
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_OK);
    memory_close(&room);
}

/* Several commands wait while a commit runs; then they go into one turn. What one of them did, the next one
 * sees. */
static void test_in_one_turn(void **unused)
{
    (void)unused;
    static const struct {
        enum eg_handling from;
        const char *verbs[4];
        enum eg_code codes[4];
    } table[] = {
        {EG_OPEN, {"acknowledge", "acknowledge", "fix", "close"}, {EG_OK, EG_ECONFLICT, EG_OK, EG_OK}},
        {EG_OPEN, {"fix", "close", "close", "comment"}, {EG_OK, EG_OK, EG_ECONFLICT, EG_OK}},
        {EG_FIXED, {"close", "reopen", "close", "reopen"}, {EG_OK, EG_OK, EG_ECONFLICT, EG_ECONFLICT}},
        {EG_CLOSED, {"comment", "comment", "reopen", "comment"}, {EG_OK, EG_OK, EG_OK, EG_OK}},
        {EG_CLOSED, {"reopen", "reopen", "fix", "close"}, {EG_OK, EG_ECONFLICT, EG_OK, EG_OK}},
        {EG_REJECTED, {"reopen", "start", "fix", "verify"}, {EG_OK, EG_OK, EG_OK, EG_OK}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bring_to(table[i].from);
        for (size_t k = 0; k < 4; k++) {
            struct eg_event event = {
                .kind = EG_EVENT_COMMAND, .now_ms = room.now_ms, .command = step(table[i].verbs[k])};
            add(&room, &event);
        }
        assert_true(room.batch.urgent);
        turn(&room); /* memory.h holds that the versions have no gap and none stands twice */
        for (size_t k = 0; k < 4; k++)
            if (room.answers[k].code != table[i].codes[k])
                fail_msg("row %zu, %s: %d %s", i, table[i].verbs[k], room.answers[k].code,
                         room.answers[k].sentence);
        memory_close(&room);
    }
}

/* A rule that is gone watches nothing. When it comes back it knows the case that was reopened meanwhile, and
 * opens no second one. */
static void test_reopening_without_the_rule(void **unused)
{
    (void)unused;
    for (int restart = 0; restart < 2; restart++) {
        bring_to(EG_CLOSED);
        memory_reconfigure(&room, SITES);
        assert_int_equal(asks(&room, step("reopen"))->code, EG_OK);
        if (restart)
            memory_restart(&room);
        memory_reconfigure(&room, SITES RULES);
        reads(&room, NOON + MINUTE,
              200); /* memory.h fails on two open cases for one matter; so would the store */
        assert_int_equal(room.cases_count, 1);
        assert_true(case_of(&room, 1)->peak_value == 200);
        reads(&room, NOON + 2 * MINUTE, 10);
        assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_OK);
        memory_close(&room);
    }
    bring_to(EG_CLOSED); /* and the other way round: another one was opened, then the rule went */
    reads(&room, NOON + MINUTE, 90);
    memory_reconfigure(&room, SITES);
    assert_int_equal(asks(&room, step("reopen"))->code, EG_ECONFLICT);
    memory_close(&room);
}

static void test_due_and_lead(void **unused)
{
    (void)unused;
    bring_to(EG_OPEN);
    int64_t detected = case_of(&room, 1)->detected_ms;
    assert_true(case_of(&room, 1)->due_ms == detected + 2 * HOUR);
    asks(&room, step("acknowledge"));
    assert_true(case_of(&room, 1)->due_ms == detected + 48 * HOUR);
    asks(&room, step("fix"));
    assert_true(case_of(&room, 1)->due_ms == EG_TIME_NONE);
    memory_close(&room);
    static const struct {
        const char *mode, *parties, *lead;
    } table[] = {{"collaborative", "[market, bureau, grid]", "market"},
                 {"collaborative", "[bureau, grid]", "bureau"},
                 {"gap_filling", "[bureau, grid, market]", "grid"},
                 {"alternative", "[grid, bureau]", "bureau"},
                 {"gap_filling", "[bureau]", ""},
                 {"alternative", "[]", ""}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char yaml[1000];
        snprintf(yaml, sizeof yaml,
                 "sites: [{id: shangtian, mode: %s, parties: %s}]\n"
                 "parties: [{id: grid, sector: society}, {id: bureau, sector: government}, {id: market, "
                 "sector: market}]\n" RULES,
                 table[i].mode, table[i].parties);
        memory_open(&room, yaml);
        reads(&room, NOON, 80);
        assert_string_equal(case_of(&room, 1)->lead, table[i].lead);
        assert_int_equal(strncmp(case_of(&room, 1)->id, "shangtian-20261123-", 19), 0);
        memory_close(&room);
    }
}

static void test_told_or_not(void **unused)
{
    (void)unused;
    memory_open(&room, SITES RULES);
    struct eg_event event = message_event(NOON, A1, "{\"pm25\":80}", 11, 1);
    add(&room, &event);
    assert_int_equal(room.batch.outbox_count, 1);
    const struct eg_row_outbox *row = &room.batch.outbox[0];
    char topic[200];
    snprintf(topic, sizeof topic, "ecogov/events/case/shangtian/%s", room.batch.cases[0].id);
    assert_string_equal(row->recipient, topic);
    assert_string_equal(row->channel, "mqtt");
    assert_non_null(strstr(row->body, "\"event\":\"opened\""));
    assert_non_null(strstr(row->body, "\"last\":{\"value\":80,\"time\":\"2026-11-23T12:00:00.000Z\"}"));
    turn(&room);
    event = (struct eg_event){.kind = EG_EVENT_DELIVERY,
                              .now_ms = NOON,
                              .delivery = {.outbox_id = 1, .error = "the broker is gone"}};
    add(&room, &event);
    assert_true(room.batch.outbox_done_count == 1 && room.batch.outbox_done[0].id == 1 &&
                !room.batch.outbox_done[0].delivered);
    turn(&room);
    memory_close(&room);
    memory_open(&room, "mqtt: {publish: false}\n" SITES RULES);
    reads(&room, NOON, 80);
    assert_true(room.cases_count == 1 && room.outbox_count == 0);
    memory_close(&room);
}

static void test_a_rule_that_changes_stands_in_the_history(void **unused)
{
    (void)unused;
    const struct eg_event tick = {.kind = EG_EVENT_TICK, .now_ms = NOON + HOUR};
    memory_open(&room, SITES RULES);
    reads(&room, NOON, 80);
    const uint64_t version = case_of(&room, 1)->rule_version;
    size_t events = room.events_count;
    memory_reconfigure(&room, SITES RULES); /* the same text */
    add(&room, &tick);
    turn(&room);
    assert_true(room.events_count == events && case_of(&room, 1)->rule_version == version);
    memory_reconfigure(&room,
                       SITES "rules: [{id: r, quantity: pm25, levels: {warning: {open: 60, clear: 50}}}]\n");
    for (int restart = 0; restart < 2; restart++) { /* told once */
        add(&room, &tick);
        turn(&room);
        assert_true(room.events_count == events + 1);
        memory_restart(&room);
    }
    assert_string_equal(room.events[events].kind, "rule_changed");
    assert_string_not_equal(room.events[events].from, room.events[events].to);
    assert_true(case_of(&room, 1)->rule_version != version && fabs(case_of(&room, 1)->limit - 60) < 1e-9);
    memory_reconfigure(&room, SITES);
    add(&room, &tick);
    turn(&room);
    assert_true(room.events_count == events + 2 && !case_of(&room, 1)->rule_version);
    assert_string_equal(room.events[events + 1].to, "");
    memory_close(&room);
}

/* As many as there may be: no more are opened, and nothing else is wrong. */
static void test_no_more_cases_than_may_be(void **unused)
{
    (void)unused;
    memory_open(&room, SITES RULES);
    const size_t count = room.pipeline->case_count;
    struct eg_case row = {.kind = EG_CASE_REPORT, .opened_ms = NOON};
    room.pipeline->case_count = EG_CASES_MAX;
    assert_null(eg_case_begin(room.pipeline, &row, (struct eg_case_event){.known_ms = NOON, .actor = "li"},
                              &room.batch));
    room.pipeline->case_count = count;
    assert_false(room.batch.failed);
    assert_int_equal(room.batch.cases_count, 0);
    memory_close(&room);
}

/* A false alarm by a sensor's fault becomes its maintenance: a notice, whatever it was, that follows the case. */
static void test_a_sensors_fault_is_its_maintenance(void **unused)
{
    (void)unused;
    memory_open(&room, SITES "rules: [{id: r, quantity: pm25, levels: {critical: {open: 75, clear: 70}}}]\n");
    reads(&room, NOON, 90);
    assert_int_equal(
        asks(&room,
             (struct eg_command){
                 .verb = "reject", .case_id = "1", .reason = "sensor", .note = "dust", .version = -1})
            ->code,
        EG_OK);
    assert_int_equal(room.cases_count, 2);
    const struct eg_case *row = case_of(&room, 2);
    assert_true(row->kind == EG_CASE_MAINTENANCE && row->level == EG_LEVEL_NOTICE && row->follows == 1);
    assert_string_equal(row->rule, "");
    assert_string_equal(row->device, "a1");
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_step_from_each_handling),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_two_axes),
        cmocka_unit_test(test_closing_and_reopening),
        cmocka_unit_test(test_in_one_turn),
        cmocka_unit_test(test_reopening_without_the_rule),
        cmocka_unit_test(test_due_and_lead),
        cmocka_unit_test(test_told_or_not),
        cmocka_unit_test(test_a_rule_that_changes_stands_in_the_history),
        cmocka_unit_test(test_no_more_cases_than_may_be),
        cmocka_unit_test(test_a_sensors_fault_is_its_maintenance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
