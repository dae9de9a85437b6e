/* Calibration: which scale and offset a reading gets by its own time; a new configuration begins behind what is there, and what comes
 * again, however late and after whatever change and restart, is the same reading; what the device had said can be told. */
#include "speak.h"

static struct memory room;

#define WITH(entries) SITES "devices:\n  - {id: a1, site: shangtian, calibration: [" entries "]}\n"

static const struct eg_row_reading *last(void)
{
    size_t at = room.readings_count;
    while (at-- > 0 && (room.readings[at].flags & EG_FLAG_REQUALIFIED))
        ; /* marked anew, by this one */
    assert_true(at < room.readings_count);
    return &room.readings[at];
}

static void is(double value, bool calibrated, double original)
{
    double found = NAN;
    const struct eg_row_reading *row = last();
    bool told = eg_pipeline_original(room.pipeline, row->series, row->time_ms, row->value, &found);
    if (row->value != value || calibrated != ((row->flags & EG_FLAG_CALIBRATED) != 0) ||
        (calibrated && (!told || found != original)))
        fail_msg("%.17g, flags %#x, original %.17g; wanted %.17g, original %.17g", row->value, row->flags,
                 found, value, original);
}

static void tell(int64_t ms, double raw)
{
    room.now_ms = ms > room.now_ms ? ms : room.now_ms;
    reads(&room, ms, raw);
}

static void test_by_the_readings_time(void **unused)
{
    (void)unused;
    memory_open(&room,
                WITH("{quantity: pm25, scale: 2, offset: 1, from: '2026-11-23T13:00:00Z'}, {quantity: pm25, "
                     "scale: 0.5, from: '2026-11-23T15:00:00Z'}, {quantity: pm10, offset: 100}"));
    tell(NOON + HOUR - 1, 10); /* before the first: as it came */
    is(10, false, 0);
    tell(NOON + HOUR, 10);
    is(21, true, 10);
    tell(NOON + 2 * HOUR, 14.9);
    is(30.8, true, 14.9);
    tell(NOON + 3 * HOUR, 10);
    is(5, true, 10);
    tell(NOON + 2 * HOUR + MINUTE, 7); /* late: by its own time */
    is(15, true, 7);
    size_t stored = room.readings_count;
    tell(NOON + 2 * HOUR, 14.9); /* the same again */
    assert_int_equal(room.readings_count, stored);
    assert_int_equal(room.counters.r_duplicate, 1);
    say(&room, "ecogov/shangtian/air/a2", "{\"pm25\":10}"); /* another device */
    is(10, false, 0);
    assert_int_equal(room.counters.r_corrected, 0);
    memory_close(&room);
}

static void test_of_a_channel(void **unused)
{
    (void)unused;
    memory_open(
        &room,
        "time_zone: UTC\nsites: [{id: shangtian}]\ndevices:\n  - {id: a1, site: shangtian, calibration: "
        "[{quantity: soil_moisture, channel: 20cm, offset: 2}, {quantity: soil_moisture, offset: 1}]}\n"
        "sources: [{id: c, topic: 's/{site}/{device}/{channel}', domain: soil, driver: json}]\n");
    say(&room, "s/shangtian/a1/20cm", "{\"soil_moisture\":30}");
    is(32, true, 30);
    say(&room, "s/shangtian/a1/40cm", "{\"soil_moisture\":30}");
    is(31, true, 30);
    memory_close(&room);
}

/* What is impossible is so after calibration: a sensor that drifted below nothing can be put right. */
static void test_before_it_is_refused(void **unused)
{
    (void)unused;
    memory_open(&room, WITH("{quantity: pm25, offset: 5}"));
    tell(NOON, -3);
    is(2, true, -3);
    tell(NOON + 1, 998);
    assert_int_equal(room.readings_count, 1);
    assert_int_equal(room.counters.r_rejected, 1);
    assert_string_equal(room.quarantine[0].reason,
                        "pm25 1003 ug/m3, calibrated, is outside the plausible range 0 to 1000");
    memory_close(&room);
}

/* A change holds from behind the newest reading on; what is there stays what it is. */
static void test_a_change(void **unused)
{
    (void)unused;
    memory_open(&room, SITES);
    tell(NOON, 10);
    tell(NOON + MINUTE, 11);
    for (int again = 0; again < 2; again++) { /* the second time after a restart, and with nothing new */
        memory_reconfigure(&room, WITH("{quantity: pm25, scale: 3, from: '2020-01-01T00:00:00Z'}"));
        size_t stored = room.readings_count;
        tell(NOON, 10);
        tell(NOON + MINUTE, 11);
        assert_int_equal(room.readings_count, stored); /* not corrected, not doubled */
        tell(NOON + MINUTE / 2 + again, 20);           /* never seen, of a time that was not calibrated */
        is(20, false, 0);
        tell(NOON + (2 + again) * MINUTE, 10);
        is(30, true, 10);
        assert_int_equal(room.calibrations_count, 1);
        assert_true(room.calibrations[0].since_ms == NOON + MINUTE + 1 && room.calibrations[0].scale == 3);
        memory_restart(&room);
    }
    memory_reconfigure(
        &room, WITH("{quantity: pm25, scale: 4, from: '2026-11-23T14:00:00Z'}")); /* later, otherwise */
    tell(NOON + 5 * MINUTE, 10);
    is(10, false, 0);
    memory_reconfigure(
        &room, WITH("{quantity: pm25, scale: 4, from: '2026-11-23T13:00:00Z'}")); /* before it was due */
    memory_restart(&room);
    tell(NOON + HOUR - 1, 10);
    is(10, false, 0);
    tell(NOON + HOUR, 10);
    is(40, true, 10);
    tell(NOON + 3 * HOUR, 10);
    is(40, true, 10);
    assert_int_equal(room.calibrations_count, 3); /* scale 3, none, scale 4 */
    memory_reconfigure(&room, SITES);             /* none any more */
    tell(NOON + 3 * HOUR, 10);
    assert_int_equal(room.counters.r_corrected, 0);
    tell(NOON + 4 * HOUR, 10);
    is(10, false, 0);
    tell(NOON + 2 * HOUR, 10); /* late, of a time that was */
    is(40, true, 10);
    memory_close(&room);
}

/* Redelivered under any configuration, after any restart: stored once, as the first time. */
static void test_never_twice(void **unused)
{
    (void)unused;
    static const char *const ways[] = {SITES, WITH("{quantity: pm25, scale: 1.1, offset: -0.3}"),
                                       WITH("{quantity: pm25, scale: 0.9}"),
                                       WITH("{quantity: pm25, offset: 2, from: '2026-11-23T20:00:00Z'}")};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        enum { READINGS = 150 };
        double raw[READINGS], values[READINGS];
        memory_open(&room, ways[seed % 4]);
        room.now_ms = NOON + DAY;
        for (int i = 0; i < READINGS; i++) {
            raw[i] = (double)random_below(&random, 9000) / 10 + 1;
            reads(&room, NOON + i * 7 * MINUTE, raw[i]);
            values[i] = last()->value;
            double original = raw[i];
            if (last()->flags & EG_FLAG_CALIBRATED)
                assert_true(eg_pipeline_original(room.pipeline, 1, last()->time_ms, values[i], &original));
            if (original != raw[i])
                fail_msg("seed %llu: %.17g is told as %.17g", (unsigned long long)seed, raw[i], original);
            int64_t again = random_below(&random, i + 1);
            if (random_below(&random, 10) == 0)
                memory_reconfigure(&room, ways[random_below(&random, 4)]);
            if (random_below(&random, 10) == 0)
                memory_restart(&room);
            reads(&room, NOON + again * 7 * MINUTE, raw[again]);
        }
        assert_int_equal(room.counters.r_corrected, 0);
        if (room.counters.r_stored != READINGS)
            fail_msg("seed %llu: %llu stored", (unsigned long long)seed,
                     (unsigned long long)room.counters.r_stored);
        memory_close(&room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_the_readings_time), cmocka_unit_test(test_of_a_channel),
        cmocka_unit_test(test_before_it_is_refused), cmocka_unit_test(test_a_change),
        cmocka_unit_test(test_never_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
