/* The write-ahead log: how long it is, and writing it back into the file. Knows when that is due and what it cost; refuses to know what the
 * pages hold. Called by seal.c between turns; by commit.c only when tidying could not keep up. */
#include <store/inside.h>

/* A reader held the log, or the disk refused: so much more, and it is tried again. */
#define AGAIN_PAGES(store) (atomic_load(&(store)->short_of_room) ? 16 : 250)

/* SQLite's hook: after each commit of the writer. A log that is shorter than before was begun anew. */
int eg_log_note(void *user, sqlite3 *db, const char *name, int pages)
{
    struct eg_store *store = user;
    (void)db;
    (void)name;
    if (pages < store->wal_pages) {
        store->wal_due = atomic_load(&store->short_of_room) ? EG_WAL_PAGES_SHORT : EG_WAL_PAGES;
        store->wal_moved = 0;
    }
    store->wal_pages = pages;
    return SQLITE_OK;
}

bool eg_log_due(const struct eg_store *store)
{
    return store->wal_pages > store->wal_due;
}

/* Waits for no reader. A refusal is not news: the log stays, longer, and commits say so when the disk is full. */
void eg_log_write_back(struct eg_store *store)
{
    int log = 0, moved = 0;
    if (sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &moved) == SQLITE_OK &&
        moved > store->wal_moved) {
        eg_flash_moved(store, store->wal_moved, moved);
        store->wal_moved = moved;
    }
    store->wal_due = store->wal_pages + AGAIN_PAGES(store);
}
