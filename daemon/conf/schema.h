/* What a configuration file may hold, as libcyaml tables: the one truth about keys. Private to the room. Numbers that have a default
 * are pointers: NULL means "not given". Strings are as written; what they mean is resolve.c's business. */
#ifndef EG_CONF_SCHEMA_H
#define EG_CONF_SCHEMA_H

#include <ecogov/quantity.h>

#include <cyaml/cyaml.h>
#include <stdbool.h>

struct eg_raw_mqtt {
    char *host, *client_id, *user, *password, *password_file, *ca_file, *cert_file, *key_file, *keepalive,
        *session_expiry;
    int *port, *receive_maximum;
    bool *tls, *tls_insecure, *publish;
};
struct eg_raw_retain {
    char *domain, *quantity, *raw, *hour, *day;
};
struct eg_raw_store {
    char *path, *commit_interval, *retain_raw, *retain_hour, *retain_day, *max_size, *endurance;
    struct eg_raw_retain *retain;
    unsigned retain_count;
};
struct eg_raw_socket {
    char *path;
    char **supervisors;
    unsigned supervisors_count;
    char **clerks;
    unsigned clerks_count;
};
struct eg_raw_board {
    char *dir, *interval;
};
struct eg_raw_clock {
    int *rtc, *devices;
    char *within;
};
struct eg_raw_metrics {
    char *file, *interval;
};
struct eg_raw_quality_limits {
    char *quantity, *site, *device, *stuck, *stuck_bad;
    double *low, *high, *step, *fall, *spike, *spike_share, *noise, *noise_share, *drift, *drift_share;
};
struct eg_raw_quality {
    int *set_aside;
    double *humidity, *neighbours;
    struct eg_raw_quality_limits *limits;
    unsigned limits_count;
};
struct eg_raw_homeassistant {
    bool *enable;
    char *prefix, *interval, *retire_after;
    int *language;
};
struct eg_raw_validity {
    char *hour;
    int *eight_hours, *day, *month, *february, *year;
};
struct eg_raw_channel {
    char *id, *topic, *url, *url_file, *secret_file, *token_file, *user, *password_file, *from, *ca_file,
        *program, *timeout, *retry, *give_up;
    int kind, *format, *limit;
    bool *tls_insecure, *starttls, *private_network;
    char **arguments;
    unsigned arguments_count;
};
struct eg_raw_route {
    char *id, *to, *hours, *repeat, *digest;
    bool *fallback, *digest_empty;
    int *level, *repeat_level, *repeat_most;
    int *days;
    unsigned days_count;
};
struct eg_raw_party {
    char *id, *name, *quiet, *secret_file, *calendar;
    int sector, *language;
    struct eg_raw_route *channels;
    unsigned channels_count;
    char **members;
    unsigned members_count;
};
struct eg_raw_calendar {
    char *id;
    int *days;
    char **hours, **holidays, **workdays;
    unsigned days_count, hours_count, holidays_count, workdays_count;
};
struct eg_raw_site {
    char *id, *name, *level, *parent;
    double *latitude, *longitude;
    int *mode;
    char **parties;
    unsigned parties_count;
};
struct eg_raw_position {
    double latitude, longitude;
};
struct eg_raw_calibration {
    char *quantity, *channel, *from, *until;
    double *scale, *offset;
};
struct eg_raw_device {
    char *id, *site, *domain, *name, *land_use, *silent_after, *calibration_due;
    bool *retired;
    struct eg_raw_position *position;
    struct eg_raw_calibration *calibration;
    unsigned calibration_count;
};
struct eg_raw_word {
    char *text;
    double value;
};
struct eg_raw_field {
    char *path, *quantity, *unit, *channel;
    double *empty, *full, *scale, *offset, *missing;
    unsigned missing_count;
    struct eg_raw_word *words;
    unsigned words_count;
};
struct eg_raw_mapping { /* what a source and a preset have in common */
    char *driver, *time, *readings, *channel, *device_path, *quantity, *value, *unit, *precision, *utc_offset;
    char *time_format, *separator, *decimal;
    char *codec, *checksum, *unmatched;
    char **ambient;
    unsigned ambient_count;
    double *ambient_pressure;
    struct eg_raw_field *fields;
    unsigned fields_count;
};
struct eg_raw_source {
    char *id, *preset, *topic, *site, *domain, *device;
    struct eg_raw_mapping mapping;
};
struct eg_raw_preset {
    char *id, *about, *topic, *domain;
    struct eg_raw_mapping mapping;
};
struct eg_raw_limit {
    double open, clear;
};
struct eg_raw_levels {
    struct eg_raw_limit *notice, *warning, *critical;
};
struct eg_raw_range {
    char **ends;
    unsigned ends_count;
};
struct eg_raw_when {
    char *land_use, *site, *device, *channel, *hours, *season;
    struct eg_raw_range ranges[EG_QUANTITY_COUNT];
};
struct eg_raw_band {
    struct eg_raw_when when;
    struct eg_raw_levels levels;
};
struct eg_raw_condition { /* a test, or a list of which all or some must be so */
    char *quantity, *statistic, *window, *within;
    double *above, *below;
    int *of;
    struct eg_raw_condition *all, *any;
    unsigned all_count, any_count;
};
struct eg_raw_spans {
    char *acknowledge, *fix, *verify;
};
struct eg_raw_deadline {
    struct eg_raw_spans any;
    struct eg_raw_spans *notice, *warning, *critical;
};
struct eg_raw_regional {
    int sites;
    char *within;
};
struct eg_raw_window {
    char *id, *reason, *site, *domain, *device, *quantity, *rule, *hours;
    int *level, *days;
    unsigned days_count;
    char **dates;
    unsigned dates_count;
};
struct eg_raw_maintenance {
    struct eg_raw_spans *deadline;
    struct eg_raw_window *windows;
    unsigned windows_count;
};
struct eg_raw_flapping {
    char *window;
    int *high, *low;
};
struct eg_raw_reports {
    char **submitters;
    unsigned submitters_count;
    int *level;
    struct eg_raw_spans *deadline;
};
struct eg_raw_rule {
    char *id, *domain, *quantity, *window, *hold, *clear_hold, *basis, *basis_zh, *action, *action_zh, *title,
        *title_zh, *reopen_within;
    char *statistic, *valid;
    double *above;
    int *direction, *mode, *close, *close_hours, *limit;
    struct eg_raw_regional *regional;
    struct eg_raw_levels *levels;
    struct eg_raw_band *bands;
    unsigned bands_count;
    struct eg_raw_condition *all, *any;
    unsigned all_count, any_count;
    char *within, *gap;
    int *of;
    char **sites;
    unsigned sites_count;
    struct eg_raw_deadline *deadline;
};
struct eg_raw_device_rule {
    char *id, *domain, *hold, *ahead, *basis, *basis_zh, *action, *action_zh, *title, *title_zh;
    int when;
    int *level, *mode, *devices;
    char **sites;
    unsigned sites_count;
    struct eg_raw_spans *deadline;
};
struct eg_raw {
    struct eg_raw_mqtt *mqtt;
    struct eg_raw_store *store;
    struct eg_raw_socket *socket;
    struct eg_raw_board *board;
    struct eg_raw_metrics *metrics;
    struct eg_raw_clock *clock;
    struct eg_raw_quality *quality;
    struct eg_raw_validity *validity;
    struct eg_raw_maintenance *maintenance;
    struct eg_raw_reports *reports;
    struct eg_raw_flapping *flapping;
    struct eg_raw_homeassistant *home_assistant;
    char *time_zone, *late_limit, *future_tolerance, *templates;
    bool *auto_register;
    int *max_devices;
    char **include;
    unsigned include_count;
    struct eg_raw_rule *rules;
    unsigned rules_count;
    struct eg_raw_device_rule *device_rules;
    unsigned device_rules_count;
    struct eg_raw_site *sites;
    unsigned sites_count;
    struct eg_raw_channel *channels;
    unsigned channels_count;
    struct eg_raw_party *parties;
    unsigned parties_count;
    struct eg_raw_calendar *calendars;
    unsigned calendars_count;
    struct eg_raw_source *sources;
    unsigned sources_count;
    struct eg_raw_device *devices;
    unsigned devices_count;
    struct eg_raw_preset *presets;
    unsigned presets_count;
};
enum { EG_DIRECTION_ABOVE, EG_DIRECTION_BELOW };
enum { EG_SET_ASIDE_BAD, EG_SET_ASIDE_SUSPECT };
enum { EG_OF_DEVICE, EG_OF_SITE };
enum { EG_CLOSE_VERIFIED, EG_CLOSE_MEASURED };

extern const cyaml_schema_value_t eg_schema_file;

#endif
