/* Knows how silences look to people. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

static const char *state_word(const cJSON *row)
{
    static const char *const words[][2] = {
        {"active", "in force"}, {"pending", "not yet"}, {"expired", "over"}, {"removed", "removed"}};
    const char *state = text_of(row, "state");
    for (size_t i = 0; state && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], state) == 0)
            return word(words[i][1]);
    return state ? state : "-";
}

static void add_about(struct table *table, const cJSON *row)
{
    static const char *const keys[] = {"site", "domain", "device", "quantity", "rule"};
    char text[512];
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = text_of(row, keys[i]);
        if (value && used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s=%.100s", used ? " " : "", keys[i],
                                     value);
    }
    table_add(table, PLAIN, text);
}

void show_silences(const struct session *session, const cJSON *result)
{
    static const char *const heads[] = {">ID",     "STATE", "SILENCED", "UP TO", "FROM",
                                        "EXPIRES", "BY",    "REASON",   NULL};
    struct table table;
    const cJSON *row;
    char text[PAGE_TEXT];
    (void)session;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, item_of(result, "silences"))
    {
        const char *level = text_of(row, "level");
        table_addf(&table, PLAIN, "%.0f", number_of(row, "id"));
        table_add(&table, PLAIN, state_word(row));
        add_about(&table, row);
        table_add(&table, page_tone(level), level ? word(level) : "-");
        table_add(&table, PLAIN, page_time(text_of(row, "starts"), text));
        table_add(&table, PLAIN, page_time(text_of(row, "expires"), text));
        table_add(&table, PLAIN, text_of(row, "author"));
        table_add(&table, PLAIN, text_of(row, "reason"));
    }
    table_print(&table, 0);
    show_next(result);
}

void show_silence(const struct session *session, const cJSON *row)
{
    char time[PAGE_TEXT];
    (void)session;
    page_putf(PLAIN, "%s %.0f: ", word("silence"), number_of(row, "id"));
    page_put(PLAIN, state_word(row));
    if (!text_of(row, "ended_at"))
        printf(", %s %s", word("until"), page_time(text_of(row, "expires"), time));
    putchar('\n');
}
