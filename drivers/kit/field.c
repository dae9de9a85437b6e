/* What a mapping says of one field, applied: words, codes for "not measured", scale and offset, units. Pure; called by drivers. */
#include "field.h"

#include "codepoint.h"
#include "decimal.h"
#include "excerpt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MAX 64 /* bytes of a number in a text */

#define BEYOND 0.05 /* of the span: a little below the bottom is a dent, more is no bin */

bool eg_span_init(struct eg_span *ret_span, const struct eg_field *given, int quantity, char *error,
                  size_t error_size)
{
    *ret_span = (struct eg_span){.given = given->empty != NULL || given->full != NULL};
    const char *wrong = NULL;
    if (!ret_span->given)
        return true;
    if (given->empty == NULL || given->full == NULL)
        wrong = "empty and full belong together: the numbers that are 0 % and 100 %";
    else if (!isfinite(*given->empty) || !isfinite(*given->full) || *given->empty == *given->full)
        wrong = "empty and full must be two numbers";
    else if (strcmp(eg_quantity_info(quantity)->unit, "%") != 0)
        wrong = "empty and full make a percentage, such as fill_level";
    else if ((given->scale != 0 && given->scale != 1) || given->offset != 0)
        wrong = "empty and full leave nothing to scale and offset";
    if (wrong != NULL) {
        (void)snprintf(error, error_size, "%s", wrong);
        return false;
    }
    ret_span->empty = *given->empty;
    ret_span->full = *given->full;
    return true;
}

enum eg_field_kind eg_span_apply(const struct eg_span *span, double number, double *ret_value)
{
    const double share = (span->empty - number) / (span->empty - span->full);
    if (share < -BEYOND)
        return EG_FIELD_FAULT;
    *ret_value = eg_unit_apply(&(struct eg_unit_map){100, 0}, share < 0 ? 0 : share > 1 ? 1 : share);
    return EG_FIELD_NUMBER;
}

static bool copy_lists(struct eg_field_plan *plan, const struct eg_field *given)
{
    plan->missing = calloc(given->missing_count + 1, sizeof *plan->missing);
    plan->words = calloc(given->word_count + 1, sizeof *plan->words);
    if (plan->missing == NULL || plan->words == NULL)
        return false;
    for (size_t i = 0; i < given->missing_count; i++)
        plan->missing[plan->missing_count++] = given->missing[i];
    for (size_t i = 0; i < given->word_count; i++) {
        plan->words[i] = (struct eg_word){strdup(given->words[i].text), given->words[i].value};
        plan->word_count = i + 1;
        if (plan->words[i].text == NULL)
            return false;
    }
    return true;
}

bool eg_field_init(struct eg_field_plan *ret_plan, const struct eg_field *given, const char *unit,
                   char *error, size_t error_size)
{
    char shown[EG_EXCERPT_MAX];
    const char *name = given->quantity == NULL ? "" : given->quantity,
               *channel = given->channel == NULL ? "" : given->channel;
    *ret_plan =
        (struct eg_field_plan){.scale = given->scale == 0 ? 1 : given->scale, .offset = given->offset};
    const int quantity = eg_quantity_find(name, strlen(name));
    if (quantity == EG_QUANTITY_NONE || eg_quantity_derived(quantity)) {
        (void)snprintf(error, error_size, "%s \"%s\" (docs/quantities.md lists them)",
                       quantity == EG_QUANTITY_NONE ? "there is no quantity" : "no device measures",
                       eg_excerpt_write(name, strlen(name), shown));
        return false;
    }
    ret_plan->quantity = (uint16_t)quantity;
    if (!eg_span_init(&ret_plan->span, given, quantity, error, error_size))
        return false;
    ret_plan->own_unit = ret_plan->span.given || (given->unit != NULL && given->unit[0] != '\0');
    if (ret_plan->span.given)
        unit = NULL; /* the numbers are compared as they come */
    else if (ret_plan->own_unit)
        unit = given->unit;
    if (!eg_unit_find(quantity, unit, &ret_plan->unit)) {
        (void)snprintf(error, error_size, "%s does not come in \"%s\"; its own unit is %s",
                       eg_quantity_info(quantity)->name, eg_excerpt_write(unit, strlen(unit), shown),
                       eg_quantity_info(quantity)->unit);
        return false;
    }
    if (strlen(channel) > EG_CHANNEL_MAX || !eg_codepoint_printable_text(channel, strlen(channel))) {
        (void)snprintf(error, error_size, "the channel's name must be at most %d bytes of printable text",
                       EG_CHANNEL_MAX);
        return false;
    }
    memcpy(ret_plan->channel, channel, strlen(channel));
    if (!isfinite(ret_plan->scale) || !isfinite(ret_plan->offset) || !copy_lists(ret_plan, given)) {
        (void)snprintf(error, error_size,
                       "scale and offset must be finite numbers, and there must be memory");
        return false;
    }
    return true;
}

void eg_field_finish(struct eg_field_plan *plan)
{
    for (size_t i = 0; i < plan->word_count; i++)
        free((char *)(uintptr_t)plan->words[i].text);
    free(plan->words);
    free(plan->missing);
    *plan = (struct eg_field_plan){.scale = 1};
}

static enum eg_field_kind convert(const struct eg_field_plan *plan, const struct eg_unit_map *unit,
                                  double number, double *ret_value)
{
    for (size_t i = 0; i < plan->missing_count; i++)
        if (number == plan->missing[i])
            return EG_FIELD_FAULT;
    if (plan->span.given)
        return eg_span_apply(&plan->span, number, ret_value);
    if (plan->scale != 1 || plan->offset != 0) /* rounded like a unit's: 14.1, not 14.100000000000001 */
        number = eg_unit_apply(&(struct eg_unit_map){plan->scale, plan->offset}, number);
    *ret_value = eg_unit_apply(unit, number);
    return EG_FIELD_NUMBER;
}

enum eg_field_kind eg_field_number(const struct eg_field_plan *plan, double number, double *ret_value)
{
    return convert(plan, &plan->unit, number, ret_value);
}

size_t eg_field_leading(const char *text, size_t length, double *ret_number)
{
    size_t end = 0;
    while (end < length && (text[end] == ' ' || text[end] == '\t'))
        end++;
    while (end < length && end < NUMBER_MAX && strchr("+-.0123456789eE", text[end]) != NULL &&
           text[end] != '\0')
        end++;
    while (end > 0 && !eg_decimal_parse(text, end, ret_number))
        end--;
    return end;
}

/* What may stand behind a number: a unit or a word, nothing that could belong to the number ("12,5", "2026-11-23"). */
static bool may_follow(const char *rest, size_t length)
{
    if (length == 0)
        return true;
    const unsigned char c = (unsigned char)*rest;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%' || c >= 0x80;
}

enum eg_field_kind eg_field_text(const struct eg_field_plan *plan, const char *text, size_t length,
                                 double *ret_value)
{
    char unit_text[NUMBER_MAX];
    struct eg_unit_map unit = plan->unit;
    double number;
    for (size_t i = 0; i < plan->word_count; i++)
        if (strlen(plan->words[i].text) == length && strncasecmp(plan->words[i].text, text, length) == 0)
            return convert(plan, &plan->unit, plan->words[i].value, ret_value);
    if (length == 3 && strncasecmp(text, "nan", 3) == 0)
        return EG_FIELD_FAULT;
    size_t used = eg_field_leading(text, length, &number);
    while (used < length &&
           (text[used] == ' ' || text[used] == '\t' || text[used] == '\n' || text[used] == '\r'))
        used++;
    if (used == 0)
        return EG_FIELD_NONE;
    const char *rest = text + used;
    length -= used;
    while (length > 0 && strchr(" \t\r\n", rest[length - 1]) != NULL && rest[length - 1] != '\0')
        length--;
    if (!may_follow(rest, length) || !isfinite(number))
        return EG_FIELD_WRONG;
    if (length > 0 && length < sizeof unit_text) {
        memcpy(unit_text, rest, length);
        unit_text[length] = '\0';
        if (!eg_unit_find(plan->quantity, unit_text, &unit)) /* a word that is no unit of it says nothing */
            unit = plan->unit;
    }
    return convert(plan, &unit, number, ret_value);
}
