/* Knows the envelope of JSON-RPC 2.0: requests, notifications, batches, ids, error objects. Refuses to know
 * sockets (server.c) and what a method does (m_*.c): the fuzzer calls it with no socket around. Called by
 * peer.c. */
#include <api/rpc.h>
#include <api/methods.h>
#include <api/nearest.h>
#include <base/utf8.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static void open_answer(struct eg_json *json, const char *id)
{
    eg_json_open(json, '{');
    eg_json_put_string(json, "jsonrpc", "2.0");
    eg_json_key(json, "id");
    eg_json_raw(json, id);
}

static void write_error(struct eg_json *json, const char *id, int code, const char *sentence)
{
    open_answer(json, id);
    eg_json_key(json, "error");
    eg_json_open(json, '{');
    eg_json_put_int(json, "code", code);
    eg_json_put_string(json, "message", sentence);
    eg_json_close(json, '}');
    eg_json_close(json, '}');
}

void eg_rpc_refuse(struct eg_buf *out, int code, const char *sentence)
{
    struct eg_json json;
    eg_json_init(&json, out);
    write_error(&json, "null", code, sentence);
    eg_buf_text(out, "\n");
}

/* --- putting answers into the reply --- */

static void begin_answer(struct eg_rpc_reply *reply, struct eg_json *json)
{
    if (reply->array)
        eg_buf_text(&reply->text, reply->answers ? "," : "[");
    reply->answers++;
    eg_json_init(json, &reply->text);
}

static void rewind_to(struct eg_buf *text, size_t mark)
{
    text->length = mark;
    text->failed = false;
    if (text->data)
        text->data[mark] = '\0';
}

/* What does not fit is answered by a sentence instead: half an answer is no answer. */
static void end_answer(struct eg_rpc_reply *reply, size_t mark, const char *id)
{
    if (!reply->text.failed)
        return;
    struct eg_json json;
    rewind_to(&reply->text, mark);
    eg_json_init(&json, &reply->text);
    write_error(
        &json, id, EG_RPC_BUSY,
        "The answer is longer than may be sent in one go; ask for less by site, device, quantity or limit.");
}

static void add_error(struct eg_rpc_reply *reply, const char *id, int code, const char *sentence)
{
    struct eg_json json;
    begin_answer(reply, &json);
    size_t mark = reply->text.length;
    write_error(&json, id, code, sentence);
    end_answer(reply, mark, id);
}

static void close_reply(struct eg_rpc_reply *reply)
{
    if (reply->answers == 0)
        return;
    eg_buf_text(&reply->text, reply->array ? "]\n" : "\n");
}

bool eg_rpc_complete(const struct eg_client *client)
{
    return client->reply.pending_count == 0;
}

/* --- one call --- */

/* The id as JSON text; false when it is none (objects, arrays, booleans, too long). */
static bool take_id(const cJSON *value, char out[EG_RPC_ID_MAX])
{
    struct eg_buf text;
    struct eg_json json;
    eg_buf_init(&text, EG_RPC_ID_MAX - 1);
    eg_json_init(&json, &text);
    if (cJSON_IsString(value))
        eg_json_string(&json, value->valuestring);
    else if (cJSON_IsNumber(value) && isfinite(value->valuedouble))
        eg_json_number(&json, value->valuedouble);
    else
        eg_json_null(&json);
    bool good = !text.failed && (cJSON_IsString(value) || cJSON_IsNull(value) ||
                                 (cJSON_IsNumber(value) && isfinite(value->valuedouble)));
    snprintf(out, EG_RPC_ID_MAX, "%s", good ? text.data : "null");
    eg_buf_finish(&text);
    return good;
}

static int fail_method(struct eg_call *call, const char *name)
{
    struct eg_nearest nearest;
    char hint[96];
    eg_nearest_init(&nearest, name);
    for (size_t i = 0; eg_methods_at(i); i++)
        eg_nearest_offer(&nearest, eg_methods_at(i)->name);
    return eg_call_fail(call, EG_RPC_METHOD, "There is no method \"%.64s\"%s", name,
                        eg_nearest_end(&nearest, hint, sizeof hint));
}

static int check_call(struct eg_call *call, const cJSON *request, bool in_batch)
{
    const cJSON *method = cJSON_GetObjectItemCaseSensitive(request, "method");
    call->method = eg_methods_find(method->valuestring);
    if (!call->method)
        return fail_method(call, method->valuestring);
    if (call->method->alone && in_batch)
        return eg_call_fail(call, EG_RPC_REQUEST,
                            "%s goes on speaking after its answer: call it on a line of its own.",
                            call->method->name);
    if (call->method->writes && !eg_client_may_write(call->desk, call->client) &&
        !(call->method->handler == eg_m_report && eg_client_may_report(call->desk, call->client)))
        return eg_call_fail(
            call, EG_RPC_FORBIDDEN,
            "%s may not write: only root, the daemon's own user and those in socket.supervisors may.",
            eg_client_user(call->client));
    return eg_call_check(call, cJSON_GetObjectItemCaseSensitive(request, "params"));
}

static void add_pending(struct eg_rpc_reply *reply, uint64_t ticket, const char *id)
{
    struct eg_rpc_pending *pending = &reply->pending[reply->pending_count++];
    pending->ticket = ticket;
    snprintf(pending->id, sizeof pending->id, "%s", id);
}

static void run_asked(struct eg_call *call, const char *id)
{
    struct eg_rpc_reply *reply = &call->client->reply;
    struct eg_buf *text = &reply->text;
    struct eg_json json;
    size_t before = text->length;

    begin_answer(reply, &json);
    size_t mark = text->length;
    open_answer(&json, id);
    eg_json_key(&json, "result");
    call->json = &json;
    int code = call->method->handler(call);
    if (code == EG_CALL_LATER) { /* its answer comes in its own time: leave no trace of the attempt */
        rewind_to(text, before);
        reply->answers--;
        add_pending(reply, call->ticket, id);
        return;
    }
    if (code < 0) {
        rewind_to(text, mark);
        eg_json_init(&json, text);
        write_error(&json, id, code, call->sentence);
    } else {
        eg_json_close(&json, '}');
    }
    end_answer(reply, mark, id);
}

/* Nobody waits: writes are done all the same, reads would go nowhere. */
static void run_unasked(struct eg_call *call)
{
    if (!call->method->writes)
        return;
    struct eg_buf nowhere;
    struct eg_json json;
    eg_buf_init(&nowhere, 0);
    eg_json_init(&json, &nowhere);
    call->json = &json;
    call->method->handler(call);
    eg_buf_finish(&nowhere);
}

static void run_request(struct eg_desk *desk, struct eg_client *client, const cJSON *request, bool in_batch)
{
    struct eg_rpc_reply *reply = &client->reply;
    char id[EG_RPC_ID_MAX] = "null";
    const cJSON *id_value = cJSON_GetObjectItemCaseSensitive(request, "id");
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(request, "jsonrpc");
    const cJSON *method = cJSON_GetObjectItemCaseSensitive(request, "method");
    bool good_id = !id_value || take_id(id_value, id);

    if (!cJSON_IsObject(request))
        add_error(reply, "null", EG_RPC_REQUEST,
                  "A call is a JSON object with jsonrpc, id, method and params.");
    else if (!good_id)
        add_error(reply, "null", EG_RPC_REQUEST,
                  "\"id\" must be a text of at most 150 bytes, a number or null.");
    else if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
        add_error(reply, id, EG_RPC_REQUEST, "\"jsonrpc\" must be \"2.0\".");
    else if (!cJSON_IsString(method))
        add_error(reply, id, EG_RPC_REQUEST, "\"method\" must be a text: the name of a method.");
    else {
        struct eg_call call = {.desk = desk, .client = client, .asked = id_value != NULL};
        desk->door->state(desk->door->user, &call.state);
        int code = check_call(&call, request, in_batch);
        if (code < 0 && call.asked)
            add_error(reply, id, code, call.sentence);
        else if (code == 0 && call.asked)
            run_asked(&call, id);
        else if (code == 0)
            run_unasked(&call);
    }
}

/* --- one line --- */

/* cJSON ends a text at an escaped U+0000; what would be cut short is refused instead. */
static bool holds_nul(const char *line, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        if (line[i] != '\\')
            continue;
        if (length - i >= 6 && memcmp(line + i + 1, "u0000", 5) == 0)
            return true;
        i++;
    }
    return memchr(line, '\0', length) != NULL;
}

static cJSON *parse(const char *line, size_t length)
{
    if (!eg_utf8_valid(line, length) || holds_nul(line, length))
        return NULL;
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(line, length, &end, false);
    if (!root)
        return NULL;
    for (; end < line + length; end++)
        if (!strchr(" \t\r\n", *end)) {
            cJSON_Delete(root);
            return NULL;
        }
    return root;
}

static void run_batch(struct eg_desk *desk, struct eg_client *client, const cJSON *root)
{
    struct eg_rpc_reply *reply = &client->reply;
    char sentence[96];
    int size = cJSON_GetArraySize(root);
    if (size == 0) {
        add_error(reply, "null", EG_RPC_REQUEST, "The batch is empty.");
        return;
    }
    if (size > EG_RPC_BATCH_MAX) {
        snprintf(sentence, sizeof sentence, "The batch holds %d calls; at most %d are taken.", size,
                 EG_RPC_BATCH_MAX);
        add_error(reply, "null", EG_RPC_REQUEST, sentence);
        return;
    }
    reply->array = true;
    const cJSON *request;
    cJSON_ArrayForEach(request, root) run_request(desk, client, request, true);
}

bool eg_rpc_line(struct eg_desk *desk, struct eg_client *client, const char *line, size_t length)
{
    struct eg_rpc_reply *reply = &client->reply;
    eg_buf_clear(&reply->text);
    reply->array = false;
    reply->answers = 0;
    reply->pending_count = 0;

    size_t blank = 0;
    while (blank < length && strchr(" \t\r", line[blank]) && line[blank])
        blank++;
    if (blank == length)
        return true;

    cJSON *root = parse(line, length);
    if (!root)
        add_error(reply, "null", EG_RPC_PARSE, "The line is not valid JSON in UTF-8 without U+0000.");
    else if (cJSON_IsArray(root))
        run_batch(desk, client, root);
    else
        run_request(desk, client, root, false);
    cJSON_Delete(root);
    if (!eg_rpc_complete(client))
        return false;
    close_reply(reply);
    return true;
}

/* --- what comes later --- */

static void write_case(struct eg_desk *desk, struct eg_rpc_reply *reply, const char *id, uint32_t number)
{
    char key[16];
    struct eg_case row;
    struct eg_err err = {.code = EG_EBUSY, .text = "It is done, but the store cannot be read now."};
    snprintf(key, sizeof key, "%lu", (unsigned long)number);
    if (!desk->reader || eg_reader_case(desk->reader, key, &row, &err) < 0) {
        add_error(reply, id, EG_RPC_INTERNAL, err.text);
        return;
    }
    struct eg_json json;
    begin_answer(reply, &json);
    size_t mark = reply->text.length;
    open_answer(&json, id);
    eg_json_key(&json, "result");
    eg_json_open(&json, '{');
    eg_m_cases_write(desk, &json, &row);
    eg_json_close(&json, '}');
    eg_json_close(&json, '}');
    end_answer(reply, mark, id);
}

static bool take_pending(struct eg_rpc_reply *reply, uint64_t ticket, struct eg_rpc_pending *ret)
{
    size_t i = 0;
    while (i < reply->pending_count && reply->pending[i].ticket != ticket)
        i++;
    if (i == reply->pending_count || ticket == 0)
        return false;
    *ret = reply->pending[i];
    reply->pending[i] = reply->pending[--reply->pending_count];
    return true;
}

bool eg_rpc_told(struct eg_client *client, uint64_t ticket, int code, const char *text)
{
    struct eg_rpc_reply *reply = &client->reply;
    struct eg_rpc_pending done;
    struct eg_json json;
    if (!take_pending(reply, ticket, &done))
        return false;
    if (code < 0) {
        add_error(reply, done.id, code, text);
    } else {
        begin_answer(reply, &json);
        size_t mark = reply->text.length;
        open_answer(&json, done.id);
        eg_json_key(&json, "result");
        eg_json_raw(&json, text);
        eg_json_close(&json, '}');
        end_answer(reply, mark, done.id);
    }
    if (eg_rpc_complete(client))
        close_reply(reply);
    return true;
}

static void write_done(struct eg_desk *desk, struct eg_rpc_reply *reply, const char *id,
                       const struct eg_answer *answer)
{
    struct eg_json json;
    if (answer->case_number) {
        write_case(desk, reply, id, answer->case_number);
        return;
    }
    begin_answer(reply, &json);
    size_t mark = reply->text.length;
    open_answer(&json, id);
    eg_json_key(&json, "result");
    if (answer->result) {
        eg_json_raw(&json, answer->result);
        eg_json_close(&json, '}');
        end_answer(reply, mark, id);
        return;
    }
    eg_json_open(&json, '{');
    if (answer->report)
        eg_json_put_string(&json, "id", NULL);
    else
        eg_json_put_int(&json, "imported", answer->imported);
    if (!answer->report)
        eg_json_put_int(&json, "duplicate", answer->duplicate);
    eg_json_close(&json, '}');
    eg_json_close(&json, '}');
    end_answer(reply, mark, id);
}

bool eg_rpc_answer(struct eg_desk *desk, struct eg_client *client, const struct eg_answer *answer)
{
    struct eg_rpc_reply *reply = &client->reply;
    struct eg_rpc_pending done;
    if (!take_pending(reply, answer->ticket, &done))
        return false;
    if (answer->code == EG_OK)
        write_done(desk, reply, done.id, answer);
    else
        add_error(reply, done.id, eg_call_code(answer->code),
                  answer->sentence ? answer->sentence : "Refused.");
    if (eg_rpc_complete(client))
        close_reply(reply);
    return true;
}

void eg_rpc_stream(struct eg_desk *desk, struct eg_client *client, struct eg_buf *out)
{
    struct eg_rpc_reply *reply = &client->reply;
    char sentence[512];
    uint64_t rows = 0;
    int code = eg_m_export_bite(desk, client->stream, out, &rows, sentence, sizeof sentence);
    if (code == 0)
        return;
    eg_m_export_close(desk, client->stream);
    client->stream = NULL;
    const char *id = reply->pending[0].id;
    if (code < 0) {
        add_error(reply, id, code, sentence);
    } else {
        struct eg_json json;
        begin_answer(reply, &json);
        open_answer(&json, id);
        eg_json_key(&json, "result");
        eg_json_open(&json, '{');
        eg_json_put_int(&json, "rows", (int64_t)rows);
        eg_json_close(&json, '}');
        eg_json_close(&json, '}');
    }
    reply->pending_count = 0;
    close_reply(reply);
}
