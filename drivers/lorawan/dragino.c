/* Dragino: LSE01 (soil), LSPH01 (its pH), LSNPK01 (its N, P, K), LDDS75 and LDDS20 (distance), LHT65 (air), LAQ4 (air indoors), LSN50 v2
 * (what is wired to it), WSC1-L (weather station). Fixed places, big-endian, on port 2; the weather station has type, length, value.
 *
 *   0ce6 00d6 0c35 074e 019c 10        LSE01: 3.302 V, DS18B20 21.4, water 31.25 %, soil 18.7 degC, 412 uS/cm
 *
 * A probe that is not there reads 7fff; of an SHT ffff, too.
 *
 * http://wiki.dragino.com (user manuals, "Uplink Payload"), https://github.com/dragino/dragino-end-node-decoder */
#include "lorawan.h"

#include <ecogov/quantity.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define UPLINK_PORT 2
#define UNPLUGGED 32767
#define NOTHING_HEARD 20 /* mm: what an ultrasonic sensor cannot see */
#define MANY 0x1f        /* the mode of a frame that is about settings */

static enum eg_verdict check(struct eg_frame *frame, size_t least)
{
    if (frame->port != 0 && frame->port != UPLINK_PORT)
        return REFUSE(frame->sink, EG_NOT_MINE, "port %d carries no readings, port %d does", frame->port,
                      UPLINK_PORT);
    return frame->length < least ? eg_frame_short(frame, least) : EG_DECODED;
}

static void put_battery(struct eg_frame *frame, const char *name, unsigned mask)
{
    eg_frame_put(frame, name, EG_Q_voltage, "", "V", (double)(eg_frame_u16(frame, 0) & mask) / 1000);
}

static void put_word(struct eg_frame *frame, const char *name, size_t at, int quantity, const char *unit,
                     double per)
{
    eg_frame_put(frame, name, quantity, "", unit, eg_frame_u16(frame, at) / per);
}

static void put_probe(struct eg_frame *frame, const char *name, const char *channel, size_t at, int quantity,
                      double per)
{
    const int number = eg_frame_i16(frame, at);
    if (number == UNPLUGGED || number == -32768)
        eg_frame_fault(frame, name, quantity, channel, "327.67");
    else
        eg_frame_put(frame, name, quantity, channel, "Cel", number / per);
}

/* --- soil --- */

enum { LSE01, LSPH01, LSNPK01 };

enum eg_verdict eg_codec_dragino_soil(struct eg_frame *frame, unsigned which)
{
    const enum eg_verdict verdict = check(frame, which == LSPH01 ? 9 : 11);
    if (verdict != EG_DECODED)
        return verdict;
    put_battery(frame, "Bat", 0x3fff);
    put_probe(frame, "TempC_DS18B20", "", 2, EG_Q_temperature, 10);
    if (which == LSPH01) {
        put_word(frame, "PH1_SOIL", 4, EG_Q_soil_ph, "1", 100);
        put_probe(frame, "TEMP_SOIL", "", 6, EG_Q_soil_temp, 10);
    } else if (which == LSNPK01) {
        put_word(frame, "N_SOIL", 4, EG_Q_soil_n, "mg/kg", 1);
        put_word(frame, "P_SOIL", 6, EG_Q_soil_p, "mg/kg", 1);
        put_word(frame, "K_SOIL", 8, EG_Q_soil_k, "mg/kg", 1);
    } else {
        put_word(frame, "water_SOIL", 4, EG_Q_soil_moisture, "%", 100);
        put_probe(frame, "temp_SOIL", "", 6, EG_Q_soil_temp, 100);
        put_word(frame, "conduct_SOIL", 8, EG_Q_soil_ec, "uS/cm", 1);
    }
    return eg_frame_end(frame);
}

/* --- bins --- */

enum eg_verdict eg_codec_dragino_ldds75(struct eg_frame *frame, unsigned which)
{
    const enum eg_verdict verdict = check(frame, 4);
    (void)which;
    if (verdict != EG_DECODED)
        return verdict;
    put_battery(frame, "Bat", 0x3fff);
    const unsigned distance = eg_frame_u16(frame, 2);
    if (distance <= NOTHING_HEARD)
        eg_frame_fault(frame, "Distance", EG_Q_distance, "", distance == 0 ? "No Sensor" : "Invalid Reading");
    else
        eg_frame_put(frame, "Distance", EG_Q_distance, "", "mm", distance);
    if (frame->length >= 8 && frame->bytes[7] == 1) /* a DS18B20 is there */
        put_probe(frame, "TempC_DS18B20", "", 5, EG_Q_temperature, 10);
    return eg_frame_end(frame);
}

/* --- air --- */

enum eg_verdict eg_codec_dragino_lht65(struct eg_frame *frame, unsigned which)
{
    const enum eg_verdict verdict = check(frame, 11);
    (void)which;
    if (verdict != EG_DECODED)
        return verdict;
    const unsigned outside = frame->bytes[6] & 0x0f;
    const bool unplugged = frame->bytes[6] & 0x80;
    if (frame->bytes[6] & 0x40)
        return REFUSE(frame->sink, EG_NOT_MINE, "an answer to a poll of what it has kept");
    if (outside == 0x0f)
        return REFUSE(frame->sink, EG_NOT_MINE, "the number of its probe, no readings");
    if (outside != 9)
        put_battery(frame, "BatV", 0x3fff);
    put_probe(frame, "TempC_SHT", "", 2, EG_Q_temperature, 100);
    eg_frame_put(frame, "Hum_SHT", EG_Q_humidity, "", "%", (eg_frame_u16(frame, 4) & 0x0fff) / 10.0);
    if ((outside == 1 || outside == 9) && unplugged)
        eg_frame_fault(frame, "TempC_DS", EG_Q_temperature, "probe", "Sensor no connection");
    else if (outside == 1 || outside == 9)
        put_probe(frame, "TempC_DS", "probe", outside == 1 ? 7 : 0, EG_Q_temperature, 100);
    else if (outside == 5)
        put_word(frame, "ILL_lx", 7, EG_Q_light, "lx", 1);
    return eg_frame_end(frame);
}

enum eg_verdict eg_codec_dragino_laq4(struct eg_frame *frame, unsigned which)
{
    const enum eg_verdict verdict = check(frame, 11);
    (void)which;
    if (verdict != EG_DECODED)
        return verdict;
    if ((frame->bytes[2] >> 2 & MANY) != 1)
        return REFUSE(frame->sink, EG_NOT_MINE, "its limits of alarm, no readings");
    put_battery(frame, "Bat_V", 0xffff);
    put_word(frame, "TVOC_ppb", 3, EG_Q_tvoc_ppb, "ppb", 1);
    put_word(frame, "CO2_ppm", 5, EG_Q_co2, "ppm", 1);
    put_probe(frame, "TempC_SHT", "", 7, EG_Q_temperature, 10);
    put_word(frame, "Hum_SHT", 9, EG_Q_humidity, "%", 10);
    return eg_frame_end(frame);
}

/* --- LSN50 --- */

static void put_i2c(struct eg_frame *frame) /* BH1750, or SHT */
{
    const unsigned word = eg_frame_u16(frame, 7), other = eg_frame_u16(frame, 9);
    if (other == 0) {
        eg_frame_put(frame, "Illum", EG_Q_light, "", "lx", word);
        return;
    }
    if (word == 0xffff)
        eg_frame_fault(frame, "TempC_SHT", EG_Q_temperature, "sht", "NULL");
    else
        put_probe(frame, "TempC_SHT", "sht", 7, EG_Q_temperature, 10);
    if (other == 0xffff)
        eg_frame_fault(frame, "Hum_SHT", EG_Q_humidity, "sht", "NULL");
    else
        eg_frame_put(frame, "Hum_SHT", EG_Q_humidity, "", "%", other / 10.0);
}

static void put_wired(struct eg_frame *frame, unsigned mode)
{
    const unsigned word = eg_frame_u16(frame, 7), other = eg_frame_u16(frame, 9);
    const uint32_t weight = (uint32_t)other << 16 | word;
    switch (mode) {
    case 0:
    case 2:
        put_i2c(frame);
        return;
    case 1: /* LIDAR or ultrasonic */
        if (word == 65535 || word == 0)
            eg_frame_fault(frame, "Distance_cm", EG_Q_distance, "", "no echo");
        else
            eg_frame_put(frame, "Distance_cm", EG_Q_distance, "", "cm", word / 10.0);
        return;
    case 3: /* three DS18B20 */
        put_probe(frame, "TempC2", "2", 7, EG_Q_temperature, 10);
        put_probe(frame, "TempC3", "3", 9, EG_Q_temperature, 10);
        return;
    case 4:
        eg_frame_put(frame, "Weight", EG_Q_weight, "", "g", (double)(int32_t)weight);
        return;
    case 5:
        eg_frame_put(frame, "Count", EG_QUANTITY_NONE, "", NULL, (double)((uint32_t)word << 16 | other));
        return;
    case 8:
        put_probe(frame, "TempC2", "2", 4, EG_Q_temperature, 10);
        put_probe(frame, "TempC3", "3", 7, EG_Q_temperature, 10);
        return;
    default:
        return;
    }
}

enum eg_verdict eg_codec_dragino_lsn50(struct eg_frame *frame, unsigned which)
{
    const enum eg_verdict verdict = check(frame, 11);
    (void)which;
    if (verdict != EG_DECODED)
        return verdict;
    const unsigned mode = frame->bytes[6] >> 2 & MANY;
    if (mode == MANY)
        return REFUSE(frame->sink, EG_NOT_MINE, "its limits of alarm, no readings");
    if (mode == 2 && frame->length > 11) { /* begins with three voltages */
        eg_frame_put(frame, "BatV", EG_Q_voltage, "", "V", frame->bytes[11] / 10.0);
    } else if (mode != 2) {
        put_battery(frame, "BatV", 0xffff);
        put_probe(frame, "TempC1", "", 2, EG_Q_temperature, 10);
    }
    put_wired(frame, mode);
    return eg_frame_end(frame);
}

/* --- WSC1-L --- */

static const struct sensor {
    uint8_t type;
    double per;
    const char *name;
    int quantity;
    const char *unit;
} sensors[] = {
    {0x00, 30, "bat", EG_Q_voltage, "V"},
    {0x01, 10, "wind_speed", EG_Q_wind_speed, "m/s"},
    {0x02, 10, "wind_direction_angle", EG_Q_wind_dir, "deg"},
    {0x03, 0.1, "illumination", EG_Q_light, "lx"},
    {0x05, 1, "CO2", EG_Q_co2, "ppm"},
    {0x06, 10, "TEM", EG_Q_temperature, "Cel"},
    {0x07, 10, "HUM", EG_Q_humidity, "%"},
    {0x08, 10, "pressure", EG_Q_pressure, "hPa"},
    {0x09, 10, "rain_gauge", EG_QUANTITY_NONE, NULL}, /* what it counts from is set in the station */
    {0x0a, 1, "PM2_5", EG_Q_pm25, "ug/m3"},
    {0x0b, 1, "PM10", EG_Q_pm10, "ug/m3"},
    {0x0c, 1, "PAR", EG_QUANTITY_NONE, NULL},
    {0x0d, 10, "TSR", EG_Q_solar, "W/m2"},
    {0xa1, 1, "A1", EG_QUANTITY_NONE, NULL},
    {0xa2, 1, "A2", EG_QUANTITY_NONE, NULL},
    {0xa3, 1, "A3", EG_QUANTITY_NONE, NULL},
    {0xa4, 1, "A4", EG_QUANTITY_NONE, NULL},
};

enum eg_verdict eg_codec_dragino_wsc1(struct eg_frame *frame, unsigned which)
{
    const enum eg_verdict verdict = check(frame, 4);
    size_t at = 0;
    (void)which;
    if (verdict != EG_DECODED)
        return verdict;
    while (at + 2 <= frame->length && at + 2 + frame->bytes[at + 1] <= frame->length) {
        for (size_t i = 0; i < sizeof sensors / sizeof *sensors; i++)
            if (sensors[i].type == frame->bytes[at] && frame->bytes[at + 1] >= 2)
                eg_frame_put(frame, sensors[i].name, sensors[i].quantity, "", sensors[i].unit,
                             eg_frame_i16(frame, at + 2) < 0 && sensors[i].type != 0x06
                                 ? eg_frame_u16(frame, at + 2) / sensors[i].per
                                 : eg_frame_i16(frame, at + 2) / sensors[i].per);
        at += 2 + (size_t)frame->bytes[at + 1];
    }
    return eg_frame_end(frame);
}
