/* What a driver makes of a message: readings in canonical units, put into a bounded sink.
 *
 * The sink is all-or-nothing: when decode() returns anything but EG_DECODED its content is not used. */
#ifndef ECOGOV_READING_H
#define ECOGOV_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EG_TIME_NONE INT64_MIN /* "the payload has no time of its own" */
#define EG_CHANNEL_MAX 31      /* bytes of a channel's name, without the NUL */
#define EG_SINK_MAX 1024       /* readings one message may carry */
#define EG_REASON_MAX 240      /* bytes of a reject's sentence, with the NUL */
#define EG_DEVICE_MAX 63       /* bytes of a device's name in a payload, without the NUL */
#define EG_SINK_DEVICES 64     /* devices one message may speak for */

/* Marks on a reading. They never erase a value. Stored: numbers are forever. */
enum eg_flag {
    EG_FLAG_LATE = 1 << 0,       /* older than the late limit when it came: judged by no rule */
    EG_FLAG_RETAINED = 1 << 1,   /* came as a retained message: judged by no rule */
    EG_FLAG_CORRECTION = 1 << 2, /* replaces an earlier value of the same series and time */
    EG_FLAG_ARRIVAL = 1 << 3,    /* time is the arrival time, the payload had none */
    EG_FLAG_IMPORTED = 1 << 4,   /* history from elsewhere, taken in by hand: judged by no rule */
    EG_FLAG_MANUAL = 1 << 5,     /* measured by a person: a laboratory's sample, a hand instrument */
    /* What quality control found (docs/quality.md). Each of them is a reason for doubt; what is BAD is besides taken by no statistic and
     * judged by no rule. */
    EG_FLAG_RANGE = 1 << 6,        /* possible, but outside what is usual, or what the instrument can tell */
    EG_FLAG_STEP = 1 << 7,         /* changed faster than nature does */
    EG_FLAG_STUCK = 1 << 8,        /* the same value for too long */
    EG_FLAG_INCONSISTENT = 1 << 9, /* contradicts another value of the same message, or its mark */
    EG_FLAG_HUMID = 1 << 10,       /* particles, while the air was near saturation */
    EG_FLAG_BAD = 1 << 11,         /* set aside */
    EG_FLAG_REQUALIFIED =
        1 << 12, /* a reading that came late changed what quality control finds; the value is as it was */
    EG_FLAG_CALIBRATED = 1 << 13, /* not as the device said it: scaled and shifted by its calibration */
    EG_FLAG_CLOCK = 1 << 14, /* dated by a clock that was in doubt: the time between such readings is right */
    EG_FLAG_SPIKE =
        1 << 15, /* sticks out from the reading before it and the one behind it; one of the doubts */
};
#define EG_FLAG_COUNT 16
#define EG_FLAGS_DOUBT                                                                                       \
    ((unsigned)(EG_FLAG_RANGE | EG_FLAG_STEP | EG_FLAG_SPIKE | EG_FLAG_STUCK | EG_FLAG_INCONSISTENT |        \
                EG_FLAG_HUMID))
const char *eg_flag_name(int bit);                      /* "late" …; NULL: there is no such bit */
unsigned eg_flag_find(const char *name, size_t length); /* the flag; 0: unknown */

struct eg_reading {
    int64_t time_ms;   /* UTC ms, or EG_TIME_NONE */
    double value;      /* canonical unit of the quantity; finite */
    uint16_t quantity; /* enum eg_quantity */
    uint16_t flags;
    uint16_t device;                  /* 0: the topic's; else sink->devices[device - 1] */
    char channel[EG_CHANNEL_MAX + 1]; /* "" for none */
};

#define EG_REPORT_TEXT 1000 /* bytes of what a person says, with the NUL */
struct eg_sink_report {     /* what a person saw; "" and NaN where it was not said */
    char text[EG_REPORT_TEXT], reporter[64], photo[65] /* SHA-256, hex */, case_id[96];
    enum eg_repair { EG_REPAIR_NONE, EG_REPAIR_CONFIRMED, EG_REPAIR_DISPUTED } repair;
    double latitude, longitude;
    int64_t time_ms; /* or EG_TIME_NONE */
};
struct eg_sink {
    size_t count;
    struct eg_reading readings[EG_SINK_MAX];
    uint16_t device; /* of the readings that are added from here on */
    uint16_t device_count;
    char devices[EG_SINK_DEVICES][EG_DEVICE_MAX + 1];
    bool has_report;
    struct eg_sink_report report; /* instead of a device's message; at most one reading goes with it */
    bool has_frame;               /* the message carries a counter */
    uint32_t frame;               /* that counts the device's messages: a gap is a loss */
    uint16_t fault_count; /* values the device itself called faults ("-999", HJ 212's mark D): no readings */
    char fault[EG_REASON_MAX];  /* the first of them, a sentence */
    uint16_t unread_count;      /* values that could not be read, beside those that could */
    char unread[EG_REASON_MAX]; /* why, of the first: a sentence */
    bool has_gap;               /* a counter that several devices share tells */
    uint32_t gap;               /* how many messages never came before this one */
    bool
        gone; /* the devices it speaks for (without one, the topic's) have left: silent from now on. No readings */
    char reason[EG_REASON_MAX]; /* why not, when the verdict is a reject */
};

void eg_sink_reset(struct eg_sink *sink);
/* Adds one reading; a value that the quantity cannot have and that devices give for "not measured" (-999, 65535, -327.68) becomes a fault.
 * False when full, the value is not finite or the channel is too long or holds
 * anything but printable UTF-8; then `reason` is set. `channel` may be NULL. Copies. */
bool eg_sink_add(struct eg_sink *sink, uint16_t quantity, const char *channel, int64_t time_ms, double value);
/* The readings that follow are this device's. False: not printable, too long, one too many; then `reason` is set. Length 0: the topic's. */
bool eg_sink_device(struct eg_sink *sink, const char *name, size_t length);
void eg_sink_frame(struct eg_sink *sink, uint32_t counter);
/* A counter that goes through the messages of several devices: this one came, and `lost` before it did not. */
void eg_sink_gap(struct eg_sink *sink, uint32_t lost);
/* A value that cannot be read, in a message that otherwise can: told, printf style, and the payload is kept. */
void eg_sink_unread(struct eg_sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A field the device marks as not measured: counted, told, never a value. A message of faults only is decoded, without readings. */
void eg_sink_fault(struct eg_sink *sink, uint16_t quantity, const char *channel, const char *mark);
/* Sets the reason, printf style, cut to EG_REASON_MAX, and gives back `verdict` (enum eg_verdict) for `return`. */
int eg_sink_reject(struct eg_sink *sink, int verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
