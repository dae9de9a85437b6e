/* Blobs (pack.h). Knows bytes only; no SQL, no file. Called by commit.c, seal.c, read.c, load.c, verify.c and the tests. */
#include <store/pack.h>
#include <base/hash.h>

#include <math.h>
#include <string.h>

#define VERSION 1
#define RAW 7
static const double scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
/* Beyond this an integer is not exact in a double. */
#define EXACT 9007199254740992.0

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* The integer that stands for `value` with so many decimals, if it gives every bit back. */
static bool scaled(double value, int decimals, int64_t *ret)
{
    double wide = value * scales[decimals];
    if (!(fabs(wide) < EXACT))
        return false;
    *ret = (int64_t)(wide < 0 ? wide - 0.5 : wide + 0.5);
    return same((double)*ret / scales[decimals], value);
}

static bool finish(struct eg_buf *out, size_t start)
{
    uint32_t sum = (uint32_t)eg_hash(out->data + start, out->length - start, 0);
    return eg_buf_add(out, &sum, sizeof sum) && !out->failed;
}

static bool begin(struct eg_buf *out, size_t *ret_start)
{
    const uint8_t version = VERSION;
    *ret_start = out->length;
    return eg_buf_add(out, &version, 1);
}

/* Checks version and sum; what is left is the body. */
static bool open_blob(const uint8_t *blob, size_t length, struct eg_cut *ret)
{
    uint32_t sum;
    if (!blob || length < 5 || blob[0] != VERSION)
        return false;
    memcpy(&sum, blob + length - 4, 4);
    if (sum != (uint32_t)eg_hash(blob, length - 4, 0))
        return false;
    *ret = (struct eg_cut){blob + 1, blob + length - 4, false};
    return true;
}

static size_t put_varint(uint8_t *at, uint64_t value)
{
    size_t count = 0;
    for (; value >= 0x80; value >>= 7)
        at[count++] = (uint8_t)(value | 0x80);
    at[count++] = (uint8_t)value;
    return count;
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

bool eg_pack_readings(struct eg_buf *out, const struct eg_row_reading *rows, size_t count, int64_t at_ms)
{
    size_t start;
    int64_t before = at_ms;
    if (!begin(out, &start))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[40];
        int form = 0;
        int64_t whole = 0;
        while (form < 4 && !scaled(rows[i].value, form, &whole))
            form++;
        if (form == 4)
            form = RAW;
        size_t used = put_varint(bytes, rows[i].series);
        used += put_varint(bytes + used, (uint64_t)rows[i].flags << 3 | (unsigned)form);
        used += put_varint(bytes + used, zigzag((int64_t)((uint64_t)rows[i].time_ms - (uint64_t)before)));
        if (form == RAW) {
            memcpy(bytes + used, &rows[i].value, 8);
            used += 8;
        } else {
            used += put_varint(bytes + used, zigzag(whole));
        }
        before = rows[i].time_ms;
        if (!eg_buf_add(out, bytes, used))
            return false;
    }
    return finish(out, start);
}

int eg_pack_each_reading(const uint8_t *blob, size_t length, int64_t at_ms,
                         bool (*each)(void *arg, const struct eg_row_reading *row), void *arg)
{
    struct eg_cut cut;
    if (!open_blob(blob, length, &cut))
        return EG_ECORRUPT;
    int64_t before = at_ms;
    while (cut.at < cut.end) {
        struct eg_row_reading row;
        uint64_t series = eg_cut_varint(&cut), head = eg_cut_varint(&cut);
        unsigned form = head & 7;
        row.time_ms = (int64_t)((uint64_t)before + (uint64_t)eg_cut_zigzag(&cut));
        if (form == RAW) {
            const uint8_t *raw = eg_cut_bytes(&cut, 8);
            if (raw)
                memcpy(&row.value, raw, 8);
        } else {
            row.value = (double)eg_cut_zigzag(&cut) / scales[form & 3];
        }
        if (cut.failed || series > UINT32_MAX || head >> 3 > UINT16_MAX || (form > 3 && form != RAW))
            return EG_ECORRUPT;
        row.series = (uint32_t)series;
        row.flags = (uint16_t)(head >> 3);
        before = row.time_ms;
        if (!each(arg, &row))
            return EG_OK;
    }
    return EG_OK;
}

bool eg_pack_idents(struct eg_buf *out, const struct eg_row_ident *rows, size_t count)
{
    size_t start;
    int before = 0;
    if (!begin(out, &start))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[8];
        size_t used = put_varint(bytes, zigzag(rows[i].mid - before));
        memcpy(bytes + used, &rows[i].hash, 4);
        before = rows[i].mid;
        if (!eg_buf_add(out, bytes, used + 4))
            return false;
    }
    return finish(out, start);
}

int eg_pack_each_ident(const uint8_t *blob, size_t length,
                       void (*each)(void *arg, uint16_t mid, uint32_t hash), void *arg)
{
    struct eg_cut cut;
    int64_t before = 0;
    if (!open_blob(blob, length, &cut))
        return EG_ECORRUPT;
    while (cut.at < cut.end) {
        int64_t step = eg_cut_zigzag(&cut);
        const uint8_t *bytes = eg_cut_bytes(&cut, 4);
        uint32_t hash;
        if (!bytes || step < -65535 || step > 65535)
            return EG_ECORRUPT;
        before += step;
        if (before < 0 || before > UINT16_MAX)
            return EG_ECORRUPT;
        memcpy(&hash, bytes, 4);
        each(arg, (uint16_t)before, hash);
    }
    return EG_OK;
}

/* --- chunks --- */

static int least_decimals(const struct eg_point *points, size_t count)
{
    int decimals = 0;
    int64_t whole;
    for (size_t i = 0; i < count; i++)
        while (!scaled(points[i].value, decimals, &whole))
            if (++decimals > 6)
                return RAW;
    /* more decimals than the first ones needed must still give those back */
    for (size_t i = 0; i < count; i++)
        if (!scaled(points[i].value, decimals, &whole))
            return RAW;
    return decimals;
}

bool eg_pack_chunk(struct eg_buf *out, const struct eg_point *points, size_t count)
{
    size_t start;
    uint64_t time = 0, step = 0; /* unsigned: whatever times come, the differences wrap and come back */
    int64_t value = 0;
    int form = least_decimals(points, count);
    if (!begin(out, &start))
        return false;
    eg_buf_varint(out, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t fresh = (uint64_t)points[i].time_ms - time;
        eg_buf_zigzag(out, (int64_t)(fresh - step));
        step = i ? fresh : 0;
        time = (uint64_t)points[i].time_ms;
    }
    for (size_t i = 0, run; i < count; i += run) {
        for (run = 1; i + run < count && points[i + run].flags == points[i].flags;)
            run++;
        eg_buf_varint(out, run);
        eg_buf_varint(out, points[i].flags);
    }
    eg_buf_varint(out, (uint64_t)form);
    for (size_t i = 0; i < count; i++) {
        int64_t whole = 0;
        if (form == RAW) {
            eg_buf_add(out, &points[i].value, 8);
            continue;
        }
        scaled(points[i].value, form, &whole);
        eg_buf_zigzag(out, whole - value);
        value = whole;
    }
    return finish(out, start);
}

static void chunk_values(struct eg_cut *cut, uint64_t form, struct eg_point *points, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (form == RAW) {
            const uint8_t *raw = eg_cut_bytes(cut, 8);
            if (raw)
                memcpy(&points[i].value, raw, 8);
            continue;
        }
        value += (uint64_t)eg_cut_zigzag(cut);
        points[i].value = (double)(int64_t)value / scales[form];
    }
}

int eg_pack_chunk_points(const uint8_t *blob, size_t length, struct eg_point *ret_points, size_t *ret_count)
{
    struct eg_cut cut;
    if (!open_blob(blob, length, &cut))
        return EG_ECORRUPT;
    uint64_t count = eg_cut_varint(&cut), time = 0, step = 0;
    if (cut.failed || count > EG_CHUNK_POINTS)
        return EG_ECORRUPT;
    for (size_t i = 0; i < count; i++) {
        uint64_t fresh = step + (uint64_t)eg_cut_zigzag(&cut);
        time += fresh;
        step = i ? fresh : 0;
        ret_points[i].time_ms = (int64_t)time;
    }
    for (size_t i = 0; i < count;) {
        uint64_t run = eg_cut_varint(&cut), flags = eg_cut_varint(&cut);
        if (cut.failed || !run || run > count - i || flags > UINT16_MAX)
            return EG_ECORRUPT;
        for (; run; run--)
            ret_points[i++].flags = (uint16_t)flags;
    }
    uint64_t form = eg_cut_varint(&cut);
    if (form > RAW)
        return EG_ECORRUPT;
    chunk_values(&cut, form, ret_points, (size_t)count);
    if (cut.failed || cut.at != cut.end)
        return EG_ECORRUPT;
    *ret_count = (size_t)count;
    return EG_OK;
}
