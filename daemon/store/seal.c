/* Background work between turns: the oldest part of the journal becomes chunks; what may go, goes (prune.c).
 * Called by turn.c's worker when no commit runs, in bites of some milliseconds, since a turn waits for the
 * bite that is under way.
 *
 * A run seals the turns (sealed_seq, seal_to]. Its bites: gather reads those turns into memory, chained by series, and decides
 * where the run ends; put writes the chunks of some series and, in the same transaction, how far it came (seal_series); the
 * last put moves sealed_seq on to seal_to; forget deletes turns that are sealed and whose packet identities can come back no
 * more; bare leaves the others nothing but these (bare.c). So at every moment each reading counts once: in its chunk when its turn is
 * up to sealed_seq, or up to seal_to with a series up to seal_series; else in the journal (stream.c asks exactly that). A journal row goes
 * only after all its readings are sealed. Killed in between, the run goes on from seal_series: its end lies on disk.
 *
 * Nothing here is news, it only lies elsewhere: bites commit without an fsync of their own. The log keeps the order, so the
 * next turn's fsync takes them along, and a power cut loses a bite whole or not at all. */
#include <store/inside.h>
#include <store/salvage.h>
#include <base/clock.h>

#include <stdlib.h>
#include <string.h>

#define FORGET_ROWS 64 /* between two looks at the clock */

/* How many readings, of `most` in a town of many series. */
static uint64_t for_few(const struct eg_store *store, uint64_t most, uint64_t part)
{
    uint64_t few = (uint64_t)store->series_most * EG_SEAL_A_SERIES;
    few = (few < EG_SEAL_LEAST ? EG_SEAL_LEAST : few) / part;
    return most < few ? most : few;
}

/* What may be sealed. */
static uint64_t unsealed(const struct eg_store *store)
{
    uint64_t stored = eg_clock_seal_stored(store);
    return stored > store->sealed_stored ? stored - store->sealed_stored : 0;
}

/* --- gather --- */

struct gather {
    struct eg_store *store;
    uint32_t longest; /* chain of a series */
    int code;
};

static void end_run(struct eg_seal *seal)
{
    free(seal->rows);
    free(seal->chains);
    free(seal->sorted);
    memset(seal, 0, sizeof *seal);
}

void eg_seal_finish(struct eg_store *store)
{
    eg_fold_finish(store);
    end_run(&store->seal);
}

static bool more_rows(struct eg_seal *seal)
{
    size_t more = seal->capacity ? seal->capacity * 2 : 8192;
    struct eg_seal_row *grown = realloc(seal->rows, more * sizeof *grown);
    if (!grown)
        return false;
    seal->rows = grown;
    seal->capacity = more;
    return true;
}

static bool take(void *arg, const struct eg_row_reading *row)
{
    struct gather *gather = arg;
    struct eg_seal *seal = &gather->store->seal;
    if (!row->series || row->series > seal->last_series)
        gather->code = EG_ECORRUPT;
    else if (seal->count == seal->capacity && !more_rows(seal))
        gather->code = EG_ENOMEM;
    if (gather->code != EG_OK)
        return false;
    struct eg_seal_chain *chain = &seal->chains[row->series];
    seal->rows[seal->count] = (struct eg_seal_row){row->time_ms, row->value, chain->newest, row->flags};
    chain->newest = (uint32_t)++seal->count;
    if (++chain->count > gather->longest)
        gather->longest = chain->count;
    return true;
}

/* Series may have come since the last bite. */
static int make_chains(struct eg_store *store, struct eg_err *err)
{
    struct eg_seal *seal = &store->seal;
    sqlite3_stmt *sql = store->sql[SQL_SERIES_MOST];
    uint32_t last = sqlite3_step(sql) == SQLITE_ROW ? (uint32_t)sqlite3_column_int64(sql, 0) : 0;
    sqlite3_reset(sql);
    if (seal->chains && last <= seal->last_series)
        return EG_OK;
    struct eg_seal_chain *grown = realloc(seal->chains, ((size_t)last + 1) * sizeof *grown);
    if (!grown)
        return eg_err_set(err, EG_ENOMEM, "no memory to seal the journal");
    size_t had = seal->chains ? (size_t)seal->last_series + 1 : 0;
    memset(grown + had, 0, ((size_t)last + 1 - had) * sizeof *grown);
    seal->chains = grown;
    seal->last_series = last;
    return EG_OK;
}

/* A run that was begun ends where it is written; a new one when it is full, or a series has a full chunk. */
static bool full(const struct eg_store *store, const struct gather *gather)
{
    const struct eg_seal *seal = &store->seal;
    if (store->seal_to > store->sealed_seq)
        return seal->read_seq >= store->seal_to;
    return seal->count >= for_few(store, store->seal_run, 2) || gather->longest >= EG_CHUNK_POINTS;
}

static int gather_some(struct eg_store *store, int64_t until_us, struct eg_err *err)
{
    struct eg_seal *seal = &store->seal;
    struct gather gather = {store, 0, EG_OK};
    sqlite3_stmt *sql = store->sql[SQL_TURNS];
    int code = make_chains(store, err);
    if (code != EG_OK)
        return code;
    if (!seal->read_seq)
        seal->read_seq = store->sealed_seq;
    sqlite3_bind_int64(sql, 1, seal->read_seq);
    int step = SQLITE_ROW;
    while (gather.code == EG_OK && !seal->gathered && (step = sqlite3_step(sql)) == SQLITE_ROW) {
        const uint8_t *blob = sqlite3_column_blob(sql, 2);
        if (sqlite3_column_int64(sql, 0) > eg_clock_seal_to(store)) {
            step = SQLITE_DONE; /* what the clock in doubt has dated stays here until it is dated anew */
            break;
        }
        seal->read_seq = sqlite3_column_int64(sql, 0);
        seal->stored = (uint64_t)sqlite3_column_int64(sql, 3);
        if (blob && eg_pack_each_reading(blob, (size_t)sqlite3_column_bytes(sql, 2),
                                         sqlite3_column_int64(sql, 1), take, &gather) != EG_OK)
            gather.code = EG_ECORRUPT;
        seal->gathered = full(store, &gather);
        if (eg_clock_mono_us() >= until_us)
            break;
    }
    seal->gathered = seal->gathered || step == SQLITE_DONE;
    if (seal->gathered && seal->read_seq == store->sealed_seq)
        seal->stored =
            eg_clock_seal_stored(store); /* no turn is left: nothing more to seal, whatever was counted */
    int64_t at = seal->read_seq;
    if (gather.code == EG_ECORRUPT)
        code = eg_err_set(err, EG_ECORRUPT, "turn %lld of the journal is damaged: run ecogovd --verify",
                          (long long)at);
    else if (gather.code != EG_OK)
        code = eg_err_set(err, EG_ENOMEM, "no memory to seal the journal");
    else if (step != SQLITE_ROW && step != SQLITE_DONE)
        code = eg_sql_error(store->db, err, "reading the journal");
    sqlite3_reset(sql);
    if (code != EG_OK)
        end_run(seal); /* gathered anew the next time */
    return code;
}

/* --- put --- */

static bool room_to_sort(struct eg_seal *seal, size_t count)
{
    if (count <= seal->sorted_capacity)
        return true;
    struct eg_aged *grown = realloc(seal->sorted, 2 * count * sizeof *grown);
    if (!grown)
        return false;
    seal->sorted = grown;
    seal->sorted_capacity = 2 * count;
    return true;
}

/* What is young of a series and its chain as one array, ascending by time and age. False: no memory. */
static bool sort_chain(struct eg_seal *seal, uint32_t series, const struct eg_point *young,
                       size_t young_count)
{
    const struct eg_seal_chain *chain = &seal->chains[series];
    size_t all = young_count + chain->count, at = all;
    bool ascends = true;
    if (!room_to_sort(seal, all))
        return false;
    for (uint32_t row = chain->newest; row; row = seal->rows[row - 1].before) {
        const struct eg_seal_row *from = &seal->rows[row - 1];
        seal->sorted[--at] = (struct eg_aged){{from->time_ms, from->value, from->flags}, 0, row, series};
        ascends = ascends && (at + 1 == all || from->time_ms <= seal->sorted[at + 1].point.time_ms);
    }
    for (; at; at--)
        seal->sorted[at - 1] = (struct eg_aged){young[at - 1], 0, 0, series}; /* rows count from 1: older */
    if (young_count && young[young_count - 1].time_ms > seal->sorted[young_count].point.time_ms)
        ascends = false;
    if (!ascends)
        qsort(seal->sorted, all, sizeof *seal->sorted, eg_aged_compare);
    return true;
}

/* The run's last turn tells the age of what it writes. */
static int put_series(struct eg_store *store, uint32_t series)
{
    struct eg_point young[EG_CHUNK_POINTS];
    size_t count = 0;
    int code = eg_grow_young(store, series, young, &count);
    if (code == SQLITE_OK && !sort_chain(&store->seal, series, young, count))
        code = SQLITE_NOMEM;
    if (code == SQLITE_OK)
        code = eg_grow_put(store, series, store->seal.read_seq, store->seal.sorted,
                           count + store->seal.chains[series].count);
    return code;
}

static int put_within(struct eg_store *store, int64_t until_us, uint32_t *ret_series)
{
    const struct eg_seal *seal = &store->seal;
    uint32_t series = store->seal_to > store->sealed_seq ? store->seal_series : 0;
    int code = SQLITE_OK;
    do {
        if (series == seal->last_series)
            break;
        series++;
        if (seal->chains[series].count)
            code = put_series(store, series);
    } while (code == SQLITE_OK && eg_clock_mono_us() < until_us);
    if (code == SQLITE_OK)
        code = eg_meta_put(store, "seal_to", seal->read_seq);
    if (code == SQLITE_OK)
        code = eg_meta_put(store, "seal_series", series);
    if (code == SQLITE_OK && series == seal->last_series)
        code = eg_meta_put(store, "sealed_seq", seal->read_seq);
    if (code == SQLITE_OK && series == seal->last_series)
        code = eg_meta_put(store, "sealed_stored", (int64_t)seal->stored);
    *ret_series = series;
    return code;
}

static void put_done(struct eg_store *store, uint32_t series)
{
    store->seal_to = store->seal.read_seq;
    store->seal_series = series;
    if (series < store->seal.last_series)
        return;
    store->sealed_seq = store->seal.read_seq;
    store->sealed_stored = store->seal.stored;
    store->forget = store->bare = true;
    store->nothing_left = false;
    store->spared_ms = INT64_MIN; /* what came late is older than what was looked at */
    end_run(&store->seal);
}

/* --- forget --- */

/* The newest turn stays: the counters stand in it. */
static int forget_within(struct eg_store *store, int64_t until_us, bool *ret_more)
{
    sqlite3_stmt *sql = store->sql[SQL_TURN_PRUNE];
    int code;
    sqlite3_bind_int64(sql, 1, store->sealed_seq < store->seq ? store->sealed_seq : store->seq - 1);
    sqlite3_bind_int64(sql, 2, (int64_t)store->counters.received - EG_IDENTS_KEPT);
    sqlite3_bind_int(sql, 3, FORGET_ROWS);
    do
        code = eg_sql_run(store, SQL_TURN_PRUNE);
    while (code == SQLITE_OK && sqlite3_changes(store->db) == FORGET_ROWS && eg_clock_mono_us() < until_us);
    *ret_more = code == SQLITE_OK && sqlite3_changes(store->db) == FORGET_ROWS;
    return code;
}

/* --- one bite --- */

enum work { NOTHING, WRITE_BACK, PRUNE, FORGET, BARE, GATHER, PUT, FOLD_GATHER, FOLD };

static bool enough(const struct eg_store *store)
{
    return store->seal.read_seq || store->seal_to > store->sealed_seq ||
           unsealed(store) >= for_few(store, store->seal_at, 1);
}

/* Room before all that needs some. */
static enum work next_work(const struct eg_store *store)
{
    bool is_short = atomic_load(&store->short_of_room); /* then only what makes some */
    return eg_log_due(store)       ? WRITE_BACK
           : eg_prune_tight(store) ? PRUNE
           : is_short              ? store->prune ? PRUNE : NOTHING
           : store->forget         ? FORGET
           : store->bare           ? BARE
           : store->seal.gathered  ? PUT
           : enough(store)         ? GATHER
           : store->fold.gathered  ? FOLD
           : eg_fold_due(store)    ? FOLD_GATHER
           : store->prune          ? PRUNE
                                   : NOTHING;
}

/* More lies there than a run takes: the file would grow by it for good. */
bool eg_seal_behind(const struct eg_store *store)
{
    return unsealed(store) >= 2 * for_few(store, store->seal_at, 1);
}

static int write_bite(struct eg_store *store, enum work work, int64_t now_ms, int64_t until_us,
                      struct eg_err *err)
{
    uint32_t series = 0;
    bool more = false;
    sqlite3_exec(store->db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    int code = eg_sql_run(store, SQL_BEGIN);
    if (code == SQLITE_OK)
        code = work == PUT     ? put_within(store, until_us, &series)
               : work == PRUNE ? eg_prune_within(store, now_ms, until_us)
               : work == BARE  ? eg_bare_within(store, until_us)
               : work == FOLD  ? eg_fold_within(store, until_us)
                               : forget_within(store, until_us, &more);
    if (code == SQLITE_OK)
        code = eg_sql_run(store, SQL_COMMIT);
    int result =
        code == SQLITE_OK      ? EG_OK
        : code == SQLITE_NOMEM ? eg_err_set(err, EG_ENOMEM, "no memory to seal the journal")
        : code == SQLITE_CORRUPT
            ? eg_err_set(err, EG_ECORRUPT, "a sealed chunk is damaged: run ecogovd --verify")
            : eg_sql_error(store->db, err, work == PRUNE ? "dropping old readings" : "sealing the journal");
    if (!sqlite3_get_autocommit(store->db))
        eg_sql_run(store, SQL_ROLLBACK);
    sqlite3_exec(store->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    if (work == PRUNE)
        eg_prune_done(store, result == EG_OK);
    if (work == PRUNE || work == BARE)
        eg_bare_done(store, result == EG_OK);
    if (work == FOLD)
        eg_fold_done(store, result == EG_OK);
    if (result == EG_OK && work == PUT)
        put_done(store, series);
    else if (result == EG_OK && work == FORGET)
        store->forget = more;
    return result;
}

int eg_store_tidy(struct eg_store *store, int64_t now_ms, int64_t budget_us, bool *ret_more,
                  struct eg_err *err)
{
    int64_t until_us =
        eg_clock_mono_us() + budget_us / 2; /* the other half is for COMMIT, which writes the pages */
    int code = EG_OK;
    *ret_more = false;
    if (now_ms >= store->prune_at_ms) {
        store->prune = true;
        store->prune_at_ms = now_ms + eg_age_every(&store->age);
    }
    enum work work = next_work(store);
    if (work == NOTHING) {
        eg_room_regain(store);
        return EG_OK;
    }
    if (work == WRITE_BACK)
        eg_log_write_back(store);
    else if (work == GATHER)
        code = gather_some(store, until_us, err);
    else if (work == FOLD_GATHER)
        code = eg_fold_gather(store, until_us, err);
    else
        code = write_bite(store, work, now_ms, until_us, err);
    if (code == EG_ECORRUPT)
        eg_salvage_suspect(store->path);
    if (code == EG_EFULL && (work == PUT || work == FOLD) && store->pages_wanted < store->max_pages / 2) {
        store->pages_wanted =
            store->max_pages / 2; /* a run of sealing is a guest, too: room first, if max_size is why */
        eg_prune_measure(store);
        *ret_more = eg_prune_tight(store);
        return *ret_more ? EG_OK : code;
    }
    if (code == EG_OK) {
        eg_sql_figures(store);
        *ret_more = next_work(store) != NOTHING;
    }
    return code;
}
