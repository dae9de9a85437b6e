/* What was quarantined is read once more, under the configuration of now. Knows what becomes of the entry and how it counts; what a
 * message holds is message.c's business.
 *
 * It counts once, by what became of it in the end: one that was refused and is decoded now moves from `quarantined` to `decoded`. One
 * that was rejected counted as decoded already. Its readings count when it comes to something; those that are there are duplicates.
 * What comes to nothing stays as it is and changes no counter. Called by pipeline.c. */
#include <pipeline/state.h>
#include <base/json.h>

#include <stdio.h>
#include <string.h>

#define RESULT_MAX ((size_t)256 * 1024)

static const char *why_ignored(const struct eg_became *became)
{
    if (became->source == EG_CONF_NONE)
        return "no source takes its topic";
    return became->verdict == EG_NOT_MINE ? "it is none of the messages that its source reads"
                                          : "a retained message's reading without a time cannot be dated";
}

static void move(struct eg_pipeline *pipeline, const struct eg_became *became)
{
    struct eg_counters *counters = &pipeline->counters;
    if (counters->quarantined)
        counters->quarantined--;
    else
        counters->received++; /* a salvaged store has forgotten that it was counted */
    counters->decoded++;
    pipeline->source_counts[became->source][EG_DECODED]++;
}

static void put_entry(struct eg_json *json, int64_t id, const char *outcome, const char *reason,
                      const struct eg_counters *before, const struct eg_counters *now)
{
    eg_json_open(json, '{');
    eg_json_put_int(json, "id", id);
    eg_json_put_string(json, "outcome", outcome);
    eg_json_put_string(json, "reason", *reason ? reason : NULL);
    eg_json_put_int(json, "stored", (int64_t)(now->r_stored - before->r_stored));
    eg_json_put_int(json, "duplicate", (int64_t)(now->r_duplicate - before->r_duplicate));
    eg_json_put_int(json, "rejected", (int64_t)(now->r_rejected - before->r_rejected));
    eg_json_close(json, '}');
}

/* False: it stays as it is, `reason` says why. */
static bool take(struct eg_pipeline *pipeline, const struct eg_retry_row *row, int64_t now_ms,
                 struct eg_batch *batch, char reason[EG_REASON_MAX])
{
    const struct eg_counters before = pipeline->counters;
    struct eg_became became;
    if (row->full_len > row->message.payload_len) {
        snprintf(reason, EG_REASON_MAX, "only the first %zu of its %zu bytes were kept: it cannot be read",
                 row->message.payload_len, row->full_len);
        return false;
    }
    eg_message_read(pipeline, &row->message, now_ms, true, batch, &became);
    memcpy(reason, became.reason, EG_REASON_MAX);
    bool stored = pipeline->counters.r_stored > before.r_stored;
    if (became.fate != EG_MESSAGE_DECODED || (row->rejected && !stored && *reason)) {
        pipeline->counters = before;
        if (became.fate == EG_MESSAGE_IGNORED)
            snprintf(reason, EG_REASON_MAX, "%s", why_ignored(&became));
        return false;
    }
    if (!row->rejected)
        move(pipeline, &became);
    struct eg_row_retried *done = EG_BATCH_ADD(batch, retried);
    if (done)
        *done = (struct eg_row_retried){row->id, *reason ? eg_batch_text(batch, reason) : NULL};
    return true;
}

void eg_retry_take(struct eg_pipeline *pipeline, const struct eg_retry *retry, int64_t now_ms,
                   struct eg_batch *batch)
{
    struct eg_answer answer = {.ticket = retry->ticket, .code = EG_OK};
    char reason[EG_REASON_MAX] = "", next[24];
    struct eg_buf text;
    struct eg_json json;
    eg_buf_init(&text, RESULT_MAX);
    eg_json_init(&json, &text);
    eg_json_open(&json, '{');
    eg_json_key(&json, "entries");
    eg_json_open(&json, '[');
    for (size_t i = 0; i < retry->count; i++) {
        const struct eg_counters before = pipeline->counters;
        bool taken = take(pipeline, &retry->rows[i], now_ms, batch, reason);
        if (!taken && retry->one)
            answer.code = EG_ECONFLICT;
        put_entry(&json, retry->rows[i].id,
                  !taken    ? "kept"
                  : *reason ? "partly"
                            : "stored",
                  reason, &before, &pipeline->counters);
    }
    eg_json_close(&json, ']');
    snprintf(next, sizeof next, "%lld", (long long)retry->next);
    eg_json_put_string(&json, "next", retry->next ? next : NULL);
    eg_json_close(&json, '}');
    batch->failed = batch->failed || text.failed;
    answer.sentence = reason;
    answer.result = text.data;
    eg_batch_answer(batch, answer);
    eg_buf_finish(&text);
}
