/* What a payload is expected to become, written down in JSON, held against what a driver made of it. For tests with cmocka; each
 * includes this once. */
#ifndef EG_TEST_EXPECTED_H
#define EG_TEST_EXPECTED_H

#include <ecogov/driver.h>
#include <ecogov/time.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void check_reading(const char *path, size_t index, const cJSON *expected, const struct eg_sink *sink)
{
    const struct eg_reading *reading = &sink->readings[index];
    const char *quantity = text_of(expected, "quantity"), *channel = text_of(expected, "channel");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(expected, "value");
    char time[EG_TIME_TEXT] = "null";
    if (reading->time_ms != EG_TIME_NONE)
        (void)eg_time_format(reading->time_ms, time);
    const char *expected_time = text_of(expected, "time");

    if (quantity == NULL || !cJSON_IsNumber(value))
        fail_msg("%s: reading %zu needs a quantity and a value", path, index);
    if (strcmp(eg_quantity_info(reading->quantity)->name, quantity) != 0)
        fail_msg("%s: reading %zu: %s, expected %s", path, index, eg_quantity_info(reading->quantity)->name,
                 quantity);
    if (strcmp(reading->channel, channel == NULL ? "" : channel) != 0)
        fail_msg("%s: reading %zu: channel \"%s\"", path, index, reading->channel);
    const char *device = text_of(expected, "device"),
               *own = reading->device == 0 ? "" : sink->devices[reading->device - 1];
    if (strcmp(own, device == NULL ? "" : device) != 0)
        fail_msg("%s: reading %zu: device \"%s\"", path, index, own);
    if (strcmp(time, expected_time == NULL ? "null" : expected_time) != 0)
        fail_msg("%s: reading %zu: time %s", path, index, time);
    if (!(fabs(reading->value - value->valuedouble) <= 1e-9 * fmax(1, fabs(value->valuedouble))))
        fail_msg("%s: reading %zu: value %.17g, expected %.17g", path, index, reading->value,
                 value->valuedouble);
    unsigned flags = 0;
    const cJSON *flag;
    cJSON_ArrayForEach(flag, cJSON_GetObjectItemCaseSensitive(expected, "flags"))
    {
        const unsigned found = eg_flag_find(flag->valuestring, strlen(flag->valuestring));
        if (!found)
            fail_msg("%s: reading %zu: there is no flag \"%s\"", path, index, flag->valuestring);
        flags |= found;
    }
    if (reading->flags != flags)
        fail_msg("%s: reading %zu: flags %#x, expected %#x", path, index, reading->flags, flags);
}

/* What few formats have. */
static void check_more(const char *path, const cJSON *expect, const struct eg_sink *sink)
{
    const cJSON *gap = cJSON_GetObjectItemCaseSensitive(expect, "gap"),
                *gone = cJSON_GetObjectItemCaseSensitive(expect, "gone"),
                *unread = cJSON_GetObjectItemCaseSensitive(expect, "unread"), *item;
    if (gap != NULL && (!sink->has_gap || sink->gap != (uint32_t)gap->valuedouble))
        fail_msg("%s: a gap of %u", path, sink->gap);
    if (sink->unread_count != (cJSON_IsNumber(unread) ? unread->valueint : 0))
        fail_msg("%s: %u values unread: %s", path, sink->unread_count, sink->unread);
    if (sink->gone != (gone != NULL) || (gone != NULL && cJSON_GetArraySize(gone) != sink->device_count))
        fail_msg("%s: gone: %d, %u devices", path, sink->gone, sink->device_count);
    size_t i = 0;
    cJSON_ArrayForEach(item, gone) if (strcmp(sink->devices[i++], item->valuestring) != 0)
        fail_msg("%s: device %zu is \"%s\"", path, i, sink->devices[i - 1]);
}

static void check_report(const char *path, const cJSON *expect, const struct eg_sink *sink)
{
    const struct eg_sink_report *report = &sink->report;
    const cJSON *item;
    char time[EG_TIME_TEXT];
    if (sink->has_report != (expect != NULL))
        fail_msg("%s: a report, or none", path);
    cJSON_ArrayForEach(item, expect)
    {
        const char *key = item->string, *own = !strcmp(key, "text")       ? report->text
                                               : !strcmp(key, "reporter") ? report->reporter
                                               : !strcmp(key, "photo")    ? report->photo
                                               : !strcmp(key, "case")     ? report->case_id
                                               : !strcmp(key, "time") ? eg_time_format(report->time_ms, time)
                                                                      : NULL;
        double number = !strcmp(key, "repair")     ? (double)report->repair
                        : !strcmp(key, "latitude") ? report->latitude
                                                   : report->longitude;
        if (own ? strcmp(own, item->valuestring) != 0 : !(fabs(number - item->valuedouble) < 1e-9))
            fail_msg("%s: report: %s is %s", path, key, own ? own : "another number");
    }
}

/* True for a reject. */
static bool check(const char *path, const cJSON *expect, enum eg_verdict verdict, const struct eg_sink *sink)
{
    const char *expected = text_of(expect, "verdict"), *reason = text_of(expect, "reason_contains");
    if (expected == NULL || strcmp(eg_verdict_name(verdict), expected) != 0)
        fail_msg("%s: %s (%s)", path, eg_verdict_name(verdict), verdict == EG_DECODED ? "" : sink->reason);
    if (verdict != EG_DECODED) {
        if (reason == NULL || strstr(sink->reason, reason) == NULL)
            fail_msg("%s: the reason is: %s", path, sink->reason);
        return true;
    }
    const cJSON *readings = cJSON_GetObjectItemCaseSensitive(expect, "readings");
    if (!cJSON_IsArray(readings) || (size_t)cJSON_GetArraySize(readings) != sink->count)
        fail_msg("%s: %zu readings", path, sink->count);
    check_report(path, cJSON_GetObjectItemCaseSensitive(expect, "report"), sink);
    const cJSON *frame = cJSON_GetObjectItemCaseSensitive(expect, "frame");
    if (cJSON_IsNumber(frame) && (!sink->has_frame || sink->frame != (uint32_t)frame->valuedouble))
        fail_msg("%s: frame counter %u", path, sink->frame);
    const cJSON *faults = cJSON_GetObjectItemCaseSensitive(expect, "faults");
    if (sink->fault_count != (cJSON_IsNumber(faults) ? faults->valueint : 0))
        fail_msg("%s: %u faults: %s", path, sink->fault_count, sink->fault);
    check_more(path, expect, sink);
    size_t i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, readings)
    {
        check_reading(path, i, item, sink);
        i++;
    }
    return false;
}

#endif
