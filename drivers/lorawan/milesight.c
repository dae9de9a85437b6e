/* Milesight (EM300, EM310, EM320, EM400, EM500, AM100, AM300, GS, WTS series): channel, type, value; little-endian. The type says what
 * follows, the channel tells CO2 from particles where the type is only "a number".
 *
 *   01 75 5c   03 82 44 08   04 00 01                        battery 92 %, distance 2116 mm, upright
 *   20 ce 9e744663 1001 5d 00                                 what the device had kept: time, temperature 27.2 degC, humidity 46.5 %
 *
 * Records of the history (20 or 21 ce) have no marks of their own: which values follow, the model says, hence a codec of a model's name. A
 * frame that has conductivity (7f) is a soil probe's, whatever the codec: its 68 is water and its 67 the soil's temperature. EM400
 * are for bins. What is not known ends the frame. ffff, fffd and 7fff: not connected, out of range.
 *
 * https://github.com/Milesight-IoT/SensorDecoders (the tables in its READMEs) */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define ANY 0
#define HISTORY 0xce
#define STAMP 4 /* bytes of a record's time */

/* The variant. */
enum model {
    FAMILY,
    SMTC,
    EM400,
    EM300,
    AM107,
    AM307,
    AM308,
    AM319_HCHO,
    AM319_O3,
    CO2,
    UDL,
    SWL,
    LGT,
    PT100,
    WTS,
    GS301,
    MODELS
};

enum form { U8, I16, U16, U32, SKIP };
struct kind { /* of value */
    enum form form;
    double per; /* value = number / per */
    const char *name;
    int quantity;
    const char *unit;
};
static const struct kind battery = {U8, 1, "battery", EG_Q_battery, "%"},
                         temperature = {I16, 10, "temperature", EG_Q_temperature, "Cel"},
                         humidity = {U8, 2, "humidity", EG_Q_humidity, "%"},
                         wide_humidity = {U16, 2, "humidity", EG_Q_humidity, "%"},
                         moisture = {U16, 100, "moisture", EG_Q_soil_moisture, "%"},
                         conductivity = {U16, 1, "ec", EG_Q_soil_ec, "uS/cm"},
                         distance = {U16, 1, "distance", EG_Q_distance, "mm"},
                         pressure = {U16, 10, "pressure", EG_Q_pressure, "hPa"},
                         illumination = {U32, 1, "illumination", EG_Q_light, "lx"},
                         short_illumination = {U16, 1, "illumination", EG_Q_light, "lx"},
                         level_of_light = {U8, 1, "light_level", EG_QUANTITY_NONE, NULL},
                         activity = {U16, 1, "activity", EG_QUANTITY_NONE, NULL},
                         depth = {U16, 1, "depth", EG_Q_level, "cm"}, co2 = {U16, 1, "co2", EG_Q_co2, "ppm"},
                         tvoc = {U16, 1, "tvoc", EG_QUANTITY_NONE, NULL}, /* an index, or ppb, by the model */
    tvoc_ppb = {U16, 1, "tvoc", EG_Q_tvoc_ppb, "ppb"}, tvoc_mass = {U16, 1, "tvoc", EG_Q_tvoc, "ug/m3"},
                         hcho = {U16, 100, "hcho", EG_Q_hcho, "mg/m3"},
                         pm25 = {U16, 1, "pm2_5", EG_Q_pm25, "ug/m3"},
                         pm10 = {U16, 1, "pm10", EG_Q_pm10, "ug/m3"}, o3 = {U16, 100, "o3", EG_Q_o3, "ppm"},
                         state = {U8, 1, "state", EG_QUANTITY_NONE, NULL}, /* tilt, leak, movement, door */
    beep = {U8, 1, "beep", EG_QUANTITY_NONE, NULL}, counter = {U32, 1, "counter", EG_QUANTITY_NONE, NULL},
                         nh3 = {U16, 100, "nh3", EG_Q_nh3, "ppm"}, h2s = {U16, 100, "h2s", EG_Q_h2s, "ppm"},
                         fine_h2s = {U16, 1000, "h2s", EG_Q_h2s, "ppm"},
                         direction = {U16, 10, "wind_direction", EG_Q_wind_dir, "deg"},
                         wind = {U16, 10, "wind_speed", EG_Q_wind_speed, "m/s"},
                         sound = {U16, 10, "LAeq", EG_Q_noise, "dB"},
                         /* what they count from is not said */
    rain_total = {U16, 100, "rainfall_total", EG_QUANTITY_NONE, NULL},
                         wide_rain_total = {U32, 100, "rainfall_total", EG_QUANTITY_NONE, NULL},
                         pipe = {U16, 1, "pressure", EG_QUANTITY_NONE, NULL}, /* in a pipe */
    skipped = {SKIP, 1, "", 0, NULL};

static const struct entry {
    uint8_t channel, type, bytes; /* channel 0: any; bytes of the whole value */
    const struct kind *kind;
    enum model model; /* FAMILY: of all */
    uint8_t at;       /* where ours begins in the value */
} entries[] = {
    {0x04, 0x7d, 2, &nh3, GS301, 0},
    {0x05, 0x7d, 2, &h2s, GS301, 0},
    {0x06, 0x7d, 2, &fine_h2s, GS301, 0},
    {0x07, 0xea, 5, &skipped, GS301, 0}, /* what a calibration came to */
    {0x08, 0x77, 3, &rain_total, WTS, 0},
    {0x08, 0xec, 5, &wide_rain_total, FAMILY, 0},
    {ANY, 0x84, 2, &direction, FAMILY, 0},
    {ANY, 0x92, 2, &wind, FAMILY, 0},
    {ANY, 0x5b, 7, &sound, FAMILY, 3}, /* weight, now, mean, largest */
    {ANY, 0x7b, 2, &pipe, FAMILY, 0},
    {ANY, 0xe1, 8, &skipped, FAMILY, 0},   /* pulses as water */
    {0x94, 0x82, 4, &distance, FAMILY, 0}, /* and how much it has jumped; then the alarm's byte */
    {0x83, 0xe9, 4, &distance, FAMILY, 0},
    {0xb3, 0x67, 0, &skipped, FAMILY,
     0}, /* it could not be measured, or lies out of range: the byte behind says which */
    {0xb4, 0x68, 0, &skipped, FAMILY, 0},
    {0xb6, 0xcb, 0, &skipped, FAMILY, 0},
    {0xb6, 0x9d, 0, &skipped, FAMILY, 0},
    {0x05, 0x9f, 2, &skipped, FAMILY, 0}, /* how often somebody moved */
    {0x06, 0x9d, 2, &short_illumination, FAMILY, 0},
    {ANY, 0x75, 1, &battery, FAMILY, 0},
    {ANY, 0x67, 2, &temperature, FAMILY, 0},
    {ANY, 0x68, 1, &humidity, FAMILY, 0},
    {ANY, 0xca, 2, &moisture, FAMILY, 0},
    {ANY, 0x7f, 2, &conductivity, FAMILY, 0},
    {ANY, 0x82, 2, &distance, FAMILY, 0},
    {ANY, 0x73, 2, &pressure, FAMILY, 0},
    {ANY, 0x94, 4, &illumination, FAMILY, 0},
    {ANY, 0xcb, 1, &level_of_light, FAMILY, 0},
    {ANY, 0x65, 6, &short_illumination, FAMILY, 0}, /* then infrared and both */
    {ANY, 0x6a, 2, &activity, FAMILY, 0},
    {ANY, 0x77, 2, &depth, FAMILY, 0},
    {ANY, 0xe6, 2, &tvoc_mass, FAMILY, 0},
    {0x05, 0x7d, 2, &co2, FAMILY, 0}, /* EM500-CO2 */
    {0x03, 0x7d, 2, &co2, FAMILY, 0},
    {0x07, 0x7d, 2, &co2, FAMILY, 0},
    {0x08, 0x7d, 2, &tvoc, FAMILY, 0},
    {0x0a, 0x7d, 2, &hcho, FAMILY, 0},
    {0x0b, 0x7d, 2, &pm25, FAMILY, 0},
    {0x0c, 0x7d, 2, &pm10, FAMILY, 0},
    {0x0d, 0x7d, 2, &o3, FAMILY, 0},
    {ANY, 0x00, 1, &state, FAMILY, 0},
    {ANY, 0x01, 1, &beep, FAMILY, 0},
    {ANY, 0xc8, 4, &counter, FAMILY, 0},
    {ANY, 0xc7, 2, &skipped, FAMILY, 0},  /* how strong a radar's echo is */
    {ANY, 0xd4, 7, &skipped, FAMILY, 0},  /* angles of EM310-TILT */
    {ANY, 0x88, 9, &skipped, FAMILY, 0},  /* where it is */
    {0xff, 0x01, 1, &skipped, FAMILY, 0}, /* what the device says of itself */
    {0xff, 0x0b, 1, &skipped, FAMILY, 0},
    {0xff, 0x09, 2, &skipped, FAMILY, 0},
    {0xff, 0x0a, 2, &skipped, FAMILY, 0},
    {0xff, 0x0f, 1, &skipped, FAMILY, 0},
    {0xff, 0x16, 8, &skipped, FAMILY, 0},
    {0xff, 0xff, 2, &skipped, FAMILY, 0},
    {0xff, 0xfe, 1, &skipped, FAMILY, 0},
    {0x83, 0xd7, 4, &temperature, FAMILY, 0}, /* and how much it has jumped; then the alarm's byte */
};

/* A record of the history: its values in their order behind the time, up to a NULL; `bytes` of the whole. */
static const struct record {
    uint8_t bytes;
    const struct kind *kinds[10];
} records[MODELS] = {
    [SMTC] = {10, {&conductivity, &temperature, &moisture}},
    [EM300] = {8, {&temperature, &humidity}},
    [AM107] = {0, {NULL}},
    [AM307] = {16, {&temperature, &wide_humidity, &state, &level_of_light, &co2, &tvoc, &pressure}},
    [AM308] = {20,
               {&temperature, &wide_humidity, &state, &level_of_light, &co2, &tvoc, &pressure, &pm25, &pm10}},
    [AM319_HCHO] = {22,
                    {&temperature, &wide_humidity, &state, &level_of_light, &co2, &tvoc, &pressure, &pm25,
                     &pm10, &hcho}},
    [AM319_O3] = {22,
                  {&temperature, &wide_humidity, &state, &level_of_light, &co2, &tvoc, &pressure, &pm25,
                   &pm10, &o3}},
    [CO2] = {11, {&co2, &pressure, &temperature, &humidity}},
    [UDL] = {6, {&distance}},
    [SWL] = {6, {&depth}},
    [LGT] = {8, {&illumination}},
    [PT100] = {6, {&temperature}},
    [WTS] = {15, {&temperature, &humidity, &pressure, &direction, &wind, &rain_total}},
};

struct reader {
    struct eg_frame *frame;
    enum model model;
    bool history_skipped;
};

static size_t width(const struct kind *kind)
{
    return kind->form == U8 ? 1 : kind->form == U32 ? 4 : 2;
}

static double number_of(const struct kind *kind, const uint8_t *b)
{
    switch (kind->form) {
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

static void put(struct reader *reader, const struct kind *kind, const uint8_t *bytes)
{
    const double number = kind->form == SKIP ? 0 : number_of(kind, bytes);
    int quantity = kind->quantity;
    const char *name = kind->name, *unit = kind->unit;
    if (kind->form == SKIP)
        return;
    if (reader->model == EM400 && quantity == EG_Q_temperature)
        quantity = EG_Q_bin_temp;
    if (reader->model == SMTC && quantity == EG_Q_temperature)
        quantity = EG_Q_soil_temp;
    if (reader->model == SMTC && quantity == EG_Q_humidity) {
        name = "moisture";
        quantity = EG_Q_soil_moisture;
    }
    if (kind == &tvoc && reader->model == AM107) {
        quantity = tvoc_ppb.quantity;
        unit = tvoc_ppb.unit;
    }
    const bool probe =
        reader->model == SMTC && (number == -1 || number == -3); /* elsewhere -0.1 degrees are a value */
    if ((kind->form == I16 && (number == 32767 || number == -32768 || probe)) ||
        (kind->form == U16 && number >= 65533)) { /* not connected, warming up, out of range */
        eg_frame_fault(reader->frame, name, quantity, "", number < 0 ? "-1" : "65535");
        return;
    }
    eg_frame_put(reader->frame, name, quantity, "", unit, number / kind->per);
}

/* --- entries --- */

/* Alarms carry the same value behind a channel of 0x80 more, and a byte that says which alarm. */
static const struct entry *entry_of(enum model model, uint8_t channel, uint8_t type, bool *ret_alarm)
{
    const bool info = channel == 0xff;
    *ret_alarm = !info && channel >= 0x80;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        const struct entry *entry = &entries[i];
        const bool own =
            entry->channel == channel || entry->channel == (*ret_alarm ? channel - 0x80 : channel);
        if (entry->type == type && (own || (entry->channel == ANY && !info)) &&
            (entry->model == FAMILY || entry->model == model))
            return entry;
    }
    return NULL;
}

/* Without its last byte, which is reserved (EM320): the frame, or another record, stands right behind it. */
static bool is_short(const uint8_t *bytes, size_t left, size_t whole)
{
    return left == whole - 1 || (left > whole && bytes[whole - 1] == 0x20 && bytes[whole] == HISTORY);
}

/* Bytes behind the two marks; 0: the frame ends here. A record keeps its own time. */
static size_t read_record(struct reader *reader, const uint8_t *bytes, size_t left, bool second)
{
    const struct record *record = &records[reader->model]; /* 21 ce: TVOC by mass; rain in two words */
    const size_t whole = record->bytes + (second && reader->model == WTS ? 2U : 0U) -
                         (reader->model == EM300 && is_short(bytes, left, record->bytes) ? 1U : 0U);
    const int64_t before = reader->frame->time_ms;
    size_t at = STAMP;
    if (record->bytes == 0 || whole > left) {
        reader->history_skipped = true;
        return 0;
    }
    reader->frame->time_ms = (int64_t)number_of(&illumination, bytes) * 1000;
    for (size_t i = 0; i < sizeof record->kinds / sizeof *record->kinds && record->kinds[i] != NULL; i++) {
        put(reader, second && record->kinds[i] == &tvoc ? &tvoc_mass : record->kinds[i], bytes + at);
        at += width(record->kinds[i]);
    }
    reader->frame->time_ms = before;
    return whole;
}

/* How far the frame is understood. With `seek`, only whether such an entry is there. */
static size_t each(struct reader *reader, uint8_t seek, bool *ret_found)
{
    const struct eg_frame *frame = reader->frame;
    size_t at = 0;
    while (at + 2 <= frame->length && !frame->refused) {
        const uint8_t channel = frame->bytes[at], type = frame->bytes[at + 1], *bytes = frame->bytes + at + 2;
        bool alarm = false;
        size_t used = 0;
        if (type == HISTORY && (channel == 0x20 || channel == 0x21)) {
            if (seek == 0)
                used = read_record(reader, bytes, frame->length - at - 2, channel == 0x21);
            if (used == 0)
                break;
        } else {
            const struct entry *entry = entry_of(reader->model, channel, type, &alarm);
            if (entry == NULL || at + 2 + entry->bytes + alarm > frame->length)
                break;
            *ret_found |= type == seek;
            if (seek == 0)
                put(reader, entry->kind, bytes + entry->at);
            used = (size_t)entry->bytes + alarm;
        }
        at += 2 + used;
    }
    return at;
}

enum eg_verdict eg_codec_milesight(struct eg_frame *frame, unsigned which)
{
    struct reader reader = {.frame = frame, .model = (enum model)which};
    bool soil = false, ignored = false;
    (void)each(&reader, 0x7f, &soil);
    if (soil)
        reader.model = SMTC;
    const size_t read = each(&reader, 0, &ignored);
    if (read == 0 && reader.history_skipped)
        return REFUSE(frame->sink, EG_IMPLAUSIBLE,
                      "records of the device's history: which values they hold, only a codec of the model's "
                      "own name says");
    if (read == 0)
        return REFUSE(frame->sink, EG_MALFORMED,
                      frame->length < 2
                          ? "too short for a Milesight frame: %zu bytes"
                          : "no Milesight frame: the first channel and type are not known, in %zu bytes",
                      frame->length);
    if (frame->sink->count == 0 && frame->sink->fault_count == 0 && frame->bytes[0] == 0xff)
        return REFUSE(frame->sink, EG_NOT_MINE, "what the device says of itself, no measurement");
    return eg_frame_end(frame);
}
