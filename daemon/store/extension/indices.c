/* ecogov_indices: the indices of each site by hour and by day, of its air made of its stations' hours, of its soil and waste of what
 * its plots and bins told last, as the query comes to them. Knows sites, rows and columns; of what an index is made, stations.c and
 * landrows.c do. Keeps nothing but the site at hand. Called by SQLite. */
#include <store/extension/indices.h>
#include <store/extension/landrows.h>
#include <store/extension/plan.h>
#include <store/extension/stations.h>
#include <store/extension/vtab.h>
#include <store/schema.h>

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

struct cursor {
    struct eg_vtab_cursor head;
    sqlite3_stmt *sites, *series;
    int64_t from_ms, to_ms;
    char only_index[20], only_resolution[16];
    struct eg_aged *tail; /* the journal's readings; of soil and waste */
    char *site;           /* the one at hand */
    struct eg_stations stations;
    struct eg_landrows land;
    /* what is told next: of a kind, the place */
    int kind;
    size_t at;
    struct eg_index_row told;
};
/* The rows of a site come in this order. Soil changes so seldom that it is told by the day alone. */
#define AIR EG_LAND_INDICES
static const struct {
    const char *index, *resolution;
    enum eg_land_index land;
} kinds[] = {{"aqi_cn", "hour", AIR},
             {"aqi_cn", "day", AIR},
             {"aqi_us", "hour", AIR},
             {"waste_pressure", "hour", EG_LAND_WASTE_PRESSURE},
             {"waste_pressure", "day", EG_LAND_WASTE_PRESSURE},
             {"soil_class", "day", EG_LAND_SOIL_CLASS},
             {"soil_factor", "day", EG_LAND_SOIL_FACTOR},
             {"soil_nemerow", "day", EG_LAND_SOIL_NEMEROW},
             {"salinity_class", "day", EG_LAND_SALINITY_CLASS}};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

static int fail(struct cursor *cursor)
{
    return eg_vtab_fail(&cursor->head, cursor->site);
}

static void leave_site(struct cursor *cursor)
{
    eg_stations_clear(&cursor->stations);
    eg_landrows_clear(&cursor->land);
    free(cursor->site);
    cursor->site = NULL;
}

static void forget(struct cursor *cursor)
{
    leave_site(cursor);
    eg_stations_close(&cursor->stations);
    sqlite3_finalize(cursor->sites);
    sqlite3_finalize(cursor->series);
    cursor->sites = cursor->series = NULL;
    free(cursor->tail);
    cursor->tail = NULL;
    cursor->land = (struct eg_landrows){0};
    cursor->head.end = true;
}

static bool wanted(const struct cursor *cursor, int kind)
{
    return (!*cursor->only_index || !strcmp(cursor->only_index, kinds[kind].index)) &&
           (!*cursor->only_resolution || !strcmp(cursor->only_resolution, kinds[kind].resolution));
}

/* Is a part of soil or waste asked for? */
static bool wanted_part(const struct cursor *cursor, int part)
{
    bool any = false;
    for (int kind = 0; kind < KINDS; kind++)
        any |= kinds[kind].land != AIR && wanted(cursor, kind) && eg_part_is_of(part, kinds[kind].land);
    return any;
}

static const char *text_at(sqlite3_stmt *sql, int column)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    return text ? text : "";
}

/* The row at hand of cursor->series. */
static int take_series(struct cursor *cursor)
{
    sqlite3_stmt *row = cursor->series;
    const char *quantity = text_at(row, 1), *domain = text_at(row, 2);
    const uint32_t id = (uint32_t)sqlite3_column_int64(row, 0);
    const int part = eg_part_find(domain, quantity);
    if (part != EG_PARTS)
        return wanted_part(cursor, part)
                   ? eg_landrows_add(&cursor->land, id, (uint32_t)sqlite3_column_int64(row, 4),
                                     text_at(row, 3), part, eg_land_of(text_at(row, 5)),
                                     sqlite3_column_type(row, 6) == SQLITE_NULL
                                         ? INT64_MAX
                                         : sqlite3_column_int64(row, 6) / HOUR_MS + 1,
                                     &cursor->head.err)
                   : EG_OK;
    bool air = wanted(cursor, 0) || wanted(cursor, 1) || wanted(cursor, 2);
    return air && strcmp(domain, "waste") != 0
               ? eg_stations_add(&cursor->stations, id, quantity, &cursor->head.err)
               : EG_OK;
}

/* 1, 0: there are no more sites, negative. */
static int next_site(struct cursor *cursor)
{
    leave_site(cursor);
    int code = sqlite3_step(cursor->sites), error = EG_OK;
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE
                   ? 0
                   : eg_sql_error(sqlite3_db_handle(cursor->sites), &cursor->head.err, "reading the sites");
    cursor->site = strdup(text_at(cursor->sites, 0));
    if (!cursor->site)
        return eg_err_set(&cursor->head.err, EG_ENOMEM, "no memory for the site");
    /* Behind the first step: it is of the same moment then. */
    if (!cursor->tail) {
        error = eg_stream_tail(sqlite3_db_handle(cursor->sites), 0, &cursor->tail, &cursor->land.tail_count,
                               &cursor->head.err);
        cursor->land.tail = cursor->stations.tail = cursor->tail;
        cursor->stations.tail_count = cursor->land.tail_count;
    }
    sqlite3_reset(cursor->series);
    sqlite3_bind_text(cursor->series, 1, cursor->site, -1, SQLITE_STATIC);
    while (error == EG_OK && (code = sqlite3_step(cursor->series)) == SQLITE_ROW)
        error = take_series(cursor);
    if (error == EG_OK && code != SQLITE_DONE)
        error = eg_sql_error(sqlite3_db_handle(cursor->series), &cursor->head.err, "reading the series");
    sqlite3_reset(cursor->series);
    if (error == EG_OK)
        error = eg_landrows_fill(&cursor->land, &cursor->head.err);
    if (error == EG_OK)
        error = eg_stations_fill(&cursor->stations, &cursor->head.err);
    cursor->kind = 0;
    cursor->at = 0;
    return error == EG_OK ? 1 : error;
}

/* --- rows --- */

static bool american(const struct cursor *cursor)
{
    return !strcmp(kinds[cursor->kind].index, "aqi_us");
}

static size_t count_of(const struct cursor *cursor, bool days)
{
    if (!wanted(cursor, cursor->kind))
        return 0;
    if (kinds[cursor->kind].land == AIR)
        return days ? cursor->stations.days.count : cursor->stations.hours;
    return days ? cursor->land.days.count : (size_t)(cursor->land.end - cursor->land.first);
}

/* The row at that place; false: there is no index. */
static bool tell(struct cursor *cursor, size_t at, bool days)
{
    const enum eg_land_index land = kinds[cursor->kind].land;
    cursor->told.site = cursor->site;
    cursor->told.index = kinds[cursor->kind].index;
    cursor->told.resolution = kinds[cursor->kind].resolution;
    cursor->told.land = land;
    cursor->told.american = american(cursor);
    if (land != AIR) {
        cursor->told.start_ms = days ? cursor->land.days.list[at].start_ms
                                     : (cursor->land.first + (int64_t)at) * HOUR_MS + cursor->land.shift_ms;
        if (cursor->told.start_ms < cursor->from_ms || cursor->told.start_ms >= cursor->to_ms)
            return false; /* read for others */
        return days ? eg_landrows_day(&cursor->land, land, at, &cursor->told.state)
                    : eg_landrows_hour(&cursor->land, land, at, &cursor->told.state);
    }
    cursor->told.start_ms =
        days ? cursor->stations.days.list[at].start_ms : cursor->stations.first_ms + (int64_t)at * HOUR_MS;
    if (cursor->told.start_ms < cursor->from_ms || cursor->told.start_ms >= cursor->to_ms)
        return false;
    if (days)
        eg_stations_day(&cursor->stations, at, &cursor->told.aqi);
    else
        eg_stations_hour(&cursor->stations, at, american(cursor), &cursor->told.aqi);
    return cursor->told.aqi.available != EG_AQI_NONE;
}

/* The next row of the site at hand; false: it has no more. */
static bool next_row(struct cursor *cursor)
{
    for (; cursor->site && cursor->kind < KINDS; cursor->kind++, cursor->at = 0) {
        const bool days = kinds[cursor->kind].resolution[0] == 'd';
        const size_t count = count_of(cursor, days);
        while (cursor->at < count)
            if (tell(cursor, cursor->at++, days))
                return true;
    }
    return false;
}

static int advance(struct cursor *cursor)
{
    while (!next_row(cursor)) {
        int step = next_site(cursor);
        if (step <= 0) {
            int code = step < 0 ? fail(cursor) : SQLITE_OK;
            forget(cursor);
            return code;
        }
    }
    cursor->head.row++;
    return SQLITE_OK;
}

/* --- what SQLite calls --- */

static int x_connect(sqlite3 *db, void *user, int count, const char *const *words, sqlite3_vtab **ret,
                     char **ret_error)
{
    (void)user, (void)count, (void)words, (void)ret_error;
    return eg_vtab_connect(db, eg_index_columns, sizeof(struct eg_vtab), ret);
}

static int x_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
    (void)base;
    return eg_vtab_open(sizeof(struct cursor), ret);
}

static int x_close(sqlite3_vtab_cursor *base)
{
    forget((struct cursor *)base);
    sqlite3_free(base);
    return SQLITE_OK;
}

static void keep_text(sqlite3_value *value, char *out, size_t size)
{
    const char *text = value ? (const char *)sqlite3_value_text(value) : NULL;
    sqlite3_snprintf((int)size, out, "%s", text ? text : value ? "?" : "");
}

/* The series of a site: id, quantity, domain, device, its id, use of its land, since when it is out of service. */
static int prepare(struct cursor *cursor, sqlite3 *db)
{
    static const char sites[] =
        "SELECT DISTINCT site FROM main.device WHERE ?1 IS NULL OR site=?1 ORDER BY site";
    static const char plain[] =
        "SELECT s.id, s.quantity, d.domain, d.device, d.id, '', NULL FROM main.series s"
        " JOIN main.device d ON d.id=s.device WHERE d.site=?1 ORDER BY s.id";
    static const char whole[] =
        "SELECT s.id, s.quantity, d.domain, d.device, d.id, ifnull(l.land_use,''),"
        " (SELECT CASE e.kind WHEN 0 THEN e.at END FROM main.device_event e WHERE e.device=d.id AND e.kind "
        "IN (0,1)"
        " ORDER BY e.id DESC LIMIT 1) FROM main.series s JOIN main.device d ON d.id=s.device"
        " LEFT JOIN main.land_use l ON l.site=d.site AND l.domain=d.domain AND l.device=d.device"
        " WHERE d.site=?1 ORDER BY s.id";
    const bool known = eg_plan_version(db) >= EG_SCHEMA_SITES;
    if (sqlite3_prepare_v2(db, sites, -1, &cursor->sites, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, known ? whole : plain, -1, &cursor->series, NULL) == SQLITE_OK)
        return EG_OK;
    return eg_sql_error(db, &cursor->head.err, "reading the sites");
}

static int x_filter(sqlite3_vtab_cursor *base, int number, const char *written, int count,
                    sqlite3_value **values)
{
    struct cursor *cursor = (struct cursor *)base;
    sqlite3 *db = ((struct eg_vtab *)base->pVtab)->db;
    struct eg_plan plan;
    bool folded;
    (void)number;
    forget(cursor);
    eg_plan_read(written, count, values, &plan);
    cursor->from_ms = plan.from_ms;
    cursor->to_ms = plan.to_ms;
    cursor->head.row = 0;
    keep_text(plan.equal[EG_INDEX_INDEX - EG_INDEX_SITE], cursor->only_index, sizeof cursor->only_index);
    keep_text(plan.equal[EG_INDEX_RESOLUTION - EG_INDEX_SITE], cursor->only_resolution,
              sizeof cursor->only_resolution);
    if (plan.from_ms >= plan.to_ms || plan.equal[EG_INDEX_DOMAIN - EG_INDEX_SITE] ||
        plan.equal[EG_INDEX_DEVICE - EG_INDEX_SITE])
        return SQLITE_OK; /* nothing is like that */
    if (eg_plan_database(db, &folded, &cursor->head.err) != EG_OK)
        return fail(cursor);
    cursor->stations = (struct eg_stations){.db = db,
                                            .from_ms = plan.from_ms,
                                            .to_ms = plan.to_ms,
                                            .folded = folded,
                                            .only_hours = !strcmp(cursor->only_resolution, "hour")};
    cursor->land =
        (struct eg_landrows){.db = db, .from_ms = plan.from_ms, .to_ms = plan.to_ms, .folded = folded};
    if (eg_landrows_begin(&cursor->land, &cursor->head.err) != EG_OK || prepare(cursor, db) != EG_OK)
        return fail(cursor);
    cursor->stations.now_ms = cursor->land.now_ms;
    if (plan.equal[0])
        sqlite3_bind_value(cursor->sites, 1, plan.equal[0]);
    cursor->head.end = false;
    return advance(cursor);
}

static int x_next(sqlite3_vtab_cursor *base)
{
    return advance((struct cursor *)base);
}

static int x_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    eg_index_column(context, &((const struct cursor *)base)->told, column);
    return SQLITE_OK;
}

const sqlite3_module eg_indices_module = {.iVersion = 0,
                                          .xConnect = x_connect,
                                          .xBestIndex = eg_vtab_best_index,
                                          .xDisconnect = eg_vtab_disconnect,
                                          .xOpen = x_open,
                                          .xClose = x_close,
                                          .xFilter = x_filter,
                                          .xNext = x_next,
                                          .xEof = eg_vtab_eof,
                                          .xColumn = x_column,
                                          .xRowid = eg_vtab_rowid};
