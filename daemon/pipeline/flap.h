/* Flapping: how often a case has changed of late. */
#ifndef EG_FLAP_H
#define EG_FLAP_H

#include <stdbool.h>
#include <stdint.h>

#define EG_FLAP_CHANGES 20
struct eg_flap {
    uint32_t case_number;
    unsigned count;
    int64_t at_ms[EG_FLAP_CHANGES]; /* when they were known, oldest first */
    int64_t reading_ms; /* the newest one's reading: from ok to critical it is one change, and two events */
};
void eg_flap_change(struct eg_flap *flap, int64_t known_ms, int64_t reading_ms);
double eg_flap_share(const struct eg_flap *flap, int64_t window_ms, int64_t at_ms); /* per cent */
bool eg_flap_is_above(const struct eg_flap *flap, int64_t window_ms, int high, int64_t at_ms);
/* The first moment from `from_ms` on at which it has calmed down below `low`, if nothing changes any more. */
int64_t eg_flap_calm(const struct eg_flap *flap, int64_t window_ms, int low, int64_t from_ms);

#endif
