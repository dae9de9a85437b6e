/* SenseCAP (S2100 and LoRaWAN sensors of the first generation): channel, number of the measurement, value; seven bytes each, little-endian,
 * a checksum behind the last. Values are thousandths.
 *
 *   01 0110 98530000   01 0210 a87a0000   af51       temperature 21.4 degC, humidity 31.4 %
 *
 * Numbers below 0x1000 are about the device; 7 is its battery. variant 1 is the weather station S2120: blocks of a kind each, big-endian:
 *
 *   01 00d7 41 00001f40 0a 0017   02 010e 00000064 2781   03 5c
 *
 * (01 or 4A: temperature, humidity, light, UV, wind; 02 or 4B: wind's direction, rain in mm/h, pressure; 4C: gust, rain so far;
 * 03: battery; 04: battery, versions, intervals; 05: intervals; 06: an error).
 *
 * https://github.com/Seeed-Solution/TTN-Payload-Decoder */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <stdio.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define ENTRY 7
#define TELEMETRY 0x1000
#define BATTERY 7
#define NO_VALUE (-2147483647 - 1)

static const struct row {
    unsigned id;
    int quantity;
    const char *unit, *channel;
} rows[] = {
#define EG_SENSECAP(id, quantity, unit, channel) {id, quantity, unit, channel},
#include "../kit/sensecap.def"
#undef EG_SENSECAP
};

void eg_sensecap_put(struct eg_frame *frame, unsigned id, unsigned probe, double value)
{
    static const struct row unknown = {0, EG_QUANTITY_NONE, NULL, ""};
    const struct row *row = &unknown;
    char name[16], number[16] = "";
    (void)snprintf(name, sizeof name, "%u", id);
    if (probe > 1)
        (void)snprintf(number, sizeof number, "%u", probe);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].id == id)
            row = &rows[i];
    const char *channel = row->channel[0] != '\0' ? row->channel : number;
    if (value * 1000 == NO_VALUE)
        eg_frame_fault(frame, name, row->quantity, channel, "no value");
    else
        eg_frame_put(frame, name, row->quantity, channel, row->unit, value);
}

/* Only what the device says of itself: nothing is wrong with it. */
static enum eg_verdict end(struct eg_frame *frame, bool about_itself)
{
    if (about_itself && frame->sink->count == 0 && frame->sink->fault_count == 0)
        return REFUSE(frame->sink, EG_NOT_MINE, "what the device says of itself, no measurement");
    return eg_frame_end(frame);
}

static enum eg_verdict read_entries(struct eg_frame *frame)
{
    bool about_itself = false;
    if (frame->length < ENTRY + 2)
        return eg_frame_short(frame, ENTRY + 2);
    for (size_t at = 0; at + ENTRY + 2 <= frame->length; at += ENTRY) {
        const uint8_t *b = frame->bytes + at;
        const unsigned id = b[1] | (unsigned)b[2] << 8;
        const uint32_t raw =
            (uint32_t)b[3] | (uint32_t)b[4] << 8 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 24;
        about_itself |= id < TELEMETRY;
        if (id == BATTERY)
            eg_frame_put(frame, "battery", EG_Q_battery, "", "%", raw & 0xffff);
        else if (id >= TELEMETRY)
            eg_sensecap_put(frame, id, b[0], (double)(int32_t)raw / 1000);
    }
    return end(frame, about_itself);
}

/* --- S2120 --- */

static const struct block {
    uint8_t kind, bytes;
    struct {
        unsigned id;
        uint8_t at, bytes;
        double per;
    } values[5]; /* up to an id of 0 */
} blocks[] = {
    {0x01, 10, {{4097, 0, 2, 10}, {4098, 2, 1, 1}, {4099, 3, 4, 1}, {4190, 7, 1, 10}, {4105, 8, 2, 10}}},
    {0x4a, 10, {{4097, 0, 2, 10}, {4098, 2, 1, 1}, {4099, 3, 4, 1}, {4190, 7, 1, 10}, {4105, 8, 2, 10}}},
    {0x02, 8, {{4104, 0, 2, 1}, {4113, 2, 4, 1000}, {4101, 6, 2, 0.1}}},
    {0x4b, 8, {{4104, 0, 2, 1}, {4113, 2, 4, 1000}, {4101, 6, 2, 0.1}}},
    {0x4c, 6, {{4191, 0, 2, 10}}},
    {0x03, 1, {{3000, 0, 1, 1}}},
    {0x04, 9, {{3000, 0, 1, 1}}},
    {0x05, 4, {{0, 0, 0, 0}}},
    {0x06, 1, {{0, 0, 0, 0}}},
};

static double number_at(const uint8_t *b, size_t bytes)
{
    uint32_t raw = 0;
    for (size_t i = 0; i < bytes; i++)
        raw = raw << 8 | b[i];
    return bytes > 1 && b[0] & 0x80 ? (double)raw - (double)(UINT64_C(1) << (8 * bytes)) : (double)raw;
}

static enum eg_verdict read_blocks(struct eg_frame *frame)
{
    size_t at = 0;
    while (at < frame->length) {
        const struct block *block = NULL;
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
            if (blocks[i].kind == frame->bytes[at])
                block = &blocks[i];
        if (block == NULL || at + 1 + block->bytes > frame->length)
            break;
        const uint8_t *b = frame->bytes + at + 1;
        if (block->kind == 0x06 && b[0] != 0)
            eg_frame_fault(frame, "error", EG_Q_temperature, "", "the station does not answer");
        for (size_t i = 0; i < 5 && block->values[i].id != 0; i++)
            eg_sensecap_put(frame, block->values[i].id, 0,
                            number_at(b + block->values[i].at, block->values[i].bytes) /
                                block->values[i].per);
        at += 1 + (size_t)block->bytes;
    }
    if (at == 0)
        return REFUSE(frame->sink, EG_MALFORMED,
                      "no S2120 frame: its first block is not known or too short, in %zu bytes",
                      frame->length);
    return end(frame, true);
}

enum eg_verdict eg_codec_sensecap(struct eg_frame *frame, unsigned which)
{
    return which == 1 ? read_blocks(frame) : read_entries(frame);
}
