/* Knows how the plain lists look to people: one table each. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <string.h>

/* The texts of an array, joined by ", ". */
static const char *joined(const cJSON *array, char *out, size_t size)
{
    size_t used = 0;
    const cJSON *item;
    *out = '\0';
    cJSON_ArrayForEach(item, array)
    {
        const char *text = cJSON_GetStringValue(item);
        int more = snprintf(out + used, size - used, "%s%s", used ? ", " : "", text ? text : "?");
        if (more < 0 || (size_t)more >= size - used)
            break;
        used += (size_t)more;
    }
    return out;
}

static void add_word(struct table *table, const cJSON *row, const char *key)
{
    const char *text = text_of(row, key);
    table_add(table, page_tone(text), text ? word(text) : NULL);
}

void show_next(const cJSON *result)
{
    const cJSON *next = item_of(result, "next");
    char text[PAGE_TEXT * 4];
    if (cJSON_IsString(next))
        snprintf(text, sizeof text, "%s", next->valuestring);
    else if (cJSON_IsNumber(next))
        snprintf(text, sizeof text, "%.0f", next->valuedouble);
    else
        return;
    page_putf(DIM, word("There is more: add --cursor %s"), text);
    putchar('\n');
}

void show_sites(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"SITE", "NAME", "LEVEL", "PARENT", "MODE", "PARTIES", NULL};
    struct table table;
    char parties[256];
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, result)
    {
        table_add(&table, PLAIN, text_of(row, "id"));
        table_add(&table, PLAIN, text_of(row, "name"));
        add_word(&table, row, "level");
        table_add(&table, PLAIN, text_of(row, "parent"));
        add_word(&table, row, "mode");
        table_add(&table, PLAIN, joined(item_of(row, "parties"), parties, sizeof parties));
    }
    table_print(&table, 0);
}

static void add_limits(struct table *table, const cJSON *rule)
{
    char text[256] = "";
    size_t used = 0;
    const cJSON *level;
    const char *direction = text_of(rule, "direction");
    bool below = direction && strcmp(direction, "below") == 0;
    cJSON_ArrayForEach(level, item_of(rule, "levels"))
    {
        int more = snprintf(text + used, sizeof text - used, "%s%s %s %g", used ? ", " : "",
                            word(level->string), below ? "<" : ">", number_of(level, "open"));
        if (more > 0 && (size_t)more < sizeof text - used)
            used += (size_t)more;
    }
    int bands = cJSON_GetArraySize(item_of(rule, "bands"));
    if (bands > 1)
        snprintf(text + used, sizeof text - used, " (%d %s)", bands, word("bands"));
    if (cJSON_GetArraySize(item_of(rule, "conditions")) > 0 && strlen(text) < sizeof text - 4)
        snprintf(text + strlen(text), sizeof text - strlen(text), " +");
    table_add(table, PLAIN, text);
}

void show_rules(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"RULE", "TITLE", "STATISTIC", "LIMITS",
                                        "UNIT", "HOLD",  "BASIS",     NULL};
    struct table table;
    char unit[PAGE_TEXT];
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, result)
    {
        const char *window = text_of(row, "window");
        const char *quantity = text_of(row, "quantity"), *statistic = text_of(row, "statistic");
        table_add(&table, PLAIN, text_of(row, "id"));
        table_add(&table, PLAIN, spoken_of(row, "title", "title_zh"));
        bool spans = window && statistic && strcmp(statistic, "last") != 0;
        table_addf(&table, PLAIN, "%s %s%s%s", statistic ? statistic : "?", quantity ? quantity : "?",
                   spans ? " " : "", spans ? window : "");
        add_limits(&table, row);
        table_add(&table, PLAIN, page_unit(text_of(row, "unit"), unit));
        table_add(&table, PLAIN, text_of(row, "hold"));
        table_add(&table, PLAIN, spoken_of(row, "basis", "basis_zh"));
    }
    table_print(&table, 0);
}

void show_quantities(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"QUANTITY", "UNIT", ">RANGE", "MEANING", "ALIASES", NULL};
    struct table table;
    char text[256], unit[PAGE_TEXT];
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, result)
    {
        table_add(&table, PLAIN, text_of(row, "name"));
        table_add(&table, PLAIN, page_unit(text_of(row, "unit"), unit));
        table_addf(&table, PLAIN, "%g … %g", number_of(row, "low"), number_of(row, "high"));
        table_add(&table, PLAIN, text_of(row, words_chinese() ? "about_zh" : "about"));
        table_add(&table, DIM, joined(item_of(row, "aliases"), text, sizeof text));
    }
    table_print(&table, 0);
}

void show_parties(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"PARTY", "NAME", "SECTOR", NULL};
    struct table table;
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, result)
    {
        table_add(&table, PLAIN, text_of(row, "id"));
        table_add(&table, PLAIN, text_of(row, "name"));
        add_word(&table, row, "sector");
    }
    table_print(&table, 0);
}

void show_outbox(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"NO.", "TIME", "STATE", "TO", "ERROR", NULL};
    struct table table;
    char time[PAGE_TEXT];
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, item_of(result, "entries"))
    {
        table_addf(&table, PLAIN, "%.0f", number_of(row, "id"));
        table_add(&table, PLAIN, page_time(text_of(row, "time"), time));
        add_word(&table, row, "state");
        table_add(&table, PLAIN, text_of(row, "recipient"));
        table_add(&table, PLAIN, text_of(row, "error"));
    }
    table_print(&table, 0);
    show_next(result);
}
