/* ecogov_indices: the air quality indices of each site by hour and by day, made of its stations' closed hours as the query comes to them.
 * Knows sites, rows and columns; of what an index is made, stations.c does. Keeps nothing but the site at hand. Called by SQLite. */
#include <store/extension/indices.h>
#include <store/extension/plan.h>
#include <store/extension/stations.h>
#include <ecogov/time.h>
#include <index/aqi_us.h>

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

/* Places of the columns; the first seven lie as plan.c wants them. */
enum {
    TIME,
    TIME_MS,
    SITE,
    DOMAIN,
    DEVICE,
    INDEX,
    RESOLUTION,
    VALUE,
    PUBLISHED,
    CATEGORY,
    CATEGORY_ZH,
    PRIMARY,
    MISSING,
    EDITION,
    SUB,
};
static const char declaration[] =
    "CREATE TABLE x(time TEXT, time_ms INTEGER, site TEXT, domain TEXT HIDDEN, device TEXT HIDDEN, \"index\" "
    "TEXT, resolution TEXT,"
    " value INTEGER, published INTEGER, category TEXT, category_zh TEXT, \"primary\" TEXT, missing TEXT, "
    "edition TEXT,"
    " co INTEGER, no2 INTEGER, o3 INTEGER, pm10 INTEGER, pm25 INTEGER, so2 INTEGER)";

struct cursor {
    sqlite3_vtab_cursor base;
    sqlite3_stmt *sites, *series;
    struct eg_err err;
    int64_t from_ms, to_ms;
    char only_index[16], only_resolution[16];
    bool end;
    char *site; /* the one at hand */
    struct eg_stations stations;
    /* what is told next: of a kind, the place */
    int kind;
    size_t at;
    /* the row */
    struct eg_aqi aqi;
    int64_t start_ms;
    sqlite3_int64 row;
};
/* The rows of a site come in this order. */
static const struct {
    const char *index, *resolution;
} kinds[] = {{"aqi_cn", "hour"}, {"aqi_cn", "day"}, {"aqi_us", "hour"}};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

static int fail(struct cursor *cursor)
{
    sqlite3_free(cursor->base.pVtab->zErrMsg);
    cursor->base.pVtab->zErrMsg = sqlite3_mprintf("%s%s%s", cursor->site ? cursor->site : "",
                                                  cursor->site ? ": " : "", cursor->err.text);
    return cursor->err.code == EG_ECORRUPT ? SQLITE_CORRUPT_VTAB : SQLITE_ERROR;
}

static void leave_site(struct cursor *cursor)
{
    eg_stations_clear(&cursor->stations);
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
    cursor->end = true;
}

/* 1, 0: there are no more sites, negative. */
static int next_site(struct cursor *cursor)
{
    leave_site(cursor);
    int code = sqlite3_step(cursor->sites), error = EG_OK;
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE
                   ? 0
                   : eg_sql_error(sqlite3_db_handle(cursor->sites), &cursor->err, "reading the sites");
    const char *site = (const char *)sqlite3_column_text(cursor->sites, 0);
    cursor->site = strdup(site ? site : "");
    if (!cursor->site)
        return eg_err_set(&cursor->err, EG_ENOMEM, "no memory for the site");
    sqlite3_reset(cursor->series);
    sqlite3_bind_text(cursor->series, 1, cursor->site, -1, SQLITE_STATIC);
    while (error == EG_OK && (code = sqlite3_step(cursor->series)) == SQLITE_ROW) {
        uint32_t series = (uint32_t)sqlite3_column_int64(cursor->series, 0);
        const char *quantity = (const char *)sqlite3_column_text(cursor->series, 1);
        error = eg_stations_add(&cursor->stations, series, quantity ? quantity : "",
                                sqlite3_column_int64(cursor->series, 2), &cursor->err);
    }
    if (error == EG_OK && code != SQLITE_DONE)
        error = eg_sql_error(sqlite3_db_handle(cursor->series), &cursor->err, "reading the series");
    sqlite3_reset(cursor->series);
    eg_stations_sort(&cursor->stations);
    cursor->kind = 0;
    cursor->at = 0;
    return error == EG_OK ? 1 : error;
}

/* --- rows --- */

static bool wanted(const struct cursor *cursor, int kind)
{
    return (!*cursor->only_index || !strcmp(cursor->only_index, kinds[kind].index)) &&
           (!*cursor->only_resolution || !strcmp(cursor->only_resolution, kinds[kind].resolution));
}

static bool american(const struct cursor *cursor)
{
    return !strcmp(kinds[cursor->kind].index, "aqi_us");
}

/* The next row of the site at hand; false: it has no more. */
static bool next_row(struct cursor *cursor)
{
    for (; cursor->site && cursor->kind < KINDS; cursor->kind++, cursor->at = 0) {
        const bool days = kinds[cursor->kind].resolution[0] == 'd';
        const size_t count = !wanted(cursor, cursor->kind) ? 0
                             : days                        ? cursor->stations.day_count
                                                           : cursor->stations.hours;
        while (cursor->at < count) {
            size_t at = cursor->at++;
            cursor->start_ms =
                days ? cursor->stations.days[at].start_ms : cursor->stations.first_ms + (int64_t)at * HOUR_MS;
            if (cursor->start_ms < cursor->from_ms || cursor->start_ms >= cursor->to_ms)
                continue; /* read for others */
            if (days)
                eg_stations_day(&cursor->stations, at, &cursor->aqi);
            else
                eg_stations_hour(&cursor->stations, at, american(cursor), &cursor->aqi);
            if (cursor->aqi.available != EG_AQI_NONE)
                return true;
        }
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
    cursor->row++;
    return SQLITE_OK;
}

/* --- what SQLite calls --- */

static int x_connect(sqlite3 *db, void *user, int count, const char *const *words, sqlite3_vtab **ret,
                     char **ret_error)
{
    (void)user, (void)count, (void)words, (void)ret_error;
    struct eg_table *table;
    int code = sqlite3_declare_vtab(db, declaration);
    if (code != SQLITE_OK)
        return code;
    table = sqlite3_malloc(sizeof *table);
    if (!table)
        return SQLITE_NOMEM;
    *table = (struct eg_table){.db = db};
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    *ret = &table->base;
    return SQLITE_OK;
}

static int x_disconnect(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static int x_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    return eg_plan_choose(info);
}

static int x_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
    (void)base;
    struct cursor *cursor = sqlite3_malloc(sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    memset(cursor, 0, sizeof *cursor);
    cursor->end = true;
    *ret = &cursor->base;
    return SQLITE_OK;
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

static int x_filter(sqlite3_vtab_cursor *base, int number, const char *written, int count,
                    sqlite3_value **values)
{
    struct cursor *cursor = (struct cursor *)base;
    sqlite3 *db = ((struct eg_table *)base->pVtab)->db;
    struct eg_plan plan;
    (void)number;
    forget(cursor);
    eg_plan_read(written, count, values, &plan);
    cursor->from_ms = plan.from_ms;
    cursor->to_ms = plan.to_ms;
    cursor->row = 0;
    keep_text(plan.equal[INDEX - SITE], cursor->only_index, sizeof cursor->only_index);
    keep_text(plan.equal[RESOLUTION - SITE], cursor->only_resolution, sizeof cursor->only_resolution);
    if (plan.from_ms >= plan.to_ms || plan.equal[DOMAIN - SITE] || plan.equal[DEVICE - SITE])
        return SQLITE_OK; /* nothing is like that */
    cursor->stations = (struct eg_stations){.db = db,
                                            .from_ms = plan.from_ms,
                                            .to_ms = plan.to_ms,
                                            .only_hours = !strcmp(cursor->only_resolution, "hour")};
    if (eg_plan_database(db, &cursor->stations.folded, &cursor->err) != EG_OK)
        return fail(cursor);
    if (sqlite3_prepare_v2(db,
                           "SELECT DISTINCT site FROM main.device WHERE domain<>'waste' AND (?1 IS NULL OR "
                           "site=?1) ORDER BY site",
                           -1, &cursor->sites, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(
            db,
            "SELECT s.id, s.quantity, d.interval FROM main.series s JOIN main.device d ON d.id=s.device"
            " WHERE d.site=?1 AND d.domain<>'waste' ORDER BY s.id",
            -1, &cursor->series, NULL) != SQLITE_OK) {
        eg_sql_error(db, &cursor->err, "reading the sites");
        return fail(cursor);
    }
    if (plan.equal[0])
        sqlite3_bind_value(cursor->sites, 1, plan.equal[0]);
    cursor->end = false;
    return advance(cursor);
}

static int x_next(sqlite3_vtab_cursor *base)
{
    return advance((struct cursor *)base);
}

static int x_eof(sqlite3_vtab_cursor *base)
{
    return ((struct cursor *)base)->end;
}

static void put_names(sqlite3_context *context, unsigned mask)
{
    char text[64] = "";
    int length = 0;
    for (int p = 0; p < EG_POLLUTANTS; p++)
        if (mask & 1u << p) {
            sqlite3_snprintf((int)sizeof text - length, text + length, "%s%s", length ? "|" : "",
                             eg_pollutant_names[p]);
            length = (int)strlen(text);
        }
    sqlite3_result_text(context, text, length, SQLITE_TRANSIENT);
}

static void put_sub(sqlite3_context *context, const struct eg_aqi *aqi, int pollutant)
{
    int sub = EG_AQI_NONE;
    for (int average = 0; average < EG_AVERAGES; average++)
        sub = aqi->sub[pollutant][average] > sub ? aqi->sub[pollutant][average] : sub;
    if (sub != EG_AQI_NONE)
        sqlite3_result_int(context, sub);
}

static void put_class(sqlite3_context *context, const struct cursor *cursor, bool chinese)
{
    const struct eg_aqi_class *classes = american(cursor) ? eg_aqi_us_classes : eg_aqi_cn_classes;
    if (cursor->aqi.value == EG_AQI_NONE || !cursor->aqi.level)
        return;
    const struct eg_aqi_class *class_ = &classes[cursor->aqi.level - 1];
    sqlite3_result_text(context, chinese ? class_->name_zh : class_->name, -1, SQLITE_STATIC);
}

static int x_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    const struct cursor *cursor = (const struct cursor *)base;
    const struct eg_aqi *aqi = &cursor->aqi;
    const bool published = aqi->value != EG_AQI_NONE;
    char time[EG_TIME_TEXT];
    switch (column) {
    case TIME:
        sqlite3_result_text(context, eg_time_format(cursor->start_ms, time), -1, SQLITE_TRANSIENT);
        break;
    case TIME_MS:
        sqlite3_result_int64(context, cursor->start_ms);
        break;
    case SITE:
        sqlite3_result_text(context, cursor->site, -1, SQLITE_TRANSIENT);
        break;
    case INDEX:
        sqlite3_result_text(context, kinds[cursor->kind].index, -1, SQLITE_STATIC);
        break;
    case RESOLUTION:
        sqlite3_result_text(context, kinds[cursor->kind].resolution, -1, SQLITE_STATIC);
        break;
    case VALUE:
        sqlite3_result_int(context, aqi->available);
        break;
    case PUBLISHED:
        if (published)
            sqlite3_result_int(context, aqi->value);
        break;
    case CATEGORY:
    case CATEGORY_ZH:
        put_class(context, cursor, column == CATEGORY_ZH);
        break;
    case PRIMARY:
        put_names(context, published ? aqi->primary : 0);
        break;
    case MISSING:
        put_names(context, aqi->missing);
        break;
    case EDITION:
        if (!american(cursor))
            sqlite3_result_text(context,
                                eg_aqi_cn_edition_at(cursor->start_ms) == EG_HJ633_2012 ? "2012" : "2026", -1,
                                SQLITE_STATIC);
        break;
    default:
        if (column >= SUB && column < SUB + EG_POLLUTANTS)
            put_sub(context, aqi, column - SUB);
        break;
    }
    return SQLITE_OK;
}

static int x_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
    *ret = ((struct cursor *)base)->row;
    return SQLITE_OK;
}

const sqlite3_module eg_indices_module = {.iVersion = 0,
                                          .xConnect = x_connect,
                                          .xBestIndex = x_best_index,
                                          .xDisconnect = x_disconnect,
                                          .xOpen = x_open,
                                          .xClose = x_close,
                                          .xFilter = x_filter,
                                          .xNext = x_next,
                                          .xEof = x_eof,
                                          .xColumn = x_column,
                                          .xRowid = x_rowid};
