/* The gateway's clock in doubt: what is judged, what waits, who is believed. */
#include "speak.h"

static const char village[] = SITES
    "devices: [{id: d9, site: shangtian, domain: soil}]\n"
    "rules:\n"
    "  - {id: smoke, domain: air, quantity: pm25, levels: {warning: {open: 75, clear: 70}}, hold: 10m,\n"
    "     deadline: {acknowledge: 1h}}\n";

static void clock_is(struct memory *memory, enum eg_clock_is is, int64_t was_ms)
{
    struct eg_event event = {.kind = EG_EVENT_CLOCK,
                             .now_ms = memory->now_ms,
                             .clock = {.is = is, .was_ms = was_ms, .boot = "one", .why = "store"}};
    add(memory, &event);
    turn(memory);
}

static void ticks(struct memory *memory)
{
    struct eg_event event = {.kind = EG_EVENT_TICK, .now_ms = memory->now_ms};
    add(memory, &event);
    turn(memory);
}

static void soil(struct memory *memory, const char *device, int64_t own_ms)
{
    char topic[64], payload[96];
    snprintf(topic, sizeof topic, "ecogov/shangtian/soil/%s", device);
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"soil_moisture\":20}", (long long)own_ms);
    say(memory, topic, payload);
}

static void smoke(struct memory *memory, double value)
{
    char payload[40];
    snprintf(payload, sizeof payload, "{\"pm25\":%g}", value);
    say(memory, A1, payload);
}

static const struct eg_row_reading *newest(const struct memory *memory)
{
    return &memory->readings[memory->readings_count - 1];
}

static void a_fire_does_not_wait_and_time_does(void **unused)
{
    (void)unused;
    struct memory memory;
    memory_open(&memory, village);
    for (int i = 0; i < 10; i++, memory.now_ms += MINUTE)
        smoke(&memory, 20);
    const int64_t since = memory.now_ms;
    clock_is(&memory, EG_CLOCK_DOUBTED, 0);
    for (int i = 0; i < 12; i++, memory.now_ms += MINUTE)
        smoke(&memory, 90);
    assert_true(newest(&memory)->flags & EG_FLAG_CLOCK);
    assert_int_equal(memory.cases_count, 1);
    assert_true(case_of(&memory, 1)->opened_ms == since);
    assert_true(case_of(&memory, 1)->due_ms == EG_TIME_NONE);
    /* A day passes: nobody is silent, nothing is missed, nothing is due. */
    memory.now_ms += DAY;
    assert_true(eg_pipeline_deadline(memory.pipeline, memory.now_ms) == INT64_MAX);
    ticks(&memory);
    assert_int_equal(case_of(&memory, 1)->condition, EG_CONDITION_BREACHING);
    assert_true(memory.devices[0].standing.silent_ms == EG_TIME_NONE);
    assert_int_equal(memory.events_count, 1);
    /* It was ten days later. */
    const int64_t was = memory.now_ms;
    memory.now_ms += 10 * DAY;
    clock_is(&memory, EG_CLOCK_TRUSTED, was);
    const struct eg_case *row = case_of(&memory, 1);
    assert_true(row->opened_ms == since + 10 * DAY && row->detected_ms == since + 10 * MINUTE + 10 * DAY);
    assert_true(row->due_ms == memory.now_ms + HOUR);
    assert_string_equal(memory.events[1].kind, "clock");
    const struct eg_rule_state *state = &memory.states[0].row.state;
    assert_true(state->since_ms[EG_LEVEL_WARNING] == since + 10 * DAY);
    ticks(&memory);
    assert_true(eg_pipeline_deadline(memory.pipeline, memory.now_ms) > memory.now_ms);
    memory_close(&memory);
}

/* Beyond the limit before the power went, and after it came: nobody looked between. */
static void what_ran_before_was_unobserved(void **unused)
{
    (void)unused;
    struct memory memory;
    memory_open(&memory, village);
    for (int i = 0; i < 4; i++, memory.now_ms += MINUTE)
        smoke(&memory, 90);
    const int64_t began = memory.readings[0].time_ms;
    clock_is(&memory, EG_CLOCK_DOUBTED, 0);
    smoke(&memory, 90);
    const int64_t was = memory.now_ms += MINUTE;
    memory.now_ms += DAY;
    clock_is(&memory, EG_CLOCK_TRUSTED, was);
    const struct eg_rule_state *state = &memory.states[0].row.state;
    assert_true(state->since_ms[EG_LEVEL_WARNING] == began);
    assert_true(state->gap_ms[EG_LEVEL_WARNING] == DAY);
    assert_int_equal(memory.cases_count, 0); /* five minutes, not a day */
    memory_close(&memory);
}

static void who_is_believed(void **unused)
{
    (void)unused;
    struct memory memory;
    int64_t ahead;
    memory_open(&memory, village);
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d", i);
        soil(&memory, name, memory.now_ms);
    }
    memory.now_ms += MINUTE;
    clock_is(&memory, EG_CLOCK_DOUBTED, 0);
    const int64_t truth = memory.now_ms + 30 * DAY;
    soil(&memory, "d0", truth);
    soil(&memory, "d1", truth + 2000);
    assert_true(newest(&memory)->time_ms < truth && newest(&memory)->flags & EG_FLAG_CLOCK);
    for (int i = 0; i < 5; i++) { /* strangers have no say, and one voice is one voice */
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        soil(&memory, name, truth + DAY);
        soil(&memory, "d0", truth + i);
    }
    assert_false(eg_pipeline_agreed(memory.pipeline, &ahead));
    soil(&memory, "d2", truth + 90 * DAY); /* it is wrong */
    assert_false(eg_pipeline_agreed(memory.pipeline, &ahead));
    soil(&memory, "d9", truth - 1000); /* new, but described */
    assert_true(eg_pipeline_agreed(memory.pipeline, &ahead));
    assert_true(llabs(ahead - 30 * DAY) <= 2000);
    soil(&memory, "d3", truth + 90 * DAY); /* three against two */
    assert_true(eg_pipeline_agreed(memory.pipeline, &ahead));
    memory_close(&memory);
}

static void what_it_said_is_kept(void **unused)
{
    (void)unused;
    struct memory memory;
    memory_open(&memory, village);
    soil(&memory, "d0", memory.now_ms);
    memory.now_ms += MINUTE;
    clock_is(&memory, EG_CLOCK_DOUBTED, 0);
    static const char said[] = "{\"ts\":1798000000000,\"soil_moisture\":21}";
    struct eg_event event = message_event(memory.now_ms, "ecogov/shangtian/soil/d0", said, strlen(said), 77);
    add(&memory, &event);
    assert_int_equal(memory.batch.own_times_count, 1);
    assert_true(memory.batch.own_times[0].time_ms == INT64_C(1798000000000));
    turn(&memory);
    /* Sent again as another message, and brought again by the broker: it is one reading. */
    soil(&memory, "d0", INT64_C(1798000000000) + 1);
    const size_t stored = memory.readings_count;
    soil(&memory, "d0", INT64_C(1798000000000) + 1);
    event.message.dup = true;
    add(&memory, &event);
    turn(&memory);
    assert_int_equal(memory.readings_count, stored);
    assert_int_equal(memory.counters.duplicate, 1);
    assert_int_equal(memory.counters.r_duplicate, 1);
    /* So it is when others came between, and when our clock has caught up with it meanwhile. */
    const int64_t soon = memory.now_ms + 7 * MINUTE;
    soil(&memory, "d0", soon);
    soil(&memory, "d0", soon + MINUTE);
    assert_int_equal(memory.readings_count, stored + 2);
    soil(&memory, "d0", soon);
    memory.now_ms += 5 * MINUTE;
    soil(&memory, "d0", soon);
    assert_int_equal(memory.readings_count, stored + 2);
    assert_int_equal(memory.counters.r_duplicate, 3);
    /* A reading that is not ahead is what it says; one of the next century is refused, and kept. */
    soil(&memory, "d0", memory.now_ms - 5 * MINUTE);
    assert_true(newest(&memory)->time_ms == memory.now_ms - 5 * MINUTE &&
                !(newest(&memory)->flags & EG_FLAG_CLOCK));
    soil(&memory, "d0", memory.now_ms + 100 * 366 * DAY);
    assert_int_equal(memory.quarantine_count, 1);
    memory_close(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fire_does_not_wait_and_time_does),
                                       cmocka_unit_test(what_ran_before_was_unobserved),
                                       cmocka_unit_test(who_is_believed),
                                       cmocka_unit_test(what_it_said_is_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
