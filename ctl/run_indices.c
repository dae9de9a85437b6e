/* Knows `export --indices`: the index of a place hour by hour or day by day, to CSV or NDJSON, a page at a time. Called by run_export.c. */
#include "command.h"

#include <index/air.h>

#include <math.h>
#include <stdio.h>

static const char *const names[] = {"time",  "site",      "index",    "resolution", "edition",
                                    "value", "published", "category", "primary",    "missing"};
#define NAMES (sizeof names / sizeof *names)

static void head(void)
{
    for (size_t i = 0; i < NAMES; i++)
        printf("%s,", names[i]);
    for (int p = 0; p < EG_POLLUTANTS; p++)
        printf("%s%c", eg_pollutant_names[p], p + 1 < EG_POLLUTANTS ? ',' : '\n');
}

static void joined(const cJSON *list)
{
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, list) printf("%s%s", count++ ? "|" : "", cJSON_GetStringValue(one));
}

static void number(const cJSON *of, const char *key)
{
    double value = number_of(of, key);
    if (isfinite(value))
        printf("%.0f", value);
}

/* None of its texts holds a comma or a quotation mark: they are the standards', and a site is a slug. */
static void csv_row(const cJSON *result, const cJSON *point)
{
    const char *site = text_of(result, "site"), *edition = text_of(point, "edition"),
               *category = text_of(point, "category");
    printf("%s,%s,%s,%s,%s,", text_of(point, "time"), site ? site : "", text_of(result, "index"),
           text_of(result, "resolution"), edition ? edition : "");
    number(point, "value");
    putchar(',');
    number(point, "aqi");
    printf(",%s,", category ? category : "");
    joined(item_of(point, "primary"));
    putchar(',');
    joined(item_of(point, "missing"));
    for (int p = 0; p < EG_POLLUTANTS; p++) {
        putchar(',');
        number(item_of(point, "sub"), eg_pollutant_names[p]);
    }
    putchar('\n');
}

static void ndjson_row(const cJSON *result, const cJSON *point)
{
    cJSON *row = cJSON_Duplicate(point, true);
    char *text = NULL;
    if (row && cJSON_AddItemToObject(row, "site", cJSON_Duplicate(item_of(result, "site"), true)) &&
        cJSON_AddItemToObject(row, "index", cJSON_Duplicate(item_of(result, "index"), true)) &&
        cJSON_AddItemToObject(row, "resolution", cJSON_Duplicate(item_of(result, "resolution"), true)))
        text = cJSON_PrintUnformatted(row);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(row);
}

int run_export_indices(struct session *session, cJSON *params, bool csv)
{
    const cJSON *point;
    bool more = true;
    int code = EXIT_DONE;
    cJSON_AddNumberToObject(params, "limit", 5000);
    if (csv)
        head();
    while (more && code == EXIT_DONE) {
        struct answer answer;
        code = session_send(session, "indices.history", params);
        if (code != EXIT_DONE || (code = session_next(session, PATIENCE_MS, &answer)) != EXIT_DONE)
            break;
        cJSON_ArrayForEach(point, item_of(answer.result, "points"))
        {
            if (csv)
                csv_row(answer.result, point);
            else
                ndjson_row(answer.result, point);
        }
        const char *next = text_of(answer.result, "next");
        more = next != NULL;
        if (next) {
            cJSON_DeleteItemFromObjectCaseSensitive(params, "cursor");
            cJSON_AddStringToObject(params, "cursor", next);
        }
        answer_finish(&answer);
    }
    return code;
}
