/* Silences: a supervisor says that nobody is to be told of certain cases for a while. Knows who said it, why and until when; what a
 * silence holds back, suppress.c knows. Kept after their end as a record. Called by pipeline.c and suppress.c. */
#include <pipeline/state.h>
#include <base/json.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_MS (INT64_C(90) * 86400000)
#define BODY_MAX ((size_t)16 * 1024)

/* --- as JSON --- */

static void put_text(struct eg_json *json, const char *key, const char *text)
{
    eg_json_put_string(json, key, *text ? text : NULL);
}

const char *eg_silence_state(const struct eg_silence *row, int64_t now_ms)
{
    return row->ended_ms != EG_TIME_NONE ? row->removed ? "removed" : "expired"
           : now_ms < row->starts_ms     ? "pending"
                                         : "active";
}

void eg_silence_write(struct eg_json *json, const struct eg_silence *row, int64_t now_ms)
{
    const struct eg_matcher *matcher = &row->matcher;
    eg_json_put_int(json, "id", row->id);
    eg_json_put_string(json, "state", eg_silence_state(row, now_ms));
    put_text(json, "site", matcher->site);
    put_text(json, "domain", matcher->domain);
    put_text(json, "device", matcher->device);
    eg_json_put_string(json, "quantity",
                       matcher->quantity == EG_QUANTITY_NONE ? NULL
                                                             : eg_quantity_info(matcher->quantity)->name);
    put_text(json, "rule", matcher->rule);
    eg_json_put_string(json, "level", eg_level_name(matcher->level));
    eg_json_put_string(json, "reason", row->reason);
    eg_json_put_string(json, "author", row->author);
    eg_json_put_time(json, "created_at", row->created_ms);
    eg_json_put_time(json, "starts", row->starts_ms);
    eg_json_put_time(json, "expires", row->expires_ms);
    eg_json_put_time(json, "ended_at", row->ended_ms);
    put_text(json, "ended_by", row->ended_by);
}

/* --- what is there --- */

static struct eg_silence *find(struct eg_pipeline *pipeline, uint32_t id)
{
    for (size_t i = 0; i < pipeline->silence_count; i++)
        if (pipeline->silences[i].id == id)
            return &pipeline->silences[i];
    return NULL;
}

static struct eg_silence *keep(struct eg_pipeline *pipeline, const struct eg_silence *row)
{
    if (!eg_room_more((void **)&pipeline->silences, pipeline->silence_count, &pipeline->silence_capacity,
                      sizeof *pipeline->silences, EG_SILENCES_MAX))
        return NULL;
    pipeline->silences[pipeline->silence_count] = *row;
    if (row->id > pipeline->last_silence)
        pipeline->last_silence = row->id;
    return &pipeline->silences[pipeline->silence_count++];
}

const struct eg_silence *eg_silence_over(const struct eg_pipeline *pipeline, const struct eg_case *row,
                                         int64_t now_ms)
{
    const struct eg_silence *found = NULL;
    for (size_t i = 0; i < pipeline->silence_count; i++) {
        const struct eg_silence *silence = &pipeline->silences[i];
        if (now_ms >= silence->starts_ms && now_ms < silence->expires_ms &&
            (!found || silence->expires_ms > found->expires_ms) &&
            eg_matcher_fits(pipeline->conf, &silence->matcher, row))
            found = silence;
    }
    return found;
}

bool eg_silence_restore(struct eg_pipeline *pipeline, const struct eg_silence *row)
{
    if (row->id > pipeline->last_silence)
        pipeline->last_silence = row->id;
    return row->ended_ms != EG_TIME_NONE || keep(pipeline, row) != NULL;
}

/* --- what happens to it --- */

static void tell_broker(struct eg_pipeline *pipeline, const struct eg_silence *row, const char *what,
                        const char *actor, int64_t at_ms, struct eg_batch *batch)
{
    char topic[64], key[64];
    struct eg_buf body;
    struct eg_json json;
    if (!pipeline->conf->mqtt.publish)
        return;
    snprintf(topic, sizeof topic, "ecogov/events/silence/%u/%s", row->id,
             what); /* no source's template fits */
    snprintf(key, sizeof key, "silence/%u/%s", row->id, what);
    eg_buf_init(&body, BODY_MAX);
    eg_json_init(&json, &body);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "event", what);
    eg_json_put_time(&json, "at", at_ms);
    eg_json_put_string(&json, "actor", actor);
    eg_json_key(&json, "silence");
    eg_json_open(&json, '{');
    eg_silence_write(&json, row, at_ms);
    eg_json_close(&json, '}');
    eg_json_close(&json, '}');
    eg_tell_put(
        pipeline, batch,
        &(struct eg_row_outbox){
            .channel = "mqtt", .recipient = topic, .key = key, .body = body.data, .created_ms = at_ms});
    batch->failed = batch->failed || body.failed;
    eg_buf_finish(&body);
}

static void happened(struct eg_pipeline *pipeline, const struct eg_silence *row, const char *what,
                     const char *actor, int64_t at_ms, struct eg_batch *batch)
{
    struct eg_silence *out = EG_BATCH_ADD(batch, silences);
    if (out)
        *out = *row;
    tell_broker(pipeline, row, what, actor, at_ms, batch);
    eg_suppress_look_again(pipeline);
    batch->urgent = true;
}

/* It is over; what it was stays in the store. */
static struct eg_silence end(struct eg_pipeline *pipeline, struct eg_silence *row, const char *by,
                             bool removed, int64_t at_ms, struct eg_batch *batch)
{
    row->ended_ms = at_ms;
    row->removed = removed;
    snprintf(row->ended_by, sizeof row->ended_by, "%s", by);
    const struct eg_silence done = *row;
    *row = pipeline->silences[--pipeline->silence_count];
    happened(pipeline, &done, removed ? "removed" : "expired", by, at_ms, batch);
    return done;
}

void eg_silence_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    for (size_t i = pipeline->silence_count; i-- > 0;)
        if (pipeline->silences[i].expires_ms <= now_ms)
            end(pipeline, &pipeline->silences[i], "ecogovd", false, pipeline->silences[i].expires_ms, batch);
}

int64_t eg_silence_wake(const struct eg_pipeline *pipeline)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < pipeline->silence_count; i++)
        if (pipeline->silences[i].expires_ms < first)
            first = pipeline->silences[i].expires_ms;
    return first;
}

/* --- commands --- */

static void answer(struct eg_batch *batch, const struct eg_command *command, enum eg_code code,
                   const char *sentence, const struct eg_silence *row, int64_t now_ms)
{
    struct eg_buf body;
    struct eg_json json;
    eg_buf_init(&body, BODY_MAX);
    if (row) {
        eg_json_init(&json, &body);
        eg_json_open(&json, '{');
        eg_silence_write(&json, row, now_ms);
        eg_json_close(&json, '}');
    }
    batch->failed = batch->failed || body.failed;
    eg_batch_answer(batch, (struct eg_answer){.ticket = command->ticket,
                                              .code = code,
                                              .sentence = sentence,
                                              .result = row ? body.data : NULL});
    eg_buf_finish(&body);
}

static const char *given(const char *text)
{
    return text ? text : "";
}

/* Of what there is; EG_OK. */
static enum eg_code unknown(const struct eg_conf *conf, const struct eg_command *command, char *text,
                            size_t size)
{
    const char *quantity = given(command->quantity);
    if (*given(command->site) &&
        eg_conf_site_find(conf, command->site, strlen(command->site)) == EG_CONF_NONE)
        snprintf(text, size, "there is no site '%.60s'", command->site);
    else if (*given(command->rule) && !eg_conf_rule_find(conf, command->rule))
        snprintf(text, size, "there is no rule '%.60s'", command->rule);
    else if (*quantity && eg_quantity_find(quantity, strlen(quantity)) == EG_QUANTITY_NONE)
        snprintf(text, size, "there is no quantity '%.60s'", quantity);
    else
        return EG_OK;
    return EG_ENOTFOUND;
}

static int level_of(const char *name)
{
    for (int level = EG_LEVEL_NOTICE; level < EG_LEVEL_COUNT; level++)
        if (!strcmp(eg_level_name((enum eg_level)level), name))
            return level;
    return EG_LEVEL_NONE;
}

static enum eg_code objection(const struct eg_pipeline *pipeline, const struct eg_command *command,
                              const struct eg_silence *row, int64_t now_ms, char *text, size_t size)
{
    enum eg_code code = unknown(pipeline->conf, command, text, size);
    const struct eg_matcher *matcher = &row->matcher;
    if (code != EG_OK)
        return code;
    if (!*matcher->site && !*matcher->domain && !*matcher->device && !*matcher->rule &&
        matcher->quantity == EG_QUANTITY_NONE)
        snprintf(text, size,
                 "say what is to be silenced: site, domain, device, quantity or rule (all of it: the topmost "
                 "site)");
    else if (matcher->level == EG_LEVEL_NONE)
        snprintf(text, size, "there is no level '%.40s'", given(command->level));
    else if (strlen(given(command->device)) >= sizeof matcher->device ||
             strlen(given(command->domain)) >= sizeof matcher->domain)
        snprintf(text, size, "no device or domain has so long a name");
    else if (!command->note || !command->note[strspn(command->note, " \t\r\n")])
        snprintf(text, size, "a silence needs a reason: say in a sentence why nobody is to be told");
    else if (strlen(command->note) >= sizeof row->reason)
        snprintf(text, size, "a reason has at most %zu bytes", sizeof row->reason - 1);
    else if (command->until_ms == EG_TIME_NONE)
        snprintf(text, size, "a silence needs its end: expires");
    else if (row->expires_ms <= now_ms || row->expires_ms <= row->starts_ms)
        snprintf(text, size, "expires lies in the past, or before it starts");
    else if (row->starts_ms > now_ms + LONGEST_MS || row->expires_ms > row->starts_ms + LONGEST_MS)
        snprintf(text, size, "a silence starts within 90 days, and lasts no longer");
    else
        return EG_OK;
    return EG_EINVAL;
}

static void add(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                struct eg_batch *batch)
{
    char text[300];
    const char *quantity = given(command->quantity);
    struct eg_silence row = {.id = pipeline->last_silence + 1,
                             .created_ms = now_ms,
                             .starts_ms = command->starts_ms && command->starts_ms != EG_TIME_NONE &&
                                                  command->starts_ms > now_ms
                                              ? command->starts_ms
                                              : now_ms,
                             .expires_ms = command->until_ms,
                             .ended_ms = EG_TIME_NONE};
    row.matcher.quantity = *quantity ? eg_quantity_find(quantity, strlen(quantity)) : EG_QUANTITY_NONE;
    row.matcher.level = command->level ? (enum eg_level)level_of(command->level)
                                       : EG_LEVEL_WARNING; /* critical: only if said */
    snprintf(row.matcher.site, sizeof row.matcher.site, "%s", given(command->site));
    snprintf(row.matcher.domain, sizeof row.matcher.domain, "%s", given(command->domain));
    snprintf(row.matcher.device, sizeof row.matcher.device, "%s", given(command->device));
    snprintf(row.matcher.rule, sizeof row.matcher.rule, "%s", given(command->rule));
    snprintf(row.reason, sizeof row.reason, "%s", given(command->note));
    snprintf(row.author, sizeof row.author, "%s", given(command->user));
    enum eg_code code = objection(pipeline, command, &row, now_ms, text, sizeof text);
    if (code == EG_OK && !keep(pipeline, &row)) {
        code = EG_EFULL;
        snprintf(text, sizeof text, "there are %d silences: remove some", EG_SILENCES_MAX);
    }
    if (code == EG_OK)
        happened(pipeline, &row, "added", row.author, now_ms, batch);
    answer(batch, command, code, code == EG_OK ? "" : text, code == EG_OK ? &row : NULL, now_ms);
}

static void take_away(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                      struct eg_batch *batch)
{
    char text[120];
    char *rest = NULL;
    unsigned long id = strtoul(given(command->case_id), &rest, 10);
    struct eg_silence *row = *rest || id > UINT32_MAX ? NULL : find(pipeline, (uint32_t)id);
    if (!row) {
        snprintf(text, sizeof text, "there is no silence '%.20s', or it has ended", given(command->case_id));
        answer(batch, command, EG_ENOTFOUND, text, NULL, now_ms);
        return;
    }
    const struct eg_silence done = end(pipeline, row, given(command->user), true, now_ms, batch);
    answer(batch, command, EG_OK, "", &done, now_ms);
    eg_suppress_tick(pipeline, now_ms, batch); /* what it held back is told at once */
}

void eg_silence_take(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                     struct eg_batch *batch)
{
    if (!strcmp(command->verb, "silence"))
        add(pipeline, command, now_ms, batch);
    else
        take_away(pipeline, command, now_ms, batch);
}
