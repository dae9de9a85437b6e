/* The salvage's reader of raw pages: whatever the file and its log hold, it comes to an end, and each row it hands out lies in bounds.
 *
 * Input: byte 0 chooses; the rest are edits (a page, a place in it, how many bytes, the bytes) to a small real database and to the log
 * beside it, made when the harness starts: so that a few bytes reach deep. With an odd byte 0 the rest is itself the page that the
 * file consists of, so that the fuzzer may make one from nothing. */
#include "input.h"

#include <sqlite3.h>
#include <store/pages.h>

#include <fcntl.h>
#include <unistd.h>

#define PAGE 4096
#define FILE_MOST (64 * PAGE)

static struct image {
    uint8_t bytes[FILE_MOST];
    size_t length;
} database, journal; /* as SQLite left them */
static char folder[] = "/tmp/eg-fuzz-pages-XXXXXX", path[64], log_path[80];

static void leave(void)
{
    unlink(path);
    unlink(log_path);
    rmdir(folder);
}

static void read_image(const char *from, struct image *image)
{
    int file = open(from, O_RDONLY);
    ssize_t length = file >= 0 ? read(file, image->bytes, sizeof image->bytes) : -1;
    DEMAND(length > PAGE, "%s: %zd bytes", from, length);
    image->length = (size_t)length;
    close(file);
}

static void write_image(const char *to, const uint8_t *bytes, size_t length)
{
    int file = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    DEMAND(file >= 0 && write(file, bytes, length) == (ssize_t)length, "%s cannot be written", to);
    close(file);
}

int LLVMFuzzerInitialize(int *count, char ***arguments);

/* Tables with and without row numbers, an index, long rows, pages that were freed; some of it in the log alone. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const char sql[] =
        "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
        "CREATE TABLE a(id INTEGER PRIMARY KEY, t TEXT, r REAL, b BLOB);"
        "CREATE TABLE b(k TEXT, n INTEGER, PRIMARY KEY(k,n)) WITHOUT ROWID; CREATE INDEX c ON a(t);"
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<90)"
        " INSERT INTO a SELECT i, 'text '||i, i/7.0, zeroblob(i*i) FROM n;"
        "INSERT INTO b SELECT t||hex(zeroblob(id)), id<<(id%60) FROM a; DELETE FROM a WHERE id%3=0;"
        "PRAGMA wal_checkpoint(TRUNCATE); UPDATE a SET r=-r WHERE id%5=1; INSERT INTO a "
        "VALUES(1000,'new',0,NULL);";
    sqlite3 *db = NULL;
    (void)count, (void)arguments;
    DEMAND(mkdtemp(folder), "no folder");
    snprintf(path, sizeof path, "%s/f.db", folder);
    snprintf(log_path, sizeof log_path, "%s-wal", path);
    DEMAND(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
           sqlite3_errmsg(db));
    read_image(path, &database);
    read_image(log_path, &journal);
    sqlite3_close(db);
    unlink(path);
    return atexit(leave);
}

static void edit(struct input *input, uint8_t *bytes, size_t length)
{
    size_t at = input_number(input, 1) * PAGE + input_number(input, 2);
    for (unsigned left = input_byte(input) % 16 + 1; left && input_left(input); left--, at++)
        bytes[at % length] = (uint8_t)input_byte(input);
}

static void take(void *arg, const struct eg_cell *cell)
{
    unsigned *sum = arg;
    DEMAND(cell->count <= EG_PAGES_COLUMNS, "%zu columns", cell->count);
    for (size_t i = 0; i < cell->count; i++) {
        const struct eg_cell_value *value = &cell->values[i];
        bool bytes = value->type == EG_CELL_TEXT || value->type == EG_CELL_BLOB;
        for (size_t at = 0; bytes && at < value->length; at++)
            *sum += value->bytes[at]; /* each byte is read: one out of bounds is a report */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct eg_pages_found found = {0};
    struct eg_err err;
    unsigned sum = 0;
    if (input_byte(&input) % 2) {
        write_image(path, input.at, input_left(&input));
        unlink(log_path);
    } else {
        struct image file = database, beside = journal;
        while (input_left(&input) > 4) {
            bool in_log = input_byte(&input) % 2;
            edit(&input, in_log ? beside.bytes : file.bytes, in_log ? beside.length : file.length);
        }
        write_image(path, file.bytes, file.length);
        write_image(log_path, beside.bytes, beside.length);
    }
    int code = eg_pages_each(path, take, &sum, &found, &err);
    DEMAND(code == EG_OK, "%s", err.text);
    DEMAND(found.broken <= found.pages, "%u of %u pages broken", found.broken, found.pages);
    return 0;
}
