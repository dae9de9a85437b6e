/* Knows how concentrations on a command line become an air quality index. Called by run_index.c. */
#include "index.h"

#include <base/clock.h>
#include <index/aqi_cn.h>
#include <index/aqi_us.h>
#include <index/nano.h>
#include <index/nowcast.h>
#include <index/who.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char known[] = "co, no2, o3, pm10, pm25, so2, each also with _1h, _8h or _24h";

/* Where a mean stands, and the key it came by. */
struct given {
    struct eg_air air;
    const char *keys[EG_POLLUTANTS][EG_AVERAGES];
};

/* "pm25", "o3_8h": false when it is no such name. *ret_average: EG_AVERAGES when none is named. */
static bool split(const char *key, int *ret_pollutant, int *ret_average)
{
    const char *bar = strchr(key, '_');
    size_t length = bar ? (size_t)(bar - key) : strlen(key);
    int pollutant = 0, average = bar ? 0 : EG_AVERAGES;
    if (length == 5 && !strncmp(key, "pm2.5", 5))
        pollutant = EG_PM25;
    else
        while (pollutant < EG_POLLUTANTS && (strlen(eg_pollutant_names[pollutant]) != length ||
                                             strncmp(eg_pollutant_names[pollutant], key, length) != 0))
            pollutant++;
    while (bar && average < EG_AVERAGES && strcmp(eg_average_names[average], bar + 1) != 0)
        average++;
    if (pollutant == EG_POLLUTANTS || (bar && average == EG_AVERAGES))
        return false;
    *ret_pollutant = pollutant;
    *ret_average = average;
    return true;
}

/* `plain[pollutant]`: the mean a plain name stands for. */
static bool take(struct index_pairs *pairs, const enum eg_average plain[EG_POLLUTANTS],
                 struct given *ret_given)
{
    memset(ret_given, 0, sizeof *ret_given);
    eg_air_init(&ret_given->air);
    for (size_t i = 0; i < pairs->count; i++) {
        struct index_pair *pair = &pairs->pairs[i];
        int pollutant, average;
        double value;
        if (pair->used || !split(pair->key, &pollutant, &average))
            continue;
        pair->used = true;
        if (average == EG_AVERAGES)
            average = (int)plain[pollutant];
        if (!index_number(pair, &value))
            return false;
        if (ret_given->keys[pollutant][average]) {
            fprintf(stderr, "ecogovctl: %s and %s are the same mean; give one of them.\n",
                    ret_given->keys[pollutant][average], pair->key);
            return false;
        }
        ret_given->keys[pollutant][average] = pair->key;
        ret_given->air.mean[pollutant][average] = eg_nano_of(value);
    }
    return index_all_used(pairs, known);
}

static void add_index(cJSON *object, const char *key, int index)
{
    if (index == EG_AQI_NONE)
        cJSON_AddNullToObject(object, key);
    else
        cJSON_AddNumberToObject(object, key, index);
}

static void add_names(cJSON *object, const char *key, unsigned mask)
{
    cJSON *list = cJSON_AddArrayToObject(object, key);
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        if (mask & 1u << pollutant)
            cJSON_AddItemToArray(list, cJSON_CreateString(eg_pollutant_names[pollutant]));
}

/* `level` 0: no class. */
static void add_class(cJSON *object, const struct eg_aqi_class *classes, int level)
{
    if (level) {
        cJSON_AddStringToObject(object, "category", classes[level - 1].name);
        cJSON_AddStringToObject(object, "category_zh", classes[level - 1].name_zh);
        cJSON_AddNumberToObject(object, "level", level);
        cJSON_AddStringToObject(object, "colour", classes[level - 1].colour);
    } else {
        cJSON_AddNullToObject(object, "category");
        cJSON_AddNullToObject(object, "category_zh");
        cJSON_AddNullToObject(object, "level");
        cJSON_AddNullToObject(object, "colour");
    }
}

static void add_subs(cJSON *object, const struct given *given, const struct eg_aqi *aqi)
{
    cJSON *subs = cJSON_AddObjectToObject(object, "sub");
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int average = 0; average < EG_AVERAGES; average++)
            if (given->keys[pollutant][average])
                add_index(subs, given->keys[pollutant][average], aqi->sub[pollutant][average]);
}

cJSON *index_aqi_cn(struct index_pairs *pairs)
{
    static const char *const editions[] = {"2012", "2026"}, *const modes[] = {"day", "hour", "daily",
                                                                              "realtime"};
    enum eg_aqi_cn_edition now = eg_aqi_cn_edition_at(eg_clock_now_ms());
    int edition = index_choice("edition", index_text(pairs, "edition", editions[now]), editions, 2);
    int mode = index_choice("mode", index_text(pairs, "mode", "day"), modes, 4);
    enum eg_average plain[EG_POLLUTANTS];
    struct given given;
    struct eg_aqi aqi;
    if (edition < 0 || mode < 0)
        return NULL;
    for (int i = 0; i < EG_POLLUTANTS; i++)
        plain[i] = eg_aqi_cn_plain((enum eg_aqi_cn_edition)edition, mode % 2, (enum eg_pollutant)i);
    if (!take(pairs, plain, &given))
        return NULL;
    eg_aqi_cn((enum eg_aqi_cn_edition)edition, &given.air, &aqi);
    bool published = aqi.value != EG_AQI_NONE;
    cJSON *result = cJSON_CreateObject();
    add_index(result, "aqi", aqi.value);
    add_subs(result, &given, &aqi);
    add_names(result, "primary", published ? aqi.primary : 0);
    add_class(result, eg_aqi_cn_classes, published ? aqi.level : 0);
    add_index(result, "aqi_of_available", aqi.available);
    add_names(result, "missing", aqi.missing);
    cJSON_AddStringToObject(result, "edition", editions[edition]);
    cJSON_AddStringToObject(result, "period", modes[mode % 2]);
    return result;
}

cJSON *index_aqi_us(struct index_pairs *pairs)
{
    enum eg_average plain[EG_POLLUTANTS];
    struct given given;
    struct eg_aqi aqi;
    for (int i = 0; i < EG_POLLUTANTS; i++)
        plain[i] = eg_aqi_us_plain((enum eg_pollutant)i);
    if (!take(pairs, plain, &given))
        return NULL;
    eg_aqi_us(&given.air, &aqi);
    cJSON *result = cJSON_CreateObject();
    add_index(result, "aqi", aqi.value);
    add_index(result, "aqi_capped", aqi.value > 500 ? 500 : aqi.value);
    add_subs(result, &given, &aqi);
    add_names(result, "primary", aqi.primary);
    add_class(result, eg_aqi_us_classes, aqi.level);
    return result;
}

cJSON *index_who(struct index_pairs *pairs)
{
    enum eg_average plain[EG_POLLUTANTS];
    struct given given;
    struct eg_who who;
    for (int i = 0; i < EG_POLLUTANTS; i++)
        plain[i] = i == EG_O3 ? EG_8H : EG_24H;
    if (!take(pairs, plain, &given))
        return NULL;
    cJSON *result = cJSON_CreateObject();
    for (int pollutant = 0; pollutant < EG_POLLUTANTS; pollutant++)
        for (int average = 0; average < EG_AVERAGES; average++) {
            if (!given.keys[pollutant][average])
                continue;
            cJSON *one = cJSON_AddObjectToObject(result, given.keys[pollutant][average]);
            if (!eg_who_compare((enum eg_pollutant)pollutant, (enum eg_average)average,
                                given.air.mean[pollutant][average], &who)) {
                cJSON_AddNullToObject(one, "guideline");
                continue;
            }
            cJSON_AddNumberToObject(one, "guideline", who.guideline);
            cJSON_AddNumberToObject(one, "ratio", who.ratio);
            cJSON_AddBoolToObject(one, "met", who.target == 0);
            if (who.target > 0)
                cJSON_AddNumberToObject(one, "interim_target", who.target);
        }
    return result;
}

/* --- NowCast --- */

/* "13,16,-,10": at most a year of hours; those that do not count are read, too. */
static bool read_hours(const char *text, double hours[EG_NOWCAST_HOURS], size_t *ret_count)
{
    size_t count = 0;
    while (true) {
        struct index_pair hour = {.key = "hours"};
        char one[32];
        double value;
        size_t length = strcspn(text, ",");
        snprintf(one, sizeof one, "%.*s", (int)(length < sizeof one ? length : sizeof one - 1), text);
        hour.text = one;
        if (!index_number(&hour, &value))
            return false;
        if (count < EG_NOWCAST_HOURS)
            hours[count++] = value;
        if (!text[length])
            break;
        text += length + 1;
    }
    *ret_count = count;
    return true;
}

cJSON *index_nowcast(const char *pollutant, const char *text)
{
    static const char *const names[] = {"o3", "pm10", "pm25", "pm2.5"};
    static const enum eg_pollutant which[] = {EG_O3, EG_PM10, EG_PM25, EG_PM25};
    double hours[EG_NOWCAST_HOURS], value = NAN, weight = NAN;
    size_t count;
    int of = index_choice("the pollutant", pollutant, names, 4), aqi = EG_AQI_NONE;
    if (of < 0 || !read_hours(text, hours, &count))
        return NULL;
    bool ozone = which[of] == EG_O3;
    bool known_now =
        ozone ? eg_nowcast_o3(hours, count, &value) : eg_nowcast_pm(hours, count, &value, &weight);
    cJSON *result = cJSON_CreateObject();
    if (known_now) {
        int64_t step = eg_aqi_us_step(which[of]);
        int64_t cut =
            eg_nano_truncate(eg_nano_of(ozone ? value / 1000 : value), step); /* ppb are given, ppm judged */
        aqi = eg_aqi_us_sub(which[of], ozone ? EG_8H : EG_24H, cut);
        cJSON_AddNumberToObject(result, "value", value);
        cJSON_AddNumberToObject(result, "truncated", eg_nano_value(cut));
    } else {
        cJSON_AddNullToObject(result, "value");
    }
    add_index(result, "aqi", aqi);
    add_class(result, eg_aqi_us_classes, eg_aqi_us_level(aqi));
    if (ozone)
        cJSON_AddStringToObject(result, "method", "surrogate"); /* the EPA's own for short records */
    else if (known_now)
        cJSON_AddNumberToObject(result, "weight", weight);
    return result;
}
