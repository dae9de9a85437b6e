/* The readings of a series over a span: the committed ones and those of the batch being filled, ascending, the newest value of each time.
 * Called where a bucket, a window or a judgement is made anew. */
#include <pipeline/state.h>

#include <stdlib.h>

#define BACK_FIRST_MS INT64_C(21600000)

void eg_gather_finish(struct eg_gather *gather)
{
    free(gather->rows);
    *gather = (struct eg_gather){0};
}

static void gather_one(void *arg, int64_t time_ms, double value, uint16_t flags)
{
    struct eg_gather *gather = arg;
    if (!eg_room_more((void **)&gather->rows, gather->count, &gather->capacity, sizeof *gather->rows,
                      SIZE_MAX / 64)) {
        gather->failed = true;
        return;
    }
    gather->rows[gather->count] = (struct eg_gathered){time_ms, value, gather->count, flags, flags, 0};
    gather->count++;
}

static int by_time_and_order(const void *left, const void *right)
{
    const struct eg_gathered *a = left, *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

bool eg_gather_span(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t from_ms,
                    int64_t to_ms, const struct eg_batch *batch, struct eg_gather *gather)
{
    bool sorted = true;
    gather->count = 0;
    if (pipeline->past.range &&
        pipeline->past.range(pipeline->past.user, series->id, from_ms, to_ms, gather_one, gather) < 0)
        return false;
    for (size_t i = 0; i < batch->readings_count; i++) {
        const struct eg_row_reading *row = &batch->readings[i];
        if (row->series != series->id || row->time_ms < from_ms || row->time_ms >= to_ms)
            continue;
        sorted = sorted && (!gather->count || gather->rows[gather->count - 1].time_ms < row->time_ms);
        gather_one(gather, row->time_ms, row->value, row->flags);
        if (!gather->failed)
            gather->rows[gather->count - 1].batch_row = i + 1;
    }
    if (gather->failed)
        return false;
    if (sorted)
        return true;
    qsort(gather->rows, gather->count, sizeof *gather->rows, by_time_and_order);
    size_t kept = 0;
    for (size_t i = 0; i < gather->count; i++) {
        if (kept && gather->rows[kept - 1].time_ms == gather->rows[i].time_ms)
            kept--;
        gather->rows[kept++] = gather->rows[i];
    }
    gather->count = kept;
    return true;
}

/* A row before which nothing more is needed: `count` that may be judged lie at it and behind it, up to `from_ms`. */
static bool reaches(const struct eg_gather *gather, int64_t start_ms, int64_t from_ms, size_t count,
                    int64_t width_ms)
{
    for (size_t i = gather->count; i-- > 0;) {
        const struct eg_gathered *row = &gather->rows[i];
        if (row->time_ms <= from_ms && !(row->flags & EG_FLAGS_UNJUDGED) && !--count)
            return start_ms <= row->time_ms - width_ms;
    }
    return false;
}

bool eg_gather_back(struct eg_pipeline *pipeline, const struct eg_series *series, int64_t from_ms,
                    int64_t to_ms, size_t count, int64_t width_ms, const struct eg_batch *batch,
                    struct eg_gather *gather)
{
    int64_t back_ms = width_ms > BACK_FIRST_MS ? width_ms : BACK_FIRST_MS;
    for (;;) {
        int64_t start_ms = from_ms - back_ms > 0 ? from_ms - back_ms : 0; /* no reading is from before 1970 */
        if (!eg_gather_span(pipeline, series, start_ms, to_ms, batch, gather))
            return false;
        if (!start_ms || reaches(gather, start_ms, from_ms, count, width_ms))
            return true;
        back_ms *= 4;
    }
}
