/* The columns of a blob of buckets (columns.h). Knows numbers; refuses to know what a bucket is, but for which column may foretell
 * which. Called by buckets.c.
 *
 * All arithmetic on scaled integers wraps around in 64 bits, the same way in both directions, so that whatever is foretold, however
 * badly, the difference gives the number back. */
#include <store/columns.h>

#include <math.h>
#include <string.h>

#define BITS 255      /* the form of a column that is coded as bits */
#define SAME 7        /* in place of decimals: all of it is what foretells it, bit for bit */
#define ON_THE_SPOT 8 /* with decimals: each value is its integer's double */
#define DECIMALS 6
#define STILL 3                 /* added to the order of whole numbers: no difference but the first */
#define NEAR (INT64_C(1) << 20) /* doubles between a value and its scaled integer, at the most */
#define EXACT 9007199254740992.0

enum foretold {
    BY_BEFORE,
    BY_FIRST,
    BY_LAST,
    BY_MIN,
    BY_MAX,
    BY_MIDDLE,
    BY_ENDS,
    FIRST_FORETELLERS, /* what the first version knew */
    BY_NEXT = FIRST_FORETELLERS,
    BY_LOWER,
    BY_UPPER,
    BY_ALL_FOUR,
    FORETELLERS
};

static uint64_t zigzag(uint64_t value)
{
    return value << 1 ^ (0 - (value >> 63));
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (0 - (value & 1));
}

static bool all_zero(const uint64_t *words, size_t count)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= words[i];
    return !all;
}

/* --- whole numbers --- */

static uint64_t shared_step(const uint64_t *numbers, size_t count)
{
    uint64_t step = 0;
    for (size_t i = 1; i < count && step != 1; i++)
        step = eg_bits_shared(step, numbers[i] - numbers[i - 1]);
    return step ? step : 1;
}

/* Order 0: from the first number; 1: from the one before; 2: of the differences themselves. */
static void differences(const struct eg_columns *work, uint64_t step, uint64_t order, uint64_t *ret)
{
    int64_t before = 0;
    for (size_t i = 1; i < work->count; i++) {
        int64_t delta = (int64_t)(work->numbers[i] - work->numbers[order ? i - 1 : 0]) / (int64_t)step;
        ret[i - 1] = zigzag((uint64_t)delta - (order == 2 ? (uint64_t)before : 0));
        before = delta;
    }
}

void eg_columns_put_numbers(struct eg_bits_out *bits, struct eg_columns *work)
{
    uint64_t step = shared_step(work->numbers, work->count);
    if (step >> 62)
        step = 1;
    uint64_t least = 0;
    size_t rest = work->count - 1, size = SIZE_MAX;
    for (uint64_t order = 0; order <= 2; order++) {
        differences(work, step, order, work->room);
        size_t bits_more = eg_bits_rice_size(work->room, rest, size);
        if (bits_more < size) {
            size = bits_more;
            least = order;
        }
    }
    differences(work, step, least, work->room);
    bool still = all_zero(work->room, rest);
    eg_buf_varint(bits->buf, step);
    eg_buf_varint(bits->buf, still ? least + STILL : least);
    eg_buf_zigzag(bits->buf, (int64_t)work->numbers[0]);
    if (!still)
        eg_bits_put_rice(bits, work->room, rest);
    eg_bits_flush(bits);
}

void eg_columns_get_numbers(struct eg_cut *cut, struct eg_columns *work)
{
    uint64_t step = eg_cut_varint(cut), order = eg_cut_varint(cut), at = (uint64_t)eg_cut_zigzag(cut),
             delta = 0;
    bool still = work->version != EG_COLUMNS_FIRST && order >= STILL;
    if (still)
        order -= STILL;
    if (order > 2)
        cut->failed = true;
    if (cut->failed)
        return;
    if (still)
        memset(work->room, 0, (work->count - 1) * sizeof *work->room);
    else
        eg_bits_cut_rice(cut, work->room, work->count - 1);
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
static void show(struct eg_columns *work, int decimals, int columns)
{
    for (int column = 0; column < columns; column++)
        for (size_t i = 0; i < work->count; i++) {
            int64_t whole = 0;
            work->shown[column][i] = scaled(work->values[column][i], decimals, &whole) ? (uint64_t)whole : 0;
        }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return (int64_t)a < (int64_t)b ? a : b;
}

static uint64_t foretell(const struct eg_columns *work, enum foretold by, size_t i)
{
    switch (by) {
    case BY_BEFORE:
        return i ? work->scaled[i - 1] : 0;
    case BY_MIDDLE:
        return (uint64_t)((int64_t)(work->counts[i] * (work->shown[2][i] + work->shown[3][i])) / 2);
    case BY_ENDS:
        return (uint64_t)((int64_t)(work->counts[i] * (work->shown[0][i] + work->shown[1][i])) / 2);
    case BY_NEXT:
        return work->shown[0][i + 1 < work->count ? i + 1 : i];
    case BY_LOWER:
        return least(work->shown[0][i], work->shown[1][i]);
    case BY_UPPER:
        return 0 - least(0 - work->shown[0][i], 0 - work->shown[1][i]);
    case BY_ALL_FOUR:
        return (uint64_t)((int64_t)(work->counts[i] * (work->shown[0][i] + work->shown[1][i] +
                                                       work->shown[2][i] + work->shown[3][i])) /
                          4);
    default:
        return work->shown[by - BY_FIRST][i];
    }
}

/* Who may foretell a column: those before it, and for the sum all. */
static bool may(enum foretold by, int column)
{
    switch (by) {
    case BY_BEFORE:
        return true;
    case BY_MIDDLE:
    case BY_ENDS:
    case BY_ALL_FOUR:
        return column == EG_COLUMNS - 1;
    case BY_NEXT:
        return column == 1;
    case BY_LOWER:
        return column == 2;
    case BY_UPPER:
        return column == 3;
    default:
        return (int)(by - BY_FIRST) < column;
    }
}

/* A minimum is not above the lower end, a maximum not below the upper: their differences have no sign. */
static uint64_t to_code(enum foretold by, uint64_t difference)
{
    return by == BY_LOWER ? 0 - difference : by == BY_UPPER ? difference : zigzag(difference);
}

static uint64_t from_code(enum foretold by, uint64_t code)
{
    return by == BY_LOWER ? 0 - code : by == BY_UPPER ? code : unzigzag(code);
}

/* The column as integers with so many decimals; how far each value is from its integer's double. */
static bool scale_all(struct eg_columns *work, int column, int decimals)
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

/* As codes, all but the first divided by what they are all multiples of: sensors often count in steps of a half, or of a hundred. */
static uint64_t differ(struct eg_columns *work, enum foretold by, uint64_t *ret)
{
    uint64_t step = 0;
    for (size_t i = 0; i < work->count; i++) {
        ret[i] = work->scaled[i] - foretell(work, by, i);
        if (i && step != 1)
            step = eg_bits_shared(step, ret[i]);
    }
    if (!step || step >> 62)
        step = 1;
    for (size_t i = 0; i < work->count; i++)
        ret[i] = to_code(by, i && step != 1 ? (uint64_t)((int64_t)ret[i] / (int64_t)step) : ret[i]);
    return step;
}

/* The cheapest of all ways; BITS when none is cheaper than the bits. *ret_size: in bits. */
static int choose(struct eg_columns *work, int column)
{
    size_t least = SIZE_MAX;
    int form = BITS;
    for (int other = 0; other < column && other < BY_MAX; other++)
        if (memcmp(work->values[column], work->values[other], work->count * sizeof(double)) == 0)
            return SAME | (BY_FIRST + other) << 4;
    for (int decimals = 0; decimals <= DECIMALS; decimals++) {
        if (!scale_all(work, column, decimals))
            continue;
        bool on_the_spot = all_zero(work->apart, work->count);
        size_t apart = on_the_spot ? 0 : eg_bits_rice_size(work->apart, work->count, least);
        if (apart >= least)
            continue;
        show(work, decimals, column);
        for (enum foretold by = BY_BEFORE; by < FORETELLERS; by++) {
            if (!may(by, column))
                continue;
            differ(work, by, work->room);
            size_t size = apart + eg_bits_rice_size(work->room + 1, work->count - 1, least - apart);
            if (size < least) {
                least = size;
                form = decimals | (on_the_spot ? ON_THE_SPOT : 0) | (int)by << 4;
            }
        }
        if (on_the_spot)
            break; /* with more decimals the same differences, each ten times as large, and divided by that */
    }
    return least < 64 * work->count ? form : BITS;
}

static void put_bits(struct eg_bits_out *bits, const uint64_t *words, size_t count)
{
    eg_bits_put_xor(bits, words, count);
    eg_bits_flush(bits);
}

void eg_columns_put_doubles(struct eg_bits_out *bits, struct eg_columns *work, int column)
{
    const uint8_t form = (uint8_t)choose(work, column);
    eg_buf_add(bits->buf, &form, 1);
    if (form == BITS) {
        memcpy(work->room, work->values[column], work->count * sizeof *work->room);
        put_bits(bits, work->room, work->count);
        return;
    }
    if ((form & 15) == SAME)
        return;
    scale_all(work, column, form & 7);
    show(work, form & 7, column);
    eg_buf_varint(bits->buf, differ(work, (enum foretold)(form >> 4), work->room));
    eg_buf_varint(bits->buf, work->room[0]);
    eg_bits_put_rice(bits, work->room + 1, work->count - 1);
    if (!(form & ON_THE_SPOT))
        eg_bits_put_rice(bits, work->apart, work->count);
    eg_bits_flush(bits);
}

/* --- words --- */

enum words { ALL_ALIKE, AS_XOR, AS_MASKED };

/* Bits that all words have, and that none has, stand in front; of the others each word tells, if it has any not. */
static void put_masked(struct eg_bits_out *bits, const uint64_t *words, size_t count)
{
    uint64_t any = 0, all = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        any |= words[i];
        all &= words[i];
    }
    eg_bits_put(bits, any, 64);
    eg_bits_put(bits, all, 64);
    for (size_t i = 0; i < count; i++) {
        eg_bits_put(bits, words[i] != any, 1);
        for (uint64_t left = words[i] != any ? any & ~all : 0; left; left &= left - 1)
            eg_bits_put(bits, (words[i] & (0 - left) & left) != 0, 1);
    }
    eg_bits_flush(bits);
}

static void get_masked(struct eg_cut *cut, uint64_t *ret, size_t count)
{
    struct eg_bits_in bits = {.at = cut->at, .end = cut->end};
    uint64_t any = eg_bits_get(&bits, 64), all = eg_bits_get(&bits, 64);
    if (all & ~any)
        bits.failed = true;
    for (size_t i = 0; i < count && !bits.failed; i++) {
        ret[i] = any;
        for (uint64_t left = eg_bits_get(&bits, 1) ? any & ~all : 0; left; left &= left - 1)
            if (!eg_bits_get(&bits, 1))
                ret[i] &= ~((0 - left) & left);
    }
    cut->at = bits.at;
    cut->failed = cut->failed || bits.failed;
}

void eg_columns_put_words(struct eg_bits_out *bits, const uint64_t *words, size_t count)
{
    uint8_t form = ALL_ALIKE;
    for (size_t i = 1; i < count && form == ALL_ALIKE; i++)
        form = words[i] != words[0] ? AS_XOR : ALL_ALIKE;
    size_t start = bits->buf->length;
    eg_buf_add(bits->buf, &form, 1);
    put_bits(bits, words, form == ALL_ALIKE ? 1 : count);
    if (form == ALL_ALIKE || bits->buf->failed)
        return;
    size_t size = bits->buf->length - start;
    form = AS_MASKED;
    eg_buf_add(bits->buf, &form, 1);
    put_masked(bits, words, count);
    if (bits->buf->failed)
        return;
    size_t masked = bits->buf->length - start - size;
    if (masked < size)
        memmove(bits->buf->data + start, bits->buf->data + start + size, masked);
    bits->buf->length = start + (masked < size ? masked : size);
}

static void get_bits(struct eg_cut *cut, uint64_t *ret, size_t count)
{
    struct eg_bits_in bits = {.at = cut->at, .end = cut->end};
    memset(ret, 0, count * sizeof *ret);
    eg_bits_get_xor(&bits, ret, count);
    cut->at = bits.at;
    cut->failed = cut->failed || bits.failed;
}

void eg_columns_get_words(struct eg_cut *cut, uint64_t *ret, size_t count)
{
    const uint8_t *form = eg_cut_bytes(cut, 1);
    if (!form || *form > AS_MASKED) {
        cut->failed = true;
        return;
    }
    if (*form == AS_MASKED)
        get_masked(cut, ret, count);
    else
        get_bits(cut, ret, *form == AS_XOR ? count : 1);
    for (size_t i = 1; *form == ALL_ALIKE && i < count; i++)
        ret[i] = ret[0];
}

void eg_columns_get_doubles(struct eg_cut *cut, struct eg_columns *work, int column)
{
    const uint8_t *form = eg_cut_bytes(cut, 1);
    if (!form)
        return;
    if (*form == BITS) {
        get_bits(cut, work->room, work->count);
        memcpy(work->values[column], work->room, work->count * sizeof *work->room);
        return;
    }
    const bool first = work->version == EG_COLUMNS_FIRST, on_the_spot = !first && *form & ON_THE_SPOT;
    const int decimals = on_the_spot ? *form & 7 : *form & 15;
    const enum foretold by = (enum foretold)(*form >> 4);
    struct eg_bits_in bits = {.at = cut->at, .end = cut->end};
    bool same = !first && !on_the_spot && decimals == SAME && by >= BY_FIRST && by <= BY_MAX;
    if ((decimals > DECIMALS && !same) || by >= (first ? FIRST_FORETELLERS : FORETELLERS) ||
        !may(by, column)) {
        cut->failed = true;
        return;
    }
    if (same) {
        memcpy(work->values[column], work->values[by - BY_FIRST], work->count * sizeof(double));
        return;
    }
    memset(work->apart, 0, work->count * sizeof *work->apart);
    uint64_t step = first ? 1 : eg_cut_varint(cut);
    if (!first)
        work->room[0] = eg_cut_varint(cut);
    if (cut->failed)
        return;
    bits.at = cut->at;
    eg_bits_get_rice(&bits, work->room + !first, work->count - !first);
    if (!bits.failed && !on_the_spot)
        eg_bits_get_rice(&bits, work->apart, work->count);
    cut->at = bits.at;
    cut->failed = cut->failed || bits.failed;
    if (cut->failed)
        return;
    show(work, decimals, column);
    for (size_t i = 0; i < work->count; i++) {
        work->scaled[i] = foretell(work, by, i) + from_code(by, work->room[i]) * (i ? step : 1);
        int64_t near = rank((double)(int64_t)work->scaled[i] / scale_of(decimals));
        work->values[column][i] = value_at((int64_t)((uint64_t)near + unzigzag(work->apart[i])));
    }
}
