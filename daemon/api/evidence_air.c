/* Knows which hours of which stations made the index that opened a case, and what it was by them as they stand in the store now. Refuses to
 * know what an index is (index/) and what else a case stands on (evidence.c, which calls it). */
#include <api/aqi.h>
#include <api/evidence.h>
#include <api/evidence_air.h>
#include <base/zone.h>
#include <index/aqi_cn.h>
#include <index/aqi_us.h>
#include <index/nano.h>
#include <pipeline/hours.h>
#include <pipeline/pace.h>
#include <pipeline/rollup.h>
#include <pipeline/siteindex.h>

#include <stdlib.h>

#define STATIONS_MOST 64
#define SHOWN_MOST 16
#define CAST_HOURS 12 /* of a NowCast */

struct station {
    struct eg_series_view series;
    struct eg_device_view device;
    enum eg_pollutant pollutant;
    struct eg_pace pace;
    int64_t nano[EG_AIR_HOURS]; /* newest first */
};
struct stations {
    struct eg_call *call;
    int64_t end_ms;
    struct station rows[STATIONS_MOST];
    size_t count;
};

static bool take_hour(void *arg, const struct eg_rollup *rollup)
{
    struct stations *stations = arg;
    struct station *station = &stations->rows[stations->count];
    int64_t ago = (stations->end_ms - rollup->end_ms) / EG_HOUR_MS,
            interval_ms = eg_pace_hour(&station->pace, rollup);
    if (rollup->count && rollup->end_ms <= stations->end_ms && ago < EG_AIR_HOURS &&
        eg_rollup_valid(rollup, EG_PERIOD_HOUR, interval_ms, &stations->call->desk->conf->validity))
        station->nano[ago] = eg_nano_of(rollup->sum / (double)rollup->count);
    return true;
}

static int gather(struct stations *stations, const uint32_t *series, size_t count, struct eg_err *err)
{
    const struct eg_pipeline *pipeline = stations->call->desk->pipeline;
    int code = EG_OK;
    for (size_t i = 0; i < count && stations->count < STATIONS_MOST && code == EG_OK; i++) {
        struct station *station = &stations->rows[stations->count];
        if (!eg_pipeline_series(pipeline, series[i], &station->series) ||
            !eg_pipeline_device(pipeline, station->series.device, &station->device))
            continue;
        station->pollutant = eg_hours_pollutant(station->series.quantity);
        station->pace = (struct eg_pace){0};
        for (int ago = 0; ago < EG_AIR_HOURS; ago++)
            station->nano[ago] = EG_NANO_NONE;
        if (station->pollutant == EG_POLLUTANTS)
            continue;
        code = eg_reader_rollups(stations->call->desk->reader, series[i], EG_PERIOD_HOUR,
                                 stations->end_ms - EG_AIR_HOURS * EG_HOUR_MS - EG_PACE_BACK_MS,
                                 stations->end_ms, take_hour, stations, err);
        take_hour(stations, &station->series.hour); /* the open one is the pipeline's */
        stations->count++;
    }
    return code;
}

/* The hour or day that decided: with a hold the first that ended when it was over. */
static int64_t decided_at(const struct eg_case *row, const struct eg_conf_rule *rule)
{
    int64_t at_ms = row->opened_ms + rule->hold_ms, start_ms, end_ms;
    if (rule->calendar == EG_CALENDAR_DAY)
        eg_zone_day(at_ms - 1, &start_ms, &end_ms);
    else
        eg_zone_hour(at_ms - 1, &start_ms, &end_ms);
    return end_ms;
}

/* How many hours back a pollutant was looked at. */
static int hours_of(const struct eg_evidence_air *air, bool day, enum eg_pollutant pollutant)
{
    static const int widths[EG_AVERAGES] = {1, 8, 24};
    int hours = 0;
    for (int average = 0; average < EG_AVERAGES; average++)
        if (air->aqi.sub[pollutant][average] != EG_AQI_NONE && widths[average] > hours)
            hours = widths[average];
    if (hours && day)
        return (int)((air->end_ms - air->start_ms) / EG_HOUR_MS);
    bool cast = air->american && (pollutant == EG_PM25 || pollutant == EG_PM10 || pollutant == EG_O3);
    return hours && cast ? CAST_HOURS : hours;
}

static bool write_station(struct eg_json *json, const struct station *station, int hours, int64_t end_ms)
{
    int64_t count = 0;
    for (int ago = 0; ago < hours; ago++)
        count += station->nano[ago] != EG_NANO_NONE;
    if (!count)
        return false;
    eg_json_open(json, '{');
    eg_evidence_head(json, &station->device, &station->series);
    eg_json_put_string(json, "period", "hour");
    eg_json_key(json, "readings");
    eg_json_open(json, '[');
    for (int ago = hours; ago-- > 0;) {
        if (station->nano[ago] == EG_NANO_NONE)
            continue;
        eg_json_open(json, '{');
        eg_json_put_time(json, "time", end_ms - (ago + 1) * EG_HOUR_MS);
        eg_json_put_number(json, "value", eg_nano_value(station->nano[ago]));
        eg_json_key(json, "flags");
        eg_json_open(json, '[');
        eg_json_close(json, ']');
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
    eg_json_put_int(json, "count", count);
    eg_json_close(json, '}');
    return true;
}

/* Those of the pollutants that decided before others. */
static void write_stations(const struct stations *stations, const struct eg_evidence_air *air, bool day)
{
    size_t shown = 0;
    for (int primary = 1; primary >= 0; primary--)
        for (size_t i = 0; i < stations->count && shown < SHOWN_MOST; i++) {
            const struct station *station = &stations->rows[i];
            if (((air->aqi.primary & 1u << station->pollutant) != 0) == primary)
                shown += write_station(stations->call->json, station, hours_of(air, day, station->pollutant),
                                       stations->end_ms);
        }
}

int eg_evidence_air_write(struct eg_call *call, const struct eg_case *row, const struct eg_conf_rule *rule,
                          const uint32_t *series, size_t count, struct eg_evidence_air *ret)
{
    struct eg_site_hours hours;
    struct eg_air_sums *sums = calloc(1, sizeof *sums);
    struct stations *stations = calloc(1, sizeof *stations);
    struct eg_err err = {0};
    const struct eg_conf_rule hourly = {.quantity = row->quantity};
    const struct eg_conf_rule *judges = rule ? rule : &hourly; /* one that is not in force any more */
    int code = EG_OK;
    int64_t behind_ms;
    if (!sums || !stations) {
        code = eg_err_set(&err, EG_ENOMEM, "no memory for the hours of a site");
    } else {
        *stations = (struct stations){.call = call, .end_ms = decided_at(row, judges)};
        code = gather(stations, series, count, &err);
    }
    if (code == EG_OK) {
        for (size_t i = 0; i < stations->count; i++)
            eg_air_sums_add(sums, stations->rows[i].pollutant, stations->rows[i].nano);
        eg_air_sums_tell(sums, &hours.air);
        hours.rule = judges;
        hours.end_ms = stations->end_ms;
        hours.means = NULL;
        ret->american = judges->quantity == EG_Q_aqi_us;
        ret->end_ms = stations->end_ms;
        ret->start_ms = ret->end_ms - EG_HOUR_MS;
        if (judges->calendar == EG_CALENDAR_DAY)
            eg_zone_day(ret->end_ms - 1, &ret->start_ms, &behind_ms);
        eg_sitelook_air(&hours, ret->end_ms, &ret->aqi);
        ret->told = ret->aqi.available != EG_AQI_NONE;
        write_stations(stations, ret, judges->calendar == EG_CALENDAR_DAY);
    }
    free(sums);
    free(stations);
    return code == EG_OK ? 0 : eg_call_fail_err(call, &err);
}

void eg_evidence_air_index(struct eg_json *json, const struct eg_evidence_air *air)
{
    eg_json_key(json, "index");
    eg_json_open(json, '{');
    eg_json_put_time(json, "from", air->start_ms);
    eg_json_put_time(json, "to", air->end_ms);
    eg_json_put_int(json, "value", air->aqi.available);
    eg_aqi_put(json, &air->aqi, air->american ? eg_aqi_us_classes : eg_aqi_cn_classes);
    eg_json_close(json, '}');
}
