/* Drivers that read the same thing in two notations must read the same out of it. For fuzz_drivers_registry.c: what came as one notation
 * is written in the other and read once more. */
#ifndef EG_FUZZ_TWINS_H
#define EG_FUZZ_TWINS_H

#include "input.h"

#include <ecogov/driver.h>

#include <cjson/cJSON.h>

#define TWIN_BYTES (64 * 1024)
#define TWIN_DEPTH 12 /* CBOR is read 16 deep, JSON 32 */

struct twin { /* the other notation while it is written */
    size_t length;
    bool full; /* it does not fit, or cannot be said in the other notation */
    uint8_t bytes[TWIN_BYTES];
};

static void twin_put(struct twin *twin, const void *bytes, size_t length)
{
    twin->full = twin->full || length > TWIN_BYTES - twin->length;
    if (twin->full || length == 0)
        return;
    memcpy(twin->bytes + twin->length, bytes, length);
    twin->length += length;
}

static void twin_byte(struct twin *twin, unsigned byte)
{
    const uint8_t one = (uint8_t)byte;
    twin_put(twin, &one, 1);
}

/* --- SenML: JSON, and CBOR with labels for keys --- */

static void cbor_head(struct twin *twin, unsigned major, size_t count)
{
    if (count < 24) {
        twin_byte(twin, major << 5 | (unsigned)count);
        return;
    }
    twin_byte(twin, major << 5 | 26);
    for (int shift = 24; shift >= 0; shift -= 8)
        twin_byte(twin, (unsigned)(count >> shift) & 0xFF);
}

static void cbor_text(struct twin *twin, unsigned major, const char *text)
{
    cbor_head(twin, major, strlen(text));
    twin_put(twin, text, strlen(text));
}

static void cbor_number(struct twin *twin, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    twin_byte(twin, 7U << 5 | 27);
    for (int shift = 56; shift >= 0; shift -= 8)
        twin_byte(twin, (unsigned)(bits >> shift) & 0xFF);
}

static void cbor_key(struct twin *twin, const char *key)
{
    static const char *const labels[] = {"bs", "bv", "bu", "bt", "bn", "bver", "n", "u",
                                         "v",  "vs", "vb", "s",  "t",  "ut",   "vd"};
    twin->full = twin->full || strlen(key) > 255;
    for (int i = 0; i < 15; i++)
        if (strcmp(labels[i], key) == 0) {
            cbor_head(twin, i < 6 ? 1 : 0, (size_t)(i < 6 ? 5 - i : i - 6));
            return;
        }
    cbor_text(twin, 3, key);
}

static void cbor_value(struct twin *twin, const cJSON *item, int depth)
{
    twin->full = twin->full || depth > TWIN_DEPTH;
    if (twin->full)
        return;
    if (cJSON_IsArray(item) || cJSON_IsObject(item)) {
        cbor_head(twin, cJSON_IsArray(item) ? 4 : 5, (size_t)cJSON_GetArraySize(item));
        for (const cJSON *child = item->child; child; child = child->next) {
            if (cJSON_IsObject(item))
                cbor_key(twin, child->string);
            cbor_value(twin, child, depth + 1);
        }
    } else if (cJSON_IsString(item)) { /* data is base64 in JSON, bytes in CBOR: which, nobody looks at */
        cbor_text(twin, item->string && strcmp(item->string, "vd") == 0 ? 2 : 3, item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        cbor_number(twin, item->valuedouble);
    } else {
        twin_byte(twin, cJSON_IsTrue(item) ? 0xF5 : cJSON_IsFalse(item) ? 0xF4 : 0xF6);
    }
}

static bool twin_of_senml(const struct eg_message *message, struct twin *twin)
{
    cJSON *json = cJSON_ParseWithLength((const char *)message->payload, message->payload_len);
    if (json)
        cbor_value(twin, json, 0);
    cJSON_Delete(json);
    return json && !twin->full;
}

/* --- bytes, and the same in base64 --- */

static bool twin_of_bytes(const struct eg_message *message, struct twin *twin)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = message->payload;
    bool text = true;
    for (size_t i = 0; i < message->payload_len; i++)
        text = text && from[i] > 0x20 && from[i] <= 0x7e;
    if (text || message->payload_len > 256)
        return false; /* might be base64 itself */
    for (size_t i = 0; i < message->payload_len; i += 3) {
        const size_t left = message->payload_len - i;
        const unsigned held = (unsigned)from[i] << 16 | (left > 1 ? (unsigned)from[i + 1] << 8 : 0) |
                              (left > 2 ? from[i + 2] : 0);
        for (int k = 0; k < 4; k++)
            twin_byte(twin, k <= (int)left ? (unsigned char)letters[held >> (18 - 6 * k) & 63] : '=');
    }
    bool hexadecimal = true; /* letters that might be that are read as that */
    for (size_t i = 0; i < twin->length; i++)
        hexadecimal = hexadecimal && twin->bytes[i] && strchr("0123456789abcdefABCDEF", twin->bytes[i]);
    return !hexadecimal;
}

/* --- a bare number, and the same in a flat object --- */

static bool twin_of_value(const struct eg_message *message, struct twin *twin)
{
    const char *text = (const char *)message->payload, *end = NULL;
    cJSON *json = message->payload_len && message->payload_len < 60
                      ? cJSON_ParseWithLengthOpts(text, message->payload_len, &end, false)
                      : NULL;
    const bool number = cJSON_IsNumber(json) && end == text + message->payload_len;
    cJSON_Delete(json);
    if (!number || eg_quantity_find(message->quantity, message->quantity_len) == EG_QUANTITY_NONE)
        return false;
    twin_put(twin, "{\"", 2);
    twin_put(twin, message->quantity, message->quantity_len);
    twin_put(twin, "\":", 2);
    twin_put(twin, message->payload, message->payload_len);
    twin_put(twin, "}", 1);
    return true;
}

/* What came was read as `verdict` and `sink`; its twin must say the same. */
static void check_twin(const struct eg_driver *driver, const void *prepared, bool mapped,
                       const struct eg_message *message, enum eg_verdict verdict, const struct eg_sink *sink)
{
    static const struct {
        const char *driver, *other;
        bool (*write)(const struct eg_message *message, struct twin *twin);
        bool with_mapping;
    } twins[] = {{"senml", "senml-cbor", twin_of_senml, true},
                 {"cayenne-lpp", "cayenne-lpp", twin_of_bytes, true},
                 {"lorawan", "lorawan", twin_of_bytes, true},
                 {"value", "json", twin_of_value, false}};
    static struct twin twin;
    static struct eg_sink again;
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        if (strcmp(twins[i].driver, driver->name) != 0 || (mapped && !twins[i].with_mapping) ||
            (verdict != EG_DECODED && (twins[i].write != twin_of_senml || verdict != EG_IMPLAUSIBLE)))
            continue;
        twin.length = 0;
        twin.full = false;
        if (!message->payload || !twins[i].write(message, &twin))
            continue;
        struct eg_message other = *message;
        other.payload = twin.bytes;
        other.payload_len = twin.length;
        enum eg_verdict said = eg_driver_find(twins[i].other)->decode(prepared, &other, &again);
        if (said == EG_MALFORMED && twins[i].write == twin_of_value)
            continue; /* 007 and +1 are numbers, and no JSON */
        DEMAND(said == verdict, "%s: %s, its twin %s: %s", driver->name, eg_verdict_name(verdict),
               eg_verdict_name(said), said == EG_DECODED ? "" : again.reason);
        if (verdict != EG_DECODED)
            continue;
        DEMAND(again.count == sink->count && again.fault_count == sink->fault_count,
               "%s: %zu readings, its twin %zu", driver->name, sink->count, again.count);
        for (size_t k = 0; k < sink->count; k++) {
            const struct eg_reading *x = &sink->readings[k], *y = &again.readings[k];
            DEMAND(x->quantity == y->quantity && x->time_ms == y->time_ms &&
                       !memcmp(&x->value, &y->value, sizeof x->value) && x->device == y->device &&
                       !strcmp(x->channel, y->channel),
                   "%s: reading %zu is another in its twin", driver->name, k);
        }
    }
}

#endif
