/* Sensors that jump about, and sensors that depart from their neighbours: what their hours tell, once a day; what is no such thing; and
 * that it is the same whatever the order in which readings came, and wherever the daemon was started anew. */
#define MEMORY_TELLS_HOURS
#include "speak.h"

#include <pipeline/state.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define VILLAGE                                                                                              \
    "time_zone: UTC\n"                                                                                       \
    "sites: [{id: linan}, {id: shangtian, parent: linan}, {id: far, parent: linan}]\n"                       \
    "sources: [{id: village, topic: 'ecogov/{site}/{domain}/{device}', driver: json}]\n"                     \
    "late_limit: 90d\n"                                                                                      \
    "rules: [{id: r, quantity: pm25, hold: 1h, levels: {warning: {open: 300, clear: 200}}}]\n"               \
    "device_rules: [{id: doubt, when: suspect, level: notice}]\n"
#define DEVICES 5
#define DAY (24 * HOUR)

static struct memory room;

/* What there is in the air of a village, and what its sensors make of it. */
struct air {
    double (*error)(int64_t ms, int device); /* added to what is there */
    double (*local)(int64_t ms, int device); /* is there, at that device alone */
};
static uint64_t mixed(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

/* -1 … 1, of that moment and device alone. */
static double dice(int64_t ms, int device)
{
    return (double)(mixed((uint64_t)ms * 31 + (uint64_t)device) >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

static double none(int64_t ms, int device)
{
    (void)ms;
    (void)device;
    return 0;
}

static double value_of(const struct air *air, int64_t ms, int device)
{
    const double hours = (double)(ms - NOON) / (double)HOUR;
    double there = 40 + 15 * sin(hours * 0.2618) + 20 * sin(hours / 17) + 3 * sin(hours / 2.3);
    double value = there + air->local(ms, device) + air->error(ms, device) + 2 * dice(ms, device);
    return round((value > 0 ? value : 0) * 10) / 10;
}

static const char *site_of(int device)
{
    return device < DEVICES ? "shangtian" : "far";
}

static void tell(const struct air *air, int64_t ms, int device)
{
    char topic[64], payload[96];
    snprintf(topic, sizeof topic, "ecogov/%s/air/d%d", site_of(device), device);
    snprintf(payload, sizeof payload, "{\"ts\":%" PRId64 ",\"pm25\":%.1f}", ms, value_of(air, ms, device));
    say(&room, topic, payload);
}

static void pass(const struct air *air, int days, int devices, int64_t every_ms)
{
    for (int64_t end_ms = room.now_ms + days * DAY; room.now_ms < end_ms;) {
        room.now_ms += every_ms;
        catch_up(&room);
        for (int device = 0; device < devices; device++)
            tell(air, room.now_ms, device);
    }
}

static const struct eg_finding *finding_of(int device)
{
    return room.pipeline->series[device]->finding;
}

static void nothing_is_found(int devices)
{
    for (int device = 0; device < devices; device++)
        if (finding_of(device))
            fail_msg("d%d: noisy since %" PRId64 ", drifting since %" PRId64, device,
                     finding_of(device)->noisy_ms, finding_of(device)->drifting_ms);
}

static int64_t begins_ms; /* of the error */
static double reads_double(int64_t ms, int device)
{
    return device == 2 && ms >= begins_ms ? 70 : 0;
}

static void test_drift(void **unused)
{
    (void)unused;
    const struct air air = {reads_double, none};
    memory_open(&room, VILLAGE);
    begins_ms = INT64_MAX;
    pass(&air, 12, DEVICES, HOUR);
    nothing_is_found(DEVICES);
    begins_ms = room.now_ms; /* at noon: the first whole day is the next */
    pass(&air, 5, DEVICES, HOUR);
    nothing_is_found(DEVICES);
    pass(&air, 1, DEVICES, HOUR);
    assert_non_null(finding_of(2));
    const int64_t since_ms = finding_of(2)->drifting_ms;
    assert_true(since_ms == begins_ms + 12 * HOUR && finding_of(2)->side == 1);
    assert_true(finding_of(2)->noisy_ms == EG_TIME_NONE);
    assert_int_equal(room.cases_count, 1);
    assert_int_equal(room.cases[0].kind, EG_CASE_MAINTENANCE);
    assert_non_null(strstr(room.events[0].note, "pm25 has been above all its neighbours"));
    struct eg_series_view view;
    assert_true(eg_pipeline_series(room.pipeline, 3, &view) && view.drifting_ms == since_ms);
    memory_restart(&room);
    assert_true(finding_of(2)->drifting_ms == since_ms);
    pass(&air, 30, DEVICES, HOUR); /* longer than is looked back */
    assert_true(finding_of(2)->drifting_ms == since_ms);
    assert_int_equal(room.cases_count, 1);
    begins_ms = INT64_MAX; /* repaired */
    pass(&air, 1, DEVICES, HOUR);
    assert_non_null(finding_of(2));
    pass(&air, 2, DEVICES, HOUR);
    nothing_is_found(DEVICES);
    assert_int_equal(room.cases[0].handling, EG_CLOSED);
    memory_close(&room);
}

/* A fire, every day: not in the calm hours. And one whole day of dust. */
static double fire(int64_t ms, int device)
{
    return device == 2 && ms >= begins_ms && (ms / HOUR) % 24 >= 6 && (ms / HOUR) % 24 < 22 ? 90 : 0;
}
static double one_day(int64_t ms, int device)
{
    return device == 2 && ms >= begins_ms && ms < begins_ms + DAY ? 120 : 0;
}

static void test_what_is_in_the_air_is_no_drift(void **unused)
{
    (void)unused;
    begins_ms = NOON + 5 * DAY;
    const struct air airs[] = {{none, fire}, {none, one_day}};
    for (size_t i = 0; i < 2; i++) {
        memory_open(&room, VILLAGE);
        pass(&airs[i], 20, DEVICES, HOUR);
        nothing_is_found(DEVICES);
        memory_close(&room);
    }
}

/* Two neighbours say nothing; nor do devices at another site, or beyond reach. */
static void test_who_is_a_neighbour(void **unused)
{
    (void)unused;
    const struct air air = {reads_double, none};
    begins_ms = NOON;
    memory_open(&room, VILLAGE);
    pass(&air, 10, 3, HOUR);
    nothing_is_found(3);
    memory_close(&room);
    char yaml[2048];
    for (int near = 0; near < 2; near++) { /* by position, d2 is 1 km or 3 km off the others */
        snprintf(yaml, sizeof yaml,
                 VILLAGE "devices: [{id: d2, site: shangtian, position: {latitude: %s, longitude: 119.4}}, "
                         "{id: d0, site: shangtian, position: {latitude: 30.0, longitude: 119.4}}, "
                         "{id: d1, site: shangtian, position: {latitude: 30.0, longitude: 119.401}}, "
                         "{id: d3, site: shangtian, position: {latitude: 30.0, longitude: 119.402}}, "
                         "{id: d4, site: shangtian, position: {latitude: 30.0, longitude: 119.403}}]\n",
                 near ? "30.009" : "30.027");
        memory_open(&room, yaml);
        pass(&air, 10, DEVICES, HOUR);
        assert_true((finding_of(2) != NULL) == near);
        memory_close(&room);
    }
    memory_open(&room, VILLAGE "quality: {limits: [{quantity: pm25, device: d2, drift: 0}]}\n");
    pass(&air, 10, DEVICES, HOUR); /* where a source is known */
    nothing_is_found(DEVICES);
    memory_close(&room);
}

/* Neighbours that do not agree among themselves accuse nobody. */
static double all_apart(int64_t ms, int device)
{
    return ms >= begins_ms ? 60.0 * device : 0;
}

static void test_neighbours_that_disagree(void **unused)
{
    (void)unused;
    const struct air air = {all_apart, none};
    begins_ms = NOON;
    memory_open(&room, VILLAGE);
    pass(&air, 12, DEVICES, HOUR);
    nothing_is_found(DEVICES);
    memory_close(&room);
}

static double loose_contact(int64_t ms, int device)
{
    return device == 1 && ms >= begins_ms ? 140 * dice(ms + 7, device) : 0;
}
static double gusts(int64_t ms, int device)
{
    (void)device;
    return ms >= begins_ms && ms < begins_ms + 4 * DAY ? 140 * dice(ms + 7, 99) : 0;
}

static void test_noise(void **unused)
{
    (void)unused;
    const struct air air = {loose_contact, none}, windy = {none, gusts};
    for (int hourly = 0; hourly < 2; hourly++) { /* by the range within hours; by hours beside each other */
        const int64_t every_ms = hourly ? HOUR : 10 * MINUTE;
        memory_open(&room, VILLAGE);
        begins_ms = NOON + 10 * DAY;
        pass(&air, 13, DEVICES, every_ms);
        nothing_is_found(DEVICES);
        pass(&air, 1, DEVICES, every_ms);
        assert_non_null(finding_of(1));
        assert_true(finding_of(1)->noisy_ms == begins_ms + 12 * HOUR);
        assert_true(finding_of(1)->usual > 0 && finding_of(1)->usual < 12);
        assert_int_equal(room.cases_count, 1);
        assert_non_null(strstr(room.events[0].note, "pm25 has jumped about since"));
        memory_restart(&room);
        pass(&air, 20, DEVICES, every_ms); /* nothing calm is left to compare with: it stays noisy */
        assert_true(finding_of(1)->noisy_ms == begins_ms + 12 * HOUR);
        begins_ms = INT64_MAX;
        pass(&air, 4, DEVICES, every_ms);
        nothing_is_found(DEVICES);
        assert_int_equal(room.cases[0].handling, EG_CLOSED);
        memory_close(&room);
    }
    memory_open(&room, VILLAGE); /* all of them jump: it is the air */
    begins_ms = NOON + 10 * DAY;
    pass(&windy, 16, DEVICES, 10 * MINUTE);
    nothing_is_found(DEVICES);
    memory_close(&room);
}

/* --- in any order --- */

static uint64_t dealt;
static uint64_t deal(uint64_t below)
{
    dealt = mixed(dealt + UINT64_C(0x9e3779b97f4a7c15));
    return dealt % below;
}

static double both(int64_t ms, int device)
{
    return reads_double(ms, device) + loose_contact(ms, device);
}

static void test_any_order(void **unused)
{
    (void)unused;
    const char *given = getenv("ECOGOV_SEED");
    const uint64_t first_seed = given ? strtoull(given, NULL, 10) : UINT64_C(20261126);
    const struct air air = {both, none};
    enum { DAYS = 14, HOURS_ALL = DAYS * 24, ALL = HOURS_ALL * DEVICES };
    struct eg_finding expected[DEVICES];
    static int order[ALL];
    for (uint64_t seed = first_seed; seed < first_seed + 4; seed++) {
        dealt = seed;
        begins_ms = NOON + (int64_t)(6 * DAY + (int64_t)deal(24) * HOUR);
        for (int life = 0; life < 3; life++) { /* in order; shuffled; shuffled with duplicates and restarts */
            memory_open(&room, VILLAGE);
            for (int device = 0; device < DEVICES; device++) /* so that they are the same series each time */
                tell(&air, NOON, device);
            for (int i = 0; i < ALL; i++)
                order[i] = i;
            for (int i = ALL - 1; life && i > 0; i--) {
                int k = (int)deal((uint64_t)i + 1), kept = order[i];
                order[i] = order[k];
                order[k] = kept;
            }
            const int64_t end_ms = NOON + DAYS * DAY;
            room.now_ms = life ? end_ms : NOON;
            for (int i = 0; i < ALL; i++) {
                int64_t ms = NOON + (order[i] / DEVICES + 1) * HOUR;
                room.now_ms = ms > room.now_ms ? ms : room.now_ms;
                tell(&air, ms, order[i] % DEVICES);
                if (life == 2 && deal(9) == 0)
                    tell(&air, ms, order[i] % DEVICES);
                if (life == 2 && deal(200) == 0)
                    memory_restart(&room);
                if (life == 0)
                    catch_up(&room);
            }
            room.now_ms = end_ms + 2 * DAY;
            catch_up(&room);
            for (int device = 0; device < DEVICES; device++) {
                const struct eg_finding nothing = {EG_TIME_NONE, EG_TIME_NONE, 0, 0},
                                        found = finding_of(device) ? *finding_of(device) : nothing;
                if (life == 0)
                    expected[device] = found;
                else if (memcmp(&found.usual, &expected[device].usual, sizeof found.usual) != 0 ||
                         found.noisy_ms != expected[device].noisy_ms || found.side != expected[device].side ||
                         found.drifting_ms != expected[device].drifting_ms)
                    fail_msg("ECOGOV_SEED=%" PRIu64 ", life %d, d%d: another finding", seed, life, device);
            }
            memory_close(&room);
        }
        if (expected[2].drifting_ms == EG_TIME_NONE && expected[1].noisy_ms == EG_TIME_NONE)
            fail_msg("ECOGOV_SEED=%" PRIu64 ": nothing was found at all", seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_what_is_in_the_air_is_no_drift),
        cmocka_unit_test(test_who_is_a_neighbour),
        cmocka_unit_test(test_neighbours_that_disagree),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
