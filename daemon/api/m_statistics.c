/* Knows what every series came to in the last hours: many series in one answer, where readings.history tells one of them at length.
 * Refuses to know where closed hours lie (store/lastday.c); the open one is the pipeline's. Called by the table in methods.c. */
#include <api/methods.h>
#include <base/zone.h>
#include <pipeline/rollup.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HOUR_MS (INT64_C(3600) * 1000)
#define LIMIT_DEFAULT 1000
#define FRESH_MOST                                                                                           \
    256 /* series whose hours are not in memory yet, in one answer: nobody waits long for this one */

struct statistics {
    struct eg_call *call;
    struct eg_scope scope;
    const char *device, *domain;
    int quantity;
    int64_t from_ms, now_ms;
    size_t rows, fresh;
};

static bool wanted(const struct statistics *statistics, const struct eg_series_view *series,
                   struct eg_device_view *ret_device)
{
    const struct eg_desk *desk = statistics->call->desk;
    return (statistics->quantity == EG_QUANTITY_NONE || statistics->quantity == series->quantity) &&
           eg_pipeline_device(desk->pipeline, series->device, ret_device) &&
           (!statistics->domain || strcmp(statistics->domain, ret_device->domain) == 0) &&
           (!statistics->device || eg_call_device_is(ret_device, statistics->device)) &&
           eg_scope_has_device(desk->conf, &statistics->scope, ret_device);
}

/* Of the open hour the pipeline tells, whatever the store may hold of it. */
static void add_open(const struct statistics *statistics, const struct eg_rollup *open, int64_t interval_ms,
                     struct eg_lastday_sum *sum)
{
    if (!open->count || open->start_ms < statistics->from_ms || open->start_ms >= statistics->now_ms)
        return;
    sum->min = !sum->hours || open->min < sum->min ? open->min : sum->min;
    sum->max = !sum->hours || open->max > sum->max ? open->max : sum->max;
    sum->count += open->count;
    sum->sum += open->sum;
    eg_daymean_add(&sum->mean, open);
    sum->hours++;
    sum->valid_hours +=
        eg_rollup_valid(open, EG_PERIOD_HOUR, interval_ms, &statistics->call->desk->conf->validity);
}

static void write_row(struct statistics *statistics, const struct eg_device_view *device,
                      const struct eg_series_view *series, const struct eg_lastday_sum *sum)
{
    struct eg_json *json = statistics->call->json;
    const struct eg_conf_validity *validity = &statistics->call->desk->conf->validity;
    const int64_t asked = eg_call_int(statistics->call, "hours", EG_LASTDAY_HOURS);
    const struct eg_quantity_info *info = eg_quantity_info(series->quantity);
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", device->site);
    eg_json_put_string(json, "domain", device->domain);
    eg_json_put_string(json, "device", device->device);
    eg_json_put_string(json, "quantity", info->name);
    eg_json_put_string(json, "channel", series->channel);
    eg_json_put_string(json, "unit", info->unit);
    eg_json_put_int(json, "hours", sum->hours);
    eg_json_put_int(json, "valid_hours", sum->valid_hours);
    eg_json_put_bool(json, "valid",
                     sum->valid_hours * EG_LASTDAY_HOURS >= (int64_t)validity->day_hours * asked);
    eg_json_put_int(json, "count", (int64_t)sum->count);
    eg_json_put_number(json, "mean",
                       eg_quantity_direction(series->quantity)
                           ? (double)NAN
                           : eg_daymean_of(&sum->mean, sum->sum, sum->count));
    eg_json_put_number(json, "min", sum->min);
    eg_json_put_number(json, "max", sum->max);
    bool today = statistics->now_ms >= series->day.start_ms && statistics->now_ms < series->day.end_ms;
    eg_json_put_int(json, "suspect_today", today ? series->day_doubts.suspect : 0);
    eg_json_put_int(json, "set_aside_today", today ? series->day_doubts.bad : 0);
    eg_json_put_int(json, "clock_today", today ? series->day_doubts.clock : 0);
    eg_json_close(json, '}');
}

/* From series `id` on. *ret_next: where the next page begins, 0: this is the last. */
static int write_rows(struct statistics *statistics, uint32_t id, uint32_t *ret_next, struct eg_err *err)
{
    const struct eg_desk *desk = statistics->call->desk;
    const size_t count = eg_pipeline_series_count(desk->pipeline),
                 most = (size_t)eg_call_int(statistics->call, "limit", LIMIT_DEFAULT);
    *ret_next = 0;
    for (; id <= count; id++) {
        struct eg_series_view series;
        struct eg_device_view device;
        struct eg_lastday_sum sum;
        if (!eg_pipeline_series(desk->pipeline, id, &series) || !wanted(statistics, &series, &device))
            continue;
        statistics->fresh += !eg_reader_knows_hours(desk->reader, id, statistics->from_ms);
        if (statistics->rows == most || statistics->fresh > FRESH_MOST) {
            *ret_next = id;
            return 0;
        }
        int64_t to_ms = series.hour.count && series.hour.start_ms < statistics->now_ms ? series.hour.start_ms
                                                                                       : statistics->now_ms;
        int code =
            eg_reader_hours(desk->reader, id, statistics->from_ms, to_ms, &desk->conf->validity, &sum, err);
        if (code < 0)
            return code;
        add_open(statistics, &series.hour, series.hour_interval_ms, &sum);
        if (!sum.count)
            continue;
        write_row(statistics, &device, &series, &sum);
        statistics->rows++;
    }
    return 0;
}

int eg_m_statistics(struct eg_call *call)
{
    struct statistics statistics = {
        .call = call, .domain = eg_call_text(call, "domain"), .quantity = eg_call_quantity(call)};
    struct eg_err err = {0};
    char digits[EG_CALL_NUMBER_MAX], next[24];
    uint32_t next_id = 0;
    int64_t end_ms;
    int code = eg_call_scope(call, &statistics.scope);
    if (code < 0)
        return code;
    if (!call->desk->reader)
        return eg_call_no_store(call);
    statistics.device = eg_call_path(call, "device", digits);
    statistics.now_ms = call->state.now_ms;
    eg_zone_hour(statistics.now_ms - eg_call_int(call, "hours", EG_LASTDAY_HOURS) * HOUR_MS,
                 &statistics.from_ms, &end_ms);
    int64_t first = eg_call_int(call, "cursor", 1);
    eg_json_open(call->json, '{');
    eg_json_put_time(call->json, "from", statistics.from_ms);
    eg_json_put_time(call->json, "to", statistics.now_ms);
    eg_json_key(call->json, "series");
    eg_json_open(call->json, '[');
    code = first < 1 || first > UINT32_MAX ? 0 : write_rows(&statistics, (uint32_t)first, &next_id, &err);
    if (code < 0)
        return eg_call_fail_err(call, &err);
    eg_json_close(call->json, ']');
    snprintf(next, sizeof next, "%u", next_id);
    eg_json_put_string(call->json, "next", next_id ? next : NULL);
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}
