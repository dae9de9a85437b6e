/* The n-th write, sync or truncation of a disk fails, for every n of a small life: once, as a disk that was full for a moment,
 * or from then on, as one that is broken. Whatever happens, entering again finds the state of a committed turn, whole; nothing
 * that was acknowledged is missing; and life goes on to the same end. The disk is SQLite's own, with a layer over it that
 * counts and refuses. */
#include "disk.h"
#include "life.h"
#include "stride.h"

#define OPENING 60 /* operations other than changes that opening a store takes, and less */

/* False: nothing was left to fail. */
static bool fail_one(int kinds, long at, int code, bool for_ever)
{
    struct life life = {0};
    char what[96];
    snprintf(what, sizeof what, "operation %ld (of kinds %#x) fails %s with %s", at, (unsigned)kinds,
             for_ever ? "and all after it" : "once", code == SQLITE_FULL ? "FULL" : "IOERR");
    disk_new();
    disk.kinds = kinds;
    disk.fail_at = at;
    disk.code = code;
    disk.for_ever = for_ever;
    house_make(&life.house, "1GB");
    if (house_enter(&life.house) == EG_OK)
        live(&life, 0, TURNS);
    else if (life.house.err.code == EG_ECORRUPT) /* or it would be salvaged */
        fail_msg("%s: a disk that refuses is no damaged database: %s", what, life.house.err.text);
    house_leave(&life.house);
    bool failed = disk.failures > 0;
    disk.fail_at = 0;
    live_on(&life, what);
    house_raze(&life.house);
    return failed;
}

static void every_change_may_fail(void **unused)
{
    (void)unused;
    long at = 1, step = stride(2);
    live_on_a_good_disk();
    for (; fail_one(DISK_CHANGES, at, SQLITE_FULL, at / step % 2); at += step)
        fail_one(DISK_CHANGES, at, SQLITE_IOERR_WRITE, at / step % 2 == 0);
    assert_true(at > 100);
    end_states();
    print_message("each %ldth of %ld writes, syncs, truncations failed, two ways each\n", step, at);
}

/* Opening, reading, mapping and locking the log's index, while the store is opened. One that fails later may make a late reading pass
 * for a new one (read.c, lookup()): test_flow.c asks what holds even then. */
static void opening_may_fail(void **unused)
{
    (void)unused;
    live_on_a_good_disk();
    for (long at = 1; at < OPENING; at++)
        assert_true(fail_one(DISK_OTHERS, at, SQLITE_IOERR, at % 2));
    end_states();
}

static void limit_pages(struct house *house, int room)
{
    char pragma[64];
    sqlite3_stmt *sql = NULL;
    assert_int_equal(sqlite3_prepare_v2(house->store->db, "PRAGMA page_count", -1, &sql, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(sql), SQLITE_ROW);
    snprintf(pragma, sizeof pragma, "PRAGMA max_page_count=%d", sqlite3_column_int(sql, 0) + room);
    sqlite3_finalize(sql);
    assert_int_equal(sqlite3_exec(house->store->db, pragma, NULL, NULL, NULL), SQLITE_OK);
}

/* Room for one page more each time: the disk is full at every statement of a turn that needs a page, and the turn is whole or
 * not at all. */
static void no_half_of_a_turn_fits(void **unused)
{
    (void)unused;
    struct house house;
    int refused = 0;
    disk_new();
    house_start(&house);
    for (int turn = 0; turn < 4; turn++) {
        struct eg_buf before, after;
        int room = 0;
        for (int part = 0; part < 30; part++) /* one large turn: two hours of village life */
            day_turn(&house, turn * 30 + part);
        eg_buf_init(&before, (size_t)1 << 24);
        tell_store(&house, &before);
        for (limit_pages(&house, room); house_commit(&house) != EG_OK; limit_pages(&house, ++room)) {
            assert_int_equal(house.err.code, EG_EFULL);
            assert_true(room < 200);
            eg_buf_init(&after, (size_t)1 << 24);
            tell_store(&house, &after);
            assert_same_text(&before, &after, "no room");
            eg_buf_finish(&after);
            refused++;
        }
        eg_buf_finish(&before);
    }
    assert_true(refused > 10);
    house_verify(&house, "page by page");
    house_raze(&house);
}

/* max_size: nothing is written, the house says why, what is there stays readable, and with more room it goes on. */
static void a_full_store_waits(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_buf before, after;
    disk_new();
    house_make(&house, "1MB");
    assert_int_equal(house_enter(&house), EG_OK);
    int code = EG_OK, turn = 0;
    for (; code == EG_OK && turn < 5000; turn++) {
        char payload[65536];
        size_t used = 0;
        for (int i = 0; i < 1000; i++) /* nine bytes and more each; what is no reading gives way by itself */
            used +=
                (size_t)snprintf(payload + used, sizeof payload - used, "%s{\"ts\":%lld,\"pm25\":%.15f}",
                                 i ? "," : "[", (long long)(NOW - 2000000 + turn * 1000 + i), 1.0 / (i + 3));
        snprintf(payload + used, sizeof payload - used, "]");
        house_send(&house, NOW, (struct eg_message){.qos = 1, .mid = 7}, "ecogov/shangtian/air/a1", payload);
        eg_buf_init(&before, (size_t)1 << 24);
        tell_store(&house, &before);
        code = house_commit(&house);
        if (code == EG_OK)
            eg_buf_finish(&before);
    }
    assert_int_equal(code, EG_EFULL);
    assert_non_null(strstr(house.err.text, "store.max_size"));
    for (int again = 0; again < 3; again++)
        assert_int_equal(house_commit(&house), EG_EFULL);
    eg_buf_init(&after, (size_t)1 << 24);
    tell_store(&house, &after);
    assert_same_text(&before, &after, "a full store");
    assert_int_equal(sqlite3_exec(house.store->db, "PRAGMA max_page_count=100000", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(house_commit(&house), EG_OK); /* the same batch: nobody had let it go */
    house_kill(&house);
    assert_int_equal(eg_pipeline_counters(house.pipeline)->received, turn);
    assert_int_equal(eg_pipeline_counters(house.pipeline)->r_stored, (uint64_t)turn * 1000);
    house_verify(&house, "full, and then not");
    eg_buf_finish(&before);
    eg_buf_finish(&after);
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_may_fail),
        cmocka_unit_test(opening_may_fail),
        cmocka_unit_test(no_half_of_a_turn_fits),
        cmocka_unit_test(a_full_store_waits),
    };
    return cmocka_run_group_tests_name("faults", tests, disk_put_in, NULL);
}
