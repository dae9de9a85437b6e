/* Knows `index`: which indices there are, key=value on a command line, and how a result is shown. Needs no daemon. Called by main.c. */
#include "command.h"
#include "index.h"
#include "page.h"
#include "words.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct kind {
    const char *name, *example;
    cJSON *(*of)(struct index_pairs *pairs);
} kinds[] = {
    {"aqi_cn", "aqi_cn edition=2026 mode=day pm25=35 pm10=80 co=1.2", index_aqi_cn},
    {"aqi_us", "aqi_us pm25_24h=35.9 o3_8h=0.0785", index_aqi_us},
    {"nowcast", "nowcast pm25 13,16,10,21,-,64", NULL},
    {"soil_gb15618", "soil_gb15618 land=paddy ph=6.2 cd=0.35 pb=60", index_soil},
    {"salinity", "salinity ece=3.1", index_salinity},
    {"waste", "waste fill=85 overdue=12 h2s=0.02", index_waste},
    {"who", "who pm25=20 no2=12", index_who},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* --- arguments --- */

const char *index_text(struct index_pairs *pairs, const char *key, const char *other)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->pairs[i].key, key) == 0) {
            pairs->pairs[i].used = true;
            return pairs->pairs[i].text;
        }
    return other;
}

bool index_number(const struct index_pair *pair, double *ret_value)
{
    char *end = NULL;
    if (strcmp(pair->text, "-") == 0) {
        *ret_value = NAN;
        return true;
    }
    /* a decimal number and nothing else: no blanks, no hexadecimal, no "inf" */
    bool decimal = *pair->text && strspn(pair->text, "0123456789.eE+-") == strlen(pair->text);
    double value = decimal ? strtod(pair->text, &end) : NAN;
    if (!decimal || *end || !(value >= 0 && value <= 9e9)) {
        fprintf(stderr, "ecogovctl: %s=%s: it takes a decimal number from 0 on, or - where it is missing.\n",
                pair->key, pair->text);
        return false;
    }
    *ret_value = value;
    return true;
}

int index_choice(const char *key, const char *text, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    fprintf(stderr, "ecogovctl: %s cannot be \"%s\"; there is:", key, text);
    for (int i = 0; i < count; i++)
        fprintf(stderr, "%s %s", i ? "," : "", names[i]);
    fputs("\n", stderr);
    return -1;
}

bool index_all_used(const struct index_pairs *pairs, const char *known)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (!pairs->pairs[i].used) {
            fprintf(stderr, "ecogovctl: this index knows no %s; it takes %s.\n", pairs->pairs[i].key, known);
            return false;
        }
    return true;
}

static bool read_pairs(int argc, const char *const *argv, struct index_pairs *ret_pairs)
{
    struct index_pairs pairs = {.count = 0};
    for (int i = 0; i < argc; i++) {
        struct index_pair *pair = &pairs.pairs[pairs.count];
        const char *equals = strchr(argv[i], '=');
        size_t length = equals ? (size_t)(equals - argv[i]) : 0;
        if (!length || length >= sizeof pair->key || pairs.count == INDEX_PAIRS) {
            fprintf(stderr, "ecogovctl: \"%s\" is no name=value%s.\n", argv[i],
                    pairs.count == INDEX_PAIRS ? " that an index could still take" : "");
            return false;
        }
        for (size_t k = 0; k < length; k++)
            pair->key[k] = (char)tolower((unsigned char)argv[i][k]);
        pair->key[length] = '\0';
        pair->text = equals + 1;
        for (size_t k = 0; k < pairs.count; k++)
            if (strcmp(pairs.pairs[k].key, pair->key) == 0) {
                fprintf(stderr, "ecogovctl: %s is given twice.\n", pair->key);
                return false;
            }
        pairs.count++;
    }
    *ret_pairs = pairs;
    return true;
}

/* --- for people --- */

static void put_scalar(enum tone tone, const cJSON *item)
{
    if (cJSON_IsString(item))
        page_put(tone, word(item->valuestring));
    else if (cJSON_IsNumber(item))
        page_putf(tone, "%.6g", item->valuedouble);
    else if (cJSON_IsBool(item))
        page_put(tone, word(cJSON_IsTrue(item) ? "yes" : "no"));
    else
        page_put(DIM, "NA");
}

static void show_item(const cJSON *item, size_t indent)
{
    page_putf(PLAIN, "%*s", (int)indent, "");
    page_label(indent ? PLAIN : DIM, word(item->string), 20);
    if (cJSON_IsArray(item)) {
        const cJSON *one;
        int at = 0;
        cJSON_ArrayForEach(one, item)
        {
            page_put(PLAIN, at++ ? ", " : "");
            put_scalar(PLAIN, one);
        }
        page_put(PLAIN, at ? "" : "-");
    } else if (!cJSON_IsObject(item)) {
        put_scalar(strcmp(item->string, "aqi") == 0 ? BOLD : PLAIN, item);
    }
    putchar('\n');
}

/* A result is an object of scalars, lists, and objects of the same: two levels of lines. */
static void show(const cJSON *result)
{
    const cJSON *item, *inner, *innermost;
    cJSON_ArrayForEach(item, result)
    {
        const char *key = item->string;
        size_t length = strlen(key);
        bool chinese = length > 3 && strcmp(key + length - 3, "_zh") == 0;
        char twin[32];
        snprintf(twin, sizeof twin, "%s_zh", key);
        if (chinese || (words_chinese() && cJSON_HasObjectItem(result, twin))) {
            if (!chinese || !words_chinese())
                continue; /* one language is enough */
            snprintf(twin, sizeof twin, "%.*s", (int)(length - 3), key);
            page_label(DIM, word(twin), 20);
            put_scalar(PLAIN, item);
            putchar('\n');
            continue;
        }
        show_item(item, 0);
        if (!cJSON_IsObject(item))
            continue;
        cJSON_ArrayForEach(inner, item)
        {
            show_item(inner, 2);
            if (cJSON_IsObject(inner))
                cJSON_ArrayForEach(innermost, inner) show_item(innermost, 4);
        }
    }
}

/* --- the command --- */

static int usage(const char *wrong)
{
    fprintf(stderr, "ecogovctl: %s\n", wrong);
    for (size_t i = 0; i < KINDS; i++)
        fprintf(stderr, "  ecogovctl index %s\n", kinds[i].example);
    return EXIT_USAGE;
}

int run_index(struct session *session, cJSON *params)
{
    const char *argv[INDEX_PAIRS + 2];
    int argc = 0;
    const cJSON *given;
    const struct kind *kind = NULL;
    struct index_pairs pairs;
    cJSON *result;
    cJSON_ArrayForEach(given, item_of(params, "words")) if (argc < INDEX_PAIRS + 2) argv[argc++] =
        given->valuestring;
    for (size_t i = 0; argc && i < KINDS; i++)
        if (strcmp(argv[0], kinds[i].name) == 0)
            kind = &kinds[i];
    if (!kind)
        return usage(argc ? "there is no such index; there are:" : "which index?");
    if (kind->of) {
        if (!read_pairs(argc - 1, argv + 1, &pairs))
            return EXIT_USAGE;
        result = kind->of(&pairs);
    } else {
        if (argc != 3)
            return usage("nowcast takes the pollutant and its hourly means, newest first, as in:");
        result = index_nowcast(argv[1], argv[2]);
    }
    if (!result)
        return EXIT_USAGE;
    if (session->json) {
        char *text = cJSON_PrintUnformatted(result);
        puts(text ? text : "null");
        cJSON_free(text);
    } else {
        show(result);
    }
    cJSON_Delete(result);
    return EXIT_DONE;
}
