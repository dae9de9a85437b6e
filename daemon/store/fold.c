/* Background work between turns: closed buckets leave table rollup, where the turn put each as a row, for chunks per series and period.
 * Knows rows and chunks; refuses to know what a bucket means. Called by seal.c, in bites.
 *
 * A run gathers the keys of the rows there are, sorted by series, then takes them chunk by chunk: each row, read again since a turn may
 * have changed it meanwhile, goes into the chunk its start belongs to. At every moment a bucket is told by its chunk, overlaid by its row,
 * so a row that is the whole bucket may stay for a while: rows are dropped when all are put, in the order they lie in, since those of a
 * series lie scattered over all pages. A turn that changes such a row meanwhile keeps it (eg_fold_changed). A part of a bucket would count
 * twice, and is dropped in the transaction that puts it. Killed in between, the next run puts once more what is there still. */
#include <store/inside.h>
#include <base/clock.h>
#include <pipeline/rollup.h>

#include <stdlib.h>
#include <string.h>

/* Times as many rows as are folded at once: more would make the file longer than it need ever be. */
#define BEHIND 2
#define ROWS_A_SERIES                                                                                        \
    24 /* so that a run over ten thousand series writes each chunk anew once a day, not once an hour */
#define MOST ((size_t)1 << 18) /* keys a run takes: 6 MB, for the one time a store that was never folded is */

/* The chunk under way. It takes what starts in [low, next). */
struct eg_fold_chunk {
    int64_t id; /* 0: not written yet */
    uint32_t series;
    int period;
    int64_t low_ms, next_ms;
    size_t count;
    bool changed;
    struct eg_rollup rows[EG_BUCKETS_MAX];
};

void eg_fold_finish(struct eg_store *store)
{
    free(store->fold.keys);
    free(store->fold.chunk);
    store->fold.keys = NULL;
    store->fold.chunk = NULL;
    store->fold.count = store->fold.at = store->fold.capacity = 0;
    store->fold.gathered = store->fold.all_put = false;
}

static uint64_t due_at(const struct eg_store *store)
{
    uint64_t many = (uint64_t)ROWS_A_SERIES * store->series_most;
    bool small = store->fold_at < EG_FOLD_AT; /* a small file, or a test */
    return small || many < store->fold_at ? store->fold_at : many;
}

bool eg_fold_due(const struct eg_store *store)
{
    return store->fold.keys || store->fold.rows >= due_at(store);
}

bool eg_fold_behind(const struct eg_store *store)
{
    return store->fold.rows + store->fold.count >= BEHIND * due_at(store);
}

/* --- gather --- */

static int by_series(const void *left, const void *right)
{
    const struct eg_fold_key *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    return a->start_ms < b->start_ms ? -1 : a->start_ms > b->start_ms;
}

static int by_place(const void *left, const void *right)
{
    const struct eg_fold_key *a = left, *b = right;
    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    return a->series < b->series ? -1 : a->series > b->series;
}

void eg_fold_changed(struct eg_store *store, const struct eg_row_rollup *row)
{
    struct eg_fold *fold = &store->fold;
    const struct eg_fold_key sought = {
        .start_ms = row->rollup.start_ms, .series = row->series, .period = (int8_t)row->period};
    struct eg_fold_key *key = fold->gathered
                                  ? bsearch(&sought, fold->keys, fold->all_put ? fold->count : fold->at,
                                            sizeof sought, fold->all_put ? by_place : by_series)
                                  : NULL;
    if (key)
        key->changed = true;
}

static bool more_keys(struct eg_fold *fold)
{
    size_t more = fold->capacity ? 2 * fold->capacity : 4096;
    struct eg_fold_key *grown = realloc(fold->keys, more * sizeof *grown);
    if (!grown)
        return false;
    fold->keys = grown;
    fold->capacity = more;
    return true;
}

int eg_fold_gather(struct eg_store *store, int64_t until_us, struct eg_err *err)
{
    struct eg_fold *fold = &store->fold;
    struct eg_fold_key last = {.start_ms = INT64_MIN, .period = -1};
    sqlite3_stmt *sql = store->sql[SQL_FOLD_KEYS];
    int step = SQLITE_ROW;
    if (fold->count)
        last = fold->keys[fold->count - 1];
    else
        fold->had = fold->rows;
    sqlite3_bind_int(sql, 1, last.period);
    sqlite3_bind_int64(sql, 2, last.start_ms);
    sqlite3_bind_int64(sql, 3, last.series);
    while (fold->count < MOST && (step = sqlite3_step(sql)) == SQLITE_ROW) {
        if (fold->count == fold->capacity && !more_keys(fold)) {
            sqlite3_reset(sql);
            eg_fold_finish(store);
            return eg_err_set(err, EG_ENOMEM, "no memory to fold closed hours and days");
        }
        fold->keys[fold->count++] = (struct eg_fold_key){.start_ms = sqlite3_column_int64(sql, 1),
                                                         .series = (uint32_t)sqlite3_column_int64(sql, 2),
                                                         .period = (int8_t)sqlite3_column_int(sql, 0)};
        if (fold->count % 256 == 0 && eg_clock_mono_us() >= until_us)
            break;
    }
    sqlite3_reset(sql);
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        eg_fold_finish(store);
        return eg_sql_error(store->db, err, "reading closed hours and days");
    }
    if (step == SQLITE_ROW && fold->count < MOST)
        return EG_OK;
    fold->gathered = true;
    fold->rows -= fold->count < MOST ? fold->had : 0; /* what turns added meanwhile counts */
    if (fold->count)
        qsort(fold->keys, fold->count, sizeof *fold->keys, by_series);
    else
        eg_fold_finish(store);
    return EG_OK;
}

/* --- the chunk under way --- */

static int write_rows(struct eg_store *store, const struct eg_fold_chunk *chunk, int64_t id, size_t from,
                      size_t count)
{
    sqlite3_stmt *sql = store->sql[id ? SQL_BUCKET_SET : SQL_BUCKET_ADD];
    const struct eg_rollup *rows = chunk->rows + from;
    eg_buf_clear(&store->blob);
    if (!eg_buckets_pack(&store->blob, rows, count))
        return SQLITE_NOMEM;
    sqlite3_bind_blob64(sql, 1, store->blob.data, store->blob.length, SQLITE_STATIC);
    sqlite3_bind_int64(sql, 2, rows[0].start_ms);
    sqlite3_bind_int64(sql, 3, rows[count - 1].start_ms);
    sqlite3_bind_int64(sql, 4, (int64_t)count);
    sqlite3_bind_int64(sql, 5, id ? id : chunk->series);
    if (!id)
        sqlite3_bind_int(sql, 6, chunk->period);
    return eg_sql_run(store, id ? SQL_BUCKET_SET : SQL_BUCKET_ADD);
}

static int flush(struct eg_store *store)
{
    struct eg_fold_chunk *chunk = store->fold.chunk;
    int code = SQLITE_OK;
    if (chunk->changed && chunk->count)
        code = write_rows(store, chunk, chunk->id, 0, chunk->count);
    else if (chunk->changed && chunk->id) {
        sqlite3_bind_int64(store->sql[SQL_BUCKET_DROP], 1, chunk->id);
        code = eg_sql_run(store, SQL_BUCKET_DROP);
    }
    chunk->changed = false;
    chunk->series = 0; /* read again when it is needed: its id is known then */
    return code;
}

/* The query's first row into the chunk; SQLITE_DONE: there is none. */
static int read_chunk(struct eg_store *store, enum eg_sql which, int64_t at_ms)
{
    struct eg_fold_chunk *chunk = store->fold.chunk;
    sqlite3_stmt *sql = store->sql[which];
    sqlite3_bind_int64(sql, 1, chunk->series);
    sqlite3_bind_int(sql, 2, chunk->period);
    sqlite3_bind_int64(sql, 3, at_ms);
    int code = sqlite3_step(sql);
    if (code == SQLITE_ROW) {
        chunk->id = sqlite3_column_int64(sql, 0);
        if (eg_buckets_unpack(sqlite3_column_blob(sql, 2), (size_t)sqlite3_column_bytes(sql, 2), chunk->rows,
                              &chunk->count) != EG_OK)
            code = SQLITE_CORRUPT;
    }
    sqlite3_reset(sql);
    return code;
}

static int find_next(struct eg_store *store, int64_t behind_ms, int64_t *ret_next_ms)
{
    sqlite3_stmt *sql = store->sql[SQL_BUCKET_AFTER];
    sqlite3_bind_int64(sql, 1, store->fold.chunk->series);
    sqlite3_bind_int(sql, 2, store->fold.chunk->period);
    sqlite3_bind_int64(sql, 3, behind_ms);
    int code = sqlite3_step(sql);
    *ret_next_ms = code == SQLITE_ROW ? sqlite3_column_int64(sql, 1) : INT64_MAX;
    sqlite3_reset(sql);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* What a chunk that is last in its series holds when it has grown up. Each run writes that one anew, so it is not to be long; those that
 * stay are, for the sake of room. */
static size_t grown_up(int period)
{
    return period == EG_PERIOD_HOUR ? EG_BUCKETS_MAX / 4 : EG_BUCKETS_MAX / 16;
}

/* The chunk under way, the last of its series, joins the one before it, if there is one that has room. */
static int join_before(struct eg_store *store)
{
    struct eg_fold_chunk *chunk = store->fold.chunk;
    struct eg_rollup *moved = chunk->rows + EG_BUCKETS_MAX - chunk->count;
    sqlite3_stmt *sql = store->sql[SQL_BUCKET_BEFORE];
    const int64_t id = chunk->id;
    const size_t count = chunk->count;
    sqlite3_bind_int64(sql, 1, chunk->series);
    sqlite3_bind_int(sql, 2, chunk->period);
    sqlite3_bind_int64(sql, 3, chunk->low_ms);
    int code = sqlite3_step(sql);
    int64_t before = code == SQLITE_ROW ? sqlite3_column_int64(sql, 0) : 0;
    size_t held = code == SQLITE_ROW ? (size_t)sqlite3_column_int64(sql, 1) : EG_BUCKETS_MAX;
    sqlite3_reset(sql);
    if (code != SQLITE_ROW || held > EG_BUCKETS_MAX - count)
        return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
    memmove(moved, chunk->rows, count * sizeof *moved);
    code = read_chunk(store, SQL_BUCKET_AT, chunk->low_ms - 1);
    if (code != SQLITE_ROW || chunk->id != before || chunk->count != held)
        return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_CORRUPT : code;
    memmove(chunk->rows + held, moved, count * sizeof *moved);
    code = write_rows(store, chunk, before, 0, held + count);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int64(store->sql[SQL_BUCKET_DROP], 1, id);
    return eg_sql_run(store, SQL_BUCKET_DROP);
}

/* A chunk of its own for what comes behind a last one that has grown up. */
static int begin_behind(struct eg_store *store, int64_t start_ms)
{
    struct eg_fold_chunk *chunk = store->fold.chunk;
    int code = join_before(store);
    chunk->id = 0;
    chunk->count = 0;
    chunk->low_ms = start_ms;
    return code;
}

static int turn_to(struct eg_store *store, const struct eg_fold_key *key)
{
    struct eg_fold_chunk *chunk = store->fold.chunk;
    int code = flush(store);
    if (code != SQLITE_OK)
        return code;
    chunk->series = key->series;
    chunk->period = key->period;
    chunk->id = 0;
    chunk->count = 0;
    chunk->low_ms = INT64_MIN;
    code = read_chunk(store, SQL_BUCKET_AT, key->start_ms);
    if (code == SQLITE_ROW)
        chunk->low_ms = chunk->rows[0].start_ms;
    else if (code == SQLITE_DONE) /* before all there are: it joins the first */
        code = read_chunk(store, SQL_BUCKET_AFTER, key->start_ms);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return code;
    code = find_next(store, chunk->count ? chunk->rows[0].start_ms : key->start_ms, &chunk->next_ms);
    if (code == SQLITE_OK && chunk->next_ms == INT64_MAX && chunk->count >= grown_up(chunk->period) &&
        key->start_ms > chunk->rows[chunk->count - 1].start_ms)
        code = begin_behind(store, key->start_ms);
    return code;
}

/* A full chunk lets go of what is complete: all of it, when the new bucket comes behind; else its half. */
static int make_room(struct eg_store *store, size_t *at)
{
    struct eg_fold_chunk *chunk = store->fold.chunk;
    size_t kept = *at == chunk->count ? chunk->count : chunk->count / 2;
    bool behind = *at > kept || kept == chunk->count;
    size_t from = behind ? 0 : kept, count = behind ? kept : chunk->count - kept;
    int code = write_rows(store, chunk, behind ? chunk->id : 0, from, count);
    if (code != SQLITE_OK)
        return code;
    if (behind) {
        chunk->id = 0;
        chunk->count -= kept;
        memmove(chunk->rows, chunk->rows + kept, chunk->count * sizeof *chunk->rows);
        *at -= kept;
        chunk->low_ms = chunk->count ? chunk->rows[0].start_ms : INT64_MIN;
    } else {
        chunk->next_ms = chunk->rows[kept].start_ms;
        chunk->count = kept;
    }
    return SQLITE_OK;
}

static int take_out(struct eg_fold_chunk *chunk, size_t at, int64_t start_ms)
{
    if (at < chunk->count && chunk->rows[at].start_ms == start_ms) {
        chunk->count--;
        memmove(chunk->rows + at, chunk->rows + at + 1, (chunk->count - at) * sizeof *chunk->rows);
    }
    return SQLITE_OK;
}

static int put_bucket(struct eg_store *store, const struct eg_rollup *row, bool whole)
{
    struct eg_fold_chunk *chunk = store->fold.chunk;
    size_t low = 0, high = chunk->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (chunk->rows[middle].start_ms < row->start_ms)
            low = middle + 1;
        else
            high = middle;
    }
    chunk->changed = true;
    if (whole && !row->count) /* all its readings are set aside by now */
        return take_out(chunk, low, row->start_ms);
    if (low < chunk->count && chunk->rows[low].start_ms == row->start_ms) {
        if (whole)
            chunk->rows[low] = *row;
        else
            eg_rollup_merge(&chunk->rows[low], row);
        return SQLITE_OK;
    }
    int code = chunk->count == EG_BUCKETS_MAX ? make_room(store, &low) : SQLITE_OK;
    if (code != SQLITE_OK)
        return code;
    memmove(chunk->rows + low + 1, chunk->rows + low, (chunk->count - low) * sizeof *chunk->rows);
    chunk->rows[low] = *row;
    chunk->count++;
    if (chunk->low_ms == INT64_MIN && !chunk->id)
        chunk->low_ms = row->start_ms;
    return SQLITE_OK;
}

/* --- put --- */

static int drop_row(struct eg_store *store, const struct eg_fold_key *key)
{
    sqlite3_stmt *sql = store->sql[SQL_ROLLUP_DROP];
    sqlite3_bind_int(sql, 1, key->period);
    sqlite3_bind_int64(sql, 2, key->start_ms);
    sqlite3_bind_int64(sql, 3, key->series);
    return eg_sql_run(store, SQL_ROLLUP_DROP);
}

static int put_row(struct eg_store *store, struct eg_fold_key *key)
{
    struct eg_fold_chunk *chunk = store->fold.chunk;
    sqlite3_stmt *sql = store->sql[SQL_ROLLUP_GET];
    struct eg_rollup row;
    bool whole = false;
    sqlite3_bind_int(sql, 1, key->period);
    sqlite3_bind_int64(sql, 2, key->start_ms);
    sqlite3_bind_int64(sql, 3, key->series);
    int code = sqlite3_step(sql);
    if (code == SQLITE_ROW)
        eg_rollup_read(sql, &row, &whole);
    sqlite3_reset(sql);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? SQLITE_OK : code; /* it was dropped meanwhile */
    code = SQLITE_OK;
    if (key->series != chunk->series || key->period != chunk->period || key->start_ms < chunk->low_ms ||
        key->start_ms >= chunk->next_ms)
        code = turn_to(store, key);
    if (code == SQLITE_OK)
        code = put_bucket(store, &row, whole);
    if (whole || code != SQLITE_OK)
        return code;
    key->changed = true; /* what may lie there later is another part */
    return drop_row(store, key);
}

static int put_within(struct eg_store *store, int64_t until_us)
{
    struct eg_fold *fold = &store->fold;
    int code = SQLITE_OK;
    if (!fold->chunk && !(fold->chunk = calloc(1, sizeof *fold->chunk)))
        return SQLITE_NOMEM;
    while (code == SQLITE_OK && fold->next < fold->count) {
        code = put_row(store, &fold->keys[fold->next]);
        if (code == SQLITE_OK && ++fold->next % 32 == 0 && eg_clock_mono_us() >= until_us)
            break;
    }
    return code == SQLITE_OK ? flush(store) : code;
}

static int drop_within(struct eg_store *store, int64_t until_us)
{
    struct eg_fold *fold = &store->fold;
    int code = SQLITE_OK;
    while (code == SQLITE_OK && fold->next < fold->count) {
        const struct eg_fold_key *key = &fold->keys[fold->next];
        if (!key->changed)
            code = drop_row(store, key);
        if (code == SQLITE_OK && ++fold->next % 32 == 0 && eg_clock_mono_us() >= until_us)
            break;
    }
    return code;
}

int eg_fold_within(struct eg_store *store, int64_t until_us)
{
    store->fold.next = store->fold.at;
    return store->fold.all_put ? drop_within(store, until_us) : put_within(store, until_us);
}

void eg_fold_done(struct eg_store *store, bool kept)
{
    struct eg_fold *fold = &store->fold;
    if (kept)
        fold->at = fold->next;
    if (!kept || (fold->at == fold->count && fold->all_put)) {
        fold->rows += fold->count - (fold->all_put ? fold->at : 0); /* gathered anew the next time */
        eg_fold_finish(store);
    } else if (fold->at == fold->count) {
        qsort(fold->keys, fold->count, sizeof *fold->keys, by_place);
        fold->all_put = true;
        fold->at = 0;
    }
}
