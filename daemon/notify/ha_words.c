/* What Home Assistant is told (ha_words.h), as its documentation wants it: device discovery (2024.11 and later), device classes with the
 * units they take, state classes. A quantity without a class that takes our unit is a plain number with its unit. */
#include <notify/ha_words.h>
#include <base/hash.h>
#include <base/json.h>

#include <stdio.h>
#include <string.h>

#define KEY_TEXT 80
#define ID_TEXT 256

/* Where Home Assistant writes a unit otherwise than we do, or has a class for it. dS/m is mS/cm. */
static const struct {
    int quantity;
    const char *device_class, *unit; /* NULL: none; unit "": none, NULL: ours */
    bool no_mean;                    /* the mean of directions is none */
} classes[] = {
    {EG_Q_pm25, "pm25", "µg/m³", false},
    {EG_Q_pm10, "pm10", "µg/m³", false},
    {EG_Q_pm1, "pm1", "µg/m³", false},
    {EG_Q_so2, "sulphur_dioxide", "µg/m³", false},
    {EG_Q_no2, "nitrogen_dioxide", "µg/m³", false},
    {EG_Q_no, "nitrogen_monoxide", "µg/m³", false},
    {EG_Q_o3, "ozone", "µg/m³", false},
    {EG_Q_co2, "carbon_dioxide", "ppm", false},
    {EG_Q_tvoc_ppb, "volatile_organic_compounds_parts", "ppb", false},
    {EG_Q_temperature, "temperature", "°C", false},
    {EG_Q_dew_point, "temperature", "°C", false},
    {EG_Q_soil_temp, "temperature", "°C", false},
    {EG_Q_bin_temp, "temperature", "°C", false},
    {EG_Q_water_temp, "temperature", "°C", false},
    {EG_Q_humidity, "humidity", "%", false},
    {EG_Q_soil_moisture, "moisture", "%", false},
    {EG_Q_pressure, "atmospheric_pressure", "hPa", false},
    {EG_Q_soil_water_potential, "pressure", "kPa", false},
    {EG_Q_wind_speed, "wind_speed", "m/s", false},
    {EG_Q_wind_dir, NULL, "°", true},
    {EG_Q_tilt, NULL, "°", false},
    {EG_Q_rain, "precipitation", "mm", false},
    {EG_Q_rain_rate, "precipitation_intensity", "mm/h", false},
    {EG_Q_solar, "irradiance", "W/m²", false},
    {EG_Q_light, "illuminance", "lx", false},
    {EG_Q_noise, "sound_pressure", "dB", false},
    {EG_Q_soil_ec, "conductivity", "mS/cm", false},
    {EG_Q_ec, "conductivity", "mS/cm", false},
    {EG_Q_soil_ph, "ph", "", false},
    {EG_Q_ph, "ph", "", false},
    {EG_Q_weight, "weight", "kg", false},
    {EG_Q_distance, "distance", "mm", false},
    {EG_Q_level, "distance", "m", false},
    {EG_Q_flow, "volume_flow_rate", "L/s", false},
    {EG_Q_orp, "voltage", "mV", false},
    {EG_Q_voltage, "voltage", "V", false},
    {EG_Q_battery, "battery", "%", false},
    {EG_Q_rssi, "signal_strength", "dBm", false},
    {EG_Q_snr, "signal_strength", "dB", false},
    {EG_Q_uptime, "duration", "s", false},
};

/* --- names --- */

/* Letters, digits, _ and -; where that changed something, a mark keeps two apart. */
static void slug(const char *text, char *out, size_t size)
{
    char copy[ID_TEXT];
    size_t used = 0;
    bool changed = false;
    for (; text[used] && used + 1 < sizeof copy; used++) {
        char c = text[used];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                     c == '-';
        changed = changed || !plain;
        copy[used] = plain ? c : '_';
    }
    copy[used] = '\0';
    if (changed || text[used])
        snprintf(out, size, "%.*s-%06llx", (int)(size > 16 ? size - 8 : 1), copy,
                 (unsigned long long)(eg_hash(text, strlen(text), 17) & 0xffffff));
    else
        snprintf(out, size, "%s", copy);
}

void eg_ha_init(struct eg_ha *ha, const struct eg_conf *conf)
{
    const struct eg_conf_homeassistant *own = &conf->home_assistant;
    snprintf(ha->prefix, sizeof ha->prefix, "%s", own->prefix);
    slug(conf->mqtt.client_id, ha->mark, sizeof ha->mark);
    ha->language = own->language;
    ha->interval_ms = own->interval_ms;
    ha->retire_ms = own->retire_ms;
}

static void device_id(const struct eg_ha *ha, const struct eg_device_view *device, char out[ID_TEXT])
{
    char path[ID_TEXT], name[ID_TEXT];
    snprintf(path, sizeof path, "%.63s-%.31s-%.63s", device->site, device->domain, device->device);
    slug(path, name, sizeof name);
    snprintf(out, ID_TEXT, "%.79s-%.170s", ha->mark, name);
}

static void site_id(const struct eg_ha *ha, const struct eg_conf_site *site, char out[ID_TEXT])
{
    snprintf(out, ID_TEXT, "%.79s-site-%.63s", ha->mark, site->id);
}

static void series_key(const struct eg_series_view *series, char out[KEY_TEXT])
{
    char channel[48];
    slug(series->channel, channel, sizeof channel);
    snprintf(out, KEY_TEXT, "%.30s%s%s", eg_quantity_info(series->quantity)->name, *channel ? "_" : "",
             channel);
}

/* --- what all have in common --- */

static void put_device(struct eg_json *json, const char *id, const char *name, const char *model,
                       const char *area)
{
    eg_json_key(json, "device");
    eg_json_open(json, '{');
    eg_json_key(json, "identifiers");
    eg_json_open(json, '[');
    eg_json_string(json, id);
    eg_json_close(json, ']');
    eg_json_put_string(json, "name", name);
    eg_json_put_string(json, "manufacturer", "ecogov");
    eg_json_put_string(json, "model", model);
    eg_json_put_string(json, "suggested_area", area);
    eg_json_close(json, '}');
    eg_json_key(json, "origin");
    eg_json_open(json, '{');
    eg_json_put_string(json, "name", "ecogov");
    eg_json_put_string(json, "sw_version", ECOGOV_VERSION);
    eg_json_close(json, '}');
}

/* The daemon lives, and, of a device, it is heard. */
static void put_availability(struct eg_json *json, const char *state_topic, bool device)
{
    eg_json_key(json, "availability");
    eg_json_open(json, '[');
    eg_json_open(json, '{');
    eg_json_put_string(json, "topic", "ecogov/state/daemon");
    eg_json_close(json, '}');
    if (device) {
        eg_json_open(json, '{');
        eg_json_put_string(json, "topic", state_topic);
        eg_json_put_string(json, "value_template", "{{ 'online' if value_json.reporting else 'offline' }}");
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
    eg_json_put_string(json, "availability_mode", "all");
    eg_json_put_string(json, "state_topic", state_topic);
    eg_json_put_int(json, "qos", 0);
}

static void open_component(struct eg_json *json, const char *id, const char *key, const char *platform,
                           const char *name)
{
    char unique[ID_TEXT + KEY_TEXT];
    eg_json_key(json, key);
    eg_json_open(json, '{');
    snprintf(unique, sizeof unique, "%s-%s", id, key);
    eg_json_put_string(json, "platform", platform);
    eg_json_put_string(json, "unique_id", unique);
    eg_json_put_string(json, "name", name);
}

/* --- devices --- */

static const char *unit_of(const char *unit)
{
    return !strcmp(unit, "1")       ? ""
           : !strcmp(unit, "ug/m3") ? "µg/m³"
           : !strcmp(unit, "mg/m3") ? "mg/m³"
                                    : unit;
}

static void put_reading(const struct eg_ha *ha, const char *id, const struct eg_series_view *series,
                        struct eg_json *json)
{
    const struct eg_quantity_info *info = eg_quantity_info(series->quantity);
    char key[KEY_TEXT], name[160], template[KEY_TEXT + 32];
    const char *unit = unit_of(info->unit), *class = NULL;
    bool no_mean = false;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i].quantity == series->quantity) {
            class = classes[i].device_class;
            unit = classes[i].unit;
            no_mean = classes[i].no_mean;
        }
    series_key(series, key);
    const char *about = ha->language == EG_LANGUAGE_EN ? info->about_en : info->about_zh;
    snprintf(name, sizeof name, "%.*s%s%.40s", (int)strcspn(about, ",("), about, *series->channel ? " " : "",
             series->channel);
    snprintf(template, sizeof template, "{{ value_json['%s'] }}", key);
    open_component(json, id, key, "sensor", name);
    eg_json_put_string(json, "value_template", template);
    if (class)
        eg_json_put_string(json, "device_class", class);
    if (*unit)
        eg_json_put_string(json, "unit_of_measurement", unit);
    if (!no_mean)
        eg_json_put_string(json, "state_class", "measurement");
    eg_json_put_int(json, "suggested_display_precision", info->decimals);
    eg_json_close(json, '}');
}

static void state_topic(const struct eg_device_view *device, char topic[EG_HA_TOPIC])
{
    snprintf(topic, EG_HA_TOPIC, "ecogov/state/%s/device/%s/%s", device->site, device->domain,
             device->device);
}

void eg_ha_device_config(const struct eg_ha *ha, const struct eg_pipeline *pipeline,
                         const struct eg_device_view *device, char topic[EG_HA_TOPIC], struct eg_buf *out)
{
    const struct eg_conf *conf = eg_pipeline_conf(pipeline);
    const char *area = device->conf_site == EG_CONF_NONE ? device->site : conf->sites[device->conf_site].name;
    char id[ID_TEXT], name[256], state[EG_HA_TOPIC];
    struct eg_json json;
    device_id(ha, device, id);
    state_topic(device, state);
    snprintf(topic, EG_HA_TOPIC, "%s/device/%s/config", ha->prefix, id);
    snprintf(name, sizeof name, "%.100s %.100s", area, device->name);
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    put_device(&json, id, name, device->domain, area);
    put_availability(&json, state, true);
    eg_json_key(&json, "components");
    eg_json_open(&json, '{');
    for (size_t i = 0; i < device->series_count; i++) {
        struct eg_series_view series;
        if (eg_pipeline_series(pipeline, eg_pipeline_device_series(pipeline, device->id, i), &series))
            put_reading(ha, id, &series, &json);
    }
    eg_json_close(&json, '}');
    eg_json_close(&json, '}');
}

void eg_ha_device_state(const struct eg_ha *ha, const struct eg_pipeline *pipeline,
                        const struct eg_device_view *device, int64_t now_ms, char topic[EG_HA_TOPIC],
                        struct eg_buf *out)
{
    struct eg_json json;
    char key[KEY_TEXT];
    (void)ha;
    state_topic(device, topic);
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_put_time(&json, "last_seen", device->last_seen_ms);
    eg_json_put_bool(&json, "reporting",
                     !device->gone && now_ms - device->last_seen_ms <= device->silent_after_ms);
    for (size_t i = 0; i < device->series_count; i++) {
        struct eg_series_view series;
        if (!eg_pipeline_series(pipeline, eg_pipeline_device_series(pipeline, device->id, i), &series) ||
            !series.has_last)
            continue;
        series_key(&series, key);
        eg_json_put_number(&json, key, series.last_value);
    }
    eg_json_close(&json, '}');
}

/* --- sites --- */

static const struct part {
    const char *key, *platform, *english, *chinese, *value;
} parts[] = {
    {"cases_open", "sensor", "Open cases", "未结案件", "value_json.open"},
    {"cases_critical", "sensor", "Critical cases", "严重案件", "value_json.critical"},
    {"problem", "binary_sensor", "Problem", "异常", "'ON' if value_json.open > 0 else 'OFF'"},
};

void eg_ha_site_config(const struct eg_ha *ha, const struct eg_pipeline *pipeline, size_t index,
                       char topic[EG_HA_TOPIC], struct eg_buf *out)
{
    const struct eg_conf_site *site = &eg_pipeline_conf(pipeline)->sites[index];
    char id[ID_TEXT], state[EG_HA_TOPIC], template[80];
    struct eg_json json;
    site_id(ha, site, id);
    snprintf(topic, EG_HA_TOPIC, "%s/device/%s/config", ha->prefix, id);
    snprintf(state, sizeof state, "ecogov/state/%s/cases/open", site->id);
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    put_device(&json, id, site->name, *site->level ? site->level : "site", site->name);
    put_availability(&json, state, false);
    eg_json_key(&json, "components");
    eg_json_open(&json, '{');
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        bool sensor = !strcmp(parts[i].platform, "sensor");
        open_component(&json, id, parts[i].key, parts[i].platform,
                       ha->language == EG_LANGUAGE_EN ? parts[i].english : parts[i].chinese);
        snprintf(template, sizeof template, "{{ %s }}", parts[i].value);
        eg_json_put_string(&json, "value_template", template);
        eg_json_put_string(&json, sensor ? "state_class" : "device_class",
                           sensor ? "measurement" : "problem");
        eg_json_close(&json, '}');
    }
    eg_json_close(&json, '}');
    eg_json_close(&json, '}');
}

void eg_ha_count(const struct eg_pipeline *pipeline, struct eg_ha_cases *counts)
{
    const struct eg_conf *conf = eg_pipeline_conf(pipeline);
    const struct eg_case *row;
    memset(counts, 0, conf->site_count * sizeof *counts);
    for (size_t i = 0; (row = eg_pipeline_case_at(pipeline, i)); i++) {
        uint32_t site =
            row->kind == EG_CASE_DRILL ? EG_CONF_NONE : eg_conf_site_find(conf, row->site, strlen(row->site));
        for (; site != EG_CONF_NONE; site = conf->sites[site].parent)
            counts[site].levels[row->level]++;
    }
}

void eg_ha_site_state(const struct eg_conf_site *site, const struct eg_ha_cases *cases,
                      char topic[EG_HA_TOPIC], struct eg_buf *out)
{
    size_t open = 0;
    struct eg_json json;
    for (int level = 0; level < EG_LEVEL_COUNT; level++)
        open += cases->levels[level];
    snprintf(topic, EG_HA_TOPIC, "ecogov/state/%s/cases/open", site->id);
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_put_int(&json, "open", (int64_t)open);
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        eg_json_put_int(&json, eg_level_name((enum eg_level)level), (int64_t)cases->levels[level]);
    eg_json_close(&json, '}');
}
