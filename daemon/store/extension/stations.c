/* The hours of a site's stations, and the indices that are made of them, for ecogov_indices. Knows closed hours through rollups.c, those of
 * a station that has said nothing more, which nothing has closed, through stream.c, and the standards through index/. Called by indices.c.
 *
 * A site's hour is the mean of its stations' valid hours (index/hours.h). An hour is valid after GB 3095 (45 minutes), a day's mean with
 * 20 of them: the configuration's `validity` is not in the database. One site at a time is in memory, 16 bytes an hour and pollutant. */
#include <store/extension/stations.h>
#include <index/nano.h>
#include <pipeline/pace.h>
#include <pipeline/rollup.h>

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
/* An hour's index looks back, a day's to the end of the day; what is told of the first of these hours, half a day further. */
#define AROUND_MS (2 * 24 * HOUR_MS + EG_PACE_BACK_MS)
#define SPAN_MAX_HOURS (200LL * 366 * 24) /* of one site: beyond it somebody's clock was wrong */
#define FIRST_MS INT64_C(946684800000)    /* 2000: no reading is from before */

static enum eg_pollutant pollutant_of(const char *quantity)
{
    int pollutant = 0;
    while (pollutant < EG_POLLUTANTS && strcmp(eg_pollutant_names[pollutant], quantity) != 0)
        pollutant++;
    return (enum eg_pollutant)pollutant;
}

/* Room for the hour: the table grows to both sides. */
static int reach(struct eg_stations *stations, int64_t start_ms, size_t *ret_at, struct eg_err *err)
{
    int64_t first_ms = stations->hours ? stations->first_ms : start_ms,
            behind_ms = stations->hours ? first_ms + (int64_t)stations->hours * HOUR_MS : start_ms + HOUR_MS;
    if (start_ms < FIRST_MS)
        return eg_err_set(err, EG_ECORRUPT, "an hour of before the year 2000");
    if (!stations->hours || start_ms < first_ms || start_ms >= behind_ms) {
        int64_t low = start_ms < first_ms ? start_ms : first_ms,
                high = start_ms >= behind_ms ? start_ms + (stations->hours ? (behind_ms - first_ms) : HOUR_MS)
                                             : behind_ms;
        size_t hours = (size_t)((high - low) / HOUR_MS), shift = (size_t)((first_ms - low) / HOUR_MS);
        if ((high - low) / HOUR_MS > SPAN_MAX_HOURS)
            return eg_err_set(err, EG_EFULL, "its hours lie 200 years apart");
        struct eg_air_mean *wider = calloc(hours * EG_POLLUTANTS, sizeof *wider);
        if (!wider)
            return eg_err_set(err, EG_ENOMEM, "no memory for its hours");
        for (int p = 0; p < EG_POLLUTANTS && stations->hours; p++)
            memcpy(wider + (size_t)p * hours + shift, stations->means + (size_t)p * stations->hours,
                   stations->hours * sizeof *wider);
        free(stations->means);
        stations->means = wider;
        stations->hours = hours;
        stations->first_ms = low;
    }
    *ret_at = (size_t)((start_ms - stations->first_ms) / HOUR_MS);
    return EG_OK;
}

/* An hour that is over and valid. */
static int take_hour(struct eg_stations *stations, enum eg_pollutant pollutant, struct eg_pace *pace,
                     const struct eg_rollup *hour, struct eg_err *err)
{
    static const struct eg_conf_validity standard = {
        .hour_ms = 45 * 60000, .eight_hours = 6, .day_hours = 20, .month_days = 27, .year_days = 324};
    const int64_t interval_ms = eg_pace_hour(pace, hour);
    size_t at = 0;
    if (!hour->count || hour->end_ms > stations->now_ms ||
        !eg_rollup_valid(hour, EG_PERIOD_HOUR, interval_ms, &standard))
        return EG_OK;
    int code = reach(stations, hour->start_ms, &at, err);
    if (code == EG_OK)
        eg_air_mean_add(&stations->means[(size_t)pollutant * stations->hours + at],
                        eg_nano_of(hour->sum / (double)hour->count));
    return code;
}

/* What lies behind the closed hours: the one that is open still, since nothing has come after it. */
static int take_open(struct eg_stations *stations, uint32_t series, enum eg_pollutant pollutant,
                     struct eg_pace *pace, int64_t from_ms, int64_t to_ms, struct eg_err *err)
{
    const double scale = eg_rollup_scale(
        eg_quantity_find(eg_pollutant_names[pollutant], strlen(eg_pollutant_names[pollutant])));
    struct eg_rollup hour = {0};
    struct eg_stream stream = {0};
    struct eg_point point;
    size_t low = 0, high;
    while (low < stations->tail_count && stations->tail[low].series < series)
        low++;
    for (high = low; high < stations->tail_count && stations->tail[high].series == series;)
        high++;
    int code = eg_stream_open(&stream, stations->db, series, from_ms, to_ms,
                              stations->tail ? stations->tail + low : NULL, high - low, err),
        step = 0;
    while (code == EG_OK && (step = eg_stream_next(&stream, &point)) == 1) {
        if (point.flags & EG_FLAG_BAD || point.time_ms < FIRST_MS)
            continue;
        if (point.time_ms >= hour.end_ms) {
            code = take_hour(stations, pollutant, pace, &hour, err);
            hour = (struct eg_rollup){.start_ms =
                                          point.time_ms - (point.time_ms - stations->shift_ms) % HOUR_MS};
            hour.end_ms = hour.start_ms + HOUR_MS;
        }
        eg_rollup_add(&hour, EG_PERIOD_HOUR, scale, point.time_ms, point.value);
    }
    eg_stream_close(&stream);
    if (code == EG_OK && step >= 0)
        code = take_hour(stations, pollutant, pace, &hour, err);
    return code == EG_OK && step < 0 ? step : code;
}

static int take_hours(struct eg_stations *stations, uint32_t series, enum eg_pollutant pollutant,
                      struct eg_err *err)
{
    struct eg_rollup hour;
    struct eg_pace pace = {0};
    const int64_t back_ms =
                      stations->from_ms < INT64_MIN + AROUND_MS ? INT64_MIN : stations->from_ms - AROUND_MS,
                  to_ms = stations->to_ms > INT64_MAX - AROUND_MS ? INT64_MAX : stations->to_ms + AROUND_MS;
    int64_t behind_ms = back_ms;
    int code = eg_rollups_open(&stations->rollups, stations->db, series, EG_PERIOD_HOUR, back_ms, to_ms,
                               stations->folded, err),
        step = 0;
    while (code == EG_OK && (step = eg_rollups_next(&stations->rollups, &hour)) == 1) {
        behind_ms = hour.end_ms;
        stations->shift_ms = hour.start_ms % HOUR_MS;
        code = take_hour(stations, pollutant, &pace, &hour, err);
    }
    if (code == EG_OK && step < 0)
        code = step;
    return code == EG_OK ? take_open(stations, series, pollutant, &pace, behind_ms, to_ms, err) : code;
}

/* The local days, as the daemon has drawn them. */
static int take_days(struct eg_stations *stations, uint32_t series, struct eg_err *err)
{
    int code = eg_rollups_open(&stations->rollups, stations->db, series, EG_PERIOD_DAY, stations->from_ms,
                               stations->to_ms, stations->folded, err);
    return code == EG_OK ? eg_localdays_take(&stations->days, &stations->rollups, err) : code;
}

static int64_t mean_at(const struct eg_stations *stations, int pollutant, int64_t hour)
{
    if (hour < 0 || hour >= (int64_t)stations->hours)
        return EG_NANO_NONE;
    return eg_air_mean_tell(&stations->means[(size_t)pollutant * stations->hours + (size_t)hour]);
}

void eg_stations_hour(const struct eg_stations *stations, size_t hour, bool american, struct eg_aqi *ret_aqi)
{
    struct eg_air_hours hours;
    struct eg_air air;
    int64_t end_ms = stations->first_ms + ((int64_t)hour + 1) * HOUR_MS;
    for (int p = 0; p < EG_POLLUTANTS; p++)
        for (int back = 0; back < EG_AIR_HOURS; back++)
            hours.nano[p][back] = mean_at(stations, p, (int64_t)hour - back);
    (american ? eg_air_index_us : eg_air_index_cn)(&hours, 0, end_ms, &air, ret_aqi);
}

void eg_stations_day(const struct eg_stations *stations, size_t day, struct eg_aqi *ret_aqi)
{
    const struct eg_localday *of = &stations->days.list[day];
    int64_t nano[EG_DAY_HOURS];
    struct eg_air air;
    enum eg_aqi_cn_edition edition = eg_aqi_cn_edition_at(of->start_ms);
    eg_air_init(&air);
    for (int p = 0; p < EG_POLLUTANTS; p++) {
        size_t count = 0;
        for (int64_t at = of->start_ms; at < of->end_ms && count < EG_DAY_HOURS; at += HOUR_MS)
            nano[count++] = at < stations->first_ms
                                ? EG_NANO_NONE
                                : mean_at(stations, p, (at - stations->first_ms) / HOUR_MS);
        eg_air_hours_day(edition, (enum eg_pollutant)p, nano, count, &air);
    }
    eg_aqi_cn(edition, &air, ret_aqi);
}

int eg_stations_add(struct eg_stations *stations, uint32_t series, const char *quantity, struct eg_err *err)
{
    enum eg_pollutant pollutant = pollutant_of(quantity);
    if (pollutant == EG_POLLUTANTS)
        return EG_OK;
    int code = take_hours(stations, series, pollutant, err);
    return code == EG_OK && !stations->only_hours ? take_days(stations, series, err) : code;
}

int eg_stations_fill(struct eg_stations *stations, struct eg_err *err)
{
    if (stations->only_hours || !stations->hours)
        return EG_OK;
    return eg_localdays_fill(&stations->days, stations->db, stations->folded, stations->first_ms,
                             stations->now_ms, err);
}

void eg_stations_clear(struct eg_stations *stations)
{
    free(stations->means);
    eg_localdays_clear(&stations->days);
    stations->means = NULL;
    stations->hours = 0;
}

void eg_stations_close(struct eg_stations *stations)
{
    eg_stations_clear(stations);
    eg_rollups_close(&stations->rollups);
}
