/* Rules over a site's waste and soil: judged although nobody says anything more, of who is worst, the same after any restart and in any
 * order. */
#define MEMORY_TELLS_HOURS
#include "until.h"

static struct memory room, twin;

#define RULES                                                                                                \
    SITES                                                                                                    \
    "devices: [{id: p1, site: shangtian, domain: soil, land_use: paddy}, {id: s1, site: shangtian, "         \
    "domain: soil, calibration: [{quantity: soil_ec, scale: 2}]}]\n"                                         \
    "rules:\n"                                                                                               \
    "  - {id: waste, quantity: waste_pressure, levels: {warning: {open: 100, clear: 50}, critical: "         \
    "{open: 200, clear: 100}}}\n"                                                                            \
    "  - {id: held, quantity: waste_pressure, hold: 3h, levels: {notice: {open: 100, clear: 50}}}\n"         \
    "  - {id: class, quantity: soil_class, levels: {warning: {open: 1, clear: 1}, critical: {open: 2, "      \
    "clear: 2}}}\n"                                                                                          \
    "  - {id: nemerow, quantity: soil_nemerow, window: day, levels: {notice: {open: 1, clear: 1}}}\n"        \
    "  - {id: salty, quantity: salinity_class, levels: {notice: {open: 2, clear: 2}}}\n"                     \
    "  - {id: air, quantity: aqi_cn, levels: {notice: {open: 50, clear: 40}}}\n"

__attribute__((format(printf, 4, 5))) static void tell(struct memory *memory, const char *device,
                                                       int64_t time_ms, const char *format, ...)
{
    char topic[64], values[100], payload[160];
    va_list list;
    va_start(list, format);
    vsnprintf(values, sizeof values, format, list);
    va_end(list);
    snprintf(topic, sizeof topic, "ecogov/shangtian/%s", device);
    snprintf(payload, sizeof payload, "{\"ts\":%lld,%s}", (long long)time_ms, values);
    until(memory, time_ms);
    say(memory, topic, payload);
}

static const struct eg_case *of_rule(const struct memory *memory, const char *rule)
{
    const struct eg_case *found = NULL;
    for (size_t i = 0; i < memory->cases_count; i++)
        found = strcmp(memory->cases[i].rule, rule) == 0 ? &memory->cases[i] : found;
    return found;
}

static const struct eg_case_event *event_of(const struct memory *memory, uint32_t number, size_t nth)
{
    for (size_t i = 0; i < memory->events_count; i++)
        if (memory->events[i].case_number == number && !nth--)
            return &memory->events[i];
    fail_msg("case %u has no such event", number);
    return NULL;
}

static void test_a_bin(void **unused)
{
    (void)unused;
    memory_open(&room, RULES);
    tell(&room, "waste/b1", NOON + 10 * MINUTE, "\"fill_level\":90");
    tell(&room, "waste/b2", NOON + 20 * MINUTE, "\"fill_level\":30,\"h2s\":0.01");
    until(&room, NOON + HOUR + 4 * MINUTE);
    assert_null(of_rule(&room, "waste"));
    until(&room, NOON + HOUR + 5 * MINUTE); /* the hour has been over for a little while */
    const struct eg_case *row = of_rule(&room, "waste");
    assert_non_null(row);
    assert_true(row->opened_ms == NOON + HOUR && row->level == EG_LEVEL_WARNING && row->last_value == 150 &&
                row->quantity == EG_Q_waste_pressure && row->series == 0);
    assert_string_equal(row->domain, "waste");
    assert_string_equal(row->site, "shangtian");
    assert_string_equal(event_of(&room, row->number, 0)->note, "fill 90 of b1");
    /* worse, by another one: judged when both have measured after it */
    tell(&room, "waste/b1", NOON + 150 * MINUTE, "\"fill_level\":91");
    tell(&room, "waste/b2", NOON + 160 * MINUTE, "\"h2s\":0.5");
    tell(&room, "waste/b1", NOON + 190 * MINUTE, "\"fill_level\":91");
    tell(&room, "waste/b2", NOON + 191 * MINUTE, "\"h2s\":0.02,\"fill_level\":30");
    row = of_rule(&room, "waste");
    assert_true(row->level == EG_LEVEL_CRITICAL && row->last_ms == NOON + 3 * HOUR);
    assert_string_equal(event_of(&room, row->number, 1)->note, "h2s 0.5 of b2");
    assert_null(of_rule(&room, "held"));
    until(&room, NOON + 5 * HOUR); /* what they left behind goes on to speak */
    assert_true(of_rule(&room, "held")->opened_ms == NOON + HOUR);
    memory_restart(&room);
    tell(&room, "waste/b1", NOON + 310 * MINUTE, "\"fill_level\":5");
    until(&room, NOON + 7 * HOUR);
    row = of_rule(&room, "waste");
    assert_true(row->condition == EG_CONDITION_OK && row->last_value == 34);
    until(&room, NOON + 5 * HOUR + DAY + 3 * HOUR);
    assert_int_equal(of_rule(&room, "waste")->condition, EG_CONDITION_OK);
    until(&room, NOON + 5 * HOUR + DAY + 6 * HOUR); /* a day it speaks, then nobody knows */
    assert_int_equal(of_rule(&room, "waste")->condition, EG_CONDITION_UNKNOWN);
    assert_true(eg_pipeline_deadline(room.pipeline, room.now_ms) > room.now_ms);
    memory_close(&room);
}

/* A laboratory's value is the last for a year. */
static void test_a_sample(void **unused)
{
    (void)unused;
    memory_open(&room, RULES);
    tell(&room, "soil/p1", NOON + 10 * MINUTE, "\"soil_ph\":5.4,\"cd\":0.45,\"zn\":100");
    tell(&room, "soil/p2", NOON + 12 * MINUTE, "\"soil_ph\":6.2,\"pb\":20");
    until(&room, NOON + 2 * HOUR);
    const struct eg_case *row = of_rule(&room, "class");
    assert_true(row && row->opened_ms == NOON + HOUR && row->level == EG_LEVEL_WARNING &&
                row->last_value == 2);
    assert_string_equal(row->domain, "soil");
    assert_string_equal(event_of(&room, row->number, 0)->note,
                        "p1: cd 0.45 mg/kg (1.50 × screening), pH 5.4, paddy");
    until(&room, NOON + 14 * HOUR);
    assert_true(of_rule(&room, "nemerow") && of_rule(&room, "nemerow")->opened_ms == NOON + 12 * HOUR);
    /* months later, over restarts, it still stands so */
    memory_restart(&room);
    until(&room, NOON + 90 * DAY);
    memory_restart(&room);
    until(&room, NOON + 90 * DAY + 5 * HOUR);
    row = of_rule(&room, "class");
    assert_true(row->condition == EG_CONDITION_BREACHING && row->last_ms == NOON + 90 * DAY + 4 * HOUR);
    /* limed and sampled anew: the pH alone; cadmium and zinc are those of before */
    tell(&room, "soil/p1", NOON + 90 * DAY + 6 * HOUR, "\"soil_ph\":7.8");
    until(&room, NOON + 90 * DAY + 8 * HOUR);
    assert_int_equal(of_rule(&room, "class")->condition, EG_CONDITION_OK);
    assert_true(of_rule(&room, "class")->last_value == 1);
    memory_close(&room);
}

static void test_salt_of_calibrated_probes(void **unused)
{
    (void)unused;
    memory_open(&room, RULES);
    for (int h = 0; h < 3; h++) {
        tell(&room, "soil/s1", NOON + h * HOUR, "\"soil_ec\":1.9");
        tell(&room, "soil/raw", NOON + h * HOUR, "\"soil_ec\":9");
    }
    assert_null(of_rule(&room, "salty")); /* 3.8: slightly saline */
    tell(&room, "soil/s1", NOON + 3 * HOUR, "\"soil_ec\":2.1");
    tell(&room, "soil/s1", NOON + 5 * HOUR, "\"soil_ec\":2.1");
    const struct eg_case *row = of_rule(&room, "salty");
    assert_true(row && row->opened_ms == NOON + 4 * HOUR && row->last_value == 3);
    assert_string_equal(event_of(&room, row->number, 0)->note, "s1: ec 4.2 dS/m");
    memory_close(&room);
}

/* As it is now known, the bin was never full. */
static void test_a_correction(void **unused)
{
    (void)unused;
    memory_open(&room, RULES);
    tell(&room, "waste/b1", NOON + 10 * MINUTE, "\"fill_level\":96");
    tell(&room, "waste/b1", NOON + 70 * MINUTE, "\"fill_level\":20");
    assert_int_equal(of_rule(&room, "waste")->condition, EG_CONDITION_BREACHING);
    say(&room, "ecogov/shangtian/waste/b1", "{\"ts\":1795435800000,\"fill_level\":19}");
    const uint32_t number = of_rule(&room, "waste")->number;
    assert_string_equal(event_of(&room, number, 1)->kind, "corrected");
    assert_string_equal(event_of(&room, number, 1)->note,
                        "with readings that came late, the limit was not broken");
    assert_int_equal(of_rule(&room, "waste")->condition, EG_CONDITION_OK);
    memory_close(&room);
}

static void test_out_of_service(void **unused)
{
    (void)unused;
    memory_open(&room, RULES);
    tell(&room, "soil/p1", NOON, "\"soil_ph\":5.4,\"cd\":3");
    until(&room, NOON + 3 * HOUR);
    assert_int_equal(of_rule(&room, "class")->level, EG_LEVEL_CRITICAL);
    assert_int_equal(asks(&room, (struct eg_command){.verb = "retire",
                                                     .case_id = "",
                                                     .device = "shangtian/soil/p1",
                                                     .version = -1,
                                                     .note = "paved over"})
                         ->code,
                     EG_OK);
    until(&room, NOON + 12 * HOUR);
    assert_int_equal(of_rule(&room, "class")->condition, EG_CONDITION_UNKNOWN);
    memory_close(&room);
}

/* --- the same whatever happens --- */

static void compare(uint64_t seed, int step)
{
    if (room.cases_count != twin.cases_count || room.events_count != twin.events_count)
        fail_msg("seed %llu, step %d: %zu and %zu cases, %zu and %zu events", (unsigned long long)seed, step,
                 room.cases_count, twin.cases_count, room.events_count, twin.events_count);
    for (size_t i = 0; i < room.events_count; i++)
        if (strcmp(room.events[i].kind, twin.events[i].kind) != 0 ||
            room.events[i].at_ms != twin.events[i].at_ms ||
            strcmp(room.events[i].to, twin.events[i].to) != 0 ||
            strcmp(room.events[i].note, twin.events[i].note) != 0)
            fail_msg("seed %llu, step %d: event %zu is %s %lld %s (%s), and %s %lld %s (%s) after restarts",
                     (unsigned long long)seed, step, i, room.events[i].kind, (long long)room.events[i].at_ms,
                     room.events[i].to, room.events[i].note, twin.events[i].kind,
                     (long long)twin.events[i].at_ms, twin.events[i].to, twin.events[i].note);
    for (size_t i = 0; i < room.cases_count; i++)
        if (memcmp(&room.cases[i].last_value, &twin.cases[i].last_value, sizeof(double)) != 0 ||
            room.cases[i].last_ms != twin.cases[i].last_ms || room.cases[i].peak_ms != twin.cases[i].peak_ms)
            fail_msg("seed %llu, step %d: case %zu stands at %g %lld (peak %lld) and %g %lld (peak %lld) "
                     "after restarts",
                     (unsigned long long)seed, step, i + 1, room.cases[i].last_value,
                     (long long)room.cases[i].last_ms, (long long)room.cases[i].peak_ms,
                     twin.cases[i].last_value, (long long)twin.cases[i].last_ms,
                     (long long)twin.cases[i].peak_ms);
}

/* A message of something, of `late_ms` ago. */
static void say_something(uint64_t *seed, int64_t late_ms)
{
    char topic[64], payload[160];
    int64_t at_ms = (room.now_ms - late_ms) / (10 * MINUTE) * (10 * MINUTE);
    int what = (int)random_below(seed, 8);
    const char *device = random_below(seed, 2) ? "1" : "2";
    if (what < 4)
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"fill_level\":%d,\"h2s\":%.2f}", (long long)at_ms,
                 (int)random_below(seed, 101), (double)random_below(seed, 20) / 100);
    else if (what < 6)
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"soil_ph\":%d,\"cd\":%.1f}", (long long)at_ms,
                 4 + (int)random_below(seed, 5), (double)random_below(seed, 30) / 10);
    else if (what < 7)
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"cd\":%.1f}", (long long)at_ms,
                 (double)random_below(seed, 30) / 10);
    else
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"soil_ec\":%.1f}", (long long)at_ms,
                 (double)random_below(seed, 50) / 10);
    snprintf(topic, sizeof topic, "ecogov/shangtian/%s%s",
             what < 4   ? "waste/b"
             : what < 7 ? "soil/p"
                        : "soil/s",
             device);
    say(&room, topic, payload);
    say(&twin, topic, payload);
}

/* Late ones, weeks of silence; one of the twins is killed after any turn. */
static void test_restarts(void **unused)
{
    (void)unused;
    size_t cases = 0, corrected = 0;
    for (uint64_t first = 1; first <= 10; first++) {
        uint64_t seed = first * 7919;
        memory_open(&room, RULES);
        memory_open(&twin, RULES);
        for (int step = 0; step < 250; step++) {
            int64_t pass_ms = (random_below(&seed, 30)  ? random_below(&seed, 90)
                               : random_below(&seed, 3) ? random_below(&seed, 60) * 60
                                                        : random_below(&seed, 20) * 1440) *
                              MINUTE;
            until(&room, room.now_ms + pass_ms);
            until(&twin, twin.now_ms + pass_ms);
            compare(first, step);
            say_something(&seed, random_below(&seed, 4)   ? 0
                                 : random_below(&seed, 3) ? random_below(&seed, 30) * HOUR
                                                          : random_below(&seed, 200) * HOUR);
            if (!random_below(&seed, 5))
                memory_restart(&twin);
            compare(first, step);
        }
        cases += room.cases_count;
        for (size_t i = 0; i < room.events_count; i++)
            corrected += strcmp(room.events[i].kind, "corrected") == 0;
        memory_close(&room);
        memory_close(&twin);
    }
    assert_true(cases > 20 && corrected > 0);
}

static void standing(const struct memory *memory, const char *rule, char out[120])
{
    snprintf(out, 120, "nothing");
    for (size_t i = 0; i < memory->states_count; i++) {
        const struct eg_rule_state *state = &memory->states[i].row.state;
        if (!strcmp(memory->states[i].rule, rule))
            snprintf(out, 120, "level %d, since %lld %lld, judged to %lld", state->level,
                     (long long)state->since_ms[EG_LEVEL_WARNING],
                     (long long)state->since_ms[EG_LEVEL_NOTICE],
                     (long long)memory->states[i].row.checkpoints[EG_NEWER].at_ms);
    }
}

/* What came within a day, in order, shuffled, some of it more than once: the rules stand the same when it is over. */
static void test_any_order(void **unused)
{
    (void)unused;
    enum { COUNT = 60 };
    static const char *const rules[] = {"waste@shangtian", "held@shangtian", "class@shangtian",
                                        "salty@shangtian"};
    for (uint64_t first = 1; first <= 20; first++) {
        uint64_t seed = first * 104729;
        char topics[COUNT][64], payloads[COUNT][160];
        int order[COUNT];
        for (int i = 0; i < COUNT; i++) {
            long long at_ms = NOON + HOUR + (random_below(&seed, 20 * 60) * MINUTE);
            order[i] = i;
            if (random_below(&seed, 2)) {
                snprintf(topics[i], sizeof topics[i], "ecogov/shangtian/waste/b%d",
                         1 + (int)random_below(&seed, 3));
                snprintf(payloads[i], sizeof payloads[i], "{\"ts\":%lld,\"fill_level\":%d}", at_ms + i,
                         (int)random_below(&seed, 101));
            } else {
                snprintf(topics[i], sizeof topics[i], "ecogov/shangtian/soil/s%d",
                         1 + (int)random_below(&seed, 2));
                snprintf(payloads[i], sizeof payloads[i],
                         "{\"ts\":%lld,\"soil_ph\":6,\"cd\":%.1f,\"soil_ec\":%.1f}", at_ms + i,
                         (double)random_below(&seed, 30) / 10, (double)random_below(&seed, 50) / 10);
            }
        }
        memory_open(&room, RULES);
        memory_open(&twin, RULES);
        for (int i = COUNT - 1; i > 0; i--) {
            int other = (int)random_below(&seed, i + 1), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        struct memory *both[] = {&room, &twin};
        for (int m = 0; m < 2; m++) { /* both know what was before */
            tell(both[m], "waste/b1", NOON, "\"fill_level\":40");
            tell(both[m], "soil/s1", NOON, "\"soil_ph\":6,\"cd\":0.1,\"soil_ec\":0.1");
            until(both[m], NOON + 2 * HOUR);
            both[m]->now_ms = NOON + 22 * HOUR;
        }
        for (int i = 0; i < COUNT; i++) {
            say(&room, topics[i], payloads[i]);
            say(&twin, topics[order[i]], payloads[order[i]]);
            if (!random_below(&seed, 6)) {
                int again = order[random_below(&seed, i + 1)];
                say(&twin, topics[again], payloads[again]);
            }
            if (!random_below(&seed, 15))
                memory_restart(&twin);
        }
        until(&room, NOON + 25 * HOUR); /* when nothing has come for an hour, all is judged */
        until(&twin, NOON + 25 * HOUR);
        for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
            char one[120], other[120];
            standing(&room, rules[r], one);
            standing(&twin, rules[r], other);
            if (strcmp(one, other) != 0)
                fail_msg("seed %llu: %s stands at %s in order, at %s shuffled", (unsigned long long)first,
                         rules[r], one, other);
        }
        memory_close(&room);
        memory_close(&twin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_bin),
                                       cmocka_unit_test(test_a_sample),
                                       cmocka_unit_test(test_salt_of_calibrated_probes),
                                       cmocka_unit_test(test_a_correction),
                                       cmocka_unit_test(test_out_of_service),
                                       cmocka_unit_test(test_restarts),
                                       cmocka_unit_test(test_any_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
