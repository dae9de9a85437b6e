/* Knows how the devices of a place make its indices: air of the mean of all stations' hours (as HJ 633 has it for a town), waste of the
 * worst value now, soil of the worst plot, salinity of the worst calibrated probe. Refuses to know what an index is (index/) and
 * where the hours come from. Called by m_summary.c. */
#include <api/aqi.h>
#include <api/indices.h>
#include <api/landjson.h>
#include <base/zone.h>
#include <index/aqi_us.h>
#include <index/nano.h>
#include <index/who.h>
#include <pipeline/hours.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TREND_HOURS 24
/* What is said to be the index now may be an hour or two old: the newest hour's last readings can still be on their way. */
#define NOW_HOURS 3

enum { WASTE, SOIL, SALINITY, LANDS };
static const struct {
    enum eg_land_index index;
    const char *key;
} lands[LANDS] = {{EG_LAND_WASTE_PRESSURE, "waste_pressure"},
                  {EG_LAND_SOIL_CLASS, "soil_gb15618"},
                  {EG_LAND_SALINITY_CLASS, "salinity"}};
struct eg_indices {
    bool air;
    struct eg_air_sums sums;
    struct eg_land_state lands[LANDS];
};

/* --- gathering --- */

static struct eg_indices *made(struct eg_indices **indices)
{
    if (*indices)
        return *indices;
    *indices = calloc(1, sizeof **indices);
    for (int i = 0; *indices && i < LANDS; i++)
        eg_land_state_init(&(*indices)->lands[i], lands[i].index);
    return *indices;
}

static bool add_air(struct eg_indices **indices, struct eg_asof *asof, const struct eg_series_view *series,
                    int64_t end_ms)
{
    int64_t nano[EG_AIR_HOURS];
    enum eg_pollutant pollutant = eg_hours_pollutant(series->quantity);
    if (!made(indices))
        return false;
    (*indices)->air = true;
    eg_asof_hours(asof, series->id, end_ms, nano);
    eg_air_sums_add(&(*indices)->sums, pollutant, nano);
    return true;
}

/* What the device says now, or has said last: that goes on to speak for as long as in the index of an hour (index/land.h), also where the
 * device is silent: a full bin is not empty because its sensor died. Nothing does of who is out of service. */
static bool add_land(struct eg_indices **indices, const struct eg_device_view *device,
                     const double values[EG_PARTS])
{
    const struct eg_column column = {
        .device = device->id, .land = eg_land_of(device->land_use), .name = device->device};
    bool any = false;
    for (int part = 0; part < EG_PARTS; part++)
        any |= !isnan(values[part]);
    if (!any)
        return true;
    if (!made(indices))
        return false;
    for (int i = 0; i < LANDS; i++)
        eg_land_state_add(&(*indices)->lands[i], &column, values);
    return true;
}

/* Counted in hours, as eg_part_fill_hour does. */
static bool speaks(int64_t at_ms, int64_t said_ms, int part)
{
    int64_t now_hour, said_hour, end_ms;
    eg_zone_hour(at_ms, &now_hour, &end_ms);
    eg_zone_hour(said_ms, &said_hour, &end_ms);
    return now_hour - said_hour <= eg_part_hours(part) * EG_HOUR_MS;
}

/* The newest value that is not set aside, of those at hand. */
static bool last_of(const struct eg_series_view *series, double *ret_value, int64_t *ret_ms)
{
    const struct eg_rollup *of = series->hour.count ? &series->hour : &series->day;
    const bool aside = series->last_flags & EG_FLAGS_SET_ASIDE;
    *ret_value = aside ? of->last : series->last_value;
    *ret_ms = aside ? of->last_ms : series->last_ms;
    return !aside || of->count;
}

/* The value that speaks for that part, if one does. */
static void add_part(const struct eg_asof *asof, const struct eg_series_view *series, int part, double *worst)
{
    double value;
    int64_t said_ms;
    if (last_of(series, &value, &said_ms) && speaks(asof->at_ms, said_ms, part) &&
        (part != EG_PART_EC || eg_pipeline_calibrated(asof->call->desk->pipeline, series->id, said_ms)))
        eg_part_worst(part, value, worst);
}

bool eg_indices_add(struct eg_indices **indices, struct eg_asof *asof, const struct eg_device_view *device,
                    bool retired, int64_t end_ms)
{
    bool waste = strcmp(device->domain, "waste") == 0, ok = true;
    struct eg_series_view series;
    double values[EG_PARTS];
    for (int part = 0; part < EG_PARTS; part++)
        values[part] = NAN;
    for (size_t i = 0; i < device->series_count && ok; i++) {
        if (!eg_asof_series(asof, eg_pipeline_device_series(asof->call->desk->pipeline, device->id, i),
                            &series) ||
            !series.has_last)
            continue;
        int part = eg_part_find(device->domain, eg_quantity_info(series.quantity)->name);
        if (eg_hours_pollutant(series.quantity) != EG_POLLUTANTS && !waste)
            ok = add_air(indices, asof, &series, end_ms);
        else if (part < EG_PARTS && !retired)
            add_part(asof, &series, part, &values[part]);
    }
    return ok && add_land(indices, device, values);
}

bool eg_indices_join(struct eg_indices **indices, const struct eg_indices *below)
{
    if (!below)
        return true;
    struct eg_indices *into = made(indices);
    if (!into)
        return false;
    into->air |= below->air;
    for (int p = 0; p < EG_POLLUTANTS; p++)
        for (int hour = 0; hour < EG_AIR_HOURS; hour++) {
            into->sums.mean[p][hour].sum += below->sums.mean[p][hour].sum;
            into->sums.mean[p][hour].stations += below->sums.mean[p][hour].stations;
        }
    for (int i = 0; i < LANDS; i++)
        eg_land_state_join(&into->lands[i], &below->lands[i]);
    return true;
}

void eg_indices_destroy(struct eg_indices *indices)
{
    free(indices);
}

/* --- telling --- */

/* Of who is silent: the newest index of the last day, and of which hour it was; nothing where there is none. */
static void write_last(struct eg_json *json, eg_air_index *index, const struct eg_aqi_class *classes,
                       const struct eg_air_hours *hours, int64_t end_ms)
{
    struct eg_aqi aqi;
    struct eg_air air;
    for (size_t ago = NOW_HOURS; ago < TREND_HOURS; ago++) {
        index(hours, ago, end_ms, &air, &aqi);
        if (aqi.available == EG_AQI_NONE)
            continue;
        eg_json_key(json, "last");
        eg_json_open(json, '{');
        eg_json_put_time(json, "hour", end_ms - ((int64_t)ago + 1) * EG_HOUR_MS);
        eg_json_put_time(json, "until", end_ms - (int64_t)ago * EG_HOUR_MS);
        eg_aqi_put(json, &aqi, classes);
        eg_json_close(json, '}');
        return;
    }
}

static void write_air(struct eg_json *json, const char *key, eg_air_index *index,
                      const struct eg_aqi_class *classes, const struct eg_air_hours *hours, int64_t end_ms)
{
    struct eg_aqi aqi;
    struct eg_air air;
    size_t ago = 0;
    for (index(hours, 0, end_ms, &air, &aqi); aqi.available == EG_AQI_NONE && ago + 1 < NOW_HOURS;)
        index(hours, ++ago, end_ms, &air, &aqi);
    bool any = aqi.available != EG_AQI_NONE;
    int64_t hour_ms = end_ms - ((int64_t)ago + 1) * EG_HOUR_MS;
    eg_json_key(json, key);
    eg_json_open(json, '{');
    eg_aqi_put(json, &aqi, classes);
    eg_json_put_time(json, "hour", any ? hour_ms : EG_TIME_NONE);
    if (index == eg_air_index_cn)
        eg_json_put_string(json, "edition", eg_aqi_cn_edition_at(hour_ms) == EG_HJ633_2012 ? "2012" : "2026");
    if (!any)
        write_last(json, index, classes, hours, end_ms);
    eg_json_key(json, "last_24h"); /* of what is there, oldest first, up to the newest whole hour */
    eg_json_open(json, '[');
    for (size_t back = TREND_HOURS; back-- > 0;) {
        index(hours, back, end_ms, &air, &aqi);
        aqi.available == EG_AQI_NONE ? eg_json_null(json) : eg_json_int(json, aqi.available);
    }
    eg_json_close(json, ']');
    eg_json_close(json, '}');
}

/* The last 24 hours (ozone: 8) against the guidelines, which a place may break on three or four days a year. */
static void write_who(struct eg_json *json, const struct eg_air_hours *hours)
{
    struct eg_air air;
    struct eg_who who;
    eg_air_hours_moving(hours, 0, &air);
    eg_json_key(json, "who_2021");
    eg_json_open(json, '[');
    for (int p = 0; p < EG_POLLUTANTS; p++) {
        enum eg_average average = p == EG_O3 ? EG_8H : EG_24H;
        if (!eg_who_compare((enum eg_pollutant)p, average, air.mean[p][average], &who))
            continue;
        eg_json_open(json, '{');
        eg_json_put_string(json, "quantity", eg_pollutant_names[p]);
        eg_json_put_string(json, "average", eg_average_names[average]);
        eg_json_put_number(json, "mean", eg_nano_value(air.mean[p][average]));
        eg_json_put_number(json, "guideline", who.guideline);
        eg_json_put_number(json, "ratio", who.ratio);
        eg_json_put_bool(json, "met", who.target == 0);
        eg_json_key(json, "interim_target");
        who.target > 0 ? eg_json_int(json, who.target) : eg_json_null(json);
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

void eg_indices_write(struct eg_json *json, const struct eg_pipeline *pipeline,
                      const struct eg_indices *indices, int64_t end_ms)
{
    struct eg_air_hours hours;
    eg_json_open(json, '{');
    if (indices && indices->air) {
        eg_air_sums_tell(&indices->sums, &hours);
        write_air(json, "aqi_cn", eg_air_index_cn, eg_aqi_cn_classes, &hours, end_ms);
        write_air(json, "aqi_us", eg_air_index_us, eg_aqi_us_classes, &hours, end_ms);
        write_who(json, &hours);
    }
    for (int i = 0; indices && i < LANDS; i++) {
        struct eg_land_state state = indices->lands[i];
        eg_land_state_tell(&state);
        if (!state.known)
            continue;
        eg_json_key(json, lands[i].key);
        eg_json_open(json, '{');
        eg_landjson_put(json, pipeline, &state);
        eg_json_close(json, '}');
    }
    eg_json_close(json, '}');
}
