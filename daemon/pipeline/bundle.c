/* One message for many: after a night's quiet, an outage, or in a storm of cases. Says how many, names the critical ones first and all of
 * them, and the others as far as there is room; the many are done with it, each noting what carries it. Knows words; when it is time to
 * gather, daemon/notify knows. Called by deliver.c. */
#include <pipeline/state.h>
#include <base/json.h>
#include <base/zone.h>

#include <stdio.h>
#include <string.h>

#define LINES 40
#define TEXT_MAX ((size_t)64 * 1024)

static void put_line(bool english, const struct eg_delivery *delivery, const struct eg_gather_item *item,
                     struct eg_buf *out)
{
    char when[32], at[96];
    if (delivery->late) {
        eg_zone_format(item->created_ms, when);
        snprintf(at, sizeof at, english ? "happened at %s: " : "%s发生：", when + 5);
        eg_buf_text(out, at);
    }
    eg_buf_text(out, item->line);
    eg_buf_text(out, "\n");
}

/* The critical ones, then the others, in their order. */
static void put_lines(bool english, const struct eg_delivery *delivery, struct eg_buf *out)
{
    size_t lines = 0, left_critical = 0, left = 0;
    for (int critical = 1; critical >= 0; critical--)
        for (size_t i = 0; i < delivery->item_count; i++) {
            const struct eg_gather_item *item = &delivery->items[i];
            if ((item->level == EG_LEVEL_CRITICAL) != (critical == 1))
                continue;
            if (lines < LINES) {
                put_line(english, delivery, item, out);
                lines++;
            } else if (critical) { /* none of them goes unnamed */
                if (!left_critical++)
                    eg_buf_text(out, english ? "further critical cases:" : "其余严重案件：");
                eg_buf_printf(out, " #%u", item->case_number);
            } else {
                left++;
            }
        }
    if (left_critical)
        eg_buf_text(out, "\n");
    if (left)
        eg_buf_printf(out, english ? "and %zu more: see the list of cases\n" : "另有%zu条，见案件列表\n",
                      left);
}

static void put_title(bool english, const struct eg_delivery *delivery, size_t critical, struct eg_buf *out)
{
    if (delivery->late)
        eg_buf_printf(out, english ? "sent late: %zu messages" : "补发%zu条通知", delivery->item_count);
    else
        eg_buf_printf(out, english ? "%zu messages" : "%zu条通知", delivery->item_count);
    if (critical)
        eg_buf_printf(out, english ? ", %zu of them critical" : "，其中严重%zu条", critical);
}

static void put_body(const struct eg_delivery *delivery, const struct eg_conf_party *party, const char *key,
                     const char *title, const char *text, unsigned level, struct eg_buf *out)
{
    struct eg_json json;
    eg_json_init(&json, out);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "key", key);
    eg_json_put_string(&json, "party", delivery->party);
    eg_json_put_string(&json, "why", eg_why_name(EG_WHY_GATHERED));
    eg_json_put_string(&json, "language", eg_language_name(party->language));
    eg_json_put_string(&json, "line", title);
    eg_json_put_string(&json, "title", title);
    eg_json_put_string(&json, "text", text);
    eg_json_put_string(&json, "rule", eg_why_name(EG_WHY_GATHERED));
    eg_json_put_string(&json, "level", eg_level_name((enum eg_level)level));
    eg_json_put_int(&json, "count", (int64_t)delivery->item_count);
    eg_json_put_bool(&json, "late", delivery->late);
    eg_json_key(&json, "cases");
    eg_json_open(&json, '[');
    for (size_t i = 0; i < delivery->item_count; i++)
        eg_json_int(&json, delivery->items[i].case_number);
    eg_json_close(&json, ']');
    eg_json_close(&json, '}');
}

void eg_bundle_take(struct eg_pipeline *pipeline, const struct eg_delivery *delivery, int64_t now_ms,
                    struct eg_batch *batch)
{
    static const struct eg_conf_party nobody = {.id = "", .name = "", .language = EG_LANGUAGE_ZH_CN};
    const struct eg_conf_party *party = eg_conf_party_find(pipeline->conf, delivery->party);
    party = party ? party : &nobody;
    bool english = party->language == EG_LANGUAGE_EN;
    struct eg_buf title, text, body;
    unsigned level = EG_LEVEL_NOTICE;
    size_t critical = 0;
    char key[256];
    for (size_t i = 0; i < delivery->item_count; i++) {
        level = delivery->items[i].level > level ? delivery->items[i].level : level;
        critical += delivery->items[i].level == EG_LEVEL_CRITICAL;
    }
    eg_buf_init(&title, 1024);
    eg_buf_init(&text, TEXT_MAX);
    eg_buf_init(&body, 8 * TEXT_MAX);
    eg_buf_text(&text, "");
    put_title(english, delivery, critical, &title);
    put_lines(english, delivery, &text);
    snprintf(key, sizeof key, "gathered/%lld-%lld", (long long)delivery->items[0].id,
             (long long)delivery->items[delivery->item_count - 1].id);
    put_body(delivery, party, key, title.data, text.data, level, &body);
    eg_tell_put(pipeline, batch,
                &(struct eg_row_outbox){.channel = delivery->channel,
                                        .recipient = delivery->recipient,
                                        .key = key,
                                        .body = body.data,
                                        .created_ms = now_ms,
                                        .party = delivery->party,
                                        .why = eg_why_name(EG_WHY_GATHERED),
                                        .line = title.data,
                                        .level = (uint8_t)level});
    batch->failed = batch->failed || title.failed || text.failed || body.failed;
    batch->urgent = true;
    for (size_t i = 0; i < delivery->item_count; i++) {
        struct eg_row_outbox_done *row = EG_BATCH_ADD(batch, outbox_done);
        if (row)
            *row =
                (struct eg_row_outbox_done){delivery->items[i].id, false, "", now_ms, pipeline->last_outbox};
    }
    eg_buf_finish(&title);
    eg_buf_finish(&text);
    eg_buf_finish(&body);
}
