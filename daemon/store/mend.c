/* What the pages of a damaged database hold, put into a new one row by row. Knows our tables by the shape of their rows, since the page
 * that says which page belongs to whom may be the one that is gone. Chunks and turns are believed by their sums, the rest by its types
 * and ranges. Refuses to know pages (pages.c), how the rows come to agree (agree.c) and files (salvage.c, who calls it). */
#include <store/agree.h>
#include <store/mend.h>
#include <store/inside.h>
#include <store/pages.h>
#include <base/utf8.h>

#include <stdlib.h>
#include <string.h>

/* N null, I integer, T text, B blob, R number, n number or null, i integer or null, t text or null, b blob or null */
static const struct shape {
    const char *what, *types; /* a column each; a table's first is its rowid */
    bool table;
    const char *put;
} shapes[] = {
    {"turns", "NIIIIIIIIIIIbb", true, "INSERT OR IGNORE INTO turn VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"chunks", "NIIIIIB", true, "INSERT OR IGNORE INTO chunk VALUES(?,?,?,?,?,?,?)"},
    /* One that was still growing grows no more; and before the third schema. */
    {"chunks", "NIIIIB", true,
     "INSERT OR IGNORE INTO chunk(series,t_first,seq,t_last,n,body) VALUES(?,?,?,?,?,?)"},
    {"chunks", "IIIIIB", false,
     "INSERT OR IGNORE INTO chunk(series,t_first,seq,t_last,n,body) VALUES(?,?,?,?,?,?)"},
    {"devices", "NTTTIIiiiIIi", true, "INSERT OR REPLACE INTO device VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"},
    /* Of the schemas 23 and 24: what it reported like before is told by its hours now. */
    {"devices", "NTTTIIiiiIIiIII", true,
     "INSERT OR REPLACE INTO device SELECT ?,?,?,?,?,?,?,?,?,?,?,? WHERE ?+?+? NOTNULL"},
    {"devices", "NTTTIIiiiI", true,
     "INSERT OR REPLACE INTO "
     "device(id,site,domain,device,registered_at,interval,silent_at,heard_at,awaited_at,"
     "case_number) VALUES(?,?,?,?,?,?,?,?,?,?)"},
    {"devices", "NTTTII", true,
     "INSERT OR REPLACE INTO device(id,site,domain,device,registered_at,interval) VALUES(?,?,?,?,?,?)"},
    {"devices", "NTTTI", true,
     "INSERT OR REPLACE INTO device(id,site,domain,device,registered_at) VALUES(?,?,?,?,?)"},
    {NULL, "TTTI", false,
     "INSERT OR IGNORE INTO device(site,domain,device,id,registered_at) VALUES(?,?,?,?,0)"},
    {"series", "NITT", true, "INSERT OR REPLACE INTO series VALUES(?,?,?,?)"},
    {NULL, "ITTI", false, "INSERT OR IGNORE INTO series(device,quantity,channel,id) VALUES(?,?,?,?)"},
    {"rollups", "IIIIIRRRRRIIIII", false,
     "INSERT OR IGNORE INTO rollup VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"rollups", "IIIIIRRRRRIIII", false,
     "INSERT OR IGNORE INTO rollup VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,1)"},
    {"chunks of rollups", "NIIBIII", true, "INSERT OR IGNORE INTO bucket VALUES(?,?,?,?,?,?,?)"},
    {"rule states", "TIIIiiiiiib", false, "INSERT OR IGNORE INTO rule_state VALUES(?,?,?,?,?,?,?,?,?,?,?)"},
    {"rule states", "TIIIiiiiii", false, "INSERT OR IGNORE INTO rule_state VALUES(?,?,?,?,?,?,?,?,?,?,NULL)"},
    {"cases", "NTTTTTTTIIIIIIIIiinnnnnTTIIIIiiIIITTIIIiIi", true,
     "INSERT OR IGNORE INTO cases "
     "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"cases", "NTTTTTTTIIIIIIIIiinnnnnTTIIIIiiIIITTIIIiI", true,
     "INSERT OR IGNORE INTO cases "
     "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL)"},
    {"cases", "NTTTTTTTIIIIIIIIiinnnnnTTIIIIiiIIITTIIIi", true,
     "INSERT OR IGNORE INTO cases "
     "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,NULL)"},
    {"cases", "NTTTTTTTIIIIIIIIiinnnnnTTIII", true,
     "INSERT OR IGNORE INTO cases(" EG_CASE_COLUMNS_8
     ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"case events", "IIIITTTTnTIBT", false,
     "INSERT OR IGNORE INTO case_event VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"case events", "IIIITTTTnTIB", false,
     "INSERT OR IGNORE INTO "
     "case_event(case_number,version,at,known_at,kind,actor,was,became,value,note,seq,hash)"
     " VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"case events", "IIIITTTTnT", false,
     "INSERT OR IGNORE INTO case_event(case_number,version,at,known_at,kind,actor,was,became,value,note,seq)"
     " VALUES(?,?,?,?,?,?,?,?,?,?,-(SELECT count(*) FROM case_event)-1)"},
    {"evidence of cases", "NIIIT", true, "INSERT OR IGNORE INTO evidence VALUES(?,?,?,?,?)"},
    {"notifications", "NTTTTIIiitTTTIIIIiI", true,
     "INSERT OR IGNORE INTO outbox VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"notifications", "NTTTTIIiit", true,
     "INSERT OR IGNORE INTO outbox(id,channel,recipient,key,body,created_at,retain,done_at,delivered,error)"
     " VALUES(?,?,?,?,?,?,?,?,?,?)"},
    {"who was told", "ITTTII", false, "INSERT OR IGNORE INTO told VALUES(?,?,?,?,?,?)"},
    {"who was told", "ITTTI", false, "INSERT OR IGNORE INTO told VALUES(?,?,?,?,?,0)"},
    {"silences", "NTTTTTITTIIIiIT", true,
     "INSERT OR IGNORE INTO silence VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {"notices held back", "NIIIII", true, "INSERT OR IGNORE INTO suppressed VALUES(?,?,?,?,?,?)"},
    {"calibrations", "NITIRRI", true, "INSERT OR IGNORE INTO calibration VALUES(?,?,?,?,?,?,?)"},
    {"what hours tell of sensors", "NiiRI", true, "INSERT OR IGNORE INTO finding VALUES(?,?,?,?,?)"},
    {"what people did with devices", "NIIITT", true,
     "INSERT OR IGNORE INTO device_event VALUES(?,?,?,?,?,?)"},
    {"quarantined payloads", "NITTTTbII", true, "INSERT OR IGNORE INTO quarantine VALUES(?,?,?,?,?,?,?,?,?)"},
};
#define SHAPES (sizeof shapes / sizeof *shapes)
#define SUMMED 4 /* the first so many carry a sum: turns and chunks */

struct mend {
    sqlite3 *db;
    sqlite3_stmt *put[SHAPES];
    uint64_t found[SHAPES], bad_sums;
    struct eg_point *points;
    struct eg_rollup *rollups; /* [EG_BUCKETS_MAX] */
    int code;
};

/* --- which row is it? --- */

static bool fits(const struct eg_cell_value *value, char type)
{
    bool none = value->type == EG_CELL_NULL;
    switch (type) {
    case 'N':
        return none;
    case 'I':
        return value->type == EG_CELL_INT;
    case 'i':
        return none || value->type == EG_CELL_INT;
    case 'R':
        return value->type == EG_CELL_INT || value->type == EG_CELL_REAL;
    case 'n':
        return none || value->type == EG_CELL_INT || value->type == EG_CELL_REAL;
    case 'B':
        return value->type == EG_CELL_BLOB;
    case 'b':
        return none || value->type == EG_CELL_BLOB;
    case 't':
        if (none)
            return true;
        break;
    default:
        break;
    }
    return value->type == EG_CELL_TEXT && !memchr(value->bytes, '\0', value->length) &&
           eg_utf8_valid((const char *)value->bytes, value->length);
}

static size_t shape_of(const struct eg_cell *cell)
{
    for (size_t s = 0; s < SHAPES; s++) {
        size_t i = 0;
        if (shapes[s].table != cell->table || strlen(shapes[s].types) != cell->count)
            continue;
        while (i < cell->count && fits(&cell->values[i], shapes[s].types[i]))
            i++;
        if (i == cell->count)
            return s;
    }
    return SHAPES;
}

/* --- is it whole? --- */

static bool count_reading(void *arg, const struct eg_row_reading *row)
{
    (void)row;
    ++*(int64_t *)arg;
    return true;
}

static void no_ident(void *arg, uint16_t mid, uint32_t hash)
{
    (void)arg, (void)mid, (void)hash;
}

static bool turn_is_whole(const struct eg_cell_value *v)
{
    int64_t held = 0;
    for (int i = 2; i < 12; i++)
        if (v[i].number < 0)
            return false;
    return v[2].number == v[3].number + v[4].number + v[5].number + v[6].number &&
           v[7].number == v[8].number + v[9].number + v[10].number &&
           (v[12].type == EG_CELL_NULL ||
            eg_pack_each_ident(v[12].bytes, v[12].length, no_ident, NULL) == EG_OK) &&
           (v[13].type == EG_CELL_NULL ||
            eg_pack_each_reading(v[13].bytes, v[13].length, v[1].number, count_reading, &held) == EG_OK);
}

static bool chunk_is_whole(struct mend *mend, const struct eg_cell_value *v)
{
    size_t count = 0;
    return eg_pack_chunk_points(v[5].bytes, v[5].length, mend->points, &count) == EG_OK && count &&
           (int64_t)count == v[4].number && mend->points[0].time_ms == v[1].number &&
           mend->points[count - 1].time_ms == v[3].number;
}

static bool buckets_are_whole(struct mend *mend, const struct eg_cell_value *v)
{
    size_t count = 0;
    bool good = eg_buckets_unpack(v[3].bytes, v[3].length, mend->rollups, &count) == EG_OK &&
                (int64_t)count == v[6].number && mend->rollups[0].start_ms == v[4].number &&
                mend->rollups[count - 1].start_ms == v[5].number && v[2].number >= 0 &&
                v[2].number < EG_PERIOD_COUNT;
    mend->bad_sums += !good;
    return good;
}

static bool in(const struct eg_cell_value *value, int64_t low, int64_t high)
{
    return value->number >= low && value->number <= high;
}

/* What would keep the daemon from starting, or is no value we write. */
static bool case_is_whole(const struct eg_cell *cell)
{
    const struct eg_cell_value *v = cell->values;
    return in(&(struct eg_cell_value){.number = cell->rowid}, 1, UINT32_MAX) &&
           eg_quantity_find((const char *)v[7].bytes, v[7].length) != EG_QUANTITY_NONE &&
           in(&v[10], 0, EG_LEVEL_COUNT - 1) && in(&v[11], 0, EG_CONDITION_COUNT - 1) &&
           in(&v[12], 0, EG_HANDLING_COUNT - 1) && in(&v[13], 0, 16) && in(&v[27], 1, 100000);
}

static bool is_whole(struct mend *mend, size_t shape, const struct eg_cell *cell)
{
    const struct eg_cell_value *v = cell->values;
    bool good = true, summed = shape < SUMMED;
    const char *types = shapes[shape].types;
    if (shape == 0)
        good = cell->rowid > 0 && turn_is_whole(v);
    else if (summed)
        good = chunk_is_whole(mend, cell->count == 7 ? v + 1 : v);
    else if (strncmp(types, "NTTTI", 5) == 0 && cell->count < 7)
        good = cell->rowid > 0;
    else if (strcmp(types, "NITT") == 0)
        good = cell->rowid > 0 && eg_quantity_find((const char *)v[2].bytes, v[2].length) != EG_QUANTITY_NONE;
    else if (strcmp(types, "ITTI") == 0)
        good = v[3].number > 0 && eg_quantity_find((const char *)v[1].bytes, v[1].length) != EG_QUANTITY_NONE;
    else if (cell->count == 28)
        good = case_is_whole(cell);
    else if (strcmp(types, "NIIBIII") == 0)
        good = buckets_are_whole(mend, v);
    else if (!cell->table && (cell->count == 14 || cell->count == 15))
        good = in(&v[0], 0, EG_PERIOD_COUNT - 1) && v[4].number > 0 && v[3].number > v[1].number;
    else if (types[0] == 'T' && cell->count == 10)
        good = in(&v[2], 0, EG_LEVEL_COUNT - 1);
    mend->bad_sums += summed && !good;
    return good;
}

static void bind(sqlite3_stmt *sql, int at, const struct eg_cell_value *value)
{
    if (value->type == EG_CELL_INT)
        sqlite3_bind_int64(sql, at, value->number);
    else if (value->type == EG_CELL_REAL)
        sqlite3_bind_double(sql, at, value->real);
    else if (value->type == EG_CELL_TEXT)
        sqlite3_bind_text64(sql, at, (const char *)value->bytes, value->length, SQLITE_STATIC, SQLITE_UTF8);
    else if (value->type == EG_CELL_BLOB)
        sqlite3_bind_blob64(sql, at, value->bytes, value->length, SQLITE_STATIC);
    else
        sqlite3_bind_null(sql, at);
}

static void take(void *arg, const struct eg_cell *cell)
{
    struct mend *mend = arg;
    size_t shape = shape_of(cell);
    if (shape == SHAPES || mend->code != SQLITE_OK || !is_whole(mend, shape, cell))
        return;
    sqlite3_stmt *sql = mend->put[shape];
    for (size_t i = 0; i < cell->count; i++)
        bind(sql, (int)i + 1, &cell->values[i]);
    if (cell->table)
        sqlite3_bind_int64(sql, 1, cell->rowid);
    int code = sqlite3_step(sql);
    sqlite3_reset(sql);
    if (code == SQLITE_DONE)
        mend->found[shape] += sqlite3_changes(mend->db) > 0;
    else if (code != SQLITE_CONSTRAINT)
        mend->code = code;
}

/* --- the list --- */

static void list_rows(sqlite3 *db, const char *query, const char *sentence, struct eg_buf *list)
{
    sqlite3_stmt *sql = NULL;
    if (sqlite3_prepare_v2(db, query, -1, &sql, NULL) == SQLITE_OK)
        while (sqlite3_step(sql) == SQLITE_ROW) {
            char *line = sqlite3_mprintf(sentence, sqlite3_column_text(sql, 0), sqlite3_column_text(sql, 1));
            eg_buf_printf(list, "%s\n", line ? line : "");
            sqlite3_free(line);
        }
    sqlite3_finalize(sql);
}

static void list_all(struct mend *mend, const struct eg_pages_found *pages, int64_t stored,
                     struct eg_buf *list)
{
    sqlite3 *db = mend->db;
    int64_t had = eg_sql_number(db, "SELECT r_stored-r_corrected FROM temp.was ORDER BY seq DESC LIMIT 1", 0),
            cases = eg_sql_number(db, "SELECT count(*) FROM cases WHERE site<>'lost'", 0),
            most = eg_sql_number(db, "SELECT ifnull(max(number),0) FROM cases", 0);
    eg_buf_printf(list,
                  "the database was damaged: %lld readings (of %lld counted), %lld cases (of at least %lld) "
                  "could be read",
                  (long long)stored, (long long)(had > stored ? had : stored), (long long)cases,
                  (long long)most);
    eg_buf_text(list, "\n");
    eg_buf_printf(list, "%u of its %u pages could not be read, or not whole\n", pages->broken, pages->pages);
    eg_buf_printf(list, "%llu turns or chunks had a wrong sum and were left out\n",
                  (unsigned long long)mend->bad_sums);
    for (size_t i = 0; i < SHAPES; i++)
        if (shapes[i].what && mend->found[i])
            eg_buf_printf(list, "found: %llu %s\n", (unsigned long long)mend->found[i], shapes[i].what);
    list_rows(
        db,
        "SELECT a.seq, (SELECT min(seq) FROM was WHERE seq>a.seq) n FROM was a WHERE n<>a.seq+1 LIMIT 1000",
        "lost: the turns between %s and %s (or sealed)", list);
    list_rows(db, "SELECT id FROM device WHERE site='lost' LIMIT 1000", "lost: who device %s is", list);
    list_rows(db, "SELECT id FROM series WHERE id NOT IN (SELECT id FROM whose) LIMIT 1000",
              "lost: series %s with its readings", list);
    list_rows(db, "SELECT number FROM cases WHERE site='lost' LIMIT 1000", "lost: case %s", list);
    list_rows(db, "SELECT version, case_number FROM case_event WHERE kind='lost' LIMIT 1000",
              "lost: entry %s of the history of case %s", list);
}

int eg_mend_fill(sqlite3 *db, const char *from, bool ours, struct eg_buf *list, struct eg_err *err)
{
    struct mend mend = {.db = db,
                        .points = malloc(EG_CHUNK_POINTS * sizeof *mend.points),
                        .rollups = malloc(EG_BUCKETS_MAX * sizeof *mend.rollups)};
    struct eg_pages_found pages = {0};
    int64_t stored = 0;
    uint64_t found = 0;
    int result =
        mend.points && mend.rollups ? EG_OK : eg_err_set(err, EG_ENOMEM, "no memory to mend the database");
    mend.code = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    for (size_t i = 0; i < SHAPES && mend.code == SQLITE_OK; i++)
        mend.code = sqlite3_prepare_v2(db, shapes[i].put, -1, &mend.put[i], NULL);
    if (result == EG_OK && mend.code == SQLITE_OK)
        result = eg_pages_each(from, take, &mend, &pages, err);
    for (size_t i = 0; i < SHAPES; i++) {
        sqlite3_finalize(mend.put[i]);
        found += mend.found[i];
    }
    if (result == EG_OK && mend.code == SQLITE_OK && !found && !ours)
        result = eg_err_set(err, EG_ENOTFOUND, "%s holds nothing that ecogovd wrote", from);
    if (result == EG_OK && mend.code == SQLITE_OK)
        mend.code = eg_agree_make(db, &stored);
    if (result == EG_OK && mend.code == SQLITE_OK) {
        list_all(&mend, &pages, stored, list);
        mend.code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    if (result == EG_OK && mend.code != SQLITE_OK)
        result = eg_sql_error(db, err, "mending the database");
    free(mend.points);
    free(mend.rollups);
    return result;
}
