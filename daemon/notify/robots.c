/* What receivers of webhooks want to be sent, how they want it signed, and what they answer: plain JSON and text, the robots of WeCom,
 * DingTalk and Feishu, ntfy, Slack and what is compatible, Alertmanager. Knows their documents; sends nothing. Called by by_webhook.c. */
#include <notify/ways.h>
#include <base/hmac.h>
#include <base/json.h>
#include <ecogov/time.h>

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTER_MAX ((size_t)512 * 1024)
#define ROBOT_TEXT 1900 /* bytes; the narrowest of them takes 2048 */

void eg_outcome_set(struct eg_outcome *outcome, enum eg_arrival fate, const char *format, ...)
{
    va_list args;
    outcome->fate = fate;
    outcome->retry_after_ms = 0;
    va_start(args, format);
    vsnprintf(outcome->text, sizeof outcome->text, format, args);
    va_end(args);
}

/* --- what they are sent --- */

static const char *text_of(const cJSON *message, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, key));
    return text ? text : "";
}

/* Title and text in one, cut to what robots take, between characters. */
static void put_both(struct eg_json *json, const cJSON *message, const char *before, const char *between)
{
    char both[ROBOT_TEXT + 1];
    int length = snprintf(both, sizeof both, "%s%s%s%s", before, text_of(message, "title"), between,
                          text_of(message, "text"));
    size_t used = length < (int)sizeof both ? (size_t)length : sizeof both - 1;
    if ((size_t)length >= sizeof both)
        while (used && ((unsigned char)both[used] & 0xc0) == 0x80)
            used--;
    both[used] = '\0';
    eg_json_string(json, both);
}

/* WeCom's and DingTalk's alike. */
static void write_text_content(struct eg_json *json, const cJSON *message)
{
    eg_json_open(json, '{');
    eg_json_put_string(json, "msgtype", "text");
    eg_json_key(json, "text");
    eg_json_open(json, '{');
    eg_json_key(json, "content");
    put_both(json, message, "", "\n");
    eg_json_close(json, '}');
    eg_json_close(json, '}');
}

/* The key is what is signed, and the text is empty: so Feishu says. */
static void sign_feishu(struct eg_json *json, const char *secret, int64_t now_ms)
{
    char stamp[24], key[5000], sign[EG_BASE64_TEXT(EG_SHA256_BYTES)];
    uint8_t sum[EG_SHA256_BYTES];
    snprintf(stamp, sizeof stamp, "%lld", (long long)(now_ms / 1000));
    int length = snprintf(key, sizeof key, "%s\n%s", stamp, secret);
    eg_hmac_sha256(key, (size_t)length, "", 0, sum);
    explicit_bzero(key, sizeof key);
    eg_json_put_string(json, "timestamp", stamp);
    eg_json_put_string(json, "sign", eg_base64(sum, sizeof sum, sign));
}

static void write_feishu(struct eg_json *json, const cJSON *message, const char *secret, int64_t now_ms)
{
    eg_json_open(json, '{');
    if (secret)
        sign_feishu(json, secret, now_ms);
    eg_json_put_string(json, "msg_type", "text");
    eg_json_key(json, "content");
    eg_json_open(json, '{');
    eg_json_key(json, "text");
    put_both(json, message, "", "\n");
    eg_json_close(json, '}');
    eg_json_close(json, '}');
}

static void write_slack(struct eg_json *json, const cJSON *message)
{
    eg_json_open(json, '{');
    eg_json_key(json, "text");
    put_both(json, message, "", "\n");
    eg_json_close(json, '}');
}

static void write_alertmanager(struct eg_json *json, const cJSON *message)
{
    static const char *const labels[] = {"case", "site", "domain", "device", "quantity", "channel", "party"};
    const char *why = text_of(message, "why");
    eg_json_open(json, '[');
    eg_json_open(json, '{');
    eg_json_key(json, "labels");
    eg_json_open(json, '{');
    eg_json_put_string(json, "alertname", text_of(message, "rule"));
    eg_json_put_string(json, "severity", text_of(message, "level"));
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (*text_of(message, labels[i]))
            eg_json_put_string(json, labels[i], text_of(message, labels[i]));
    eg_json_close(json, '}');
    eg_json_key(json, "annotations");
    eg_json_open(json, '{');
    eg_json_put_string(json, "summary", text_of(message, "title"));
    eg_json_put_string(json, "description", text_of(message, "text"));
    eg_json_close(json, '}');
    if (*text_of(message, "opened_at"))
        eg_json_put_string(json, "startsAt", text_of(message, "opened_at"));
    bool over = !strcmp(why, "caught_up") && !strcmp(text_of(message, "condition"), "ok"); /* told late */
    if (over || !strcmp(why, "recovered") || !strcmp(why, "ended"))
        eg_json_put_string(json, "endsAt", text_of(message, "at"));
    eg_json_close(json, '}');
    eg_json_close(json, ']');
}

static void add_header(struct eg_letter *letter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_header(struct eg_letter *letter, const char *format, ...)
{
    va_list args;
    if (letter->header_count == sizeof letter->headers / sizeof *letter->headers)
        return;
    va_start(args, format);
    vsnprintf(letter->headers[letter->header_count++], sizeof *letter->headers, format, args);
    va_end(args);
}

/* Headers of ntfy; a title beyond ASCII as an encoded word. */
static void write_ntfy(struct eg_letter *letter, const cJSON *message, const struct eg_parcel *parcel)
{
    static const char *const priorities[EG_LEVEL_COUNT] = {"3", "3", "4", "5"};
    const char *title = text_of(message, "title");
    char coded[EG_BASE64_TEXT(240)];
    size_t length = strlen(title);
    if (length > 240)
        for (length = 240; length && ((unsigned char)title[length] & 0xc0) == 0x80;)
            length--;
    add_header(letter, "X-Title: =?UTF-8?B?%s?=", eg_base64((const uint8_t *)title, length, coded));
    add_header(letter, "X-Priority: %s", priorities[parcel->level < EG_LEVEL_COUNT ? parcel->level : 0]);
    eg_buf_text(&letter->body, text_of(message, "text"));
    letter->content_type = "text/plain; charset=utf-8";
}

/* DingTalk's signature stands in the address. */
static void sign_dingtalk(struct eg_buf *url, const char *secret, int64_t now_ms)
{
    char text[5000], sign[EG_BASE64_TEXT(EG_SHA256_BYTES)];
    uint8_t sum[EG_SHA256_BYTES];
    int length = snprintf(text, sizeof text, "%lld\n%s", (long long)now_ms, secret);
    eg_hmac_sha256(secret, strlen(secret), text, (size_t)length, sum);
    explicit_bzero(text, sizeof text);
    eg_buf_printf(url, "%stimestamp=%lld&sign=", url->data && strchr(url->data, '?') ? "&" : "?",
                  (long long)now_ms);
    for (const char *at = eg_base64(sum, sizeof sum, sign); *at; at++)
        if (strchr("+/=", *at))
            eg_buf_printf(url, "%%%02X", (unsigned)*at);
        else
            eg_buf_add(url, at, 1);
}

/* Ours: over the body as it is sent. */
static void sign_plain(struct eg_letter *letter, const char *secret)
{
    uint8_t sum[EG_SHA256_BYTES];
    char hex[2 * EG_SHA256_BYTES + 1];
    eg_hmac_sha256(secret, strlen(secret), letter->body.data, letter->body.length, sum);
    add_header(letter, "X-Ecogov-Signature: sha256=%s", eg_hex(sum, sizeof sum, hex));
}

static void write_body(const struct eg_conf_channel *channel, const struct eg_parcel *parcel,
                       const cJSON *message, int64_t now_ms, struct eg_letter *letter)
{
    struct eg_json json;
    eg_json_init(&json, &letter->body);
    switch (channel->format) {
    case EG_FORMAT_JSON:
        eg_buf_text(&letter->body, parcel->body);
        break;
    case EG_FORMAT_TEXT:
        letter->content_type = "text/plain; charset=utf-8";
        eg_buf_printf(&letter->body, "%s\n%s\n", text_of(message, "title"), text_of(message, "text"));
        break;
    case EG_FORMAT_WECOM:
        write_text_content(&json, message);
        break;
    case EG_FORMAT_DINGTALK:
        write_text_content(&json, message);
        break;
    case EG_FORMAT_FEISHU:
        write_feishu(&json, message, channel->secret, now_ms);
        break;
    case EG_FORMAT_NTFY:
        write_ntfy(letter, message, parcel);
        break;
    case EG_FORMAT_SLACK:
        write_slack(&json, message);
        break;
    case EG_FORMAT_ALERTMANAGER:
        write_alertmanager(&json, message);
        break;
    case EG_FORMAT_COUNT:
        break;
    }
}

bool eg_robot_write(const struct eg_conf_channel *channel, const struct eg_parcel *parcel, int64_t now_ms,
                    struct eg_letter *ret)
{
    memset(ret, 0, sizeof *ret);
    eg_buf_init(&ret->body, LETTER_MAX);
    eg_buf_init(&ret->url, 8192);
    ret->content_type = "application/json; charset=utf-8";
    cJSON *message = cJSON_Parse(parcel->body);
    if (!message)
        return false;
    eg_buf_text(&ret->url, channel->url);
    eg_buf_text(&ret->body, "");
    write_body(channel, parcel, message, now_ms, ret);
    cJSON_Delete(message);
    if (channel->secret && channel->format == EG_FORMAT_DINGTALK)
        sign_dingtalk(&ret->url, channel->secret, now_ms);
    if (channel->secret && (channel->format == EG_FORMAT_JSON || channel->format == EG_FORMAT_TEXT))
        sign_plain(ret, channel->secret);
    return !ret->body.failed && !ret->url.failed;
}

/* --- what they answer --- */

static bool passes(double code)
{
    /* too many in a minute, or a trouble of theirs: WeCom, DingTalk, Feishu */
    static const int later[] = {-1, 45009, 130101, 130102, 410100, 9499, 11232, 11247};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (code == later[i])
            return true;
    return false;
}

/* A robot says 200 to everything, and means what its JSON says. What is no JSON came from somebody in between. */
static void judge_robot(const char *reply, size_t length, struct eg_outcome *ret)
{
    static const char *const keys[] = {"errcode", "code", "StatusCode"}, *const texts[] = {"errmsg", "msg",
                                                                                           "StatusMessage"};
    cJSON *answer = cJSON_ParseWithLength(reply, length);
    const cJSON *code = NULL, *text = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !cJSON_IsNumber(code); i++) {
        code = cJSON_GetObjectItemCaseSensitive(answer, keys[i]);
        text = cJSON_GetObjectItemCaseSensitive(answer, texts[i]);
    }
    if (!cJSON_IsNumber(code))
        eg_outcome_set(ret, EG_AGAIN, "the answer is not the robot's: is there a portal in between?");
    else if (code->valuedouble == 0)
        eg_outcome_set(ret, EG_ARRIVED, "%s", "");
    else
        eg_outcome_set(ret, passes(code->valuedouble) ? EG_AGAIN : EG_NEVER, "the robot says %.0f: %.150s",
                       code->valuedouble, cJSON_IsString(text) ? text->valuestring : "");
    cJSON_Delete(answer);
}

void eg_robot_judge(enum eg_format format, long status, const char *reply, size_t length,
                    struct eg_outcome *ret)
{
    bool robot = format == EG_FORMAT_WECOM || format == EG_FORMAT_DINGTALK || format == EG_FORMAT_FEISHU;
    if (status >= 200 && status < 300 && robot)
        judge_robot(reply, length, ret);
    else if (status >= 200 && status < 300)
        eg_outcome_set(ret, EG_ARRIVED, "%s", "");
    else if (status >= 300 && status < 400)
        eg_outcome_set(ret, EG_NEVER, "HTTP %ld: redirects are not followed; put the new address into url",
                       status);
    else if (status >= 400 && status < 500 && status != 408 && status != 425 && status != 429)
        eg_outcome_set(ret, EG_NEVER, "HTTP %ld", status);
    else
        eg_outcome_set(ret, EG_AGAIN, status ? "HTTP %ld" : "no HTTP (%ld)", status);
}
