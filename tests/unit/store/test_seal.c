/* Sealing (seal.c, stream.c, tail.c) against a model: whatever was committed, however it is cut into runs and bites, and
 * wherever a kill falls, each (series, time) has its newest value, once. Batches are made by hand: the pipeline is not asked. */
#include "house.h"

#define SERIES 7
#define TIMES 400
#define STEP_MS 1000

struct model {
    bool there[SERIES + 1][TIMES];
    double value[SERIES + 1][TIMES];
    uint16_t flags[SERIES + 1][TIMES];
};

static uint64_t state;
static uint64_t below(uint64_t most)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % most;
}

static int64_t time_of(size_t at)
{
    return NOW + (int64_t)at * STEP_MS;
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

static void add(struct house *house, struct model *model, uint32_t series, size_t at, double value,
                uint16_t flags)
{
    struct eg_row_reading *row = EG_BATCH_ADD(&house->batch, readings);
    *row = (struct eg_row_reading){series, flags, time_of(at), value};
    house->batch.events++;
    house->batch.counters.received++;
    house->batch.counters.decoded++;
    house->batch.counters.r_decoded++;
    house->batch.counters.r_stored++;
    house->batch.counters.r_corrected += model->there[series][at];
    model->there[series][at] = true;
    model->value[series][at] = value;
    model->flags[series][at] = flags;
}

/* A turn: mostly in order, some late, some corrections, some twice within the turn. `front`: how far the village's time has come. */
static void any_turn(struct house *house, struct model *model, size_t *front)
{
    if (*front + 4 < TIMES)
        *front += below(4);
    for (uint64_t n = below(12); n; n--) {
        size_t at = below(4) ? *front : below(*front + 1);
        add(house, model, (uint32_t)(1 + below(SERIES)), at, (double)below(100000) / 100, (uint16_t)below(4));
    }
    house->batch.now_ms = time_of(*front);
    house->batch.events++;
    house_commits(house);
}

struct check {
    const struct model *model;
    uint32_t series;
    size_t at, seen;
};

static bool check_point(void *arg, const struct eg_point *point)
{
    struct check *check = arg;
    const struct model *model = check->model;
    while (check->at < TIMES && time_of(check->at) < point->time_ms &&
           !model->there[check->series][check->at])
        check->at++;
    if (check->at >= TIMES || time_of(check->at) != point->time_ms || !model->there[check->series][check->at])
        fail_msg("series %u: reading at %lld, expected at %zu", check->series, (long long)point->time_ms,
                 check->at);
    if (memcmp(&point->value, &model->value[check->series][check->at], sizeof point->value) != 0 ||
        point->flags != model->flags[check->series][check->at])
        fail_msg("series %u at %zu is %g flags %u, not %g flags %u", check->series, check->at, point->value,
                 point->flags, model->value[check->series][check->at],
                 model->flags[check->series][check->at]);
    check->at++;
    check->seen++;
    return true;
}

static bool check_export(void *arg, uint32_t series, const struct eg_point *point)
{
    struct check *check = arg;
    if (series != check->series) {
        assert_true(series > check->series);
        check->series = series;
        check->at = 0;
    }
    return check_point(check, point);
}

static size_t count_all(const struct model *model, uint32_t series)
{
    size_t count = 0;
    for (uint32_t s = 1; s <= SERIES; s++)
        for (size_t t = 0; t < TIMES; t++)
            count += (s == series || !series) && model->there[s][t];
    return count;
}

static void check_all(struct house *house, const struct model *model)
{
    struct eg_export *xport = NULL;
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    struct check whole = {.model = model};
    struct eg_past past;
    bool done = false;
    for (uint32_t series = 1; series <= SERIES; series++) {
        struct check check = {model, series, 0, 0};
        assert_int_equal(
            eg_reader_points(house->reader, series, INT64_MIN, INT64_MAX, check_point, &check, &house->err),
            EG_OK);
        assert_int_equal(check.seen, count_all(model, series));
    }
    assert_int_equal(eg_export_open(house->store, &all, &xport, &house->err), EG_OK);
    while (!done)
        assert_int_equal(eg_export_next(xport, 1 + below(50), check_export, &whole, &done, &house->err),
                         EG_OK);
    eg_export_close(xport);
    assert_int_equal(whole.seen, count_all(model, 0));
    eg_reader_past(house->reader, &past);
    for (int i = 0; i < 60; i++) {
        uint32_t series = (uint32_t)(1 + below(SERIES));
        size_t at = below(TIMES);
        double value = -1;
        assert_int_equal(past.lookup(past.user, series, time_of(at), &value), model->there[series][at]);
        if (model->there[series][at] && memcmp(&value, &model->value[series][at], sizeof value) != 0)
            fail_msg("series %u at %zu is looked up as %g, not %g", series, at, value,
                     model->value[series][at]);
    }
}

/* A range in the middle, whose ends fall into chunks. */
static void check_range(struct house *house, const struct model *model)
{
    size_t from = below(TIMES), to = from + below(TIMES - from);
    uint32_t series = (uint32_t)(1 + below(SERIES));
    struct check check = {model, series, from, 0};
    size_t want = 0;
    for (size_t at = from; at < to; at++)
        want += model->there[series][at];
    assert_int_equal(
        eg_reader_points(house->reader, series, time_of(from), time_of(to), check_point, &check, &house->err),
        EG_OK);
    assert_int_equal(check.seen, want);
}

static void every_reading_counts_once(void **unused)
{
    (void)unused;
    struct model *model = malloc(sizeof *model);
    assert_non_null(model);
    size_t kills = 0, cut_runs = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct house house;
        size_t front = 0;
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        memset(model, 0, sizeof *model);
        house_start(&house);
        house.store->seal_at = 5 + below(60);
        house.store->seal_run = 1 + below(40);
        house.store->grown_points = 1 + below(30);
        register_series(&house);
        for (int step = 0; step < 150; step++) {
            bool more = true;
            switch (below(4)) {
            case 0:
                for (uint64_t bites = 1 + below(6); more && bites; bites--)
                    if (eg_store_tidy(house.store, NOW, 0, &more, &house.err) != EG_OK)
                        fail_msg("seed %llu: %s", (unsigned long long)seed, house.err.text);
                break;
            case 1:
                if (below(8) == 0) {
                    cut_runs += house.store->seal_to > house.store->sealed_seq;
                    kills++;
                    struct eg_counters counters = house.batch.counters;
                    house_kill(&house);
                    assert_memory_equal(&counters, eg_pipeline_counters(house.pipeline), sizeof counters);
                    house.batch.counters = counters;
                }
                break;
            default:
                any_turn(&house, model, &front);
            }
            if (step % 5 == 0) {
                check_all(&house, model);
                check_range(&house, model);
            }
        }
        check_all(&house, model);
        house_verify(&house, "sealed at random");
        house_raze(&house);
    }
    assert_true(kills > 20);
    assert_true(cut_runs > 3); /* some kills fell between the bites of a run */
    free(model);
}

/* --- the shape of a run --- */

static int64_t number_of(struct house *house, const char *query)
{
    sqlite3_stmt *sql = NULL;
    assert_int_equal(sqlite3_prepare_v2(house->reader->db, query, -1, &sql, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(sql), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(sql, 0);
    sqlite3_finalize(sql);
    return number;
}

static void fill(struct house *house, struct model *model, size_t turns)
{
    memset(model, 0, sizeof *model);
    register_series(house);
    for (size_t at = 0; at < turns; at++) {
        for (uint32_t series = 1; series <= SERIES; series++)
            add(house, model, series, at, (double)at, 0);
        house->batch.now_ms = time_of(at);
        house_commits(house);
    }
}

/* A budget of nothing still moves on, by the least there is, and each bite is a state that can be read. */
static void the_smallest_bites_get_there(void **unused)
{
    (void)unused;
    struct model *model = malloc(sizeof *model);
    struct house house;
    bool more = true;
    int bites = 0, partial = 0;
    house_start(&house);
    house.store->seal_at = 1;
    house.store->seal_run = 30 * SERIES;
    fill(&house, model, 100);
    while (more) {
        assert_int_equal(eg_store_tidy(house.store, NOW, 0, &more, &house.err), EG_OK);
        partial += house.store->seal_to > house.store->sealed_seq;
        check_all(&house, model);
        if (++bites > 2000)
            fail_msg("it does not come to an end");
    }
    assert_true(partial >= 3 * (SERIES - 1));
    assert_int_equal(number_of(&house, "SELECT value FROM meta WHERE key='sealed_seq'"),
                     number_of(&house, "SELECT max(seq) FROM turn"));
    assert_int_equal(number_of(&house, "SELECT (SELECT total(n) FROM chunk)+(SELECT total(n) FROM young)"),
                     100 * SERIES);
    assert_int_equal(house.store->counters.r_stored, house.store->sealed_stored);
    house_verify(&house, "the smallest bites");
    house_raze(&house);
    free(model);
}

/* Sealed turns go when their packet identities can come back no more; the newest stays, the counters stand in it. */
static void turns_are_forgotten_when_they_may_be(void **unused)
{
    (void)unused;
    struct model *model = malloc(sizeof *model);
    struct house house;
    bool more = true;
    house_start(&house);
    fill(&house, model, 300);
    house.store->seal_at = 1;
    while (more)
        assert_int_equal(eg_store_tidy(house.store, NOW, 1000, &more, &house.err), EG_OK);
    int64_t kept = number_of(&house, "SELECT count(*) FROM turn");
    assert_int_equal(kept, 5); /* 2100 messages are no 65536; 64 turns have become one */
    assert_int_equal(number_of(&house, "SELECT count(*) FROM turn WHERE readings IS NOT NULL"), 0);
    house.batch.counters.received += EG_IDENTS_KEPT;
    house.batch.counters.ignored += EG_IDENTS_KEPT;
    add(&house, model, 1, 300, 1, 0);
    house_commits(&house);
    more = true;
    while (more)
        assert_int_equal(eg_store_tidy(house.store, NOW, 0, &more, &house.err), EG_OK);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM turn"), 1);
    check_all(&house, model);
    house_kill(&house);
    assert_int_equal(eg_pipeline_counters(house.pipeline)->r_stored, 300 * SERIES + 1);
    check_all(&house, model);
    house_raze(&house);
    free(model);
}

struct idents {
    uint32_t count; /* identities 0, 1, 2 … so far */
};

static void is_next(void *arg, uint16_t mid, uint32_t hash)
{
    struct idents *idents = arg;
    assert_int_equal(mid, (uint16_t)(idents->count * 7));
    assert_int_equal(hash, idents->count * 2654435761u);
    idents->count++;
}

static uint32_t count_idents(struct house *house)
{
    struct idents idents = {0};
    sqlite3_stmt *sql = NULL;
    assert_int_equal(sqlite3_prepare_v2(house->store->db,
                                        "SELECT idents FROM turn WHERE idents IS NOT NULL ORDER BY seq", -1,
                                        &sql, NULL),
                     SQLITE_OK);
    while (sqlite3_step(sql) == SQLITE_ROW)
        assert_int_equal(eg_pack_each_ident(sqlite3_column_blob(sql, 0), (size_t)sqlite3_column_bytes(sql, 0),
                                            is_next, &idents),
                         EG_OK);
    sqlite3_finalize(sql);
    return idents.count;
}

/* Sealed turns lose their readings and come together; their packet identities stay, in order, in rows of some hundreds, whatever bite is
 * killed. A turn whose identities are damaged stays as it is, and those behind it come together all the same. */
static void identities_outlive_the_readings(void **unused)
{
    (void)unused;
    struct model *model = calloc(1, sizeof *model);
    struct house house;
    uint32_t count = 0;
    state = 4;
    house_start(&house);
    register_series(&house);
    house.store->seal_at = 10;
    house.store->seal_run = 40;
    for (size_t turn = 0; turn < 390; turn++) {
        for (uint64_t n = turn == 200 ? 3000 : below(4); n; n--, count++) {
            struct eg_row_ident *row = EG_BATCH_ADD(&house.batch, idents);
            *row = (struct eg_row_ident){(uint16_t)(count * 7), count * 2654435761u};
        }
        add(&house, model, 1, turn, (double)turn, 0);
        house_commits(&house);
        bool more = below(4) == 0;
        for (uint64_t bites = below(30); more && bites; bites--)
            assert_int_equal(eg_store_tidy(house.store, NOW, (int64_t)below(300), &more, &house.err), EG_OK);
        if (below(20) == 0) {
            const struct eg_counters counters = house.batch.counters;
            house_kill(&house);
            house.batch.counters = counters;
        }
        assert_int_equal(count_idents(&house), count);
    }
    house.store->seal_at = 1;
    for (bool more = true; more;)
        assert_int_equal(eg_store_tidy(house.store, NOW, 1000, &more, &house.err), EG_OK);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM turn WHERE readings IS NOT NULL"), 0);
    assert_in_range(number_of(&house, "SELECT count(*) FROM turn"), 7, 60);
    assert_int_equal(count_idents(&house), count);
    check_all(&house, model);
    house_verify(&house, "identities outlive readings");
    house_raze(&house);
    free(model);
}

static void damaged_identities_stay(void **unused)
{
    (void)unused;
    struct model *model = calloc(1, sizeof *model);
    struct house house;
    house_start(&house);
    fill(&house, model, 200);
    assert_int_equal(sqlite3_exec(house.store->db, "UPDATE turn SET idents=zeroblob(9) WHERE seq IN (2, 30)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    house.store->seal_at = 1;
    for (bool more = true; more;)
        assert_int_equal(eg_store_tidy(house.store, NOW, 1000, &more, &house.err), EG_OK);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM turn WHERE readings IS NOT NULL"), 2);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM turn WHERE idents=zeroblob(9)"), 2);
    assert_true(number_of(&house, "SELECT count(*) FROM turn") <= 8);
    check_all(&house, model);
    house_raze(&house);
    free(model);
}

/* What is older than retain_raw goes, of silent series, too. */
static void old_chunks_go(void **unused)
{
    (void)unused;
    struct model *model = malloc(sizeof *model);
    struct house house;
    bool more = true;
    house_start(&house);
    house.store->seal_at = 1;
    fill(&house, model, 100);
    while (more)
        assert_int_equal(eg_store_tidy(house.store, NOW, 1000, &more, &house.err), EG_OK);
    assert_int_equal(number_of(&house, "SELECT (SELECT count(*) FROM chunk)+(SELECT count(*) FROM young)"),
                     SERIES);
    add(&house, model, 1, 300, 1, 0); /* only series 1 goes on */
    house.batch.now_ms = time_of(300);
    house_commits(&house);
    house.store->age.kept_ms[EG_AGE_RAW] = 150 * STEP_MS;
    house.store->prune = true; /* an hour later */
    for (more = true; more;)
        assert_int_equal(eg_store_tidy(house.store, time_of(300), 1000, &more, &house.err), EG_OK);
    assert_int_equal(number_of(&house, "SELECT (SELECT count(*) FROM chunk)+(SELECT count(*) FROM young)"),
                     1);
    assert_int_equal(number_of(&house, "SELECT series FROM young"), 1);
    house_raze(&house);
    free(model);
}

/* One busy series makes full chunks instead of long runs. */
static void a_full_chunk_ends_a_run(void **unused)
{
    (void)unused;
    struct house house;
    struct model *model = calloc(1, sizeof *model);
    bool more = true;
    house_start(&house);
    register_series(&house);
    for (int at = 0; at < 3 * EG_CHUNK_POINTS; at++) {
        struct eg_row_reading *row = EG_BATCH_ADD(&house.batch, readings);
        *row = (struct eg_row_reading){1, 0, NOW + at, at};
        house.batch.events++;
        house.batch.counters.r_decoded++;
        house.batch.counters.r_stored++;
        if (at % 100 == 99)
            house_commits(&house);
    }
    house.store->seal_at = 1;
    while (more)
        assert_int_equal(eg_store_tidy(house.store, NOW, 100000, &more, &house.err), EG_OK);
    assert_int_equal(number_of(&house, "SELECT (SELECT total(n) FROM chunk)+(SELECT total(n) FROM young)"),
                     3 * EG_CHUNK_POINTS);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM chunk"), 3);
    assert_true(number_of(&house, "SELECT min(n) FROM chunk") > EG_CHUNK_POINTS * 3 / 4);
    assert_true(number_of(&house, "SELECT total(n) FROM young") < EG_CHUNK_GROWN);
    house_raze(&house);
    free(model);
}

/* Chunks end where little of a page is left over, whatever their readings compress to. */
static void chunks_fill_their_pages(void **unused)
{
    (void)unused;
    struct house house;
    state = 5;
    house_start(&house);
    register_series(&house);
    house.store->seal_at = 7 * 1500;
    house.store->seal_run = 7 * 1200;
    for (int64_t at = 0; at < 9000; at++) {
        for (uint32_t series = 1; series <= SERIES; series++) {
            struct eg_row_reading *row = EG_BATCH_ADD(&house.batch, readings);
            *row =
                (struct eg_row_reading){series, 0, NOW + at * STEP_MS, (double)below(4u << 2 * series) / 10};
            house.batch.counters.r_decoded++;
            house.batch.counters.r_stored++;
        }
        house.batch.events++;
        if (at % 500 != 499)
            continue;
        house_commits(&house);
        for (bool more = true; more;)
            assert_int_equal(eg_store_tidy(house.store, NOW, 100000, &more, &house.err), EG_OK);
    }
    int64_t pages = number_of(&house, "SELECT count(*) FROM dbstat WHERE name='chunk' AND pagetype='leaf'");
    assert_true(pages >= 15);
    assert_true(number_of(&house, "SELECT sum(unused) FROM dbstat WHERE name='chunk' AND pagetype='leaf'") <
                pages * 4096 / 8);
    assert_true(number_of(&house, "SELECT min(n) FROM chunk") >= EG_CHUNK_GROWN);
    house_verify(&house, "pages filled");
    house_raze(&house);
}

/* A damaged turn is told, again and again, and never sealed over. */
static void a_damaged_turn_is_not_sealed_over(void **unused)
{
    (void)unused;
    struct model *model = malloc(sizeof *model);
    struct house house;
    bool more = true;
    house_start(&house);
    fill(&house, model, 20);
    house.store->seal_at = 1;
    assert_int_equal(
        sqlite3_exec(house.store->db, "UPDATE turn SET readings=zeroblob(30) WHERE seq=10", NULL, NULL, NULL),
        SQLITE_OK);
    for (int again = 0; again < 3; again++) {
        assert_int_equal(eg_store_tidy(house.store, NOW, 1000000, &more, &house.err), EG_ECORRUPT);
        assert_non_null(strstr(house.err.text, "turn 10 "));
        assert_false(more);
    }
    assert_int_equal(number_of(&house, "SELECT (SELECT count(*) FROM chunk)+(SELECT count(*) FROM young)"),
                     0);
    assert_int_equal(number_of(&house, "SELECT count(*) FROM turn"), 21);
    house_raze(&house);
    free(model);
}

/* A long log asks for tidying; no commit waits for it to be written back. */
static void the_log_is_written_back_by_a_bite(void **unused)
{
    (void)unused;
    struct model *model = calloc(1, sizeof *model);
    struct house house;
    struct eg_store_figures figures;
    bool more = true;
    house_start(&house);
    house.store->wal_due = 40;
    register_series(&house);
    for (size_t at = 0; house.store->wal_pages <= 60; at++) {
        eg_store_figures(house.store, &figures);
        assert_int_equal(figures.wants_tidy, house.store->wal_pages > 40);
        assert_int_equal(house.store->wal_moved, 0);
        add(&house, model, 1, at % TIMES, (double)at, 0);
        house_commits(&house);
    }
    assert_int_equal(eg_store_tidy(house.store, NOW, 1000, &more, &house.err), EG_OK);
    assert_true(house.store->wal_moved > 60);
    while (more)
        assert_int_equal(eg_store_tidy(house.store, NOW, 1000, &more, &house.err), EG_OK);
    eg_store_figures(house.store, &figures);
    assert_false(figures.wants_tidy);
    add(&house, model, 1, 0, 1, 0);
    house_commits(&house); /* and the log begins anew */
    assert_true(house.store->wal_pages < 20);
    house_raze(&house);
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reading_counts_once),
        cmocka_unit_test(the_smallest_bites_get_there),
        cmocka_unit_test(turns_are_forgotten_when_they_may_be),
        cmocka_unit_test(identities_outlive_the_readings),
        cmocka_unit_test(damaged_identities_stay),
        cmocka_unit_test(old_chunks_go),
        cmocka_unit_test(a_full_chunk_ends_a_run),
        cmocka_unit_test(chunks_fill_their_pages),
        cmocka_unit_test(a_damaged_turn_is_not_sealed_over),
        cmocka_unit_test(the_log_is_written_back_by_a_bite),
    };
    return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
