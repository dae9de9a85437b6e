/* Knows JSON-RPC from the client's side. Refuses to know what the answers mean. Called by main.c and the commands. */
#include "session.h"
#include "words.h"

#include <base/clock.h>
#include <base/zone.h>
#include <pipeline/phrase.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cJSON *item_of(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(item_of(object, key));
}

const char *spoken_of(const cJSON *object, const char *key, const char *key_zh)
{
    const char *text = text_of(object, key), *chinese = text_of(object, key_zh);
    return (words_chinese() || !text) && chinese ? chinese : text;
}

double number_of(const cJSON *object, const char *key)
{
    const cJSON *item = item_of(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
}

static int unreachable(const struct eg_err *err)
{
    fprintf(stderr, "ecogovctl: %s\n", err->text);
    return EXIT_UNREACHABLE;
}

/* The value of the top-level key "result", as it stands in the line: programs get numbers with every digit they had. */
static void find_raw(const char *line, size_t length, struct answer *answer)
{
    static const char key[] = "\"result\":";
    int depth = 0;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '{' || line[i] == '[')
            depth++;
        else if (line[i] == '}' || line[i] == ']')
            depth--;
        if (line[i] != '"')
            continue;
        if (depth == 1 && strncmp(line + i, key, sizeof key - 1) == 0) {
            answer->raw = line + i + sizeof key - 1;
            answer->raw_length =
                length - 1 - (size_t)(answer->raw - line); /* the object's own brace ends the line */
            return;
        }
        for (i++; i < length && line[i] != '"'; i++)
            i += line[i] == '\\';
    }
}

int session_send(struct session *session, const char *method, const cJSON *params)
{
    struct eg_err err = {0};
    cJSON *call = cJSON_CreateObject();
    cJSON_AddStringToObject(call, "jsonrpc", "2.0");
    cJSON_AddNumberToObject(call, "id", 1);
    cJSON_AddStringToObject(call, "method", method);
    if (params)
        cJSON_AddItemReferenceToObject(call, "params", (cJSON *)params);
    char *line = cJSON_PrintUnformatted(call);
    cJSON_Delete(call);
    int code = line ? wire_send(&session->wire, line, strlen(line), &err)
                    : eg_err_set(&err, EG_ENOMEM, "There is no memory for the call.");
    free(line);
    return code < 0 ? unreachable(&err) : EXIT_DONE;
}

void answer_finish(struct answer *answer)
{
    cJSON_Delete(answer->root);
}

int session_next(struct session *session, int patience_ms, struct answer *ret_answer)
{
    struct eg_err err = {0};
    const char *line;
    size_t length;
    if (wire_line(&session->wire, patience_ms, &line, &length, &err) < 0)
        return unreachable(&err);
    struct answer answer = {.root = cJSON_ParseWithLength(line, length)};
    if (!cJSON_IsObject(answer.root)) {
        cJSON_Delete(answer.root);
        fputs("ecogovctl: the answer is no JSON object; is that ecogovd's socket?\n", stderr);
        return EXIT_UNREACHABLE;
    }
    const cJSON *error = item_of(answer.root, "error");
    if (error) {
        const char *message = text_of(error, "message");
        char said[2048];
        eg_phrase_say(message ? message : "refused without a reason", words_chinese(), word, said,
                      sizeof said);
        fprintf(stderr, "ecogovctl: %s\n", said);
        cJSON_Delete(answer.root);
        return EXIT_REFUSED;
    }
    answer.method = text_of(answer.root, "method");
    answer.result = item_of(answer.root, answer.method ? "params" : "result");
    find_raw(line, length, &answer);
    *ret_answer = answer;
    return EXIT_DONE;
}

/* People read times in the village's zone, not in that of the machine they sit at. */
static int learn_zone(struct session *session)
{
    struct answer answer;
    int code = session_send(session, "status", NULL);
    if (code == EXIT_DONE)
        code = session_next(session, PATIENCE_MS, &answer);
    if (code != EXIT_DONE)
        return code;
    const char *zone = text_of(answer.result, "time_zone"), *now = text_of(answer.result, "now");
    if (!zone || !eg_zone_use(zone))
        fputs("ecogovctl: this machine does not know the daemon's time zone; times are in its own.\n",
              stderr);
    if (!now || !eg_time_parse(now, strlen(now), &session->now_ms))
        session->now_ms = eg_clock_now_ms();
    answer_finish(&answer);
    return EXIT_DONE;
}

int session_open(const char *path, bool json, struct session *ret_session)
{
    struct eg_err err = {0};
    *ret_session = (struct session){.json = json};
    if (wire_open(path, &ret_session->wire, &err) < 0)
        return unreachable(&err);
    int code = json ? EXIT_DONE : learn_zone(ret_session);
    if (code != EXIT_DONE)
        session_close(ret_session);
    return code;
}

void session_close(struct session *session)
{
    wire_close(&session->wire);
}
