/* Guesses the quantity behind a name: its words are looked at one by one, and what is left when sensors' types, statistics, numbers and
 * depths are taken away must be in the dictionary. Rather nothing than something wrong. Pure; called by drivers and by whoever proposes
 * a mapping. */
#include "names.h"

#include <ecogov/quantity.h>

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 63
#define WORDS_MAX 12

struct words {
    const struct eg_quantity_index *index; /* may be NULL */
    size_t count;
    char text[WORDS_MAX][NAME_MAX_BYTES + 1];
};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool add(struct words *words, const char *from, size_t length)
{
    if (length == 0)
        return true;
    if (words->count == WORDS_MAX)
        return false;
    char *to = words->text[words->count++];
    for (size_t i = 0; i < length; i++)
        to[i] = is_upper(from[i]) ? (char)(from[i] | 0x20) : from[i];
    to[length] = '\0';
    return true;
}

/* At '_', '-', '.', '/', ':' and blanks, and where a capital follows a small letter. */
static bool split(const char *name, size_t length, struct words *words)
{
    size_t start = 0;
    for (size_t i = 0; i < length; i++) {
        const bool mark = strchr("_-./: ", name[i]) != NULL;
        const bool hump = i > start && is_upper(name[i]) && is_lower(name[i - 1]);
        if (name[i] == '\0' || ((mark || hump) && !add(words, name + start, i - start)))
            return false;
        if (mark || hump)
            start = mark ? i + 1 : i;
    }
    return add(words, name + start, length - start);
}

static bool one_of(const char *word, const char *list)
{
    for (const char *at = list; *at != '\0';) {
        const char *w = word;
        while (*w != '\0' && *w == *at)
            w++, at++;
        if (*w == '\0' && (*at == ' ' || *at == '\0'))
            return true;
        while (*at != '\0' && *at++ != ' ')
            ;
    }
    return false;
}

/* What measured it, or how: no part of what it is. Not the Fahrenheit's f: what it means is not what the quantity's own unit says. */
static bool is_noise(const char *word)
{
    static const char list[] =
        "value val reading sensor measurement measured current act actual avg mean average mass "
        "concentration "
        "conc at depth level c degc celsius pct percent ambient air outdoor soil water bin compensated sds "
        "sds011 sds0x1 "
        "pms pms5003 pms7003 pmsa003 pmsx003 sps30 sps hpm sen5x sen54 sen55 bme bme280 bme680 bme688 bmp "
        "bmp180 "
        "bmp280 bmp388 dht dht11 dht22 am2301 am2302 htu21 htu21d sht sht3x sht30 sht31 sht35 sht40 sht4x "
        "si7021 "
        "ds18b20 ds18s20 ds scd30 scd40 scd41 scd4x mhz19 mhz19b mh z19b senseair s8 bh1750 tsl2561 veml7700 "
        "soil4 5tm 5te dl ccs811 sgp30 aht10 aht20 hdc1080 lps25 ms5611";
    return one_of(word, list);
}

static bool is_number(const char *word)
{
    const size_t digits = strspn(word, "0123456789");
    return digits > 0 && digits < 4 && (word[digits] == '\0' || one_of(word + digits, "cm mm m"));
}

/* `between`: one character, or none. */
static void join(const struct words *words, const bool *dropped, const char *between,
                 char out[NAME_MAX_BYTES + 1])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < words->count; i++) {
        const size_t length = strlen(words->text[i]);
        if (dropped[i] || used + length + 1 > NAME_MAX_BYTES)
            continue;
        if (used > 0 && *between != '\0')
            out[used++] = *between;
        memcpy(out + used, words->text[i], length + 1);
        used += length;
    }
}

static int known(const struct words *words, const bool *dropped)
{
    static const char *const betweens[] = {"_", "", "."};
    char text[NAME_MAX_BYTES + 1];
    int quantity = EG_QUANTITY_NONE;
    for (size_t i = 0; i < sizeof betweens / sizeof *betweens && quantity == EG_QUANTITY_NONE; i++) {
        join(words, dropped, betweens[i], text);
        quantity = words->index == NULL ? eg_quantity_find(text, strlen(text))
                                        : eg_quantity_index_find(words->index, text, strlen(text));
    }
    return quantity;
}

struct elsewhere {
    const char *domain;
    int from, to;
};

/* The same name means another thing in the ground, in water and in a bin. */
static int of_domain(int quantity, const char *domain)
{
    static const struct elsewhere table[] = {
        {"soil", EG_Q_temperature, EG_Q_soil_temp},
        {"soil", EG_Q_humidity, EG_Q_soil_moisture},
        {"soil", EG_Q_ec, EG_Q_soil_ec},
        {"soil", EG_Q_ph, EG_Q_soil_ph},
        {"water", EG_Q_temperature, EG_Q_water_temp},
        {"waste", EG_Q_temperature, EG_Q_bin_temp},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].domain, domain) == 0 && table[i].from == quantity)
            return table[i].to;
    return quantity;
}

/* "soil" may be a word of the name: TempC_SOIL, water_soil4. */
static const char *domain_in(const struct words *words, const char *domain)
{
    for (size_t i = 0; i < words->count; i++) {
        if (one_of(words->text[i], "soil soil4 5tm 5te"))
            return "soil";
        if (strcmp(words->text[i], "bin") == 0)
            return "waste";
        if (strcmp(words->text[i], "water") == 0 && words->count > 1)
            domain = "water";
    }
    return domain == NULL ? "" : domain;
}

/* What the dictionary does not list, because only together with its place it means one thing. */
static int of_ground(const struct words *words, const bool *dropped)
{
    char text[NAME_MAX_BYTES + 1];
    join(words, dropped, "_", text);
    if (one_of(text, "water moist moisture humi hum vwc"))
        return EG_Q_soil_moisture;
    if (one_of(text, "conduct cond conductivity ec"))
        return EG_Q_soil_ec;
    if (one_of(text, "ph ph1"))
        return EG_Q_soil_ph;
    if (one_of(text, "n p k"))
        return *text == 'n' ? EG_Q_soil_n : *text == 'p' ? EG_Q_soil_p : EG_Q_soil_k;
    return one_of(text, "temp temperature tempc t") ? EG_Q_soil_temp : EG_QUANTITY_NONE;
}

static bool all(const bool *dropped, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!dropped[i])
            return false;
    return true;
}

/* "pm25" is no "pm" with the number 25: a number behind letters is parted only where the whole means nothing. */
static bool part_number(struct words *words)
{
    char *last = words->text[words->count - 1];
    size_t length = strlen(last), digits = 0;
    while (digits < length && is_digit(last[length - digits - 1]))
        digits++;
    if (digits == 0 || digits > 3 || digits == length || words->count == WORDS_MAX)
        return false;
    memcpy(words->text[words->count++], last + length - digits, digits + 1);
    last[length - digits] = '\0';
    return true;
}

static int look(const struct words *words, const char *domain, char channel[EG_CHANNEL_MAX + 1])
{
    bool dropped[WORDS_MAX] = {false};
    const char *place = domain_in(words, domain);
    int quantity = known(words, dropped);
    channel[0] = '\0';
    if (quantity != EG_QUANTITY_NONE)
        return of_domain(quantity, place);
    const char *last = words->text[words->count - 1];
    if (words->count > 1 && is_number(last)) {
        (void)snprintf(channel, EG_CHANNEL_MAX + 1, "%.*s", EG_CHANNEL_MAX, last);
        dropped[words->count - 1] = true;
        quantity = known(words, dropped);
    }
    for (size_t i = 0; i < words->count && quantity == EG_QUANTITY_NONE; i++) {
        if (!is_noise(words->text[i]) || (strcmp(words->text[i], "water") == 0 && strcmp(place, "soil") == 0))
            continue;
        dropped[i] = true;
        if (!all(dropped, words->count))
            quantity = known(words, dropped);
    }
    if (quantity == EG_QUANTITY_NONE && strcmp(place, "soil") == 0)
        quantity = of_ground(words, dropped);
    return quantity == EG_QUANTITY_NONE ? quantity : of_domain(quantity, place);
}

bool eg_names_guess(const struct eg_quantity_index *index, const char *name, size_t length,
                    const char *domain, int *ret_quantity, char channel[EG_CHANNEL_MAX + 1])
{
    struct words words = {.index = index, .count = 0};
    int quantity = EG_QUANTITY_NONE;
    if (length > 0 && length <= NAME_MAX_BYTES && split(name, length, &words) && words.count > 0)
        quantity = look(&words, domain, channel);
    if (quantity == EG_QUANTITY_NONE && words.count > 0 && part_number(&words))
        quantity = look(&words, domain, channel);
    if (quantity == EG_QUANTITY_NONE) {
        channel[0] = '\0';
        return false;
    }
    *ret_quantity = quantity;
    return true;
}
