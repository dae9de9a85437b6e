/* Knows how an index over time looks to people: a line an hour or a day. Called by the table in commands.c. */
#include "command.h"
#include "land_words.h"
#include "page.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *joined(const cJSON *names, char out[PAGE_TEXT])
{
    const cJSON *name;
    size_t used = 0;
    out[0] = '\0';
    cJSON_ArrayForEach(name, names)
    {
        int n = snprintf(out + used, PAGE_TEXT - used, "%s%s", used ? ", " : "", name->valuestring);
        used += n > 0 && (size_t)n < PAGE_TEXT - used ? (size_t)n : 0;
    }
    return *out ? out : NULL;
}

/* "2026-11-23 13:00  162  heavy pollution  fill 96 % v1/b1" */
static void land_points(const cJSON *points)
{
    static const char *const heads[] = {"TIME", ">VALUE", "CLASS", "MADE OF", NULL};
    char text[PAGE_TEXT], made_of[LAND_WORDS];
    const cJSON *point;
    struct table table;
    table_init(&table, heads);
    cJSON_ArrayForEach(point, points)
    {
        double level = number_of(point, "level"), most = item_of(point, "measures") ? 5 : 3;
        enum tone tone = level >= most ? WORST : level > 1 && level >= most - 2 ? BAD : PLAIN;
        table_add(&table, PLAIN, page_time(text_of(point, "time"), text));
        table_addf(&table, tone, "%.4g", number_of(point, "value"));
        table_add(&table, tone, text_of(point, words_chinese() ? "category_zh" : "category"));
        table_add(&table, PLAIN, land_made_of(point, ", ", made_of, sizeof made_of));
    }
    table_print(&table, 0);
}

void show_indices(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"TIME",          ">AQI",         "CLASS", "PRIMARY",
                                        ">OF AVAILABLE", "NOT MEASURED", NULL};
    const cJSON *points = item_of(result, "points"), *point;
    const char *site = text_of(result, "site"), *device = text_of(result, "device"),
               *index = text_of(result, "index");
    char text[PAGE_TEXT];
    struct table table;
    page_putf(BOLD, "%s %s", index ? index : "?", device ? device : site ? site : word("everywhere"));
    putchar('\n');
    if (land_is(result)) {
        land_points(points);
        show_next(result);
        return;
    }
    table_init(&table, heads);
    cJSON_ArrayForEach(point, points)
    {
        double aqi = number_of(point, "aqi"), level = number_of(point, "level");
        enum tone tone = level >= 5 ? WORST : level >= 3 ? BAD : PLAIN;
        table_add(&table, PLAIN, page_time(text_of(point, "time"), text));
        isfinite(aqi) ? table_addf(&table, tone, "%.0f", aqi) : table_add(&table, PLAIN, NULL);
        table_add(&table, tone, text_of(point, words_chinese() ? "category_zh" : "category"));
        table_add(&table, PLAIN, joined(item_of(point, "primary"), text));
        table_addf(&table, PLAIN, "%.0f", number_of(point, "aqi_of_available"));
        table_add(&table, DIM, joined(item_of(point, "missing"), text));
    }
    table_print(&table, 0);
    show_next(result);
}
