/* Writes what a Prometheus scrapes (metrics.h). Called by textfile.c, once an interval. */
#include <notify/metrics.h>
#include <base/json.h>
#include <base/utf8.h>
#include <ecogov/quantity.h>
#include <pipeline/silent.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- the format --- */

static void family(struct eg_buf *out, const char *name, const char *type, const char *help)
{
    eg_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A text that is no UTF-8 would cost the whole file: what is not ASCII in it is a question mark. */
static void label(struct eg_buf *out, char before, const char *name, const char *text)
{
    size_t length = strlen(text);
    bool utf8 = eg_utf8_valid(text, length);
    eg_buf_printf(out, "%c%s=\"", before, name);
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '\n')
            eg_buf_text(out, "\\n");
        else if (c == '"' || c == '\\')
            eg_buf_printf(out, "\\%c", c);
        else
            eg_buf_add(out, !utf8 && (unsigned char)c >= 0x80 ? "?" : &c, 1);
    }
    eg_buf_text(out, "\"");
}

static void number(struct eg_buf *out, double value)
{
    char text[EG_NUMBER_TEXT];
    if (isfinite(value))
        eg_buf_printf(out, " %s\n", eg_number_format(value, text));
    else
        eg_buf_text(out, isnan(value) ? " NaN\n" : value > 0 ? " +Inf\n" : " -Inf\n");
}

static void single(struct eg_buf *out, const char *name, const char *type, double value, const char *help)
{
    family(out, name, type, help);
    eg_buf_text(out, name);
    number(out, value);
}

static void one_of(struct eg_buf *out, const char *name, const char *key, const char *text, double value)
{
    eg_buf_text(out, name);
    label(out, '{', key, text);
    eg_buf_text(out, "}");
    number(out, value);
}

/* --- the daemon --- */

static void write_daemon(struct eg_buf *out, const struct eg_metrics_state *state)
{
    family(out, "ecogov_build_info", "gauge", "Always 1; the version of the daemon is in the label.");
    one_of(out, "ecogov_build_info", "version", ECOGOV_VERSION, 1);
    single(out, "ecogov_start_time_seconds", "gauge", (double)state->started_ms / 1000,
           "When the daemon started, in seconds since 1970.");
    single(out, "ecogov_broker_connected", "gauge", state->broker_connected,
           "Whether there is a connection to the MQTT broker.");
    single(out, "ecogov_commits_total", "counter", (double)state->commits,
           "Transactions since the daemon started.");
    single(out, "ecogov_last_commit_duration_seconds", "gauge", (double)state->last_commit_us / 1e6,
           "How long the last transaction took.");
    single(out, "ecogov_faults", "gauge", state->faults ? (double)state->faults->count : 0,
           "What is wrong right now, as in status.");
    family(out, "ecogov_fault", "gauge", "1 for each thing that is wrong right now, by its key in status.");
    for (size_t i = 0; state->faults && i < state->faults->count; i++)
        one_of(out, "ecogov_fault", "key", state->faults->rows[i].key, 1);
}

static void write_counters(struct eg_buf *out, const struct eg_counters *counters)
{
    family(out, "ecogov_messages_total", "counter", "MQTT messages by verdict, since the store was made.");
    one_of(out, "ecogov_messages_total", "verdict", "decoded", (double)counters->decoded);
    one_of(out, "ecogov_messages_total", "verdict", "duplicate", (double)counters->duplicate);
    one_of(out, "ecogov_messages_total", "verdict", "quarantined", (double)counters->quarantined);
    one_of(out, "ecogov_messages_total", "verdict", "ignored", (double)counters->ignored);
    family(out, "ecogov_readings_total", "counter",
           "Readings by what became of them, since the store was made.");
    one_of(out, "ecogov_readings_total", "fate", "stored", (double)counters->r_stored);
    one_of(out, "ecogov_readings_total", "fate", "duplicate", (double)counters->r_duplicate);
    one_of(out, "ecogov_readings_total", "fate", "rejected", (double)counters->r_rejected);
    single(out, "ecogov_readings_corrected_total", "counter", (double)counters->r_corrected,
           "Stored readings that replaced another value, since the store was made.");
}

static void write_store(struct eg_buf *out, const struct eg_metrics_state *state)
{
    single(out, "ecogov_store_bytes", "gauge", (double)state->store.bytes, "The database and its log.");
    single(out, "ecogov_store_written_bytes_total", "counter", (double)state->store.bytes_written,
           "Bytes written to disk since the store was made.");
    single(out, "ecogov_store_readings", "gauge", (double)state->store.readings,
           "Readings that are in the store.");
    single(out, "ecogov_store_journal_readings", "gauge", (double)state->store.journal_readings,
           "Readings in the store that are not in chunks yet.");
    family(out, "ecogov_outbox_messages", "gauge",
           "Messages to parties that wait; those that failed and those given up are among them.");
    one_of(out, "ecogov_outbox_messages", "state", "pending", (double)state->outbox.pending);
    one_of(out, "ecogov_outbox_messages", "state", "failing", (double)state->outbox.failing);
    one_of(out, "ecogov_outbox_messages", "state", "unreachable", (double)state->outbox.unreachable);
    family(out, "ecogov_outbox_results_total", "counter",
           "Messages to parties by how they ended, since the daemon started.");
    one_of(out, "ecogov_outbox_results_total", "result", "delivered", (double)state->outbox.delivered);
    one_of(out, "ecogov_outbox_results_total", "result", "failed", (double)state->outbox.failed);
    single(out, "ecogov_outbox_retries_total", "counter", (double)state->outbox.retried,
           "Tries to deliver that had to be repeated, since the daemon started.");
}

/* --- the villages --- */

struct tally { /* of one site */
    uint64_t heard, silent, cases[EG_LEVEL_COUNT];
};

static void count_devices(struct tally *tallies, size_t sites, const struct eg_pipeline *pipeline,
                          int64_t now_ms)
{
    struct eg_device_view view;
    for (uint32_t id = 1; id <= eg_pipeline_device_count(pipeline); id++) {
        if (!eg_pipeline_device(pipeline, id, &view))
            continue;
        struct tally *tally = &tallies[view.conf_site < sites ? view.conf_site : sites];
        if (eg_silent_missed(&view, now_ms))
            tally->silent++;
        else
            tally->heard++;
    }
}

static void count_cases(struct tally *tallies, size_t sites, const struct eg_pipeline *pipeline)
{
    const struct eg_case *row;
    for (size_t i = 0; (row = eg_pipeline_case_at(pipeline, i)); i++) {
        uint32_t site = eg_conf_site_find(eg_pipeline_conf(pipeline), row->site, strlen(row->site));
        if (row->kind != EG_CASE_DRILL && row->level < EG_LEVEL_COUNT)
            tallies[site < sites ? site : sites].cases[row->level]++;
    }
}

static void by_site(struct eg_buf *out, const char *name, const char *site, const char *key, const char *text,
                    uint64_t value)
{
    eg_buf_text(out, name);
    label(out, '{', "site", site);
    label(out, ',', key, text);
    eg_buf_text(out, "}");
    number(out, (double)value);
}

/* The last tally is of all sites that left the configuration. */
static void write_sites(struct eg_buf *out, const struct eg_pipeline *pipeline, int64_t now_ms)
{
    const struct eg_conf *conf = eg_pipeline_conf(pipeline);
    size_t sites = conf->site_count;
    struct tally *tallies = calloc(sites + 1, sizeof *tallies);
    if (!tallies) {
        out->failed = true;
        return;
    }
    count_devices(tallies, sites, pipeline, now_ms);
    count_cases(tallies, sites, pipeline);
    family(out, "ecogov_cases_open", "gauge", "Cases that are neither closed nor rejected.");
    for (size_t s = 0; s <= sites; s++)
        for (int l = EG_LEVEL_NOTICE; l < EG_LEVEL_COUNT; l++)
            by_site(out, "ecogov_cases_open", s < sites ? conf->sites[s].id : "", "level",
                    eg_level_name((enum eg_level)l), tallies[s].cases[l]);
    family(out, "ecogov_devices", "gauge", "Devices that are heard, and those that fell silent.");
    for (size_t s = 0; s <= sites; s++) {
        const char *site = s < sites ? conf->sites[s].id : "";
        by_site(out, "ecogov_devices", site, "state", "heard", tallies[s].heard);
        by_site(out, "ecogov_devices", site, "state", "silent", tallies[s].silent);
    }
    free(tallies);
}

static void write_reading(struct eg_buf *out, const struct eg_device_view *device,
                          const struct eg_series_view *series)
{
    const struct eg_quantity_info *info = eg_quantity_info(series->quantity);
    eg_buf_text(out, "ecogov_reading");
    label(out, '{', "site", device->site);
    label(out, ',', "domain", device->domain);
    label(out, ',', "device", device->device);
    label(out, ',', "quantity", info->name);
    label(out, ',', "channel", series->channel);
    label(out, ',', "unit", info->unit);
    eg_buf_text(out, "}");
    number(out, series->last_value);
}

/* A value that stands still because its device is gone looks like one that is true: silent devices are left out. */
static void write_readings(struct eg_buf *out, const struct eg_pipeline *pipeline, int64_t now_ms)
{
    struct eg_device_view device;
    struct eg_series_view series;
    size_t shown = 0, left_out = 0;
    family(out, "ecogov_reading", "gauge",
           "The latest value, in the unit of the label, of each device that is heard.");
    for (uint32_t id = 1; id <= eg_pipeline_device_count(pipeline); id++) {
        if (!eg_pipeline_device(pipeline, id, &device) || eg_silent_is(&device, now_ms))
            continue;
        for (size_t i = 0; i < device.series_count; i++) {
            if (!eg_pipeline_series(pipeline, eg_pipeline_device_series(pipeline, id, i), &series) ||
                !series.has_last)
                continue;
            if (shown < EG_METRICS_READINGS_MAX) {
                shown++;
                write_reading(out, &device, &series);
            } else {
                left_out++;
            }
        }
    }
    single(out, "ecogov_readings_left_out", "gauge", (double)left_out,
           "Latest values beyond as many as are shown.");
}

void eg_metrics_write(struct eg_buf *out, const struct eg_pipeline *pipeline,
                      const struct eg_metrics_state *state)
{
    write_daemon(out, state);
    write_counters(out, &state->counters);
    write_store(out, state);
    write_sites(out, pipeline, state->now_ms);
    write_readings(out, pipeline, state->now_ms);
}
