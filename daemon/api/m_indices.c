/* Knows an air index of a place or a device over time: made of its stations' hours as they stand in the store, by hour or by day; those of
 * soil and waste are m_land.c's. Refuses to keep any of it: late readings and corrections are in the next answer. Called by the table in
 * methods.c, and by readings.history. */
#include <api/aqi.h>
#include <api/indexspan.h>
#include <api/methods.h>
#include <index/aqi_us.h>
#include <index/nano.h>
#include <pipeline/hours.h>
#include <pipeline/pace.h>
#include <pipeline/rollup.h>

#include <stdlib.h>
#include <string.h>

#define WORK_MAX 4000000 /* hours of series that one question may read */

struct table {
    struct eg_call *call;
    eg_air_index *index;
    const struct eg_aqi_class *classes;
    bool days, american;
    int64_t from_ms, to_ms;    /* what is told */
    int64_t first_ms;          /* of the table: so far back as an hour's index looks */
    size_t hours;              /* rows of the table */
    struct eg_air_mean *means; /* [pollutant * hours + hour] */
    enum eg_pollutant filling; /* whose rollups come in, */
    struct eg_pace pace;       /* and how often they come */
    uint32_t series[EG_INDEX_SOURCES];
    size_t series_count;
    int64_t next_ms;
};

/* --- gathering --- */

static bool take_hour(void *arg, const struct eg_rollup *rollup)
{
    struct table *table = arg;
    int64_t hour = (rollup->start_ms - table->first_ms) / EG_HOUR_MS,
            interval_ms = eg_pace_hour(&table->pace, rollup);
    bool valid = rollup->count && rollup->start_ms >= table->first_ms && hour < (int64_t)table->hours &&
                 rollup->end_ms <= table->call->state.now_ms &&
                 eg_rollup_valid(rollup, EG_PERIOD_HOUR, interval_ms, &table->call->desk->conf->validity);
    if (valid) {
        size_t at = (size_t)table->filling * table->hours + (size_t)hour;
        eg_air_mean_add(&table->means[at], eg_nano_of(rollup->sum / (double)rollup->count));
    }
    return true;
}

static int take_series(struct table *table, const struct eg_series_view *series)
{
    struct eg_err err = {0};
    table->filling = eg_hours_pollutant(series->quantity);
    table->pace = (struct eg_pace){0};
    int code = eg_reader_rollups(table->call->desk->reader, series->id, EG_PERIOD_HOUR,
                                 table->first_ms - EG_PACE_BACK_MS, table->to_ms, take_hour, table, &err);
    take_hour(table, &series->hour); /* the open one is the pipeline's; it counts once it is over */
    return code < 0 ? eg_call_fail_err(table->call, &err) : 0;
}

static bool wanted(const struct table *table, const struct eg_scope *scope, const char *name,
                   const struct eg_device_view *device)
{
    return strcmp(device->domain, "waste") != 0 && (!name || eg_call_device_is(device, name)) &&
           eg_scope_has_device(table->call->desk->conf, scope, device);
}

static int gather(struct table *table, const struct eg_scope *scope, const char *name)
{
    const struct eg_pipeline *pipeline = table->call->desk->pipeline;
    struct eg_device_view device;
    struct eg_series_view series;
    size_t found = 0, count = eg_pipeline_device_count(pipeline);
    int code = 0;
    for (size_t id = 1; id <= count && code == 0; id++) {
        if (!eg_pipeline_device(pipeline, (uint32_t)id, &device) || !wanted(table, scope, name, &device))
            continue;
        for (size_t i = 0; i < device.series_count && code == 0; i++) {
            if (!eg_pipeline_series(pipeline, eg_pipeline_device_series(pipeline, device.id, i), &series) ||
                eg_hours_pollutant(series.quantity) == EG_POLLUTANTS)
                continue;
            if (++found * table->hours > WORK_MAX)
                return eg_call_fail(table->call, EG_RPC_PARAMS,
                                    "That is more than one question may read; ask for a shorter time, one "
                                    "site or one device.");
            if (table->series_count < EG_INDEX_SOURCES)
                table->series[table->series_count++] = series.id;
            code = take_series(table, &series);
        }
    }
    if (code == 0 && !found)
        return eg_call_fail(table->call, EG_RPC_NOT_FOUND,
                            "No device there measures pm25, pm10, so2, no2, co or o3.");
    return code;
}

/* --- telling --- */

static int64_t mean_at(const struct table *table, int pollutant, int64_t hour)
{
    if (hour < 0 || hour >= (int64_t)table->hours)
        return EG_NANO_NONE;
    return eg_air_mean_tell(&table->means[(size_t)pollutant * table->hours + (size_t)hour]);
}

static void index_of_hour(const struct table *table, int64_t start_ms, struct eg_air *ret_air,
                          struct eg_aqi *ret_aqi)
{
    struct eg_air_hours hours;
    int64_t newest = (start_ms - table->first_ms) / EG_HOUR_MS;
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int back = 0; back < EG_AIR_HOURS; back++)
            hours.nano[pollutant][back] = mean_at(table, pollutant, newest - back);
    table->index(&hours, 0, start_ms + EG_HOUR_MS, ret_air, ret_aqi);
}

static void index_of_day(const struct table *table, int64_t start_ms, int64_t end_ms, struct eg_air *ret_air,
                         struct eg_aqi *ret_aqi)
{
    int64_t nano[EG_DAY_HOURS];
    enum eg_aqi_cn_edition edition = eg_aqi_cn_edition_at(start_ms);
    eg_air_init(ret_air);
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++) {
        size_t count = 0;
        for (int64_t at = start_ms; at < end_ms && count < EG_DAY_HOURS; at += EG_HOUR_MS)
            nano[count++] = mean_at(table, pollutant, (at - table->first_ms) / EG_HOUR_MS);
        eg_air_hours_day(edition, (enum eg_pollutant)pollutant, nano, count, ret_air);
    }
    eg_aqi_cn(edition, ret_air, ret_aqi);
}

/* Of how many valid hours a mean is made: of the last 1, 8, 24; for a day, of the day. */
static int64_t hours_in(const struct table *table, int pollutant, int average, int64_t start_ms,
                        int64_t end_ms)
{
    static const int64_t widths[EG_AVERAGES] = {1, 8, 24};
    int64_t from_ms = table->days ? start_ms : end_ms - widths[average] * EG_HOUR_MS, count = 0;
    for (int64_t at = from_ms; at < end_ms; at += EG_HOUR_MS)
        count += mean_at(table, pollutant, (at - table->first_ms) / EG_HOUR_MS) != EG_NANO_NONE;
    return count;
}

/* What the index was made of: concentrations in the unit of its standard. */
static void write_means(const struct table *table, const struct eg_air *air, int64_t start_ms, int64_t end_ms)
{
    static const char *const us_units[EG_POLLUTANTS] = {
        [EG_CO] = "ppm", [EG_NO2] = "ppb", [EG_O3] = "ppm", [EG_SO2] = "ppb"};
    struct eg_json *json = table->call->json;
    eg_json_key(json, "means");
    eg_json_open(json, '[');
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int average = 0; average < EG_AVERAGES; average++) {
            if (air->mean[pollutant][average] == EG_NANO_NONE)
                continue;
            const char *unit = table->american ? us_units[pollutant] : pollutant == EG_CO ? "mg/m3" : NULL;
            eg_json_open(json, '{');
            eg_json_put_string(json, "pollutant", eg_pollutant_names[pollutant]);
            eg_json_put_string(json, "average", eg_average_names[average]);
            eg_json_put_number(json, "value", eg_nano_value(air->mean[pollutant][average]));
            eg_json_put_string(json, "unit", unit ? unit : "ug/m3");
            eg_json_put_int(json, "hours", hours_in(table, pollutant, average, start_ms, end_ms));
            eg_json_close(json, '}');
        }
    eg_json_close(json, ']');
}

static void write_points(struct table *table, size_t most)
{
    struct eg_json *json = table->call->json;
    struct eg_aqi aqi;
    struct eg_air air;
    int64_t start_ms = 0, end_ms = 0;
    size_t told = 0;
    for (int64_t at = table->from_ms;
         at < table->to_ms && eg_index_step(table->call, table->days, at, &start_ms, &end_ms); at = end_ms) {
        table->days ? index_of_day(table, start_ms, end_ms, &air, &aqi)
                    : index_of_hour(table, start_ms, &air, &aqi);
        if (aqi.available == EG_AQI_NONE)
            continue;
        if (told++ == most) {
            table->next_ms = at;
            break;
        }
        eg_json_open(json, '{');
        eg_json_put_time(json, "time", start_ms);
        eg_json_put_int(json, "value", aqi.available); /* what rules judge */
        eg_aqi_put(json, &aqi, table->classes);
        write_means(table, &air, start_ms, end_ms);
        if (!table->american)
            eg_json_put_string(json, "edition",
                               eg_aqi_cn_edition_at(start_ms) == EG_HJ633_2012 ? "2012" : "2026");
        eg_json_close(json, '}');
    }
}

/* --- the question --- */

static int find_times(struct table *table)
{
    struct eg_index_span span;
    int code = eg_index_span_find(table->call, table->american ? NULL : &table->days, &span);
    if (code < 0)
        return code;
    table->from_ms = span.from_ms;
    table->to_ms = span.to_ms;
    table->first_ms = table->from_ms - EG_AIR_HOURS * EG_HOUR_MS;
    table->hours = (size_t)((table->to_ms - table->first_ms) / EG_HOUR_MS + 1);
    return 0;
}

/* By "index", or as readings.history says it by the quantity. EG_Q_aqi_cn where nobody says. */
static int quantity_of(const struct eg_call *call)
{
    const char *index = eg_call_text(call, "index");
    int quantity = eg_call_text(call, "quantity") ? eg_call_quantity(call) : EG_Q_aqi_cn;
    return index ? eg_quantity_find(index, strlen(index)) : quantity;
}

int eg_m_indices_history(struct eg_call *call)
{
    const int quantity = quantity_of(call);
    char digits[EG_CALL_NUMBER_MAX];
    struct table table = {.call = call, .next_ms = EG_TIME_NONE, .american = quantity == EG_Q_aqi_us};
    table.index = table.american ? eg_air_index_us : eg_air_index_cn;
    table.classes = table.american ? eg_aqi_us_classes : eg_aqi_cn_classes;
    struct eg_scope scope;
    const char *name = eg_call_path(call, "device", digits);
    if (name && strcmp(name, "-") == 0)
        name = NULL; /* all stations */
    int code = eg_call_scope(call, &scope);
    const enum eg_land_index land = eg_land_index_find(eg_quantity_info(quantity)->name);
    if (code == 0 && land != EG_LAND_INDICES)
        return eg_m_land_history(call, land, &scope, name);
    if (code < 0 || (code = find_times(&table)) < 0)
        return code;
    if (!call->desk->reader)
        return eg_call_no_store(call);
    table.means = calloc(EG_POLLUTANTS * table.hours, sizeof *table.means);
    if (!table.means)
        code = eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for that many hours.");
    if (code == 0)
        code = gather(&table, &scope, name);
    if (code == 0) {
        eg_index_open(call, eg_quantity_info(table.american ? EG_Q_aqi_us : EG_Q_aqi_cn)->name, name,
                      table.days, table.series, table.series_count);
        write_points(&table, (size_t)eg_call_int(call, "limit", EG_INDEX_LIMIT));
        eg_index_close(call, table.next_ms);
    }
    free(table.means);
    return code;
}
