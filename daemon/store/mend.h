/* A new database out of the rows that a damaged one's pages gave. Private to the store. */
#ifndef EG_STORE_MEND_H
#define EG_STORE_MEND_H
#include <base/buf.h>
#include <base/err.h>
#include <sqlite3.h>
#include <stdbool.h>
/* Fills the empty database `db` from the file at `from`; the list of what was found and lost, a sentence a line, goes to `list`, the
 * sentence for `status` first. EG_ENOTFOUND: not a single row of ours is in there, though it is not known to be `ours`. */
int eg_mend_fill(sqlite3 *db, const char *from, bool ours, struct eg_buf *list, struct eg_err *err);
#endif
