/* Milesight (EM300, EM310, EM400, EM500, AM100, AM300 series): channel, type, value; little-endian. The type says what follows, the channel
 * tells CO2 from particles where the type is only "a number".
 *
 *   01 75 5c   03 82 44 08   04 00 01       battery 92 %, distance 2116 mm, upright
 *
 * variant 1 (EM500-SMTC): 0x68 is water in the soil and 0x67 the soil's temperature; a frame that has 0x7f (conductivity) is one too.
 * variant 2 (EM400): the temperature is a bin's. What is not known ends the frame; records of the history (0x20 0xce) are left to the
 * network server's decoder.
 *
 * https://github.com/Milesight-IoT/SensorDecoders (the tables in its READMEs) */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define ANY 0

enum place { ANYWHERE, IN_SOIL, IN_BIN }; /* the codec's variant */

enum form { U8, I16, U16, U32, SKIP };
static const struct entry {
    uint8_t channel, type, bytes; /* channel 0: any; bytes of the whole value */
    enum form form;
    double per; /* value = number / per */
    const char *name;
    int quantity;
    const char *unit;
    bool in_soil; /* another quantity in the ground */
} entries[] = {
    {ANY, 0x75, 1, U8, 1, "battery", EG_Q_battery, "%", false},
    {ANY, 0x67, 2, I16, 10, "temperature", EG_Q_temperature, "Cel", true},
    {ANY, 0x68, 1, U8, 2, "humidity", EG_Q_humidity, "%", true},
    {ANY, 0xca, 2, U16, 100, "moisture", EG_Q_soil_moisture, "%", false},
    {ANY, 0x7f, 2, U16, 1, "ec", EG_Q_soil_ec, "uS/cm", false},
    {ANY, 0x82, 2, U16, 1, "distance", EG_Q_distance, "mm", false},
    {ANY, 0x73, 2, U16, 10, "pressure", EG_Q_pressure, "hPa", false},
    {ANY, 0x94, 4, U32, 1, "illumination", EG_Q_light, "lx", false},
    {ANY, 0xcb, 1, U8, 1, "light_level", EG_QUANTITY_NONE, NULL, false},
    {ANY, 0x65, 6, U16, 1, "illumination", EG_Q_light, "lx", false}, /* then infrared and both */
    {ANY, 0x6a, 2, U16, 1, "activity", EG_QUANTITY_NONE, NULL, false},
    {ANY, 0x77, 2, U16, 100, "depth", EG_Q_level, "cm", false},
    {ANY, 0x6f, 0, SKIP, 1, "", EG_QUANTITY_NONE, NULL, false},
    {0x05, 0x7d, 2, U16, 1, "co2", EG_Q_co2, "ppm", false}, /* EM500-CO2 */
    {0x07, 0x7d, 2, U16, 1, "co2", EG_Q_co2, "ppm", false},
    {0x08, 0x7d, 2, U16, 1, "tvoc", EG_QUANTITY_NONE, NULL, false}, /* an index or ug/m3, by the model */
    {0x0a, 0x7d, 2, U16, 100, "hcho", EG_Q_hcho, "mg/m3", false},
    {0x0b, 0x7d, 2, U16, 1, "pm2_5", EG_Q_pm25, "ug/m3", false},
    {0x0c, 0x7d, 2, U16, 1, "pm10", EG_Q_pm10, "ug/m3", false},
    {0x0d, 0x7d, 2, U16, 100, "o3", EG_Q_o3, "ppm", false},
    {0x03, 0x7d, 2, U16, 1, "co2", EG_Q_co2, "ppm", false},
    {ANY, 0x00, 1, U8, 1, "state", EG_QUANTITY_NONE, NULL,
     false}, /* tilt, leak, movement, door: a yes or no */
    {ANY, 0x01, 1, U8, 1, "beep", EG_QUANTITY_NONE, NULL, false},
    {0x05, 0xc8, 4, U32, 1, "counter", EG_QUANTITY_NONE, NULL, false},
    {0xff, 0x0b, 1, SKIP, 1, "", EG_QUANTITY_NONE, NULL, false}, /* what the device says of itself */
    {0xff, 0x09, 2, SKIP, 1, "", EG_QUANTITY_NONE, NULL, false},
    {0xff, 0x0a, 2, SKIP, 1, "", EG_QUANTITY_NONE, NULL, false},
    {0xff, 0x0f, 1, SKIP, 1, "", EG_QUANTITY_NONE, NULL, false},
    {0xff, 0x16, 8, SKIP, 1, "", EG_QUANTITY_NONE, NULL, false},
    {0xff, 0xff, 2, SKIP, 1, "", EG_QUANTITY_NONE, NULL, false},
    {0xff, 0xfe, 1, SKIP, 1, "", EG_QUANTITY_NONE, NULL, false},
};

/* Alarms and retransmissions carry the same value behind a channel of 0x80 more, and a byte that says which alarm. */
static const struct entry *entry_of(uint8_t channel, uint8_t type, bool *ret_alarm)
{
    const bool info = channel == 0xff;
    *ret_alarm = !info && channel >= 0x80;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        const struct entry *entry = &entries[i];
        const bool own = entry->channel == (*ret_alarm ? channel - 0x80 : channel);
        if (entry->type == type && (own || (entry->channel == ANY && !info && entry->bytes > 0)))
            return entry;
    }
    return NULL;
}

static double number_of(const struct entry *entry, const uint8_t *b)
{
    switch (entry->form) {
    case U8:
        return b[0];
    case I16:
        return (b[0] | b[1] << 8) - (b[1] & 0x80 ? 65536 : 0);
    case U16:
        return b[0] | b[1] << 8;
    default:
        return (double)((uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
    }
}

static void put(struct eg_frame *frame, const struct entry *entry, const uint8_t *bytes, enum place place)
{
    const double number = number_of(entry, bytes);
    int quantity = entry->quantity;
    const char *name = entry->name;
    if (entry->form == SKIP)
        return;
    if (place == IN_BIN && quantity == EG_Q_temperature)
        quantity = EG_Q_bin_temp;
    if (place == IN_SOIL && entry->in_soil) {
        name = quantity == EG_Q_humidity ? "moisture" : name;
        quantity = quantity == EG_Q_humidity ? EG_Q_soil_moisture : EG_Q_soil_temp;
    }
    if ((entry->form == I16 && (number == 32767 || number == -32768 || number == -1)) ||
        (entry->form == U16 && (number == 65535 || number == 65533))) { /* not connected, out of range */
        eg_frame_fault(frame, name, quantity, "", number < 0 ? "-1" : "65535");
        return;
    }
    eg_frame_put(frame, name, quantity, "", entry->unit, number / entry->per);
}

/* Goes through the entries; `frame` NULL-like when only looking whether one is there. */
static size_t each(struct eg_frame *frame, enum place place, uint8_t seek, bool *ret_found)
{
    size_t at = 0;
    while (at + 2 <= frame->length && !frame->refused) {
        bool alarm;
        const struct entry *entry = entry_of(frame->bytes[at], frame->bytes[at + 1], &alarm);
        if (entry == NULL || at + 2 + entry->bytes + alarm > frame->length)
            break;
        *ret_found |= entry->type == seek;
        if (seek == 0)
            put(frame, entry, frame->bytes + at + 2, place);
        at += 2 + (size_t)entry->bytes + alarm;
    }
    return at;
}

enum eg_verdict eg_codec_milesight(struct eg_frame *frame, unsigned which)
{
    bool soil = which == IN_SOIL, ignored = false;
    (void)each(frame, ANYWHERE, 0x7f, &soil);
    if (each(frame, soil ? IN_SOIL : (enum place)which, 0, &ignored) == 0)
        return REFUSE(frame->sink, EG_MALFORMED,
                      frame->length < 2
                          ? "too short for a Milesight frame: %zu bytes"
                          : "no Milesight frame: the first channel and type are not known, in %zu bytes",
                      frame->length);
    return eg_frame_end(frame);
}
