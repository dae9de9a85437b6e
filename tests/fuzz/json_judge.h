/* drivers/kit/json_tree.c against what it stands for: json_scan.c says which letters, words and sizes are in order, cJSON which grammar,
 * and what the values are. For fuzz_drivers_json.c and tests/unit/drivers/test_json_tree.c. */
#ifndef EG_FUZZ_JSON_JUDGE_H
#define EG_FUZZ_JSON_JUDGE_H

#include "../../drivers/kit/json_scan.h"
#include "../../drivers/kit/json_tree.h"

#include <stdio.h>
#include <string.h>

/* A sentence on the first difference, or NULL. */
static const char *json_nodes_differ(const cJSON *a, const cJSON *b)
{
    if ((a->type & 0xFF) != (b->type & 0xFF))
        return "a node of another type";
    if ((a->string == NULL) != (b->string == NULL) ||
        (a->string != NULL && strcmp(a->string, b->string) != 0))
        return "another key";
    if (cJSON_IsString(a) && strcmp(a->valuestring, b->valuestring) != 0)
        return "another text";
    if (cJSON_IsNumber(a) &&
        (memcmp(&a->valuedouble, &b->valuedouble, sizeof a->valuedouble) != 0 || a->valueint != b->valueint))
        return "another number";
    const cJSON *x = a->child, *y = b->child;
    for (; x != NULL && y != NULL; x = x->next, y = y->next) {
        const char *differ = json_nodes_differ(x, y);
        if (differ != NULL)
            return differ;
    }
    return x == NULL && y == NULL ? NULL : "more or fewer children";
}

/* Where cJSON errs: "\u12G4" is no zero byte, and a single digit may stand behind a byte order mark. */
static bool json_escapes_cjson(const uint8_t *payload, size_t length)
{
    if (length == 4 && memcmp(payload, "\xEF\xBB\xBF", 3) == 0)
        return true;
    for (size_t i = 0; i + 1 < length; i++) {
        if (payload[i] != '\\')
            continue;
        if (payload[++i] == 'u')
            for (size_t k = 1; k <= 4; k++)
                if (i + k >= length || payload[i + k] == 0 ||
                    strchr("0123456789abcdefABCDEF", payload[i + k]) == NULL)
                    return true;
    }
    return false;
}

/* What cJSON makes of it after a good scan, the whole of it; NULL: it is none. To be deleted. */
static cJSON *json_by_cjson(const uint8_t *payload, size_t length, struct eg_sink *sink)
{
    const char *text = (const char *)payload, *end = NULL;
    eg_sink_reset(sink);
    if (eg_json_scan(payload, length, sink) != EG_DECODED)
        return NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, length, &end, false);
    while (json != NULL && (size_t)(end - text) < length && *end != '\0' && strchr(" \t\r\n", *end) != NULL)
        end++;
    if (json == NULL || (size_t)(end - text) == length)
        return json;
    cJSON_Delete(json);
    return NULL;
}

/* NULL where both say the same. */
static const char *json_judge(const uint8_t *payload, size_t length, struct eg_sink *sink)
{
    struct eg_json_tree tree;
    const char *differ = NULL;
    cJSON *json = json_by_cjson(payload, length, sink);
    eg_sink_reset(sink);
    const enum eg_verdict verdict = eg_json_tree_read(&tree, payload, length, sink);
    if (verdict != EG_DECODED && *sink->reason == '\0')
        differ = "refused without a sentence";
    else if ((verdict == EG_DECODED) != (json != NULL))
        differ = json_escapes_cjson(payload, length) ? NULL
                 : json == NULL                      ? "read, and is none"
                                                     : "refused, and is JSON";
    else if (verdict == EG_DECODED)
        differ = json_nodes_differ(tree.root, json);
    if (verdict == EG_DECODED)
        eg_json_tree_finish(&tree);
    cJSON_Delete(json);
    return differ;
}

#endif
