/* Knows `watch`: a line for each thing that happens, until it is interrupted. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <math.h>
#include <string.h>

static void reading_line(const cJSON *row)
{
    char time[PAGE_TEXT], value[PAGE_TEXT], unit[PAGE_TEXT];
    const char *channel = text_of(row, "channel"), *quantity = text_of(row, "quantity");
    printf("%s  ", page_time_full(text_of(row, "time"), time));
    page_putf(PLAIN, "%s/%s/%s %s%s%s ", text_of(row, "site"), text_of(row, "domain"), text_of(row, "device"),
              quantity, channel && *channel ? "/" : "", channel ? channel : "");
    page_putf(BOLD, "%s", page_value(quantity, number_of(row, "value"), value));
    page_putf(PLAIN, " %s", page_unit(text_of(row, "unit"), unit));
    putchar('\n');
}

static void case_line(const cJSON *event)
{
    char time[PAGE_TEXT], value[PAGE_TEXT];
    const cJSON *row = item_of(event, "case");
    const char *kind = text_of(event, "kind"), *to = text_of(event, "to"), *title = text_of(row, "title"),
               *zh = text_of(row, "title_zh"), *level = text_of(row, "level");
    printf("%s  ", page_time_full(text_of(event, "at"), time));
    page_put(page_tone(level), level ? word(level) : "-");
    page_putf(PLAIN, "  %s  ", text_of(row, "id"));
    page_put(BOLD, kind ? word(kind) : "?");
    if (to && !(kind && strcmp(kind, to) == 0)) {
        putchar(' ');
        page_put(page_tone(to), word(to));
    }
    if (isfinite(number_of(event, "value")))
        printf(" (%s)", page_value(text_of(row, "quantity"), number_of(event, "value"), value));
    const char *shown = words_chinese() && zh ? zh : title;
    page_putf(DIM, "  %s", shown ? shown : "");
    putchar('\n');
}

static void status_line(const cJSON *status)
{
    char a[PAGE_TEXT], b[PAGE_TEXT], time[PAGE_TEXT];
    bool connected = cJSON_IsTrue(item_of(item_of(status, "broker"), "connected"));
    printf("%s  %s ", page_time_full(text_of(status, "now"), time), word("broker"));
    page_put(connected ? GOOD : BAD, word(connected ? "connected" : "not connected"));
    printf(", %s %s, %s %s, %.0f %s\n", page_count(number_of(item_of(status, "messages"), "received"), a),
           word("messages"), page_count(number_of(item_of(status, "readings"), "stored"), b),
           word("readings"), number_of(item_of(status, "cases"), "active"), word("cases"));
}

int run_watch(struct session *session, cJSON *params)
{
    struct answer answer;
    int code = session_send(session, "watch", params);
    while (code == EXIT_DONE && (code = session_next(session, -1, &answer)) == EXIT_DONE) {
        if (session->json) {
            char *text = answer.method ? cJSON_PrintUnformatted(answer.root) : NULL;
            if (text)
                puts(text);
            cJSON_free(text);
        } else if (!answer.method) {
            ; /* the daemon has agreed */
        } else if (strcmp(answer.method, "readings") == 0) {
            reading_line(answer.result);
        } else if (strcmp(answer.method, "cases") == 0) {
            case_line(answer.result);
        } else {
            status_line(answer.result);
        }
        answer_finish(&answer);
        fflush(stdout); /* each as it happens, into a pipe too */
    }
    return code;
}
