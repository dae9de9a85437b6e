/* Makes the rows of a salvaged database agree: no gaps in ids, each case with its whole row of entries, each reading once, counters that
 * count what is there. Knows what verify.c and load.c ask for; refuses to know where the rows came from. Called by mend.c. */
#include <store/agree.h>
#include <store/inside.h>
#include <store/proof.h>

#include <stdlib.h>
#include <string.h>

struct agree {
    sqlite3 *db;
    struct eg_point *points;     /* [EG_CHUNK_POINTS] */
    sqlite3_stmt *cover;         /* chunks that hold a time */
    struct eg_row_reading *kept; /* of the turn being looked at */
    size_t kept_count, kept_capacity;
    int64_t turn_seq;
    uint32_t last_series;
    int code;
};

/* Ids have no gaps: who is lost is stood in for, so that those behind keep theirs. An id far beyond the number of rows is damage. */
static const char people[] =
    "DELETE FROM device WHERE id>2*(SELECT count(*) FROM device)+1000;"
    "DELETE FROM series WHERE id>2*(SELECT count(*) FROM series)+1000;"
    "DELETE FROM series WHERE device<1 OR device>(SELECT ifnull(max(id),0)+100 FROM device);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<(SELECT max(ifnull((SELECT max(id) "
    "FROM"
    " device),0), ifnull((SELECT max(device) FROM series),0))))"
    "INSERT INTO device(id,site,domain,device,registered_at,interval) SELECT "
    "i,'lost','lost','device-'||i,0,0 FROM n WHERE i NOT IN (SELECT id FROM "
    "device) AND"
    " EXISTS (SELECT 1 FROM series);"
    "CREATE TEMP TABLE whose(id INTEGER PRIMARY KEY); INSERT INTO whose SELECT id FROM series;"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<(SELECT max(id) FROM series))"
    "INSERT INTO series SELECT i,1,(SELECT quantity FROM series LIMIT 1),'lost-'||i FROM n WHERE i NOT IN"
    " (SELECT id FROM series) AND EXISTS (SELECT 1 FROM series);"
    "DELETE FROM chunk WHERE series NOT IN (SELECT id FROM whose);"
    "DELETE FROM rollup WHERE series NOT IN (SELECT id FROM whose);"
    "DELETE FROM bucket WHERE series NOT IN (SELECT id FROM whose);"
    "DELETE FROM rule_state WHERE series NOT IN (SELECT id FROM whose);";

/* Each version of a case has its entry; a rule and its active case name each other. */
static const char matters[] =
    "DROP TRIGGER case_event_remains; DROP TRIGGER case_event_stays; DROP INDEX case_event_order;"
    "DELETE FROM case_event WHERE version<1 OR case_number<1 OR case_number>2*(SELECT count(*) FROM "
    "case_event)+1000;"
    /* A number is not given twice: the outbox knows it, and people do. */
    "CREATE TEMP TABLE named AS SELECT CAST(substr(k,length(rtrim(k,'0123456789'))+1) AS INTEGER) number FROM"
    " (SELECT rtrim(rtrim(key,'0123456789'),'/') k FROM outbox) UNION SELECT case_number FROM case_event;"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<(SELECT max(ifnull((SELECT "
    "max(number) FROM"
    " cases),0), ifnull((SELECT max(number) FROM named WHERE number<=2*(SELECT count(*) FROM "
    "named)+1000),0))))"
    "INSERT INTO cases(" EG_CASE_COLUMNS_8
    ") SELECT i,'lost-'||i,'lost','lost','lost','lost','',ifnull((SELECT quantity FROM "
    "series LIMIT 1),"
    "'pm25'),0,0,1,2,5,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,'','',0,0,1 FROM n WHERE i NOT IN (SELECT "
    "number FROM cases) AND"
    " EXISTS (SELECT 1 FROM named UNION SELECT 1 FROM cases);"
    "UPDATE cases SET began_at=detected_at WHERE began_at IS NULL;"
    "UPDATE cases SET version=(SELECT max(e.version) FROM case_event e WHERE e.case_number=number) WHERE"
    " version<(SELECT max(e.version) FROM case_event e WHERE e.case_number=number);"
    "WITH RECURSIVE v(c,i) AS (SELECT number,1 FROM cases UNION ALL SELECT c,i+1 FROM v WHERE i<(SELECT "
    "version FROM"
    " cases WHERE number=c))"
    "INSERT OR IGNORE INTO "
    "case_event(case_number,version,at,known_at,kind,actor,was,became,value,note,seq,hash) SELECT "
    "c,i,detected_at,detected_at,'lost','ecogovd','','',NULL,'this "
    "entry could not"
    " be read from a damaged database',-1000000000-c*100000-i,x'' FROM v JOIN cases ON number=c"
    " WHERE NOT EXISTS (SELECT 1 FROM case_event e WHERE e.case_number=c AND e.version=i);"
    "SELECT eg_history_chain();"
    "CREATE UNIQUE INDEX case_event_order ON case_event(seq);"
    "CREATE TRIGGER case_event_stays BEFORE UPDATE ON case_event BEGIN SELECT RAISE(ABORT, 'the history is "
    "append-only'); END;"
    "CREATE TRIGGER case_event_remains BEFORE DELETE ON case_event BEGIN SELECT RAISE(ABORT, 'the history is "
    "append-only'); END;"
    "DELETE FROM calibration WHERE series NOT IN (SELECT id FROM series);"
    "INSERT OR REPLACE INTO meta SELECT '" EG_PROOF_BELIEVED_KEY "', ifnull(max(seq),0) FROM case_event;"
    "DROP TRIGGER evidence_remains;"
    "DELETE FROM evidence WHERE series NOT IN (SELECT id FROM series) OR case_number NOT IN (SELECT number "
    "FROM "
    "cases);"
    "CREATE TRIGGER evidence_remains BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is not "
    "taken "
    "back'); END;"
    "INSERT OR REPLACE INTO meta SELECT '" EG_EVIDENCE_KEY "', count(*) FROM evidence;"
    "DELETE FROM rule_state WHERE case_number<>0 AND case_number NOT IN (SELECT number FROM cases WHERE "
    "handling<5 AND"
    " rule=rule_state.rule AND series=rule_state.series);"
    "INSERT OR REPLACE INTO rule_state(rule,series,level,case_number) SELECT rule,series,level,number FROM "
    "cases WHERE"
    " handling<5 AND series IN (SELECT id FROM series) AND number NOT IN (SELECT case_number FROM "
    "rule_state);";

/* Whether a chunk holds this time already, from this turn or a later one: then the turn was sealed. */
static bool lies_sealed(struct agree *agree, const struct eg_row_reading *row)
{
    bool found = false;
    sqlite3_bind_int64(agree->cover, 1, row->series);
    sqlite3_bind_int64(agree->cover, 2, row->time_ms);
    sqlite3_bind_int64(agree->cover, 3, agree->turn_seq);
    while (!found && sqlite3_step(agree->cover) == SQLITE_ROW) {
        size_t count = 0;
        if (eg_pack_chunk_points(sqlite3_column_blob(agree->cover, 0),
                                 (size_t)sqlite3_column_bytes(agree->cover, 0), agree->points,
                                 &count) == EG_OK)
            for (size_t i = 0; i < count && !found; i++)
                found = agree->points[i].time_ms == row->time_ms;
    }
    sqlite3_reset(agree->cover);
    return found;
}

static bool keep(void *arg, const struct eg_row_reading *row)
{
    struct agree *agree = arg;
    if (!row->series || row->series > agree->last_series || lies_sealed(agree, row))
        return true;
    if (agree->kept_count == agree->kept_capacity) {
        size_t more = agree->kept_capacity ? 2 * agree->kept_capacity : 1024;
        struct eg_row_reading *grown = realloc(agree->kept, more * sizeof *grown);
        if (!grown) {
            agree->code = SQLITE_NOMEM;
            return false;
        }
        agree->kept = grown;
        agree->kept_capacity = more;
    }
    agree->kept[agree->kept_count] = *row;
    agree->kept[agree->kept_count++].flags &= (uint16_t)~EG_FLAG_REQUALIFIED; /* counted like any other */
    return true;
}

/* A turn with the readings that lie nowhere else, behind all chunks, and with counters that count what is there. */
static int put_turn(struct agree *agree, sqlite3_stmt *from, sqlite3_stmt *into, int64_t seq, int64_t stored)
{
    struct eg_buf blob;
    int code = SQLITE_OK;
    eg_buf_init(&blob, (size_t)256 * 1024 * 1024);
    if (agree->kept_count &&
        !eg_pack_readings(&blob, agree->kept, agree->kept_count, sqlite3_column_int64(from, 1)))
        code = SQLITE_NOMEM;
    sqlite3_bind_int64(into, 1, seq);
    for (int i = 1; i < 12; i++)
        sqlite3_bind_int64(into, i + 1, sqlite3_column_int64(from, i));
    sqlite3_bind_int64(into, 8, stored + sqlite3_column_int64(from, 9) + sqlite3_column_int64(from, 10));
    sqlite3_bind_int64(into, 9, stored);
    sqlite3_bind_int64(into, 12, 0);
    sqlite3_bind_value(into, 13, sqlite3_column_value(from, 12));
    if (agree->kept_count)
        sqlite3_bind_blob64(into, 14, blob.data, blob.length, SQLITE_STATIC);
    else
        sqlite3_bind_null(into, 14);
    if (code == SQLITE_OK && (code = sqlite3_step(into)) == SQLITE_DONE)
        code = SQLITE_OK;
    sqlite3_reset(into);
    eg_buf_finish(&blob);
    return code;
}

static int put_turns(struct agree *agree, int64_t *ret_stored)
{
    sqlite3_stmt *from = NULL, *into = NULL;
    int64_t seq = eg_sql_number(agree->db, "SELECT ifnull(max(seq),0) FROM chunk", 0),
            stored = eg_sql_number(agree->db, "SELECT ifnull(sum(n),0) FROM chunk", 0);
    char meta[256];
    sqlite3_snprintf(sizeof meta, meta, "INSERT INTO meta VALUES('sealed_seq',%lld),('sealed_stored',%lld)",
                     (long long)seq, (long long)stored);
    agree->last_series = (uint32_t)eg_sql_number(agree->db, "SELECT ifnull(max(id),0) FROM series", 0);
    /* Counters only grow: a row that breaks that is damaged. */
    int code = sqlite3_exec(agree->db,
                            "CREATE TEMP TABLE was AS SELECT * FROM turn a WHERE NOT EXISTS (SELECT 1 FROM "
                            "turn b WHERE b.seq=(SELECT"
                            " max(seq) FROM turn WHERE seq<a.seq) AND (b.received>a.received OR "
                            "b.r_stored>a.r_stored)) ORDER BY seq;"
                            "DELETE FROM turn",
                            NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(agree->db, meta, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(agree->db, "SELECT * FROM was ORDER BY seq", -1, &from, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(agree->db, "INSERT INTO turn VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", -1,
                                  &into, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(agree->db,
                                  "SELECT body FROM chunk WHERE series=?1 AND t_first<=?2 AND t_last>=?2 AND"
                                  " seq>=?3",
                                  -1, &agree->cover, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(from)) == SQLITE_ROW) {
        const uint8_t *blob = sqlite3_column_blob(from, 13);
        agree->turn_seq = sqlite3_column_int64(from, 0);
        agree->kept_count = 0;
        if (blob)
            eg_pack_each_reading(blob, (size_t)sqlite3_column_bytes(from, 13), sqlite3_column_int64(from, 1),
                                 keep, agree);
        stored += (int64_t)agree->kept_count;
        code = agree->code == SQLITE_OK ? put_turn(agree, from, into, ++seq, stored) : agree->code;
    }
    sqlite3_finalize(from);
    sqlite3_finalize(into);
    sqlite3_finalize(agree->cover);
    *ret_stored = stored;
    if (code == SQLITE_DONE && stored && !eg_sql_number(agree->db, "SELECT count(*) FROM turn", 0)) {
        sqlite3_snprintf(sizeof meta, meta,
                         "INSERT INTO turn VALUES(%lld,0,0,0,0,0,0,%lld,%lld,0,0,0,NULL,NULL)",
                         (long long)seq + 1, (long long)stored, (long long)stored);
        return sqlite3_exec(agree->db, meta, NULL, NULL, NULL);
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* The newest sealed reading of each series, out of its last chunk. */
static int put_last(struct agree *agree)
{
    sqlite3_stmt *from = NULL, *into = NULL;
    int code = sqlite3_prepare_v2(
        agree->db,
        "SELECT series,body FROM chunk c WHERE t_last=(SELECT max(t_last) FROM chunk WHERE series=c.series)"
        " ORDER BY series,seq",
        -1, &from, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(agree->db, "INSERT OR REPLACE INTO series_last VALUES(?,?,?,?)", -1, &into,
                                  NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(from)) == SQLITE_ROW) {
        size_t count = 0;
        code = SQLITE_OK;
        if (eg_pack_chunk_points(sqlite3_column_blob(from, 1), (size_t)sqlite3_column_bytes(from, 1),
                                 agree->points, &count) != EG_OK ||
            !count)
            continue;
        const struct eg_point *last = &agree->points[count - 1];
        sqlite3_bind_int64(into, 1, sqlite3_column_int64(from, 0));
        sqlite3_bind_int64(into, 2, last->time_ms);
        sqlite3_bind_double(into, 3, last->value);
        sqlite3_bind_int(into, 4, last->flags);
        code = sqlite3_step(into) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
        sqlite3_reset(into);
    }
    sqlite3_finalize(from);
    sqlite3_finalize(into);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int eg_agree_make(sqlite3 *db, int64_t *ret_stored)
{
    struct agree agree = {.db = db, .points = malloc(EG_CHUNK_POINTS * sizeof *agree.points)};
    int code = agree.points ? sqlite3_exec(db, people, NULL, NULL, NULL) : SQLITE_NOMEM;
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, matters, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = put_turns(&agree, ret_stored);
    if (code == SQLITE_OK)
        code = put_last(&agree);
    free(agree.points);
    free(agree.kept);
    return code;
}
