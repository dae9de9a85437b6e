/* Knows how to say what an index of soil or waste was made of: "fill 96 % v1/b1, h2s 0.12 mg/m3 v1/b2", "v2/plot: cd 3.2 mg/kg (10.67 ×),
 * pH 5.4, paddy". Called by show_indices.c and run_indices.c. */
#include "land_words.h"

#include "page.h"
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct words {
    char *out;
    size_t size, used;
    const char *separator;
};

__attribute__((format(printf, 2, 3))) static void put(struct words *words, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int n = vsnprintf(words->out + words->used, words->size - words->used, format, values);
    va_end(values);
    words->used += n < 0                                   ? 0
                   : (size_t)n < words->size - words->used ? (size_t)n
                                                           : words->size - words->used - 1;
}

static const char *or_nothing(const char *text)
{
    return text ? text : "-";
}

static void put_place(struct words *words, const cJSON *of)
{
    put(words, "%s/%s", or_nothing(text_of(of, "site")), or_nothing(text_of(of, "device")));
}

static bool among(const cJSON *names, const char *name)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, names) if (cJSON_IsString(one) && !strcmp(one->valuestring, name)) return true;
    return false;
}

bool land_is(const cJSON *result)
{
    const char *index = text_of(result, "index");
    return index && strncmp(index, "aqi_", 4) != 0;
}

const char *land_made_of(const cJSON *point, const char *separator, char *out, size_t size)
{
    struct words words = {out, size, 0, separator};
    const cJSON *measures = item_of(point, "measures"), *factors = item_of(point, "factor"), *one;
    char number[PAGE_TEXT], unit[PAGE_TEXT];
    *out = '\0';
    cJSON_ArrayForEach(one, measures)
    {
        put(&words, "%s%s %.6g %s ", words.used ? separator : "", word(or_nothing(text_of(one, "measure"))),
            number_of(one, "value"), page_unit(text_of(one, "unit"), unit));
        put_place(&words, one);
    }
    if (item_of(point, "ec"))
        put(&words, "ec %.6g dS/m ", number_of(point, "ec")), put_place(&words, point);
    if (!factors)
        return out;
    put_place(&words, point);
    put(&words, ": ");
    int said = 0;
    cJSON_ArrayForEach(one, factors) if (among(item_of(point, "primary"), one->string) ||
                                         among(item_of(point, "above_screening"), one->string))
    {
        snprintf(number, sizeof number, "%.6g", number_of(item_of(point, "mg_kg"), one->string));
        put(&words, "%s%s %s mg/kg (%.2f ×)", said++ ? separator : "", one->string, number, one->valuedouble);
    }
    put(&words, "%spH %.6g%s%s", separator, number_of(point, "ph"), separator,
        or_nothing(text_of(point, "land")));
    return out;
}
