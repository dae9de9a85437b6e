/* Stands before every file that goes into the loadable extension: whatever calls SQLite calls the SQLite of the program that loaded
 * it, which may be linked into that program (Python, Grafana) and is not ours. */
#ifndef EG_HOST_H
#define EG_HOST_H
#include <sqlite3ext.h>
/* SQLITE_EXTENSION_INIT3; set once, by sqlite3_ecogov_init() */
extern const sqlite3_api_routines *sqlite3_api;
#endif
