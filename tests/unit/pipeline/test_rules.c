/* Rules in the readings' own time: hold, hysteresis, levels within one case, statistics over windows; and
 * what a new configuration does to what is going on. A story is a line of readings and the line of events it
 * must come to. */
#include "speak.h"

static struct memory room;

/* All events so far: "1 opened warning; 1 level critical; 1 condition ok". */
static const char *history(void)
{
    static char text[4000];
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < room.events_count; i++) {
        const struct eg_case_event *row = &room.events[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u %s%s%s@%g", used ? "; " : "",
                                 row->case_number, row->kind, strcmp(row->kind, "corrected") ? " " : "",
                                 strcmp(row->kind, "corrected") ? row->to : "",
                                 (double)(row->at_ms - NOON) / (double)MINUTE);
    }
    return text;
}

/* "minute:value …"; '|' restarts the daemon. */
static void play(const char *readings)
{
    for (const char *at = readings; *at;) {
        char *end;
        if (*at == ' ' || *at == '|') {
            if (*at++ == '|')
                memory_restart(&room);
            continue;
        }
        double minute = strtod(at, &end);
        assert_int_equal(*end, ':');
        double value = strtod(end + 1, &end);
        at = end;
        int64_t ms = NOON + (int64_t)(minute * (double)MINUTE);
        room.now_ms = ms > room.now_ms ? ms : room.now_ms;
        reads(&room, ms, value);
    }
}

#define LAST "levels: {warning: {open: 75, clear: 70}}"
#define TWO                                                                                                  \
    "levels: {notice: {open: 50, clear: 50}, warning: {open: 75, clear: 70}, critical: {open: 150, clear: "  \
    "140}}"

static const struct story {
    const char *rule, *readings, *events;
} stories[] = {
    /* beyond is strictly beyond, within is everything else */
    {LAST, "0:75 1:75.25 2:74 3:70.25 4:70 5:75", "1 opened warning@1; 1 condition ok@4"},
    {"direction: below, levels: {warning: {open: 20, clear: 25}}", "0:20 1:19 2:24 3:25 4:20",
     "1 opened warning@1; 1 condition ok@3"},
    /* it breaches again: the same case */
    {LAST, "0:80 1:60 2:80 3:60",
     "1 opened warning@0; 1 condition ok@1; 1 condition breaching@2; 1 condition ok@3"},
    /* hysteresis: between clear and open nothing happens */
    {LAST, "0:72 1:80 2:72 3:74 4:71 5:80 6:72", "1 opened warning@1"},
    /* hold: without a break, to the moment, opened at its beginning */
    {LAST ", hold: 10m", "0:80 5:80 9:80 10:80", "1 opened warning@0"},
    {LAST ", hold: 10m", "0:80 5:75 9:80 10:80 18:80", ""},
    {LAST ", hold: 10m", "0:80 5:75 9:80 10:80 19:80", "1 opened warning@9"},
    {LAST ", hold: 10m", "0:80 60:80", "1 opened warning@0"}, /* a gap is no break */
    {LAST ", hold: 10m", "0:80 5:80 | 10:80", "1 opened warning@0"},
    /* clear_hold: the same on the way back */
    {LAST ", clear_hold: 10m", "0:80 1:60 5:72 6:60 15:60 16:60", "1 opened warning@0; 1 condition ok@16"},
    {LAST ", clear_hold: 10m", "0:80 1:60 5:80 6:60 15:60", "1 opened warning@0"},
    {LAST ", clear_hold: 10m", "0:80 1:60 | 10:60 | 11:60", "1 opened warning@0; 1 condition ok@11"},
    /* a gap alone recovers nothing */
    {LAST, "0:80 600:80", "1 opened warning@0"},
    /* levels: up and down within one case, skipping what was skipped */
    {TWO, "0:60 1:80 2:160 3:145 4:139 5:71 6:70 7:51 8:50",
     "1 opened notice@0; 1 level warning@1; 1 level critical@2; 1 level warning@4; 1 level notice@6; 1 "
     "condition ok@8"},
    {TWO, "0:200 1:0 2:80",
     "1 opened critical@0; 1 condition ok@1; 1 condition breaching@2; 1 level warning@2"},
    {TWO ", hold: 2m", "0:200 2:200 3:60 4:200 5:200 6:200",
     "1 opened critical@0; 1 level notice@3; 1 level critical@6"},
    {TWO ", hold: 2m", "0:60 1:200 2:200 3:200", "1 opened notice@0; 1 level critical@3"},
    {TWO ", clear_hold: 2m", "0:200 1:60 2:60 3:60", "1 opened critical@0; 1 level notice@3"},
    /* out of order: as if it had come in order */
    {LAST, "5:10 3:80 6:10", "1 opened warning@3; 1 condition ok@5"},
    {LAST, "5:80 3:80 6:10", "1 opened warning@5; 1 corrected@3; 1 condition ok@6"},
    {LAST, "5:80 3:80 4:10 6:80", "1 opened warning@5; 1 corrected@3"},
    {LAST, "1:80 2:10 3:80 4:10 5:80 6:10 0:90",
     "1 opened warning@1; 1 condition ok@2; 1 condition breaching@3; 1 condition ok@4; 1 condition "
     "breaching@5; 1 "
     "condition ok@6; 1 corrected@0"},
    {LAST ", hold: 10m", "0:80 9:80 20:80 5:10", "1 opened warning@0; 1 corrected@9"},
    {LAST ", hold: 10m", "0:80 20:80 15:10", "1 opened warning@0; 1 corrected@0; 1 condition ok@20"},
    {LAST ", hold: 10m", "0:80 5:10 20:80 8:80", "1 opened warning@8"},
    {TWO, "0:60 5:160 9:10 3:80", "1 opened notice@0; 1 level critical@5; 1 condition ok@9"},
    {TWO, "5:60 9:10 3:160", "1 opened notice@5; 1 condition ok@9; 1 corrected@3"},
    {LAST, "5:80 3:10 6:80", "1 opened warning@5"},
    /* a correction of the newest is judged */
    {LAST, "5:80 5:10", "1 opened warning@5; 1 corrected@5; 1 condition ok@5"},
    {LAST, "5:10 5:80", "1 opened warning@5"},
    {LAST ", hold: 10m", "0:80 5:80 5:10 5:80 9:80", ""}, /* what was corrected away breaks no hold */
    {LAST ", hold: 10m", "0:80 5:80 5:10 5:80 10:80", "1 opened warning@0"},
    /* windows */
    {"statistic: mean, window: 10m, " LAST, "0:80 1:60 2:100 3:60",
     "1 opened warning@0; 1 condition ok@1; 1 condition breaching@2"},
    {"statistic: mean, window: 10m, " LAST, "0:60 4:100 10:74", "1 opened warning@4"},
    {"statistic: mean, window: 10m, " LAST, "0:60 4:100 | 10:74", "1 opened warning@4"},
    {"statistic: max, window: 10m, " LAST, "0:80 5:10 9:10 10:10", "1 opened warning@0; 1 condition ok@10"},
    {"statistic: max, window: 10m, " LAST, "5:10 3:80", "1 opened warning@3"}, /* late, but in the window */
    {"statistic: min, window: 10m, direction: below, levels: {warning: {open: 20, clear: 20}}",
     "0:30 1:10 5:30 11:30", "1 opened warning@1; 1 condition ok@11"},
    {"statistic: sum, window: 1h, " LAST, "0:40 30:40 60:10", "1 opened warning@30; 1 condition ok@60"},
    {"statistic: rate, window: 1h, levels: {warning: {open: 60, clear: 30}}", "0:10 10:21 20:21 30:22",
     "1 opened warning@10; 1 condition ok@30"},
    {"statistic: rate, window: 1h, levels: {warning: {open: 60, clear: 30}}", "0:500 61:900",
     ""}, /* one reading has no rate */
    {"statistic: p50, window: 1h, " LAST, "0:10 10:100 20:100 30:10 40:10",
     "1 opened warning@20; 1 condition ok@30"},
    {"statistic: stddev, window: 1h, levels: {warning: {open: 20, clear: 10}}", "0:10 10:10 20:90",
     "1 opened warning@20"},
    {"statistic: count, window: 1h, levels: {warning: {open: 2, clear: 2}}", "0:10 10:10 20:90 90:1",
     "1 opened warning@20; 1 condition ok@90"},
    {"statistic: above, above: 50, window: 1h, levels: {warning: {open: 15, clear: 5}}",
     "0:10 10:60 20:60 30:60 40:10", "1 opened warning@20"},
    /* aligned: from the start of the hour, 12:00, then 13:00 */
    {"statistic: mean, window: hour, " LAST, "0:80 30:80 59:80 60:10 61:90 70:300",
     "1 opened warning@0; 1 condition ok@60; 1 condition breaching@70"},
    {"statistic: max, window: day, " LAST, "0:80 600:10 719:10 720:10",
     "1 opened warning@0; 1 condition ok@720"},
    {"statistic: max, window: day, " LAST, "0:10 600:10 719:10 720:10 5:80",
     "1 opened warning@5; 1 condition ok@720"},
    /* validity: nothing is judged before enough of it is known, nor where too little is */
    {"statistic: mean, window: 1h, valid: 45m, " LAST, "0:80 10:80 20:80 30:80 40:80 50:80",
     "1 opened warning@40"},
    {"statistic: mean, window: 1h, valid: 0.5, " LAST, "0:80 10:80 20:80 30:80", "1 opened warning@20"},
    {"statistic: mean, window: hour, valid: standard, " LAST,
     "0:80 10:80 20:80 30:80 40:80 50:80 60:10 70:10", "1 opened warning@50"},
    {"statistic: mean, window: 1h, valid: 75%, " LAST,
     "0:80 10:80 20:80 30:80 40:80 50:80 60:80 200:10 210:10 220:10 230:10 240:10",
     "1 opened warning@40; 1 condition unknown@200; 1 condition ok@240"},
};

static void test_stories(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        char yaml[2000];
        snprintf(yaml, sizeof yaml, SITES "rules: [{id: r, quantity: pm25, %s}]\n", stories[i].rule);
        memory_open(&room, yaml);
        play(stories[i].readings);
        if (strcmp(history(), stories[i].events) != 0)
            fail_msg("%s\n%s\ncame to  %s\ninstead of %s", stories[i].rule, stories[i].readings, history(),
                     stories[i].events);
        memory_close(&room);
    }
}

/* Every story, restarted after every reading, comes to the same. */
static void test_stories_with_restarts(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        char yaml[2000], readings[400];
        size_t used = 0;
        for (const char *c = stories[i].readings; *c && used < sizeof readings - 2; c++)
            readings[used++] = *c == ' ' ? '|' : *c;
        readings[used] = '\0';
        snprintf(yaml, sizeof yaml, SITES "rules: [{id: r, quantity: pm25, %s}]\n", stories[i].rule);
        memory_open(&room, yaml);
        play(readings);
        if (strcmp(history(), stories[i].events) != 0)
            fail_msg("%s\n%s\ncame to  %s\ninstead of %s", stories[i].rule, readings, history(),
                     stories[i].events);
        memory_close(&room);
    }
}

/* What a case says of its values. */
static void test_the_card(void **unused)
{
    (void)unused;
    memory_open(&room, SITES "rules: [{id: r, quantity: pm25, " TWO
                             ", hold: 5m, deadline: {acknowledge: 2h, fix: 48h}}]\n");
    play("0:60 5:80 6:200 8:120 11:90");
    const struct eg_case *row = case_of(&room, 1);
    assert_true(row->opened_ms == NOON && row->detected_ms == NOON + 5 * MINUTE &&
                row->closed_ms == EG_TIME_NONE);
    assert_true(row->peak_value == 200 && row->peak_ms == NOON + 6 * MINUTE);
    assert_int_equal(row->level, EG_LEVEL_WARNING);
    assert_true(row->limit == 75 && row->last_value == 90 && row->last_ms == NOON + 11 * MINUTE);
    assert_true(row->due_ms == row->detected_ms + 2 * HOUR);
    assert_string_equal(row->site, "shangtian");
    assert_string_equal(row->lead, "grid");
    assert_string_equal(row->rule, "r");
    assert_true(row->rule_version == room.conf->rules[0].version && row->handling == EG_OPEN &&
                row->version == 2);
    assert_int_equal(strncmp(row->id, "shangtian-20261123-", 19), 0);
    assert_int_equal(room.outbox_count, 2); /* each event is told */
    play("12:95");
    assert_true(eg_pipeline_case_at(room.pipeline, 0)->last_value == 95 &&
                case_of(&room, 1)->last_value == 90); /* no page for each reading */
    memory_restart(&room);
    assert_true(eg_pipeline_case_at(room.pipeline, 0)->last_value == 95 &&
                eg_pipeline_case_at(room.pipeline, 0)->last_ms == NOON + 12 * MINUTE);
    memory_close(&room);
}

static void test_where_a_rule_looks(void **unused)
{
    (void)unused;
    memory_open(&room, SITES "rules:\n"
                             "  - {id: everywhere, quantity: pm25, " LAST "}\n"
                             "  - {id: below-linan, quantity: pm25, sites: [linan], " LAST "}\n"
                             "  - {id: soil, quantity: pm25, domain: soil, " LAST "}\n"
                             "  - {id: other, quantity: pm10, " LAST "}\n");
    say(&room, "ecogov/shangtian/air/a1", "{\"pm25\":100}");
    say(&room, "ecogov/else/air/a1", "{\"pm25\":100}");
    say(&room, "ecogov/else/soil/s1", "{\"pm25\":100,\"channel\":\"10cm\"}");
    static const char *const wanted[] = {"everywhere shangtian a1 ", "below-linan shangtian a1 ",
                                         "everywhere else a1 ", "everywhere else s1 10cm",
                                         "soil else s1 10cm"};
    assert_int_equal(room.cases_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        char text[300];
        const struct eg_case *row = case_of(&room, i + 1);
        snprintf(text, sizeof text, "%s %s %s %s", row->rule, row->site, row->device, row->channel);
        assert_string_equal(text, wanted[i]);
        assert_true(eg_pipeline_case_at(room.pipeline, i)->number == i + 1);
    }
    assert_null(eg_pipeline_case_at(room.pipeline, 5));
    memory_close(&room);
}

/* A new configuration while things are going on: [rule before, readings, rule after ("" none), readings,
 * rule, readings]. */
static void test_reload(void **unused)
{
    (void)unused;
    static const struct {
        const char *rules[3], *readings[3], *events;
    } table[] = {
        /* unchanged: the hold goes on */
        {{LAST ", hold: 10m", LAST ", hold: 10m", NULL}, {"0:80", "5:80 10:80", NULL}, "1 opened warning@0"},
        /* another limit: judged by the new one, in the same case */
        {{LAST, "levels: {warning: {open: 100, clear: 90}}", NULL},
         {"0:80", "1:85 2:110", NULL},
         "1 opened warning@0; 1 condition ok@1; 1 condition breaching@2"},
        /* the window goes on, and a wider one begins with what is there */
        {{"statistic: mean, window: 10m, " LAST, "statistic: mean, window: 10m, " LAST, NULL},
         {"0:100 1:40", "2:70", NULL},
         "1 opened warning@0; 1 condition ok@1"},
        {{"statistic: sum, window: 1m, " LAST, "statistic: sum, window: 1h, " LAST, NULL},
         {"0:30 2:30", "4:30", NULL},
         "1 opened warning@4"},
        {{LAST ", hold: 1h", "statistic: max, window: 1h, " LAST, NULL},
         {"0:80 2:30", "4:30", NULL},
         "1 opened warning@4"},
        /* the rule goes: its case stays as it is; the rule comes back: it is the same case */
        {{LAST, "", LAST}, {"0:80", "1:60 2:90", "3:60"}, "1 opened warning@0; 1 condition ok@3"},
        {{LAST, "", LAST}, {"0:80", "1:60 | 2:90", "3:80 4:60"}, "1 opened warning@0; 1 condition ok@4"},
        /* the level it stands at goes */
        {{TWO, LAST, NULL},
         {"0:160", "1:100 2:60", NULL},
         "1 opened critical@0; 1 level warning@1; 1 condition ok@2"},
        {{TWO, LAST, NULL}, {"0:160", "1:60", NULL}, "1 opened critical@0; 1 condition ok@1"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int restart = 0; restart < 2; restart++) {
            char yaml[2000];
            for (int step = 0; step < 3 && table[i].rules[step]; step++) {
                snprintf(yaml, sizeof yaml,
                         *table[i].rules[step] ? SITES "rules: [{id: r, quantity: pm25, %s}]\n" : SITES "%s",
                         table[i].rules[step]);
                if (step == 0)
                    memory_open(&room, yaml);
                else
                    memory_reconfigure(&room, yaml);
                if (restart)
                    memory_restart(&room);
                play(table[i].readings[step]);
            }
            if (strcmp(history(), table[i].events) != 0)
                fail_msg("row %zu%s came to\n%s\ninstead of\n%s", i, restart ? ", restarted," : "", history(),
                         table[i].events);
            memory_close(&room);
        }
}

/* Several rules on one series, each carried over to the one of its name wherever that stands now. */
static void test_reload_of_several_rules(void **unused)
{
    (void)unused;
    memory_open(&room,
                SITES "rules: [{id: a, quantity: pm25, " LAST ", hold: 10m}, {id: b, quantity: pm25, " LAST
                      "}, {id: c, quantity: pm25, statistic: max, " LAST "}]\n");
    play("0:80");
    memory_reconfigure(&room, SITES "rules: [{id: c, quantity: pm25, statistic: max, " LAST
                                    "}, {id: d, quantity: pm25, " LAST "}, {id: a, quantity: pm25, " LAST
                                    ", hold: 10m}, {id: b, quantity: pm25, " LAST "}]\n");
    play("10:60 10:80");
    assert_string_equal(history(), "1 opened warning@0; 2 opened warning@0; 1 condition ok@10; 3 opened "
                                   "warning@0; 4 opened warning@0; 1 condition breaching@10");
    memory_close(&room);
}

/* --- in any order --- */

static const char *const some_rules[] = {
    TWO,
    TWO ", hold: 20m",
    TWO ", hold: 20m, clear_hold: 30m",
    "statistic: mean, window: 1h, " TWO ", clear_hold: 10m",
    "statistic: max, window: 3h, " TWO,
    "statistic: rate, window: 2h, levels: {warning: {open: 20, clear: 0}}",
    "direction: below, levels: {notice: {open: 40, clear: 45}, critical: {open: 10, clear: 30}}, hold: 15m"};
#define RULES (sizeof some_rules / sizeof *some_rules)

static const struct eg_case *case_of_rule(const struct memory *memory, size_t rule)
{
    char name[8];
    snprintf(name, sizeof name, "r%zu", rule);
    for (size_t i = 0; i < memory->cases_count; i++)
        if (!strcmp(memory->cases[i].rule, name))
            return &memory->cases[i];
    return NULL;
}

static void open_with_some_rules(struct memory *memory)
{
    char yaml[4000];
    size_t used = (size_t)snprintf(yaml, sizeof yaml, SITES "late_limit: 8d\nrules:\n");
    for (size_t r = 0; r < RULES; r++)
        used += (size_t)snprintf(yaml + used, sizeof yaml - used, "  - {id: r%zu, quantity: pm25, %s}\n", r,
                                 some_rules[r]);
    memory_open(memory, yaml);
}

static void tell(struct memory *memory, int64_t ms, double value)
{
    char payload[80];
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%g}", (long long)ms, value);
    struct eg_event event = message_event(memory->now_ms, A1, payload, strlen(payload), ++memory->mid);
    add(memory, &event);
}

static void same_case(uint64_t seed, int way, size_t rule, const struct eg_case *live,
                      const struct eg_case *late)
{
    if (!live && (!late || late->condition == EG_CONDITION_OK))
        return; /* one that was opened before all was known is ok again */
    if (!live || !late)
        fail_msg("seed %llu, order %d, rule %zu: %s case when in order", (unsigned long long)seed, way, rule,
                 live ? "a" : "no");
    if (live->opened_ms != late->opened_ms || live->level != late->level ||
        live->condition != late->condition || live->peak_value != late->peak_value ||
        live->peak_ms != late->peak_ms || live->limit != late->limit)
        fail_msg("seed %llu, order %d, rule %zu: opened %lld and %lld, level %d and %d, condition %d and %d, "
                 "peak %g at %lld and %g at %lld, limit %g and %g",
                 (unsigned long long)seed, way, rule, (long long)(live->opened_ms - NOON),
                 (long long)(late->opened_ms - NOON), live->level, late->level, live->condition,
                 late->condition, live->peak_value, (long long)(live->peak_ms - NOON), late->peak_value,
                 (long long)(late->peak_ms - NOON), live->limit, late->limit);
}

/* A gateway that brings a week at once, in whatever order, with restarts between: the cases it would have come to. */
static void test_in_any_order_as_in_order(void **unused)
{
    (void)unused;
    enum { READINGS = 200 };
    static struct memory live;
    struct {
        int64_t ms;
        double value;
    } rows[READINGS];
    size_t with_case = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        open_with_some_rules(&live);
        double value = 30;
        for (int i = 0; i < READINGS; i++) {
            value += (double)random_below(&random, 41) - 20;
            value = value < 0 ? 0 : value > 300 ? 300 : value;
            rows[i].ms = NOON - 7 * DAY + i * 45 * MINUTE + random_below(&random, 40) * MINUTE;
            rows[i].value = random_below(&random, 30) ? value : 200;
            live.now_ms = rows[i].ms;
            reads(&live, rows[i].ms, rows[i].value);
        }
        for (int way = 0; way < 3; way++) {
            open_with_some_rules(&room);
            room.now_ms = NOON;
            for (int i = READINGS - 1; way && i > 0; i--) {
                int64_t k = way == 1 && i > 9 ? i - random_below(&random, 10) : random_below(&random, i + 1);
                int64_t ms = rows[i].ms;
                double kept = rows[i].value;
                rows[i] = rows[k];
                rows[k].ms = ms;
                rows[k].value = kept;
            }
            for (int i = 0; i < READINGS; i++) {
                tell(&room, rows[i].ms, rows[i].value);
                if (random_below(&random, 3) == 0) {
                    int64_t again = random_below(&random, i + 1);
                    tell(&room, rows[again].ms, rows[again].value);
                }
                if (random_below(&random, 6) == 0)
                    turn(&room);
                if (!room.batch.events && random_below(&random, 5) == 0)
                    memory_restart(&room);
            }
            turn(&room);
            for (size_t r = 0; r < RULES; r++) {
                same_case(seed, way, r, case_of_rule(&live, r), case_of_rule(&room, r));
                with_case += case_of_rule(&live, r) != NULL;
            }
            memory_close(&room);
        }
        memory_close(&live);
    }
    assert_true(with_case > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stories),
                                       cmocka_unit_test(test_stories_with_restarts),
                                       cmocka_unit_test(test_the_card),
                                       cmocka_unit_test(test_where_a_rule_looks),
                                       cmocka_unit_test(test_reload),
                                       cmocka_unit_test(test_reload_of_several_rules),
                                       cmocka_unit_test(test_in_any_order_as_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
