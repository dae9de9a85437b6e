/* What is left of where a rule stands when the gateway's clock was wrong: timers, checkpoints, and a rule that is left out meanwhile. */
#include "speak.h"

#include <pipeline/state.h>

static struct memory room;

static struct eg_rule_state redated(int64_t since_ms, int64_t seen_ms, int64_t from_ms, int64_t to_ms,
                                    int64_t later_ms)
{
    const struct eg_redating by = {.from_ms = from_ms, .to_ms = to_ms, .later_ms = later_ms};
    struct eg_rule_state state;
    eg_judge_nothing(&state);
    state.since_ms[EG_LEVEL_WARNING] = since_ms;
    state.seen_ms = seen_ms;
    const bool moved = eg_judge_redate(&state, NULL, &by);
    assert_int_equal(moved, state.since_ms[EG_LEVEL_WARNING] != since_ms || state.seen_ms != seen_ms ||
                                state.gap_ms[EG_LEVEL_WARNING]);
    return state;
}

/* A timer that ran before the doubt and went on in it: nobody observed what the clock was behind. One that did not go on has no such
 * time, nor has a clock that was ahead. What began in it is dated anew. */
static void test_timers_of_a_clock_that_was_wrong(void **unused)
{
    (void)unused;
    struct eg_rule_state state = redated(100, 150, 120, 200, 1000);
    assert_true(state.since_ms[EG_LEVEL_WARNING] == 100 && state.gap_ms[EG_LEVEL_WARNING] == 1000 &&
                state.seen_ms == 1150);
    state = redated(100, 110, 120, 200, 1000); /* nothing was seen in it */
    assert_true(state.gap_ms[EG_LEVEL_WARNING] == 0 && state.seen_ms == 110);
    state = redated(100, 250, 120, 200, 1000); /* nor is what was seen after it */
    assert_true(state.gap_ms[EG_LEVEL_WARNING] == 0 && state.seen_ms == 250);
    state = redated(100, 150, 120, 200, -20); /* it was ahead */
    assert_true(state.gap_ms[EG_LEVEL_WARNING] == 0 && state.seen_ms == 130);
    state = redated(150, 160, 120, 200, 1000);
    assert_true(state.since_ms[EG_LEVEL_WARNING] == 1150 && state.gap_ms[EG_LEVEL_WARNING] == 0);
    state = redated(EG_TIME_NONE, EG_TIME_NONE, 120, 200, 1000);
    assert_true(state.since_ms[EG_LEVEL_WARNING] == EG_TIME_NONE && state.seen_ms == EG_TIME_NONE);
}

/* Checkpoints move with it, also where nothing else does. */
static void test_checkpoints_of_a_clock_that_was_wrong(void **unused)
{
    (void)unused;
    const struct eg_redating by = {.from_ms = 120, .to_ms = 200, .later_ms = 1000};
    struct eg_rule_state state;
    struct eg_checkpoint points[EG_CHECKPOINTS] = {{.at_ms = 100}, {.at_ms = 150, .peak_ms = 140}};
    eg_judge_nothing(&state);
    eg_judge_nothing(&points[EG_OLDER].state);
    eg_judge_nothing(&points[EG_NEWER].state);
    assert_true(eg_judge_redate(&state, points, &by));
    assert_true(points[EG_OLDER].at_ms == 100 && points[EG_NEWER].at_ms == 1150 &&
                points[EG_NEWER].peak_ms == 1140);
}

/* Of a rule that is left out, and whose case waits for it, likewise. */
static void test_a_left_out_rule_of_a_clock_that_was_wrong(void **unused)
{
    (void)unused;
    memory_open(
        &room, SITES
        "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}}]\nlate_limit: 10m\n");
    reads(&room, NOON, 90);
    room.now_ms += HOUR;
    reads(&room, room.now_ms, 90);
    memory_reconfigure(&room, SITES "rules: []\n");
    const struct eg_redating by = {.from_ms = NOON - HOUR, .to_ms = NOON + 2 * HOUR, .later_ms = DAY};
    eg_rule_redate(room.pipeline, &by, &room.batch);
    assert_int_equal(room.batch.rule_states_count, 1);
    const struct eg_row_rule_state *row = &room.batch.rule_states[0];
    assert_true(row->state.since_ms[EG_LEVEL_WARNING] == NOON + DAY);
    assert_true(row->checkpoints[EG_NEWER].at_ms == NOON + DAY);
    memory_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_of_a_clock_that_was_wrong),
        cmocka_unit_test(test_checkpoints_of_a_clock_that_was_wrong),
        cmocka_unit_test(test_a_left_out_rule_of_a_clock_that_was_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
