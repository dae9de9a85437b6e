/* Reads JSON in one pass: the payload is copied once, its strings are unescaped and ended where they stand, and nodes are taken from a
 * block. Knows RFC 8259 and the maxima of json_scan.h; refuses to know what anything means, and why something is no JSON: that is looked
 * for by json_scan.c, once it is certain that it is none. Called by drivers whose payload is JSON. */
#include "json_tree.h"

#include "codepoint.h"
#include "decimal.h"
#include "json_scan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_NODES 512
#define DIGITS_KEPT 18 /* of a number: what 64 bits hold, and more than a double does */

struct eg_json_block {
    struct eg_json_block *next;
    cJSON nodes[BLOCK_NODES];
};

struct parser {
    struct eg_json_tree *tree;
    char
        *at; /* in the copy, behind which a zero byte stands: it has no place in JSON, so nothing passes it */
    cJSON *node, *nodes_end;
    int depth, values; /* a key counts as one */
    bool no_memory;
};

static void skip_blanks(struct parser *parser)
{
    while (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\r' || *parser->at == '\t')
        parser->at++;
}

static cJSON *take_node(struct parser *parser)
{
    if (++parser->values > EG_JSON_VALUES_MAX)
        return NULL;
    if (parser->node == parser->nodes_end) {
        struct eg_json_block *block = malloc(sizeof *block);
        parser->no_memory = block == NULL;
        if (block == NULL)
            return NULL;
        block->next = parser->tree->blocks;
        parser->tree->blocks = block;
        parser->node = block->nodes;
        parser->nodes_end = block->nodes + BLOCK_NODES;
    }
    *parser->node = (cJSON){.type = cJSON_NULL};
    return parser->node++;
}

/* ---- strings ---- */

static bool hex4(const char *at, uint32_t *ret_code)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        const char c = at[i], small = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            code = code << 4 | (uint32_t)(c - '0');
        else if (small >= 'a' && small <= 'f')
            code = code << 4 | (uint32_t)(small - 'a' + 10);
        else
            return false;
    }
    *ret_code = code;
    return true;
}

static char *write_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

/* Behind "\u". A NUL would end the text early for everyone who reads it as a C string; half a surrogate is no character. */
static bool unescape_code(char **from, char **to)
{
    uint32_t code, low;
    if (!hex4(*from, &code) || code == 0 || (code >= 0xDC00 && code <= 0xDFFF))
        return false;
    *from += 4;
    if (code >= 0xD800 && code <= 0xDBFF) {
        if ((*from)[0] != '\\' || (*from)[1] != 'u' || !hex4(*from + 2, &low) || low < 0xDC00 || low > 0xDFFF)
            return false;
        *from += 6;
        code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
    }
    *to = write_utf8(*to, code); /* at most as long as what said it */
    return true;
}

static bool unescape(char **from, char **to)
{
    static const char letters[] = "bfnrt\"\\/", means[] = "\b\f\n\r\t\"\\/";
    const char letter = *++*from;
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);
    if (letter != 'u' && found == NULL)
        return false;
    ++*from;
    if (letter == 'u')
        return unescape_code(from, to);
    *(*to)++ = means[found - letters];
    return true;
}

static bool is_plain(char c)
{
    return (signed char)c >= 0x20 && c != '"' && c != '\\'; /* beyond ASCII it is negative */
}

/* The rest of a string in which something is not plain. Its end where it is written to; NULL: it is none. */
static char *read_rest(struct parser *parser, char *from)
{
    const char *end = from + strlen(from);
    char *to = from;
    while (*from != '"') {
        uint32_t code;
        size_t bytes = 1;
        if (*from == '\\') {
            if (!unescape(&from, &to))
                return NULL;
            continue;
        }
        if (!is_plain(*from) && ((unsigned char)*from < 0x80 ||
                                 (bytes = eg_codepoint_next(from, (size_t)(end - from), &code)) == 0))
            return NULL;
        memmove(to, from, bytes);
        to += bytes;
        from += bytes;
    }
    parser->at = from + 1;
    return to;
}

/* From behind the opening quote to behind the closing one. NULL: it is no string. */
static char *read_string(struct parser *parser)
{
    char *begin = parser->at, *end = begin;
    while (is_plain(*end))
        end++;
    if (*end == '"')
        parser->at = end + 1;
    else if ((end = read_rest(parser, end)) == NULL)
        return NULL;
    *end = '\0';
    return begin;
}

/* ---- numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *take_digits(const char *at, uint64_t *mantissa)
{
    for (; is_digit(*at); at++)
        *mantissa = *mantissa * 10 + (uint64_t)(*at - '0');
    return at;
}

static const char *skip_exponent(const char *at)
{
    at += at[1] == '+' || at[1] == '-' ? 2 : 1;
    if (!is_digit(*at))
        return NULL;
    while (is_digit(*at))
        at++;
    return at;
}

/* -?(0|[1-9]d*)(.d+)?([eE][+-]?d+)?, read on the way; what one operation does not give is left to decimal.c. */
static bool read_number(struct parser *parser, cJSON *item)
{
    const char *begin = parser->at, *digits = begin + (*begin == '-'), *at = digits;
    uint64_t mantissa = 0;
    int exponent = 0;
    double value;
    if (!is_digit(*at))
        return false;
    at = *at == '0' ? at + 1 : take_digits(at, &mantissa);
    if (*at == '.') {
        const char *point = at + 1;
        at = take_digits(point, &mantissa);
        if (at == point)
            return false;
        exponent = (int)(point - at);
    }
    bool exact = at - digits <= DIGITS_KEPT;
    if (*at == 'e' || *at == 'E') {
        exact = false;
        if ((at = skip_exponent(at)) == NULL)
            return false;
    }
    if (at - begin > EG_JSON_NUMBER_MAX)
        return false;
    if (exact && eg_decimal_exact(mantissa, exponent, &value))
        value = *begin == '-' ? -value : value;
    else if (!eg_decimal_parse(begin, (size_t)(at - begin), &value))
        return false;
    parser->at += at - begin;
    item->type = cJSON_Number;
    item->valuedouble = value;
    item->valueint = value >= INT_MAX ? INT_MAX : value <= INT_MIN ? INT_MIN : (int)value; /* as cJSON does */
    return true;
}

/* ---- values ---- */

static bool read_value(struct parser *parser, cJSON *item);

static bool read_key(struct parser *parser, cJSON *item)
{
    if (*parser->at != '"' || ++parser->values > EG_JSON_VALUES_MAX)
        return false;
    parser->at++;
    item->string = read_string(parser);
    if (item->string == NULL)
        return false;
    skip_blanks(parser);
    if (*parser->at != ':')
        return false;
    parser->at++;
    skip_blanks(parser);
    return true;
}

static bool read_children(struct parser *parser, cJSON *parent, char close)
{
    cJSON *before = NULL;
    if (++parser->depth > EG_JSON_DEPTH_MAX)
        return false;
    parser->at++;
    skip_blanks(parser);
    for (bool more = *parser->at != close; more;) {
        cJSON *item = take_node(parser);
        if (item == NULL || (close == '}' && !read_key(parser, item)) || !read_value(parser, item))
            return false;
        *(before == NULL ? &parent->child : &before->next) = item;
        item->prev = before;
        before = item;
        skip_blanks(parser);
        more = *parser->at == ',';
        if (!more)
            break;
        parser->at++;
        skip_blanks(parser);
    }
    if (*parser->at != close)
        return false;
    parser->at++;
    parser->depth--;
    return true;
}

static bool read_word(struct parser *parser, cJSON *item, const char *word, size_t length, int type)
{
    if (strncmp(parser->at, word, length) != 0)
        return false;
    parser->at += length;
    item->type = type;
    return true;
}

/* As deep as EG_JSON_DEPTH_MAX, no deeper. */
static bool read_value(struct parser *parser, cJSON *item)
{
    switch (*parser->at) {
    case '{':
        item->type = cJSON_Object;
        return read_children(parser, item, '}');
    case '[':
        item->type = cJSON_Array;
        return read_children(parser, item, ']');
    case '"':
        item->type = cJSON_String;
        parser->at++;
        item->valuestring = read_string(parser);
        return item->valuestring != NULL;
    case 't':
        item->valueint = 1;
        return read_word(parser, item, "true", 4, cJSON_True);
    case 'f':
        return read_word(parser, item, "false", 5, cJSON_False);
    case 'n':
        return read_word(parser, item, "null", 4, cJSON_NULL);
    default:
        return read_number(parser, item);
    }
}

/* ---- the whole ---- */

static enum eg_verdict refuse(struct parser *parser, bool whole, const uint8_t *payload, size_t length,
                              struct eg_sink *sink)
{
    const size_t found = (size_t)(parser->at - parser->tree->text), at = found < length ? found : length - 1;
    eg_json_tree_finish(parser->tree);
    if (parser->no_memory)
        return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "no memory for %zu bytes of JSON", length);
    if (eg_json_scan(payload, length, sink) != EG_DECODED)
        return EG_MALFORMED;
    return (enum eg_verdict)(
        whole ? eg_sink_reject(sink, EG_MALFORMED, "something follows the JSON value at byte %zu", at)
              : eg_sink_reject(sink, EG_MALFORMED, "not JSON from byte %zu on", at));
}

enum eg_verdict eg_json_tree_read(struct eg_json_tree *tree, const uint8_t *payload, size_t length,
                                  struct eg_sink *sink)
{
    struct parser parser = {.tree = tree, .node = tree->nodes, .nodes_end = tree->nodes + EG_JSON_TREE_NODES};
    tree->root = NULL;
    tree->blocks = NULL;
    if (length == 0 || length > EG_JSON_BYTES_MAX)
        return eg_json_scan(payload, length, sink); /* says so */
    tree->text = length < EG_JSON_TREE_BYTES ? tree->bytes : malloc(length + 1);
    if (tree->text == NULL)
        return (enum eg_verdict)eg_sink_reject(sink, EG_MALFORMED, "no memory for %zu bytes of JSON", length);
    memcpy(tree->text, payload, length);
    tree->text[length] = '\0';
    parser.at = tree->text;
    if (length >= 3 && memcmp(payload, "\xEF\xBB\xBF", 3) == 0)
        parser.at += 3; /* a byte order mark: RFC 8259 lets us ignore it */
    skip_blanks(&parser);
    cJSON *root = take_node(&parser);
    const bool whole = read_value(&parser, root);
    skip_blanks(&parser);
    if (!whole || parser.at != tree->text + length)
        return refuse(&parser, whole, payload, length, sink);
    tree->root = root;
    return EG_DECODED;
}

void eg_json_tree_finish(struct eg_json_tree *tree)
{
    for (struct eg_json_block *block = tree->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    tree->blocks = NULL;
    if (tree->text != tree->bytes)
        free(tree->text);
    tree->text = tree->bytes;
    tree->root = NULL;
}
