/* What a payload would become under a configuration. */
#ifndef EG_CTL_ATTEMPT_H
#define EG_CTL_ATTEMPT_H
#include "session.h"

#include <conf/conf.h>

struct attempt {
    const char *source; /* NULL: the one that takes the topic */
    const char *topic;
    bool retain;
    bool again;                          /* it came at `arrived_ms`, and is read once more now */
    const char *made_site, *made_device; /* names that nobody has given: told as null; NULL: there are none */
    int64_t arrived_ms;
    const uint8_t *payload;
    size_t length;
};
/* NULL after all its faults on stderr. */
struct eg_conf *attempt_load(const char *path);
/* Prints the answer as JSON, a reading a line unless `json`. An EXIT_ code, its sentence on stderr. */
int attempt_run(const struct eg_conf *conf, const struct attempt *attempt, bool json);
#endif
