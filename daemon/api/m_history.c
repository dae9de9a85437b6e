/* Knows one series over time: raw points, hours, days, a page at a time. Refuses to know how the store keeps
 * them. Called by the table in methods.c. */
#include <api/completeness.h>
#include <api/methods.h>
#include <base/zone.h>
#include <pipeline/pace.h>
#include <pipeline/rollup.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS (INT64_C(3600) * 1000)
#define AUTO_RAW_MS (48 * HOUR_MS)
#define AUTO_HOUR_MS (60 * 24 * HOUR_MS)
#define LIMIT_DEFAULT 1000
#define CHOICES_MAX 6 /* named in a sentence */

enum resolution { RAW, HOUR, DAY };

struct history {
    struct eg_call *call;
    struct eg_device_view device;
    struct eg_series_view series;
    int64_t from_ms, to_ms, next_ms; /* next: EG_TIME_NONE when the page is the last */
    enum resolution resolution;
    size_t rows, most;
    int64_t open_start_ms; /* of the open bucket, which is the pipeline's; INT64_MAX: there is none */
    struct eg_pace pace;   /* of the hours so far */
    struct day *days;      /* of the page, until their hours are known */
    size_t day_count, day_capacity, day_at;
    bool days_cut; /* there was no memory for all */
};
struct day {
    struct eg_rollup bucket;
    struct eg_daymean hours;
    struct eg_dayknown known;
};

/* --- which series --- */

static int find_device(struct eg_call *call, const char *name, uint32_t *ret_id)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    const char *domain = eg_call_text(call, "domain");
    char choices[320] = "";
    size_t found = 0, used = 0, count = eg_pipeline_device_count(pipeline);
    struct eg_device_view view;
    struct eg_scope scope;
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    for (size_t id = 1; id <= count; id++) {
        if (!eg_pipeline_device(pipeline, (uint32_t)id, &view) || !eg_call_device_is(&view, name) ||
            (domain && strcmp(domain, view.domain) != 0) ||
            !eg_scope_has_device(call->desk->conf, &scope, &view))
            continue;
        if (++found == 1)
            *ret_id = (uint32_t)id;
        if (found <= CHOICES_MAX && used < sizeof choices) {
            int n = snprintf(choices + used, sizeof choices - used, "%s%s/%s/%s", found > 1 ? ", " : "",
                             view.site, view.domain, view.device);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    if (found == 0)
        return eg_call_fail(call, EG_RPC_NOT_FOUND, "There is no device \"%s\" there.", name);
    if (found > 1)
        return eg_call_fail(call, EG_RPC_PARAMS, "%zu devices are called \"%s\"; say which: %s%s.", found,
                            name, choices, found > CHOICES_MAX ? " …" : "");
    return 0;
}

/* The channel asked for; else the nameless one; else the only one. */
static int find_series(struct eg_call *call, const struct eg_device_view *view_of, uint32_t device,
                       int quantity, struct eg_series_view *ret)
{
    const struct eg_pipeline *pipeline = call->desk->pipeline;
    const char *channel = eg_call_text(call, "channel"), *wanted = channel ? channel : "";
    struct eg_series_view view;
    char choices[256] = "";
    size_t found = 0, used = 0;
    for (size_t i = 0; i < view_of->series_count; i++) {
        if (!eg_pipeline_series(pipeline, eg_pipeline_device_series(pipeline, device, i), &view) ||
            view.quantity != quantity)
            continue;
        if (strcmp(view.channel, wanted) == 0) {
            *ret = view;
            return 0;
        }
        if (++found == 1)
            *ret = view;
        if (found <= CHOICES_MAX && used < sizeof choices) {
            int n = snprintf(choices + used, sizeof choices - used, "%s\"%s\"", found > 1 ? ", " : "",
                             view.channel);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    const char *name = eg_quantity_info(quantity)->name;
    if (found == 1 && !channel)
        return 0;
    if (found == 0)
        return eg_call_fail(call, EG_RPC_NOT_FOUND, "The device %s/%s/%s has sent no %s.", view_of->site,
                            view_of->domain, view_of->device, name);
    return eg_call_fail(call, channel ? EG_RPC_NOT_FOUND : EG_RPC_PARAMS, "Say which channel of %s: %s%s.",
                        name, choices, found > CHOICES_MAX ? " …" : "");
}

int eg_m_history_series(struct eg_call *call, struct eg_device_view *ret_device,
                        struct eg_series_view *ret_series)
{
    char digits[EG_CALL_NUMBER_MAX];
    uint32_t device = 0;
    int code = find_device(call, eg_call_path(call, "device", digits), &device);
    if (code < 0)
        return code;
    eg_pipeline_device(call->desk->pipeline, device, ret_device);
    return find_series(call, ret_device, device, eg_call_quantity(call), ret_series);
}

/* --- which time --- */

static enum resolution choose(const struct history *history, const char *word, int64_t now_ms)
{
    if (word && strcmp(word, "raw") == 0)
        return RAW;
    if (word && strcmp(word, "hour") == 0)
        return HOUR;
    if (word && strcmp(word, "day") == 0)
        return DAY;
    int64_t span = (history->to_ms < now_ms ? history->to_ms : now_ms) - history->from_ms;
    return span <= AUTO_RAW_MS ? RAW : span <= AUTO_HOUR_MS ? HOUR : DAY;
}

static int find_times(struct history *history)
{
    struct eg_call *call = history->call;
    int64_t now_ms = call->state.now_ms, end_ms, start_ms;
    history->from_ms = eg_call_time(call, "from", now_ms - 24 * HOUR_MS);
    /* Readings may be ahead of the clock by as much as the configuration lets them. */
    history->to_ms = eg_call_time(call, "to", now_ms + call->desk->conf->future_tolerance_ms + 1);
    if (history->from_ms >= history->to_ms)
        return eg_call_fail(call, EG_RPC_PARAMS, "readings.history: \"from\" must lie before \"to\".");
    history->resolution = choose(history, eg_call_text(call, "resolution"), now_ms);
    start_ms = history->from_ms; /* the bucket that holds `from` is part of the answer */
    if (history->resolution == HOUR)
        eg_zone_hour(history->from_ms, &start_ms, &end_ms);
    else if (history->resolution == DAY)
        eg_zone_day(history->from_ms, &start_ms, &end_ms);
    history->from_ms = eg_call_int(call, "cursor", start_ms);
    if (history->from_ms < start_ms)
        history->from_ms = start_ms;
    history->most = (size_t)eg_call_int(call, "limit", LIMIT_DEFAULT);
    return 0;
}

/* --- the points --- */

static bool page_full(struct history *history, int64_t ms)
{
    if (history->rows == history->most) {
        history->next_ms = ms;
        return true;
    }
    history->rows++;
    return false;
}

static bool write_point(void *arg, const struct eg_point *point)
{
    struct history *history = arg;
    struct eg_json *json = history->call->json;
    if (page_full(history, point->time_ms))
        return false;
    eg_json_open(json, '{');
    eg_json_put_time(json, "time", point->time_ms);
    eg_json_put_number(json, "value", point->value);
    eg_m_readings_original(json, history->call->desk->pipeline, history->series.id, point->time_ms,
                           point->value, point->flags);
    eg_json_key(json, "flags");
    eg_m_readings_flags(json, point->flags);
    eg_json_close(json, '}');
    return !json->out->failed;
}

static bool write_rollup(struct history *history, const struct eg_rollup *rollup, double mean,
                         double completeness, bool valid)
{
    struct eg_json *json = history->call->json;
    if (page_full(history, rollup->start_ms))
        return false;
    eg_json_open(json, '{');
    eg_json_put_time(json, "time", rollup->start_ms);
    eg_json_put_int(json, "count", (int64_t)rollup->count);
    eg_json_put_number(json, "mean", eg_quantity_direction(history->series.quantity) ? (double)NAN : mean);
    eg_json_put_number(json, "min", rollup->min);
    eg_json_put_number(json, "max", rollup->max);
    eg_json_put_number(json, "first", rollup->first);
    eg_json_put_number(json, "last", rollup->last);
    eg_json_put_number(json, "completeness", completeness);
    eg_json_put_bool(json, "valid", valid);
    eg_json_close(json, '}');
    return !json->out->failed;
}

static double mean_of(const struct eg_rollup *rollup)
{
    return rollup->sum / (double)(rollup->count ? rollup->count : 1);
}

static bool write_hour(struct history *history, const struct eg_rollup *hour)
{
    const int64_t interval_ms = eg_pace_hour(&history->pace, hour);
    return hour->start_ms < history->from_ms ||
           write_rollup(
               history, hour, mean_of(hour),
               eg_completeness(hour, EG_PERIOD_HOUR, interval_ms, history->call->state.now_ms),
               eg_rollup_valid(hour, EG_PERIOD_HOUR, interval_ms, &history->call->desk->conf->validity));
}

static bool closed_hour(void *arg, const struct eg_rollup *rollup)
{
    struct history *history = arg;
    /* The open one is told from memory. */
    return rollup->start_ms == history->open_start_ms || write_hour(history, rollup);
}

/* --- days: what they are is told by their hours, which are read once for all of them --- */

static bool keep_day(struct history *history, const struct eg_rollup *rollup)
{
    if (history->day_count == history->day_capacity) {
        size_t more = history->day_capacity ? history->day_capacity * 2 : 64;
        struct day *days = realloc(history->days, more * sizeof *days);
        history->days_cut = !days;
        if (!days)
            return false;
        history->days = days;
        history->day_capacity = more;
    }
    history->days[history->day_count++] = (struct day){.bucket = *rollup};
    return history->day_count <= history->most; /* one more says that there is a next page */
}

static bool closed_day(void *arg, const struct eg_rollup *rollup)
{
    struct history *history = arg;
    return rollup->start_ms == history->open_start_ms || keep_day(history, rollup);
}

static bool take_hour(void *arg, const struct eg_rollup *hour)
{
    struct history *history = arg;
    const int64_t interval_ms = eg_pace_hour(&history->pace, hour);
    while (history->day_at < history->day_count &&
           hour->start_ms >= history->days[history->day_at].bucket.end_ms)
        history->day_at++;
    if (history->day_at == history->day_count)
        return false;
    struct day *day = &history->days[history->day_at];
    if (hour->start_ms >= day->bucket.start_ms) {
        eg_daymean_add(&day->hours, hour);
        eg_dayknown_add(&day->known, hour, interval_ms, history->call->state.now_ms,
                        &history->call->desk->conf->validity);
    }
    return true;
}

static bool write_day(struct history *history, const struct eg_rollup *day, double mean,
                      struct eg_dayknown known)
{
    return write_rollup(
        history, day, mean,
        eg_completeness_share(known.observed_ms, day->start_ms, day->end_ms, history->call->state.now_ms),
        known.hours >= history->call->desk->conf->validity.day_hours);
}

/* Of one whose hours are not all kept any more it is told by its quarters. */
static bool write_old_day(struct history *history, const struct eg_rollup *day)
{
    return write_rollup(history, day, mean_of(day),
                        eg_completeness(day, EG_PERIOD_DAY, 0, history->call->state.now_ms),
                        eg_rollup_valid(day, EG_PERIOD_DAY, 0, &history->call->desk->conf->validity));
}

static int write_days(struct history *history, struct eg_err *err)
{
    struct eg_reader *reader = history->call->desk->reader;
    const uint32_t series = history->series.id;
    int code = eg_reader_rollups(reader, series, EG_PERIOD_DAY, history->from_ms, history->to_ms, closed_day,
                                 history, err);
    if (history->days_cut)
        code = eg_err_set(err, EG_ENOMEM, "There is no memory for so many days.");
    if (code >= 0 && history->day_count)
        code = eg_reader_rollups(
            reader, series, EG_PERIOD_HOUR, history->days[0].bucket.start_ms - EG_PACE_BACK_MS,
            history->days[history->day_count - 1].bucket.end_ms, take_hour, history, err);
    for (size_t i = 0; code >= 0 && i < history->day_count; i++) {
        const struct day *day = &history->days[i];
        const bool whole = day->hours.count == day->bucket.count;
        if (!(whole && day->hours.hours
                  ? write_day(history, &day->bucket, day->hours.means / day->hours.hours, day->known)
                  : write_old_day(history, &day->bucket)))
            break;
    }
    free(history->days);
    return code;
}

static int write_rollups(struct history *history, struct eg_err *err)
{
    const bool hours = history->resolution == HOUR;
    const struct eg_rollup *open = hours ? &history->series.hour : &history->series.day;
    bool within = open->count && open->start_ms >= history->from_ms && open->start_ms < history->to_ms;
    history->open_start_ms = within ? open->start_ms : INT64_MAX;
    /* Late readings may make buckets, but none behind the open one: it stays the last. */
    int code = hours ? eg_reader_rollups(history->call->desk->reader, history->series.id, EG_PERIOD_HOUR,
                                         history->from_ms - EG_PACE_BACK_MS, history->to_ms, closed_hour,
                                         history, err)
                     : write_days(history, err);
    if (code >= 0 && within && history->next_ms == EG_TIME_NONE)
        hours ? write_hour(history, open)
              : write_day(history, open, history->series.day_mean,
                          eg_completeness_of_day(&history->series, history->call->state.now_ms,
                                                 &history->call->desk->conf->validity));
    return code;
}

static void write_head(struct history *history)
{
    static const char *const names[] = {"raw", "hour", "day"};
    struct eg_json *json = history->call->json;
    const struct eg_quantity_info *info = eg_quantity_info(history->series.quantity);
    eg_json_put_string(json, "site", history->device.site);
    eg_json_put_string(json, "domain", history->device.domain);
    eg_json_put_string(json, "device", history->device.device);
    eg_json_put_string(json, "quantity", info->name);
    eg_json_put_string(json, "channel", history->series.channel);
    eg_json_put_string(json, "unit", info->unit);
    eg_json_put_string(json, "resolution", names[history->resolution]);
}

int eg_m_history(struct eg_call *call)
{
    struct history history = {.call = call, .next_ms = EG_TIME_NONE};
    struct eg_err err = {0};
    if (eg_quantity_derived(eg_call_quantity(call)))
        return eg_m_indices_history(call);
    if (!eg_call_text(call, "device"))
        return eg_call_fail(
            call, EG_RPC_PARAMS,
            "readings.history needs the \"device\"; without one it tells of a site's indices: aqi_cn, "
            "aqi_us, waste_pressure, soil_class, soil_nemerow, soil_factor, salinity_class.");
    int code = eg_m_history_series(call, &history.device, &history.series);
    if (code == 0)
        code = find_times(&history);
    if (code < 0)
        return code;
    if (!call->desk->reader)
        return eg_call_no_store(call);

    eg_json_open(call->json, '{');
    write_head(&history);
    eg_json_key(call->json, "points");
    eg_json_open(call->json, '[');
    code = history.resolution == RAW
               ? eg_reader_points(call->desk->reader, history.series.id, history.from_ms, history.to_ms,
                                  write_point, &history, &err)
               : write_rollups(&history, &err);
    if (code < 0)
        return eg_call_fail_err(call, &err);
    eg_json_close(call->json, ']');
    char next[24];
    snprintf(next, sizeof next, "%lld", (long long)history.next_ms);
    eg_json_put_string(call->json, "next", history.next_ms == EG_TIME_NONE ? NULL : next);
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}
