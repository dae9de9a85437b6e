/* Who is told of a case event: outbox rows, sent after the commit. One for whoever listens to the broker (CONTRACT §6), and for each
 * party of the site one by each of its channels. Knows topics, the JSON of an event, and which channels are meant at what hour; how a
 * channel hands it over, daemon/notify knows. Called by case.c. */
#include <pipeline/words.h>
#include <base/json.h>
#include <base/zone.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Above all that can stand in one, each byte of a note and of a text escaped. */
#define BODY_MAX ((size_t)256 * 1024)

static void put_value(struct eg_json *json, const char *key, double value, int64_t ms)
{
    eg_json_key(json, key);
    eg_json_open(json, '{');
    eg_json_put_number(json, "value", value);
    eg_json_put_time(json, "time", ms);
    eg_json_close(json, '}');
}

/* The keys of an open object. */
static void write_event(const struct eg_conf *conf, const struct eg_case *row,
                        const struct eg_case_event *event, struct eg_json *out)
{
    struct eg_json json = *out;
    char unit[EG_UNIT_TEXT];
    eg_json_put_string(&json, "case", row->id);
    eg_json_put_int(&json, "version", event->version);
    eg_json_put_string(&json, "event", event->kind);
    eg_json_put_time(&json, "at", event->at_ms);
    eg_json_put_time(&json, "known_at", event->known_ms);
    eg_json_put_string(&json, "actor", event->actor);
    eg_json_put_string(&json, "from", event->from);
    eg_json_put_string(&json, "to", event->to);
    if (isfinite(event->value))
        eg_json_put_number(&json, "value", event->value);
    eg_json_put_string(&json, "note", event->note);
    eg_json_put_string(&json, "for", event->party);
    eg_json_put_string(&json, "kind", eg_case_kind_name((enum eg_case_kind)row->kind));
    eg_json_put_string(&json, "site", row->site);
    eg_json_put_string(&json, "domain", row->domain);
    eg_json_put_string(&json, "device", row->device);
    eg_json_put_string(&json, "quantity", eg_case_quantity(row));
    eg_json_put_string(&json, "unit",
                       row->quantity < EG_QUANTITY_COUNT
                           ? eg_conf_rule_unit(eg_conf_rule_find(conf, row->rule), row->quantity, unit)
                           : "");
    eg_json_put_string(&json, "channel", row->channel);
    eg_json_put_string(&json, "rule", row->rule);
    eg_json_put_string(&json, "level", eg_level_name((enum eg_level)row->level));
    eg_json_put_string(&json, "condition", eg_condition_name((enum eg_condition)row->condition));
    eg_json_put_string(&json, "handling", eg_handling_name((enum eg_handling)row->handling));
    eg_json_put_time(&json, "opened_at", row->opened_ms);
    put_value(&json, "last", row->last_value, row->last_ms);
    put_value(&json, "peak", row->peak_value, row->peak_ms);
    eg_json_put_string(&json, "mode", eg_mode_name((enum eg_mode)row->mode));
    eg_json_put_string(&json, "lead", row->lead);
    eg_json_put_string(&json, "assignee", row->assignee);
    eg_json_put_time(&json, "due_at", row->due_ms);
    eg_json_put_int(&json, "escalation", row->escalation);
    *out = json;
}

void eg_tell_put(struct eg_pipeline *pipeline, struct eg_batch *batch, const struct eg_row_outbox *row)
{
    struct eg_row_outbox *out = EG_BATCH_ADD(batch, outbox);
    if (!out)
        return;
    *out = *row;
    out->id = ++pipeline->last_outbox;
    out->channel = eg_batch_text(batch, row->channel);
    out->recipient = eg_batch_text(batch, row->recipient);
    out->key = eg_batch_text(batch, row->key);
    out->body = eg_batch_text(batch, row->body);
    out->party = eg_batch_text(batch, row->party);
    out->why = eg_batch_text(batch, row->why);
    out->line = eg_batch_text(batch, row->line);
}

static void write_hearers(const struct eg_conf *conf, const struct eg_hearer *hearers, size_t count,
                          struct eg_json *json)
{
    eg_json_key(json, "told");
    eg_json_open(json, '[');
    for (size_t i = 0; i < count; i++) {
        eg_json_open(json, '{');
        eg_json_put_string(json, "party", conf->parties[hearers[i].party].id);
        eg_json_put_string(json, "why", eg_why_name(hearers[i].why));
        eg_json_close(json, '}');
    }
    eg_json_close(json, ']');
}

static void tell_broker(struct eg_pipeline *pipeline, const struct eg_case *row,
                        const struct eg_case_event *event, const struct eg_hearer *hearers, size_t count,
                        enum eg_suppressor by, struct eg_batch *batch)
{
    char topic[192], key[128];
    struct eg_buf body;
    struct eg_json json;
    snprintf(topic, sizeof topic, "ecogov/events/case/%s/%s", row->site, row->id);
    snprintf(key, sizeof key, "mqtt/%s/%u", row->id, event->version);
    eg_buf_init(&body, BODY_MAX);
    eg_json_init(&json, &body);
    eg_json_open(&json, '{');
    write_event(pipeline->conf, row, event, &json);
    write_hearers(pipeline->conf, hearers, count, &json);
    if (by != EG_SUPPRESSED_NOT)
        eg_json_put_string(&json, "suppressed", eg_suppressor_name(by));
    if (pipeline->doubt.on)
        eg_json_put_string(&json, "clock", "doubted");
    eg_json_close(&json, '}');
    eg_tell_put(pipeline, batch,
                &(struct eg_row_outbox){.channel = "mqtt",
                                        .recipient = topic,
                                        .key = key,
                                        .body = body.data,
                                        .created_ms = event->known_ms});
    batch->failed = batch->failed || body.failed;
    eg_buf_finish(&body);
}

/* --- parties --- */

static bool calls_off(enum eg_why why)
{
    return why == EG_WHY_RECOVERED || why == EG_WHY_ENDED || why == EG_WHY_BREACHING ||
           why == EG_WHY_UNKNOWN || why == EG_WHY_STILL;
}

void eg_tell_recipient(const struct eg_conf *conf, const struct eg_conf_party *party,
                       const struct eg_conf_route *route, char out[EG_RECIPIENT_TEXT])
{
    const struct eg_conf_channel *channel = &conf->channels[route->channel];
    const char *text = *route->to || channel->kind != EG_BY_MQTT ? route->to : channel->topic,
               *mark = strstr(text, "{party}");
    if (mark)
        snprintf(out, EG_RECIPIENT_TEXT, "%.*s%s%s", (int)(mark - text), text, party->id,
                 mark + strlen("{party}"));
    else
        snprintf(out, EG_RECIPIENT_TEXT, "%s", text);
}

bool eg_tell_was_told(const struct eg_pipeline *pipeline, uint32_t case_number, const char *party,
                      const char *channel, const char *recipient)
{
    for (size_t i = eg_told_first(pipeline, case_number);
         i < pipeline->told_count && pipeline->told[i].case_number == case_number; i++) {
        const struct eg_told *told = &pipeline->told[i];
        if (!strcmp(told->party, party) && !strcmp(told->channel, channel) &&
            !strcmp(told->recipient, recipient))
            return true;
    }
    return false;
}

bool eg_tell_is_meant(const struct eg_conf_route *route, unsigned level, int64_t now_ms)
{
    int weekday, minute = eg_zone_minute(now_ms, &weekday);
    return !route->fallback && level >= route->level && (route->days & 1u << weekday) &&
           (route->hours.from == route->hours.to || eg_conf_hours_hold(&route->hours, minute));
}

static void message_of(const struct eg_words_of *of, const struct eg_words *words, const char *key,
                       struct eg_buf *out)
{
    struct eg_json json;
    eg_buf_clear(out);
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "key", key);
    eg_json_put_string(&json, "party", of->party->id);
    eg_json_put_string(&json, "why", eg_why_name(of->why));
    eg_json_put_string(&json, "language", eg_language_name(of->party->language));
    eg_json_put_string(&json, "line", words->line.data);
    eg_json_put_string(&json, "title", words->title.data);
    eg_json_put_string(&json, "text", words->text.data);
    write_event(of->conf, of->row, of->event, &json);
    eg_json_close(&json, '}');
}

static bool is_urgent(const struct eg_case *row, enum eg_why why)
{
    return row->level == EG_LEVEL_CRITICAL && why != EG_WHY_RECOVERED && why != EG_WHY_ENDED;
}

/* Quiet hours hold back all but what is critical and bad news; 0: they do not. */
static int64_t held_until(const struct eg_pipeline *pipeline, const struct eg_conf_party *party,
                          const struct eg_case *row, enum eg_why why, int64_t now_ms)
{
    int weekday, minute = eg_zone_minute(now_ms, &weekday);
    if (is_urgent(row, why) || pipeline->doubt.on ||
        /* it may be day */ party->quiet.from == party->quiet.to ||
        !eg_conf_hours_hold(&party->quiet, minute))
        return 0;
    int64_t minutes = (party->quiet.to - minute + 24 * 60) % (24 * 60);
    return now_ms - now_ms % 60000 + minutes * 60000;
}

static void tell_by(struct eg_pipeline *pipeline, const struct eg_words_of *of, const struct eg_words *words,
                    size_t route_index, const char *recipient, const struct eg_told *last,
                    struct eg_buf *body, struct eg_batch *batch)
{
    const struct eg_case *row = of->row;
    const char *channel = of->conf->channels[of->party->routes[route_index].channel].id;
    int64_t now_ms = of->event->known_ms, held_ms = held_until(pipeline, of->party, row, of->why, now_ms);
    char key[512], mark[96] = "";
    /* Who cannot be reached stands in `from`: two may be so at the same version. And what is repeated is so after that time. */
    if (of->why == EG_WHY_UNREACHABLE)
        snprintf(mark, sizeof mark, "-%s", of->event->from);
    else if (last)
        snprintf(mark, sizeof mark, "-%lld", (long long)last->at_ms);
    snprintf(key, sizeof key, "%s/%u/%s%s/%s/%s/%zu", row->id, of->event->version, eg_why_name(of->why), mark,
             of->party->id, channel, route_index);
    if (!is_urgent(row, of->why)) {
        int64_t paced_ms =
            eg_rate_hold(pipeline, eg_conf_rule_find(of->conf, row->rule), channel, recipient, now_ms);
        held_ms = paced_ms > held_ms ? paced_ms : held_ms;
    }
    message_of(of, words, key, body);
    eg_tell_put(pipeline, batch,
                &(struct eg_row_outbox){.channel = channel,
                                        .recipient = recipient,
                                        .key = key,
                                        .body = body->data,
                                        .created_ms = now_ms,
                                        .party = of->party->id,
                                        .why = eg_why_name(of->why),
                                        .line = words->line.data,
                                        .case_number = row->number,
                                        .level = row->level,
                                        .not_before_ms = held_ms});
    const struct eg_row_told told = {row->number, of->party->id, channel,
                                     recipient,   now_ms,        last ? last->repeats + 1 : 0};
    if (body->failed || !eg_told_note(pipeline, &told, batch))
        batch->failed = true;
}

/* By each route that is meant, or by the one of `last` only. */
static void tell_party(struct eg_pipeline *pipeline, const struct eg_case *row,
                       const struct eg_case_event *event, uint32_t party_index, enum eg_why why,
                       const struct eg_told *last, struct eg_batch *batch)
{
    const struct eg_conf *conf = pipeline->conf;
    struct eg_words_of of = {
        .conf = conf, .row = row, .event = event, .party = &conf->parties[party_index], .why = why};
    char recipient[EG_RECIPIENT_TEXT];
    struct eg_words words;
    struct eg_buf body;
    if (!of.party->route_count)
        return;
    char token[EG_TOKEN_TEXT], acknowledge[256];
    if (of.party->secret && row->handling == EG_OPEN) {
        snprintf(acknowledge, sizeof acknowledge, "acknowledge %u %s → ecogov/commands/%s", row->number,
                 eg_remote_token(of.party, row, token), of.party->id);
        of.acknowledge = acknowledge;
    }
    eg_words_init(&words);
    eg_words_write(&of, &words);
    eg_buf_init(&body, BODY_MAX);
    for (size_t i = 0; i < of.party->route_count; i++) {
        const struct eg_conf_route *route = &of.party->routes[i];
        eg_tell_recipient(conf, of.party, route, recipient);
        bool was_told = eg_tell_was_told(pipeline, row->number, of.party->id,
                                         conf->channels[route->channel].id, recipient),
             meant = !calls_off(why) && (pipeline->doubt.on /* nobody knows the hour */
                                             ? !route->fallback && row->level >= route->level
                                             : eg_tell_is_meant(route, row->level, event->known_ms));
        if (last ? !strcmp(last->channel, conf->channels[route->channel].id) &&
                       !strcmp(last->recipient, recipient)
                 : meant || (was_told && (calls_off(why) || why == EG_WHY_CAUGHT_UP)))
            tell_by(pipeline, &of, &words, i, recipient, last, &body, batch);
    }
    eg_buf_finish(&body);
    eg_words_finish(&words);
}

void eg_tell_party(struct eg_pipeline *pipeline, const struct eg_case *row, const struct eg_case_event *event,
                   uint32_t party, enum eg_why why, struct eg_batch *batch)
{
    tell_party(pipeline, row, event, party, why, NULL, batch);
}

void eg_tell_again(struct eg_pipeline *pipeline, const struct eg_case *row, const struct eg_told *last,
                   int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_case_event event = {.case_number = row->number,
                                        .version = row->version,
                                        .at_ms = now_ms,
                                        .known_ms = now_ms,
                                        .kind = eg_why_name(EG_WHY_REPEATED),
                                        .actor = "ecogovd",
                                        .from = "",
                                        .to = "",
                                        .note = "",
                                        .party = "",
                                        .value = (double)NAN};
    tell_party(pipeline, row, &event, eg_conf_party_index(pipeline->conf, last->party), EG_WHY_REPEATED, last,
               batch);
}

const struct eg_conf_site *eg_tell_who_answers(const struct eg_conf *conf, uint32_t site)
{
    while (site != EG_CONF_NONE && !conf->sites[site].party_count)
        site = conf->sites[site].parent;
    return site == EG_CONF_NONE ? NULL : &conf->sites[site];
}

/* An alarm is called off for everybody who was told of it, also for who had to do with the case for a while only. */
static size_t add_told(const struct eg_pipeline *pipeline, const struct eg_case *row,
                       struct eg_hearer hearers[EG_AUDIENCE_MAX], size_t count)
{
    if (!count || !(calls_off(hearers[0].why) || hearers[0].why == EG_WHY_CAUGHT_UP))
        return count;
    for (size_t i = eg_told_first(pipeline, row->number);
         i < pipeline->told_count && pipeline->told[i].case_number == row->number; i++) {
        uint32_t party = *pipeline->told[i].channel
                             ? eg_conf_party_index(pipeline->conf, pipeline->told[i].party)
                             : EG_CONF_NONE;
        bool there = party == EG_CONF_NONE || count == EG_AUDIENCE_MAX;
        for (size_t k = 0; k < count; k++)
            there = there || hearers[k].party == party;
        if (!there)
            hearers[count++] = (struct eg_hearer){party, hearers[0].why};
    }
    return count;
}

static bool is_news(const struct eg_case_event *event, size_t count)
{
    return count || !strcmp(event->kind, "opened") || !strcmp(event->kind, "reopened") ||
           !strcmp(event->kind, "condition");
}

void eg_tell_case(struct eg_pipeline *pipeline, struct eg_case *row, const struct eg_case_event *event,
                  struct eg_batch *batch)
{
    struct eg_hearer hearers[EG_AUDIENCE_MAX];
    size_t count = eg_audience_of(pipeline->conf, row, event, hearers);
    count = add_told(pipeline, row, hearers, count);
    const struct eg_suppress_step step =
        eg_suppress_judge(pipeline, row, event, is_news(event, count), batch);
    size_t heard = step.verdict == EG_SUPPRESS_TELL ? count : 0;
    if (pipeline->conf->mqtt.publish)
        tell_broker(pipeline, row, event, hearers, heard,
                    step.verdict == EG_SUPPRESS_HOLD ? step.by : EG_SUPPRESSED_NOT, batch);
    for (size_t i = 0; i < heard; i++)
        eg_tell_party(pipeline, row, event, hearers[i].party, hearers[i].why, batch);
    if (eg_handling_ended(row) && strcmp(event->kind, "suppressed") != 0)
        eg_suppress_ended(pipeline, row, &step, batch);
    eg_suppress_follow(pipeline, row, &step, event->known_ms, batch);
}
