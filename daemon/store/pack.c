/* Blobs (pack.h). Knows bytes only; no SQL, no file. Called by commit.c, seal.c, read.c, load.c, verify.c and the tests. */
#include <store/bits.h>
#include <store/pack.h>
#include <base/hash.h>

#include <math.h>
#include <string.h>

#define VERSION 1
#define CHUNK_SECOND 2 /* values without a step */
#define CHUNK_VERSION 3
#define RAW 7
#define XOR 8
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

bool eg_pack_finish(struct eg_buf *out, size_t start)
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

bool eg_pack_open(const uint8_t *blob, size_t length, uint8_t version, struct eg_cut *ret)
{
    uint32_t sum;
    if (!blob || length < 5 || blob[0] != version)
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
    return eg_pack_finish(out, start);
}

int eg_pack_each_reading(const uint8_t *blob, size_t length, int64_t at_ms,
                         bool (*each)(void *arg, const struct eg_row_reading *row), void *arg)
{
    struct eg_cut cut;
    if (!eg_pack_open(blob, length, VERSION, &cut))
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
    return eg_pack_finish(out, start);
}

int eg_pack_each_ident(const uint8_t *blob, size_t length,
                       void (*each)(void *arg, uint16_t mid, uint32_t hash), void *arg)
{
    struct eg_cut cut;
    int64_t before = 0;
    if (!eg_pack_open(blob, length, VERSION, &cut))
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

/* Whole numbers of so many decimals that give all values back. RAW: there are none. */
static int scale_all(const struct eg_point *points, size_t count, uint64_t *ret_whole)
{
    int decimals = 0;
    int64_t whole;
    size_t fewer = 0; /* of the first ones, which took fewer decimals */
    for (size_t i = 0; i < count; ret_whole[i++] = (uint64_t)whole)
        while (!scaled(points[i].value, decimals, &whole)) {
            if (++decimals > 6)
                return RAW;
            fewer = i;
        }
    for (size_t i = 0; i < fewer; ret_whole[i++] = (uint64_t)whole)
        if (!scaled(points[i].value, decimals, &whole))
            return RAW;
    return decimals;
}

static uint64_t shared_step(const struct eg_point *points, size_t count)
{
    uint64_t step = 0;
    for (size_t i = 1; i < count && step != 1; i++)
        step = eg_bits_shared(step, (uint64_t)points[i].time_ms - (uint64_t)points[i - 1].time_ms);
    return step ? step : 1;
}

/* First time, the step all differences are multiples of, first difference, then deltas of deltas in those steps. */
static void put_times(struct eg_bits_out *bits, const struct eg_point *points, size_t count, uint64_t *room)
{
    uint64_t unit = shared_step(points, count), before = 0;
    eg_buf_zigzag(bits->buf, points[0].time_ms);
    eg_buf_varint(bits->buf, unit);
    for (size_t i = 1; i < count; i++) {
        uint64_t step = (uint64_t)points[i].time_ms - (uint64_t)points[i - 1].time_ms;
        step = step == unit ? 1 : step / unit;
        if (i == 1)
            eg_buf_varint(bits->buf, step);
        else
            room[i - 2] = zigzag((int64_t)(step - before));
        before = step;
    }
    if (count > 2)
        eg_bits_put_rice(bits, room, count - 2);
    eg_bits_flush(bits);
}

static void put_flags(struct eg_buf *out, const struct eg_point *points, size_t count)
{
    for (size_t i = 0, run; i < count; i += run) {
        for (run = 1; i + run < count && points[i + run].flags == points[i].flags;)
            run++;
        eg_buf_varint(out, run);
        eg_buf_varint(out, points[i].flags);
    }
}

/* Sensors often count in steps of a half, or of a hundred: what all differences are multiples of is taken out. */
static void put_scaled(struct eg_bits_out *bits, size_t count, uint64_t *whole)
{
    uint64_t step = 0, first = whole[0], before = first;
    for (size_t i = 1; i < count; i++) {
        uint64_t delta = whole[i] - before; /* below 2^54 */
        before = whole[i];
        whole[i] = delta;
        if (step != 1)
            step = eg_bits_shared(step, delta);
    }
    step = step ? step : 1;
    for (size_t i = 1; i < count; i++)
        whole[i] = zigzag(step == 1 ? (int64_t)whole[i] : (int64_t)whole[i] / (int64_t)step);
    eg_buf_varint(bits->buf, step);
    eg_buf_zigzag(bits->buf, (int64_t)first);
    eg_bits_put_rice(bits, whole + 1, count - 1);
    eg_bits_flush(bits);
}

/* XOR unless raw is smaller: noise in every bit costs XOR two bits more. */
static void put_bits(struct eg_buf *out, const struct eg_point *points, size_t count, uint64_t *room)
{
    size_t form_at = out->length;
    uint8_t form = XOR;
    struct eg_bits_out bits = {.buf = out};
    for (size_t i = 0; i < count; i++)
        memcpy(&room[i], &points[i].value, 8);
    eg_buf_add(out, &form, 1);
    eg_bits_put_xor(&bits, room, count);
    eg_bits_flush(&bits);
    if (out->failed || out->length - form_at - 1 <= count * 8)
        return;
    out->length = form_at;
    form = RAW;
    eg_buf_add(out, &form, 1);
    eg_buf_add(out, room, count * 8);
}

static void put_stats(struct eg_buf *out, const struct eg_point *points, size_t count)
{
    double stats[3] = {points[0].value, points[0].value, 0};
    for (size_t i = 0; i < count; i++) {
        stats[0] = points[i].value < stats[0] ? points[i].value : stats[0];
        stats[1] = points[i].value > stats[1] ? points[i].value : stats[1];
        stats[2] += points[i].value;
    }
    eg_buf_add(out, stats, sizeof stats);
}

bool eg_pack_chunk(struct eg_buf *out, const struct eg_point *points, size_t count)
{
    size_t start = out->length;
    uint64_t room[EG_CHUNK_POINTS];
    struct eg_bits_out bits = {.buf = out};
    const uint8_t version = CHUNK_VERSION;
    if (count > EG_CHUNK_POINTS || !eg_buf_add(out, &version, 1))
        return false;
    eg_buf_varint(out, count);
    if (count >= EG_CHUNK_STATS)
        put_stats(out, points, count);
    if (count) {
        put_times(&bits, points, count, room);
        put_flags(out, points, count);
        int decimals = scale_all(points, count, room);
        if (decimals == RAW) {
            put_bits(out, points, count, room);
        } else {
            const uint8_t form = (uint8_t)decimals;
            eg_buf_add(out, &form, 1);
            put_scaled(&bits, count, room);
        }
    }
    return eg_pack_finish(out, start);
}

static bool get_flags(struct eg_cut *cut, struct eg_point *points, size_t count)
{
    for (size_t i = 0; i < count;) {
        uint64_t run = eg_cut_varint(cut), flags = eg_cut_varint(cut);
        if (cut->failed || !run || run > count - i || flags > UINT16_MAX)
            return false;
        for (; run; run--)
            points[i++].flags = (uint16_t)flags;
    }
    return true;
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

static void get_times(struct eg_cut *cut, struct eg_point *points, size_t count, uint64_t *room)
{
    uint64_t time = (uint64_t)eg_cut_zigzag(cut), unit = eg_cut_varint(cut),
             step = count > 1 ? eg_cut_varint(cut) : 0;
    if (count > 2)
        eg_bits_cut_rice(cut, room, count - 2);
    for (size_t i = 0; i < count; i++) {
        if (i > 1)
            step += (uint64_t)unzigzag(room[i - 2]);
        if (i)
            time += step * unit;
        points[i].time_ms = (int64_t)time;
    }
}

static void get_raw(struct eg_cut *cut, struct eg_point *points, size_t count)
{
    const uint8_t *raw = eg_cut_bytes(cut, 8 * count);
    for (size_t i = 0; raw && i < count; i++)
        memcpy(&points[i].value, raw + 8 * i, 8);
}

static void get_values(struct eg_cut *cut, struct eg_point *points, size_t count, uint64_t *room,
                       bool with_step)
{
    const uint8_t *form = eg_cut_bytes(cut, 1);
    struct eg_bits_in bits = {.at = cut->at, .end = cut->end};
    uint64_t value;
    if (!form || *form > XOR) {
        cut->failed = true;
    } else if (*form == XOR) {
        memset(room, 0, count * sizeof *room);
        eg_bits_get_xor(&bits, room, count);
        cut->at = bits.at;
        cut->failed = bits.failed;
        for (size_t i = 0; i < count; i++)
            memcpy(&points[i].value, &room[i], 8);
    } else if (*form == RAW) {
        get_raw(cut, points, count);
    } else {
        uint64_t step = with_step ? eg_cut_varint(cut) : 1;
        value = (uint64_t)eg_cut_zigzag(cut);
        eg_bits_cut_rice(cut, room, count - 1);
        for (size_t i = 0; i < count; i++) {
            value += i ? (uint64_t)unzigzag(room[i - 1]) * step : 0;
            points[i].value = (double)(int64_t)value / scales[*form];
        }
    }
}

/* --- chunks as the first version wrote them --- */

static void first_values(struct eg_cut *cut, uint64_t form, struct eg_point *points, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value += (uint64_t)eg_cut_zigzag(cut);
        points[i].value = (double)(int64_t)value / scales[form];
    }
}

static int first_points(struct eg_cut *cut, struct eg_point *ret_points, size_t *ret_count)
{
    uint64_t count = eg_cut_varint(cut), time = 0, step = 0;
    if (cut->failed || count > EG_CHUNK_POINTS)
        return EG_ECORRUPT;
    for (size_t i = 0; i < count; i++) {
        uint64_t fresh = step + (uint64_t)eg_cut_zigzag(cut);
        time += fresh;
        step = i ? fresh : 0;
        ret_points[i].time_ms = (int64_t)time;
    }
    if (!get_flags(cut, ret_points, (size_t)count))
        return EG_ECORRUPT;
    uint64_t form = eg_cut_varint(cut);
    if (form > RAW)
        return EG_ECORRUPT;
    if (form == RAW)
        get_raw(cut, ret_points, (size_t)count);
    else
        first_values(cut, form, ret_points, (size_t)count);
    if (cut->failed || cut->at != cut->end)
        return EG_ECORRUPT;
    *ret_count = (size_t)count;
    return EG_OK;
}

int eg_pack_chunk_points(const uint8_t *blob, size_t length, struct eg_point *ret_points, size_t *ret_count)
{
    struct eg_cut cut;
    uint64_t room[EG_CHUNK_POINTS];
    if (eg_pack_open(blob, length, VERSION, &cut))
        return first_points(&cut, ret_points, ret_count);
    bool newest = eg_pack_open(blob, length, CHUNK_VERSION, &cut);
    if (!newest && !eg_pack_open(blob, length, CHUNK_SECOND, &cut))
        return EG_ECORRUPT;
    uint64_t count = eg_cut_varint(&cut);
    if (cut.failed || count > EG_CHUNK_POINTS || (count >= EG_CHUNK_STATS && !eg_cut_bytes(&cut, 24)))
        return EG_ECORRUPT;
    if (count) {
        get_times(&cut, ret_points, (size_t)count, room);
        if (cut.failed || !get_flags(&cut, ret_points, (size_t)count))
            return EG_ECORRUPT;
        get_values(&cut, ret_points, (size_t)count, room, newest);
    }
    if (cut.failed || cut.at != cut.end)
        return EG_ECORRUPT;
    *ret_count = (size_t)count;
    return EG_OK;
}

bool eg_pack_chunk_stats(const uint8_t *blob, size_t length, struct eg_chunk_stats *ret)
{
    struct eg_cut cut;
    double stats[3];
    if (!eg_pack_open(blob, length, CHUNK_VERSION, &cut) && !eg_pack_open(blob, length, CHUNK_SECOND, &cut))
        return false;
    uint64_t count = eg_cut_varint(&cut);
    const uint8_t *bytes = eg_cut_bytes(&cut, sizeof stats);
    if (count < EG_CHUNK_STATS || !bytes)
        return false;
    memcpy(stats, bytes, sizeof stats);
    *ret = (struct eg_chunk_stats){count, stats[0], stats[1], stats[2]};
    return true;
}
