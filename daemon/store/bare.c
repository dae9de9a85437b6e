/* Turns whose readings lie in chunks are kept for their packet identities alone: many become one row, without readings. Knows turns and
 * identities; refuses to know when an identity may go (seal.c). Called by seal.c after each run of sealing, and by prune.c when room is
 * short, in bites. How far it came is written with each bite. */
#include <store/inside.h>
#include <base/clock.h>

#define TURNS 64    /* that become one */
#define IDENTS 256u /* a row is full: it goes whole, once all of them are too old to come back */
#define MOST                                                                                                 \
    (2u << 20) /* identities of one batch of turns, in bytes; a turn holds 8,192 events at the most */

static void take_ident(void *arg, uint16_t mid, uint32_t hash)
{
    const struct eg_row_ident row = {mid, hash};
    eg_buf_add(arg, &row, sizeof row);
}

/* The next sealed turns behind bare_seq, their packet identities in order. *ret_to: the last of them, 0: there are none. */
static int gather(struct eg_store *store, struct eg_buf *rows, int64_t *ret_from, int64_t *ret_to)
{
    sqlite3_stmt *sql = store->sql[SQL_TURN_SEALED];
    int code;
    *ret_from = *ret_to = 0;
    sqlite3_bind_int64(sql, 1, store->bare_next);
    sqlite3_bind_int64(sql, 2, store->sealed_seq);
    sqlite3_bind_int(sql, 3, TURNS);
    while ((code = sqlite3_step(sql)) == SQLITE_ROW && rows->length < IDENTS * sizeof(struct eg_row_ident)) {
        const uint8_t *blob = sqlite3_column_blob(sql, 1);
        int64_t seq = sqlite3_column_int64(sql, 0);
        size_t held = rows->length;
        if (blob &&
            eg_pack_each_ident(blob, (size_t)sqlite3_column_bytes(sql, 1), take_ident, rows) != EG_OK) {
            rows->length = held;
            if (*ret_to)
                break;
            store->bare_next = seq; /* damaged: it stays as it is, for --verify to say */
            continue;
        }
        *ret_to = seq;
        if (!*ret_from)
            *ret_from = seq;
    }
    sqlite3_reset(sql);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int write(struct eg_store *store, const struct eg_buf *rows, int64_t from, int64_t to)
{
    sqlite3_stmt *drop = store->sql[SQL_TURN_FOLD], *bare = store->sql[SQL_TURN_BARE];
    eg_buf_clear(&store->idents);
    if (rows->length && !eg_pack_idents(&store->idents, (const struct eg_row_ident *)(const void *)rows->data,
                                        rows->length / sizeof(struct eg_row_ident)))
        return SQLITE_NOMEM;
    sqlite3_bind_int64(drop, 1, from);
    sqlite3_bind_int64(drop, 2, to);
    int code = eg_sql_run(store, SQL_TURN_FOLD);
    sqlite3_bind_int64(bare, 1, to);
    if (store->idents.length)
        sqlite3_bind_blob64(bare, 2, store->idents.data, store->idents.length, SQLITE_STATIC);
    else
        sqlite3_bind_null(bare, 2);
    return code == SQLITE_OK ? eg_sql_run(store, SQL_TURN_BARE) : code;
}

int eg_bare_some(struct eg_store *store, bool *ret_done)
{
    struct eg_buf rows;
    int64_t from, to;
    eg_buf_init(&rows, MOST);
    int code = gather(store, &rows, &from, &to);
    *ret_done = code != SQLITE_OK || !to || rows.failed;
    if (!*ret_done) {
        code = write(store, &rows, from, to);
        store->bare_next = to;
    }
    eg_buf_finish(&rows);
    if (code == SQLITE_OK && store->bare_next != store->bare_seq)
        code = eg_meta_put(store, "bare_seq", store->bare_next);
    return code;
}

int eg_bare_within(struct eg_store *store, int64_t until_us)
{
    bool done = false;
    int code;
    do
        code = eg_bare_some(store, &done);
    while (code == SQLITE_OK && !done && eg_clock_mono_us() < until_us);
    if (code == SQLITE_OK && done)
        store->bare = false;
    return code;
}

void eg_bare_done(struct eg_store *store, bool kept)
{
    if (kept)
        store->bare_seq = store->bare_next;
    else
        store->bare_next = store->bare_seq;
}
