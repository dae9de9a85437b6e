/* The chunk's codec, version 1. Knows points and bytes; which chunk is where, and what is sealed when, is chunks.c's and seal.c's
 * business. Pure. Called by them and by verify.c.
 *
 *   version (1 byte) · decimals 0..6, or 7: raw (1 byte) · count · time of the first point (zigzag)
 *   column: differences of the differences of the times · column: differences of the flags
 *   column: differences of value * 10^decimals (the least decimals that give back every bit) — or 8 bytes a value
 *   checksum (4 bytes)
 *
 * A column of integers: each as a zigzag LEB128; zeros as a 0 and how many more follow. A regular series' times, and flags nobody
 * set, so take a few bytes a chunk. */
#include <store/chunk.h>
#include <store/decimal.h>
#include <store/pack.h>

#define VERSION 1
#define RAW     7

/* --- columns --- */

struct column_out {
    struct eg_buf *out;
    uint64_t zeros;
};

static void flush_zeros(struct column_out *column)
{
    if (column->zeros) {
        eg_buf_varint(column->out, 0);
        eg_buf_varint(column->out, column->zeros - 1);
    }
    column->zeros = 0;
}

static void put(struct column_out *column, int64_t value)
{
    if (!value) {
        column->zeros++;
        return;
    }
    flush_zeros(column);
    eg_buf_zigzag(column->out, value);
}

struct column_in {
    struct eg_cut *cut;
    uint64_t zeros, left; /* left: numbers still to come, so that no run is longer */
};

static int64_t take(struct column_in *column)
{
    column->left--;
    if (column->zeros) {
        column->zeros--;
        return 0;
    }
    int64_t value = eg_cut_zigzag(column->cut);
    if (!value) {
        column->zeros = eg_cut_varint(column->cut);
        if (column->zeros > column->left)
            column->cut->failed = true;
    }
    return value;
}

/* --- encode --- */

static int least_decimals(const struct eg_point *points, size_t count)
{
    int decimals = 0;
    int64_t scaled;
    for (size_t i = 0; i < count; i++)
        while (!eg_decimal_fits(points[i].value, decimals, &scaled))
            if (++decimals > EG_DECIMAL_MOST)
                return RAW;
    /* What fits with few decimals fits with more, unless it grows too large. */
    for (size_t i = 0; i < count; i++)
        if (!eg_decimal_fits(points[i].value, decimals, &scaled))
            return RAW;
    return decimals;
}

static void put_times(const struct eg_point *points, size_t count, struct eg_buf *out)
{
    struct column_out column = {out, 0};
    uint64_t step = 0;
    eg_buf_zigzag(out, points[0].time_ms);
    for (size_t i = 1; i < count; i++) {
        uint64_t next = (uint64_t)points[i].time_ms - (uint64_t)points[i - 1].time_ms;
        put(&column, (int64_t)(next - step));
        step = next;
    }
    flush_zeros(&column);
}

static void put_flags(const struct eg_point *points, size_t count, struct eg_buf *out)
{
    struct column_out column = {out, 0};
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        put(&column, points[i].flags - before);
        before = points[i].flags;
    }
    flush_zeros(&column);
}

static void put_values(const struct eg_point *points, size_t count, int decimals, struct eg_buf *out)
{
    struct column_out column = {out, 0};
    int64_t before = 0, scaled = 0;
    for (size_t i = 0; i < count; i++) {
        if (decimals == RAW) {
            eg_buf_add(out, &points[i].value, sizeof points[i].value);
            continue;
        }
        eg_decimal_fits(points[i].value, decimals, &scaled);
        put(&column, scaled - before);
        before = scaled;
    }
    flush_zeros(&column);
}

int eg_chunk_encode(const struct eg_point *points, size_t count, struct eg_buf *out, struct eg_err *err)
{
    size_t from = out->length;
    if (!count || count > EG_CHUNK_POINTS_MAX)
        return eg_err_set(err, EG_EINVAL, "a chunk of %zu points cannot be: 1 to %d", count, EG_CHUNK_POINTS_MAX);
    for (size_t i = 1; i < count; i++)
        if (points[i].time_ms <= points[i - 1].time_ms)
            return eg_err_set(err, EG_EINVAL, "the points of a chunk must ascend by time");
    int decimals = least_decimals(points, count);
    uint8_t head[] = {VERSION, (uint8_t)decimals};
    eg_buf_add(out, head, sizeof head);
    eg_buf_varint(out, count);
    put_times(points, count, out);
    put_flags(points, count, out);
    put_values(points, count, decimals, out);
    if (!eg_pack_seal(out, from))
        return eg_err_set(err, EG_ENOMEM, "no memory for a chunk of %zu points", count);
    return EG_OK;
}

/* --- decode --- */

static void take_times(struct eg_cut *cut, struct eg_point *points, size_t count)
{
    struct column_in column = {cut, 0, count - 1};
    uint64_t step = 0, time_ms = (uint64_t)eg_cut_zigzag(cut);
    points[0].time_ms = (int64_t)time_ms;
    for (size_t i = 1; i < count && !cut->failed; i++) {
        step += (uint64_t)take(&column);
        time_ms += step;
        points[i].time_ms = (int64_t)time_ms;
        if (points[i].time_ms <= points[i - 1].time_ms)
            cut->failed = true;
    }
}

static void take_flags(struct eg_cut *cut, struct eg_point *points, size_t count)
{
    struct column_in column = {cut, 0, count};
    uint64_t flags = 0;
    for (size_t i = 0; i < count && !cut->failed; i++) {
        flags += (uint64_t)take(&column);
        if (flags > UINT16_MAX)
            cut->failed = true;
        points[i].flags = (uint16_t)flags;
    }
}

static void take_values(struct eg_cut *cut, struct eg_point *points, size_t count, int decimals)
{
    struct column_in column = {cut, 0, count};
    uint64_t scaled = 0;
    for (size_t i = 0; i < count && !cut->failed; i++) {
        if (decimals == RAW) {
            const uint8_t *bytes = eg_cut_bytes(cut, sizeof points[i].value);
            if (bytes)
                memcpy(&points[i].value, bytes, sizeof points[i].value);
            continue;
        }
        scaled += (uint64_t)take(&column);
        points[i].value = eg_decimal_value((int64_t)scaled, decimals);
    }
}

int eg_chunk_decode(const void *body, size_t length, struct eg_point *points, size_t *ret_count, struct eg_err *err)
{
    size_t sound = eg_pack_sound(body, length);
    if (sound < 3)
        return eg_err_set(err, EG_ECORRUPT, "its bytes do not match its checksum");
    struct eg_cut cut = {body, (const uint8_t *)body + sound, false};
    int version = *cut.at++, decimals = *cut.at++;
    if (version != VERSION || (decimals > EG_DECIMAL_MOST && decimals != RAW))
        return eg_err_set(err, EG_ECORRUPT, "it is of version %d.%d, which this ecogovd does not know", version, decimals);
    uint64_t count = eg_cut_varint(&cut);
    if (cut.failed || !count || count > EG_CHUNK_POINTS_MAX)
        return eg_err_set(err, EG_ECORRUPT, "it says it holds %llu points", (unsigned long long)count);
    take_times(&cut, points, count);
    take_flags(&cut, points, count);
    take_values(&cut, points, count, decimals);
    if (cut.failed || cut.at != cut.end)
        return eg_err_set(err, EG_ECORRUPT, "it holds what nobody wrote");
    *ret_count = count;
    return EG_OK;
}
