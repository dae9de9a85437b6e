/* Small makers whose devices say little: teneo (filling of bins, soil, CO2) and MCLIMATE (air indoors, temperature and humidity).
 *
 *   0e 0078                     teneo: battery 3.4 V, distance 120
 *   01 07a04d034bc8aa2bd6       MCLIMATE AQI: bits, one after the other
 *
 * teneo's distance is in centimetres, if its makers' page is right; else say so in fields: {path: distance, quantity: distance, unit: mm}.
 *
 * https://github.com/TheThingsNetwork/lorawan-devices vendor/teneo-iot, vendor/mclimate */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <stdio.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

/* --- teneo --- */

enum teneo { FILLING, CO2_LIGHT, SOIL };

static void put_bin(struct eg_frame *frame)
{
    char mark[16];
    const size_t length = frame->length;
    const bool combined = length == 4 || length == 8; /* a status stands behind the distance */
    const unsigned status = combined ? frame->bytes[3] : length == 2 ? frame->bytes[1] : 0;
    const size_t climate = combined ? 4 : 3;
    (void)snprintf(mark, sizeof mark, "error %u", status);
    if (status != 0 || length == 2)
        eg_frame_fault(frame, "distance", EG_Q_distance, "", status == 4 ? "-1" : mark);
    else if (length >= 3)
        eg_frame_put(frame, "distance", EG_Q_distance, "", "cm", eg_frame_u16(frame, 1));
    if (length == 7 || length == 8) {
        eg_frame_put(frame, "temperature", EG_Q_bin_temp, "", "Cel", eg_frame_i16(frame, climate) / 100.0);
        eg_frame_put(frame, "relativeHumidity", EG_Q_humidity, "", "%",
                     eg_frame_u16(frame, climate + 2) / 100.0);
    }
}

static void put_light(struct eg_frame *frame)
{
    const double co2 = (double)eg_frame_u16(frame, 2) * 65536 + eg_frame_u16(frame, 4);
    const int temperature = eg_frame_i16(frame, 6);
    eg_frame_put(frame, "co2", EG_Q_co2, "", "ppm", co2 / 100);
    if (temperature == 32767)
        eg_frame_fault(frame, "temperature", EG_Q_temperature, "", "no temp");
    else
        eg_frame_put(frame, "temperature", EG_Q_temperature, "", "Cel", temperature / 100.0);
    eg_frame_put(frame, "relativeHumidity", EG_Q_humidity, "", "%", eg_frame_u16(frame, 8) / 100.0);
}

enum eg_verdict eg_codec_teneo(struct eg_frame *frame, unsigned which)
{
    const size_t least = which == CO2_LIGHT ? 10 : 2;
    if (frame->port == 3 || (frame->port == 223 && which == CO2_LIGHT))
        return REFUSE(frame->sink, EG_NOT_MINE, "a status on port %d, no readings", frame->port);
    if (frame->length < least)
        return eg_frame_short(frame, least);
    const unsigned battery = which == CO2_LIGHT ? frame->bytes[0] & 0x0fU : frame->bytes[0];
    eg_frame_put(frame, "battery", EG_Q_voltage, "", "V", 2 + battery / 10.0);
    if (which == FILLING)
        put_bin(frame);
    else if (which == CO2_LIGHT)
        put_light(frame);
    else {
        eg_frame_put(frame, "moisture", EG_Q_soil_moisture, "", "%", frame->bytes[1]);
        if (frame->length >= 6)
            eg_frame_put(frame, "temperature", EG_Q_soil_temp, "", "Cel", eg_frame_i16(frame, 2) / 100.0);
    }
    return eg_frame_end(frame);
}

/* --- MCLIMATE --- */

enum mclimate { AQI, CO2, HT };

static double bits(const struct eg_frame *frame, size_t from, size_t count)
{
    unsigned value = 0;
    for (size_t i = from; i < from + count; i++)
        value = value << 1 | (frame->bytes[i / 8] >> (7 - i % 8) & 1);
    return value;
}

static void put_aqi(struct eg_frame *frame)
{
    eg_frame_put(frame, "sAQI", EG_QUANTITY_NONE, "", NULL, bits(frame, 8, 9) * 16);
    eg_frame_put(frame, "AQI", EG_QUANTITY_NONE, "", NULL, bits(frame, 17, 5) * 16);
    eg_frame_put(frame, "CO2eq", EG_Q_co2, "estimate", "ppm", bits(frame, 22, 10) * 32);
    eg_frame_put(frame, "VOC", EG_QUANTITY_NONE, "", NULL, bits(frame, 32, 8) * 4);
    eg_frame_put(frame, "relative_humidity", EG_Q_humidity, "", "%", bits(frame, 40, 8) * 4 / 10);
    eg_frame_put(frame, "pressure", EG_Q_pressure, "", "hPa", (bits(frame, 48, 11) * 40 + 30000) / 100);
    eg_frame_put(frame, "temperature", EG_Q_temperature, "", "Cel", (bits(frame, 60, 10) - 400) / 10);
    eg_frame_put(frame, "voltage", EG_Q_voltage, "", "mV", bits(frame, 72, 8) * 8 + 1600);
}

/* An answer to a command stands before the usual report, which is the frame's end. */
enum eg_verdict eg_codec_mclimate(struct eg_frame *frame, unsigned which)
{
    const size_t whole = which == AQI ? 10 : 7;
    const bool report = frame->length > 0 && frame->bytes[0] == 1;
    const size_t least = report && which == HT ? 5 : whole; /* a short one leaves out the outer probe */
    if (frame->length < least)
        return eg_frame_short(frame, least);
    if (!report) {
        frame->bytes += frame->length - whole;
        frame->length = whole;
    }
    if (which == AQI) {
        put_aqi(frame);
    } else if (which == CO2) {
        eg_frame_put(frame, "CO2", EG_Q_co2, "", "ppm", eg_frame_u16(frame, 1));
        eg_frame_put(frame, "sensorTemperature", EG_Q_temperature, "", "Cel",
                     (eg_frame_u16(frame, 3) - 400.0) / 10);
        eg_frame_put(frame, "relativeHumidity", EG_Q_humidity, "", "%", frame->bytes[5] * 100 / 256.0);
        eg_frame_put(frame, "batteryVoltage", EG_Q_voltage, "", "V", (frame->bytes[6] * 8 + 1600) / 1000.0);
    } else {
        eg_frame_put(frame, "sensorTemperature", EG_Q_temperature, "", "Cel",
                     (eg_frame_u16(frame, 1) - 400.0) / 10);
        eg_frame_put(frame, "relativeHumidity", EG_Q_humidity, "", "%", frame->bytes[3] * 100 / 256.0);
        eg_frame_put(frame, "batteryVoltage", EG_Q_voltage, "", "V", 2 + (frame->bytes[4] >> 4) / 10.0);
    }
    return eg_frame_end(frame);
}
