/* The loadable extension (daemon/store/extension/): ecogov_readings gives what an export gives, row by row, wherever the readings lie;
 * a WHERE changes what is decoded and never what is found; damage is told, not met with a crash. */
#include "day.h"

#include <base/hash.h>
#include <store/pack.h>

static sqlite3 *load(const struct house *house, int flags)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    assert_int_equal(sqlite3_open_v2(house->path, &db, flags, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_enable_load_extension(db, 1), SQLITE_OK);
    if (sqlite3_load_extension(db, EXTENSION, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* It must fail, with this in its sentence. */
static void refused(sqlite3 *db, const char *sql, const char *piece)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK)
        fail_msg("%s: it should fail", sql);
    if (!strstr(why, piece))
        fail_msg("%s: \"%s\" lacks \"%s\"", sql, why, piece);
    sqlite3_free(why);
}

static void seal_all(struct house *house)
{
    house->store->grown_points = 1; /* into chunks that stay */
    bool more = true;
    house->store->seal_at = 1;
    while (more)
        if (eg_store_tidy(house->store, NOW, 1000, &more, &house->err) != EG_OK)
            fail_msg("%s", house->err.text);
}

/* --- the same as an export --- */

struct twin {
    struct house *house;
    sqlite3_stmt *rows;
    size_t count;
};

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "(null)";
}

static bool same_row(void *arg, uint32_t id, const struct eg_point *point)
{
    struct twin *twin = arg;
    struct eg_series_view series;
    struct eg_device_view device;
    char time[EG_TIME_TEXT], flags[128] = "";
    if (sqlite3_step(twin->rows) != SQLITE_ROW)
        fail_msg("row %zu is missing: %s", twin->count, sqlite3_errmsg(sqlite3_db_handle(twin->rows)));
    assert_true(eg_pipeline_series(twin->house->pipeline, id, &series));
    assert_true(eg_pipeline_device(twin->house->pipeline, series.device, &device));
    const struct eg_quantity_info *info = eg_quantity_info(series.quantity);
    for (int bit = 0; bit < EG_FLAG_COUNT; bit++)
        if (point->flags >> bit & 1)
            snprintf(flags + strlen(flags), sizeof flags - strlen(flags), "%s%s", *flags ? "|" : "",
                     eg_flag_name(bit));
    double value = sqlite3_column_double(twin->rows, 7);
    assert_string_equal(text_of(twin->rows, 0), eg_time_format(point->time_ms, time));
    assert_int_equal(sqlite3_column_int64(twin->rows, 1), point->time_ms);
    assert_string_equal(text_of(twin->rows, 2), device.site);
    assert_string_equal(text_of(twin->rows, 3), device.domain);
    assert_string_equal(text_of(twin->rows, 4), device.device);
    assert_string_equal(text_of(twin->rows, 5), info->name);
    assert_string_equal(text_of(twin->rows, 6), series.channel);
    assert_memory_equal(&value, &point->value, sizeof value);
    assert_string_equal(text_of(twin->rows, 8), info->unit);
    assert_string_equal(text_of(twin->rows, 9), flags);
    twin->count++;
    return true;
}

static size_t compare(struct house *house, sqlite3 *db)
{
    struct twin twin = {.house = house};
    struct eg_export *xport = NULL;
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    bool done = false;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT * FROM ecogov_readings", -1, &twin.rows, NULL),
                     SQLITE_OK);
    assert_int_equal(eg_export_open(house->store, &all, &xport, &house->err), EG_OK);
    while (!done)
        if (eg_export_next(xport, 1000, same_row, &twin, &done, &house->err) != EG_OK)
            fail_msg("%s", house->err.text);
    assert_int_equal(sqlite3_step(twin.rows), SQLITE_DONE);
    eg_export_close(xport);
    sqlite3_finalize(twin.rows);
    return twin.count;
}

static void rows_are_those_of_an_export(void **unused)
{
    (void)unused;
    struct house house;
    size_t before = 0;
    house_start(&house);
    /* beside the writer, and read-only */
    sqlite3 *db = load(&house, SQLITE_OPEN_READONLY);
    assert_int_equal(compare(&house, db), 0);
    for (int turn = 0; turn < DAY_TURNS; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
        if (turn % 20 == 12)
            seal_all(&house); /* some sealed, corrected later, some not */
        if (turn % 6 == 5) {
            size_t count = compare(&house, db);
            assert_true(count > before);
            before = count;
        }
    }
    assert_true(ask(db, "SELECT count(*) FROM chunk") > 5 && house.store->seq > house.store->sealed_seq);
    assert_true(ask(db, "SELECT count(*) FROM ecogov_readings WHERE flags='late'") > 0);
    assert_true(ask(db, "SELECT count(*) FROM ecogov_readings WHERE flags LIKE '%correction%'") > 0);
    seal_all(&house);
    assert_int_equal(compare(&house, db), before);
    refused(db, "DELETE FROM ecogov_readings", "may not be modified");
    /* one statement sees one moment, whatever is committed and sealed while it is read */
    sqlite3_stmt *slow = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT value FROM ecogov_readings", -1, &slow, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(slow), SQLITE_ROW);
    day_turn(&house, DAY_TURNS);
    house_commits(&house);
    seal_all(&house);
    size_t seen = 1;
    while (sqlite3_step(slow) == SQLITE_ROW)
        seen++;
    assert_int_equal(seen, before);
    sqlite3_finalize(slow);
    assert_true(compare(&house, db) > before);
    sqlite3_close(db);
    house_raze(&house);
}

/* --- a WHERE finds the same, whether it narrows or not --- */

static void constraints_find_the_same(void **unused)
{
    (void)unused;
    static const char *const columns[] = {"time",     "time_ms", "site",  "device",
                                          "quantity", "channel", "domain"};
    static const char *const operators[] = {"=", "<", "<=", ">", ">="};
    char value[64], time[EG_TIME_TEXT], narrowed[256], plain[256];
    struct house house;
    unsigned state = 1, found = 0;
    house_start(&house);
    for (int turn = 0; turn < DAY_TURNS; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
        if (turn == 40)
            seal_all(&house);
    }
    sqlite3 *db = load(&house, SQLITE_OPEN_READONLY);
    for (int i = 0; i < 2000; i++) {
        state = state * 1103515245 + 12345;
        unsigned pick = state >> 8, column = pick % 7;
        int64_t at = ask(db, "SELECT time_ms FROM ecogov_readings LIMIT 1") + (pick % 97) * MINUTE;
        if (column == 0) /* whole, cut short, with a blank, with a tail */
            snprintf(value, sizeof value, "'%.*s%s'", (int)(pick % 25), eg_time_format(at, time),
                     pick % 5 ? "" : " x");
        else if (column == 1)
            snprintf(value, sizeof value, pick % 3 ? "%lld" : "%lld.5", (long long)at);
        else
            snprintf(value, sizeof value, "'%s'",
                     (const char *const[]){"shangtian", "a1", "pm25", "", "air", "b1", "pm10"}[pick / 7 % 7]);
        const char *name = columns[column], *operator= operators[pick / 49 % 5];
        snprintf(narrowed, sizeof narrowed, "SELECT count(*) FROM ecogov_readings WHERE %s %s %s",
                 name, operator, value);
        snprintf(plain, sizeof plain, "SELECT count(*) FROM ecogov_readings WHERE +%s %s %s", name, operator,
                 value);
        int64_t count = ask(db, narrowed);
        if (count != ask(db, plain))
            fail_msg("%s gives %lld", narrowed, (long long)count);
        found += count > 0;
    }
    assert_true(found > 300);
    assert_true(ask(db, "SELECT count(*) FROM ecogov_readings WHERE device='A1' COLLATE NOCASE") ==
                ask(db, "SELECT count(*) FROM ecogov_readings WHERE device='a1'"));
    assert_true(ask(db, "SELECT count(*) FROM ecogov_readings WHERE device IN ('a1','b1','none')") ==
                ask(db, "SELECT count(*) FROM ecogov_readings WHERE device<>'a2'"));
    assert_int_equal(ask(db, "SELECT count(*) FROM ecogov_readings WHERE time_ms BETWEEN 5 AND 4"), 0);
    assert_int_equal(
        ask(db, "SELECT count(*) FROM ecogov_readings WHERE time_ms=NULL OR time_ms<x'00' AND 0"), 0);
    sqlite3_close(db);
    house_raze(&house);
}

/* --- what is outside is not decoded; damage is told --- */

static void what_is_outside_is_not_decoded(void **unused)
{
    (void)unused;
    struct house house;
    char sql[256], time[EG_TIME_TEXT];
    house_start(&house);
    for (int turn = 0; turn < DAY_TURNS; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
        if (turn % 20 == 19)
            seal_all(&house);
    }
    sqlite3 *db = load(&house, SQLITE_OPEN_READWRITE);
    const char *query = "SELECT count(*) FROM ecogov_readings WHERE device='a1' AND quantity='pm25'";
    int64_t whole = ask(db, query);
    assert_true(whole > DAY_TURNS);
    run(db, "UPDATE chunk SET body=x'00' WHERE series NOT IN (SELECT s.id FROM series s JOIN device d ON "
            "d.id=s.device"
            " WHERE d.device='a1' AND s.quantity='pm25')");
    assert_int_equal(ask(db, query), whole);
    refused(db, "SELECT count(*) FROM ecogov_readings", "damaged");
    refused(db, "SELECT count(*) FROM ecogov_readings WHERE device='a2'", "shangtian/air/a2 pm10");
    /* by time, too: the newest chunk is damaged, what ends before it begins is readable */
    int64_t at = ask(
        db, "SELECT max(t_first) FROM chunk c JOIN series s ON s.id=c.series JOIN device d ON d.id=s.device"
            " WHERE d.device='a1' AND s.quantity='pm25'");
    snprintf(sql, sizeof sql, "%s AND +time_ms<%lld", query, (long long)at);
    int64_t early = ask(db, sql);
    assert_true(early > 0 && early < whole);
    snprintf(sql, sizeof sql, "UPDATE chunk SET body=x'00' WHERE t_first>=%lld", (long long)at);
    run(db, sql);
    snprintf(sql, sizeof sql, "%s AND time_ms<%lld", query, (long long)at);
    assert_int_equal(ask(db, sql), early);
    snprintf(sql, sizeof sql, "%s AND time<'%.19s'", query, eg_time_format(at, time));
    assert_true(ask(db, sql) > 0);
    snprintf(sql, sizeof sql, "%s AND time_ms<=%lld", query, (long long)at);
    refused(db, sql, "damaged");
    refused(db, query, "series 1 (shangtian/air/a1 pm25): a sealed chunk (turn");
    sqlite3_close(db);
    house_raze(&house);
}

/* A blob that is hostile and has a valid sum. */
static void put_blob(sqlite3 *db, const char *sql, uint8_t *blob, size_t length)
{
    sqlite3_stmt *statement = NULL;
    uint32_t sum = (uint32_t)eg_hash(blob, length - 4, 0);
    memcpy(blob + length - 4, &sum, 4);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    sqlite3_bind_blob(statement, 1, blob, (int)length, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
}

static void hostile_rows_are_no_crash(void **unused)
{
    (void)unused;
    struct house house;
    uint8_t blob[64];
    unsigned state = 7;
    house_start(&house);
    for (int turn = 0; turn < 30; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    seal_all(&house);
    day_turn(&house, 30);
    house_commits(&house);
    sqlite3 *db = load(&house, SQLITE_OPEN_READWRITE);
    run(db, "BEGIN");
    for (int i = 0; i < 3000; i++) {
        size_t length = 6 + (size_t)(i % 50);
        for (size_t k = 0; k < length; k++)
            blob[k] = (uint8_t)((state = state * 1103515245 + 12345) >> 16) & (i % 3 ? 0x83 : 0xff);
        blob[0] = 1;
        put_blob(db,
                 i % 2 ? "UPDATE chunk SET body=?1" : "UPDATE turn SET readings=?1 WHERE readings NOTNULL",
                 blob, length);
        sqlite3_exec(db, "SELECT count(*), max(time), min(value), max(flags) FROM ecogov_readings", NULL,
                     NULL, NULL);
    }
    run(db, "ROLLBACK");
    run(db, "SELECT * FROM ecogov_readings");
    run(db, "BEGIN; UPDATE turn SET readings=x'01' WHERE seq=(SELECT max(seq) FROM turn)");
    refused(db, "SELECT * FROM ecogov_readings", "turn 31 of the journal is damaged");
    run(db, "ROLLBACK; BEGIN; UPDATE series SET quantity='phlogiston', channel=x'00ff' WHERE id=1");
    assert_true(ask(db, "SELECT count(*) FROM ecogov_readings WHERE quantity='phlogiston' AND unit IS NULL") >
                0);
    run(db, "ROLLBACK; BEGIN; PRAGMA ignore_check_constraints=1; UPDATE series SET id=-1 WHERE id=1");
    refused(db, "SELECT * FROM ecogov_readings", "no series has such a number");
    run(db, "ROLLBACK; PRAGMA user_version=99");
    refused(db, "SELECT * FROM ecogov_readings", "newer ecogovd");
    run(db, "PRAGMA application_id=0");
    refused(db, "SELECT * FROM ecogov_readings", "none of ecogovd");
    sqlite3_close(db);
    house_raze(&house);
}

/* --- the views --- */

static void views_say_it_in_words(void **unused)
{
    (void)unused;
    struct house house;
    house_start(&house);
    for (int turn = 0; turn < DAY_TURNS; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    /* as the fourth schema left it */
    run(house.store->db, EG_TEST_BACK_FROM_12 EG_TEST_BACK_FROM_9
        "DROP VIEW v_devices; DROP TRIGGER chunk_comes; DROP TRIGGER chunk_goes; DROP TABLE overlap;"
        "DROP TABLE bucket; ALTER TABLE rollup DROP COLUMN whole; PRAGMA "
        "user_version=4;" EG_TEST_BACK_FROM_8);
    house_leave(&house);
    if (house_enter(&house) != EG_OK)
        fail_msg("%s", house.err.text);
    house_verify(&house, "with views");
    sqlite3 *db = load(&house, SQLITE_OPEN_READONLY);
    struct {
        const char *view, *table, *odd;
    } views[] = {
        {"v_devices", "device", "registered_at NOT LIKE '2026-11-23T03:%Z' OR series<1 OR device IS NULL"},
        {"v_cases", "cases", "level IS NULL OR condition IS NULL OR handling IS NULL OR opened_at IS NULL"},
        {"v_case_events", "case_event", "\"case\" IS NULL OR at NOT LIKE '2026-11-23T__:__:__.___Z'"},
        {"ecogov_hours", "rollup WHERE period=0",
         "mean<min-1e-9 OR mean>max+1e-9 OR start>=\"end\" OR quantity IS NULL"},
        {"ecogov_days", "rollup WHERE period=1", "mean IS NULL OR start NOT LIKE '%T16:00:00.000Z'"},
    };
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", views[i].table);
        int64_t count = ask(db, sql);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", views[i].view);
        assert_int_equal(ask(db, sql), count);
        assert_true(count > 0);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE %s", views[i].view, views[i].odd);
        assert_int_equal(ask(db, sql), 0);
    }
    for (int handling = 0; handling < EG_HANDLING_COUNT; handling++) {
        char sql[256];
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM v_cases v JOIN cases c USING(number) WHERE "
                 "(c.handling=%d)<>(v.handling='%s')",
                 handling, eg_handling_name((enum eg_handling)handling));
        assert_int_equal(ask(db, sql), 0);
    }
    for (int level = 1; level < EG_LEVEL_COUNT; level++) {
        char sql[256];
        snprintf(
            sql, sizeof sql,
            "SELECT count(*) FROM v_cases v JOIN cases c USING(number) WHERE (c.level=%d)<>(v.level='%s')",
            level, eg_level_name((enum eg_level)level));
        assert_int_equal(ask(db, sql), 0);
    }
    sqlite3_close(db);
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_an_export),    cmocka_unit_test(constraints_find_the_same),
        cmocka_unit_test(what_is_outside_is_not_decoded), cmocka_unit_test(hostile_rows_are_no_crash),
        cmocka_unit_test(views_say_it_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
