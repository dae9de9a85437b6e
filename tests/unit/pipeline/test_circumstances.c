/* Rules that look at more than their own quantity: bands by another quantity, by what a device is for, by hour and season; further
 * conditions; and what a gap between readings does to a hold. A story is a line of messages and the line of events it must come to. */
#include "speak.h"

#include <pipeline/circumstance.h>

static struct memory room;

/* "1 opened warning@3; 1 condition ok@5" */
static const char *history(const struct memory *memory)
{
    static char text[4000];
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < memory->events_count; i++) {
        const struct eg_case_event *row = &memory->events[i];
        bool moved = strcmp(row->kind, "corrected") != 0;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u %s%s%s@%g", used ? "; " : "",
                                 row->case_number, row->kind, moved ? " " : "", moved ? row->to : "",
                                 (double)(row->at_ms - NOON) / (double)MINUTE);
    }
    return text;
}

/* One message of `device` at that minute, its values as they stand: "soil_ph=6,cd=0.4". */
static void post(struct memory *memory, const char *device, double minute, const char *values)
{
    char payload[400], topic[80];
    int64_t ms = NOON + (int64_t)(minute * (double)MINUTE);
    size_t used = (size_t)snprintf(payload, sizeof payload, "{\"ts\":%lld", (long long)ms);
    for (const char *at = values; *at;) {
        size_t name = strcspn(at, "="), value = strcspn(at + name + 1, ",");
        used += (size_t)snprintf(payload + used, sizeof payload - used, ",\"%.*s\":%.*s", (int)name, at,
                                 (int)value, at + name + 1);
        at += name + 1 + value;
        at += *at == ',';
    }
    snprintf(payload + used, sizeof payload - used, "}");
    snprintf(topic, sizeof topic, "ecogov/shangtian/soil/%s", device);
    memory->now_ms = ms > memory->now_ms ? ms : memory->now_ms;
    struct eg_event event = message_event(memory->now_ms, topic, payload, strlen(payload), ++memory->mid);
    add(memory, &event);
}

/* "minute:values", of device s1 unless "name/minute:values"; '|' restarts, ';' ends the turn. */
static void play(struct memory *memory, const char *story)
{
    char copy[1000], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", story);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *slash = strchr(word, '/'), *colon = strchr(word, ':');
        if (*word == '|' || *word == ';') {
            turn(memory);
            if (*word == '|')
                memory_restart(memory);
            continue;
        }
        if (slash)
            *slash = '\0';
        post(memory, slash ? word : "s1", strtod(slash ? slash + 1 : word, NULL), colon + 1);
    }
    turn(memory);
}

#define DEVICES                                                                                              \
    "devices:\n"                                                                                             \
    "  - {id: s1, site: shangtian, domain: soil, land_use: paddy}\n"                                         \
    "  - {id: s2, site: shangtian, domain: soil, land_use: other}\n"
#define CADMIUM                                                                                              \
    "quantity: cd, within: 2h, bands: ["                                                                     \
    "{when: {land_use: paddy, soil_ph: [null, 5.5]}, levels: {warning: {open: 0.3, clear: 0.3}}},"           \
    "{when: {land_use: paddy, soil_ph: [5.5, 6.5]}, levels: {warning: {open: 0.4, clear: 0.4}}},"            \
    "{when: {land_use: paddy, soil_ph: [6.5, null]}, levels: {warning: {open: 0.6, clear: 0.6}, critical: "  \
    "{open: 3, clear: 3}}},"                                                                                 \
    "{when: {land_use: other, soil_ph: [null, 7.5]}, levels: {warning: {open: 0.2, clear: 0.2}}}]"
#define STRAW                                                                                                \
    "quantity: pm25, levels: {warning: {open: 75, clear: 60}}, and: [{quantity: co, statistic: rate, "       \
    "window: 30m, above: 1}]"
#define BIN "quantity: bin_temp, levels: {critical: {open: 50, clear: 40}}, "

static const struct story {
    const char *rule, *story, *events;
} stories[] = {
    /* a range ends with its upper end: 5.5 is still up to 5.5, 6.5 up to 6.5 */
    {CADMIUM, "0:soil_ph=5.5,cd=0.35", "1 opened warning@0"},
    {CADMIUM, "0:soil_ph=5.51,cd=0.4", ""},
    {CADMIUM, "0:soil_ph=6.5,cd=0.5", "1 opened warning@0"},
    {CADMIUM, "0:soil_ph=6.51,cd=0.5", ""},
    /* the order within a message, and of messages of one time, does not matter */
    {CADMIUM, "0:soil_ph=7 1:cd=0.35,soil_ph=5", "1 opened warning@1"},
    {CADMIUM, "0:soil_ph=7 1:cd=0.35 1:soil_ph=5", "1 opened warning@1"},
    {CADMIUM, "0:soil_ph=7 1:cd=0.35 ; 1:soil_ph=5", "1 opened warning@1"},
    {CADMIUM, "0:soil_ph=7 1:cd=0.35 | 1:soil_ph=5", "1 opened warning@1"},
    /* no pH, or an old one, decides nothing; nor is it well again with it */
    {CADMIUM, "0:cd=5", ""},
    {CADMIUM, "0:soil_ph=5 121:cd=5", ""},
    {CADMIUM, "0:soil_ph=5 120:cd=5", "1 opened warning@120"},
    {CADMIUM, "0:soil_ph=5,cd=5 121:cd=0.1", "1 opened warning@0; 1 condition unknown@121"},
    {CADMIUM, "0:soil_ph=5,cd=5 121:cd=0.1 122:cd=0.1,soil_ph=5",
     "1 opened warning@0; 1 condition unknown@121; 1 condition ok@122"},
    {CADMIUM, "0:soil_ph=5,cd=5 | 121:cd=5 | 122:cd=5,soil_ph=5",
     "1 opened warning@0; 1 condition unknown@121; 1 condition breaching@122"},
    /* a pH that comes late makes the judgement what it would have been */
    {CADMIUM, "0:soil_ph=7 5:cd=0.35 10:cd=0.35 ; 3:soil_ph=5", "1 opened warning@5"},
    {CADMIUM, "0:soil_ph=7 5:cd=0.35 10:cd=0.35 | 8:soil_ph=5", "1 opened warning@10"},
    {CADMIUM, "0:soil_ph=5 5:cd=0.35 | 3:soil_ph=7", "1 opened warning@5; 1 corrected@5; 1 condition ok@5"},
    {CADMIUM, "0:soil_ph=5 5:cd=0.35 | 6:soil_ph=7", "1 opened warning@5"},
    /* a pH from after the reading is not asked */
    {CADMIUM, "9:soil_ph=7 ; 5:cd=5", ""},
    {CADMIUM, "0:soil_ph=5 9:soil_ph=7 ; 5:cd=0.5", "1 opened warning@5"},
    /* the level rises and falls as the band changes, in one case */
    {CADMIUM, "0:soil_ph=7,cd=3.5 1:soil_ph=6,cd=3.5 2:soil_ph=7,cd=3.5",
     "1 opened critical@0; 1 level warning@1; 1 level critical@2"},
    /* what the land is for; a device that nobody described; none that fits */
    {CADMIUM, "s2/0:soil_ph=7,cd=0.25", "1 opened warning@0"},
    {CADMIUM, "s3/0:soil_ph=7,cd=9", ""},
    {CADMIUM, "s2/0:soil_ph=8,cd=9", ""},
    /* another device's pH is not this one's, unless it is asked of the site */
    {CADMIUM, "s2/0:soil_ph=5 1:cd=5", ""},
    {CADMIUM ", of: site", "s2/0:soil_ph=5 1:cd=5", "1 opened warning@1"},
    {CADMIUM ", of: site", "s2/0:soil_ph=5 s3/1:soil_ph=7 2:cd=0.5", ""}, /* the newest counts */
    {CADMIUM ", of: site", "1:cd=5 s2/0:soil_ph=5 ;", "1 opened warning@1"},
    /* night from 22:00 to 06:00, winter from the 15th of November */
    {"quantity: noise, bands: [{when: {hours: '06:00-22:00'}, levels: {notice: {open: 55, clear: 55}}}, "
     "{when: {}, "
     "levels: {notice: {open: 45, clear: 45}}}]",
     "599:noise=50 600:noise=50 1079:noise=50 1080:noise=50", "1 opened notice@600; 1 condition ok@1080"},
    {"quantity: noise, bands: [{when: {season: '11-15..03-15'}, levels: {notice: {open: 55, clear: 55}}}, "
     "{when: {}, "
     "levels: {notice: {open: 45, clear: 45}}}]",
     "0:noise=50", ""},
    {"quantity: noise, bands: [{when: {season: '03-16..11-22'}, levels: {notice: {open: 45, clear: 45}}}, "
     "{when: "
     "{site: linan, device: 's2, s1'}, levels: {notice: {open: 55, clear: 55}}}]",
     "0:noise=50 1:noise=56 s2/2:noise=56 s3/3:noise=99", "1 opened notice@1; 2 opened notice@2"},
    /* both must be so, and what is not known is neither */
    {STRAW, "0:pm25=80,co=1 10:pm25=80,co=1 20:pm25=80,co=2 30:pm25=80,co=2", "1 opened warning@20"},
    {STRAW, "0:pm25=80 10:pm25=90", ""},
    {STRAW, "0:pm25=80,co=1 10:pm25=90", ""}, /* one reading has no rate */
    {STRAW, "0:pm25=80,co=1 10:pm25=80,co=3 20:pm25=50,co=3", "1 opened warning@10; 1 condition ok@20"},
    {STRAW, "0:pm25=80,co=1 10:pm25=80,co=3 20:pm25=80,co=1", "1 opened warning@10; 1 condition ok@20"},
    {STRAW, "0:pm25=80,co=1 10:pm25=80,co=3 41:pm25=10",
     "1 opened warning@10; 1 condition unknown@41"}, /* 31 minutes old: not known */
    {STRAW, "0:pm25=80,co=1 10:pm25=80 | 10:co=3", "1 opened warning@10"},
    {STRAW ", hold: 10m", "0:pm25=80,co=1 5:pm25=80,co=2 10:pm25=80,co=3 | 15:pm25=80,co=4",
     "1 opened warning@5"},
    {BIN "and: [{quantity: fill_level, above: 30, within: 1h}, {or: [{quantity: co, above: 5}, {quantity: "
         "humidity, "
         "below: 20}]}]",
     "0:bin_temp=60,fill_level=50 1:bin_temp=60,fill_level=50,humidity=50 2:bin_temp=60,humidity=19 "
     "3:bin_temp=60,fill_level=10",
     "1 opened critical@2; 1 condition ok@3"},
    /* of an `or`, one that holds is enough though the other is not known; one that does not is not */
    {BIN "or: [{quantity: co, above: 5}, {quantity: humidity, below: 20}]",
     "0:bin_temp=60,humidity=19 1:bin_temp=60,humidity=60", "1 opened critical@0; 1 condition unknown@1"},
    {BIN "and: [{quantity: bin_temp, statistic: change, window: 20m, above: 10}]",
     "0:bin_temp=60 5:bin_temp=65 10:bin_temp=71", "1 opened critical@10"},
    {BIN "and: [{quantity: temperature, of: site, below: 30}]",
     "s2/0:temperature=40 1:bin_temp=60 "
     "s3/2:temperature=20 3:bin_temp=60",
     "1 opened critical@3"},
    /* --- gaps: an hour of nothing between readings of every minute is no breach --- */
    {"quantity: pm25, levels: {warning: {open: 75, clear: 60}}, hold: 10m",
     "0:pm25=80 1:pm25=80 2:pm25=80 3:pm25=80 4:pm25=80 64:pm25=80 65:pm25=80 66:pm25=80 67:pm25=80 "
     "68:pm25=80 "
     "69:pm25=80",
     "1 opened warning@0"},
    {"quantity: pm25, levels: {warning: {open: 75, clear: 60}}, hold: 10m",
     "0:pm25=80 1:pm25=80 2:pm25=80 3:pm25=80 4:pm25=80 64:pm25=80 65:pm25=80 66:pm25=80 67:pm25=80 "
     "68:pm25=80",
     ""},
    {"quantity: pm25, levels: {warning: {open: 75, clear: 60}}, hold: 10m",
     "0:pm25=80 1:pm25=80 2:pm25=80 3:pm25=80 4:pm25=80 | 64:pm25=80 | 65:pm25=80 66:pm25=80 | 67:pm25=80 "
     "68:pm25=80 "
     "| 68.5:pm25=10 69:pm25=80",
     ""},
    /* nor a recovery */
    {"quantity: pm25, levels: {warning: {open: 75, clear: 60}}, clear_hold: 10m",
     "0:pm25=80 1:pm25=50 2:pm25=50 3:pm25=50 63:pm25=50 64:pm25=50", "1 opened warning@0"},
    {"quantity: pm25, levels: {warning: {open: 75, clear: 60}}, clear_hold: 4m",
     "0:pm25=80 1:pm25=50 2:pm25=50 3:pm25=50 | 63:pm25=50 64:pm25=50",
     "1 opened warning@0; 1 condition ok@64"},
    /* so far apart they may be, where the rule says so; and what is usual is learned */
    {"quantity: pm25, gap: 2h, levels: {warning: {open: 75, clear: 60}}, hold: 10m",
     "0:pm25=80 1:pm25=80 2:pm25=80 64:pm25=80", "1 opened warning@0"},
    {"quantity: pm25, gap: 5m, levels: {warning: {open: 75, clear: 60}}, hold: 10m",
     "0:pm25=80 1:pm25=80 2:pm25=80 8:pm25=80 12:pm25=80 15:pm25=80", "1 opened warning@0"},
    {"quantity: pm25, gap: 5m, levels: {warning: {open: 75, clear: 60}}, hold: 10m",
     "0:pm25=80 1:pm25=80 2:pm25=80 8:pm25=80 12:pm25=80 14:pm25=80", ""},
    {"quantity: pm25, levels: {warning: {open: 75, clear: 60}}, hold: 10h",
     "0:pm25=80 240:pm25=80 480:pm25=80 720:pm25=80 960:pm25=80", "1 opened warning@0"},
};
#define STORIES (sizeof stories / sizeof *stories)

static void compare(const struct story *story, const char *played, const char *how)
{
    char yaml[3000];
    snprintf(yaml, sizeof yaml, SITES DEVICES "rules: [{id: r, %s}]\n", story->rule);
    memory_open(&room, yaml);
    play(&room, played);
    if (strcmp(history(&room), story->events) != 0)
        fail_msg("%s\n%s%s\ncame to  %s\ninstead of %s", story->rule, played, how, history(&room),
                 story->events);
    memory_close(&room);
}

static void test_stories(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < STORIES; i++)
        compare(&stories[i], stories[i].story, "");
}

/* Restarted after every message, they come to the same. */
static void test_stories_with_restarts(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < STORIES; i++) {
        char played[1000];
        size_t used = 0;
        for (const char *c = stories[i].story; *c && used < sizeof played - 4; c++) {
            if (*c == ' ')
                used += (size_t)snprintf(played + used, 4, " | ");
            else
                played[used++] = *c;
        }
        played[used] = '\0';
        compare(&stories[i], played, ", restarted");
    }
}

/* A case knows the limit of the band it was opened by. */
static void test_the_limit_is_the_bands(void **unused)
{
    (void)unused;
    memory_open(&room, SITES DEVICES "rules: [{id: r, " CADMIUM "}]\n");
    play(&room, "0:soil_ph=6,cd=0.5");
    assert_true(case_of(&room, 1)->limit == 0.4);
    play(&room, "1:soil_ph=7,cd=3.5");
    assert_true(case_of(&room, 1)->limit == 3 && case_of(&room, 1)->level == EG_LEVEL_CRITICAL);
    memory_close(&room);
}

/* --- in any order, split and restarted anywhere --- */

static const char *const some_rules[] = {
    "quantity: pm25, levels: {notice: {open: 50, clear: 45}, critical: {open: 90, clear: 80}}, within: 3h, "
    "hold: 40m, "
    "and: [{quantity: co, above: 3}]",
    "quantity: pm25, levels: {warning: {open: 60, clear: 40}}, clear_hold: 30m, or: [{quantity: co, "
    "statistic: mean, "
    "window: 2h, above: 4}, {quantity: humidity, of: site, statistic: change, window: 3h, above: 10}]",
    "quantity: pm25, within: 90m, hold: 1h, bands: [{when: {co: [null, 3]}, levels: {warning: {open: 80, "
    "clear: 70}}}, "
    "{when: {co: [3, 7]}, levels: {warning: {open: 60, clear: 50}, critical: {open: 90, clear: 60}}}, {when: "
    "{humidity: "
    "[null, 90]}, levels: {warning: {open: 40, clear: 40}}}]",
    "quantity: pm25, statistic: mean, window: 3h, levels: {warning: {open: 55, clear: 50}}, hold: 30m, "
    "clear_hold: 1h"};
#define RULES (sizeof some_rules / sizeof *some_rules)

static const struct eg_case *case_at(const struct memory *memory, size_t rule, const char *device)
{
    char name[8];
    const struct eg_case *found = NULL;
    snprintf(name, sizeof name, "r%zu", rule);
    for (size_t i = 0; i < memory->cases_count; i++)
        if (!strcmp(memory->cases[i].rule, name) && !strcmp(memory->cases[i].device, device))
            found = &memory->cases[i];
    return found;
}

static void open_room(struct memory *memory)
{
    char yaml[4000];
    size_t used = (size_t)snprintf(yaml, sizeof yaml, SITES "late_limit: 8d\nrules:\n");
    for (size_t r = 0; r < RULES; r++)
        used += (size_t)snprintf(yaml + used, sizeof yaml - used, "  - {id: r%zu, %s}\n", r, some_rules[r]);
    memory_open(memory, yaml);
}

struct one {
    int minute;
    const char *device;
    char values[60];
};

static void test_in_any_order_as_in_order(void **unused)
{
    (void)unused;
    enum { MESSAGES = 150 };
    static struct memory live;
    static struct one rows[MESSAGES];
    size_t with_case = 0;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        int minute = -6 * 24 * 60;
        double dust = 40, co = 3;
        open_room(&live);
        for (int i = 0; i < MESSAGES; i++) {
            struct one *one = &rows[i];
            minute += random_below(&random, 12) ? 5 + (int)random_below(&random, 30) : 400;
            dust += (double)random_below(&random, 41) - 20;
            co += (double)random_below(&random, 5) - 2;
            dust = dust < 0 ? 0 : dust > 120 ? 120 : dust;
            co = co < 0 ? 0 : co > 10 ? 10 : co;
            one->minute = minute;
            one->device = random_below(&random, 5) ? "s1" : "s2";
            switch (random_below(&random, 4)) {
            case 0:
                snprintf(one->values, sizeof one->values, "pm25=%g", dust);
                break;
            case 1:
                snprintf(one->values, sizeof one->values, "pm25=%g,co=%g", dust, co);
                break;
            case 2:
                snprintf(one->values, sizeof one->values, "co=%g,humidity=%g", co, 30 + dust / 2);
                break;
            default:
                snprintf(one->values, sizeof one->values, "co=%g,pm25=%g", co, dust);
                break;
            }
            post(&live, one->device, one->minute, one->values);
            turn(&live);
        }
        for (int way = 0; way < 3; way++) {
            open_room(&room);
            room.now_ms = NOON;
            for (int i = MESSAGES - 1; way && i > 0; i--) {
                int64_t k = way == 1 && i > 9 ? i - random_below(&random, 10) : random_below(&random, i + 1);
                struct one kept = rows[i];
                rows[i] = rows[k];
                rows[k] = kept;
            }
            for (int i = 0; i < MESSAGES; i++) {
                post(&room, rows[i].device, rows[i].minute, rows[i].values);
                if (random_below(&random, 6) == 0) {
                    turn(&room);
                    if (random_below(&random, 4) == 0)
                        memory_restart(&room);
                }
            }
            turn(&room);
            for (size_t at = 0; at < 2 * RULES; at++) {
                const size_t r = at / 2;
                const char *device = at % 2 ? "s1" : "s2";
                const struct eg_case *a = case_at(&live, r, device), *b = case_at(&room, r, device);
                if (!a && (!b || b->condition == EG_CONDITION_OK))
                    continue; /* one that was opened before all was known is ok again */
                if (!a || !b || a->opened_ms != b->opened_ms || a->level != b->level ||
                    a->limit != b->limit || a->condition != b->condition || a->peak_value != b->peak_value ||
                    a->peak_ms != b->peak_ms)
                    fail_msg("seed %llu, order %d, rule %zu: %s in order, %s out of it; opened at %g and %g, "
                             "level %d "
                             "and %d, condition %d and %d, peak %g and %g, limit %g and %g",
                             (unsigned long long)seed, way, r, a ? "a case" : "none", b ? "a case" : "none",
                             a ? (double)(a->opened_ms - NOON) / MINUTE : 0,
                             b ? (double)(b->opened_ms - NOON) / MINUTE : 0, a ? a->level : 0,
                             b ? b->level : 0, a ? a->condition : 0, b ? b->condition : 0,
                             a ? a->peak_value : 0, b ? b->peak_value : 0, a ? a->limit : 0,
                             b ? b->limit : 0);
                with_case++;
            }
            memory_close(&room);
        }
        memory_close(&live);
    }
    assert_true(with_case > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories), cmocka_unit_test(test_stories_with_restarts),
        cmocka_unit_test(test_the_limit_is_the_bands), cmocka_unit_test(test_in_any_order_as_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
