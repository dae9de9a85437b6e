/* What is judged, and what the handling of a case is held to. Part of conf.h. */
#ifndef EG_CONF_RULE_H
#define EG_CONF_RULE_H

#include <conf/basic.h>
#include <stddef.h>

enum eg_statistic {
    EG_STAT_LAST,
    EG_STAT_MEAN,
    EG_STAT_MIN,
    EG_STAT_MAX,
    EG_STAT_SUM,
    EG_STAT_RATE,
    EG_STAT_AQI_CN,
    EG_STAT_AQI_US,
    EG_STAT_READINGS,    /* "count": how many */
    EG_STAT_STDDEV,      /* of the sample: over n - 1 */
    EG_STAT_QUANTILE,    /* "p95" */
    EG_STAT_ABOVE,       /* minutes above a limit */
    EG_STAT_VECTOR_MEAN, /* of directions in degrees */
    EG_STAT_MAX_8H,      /* the greatest running mean of 8 h; for questions */
    EG_STAT_CHANGE,      /* from the first to the last reading, in the quantity's own unit */
    EG_STAT_COUNT
};
/* What a window is aligned to; SLIDING: to its newest reading. */
enum eg_calendar {
    EG_CALENDAR_SLIDING,
    EG_CALENDAR_HOUR,
    EG_CALENDAR_DAY,
    EG_CALENDAR_MONTH,
    EG_CALENDAR_YEAR /* for questions */
};
/* "p97.5" is EG_STAT_QUANTILE of 0.975. False: there is no such statistic. */
bool eg_statistic_find(const char *name, enum eg_statistic *ret_statistic, double *ret_share);
/* It adds up, subtracts or orders values: of directions, which go in a circle, it says nothing. */
bool eg_statistic_linear(enum eg_statistic statistic);
#define EG_STATISTIC_TEXT 16
char *eg_statistic_text(enum eg_statistic statistic, double share, char out[EG_STATISTIC_TEXT]);
/* What the handling of a case is held to. */
enum eg_deadline { EG_DEADLINE_ACKNOWLEDGE, EG_DEADLINE_FIX, EG_DEADLINE_VERIFY, EG_DEADLINE_COUNT };
const char *eg_deadline_name(enum eg_deadline deadline); /* "acknowledge" "fix" "verify" */
struct eg_conf_terms {
    int64_t deadline_ms[EG_LEVEL_COUNT][EG_DEADLINE_COUNT]; /* 0: none */
    bool has_mode;                                          /* else the site's */
    enum eg_mode mode;
    unsigned
        measured_hours; /* so many valid hours within `clear` close it; 0: only somebody who has looked does */
    int64_t reopen_within_ms; /* a breach so soon after the closing is the same matter; 0: never */
    unsigned
        regional_sites; /* cases at so many neighbouring sites, opened within so long, are one regional matter; 0: never */
    int64_t regional_within_ms;
};
struct eg_conf_limit {
    bool set;
    double open, clear;
};
/* What a rule looks at beside its own quantity: a statistic of another one, of the same device or of any at its site. */
#define EG_CONF_PARTNERS_MAX 16
struct eg_conf_partner {
    int quantity;
    enum eg_statistic statistic;
    double share;
    int64_t window_ms; /* 0 of the reading itself. Aligned: as long as it may be */
    enum eg_calendar calendar;
    int64_t within_ms; /* what is older than that at the time of judging is not known any more */
    bool of_site;
};
struct eg_conf_words {
    const char **rows;
    size_t count; /* 0: whatever it is */
};
struct eg_conf_range { /* low < x <= high */
    unsigned partner;
    double low, high; /* infinite where open */
};
/* Limits for some circumstances. All that is said must be so. */
#define EG_CONF_BANDS_MAX 64
struct eg_conf_band {
    struct eg_conf_words land_uses, devices, channels;
    uint32_t *sites; /* or below them */
    size_t site_count;
    bool has_hours, has_season;
    struct eg_conf_hours hours; /* of the local day */
    int season_from,
        season_to; /* month * 100 + day of the local calendar, both belong to it; over New Year where from > to */
    struct eg_conf_range *ranges;
    size_t range_count;
    struct eg_conf_limit levels[EG_LEVEL_COUNT];
};
/* What must be so besides the limit: a tree, each node before those under it. */
#define EG_CONF_NODES_MAX 64
enum eg_node_kind { EG_NODE_AND, EG_NODE_OR, EG_NODE_TEST };
struct eg_conf_node {
    enum eg_node_kind kind;
    unsigned end;        /* the node behind all that is under it */
    unsigned partner;    /* of a test */
    double above, below; /* of a test: strictly; infinite where not asked */
};
/* What a rule is about: readings, or a device itself. */
enum eg_when {
    EG_WHEN_READINGS,
    EG_WHEN_SILENT,      /* a device is not heard */
    EG_WHEN_OUTAGE,      /* none of a site's devices is */
    EG_WHEN_SUSPECT,     /* what it measures is in doubt */
    EG_WHEN_CALIBRATION, /* its calibration is due */
    EG_WHEN_COUNT
};
const char *eg_when_name(enum eg_when when); /* "readings" "silent" "outage" "suspect" "calibration" */
struct eg_conf_rule {
    const char *id, *domain; /* domain NULL: any */
    enum eg_when when;       /* of a device itself: no quantity, no limits, one level */
    unsigned devices;        /* so many make an outage, at least */
    int64_t ahead_ms;        /* people are told so long before a calibration is due */
    int quantity;            /* enum eg_quantity, or EG_QUANTITY_NONE */
    bool index; /* the quantity is an index: of each site, by `calendar` hour or day, not of a series */
    enum eg_statistic statistic;
    double share;              /* of a quantile, 0 … 1 */
    double above;              /* the limit of EG_STAT_ABOVE */
    int64_t window_ms;         /* of all but last; default 1h. Aligned: as long as it may be */
    enum eg_calendar calendar; /* aligned: from the start of the local hour, day, month */
    int64_t valid_ms;          /* as much of it must be spoken for; 0: valid_share of it */
    double valid_share;        /* 0: nothing is asked */
    unsigned valid_hours;      /* instead, of 8 h and of a day: so many hours, each with valid_hour_ms; 0 */
    int64_t valid_hour_ms;
    bool below; /* direction */
    struct eg_conf_limit levels
        [EG_LEVEL_COUNT]; /* by enum eg_level; of a rule with bands: the strictest of each, to be shown */
    struct eg_conf_partner *partners;
    size_t partner_count;
    struct eg_conf_band *bands; /* the first that fits; none: `levels` hold always */
    size_t band_count;
    struct eg_conf_node *nodes; /* none: nothing but the limit */
    size_t node_count;
    int64_t hold_ms, clear_hold_ms;
    int64_t
        gap_ms; /* so far apart two readings may be for the time between to be observed; 0: as usual for the series */
    uint32_t *sites;
    size_t site_count;          /* empty: everywhere; else these and all below */
    const char *basis, *action; /* "" where not given */
    const char *basis_zh, *action_zh;
    const char *title_en, *title_zh; /* "" where not given */
    struct eg_conf_terms terms;
    int limit;        /* messages about its cases in an hour to one receiver; 0: any number */
    uint64_t version; /* hash of the rule's meaning: changes when the text does */
};

#endif
