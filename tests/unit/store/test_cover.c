/* Which chunks cover a span (cover.c): the same as by looking at every chunk, wherever they lie and whatever went meanwhile; and what it
 * takes does not grow with the past. Bodies do not matter: a chunk is told by its age. */
#include "house.h"

#define CHUNKS 400
#define SPAN_MS 1000000

static uint64_t state;

static int64_t any(int64_t below)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)below);
}

static void run(struct house *house, const char *text)
{
    char *why = NULL;
    if (sqlite3_exec(house->store->db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
}

static void put(struct house *house, int series, int64_t first, int64_t last, int age)
{
    char text[160];
    snprintf(text, sizeof text,
             "INSERT INTO chunk(series,t_first,seq,t_last,n,body) VALUES(%d,%lld,%d,%lld,1,x'00')", series,
             (long long)first, age, (long long)last);
    run(house, text);
}

/* The ages of the chunks that cover [from, to), summed with how they lie; by cover.c, or by looking at each. */
static uint64_t asked(struct eg_cover *cover, sqlite3 *db, uint32_t series, int64_t from, int64_t to)
{
    uint64_t sum = 0;
    int64_t before = INT64_MIN;
    assert_int_equal(eg_cover_open(cover, db, series, from, to), SQLITE_OK);
    while (sqlite3_step(cover->chunks) == SQLITE_ROW) {
        assert_true(sqlite3_column_int64(cover->chunks, 0) >= before);
        before = sqlite3_column_int64(cover->chunks, 0);
        sum = sum * 31 + (uint64_t)sqlite3_column_int64(cover->chunks, 1) + 1;
    }
    return sum;
}

static uint64_t looked_up(sqlite3 *db, uint32_t series, int64_t from, int64_t to)
{
    char text[256];
    sqlite3_stmt *sql = NULL;
    uint64_t sum = 0;
    snprintf(text, sizeof text,
             "SELECT seq FROM chunk WHERE series=%u AND t_first<%lld AND t_last>=%lld ORDER BY t_first, seq",
             series, (long long)to, (long long)from);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &sql, NULL), SQLITE_OK);
    while (sqlite3_step(sql) == SQLITE_ROW)
        sum = sum * 31 + (uint64_t)sqlite3_column_int64(sql, 0) + 1;
    sqlite3_finalize(sql);
    return sum;
}

static void compare(struct house *house, const char *where)
{
    struct eg_cover cover = {0};
    for (int i = 0; i < 400; i++) {
        uint32_t series = (uint32_t)any(3) + 1;
        int64_t from = any(SPAN_MS + 2000) - 1000, to = from + (i % 3 ? any(20000) + 1 : any(SPAN_MS));
        if (asked(&cover, house->store->db, series, from, to) !=
            looked_up(house->store->db, series, from, to))
            fail_msg("%s: series %u from %lld to %lld", where, series, (long long)from, (long long)to);
    }
    eg_cover_close(&cover);
}

/* Series 1: one behind the other. 2: behind each other with now and then one across. 3: anything. */
static void fill(struct house *house)
{
    for (int i = 0; i < CHUNKS; i++) {
        int64_t step = SPAN_MS / CHUNKS, at = i * step, late = any(SPAN_MS);
        put(house, 1, at, at + any(step), i);
        put(house, 2, i % 5 ? at : late, i % 5 ? at + any(step) : late + any(10 * step), i);
        put(house, 3, late, late + any(i % 7 ? 4 * step : SPAN_MS), i);
    }
}

static void every_chunk_that_covers_is_found(void **unused)
{
    (void)unused;
    struct house house;
    const char *seed = getenv("ECOGOV_SEED");
    state = seed ? strtoull(seed, NULL, 10) : 20261126;
    printf("seed %llu\n", (unsigned long long)state);
    house_start(&house);
    fill(&house);
    compare(&house, "as they came");
    run(&house, "DELETE FROM chunk WHERE id%3=0");
    compare(&house, "with a third gone");
    assert_int_equal(eg_sql_number(house.store->db,
                                   "SELECT count(*) FROM overlap WHERE chunk NOT IN (SELECT id FROM chunk)",
                                   -1),
                     0);
    fill(&house);
    compare(&house, "with more in the gaps");
    /* As the sixth schema left it. */
    run(&house, EG_TEST_BACK_FROM_12 EG_TEST_BACK_FROM_9 EG_TEST_BACK_FROM_8
        "DROP TRIGGER chunk_comes; DROP TRIGGER chunk_goes; DROP TABLE overlap; PRAGMA user_version=6");
    compare(&house, "without the list");
    house_leave(&house);
    if (house_enter(&house) != EG_OK)
        fail_msg("%s", house.err.text);
    assert_true(eg_sql_number(house.store->db, "SELECT count(*) FROM overlap WHERE series=3", -1) >
                CHUNKS / 2);
    compare(&house, "migrated");
    fill(&house);
    compare(&house, "and gone on with");
    run(&house,
        "DELETE FROM chunk"); /* else their bodies are no chunks, and the house is looked at when it is razed */
    house_raze(&house);
}

/* SQLite counts its own steps: an hour of the middle of a long past costs what it costs of a short one. */
static void a_long_past_costs_nothing(void **unused)
{
    (void)unused;
    struct house house;
    int steps[2];
    house_start(&house);
    for (int i = 0; i < 2000; i++) {
        put(&house, 1, i * 1000, i * 1000 + 999, i);
        if (i % 2) /* every second one is followed by one across */
            put(&house, 1, i * 1000 - 500, i * 1000 + 499, i);
        if (i != 19 && i != 1999)
            continue;
        struct eg_cover cover = {0};
        asked(&cover, house.store->db, 1, i * 1000 - 5000, i * 1000 - 4000);
        steps[i == 1999] = sqlite3_stmt_status(cover.first, SQLITE_STMTSTATUS_VM_STEP, 0) +
                           sqlite3_stmt_status(cover.chunks, SQLITE_STMTSTATUS_VM_STEP, 0);
        eg_cover_close(&cover);
    }
    if (steps[1] > steps[0] + steps[0] / 10)
        fail_msg("%d steps with twenty chunks, %d with two thousand", steps[0], steps[1]);
    run(&house, "DELETE FROM chunk");
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_that_covers_is_found),
        cmocka_unit_test(a_long_past_costs_nothing),
    };
    return cmocka_run_group_tests_name("cover", tests, NULL, NULL);
}
