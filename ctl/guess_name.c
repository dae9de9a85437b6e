/* Knows what people call quantities and units in the keys of their payloads, in more ways than the dictionary's aliases. Refuses to know
 * where a key stands. A guess is a proposal that somebody reads: what is doubtful is said so. Called by guess.c. */
#include "guess_name.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TOKENS 16
#define TOKEN 32

struct tokens {
    size_t count;
    char texts[TOKENS][TOKEN];
};

/* --- words --- */

static bool among(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

/* Beside the dictionary's own names and aliases. */
static const struct {
    const char *name;
    enum eg_quantity quantity;
} further[] = {
    {"temperatur", EG_Q_temperature},
    {"tmp", EG_Q_temperature},
    {"tair", EG_Q_temperature},
    {"ambient", EG_Q_temperature},
    {"humid", EG_Q_humidity},
    {"hygro", EG_Q_humidity},
    {"feuchte", EG_Q_humidity},
    {"luftfeuchte", EG_Q_humidity},
    {"pres", EG_Q_pressure},
    {"baro", EG_Q_pressure},
    {"press_rel", EG_Q_pressure},
    {"ws", EG_Q_wind_speed},
    {"wspd", EG_Q_wind_speed},
    {"wind", EG_Q_wind_speed},
    {"wind_avg", EG_Q_wind_speed},
    {"wd", EG_Q_wind_dir},
    {"wdir", EG_Q_wind_dir},
    {"wind_angle", EG_Q_wind_dir},
    {"pluvio", EG_Q_rain},
    {"rain_gauge", EG_Q_rain},
    {"irradiance", EG_Q_solar},
    {"solar_rad", EG_Q_solar},
    {"ghi", EG_Q_solar},
    {"illumination", EG_Q_light},
    {"illum", EG_Q_light},
    {"spl", EG_Q_noise},
    {"leq", EG_Q_noise},
    {"noise_level", EG_Q_noise},
    {"sound_level", EG_Q_noise},
    {"conduct", EG_Q_ec},
    {"soil_water", EG_Q_soil_moisture},
    {"soc", EG_Q_battery},
    {"batterie", EG_Q_battery},
    {"vcc", EG_Q_voltage},
    {"vdd", EG_Q_voltage},
    {"volt", EG_Q_voltage},
    {"batv", EG_Q_voltage},
    {"signal", EG_Q_rssi},
    {"signal_strength", EG_Q_rssi},
    {"wifi", EG_Q_rssi},
    {"fuellstand", EG_Q_fill_level},
    {"gewicht", EG_Q_weight},
    {"p1", EG_Q_pm10},
    {"p2", EG_Q_pm25},
    {"p0", EG_Q_pm1},
    {"温度", EG_Q_temperature},
    {"湿度", EG_Q_humidity},
    {"气压", EG_Q_pressure},
    {"光照", EG_Q_light},
    {"雨量", EG_Q_rain},
    {"噪音", EG_Q_noise},
    {"土壤水分", EG_Q_soil_moisture},
    {"土壤湿度", EG_Q_soil_moisture},
    {"电压", EG_Q_voltage},
    {"电池", EG_Q_battery},
    {"信号", EG_Q_rssi},
};

/* Names that are ordinary words, or letters: they count when they are all that a key says. */
static const char *const alone[] = {"t",    "p",     "h",      "no",      "as",      "do",    "la",
                                    "ss",   "cr",    "ni",     "cu",      "hg",      "level", "flow",
                                    "mass", "lead",  "oxygen", "wind",    "signal",  "wifi",  "ws",
                                    "wd",   "press", "soc",    "mercury", "ambient", NULL};
/* A key with one of them is no value of the place that is watched: a statistic, a setting, the inside of the device. */
static const char *const strange[] = {
    "min",         "max",   "std",      "stddev",  "count",       "counts",  "threshold", "limit", "offset",
    "calibration", "cal",   "alarm",    "target",  "setpoint",    "index",   "raw",       "dew",   "dewpoint",
    "feels",       "heat",  "apparent", "cpu",     "chip",        "esp",     "mcu",       "board", "core",
    "aqi",         "iaq",   "trend",    "status",  "error",       "errors",  "interval",  "cmd",   "unit",
    "units",       "total", "link",     "quality", "linkquality", "version", NULL};
static const char *const refining[] = {"compensated", "corrected", "calibrated", NULL};
/* They say nothing of where it is. */
static const char *const empty[] = {
    "value",         "val",     "v",    "data",       "reading", "result", "current",     "now",
    "avg",           "average", "mean", "latest",     "last",    "sensor", "measurement", "measured",
    "concentration", "air",     "of",   "the",        "mass",    "object", "standard",    "level",
    "real",          "percent", "pct",  "percentage", NULL};

static int lookup(const char *name)
{
    int quantity = eg_quantity_find(name, strlen(name));
    for (size_t i = 0; quantity == EG_QUANTITY_NONE && i < sizeof further / sizeof *further; i++)
        if (strcmp(further[i].name, name) == 0)
            quantity = (int)further[i].quantity;
    for (int i = 0; quantity == EG_QUANTITY_NONE && i < EG_QUANTITY_COUNT; i++)
        if (strcmp(eg_quantity_info(i)->about_zh, name) == 0)
            quantity = i;
    return quantity;
}

/* --- a key into words --- */

static bool wordy(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* "soilMoisture", "PM2.5", "BME280_temperature", "SOILTemp" */
static bool begins_word(const char *key, size_t at)
{
    if (!at || !wordy(key[at - 1]))
        return true;
    bool lower_before = islower((unsigned char)key[at - 1]) || isdigit((unsigned char)key[at - 1]);
    return isupper((unsigned char)key[at]) &&
           (lower_before || (key[at + 1] && islower((unsigned char)key[at + 1])));
}

static void split(const char *key, struct tokens *tokens)
{
    size_t length = 0;
    for (size_t at = 0; key[at]; at++) {
        if (!wordy(key[at]))
            continue;
        if (begins_word(key, at)) {
            if (tokens->count == TOKENS)
                return;
            tokens->count++;
            length = 0;
        }
        char *text = tokens->texts[tokens->count - 1];
        if (length + 1 < TOKEN) {
            text[length++] = (char)tolower((unsigned char)key[at]);
            text[length] = '\0';
        }
    }
}

static void join(const struct tokens *tokens, size_t from, size_t count, const char *between, char *out,
                 size_t size)
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = from; i < from + count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > from ? between : "", tokens->texts[i]);
}

/* --- units in names --- */

static bool comes_in(int quantity, const char *unit, char out[GUESS_UNIT])
{
    static const struct {
        const char *word, *unit;
    } written[] = {{"ugm3", "ug/m3"}, {"mgm3", "mg/m3"}, {"uscm", "uS/cm"}, {"dsm", "dS/m"},
                   {"mscm", "mS/cm"}, {"wm2", "W/m2"},   {"mmh", "mm/h"},   {"ms", "m/s"},
                   {"kmh", "km/h"},   {"vol", "%"}};
    struct eg_unit_map map;
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (strcmp(written[i].word, unit) == 0)
            unit = written[i].unit;
    if (!*unit || strlen(unit) >= GUESS_UNIT || !eg_unit_find(quantity, unit, &map))
        return false;
    snprintf(out, GUESS_UNIT, "%s", unit);
    return true;
}

/* Beside such a word there may be its unit, and nothing else: "tC", "h_pct". */
static bool alone_but_for_units(const struct tokens *tokens, size_t at, const char *name)
{
    char unit[GUESS_UNIT];
    int quantity = lookup(name);
    for (size_t i = 0; i < tokens->count; i++)
        if (quantity == EG_QUANTITY_NONE)
            return false;
        else if (i != at && !comes_in(quantity, tokens->texts[i], unit))
            return false;
    return true;
}

static int lookup_window(const struct tokens *tokens, size_t from, size_t count)
{
    static const char *const between[] = {"_", ""};
    char name[TOKENS * TOKEN];
    int quantity = EG_QUANTITY_NONE;
    for (size_t i = 0; i < 2 && quantity == EG_QUANTITY_NONE; i++) {
        join(tokens, from, count, between[i], name, sizeof name);
        if (count < tokens->count && among(alone, name) && !alone_but_for_units(tokens, from, name))
            return EG_QUANTITY_NONE;
        quantity = lookup(name);
    }
    return quantity;
}

/* "temp2": the digits are a probe's number. */
static int lookup_numbered(const struct tokens *tokens, size_t at, size_t *ret_letters)
{
    char name[TOKEN];
    snprintf(name, sizeof name, "%s", tokens->texts[at]);
    size_t length = strlen(name);
    while (length && isdigit((unsigned char)name[length - 1]))
        length--;
    if (length < 2 || !tokens->texts[at][length])
        return EG_QUANTITY_NONE;
    name[length] = '\0';
    *ret_letters = length;
    return among(alone, name) ? EG_QUANTITY_NONE : lookup(name);
}

static void drop(struct tokens *tokens, size_t from, size_t count)
{
    memmove(&tokens->texts[from], &tokens->texts[from + count],
            (tokens->count - from - count) * sizeof *tokens->texts);
    tokens->count -= count;
}

/* The longest run of words that is a name, the last of several; it is taken out. */
static int take_quantity(struct tokens *tokens)
{
    size_t letters = 0;
    for (size_t count = tokens->count; count > 0; count--)
        for (size_t from = tokens->count - count + 1; from-- > 0;) {
            int quantity = lookup_window(tokens, from, count);
            if (quantity == EG_QUANTITY_NONE)
                continue;
            drop(tokens, from, count);
            return quantity;
        }
    for (size_t at = tokens->count; at-- > 0;) {
        int quantity = lookup_numbered(tokens, at, &letters);
        if (quantity == EG_QUANTITY_NONE)
            continue;
        memmove(tokens->texts[at], tokens->texts[at] + letters, strlen(tokens->texts[at] + letters) + 1);
        return quantity;
    }
    return EG_QUANTITY_NONE;
}

/* A unit that stands in brackets: "Temperature (°C)". The key without it. */
static void take_brackets(const char *key, char rest[128], char unit[64])
{
    const char *open = strpbrk(key, "([");
    const char *close = open ? strpbrk(open, ")]") : NULL;
    snprintf(rest, 128, "%s", key);
    *unit = '\0';
    if (!close || open == key || close - open - 1 >= 64)
        return;
    snprintf(unit, 64, "%.*s", (int)(close - open - 1), open + 1);
    if ((size_t)(open - key) < 128)
        rest[open - key] = '\0';
}

static void take_unit(struct tokens *tokens, int quantity, char out[GUESS_UNIT])
{
    char two[2 * TOKEN];
    for (size_t at = tokens->count; at-- > 0 && !*out;) {
        if (at > 0) {
            snprintf(two, sizeof two, "%s/%s", tokens->texts[at - 1], tokens->texts[at]);
            if (comes_in(quantity, two, out)) {
                drop(tokens, at - 1, 2);
                return;
            }
        }
        if (comes_in(quantity, tokens->texts[at], out))
            drop(tokens, at, 1);
    }
}

/* --- the place --- */

static bool says(const struct tokens *tokens, const char *word)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->texts[i], word) == 0)
            return true;
    return false;
}

/* Of soil, of water, of a bin: what the words around it say. */
static int placed(int quantity, const struct tokens *around)
{
    static const struct {
        const char *place;
        enum eg_quantity plain, there;
    } places[] = {{"soil", EG_Q_temperature, EG_Q_soil_temp},
                  {"soil", EG_Q_humidity, EG_Q_soil_moisture},
                  {"soil", EG_Q_ec, EG_Q_soil_ec},
                  {"soil", EG_Q_ph, EG_Q_soil_ph},
                  {"water", EG_Q_temperature, EG_Q_water_temp},
                  {"bin", EG_Q_temperature, EG_Q_bin_temp},
                  {"battery", EG_Q_temperature, EG_QUANTITY_COUNT},
                  {"fill", EG_Q_level, EG_Q_fill_level},
                  {"battery", EG_Q_level, EG_Q_battery}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if ((int)places[i].plain == quantity && says(around, places[i].place))
            return places[i].there == EG_QUANTITY_COUNT ? EG_QUANTITY_NONE : (int)places[i].there;
    return quantity;
}

static void name_channel(const struct tokens *left, struct guess_name *name)
{
    struct tokens kept = {0};
    for (size_t i = 0; i < left->count; i++) {
        if (among(refining, left->texts[i]))
            name->refined = true;
        else if (*left->texts[i] && !among(empty, left->texts[i]))
            memcpy(kept.texts[kept.count++], left->texts[i], TOKEN);
    }
    char text[TOKENS * TOKEN];
    join(&kept, 0, kept.count, "-", text, sizeof text);
    snprintf(name->channel, sizeof name->channel, "%.*s", EG_CHANNEL_MAX, text);
    for (size_t length = strlen(name->channel); length && (unsigned char)name->channel[length - 1] >= 0x80;)
        name->channel[--length] = '\0'; /* perhaps cut inside a character; a name of ASCII will do */
}

static bool all_strange(const struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (among(strange, tokens->texts[i]))
            return true;
    return false;
}

static bool says_nothing(const struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (!among(empty, tokens->texts[i]))
            return false;
    return true;
}

/* "water_SOIL" */
static bool is_soil_water(const struct tokens *tokens)
{
    return says(tokens, "soil") && says(tokens, "water");
}

void guess_name(const char *const *keys, size_t count, const char *said, struct guess_name *ret)
{
    struct tokens around = {0};
    char rest[128], bracket[64];
    *ret = (struct guess_name){.quantity = EG_QUANTITY_NONE};
    for (size_t i = 0; i < count; i++)
        if (keys[i])
            split(keys[i], &around);
    for (size_t i = 0; i < count && ret->quantity == EG_QUANTITY_NONE; i++) {
        struct tokens own = {0};
        if (!keys[i])
            continue;
        take_brackets(keys[i], rest, bracket);
        split(rest, &own);
        if (all_strange(&own))
            return;
        bool nothing = says_nothing(&own);
        int quantity = is_soil_water(&own) ? EG_Q_soil_moisture : take_quantity(&own);
        ret->quantity = quantity == EG_QUANTITY_NONE ? quantity : placed(quantity, &around);
        if (ret->quantity == EG_QUANTITY_NONE && quantity != EG_QUANTITY_NONE)
            return;
        if (ret->quantity == EG_QUANTITY_NONE && !nothing)
            return; /* it has a name of its own, and that is not known: what is above it is something else */
        if (ret->quantity == EG_QUANTITY_NONE)
            continue;
        if (said && comes_in(ret->quantity, said, ret->unit))
            ;
        else if (!comes_in(ret->quantity, bracket, ret->unit))
            take_unit(&own, ret->quantity, ret->unit);
        name_channel(&own, ret);
        if (i > 0 && ret->quantity == EG_Q_battery && keys[0] && strcasecmp(keys[0], "v") == 0)
            ret->quantity = EG_Q_voltage; /* "battery": {"V": 5.1, "percent": 80} */
    }
}
