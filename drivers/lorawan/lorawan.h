/* What LoRaWAN network servers have in common: a device, a time, a counter, how well it was heard, and either its bytes or what the
 * server has decoded of them. */
#ifndef EG_LORAWAN_H
#define EG_LORAWAN_H

#include "../kit/excerpt.h"
#include "../kit/named.h"

#include "../kit/json_tree.h"

#define EG_FRAME_BYTES 256 /* a FRMPayload has 242 at most */

/* A device's own bytes, and where their values go. Codecs call eg_frame_put() for each. */
struct eg_frame {
    const uint8_t *bytes;
    size_t length;
    int port; /* FPort; 0: unknown */
    int64_t time_ms;
    const struct eg_named *named; /* names the source maps itself; may be NULL */
    struct eg_sink *sink;
    char unknown[EG_EXCERPT_MAX]; /* the first name that is no quantity; "": none */
    bool refused;                 /* the sink has its reason */
};
struct eg_codec {
    const char *name;
    enum eg_verdict (*decode)(struct eg_frame *frame, unsigned variant);
    unsigned variant; /* which of the family */
};
#define EG_CODEC(name, function, variant)                                                                    \
    enum eg_verdict eg_codec_##function(struct eg_frame *frame, unsigned which);
#include "codecs.def"
#undef EG_CODEC
const struct eg_codec *eg_codec_find(const char *name); /* NULL: there is none */
extern const char *const eg_codec_names[];              /* up to a NULL */

/* A value under the device's own name. `quantity` (EG_QUANTITY_NONE: the dictionary has none) and `channel` where the source does not
 * map the name; `unit` is the payload's, NULL: canonical. */
void eg_frame_put(struct eg_frame *frame, const char *name, int quantity, const char *channel,
                  const char *unit, double value);
/* The device says that it could not measure. */
void eg_frame_fault(struct eg_frame *frame, const char *name, int quantity, const char *channel,
                    const char *mark);
/* After the last value: decoded, or why not. */
enum eg_verdict eg_frame_end(struct eg_frame *frame);
enum eg_verdict eg_frame_short(struct eg_frame *frame,
                               size_t least); /* malformed: fewer bytes than it must have */
/* Big-endian. The caller knows that they are there. */
unsigned eg_frame_u16(const struct eg_frame *frame, size_t at);
int eg_frame_i16(const struct eg_frame *frame, size_t at);

/* Base64 (also URL-safe, also without padding) or, if `hex` is allowed, hexadecimal. false: neither, or too long. */
bool eg_lorawan_bytes(const char *text, size_t length, bool hex, uint8_t out[EG_FRAME_BYTES],
                      size_t *ret_length);

struct eg_lorawan_plan {
    struct eg_named named;
    const struct eg_codec *codec;
    enum { EG_LORAWAN_TOPIC, EG_LORAWAN_EUI, EG_LORAWAN_NAME } device;
};
struct eg_uplink {
    const char *eui, *name; /* hexadecimal, or base64 of eight bytes; NULL where not told */
    int64_t time_ms;        /* EG_TIME_NONE: not told */
    bool has_counter;
    uint32_t counter;
    double rssi, snr;    /* of the gateway that heard best; NAN: not told */
    double battery;      /* %, NAN */
    int port;            /* 0: not told */
    const char *data;    /* base64 of the device's bytes; NULL */
    const cJSON *object; /* what the server has decoded; NULL */
    bool normalized;     /* `object` is the Things Stack's normalized_payload */
};

/* Members of an event; NULL where there is none, or it is no text. */
const cJSON *eg_lorawan_member(const cJSON *object, const char *key);
const char *eg_lorawan_text(const cJSON *object, const char *key);
/* The larger of the two; `a` where `item` is no number, the number where `a` is NAN: the gateway that heard best. */
double eg_lorawan_larger(double a, const cJSON *item);

int eg_lorawan_prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                       int *ret_field);
void eg_lorawan_release(void *prepared);
/* With a codec the bytes, where there are any; else the object. */
enum eg_verdict eg_lorawan_read(const struct eg_lorawan_plan *plan, const struct eg_uplink *uplink,
                                struct eg_sink *sink);
/* A payload that is the device's bytes, binary, base64 or hexadecimal, with nothing around them. */
enum eg_verdict eg_lorawan_read_bytes(const struct eg_lorawan_plan *plan, const struct eg_codec *codec,
                                      const struct eg_message *message, struct eg_sink *sink);
/* The whole payload as one JSON object, to be finished; or a verdict with a reason. */
enum eg_verdict eg_lorawan_parse(const struct eg_message *message, struct eg_sink *sink,
                                 struct eg_json_tree *ret_tree);
/* Values of a decoded object, nested as it may be; what `plan` does not map is guessed by name. */
void eg_object_read(struct eg_frame *frame, const cJSON *object);
void eg_object_read_normalized(struct eg_frame *frame,
                               const cJSON *measurements); /* one, or a list of them */
bool eg_object_is_normal(const cJSON *measurements);       /* something in it has a quantity */
/* RFC 3339, or seconds or milliseconds; false when it is none. */
bool eg_object_time(const cJSON *item, int64_t *ret_ms);
/* SenseCAP numbers what it measures; to `fields` the number is the name. probe: of several; 0, 1: the only one. */
void eg_sensecap_put(struct eg_frame *frame, unsigned id, unsigned probe, double value);

#endif
