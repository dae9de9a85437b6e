/* A mapping proposed for a payload that nobody has described: guess.c reads the payload, guess_write.c writes what was made of it. */
#ifndef EG_CTL_GUESS_H
#define EG_CTL_GUESS_H
#include "guess_name.h"

#include <base/buf.h>
#include <cjson/cJSON.h>
#include <stdint.h>

#define GUESS_FIELDS 256 /* of a source */
#define GUESS_LEAVES 2048
#define GUESS_POINTER 512
#define GUESS_PARTS 16
#define GUESS_NOTE 240
#define GUESS_TOPIC 256

/* A value of the payload and where it stands. */
struct guess_leaf {
    const cJSON *item;
    char pointer[GUESS_POINTER];     /* from the element, where there are several */
    const char *keys[GUESS_PARTS];   /* its own, then those above it; NULL: an index */
    const cJSON *above[GUESS_PARTS]; /* the objects and arrays it stands in, nearest first */
    size_t depth;
    bool used;
};
struct guess_field {
    const struct guess_leaf *leaf;
    char path[GUESS_POINTER]; /* a pointer, or the key of an element */
    struct guess_name name;
    struct guess_unit unit;
    double number;
    bool has_number, missing;
    char channel[EG_CHANNEL_MAX + 1];
};
enum guess_shape { GUESS_FLAT, GUESS_ELEMENTS, GUESS_KEYED, GUESS_TABLE };
struct guess {
    enum guess_shape shape;
    char readings[GUESS_POINTER], key[GUESS_POINTER], value[GUESS_POINTER]; /* "" where there is none */
    const struct guess_leaf *time, *device, *channel;
    bool top_list; /* the payload is an array */
    bool zoneless; /* the time says no zone */
    bool nanoseconds;
    struct guess_field fields[GUESS_FIELDS];
    size_t field_count;
    struct guess_leaf *leaves; /* all that were looked at */
    size_t leaf_count;
    bool cut;            /* there are more */
    struct eg_buf notes; /* comment lines on what was left out */
};
struct guess_place {           /* what the payload does not say */
    const char *topic;         /* NULL: unknown */
    const char *site, *domain; /* NULL: unknown */
    const char *utc_offset;    /* of times without a zone; NULL: unknown */
};

/* False: there is no memory. `json` is borrowed until guess_finish(). */
bool guess_read(const cJSON *json, struct guess *ret);
void guess_finish(struct guess *guess);
/* The source as YAML, to be pasted under `sources:`. `driver`: NULL, or one that reads the payload without a mapping. */
void guess_write(const struct guess *guess, const struct guess_place *place, struct eg_buf *out);
void guess_write_driver(const char *driver, bool names_device, const struct guess_place *place,
                        struct eg_buf *out);
void guess_write_preset(const char *preset, const struct guess_place *place, struct eg_buf *out);
/* A remark, one line. */
void guess_note(struct eg_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What Home Assistant's discovery announces of one value. Borrowed from the announcement. */
struct guess_announced {
    char topic[GUESS_TOPIC];  /* where it is published */
    char path[GUESS_POINTER]; /* within a JSON payload; "": the payload is the value */
    int quantity;
    const char *unit, *device; /* "", NULL: not said */
    bool unit_known;           /* the quantity can come in it */
};
bool guess_is_announced(const cJSON *json);
/* NULL, or why no source can be proposed. */
const char *guess_read_announced(const cJSON *json, struct guess_announced *ret);
void guess_write_announced(const struct guess_announced *announced, const struct guess_place *place,
                           struct eg_buf *out);
#endif
