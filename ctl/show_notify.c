/* Knows how messages to parties look: what would be said, and that a trial is under way. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

/* A message has lines of its own; whatever else is hostile in it page_put() takes out. */
static void put_lines(const char *text)
{
    char line[2048];
    while (text && *text) {
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        page_put(PLAIN, line);
        putchar('\n');
        text += length + (text[length] == '\n');
    }
}

void show_preview(const struct session *session, const cJSON *result)
{
    const cJSON *row;
    (void)session;
    cJSON_ArrayForEach(row, item_of(result, "messages"))
    {
        page_put(BOLD, text_of(row, "party"));
        printf("  %s\n", text_of(row, "language"));
        page_put(PLAIN, text_of(row, "title"));
        putchar('\n');
        put_lines(text_of(row, "text"));
        page_put(DIM, text_of(row, "line"));
        puts("\n");
    }
}

void show_trial(const struct session *session, const cJSON *result)
{
    (void)session;
    printf(word("%.0f messages are on their way: ecogovctl outbox tells whether they arrived.\n"),
           number_of(result, "count"));
}
