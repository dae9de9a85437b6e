/* What is not sealed yet, by series: a chain of rows through the journal's readings, so that a question about one series does not decode
 * what all the others sent. Belongs to the reader, made when first asked; then only new turns are read. Begun anew when a run of sealing is
 * done: the journal is bounded, and so is this. Called by read.c, within its read transaction. */
#include <store/inside.h>

#include <stdlib.h>
#include <string.h>

#define SERIES_MOST (1u << 24) /* ids have no gaps and the pipeline makes a million: more is damage */

struct filling {
    struct eg_recent *recent;
    bool failed;
};

static bool room(struct eg_recent *recent, uint32_t series)
{
    if (series > SERIES_MOST)
        return false;
    if (series >= recent->series_capacity) {
        uint32_t more = series + series / 2 + 64;
        uint32_t *newest = realloc(recent->newest, more * sizeof *newest);
        if (!newest)
            return false;
        memset(newest + recent->series_capacity, 0, (more - recent->series_capacity) * sizeof *newest);
        recent->newest = newest;
        recent->series_capacity = more;
    }
    if (recent->count == recent->capacity) {
        size_t more = recent->capacity ? recent->capacity * 2 : 1024;
        struct eg_recent_row *rows = realloc(recent->rows, more * sizeof *rows);
        if (!rows)
            return false;
        recent->rows = rows;
        recent->capacity = more;
    }
    return true;
}

static bool take(void *arg, int64_t seq, const struct eg_row_reading *row)
{
    struct filling *filling = arg;
    struct eg_recent *recent = filling->recent;
    if (!room(recent, row->series)) {
        filling->failed = true;
        return false;
    }
    uint32_t before = recent->newest[row->series];
    int64_t latest_ms = before ? recent->rows[before - 1].latest_ms : INT64_MIN;
    recent->rows[recent->count++] =
        (struct eg_recent_row){row->time_ms, row->time_ms > latest_ms ? row->time_ms : latest_ms,
                               row->value,   (uint32_t)(seq - recent->from_seq),
                               before,       row->flags};
    recent->newest[row->series] = (uint32_t)recent->count;
    recent->to_seq = seq;
    return true;
}

static void forget(struct eg_recent *recent, int64_t from_seq)
{
    recent->from_seq = recent->to_seq = from_seq;
    recent->count = 0;
    if (recent->newest)
        memset(recent->newest, 0, recent->series_capacity * sizeof *recent->newest);
}

/* A turn is taken in whole or, after a failure, nothing is kept. */
static int refresh(struct eg_recent *recent, sqlite3 *db, struct eg_err *err)
{
    struct filling filling = {recent, false};
    int64_t sealed_seq = eg_meta_get(db, "sealed_seq", 0);
    if (sealed_seq != recent->from_seq)
        forget(recent, sealed_seq);
    int code = eg_journal_each(db, recent->to_seq, take, &filling, err);
    if (code == EG_OK && filling.failed)
        code = eg_err_set(err, EG_ENOMEM, "no memory for the journal's readings");
    if (code != EG_OK)
        forget(recent, -1);
    return code;
}

int eg_recent_of(struct eg_recent *recent, sqlite3 *db, uint32_t series, int64_t from_ms, int64_t to_ms,
                 struct eg_aged **ret_rows, size_t *ret_count, struct eg_err *err)
{
    int code = refresh(recent, db, err);
    if (code != EG_OK)
        return code;
    /* A run of sealing is under way: what it has reached lies in chunks. */
    int64_t seal_to = eg_meta_get(db, "seal_to", 0);
    bool sealed = series <= (uint32_t)eg_meta_get(db, "seal_series", 0);
    uint32_t newest = series < recent->series_capacity ? recent->newest[series] : 0;
    struct eg_aged *rows = NULL;
    size_t count = 0, capacity = 0;
    for (uint32_t i = newest; i; i = recent->rows[i - 1].before) {
        const struct eg_recent_row *row = &recent->rows[i - 1];
        int64_t seq = recent->from_seq + row->age;
        if (row->latest_ms < from_ms)
            break;
        if (row->time_ms < from_ms || row->time_ms >= to_ms || (sealed && seq <= seal_to))
            continue;
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            struct eg_aged *more = realloc(rows, capacity * sizeof *rows);
            if (!more) {
                free(rows);
                return eg_err_set(err, EG_ENOMEM, "no memory for the journal's readings");
            }
            rows = more;
        }
        rows[count++] = (struct eg_aged){{row->time_ms, row->value, row->flags}, seq, i, series};
    }
    if (count)
        qsort(rows, count, sizeof *rows, eg_aged_compare);
    *ret_rows = rows;
    *ret_count = count;
    return EG_OK;
}

void eg_recent_finish(struct eg_recent *recent)
{
    free(recent->rows);
    free(recent->newest);
    memset(recent, 0, sizeof *recent);
}
