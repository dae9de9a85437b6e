/* Knows `quarantine`: the list, and one payload whole. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

void show_quarantine(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"NO.", "TIME", "TOPIC", "VERDICT", ">BYTES", "REASON", NULL};
    struct table table;
    char text[PAGE_TEXT];
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, item_of(result, "entries"))
    {
        table_addf(&table, PLAIN, "%.0f", number_of(row, "id"));
        table_add(&table, PLAIN, page_time(text_of(row, "time"), text));
        table_add(&table, PLAIN, text_of(row, "topic"));
        table_add(&table, PLAIN, text_of(row, "verdict"));
        table_add(&table, PLAIN, page_count(number_of(row, "bytes"), text));
        table_add(&table, PLAIN, text_of(row, "reason"));
    }
    table_print(&table, 0);
    show_next(result);
}

static void show_one(const cJSON *row)
{
    char time[PAGE_TEXT];
    const char *payload = text_of(row, "payload"), *base64 = text_of(row, "payload_base64");
    page_putf(BOLD, "%s", text_of(row, "topic") ? text_of(row, "topic") : "-");
    printf("  %s  %s %.0f\n", page_time_full(text_of(row, "time"), time), word("BYTES"),
           number_of(row, "bytes"));
    page_put(BAD, text_of(row, "reason") ? text_of(row, "reason") : "-");
    putchar('\n');
    page_put(PLAIN, payload ? payload : base64 ? base64 : "");
    puts(!payload && base64 ? "  (base64)" : "");
}

int run_quarantine(struct session *session, cJSON *params)
{
    const char *id = text_of(params, "id");
    struct answer answer;
    if (id) {
        char *end;
        double number = strtod(id, &end);
        if (end == id || *end) {
            fprintf(stderr, "ecogovctl: quarantine takes an entry's number, not \"%s\".\n", id);
            return EXIT_USAGE;
        }
        cJSON_ReplaceItemInObjectCaseSensitive(params, "id", cJSON_CreateNumber(number));
    }
    int code = session_send(session, id ? "quarantine.show" : "quarantine.list", params);
    if (code == EXIT_DONE)
        code = session_next(session, PATIENCE_MS, &answer);
    if (code != EXIT_DONE)
        return code;
    if (session->json)
        printf("%.*s\n", (int)answer.raw_length, answer.raw);
    else if (cJSON_HasObjectItem(params, "id"))
        show_one(answer.result);
    else
        show_quarantine(session, answer.result);
    answer_finish(&answer);
    return EXIT_DONE;
}
