/* Knows `export`: rows as they come, to CSV (RFC 4180) or NDJSON, in bounded memory. */
#include "command.h"

#include <base/json.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TIME, SITE, DEVICE, QUANTITY, CHANNEL, VALUE, UNIT, FLAGS, COLUMNS };
static const char *const names[COLUMNS] = {"time",    "site",  "device", "quantity",
                                           "channel", "value", "unit",   "flags"};

void export_text(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_row(const cJSON *row)
{
    int column = 0;
    const cJSON *cell, *flag;
    char number[EG_NUMBER_TEXT];
    cJSON_ArrayForEach(cell, row)
    {
        if (column++)
            putchar(',');
        if (cJSON_IsString(cell))
            export_text(cell->valuestring);
        else if (cJSON_IsNumber(cell))
            fputs(eg_number_format(cell->valuedouble, number), stdout);
        int flags = 0;
        cJSON_ArrayForEach(flag, cell)
            printf("%s%s", flags++ ? "|" : "", cJSON_IsString(flag) ? flag->valuestring : "?");
    }
    putchar('\n');
}

static void ndjson_row(const cJSON *row, struct eg_buf *out)
{
    struct eg_json json;
    int column = 0;
    const cJSON *cell, *flag;
    eg_buf_clear(out);
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    cJSON_ArrayForEach(cell, row)
    {
        if (column >= COLUMNS)
            break;
        eg_json_key(&json, names[column++]);
        if (cJSON_IsString(cell)) {
            eg_json_string(&json, cell->valuestring);
        } else if (cJSON_IsArray(cell)) {
            eg_json_open(&json, '[');
            cJSON_ArrayForEach(flag, cell) eg_json_string(&json, cJSON_GetStringValue(flag));
            eg_json_close(&json, ']');
        } else {
            eg_json_number(&json, cJSON_IsNumber(cell) ? cell->valuedouble : (double)NAN);
        }
    }
    eg_json_close(&json, '}');
    puts(out->data);
}

static bool pick_format(cJSON *params, bool json, bool *ret_csv)
{
    const char *format = text_of(params, "format");
    *ret_csv = format ? strcmp(format, "csv") == 0 : !json;
    if (format && !*ret_csv && strcmp(format, "ndjson") != 0) {
        fprintf(stderr, "ecogovctl: --format is csv or ndjson, not \"%s\".\n", format);
        return false;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(params, "format"); /* rows are all the daemon knows */
    return true;
}

int run_export(struct session *session, cJSON *params)
{
    struct answer answer;
    struct eg_buf line;
    bool csv, whole = false;
    const cJSON *row;
    if (!pick_format(params, session->json, &csv))
        return EXIT_USAGE;
    if (item_of(params, "indices")) {
        cJSON_DeleteItemFromObjectCaseSensitive(params, "indices");
        return run_export_indices(session, params, csv);
    }
    eg_buf_init(&line, 64 * 1024);
    if (csv)
        for (int i = 0; i < COLUMNS; i++)
            printf("%s%c", names[i], i + 1 < COLUMNS ? ',' : '\n');
    int code = session_send(session, "export", params);
    while (code == EXIT_DONE && !whole && (code = session_next(session, PATIENCE_MS, &answer)) == EXIT_DONE) {
        whole = answer.method == NULL;
        const cJSON *rows = whole ? NULL : item_of(answer.result, "rows");
        cJSON_ArrayForEach(row, rows)
        {
            if (csv)
                csv_row(row);
            else
                ndjson_row(row, &line);
        }
        answer_finish(&answer);
    }
    eg_buf_finish(&line);
    if (!whole)
        fputs("ecogovctl: the export is not whole.\n", stderr);
    return code;
}
