/* Silences and what they hold back, as rows: written, read back, listed (store.h). Refuses to know what they mean. Called by commit.c and
 * load.c and, over the reader, by the API. */
#include <store/inside.h>

#include <stdio.h>
#include <string.h>

static void copy_text(sqlite3_stmt *sql, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    snprintf(out, size, "%s", text ? text : "");
}

int eg_silences_put(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->silences_count; i++) {
        const struct eg_silence *row = &batch->silences[i];
        const struct eg_matcher *matcher = &row->matcher;
        sqlite3_stmt *sql = store->sql[SQL_SILENCE];
        sqlite3_bind_int64(sql, 1, row->id);
        eg_sql_text(sql, 2, matcher->site);
        eg_sql_text(sql, 3, matcher->domain);
        eg_sql_text(sql, 4, matcher->device);
        eg_sql_text(sql, 5,
                    matcher->quantity == EG_QUANTITY_NONE ? "" : eg_quantity_info(matcher->quantity)->name);
        eg_sql_text(sql, 6, matcher->rule);
        sqlite3_bind_int(sql, 7, (int)matcher->level);
        eg_sql_text(sql, 8, row->reason);
        eg_sql_text(sql, 9, row->author);
        sqlite3_bind_int64(sql, 10, row->created_ms);
        sqlite3_bind_int64(sql, 11, row->starts_ms);
        sqlite3_bind_int64(sql, 12, row->expires_ms);
        if (row->ended_ms == EG_TIME_NONE)
            sqlite3_bind_null(sql, 13);
        else
            sqlite3_bind_int64(sql, 13, row->ended_ms);
        sqlite3_bind_int(sql, 14, row->removed);
        eg_sql_text(sql, 15, row->ended_by);
        code = eg_sql_run(store, SQL_SILENCE);
    }
    return code == SQLITE_OK && batch->silences_count ? eg_sql_run(store, SQL_SILENCE_PRUNE) : code;
}

int eg_silences_put_suppressed(struct eg_store *store, const struct eg_batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->suppressed_count; i++) {
        const struct eg_row_suppressed *row = &batch->suppressed[i];
        enum eg_sql which = row->since_ms == EG_TIME_NONE ? SQL_SUPPRESSED_DROP : SQL_SUPPRESSED;
        sqlite3_stmt *sql = store->sql[which];
        sqlite3_bind_int64(sql, 1, row->case_number);
        if (which == SQL_SUPPRESSED) {
            sqlite3_bind_int64(sql, 2, row->since_ms);
            sqlite3_bind_int(sql, 3, row->flapping);
            sqlite3_bind_int(sql, 4, row->owed);
            sqlite3_bind_int(sql, 5, row->untold);
            sqlite3_bind_int(sql, 6, row->risen);
        }
        code = eg_sql_run(store, which);
    }
    return code;
}

void eg_silence_read(sqlite3_stmt *sql, struct eg_silence *ret)
{
    char quantity[64];
    memset(ret, 0, sizeof *ret);
    ret->id = (uint32_t)sqlite3_column_int64(sql, 0);
    copy_text(sql, 1, ret->matcher.site, sizeof ret->matcher.site);
    copy_text(sql, 2, ret->matcher.domain, sizeof ret->matcher.domain);
    copy_text(sql, 3, ret->matcher.device, sizeof ret->matcher.device);
    copy_text(sql, 4, quantity, sizeof quantity);
    ret->matcher.quantity = *quantity ? eg_quantity_find(quantity, strlen(quantity)) : EG_QUANTITY_NONE;
    copy_text(sql, 5, ret->matcher.rule, sizeof ret->matcher.rule);
    ret->matcher.level = (enum eg_level)sqlite3_column_int(sql, 6);
    copy_text(sql, 7, ret->reason, sizeof ret->reason);
    copy_text(sql, 8, ret->author, sizeof ret->author);
    ret->created_ms = sqlite3_column_int64(sql, 9);
    ret->starts_ms = sqlite3_column_int64(sql, 10);
    ret->expires_ms = sqlite3_column_int64(sql, 11);
    ret->ended_ms =
        sqlite3_column_type(sql, 12) == SQLITE_NULL ? EG_TIME_NONE : sqlite3_column_int64(sql, 12);
    ret->removed = sqlite3_column_int(sql, 13) != 0;
    copy_text(sql, 14, ret->ended_by, sizeof ret->ended_by);
}

int eg_reader_silences(struct eg_reader *reader, bool ended_too, int64_t below, size_t limit,
                       bool (*each)(void *arg, const struct eg_silence *row), void *arg, struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(
        reader->db,
        EG_SILENCE_SELECT " WHERE (?1 OR ended_at IS NULL) AND (?2<=0 OR id<?2) ORDER BY id DESC LIMIT ?3",
        -1, &sql, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int(sql, 1, ended_too);
        sqlite3_bind_int64(sql, 2, below);
        sqlite3_bind_int64(sql, 3, (int64_t)limit);
    }
    bool go_on = code == SQLITE_OK;
    while (go_on && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        struct eg_silence row;
        eg_silence_read(sql, &row);
        go_on = each(arg, &row);
    }
    int result =
        code == SQLITE_ROW || code == SQLITE_DONE ? EG_OK : eg_sql_error(reader->db, err, "reading silences");
    sqlite3_finalize(sql);
    return result;
}
