/* Hours and days of a series: what is written when a bucket closes, what a late reading or a correction does
 * to one that is closed, days of 23 and 25 hours; and whatever came in whatever order, the buckets are what
 * the readings come to. */
#include "speak.h"
#include <pipeline/rollup.h>

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

static int64_t observed(const struct eg_rollup *row, enum eg_period period)
{
    struct eg_device_view device;
    assert_true(eg_pipeline_device(room.pipeline, 1, &device));
    return eg_rollup_observed(row, period, device.interval_ms, INT64_MAX);
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

    memory_open(&room, SITES); /* one reading each ten minutes speaks for ten, also after a restart */
    for (int i = -12; i < 6; i++)
        now_reads(NOON + i * 10 * MINUTE, 1);
    for (int restart = 0; restart < 2; restart++) {
        assert_true(eg_pipeline_series(room.pipeline, 1, &view));
        if (observed(&view.hour, EG_PERIOD_HOUR) != HOUR)
            fail_msg("%sthe hour is covered as %016llx", restart ? "after a restart " : "",
                     (unsigned long long)view.hour.slots[0]);
        struct eg_device_view device;
        assert_true(eg_pipeline_device(room.pipeline, 1, &device) && device.interval_ms == 10 * MINUTE &&
                    device.silent_after_ms == 30 * MINUTE);
        memory_restart(&room);
    }
    memory_close(&room);
}

struct spoken {
    int interval_minutes, minutes[6], minutes_until, want; /* minutes[]: -1 ends */
};

/* The time the readings of an hour speak for. */
static void test_observed(void **unused)
{
    (void)unused;
    static const struct spoken table[] = {
        {1, {0, -1}, 60, 1},     /* a device of every minute, one reading */
        {60, {50, -1}, 60, 60},  /* one an hour, whenever in it */
        {0, {50, -1}, 60, 1},    /* nothing is known of the device */
        {180, {30, -1}, 60, 60}, /* never more than an hour, to both sides */
        {10, {5, 15, 25, 35, 45, 55}, 60, 60},
        {10, {5, 15, 45, -1}, 60, 35}, /* two are missing: 0-25 and 45-55 */
        {10, {5, 15, 30, 38, 50, -1}, 60, 60},
        {1, {5, 7, 9, -1}, 60, 5},     /* a minute may be missing between two */
        {60, {0, 10, 20, -1}, 60, 60}, /* a burst takes nothing away */
        {0, {0, 10, 20, -1}, 60, 30},  /* what they are apart here */
        {10, {0, 50, -1}, 60, 20},     /* as learned, not as far as they are apart */
        {10, {0, 10, 20, -1}, 25, 25}, /* so far */
        {1, {-1}, 60, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_rollup hour;
        assert_true(eg_zone_use("UTC"));
        eg_rollup_start(&hour, EG_PERIOD_HOUR, NOON);
        for (size_t k = 0; k < 6 && table[i].minutes[k] >= 0; k++)
            eg_rollup_add(&hour, EG_PERIOD_HOUR, 1, NOON + table[i].minutes[k] * MINUTE, 1);
        int64_t found = eg_rollup_observed(&hour, EG_PERIOD_HOUR, table[i].interval_minutes * MINUTE,
                                           NOON + table[i].minutes_until * MINUTE);
        if (found != table[i].want * MINUTE)
            fail_msg("row %zu: %g minutes", i, (double)found / (double)MINUTE);
    }
}

/* As eg_rollup_observed() is described, slot by slot. */
static int64_t naive_observed(const struct eg_rollup *row, int64_t slot_ms, int64_t interval_ms,
                              int64_t until_ms, int64_t within_from_ms, int64_t within_to_ms)
{
    int64_t speaks = interval_ms > 0  ? interval_ms
                     : row->count > 1 ? (row->last_ms - row->first_ms) / (int64_t)(row->count - 1)
                                      : 0,
            end_ms = until_ms < row->end_ms ? until_ms : row->end_ms, observed = 0,
            first = (row->first_ms - row->start_ms) / slot_ms;
    speaks = speaks < HOUR ? speaks : HOUR;
    int64_t reach = speaks > slot_ms ? (speaks + slot_ms - 1) / slot_ms : 1;
    bool spoken[128] = {0};
    for (int64_t slot = 0; slot < 128 && row->count; slot++) {
        spoken[slot] = slot < first && first - slot < reach;
        for (int64_t back = 0; back < reach && back <= slot; back++)
            spoken[slot] = spoken[slot] || row->slots[(slot - back) / 64] >> ((slot - back) % 64) & 1;
    }
    for (int64_t slot = 1, from = 1; slot < 128; slot++) { /* holes of half of that */
        if (spoken[slot] && !spoken[slot - 1] && from < slot && spoken[from - 1] &&
            slot - from <= (reach + 1) / 2)
            for (int64_t hole = from; hole < slot; hole++)
                spoken[hole] = true;
        from = spoken[slot] ? slot + 1 : from;
    }
    for (int64_t slot = 0; slot < 128 && row->count; slot++) {
        int64_t from_ms = row->start_ms + slot * slot_ms, to_ms = from_ms + slot_ms;
        if (spoken[slot] && from_ms < end_ms && from_ms >= within_from_ms && from_ms < within_to_ms)
            observed += (to_ms < end_ms ? to_ms : end_ms) - from_ms;
    }
    return observed;
}

static void test_observed_and_valid_of_many(void **unused)
{
    (void)unused;
    static const char *const zones[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe"};
    static const int64_t days[] = {NOON, INT64_C(1774746000000) /* 2026-03-29, 23 h in Berlin */,
                                   INT64_C(1792886400000) /* 2026-10-25, 25 h */,
                                   INT64_C(1775311200000) /* 2026-04-04, Lord Howe goes back half an hour */};
    uint64_t random = 20261126;
    for (int i = 0; i < 20000; i++) {
        enum eg_period period = (enum eg_period)random_below(&random, 2);
        int64_t slot_ms = period == EG_PERIOD_HOUR ? MINUTE : 15 * MINUTE, hours = 0;
        struct eg_rollup row;
        assert_true(eg_zone_use(zones[random_below(&random, 3)]));
        eg_rollup_start(&row, period, days[random_below(&random, 4)] + random_below(&random, 24) * HOUR);
        int64_t span = row.end_ms - row.start_ms,
                readings = random_below(&random, 1 + random_below(&random, 100)),
                step = 1 + random_below(&random, 1 + random_below(&random, 3 * HOUR)),
                until = row.start_ms - HOUR + random_below(&random, span + 2 * HOUR);
        for (int64_t k = 0, ms = row.start_ms + random_below(&random, span); k < readings && ms < row.end_ms;
             k++, ms += step)
            if (random_below(&random, 4))
                eg_rollup_add(&row, period, 1, ms, 1);
        const struct eg_conf_validity asked = {.hour_ms = random_below(&random, 61) * MINUTE,
                                               .day_hours = (unsigned)random_below(&random, 26)};
        int64_t interval = random_below(&random, 1 + random_below(&random, 2 * HOUR));
        for (int64_t from = row.start_ms; from + HOUR <= row.start_ms + 128 * slot_ms; from += HOUR)
            hours += naive_observed(&row, slot_ms, interval, INT64_MAX, from, from + HOUR) >= asked.hour_ms;
        bool valid = row.count && hours >= (period == EG_PERIOD_HOUR ? 1 : asked.day_hours);
        if (eg_rollup_observed(&row, period, interval, until) !=
                naive_observed(&row, slot_ms, interval, until, INT64_MIN, INT64_MAX) ||
            eg_rollup_valid(&row, period, interval, &asked) != valid)
            fail_msg("round %d: %lld of %lld ms, valid %d", i,
                     (long long)eg_rollup_observed(&row, period, interval, until),
                     (long long)naive_observed(&row, slot_ms, interval, until, INT64_MIN, INT64_MAX), valid);
    }
}

static int by_place(const void *left, const void *right)
{
    const struct eg_row_rollup *a = left, *b = right;
    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    return a->rollup.start_ms < b->rollup.start_ms ? -1 : a->rollup.start_ms > b->rollup.start_ms;
}

/* All buckets, the open ones among them. */
static size_t all_buckets(struct eg_row_rollup *ret)
{
    struct eg_series_view view;
    size_t count = 0;
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    for (size_t i = 0; i < room.rollups_count;
         i++) /* a start after late readings has written the open one, too */
        if (room.rollups[i].rollup.start_ms !=
            (room.rollups[i].period == EG_PERIOD_HOUR ? view.hour : view.day).start_ms)
            ret[count++] = room.rollups[i];
    ret[count++] = (struct eg_row_rollup){1, EG_PERIOD_HOUR, true, view.hour};
    ret[count++] = (struct eg_row_rollup){1, EG_PERIOD_DAY, true, view.day};
    qsort(ret, count, sizeof *ret, by_place);
    return count;
}

static void tell(int64_t ms, double value)
{
    char payload[80];
    snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":%.17g}", (long long)ms, value);
    struct eg_event event = message_event(room.now_ms, A1, payload, strlen(payload), ++room.mid);
    add(&room, &event);
}

/* --- the mean of the open day --- */

struct hours { /* of a day, as its readings say */
    int64_t start_ms;
    double sums[30];
    int counts[30];
};

static void into_hours(void *arg, int64_t time_ms, double value, uint16_t flags)
{
    struct hours *hours = arg;
    int64_t start, end = hours->start_ms;
    int at = 0;
    (void)flags;
    for (eg_zone_hour(end, &start, &end); time_ms >= end; at++)
        eg_zone_hour(end, &start, &end);
    hours->sums[at] += value;
    hours->counts[at]++;
}

static double naive_day_mean(const struct eg_rollup *day)
{
    struct hours hours = {.start_ms = day->start_ms};
    double means = 0;
    int held = 0;
    memory_range(&room, 1, day->start_ms, day->end_ms, into_hours, &hours);
    for (int i = 0; i < 30; i++)
        if (hours.counts[i]) {
            means += hours.sums[i] / hours.counts[i];
            held++;
        }
    return means / held;
}

static void day_mean_is_right(uint64_t seed)
{
    struct eg_series_view view;
    assert_true(eg_pipeline_series(room.pipeline, 1, &view));
    double want = naive_day_mean(&view.day);
    if (!(fabs(view.day_mean - want) <= 1e-9 * fabs(want)))
        fail_msg("seed %llu: the day since %lld has the mean %.17g, not %.17g", (unsigned long long)seed,
                 (long long)view.day.start_ms, view.day_mean, want);
}

/* A day of 23, 24 and 25 hours, and two in which clocks change by half an hour. */
static void test_mean_of_the_open_day(void **unused)
{
    (void)unused;
    static const struct {
        const char *zone;
        int64_t day_ms; /* lies in it */
    } table[] = {
        {"Europe/Berlin", INT64_C(1774785600000)},       {"Europe/Berlin", INT64_C(1774872000000)},
        {"Europe/Berlin", INT64_C(1792929600000)},       {"Australia/Lord_Howe", INT64_C(1775354400000)},
        {"Australia/Lord_Howe", INT64_C(1791075600000)}, {"Asia/Kathmandu", INT64_C(1774785600000)}};
    for (uint64_t seed = 1; seed <= 24; seed++) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        int64_t start, end;
        memory_open(&room, SITES);
        assert_true(eg_zone_use(table[seed % 6].zone));
        eg_zone_day(table[seed % 6].day_ms, &start, &end);
        room.now_ms = end + DAY;
        for (int i = 0; i < 150; i++) {
            bool smoke = random_below(&random, 2);
            int64_t into = smoke ? (end - start) / 2 + random_below(&random, HOUR)
                                 : random_below(&random, end - start + 2 * HOUR) - 2 * HOUR;
            if (i < 140 && start + into >= end)
                into -= 3 * HOUR; /* the next day opens late */
            tell(start + into, smoke ? (double)random_below(&random, 4000) / 8 : 20);
            if (room.readings_count && random_below(&random, 8) == 0) /* a correction */
                tell(room.readings[random_below(&random, (int64_t)room.readings_count)].time_ms, 50.5);
            if (random_below(&random, 3))
                continue;
            turn(&room);
            day_mean_is_right(seed);
            if (random_below(&random, 4) == 0) {
                memory_restart(&room);
                day_mean_is_right(seed);
            }
        }
        turn(&room);
        day_mean_is_right(seed);
        memory_close(&room);
    }
    assert_true(eg_zone_use("UTC"));
}

/* The same readings in any order, any of them more than once, with a restart anywhere: the same buckets to the last bit. */
static void test_any_order_any_split(void **unused)
{
    (void)unused;
    enum { READINGS = 600 };
    static struct eg_row_rollup first[READINGS], other[READINGS];
    static struct {
        int64_t ms;
        double value;
    } rows[READINGS];
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        for (int i = 0; i < READINGS; i++) {
            rows[i].ms = NOON - 4 * DAY + i * 10 * MINUTE + random_below(&random, 9 * MINUTE);
            rows[i].value = i % 3 ? (double)random_below(&random, 9999) / 10
                                  : 1e3 / (double)(1 + random_below(&random, 1 << 30));
        }
        size_t count = 0;
        double mean = 0;
        for (int way = 0; way < 4; way++) {
            struct eg_series_view view;
            memory_open(&room, SITES);
            room.now_ms = NOON + DAY;
            for (int i = READINGS; way && --i > 0;) {
                int64_t k = random_below(&random, way == 1 ? (i < 20 ? i : 20) + 1 : i + 1);
                k = way == 1 ? i - k : k; /* near by, or anywhere */
                int64_t ms = rows[i].ms;
                double value = rows[i].value;
                rows[i] = rows[k];
                rows[k].ms = ms;
                rows[k].value = value;
            }
            for (int i = 0; i < READINGS; i++) {
                tell(rows[i].ms, rows[i].value);
                if (i && random_below(&random, 4) == 0) {
                    int64_t again = random_below(&random, i);
                    tell(rows[again].ms, rows[again].value);
                }
                if (random_below(&random, 5) == 0)
                    turn(&room);
                if (!room.batch.events && random_below(&random, 10) == 0)
                    memory_restart(&room);
            }
            turn(&room);
            assert_true(eg_pipeline_series(room.pipeline, 1, &view));
            mean = way ? mean : view.day_mean;
            assert_memory_equal(&mean, &view.day_mean, sizeof mean);
            size_t found = all_buckets(way ? other : first);
            count = way ? count : found;
            for (size_t i = 0; i < count && i < found; i++)
                if (memcmp(&first[i].rollup, &(way ? other : first)[i].rollup, sizeof first[i].rollup) != 0)
                    fail_msg("seed %llu, order %d: bucket %zu at %lld: sum %.17g and %.17g",
                             (unsigned long long)seed, way, i, (long long)first[i].rollup.start_ms,
                             first[i].rollup.sum, other[i].rollup.sum);
            assert_int_equal(found, count);
            assert_int_equal(room.counters.r_stored, READINGS);
            memory_close(&room);
        }
    }
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_closing_late_and_corrected),
                                       cmocka_unit_test(test_days_where_clocks_change),
                                       cmocka_unit_test(test_slots),
                                       cmocka_unit_test(test_observed),
                                       cmocka_unit_test(test_observed_and_valid_of_many),
                                       cmocka_unit_test(test_mean_of_the_open_day),
                                       cmocka_unit_test(test_any_order_any_split),
                                       cmocka_unit_test(test_against_the_readings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
