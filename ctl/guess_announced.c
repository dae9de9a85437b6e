/* Knows what Home Assistant's MQTT discovery says of one value: where it is published, what it is, in which unit; of templates those that
 * only point at it. Refuses to run templates, and to subscribe to anything. Called by propose.c; guess_write.c writes it down.
 *
 *   homeassistant/sensor/2F8183_SDS0X1_PM10/config   {"~":"dom/tele/","stat_t":"~SENSOR","val_tpl":"{{value_json['SDS0X1'].PM10}}",
 *                                                     "unit_of_meas":"ug/m3","dev_cla":"pm10","dev":{"ids":["2F8183"]}}
 *
 * https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery */
#include "guess_inside.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define KEYS 4

/* By its name or its abbreviation; NULL where there is none. */
static const cJSON *member(const cJSON *json, const char *name, const char *shortly)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return item ? item : cJSON_GetObjectItemCaseSensitive(json, shortly);
}

static const char *text_of(const cJSON *json, const char *name, const char *shortly)
{
    const char *text = cJSON_GetStringValue(member(json, name, shortly));
    return text ? text : "";
}

bool guess_is_announced(const cJSON *json)
{
    return cJSON_IsObject(json) && *text_of(json, "state_topic", "stat_t");
}

/* A '~' at the beginning or the end of the topic stands for the base. */
static bool whole_topic(const cJSON *json, char out[GUESS_TOPIC])
{
    const char *topic = text_of(json, "state_topic", "stat_t"), *base = text_of(json, "~", "~");
    size_t length = strlen(topic);
    bool begins = *topic == '~', ends = !begins && topic[length - 1] == '~';
    int written = snprintf(out, GUESS_TOPIC, "%s%.*s%s", begins ? base : "", (int)(length - begins - ends),
                           topic + begins, ends ? base : "");
    return written > 0 && written < GUESS_TOPIC && !strpbrk(out, "+#{}");
}

/* --- templates --- */

static void skip(const char **at)
{
    while (isspace((unsigned char)**at))
        ++*at;
}

static bool take(const char **at, const char *word)
{
    size_t length = strlen(word);
    skip(at);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

/* .name, ['name'] or [3]; false: none of them. */
static bool take_part(const char **at, char part[GUESS_NOTE])
{
    bool dot = **at == '.', quoted = false;
    if (!dot && **at != '[')
        return false;
    const char *from = *at + 1;
    char quote = *from;
    if (!dot && (quote == '\'' || quote == '"')) {
        quoted = true;
        from++;
    }
    size_t length = 0;
    while (quoted ? from[length] && from[length] != quote && from[length] != '\\'
                  : isalnum((unsigned char)from[length]) || from[length] == '_')
        length++;
    const char *end = from + length + quoted;
    if (!length || length >= GUESS_NOTE || (quoted && from[length] != quote) || (!dot && *end != ']'))
        return false;
    snprintf(part, GUESS_NOTE, "%.*s", (int)length, from);
    *at = end + !dot;
    return true;
}

/* Filters that leave the number what it is. */
static bool take_filters(const char **at)
{
    static const char *const harmless[] = {"float", "int", "round", "is_defined", "default", NULL};
    while (take(at, "|")) {
        size_t i = 0;
        while (harmless[i] && !take(at, harmless[i]))
            i++;
        if (!harmless[i])
            return false;
        skip(at);
        if (**at == '(' && !strchr(*at, ')'))
            return false;
        if (**at == '(')
            *at = strchr(*at, ')') + 1;
    }
    return true;
}

/* {{ value_json.x['y'] | float }}, {{ value }}, or no template at all. False: it reckons. */
static bool read_template(const char *at, struct guess_announced *ret, char last[GUESS_NOTE])
{
    char part[GUESS_NOTE];
    if (!*at)
        return true;
    if (!take(&at, "{{"))
        return false;
    if (take(&at, "value_json")) {
        while (take_part(&at, part)) {
            if (!guess_append(ret->path, part))
                return false;
            snprintf(last, GUESS_NOTE, "%s", part);
        }
        if (!*ret->path)
            return false;
    } else if (!take(&at, "value")) {
        return false;
    }
    bool good = take_filters(&at) && take(&at, "}}");
    skip(&at);
    return good && !*at;
}

/* --- what it is --- */

/* Device classes that the dictionary calls otherwise, or that mean another thing here. */
static const char *quantity_name(const char *class)
{
    static const char *const others[][2] = {{"volatile_organic_compounds", "tvoc"},
                                            {"volatile_organic_compounds_parts", "tvoc_ppb"},
                                            {"signal_strength", "rssi"},
                                            {"irradiance", "solar"},
                                            {"sound_pressure", "noise"},
                                            {"precipitation_intensity", "rain_rate"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(others[i][0], class))
            return others[i][1];
    return class;
}

/* By the device class, else by one of its names. */
static void find_quantity(const cJSON *json, const char *last, struct guess_announced *ret)
{
    const char *unit = text_of(json, "unit_of_measurement", "unit_of_meas");
    const char *class = quantity_name(text_of(json, "device_class", "dev_cla"));
    const char *keys[KEYS] = {last, text_of(json, "object_id", "obj_id"), text_of(json, "name", "name"),
                              text_of(json, "unique_id", "uniq_id")};
    struct guess_name name;
    struct eg_unit_map map;
    ret->quantity = eg_quantity_find(class, strlen(class));
    for (size_t i = 0; i < KEYS && ret->quantity == EG_QUANTITY_NONE; i++) {
        if (!*keys[i])
            continue;
        guess_name(&keys[i], 1, *unit ? unit : NULL, &name);
        ret->quantity = name.quantity;
    }
    if (ret->quantity == EG_QUANTITY_NONE)
        return;
    ret->unit = unit[strspn(unit, " ")] ? unit : "";
    ret->unit_known = eg_unit_find(ret->quantity, ret->unit, &map);
}

/* device: {identifiers: [ID]} or "ID". */
static const char *device_of(const cJSON *json)
{
    const cJSON *ids = member(member(json, "device", "dev"), "identifiers", "ids");
    const char *id = cJSON_GetStringValue(cJSON_IsArray(ids) ? cJSON_GetArrayItem(ids, 0) : ids);
    if (!id || !*id || strlen(id) > EG_DEVICE_MAX)
        return NULL;
    for (const char *at = id; *at; at++)
        if (guess_odd(at) || *at == '/')
            return NULL;
    return id;
}

const char *guess_read_announced(const cJSON *json, struct guess_announced *ret)
{
    char last[GUESS_NOTE] = "";
    *ret = (struct guess_announced){.quantity = EG_QUANTITY_NONE, .device = device_of(json)};
    if (!whole_topic(json, ret->topic))
        return "the topic that it announces is none that could be subscribed to";
    if (!read_template(text_of(json, "value_template", "val_tpl"), ret, last))
        return "its value_template reckons, and nobody here runs templates: guess from a message of its "
               "state topic instead";
    find_quantity(json, last, ret);
    return ret->quantity == EG_QUANTITY_NONE
               ? "neither its device class nor its names say a quantity (ecogovctl quantities)"
               : NULL;
}
