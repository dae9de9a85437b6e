/* A regional case follows those of its sites: how bad it looks, when nobody knows, when it flaps. When it opens and ends is told by
 * stories (tests/replay). */
#include "speak.h"

static struct memory room;

/* Nothing comes meanwhile, and what is due is done. */
static void wait_until(int64_t now_ms)
{
    room.now_ms = now_ms;
    catch_up(&room);
}

static void says(const char *site, int minute, double value)
{
    char topic[64], payload[64];
    room.now_ms = NOON + minute * MINUTE;
    snprintf(topic, sizeof topic, "ecogov/%s/air/a1", site);
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%g}", (long long)room.now_ms, value);
    say(&room, topic, payload);
}

/* A regional case looks like the worst of those that still breach, whichever came first; nobody knows how it is when nobody knows of the
 * last of them. */
static void test_a_regional_case_looks_like_its_worst(void **unused)
{
    (void)unused;
    memory_open(&room,
                "time_zone: UTC\nsites: [{id: linan}, {id: east, parent: linan}, {id: west, parent: linan}]\n"
                "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"
                "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}, critical: {open: "
                "150, clear: 140}}, regional: {sites: 2, "
                "within: 1h}}]\n");
    for (int minute = 0; minute < 10; minute++) {
        says("west", minute, minute < 6 ? 160 : 90);
        says("east", minute, 95);
    }
    assert_int_equal(room.cases_count, 3);
    const struct eg_case *row = case_of(&room, 3);
    assert_int_equal(row->kind, EG_CASE_REGIONAL);
    assert_true(row->level == EG_LEVEL_WARNING && row->limit == 75 &&
                row->last_value == 95); /* the other was worse, and is 90 */
    assert_true(row->peak_value == 160);
    says("west", 10, 170);
    row = case_of(&room, 3);
    assert_true(row->level == EG_LEVEL_CRITICAL && row->limit == 150 && row->last_value == 170 &&
                row->peak_value == 170);
    says("east", 11, 20);
    wait_until(NOON + 8 * HOUR);
    assert_int_equal(case_of(&room, 1)->condition, EG_CONDITION_UNKNOWN);
    assert_int_equal(case_of(&room, 3)->condition, EG_CONDITION_UNKNOWN);
    memory_close(&room);
}

/* While one of its own goes to and fro and nobody hears of the other, so does a regional case: it flaps, too, over a restart as well. */
static void test_a_regional_case_flaps(void **unused)
{
    (void)unused;
    for (int restarts = 0; restarts < 2; restarts++) {
        unsigned told = 0, suppressed = 0;
        memory_open(
            &room,
            "time_zone: UTC\nsites: [{id: linan}, {id: east, parent: linan}, {id: west, parent: linan}]\n"
            "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"
            "devices: [{id: a1, site: east, silent_after: 60d}]\n"
            "rules: [{id: r, quantity: pm25, levels: {warning: {open: 75, clear: 70}}, regional: {sites: 2, "
            "within: 1h}}]\n");
        for (int minute = 0; minute < 10; minute++) {
            says("east", minute, 95);
            says("west", minute, 95);
        }
        assert_int_equal(case_of(&room, 3)->kind, EG_CASE_REGIONAL);
        wait_until(NOON + 500 * MINUTE); /* the west has been silent for long */
        assert_int_equal(case_of(&room, 2)->condition, EG_CONDITION_UNKNOWN);
        for (int minute = 501; minute < 530; minute++) {
            says("east", minute, minute % 2 ? 20 : 95);
            if (restarts)
                memory_restart(&room);
        }
        for (size_t i = 0; i < room.events_count; i++)
            if (room.events[i].case_number == 3) {
                suppressed += !strcmp(room.events[i].kind, "flapping");
                told += !strcmp(room.events[i].kind, "condition") && !suppressed;
            }
        assert_int_equal(suppressed, 1);
        assert_true(told <= 8);
        memory_close(&room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_regional_case_looks_like_its_worst),
        cmocka_unit_test(test_a_regional_case_flaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
