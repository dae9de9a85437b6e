/* The digest: once a day a party hears which cases are open at its sites and those below, and with which it has to do; one message by each
 * channel that asks for it. Nothing where there is nothing, unless it is asked for. That it was sent stands in `told`, of case 0. Called by
 * pipeline.c (ticks). */
#include <pipeline/words.h>
#include <base/json.h>
#include <base/zone.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LINES 40
#define TEXT_MAX ((size_t)64 * 1024)

struct digest {
    struct eg_pipeline *pipeline;
    const struct eg_conf_party *party;
    const struct eg_conf_route *route;
    int64_t now_ms;
    size_t count, critical, lines;
    unsigned level;
    struct eg_buf text, numbers;
};

/* --- which cases --- */

static bool looks_after(const struct eg_conf *conf, const struct eg_conf_party *party, uint32_t site)
{
    for (; site != EG_CONF_NONE; site = conf->sites[site].parent)
        for (size_t i = 0; i < conf->sites[site].party_count; i++)
            if (&conf->parties[conf->sites[site].parties[i]] == party)
                return true;
    return false;
}

static bool concerns(const struct digest *digest, const struct eg_case *row, uint32_t site)
{
    return row->level >= digest->route->level &&
           (looks_after(digest->pipeline->conf, digest->party, site) ||
            !strcmp(row->lead, digest->party->id) || !strcmp(row->assignee, digest->party->id));
}

/* --- what is said --- */

static void put_line(struct digest *digest, const struct eg_case *row)
{
    bool english = digest->party->language == EG_LANGUAGE_EN;
    const struct eg_case_event event = {.at_ms = digest->now_ms,
                                        .known_ms = digest->now_ms,
                                        .kind = "",
                                        .actor = "ecogovd",
                                        .from = "",
                                        .to = "",
                                        .note = "",
                                        .party = "",
                                        .value = (double)NAN};
    const struct eg_words_of of = {.conf = digest->pipeline->conf,
                                   .row = row,
                                   .event = &event,
                                   .party = digest->party,
                                   .why = EG_WHY_DIGEST};
    struct eg_words words;
    struct eg_suppression held;
    eg_words_init(&words);
    eg_words_write(&of, &words);
    eg_buf_printf(&digest->text, english ? "- %s (%s%s%s%s)\n" : "- %s（%s%s%s%s）\n", words.line.data,
                  eg_words_handling(digest->party->language, (enum eg_handling)row->handling),
                  row->condition != EG_CONDITION_OK ? ""
                  : english                         ? ", back to normal"
                                                    : "，已恢复正常",
                  row->missed == 0 && !row->overdue ? ""
                  : english                         ? ", overdue"
                                                    : "，逾期",
                  !eg_pipeline_suppression(digest->pipeline, row, digest->now_ms, &held) ? ""
                  : english                                                              ? ", suppressed"
                                                                                         : "，暂不通知");
    eg_words_finish(&words);
}

static void take(struct digest *digest, const struct eg_case *row, const char *site, bool *headed)
{
    digest->count++;
    digest->critical += row->level == EG_LEVEL_CRITICAL;
    digest->level = row->level > digest->level ? row->level : digest->level;
    eg_buf_printf(&digest->numbers, "%s%u", digest->count > 1 ? "," : "", row->number);
    if (digest->lines == LINES)
        return;
    if (!*headed)
        eg_buf_printf(&digest->text, digest->party->language == EG_LANGUAGE_EN ? "%s:\n" : "%s：\n", site);
    *headed = true;
    digest->lines++;
    put_line(digest, row);
}

/* Site by site in the order of the configuration; then those whose site left it. */
static void gather(struct digest *digest)
{
    const struct eg_pipeline *pipeline = digest->pipeline;
    const struct eg_conf *conf = pipeline->conf;
    for (size_t s = 0; s <= conf->site_count; s++) {
        bool headed = false;
        for (size_t i = 0; i < pipeline->case_count; i++) {
            const struct eg_case *row = pipeline->cases[i];
            uint32_t site = eg_conf_site_find(conf, row->site, strlen(row->site));
            if ((s == conf->site_count ? site == EG_CONF_NONE : site == s) && concerns(digest, row, site))
                take(digest, row, s == conf->site_count ? row->site : conf->sites[s].name, &headed);
        }
    }
    if (digest->count > digest->lines)
        eg_buf_printf(&digest->text,
                      digest->party->language == EG_LANGUAGE_EN ? "and %zu more: see the list of cases\n"
                                                                : "另有%zu件，见案件列表\n",
                      digest->count - digest->lines);
}

static void write_body(const struct digest *digest, const char *key, const char *title, struct eg_buf *out)
{
    struct eg_json json;
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "key", key);
    eg_json_put_string(&json, "party", digest->party->id);
    eg_json_put_string(&json, "why", eg_why_name(EG_WHY_DIGEST));
    eg_json_put_string(&json, "language", eg_language_name(digest->party->language));
    eg_json_put_string(&json, "line", title);
    eg_json_put_string(&json, "title", title);
    eg_json_put_string(&json, "text", digest->text.data);
    eg_json_put_string(&json, "rule", eg_why_name(EG_WHY_DIGEST));
    eg_json_put_string(&json, "level", eg_level_name((enum eg_level)digest->level));
    eg_json_put_int(&json, "count", (int64_t)digest->count);
    eg_json_key(&json, "cases");
    eg_buf_printf(out, "[%s]", digest->numbers.data);
    json.comma = true;
    eg_json_close(&json, '}');
}

static void send(struct digest *digest, size_t route_index, const char *recipient, struct eg_batch *batch)
{
    const char *channel = digest->pipeline->conf->channels[digest->route->channel].id;
    char key[256], title[160], local[32];
    struct eg_buf body;
    eg_zone_format(digest->now_ms, local);
    if (digest->party->language == EG_LANGUAGE_EN)
        snprintf(title, sizeof title, "%.5s: %zu open cases, %zu of them critical", local + 5, digest->count,
                 digest->critical);
    else
        snprintf(title, sizeof title, "%.5s未结案件%zu件，其中严重%zu件", local + 5, digest->count,
                 digest->critical);
    snprintf(key, sizeof key, "digest/%lld/%s/%s/%zu", (long long)digest->now_ms, digest->party->id, channel,
             route_index);
    eg_buf_init(&body, 8 * TEXT_MAX);
    write_body(digest, key, title, &body);
    eg_tell_put(digest->pipeline, batch,
                &(struct eg_row_outbox){.channel = channel,
                                        .recipient = recipient,
                                        .key = key,
                                        .body = body.data,
                                        .created_ms = digest->now_ms,
                                        .party = digest->party->id,
                                        .why = eg_why_name(EG_WHY_DIGEST),
                                        .line = title,
                                        .level = (uint8_t)digest->level});
    batch->failed = batch->failed || body.failed || digest->text.failed || digest->numbers.failed;
    batch->urgent = true;
    eg_buf_finish(&body);
}

static void tell(struct eg_pipeline *pipeline, const struct eg_conf_party *party, size_t route_index,
                 const char *recipient, int64_t now_ms, struct eg_batch *batch)
{
    struct digest digest = {.pipeline = pipeline,
                            .party = party,
                            .route = &party->routes[route_index],
                            .now_ms = now_ms,
                            .level = EG_LEVEL_NOTICE};
    eg_buf_init(&digest.text, TEXT_MAX);
    eg_buf_init(&digest.numbers, (size_t)2 << 20);
    eg_buf_text(&digest.text, "");
    eg_buf_text(&digest.numbers, "");
    gather(&digest);
    if (digest.count || digest.route->digest_empty)
        send(&digest, route_index, recipient, batch);
    eg_buf_finish(&digest.text);
    eg_buf_finish(&digest.numbers);
}

/* --- when --- */

/* The first such time of the day after `after_ms`. */
static int64_t next_at(int minutes, int64_t after_ms)
{
    int64_t day, next, at_ms;
    eg_zone_day(after_ms, &day, &next);
    at_ms = eg_zone_at(day, minutes);
    return at_ms > after_ms ? at_ms : eg_zone_at(next, minutes);
}

/* When it was sent, or first asked for; EG_TIME_NONE: it is new. */
static int64_t sent_at(const struct eg_pipeline *pipeline, const char *party, const char *channel,
                       const char *recipient)
{
    for (size_t i = 0; i < pipeline->told_count && !pipeline->told[i].case_number; i++) {
        const struct eg_told *told = &pipeline->told[i];
        if (!strcmp(told->party, party) && !strcmp(told->channel, channel) &&
            !strcmp(told->recipient, recipient))
            return told->at_ms;
    }
    return EG_TIME_NONE;
}

static int64_t due(const struct eg_pipeline *pipeline, const struct eg_conf_party *party,
                   const struct eg_conf_route *route, char recipient[EG_RECIPIENT_TEXT])
{
    if (route->digest_min < 0)
        return INT64_MAX;
    eg_tell_recipient(pipeline->conf, party, route, recipient);
    int64_t sent = sent_at(pipeline, party->id, pipeline->conf->channels[route->channel].id, recipient);
    return sent == EG_TIME_NONE ? 0 : next_at(route->digest_min, sent);
}

int64_t eg_digest_wake(const struct eg_pipeline *pipeline)
{
    char recipient[EG_RECIPIENT_TEXT];
    int64_t first = INT64_MAX;
    for (size_t p = 0; p < pipeline->conf->party_count; p++)
        for (size_t i = 0; i < pipeline->conf->parties[p].route_count; i++) {
            const struct eg_conf_party *party = &pipeline->conf->parties[p];
            int64_t at_ms = due(pipeline, party, &party->routes[i], recipient);
            first = at_ms < first ? at_ms : first;
        }
    return first;
}

void eg_digest_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    char recipient[EG_RECIPIENT_TEXT];
    for (size_t p = 0; p < pipeline->conf->party_count; p++)
        for (size_t i = 0; i < pipeline->conf->parties[p].route_count; i++) {
            const struct eg_conf_party *party = &pipeline->conf->parties[p];
            int64_t at_ms = due(pipeline, party, &party->routes[i], recipient);
            if (at_ms > now_ms)
                continue;
            if (at_ms) /* 0: from tomorrow on, or later today */
                tell(pipeline, party, i, recipient, now_ms, batch);
            const struct eg_row_told told = {
                0, party->id, pipeline->conf->channels[party->routes[i].channel].id, recipient, now_ms, 0};
            if (!eg_told_note(pipeline, &told, batch))
                batch->failed = true;
        }
}
