/* What became of a notification: done, tried, refused, given up. One that cannot be brought goes to the party's next channel; where there
 * is none, the others who answer for the site are told that this party cannot be reached. Knows routes; what a refusal is, daemon/notify
 * knows. Called by pipeline.c. */
#include <pipeline/state.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define KEY_TEXT 600

static void put_done(const struct eg_delivery *delivery, int64_t now_ms, struct eg_batch *batch)
{
    struct eg_row_outbox_done *row = EG_BATCH_ADD(batch, outbox_done);
    if (row)
        *row = (struct eg_row_outbox_done){delivery->outbox_id, delivery->delivered,
                                           eg_batch_text(batch, delivery->error), now_ms, 0};
}

static void put_tried(const struct eg_delivery *delivery, struct eg_batch *batch)
{
    struct eg_row_outbox_tried *row = EG_BATCH_ADD(batch, outbox_tried);
    if (row)
        *row = (struct eg_row_outbox_tried){delivery->outbox_id, delivery->tries, delivery->failing_since_ms,
                                            delivery->setback == EG_SETBACK_GIVE_UP,
                                            eg_batch_text(batch, delivery->error)};
}

/* The party's first channel behind the one that failed that has not been used for this message; NULL: there is none. */
static const struct eg_conf_route *next_route(const struct eg_pipeline *pipeline,
                                              const struct eg_conf_party *party,
                                              const struct eg_delivery *delivery,
                                              char recipient[EG_RECIPIENT_TEXT])
{
    bool behind = false;
    for (size_t i = 0; i < party->route_count; i++) {
        const struct eg_conf_route *route = &party->routes[i];
        const char *channel = pipeline->conf->channels[route->channel].id;
        eg_tell_recipient(pipeline->conf, party, route, recipient);
        if (behind && !eg_tell_is_meant(route, delivery->level, delivery->created_ms) &&
            !eg_tell_was_told(pipeline, delivery->case_number, party->id, channel, recipient))
            return route;
        behind = behind || (!strcmp(channel, delivery->channel) && !strcmp(recipient, delivery->recipient));
    }
    return NULL;
}

/* An all-clear that one channel does not bring is brought by the others that raised the alarm. */
static bool others_bring_it(const struct eg_pipeline *pipeline, const struct eg_conf_party *party,
                            const struct eg_delivery *delivery)
{
    if (strcmp(delivery->why, eg_why_name(EG_WHY_RECOVERED)) != 0 &&
        strcmp(delivery->why, eg_why_name(EG_WHY_ENDED)) != 0 &&
        strcmp(delivery->why, eg_why_name(EG_WHY_BREACHING)) != 0 &&
        strcmp(delivery->why, eg_why_name(EG_WHY_UNKNOWN)) != 0 &&
        strcmp(delivery->why, eg_why_name(EG_WHY_STILL)) != 0)
        return false;
    for (size_t i = eg_told_first(pipeline, delivery->case_number);
         i < pipeline->told_count && pipeline->told[i].case_number == delivery->case_number; i++) {
        const struct eg_told *told = &pipeline->told[i];
        if (!strcmp(told->party, party->id) && *told->channel &&
            (strcmp(told->channel, delivery->channel) != 0 ||
             strcmp(told->recipient, delivery->recipient) != 0))
            return true;
    }
    return false;
}

static bool go_another_way(struct eg_pipeline *pipeline, const struct eg_conf_party *party,
                           const struct eg_delivery *delivery, int64_t now_ms, struct eg_batch *batch)
{
    char recipient[EG_RECIPIENT_TEXT], key[KEY_TEXT];
    const struct eg_conf_route *route = next_route(pipeline, party, delivery, recipient);
    if (!route)
        return false;
    const char *channel = pipeline->conf->channels[route->channel].id;
    snprintf(key, sizeof key, "%.500s>%zu", delivery->key, (size_t)(route - party->routes));
    eg_tell_put(pipeline, batch,
                &(struct eg_row_outbox){.channel = channel,
                                        .recipient = recipient,
                                        .key = key,
                                        .body = delivery->body,
                                        .created_ms = now_ms,
                                        .party = party->id,
                                        .why = delivery->why,
                                        .line = delivery->line,
                                        .case_number = delivery->case_number,
                                        .level = delivery->level});
    if (eg_case_find(pipeline, delivery->case_number)) { /* the all-clear goes there, too */
        const struct eg_row_told told = {delivery->case_number, party->id, channel, recipient, now_ms, 0};
        if (!eg_told_note(pipeline, &told, batch))
            batch->failed = true;
    }
    return true;
}

/* Once a case. Who may send somebody: the parties of the site but this one, and those of the site above. */
static void tell_the_others(struct eg_pipeline *pipeline, const struct eg_conf_party *party,
                            const struct eg_delivery *delivery, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_conf *conf = pipeline->conf;
    const struct eg_case *row = eg_case_find(pipeline, delivery->case_number);
    char note[400];
    if (!row || !strcmp(delivery->why, eg_why_name(EG_WHY_UNREACHABLE)) ||
        eg_tell_was_told(pipeline, row->number, party->id, "", "unreachable"))
        return;
    const struct eg_row_told once = {row->number, party->id, "", "unreachable", now_ms, 0};
    if (!eg_told_note(pipeline, &once, batch))
        batch->failed = true;
    snprintf(note, sizeof note, "%.100s: %.200s", party->name, delivery->error ? delivery->error : "");
    const struct eg_case_event event = {.case_number = row->number,
                                        .version = row->version,
                                        .at_ms = now_ms,
                                        .known_ms = now_ms,
                                        .kind = eg_why_name(EG_WHY_UNREACHABLE),
                                        .actor = "ecogovd",
                                        .from = party->id,
                                        .to = "",
                                        .value = NAN,
                                        .note = note};
    const struct eg_conf_site *site =
        eg_tell_who_answers(conf, eg_conf_site_find(conf, row->site, strlen(row->site)));
    for (int floor = 0; site && floor < 2; floor++) {
        for (size_t i = 0; i < site->party_count; i++)
            if (&conf->parties[site->parties[i]] != party)
                eg_tell_party(pipeline, row, &event, site->parties[i], EG_WHY_UNREACHABLE, batch);
        site = eg_tell_who_answers(conf, site->parent);
    }
    batch->urgent = true;
}

void eg_deliver_take(struct eg_pipeline *pipeline, const struct eg_delivery *delivery, int64_t now_ms,
                     struct eg_batch *batch)
{
    batch->urgent = batch->urgent || delivery->more;
    const struct eg_conf_party *party =
        delivery->party ? eg_conf_party_find(pipeline->conf, delivery->party) : NULL;
    if (!delivery->delivered && delivery->setback == EG_SETBACK_GATHER) {
        eg_bundle_take(pipeline, delivery, now_ms, batch);
    } else if (delivery->delivered || delivery->setback == EG_SETBACK_MOOT ||
               (!party && delivery->setback != EG_SETBACK_TRIED)) {
        put_done(delivery, now_ms, batch);
    } else if (delivery->setback == EG_SETBACK_TRIED) {
        put_tried(delivery, batch);
    } else if (others_bring_it(pipeline, party, delivery)) {
        put_done(delivery, now_ms, batch);
    } else if (go_another_way(pipeline, party, delivery, now_ms, batch)) {
        put_done(delivery, now_ms, batch);
        batch->urgent = true;
    } else {
        tell_the_others(pipeline, party, delivery, now_ms, batch);
        if (delivery->setback == EG_SETBACK_GIVE_UP)
            put_tried(delivery, batch); /* the only way there is: it stays open */
        else
            put_done(delivery, now_ms, batch);
    }
}
