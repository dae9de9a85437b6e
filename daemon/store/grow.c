/* How a series' chunks grow: what a run of sealing brings joins the series' young chunk, one row in a small table of its own, until
 * there are points enough for a chunk that stays. Knows that the young ones lie side by side, so that a run over ten thousand series
 * rewrites few pages, and that chunks that stay are appended in the order they are made. Called by seal.c. */
#include <store/inside.h>

#include <string.h>

#define FEW_SERIES 64u
/* A page of a table takes rows of so many bytes in all; of each, beside the body: where it lies, lengths, types, the other columns. */
#define PAGE_ROOM 4088u
#define ROW_ROOM 40u

static void bind_chunk(sqlite3_stmt *sql, uint32_t series, int64_t seq, const struct eg_point *points,
                       size_t count, const struct eg_buf *blob)
{
    sqlite3_bind_int64(sql, 1, series);
    sqlite3_bind_int64(sql, 2, points[0].time_ms);
    sqlite3_bind_int64(sql, 3, seq);
    sqlite3_bind_int64(sql, 4, points[count - 1].time_ms);
    sqlite3_bind_int64(sql, 5, (int64_t)count);
    sqlite3_bind_blob64(sql, 6, blob->data, blob->length, SQLITE_STATIC);
}

static bool pack(struct eg_store *store, const struct eg_point *points, size_t count)
{
    eg_buf_clear(&store->blob);
    return eg_pack_chunk(&store->blob, points, count);
}

static int put_packed(struct eg_store *store, enum eg_sql which, uint32_t series, int64_t seq,
                      const struct eg_point *points, size_t count)
{
    bind_chunk(store->sql[which], series, seq, points, count, &store->blob);
    return eg_sql_run(store, which);
}

/* The largest body, not longer than this, of which one, two or four fill a page, so that those of different series fill it together; 0:
 * it is smaller, or takes pages of its own. */
static size_t body_that_fits(size_t length)
{
    for (size_t rows = 1; rows <= 4; rows *= 2) {
        size_t most = PAGE_ROOM / rows - ROW_ROOM;
        if (length >= most)
            return rows == 1 && length > 2 * most ? 0 : most;
    }
    return 0;
}

/* A chunk that stays, of the first points: as many as leave little of a page over. The others are moved to the front. */
static int put_grown(struct eg_store *store, uint32_t series, int64_t seq, struct eg_point *points,
                     size_t *count)
{
    size_t taken = *count;
    if (!pack(store, points, taken))
        return SQLITE_NOMEM;
    size_t most = body_that_fits(store->blob.length);
    while (most && store->blob.length > most) {
        size_t fewer = (size_t)((uint64_t)taken * most / store->blob.length);
        taken = fewer < taken ? fewer : taken - 1;
        if (taken < EG_CHUNK_GROWN) { /* too few: then rather a page that is not full */
            taken = *count;
            most = 0;
        }
        if (!pack(store, points, taken))
            return SQLITE_NOMEM;
    }
    int code = put_packed(store, SQL_CHUNK, series, seq, points, taken);
    *count -= taken;
    memmove(points, points + taken, *count * sizeof *points);
    return code;
}

static int put_last(struct eg_store *store, uint32_t series, const struct eg_point *last)
{
    sqlite3_stmt *sql = store->sql[SQL_SERIES_LAST];
    sqlite3_bind_int64(sql, 1, series);
    sqlite3_bind_int64(sql, 2, last->time_ms);
    sqlite3_bind_double(sql, 3, last->value);
    sqlite3_bind_int(sql, 4, last->flags);
    return eg_sql_run(store, SQL_SERIES_LAST);
}

int eg_grow_young(struct eg_store *store, uint32_t series, struct eg_point *ret_points, size_t *ret_count)
{
    sqlite3_stmt *sql = store->sql[SQL_YOUNG_GET];
    *ret_count = 0;
    sqlite3_bind_int64(sql, 1, series);
    int code = sqlite3_step(sql);
    if (code == SQLITE_ROW)
        code = eg_pack_chunk_points(sqlite3_column_blob(sql, 0), (size_t)sqlite3_column_bytes(sql, 0),
                                    ret_points, ret_count) == EG_OK
                   ? SQLITE_OK
                   : SQLITE_CORRUPT;
    else if (code == SQLITE_DONE)
        code = SQLITE_OK;
    sqlite3_reset(sql);
    return code;
}

/* Few series can afford to have their chunks written some times more, for larger ones. */
static size_t grown_points(const struct eg_store *store)
{
    return store->grown_points                ? store->grown_points
           : store->series_most <= FEW_SERIES ? 2 * EG_CHUNK_GROWN
                                              : EG_CHUNK_GROWN;
}

int eg_grow_put(struct eg_store *store, uint32_t series, int64_t seq, const struct eg_aged *rows,
                size_t count)
{
    struct eg_point points[EG_CHUNK_POINTS];
    size_t held = 0;
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++) {
        if (i + 1 == count || rows[i + 1].point.time_ms != rows[i].point.time_ms)
            points[held++] = rows[i].point; /* the newest value of a time */
        if (held == EG_CHUNK_POINTS)
            code = put_grown(store, series, seq, points, &held);
    }
    while (code == SQLITE_OK && held >= grown_points(store))
        code = put_grown(store, series, seq, points, &held);
    if (code == SQLITE_OK && held) {
        code = pack(store, points, held) ? put_packed(store, SQL_YOUNG, series, seq, points, held)
                                         : SQLITE_NOMEM;
    } else if (code == SQLITE_OK) {
        sqlite3_bind_int64(store->sql[SQL_YOUNG_DROP], 1, series);
        code = eg_sql_run(store, SQL_YOUNG_DROP);
    }
    return code == SQLITE_OK && count ? put_last(store, series, &rows[count - 1].point) : code;
}
