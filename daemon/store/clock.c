/* The clock in doubt, as the store keeps it: table clock, a row a doubt, and own_time, what readings said of their own time meanwhile.
 * Knows which turns a doubt spans, and moves the plain columns when it ends, in the transaction that says so; the readings are redate.c's.
 * Called by commit.c, seal.c, and the house at its start. */
#include <store/inside.h>

#include <stdio.h>
#include <string.h>

/* So many readings wait in the journal to be dated anew: a week of a hundred series a minute. Beyond that the oldest keep their dates, and
 * the flag that says so. Less in a small file. */
#define MOST (UINT64_C(1) << 20)
#define PART 8 /* of these are given up at once */

static void copy(char *to, size_t size, sqlite3_stmt *sql, int column)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    snprintf(to, size, "%s", text ? text : "");
}

int eg_clock_open(struct eg_store *store, struct eg_err *err)
{
    struct eg_clock_row *clock = &store->clock;
    sqlite3_stmt *sql = NULL;
    *clock = (struct eg_clock_row){.state = EG_CLOCK_NEVER};
    int code =
        sqlite3_prepare_v2(store->db,
                           "SELECT id,state,since,until,shift,latest,boot_us,from_seq,to_seq,dated_seq,"
                           "dated_series,stored,boot,why,how FROM clock ORDER BY id DESC LIMIT 1",
                           -1, &sql, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        int64_t *const numbers[] = {&clock->since_ms, &clock->until_ms, &clock->shift_ms, &clock->latest_ms,
                                    &clock->boot_us,  &clock->from_seq, &clock->to_seq,   &clock->dated_seq};
        clock->id = sqlite3_column_int64(sql, 0);
        clock->state = (enum eg_clock_state)sqlite3_column_int(sql, 1);
        for (int i = 0; i < 8; i++)
            *numbers[i] = sqlite3_column_int64(sql, 2 + i);
        clock->dated_series = (uint32_t)sqlite3_column_int64(sql, 10);
        clock->stored = (uint64_t)sqlite3_column_int64(sql, 11);
        copy(clock->boot, sizeof clock->boot, sql, 12);
        copy(clock->why, sizeof clock->why, sql, 13);
        copy(clock->how, sizeof clock->how, sql, 14);
    }
    sqlite3_finalize(sql);
    return code == SQLITE_ROW || code == SQLITE_DONE
               ? EG_OK
               : eg_sql_error(store->db, err, "reading what is known of the clock");
}

void eg_store_clock(struct eg_store *store, struct eg_store_clock *ret)
{
    const struct eg_clock_row *clock = &store->clock;
    int64_t replayed = eg_meta_get(store->db, "replayed_seq", 0);
    memset(ret, 0, sizeof *ret);
    ret->doubted = clock->state == EG_CLOCK_IN_DOUBT;
    ret->believed_devices =
        (clock->state == EG_CLOCK_DATING || clock->state == EG_CLOCK_DATED) && !strcmp(clock->how, "devices");
    ret->since_ms = clock->since_ms;
    ret->shift_ms = clock->shift_ms;
    ret->boot_us = clock->boot_us;
    memcpy(ret->boot, clock->boot, sizeof ret->boot);
    memcpy(ret->why, clock->why, sizeof ret->why);
    ret->newest_ms = eg_sql_number(store->db, "SELECT seq FROM turn ORDER BY seq DESC LIMIT 1", 0) > replayed
                         ? eg_sql_number(store->db, "SELECT at FROM turn ORDER BY seq DESC LIMIT 1", 0)
                         : EG_TIME_NONE;
}

static int one(sqlite3 *db, const char *text, const int64_t *numbers, int count)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(db, text, -1, &sql, NULL);
    for (int i = 0; code == SQLITE_OK && i < count; i++)
        sqlite3_bind_int64(sql, 1 + i, numbers[i]);
    if (code == SQLITE_OK && (code = sqlite3_step(sql)) == SQLITE_DONE)
        code = SQLITE_OK;
    sqlite3_finalize(sql);
    return code;
}

int eg_store_leave_doubt(struct eg_store *store, struct eg_err *err)
{
    if (one(store->db, "UPDATE clock SET state=3 WHERE state=0", NULL, 0) != SQLITE_OK ||
        one(store->db, "DELETE FROM own_time", NULL, 0) != SQLITE_OK)
        return eg_sql_error(store->db, err, "noting that the machine was started anew");
    return eg_clock_open(store, err);
}

int eg_store_mark_replayed(struct eg_store *store, struct eg_err *err)
{
    return eg_meta_put(store, "replayed_seq", store->seq) == SQLITE_OK
               ? EG_OK
               : eg_sql_error(store->db, err, "noting that it was replayed");
}

/* --- a start in the middle of it --- */

struct said {
    struct eg_pipeline *pipeline;
    struct eg_buf own; /* of the turn, as rows of readings: see eg_clock_put_own() */
    size_t at, next;   /* readings of the turn that were passed, of its own times */
};

static bool take_own(void *arg, const struct eg_row_reading *row)
{
    struct said *said = arg;
    return eg_buf_add(&said->own, row, sizeof *row);
}

static bool take_said(void *arg, const struct eg_row_reading *row)
{
    struct said *said = arg;
    const struct eg_row_reading *own = (const struct eg_row_reading *)(const void *)said->own.data;
    size_t count = said->own.length / sizeof *own;
    said->at++;
    while (said->next < count && own[said->next].series < said->at)
        said->next++;
    if (said->next < count && own[said->next].series == said->at)
        eg_pipeline_restore_said(said->pipeline, row->series, row->value, own[said->next].time_ms);
    return said->next < count;
}

/* What is sent once more is recognised by what it says of its own time. */
static int load_said(struct eg_store *store, struct eg_pipeline *pipeline, struct eg_err *err)
{
    struct said said = {.pipeline = pipeline};
    sqlite3_stmt *sql = NULL;
    int result = EG_OK,
        code = sqlite3_prepare_v2(
            store->db,
            "SELECT t.at,t.readings,o.body FROM own_time o JOIN turn t ON t.seq=o.seq ORDER BY o.seq", -1,
            &sql, NULL);
    eg_buf_init(&said.own, (size_t)64 * 1024 * 1024);
    while (result == EG_OK && (code == SQLITE_OK || code == SQLITE_ROW) &&
           (code = sqlite3_step(sql)) == SQLITE_ROW) {
        const int64_t at_ms = sqlite3_column_int64(sql, 0);
        eg_buf_clear(&said.own);
        said.at = said.next = 0;
        bool whole = eg_pack_each_reading(sqlite3_column_blob(sql, 2), (size_t)sqlite3_column_bytes(sql, 2),
                                          at_ms, take_own, &said) == EG_OK &&
                     eg_pack_each_reading(sqlite3_column_blob(sql, 1), (size_t)sqlite3_column_bytes(sql, 1),
                                          at_ms, take_said, &said) == EG_OK;
        if (!whole)
            result = eg_err_set(err, EG_ECORRUPT, "a turn of the journal is damaged: run ecogovd --verify");
    }
    if (result == EG_OK && code != SQLITE_DONE)
        result = eg_sql_error(store->db, err, "reading what devices said of the time");
    sqlite3_finalize(sql);
    eg_buf_finish(&said.own);
    return result;
}

int eg_clock_load(struct eg_store *store, struct eg_pipeline *pipeline, struct eg_err *err)
{
    if (store->clock.state != EG_CLOCK_IN_DOUBT)
        return EG_OK;
    eg_pipeline_restore_doubt(
        pipeline, store->clock.since_ms,
        (uint32_t)eg_sql_number(
            store->db,
            "SELECT ifnull(max(id),0) FROM device WHERE registered_at<(SELECT max(since) FROM clock)", 0));
    return load_said(store, pipeline, err);
}

/* --- what may be sealed --- */

static bool spans(const struct eg_clock_row *clock)
{
    return clock->state == EG_CLOCK_IN_DOUBT || clock->state == EG_CLOCK_DATING;
}

int64_t eg_clock_seal_to(const struct eg_store *store)
{
    return spans(&store->clock) ? store->clock.from_seq : INT64_MAX;
}

uint64_t eg_clock_seal_stored(const struct eg_store *store)
{
    return spans(&store->clock) ? store->clock.stored : store->counters.r_stored;
}

static uint64_t most(const struct eg_store *store)
{
    uint64_t fit = (uint64_t)store->max_pages * EG_PAGE_BYTES / 128;
    return fit < MOST ? fit : MOST;
}

/* The file must end somewhere: the oldest of them are sealed as they are. */
static int give_up_some(struct eg_store *store, const struct eg_batch *batch)
{
    struct eg_clock_row *clock = &store->clock_next;
    sqlite3_stmt *sql = NULL;
    if (clock->state != EG_CLOCK_IN_DOUBT || batch->counters.r_stored - clock->stored <= most(store))
        return SQLITE_OK;
    int code = sqlite3_prepare_v2(
        store->db, "SELECT seq,r_stored FROM turn WHERE seq>?1 AND r_stored>=?2 ORDER BY seq LIMIT 1", -1,
        &sql, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(sql, 1, clock->from_seq);
        sqlite3_bind_int64(sql, 2, (int64_t)(clock->stored + most(store) / PART));
        code = sqlite3_step(sql);
        if (code == SQLITE_ROW) {
            clock->from_seq = sqlite3_column_int64(sql, 0);
            clock->stored = (uint64_t)sqlite3_column_int64(sql, 1);
        }
    }
    sqlite3_finalize(sql);
    const int64_t numbers[] = {clock->id, clock->from_seq, (int64_t)clock->stored};
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        code = one(store->db, "UPDATE clock SET from_seq=?2, stored=?3 WHERE id=?1", numbers, 3);
    return code == SQLITE_OK ? one(store->db, "DELETE FROM own_time WHERE seq<=?2 AND ?1", numbers, 2) : code;
}

/* --- a commit --- */

/* As rows of readings: where in the turn, from 1, and when. */
int eg_clock_put_own(struct eg_store *store, const struct eg_batch *batch)
{
    struct eg_buf rows;
    int code = SQLITE_OK;
    eg_buf_init(&rows, (size_t)64 * 1024 * 1024);
    for (size_t i = 0; i < batch->own_times_count; i++) {
        const struct eg_row_reading own = {.series = batch->own_times[i].reading + 1,
                                           .time_ms = batch->own_times[i].time_ms};
        eg_buf_add(&rows, &own, sizeof own);
    }
    eg_buf_clear(&store->blob);
    if (rows.failed ||
        (rows.length &&
         !eg_pack_readings(&store->blob, (const struct eg_row_reading *)(const void *)rows.data,
                           rows.length / sizeof(struct eg_row_reading), batch->now_ms)))
        code = SQLITE_NOMEM;
    if (code == SQLITE_OK && rows.length) {
        sqlite3_bind_int64(store->sql[SQL_OWN], 1, store->seq + 1);
        sqlite3_bind_blob64(store->sql[SQL_OWN], 2, store->blob.data, store->blob.length, SQLITE_STATIC);
        code = eg_sql_run(store, SQL_OWN);
    }
    eg_buf_finish(&rows);
    return code;
}

static int put_doubt(struct eg_store *store, const struct eg_row_clock *row)
{
    struct eg_clock_row *clock = &store->clock_next;
    sqlite3_stmt *sql = NULL;
    *clock = (struct eg_clock_row){.state = EG_CLOCK_IN_DOUBT,
                                   .since_ms = row->since_ms,
                                   .boot_us = row->boot_us,
                                   .from_seq = store->seq,
                                   .stored = store->counters.r_stored};
    snprintf(clock->boot, sizeof clock->boot, "%s", row->boot);
    snprintf(clock->why, sizeof clock->why, "%s", row->why);
    int code = sqlite3_prepare_v2(store->db,
                                  "INSERT INTO clock(state,since,boot_us,from_seq,stored,boot,why) "
                                  "VALUES(0,?,?,?,?,?,?)",
                                  -1, &sql, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(sql, 1, clock->since_ms);
        sqlite3_bind_int64(sql, 2, clock->boot_us);
        sqlite3_bind_int64(sql, 3, clock->from_seq);
        sqlite3_bind_int64(sql, 4, (int64_t)clock->stored);
        sqlite3_bind_text(sql, 5, clock->boot, -1, SQLITE_STATIC);
        sqlite3_bind_text(sql, 6, clock->why, -1, SQLITE_STATIC);
        code = sqlite3_step(sql) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(store->db);
        clock->id = sqlite3_last_insert_rowid(store->db);
    }
    sqlite3_finalize(sql);
    return code;
}

/* What was noted of the time from ?1 to ?2 is of ?3 later. The pipeline has written what it knows itself: active cases, rules. */
static int move_columns(struct eg_store *store, const struct eg_row_clock *row)
{
#define LATER(column) #column "=" #column "+iif(" #column " BETWEEN ?1 AND ?2,?3,0)"
    static const char *const moves[] = {
        "UPDATE device SET " LATER(registered_at) "," LATER(silent_at) "," LATER(heard_at) "," LATER(
            awaited_at),
        "UPDATE told SET " LATER(at), "UPDATE suppressed SET " LATER(since),
        "UPDATE quarantine SET " LATER(at) " WHERE at BETWEEN ?1 AND ?2",
        "UPDATE device_event SET " LATER(at), "UPDATE evidence SET " LATER(since),
        "UPDATE outbox SET " LATER(created_at) "," LATER(failing_since) " WHERE done_at IS NULL",
        /* said in it: with its end, which is of later */
        ("UPDATE silence SET created_at=created_at+?3, starts_at=starts_at+?3, expires_at=expires_at+?3, "
         "ended_at=ended_at+?3 WHERE created_at BETWEEN ?1 AND ?2")};
#undef LATER
    const int64_t numbers[] = {row->since_ms, row->until_ms, row->shift_ms};
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < sizeof moves / sizeof *moves; i++)
        code = one(store->db, moves[i], numbers, 3);
    return code;
}

static int put_trust(struct eg_store *store, const struct eg_row_clock *row)
{
    struct eg_clock_row *clock = &store->clock_next;
    sqlite3_stmt *sql = NULL;
    if (clock->state != EG_CLOCK_IN_DOUBT)
        return SQLITE_OK;
    clock->state = EG_CLOCK_DATING;
    clock->until_ms = row->until_ms;
    clock->shift_ms = row->shift_ms;
    clock->latest_ms = row->latest_ms;
    clock->to_seq = store->seq + 1;
    clock->dated_seq = clock->from_seq;
    clock->dated_series = 0;
    snprintf(clock->how, sizeof clock->how, "%s", row->why);
    int code = sqlite3_prepare_v2(
        store->db,
        "UPDATE clock SET state=1, until=?2, shift=?3, latest=?4, to_seq=?5, dated_seq=?6, "
        "dated_series=0, how=?7 WHERE id=?1",
        -1, &sql, NULL);
    if (code == SQLITE_OK) {
        const int64_t numbers[] = {clock->id,        clock->until_ms, clock->shift_ms,
                                   clock->latest_ms, clock->to_seq,   clock->dated_seq};
        for (int i = 0; i < 6; i++)
            sqlite3_bind_int64(sql, 1 + i, numbers[i]);
        sqlite3_bind_text(sql, 7, clock->how, -1, SQLITE_STATIC);
        code = sqlite3_step(sql) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(store->db);
    }
    sqlite3_finalize(sql);
    return code == SQLITE_OK ? move_columns(store, row) : code;
}

int eg_clock_put(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->clocks_count; i++)
        code = batch->clocks[i].trusted ? put_trust(store, &batch->clocks[i])
                                        : put_doubt(store, &batch->clocks[i]);
    return code == SQLITE_OK ? give_up_some(store, batch) : code;
}
