/* senml-cbor: Sensor Measurement Lists in CBOR, what constrained devices send instead of the driver senml's JSON.
 *
 *   82                                       an array of records, counted or open-ended (9f … ff)
 *      a5                                    a record is a map
 *         21 78 1c 75726e3a6465…             -2, bn: "urn:dev:ow:10e2073a01080063:"
 *         22 1a 4eaecb9d                     -3, bt: 1320078237
 *         00 6b 74656d7065726174757265       0, n: "temperature"
 *         01 63 43656c                       1, u: "Cel"
 *         02 f9 4ecd                         2, v: 27.2 as half, single or double float, integer, or a decimal fraction (c4 82 20 19 0110)
 *      a2 …
 *
 *   -1 bver  -2 bn  -3 bt  -4 bu  -5 bv  -6 bs  0 n  1 u  2 v  3 vs  4 vb  5 s  6 t  7 ut  8 vd (bytes)
 *
 * A key may be the label or the text that JSON has. What a record means, what is read and what is refused is told in senml.c. Refused
 * besides: what is no CBOR (RFC 8949) or goes on behind the array, a text that is no UTF-8, nesting beyond 16. Numbers may be big
 * numbers (tags 2, 3) and fractions (4, 5); beyond a double they are implausible. Tag 55799 in front is passed over.
 *
 * https://www.rfc-editor.org/rfc/rfc8428#section-6 */
#include "kit/cbor.h"
#include "kit/senml.h"

#include <string.h>

#define BYTES_MAX (256 * 1024)
#define SELF_DESCRIBED 55799
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

struct texts { /* room for those that are looked at */
    char bn[EG_SENML_NAME_MAX + 2], bu[EG_SENML_UNIT_MAX + 1], n[EG_SENML_NAME_MAX + 2],
        u[EG_SENML_UNIT_MAX + 1], other[2];
};

static enum eg_verdict wrong(const struct eg_cbor *cbor, struct eg_sink *sink)
{
    return REFUSE(sink, EG_MALFORMED, "no CBOR, cut off or nested too deep: before byte %zu",
                  (size_t)(cbor->at - cbor->begin));
}

static enum eg_senml_key key_of(int64_t label)
{
    static const enum eg_senml_key keys[] = {EG_SENML_BS, EG_SENML_BV,   EG_SENML_BU, EG_SENML_BT,
                                             EG_SENML_BN, EG_SENML_BVER, EG_SENML_N,  EG_SENML_U,
                                             EG_SENML_V,  EG_SENML_VS,   EG_SENML_VB, EG_SENML_S,
                                             EG_SENML_T,  EG_SENML_UT,   EG_SENML_VD};
    return label >= -6 && label <= 8 ? keys[label + 6] : EG_SENML_KEYS;
}

/* EG_SENML_KEYS: passed over. */
static enum eg_verdict read_key(struct eg_cbor *cbor, const struct eg_cbor_item *item, struct eg_sink *sink,
                                enum eg_senml_key *ret_key)
{
    char name[EG_SENML_NAME_MAX + 1];
    size_t length;
    *ret_key = EG_SENML_KEYS;
    if (item->kind == EG_CBOR_UNSIGNED || item->kind == EG_CBOR_NEGATIVE) {
        if (item->count <= 8)
            *ret_key =
                key_of(item->kind == EG_CBOR_UNSIGNED ? (int64_t)item->count : -1 - (int64_t)item->count);
        return EG_DECODED;
    }
    if (item->kind != EG_CBOR_TEXT)
        return REFUSE(sink, EG_MALFORMED, "a key is neither a number nor a text: before byte %zu",
                      (size_t)(cbor->at - cbor->begin));
    if (!eg_cbor_text(cbor, item, name, sizeof name, &length))
        return wrong(cbor, sink);
    if (length >= sizeof name)
        return REFUSE(sink, EG_MALFORMED, "a key of %zu bytes", length);
    *ret_key = eg_senml_key(name, length);
    return *ret_key == EG_SENML_KEYS ? eg_senml_pass(sink, name, length) : EG_DECODED;
}

static char *room_of(struct texts *texts, enum eg_senml_key key, size_t *ret_size)
{
    switch (key) {
    case EG_SENML_BN:
        *ret_size = sizeof texts->bn;
        return texts->bn;
    case EG_SENML_BU:
        *ret_size = sizeof texts->bu;
        return texts->bu;
    case EG_SENML_N:
        *ret_size = sizeof texts->n;
        return texts->n;
    case EG_SENML_U:
        *ret_size = sizeof texts->u;
        return texts->u;
    default:
        *ret_size = sizeof texts->other;
        return texts->other;
    }
}

static enum eg_verdict read_value(struct eg_cbor *cbor, enum eg_senml_key key, struct texts *texts,
                                  struct eg_senml_record *record, struct eg_sink *sink)
{
    const struct eg_cbor_item item = eg_cbor_next(cbor);
    enum eg_senml_kind kind = EG_SENML_OTHER;
    const char *text = NULL;
    double number = 0;
    bool broken = item.kind >= EG_CBOR_BREAK;
    if (!broken && item.kind == EG_CBOR_TEXT) {
        size_t length, size;
        char *room = room_of(texts, key, &size);
        broken = !eg_cbor_text(cbor, &item, room, size, &length);
        kind = EG_SENML_TEXT;
        text = room;
    } else if (!broken && (item.kind == EG_CBOR_BYTES || item.kind == EG_CBOR_BOOLEAN)) {
        broken = !eg_cbor_skip(cbor, &item);
        kind = item.kind == EG_CBOR_BYTES ? EG_SENML_DATA : EG_SENML_BOOLEAN;
    } else if (!broken) {
        kind = eg_cbor_number(cbor, item, &number, &broken) ? EG_SENML_NUMBER : EG_SENML_OTHER;
    }
    return broken ? wrong(cbor, sink) : eg_senml_give(record, key, kind, number, text, sink);
}

static enum eg_verdict read_record(struct eg_senml *senml, struct eg_cbor *cbor,
                                   const struct eg_cbor_item *map)
{
    struct texts texts;
    struct eg_senml_record record = {.given = {false}};
    if (map->kind >= EG_CBOR_END)
        return wrong(cbor, senml->sink);
    if (map->kind != EG_CBOR_MAP)
        return REFUSE(senml->sink, EG_MALFORMED, "a SenML record must be a CBOR map");
    for (uint64_t i = 0; map->indefinite || i < map->count; i++) {
        enum eg_senml_key key;
        const struct eg_cbor_item item = eg_cbor_next(cbor);
        if (item.kind == EG_CBOR_BREAK && map->indefinite)
            break;
        if (item.kind >= EG_CBOR_BREAK)
            return wrong(cbor, senml->sink);
        enum eg_verdict verdict = read_key(cbor, &item, senml->sink, &key);
        if (verdict == EG_DECODED && key != EG_SENML_KEYS)
            verdict = read_value(cbor, key, &texts, &record, senml->sink);
        if (verdict != EG_DECODED)
            return verdict;
        const struct eg_cbor_item passed =
            key == EG_SENML_KEYS ? eg_cbor_next(cbor) : (struct eg_cbor_item){.kind = EG_CBOR_OTHER};
        if (passed.kind >= EG_CBOR_BREAK || !eg_cbor_skip(cbor, &passed))
            return wrong(cbor, senml->sink);
    }
    return eg_senml_record(senml, &record);
}

static enum eg_verdict read_pack(struct eg_senml *senml, struct eg_cbor *cbor)
{
    struct eg_cbor_item pack = eg_cbor_next(cbor);
    if (pack.kind == EG_CBOR_TAG && pack.count == SELF_DESCRIBED)
        pack = eg_cbor_next(cbor);
    if (pack.kind >= EG_CBOR_END)
        return wrong(cbor, senml->sink);
    if (pack.kind != EG_CBOR_ARRAY)
        return REFUSE(senml->sink, EG_MALFORMED, "a SenML pack is a CBOR array of records");
    for (uint64_t i = 0; pack.indefinite || i < pack.count; i++) {
        const struct eg_cbor_item map = eg_cbor_next(cbor);
        if (map.kind == EG_CBOR_BREAK && pack.indefinite)
            break;
        const enum eg_verdict verdict = read_record(senml, cbor, &map);
        if (verdict != EG_DECODED)
            return verdict;
    }
    return cbor->at == cbor->end
               ? eg_senml_end(senml)
               : REFUSE(senml->sink, EG_MALFORMED, "something follows the array at byte %zu",
                        (size_t)(cbor->at - cbor->begin));
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    struct eg_senml senml;
    struct eg_senml_plan plain;
    const uint8_t *bytes = message->payload_len == 0 ? (const uint8_t *)"" : message->payload;
    struct eg_cbor cbor = {bytes, bytes, bytes + message->payload_len};
    eg_senml_begin(&senml, prepared, &plain, message, sink);
    if (message->payload_len == 0 || message->payload_len > BYTES_MAX)
        return REFUSE(sink, EG_MALFORMED, "%zu bytes; a pack has 1 to %d", message->payload_len, BYTES_MAX);
    return read_pack(&senml, &cbor);
}

extern const struct eg_driver eg_driver_senml_cbor;
const struct eg_driver eg_driver_senml_cbor = {
    .name = "senml-cbor",
    .about = "SenML in CBOR (RFC 8428)",
    .keys = "device_path fields",
    .prepare = eg_senml_prepare,
    .release = eg_senml_release,
    .decode = decode,
};
