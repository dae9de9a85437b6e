/* Blobs of closed buckets (buckets.h). Knows bytes only; no SQL, no file. Called by fold.c, rollups.c, verify.c and the tests.
 *
 * All arithmetic on scaled integers wraps around in 64 bits, the same way in both directions, so that whatever is foretold, however
 * badly, the difference gives the number back. */
#include <store/bits.h>
#include <store/buckets.h>
#include <store/pack.h>

#include <math.h>
#include <string.h>

#define VERSION 1
#define COLUMNS 5 /* first, last, min, max, sum */
#define BITS 255  /* the form of a column that is coded as bits */
#define DECIMALS 6
#define NEAR (INT64_C(1) << 20) /* doubles between a value and its scaled integer, at the most */
#define EXACT 9007199254740992.0

enum foretold { BY_BEFORE, BY_FIRST, BY_LAST, BY_MIN, BY_MAX, BY_MIDDLE, BY_ENDS, FORETELLERS };

/* The columns under way; room for a block of differences. */
struct work {
    size_t count;
    uint64_t numbers[EG_BUCKETS_MAX], room[EG_BUCKETS_MAX], apart[EG_BUCKETS_MAX];
    uint64_t scaled[EG_BUCKETS_MAX],
        shown[COLUMNS][EG_BUCKETS_MAX]; /* of one column; of those before it, at its decimals */
    double values[COLUMNS][EG_BUCKETS_MAX];
    uint64_t counts[EG_BUCKETS_MAX];
};

static uint64_t zigzag(uint64_t value)
{
    return value << 1 ^ (0 - (value >> 63));
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (0 - (value & 1));
}

/* --- whole numbers --- */

static uint64_t shared_step(const uint64_t *numbers, size_t count)
{
    uint64_t step = 0;
    for (size_t i = 1; i < count && step != 1; i++) {
        uint64_t left = numbers[i] - numbers[i - 1];
        if (left >> 63)
            left = 0 - left;
        for (uint64_t held; left; left = held) { /* Euclid */
            held = step % left;
            step = left;
        }
    }
    return step ? step : 1;
}

/* Order 0: from the first number; 1: from the one before; 2: of the differences themselves. */
static void differences(const struct work *work, uint64_t step, uint64_t order, uint64_t *ret)
{
    int64_t before = 0;
    for (size_t i = 1; i < work->count; i++) {
        int64_t delta = (int64_t)(work->numbers[i] - work->numbers[order ? i - 1 : 0]) / (int64_t)step;
        ret[i - 1] = zigzag((uint64_t)delta - (order == 2 ? (uint64_t)before : 0));
        before = delta;
    }
}

static void put_numbers(struct eg_bits_out *bits, struct work *work)
{
    uint64_t step = shared_step(work->numbers, work->count);
    if (step >> 62)
        step = 1;
    uint64_t least = 0;
    size_t rest = work->count - 1, size = SIZE_MAX;
    for (uint64_t order = 0; order <= 2; order++) {
        differences(work, step, order, work->room);
        size_t bits_more = eg_bits_rice_size(work->room, rest);
        if (bits_more < size) {
            size = bits_more;
            least = order;
        }
    }
    differences(work, step, least, work->room);
    eg_buf_varint(bits->buf, step);
    eg_buf_varint(bits->buf, least);
    eg_buf_zigzag(bits->buf, (int64_t)work->numbers[0]);
    eg_bits_put_rice(bits, work->room, rest);
    eg_bits_flush(bits);
}

static void get_rice(struct eg_cut *cut, uint64_t *ret, size_t count)
{
    struct eg_bits_in bits = {.at = cut->at, .end = cut->end};
    eg_bits_get_rice(&bits, ret, count);
    cut->at = bits.at;
    cut->failed = cut->failed || bits.failed;
}

static void get_numbers(struct eg_cut *cut, struct work *work)
{
    uint64_t step = eg_cut_varint(cut), order = eg_cut_varint(cut), at = (uint64_t)eg_cut_zigzag(cut),
             delta = 0;
    if (order > 2)
        cut->failed = true;
    if (cut->failed)
        return;
    get_rice(cut, work->room, work->count - 1);
    if (cut->failed)
        return;
    work->numbers[0] = at;
    for (size_t i = 1; i < work->count; i++) {
        delta = unzigzag(work->room[i - 1]) + (order == 2 ? delta : 0);
        work->numbers[i] = (order ? work->numbers[i - 1] : at) + delta * step;
    }
}

/* --- doubles --- */

#define SIGN UINT64_C(0x8000000000000000)

/* Doubles in their order as integers in theirs; -0 lies below 0. */
static int64_t rank(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & SIGN ? -(int64_t)(bits & ~SIGN) - 1 : (int64_t)bits;
}

static double value_at(int64_t rank)
{
    uint64_t bits = rank < 0 ? SIGN | (uint64_t) - (rank + 1) : (uint64_t)rank;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double scale_of(int decimals)
{
    static const double scales[DECIMALS + 1] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    return scales[decimals];
}

/* False: too large to be exact. */
static bool scaled(double value, int decimals, int64_t *ret)
{
    double wide = value * scale_of(decimals);
    if (!(fabs(wide) < EXACT))
        return false;
    *ret = (int64_t)(wide < 0 ? wide - 0.5 : wide + 0.5);
    return true;
}

/* Beyond what is exact nothing is foretold. */
static void show(struct work *work, int decimals, int columns)
{
    for (int column = 0; column < columns; column++)
        for (size_t i = 0; i < work->count; i++) {
            int64_t whole = 0;
            work->shown[column][i] = scaled(work->values[column][i], decimals, &whole) ? (uint64_t)whole : 0;
        }
}

static uint64_t foretell(const struct work *work, enum foretold by, size_t i)
{
    switch (by) {
    case BY_BEFORE:
        return i ? work->scaled[i - 1] : 0;
    case BY_MIDDLE:
        return (uint64_t)((int64_t)(work->counts[i] * (work->shown[2][i] + work->shown[3][i])) / 2);
    case BY_ENDS:
        return (uint64_t)((int64_t)(work->counts[i] * (work->shown[0][i] + work->shown[1][i])) / 2);
    default:
        return work->shown[by - BY_FIRST][i];
    }
}

/* Who may foretell a column: those before it, and for the sum all. */
static bool may(enum foretold by, int column)
{
    return by == BY_BEFORE || (by <= BY_MAX ? (int)(by - BY_FIRST) < column : column == COLUMNS - 1);
}

/* The column as integers with so many decimals; how far each value is from its integer's double. */
static bool scale_all(struct work *work, int column, int decimals)
{
    for (size_t i = 0; i < work->count; i++) {
        double value = work->values[column][i];
        int64_t whole;
        if (!scaled(value, decimals, &whole))
            return false;
        uint64_t apart = (uint64_t)rank(value) - (uint64_t)rank((double)whole / scale_of(decimals));
        if ((int64_t)apart > NEAR || (int64_t)apart < -NEAR)
            return false;
        work->scaled[i] = (uint64_t)whole;
        work->apart[i] = zigzag(apart);
    }
    return true;
}

static void differ(struct work *work, enum foretold by, uint64_t *ret)
{
    for (size_t i = 0; i < work->count; i++)
        ret[i] = zigzag(work->scaled[i] - foretell(work, by, i));
}

/* The cheapest of all ways; BITS when none is cheaper than the bits. *ret_size: in bits. */
static int choose(struct work *work, int column)
{
    size_t least = SIZE_MAX;
    int form = BITS;
    for (int decimals = 0; decimals <= DECIMALS; decimals++) {
        if (!scale_all(work, column, decimals))
            continue;
        size_t apart = eg_bits_rice_size(work->apart, work->count);
        if (apart >= least)
            continue;
        show(work, decimals, column);
        for (enum foretold by = BY_BEFORE; by < FORETELLERS; by++) {
            if (!may(by, column))
                continue;
            differ(work, by, work->room);
            size_t size = apart + eg_bits_rice_size(work->room, work->count);
            if (size < least) {
                least = size;
                form = decimals | (int)by << 4;
            }
        }
    }
    return least < 64 * work->count ? form : BITS;
}

static void put_bits(struct eg_bits_out *bits, const uint64_t *words, size_t count)
{
    eg_bits_put_xor(bits, words, count);
    eg_bits_flush(bits);
}

static void put_doubles(struct eg_bits_out *bits, struct work *work, int column)
{
    const uint8_t form = (uint8_t)choose(work, column);
    eg_buf_add(bits->buf, &form, 1);
    if (form == BITS) {
        memcpy(work->room, work->values[column], work->count * sizeof *work->room);
        put_bits(bits, work->room, work->count);
        return;
    }
    scale_all(work, column, form & 15);
    show(work, form & 15, column);
    differ(work, (enum foretold)(form >> 4), work->room);
    eg_bits_put_rice(bits, work->room, work->count);
    eg_bits_put_rice(bits, work->apart, work->count);
    eg_bits_flush(bits);
}

/* Mostly the same all along: then it stands there once. */
static void put_slots(struct eg_bits_out *bits, const uint64_t *words, size_t count)
{
    size_t same = 1;
    while (same < count && words[same] == words[0])
        same++;
    const uint8_t differ = same < count;
    eg_buf_add(bits->buf, &differ, 1);
    put_bits(bits, words, differ ? count : 1);
}

static void get_bits(struct eg_cut *cut, uint64_t *ret, size_t count)
{
    struct eg_bits_in bits = {.at = cut->at, .end = cut->end};
    memset(ret, 0, count * sizeof *ret);
    eg_bits_get_xor(&bits, ret, count);
    cut->at = bits.at;
    cut->failed = cut->failed || bits.failed;
}

static void get_slots(struct eg_cut *cut, uint64_t *ret, size_t count)
{
    const uint8_t *differ = eg_cut_bytes(cut, 1);
    if (!differ || *differ > 1) {
        cut->failed = true;
        return;
    }
    get_bits(cut, ret, *differ ? count : 1);
    for (size_t i = 1; !*differ && i < count; i++)
        ret[i] = ret[0];
}

static void get_doubles(struct eg_cut *cut, struct work *work, int column)
{
    const uint8_t *form = eg_cut_bytes(cut, 1);
    if (!form)
        return;
    if (*form == BITS) {
        get_bits(cut, work->room, work->count);
        memcpy(work->values[column], work->room, work->count * sizeof *work->room);
        return;
    }
    const int decimals = *form & 15;
    const enum foretold by = (enum foretold)(*form >> 4);
    struct eg_bits_in bits = {.at = cut->at, .end = cut->end};
    if (decimals > DECIMALS || by >= FORETELLERS || !may(by, column)) {
        cut->failed = true;
        return;
    }
    eg_bits_get_rice(&bits, work->room, work->count);
    if (!bits.failed)
        eg_bits_get_rice(&bits, work->apart, work->count);
    cut->at = bits.at;
    cut->failed = cut->failed || bits.failed;
    if (cut->failed)
        return;
    show(work, decimals, column);
    for (size_t i = 0; i < work->count; i++) {
        work->scaled[i] = foretell(work, by, i) + unzigzag(work->room[i]);
        int64_t near = rank((double)(int64_t)work->scaled[i] / scale_of(decimals));
        work->values[column][i] = value_at((int64_t)((uint64_t)near + unzigzag(work->apart[i])));
    }
}

/* --- all columns --- */

static void take_apart(struct work *work, const struct eg_rollup *rows)
{
    for (size_t i = 0; i < work->count; i++) {
        const double values[COLUMNS] = {rows[i].first, rows[i].last, rows[i].min, rows[i].max, rows[i].sum};
        for (int column = 0; column < COLUMNS; column++)
            work->values[column][i] = values[column];
        work->counts[i] = rows[i].count;
    }
}

#define WHOLE(bits, work, rows, expression)                                                                  \
    do {                                                                                                     \
        for (size_t i = 0; i < (work)->count; i++)                                                           \
            (work)->numbers[i] = (uint64_t)(expression);                                                     \
        put_numbers(bits, work);                                                                             \
    } while (0)

static void put_all(struct eg_bits_out *bits, struct work *work, const struct eg_rollup *rows)
{
    take_apart(work, rows);
    eg_buf_zigzag(bits->buf, rows[0].start_ms);
    WHOLE(bits, work, rows, (uint64_t)rows[i].end_ms - (uint64_t)rows[i].start_ms);
    WHOLE(bits, work, rows, i ? (uint64_t)rows[i].start_ms - (uint64_t)rows[i - 1].end_ms : 0);
    WHOLE(bits, work, rows, rows[i].count);
    WHOLE(bits, work, rows, (uint64_t)rows[i].first_ms - (uint64_t)rows[i].start_ms);
    WHOLE(bits, work, rows, (uint64_t)rows[i].last_ms - (uint64_t)rows[i].first_ms);
    for (int half = 0; half < 2; half++) {
        for (size_t i = 0; i < work->count; i++)
            work->room[i] = rows[i].slots[half];
        put_slots(bits, work->room, work->count);
    }
    for (int column = 0; column < COLUMNS; column++)
        put_doubles(bits, work, column);
}

bool eg_buckets_pack(struct eg_buf *out, const struct eg_rollup *rows, size_t count)
{
    struct work work = {.count = count};
    struct eg_bits_out bits = {.buf = out};
    size_t start = out->length;
    const uint8_t version = VERSION;
    if (!count || count > EG_BUCKETS_MAX || !eg_buf_add(out, &version, 1))
        return false;
    eg_buf_varint(out, count);
    put_all(&bits, &work, rows);
    return eg_pack_finish(out, start);
}

/* Lengths stand before the gaps between buckets: a start is the end before it and the gap. */
static void get_whole(struct eg_cut *cut, struct work *work, struct eg_rollup *rows)
{
    uint64_t end = (uint64_t)eg_cut_zigzag(cut);
    for (int part = 0; part < 5 && !cut->failed; part++) {
        get_numbers(cut, work);
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
    struct work work = {0};
    if (!eg_pack_open(blob, length, VERSION, &cut))
        return EG_ECORRUPT;
    uint64_t count = eg_cut_varint(&cut);
    if (cut.failed || !count || count > EG_BUCKETS_MAX)
        return EG_ECORRUPT;
    work.count = count;
    get_whole(&cut, &work, ret_rows);
    for (int half = 0; half < 2 && !cut.failed; half++) {
        get_slots(&cut, work.room, count);
        for (size_t i = 0; i < count; i++)
            ret_rows[i].slots[half] = work.room[i];
    }
    for (int column = 0; column < COLUMNS && !cut.failed; column++)
        get_doubles(&cut, &work, column);
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
