/* Knows how somebody asks for the configuration to be read again, and what is told when it was. Refuses to know how that is done: the house
 * does it as for SIGHUP. Called by the table in methods.c, and by server.c. */
#include <api/methods.h>

int eg_m_reload(struct eg_call *call)
{
    struct eg_desk *desk = call->desk;
    if (!desk->door->reload)
        return eg_call_fail(call, EG_RPC_BUSY, "Nobody reloads anything here.");
    uint64_t ticket = ++desk->last_ticket;
    if (!desk->door->reload(desk->door->user, ticket))
        return eg_call_fail(call, EG_RPC_BUSY, "The configuration is being reloaded; ask again in a moment.");
    call->ticket = call->asked ? ticket : 0;
    return EG_CALL_LATER;
}

void eg_m_reload_write(struct eg_buf *text, const struct eg_conf *conf, bool restart_needed)
{
    struct eg_json json;
    eg_json_init(&json, text);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "file", conf->path);
    eg_json_put_int(&json, "sites", (int64_t)conf->site_count);
    eg_json_put_int(&json, "sources", (int64_t)conf->source_count);
    eg_json_put_int(&json, "rules", (int64_t)conf->rule_count);
    eg_json_put_int(&json, "parties", (int64_t)conf->party_count);
    eg_json_put_bool(&json, "restart_needed", restart_needed);
    eg_json_close(&json, '}');
}
