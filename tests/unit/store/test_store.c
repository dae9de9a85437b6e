/* The store's manners: whom it lets in, and what --verify sees. */
#include "day.h"

#include <sys/wait.h>

/* --- opening --- */

static void refused(struct house *house, int code, const char *part)
{
    assert_int_equal(house_enter(house), code);
    if (!strstr(house->err.text, part))
        fail_msg("'%s' does not say '%s'", house->err.text, part);
    house_leave(house);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void what_is_not_ours_is_refused_and_left_alone(void **unused)
{
    static const char poem[] =
        "A file that is no database, though it is long enough to hold a header of one hundred bytes and "
        "some more, so that nobody takes it for an empty one.\n";
    (void)unused;
    struct house house;
    char back[512] = "";
    house_make(&house, "1GB");
    write_file(house.path, poem);
    refused(&house, EG_ECORRUPT, house.path);
    FILE *file = fopen(house.path, "r");
    assert_non_null(file);
    assert_non_null(fgets(back, sizeof back, file));
    fclose(file);
    assert_string_equal(back, poem);

    unlink(house.path);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(house.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE recipes(name)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    refused(&house, EG_ECORRUPT, "another program");

    house_empty(house.dir);
    assert_int_equal(house_enter(&house), EG_OK);
    assert_int_equal(sqlite3_exec(house.store->db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    house_leave(&house);
    refused(&house, EG_ECORRUPT, "newer ecogovd");
    house_raze(&house);
}

static void one_daemon_a_store(void **unused)
{
    (void)unused;
    struct house house;
    house_start(&house);
    struct house second = {.conf = house.conf};
    memcpy(second.path, house.path, sizeof second.path);
    refused(&second, EG_EBUSY, "another ecogovd");
    pid_t child = fork(); /* the lock belongs to the open file: another process is refused as well */
    assert_true(child >= 0);
    if (child == 0) {
        struct eg_store *store = NULL;
        _exit(eg_store_open(house.conf, &store, NULL) == EG_EBUSY ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    house_leave(&house);
    assert_int_equal(house_enter(&house), EG_OK); /* let go when left */
    house_raze(&house);
}

static void folders_are_made_and_their_absence_told(void **unused)
{
    (void)unused;
    struct house house;
    char deep[160], blocked[192];
    house_make(&house, "1GB");
    const char *path = house.conf->store.path;
    snprintf(deep, sizeof deep, "%s/a/b/c/ecogov.db", house.dir);
    house.conf->store.path = deep;
    assert_int_equal(house_enter(&house), EG_OK);
    house_leave(&house);
    snprintf(blocked, sizeof blocked, "%s/a/b/c/ecogov.db/x/ecogov.db", house.dir);
    house.conf->store.path = blocked;
    refused(&house, EG_EIO, "cannot be made");
    house.conf->store.path = path;
    static const char *const inside[] = {"a/b/c", "a/b", "a"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(deep, sizeof deep, "%s/%s", house.dir, inside[i]);
        house_empty(deep);
        rmdir(deep);
    }
    house_raze(&house);
}

/* A store of the first schema, filled, is brought to today's. */
static void an_older_schema_is_migrated(void **unused)
{
    static const char back_to_1[] = EG_TEST_BACK_FROM_12 EG_TEST_BACK_FROM_9
        "DROP TRIGGER chunk_comes; DROP TRIGGER chunk_goes; DROP TABLE overlap;" EG_TEST_BACK_FROM_8
        "DROP TABLE bucket; ALTER TABLE rollup DROP COLUMN whole;"
        "DROP INDEX case_event_order; ALTER TABLE case_event DROP COLUMN seq;"
        "ALTER TABLE case_event DROP COLUMN hash; DELETE FROM meta WHERE key='history';"
        "ALTER TABLE device DROP COLUMN interval; DROP TABLE young; DROP INDEX cases_series; ALTER TABLE "
        "chunk RENAME TO chunk_3;"
        "CREATE TABLE chunk(series INTEGER NOT NULL, t_first INTEGER NOT NULL, seq INTEGER NOT NULL, t_last "
        "INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(series, t_first, seq)) "
        "WITHOUT ROWID; INSERT INTO chunk SELECT series,t_first,seq,t_last,n,body FROM chunk_3;"
        "DROP TABLE chunk_3; PRAGMA user_version=1";
    bool more = true;
    (void)unused;
    struct house house;
    struct eg_buf before, after;
    house_start(&house);
    for (int turn = 0; turn < 6; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    eg_buf_init(&before, 1 << 24);
    eg_buf_init(&after, 1 << 24);
    tell_store(&house, &before);
    house.store->seal_at = house.store->seal_run = 4;
    house.store->grown_points = 1;
    while (more)
        assert_int_equal(eg_store_tidy(house.store, NOW, 1000, &more, &house.err), EG_OK);
    assert_true(house.store->sealed_seq > 2);
    assert_int_equal(sqlite3_exec(house.store->db, back_to_1, NULL, NULL, NULL), SQLITE_OK);
    house_leave(&house);
    house_verify(&house, "older"); /* before a daemon of this version has opened it */
    if (house_enter(&house) != EG_OK)
        fail_msg("%s", house.err.text);
    tell_store(&house, &after);
    assert_same_text(&before, &after, "migrated");
    day_turn(&house, 6);
    house_commits(&house);
    house_verify(&house, "migrated");
    eg_buf_finish(&before);
    eg_buf_finish(&after);
    house_raze(&house);
}

/* --- verify --- */

static void damaged(struct house *house, const char *damage, const char *finding)
{
    struct eg_buf findings;
    char kept[160];
    snprintf(kept, sizeof kept, "%s.kept", house->path);
    house_copy_file(house->path, kept);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(house->path, &db), SQLITE_OK);
    char *why = NULL;
    if (sqlite3_exec(db, damage, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", damage, why);
    sqlite3_close(db);
    eg_buf_init(&findings, 65536);
    assert_int_equal(eg_store_verify(house->path, &findings, &house->err), EG_OK);
    if (!findings.length || !strstr(findings.data, finding))
        fail_msg("after '%s' nobody says '%s' but: %s", damage, finding,
                 findings.length ? findings.data : "nothing");
    eg_buf_finish(&findings);
    rename(kept, house->path);
}

static void verify_sees_damage(void **unused)
{
    static const char *const damages[][2] = {
        {"UPDATE turn SET readings=CAST(substr(readings,1,5)||x'ff'||substr(readings,7) AS BLOB) WHERE "
         "seq=(SELECT max(seq) FROM turn)",
         "of the journal is damaged"},
        {"UPDATE turn SET idents=zeroblob(9) WHERE seq=(SELECT max(seq) FROM turn)",
         "of the journal is damaged"},
        {"UPDATE chunk SET n=n+1 WHERE series=1", "the chunk of series 1 "},
        {"UPDATE chunk SET t_last=t_last+1 WHERE series=2", "the chunk of series 2 "},
        {"UPDATE chunk SET body=zeroblob(length(body)) WHERE series=1", "the chunk of series 1 "},
        {"INSERT INTO young VALUES(1,5,5,5,1,zeroblob(9))", "the chunk of series 1 from 5 on is damaged"},
        {"DELETE FROM series WHERE id=3", "series 3 that is not there"},
        {"DELETE FROM device WHERE id=2", "belongs to no device"},
        {"UPDATE turn SET received=received+1 WHERE seq=18", "turn 18: the messages do not add up"},
        {"UPDATE turn SET r_stored=r_stored-1 WHERE seq=18", "turn 18: the readings do not add up"},
        {"UPDATE turn SET received=received+99, decoded=decoded+99 WHERE seq=18",
         "counters fall after turn 18"},
        {"DELETE FROM turn WHERE seq=19", "turns that were not sealed are missing before turn 20"},
        {"UPDATE turn SET r_decoded=r_decoded+7, r_stored=r_stored+7 WHERE seq>=19", "turn 19 holds "},
        {"UPDATE turn SET readings=NULL WHERE seq=20", "turn 20 holds 0 readings and counts "},
        {"UPDATE cases SET version=version+1 WHERE number=1", "its history does not hold"},
        {"DROP TRIGGER case_event_stays; UPDATE case_event SET note='fine, really' WHERE case_number=1 AND "
         "version=3",
         "case 1: event 3 of its history was changed"},
        {"DROP TRIGGER case_event_stays; UPDATE case_event SET value=value+1 WHERE case_number=2 AND "
         "version=1",
         "case 2: event 1 of its history was changed"},
        {"DROP TRIGGER case_event_remains; DELETE FROM case_event WHERE seq=4",
         "lacks what stood between event 3 and event 5"},
        {"DROP TRIGGER case_event_remains; DELETE FROM case_event WHERE seq=(SELECT max(seq) FROM "
         "case_event)",
         "does not end where it was written to end"},
        {"UPDATE meta SET value=x'00' WHERE key='history'", "does not end where it was written to end"},
        {"DELETE FROM cases WHERE number=2", "the history of a case 2 that is not there"},
        {"INSERT INTO overlap VALUES(1,1,5,77,6)", "names one of series 1 that is not there"},
        {"DROP TRIGGER chunk_comes; INSERT INTO chunk(series,t_first,seq,t_last,n,body) SELECT "
         "series,t_first,0,t_last,n,body FROM chunk WHERE series=1 LIMIT 1",
         "chunks of series 1 lie across others"},
        {"INSERT INTO series_last VALUES(99,1,1,0)", "the newest reading of a series 99 that is not there"},
        {"UPDATE rule_state SET case_number=777 WHERE case_number<>0", "holds a case that is not active"},
    };
    (void)unused;
    struct house house;
    bool more = true;
    house_start(&house);
    house.store->seal_at = 400;
    for (int turn = 0; turn < 20; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    house.store->seal_run = 100;
    house.store->grown_points = 1;
    for (house.store->seal_at = 200; more;)
        assert_int_equal(eg_store_tidy(house.store, NOW, 1000, &more, &house.err), EG_OK);
    house_verify(&house, "before any damage");
    house_leave(&house);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
        damaged(&house, damages[i][0], damages[i][1]);
    house_verify(&house, "when all is mended");
    house_raze(&house);
}

/* A byte that the disk changed behind SQLite's back, in any page. */
static void verify_sees_a_changed_byte(void **unused)
{
    (void)unused;
    struct house house;
    house_start(&house);
    for (int turn = 0; turn < 20; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    house_leave(&house);
    struct stat info;
    assert_int_equal(stat(house.path, &info), 0);
    int seen = 0, tried = 0;
    for (off_t at = 4096 + 3; at < info.st_size;
         at += 4096, tried++) { /* the cell count of each page behind the first */
        struct eg_buf findings;
        unsigned char byte;
        int file = open(house.path, O_RDWR);
        assert_int_equal(pread(file, &byte, 1, at), 1);
        byte ^= 0x41;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
        eg_buf_init(&findings, 65536);
        seen += eg_store_verify(house.path, &findings, &house.err) != EG_OK || findings.length > 0;
        eg_buf_finish(&findings);
        byte ^= 0x41;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
        close(file);
    }
    if (seen != tried)
        fail_msg("%d pages were changed, %d were seen", tried, seen);
    assert_true(tried > 10);
    house_verify(&house, "when all is mended");
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_ours_is_refused_and_left_alone),
        cmocka_unit_test(one_daemon_a_store),
        cmocka_unit_test(folders_are_made_and_their_absence_told),
        cmocka_unit_test(an_older_schema_is_migrated),
        cmocka_unit_test(verify_sees_damage),
        cmocka_unit_test(verify_sees_a_changed_byte),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
