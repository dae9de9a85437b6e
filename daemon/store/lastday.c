/* What each series came to in the hours of the last day, in the reader's memory: for the question that asks all series at once. Knows
 * closed hours as their sums; a series' are read from the store when it is first asked for (some tenths of a millisecond), then every
 * batch that was committed brings them up to date. Given back when nobody has asked for an hour. Refuses to know the open hour, which
 * is the pipeline's. Called by m_statistics.c, and by server.c after each commit. */
#include <store/inside.h>
#include <pipeline/pace.h>
#include <pipeline/rollup.h>

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
/* The hour the span begins in, those before it by which it is told how often it reports, and the one that is closing. */
#define SLOTS (EG_LASTDAY_HOURS + 2 + EG_PACE_BACK)
#define SERIES_MOST (1u << 24)

struct eg_lastday_one {
    int64_t since_ms, seq; /* all that starts from there on, as of that turn */
    struct slot {
        int64_t start_ms, end_ms, first_ms, last_ms;
        uint64_t count, minutes;
        double sum, min, max;
    } slots[SLOTS];
};

static struct slot *slot_of(struct eg_lastday_one *one, int64_t start_ms)
{
    return &one->slots[(uint64_t)(start_ms / HOUR_MS) % SLOTS];
}

/* `whole`: in place of what is known of the hour; else it comes to that. */
static void put(struct eg_lastday_one *one, const struct eg_rollup *row, bool whole)
{
    struct slot *slot = slot_of(one, row->start_ms);
    if (row->start_ms < one->since_ms || (slot->count && row->start_ms < slot->start_ms))
        return;
    if (whole || !slot->count || row->start_ms != slot->start_ms) {
        *slot = (struct slot){row->start_ms, row->end_ms, row->first_ms, row->last_ms, row->count,
                              row->slots[0], row->sum,    row->min,      row->max};
        return;
    }
    slot->first_ms = row->first_ms < slot->first_ms ? row->first_ms : slot->first_ms;
    slot->last_ms = row->last_ms > slot->last_ms ? row->last_ms : slot->last_ms;
    slot->minutes |= row->slots[0];
    slot->count += row->count;
    slot->sum += row->sum;
    slot->min = row->min < slot->min ? row->min : slot->min;
    slot->max = row->max > slot->max ? row->max : slot->max;
}

void eg_lastday_finish(struct eg_lastday *hours)
{
    for (uint32_t i = 0; i < hours->capacity; i++)
        free(hours->series[i]);
    free(hours->series);
    memset(hours, 0, sizeof *hours);
}

static struct eg_lastday_one *room_for(struct eg_lastday *hours, uint32_t series)
{
    if (series > SERIES_MOST)
        return NULL;
    if (series >= hours->capacity) {
        uint32_t more = series + series / 2 + 64;
        struct eg_lastday_one **grown = realloc(hours->series, more * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + hours->capacity, 0, (more - hours->capacity) * sizeof *grown);
        hours->series = grown;
        hours->capacity = more;
    }
    if (!hours->series[series])
        hours->series[series] = calloc(1, sizeof **hours->series);
    return hours->series[series];
}

static int fill(struct eg_reader *reader, uint32_t series, int64_t since_ms, struct eg_lastday_one *one,
                struct eg_err *err)
{
    struct eg_rollup row;
    memset(one, 0, sizeof *one);
    one->since_ms = since_ms;
    sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL);
    one->seq = eg_sql_number(reader->db, "SELECT ifnull(max(seq),0) FROM turn", 0);
    int code =
        eg_rollups_open(&reader->day, reader->db, series, EG_PERIOD_HOUR, since_ms, INT64_MAX, true, err);
    while (code == EG_OK && (code = eg_rollups_next(&reader->day, &row)) == 1) {
        put(one, &row, true);
        code = EG_OK;
    }
    if (code < 0)
        eg_rollups_close(&reader->day);
    sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
    return code;
}

bool eg_reader_knows_hours(const struct eg_reader *reader, uint32_t series, int64_t from_ms)
{
    const struct eg_lastday *hours = &reader->hours;
    return series < hours->capacity && hours->series[series] &&
           hours->series[series]->since_ms <= from_ms - EG_PACE_BACK_MS;
}

static struct eg_rollup hour_of(const struct slot *slot)
{
    return (struct eg_rollup){.start_ms = slot->start_ms,
                              .end_ms = slot->end_ms,
                              .count = slot->count,
                              .first_ms = slot->first_ms,
                              .last_ms = slot->last_ms,
                              .slots = {slot->minutes}};
}

int eg_reader_hours(struct eg_reader *reader, uint32_t series, int64_t from_ms, int64_t to_ms,
                    const struct eg_conf_validity *validity, struct eg_lastday_sum *ret, struct eg_err *err)
{
    struct eg_lastday *hours = &reader->hours;
    hours->asked = true;
    if (!eg_reader_knows_hours(reader, series, from_ms)) {
        struct eg_lastday_one *one = room_for(hours, series);
        int code = one ? fill(reader, series, from_ms - EG_PACE_BACK_MS, one, err)
                       : eg_err_set(err, EG_ENOMEM, "no memory for the hours of a series");
        if (code < 0) {
            if (one) {
                free(one);
                hours->series[series] = NULL;
            }
            return code;
        }
    }
    struct eg_lastday_sum sum = {0};
    struct eg_pace pace = {0};
    const int64_t first = from_ms / HOUR_MS - EG_PACE_BACK;
    for (int64_t number = first; number < first + SLOTS; number++) {
        const struct slot *slot = slot_of(hours->series[series], number * HOUR_MS);
        const struct eg_rollup hour = hour_of(slot);
        if (slot->start_ms / HOUR_MS != number || slot->start_ms >= to_ms)
            continue;
        const int64_t interval_ms = eg_pace_hour(&pace, &hour);
        if (!slot->count || slot->start_ms < from_ms)
            continue;
        sum.min = !sum.hours || slot->min < sum.min ? slot->min : sum.min;
        sum.max = !sum.hours || slot->max > sum.max ? slot->max : sum.max;
        sum.count += slot->count;
        sum.sum += slot->sum;
        eg_daymean_add(&sum.mean, &(struct eg_rollup){.sum = slot->sum, .count = slot->count});
        sum.hours++;
        sum.valid_hours += eg_rollup_valid(&hour, EG_PERIOD_HOUR, interval_ms, validity);
    }
    *ret = sum;
    return EG_OK;
}

void eg_reader_committed(struct eg_reader *reader, const struct eg_batch *batch)
{
    struct eg_lastday *hours = &reader->hours;
    if (!hours->capacity)
        return;
    if (hours->asked)
        hours->asked_ms = batch->now_ms;
    hours->asked = false;
    if (batch->now_ms - hours->asked_ms > HOUR_MS) {
        eg_lastday_finish(hours);
        return;
    }
    for (size_t i = 0; i < batch->rollups_count; i++) {
        const struct eg_row_rollup *row = &batch->rollups[i];
        struct eg_lastday_one *one = row->series < hours->capacity ? hours->series[row->series] : NULL;
        if (one && row->period == EG_PERIOD_HOUR && reader->store->seq > one->seq)
            put(one, &row->rollup, row->replace);
    }
}
