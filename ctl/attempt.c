/* Knows what a payload would become: by the daemon's own route, driver and pipeline over an empty past; stores nothing. Refuses to know
 * where the payload comes from. Called by run_try.c and run_quarantine.c. */
#include "attempt.h"

#include <base/buf.h>
#include <base/clock.h>
#include <base/json.h>
#include <base/zone.h>
#include <ecogov/driver.h>
#include <pipeline/ambient.h>
#include <pipeline/pipeline.h>
#include <pipeline/route.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)8 << 20)

struct eg_conf *attempt_load(const char *path)
{
    struct eg_buf faults;
    eg_buf_init(&faults, TEXT_MAX);
    struct eg_conf *conf = eg_conf_load(path, &faults);
    if (!conf)
        fputs(faults.length ? faults.data : "ecogovctl: no memory for the configuration\n", stderr);
    eg_buf_finish(&faults);
    return conf;
}

/* --- which source --- */

static uint32_t source_of(const struct eg_conf *conf, const struct attempt *attempt)
{
    struct eg_routed routed;
    for (size_t i = 0; attempt->source && i < conf->source_count; i++)
        if (strcmp(conf->sources[i].id, attempt->source) == 0)
            return (uint32_t)i;
    if (attempt->source) {
        fprintf(stderr, "ecogovctl: try: %s has no source \"%s\"; it has:", conf->path, attempt->source);
        for (size_t i = 0; i < conf->source_count; i++)
            fprintf(stderr, " %s", conf->sources[i].id);
        fputs("\n  a preset is tried as preset:NAME, a driver as driver:NAME\n", stderr);
        return EG_CONF_NONE;
    }
    struct eg_route *route = eg_route_create(conf);
    bool found = route && eg_route_find(route, attempt->topic, strlen(attempt->topic), &routed);
    eg_route_destroy(route);
    if (found)
        return routed.source;
    fprintf(stderr, "ecogovctl: try: no source takes the topic %s; say which one with --source.\n",
            attempt->topic);
    return EG_CONF_NONE;
}

/* --- the trial --- */

struct trial {
    const struct attempt *attempt;
    const struct eg_conf *conf;
    const struct eg_conf_source *source;
    struct eg_message message;
    struct eg_sink *sink;
    enum eg_verdict verdict;
    bool again;
    bool matched; /* the topic is one of the source's */
    struct eg_pipeline *pipeline;
    struct eg_batch batch;
};

static bool no_lookup(void *user, uint32_t series, int64_t time_ms, double *ret_value)
{
    (void)user, (void)series, (void)time_ms, (void)ret_value;
    return false;
}
static int no_range(void *user, uint32_t series, int64_t from_ms, int64_t to_ms,
                    void (*each)(void *arg, int64_t time_ms, double value, uint16_t flags), void *arg)
{
    (void)user, (void)series, (void)from_ms, (void)to_ms, (void)each, (void)arg;
    return EG_OK;
}
static bool no_case(void *user, const char *id, struct eg_case *ret)
{
    (void)user, (void)id, (void)ret;
    return false;
}

/* The driver alone says why and what of the device's health; the pipeline over that one source says what becomes of it. */
static bool run(struct trial *trial, struct eg_conf *only)
{
    static const struct eg_past past = {.lookup = no_lookup, .range = no_range, .find_case = no_case};
    struct eg_routed routed;
    struct eg_route *route = eg_route_create(only);
    trial->matched = route && eg_route_find(route, trial->message.topic, trial->message.topic_len, &routed);
    if (trial->matched) {
        trial->message.quantity = routed.quantity.text;
        trial->message.quantity_len = routed.quantity.length;
        trial->message.channel = routed.channel.text;
        trial->message.channel_len = routed.channel.length;
    }
    eg_route_destroy(route);
    eg_sink_reset(trial->sink);
    trial->verdict = trial->source->driver->decode(trial->source->prepared, &trial->message, trial->sink);
    if (trial->verdict == EG_DECODED)
        eg_ambient_apply(trial->source, trial->sink);
    trial->pipeline = eg_pipeline_create(only, &past);
    if (!trial->pipeline)
        return false;
    const struct eg_retry_row row = {.full_len = trial->message.payload_len, .message = trial->message};
    const struct eg_event again = {.kind = EG_EVENT_RETRY,
                                   .now_ms = eg_clock_now_ms(),
                                   .retry = {.rows = &row, .count = 1, .one = true}},
                          first = {.kind = EG_EVENT_MESSAGE,
                                   .now_ms = trial->message.arrived_ms,
                                   .message = trial->message};
    eg_pipeline_event(trial->pipeline, trial->again ? &again : &first, &trial->batch);
    return !trial->batch.failed;
}

/* --- telling --- */

static const char *given(const char *name, const char *made)
{
    return name && made && strcmp(name, made) == 0 ? NULL : name;
}

static void put_reading(struct eg_json *json, const struct attempt *attempt,
                        const struct eg_device_view *device, const char *channel,
                        const struct eg_row_reading *reading, uint16_t quantity,
                        const struct eg_pipeline *pipeline)
{
    const struct eg_quantity_info *info = eg_quantity_info(quantity);
    eg_json_open(json, '{');
    eg_json_put_string(json, "site", given(device->site, attempt->made_site));
    eg_json_put_string(json, "domain", device->domain);
    eg_json_put_string(json, "device", given(device->device, attempt->made_device));
    eg_json_put_string(json, "quantity", info->name);
    eg_json_put_string(json, "channel", channel);
    eg_json_put_number(json, "value", reading->value);
    double original;
    if (pipeline && (reading->flags & EG_FLAG_CALIBRATED) &&
        eg_pipeline_original(pipeline, reading->series, reading->time_ms, reading->value, &original))
        eg_json_put_number(json, "original", original);
    eg_json_put_string(json, "unit", info->unit);
    eg_json_put_time(json, "time", reading->time_ms);
    eg_json_key(json, "flags");
    eg_json_open(json, '[');
    for (int bit = 0; bit < EG_FLAG_COUNT; bit++)
        if (reading->flags & 1u << bit)
            eg_json_string(json, eg_flag_name(bit));
    eg_json_close(json, ']');
    eg_json_close(json, '}');
}

static void put_stored(struct eg_json *json, const struct trial *trial, bool lines)
{
    struct eg_series_view series;
    struct eg_device_view device;
    for (size_t i = 0; i < trial->batch.readings_count; i++) {
        const struct eg_row_reading *reading = &trial->batch.readings[i];
        if (!eg_pipeline_series(trial->pipeline, reading->series, &series) ||
            !eg_pipeline_device(trial->pipeline, series.device, &device))
            continue;
        if (lines)
            eg_buf_add(json->out, i ? ",\n  " : "\n  ", i ? 4 : 3), json->comma = false;
        put_reading(json, trial->attempt, &device, series.channel, reading, series.quantity, trial->pipeline);
    }
}

/* Of a topic that is not the source's: nobody knows the site, and the device only if the payload names it. */
static void put_decoded(struct eg_json *json, const struct trial *trial)
{
    for (size_t i = 0; i < trial->sink->count; i++) {
        const struct eg_reading *from = &trial->sink->readings[i];
        const struct eg_device_view device = {.device = from->device ? trial->sink->devices[from->device - 1]
                                                                     : NULL};
        const struct eg_row_reading reading = {
            .flags = from->flags, .time_ms = from->time_ms, .value = from->value};
        put_reading(json, trial->attempt, &device, from->channel, &reading, from->quantity, NULL);
    }
}

static void put_health(struct eg_json *json, const struct eg_sink *sink)
{
    if (sink->has_frame)
        eg_json_put_int(json, "frame", sink->frame);
    if (sink->gone)
        eg_json_put_bool(json, "gone", true);
    if (sink->unread_count) {
        eg_json_put_int(json, "unread", sink->unread_count);
        eg_json_put_string(json, "unread_reason", sink->unread);
    }
    if (!sink->fault_count)
        return;
    eg_json_put_int(json, "faults", sink->fault_count);
    eg_json_put_string(json, "fault", sink->fault);
}

static void put_note(struct eg_json *json, const struct trial *trial)
{
    char note[600];
    struct eg_routed routed;
    struct eg_route *route = eg_route_create(trial->conf);
    bool found = route && eg_route_find(route, trial->message.topic, trial->message.topic_len, &routed);
    if (!trial->matched) {
        snprintf(note, sizeof note,
                 "the topic is none of source %s, whose template is %s: the daemon would %s%s",
                 trial->source->id, trial->source->topic, found ? "give it to source " : "ignore the message",
                 found ? trial->conf->sources[routed.source].id : "");
        eg_json_put_string(json, "note", note);
    } else if (found && &trial->conf->sources[routed.source] != trial->source) {
        snprintf(
            note, sizeof note,
            "the daemon would give this topic to source %s, whose template is more literal or comes first",
            trial->conf->sources[routed.source].id);
        eg_json_put_string(json, "note", note);
    }
    eg_route_destroy(route);
}

/* Why the pipeline refuses what the driver has understood: a site that is not there, a device that is not allowed. NULL: it does not. */
static const char *refusal_of(const struct trial *trial)
{
    const struct eg_batch *batch = &trial->batch;
    if (trial->again)
        return batch->answers_count && batch->answers[0].code != EG_OK ? batch->answers[0].sentence : NULL;
    const struct eg_row_quarantine *row = batch->quarantine_count ? &batch->quarantine[0] : NULL;
    return row && strcmp(row->verdict, "rejected") != 0 ? row->reason : NULL;
}

/* Why some readings are not admitted: values that no instrument could have read, times in the future. NULL: all are. */
static const char *rejected_of(const struct trial *trial)
{
    const struct eg_batch *batch = &trial->batch;
    if (trial->again)
        return batch->retried_count ? batch->retried[0].reason : NULL;
    return batch->quarantine_count ? batch->quarantine[0].reason : NULL;
}

static void tell(const struct trial *trial, bool lines)
{
    struct eg_buf text;
    struct eg_json json;
    const char *refusal = refusal_of(trial), *rejected = rejected_of(trial);
    bool refused = trial->matched && trial->verdict == EG_DECODED && refusal;
    bool decoded = trial->verdict == EG_DECODED && !refused;
    eg_buf_init(&text, TEXT_MAX);
    eg_json_init(&json, &text);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "verdict", refused ? "implausible" : eg_verdict_name(trial->verdict));
    if (decoded) {
        eg_json_key(&json, "readings");
        eg_json_open(&json, '[');
        if (trial->matched)
            put_stored(&json, trial, lines);
        else
            put_decoded(&json, trial);
        eg_json_close(&json, ']');
        if (trial->matched && rejected)
            eg_json_put_string(&json, "rejected", rejected);
        put_health(&json, trial->sink);
    } else {
        eg_json_put_string(&json, "reason", refused ? refusal : trial->sink->reason);
    }
    put_note(&json, trial);
    eg_json_close(&json, '}');
    puts(text.failed ? "{}" : text.data);
    eg_buf_finish(&text);
}

/* --- the attempt --- */

static bool try_source(const struct eg_conf *conf, const struct attempt *attempt, uint32_t index, bool json)
{
    struct eg_conf only = *conf; /* the one source, so that no other takes the topic */
    struct trial trial = {.conf = conf,
                          .source = &conf->sources[index],
                          .attempt = attempt,
                          .again = attempt->again,
                          .sink = calloc(1, sizeof *trial.sink)};
    only.sources = conf->sources + index;
    only.source_count = 1;
    trial.message = (struct eg_message){.topic = attempt->topic,
                                        .topic_len = strlen(attempt->topic),
                                        .payload = attempt->length ? attempt->payload : NULL,
                                        .payload_len = attempt->length,
                                        .arrived_ms = attempt->arrived_ms,
                                        .retain = attempt->retain};
    eg_batch_init(&trial.batch);
    bool good = trial.sink && run(&trial, &only);
    if (good)
        tell(&trial, !json);
    else
        fputs("ecogovctl: try: there is no memory for it.\n", stderr);
    eg_batch_finish(&trial.batch);
    eg_pipeline_destroy(trial.pipeline);
    free(trial.sink);
    return good;
}

int attempt_run(const struct eg_conf *conf, const struct attempt *attempt, bool json)
{
    (void)eg_zone_use(conf->time_zone);
    uint32_t index = source_of(conf, attempt);
    return index != EG_CONF_NONE && try_source(conf, attempt, index, json) ? EXIT_DONE : EXIT_USAGE;
}
