/* Knows the notifications that wait, went out or failed, as the outside sees them. Refuses to know how they
 * are sent. Called by the table in methods.c. */
#include <api/methods.h>

#include <stdio.h>

#define LIST_DEFAULT 50

struct listing {
    const struct eg_api_door *door;
    struct eg_json *json;
    size_t rows, most;
    int64_t last;
    bool more;
};

/* Whoever tries knows better than the store, which hears of some tries only. */
static void write_tries(const struct listing *listing, const struct eg_outbox_view *row)
{
    unsigned tries = row->tries;
    int64_t next_ms = EG_TIME_NONE;
    const char *error = NULL;
    if (row->done_ms == EG_TIME_NONE && listing->door->outbox_look)
        listing->door->outbox_look(listing->door->user, row->id, &tries, &next_ms, &error);
    if (row->done_ms == EG_TIME_NONE && row->not_before_ms > 0 && next_ms < row->not_before_ms)
        next_ms = row->not_before_ms;
    if (row->carried_by)
        eg_json_put_int(listing->json, "carried_by", row->carried_by);
    error = error ? error : row->error;
    eg_json_put_int(listing->json, "tries", tries);
    eg_json_put_time(listing->json, "next_at", next_ms);
    if (row->done_ms == EG_TIME_NONE)
        eg_json_put_string(listing->json, "error", error && *error ? error : NULL);
}

static bool write_entry(void *arg, const struct eg_outbox_view *row)
{
    struct listing *listing = arg;
    struct eg_json *json = listing->json;
    if (listing->rows == listing->most) {
        listing->more = true;
        return false;
    }
    listing->rows++;
    listing->last = row->id;
    bool done = row->done_ms != EG_TIME_NONE;
    eg_json_open(json, '{');
    eg_json_put_int(json, "id", row->id);
    eg_json_put_time(json, "time", row->created_ms);
    eg_json_put_string(json, "channel", row->channel);
    eg_json_put_string(json, "recipient", row->recipient);
    eg_json_put_string(json, "key", row->key);
    if (*row->party) {
        eg_json_put_string(json, "party", row->party);
        eg_json_put_string(json, "why", row->why);
        eg_json_put_string(json, "line", row->line);
        eg_json_put_int(json, "case", row->case_number);
        eg_json_put_string(json, "level", eg_level_name((enum eg_level)row->level));
        write_tries(listing, row);
    }
    eg_json_put_string(json, "state",
                       row->carried_by  ? "carried"
                       : !done          ? row->gave_up ? "unreachable" : "pending"
                       : row->delivered ? "delivered"
                                        : "failed");
    eg_json_put_time(json, "done_at", row->done_ms);
    if (done || !*row->party)
        eg_json_put_string(json, "error", row->error && row->error[0] ? row->error : NULL);
    eg_json_put_bool(json, "retain", row->retain);
    eg_json_close(json, '}');
    return !json->out->failed;
}

int eg_m_outbox_list(struct eg_call *call)
{
    struct listing listing = {.door = call->desk->door,
                              .json = call->json,
                              .most = (size_t)eg_call_int(call, "limit", LIST_DEFAULT)};
    struct eg_err err = {0};
    if (!call->desk->reader)
        return eg_call_no_store(call);
    eg_json_open(call->json, '{');
    eg_json_key(call->json, "entries");
    eg_json_open(call->json, '[');
    if (eg_reader_outbox(call->desk->reader, eg_call_bool(call, "pending"), eg_call_int(call, "cursor", 0),
                         listing.most + 1, write_entry, &listing, &err) < 0)
        return eg_call_fail_err(call, &err);
    eg_json_close(call->json, ']');
    char next[24];
    snprintf(next, sizeof next, "%lld", (long long)listing.last);
    eg_json_put_string(call->json, "next", listing.more ? next : NULL);
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}
