/* The hours of a series over a span: what is in memory where that reaches as far back, else those of the store, of the batch being filled
 * and the open one. Knows where they lie. Refuses to know what is made of them. Called by sitelook.c (air) and plots.c (soil, waste), where
 * an index is judged anew. */
#include <pipeline/pasthours.h>
#include <index/nano.h>
#include <pipeline/hours.h>
#include <pipeline/pace.h>
#include <pipeline/state.h>

#include <stdlib.h>

void eg_past_finish(struct eg_past_hours *hours)
{
    free(hours->rows);
    *hours = (struct eg_past_hours){0};
}

static bool take(void *arg, const struct eg_rollup *hour)
{
    struct eg_past_hours *hours = arg;
    if (!eg_room_more((void **)&hours->rows, hours->count, &hours->capacity, sizeof *hours->rows,
                      SIZE_MAX / sizeof *hours->rows)) {
        hours->failed = true;
        return false;
    }
    hours->rows[hours->count++] = *hour;
    return true;
}

struct ordered { /* where it was taken in: the later one holds */
    int64_t start_ms;
    size_t place;
};

static int by_start(const void *left, const void *right)
{
    const struct ordered *a = left, *b = right;
    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Ascending, of each hour the one that came last, none that has lost all its readings. */
static bool put_in_order(struct eg_past_hours *hours)
{
    struct ordered *order = malloc((hours->count + 1) * sizeof *order);
    struct eg_rollup *rows = malloc((hours->count + 1) * sizeof *rows);
    size_t kept = 0;
    if (!order || !rows) {
        free(order);
        free(rows);
        return false;
    }
    for (size_t i = 0; i < hours->count; i++)
        order[i] = (struct ordered){hours->rows[i].start_ms, i};
    qsort(order, hours->count, sizeof *order, by_start);
    for (size_t i = 0; i < hours->count; i++)
        if ((i + 1 == hours->count || order[i + 1].start_ms != order[i].start_ms) &&
            hours->rows[order[i].place].count)
            rows[kept++] = hours->rows[order[i].place];
    free(order);
    free(hours->rows);
    hours->rows = rows;
    hours->capacity = hours->count + 1;
    hours->count = kept;
    return true;
}

static bool ascends(const struct eg_past_hours *hours)
{
    for (size_t i = 0; i < hours->count; i++)
        if (!hours->rows[i].count || (i && hours->rows[i - 1].start_ms >= hours->rows[i].start_ms))
            return false;
    return true;
}

bool eg_past_hours(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t from_ms,
                   int64_t to_ms, const struct eg_batch *batch, struct eg_past_hours *hours)
{
    const struct eg_past *past = &pipeline->past;
    const struct eg_rollup *open = &series->open[EG_PERIOD_HOUR];
    hours->count = 0;
    hours->failed = false;
    if (past->rollups &&
        past->rollups(past->user, series->id, EG_PERIOD_HOUR, from_ms, to_ms, take, hours) < 0)
        return false;
    for (size_t i = 0; batch && i < batch->rollups_count && !hours->failed; i++) {
        const struct eg_row_rollup *row = &batch->rollups[i];
        if (row->series == series->id && row->period == EG_PERIOD_HOUR && row->replace &&
            row->rollup.start_ms >= from_ms && row->rollup.start_ms < to_ms)
            take(hours, &row->rollup);
    }
    if (open->end_ms && open->start_ms >= from_ms && open->start_ms < to_ms && !hours->failed)
        take(hours, open);
    return !hours->failed && (ascends(hours) || put_in_order(hours));
}

/* --- of the air --- */

static bool in_memory(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t first)
{
    return !pipeline->past.rollups || !series->has_last ||
           first >= series->last_ms / EG_HOUR_MS - EG_AIR_HOURS + 1;
}

static void tell(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t first,
                 int64_t end, int64_t *ret_nano)
{
    int64_t nano[EG_AIR_HOURS];
    for (int64_t behind = end; behind > first; behind -= EG_AIR_HOURS) {
        eg_hours_tell(pipeline, series, behind * EG_HOUR_MS, nano);
        for (int64_t ago = 0; ago < EG_AIR_HOURS && behind - 1 - ago >= first; ago++)
            ret_nano[behind - 1 - ago - first] = nano[ago];
    }
}

bool eg_past_air(const struct eg_pipeline *pipeline, const struct eg_series *series, int64_t first,
                 int64_t end, const struct eg_batch *batch, int64_t *ret_nano)
{
    struct eg_past_hours hours = {0};
    struct eg_pace pace = {0};
    if (in_memory(pipeline, series, first)) {
        tell(pipeline, series, first, end, ret_nano);
        return true;
    }
    for (int64_t hour = first; hour < end; hour++)
        ret_nano[hour - first] = EG_NANO_NONE;
    const bool ok =
        eg_past_hours(pipeline, series, (first - EG_PACE_BACK) * EG_HOUR_MS, end * EG_HOUR_MS, batch, &hours);
    for (size_t i = 0; i < hours.count && ok; i++) {
        const struct eg_rollup *hour = &hours.rows[i];
        const int64_t interval_ms = eg_pace_hour(&pace, hour), number = hour->start_ms / EG_HOUR_MS;
        if (number >= first && eg_rollup_valid(hour, EG_PERIOD_HOUR, interval_ms, &pipeline->conf->validity))
            ret_nano[number - first] = eg_nano_of(hour->sum / (double)hour->count);
    }
    eg_past_finish(&hours);
    return ok;
}
