/* What goes for a rule at a reading besides its statistic: which band's limits, and whether its further conditions hold. */
#ifndef EG_CIRCUMSTANCE_H
#define EG_CIRCUMSTANCE_H

#include <conf/conf.h>

/* Why a rule judges nothing at a reading. Stored: numbers are forever. */
enum eg_blind {
    EG_BLIND_NOT,
    EG_BLIND_VALUE,    /* its statistic has no value */
    EG_BLIND_INVALID,  /* too little of the window is known */
    EG_BLIND_LAND_USE, /* nobody said what the land is used for */
    EG_BLIND_MISSING,  /* another quantity was never measured */
    EG_BLIND_STALE,    /* another quantity's newest reading is too old, or too few for its statistic */
    EG_BLIND_NO_BAND,  /* none fits */
    EG_BLIND_COUNT
};
const char *eg_blind_text(enum eg_blind blind); /* a note in a case's history; "" */
/* The case is unknown, then. Not where a local hour, day or month has not lasted long enough yet: what was, stands until then. */
bool eg_blind_unsettles(const struct eg_conf_rule *rule, enum eg_blind blind);
const char *
eg_blind_name(enum eg_blind blind); /* "" "value" "invalid" "land_use" "missing" "stale" "no_band" */

/* Where and what the judged series is. Borrowed. */
struct eg_place {
    const struct eg_conf *conf;
    uint32_t site;        /* in conf, or EG_CONF_NONE */
    const char *land_use; /* "" or NULL: nobody said */
    const char *device, *channel;
};
/* One series that a partner of the rule stands for, as of the time of judging. */
struct eg_sight {
    unsigned partner;
    uint32_t series;
    bool same_channel; /* as the judged one: then the others do not count */
    bool measured;     /* there is a reading at all */
    bool known;        /* and a value of the statistic at it */
    int64_t ms;        /* the newest reading */
    double value;
};
struct eg_circumstance {
    enum eg_blind blind;
    unsigned partner; /* of MISSING and STALE */
    int band;         /* the one that fits; -1: the rule has none, or none fits */
    const struct eg_conf_limit *levels;
    bool holds; /* the further conditions do */
};
/* False: blind, nothing can be judged. */
bool eg_circumstance_tell(const struct eg_conf_rule *rule, const struct eg_place *place, int64_t at_ms,
                          const struct eg_sight *sights, size_t count, struct eg_circumstance *ret);
/* The sight that a band's range looks at: the newest that is fresh; NULL, and then why. */
const struct eg_sight *eg_circumstance_newest(const struct eg_conf_rule *rule, unsigned partner,
                                              int64_t at_ms, const struct eg_sight *sights, size_t count,
                                              enum eg_blind *ret_blind);

#endif
