/* One batch, one transaction. Knows which row goes where; decides nothing. Called by turn.c's worker and by replay.c. */
#include <store/inside.h>
#include <store/checkpoints.h>
#include <store/salvage.h>

#include <math.h>
#include <string.h>

#define QUARANTINE_ROWS 2000 /* times EG_QUARANTINE_BYTES: 32 MB at the most */
#define QUARANTINE_LEAST 16
#define OUTBOX_ROWS 10000
#define OUTBOX_PENDING 100000
#define OUTBOX_LEAST 100
#define OUTBOX_BYTES 2048 /* a row, on average */
#define PRUNE_EVERY 100

static void bind_time(sqlite3_stmt *sql, int at, int64_t ms)
{
    if (ms == EG_TIME_NONE)
        sqlite3_bind_null(sql, at);
    else
        sqlite3_bind_int64(sql, at, ms);
}

static int put_turn(struct eg_store *store, const struct eg_batch *batch)
{
    sqlite3_stmt *sql = store->sql[SQL_TURN];
    const struct eg_counters *c = &batch->counters;
    const uint64_t counters[] = {c->received,  c->decoded,  c->duplicate,   c->quarantined, c->ignored,
                                 c->r_decoded, c->r_stored, c->r_duplicate, c->r_rejected,  c->r_corrected};
    eg_buf_clear(&store->blob);
    eg_buf_clear(&store->idents);
    if ((batch->readings_count &&
         !eg_pack_readings(&store->blob, batch->readings, batch->readings_count, batch->now_ms)) ||
        (batch->idents_count && !eg_pack_idents(&store->idents, batch->idents, batch->idents_count)))
        return SQLITE_NOMEM;
    sqlite3_bind_int64(sql, 1, store->seq + 1);
    sqlite3_bind_int64(sql, 2, batch->now_ms);
    for (int i = 0; i < 10; i++)
        sqlite3_bind_int64(sql, 3 + i, (int64_t)counters[i]);
    if (batch->idents_count)
        sqlite3_bind_blob64(sql, 13, store->idents.data, store->idents.length, SQLITE_STATIC);
    else
        sqlite3_bind_null(sql, 13);
    if (batch->readings_count)
        sqlite3_bind_blob64(sql, 14, store->blob.data, store->blob.length, SQLITE_STATIC);
    else
        sqlite3_bind_null(sql, 14);
    return eg_sql_run(store, SQL_TURN);
}

int eg_commit_rollups(struct eg_store *store, const struct eg_row_rollup *rows, size_t count)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++) {
        const struct eg_row_rollup *row = &rows[i];
        const struct eg_rollup *r = &row->rollup;
        enum eg_sql which = row->replace ? SQL_ROLLUP_REPLACE : SQL_ROLLUP_MERGE;
        sqlite3_stmt *sql = store->sql[which];
        sqlite3_bind_int(sql, 1, (int)row->period);
        sqlite3_bind_int64(sql, 2, r->start_ms);
        sqlite3_bind_int64(sql, 3, row->series);
        sqlite3_bind_int64(sql, 4, r->end_ms);
        sqlite3_bind_int64(sql, 5, (int64_t)r->count);
        sqlite3_bind_double(sql, 6, r->sum);
        sqlite3_bind_double(sql, 7, r->min);
        sqlite3_bind_double(sql, 8, r->max);
        sqlite3_bind_double(sql, 9, r->first);
        sqlite3_bind_double(sql, 10, r->last);
        sqlite3_bind_int64(sql, 11, r->first_ms);
        sqlite3_bind_int64(sql, 12, r->last_ms);
        sqlite3_bind_int64(sql, 13, (int64_t)r->slots[0]);
        sqlite3_bind_int64(sql, 14, (int64_t)r->slots[1]);
        code = eg_sql_run(store, which);
    }
    return code;
}

static int put_rollups(struct eg_store *store, const struct eg_batch *batch)
{
    return eg_commit_rollups(store, batch->rollups, batch->rollups_count);
}

static int put_rule_states(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->rule_states_count; i++) {
        const struct eg_row_rule_state *row = &batch->rule_states[i];
        sqlite3_stmt *sql = store->sql[SQL_RULE_STATE];
        eg_sql_text(sql, 1, row->rule);
        sqlite3_bind_int64(sql, 2, row->series);
        sqlite3_bind_int(sql, 3, row->state.level);
        sqlite3_bind_int64(sql, 4, row->state.case_number);
        for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
            bind_time(sql, 4 + level, row->state.since_ms[level]);
            bind_time(sql, 7 + level, row->state.clear_since_ms[level]);
        }
        eg_buf_clear(&store->blob);
        if (!row->checkpointed)
            sqlite3_bind_null(sql, 11);
        else if (eg_checkpoints_pack(&store->blob, row))
            sqlite3_bind_blob64(sql, 11, store->blob.data, store->blob.length, SQLITE_STATIC);
        else
            return SQLITE_NOMEM;
        code = eg_sql_run(store, SQL_RULE_STATE);
    }
    return code;
}

static int put_case(struct eg_store *store, const struct eg_case *row)
{
    sqlite3_stmt *sql = store->sql[SQL_CASE];
    sqlite3_bind_int64(sql, 1, row->number);
    eg_sql_text(sql, 2, row->id);
    eg_sql_text(sql, 3, row->site);
    eg_sql_text(sql, 4, row->domain);
    eg_sql_text(sql, 5, row->device);
    eg_sql_text(sql, 6, row->rule);
    eg_sql_text(sql, 7, row->channel);
    eg_sql_text(sql, 8, eg_case_quantity(row));
    sqlite3_bind_int64(sql, 9, row->series);
    sqlite3_bind_int64(sql, 10, (int64_t)row->rule_version);
    sqlite3_bind_int(sql, 11, row->level);
    sqlite3_bind_int(sql, 12, row->condition);
    sqlite3_bind_int(sql, 13, row->handling);
    sqlite3_bind_int(sql, 14, row->mode);
    sqlite3_bind_int64(sql, 15, row->opened_ms);
    sqlite3_bind_int64(sql, 16, row->detected_ms);
    bind_time(sql, 17, row->closed_ms);
    bind_time(sql, 18, row->due_ms);
    sqlite3_bind_double(sql, 19, row->last_value);
    bind_time(sql, 20, row->last_ms);
    sqlite3_bind_double(sql, 21, row->peak_value);
    bind_time(sql, 22, row->peak_ms);
    sqlite3_bind_double(sql, 23, row->limit);
    eg_sql_text(sql, 24, row->lead);
    eg_sql_text(sql, 25, row->assignee);
    sqlite3_bind_int64(sql, 26, row->escalation);
    sqlite3_bind_int64(sql, 27, row->reopened);
    sqlite3_bind_int64(sql, 28, row->version);
    sqlite3_bind_int(sql, 29, row->kind);
    bind_time(sql, 30, row->began_ms);
    bind_time(sql, 31, row->until_ms);
    sqlite3_bind_int64(sql, 32, row->missed);
    sqlite3_bind_int(sql, 33, row->overdue);
    sqlite3_bind_int(sql, 34, row->handed_on);
    eg_sql_text(sql, 35, row->fixer);
    eg_sql_text(sql, 36, row->repairer);
    sqlite3_bind_int64(sql, 37, row->follows);
    sqlite3_bind_int64(sql, 38, row->parent);
    sqlite3_bind_int64(sql, 39, row->clear_hours);
    bind_time(sql, 40, row->within_since_ms);
    sqlite3_bind_int64(sql, 41, row->faster);
    bind_time(sql, 42, row->fix_missed_ms);
    return eg_sql_run(store, SQL_CASE);
}

static int put_history(struct eg_store *store)
{
    uint8_t head[EG_HISTORY_BYTES];
    eg_history_write(&store->history_next, head);
    sqlite3_bind_text(store->sql[SQL_META], 1, EG_HISTORY_KEY, -1, SQLITE_STATIC);
    sqlite3_bind_blob(store->sql[SQL_META], 2, head, sizeof head, SQLITE_TRANSIENT);
    return eg_sql_run(store, SQL_META);
}

static int put_cases(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->cases_count; i++)
        code = put_case(store, &batch->cases[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->case_events_count; i++) {
        const struct eg_case_event *row = &batch->case_events[i];
        sqlite3_stmt *sql = store->sql[SQL_CASE_EVENT];
        sqlite3_bind_int64(sql, 1, row->case_number);
        sqlite3_bind_int64(sql, 2, row->version);
        sqlite3_bind_int64(sql, 3, row->at_ms);
        sqlite3_bind_int64(sql, 4, row->known_ms);
        eg_sql_text(sql, 5, row->kind);
        eg_sql_text(sql, 6, row->actor);
        eg_sql_text(sql, 7, row->from);
        eg_sql_text(sql, 8, row->to);
        if (isnan(row->value))
            sqlite3_bind_null(sql, 9);
        else
            sqlite3_bind_double(sql, 9, row->value);
        eg_sql_text(sql, 10, row->note);
        eg_history_link(&store->history_next, row);
        sqlite3_bind_int64(sql, 11, store->history_next.seq);
        sqlite3_bind_blob(sql, 12, store->history_next.hash, EG_SHA256_BYTES, SQLITE_TRANSIENT);
        eg_sql_text(sql, 13, row->party);
        code = eg_sql_run(store, SQL_CASE_EVENT);
    }
    return code == SQLITE_OK && batch->case_events_count ? put_history(store) : code;
}

static int put_evidence(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->evidence_count; i++) {
        const struct eg_row_evidence *row = &batch->evidence[i];
        sqlite3_stmt *sql = store->sql[SQL_EVIDENCE];
        sqlite3_bind_int64(sql, 1, row->case_number);
        sqlite3_bind_int64(sql, 2, row->series);
        sqlite3_bind_int64(sql, 3, row->since_ms);
        eg_sql_text(sql, 4, eg_evidence_name(row->why));
        code = eg_sql_run(store, SQL_EVIDENCE);
    }
    return code;
}

static int64_t rows_within(int64_t bytes, int64_t row, int64_t least, int64_t most)
{
    int64_t rows = bytes / row;
    return rows < least ? least : rows > most ? most : rows;
}

/* Telling must not take the place of what is told: what was delivered takes a sixteenth of max_size at the most, and what the broker was
 * not there to hear an eighth. The history of a case knows all of it. */
static int bound_outbox(struct eg_store *store, int64_t now_ms)
{
    int64_t bytes = store->max_pages * EG_PAGE_BYTES;
    sqlite3_bind_int64(store->sql[SQL_OUTBOX_OVERFLOW], 1,
                       rows_within(bytes / 8, OUTBOX_BYTES, OUTBOX_LEAST, OUTBOX_PENDING));
    sqlite3_bind_int64(store->sql[SQL_OUTBOX_OVERFLOW], 2, now_ms);
    sqlite3_bind_int64(store->sql[SQL_OUTBOX_PRUNE], 1,
                       rows_within(bytes / 16, OUTBOX_BYTES, OUTBOX_LEAST, OUTBOX_ROWS));
    int code = eg_sql_run(store, SQL_OUTBOX_OVERFLOW);
    return code == SQLITE_OK ? eg_sql_run(store, SQL_OUTBOX_PRUNE) : code;
}

static int put_outbox(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->outbox_count; i++) {
        const struct eg_row_outbox *row = &batch->outbox[i];
        sqlite3_stmt *sql = store->sql[SQL_OUTBOX];
        sqlite3_bind_int64(sql, 1, row->id);
        eg_sql_text(sql, 2, row->channel);
        eg_sql_text(sql, 3, row->recipient);
        eg_sql_text(sql, 4, row->key);
        eg_sql_text(sql, 5, row->body);
        sqlite3_bind_int64(sql, 6, row->created_ms);
        sqlite3_bind_int(sql, 7, row->retain);
        eg_sql_text(sql, 8, row->party);
        eg_sql_text(sql, 9, row->why);
        eg_sql_text(sql, 10, row->line);
        sqlite3_bind_int64(sql, 11, row->case_number);
        sqlite3_bind_int(sql, 12, row->level);
        sqlite3_bind_int64(sql, 13, row->not_before_ms);
        code = eg_sql_run(store, SQL_OUTBOX);
    }
    for (size_t i = 0; code == SQLITE_OK && i < batch->outbox_done_count; i++) {
        const struct eg_row_outbox_done *row = &batch->outbox_done[i];
        sqlite3_stmt *sql = store->sql[SQL_OUTBOX_DONE];
        sqlite3_bind_int64(sql, 1, row->id);
        sqlite3_bind_int64(sql, 2, row->at_ms);
        sqlite3_bind_int(sql, 3, row->delivered);
        eg_sql_text(sql, 4, row->error);
        sqlite3_bind_int64(sql, 5, row->carried_by);
        code = eg_sql_run(store, SQL_OUTBOX_DONE);
    }
    for (size_t i = 0; code == SQLITE_OK && i < batch->outbox_tried_count; i++) {
        const struct eg_row_outbox_tried *row = &batch->outbox_tried[i];
        sqlite3_stmt *sql = store->sql[SQL_OUTBOX_TRIED];
        sqlite3_bind_int64(sql, 1, row->id);
        sqlite3_bind_int64(sql, 2, row->tries);
        sqlite3_bind_int64(sql, 3, row->failing_since_ms);
        eg_sql_text(sql, 4, row->error);
        if (row->gave_up) /* and done_at is not set: given up, and still tried */
            sqlite3_bind_int(sql, 5, 0);
        else
            sqlite3_bind_null(sql, 5);
        code = eg_sql_run(store, SQL_OUTBOX_TRIED);
    }
    store->outbox_since_prune += (int)(batch->outbox_count + batch->outbox_done_count);
    if (code == SQLITE_OK && store->outbox_since_prune >= PRUNE_EVERY) {
        store->outbox_since_prune = 0;
        code = bound_outbox(store, batch->now_ms);
    }
    return code;
}

static int put_calibrations(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->calibrations_count; i++) {
        const struct eg_row_calibration *row = &batch->calibrations[i];
        enum eg_sql which = row->forget ? SQL_CALIBRATION_FORGET : SQL_CALIBRATION;
        sqlite3_stmt *sql = store->sql[which];
        sqlite3_bind_int64(sql, 1, row->series);
        sqlite3_bind_int64(sql, 2, row->since_ms);
        if (!row->forget) {
            sqlite3_bind_double(sql, 3, row->scale);
            sqlite3_bind_double(sql, 4, row->offset);
            sqlite3_bind_int64(sql, 5, batch->now_ms);
        }
        code = eg_sql_run(store, which);
    }
    return code;
}

static int put_told(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->told_count; i++) {
        const struct eg_row_told *row = &batch->told[i];
        enum eg_sql which = row->at_ms == EG_TIME_NONE ? SQL_TOLD_DROP : SQL_TOLD;
        sqlite3_stmt *sql = store->sql[which];
        sqlite3_bind_int64(sql, 1, row->case_number);
        if (which == SQL_TOLD) {
            eg_sql_text(sql, 2, row->party);
            eg_sql_text(sql, 3, row->channel);
            eg_sql_text(sql, 4, row->recipient);
            sqlite3_bind_int64(sql, 5, row->at_ms);
            sqlite3_bind_int64(sql, 6, row->repeats);
        }
        code = eg_sql_run(store, which);
    }
    return code;
}

/* A sixteenth of max_size at the most: garbage must not push readings out. */
static int64_t quarantine_most(const struct eg_store *store)
{
    return rows_within(store->max_pages * EG_PAGE_BYTES / 16, EG_QUARANTINE_BYTES, QUARANTINE_LEAST,
                       QUARANTINE_ROWS);
}

static int put_quarantine(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    int64_t most = quarantine_most(store);
    size_t first = batch->quarantine_count > (size_t)most ? batch->quarantine_count - (size_t)most : 0;
    for (size_t i = first; code == SQLITE_OK && i < batch->quarantine_count; i++) {
        const struct eg_row_quarantine *row = &batch->quarantine[i];
        sqlite3_stmt *sql = store->sql[SQL_QUARANTINE];
        sqlite3_bind_int64(sql, 1, row->at_ms);
        eg_sql_text(sql, 2, row->topic);
        eg_sql_text(sql, 3, row->source);
        eg_sql_text(sql, 4, row->verdict);
        eg_sql_text(sql, 5, row->reason);
        sqlite3_bind_blob64(sql, 6, row->payload ? (const void *)row->payload : "", row->payload_len,
                            SQLITE_STATIC);
        sqlite3_bind_int64(sql, 7, (int64_t)row->full_len);
        sqlite3_bind_int(sql, 8, row->retain);
        code = eg_sql_run(store, SQL_QUARANTINE);
    }
    store->quarantine_since_prune += (int)(batch->quarantine_count - first);
    if (code == SQLITE_OK && store->quarantine_since_prune >= (most < PRUNE_EVERY ? most : PRUNE_EVERY)) {
        store->quarantine_since_prune = 0;
        sqlite3_bind_int64(store->sql[SQL_QUARANTINE_PRUNE], 1, most);
        code = eg_sql_run(store, SQL_QUARANTINE_PRUNE);
    }
    return code;
}

static int put_retried(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->retried_count; i++) {
        const struct eg_row_retried *row = &batch->retried[i];
        enum eg_sql which = row->reason ? SQL_QUARANTINE_REJECT : SQL_QUARANTINE_DROP;
        sqlite3_bind_int64(store->sql[which], 1, row->id);
        if (row->reason)
            eg_sql_text(store->sql[which], 2, row->reason);
        code = eg_sql_run(store, which);
    }
    return code;
}

static int put_all(struct eg_store *store, const struct eg_batch *batch)
{
    static int (*const parts[])(struct eg_store *, const struct eg_batch *) = {
        put_turn,    eg_clock_put_own, eg_devices_put,  put_calibrations,
        put_rollups, put_rule_states,  put_cases,       put_evidence,
        put_outbox,  put_told,         eg_silences_put, eg_silences_put_suppressed,
        put_retried, put_quarantine,   eg_clock_put,    eg_flash_put};
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < sizeof parts / sizeof *parts; i++)
        code = parts[i](store, batch);
    return code;
}

/* The file is full, perhaps: as many pages as this batch may need are asked for, and tidying makes that room if max_size is the reason. If
 * the disk is, there are pages enough below max_size, and nothing goes. */
static void ask_for_room(struct eg_store *store, const struct eg_batch *batch)
{
    int64_t reserve = eg_prune_reserve(store->max_pages);
    size_t bytes = store->blob.length + store->idents.length + batch->rollups_count * 160;
    bytes +=
        1024 * (batch->cases_count + batch->case_events_count + 2 * batch->outbox_count + batch->told_count +
                batch->silences_count + batch->calibrations_count + batch->suppressed_count +
                batch->devices_count + batch->series_count + batch->rule_states_count +
                batch->device_events_count + batch->findings_count + batch->evidence_count);
    for (size_t i = 0; i < batch->quarantine_count; i++)
        bytes += batch->quarantine[i].payload_len + 1024;
    store->pages_wanted = reserve + 2 * (int64_t)(bytes / EG_PAGE_BYTES);
    if (store->pages_wanted > store->max_pages / 2)
        store->pages_wanted = store->max_pages / 2;
    store->nothing_left = false;
}

int eg_store_commit(struct eg_store *store, const struct eg_batch *batch, struct eg_err *err)
{
    eg_flash_before(store, batch->now_ms);
    int code = eg_sql_run(store, SQL_BEGIN);
    store->history_next = store->history;
    store->clock_next = store->clock;
    if (code == SQLITE_OK)
        code = put_all(store, batch);
    if (code == SQLITE_OK)
        code = eg_sql_run(store, SQL_COMMIT);
    if (code != SQLITE_OK) {
        int result = code == SQLITE_NOMEM ? eg_err_set(err, EG_ENOMEM, "no memory to write a turn")
                                          : eg_sql_error(store->db, err, "writing a turn");
        if (!sqlite3_get_autocommit(store->db))
            eg_sql_run(store, SQL_ROLLBACK);
        if (result == EG_EFULL)
            ask_for_room(store, batch);
        if (result == EG_ECORRUPT)
            eg_salvage_suspect(store->path);
        return result;
    }
    store->seq++;
    store->counters = batch->counters;
    store->history = store->history_next;
    store->clock = store->clock_next;
    store->fold.rows += batch->rollups_count;
    for (size_t i = 0; i < batch->rollups_count; i++)
        eg_fold_changed(store, &batch->rollups[i]);
    eg_flash_after(store);
    store->pages_wanted = eg_prune_reserve(store->max_pages);
    if (store->wal_pages > EG_WAL_PAGES_MAX && eg_log_due(store))
        eg_log_write_back(store); /* nobody tidies, or not fast enough: the log must end somewhere */
    eg_sql_figures(store);
    return EG_OK;
}
