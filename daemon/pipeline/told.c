/* Who was told of which active case by which channel, so that an alarm is called off where it was raised and nowhere else. Knows no
 * words and no channels. Called by tell.c and pipeline.c (restoring). */
#include <pipeline/state.h>

#include <stdlib.h>
#include <string.h>

#define TOLD_MAX ((size_t)1 << 20)

size_t eg_told_first(const struct eg_pipeline *pipeline, uint32_t case_number)
{
    size_t low = 0, high = pipeline->told_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (pipeline->told[middle].case_number < case_number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct eg_told *find(const struct eg_pipeline *pipeline, const struct eg_row_told *row)
{
    for (size_t i = eg_told_first(pipeline, row->case_number);
         i < pipeline->told_count && pipeline->told[i].case_number == row->case_number; i++) {
        struct eg_told *told = &pipeline->told[i];
        if (!strcmp(told->party, row->party) && !strcmp(told->channel, row->channel) &&
            !strcmp(told->recipient, row->recipient))
            return told;
    }
    return NULL;
}

static bool own_texts(struct eg_told *told, const struct eg_row_told *row)
{
    size_t party = strlen(row->party) + 1, channel = strlen(row->channel) + 1,
           recipient = strlen(row->recipient) + 1;
    told->party = malloc(party + channel + recipient);
    if (!told->party)
        return false;
    told->channel = told->party + party;
    told->recipient = told->channel + channel;
    memcpy(told->party, row->party, party);
    memcpy(told->channel, row->channel, channel);
    memcpy(told->recipient, row->recipient, recipient);
    return true;
}

bool eg_told_note(struct eg_pipeline *pipeline, const struct eg_row_told *row, struct eg_batch *batch)
{
    struct eg_told *told = find(pipeline, row);
    if (!told) {
        struct eg_told fresh = {.case_number = row->case_number};
        if (!eg_room_more((void **)&pipeline->told, pipeline->told_count, &pipeline->told_capacity,
                          sizeof *pipeline->told, TOLD_MAX) ||
            !own_texts(&fresh, row))
            return false;
        size_t at = eg_told_first(pipeline, row->case_number + 1);
        memmove(pipeline->told + at + 1, pipeline->told + at,
                (pipeline->told_count - at) * sizeof *pipeline->told);
        pipeline->told_count++;
        told = &pipeline->told[at];
        *told = fresh;
    }
    told->at_ms = row->at_ms;
    told->repeats = row->repeats;
    told->next_ms = 0;
    struct eg_row_told *out = batch ? EG_BATCH_ADD(batch, told) : NULL;
    if (out)
        *out = (struct eg_row_told){row->case_number,
                                    eg_batch_text(batch, row->party),
                                    eg_batch_text(batch, row->channel),
                                    eg_batch_text(batch, row->recipient),
                                    row->at_ms,
                                    row->repeats};
    pipeline->wake_known = false;
    return true;
}

void eg_told_forget(struct eg_pipeline *pipeline, uint32_t case_number, struct eg_batch *batch)
{
    size_t first = eg_told_first(pipeline, case_number), behind = eg_told_first(pipeline, case_number + 1);
    if (first == behind)
        return;
    for (size_t i = first; i < behind; i++)
        free(pipeline->told[i].party);
    memmove(pipeline->told + first, pipeline->told + behind,
            (pipeline->told_count - behind) * sizeof *pipeline->told);
    pipeline->told_count -= behind - first;
    struct eg_row_told *out = EG_BATCH_ADD(batch, told);
    if (out)
        *out = (struct eg_row_told){case_number, "", "", "", EG_TIME_NONE, 0};
}

void eg_told_finish(struct eg_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->told_count; i++)
        free(pipeline->told[i].party);
    free(pipeline->told);
}
