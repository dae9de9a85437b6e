/* The rows of cases against their history. Private to the store. */
#ifndef EG_STORE_PROOF_H
#define EG_STORE_PROOF_H
#include <base/buf.h>
#include <sqlite3.h>

/* In meta: the last event that was there when rows began to be kept as proof.c knows them, by the migration; and the last one that was
 * there when the rows were read from a damaged file, and believed. */
#define EG_PROOF_KEY "told_since"
#define EG_PROOF_BELIEVED_KEY "believed_to"
/* In meta: how many entries of evidence were written. */
#define EG_EVIDENCE_KEY "evidence"
void eg_proof_check(sqlite3 *db, struct eg_buf *findings);
#endif
