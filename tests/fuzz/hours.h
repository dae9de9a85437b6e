/* Hours and days of memory.h's store: as the batches wrote them, and as the readings say that they are. Part of memory.h. */
#ifndef EG_FUZZ_HOURS_H
#define EG_FUZZ_HOURS_H

static struct eg_row_rollup *memory_find_bucket(const struct memory *memory, uint32_t series,
                                                enum eg_period period, int64_t start_ms)
{
    for (size_t i = memory->rollups_count; i-- > 0;)
        if (memory->rollups[i].series == series && memory->rollups[i].period == period &&
            memory->rollups[i].rollup.start_ms == start_ms)
            return &memory->rollups[i];
    return NULL;
}

static void memory_keep_bucket(struct memory *memory, const struct eg_row_rollup *row)
{
    struct eg_row_rollup *kept = memory_find_bucket(memory, row->series, row->period, row->rollup.start_ms);
    if (kept && !row->replace) {
        eg_rollup_merge(&kept->rollup, &row->rollup);
        return;
    }
    if (!kept)
        kept = MEMORY_ADD(memory, rollups);
    *kept = *row;
}

static int memory_rollup(void *user, uint32_t series, enum eg_period period, struct eg_rollup *bucket)
{
    const struct eg_row_rollup *kept = memory_find_bucket(user, series, period, bucket->start_ms);
    if (!kept)
        return 0;
    *bucket = kept->rollup;
    return 1;
}

static int memory_rollups(void *user, uint32_t series, enum eg_period period, int64_t from_ms, int64_t to_ms,
                          bool (*each)(void *arg, const struct eg_rollup *bucket), void *arg)
{
    const struct memory *memory = user;
    for (size_t i = 0; i < memory->rollups_count; i++) /* in whatever order: who asks must not mind */
        if (memory->rollups[i].series == series && memory->rollups[i].period == period &&
            memory->rollups[i].rollup.start_ms >= from_ms && memory->rollups[i].rollup.start_ms < to_ms &&
            !each(arg, &memory->rollups[i].rollup))
            break;
    return EG_OK;
}

static int memory_range(void *user, uint32_t series, int64_t from_ms, int64_t to_ms,
                        void (*each)(void *arg, int64_t time_ms, double value, uint16_t flags), void *arg);

/* From the readings: all but the newest, which is open. */
struct memory_sum {
    struct memory *memory;
    uint32_t series;
    enum eg_period period;
    double scale;
    struct eg_rollup open;
    size_t count; /* that have readings */
    void (*each)(struct memory_sum *sum);
};

static void memory_sum_one(void *arg, int64_t time_ms, double value, uint16_t flags)
{
    struct memory_sum *sum = arg;
    if (!sum->open.end_ms || time_ms >= sum->open.end_ms) {
        if (sum->open.count)
            sum->each(sum);
        sum->count += sum->open.count != 0;
        eg_rollup_start(&sum->open, sum->period, time_ms);
    }
    if (!(flags & EG_FLAGS_SET_ASIDE))
        eg_rollup_add(&sum->open, sum->period, sum->scale, time_ms, value);
}

static size_t memory_sum_up(struct memory *memory, uint32_t series, enum eg_period period,
                            void (*each)(struct memory_sum *sum))
{
    struct memory_sum sum = {.memory = memory,
                             .series = series,
                             .period = period,
                             .scale = eg_rollup_scale(memory->series[series - 1].quantity),
                             .each = each};
    memory_range(memory, series, 0, INT64_MAX, memory_sum_one, &sum);
    return sum.count;
}

static void memory_put_bucket(struct memory_sum *sum)
{
    *(struct eg_row_rollup *)MEMORY_ADD(sum->memory, rollups) =
        (struct eg_row_rollup){sum->series, sum->period, true, sum->open};
}

/* As the store does where readings were dated anew. */
static void memory_remake_buckets(struct memory *memory)
{
    memory->rollups_count = 0;
    for (uint32_t id = 1; id <= memory->series_count; id++)
        for (int period = 0; period < EG_PERIOD_COUNT; period++)
            memory_sum_up(memory, id, (enum eg_period)period, memory_put_bucket);
}

static void memory_check_bucket(struct memory_sum *sum)
{
    const struct eg_row_rollup *row =
        memory_find_bucket(sum->memory, sum->series, sum->period, sum->open.start_ms);
    DEMAND(row, "series %u: nothing was written of %lld", sum->series, (long long)sum->open.start_ms);
    const struct eg_rollup *a = &row->rollup, *b = &sum->open;
    DEMAND(a->count == b->count && a->first_ms == b->first_ms && a->last_ms == b->last_ms &&
               !memcmp(&a->sum, &b->sum, sizeof a->sum) && !memcmp(&a->min, &b->min, sizeof a->min) &&
               !memcmp(&a->max, &b->max, sizeof a->max) && !memcmp(a->slots, b->slots, sizeof a->slots),
           "series %u: of %lld were written %llu readings, sum %.17g; there are %llu, %.17g", sum->series,
           (long long)b->start_ms, (unsigned long long)a->count, a->sum, (unsigned long long)b->count,
           b->sum);
}

/* What was written of hours and days that are over is what their readings come to, to the last bit. */
static void memory_check_buckets(struct memory *memory)
{
    for (uint32_t id = 1; id <= memory->series_count; id++)
        for (int period = 0; period < EG_PERIOD_COUNT; period++) {
            size_t there = memory_sum_up(memory, id, (enum eg_period)period, memory_check_bucket), kept = 0;
            for (size_t i = 0; i < memory->rollups_count; i++)
                kept += memory->rollups[i].series == id &&
                        memory->rollups[i].period == (enum eg_period)period &&
                        memory->rollups[i].rollup.count;
            DEMAND(kept == there, "series %u: %zu buckets were written, there are %zu", id, kept, there);
        }
}

/* --- what they tell of a sensor --- */

static void memory_keep_finding(struct memory *memory, const struct eg_row_finding *row)
{
    for (size_t i = 0; i < memory->findings_count; i++)
        if (memory->findings[i].series == row->series) {
            memory->findings[i] = *row;
            return;
        }
    *(struct eg_row_finding *)MEMORY_ADD(memory, findings) = *row;
}

#endif
