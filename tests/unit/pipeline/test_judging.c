/* What judging remembers and forgets: what is enough of a window, how far back a late reading reaches, what a reload, a restart and a case
 * that is over or opened again leave of where a rule stands. */
#include "speak.h"

#include <pipeline/state.h>

static struct memory room;

#define SMOKE "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}"

/* A reading of now, at that minute. */
static void at(int minute, double value)
{
    room.now_ms = NOON + minute * MINUTE;
    reads(&room, room.now_ms, value);
}

/* Nothing comes meanwhile, and what is due is done. */
static void wait_until(int64_t now_ms)
{
    room.now_ms = now_ms;
    catch_up(&room);
}

static const struct eg_watch *watch(void)
{
    for (size_t i = 0; i < room.pipeline->series_count; i++)
        if (room.pipeline->series[i]->watch_count)
            return &room.pipeline->series[i]->watches[0];
    fail_msg("no rule looks at anything");
    return NULL;
}

static void does(const char *verb)
{
    assert_int_equal(
        asks(&room, (struct eg_command){.verb = verb, .case_id = "1", .note = "n", .version = -1})->code,
        EG_OK);
}

/* Fixed and verified, by two. */
static void ends(void)
{
    assert_int_equal(
        asks(&room, (struct eg_command){.verb = "fix", .case_id = "1", .party = "grid", .version = -1})->code,
        EG_OK);
    assert_int_equal(
        asks(&room,
             (struct eg_command){
                 .verb = "verify", .case_id = "1", .user = "wang", .party = "bureau", .version = -1})
            ->code,
        EG_OK);
    assert_int_equal(case_of(&room, 1)->handling, EG_CLOSED);
}

/* --- how much is enough --- */

/* `valid` is a limit that is met, not one to be passed: thirty readings a minute apart speak for thirty minutes. */
static void test_just_enough_is_known(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE ", statistic: mean, window: 1h, valid: 30m}]\n");
    for (int minute = 0; minute <= 29; minute++) {
        assert_int_equal(room.cases_count, 0);
        at(minute, 90);
    }
    assert_int_equal(room.cases_count, 1);
    memory_close(&room);
}

/* --- how far back --- */

/* As late as may be, after a reading that was as far ahead as may be: nothing that was kept to judge from may lie behind it. */
static void test_as_late_as_may_be(void **unused)
{
    (void)unused;
    const int64_t late_ms = 10 * MINUTE, ahead_ms = 5 * MINUTE;
    memory_open(&room, SITES SMOKE "}]\nlate_limit: 10m\nfuture_tolerance: 5m\n");
    for (int64_t width = late_ms + 1; width <= late_ms + ahead_ms + 1; width += ahead_ms) {
        /* wherever stretches of that width begin */
        const int64_t begins = (room.now_ms / width + 10) * width, now = begins - ahead_ms;
        for (int64_t time = now - 60 * MINUTE; time <= now; time += MINUTE) {
            room.now_ms = time;
            reads(&room, time, 20);
        }
        reads(&room, begins, 20);
        reads(&room, now - late_ms + 1, 90);
        assert_int_equal(room.cases_count, width == late_ms + 1 ? 1 : 2);
        assert_true(room.cases[room.cases_count - 1].opened_ms == now - late_ms + 1);
        if (room.cases_count == 1)
            ends();
    }
    memory_close(&room);
}

/* What stands still is not written down: a page of the card for each reading would be the end of it. */
static void test_what_stands_still_is_not_written(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE "}]\n");
    for (int minute = 0; minute < 30; minute++) {
        room.now_ms = NOON + minute * MINUTE;
        struct eg_event event =
            message_event(room.now_ms, A1, minute < 10 ? "{\"pm25\":90}" : "{\"pm25\":20}", 11, ++room.mid);
        add(&room, &event);
        eg_pipeline_settle(room.pipeline, &room.batch);
        if (minute != 0 && minute != 10)
            assert_int_equal(room.batch.rule_states_count, 0);
        else
            assert_int_equal(room.batch.rule_states_count, 1);
        memory_commit(&room, &room.batch);
    }
    memory_close(&room);
}

/* --- blind --- */

#define CIRCUMSTANCES                                                                                        \
    "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}, hold: 30m, "                  \
    "and: [{quantity: humidity, below: 60, within: 10m}]}]\n"

static void humid(int minute, double value)
{
    char payload[64];
    room.now_ms = NOON + minute * MINUTE;
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"humidity\":%g}", (long long)room.now_ms, value);
    say(&room, A1, payload);
}

/* Of the time in which a rule could not tell, nobody says afterwards that it held: also not after a restart in it. */
static void test_blind_time_is_unobserved(void **unused)
{
    (void)unused;
    for (int restarts = 0; restarts < 2; restarts++) {
        memory_open(&room, SITES CIRCUMSTANCES);
        for (int minute = 0; minute <= 10; minute++) {
            humid(minute, 40);
            at(minute, 90);
        }
        for (int minute = 11; minute <= 50; minute++) /* from 21 on nothing is known of the humidity */
            at(minute, 90);
        assert_int_equal(room.cases_count, 0);
        assert_int_equal(watch()->state.blind, EG_BLIND_STALE);
        if (restarts)
            memory_restart(&room);
        humid(51, 40);
        at(51, 90);
        assert_int_equal(room.cases_count, 0); /* 51 minutes, of which 30 nobody knows */
        memory_close(&room);
    }
}

/* What a case's newest value was when its rule went blind, and not what came since, is known after a restart. */
static void test_the_last_value_before_it_went_blind(void **unused)
{
    (void)unused;
    memory_open(&room, SITES "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}, "
                             "and: [{quantity: humidity, below: 60, within: 10m}]}]\n");
    humid(0, 40);
    at(0, 99);
    at(5, 90); /* less than the peak: not worth a page */
    for (int minute = 11; minute < 15; minute++)
        at(minute, 80);
    assert_int_equal(watch()->state.blind, EG_BLIND_STALE);
    for (int restarts = 0; restarts < 2; restarts++) {
        const struct eg_case *row = eg_pipeline_case_active(room.pipeline, 1);
        assert_true(row->last_value == 90 && row->last_ms == NOON + 5 * MINUTE);
        memory_restart(&room);
    }
    memory_close(&room);
}

/* A window of the calendar that has just begun tells nothing yet, and the case goes on: its last value is that of the window before, after
 * a restart, too. */
static void test_the_last_value_of_the_window_before(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE ", statistic: mean, window: hour, valid: 15m}]\n");
    for (int minute = 0; minute < 60; minute++)
        at(minute, minute < 30 ? 99 : 90);
    const double before = eg_pipeline_case_active(room.pipeline, 1)->last_value;
    assert_true(before < 95 && before > 94);
    at(60, 90);
    assert_int_equal(watch()->state.blind, EG_BLIND_INVALID);
    memory_restart(&room);
    const struct eg_case *row = eg_pipeline_case_active(room.pipeline, 1);
    assert_true(row->last_value == before && row->last_ms == NOON + 59 * MINUTE);
    assert_int_equal(row->condition, EG_CONDITION_BREACHING);
    memory_close(&room);
}

/* What a device had kept while it was not heard does not say how it is now, but how bad it was. */
static void test_how_bad_it_was_meanwhile(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE "}]\n");
    for (int minute = 0; minute < 5; minute++)
        at(minute, 90);
    wait_until(NOON + 8 * HOUR);
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_UNKNOWN);
    reads(&room, NOON + 10 * MINUTE, 120);
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_UNKNOWN);
    assert_true(case_of(&room, 1)->peak_value == 120 && case_of(&room, 1)->peak_ms == NOON + 10 * MINUTE);
    memory_close(&room);
}

/* --- reloads --- */

/* A window of another shape begins anew, from the readings. */
static void test_a_window_of_another_shape(void **unused)
{
    (void)unused;
    static const char *const shapes[] = {"statistic: mean, window: 1h",
                                         "statistic: mean, window: 2h",
                                         "statistic: max, window: 1h",
                                         "statistic: min, window: 1h",
                                         "statistic: mean, window: hour",
                                         "statistic: p90, window: 1h",
                                         "statistic: p10, window: 1h",
                                         "statistic: above, above: 20, window: 1h",
                                         "statistic: above, above: 60, window: 1h",
                                         "statistic: above, above: 0, window: 1h"};
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    for (int before = 0; before < SHAPES; before++)
        for (int after = 0; after < SHAPES; after++) {
            char yaml[2][1000];
            double value[2];
            for (int i = 0; i < 2; i++)
                snprintf(yaml[i], sizeof yaml[i],
                         SITES
                         "rules: [{id: r, quantity: pm25, %s, levels: {warning: {open: -1, clear: -2}}}]\n",
                         shapes[i ? after : before]);
            for (int reloaded = 0; reloaded < 2; reloaded++) {
                memory_open(&room, yaml[1 - reloaded]);
                for (int minute = 0; minute < 100; minute++) {
                    if (reloaded && minute == 90)
                        memory_reconfigure(&room, yaml[1]);
                    at(minute, minute * 7 % 80);
                }
                value[reloaded] = eg_pipeline_case_active(room.pipeline, 1)->last_value;
                memory_close(&room);
            }
            if (fabs(value[0] - value[1]) > 1e-9)
                fail_msg("%s, after a reload from %s: %g, not %g", shapes[after], shapes[before], value[1],
                         value[0]);
        }
}

/* A reading of 90, then another wording of the rule, `hours` in which all is well, and one that comes late: cases there are then. */
static size_t late_behind_a_reload(const char *const yaml[2], int hours, int late, bool restarts)
{
    int minute = 0;
    memory_open(&room, yaml[0]);
    for (; minute < 600; minute += 30)
        at(minute, 20);
    at(minute, 90);
    at(minute += 30, 20);
    memory_reconfigure(&room, yaml[1]);
    for (int end = minute + hours * 60; minute < end;) {
        if (restarts)
            memory_restart(&room);
        at(minute += 30, 20);
    }
    if (restarts)
        memory_restart(&room);
    reads(&room, room.now_ms - late * MINUTE, 21);
    const size_t cases = room.cases_count;
    memory_close(&room);
    return cases;
}

/* How far back what is late is judged by the new wording hangs on no restart: also where nothing was written as nothing mattered, and of a
 * rule that is new. */
static void test_late_behind_a_reload(void **unused)
{
    (void)unused;
#define LATE "}]\nlate_limit: 2h\n"
    static const char *const yaml[][2] = {{SITES SMOKE ", hold: 1h" LATE, SITES SMOKE LATE},
                                          {SITES "rules: []\nlate_limit: 2h\n", SITES SMOKE LATE}};
    for (size_t i = 0; i < sizeof yaml / sizeof *yaml; i++) {
        size_t found = 0, not_found = 0;
        for (int hours = 1; hours <= 10; hours++)
            for (int late = 10; late < 120; late += 25) {
                const size_t lived_on = late_behind_a_reload(yaml[i], hours, late, false),
                             restarted = late_behind_a_reload(yaml[i], hours, late, true);
                if (lived_on != restarted)
                    fail_msg("row %zu, %d hours, %d minutes late: %zu cases, with restarts %zu", i, hours,
                             late, lived_on, restarted);
                *(lived_on ? &found : &not_found) += 1;
            }
        assert_true(found > 0 && not_found > 0);
    }
}

/* Cases of a rule that is left out for a while are found again, each by its series. */
static void test_each_series_finds_its_own(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE "}]\n");
    for (int device = 1; device <= 3; device++) {
        char topic[64];
        snprintf(topic, sizeof topic, "ecogov/shangtian/air/a%d", device);
        say(&room, topic, "{\"pm25\":90}");
    }
    assert_int_equal(room.cases_count, 3);
    memory_reconfigure(&room, SITES "rules: []\n");
    memory_reconfigure(&room, SITES SMOKE "}]\n");
    for (uint32_t series = 1; series <= 3; series++)
        assert_int_equal(room.pipeline->series[series - 1]->watches[0].state.case_number, series);
    memory_close(&room);
}

/* People end a case while its rule is left out: it is not waited for, in memory nor in the store. */
static void test_ended_while_its_rule_was_left_out(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE "}]\n");
    at(0, 90);
    memory_reconfigure(&room, SITES "rules: []\n");
    does("reject");
    for (size_t i = 0; i < room.states_count; i++)
        assert_int_equal(room.states[i].row.state.case_number, 0);
    memory_restart(&room);
    memory_reconfigure(&room, SITES SMOKE "}]\n");
    at(1, 90);
    assert_int_equal(room.cases_count, 2);
    memory_close(&room);
}

/* --- over, and once more --- */

/* After people have ended it, the limit has to be broken for `hold` again. */
static void test_a_hold_begins_anew(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE ", hold: 10m}]\n");
    for (int minute = 0; minute <= 10; minute++)
        at(minute, 90);
    assert_int_equal(room.cases_count, 1);
    does("reject");
    for (int minute = 11; minute <= 20; minute++) {
        at(minute, 90);
        assert_int_equal(room.cases_count, 1);
    }
    at(21, 90);
    assert_int_equal(room.cases_count, 2);
    memory_close(&room);
}

/* Opened again while all is well, it is not breaching before its limit is broken again. */
static void test_reopened_and_well(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE "}]\n");
    at(0, 90);
    at(1, 20);
    ends();
    does("reopen");
    at(2, 72); /* within `open`, beyond `clear` */
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_OK);
    at(3, 80);
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_BREACHING);
    memory_close(&room);
}

/* Opened again while it breaches, it keeps the limit it broke; and what comes late from before does not make it another case. */
static void test_reopened_and_breaching(void **unused)
{
    (void)unused;
    memory_open(&room, SITES SMOKE "}]\n");
    for (int minute = 0; minute < 5; minute++)
        at(minute, 90);
    ends();
    does("reopen");
    assert_true(watch()->state.limit == 75 && watch()->state.had == EG_LEVEL_WARNING &&
                watch()->state.level == EG_LEVEL_WARNING);
    assert_true(watch()->checkpoints[EG_OLDER].at_ms == NOON + 4 * MINUTE &&
                watch()->checkpoints[EG_OLDER].state.case_number == 1);
    size_t events = room.events_count;
    reads(&room, NOON - 30 * MINUTE, 20); /* of before */
    at(5, 90);
    assert_int_equal(room.events_count, events);
    assert_true(case_of(&room, 1)->limit == 75 && case_of(&room, 1)->opened_ms == NOON);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_just_enough_is_known),
                                       cmocka_unit_test(test_as_late_as_may_be),
                                       cmocka_unit_test(test_what_stands_still_is_not_written),
                                       cmocka_unit_test(test_blind_time_is_unobserved),
                                       cmocka_unit_test(test_the_last_value_before_it_went_blind),
                                       cmocka_unit_test(test_the_last_value_of_the_window_before),
                                       cmocka_unit_test(test_how_bad_it_was_meanwhile),
                                       cmocka_unit_test(test_a_window_of_another_shape),
                                       cmocka_unit_test(test_late_behind_a_reload),
                                       cmocka_unit_test(test_each_series_finds_its_own),
                                       cmocka_unit_test(test_ended_while_its_rule_was_left_out),
                                       cmocka_unit_test(test_a_hold_begins_anew),
                                       cmocka_unit_test(test_reopened_and_well),
                                       cmocka_unit_test(test_reopened_and_breaching)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
