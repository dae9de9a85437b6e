/* Knows what was put aside because it could not be read, as the outside sees it, and hands it in once more. Refuses to know why a
 * driver refused. Called by the table in methods.c. */
#include <api/methods.h>
#include <base/base64.h>
#include <base/utf8.h>

#include <stdio.h>
#include <stdlib.h>
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
    struct eg_buf text;
    eg_buf_init(&text, 2 * (size_t)EG_QUARANTINE_BYTES);
    eg_base64_write(bytes, length, &text);
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
        bool text = row->payload_len == 0 || (eg_utf8_valid((const char *)row->payload, row->payload_len) &&
                                              !memchr(row->payload, 0, row->payload_len));
        if (text)
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

/* --- once more --- */

struct gathering {
    struct eg_retry_row rows[EG_RETRY_ROWS];
    size_t count;
    bool more, failed;
    char *topics[EG_RETRY_ROWS]; /* Owned, like the payloads */
    uint8_t *payloads[EG_RETRY_ROWS];
};

static bool gather_entry(void *arg, const struct eg_quarantine_view *view)
{
    struct gathering *gathering = arg;
    size_t at = gathering->count;
    if (at == EG_RETRY_ROWS) {
        gathering->more = true;
        return false;
    }
    gathering->count++;
    char *topic = gathering->topics[at] = strdup(view->topic ? view->topic : "");
    uint8_t *payload = gathering->payloads[at] = malloc(view->payload_len ? view->payload_len : 1);
    if (!topic || !payload) {
        gathering->failed = true;
        return false;
    }
    if (view->payload_len)
        memcpy(payload, view->payload, view->payload_len);
    gathering->rows[at] =
        (struct eg_retry_row){.id = view->id,
                              .rejected = view->verdict && !strcmp(view->verdict, "rejected"),
                              .full_len = view->full_len,
                              .message = {.topic = topic,
                                          .topic_len = strlen(topic),
                                          .payload = payload,
                                          .payload_len = view->payload_len,
                                          .arrived_ms = view->at_ms,
                                          .retain = view->retain}};
    return true;
}

static int hand_in(struct eg_call *call, const struct gathering *gathering, int64_t id)
{
    struct eg_desk *desk = call->desk;
    if (id && !gathering->count)
        return eg_call_fail(call, EG_RPC_NOT_FOUND,
                            "There is no quarantined payload %lld; the oldest give way to new ones.",
                            (long long)id);
    if (gathering->failed)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the payloads.");
    const struct eg_retry retry = {.rows = gathering->rows,
                                   .count = gathering->count,
                                   .one = id != 0,
                                   .next = gathering->more ? gathering->rows[gathering->count - 1].id : 0,
                                   .ticket = ++desk->last_ticket};
    desk->retrying = call->ticket = retry.ticket;
    if (desk->door->retry && desk->door->retry(desk->door->user, &retry))
        return EG_CALL_LATER;
    desk->retrying = 0;
    return eg_call_full(call);
}

int eg_m_quarantine_retry(struct eg_call *call)
{
    struct eg_err err = {0};
    int64_t id = eg_call_int(call, "id", 0);
    const char *source = eg_call_text(call, "source");
    if (!!id + !!source + eg_call_bool(call, "all") != 1)
        return eg_call_fail(call, EG_RPC_PARAMS,
                            "quarantine.retry takes one of id, source and all: say which payloads.");
    if (!call->desk->reader)
        return eg_call_no_store(call);
    if (call->desk->retrying)
        return eg_call_fail(call, EG_RPC_BUSY, "A retry is under way; ask again in a moment.");
    struct gathering *gathering = calloc(1, sizeof *gathering);
    if (!gathering)
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the payloads.");
    int code = id ? eg_reader_quarantine(call->desk->reader, id, 0, 1, gather_entry, gathering, &err)
                  : eg_reader_quarantined(call->desk->reader, eg_call_int(call, "cursor", 0), source,
                                          EG_RETRY_ROWS + 1, gather_entry, gathering, &err);
    code = code < 0 ? eg_call_fail_err(call, &err) : hand_in(call, gathering, id);
    for (size_t i = 0; i < gathering->count; i++) {
        free(gathering->topics[i]);
        free(gathering->payloads[i]);
    }
    free(gathering);
    return code;
}
