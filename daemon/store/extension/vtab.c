/* What SQLite asks of a virtual table whatever is in it. Knows nothing of rows. Called by SQLite through readings.c and indices.c. */
#include <store/extension/vtab.h>
#include <store/extension/plan.h>

#include <string.h>

int eg_vtab_connect(sqlite3 *db, const char *declaration, size_t size, sqlite3_vtab **ret)
{
    int code = sqlite3_declare_vtab(db, declaration);
    if (code != SQLITE_OK)
        return code;
    struct eg_vtab *table = sqlite3_malloc((int)size);
    if (!table)
        return SQLITE_NOMEM;
    memset(table, 0, size);
    table->db = db;
    sqlite3_vtab_config(db,
                        SQLITE_VTAB_INNOCUOUS); /* it only reads what the same database may be asked anyhow */
    *ret = &table->base;
    return SQLITE_OK;
}

int eg_vtab_disconnect(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

int eg_vtab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    return eg_plan_choose(info);
}

int eg_vtab_open(size_t size, sqlite3_vtab_cursor **ret)
{
    struct eg_vtab_cursor *cursor = sqlite3_malloc((int)size);
    if (!cursor)
        return SQLITE_NOMEM;
    memset(cursor, 0, size);
    cursor->end = true;
    *ret = &cursor->base;
    return SQLITE_OK;
}

int eg_vtab_eof(sqlite3_vtab_cursor *base)
{
    return ((struct eg_vtab_cursor *)base)->end;
}

int eg_vtab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
    *ret = ((struct eg_vtab_cursor *)base)->row;
    return SQLITE_OK;
}

int eg_vtab_fail(struct eg_vtab_cursor *cursor, const char *where)
{
    const bool said = where && *where;
    sqlite3_free(cursor->base.pVtab->zErrMsg);
    cursor->base.pVtab->zErrMsg =
        sqlite3_mprintf("%s%s%s", said ? where : "", said ? ": " : "", cursor->err.text);
    return cursor->err.code == EG_ECORRUPT ? SQLITE_CORRUPT_VTAB : SQLITE_ERROR;
}
