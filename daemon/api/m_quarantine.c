/* Knows what was put aside because it could not be read, as the outside sees it. Refuses to know why a driver
 * refused. Called by the table in methods.c. */
#include <api/methods.h>
#include <base/utf8.h>

#include <stdio.h>
#include <string.h>

#define LIST_DEFAULT 50
#define PREVIEW_CHARS 200

struct listing {
    struct eg_json *json;
    size_t rows, most;
    int64_t last;
    bool more, whole;
};

/* As text, cut behind `most` characters. A byte that is no UTF-8 counts as one. */
static size_t preview(const uint8_t *bytes, size_t length, size_t most)
{
    size_t at = 0;
    for (size_t chars = 0; at < length && chars < most; chars++) {
        at++;
        while (at < length && (bytes[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

static void put_base64(struct eg_json *json, const char *key, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct eg_buf text;
    eg_buf_init(&text, 2 * (size_t)EG_QUARANTINE_BYTES);
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        char out[4] = {digits[group >> 18], digits[group >> 12 & 63],
                       left > 1 ? digits[group >> 6 & 63] : '=', left > 2 ? digits[group & 63] : '='};
        eg_buf_add(&text, out, sizeof out);
    }
    eg_json_key(json, key);
    eg_json_string_n(json, text.data ? text.data : "", text.length);
    eg_buf_finish(&text);
}

static void put_text(struct eg_json *json, const char *key, const uint8_t *bytes, size_t length)
{
    eg_json_key(json, key);
    eg_json_string_n(json, length ? (const char *)bytes : "", length);
}

static bool write_entry(void *arg, const struct eg_quarantine_view *row)
{
    struct listing *listing = arg;
    struct eg_json *json = listing->json;
    if (listing->rows == listing->most) {
        listing->more = true;
        return false;
    }
    listing->rows++;
    listing->last = row->id;
    eg_json_open(json, '{');
    eg_json_put_int(json, "id", row->id);
    eg_json_put_time(json, "time", row->at_ms);
    eg_json_put_string(json, "topic", row->topic);
    eg_json_put_string(json, "source", row->source && row->source[0] ? row->source : NULL);
    eg_json_put_string(json, "verdict", row->verdict);
    eg_json_put_string(json, "reason", row->reason);
    eg_json_put_int(json, "bytes", (int64_t)row->full_len);
    eg_json_put_bool(json, "retain", row->retain);
    if (listing->whole) {
        eg_json_put_int(json, "stored_bytes", (int64_t)row->payload_len);
        if (row->payload_len == 0 || eg_utf8_valid((const char *)row->payload, row->payload_len))
            put_text(json, "payload", row->payload, row->payload_len);
        else
            put_base64(json, "payload_base64", row->payload, row->payload_len);
    } else {
        put_text(json, "payload", row->payload, preview(row->payload, row->payload_len, PREVIEW_CHARS));
    }
    eg_json_close(json, '}');
    return !json->out->failed;
}

int eg_m_quarantine_list(struct eg_call *call)
{
    struct listing listing = {.json = call->json, .most = (size_t)eg_call_int(call, "limit", LIST_DEFAULT)};
    struct eg_err err = {0};
    if (!call->desk->reader)
        return eg_call_no_store(call);
    eg_json_open(call->json, '{');
    eg_json_key(call->json, "entries");
    eg_json_open(call->json, '[');
    if (eg_reader_quarantine(call->desk->reader, 0, eg_call_int(call, "cursor", 0), listing.most + 1,
                             write_entry, &listing, &err) < 0)
        return eg_call_fail_err(call, &err);
    eg_json_close(call->json, ']');
    char next[24];
    snprintf(next, sizeof next, "%lld", (long long)listing.last);
    eg_json_put_string(call->json, "next", listing.more ? next : NULL);
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}

int eg_m_quarantine_show(struct eg_call *call)
{
    struct listing listing = {.json = call->json, .most = 1, .whole = true};
    struct eg_err err = {0};
    int64_t id = eg_call_int(call, "id", 0);
    if (!call->desk->reader)
        return eg_call_no_store(call);
    if (eg_reader_quarantine(call->desk->reader, id, 0, 1, write_entry, &listing, &err) < 0)
        return eg_call_fail_err(call, &err);
    if (listing.rows == 0)
        return eg_call_fail(call, EG_RPC_NOT_FOUND,
                            "There is no quarantined payload %lld; the oldest give way to new ones.",
                            (long long)id);
    return EG_CALL_DONE;
}
