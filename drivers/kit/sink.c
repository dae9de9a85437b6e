/* Knows what a reading must look like to be let in, and the names of the verdicts. Refuses to know formats and ranges.
 * Called by the drivers, and by the pipeline that hands them a sink. */
#include <ecogov/driver.h>

#include "codepoint.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *eg_verdict_name(enum eg_verdict verdict)
{
    static const char *const names[EG_VERDICT_COUNT] = {
        [EG_DECODED] = "decoded",   [EG_NOT_MINE] = "not_mine",       [EG_MALFORMED] = "malformed",
        [EG_CHECKSUM] = "checksum", [EG_IMPLAUSIBLE] = "implausible",
    };
    assert((unsigned)verdict < EG_VERDICT_COUNT);
    return names[verdict];
}

void eg_sink_reset(struct eg_sink *sink)
{
    sink->count = 0; /* the readings behind the count are never read: no need to wipe 57 KB per message */
    sink->reason[0] = '\0';
}

/* Cutting a sentence must not cut a character: what is stored has to stay UTF-8. */
static void trim_partial_character(char *text)
{
    const size_t length = strlen(text);
    for (size_t at = length > 4 ? length - 4 : 0; at < length;) {
        uint32_t codepoint;
        const size_t bytes = eg_codepoint_next(text + at, length - at, &codepoint);
        if (bytes == 0 && ((unsigned char)text[at] & 0xC0U) == 0xC0U) {
            text[at] = '\0';
            return;
        }
        at += bytes == 0 ? 1 : bytes;
    }
}

int eg_sink_reject(struct eg_sink *sink, int verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int wanted = vsnprintf(sink->reason, sizeof sink->reason, format, arguments);
    va_end(arguments);
    if (wanted < 0)
        sink->reason[0] = '\0';
    else if ((size_t)wanted >= sizeof sink->reason)
        trim_partial_character(sink->reason);
    return verdict;
}

static bool refuse(struct eg_sink *sink, const char *name, const char *why)
{
    (void)eg_sink_reject(sink, EG_IMPLAUSIBLE, "%s: %s", name, why);
    return false;
}

bool eg_sink_add(struct eg_sink *sink, uint16_t quantity, const char *channel, int64_t time_ms, double value)
{
    const char *name = eg_quantity_info(quantity)->name;
    if (sink->count >= EG_SINK_MAX) {
        (void)eg_sink_reject(sink, EG_IMPLAUSIBLE, "more than %d readings in one message", EG_SINK_MAX);
        return false;
    }
    if (!isfinite(value))
        return refuse(sink, name, "the value is not a finite number");
    const size_t length = channel == NULL ? 0 : strnlen(channel, EG_CHANNEL_MAX + 1);
    if (length > EG_CHANNEL_MAX)
        return refuse(sink, name, "the channel's name is longer than 31 bytes");
    if (length > 0 && !eg_codepoint_printable_text(channel, length))
        return refuse(sink, name, "the channel's name is not printable UTF-8");

    struct eg_reading *reading = &sink->readings[sink->count++];
    *reading = (struct eg_reading){.time_ms = time_ms, .value = value, .quantity = quantity};
    if (length > 0)
        memcpy(reading->channel, channel, length);
    return true;
}
