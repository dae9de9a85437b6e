/* Values of a decoded LoRaWAN payload: numbers under names that somebody's JavaScript has given them. Knows the shapes that are about:
 * flat, nested, {value, unit}, numbered (SenseCAP), with a history, normalized (The Things Stack). Called by lorawan.c. */
#include "lorawan.h"

#include "../kit/field.h"
#include "../kit/names.h"

#include <ecogov/quantity.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8
#define PATH_BYTES 160
#define NAME_BYTES 64

struct walk {
    struct eg_frame *frame;
    bool soil; /* the object tells of soil: its conductivity and pH are the soil's */
    char path[PATH_BYTES];
};

static void walk_value(struct walk *walk, const cJSON *item, const char *key, const char *unit, int depth);

bool eg_object_time(const cJSON *item, int64_t *ret_ms)
{
    if (cJSON_IsNumber(item))
        return eg_time_from_epoch(item->valuedouble, ret_ms);
    return cJSON_IsString(item) && eg_time_parse(item->valuestring, strlen(item->valuestring), ret_ms);
}

/* --- one value --- */

static bool same(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

/* "distance_cm": what the name says behind its last '_' may be the unit. NULL: it is none. */
static const char *unit_in(const char *key, size_t *ret_length)
{
    static const char *const units[][2] = {{"_cm", "cm"},   {"_mm", "mm"},   {"_mv", "mV"},   {"_v", "V"},
                                           {"_pa", "Pa"},   {"_hpa", "hPa"}, {"_kpa", "kPa"}, {"_ppm", "ppm"},
                                           {"_ppb", "ppb"}, {"_f", "degF"}};
    const size_t length = strlen(key);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t tail = strlen(units[i][0]);
        if (length > tail && strcmp(key + length - tail, units[i][0]) == 0) {
            *ret_length = length - tail;
            return units[i][1];
        }
    }
    return NULL;
}

/* What everybody knows who has written such a name without a unit, told from the number: a battery of 3.58 or 3580 is no percentage, air
 * has no 100.9 or 100900 hPa. Volatile compounds are parts of volume with almost all who measure them. */
static void adjust(const struct walk *walk, double value, int *quantity, const char **unit)
{
    if (*unit != NULL)
        return;
    if (*quantity == EG_Q_battery && value > 1 && value <= 5 && value != floor(value)) {
        *quantity = EG_Q_voltage;
    } else if (*quantity == EG_Q_battery && value >= 1000 && value <= 5000) {
        *quantity = EG_Q_voltage;
        *unit = "mV";
    } else if (*quantity == EG_Q_voltage && value >= 1000) {
        *unit = "mV";
    } else if (*quantity == EG_Q_pressure && value >= 50 && value <= 110) {
        *unit = "kPa";
    } else if (*quantity == EG_Q_pressure && value >= 50000 && value <= 110000 && value != 65535) {
        *unit = "Pa";
    } else if (*quantity == EG_Q_tvoc) {
        *quantity = EG_Q_tvoc_ppb;
    } else if (walk->soil && (*quantity == EG_Q_ec || *quantity == EG_Q_ph)) {
        *quantity = *quantity == EG_Q_ec ? EG_Q_soil_ec : EG_Q_soil_ph;
    }
    if (*unit == NULL && (*quantity == EG_Q_soil_ec || *quantity == EG_Q_ec))
        *unit = "uS/cm"; /* as soil probes do */
}

static const struct eg_quantity_index *index_of(const struct walk *walk)
{
    return walk->frame->named == NULL ? NULL : &walk->frame->named->names;
}

/* By its name, and by the unit where there is one: a "Bat" in volts is no percentage. */
static int guess(const struct walk *walk, const char *key, const char **unit_of,
                 char channel[EG_CHANNEL_MAX + 1])
{
    struct eg_unit_map map;
    size_t length = strlen(key);
    const char *unit = *unit_of;
    int quantity = EG_QUANTITY_NONE;
    channel[0] = '\0';
    if (!eg_names_guess(index_of(walk), key, length, NULL, &quantity, channel)) {
        const char *named = unit_in(key, &length);
        if (named == NULL || !eg_names_guess(index_of(walk), key, length, NULL, &quantity, channel))
            return EG_QUANTITY_NONE;
        unit = unit == NULL ? named : unit;
    }
    *unit_of = unit;
    if (quantity == EG_Q_battery &&
        (same(unit, "V") || same(unit, "mV") || (unit == NULL && same(key, "Bat")))) /* Dragino's */
        quantity = EG_Q_voltage;
    return unit == NULL || eg_unit_find(quantity, unit, &map) ? quantity : EG_QUANTITY_NONE;
}

static bool is_there(const struct walk *walk, int quantity, const char *channel)
{
    const struct eg_sink *sink = walk->frame->sink;
    for (size_t i = 0; i < sink->count; i++)
        if (sink->readings[i].quantity == quantity && sink->readings[i].time_ms == walk->frame->time_ms &&
            sink->readings[i].device == sink->device && strcmp(sink->readings[i].channel, channel) == 0)
            return true;
    return false;
}

/* A second temperature of a device is told from the first by its name. */
static void put_number(struct walk *walk, const char *key, const char *unit, double value)
{
    char channel[EG_CHANNEL_MAX + 1];
    int quantity = guess(walk, key, &unit, channel);
    adjust(walk, value, &quantity, &unit);
    if (quantity != EG_QUANTITY_NONE && channel[0] == '\0' && is_there(walk, quantity, channel))
        (void)snprintf(channel, sizeof channel, "%s", strlen(key) <= EG_CHANNEL_MAX ? key : "");
    eg_frame_put(walk->frame, walk->path, quantity, channel, unit, value);
}

/* "30.11 °C", "3.384V", "31.73", "NoSensor". */
static void put_text(struct walk *walk, const char *key, const char *text, const char *unit)
{
    double value;
    char channel[EG_CHANNEL_MAX + 1], shown[24];
    const size_t number = eg_field_leading(text, strlen(text), &value);
    const char *rest = text + number;
    rest += strspn(rest, " ");
    if (number > 0) {
        put_number(walk, key, *rest != '\0' ? rest : unit, value);
        return;
    }
    if (same(text, "NoSensor") || same(text, "No Sensor") || same(text, "NaN") || same(text, "nan") ||
        same(text, "NULL")) {
        (void)snprintf(shown, sizeof shown, "%s", text);
        unit = NULL;
        eg_frame_fault(walk->frame, walk->path, guess(walk, key, &unit, channel), channel, shown);
    }
}

/* --- the shapes --- */

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* {"displayName":"Distance","unit":"mm","value":1234} */
static bool walk_valued(struct walk *walk, const cJSON *object, const char *key, int depth)
{
    const cJSON *value = member(object, "value"), *unit = member(object, "unit");
    if (value == NULL || !(cJSON_IsNumber(value) || cJSON_IsString(value)) || key[0] == '\0')
        return false;
    walk_value(walk, value, key, cJSON_IsString(unit) && *unit->valuestring ? unit->valuestring : NULL,
               depth + 1);
    return true;
}

/* {"measurementId":4097,"measurementValue":22.5} */
static bool walk_numbered(struct walk *walk, const cJSON *object)
{
    const cJSON *id = member(object, "measurementId"), *value = member(object, "measurementValue");
    double number;
    if (id == NULL || value == NULL)
        return false;
    if (cJSON_IsNumber(id))
        number = id->valuedouble;
    else if (!cJSON_IsString(id) || eg_field_leading(id->valuestring, strlen(id->valuestring), &number) == 0)
        return true;
    if (cJSON_IsNumber(value) && number >= 0 && number < 65536)
        eg_sensecap_put(walk->frame, (unsigned)number, 0, value->valuedouble);
    return true;
}

/* {"temperatureSensor":{"3":25.5}}, as ChirpStack has Cayenne: the name is the parent's, the number a channel. */
static const char *name_of(const cJSON *item, const char *parent, char joined[NAME_BYTES])
{
    const size_t digits = strspn(item->string, "0123456789");
    if (*parent == '\0' || digits == 0 || digits > 3 || item->string[digits] != '\0')
        return item->string;
    const int used = snprintf(joined, NAME_BYTES, "%s_%s", parent, item->string);
    return used > 0 && used < NAME_BYTES ? joined : item->string;
}

static void walk_members(struct walk *walk, const cJSON *parent, const char *key, int depth)
{
    const size_t length = strlen(walk->path);
    const bool list = cJSON_IsArray(parent);
    int index = 0;
    for (const cJSON *item = parent->child; item != NULL && !walk->frame->refused;
         item = item->next, index++) {
        char number[16], joined[NAME_BYTES];
        (void)snprintf(number, sizeof number, "%d", index);
        const char *name = list ? number : item->string;
        const int used = snprintf(walk->path + length, sizeof walk->path - length, "/%s", name);
        if (used > 0 && (size_t)used < sizeof walk->path - length)
            walk_value(walk, item,
                       !list                  ? name_of(item, key, joined)
                       : cJSON_IsNumber(item) ? ""
                                              : key,
                       NULL, depth + 1);
        walk->path[length] = '\0';
    }
}

/* An element that tells its own time is of that time: what the device had kept. */
static void walk_object(struct walk *walk, const cJSON *object, const char *key, int depth)
{
    static const char *const names[] = {"timestamp", "time"};
    const int64_t before = walk->frame->time_ms;
    for (size_t i = 0; depth > 0 && i < 2; i++) {
        int64_t ms;
        const cJSON *time = member(object, names[i]);
        if (time != NULL && eg_object_time(time, &ms))
            walk->frame->time_ms = ms;
    }
    if (!walk_valued(walk, object, key, depth) && !walk_numbered(walk, object))
        walk_members(walk, object, key, depth);
    walk->frame->time_ms = before;
}

static void walk_value(struct walk *walk, const cJSON *item, const char *key, const char *unit, int depth)
{
    if (depth > DEPTH_MAX)
        return;
    if (cJSON_IsNumber(item))
        put_number(walk, key, unit, item->valuedouble);
    else if (cJSON_IsString(item))
        put_text(walk, key, item->valuestring, unit);
    else if (cJSON_IsBool(item)) /* only where the source maps it */
        eg_frame_put(walk->frame, walk->path, EG_QUANTITY_NONE, NULL, NULL, cJSON_IsTrue(item));
    else if (cJSON_IsObject(item))
        walk_object(walk, item, key, depth);
    else if (cJSON_IsArray(item))
        walk_members(walk, item, key, depth);
}

/* Whether some name in it is the soil's. */
static bool tells_of_soil(const struct eg_quantity_index *index, const cJSON *object, int depth)
{
    char channel[EG_CHANNEL_MAX + 1];
    for (const cJSON *item = object->child; item != NULL && depth < 2; item = item->next) {
        int quantity = EG_QUANTITY_NONE;
        if (item->string != NULL &&
            eg_names_guess(index, item->string, strlen(item->string), NULL, &quantity, channel) &&
            (quantity == EG_Q_soil_moisture || quantity == EG_Q_soil_temp))
            return true;
        if (tells_of_soil(index, item, depth + 1))
            return true;
    }
    return false;
}

void eg_object_read(struct eg_frame *frame, const cJSON *object)
{
    struct walk walk = {.frame = frame, .path = ""};
    walk.soil = tells_of_soil(index_of(&walk), object, 0);
    walk_value(&walk, object, "", NULL, 0);
}

/* --- normalized --- */

/* https://www.thethingsindustries.com/docs/integrations/payload-formatters/javascript/uplink/#normalized-payload */
static const struct {
    const char *group, *name;
    int quantity;
    const char *unit;
} normal[] = {
    {"soil", "moisture", EG_Q_soil_moisture, "%"},
    {"soil", "temperature", EG_Q_soil_temp, "Cel"},
    {"soil", "ec", EG_Q_soil_ec, "dS/m"},
    {"soil", "pH", EG_Q_soil_ph, "1"},
    {"soil", "n", EG_Q_soil_n, "ppm"},
    {"soil", "p", EG_Q_soil_p, "ppm"},
    {"soil", "k", EG_Q_soil_k, "ppm"},
    {"air", "temperature", EG_Q_temperature, "Cel"},
    {"air", "relativeHumidity", EG_Q_humidity, "%"},
    {"air", "pressure", EG_Q_pressure, "hPa"},
    {"air", "co2", EG_Q_co2, "ppm"},
    {"air", "lightIntensity", EG_Q_light, "lx"},
    {"rain", "intensity", EG_Q_rain_rate, "mm/h"},
    {"wind", "speed", EG_Q_wind_speed, "m/s"},
    {"wind", "direction", EG_Q_wind_dir, "deg"},
    {"water", "temperature", EG_Q_water_temp, "Cel"},
};

/* water.temperature may be an object of current, min, max. */
static const cJSON *normal_value(const cJSON *one, size_t index)
{
    const cJSON *value = member(member(one, normal[index].group), normal[index].name);
    return cJSON_IsObject(value) ? member(value, "current") : value;
}

static bool is_normal(const cJSON *one)
{
    bool found = cJSON_IsNumber(member(one, "battery"));
    for (size_t i = 0; i < sizeof normal / sizeof *normal && !found; i++)
        found = cJSON_IsNumber(normal_value(one, i));
    return found;
}

bool eg_object_is_normal(const cJSON *measurements)
{
    if (cJSON_IsObject(measurements))
        return is_normal(measurements);
    for (const cJSON *one = measurements->child; one != NULL; one = one->next)
        if (is_normal(one))
            return true;
    return false;
}

static void read_measurement(struct eg_frame *frame, const cJSON *one)
{
    const cJSON *time = member(one, "time"), *battery = member(one, "battery");
    const cJSON *depth = member(member(one, "soil"), "depth"); /* cm */
    char channel[24] = "";
    const int64_t uplink_ms = frame->time_ms;
    if (time != NULL && !eg_object_time(time, &frame->time_ms))
        frame->time_ms = uplink_ms;
    if (cJSON_IsNumber(depth))
        (void)snprintf(channel, sizeof channel, "%.6g", depth->valuedouble);
    for (size_t i = 0; i < sizeof normal / sizeof *normal; i++) {
        const cJSON *value = normal_value(one, i);
        char path[40];
        (void)snprintf(path, sizeof path, "/%s/%s", normal[i].group, normal[i].name);
        if (cJSON_IsNumber(value))
            eg_frame_put(frame, path, normal[i].quantity, same(normal[i].group, "soil") ? channel : "",
                         normal[i].unit, value->valuedouble);
    }
    if (cJSON_IsNumber(battery))
        eg_frame_put(frame, "/battery", EG_Q_voltage, "", "V", battery->valuedouble);
    frame->time_ms = uplink_ms;
}

void eg_object_read_normalized(struct eg_frame *frame, const cJSON *measurements)
{
    if (cJSON_IsObject(measurements))
        read_measurement(frame, measurements);
    for (const cJSON *one = cJSON_IsArray(measurements) ? measurements->child : NULL; one != NULL;
         one = one->next)
        read_measurement(frame, one);
}
