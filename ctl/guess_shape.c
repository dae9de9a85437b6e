/* Knows how arrays in payloads are built: elements of one kind, names beside values, rows below a head of columns. Called by guess.c. */
#include "guess_inside.h"

#include <stdio.h>
#include <string.h>

static const char *const pair_keys[] = {
    "value_type", "quantity", "parameter", "param",  "measurement", "metric", "variable", "type",  "key",
    "k",          "n",        "name",      "sensor", "field",       "code",   "item",     "label", NULL};
static const char *const pair_values[] = {"value", "val", "v", "data", "reading", "result", NULL};

static const cJSON *member(const cJSON *object, const char *const *names, bool (*fits)(const cJSON *item))
{
    for (; *names; names++)
        for (const cJSON *item = cJSON_IsObject(object) ? object->child : NULL; item; item = item->next)
            if (guess_same(item->string, *names) && fits(item))
                return item;
    return NULL;
}

static bool is_text(const cJSON *item)
{
    return cJSON_IsString(item) && *item->valuestring;
}

static bool is_value(const cJSON *item)
{
    return cJSON_IsNumber(item) || cJSON_IsString(item) || cJSON_IsNull(item);
}

/* How many elements name a quantity in one member and hold its value in another. */
static size_t keyed(const cJSON *array, const cJSON **ret_key, const cJSON **ret_value)
{
    struct guess_name name;
    size_t count = 0;
    for (const cJSON *element = array->child; element; element = element->next) {
        const cJSON *key = member(element, pair_keys, is_text),
                    *value = member(element, pair_values, is_value);
        if (!key || !value || key == value)
            return 0;
        guess_name((const char *const[]){key->valuestring}, 1, NULL, &name);
        count += name.quantity != EG_QUANTITY_NONE;
        *ret_key = *ret_key ? *ret_key : key;
        *ret_value = *ret_value ? *ret_value : value;
    }
    return count;
}

/* A head of columns beside rows of as many values: how many columns are named after quantities. */
static size_t columns_of(const cJSON *rows, const cJSON *head)
{
    struct guess_name name;
    size_t count = 0;
    int columns = cJSON_IsArray(head) && cJSON_IsArray(rows) && head != rows ? cJSON_GetArraySize(head) : 0;
    for (const cJSON *row = columns ? rows->child : NULL; row; row = row->next)
        if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != columns)
            return 0;
    for (const cJSON *column = columns && rows->child ? head->child : NULL; column; column = column->next) {
        if (!cJSON_IsString(column))
            return 0;
        guess_name((const char *const[]){column->valuestring}, 1, NULL, &name);
        count += name.quantity != EG_QUANTITY_NONE;
    }
    return count;
}

size_t guess_count(const cJSON *element, const char **keys, size_t depth)
{
    struct guess_name name;
    size_t count = 0;
    if (!cJSON_IsObject(element) && !cJSON_IsArray(element)) {
        double number;
        const char *unit;
        if (!depth || !guess_number(element, &number, &unit))
            return 0;
        const char *near[GUESS_PARTS];
        for (size_t i = 0; i < depth; i++)
            near[i] = keys[depth - 1 - i];
        guess_name(near, depth, NULL, &name);
        return name.quantity != EG_QUANTITY_NONE;
    }
    for (const cJSON *child = element->child; child && depth < GUESS_PARTS; child = child->next) {
        keys[depth] = cJSON_IsObject(element) ? child->string : NULL;
        count += guess_count(child, keys, depth + 1);
    }
    return count;
}

static void look_at_array(const cJSON *array, const char *pointer, bool top, struct guess_found *best_found)
{
    const cJSON *key = NULL, *value = NULL;
    const char *keys[GUESS_PARTS];
    struct guess_found found = {.array = array, .shape = GUESS_KEYED, .score = keyed(array, &key, &value)};
    if (!found.score) {
        found.shape = GUESS_ELEMENTS;
        size_t elements = 0;
        for (const cJSON *element = array->child; element; element = element->next, elements++) {
            if (!cJSON_IsObject(element))
                return;
            found.score += guess_count(element, keys, 0);
        }
        if (!found.score || (elements < 2 && !top))
            return;
    }
    if (found.score <= best_found->score)
        return;
    snprintf(found.pointer, sizeof found.pointer, "%s", pointer);
    if (key && found.shape == GUESS_KEYED &&
        (!guess_append(found.key, key->string) || !guess_append(found.value, value->string)))
        return;
    *best_found = found;
}

static void look_for_table(const cJSON *object, const char *pointer, struct guess_found *best_found)
{
    for (const cJSON *rows = object->child; rows; rows = rows->next)
        for (const cJSON *head = object->child; head; head = head->next) {
            struct guess_found found = {
                .array = rows, .head = head, .shape = GUESS_TABLE, .score = columns_of(rows, head)};
            snprintf(found.pointer, sizeof found.pointer, "%s", pointer);
            snprintf(found.key, sizeof found.key, "%s", pointer);
            if (found.score > best_found->score && guess_append(found.pointer, rows->string) &&
                guess_append(found.key, head->string))
                *best_found = found;
        }
}

void guess_find_array(const cJSON *item, char pointer[GUESS_POINTER], size_t depth,
                      struct guess_found *best_found)
{
    size_t length = strlen(pointer), index = 0;
    char digits[24];
    if (cJSON_IsArray(item) && item->child)
        look_at_array(item, pointer, depth == 0, best_found);
    if (cJSON_IsObject(item))
        look_for_table(item, pointer, best_found);
    for (const cJSON *child = item->child; child && depth < GUESS_PARTS; child = child->next, index++) {
        snprintf(digits, sizeof digits, "%zu", index);
        if (guess_append(pointer, cJSON_IsObject(item) ? child->string : digits))
            guess_find_array(child, pointer, depth + 1, best_found);
        pointer[length] = '\0';
    }
}
