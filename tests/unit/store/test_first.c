/* A file that a daemon of the first schema left (tests/data/README.md) is brought to today's: every row of its tables is there and says the
 * same, and readings and hours are told as that daemon told them. */
#include "day.h"

static const char old_db[] = SOURCE_DIR "/tests/data/schema-1.db",
                  old_text[] = SOURCE_DIR "/tests/data/schema-1.txt";

static bool tell_reading(void *arg, uint32_t series, const struct eg_point *point)
{
    return eg_buf_printf(arg, "reading %u %lld %a %u\n", series, (long long)point->time_ms, point->value,
                         point->flags);
}

static bool tell_bucket(void *arg, const struct eg_rollup *r)
{
    return eg_buf_printf(arg, " closed %lld-%lld n=%llu %a %a %a %a %a %lld-%lld %llx %llx\n",
                         (long long)r->start_ms, (long long)r->end_ms, (unsigned long long)r->count, r->sum,
                         r->min, r->max, r->first, r->last, (long long)r->first_ms, (long long)r->last_ms,
                         (unsigned long long)r->slots[0], (unsigned long long)r->slots[1]);
}

static void tell(struct house *house, struct eg_buf *out)
{
    struct eg_export *xport = NULL;
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    bool done = false;
    assert_int_equal(eg_export_open(house->store, &all, &xport, &house->err), EG_OK);
    while (!done)
        assert_int_equal(eg_export_next(xport, 100, tell_reading, out, &done, &house->err), EG_OK);
    eg_export_close(xport);
    for (uint32_t id = 1; id <= eg_pipeline_series_count(house->pipeline); id++)
        for (int period = 0; period < EG_PERIOD_COUNT; period++) {
            eg_buf_printf(out, "rollups of %u\n", id);
            assert_int_equal(eg_reader_rollups(house->reader, id, (enum eg_period)period, INT64_MIN,
                                               INT64_MAX, tell_bucket, out, &house->err),
                             EG_OK);
        }
}

static void must_be_none(sqlite3 *db, const char *table, const char *query)
{
    sqlite3_stmt *sql = NULL;
    if (sqlite3_prepare_v2(db, query, -1, &sql, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(db));
    int step = sqlite3_step(sql);
    if (step == SQLITE_ROW)
        fail_msg("%s: a row that begins with %s is not the same", table, sqlite3_column_text(sql, 0));
    assert_int_equal(step, SQLITE_DONE);
    sqlite3_finalize(sql);
}

/* Of the columns there were, both ways. */
static void same_rows(sqlite3 *db, const char *table)
{
    char query[2048], columns[512] = "";
    sqlite3_stmt *sql = NULL;
    snprintf(query, sizeof query, "SELECT group_concat(name, ',') FROM pragma_table_info('%s', 'old')",
             table);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &sql, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(sql), SQLITE_ROW);
    snprintf(columns, sizeof columns, "%s", sqlite3_column_text(sql, 0));
    sqlite3_finalize(sql);
    snprintf(query, sizeof query, "SELECT %s FROM old.%s EXCEPT SELECT %s FROM main.%s", columns, table,
             columns, table);
    must_be_none(db, table, query);
    snprintf(query, sizeof query, "SELECT %s FROM main.%s EXCEPT SELECT %s FROM old.%s", columns, table,
             columns, table);
    must_be_none(db, table, query);
}

static void it_is_brought_to_todays(void **unused)
{
    static const char *const tables[] = {"turn",       "chunk",  "series_last", "device",
                                         "series",     "rollup", "rule_state",  "cases",
                                         "case_event", "outbox", "quarantine"};
    (void)unused;
    struct house house;
    struct eg_buf told, expected;
    char part[4096];
    eg_buf_init(&told, 1 << 24);
    eg_buf_init(&expected, 1 << 24);
    FILE *file = fopen(old_text, "r");
    assert_non_null(file);
    for (size_t length; (length = fread(part, 1, sizeof part, file)) > 0;)
        eg_buf_add(&expected, part, length);
    fclose(file);
    house_make(&house, "1GB");
    house_copy_file(old_db, house.path);
    if (house_enter(&house) != EG_OK)
        fail_msg("%s", house.err.text);
    snprintf(part, sizeof part, "ATTACH 'file:%s?immutable=1' AS old", old_db);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(house.path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, part, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(eg_sql_number(db, "PRAGMA old.user_version", 0), 1);
    assert_true(eg_sql_number(db, "SELECT count(*) FROM chunk", 0) > 20);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(part, sizeof part, "SELECT count(*) FROM old.%s", tables[i]);
        assert_true(eg_sql_number(db, part, 0) > 0); /* else it shows nothing */
        same_rows(db, tables[i]);
    }
    sqlite3_close(db);
    tell(&house, &told);
    assert_same_text(&expected, &told, "the first schema's file");
    house_verify(&house, "the first schema's file");
    day_turn(&house, DAY_TURNS);
    house_commits(&house);
    house_verify(&house, "the first schema's file, gone on with");
    eg_buf_finish(&told);
    eg_buf_finish(&expected);
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_brought_to_todays)};
    return cmocka_run_group_tests_name("first", tests, NULL, NULL);
}
