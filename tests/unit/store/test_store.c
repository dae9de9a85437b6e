/* The store's manners: whom it lets in, what --verify sees, what its bounded tables keep, what questions may ask for, and an
 * export that stands still while life goes on. */
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

/* --- bounded tables --- */

static bool count_quarantine(void *arg, const struct eg_quarantine_view *row)
{
    int64_t *ids = arg;
    ids[0]++;
    ids[1] = row->id;
    return true;
}

static void the_quarantine_keeps_the_newest(void **unused)
{
    (void)unused;
    struct house house;
    int64_t seen[2] = {0};
    const int sent = 4500;
    house_start(&house);
    for (int i = 0; i < sent; i++) {
        char payload[32];
        snprintf(payload, sizeof payload, "broken %d", i);
        house_send(&house, NOW + i, (struct eg_message){0}, "ecogov/shangtian/air/a1", payload);
        if (i % 50 == 49)
            house_commits(&house);
    }
    assert_int_equal(eg_reader_quarantine(house.reader, 0, 0, 0, count_quarantine, seen, &house.err), EG_OK);
    assert_in_range(seen[0], 2000, 2100);
    assert_int_equal(seen[1], sent - seen[0] + 1); /* the oldest gave way, without a gap */
    assert_int_equal(eg_pipeline_counters(house.pipeline)->quarantined, sent);
    house_kill(&house);
    assert_int_equal(eg_pipeline_counters(house.pipeline)->quarantined, sent);

    memset(seen, 0, sizeof seen); /* one turn may bring more than there is room for */
    for (int i = 0; i < 3000; i++)
        house_send(&house, NOW + sent + i, (struct eg_message){0}, "ecogov/shangtian/air/a1", "broken");
    house_commits(&house);
    assert_int_equal(eg_reader_quarantine(house.reader, 0, 0, 0, count_quarantine, seen, &house.err), EG_OK);
    assert_in_range(seen[0], 2000, 2100);
    memset(seen, 0, sizeof seen); /* and a page of it */
    assert_int_equal(eg_reader_quarantine(house.reader, 0, 5000, 10, count_quarantine, seen, &house.err),
                     EG_OK);
    assert_int_equal(seen[0], 10);
    assert_int_equal(seen[1], 4990);
    house_raze(&house);
}

static bool whole_payload(void *arg, const struct eg_quarantine_view *row)
{
    *(int *)arg = 1;
    assert_int_equal(row->payload_len, EG_QUARANTINE_BYTES);
    assert_int_equal(row->full_len, 3 * EG_QUARANTINE_BYTES);
    assert_int_equal(row->payload[EG_QUARANTINE_BYTES - 1], 0xff);
    return true;
}

static void a_large_payload_is_cut_and_its_length_kept(void **unused)
{
    (void)unused;
    struct house house;
    int seen = 0;
    uint8_t *payload = malloc(3 * EG_QUARANTINE_BYTES);
    assert_non_null(payload);
    memset(payload, 0xff, 3 * EG_QUARANTINE_BYTES);
    house_start(&house);
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = NOW};
    event.message = (struct eg_message){.topic = "ecogov/shangtian/air/a1",
                                        .topic_len = 23,
                                        .payload = payload,
                                        .payload_len = 3 * EG_QUARANTINE_BYTES,
                                        .arrived_ms = NOW};
    eg_pipeline_event(house.pipeline, &event, &house.batch);
    free(payload); /* the batch has its own */
    house_commits(&house);
    assert_int_equal(eg_reader_quarantine(house.reader, 1, 0, 0, whole_payload, &seen, &house.err), EG_OK);
    assert_int_equal(seen, 1);
    house_raze(&house);
}

struct outbox {
    int64_t first, last;
    size_t count, delivered, failed;
    bool ascends;
};

static bool count_outbox(void *arg, const struct eg_outbox_view *row)
{
    struct outbox *outbox = arg;
    if (!outbox->count++)
        outbox->first = row->id;
    outbox->ascends = row->id > outbox->last;
    outbox->last = row->id;
    outbox->delivered += row->done_ms != EG_TIME_NONE && row->delivered;
    outbox->failed += row->done_ms != EG_TIME_NONE && !row->delivered && *row->error;
    return true;
}

static void add_notices(struct house *house, int64_t from, int64_t count)
{
    for (int64_t id = from; id < from + count; id++) {
        char key[32];
        struct eg_row_outbox *row = EG_BATCH_ADD(&house->batch, outbox);
        snprintf(key, sizeof key, "key-%lld", (long long)id);
        *row = (struct eg_row_outbox){.id = id,
                                      .channel = "mqtt",
                                      .recipient = "ecogov/events/case/x",
                                      .key = eg_batch_text(&house->batch, key),
                                      .body = "{}",
                                      .created_ms = NOW,
                                      .party = "",
                                      .why = "",
                                      .line = ""};
    }
    house->batch.events++;
}

static void done(struct house *house, int64_t from, int64_t count)
{
    for (int64_t id = from; id < from + count; id++) {
        struct eg_row_outbox_done *row = EG_BATCH_ADD(&house->batch, outbox_done);
        *row = (struct eg_row_outbox_done){id, id % 5 != 0, id % 5 ? "" : "no", NOW + 1, 0};
    }
    house->batch.events++;
}

static void the_outbox_forgets_only_what_is_done(void **unused)
{
    (void)unused;
    struct house house;
    struct outbox all = {0}, pending = {0}, after = {0};
    house_start(&house);
    add_notices(&house, 1, 15000);
    house_commits(&house);
    done(&house, 100, 14800); /* 1 to 99 and the last 101 still wait */
    done(&house, 200, 1);     /* told twice: the first counts */
    house_commits(&house);
    done(&house, 14900, 5);
    house_commits(&house);
    assert_int_equal(eg_reader_outbox(house.reader, true, 0, 0, count_outbox, &pending, &house.err), EG_OK);
    assert_int_equal(pending.count, 99 + 96);
    assert_int_equal(pending.first, 1);
    assert_int_equal(pending.last, 15000);
    assert_true(pending.ascends);
    assert_int_equal(eg_reader_outbox(house.reader, true, 50, 10, count_outbox, &after, &house.err), EG_OK);
    assert_int_equal(after.first, 51);
    assert_int_equal(after.count, 10);
    assert_int_equal(eg_reader_outbox(house.reader, false, 0, 0, count_outbox, &all, &house.err), EG_OK);
    assert_int_equal(all.first, 15000); /* newest first */
    assert_in_range(all.count, 99 + 10000, 99 + 10200);
    assert_int_equal(all.delivered + all.failed + pending.count, all.count);
    assert_true(all.failed > 1000);
    house_raze(&house);
}

/* A small store, a broker that is never there: the oldest give up, and the file has an end. */
static void the_outbox_has_an_end(void **unused)
{
    (void)unused;
    struct house house;
    struct outbox all = {0}, pending = {0};
    house_start(&house);
    house.store->max_pages = 8 * 1024 * 1024 / EG_PAGE_BYTES; /* an eighth of it: 512 rows */
    for (int i = 0; i < 40; i++) {
        add_notices(&house, 1 + i * 100, 100);
        house_commits(&house);
    }
    assert_int_equal(eg_reader_outbox(house.reader, true, 0, 0, count_outbox, &pending, &house.err), EG_OK);
    assert_int_equal(pending.count, 512);
    assert_int_equal(pending.last, 4000);
    assert_int_equal(eg_reader_outbox(house.reader, false, 0, 0, count_outbox, &all, &house.err), EG_OK);
    assert_int_equal(all.count, 512); /* a sixteenth is 256: those given up lie further back */
    assert_int_equal(eg_sql_number(house.reader->db,
                                   "SELECT count(*) FROM outbox WHERE delivered=0 AND error LIKE 'given up%'",
                                   -1),
                     0);
    house_raze(&house);
}

/* --- cases --- */

static bool count_case(void *arg, const struct eg_case *row)
{
    (void)row;
    return ++*(int *)arg < 1000;
}

static int cases_where(struct house *house, struct eg_case_query query)
{
    int count = 0;
    if (eg_reader_cases(house->reader, &query, count_case, &count, &house->err) != EG_OK)
        fail_msg("%s", house->err.text);
    return count;
}

static void questions_about_cases(void **unused)
{
    static const char *const near[] = {"linan", "shangtian"}, *const far[] = {"linan"};
    const struct eg_case_query any = {.handling = -1, .condition = -1, .level = -1, .since_ms = EG_TIME_NONE};
    struct eg_case_query query;
    struct eg_case row;
    (void)unused;
    struct house house;
    house_start(&house);
    for (int turn = 0; turn < DAY_TURNS; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    int all = cases_where(&house, any);
    assert_true(all >= 3);
    query = any, query.site = "shangtian";
    assert_int_equal(cases_where(&house, query), all);
    query = any, query.sites = near, query.site_count = 2;
    assert_int_equal(cases_where(&house, query), all);
    query = any, query.sites = far, query.site_count = 1;
    assert_int_equal(cases_where(&house, query), 0);
    query = any, query.sites = far;
    assert_int_equal(cases_where(&house, query), 0); /* below nothing there is nothing */
    int air, waste, open = 0;
    query = any, query.domain = "air", air = cases_where(&house, query);
    query = any, query.domain = "waste", waste = cases_where(&house, query);
    assert_true(air && waste && air + waste == all);
    query = any, query.open_only = true, open = cases_where(&house, query);
    int sum = 0, ended = 0;
    for (int handling = 0; handling < EG_HANDLING_COUNT; handling++) {
        query = any, query.handling = handling;
        sum += cases_where(&house, query);
        ended += handling >= EG_CLOSED ? cases_where(&house, query) : 0;
    }
    assert_int_equal(sum, all);
    assert_int_equal(open + ended, all);
    query = any, query.limit = 2;
    assert_int_equal(cases_where(&house, query), 2);
    query = any, query.below = 3;
    assert_int_equal(cases_where(&house, query), 2);
    query = any, query.since_ms = INT64_MAX;
    assert_int_equal(cases_where(&house, query), 0);
    assert_int_equal(eg_reader_case(house.reader, "1", &row, &house.err), EG_OK);
    assert_int_equal(eg_reader_case(house.reader, row.id, &row, &house.err), EG_OK);
    assert_int_equal(row.number, 1);
    static const char *const nobody[] = {"", "0", "99999999999999999999", "nope", "1x", "' OR 1=1 --"};
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
        assert_int_equal(eg_reader_case(house.reader, nobody[i], &row, &house.err), EG_ENOTFOUND);
    house_raze(&house);
}

static void the_history_is_append_only(void **unused)
{
    (void)unused;
    struct house house;
    house_start(&house);
    for (int turn = 0; turn < 20; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    assert_int_not_equal(
        sqlite3_exec(house.store->db, "UPDATE case_event SET note='never said'", NULL, NULL, NULL),
        SQLITE_OK);
    assert_non_null(strstr(sqlite3_errmsg(house.store->db), "append-only"));
    assert_int_not_equal(sqlite3_exec(house.store->db, "DELETE FROM case_event", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(house.store->db,
                                      "INSERT INTO case_event SELECT * FROM case_event LIMIT 1", NULL, NULL,
                                      NULL),
                         SQLITE_OK);
    house_verify(&house, "after what was refused");
    house_raze(&house);
}

/* --- export --- */

struct seen {
    size_t count;
    uint64_t sum;
    uint32_t last_series;
    int64_t last_ms;
    uint32_t only;
};

static bool see(void *arg, uint32_t series, const struct eg_point *point)
{
    struct seen *seen = arg;
    assert_true(series > seen->last_series ||
                (series == seen->last_series && point->time_ms > seen->last_ms));
    assert_true(!seen->only || series == seen->only);
    seen->last_series = series;
    seen->last_ms = point->time_ms;
    seen->count++;
    seen->sum += (uint64_t)point->time_ms * 31 + (uint64_t)(point->value * 1000) + series;
    return true;
}

static struct seen see_all(struct house *house, struct eg_export *xport, size_t most)
{
    struct seen seen = {0};
    bool finished = false;
    while (!finished)
        assert_int_equal(eg_export_next(xport, most, see, &seen, &finished, &house->err), EG_OK);
    return seen;
}

static void an_export_stands_still(void **unused)
{
    (void)unused;
    struct house house;
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    struct eg_export *slow = NULL, *quick = NULL;
    bool finished = false, more;
    house_start(&house);
    house.store->seal_at = 50;
    house.store->seal_run = 40;
    for (int turn = 0; turn < 10; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    assert_int_equal(eg_export_open(house.store, &all, &quick, &house.err), EG_OK);
    assert_int_equal(eg_export_open(house.store, &all, &slow, &house.err), EG_OK);
    struct seen want = see_all(&house, quick, 1000000), got = {0};
    eg_export_close(quick);
    for (int turn = 10; turn < 40 || !finished;
         turn++) { /* commits, corrections and sealing go on between the bites */
        if (turn < 40) {
            day_turn(&house, turn);
            house_commits(&house);
            for (int bite = 0; bite < 9; bite++)
                assert_int_equal(eg_store_tidy(house.store, NOW, 0, &more, &house.err), EG_OK);
        }
        if (!finished)
            assert_int_equal(eg_export_next(slow, 7, see, &got, &finished, &house.err), EG_OK);
    }
    eg_export_close(slow);
    assert_true(house.store->sealed_seq > 10);
    assert_int_equal(got.count, want.count);
    assert_int_equal(got.sum, want.sum);
    assert_int_equal(eg_export_open(house.store, &all, &quick, &house.err), EG_OK);
    assert_true(see_all(&house, quick, 100).count > 2 * want.count);
    eg_export_close(quick);
    house_raze(&house);
}

static bool only_two(void *arg, uint32_t series)
{
    (*(int *)arg)++;
    return series == 2;
}

static bool stop_at_once(void *arg, uint32_t series, const struct eg_point *point)
{
    (void)series;
    (void)point;
    ++*(int *)arg;
    return false;
}

static void an_export_of_a_part(void **unused)
{
    (void)unused;
    struct house house;
    struct eg_export *xport = NULL;
    int asked = 0, handed = 0;
    bool finished = false;
    struct seen seen = {.only = 2};
    house_start(&house);
    for (int turn = 0; turn < 10; turn++) {
        day_turn(&house, turn);
        house_commits(&house);
    }
    const struct eg_export_filter part = {NOW + 5 * MINUTE - 200, NOW + 15 * MINUTE - 200, only_two, &asked};
    assert_int_equal(eg_export_open(house.store, &part, &xport, &house.err), EG_OK);
    while (!finished)
        assert_int_equal(eg_export_next(xport, 3, see, &seen, &finished, &house.err), EG_OK);
    eg_export_close(xport);
    assert_int_equal(seen.count, 10); /* one a minute, the end not among them */
    assert_true(asked >= 4);
    const struct eg_export_filter all = {.from_ms = EG_TIME_NONE, .to_ms = EG_TIME_NONE};
    assert_int_equal(eg_export_open(house.store, &all, &xport, &house.err), EG_OK);
    assert_int_equal(eg_export_next(xport, 100, stop_at_once, &handed, &finished, &house.err), EG_OK);
    assert_false(finished);
    assert_int_equal(handed, 1);
    eg_export_close(xport); /* in the middle */
    eg_export_close(NULL);
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
        cmocka_unit_test(the_quarantine_keeps_the_newest),
        cmocka_unit_test(a_large_payload_is_cut_and_its_length_kept),
        cmocka_unit_test(the_outbox_forgets_only_what_is_done),
        cmocka_unit_test(the_outbox_has_an_end),
        cmocka_unit_test(questions_about_cases),
        cmocka_unit_test(the_history_is_append_only),
        cmocka_unit_test(an_export_stands_still),
        cmocka_unit_test(an_export_of_a_part),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
