/* A mail over SMTP, SMTPS or SMTP with STARTTLS: text and HTML of the same words. Knows letters and what SMTP's codes mean for whether to
 * try again; the protocol itself is libcurl's. Called by lanes.c. */
#include <notify/ways.h>
#include <base/hmac.h>

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORD_BYTES 42 /* of a title in one encoded word */

static void on_done(struct eg_transfer *transfer, CURLcode code)
{
    struct eg_ways *ways = transfer->user;
    struct eg_outcome outcome = {EG_ARRIVED, 0, ""};
    long status = 0;
    const char *why = *transfer->error ? transfer->error : transfer->curl->easy_strerror(code);
    transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->refused_private)
        eg_outcome_set(&outcome, EG_NEVER,
                       "its address is a private one; set private_network: true if that is meant");
    else if (code != CURLE_OK && status >= 500 && status < 600)
        eg_outcome_set(&outcome, EG_NEVER, "SMTP %ld: %.180s", status, why);
    else if (code != CURLE_OK)
        eg_outcome_set(&outcome, EG_AGAIN, "%.200s", why);
    ways->done(ways->user, transfer->ticket, &outcome);
}

static bool add_header(struct eg_transfer *transfer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool add_header(struct eg_transfer *transfer, const char *format, ...)
{
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    struct curl_slist *more = transfer->curl->slist_append(transfer->headers, line);
    transfer->headers = more ? more : transfer->headers;
    return more != NULL;
}

/* RFC 2047: encoded words of whole characters, folded. */
static bool add_subject(struct eg_transfer *transfer, const char *title)
{
    char line[1600] = "Subject:", coded[EG_BASE64_TEXT(WORD_BYTES)];
    size_t used = strlen(line);
    while (*title && used + sizeof coded + 20 < sizeof line) {
        size_t length = strlen(title);
        if (length > WORD_BYTES)
            for (length = WORD_BYTES; length && ((unsigned char)title[length] & 0xc0) == 0x80;)
                length--;
        if (!length)
            break;
        used += (size_t)snprintf(line + used, sizeof line - used,
                                 "%s =?UTF-8?B?%s?=", used > strlen("Subject:") ? "\r\n" : "",
                                 eg_base64((const uint8_t *)title, length, coded));
        title += length;
    }
    return add_header(transfer, "%s", line);
}

static bool add_date(struct eg_transfer *transfer, int64_t created_ms)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(created_ms / 1000);
    struct tm at;
    char text[64];
    if (!gmtime_r(&seconds, &at))
        return false;
    snprintf(text, sizeof text, "%.3s, %d %.3s %d %02d:%02d:%02d +0000", days + 3 * at.tm_wday, at.tm_mday,
             months + 3 * at.tm_mon, at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
    return add_header(transfer, "Date: %s", text);
}

/* Of the key, so that the same message twice is one to whoever looks at it. */
static bool add_id(struct eg_transfer *transfer, const char *key, const char *from)
{
    struct eg_sha256 sum;
    uint8_t hash[EG_SHA256_BYTES];
    char hex[2 * EG_SHA256_BYTES + 1], line[512];
    eg_sha256_init(&sum);
    eg_sha256_add(&sum, key, strlen(key));
    eg_sha256_end(&sum, hash);
    snprintf(line, sizeof line, "<%.32s@%s>", eg_hex(hash, sizeof hash, hex), strchr(from, '@') + 1);
    return add_header(transfer, "Message-ID: %s", line);
}

static bool escape(struct eg_buf *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            eg_buf_text(out, "&amp;");
            break;
        case '<':
            eg_buf_text(out, "&lt;");
            break;
        case '>':
            eg_buf_text(out, "&gt;");
            break;
        case '\n':
            eg_buf_text(out, "<br>\r\n");
            break;
        default:
            eg_buf_add(out, text, 1);
        }
    return !out->failed;
}

static bool write_html(struct eg_buf *out, const char *title, const char *text)
{
    eg_buf_init(out, (size_t)256 * 1024);
    eg_buf_text(out, "<!doctype html><html><head><meta charset=\"utf-8\"></head><body><h3>");
    escape(out, title);
    eg_buf_text(out, "</h3><p>");
    escape(out, text);
    return eg_buf_text(out, "</p></body></html>\r\n");
}

static bool add_part(struct eg_transfer *transfer, curl_mime *mime, const char *type, const char *data,
                     size_t length)
{
    curl_mimepart *part = transfer->curl->mime_addpart(mime);
    return part && transfer->curl->mime_data(part, data, length) == CURLE_OK &&
           transfer->curl->mime_type(part, type) == CURLE_OK &&
           transfer->curl->mime_encoder(part, "base64") == CURLE_OK;
}

static bool add_bodies(struct eg_transfer *transfer, const char *title, const char *text)
{
    struct eg_buf html;
    curl_mimepart *both;
    curl_mime *alternatives = transfer->curl->mime_init(transfer->easy);
    transfer->mime = transfer->curl->mime_init(transfer->easy);
    bool ok = write_html(&html, title, text) && alternatives &&
              add_part(transfer, alternatives, "text/plain; charset=utf-8", text, strlen(text)) &&
              add_part(transfer, alternatives, "text/html; charset=utf-8", html.data, html.length);
    eg_buf_finish(&html);
    both = transfer->mime ? transfer->curl->mime_addpart(transfer->mime) : NULL;
    if (!ok || !both || transfer->curl->mime_subparts(both, alternatives) != CURLE_OK) {
        transfer->curl->mime_free(alternatives);
        return false;
    }
    return transfer->curl->mime_type(both, "multipart/alternative") == CURLE_OK &&
           transfer->curl->easy_setopt(transfer->easy, CURLOPT_MIMEPOST, transfer->mime) == CURLE_OK;
}

static bool set_up(struct eg_transfer *transfer, const struct eg_conf_channel *channel,
                   const struct eg_parcel *parcel, const cJSON *message)
{
    CURL *easy = transfer->easy;
    const char *title = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "title")),
               *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "text"));
    title = title ? title : "ecogov";
    text = text ? text : "";
    transfer->private_network = channel->private_network;
    transfer->recipients = transfer->curl->slist_append(NULL, parcel->recipient);
    bool ok = transfer->recipients && add_header(transfer, "From: <%s>", channel->from) &&
              add_header(transfer, "To: <%s>", parcel->recipient) && add_subject(transfer, title) &&
              add_date(transfer, parcel->created_ms) && add_id(transfer, parcel->key, channel->from) &&
              add_header(transfer, "Auto-Submitted: %s", "auto-generated") &&
              add_bodies(transfer, title, text);
    transfer->curl->easy_setopt(easy, CURLOPT_URL, channel->url);
    transfer->curl->easy_setopt(easy, CURLOPT_MAIL_FROM, channel->from);
    transfer->curl->easy_setopt(easy, CURLOPT_MAIL_RCPT, transfer->recipients);
    transfer->curl->easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    if (channel->starttls && strncmp(channel->url, "smtp://", 7) == 0)
        transfer->curl->easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    if (channel->user) {
        transfer->curl->easy_setopt(easy, CURLOPT_USERNAME, channel->user);
        transfer->curl->easy_setopt(easy, CURLOPT_PASSWORD, channel->password);
    }
    return ok;
}

bool eg_by_mail(struct eg_ways *ways, const struct eg_conf_channel *channel, const struct eg_parcel *parcel,
                void *ticket, struct eg_outcome *ret)
{
    struct eg_err err = {0};
    cJSON *message = cJSON_Parse(parcel->body);
    struct eg_transfer *transfer = message
                                       ? eg_transfer_create(ways->transfers, channel->ca_file,
                                                            channel->tls_insecure, channel->timeout_ms, &err)
                                       : NULL;
    bool started = false;
    if (transfer) {
        transfer->done = on_done;
        transfer->user = ways;
        transfer->ticket = ticket;
        started = set_up(transfer, channel, parcel, message) && eg_transfer_start(ways->transfers, transfer);
        if (!started)
            eg_transfer_destroy(transfer);
    }
    cJSON_Delete(message);
    if (!started)
        eg_outcome_set(ret, EG_AGAIN, "%s", *err.text ? err.text : "no memory for a mail");
    return started;
}
