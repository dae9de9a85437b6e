/* Knows `backtest`: reads a rule's text, asks what it would have done, and shows the cases that would have come of it. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 4096 /* what the socket takes */

/* The file's text in place of its name. False, with a sentence: it cannot be read, or is too long. */
static bool read_rule(cJSON *params)
{
    char text[TEXT_MAX + 2];
    const char *name = text_of(params, "file");
    FILE *file = !name || strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
    if (!file) {
        fprintf(stderr, "ecogovctl: backtest: ");
        perror(name);
        return false;
    }
    size_t length = fread(text, 1, TEXT_MAX + 1, file);
    bool good = !ferror(file) && length > 0 && length <= TEXT_MAX;
    if (file != stdin)
        fclose(file);
    text[length] = '\0';
    if (!good || strlen(text) != length) {
        fprintf(stderr, "ecogovctl: backtest: a rule is text of at most %d bytes.\n", TEXT_MAX);
        return false;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(params, "file");
    return cJSON_AddStringToObject(params, "rule", text) != NULL;
}

static void overlaps(struct table *table, const cJSON *ids)
{
    int count = cJSON_GetArraySize(ids);
    const cJSON *first = cJSON_GetArrayItem(ids, 0);
    if (!count)
        table_add(table, DIM, NULL);
    else if (count == 1)
        table_add(table, PLAIN, first->valuestring);
    else
        table_addf(table, PLAIN, "%s +%d", first->valuestring, count - 1);
}

static void show(const cJSON *result)
{
    static const char *const heads[] = {"SINCE",  "UNTIL", ">LENGTH",   "LEVEL", "SITE",
                                        "DEVICE", ">PEAK", "REAL CASE", NULL};
    const cJSON *cases = item_of(result, "cases"), *one;
    const char *quantity = text_of(result, "quantity");
    char a[PAGE_TEXT], b[PAGE_TEXT];
    struct table table;
    printf(word("%s: %.0f cases, by %.0f readings of %.0f series\n"),
           text_of(result, "rule") ? text_of(result, "rule") : "-", number_of(result, "count"),
           number_of(result, "readings"), number_of(result, "series"));
    table_init(&table, heads);
    cJSON_ArrayForEach(one, cases)
    {
        const char *level = text_of(one, "level"), *device = text_of(one, "device"),
                   *channel = text_of(one, "channel"), *ended = text_of(one, "ended_at");
        table_add(&table, PLAIN, page_time(text_of(one, "opened_at"), a));
        table_add(&table, PLAIN, ended ? page_time(ended, a) : word("still"));
        table_add(&table, PLAIN, page_span((int64_t)(number_of(one, "seconds") * 1000), a));
        table_add(&table, page_tone(level ? level : ""), level ? word(level) : NULL);
        table_add(&table, PLAIN, text_of(one, "site"));
        if (!device && text_of(one, "made_of")) /* of a site: the plot, the bins */
            table_add(&table, PLAIN, text_of(one, "made_of"));
        else
            table_addf(&table, PLAIN, "%s%s%s", device ? device : "-", channel && *channel ? "/" : "",
                       channel ? channel : "");
        table_add(&table, BOLD, page_value(quantity, number_of(item_of(one, "peak"), "value"), b));
        overlaps(&table, item_of(one, "overlaps"));
    }
    table_print(&table, 0);
    if (number_of(result, "count") > cJSON_GetArraySize(cases))
        printf(word("The first %d of them are shown.\n"), cJSON_GetArraySize(cases));
}

int run_backtest(struct session *session, cJSON *params)
{
    struct answer answer;
    if (!read_rule(params))
        return EXIT_USAGE;
    int code = session_send(session, "rules.backtest", params);
    if (code == EXIT_DONE)
        code = session_next(session, -1, &answer); /* years of readings take their time */
    if (code != EXIT_DONE)
        return code;
    if (session->json)
        printf("%.*s\n", (int)answer.raw_length, answer.raw);
    else
        show(answer.result);
    answer_finish(&answer);
    return EXIT_DONE;
}
