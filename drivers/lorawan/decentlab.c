/* Decentlab: version 2, the device's number, flags, then the words of each group whose flag is set. Words are unsigned, big-endian;
 * what they mean is each model's own.
 *
 *   02 0d80 0003 8348 86df 0be1       DL-5TM and others: group 0 and the battery
 *
 * https://www.decentlab.com/products (Decoding guides), https://github.com/decentlab/decentlab-decoders */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <stdio.h>
#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define HEAD 5
#define GROUPS_MAX 5

enum model { DL_5TM, DL_LID, DL_MBX, DL_PHEHT, DL_PM, DL_SMTP, DL_TRS12, MODELS };
static const struct {
    uint8_t words[GROUPS_MAX]; /* of each group, up to a 0 */
    int battery;               /* which group is the battery's voltage */
} models[MODELS] = {
    [DL_5TM] = {{2, 1}, 1},   [DL_LID] = {{11, 1}, 1},      [DL_MBX] = {{2, 1}, 1},
    [DL_PHEHT] = {{5, 1}, 1}, [DL_PM] = {{1, 10, 2, 1}, 0}, [DL_SMTP] = {{16, 1}, 1},
    [DL_TRS12] = {{3, 1}, 1},
};

struct reader {
    struct eg_frame *frame;
    size_t at; /* of the group's first word */
};

static double word(const struct reader *reader, size_t index)
{
    return eg_frame_u16(reader->frame, reader->at + 2 * index);
}

static void put(const struct reader *reader, const char *name, int quantity, const char *unit, double value)
{
    eg_frame_put(reader->frame, name, quantity, "", unit, value);
}

static void put_5tm(const struct reader *r)
{
    const double e = word(r, 0) / 50; /* dielectric permittivity; Topp's equation */
    put(r, "dielectric_permittivity", EG_QUANTITY_NONE, NULL, e);
    put(r, "volumetric_water_content", EG_Q_soil_moisture, "m3/m3",
        0.0000043 * e * e * e - 0.00055 * e * e + 0.0292 * e - 0.053);
    put(r, "soil_temperature", EG_Q_soil_temp, "Cel", (word(r, 1) - 400) / 10);
}

static void put_trs12(const struct reader *r)
{
    const double counts = word(r, 0) / 10;
    put(r, "volumetric_water_content", EG_Q_soil_moisture, "m3/m3", counts * 0.0003879 - 0.6956);
    put(r, "soil_temperature", EG_Q_soil_temp, "Cel", (word(r, 1) - 32768) / 10);
    put(r, "electrical_conductivity", EG_Q_soil_ec, "uS/cm", word(r, 2));
}

static void put_pheht(const struct reader *r)
{
    put(r, "status", EG_QUANTITY_NONE, NULL, word(r, 0));
    put(r, "temperature", EG_Q_water_temp, "Cel", (word(r, 1) - 32768) / 100);
    put(r, "ph", EG_Q_ph, "1", (word(r, 2) - 32768) / 100);
    put(r, "redox", EG_Q_orp, "mV", (word(r, 3) - 32768) / 10);
}

static void put_pm(const struct reader *r, int group)
{
    if (group == 1) {
        put(r, "pm1_0_mass_concentration", EG_Q_pm1, "ug/m3", word(r, 0) / 10);
        put(r, "pm2_5_mass_concentration", EG_Q_pm25, "ug/m3", word(r, 1) / 10);
        put(r, "pm4_mass_concentration", EG_Q_pm4, "ug/m3", word(r, 2) / 10);
        put(r, "pm10_mass_concentration", EG_Q_pm10, "ug/m3", word(r, 3) / 10);
    } else if (group == 2) {
        put(r, "air_temperature", EG_Q_temperature, "Cel", 175.72 * word(r, 0) / 65536 - 46.85);
        put(r, "air_humidity", EG_Q_humidity, "%", 125 * word(r, 1) / 65536 - 6);
    } else {
        put(r, "barometric_pressure", EG_Q_pressure, "Pa", word(r, 0) * 2);
    }
}

/* Eight depths from the top; -5 and below: there is no sensor. */
static void put_smtp(const struct reader *r)
{
    for (size_t depth = 0; depth < 8; depth++) {
        char name[40], channel[4];
        const double moisture = (word(r, 2 * depth) - 2500) / 500,
                     temperature = (word(r, 2 * depth + 1) - 32768) / 100;
        (void)snprintf(channel, sizeof channel, "%zu", depth);
        (void)snprintf(name, sizeof name, "soil_moisture_at_depth_%zu", depth);
        if (moisture <= -5) {
            eg_frame_fault(r->frame, name, EG_Q_soil_moisture, channel, "-5");
            continue;
        }
        eg_frame_put(r->frame, name, EG_Q_soil_moisture, channel, "%", moisture);
        (void)snprintf(name, sizeof name, "soil_temperature_at_depth_%zu", depth);
        eg_frame_put(r->frame, name, EG_Q_soil_temp, channel, "Cel", temperature);
    }
}

static void put_group(const struct reader *r, enum model model, int group)
{
    if (group == models[model].battery) {
        put(r, "battery_voltage", EG_Q_voltage, "V", word(r, 0) / 1000);
        return;
    }
    switch (model) {
    case DL_5TM:
        put_5tm(r);
        return;
    case DL_LID:
        put(r, "distance_average", EG_Q_distance, "mm", word(r, 0));
        return;
    case DL_MBX:
        put(r, "distance", EG_Q_distance, "mm", word(r, 0));
        return;
    case DL_PHEHT:
        put_pheht(r);
        return;
    case DL_PM:
        put_pm(r, group);
        return;
    case DL_SMTP:
        put_smtp(r);
        return;
    default:
        put_trs12(r);
        return;
    }
}

enum eg_verdict eg_codec_decentlab(struct eg_frame *frame, unsigned which)
{
    struct reader reader = {.frame = frame, .at = HEAD};
    if (frame->length < HEAD + 2)
        return eg_frame_short(frame, HEAD + 2);
    if (frame->bytes[0] != 2)
        return REFUSE(frame->sink, EG_MALFORMED, "version %u; 2 is known", frame->bytes[0]);
    const unsigned flags = eg_frame_u16(frame, 3);
    for (int group = 0; group < GROUPS_MAX && models[which].words[group] > 0; group++) {
        const size_t bytes = (size_t)2 * models[which].words[group];
        if (!(flags >> group & 1))
            continue;
        if (reader.at + bytes > frame->length)
            return eg_frame_short(frame, reader.at + bytes);
        put_group(&reader, (enum model)which, group);
        reader.at += bytes;
    }
    return eg_frame_end(frame);
}
