/* Decentlab: version 2, the device's number, flags, then the words of each group whose flag is set. Words are unsigned, big-endian;
 * what they mean is each model's own: decentlab.def.
 *
 *   02 0d80 0003 8348 86df 0be1       DL-5TM and others: group 0 and the battery
 *
 * A word that counts from the middle of its range is 0 where there is no sensor.
 *
 * https://www.decentlab.com/products (Decoding guides), https://github.com/decentlab/decentlab-decoders */
#include "lorawan.h"

#include <ecogov/quantity.h>

#include <string.h>

#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))
#define HEAD 5
#define GROUPS_MAX 7
#define FROM_THE_MIDDLE 2500 /* what has no sensor reads 0, and no real value is so far below */

/* The variant, in the order of codecs.def. */
enum model {
    DL_5TM,
    DL_LID,
    DL_MBX,
    DL_PHEHT,
    DL_PM,
    DL_SMTP,
    DL_TRS12,
    DL_5TE,
    DL_ATM22,
    DL_ATM41,
    DL_CTD10,
    DL_IAM,
    DL_LP8P,
    DL_NTU,
    DL_OPTOD,
    DL_SDD,
    DL_SHT21,
    DL_SHT35,
    DL_TBRG,
    DL_TP,
    DL_TRS11,
    DL_TRS21,
    DL_DS18,
    DL_PYR,
    DL_ATM41G2,
    MODELS
};
static const uint8_t words[MODELS][GROUPS_MAX] = {
    /* of each group, up to a 0 */
    [DL_5TM] = {2, 1},        [DL_LID] = {11, 1},   [DL_MBX] = {2, 1},   [DL_PHEHT] = {5, 1},
    [DL_PM] = {1, 10, 2, 1},  [DL_SMTP] = {16, 1},  [DL_TRS12] = {3, 1}, [DL_5TE] = {3, 1},
    [DL_ATM22] = {8, 1},      [DL_ATM41] = {17, 1}, [DL_CTD10] = {4, 1}, [DL_IAM] = {1, 2, 1, 2, 3, 1, 1},
    [DL_LP8P] = {2, 2, 8, 1}, [DL_NTU] = {5, 1},    [DL_OPTOD] = {5, 1}, [DL_SDD] = {18, 18, 1},
    [DL_SHT21] = {2, 1},      [DL_SHT35] = {2, 1},  [DL_TBRG] = {4, 1},  [DL_TP] = {16, 1},
    [DL_TRS11] = {2, 1},      [DL_TRS21] = {2, 1},  [DL_DS18] = {1, 1},  [DL_PYR] = {1, 1},
    [DL_ATM41G2] = {17, 1},
};

enum form { LINEAR, TOPP, LUX }; /* how a value comes from its word, and its neighbour */
static const struct value {
    uint8_t model, group, word;
    enum form form;
    double zero, per, offset; /* (word - zero) / per + offset */
    const char *name;
    int quantity;
    const char *unit, *channel;
} values[] = {
#define EG_DECENTLAB(model, group, word, form, zero, per, offset, name, quantity, unit, channel)             \
    {model, group, word, form, zero, per, offset, name, quantity, unit, channel},
#include "decentlab.def"
#undef EG_DECENTLAB
};

static double value_of(const struct value *value, double word, double next)
{
    const double linear = (word - value->zero) / value->per + value->offset;
    switch (value->form) {
    case TOPP: /* dielectric permittivity to water content */
        return 0.0000043 * linear * linear * linear - 0.00055 * linear * linear + 0.0292 * linear - 0.053;
    case LUX: { /* visible and infrared light to illuminance */
        const double near = word - 1.64 * next, far = 0.59 * word - 0.86 * next;
        const double more = near > far ? near : far;
        return more > 0 ? more * 1.5504 : 0;
    }
    default:
        return linear;
    }
}

static void put_group(struct eg_frame *frame, enum model model, unsigned group, size_t at)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const struct value *value = &values[i];
        if (value->model != model || value->group != group)
            continue;
        const size_t place = at + (size_t)2 * value->word;
        const unsigned word = eg_frame_u16(frame, place);
        const unsigned next = value->form == LUX ? eg_frame_u16(frame, place + 2) : 0;
        if (word == 0 && value->zero >= FROM_THE_MIDDLE)
            eg_frame_fault(frame, value->name, value->quantity, value->channel,
                           value->zero > FROM_THE_MIDDLE ? "-327.68" : "-5");
        else
            eg_frame_put(frame, value->name, value->quantity, value->channel, value->unit,
                         value_of(value, word, next));
    }
}

enum eg_verdict eg_codec_decentlab(struct eg_frame *frame, unsigned which)
{
    size_t at = HEAD;
    if (frame->length < HEAD + 2)
        return eg_frame_short(frame, HEAD + 2);
    if (frame->bytes[0] != 2)
        return REFUSE(frame->sink, EG_MALFORMED, "version %u; 2 is known", frame->bytes[0]);
    const unsigned flags = eg_frame_u16(frame, 3);
    for (unsigned group = 0; group < GROUPS_MAX && words[which][group] > 0; group++) {
        const size_t bytes = (size_t)2 * words[which][group];
        if (!(flags >> group & 1))
            continue;
        if (at + bytes > frame->length)
            return eg_frame_short(frame, at + bytes);
        put_group(frame, (enum model)which, group, at);
        at += bytes;
    }
    return eg_frame_end(frame);
}
