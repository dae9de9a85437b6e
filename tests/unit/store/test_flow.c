/* A store that seals, reseals, drops by age or by size, folds and forgets turns, writes its log back and is copied, on a disk that fails
 * or loses its power at the n-th operation, for every n. After each: the check finds nothing, every acknowledged reading is there
 * once, with its newest value, but for what is old enough to go; and life goes on. */
#include "disk.h"
#include "flow.h"
#include "stride.h"

#include <store/backup.h>

#include <errno.h>

#define BEFORE 24 /* turns lived on a good disk, once; each test begins with a copy */
#define TURNS 6   /* lived on the bad one */
#define ROOM 30   /* pages above what the store takes then; the reserve is more: things must go */
#define RETAIN (5 * HOUR)

enum kind { BY_AGE, BY_SIZE, KINDS };
static const char *const kinds[KINDS] = {"by age", "by size"};

static char kept[KINDS][64]; /* the store after BEFORE turns */
#define SPARE 16             /* pages that readings may not fill, of a file as small as this */
static int64_t room_bytes;   /* for BY_SIZE; 0: not known yet */

static void make_house(struct house *house, enum kind kind)
{
    house_make(house, "1GB");
    if (kind == BY_AGE)
        house->conf->store.retain_raw_ms = RETAIN;
    else if (room_bytes)
        house->conf->store.max_size = room_bytes;
    house->conf->store.retain_hour_ms = RETAIN + HOUR;
}

static int64_t retained(enum kind kind)
{
    return kind == BY_AGE ? RETAIN : -1;
}

/* False: an error that is said, as all are. */
static bool tidy(struct flow *flow, int64_t now_ms, int64_t budget_us)
{
    struct house *house = &flow->house;
    bool more = true;
    flow->told_ms = now_ms;
    for (int bites = 0; more; bites++) {
        if (bites > 2000)
            fail_msg("tidying does not come to an end");
        if (eg_store_tidy(house->store, now_ms, budget_us, &more, &house->err) != EG_OK) {
            assert_true(*house->err.text);
            return false;
        }
    }
    return true;
}

/* As turn.c does it: a turn that does not fit is tried again after some tidying. */
static bool commit(struct flow *flow, int64_t now_ms)
{
    struct house *house = &flow->house;
    eg_pipeline_settle(house->pipeline, &house->batch);
    if (house->batch.failed) { /* what is past could not be read: nothing is decided without it */
        flow->torn = true;
        return false;
    }
    int code = house_commit(house);
    for (int tries = 0; code == EG_EFULL && tries < 3; tries++) {
        tidy(flow, now_ms, 1000);
        code = house_commit(house);
    }
    flow->torn = code != EG_OK;
    flow->turns += code == EG_OK;
    return code == EG_OK;
}

static void copy_away(struct flow *flow)
{
    struct house *house = &flow->house;
    struct eg_backup_figures figures;
    char to[128], part[160];
    snprintf(to, sizeof to, "%s/copy.db", house->dir);
    snprintf(part, sizeof part, "%s.part", to);
    int code = eg_store_backup(house->path, to, NULL, &figures, &house->err);
    if (code != EG_OK)
        assert_true(*house->err.text);
    assert_int_equal(access(to, F_OK) == 0, code == EG_OK);
    assert_int_equal(access(part, F_OK), -1);
    unlink(to);
}

/* False: the house would leave, to start again from what is on disk. */
static bool live(struct flow *flow, int turns)
{
    struct house *house = &flow->house;
    house->store->seal_at = 500;
    house->store->seal_run = 400;
    house->store->grown_points = 100;
    for (int end = flow->turns + turns; flow->turns < end;) {
        int turn = flow->turns;
        int64_t now_ms = flow_time((turn + 1) * FLOW_EACH);
        flow_turn(house, turn);
        if (!commit(flow, now_ms))
            return false;
        house->store->wal_due = 40;
        tidy(flow, now_ms, turn % 2 ? 0 : 1000000);
        if (turn == BEFORE + 3 && !disk.keeps)
            copy_away(flow);
    }
    return true;
}

static int live_before(void **unused)
{
    (void)unused;
    disk_put_in(NULL);
    for (int kind = 0; kind < KINDS; kind++) {
        struct flow flow = {0};
        struct eg_store_figures figures;
        struct stat file;
        snprintf(kept[kind], sizeof kept[kind], "/tmp/eg-flow-%ld-%d", (long)getpid(), kind);
        make_house(&flow.house, (enum kind)kind);
        assert_int_equal(house_enter(&flow.house), EG_OK);
        assert_true(live(&flow, BEFORE));
        flow_check(&flow, retained((enum kind)kind), "before");
        house_leave(&flow.house);
        house_copy_file(flow.house.path, kept[kind]);
        assert_int_equal(stat(kept[kind], &file), 0);
        room_bytes = file.st_size + (int64_t)(ROOM + SPARE) * EG_PAGE_BYTES;
        if (kind == BY_SIZE)
            flow.house.conf->store.max_size = room_bytes;
        assert_int_equal(house_enter(&flow.house), EG_OK); /* things do go on a good disk */
        assert_true(live(&flow, TURNS));
        flow_check(&flow, retained((enum kind)kind), "after");
        eg_store_figures(flow.house.store, &figures);
        assert_true(figures.readings > FLOW_EACH);
        assert_true(figures.readings < eg_pipeline_counters(flow.house.pipeline)->r_stored - FLOW_EACH);
        house_raze(&flow.house);
    }
    return 0;
}

static int end_before(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < KINDS; kind++)
        unlink(kept[kind]);
    return 0;
}

static void live_on(struct flow *flow, enum kind kind, const char *what)
{
    struct house *house = &flow->house;
    if (house_enter(house) != EG_OK)
        fail_msg("%s: it cannot be entered again: %s", what, house->err.text);
    flow_check(flow, retained(kind), what);
    if (!live(flow, 2))
        fail_msg("%s: it does not go on: %s", what, house->err.text);
    flow_check(flow, retained(kind), what);
    house_raze(house);
}

static void begin(struct flow *flow, enum kind kind)
{
    *flow = (struct flow){.turns = BEFORE, .told_ms = flow_time(BEFORE * FLOW_EACH)};
    make_house(&flow->house, kind);
    house_copy_file(kept[kind], flow->house.path);
}

/* False: nothing was left to fail. */
static bool fail_one(enum kind kind, int calls, long at, int code, bool for_ever)
{
    struct flow flow;
    char what[96];
    snprintf(what, sizeof what, "%s: operation %ld (of kinds %#x) fails %s with %d", kinds[kind], at,
             (unsigned)calls, for_ever ? "for ever" : "once", code);
    begin(&flow, kind);
    disk_new();
    disk.kinds = calls;
    disk.fail_at = at;
    disk.code = code;
    disk.for_ever = for_ever;
    if (house_enter(&flow.house) == EG_OK)
        live(&flow, TURNS);
    else
        assert_int_not_equal(flow.house.err.code, EG_ECORRUPT);
    house_leave(&flow.house);
    bool failed = disk.failures > 0;
    disk_new();
    live_on(&flow, kind, what);
    return failed;
}

/* False: the life was over before. */
static bool cut_one(enum kind kind, long at, unsigned seed)
{
    struct flow flow;
    char what[96];
    unsigned chance = seed;
    snprintf(what, sizeof what, "%s: power gone at operation %ld, seed %u", kinds[kind], at, seed);
    begin(&flow, kind);
    disk_new();
    disk.keeps = true;
    disk.fail_at = at;
    if (house_enter(&flow.house) == EG_OK)
        live(&flow, TURNS);
    house_leave(&flow.house);
    bool cut = disk.cut;
    disk_power_on(seed ? &chance : NULL);
    live_on(&flow, kind, what);
    return cut;
}

static void fail_changes(enum kind kind)
{
    long at = 1, step = stride(7);
    for (; fail_one(kind, DISK_CHANGES, at, SQLITE_FULL, at / step % 2); at += step)
        fail_one(kind, DISK_CHANGES, at, SQLITE_IOERR_WRITE, at / step % 2 == 0);
    assert_true(at > 300);
    print_message("%s: each %ldth of %ld writes, syncs, truncations failed\n", kinds[kind], step, at);
}

static void changes_fail_while_the_old_goes_by_age(void **unused)
{
    (void)unused;
    fail_changes(BY_AGE);
}

static void changes_fail_while_the_old_goes_by_size(void **unused)
{
    (void)unused;
    fail_changes(BY_SIZE);
}

static void other_operations_fail(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < KINDS; kind++) {
        long at = 1, step = stride(29);
        for (; fail_one((enum kind)kind, DISK_OTHERS, at, SQLITE_IOERR, at / step % 2); at += step)
            ;
        assert_true(at > 100);
        print_message("%s: each %ldth of %ld other operations failed\n", kinds[kind], step, at);
    }
}

static void the_power_goes(void **unused)
{
    (void)unused;
    unsigned seed = stride_seed();
    for (int kind = 0; kind < KINDS; kind++) {
        long at = 1, step = stride(11);
        for (; cut_one((enum kind)kind, at, 0); at += step)
            cut_one((enum kind)kind, at, seed + (unsigned)at);
        assert_true(at > 300);
        print_message("%s: power cut at each %ldth of %ld operations; seed %u\n", kinds[kind], step, at,
                      seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_fail_while_the_old_goes_by_age),
        cmocka_unit_test(changes_fail_while_the_old_goes_by_size),
        cmocka_unit_test(other_operations_fail),
        cmocka_unit_test(the_power_goes),
    };
    return cmocka_run_group_tests_name("flow", tests, live_before, end_before);
}
