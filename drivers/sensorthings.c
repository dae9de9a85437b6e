/* sensorthings: observations as an OGC SensorThings API server publishes them over MQTT, or as they are sent to it.
 *
 *   v1.1/Datastreams(1)/Observations   {"phenomenonTime":"2019-08-31T13:16:17.583Z","resultTime":null,"result":26,"@iot.id":47352,
 *                                       "Datastream":{"@iot.id":1,"unitOfMeasurement":{"symbol":"°C"}, …}}
 *   v1.1/Observations                  {"result":1.2,"Datastream@iot.navigationLink":"https://…/Datastreams(1)", …}
 *
 * What a result is says, in this order: one of fields whose path is the Datastream ("Datastreams(1)", its id "1", or its name), the topic's
 * {quantity}, quantity and unit of the source, the observed property's name that came inline, the Datastream's. The unit: the one that came
 * inline, unless the source says one. A MultiDatastream's result is an array: fields with the paths "0", "1" …, or its properties inline.
 * The time is phenomenonTime, else resultTime, else the arrival; of an interval its last millisecond, which lies in the hour and the day
 * that the value speaks for.
 *
 * The device is the Datastream ("Datastreams(1)"), by the topic, inline or the link, when neither the source nor its topic names one: so an
 * observation that comes under both topics is one. One that was sent comes a second time as the server has stored it, with a time of the
 * server's: it is known again for a minute by its Datastream, result and result time, and passed over.
 *
 * Passed over, too: other entities (no result). null and NaN are faults. Words and booleans are readings where the field's words say so.
 * Refused: a result that is none, a time that is none, what nobody says the quantity of.
 *
 * https://docs.ogc.org/is/18-088/18-088.html */
#include <ecogov/driver.h>
#include <ecogov/time.h>

#include "kit/excerpt.h"
#include "kit/field.h"
#include "kit/json_tree.h"
#include "kit/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 256
#define ID_MAX 63
#define COPY_WITHIN_MS 60000
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

struct field {
    char *path;
    bool own_unit;
    struct eg_field_plan plan;
};
struct plan {
    bool device_from_stream, has_own;
    struct field own; /* quantity and unit of the source */
    size_t field_count;
    struct field *fields;
    struct eg_quantity_index names;
};
struct last { /* of a Datastream, remembered: as sent, or as stored */
    double result;
    int64_t arrived_ms, result_ms;
    bool stored;
};
struct reader {
    const struct plan *plan;
    const struct eg_message *message;
    struct eg_sink *sink;
    const cJSON *observation, *stream; /* inline; may be NULL */
    char id[ID_MAX + 1];               /* "Datastreams(1)"; "": not told */
    int64_t time_ms, result_ms;
    bool stored; /* the server's copy: it has an id, or a link to itself */
};

/* --- the mapping --- */

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->field_count; i++) {
        eg_field_finish(&plan->fields[i].plan);
        free(plan->fields[i].path);
    }
    eg_field_finish(&plan->own.plan);
    free(plan->fields);
    free(plan);
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool compile_field(struct field *field, const struct eg_field *from, const struct eg_mapping *mapping,
                          char *error, size_t error_size)
{
    if (!given(from->path)) {
        (void)snprintf(error, error_size,
                       "a field needs a path: a Datastream's \"Datastreams(1)\", id or name");
        return false;
    }
    if (!eg_field_init(&field->plan, from, mapping->unit, error, error_size))
        return false;
    field->own_unit = given(from->unit) || given(mapping->unit);
    field->path = strdup(from->path);
    return field->path != NULL;
}

static bool compile(struct plan *plan, const struct eg_mapping *mapping, char *error, size_t error_size,
                    int *ret_field)
{
    const struct eg_field own = {.path = "own", .quantity = mapping->quantity};
    eg_quantity_index_init(&plan->names);
    plan->device_from_stream = given(mapping->device);
    plan->has_own = given(mapping->quantity);
    plan->own.own_unit = given(mapping->unit);
    if (plan->device_from_stream && strcmp(mapping->device, "Datastream") != 0) {
        (void)snprintf(error, error_size, "an observation names its device by \"Datastream\"");
        return false;
    }
    if (plan->has_own && !eg_field_init(&plan->own.plan, &own, mapping->unit, error, error_size))
        return false;
    plan->fields = calloc(mapping->field_count + 1, sizeof *plan->fields);
    if (plan->fields == NULL || mapping->field_count > FIELDS_MAX) {
        (void)snprintf(error, error_size, "more than %d fields, or no memory for them", FIELDS_MAX);
        return false;
    }
    for (size_t i = 0; i < mapping->field_count; i++) {
        plan->field_count = i + 1;
        if (!compile_field(&plan->fields[i], &mapping->fields[i], mapping, error, error_size)) {
            *ret_field = (int)i;
            return false;
        }
    }
    return true;
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    struct plan *plan = calloc(1, sizeof *plan);
    *ret_field = -1;
    (void)snprintf(error, error_size, "no memory for the mapping");
    if (plan == NULL || !compile(plan, mapping, error, error_size, ret_field)) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

/* --- which Datastream --- */

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* "Datastreams(1)" or "MultiDatastreams('a')" where it stands in a topic or a link; the last one. */
static void find_id(const char *text, char id[ID_MAX + 1])
{
    static const char mark[] = "Datastreams(";
    const char *found = NULL;
    for (const char *at = text; at != NULL && (at = strstr(at, mark)) != NULL; at++)
        found = at;
    const char *end = found == NULL ? NULL : strchr(found, ')');
    if (end == NULL)
        return;
    if (found - text >= 5 && memcmp(found - 5, "Multi", 5) == 0)
        found -= 5;
    const size_t length = (size_t)(end - found) + 1;
    if (length <= ID_MAX)
        (void)snprintf(id, ID_MAX + 1, "%.*s", (int)length, found);
}

static void identify(struct reader *reader)
{
    static const char *const kinds[] = {"Datastream", "MultiDatastream"};
    char key[64];
    find_id(reader->message->topic, reader->id);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const cJSON *stream = cJSON_GetObjectItemCaseSensitive(reader->observation, kinds[i]);
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(stream, "@iot.id");
        if (!cJSON_IsObject(stream))
            stream = NULL;
        else
            reader->stream = stream;
        if (reader->id[0] == '\0' && cJSON_IsNumber(id))
            (void)snprintf(reader->id, sizeof reader->id, "%ss(%.15g)", kinds[i], id->valuedouble);
        else if (reader->id[0] == '\0' && cJSON_IsString(id) && strlen(id->valuestring) <= 36)
            (void)snprintf(reader->id, sizeof reader->id, "%ss(%.36s)", kinds[i], id->valuestring);
        (void)snprintf(key, sizeof key, "%s@iot.navigationLink", kinds[i]);
        if (reader->id[0] == '\0')
            find_id(text_of(reader->observation, key), reader->id);
        if (reader->id[0] == '\0')
            find_id(text_of(stream, "@iot.selfLink"), reader->id);
    }
}

/* --- what is measured --- */

static bool is_stream(const struct reader *reader, const char *path)
{
    const char *open = strchr(reader->id, '('), *name = text_of(reader->stream, "name");
    const size_t length = strlen(path);
    if (strcmp(path, reader->id) == 0 || (name != NULL && strcmp(path, name) == 0))
        return true;
    return open != NULL && strncmp(open + 1, path, length) == 0 && strcmp(open + 1 + length, ")") == 0;
}

/* The n-th of an array, or what is no array itself. */
static const cJSON *part(const cJSON *of, int index)
{
    return cJSON_IsArray(of) ? cJSON_GetArrayItem(of, index) : index == 0 ? of : NULL;
}

static int guess(const struct reader *reader, const char *name, char channel[EG_CHANNEL_MAX + 1])
{
    int quantity = EG_QUANTITY_NONE;
    channel[0] = '\0';
    if (name == NULL)
        return EG_QUANTITY_NONE;
    quantity = eg_quantity_index_find(&reader->plan->names, name, strlen(name));
    if (quantity == EG_QUANTITY_NONE &&
        !eg_names_guess(&reader->plan->names, name, strlen(name), NULL, &quantity, channel))
        return EG_QUANTITY_NONE;
    return quantity;
}

static const char *property_name(const struct reader *reader, int index)
{
    const cJSON *one = cJSON_GetObjectItemCaseSensitive(reader->stream, "ObservedProperty"),
                *several = cJSON_GetObjectItemCaseSensitive(reader->stream, "ObservedProperties");
    return text_of(part(several != NULL ? several : one, index), "name");
}

static const char *unit_symbol(const struct reader *reader, int index)
{
    const cJSON *one = cJSON_GetObjectItemCaseSensitive(reader->stream, "unitOfMeasurement"),
                *several = cJSON_GetObjectItemCaseSensitive(reader->stream, "unitOfMeasurements");
    const cJSON *unit = part(several != NULL ? several : one, index);
    const char *symbol = text_of(unit, "symbol");
    return given(symbol) ? symbol : text_of(unit, "name");
}

/* NULL: nobody says it. `own` is room for a plan made of what is said elsewhere than in fields. */
static const struct field *choose(const struct reader *reader, int index, bool array, struct field *own)
{
    const struct plan *plan = reader->plan;
    const struct eg_message *message = reader->message;
    char number[12];
    (void)snprintf(number, sizeof number, "%d", index);
    for (size_t i = 0; i < plan->field_count; i++)
        if (array ? strcmp(plan->fields[i].path, number) == 0 : is_stream(reader, plan->fields[i].path))
            return &plan->fields[i];
    *own = (struct field){.plan = {.scale = 1, .unit = {1, 0}}};
    int quantity = EG_QUANTITY_NONE;
    if (!array && message->quantity_len > 0)
        quantity = eg_quantity_index_find(&plan->names, message->quantity, message->quantity_len);
    if (!array && quantity == EG_QUANTITY_NONE && plan->has_own)
        return &plan->own;
    if (quantity == EG_QUANTITY_NONE)
        quantity = guess(reader, property_name(reader, index), own->plan.channel);
    if (quantity == EG_QUANTITY_NONE && !array)
        quantity = guess(reader, text_of(reader->stream, "name"), own->plan.channel);
    own->plan.quantity = (uint16_t)quantity;
    return quantity == EG_QUANTITY_NONE ? NULL : own;
}

/* --- the result --- */

static enum eg_field_kind read_number(const struct eg_field_plan *plan, const cJSON *result,
                                      double *ret_value)
{
    if (cJSON_IsNumber(result))
        return isfinite(result->valuedouble) ? eg_field_number(plan, result->valuedouble, ret_value)
                                             : EG_FIELD_WRONG;
    if (cJSON_IsNull(result))
        return EG_FIELD_FAULT;
    const char *text = cJSON_IsString(result) ? result->valuestring
                       : cJSON_IsTrue(result) ? "true"
                       : cJSON_IsBool(result) ? "false"
                                              : "";
    return eg_field_text(plan, text, strlen(text), ret_value);
}

static enum eg_verdict put(struct reader *reader, const cJSON *result, int index, bool array)
{
    char shown[EG_EXCERPT_MAX];
    struct field own;
    const char *unit = unit_symbol(reader, index);
    const struct field *field = choose(reader, index, array, &own);
    double value;
    if (field == NULL && array)
        return EG_DECODED; /* not of the dictionary */
    if (field == NULL)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE,
                      "nobody says what %s measures: say quantity:, or name it in fields",
                      reader->id[0] == '\0' ? "this Datastream"
                                            : eg_excerpt_write(reader->id, strlen(reader->id), shown));
    struct eg_field_plan plan = field->plan; /* borrows its lists */
    if (!field->own_unit && given(unit) && !eg_unit_find(plan.quantity, unit, &plan.unit))
        return REFUSE(reader->sink, EG_IMPLAUSIBLE, "%s does not come in \"%s\"; say its unit",
                      eg_quantity_info(plan.quantity)->name, eg_excerpt_write(unit, strlen(unit), shown));
    switch (read_number(&plan, result, &value)) {
    case EG_FIELD_NUMBER:
        return eg_sink_add(reader->sink, plan.quantity, plan.channel, reader->time_ms, value)
                   ? EG_DECODED
                   : EG_IMPLAUSIBLE;
    case EG_FIELD_FAULT:
        eg_sink_fault(reader->sink, plan.quantity, plan.channel,
                      cJSON_IsNull(result) ? "null" : "that it could not measure");
        return EG_DECODED;
    default:
        return REFUSE(reader->sink, EG_IMPLAUSIBLE, "the result is no number for %s",
                      eg_quantity_info(plan.quantity)->name);
    }
}

static enum eg_verdict put_all(struct reader *reader, const cJSON *result)
{
    enum eg_verdict verdict = EG_DECODED;
    if (!cJSON_IsArray(result))
        return put(reader, result, 0, false);
    const cJSON *one = result->child;
    for (int i = 0; one != NULL && verdict == EG_DECODED; i++, one = one->next)
        verdict = put(reader, one, i, true);
    if (verdict == EG_DECODED && reader->sink->count == 0 && reader->sink->fault_count == 0)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE,
                      "no part of the result is a known quantity; name them in fields: \"0\", \"1\" …");
    return verdict;
}

/* --- time --- */

/* An instant, or an interval "begin/end": its last millisecond. */
static enum eg_verdict read_time(const struct reader *reader, const char *key, int64_t *ret_ms)
{
    char shown[EG_EXCERPT_MAX];
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->observation, key);
    int64_t begin, end;
    if (item == NULL || cJSON_IsNull(item))
        return EG_DECODED;
    const char *text = cJSON_IsString(item) ? item->valuestring : "", *slash = strchr(text, '/');
    if (slash == NULL && eg_time_parse(text, strlen(text), ret_ms))
        return EG_DECODED;
    if (slash == NULL || !eg_time_parse(text, (size_t)(slash - text), &begin) ||
        !eg_time_parse(slash + 1, strlen(slash + 1), &end) || end < begin)
        return REFUSE(reader->sink, EG_MALFORMED, "%s \"%s\" is no time, and no interval of times", key,
                      eg_excerpt_write(text, strlen(text), shown));
    *ret_ms = end > begin ? end - 1 : end;
    return EG_DECODED;
}

/* Sent, and then published as stored, or the other way round. */
static bool is_copy(const struct reader *reader, const cJSON *result)
{
    char key[EG_MEMORY_KEY_MAX + 1];
    size_t size;
    struct eg_memory *memory = reader->message->memory;
    if (!cJSON_IsNumber(result) || reader->message->retain)
        return false;
    (void)snprintf(key, sizeof key, "sensorthings %.400s",
                   reader->id[0] != '\0' ? reader->id : reader->message->topic);
    const struct last *last = eg_memory_find(memory, key, &size);
    const int64_t now_ms = reader->message->arrived_ms;
    if (last != NULL && last->stored != reader->stored && last->result == result->valuedouble &&
        now_ms - last->arrived_ms <= COPY_WITHIN_MS &&
        (last->result_ms == reader->result_ms || last->result_ms == EG_TIME_NONE ||
         reader->result_ms == EG_TIME_NONE)) {
        eg_memory_forget(memory, key);
        return true;
    }
    struct last *fresh = eg_memory_make(memory, key, sizeof *fresh);
    if (fresh != NULL)
        *fresh = (struct last){result->valuedouble, now_ms, reader->result_ms, reader->stored};
    return false;
}

/* --- the whole --- */

static enum eg_verdict read_observation(struct reader *reader)
{
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(reader->observation, "result");
    if (result == NULL)
        return REFUSE(reader->sink, EG_NOT_MINE, "no observation: it has no result");
    reader->stored = cJSON_HasObjectItem(reader->observation, "@iot.id") ||
                     cJSON_HasObjectItem(reader->observation, "@iot.selfLink");
    reader->time_ms = reader->result_ms = EG_TIME_NONE;
    identify(reader);
    enum eg_verdict verdict = read_time(reader, "phenomenonTime", &reader->time_ms);
    if (verdict == EG_DECODED)
        verdict = read_time(reader, "resultTime", &reader->result_ms);
    if (verdict != EG_DECODED)
        return verdict;
    if (reader->time_ms == EG_TIME_NONE)
        reader->time_ms = reader->result_ms;
    if (reader->plan->device_from_stream && reader->id[0] == '\0')
        return REFUSE(reader->sink, EG_IMPLAUSIBLE,
                      "neither its topic nor the observation says which Datastream it is of");
    if (reader->plan->device_from_stream && !eg_sink_device(reader->sink, reader->id, strlen(reader->id)))
        return EG_IMPLAUSIBLE;
    verdict = put_all(reader, result);
    return verdict == EG_DECODED && is_copy(reader, result)
               ? REFUSE(reader->sink, EG_NOT_MINE,
                        "the same observation once more: as it was sent, and as the server has stored it")
               : verdict;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    struct plan plain;
    struct reader reader = {.plan = prepared == NULL ? &plain : prepared, .message = message, .sink = sink};
    eg_sink_reset(sink);
    if (prepared == NULL) {
        plain = (struct plan){.has_own = false};
        eg_quantity_index_init(&plain.names);
    }
    struct eg_json_tree tree;
    if (eg_json_tree_read(&tree, message->payload, message->payload_len, sink) != EG_DECODED)
        return EG_MALFORMED;
    reader.observation = tree.root;
    const enum eg_verdict verdict = cJSON_IsObject(tree.root)
                                        ? read_observation(&reader)
                                        : REFUSE(sink, EG_MALFORMED, "an observation is a JSON object");
    eg_json_tree_finish(&tree);
    return verdict;
}

extern const struct eg_driver eg_driver_sensorthings;
const struct eg_driver eg_driver_sensorthings = {
    .name = "sensorthings",
    .about = "OGC SensorThings API observations over MQTT",
    .device = "Datastream",
    .keys = "{quantity} quantity unit device_path fields words",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
