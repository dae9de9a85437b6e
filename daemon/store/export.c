/* A snapshot of all readings that match, in bites (store.h). A connection and a read transaction of its own, so that neither commits
 * nor sealing move anything under it. */
#include <store/inside.h>

#include <stdlib.h>

struct eg_export {
    sqlite3 *db;
    struct eg_export_filter filter;
    struct eg_aged *tail;
    size_t tail_count, tail_at;
    uint32_t series, last_series;
    struct eg_stream stream;
    bool streaming;
};

void eg_export_close(struct eg_export *xport)
{
    if (!xport)
        return;
    if (xport->streaming)
        eg_stream_close(&xport->stream);
    sqlite3_close(xport->db);
    free(xport->tail);
    free(xport);
}

int eg_export_open(struct eg_store *store, const struct eg_export_filter *filter, struct eg_export **ret,
                   struct eg_err *err)
{
    struct eg_export *xport = calloc(1, sizeof *xport);
    sqlite3_stmt *sql = NULL;
    if (!xport)
        return eg_err_set(err, EG_ENOMEM, "no memory to export");
    xport->filter = *filter;
    if (xport->filter.from_ms == EG_TIME_NONE)
        xport->filter.from_ms = INT64_MIN;
    if (xport->filter.to_ms == EG_TIME_NONE)
        xport->filter.to_ms = INT64_MAX;
    int code = eg_sql_open(store->path, false, &xport->db, err);
    if (code == EG_OK && sqlite3_exec(xport->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        code = eg_sql_error(xport->db, err, "beginning an export");
    if (code == EG_OK)
        code = eg_stream_tail(xport->db, 0, &xport->tail, &xport->tail_count, err);
    if (code == EG_OK &&
        (sqlite3_prepare_v2(xport->db, "SELECT ifnull(max(id),0) FROM series", -1, &sql, NULL) != SQLITE_OK ||
         sqlite3_step(sql) != SQLITE_ROW))
        code = eg_sql_error(xport->db, err, "beginning an export"); /* or it would be told as an empty one */
    else if (sql)
        xport->last_series = (uint32_t)sqlite3_column_int64(sql, 0);
    sqlite3_finalize(sql);
    if (code != EG_OK) {
        eg_export_close(xport);
        return code;
    }
    *ret = xport;
    return EG_OK;
}

static int next_series(struct eg_export *xport, struct eg_err *err)
{
    do
        xport->series++;
    while (xport->series <= xport->last_series && xport->filter.wanted &&
           !xport->filter.wanted(xport->filter.arg, xport->series));
    if (xport->series > xport->last_series)
        return EG_OK;
    while (xport->tail_at < xport->tail_count && xport->tail[xport->tail_at].series < xport->series)
        xport->tail_at++;
    size_t from = xport->tail_at;
    while (xport->tail_at < xport->tail_count && xport->tail[xport->tail_at].series == xport->series)
        xport->tail_at++;
    int code = eg_stream_open(&xport->stream, xport->db, xport->series, xport->filter.from_ms,
                              xport->filter.to_ms, xport->tail + from, xport->tail_at - from, err);
    xport->streaming = code == EG_OK;
    return code;
}

int eg_export_next(struct eg_export *xport, size_t most,
                   bool (*each)(void *arg, uint32_t series, const struct eg_point *point), void *arg,
                   bool *ret_done, struct eg_err *err)
{
    *ret_done = false;
    while (most) {
        if (!xport->streaming) {
            int code = next_series(xport, err);
            if (code != EG_OK)
                return code;
            if (!xport->streaming) {
                *ret_done = true;
                return EG_OK;
            }
        }
        struct eg_point point;
        xport->stream.err = err;
        int step = eg_stream_next(&xport->stream, &point);
        if (step < 0)
            return step;
        if (!step) {
            eg_stream_close(&xport->stream);
            xport->streaming = false;
            most--; /* an empty series costs something, too */
            continue;
        }
        most--;
        if (!each(arg, xport->series, &point))
            return EG_OK;
    }
    return EG_OK;
}
