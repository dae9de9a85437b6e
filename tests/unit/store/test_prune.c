/* What goes and what stays (prune.c): by age, and by max_size, where ingest goes on for ever and the oldest give way, those of a
 * case last. Batches are made by hand: the pipeline is not asked. */
#include "house.h"

#define SERIES 20
#define EACH 50 /* readings of a series in a turn */
#define STEP_MS 1000

static int64_t number_of(struct house *house, const char *query)
{
    sqlite3_stmt *sql = NULL;
    assert_int_equal(sqlite3_prepare_v2(house->reader->db, query, -1, &sql, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(sql), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(sql, 0);
    sqlite3_finalize(sql);
    return number;
}

static void run(struct house *house, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(house->store->db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

static void register_series(struct house *house)
{
    for (uint32_t id = 1; id <= SERIES; id++) {
        struct eg_row_device *device = EG_BATCH_ADD(&house->batch, devices);
        struct eg_row_series *series = EG_BATCH_ADD(&house->batch, series);
        char name[16];
        snprintf(name, sizeof name, "d%u", id);
        *device = (struct eg_row_device){id, "shangtian", "air", eg_batch_text(&house->batch, name), NOW};
        *series = (struct eg_row_series){id, id, EG_Q_pm25, ""};
    }
    house->batch.events++;
    house->batch.now_ms = NOW;
    house_commits(house);
}

static int64_t time_of(int at)
{
    return NOW + (int64_t)at * STEP_MS;
}

/* Values without decimals in common: some seven bytes a reading, sealed. */
static void fill_turn(struct house *house, int turn)
{
    for (uint32_t series = 1; series <= SERIES; series++)
        for (int i = 0; i < EACH; i++) {
            struct eg_row_reading *row = EG_BATCH_ADD(&house->batch, readings);
            *row =
                (struct eg_row_reading){series, 0, time_of(turn * EACH + i),
                                        (double)(((unsigned)turn * EACH + (unsigned)i) * 2654435761u) / 3.0};
            house->batch.counters.r_decoded++;
            house->batch.counters.r_stored++;
        }
    house->batch.counters.received += SERIES;
    house->batch.counters.decoded += SERIES;
    house->batch.events++;
    house->batch.now_ms = time_of(turn * EACH);
}

static void tidy_all(struct house *house, int64_t now_ms, int64_t budget_us)
{
    bool more = true;
    for (int bites = 0; more; bites++) {
        if (eg_store_tidy(house->store, now_ms, budget_us, &more, &house->err) != EG_OK)
            fail_msg("%s", house->err.text);
        if (bites > 5000)
            fail_msg("it does not come to an end");
    }
}

/* As turn.c does it: what does not fit is tried again after tidying. */
static int live(struct house *house, int from, int to)
{
    int again = 0;
    for (int turn = from; turn < to; turn++) {
        fill_turn(house, turn);
        if (house_commit(house) != EG_OK) {
            assert_int_equal(house->err.code, EG_EFULL);
            again++;
            tidy_all(house, time_of(turn * EACH), 3000);
            house_commits(house);
        }
        if (turn % 16 == 0 || house->store->wants_tidy)
            tidy_all(house, time_of(turn * EACH), turn % 3 ? 3000 : 0);
    }
    return again;
}

struct seen {
    size_t count;
    int64_t first_ms, last_ms;
};

static bool see(void *arg, const struct eg_point *point)
{
    struct seen *seen = arg;
    if (!seen->count++)
        seen->first_ms = point->time_ms;
    seen->last_ms = point->time_ms;
    return true;
}

static struct seen of_series(struct house *house, uint32_t series, int64_t from_ms, int64_t to_ms)
{
    struct seen seen = {0};
    assert_int_equal(eg_reader_points(house->reader, series, from_ms, to_ms, see, &seen, &house->err), EG_OK);
    return seen;
}

static void add_case(struct house *house, int number, uint32_t series, int64_t opened_ms, int64_t closed_ms)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "INSERT INTO cases(" EG_CASE_COLUMNS_8
             ") VALUES(%d,'c%d','shangtian','air','d','r','','pm25',%u,1,1,0,5,0,%lld,%lld,%lld,NULL,1,1,"
             "1,1,1,'','',0,0,0)",
             number, number, series, (long long)opened_ms, (long long)opened_ms, (long long)closed_ms);
    run(house, sql);
}

static void add_evidence(struct house *house, uint32_t number, uint32_t series, int64_t since_ms)
{
    struct eg_row_evidence *row = EG_BATCH_ADD(&house->batch, evidence);
    *row = (struct eg_row_evidence){number, series, EG_EVIDENCE_ASKED, since_ms};
}

#define TURNS 600

static void the_oldest_give_way(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_store_figures figures;
    const int64_t room = 2000000 / 4096;
    house_make(&house, "2MB");
    assert_int_equal(house_enter(&house), EG_OK);
    register_series(&house);
    house.store->grown_points = 200;
    add_case(&house, 1, 7, NOW - 30 * HOUR, NOW - 23 * HOUR); /* its day after ends an hour from now */
    add_case(&house, 2, 0, NOW - 30 * HOUR, NOW - 23 * HOUR); /* of no series: of the site, as its index */
    add_evidence(&house, 2, 8, NOW);                          /* a station of it */
    live(&house, 0, TURNS);
    eg_store_figures(house.store, &figures);
    assert_true(number_of(&house, "PRAGMA page_count") <= room);
    struct seen usual = of_series(&house, 3, INT64_MIN, INT64_MAX),
                spared = of_series(&house, 7, INT64_MIN, INT64_MAX);
    assert_true(usual.first_ms > time_of(0) && usual.last_ms == time_of(TURNS * EACH - 1));
    assert_int_equal(usual.last_ms - usual.first_ms, (int64_t)(usual.count - 1) * STEP_MS); /* no hole */
    assert_true(usual.count > 1000);
    assert_int_equal(spared.first_ms, time_of(0)); /* the case's evidence */
    assert_int_equal(spared.last_ms, time_of(TURNS * EACH - 1));
    assert_true(spared.count < TURNS * EACH);
    assert_int_equal(of_series(&house, 8, INT64_MIN, INT64_MAX).first_ms, time_of(0));
    assert_true(house.store->dropped > 0 && figures.readings < (uint64_t)TURNS * EACH * SERIES);
    house_verify(&house, "at its greatest size");
    uint64_t dropped = house.store->dropped;
    struct eg_counters counters = house.batch.counters;
    house_kill(&house);
    house.batch.counters = counters;
    assert_int_equal(house.store->dropped, dropped);
    live(&house, TURNS, TURNS + 100);
    assert_true(number_of(&house, "PRAGMA page_count") <= room);
    house_verify(&house, "after a kill at its greatest size");
    house_raze(&house);
}

/* Where everything is evidence, it goes, too, oldest first: ingest does not stop for it. */
static void evidence_goes_last_but_goes(void **unused)
{
    (void)unused;
    struct house house;
    house_make(&house, "1MB");
    assert_int_equal(house_enter(&house), EG_OK);
    register_series(&house);
    house.store->grown_points = 200;
    for (uint32_t series = 1; series <= SERIES; series++)
        add_case(&house, (int)series, series, time_of(0), time_of(100 * TURNS * EACH));
    live(&house, 0, TURNS / 2);
    assert_true(number_of(&house, "PRAGMA page_count") <= 1000000 / 4096);
    assert_int_equal(of_series(&house, 1, INT64_MIN, INT64_MAX).last_ms, time_of(TURNS / 2 * EACH - 1));
    house_verify(&house, "only evidence");
    house_raze(&house);
}

/* A disk that is full below max_size costs nobody anything. */
static void a_full_disk_drops_nothing(void **unused)
{
    (void)unused;
    struct house house;
    house_make(&house, "1GB");
    assert_int_equal(house_enter(&house), EG_OK);
    register_series(&house);
    house.store->seal_at = house.store->seal_run = 2000;
    live(&house, 0, 10);
    run(&house, "PRAGMA max_page_count=1"); /* as many as there are: what a full disk looks like from here */
    int turn = 10;
    for (int code = EG_OK; code == EG_OK; turn++) {
        fill_turn(&house, turn);
        code = house_commit(&house);
    }
    assert_int_equal(house.err.code, EG_EFULL);
    for (int again = 0; again < 5; again++) {
        bool more = true;
        for (int bites = 0; more && bites < 100; bites++)
            if (eg_store_tidy(house.store, time_of(turn * EACH), 3000, &more, &house.err) != EG_OK)
                break;
        house_commit(&house);
    }
    assert_int_equal(house.store->dropped, 0);
    run(&house, "PRAGMA max_page_count=100000");
    house_commit(&house);
    tidy_all(&house, time_of(turn * EACH), 3000);
    assert_int_equal(of_series(&house, 1, INT64_MIN, INT64_MAX).first_ms, time_of(0));
    house_verify(&house, "the disk was full");
    house_raze(&house);
}

/* --- no room --- */

static bool tidied_short(struct house *house)
{
    struct eg_store_figures figures;
    bool more = true;
    for (int bites = 0; more && bites < 200; bites++)
        assert_int_equal(eg_store_tidy(house->store, NOW, 3000, &more, &house->err), EG_OK);
    eg_store_figures(house->store, &figures);
    return figures.short_of_room;
}

static bool reserve_is_there(const struct house *house)
{
    char path[128];
    struct stat file;
    snprintf(path, sizeof path, "%s.reserve", house->path);
    return stat(path, &file) == 0 && file.st_blocks * 512 >= house->store->reserve_bytes;
}

/* Nothing is left that might go, and max_size is reached: what is kept back lets a turn through, and cases after it, until there is
 * room. */
static void what_is_kept_back_lets_cases_through(void **unused)
{
    (void)unused;
    struct house house;
    house_make(&house, "1MB");
    assert_int_equal(house_enter(&house), EG_OK);
    assert_true(reserve_is_there(&house));
    register_series(&house);
    run(&house, "CREATE TABLE hoard(bytes BLOB)");
    while (sqlite3_exec(house.store->db, "INSERT INTO hoard VALUES(zeroblob(4000))", NULL, NULL, NULL) ==
           SQLITE_OK)
        ;
    fill_turn(&house, 0);
    assert_int_equal(house_commit(&house), EG_EFULL);
    bool more = true;
    for (int bites = 0; more && bites < 100; bites++)
        if (eg_store_tidy(house.store, NOW, 3000, &more, &house.err) != EG_OK)
            break;
    assert_int_equal(house_commit(&house), EG_EFULL);
    eg_store_spend_reserve(house.store);
    assert_false(reserve_is_there(&house));
    house_commits(&house);
    assert_true(tidied_short(&house)); /* and remains so */
    for (int i = 0; i < 5; i++) {
        add_case(&house, 1 + i, 7, NOW, NOW + HOUR);
        house.batch.events++;
        house_commits(&house);
        assert_true(tidied_short(&house));
    }
    assert_true(number_of(&house, "PRAGMA page_count") <= 1000000 / EG_PAGE_BYTES);
    house_kill(&house); /* and in the next life, where the file is longer than readings may make it */
    run(&house, "DELETE FROM hoard");
    assert_false(tidied_short(&house));
    assert_true(reserve_is_there(&house));
    assert_int_equal(of_series(&house, 1, INT64_MIN, INT64_MAX).count, EACH);
    run(&house, "DROP TABLE hoard");
    house_verify(&house, "there was no room");
    house_raze(&house);
}

static void what_is_too_old_goes(void **unused)
{
    (void)unused;
    struct house house;
    house_start(&house);
    register_series(&house);
    house.store->seal_at = 1;
    house.store->grown_points = EACH;
    live(&house, 0, 40);
    for (int hour = 0; hour < 300; hour++) {
        char sql[256];
        snprintf(sql, sizeof sql, "INSERT INTO rollup VALUES(%d,%lld,1,%lld,1,1,1,1,1,1,1,1,0,0,1)", hour % 2,
                 (long long)(NOW - hour * HOUR), (long long)(NOW - (hour - 1) * HOUR));
        run(&house, sql);
    }
    house.store->age.kept_ms[EG_AGE_RAW] = 1000 * STEP_MS;
    house.store->age.kept_ms[EG_AGE_HOUR] = 100 * HOUR;
    house.store->age.kept_ms[EG_AGE_DAY] = 0;
    house.store->prune = true; /* as with a reload */
    tidy_all(&house, time_of(40 * EACH) + 2 * HOUR, 0);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM chunk"), 0);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM rollup WHERE period=1"), 150);
    assert_true(number_of(&house, "SELECT count(*) FROM rollup WHERE period=0") <= 50);
    assert_true(number_of(&house, "SELECT count(*) FROM rollup WHERE period=0") >= 48);
    house.store->age.kept_ms[EG_AGE_DAY] = 200 * HOUR;
    house.store->prune = true;
    tidy_all(&house, time_of(40 * EACH) + 4 * HOUR, 3000);
    assert_true(number_of(&house, "SELECT count(*) FROM rollup WHERE period=1") <= 100);
    house_verify(&house, "the old are gone");
    house_raze(&house);
}

#define TURNS_AGED 41 /* the last two of them stay young */

/* What is too old stays as long as its case does, sealed or young. */
static void evidence_is_kept_as_long_as_its_case(void **unused)
{
    (void)unused;
    struct house house;
    house_start(&house);
    register_series(&house);
    house.store->seal_at = 1;
    house.store->grown_points = 3 * EACH;
    run(&house,
        "UPDATE series SET device=5, channel='2' WHERE id=7"); /* the other quantity that its rule asks */
    add_case(&house, 1, 5, time_of(100), time_of(200));
    add_case(&house, 2, 6, time_of(0) - 60 * HOUR, time_of(0) - 25 * HOUR); /* its day is over */
    add_case(&house, 3, 0, time_of(100), time_of(200));
    add_evidence(&house, 3, 9, time_of(150)); /* measured by people, or a station of an index */
    add_case(&house, 4, 0, NOW + 72 * HOUR, NOW + 80 * HOUR);
    add_evidence(&house, 4, 11, NOW + 71 * HOUR);
    add_evidence(&house, 4, 12, NOW + 71 * HOUR);
    add_evidence(&house, 4, 11, NOW); /* as far back as its rule looks, though the case is of later */
    add_evidence(&house, 4, 11, NOW + 70 * HOUR);
    live(&house, 0, TURNS_AGED - 2);
    tidy_all(&house, time_of(TURNS_AGED * EACH), 3000);
    house.store->grown_points = 100 * EACH;
    live(&house, TURNS_AGED - 2, TURNS_AGED);
    tidy_all(&house, time_of(TURNS_AGED * EACH), 3000);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM young"), SERIES);
    house.store->age.kept_ms[EG_AGE_RAW] = 1000 * STEP_MS;
    tidy_all(&house, time_of(TURNS_AGED * EACH) + 48 * HOUR, 0);
    for (uint32_t series = 1; series <= SERIES; series++) {
        struct seen seen = of_series(&house, series, INT64_MIN, INT64_MAX);
        bool kept = series == 5 || series == 7 || series == 9 || series == 11;
        assert_int_equal(seen.count, kept ? TURNS_AGED * EACH : 0);
    }
    assert_int_equal(house.store->dropped, (SERIES - 4) * TURNS_AGED * EACH);
    house_verify(&house, "evidence");
    house_raze(&house);
}

/* --- by domain and quantity --- */

#define DAY (24 * HOUR)
#define KINDS 4 /* series: air/pm25, air/pm10, soil/soil_moisture, soil/temperature */

/* Ten days of a reading an hour: sealed, a chunk a day and the last hours young; hours and days half folded, half as rows. */
static void ten_days(struct house *house)
{
    static const int quantities[KINDS] = {EG_Q_pm25, EG_Q_pm10, EG_Q_soil_moisture, EG_Q_temperature};
    for (uint32_t id = 1; id <= KINDS; id++) {
        struct eg_row_series *series = EG_BATCH_ADD(&house->batch, series);
        *series = (struct eg_row_series){id, id <= 2 ? 1 : 2, (uint16_t)quantities[id - 1], ""};
        if (id > 2)
            continue;
        struct eg_row_device *device = EG_BATCH_ADD(&house->batch, devices);
        *device = (struct eg_row_device){id, "shangtian", id == 1 ? "air" : "soil", "x", NOW};
    }
    house->store->seal_at = house->store->seal_run = 1;
    house->store->grown_points = 24;
    for (int hour = 0; hour < 240; hour++) {
        for (uint32_t id = 1; id <= KINDS; id++) {
            struct eg_row_reading *row = EG_BATCH_ADD(&house->batch, readings);
            *row = (struct eg_row_reading){id, 0, NOW + hour * HOUR, hour};
            for (int period = 0; period < EG_PERIOD_COUNT; period++) {
                int64_t start = NOW + (period ? hour / 24 * DAY : hour * HOUR);
                struct eg_row_rollup *rollup = EG_BATCH_ADD(&house->batch, rollups);
                *rollup = (struct eg_row_rollup){id,
                                                 (enum eg_period)period,
                                                 true,
                                                 {start, start + HOUR, 1, 1, 1, 1, 1, 1, start, start, {0}}};
            }
        }
        house->batch.counters.r_decoded += KINDS;
        house->batch.counters.r_stored += KINDS;
        house->batch.events++;
        house->batch.now_ms = NOW + hour * HOUR;
        if (hour % 6 == 5) {
            house->store->fold_at = hour < 120 ? 1 : EG_FOLD_AT;
            house_commits(house);
            tidy_all(house, NOW, 3000); /* at a time when nothing is old */
        }
    }
}

static bool first_rollup(void *arg, const struct eg_rollup *rollup)
{
    *(int64_t *)arg = rollup->start_ms;
    return false;
}

/* How long before the end what is left of each begins, in hours; sealed chunks go as wholes, so it may be more. */
static void is_kept(struct house *house, uint32_t series, int raw, int hours, int days)
{
    const int64_t end = NOW + 240 * HOUR;
    const int wanted[] = {raw, hours, days};
    for (int of = 0; of < EG_AGE_KINDS; of++) {
        int64_t first = end;
        if (of == EG_AGE_RAW)
            first = of_series(house, series, INT64_MIN, INT64_MAX).first_ms;
        else
            assert_int_equal(eg_reader_rollups(house->reader, series, (enum eg_period)(of - EG_AGE_HOUR), 0,
                                               INT64_MAX, first_rollup, &first, &house->err),
                             EG_OK);
        int64_t kept = (end - first) / HOUR;
        if (kept < wanted[of] || kept > wanted[of] + (of == EG_AGE_RAW ? 24 : 0))
            fail_msg("series %u, kind %d: %lld hours are kept, not %d", series, of, (long long)kept,
                     wanted[of]);
    }
}

static void each_is_kept_as_long_as_is_said_of_it(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_store_figures figures;
    struct eg_conf_retain retain[] = {
        {.domain = "soil", .quantity = EG_QUANTITY_NONE, .raw_ms = 0, .hour_ms = -1, .day_ms = -1},
        {.domain = "air", .quantity = EG_Q_pm10, .raw_ms = 2 * DAY, .hour_ms = 3 * DAY, .day_ms = -1},
        {.domain = NULL, .quantity = EG_Q_pm10, .raw_ms = 1 * DAY, .hour_ms = -1, .day_ms = 4 * DAY},
        {.domain = NULL, .quantity = EG_Q_temperature, .raw_ms = 3 * DAY, .hour_ms = 0, .day_ms = -1},
    };
    house_start(&house);
    ten_days(&house);
    assert_true(number_of(&house, "SELECT count(*) FROM bucket") > 0);
    assert_true(number_of(&house, "SELECT count(*) FROM rollup") > 0);
    for (uint32_t id = 1; id <= KINDS; id++)
        is_kept(&house, id, 240, 240, 240);
    assert_int_equal(eg_age_every(&house.store->age), DAY); /* of what is kept for a year and more */
    house.conf->store.retain_raw_ms = 5 * DAY;
    house.conf->store.retain_hour_ms = 4 * DAY;
    house.conf->store.retain_day_ms = 7 * DAY;
    house.conf->store.retain = retain;
    house.conf->store.retain_count = sizeof retain / sizeof *retain;
    /* A reload takes it over; the next pass, at once, is by it. */
    assert_int_equal(eg_store_configure(house.store, house.conf, &house.err), EG_OK);
    assert_int_equal(eg_age_every(&house.store->age), HOUR); /* the shortest is a day */
    tidy_all(&house, NOW + 240 * HOUR, 0);
    /* The first five days' hours and days are folded, a chunk each: it goes when its last is too old. */
    is_kept(&house, 1, 120, 96, 240);
    is_kept(&house, 2, 48, 72, 96);
    is_kept(&house, 3, 240, 96, 240);
    is_kept(&house, 4, 72, 240, 240);
    eg_store_figures(house.store, &figures);
    assert_int_equal(figures.readings,
                     number_of(&house, "SELECT (SELECT total(n) FROM chunk)+(SELECT total(n) FROM young)"));
    house_verify(&house, "kept by domain and quantity");
    /* Without them all is kept alike. */
    house.conf->store.retain_count = 0;
    house.conf->store.retain_raw_ms = DAY;
    assert_int_equal(eg_store_configure(house.store, house.conf, &house.err), EG_OK);
    tidy_all(&house, NOW + 240 * HOUR, 3000);
    for (uint32_t id = 1; id <= KINDS; id++)
        assert_true(of_series(&house, id, INT64_MIN, INT64_MAX).first_ms >= NOW + 9 * DAY - 24 * HOUR);
    house_raze(&house);
}

/* Garbage at its largest, for as long as one likes: readings find room, and the oldest garbage goes. */
static void garbage_pushes_no_reading_out(void **unused)
{
    (void)unused;
    struct house house;
    char *garbage = malloc(EG_QUARANTINE_BYTES + 1);
    assert_non_null(garbage);
    memset(garbage, 'x', EG_QUARANTINE_BYTES);
    garbage[EG_QUARANTINE_BYTES] = '\0';
    house_make(&house, "2MB");
    assert_int_equal(house_enter(&house), EG_OK);
    for (int turn = 0; turn < 400; turn++) {
        char payload[64];
        snprintf(payload, sizeof payload, "{\"ts\":%lld,\"pm25\":1}", (long long)(NOW + turn * MINUTE));
        house_send(&house, NOW + turn * MINUTE, (struct eg_message){.qos = 0}, "ecogov/shangtian/air/a1",
                   garbage);
        house_send(&house, NOW + turn * MINUTE, (struct eg_message){.qos = 0}, "ecogov/shangtian/air/a1",
                   payload);
        house_commits(&house);
    }
    struct eg_store_figures figures;
    eg_store_figures(house.store, &figures);
    assert_int_equal(figures.readings, 400);
    assert_true(number_of(&house, "SELECT count(*) FROM quarantine") <= 32);
    assert_int_equal(house.store->counters.quarantined, 400);
    assert_true(number_of(&house, "SELECT max(id) FROM quarantine") == 400); /* the newest is there */
    free(garbage);
    house_verify(&house, "a flood of garbage");
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_give_way),
        cmocka_unit_test(evidence_goes_last_but_goes),
        cmocka_unit_test(a_full_disk_drops_nothing),
        cmocka_unit_test(garbage_pushes_no_reading_out),
        cmocka_unit_test(what_is_kept_back_lets_cases_through),
        cmocka_unit_test(evidence_is_kept_as_long_as_its_case),
        cmocka_unit_test(what_is_too_old_goes),
        cmocka_unit_test(each_is_kept_as_long_as_is_said_of_it),
    };
    return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
