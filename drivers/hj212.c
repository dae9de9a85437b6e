/* hj212: HJ 212-2017 (and what is known of 2005 and 2025), pollutants by data collectors, handed on by a DTU.
 *
 *   ##0170QN=20170818122101000;ST=22;CN=2051;PW=123456;MN=DEVICE001;Flag=4;CP=&&DataTime=20170818122000;a34004-Avg=2.1,
 *   a34004-Min=1.8,a34004-Max=2.5,a34004-Flag=N;a01001-Avg=17,a01001-Flag=N&&EE01\r\n
 *   ## length(4, of the segment) segment CRC(4 hex)
 *
 * One message may hold several frames and bytes before them. Data are CN 2011 (now, -Rtd), 2051 (minutes), 2061 (hour), 2031 (day),
 * -Avg; other commands carry no readings. -Min, -Max and -Cou are statistics of the same values: read only where `fields`
 * names them ("a34004-Max"). A mark (-Flag) of F M D C B P is a fault, no value; one of T or S a value in doubt. Time: DataTime (the
 * START of a period), else QN, UTC+8 or utc_offset.
 * The device is the topic's, or with device_path MN the station's MN. Split packets (PNUM, PNO) are each read by themselves: each
 * repeats its DataTime. Data that HJ 212-2025 lets a station encrypt is refused, and the sentence says so.
 *
 * Units are not in the frame. Taken: those of stations in the field, by code: ug/m3 for particles and for gases in ambient air,
 * mg/m3 for gases of emissions (ST 27, 31, 51), CO, NH3 and H2S; pressure in kPa or hPa by its size. Others: `fields` with the code
 * as path, and a unit.
 * checksum: hj212 (default; byte-swapped is known from the field and taken), modbus, arc, none.
 *
 * HJ 212-2017: https://www.mee.gov.cn/ywgz/fgbz/bz/bzwb/other/qt/201706/t20170608_415697.shtml */
#include <ecogov/driver.h>
#include <ecogov/time.h>

#include "kit/decimal.h"
#include "kit/excerpt.h"
#include "kit/hj212_frame.h"
#include "kit/named.h"
#include "kit/stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_MAX 1024
#define ENCRYPTED_BLOCK 16
#define BEIJING_MS INT64_C(28800000)
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

static const char *const checksum_names[EG_HJ212_CHECKSUMS + 1] = {"hj212", "modbus", "arc", "none", NULL};

static const char cp_begins[] = "CP=&&";

struct plan {
    struct eg_named named;
    struct eg_stamp stamp;
    enum eg_hj212_checksum checksum;
    bool device_from_mn;
};

enum of { PLAIN, GAS, PRESSURE }; /* how its unit is found */
static const struct code {
    const char *code;
    uint16_t quantity;
    enum of of;
    const char *unit;
} codes[] = {
#define EG_CODE(code, quantity, of, unit) {code, quantity, of, unit},
#include "kit/hj212_codes.def"
#undef EG_CODE
};

struct text { /* a piece of the payload */
    const char *at;
    size_t length;
};
struct reader {
    const struct plan *plan;
    struct eg_sink *sink;
    struct text st, cn, mn, qn, cp;
    int64_t time_ms;
    const char *suffix; /* of the values of this command: "-Rtd" or "-Avg" */
    char unknown[EG_EXCERPT_MAX];
    bool data; /* some frame was no command */
};

/* --- the mapping --- */

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_named_finish(&plan->named);
    free(plan);
}

/* NULL, or what is wrong. */
static const char *compile(struct plan *plan, const struct eg_mapping *mapping)
{
    const char *device = mapping->device == NULL ? "" : mapping->device;
    const char *checksum = mapping->checksum == NULL ? "" : mapping->checksum;
    if (device[0] != '\0' && strcmp(device, "MN") != 0)
        return "HJ 212 names its station in MN only: leave the device out, or say MN";
    plan->device_from_mn = device[0] != '\0';
    while (checksum[0] != '\0' && plan->checksum < EG_HJ212_CHECKSUMS &&
           strcmp(checksum_names[plan->checksum], checksum) != 0)
        plan->checksum++;
    if (plan->checksum == EG_HJ212_CHECKSUMS)
        return "the checksum is hj212, modbus, arc or none";
    return eg_stamp_init(&plan->stamp, mapping);
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    struct plan *plan = calloc(1, sizeof *plan);
    *ret_field = -1;
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    const char *wrong = compile(plan, mapping);
    if (wrong != NULL)
        (void)snprintf(error, error_size, "%s", wrong);
    if (wrong != NULL || !eg_named_init(&plan->named, mapping, error, error_size, ret_field)) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

/* --- the frame --- */

static const char *find(struct text in, const char *word)
{
    const size_t length = strlen(word);
    for (size_t i = 0; i + length <= in.length; i++)
        if (memcmp(in.at + i, word, length) == 0)
            return in.at + i;
    return NULL;
}

/* HJ 212-2025, appendix A: sixteen characters at a time are encrypted where they stand, with the cipher that both sides agree on, and the
 * checksum is that of the clear text. What begins the data is plain in every clear frame. */
static bool is_encrypted(struct text segment)
{
    const char *cp = find(segment, cp_begins), *at = cp == NULL ? NULL : cp + strlen(cp_begins);
    const size_t left = at == NULL ? 0 : segment.length - (size_t)(at - segment.at);
    if (left < ENCRYPTED_BLOCK)
        return false;
    for (size_t i = 0; i < ENCRYPTED_BLOCK; i++)
        if (at[i] < 0x20 || at[i] > 0x7E)
            return true;
    return memcmp(at, "{0x", 3) == 0; /* as the standard prints it */
}

/* The segment of the frame at *at, which moves behind it. */
static enum eg_verdict read_frame(const struct reader *reader, const struct eg_message *message, size_t *at,
                                  struct text *ret_segment)
{
    const uint8_t *frame = message->payload + *at;
    const size_t left = message->payload_len - *at;
    const int length = eg_hj212_four(frame + 2, 10);
    if (length > SEGMENT_MAX)
        return REFUSE(reader->sink, EG_MALFORMED, "the length %d is above %d", length, SEGMENT_MAX);
    const size_t end = 6 + (size_t)length;
    const int crc = left < end + 4 ? -1 : eg_hj212_four(frame + end, 16);
    if (crc < 0)
        return REFUSE(
            reader->sink, EG_MALFORMED,
            "the length %d does not fit: no checksum of four hexadecimal digits stands behind the segment",
            length);
    *ret_segment = (struct text){(const char *)frame + 6, (size_t)length};
    if (is_encrypted(*ret_segment))
        return REFUSE(
            reader->sink, EG_MALFORMED,
            "its data is encrypted (HJ 212-2025, appendix A), and nobody here has the key: let the data "
            "collector send it in the clear");
    const enum eg_hj212_checksum which = reader->plan->checksum;
    const unsigned computed =
        which == EG_HJ212_NONE ? (unsigned)crc : eg_hj212_crc(frame + 6, (size_t)length, which);
    if ((unsigned)crc != computed && (unsigned)crc != eg_hj212_swapped(computed))
        return REFUSE(reader->sink, EG_CHECKSUM, "the checksum is %04X, the frame says %04X", computed,
                      (unsigned)crc);
    *at += end + 4;
    return EG_DECODED;
}

/* --- the segment --- */

static bool is(struct text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.at, word, text.length) == 0;
}

/* Cuts the next piece off *rest, up to one of `marks`, which are one or two. False at the end. */
static bool cut(struct text *rest, const char *marks, struct text *ret_piece)
{
    if (rest->length == 0)
        return false;
    const char first = marks[0], second = marks[1] == '\0' ? first : marks[1];
    size_t length = 0;
    while (length < rest->length && rest->at[length] != first && rest->at[length] != second)
        length++;
    *ret_piece = (struct text){rest->at, length};
    const size_t used = length + (length < rest->length);
    *rest = (struct text){rest->at + used, rest->length - used};
    return true;
}

/* "name=value"; the value is empty where there is no '='. */
static struct text name_of(struct text pair, struct text *ret_value)
{
    struct text name = {pair.at, 0};
    (void)cut(&pair, "=", &name);
    *ret_value = pair;
    return name;
}

static enum eg_verdict read_segment(struct reader *reader, struct text segment)
{
    struct text piece, value, rest = segment;
    const char *cp = find(segment, cp_begins);
    if (cp == NULL)
        return REFUSE(reader->sink, EG_MALFORMED, "there is no CP=&&…&& in the segment");
    reader->cp.at = cp + strlen(cp_begins);
    reader->cp.length = segment.length - (size_t)(reader->cp.at - segment.at);
    const char *end = find(reader->cp, "&&");
    if (end == NULL)
        return REFUSE(reader->sink, EG_MALFORMED, "CP=&& has no && at its end");
    reader->cp.length = (size_t)(end - reader->cp.at);
    rest.length = (size_t)(cp - segment.at);
    reader->st = reader->cn = reader->mn = reader->qn = (struct text){"", 0};
    while (cut(&rest, ";", &piece)) {
        const struct text name = name_of(piece, &value);
        if (is(name, "ST"))
            reader->st = value;
        else if (is(name, "CN"))
            reader->cn = value;
        else if (is(name, "MN"))
            reader->mn = value;
        else if (is(name, "QN"))
            reader->qn = value;
    }
    return EG_DECODED;
}

/* YYYYMMDDhhmmss, with or without zzz. */
static bool read_time(const struct reader *reader, struct text text, int64_t *ret_ms)
{
    char rfc3339[40];
    if (text.length != 14 && text.length != 17)
        return false;
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    const char *t = text.at;
    (void)snprintf(rfc3339, sizeof rfc3339, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s.%.3sZ", t, t + 4, t + 6, t + 8,
                   t + 10, t + 12, text.length == 17 ? t + 14 : "000");
    int64_t ms;
    if (!eg_time_parse(rfc3339, strlen(rfc3339), &ms))
        return false;
    ms -= reader->plan->stamp.has_offset ? reader->plan->stamp.offset_ms : BEIJING_MS;
    if (ms < 0)
        return false;
    *ret_ms = ms;
    return true;
}

/* --- one item --- */

/* The mark of a code: "" where there is none. Some makers write NOIS=N for NOIS-Flag=N. */
static struct text mark_of(const struct reader *reader, struct text code)
{
    struct text rest = reader->cp, piece, value;
    while (cut(&rest, ";,", &piece)) {
        const struct text name = name_of(piece, &value);
        if (name.length == code.length + 5 && memcmp(name.at, code.at, code.length) == 0 &&
            memcmp(name.at + code.length, "-Flag", 5) == 0)
            return value;
    }
    return (struct text){"", 0};
}

/* What a mark says of its value. N, and what nobody knows (channels are marked 0 to 3), is not here. */
static const struct mark {
    char mark;
    uint16_t flags; /* of a value that is doubtful, and yet one; 0: it is none */
    const char *means;
} marks[] = {{'F', 0, "F (stopped)"},
             {'M', 0, "M (under maintenance)"},
             {'S', EG_FLAG_INCONSISTENT, "S (set by hand)"},
             {'D', 0, "D (out of order)"},
             {'C', 0, "C (being calibrated)"},
             {'T', EG_FLAG_RANGE, "T (over range)"}, /* there is at least so much */
             {'B', 0, "B (no link to the instrument)"},
             {'P', 0, "P (no power)"}};

static const struct mark *mark_find(struct text mark)
{
    for (size_t i = 0; mark.length == 1 && i < sizeof marks / sizeof *marks; i++)
        if (marks[i].mark == mark.at[0])
            return &marks[i];
    return NULL;
}

static const char *unit_of(const struct reader *reader, const struct code *code, double value)
{
    const bool emission = is(reader->st, "31") || is(reader->st, "51") || is(reader->st, "27");
    switch (code->of) {
    case GAS:
        return emission ? "mg/m3" : "ug/m3";
    case PRESSURE:
        return value < 200 ? "kPa" : "hPa"; /* 50 to 110, or 500 to 1100 */
    default:
        return code->unit;
    }
}

/* The same value of the same thing a second time is one reading; another value is nonsense. */
static enum eg_verdict put(struct reader *reader, const struct eg_named_field *field, double value,
                           const char *unit, unsigned flags)
{
    struct eg_sink *sink = reader->sink;
    const size_t before = sink->count;
    if (!eg_named_put(field, value, unit, reader->time_ms, sink))
        return EG_IMPLAUSIBLE;
    if (sink->count == before)
        return EG_DECODED; /* a code for "not measured" */
    struct eg_reading *new = &sink->readings[before];
    new->flags = (uint16_t)(new->flags | flags);
    for (size_t i = 0; i < before; i++) {
        struct eg_reading *old = &sink->readings[i];
        if (old->quantity != new->quantity || old->device != new->device || old->time_ms != new->time_ms ||
            strcmp(old->channel, new->channel) != 0)
            continue;
        if (old->value != new->value)
            return REFUSE(sink, EG_MALFORMED, "%s is given twice for one time, and not the same",
                          eg_quantity_info(new->quantity)->name);
        old->flags |= new->flags;
        sink->count--;
        break;
    }
    return EG_DECODED;
}

/* What `fields` names, whole or by its code; else the table's. NULL: nobody's. */
static const struct eg_named_field *field_of(const struct reader *reader, struct text name, struct text code,
                                             double value, struct eg_named_field *own, const char **ret_unit)
{
    const struct eg_named_field *field = eg_named_find(&reader->plan->named, name.at, name.length);
    const bool usual =
        code.length + 4 == name.length && memcmp(name.at + code.length, reader->suffix, 4) == 0;
    if (field == NULL && usual)
        field = eg_named_find(&reader->plan->named, code.at, code.length);
    for (size_t i = 0; field == NULL && usual && i < sizeof codes / sizeof *codes; i++)
        if (is(code, codes[i].code)) {
            *own = (struct eg_named_field){.scale = 1, .channel = "", .quantity = codes[i].quantity};
            *ret_unit = unit_of(reader, &codes[i], value);
            field = own;
        }
    return field;
}

static enum eg_verdict read_item(struct reader *reader, struct text piece)
{
    struct text value, name = name_of(piece, &value), code = name;
    struct eg_named_field own;
    const char *unit = NULL;
    char shown[EG_EXCERPT_MAX];
    double number = 0;
    while (code.length > 0 && code.at[code.length - 1] != '-')
        code.length--;
    if (code.length < 2)
        return EG_DECODED; /* no "-Rtd": a parameter */
    code.length--;
    const bool decimal = eg_decimal_parse(value.at, value.length, &number);
    const struct eg_named_field *field = field_of(reader, name, code, number, &own, &unit);
    if (field == NULL) {
        if (reader->unknown[0] == '\0')
            (void)eg_excerpt_write(code.at, code.length, reader->unknown);
        return EG_DECODED;
    }
    const struct mark *mark = mark_find(mark_of(reader, code));
    if ((mark && (mark->flags == 0 || !decimal)) || value.length == 0) {
        eg_sink_fault(reader->sink, field->quantity, field->channel, mark ? mark->means : "nothing");
        return EG_DECODED;
    }
    if (!decimal)
        return REFUSE(reader->sink, EG_MALFORMED, "%s holds \"%s\", which is no number",
                      eg_quantity_info(field->quantity)->name,
                      eg_excerpt_write(value.at, value.length, shown));
    return put(reader, field, number, unit, mark ? mark->flags : 0);
}

static enum eg_verdict read_data(struct reader *reader)
{
    struct text rest = reader->cp, piece, value;
    const bool now = is(reader->cn, "2011");
    if (!now && !is(reader->cn, "2051") && !is(reader->cn, "2061") && !is(reader->cn, "2031"))
        return EG_DECODED; /* a command, an answer, a state */
    reader->data = true;
    reader->suffix = now ? "-Rtd" : "-Avg";
    reader->time_ms = EG_TIME_NONE;
    (void)read_time(reader, reader->qn, &reader->time_ms);
    if (reader->plan->device_from_mn && !eg_sink_device(reader->sink, reader->mn.at, reader->mn.length))
        return EG_IMPLAUSIBLE;
    while (cut(&rest, ";,", &piece)) {
        char shown[EG_EXCERPT_MAX];
        enum eg_verdict verdict = EG_DECODED;
        if (!is(name_of(piece, &value), "DataTime"))
            verdict = read_item(reader, piece);
        else if (!read_time(reader, value, &reader->time_ms))
            verdict = REFUSE(reader->sink, EG_MALFORMED, "DataTime \"%s\" is not YYYYMMDDhhmmss",
                             eg_excerpt_write(value.at, value.length, shown));
        if (verdict != EG_DECODED)
            return verdict;
    }
    return EG_DECODED;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    static const struct plan plain = {.checksum = EG_HJ212_OWN};
    struct reader reader = {.plan = prepared == NULL ? &plain : prepared, .sink = sink};
    struct text segment = {0};
    eg_sink_reset(sink);
    size_t at = eg_hj212_next(message->payload, 0, message->payload_len);
    if (at == message->payload_len)
        return REFUSE(sink, EG_MALFORMED, "no frame begins here: ##, four digits, and the segment");
    for (; at < message->payload_len; at = eg_hj212_next(message->payload, at, message->payload_len)) {
        enum eg_verdict verdict = read_frame(&reader, message, &at, &segment);
        if (verdict == EG_DECODED)
            verdict = read_segment(&reader, segment);
        if (verdict == EG_DECODED)
            verdict = read_data(&reader);
        if (verdict != EG_DECODED)
            return verdict;
    }
    if (!reader.data)
        return REFUSE(sink, EG_NOT_MINE, "a command or an answer, no data");
    if (sink->count == 0 && sink->fault_count == 0)
        return REFUSE(sink, EG_IMPLAUSIBLE,
                      reader.unknown[0] != '\0' ? "no code is known, the first is \"%s\"; name it in fields"
                                                : "there is no value in it%s",
                      reader.unknown);
    return EG_DECODED;
}

extern const struct eg_driver eg_driver_hj212;
const struct eg_driver eg_driver_hj212 = {
    .name = "hj212",
    .about = "HJ 212-2017: data collectors of pollution sources and air stations",
    .device = "MN",
    .checksums = checksum_names,
    .keys = "device_path utc_offset checksum fields",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
