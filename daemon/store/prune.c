/* What goes: readings and rollups that are older than they are kept, and, when the file comes near max_size, whatever is oldest. Knows the
 * order in which things may be missed: what lies sealed a second time in the journal, chunks no case stands on, chunks of a case, what
 * is still young, then hours, then days. Cases give way to nothing. Pages that become free are used again; nothing is moved, so no room
 * is needed to make room. Called by seal.c, in bites. */
#include <store/inside.h>
#include <base/clock.h>

#define BATCH 64 /* rows between two looks at the clock */

int64_t eg_prune_reserve(int64_t max_pages)
{
    int64_t part = max_pages / 8; /* for the next turns and a run of sealing, until a bite comes by */
    return part < 32 ? 32 : part > 1024 ? 1024 : part;
}

void eg_prune_measure(struct eg_store *store)
{
    sqlite3_stmt *sql = store->sql[SQL_PAGES];
    if (sqlite3_step(sql) == SQLITE_ROW)
        store->pages_free = store->max_pages - sqlite3_column_int64(sql, 0) + sqlite3_column_int64(sql, 1);
    sqlite3_reset(sql);
}

bool eg_prune_tight(const struct eg_store *store)
{
    return store->pages_free < store->pages_wanted && !store->nothing_left;
}

/* --- chunks --- */

struct old {
    int64_t id, time_ms;
    uint64_t count;
    bool evidence;
};

/* The next old chunks behind the place given. */
static int list_old(struct eg_store *store, const struct old *behind, struct old ret[BATCH],
                    size_t *ret_count)
{
    sqlite3_stmt *sql = store->sql[SQL_CHUNK_OLD];
    int code;
    *ret_count = 0;
    sqlite3_bind_int64(sql, 1, behind->time_ms);
    sqlite3_bind_int64(sql, 2, behind->id);
    sqlite3_bind_int(sql, 3, BATCH);
    while ((code = sqlite3_step(sql)) == SQLITE_ROW && *ret_count < BATCH)
        ret[(*ret_count)++] =
            (struct old){sqlite3_column_int64(sql, 0), sqlite3_column_int64(sql, 1),
                         (uint64_t)sqlite3_column_int64(sql, 2), sqlite3_column_int(sql, 3) != 0};
    sqlite3_reset(sql);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int drop_old(struct eg_store *store, const struct old *old, size_t count, bool evidence_too)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++) {
        if (old[i].evidence && !evidence_too)
            continue;
        sqlite3_bind_int64(store->sql[SQL_CHUNK_DROP], 1, old[i].id);
        code = eg_sql_run(store, SQL_CHUNK_DROP);
        store->dropping += old[i].count;
    }
    return code;
}

/* --- room --- */

static int drop_young(struct eg_store *store, size_t *ret_count)
{
    sqlite3_stmt *sql = store->sql[SQL_YOUNG_OLD];
    int code;
    sqlite3_bind_int(sql, 1, BATCH);
    for (*ret_count = 0; (code = sqlite3_step(sql)) == SQLITE_ROW; ++*ret_count)
        store->dropping += (uint64_t)sqlite3_column_int64(sql, 0);
    sqlite3_reset(sql);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* When no reading is left: hours, then days. */
static int drop_folded(struct eg_store *store)
{
    int code = SQLITE_OK;
    for (int period = EG_PERIOD_HOUR; code == SQLITE_OK && period < EG_PERIOD_COUNT; period++) {
        sqlite3_bind_int(store->sql[SQL_BUCKET_OLD], 1, period);
        sqlite3_bind_int(store->sql[SQL_BUCKET_OLD], 2, BATCH);
        code = eg_sql_run(store, SQL_BUCKET_OLD);
        if (code == SQLITE_OK && sqlite3_changes(store->db))
            return code;
    }
    store->nothing_left = code == SQLITE_OK;
    return code;
}

/* One step towards more room. */
static int make_some_room(struct eg_store *store)
{
    struct old old[BATCH];
    size_t count = 0;
    bool done = false;
    const struct old oldest = {.time_ms = INT64_MIN}, behind = {store->spared_id, store->spared_ms, 0, false};
    int code = eg_bare_some(store, &done);
    if (code != SQLITE_OK || !done)
        return code;
    code = list_old(store, &behind, old, &count);
    if (code == SQLITE_OK && count) { /* chunks of cases are passed over, and not looked at again */
        store->spared_id = old[count - 1].id;
        store->spared_ms = old[count - 1].time_ms;
        return drop_old(store, old, count, false);
    }
    if (code == SQLITE_OK)
        code = list_old(store, &oldest, old, &count);
    if (code == SQLITE_OK && count)
        return drop_old(store, old, count, true);
    if (code == SQLITE_OK)
        code = drop_young(store, &count);
    return code == SQLITE_OK && !count ? drop_folded(store) : code;
}

/* --- one bite --- */

int eg_prune_within(struct eg_store *store, int64_t now_ms, int64_t until_us)
{
    int code = SQLITE_OK;
    bool done = false;
    store->dropping = 0;
    do {
        eg_prune_measure(store);
        if (eg_prune_tight(store))
            code = make_some_room(store);
        else if (store->prune)
            code = eg_age_some(store, now_ms, &done);
        else
            break;
        store->prune = store->prune && !done;
    } while (code == SQLITE_OK && eg_clock_mono_us() < until_us);
    return code == SQLITE_OK && store->dropping
               ? eg_meta_put(store, "dropped", (int64_t)(store->dropped + store->dropping))
               : code;
}

/* After COMMIT, or after it failed: then the next pass looks at everything anew. */
void eg_prune_done(struct eg_store *store, bool kept)
{
    if (kept) {
        store->dropped += store->dropping;
    } else {
        store->spared_id = 0;
        store->spared_ms = INT64_MIN;
        store->prune = true;
    }
    store->dropping = 0;
}
