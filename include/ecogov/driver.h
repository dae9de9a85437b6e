/* What a driver author needs, and nothing else.
 *
 * A driver translates one payload format into readings in canonical units. It does not judge, and knows no I/O, clock,
 * log, heap growth without bound or mutable static: the fuzzer calls it with no daemon around. To add one: write
 * drivers/<name>.c, add one line to drivers/drivers.def, put golden pairs into tests/drivers/<name>/. */
#ifndef ECOGOV_DRIVER_H
#define ECOGOV_DRIVER_H

#include <ecogov/message.h>
#include <ecogov/quantity.h>
#include <ecogov/reading.h>

/* The graded result of decode(); counted per source. */
enum eg_verdict {
    EG_DECODED = 0,
    EG_NOT_MINE,    /* not this format's kind of message (a status, a downlink): counted as ignored */
    EG_MALFORMED,   /* the format is broken: quarantined */
    EG_CHECKSUM,    /* a checksum is wrong: quarantined */
    EG_IMPLAUSIBLE, /* well-formed, impossible content (1e400, no known field …): quarantined */
    EG_VERDICT_COUNT
};
const char *
eg_verdict_name(enum eg_verdict verdict); /* "decoded" "not_mine" "malformed" "checksum" "implausible" */

/* How a source maps a payload, as the configuration says. Strings are NUL-terminated, "" or NULL where not given; all zero: nothing was
 * said. */
struct eg_word { /* a text that stands for a number: open = 1 */
    const char *text;
    double value;
};
struct eg_field {
    const char *path;     /* JSON Pointer (RFC 6901) or the format's own name of the field */
    const char *quantity; /* name or alias; checked by prepare() */
    const char *unit;     /* unit the payload uses; canonical when empty */
    const char *channel;
    const double *empty,
        *full; /* the payload's numbers that are 0 % and 100 %: a distance to a bin's bottom and to its
                                 * brim; both or neither */
    double scale, offset;  /* value = payload's * scale + offset, before the unit is converted; scale 0: 1 */
    const double *missing; /* the device's codes for "I could not measure": a fault, no value */
    size_t missing_count;
    const struct eg_word *words;
    size_t word_count;
};
struct eg_mapping {
    const char *time; /* where the time is (JSON Pointer); default: the format's own */
    const char *
        readings; /* JSON Pointer of an array of elements; fields are relative to each element; with "*" as its last part
                           * the members of an object, whose keys `channel` and `device` may be ("*") */
    const char
        *channel; /* JSON Pointer of a channel name (relative to the element when there is `readings`) */
    const char *device;   /* where the payload names the device, when the topic does not */
    const char *quantity; /* what a bare number is; or, in JSON, the pointer of the element's key */
    const char *value;    /* JSON Pointer of the value that goes with such a key */
    const char *
        unit; /* of a bare number; of all fields that say none; in JSON also a pointer to where the payload says it */
    const char *
        precision; /* of numbers that are times: "s" "ms" "us" "ns"; default: the format's, else by magnitude */
    const char *utc_offset;  /* of times without a zone: "+08:00" */
    const char *time_format; /* of times that are texts: "%d.%m.%Y %H:%M" */
    const char *separator;   /* between cells: "," ";" "|" "tab"; default: found out */
    const char *decimal;     /* of numbers in texts: "." or ","; default: "." */
    const char *codec; /* how the bytes inside an envelope are read (LoRaWAN): one of the driver's codecs */
    const char *checksum;  /* where devices of a format disagree on it; "none": not looked at */
    bool ignore_unmatched; /* a message that has none of the fields is not mine, instead of implausible */
    const struct eg_field *fields;
    size_t field_count;
};

struct eg_driver {
    const char *name;
    const char *about; /* one sentence for `ecogovctl drivers` */
    /* What mapping.device is where the format itself names the device (HJ 212's "MN") and neither the source nor its topic does; NULL:
     * it does not. */
    const char *device;
    const char *const *codecs,
        *const *checksums; /* what mapping.codec and .checksum may be, up to a NULL; NULL: nothing */
    /* The keys of a source's mapping that it heeds, as a configuration writes them, blank-separated: "time fields words"; `words` are a
     * field's. Any other key is a fault of the configuration. */
    const char *keys;
    /* Compiles and checks a mapping (which may be freed afterwards). 0, or -1 with a sentence in `error`
     * and the offending field's index (or -1) in *ret_field. *ret_prepared is Owned by the caller. */
    int (*prepare)(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field);
    void (*release)(void *prepared); /* accepts NULL */
    enum eg_verdict (*decode)(const void *prepared, const struct eg_message *message, struct eg_sink *sink);
};

const struct eg_driver *eg_driver_find(const char *name);              /* NULL when there is none */
const struct eg_driver *eg_driver_at(size_t index);                    /* NULL behind the last */
bool eg_driver_heeds(const struct eg_driver *driver, const char *key); /* one of its keys */

#endif
