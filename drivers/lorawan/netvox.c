/* Netvox RA07, R72615 and their kin: version, device type, report type, battery (0.1 V, 0: mains), then three words by the report type.
 * 0xffff: there is no such sensor.
 *
 * Netvox LoRaWAN Application Command, "RA07 Series"; https://github.com/TheThingsNetwork/lorawan-devices vendor/netvox */
#include "lorawan.h"

#include <ecogov/quantity.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define UPLINK_PORT 6
#define NONE 0xffff
#define ANSWER 0x80 /* where a report has its version */

static const struct word {
    uint8_t report, at; /* report type, first byte */
    bool is_signed;
    double per;
    const char *name;
    int quantity;
    const char *unit;
} words[] = {
    {0x01, 4, false, 1, "PM1_0_CF1", EG_Q_pm1, "ug/m3"}, /* as in a factory, not as in the open */
    {0x01, 6, false, 1, "PM2_5_CF1", EG_Q_pm25, "ug/m3"},
    {0x01, 8, false, 1, "PM10_CF1", EG_Q_pm10, "ug/m3"},
    {0x02, 4, false, 1, "PM1_0", EG_Q_pm1, "ug/m3"},
    {0x02, 6, false, 1, "PM2_5", EG_Q_pm25, "ug/m3"},
    {0x02, 8, false, 1, "PM10", EG_Q_pm10, "ug/m3"},
    {0x05, 4, false, 10, "O3", EG_Q_o3, "ppm"},
    {0x05, 6, false, 10, "CO", EG_Q_co, "ppm"},
    {0x05, 8, false, 10, "NO", EG_Q_no, "ppm"},
    {0x06, 4, false, 10, "NO2", EG_Q_no2, "ppm"},
    {0x06, 6, false, 10, "SO2", EG_Q_so2, "ppm"},
    {0x06, 8, false, 10, "H2S", EG_Q_h2s, "ppm"},
    {0x07, 4, false, 10, "CO2", EG_Q_co2, "ppm"},
    {0x07, 6, false, 10, "NH3", EG_Q_nh3, "ppm"},
    {0x07, 8, false, 10, "Noise", EG_Q_noise, "dB"},
    {0x08, 4, false, 100, "PH", EG_Q_ph, "1"},
    {0x08, 6, true, 100, "TempPH", EG_Q_water_temp, "Cel"},
    {0x08, 8, true, 1, "ORP", EG_Q_orp, "mV"},
    {0x09, 4, false, 10, "NTU", EG_Q_turbidity, "NTU"},
    {0x09, 6, true, 100, "TempNTU", EG_Q_water_temp, "Cel"},
    {0x09, 8, false, 100, "EC5SoildHumi", EG_Q_soil_moisture, "%"},
    {0x0a, 4, false, 100, "SoildHumi5TE", EG_Q_soil_moisture, "%"},
    {0x0a, 6, true, 100, "SoildTemp5TE", EG_Q_soil_temp, "Cel"},
    {0x0a, 8, false, 1, "WaterLevel", EG_Q_level, "mm"},
    {0x0b, 4, true, 100, "TempLDO", EG_Q_water_temp, "Cel"},
    {0x0b, 6, false, 100, "LDO_DO", EG_Q_dissolved_oxygen, "mg/L"},
    {0x0b, 8, false, 10, "LDO_Sat", EG_QUANTITY_NONE, NULL},
    {0x0c, 4, true, 100, "Temperature", EG_Q_temperature, "Cel"},
    {0x0c, 6, false, 100, "Humidity", EG_Q_humidity, "%"},
    {0x0c, 8, false, 100, "WindSpeed", EG_Q_wind_speed, "m/s"},
    {0x0d, 4, false, 1, "WindDirection", EG_Q_wind_dir, "deg"},
    {0x0e, 4, false, 10, "VOC", EG_Q_tvoc_ppb, "ppm"},
};

enum eg_verdict eg_codec_netvox_ra07(struct eg_frame *frame, unsigned which)
{
    (void)which;
    if (frame->port != 0 && frame->port != UPLINK_PORT)
        return REFUSE(frame->sink, EG_NOT_MINE, "port %d carries no readings, port %d does", frame->port,
                      UPLINK_PORT);
    if (frame->length < 11)
        return eg_frame_short(frame, 11);
    if (frame->bytes[0] & ANSWER)
        return REFUSE(frame->sink, EG_NOT_MINE, "an answer about settings, no readings");
    const uint8_t report = frame->bytes[2];
    if (report == 0)
        return REFUSE(frame->sink, EG_NOT_MINE, "a report of versions, no readings");
    eg_frame_put(frame, "Volt", EG_Q_voltage, "", "V", (frame->bytes[3] & 0x7f) / 10.0);
    if (report == 0x0d) { /* the one with a double word: hundredths of a millibar */
        const double hundredths = (double)eg_frame_u16(frame, 6) * 65536 + eg_frame_u16(frame, 8);
        eg_frame_put(frame, "Atomsphere", EG_Q_pressure, "", "hPa", hundredths / 100);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const struct word *word = &words[i];
        if (word->report != report)
            continue;
        const unsigned raw = eg_frame_u16(frame, word->at);
        const char *channel = report == 0x01 ? "cf1" : "";
        if (raw == NONE)
            eg_frame_fault(frame, word->name, word->quantity, channel, "NoSensor");
        else
            eg_frame_put(frame, word->name, word->quantity, channel, word->unit,
                         (word->is_signed ? eg_frame_i16(frame, word->at) : (int)raw) / word->per);
    }
    return eg_frame_end(frame);
}
