/* senml: Sensor Measurement Lists in JSON.
 *
 *   [{"bn":"urn:dev:ow:10e2073a01080063:","bt":1320078429,"n":"temperature","u":"Cel","v":27.2},
 *    {"n":"humidity","u":"%RH","v":80}]
 *
 * Base fields (bn bt bu bv bver) hold from their record on. A time below 2^28 is relative to the arrival; no time, or 0, is the
 * arrival. A value is named by fields: (path = its resolved name, or its `n`), else by the dictionary: `n`, or what follows the last
 * ':' or '/' of the name; a device's bare name by its unit, where only one quantity has it (%RH, Cel, %EL, lx). device: bn says that
 * the base name (without the separator at its end) names the device; else the topic does.
 *
 * Texts, booleans, data, links and sums are no readings. Refused: a version above 10, an unknown key that ends in '_' (it must be
 * understood, says RFC 8428), a key given twice, a name or a value of the wrong kind, two values of one name and time, a unit that
 * the quantity does not have, or nothing known at all.
 *
 * https://www.rfc-editor.org/rfc/rfc8428  Units: https://www.rfc-editor.org/rfc/rfc8798 */
#include <ecogov/driver.h>
#include <ecogov/time.h>

#include "kit/excerpt.h"
#include "kit/json_scan.h"
#include "kit/named.h"
#include "kit/twice.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MAX 10
#define NAME_MAX_BYTES 255
#define RELATIVE_BELOW 268435456.0    /* 2^28 s: section 4.5.3 */
#define TIME_MAX_MS 253402300799999.0 /* the end of year 9999 */
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

struct plan {
    struct eg_named named;
    bool device_from_name;
};

enum key { BN, BT, BU, BV, BS, BVER, N, U, V, VS, VB, VD, S, T, UT, KEY_COUNT };
static const struct {
    const char *name;
    bool text;
} keys[KEY_COUNT] = {
    [BN] = {"bn", true},  [BT] = {"bt", false},     [BU] = {"bu", true},  [BV] = {"bv", false},
    [BS] = {"bs", false}, [BVER] = {"bver", false}, [N] = {"n", true},    [U] = {"u", true},
    [V] = {"v", false},   [VS] = {"vs", true},      [VB] = {"vb", false}, [VD] = {"vd", true},
    [S] = {"s", false},   [T] = {"t", false},       [UT] = {"ut", false}};

struct reader {
    const struct plan *plan;
    const struct eg_message *message;
    struct eg_sink *sink;
    const char *base_name, *base_unit;
    double base_time, base_value;
    char unknown[EG_EXCERPT_MAX]; /* the first name that is no quantity */
};

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_named_finish(&plan->named);
    free(plan);
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    *ret_field = -1;
    const char *device = mapping == NULL || mapping->device == NULL ? "" : mapping->device;
    if (device[0] != '\0' && strcmp(device, "bn") != 0) {
        (void)snprintf(error, error_size,
                       "SenML names its device in \"bn\" only: leave the device out, or say bn");
        return -1;
    }
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    plan->device_from_name = device[0] != '\0';
    if (!eg_named_init(&plan->named, mapping, error, error_size, ret_field)) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

/* ---- one record ---- */

static enum eg_verdict read_keys(struct eg_sink *sink, const cJSON *record, const cJSON *found[KEY_COUNT])
{
    char shown[EG_EXCERPT_MAX];
    for (const cJSON *item = record->child; item != NULL; item = item->next) {
        const size_t length = strlen(item->string);
        int key = 0;
        while (key < KEY_COUNT && strcmp(keys[key].name, item->string) != 0)
            key++;
        if (key == KEY_COUNT) {
            if (length > 0 && item->string[length - 1] == '_')
                return REFUSE(sink, EG_MALFORMED,
                              "\"%s\" must be understood, and is not (RFC 8428, section 4.4)",
                              eg_excerpt_write(item->string, length, shown));
            continue;
        }
        if (found[key] != NULL)
            return REFUSE(sink, EG_MALFORMED, "the key \"%s\" is given twice in one record", keys[key].name);
        found[key] = item;
        if (key == VB ? !cJSON_IsBool(item) : keys[key].text ? !cJSON_IsString(item) : !cJSON_IsNumber(item))
            return REFUSE(sink, EG_MALFORMED, "\"%s\" must be a %s", keys[key].name,
                          key == VB        ? "boolean"
                          : keys[key].text ? "text"
                                           : "number");
        if (cJSON_IsNumber(item) && !isfinite(item->valuedouble))
            return REFUSE(sink, EG_IMPLAUSIBLE, "\"%s\" is too large a number", keys[key].name);
    }
    return EG_DECODED;
}

static enum eg_verdict take_base(struct reader *reader, const cJSON *const found[KEY_COUNT])
{
    if (found[BVER] != NULL && !(found[BVER]->valuedouble >= 1 && found[BVER]->valuedouble <= VERSION_MAX))
        return REFUSE(reader->sink, EG_MALFORMED, "SenML of version %.6g; 1 to %d are known",
                      found[BVER]->valuedouble, VERSION_MAX);
    if (found[BN] != NULL)
        reader->base_name = found[BN]->valuestring;
    if (found[BU] != NULL)
        reader->base_unit = found[BU]->valuestring;
    if (found[BT] != NULL)
        reader->base_time = found[BT]->valuedouble;
    if (found[BV] != NULL)
        reader->base_value = found[BV]->valuedouble;
    return EG_DECODED;
}

static enum eg_verdict read_time(const struct reader *reader, const cJSON *item, int64_t *ret_ms)
{
    const double seconds = reader->base_time + (item == NULL ? 0 : item->valuedouble);
    if (seconds == 0)
        return EG_DECODED;
    const double ms =
        round(seconds * 1000) + (seconds < RELATIVE_BELOW ? (double)reader->message->arrived_ms : 0);
    if (!(ms >= 0 && ms <= TIME_MAX_MS))
        return REFUSE(reader->sink, EG_IMPLAUSIBLE, "%.17g s is no time between 1970 and 9999", seconds);
    *ret_ms = (int64_t)ms;
    return EG_DECODED;
}

#define LETTERS_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool is_name(const char *name)
{
    return strspn(name, LETTERS_DIGITS) > 0 && name[strspn(name, LETTERS_DIGITS "-:./_")] == '\0';
}

/* What follows the last ':' or '/' of a name. */
static const char *last_part(const char *name)
{
    const char *part = name;
    for (const char *at = name; *at != '\0'; at++)
        if (*at == ':' || *at == '/')
            part = at + 1;
    return part;
}

/* The quantity that alone has a unit. */
static int quantity_of_unit(const char *unit)
{
    const struct {
        const char *unit;
        int quantity;
    } own[] = {{"Cel", EG_Q_temperature}, {"%RH", EG_Q_humidity}, {"%EL", EG_Q_battery}, {"lx", EG_Q_light}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i].unit, unit) == 0)
            return own[i].quantity;
    return EG_QUANTITY_NONE;
}

static bool speak_for(const struct reader *reader, const char *name, const char *part)
{
    const char *from = reader->base_name[0] != '\0' ? reader->base_name : name;
    size_t length = from == name ? (size_t)(part - name) : strlen(from);
    while (length > 0 && strchr(":/.-_", from[length - 1]) != NULL)
        length--;
    return !reader->plan->device_from_name || eg_sink_device(reader->sink, from, length);
}

/* By the dictionary, else a bare device's value by its unit: then the whole name is the device's. */
static int guess(const struct eg_quantity_index *names, const char *own, const char *unit, const char **part)
{
    int quantity = eg_quantity_index_find(names, own, strlen(own));
    if (quantity == EG_QUANTITY_NONE)
        quantity = eg_quantity_index_find(names, *part, strlen(*part));
    if (quantity != EG_QUANTITY_NONE || (own[0] != '\0' && strncmp(own, "urn:", 4) != 0))
        return quantity;
    *part += strlen(*part);
    return quantity_of_unit(unit);
}

static enum eg_verdict put(struct reader *reader, const char *name, const char *own, const char *unit,
                           int64_t time_ms, double value)
{
    const struct plan *plan = reader->plan;
    const char *part = last_part(name);
    struct eg_named_field guessed = {.scale = 1, .channel = ""};
    const struct eg_named_field *field = eg_named_find(&plan->named, name, strlen(name));
    if (field == NULL && own[0] != '\0')
        field = eg_named_find(&plan->named, own, strlen(own));
    if (field == NULL) {
        const int quantity = guess(&plan->named.names, own, unit, &part);
        if (quantity == EG_QUANTITY_NONE) {
            if (reader->unknown[0] == '\0')
                (void)eg_excerpt_write(name, strlen(name), reader->unknown);
            return EG_DECODED;
        }
        guessed.quantity = (uint16_t)quantity;
        field = &guessed;
    }
    const bool good =
        speak_for(reader, name, part) && eg_named_put(field, value, unit, time_ms, reader->sink);
    return good ? EG_DECODED : EG_IMPLAUSIBLE;
}

static enum eg_verdict read_record(struct reader *reader, const cJSON *record)
{
    const cJSON *found[KEY_COUNT] = {NULL};
    char name[NAME_MAX_BYTES + 1], shown[EG_EXCERPT_MAX];
    int64_t time_ms = EG_TIME_NONE;
    if (!cJSON_IsObject(record))
        return REFUSE(reader->sink, EG_MALFORMED, "a SenML record must be a JSON object");
    enum eg_verdict verdict = read_keys(reader->sink, record, found);
    if (verdict == EG_DECODED)
        verdict = take_base(reader, found);
    if (verdict != EG_DECODED)
        return verdict;
    const int values = (found[V] != NULL) + (found[VS] != NULL) + (found[VB] != NULL) + (found[VD] != NULL);
    if (values > 1)
        return REFUSE(reader->sink, EG_MALFORMED, "a record has more than one of v, vs, vb and vd");
    if (values == 0 && found[S] == NULL)
        return EG_DECODED; /* base fields only */
    const char *own = found[N] == NULL ? "" : found[N]->valuestring;
    const int length = snprintf(name, sizeof name, "%s%s", reader->base_name, own);
    if (length < 0 || (size_t)length >= sizeof name || !is_name(name))
        return REFUSE(
            reader->sink, EG_MALFORMED,
            "\"%s\" is no SenML name: letters, digits and -:./_, a letter or digit first, at most %d bytes",
            eg_excerpt_write(name, strlen(name), shown), NAME_MAX_BYTES);
    verdict = read_time(reader, found[T], &time_ms);
    if (verdict != EG_DECODED || found[V] == NULL)
        return verdict;
    return put(reader, name, own, found[U] == NULL ? reader->base_unit : found[U]->valuestring, time_ms,
               found[V]->valuedouble + reader->base_value);
}

/* ---- the whole ---- */

static enum eg_verdict read_pack(struct reader *reader, const cJSON *pack)
{
    struct eg_sink *sink = reader->sink;
    if (!cJSON_IsArray(pack))
        return REFUSE(sink, EG_MALFORMED, "a SenML pack is a JSON array of records");
    for (const cJSON *record = pack->child; record != NULL; record = record->next) {
        const enum eg_verdict verdict = read_record(reader, record);
        if (verdict != EG_DECODED)
            return verdict;
    }
    if (sink->count == 0 && sink->fault_count == 0)
        return REFUSE(sink, EG_IMPLAUSIBLE,
                      reader->unknown[0] != '\0'
                          ? "no name is a known quantity, the first is \"%s\"; name it in fields"
                          : "there is no number in it%s",
                      reader->unknown);
    const size_t twice = eg_twice_find(sink);
    return twice == sink->count ? EG_DECODED
                                : REFUSE(sink, EG_MALFORMED, "%s is given twice for one time",
                                         eg_quantity_info(sink->readings[twice].quantity)->name);
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    eg_sink_reset(sink);
    if (eg_json_scan(message->payload, message->payload_len, sink) != EG_DECODED)
        return EG_MALFORMED;
    const char *text = (const char *)message->payload, *end = NULL;
    cJSON *pack = cJSON_ParseWithLengthOpts(text, message->payload_len, &end, false);
    if (pack == NULL)
        return REFUSE(sink, EG_MALFORMED, "not JSON from byte %zu on",
                      end == NULL ? (size_t)0 : (size_t)(end - text));
    size_t at = (size_t)(end - text);
    while (at < message->payload_len && text[at] != '\0' && strchr(" \t\r\n", text[at]) != NULL)
        at++;
    struct plan plain = {.device_from_name = false};
    if (prepared == NULL)
        eg_quantity_index_init(&plain.named.names);
    struct reader reader = {.plan = prepared == NULL ? &plain : prepared,
                            .message = message,
                            .sink = sink,
                            .base_name = "",
                            .base_unit = ""};
    const enum eg_verdict verdict =
        at < message->payload_len
            ? REFUSE(sink, EG_MALFORMED, "something follows the JSON value at byte %zu", at)
            : read_pack(&reader, pack);
    cJSON_Delete(pack);
    return verdict;
}

extern const struct eg_driver eg_driver_senml;
const struct eg_driver eg_driver_senml = {
    .name = "senml",
    .about = "SenML in JSON (RFC 8428)",
    .keys = "device_path fields",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
