/* Cases and their history, as rows become structs and questions are answered (store.h). Refuses to know what they mean. Called by load.c
 * and, over the reader, by the API. */
#include <store/inside.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

const char eg_case_columns[] =
    "number,id,site,domain,device,rule,channel,quantity,series,rule_version,level,"
    "condition,handling,mode,opened_at,"
    "detected_at,closed_at,due_at,last_value,last_at,peak_value,peak_at,level_"
    "limit,lead,assignee,escalation,reopened,version,kind,began_at,until_at,missed,"
    "overdue,handed_on,fixer,repairer,follows,parent,clear_hours,within_since_at,faster,fix_missed_at";

static const char *text_at(sqlite3_stmt *sql, int column)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    return text ? text : "";
}

static int64_t time_at(sqlite3_stmt *sql, int column)
{
    return sqlite3_column_type(sql, column) == SQLITE_NULL ? EG_TIME_NONE : sqlite3_column_int64(sql, column);
}

static double value_at(sqlite3_stmt *sql, int column)
{
    return sqlite3_column_type(sql, column) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(sql, column);
}

static void copy_text(sqlite3_stmt *sql, int column, char *out, size_t size)
{
    snprintf(out, size, "%s", text_at(sql, column));
}

void eg_case_read(sqlite3_stmt *sql, struct eg_case *ret)
{
    memset(ret, 0, sizeof *ret);
    const char *quantity = text_at(sql, 7);
    int found = eg_quantity_find(quantity, strlen(quantity));
    ret->number = (uint32_t)sqlite3_column_int64(sql, 0);
    copy_text(sql, 1, ret->id, sizeof ret->id);
    copy_text(sql, 2, ret->site, sizeof ret->site);
    copy_text(sql, 3, ret->domain, sizeof ret->domain);
    copy_text(sql, 4, ret->device, sizeof ret->device);
    copy_text(sql, 5, ret->rule, sizeof ret->rule);
    copy_text(sql, 6, ret->channel, sizeof ret->channel);
    ret->quantity = (uint16_t)(found == EG_QUANTITY_NONE ? EG_QUANTITY_COUNT : found);
    ret->series = (uint32_t)sqlite3_column_int64(sql, 8);
    ret->rule_version = (uint64_t)sqlite3_column_int64(sql, 9);
    ret->level = (uint8_t)sqlite3_column_int(sql, 10);
    ret->condition = (uint8_t)sqlite3_column_int(sql, 11);
    ret->handling = (uint8_t)sqlite3_column_int(sql, 12);
    ret->mode = (uint8_t)sqlite3_column_int(sql, 13);
    ret->opened_ms = sqlite3_column_int64(sql, 14);
    ret->detected_ms = sqlite3_column_int64(sql, 15);
    ret->closed_ms = time_at(sql, 16);
    ret->due_ms = time_at(sql, 17);
    ret->last_value = value_at(sql, 18);
    ret->last_ms = time_at(sql, 19);
    ret->peak_value = value_at(sql, 20);
    ret->peak_ms = time_at(sql, 21);
    ret->limit = value_at(sql, 22);
    copy_text(sql, 23, ret->lead, sizeof ret->lead);
    copy_text(sql, 24, ret->assignee, sizeof ret->assignee);
    ret->escalation = (uint32_t)sqlite3_column_int64(sql, 25);
    ret->reopened = (uint32_t)sqlite3_column_int64(sql, 26);
    ret->version = (uint32_t)sqlite3_column_int64(sql, 27);
    ret->kind = (uint8_t)sqlite3_column_int(sql, 28);
    ret->began_ms = time_at(sql, 29);
    ret->until_ms = time_at(sql, 30);
    ret->missed = (uint32_t)sqlite3_column_int64(sql, 31);
    ret->overdue = sqlite3_column_int(sql, 32) != 0;
    ret->handed_on = sqlite3_column_int(sql, 33) != 0;
    copy_text(sql, 34, ret->fixer, sizeof ret->fixer);
    copy_text(sql, 35, ret->repairer, sizeof ret->repairer);
    ret->follows = (uint32_t)sqlite3_column_int64(sql, 36);
    ret->parent = (uint32_t)sqlite3_column_int64(sql, 37);
    ret->clear_hours = (uint32_t)sqlite3_column_int64(sql, 38);
    ret->within_since_ms = time_at(sql, 39);
    ret->faster = (uint32_t)sqlite3_column_int64(sql, 40);
    ret->fix_missed_ms = time_at(sql, 41);
}

static void case_where(const struct eg_case_query *query, struct eg_buf *out)
{
    eg_buf_printf(out, "SELECT %s FROM cases WHERE 1", eg_case_columns);
    if (query->site)
        eg_buf_text(out, " AND site=?1");
    if (query->sites) {
        eg_buf_text(out, " AND site IN (");
        for (size_t i = 0; i < query->site_count; i++)
            eg_buf_printf(out, "%s?%zu", i ? "," : "", i + 10);
        eg_buf_text(out, ")");
    }
    if (query->domain)
        eg_buf_text(out, " AND domain=?2");
    if (query->handling >= 0)
        eg_buf_printf(out, " AND handling=%d", query->handling);
    if (query->condition >= 0)
        eg_buf_printf(out, " AND condition=%d", query->condition);
    if (query->level >= 0)
        eg_buf_printf(out, " AND level=%d", query->level);
    if (query->open_only)
        eg_buf_text(out, " AND handling<5");
    if (query->parent)
        eg_buf_printf(out, " AND parent=%u", query->parent);
    if (query->follows)
        eg_buf_printf(out, " AND follows=%u", query->follows);
    if (query->since_ms != EG_TIME_NONE)
        eg_buf_text(out, " AND opened_at>=?3");
    if (query->below)
        eg_buf_text(out, " AND number<?4");
    eg_buf_text(out, " ORDER BY number DESC LIMIT ?5");
}

int eg_reader_cases(struct eg_reader *reader, const struct eg_case_query *query,
                    bool (*each)(void *arg, const struct eg_case *row), void *arg, struct eg_err *err)
{
    struct eg_buf text;
    sqlite3_stmt *sql = NULL;
    eg_buf_init(&text, (size_t)1024 * 1024);
    case_where(query, &text);
    int code = text.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(reader->db, text.data, -1, &sql, NULL);
    eg_buf_finish(&text);
    if (code == SQLITE_OK) {
        if (query->site)
            sqlite3_bind_text(sql, 1, query->site, -1, SQLITE_STATIC);
        if (query->domain)
            sqlite3_bind_text(sql, 2, query->domain, -1, SQLITE_STATIC);
        if (query->since_ms != EG_TIME_NONE)
            sqlite3_bind_int64(sql, 3, query->since_ms);
        if (query->below)
            sqlite3_bind_int64(sql, 4, query->below);
        sqlite3_bind_int64(sql, 5, query->limit ? (int64_t)query->limit : -1);
        for (size_t i = 0; query->sites && i < query->site_count; i++)
            sqlite3_bind_text(sql, (int)i + 10, query->sites[i], -1, SQLITE_STATIC);
    }
    bool go_on = code == SQLITE_OK;
    while (go_on && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        struct eg_case row;
        eg_case_read(sql, &row);
        go_on = each(arg, &row);
    }
    int result =
        code == SQLITE_ROW || code == SQLITE_DONE ? EG_OK : eg_sql_error(reader->db, err, "reading cases");
    sqlite3_finalize(sql);
    return result;
}

int eg_reader_case(struct eg_reader *reader, const char *id, struct eg_case *ret, struct eg_err *err)
{
    char query[1024];
    sqlite3_stmt *sql = NULL;
    bool number = *id && strspn(id, "0123456789") == strlen(id);
    sqlite3_snprintf(sizeof query, query, "SELECT %s FROM cases WHERE %s=?1", eg_case_columns,
                     number ? "number" : "id");
    int code = sqlite3_prepare_v2(reader->db, query, -1, &sql, NULL), result;
    if (code == SQLITE_OK) {
        sqlite3_bind_text(sql, 1, id, -1, SQLITE_STATIC);
        code = sqlite3_step(sql);
    }
    if (code == SQLITE_ROW) {
        eg_case_read(sql, ret);
        result = EG_OK;
    } else if (code == SQLITE_DONE) {
        result = eg_err_set(err, EG_ENOTFOUND, "there is no case '%.100s'", id);
    } else {
        result = eg_sql_error(reader->db, err, "reading a case");
    }
    sqlite3_finalize(sql);
    return result;
}

bool eg_reader_former(void *user, const char *rule, uint32_t series, const char *site, struct eg_case *ret)
{
    struct eg_reader *reader = user;
    char query[1024];
    sqlite3_stmt *sql = NULL;
    sqlite3_snprintf(sizeof query, query,
                     "SELECT %s FROM cases WHERE series=?1 AND rule=?2 AND kind IN (0,2) AND handling>=5 AND "
                     "(series<>0 OR site=?3) ORDER BY "
                     "number DESC LIMIT 1",
                     eg_case_columns);
    bool found = sqlite3_prepare_v2(reader->db, query, -1, &sql, NULL) == SQLITE_OK;
    if (found) {
        sqlite3_bind_int64(sql, 1, series);
        sqlite3_bind_text(sql, 2, rule, -1, SQLITE_STATIC);
        sqlite3_bind_text(sql, 3, site, -1, SQLITE_STATIC);
        found = sqlite3_step(sql) == SQLITE_ROW;
    }
    if (found)
        eg_case_read(sql, ret);
    sqlite3_finalize(sql);
    return found;
}

int eg_reader_case_events(struct eg_reader *reader, uint32_t number,
                          bool (*each)(void *arg, const struct eg_case_event *event), void *arg,
                          struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code =
        sqlite3_prepare_v2(reader->db,
                           "SELECT version,at,known_at,kind,actor,was,became,value,note,party FROM case_event"
                           " WHERE case_number=? ORDER BY version",
                           -1, &sql, NULL);
    if (code == SQLITE_OK)
        sqlite3_bind_int64(sql, 1, number);
    bool go_on = code == SQLITE_OK;
    while (go_on && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        struct eg_case_event row = {.case_number = number,
                                    .version = (uint32_t)sqlite3_column_int64(sql, 0),
                                    .at_ms = sqlite3_column_int64(sql, 1),
                                    .known_ms = sqlite3_column_int64(sql, 2),
                                    .kind = text_at(sql, 3),
                                    .actor = text_at(sql, 4),
                                    .from = text_at(sql, 5),
                                    .to = text_at(sql, 6),
                                    .note = text_at(sql, 8),
                                    .party = text_at(sql, 9)};
        row.value = sqlite3_column_type(sql, 7) == SQLITE_NULL ? NAN : sqlite3_column_double(sql, 7);
        go_on = each(arg, &row);
    }
    int result = code == SQLITE_ROW || code == SQLITE_DONE
                     ? EG_OK
                     : eg_sql_error(reader->db, err, "reading a case's history");
    sqlite3_finalize(sql);
    return result;
}

int eg_reader_evidence(struct eg_reader *reader, uint32_t number,
                       bool (*each)(void *arg, const struct eg_row_evidence *row), void *arg,
                       struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(
        reader->db, "SELECT series,why,since FROM evidence WHERE case_number=? ORDER BY id", -1, &sql, NULL);
    if (code == SQLITE_OK)
        sqlite3_bind_int64(sql, 1, number);
    bool go_on = code == SQLITE_OK;
    while (go_on && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        struct eg_row_evidence row = {.case_number = number,
                                      .series = (uint32_t)sqlite3_column_int64(sql, 0),
                                      .since_ms = sqlite3_column_int64(sql, 2)};
        while (row.why < EG_EVIDENCE_COUNT && strcmp(eg_evidence_name(row.why), text_at(sql, 1)) != 0)
            row.why++;
        go_on = row.why == EG_EVIDENCE_COUNT || each(arg, &row);
    }
    int result = code == SQLITE_ROW || code == SQLITE_DONE
                     ? EG_OK
                     : eg_sql_error(reader->db, err, "reading a case's evidence");
    sqlite3_finalize(sql);
    return result;
}

int eg_reader_kpi(struct eg_reader *reader, int64_t from_ms, int64_t to_ms, size_t limit,
                  bool (*each)(void *arg, const struct eg_kpi_row *row), void *arg, struct eg_err *err)
{
    static const char query[] =
        /* what was told on a clock in doubt, by the time that was known later */
        "WITH t AS (SELECT case_number, kind, known_at+ifnull((SELECT shift FROM clock WHERE known_at "
        "BETWEEN "
        "since AND until LIMIT 1),0) AS known_at FROM case_event),"
        "e AS (SELECT case_number n, min(iif(kind IN "
        "('acknowledged','assigned','started','fixed'),known_at,"
        "NULL)) taken, min(iif(kind='fixed',known_at,NULL)) fixed, min(iif(kind='verified',known_at,NULL)) "
        "verified, sum(kind='missed') missed, sum(kind='disputed') disputed FROM t GROUP BY "
        "case_number)"
        " SELECT "
        "site,domain,lead,assignee,repairer,handling,mode,detected_at,follows,taken,fixed,verified,e.missed,"
        "disputed,reopened,EXISTS(SELECT 1 FROM case_event v WHERE v.case_number=c.number AND "
        "v.kind='verified' "
        "AND v.actor=(SELECT f.actor FROM case_event f WHERE f.case_number=c.number AND f.kind='fixed' AND "
        "f.version<v.version ORDER BY f.version DESC LIMIT 1)) FROM cases c JOIN e ON e.n=c.number WHERE "
        "c.kind NOT IN (3,4,6) AND detected_at>=?1 "
        "AND "
        "detected_at<?2 ORDER BY number DESC LIMIT ?3";
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(reader->db, query, -1, &sql, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(sql, 1, from_ms);
        sqlite3_bind_int64(sql, 2, to_ms);
        sqlite3_bind_int64(sql, 3, (int64_t)limit);
    }
    bool go_on = code == SQLITE_OK;
    while (go_on && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        const struct eg_kpi_row row = {.site = text_at(sql, 0),
                                       .domain = text_at(sql, 1),
                                       .lead = text_at(sql, 2),
                                       .assignee = text_at(sql, 3),
                                       .repairer = text_at(sql, 4),
                                       .handling = sqlite3_column_int(sql, 5),
                                       .mode = sqlite3_column_int(sql, 6),
                                       .detected_ms = sqlite3_column_int64(sql, 7),
                                       .follows = sqlite3_column_int64(sql, 8) != 0,
                                       .taken_ms = time_at(sql, 9),
                                       .fixed_ms = time_at(sql, 10),
                                       .verified_ms = time_at(sql, 11),
                                       .missed = (unsigned)sqlite3_column_int64(sql, 12),
                                       .disputed = (unsigned)sqlite3_column_int64(sql, 13),
                                       .reopened = (unsigned)sqlite3_column_int64(sql, 14),
                                       .same_hand = sqlite3_column_int(sql, 15) != 0};
        go_on = each(arg, &row);
    }
    int result = code == SQLITE_ROW || code == SQLITE_DONE
                     ? EG_OK
                     : eg_sql_error(reader->db, err, "reading the figures of cases");
    sqlite3_finalize(sql);
    return result;
}
