/* Who is told of a case event: outbox rows, sent after the commit (CONTRACT §6). Knows topics and the JSON of an event. */
#include <pipeline/state.h>
#include <base/json.h>

#include <math.h>
#include <stdio.h>

#define BODY_MAX ((size_t)16 * 1024)

static void put_value(struct eg_json *json, const char *key, double value, int64_t ms)
{
    eg_json_key(json, key);
    eg_json_open(json, '{');
    eg_json_put_number(json, "value", value);
    eg_json_put_time(json, "time", ms);
    eg_json_close(json, '}');
}

static void body_of(const struct eg_conf *conf, const struct eg_case *row, const struct eg_case_event *event,
                    struct eg_buf *out)
{
    const struct eg_quantity_info *info = eg_quantity_info(row->quantity);
    struct eg_json json;
    char unit[EG_UNIT_TEXT];
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
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
    eg_json_put_string(&json, "site", row->site);
    eg_json_put_string(&json, "domain", row->domain);
    eg_json_put_string(&json, "device", row->device);
    eg_json_put_string(&json, "quantity", info->name);
    eg_json_put_string(&json, "unit",
                       eg_conf_rule_unit(eg_conf_rule_find(conf, row->rule), row->quantity, unit));
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
    eg_json_put_time(&json, "due_at", row->due_ms);
    eg_json_close(&json, '}');
}

void eg_tell_case(struct eg_pipeline *pipeline, const struct eg_case *row, const struct eg_case_event *event,
                  struct eg_batch *batch)
{
    if (!pipeline->conf->mqtt.publish)
        return;
    char topic[192], key[128];
    struct eg_buf body;
    snprintf(topic, sizeof topic, "ecogov/events/case/%s/%s", row->site, row->id);
    snprintf(key, sizeof key, "mqtt/%s/%u", row->id, event->version);
    eg_buf_init(&body, BODY_MAX);
    body_of(pipeline->conf, row, event, &body);
    struct eg_row_outbox *out = EG_BATCH_ADD(batch, outbox);
    if (out)
        *out = (struct eg_row_outbox){.id = ++pipeline->last_outbox,
                                      .channel = "mqtt",
                                      .recipient = eg_batch_text(batch, topic),
                                      .key = eg_batch_text(batch, key),
                                      .body = eg_batch_text(batch, body.data),
                                      .created_ms = event->known_ms};
    eg_buf_finish(&body);
}
