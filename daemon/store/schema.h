/* The database's shape, as numbered migrations. Private to the store. */
#ifndef EG_SCHEMA_H
#define EG_SCHEMA_H
#include <base/err.h>
#include <sqlite3.h>
#define EG_SCHEMA_VERSION 25
#define EG_SCHEMA_SITES 22               /* since then it says what land is used for */
#define EG_SCHEMA_FOLDED 6               /* from here on closed buckets lie in chunks, too */
#define EG_SCHEMA_APPLICATION 0x45636f67 /* "Ecog" */
/* Brings the database to EG_SCHEMA_VERSION, each step in a transaction. Newer than that, or not ours: refused. */
int eg_schema_migrate(sqlite3 *db, const char *path, struct eg_err *err);
#endif
