/* A house of cardboard for the api's tests: a configuration, a pipeline, a store and a door that say what the
 * test wants them to say. It stands in for daemon/pipeline and daemon/store, whose own tests are elsewhere;
 * what is linked is the api and what lies below them. */
#ifndef TEST_API_HOUSE_H
#define TEST_API_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <api/rpc.h>
#include <api/methods.h>
#include <base/zone.h>
#include <pipeline/siteback.h>
#include <pipeline/backtest.h>
#include <pipeline/explain.h>
#include <pipeline/siteindex.h>
#include <store/backup.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW INT64_C(1795417200000) /* 2026-11-23T07:00:00Z */
#define MINUTE (INT64_C(60) * 1000)
#define HOUR (60 * MINUTE)

enum { COUNTY, SHANGTIAN, XIATIAN, SITES };
struct point {
    uint32_t series;
    struct eg_point point;
};
static struct {
    struct eg_conf conf;
    struct eg_conf_site sites[SITES];
    struct eg_conf_rule rule;
    const char *supervisors[2];
    struct eg_counters counters;
    struct eg_device_view devices[8];
    struct eg_series_view series[300];
    size_t device_count, series_count;
    struct eg_case cases[8];
    size_t case_count;
    struct eg_case_event events[8];
    size_t event_count;
    struct eg_point *points; /* of series 1 */
    size_t point_count;
    struct eg_rollup rollups[32]; /* hours of series 1 */
    size_t rollup_count;
    struct eg_quarantine_view quarantine[4];
    size_t quarantine_count;
    /* The door. */
    struct eg_faults faults;
    bool busy;
    struct eg_command commands[64];
    char texts[64][4][128]; /* what they said: verb, case, user, note */
    size_t command_count;
    int64_t now_ms;
    bool broker_connected;
    double kernel_factor;
    uint32_t hours_known; /* the hours of the series up to there are in memory */
    /* Exports that were opened and not closed. */
    int exports;
} house;

/* --- the pipeline's views --- */

const struct eg_case *eg_pipeline_case_active(const struct eg_pipeline *pipeline, uint32_t number)
{
    (void)pipeline, (void)number;
    return NULL; /* the stored row is all there is */
}
bool eg_pipeline_suppression(const struct eg_pipeline *pipeline, const struct eg_case *row, int64_t now_ms,
                             struct eg_suppression *ret)
{
    (void)pipeline, (void)row, (void)now_ms, (void)ret;
    return false;
}
const char *eg_suppressor_name(enum eg_suppressor by)
{
    (void)by;
    return "silence";
}
void eg_silence_write(struct eg_json *json, const struct eg_silence *row, int64_t now_ms)
{
    (void)json, (void)row, (void)now_ms;
}
bool eg_pipeline_calibrated(const struct eg_pipeline *pipeline, uint32_t series, int64_t time_ms)
{
    (void)pipeline, (void)series, (void)time_ms;
    return false;
}
int64_t eg_pipeline_serves_until(const struct eg_pipeline *pipeline, uint32_t series)
{
    (void)pipeline, (void)series;
    return INT64_MAX;
}
/* Rules over an index are tried in tests/system/test_backtest.py. */
void eg_siteback_begin(struct eg_siteback *back, const struct eg_conf_rule *rule)
{
    (void)back, (void)rule;
}
bool eg_siteback_feed(struct eg_siteback *back, int64_t end_ms, double value, struct eg_episode *ret_episode)
{
    (void)back, (void)end_ms, (void)value, (void)ret_episode;
    return false;
}
bool eg_siteback_last(const struct eg_siteback *back, struct eg_episode *ret_episode)
{
    (void)back, (void)ret_episode;
    return false;
}
bool eg_sitelook_value(const struct eg_site_hours *hours, int64_t end_ms, double *ret_value)
{
    (void)hours, (void)end_ms, (void)ret_value;
    return false;
}
const char *eg_sitelook_note(const struct eg_site_hours *hours, int64_t end_ms, char *out, size_t size)
{
    (void)hours, (void)end_ms, (void)size;
    return out;
}
enum eg_index_group eg_siteindex_group(int quantity)
{
    (void)quantity;
    return EG_INDEX_AIR;
}
bool eg_siteindex_of_days(const struct eg_conf_rule *rule)
{
    return rule->calendar == EG_CALENDAR_DAY;
}
const char *eg_siteindex_domain(const struct eg_conf_rule *rule)
{
    return rule->domain ? rule->domain : "air";
}
bool eg_pipeline_original(const struct eg_pipeline *pipeline, uint32_t series, int64_t time_ms, double value,
                          double *ret)
{
    (void)pipeline, (void)series, (void)time_ms;
    *ret = value / 2;
    return true;
}
bool eg_pipeline_preview(const struct eg_conf *conf, const struct eg_case *row, const char *party,
                         int64_t now_ms, struct eg_buf *title, struct eg_buf *text, struct eg_buf *line)
{
    (void)conf, (void)party, (void)now_ms;
    return eg_buf_text(title, "title") && eg_buf_text(text, row->site) && eg_buf_text(line, "line");
}
size_t eg_pipeline_device_count(const struct eg_pipeline *pipeline)
{
    (void)pipeline;
    return house.device_count;
}
bool eg_pipeline_device(const struct eg_pipeline *pipeline, uint32_t id, struct eg_device_view *ret_view)
{
    (void)pipeline;
    if (id < 1 || id > house.device_count)
        return false;
    *ret_view = house.devices[id - 1];
    return true;
}
uint32_t eg_pipeline_device_series(const struct eg_pipeline *pipeline, uint32_t device, size_t index)
{
    (void)pipeline;
    for (uint32_t id = 1; id <= house.series_count; id++)
        if (house.series[id - 1].device == device && index-- == 0)
            return id;
    return 0;
}
size_t eg_pipeline_series_count(const struct eg_pipeline *pipeline)
{
    (void)pipeline;
    return house.series_count;
}
bool eg_pipeline_series(const struct eg_pipeline *pipeline, uint32_t id, struct eg_series_view *ret_view)
{
    (void)pipeline;
    if (id < 1 || id > house.series_count)
        return false;
    *ret_view = house.series[id - 1];
    return true;
}
void eg_pipeline_hours(const struct eg_pipeline *pipeline, uint32_t series, int64_t end_ms,
                       int64_t ret_nano[EG_AIR_HOURS])
{
    (void)pipeline, (void)series, (void)end_ms;
    for (int hour = 0; hour < EG_AIR_HOURS; hour++)
        ret_nano[hour] = hour % 5 ? INT64_C(40000000000) : INT64_MIN;
}
const struct eg_conf *eg_pipeline_conf(const struct eg_pipeline *pipeline)
{
    (void)pipeline;
    return &house.conf;
}
const struct eg_case *eg_pipeline_case_at(const struct eg_pipeline *pipeline, size_t index)
{
    (void)pipeline;
    return index < house.case_count ? &house.cases[index] : NULL;
}
void eg_pipeline_source_counts(const struct eg_pipeline *pipeline, size_t source,
                               uint64_t ret_counts[EG_VERDICT_COUNT])
{
    (void)pipeline, (void)source;
    for (int v = 0; v < EG_VERDICT_COUNT; v++)
        ret_counts[v] = (uint64_t)v;
}

/* Rules are judged in tests/system/test_backtest.py. */
bool eg_pipeline_rule_applies(const struct eg_pipeline *pipeline, const struct eg_conf *conf,
                              const struct eg_conf_rule *rule, uint32_t series)
{
    (void)pipeline, (void)conf, (void)rule, (void)series;
    return false;
}
struct eg_place eg_pipeline_place(const struct eg_pipeline *pipeline, const struct eg_conf *conf,
                                  uint32_t series)
{
    (void)pipeline, (void)series;
    return (struct eg_place){.conf = conf};
}
/* Rules are explained in tests/system/test_explain.py. */
bool eg_explain_index(const struct eg_pipeline *pipeline, uint32_t rule, size_t nth, struct eg_explained *ret,
                      uint32_t *ret_site)
{
    (void)pipeline, (void)rule, (void)nth, (void)ret, (void)ret_site;
    return false;
}
bool eg_explain_tell(const struct eg_pipeline *pipeline, uint32_t rule, uint32_t series,
                     struct eg_explained *ret)
{
    (void)pipeline, (void)rule, (void)series, (void)ret;
    return false;
}
struct eg_backtest *eg_backtest_create(const struct eg_conf_rule *rule, const struct eg_place *place,
                                       const struct eg_beside *beside, size_t count)
{
    (void)rule, (void)place, (void)beside, (void)count;
    return NULL;
}
void eg_backtest_destroy(struct eg_backtest *backtest)
{
    (void)backtest;
}
bool eg_backtest_feed(struct eg_backtest *backtest, int64_t time_ms, double value,
                      struct eg_episode *ret_episode)
{
    (void)backtest, (void)time_ms, (void)value, (void)ret_episode;
    return false;
}
bool eg_backtest_last(const struct eg_backtest *backtest, struct eg_episode *ret_episode)
{
    (void)backtest, (void)ret_episode;
    return false;
}

/* --- the store --- */

void eg_store_figures(const struct eg_store *store, struct eg_store_figures *ret)
{
    (void)store;
    *ret = (struct eg_store_figures){
        .bytes = 4096, .bytes_written = 8192, .readings = 5, .journal_readings = 2, .schema = 1};
}
void eg_store_wear(const struct eg_store *store, int64_t now_ms, struct eg_store_wear *ret)
{
    (void)store, (void)now_ms;
    *ret = (struct eg_store_wear){.bytes_per_reading = 80.5,
                                  .bytes_per_day = 24e6,
                                  .kernel_factor = house.kernel_factor > 0 ? house.kernel_factor : NAN};
}
const char *eg_store_path(const struct eg_store *store)
{
    (void)store;
    return "/nowhere/ecogov.db";
}
int eg_store_backup(const char *path, const char *to, const atomic_bool *stop, struct eg_backup_figures *ret,
                    struct eg_err *err)
{
    (void)path, (void)stop;
    if (strcmp(to, "/taken") == 0)
        return eg_err_set(err, EG_ECONFLICT, "%s is there already", to);
    *ret = (struct eg_backup_figures){.bytes = 4096, .readings = 5, .took_us = 1500000};
    return EG_OK;
}
int eg_reader_points(struct eg_reader *reader, uint32_t series, int64_t from_ms, int64_t to_ms,
                     bool (*each)(void *arg, const struct eg_point *point), void *arg, struct eg_err *err)
{
    (void)reader, (void)err;
    for (size_t i = 0; series == 1 && i < house.point_count; i++)
        if (house.points[i].time_ms >= from_ms && house.points[i].time_ms < to_ms &&
            !each(arg, &house.points[i]))
            break;
    return EG_OK;
}
int eg_reader_rollups(struct eg_reader *reader, uint32_t series, enum eg_period period, int64_t from_ms,
                      int64_t to_ms, bool (*each)(void *arg, const struct eg_rollup *rollup), void *arg,
                      struct eg_err *err)
{
    (void)reader, (void)err;
    for (size_t i = 0; series == 1 && period == EG_PERIOD_HOUR && i < house.rollup_count; i++)
        if (house.rollups[i].start_ms >= from_ms && house.rollups[i].start_ms < to_ms &&
            !each(arg, &house.rollups[i]))
            break;
    return EG_OK;
}
/* What a reader keeps in memory: the first series' here, from the first question on; of the others it knows nothing. */
bool eg_reader_knows_hours(const struct eg_reader *reader, uint32_t series, int64_t from_ms)
{
    (void)reader, (void)from_ms;
    return series <= house.hours_known;
}
void eg_reader_committed(struct eg_reader *reader, const struct eg_batch *batch)
{
    (void)reader, (void)batch;
}
int eg_reader_hours(struct eg_reader *reader, uint32_t series, int64_t from_ms, int64_t to_ms,
                    const struct eg_conf_validity *validity, struct eg_lastday_sum *ret, struct eg_err *err)
{
    (void)reader, (void)err, (void)validity;
    *ret = (struct eg_lastday_sum){0};
    if (series > house.hours_known)
        house.hours_known = series;
    for (size_t i = 0; series == 1 && i < house.rollup_count; i++) {
        const struct eg_rollup *row = &house.rollups[i];
        if (row->start_ms < from_ms || row->start_ms >= to_ms)
            continue;
        ret->min = ret->hours ? fmin(ret->min, row->min) : row->min;
        ret->max = ret->hours ? fmax(ret->max, row->max) : row->max;
        ret->count += row->count;
        ret->sum += row->sum;
        ret->hours++;
    }
    return EG_OK;
}
int eg_reader_cases(struct eg_reader *reader, const struct eg_case_query *query,
                    bool (*each)(void *arg, const struct eg_case *row), void *arg, struct eg_err *err)
{
    (void)reader, (void)err;
    size_t rows = 0;
    for (size_t i = house.case_count; i-- > 0 && rows < query->limit;) {
        const struct eg_case *row = &house.cases[i];
        bool at_site = !query->site && !query->sites;
        at_site = at_site || (query->site && strcmp(query->site, row->site) == 0);
        for (size_t s = 0; s < query->site_count; s++)
            at_site = at_site || strcmp(query->sites[s], row->site) == 0;
        bool active = row->handling != EG_CLOSED && row->handling != EG_REJECTED;
        if (!at_site || (query->below && row->number >= query->below) || (query->open_only && !active) ||
            (query->handling >= 0 && query->handling != row->handling) ||
            (query->level >= 0 && query->level != row->level))
            continue;
        rows++;
        if (!each(arg, row))
            break;
    }
    return EG_OK;
}
int eg_reader_case(struct eg_reader *reader, const char *id, struct eg_case *ret, struct eg_err *err)
{
    (void)reader;
    char number[16];
    for (size_t i = 0; i < house.case_count; i++) {
        snprintf(number, sizeof number, "%u", (unsigned)house.cases[i].number);
        if (strcmp(id, house.cases[i].id) == 0 || strcmp(id, number) == 0) {
            *ret = house.cases[i];
            return EG_OK;
        }
    }
    return eg_err_set(err, EG_ENOTFOUND, "There is no case %s.", id);
}
int eg_reader_kpi(struct eg_reader *reader, int64_t from_ms, int64_t to_ms, size_t limit,
                  bool (*each)(void *arg, const struct eg_kpi_row *row), void *arg, struct eg_err *err)
{
    (void)reader, (void)from_ms, (void)to_ms, (void)limit, (void)each, (void)arg, (void)err;
    return EG_OK;
}

int eg_reader_silences(struct eg_reader *reader, bool ended_too, int64_t below, size_t limit,
                       bool (*each)(void *arg, const struct eg_silence *row), void *arg, struct eg_err *err)
{
    (void)reader, (void)ended_too, (void)below, (void)limit, (void)each, (void)arg, (void)err;
    return EG_OK;
}

void eg_sitelook_air(const struct eg_site_hours *hours, int64_t end_ms, struct eg_aqi *ret_aqi)
{
    (void)hours, (void)end_ms, (void)ret_aqi;
}
int eg_reader_evidence(struct eg_reader *reader, uint32_t number,
                       bool (*each)(void *arg, const struct eg_row_evidence *row), void *arg,
                       struct eg_err *err)
{
    (void)reader, (void)number, (void)each, (void)arg, (void)err;
    return EG_OK;
}

int eg_reader_case_events(struct eg_reader *reader, uint32_t number,
                          bool (*each)(void *arg, const struct eg_case_event *event), void *arg,
                          struct eg_err *err)
{
    (void)reader, (void)err;
    for (size_t i = 0; i < house.event_count; i++)
        if (house.events[i].case_number == number && !each(arg, &house.events[i]))
            break;
    return EG_OK;
}
int eg_reader_quarantine(struct eg_reader *reader, int64_t id, int64_t before_id, size_t limit,
                         bool (*each)(void *arg, const struct eg_quarantine_view *row), void *arg,
                         struct eg_err *err)
{
    (void)reader, (void)err;
    size_t rows = 0;
    for (size_t i = house.quarantine_count; i-- > 0 && rows < limit;) {
        const struct eg_quarantine_view *row = &house.quarantine[i];
        if ((id > 0 && row->id != id) || (before_id > 0 && row->id >= before_id))
            continue;
        rows++;
        if (!each(arg, row))
            break;
    }
    return EG_OK;
}
int eg_reader_quarantined(struct eg_reader *reader, int64_t after_id, const char *source, size_t limit,
                          bool (*each)(void *arg, const struct eg_quarantine_view *row), void *arg,
                          struct eg_err *err)
{
    (void)reader, (void)err;
    size_t rows = 0;
    for (size_t i = 0; i < house.quarantine_count && rows < limit; i++) {
        const struct eg_quarantine_view *row = &house.quarantine[i];
        if (row->id <= after_id || (source && strcmp(row->source, source) != 0))
            continue;
        rows++;
        if (!each(arg, row))
            break;
    }
    return EG_OK;
}
int eg_reader_outbox(struct eg_reader *reader, bool pending_only, int64_t after_id, size_t limit,
                     bool (*each)(void *arg, const struct eg_outbox_view *row), void *arg, struct eg_err *err)
{
    (void)reader, (void)err, (void)after_id, (void)limit;
    struct eg_outbox_view row = {.id = 1,
                                 .created_ms = NOW,
                                 .done_ms = EG_TIME_NONE,
                                 .channel = "mqtt",
                                 .recipient = "ecogov/events/case/shangtian/c1",
                                 .key = "c1-1",
                                 .body = "{}",
                                 .error = "",
                                 .party = "grid",
                                 .why = "opened",
                                 .line = "[warning]"};
    each(arg, &row);
    row.done_ms = NOW;
    row.error = "the broker went away";
    if (!pending_only)
        each(arg, &row);
    return EG_OK;
}
struct eg_export {
    struct eg_export_filter filter;
    size_t at;
};
int eg_export_open(struct eg_store *store, const struct eg_export_filter *filter, struct eg_export **ret,
                   struct eg_err *err)
{
    (void)store, (void)err;
    *ret = calloc(1, sizeof **ret);
    (*ret)->filter = *filter;
    house.exports++;
    return EG_OK;
}
int eg_export_next(struct eg_export *xport, size_t most,
                   bool (*each)(void *arg, uint32_t series, const struct eg_point *point), void *arg,
                   bool *ret_done, struct eg_err *err)
{
    (void)err;
    for (size_t n = 0; n < most && xport->at < house.point_count; n++, xport->at++)
        if (xport->filter.wanted(xport->filter.arg, 1) && !each(arg, 1, &house.points[xport->at]))
            return EG_OK;
    *ret_done = xport->at == house.point_count;
    return EG_OK;
}
void eg_export_close(struct eg_export *xport)
{
    if (xport)
        house.exports--;
    free(xport);
}

/* --- the door --- */

static void door_state(void *user, struct eg_api_state *ret)
{
    (void)user;
    *ret = (struct eg_api_state){.started_ms = NOW - HOUR,
                                 .now_ms = house.now_ms,
                                 .broker_connected = house.broker_connected,
                                 .broker_since_ms = NOW - HOUR,
                                 .faults = &house.faults,
                                 .counters = house.counters,
                                 .commits = 7,
                                 .last_commit_us = 1500};
}
static bool door_command(void *user, const struct eg_command *command)
{
    (void)user;
    if (house.busy || house.command_count == 64)
        return false;
    size_t i = house.command_count++;
    house.commands[i] = *command;
    const char *texts[4] = {command->verb, command->case_id, command->user, command->note};
    for (int t = 0; t < 4; t++)
        snprintf(house.texts[i][t], sizeof house.texts[i][t], "%s", texts[t] ? texts[t] : "");
    return true;
}
static const struct eg_api_door door = {.state = door_state, .command = door_command};

/* --- the furniture --- */

static void add_device(uint32_t site, const char *domain, const char *device, int64_t last_seen_ms)
{
    uint32_t id = (uint32_t)++house.device_count;
    house.devices[id - 1] = (struct eg_device_view){.id = id,
                                                    .conf_site = site,
                                                    .site = house.sites[site].id,
                                                    .domain = domain,
                                                    .device = device,
                                                    .name = "",
                                                    .last_seen_ms = last_seen_ms,
                                                    .interval_ms = MINUTE,
                                                    .silent_after_ms = 10 * MINUTE};
}
static void add_series(uint32_t device, const char *quantity, const char *channel, double value)
{
    uint32_t id = (uint32_t)++house.series_count;
    struct eg_series_view *view = &house.series[id - 1];
    *view = (struct eg_series_view){.id = id,
                                    .device = device,
                                    .quantity = (uint16_t)eg_quantity_find(quantity, strlen(quantity)),
                                    .channel = channel,
                                    .has_last = true,
                                    .last_ms = house.devices[device - 1].last_seen_ms,
                                    .last_value = value};
    view->hour = (struct eg_rollup){.start_ms = NOW - 30 * MINUTE,
                                    .end_ms = NOW + 30 * MINUTE,
                                    .count = 2,
                                    .sum = 2 * value,
                                    .min = value - 1,
                                    .max = value + 1,
                                    .first = value - 1,
                                    .last = value + 1,
                                    .slots = {0x7fff, 0}}; /* 15 of the 30 minutes that have passed */
    view->day = view->hour;
    house.devices[device - 1].series_count++;
}
static void add_case(uint32_t number, const char *site, enum eg_level level, enum eg_handling handling)
{
    struct eg_case *row = &house.cases[house.case_count++];
    *row = (struct eg_case){.number = number,
                            .quantity = (uint16_t)eg_quantity_find("pm25", 4),
                            .series = 1,
                            .rule_version = UINT64_MAX,
                            .level = (uint8_t)level,
                            .handling = (uint8_t)handling,
                            .opened_ms = NOW - HOUR,
                            .detected_ms = NOW - HOUR + 5,
                            .closed_ms = EG_TIME_NONE,
                            .due_ms = EG_TIME_NONE,
                            .last_value = 80,
                            .peak_value = 120.5,
                            .last_ms = NOW - MINUTE,
                            .peak_ms = NOW - 5 * MINUTE,
                            .limit = 75,
                            .version = 1};
    snprintf(row->id, sizeof row->id, "%s-20261123-test-%u", site, (unsigned)number);
    snprintf(row->site, sizeof row->site, "%s", site);
    snprintf(row->domain, sizeof row->domain, "air");
    snprintf(row->device, sizeof row->device, "a1");
    snprintf(row->rule, sizeof row->rule, "pm25_hour");
}

static void furnish(void)
{
    free(house.points);
    memset(&house, 0, sizeof house);
    house.now_ms = NOW;
    house.broker_connected = true;
    house.sites[COUNTY] = (struct eg_conf_site){.id = "county",
                                                .name = "County",
                                                .level = "county",
                                                .parent = EG_CONF_NONE,
                                                .latitude = NAN,
                                                .longitude = NAN};
    house.sites[SHANGTIAN] = (struct eg_conf_site){.id = "shangtian",
                                                   .name = "上田村",
                                                   .level = "village",
                                                   .parent = COUNTY,
                                                   .latitude = 30.5,
                                                   .longitude = 120.25};
    house.sites[XIATIAN] = (struct eg_conf_site){.id = "xiatian",
                                                 .name = "下田村",
                                                 .level = "village",
                                                 .parent = COUNTY,
                                                 .latitude = NAN,
                                                 .longitude = NAN};
    house.rule = (struct eg_conf_rule){.id = "pm25_hour",
                                       .domain = "air",
                                       .quantity = eg_quantity_find("pm25", 4),
                                       .statistic = EG_STAT_MEAN,
                                       .window_ms = HOUR,
                                       .hold_ms = 10 * MINUTE,
                                       .basis = "GB 3095-2012",
                                       .action = "Look for burning straw.",
                                       .title_en = "Fine dust",
                                       .title_zh = "细颗粒物"};
    house.rule.levels[EG_LEVEL_WARNING].set = true;
    house.rule.levels[EG_LEVEL_WARNING].open = 75;
    house.rule.levels[EG_LEVEL_WARNING].clear = 60;
    house.conf = (struct eg_conf){.path = "/etc/ecogov/ecogov.yaml",
                                  .mqtt = {.host = "127.0.0.1", .port = 1883},
                                  .store = {.path = "/var/lib/ecogov/ecogov.db"},
                                  .time_zone = "UTC",
                                  .future_tolerance_ms = 5 * MINUTE,
                                  .sites = house.sites,
                                  .site_count = SITES,
                                  .rules = &house.rule,
                                  .rule_count = 1};
    house.conf.socket.supervisors = house.supervisors;
    add_device(SHANGTIAN, "air", "a1", NOW - MINUTE);
    add_device(SHANGTIAN, "air", "a2", NOW - 5 * HOUR);
    add_device(XIATIAN, "air", "a1", NOW - 2 * MINUTE);
    add_device(XIATIAN, "waste", "bin1", EG_TIME_NONE);
    add_series(1, "pm25", "", 40);
    add_series(1, "pm10", "", 80);
    add_series(2, "pm25", "", 10);
    add_series(3, "pm25", "", 20);
    add_series(4, "temperature", "lid", 35);
    add_series(4, "temperature", "floor", 30);
    house.series[2].hour.start_ms -= HOUR; /* a2 went silent: its open hour is not this one */
    house.series[2].hour.end_ms -= HOUR;
    add_case(1, "shangtian", EG_LEVEL_WARNING, EG_OPEN);
    add_case(2, "xiatian", EG_LEVEL_CRITICAL, EG_ASSIGNED);
    eg_zone_use("UTC");
}
static inline void add_points(size_t count, int64_t from_ms, int64_t step_ms)
{
    house.points = calloc(count, sizeof *house.points);
    house.point_count = count;
    for (size_t i = 0; house.points && i < count; i++)
        house.points[i] = (struct eg_point){.time_ms = from_ms + (int64_t)i * step_ms, .value = (double)i};
}

/* Stands for any object: the cardboard functions above never look at it. */
#define SOMETHING(type) ((struct type *)(void *)&house)

#endif
