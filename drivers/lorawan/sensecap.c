/* SenseCAP (S2100 and LoRaWAN sensors of the first generation): channel, number of the measurement, value; seven bytes each, little-endian,
 * a checksum behind the last. Values are thousandths.
 *
 *   01 0110 98530000   01 0210 a87a0000   af51       temperature 21.4 degC, humidity 31.4 %
 *
 * Numbers below 0x1000 are about the device; 7 is its battery. https://github.com/Seeed-Solution/TTN-Payload-Decoder */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <stdio.h>

#define ENTRY 7
#define TELEMETRY 0x1000
#define BATTERY 7

enum eg_verdict eg_codec_sensecap(struct eg_frame *frame, unsigned which)
{
    (void)which;
    if (frame->length < ENTRY + 2)
        return eg_frame_short(frame, ENTRY + 2);
    for (size_t at = 0; at + ENTRY + 2 <= frame->length; at += ENTRY) {
        const uint8_t *b = frame->bytes + at;
        const unsigned id = b[1] | (unsigned)b[2] << 8;
        const uint32_t raw =
            (uint32_t)b[3] | (uint32_t)b[4] << 8 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 24;
        char name[16], channel[8];
        const char *unit = NULL;
        (void)snprintf(name, sizeof name, "%u", id);
        (void)snprintf(channel, sizeof channel, "%u", b[0]);
        const int quantity = eg_sensecap_quantity((long)id, &unit);
        if (id == BATTERY)
            eg_frame_put(frame, "battery", EG_Q_battery, "", "%", raw & 0xffff);
        else if (id >= TELEMETRY && raw == 0x80000000)
            eg_frame_fault(frame, name, quantity, b[0] > 1 ? channel : "", "no value");
        else if (id >= TELEMETRY)
            eg_frame_put(frame, name, quantity, b[0] > 1 ? channel : "", unit, (double)(int32_t)raw / 1000);
    }
    return eg_frame_end(frame);
}
