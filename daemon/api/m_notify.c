/* Knows what a party would be told of a case, and how to try its channels. Refuses to know how anything is sent. Called by the table in
 * methods.c. */
#include <api/methods.h>

#include <string.h>

#define WORDS_MAX ((size_t)16 * 1024)

static void write_message(struct eg_call *call, const struct eg_case *row, const struct eg_conf_party *party)
{
    struct eg_json *json = call->json;
    struct eg_buf title, text, line;
    struct eg_buf *const bufs[] = {&title, &text, &line};
    static const char *const keys[] = {"title", "text", "line"};
    for (size_t i = 0; i < 3; i++) {
        eg_buf_init(bufs[i], WORDS_MAX);
        eg_buf_text(bufs[i], "");
    }
    eg_pipeline_preview(call->desk->conf, row, party->id, call->state.now_ms, &title, &text, &line);
    eg_json_open(json, '{');
    eg_json_put_string(json, "party", party->id);
    eg_json_put_string(json, "language", eg_language_name(party->language));
    for (size_t i = 0; i < 3; i++) {
        eg_json_put_string(json, keys[i], bufs[i]->data);
        eg_buf_finish(bufs[i]);
    }
    eg_json_close(json, '}');
}

/* The parties of the site, or of the nearest one above that has any: those who would be told. */
static void write_messages(struct eg_call *call, const struct eg_case *row, const char *only)
{
    const struct eg_conf *conf = call->desk->conf;
    uint32_t site = eg_conf_site_find(conf, row->site, strlen(row->site));
    while (site != EG_CONF_NONE && !conf->sites[site].party_count)
        site = conf->sites[site].parent;
    for (size_t i = 0; !only && site != EG_CONF_NONE && i < conf->sites[site].party_count; i++)
        write_message(call, row, &conf->parties[conf->sites[site].parties[i]]);
    if (only)
        write_message(call, row, eg_conf_party_find(conf, only));
}

int eg_m_notify_preview(struct eg_call *call)
{
    char digits[EG_CALL_NUMBER_MAX];
    struct eg_err err = {0};
    struct eg_case row;
    const char *party = eg_call_text(call, "party");
    if (!call->desk->reader)
        return eg_call_no_store(call);
    if (party && !eg_conf_party_find(call->desk->conf, party))
        return eg_call_fail(call, EG_RPC_NOT_FOUND, "There is no party '%.60s'.", party);
    if (eg_reader_case(call->desk->reader, eg_call_path(call, "id", digits), &row, &err) != EG_OK)
        return eg_call_fail_err(call, &err);
    eg_json_open(call->json, '{');
    eg_json_put_string(call->json, "case", row.id);
    eg_json_key(call->json, "messages");
    eg_json_open(call->json, '[');
    write_messages(call, &row, party);
    eg_json_close(call->json, ']');
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}

int eg_m_notify_test(struct eg_call *call)
{
    struct eg_command command = {.verb = "test-notification",
                                 .case_id = "",
                                 .party = eg_call_text(call, "party"),
                                 .until_ms = EG_TIME_NONE,
                                 .version = -1};
    return eg_call_hand_over(call, &command);
}
