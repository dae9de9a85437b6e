/* Cayenne Low Power Payload: channel, type, value, over and over. Big-endian, of fixed scale.
 *
 *   03 67 01 10   05 67 ff d7      temperature on channel 3 is 27.2, on 5 -4.1 degC
 *
 * The type says how long the value is, so a type that is not known ends the frame: what stood before it counts. A name is the type and
 * the channel ("temperature_3"), as others call it; the channel of the reading is the number, where it is not 0 or the only one.
 *
 * https://docs.mydevices.com/docs/lorawan/cayenne-lpp  Extended types: https://github.com/ElectronicCats/CayenneLPP */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <stdio.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

static const struct type {
    uint8_t number, bytes; /* of the whole value */
    bool is_signed;
    double scale;
    const char *name;
    int quantity;
    const char *unit;
} types[] = {
    {0, 1, false, 1, "digital_in", EG_QUANTITY_NONE, NULL},
    {1, 1, false, 1, "digital_out", EG_QUANTITY_NONE, NULL},
    {2, 2, true, 0.01, "analog_in", EG_QUANTITY_NONE, NULL},
    {3, 2, true, 0.01, "analog_out", EG_QUANTITY_NONE, NULL},
    {100, 4, false, 1, "generic", EG_QUANTITY_NONE, NULL},
    {101, 2, false, 1, "luminosity", EG_Q_light, "lx"},
    {102, 1, false, 1, "presence", EG_QUANTITY_NONE, NULL},
    {103, 2, true, 0.1, "temperature", EG_Q_temperature, "Cel"},
    {104, 1, false, 0.5, "relative_humidity", EG_Q_humidity, "%"},
    {113, 6, true, 0.001, "accelerometer", EG_QUANTITY_NONE, NULL},
    {115, 2, false, 0.1, "barometric_pressure", EG_Q_pressure, "hPa"},
    {116, 2, false, 0.01, "voltage", EG_Q_voltage, "V"},
    {117, 2, false, 0.001, "current", EG_QUANTITY_NONE, NULL},
    {118, 4, false, 1, "frequency", EG_QUANTITY_NONE, NULL},
    {120, 1, false, 1, "percentage", EG_QUANTITY_NONE, NULL},
    {121, 2, true, 1, "altitude", EG_QUANTITY_NONE, NULL},
    {122, 3, false, 0.001, "load", EG_Q_weight, "kg"}, /* signed in some makes; a bin's is not */
    {125, 2, false, 1, "concentration", EG_QUANTITY_NONE, NULL},
    {128, 2, false, 1, "power", EG_QUANTITY_NONE, NULL},
    {130, 4, false, 0.001, "distance", EG_Q_distance, "m"},
    {131, 4, false, 0.001, "energy", EG_QUANTITY_NONE, NULL},
    {132, 2, false, 1, "direction", EG_Q_wind_dir, "deg"},
    {133, 4, false, 1, "unixtime", EG_QUANTITY_NONE, NULL},
    {134, 6, true, 0.01, "gyrometer", EG_QUANTITY_NONE, NULL},
    {135, 3, false, 1, "colour", EG_QUANTITY_NONE, NULL},
    {136, 9, true, 1, "gps", EG_QUANTITY_NONE, NULL},
    {142, 1, false, 1, "switch", EG_QUANTITY_NONE, NULL},
};

static const struct type *type_of(uint8_t number)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].number == number)
            return &types[i];
    return NULL;
}

static void put(struct eg_frame *frame, const struct type *type, uint8_t channel, const uint8_t *bytes)
{
    char name[40], number[8];
    uint32_t value = 0;
    if (type->bytes > 4)
        return; /* three axes, a position */
    for (int i = 0; i < type->bytes; i++)
        value = value << 8 | bytes[i];
    double real = value;
    if (type->is_signed && value >> (8 * type->bytes - 1))
        real -= (double)(UINT64_C(1) << (8 * type->bytes));
    /* value / 10, not value * 0.1: 27.2, and not 27.200000000000003 */
    real = type->scale < 1 ? real / (double)(int)(1 / type->scale + 0.5) : real;
    (void)snprintf(name, sizeof name, "%s_%u", type->name, channel);
    (void)snprintf(number, sizeof number, "%u", channel);
    eg_frame_put(frame, name, type->quantity, channel == 0 ? "" : number, type->unit, real);
}

enum eg_verdict eg_codec_cayenne(struct eg_frame *frame, unsigned which)
{
    size_t at = 0;
    (void)which;
    while (at + 2 <= frame->length && !frame->refused) {
        const struct type *type = type_of(frame->bytes[at + 1]);
        if (type == NULL || at + 2 + type->bytes > frame->length)
            break;
        put(frame, type, frame->bytes[at], frame->bytes + at + 2);
        at += 2 + (size_t)type->bytes;
    }
    if (at == 0)
        return REFUSE(frame->sink, EG_MALFORMED,
                      frame->length < 2 ? "too short for Cayenne LPP: %zu bytes"
                                        : "no Cayenne LPP: the first type is not known, in %zu bytes",
                      frame->length);
    return eg_frame_end(frame);
}
