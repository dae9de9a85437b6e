/* Calibrations that are due: a device whose calibration is good until a day is a case of maintenance from then on, or a while ahead, and
 * the case is over when the configuration names a later day. Knows what the configuration says of it; refuses to know what a calibration
 * does to a value (calibration.c). Of which day people were told is kept with the device, so that each is told once, whatever they did with
 * the case. Called by pipeline.c and deadline.c. */
#include <pipeline/due.h>
#include <pipeline/outage.h>

#include <ecogov/time.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_MS INT64_C(3600000) /* no more cases could be opened: it is tried again */

static int64_t earlier(int64_t at_ms, int64_t span_ms)
{
    return at_ms < INT64_MIN + span_ms ? INT64_MIN : at_ms - span_ms;
}

/* From when on people are to be told; INT64_MAX: they are not. *ret_due_ms: when it is due. */
static int64_t call_at(const struct eg_pipeline *pipeline, const struct eg_device *device, int64_t now_ms,
                       const struct eg_conf_rule **ret_rule, int64_t *ret_due_ms, int *ret_quantity)
{
    const struct eg_conf_rule *rule = NULL;
    *ret_due_ms = EG_TIME_NONE;
    *ret_quantity = EG_QUANTITY_NONE;
    *ret_rule = NULL;
    if (!device->described || device->site == EG_CONF_NONE || eg_registry_retired(device))
        return INT64_MAX;
    *ret_due_ms = eg_conf_calibration_due(device->described, now_ms, ret_quantity);
    if (*ret_due_ms != EG_TIME_NONE)
        rule = eg_outage_rule(pipeline->conf, EG_WHEN_CALIBRATION, device->site, device->domain);
    *ret_rule = rule;
    return rule ? earlier(*ret_due_ms, rule->ahead_ms) + rule->hold_ms : INT64_MAX;
}

static const struct eg_device *device_of(const struct eg_pipeline *pipeline, const struct eg_case *row)
{
    uint32_t id = eg_registry_find_device(pipeline, (struct eg_slice){row->site, strlen(row->site)},
                                          (struct eg_slice){row->domain, strlen(row->domain)},
                                          (struct eg_slice){row->device, strlen(row->device)});
    return id == EG_ID_NONE ? NULL : &pipeline->devices[id - 1];
}

/* A case about a calibration that is not due any more. */
static bool is_over(const struct eg_pipeline *pipeline, const struct eg_case *row, int64_t now_ms,
                    int64_t *ret_due_ms)
{
    const struct eg_conf_rule *rule;
    int quantity;
    if (row->kind != EG_CASE_MAINTENANCE || row->series || !row->rule[0])
        return false;
    const struct eg_device *device = device_of(pipeline, row);
    return device && call_at(pipeline, device, now_ms, &rule, ret_due_ms, &quantity) > now_ms;
}

int64_t eg_due_wake(struct eg_pipeline *pipeline, int64_t now_ms)
{
    const struct eg_conf_rule *rule;
    int64_t due_ms, first = INT64_MAX;
    int quantity;
    if (pipeline->due_wake_ms > now_ms)
        return pipeline->due_wake_ms;
    for (size_t i = 0; i < pipeline->device_count && pipeline->device_rules; i++) {
        const struct eg_device *device = &pipeline->devices[i];
        int64_t at_ms = call_at(pipeline, device, now_ms, &rule, &due_ms, &quantity);
        if (at_ms < first && device->due_told_ms != due_ms)
            first = at_ms;
        for (size_t c = 0; device->described && c < device->described->calibration_count; c++) {
            int64_t from_ms =
                device->described->calibrations[c].from_ms; /* another is in force from then on */
            if (from_ms > now_ms && from_ms < first)
                first = from_ms;
        }
    }
    for (size_t i = 0; i < pipeline->case_count && pipeline->device_rules; i++)
        if (is_over(pipeline, pipeline->cases[i], now_ms, &due_ms))
            first = now_ms;
    pipeline->due_wake_ms = first;
    return first;
}

static bool open_case(struct eg_pipeline *pipeline, struct eg_device *device, const struct eg_conf_rule *rule,
                      int64_t due_ms, int quantity, int64_t now_ms, struct eg_batch *batch)
{
    char note[128], day[EG_TIME_TEXT];
    struct eg_case row = {.kind = EG_CASE_MAINTENANCE,
                          .quantity = EG_QUANTITY_COUNT,
                          .rule_version = rule->version,
                          .level = (uint8_t)eg_outage_level(rule),
                          .condition = EG_CONDITION_UNKNOWN,
                          .opened_ms = now_ms,
                          .last_value = NAN,
                          .peak_value = NAN,
                          .limit = NAN,
                          .last_ms = EG_TIME_NONE,
                          .peak_ms = EG_TIME_NONE};
    snprintf(row.site, sizeof row.site, "%s", device->site_id);
    snprintf(row.domain, sizeof row.domain, "%s", device->domain);
    snprintf(row.device, sizeof row.device, "%s", device->name);
    snprintf(row.rule, sizeof row.rule, "%s", rule->id);
    eg_time_format(due_ms, day);
    snprintf(note, sizeof note, "the calibration%s%s is good until %.10s",
             quantity == EG_QUANTITY_NONE ? "" : " of ",
             quantity == EG_QUANTITY_NONE ? "" : eg_quantity_info(quantity)->name, day);
    if (!eg_case_begin(pipeline, &row,
                       (struct eg_case_event){.at_ms = row.opened_ms,
                                              .known_ms = now_ms,
                                              .actor = "ecogovd",
                                              .to = eg_level_name((enum eg_level)row.level),
                                              .note = note,
                                              .value = (double)NAN},
                       batch))
        return false;
    device->due_told_ms = due_ms;
    eg_registry_write_standing(device, batch);
    return true;
}

void eg_due_tick(struct eg_pipeline *pipeline, int64_t now_ms, struct eg_batch *batch)
{
    const struct eg_conf_rule *rule;
    int64_t due_ms;
    int quantity;
    if (!pipeline->device_rules || eg_due_wake(pipeline, now_ms) > now_ms)
        return;
    pipeline->due_wake_ms = INT64_MIN;
    for (size_t i = pipeline->case_count; i-- > 0;) {
        char note[96], day[EG_TIME_TEXT];
        if (i >= pipeline->case_count || !is_over(pipeline, pipeline->cases[i], now_ms, &due_ms))
            continue;
        if (due_ms == EG_TIME_NONE)
            snprintf(note, sizeof note, "no calibration of it is due any more");
        else
            snprintf(note, sizeof note, "its calibration is good until %.10s", eg_time_format(due_ms, day));
        eg_command_over(pipeline, pipeline->cases[i], note, now_ms, now_ms, batch);
    }
    for (size_t i = 0; i < pipeline->device_count; i++) {
        struct eg_device *device = &pipeline->devices[i];
        int64_t at_ms = call_at(pipeline, device, now_ms, &rule, &due_ms, &quantity);
        if (at_ms > now_ms || device->due_told_ms == due_ms)
            continue;
        if (!open_case(pipeline, device, rule, due_ms, quantity, now_ms, batch))
            pipeline->due_wake_ms = now_ms + AGAIN_MS;
    }
}
