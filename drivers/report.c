/* report: what a person saw, from a phone or a hand instrument, as one JSON object.
 *
 *   {"text":"straw is burning behind the school","reporter":"chen","ts":"2026-11-23T07:00:00Z",
 *    "position":{"latitude":30.04,"longitude":119.42},"photo":"<SHA-256 of the picture, 64 hex digits>"}
 *   {"quantity":"ph","value":5.1,"reporter":"county laboratory","ts":…}       {"case":"…-7","repair":"disputed","text":"it smokes again"}
 *
 * The topic says site and domain; a text, a photo, a measured value (with `unit`, if it is not the canonical one) or a `repair`
 * (confirmed, disputed) must be there. What the words mean for cases is not this driver's business. */
#include <ecogov/driver.h>
#include <ecogov/time.h>

#include "kit/decimal.h"
#include "kit/excerpt.h"
#include "kit/json_tree.h"

#include <math.h>
#include <string.h>

#define REPORT_BYTES_MAX 16384
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

/* NULL when it is not there, or null. */
static const cJSON *member(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

/* A key that is heeded and stands in its object twice; NULL: none does. */
static const char *given_twice(const cJSON *object)
{
    static const char *const keys[] = {"text",     "reporter", "photo", "case",   "ts",       "position",
                                       "quantity", "value",    "unit",  "repair", "latitude", "longitude"};
    unsigned seen = 0;
    for (const cJSON *item = object->child; item != NULL; item = item->next)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            if (strcmp(keys[i], item->string) != 0)
                continue;
            if (seen >> i & 1)
                return item->string;
            seen |= 1U << i;
        }
    return NULL;
}

/* A text member into its place; false: no text, or too long. */
static bool take_text(const cJSON *root, const char *key, char *out, size_t size)
{
    const cJSON *item = member(root, key);
    if (item == NULL)
        return true;
    if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
        return false;
    memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
    return true;
}

static bool is_hash(const char *text)
{
    return *text == '\0' || (strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64);
}

static bool take_time(const cJSON *root, int64_t *ret)
{
    const cJSON *item = member(root, "ts");
    if (item == NULL)
        return true;
    return cJSON_IsString(item) ? eg_time_parse(item->valuestring, strlen(item->valuestring), ret)
                                : cJSON_IsNumber(item) && eg_time_from_epoch(item->valuedouble, ret);
}

static bool take_position(const cJSON *root, struct eg_sink_report *report)
{
    const cJSON *position = member(root, "position");
    const cJSON *latitude = member(position, "latitude"), *longitude = member(position, "longitude");
    report->latitude = report->longitude = (double)NAN;
    if (position == NULL)
        return true;
    if (!cJSON_IsNumber(latitude) || !cJSON_IsNumber(longitude) || !(fabs(latitude->valuedouble) <= 90) ||
        !(fabs(longitude->valuedouble) <= 180))
        return false;
    report->latitude = latitude->valuedouble;
    report->longitude = longitude->valuedouble;
    return true;
}

/* A number, or a text that is one. */
static bool read_number(const cJSON *item, double *ret_number)
{
    if (cJSON_IsString(item))
        return eg_decimal_parse(item->valuestring, strlen(item->valuestring), ret_number);
    if (!cJSON_IsNumber(item))
        return false;
    *ret_number = item->valuedouble;
    return true;
}

static enum eg_verdict take_value(const cJSON *root, struct eg_sink *sink)
{
    char name[64] = "", unit[32] = "";
    struct eg_unit_map map;
    double number;
    const cJSON *value = member(root, "value");
    if (!take_text(root, "quantity", name, sizeof name) || !take_text(root, "unit", unit, sizeof unit))
        return REFUSE(sink, EG_MALFORMED, "quantity and unit are short texts");
    if (*name == '\0' && value == NULL)
        return EG_DECODED;
    const int quantity = eg_quantity_find(name, strlen(name));
    if (quantity == EG_QUANTITY_NONE || eg_quantity_derived(quantity) || !read_number(value, &number))
        return REFUSE(sink, EG_IMPLAUSIBLE, "a measurement has a known quantity and a number as value");
    if (!eg_unit_find(quantity, unit, &map))
        return REFUSE(sink, EG_IMPLAUSIBLE, "%s does not come in '%.31s'", eg_quantity_info(quantity)->name,
                      unit);
    return eg_sink_add(sink, (uint16_t)quantity, NULL, sink->report.time_ms, eg_unit_apply(&map, number))
               ? EG_DECODED
               : EG_IMPLAUSIBLE;
}

static enum eg_verdict take_repair(const cJSON *root, struct eg_sink *sink)
{
    char word[16] = "";
    if (!take_text(root, "repair", word, sizeof word))
        return REFUSE(sink, EG_MALFORMED, "repair is confirmed or disputed");
    if (*word != '\0' && strcmp(word, "confirmed") != 0 && strcmp(word, "disputed") != 0)
        return REFUSE(sink, EG_IMPLAUSIBLE, "repair is '%.15s': confirmed or disputed is expected", word);
    sink->report.repair = *word == '\0'  ? EG_REPAIR_NONE
                          : *word == 'c' ? EG_REPAIR_CONFIRMED
                                         : EG_REPAIR_DISPUTED;
    return EG_DECODED;
}

static enum eg_verdict read_report(const cJSON *root, struct eg_sink *sink)
{
    struct eg_sink_report *report = &sink->report;
    memset(report, 0, sizeof *report);
    report->time_ms = EG_TIME_NONE;
    char shown[EG_EXCERPT_MAX];
    if (!cJSON_IsObject(root))
        return REFUSE(sink, EG_MALFORMED, "a report is one JSON object");
    const cJSON *position = member(root, "position");
    const char *twice = given_twice(root);
    if (twice == NULL && cJSON_IsObject(position))
        twice = given_twice(position);
    if (twice != NULL)
        return REFUSE(sink, EG_MALFORMED, "the key \"%s\" is given twice",
                      eg_excerpt_write(twice, strlen(twice), shown));
    if (!take_text(root, "text", report->text, sizeof report->text) ||
        !take_text(root, "reporter", report->reporter, sizeof report->reporter) ||
        !take_text(root, "photo", report->photo, sizeof report->photo) ||
        !take_text(root, "case", report->case_id, sizeof report->case_id))
        return REFUSE(sink, EG_MALFORMED,
                      "text, reporter, photo and case are texts of at most %d, 63, 64 and 95 bytes",
                      EG_REPORT_TEXT - 1);
    if (!is_hash(report->photo))
        return REFUSE(sink, EG_IMPLAUSIBLE, "photo is the SHA-256 of the picture, 64 hex digits");
    if (!take_time(root, &report->time_ms))
        return REFUSE(sink, EG_MALFORMED, "ts is no RFC 3339 time and no epoch");
    if (!take_position(root, report))
        return REFUSE(sink, EG_IMPLAUSIBLE, "position is {\"latitude\":…,\"longitude\":…} in degrees");
    enum eg_verdict verdict = take_repair(root, sink);
    if (verdict == EG_DECODED)
        verdict = take_value(root, sink);
    if (verdict == EG_DECODED && *report->text == '\0' && *report->photo == '\0' && sink->count == 0 &&
        report->repair == EG_REPAIR_NONE)
        return REFUSE(sink, EG_IMPLAUSIBLE, "the report says nothing: a text, a photo, a value or a repair");
    sink->has_report = verdict == EG_DECODED;
    return verdict;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    struct eg_json_tree tree;
    (void)prepared;
    eg_sink_reset(sink);
    if (message->payload_len == 0 || message->payload_len > REPORT_BYTES_MAX)
        return REFUSE(sink, EG_MALFORMED, "a report is a JSON object of at most %d bytes", REPORT_BYTES_MAX);
    if (eg_json_tree_read(&tree, message->payload, message->payload_len, sink) != EG_DECODED)
        return EG_MALFORMED;
    const enum eg_verdict verdict = read_report(tree.root, sink);
    eg_json_tree_finish(&tree);
    return verdict;
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    (void)mapping;
    (void)error;
    (void)error_size;
    (void)ret_field;
    *ret_prepared = NULL;
    return 0;
}

static void release(void *prepared)
{
    (void)prepared;
}

const struct eg_driver eg_driver_report = {
    .name = "report",
    .about = "what a person saw or measured, as a JSON object; opens or joins a case",
    .keys = "",
    .prepare = prepare,
    .release = release,
    .decode = decode};
