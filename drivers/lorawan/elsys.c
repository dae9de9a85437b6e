/* Elsys (ERS, EMS, ELT and their kin): type and value, one after the other, big-endian.
 *
 *   01 00e2 02 29 04 0027 05 06 06 036a 07 0e57       22.6 degC, 41 %, 39 lx, motion, 874 ppm, 3.671 V
 *
 * What is not known ends the frame, as its length is not known either. External probes come as channels.
 *
 * https://elsys.se/public/documents/Sensor_payload.pdf */
#include "lorawan.h"

#include <ecogov/quantity.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

static const struct entry {
    uint8_t type, bytes, from,
        wide; /* bytes of the whole value; where ours begins in it, and how many bytes it has */
    bool is_signed;
    double per;
    const char *name;
    int quantity;
    const char *unit, *channel;
} entries[] = {
    {0x01, 2, 0, 2, true, 10, "temperature", EG_Q_temperature, "Cel", ""},
    {0x02, 1, 0, 1, false, 1, "humidity", EG_Q_humidity, "%", ""},
    {0x03, 3, 0, 1, true, 1, "x", EG_QUANTITY_NONE, NULL, ""}, /* acceleration */
    {0x04, 2, 0, 2, false, 1, "light", EG_Q_light, "lx", ""},
    {0x05, 1, 0, 1, false, 1, "motion", EG_QUANTITY_NONE, NULL, ""},
    {0x06, 2, 0, 2, false, 1, "co2", EG_Q_co2, "ppm", ""},
    {0x07, 2, 0, 2, false, 1, "vdd", EG_Q_voltage, "mV", ""},
    {0x08, 2, 0, 2, false, 1, "analog1", EG_QUANTITY_NONE, NULL, ""},
    {0x09, 6, 0, 1, false, 1, "position", EG_QUANTITY_NONE, NULL, ""},
    {0x0a, 2, 0, 2, false, 1, "pulse1", EG_QUANTITY_NONE, NULL, ""},
    {0x0b, 4, 0, 4, false, 1, "pulseAbs1", EG_QUANTITY_NONE, NULL, ""},
    {0x0c, 2, 0, 2, true, 10, "externalTemperature", EG_Q_temperature, "Cel", "probe"},
    {0x0d, 1, 0, 1, false, 1, "digital", EG_QUANTITY_NONE, NULL, ""},
    {0x0e, 2, 0, 2, false, 1, "distance", EG_Q_distance, "mm", ""},
    {0x0f, 1, 0, 1, false, 1, "accMotion", EG_QUANTITY_NONE, NULL, ""},
    {0x10, 4, 0, 2, true, 10, "irInternalTemperature", EG_QUANTITY_NONE, NULL, ""},
    {0x11, 1, 0, 1, false, 1, "occupancy", EG_QUANTITY_NONE, NULL, ""},
    {0x12, 1, 0, 1, false, 1, "waterleak", EG_QUANTITY_NONE, NULL, ""},
    {0x13, 65, 0, 1, false, 1, "grideye", EG_QUANTITY_NONE, NULL, ""},
    {0x14, 4, 0, 4, false, 1000, "pressure", EG_Q_pressure, "hPa", ""},
    {0x15, 2, 1, 1, false, 1, "soundAvg", EG_Q_noise, "dB", ""}, /* behind the peak */
    {0x16, 2, 0, 2, false, 1, "pulse2", EG_QUANTITY_NONE, NULL, ""},
    {0x17, 4, 0, 4, false, 1, "pulseAbs2", EG_QUANTITY_NONE, NULL, ""},
    {0x18, 2, 0, 2, false, 1, "analog2", EG_QUANTITY_NONE, NULL, ""},
    {0x19, 2, 0, 2, true, 10, "externalTemperature2", EG_Q_temperature, "Cel", "probe 2"},
    {0x1a, 1, 0, 1, false, 1, "digital2", EG_QUANTITY_NONE, NULL, ""},
    {0x1b, 4, 0, 4, true, 1, "analogUv", EG_QUANTITY_NONE, NULL, ""},
    {0x1c, 2, 0, 2, false, 1, "tvoc", EG_Q_tvoc_ppb, "ppb", ""},
};

static double number_at(const uint8_t *b, size_t bytes, bool is_signed)
{
    uint32_t raw = 0;
    for (size_t i = 0; i < bytes; i++)
        raw = raw << 8 | b[i];
    return is_signed && b[0] & 0x80 ? (double)raw - (double)(UINT64_C(1) << (8 * bytes)) : (double)raw;
}

enum eg_verdict eg_codec_elsys(struct eg_frame *frame, unsigned which)
{
    size_t at = 0;
    (void)which;
    if (frame->port == 6)
        return REFUSE(frame->sink, EG_NOT_MINE, "settings on port 6, no readings");
    while (at < frame->length && !frame->refused) {
        const struct entry *entry = NULL;
        for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
            if (entries[i].type == frame->bytes[at])
                entry = &entries[i];
        if (entry == NULL || at + 1 + entry->bytes > frame->length)
            break;
        eg_frame_put(frame, entry->name, entry->quantity, entry->channel, entry->unit,
                     number_at(frame->bytes + at + 1 + entry->from, entry->wide, entry->is_signed) /
                         entry->per);
        at += 1 + (size_t)entry->bytes;
    }
    if (at == 0)
        return REFUSE(frame->sink, EG_MALFORMED,
                      "no Elsys frame: its first type is not known or cut, in %zu bytes", frame->length);
    return eg_frame_end(frame);
}
