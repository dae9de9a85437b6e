/* Times as field devices write them, by what a source says of them. */
#ifndef EG_STAMP_H
#define EG_STAMP_H

#include <ecogov/driver.h>

struct eg_stamp {
    double to_ms;      /* a number's unit; 0: by magnitude */
    int64_t offset_ms; /* of texts without a zone */
    bool has_offset;
};
/* NULL, or what is wrong with precision or utc_offset, a sentence. All zero is a good one, too. */
const char *eg_stamp_init(struct eg_stamp *ret_stamp, const struct eg_mapping *mapping);
bool eg_stamp_number(const struct eg_stamp *stamp, double number, int64_t *ret_ms);
/* A number in a text, or RFC 3339, with '/' for '-' as well. */
bool eg_stamp_text(const struct eg_stamp *stamp, const char *text, size_t length, int64_t *ret_ms);
/* Whether a time written like RFC 3339 says its zone. */
bool eg_stamp_has_zone(const char *text, size_t length);

#endif
