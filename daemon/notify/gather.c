/* When several messages wait for one receiver that could have had them long ago, or has had too many of late, they become one. Knows when
 * that is so and which they are; what the one says, daemon/pipeline/bundle.c decides. Called by lanes.c. */
#include <notify/lane.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_MS INT64_C(900000)

struct collect {
    struct eg_gather_item *items;
    size_t count;
    char party[64];
};

static bool collect_row(void *arg, const struct eg_outbox_view *view)
{
    struct collect *collect = arg;
    if (view->done_ms != EG_TIME_NONE || !strcmp(view->why, eg_why_name(EG_WHY_REPEATED)) ||
        (*collect->party && strcmp(collect->party, view->party) != 0))
        return false;
    snprintf(collect->party, sizeof collect->party, "%s", view->party);
    struct eg_gather_item *item = &collect->items[collect->count++];
    *item = (struct eg_gather_item){.id = view->id,
                                    .created_ms = view->created_ms,
                                    .case_number = view->case_number,
                                    .level = view->level};
    snprintf(item->line, sizeof item->line, "%s", view->line);
    return false;
}

/* A gathered one (no case) is not gathered again: its line does not say what is in it. */
static bool may_join(const struct eg_message_row *row, bool storm, int64_t now_us, int64_t now_ms)
{
    return row->case_number && eg_lane_is_due(row, now_us, now_ms) &&
           (storm || row->not_before_ms > 0 || now_ms - row->created_ms >= LATE_MS);
}

bool eg_lane_gather(struct eg_lane *lane, const struct eg_conf_channel *channel, int64_t now_us,
                    int64_t now_ms)
{
    bool storm = channel && channel->limit && lane->sent >= channel->limit, told = false, late = false;
    size_t most = 0;
    for (size_t i = 0; i < lane->count && most < EG_GATHER_ITEMS; i++)
        most += may_join(&lane->rows[i], storm, now_us, now_ms);
    if (most < 2)
        return false;
    struct collect collect = {.items = calloc(most, sizeof *collect.items)};
    for (size_t i = 0; collect.items && i < lane->count && collect.count < most; i++)
        if (may_join(&lane->rows[i], storm, now_us, now_ms))
            eg_reader_outbox_row(lane->lanes->reader, lane->rows[i].id, collect_row, &collect, NULL);
    for (size_t i = 0; i < collect.count; i++)
        late = late || now_ms - collect.items[i].created_ms >= LATE_MS;
    if (collect.count > 1) {
        const struct eg_delivery delivery = {.outbox_id = collect.items[0].id,
                                             .setback = EG_SETBACK_GATHER,
                                             .party = collect.party,
                                             .channel = lane->channel,
                                             .recipient = lane->recipient,
                                             .items = collect.items,
                                             .item_count = collect.count,
                                             .late = late,
                                             .more = true};
        told = lane->lanes->door.delivery(lane->lanes->door.user, &delivery);
    }
    if (told) {
        lane->state = EG_LANE_NOTING;
        lane->id = collect.items[0].id;
        lane->unnoted = false;
    }
    free(collect.items);
    return told;
}
