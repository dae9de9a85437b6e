/* The hours of a site's bins and plots, and the indices that are made of them, for ecogov_indices. Knows hours through rollups.c, those
 * that nothing has closed yet through stream.c (a laboratory's newest value may be the last for a year), and the indices through index/.
 * Called by indices.c.
 *
 * Local days are localdays.c's. What was told last speaks on up to the newest turn of the database, so a copy of it tells for ever what
 * it told on its day. One site at a time is in memory, 8 bytes an hour and series. */
#include <store/extension/landrows.h>

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define AROUND_MS (26 * HOUR_MS) /* to the end of the day that begins last */
#define VALUES_MAX ((size_t)20000000)
#define CALIBRATIONS_MAX 256

int eg_landrows_begin(struct eg_landrows *rows, struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(rows->db, "SELECT max(at) FROM main.turn", -1, &sql, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(sql)) == SQLITE_ROW) {
        rows->now_ms = sqlite3_column_int64(sql, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(sql);
    return code == SQLITE_OK ? EG_OK : eg_sql_error(rows->db, err, "reading the newest turn");
}

static int64_t read_to(const struct eg_landrows *rows)
{
    return rows->to_ms > INT64_MAX - AROUND_MS ? INT64_MAX : rows->to_ms + AROUND_MS;
}

/* --- one series --- */

struct calibrations { /* of a series: since when its readings are not as they came, and are again */
    int64_t since_ms[CALIBRATIONS_MAX];
    bool holds[CALIBRATIONS_MAX];
    size_t count;
};

static int read_calibrations(sqlite3 *db, uint32_t series, struct calibrations *ret, struct eg_err *err)
{
    sqlite3_stmt *sql = NULL;
    int code = sqlite3_prepare_v2(
        db, "SELECT since, scale, offset FROM main.calibration WHERE series=?1 ORDER BY since", -1, &sql,
        NULL);
    ret->count = 0;
    if (code == SQLITE_OK)
        sqlite3_bind_int64(sql, 1, series);
    while (code == SQLITE_OK && sqlite3_step(sql) == SQLITE_ROW && ret->count < CALIBRATIONS_MAX) {
        double scale = sqlite3_column_double(sql, 1), offset = sqlite3_column_double(sql, 2);
        ret->since_ms[ret->count] = sqlite3_column_int64(sql, 0);
        ret->holds[ret->count++] = scale < 1 || scale > 1 || offset < 0 || offset > 0;
    }
    sqlite3_finalize(sql);
    return code == SQLITE_OK ? EG_OK : eg_sql_error(db, err, "reading its calibrations");
}

static bool calibrated(const struct calibrations *calibrations, int64_t ms)
{
    bool holds = false;
    for (size_t i = 0; i < calibrations->count && calibrations->since_ms[i] <= ms; i++)
        holds = calibrations->holds[i];
    return holds;
}

static int put_hour(struct eg_landrows *rows, struct eg_landseries *series, int64_t start_ms, double highest,
                    double last, struct eg_err *err)
{
    if (series->count && series->hours[series->count - 1].number == start_ms / HOUR_MS) {
        struct eg_landhour *hour = &series->hours[series->count - 1];
        hour->highest = highest > hour->highest ? highest : hour->highest;
        hour->last = last;
        return EG_OK;
    }
    if (series->count == series->room) {
        size_t room = series->room ? series->room * 2 : 64;
        struct eg_landhour *more = realloc(series->hours, room * sizeof *more);
        if (!more)
            return eg_err_set(err, EG_ENOMEM, "no memory for its hours");
        series->hours = more;
        series->room = room;
    }
    rows->shift_ms = start_ms % HOUR_MS;
    series->hours[series->count++] = (struct eg_landhour){start_ms / HOUR_MS, highest, last};
    return EG_OK;
}

/* What lies behind the closed hours: those that are open still. */
static int take_open(struct eg_landrows *rows, struct eg_landseries *series, uint32_t id,
                     const struct calibrations *calibrations, int64_t from_ms, struct eg_err *err)
{
    struct eg_stream stream;
    struct eg_point point;
    size_t low = 0, high;
    while (low < rows->tail_count && rows->tail[low].series < id)
        low++;
    for (high = low; high < rows->tail_count && rows->tail[high].series == id;)
        high++;
    memset(&stream, 0, sizeof stream);
    int code = eg_stream_open(&stream, rows->db, id, from_ms, read_to(rows),
                              rows->tail ? rows->tail + low : NULL, high - low, err),
        step = 0;
    while (code == EG_OK && (step = eg_stream_next(&stream, &point)) == 1) {
        if (point.flags & EG_FLAG_BAD ||
            (series->part == EG_PART_EC && !calibrated(calibrations, point.time_ms)))
            continue;
        int64_t start_ms = point.time_ms - (point.time_ms - rows->shift_ms) % HOUR_MS;
        code = put_hour(rows, series, start_ms, point.value, point.value, err);
    }
    eg_stream_close(&stream);
    return code == EG_OK && step < 0 ? step : code;
}

static int take_hours(struct eg_landrows *rows, struct eg_landseries *series, uint32_t id, struct eg_err *err)
{
    struct calibrations *calibrations = calloc(1, sizeof *calibrations);
    const int64_t span_ms = eg_part_hours(series->part) * HOUR_MS;
    const int64_t back_ms = rows->from_ms < INT64_MIN + span_ms ? INT64_MIN : rows->from_ms - span_ms;
    int64_t behind_ms = back_ms;
    struct eg_rollup hour;
    int code = calibrations ? EG_OK : eg_err_set(err, EG_ENOMEM, "no memory for its calibrations"), step = 0;
    if (code == EG_OK && series->part == EG_PART_EC)
        code = read_calibrations(rows->db, id, calibrations, err);
    struct eg_rollups rollups;
    memset(&rollups, 0, sizeof rollups);
    if (code == EG_OK)
        code = eg_rollups_open(&rollups, rows->db, id, EG_PERIOD_HOUR, back_ms, read_to(rows), rows->folded,
                               err);
    while (code == EG_OK && (step = eg_rollups_next(&rollups, &hour)) == 1) {
        behind_ms = hour.end_ms;
        if (hour.count && (series->part != EG_PART_EC || calibrated(calibrations, hour.last_ms)))
            code = put_hour(rows, series, hour.start_ms, hour.max, hour.last, err);
    }
    eg_rollups_close(&rollups);
    if (code == EG_OK && step < 0)
        code = step;
    if (code == EG_OK)
        code = take_open(rows, series, id, calibrations, behind_ms, err);
    free(calibrations);
    return code;
}

static int take_days(struct eg_landrows *rows, uint32_t id, int part, struct eg_err *err)
{
    const int64_t span_ms = eg_part_hours(part) * HOUR_MS;
    struct eg_rollups rollups;
    memset(&rollups, 0, sizeof rollups);
    int code = eg_rollups_open(&rollups, rows->db, id, EG_PERIOD_DAY,
                               rows->from_ms < INT64_MIN + span_ms ? INT64_MIN : rows->from_ms - span_ms,
                               read_to(rows), rows->folded, err);
    if (code == EG_OK)
        code = eg_localdays_take(&rows->days, &rollups, err);
    eg_rollups_close(&rollups);
    return code;
}

int eg_landrows_add(struct eg_landrows *rows, uint32_t series, uint32_t device, const char *name, int part,
                    enum eg_land land, int64_t until, struct eg_err *err)
{
    if (rows->count == rows->room) {
        size_t room = rows->room ? rows->room * 2 : 16;
        struct eg_landseries *more = realloc(rows->series, room * sizeof *more);
        if (!more)
            return eg_err_set(err, EG_ENOMEM, "no memory for its series");
        rows->series = more;
        rows->room = room;
    }
    char *kept = strdup(name);
    if (!kept)
        return eg_err_set(err, EG_ENOMEM, "no memory for a name");
    struct eg_landseries *one = &rows->series[rows->count++];
    *one = (struct eg_landseries){.device = device, .part = part, .land = land, .until = until, .name = kept};
    int code = take_hours(rows, one, series, err);
    return code == EG_OK ? take_days(rows, series, part, err) : code;
}

/* --- all of a site --- */

static int by_device(const void *left, const void *right)
{
    const struct eg_landseries *a = left, *b = right;
    return (a->device > b->device) - (a->device < b->device);
}

int eg_landrows_fill(struct eg_landrows *rows, struct eg_err *err)
{
    int64_t first = INT64_MAX, end = read_to(rows) < rows->now_ms ? read_to(rows) : rows->now_ms;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->series[i].count && rows->series[i].hours[0].number < first)
            first = rows->series[i].hours[0].number;
    if (first == INT64_MAX || !rows->count)
        return EG_OK; /* it has told nothing */
    if (rows->from_ms > first * HOUR_MS)
        first = rows->from_ms / HOUR_MS - 25; /* to the start of the day that holds it */
    rows->first = first;
    rows->end = (end - rows->shift_ms) / HOUR_MS; /* whole hours */
    if (rows->end <= rows->first) {
        rows->end = rows->first;
        return EG_OK;
    }
    const size_t hours = (size_t)(rows->end - rows->first);
    if (hours > VALUES_MAX / rows->count)
        return eg_err_set(err, EG_EFULL,
                          "it has too many hours and series for one query: ask for a shorter time");
    rows->values = malloc(rows->count * hours * sizeof *rows->values);
    rows->columns = malloc(rows->count * sizeof *rows->columns);
    if (!rows->values || !rows->columns)
        return eg_err_set(err, EG_ENOMEM, "no memory for its hours");
    qsort(rows->series, rows->count, sizeof *rows->series, by_device);
    for (size_t i = 0; i < rows->count; i++) {
        const struct eg_landseries *series = &rows->series[i];
        double *values = rows->values + i * hours;
        struct eg_part_fill fill;
        eg_part_fill_begin(&fill, series->part, rows->first, rows->end, values);
        fill.until = series->until;
        for (size_t h = 0; h < series->count; h++)
            eg_part_fill_hour(&fill, series->hours[h].number, series->hours[h].highest,
                              series->hours[h].last);
        eg_part_fill_end(&fill);
        rows->columns[i] =
            (struct eg_column){series->device, series->part, series->land, series->name, values};
    }
    return eg_localdays_fill(&rows->days, rows->db, rows->folded, rows->first * HOUR_MS,
                             rows->end * HOUR_MS + rows->shift_ms, err);
}

bool eg_landrows_hour(const struct eg_landrows *rows, enum eg_land_index index, size_t hour,
                      struct eg_land_state *ret)
{
    return eg_land_tell_hour(index, rows->columns, rows->count, hour, ret);
}

bool eg_landrows_day(const struct eg_landrows *rows, enum eg_land_index index, size_t day,
                     struct eg_land_state *ret)
{
    int64_t from = rows->days.list[day].start_ms / HOUR_MS - rows->first,
            end = rows->days.list[day].end_ms / HOUR_MS - rows->first;
    from = from > 0 ? from : 0;
    if (!rows->columns || end <= from || end > rows->end - rows->first)
        return false;
    return eg_land_tell_day(index, rows->columns, rows->count, (size_t)from, (size_t)end, ret);
}

void eg_landrows_clear(struct eg_landrows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->series[i].name);
        free(rows->series[i].hours);
    }
    free(rows->series);
    eg_localdays_clear(&rows->days);
    free(rows->values);
    free(rows->columns);
    rows->series = NULL;
    rows->values = NULL;
    rows->columns = NULL;
    rows->count = rows->room = 0;
    rows->first = rows->end = 0;
}
