/* Rebuilds a pipeline from the store, in the order pipeline.h asks for. Knows where everything lies. Called once, at the start. */
#include <store/inside.h>
#include <store/checkpoints.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDATE_BITE_US 1000000

struct load {
    struct eg_store *store;
    struct eg_pipeline *pipeline;
    struct eg_err *err;
    struct eg_aged *tail; /* all unsealed readings by series */
    size_t tail_count;
    struct eg_stream stream; /* one for all series in turn */
};

static const char *text_at(sqlite3_stmt *sql, int column)
{
    const char *text = (const char *)sqlite3_column_text(sql, column);
    return text ? text : "";
}

static int64_t time_at(sqlite3_stmt *sql, int column)
{
    return sqlite3_column_type(sql, column) == SQLITE_NULL ? EG_TIME_NONE : sqlite3_column_int64(sql, column);
}

static int each_row(struct load *load, const char *query, int (*each)(struct load *load, sqlite3_stmt *sql))
{
    sqlite3_stmt *sql = NULL;
    int result = EG_OK, code = sqlite3_prepare_v2(load->store->db, query, -1, &sql, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(sql);
        if (code == SQLITE_ROW && (result = each(load, sql)) != EG_OK)
            break;
    }
    if (result == EG_OK && code != SQLITE_DONE)
        result = eg_sql_error(load->store->db, load->err, "reading the store");
    sqlite3_finalize(sql);
    return result;
}

static int take_counters(struct load *load, sqlite3_stmt *sql)
{
    struct eg_counters *c = &load->store->counters;
    uint64_t *const fields[] = {&c->received,   &c->decoded,    &c->duplicate, &c->quarantined,
                                &c->ignored,    &c->r_decoded,  &c->r_stored,  &c->r_duplicate,
                                &c->r_rejected, &c->r_corrected};
    load->store->seq = sqlite3_column_int64(sql, 0);
    for (int i = 0; i < 10; i++)
        *fields[i] = (uint64_t)sqlite3_column_int64(sql, 1 + i);
    eg_pipeline_restore_counters(load->pipeline, c);
    return EG_OK;
}

static int take_device(struct load *load, sqlite3_stmt *sql)
{
    struct eg_row_device row = {(uint32_t)sqlite3_column_int64(sql, 0), text_at(sql, 1), text_at(sql, 2),
                                text_at(sql, 3), sqlite3_column_int64(sql, 4)};
    const struct eg_row_rhythm rhythm = {row.id, sqlite3_column_int64(sql, 5)};
    int code = eg_pipeline_restore_device(load->pipeline, &row, load->err);
    if (code == EG_OK)
        eg_pipeline_restore_rhythm(load->pipeline, &rhythm);
    const struct eg_row_standing standing = {row.id,
                                             time_at(sql, 6),
                                             time_at(sql, 7),
                                             time_at(sql, 8),
                                             (uint32_t)sqlite3_column_int64(sql, 9),
                                             sqlite3_column_int(sql, 10) != 0,
                                             time_at(sql, 11)};
    if (code == EG_OK)
        eg_pipeline_restore_standing(load->pipeline, &standing);
    return code;
}

static int take_device_event(struct load *load, sqlite3_stmt *sql)
{
    const struct eg_row_device_event row = {(uint32_t)sqlite3_column_int64(sql, 0),
                                            (enum eg_device_event)sqlite3_column_int(sql, 1),
                                            sqlite3_column_int64(sql, 2), text_at(sql, 3), text_at(sql, 4)};
    return eg_pipeline_restore_device_event(load->pipeline, &row, load->err);
}

static int take_series(struct load *load, sqlite3_stmt *sql)
{
    const char *name = text_at(sql, 2);
    int quantity = eg_quantity_find(name, strlen(name));
    if (quantity == EG_QUANTITY_NONE)
        return eg_err_set(load->err, EG_EINVAL, "series %lld: there is no quantity '%.40s'",
                          (long long)sqlite3_column_int64(sql, 0), name);
    struct eg_row_series row = {(uint32_t)sqlite3_column_int64(sql, 0),
                                (uint32_t)sqlite3_column_int64(sql, 1), (uint16_t)quantity, text_at(sql, 3)};
    return eg_pipeline_restore_series(load->pipeline, &row, load->err);
}

static int take_finding(struct load *load, sqlite3_stmt *sql)
{
    const struct eg_row_finding row = {(uint32_t)sqlite3_column_int64(sql, 0), time_at(sql, 1),
                                       time_at(sql, 2), sqlite3_column_double(sql, 3),
                                       sqlite3_column_int(sql, 4)};
    eg_pipeline_restore_finding(load->pipeline, &row);
    return EG_OK;
}

static int take_calibration(struct load *load, sqlite3_stmt *sql)
{
    const struct eg_row_calibration row = {(uint32_t)sqlite3_column_int64(sql, 0), false,
                                           sqlite3_column_int64(sql, 1), sqlite3_column_double(sql, 2),
                                           sqlite3_column_double(sql, 3)};
    return eg_pipeline_restore_calibration(load->pipeline, &row, load->err);
}

static int take_last(struct load *load, sqlite3_stmt *sql)
{
    int code = eg_pipeline_restore_last(load->pipeline, (uint32_t)sqlite3_column_int64(sql, 0),
                                        sqlite3_column_int64(sql, 1), sqlite3_column_double(sql, 2),
                                        (uint16_t)sqlite3_column_int(sql, 3));
    return code == EG_OK ? EG_OK
                         : eg_err_set(load->err, EG_ECORRUPT, "series_last names a series that is not there");
}

static int take_rule_state(struct load *load, sqlite3_stmt *sql)
{
    struct eg_row_rule_state row = {.rule = text_at(sql, 0),
                                    .series = (uint32_t)sqlite3_column_int64(sql, 1)};
    row.state.level = (uint8_t)sqlite3_column_int(sql, 2);
    row.state.case_number = (uint32_t)sqlite3_column_int64(sql, 3);
    if (row.state.level >= EG_LEVEL_COUNT)
        return eg_err_set(load->err, EG_ECORRUPT, "rule_state of '%.60s' holds a level nobody wrote",
                          row.rule);
    row.state.since_ms[EG_LEVEL_NONE] = row.state.clear_since_ms[EG_LEVEL_NONE] = EG_TIME_NONE;
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++) {
        row.state.since_ms[level] = time_at(sql, 3 + level);
        row.state.clear_since_ms[level] = time_at(sql, 6 + level);
    }
    /* Without them, or where they are damaged, all that came up to now is settled. */
    row.state.seen_ms = EG_TIME_NONE;
    row.checkpointed = eg_checkpoints_unpack(sqlite3_column_blob(sql, 10),
                                             (size_t)sqlite3_column_bytes(sql, 10), &row) == EG_OK;
    eg_pipeline_restore_rule_state(load->pipeline, &row);
    return EG_OK;
}

static int take_case(struct load *load, sqlite3_stmt *sql)
{
    struct eg_case row;
    eg_case_read(sql, &row);
    return eg_pipeline_restore_case(load->pipeline, &row, load->err);
}

static void take_ident(void *arg, uint16_t mid, uint32_t hash)
{
    eg_pipeline_restore_ident(arg, mid, hash);
}

static int take_idents(struct load *load, sqlite3_stmt *sql)
{
    const uint8_t *blob = sqlite3_column_blob(sql, 1);
    if (eg_pack_each_ident(blob, (size_t)sqlite3_column_bytes(sql, 1), take_ident, load->pipeline) != EG_OK)
        return eg_err_set(load->err, EG_ECORRUPT, "turn %lld of the journal is damaged",
                          (long long)sqlite3_column_int64(sql, 0));
    return EG_OK;
}

static int take_told(struct load *load, sqlite3_stmt *sql)
{
    const struct eg_row_told row = {(uint32_t)sqlite3_column_int64(sql, 0),
                                    text_at(sql, 1),
                                    text_at(sql, 2),
                                    text_at(sql, 3),
                                    sqlite3_column_int64(sql, 4),
                                    (unsigned)sqlite3_column_int64(sql, 5)};
    return eg_pipeline_restore_told(load->pipeline, &row, load->err);
}

static int take_silence(struct load *load, sqlite3_stmt *sql)
{
    struct eg_silence row;
    eg_silence_read(sql, &row);
    return eg_pipeline_restore_silence(load->pipeline, &row, load->err);
}

static int take_suppressed(struct load *load, sqlite3_stmt *sql)
{
    const struct eg_row_suppressed row = {.case_number = (uint32_t)sqlite3_column_int64(sql, 0),
                                          .since_ms = sqlite3_column_int64(sql, 1),
                                          .flapping = sqlite3_column_int(sql, 2) != 0,
                                          .owed = sqlite3_column_int(sql, 3) != 0,
                                          .untold = sqlite3_column_int(sql, 4) != 0,
                                          .risen = sqlite3_column_int(sql, 5) != 0};
    return eg_pipeline_restore_suppressed(load->pipeline, &row, load->err);
}

static int take_change(struct load *load, sqlite3_stmt *sql)
{
    return eg_pipeline_restore_change(load->pipeline, (uint32_t)sqlite3_column_int64(sql, 0),
                                      sqlite3_column_int64(sql, 1), sqlite3_column_int64(sql, 2));
}

static int take_ids(struct load *load, sqlite3_stmt *sql)
{
    eg_pipeline_restore_ids(load->pipeline, (uint32_t)sqlite3_column_int64(sql, 0),
                            sqlite3_column_int64(sql, 1));
    return EG_OK;
}

/* Where a series' rows in the sorted tail begin; *ret_count of them. */
static const struct eg_aged *tail_of(const struct load *load, uint32_t series, size_t *cursor,
                                     size_t *ret_count)
{
    size_t from = *cursor, to;
    while (from < load->tail_count && load->tail[from].series < series)
        from++;
    for (to = from; to < load->tail_count && load->tail[to].series == series;)
        to++;
    *cursor = to;
    *ret_count = to - from;
    return load->tail + from;
}

static int refill(struct load *load, uint32_t series, const struct eg_aged *tail, size_t tail_count)
{
    struct eg_series_view view;
    struct eg_stream *stream = &load->stream;
    struct eg_point point;
    if (tail_count && eg_pipeline_series(load->pipeline, series, &view)) {
        const struct eg_point *last = &tail[tail_count - 1].point;
        if (!view.has_last || last->time_ms >= view.last_ms)
            eg_pipeline_restore_last(load->pipeline, series, last->time_ms, last->value, last->flags);
    }
    int64_t since = eg_pipeline_restore_since(load->pipeline, series);
    if (since == INT64_MAX)
        return EG_OK;
    int code = eg_stream_open(stream, load->store->db, series, since, INT64_MAX, tail, tail_count, load->err);
    if (code != EG_OK)
        return code;
    int step;
    while ((step = eg_stream_next(stream, &point)) == 1)
        eg_pipeline_restore_reading(load->pipeline, series, point.time_ms, point.value, point.flags);
    return step;
}

static int refill_all(struct load *load)
{
    size_t cursor = 0;
    int code = eg_stream_tail(load->store->db, 0, &load->tail, &load->tail_count, load->err);
    for (uint32_t id = 1; code == EG_OK && id <= eg_pipeline_series_count(load->pipeline); id++) {
        size_t count;
        const struct eg_aged *rows = tail_of(load, id, &cursor, &count);
        code = refill(load, id, rows, count);
    }
    eg_stream_close(&load->stream);
    free(load->tail);
    load->tail = NULL;
    return code;
}

int eg_store_configure(struct eg_store *store, const struct eg_conf *conf, struct eg_err *err)
{
    sqlite3_stmt *list = NULL, *forget = NULL;
    int code = eg_age_configure(store, conf, err);
    if (code != EG_OK)
        return code;
    eg_land_use_keep(store, conf);
    code = sqlite3_prepare_v2(store->db, "SELECT DISTINCT rule FROM rule_state WHERE case_number=0", -1,
                              &list, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(store->db, "DELETE FROM rule_state WHERE case_number=0 AND rule=?1", -1,
                                  &forget, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(list)) == SQLITE_ROW) {
        code = SQLITE_OK;
        char id[64]; /* of the index of a site: "rule@site" */
        snprintf(id, sizeof id, "%.*s", (int)strcspn(text_at(list, 0), "@"), text_at(list, 0));
        if (eg_conf_rule_find(conf, id))
            continue;
        sqlite3_bind_text(forget, 1, text_at(list, 0), -1, SQLITE_TRANSIENT);
        code = sqlite3_step(forget) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
        sqlite3_reset(forget);
    }
    int failed = code != SQLITE_DONE
                     ? eg_sql_error(store->db, err, "forgetting what rules that are gone had seen")
                     : EG_OK;
    sqlite3_finalize(list);
    sqlite3_finalize(forget);
    return failed;
}

int eg_store_load(struct eg_store *store, struct eg_pipeline *pipeline, struct eg_err *err)
{
    struct load load = {.store = store, .pipeline = pipeline, .err = err};
    char cases[1024];
    sqlite3_snprintf(sizeof cases, cases, "SELECT %s FROM cases WHERE handling<5 ORDER BY number",
                     eg_case_columns);
    int code = EG_OK;
    for (bool more = true; code == EG_OK && more;) /* a kill came between */
        code = eg_store_redate(store, REDATE_BITE_US, &more, err);
    if (code == EG_OK)
        code = eg_store_configure(store, eg_pipeline_conf(pipeline), err);
    if (code == EG_OK)
        code = each_row(
            &load,
            "SELECT seq,received,decoded,duplicate,quarantined,ignored,r_decoded,r_stored,r_duplicate,"
            "r_rejected,r_corrected FROM turn ORDER BY seq DESC LIMIT 1",
            take_counters);
    if (code == EG_OK)
        code = each_row(&load,
                        "SELECT id,site,domain,device,registered_at,interval,silent_at,heard_at,awaited_at,"
                        "case_number,gone,due_told FROM device ORDER BY id",
                        take_device);
    if (code == EG_OK)
        code = each_row(&load, "SELECT device,kind,at,actor,note FROM device_event ORDER BY id",
                        take_device_event);
    if (code == EG_OK)
        code = each_row(&load, "SELECT id,device,quantity,channel FROM series ORDER BY id", take_series);
    if (code == EG_OK)
        code = each_row(&load, "SELECT series,noisy_at,drifting_at,usual,side FROM finding", take_finding);
    if (code == EG_OK)
        code = each_row(&load, "SELECT series,since,scale,offset FROM calibration ORDER BY series,since",
                        take_calibration);
    if (code == EG_OK)
        code = each_row(&load, "SELECT series,time,value,flags FROM series_last", take_last);
    if (code == EG_OK)
        code = refill_all(&load);
    if (code == EG_OK)
        code = each_row(
            &load,
            "SELECT rule,series,level,case_number,since1,since2,since3,clear1,clear2,clear3,checkpoints FROM "
            "rule_state",
            take_rule_state);
    if (code == EG_OK)
        code = each_row(&load, cases, take_case);
    if (code == EG_OK)
        code = each_row(&load, "SELECT case_number,party,channel,recipient,at,repeats FROM told", take_told);
    if (code == EG_OK)
        code = each_row(&load, EG_SILENCE_SELECT " ORDER BY id", take_silence);
    if (code == EG_OK)
        code = each_row(&load, "SELECT case_number,since,flapping,owed,untold,risen FROM suppressed",
                        take_suppressed);
    if (code == EG_OK)
        code = each_row(&load,
                        "SELECT e.case_number,e.known_at,e.at FROM cases c JOIN case_event e ON "
                        "e.case_number=c.number WHERE c.handling<5 AND e.kind IN ('condition','level') AND "
                        "(c.kind=3 OR (e.was<>'unknown' AND e.became<>'unknown')) AND "
                        "e.version>ifnull((SELECT max(r.version) FROM case_event r WHERE "
                        "r.case_number=c.number AND r.was IN ('closed','rejected')),0) ORDER BY c.number, "
                        "e.version",
                        take_change);
    if (code == EG_OK)
        code =
            each_row(&load, "SELECT seq,idents FROM turn WHERE idents IS NOT NULL ORDER BY seq", take_idents);
    if (code == EG_OK)
        code = each_row(
            &load, "SELECT ifnull((SELECT max(number) FROM cases),0), ifnull((SELECT max(id) FROM outbox),0)",
            take_ids);
    if (code == EG_OK)
        code = eg_clock_load(store, pipeline, err);
    if (code == EG_OK)
        eg_sql_figures(store);
    return code;
}
