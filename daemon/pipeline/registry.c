/* Who is out there: devices and their series, by name and by id. Knows nothing of payloads, rules or cases.
 * Ids are minted here, from 1, without gaps. */
#include <pipeline/state.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 63
#define KEY_BYTES (3 * (NAME_MAX_BYTES + 1))
#define SERIES_MAX ((size_t)1000000)
/* A device whose rhythm is not known yet is given this long. */
#define SILENT_AT_LEAST_MS ((int64_t)10 * 60 * 1000)
#define SILENT_INTERVALS 3

static size_t key_of(char key[KEY_BYTES], struct eg_slice site, struct eg_slice domain,
                     struct eg_slice device)
{
    if (site.length > NAME_MAX_BYTES || domain.length > NAME_MAX_BYTES || device.length > NAME_MAX_BYTES)
        return 0;
    return (size_t)snprintf(key, KEY_BYTES, "%.*s/%.*s/%.*s", (int)site.length, site.text, (int)domain.length,
                            domain.text, (int)device.length, device.text);
}

static struct eg_slice slice(const char *text)
{
    return (struct eg_slice){text, strlen(text)};
}

struct eg_device *eg_registry_device(struct eg_pipeline *pipeline, uint32_t id)
{
    return id && id <= pipeline->device_count ? &pipeline->devices[id - 1] : NULL;
}

struct eg_series *eg_registry_series(struct eg_pipeline *pipeline, uint32_t id)
{
    return id && id <= pipeline->series_count ? pipeline->series[id - 1] : NULL;
}

uint32_t eg_registry_find_device(const struct eg_pipeline *pipeline, struct eg_slice site,
                                 struct eg_slice domain, struct eg_slice device)
{
    char key[KEY_BYTES];
    size_t length = key_of(key, site, domain, device);
    return length ? eg_names_find(pipeline->device_names, key, length) : EG_ID_NONE;
}

static void bind_device(const struct eg_conf *conf, struct eg_device *device)
{
    device->site = eg_conf_site_find(conf, device->site_id, strlen(device->site_id));
    device->described = NULL;
    for (size_t i = 0; i < conf->device_count && device->site != EG_CONF_NONE; i++) {
        const struct eg_conf_device *row = &conf->devices[i];
        if (row->site == device->site && !strcmp(row->id, device->name) &&
            (!row->domain || !strcmp(row->domain, device->domain)))
            device->described = row;
    }
    device->calibrated = device->calibrated || (device->described && device->described->calibration_count);
}

static void bind_series(const struct eg_conf *conf, const struct eg_device *device, struct eg_series *series)
{
    series->steps_settled = false;
    series->limits = eg_conf_limits_of(conf, series->quantity, device->site, device->name);
}

void eg_registry_bind(struct eg_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->device_count; i++)
        bind_device(pipeline->conf, &pipeline->devices[i]);
    for (size_t i = 0; i < pipeline->series_count; i++)
        bind_series(pipeline->conf, &pipeline->devices[pipeline->series[i]->device - 1], pipeline->series[i]);
}

static struct eg_device *add_device(struct eg_pipeline *pipeline, struct eg_slice site,
                                    struct eg_slice domain, struct eg_slice device)
{
    char key[KEY_BYTES];
    size_t length = key_of(key, site, domain, device);
    if (!length || !eg_room_more((void **)&pipeline->devices, pipeline->device_count,
                                 &pipeline->device_capacity, sizeof *pipeline->devices, SERIES_MAX))
        return NULL;
    struct eg_device *row = &pipeline->devices[pipeline->device_count];
    memset(row, 0, sizeof *row);
    row->id = (uint32_t)pipeline->device_count + 1;
    row->last_seen_ms = row->silent_ms = row->awaited_ms = row->due_told_ms = EG_TIME_NONE;
    row->retired_ms = row->retired_heard_ms = EG_TIME_NONE;
    row->site_id = strndup(site.text, site.length);
    row->domain = strndup(domain.text, domain.length);
    row->name = strndup(device.text, device.length);
    if (!row->site_id || !row->domain || !row->name ||
        !eg_names_set(pipeline->device_names, key, length, row->id)) {
        free(row->site_id);
        free(row->domain);
        free(row->name);
        return NULL;
    }
    pipeline->device_count++;
    bind_device(pipeline->conf, row);
    if (row->described)
        pipeline->due_wake_ms = INT64_MIN;
    return row;
}

struct eg_device *eg_registry_add_device(struct eg_pipeline *pipeline, const struct eg_routed *routed,
                                         int64_t now_ms, struct eg_batch *batch, char reason[EG_REASON_MAX])
{
    if (pipeline->device_count >= (size_t)pipeline->conf->max_devices) {
        snprintf(reason, EG_REASON_MAX, "%zu devices are registered, no more are taken: raise max_devices",
                 pipeline->device_count);
        return NULL;
    }
    struct eg_device *device = add_device(pipeline, routed->site, routed->domain, routed->device);
    if (!device) {
        snprintf(reason, EG_REASON_MAX, "the device could not be registered: names are at most %d bytes",
                 NAME_MAX_BYTES);
        return NULL;
    }
    struct eg_row_device *row = EG_BATCH_ADD(batch, devices);
    if (row)
        *row = (struct eg_row_device){device->id, eg_batch_text(batch, device->site_id),
                                      eg_batch_text(batch, device->domain),
                                      eg_batch_text(batch, device->name), now_ms};
    return device;
}

/* `batch`: NULL at a start. */
static struct eg_series *add_series(struct eg_pipeline *pipeline, struct eg_device *device, uint16_t quantity,
                                    const char *channel, struct eg_batch *batch)
{
    if (!eg_room_more((void **)&device->series, device->series_count, &device->series_capacity,
                      sizeof *device->series, EG_SERIES_PER_DEVICE) ||
        !eg_room_more((void **)&pipeline->series, pipeline->series_count, &pipeline->series_capacity,
                      sizeof *pipeline->series, SERIES_MAX))
        return NULL;
    struct eg_series *row = calloc(1, sizeof *row);
    if (!row)
        return NULL;
    row->id = (uint32_t)pipeline->series_count + 1;
    row->device = device->id;
    row->quantity = quantity;
    row->scale = eg_rollup_scale(quantity);
    row->part = eg_part_find(device->domain, eg_quantity_info(quantity)->name);
    row->last_ms = EG_TIME_NONE;
    row->followed.last.ms = EG_TIME_NONE;
    snprintf(row->channel, sizeof row->channel, "%s", channel);
    bind_series(pipeline->conf, device, row);
    row->rhythm.whole = true;
    if (!eg_rule_bind(pipeline, row, NULL)) {
        free(row);
        return NULL;
    }
    pipeline->series[pipeline->series_count++] = row;
    device->series[device->series_count++] = row->id;
    if ((!eg_partner_bind(pipeline, row, batch) || !eg_siteindex_bind(pipeline, row, batch)) && batch)
        batch->failed = true;
    return row;
}

struct eg_series *eg_registry_find_series(struct eg_pipeline *pipeline, const struct eg_device *device,
                                          const struct eg_reading *reading)
{
    for (size_t i = 0; i < device->series_count; i++) {
        struct eg_series *series = pipeline->series[device->series[i] - 1];
        if (series->quantity == reading->quantity && !strcmp(series->channel, reading->channel))
            return series;
    }
    return NULL;
}

struct eg_series *eg_registry_take_series(struct eg_pipeline *pipeline, struct eg_device *device,
                                          const struct eg_reading *reading, struct eg_batch *batch,
                                          char reason[EG_REASON_MAX])
{
    struct eg_series *series = eg_registry_find_series(pipeline, device, reading);
    if (series)
        return series;
    series = add_series(pipeline, device, reading->quantity, reading->channel, batch);
    if (!series) {
        snprintf(reason, EG_REASON_MAX, "the device has %zu series already, at most %d are taken",
                 device->series_count, EG_SERIES_PER_DEVICE);
        return NULL;
    }
    struct eg_row_series *row = EG_BATCH_ADD(batch, series);
    if (row)
        *row = (struct eg_row_series){series->id, series->device, series->quantity,
                                      eg_batch_text(batch, series->channel)};
    return series;
}

int64_t eg_registry_silent_after(const struct eg_device *device)
{
    if (device->described && device->described->silent_after_ms)
        return device->described->silent_after_ms;
    int64_t learned =
        device->interval_ms < INT64_MAX / SILENT_INTERVALS ? SILENT_INTERVALS * device->interval_ms : 0;
    return learned > SILENT_AT_LEAST_MS ? learned : SILENT_AT_LEAST_MS;
}

bool eg_registry_retired(const struct eg_device *device)
{
    return device->retired_ms != EG_TIME_NONE || (device->described && device->described->retired);
}

void eg_registry_write_standing(const struct eg_device *device, struct eg_batch *batch)
{
    struct eg_row_standing *row = EG_BATCH_ADD(batch, standings);
    if (row)
        *row = (struct eg_row_standing){device->id,         device->silent_ms,   device->last_seen_ms,
                                        device->awaited_ms, device->case_number, device->gone,
                                        device->due_told_ms};
}

int eg_pipeline_restore_device(struct eg_pipeline *pipeline, const struct eg_row_device *row,
                               struct eg_err *err)
{
    if (row->id != pipeline->device_count + 1)
        return eg_err_set(err, EG_ECORRUPT, "device %u: expected number %zu; the device table has a gap",
                          row->id, pipeline->device_count + 1);
    if (!add_device(pipeline, slice(row->site), slice(row->domain), slice(row->device)))
        return eg_err_set(err, EG_ENOMEM, "device %u (%s) could not be taken", row->id, row->device);
    return EG_OK;
}

void eg_pipeline_restore_rhythm(struct eg_pipeline *pipeline, const struct eg_row_rhythm *row)
{
    struct eg_device *device = eg_registry_device(pipeline, row->device);
    if (device && row->interval_ms > 0)
        device->interval_ms = row->interval_ms;
}

void eg_pipeline_restore_standing(struct eg_pipeline *pipeline, const struct eg_row_standing *row)
{
    struct eg_device *device = eg_registry_device(pipeline, row->device);
    if (!device)
        return;
    device->silent_ms = row->silent_ms;
    device->awaited_ms = row->awaited_ms;
    device->case_number = row->case_number;
    device->gone = row->gone;
    device->due_told_ms = row->due_told_ms;
    if (row->heard_ms > device->last_seen_ms)
        device->last_seen_ms = row->heard_ms;
}

int eg_pipeline_restore_series(struct eg_pipeline *pipeline, const struct eg_row_series *row,
                               struct eg_err *err)
{
    struct eg_device *device = eg_registry_device(pipeline, row->device);
    if (!device || row->id != pipeline->series_count + 1 || row->quantity >= EG_QUANTITY_COUNT)
        return eg_err_set(err, EG_ECORRUPT, "series %u of device %u: expected number %zu of a known device",
                          row->id, row->device, pipeline->series_count + 1);
    if (!add_series(pipeline, device, row->quantity, row->channel, NULL))
        return eg_err_set(err, EG_ENOMEM, "series %u could not be taken", row->id);
    return EG_OK;
}
