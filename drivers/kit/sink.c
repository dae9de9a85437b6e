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
    sink->has_report = sink->has_frame = sink->has_gap = sink->gone = false;
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

/* Numbers by which devices say "not measured": a sensor that does not answer (-1, -999), a word of all ones in tenths, hundredths or
 * whole, a DS18B20 that is not there (-127) or has just been powered (85). Only where the quantity cannot have that value. */
static bool is_code(uint16_t quantity, double value)
{
    static const double codes[] = {-1,     -127,   -999,   -9999, -999.9, -1000.99, 85,    -327.68, -3276.8,
                                   -32768, 327.67, 3276.7, 32767, 655.35, 6553.5,   65535, 65533};
    const struct eg_quantity_info *info = eg_quantity_info(quantity);
    if (value >= info->low && value <= info->high)
        return false;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (fabs(value - codes[i]) < 1e-9 * fabs(codes[i]))
            return true;
    return false;
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
    if (is_code(quantity, value)) {
        char mark[32];
        (void)snprintf(mark, sizeof mark, "%.9g", value);
        eg_sink_fault(sink, quantity, channel, mark);
        return true;
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
