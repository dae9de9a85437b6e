/* The n-th write, sync or truncation of a disk fails, for every n of a small life: once, as a disk that was full for a moment,
 * or from then on, as one that is broken. Whatever happens, entering again finds the state of a committed turn, whole; nothing
 * that was acknowledged is missing; and life goes on to the same end. The disk is SQLite's own, with a layer over it that
 * counts and refuses. */
#include "day.h"

#include <errno.h>

#define TURNS 6

/* --- the disk --- */

static struct {
    long done, fail_at; /* 0: never */
    int code;
    bool for_ever;
    long failures;
} disk;

struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static bool refuses(void)
{
    disk.done++;
    bool fails = disk.fail_at && (disk.for_ever ? disk.done >= disk.fail_at : disk.done == disk.fail_at);
    disk.failures += fails;
    return fails;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}
static int on_close(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}
static int on_read(sqlite3_file *file, void *out, int length, sqlite3_int64 at)
{
    return real(file)->pMethods->xRead(real(file), out, length, at);
}
static int on_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
    if (!refuses())
        return real(file)->pMethods->xWrite(real(file), bytes, length, at);
    if (disk.code != SQLITE_FULL) /* torn: half of it got there */
        real(file)->pMethods->xWrite(real(file), bytes, length / 2, at);
    return disk.code;
}
static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return refuses() ? SQLITE_IOERR_TRUNCATE : real(file)->pMethods->xTruncate(real(file), size);
}
static int on_sync(sqlite3_file *file, int flags)
{
    return refuses() ? (disk.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC)
                     : real(file)->pMethods->xSync(real(file), flags);
}
static int on_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real(file)->pMethods->xFileSize(real(file), ret_size);
}
static int on_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}
static int on_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}
static int on_reserved(sqlite3_file *file, int *ret)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), ret);
}
static int on_control(sqlite3_file *file, int what, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), what, arg);
}
static int on_sector(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}
static int on_traits(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, ret);
}
static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
static void on_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}
static int on_shm_unmap(sqlite3_file *file, int forget)
{
    return real(file)->pMethods->xShmUnmap(real(file), forget);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_traits,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static sqlite3_vfs *below;

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *out, int flags, int *ret_flags)
{
    struct file *file = (struct file *)out;
    (void)vfs;
    file->real = (sqlite3_file *)(file + 1);
    int code = below->xOpen(below, name, file->real, flags, ret_flags);
    file->base.pMethods = file->real->pMethods ? &methods : NULL;
    return code;
}

static int put_the_disk_in(void **unused)
{
    static sqlite3_vfs layer;
    (void)unused;
    below = sqlite3_vfs_find(NULL);
    layer = *below;
    layer.zName = "refusing";
    layer.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    layer.xOpen = on_open;
    return sqlite3_vfs_register(&layer, 1);
}

/* --- the life --- */

struct life {
    struct house house;
    int acknowledged; /* turns whose commit said EG_OK */
    bool torn;        /* the last one's commit said otherwise */
};

static void tell_all(struct house *house, struct eg_buf *out)
{
    eg_buf_init(out, (size_t)1 << 24);
    tell_pipeline(house->pipeline, out);
    tell_store(house, out);
}

static bool commit_turn(struct life *life)
{
    struct house *house = &life->house;
    assert_false(house->batch.failed);
    int code = EG_EFULL;
    for (int tries = 0; code == EG_EFULL && tries < 3; tries++)
        code = eg_store_commit(house->store, &house->batch, &house->err);
    life->torn = code != EG_OK;
    if (code != EG_OK) {
        assert_true(*house->err.text);
        return false;
    }
    eg_batch_clear(&house->batch);
    life->acknowledged++;
    return true;
}

/* Turns with bites of tidying between them. False: the house would leave, to start again from what is on disk. */
static bool live(struct life *life, int from, int to)
{
    struct house *house = &life->house;
    bool more;
    house->store->seal_at = 20;
    house->store->seal_run = 15;
    for (int turn = from; turn < to; turn++) {
        day_turn(house, turn);
        if (!commit_turn(life))
            return false;
        for (int bite = 0; bite < 5; bite++)
            if (eg_store_tidy(house->store, NOW, turn % 2 ? 0 : 1000000, &more, &house->err) != EG_OK)
                assert_true(*house->err.text); /* said, not fatal: it is tried again */
    }
    return true;
}

static struct eg_buf states[TURNS + 1]; /* what a house with a good disk shows after each turn */

static long live_on_a_good_disk(void)
{
    struct life life = {0};
    memset(&disk, 0, sizeof disk);
    house_make(&life.house, "1GB");
    assert_int_equal(house_enter(&life.house), EG_OK);
    tell_all(&life.house, &states[0]);
    for (int turn = 0; turn < TURNS; turn++) {
        assert_true(live(&life, turn, turn + 1));
        tell_all(&life.house, &states[turn + 1]);
    }
    assert_true(life.house.store->sealed_seq > 0);
    house_raze(&life.house);
    return disk.done;
}

/* Which of the turns this is the state after, or -1. */
static int find_state(struct house *house)
{
    struct eg_buf found;
    int at = -1;
    tell_all(house, &found);
    for (int turn = 0; turn <= TURNS; turn++)
        if (found.length == states[turn].length && !memcmp(found.data, states[turn].data, found.length))
            at = turn;
    eg_buf_finish(&found);
    return at;
}

static void live_on(struct life *life, const char *what)
{
    struct house *house = &life->house;
    if (house_enter(house) != EG_OK)
        fail_msg("%s: it cannot be entered again: %s", what, house->err.text);
    int at = find_state(house);
    if (at != life->acknowledged && !(life->torn && at == life->acknowledged + 1))
        fail_msg("%s: %d turns were acknowledged%s, and what is there is turn %d's", what, life->acknowledged,
                 life->torn ? ", one more was begun" : "", at);
    const struct eg_counters *c = eg_pipeline_counters(house->pipeline);
    assert_int_equal(c->received, c->decoded + c->duplicate + c->quarantined + c->ignored);
    assert_int_equal(c->r_decoded, c->r_stored + c->r_duplicate + c->r_rejected);
    if (!live(life, at, TURNS) || find_state(house) != TURNS)
        fail_msg("%s: from turn %d on it did not come to the same end", what, at);
    house_verify(house, what);
}

static void fail_one(long at, int code, bool for_ever)
{
    struct life life = {0};
    char what[96];
    snprintf(what, sizeof what, "operation %ld fails %s with %s", at, for_ever ? "and all after it" : "once",
             code == SQLITE_FULL ? "FULL" : "IOERR");
    memset(&disk, 0, sizeof disk);
    disk.fail_at = at;
    disk.code = code;
    disk.for_ever = for_ever;
    house_make(&life.house, "1GB");
    if (house_enter(&life.house) == EG_OK)
        live(&life, 0, TURNS);
    house_leave(&life.house);
    assert_true(disk.failures > 0);
    disk.fail_at = 0;
    live_on(&life, what);
    house_raze(&life.house);
}

static void every_operation_may_fail(void **unused)
{
    (void)unused;
    long operations = live_on_a_good_disk();
    assert_true(operations > 100);
    for (long at = 1; at <= operations; at++) {
        fail_one(at, SQLITE_FULL, at % 2);
        fail_one(at, SQLITE_IOERR_WRITE, at % 2 == 0);
    }
    for (int turn = 0; turn <= TURNS; turn++)
        eg_buf_finish(&states[turn]);
    print_message("%ld operations failed in turn, two ways each\n", operations);
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
    memset(&disk, 0, sizeof disk);
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
    memset(&disk, 0, sizeof disk);
    house_make(&house, "1MB");
    assert_int_equal(house_enter(&house), EG_OK);
    int code = EG_OK, turn = 0;
    for (; code == EG_OK && turn < 5000; turn++) {
        char payload[4096];
        memset(payload, 'x', sizeof payload - 1);
        payload[sizeof payload - 1] = '\0';
        house_send(&house, NOW + turn, (struct eg_message){.qos = 1, .mid = 7}, "ecogov/shangtian/air/a1",
                   payload);
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
    assert_int_equal(eg_pipeline_counters(house.pipeline)->quarantined, turn);
    house_verify(&house, "full, and then not");
    eg_buf_finish(&before);
    eg_buf_finish(&after);
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_may_fail),
        cmocka_unit_test(no_half_of_a_turn_fits),
        cmocka_unit_test(a_full_store_waits),
    };
    return cmocka_run_group_tests_name("faults", tests, put_the_disk_in, NULL);
}
