/* The room's front (conf.h): load, parse, destroy, look up; and the names of its enums. */
#include <conf/resolve.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct eg_loaded *fresh(void)
{
    struct eg_loaded *loaded = calloc(1, sizeof *loaded);
    if (!loaded)
        return NULL;
    struct eg_conf *conf = &loaded->conf;
    conf->mqtt = (struct eg_conf_mqtt){.host = "127.0.0.1",
                                       .port = 1883,
                                       .client_id = "ecogov",
                                       .keepalive_s = 60,
                                       .receive_maximum = 65535,
                                       .session_expiry_ms = INT64_C(7) * 86400000,
                                       .publish = true};
    conf->store = (struct eg_conf_store){.path = "/var/lib/ecogov/ecogov.db",
                                         .commit_interval_ms = 1000,
                                         .retain_raw_ms = INT64_C(400) * 86400000,
                                         .retain_hour_ms = INT64_C(1825) * 86400000,
                                         .max_size = INT64_C(4000000000),
                                         .endurance_bytes = INT64_C(10000000000000)};
    static const char *const supervisors[] = {"@ecogov-supervisors"};
    conf->socket = (struct eg_conf_socket){.path = "/run/ecogov/ecogov.sock",
                                           .supervisors = (const char **)(void *)supervisors,
                                           .supervisor_count = 1};
    conf->board = (struct eg_conf_board){.dir = "/var/lib/ecogov/board", .interval_ms = 60000};
    conf->metrics.interval_ms = 60000;
    conf->clock = (struct eg_conf_clock){EG_RTC_AUTO, 3, 30000};
    conf->time_zone = "Asia/Shanghai";
    conf->auto_register = true;
    conf->late_limit_ms = 86400000;
    eg_quality_defaults(&conf->quality);
    conf->validity =
        (struct eg_conf_validity){INT64_C(45) * 60000, 6, 20, 27, 25, 324}; /* GB 3095-2026, table 4 */
    conf->future_tolerance_ms = 300000;
    conf->max_devices = 20000;
    conf->reports.level = EG_LEVEL_NOTICE;
    conf->home_assistant = (struct eg_conf_homeassistant){.prefix = "homeassistant",
                                                          .language = EG_LANGUAGE_ZH_CN,
                                                          .interval_ms = 60000,
                                                          .retire_ms = INT64_C(90) * 86400000};
    conf->flapping = (struct eg_conf_flapping){.window_ms = 3600000, .high = 30, .low = 25};
    for (int level = 0; level < EG_LEVEL_COUNT; level++) {
        conf->maintenance.deadline_ms[level][EG_DEADLINE_ACKNOWLEDGE] = INT64_C(72) * 3600000;
        conf->maintenance.deadline_ms[level][EG_DEADLINE_FIX] = INT64_C(14) * 86400000;
        conf->reports.terms.deadline_ms[level][EG_DEADLINE_ACKNOWLEDGE] = INT64_C(24) * 3600000;
        conf->reports.terms.deadline_ms[level][EG_DEADLINE_FIX] = INT64_C(7) * 86400000;
        conf->reports.terms.deadline_ms[level][EG_DEADLINE_VERIFY] = INT64_C(7) * 86400000;
    }
    return loaded;
}

static struct eg_conf *finish(struct eg_loaded *loaded, struct eg_conf_faults *faults, struct eg_buf *out)
{
    struct eg_resolve resolve = {.loaded = loaded, .faults = faults};
    if (!faults->failed)
        eg_resolve_all(&resolve);
    bool ok = !faults->count && !faults->failed;
    eg_faults_write(faults, out);
    eg_faults_finish(faults);
    if (ok)
        return &loaded->conf;
    eg_conf_destroy(&loaded->conf);
    return NULL;
}

struct eg_conf *eg_conf_load(const char *path, struct eg_buf *out)
{
    struct eg_conf_faults faults = {0};
    struct eg_loaded *loaded = fresh();
    if (!loaded)
        return NULL;
    struct eg_resolve resolve = {.loaded = loaded, .faults = &faults};
    loaded->from_disk = true;
    char *absolute = realpath(path, NULL);
    loaded->conf.path = eg_resolve_text(&resolve, absolute ? absolute : path);
    free(absolute);
    eg_files_read(&loaded->files, path, &faults);
    return finish(loaded, &faults, out);
}

struct eg_conf *eg_conf_parse(const char *name, const char *text, size_t length, struct eg_buf *out)
{
    struct eg_conf_faults faults = {0};
    struct eg_loaded *loaded = fresh();
    if (!loaded)
        return NULL;
    struct eg_resolve resolve = {.loaded = loaded, .faults = &faults};
    loaded->conf.path = eg_resolve_text(&resolve, name);
    eg_files_parse(&loaded->files, name, text, length, &faults);
    eg_files_presets(&loaded->files, false, &faults);
    return finish(loaded, &faults, out);
}

void eg_conf_destroy(struct eg_conf *conf)
{
    if (!conf)
        return;
    struct eg_loaded *loaded = (struct eg_loaded *)(void *)conf;
    for (size_t i = 0; i < conf->source_count; i++)
        if (conf->sources[i].driver)
            conf->sources[i].driver->release(conf->sources[i].prepared);
    eg_files_finish(&loaded->files);
    for (size_t i = 0; i < loaded->block_count; i++)
        free(loaded->blocks[i]);
    free(loaded->blocks);
    free(loaded);
}

uint32_t eg_conf_party_index(const struct eg_conf *conf, const char *id)
{
    for (uint32_t i = 0; i < conf->party_count; i++)
        if (strcmp(conf->parties[i].id, id) == 0)
            return i;
    return EG_CONF_NONE;
}

uint32_t eg_conf_site_find(const struct eg_conf *conf, const char *id, size_t length)
{
    for (uint32_t i = 0; i < conf->site_count; i++)
        if (strlen(conf->sites[i].id) == length && !memcmp(conf->sites[i].id, id, length))
            return i;
    return EG_CONF_NONE;
}

bool eg_conf_site_within(const struct eg_conf *conf, uint32_t site, uint32_t ancestor)
{
    for (; site != EG_CONF_NONE; site = conf->sites[site].parent)
        if (site == ancestor)
            return true;
    return false;
}

#define NAME_OF(value, ...)                                                                                  \
    static const char *const names[] = {__VA_ARGS__};                                                        \
    return (unsigned)(value) < sizeof names / sizeof *names ? names[value] : "?"

const char *eg_level_name(enum eg_level level)
{
    NAME_OF(level, "", "notice", "warning", "critical");
}

static const char *const statistic_names[EG_STAT_COUNT] = {
    "last",  "mean",   "min", "max",   "sum",         "rate",   "aqi_cn", "aqi_us",
    "count", "stddev", "p",   "above", "vector_mean", "max_8h", "change"};

bool eg_statistic_find(const char *name, enum eg_statistic *ret_statistic, double *ret_share)
{
    char *end;
    *ret_share = 0;
    for (int i = 0; i < EG_STAT_COUNT; i++)
        if (i != EG_STAT_QUANTILE && !strcmp(name, statistic_names[i])) {
            *ret_statistic = (enum eg_statistic)i;
            return true;
        }
    if (name[0] != 'p' || name[1] < '0' || name[1] > '9' || strlen(name) > 8 ||
        strspn(name + 1, "0123456789.") != strlen(name + 1))
        return false;
    double percent = strtod(name + 1, &end);
    if (*end || percent > 100)
        return false;
    *ret_statistic = EG_STAT_QUANTILE;
    *ret_share = percent / 100;
    return true;
}

bool eg_statistic_linear(enum eg_statistic statistic)
{
    switch (statistic) {
    case EG_STAT_MEAN:
    case EG_STAT_SUM:
    case EG_STAT_RATE:
    case EG_STAT_STDDEV:
    case EG_STAT_QUANTILE:
    case EG_STAT_MAX_8H:
    case EG_STAT_CHANGE:
        return true;
    default:
        return false;
    }
}

char *eg_statistic_text(enum eg_statistic statistic, double share, char out[EG_STATISTIC_TEXT])
{
    if (statistic == EG_STAT_QUANTILE)
        snprintf(out, EG_STATISTIC_TEXT, "p%g", share * 100);
    else
        snprintf(out, EG_STATISTIC_TEXT, "%s", statistic_names[statistic]);
    return out;
}

const char *eg_mode_name(enum eg_mode mode)
{
    NAME_OF(mode, "collaborative", "gap_filling", "alternative");
}

const char *eg_language_name(enum eg_language language)
{
    NAME_OF(language, "zh_CN", "en");
}

const char *eg_channel_kind_name(enum eg_channel_kind kind)
{
    NAME_OF(kind, "mqtt", "webhook", "mail", "exec");
}

const char *eg_sector_name(enum eg_sector sector)
{
    NAME_OF(sector, "government", "market", "society");
}
