/* Knows how the devices of a place make its indices: air of the mean of all stations' hours (as HJ 633 has it for a town), waste of the
 * worst value now, soil of the worst plot. Refuses to know what an index is (index/) and where the hours come from. Called by
 * m_summary.c. */
#include <api/aqi.h>
#include <api/indices.h>
#include <index/aqi_us.h>
#include <index/nano.h>
#include <index/soil.h>
#include <index/waste.h>
#include <index/who.h>
#include <pipeline/hours.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TREND_HOURS 24
/* What is said to be the index now may be an hour or two old: the newest hour's last readings can still be on their way. */
#define NOW_HOURS 3

struct eg_indices {
    bool air, waste;
    struct eg_air_sums sums;
    int64_t worst[EG_WASTES];
    struct eg_soil soil; /* of the worst plot; class 0: none was analysed */
};

/* --- gathering --- */

static struct eg_indices *made(struct eg_indices **indices)
{
    if (*indices)
        return *indices;
    *indices = calloc(1, sizeof **indices);
    for (int i = 0; *indices && i < EG_WASTES; i++)
        (*indices)->worst[i] = EG_NANO_NONE;
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

static int measure_of(int quantity)
{
    switch (quantity) {
    case EG_Q_fill_level:
        return EG_WASTE_FILL;
    case EG_Q_bin_temp:
        return EG_WASTE_TEMPERATURE;
    case EG_Q_h2s:
        return EG_WASTE_H2S;
    case EG_Q_nh3:
        return EG_WASTE_NH3;
    case EG_Q_odour:
        return EG_WASTE_ODOUR;
    case EG_Q_ch4:
        return EG_WASTE_CH4;
    default:
        return EG_WASTES;
    }
}

static bool add_waste(struct eg_indices **indices, const struct eg_series_view *series)
{
    int measure = measure_of(series->quantity);
    int64_t nano = eg_nano_of(series->last_value);
    if (measure == EG_WASTES)
        return true;
    if (!made(indices))
        return false;
    (*indices)->waste = true;
    if (nano > (*indices)->worst[measure]) /* NONE is the least of all */
        (*indices)->worst[measure] = nano;
    return true;
}

static int element_of(int quantity)
{
    static const int quantities[EG_ELEMENTS] = {
        [EG_AS] = EG_Q_as, [EG_CD] = EG_Q_cd, [EG_CR] = EG_Q_cr, [EG_CU] = EG_Q_cu,
        [EG_HG] = EG_Q_hg, [EG_NI] = EG_Q_ni, [EG_PB] = EG_Q_pb, [EG_ZN] = EG_Q_zn};
    int element = 0;
    while (element < EG_ELEMENTS && quantities[element] != quantity)
        element++;
    return element;
}

static enum eg_land land_of(const char *land_use)
{
    for (int land = 0; land < EG_LANDS; land++)
        if (strcmp(eg_land_names[land], land_use) == 0)
            return (enum eg_land)land;
    return EG_OTHER;
}

static void keep_worse(struct eg_soil *soil, const struct eg_soil *other)
{
    if (other->class_ > soil->class_ ||
        (other->class_ == soil->class_ && other->class_ && other->nemerow > soil->nemerow))
        *soil = *other;
}

struct plot {
    double ph, mg_kg[EG_ELEMENTS];
    bool any;
};

static bool add_plot(struct eg_indices **indices, const struct plot *plot, const char *land_use)
{
    struct eg_soil soil;
    if (!plot->any || isnan(plot->ph)) /* without its pH no limit is known */
        return true;
    if (!made(indices))
        return false;
    eg_soil_judge(land_of(land_use), plot->ph, plot->mg_kg, &soil);
    keep_worse(&(*indices)->soil, &soil);
    return true;
}

bool eg_indices_add(struct eg_indices **indices, struct eg_asof *asof, const struct eg_device_view *device,
                    bool silent, int64_t end_ms)
{
    bool waste = strcmp(device->domain, "waste") == 0, soil = strcmp(device->domain, "soil") == 0, ok = true;
    struct eg_series_view series;
    struct plot plot = {.ph = NAN};
    for (int i = 0; i < EG_ELEMENTS; i++)
        plot.mg_kg[i] = NAN;
    for (size_t i = 0; i < device->series_count && ok; i++) {
        if (!eg_asof_series(asof, eg_pipeline_device_series(asof->call->desk->pipeline, device->id, i),
                            &series) ||
            !series.has_last)
            continue;
        if (eg_hours_pollutant(series.quantity) != EG_POLLUTANTS && !waste)
            ok = add_air(indices, asof, &series, end_ms);
        else if (series.last_flags & EG_FLAGS_SET_ASIDE)
            continue;
        else if (waste && !silent)
            ok = add_waste(indices, &series);
        else if (soil && series.quantity == EG_Q_soil_ph)
            plot.ph = series.last_value;
        else if (soil && element_of(series.quantity) < EG_ELEMENTS) {
            plot.mg_kg[element_of(series.quantity)] = series.last_value;
            plot.any = true;
        }
    }
    return ok && add_plot(indices, &plot, device->land_use);
}

bool eg_indices_join(struct eg_indices **indices, const struct eg_indices *below)
{
    if (!below)
        return true;
    struct eg_indices *into = made(indices);
    if (!into)
        return false;
    into->air |= below->air;
    into->waste |= below->waste;
    for (int p = 0; p < EG_POLLUTANTS; p++)
        for (int hour = 0; hour < EG_AIR_HOURS; hour++) {
            into->sums.mean[p][hour].sum += below->sums.mean[p][hour].sum;
            into->sums.mean[p][hour].stations += below->sums.mean[p][hour].stations;
        }
    for (int i = 0; i < EG_WASTES; i++)
        if (below->worst[i] > into->worst[i])
            into->worst[i] = below->worst[i];
    keep_worse(&into->soil, &below->soil);
    return true;
}

void eg_indices_destroy(struct eg_indices *indices)
{
    free(indices);
}

/* --- telling --- */

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

static void write_waste(struct eg_json *json, const struct eg_indices *indices)
{
    struct eg_waste_pressure pressure;
    eg_waste_pressure(indices->worst, &pressure);
    eg_json_key(json, "waste_pressure");
    eg_json_open(json, '{');
    eg_aqi_put_index(json, "pressure", pressure.value);
    eg_aqi_put_class(json, eg_aqi_cn_classes, pressure.level);
    eg_json_key(json, "sub");
    eg_json_open(json, '{');
    for (int i = 0; i < EG_WASTES; i++)
        if (pressure.sub[i] != EG_AQI_NONE)
            eg_json_put_int(json, eg_waste_names[i], pressure.sub[i]);
    eg_json_close(json, '}');
    eg_aqi_put_names(json, "primary", pressure.primary, eg_waste_names, EG_WASTES);
    eg_json_close(json, '}');
}

static void write_soil(struct eg_json *json, const struct eg_soil *soil)
{
    eg_json_key(json, "soil_gb15618");
    eg_json_open(json, '{');
    eg_json_put_int(json, "level", soil->class_);
    eg_json_put_string(json, "category", eg_soil_classes[soil->class_ - 1][0]);
    eg_json_put_string(json, "category_zh", eg_soil_classes[soil->class_ - 1][1]);
    eg_json_put_number(json, "nemerow", soil->nemerow);
    eg_aqi_put_names(json, "above_screening", soil->above_screening, eg_element_names, EG_ELEMENTS);
    eg_aqi_put_names(json, "above_intervention", soil->above_intervention, eg_element_names, EG_ELEMENTS);
    eg_aqi_put_names(json, "primary", soil->primary, eg_element_names, EG_ELEMENTS);
    eg_json_close(json, '}');
}

void eg_indices_write(struct eg_json *json, const struct eg_indices *indices, int64_t end_ms)
{
    struct eg_air_hours hours;
    eg_json_open(json, '{');
    if (indices && indices->air) {
        eg_air_sums_tell(&indices->sums, &hours);
        write_air(json, "aqi_cn", eg_air_index_cn, eg_aqi_cn_classes, &hours, end_ms);
        write_air(json, "aqi_us", eg_air_index_us, eg_aqi_us_classes, &hours, end_ms);
        write_who(json, &hours);
    }
    if (indices && indices->waste)
        write_waste(json, indices);
    if (indices && indices->soil.class_)
        write_soil(json, &indices->soil);
    eg_json_close(json, '}');
}
