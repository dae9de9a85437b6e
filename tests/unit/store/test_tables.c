/* What bounded tables keep, and what questions about cases may ask for. */
#include "day.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quarantine_keeps_the_newest),
        cmocka_unit_test(a_large_payload_is_cut_and_its_length_kept),
        cmocka_unit_test(the_outbox_forgets_only_what_is_done),
        cmocka_unit_test(the_outbox_has_an_end),
        cmocka_unit_test(questions_about_cases),
        cmocka_unit_test(the_history_is_append_only),
    };
    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
