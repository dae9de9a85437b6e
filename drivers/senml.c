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
#include "kit/json_tree.h"
#include "kit/senml.h"

#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

static enum eg_senml_kind kind_of(const cJSON *item, enum eg_senml_key key)
{
    if (cJSON_IsNumber(item))
        return EG_SENML_NUMBER;
    if (cJSON_IsString(item)) /* data is base64 in JSON */
        return key == EG_SENML_VD ? EG_SENML_DATA : EG_SENML_TEXT;
    return cJSON_IsBool(item) ? EG_SENML_BOOLEAN : EG_SENML_OTHER;
}

static enum eg_verdict read_record(struct eg_senml *senml, const cJSON *from)
{
    struct eg_senml_record record = {.given = {false}};
    enum eg_verdict verdict = EG_DECODED;
    if (!cJSON_IsObject(from))
        return REFUSE(senml->sink, EG_MALFORMED, "a SenML record must be a JSON object");
    for (const cJSON *item = from->child; item != NULL && verdict == EG_DECODED; item = item->next) {
        const size_t length = strlen(item->string);
        const enum eg_senml_key key = eg_senml_key(item->string, length);
        verdict = key == EG_SENML_KEYS ? eg_senml_pass(senml->sink, item->string, length)
                                       : eg_senml_give(&record, key, kind_of(item, key), item->valuedouble,
                                                       item->valuestring, senml->sink);
    }
    return verdict == EG_DECODED ? eg_senml_record(senml, &record) : verdict;
}

static enum eg_verdict read_pack(struct eg_senml *senml, const cJSON *pack)
{
    enum eg_verdict verdict = EG_DECODED;
    if (!cJSON_IsArray(pack))
        return REFUSE(senml->sink, EG_MALFORMED, "a SenML pack is a JSON array of records");
    for (const cJSON *record = pack->child; record != NULL && verdict == EG_DECODED; record = record->next)
        verdict = read_record(senml, record);
    return verdict == EG_DECODED ? eg_senml_end(senml) : verdict;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    struct eg_senml senml;
    struct eg_senml_plan plain;
    eg_senml_begin(&senml, prepared, &plain, message, sink);
    struct eg_json_tree tree;
    if (eg_json_tree_read(&tree, message->payload, message->payload_len, sink) != EG_DECODED)
        return EG_MALFORMED;
    const enum eg_verdict verdict = read_pack(&senml, tree.root);
    eg_json_tree_finish(&tree);
    return verdict;
}

extern const struct eg_driver eg_driver_senml;
const struct eg_driver eg_driver_senml = {
    .name = "senml",
    .about = "SenML in JSON (RFC 8428)",
    .keys = "device_path fields",
    .prepare = eg_senml_prepare,
    .release = eg_senml_release,
    .decode = decode,
};
