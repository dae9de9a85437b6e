/* Knows the letters and words of JSON, and how much of it is too much. Refuses to build anything: one pass,
 * no memory. Called by drivers whose payload is JSON. cJSON alone would let control characters, "01", "1."
 * and U+0000 in a key pass. */
#include "json_scan.h"

#include "codepoint.h"
#include "excerpt.h"

#include <string.h>

struct scan {
    const char *text;
    size_t length, at;
    int depth;
    int values;
    struct eg_sink *sink;
};

#define REFUSE(scan, ...) ((void)eg_sink_reject((scan)->sink, EG_MALFORMED, __VA_ARGS__), false)

static bool is_digit(const struct scan *scan, size_t at)
{
    return at < scan->length && scan->text[at] >= '0' && scan->text[at] <= '9';
}

static bool is_one_of(const struct scan *scan, size_t at, const char *set)
{
    return at < scan->length && scan->text[at] != '\0' && strchr(set, scan->text[at]) != NULL;
}

static bool scan_beyond_ascii(struct scan *scan)
{
    uint32_t codepoint;
    const size_t bytes = eg_codepoint_next(scan->text + scan->at, scan->length - scan->at, &codepoint);
    if (bytes == 0)
        return REFUSE(scan, "invalid UTF-8 at byte %zu", scan->at);
    scan->at += bytes;
    return true;
}

static bool scan_string(struct scan *scan)
{
    const size_t begin = scan->at++;
    while (scan->at < scan->length) {
        const unsigned char c = (unsigned char)scan->text[scan->at];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') { /* nearly always */
            scan->at++;
            continue;
        }
        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c >= 0x80) {
            if (!scan_beyond_ascii(scan))
                return false;
            continue;
        }
        if (c < 0x20)
            return REFUSE(scan, "control character 0x%02x in a string at byte %zu", c, scan->at);
        if (c == '\\') {
            /* A NUL would end the key or text early for everyone who reads it as a C string. */
            if (scan->length - scan->at >= 6 && memcmp(scan->text + scan->at, "\\u0000", 6) == 0)
                return REFUSE(scan, "U+0000 in a string at byte %zu", scan->at);
            /* What follows is skipped only if it could be taken for a quote or an escape: the rest is looked
             * at. */
            if (is_one_of(scan, scan->at + 1, "\"\\"))
                scan->at++;
        }
        scan->at++;
    }
    return REFUSE(scan, "the string that begins at byte %zu does not end", begin);
}

static bool ends_word(char c)
{
    switch (c) {
    case '{':
    case '}':
    case '[':
    case ']':
    case ',':
    case ':':
    case '"':
        return true;
    default:
        return (unsigned char)c <= 0x20;
    }
}

/* Everything that is neither bracket, comma, colon, blank nor string: a number, true, false, null, or a
 * mistake. */
static size_t word_length(const struct scan *scan)
{
    size_t end = scan->at;
    while (end < scan->length && !ends_word(scan->text[end]))
        end++;
    return end - scan->at;
}

static bool is_number(const struct scan *scan, size_t length)
{
    const size_t end = scan->at + length;
    size_t at = scan->at + (scan->text[scan->at] == '-');
    if (!is_digit(scan, at))
        return false;
    if (scan->text[at++] != '0')
        while (is_digit(scan, at))
            at++;
    if (at < end && scan->text[at] == '.') {
        if (!is_digit(scan, ++at))
            return false;
        while (is_digit(scan, at))
            at++;
    }
    if (at < end && (scan->text[at] == 'e' || scan->text[at] == 'E')) {
        at += is_one_of(scan, at + 1, "+-") ? 2 : 1;
        if (!is_digit(scan, at))
            return false;
        while (is_digit(scan, at))
            at++;
    }
    return at == end;
}

static bool scan_word(struct scan *scan)
{
    char shown[EG_EXCERPT_MAX];
    const char *word = scan->text + scan->at;
    const size_t length = word_length(scan);
    if (is_number(scan, length)) {
        if (length > EG_JSON_NUMBER_MAX)
            return REFUSE(scan, "a number of %zu characters at byte %zu, the most is %d", length, scan->at,
                          EG_JSON_NUMBER_MAX);
    } else if (!(length == 4 && (memcmp(word, "true", 4) == 0 || memcmp(word, "null", 4) == 0)) &&
               !(length == 5 && memcmp(word, "false", 5) == 0)) {
        if (length == 0) /* a control character */
            return REFUSE(scan, "byte 0x%02x at byte %zu has no place in JSON", (unsigned char)*word,
                          scan->at);
        return REFUSE(scan, "\"%s\" at byte %zu is not JSON", eg_excerpt_write(word, length, shown),
                      scan->at);
    }
    scan->at += length;
    return true;
}

static bool count_value(struct scan *scan)
{
    if (++scan->values > EG_JSON_VALUES_MAX)
        return REFUSE(scan, "more than %d values", EG_JSON_VALUES_MAX);
    return true;
}

static bool scan_next(struct scan *scan)
{
    switch (scan->text[scan->at]) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case ',':
    case ':':
        scan->at++;
        return true;
    case '{':
    case '[':
        if (++scan->depth > EG_JSON_DEPTH_MAX)
            return REFUSE(scan, "nested deeper than %d at byte %zu", EG_JSON_DEPTH_MAX, scan->at);
        scan->at++;
        return count_value(scan);
    case '}':
    case ']':
        scan->depth--;
        scan->at++;
        return true;
    case '"':
        return count_value(scan) && scan_string(scan);
    default:
        if ((unsigned char)scan->text[scan->at] >= 0x80 && word_length(scan) > 0) {
            const size_t begin = scan->at;
            if (!scan_beyond_ascii(scan)) /* say that it is no UTF-8 at all, if so */
                return false;
            scan->at = begin;
        }
        return count_value(scan) && scan_word(scan);
    }
}

enum eg_verdict eg_json_scan(const uint8_t *payload, size_t length, struct eg_sink *sink)
{
    struct scan scan = {.text = (const char *)payload, .length = length, .sink = sink};
    if (length == 0)
        return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "the payload is empty");
    if (length > EG_JSON_BYTES_MAX)
        return (enum eg_verdict)eg_sink_reject(
            sink, EG_MALFORMED, "the payload has %zu bytes, the most is %d", length, EG_JSON_BYTES_MAX);
    if (length >= 3 && memcmp(payload, "\xEF\xBB\xBF", 3) == 0)
        scan.at = 3; /* a byte order mark: RFC 8259 lets us ignore it, and so does cJSON */
    while (scan.at < scan.length)
        if (!scan_next(&scan))
            return EG_MALFORMED;
    return EG_DECODED;
}
