/* influx: InfluxDB line protocol.
 *
 *   air,site=roof,id=a1 pm25=35.2,temp=21.4,door="open" 1763881200000000000
 *   # a comment, a blank line, several lines
 *
 * A number is a reading by fields: (path = the field's key), else by the dictionary; texts and booleans are none, unknown keys are
 * skipped. device: and channel: name tags. precision: says what a time counts (s, ms, us, ns; ns when nothing is said); none is the
 * arrival. A field's key given twice in one line: the last counts, as InfluxDB has it.
 *
 * One bad line refuses the whole message, with its number: a name that is empty, a tag given twice, no field, a value or a time that
 * is none, the same reading twice; and so does a message in which nothing is known. What is well-formed is what InfluxDB's own decoder
 * takes (https://github.com/influxdata/line-protocol), but for hexadecimal numbers and times before 1970.
 *
 * https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ */
#include <ecogov/driver.h>

#include "kit/codepoint.h"
#include "kit/excerpt.h"
#include "kit/influx_value.h"
#include "kit/named.h"
#include "kit/twice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (256 * 1024)
#define TAGS_MAX 64
#define TOKEN_MAX 255 /* bytes of a key or a tag's value */
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

struct plan {
    struct eg_named named;
    int64_t per_second;                                 /* counts of a time */
    char device[TOKEN_MAX + 1], channel[TOKEN_MAX + 1]; /* tags; "" for none */
};
struct token {
    size_t length;
    char text[TOKEN_MAX + 1];
};
struct reader {
    const struct plan *plan;
    struct eg_sink *sink;
    const char *at, *end; /* of the message */
    size_t line;
    char channel[EG_CHANNEL_MAX + 1];
    char unknown[EG_EXCERPT_MAX]; /* the first key that is no quantity */
};

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_named_finish(&plan->named);
    free(plan);
}

/* Counts per second; 0: there is no such precision. */
static int64_t precision(const char *name)
{
    const struct {
        const char *name;
        int64_t counts;
    } known[] = {{"", 1000000000}, {"ns", 1000000000}, {"us", 1000000}, {"ms", 1000}, {"s", 1}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (name == NULL || strcmp(known[i].name, name) == 0)
            return known[i].counts;
    return 0;
}

static bool copy_tag(char copy[TOKEN_MAX + 1], const char *name)
{
    const size_t length = name == NULL ? 0 : strlen(name);
    if (length > TOKEN_MAX)
        return false;
    if (length > 0)
        memcpy(copy, name, length);
    copy[length] = '\0';
    return true;
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    *ret_field = -1;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    bool good = eg_named_init(&plan->named, mapping, error, error_size, ret_field);
    plan->per_second = precision(mapping == NULL ? NULL : mapping->precision);
    if (good && plan->per_second == 0) {
        (void)snprintf(error, error_size, "the precision must be s, ms, us or ns");
        good = false;
    }
    if (good && mapping != NULL &&
        (!copy_tag(plan->device, mapping->device) || !copy_tag(plan->channel, mapping->channel))) {
        (void)snprintf(error, error_size, "a tag's name has at most %d bytes", TOKEN_MAX);
        good = false;
    }
    if (!good) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

/* ---- words of a line ---- */

static bool line_ends(const struct reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' ||
           (*reader->at == '\r' && (reader->at + 1 == reader->end || reader->at[1] == '\n'));
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
}

static enum eg_verdict refuse(struct reader *reader, const char *what)
{
    return REFUSE(reader->sink, EG_MALFORMED, "line %zu: %s", reader->line, what);
}

/* Nearly every character: it ends nothing and escapes nothing, wherever it stands. */
static bool is_plain(char c)
{
    return (unsigned char)c > 0x20 && c != ',' && c != '=' && c != '\\' && c != 0x7F;
}

/* Up to an unescaped character of `stops`, a blank or the line's end. A backslash escapes comma, '=' and blank, else it stands for
 * itself: also before another one, as with InfluxDB. */
static enum eg_verdict take(struct reader *reader, const char *stops, const char *what,
                            struct token *ret_token)
{
    ret_token->length = 0;
    for (;;) {
        while (reader->at < reader->end && is_plain(*reader->at) && ret_token->length < TOKEN_MAX)
            ret_token->text[ret_token->length++] = *reader->at++;
        if (line_ends(reader))
            break;
        char c = *reader->at;
        if (c == ' ' || (c != '\0' && strchr(stops, c) != NULL))
            break;
        if ((unsigned char)c < 0x20 || c == 0x7F)
            return refuse(reader, "a control character in a name");
        if (c == '\\' && reader->at + 1 < reader->end && reader->at[1] != '\0' &&
            strchr(" ,=", reader->at[1]) != NULL)
            c = *++reader->at;
        if (ret_token->length == TOKEN_MAX)
            return refuse(reader, "a name of more than 255 bytes");
        ret_token->text[ret_token->length++] = c;
        reader->at++;
    }
    ret_token->text[ret_token->length] = '\0';
    return ret_token->length == 0 ? refuse(reader, what) : EG_DECODED;
}

static bool next_is(struct reader *reader, char c)
{
    if (line_ends(reader) || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static enum eg_verdict use_tag(struct reader *reader, const struct token *key, const struct token *value)
{
    const struct plan *plan = reader->plan;
    if (plan->device[0] != '\0' && strcmp(plan->device, key->text) == 0)
        return eg_sink_device(reader->sink, value->text, value->length) ? EG_DECODED : EG_IMPLAUSIBLE;
    if (plan->channel[0] == '\0' || strcmp(plan->channel, key->text) != 0)
        return EG_DECODED;
    if (value->length > EG_CHANNEL_MAX)
        return REFUSE(reader->sink, EG_IMPLAUSIBLE,
                      "line %zu: the channel's name has %zu bytes, the most is %d", reader->line,
                      value->length, EG_CHANNEL_MAX);
    memcpy(reader->channel, value->text, value->length + 1);
    return EG_DECODED;
}

static enum eg_verdict read_tags(struct reader *reader)
{
    struct {
        const char *at;
        size_t length;
    } seen[TAGS_MAX]; /* as written */
    struct token key, value;
    for (size_t count = 0; next_is(reader, ','); count++) {
        const char *from = reader->at;
        enum eg_verdict verdict = take(reader, ",=", "a tag without a name", &key);
        if (verdict != EG_DECODED)
            return verdict;
        const size_t length = (size_t)(reader->at - from);
        if (count == TAGS_MAX)
            return refuse(reader, "more than 64 tags");
        for (size_t i = 0; i < count; i++)
            if (seen[i].length == length && memcmp(seen[i].at, from, length) == 0)
                return refuse(reader, "a tag is given twice");
        seen[count].at = from;
        seen[count].length = length;
        if (!next_is(reader, '='))
            return refuse(reader, "a tag without a value");
        verdict = take(reader, ",=", "a tag without a value", &value);
        if (verdict == EG_DECODED)
            verdict = use_tag(reader, &key, &value);
        if (verdict != EG_DECODED)
            return verdict;
    }
    return EG_DECODED;
}

/* ---- values ---- */

static enum eg_verdict skip_text(struct reader *reader)
{
    for (reader->at++; reader->at < reader->end && *reader->at != '"'; reader->at++) {
        if (*reader->at == '\\' && reader->at + 1 < reader->end)
            reader->at++;
        if (*reader->at == '\n')
            reader->line++;
    }
    if (reader->at == reader->end)
        return refuse(reader, "a text without its closing quotation mark");
    reader->at++;
    return EG_DECODED;
}

/* NAN for what is a value and no number. */
static enum eg_verdict read_value(struct reader *reader, double *ret_value)
{
    struct token token;
    *ret_value = NAN;
    if (!line_ends(reader) && *reader->at == '"')
        return skip_text(reader);
    const enum eg_verdict verdict = take(reader, ",", "a field without a value", &token);
    if (verdict != EG_DECODED)
        return verdict;
    switch (eg_influx_value_parse(token.text, token.length, ret_value)) {
    case EG_INFLUX_BOOLEAN:
        return EG_DECODED;
    case EG_INFLUX_RANGE:
        return refuse(reader, "an integer that 64 bits do not hold");
    case EG_INFLUX_WRONG:
        return refuse(reader, "a value that is no number, text or boolean");
    case EG_INFLUX_NUMBER:
        break;
    }
    return isfinite(*ret_value)
               ? EG_DECODED
               : REFUSE(reader->sink, EG_IMPLAUSIBLE, "line %zu: too large a number", reader->line);
}

static enum eg_verdict put(struct reader *reader, const struct token *key, size_t line_start, double value)
{
    struct eg_sink *sink = reader->sink;
    const struct eg_named *named = &reader->plan->named;
    struct eg_named_field own = {.scale = 1, .channel = ""};
    const struct eg_named_field *field = eg_named_find(named, key->text, key->length);
    if (field != NULL)
        own = *field;
    const int quantity =
        field != NULL ? (int)field->quantity : eg_quantity_index_find(&named->names, key->text, key->length);
    if (quantity == EG_QUANTITY_NONE) {
        if (reader->unknown[0] == '\0')
            (void)eg_excerpt_write(key->text, key->length, reader->unknown);
        return EG_DECODED;
    }
    own.quantity = (uint16_t)quantity;
    if (own.channel[0] == '\0')
        own.channel = reader->channel;
    const size_t before = sink->count;
    if (!eg_named_put(&own, value, NULL, EG_TIME_NONE, sink))
        return EG_IMPLAUSIBLE;
    for (size_t i = line_start; i < before && sink->count > before; i++)
        if (sink->readings[i].quantity == own.quantity && strcmp(sink->readings[i].channel, own.channel) == 0)
            sink->readings[i] = sink->readings[--sink->count]; /* the last one counts */
    return EG_DECODED;
}

static enum eg_verdict read_fields(struct reader *reader, size_t line_start)
{
    struct token key;
    do {
        double value;
        enum eg_verdict verdict = take(reader, ",=", "a field is missing, or has no name", &key);
        if (verdict != EG_DECODED)
            return verdict;
        if (!next_is(reader, '='))
            return refuse(reader, "a field without a value");
        verdict = read_value(reader, &value);
        if (verdict == EG_DECODED && !isnan(value))
            verdict = put(reader, &key, line_start, value);
        if (verdict != EG_DECODED)
            return verdict;
    } while (next_is(reader, ','));
    return line_ends(reader) || *reader->at == ' ' ? EG_DECODED : refuse(reader, "something follows a value");
}

static enum eg_verdict read_time(struct reader *reader, size_t line_start)
{
    struct token token;
    int64_t ms;
    skip_blanks(reader);
    if (line_ends(reader))
        return EG_DECODED;
    const enum eg_verdict verdict = take(reader, "", "no time", &token);
    if (verdict != EG_DECODED)
        return verdict;
    skip_blanks(reader);
    if (!line_ends(reader) || !eg_influx_value_is_count(token.text, token.length))
        return refuse(reader, "what follows the fields is no time");
    if (!eg_influx_value_to_ms(token.text, reader->plan->per_second, &ms))
        return REFUSE(reader->sink, EG_IMPLAUSIBLE,
                      "line %zu: no time between 1970 and 9999 (check the precision)", reader->line);
    for (size_t i = line_start; i < reader->sink->count; i++)
        reader->sink->readings[i].time_ms = ms;
    return EG_DECODED;
}

static enum eg_verdict read_line(struct reader *reader)
{
    struct token measurement;
    const size_t line_start = reader->sink->count;
    reader->channel[0] = '\0';
    (void)eg_sink_device(reader->sink, "", 0);
    enum eg_verdict verdict = take(reader, ",", "no measurement", &measurement);
    if (verdict == EG_DECODED)
        verdict = read_tags(reader);
    skip_blanks(reader);
    if (verdict == EG_DECODED)
        verdict = read_fields(reader, line_start);
    return verdict == EG_DECODED ? read_time(reader, line_start) : verdict;
}

/* False where a character stands in it that has no place there. */
static bool skip_comment(struct reader *reader)
{
    while (!line_ends(reader) && (unsigned char)*reader->at >= 0x20 && *reader->at != 0x7F)
        reader->at++;
    return line_ends(reader);
}

static enum eg_verdict read_lines(struct reader *reader)
{
    for (; reader->at < reader->end; reader->line++) {
        skip_blanks(reader);
        if (!line_ends(reader) && *reader->at == '#' && !skip_comment(reader))
            return refuse(reader, "a control character in a comment");
        const enum eg_verdict verdict = line_ends(reader) ? EG_DECODED : read_line(reader);
        if (verdict != EG_DECODED)
            return verdict;
        while (reader->at < reader->end && *reader->at++ != '\n')
            ;
    }
    return EG_DECODED;
}

/* The first byte that is no UTF-8; `length`: it is all. */
static size_t find_no_utf8(const char *text, size_t length)
{
    uint32_t codepoint;
    size_t at = 0, bytes = 1;
    for (; at < length && bytes > 0; at += bytes)
        bytes = (unsigned char)text[at] < 0x80 ? 1 : eg_codepoint_next(text + at, length - at, &codepoint);
    return at;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    eg_sink_reset(sink);
    if (message->payload_len == 0 || message->payload_len > BYTES_MAX)
        return REFUSE(sink, EG_MALFORMED, "%zu bytes; line protocol has 1 to %d", message->payload_len,
                      BYTES_MAX);
    struct plan plain; /* not cleared for nothing: it is large */
    if (prepared == NULL) {
        plain = (struct plan){.per_second = precision(NULL)};
        eg_quantity_index_init(&plain.named.names);
    }
    const char *text = (const char *)message->payload;
    const size_t no_utf8 = find_no_utf8(text, message->payload_len);
    if (no_utf8 < message->payload_len)
        return REFUSE(sink, EG_MALFORMED, "invalid UTF-8 at byte %zu", no_utf8);
    struct reader reader = {.plan = prepared == NULL ? &plain : prepared,
                            .sink = sink,
                            .at = text,
                            .end = text + message->payload_len,
                            .line = 1};
    const enum eg_verdict verdict = read_lines(&reader);
    if (verdict != EG_DECODED)
        return verdict;
    if (sink->count == 0 && sink->fault_count == 0)
        return REFUSE(sink, EG_IMPLAUSIBLE, "no number in it is a known quantity%s%s; name it in fields",
                      reader.unknown[0] == '\0' ? "" : ", the first key is ", reader.unknown);
    const size_t twice = eg_twice_find(sink);
    return twice == sink->count ? EG_DECODED
                                : REFUSE(sink, EG_MALFORMED, "%s is given twice for one time",
                                         eg_quantity_info(sink->readings[twice].quantity)->name);
}

extern const struct eg_driver eg_driver_influx;
const struct eg_driver eg_driver_influx = {
    .name = "influx",
    .about = "InfluxDB line protocol",
    .keys = "device_path channel precision fields",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
