/* The settings that stand once: mqtt, store, socket, board, time and limits. Called by resolve.c. */
#include <conf/resolve.h>
#include <base/span.h>
#include <base/zone.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *or_text(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static int whole(struct eg_resolve *resolve, const yaml_node_t *mapping, const char *key, const int *given,
                 int otherwise, int low, int high)
{
    if (!given)
        return otherwise;
    if (*given < low || *given > high)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, mapping, key), "%s is %d, it may be %d to %d", key,
                         *given, low, high);
    return *given;
}

const char *eg_resolve_path(struct eg_resolve *resolve, const char *text)
{
    char path[PATH_MAX], folder[PATH_MAX];
    if (!text || *text == '/')
        return text;
    if (!realpath(resolve->file->folder, folder))
        snprintf(folder, sizeof folder, "%s", resolve->file->folder);
    if (snprintf(path, sizeof path, "%s/%s", folder, text) >= PATH_MAX)
        eg_resolve_fault(resolve, NULL, "the path %.60s… is too long", text);
    return eg_resolve_text(resolve, path);
}

static void take_mqtt(struct eg_resolve *resolve, const struct eg_raw_mqtt *raw)
{
    struct eg_conf_mqtt *mqtt = &resolve->loaded->conf.mqtt;
    const yaml_node_t *node = eg_files_key(resolve->file, eg_files_root(resolve->file), "mqtt");
    mqtt->host = or_text(raw->host, mqtt->host);
    mqtt->port = whole(resolve, node, "port", raw->port, mqtt->port, 1, 65535);
    mqtt->client_id = or_text(raw->client_id, mqtt->client_id);
    mqtt->user = raw->user;
    mqtt->password = raw->password;
    mqtt->password_file = eg_resolve_path(resolve, raw->password_file);
    mqtt->ca_file = eg_resolve_path(resolve, raw->ca_file);
    mqtt->cert_file = eg_resolve_path(resolve, raw->cert_file);
    mqtt->key_file = eg_resolve_path(resolve, raw->key_file);
    mqtt->tls = raw->tls ? *raw->tls : mqtt->ca_file != NULL;
    mqtt->tls_insecure = raw->tls_insecure && *raw->tls_insecure;
    mqtt->publish = raw->publish ? *raw->publish : true;
    mqtt->receive_maximum =
        whole(resolve, node, "receive_maximum", raw->receive_maximum, mqtt->receive_maximum, 1, 65535);
    mqtt->session_expiry_ms =
        eg_resolve_span(resolve, node, "session_expiry", raw->session_expiry, mqtt->session_expiry_ms);
    int64_t keepalive =
        eg_resolve_span(resolve, node, "keepalive", raw->keepalive, (int64_t)mqtt->keepalive_s * 1000);
    if (keepalive < 5000 || keepalive > 3600000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "keepalive"), "keepalive may be 5s to 1h");
    mqtt->keepalive_s = (int)(keepalive / 1000);
    if (!*mqtt->client_id || strlen(mqtt->client_id) > 100)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "client_id"),
                         "client_id must have 1 to 100 bytes: without one the broker keeps no session");
    if ((mqtt->cert_file == NULL) != (mqtt->key_file == NULL))
        eg_resolve_fault(resolve, node, "cert_file and key_file go together");
    if ((mqtt->password || mqtt->password_file) && !mqtt->user)
        eg_resolve_fault(resolve, node, "a password is given without user");
}

static void take_retain(struct eg_resolve *resolve, const struct eg_raw_store *raw, const yaml_node_t *node)
{
    struct eg_conf_store *store = &resolve->loaded->conf.store;
    const yaml_node_t *list = eg_files_key(resolve->file, node, "retain");
    if (raw->retain_count > EG_CONF_RETAIN_MAX) {
        eg_resolve_fault(resolve, list, "retain has %u entries, it may have %d", raw->retain_count,
                         EG_CONF_RETAIN_MAX);
        return;
    }
    store->retain = eg_resolve_keep(resolve, raw->retain_count, sizeof *store->retain);
    for (unsigned i = 0; store->retain && i < raw->retain_count; i++) {
        const struct eg_raw_retain *from = &raw->retain[i];
        const yaml_node_t *entry = eg_files_item(resolve->file, list, i);
        struct eg_conf_retain *to = &store->retain[store->retain_count];
        *to = (struct eg_conf_retain){.domain = from->domain, .quantity = EG_QUANTITY_NONE};
        eg_resolve_domain(resolve, entry, from->domain);
        if (from->quantity)
            to->quantity =
                eg_resolve_measured(resolve, eg_resolve_node(resolve, entry, "quantity"), from->quantity);
        to->raw_ms = eg_resolve_span(resolve, entry, "raw", from->raw, -1);
        to->hour_ms = eg_resolve_span(resolve, entry, "hour", from->hour, -1);
        to->day_ms = eg_resolve_span(resolve, entry, "day", from->day, -1);
        if (!from->domain && !from->quantity)
            eg_resolve_fault(
                resolve, entry,
                "an entry of retain names a domain or a quantity, or both; for all there are retain_raw, "
                "retain_hour and retain_day");
        if (!from->raw && !from->hour && !from->day)
            eg_resolve_fault(resolve, entry, "an entry of retain says how long: raw, hour or day");
        for (size_t before = 0; before < store->retain_count; before++)
            if (store->retain[before].quantity == to->quantity &&
                strcmp(or_text(store->retain[before].domain, ""), or_text(to->domain, "")) == 0)
                eg_resolve_fault(resolve, entry, "retain says twice how long the same is kept");
        store->retain_count++;
    }
}

static void take_store(struct eg_resolve *resolve, const struct eg_raw_store *raw)
{
    struct eg_conf_store *store = &resolve->loaded->conf.store;
    const yaml_node_t *node = eg_files_key(resolve->file, eg_files_root(resolve->file), "store");
    if (raw->path)
        store->path = eg_resolve_path(resolve, raw->path);
    store->commit_interval_ms =
        eg_resolve_span(resolve, node, "commit_interval", raw->commit_interval, store->commit_interval_ms);
    store->retain_raw_ms =
        eg_resolve_span(resolve, node, "retain_raw", raw->retain_raw, store->retain_raw_ms);
    store->retain_hour_ms =
        eg_resolve_span(resolve, node, "retain_hour", raw->retain_hour, store->retain_hour_ms);
    store->retain_day_ms =
        eg_resolve_span(resolve, node, "retain_day", raw->retain_day, store->retain_day_ms);
    take_retain(resolve, raw, node);
    if (store->commit_interval_ms < 1 || store->commit_interval_ms > 600000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "commit_interval"),
                         "commit_interval may be 1ms to 10m");
    if (raw->max_size && (!eg_size_parse(raw->max_size, &store->max_size) || store->max_size < 1000000))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "max_size"),
                         "max_size is '%.40s', a size such as 500MB or 4GB is expected (at least 1MB)",
                         raw->max_size);
    if (raw->endurance && (!eg_size_parse(raw->endurance, &store->endurance_bytes) ||
                           (store->endurance_bytes && store->endurance_bytes < 1000000000)))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "endurance"),
                         "endurance is '%.40s', a size such as 10TB is expected (at least 1GB; 0: unknown)",
                         raw->endurance);
}

static void take_clock(struct eg_resolve *resolve, const struct eg_raw_clock *raw)
{
    struct eg_conf_clock *clock = &resolve->loaded->conf.clock;
    const yaml_node_t *node = eg_files_key(resolve->file, eg_files_root(resolve->file), "clock");
    if (raw->rtc)
        clock->rtc = (enum eg_rtc) * raw->rtc;
    clock->devices = whole(resolve, node, "devices", raw->devices, clock->devices, 0, 100);
    clock->within_ms = eg_resolve_span(resolve, node, "within", raw->within, clock->within_ms);
    if (clock->devices == 1)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "devices"),
                         "devices is 1: one device alone sets no clock; 0, or 2 and more");
    if (clock->within_ms < 1000 || clock->within_ms > 600000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "within"), "within may be 1s to 10m");
}

static void take_metrics(struct eg_resolve *resolve, const struct eg_raw_metrics *raw)
{
    struct eg_conf_metrics *metrics = &resolve->loaded->conf.metrics;
    const yaml_node_t *node = eg_files_key(resolve->file, eg_files_root(resolve->file), "metrics");
    metrics->file = eg_resolve_path(resolve, raw->file);
    metrics->interval_ms = eg_resolve_span(resolve, node, "interval", raw->interval, metrics->interval_ms);
    size_t length = metrics->file ? strlen(metrics->file) : 0;
    if (metrics->file &&
        (length < 6 || length >= PATH_MAX || strcmp(metrics->file + length - 5, ".prom") != 0 ||
         metrics->file[length - 6] == '/'))
        eg_resolve_fault(
            resolve, eg_resolve_node(resolve, node, "file"),
            "file is '%.60s', a name that ends in .prom is expected: the collector reads no other",
            raw->file);
    if (metrics->interval_ms < 1000 || metrics->interval_ms > 3600000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "interval"), "interval may be 1s to 1h");
}

static void take_reports(struct eg_resolve *resolve, const struct eg_raw_reports *raw,
                         const yaml_node_t *node)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    conf->reports.submitters = (const char **)(void *)raw->submitters;
    conf->reports.submitter_count = raw->submitters_count;
    if (raw->level)
        conf->reports.level = (enum eg_level) * raw->level;
    if (raw->deadline)
        eg_resolve_spans(resolve, raw->deadline, eg_files_key(resolve->file, node, "deadline"),
                         &conf->reports.terms);
}

static void take_validity(struct eg_resolve *resolve, const struct eg_raw_validity *raw)
{
    struct eg_conf_validity *validity = &resolve->loaded->conf.validity;
    const yaml_node_t *node = eg_files_key(resolve->file, eg_files_root(resolve->file), "validity");
    validity->hour_ms = eg_resolve_span(resolve, node, "hour", raw->hour, validity->hour_ms);
    if (validity->hour_ms < 60000 || validity->hour_ms > 3600000)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "hour"), "hour may be 1m to 60m");
    validity->eight_hours =
        (unsigned)whole(resolve, node, "eight_hours", raw->eight_hours, (int)validity->eight_hours, 1, 8);
    validity->day_hours = (unsigned)whole(resolve, node, "day", raw->day, (int)validity->day_hours, 1, 24);
    validity->month_days =
        (unsigned)whole(resolve, node, "month", raw->month, (int)validity->month_days, 1, 30);
    validity->february_days =
        (unsigned)whole(resolve, node, "february", raw->february, (int)validity->february_days, 1, 28);
    validity->year_days = (unsigned)whole(resolve, node, "year", raw->year, (int)validity->year_days, 1, 365);
}

static void check_zone(struct eg_resolve *resolve, const char *name)
{
    if (!eg_zone_exists(name))
        eg_resolve_fault(resolve, eg_files_key(resolve->file, eg_files_root(resolve->file), "time_zone"),
                         "there is no time zone '%.60s' (names such as Asia/Shanghai or UTC)", name);
}

void eg_resolve_settings(struct eg_resolve *resolve, const struct eg_raw *raw)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    const yaml_node_t *root = eg_files_root(resolve->file);
    if (raw->mqtt)
        take_mqtt(resolve, raw->mqtt);
    if (raw->store)
        take_store(resolve, raw->store);
    if (raw->socket) {
        if (raw->socket->path)
            conf->socket.path = eg_resolve_path(resolve, raw->socket->path);
        if (eg_files_key(resolve->file, eg_files_key(resolve->file, root, "socket"),
                         "supervisors")) { /* an empty list, too */
            conf->socket.supervisors = (const char **)(void *)raw->socket->supervisors;
            conf->socket.supervisor_count = raw->socket->supervisors_count;
        }
        if (eg_files_key(resolve->file, eg_files_key(resolve->file, root, "socket"), "clerks")) {
            conf->socket.clerks = (const char **)(void *)raw->socket->clerks;
            conf->socket.clerk_count = raw->socket->clerks_count;
            conf->socket.clerks_told = true;
        }
    }
    if (raw->board) {
        if (raw->board->dir)
            conf->board.dir = eg_resolve_path(resolve, raw->board->dir);
        conf->board.interval_ms = eg_resolve_span(resolve, eg_files_key(resolve->file, root, "board"),
                                                  "interval", raw->board->interval, conf->board.interval_ms);
    }
    if (raw->clock)
        take_clock(resolve, raw->clock);
    if (raw->metrics)
        take_metrics(resolve, raw->metrics);
    if (raw->validity)
        take_validity(resolve, raw->validity);
    if (raw->maintenance && raw->maintenance->deadline)
        eg_resolve_spans(
            resolve, raw->maintenance->deadline,
            eg_files_key(resolve->file, eg_files_key(resolve->file, root, "maintenance"), "deadline"),
            &conf->maintenance);
    if (raw->reports)
        take_reports(resolve, raw->reports, eg_files_key(resolve->file, root, "reports"));
    if (raw->time_zone) {
        conf->time_zone = raw->time_zone;
        check_zone(resolve, raw->time_zone);
    }
    if (raw->templates) {
        conf->template_folder = eg_resolve_path(resolve, raw->templates);
        eg_resolve_templates(resolve, conf->template_folder);
    }
    if (raw->auto_register)
        conf->auto_register = *raw->auto_register;
    conf->max_devices =
        whole(resolve, root, "max_devices", raw->max_devices, (int)conf->max_devices, 1, 500000);
    conf->late_limit_ms = eg_resolve_span(resolve, root, "late_limit", raw->late_limit, conf->late_limit_ms);
    conf->future_tolerance_ms =
        eg_resolve_span(resolve, root, "future_tolerance", raw->future_tolerance, conf->future_tolerance_ms);
}
