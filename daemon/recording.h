/* The recording format (CONTRACT §3): one JSON object a line, ascending by time. */
#ifndef EG_RECORDING_H
#define EG_RECORDING_H

#include <base/buf.h>
#include <base/err.h>
#include <pipeline/event.h>

/* One line, taken apart. Owned: eg_recording_finish() frees it; the event borrows from it. */
struct eg_recorded {
    struct eg_event event; /* kind TICK: a line with only a time */
    void *json;
    uint8_t *bytes; /* of payload_base64, or the texts of a plain line */
};
int eg_recording_parse(const char *line, size_t length, struct eg_recorded *ret, struct eg_err *err);
void eg_recording_finish(struct eg_recorded *recorded);
/* Appends a message as a line with its newline. */
void eg_recording_write(const struct eg_message *message, struct eg_buf *out);
/* Likewise: the broker is heard from here on, or is not any more. */
void eg_recording_write_link(int64_t at_ms, bool up, struct eg_buf *out);
/* Likewise: the clock is in doubt from here on, or trusted again. */
void eg_recording_write_clock(int64_t at_ms, const struct eg_clock_news *news, struct eg_buf *out);

#endif
