/* Knows the statistics of one series over any span, as a whole or by the hour, day or month. Refuses to know how they are computed
 * (pipeline/tally.c) and how the store keeps readings. Called by the table in methods.c. */
#include <api/methods.h>
#include <base/zone.h>
#include <pipeline/rollup.h>
#include <pipeline/tally.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define STATISTICS_MAX 16
#define PERIODS_MAX 1000
#define READINGS_MAX 3000000u /* a question keeps nobody else waiting for more than a good part of a second */

struct asked {
    enum eg_statistic statistic;
    double share;
    char name[EG_STATISTIC_TEXT];
};
struct series_statistics {
    struct eg_call *call;
    struct eg_device_view device;
    struct eg_series_view series;
    struct asked asked[STATISTICS_MAX];
    size_t count, readings, periods;
    double above;
    enum eg_calendar calendar;
    int64_t from_ms, to_ms, now_ms;
    struct eg_tally tally;
    struct eg_doubts doubts; /* in the time of the tally */
    bool too_many;
};

/* "mean,p95,above:75" */
static int find_statistics(struct series_statistics *all)
{
    const char *text = eg_call_text(all->call, "statistics");
    char copy[EG_CALL_LIST_MAX], *rest = copy, *word;
    snprintf(copy, sizeof copy, "%s", text ? text : "count,mean,min,max");
    while ((word = strtok_r(rest, ", ", &rest))) {
        struct asked *one = &all->asked[all->count];
        char *limit = strchr(word, ':'), *end;
        if (all->count == STATISTICS_MAX)
            return eg_call_fail(all->call, EG_RPC_PARAMS, "At most %d statistics at a time.", STATISTICS_MAX);
        if (limit)
            *limit++ = '\0';
        if (!eg_statistic_find(word, &one->statistic, &one->share) || one->statistic == EG_STAT_AQI_CN ||
            one->statistic == EG_STAT_AQI_US)
            return eg_call_fail(
                all->call, EG_RPC_PARAMS,
                "There is no statistic \"%s\": use last, mean, min, max, sum, count, rate, change, "
                "stddev, vector_mean, max_8h, "
                "above:LIMIT or a percentile such as p95.",
                word);
        if ((one->statistic == EG_STAT_ABOVE) != (limit != NULL))
            return eg_call_fail(all->call, EG_RPC_PARAMS,
                                "Say above which limit, as in above:75; no other statistic has one.");
        if (limit) {
            all->above = strtod(limit, &end);
            if (end == limit || *end)
                return eg_call_fail(all->call, EG_RPC_PARAMS, "above:%s is no limit.", limit);
        }
        eg_statistic_text(one->statistic, one->share, one->name);
        all->count++;
    }
    return 0;
}

static void period_of(enum eg_calendar calendar, int64_t ms, int64_t *start_ms, int64_t *end_ms)
{
    if (calendar == EG_CALENDAR_HOUR)
        eg_zone_hour(ms, start_ms, end_ms);
    else if (calendar == EG_CALENDAR_DAY)
        eg_zone_day(ms, start_ms, end_ms);
    else if (calendar == EG_CALENDAR_YEAR)
        eg_zone_year(ms, start_ms, end_ms);
    else
        eg_zone_month(ms, start_ms, end_ms);
}

static int find_span(struct series_statistics *all)
{
    const char *per = eg_call_text(all->call, "per");
    int64_t end_ms;
    all->now_ms = all->call->state.now_ms;
    all->calendar = !per                   ? EG_CALENDAR_SLIDING
                    : !strcmp(per, "hour") ? EG_CALENDAR_HOUR
                    : !strcmp(per, "day")  ? EG_CALENDAR_DAY
                    : !strcmp(per, "year") ? EG_CALENDAR_YEAR
                                           : EG_CALENDAR_MONTH;
    all->from_ms = eg_call_time(all->call, "from", all->now_ms - DAY_MS);
    all->to_ms = eg_call_time(all->call, "to", all->now_ms);
    if (all->from_ms >= all->to_ms)
        return eg_call_fail(all->call, EG_RPC_PARAMS, "series.statistics: \"from\" must lie before \"to\".");
    if (all->calendar)
        period_of(all->calendar, all->from_ms, &all->from_ms, &end_ms);
    return 0;
}

static void write_period(struct series_statistics *all)
{
    struct eg_json *json = all->call->json;
    struct eg_tally *tally = &all->tally;
    double value;
    eg_tally_end(tally, all->now_ms);
    eg_json_open(json, '{');
    eg_json_put_time(json, "time", tally->from_ms);
    eg_json_put_time(json, "end", tally->to_ms);
    eg_json_put_number(json, "completeness", eg_tally_completeness(tally, all->now_ms));
    eg_json_put_bool(json, "valid", eg_tally_valid(tally));
    eg_json_put_int(json, "suspect", all->doubts.suspect);
    eg_json_put_int(json, "set_aside", all->doubts.bad);
    eg_json_put_int(json, "clock", all->doubts.clock);
    for (size_t i = 0; i < all->count; i++) {
        if (!(eg_quantity_direction(all->series.quantity) && eg_statistic_linear(all->asked[i].statistic)) &&
            eg_tally_value(tally, all->asked[i].statistic, all->asked[i].share, &value))
            eg_json_put_number(json, all->asked[i].name, value);
        else
            eg_json_put_string(json, all->asked[i].name, NULL);
    }
    eg_json_close(json, '}');
}

static void begin(struct series_statistics *all, int64_t start_ms, int64_t end_ms)
{
    eg_tally_begin(&all->tally, all->calendar, start_ms, end_ms, all->above,
                   eg_rollup_scale(all->series.quantity), &all->call->desk->conf->validity);
}

static bool take_hour(void *arg, const struct eg_rollup *hour)
{
    struct series_statistics *all = arg;
    eg_tally_hour(&all->tally, hour);
    return true;
}

static bool take_point(void *arg, const struct eg_point *point)
{
    struct series_statistics *all = arg;
    int64_t start_ms, end_ms;
    if (++all->readings > READINGS_MAX) {
        all->too_many = true;
        return false;
    }
    if (all->calendar && point->time_ms >= all->tally.to_ms) {
        if (all->tally.count)
            write_period(all);
        all->doubts = (struct eg_doubts){0};
        if (++all->periods > PERIODS_MAX) {
            all->too_many = true;
            return false;
        }
        period_of(all->calendar, point->time_ms, &start_ms, &end_ms);
        begin(all, start_ms, end_ms);
    }
    if (point->time_ms >= all->from_ms)
        eg_doubts_count(&all->doubts, point->flags);
    if (!(point->flags & EG_FLAGS_SET_ASIDE))
        eg_tally_add(&all->tally, point->time_ms, point->value);
    return !all->call->json->out->failed;
}

int eg_m_series(struct eg_call *call)
{
    struct series_statistics all = {.call = call};
    struct eg_err err = {0};
    struct eg_json *json = call->json;
    int64_t hour_ms, end_ms;
    int code = eg_m_history_series(call, &all.device, &all.series);
    if (code == 0)
        code = find_statistics(&all);
    if (code == 0)
        code = find_span(&all);
    if (code < 0)
        return code;
    if (!call->desk->reader)
        return eg_call_no_store(call);
    end_ms = all.to_ms;
    if (all.calendar)
        period_of(all.calendar, all.from_ms, &all.from_ms, &end_ms);
    begin(&all, all.from_ms, end_ms);
    const struct eg_quantity_info *info = eg_quantity_info(all.series.quantity);
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", all.device.site);
    eg_json_put_string(json, "domain", all.device.domain);
    eg_json_put_string(json, "device", all.device.device);
    eg_json_put_string(json, "quantity", info->name);
    eg_json_put_string(json, "channel", all.series.channel);
    eg_json_put_string(json, "unit", info->unit);
    eg_json_put_string(json, "per", eg_call_text(call, "per"));
    eg_json_key(json, "periods");
    eg_json_open(json, '[');
    eg_zone_hour(all.from_ms, &hour_ms, &end_ms);
    code = eg_reader_rollups(call->desk->reader, all.series.id, EG_PERIOD_HOUR, hour_ms - EG_PACE_BACK_MS,
                             hour_ms, take_hour, &all, &err);
    if (code >= 0)
        code =
            eg_reader_points(call->desk->reader, all.series.id, hour_ms, all.to_ms, take_point, &all, &err);
    if (code >= 0 && !all.too_many && (all.tally.count || !all.calendar))
        write_period(&all);
    eg_tally_finish(&all.tally);
    if (all.too_many)
        return eg_call_fail(call, EG_RPC_BUSY,
                            "That is more than %u readings or %d periods; ask for a shorter time.",
                            READINGS_MAX, PERIODS_MAX);
    if (code < 0)
        return eg_call_fail_err(call, &err);
    eg_json_close(json, ']');
    eg_json_close(json, '}');
    return EG_CALL_DONE;
}
