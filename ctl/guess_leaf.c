/* Knows the values of a JSON payload one by one: where each stands, whether it is a number or a time. Refuses to know what names mean.
 * Called by guess.c and its kin. */
#include "guess_inside.h"

#include <ecogov/time.h>

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t guess_odd(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;
    if (*byte < 0x20 || *byte == 0x7f)
        return *byte != 0;
    if (byte[0] == 0xC2 && byte[1] < 0xA0)
        return 2;
    bool separator = byte[0] == 0xE2 && byte[1] == 0x80 && (byte[2] == 0xA8 || byte[2] == 0xA9),
         mark = byte[0] == 0xEF &&
                ((byte[1] == 0xBB && byte[2] == 0xBF) || (byte[1] == 0xBF && byte[2] >= 0xBE));
    return separator || mark ? 3 : 0;
}

void guess_note(struct eg_buf *out, const char *format, ...)
{
    char text[GUESS_NOTE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) /* a comment is one line, whatever it quotes */
        for (size_t odd = guess_odd(c); odd > 0; odd--)
            c[odd - 1] = '?';
    size_t length = strlen(text);
    while (length == sizeof text - 1 && length && ((unsigned char)text[length - 1] & 0xC0) == 0x80)
        text[--length] = '\0';
    if (length == sizeof text - 1 && (unsigned char)text[length - 1] >= 0xC0)
        text[--length] = '\0';
    eg_buf_text(out, "# ");
    eg_buf_text(out, text);
    eg_buf_text(out, "\n");
}

/* --- leaves --- */

struct walk {
    struct guess *guess;
    const cJSON *avoid; /* the array whose elements are looked at one by one */
    const cJSON *above[GUESS_PARTS];
    const char *keys[GUESS_PARTS];
    char pointer[GUESS_POINTER];
};

bool guess_append(char pointer[GUESS_POINTER], const char *key)
{
    size_t used = strlen(pointer);
    if (used + 2 * strlen(key) + 2 > GUESS_POINTER)
        return false;
    pointer[used++] = '/';
    for (; *key; key++) {
        if (*key == '~' || *key == '/')
            pointer[used++] = '~';
        pointer[used++] = *key == '~' ? '0' : *key == '/' ? '1' : *key;
    }
    pointer[used] = '\0';
    return true;
}

static void take_leaf(struct walk *walk, const cJSON *item, size_t depth)
{
    struct guess *guess = walk->guess;
    if (guess->leaf_count == GUESS_LEAVES) {
        guess->cut = true;
        return;
    }
    struct guess_leaf *leaf = &guess->leaves[guess->leaf_count++];
    *leaf = (struct guess_leaf){.item = item, .depth = depth};
    memcpy(leaf->pointer, walk->pointer, sizeof leaf->pointer);
    for (size_t i = 0; i < depth; i++) {
        leaf->keys[i] = walk->keys[depth - 1 - i];
        leaf->above[i] = walk->above[depth - 1 - i];
    }
}

static void descend(struct walk *walk, const cJSON *item, size_t depth)
{
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item)) {
        take_leaf(walk, item, depth);
        return;
    }
    if (item == walk->avoid)
        return;
    size_t length = strlen(walk->pointer), index = 0;
    char digits[24];
    for (const cJSON *child = item->child; child; child = child->next, index++) {
        const char *key = cJSON_IsObject(item) ? child->string : NULL;
        snprintf(digits, sizeof digits, "%zu", index);
        if (depth == GUESS_PARTS || !guess_append(walk->pointer, key ? key : digits)) {
            walk->guess->cut = true;
            continue;
        }
        walk->keys[depth] = key;
        walk->above[depth] = item;
        descend(walk, child, depth + 1);
        walk->pointer[length] = '\0';
    }
}

void guess_gather(struct guess *guess, const cJSON *from, const cJSON *avoid)
{
    struct walk walk = {.guess = guess, .avoid = avoid};
    descend(&walk, from, 0);
}

/* --- what a leaf may be --- */

bool guess_same(const char *a, const char *b)
{
    return a && strcasecmp(a, b) == 0;
}

bool guess_number(const cJSON *item, double *ret_number, const char **ret_unit)
{
    *ret_unit = NULL;
    if (cJSON_IsNumber(item)) {
        *ret_number = item->valuedouble;
        return isfinite(*ret_number);
    }
    if (!cJSON_IsString(item))
        return false;
    char *end;
    const char *text = item->valuestring;
    *ret_number = strtod(text, &end);
    if (end == text || !isfinite(*ret_number) || strpbrk(text, "xXnN") == text)
        return false;
    while (*end == ' ')
        end++;
    *ret_unit = *end ? end : NULL;
    return !*end || isalpha((unsigned char)*end) || *end == '%' || (unsigned char)*end >= 0x80;
}

bool guess_is_time(const cJSON *item, bool *ret_zoneless, bool *ret_nanoseconds)
{
    char text[64];
    int64_t ms;
    *ret_zoneless = *ret_nanoseconds = false;
    double number = cJSON_IsNumber(item) ? item->valuedouble : 0;
    if (cJSON_IsString(item)) {
        char *end;
        number = strtod(item->valuestring, &end);
        number = *end ? 0 : number;
    }
    if (number >= 946684800e9) {
        *ret_nanoseconds = number >= 946684800e9;
        return number < 4102444800e9;
    }
    for (double second = 1; second <= 1e6; second *= 1e3)
        if (number >= 946684800 * second && number < 4102444800 * second)
            return true;
    if (!cJSON_IsString(item) || strlen(item->valuestring) >= sizeof text || strlen(item->valuestring) < 10)
        return false;
    snprintf(text, sizeof text, "%s", item->valuestring);
    if (text[4] == '/' && text[7] == '/')
        text[4] = text[7] = '-';
    if (!eg_time_parse(text, strlen(text), &ms))
        return false;
    *ret_zoneless = !strpbrk(text + 10, "Zz+-");
    return true;
}
