/* What a party would be told of a case, without telling it; and a message that only tries whether the party's channels work. Called by the
 * API (preview) and pipeline.c (trial). */
#include <pipeline/words.h>
#include <base/json.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX ((size_t)16 * 1024)

bool eg_pipeline_preview(const struct eg_conf *conf, const struct eg_case *row, const char *party_id,
                         int64_t now_ms, struct eg_buf *title, struct eg_buf *text, struct eg_buf *line)
{
    const struct eg_conf_party *party = eg_conf_party_find(conf, party_id);
    const struct eg_case_event event = {.case_number = row->number,
                                        .version = row->version,
                                        .at_ms = now_ms,
                                        .known_ms = now_ms,
                                        .kind = "",
                                        .actor = "ecogovd",
                                        .from = "",
                                        .to = "",
                                        .note = "",
                                        .value = NAN};
    /* Whoever may read may ask for this: the token is the party's alone. */
    const struct eg_words_of of = {.conf = conf,
                                   .row = row,
                                   .event = &event,
                                   .party = party,
                                   .why = EG_WHY_OPENED,
                                   .acknowledge = party && party->secret ? "…" : NULL};
    struct eg_words words;
    if (!party)
        return false;
    eg_words_init(&words);
    eg_words_write(&of, &words);
    eg_buf_add(title, words.title.data, words.title.length);
    eg_buf_add(text, words.text.data, words.text.length);
    eg_buf_add(line, words.line.data, words.line.length);
    eg_words_finish(&words);
    return true;
}

static void put_trial(struct eg_pipeline *pipeline, const struct eg_command *command,
                      const struct eg_conf_party *party, size_t index, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_conf_route *route = &party->routes[index];
    const char *channel = pipeline->conf->channels[route->channel].id;
    bool english = party->language == EG_LANGUAGE_EN;
    char recipient[EG_RECIPIENT_TEXT], key[256], text[512];
    struct eg_buf body;
    struct eg_json json;
    eg_tell_recipient(pipeline->conf, party, route, recipient);
    snprintf(key, sizeof key, "trial/%s/%s/%zu/%lld", party->id, channel, index,
             (long long)pipeline->last_outbox + 1);
    snprintf(text, sizeof text,
             english
                 ? "This is a trial by %.60s: %.100s is reached by the channel %.60s. Nothing has happened."
                 : "这是%.60s发起的通知测试：%.100s可经通道%.60s收到通知，并无案件。",
             command->user, party->name, channel);
    eg_buf_init(&body, BODY_MAX);
    eg_json_init(&json, &body);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "key", key);
    eg_json_put_string(&json, "party", party->id);
    eg_json_put_string(&json, "why", eg_why_name(EG_WHY_TRIAL));
    eg_json_put_string(&json, "language", eg_language_name(party->language));
    eg_json_put_string(&json, "line", text);
    eg_json_put_string(&json, "title", english ? "ecogov: trial" : "ecogov 通知测试");
    eg_json_put_string(&json, "text", text);
    eg_json_put_string(&json, "rule", eg_why_name(EG_WHY_TRIAL));
    eg_json_put_string(&json, "level", eg_level_name(EG_LEVEL_NOTICE));
    eg_json_close(&json, '}');
    eg_tell_put(pipeline, batch,
                &(struct eg_row_outbox){.channel = channel,
                                        .recipient = recipient,
                                        .key = key,
                                        .body = body.data,
                                        .created_ms = now_ms,
                                        .party = party->id,
                                        .why = eg_why_name(EG_WHY_TRIAL),
                                        .line = text,
                                        .level = EG_LEVEL_NOTICE});
    batch->failed = batch->failed || body.failed;
    eg_buf_finish(&body);
}

/* By each of its channels, whatever the hour; the answer names the outbox's entries. */
void eg_trial_take(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                   struct eg_batch *batch)
{
    const struct eg_conf_party *party =
        command->party ? eg_conf_party_find(pipeline->conf, command->party) : NULL;
    int64_t first = pipeline->last_outbox + 1;
    char result[128], sentence[200] = "";
    for (size_t i = 0; party && i < party->route_count; i++)
        put_trial(pipeline, command, party, i, now_ms, batch);
    if (!party)
        snprintf(sentence, sizeof sentence, "there is no party '%.60s' in the configuration",
                 command->party ? command->party : "");
    else if (!party->route_count)
        snprintf(sentence, sizeof sentence, "party '%.60s' has no channels", party->id);
    snprintf(result, sizeof result, "{\"first\":%lld,\"count\":%lld}", (long long)first,
             (long long)(pipeline->last_outbox - first + 1));
    eg_batch_answer(batch, (struct eg_answer){.ticket = command->ticket,
                                              .code = *sentence ? EG_ENOTFOUND : EG_OK,
                                              .sentence = sentence,
                                              .result = result});
}
