/* The batch: growing arrays and a text arena, reused from turn to turn. Knows nothing of what the rows mean.
 * Called by the pipeline (adds), the store (reads) and turn.c (clears). */
#include <pipeline/batch.h>

#include <stdlib.h>
#include <string.h>

/* A turn's text: blocks, so that pointers into it stay while it grows. */
#define BLOCK_BYTES ((size_t)64 * 1024)
#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define ROWS_MAX ((size_t)4 * 1024 * 1024)
/* What a turn may leave allocated for the next one; a burst's memory goes back. */
#define KEEP_BYTES ((size_t)512 * 1024)

struct block {
    struct block *next;
    size_t used, size;
    unsigned char data[];
};
struct eg_batch_text {
    struct block *first;
    size_t total;
};

void eg_batch_init(struct eg_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->text = calloc(1, sizeof *batch->text);
    if (!batch->text)
        batch->failed = true;
}

static void text_clear(struct eg_batch_text *text, bool keep_one)
{
    struct block *block = text->first;
    text->first = NULL;
    text->total = 0;
    while (block) {
        struct block *next = block->next;
        if (keep_one && !text->first && block->size <= BLOCK_BYTES) {
            block->next = NULL;
            block->used = 0;
            text->first = block;
        } else {
            free(block);
        }
        block = next;
    }
}

#define EACH_ARRAY(X)                                                                                        \
    X(devices)                                                                                               \
    X(series)                                                                                                \
    X(rhythms)                                                                                               \
    X(calibrations)                                                                                          \
    X(standings)                                                                                             \
    X(device_events)                                                                                         \
    X(findings)                                                                                              \
    X(readings)                                                                                              \
    X(idents)                                                                                                \
    X(rollups)                                                                                               \
    X(rule_states)                                                                                           \
    X(cases)                                                                                                 \
    X(case_events)                                                                                           \
    X(evidence)                                                                                              \
    X(outbox)                                                                                                \
    X(outbox_done)                                                                                           \
    X(outbox_tried)                                                                                          \
    X(told)                                                                                                  \
    X(silences)                                                                                              \
    X(suppressed)                                                                                            \
    X(quarantine)                                                                                            \
    X(retried)                                                                                               \
    X(own_times)                                                                                             \
    X(clocks)                                                                                                \
    X(answers)

const char *eg_evidence_name(enum eg_evidence why)
{
    static const char *const names[EG_EVIDENCE_COUNT] = {"asked", "heard", "measured"};
    return (unsigned)why < EG_EVIDENCE_COUNT ? names[why] : "?";
}

const char *eg_device_event_name(enum eg_device_event kind)
{
    static const char *const names[EG_DEVICE_EVENT_COUNT] = {"retired", "restored", "heard"};
    return (unsigned)kind < EG_DEVICE_EVENT_COUNT ? names[kind] : "?";
}

void eg_batch_finish(struct eg_batch *batch)
{
#define X(name) free(batch->name);
    EACH_ARRAY(X)
#undef X
    if (batch->text)
        text_clear(batch->text, false);
    free(batch->text);
    memset(batch, 0, sizeof *batch);
}

void eg_batch_clear(struct eg_batch *batch)
{
#define X(name)                                                                                              \
    batch->name##_count = 0;                                                                                 \
    if (batch->name##_capacity * sizeof *batch->name > KEEP_BYTES) {                                         \
        free(batch->name);                                                                                   \
        batch->name = NULL;                                                                                  \
        batch->name##_capacity = 0;                                                                          \
    }
    EACH_ARRAY(X)
#undef X
    if (batch->text)
        text_clear(batch->text, true);
    batch->events = 0;
    batch->urgent = false;
}

void *eg_batch_more(struct eg_batch *batch, void **rows, size_t *count, size_t *capacity, size_t size)
{
    if (*count == *capacity) {
        size_t more = *capacity ? *capacity * 2 : 16;
        void *grown = more > ROWS_MAX ? NULL : realloc(*rows, more * size);
        if (!grown) {
            batch->failed = true;
            return NULL;
        }
        *rows = grown;
        *capacity = more;
    }
    void *row = (unsigned char *)*rows + *count * size;
    memset(row, 0, size);
    (*count)++;
    return row;
}

void *eg_batch_bytes(struct eg_batch *batch, const void *bytes, size_t length)
{
    struct eg_batch_text *text = batch->text;
    if (!text || length > TEXT_MAX - text->total) {
        batch->failed = true;
        return NULL;
    }
    struct block *block = text->first;
    if (!block || block->size - block->used < length) {
        size_t size = length > BLOCK_BYTES ? length : BLOCK_BYTES;
        block = malloc(sizeof *block + size);
        if (!block) {
            batch->failed = true;
            return NULL;
        }
        block->next = text->first;
        block->used = 0;
        block->size = size;
        text->first = block;
    }
    unsigned char *at = block->data + block->used;
    if (length)
        memcpy(at, bytes, length);
    block->used += length;
    text->total += length;
    return at;
}

const char *eg_batch_text(struct eg_batch *batch, const char *text)
{
    if (!text || !*text)
        return "";
    const char *copy = eg_batch_bytes(batch, text, strlen(text) + 1);
    return copy ? copy : "";
}

const char *eg_handling_name(enum eg_handling handling)
{
    static const char *const names[EG_HANDLING_COUNT] = {"open",  "acknowledged", "assigned", "in_progress",
                                                         "fixed", "closed",       "rejected"};
    return (unsigned)handling < EG_HANDLING_COUNT ? names[handling] : "?";
}

const char *eg_case_kind_name(enum eg_case_kind kind)
{
    static const char *const names[EG_CASE_KIND_COUNT] = {"breach", "report", "maintenance", "regional",
                                                          "drill",  "device", "outage"};
    return (unsigned)kind < EG_CASE_KIND_COUNT ? names[kind] : "?";
}

const char *eg_case_quantity(const struct eg_case *row)
{
    return row->quantity < EG_QUANTITY_COUNT ? eg_quantity_info(row->quantity)->name : "";
}

const char *eg_condition_name(enum eg_condition condition)
{
    static const char *const names[EG_CONDITION_COUNT] = {"breaching", "ok", "unknown"};
    return (unsigned)condition < EG_CONDITION_COUNT ? names[condition] : "?";
}

const char *eg_why_name(enum eg_why why)
{
    static const char *const names[EG_WHY_COUNT] = {
        "opened",   "level",    "breaching",   "recovered", "reopened", "ended",     "gathered", "trial",
        "informed", "assigned", "missed",      "escalated", "offered",  "took_over", "fixed",    "expired",
        "unknown",  "still",    "unreachable", "caught_up", "repeated", "digest"};
    return (unsigned)why < EG_WHY_COUNT ? names[why] : "?";
}

void eg_batch_answer(struct eg_batch *batch, struct eg_answer answer)
{
    struct eg_answer *row = EG_BATCH_ADD(batch, answers);
    batch->urgent = true;
    answer.sentence = eg_batch_text(batch, answer.sentence);
    answer.result = answer.result ? eg_batch_text(batch, answer.result) : NULL;
    if (row)
        *row = answer;
}
