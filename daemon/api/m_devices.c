/* Knows how a device is taken out of service, and back, from outside. Refuses to know what follows of it (the pipeline decides) and how
 * it is listed (m_lists.c). Called by the table in methods.c. */
#include <api/methods.h>

static int take(struct eg_call *call, const char *verb)
{
    char digits[EG_CALL_NUMBER_MAX];
    struct eg_command command = {.verb = verb,
                                 .case_id = "",
                                 .site = eg_call_text(call, "site"),
                                 .domain = eg_call_text(call, "domain"),
                                 .device = eg_call_path(call, "device", digits),
                                 .note = eg_call_text(call, "note"),
                                 .starts_ms = EG_TIME_NONE,
                                 .until_ms = EG_TIME_NONE,
                                 .version = -1};
    return eg_call_hand_over(call, &command);
}

int eg_m_devices_retire(struct eg_call *call)
{
    return take(call, "retire");
}

int eg_m_devices_restore(struct eg_call *call)
{
    return take(call, "restore");
}
