/* The pages of a database file that SQLite may refuse to read: what rows its leaves hold. Private to the store; hostile bytes. */
#ifndef EG_STORE_PAGES_H
#define EG_STORE_PAGES_H
#include <base/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EG_PAGES_COLUMNS 48 /* a case has 42 */
struct eg_cell_value {
    enum { EG_CELL_NULL, EG_CELL_INT, EG_CELL_REAL, EG_CELL_TEXT, EG_CELL_BLOB } type;
    int64_t number;
    double real;
    const uint8_t *bytes;
    size_t length;
};
struct eg_cell {
    bool table;    /* of a table with rowids; else of an index, or a table without rowids */
    int64_t rowid; /* of a table's */
    size_t count;
    struct eg_cell_value values[EG_PAGES_COLUMNS];
};
struct eg_pages_found {
    uint32_t pages, broken; /* in the file; of these, such as are no page of a database, or not whole */
};
/* Reads the file at `path` and what is committed in its log; hands each row of each page that is in use to `each`, borrowed for the
 * call. EG_EIO: the file cannot be read at all. */
int eg_pages_each(const char *path, void (*each)(void *arg, const struct eg_cell *cell), void *arg,
                  struct eg_pages_found *ret, struct eg_err *err);
#endif
