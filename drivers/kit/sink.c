/* The bounded sink that drivers fill. Knows what a reading must look like to be let in; refuses to know
 * formats and plausible ranges. Called by drivers. */
#include <ecogov/driver.h>

#include "codepoint.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void eg_sink_reset(struct eg_sink *sink)
{
    sink->count = 0;
    sink->device = sink->device_count = sink->fault_count = 0;
    sink->has_frame = sink->has_gap = sink->gone = false;
    sink->frame = sink->gap = 0;
    sink->unread_count = 0;
    sink->unread[0] = sink->fault[0] = sink->reason[0] = '\0';
}

/* A sentence that was cut must not end within a character: what is stored stays UTF-8. */
static void trim_partial_character(char *text)
{
    const size_t length = strlen(text);
    for (size_t at = length > 4 ? length - 4 : 0; at < length; at++) {
        uint32_t codepoint;
        if (((unsigned char)text[at] & 0xC0U) == 0xC0U &&
            eg_codepoint_next(text + at, length - at, &codepoint) == 0) {
            text[at] = '\0';
            return;
        }
    }
}

__attribute__((format(printf, 2, 0))) static void write_sentence(char sentence[EG_REASON_MAX],
                                                                 const char *format, va_list args)
{
    const int wanted = vsnprintf(sentence, EG_REASON_MAX, format, args);
    if (wanted < 0)
        sentence[0] = '\0';
    else if (wanted >= EG_REASON_MAX)
        trim_partial_character(sentence);
}

int eg_sink_reject(struct eg_sink *sink, int verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_sentence(sink->reason, format, args);
    va_end(args);
    return verdict;
}

void eg_sink_unread(struct eg_sink *sink, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (sink->unread_count == 0)
        write_sentence(sink->unread, format, args);
    va_end(args);
    if (sink->unread_count < UINT16_MAX)
        sink->unread_count++;
}

bool eg_sink_add(struct eg_sink *sink, uint16_t quantity, const char *channel, int64_t time_ms, double value)
{
    if (!channel)
        channel = "";
    if (sink->count == EG_SINK_MAX) {
        eg_sink_reject(sink, 0, "more than %d readings in one message", EG_SINK_MAX);
        return false;
    }
    if (!isfinite(value)) {
        eg_sink_reject(sink, 0, "%s is no finite number", eg_quantity_info(quantity)->name);
        return false;
    }
    const size_t length = strnlen(channel, EG_CHANNEL_MAX + 1);
    if (length > EG_CHANNEL_MAX || !eg_codepoint_printable_text(channel, length)) {
        eg_sink_reject(sink, 0, "the channel's name is longer than %d bytes or not printable",
                       EG_CHANNEL_MAX);
        return false;
    }
    struct eg_reading *reading = &sink->readings[sink->count++];
    reading->time_ms = time_ms;
    reading->value = value;
    reading->quantity = quantity;
    reading->flags = 0;
    reading->device = sink->device;
    memcpy(reading->channel, channel, length + 1);
    return true;
}

bool eg_sink_device(struct eg_sink *sink, const char *name, size_t length)
{
    if (!length) {
        sink->device = 0;
        return true;
    }
    if (length > EG_DEVICE_MAX || !eg_codepoint_printable_text(name, length)) {
        eg_sink_reject(sink, 0, "the device's name is longer than %d bytes or not printable", EG_DEVICE_MAX);
        return false;
    }
    for (uint16_t i = 0; i < sink->device_count; i++)
        if (strlen(sink->devices[i]) == length && !memcmp(sink->devices[i], name, length)) {
            sink->device = (uint16_t)(i + 1);
            return true;
        }
    if (sink->device_count == EG_SINK_DEVICES) {
        eg_sink_reject(sink, 0, "more than %d devices in one message", EG_SINK_DEVICES);
        return false;
    }
    memcpy(sink->devices[sink->device_count], name, length);
    sink->devices[sink->device_count][length] = '\0';
    sink->device = ++sink->device_count;
    return true;
}

void eg_sink_frame(struct eg_sink *sink, uint32_t counter)
{
    sink->has_frame = true;
    sink->frame = counter;
}

void eg_sink_gap(struct eg_sink *sink, uint32_t lost)
{
    sink->has_gap = true;
    sink->gap = lost;
}

void eg_sink_fault(struct eg_sink *sink, uint16_t quantity, const char *channel, const char *mark)
{
    if (!sink->fault_count)
        (void)snprintf(sink->fault, sizeof sink->fault, "%s%s%.*s: the device says %.60s",
                       eg_quantity_info(quantity)->name, channel && *channel ? " of channel " : "",
                       EG_CHANNEL_MAX, channel ? channel : "", mark);
    trim_partial_character(sink->fault);
    if (sink->fault_count < UINT16_MAX)
        sink->fault_count++;
}
