/* Knows how a decimal number is written. Refuses to know JSON, units and what the number is for.
 * Called by drivers for numbers that come as text. */
#include "decimal.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_KEPT 18                     /* what 64 bits hold */
#define MANTISSA_EXACT (UINT64_C(1) << 53) /* up to there every integer is a double … */
#define POWER_EXACT 22 /* … and so is 10^22: one operation on two exact numbers rounds correctly */
#define EXPONENT_CAP 100000
#define TEXT_MAX 128

struct decimal {
    uint64_t mantissa; /* of the first digits, while exact */
    int digits;        /* significant ones */
    int exponent;      /* of ten, for the mantissa */
    bool negative;
    const char *begin, *point, *end; /* without sign and blanks; point NULL when there is none */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void take_digit(struct decimal *decimal, char c)
{
    if (decimal->digits == 0 && c == '0')
        return; /* a leading zero says nothing */
    if (decimal->digits < DIGITS_KEPT)
        decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(c - '0');
    decimal->digits++;
}

static bool scan_exponent(struct decimal *decimal, const char *at, const char *end)
{
    bool negative = false;
    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end)
        return false;
    int exponent = 0;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return false;
        if (exponent < EXPONENT_CAP)
            exponent = exponent * 10 + (*at - '0');
    }
    decimal->exponent += negative ? -exponent : exponent;
    return true;
}

static bool scan(const char *at, const char *end, struct decimal *decimal)
{
    if (at < end && (*at == '+' || *at == '-'))
        decimal->negative = *at++ == '-';
    decimal->begin = at;
    decimal->end = end;
    bool any = false;
    for (; at < end && (is_digit(*at) || *at == '.'); at++) {
        if (*at == '.') {
            if (decimal->point != NULL)
                return false;
            decimal->point = at;
            continue;
        }
        any = true;
        take_digit(decimal, *at);
        if (decimal->point != NULL)
            decimal->exponent--;
    }
    if (!any)
        return false;
    return at == end || ((*at == 'e' || *at == 'E') && scan_exponent(decimal, at + 1, end));
}

/* strtod() wants a NUL and the locale's own decimal point. */
static bool convert_slowly(const struct decimal *decimal, double *ret_value)
{
    char text[TEXT_MAX + 16];
    size_t length = 0;
    const char *point = localeconv()->decimal_point;
    const size_t point_length = strlen(point);
    if (decimal->end - decimal->begin > TEXT_MAX || point_length > 8)
        return false;
    for (const char *at = decimal->begin; at < decimal->end; at++) {
        if (at == decimal->point) {
            memcpy(text + length, point, point_length);
            length += point_length;
        } else {
            text[length++] = *at;
        }
    }
    text[length] = '\0';
    *ret_value = strtod(text, NULL);
    return true;
}

bool eg_decimal_exact(uint64_t mantissa, int exponent, double *ret_value)
{
    static const double powers[POWER_EXACT + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (mantissa > MANTISSA_EXACT || exponent < -POWER_EXACT || exponent > POWER_EXACT)
        return false;
    *ret_value = exponent < 0 ? (double)mantissa / powers[-exponent] : (double)mantissa * powers[exponent];
    return true;
}

bool eg_decimal_parse(const char *text, size_t length, double *ret_value)
{
    const char *end = text + length;
    while (text < end && is_blank(*text))
        text++;
    while (text < end && is_blank(end[-1]))
        end--;
    struct decimal decimal = {0};
    if (!scan(text, end, &decimal))
        return false;

    double value;
    if (!(decimal.digits <= DIGITS_KEPT && eg_decimal_exact(decimal.mantissa, decimal.exponent, &value)) &&
        !convert_slowly(&decimal, &value))
        return false;
    *ret_value = decimal.negative ? -value : value;
    return true;
}
