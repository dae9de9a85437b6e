/* The configuration: YAML in, one immutable struct out. Whoever holds a `const struct eg_conf *` may keep pointers into it for
 * as long as that conf lives. libcyaml's schema tables (schema*.c) are the one truth about keys. Parts that
 * stand for themselves have a header of their own. */
#ifndef EG_CONF_H
#define EG_CONF_H

#include <conf/people.h>
#include <conf/quality.h>
#include <conf/rtc.h>
#include <conf/rule.h>
#include <conf/settings.h>
#include <ecogov/driver.h>
#include <ecogov/quantity.h>
#include <base/err.h>
#include <base/buf.h>
#include <stdbool.h>
#include <stdint.h>

struct eg_conf_site {
    const char *id, *name, *level; /* level: county township village spot (free text) */
    uint32_t parent;               /* index in sites, or EG_CONF_NONE */
    double latitude, longitude;    /* NaN where not given */
    enum eg_mode mode;
    uint32_t *parties;
    size_t party_count; /* indices in parties */
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
const struct eg_conf_rule *eg_conf_rule_find(const struct eg_conf *conf, const char *id);       /* or NULL */
/* The unit of what a rule judges: the quantity's own, for a rate "per hour". `rule` may be NULL. Gives `out` back. */
#define EG_UNIT_TEXT 32
char *eg_conf_rule_unit(const struct eg_conf_rule *rule, int quantity, char out[EG_UNIT_TEXT]);
bool eg_conf_site_within(const struct eg_conf *conf, uint32_t site, uint32_t ancestor); /* itself counts */
#endif
