/* The bounded sink that drivers fill. Called by drivers. */
#include <ecogov/driver.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void eg_sink_reset(struct eg_sink *sink)
{
    sink->count = 0;
    sink->reason[0] = '\0';
}

int eg_sink_reject(struct eg_sink *sink, int verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(sink->reason, sizeof sink->reason, format, args);
    va_end(args);
    return verdict;
}

static bool channel_ok(const char *channel)
{
    size_t length = strlen(channel);
    if (length > EG_CHANNEL_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)channel[i] < 0x20 || channel[i] == 0x7f)
            return false;
    return true;
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
    if (!channel_ok(channel)) {
        eg_sink_reject(sink, 0, "the channel's name is longer than %d bytes or not printable", EG_CHANNEL_MAX);
        return false;
    }
    struct eg_reading *reading = &sink->readings[sink->count++];
    reading->time_ms = time_ms;
    reading->value = value;
    reading->quantity = quantity;
    reading->flags = 0;
    memcpy(reading->channel, channel, strlen(channel) + 1);
    return true;
}
