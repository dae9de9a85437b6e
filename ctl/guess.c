/* Knows how JSON payloads are usually built, and finds time, device and channel in them. What a name means, guess_name.c knows. Refuses to
 * know YAML. Called by propose.c. */
#include "guess_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX ((size_t)64 << 10)

static bool listed(const char *key, const char *const *list, size_t *ret_rank)
{
    for (size_t i = 0; list[i]; i++)
        if (guess_same(key, list[i])) {
            *ret_rank = i;
            return true;
        }
    return false;
}

static const char *const time_keys[] = {"ts",
                                        "time",
                                        "timestamp",
                                        "datetime",
                                        "date_time",
                                        "time_stamp",
                                        "measured_at",
                                        "observed_at",
                                        "sent",
                                        "sent_at",
                                        "when",
                                        "at",
                                        "recorded_at",
                                        "created_at",
                                        "date",
                                        "received_at",
                                        "resulttime",
                                        "phenomenontime",
                                        "data_time_stamp",
                                        "last_seen",
                                        "updated_at",
                                        "epoch",
                                        "utc",
                                        "dt",
                                        "t",
                                        "unixtime",
                                        "collected_at",
                                        NULL};
static const char *const device_keys[] = {
    "sensor_index", "device_id", "deviceid",  "device", "dev_id",        "devid",     "dev_eui",
    "deveui",       "eui",       "serialno",  "serial", "serial_number", "sn",        "mac",
    "imei",         "node_id",   "nodeid",    "node",   "sensor_id",     "sensorid",  "station_id",
    "stationid",    "station",   "esp8266id", "chipid", "probe",         "client_id", "uuid",
    "uid",          "id",        "name",      NULL};
static const char *const channel_keys[] = {"channel", "ch",       "depth", "probe",  "port", "slot",
                                           "layer",   "position", "index", "sensor", "id",   NULL};
/* A name that a device may have: what the sink takes, and no sentence. */
static bool is_name(const cJSON *item)
{
    if (cJSON_IsNumber(item))
        return item->valuedouble == floor(item->valuedouble) && fabs(item->valuedouble) < 1e15;
    return cJSON_IsString(item) && *item->valuestring && strlen(item->valuestring) <= EG_DEVICE_MAX &&
           !strchr(item->valuestring, ' ');
}

/* The leaf whose key stands earliest in the list, and nearest to the top; elements' own before the document's (they come first). */
static struct guess_leaf *best(struct guess *guess, size_t from, size_t to, const char *const *list,
                               bool (*fits)(struct guess *guess, const struct guess_leaf *leaf))
{
    struct guess_leaf *found = NULL;
    size_t found_rank = 0, rank = 0;
    for (size_t i = from; i < to; i++) {
        struct guess_leaf *leaf = &guess->leaves[i];
        if (leaf->used || !leaf->depth || !listed(leaf->keys[0], list, &rank) || !fits(guess, leaf))
            continue;
        rank += 100 * leaf->depth;
        if (found && rank >= found_rank)
            continue;
        found = leaf;
        found_rank = rank;
    }
    return found;
}

static bool fits_time(struct guess *guess, const struct guess_leaf *leaf)
{
    bool zoneless, nanoseconds;
    (void)guess;
    return guess_is_time(leaf->item, &zoneless, &nanoseconds);
}

static bool fits_device(struct guess *guess, const struct guess_leaf *leaf)
{
    bool zoneless, nanoseconds;
    (void)guess;
    return is_name(leaf->item) && !guess_is_time(leaf->item, &zoneless, &nanoseconds);
}

static bool fits_named_device(struct guess *guess, const struct guess_leaf *leaf)
{
    return cJSON_IsString(leaf->item) && fits_device(guess, leaf);
}

/* Also the value of a key that counts or names: short. */
static bool fits_channel(struct guess *guess, const struct guess_leaf *leaf)
{
    return fits_device(guess, leaf) && leaf != guess->device &&
           (cJSON_IsNumber(leaf->item) || strlen(leaf->item->valuestring) <= EG_CHANNEL_MAX);
}

/* --- the shapes --- */

/* Elements all of whose members are fields once, however many elements there are. */
static void take_fields_of_elements(struct guess *guess, const cJSON *array)
{
    size_t from = guess->leaf_count;
    for (const cJSON *element = array->child; element; element = element->next) {
        size_t first = guess->leaf_count;
        guess_gather(guess, element, NULL);
        size_t kept = first;
        for (size_t i = first; i < guess->leaf_count; i++) { /* what an earlier element has shown */
            bool seen = false;
            for (size_t k = from; k < first && !seen; k++)
                seen = strcmp(guess->leaves[k].pointer, guess->leaves[i].pointer) == 0 &&
                       (guess->leaves[k].item->type & 0xFF) != cJSON_NULL;
            if (!seen)
                guess->leaves[kept++] = guess->leaves[i];
        }
        guess->leaf_count = kept;
    }
}

static void take_pairs(struct guess *guess, const cJSON *array, const char *key_pointer,
                       const char *value_pointer)
{
    for (const cJSON *element = array->child; element; element = element->next) {
        size_t first = guess->leaf_count;
        const char *key = NULL;
        guess_gather(guess, element, NULL);
        for (size_t i = first; i < guess->leaf_count; i++)
            if (strcmp(guess->leaves[i].pointer, key_pointer) == 0 && cJSON_IsString(guess->leaves[i].item))
                key = guess->leaves[i].item->valuestring;
        for (size_t i = first; i < guess->leaf_count && key; i++) {
            struct guess_leaf *leaf = &guess->leaves[i];
            bool is_pair = strcmp(leaf->pointer, value_pointer) == 0, known = false;
            for (size_t k = 0; k < guess->field_count; k++)
                known = known || strcmp(guess->fields[k].path, key) == 0;
            if (is_pair && !known && !guess_take_field(guess, leaf, key) && !leaf->used)
                guess_note(&guess->notes, "\"%s\": not understood", key);
            leaf->used = leaf->used || is_pair || strcmp(leaf->pointer, key_pointer) == 0;
        }
    }
}

/* The first row's values, under the names of their columns. */
static void take_columns(struct guess *guess, const cJSON *rows, const cJSON *head)
{
    size_t column = 0;
    guess_gather(guess, rows->child, NULL);
    for (const cJSON *name = head->child; name; name = name->next, column++)
        for (size_t i = 0; i < guess->leaf_count; i++) {
            struct guess_leaf *leaf = &guess->leaves[i];
            if (leaf->depth != 1 || strtoul(leaf->pointer + 1, NULL, 10) != column)
                continue;
            leaf->keys[0] = name->valuestring; /* time and device may be columns */
            if (!guess_take_field(guess, leaf, name->valuestring) && !leaf->used)
                continue;
            leaf->used = true;
        }
}

/* --- the whole --- */

static void mark_used(struct guess *guess, const struct guess_leaf *leaf)
{
    if (leaf)
        guess->leaves[leaf - guess->leaves].used = true;
}

static void find_head(struct guess *guess, size_t elements)
{
    size_t own = guess->shape == GUESS_FLAT ? guess->leaf_count : elements;
    guess->time = best(guess, 0, own, time_keys, fits_time);
    if (!guess->time)
        guess->time = best(guess, own, guess->leaf_count, time_keys, fits_time);
    if (guess->time) {
        (void)guess_is_time(guess->time->item, &guess->zoneless, &guess->nanoseconds);
        mark_used(guess, guess->time);
    }
    if (guess->shape == GUESS_TABLE)
        guess->device = best(guess, 0, own, device_keys, fits_device);
    if (guess->shape == GUESS_ELEMENTS) /* several devices in one message, perhaps */
        guess->device = best(guess, 0, own, device_keys, fits_named_device);
    if (!guess->device)
        guess->device =
            best(guess, own == guess->leaf_count ? 0 : own, guess->leaf_count, device_keys, fits_device);
    mark_used(guess, guess->device);
    if (guess->shape == GUESS_ELEMENTS)
        guess->channel = best(guess, 0, own, channel_keys, fits_channel);
    mark_used(guess, guess->channel);
}

static void note_rest(struct guess *guess)
{
    for (size_t i = 0; i < guess->leaf_count; i++) {
        const struct guess_leaf *leaf = &guess->leaves[i];
        char *text = leaf->used ? NULL : cJSON_PrintUnformatted(leaf->item);
        if (text)
            guess_note(&guess->notes, "%s: %.80s%s", leaf->pointer, text,
                       cJSON_IsNumber(leaf->item) ? "  not understood" : "");
        cJSON_free(text);
    }
}

bool guess_read(const cJSON *json, struct guess *ret)
{
    struct guess_found found = {0};
    char pointer[GUESS_POINTER] = "";
    *ret = (struct guess){.shape = GUESS_FLAT, .top_list = cJSON_IsArray(json)};
    eg_buf_init(&ret->notes, NOTES_MAX);
    ret->leaves = calloc(GUESS_LEAVES, sizeof *ret->leaves);
    if (!ret->leaves)
        return false;
    guess_find_array(json, pointer, 0, &found);
    const char *keys[GUESS_PARTS];
    size_t all = guess_count(json, keys, 0);
    size_t inside = found.shape == GUESS_ELEMENTS ? found.score : 0;
    if (found.score && found.score >= all - inside) { /* else more stands beside the array than in it */
        ret->shape = found.shape;
        memcpy(ret->readings, found.pointer, sizeof ret->readings);
        memcpy(ret->key, found.key, sizeof ret->key);
        memcpy(ret->value, found.value, sizeof ret->value);
        if (found.shape == GUESS_TABLE)
            take_columns(ret, found.array, found.head);
        else if (found.shape == GUESS_KEYED)
            take_pairs(ret, found.array, found.key, found.value);
        else
            take_fields_of_elements(ret, found.array);
    }
    size_t elements = ret->leaf_count;
    guess_gather(ret, json, ret->shape == GUESS_FLAT ? NULL : found.array);
    for (size_t i = elements; i < ret->leaf_count && found.head && ret->shape == GUESS_TABLE; i++)
        ret->leaves[i].used = ret->leaves[i].above[0] == found.head;
    find_head(ret, elements);
    size_t to = ret->shape == GUESS_FLAT ? ret->leaf_count : elements;
    for (size_t i = 0; i < to && ret->shape < GUESS_KEYED; i++)
        if (!ret->leaves[i].used)
            (void)guess_take_field(ret, &ret->leaves[i], NULL);
    guess_settle(ret);
    note_rest(ret);
    return true;
}

void guess_finish(struct guess *guess)
{
    free(guess->leaves);
    eg_buf_finish(&guess->notes);
}
