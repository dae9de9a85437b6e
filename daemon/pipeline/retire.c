/* A device that was taken away, by a supervisor's word: nobody misses it, no rule judges it, its history stays. And back again. Knows who
 * said it, when and why, and whether it has spoken since, which is told and not passed over; refuses to know when a silence is
 * one (outage.c). What happened is a row of its own each, and those rows are all that is kept of it. Called by pipeline.c, heard.c. */
#include <pipeline/retire.h>
#include <pipeline/unheard.h>
#include <pipeline/silent.h>

#include <base/json.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)16 * 1024)
#define NOTE_MOST 255
#define NAMES_BYTES 200

static const char *given(const char *text)
{
    return text ? text : "";
}

void eg_retire_finish(struct eg_device *device)
{
    free(device->retired_by);
    free(device->retired_note);
    device->retired_by = device->retired_note = NULL;
}

/* As a row says; false: no memory. */
static bool apply(struct eg_device *device, const struct eg_row_device_event *row)
{
    if (row->kind == EG_DEVICE_HEARD) {
        device->retired_heard_ms = row->at_ms;
        return true;
    }
    eg_retire_finish(device);
    device->retired_ms = row->kind == EG_DEVICE_RETIRED ? row->at_ms : EG_TIME_NONE;
    device->retired_heard_ms = EG_TIME_NONE;
    if (row->kind != EG_DEVICE_RETIRED)
        return true;
    device->retired_by = strdup(row->actor);
    device->retired_note = strdup(row->note);
    return device->retired_by && device->retired_note;
}

int eg_pipeline_restore_device_event(struct eg_pipeline *pipeline, const struct eg_row_device_event *row,
                                     struct eg_err *err)
{
    struct eg_device *device = eg_registry_device(pipeline, row->device);
    if (!device || row->kind >= EG_DEVICE_EVENT_COUNT)
        return eg_err_set(err, EG_ECORRUPT, "an event of device %u, which is not there", row->device);
    return apply(device, row) ? EG_OK : eg_err_set(err, EG_ENOMEM, "no memory for who retired a device");
}

static void tell_broker(struct eg_pipeline *pipeline, const struct eg_device *device,
                        const struct eg_row_device_event *row, struct eg_batch *batch)
{
    char topic[192], key[192];
    struct eg_buf body;
    struct eg_json json;
    if (!pipeline->conf->mqtt.publish)
        return;
    snprintf(topic, sizeof topic, "ecogov/events/device/%s/%s", device->site_id, device->name);
    snprintf(key, sizeof key, "device/%u/%lld/%s", device->id, (long long)row->at_ms,
             eg_device_event_name(row->kind));
    eg_buf_init(&body, BODY_MAX);
    eg_json_init(&json, &body);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "event", eg_device_event_name(row->kind));
    eg_json_put_time(&json, "at", row->at_ms);
    eg_json_put_string(&json, "site", device->site_id);
    eg_json_put_string(&json, "domain", device->domain);
    eg_json_put_string(&json, "device", device->name);
    eg_json_put_string(&json, "actor", row->actor);
    eg_json_put_string(&json, "note", *row->note ? row->note : NULL);
    eg_json_close(&json, '}');
    eg_tell_put(
        pipeline, batch,
        &(struct eg_row_outbox){
            .channel = "mqtt", .recipient = topic, .key = key, .body = body.data, .created_ms = row->at_ms});
    batch->failed = batch->failed || body.failed;
    eg_buf_finish(&body);
}

static void happened(struct eg_pipeline *pipeline, struct eg_device *device, enum eg_device_event kind,
                     const char *actor, const char *note, int64_t at_ms, struct eg_batch *batch)
{
    const struct eg_row_device_event row = {device->id, kind, at_ms, eg_batch_text(batch, actor),
                                            eg_batch_text(batch, note)};
    struct eg_row_device_event *out = EG_BATCH_ADD(batch, device_events);
    if (out)
        *out = row;
    batch->failed = batch->failed || !apply(device, &row);
    tell_broker(pipeline, device, &row, batch);
    pipeline->silent_wake_ms = pipeline->due_wake_ms = INT64_MIN;
}

void eg_retire_heard(struct eg_pipeline *pipeline, struct eg_device *device, int64_t time_ms,
                     int64_t arrived_ms, struct eg_batch *batch)
{
    if (device->retired_ms != EG_TIME_NONE && device->retired_heard_ms == EG_TIME_NONE &&
        time_ms > device->retired_ms)
        happened(pipeline, device, EG_DEVICE_HEARD, "ecogovd", "it is retired, and has spoken", arrived_ms,
                 batch);
}

/* --- commands --- */

static void answer(const struct eg_command *command, enum eg_code code, const char *sentence,
                   const struct eg_device *device, struct eg_batch *batch)
{
    struct eg_buf body;
    struct eg_json json;
    eg_buf_init(&body, BODY_MAX);
    if (device) {
        eg_json_init(&json, &body);
        eg_json_open(&json, '{');
        eg_json_put_string(&json, "site", device->site_id);
        eg_json_put_string(&json, "domain", device->domain);
        eg_json_put_string(&json, "device", device->name);
        eg_json_key(&json, "retired");
        eg_silent_write_retired(&json, device->retired_ms, device->retired_by, device->retired_note,
                                device->retired_heard_ms);
        eg_json_close(&json, '}');
    }
    batch->failed = batch->failed || body.failed;
    eg_batch_answer(batch, (struct eg_answer){.ticket = command->ticket,
                                              .code = code,
                                              .sentence = sentence,
                                              .result = device ? body.data : NULL});
    eg_buf_finish(&body);
}

static bool is_meant(const struct eg_device *device, const struct eg_command *command)
{
    char path[3 * 64];
    snprintf(path, sizeof path, "%s/%s/%s", device->site_id, device->domain, device->name);
    return (!strcmp(device->name, given(command->device)) || !strcmp(path, given(command->device))) &&
           (!command->site || !strcmp(device->site_id, command->site)) &&
           (!command->domain || !strcmp(device->domain, command->domain));
}

/* The only one that is meant; NULL with a sentence. */
static struct eg_device *find(struct eg_pipeline *pipeline, const struct eg_command *command,
                              enum eg_code *ret_code, char *text, size_t size)
{
    struct eg_device *found = NULL;
    char names[NAMES_BYTES] = "";
    size_t count = 0, used = 0;
    for (size_t i = 0; i < pipeline->device_count; i++) {
        struct eg_device *device = &pipeline->devices[i];
        if (!is_meant(device, command))
            continue;
        found = device;
        count++;
        if (used + strlen(device->site_id) + strlen(device->domain) + strlen(device->name) + 8 < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s/%s/%s", used ? ", " : "",
                                     device->site_id, device->domain, device->name);
    }
    *ret_code = count == 1 ? EG_OK : count ? EG_EINVAL : EG_ENOTFOUND;
    if (!count)
        snprintf(text, size, "there is no device '%.60s' that was ever heard", given(command->device));
    else if (count > 1)
        snprintf(text, size, "%zu devices have that name: give the path (%s)", count, names);
    return count == 1 ? found : NULL;
}

static enum eg_code objection(const struct eg_device *device, const struct eg_command *command, bool retire,
                              char *text, size_t size)
{
    const char *note = given(command->note);
    bool described = device->described && device->described->retired;
    if (strlen(note) > NOTE_MOST) {
        snprintf(text, size, "a note has at most %d bytes", NOTE_MOST);
        return EG_EINVAL;
    }
    if (retire && !note[strspn(note, " \t\r\n")]) {
        snprintf(text, size, "say in a sentence why it is taken out of service: note");
        return EG_EINVAL;
    }
    if (retire && eg_registry_retired(device)) {
        snprintf(text, size, "it is retired already%s", described ? ", by the configuration" : "");
        return EG_ECONFLICT;
    }
    if (!retire && described) {
        snprintf(text, size, "it is retired by the configuration: take retired: true out there, and reload");
        return EG_ECONFLICT;
    }
    if (!retire && device->retired_ms == EG_TIME_NONE) {
        snprintf(text, size, "it is in service");
        return EG_ECONFLICT;
    }
    return EG_OK;
}

/* What spoke for its silence is over, or is told where it speaks for others, too. */
static void end_silence(struct eg_pipeline *pipeline, struct eg_device *device, const char *note,
                        int64_t now_ms, struct eg_batch *batch)
{
    const uint32_t number = device->case_number;
    struct eg_case *row = number ? eg_case_find(pipeline, number) : NULL;
    bool others = false;
    if (!number)
        return;
    device->case_number = 0;
    eg_registry_write_standing(device, batch);
    for (size_t i = 0; i < pipeline->device_count; i++)
        others = others ||
                 (pipeline->devices[i].case_number == number && !eg_registry_retired(&pipeline->devices[i]));
    if (row && others) {
        eg_case_happened(pipeline, row,
                         (struct eg_case_event){.at_ms = now_ms,
                                                .known_ms = now_ms,
                                                .kind = "comment",
                                                .actor = "ecogovd",
                                                .note = note,
                                                .value = (double)NAN},
                         batch);
    } else if (row) {
        row->condition = EG_CONDITION_OK;
        eg_command_over(pipeline, row, note, now_ms, now_ms, batch);
    }
}

/* It is waited for anew. */
static void begin_again(const struct eg_pipeline *pipeline, struct eg_device *device, int64_t now_ms,
                        struct eg_batch *batch)
{
    if (device->silent_ms == EG_TIME_NONE)
        return;
    device->awaited_ms = now_ms + eg_unheard_after(pipeline, device);
    device->case_number = 0;
    eg_registry_write_standing(device, batch);
}

/* Cases about its sensors, that nobody can look at any more. */
static void end_maintenance(struct eg_pipeline *pipeline, const struct eg_device *device, const char *note,
                            int64_t now_ms, struct eg_batch *batch)
{
    for (size_t i = pipeline->case_count; i-- > 0;) {
        struct eg_case *row = i < pipeline->case_count ? pipeline->cases[i] : NULL;
        if (row && row->kind == EG_CASE_MAINTENANCE && row->rule[0] && !strcmp(row->device, device->name) &&
            !strcmp(row->site, device->site_id) && !strcmp(row->domain, device->domain))
            eg_command_over(pipeline, row, note, now_ms, now_ms, batch);
    }
}

void eg_retire_take(struct eg_pipeline *pipeline, const struct eg_command *command, int64_t now_ms,
                    struct eg_batch *batch)
{
    char text[NAMES_BYTES + 100] = "", note[NOTE_MOST + 80];
    bool retire = !strcmp(command->verb, "retire");
    enum eg_code code;
    struct eg_device *device = find(pipeline, command, &code, text, sizeof text);
    if (device)
        code = objection(device, command, retire, text, sizeof text);
    if (code != EG_OK) {
        answer(command, code, text, NULL, batch);
        return;
    }
    happened(pipeline, device, retire ? EG_DEVICE_RETIRED : EG_DEVICE_RESTORED, given(command->user),
             given(command->note), now_ms, batch);
    if (retire) {
        snprintf(note, sizeof note, "%.40s has retired %.30s: %s", given(command->user), device->name,
                 given(command->note));
        end_silence(pipeline, device, note, now_ms, batch);
        end_maintenance(pipeline, device, note, now_ms, batch);
    } else {
        begin_again(pipeline, device, now_ms, batch);
    }
    answer(command, EG_OK, "", device, batch);
    eg_unheard_tick(pipeline, now_ms, batch); /* its other cases are unknown from now on */
}
