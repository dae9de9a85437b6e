/* Rules over a site's air, waste and soil when readings come late, shuffled, in a gateway's bundles, with restarts in between: in the end
 * the same cases as if each had come in its time, but for when they were detected. And what comes beyond the late limit, or every hour for
 * the hour before. */
#define MEMORY_TELLS_HOURS
#include "until.h"

static struct memory live, other;

#define LATE "late_limit: 3d\n"
#define RULES                                                                                                \
    "devices: [{id: p1, site: shangtian, domain: soil, land_use: paddy}, {id: s1, site: shangtian, "         \
    "domain: soil, calibration: [{quantity: soil_ec, scale: 2}]}]\n"                                         \
    "rules:\n"                                                                                               \
    "  - {id: air, quantity: aqi_cn, levels: {notice: {open: 100, clear: 90}, warning: {open: 200, clear: "  \
    "150}, critical: {open: 300, clear: 200}}}\n"                                                            \
    "  - {id: held, quantity: aqi_cn, hold: 3h, clear_hold: 2h, levels: {warning: {open: 150, clear: "       \
    "120}}}\n"                                                                                               \
    "  - {id: american, quantity: aqi_us, levels: {notice: {open: 180, clear: 150}}}\n"                      \
    "  - {id: day, quantity: aqi_cn, window: day, levels: {notice: {open: 150, clear: 150}}}\n"              \
    "  - {id: waste, quantity: waste_pressure, levels: {warning: {open: 100, clear: 50}, critical: {open: "  \
    "200, clear: 100}}}\n"                                                                                   \
    "  - {id: lasting, quantity: waste_pressure, hold: 4h, levels: {notice: {open: 150, clear: 100}}}\n"     \
    "  - {id: class, quantity: soil_class, levels: {warning: {open: 1, clear: 1}, critical: {open: 2, "      \
    "clear: 2}}}\n"                                                                                          \
    "  - {id: nemerow, quantity: soil_nemerow, window: day, levels: {notice: {open: 1.5, clear: 1.5}}}\n"    \
    "  - {id: salty, quantity: salinity_class, levels: {notice: {open: 2, clear: 2}}}\n"

struct told { /* by a device, at its time */
    int64_t at_ms, comes_ms;
    char topic[64], payload[120];
    bool last; /* of a turn */
};

static struct told *told;
static size_t told_count, told_room;

__attribute__((format(printf, 3, 4))) static void tells(const char *device, int64_t at_ms, const char *format,
                                                        ...)
{
    char values[80];
    va_list list;
    struct told *one = memory_more((void **)&told, &told_count, &told_room, sizeof *told);
    va_start(list, format);
    vsnprintf(values, sizeof values, format, list);
    va_end(list);
    one->at_ms = one->comes_ms = at_ms;
    one->last = true;
    snprintf(one->topic, sizeof one->topic, "ecogov/shangtian/%s", device);
    snprintf(one->payload, sizeof one->payload, "{\"ts\":%lld,%s}", (long long)at_ms, values);
}

/* `hours` of two stations, three bins and some plots: levels that wander. */
static void make_story(uint64_t *seed, int hours)
{
    double level = 60, fill = 30;
    told_count = 0;
    for (int hour = 0; hour < hours; hour++) {
        const int64_t start_ms = NOON + hour * HOUR;
        level += (double)random_below(seed, 90) - 45;
        level = level < 20 ? 40 : level > 280 ? 240 : level;
        const bool away = !random_below(seed, 12);
        for (int quarter = 0; quarter < 4; quarter++)
            for (int station = 1; station <= 2; station++)
                if (!away || station == 1)
                    tells(station == 1 ? "air/a1" : "air/a2",
                          start_ms + quarter * 15 * MINUTE + station * 1000, "\"pm25\":%.1f,\"pm10\":%.1f",
                          level + (double)random_below(seed, 20),
                          level * 1.2 + (double)random_below(seed, 30));
        fill = random_below(seed, 9) ? fill + (double)random_below(seed, 12) : 5;
        fill = fill > 100 ? 100 : fill;
        for (int bin = 1; bin <= 3; bin++)
            if (random_below(seed, 3)) {
                char name[24];
                snprintf(name, sizeof name, "waste/b%d", bin);
                const int64_t at_ms = start_ms + random_below(seed, 59) * MINUTE + bin;
                tells(name, at_ms, "\"fill_level\":%.0f,\"h2s\":%.2f",
                      bin == 1 ? fill : (double)random_below(seed, 70), (double)random_below(seed, 9) / 100);
            }
        if (!random_below(seed, 7))
            tells("soil/p1", start_ms + random_below(seed, 59) * MINUTE, "\"soil_ph\":%d,\"cd\":%.1f",
                  5 + (int)random_below(seed, 3), (double)random_below(seed, 40) / 20);
        if (!random_below(seed, 5))
            tells("soil/s1", start_ms + random_below(seed, 59) * MINUTE, "\"soil_ec\":%.1f",
                  (double)random_below(seed, 40) / 10);
    }
}

static int by_coming(const void *left, const void *right)
{
    const struct told *a = left, *b = right;
    return (a->comes_ms > b->comes_ms) - (a->comes_ms < b->comes_ms);
}

static int by_time(const void *left, const void *right)
{
    const struct told *a = left, *b = right;
    return (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

static void play(struct memory *memory, int64_t end_ms, uint64_t *seed, bool restarts)
{
    memory_open(memory, LATE SITES RULES);
    for (size_t i = 0; i < told_count; i++) {
        until(memory, told[i].comes_ms);
        struct eg_event event =
            message_event(memory->now_ms, told[i].topic, told[i].payload, strlen(told[i].payload), 0);
        add(memory, &event);
        if (told[i].last)
            turn(memory);
        if (told[i].last && restarts && !random_below(seed, 20))
            memory_restart(memory);
    }
    until(memory, end_ms);
}

static void shuffle(uint64_t *seed, size_t from, size_t to)
{
    for (size_t i = to; i > from + 1; i--) {
        size_t with = from + (size_t)random_below(seed, (int64_t)(i - from));
        struct told kept = told[i - 1];
        told[i - 1] = told[with];
        told[with] = kept;
    }
}

enum way { DELAYED, UPLOADED, NEWEST_FIRST, SHUFFLED, IN_CHUNKS, WAYS };
static const char *const way_names[WAYS] = {"delayed", "uploaded", "newest first", "shuffled", "in chunks"};

/* When and in which order they come. */
static void arrange(enum way way, uint64_t *seed, int64_t end_ms)
{
    for (size_t i = 0; i < told_count; i++) {
        struct told *one = &told[i];
        const int64_t most_ms = end_ms - one->at_ms;
        one->last = way == DELAYED || !random_below(seed, 30);
        one->comes_ms = end_ms;
        if (way == DELAYED)
            one->comes_ms = one->at_ms + (random_below(seed, 8) ? 0 : random_below(seed, most_ms));
    }
    if (way == DELAYED)
        qsort(told, told_count, sizeof *told, by_coming);
    for (size_t i = 0; way == NEWEST_FIRST && i < told_count / 2; i++) {
        struct told kept = told[i];
        told[i] = told[told_count - 1 - i];
        told[told_count - 1 - i] = kept;
    }
    if (way == SHUFFLED)
        shuffle(seed, 0, told_count);
    for (size_t from = 0; way == IN_CHUNKS && from < told_count; from += 40)
        shuffle(seed, from, from + 40 < told_count ? from + 40 : told_count);
    told[told_count - 1].last = true;
}

static const struct eg_case *of_rule(const struct memory *memory, const char *rule)
{
    const struct eg_case *found = NULL;
    for (size_t i = 0; i < memory->cases_count; i++)
        if (!strcmp(memory->cases[i].rule, rule)) {
            assert_null(found); /* nobody has ended one */
            found = &memory->cases[i];
        }
    return found;
}

static void describe(const struct memory *memory, const char *rule, char out[400])
{
    const struct eg_case *row = of_rule(memory, rule);
    bool without = false;
    for (size_t i = 0; row && i < memory->events_count; i++)
        if (memory->events[i].case_number == row->number && !strcmp(memory->events[i].kind, "corrected"))
            without = !*memory->events[i].to;
    if (!row || (without && row->condition != EG_CONDITION_BREACHING))
        snprintf(out, 400, "no case");
    else
        snprintf(out, 400, "%s at %s %d, level %d, %s, peak %g at %lld, last %g at %lld, limit %g", row->rule,
                 row->site, (int)((row->opened_ms - NOON) / MINUTE), row->level,
                 eg_condition_name((enum eg_condition)row->condition), row->peak_value,
                 (long long)(row->peak_ms - NOON) / MINUTE, row->last_value,
                 (long long)(row->last_ms - NOON) / MINUTE, row->limit);
}

static void compare(uint64_t seed, enum way way)
{
    static const char *const rules[] = {"air",     "held",  "american", "day",  "waste",
                                        "lasting", "class", "nemerow",  "salty"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char in_time[400], then[400];
        describe(&live, rules[i], in_time);
        describe(&other, rules[i], then);
        if (strcmp(in_time, then) != 0)
            fail_msg("seed %llu, %s: %s; in time: %s", (unsigned long long)seed, way_names[way], then,
                     in_time);
    }
}

/* Two days and a half within a late limit of three. */
static void test_as_if_in_time(void **unused)
{
    (void)unused;
    enum { HOURS = 60 };
    size_t cases = 0, corrected = 0;
    for (uint64_t first = 1; first <= 6; first++) {
        uint64_t seed = first * 7919;
        const int64_t end_ms = NOON + (HOURS + 3) * HOUR;
        make_story(&seed, HOURS);
        qsort(told, told_count, sizeof *told, by_time);
        play(&live, end_ms + 2 * HOUR, &seed, false);
        cases += live.cases_count;
        for (int way = 0; way < WAYS; way++) {
            qsort(told, told_count, sizeof *told, by_time);
            arrange((enum way)way, &seed, end_ms);
            play(&other, end_ms + 2 * HOUR, &seed, true);
            compare(first, (enum way)way);
            for (size_t i = 0; i < other.events_count; i++)
                corrected += strcmp(other.events[i].kind, "corrected") == 0;
            memory_close(&other);
        }
        memory_close(&live);
    }
    assert_true(cases > 20 && corrected > 0);
}

/* --- each by itself --- */

static void say_hour(struct memory *memory, const char *device, int64_t start_ms, const char *value)
{
    char topic[64], payload[120];
    snprintf(topic, sizeof topic, "ecogov/shangtian/%s", device);
    for (int quarter = 0; quarter < 4; quarter++) {
        snprintf(payload, sizeof payload, "{\"ts\":%lld,%s}", (long long)(start_ms + quarter * 15 * MINUTE),
                 value);
        say(memory, topic, payload);
    }
}

/* An hour late, hour by hour, all by themselves: each is judged when nothing more comes, not when the next one does. */
static void test_hourly_batches_an_hour_late(void **unused)
{
    (void)unused;
    static const int64_t wait = 3 * MINUTE;
    memory_open(&other, SITES RULES);
    for (int hour = 0; hour < 4; hour++) {
        until(&other, NOON + (hour + 2) * HOUR + 5 * MINUTE);
        say_hour(&other, "air/a1", NOON + hour * HOUR, hour == 2 ? "\"pm25\":200" : "\"pm25\":40");
        say_hour(&other, "waste/b1", NOON + hour * HOUR,
                 hour == 2 ? "\"fill_level\":96" : "\"fill_level\":30");
        if (hour == 2)
            memory_restart(&other);
        until(&other, NOON + (hour + 2) * HOUR + 5 * MINUTE + wait);
        const struct eg_case *air = of_rule(&other, "air"), *waste = of_rule(&other, "waste");
        if (hour < 2) {
            assert_true(!air && !waste);
        } else if (hour == 2) {
            assert_true(air && air->opened_ms == NOON + 3 * HOUR &&
                        air->condition == EG_CONDITION_BREACHING &&
                        air->detected_ms <= NOON + 4 * HOUR + 5 * MINUTE + wait);
            assert_true(waste && waste->opened_ms == NOON + 3 * HOUR);
        } else {
            assert_true(air->condition == EG_CONDITION_OK && air->last_ms == NOON + 4 * HOUR);
            assert_true(waste->condition == EG_CONDITION_OK && waste->last_ms == NOON + 4 * HOUR);
        }
    }
    memory_close(&other);
}

/* Stored, in the hours, judged by no rule: not though what comes in time makes hours after it be judged anew. */
static void test_beyond_the_late_limit(void **unused)
{
    (void)unused;
    memory_open(&other, SITES RULES); /* a day */
    until(&other, NOON + 50 * MINUTE);
    say_hour(&other, "air/a1", NOON, "\"pm25\":40");
    say_hour(&other, "waste/b1", NOON, "\"fill_level\":30");
    for (int hour = 1; hour < 40; hour++) {
        until(&other, NOON + hour * HOUR + 30 * MINUTE);
        say_hour(&other, "air/a1", NOON + hour * HOUR - 20 * MINUTE, "\"pm25\":40");
        say_hour(&other, "waste/b1", NOON + hour * HOUR - 20 * MINUTE, "\"fill_level\":30");
    }
    for (int hour = 3; hour < 9; hour++) {
        say_hour(&other, "air/a2", NOON + hour * HOUR, "\"pm25\":600");
        say_hour(&other, "waste/b2", NOON + hour * HOUR, "\"fill_level\":99");
    }
    until(&other, NOON + 41 * HOUR);
    assert_int_equal(other.cases_count, 0);
    say_hour(&other, "air/a2", NOON + 30 * HOUR, "\"pm25\":50");
    say_hour(&other, "waste/b2", NOON + 30 * HOUR, "\"fill_level\":20");
    until(&other, NOON + 42 * HOUR);
    assert_int_equal(other.cases_count, 0);
    say_hour(&other, "air/a2", NOON + 31 * HOUR, "\"pm25\":600");
    say_hour(&other, "waste/b2", NOON + 31 * HOUR, "\"fill_level\":99");
    until(&other, NOON + 43 * HOUR);
    assert_true(of_rule(&other, "air") && of_rule(&other, "air")->opened_ms == NOON + 32 * HOUR);
    assert_true(of_rule(&other, "waste") && of_rule(&other, "waste")->opened_ms == NOON + 32 * HOUR);
    memory_close(&other);
}

/* With more of them there was no reason; with still more there was one, and at another time. */
static void test_without_reason_after_all(void **unused)
{
    (void)unused;
    memory_open(&other, SITES RULES);
    until(&other, NOON + 50 * MINUTE);
    say_hour(&other, "air/a2", NOON - 2 * HOUR, "\"pm25\":20");
    say_hour(&other, "air/a1", NOON, "\"pm25\":100");
    until(&other, NOON + HOUR + 5 * MINUTE);
    const uint32_t number = of_rule(&other, "air")->number;
    assert_true(of_rule(&other, "air")->opened_ms == NOON + HOUR);
    say_hour(&other, "air/a2", NOON, "\"pm25\":2");
    assert_int_equal(case_of(&other, number)->condition, EG_CONDITION_OK);
    assert_string_equal(other.events[1].kind, "corrected");
    assert_string_equal(other.events[1].to, "");
    say_hour(&other, "air/a1", NOON - HOUR, "\"pm25\":120");
    const struct eg_case *row = case_of(&other, number);
    assert_true(row->opened_ms == NOON && row->level == EG_LEVEL_NOTICE && row->condition == EG_CONDITION_OK);
    memory_close(&other);
}

static int finish(void **unused)
{
    (void)unused;
    free(told);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_if_in_time), cmocka_unit_test(test_hourly_batches_an_hour_late),
        cmocka_unit_test(test_beyond_the_late_limit), cmocka_unit_test(test_without_reason_after_all)};
    return cmocka_run_group_tests(tests, NULL, finish);
}
