/* tasmota: what devices with the Tasmota firmware tell of their sensors.
 *
 *   tele/roof/SENSOR    {"Time":"2026-11-23T15:00:00","SDS0X1":{"PM2.5":2.1,"PM10":4.7},"BME280":{"Temperature":70.5,"Humidity":41.2,
 *                        "Pressure":759.1},"PressureUnit":"mmHg","TempUnit":"F"}
 *   tele/roof/STATE     {"Time":"…","UptimeSec":86400,"Vcc":3.4,"Wifi":{"RSSI":84,"Signal":-58}}
 *   stat/roof/STATUS10  {"StatusSNS":{…as SENSOR…}}        (STATUS8 the same; STATUS11 {"StatusSTS":{…as STATE…}})
 *
 * A reading's channel is its sensor's key, also where there is one sensor only: a probe that falls silent must not give its series to
 * another. A number behind a key ("Temperature2"), a place in a list and a key that is there twice ("-2") go behind it. What is estimated
 * or counted otherwise has a channel of its own: "IAQ-eCO2", "PMS5003-CF". The chip's own temperature (ESP32) is none of the air's.
 * fields name what the table does not, or otherwise: path: /ANALOG/A0.
 *
 * Units are the message's (TempUnit, PressureUnit, SpeedUnit), else C, hPa, km/h; a Distance is in cm, of time-of-flight sensors in mm.
 * Numbers may be texts; null, words and numbers of sensors (Id) are skipped. Time is Epoch, else Time with a zone (SetOption52) or with
 * utc_offset; a local time of unknown zone is worth nothing, and neither is one before 2000: the clock was not set.
 * "Online", states without a value of ours and other answers are not meant for us.
 *
 * https://tasmota.github.io/docs/Supported-Peripherals/ https://tasmota.github.io/docs/MQTT/ */
#include <ecogov/driver.h>
#include <ecogov/time.h>

#include "kit/decimal.h"
#include "kit/excerpt.h"
#include "kit/json_tree.h"
#include "kit/named.h"
#include "kit/stamp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define YEAR_2000_MS INT64_C(946684800000)
#define WORD_MAX 64
#define PATH_BYTES 160
#define DEPTH_MAX 5

struct plan {
    struct eg_named named;
    struct eg_stamp stamp;
};

enum unit { FIXED, TEMPERATURE, PRESSURE, SPEED, DISTANCE, UNITS };
static const struct key {
    const char *sensor; /* what its key begins with; "": any */
    const char *key;
    int quantity;
    enum unit of;
    const char *unit, *suffix; /* of the channel */
} keys[] = {
    {"", "Temperature", EG_Q_temperature, TEMPERATURE, NULL, ""},
    {"", "DewPoint", EG_Q_dew_point, TEMPERATURE, NULL, ""},
    {"", "Humidity", EG_Q_humidity, FIXED, "%", ""},
    {"", "Pressure", EG_Q_pressure, PRESSURE, NULL, ""},
    {"", "Illuminance", EG_Q_light, FIXED, "lx", ""},
    {"", "UvIndex", EG_Q_uv_index, FIXED, "1", ""},
    {"", "CarbonDioxide", EG_Q_co2, FIXED, "ppm", ""},
    {"", "CO2", EG_Q_co2, FIXED, "ppm", ""},
    {"", "eCO2", EG_Q_co2, FIXED, "ppm", "-eCO2"}, /* worked out of the VOC */
    {"", "TVOC", EG_Q_tvoc_ppb, FIXED, "ppb", ""},
    {"", "VOC_Index", EG_Q_voc_index, FIXED, "1", ""},
    {"", "NOX_Index", EG_Q_nox_index, FIXED, "1", ""},
    {"SEN5", "VOC", EG_Q_voc_index, FIXED, "1", ""},
    {"SEN5", "NOx", EG_Q_nox_index, FIXED, "1", ""},
    {"", "PM1", EG_Q_pm1, FIXED, "ug/m3", ""},
    {"", "PM1.0", EG_Q_pm1, FIXED, "ug/m3", ""},
    {"", "PM1_0", EG_Q_pm1, FIXED, "ug/m3", ""},
    {"", "PM2.5", EG_Q_pm25, FIXED, "ug/m3", ""},
    {"", "PM2_5", EG_Q_pm25, FIXED, "ug/m3", ""},
    {"", "PM4", EG_Q_pm4, FIXED, "ug/m3", ""},
    {"", "PM4_0", EG_Q_pm4, FIXED, "ug/m3", ""},
    {"", "PM10", EG_Q_pm10, FIXED, "ug/m3", ""},
    {"", "CF1", EG_Q_pm1, FIXED, "ug/m3", "-CF"}, /* as in a factory, not as in the open */
    {"", "CF2.5", EG_Q_pm25, FIXED, "ug/m3", "-CF"},
    {"", "CF10", EG_Q_pm10, FIXED, "ug/m3", "-CF"},
    {"MGS", "NH3", EG_Q_nh3, FIXED, "ppm", ""},
    {"MGS", "CO", EG_Q_co, FIXED, "ppm", ""},
    {"MGS", "NO2", EG_Q_no2, FIXED, "ppm", ""},
    {"MGS", "CH4", EG_Q_ch4, FIXED, "ppm", ""},
    {"", "Moisture", EG_Q_soil_moisture, FIXED, "%", ""},
    {"", "Fertility", EG_Q_soil_ec, FIXED, "uS/cm", ""},
    {"", "Conductivity", EG_Q_soil_ec, FIXED, "uS/cm", ""},
    {"", "Distance", EG_Q_distance, DISTANCE, NULL, ""},
    {"EZO", "pH", EG_Q_ph, FIXED, "1", ""}, /* Atlas Scientific's probes, in water */
    {"EZO", "DO", EG_Q_dissolved_oxygen, FIXED, "mg/L", ""},
    {"EZO", "ORP", EG_Q_orp, FIXED, "mV", ""},
    {"EZO", "EC", EG_Q_ec, FIXED, "uS/cm", ""},
    {"HX711", "Weight", EG_Q_weight, FIXED, "kg", ""},
    {"TX2", "Speed", EG_Q_wind_speed, SPEED, NULL, ""},
    {"", "Speed/Act", EG_Q_wind_speed, SPEED, NULL, ""},
    {"", "Speed/Max", EG_Q_wind_speed, SPEED, NULL, "-gust"},
    {"TX2", "Direction", EG_Q_wind_dir, FIXED, "deg", ""},
    {"", "Dir/Deg", EG_Q_wind_dir, FIXED, "deg", ""},
    {"RG-15", "Active", EG_Q_rain, FIXED, "mm", ""},
    {"RG-15", "FlowRate", EG_Q_rain_rate, FIXED, "mm/h", ""},
    {"", "Battery", EG_Q_battery, FIXED, "%", ""},
    {"", "BatteryPercentage", EG_Q_battery, FIXED, "%", ""},
    {"", "BatteryVoltage", EG_Q_voltage, FIXED, "V", ""},
    {"ENERGY", "Voltage", EG_Q_voltage, FIXED, "V", ""},
    {"", "RSSI", EG_Q_rssi, FIXED, "dBm", ""},
    /* of the device itself: no channel */
    {"Wifi", "Signal", EG_Q_rssi, FIXED, "dBm", ""},
    {"/", "Vcc", EG_Q_voltage, FIXED, "V", ""},
    {"/", "UptimeSec", EG_Q_uptime, FIXED, "s", ""},
};
/* Keys and sensors that say nothing of the world. */
static const char *const dull[] = {"ESP32", "ENERGY", "Wifi", "Switch", "POWER", "Berry", "Time", "Epoch"};
static const char *const in_mm[] = {"VL53", "TOF10120", "HRXL"};

struct reader {
    const struct plan *plan;
    struct eg_sink *sink;
    int64_t time_ms;
    const char *units[UNITS];
    char path[PATH_BYTES];        /* "/SENSOR/Key" */
    char unknown[EG_EXCERPT_MAX]; /* the first number that nobody knows */
    bool refused;
};

/* --- the mapping --- */

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_named_finish(&plan->named);
    free(plan);
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    struct plan *plan = calloc(1, sizeof *plan);
    *ret_field = -1;
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    const char *wrong = eg_stamp_init(&plan->stamp, mapping);
    if (wrong != NULL)
        (void)snprintf(error, error_size, "%s", wrong);
    if (wrong != NULL || !eg_named_init(&plan->named, mapping, error, error_size, ret_field)) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

/* --- one value --- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool listed(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (begins(text, list[i]))
            return true;
    return false;
}

/* The table's row, and the digits behind the key. A key that has a row of its own has no number: PM10. */
static const struct key *key_of(const char *sensor, const char *key, const char **ret_number)
{
    const size_t length = strlen(key);
    size_t digits = 0;
    while (digits < length && key[length - digits - 1] >= '0' && key[length - digits - 1] <= '9')
        digits++;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            const size_t wanted = pass == 0 ? length : length - digits;
            *ret_number = key + wanted;
            if (begins(sensor, keys[i].sensor) && strlen(keys[i].key) == wanted &&
                memcmp(keys[i].key, key, wanted) == 0)
                return &keys[i];
        }
    return NULL;
}

static bool is_there(const struct eg_sink *sink, int quantity, const char *channel)
{
    for (size_t i = 0; i < sink->count; i++)
        if (sink->readings[i].quantity == quantity && strcmp(sink->readings[i].channel, channel) == 0)
            return true;
    return false;
}

/* The sensor's key, what tells two of its values apart, and a number where all that is taken. False: more than a channel's name holds. */
static bool write_channel(const struct reader *reader, int quantity, const char *sensor, const char *suffix,
                          const char *number, char channel[EG_CHANNEL_MAX + 1])
{
    const bool itself = strcmp(sensor, "/") == 0 || strcmp(sensor, "Wifi") == 0;
    const char *name = itself ? "" : sensor;
    for (int copy = 1; copy < 100; copy++) {
        char again[8] = "";
        if (copy > 1)
            (void)snprintf(again, sizeof again, "-%d", copy);
        const int length = snprintf(channel, EG_CHANNEL_MAX + 1, "%s%s%s%s%s", name, suffix,
                                    *number != '\0' ? "-" : "", number, again);
        if (length < 0 || length > EG_CHANNEL_MAX)
            return false;
        if (!is_there(reader->sink, quantity, channel))
            return true;
    }
    return false;
}

static bool put_mapped(struct reader *reader, double value)
{
    const struct eg_named *named = &reader->plan->named;
    const struct eg_named_field *field = eg_named_find(named, reader->path, strlen(reader->path));
    if (field == NULL)
        field = eg_named_find(named, reader->path + 1, strlen(reader->path + 1));
    const bool found = field != NULL;
    for (; field != NULL && !reader->refused; field = eg_named_next(named, field))
        reader->refused = !eg_named_put(field, value, NULL, reader->time_ms, reader->sink);
    return found;
}

static void put(struct reader *reader, const char *sensor, const char *key, const char *place, double value)
{
    char channel[EG_CHANNEL_MAX + 1];
    const char *number = "";
    struct eg_unit_map map;
    if (reader->refused || put_mapped(reader, value))
        return;
    const struct key *row = key_of(sensor, key, &number);
    if (row == NULL || listed(sensor, dull, 1)) {
        if (reader->unknown[0] == '\0' && !listed(sensor, dull, sizeof dull / sizeof *dull) && *sensor != '/')
            (void)eg_excerpt_write(reader->path, strlen(reader->path), reader->unknown);
        return;
    }
    const char *unit = row->of == FIXED ? row->unit : reader->units[row->of];
    if (row->of == DISTANCE && listed(sensor, in_mm, sizeof in_mm / sizeof *in_mm))
        unit = "mm";
    if (strcmp(sensor, "Wifi") == 0 && strcmp(row->key, "RSSI") == 0)
        return; /* a percentage there */
    if (!eg_unit_find(row->quantity, unit, &map)) {
        char shown[EG_EXCERPT_MAX];
        (void)eg_sink_reject(reader->sink, 0, "%s does not come in \"%s\"",
                             eg_quantity_info(row->quantity)->name,
                             eg_excerpt_write(unit, strlen(unit), shown));
        reader->refused = true;
        return;
    }
    if (!write_channel(reader, row->quantity, sensor, row->suffix, *place != '\0' ? place : number,
                       channel)) {
        (void)eg_sink_reject(reader->sink, 0, "the sensor's name is longer than %d bytes", EG_CHANNEL_MAX);
        reader->refused = true;
        return;
    }
    reader->refused = !eg_sink_add(reader->sink, (uint16_t)row->quantity, channel, reader->time_ms,
                                   eg_unit_apply(&map, value));
}

/* --- the message --- */

static void walk(struct reader *reader, const cJSON *object, const char *sensor, int depth);

static void read_value(struct reader *reader, const cJSON *item, const char *sensor, const char *key,
                       const char *place)
{
    double value;
    if (cJSON_IsNumber(item) && isfinite(item->valuedouble))
        put(reader, sensor, key, place, item->valuedouble);
    else if (cJSON_IsString(item) && eg_decimal_parse(item->valuestring, strlen(item->valuestring), &value) &&
             isfinite(value) && strcmp(key, "Id") != 0)
        put(reader, sensor, key, place, value);
}

static void read_item(struct reader *reader, const cJSON *item, const char *sensor, int depth)
{
    char place[16], inner[64];
    const char *key = item->string;
    const bool wind = strcmp(key, "Speed") == 0 || strcmp(key, "Dir") == 0;
    if (cJSON_IsArray(item)) {
        int index = 1;
        for (const cJSON *one = item->child; one != NULL && !reader->refused; one = one->next, index++) {
            (void)snprintf(place, sizeof place, "%d", index);
            read_value(reader, one, sensor, key, place);
        }
    } else if (cJSON_IsObject(item) && wind && *sensor != '/') {
        for (const cJSON *one = item->child; one != NULL && !reader->refused; one = one->next)
            if (snprintf(inner, sizeof inner, "%s/%s", key, one->string) < (int)sizeof inner)
                read_value(reader, one, sensor, inner, "");
    } else if (cJSON_IsObject(item)) {
        walk(reader, item, key, depth + 1);
    } else {
        read_value(reader, item, sensor, key, "");
    }
}

static void walk(struct reader *reader, const cJSON *object, const char *sensor, int depth)
{
    const size_t length = strlen(reader->path);
    for (const cJSON *item = object->child; item != NULL && depth < DEPTH_MAX && !reader->refused;
         item = item->next) {
        const int used = snprintf(reader->path + length, sizeof reader->path - length, "/%s", item->string);
        if (used > 0 && (size_t)used < sizeof reader->path - length)
            read_item(reader, item, sensor, depth);
        reader->path[length] = '\0';
    }
}

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key, const char *otherwise)
{
    const cJSON *item = member(object, key);
    return cJSON_IsString(item) && item->valuestring[0] != '\0' ? item->valuestring : otherwise;
}

static enum eg_verdict read_time(struct reader *reader, const cJSON *root)
{
    const cJSON *epoch = member(root, "Epoch");
    const char *text = text_of(root, "Time", NULL);
    char shown[EG_EXCERPT_MAX];
    int64_t ms = EG_TIME_NONE;
    reader->time_ms = EG_TIME_NONE;
    if (cJSON_IsNumber(epoch)) {
        if (!eg_time_from_epoch(epoch->valuedouble, &ms))
            return REFUSE(reader->sink, EG_MALFORMED, "\"Epoch\" is no time");
    } else if (text != NULL && !eg_stamp_text(&reader->plan->stamp, text, strlen(text), &ms)) {
        return REFUSE(reader->sink, EG_MALFORMED, "\"Time\" is no time: %s",
                      eg_excerpt_write(text, strlen(text), shown));
    } else if (text != NULL && !reader->plan->stamp.has_offset && !eg_stamp_has_zone(text, strlen(text))) {
        return EG_DECODED;
    }
    if (ms >= YEAR_2000_MS)
        reader->time_ms = ms;
    return EG_DECODED;
}

static enum eg_verdict read_root(struct reader *reader, const cJSON *root)
{
    const cJSON *inner = member(root, "StatusSNS") ? member(root, "StatusSNS") : member(root, "StatusSTS");
    if (cJSON_IsObject(inner))
        root = inner;
    if (!cJSON_IsObject(root))
        return REFUSE(reader->sink, EG_MALFORMED, "it is no JSON object");
    reader->units[TEMPERATURE] = text_of(root, "TempUnit", "C");
    reader->units[PRESSURE] = text_of(root, "PressureUnit", "hPa");
    reader->units[SPEED] = text_of(root, "SpeedUnit", "km/h");
    reader->units[DISTANCE] = "cm";
    const enum eg_verdict verdict = read_time(reader, root);
    if (verdict != EG_DECODED)
        return verdict;
    walk(reader, root, "/", 0);
    if (reader->refused)
        return EG_IMPLAUSIBLE;
    if (reader->sink->count > 0 || reader->sink->fault_count > 0)
        return EG_DECODED;
    return reader->unknown[0] != '\0'
               ? REFUSE(reader->sink, EG_IMPLAUSIBLE,
                        "no key is known, the first is \"%s\"; name it in fields", reader->unknown)
               : REFUSE(reader->sink, EG_NOT_MINE, "nothing in it is measured");
}

static bool is_word(const struct eg_message *message)
{
    for (size_t i = 0; i < message->payload_len; i++)
        if (!((message->payload[i] | 0x20) >= 'a' && (message->payload[i] | 0x20) <= 'z'))
            return false;
    return message->payload_len <= WORD_MAX;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    static const struct plan plain = {.named = {.count = 0}};
    struct reader reader = {.plan = prepared == NULL ? &plain : prepared, .sink = sink, .path = ""};
    struct eg_json_tree tree;
    eg_sink_reset(sink);
    if (is_word(message))
        return REFUSE(sink, EG_NOT_MINE, "a word: the device comes or goes");
    if (eg_json_tree_read(&tree, message->payload, message->payload_len, sink) != EG_DECODED)
        return EG_MALFORMED;
    const enum eg_verdict verdict = read_root(&reader, tree.root);
    eg_json_tree_finish(&tree);
    return verdict;
}

extern const struct eg_driver eg_driver_tasmota;
const struct eg_driver eg_driver_tasmota = {
    .name = "tasmota",
    .about = "sensors of devices with the Tasmota firmware",
    .keys = "utc_offset fields",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
