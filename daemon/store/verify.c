/* ecogovd --verify: is the file what we wrote? Knows what must hold between the tables; mends nothing. */
#include <store/backup.h>
#include <store/inside.h>
#include <store/proof.h>
#include <store/schema.h>

#include <stdlib.h>

static const struct {
    const char *query, *sentence; /* rows the query gives are findings */
} rules[] = {
    {"SELECT id FROM series WHERE device NOT IN (SELECT id FROM device)", "series %s belongs to no device"},
    {"SELECT series FROM (SELECT series FROM chunk UNION SELECT series FROM young) WHERE series NOT IN "
     "(SELECT id FROM series)",
     "chunks of a series %s that is not there"},
    {"SELECT series FROM overlap o WHERE NOT EXISTS (SELECT 1 FROM chunk c WHERE c.id=o.chunk AND "
     "c.series=o.series AND c.t_first=o.t_first AND c.t_last=o.t_last)",
     "the list of chunks across others names one of series %s that is not there"},
    {"SELECT DISTINCT series FROM (SELECT c.series, level, c.t_first, lag(c.t_last) OVER (PARTITION BY "
     "c.series, level ORDER BY c.t_first) AS before FROM chunk c LEFT JOIN overlap o ON o.chunk=c.id) WHERE "
     "before>=t_first AND level IS NOT 8",
     "chunks of series %s lie across others and are not listed: questions may not find them"},
    {"SELECT DISTINCT series FROM rollup WHERE series NOT IN (SELECT id FROM series)",
     "rollups of a series %s that is not there"},
    {"SELECT DISTINCT series FROM bucket WHERE series NOT IN (SELECT id FROM series)",
     "folded rollups of a series %s that is not there"},
    {"SELECT DISTINCT series FROM calibration WHERE series NOT IN (SELECT id FROM series)",
     "a calibration of a series %s that is not there"},
    {"SELECT series FROM finding WHERE series NOT IN (SELECT id FROM series)",
     "a finding about a series %s that is not there"},
    {"SELECT DISTINCT device FROM device_event WHERE device NOT IN (SELECT id FROM device)",
     "something that was done with a device %s that is not there"},
    {"SELECT series FROM series_last WHERE series NOT IN (SELECT id FROM series)",
     "the newest reading of a series %s that is not there"},
    {"SELECT DISTINCT case_number FROM case_event WHERE case_number NOT IN (SELECT number FROM cases)",
     "the history of a case %s that is not there"},
    {"SELECT DISTINCT case_number FROM evidence WHERE case_number NOT IN (SELECT number FROM cases)",
     "evidence of a case %s that is not there"},
    {"SELECT DISTINCT series FROM evidence WHERE series NOT IN (SELECT id FROM series)",
     "evidence of a series %s that is not there"},
    {"SELECT seq FROM turn WHERE received<>decoded+duplicate+quarantined+ignored",
     "turn %s: the messages do not add up"},
    {"SELECT seq FROM turn WHERE r_decoded<>r_stored+r_duplicate+r_rejected",
     "turn %s: the readings do not add up"},
    {"SELECT a.seq FROM turn a JOIN turn b ON b.seq=(SELECT min(seq) FROM turn WHERE seq>a.seq)"
     " WHERE b.received<a.received OR b.r_stored<a.r_stored",
     "counters fall after turn %s"},
    {"SELECT newest FROM (SELECT max(seq) newest, count(*) n, sealed FROM turn,"
     " (SELECT ifnull(max(value),0) sealed FROM meta WHERE key='sealed_seq') WHERE seq>sealed) WHERE "
     "n<>newest-sealed",
     "turns that were not sealed are missing before turn %s"},
    {"SELECT id FROM cases c WHERE version<>(SELECT count(*) FROM case_event e WHERE e.case_number=c.number)",
     "case %s: its history does not hold as many events as it has versions"},
    {"SELECT rule||' of series '||series FROM rule_state WHERE case_number<>0 AND case_number NOT IN"
     " (SELECT number FROM cases WHERE handling<5)",
     "rule %s holds a case that is not active"},
};

static bool count_reading(void *arg, const struct eg_row_reading *row)
{
    *(int64_t *)arg += !(row->flags & EG_FLAG_REQUALIFIED); /* that one was counted when it came */
    return true;
}

static void no_ident(void *arg, uint16_t mid, uint32_t hash)
{
    (void)arg;
    (void)mid;
    (void)hash;
}

/* What a turn's blobs hold, and whether its counters grew by that. */
static void check_turns(sqlite3 *db, struct eg_buf *findings)
{
    sqlite3_stmt *sql = NULL;
    int64_t seq_before = -1, stored_before = 0;
    if (sqlite3_prepare_v2(db,
                           "SELECT seq,at,readings,idents,r_stored, readings IS NULL AND seq<=ifnull((SELECT "
                           "value FROM meta WHERE key='sealed_seq'),0) FROM turn ORDER BY seq",
                           -1, &sql, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(sql) == SQLITE_ROW) {
        const uint8_t *readings = sqlite3_column_blob(sql, 2), *idents = sqlite3_column_blob(sql, 3);
        int64_t seq = sqlite3_column_int64(sql, 0), stored = sqlite3_column_int64(sql, 4), held = 0;
        if ((readings && eg_pack_each_reading(readings, (size_t)sqlite3_column_bytes(sql, 2),
                                              sqlite3_column_int64(sql, 1), count_reading, &held) != EG_OK) ||
            (idents &&
             eg_pack_each_ident(idents, (size_t)sqlite3_column_bytes(sql, 3), no_ident, NULL) != EG_OK))
            eg_buf_printf(findings, "turn %lld of the journal is damaged\n", (long long)seq);
        else if (!sqlite3_column_int(sql, 5) && seq == seq_before + 1 && held != stored - stored_before)
            eg_buf_printf(findings, "turn %lld holds %lld readings and counts %lld\n", (long long)seq,
                          (long long)held, (long long)(stored - stored_before));
        seq_before = seq;
        stored_before = stored;
    }
    sqlite3_finalize(sql);
}

static void check_chunks(sqlite3 *db, struct eg_buf *findings)
{
    sqlite3_stmt *sql = NULL;
    struct eg_point *points = malloc(EG_CHUNK_POINTS * sizeof *points);
    size_t count = 0;
    if (points && sqlite3_prepare_v2(db,
                                     "SELECT series,t_first,t_last,n,body FROM chunk UNION ALL SELECT "
                                     "series,t_first,t_last,n,body FROM young",
                                     -1, &sql, NULL) == SQLITE_OK)
        while (sqlite3_step(sql) == SQLITE_ROW) {
            const uint8_t *body = sqlite3_column_blob(sql, 4);
            bool ok =
                eg_pack_chunk_points(body, (size_t)sqlite3_column_bytes(sql, 4), points, &count) == EG_OK;
            if (!ok || !count || (int64_t)count != sqlite3_column_int64(sql, 3) ||
                points[0].time_ms != sqlite3_column_int64(sql, 1) ||
                points[count - 1].time_ms != sqlite3_column_int64(sql, 2))
                eg_buf_printf(findings, "the chunk of series %lld from %lld on is damaged\n",
                              (long long)sqlite3_column_int64(sql, 0),
                              (long long)sqlite3_column_int64(sql, 1));
        }
    sqlite3_finalize(sql);
    free(points);
}

static void check_buckets(sqlite3 *db, struct eg_buf *findings)
{
    sqlite3_stmt *sql = NULL;
    struct eg_rollup *rows = malloc(EG_BUCKETS_MAX * sizeof *rows);
    int64_t series_before = 0, period_before = 0, last_before = 0;
    if (rows &&
        sqlite3_prepare_v2(
            db, "SELECT series,period,t_first,t_last,n,body FROM bucket ORDER BY series,period,t_first", -1,
            &sql, NULL) == SQLITE_OK)
        while (sqlite3_step(sql) == SQLITE_ROW) {
            int64_t series = sqlite3_column_int64(sql, 0), period = sqlite3_column_int64(sql, 1),
                    first = sqlite3_column_int64(sql, 2), last = sqlite3_column_int64(sql, 3);
            size_t count = 0;
            const char *kind = period == EG_PERIOD_HOUR ? "hours" : "days";
            if (eg_buckets_unpack(sqlite3_column_blob(sql, 5), (size_t)sqlite3_column_bytes(sql, 5), rows,
                                  &count) != EG_OK ||
                (int64_t)count != sqlite3_column_int64(sql, 4) || rows[0].start_ms != first ||
                rows[count - 1].start_ms != last)
                eg_buf_printf(findings, "the %s of series %lld from %lld on are damaged\n", kind,
                              (long long)series, (long long)first);
            else if (series == series_before && period == period_before && first <= last_before)
                eg_buf_printf(findings, "the %s of series %lld from %lld on lie in two chunks\n", kind,
                              (long long)series, (long long)first);
            series_before = series;
            period_before = period;
            last_before = last;
        }
    sqlite3_finalize(sql);
    free(rows);
}

static int each_text(sqlite3 *db, const char *query, const char *sentence, struct eg_buf *findings)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(db, query, -1, &sql, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(sql);
        const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(sql, 0) : NULL;
        char *line = text ? sqlite3_mprintf(sentence, text) : NULL;
        if (line)
            eg_buf_printf(findings, "%s\n", line);
        sqlite3_free(line);
    }
    sqlite3_finalize(sql);
    return code == SQLITE_DONE ? EG_OK : EG_EIO;
}

/* A store that no daemon of this version has opened yet lacks tables and columns. */
static bool has_what_it_asks(sqlite3 *db, const char *query)
{
    sqlite3_stmt *sql = NULL;
    const int code = sqlite3_prepare_v2(db, query, -1, &sql, NULL);
    sqlite3_finalize(sql);
    return code != SQLITE_ERROR;
}

/* Also interrupts a statement that runs long, as the structure check of a big file does. */
static int asked_to_stop(void *user)
{
    const atomic_bool *stop = user;
    return stop && atomic_load(stop);
}

/* Evidence is never taken back: there is as much as was counted. */
static void check_evidence(sqlite3 *db, struct eg_buf *findings)
{
    int64_t counted = eg_meta_get(db, EG_EVIDENCE_KEY, -1), there = counted;
    if (counted >= 0)
        there = eg_sql_number(db, "SELECT count(*) FROM evidence", counted);
    if (there != counted)
        eg_buf_printf(findings, "%lld entries say what cases stand on, and %lld were written\n",
                      (long long)there, (long long)counted);
}

static int verify(sqlite3 *db, struct eg_buf *findings, struct eg_err *err)
{
    int code = each_text(db, "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check<>'ok'",
                         "%s", findings);
    const bool older = eg_sql_number(db, "PRAGMA user_version", EG_SCHEMA_VERSION) < EG_SCHEMA_VERSION;
    for (size_t i = 0; code == EG_OK && i < sizeof rules / sizeof *rules; i++)
        if (!older || has_what_it_asks(db, rules[i].query))
            code = each_text(db, rules[i].query, rules[i].sentence, findings);
    if (code != EG_OK) {
        eg_sql_error(db, err, "checking the store");
        return code;
    }
    check_turns(db, findings);
    check_chunks(db, findings);
    check_buckets(db, findings);
    eg_history_check(db, findings);
    eg_proof_check(db, findings);
    check_evidence(db, findings);
    return EG_OK;
}

int eg_store_verify_until(const char *path, const atomic_bool *stop, struct eg_buf *findings,
                          struct eg_err *err)
{
    sqlite3 *db = NULL;
    int code = eg_sql_open(path, false, &db, err);
    if (code != EG_OK)
        return code;
    sqlite3_progress_handler(db, stop ? 10000 : 0, asked_to_stop, (void *)(uintptr_t)stop);
    code = verify(db, findings, err);
    if (stop && atomic_load(stop))
        code = eg_err_set(err, EG_EBUSY, "the check of %.300s was broken off", path);
    sqlite3_close(db);
    return code;
}

int eg_store_verify(const char *path, struct eg_buf *findings, struct eg_err *err)
{
    return eg_store_verify_until(path, NULL, findings, err);
}
