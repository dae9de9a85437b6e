/* The chain over the append-only history of cases: each event carries the SHA-256 of the one before it and itself, so that one that was
 * changed, put in or taken out is seen. Private to the store. */
#ifndef EG_STORE_HISTORY_H
#define EG_STORE_HISTORY_H
#include <base/buf.h>
#include <base/err.h>
#include <base/sha256.h>
#include <pipeline/batch.h>
#include <sqlite3.h>

struct eg_history { /* the newest event; all zero: none */
    int64_t seq;
    uint8_t hash[EG_SHA256_BYTES];
};
/* Moves on to `row`, the event behind. */
void eg_history_link(struct eg_history *history, const struct eg_case_event *row);
/* The end of the chain, as its last event has it. */
int eg_history_load(sqlite3 *db, struct eg_history *ret, struct eg_err *err);
/* Binds the head as meta keeps it: the last event cannot go unseen either. */
#define EG_HISTORY_KEY "history"
#define EG_HISTORY_BYTES (8 + EG_SHA256_BYTES)
void eg_history_write(const struct eg_history *history, uint8_t ret[EG_HISTORY_BYTES]);
/* eg_history_chain() in SQL: gives every event its number and hash anew, in the order they have or were known in. For a migration and a
 * salvage, while the trigger that forbids it is away. */
int eg_history_register(sqlite3 *db);
void eg_history_check(sqlite3 *db, struct eg_buf *findings);
#endif
