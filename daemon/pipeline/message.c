/* One message: route, decode, admit. Every way out of here is counted (CONTRACT §2.4).
 * Knows topics, drivers and the bounds of a reading; what a reading does is series.c's business. */
#include <pipeline/ambient.h>
#include <pipeline/state.h>
#include <base/utf8.h>
#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2000-01-01: before that a sensor's clock was never set. */
#define CLOCK_UNSET_MS INT64_C(946684800000)
#define TOPICS_PER_DEVICE 2

uint32_t eg_message_hash(const struct eg_message *message)
{
    uint64_t hash =
        eg_hash(message->payload, message->payload_len, eg_hash(message->topic, message->topic_len, 1));
    uint32_t folded = (uint32_t)(hash ^ (hash >> 32));
    return folded ? folded : 1;
}

static void quarantine(const struct eg_pipeline *pipeline, const struct eg_message *message, uint32_t source,
                       const char *verdict, const char *reason, struct eg_batch *batch)
{
    struct eg_row_quarantine *row = EG_BATCH_ADD(batch, quarantine);
    if (!row)
        return;
    size_t kept = message->payload_len < EG_QUARANTINE_BYTES ? message->payload_len : EG_QUARANTINE_BYTES;
    *row = (struct eg_row_quarantine){
        .at_ms = message->arrived_ms,
        .topic = eg_batch_text(batch, message->topic),
        .source = source == EG_CONF_NONE ? "" : eg_batch_text(batch, pipeline->conf->sources[source].id),
        .verdict = verdict,
        .reason = eg_batch_text(batch, reason),
        .payload = eg_batch_bytes(batch, message->payload, kept),
        .payload_len = kept,
        .full_len = message->payload_len,
        .retain = message->retain,
    };
}

static bool slug(struct eg_slice text)
{
    if (!text.length || text.length >= EG_DOMAIN_TEXT)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return true;
}

static bool printable(struct eg_slice text)
{
    if (!text.length || text.length > 63 || !eg_utf8_valid(text.text, text.length))
        return false;
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.text[i] < 0x20 || text.text[i] == 0x7f)
            return false;
    return true;
}

static bool nameless_topic(const struct eg_conf *conf, const struct eg_routed *routed)
{
    return !routed->device.length && routed->source != EG_CONF_NONE &&
           conf->sources[routed->source].payload_device;
}

/* Names in the topic that make no device: a sentence, or NULL when they do. A device that the payload is to name may be missing. */
const char *eg_message_misnamed(const struct eg_pipeline *pipeline, const struct eg_routed *routed,
                                char reason[EG_REASON_MAX])
{
    if (eg_conf_site_find(pipeline->conf, routed->site.text, routed->site.length) == EG_CONF_NONE)
        snprintf(reason, EG_REASON_MAX, "site '%.*s' is not in the configuration: add it under sites",
                 (int)(routed->site.length < 64 ? routed->site.length : 64), routed->site.text);
    else if (!slug(routed->domain))
        snprintf(reason, EG_REASON_MAX,
                 "the domain in the topic is no name of a-z, 0-9, - and _, at most 31 bytes");
    else if (routed->channel.length &&
             (routed->channel.length > EG_CHANNEL_MAX || !printable(routed->channel)))
        snprintf(reason, EG_REASON_MAX, "the channel in the topic is longer than %d bytes or not printable",
                 EG_CHANNEL_MAX);
    else if (!(nameless_topic(pipeline->conf, routed) || printable(routed->device)))
        snprintf(reason, EG_REASON_MAX,
                 "the device in the topic is empty, longer than 63 bytes or not printable");
    else
        return NULL;
    return reason;
}

/* Where in the topic a level is; an MQTT topic has 65,535 bytes at most. */
static void place(const struct eg_message *message, struct eg_slice level, uint16_t *ret_at,
                  uint16_t *ret_len)
{
    bool there = level.length && message->topic_len <= UINT16_MAX;
    *ret_at = there ? (uint16_t)(level.text - message->topic) : 0;
    *ret_len = there ? (uint16_t)level.length : 0;
}

/* The topic's source and device (EG_ID_NONE: not registered yet), from the table of known topics or by the trie. False: nobody's, or
 * one of those we publish ourselves. */
static bool resolve(struct eg_pipeline *pipeline, const struct eg_message *message,
                    struct eg_topic *ret_topic, struct eg_routed *ret_routed)
{
    uint32_t row = eg_names_find(pipeline->topics, message->topic, message->topic_len);
    if (row != EG_ID_NONE) {
        *ret_topic = pipeline->topic_rows[row];
        return true;
    }
    if (eg_route_reserved(message->topic, message->topic_len) ||
        !eg_route_find(pipeline->route, message->topic, message->topic_len, ret_routed))
        return false;
    ret_topic->source = ret_routed->source;
    place(message, ret_routed->quantity, &ret_topic->quantity_at, &ret_topic->quantity_len);
    place(message, ret_routed->channel, &ret_topic->channel_at, &ret_topic->channel_len);
    ret_topic->device =
        eg_registry_find_device(pipeline, ret_routed->site, ret_routed->domain, ret_routed->device);
    return true;
}

static void remember(struct eg_pipeline *pipeline, const struct eg_message *message, struct eg_topic topic)
{
    size_t most = (size_t)pipeline->conf->max_devices * TOPICS_PER_DEVICE;
    if (pipeline->topic_count >= most ||
        !eg_room_more((void **)&pipeline->topic_rows, pipeline->topic_count, &pipeline->topic_capacity,
                      sizeof *pipeline->topic_rows, most))
        return; /* slower, not wrong */
    if (eg_names_set(pipeline->topics, message->topic, message->topic_len, (uint32_t)pipeline->topic_count))
        pipeline->topic_rows[pipeline->topic_count++] = topic;
}

/* Why a reading is not taken, or NULL. */
const char *eg_message_inadmissible(const struct eg_conf *conf, const struct eg_reading *reading,
                                    int64_t now_ms, char reason[EG_REASON_MAX])
{
    const struct eg_quantity_info *info = eg_quantity_info(reading->quantity);
    char text[EG_TIME_TEXT];
    if (eg_quantity_derived(reading->quantity))
        snprintf(reason, EG_REASON_MAX,
                 "%s is made here of a site's readings: what a device says it is, is not taken", info->name);
    else if (reading->value < info->low || reading->value > info->high)
        snprintf(reason, EG_REASON_MAX, "%s %g %s%s is outside the plausible range %g to %g", info->name,
                 reading->value, info->unit, reading->flags & EG_FLAG_CALIBRATED ? ", calibrated," : "",
                 info->low, info->high);
    else if (reading->time_ms != EG_TIME_NONE && reading->time_ms > now_ms + conf->future_tolerance_ms)
        snprintf(reason, EG_REASON_MAX, "%s: its time %s lies in the future: check the sensor's clock",
                 info->name, eg_time_format(reading->time_ms, text));
    else if (reading->time_ms != EG_TIME_NONE && reading->time_ms < CLOCK_UNSET_MS)
        snprintf(reason, EG_REASON_MAX, "%s: its time %s is before 2000: the sensor's clock is not set",
                 info->name, eg_time_format(reading->time_ms, text));
    else
        return NULL;
    return reason;
}

/* An uptime that falls: the device has started anew. */
static bool restarted(const struct eg_series *series, const struct eg_reading *reading)
{
    return reading->quantity == EG_Q_uptime && series->has_last && reading->value < series->last_value &&
           (reading->time_ms == EG_TIME_NONE || reading->time_ms > series->last_ms);
}

static void take_reading(struct eg_speakers *speakers, struct eg_device *device, struct eg_reading *reading,
                         char reason[EG_REASON_MAX], struct eg_batch *batch)
{
    struct eg_pipeline *pipeline = speakers->pipeline;
    const struct eg_message *message = speakers->message;
    struct eg_counters *counters = &pipeline->counters;
    struct eg_series *series = NULL;
    char why[EG_REASON_MAX] = "";
    const int64_t told_ms = reading->time_ms, own_ms = eg_doubt_date(speakers, device, reading);
    const size_t at = batch->readings_count;
    if (message->retain && reading->time_ms == EG_TIME_NONE)
        snprintf(why, sizeof why, "a retained message's reading without a time cannot be dated");
    else if (!eg_message_inadmissible(pipeline->conf, reading, message->arrived_ms, why))
        series = eg_registry_take_series(pipeline, device, reading, batch, why);
    if (!series) {
        counters->r_rejected++;
        if (!*reason)
            memcpy(reason, why, EG_REASON_MAX);
        return;
    }
    if (restarted(series, reading) && !message->retain && !speakers->again)
        device->reboots++;
    if (message->retain)
        reading->flags |= EG_FLAG_RETAINED;
    if (device->calibrated && !series->steps_settled)
        eg_calibration_settle(device, series, batch);
    if (speakers->again && eg_series_holds(pipeline, series, reading, message->arrived_ms, batch)) {
        counters->r_duplicate++;
        return;
    }
    if (reading->time_ms != EG_TIME_NONE &&
        reading->time_ms < speakers->now_ms - pipeline->conf->late_limit_ms)
        reading->flags |= EG_FLAG_LATE;
    if (eg_doubt_said(pipeline, series->id, reading->value, told_ms)) {
        counters->r_duplicate++;
        return;
    }
    switch (eg_series_take(pipeline, series, reading, speakers->now_ms, batch)) {
    case EG_FATE_DUPLICATE:
        counters->r_duplicate++;
        return;
    case EG_FATE_CORRECTED:
        counters->r_corrected++;
        break;
    case EG_FATE_STORED:
        break;
    }
    eg_doubt_keep(pipeline, own_ms, at, batch);
    counters->r_stored++;
    if (!message->retain) /* the time since a retained message is no rhythm, and it is no sign of life */
        eg_heard_note(pipeline, device,
                      reading->time_ms < message->arrived_ms ? reading->time_ms : message->arrived_ms,
                      message->arrived_ms, batch);
}

static struct eg_slice slice(const char *text)
{
    return (struct eg_slice){text, strlen(text)};
}

static bool undatable(const struct eg_message *message, const struct eg_sink *sink)
{
    if (!message->retain)
        return false;
    for (size_t i = 0; i < sink->count; i++)
        if (sink->readings[i].time_ms != EG_TIME_NONE)
            return false;
    return true;
}

/* What it was that the device could not do; of a repeated fault only the time moves. */
static void note_fault(struct eg_device *device, int64_t at_ms, const char *fault)
{
    device->fault_ms = at_ms;
    if (device->fault && strcmp(device->fault, fault) == 0)
        return;
    free(device->fault);
    device->fault = strdup(fault); /* NULL: it is counted all the same */
}

static void set_gone(struct eg_device *device, bool gone, struct eg_batch *batch)
{
    if (device->gone == gone)
        return;
    device->gone = gone;
    eg_registry_write_standing(device, batch);
}

/* A counter and the faults are the device's that speaks first. */
static void note_health(struct eg_pipeline *pipeline, struct eg_device *device,
                        const struct eg_message *message, const struct eg_sink *sink, struct eg_batch *batch)
{
    device->faults += sink->fault_count;
    if (sink->fault_count)
        note_fault(device, message->arrived_ms, sink->fault);
    if (!message->retain)
        set_gone(device, false, batch);
    if (sink->has_frame && !message->retain)
        eg_frames_take(&device->frames, sink->frame);
    if (sink->has_gap && !message->retain)
        eg_frames_gap(&device->frames, sink->gap);
    if (!sink->count && !message->retain) /* it lives, although it measured nothing */
        eg_heard_note(pipeline, device, message->arrived_ms, message->arrived_ms, batch);
}

static void take_readings(struct eg_speakers *speakers, struct eg_batch *batch, char reason[EG_REASON_MAX])
{
    struct eg_pipeline *pipeline = speakers->pipeline;
    struct eg_sink *sink = pipeline->sink;
    pipeline->counters.r_decoded += sink->count;
    struct eg_device *first =
        eg_speakers_device(speakers, sink->count ? sink->readings[0].device : sink->device, batch, reason);
    if (first && !speakers->again)
        note_health(pipeline, first, speakers->message, sink, batch);
    eg_calibration_message(speakers, batch, reason);
    eg_quality_compare(pipeline->conf, sink);
    for (size_t i = 0; i < sink->count; i++) {
        struct eg_device *device = eg_speakers_device(speakers, sink->readings[i].device, batch, reason);
        if (!device) {
            pipeline->counters.r_rejected++;
            continue;
        }
        if (!speakers->message->retain && !speakers->again)
            set_gone(device, false, batch);
        take_reading(speakers, device, &sink->readings[i], reason, batch);
    }
    if (!*reason && sink->unread_count)
        memcpy(reason, sink->unread, sizeof sink->unread);
}

/* Who has left is silent at once. Nobody is registered for having gone. */
static void take_gone(struct eg_speakers *speakers, struct eg_batch *batch)
{
    for (uint16_t which = 0; which <= speakers->pipeline->sink->device_count; which++) {
        struct eg_device *device = eg_speakers_known(speakers, which);
        if (!device || speakers->again)
            continue;
        set_gone(device, true, batch);
        speakers->pipeline->silent_wake_ms = INT64_MIN;
    }
}

/* `speakers` knows where the topic led; `known`: by the table, so that the names are the device's. */
static void take_decoded(struct eg_speakers *speakers, struct eg_topic topic, bool known,
                         struct eg_batch *batch, struct eg_became *became)
{
    struct eg_pipeline *pipeline = speakers->pipeline;
    const struct eg_sink *sink = pipeline->sink;
    if (undatable(speakers->message, sink)) /* old news of an unknown age: it must not look fresh */
        return;
    if (known) {
        const struct eg_device *device = eg_registry_device(pipeline, topic.device);
        speakers->routed.site = slice(device->site_id);
        speakers->routed.domain = slice(device->domain);
    }
    if (sink->has_report) {
        eg_report_message(speakers, batch, became);
        return;
    }
    speakers->ids[0] = topic.device == EG_ID_NONE ? 0 : topic.device;
    if (sink->gone) {
        became->fate = EG_MESSAGE_DECODED;
        take_gone(speakers, batch);
        return;
    }
    if (!sink->device_count && !eg_speakers_device(speakers, 0, batch, became->reason)) {
        became->fate = EG_MESSAGE_REFUSED;
        became->verdict = EG_IMPLAUSIBLE;
        return;
    }
    became->fate = EG_MESSAGE_DECODED;
    take_readings(speakers, batch, became->reason);
    if (!known && speakers->ids[0] && speakers->ids[0] != EG_ID_NONE) {
        topic.device = speakers->ids[0];
        remember(pipeline, speakers->message, topic);
    }
}

/* The topic's {channel}, where the payload tells none. misnamed() has looked at it. */
static void take_channel(struct eg_sink *sink, const struct eg_message *message)
{
    for (size_t i = 0; message->channel_len && i < sink->count; i++) {
        struct eg_reading *reading = &sink->readings[i];
        if (reading->channel[0])
            continue;
        memcpy(reading->channel, message->channel, message->channel_len);
        reading->channel[message->channel_len] = '\0';
    }
}

void eg_message_read(struct eg_pipeline *pipeline, const struct eg_message *message, int64_t now_ms,
                     bool again, struct eg_batch *batch, struct eg_became *ret)
{
    struct eg_topic topic;
    struct eg_speakers speakers = {
        .pipeline = pipeline, .message = message, .now_ms = now_ms, .again = again};
    speakers.routed.source = EG_CONF_NONE;
    ret->fate = EG_MESSAGE_IGNORED;
    ret->verdict = EG_NOT_MINE;
    ret->source = EG_CONF_NONE;
    *ret->reason = '\0';
    if (!resolve(pipeline, message, &topic, &speakers.routed))
        return;
    ret->source = topic.source;
    bool known = speakers.routed.source == EG_CONF_NONE;
    if (!known && eg_message_misnamed(pipeline, &speakers.routed, ret->reason)) {
        ret->fate = EG_MESSAGE_REFUSED;
        ret->verdict = EG_IMPLAUSIBLE;
        return;
    }
    const struct eg_conf_source *source = &pipeline->conf->sources[topic.source];
    struct eg_message lent = *message;
    lent.memory = pipeline->memory;
    lent.quantity = message->topic + topic.quantity_at;
    lent.quantity_len = topic.quantity_len;
    lent.channel = message->topic + topic.channel_at;
    lent.channel_len = topic.channel_len;
    lent.again = again;
    eg_sink_reset(pipeline->sink);
    ret->verdict = source->driver->decode(source->prepared, &lent, pipeline->sink);
    if (ret->verdict == EG_DECODED) {
        take_channel(pipeline->sink, &lent);
        eg_ambient_apply(source, pipeline->sink);
        take_decoded(&speakers, topic, known, batch, ret);
    } else if (ret->verdict != EG_NOT_MINE) {
        ret->fate = EG_MESSAGE_REFUSED;
        memcpy(ret->reason, pipeline->sink->reason, sizeof ret->reason);
    }
}

static void count(struct eg_pipeline *pipeline, const struct eg_message *message,
                  const struct eg_became *became, struct eg_batch *batch)
{
    struct eg_counters *counters = &pipeline->counters;
    bool undated = became->fate == EG_MESSAGE_IGNORED && became->verdict == EG_DECODED;
    if (became->source != EG_CONF_NONE && !undated)
        pipeline->source_counts[became->source][became->verdict]++;
    switch (became->fate) {
    case EG_MESSAGE_IGNORED:
        counters->ignored++;
        break;
    case EG_MESSAGE_REFUSED:
        counters->quarantined++;
        quarantine(pipeline, message, became->source, eg_verdict_name(became->verdict), became->reason,
                   batch);
        break;
    case EG_MESSAGE_DECODED:
        counters->decoded++;
        if (*became->reason)
            quarantine(pipeline, message, became->source, "rejected", became->reason, batch);
        break;
    }
}

void eg_message_take(struct eg_pipeline *pipeline, const struct eg_message *message, struct eg_batch *batch)
{
    struct eg_counters *counters = &pipeline->counters;
    struct eg_became became;
    counters->received++;
    if (message->mid) {
        uint32_t hash = eg_message_hash(message);
        if (message->dup && pipeline->idents[message->mid] == hash) {
            counters->duplicate++;
            return;
        }
        pipeline->idents[message->mid] = hash;
        struct eg_row_ident *row = EG_BATCH_ADD(batch, idents);
        if (row)
            *row = (struct eg_row_ident){message->mid, hash};
    }
    const char *wrong = NULL;
    if (eg_remote_take(pipeline, message, &wrong, batch)) {
        if (wrong) {
            counters->quarantined++;
            quarantine(pipeline, message, EG_CONF_NONE, "rejected", wrong, batch);
        } else {
            counters->decoded++;
        }
        return;
    }
    eg_message_read(pipeline, message, message->arrived_ms, false, batch, &became);
    count(pipeline, message, &became, batch);
}
