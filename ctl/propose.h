/* What `try --guess` prints. */
#ifndef EG_CTL_PROPOSE_H
#define EG_CTL_PROPOSE_H
#include "guess.h"

/* A source that reads the payload, as YAML on stdout. An EXIT_ code, its sentence on stderr. */
int propose(const uint8_t *payload, size_t length, const struct guess_place *place);
void propose_offset(int64_t at_ms, char out[8]); /* of the zone in use: "+08:00" */
#endif
