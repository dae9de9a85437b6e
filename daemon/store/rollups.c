/* The closed buckets of one series and period, ascending: its chunks, overlaid by the rows that were not folded yet. Knows where they
 * lie; refuses to know which of them are of use. Called by read.c's users and the extension. */
#include <store/inside.h>
#include <pipeline/rollup.h>

#include <string.h>

void eg_rollup_read(sqlite3_stmt *sql, struct eg_rollup *ret, bool *ret_whole)
{
    *ret = (struct eg_rollup){
        .start_ms = sqlite3_column_int64(sql, 0),
        .end_ms = sqlite3_column_int64(sql, 1),
        .count = (uint64_t)sqlite3_column_int64(sql, 2),
        .sum = sqlite3_column_double(sql, 3),
        .min = sqlite3_column_double(sql, 4),
        .max = sqlite3_column_double(sql, 5),
        .first = sqlite3_column_double(sql, 6),
        .last = sqlite3_column_double(sql, 7),
        .first_ms = sqlite3_column_int64(sql, 8),
        .last_ms = sqlite3_column_int64(sql, 9),
        .slots = {(uint64_t)sqlite3_column_int64(sql, 10), (uint64_t)sqlite3_column_int64(sql, 11)}};
    *ret_whole = sqlite3_column_int(sql, 12) != 0;
}

static int prepare(struct eg_rollups *rollups, sqlite3 *db, bool folded)
{
    /* From start to start, two seeks each: between two of them lie the rows of all the other series. Ascending, since a hop is taken
     * only from the one before; an ORDER BY would gather all before the first is told. */
    static const char rows[] = "WITH RECURSIVE hop(at) AS (SELECT min(start) FROM main.rollup WHERE "
                               "period=?1 AND start>=?2 UNION ALL"
                               " SELECT (SELECT min(start) FROM main.rollup WHERE period=?1 AND "
                               "start>hop.at) FROM hop WHERE hop.at<?3)"
                               " SELECT " EG_ROLLUP_COLUMNS "%s FROM hop CROSS JOIN main.rollup"
                               " WHERE period=?1 AND start=hop.at AND start<?3 AND series=?4";
    static const char chunks[] =
        "SELECT body FROM main.bucket WHERE series=?4 AND period=?1 AND t_first<?3 AND "
        "t_first>=ifnull((SELECT max(t_first)"
        " FROM main.bucket WHERE series=?4 AND period=?1 AND t_first<=?2),?2) ORDER BY t_first";
    char text[sizeof rows + sizeof EG_ROLLUP_COLUMNS];
    sqlite3_snprintf(sizeof text, text, rows, folded ? ",whole" : ",1");
    int code = sqlite3_prepare_v2(db, text, -1, &rollups->rows, NULL);
    if (code == SQLITE_OK && folded)
        code = sqlite3_prepare_v2(db, chunks, -1, &rollups->chunks, NULL);
    return code;
}

int eg_rollups_open(struct eg_rollups *rollups, sqlite3 *db, uint32_t series, enum eg_period period,
                    int64_t from_ms, int64_t to_ms, bool folded, struct eg_err *err)
{
    if (!rollups->rows && prepare(rollups, db, folded) != SQLITE_OK) {
        eg_rollups_close(rollups);
        return eg_sql_error(db, err, "reading hours and days");
    }
    rollups->from_ms = from_ms;
    rollups->to_ms = to_ms;
    rollups->err = err;
    rollups->count = rollups->at = 0;
    rollups->have_row = false;
    sqlite3_stmt *const both[] = {rollups->rows, rollups->chunks};
    for (int i = 0; i < 2 && both[i]; i++) {
        sqlite3_reset(both[i]);
        sqlite3_bind_int(both[i], 1, (int)period);
        sqlite3_bind_int64(both[i], 2, from_ms);
        sqlite3_bind_int64(both[i], 3, to_ms);
        sqlite3_bind_int64(both[i], 4, series);
    }
    rollups->more_rows = true;
    rollups->more_chunks = rollups->chunks != NULL;
    return EG_OK;
}

void eg_rollups_close(struct eg_rollups *rollups)
{
    sqlite3_finalize(rollups->rows);
    sqlite3_finalize(rollups->chunks);
    rollups->rows = rollups->chunks = NULL;
}

static int fail(struct eg_rollups *rollups, sqlite3_stmt *sql)
{
    return eg_sql_error(sqlite3_db_handle(sql), rollups->err, "reading hours and days");
}

static int have_row(struct eg_rollups *rollups)
{
    if (rollups->have_row || !rollups->more_rows)
        return EG_OK;
    int code = sqlite3_step(rollups->rows);
    rollups->have_row = code == SQLITE_ROW;
    rollups->more_rows = rollups->have_row;
    if (code == SQLITE_ROW)
        eg_rollup_read(rollups->rows, &rollups->row, &rollups->whole);
    return code == SQLITE_ROW || code == SQLITE_DONE ? EG_OK : fail(rollups, rollups->rows);
}

/* The next folded bucket in the span is rows `at`, or there is none. */
static int have_folded(struct eg_rollups *rollups)
{
    for (;;) {
        while (rollups->at < rollups->count && rollups->folded[rollups->at].start_ms < rollups->from_ms)
            rollups->at++;
        if (rollups->at < rollups->count || !rollups->more_chunks)
            return EG_OK;
        int code = sqlite3_step(rollups->chunks);
        if (code != SQLITE_ROW) {
            rollups->more_chunks = false;
            return code == SQLITE_DONE ? EG_OK : fail(rollups, rollups->chunks);
        }
        rollups->at = rollups->count = 0;
        if (eg_buckets_unpack(sqlite3_column_blob(rollups->chunks, 0),
                              (size_t)sqlite3_column_bytes(rollups->chunks, 0), rollups->folded,
                              &rollups->count) != EG_OK)
            return eg_err_set(rollups->err, EG_ECORRUPT,
                              "a chunk of hours or days is damaged: run ecogovd --verify");
    }
}

static int next(struct eg_rollups *rollups, struct eg_rollup *ret)
{
    int code = have_row(rollups);
    if (code == EG_OK)
        code = have_folded(rollups);
    if (code != EG_OK)
        return code;
    const struct eg_rollup *folded = rollups->at < rollups->count ? &rollups->folded[rollups->at] : NULL;
    if (folded && folded->start_ms >= rollups->to_ms)
        folded = NULL;
    if (!folded && !rollups->have_row)
        return 0;
    bool both = folded && rollups->have_row && folded->start_ms == rollups->row.start_ms;
    if (folded && (!rollups->have_row || folded->start_ms <= rollups->row.start_ms)) {
        *ret = *folded;
        rollups->at++;
        if (!both)
            return 1;
        if (rollups->whole)
            *ret = rollups->row;
        else
            eg_rollup_merge(ret, &rollups->row);
    } else {
        *ret = rollups->row;
    }
    rollups->have_row = false;
    return 1;
}

/* A bucket all of whose readings are set aside by now is there, and holds none. */
int eg_rollups_next(struct eg_rollups *rollups, struct eg_rollup *ret)
{
    int code = next(rollups, ret);
    while (code == 1 && !ret->count)
        code = next(rollups, ret);
    return code;
}

int eg_reader_rollups(struct eg_reader *reader, uint32_t series, enum eg_period period, int64_t from_ms,
                      int64_t to_ms, bool (*each)(void *arg, const struct eg_rollup *rollup), void *arg,
                      struct eg_err *err)
{
    struct eg_rollup row;
    sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL); /* rows and chunks as of one moment */
    int code = eg_rollups_open(&reader->rollups, reader->db, series, period, from_ms, to_ms, true, err);
    if (code == EG_OK) {
        while ((code = eg_rollups_next(&reader->rollups, &row)) == 1)
            if (!each(arg, &row))
                break;
        code = code > 0 ? EG_OK : code;
        sqlite3_reset(reader->rollups.rows); /* kept: to prepare them costs more than to read a fortnight */
        sqlite3_reset(reader->rollups.chunks);
    }
    sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
    return code;
}
