/* Decimal numbers in texts, whatever the locale. */
#ifndef EG_DECIMAL_H
#define EG_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [+-] digits [. digits] [e [+-] digits], at least one digit before the exponent; blanks around it are
 * allowed, nothing else is: no hexadecimal, no "nan", no "inf". The nearest double; ±infinity when it is too
 * large for one. */
bool eg_decimal_parse(const char *text, size_t length, double *ret_value);
/* The double nearest to mantissa * 10^exponent, where a single operation gives it; false where it does not. */
bool eg_decimal_exact(uint64_t mantissa, int exponent, double *ret_value);

#endif
