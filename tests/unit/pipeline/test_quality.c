/* Quality control: what is found in a reading, in those of one message, in those of one series; what is bad is in no bucket and judged by
 * no rule; and whatever came in whatever order, with restarts anywhere, the same is found. */
#include "speak.h"
#include <pipeline/quality.h>

static struct memory room;

#define DOUBT (EG_FLAGS_DOUBT | EG_FLAG_BAD)

/* --- one series, in order --- */

struct step {
    double minute, value; /* minute: NAN ends */
    unsigned want;
};
struct walk {
    const char *yaml;
    int quantity;
    struct step steps[12];
};
#define END                                                                                                  \
    {                                                                                                        \
        NAN, 0, 0                                                                                            \
    }
#define PM25 "quality: {limits: [{quantity: pm25, high: 500, step: 50, stuck: 1h, stuck_bad: 2h}]}\n"
#define OF(keys) "quality: {" keys "}\n"

static void test_in_order(void **unused)
{
    (void)unused;
    static const struct walk table[] = {
        {PM25, EG_Q_pm25, {{0, 500, 0}, {60, 501, EG_FLAG_RANGE}, {120, 500, 0}, END}},
        /* a spike, and back: what returns to where it was is no step */
        {PM25, EG_Q_pm25, {{0, 10, 0}, {1, 61, EG_FLAG_STEP}, {2, 10, 0}, END}},
        {PM25,
         EG_Q_pm25,
         {{0, 10, 0}, {0.1, 60, 0}, {0.2, 9, EG_FLAG_STEP}, END}}, /* a minute's worth at once */
        /* a new level is believed when it could have been reached */
        {PM25,
         EG_Q_pm25,
         {{0, 0, 0}, {1, 120, EG_FLAG_STEP}, {2, 121, EG_FLAG_STEP}, {3, 122, 0}, {4, 123, 0}, END}},
        {PM25, EG_Q_pm25, {{0, 10, 0}, {61, 400, 0}, END}}, /* too long ago to compare with */
        {PM25,
         EG_Q_pm25,
         {{0, 7, 0},
          {30, 7, 0},
          {59, 7, 0},
          {60, 7, EG_FLAG_STUCK},
          {89, 7, EG_FLAG_STUCK},
          {119, 7, EG_FLAG_STUCK},
          {120, 7, EG_FLAG_STUCK | EG_FLAG_BAD},
          {121, 7.5, 0},
          {122, 7, 0},
          END}},
        {PM25,
         EG_Q_pm25,
         {{0, 7, 0},
          {31, 7, 0},
          {61, 7, 0},
          {91, 7, EG_FLAG_STUCK},
          END}}, /* a gap of more than a half: begun anew */
        {PM25, EG_Q_pm25, {{0, 0, 0}, {30, 0, 0}, {60, 0, 0}, {90, 0, 0}, END}}, /* nothing is nothing */
        {OF("set_aside: suspect, limits: [{quantity: pm25, step: 50}]"),
         EG_Q_pm25,
         {{0, 10, 0}, {1, 300, EG_FLAG_STEP | EG_FLAG_BAD}, {2, 10, 0}, END}},
        {OF("limits: [{quantity: pm25, step: 0, stuck: 0}]"),
         EG_Q_pm25,
         {{0, 10, 0}, {1, 990, 0}, {31, 990, 0}, {999, 990, 0}, {999999, 990, 0}, END}},
        {"", EG_Q_fill_level, {{0, 95, 0}, {1, 5, 0}, {2, 95, EG_FLAG_STEP}, END}}, /* emptying is a fall */
        {"", EG_Q_humidity, {{0, 99, 0}, {700, 99, 0}, {1400, 99, 0}, {1500, 99, 0}, END}}, /* fog lasts */
        {"",
         EG_Q_humidity,
         {{0, 94, 0},
          {700, 94, 0},
          {1400, 94, 0},
          {1440, 94, EG_FLAG_STUCK},
          {9000, 94, 0},
          END}}, /* a day; then a gap */
        {"", EG_Q_soil_ph, {{0, 10.6, EG_FLAG_RANGE}, END}},
        {"",
         EG_Q_weight,
         {{0, 1, 0}, {1, 90000, 0}, {99999, 90000, 0}, {99999999, 90000, 0}, END}}, /* nothing is asked */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_conf *conf = memory_conf(table[i].yaml);
        struct eg_followed followed = {.last.ms = EG_TIME_NONE};
        const struct eg_conf_limits *limits = eg_conf_limits_of(conf, table[i].quantity, 0, "a1");
        for (size_t k = 0; !isnan(table[i].steps[k].minute); k++) {
            const struct step *step = &table[i].steps[k];
            unsigned found =
                eg_quality_next(conf, limits, &followed, NOON + (int64_t)(step->minute * (double)MINUTE),
                                step->value, EG_FLAG_LATE | EG_FLAG_BAD | EG_FLAG_STUCK, false);
            if (found != (step->want | EG_FLAG_LATE))
                fail_msg("walk %zu, step %zu: %g is found %#x, not %#x", i, k, step->value, found,
                         step->want);
        }
        eg_conf_destroy(conf);
    }
}

static void test_the_closest_counts(void **unused)
{
    (void)unused;
    struct eg_conf *conf = memory_conf(
        "sites: [{id: s}, {id: t}]\nquality:\n  limits:\n    - {quantity: pm25, site: s, device: a, high: "
        "4}\n"
        "    - {quantity: pm25, device: a, high: 3}\n    - {quantity: pm25, site: s, high: 2, step: 7}\n"
        "    - {quantity: pm25, high: 1, low: -1}\n");
    static const struct {
        uint32_t site;
        const char *device;
        double high, rise;
    } table[] = {{0, "a", 4, 500}, {1, "a", 3, 500}, {0, "b", 2, 7}, {1, "b", 1, 500}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct eg_conf_limits *limits =
            eg_conf_limits_of(conf, EG_Q_pm25, table[i].site, table[i].device);
        if (limits->high != table[i].high || limits->rise != table[i].rise || limits->low != -1)
            fail_msg("row %zu: %g, %g", i, limits->high, limits->rise);
    }
    assert_true(eg_conf_limits_of(conf, EG_Q_pm10, 0, "a")->rise == 1000);
    eg_conf_destroy(conf);
}

/* --- one message --- */

static void test_within_a_message(void **unused)
{
    (void)unused;
    static const struct {
        const char *payload;
        unsigned pm25, other; /* other: the one that comes second */
    } table[] = {
        {"{\"pm25\":60,\"pm10\":50}", 0, 0}, /* within the slack: 50 and a tenth, and 5 */
        {"{\"pm25\":60.1,\"pm10\":50}", EG_FLAG_INCONSISTENT, EG_FLAG_INCONSISTENT},
        {"{\"pm25\":50,\"pm10\":600}", 0, 0},
        {"{\"pm25\":10,\"humidity\":94.9}", 0, 0},
        {"{\"pm25\":10,\"humidity\":95}", EG_FLAG_HUMID, 0},
        {"{\"pm25\":9,\"pm1\":50}", EG_FLAG_INCONSISTENT, EG_FLAG_INCONSISTENT},
        {"{\"temperature\":9,\"dew_point\":10}", EG_FLAG_INCONSISTENT, EG_FLAG_INCONSISTENT},
        {"{\"temperature\":9,\"dew_point\":9.5}", 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        memory_open(&room, SITES);
        say(&room, A1, table[i].payload);
        assert_int_equal(room.readings_count, 2);
        if ((room.readings[0].flags & DOUBT) != table[i].pm25 ||
            (room.readings[1].flags & DOUBT) != table[i].other)
            fail_msg("%s: %#x %#x", table[i].payload, room.readings[0].flags, room.readings[1].flags);
        memory_close(&room);
    }
}

/* --- what is bad is set aside --- */

#define STRICT                                                                                               \
    SITES "quality: {set_aside: suspect, limits: [{quantity: pm25, step: 100, spike: 0}]}\nrules:\n  - "     \
          "{id: high, "                                                                                      \
          "quantity: pm25, "                                                                                 \
          "levels: {warning: {open: 75, clear: 60}}}\n"

static void test_set_aside(void **unused)
{
    (void)unused;
    struct eg_series_view view;
    memory_open(&room, STRICT);
    reads(&room, NOON, 10);
    room.now_ms = NOON + HOUR;
    reads(&room, NOON + MINUTE, 300); /* a spike above the limit */
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_int_equal(view.hour.count, 1);
    assert_int_equal(view.hour_doubts.bad, 1);
    assert_int_equal(view.day_doubts.bad, 1);
    assert_int_equal(view.quality.grade, EG_GRADE_BAD);
    assert_int_equal(view.quality.flags, EG_FLAG_STEP);
    assert_true(view.quality.since_ms == NOON + MINUTE && view.quality.stuck_since_ms == EG_TIME_NONE);
    assert_true(view.last_value == 300); /* it is what was measured last, all the same */
    assert_int_equal(room.cases_count, 0);
    reads(&room, NOON + 2 * MINUTE, 20);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_true(view.hour.count == 2 && view.hour.max == 20 && view.hour_doubts.bad == 1);
    assert_int_equal(view.quality.grade, EG_GRADE_GOOD);
    /* one that comes between makes the spike believable: it counts, and breaks the limit */
    reads(&room, NOON + MINUTE / 2, 100);
    reads(&room, NOON + MINUTE * 3 / 4, 200);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_true(view.hour.count == 4 && view.hour.max == 300 &&
                view.hour_doubts.bad == 1); /* from 300 to 20 */
    assert_int_equal(room.cases_count, 1);
    assert_true(room.cases[0].opened_ms == NOON + MINUTE / 2 && room.cases[0].peak_value == 300);
    assert_int_equal(room.counters.r_stored, 5);
    assert_int_equal(room.requalified, 2);
    memory_restart(&room);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_true(view.hour.count == 4 && view.hour.max == 300 && view.hour_doubts.bad == 1);
    memory_close(&room);
}

/* A bucket that is closed loses all its readings, and gets one back; the newest reading is bad and opens an hour. */
static void test_buckets_without_a_reading(void **unused)
{
    (void)unused;
    struct eg_series_view view;
    memory_open(&room, STRICT);
    room.now_ms = NOON + 3 * HOUR;
    reads(&room, NOON + HOUR, 300);
    reads(&room, NOON + 2 * HOUR + MINUTE, 10);
    assert_int_equal(room.rollups[0].rollup.count, 1);
    reads(&room, NOON + HOUR - MINUTE, 10); /* from 10 to 300 in a minute */
    assert_true(room.rollups[0].rollup.start_ms == NOON + HOUR && !room.rollups[0].rollup.count);
    reads(&room, NOON + 3 * HOUR - 1, 10);
    reads(&room, NOON + 3 * HOUR, 290); /* bad, and the first of its hour */
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_true(view.hour.start_ms == NOON + 3 * HOUR && !view.hour.count && view.hour_doubts.bad == 1);
    reads(&room, NOON + 2 * HOUR, 11); /* a late one does not open its hour again */
    memory_restart(&room);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_true(view.hour.start_ms == NOON + 3 * HOUR && !view.hour.count && view.day.count == 4);
    for (size_t i = 0; i < room.rollups_count; i++)
        if (room.rollups[i].rollup.start_ms == NOON + 2 * HOUR)
            assert_true(room.rollups[i].rollup.count == 3 && room.rollups[i].rollup.sum == 31);
    memory_close(&room);
}

/* --- what sticks out, once the next reading is there --- */

static void test_what_is_a_spike(void **unused)
{
    (void)unused;
    static const struct {
        double spike, share, before, middle, after;
        int64_t since, until; /* minutes */
        bool want;
    } table[] = {
        {250, 0.5, 30, 400, 32, 15, 15, true},
        {250, 0.5, 30, 400, 32, 60, 60, true},
        {250, 0.5, 30, 400, 32, 180, 180, true},
        {250, 0.5, 30, 400, 32, 181, 15, false}, /* who knows what was between */
        {250, 0.5, 30, 400, 32, 15, 181, false},
        {250, 0.5, 30, 280, 30, 15, 15, false}, /* by no more than that */
        {250, 0.5, 30, 280.1, 30, 15, 15, true},
        {250, 0.5, 600, 890, 600, 15, 15, false}, /* where it is high, it is to be higher */
        {250, 0.5, 600, 901, 600, 15, 15, true},
        {250, 0.5, 600, 299, 600, 15, 15, true}, /* as well downwards */
        {250, 0.5, 30, 400, 149, 15, 15, true},
        {250, 0.4, 30, 800, 421, 15, 15, false}, /* it burns on */
        {250, 0, 30, 31, 400, 15, 15, false},    /* those beside a spike are none */
        {250, 0, 400, 31, 30, 15, 15, false},
        {9, 0, -20, -2, -20, 15, 15, true},
        {INFINITY, 0, 0, 1e6, 0, 1, 1, false}, /* not asked */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct eg_conf_limits limits = {.spike = table[i].spike, .spike_share = table[i].share};
        if (eg_quality_spikes(
                &limits, (struct eg_told_value){NOON - table[i].since * MINUTE, table[i].before},
                (struct eg_told_value){NOON, table[i].middle},
                (struct eg_told_value){NOON + table[i].until * MINUTE, table[i].after}) != table[i].want)
            fail_msg("row %zu: %g, %g, %g", i, table[i].before, table[i].middle, table[i].after);
    }
}

static unsigned flags_at(int64_t ms)
{
    unsigned flags = UINT32_MAX;
    for (size_t i = 0; i < room.readings_count; i++)
        if (room.readings[i].time_ms == ms)
            flags = room.readings[i].flags;
    return flags;
}

#define FIRE SITES "rules:\n  - {id: high, quantity: pm25, levels: {warning: {open: 75, clear: 60}}}\n"
#define FIRE_STRICT "quality: {set_aside: suspect}\n"

/* A slow sensor sees a fire once: it is in doubt, and so is the sensor, but the case is there and goes on. */
static void test_a_spike_in_doubt(void **unused)
{
    (void)unused;
    struct eg_series_view view;
    memory_open(&room, FIRE);
    room.now_ms = NOON + HOUR;
    reads(&room, NOON, 30);
    reads(&room, NOON + 15 * MINUTE, 400);
    assert_int_equal(flags_at(NOON + 15 * MINUTE), 0);
    memory_restart(&room);
    reads(&room, NOON + 30 * MINUTE, 32);
    assert_int_equal(flags_at(NOON + 15 * MINUTE), EG_FLAG_SPIKE | EG_FLAG_REQUALIFIED);
    assert_int_equal(flags_at(NOON + 30 * MINUTE), 0);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_true(view.hour.count == 3 && view.hour.max == 400 && view.hour_doubts.suspect == 1);
    assert_int_equal(view.quality.grade, EG_GRADE_GOOD);
    assert_int_equal(room.cases_count, 1);
    assert_true(room.cases[0].opened_ms == NOON + 15 * MINUTE && room.cases[0].peak_value == 400);
    assert_true(room.cases[0].handling == EG_OPEN && room.cases[0].condition == EG_CONDITION_OK);
    assert_int_equal(room.counters.r_stored, 3);
    /* One that comes late, and it is believed: it rose and fell. */
    reads(&room, NOON + 20 * MINUTE, 300);
    assert_int_equal(flags_at(NOON + 15 * MINUTE), EG_FLAG_REQUALIFIED);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_true(view.hour.count == 4 && view.hour_doubts.suspect == 0);
    reads(&room, NOON + 20 * MINUTE, 31); /* a correction, and it is not */
    assert_int_equal(flags_at(NOON + 15 * MINUTE), EG_FLAG_SPIKE | EG_FLAG_REQUALIFIED);
    reads(&room, NOON + 15 * MINUTE, 33); /* of itself */
    assert_int_equal(flags_at(NOON + 15 * MINUTE), EG_FLAG_CORRECTION);
    memory_close(&room);
}

static void add_reading(int64_t ms, double value)
{
    char payload[80];
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%g}", (long long)ms, value);
    struct eg_event event = message_event(room.now_ms, A1, payload, strlen(payload), ++room.mid);
    add(&room, &event);
}

/* In one turn it is marked before it is stored: no second row. */
static void test_a_spike_within_a_turn(void **unused)
{
    (void)unused;
    memory_open(&room, FIRE);
    room.now_ms = NOON + HOUR;
    add_reading(NOON, 30);
    add_reading(NOON + 15 * MINUTE, 400);
    add_reading(NOON + 30 * MINUTE, 32);
    add_reading(NOON + 31 * MINUTE, 32.5);
    turn(&room);
    assert_int_equal(room.readings_count, 4);
    assert_int_equal(flags_at(NOON + 15 * MINUTE), EG_FLAG_SPIKE);
    memory_close(&room);
}

/* Where what is in doubt is set aside, the hour, the day and the rule lose it as the next one comes. */
static void test_a_spike_is_set_aside(void **unused)
{
    (void)unused;
    struct eg_series_view view;
    for (int together = 0; together < 2; together++) {
        memory_open(&room, FIRE FIRE_STRICT);
        room.now_ms = NOON + 2 * HOUR;
        reads(&room, NOON + 30 * MINUTE, 30);
        add_reading(NOON + 45 * MINUTE, 400);
        if (!together)
            turn(&room);
        add_reading(NOON + HOUR, 32); /* which opens another hour */
        turn(&room);
        assert_int_equal(flags_at(NOON + 45 * MINUTE),
                         EG_FLAG_SPIKE | EG_FLAG_BAD | (together ? 0 : EG_FLAG_REQUALIFIED));
        assert_true(eg_pipeline_series(room.pipeline, 1, &view));
        assert_true(view.hour.count == 1 && view.day.count == 2 && view.day.max == 32 &&
                    view.day_doubts.bad == 1 && view.day_doubts.suspect == 0);
        const struct eg_row_rollup *hour = NULL;
        for (size_t i = 0; i < room.rollups_count; i++)
            if (room.rollups[i].rollup.start_ms == NOON && room.rollups[i].period == EG_PERIOD_HOUR)
                hour = &room.rollups[i];
        assert_true(hour && hour->rollup.count == 1 && hour->rollup.max == 30);
        /* It was judged as it came, a fire does not wait; it is told that there was none. */
        assert_int_equal(room.cases_count, 1);
        assert_int_equal(room.cases[0].condition, EG_CONDITION_OK);
        size_t corrected = 0;
        for (size_t i = 0; i < room.events_count; i++)
            corrected += !strcmp(room.events[i].kind, "corrected");
        assert_int_equal(corrected, 1);
        memory_restart(&room);
        assert_true(eg_pipeline_series(room.pipeline, 1, &view));
        assert_true(view.hour.count == 1 && view.day.count == 2 && view.day_doubts.bad == 1);
        reads(&room, NOON + 50 * MINUTE, 300); /* late, and there was a fire */
        assert_int_equal(flags_at(NOON + 45 * MINUTE), EG_FLAG_REQUALIFIED);
        assert_true(eg_pipeline_series(room.pipeline, 1, &view));
        assert_true(view.day.count == 4 && view.day.max == 400 && view.day_doubts.bad == 0);
        assert_int_equal(room.cases_count, 1);
        memory_close(&room);
    }
}

/* What is set aside already may be in doubt for one reason more, and is counted once. */
static void test_a_step_and_a_spike(void **unused)
{
    (void)unused;
    struct eg_series_view view;
    memory_open(&room, SITES "quality: {set_aside: suspect, limits: [{quantity: pm25, step: 100}]}\n");
    room.now_ms = NOON + HOUR;
    reads(&room, NOON, 10);
    reads(&room, NOON + MINUTE, 400);
    assert_int_equal(flags_at(NOON + MINUTE), EG_FLAG_STEP | EG_FLAG_BAD);
    reads(&room, NOON + 2 * MINUTE, 12);
    assert_int_equal(flags_at(NOON + MINUTE),
                     EG_FLAG_STEP | EG_FLAG_SPIKE | EG_FLAG_BAD | EG_FLAG_REQUALIFIED);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    assert_true(view.hour.count == 2 && view.hour_doubts.bad == 1 && view.hour_doubts.suspect == 0);
    memory_close(&room);
}

/* A start reads far enough back for it, over midnight too; and what a clock in doubt has dated is not asked. */
static void test_a_spike_after_a_restart(void **unused)
{
    (void)unused;
    const int64_t midnight = NOON + 12 * HOUR;
    for (int doubted = 0; doubted < 2; doubted++) {
        memory_open(&room, SITES "quality: {limits: [{quantity: temperature, stuck: 0}]}\n");
        room.now_ms = midnight - 2 * HOUR;
        say(&room, A1, "{\"temperature\":10}");
        room.now_ms = midnight + HOUR / 2;
        if (doubted) {
            struct eg_event event = {.kind = EG_EVENT_CLOCK,
                                     .now_ms = room.now_ms,
                                     .clock = {.is = EG_CLOCK_DOUBTED, .boot = "one", .why = "store"}};
            add(&room, &event);
            turn(&room);
        }
        struct eg_event hot = message_event(room.now_ms, A1, "{\"temperature\":40}", 18, ++room.mid);
        add(&room, &hot);
        if (!doubted) {
            turn(&room);
            memory_restart(&room);
        }
        room.now_ms += HOUR;
        say(&room, A1, "{\"temperature\":11}");
        const unsigned flags = flags_at(midnight + HOUR / 2);
        assert_int_equal((flags & EG_FLAG_CLOCK) != 0, doubted);
        assert_int_equal((flags & EG_FLAG_SPIKE) != 0, !doubted);
        memory_close(&room);
    }
}

/* A rule is not to judge the reading that shows the spike together with it: the mean of the three was never beyond the limit. */
static void test_a_spike_is_not_judged_once_more(void **unused)
{
    (void)unused;
    memory_open(&room,
                SITES "rules:\n  - {id: mean, quantity: pm25, statistic: mean, window: 1h, levels: {warning: "
                      "{open: 75, clear: 60}}, hold: 10m}\n" FIRE_STRICT);
    room.now_ms = NOON + HOUR;
    reads(&room, NOON, 30);
    reads(&room, NOON + 15 * MINUTE, 400);
    reads(&room, NOON + 30 * MINUTE, 32); /* (30 + 400 + 32) / 3 held for longer than the ten minutes */
    assert_int_equal(room.cases_count, 0);
    memory_close(&room);
}

/* What follows a spike is no step from it, though it came at once. */
static void test_a_spike_is_no_ground_for_a_step(void **unused)
{
    (void)unused;
    memory_open(&room, SITES "quality: {limits: [{quantity: pm25, step: 50}]}\n");
    room.now_ms = NOON + HOUR;
    reads(&room, NOON, 30);
    reads(&room, NOON + 15 * MINUTE, 400);
    reads(&room, NOON + 16 * MINUTE, 32);
    assert_int_equal(flags_at(NOON + 16 * MINUTE), 0);
    memory_restart(&room);
    reads(&room, NOON + 17 * MINUTE, 31);
    assert_int_equal(flags_at(NOON + 17 * MINUTE), 0);
    memory_close(&room);
}

/* --- any order --- */

enum { READINGS = 400 };
struct found {
    int64_t ms;
    unsigned flags;
};

static int by_time(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    return a->ms < b->ms ? -1 : a->ms > b->ms;
}

static void keep_flags(void *arg, int64_t time_ms, double value, uint16_t flags)
{
    struct found **to = arg;
    (void)value;
    *(*to)++ = (struct found){time_ms, flags & DOUBT};
}

static int by_place(const void *left, const void *right)
{
    const struct eg_row_rollup *a = left, *b = right;
    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    return a->rollup.start_ms < b->rollup.start_ms ? -1 : a->rollup.start_ms > b->rollup.start_ms;
}

static size_t all_buckets(struct eg_row_rollup *ret)
{
    struct eg_series_view view;
    size_t count = 0;
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    for (size_t i = 0; i < room.rollups_count; i++)
        if (room.rollups[i].rollup.count &&
            room.rollups[i].rollup.start_ms !=
                (room.rollups[i].period == EG_PERIOD_HOUR ? view.hour : view.day).start_ms)
            ret[count++] = room.rollups[i];
    ret[count++] = (struct eg_row_rollup){1, EG_PERIOD_HOUR, true, view.hour};
    ret[count++] = (struct eg_row_rollup){1, EG_PERIOD_DAY, true, view.day};
    qsort(ret, count, sizeof *ret, by_place);
    return count;
}

struct told {
    int64_t ms;
    double value;
};

/* Steps, runs of one value, gaps: so that most checks find something. */
static void make(struct told rows[READINGS], bool runs, uint64_t *random)
{
    int64_t ms = NOON - 10 * DAY;
    double value = 10;
    for (int i = 0; i < READINGS; i++) {
        int64_t what = random_below(random, 10);
        ms += what == 0 && !runs ? random_below(random, 6 * HOUR) + 1 : random_below(random, 12 * MINUTE) + 1;
        if (runs ? random_below(random, 60) == 0 : what < 5)
            value = (double)random_below(random, what || runs ? 60 : 600);
        rows[i] =
            (struct told){ms, runs && random_below(random, 50) == 0 ? 70 : value}; /* in the midst of a run */
    }
}

static void shuffle(struct told rows[READINGS], int way, uint64_t *random)
{
    for (int i = READINGS; way && --i > 0;) {
        int64_t k = random_below(random, way == 1 ? (i < 20 ? i : 20) + 1 : i + 1);
        k = way == 1 ? i - k : k;
        struct told row = rows[i];
        rows[i] = rows[k];
        rows[k] = row;
    }
}

static void test_any_order_any_split(void **unused)
{
    (void)unused;
    static const char *const yaml[] = {
        SITES "quality: {limits: [{quantity: pm25, high: 400, step: 20, spike: 15, spike_share: 0.2, stuck: "
              "20m, stuck_bad: 40m}]}\n",
        SITES "quality: {set_aside: suspect, limits: [{quantity: wind_speed, step: 20, spike: 8, stuck: 4h, "
              "stuck_bad: 6h}]}\n",
        SITES "quality: {limits: [{quantity: wind_speed, step: 20, spike: 30, stuck: 2h, stuck_bad: 4h}]}\n"};
    static struct eg_row_rollup first[4 * READINGS], other[4 * READINGS];
    static struct found found[2][READINGS + 1];
    static struct told rows[READINGS];
    unsigned seen = 0;
    for (uint64_t seed = 1; seed <= 18; seed++) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        size_t count = 0;
        make(rows, seed % 3, &random);
        for (int way = 0; way < 4; way++) {
            struct found *end = found[way > 0];
            memory_open(&room, yaml[seed % 3]);
            room.now_ms = NOON;
            shuffle(rows, way, &random);
            for (int i = 0; i < READINGS; i++) {
                for (int again = random_below(&random, 5) == 0; again >= 0; again--) {
                    const struct told *row = &rows[again ? random_below(&random, i + 1) : i];
                    char payload[80];
                    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"%s\":%.17g}", (long long)row->ms,
                             seed % 3 ? "wind_speed" : "pm25", row->value);
                    struct eg_event event =
                        message_event(room.now_ms, A1, payload, strlen(payload), ++room.mid);
                    add(&room, &event);
                }
                if (random_below(&random, 5) == 0)
                    turn(&room);
                if (!room.batch.events && random_below(&random, 10) == 0)
                    memory_restart(&room);
            }
            turn(&room);
            memory_range(&room, 1, 0, INT64_MAX, keep_flags, &end);
            assert_int_equal(end - found[way > 0], READINGS);
            qsort(found[way > 0], READINGS, sizeof **found, by_time);
            for (int i = 0; i < READINGS; i++) {
                seen |= found[0][i].flags;
                if (way && found[1][i].flags != found[0][i].flags)
                    fail_msg("seed %llu, order %d: at %lld %#x, in order %#x", (unsigned long long)seed, way,
                             (long long)found[1][i].ms, found[1][i].flags, found[0][i].flags);
            }
            size_t buckets = all_buckets(way ? other : first);
            count = way ? count : buckets;
            for (size_t i = 0; way && i < count && i < buckets; i++)
                if (memcmp(&first[i].rollup, &other[i].rollup, sizeof first[i].rollup) != 0)
                    fail_msg("seed %llu, order %d: bucket at %lld holds %llu readings, not %llu",
                             (unsigned long long)seed, way, (long long)first[i].rollup.start_ms,
                             (unsigned long long)other[i].rollup.count,
                             (unsigned long long)first[i].rollup.count);
            assert_int_equal(buckets, count);
            assert_int_equal(room.counters.r_stored, READINGS);
            memory_close(&room);
        }
    }
    assert_int_equal(seen, EG_FLAG_RANGE | EG_FLAG_STEP | EG_FLAG_SPIKE | EG_FLAG_STUCK | EG_FLAG_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_the_closest_counts),
        cmocka_unit_test(test_within_a_message),
        cmocka_unit_test(test_set_aside),
        cmocka_unit_test(test_buckets_without_a_reading),
        cmocka_unit_test(test_what_is_a_spike),
        cmocka_unit_test(test_a_spike_in_doubt),
        cmocka_unit_test(test_a_spike_within_a_turn),
        cmocka_unit_test(test_a_spike_is_set_aside),
        cmocka_unit_test(test_a_step_and_a_spike),
        cmocka_unit_test(test_a_spike_after_a_restart),
        cmocka_unit_test(test_a_spike_is_not_judged_once_more),
        cmocka_unit_test(test_a_spike_is_no_ground_for_a_step),
        cmocka_unit_test(test_any_order_any_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
