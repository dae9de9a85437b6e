/* Rules over the index of a site: the same cases after any restart, the same standing in any order, what people end and what comes back. */
#define MEMORY_TELLS_HOURS
#include "until.h"

static struct memory room, twin;

#define RULE                                                                                                 \
    SITES "rules: [{id: aqi, domain: air, quantity: aqi_cn, levels: {notice: {open: 100, clear: 90}, "       \
          "warning: {open: 150, clear: 120}, critical: {open: 200, clear: 160}}}]\n"
#define HELD                                                                                                 \
    SITES "rules: [{id: aqi, domain: air, quantity: aqi_cn, hold: 2h, clear_hold: 1h, reopen_within: 12h, "  \
          "levels: {warning: "                                                                               \
          "{open: 100, clear: 100}}}, {id: day, quantity: aqi_cn, window: day, levels: {notice: {open: "     \
          "100, clear: 100}}}]\n"

static void measure(struct memory *memory, const char *station, int64_t time_ms, double pm25)
{
    char topic[64], payload[100];
    until(memory, time_ms);
    snprintf(topic, sizeof topic, "ecogov/shangtian/air/%s", station);
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%.17g}", (long long)time_ms, pm25);
    say(memory, topic, payload);
}

/* An hour of a station, by quarters. */
static void hour(struct memory *memory, const char *station, int64_t start_ms, double pm25)
{
    for (int quarter = 0; quarter < 4; quarter++) {
        measure(memory, station, start_ms + quarter * 15 * MINUTE, pm25);
    }
}

static const struct eg_case *only_case(void)
{
    assert_int_equal(room.cases_count, 1);
    return &room.cases[0];
}

/* 60 ug/m3 are 100 (within), 115 are 150, 150 are 200, 250 are 300. */
static void test_of_all_stations(void **unused)
{
    (void)unused;
    memory_open(&room, RULE);
    hour(&room, "a1", NOON, 40);
    hour(&room, "a2", NOON, 80); /* 60 together: not beyond 100 */
    hour(&room, "a1", NOON + HOUR, 100);
    hour(&room, "a2", NOON + HOUR, 200); /* 150: 200, beyond 150 and not beyond 200 */
    assert_int_equal(room.cases_count, 0);
    measure(&room, "a1", NOON + 2 * HOUR, 100);
    assert_int_equal(room.cases_count, 0); /* a2 has measured in that hour, and not after it yet */
    measure(&room, "a2", NOON + 2 * HOUR, 200);
    assert_string_equal(only_case()->site, "shangtian");
    assert_string_equal(only_case()->device, "");
    assert_true(only_case()->level == EG_LEVEL_WARNING && only_case()->quantity == EG_Q_aqi_cn &&
                only_case()->last_value == 200 && only_case()->opened_ms == NOON + 2 * HOUR);
    assert_string_equal(room.events[0].note, "primary pollutant: pm25 200");
    memory_close(&room);
}

/* Who has fallen silent in an hour holds it up for a little while, and no longer. */
static void test_a_station_that_stays_away(void **unused)
{
    (void)unused;
    memory_open(&room, RULE);
    hour(&room, "a1", NOON, 150);
    hour(&room, "a2", NOON, 150);
    measure(&room, "a1", NOON + HOUR, 20);
    until(&room, NOON + HOUR + 4 * MINUTE);
    assert_int_equal(room.cases_count, 0);
    until(&room, NOON + HOUR + 5 * MINUTE);
    assert_true(only_case()->opened_ms == NOON + HOUR &&
                only_case()->detected_ms == NOON + HOUR + 5 * MINUTE);
    hour(&room, "a1", NOON + HOUR, 20);
    until(&room, NOON + 2 * HOUR + 5 * MINUTE); /* the hour after it was clean */
    assert_int_equal(only_case()->condition, EG_CONDITION_OK);
    memory_close(&room);
}

static void test_people_end_it(void **unused)
{
    (void)unused;
    memory_open(&room, HELD);
    for (int h = 0; h < 4; h++)
        hour(&room, "a1", NOON + h * HOUR, 150);
    measure(&room, "a1", NOON + 4 * HOUR, 150); /* 13:00, 14:00, 15:00: held for two hours */
    assert_true(only_case()->opened_ms == NOON + HOUR && only_case()->detected_ms == NOON + 3 * HOUR);
    room.now_ms += MINUTE;
    assert_int_equal(asks(&room, (struct eg_command){.verb = "reject",
                                                     .case_id = "1",
                                                     .version = -1,
                                                     .note = "a bonfire",
                                                     .reason = "false_alarm"})
                         ->code,
                     EG_OK);
    assert_int_equal(only_case()->handling, EG_REJECTED);
    memory_restart(&room);
    hour(&room, "a1", NOON + 4 * HOUR, 150);
    hour(&room, "a1", NOON + 5 * HOUR, 150);
    hour(&room, "a1", NOON + 6 * HOUR, 150);
    assert_int_equal(room.cases_count, 1); /* what was before is settled: held from 17:00 on */
    measure(&room, "a1", NOON + 7 * HOUR, 150);
    assert_int_equal(room.cases_count, 2);
    assert_true(room.cases[1].opened_ms == NOON + 5 * HOUR);
    memory_close(&room);
}

static void test_of_the_day(void **unused)
{
    (void)unused;
    memory_open(&room, HELD);
    const int64_t midnight = NOON + 12 * HOUR;
    for (int h = 0; h < 24; h++)
        hour(&room, "a1", midnight + h * HOUR, 55); /* 55: 91 */
    measure(&room, "a1", midnight + DAY, 65);
    for (int h = 0; h < 24; h++)
        hour(&room, "a1", midnight + DAY + h * HOUR, 65); /* 65: 105 */
    measure(&room, "a1", midnight + 2 * DAY, 30);
    const struct eg_case *day = NULL;
    for (size_t i = 0; i < room.cases_count; i++)
        day = strcmp(room.cases[i].rule, "day") == 0 ? &room.cases[i] : day;
    assert_non_null(day);
    assert_true(day->opened_ms == midnight + 2 * DAY && day->last_value == 105);
    memory_close(&room);
}

/* History that is brought in is no matter of now. */
static void test_import_opens_nothing(void **unused)
{
    (void)unused;
    memory_open(&room, RULE);
    room.now_ms = NOON + DAY;
    for (int quarter = 0; quarter < 12; quarter++) {
        const struct eg_import_row row = {
            .site = "shangtian",
            .domain = "air",
            .device = "a1",
            .reading = {.quantity = EG_Q_pm25, .value = 300, .time_ms = NOON + quarter * 15 * MINUTE}};
        struct eg_event event = {.kind = EG_EVENT_IMPORT, .now_ms = room.now_ms, .import = {&row, 1, 1, 1}};
        add(&room, &event);
        turn(&room);
    }
    assert_int_equal(room.cases_count, 0);
    memory_close(&room);
}

/* What the next reading shows to be a spike, which is set aside, opens nothing first. */
static void test_a_spike_before_the_hour_is_over(void **unused)
{
    (void)unused;
    memory_open(&room, "quality: {set_aside: suspect, limits: [{quantity: pm25, spike: 50}]}\n" RULE);
    for (int quarter = 0; quarter < 4; quarter++)
        measure(&room, "a1", NOON + quarter * 15 * MINUTE, quarter == 3 ? 900 : 20);
    measure(&room, "a1", NOON + HOUR, 20);
    until(&room, NOON + 2 * HOUR);
    assert_int_equal(room.cases_count, 0);
    memory_close(&room);
}

/* --- the same whatever happens --- */

static double standing(const struct memory *memory, const char *what)
{
    for (size_t i = 0; i < memory->states_count; i++) {
        const struct eg_rule_state *state = &memory->states[i].row.state;
        if (!strcmp(memory->states[i].rule, "aqi@shangtian"))
            return *what == 'l' ? state->level : (double)state->since_ms[EG_LEVEL_NOTICE];
    }
    return -1;
}

static void compare_cases(uint64_t seed)
{
    if (room.cases_count != twin.cases_count || room.events_count != twin.events_count)
        fail_msg("seed %llu: %zu and %zu cases, %zu and %zu events", (unsigned long long)seed,
                 room.cases_count, twin.cases_count, room.events_count, twin.events_count);
    for (size_t i = 0; i < room.events_count; i++)
        if (strcmp(room.events[i].kind, twin.events[i].kind) != 0 ||
            room.events[i].at_ms != twin.events[i].at_ms || strcmp(room.events[i].to, twin.events[i].to) != 0)
            fail_msg("seed %llu: event %zu is %s, and %s after restarts", (unsigned long long)seed, i,
                     room.events[i].kind, twin.events[i].kind);
    for (size_t i = 0; i < room.cases_count; i++)
        if (memcmp(&room.cases[i].last_value, &twin.cases[i].last_value, sizeof(double)) != 0 ||
            room.cases[i].last_ms != twin.cases[i].last_ms || room.cases[i].peak_ms != twin.cases[i].peak_ms)
            fail_msg("seed %llu: case %zu stands otherwise after restarts", (unsigned long long)seed, i + 1);
}

/* Late ones, gaps, a station that comes and goes; one of the twins is killed after any turn. */
static void test_restarts(void **unused)
{
    (void)unused;
    for (uint64_t first = 1; first <= 6; first++) {
        uint64_t seed = first * 7919;
        memory_open(&room, RULE);
        memory_open(&twin, RULE);
        double level = 60;
        for (int step = 0; step < 400; step++) {
            level += (double)random_below(&seed, 60) - 30 + (level < 10 ? 30 : level > 250 ? -30 : 0);
            int64_t pass_ms = (random_below(&seed, 40) ? 15 : random_below(&seed, 300)) * MINUTE;
            int64_t late_ms = random_below(&seed, 5) ? 0 : random_below(&seed, 20) * 15 * MINUTE;
            const char *station = random_below(&seed, 3) ? "a1" : "a2";
            until(&room, room.now_ms + pass_ms);
            until(&twin, twin.now_ms + pass_ms);
            int64_t at_ms = (room.now_ms - late_ms) / (15 * MINUTE) * (15 * MINUTE);
            measure(&room, station, at_ms, level > 0 ? level : 0);
            measure(&twin, station, at_ms, level > 0 ? level : 0);
            if (!random_below(&seed, 6))
                memory_restart(&twin);
            compare_cases(first);
        }
        assert_true(room.cases_count > 0);
        memory_close(&room);
        memory_close(&twin);
    }
}

/* A day's quarters of two stations, shuffled: in the end the rule stands as if they had come in order. */
static void test_any_order(void **unused)
{
    (void)unused;
    for (uint64_t first = 1; first <= 8; first++) {
        uint64_t seed = first * 104729;
        double values[2][80];
        int order[160];
        for (int i = 0; i < 160; i++) {
            values[i % 2][i / 2] = 40 + 12 * (double)random_below(&seed, 15);
            order[i] = i;
        }
        memory_open(&room, RULE);
        memory_open(&twin, RULE);
        for (int i = 159; i > 0; i--) {
            int other = (int)random_below(&seed, i + 1), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (int s = 0; s < 2; s++) { /* both know what was before the day */
            hour(&room, s ? "a2" : "a1", NOON, 40);
            hour(&twin, s ? "a2" : "a1", NOON, 40);
            measure(&room, s ? "a2" : "a1", NOON + HOUR, 40);
            measure(&twin, s ? "a2" : "a1", NOON + HOUR, 40);
        }
        room.now_ms = twin.now_ms = NOON + 22 * HOUR;
        for (int i = 0; i < 160; i++) {
            int straight = i, shuffled = order[i];
            measure(&room, straight % 2 ? "a2" : "a1", NOON + HOUR + 15 * MINUTE * (1 + straight / 2),
                    values[straight % 2][straight / 2]);
            measure(&twin, shuffled % 2 ? "a2" : "a1", NOON + HOUR + 15 * MINUTE * (1 + shuffled / 2),
                    values[shuffled % 2][shuffled / 2]);
        }
        if (standing(&room, "level") != standing(&twin, "level") ||
            standing(&room, "since") != standing(&twin, "since"))
            fail_msg("seed %llu: in order the rule stands at %g since %.0f, shuffled at %g since %.0f",
                     (unsigned long long)first, standing(&room, "level"), standing(&room, "since"),
                     standing(&twin, "level"), standing(&twin, "since"));
        memory_close(&room);
        memory_close(&twin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_of_all_stations),
                                       cmocka_unit_test(test_a_station_that_stays_away),
                                       cmocka_unit_test(test_people_end_it),
                                       cmocka_unit_test(test_of_the_day),
                                       cmocka_unit_test(test_import_opens_nothing),
                                       cmocka_unit_test(test_a_spike_before_the_hour_is_over),
                                       cmocka_unit_test(test_restarts),
                                       cmocka_unit_test(test_any_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
