/* What the house does about its clock (trusting.h). Knows that trust needs a moment that is quiet, and what must be forgotten when the past
 * has changed; whether the clock is believed, doubting.c decides. Called by house.c. */
#include "trusting.h"

static bool tell(void *user, const struct eg_clock_news *news)
{
    struct house *house = user;
    return !house->leaving &&
           eg_turn_event(house->turn, (struct eg_event){.kind = EG_EVENT_CLOCK, .clock = *news});
}

static void trust(void *user)
{
    struct house *house = user;
    struct eg_event event = {.kind = EG_EVENT_CLOCK};
    if (!house->leaving && eg_doubting_decide(&house->doubting, house->pipeline, &event.clock)) {
        event.now_ms = eg_clock_now_ms();
        eg_turn_trust(house->turn, &event);
    }
}

/* In a moment that is quiet. One at a time, and a new configuration goes first: then the next second asks again. */
static void ask(void *user)
{
    struct house *house = user;
    if (!house->leaving && !house->next_conf)
        eg_turn_quiet(house->turn, trust, house);
}

void eg_trusting_init(struct house *house)
{
    house->doubting = (struct eg_doubting){
        .user = house, .faults = &house->faults, .pipeline = &house->pipeline, .tell = tell, .trust = ask};
}

void eg_trusting_redated(void *user)
{
    struct house *house = user;
    eg_reader_forget(house->reader);
    eg_doubting_over(&house->doubting);
}

int eg_trusting_ask(void *user, uint64_t ticket, struct eg_err *err)
{
    struct house *house = user;
    return house->leaving ? eg_err_set(err, EG_EBUSY, "The daemon is leaving.")
                          : eg_doubting_by_hand(&house->doubting, ticket, err);
}
