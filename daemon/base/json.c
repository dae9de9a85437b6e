/* Writes JSON (RFC 8259). Knows text, not meaning. */
#include <base/json.h>
#include <base/utf8.h>
#include <ecogov/reading.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT 32 /* bytes */

void eg_json_init(struct eg_json *json, struct eg_buf *out)
{
    json->out = out;
    json->comma = false;
}

static void before_value(struct eg_json *json)
{
    if (json->comma)
        eg_buf_add(json->out, ",", 1);
    json->comma = true;
}

void eg_json_open(struct eg_json *json, char bracket)
{
    before_value(json);
    eg_buf_add(json->out, &bracket, 1);
    json->comma = false;
}

void eg_json_close(struct eg_json *json, char bracket)
{
    eg_buf_add(json->out, &bracket, 1);
    json->comma = true;
}

static void escaped(struct eg_buf *out, const char *text, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    size_t plain = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        eg_buf_add(out, text + plain, i - plain);
        plain = i + 1;
        char unicode[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        char plain_escape[2] = {'\\', (char)c};
        if (c == '"' || c == '\\')
            eg_buf_add(out, plain_escape, 2);
        else if (c == '\n')
            eg_buf_add(out, "\\n", 2);
        else if (c == '\t')
            eg_buf_add(out, "\\t", 2);
        else
            eg_buf_add(out, unicode, 6);
    }
    eg_buf_add(out, text + plain, length - plain);
}

/* How long the valid UTF-8 at the front is. */
static size_t valid_prefix(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t step = 1;
        while (step <= 4 && at + step <= length && !eg_utf8_valid(text + at, step))
            step++;
        if (step > 4 || at + step > length)
            return at;
        at += step;
    }
    return at;
}

/* Nearly every key and name is short and has nothing to escape: those are added in one go. A summary has ten thousand of them. */
static bool add_plain(struct eg_json *json, const char *text, size_t length)
{
    char quoted[SHORT + 3];
    size_t at = 0;
    if (length > SHORT)
        return false;
    if (json->comma)
        quoted[at++] = ',';
    quoted[at++] = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            return false;
        quoted[at++] = (char)c;
    }
    quoted[at++] = '"';
    eg_buf_add(json->out, quoted, at);
    json->comma = true;
    return true;
}

void eg_json_string_n(struct eg_json *json, const char *text, size_t length)
{
    if (add_plain(json, text, length))
        return;
    before_value(json);
    eg_buf_add(json->out, "\"", 1);
    while (length && !eg_utf8_valid(text, length)) {
        size_t good = valid_prefix(text, length);
        escaped(json->out, text, good);
        eg_buf_add(json->out, "\xEF\xBF\xBD", 3);
        text += good + 1;
        length -= good + 1;
    }
    escaped(json->out, text, length);
    eg_buf_add(json->out, "\"", 1);
}

void eg_json_string(struct eg_json *json, const char *text)
{
    if (text)
        eg_json_string_n(json, text, strlen(text));
    else
        eg_json_null(json);
}

void eg_json_key(struct eg_json *json, const char *key)
{
    eg_json_string(json, key);
    eg_buf_add(json->out, ":", 1);
    json->comma = false;
}

void eg_json_int(struct eg_json *json, int64_t value)
{
    before_value(json);
    eg_buf_printf(json->out, "%lld", (long long)value);
}

void eg_json_number(struct eg_json *json, double value)
{
    char text[EG_NUMBER_TEXT];
    before_value(json);
    eg_buf_text(json->out, isfinite(value) ? eg_number_format(value, text) : "null");
}

void eg_json_bool(struct eg_json *json, bool value)
{
    before_value(json);
    eg_buf_text(json->out, value ? "true" : "false");
}

void eg_json_null(struct eg_json *json)
{
    before_value(json);
    eg_buf_text(json->out, "null");
}

void eg_json_time(struct eg_json *json, int64_t ms)
{
    char text[EG_TIME_TEXT];
    if (ms == EG_TIME_NONE)
        eg_json_null(json);
    else
        eg_json_string(json, eg_time_format(ms, text));
}

void eg_json_raw(struct eg_json *json, const char *json_text)
{
    before_value(json);
    eg_buf_text(json->out, json_text);
}

void eg_json_put_string(struct eg_json *json, const char *key, const char *text)
{
    eg_json_key(json, key);
    eg_json_string(json, text);
}

void eg_json_put_int(struct eg_json *json, const char *key, int64_t value)
{
    eg_json_key(json, key);
    eg_json_int(json, value);
}

void eg_json_put_number(struct eg_json *json, const char *key, double value)
{
    eg_json_key(json, key);
    eg_json_number(json, value);
}

void eg_json_put_bool(struct eg_json *json, const char *key, bool value)
{
    eg_json_key(json, key);
    eg_json_bool(json, value);
}

void eg_json_put_time(struct eg_json *json, const char *key, int64_t ms)
{
    eg_json_key(json, key);
    eg_json_time(json, ms);
}

/* Few decimals, as sensors have them: exact when scaling to an integer and back gives the same double. */
static bool short_decimal(double value, char *out)
{
    static const double scales[] = {1, 10, 100, 1000};
    for (int decimals = 0; decimals < 4; decimals++) {
        double scaled = value * scales[decimals];
        if (fabs(scaled) >= 1e9)
            return false;
        double whole = nearbyint(scaled);
        if (whole / scales[decimals] != value)
            continue;
        unsigned long digits = (unsigned long)fabs(whole), scale = (unsigned long)scales[decimals];
        if (decimals)
            snprintf(out, EG_NUMBER_TEXT, "%s%lu.%0*lu", value < 0 ? "-" : "", digits / scale, decimals,
                     digits % scale);
        else
            snprintf(out, EG_NUMBER_TEXT, "%s%lu", value < 0 ? "-" : "", digits);
        return true;
    }
    return false;
}

char *eg_number_format(double value, char out[EG_NUMBER_TEXT])
{
    if (value == 0) {
        snprintf(out, EG_NUMBER_TEXT, "%s", signbit(value) ? "-0" : "0");
        return out;
    }
    if (isfinite(value) && short_decimal(value, out))
        return out;
    /* 15 digits always hold what has up to 15, with trailing zeros cut by %g; subnormals have fewer. */
    int digits = fabs(value) < 2.3e-308 ? 1 : 15;
    for (; digits <= 17; digits++) {
        snprintf(out, EG_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    return out;
}
