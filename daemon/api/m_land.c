/* Knows an index of a place's soil or waste over time: made of its devices' hours as they stand in the store, by hour or by day, with the
 * bins and plots it came of. Refuses to keep any of it. Called by m_indices.c. */
#include <api/indexspan.h>
#include <api/landjson.h>
#include <api/methods.h>
#include <pipeline/hours.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORK_MAX 4000000 /* hours that one question may read, and values it may hold */

struct column {
    struct eg_column told;
    uint32_t series;
    const char *site;
    double *values; /* Owned */
};
struct table {
    struct eg_call *call;
    enum eg_land_index index;
    bool days;
    struct eg_index_span span;
    int64_t first, end; /* hours since the epoch */
    struct column *columns;
    struct eg_column *told; /* the same, as the index takes them */
    size_t count, room;
    size_t work;
    struct eg_part_fill filling;
    uint32_t series; /* whose hours come in */
    bool too_much;
    int64_t next_ms;
};

/* --- gathering --- */

static bool take_hour(void *arg, const struct eg_rollup *hour)
{
    struct table *table = arg;
    if (++table->work > WORK_MAX)
        table->too_much = true;
    if (hour->count && hour->end_ms <= table->call->state.now_ms &&
        (table->filling.part != EG_PART_EC ||
         eg_pipeline_calibrated(table->call->desk->pipeline, table->series, hour->last_ms)))
        eg_part_fill_hour(&table->filling, hour->start_ms / EG_HOUR_MS, hour->max, hour->last);
    return !table->too_much;
}

static int refuse_work(struct eg_call *call)
{
    return eg_call_fail(
        call, EG_RPC_PARAMS,
        "That is more than one question may read; ask for a shorter time, one site or one device.");
}

static int take_series(struct table *table, const struct eg_device_view *device,
                       const struct eg_series_view *series, int part)
{
    const size_t hours = (size_t)(table->end - table->first);
    struct eg_err err = {0};
    if ((table->count + 1) * hours > WORK_MAX)
        return refuse_work(table->call);
    if (table->count == table->room) {
        size_t room = table->room ? table->room * 2 : 64;
        struct column *more = realloc(table->columns, room * sizeof *more);
        if (!more)
            return eg_call_fail(table->call, EG_RPC_INTERNAL, "There is no memory for that many series.");
        table->columns = more;
        table->room = room;
    }
    double *values = malloc(hours * sizeof *values);
    if (!values)
        return eg_call_fail(table->call, EG_RPC_INTERNAL, "There is no memory for that many hours.");
    table->columns[table->count++] =
        (struct column){{device->id, part, eg_land_of(device->land_use), device->device, values},
                        series->id,
                        device->site,
                        values};
    eg_part_fill_begin(&table->filling, part, table->first, table->end, values);
    table->filling.until = eg_pipeline_serves_until(table->call->desk->pipeline, series->id);
    table->series = series->id;
    int code = eg_reader_rollups(table->call->desk->reader, series->id, EG_PERIOD_HOUR,
                                 (table->first - eg_part_hours(part)) * EG_HOUR_MS, table->span.to_ms,
                                 take_hour, table, &err);
    if (code >= 0 && !table->too_much && series->hour.start_ms < table->span.to_ms)
        take_hour(table, &series->hour); /* the open one is the pipeline's; it counts once it is over */
    eg_part_fill_end(&table->filling);
    return table->too_much ? refuse_work(table->call) : code < 0 ? eg_call_fail_err(table->call, &err) : 0;
}

static int gather_device(struct table *table, const struct eg_device_view *device)
{
    const struct eg_pipeline *pipeline = table->call->desk->pipeline;
    struct eg_series_view series;
    int code = 0;
    for (size_t i = 0; i < device->series_count && code == 0; i++) {
        if (!eg_pipeline_series(pipeline, eg_pipeline_device_series(pipeline, device->id, i), &series))
            continue;
        int part = eg_part_find(device->domain, eg_quantity_info(series.quantity)->name);
        if (eg_part_is_of(part, table->index))
            code = take_series(table, device, &series, part);
    }
    return code;
}

/* By what people call them, so that the answer hangs on no number. */
static int by_name(const void *left, const void *right)
{
    const struct column *a = left, *b = right;
    int order = strcmp(a->site, b->site);
    order = order ? order : strcmp(a->told.name, b->told.name);
    order = order ? order : (a->told.device > b->told.device) - (a->told.device < b->told.device);
    return order ? order : (a->series > b->series) - (a->series < b->series);
}

static int gather(struct table *table, const struct eg_scope *scope, const char *name)
{
    const struct eg_desk *desk = table->call->desk;
    struct eg_device_view device;
    int code = 0;
    for (size_t id = 1; id <= eg_pipeline_device_count(desk->pipeline) && code == 0; id++)
        if (eg_pipeline_device(desk->pipeline, (uint32_t)id, &device) &&
            (!name || eg_call_device_is(&device, name)) && eg_scope_has_device(desk->conf, scope, &device))
            code = gather_device(table, &device);
    if (code < 0)
        return code;
    if (!table->count)
        return eg_call_fail(
            table->call, EG_RPC_NOT_FOUND,
            table->index == EG_LAND_WASTE_PRESSURE
                ? "No device of waste there measures fill_level, bin_temp, h2s, nh3, odour or ch4."
            : table->index == EG_LAND_SALINITY_CLASS
                ? "No device of soil there measures soil_ec."
                : "No device of soil there tells an element of GB 15618 (as, cd, cr, cu, hg, ni, pb, "
                  "zn), or its soil_ph.");
    qsort(table->columns, table->count, sizeof *table->columns, by_name);
    table->told = malloc(table->count * sizeof *table->told);
    if (!table->told)
        return eg_call_fail(table->call, EG_RPC_INTERNAL, "There is no memory for that many series.");
    for (size_t i = 0; i < table->count; i++)
        table->told[i] = table->columns[i].told;
    return 0;
}

/* --- telling --- */

static void write_points(struct table *table, size_t most)
{
    struct eg_json *json = table->call->json;
    struct eg_land_state state;
    int64_t start_ms = 0, end_ms = 0;
    size_t told = 0;
    for (int64_t at = table->span.from_ms;
         at < table->span.to_ms && eg_index_step(table->call, table->days, at, &start_ms, &end_ms);
         at = end_ms) {
        size_t from = (size_t)(start_ms / EG_HOUR_MS - table->first),
               end = (size_t)(end_ms / EG_HOUR_MS - table->first);
        if (!(table->days ? eg_land_tell_day(table->index, table->told, table->count, from, end, &state)
                          : eg_land_tell_hour(table->index, table->told, table->count, from, &state)))
            continue;
        if (told++ == most) {
            table->next_ms = at;
            break;
        }
        eg_json_open(json, '{');
        eg_json_put_time(json, "time", start_ms);
        eg_json_put_number(json, "value", state.value); /* what rules judge */
        eg_landjson_put(json, table->call->desk->pipeline, &state);
        eg_json_close(json, '}');
    }
}

static void write_all(struct table *table, const char *name, size_t most)
{
    uint32_t series[EG_INDEX_SOURCES];
    size_t count = 0;
    for (; count < table->count && count < EG_INDEX_SOURCES; count++)
        series[count] = table->columns[count].series;
    eg_index_open(table->call, eg_land_index_names[table->index], name, table->days, series, count);
    write_points(table, most);
    eg_index_close(table->call, table->next_ms);
}

int eg_m_land_history(struct eg_call *call, enum eg_land_index index, const struct eg_scope *scope,
                      const char *name)
{
    struct table table = {.call = call, .index = index, .next_ms = EG_TIME_NONE};
    int code = eg_index_span_find(call, &table.days, &table.span);
    if (code < 0)
        return code;
    if (!call->desk->reader)
        return eg_call_no_store(call);
    table.first = table.span.from_ms / EG_HOUR_MS;
    table.end = table.span.to_ms / EG_HOUR_MS + 2 * EG_DAY_HOURS; /* to the end of the day that holds it */
    code = gather(&table, scope, name);
    if (code == 0)
        write_all(&table, name, (size_t)eg_call_int(call, "limit", EG_INDEX_LIMIT));
    for (size_t i = 0; i < table.count; i++)
        free(table.columns[i].values);
    free(table.columns);
    free(table.told);
    return code;
}
