/* Knows how hours become means. Refuses to know whose hours they are and how they were measured. Called by the pipeline, for summaries,
 * histories and rules. */
#include "hours.h"

#include "aqi_us.h"
#include "nano.h"
#include "nowcast.h"

#include <math.h>

#define MOLE_L 24.4654 /* 298.15 K, 1013.25 hPa; R = 8.314462618 J/(mol K) */
#define HOURS_OF_8 6
#define HOURS_OF_DAY 20
#define WINDOWS_OF_DAY 14
#define HOUR_MS INT64_C(3600000)
#define SO2_HOUR_TOP (800 * EG_NANO)
#define O3_LIMIT (160 * EG_NANO)

void eg_air_hours_init(struct eg_air_hours *hours)
{
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int hour = 0; hour < EG_AIR_HOURS; hour++)
            hours->nano[pollutant][hour] = EG_NANO_NONE;
}

void eg_air_mean_add(struct eg_air_mean *mean, int64_t nano)
{
    if (nano == EG_NANO_NONE)
        return;
    mean->sum += nano;
    mean->stations++;
}

int64_t eg_air_mean_tell(const struct eg_air_mean *mean)
{
    return mean->stations ? (mean->sum + mean->stations / 2) / mean->stations : EG_NANO_NONE;
}

void eg_air_sums_add(struct eg_air_sums *sums, enum eg_pollutant pollutant, const int64_t nano[EG_AIR_HOURS])
{
    for (int hour = 0; hour < EG_AIR_HOURS; hour++)
        eg_air_mean_add(&sums->mean[pollutant][hour], nano[hour]);
}

void eg_air_sums_tell(const struct eg_air_sums *sums, struct eg_air_hours *ret_hours)
{
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int hour = 0; hour < EG_AIR_HOURS; hour++)
            ret_hours->nano[pollutant][hour] = eg_air_mean_tell(&sums->mean[pollutant][hour]);
}

/* The mean of those that are there, to the nearest billionth; EG_NANO_NONE below `least`. Sums of the dictionary's ranges fit easily:
 * 25 hours of 10,000 are 2.5e14 of 9.2e18. */
static int64_t mean_of(const int64_t *nano, size_t count, size_t least)
{
    int64_t sum = 0, there = 0;
    for (size_t i = 0; i < count; i++)
        if (nano[i] != EG_NANO_NONE) {
            sum += nano[i];
            there++;
        }
    if (there < (int64_t)least || !there)
        return EG_NANO_NONE;
    return (sum >= 0 ? sum + there / 2 : sum - there / 2) / there;
}

static size_t at_most(size_t wanted, size_t ago)
{
    return ago >= EG_AIR_HOURS ? 0 : wanted < EG_AIR_HOURS - ago ? wanted : EG_AIR_HOURS - ago;
}

void eg_air_hours_moving(const struct eg_air_hours *hours, size_t ago, struct eg_air *ret_air)
{
    eg_air_init(ret_air);
    for (int pollutant = 0; pollutant < EG_POLLUTANTS && ago < EG_AIR_HOURS; pollutant++) {
        const int64_t *from = hours->nano[pollutant] + ago;
        ret_air->mean[pollutant][EG_1H] = from[0];
        ret_air->mean[pollutant][EG_8H] = mean_of(from, at_most(8, ago), HOURS_OF_8);
        ret_air->mean[pollutant][EG_24H] = mean_of(from, at_most(24, ago), HOURS_OF_DAY);
    }
}

void eg_air_hours_cn(enum eg_aqi_cn_edition edition, const struct eg_air_hours *hours, size_t ago,
                     struct eg_air *ret_air)
{
    struct eg_air all;
    eg_air_hours_moving(hours, ago, &all);
    eg_air_init(ret_air);
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++) {
        enum eg_average average = eg_aqi_cn_plain(edition, true, (enum eg_pollutant)pollutant);
        ret_air->mean[pollutant][average] = all.mean[pollutant][average];
    }
    if (edition == EG_HJ633_2026)
        return;
    ret_air->mean[EG_O3][EG_8H] = all.mean[EG_O3][EG_8H];
    if (all.mean[EG_SO2][EG_1H] > SO2_HOUR_TOP)
        ret_air->mean[EG_SO2][EG_24H] = all.mean[EG_SO2][EG_24H];
}

void eg_air_hours_day(enum eg_aqi_cn_edition edition, enum eg_pollutant pollutant, const int64_t *nano,
                      size_t count, struct eg_air *air)
{
    int64_t highest = EG_NANO_NONE, running = EG_NANO_NONE, *mean = air->mean[pollutant];
    size_t windows = 0;
    mean[EG_1H] = mean[EG_8H] = mean[EG_24H] = EG_NANO_NONE;
    if (pollutant != EG_O3) {
        mean[EG_24H] = mean_of(nano, count, HOURS_OF_DAY);
        return;
    }
    for (size_t i = 0; i < count; i++)
        highest = nano[i] > highest ? nano[i] : highest; /* NONE is the least of all */
    /* the windows that end 08:00 to 24:00: each lies within the day */
    for (size_t end = 8; end <= count; end++) {
        int64_t one = mean_of(nano + end - 8, 8, HOURS_OF_8);
        windows += one != EG_NANO_NONE;
        running = one > running ? one : running;
    }
    mean[EG_8H] = windows >= WINDOWS_OF_DAY || running > O3_LIMIT ? running : EG_NANO_NONE;
    if (edition == EG_HJ633_2012 && mean_of(nano, count, HOURS_OF_DAY) != EG_NANO_NONE)
        mean[EG_1H] = highest;
}

double eg_air_us_unit(enum eg_pollutant pollutant, double concentration)
{
    static const double grams_per_mole[EG_POLLUTANTS] = {
        [EG_CO] = 28.010, [EG_NO2] = 46.0055, [EG_O3] = 47.998, [EG_SO2] = 64.066};
    double grams = grams_per_mole[pollutant];
    if (grams <= 0)
        return concentration; /* particles stay in µg/m³ */
    return concentration * MOLE_L / grams / (pollutant == EG_O3 ? 1000 : 1);
}

static int64_t us_nano(enum eg_pollutant pollutant, int64_t nano)
{
    return nano == EG_NANO_NONE ? nano : eg_nano_of(eg_air_us_unit(pollutant, eg_nano_value(nano)));
}

/* What the air is like now, of up to twelve hours, newest first. */
static int64_t now_cast(enum eg_pollutant pollutant, const int64_t *nano, size_t count)
{
    double hours[EG_NOWCAST_HOURS], value, weight;
    for (size_t i = 0; i < count; i++)
        hours[i] = nano[i] == EG_NANO_NONE ? NAN : eg_air_us_unit(pollutant, eg_nano_value(nano[i]));
    if (pollutant != EG_O3)
        return eg_nowcast_pm(hours, count, &value, &weight) ? eg_nano_of(value) : EG_NANO_NONE;
    for (size_t i = 0; i < count; i++)
        hours[i] *= 1000; /* the surrogate is written in ppb */
    return eg_nowcast_o3(hours, count, &value) ? eg_nano_of(value / 1000) : EG_NANO_NONE;
}

void eg_air_hours_us(const struct eg_air_hours *hours, size_t ago, struct eg_air *ret_air)
{
    struct eg_air all;
    eg_air_hours_moving(hours, ago, &all);
    eg_air_init(ret_air);
    if (ago >= EG_AIR_HOURS)
        return;
    static const enum eg_pollutant cast[] = {EG_PM25, EG_PM10, EG_O3};
    for (size_t i = 0; i < sizeof cast / sizeof *cast; i++)
        ret_air->mean[cast[i]][cast[i] == EG_O3 ? EG_8H : EG_24H] =
            now_cast(cast[i], hours->nano[cast[i]] + ago, at_most(EG_NOWCAST_HOURS, ago));
    ret_air->mean[EG_O3][EG_1H] = us_nano(EG_O3, all.mean[EG_O3][EG_1H]);
    ret_air->mean[EG_CO][EG_8H] = us_nano(EG_CO, all.mean[EG_CO][EG_8H]);
    ret_air->mean[EG_NO2][EG_1H] = us_nano(EG_NO2, all.mean[EG_NO2][EG_1H]);
    ret_air->mean[EG_SO2][EG_1H] = us_nano(EG_SO2, all.mean[EG_SO2][EG_1H]);
    ret_air->mean[EG_SO2][EG_24H] = us_nano(EG_SO2, all.mean[EG_SO2][EG_24H]);
}

/* Moving means and NowCasts reach back over hours without a mean: of an hour in which nothing at all was measured they would tell what the
 * air was like before, and who of them reaches back furthest would have the word. */
static bool measured(const struct eg_air_hours *hours, size_t ago)
{
    bool any = false;
    for (int pollutant = 0; pollutant < EG_POLLUTANTS && ago < EG_AIR_HOURS; pollutant++)
        any |= hours->nano[pollutant][ago] != EG_NANO_NONE;
    return any;
}

void eg_air_index_cn(const struct eg_air_hours *hours, size_t ago, int64_t end_ms, struct eg_air *ret_air,
                     struct eg_aqi *ret_aqi)
{
    enum eg_aqi_cn_edition edition = eg_aqi_cn_edition_at(end_ms - ((int64_t)ago + 1) * HOUR_MS);
    eg_air_init(ret_air);
    if (measured(hours, ago))
        eg_air_hours_cn(edition, hours, ago, ret_air);
    eg_aqi_cn(edition, ret_air, ret_aqi);
}

void eg_air_index_us(const struct eg_air_hours *hours, size_t ago, int64_t end_ms, struct eg_air *ret_air,
                     struct eg_aqi *ret_aqi)
{
    (void)end_ms;
    eg_air_init(ret_air);
    if (measured(hours, ago))
        eg_air_hours_us(hours, ago, ret_air);
    eg_aqi_us(ret_air, ret_aqi);
}
