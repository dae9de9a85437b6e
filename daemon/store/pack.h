/* Private to the store: what one row of the table `turn` carries, packed into two blobs. */
#ifndef EG_PACK_H
#define EG_PACK_H

#include <base/buf.h>
#include <pipeline/batch.h>

/* Series and time of a reading in one number, ascending by series, then time: the key of chunks and of the tail. 20 bits of
 * series (a gateway has thousands), 43 bits of milliseconds (until 2248), sign never set. */
#define EG_PLACE_TIME_BITS 43
#define EG_PLACE_TIME_MAX  (INT64_C(1) << EG_PLACE_TIME_BITS) /* exclusive */
#define EG_PLACE_SERIES_MAX ((UINT32_C(1) << 20) - 1)
/* Flags a stored reading can have: 12 bits, four are given out (ecogov/reading.h). */
#define EG_PACK_FLAGS_MAX 0x0fff

static inline int64_t eg_place(uint32_t series, int64_t time_ms)
{
    return (int64_t)((uint64_t)series << EG_PLACE_TIME_BITS | (uint64_t)time_ms);
}
static inline uint32_t eg_place_series(int64_t place)
{
    return (uint32_t)((uint64_t)place >> EG_PLACE_TIME_BITS);
}
static inline int64_t eg_place_time(int64_t place)
{
    return place & (EG_PLACE_TIME_MAX - 1);
}

/* Most bytes a turn's blob may have, and a turn's readings: far above what a turn takes in (8192 and one message). */
#define EG_PACK_BYTES_MAX    ((size_t)32 * 1024 * 1024)
#define EG_PACK_READINGS_MAX ((size_t)512 * 1024)

/* Appends the readings, in the order they came, to `out`. EG_EINVAL for a reading outside the bounds above. */
int eg_pack_readings(const struct eg_row_reading *rows, size_t count, struct eg_buf *out, struct eg_err *err);
int eg_pack_idents(const struct eg_row_ident *rows, size_t count, struct eg_buf *out, struct eg_err *err);
/* Hands out what was packed. Every byte may be hostile: EG_ECORRUPT with a sentence, before `each` saw anything when the checksum
 * is wrong. `each` returns false to stop. */
int eg_pack_each_reading(const void *blob, size_t length, bool (*each)(void *arg, const struct eg_row_reading *row),
                         void *arg, struct eg_err *err);
int eg_pack_each_ident(const void *blob, size_t length, bool (*each)(void *arg, const struct eg_row_ident *row), void *arg,
                       struct eg_err *err);

/* The 32-bit checksum at a blob's end: appends it; or checks it and gives the length without it, 0 when it is wrong. */
bool eg_pack_seal(struct eg_buf *out, size_t from);
size_t eg_pack_sound(const void *blob, size_t length);

#endif
