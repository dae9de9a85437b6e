/* Times as field devices write them, by what a source says of them. */
#ifndef EG_STAMP_H
#define EG_STAMP_H

#include <ecogov/driver.h>

#define EG_STAMP_FORMAT_MAX 63

struct eg_stamp {
    double to_ms;      /* a number's unit; 0: by magnitude */
    int64_t offset_ms; /* of texts without a zone */
    bool has_offset;
    char format[EG_STAMP_FORMAT_MAX + 1]; /* of texts; "": what is usual */
};
/* NULL, or what is wrong with precision, utc_offset or time_format, a sentence. All zero is a good one, too. */
const char *eg_stamp_init(struct eg_stamp *ret_stamp, const struct eg_mapping *mapping);
bool eg_stamp_number(const struct eg_stamp *stamp, double number, int64_t *ret_ms);
/* By its format; without one a number in a text, RFC 3339, a date and time much like it (2026/1/3 7:05, 3.1.2026 07:05:30), or
 * YYYYMMDDhhmmss. */
bool eg_stamp_text(const struct eg_stamp *stamp, const char *text, size_t length, int64_t *ret_ms);
/* Whether a time written like RFC 3339 says its zone. */
bool eg_stamp_has_zone(const char *text, size_t length);

#endif
