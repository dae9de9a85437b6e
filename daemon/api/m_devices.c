/* Knows how a device is taken out of service, and back, from outside. Refuses to know what follows of it (the pipeline decides) and how
 * it is listed (m_lists.c). Called by the table in methods.c. */
#include <api/methods.h>

static int hand_over(struct eg_call *call, const char *verb)
{
    char digits[EG_CALL_NUMBER_MAX];
    struct eg_desk *desk = call->desk;
    struct eg_command command = {.verb = verb,
                                 .case_id = "",
                                 .site = eg_call_text(call, "site"),
                                 .domain = eg_call_text(call, "domain"),
                                 .device = eg_call_path(call, "device", digits),
                                 .note = eg_call_text(call, "note"),
                                 .user = eg_client_user(call->client),
                                 .starts_ms = EG_TIME_NONE,
                                 .until_ms = EG_TIME_NONE,
                                 .version = -1,
                                 .ticket = call->asked ? ++desk->last_ticket : 0};
    call->ticket = command.ticket;
    if (!desk->door->command(desk->door->user, &command))
        return eg_call_fail(call, EG_RPC_BUSY,
                            "The daemon has too many commands waiting; ask again in a moment.");
    return EG_CALL_LATER;
}

int eg_m_devices_retire(struct eg_call *call)
{
    return hand_over(call, "retire");
}

int eg_m_devices_restore(struct eg_call *call)
{
    return hand_over(call, "restore");
}
