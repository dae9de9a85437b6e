/* Knows how somebody says that the gateway's clock is right after all. Refuses to know what follows from it.
 * Called by the table in methods.c. */
#include <api/methods.h>

int eg_m_clock_trust(struct eg_call *call)
{
    struct eg_desk *desk = call->desk;
    struct eg_err err = {EG_OK, ""};
    if (!desk->door->trust_clock)
        return eg_call_fail(call, EG_RPC_CONFLICT, "Nobody doubts the clock here.");
    uint64_t ticket = ++desk->last_ticket;
    int code = desk->door->trust_clock(desk->door->user, ticket, &err);
    if (code != EG_OK)
        return eg_call_fail(call, code == EG_EBUSY ? EG_RPC_BUSY : EG_RPC_CONFLICT, "%s", err.text);
    call->ticket = call->asked ? ticket : 0;
    return EG_CALL_LATER;
}
