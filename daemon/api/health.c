/* Knows what is told of a device's own state: battery with its trend, calibration, radio, uptime, what it could not measure, what was lost
 * on the way.
 * Refuses to know rules and cases. Called by m_lists.c.
 *
 * Values are readings, so they are what the store holds; counts are since the daemon started, and the answer says since when. */
#include <api/health.h>

#include <math.h>

#define DAY_MS INT64_C(86400000)
#define TREND_DAYS 14
#define TREND_LEAST 3 /* days between the first and the last */

/* The newest value of a quantity, whatever the channel. False: it has none. */
static bool newest(const struct eg_call *call, uint32_t device, int quantity, struct eg_series_view *ret)
{
    struct eg_series_view view;
    bool found = false;
    for (size_t i = 0;; i++) {
        uint32_t id = eg_pipeline_device_series(call->desk->pipeline, device, i);
        if (!id)
            return found;
        if (!eg_pipeline_series(call->desk->pipeline, id, &view) || view.quantity != quantity ||
            !view.has_last || (found && view.last_ms <= ret->last_ms))
            continue;
        *ret = view;
        found = true;
    }
}

static void put_newest(struct eg_call *call, const char *key, uint32_t device, int quantity)
{
    struct eg_series_view series;
    struct eg_json *json = call->json;
    eg_json_key(json, key);
    if (!newest(call, device, quantity, &series)) {
        eg_json_null(json);
        return;
    }
    eg_json_open(json, '{');
    eg_json_put_number(json, "value", series.last_value);
    eg_json_put_string(json, "unit", eg_quantity_info(quantity)->unit);
    eg_json_put_time(json, "time", series.last_ms);
    eg_json_close(json, '}');
}

/* --- the battery's trend: a line through the means of days --- */

struct line {
    double n, x, y, xx, xy, first, last;
    int64_t origin_ms;
};

static bool add_day(void *arg, const struct eg_rollup *day)
{
    struct line *line = arg;
    if (!day->count)
        return true;
    /* The first and the last one are parts of days: where their readings lie, not where they begin. */
    const int64_t middle_ms = day->first_ms + (day->last_ms - day->first_ms) / 2;
    const double start = (double)(day->start_ms - line->origin_ms) / (double)DAY_MS;
    double x = (double)(middle_ms - line->origin_ms) / (double)DAY_MS, y = day->sum / (double)day->count;
    line->first = line->n == 0 ? start : line->first;
    line->last = start;
    line->n++;
    line->x += x;
    line->y += y;
    line->xx += x * x;
    line->xy += x * y;
    return true;
}

/* Per day; NAN: nobody knows yet. */
static double trend(struct eg_call *call, const struct eg_series_view *series)
{
    struct line line = {.origin_ms = series->last_ms - TREND_DAYS * DAY_MS};
    struct eg_err err;
    if (!call->desk->reader ||
        eg_reader_rollups(call->desk->reader, series->id, EG_PERIOD_DAY, line.origin_ms, series->last_ms + 1,
                          add_day, &line, &err) < 0)
        return NAN;
    if (series->day.count &&
        (line.n == 0 || (double)(series->day.start_ms - line.origin_ms) / (double)DAY_MS > line.last))
        (void)add_day(&line, &series->day);
    double spread = line.n * line.xx - line.x * line.x;
    return line.last - line.first >= TREND_LEAST && spread > 0 ? (line.n * line.xy - line.x * line.y) / spread
                                                               : NAN;
}

static void put_battery(struct eg_call *call, uint32_t device, bool with_trend)
{
    struct eg_json *json = call->json;
    struct eg_series_view series;
    int quantity = newest(call, device, EG_Q_battery, &series) ? EG_Q_battery : EG_Q_voltage;
    eg_json_key(json, "battery");
    if (quantity == EG_Q_voltage && !newest(call, device, EG_Q_voltage, &series)) {
        eg_json_null(json);
        return;
    }
    double per_day = with_trend ? trend(call, &series) : NAN;
    per_day = isfinite(per_day) ? round(per_day * 1000) / 1000 : NAN;
    eg_json_open(json, '{');
    eg_json_put_number(json, "value", series.last_value);
    eg_json_put_string(json, "unit", eg_quantity_info(quantity)->unit);
    eg_json_put_time(json, "time", series.last_ms);
    eg_json_put_number(json, "per_day", per_day);
    bool falls = quantity == EG_Q_battery && per_day < 0; /* a voltage does not fall along a line */
    eg_json_put_number(json, "days_left", falls ? floor(series.last_value / -per_day) : NAN);
    eg_json_close(json, '}');
}

static void put_fault(struct eg_json *json, const struct eg_device_view *view)
{
    eg_json_key(json, "last_fault");
    if (!view->fault) {
        eg_json_null(json);
        return;
    }
    eg_json_open(json, '{');
    eg_json_put_time(json, "time", view->fault_ms);
    eg_json_put_string(json, "text", view->fault);
    eg_json_close(json, '}');
}

static void put_calibration(struct eg_call *call, const struct eg_device_view *view)
{
    struct eg_json *json = call->json;
    int quantity = EG_QUANTITY_NONE;
    int64_t due_ms = view->described ? eg_conf_calibration_due(view->described, call->state.now_ms, &quantity)
                                     : EG_TIME_NONE;
    eg_json_key(json, "calibration_due");
    if (due_ms == EG_TIME_NONE) {
        eg_json_null(json);
        return;
    }
    eg_json_open(json, '{');
    eg_json_put_time(json, "time", due_ms);
    eg_json_put_string(json, "quantity",
                       quantity == EG_QUANTITY_NONE ? NULL : eg_quantity_info(quantity)->name);
    eg_json_put_bool(json, "overdue", due_ms <= call->state.now_ms);
    eg_json_close(json, '}');
}

void eg_health_write(struct eg_call *call, const struct eg_device_view *view, bool with_trend)
{
    struct eg_json *json = call->json;
    put_calibration(call, view);
    put_battery(call, view->id, with_trend);
    put_newest(call, "rssi", view->id, EG_Q_rssi);
    put_newest(call, "snr", view->id, EG_Q_snr);
    put_newest(call, "uptime", view->id, EG_Q_uptime);
    eg_json_put_int(json, "faults", (int64_t)view->faults);
    put_fault(json, view);
    eg_json_put_int(json, "heard", (int64_t)view->heard);
    eg_json_put_int(json, "lost", (int64_t)view->lost);
    eg_json_put_int(json, "repeated", (int64_t)view->repeated);
    eg_json_put_number(json, "loss_rate",
                       view->heard ? (double)view->lost / (double)(view->heard + view->lost) : NAN);
    eg_json_put_int(json, "restarts", view->restarts);
    eg_json_put_time(json, "counted_since", call->state.started_ms);
}
