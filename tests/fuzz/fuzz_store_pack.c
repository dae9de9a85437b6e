/* The store's blobs, both ways: hostile bytes are refused or give rows in bounds, with their sum as it came and with the sum made
 * right (or nothing would ever get past it); and rows made of the same bytes come back bit by bit.
 *
 * Input: byte 0 chooses what is done, the rest is the blob or the rows. */
#include "input.h"

#include <base/hash.h>
#include <store/buckets.h>
#include <store/pack.h>

#define VERSION 1
#define AT_MS INT64_C(1795417200000)
#define BLOB_MAX ((size_t)4 << 20)
#define TIME_BITS 60 /* rows of any time the pipeline lets in, and far more */

static struct eg_point points[EG_CHUNK_POINTS];
static struct eg_rollup buckets[EG_BUCKETS_MAX];

/* --- hostile --- */

static bool count_reading(void *arg, const struct eg_row_reading *row)
{
    size_t *count = arg;
    (void)row;
    return ++*count < 100000;
}

static void count_ident(void *arg, uint16_t mid, uint32_t hash)
{
    size_t *count = arg;
    (void)mid;
    (void)hash;
    ++*count;
}

static void decode(const uint8_t *blob, size_t length)
{
    size_t readings = 0, idents = 0, count = EG_CHUNK_POINTS + 1;
    int code = eg_pack_each_reading(blob, length, AT_MS, count_reading, &readings);
    DEMAND(code == EG_OK || code == EG_ECORRUPT, "code %d", code);
    DEMAND(readings <= length, "%zu readings out of %zu bytes", readings, length);
    code = eg_pack_each_ident(blob, length, count_ident, &idents);
    DEMAND(code == EG_OK || code == EG_ECORRUPT, "code %d", code);
    DEMAND(idents <= length / 5, "%zu idents out of %zu bytes", idents, length);
    code = eg_pack_chunk_points(blob, length, points, &count);
    DEMAND(code == EG_OK ? count <= EG_CHUNK_POINTS : code == EG_ECORRUPT && count == EG_CHUNK_POINTS + 1,
           "code %d, %zu points", code, count);
    count = 0;
    code = eg_buckets_unpack(blob, length, buckets, &count);
    DEMAND(code == EG_OK ? count && count <= EG_BUCKETS_MAX : code == EG_ECORRUPT && !count,
           "code %d, %zu buckets", code, count);
    for (size_t i = 0; i < count; i++)
        DEMAND(buckets[i].count && buckets[i].end_ms > buckets[i].start_ms &&
                   (!i || buckets[i].start_ms > buckets[i - 1].start_ms),
               "bucket %zu is none", i);
}

static void decode_summed(struct input *input)
{
    size_t body = input_left(input), length = body + 5;
    uint8_t *blob = malloc(length);
    if (!blob)
        abort();
    blob[0] = VERSION;
    if (body)
        memcpy(blob + 1, input->at, body);
    uint32_t sum = (uint32_t)eg_hash(blob, body + 1, 0);
    memcpy(blob + body + 1, &sum, sizeof sum);
    decode(blob, length);
    free(blob);
}

/* --- there and back --- */

static int64_t take_time(struct input *input)
{
    uint64_t bits = input_number(input, 8) & ((UINT64_C(1) << TIME_BITS) - 1);
    return (int64_t)bits - (INT64_C(1) << (TIME_BITS - 1));
}

/* Decimals and small steps, as sensors send them, or any bits. */
static double take_value(struct input *input)
{
    static const double scales[] = {1, 10, 100, 1000, 1e4, 1e6};
    unsigned form = input_byte(input);
    if (form < 192)
        return (double)(int32_t)input_number(input, 3) / scales[form % 6];
    uint64_t bits = input_number(input, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct back {
    const struct eg_row_reading *readings;
    const struct eg_row_ident *idents;
    size_t at, count;
};

static bool check_reading(void *arg, const struct eg_row_reading *row)
{
    struct back *back = arg;
    DEMAND(back->at < back->count, "more readings than went in");
    const struct eg_row_reading *was = &back->readings[back->at++];
    DEMAND(row->series == was->series && row->flags == was->flags && row->time_ms == was->time_ms &&
               !memcmp(&row->value, &was->value, sizeof row->value),
           "reading %zu came back as another", back->at - 1);
    return true;
}

static void check_ident(void *arg, uint16_t mid, uint32_t hash)
{
    struct back *back = arg;
    DEMAND(back->at < back->count, "more idents than went in");
    const struct eg_row_ident *was = &back->idents[back->at++];
    DEMAND(mid == was->mid && hash == was->hash, "ident %zu came back as another", back->at - 1);
}

static void there_and_back_readings(struct input *input)
{
    struct eg_row_reading rows[64];
    struct back back = {.readings = rows};
    for (; back.count < 64 && input_left(input); back.count++)
        rows[back.count] = (struct eg_row_reading){.series = (uint32_t)input_number(input, 4),
                                                   .flags = (uint16_t)input_number(input, 2),
                                                   .time_ms = take_time(input),
                                                   .value = take_value(input)};
    struct eg_buf blob;
    eg_buf_init(&blob, BLOB_MAX);
    DEMAND(eg_pack_readings(&blob, rows, back.count, AT_MS), "not packed");
    DEMAND(eg_pack_each_reading((const uint8_t *)blob.data, blob.length, AT_MS, check_reading, &back) ==
               EG_OK,
           "not read");
    DEMAND(back.at == back.count, "%zu of %zu readings came back", back.at, back.count);
    eg_buf_finish(&blob);
}

static void there_and_back_idents(struct input *input)
{
    struct eg_row_ident rows[64];
    struct back back = {.idents = rows};
    for (; back.count < 64 && input_left(input); back.count++)
        rows[back.count] = (struct eg_row_ident){.mid = (uint16_t)input_number(input, 2),
                                                 .hash = (uint32_t)input_number(input, 4)};
    struct eg_buf blob;
    eg_buf_init(&blob, BLOB_MAX);
    DEMAND(eg_pack_idents(&blob, rows, back.count), "not packed");
    DEMAND(eg_pack_each_ident((const uint8_t *)blob.data, blob.length, check_ident, &back) == EG_OK,
           "not read");
    DEMAND(back.at == back.count, "%zu of %zu idents came back", back.at, back.count);
    eg_buf_finish(&blob);
}

static void there_and_back_chunk(struct input *input)
{
    struct eg_point rows[256];
    size_t count = 0, came = 0;
    int64_t time = take_time(input) / 4;
    for (; count < 256 && input_left(input); count++) { /* points of a chunk ascend */
        time += (int64_t)input_number(input, 4) + 1;
        rows[count] = (struct eg_point){time, take_value(input), (uint16_t)(input_byte(input) & 15)};
    }
    struct eg_buf blob;
    eg_buf_init(&blob, BLOB_MAX);
    DEMAND(eg_pack_chunk(&blob, rows, count), "not packed");
    DEMAND(eg_pack_chunk_points((const uint8_t *)blob.data, blob.length, points, &came) == EG_OK, "not read");
    DEMAND(came == count, "%zu of %zu points came back", came, count);
    for (size_t i = 0; i < count; i++)
        DEMAND(points[i].time_ms == rows[i].time_ms && points[i].flags == rows[i].flags &&
                   !memcmp(&points[i].value, &rows[i].value, sizeof points[i].value),
               "point %zu came back as another", i);
    eg_buf_finish(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    size_t length;
    switch (input_byte(&input) % 5) {
    case 0: {
        uint8_t *blob = input_exact(&input, SIZE_MAX, &length);
        decode(blob, length);
        free(blob);
        break;
    }
    case 1:
        decode_summed(&input);
        break;
    case 2:
        there_and_back_readings(&input);
        break;
    case 3:
        there_and_back_idents(&input);
        break;
    default:
        there_and_back_chunk(&input);
        break;
    }
    return 0;
}
