/* Knows how a person's report comes over the socket. Refuses to know which case it concerns (the pipeline decides). Called by the table in
 * methods.c. */
#include <api/methods.h>

#include <math.h>

#define PARTIES_MAX ((size_t)64 * 1024)

/* A measured value in the quantity's own unit; 0, or the refusal. */
static int take_value(struct eg_call *call, struct eg_report *report)
{
    struct eg_unit_map map;
    report->quantity = eg_call_quantity(call);
    if (eg_call_given(call, "value") != (report->quantity != EG_QUANTITY_NONE))
        return eg_call_fail(call, EG_RPC_PARAMS, "reports.submit: \"quantity\" and \"value\" go together.");
    if (report->quantity == EG_QUANTITY_NONE)
        return 0;
    const char *unit = eg_call_text(call, "unit");
    if (!eg_unit_find(report->quantity, unit, &map))
        return eg_call_fail(call, EG_RPC_PARAMS, "reports.submit: %s does not come in \"%.32s\".",
                            eg_quantity_info(report->quantity)->name, unit);
    report->value = eg_unit_apply(&map, eg_call_number(call, "value"));
    return 0;
}

static enum eg_repair repair_of(const char *word)
{
    return !word ? EG_REPAIR_NONE : *word == 'c' ? EG_REPAIR_CONFIRMED : EG_REPAIR_DISPUTED;
}

int eg_m_report(struct eg_call *call)
{
    struct eg_desk *desk = call->desk;
    char digits[EG_CALL_NUMBER_MAX];
    struct eg_buf parties;
    struct eg_report report = {
        .site = eg_call_text(call, "site"),
        .domain = eg_call_text(call, "domain"),
        .device = eg_call_text(call, "device"),
        .text = eg_call_text(call, "text"),
        .reporter = eg_call_text(call, "reporter"),
        .photo = eg_call_text(call, "photo"),
        .case_id = eg_call_path(call, "case", digits),
        .user = eg_client_user(call->client),
        .party = eg_call_text(call, "party"),
        .time_ms = eg_call_time(call, "time", EG_TIME_NONE),
        .latitude = NAN,
        .longitude = NAN,
        .repair = repair_of(eg_call_text(call, "repair")),
        .ticket = call->asked ? ++desk->last_ticket : 0,
    };
    int code = take_value(call, &report);
    if (code < 0)
        return code;
    if (!desk->door->report)
        return eg_call_fail(call, EG_RPC_BUSY, "Nobody takes reports now.");
    eg_buf_init(&parties, PARTIES_MAX);
    eg_client_parties(desk, call->client, &parties);
    report.member_of = parties.data;
    report.clerk = eg_client_is_clerk(desk, call->client);
    call->ticket = report.ticket;
    bool taken = desk->door->report(desk->door->user, &report);
    eg_buf_finish(&parties);
    if (!taken)
        return eg_call_full(call);
    return EG_CALL_LATER;
}
