/* Knows `import`: the CSV of `export` back, in calls of a bounded size, each answered when it is on disk; memory does not grow with the
 * file. What is in already is recognised, so a broken import is simply begun again. */
#include "command.h"

#include <base/json.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define CALL_ROWS 500
#define CALL_BYTES 40000 /* with the longest row behind it still below 64 KiB */

enum { TIME, SITE, DEVICE, QUANTITY, CHANNEL, VALUE, UNIT, FLAGS, COLUMNS };

struct import {
    struct session *session;
    FILE *file;
    const char *domain;
    struct eg_buf rows;
    struct eg_json json;
    int64_t line, first, count; /* of the file; of the call's first row; rows in the call */
    double imported, duplicate;
};

static int wrong(const struct import *import, const char *sentence)
{
    fprintf(stderr, "ecogovctl: row %lld: %s.\n", (long long)import->line, sentence);
    return EXIT_REFUSED;
}

/* Cuts a line of CSV (RFC 4180, a row a line) into cells in place; how many there are, or -1. */
static int cut(char *line, char *cells[COLUMNS])
{
    int count = 0;
    for (char *at = line;; at++) {
        char *to = at;
        if (count == COLUMNS)
            return -1;
        cells[count++] = to;
        if (*at == '"') {
            for (at++; *at && (*at != '"' || at[1] == '"'); at++) {
                at += *at == '"';
                *to++ = *at;
            }
            if (*at++ != '"')
                return -1;
        } else {
            while (*at && *at != ',')
                at++;
            to = at;
        }
        char end = *at;
        *to = '\0';
        if (!end)
            return count;
        if (end != ',')
            return -1;
    }
}

static int send_rows(struct import *import)
{
    struct answer answer;
    if (!import->count)
        return EXIT_DONE;
    eg_json_close(&import->json, ']');
    cJSON *params = cJSON_CreateObject();
    cJSON_AddItemToObject(params, "rows",
                          cJSON_CreateRaw(import->rows.data)); /* cJSON would round the numbers */
    cJSON_AddNumberToObject(params, "first", (double)import->first);
    if (import->domain)
        cJSON_AddStringToObject(params, "domain", import->domain);
    int code = session_send(import->session, "readings.import", params);
    cJSON_Delete(params);
    if (code == EXIT_DONE)
        code = session_next(import->session, PATIENCE_MS, &answer);
    if (code == EXIT_DONE) {
        import->imported += number_of(answer.result, "imported");
        import->duplicate += number_of(answer.result, "duplicate");
        answer_finish(&answer);
    }
    eg_buf_clear(&import->rows);
    import->count = 0;
    return code;
}

static void put_flags(struct eg_json *json, const char *words)
{
    eg_json_open(json, '[');
    while (*words) {
        size_t length = strcspn(words, "|");
        eg_json_string_n(json, words, length);
        words += length + (words[length] == '|');
    }
    eg_json_close(json, ']');
}

static int add_row(struct import *import, char *line)
{
    char *cells[COLUMNS], *end;
    if (cut(line, cells) != COLUMNS)
        return wrong(import, "it does not have the eight columns of the header");
    double value = strtod(cells[VALUE], &end);
    if (*end || !*cells[VALUE] || strspn(cells[VALUE], "0123456789+-.eE") != strlen(cells[VALUE]))
        return wrong(import, "its value is no number");
    if (!import->count) {
        import->first = import->line;
        eg_json_init(&import->json, &import->rows);
        eg_json_open(&import->json, '[');
    }
    eg_json_open(&import->json, '[');
    for (int i = 0; i < VALUE; i++)
        eg_json_string(&import->json, cells[i]);
    eg_json_number(&import->json, value);
    eg_json_string(&import->json, cells[UNIT]);
    put_flags(&import->json, cells[FLAGS]);
    eg_json_close(&import->json, ']');
    import->count++;
    return import->count == CALL_ROWS || import->rows.length > CALL_BYTES ? send_rows(import) : EXIT_DONE;
}

static int each_line(struct import *import)
{
    static const char header[] = "time,site,device,quantity,channel,value,unit,flags";
    char line[LINE_MAX_BYTES];
    int code = EXIT_DONE;
    while (code == EXIT_DONE && fgets(line, sizeof line, import->file)) {
        size_t length = strlen(line);
        if (length == sizeof line - 1 && line[length - 1] != '\n')
            return wrong(import, "the row behind it is longer than 4095 bytes");
        line[strcspn(line, "\r\n")] = '\0';
        if (import->line++ == 0) {
            if (strcmp(line, header) != 0) {
                fprintf(stderr, "ecogovctl: the first line must be %s\n", header);
                return EXIT_REFUSED;
            }
        } else if (*line) {
            code = add_row(import, line);
        }
    }
    if (code == EXIT_DONE && ferror(import->file)) {
        fprintf(stderr, "ecogovctl: the file cannot be read: %s\n", strerror(errno));
        code = EXIT_REFUSED;
    }
    return code == EXIT_DONE ? send_rows(import) : code;
}

int run_import(struct session *session, cJSON *params)
{
    const char *path = text_of(params, "file");
    bool from_stdin = path && strcmp(path, "-") == 0;
    struct import import = {.session = session, .domain = text_of(params, "domain")};
    import.file = from_stdin ? stdin : fopen(path ? path : "", "re");
    if (!import.file) {
        fprintf(stderr, "ecogovctl: %s cannot be read: %s\n", path ? path : "the file", strerror(errno));
        return EXIT_USAGE;
    }
    eg_buf_init(&import.rows, (size_t)1 << 20);
    int code = each_line(&import);
    printf(session->json ? "{\"imported\":%.0f,\"duplicate\":%.0f}\n"
                         : "%.0f readings imported, %.0f were there already\n",
           import.imported, import.duplicate);
    eg_buf_finish(&import.rows);
    if (!from_stdin)
        fclose(import.file);
    return code;
}
