/* Knows `quarantine`: the list, one payload whole, what it would become now, and reading what was put aside once more. */
#include "attempt.h"
#include "command.h"
#include "page.h"
#include "words.h"

#include <base/base64.h>
#include <ecogov/time.h>

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

/* Text that a terminal shows: bytes of a device's own are shown as base64, though they may happen to be UTF-8. */
static bool readable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 && !strchr("\t\r\n", *text))
            return false;
    return true;
}

static void put_payload(const char *text, const char *base64)
{
    struct eg_buf coded;
    eg_buf_init(&coded, (size_t)1 << 20);
    if (text && !readable(text)) {
        eg_base64_write((const uint8_t *)text, strlen(text), &coded);
        base64 = coded.data;
        text = NULL;
    }
    page_put(PLAIN, text ? text : base64 ? base64 : "");
    puts(!text && base64 ? "  (base64)" : "");
    eg_buf_finish(&coded);
}

static void show_one(const cJSON *row)
{
    char time[PAGE_TEXT];
    double bytes = number_of(row, "bytes"), stored = number_of(row, "stored_bytes");
    page_putf(BOLD, "%s", text_of(row, "topic") ? text_of(row, "topic") : "-");
    printf("  %s  %s %.0f\n", page_time_full(text_of(row, "time"), time), word("BYTES"), bytes);
    page_put(BAD, text_of(row, "verdict") ? text_of(row, "verdict") : "-");
    printf("  %s  ", text_of(row, "source") ? text_of(row, "source") : "-");
    page_put(BAD, text_of(row, "reason") ? text_of(row, "reason") : "-");
    putchar('\n');
    if (stored < bytes) {
        page_putf(DIM, word("the first %.0f bytes were kept"), stored);
        putchar('\n');
    }
    put_payload(text_of(row, "payload"), text_of(row, "payload_base64"));
}

/* The number in `id` becomes one. False with a sentence. */
static bool number_id(cJSON *params)
{
    char *end;
    const char *id = text_of(params, "id");
    if (!id)
        return true;
    double number = strtod(id, &end);
    if (end == id || *end) {
        fprintf(stderr, "ecogovctl: quarantine takes an entry's number, not \"%s\".\n", id);
        return false;
    }
    cJSON_ReplaceItemInObjectCaseSensitive(params, "id", cJSON_CreateNumber(number));
    return true;
}

static int ask(struct session *session, const char *method, const cJSON *params, struct answer *ret_answer)
{
    int code = session_send(session, method, params);
    return code == EXIT_DONE ? session_next(session, PATIENCE_MS, ret_answer) : code;
}

int run_quarantine(struct session *session, cJSON *params)
{
    struct answer answer;
    if (!number_id(params))
        return EXIT_USAGE;
    bool one = cJSON_HasObjectItem(params, "id");
    int code = ask(session, one ? "quarantine.show" : "quarantine.list", params, &answer);
    if (code != EXIT_DONE)
        return code;
    if (session->json)
        printf("%.*s\n", (int)answer.raw_length, answer.raw);
    else if (one)
        show_one(answer.result);
    else
        show_quarantine(session, answer.result);
    answer_finish(&answer);
    return EXIT_DONE;
}

/* --- what it would become now --- */

static int try_entry(const struct session *session, const char *config, const cJSON *entry)
{
    const char *text = text_of(entry, "payload"), *base64 = text_of(entry, "payload_base64"),
               *time = text_of(entry, "time");
    size_t length = text ? strlen(text) : 0;
    uint8_t *bytes = base64 ? eg_base64_read(base64, &length) : NULL;
    struct attempt attempt = {.topic = text_of(entry, "topic"),
                              .retain = cJSON_IsTrue(item_of(entry, "retain")),
                              .again = true,
                              .payload = text ? (const uint8_t *)text : bytes,
                              .length = length};
    int code = EXIT_REFUSED;
    if (number_of(entry, "stored_bytes") < number_of(entry, "bytes"))
        fprintf(stderr, "ecogovctl: only the first %.0f of its %.0f bytes were kept: it cannot be read.\n",
                number_of(entry, "stored_bytes"), number_of(entry, "bytes"));
    else if (attempt.topic && time && eg_time_parse(time, strlen(time), &attempt.arrived_ms)) {
        struct eg_conf *conf = attempt_load(config);
        code = conf ? attempt_run(conf, &attempt, session->json) : EXIT_USAGE;
        eg_conf_destroy(conf);
    }
    free(bytes);
    return code;
}

/* The daemon's own file as it stands now, which it may not have loaded yet. */
int run_quarantine_try(struct session *session, cJSON *params)
{
    struct answer entry, status;
    cJSON *config = cJSON_DetachItemFromObjectCaseSensitive(params, "config");
    int code = number_id(params) ? ask(session, "quarantine.show", params, &entry) : EXIT_USAGE;
    if (code == EXIT_DONE && config) {
        code = try_entry(session, config->valuestring, entry.result);
        answer_finish(&entry);
    } else if (code == EXIT_DONE) {
        code = ask(session, "status", NULL, &status);
        if (code == EXIT_DONE) {
            const char *path = text_of(status.result, "config");
            code = try_entry(session, path ? path : "", entry.result);
            answer_finish(&status);
        }
        answer_finish(&entry);
    }
    cJSON_Delete(config);
    return code;
}

/* --- once more --- */

static void add_outcomes(struct table *table, const cJSON *result, size_t *counts)
{
    static const char *const outcomes[] = {"stored", "partly", "kept"};
    static const enum tone tones[] = {GOOD, MILD, DIM};
    const cJSON *row;
    cJSON_ArrayForEach(row, item_of(result, "entries"))
    {
        const char *outcome = text_of(row, "outcome");
        size_t at = 0;
        while (at < 2 && outcome && strcmp(outcomes[at], outcome) != 0)
            at++;
        counts[at]++;
        table_addf(table, PLAIN, "%.0f", number_of(row, "id"));
        table_add(table, tones[at], word(outcomes[at]));
        table_addf(table, PLAIN, "%.0f", number_of(row, "stored"));
        table_addf(table, PLAIN, "%.0f", number_of(row, "duplicate"));
        table_addf(table, PLAIN, "%.0f", number_of(row, "rejected"));
        table_add(table, PLAIN, text_of(row, "reason"));
    }
}

/* Page by page: each is a transaction of its own. */
int run_quarantine_retry(struct session *session, cJSON *params)
{
    static const char *const heads[] = {"NO.",       "OUTCOME", ">STORED", ">DUPLICATE",
                                        ">REJECTED", "REASON",  NULL};
    struct table table;
    struct answer answer;
    size_t counts[3] = {0};
    if (!number_id(params))
        return EXIT_USAGE;
    int code = EXIT_DONE;
    if (!session->json)
        table_init(&table, heads);
    for (bool more = true; more;) {
        code = ask(session, "quarantine.retry", params, &answer);
        if (code != EXIT_DONE)
            break;
        const char *next = text_of(answer.result, "next");
        cJSON_DeleteItemFromObjectCaseSensitive(params, "cursor");
        more = next && cJSON_AddStringToObject(params, "cursor", next);
        if (session->json)
            printf("%.*s\n", (int)answer.raw_length, answer.raw);
        else
            add_outcomes(&table, answer.result, counts);
        answer_finish(&answer);
    }
    if (session->json)
        return code;
    if (code == EXIT_DONE || counts[0] + counts[1] + counts[2]) {
        table_print(&table, 0);
        printf(word("%zu left the quarantine, %zu in part, %zu stay.\n"), counts[0], counts[1], counts[2]);
    } else {
        table_finish(&table);
    }
    return code;
}
