/* Migrations: the only place with CREATE TABLE. A released step is never changed; a new one is added behind it. */
#include <store/history.h>
#include <store/proof.h>
#include <store/schema.h>
#include <store/views.h>

#include <stdio.h>

/* Step 7: `row` (a chunk's series, t_first, t_last, id) goes on the first level on which it lies across no other. */
#define OVERLAP_PUT(row)                                                                                     \
    "INSERT INTO overlap SELECT " row ".series, ifnull(min(free),8), " row ".t_first, " row ".id, " row      \
    ".t_last FROM (SELECT column1 AS free FROM (VALUES(1),(2),(3),(4),(5),(6),(7))) WHERE "                  \
    "ifnull((SELECT o.t_last FROM overlap o WHERE o.series=" row                                             \
    ".series AND o.level=free AND o.t_first<=" row ".t_last ORDER BY o.t_first DESC LIMIT 1)<" row           \
    ".t_first,1);"

static const char *const steps[EG_SCHEMA_VERSION] = {
    /* 1 */
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    /* One row a turn: counters since ever, what was acknowledged, what was read. Small turns dirty one page. */
    "CREATE TABLE turn(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
    " received INTEGER NOT NULL, decoded INTEGER NOT NULL, duplicate INTEGER NOT NULL, quarantined INTEGER "
    "NOT NULL,"
    " ignored INTEGER NOT NULL, r_decoded INTEGER NOT NULL, r_stored INTEGER NOT NULL, r_duplicate INTEGER "
    "NOT NULL,"
    " r_rejected INTEGER NOT NULL, r_corrected INTEGER NOT NULL, idents BLOB, readings BLOB);"
    /* Sealed readings of a series; seq: the newest turn in it, by which the newest value of a time is known. */
    "CREATE TABLE chunk(series INTEGER NOT NULL, t_first INTEGER NOT NULL, seq INTEGER NOT NULL, t_last "
    "INTEGER NOT NULL,"
    " n INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(series, t_first, seq)) WITHOUT ROWID;"
    "CREATE TABLE series_last(series INTEGER PRIMARY KEY, time INTEGER NOT NULL, value REAL NOT NULL, flags "
    "INTEGER NOT NULL);"
    "CREATE TABLE device(id INTEGER PRIMARY KEY, site TEXT NOT NULL, domain TEXT NOT NULL, device TEXT NOT "
    "NULL,"
    " registered_at INTEGER NOT NULL, UNIQUE(site, domain, device));"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device(id), quantity "
    "TEXT NOT NULL,"
    " channel TEXT NOT NULL, UNIQUE(device, quantity, channel));"
    "CREATE TABLE rollup(period INTEGER NOT NULL, start INTEGER NOT NULL, series INTEGER NOT NULL, end "
    "INTEGER NOT NULL,"
    " count INTEGER NOT NULL, sum REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL, first REAL NOT NULL, "
    "last REAL NOT NULL,"
    " first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, slots0 INTEGER NOT NULL, slots1 INTEGER NOT NULL,"
    " PRIMARY KEY(period, start, series)) WITHOUT ROWID;"
    "CREATE TABLE rule_state(rule TEXT NOT NULL, series INTEGER NOT NULL, level INTEGER NOT NULL, "
    "case_number INTEGER NOT NULL,"
    " since1 INTEGER, since2 INTEGER, since3 INTEGER, clear1 INTEGER, clear2 INTEGER, clear3 INTEGER,"
    " PRIMARY KEY(rule, series)) WITHOUT ROWID;"
    "CREATE TABLE cases(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, site TEXT NOT NULL, domain TEXT "
    "NOT NULL,"
    " device TEXT NOT NULL, rule TEXT NOT NULL, channel TEXT NOT NULL, quantity TEXT NOT NULL, series "
    "INTEGER NOT NULL,"
    " rule_version INTEGER NOT NULL, level INTEGER NOT NULL, condition INTEGER NOT NULL, handling INTEGER "
    "NOT NULL,"
    " mode INTEGER NOT NULL, opened_at INTEGER NOT NULL, detected_at INTEGER NOT NULL, closed_at INTEGER, "
    "due_at INTEGER,"
    " last_value REAL, last_at INTEGER, peak_value REAL, peak_at INTEGER, level_limit REAL, lead TEXT NOT "
    "NULL,"
    " assignee TEXT NOT NULL, escalation INTEGER NOT NULL, reopened INTEGER NOT NULL, version INTEGER NOT "
    "NULL);"
    "CREATE UNIQUE INDEX one_active_case ON cases(rule, series) WHERE handling < 5;"
    "CREATE TABLE case_event(case_number INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL,"
    " known_at INTEGER NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, was TEXT NOT NULL, became TEXT NOT "
    "NULL, value REAL,"
    " note TEXT NOT NULL, PRIMARY KEY(case_number, version)) WITHOUT ROWID;"
    "CREATE TRIGGER case_event_stays BEFORE UPDATE ON case_event BEGIN SELECT RAISE(ABORT, 'the history is "
    "append-only'); END;"
    "CREATE TRIGGER case_event_remains BEFORE DELETE ON case_event BEGIN SELECT RAISE(ABORT, 'the history is "
    "append-only'); END;"
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY, channel TEXT NOT NULL, recipient TEXT NOT NULL, key TEXT "
    "NOT NULL UNIQUE,"
    " body TEXT NOT NULL, created_at INTEGER NOT NULL, retain INTEGER NOT NULL, done_at INTEGER, delivered "
    "INTEGER, error TEXT);"
    "CREATE INDEX outbox_pending ON outbox(id) WHERE done_at IS NULL;"
    "CREATE TABLE quarantine(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, topic TEXT NOT NULL, "
    "source TEXT NOT NULL,"
    " verdict TEXT NOT NULL, reason TEXT NOT NULL, payload BLOB, full_len INTEGER NOT NULL, retain INTEGER "
    "NOT NULL);",
    /* 2: what was learned of a device's rhythm; 0: nothing */
    "ALTER TABLE device ADD COLUMN interval INTEGER NOT NULL DEFAULT 0;",
    /* 3: chunks that stay lie in the order they were made, whole in their pages, and are found by an index; those that grow lie side by
     * side, one a series */
    "ALTER TABLE chunk RENAME TO chunk_2;"
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, t_first INTEGER NOT NULL, seq "
    "INTEGER NOT NULL,"
    " t_last INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL);"
    "INSERT INTO chunk(series,t_first,seq,t_last,n,body) SELECT series,t_first,seq,t_last,n,body FROM "
    "chunk_2;"
    "DROP TABLE chunk_2;"
    "CREATE UNIQUE INDEX chunk_place ON chunk(series, t_first, seq, t_last);"
    "CREATE INDEX chunk_age ON chunk(t_last);"
    "CREATE INDEX cases_series ON cases(series);"
    "CREATE TABLE young(series INTEGER PRIMARY KEY, t_first INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " t_last INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL);",
    /* 4: the chain over the history of cases (history.c) */
    "DROP TRIGGER case_event_stays;"
    "ALTER TABLE case_event ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE case_event ADD COLUMN hash BLOB NOT NULL DEFAULT x'';"
    "SELECT eg_history_chain();"
    "CREATE UNIQUE INDEX case_event_order ON case_event(seq);"
    "CREATE TRIGGER case_event_stays BEFORE UPDATE ON case_event BEGIN SELECT RAISE(ABORT, 'the history is "
    "append-only'); END;",
    /* 5: cases, devices, hours and days in words */
    EG_VIEWS,
    /* 6: closed buckets are folded into chunks (fold.c); `whole`: 0, what is to be added to what the chunk holds. No view reads a chunk:
     * the extension's tables do */
    "DROP VIEW v_hours; DROP VIEW v_days;"
    "ALTER TABLE rollup ADD COLUMN whole INTEGER NOT NULL DEFAULT 1;"
    "CREATE TABLE bucket(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, period INTEGER NOT NULL, body BLOB "
    "NOT NULL,"
    " t_first INTEGER NOT NULL, t_last INTEGER NOT NULL, n INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX bucket_place ON bucket(series, period, t_first);"
    "CREATE INDEX bucket_age ON bucket(period, t_last);",
    /* 7: which chunks lie across others (cover.c). What is there is put in by a view's trigger, row by row, since where one goes depends
     * on those before it; only the index is read for it */
    "CREATE TABLE overlap(series INTEGER NOT NULL, level INTEGER NOT NULL, t_first INTEGER NOT NULL, chunk "
    "INTEGER NOT NULL, t_last INTEGER NOT NULL, PRIMARY KEY(series, level, t_first, chunk)) WITHOUT ROWID;"
    "CREATE VIEW across AS SELECT series, t_first, t_last, id FROM chunk;"
    "CREATE TRIGGER across_put INSTEAD OF INSERT ON across BEGIN " OVERLAP_PUT(
        "NEW") " END;"
               "INSERT INTO across SELECT series, t_first, t_last, id FROM (SELECT series, t_first, t_last, "
               "id,"
               " max(t_last) OVER (PARTITION BY series ORDER BY t_last, id ROWS BETWEEN UNBOUNDED PRECEDING "
               "AND 1 "
               "PRECEDING) AS reached FROM chunk) WHERE reached>=t_first ORDER BY series, t_first, id;"
               "DROP VIEW across;"
               "CREATE TRIGGER chunk_comes AFTER INSERT ON chunk WHEN (SELECT c.t_last FROM chunk c WHERE "
               "c.series=NEW.series AND c.t_first<=NEW.t_last AND c.id<>NEW.id AND NOT EXISTS (SELECT 1 FROM "
               "overlap o "
               "WHERE o.series=c.series AND o.level IN (1,2,3,4,5,6,7,8) AND o.t_first=c.t_first AND "
               "o.chunk=c.id) "
               "ORDER BY c.t_first DESC LIMIT 1)>=NEW.t_first BEGIN " OVERLAP_PUT(
                   "NEW") " END;"
                          "CREATE TRIGGER chunk_goes AFTER DELETE ON chunk BEGIN DELETE FROM overlap WHERE "
                          "series=OLD.series AND "
                          "level IN (1,2,3,4,5,6,7,8) AND t_first=OLD.t_first AND chunk=OLD.id; END;",
    /* 8: parties are told, too: whom, why, in one line, how often it was tried; and who was told of which active case */
    "ALTER TABLE outbox ADD COLUMN party TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE outbox ADD COLUMN why TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE outbox ADD COLUMN line TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE outbox ADD COLUMN case_number INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE outbox ADD COLUMN level INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE outbox ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE outbox ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE outbox ADD COLUMN failing_since INTEGER;"
    "ALTER TABLE outbox ADD COLUMN carried_by INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE told(case_number INTEGER NOT NULL, party TEXT NOT NULL, channel TEXT NOT NULL, recipient "
    "TEXT NOT NULL,"
    " at INTEGER NOT NULL, PRIMARY KEY(case_number, party, channel, recipient)) WITHOUT ROWID;",
    /* 9: where judging anew may begin when a reading comes late (checkpoints.h) */
    "ALTER TABLE rule_state ADD COLUMN checkpoints BLOB;",
    /* 10: what a case is about, how its handling stands, what it hangs together with; on whose behalf something was done */
    "DROP VIEW IF EXISTS v_cases; DROP VIEW IF EXISTS v_case_events;"
    "ALTER TABLE cases ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cases ADD COLUMN began_at INTEGER;"
    "ALTER TABLE cases ADD COLUMN until_at INTEGER;"
    "ALTER TABLE cases ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cases ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cases ADD COLUMN handed_on INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cases ADD COLUMN fixer TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE cases ADD COLUMN repairer TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE cases ADD COLUMN follows INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cases ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cases ADD COLUMN clear_hours INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cases ADD COLUMN within_since_at INTEGER;"
    "ALTER TABLE case_event ADD COLUMN party TEXT NOT NULL DEFAULT '';"
    "UPDATE cases SET began_at=detected_at;"
    "DROP INDEX one_active_case;"
    "CREATE UNIQUE INDEX one_active_case ON cases(kind, rule, series, site, domain, device) WHERE handling<5;"
    "CREATE INDEX cases_follows ON cases(follows) WHERE follows<>0;"
    "CREATE INDEX cases_parent ON cases(parent) WHERE parent<>0;" EG_VIEWS_OF_CASES,
    /* 11: silences, ended ones too, and cases of which notices are held back */
    "CREATE TABLE silence(id INTEGER PRIMARY KEY, site TEXT NOT NULL, domain TEXT NOT NULL, device TEXT NOT "
    "NULL,"
    " quantity TEXT NOT NULL, rule TEXT NOT NULL, level INTEGER NOT NULL, reason TEXT NOT NULL, author TEXT "
    "NOT NULL,"
    " created_at INTEGER NOT NULL, starts_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, ended_at INTEGER,"
    " removed INTEGER NOT NULL, ended_by TEXT NOT NULL);"
    "CREATE TABLE suppressed(case_number INTEGER PRIMARY KEY, since INTEGER NOT NULL, flapping INTEGER NOT "
    "NULL,"
    " owed INTEGER NOT NULL, untold INTEGER NOT NULL, risen INTEGER NOT NULL);",
    /* 12: how often it was said again; of case 0: a digest was sent */
    "ALTER TABLE told ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;",
    /* 13: what a series' readings are multiplied by and shifted, from when on; so the raw value can be told */
    "CREATE TABLE calibration(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, quantity TEXT NOT NULL, since "
    "INTEGER NOT NULL,"
    " scale REAL NOT NULL, offset REAL NOT NULL, noted_at INTEGER NOT NULL, UNIQUE(series, "
    "since));" EG_VIEW_OF_CALIBRATIONS,
    /* 14: since when a device is silent, NULL: it is not; when it was heard last; since when it is waited for, which case speaks for
     * it. Two more kinds of cases */
    "ALTER TABLE device ADD COLUMN silent_at INTEGER;"
    "ALTER TABLE device ADD COLUMN heard_at INTEGER;"
    "ALTER TABLE device ADD COLUMN awaited_at INTEGER;"
    "ALTER TABLE device ADD COLUMN case_number INTEGER NOT NULL DEFAULT 0;"
    "DROP VIEW v_cases; DROP VIEW v_case_events;" EG_VIEWS_OF_CASES,
    /* 15: exercises in fast motion */
    "ALTER TABLE cases ADD COLUMN faster INTEGER NOT NULL DEFAULT 0;",
    /* 16: it has said that it leaves; the calibration of which people were told that it is due */
    "ALTER TABLE device ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN due_told INTEGER;",
    /* 17: what people did with devices */
    "CREATE TABLE device_event(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, kind INTEGER NOT NULL, at "
    "INTEGER NOT NULL, actor TEXT NOT NULL, note TEXT NOT NULL);" EG_VIEW_OF_DEVICE_EVENTS,
    /* 18: which deadline to fix was missed last: it is not missed again when an acknowledgement has run out in between */
    "ALTER TABLE cases ADD COLUMN fix_missed_at INTEGER;",
    /* 19: what the hours of series tell of their sensors */
    "CREATE TABLE finding(series INTEGER PRIMARY KEY, noisy_at INTEGER, drifting_at INTEGER, usual REAL NOT "
    "NULL, side INTEGER NOT NULL);",
    /* 20: when the clock was in doubt, and how it ended (clock.c); what readings said themselves of their time meanwhile */
    "CREATE TABLE clock(id INTEGER PRIMARY KEY, state INTEGER NOT NULL, since INTEGER NOT NULL, boot TEXT "
    "NOT "
    "NULL, boot_us INTEGER NOT NULL, why TEXT NOT NULL, from_seq INTEGER NOT NULL, stored INTEGER NOT NULL,"
    " until INTEGER, shift INTEGER, how TEXT, latest INTEGER, to_seq INTEGER, dated_seq INTEGER, "
    "dated_series "
    "INTEGER);"
    "CREATE TABLE own_time(seq INTEGER PRIMARY KEY, body BLOB NOT NULL);",
    /* 21: what cases stand on beside the readings of their own device */
    "CREATE TABLE evidence(id INTEGER PRIMARY KEY, case_number INTEGER NOT NULL, series INTEGER NOT NULL, "
    "since "
    "INTEGER NOT NULL, why TEXT NOT NULL);"
    "CREATE UNIQUE INDEX evidence_once ON evidence(case_number, series, why);"
    "CREATE INDEX evidence_series ON evidence(series);",
    /* 22: what the land of devices is used for, by the configuration */
    "CREATE TABLE land_use(site TEXT NOT NULL, domain TEXT NOT NULL, device TEXT NOT NULL, land_use TEXT NOT "
    "NULL,"
    " PRIMARY KEY(site, domain, device)) WITHOUT ROWID;",
    /* 23: how often devices reported before that changed */
    "ALTER TABLE device ADD COLUMN pace_since INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN pace_before INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN pace_settled INTEGER NOT NULL DEFAULT 0;",
    /* 24: evidence is counted, and is not taken back; from which event on rows of cases are proved by their history whole (proof.c) */
    "INSERT OR REPLACE INTO meta SELECT '" EG_EVIDENCE_KEY "', count(*) FROM evidence;"
    "CREATE TRIGGER evidence_counts AFTER INSERT ON evidence BEGIN UPDATE meta SET value=value+1 WHERE "
    "key='" EG_EVIDENCE_KEY "'; END;"
    "CREATE TRIGGER evidence_remains BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is not "
    "taken "
    "back'); END;"
    "INSERT OR REPLACE INTO meta SELECT '" EG_PROOF_KEY "', ifnull(max(seq),0) FROM case_event;",
    /* 25: how often a device reported is told by its hours */
    "ALTER TABLE device DROP COLUMN pace_since;"
    "ALTER TABLE device DROP COLUMN pace_before;"
    "ALTER TABLE device DROP COLUMN pace_settled;",
};

static int number(sqlite3 *db, const char *pragma, int *ret)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, pragma, -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *ret = sqlite3_column_int(statement, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code;
}

static int step(sqlite3 *db, int from, struct eg_err *err)
{
    char mark[96];
    snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d;", EG_SCHEMA_APPLICATION,
             from + 1);
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, steps[from], NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, mark, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return EG_OK;
    int code = eg_err_set(err, sqlite3_errcode(db) == SQLITE_CORRUPT ? EG_ECORRUPT : EG_EIO,
                          "the schema could not be brought from version %d to %d: %s", from, from + 1,
                          sqlite3_errmsg(db));
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/* Damage calls for a salvage; a disk that refuses a read does not. */
static int unreadable(sqlite3 *db, const char *path, struct eg_err *err)
{
    int why = sqlite3_errcode(db);
    if (why == SQLITE_CORRUPT || why == SQLITE_NOTADB)
        return eg_err_set(
            err, EG_ECORRUPT,
            "%s cannot be read as a database: %s; keep the file, restore a backup or move it away", path,
            sqlite3_errmsg(db));
    return eg_err_set(err, EG_EIO, "%s cannot be read: %s; the disk refuses it, the file is left as it is",
                      path, sqlite3_errmsg(db));
}

int eg_schema_migrate(sqlite3 *db, const char *path, struct eg_err *err)
{
    int version = 0, application = 0, tables = 0;
    if (number(db, "PRAGMA user_version", &version) != SQLITE_OK ||
        number(db, "PRAGMA application_id", &application) != SQLITE_OK ||
        number(db, "SELECT count(*) FROM sqlite_master", &tables) != SQLITE_OK)
        return unreadable(db, path, err);
    if (tables && application != EG_SCHEMA_APPLICATION)
        return eg_err_set(err, EG_ECORRUPT,
                          "%s is a database of another program; give store.path another name", path);
    if (version > EG_SCHEMA_VERSION)
        return eg_err_set(
            err, EG_ECORRUPT,
            "%s was written by a newer ecogovd (schema %d, this one knows %d); install that one", path,
            version, EG_SCHEMA_VERSION);
    int code = eg_history_register(db) == SQLITE_OK
                   ? EG_OK
                   : eg_err_set(err, EG_ENOMEM, "no memory to migrate the schema");
    for (; code == EG_OK && version < EG_SCHEMA_VERSION; version++)
        code = step(db, version, err);
    return code;
}
