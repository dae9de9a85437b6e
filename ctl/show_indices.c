/* Knows how an index over time looks to people: a line an hour or a day. Called by the table in commands.c. */
#include "command.h"
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
