/* Blobs of closed buckets (buckets.h). Knows bytes only; no SQL, no file. Called by fold.c, rollups.c, verify.c and the tests. */
#include <store/buckets.h>
#include <store/columns.h>
#include <store/pack.h>

#include <string.h>

#define VERSION 2
#define HOUR_MS UINT64_C(3600000)

/* --- slots --- */

static uint64_t slot_bit(const struct eg_rollup *row, int64_t ms, int half)
{
    uint64_t length = (uint64_t)row->end_ms - (uint64_t)row->start_ms,
             slot = ((uint64_t)ms - (uint64_t)row->start_ms) /
                    (length > 2 * HOUR_MS ? HOUR_MS / 4 : HOUR_MS / 60);
    return slot / 64 == (uint64_t)half ? UINT64_C(1) << slot % 64 : 0;
}

/* Beyond the slots of a bucket's first and last reading, which its times tell. */
static void slots_beyond(const struct eg_columns *work, const struct eg_rollup *rows, int half, uint64_t *ret)
{
    for (size_t i = 0; i < work->count; i++)
        ret[i] = rows[i].slots[half] ^
                 (slot_bit(&rows[i], rows[i].first_ms, half) | slot_bit(&rows[i], rows[i].last_ms, half));
}

/* --- all columns --- */

static void take_apart(struct eg_columns *work, const struct eg_rollup *rows)
{
    for (size_t i = 0; i < work->count; i++) {
        const double values[EG_COLUMNS] = {rows[i].first, rows[i].last, rows[i].min, rows[i].max,
                                           rows[i].sum};
        for (int column = 0; column < EG_COLUMNS; column++)
            work->values[column][i] = values[column];
        work->counts[i] = rows[i].count;
    }
}

#define WHOLE(bits, work, rows, expression)                                                                  \
    do {                                                                                                     \
        for (size_t i = 0; i < (work)->count; i++)                                                           \
            (work)->numbers[i] = (uint64_t)(expression);                                                     \
        eg_columns_put_numbers(bits, work);                                                                  \
    } while (0)

static void put_all(struct eg_bits_out *bits, struct eg_columns *work, const struct eg_rollup *rows)
{
    take_apart(work, rows);
    eg_buf_zigzag(bits->buf, rows[0].start_ms);
    WHOLE(bits, work, rows, (uint64_t)rows[i].end_ms - (uint64_t)rows[i].start_ms);
    WHOLE(bits, work, rows, i ? (uint64_t)rows[i].start_ms - (uint64_t)rows[i - 1].end_ms : 0);
    WHOLE(bits, work, rows, rows[i].count);
    WHOLE(bits, work, rows, (uint64_t)rows[i].first_ms - (uint64_t)rows[i].start_ms);
    WHOLE(bits, work, rows, (uint64_t)rows[i].last_ms - (uint64_t)rows[i].first_ms);
    for (int half = 0; half < 2; half++) {
        slots_beyond(work, rows, half, work->room);
        eg_columns_put_words(bits, work->room, work->count);
    }
    for (int column = 0; column < EG_COLUMNS; column++)
        eg_columns_put_doubles(bits, work, column);
}

bool eg_buckets_pack(struct eg_buf *out, const struct eg_rollup *rows, size_t count)
{
    struct eg_columns work; /* 60 KB that need not be cleared */
    struct eg_bits_out bits = {.buf = out};
    size_t start = out->length;
    const uint8_t version = VERSION;
    work.count = count;
    work.version = VERSION;
    if (!count || count > EG_BUCKETS_MAX || !eg_buf_add(out, &version, 1))
        return false;
    eg_buf_varint(out, count);
    put_all(&bits, &work, rows);
    return eg_pack_finish(out, start);
}

/* Lengths stand before the gaps between buckets: a start is the end before it and the gap. */
static void get_whole(struct eg_cut *cut, struct eg_columns *work, struct eg_rollup *rows)
{
    uint64_t end = (uint64_t)eg_cut_zigzag(cut);
    for (int part = 0; part < 5 && !cut->failed; part++) {
        eg_columns_get_numbers(cut, work);
        for (size_t i = 0; i < work->count && !cut->failed; i++) {
            struct eg_rollup *row = &rows[i];
            uint64_t number = work->numbers[i];
            if (part == 0) {
                row->end_ms = (int64_t)number; /* the length, for now */
            } else if (part == 1) {
                row->start_ms = (int64_t)(end + number);
                row->end_ms = (int64_t)(end = (uint64_t)row->start_ms + (uint64_t)row->end_ms);
            } else if (part == 2) {
                row->count = work->counts[i] = number;
            } else if (part == 3) {
                row->first_ms = (int64_t)((uint64_t)row->start_ms + number);
            } else {
                row->last_ms = (int64_t)((uint64_t)row->first_ms + number);
            }
        }
    }
}

static bool sound(const struct eg_rollup *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].end_ms <= rows[i].start_ms || !rows[i].count || rows[i].count > INT64_MAX ||
            (i && rows[i].start_ms <= rows[i - 1].start_ms))
            return false;
    return true;
}

int eg_buckets_unpack(const uint8_t *blob, size_t length, struct eg_rollup *ret_rows, size_t *ret_count)
{
    struct eg_cut cut;
    struct eg_columns work;
    work.version = VERSION;
    if (!eg_pack_open(blob, length, VERSION, &cut)) {
        work.version = EG_COLUMNS_FIRST;
        if (!eg_pack_open(blob, length, EG_COLUMNS_FIRST, &cut))
            return EG_ECORRUPT;
    }
    uint64_t count = eg_cut_varint(&cut);
    if (cut.failed || !count || count > EG_BUCKETS_MAX)
        return EG_ECORRUPT;
    work.count = count;
    get_whole(&cut, &work, ret_rows);
    for (int half = 0; half < 2 && !cut.failed; half++) {
        eg_columns_get_words(&cut, work.room, count);
        for (size_t i = 0; i < count; i++)
            ret_rows[i].slots[half] = work.room[i];
        if (work.version != EG_COLUMNS_FIRST && !cut.failed) {
            slots_beyond(&work, ret_rows, half, work.room);
            for (size_t i = 0; i < count; i++)
                ret_rows[i].slots[half] = work.room[i];
        }
    }
    for (int column = 0; column < EG_COLUMNS && !cut.failed; column++)
        eg_columns_get_doubles(&cut, &work, column);
    if (cut.failed || cut.at != cut.end || !sound(ret_rows, count))
        return EG_ECORRUPT;
    for (size_t i = 0; i < count; i++) {
        ret_rows[i].first = work.values[0][i];
        ret_rows[i].last = work.values[1][i];
        ret_rows[i].min = work.values[2][i];
        ret_rows[i].max = work.values[3][i];
        ret_rows[i].sum = work.values[4][i];
    }
    *ret_count = count;
    return EG_OK;
}
