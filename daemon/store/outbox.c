/* Questions about the outbox (store.h). Knows the table; who waits for what, daemon/notify knows. */
#include <store/inside.h>

static const char *text_at(sqlite3_stmt *sql, int column)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    return text ? text : "";
}

static int64_t time_at(sqlite3_stmt *sql, int column)
{
    return sqlite3_column_type(sql, column) == SQLITE_NULL ? EG_TIME_NONE : sqlite3_column_int64(sql, column);
}

#define OUTBOX_COLUMNS                                                                                       \
    "id,channel,recipient,key,body,created_at,retain,done_at,delivered,error,party,why,line,case_number,"    \
    "level,tries,failing_since,not_before,carried_by"

static struct eg_outbox_view outbox_view(sqlite3_stmt *sql)
{
    int64_t done_ms = time_at(sql, 7);
    bool gave_up = done_ms == EG_TIME_NONE && sqlite3_column_type(sql, 8) != SQLITE_NULL;
    return (struct eg_outbox_view){.id = sqlite3_column_int64(sql, 0),
                                   .channel = text_at(sql, 1),
                                   .recipient = text_at(sql, 2),
                                   .key = text_at(sql, 3),
                                   .body = text_at(sql, 4),
                                   .created_ms = sqlite3_column_int64(sql, 5),
                                   .retain = sqlite3_column_int(sql, 6) != 0,
                                   .done_ms = done_ms,
                                   .delivered = sqlite3_column_int(sql, 8) != 0,
                                   .error = text_at(sql, 9),
                                   .party = text_at(sql, 10),
                                   .why = text_at(sql, 11),
                                   .line = text_at(sql, 12),
                                   .case_number = (uint32_t)sqlite3_column_int64(sql, 13),
                                   .level = (uint8_t)sqlite3_column_int(sql, 14),
                                   .tries = (unsigned)sqlite3_column_int(sql, 15),
                                   .failing_since_ms = time_at(sql, 16),
                                   .not_before_ms = sqlite3_column_int64(sql, 17),
                                   .carried_by = sqlite3_column_int64(sql, 18),
                                   .gave_up = gave_up};
}

int eg_reader_outbox_row(struct eg_reader *reader, int64_t id,
                         bool (*each)(void *arg, const struct eg_outbox_view *row), void *arg,
                         struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code =
        sqlite3_prepare_v2(reader->db, "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE id=?1", -1, &sql, NULL);
    if (code == SQLITE_OK)
        sqlite3_bind_int64(sql, 1, id);
    if (code == SQLITE_OK && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        struct eg_outbox_view row = outbox_view(sql);
        each(arg, &row);
    }
    int result = code == SQLITE_ROW ? EG_OK
                 : code == SQLITE_DONE
                     ? eg_err_set(err, EG_ENOTFOUND, "there is no notification %lld", (long long)id)
                     : eg_sql_error(reader->db, err, "reading the outbox");
    sqlite3_finalize(sql);
    return result;
}

int eg_reader_outbox(struct eg_reader *reader, bool pending_only, int64_t after_id, size_t limit,
                     bool (*each)(void *arg, const struct eg_outbox_view *row), void *arg, struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(
        reader->db,
        pending_only ? "SELECT " OUTBOX_COLUMNS
                       " FROM outbox WHERE done_at IS NULL AND id>?1 ORDER BY id LIMIT ?2"
                     : "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE ?1<=0 OR id<?1 ORDER BY id DESC LIMIT ?2",
        -1, &sql, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(sql, 1, after_id);
        sqlite3_bind_int64(sql, 2, limit ? (int64_t)limit : -1);
    }
    bool go_on = code == SQLITE_OK;
    while (go_on && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        struct eg_outbox_view row = outbox_view(sql);
        go_on = each(arg, &row);
    }
    int result = code == SQLITE_ROW || code == SQLITE_DONE
                     ? EG_OK
                     : eg_sql_error(reader->db, err, "reading the outbox");
    sqlite3_finalize(sql);
    return result;
}
