/* json: readings in JSON objects (RFC 8259), flat by quantity names or of any shape by JSON Pointer (RFC 6901).
 *
 *     {"ts":"2026-11-23T07:00:00Z","pm25":35.2,"temp":"21.4","channel":"roof"}      no mapping: names and aliases
 *     [{…},{…}]                                                                     several at once
 *     {"when":1763881200,"pm":{"fine":35.2}}                                        time: /when, fields: [{path: /pm/fine …}]
 *     {"rows":[{"d":10,"m":31},{"d":30,"m":28}]}                                    readings: /rows, channel: /d, fields: …
 *
 * Numbers may be strings; null is missing. A number that is none (NaN, 1e400), a name twice, a time that is none: the whole
 * message is refused. */
#include <ecogov/driver.h>
#include <ecogov/time.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX ((size_t)256 * 1024)
#define DEPTH_MAX 32
#define POINTER_PARTS 16

struct pointer {
    size_t count;
    char *parts[POINTER_PARTS]; /* unescaped; Owned by text */
    char *text;
};
struct field {
    struct pointer path;
    uint16_t quantity;
    struct eg_unit_map unit;
    char channel[EG_CHANNEL_MAX + 1];
};
struct prepared {
    struct eg_quantity_index index;
    struct pointer time, readings, channel;
    bool has_time, has_readings, has_channel;
    size_t field_count;
    struct field *fields;
};

/* --- preparing --- */

static void pointer_free(struct pointer *pointer)
{
    free(pointer->text);
    pointer->text = NULL;
}

/* "/a~1b/0" → {"a/b","0"}. "" is the whole document. */
static const char *pointer_compile(const char *path, struct pointer *ret)
{
    memset(ret, 0, sizeof *ret);
    if (*path && *path != '/')
        return "a JSON Pointer starts with '/'";
    ret->text = strdup(path);
    if (!ret->text)
        return "no memory";
    char *out = ret->text, *at = ret->text;
    while (*at) {
        if (*at == '/') {
            if (ret->count == POINTER_PARTS)
                return "a JSON Pointer may have 16 parts at most";
            *out++ = '\0'; /* ends the part before; out <= at */
            ret->parts[ret->count++] = out;
            at++;
        } else if (*at == '~') {
            if (at[1] != '0' && at[1] != '1')
                return "'~' in a JSON Pointer is written ~0, '/' in a name ~1";
            *out++ = at[1] == '0' ? '~' : '/';
            at += 2;
        } else {
            *out++ = *at++;
        }
    }
    *out = '\0';
    return NULL;
}

static void release(void *data)
{
    struct prepared *prepared = data;
    if (!prepared)
        return;
    pointer_free(&prepared->time);
    pointer_free(&prepared->readings);
    pointer_free(&prepared->channel);
    for (size_t i = 0; i < prepared->field_count; i++)
        pointer_free(&prepared->fields[i].path);
    free(prepared->fields);
    free(prepared);
}

static const char *prepare_field(const struct eg_field *field, struct field *ret, char *error, size_t size)
{
    const char *wrong = pointer_compile(field->path ? field->path : "", &ret->path);
    int quantity = field->quantity ? eg_quantity_find(field->quantity, strlen(field->quantity)) : EG_QUANTITY_NONE;
    if (wrong)
        return wrong;
    if (quantity == EG_QUANTITY_NONE) {
        snprintf(error, size, "there is no quantity '%.40s'", field->quantity ? field->quantity : "");
        return error;
    }
    ret->quantity = (uint16_t)quantity;
    if (!eg_unit_find(quantity, field->unit, &ret->unit)) {
        snprintf(error, size, "%s is never given in '%.20s': its unit is %s", eg_quantity_info(quantity)->name, field->unit,
                 eg_quantity_info(quantity)->unit);
        return error;
    }
    if (field->channel && strlen(field->channel) > EG_CHANNEL_MAX)
        return "a channel's name has 31 bytes at most";
    snprintf(ret->channel, sizeof ret->channel, "%s", field->channel ? field->channel : "");
    return NULL;
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t size, int *ret_field)
{
    char own[200];
    const char *wrong = NULL;
    struct prepared *prepared = calloc(1, sizeof *prepared);
    *ret_field = -1;
    if (!prepared) {
        snprintf(error, size, "no memory");
        return -1;
    }
    eg_quantity_index_init(&prepared->index);
    prepared->has_time = mapping->time && *mapping->time;
    prepared->has_readings = mapping->readings && *mapping->readings;
    prepared->has_channel = mapping->channel && *mapping->channel;
    if (prepared->has_time)
        wrong = pointer_compile(mapping->time, &prepared->time);
    if (!wrong && prepared->has_readings)
        wrong = pointer_compile(mapping->readings, &prepared->readings);
    if (!wrong && prepared->has_channel)
        wrong = pointer_compile(mapping->channel, &prepared->channel);
    if (!wrong && mapping->field_count) {
        prepared->fields = calloc(mapping->field_count, sizeof *prepared->fields);
        if (!prepared->fields)
            wrong = "no memory";
    }
    for (size_t i = 0; !wrong && i < mapping->field_count; i++) {
        prepared->field_count = i + 1;
        wrong = prepare_field(&mapping->fields[i], &prepared->fields[i], own, sizeof own);
        if (wrong)
            *ret_field = (int)i;
    }
    if (wrong) {
        snprintf(error, size, "%s", wrong);
        release(prepared);
        return -1;
    }
    *ret_prepared = prepared;
    return 0;
}

/* --- decoding --- */

/* Before cJSON sees it: size, UTF-8, NUL, nesting. */
static enum eg_verdict scan(const uint8_t *at, size_t length, struct eg_sink *sink)
{
    if (!length)
        return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "the payload is empty");
    if (length > PAYLOAD_MAX)
        return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "%zu bytes of payload, at most %zu are read", length, PAYLOAD_MAX);
    int depth = 0;
    bool string = false;
    for (size_t i = 0; i < length; i++) {
        uint8_t c = at[i];
        if (c < 0x80) {
            if (c == '\\' && string && i + 1 < length && at[i + 1] < 0x80)
                i++;
            else if (c == '"')
                string = !string;
            else if (!string && (c == '{' || c == '[') && ++depth > DEPTH_MAX)
                return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "nested deeper than %d", DEPTH_MAX);
            else if (!string && (c == '}' || c == ']'))
                depth--;
            else if (c == 0)
                return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "a zero byte at %zu", i);
            continue;
        }
        size_t more = c >= 0xF0 && c <= 0xF4 ? 3 : c >= 0xE0 && c < 0xF0 ? 2 : c >= 0xC2 && c < 0xE0 ? 1 : 0;
        bool ok = more && more < length - i;
        for (size_t k = 1; ok && k <= more; k++)
            ok = (at[i + k] & 0xC0) == 0x80;
        if (ok && ((c == 0xE0 && at[i + 1] < 0xA0) || (c == 0xED && at[i + 1] > 0x9F) || (c == 0xF0 && at[i + 1] < 0x90) ||
                   (c == 0xF4 && at[i + 1] > 0x8F)))
            ok = false;
        if (!ok)
            return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "no valid UTF-8 at byte %zu", i);
        i += more;
    }
    return EG_DECODED;
}

/* A key as a sentence may quote it. */
static const char *tame(const char *key, char out[48])
{
    size_t used = 0;
    for (; key && *key && used < 40; key++)
        out[used++] = (unsigned char)*key < 0x20 || *key == 0x7f || *key == '"' ? '?' : *key;
    while (used && ((unsigned char)out[used - 1] & 0xC0) == 0x80) /* do not end within a character */
        used--;
    if (used && ((unsigned char)out[used - 1] & 0x80))
        used--;
    out[used] = '\0';
    return out;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    for (const cJSON *item = object ? object->child : NULL; item; item = item->next)
        if (item->string && !strcmp(item->string, name))
            return item;
    return NULL;
}

static const cJSON *follow(const cJSON *json, const struct pointer *pointer)
{
    for (size_t i = 0; json && i < pointer->count; i++) {
        const char *part = pointer->parts[i];
        if (cJSON_IsObject(json)) {
            json = member(json, part);
        } else if (cJSON_IsArray(json)) {
            char *end;
            unsigned long index = strtoul(part, &end, 10);
            if (*part < '0' || *part > '9' || *end || (*part == '0' && part[1]))
                return NULL;
            json = json->child;
            while (json && index--)
                json = json->next;
        } else {
            return NULL;
        }
    }
    return json;
}

enum number { IS_NUMBER, IS_MISSING, IS_OTHER, IS_WRONG };

/* A number, or a string that is nothing but one. */
static enum number number_of(const cJSON *item, double *ret)
{
    if (cJSON_IsNumber(item)) {
        *ret = item->valuedouble;
        return isfinite(*ret) ? IS_NUMBER : IS_WRONG;
    }
    if (!item || cJSON_IsNull(item))
        return IS_MISSING;
    if (!cJSON_IsString(item))
        return IS_OTHER;
    const char *text = item->valuestring;
    char *end;
    while (*text == ' ')
        text++;
    if (!*text)
        return IS_MISSING;
    for (const char *c = text; *c; c++)
        if (!strchr("0123456789+-.eE ", *c))
            return IS_WRONG;
    *ret = strtod(text, &end);
    while (*end == ' ')
        end++;
    return *end || end == text || !isfinite(*ret) ? IS_WRONG : IS_NUMBER;
}

static bool time_of(const cJSON *item, int64_t *ret)
{
    double epoch;
    if (cJSON_IsString(item) && eg_time_parse(item->valuestring, strlen(item->valuestring), ret))
        return true;
    return number_of(item, &epoch) == IS_NUMBER && eg_time_from_epoch(epoch, ret);
}

static enum eg_verdict add(struct eg_sink *sink, uint16_t quantity, const char *channel, int64_t time, double value)
{
    for (size_t i = 0; i < sink->count; i++) {
        const struct eg_reading *have = &sink->readings[i];
        if (have->quantity == quantity && have->time_ms == time && !strcmp(have->channel, channel))
            return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "%s is given twice for the same time",
                                                   eg_quantity_info(quantity)->name);
        if (sink->count > 64)
            break; /* beyond a handful the series' own (time) identity catches it */
    }
    return eg_sink_add(sink, quantity, channel, time, value) ? EG_DECODED : EG_IMPLAUSIBLE;
}

static enum eg_verdict wrong_number(struct eg_sink *sink, const cJSON *item, const char *name)
{
    char key[48];
    bool text = cJSON_IsString(item);
    return (enum eg_verdict)eg_sink_reject(sink, text ? EG_MALFORMED : EG_IMPLAUSIBLE, "%s is no number that can be kept",
                                           tame(name, key));
}

static enum eg_verdict wrong_time(struct eg_sink *sink)
{
    return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "the time is neither RFC 3339 nor an epoch in s, ms or us");
}

static bool is_time_key(const char *key)
{
    return key[0] == 't' && (!strcmp(key, "ts") || !strcmp(key, "time") || !strcmp(key, "timestamp"));
}

/* The time and the channel may stand behind the readings: they are looked for first. */
static enum eg_verdict flat_head(const cJSON *object, int64_t *ret_time, const char **ret_channel, struct eg_sink *sink)
{
    bool timed = false;
    for (const cJSON *item = object->child; item; item = item->next) {
        if (is_time_key(item->string)) {
            if (timed)
                return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "the time is given twice");
            timed = true;
            if (!cJSON_IsNull(item) && !time_of(item, ret_time))
                return wrong_time(sink);
        } else if (!strcmp(item->string, "channel") && cJSON_IsString(item)) {
            *ret_channel = item->valuestring;
        }
    }
    return EG_DECODED;
}

static enum eg_verdict decode_flat(const struct prepared *prepared, const cJSON *object, struct eg_sink *sink)
{
    int64_t time = EG_TIME_NONE;
    const char *channel = "";
    enum eg_verdict verdict = flat_head(object, &time, &channel, sink);
    for (const cJSON *item = object->child; item && verdict == EG_DECODED; item = item->next) {
        int quantity = eg_quantity_index_find(&prepared->index, item->string, strlen(item->string));
        double value;
        if (quantity == EG_QUANTITY_NONE)
            continue;
        enum number number = number_of(item, &value);
        if (number == IS_NUMBER)
            verdict = add(sink, (uint16_t)quantity, channel, time, value);
        else if (number == IS_WRONG)
            verdict = wrong_number(sink, item, item->string);
    }
    return verdict;
}

static enum eg_verdict decode_fields(const struct prepared *prepared, const cJSON *document, const cJSON *element,
                                     struct eg_sink *sink)
{
    int64_t time = EG_TIME_NONE;
    char channel[EG_CHANNEL_MAX + 1] = "";
    if (prepared->has_time) {
        const cJSON *item = follow(element, &prepared->time);
        if (!item)
            item = follow(document, &prepared->time);
        if (item && !cJSON_IsNull(item) && !time_of(item, &time))
            return wrong_time(sink);
    }
    if (prepared->has_channel) {
        const cJSON *item = follow(element, &prepared->channel);
        int length = cJSON_IsString(item)   ? snprintf(channel, sizeof channel, "%s", item->valuestring)
                     : cJSON_IsNumber(item) ? snprintf(channel, sizeof channel, "%.15g", item->valuedouble)
                                            : 0;
        if (length > EG_CHANNEL_MAX)
            return (enum eg_verdict)eg_sink_reject(sink, EG_IMPLAUSIBLE, "the channel's name is longer than %d bytes", EG_CHANNEL_MAX);
    }
    enum eg_verdict verdict = EG_DECODED;
    for (size_t i = 0; i < prepared->field_count && verdict == EG_DECODED; i++) {
        const struct field *field = &prepared->fields[i];
        const cJSON *item = follow(element, &field->path);
        double value;
        enum number number = number_of(item, &value);
        if (number == IS_WRONG)
            verdict = wrong_number(sink, item, eg_quantity_info(field->quantity)->name);
        else if (number == IS_NUMBER)
            verdict = add(sink, field->quantity, *field->channel ? field->channel : channel, time,
                          value * field->unit.scale + field->unit.offset);
    }
    return verdict;
}

static enum eg_verdict decode_element(const struct prepared *prepared, const cJSON *document, const cJSON *element,
                                      struct eg_sink *sink)
{
    if (prepared->field_count)
        return decode_fields(prepared, document, element, sink);
    if (!cJSON_IsObject(element))
        return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "a JSON object is expected, or an array of objects");
    return decode_flat(prepared, element, sink);
}

static enum eg_verdict nothing_found(const cJSON *element, struct eg_sink *sink)
{
    char a[48] = "", b[48] = "", c[48] = "";
    const cJSON *item = cJSON_IsObject(element) ? element->child : NULL;
    if (item)
        tame(item->string, a);
    if (item && item->next)
        tame(item->next->string, b);
    if (item && item->next && item->next->next)
        tame(item->next->next->string, c);
    return (enum eg_verdict)eg_sink_reject(sink, EG_IMPLAUSIBLE, "no known quantity in it (keys: %s%s%s%s%s)", *a ? a : "none",
                                           *b ? ", " : "", b, *c ? ", " : "", c);
}

static enum eg_verdict decode_document(const struct prepared *prepared, const cJSON *document, struct eg_sink *sink)
{
    const cJSON *list = prepared->has_readings ? follow(document, &prepared->readings) : document;
    enum eg_verdict verdict = EG_DECODED;
    if (prepared->has_readings && !cJSON_IsArray(list))
        return (enum eg_verdict)eg_sink_reject(sink, EG_IMPLAUSIBLE, "where the readings should be is no array");
    if (cJSON_IsArray(list) && (prepared->has_readings || !prepared->field_count)) {
        for (const cJSON *element = list->child; element && verdict == EG_DECODED; element = element->next)
            verdict = decode_element(prepared, document, element, sink);
        list = list->child;
    } else {
        verdict = decode_element(prepared, document, list, sink);
    }
    return verdict == EG_DECODED && !sink->count ? nothing_found(list, sink) : verdict;
}

static enum eg_verdict decode(const void *data, const struct eg_message *message, struct eg_sink *sink)
{
    enum eg_verdict verdict = scan(message->payload, message->payload_len, sink);
    if (verdict != EG_DECODED)
        return verdict;
    const char *text = (const char *)message->payload, *end = NULL;
    cJSON *document = cJSON_ParseWithLengthOpts(text, message->payload_len, &end, false);
    if (!document)
        return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "no JSON (from byte %zu on)",
                                               end ? (size_t)(end - text) : (size_t)0);
    while (end < text + message->payload_len && strchr(" \t\r\n", *end))
        end++;
    if (end != text + message->payload_len)
        verdict = (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "something follows the JSON at byte %zu",
                                                  (size_t)(end - text));
    else
        verdict = decode_document(data, document, sink);
    cJSON_Delete(document);
    return verdict;
}

extern const struct eg_driver eg_driver_json;
const struct eg_driver eg_driver_json = {
    .name = "json",
    .about = "JSON objects: flat by quantity names, other shapes by JSON Pointer",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
