/* Closed buckets leave their rows for chunks (store/fold.c): whatever comes when, late or anew, a reader is told what a plain map holds,
 * at every moment and after every kill; `--verify` finds nothing; nothing is left in rows. A property test over seeds, each printed with
 * what it fails in. */
#include "chance.h"
#include "house.h"

#include <pipeline/pace.h>
#include <pipeline/rollup.h>
#include <math.h>

#define SEEDS 4
#define STEPS 120
#define SERIES 3
#define BUCKETS 2000

struct map {
    struct eg_rollup rows[SERIES + 1][EG_PERIOD_COUNT][BUCKETS]; /* count 0: none */
};
static struct map map;
static const struct eg_conf_validity table4 = {45 * 60000, 6, 20, 27, 25, 324};

static int64_t start_of(enum eg_period period, int64_t index)
{
    return NOW - NOW % HOUR + index * (period == EG_PERIOD_HOUR ? HOUR : 24 * HOUR);
}

static struct eg_rollup make_bucket(enum eg_period period, int64_t index)
{
    int64_t start = start_of(period, index), end = start_of(period, index + 1),
            at = start + (int64_t)below(3000000);
    double value = (double)below(2000) / 10 - 20;
    return (struct eg_rollup){start,
                              end,
                              1 + below(60),
                              value * 3,
                              value,
                              value + 1,
                              value,
                              value + 0.1,
                              at,
                              at + (int64_t)below(500000),
                              {below(2) ? below(1000) : UINT64_MAX >> 4 >> below(30), 0}};
}

static void commit(struct house *house, struct eg_batch *batch)
{
    batch->now_ms = NOW;
    batch->counters = house->store->counters;
    if (eg_store_commit(house->store, batch, &house->err) != EG_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, house->err.text);
    eg_reader_committed(house->reader, batch);
    eg_batch_clear(batch);
}

/* Mostly the next one of each series; now and then one long past. */
static void send_some(struct house *house, int64_t newest, struct eg_batch *batch)
{
    for (uint32_t series = 1; series <= SERIES; series++)
        for (int period = 0; period < EG_PERIOD_COUNT; period++)
            for (int more = 0; more < 10; more++) {
                int64_t index = below(12) ? newest + more : (int64_t)below((uint64_t)newest + 10);
                bool whole = below(3) != 0;
                struct eg_rollup *kept = &map.rows[series][period][index],
                                 bucket = make_bucket((enum eg_period)period, index);
                struct eg_row_rollup *row = EG_BATCH_ADD(batch, rollups);
                assert_non_null(row);
                if (whole && kept->count && below(6) == 0) /* its readings are bad, all of them */
                    eg_rollup_none(&bucket);
                *row = (struct eg_row_rollup){series, (enum eg_period)period, whole, bucket};
                if (whole || !kept->count)
                    *kept = bucket;
                else
                    eg_rollup_merge(kept, &bucket);
            }
    commit(house, batch);
}

struct told {
    const struct eg_rollup *expected;
    int64_t at, to;
    uint32_t series;
};

static bool told(void *arg, const struct eg_rollup *rollup)
{
    struct told *told = arg;
    while (told->at < told->to && !told->expected[told->at].count)
        told->at++;
    if (told->at == told->to || memcmp(&told->expected[told->at], rollup, sizeof *rollup) != 0)
        fail_msg("seed %llu: series %u: not what bucket %lld holds: %llu readings, sum %.17g",
                 (unsigned long long)seed, told->series, (long long)told->at,
                 (unsigned long long)rollup->count, rollup->sum);
    told->at++;
    return true;
}

static void check(struct house *house, int64_t from, int64_t to)
{
    for (uint32_t series = 1; series <= SERIES; series++)
        for (int period = 0; period < EG_PERIOD_COUNT; period++) {
            struct told one = {map.rows[series][period], from, to, series};
            assert_int_equal(eg_reader_rollups(house->reader, series, (enum eg_period)period,
                                               start_of((enum eg_period)period, from),
                                               start_of((enum eg_period)period, to), told, &one, &house->err),
                             EG_OK);
            while (one.at < to && !one.expected[one.at].count)
                one.at++;
            if (one.at != to)
                fail_msg("seed %llu: series %u: bucket %lld was not told", (unsigned long long)seed, series,
                         (long long)one.at);
        }
}

/* What the reader remembers of the hours before `newest` is what the map holds of them, whatever came since it was first asked. */
static void check_hours(struct house *house, int64_t newest)
{
    int64_t from = newest > EG_LASTDAY_HOURS ? newest - EG_LASTDAY_HOURS : 0;
    for (uint32_t series = 1; series <= SERIES; series++) {
        struct eg_lastday_sum sum, expected = {0};
        struct eg_pace pace = {0};
        for (int64_t at = from > EG_PACE_BACK ? from - EG_PACE_BACK : 0; at < newest; at++) {
            const struct eg_rollup *row = &map.rows[series][EG_PERIOD_HOUR][at];
            const int64_t interval_ms = eg_pace_hour(&pace, row);
            if (!row->count || at < from)
                continue;
            expected.min = !expected.hours || row->min < expected.min ? row->min : expected.min;
            expected.max = !expected.hours || row->max > expected.max ? row->max : expected.max;
            expected.count += row->count;
            expected.sum += row->sum;
            expected.hours++;
            expected.valid_hours += eg_rollup_valid(row, EG_PERIOD_HOUR, interval_ms, &table4);
        }
        assert_int_equal(eg_reader_hours(house->reader, series, start_of(EG_PERIOD_HOUR, from),
                                         start_of(EG_PERIOD_HOUR, newest), &table4, &sum, &house->err),
                         EG_OK);
        if (sum.count != expected.count || sum.hours != expected.hours ||
            sum.valid_hours != expected.valid_hours || fabs(sum.sum - expected.sum) > 1e-6 ||
            sum.min != expected.min || sum.max != expected.max)
            fail_msg("seed %llu: series %u: %d hours and %llu readings before hour %lld, not %d and %llu",
                     (unsigned long long)seed, series, sum.hours, (unsigned long long)sum.count,
                     (long long)newest, expected.hours, (unsigned long long)expected.count);
    }
}

static void tidy(struct house *house, int64_t budget_us, bool to_the_end)
{
    bool more = true;
    while (more) {
        if (eg_store_tidy(house->store, NOW, budget_us, &more, &house->err) != EG_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed, house->err.text);
        more = more && to_the_end;
    }
}

static void verify_clean(struct house *house)
{
    struct eg_buf findings;
    eg_buf_init(&findings, 65536);
    assert_int_equal(eg_store_verify(house->path, &findings, &house->err), EG_OK);
    if (findings.length)
        fail_msg("seed %llu: %s", (unsigned long long)seed, findings.data);
    eg_buf_finish(&findings);
}

static void live(uint64_t number)
{
    struct house house;
    struct eg_batch batch;
    begin(number);
    memset(&map, 0, sizeof map);
    eg_batch_init(&batch);
    house_start(&house);
    assert_int_equal(
        sqlite3_exec(
            house.store->db,
            "INSERT INTO device(id,site,domain,device,registered_at) VALUES(1,'shangtian','air','a1',0);"
            "INSERT INTO series VALUES(1,1,'pm25',''),(2,1,'pm10',''),(3,1,'no2','')",
            NULL, NULL, NULL),
        SQLITE_OK);
    int64_t newest = 0;
    for (int step = 0; step < STEPS; step++) {
        house.store->fold_at = 1 + below(400);
        send_some(&house, newest, &batch);
        newest += 10;
        if (below(2))
            tidy(&house, 1 + (int64_t)below(2000), below(3) == 0);
        if (below(20) == 0)
            house_kill(&house);
        if (step % 4)
            check_hours(&house, newest);
        int64_t from = (int64_t)below((uint64_t)newest);
        check(&house, from, from + 1 + (int64_t)below((uint64_t)(BUCKETS - from)));
    }
    house.store->fold_at = 1;
    tidy(&house, 1000, true);
    assert_int_equal(eg_sql_number(house.store->db, "SELECT count(*) FROM rollup", -1), 0);
    check(&house, 0, BUCKETS);
    verify_clean(&house);
    house_raze(&house);
    eg_batch_finish(&batch);
}

static void told_as_a_plain_map_would(void **unused)
{
    (void)unused;
    for (uint64_t number = 1; number <= SEEDS; number++)
        live(number);
}

static void send_hour(struct eg_batch *batch, int64_t index)
{
    struct eg_row_rollup *row = EG_BATCH_ADD(batch, rollups);
    assert_non_null(row);
    *row = (struct eg_row_rollup){1, EG_PERIOD_HOUR, true, make_bucket(EG_PERIOD_HOUR, index)};
}

/* Asked between a commit and its being told of: what came with it counts once. */
static void hours_count_once(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_batch batch;
    struct eg_lastday_sum sum;
    state = 79;
    eg_batch_init(&batch);
    house_start(&house);
    for (int commits = 1; commits <= 3; commits++) {
        struct eg_row_rollup *row = EG_BATCH_ADD(&batch, rollups);
        *row = (struct eg_row_rollup){1, EG_PERIOD_HOUR, false, make_bucket(EG_PERIOD_HOUR, 5)};
        row->rollup.count = 7;
        batch.now_ms = NOW;
        batch.counters = house.store->counters;
        assert_int_equal(eg_store_commit(house.store, &batch, &house.err), EG_OK);
        for (int before = commits == 1; before >= 0; before--) {
            assert_int_equal(eg_reader_hours(house.reader, 1, start_of(EG_PERIOD_HOUR, 0),
                                             start_of(EG_PERIOD_HOUR, 6), &table4, &sum, &house.err),
                             EG_OK);
            if (before)
                assert_int_equal(sum.count, 7);
            else if (commits > 1)
                assert_int_equal(sum.count, 7 * (commits - 1)); /* not told yet */
            if (!before)
                eg_reader_committed(house.reader, &batch);
        }
        assert_int_equal(eg_reader_hours(house.reader, 1, start_of(EG_PERIOD_HOUR, 0),
                                         start_of(EG_PERIOD_HOUR, 6), &table4, &sum, &house.err),
                         EG_OK);
        assert_int_equal(sum.count, 7 * commits);
        eg_batch_clear(&batch);
    }
    /* Nobody asked for more than an hour: it is given back. */
    batch.now_ms = NOW + 2 * HOUR;
    eg_reader_committed(house.reader, &batch);
    batch.now_ms = NOW + 4 * HOUR;
    eg_reader_committed(house.reader, &batch);
    assert_int_equal(house.reader->hours.capacity, 0);
    house_raze(&house);
    eg_batch_finish(&batch);
}

/* Gathering takes bites; a late hour that comes between two of them lies before what was read, and is folded by the next run. */
static void late_between_two_bites(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_batch batch;
    state = 78;
    eg_batch_init(&batch);
    house_start(&house);
    house.store->fold_at = 1;
    for (int64_t index = 1; index <= 300; index++) /* more than are read between two looks at the clock */
        send_hour(&batch, index);
    commit(&house, &batch);
    while (!house.store->fold.count)
        tidy(&house, 0, false);
    assert_false(house.store->fold.gathered);
    send_hour(&batch, 0);
    commit(&house, &batch);
    tidy(&house, 1000, true);
    assert_int_equal(eg_sql_number(house.store->db, "SELECT count(*) FROM rollup", -1), 0);
    assert_int_equal(eg_sql_number(house.store->db, "SELECT sum(n) FROM bucket", -1), 301);
    house_raze(&house);
    eg_batch_finish(&batch);
}

/* Written twenty at a time, hours and days lie in full chunks, but for the one that grows. */
static void what_grows_joins_what_stays(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_batch batch;
    state = 80;
    eg_batch_init(&batch);
    house_start(&house);
    house.store->fold_at = 1;
    for (int64_t index = 0; index < 1200; index += 20) {
        for (int64_t hour = index; hour < index + 20; hour++)
            send_hour(&batch, hour);
        commit(&house, &batch);
        tidy(&house, 1000, true);
        assert_in_range(
            eg_sql_number(house.store->db, "SELECT n FROM bucket ORDER BY t_first DESC LIMIT 1", -1), 1,
            EG_BUCKETS_MAX / 4 + 19);
    }
    assert_int_equal(eg_sql_number(house.store->db, "SELECT sum(n) FROM bucket", -1), 1200);
    assert_in_range(eg_sql_number(house.store->db, "SELECT count(*) FROM bucket", -1), 3, 4);
    house_raze(&house);
    eg_batch_finish(&batch);
}

/* A damaged chunk of hours is told by whoever reads it, and by --verify. */
static void damage_is_told(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_batch batch;
    struct eg_buf findings;
    bool more = true;
    state = 77;
    memset(&map, 0, sizeof map);
    eg_batch_init(&batch);
    eg_buf_init(&findings, 65536);
    house_start(&house);
    assert_int_equal(
        sqlite3_exec(
            house.store->db,
            "INSERT INTO device(id,site,domain,device,registered_at) VALUES(1,'shangtian','air','a1',0);"
            "INSERT INTO series VALUES(1,1,'pm25',''),(2,1,'pm10',''),(3,1,'no2','')",
            NULL, NULL, NULL),
        SQLITE_OK);
    house.store->fold_at = 1;
    send_some(&house, 0, &batch);
    tidy(&house, 1000, true);
    assert_int_equal(sqlite3_exec(house.store->db,
                                  "UPDATE bucket SET body=x'0102030405060708' WHERE series=2 AND period=0",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    struct told one = {map.rows[2][0], 0, BUCKETS, 2};
    assert_int_equal(eg_reader_rollups(house.reader, 2, EG_PERIOD_HOUR, 0, INT64_MAX, told, &one, &house.err),
                     EG_ECORRUPT);
    send_some(&house, 0, &batch);
    int code = EG_OK;
    while (more && code == EG_OK)
        code = eg_store_tidy(house.store, NOW, 1000, &more, &house.err);
    assert_int_equal(code, EG_ECORRUPT);
    assert_int_equal(eg_store_verify(house.path, &findings, &house.err), EG_OK);
    assert_non_null(strstr(findings.data, "the hours of series 2"));
    eg_buf_finish(&findings);
    house_raze(&house);
    eg_batch_finish(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_as_a_plain_map_would), cmocka_unit_test(hours_count_once),
        cmocka_unit_test(late_between_two_bites), cmocka_unit_test(what_grows_joins_what_stays),
        cmocka_unit_test(damage_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
