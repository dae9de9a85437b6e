/* Knows `export --indices`: an index of a place hour by hour or day by day, to CSV or NDJSON, a page at a time. Called by run_export.c. */
#include "command.h"
#include "land_words.h"

#include <index/air.h>

#include <math.h>
#include <stdio.h>

static const char *const names[] = {"time",  "site",      "index",    "resolution", "edition",
                                    "value", "published", "category", "primary",    "missing"};
#define NAMES (sizeof names / sizeof *names)

static const char *const land_names[] = {"time",  "site",     "index",   "resolution", "value",
                                         "level", "category", "primary", "device",     "made_of"};
#define LAND_NAMES (sizeof land_names / sizeof *land_names)

/* Which columns there are hangs on the index, and that is known once the first answer is there. */
static void head(bool land)
{
    for (size_t i = 0; land && i < LAND_NAMES; i++)
        printf("%s%c", land_names[i], i + 1 < LAND_NAMES ? ',' : '\n');
    if (land)
        return;
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

/* Of soil and waste: devices are named by who made them. */
static void land_row(const cJSON *result, const cJSON *point)
{
    char made_of[LAND_WORDS];
    const char *site = text_of(result, "site"), *category = text_of(point, "category"),
               *device = text_of(point, "device");
    printf("%s,%s,%s,%s,%.6g,", text_of(point, "time"), site ? site : "", text_of(result, "index"),
           text_of(result, "resolution"), number_of(point, "value"));
    number(point, "level");
    printf(",%s,", category ? category : "");
    joined(item_of(point, "primary"));
    putchar(',');
    export_text(device ? device : "");
    putchar(',');
    export_text(land_made_of(point, "|", made_of, sizeof made_of));
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
    bool more = true, headed = !csv;
    int code = EXIT_DONE;
    cJSON_AddNumberToObject(params, "limit", 5000);
    while (more && code == EXIT_DONE) {
        struct answer answer;
        code = session_send(session, "indices.history", params);
        if (code != EXIT_DONE || (code = session_next(session, PATIENCE_MS, &answer)) != EXIT_DONE)
            break;
        const bool land = land_is(answer.result);
        if (!headed)
            head(land);
        headed = true;
        cJSON_ArrayForEach(point, item_of(answer.result, "points"))
        {
            if (csv && land)
                land_row(answer.result, point);
            else if (csv)
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
