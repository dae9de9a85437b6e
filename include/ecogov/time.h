/* Times as text: RFC 3339 in UTC with milliseconds, and the epochs that field devices send. Pure; never asks a clock. */
#ifndef ECOGOV_TIME_H
#define ECOGOV_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EG_TIME_TEXT 25 /* "2026-11-23T07:00:00.000Z" and NUL */

/* RFC 3339 with 'T', 't' or a blank, 'Z' or a numeric offset, any number of fraction digits (cut to ms), leap second 60 taken
 * as 59.999. A time without zone is taken as UTC. Years 1970 to 9999. */
bool eg_time_parse(const char *text, size_t length, int64_t *ret_ms);
/* Epoch in s, ms or us by magnitude (< 1e11 s, < 1e14 ms, else us). False below 0 or beyond year 9999. */
bool eg_time_from_epoch(double epoch, int64_t *ret_ms);
/* Writes EG_TIME_TEXT bytes; gives `out` back. */
char *eg_time_format(int64_t ms, char out[EG_TIME_TEXT]);

#endif
