/* What a key of an unknown payload may mean: a quantity, a unit. */
#ifndef EG_CTL_GUESS_NAME_H
#define EG_CTL_GUESS_NAME_H
#include <ecogov/quantity.h>
#include <ecogov/reading.h>

#define GUESS_UNIT 16
struct guess_name {
    int quantity;                     /* EG_QUANTITY_NONE: nothing that is known */
    bool refined;                     /* "compensated", "corrected": better than its namesake */
    char unit[GUESS_UNIT];            /* as the name says it, one that the quantity can come in; "" */
    char channel[EG_CHANNEL_MAX + 1]; /* what else it says: a probe, a depth; "" */
};
/* `keys`: the value's own, then those above it, `count` at the least 1; NULL: an index of an array. `said`: a unit that stands beside it,
 * or NULL. */
void guess_name(const char *const *keys, size_t count, const char *said, struct guess_name *ret);

struct guess_unit {
    bool plausible;      /* else it is no value of that quantity */
    bool sure;           /* named, or the only one in which the value makes sense */
    int quantity;        /* another than was asked for: a "battery" of 3.6 is a voltage */
    const char *unit;    /* NULL: the canonical one */
    double scale, value; /* 1, or a power of ten; the value in the canonical unit */
};
void guess_unit(const struct guess_name *name, double value, struct guess_unit *ret);
/* A number that devices send when they could not measure. */
bool guess_is_code(double value);
#endif
