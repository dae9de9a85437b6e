/* Hours and days of a series: what is written when a bucket closes, what a late reading or a correction does
 * to one that is closed, days of 23 and 25 hours; and whatever came in whatever order, the buckets are what
 * the readings come to. */
#include "memory.h"

static struct memory room;

static const struct eg_rollup *stored(enum eg_period period, int64_t start_ms)
{
    for (size_t i = 0; i < room.rollups_count; i++)
        if (room.rollups[i].period == period && room.rollups[i].rollup.start_ms == start_ms)
            return &room.rollups[i].rollup;
    return NULL;
}

static void is(const struct eg_rollup *row, uint64_t count, double sum, double min, double max, double first,
               double last)
{
    assert_non_null(row);
    if (row->count != count || row->sum != sum || row->min != min || row->max != max || row->first != first ||
        row->last != last)
        fail_msg("count %llu sum %g min %g max %g first %g last %g", (unsigned long long)row->count, row->sum,
                 row->min, row->max, row->first, row->last);
}

static void now_reads(int64_t ms, double value)
{
    room.now_ms = ms > room.now_ms ? ms : room.now_ms;
    reads(&room, ms, value);
}

static void test_closing_late_and_corrected(void **unused)
{
    (void)unused;
    struct eg_series_view view;
    memory_open(&room, SITES);
    now_reads(NOON, 10);
    now_reads(NOON + HOUR - 1, 30);
    assert_int_equal(room.rollups_count, 0); /* open: nothing is written */
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    is(&view.hour, 2, 40, 10, 30, 10, 30);
    assert_true(view.hour.start_ms == NOON && view.hour.end_ms == NOON + HOUR);
    now_reads(NOON + HOUR, 7);
    assert_int_equal(room.rollups_count, 1);
    is(stored(EG_PERIOD_HOUR, NOON), 2, 40, 10, 30, 10, 30);
    now_reads(NOON + 5 * MINUTE, 50); /* late: merged into the closed hour, added to the open day */
    is(stored(EG_PERIOD_HOUR, NOON), 3, 90, 10, 50, 10, 30);
    now_reads(NOON - 2 * HOUR, 1); /* into an hour that never was open */
    is(stored(EG_PERIOD_HOUR, NOON - 2 * HOUR), 1, 1, 1, 1, 1, 1);
    now_reads(NOON, 20); /* corrected: made anew */
    is(stored(EG_PERIOD_HOUR, NOON), 3, 100, 20, 50, 20, 30);
    now_reads(NOON + HOUR, 8);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    is(&view.hour, 1, 8, 8, 8, 8, 8);
    is(&view.day, 5, 109, 1, 50, 1, 8);
    assert_null(stored(EG_PERIOD_DAY, NOON - 12 * HOUR));
    memory_restart(&room);
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    is(&view.hour, 1, 8, 8, 8, 8, 8);
    is(&view.day, 5, 109, 1, 50, 1, 8);
    now_reads(NOON + 12 * HOUR, 3); /* the next day */
    is(stored(EG_PERIOD_DAY, NOON - 12 * HOUR), 5, 109, 1, 50, 1, 8);
    memory_close(&room);
}

/* A day of the readings' own zone, as long as it is. */
static void test_days_where_clocks_change(void **unused)
{
    (void)unused;
    static const struct {
        const char *zone, *noon;
        int hours;
    } table[] = {{"Asia/Shanghai", "2026-11-23T04:00:00Z", 24},
                 {"Europe/Berlin", "2026-03-29T10:00:00Z", 23},
                 {"Europe/Berlin", "2026-10-25T11:00:00Z", 25},
                 {"America/St_Johns", "2026-03-08T14:30:00Z", 23},
                 {"America/St_Johns", "2026-11-01T15:30:00Z", 25}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char yaml[1000];
        int64_t noon, start, end;
        struct eg_series_view view;
        snprintf(yaml, sizeof yaml, "time_zone: %s\n%s", table[i].zone, &SITES[strlen("time_zone: UTC\n")]);
        memory_open(&room, yaml);
        assert_true(eg_time_parse(table[i].noon, strlen(table[i].noon), &noon));
        eg_zone_day(noon, &start, &end);
        for (int64_t ms = start - HOUR / 2; ms < end + HOUR; ms += HOUR)
            now_reads(ms, 1);
        for (int64_t ms = start - HOUR / 2 + MINUTE; ms < end;
             ms += HOUR) /* the same again, all of it late */
            now_reads(ms, 2);
        assert_true(end - start == table[i].hours * HOUR);
        const struct eg_rollup *day = stored(EG_PERIOD_DAY, start);
        is(day, (uint64_t)table[i].hours * 2, 3 * table[i].hours, 1, 2, 1, 2);
        assert_true(day->end_ms == end);
        assert_true(eg_pipeline_series(room.pipeline, 1, &view) && view.day.start_ms == end);
        int hours = 0;
        for (size_t k = 0; k < room.rollups_count; k++) {
            const struct eg_rollup *row = &room.rollups[k].rollup;
            if (room.rollups[k].period != EG_PERIOD_HOUR || row->start_ms < start || row->start_ms >= end)
                continue;
            hours++;
            assert_true(row->count == 2 && row->end_ms - row->start_ms == HOUR);
        }
        assert_int_equal(hours, table[i].hours);
        memory_close(&room);
    }
}

/* Which minutes of an hour are spoken for. */
static void test_slots(void **unused)
{
    (void)unused;
    struct eg_rollup hour, day;
    assert_true(eg_zone_use("UTC"));
    memory_open(&room, SITES);
    for (int i = 0; i < 60; i++)
        now_reads(NOON + i * MINUTE, 1);
    struct eg_series_view view;
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    hour = view.hour;
    day = view.day;
    assert_true(hour.slots[0] == (UINT64_C(1) << 60) - 1 && hour.slots[1] == 0);
    assert_true(day.slots[0] == UINT64_C(0xf) << 48 && day.slots[1] == 0);
    memory_close(&room);

    memory_open(
        &room,
        SITES); /* one reading each ten minutes speaks for ten; a restart forgets no more than the first */
    for (int i = -12; i < 6; i++)
        now_reads(NOON + i * 10 * MINUTE, 1);
    for (int restart = 0; restart < 2; restart++) {
        assert_true(eg_pipeline_series(room.pipeline, 1, &view));
        if (view.hour.slots[0] != (UINT64_C(1) << 60) - 1)
            fail_msg("%sthe hour is covered as %016llx", restart ? "after a restart " : "",
                     (unsigned long long)view.hour.slots[0]);
        struct eg_device_view device;
        assert_true(eg_pipeline_device(room.pipeline, 1, &device) && device.interval_ms == 10 * MINUTE &&
                    device.silent_after_ms == 30 * MINUTE);
        memory_restart(&room);
    }
    memory_close(&room);
}

static void tally(void *arg, int64_t time_ms, double value, uint16_t flags)
{
    struct eg_rollup *row = arg;
    (void)flags;
    row->first = row->count ? row->first : value;
    row->min = row->count && row->min < value ? row->min : value;
    row->max = row->count && row->max > value ? row->max : value;
    row->last = value;
    row->sum += value;
    row->count++;
    row->last_ms = time_ms;
}

/* Random order, corrections, restarts, turns of several messages: every bucket is what the readings in it
 * come to. */
static void test_against_the_readings(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t random = seed;
        memory_open(&room, SITES);
        int64_t newest = NOON;
        for (int i = 0; i < 300; i++) {
            int64_t kind = random_below(&random, 10), ms = newest;
            char payload[80];
            if (kind < 6)
                newest = ms = newest + random_below(&random, 40 * MINUTE) + 1;
            else if (kind < 8)
                ms = newest - random_below(&random, 3 * DAY);
            else if (room.readings_count)
                ms = room.readings[random_below(&random, (int64_t)room.readings_count)].time_ms;
            room.now_ms = newest;
            snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%g}", (long long)ms,
                     (double)random_below(&random, 400) / 4);
            struct eg_event event = message_event(room.now_ms, A1, payload, strlen(payload), ++room.mid);
            add(&room, &event);
            if (random_below(&random, 3) == 0)
                turn(&room);
            if (room.batch.events == 0 && random_below(&random, 20) == 0)
                memory_restart(&room);
        }
        turn(&room);
        struct eg_series_view view;
        assert_true(eg_pipeline_series(room.pipeline, 1, &view));
        uint64_t counted[EG_PERIOD_COUNT] = {view.hour.count, view.day.count};
        for (size_t i = 0; i < room.rollups_count + 2; i++) {
            const struct eg_rollup *row = i < room.rollups_count    ? &room.rollups[i].rollup
                                          : i == room.rollups_count ? &view.hour
                                                                    : &view.day;
            struct eg_rollup naive = {0};
            memory_range(&room, 1, row->start_ms, row->end_ms, tally, &naive);
            if (row->count != naive.count || row->sum != naive.sum || row->min != naive.min ||
                row->max != naive.max || row->first != naive.first || row->last != naive.last)
                fail_msg("seed %llu: the bucket at %lld holds %llu readings, sum %g; they are %llu, sum %g",
                         (unsigned long long)seed, (long long)row->start_ms, (unsigned long long)row->count,
                         row->sum, (unsigned long long)naive.count, naive.sum);
            if (i < room.rollups_count)
                counted[room.rollups[i].period] += row->count;
        }
        assert_true(counted[EG_PERIOD_HOUR] == room.counters.r_stored - room.counters.r_corrected);
        assert_true(counted[EG_PERIOD_DAY] == room.counters.r_stored - room.counters.r_corrected);
        memory_close(&room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closing_late_and_corrected), cmocka_unit_test(test_days_where_clocks_change),
        cmocka_unit_test(test_slots), cmocka_unit_test(test_against_the_readings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
