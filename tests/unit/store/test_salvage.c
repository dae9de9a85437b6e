/* A lived day, and each page of its file damaged in turn: by zeros, by noise, by the end of the file. Whatever was hit, the house can be
 * entered: at once, or after a salvage; what is there then agrees with itself, and most readings are there. What was damaged is kept. */
#include "day.h"

#include <store/salvage.h>

#define TURNS 40

static bool count_point(void *arg, uint32_t series, const struct eg_point *point)
{
    (void)series, (void)point;
    ++*(size_t *)arg;
    return true;
}

static int count_readings(struct house *house, size_t *ret_count)
{
    struct eg_export *xport = NULL;
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    bool done = false;
    *ret_count = 0;
    int code = eg_export_open(house->store, &all, &xport, &house->err);
    while (code == EG_OK && !done)
        code = eg_export_next(xport, 1000, count_point, ret_count, &done, &house->err);
    eg_export_close(xport);
    return code;
}

/* What its cases stand on: two series each. */
static void stand_on(struct house *house)
{
    static const char rows[] = "INSERT INTO evidence(case_number,series,since,why) SELECT "
                               "number,s,opened_at,w FROM cases, (SELECT 1 s, "
                               "'asked' w UNION SELECT 2, 'measured')";
    assert_int_equal(sqlite3_exec(house->store->db, rows, NULL, NULL, NULL), SQLITE_OK);
    assert_true(sqlite3_changes(house->store->db) > 2);
}

static void live(struct house *house, bool seal)
{
    bool more = true;
    for (int turn = 0; turn < TURNS; turn++) {
        day_turn(house, turn);
        house_commits(house);
        if (turn != TURNS * 3 / 4 || !seal)
            continue;
        house->store->seal_run = 300;
        for (house->store->seal_at = 200; more;)
            assert_int_equal(eg_store_tidy(house->store, NOW, 1000, &more, &house->err), EG_OK);
        house->store->seal_at = EG_SEAL_AT;
    }
    stand_on(house);
}

/* As house.c does it. True: it took a salvage. */
static bool start(struct house *house, const char *what)
{
    int code = eg_salvage_pending(house->path) ? EG_ECORRUPT : house_enter(house);
    if (code == EG_OK)
        return false;
    if (code != EG_ECORRUPT)
        fail_msg("%s: %s", what, house->err.text);
    house_leave(house);
    if (eg_salvage_run(house->path, NOW, &house->err) != EG_OK)
        fail_msg("%s: no salvage: %s", what, house->err.text);
    if (house_enter(house) != EG_OK)
        fail_msg("%s: salvaged, and no way in: %s", what, house->err.text);
    return true;
}

static bool is_clean(struct house *house)
{
    struct eg_buf findings;
    eg_buf_init(&findings, 65536);
    bool clean = eg_store_verify(house->path, &findings, NULL) == EG_OK && !findings.length;
    eg_buf_finish(&findings);
    return clean;
}

static void find_aside(const struct house *house, char out[400])
{
    DIR *folder = opendir(house->dir);
    out[0] = '\0';
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strstr(entry->d_name, ".damaged-") && !strstr(entry->d_name, ".txt"))
            snprintf(out, 400, "%.120s/%s", house->dir, entry->d_name);
    closedir(folder);
    assert_true(out[0]);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static size_t files_like(const char *dir, const char *part)
{
    size_t count = 0;
    DIR *folder = opendir(dir);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += strstr(entry->d_name, part) != NULL;
    closedir(folder);
    return count;
}

enum damage { ZEROS, NOISE, FLIP, CUT, DAMAGES };

static void hurt(const char *path, off_t page, enum damage how)
{
    unsigned char bytes[4096] = {0};
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    if (how == CUT)
        assert_int_equal(ftruncate(file, page * 4096), 0);
    if (how == FLIP)
        assert_int_equal(pread(file, bytes, sizeof bytes, page * 4096), sizeof bytes);
    for (size_t i = 0; how == NOISE && i < sizeof bytes; i++)
        bytes[i] = (unsigned char)rand();
    for (int i = 0; how == FLIP && i < 20; i++)
        bytes[rand() % 4096] ^= (unsigned char)(1 + rand() % 255);
    if (how != CUT)
        assert_int_equal(pwrite(file, bytes, sizeof bytes, page * 4096), sizeof bytes);
    close(file);
}

struct sums {
    int tried, salvaged, unclean;
    size_t least, all;
};

static void one(struct house *house, const char *kept, off_t page, enum damage how, struct sums *sums)
{
    static const char *const names[] = {"zeros", "noise", "flipped bytes", "the end of the file"};
    char what[64];
    size_t count = 0;
    snprintf(what, sizeof what, "%s in page %ld", names[how], (long)page + 1);
    house_empty(house->dir);
    house_copy_file(kept, house->path);
    hurt(house->path, page, how);
    bool salvaged = start(house, what);
    if (count_readings(house, &count) != EG_OK || !is_clean(house)) {
        /* It runs on, as far as it gets: a commit or a question will stumble, and the next start looks closely. */
        if (salvaged)
            house_verify(house, what);
        house_leave(house);
        eg_salvage_suspect(house->path);
        sums->unclean++;
        salvaged = start(house, what);
        assert_true(salvaged);
        if (count_readings(house, &count) != EG_OK)
            fail_msg("%s: %s", what, house->err.text);
    }
    house_verify(house, what);
    const struct eg_counters *c = eg_pipeline_counters(house->pipeline);
    assert_int_equal(c->received, c->decoded + c->duplicate + c->quarantined + c->ignored);
    assert_int_equal(c->r_decoded, c->r_stored + c->r_duplicate + c->r_rejected);
    if (salvaged) {
        struct eg_buf told;
        eg_buf_init(&told, 4096);
        assert_true(eg_salvage_told(house->path, &told));
        assert_non_null(strstr(told.data, "the database was damaged"));
        eg_buf_finish(&told);
        assert_int_equal(files_like(house->dir, ".damaged-"), 2 + (files_like(house->dir, "Z-wal") > 0));
    }
    if (how != CUT && count < sums->least)
        sums->least = count;
    sums->tried++;
    sums->salvaged += salvaged;
    day_turn(house, TURNS); /* life goes on: commits, cases that open and close */
    house_commits(house);
    day_turn(house, TURNS + 1);
    house_commits(house);
    house_verify(house, what);
    house_leave(house);
}

static void damage_all(bool seal)
{
    char kept[64];
    struct house house;
    struct stat info;
    struct sums sums = {.least = SIZE_MAX};
    srand(7);
    snprintf(kept, sizeof kept, "/tmp/eg-salvage-%ld", (long)getpid());
    house_start(&house);
    live(&house, seal);
    assert_int_equal(count_readings(&house, &sums.all), EG_OK);
    house_leave(&house);
    house_copy_file(house.path, kept);
    assert_int_equal(stat(kept, &info), 0);
    for (off_t page = 0; page < info.st_size / 4096; page++)
        for (int how = 0; how < DAMAGES; how++)
            if (how != CUT || page % 5 == 1)
                one(&house, kept, page, (enum damage)how, &sums);
    print_message("%ld pages, %d damages, %d salvages (%d of them after running on); at the least %zu of %zu "
                  "readings\n",
                  (long)info.st_size / 4096, sums.tried, sums.salvaged, sums.unclean, sums.least, sums.all);
    assert_true(sums.salvaged > sums.tried / 2);
    /* So small a store has all that is sealed in one page; the journal is left. */
    assert_true(sums.least > sums.all / (seal ? 5 : 2));
    unlink(kept);
    house_raze(&house);
}

static void each_page_of_a_journal(void **unused)
{
    (void)unused;
    damage_all(false);
}

static void each_page_of_a_sealed_store(void **unused)
{
    (void)unused;
    damage_all(true);
}

static void what_is_not_damaged_comes_through_whole(void **unused)
{
    (void)unused;
    struct house house;
    size_t before, after;
    struct eg_buf stood, stands;
    house_start(&house);
    live(&house, true);
    assert_int_equal(count_readings(&house, &before), EG_OK);
    eg_buf_init(&stood, 1 << 16);
    eg_buf_init(&stands, 1 << 16);
    for (uint32_t number = 1; number < 20; number++)
        assert_int_equal(eg_reader_evidence(house.reader, number, tell_evidence, &stood, NULL), EG_OK);
    assert_non_null(strstr(stood.data, "case 1 stands on 2, measured since"));
    house_leave(&house);
    assert_int_equal(eg_salvage_run(house.path, NOW, &house.err), EG_OK);
    assert_int_equal(house_enter(&house), EG_OK);
    assert_int_equal(count_readings(&house, &after), EG_OK);
    assert_int_equal(before, after);
    for (uint32_t number = 1; number < 20; number++)
        assert_int_equal(eg_reader_evidence(house.reader, number, tell_evidence, &stands, NULL), EG_OK);
    assert_same_text(&stood, &stands, "salvaged without need");
    eg_buf_finish(&stood);
    eg_buf_finish(&stands);
    house_verify(&house, "salvaged without need");
    house_raze(&house);
}

static void what_is_not_ours_is_refused(void **unused)
{
    (void)unused;
    struct house house;
    house_make(&house, "1GB");
    for (int round = 0; round < 2; round++) {
        FILE *file = fopen(house.path, "w");
        for (int i = 0; i < 5000; i++)
            fputs(round ? "\r\n" : "somebody's diary, line by line. ", file);
        fclose(file);
        assert_int_equal(house_enter(&house), EG_ECORRUPT);
        house_leave(&house);
        assert_int_equal(eg_salvage_run(house.path, NOW, &house.err), EG_EINVAL);
        assert_int_equal(files_like(house.dir, "damaged"), 0);
        assert_int_equal(files_like(house.dir, ".salvag"), 0);
    }
    house_raze(&house);
}

/* Killed between any two of the moves: the next start goes on where it was. The states are made by hand, out of what a whole salvage
 * leaves. */
static void a_salvage_that_was_cut_short_goes_on(void **unused)
{
    (void)unused;
    for (int moved = 0; moved < 4; moved++) {
        struct house house;
        size_t before, after;
        char aside[400], file[192], other[500];
        house_start(&house);
        live(&house, false);
        assert_int_equal(count_readings(&house, &before), EG_OK);
        house_leave(&house);
        assert_int_equal(eg_salvage_run(house.path, NOW, &house.err), EG_OK);
        /* back to: the mark, the new one under its first name, the old one where it was */
        find_aside(&house, aside);
        snprintf(file, sizeof file, "%s.salvaging", house.path);
        write_text(file, aside);
        snprintf(file, sizeof file, "%s.salvage", house.path);
        snprintf(other, sizeof other, "%s-wal", moved ? aside : house.path);
        if (moved < 3)
            assert_int_equal(rename(house.path, file), 0);
        if (moved < 2)
            assert_int_equal(rename(aside, house.path), 0);
        if (moved < 2)
            write_text(other, "a log");
        assert_true(eg_salvage_pending(house.path));
        assert_int_equal(eg_salvage_run(house.path, NOW, &house.err), EG_OK);
        assert_false(eg_salvage_pending(house.path));
        assert_int_equal(house_enter(&house), EG_OK);
        assert_int_equal(count_readings(&house, &after), EG_OK);
        assert_int_equal(before, after);
        house_verify(&house, "cut short");
        assert_int_equal(files_like(house.dir, ".salvag"), 0);
        assert_int_equal(files_like(house.dir, "000Z-wal"), moved < 2);
        house_raze(&house);
    }
}

/* Each is kept, also two of one moment. */
static void nothing_that_was_set_aside_is_overwritten(void **unused)
{
    (void)unused;
    struct house house;
    house_start(&house);
    live(&house, false);
    house_leave(&house);
    for (int times = 0; times < 3; times++)
        assert_int_equal(eg_salvage_run(house.path, NOW, &house.err), EG_OK);
    assert_int_equal(files_like(house.dir, ".damaged-"), 6); /* and a list each */
    house_raze(&house);
}

static bool no_point(void *arg, const struct eg_point *point)
{
    (void)arg, (void)point;
    return true;
}

static void break_chunks(struct house *house, const char *tables[], size_t count)
{
    char sql[128];
    for (size_t i = 0; i < count; i++) {
        snprintf(sql, sizeof sql, "UPDATE %s SET body=zeroblob(length(body))", tables[i]);
        assert_int_equal(sqlite3_exec(house->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
    }
}

/* Damage that only a question or a bite of tidying comes upon: nothing is done about it in service, and the next start heals it. */
static void what_is_found_in_service_is_healed_at_the_next_start(void **unused)
{
    (void)unused;
    for (int by_question = 0; by_question < 2; by_question++) {
        struct house house;
        bool more = true;
        int code = EG_OK;
        house_start(&house);
        live(&house, true);
        break_chunks(&house, (const char *[]){"chunk", "young"}, 2);
        assert_false(files_like(house.dir, ".suspect"));
        if (by_question)
            code = eg_reader_points(house.reader, 1, INT64_MIN, INT64_MAX, no_point, NULL, &house.err);
        for (house.store->seal_at = 10; !by_question && code == EG_OK && more;)
            code = eg_store_tidy(house.store, NOW, 1000, &more, &house.err);
        assert_int_equal(code, EG_ECORRUPT);
        assert_true(files_like(house.dir, ".suspect"));
        house_leave(&house);
        assert_true(start(&house, "found in service"));
        assert_false(files_like(house.dir, ".suspect"));
        house_verify(&house, "found in service");
        house_raze(&house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_damaged_comes_through_whole),
        cmocka_unit_test(what_is_not_ours_is_refused),
        cmocka_unit_test(a_salvage_that_was_cut_short_goes_on),
        cmocka_unit_test(nothing_that_was_set_aside_is_overwritten),
        cmocka_unit_test(what_is_found_in_service_is_healed_at_the_next_start),
        cmocka_unit_test(each_page_of_a_journal),
        cmocka_unit_test(each_page_of_a_sealed_store),
    };
    return cmocka_run_group_tests_name("salvage", tests, NULL, NULL);
}
