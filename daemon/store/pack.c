/* A turn's readings and packet identities as blobs. Knows the format, bounds and checksums; knows nothing of SQLite or of what a
 * reading means. Called by commit.c (packs), load.c and verify.c (unpack).
 *
 * Readings: version byte, count; per reading: series, time less the time before (zigzag), flags << 3 | how, value.
 * how 0..3: decimals of a zigzag integer; 4: the eight bytes of the double. Numbers are LEB128. Checksum at the end.
 * Identities: version byte, count; per identity: mid less the mid before (zigzag), 4 bytes of hash. Checksum at the end. */
#include <store/pack.h>
#include <store/decimal.h>
#include <base/hash.h>

#include <string.h>

#define VERSION        1
#define CHECKSUM_BYTES 4
#define CHECKSUM_SEED  0x65676f76
#define HOW_RAW        4
#define READING_BYTES  32 /* most that one takes: 5 + 10 + 3 + 10 */
#define READING_LEAST  4
#define IDENT_LEAST    5

static inline size_t put_varint(uint8_t *at, uint64_t value)
{
    size_t count = 0;
    while (value >= 0x80) {
        at[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    at[count++] = (uint8_t)value;
    return count;
}

static inline uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static uint32_t checksum(const void *data, size_t length)
{
    uint64_t hash = eg_hash(data, length, CHECKSUM_SEED);
    return (uint32_t)(hash ^ hash >> 32);
}

bool eg_pack_seal(struct eg_buf *out, size_t from)
{
    if (out->failed)
        return false;
    uint32_t sum = checksum(out->data + from, out->length - from);
    uint8_t bytes[CHECKSUM_BYTES] = {(uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16), (uint8_t)(sum >> 24)};
    return eg_buf_add(out, bytes, sizeof bytes);
}

size_t eg_pack_sound(const void *blob, size_t length)
{
    if (!blob || length <= CHECKSUM_BYTES)
        return 0;
    const uint8_t *end = (const uint8_t *)blob + length - CHECKSUM_BYTES;
    uint32_t sum = (uint32_t)end[0] | (uint32_t)end[1] << 8 | (uint32_t)end[2] << 16 | (uint32_t)end[3] << 24;
    return checksum(blob, length - CHECKSUM_BYTES) == sum ? length - CHECKSUM_BYTES : 0;
}

/* --- readings --- */

/* The value's bytes; *ret_how says which. Up to 3 decimals: what sensors send. */
static inline size_t put_value(uint8_t *at, double value, unsigned *ret_how)
{
    int64_t scaled;
    if (eg_decimal_fits(value, 3, &scaled)) {
        unsigned decimals = 3;
        while (decimals > 0 && scaled % 10 == 0) {
            scaled /= 10;
            decimals--;
        }
        *ret_how = decimals;
        return put_varint(at, zigzag(scaled));
    }
    *ret_how = HOW_RAW;
    memcpy(at, &value, sizeof value); /* little-endian machines only, as eg_hash() */
    return sizeof value;
}

static int out_of_bounds(const struct eg_row_reading *row, struct eg_err *err)
{
    return eg_err_set(err, EG_EINVAL,
                      "a reading of series %u at %lld ms with flags %x cannot be stored: series go to %u, times from 1970 to "
                      "2248, flags to %x",
                      row->series, (long long)row->time_ms, row->flags, EG_PLACE_SERIES_MAX, EG_PACK_FLAGS_MAX);
}

int eg_pack_readings(const struct eg_row_reading *rows, size_t count, struct eg_buf *out, struct eg_err *err)
{
    size_t from = out->length;
    uint8_t bytes[READING_BYTES] = {VERSION}, value[16];
    int64_t before = 0;
    if (count > EG_PACK_READINGS_MAX)
        return eg_err_set(err, EG_EINVAL, "a turn of %zu readings cannot be stored: at most %zu", count,
                          EG_PACK_READINGS_MAX);
    eg_buf_add(out, bytes, 1 + put_varint(bytes + 1, count));
    for (size_t i = 0; i < count; i++) {
        const struct eg_row_reading *row = &rows[i];
        if (!row->series || row->series > EG_PLACE_SERIES_MAX || row->time_ms < 0 || row->time_ms >= EG_PLACE_TIME_MAX ||
            row->flags > EG_PACK_FLAGS_MAX)
            return out_of_bounds(row, err);
        unsigned how;
        size_t value_length = put_value(value, row->value, &how);
        size_t length = put_varint(bytes, row->series);
        length += put_varint(bytes + length, zigzag(row->time_ms - before));
        length += put_varint(bytes + length, (uint64_t)row->flags << 3 | how);
        memcpy(bytes + length, value, value_length);
        eg_buf_add(out, bytes, length + value_length);
        before = row->time_ms;
    }
    if (!eg_pack_seal(out, from))
        return eg_err_set(err, EG_ENOMEM, "no memory for a turn of %zu readings (at most %zu bytes)", count, out->max);
    return EG_OK;
}

static double cut_value(struct eg_cut *cut, unsigned how)
{
    double value = 0;
    if (how == HOW_RAW) {
        const uint8_t *bytes = eg_cut_bytes(cut, sizeof value);
        if (bytes)
            memcpy(&value, bytes, sizeof value);
    } else if (how < HOW_RAW) {
        value = eg_decimal_value(eg_cut_zigzag(cut), (int)how);
    } else {
        cut->failed = true;
    }
    return value;
}

/* The head that both blobs have. */
static int cut_head(const void *blob, size_t length, size_t least, struct eg_cut *ret_cut, uint64_t *ret_count,
                    const char *what, struct eg_err *err)
{
    size_t sound = eg_pack_sound(blob, length);
    if (!sound)
        return eg_err_set(err, EG_ECORRUPT, "the turn's %s do not match their checksum", what);
    *ret_cut = (struct eg_cut){blob, (const uint8_t *)blob + sound, false};
    if (*ret_cut->at++ != VERSION)
        return eg_err_set(err, EG_ECORRUPT, "the turn's %s are of a version this ecogovd does not know", what);
    *ret_count = eg_cut_varint(ret_cut);
    if (ret_cut->failed || *ret_count > (size_t)(ret_cut->end - ret_cut->at) / least)
        return eg_err_set(err, EG_ECORRUPT, "the turn's %s are cut short", what);
    return EG_OK;
}

int eg_pack_each_reading(const void *blob, size_t length, bool (*each)(void *arg, const struct eg_row_reading *row),
                         void *arg, struct eg_err *err)
{
    struct eg_cut cut;
    uint64_t count;
    int code = cut_head(blob, length, READING_LEAST, &cut, &count, "readings", err);
    uint64_t time_ms = 0;
    for (uint64_t i = 0; code == EG_OK && i < count; i++) {
        uint64_t series = eg_cut_varint(&cut);
        time_ms += (uint64_t)eg_cut_zigzag(&cut);
        uint64_t head = eg_cut_varint(&cut);
        double value = cut_value(&cut, (unsigned)(head & 7));
        if (cut.failed || !series || series > EG_PLACE_SERIES_MAX || head >> 3 > EG_PACK_FLAGS_MAX ||
            time_ms >= (uint64_t)EG_PLACE_TIME_MAX)
            return eg_err_set(err, EG_ECORRUPT, "reading %llu of a turn holds what nobody wrote", (unsigned long long)i);
        struct eg_row_reading row = {(uint32_t)series, (uint16_t)(head >> 3), (int64_t)time_ms, value};
        if (!each(arg, &row))
            return EG_OK;
    }
    if (code == EG_OK && cut.at != cut.end)
        return eg_err_set(err, EG_ECORRUPT, "bytes are left behind a turn's readings");
    return code;
}

/* --- identities --- */

int eg_pack_idents(const struct eg_row_ident *rows, size_t count, struct eg_buf *out, struct eg_err *err)
{
    size_t from = out->length;
    uint8_t bytes[16] = {VERSION};
    int32_t before = 0;
    eg_buf_add(out, bytes, 1 + put_varint(bytes + 1, count));
    for (size_t i = 0; i < count; i++) {
        size_t length = put_varint(bytes, zigzag((int32_t)rows[i].mid - before));
        memcpy(bytes + length, &rows[i].hash, sizeof rows[i].hash);
        eg_buf_add(out, bytes, length + sizeof rows[i].hash);
        before = rows[i].mid;
    }
    if (!eg_pack_seal(out, from))
        return eg_err_set(err, EG_ENOMEM, "no memory for a turn of %zu messages (at most %zu bytes)", count, out->max);
    return EG_OK;
}

int eg_pack_each_ident(const void *blob, size_t length, bool (*each)(void *arg, const struct eg_row_ident *row), void *arg,
                       struct eg_err *err)
{
    struct eg_cut cut;
    uint64_t count;
    int code = cut_head(blob, length, IDENT_LEAST, &cut, &count, "packet identities", err);
    uint64_t mid = 0;
    for (uint64_t i = 0; code == EG_OK && i < count; i++) {
        struct eg_row_ident row = {0};
        mid += (uint64_t)eg_cut_zigzag(&cut);
        const uint8_t *hash = eg_cut_bytes(&cut, sizeof row.hash);
        if (!hash || mid > UINT16_MAX)
            return eg_err_set(err, EG_ECORRUPT, "identity %llu of a turn holds what nobody wrote", (unsigned long long)i);
        row.mid = (uint16_t)mid;
        memcpy(&row.hash, hash, sizeof row.hash);
        if (!each(arg, &row))
            return EG_OK;
    }
    if (code == EG_OK && cut.at != cut.end)
        return eg_err_set(err, EG_ECORRUPT, "bytes are left behind a turn's packet identities");
    return code;
}
