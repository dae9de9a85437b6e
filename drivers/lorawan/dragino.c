/* Dragino LSE01 (soil), LDDS75 (distance), LSN50 v2 (what is wired to it). Fixed places, big-endian, on port 2. A DS18B20 that is not
 * there reads 327.67.
 *
 * http://wiki.dragino.com (user manuals, "Uplink Payload") */
#include "lorawan.h"

#include <ecogov/quantity.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define UPLINK_PORT 2
#define UNPLUGGED 32767

static enum eg_verdict check(struct eg_frame *frame, size_t least)
{
    if (frame->port != 0 && frame->port != UPLINK_PORT)
        return REFUSE(frame->sink, EG_NOT_MINE, "port %d carries no readings, port %d does", frame->port,
                      UPLINK_PORT);
    return frame->length < least ? eg_frame_short(frame, least) : EG_DECODED;
}

static void put_battery(struct eg_frame *frame)
{
    eg_frame_put(frame, "Bat", EG_Q_voltage, "", "V", (double)(eg_frame_u16(frame, 0) & 0x3fff) / 1000);
}

static void put_probe(struct eg_frame *frame, const char *name, const char *channel, size_t at, int quantity,
                      double per)
{
    const int number = eg_frame_i16(frame, at);
    if (number == UNPLUGGED || number == -1 || number == -32768)
        eg_frame_fault(frame, name, quantity, channel, "327.67");
    else
        eg_frame_put(frame, name, quantity, channel, "Cel", number / per);
}

enum eg_verdict eg_codec_dragino_lse01(struct eg_frame *frame, unsigned which)
{
    const enum eg_verdict verdict = check(frame, 11);
    (void)which;
    if (verdict != EG_DECODED)
        return verdict;
    put_battery(frame);
    put_probe(frame, "TempC_DS18B20", "", 2, EG_Q_temperature, 10);
    eg_frame_put(frame, "water_SOIL", EG_Q_soil_moisture, "", "%", eg_frame_u16(frame, 4) / 100.0);
    put_probe(frame, "temp_SOIL", "", 6, EG_Q_soil_temp, 100);
    eg_frame_put(frame, "conduct_SOIL", EG_Q_soil_ec, "", "uS/cm", eg_frame_u16(frame, 8));
    return eg_frame_end(frame);
}

enum eg_verdict eg_codec_dragino_ldds75(struct eg_frame *frame, unsigned which)
{
    const enum eg_verdict verdict = check(frame, 5);
    (void)which;
    if (verdict != EG_DECODED)
        return verdict;
    put_battery(frame);
    const unsigned distance = eg_frame_u16(frame, 2);
    if (distance == 0 || distance == 20) /* no sensor; nothing heard */
        eg_frame_fault(frame, "Distance", EG_Q_distance, "", distance == 0 ? "No Sensor" : "Invalid Reading");
    else
        eg_frame_put(frame, "Distance", EG_Q_distance, "", "mm", distance);
    if (frame->length >= 8 && frame->bytes[7] == 1) /* a DS18B20 is there */
        put_probe(frame, "TempC_DS18B20", "", 5, EG_Q_temperature, 10);
    return eg_frame_end(frame);
}

static void put_second(struct eg_frame *frame, unsigned mode)
{
    const unsigned word = eg_frame_u16(frame, 7), other = eg_frame_u16(frame, 9);
    switch (mode) {
    case 0: /* I2C: BH1750, or SHT */
        if (other == 0) {
            eg_frame_put(frame, "Illum", EG_Q_light, "", "lx", word);
        } else {
            put_probe(frame, "TempC_SHT", "sht", 7, EG_Q_temperature, 10);
            eg_frame_put(frame, "Hum_SHT", EG_Q_humidity, "", "%", other / 10.0);
        }
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
        eg_frame_put(frame, "Weight", EG_Q_weight, "", "g", eg_frame_i16(frame, 7));
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
    const unsigned mode = frame->bytes[6] >> 2 & 0x1f;
    if (mode != 2 && mode != 6) { /* those begin with something else */
        eg_frame_put(frame, "BatV", EG_Q_voltage, "", "V", eg_frame_u16(frame, 0) / 1000.0);
        put_probe(frame, "TempC1", "", 2, EG_Q_temperature, 10);
    }
    put_second(frame, mode);
    return eg_frame_end(frame);
}
