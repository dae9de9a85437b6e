/* The chain of case events. Knows what is hashed and in which order; refuses to know what the events mean. Called by commit.c (a link an
 * event), schema.c (the links of a database that had none), sql.c (where the chain ends), verify.c and salvage.c.
 *
 * Hashed: the hash before, then seq, case_number, version, at, known_at as 8 bytes little-endian each, then kind, actor, was, became,
 * note, each its length in 8 bytes and its bytes, then 0 for no value, or 1 and the value's 8 bytes; then, if there is one, the party. */
#include <store/history.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* case_number, version, at, known_at, kind, actor, was, became, value, note, seq, hash; from the ninth schema on: party */
#define COLUMNS "*"
#define PARTY 12

static void put64(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static void add_number(struct eg_sha256 *sum, int64_t value)
{
    uint8_t bytes[8];
    put64(bytes, (uint64_t)value);
    eg_sha256_add(sum, bytes, sizeof bytes);
}

static void add_text(struct eg_sha256 *sum, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    add_number(sum, (int64_t)length);
    eg_sha256_add(sum, text ? text : "", length);
}

void eg_history_link(struct eg_history *history, const struct eg_case_event *row)
{
    struct eg_sha256 sum;
    double value = row->value + 0.0; /* SQLite knows no negative zero */
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    eg_sha256_init(&sum);
    eg_sha256_add(&sum, history->hash, sizeof history->hash);
    history->seq++;
    add_number(&sum, history->seq);
    add_number(&sum, row->case_number);
    add_number(&sum, row->version);
    add_number(&sum, row->at_ms);
    add_number(&sum, row->known_ms);
    add_text(&sum, row->kind);
    add_text(&sum, row->actor);
    add_text(&sum, row->from);
    add_text(&sum, row->to);
    add_text(&sum, row->note);
    add_number(&sum, !isnan(row->value));
    if (!isnan(row->value))
        add_number(&sum, (int64_t)bits);
    if (row->party && *row->party)
        add_text(&sum, row->party);
    eg_sha256_end(&sum, history->hash);
}

void eg_history_write(const struct eg_history *history, uint8_t ret[EG_HISTORY_BYTES])
{
    put64(ret, (uint64_t)history->seq);
    memcpy(ret + 8, history->hash, sizeof history->hash);
}

static const char *text_at(sqlite3_stmt *sql, int column)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    return text ? text : "";
}

static struct eg_case_event event_at(sqlite3_stmt *sql)
{
    return (struct eg_case_event){
        .case_number = (uint32_t)sqlite3_column_int64(sql, 0),
        .version = (uint32_t)sqlite3_column_int64(sql, 1),
        .at_ms = sqlite3_column_int64(sql, 2),
        .known_ms = sqlite3_column_int64(sql, 3),
        .kind = text_at(sql, 4),
        .actor = text_at(sql, 5),
        .from = text_at(sql, 6),
        .to = text_at(sql, 7),
        .value = sqlite3_column_type(sql, 8) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(sql, 8),
        .note = text_at(sql, 9),
        .party = sqlite3_column_count(sql) > PARTY ? text_at(sql, PARTY) : ""};
}

/* False: the hash is none. */
static bool head_at(sqlite3_stmt *sql, int seq, int hash, struct eg_history *ret)
{
    const void *bytes = sqlite3_column_blob(sql, hash);
    if (!bytes || sqlite3_column_bytes(sql, hash) != EG_SHA256_BYTES)
        return false;
    ret->seq = sqlite3_column_int64(sql, seq);
    memcpy(ret->hash, bytes, EG_SHA256_BYTES);
    return true;
}

int eg_history_load(sqlite3 *db, struct eg_history *ret, struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    struct eg_history last = {0};
    int code =
        sqlite3_prepare_v2(db, "SELECT seq,hash FROM case_event ORDER BY seq DESC LIMIT 1", -1, &sql, NULL);
    bool good = true;
    if (code == SQLITE_OK && (code = sqlite3_step(sql)) == SQLITE_ROW)
        good = head_at(sql, 0, 1, &last);
    sqlite3_finalize(sql);
    if ((code != SQLITE_ROW && code != SQLITE_DONE) || !good)
        return eg_err_set(err, (code & 0xff) == SQLITE_CORRUPT || !good ? EG_ECORRUPT : EG_EIO,
                          "the end of the cases' history cannot be read: %s",
                          good ? sqlite3_errstr(code) : "its hash is none");
    *ret = last;
    return EG_OK;
}

/* --- all of it anew --- */

static int save_head(sqlite3 *db, const struct eg_history *history)
{
    sqlite3_stmt *sql = NULL;
    uint8_t head[EG_HISTORY_BYTES];
    int code =
        sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO meta VALUES('" EG_HISTORY_KEY "',?1)", -1, &sql, NULL);
    eg_history_write(history, head);
    if (code == SQLITE_OK)
        sqlite3_bind_blob(sql, 1, head, sizeof head, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(sql) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
    sqlite3_finalize(sql);
    return code;
}

static int chain_all(sqlite3 *db)
{
    sqlite3_stmt *list = NULL, *set = NULL;
    struct eg_history history = {0};
    /* A sorter, not an index: the rows are all read before the first is written. */
    int code = sqlite3_prepare_v2(
        db, "SELECT " COLUMNS " FROM case_event ORDER BY +seq, +known_at, +case_number, +version", -1, &list,
        NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(
            db, "UPDATE case_event SET seq=?3, hash=?4 WHERE case_number=?1 AND version=?2", -1, &set, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(list)) == SQLITE_ROW) {
        struct eg_case_event row = event_at(list);
        eg_history_link(&history, &row);
        sqlite3_bind_int64(set, 1, row.case_number);
        sqlite3_bind_int64(set, 2, row.version);
        sqlite3_bind_int64(set, 3, history.seq);
        sqlite3_bind_blob(set, 4, history.hash, sizeof history.hash, SQLITE_STATIC);
        code = sqlite3_step(set) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
        sqlite3_reset(set);
    }
    sqlite3_finalize(list);
    sqlite3_finalize(set);
    return code == SQLITE_DONE ? save_head(db, &history) : code;
}

static void chain(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count, (void)values;
    if (chain_all(sqlite3_context_db_handle(context)) != SQLITE_OK)
        sqlite3_result_error(context, "the cases' history cannot be chained", -1);
}

int eg_history_register(sqlite3 *db)
{
    return sqlite3_create_function(db, "eg_history_chain", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, chain,
                                   NULL, NULL);
}

/* --- verify --- */

static void check_head(sqlite3 *db, const struct eg_history *last, struct eg_buf *findings)
{
    sqlite3_stmt *sql = NULL;
    uint8_t head[EG_HISTORY_BYTES];
    eg_history_write(last, head);
    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key='" EG_HISTORY_KEY "'", -1, &sql, NULL) !=
        SQLITE_OK)
        return;
    bool there = sqlite3_step(sql) == SQLITE_ROW;
    const void *kept = there ? sqlite3_column_blob(sql, 0) : NULL;
    if (there ? !kept || sqlite3_column_bytes(sql, 0) != EG_HISTORY_BYTES ||
                    memcmp(kept, head, sizeof head) != 0
              : last->seq != 0)
        eg_buf_printf(findings,
                      "the history of cases does not end where it was written to end: after event %lld "
                      "something was taken out or put in\n",
                      (long long)last->seq);
    sqlite3_finalize(sql);
}

void eg_history_check(sqlite3 *db, struct eg_buf *findings)
{
    sqlite3_stmt *sql = NULL;
    struct eg_history before = {0}, kept = {0};
    if (sqlite3_prepare_v2(db, "SELECT " COLUMNS " FROM case_event ORDER BY seq", -1, &sql, NULL) !=
        SQLITE_OK)
        return;
    while (sqlite3_step(sql) == SQLITE_ROW) {
        struct eg_case_event row = event_at(sql);
        if (!head_at(sql, 10, 11, &kept))
            kept = (struct eg_history){.seq = sqlite3_column_int64(sql, 10)};
        struct eg_history expected = before;
        eg_history_link(&expected, &row);
        if (kept.seq != expected.seq)
            eg_buf_printf(findings,
                          "the history of cases lacks what stood between event %lld and event %lld\n",
                          (long long)before.seq, (long long)kept.seq);
        else if (memcmp(kept.hash, expected.hash, sizeof kept.hash) != 0)
            eg_buf_printf(findings,
                          "case %u: event %u of its history was changed, or another put before it\n",
                          row.case_number, row.version);
        before = kept; /* from here on anew: each fault is told once */
    }
    sqlite3_finalize(sql);
    check_head(db, &before, findings);
}
