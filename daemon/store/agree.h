/* Rows that were saved from a damaged database, made to agree with each other. Private to the store. */
#ifndef EG_STORE_AGREE_H
#define EG_STORE_AGREE_H
#include <sqlite3.h>
#include <stdint.h>
/* Within the transaction that put them in. An SQLite code; *ret_stored: readings that are there. Leaves for the list: temp tables `was`
 * (the turns as they were found) and `whose` (series that are known). */
int eg_agree_make(sqlite3 *db, int64_t *ret_stored);
#endif
