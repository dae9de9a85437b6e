/* Knows silences as the outside sees them: add, list, remove. Refuses to know what a silence holds back (the pipeline decides). Called by
 * the table in methods.c. */
#include <api/methods.h>

#include <stdio.h>

#define LIST_DEFAULT 100

int eg_m_silences_add(struct eg_call *call)
{
    char digits[EG_CALL_NUMBER_MAX];
    struct eg_command command = {.verb = "silence",
                                 .case_id = "",
                                 .site = eg_call_text(call, "site"),
                                 .domain = eg_call_text(call, "domain"),
                                 .device = eg_call_path(call, "device", digits),
                                 .quantity = eg_call_text(call, "quantity"),
                                 .rule = eg_call_text(call, "rule"),
                                 .level = eg_call_text(call, "level"),
                                 .note = eg_call_text(call, "reason"),
                                 .starts_ms = eg_call_time(call, "starts", EG_TIME_NONE),
                                 .until_ms = eg_call_time(call, "expires", EG_TIME_NONE),
                                 .version = -1};
    return eg_call_hand_over(call, &command);
}

int eg_m_silences_remove(struct eg_call *call)
{
    char digits[EG_CALL_NUMBER_MAX];
    struct eg_command command = {.verb = "unsilence",
                                 .case_id = eg_call_path(call, "id", digits),
                                 .until_ms = EG_TIME_NONE,
                                 .version = -1};
    return eg_call_hand_over(call, &command);
}

struct listing {
    struct eg_json *json;
    int64_t now_ms;
    size_t rows, most;
    uint32_t last;
    bool more;
};

static bool list_row(void *arg, const struct eg_silence *row)
{
    struct listing *listing = arg;
    if (listing->rows == listing->most) {
        listing->more = true;
        return false;
    }
    listing->rows++;
    listing->last = row->id;
    eg_json_open(listing->json, '{');
    eg_silence_write(listing->json, row, listing->now_ms);
    eg_json_close(listing->json, '}');
    return !listing->json->out->failed;
}

int eg_m_silences_list(struct eg_call *call)
{
    struct listing listing = {.json = call->json,
                              .now_ms = call->state.now_ms,
                              .most = (size_t)eg_call_int(call, "limit", LIST_DEFAULT)};
    struct eg_err err = {0};
    char next[16];
    if (!call->desk->reader)
        return eg_call_no_store(call);
    eg_json_open(call->json, '{');
    eg_json_key(call->json, "silences");
    eg_json_open(call->json, '[');
    if (eg_reader_silences(call->desk->reader, eg_call_bool(call, "all"), eg_call_int(call, "cursor", 0),
                           listing.most + 1, list_row, &listing, &err) < 0)
        return eg_call_fail_err(call, &err);
    eg_json_close(call->json, ']');
    snprintf(next, sizeof next, "%lu", (unsigned long)listing.last);
    eg_json_put_string(call->json, "next", listing.more ? next : NULL);
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}
