/* A short list of events with texts of their own (waiting.h). Refuses to know what they are for. Called by turn.c. */
#include "waiting.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS 13

struct eg_waiting_row {
    struct eg_event event;
    char *texts[TEXTS]; /* what the event's point to; Owned */
    void *rows;         /* an import's, a gathering's, a retry's with its topics and payloads; Owned */
    struct eg_waiting_row *next;
};

static void row_free(struct eg_waiting_row *row)
{
    for (size_t i = 0; i < TEXTS; i++)
        free(row->texts[i]);
    free(row->rows);
    free(row);
}

static bool own_rows(struct eg_waiting_row *row)
{
    struct eg_import *import = &row->event.import;
    size_t size = import->count * sizeof *import->rows;
    row->rows = malloc(size ? size : 1);
    if (!row->rows)
        return false;
    memcpy(row->rows, import->rows, size);
    import->rows = row->rows;
    return true;
}

static bool own_items(struct eg_waiting_row *row)
{
    struct eg_delivery *delivery = &row->event.delivery;
    size_t size = delivery->item_count * sizeof *delivery->items;
    if (!size)
        return true;
    row->rows = malloc(size);
    if (!row->rows)
        return false;
    memcpy(row->rows, delivery->items, size);
    delivery->items = row->rows;
    return true;
}

/* Rows, then the topics, then the payloads: one block. */
static bool own_messages(struct eg_waiting_row *row)
{
    struct eg_retry *retry = &row->event.retry;
    size_t size = retry->count * sizeof *retry->rows + 1;
    for (size_t i = 0; i < retry->count; i++)
        size += retry->rows[i].message.topic_len + 1 + retry->rows[i].message.payload_len;
    struct eg_retry_row *rows = row->rows = malloc(size);
    if (!rows)
        return false;
    char *at = (char *)(rows + retry->count);
    for (size_t i = 0; i < retry->count; i++) {
        struct eg_message *message = &rows[i].message;
        rows[i] = retry->rows[i];
        memcpy(at, message->topic, message->topic_len + 1);
        message->topic = at;
        at += message->topic_len + 1;
        if (message->payload_len)
            memcpy(at, message->payload, message->payload_len);
        message->payload = (const uint8_t *)at;
        at += message->payload_len;
    }
    retry->rows = rows;
    return true;
}

/* Puts a copy of each text in the place of the text. */
static bool own_texts(struct eg_waiting_row *row)
{
    if (row->event.kind == EG_EVENT_RETRY)
        return own_messages(row);
    if (row->event.kind == EG_EVENT_IMPORT)
        return own_rows(row);
    if (row->event.kind == EG_EVENT_LINK || row->event.kind == EG_EVENT_CLOCK)
        return true;
    struct eg_command *command = &row->event.command;
    const char **commands[TEXTS] = {
        &command->verb,   &command->case_id,   &command->user,    &command->note, &command->party,
        &command->reason, &command->member_of, &command->rule,    &command->site, &command->level,
        &command->domain, &command->device,    &command->quantity};
    if (row->event.kind == EG_EVENT_DELIVERY && !own_items(row))
        return false;
    struct eg_delivery *delivery = &row->event.delivery;
    const char **deliveries[TEXTS] = {&delivery->error,     &delivery->party, &delivery->channel,
                                      &delivery->recipient, &delivery->key,   &delivery->body,
                                      &delivery->why,       &delivery->line};
    struct eg_report *report = &row->event.report;
    const char **reports[TEXTS] = {&report->site,     &report->domain,   &report->device,  &report->text,
                                   &report->reporter, &report->photo,    &report->case_id, &report->user,
                                   &report->party,    &report->member_of};
    const char ***texts = row->event.kind == EG_EVENT_COMMAND  ? commands
                          : row->event.kind == EG_EVENT_REPORT ? reports
                                                               : deliveries;
    for (size_t i = 0; i < TEXTS && texts[i]; i++) {
        if (!*texts[i])
            continue;
        row->texts[i] = strdup(*texts[i]);
        if (!row->texts[i])
            return false;
        *texts[i] = row->texts[i];
    }
    return true;
}

bool eg_waiting_add(struct eg_waiting *waiting, const struct eg_event *event)
{
    struct eg_waiting_row *row = waiting->count < EG_WAITING_MAX ? calloc(1, sizeof *row) : NULL;
    if (!row)
        return false;
    row->event = *event;
    if (!own_texts(row)) {
        row_free(row);
        return false;
    }
    if (waiting->last)
        waiting->last->next = row;
    else
        waiting->first = row;
    waiting->last = row;
    waiting->count++;
    return true;
}

const struct eg_event *eg_waiting_oldest(const struct eg_waiting *waiting)
{
    return waiting->first ? &waiting->first->event : NULL;
}

void eg_waiting_drop(struct eg_waiting *waiting)
{
    struct eg_waiting_row *row = waiting->first;
    waiting->first = row->next;
    if (!waiting->first)
        waiting->last = NULL;
    waiting->count--;
    row_free(row);
}

void eg_waiting_clear(struct eg_waiting *waiting)
{
    while (waiting->first)
        eg_waiting_drop(waiting);
}
