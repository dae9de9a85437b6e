/* The configuration: YAML in, one immutable struct out. Whoever holds a `const struct eg_conf *` may keep pointers into it for
 * as long as that conf lives. libcyaml's schema tables (schema.c) are the one truth about keys. */
#ifndef EG_CONF_H
#define EG_CONF_H

#include <conf/rtc.h>
#include <ecogov/driver.h>
#include <ecogov/quantity.h>
#include <base/err.h>
#include <base/buf.h>
#include <stdbool.h>
#include <stdint.h>
#define EG_CONF_NONE UINT32_MAX
#define EG_DOMAIN_TEXT 32 /* bytes of a domain, with the NUL */

enum eg_level { EG_LEVEL_NONE = 0, EG_LEVEL_NOTICE, EG_LEVEL_WARNING, EG_LEVEL_CRITICAL, EG_LEVEL_COUNT };
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
enum eg_mode { EG_MODE_COLLABORATIVE, EG_MODE_GAP_FILLING, EG_MODE_ALTERNATIVE, EG_MODE_COUNT };
enum eg_sector { EG_SECTOR_GOVERNMENT, EG_SECTOR_MARKET, EG_SECTOR_SOCIETY, EG_SECTOR_COUNT };
enum eg_language { EG_LANGUAGE_ZH_CN, EG_LANGUAGE_EN, EG_LANGUAGE_COUNT };
enum eg_channel_kind { EG_BY_MQTT, EG_BY_WEBHOOK, EG_BY_MAIL, EG_BY_EXEC, EG_BY_COUNT };
enum eg_format { /* what a webhook's receiver understands */
                 EG_FORMAT_JSON,
                 EG_FORMAT_TEXT,
                 EG_FORMAT_WECOM,
                 EG_FORMAT_DINGTALK,
                 EG_FORMAT_FEISHU,
                 EG_FORMAT_NTFY,
                 EG_FORMAT_SLACK,
                 EG_FORMAT_ALERTMANAGER,
                 EG_FORMAT_COUNT
};
const char *eg_language_name(enum eg_language language);
const char *eg_channel_kind_name(enum eg_channel_kind kind);
const char *eg_level_name(enum eg_level level); /* "" for NONE, "notice" "warning" "critical" */
/* "p97.5" is EG_STAT_QUANTILE of 0.975. False: there is no such statistic. */
bool eg_statistic_find(const char *name, enum eg_statistic *ret_statistic, double *ret_share);
#define EG_STATISTIC_TEXT 16
char *eg_statistic_text(enum eg_statistic statistic, double share, char out[EG_STATISTIC_TEXT]);
const char *eg_mode_name(enum eg_mode mode);
const char *eg_sector_name(enum eg_sector sector);

struct eg_conf_mqtt {
    const char *host;
    int port;
    const char *client_id;
    const char *user, *password, *password_file; /* NULL where not given; password_file wins */
    const char *ca_file, *cert_file, *key_file;  /* ca_file switches TLS on */
    bool tls, tls_insecure;
    int keepalive_s;
    int receive_maximum;       /* default 65535 */
    int64_t session_expiry_ms; /* default 7d */
    bool publish;              /* outgoing MQTT (CONTRACT §6); default true */
};
#define EG_CONF_RETAIN_MAX 256
struct eg_conf_retain {
    const char *domain;              /* NULL: any */
    int quantity;                    /* EG_QUANTITY_NONE: any */
    int64_t raw_ms, hour_ms, day_ms; /* negative: not said here; 0: for ever */
};
struct eg_conf_store {
    const char *path;
    int64_t commit_interval_ms;    /* default 1 s */
    int64_t retain_raw_ms;         /* default 400 d; 0 in any of these: for ever */
    int64_t retain_hour_ms;        /* default 1825 d */
    int64_t retain_day_ms;         /* default 0 */
    struct eg_conf_retain *retain; /* by domain and quantity: the most specific wins */
    size_t retain_count;
    int64_t max_size;        /* bytes, default 4 GB */
    int64_t endurance_bytes; /* the card's, default 10 TB; 0: not estimated */
};
struct eg_conf_socket {
    const char *path;
    const char **supervisors;
    size_t supervisor_count; /* user names, or "@group" */
    /* Who enters what others did: names, or "@group". Not told: root and the daemon's own user, who are nobody in particular. */
    const char **clerks;
    size_t clerk_count;
    bool clerks_told;
};
struct eg_conf_board {
    const char *dir;
    int64_t interval_ms;
};
struct eg_conf_homeassistant { /* discovery over MQTT */
    bool enable, take_back;    /* take_back: it was switched off by hand: what was announced is taken back */
    const char *prefix;
    enum eg_language language;
    int64_t interval_ms; /* a device's state is not said more often */
    int64_t retire_ms;   /* not heard for so long, it is taken back; 0: never */
};
struct eg_conf_metrics {
    const char *file;    /* for node_exporter's textfile collector; NULL: none */
    int64_t interval_ms; /* default 60 s */
};

enum eg_template { EG_TEMPLATE_LINE, EG_TEMPLATE_MESSAGE, EG_TEMPLATE_COUNT };
extern const char *const eg_template_names[]; /* what may stand in braces; ends with NULL */
struct eg_conf_channel {                      /* a way by which parties are told */
    const char *id;
    enum eg_channel_kind kind;
    const char *topic;                  /* mqtt: where to, with {party} in it perhaps */
    const char *url;                    /* webhook, mail; may hold a secret */
    enum eg_format format;              /* webhook */
    const char *secret, *token;         /* webhook: for signing, for Authorization; NULL: none */
    const char *user, *password, *from; /* mail */
    const char *ca_file;                /* NULL: the system's */
    bool tls_insecure, starttls, private_network;
    const char *program, **arguments; /* exec */
    size_t argument_count;
    int64_t timeout_ms, retry_ms, give_up_ms;
    int limit; /* messages in a minute to one receiver; 0: any number */
};
struct eg_conf_hours { /* local minutes of the day; from == to: none (quiet hours) or all day (a route) */
    int from, to;      /* over midnight where to < from */
};
#define EG_DAYS_ALL 0x7fu
struct eg_conf_route { /* one of a party's channels, and when it is used */
    uint32_t channel;
    const char *to; /* the address there: a topic, an e-mail address, a number; "" for the channel's own */
    enum eg_level level;
    struct eg_conf_hours hours;
    unsigned days;     /* bit 0: Sunday */
    bool fallback;     /* only when one before it failed */
    int64_t repeat_ms; /* until somebody acknowledges; 0: not */
    enum eg_level repeat_level;
    int repeat_most;
    int digest_min; /* of the local day: the open cases, in one message; negative: no */
    bool digest_empty;
};
/* When a party works. Deadlines of its cases count working time only. */
#define EG_CALENDAR_HOURS 8
struct eg_conf_calendar {
    const char *id;
    uint8_t days; /* bit 0: Monday … bit 6: Sunday */
    struct {
        int from_min, to_min; /* of the local day, ascending */
    } hours[EG_CALENDAR_HOURS];
    size_t hour_count;
    struct eg_conf_dates {
        int32_t first, last; /* days since 1970-01-01, both belong to it */
    } * holidays, *workdays; /* a workday is one although its weekday is none, or a holiday */
    size_t holiday_count, workday_count;
};
/* Which cases: all that is said must fit. */
#define EG_MATCHER_DEVICE 192
struct eg_matcher {
    char site[64] /* it and all below */, domain[EG_DOMAIN_TEXT],
        device[EG_MATCHER_DEVICE] /* "a1" or "site/domain/a1" */, rule[64]; /* "": any */
    int quantity;                                                           /* EG_QUANTITY_NONE: any */
    enum eg_level level; /* those as bad as this, or less */
};
struct eg_conf_window { /* maintenance: nobody is told of what fits meanwhile */
    const char *id, *reason;
    struct eg_matcher matcher;
    struct eg_conf_hours hours;  /* from == to: all day */
    unsigned days;               /* on which it begins; bit 0: Sunday */
    struct eg_conf_dates *dates; /* on which it begins; none: any */
    size_t date_count;
};
struct eg_conf_flapping { /* a case that changes to and fro; per cent of 20 changes, newer ones weigh more */
    int64_t window_ms;    /* 0: not watched for */
    int high, low;
};
struct eg_conf_party {
    const char *id, *name;
    enum eg_sector sector;
    enum eg_language language;
    struct eg_conf_route *routes; /* none: nobody to tell */
    size_t route_count;
    struct eg_conf_hours quiet; /* from == to: none */
    const char *secret;         /* to acknowledge from afar; NULL: it cannot */
    const char **members;       /* user names, or "@group" */
    size_t member_count;        /* 0: whoever may write speaks for it */
    uint32_t calendar;          /* index in calendars, or EG_CONF_NONE: always at work */
};
struct eg_conf_site {
    const char *id, *name, *level; /* level: county township village spot (free text) */
    uint32_t parent;               /* index in sites, or EG_CONF_NONE */
    double latitude, longitude;    /* NaN where not given */
    enum eg_mode mode;
    uint32_t *parties;
    size_t party_count; /* indices in parties */
};
#define EG_CALIBRATIONS_MAX 64
struct eg_conf_calibration { /* value = raw * scale + offset, for readings from `from_ms` on */
    int quantity;
    const char *channel; /* NULL: any */
    double scale, offset;
    int64_t from_ms;  /* INT64_MIN: ever */
    int64_t until_ms; /* it is good so long; EG_TIME_NONE: nobody said */
};
/* How much of it has to be known for a statistic to be valid. */
struct eg_conf_validity {
    int64_t hour_ms;                               /* spoken for, of an hour */
    unsigned eight_hours, day_hours;               /* valid hours of eight, of a day */
    unsigned month_days, february_days, year_days; /* valid days; a year wants each of its months besides */
};
/* What quality control asks of a series; infinite, INT64_MAX: not asked. */
struct eg_conf_limits {
    double low, high;               /* usual */
    double rise, fall;              /* in a minute */
    int64_t stuck_ms, stuck_bad_ms; /* one and the same value for so long */
    double calm, full;              /* not asked of values down to, up from these */
    double noise, noise_share;      /* more than that within a calm hour, and than that share of the mean */
    double drift, drift_share;      /* so far from its neighbours, or by that share */
};
struct eg_conf_quality_row { /* says otherwise of a quantity at a site, of a device, or of both */
    int quantity;
    uint32_t site;      /* EG_CONF_NONE: any */
    const char *device; /* NULL: any */
    struct eg_conf_limits limits;
};
struct eg_conf_quality {
    bool strict;         /* what is in doubt is set aside as if it were bad */
    double humidity;     /* from here on particles are in doubt; infinite: never */
    double neighbours_m; /* so far apart at most */
    struct eg_conf_limits quantities[EG_QUANTITY_COUNT];
    struct eg_conf_quality_row *rows;
    size_t row_count;
};
struct eg_conf_device { /* described by hand; keys site+domain+id */
    const char *id, *domain, *name, *land_use;
    uint32_t site;
    int64_t silent_after_ms;    /* 0: learned */
    bool retired;               /* out of service: stored, but judged by no rule and missed by nobody */
    double latitude, longitude; /* NaN */
    struct eg_conf_calibration *calibrations;
    size_t calibration_count;
    int64_t calibration_due_ms; /* of all it measures; EG_TIME_NONE */
};
/* When the first of the calibrations that are in force at `now_ms` is due, and of which quantity (EG_QUANTITY_NONE: of the device);
 * EG_TIME_NONE: none will be. */
int64_t eg_conf_calibration_due(const struct eg_conf_device *device, int64_t now_ms, int *ret_quantity);
struct eg_conf_source {
    const char *id, *topic;             /* topic template */
    const char *site, *domain, *device; /* fixed values where the template has no {…}; NULL where it has */
    const struct eg_driver *driver;
    void *prepared;      /* the driver's compiled mapping */
    bool payload_device; /* the payload names the device; the topic need not */
    const uint16_t
        *ambient; /* quantities its devices tell in the air's own state; pipeline/ambient.h converts them */
    size_t ambient_count;
    double ambient_hpa; /* of messages that bring no pressure; 0: nobody said */
};
#define EG_AMBIENT_HPA_MIN 300 /* the highest mountain's and a little less */
#define EG_AMBIENT_HPA_MAX 1100
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
    bool below;                /* direction */
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
struct eg_conf {
    const char *path; /* of the main file, absolute */
    struct eg_conf_mqtt mqtt;
    struct eg_conf_store store;
    struct eg_conf_socket socket;
    struct eg_conf_board board;
    struct eg_conf_quality quality;
    struct eg_conf_validity validity;
    struct eg_conf_metrics metrics;
    struct eg_conf_clock clock;
    struct eg_conf_homeassistant home_assistant;
    const char *time_zone;
    bool auto_register;          /* default true */
    int64_t late_limit_ms;       /* default 24 h */
    int64_t future_tolerance_ms; /* default 5 m */
    int64_t max_devices;         /* default 20000 */
    struct eg_conf_site *sites;
    size_t site_count;
    const char *template_folder; /* NULL: none of their own */
    const char *templates[EG_LANGUAGE_COUNT][EG_TEMPLATE_COUNT];
    struct eg_conf_channel *channels;
    size_t channel_count;
    struct eg_conf_party *parties;
    size_t party_count;
    struct eg_conf_calendar *calendars;
    size_t calendar_count;
    struct eg_conf_terms maintenance; /* of cases about a sensor */
    struct eg_conf_window *windows;   /* maintenance.windows */
    size_t window_count;
    struct eg_conf_flapping flapping;
    struct {
        const char **submitters; /* may report, besides those who may write: user names, or "@group" */
        size_t submitter_count;
        enum eg_level level;
        struct eg_conf_terms terms;
    } reports;
    struct eg_conf_device *devices;
    size_t device_count;
    struct eg_conf_source *sources;
    size_t source_count;
    struct eg_conf_rule *rules;
    size_t rule_count;
    bool looks_around; /* some rule looks at other devices of its site */
};

/* Reads `path` and all it includes. On any fault: NULL, and every fault in `faults`, a line each, as
 * "file:line:column: sentence\n", sorted by place. Relative paths inside are made absolute against the file that names
 * them. */
struct eg_conf *eg_conf_load(const char *path, struct eg_buf *faults);
/* The same from memory: the fuzzer's and the tests' entrance. `name` stands for the file in faults; includes are refused. */
struct eg_conf *eg_conf_parse(const char *name, const char *text, size_t length, struct eg_buf *faults);
void eg_conf_destroy(struct eg_conf *conf); /* accepts NULL */
/* The presets that were built in, by name. Borrowed for the call; NULL where a preset does not say. False: no memory. */
struct eg_conf_preset {
    const char *id, *about, *driver, *codec, *domain, *topic;
};
bool eg_conf_presets(void (*each)(void *user, const struct eg_conf_preset *preset), void *user);
uint32_t eg_conf_site_find(const struct eg_conf *conf, const char *id,
                           size_t length); /* index or EG_CONF_NONE */
/* The closest that is said: of the device at the site, of the device, of the site, of all. */
const struct eg_conf_limits *eg_conf_limits_of(const struct eg_conf *conf, int quantity, uint32_t site,
                                               const char *device);
const struct eg_conf_party *eg_conf_party_find(const struct eg_conf *conf, const char *id); /* or NULL */
uint32_t eg_conf_party_index(const struct eg_conf *conf, const char *id); /* index or EG_CONF_NONE */
const struct eg_conf_channel *eg_conf_channel_find(const struct eg_conf *conf, const char *id); /* or NULL */
bool eg_conf_is_address(const char *text);                              /* of e-mail, without a name */
bool eg_conf_hours_hold(const struct eg_conf_hours *hours, int minute); /* from == to: false */
const struct eg_conf_rule *eg_conf_rule_find(const struct eg_conf *conf, const char *id); /* or NULL */
/* The unit of what a rule judges: the quantity's own, for a rate "per hour". `rule` may be NULL. Gives `out` back. */
#define EG_UNIT_TEXT 32
char *eg_conf_rule_unit(const struct eg_conf_rule *rule, int quantity, char out[EG_UNIT_TEXT]);
bool eg_conf_site_within(const struct eg_conf *conf, uint32_t site, uint32_t ancestor); /* itself counts */
#endif
