/* Reads and writes lines of a recording. Knows the format, not what is done with it. Called by replay.c and record.c. */
#include "recording.h"

#include <base/base64.h>
#include <base/json.h>
#include <base/utf8.h>
#include <ecogov/quantity.h>
#include <ecogov/reading.h>
#include <ecogov/time.h>

#include <cjson/cJSON.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* 0 when it is not there or no number. */
static int64_t whole_of(const cJSON *object, const char *key)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(number) ? number->valueint : 0;
}

static int parse_message(const cJSON *json, struct eg_recorded *out, struct eg_err *err)
{
    struct eg_message *message = &out->event.message;
    const char *payload = text_of(json, "payload"), *base64 = text_of(json, "payload_base64");
    out->event.kind = EG_EVENT_MESSAGE;
    message->topic = text_of(json, "topic");
    message->topic_len = strlen(message->topic);
    message->arrived_ms = out->event.now_ms;
    message->retain = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "retain"));
    message->qos = 1;
    if (base64) {
        out->bytes = eg_base64_read(base64, &message->payload_len);
        if (!out->bytes)
            return eg_err_set(err, EG_EINVAL, "payload_base64 is not base64 (RFC 4648)");
        message->payload = out->bytes;
        return EG_OK;
    }
    if (!payload)
        return eg_err_set(err, EG_EINVAL, "a message needs \"payload\" (text) or \"payload_base64\"");
    message->payload = (const uint8_t *)payload;
    message->payload_len = strlen(payload);
    return EG_OK;
}

static int parse_report(const cJSON *json, const cJSON *params, struct eg_recorded *out, struct eg_err *err)
{
    const char *quantity = text_of(params, "quantity"), *repair = text_of(params, "repair"),
               *time = text_of(params, "time");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, "value");
    struct eg_report *report = &out->event.report;
    out->event.kind = EG_EVENT_REPORT;
    *report = (struct eg_report){.site = text_of(params, "site"),
                                 .domain = text_of(params, "domain"),
                                 .device = text_of(params, "device"),
                                 .text = text_of(params, "text"),
                                 .reporter = text_of(params, "reporter"),
                                 .photo = text_of(params, "photo"),
                                 .case_id = text_of(params, "case"),
                                 .user = text_of(json, "user"),
                                 .party = text_of(params, "party"),
                                 .quantity = quantity ? eg_quantity_find(quantity, strlen(quantity))
                                                      : EG_QUANTITY_NONE,
                                 .value = cJSON_IsNumber(value) ? value->valuedouble : (double)NAN,
                                 .time_ms = EG_TIME_NONE,
                                 .latitude = NAN,
                                 .longitude = NAN,
                                 .repair = !repair                        ? EG_REPAIR_NONE
                                           : !strcmp(repair, "confirmed") ? EG_REPAIR_CONFIRMED
                                                                          : EG_REPAIR_DISPUTED};
    if (!report->site || !report->domain)
        return eg_err_set(err, EG_EINVAL, "reports.submit needs params.site and params.domain");
    if ((quantity && report->quantity == EG_QUANTITY_NONE) || (quantity != NULL) != isfinite(report->value))
        return eg_err_set(err, EG_EINVAL, "params.quantity is none, or has no params.value");
    if (!report->user)
        report->user = "replay";
    if (time && !eg_time_parse(time, strlen(time), &report->time_ms))
        return eg_err_set(err, EG_EINVAL, "params.time is no RFC 3339 time");
    return EG_OK;
}

static int parse_call(const cJSON *json, const char *call, struct eg_recorded *out, struct eg_err *err)
{
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(json, "params");
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(params, "version");
    const char *until = text_of(params, "until"), *starts = text_of(params, "starts");
    bool silence = !strncmp(call, "silences.", 9);
    bool device = !strcmp(call, "devices.retire") || !strcmp(call, "devices.restore");
    struct eg_command *command = &out->event.command;
    out->event.kind = EG_EVENT_COMMAND;
    *command = (struct eg_command){.case_id = text_of(params, "id"),
                                   .user = text_of(json, "user"),
                                   .note = text_of(params, "note"),
                                   .party = text_of(params, "party"),
                                   .reason = text_of(params, "reason"),
                                   .rule = text_of(params, "rule"),
                                   .site = text_of(params, "site"),
                                   .level = text_of(params, "level"),
                                   .faster = whole_of(params, "faster"),
                                   .domain = text_of(params, "domain"),
                                   .device = text_of(params, "device"),
                                   .quantity = text_of(params, "quantity"),
                                   .starts_ms = EG_TIME_NONE,
                                   .until_ms = EG_TIME_NONE,
                                   .version = -1};
    if (!strcmp(call, "reports.submit"))
        return parse_report(json, params, out, err);
    if (strncmp(call, "cases.", 6) != 0 && !silence && !device)
        return eg_err_set(err, EG_EINVAL,
                          "\"call\" is '%.60s': a recording may call cases.*, silences.*, devices.retire, "
                          "devices.restore and reports.submit only",
                          call);
    command->verb = silence  ? !strcmp(call, "silences.add") ? "silence" : "unsilence"
                    : device ? call + strlen("devices.")
                             : call + strlen("cases.");
    if (silence) {
        command->note = text_of(params, "reason");
        command->reason = NULL;
        until = text_of(params, "expires");
    }
    if (device && !command->device)
        return eg_err_set(err, EG_EINVAL, "%.60s needs params.device", call);
    if (!command->case_id && !device && strcmp(command->verb, "drill") != 0 &&
        strcmp(command->verb, "silence") != 0)
        return eg_err_set(err, EG_EINVAL, "%.60s needs params.id", call);
    if (!command->user)
        command->user = "replay";
    if (cJSON_IsNumber(version)) {
        if (!(version->valuedouble >= 0 && version->valuedouble <= UINT32_MAX))
            return eg_err_set(err, EG_EINVAL, "params.version is no version of a case");
        command->version = (int64_t)version->valuedouble;
    }
    if (until && !eg_time_parse(until, strlen(until), &command->until_ms))
        return eg_err_set(err, EG_EINVAL, "params.%s is no RFC 3339 time", silence ? "expires" : "until");
    if (starts && !eg_time_parse(starts, strlen(starts), &command->starts_ms))
        return eg_err_set(err, EG_EINVAL, "params.starts is no RFC 3339 time");
    return EG_OK;
}

static int parse_link(const char *link, struct eg_recorded *out, struct eg_err *err)
{
    out->event.kind = EG_EVENT_LINK;
    out->event.link_up = !strcmp(link, "up");
    return out->event.link_up || !strcmp(link, "down")
               ? EG_OK
               : eg_err_set(err, EG_EINVAL, "\"link\" is '%.40s': up or down is expected", link);
}

static int parse_clock(const cJSON *json, const char *clock, struct eg_recorded *out, struct eg_err *err)
{
    const char *was = text_of(json, "was");
    struct eg_clock_news *news = &out->event.clock;
    out->event.kind = EG_EVENT_CLOCK;
    *news = (struct eg_clock_news){.is = EG_CLOCK_DOUBTED, .why = "recorded"};
    if (!strcmp(clock, "doubted"))
        return EG_OK;
    news->is = EG_CLOCK_TRUSTED;
    if (strcmp(clock, "trusted") != 0)
        return eg_err_set(err, EG_EINVAL, "\"clock\" is '%.40s': doubted or trusted is expected", clock);
    if (!was || !eg_time_parse(was, strlen(was), &news->was_ms))
        return eg_err_set(err, EG_EINVAL, "a clock that is trusted has \"was\": what it showed until then");
    return EG_OK;
}

/* --- nearly every line of a recording is {"time":"…","topic":"…","payload":"…"} --- */

enum { TIME, TOPIC, PAYLOAD, PLAIN_TEXTS };
struct plain {
    const char *at, *end;
    char *to; /* where the next text goes */
    const char *texts[PLAIN_TEXTS];
    size_t payload_len;
};

static void skip_blanks(struct plain *plain)
{
    while (plain->at < plain->end && (*plain->at == ' ' || *plain->at == '\t'))
        plain->at++;
}

static bool take(struct plain *plain, char c)
{
    skip_blanks(plain);
    if (plain->at == plain->end || *plain->at != c)
        return false;
    plain->at++;
    return true;
}

/* A text, unescaped and with a NUL behind it; NULL: it is none, or not a plain one. */
static char *take_text(struct plain *plain, size_t *ret_length)
{
    static const char means[UCHAR_MAX + 1] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                              ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    char *text = plain->to, *to = text;
    if (!take(plain, '"'))
        return NULL;
    const char *at = plain->at, *end = plain->end;
    for (; at < end && *at != '"'; at++) {
        char c = *at;
        if ((unsigned char)c < ' ')
            return NULL;
        if (c == '\\' && (++at == end || !(c = means[(unsigned char)*at])))
            return NULL; /* \u, or none */
        *to++ = c;
    }
    *ret_length = (size_t)(to - text);
    *to++ = '\0'; /* there is room: of the quotation marks */
    plain->to = to;
    plain->at = at;
    return take(plain, '"') ? text : NULL;
}

static bool take_member(struct plain *plain)
{
    static const char *const keys[PLAIN_TEXTS] = {"time", "topic", "payload"};
    size_t length;
    const char *key = take_text(plain, &length);
    for (int i = 0; key && i < PLAIN_TEXTS; i++)
        if (!strcmp(key, keys[i]) && !plain->texts[i] && take(plain, ':'))
            return (plain->texts[i] = take_text(plain, i == PAYLOAD ? &plain->payload_len : &length)) != NULL;
    return false;
}

/* False: it is not so plain, and is read whole. */
static bool parse_plain(const char *line, size_t length, struct eg_recorded *ret)
{
    char *texts = malloc(length + 1);
    struct plain plain = {.at = line, .end = line + length, .to = texts};
    bool ok = texts && take(&plain, '{');
    for (int i = 0; ok && i < PLAIN_TEXTS; i++)
        ok = take_member(&plain) && take(&plain, i + 1 < PLAIN_TEXTS ? ',' : '}');
    if (ok)
        skip_blanks(&plain);
    ok = ok && (plain.at == plain.end || *plain.at == '\n') &&
         eg_time_parse(plain.texts[TIME], strlen(plain.texts[TIME]), &ret->event.now_ms);
    if (!ok) {
        free(texts);
        return false;
    }
    ret->bytes = (uint8_t *)texts;
    ret->event.kind = EG_EVENT_MESSAGE;
    ret->event.message = (struct eg_message){.topic = plain.texts[TOPIC],
                                             .topic_len = strlen(plain.texts[TOPIC]),
                                             .payload = (const uint8_t *)plain.texts[PAYLOAD],
                                             .payload_len = plain.payload_len,
                                             .arrived_ms = ret->event.now_ms,
                                             .qos = 1};
    return true;
}

int eg_recording_parse(const char *line, size_t length, struct eg_recorded *ret, struct eg_err *err)
{
    struct eg_recorded out = {.event = {.kind = EG_EVENT_TICK}};
    if (parse_plain(line, length, &out)) {
        *ret = out;
        return EG_OK;
    }
    cJSON *json = cJSON_ParseWithLength(line, length);
    const char *time = text_of(json, "time"), *call = text_of(json, "call");
    out.json = json;
    int code = EG_OK;
    if (!cJSON_IsObject(json))
        code = eg_err_set(err, EG_EINVAL, "not a JSON object");
    else if (!time || !eg_time_parse(time, strlen(time), &out.event.now_ms))
        code = eg_err_set(err, EG_EINVAL, "\"time\" is missing or no RFC 3339 time");
    else if (text_of(json, "topic"))
        code = parse_message(json, &out, err);
    else if (call)
        code = parse_call(json, call, &out, err);
    else if (text_of(json, "link"))
        code = parse_link(text_of(json, "link"), &out, err);
    else if (text_of(json, "clock"))
        code = parse_clock(json, text_of(json, "clock"), &out, err);
    if (code == EG_OK)
        *ret = out;
    else
        eg_recording_finish(&out);
    return code;
}

void eg_recording_finish(struct eg_recorded *recorded)
{
    cJSON_Delete(recorded->json);
    free(recorded->bytes);
    recorded->json = NULL;
    recorded->bytes = NULL;
}

void eg_recording_write(const struct eg_message *message, struct eg_buf *out)
{
    struct eg_json json;
    const char *payload = (const char *)message->payload;
    bool text = eg_utf8_valid(payload, message->payload_len) &&
                (!message->payload_len || !memchr(payload, 0, message->payload_len));
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_put_time(&json, "time", message->arrived_ms);
    eg_json_put_string(&json, "topic", message->topic);
    eg_json_key(&json, text ? "payload" : "payload_base64");
    if (text) {
        eg_json_string_n(&json, payload ? payload : "", message->payload_len);
    } else {
        eg_buf_text(out, "\"");
        eg_base64_write(message->payload, message->payload_len, out);
        eg_buf_text(out, "\"");
        json.comma = true;
    }
    if (message->retain)
        eg_json_put_bool(&json, "retain", true);
    eg_json_close(&json, '}');
    eg_buf_text(out, "\n");
}

void eg_recording_write_link(int64_t at_ms, bool up, struct eg_buf *out)
{
    struct eg_json json;
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_put_time(&json, "time", at_ms);
    eg_json_put_string(&json, "link", up ? "up" : "down");
    eg_json_close(&json, '}');
    eg_buf_text(out, "\n");
}

void eg_recording_write_clock(int64_t at_ms, const struct eg_clock_news *news, struct eg_buf *out)
{
    struct eg_json json;
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_put_time(&json, "time", at_ms);
    eg_json_put_string(&json, "clock", news->is == EG_CLOCK_TRUSTED ? "trusted" : "doubted");
    if (news->is == EG_CLOCK_TRUSTED)
        eg_json_put_time(&json, "was", news->was_ms);
    eg_json_close(&json, '}');
    eg_buf_text(out, "\n");
}
