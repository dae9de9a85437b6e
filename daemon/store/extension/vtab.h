/* What the tables of the extension have in common. Private to it. */
#ifndef EG_VTAB_H
#define EG_VTAB_H
#include <store/inside.h>

struct eg_vtab {
    sqlite3_vtab base;
    sqlite3 *db;
};
struct eg_vtab_cursor { /* stands first in each table's own */
    sqlite3_vtab_cursor base;
    struct eg_err err;
    sqlite3_int64 row;
    bool end;
};
/* For xConnect: declares the table and makes `size` bytes of it, zeroed, a struct eg_vtab first. An SQLite code. */
int eg_vtab_connect(sqlite3 *db, const char *declaration, size_t size, sqlite3_vtab **ret);
int eg_vtab_disconnect(sqlite3_vtab *base);
int eg_vtab_best_index(sqlite3_vtab *base, sqlite3_index_info *info);
/* For xOpen: `size` bytes of a cursor at its end, zeroed, a struct eg_vtab_cursor first; sqlite3_free() ends it. */
int eg_vtab_open(size_t size, sqlite3_vtab_cursor **ret);
int eg_vtab_eof(sqlite3_vtab_cursor *base);
int eg_vtab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret);
/* The cursor's error as the table's, after `where` if there is one. An SQLite code. */
int eg_vtab_fail(struct eg_vtab_cursor *cursor, const char *where);
#endif
