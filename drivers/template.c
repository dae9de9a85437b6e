/* template: where a new driver begins. Copy this file to drivers/<name>.c, put your format in place of this one, and go by "Adding a
 * driver" in CONTRIBUTING.md. It is built and tested like the others (tests/drivers/template) and not in drivers.def: nobody can choose it.
 *
 * Draw the payload here, say what is read of it, what is passed over and what refuses the message, and link the specification:
 *
 *   T=21.5;H=60.2;B=!        letters, '=', a number or '!' for "could not measure", with ';' between them
 *
 * A letter is a quantity by fields: (path = the letter), else T temperature, H humidity, B battery. Unknown letters are passed over.
 * Refused: a piece that is none, a number that is none, a letter given twice, or no known letter at all. An empty message is none.
 *
 * https://example.org/the-specification */
#include <ecogov/driver.h>

#include "kit/decimal.h" /* look through kit/ first: times, units, names, JSON, CBOR and protobuf have their readers there */
#include "kit/excerpt.h"
#include "kit/named.h"
#include "kit/twice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX                                                                                            \
    4096 /* everything that others can fill has a written maximum: docs/architecture.md, "Limits" */
#define REFUSE(sink, verdict, ...) ((enum eg_verdict)eg_sink_reject(sink, verdict, __VA_ARGS__))

struct plan { /* a mapping, compiled once; decode() only looks things up in it */
    struct eg_named named;
};

static void release(void *prepared)
{
    struct plan *plan = prepared;
    if (plan == NULL)
        return;
    eg_named_finish(&plan->named);
    free(plan);
}

static int prepare(const struct eg_mapping *mapping, void **ret_prepared, char *error, size_t error_size,
                   int *ret_field)
{
    struct plan *plan = calloc(1, sizeof *plan);
    *ret_field = -1;
    if (plan == NULL) {
        (void)snprintf(error, error_size, "no memory for the mapping");
        return -1;
    }
    if (!eg_named_init(&plan->named, mapping, error, error_size, ret_field)) {
        release(plan);
        return -1;
    }
    *ret_prepared = plan;
    return 0;
}

static int known(char letter)
{
    switch (letter) {
    case 'T':
        return EG_Q_temperature;
    case 'H':
        return EG_Q_humidity;
    case 'B':
        return EG_Q_battery;
    default:
        return EG_QUANTITY_NONE;
    }
}

/* A refusal says what, where, and what can be done; the stranger's text goes through eg_excerpt_write(). */
static enum eg_verdict read_piece(const struct plan *plan, const char *piece, size_t length,
                                  struct eg_sink *sink)
{
    char shown[EG_EXCERPT_MAX];
    struct eg_named_field own = {.scale = 1, .channel = ""};
    double value;
    if (length < 3 || piece[1] != '=')
        return REFUSE(sink, EG_MALFORMED, "\"%s\" is not a letter, '=' and a value",
                      eg_excerpt_write(piece, length, shown));
    const struct eg_named_field *field = eg_named_find(&plan->named, piece, 1);
    if (field == NULL && known(*piece) != EG_QUANTITY_NONE) {
        own.quantity = (uint16_t)known(*piece);
        field = &own;
    }
    if (field == NULL)
        return EG_DECODED;
    if (length == 3 && piece[2] == '!') { /* what the device calls a fault is counted, and no value */
        eg_sink_fault(sink, field->quantity, field->channel, "!");
        return EG_DECODED;
    }
    if (!eg_decimal_parse(piece + 2, length - 2, &value))
        return REFUSE(sink, EG_MALFORMED, "%c holds \"%s\", which is no number", *piece,
                      eg_excerpt_write(piece + 2, length - 2, shown));
    return eg_named_put(field, value, NULL, EG_TIME_NONE, sink) ? EG_DECODED : EG_IMPLAUSIBLE;
}

static enum eg_verdict decode(const void *prepared, const struct eg_message *message, struct eg_sink *sink)
{
    static const struct plan plain = {
        .named = {.count = 0}}; /* prepared is NULL where the source maps nothing */
    const char *at = (const char *)message->payload;
    eg_sink_reset(sink);
    if (message->payload_len == 0)
        return REFUSE(sink, EG_NOT_MINE, "an empty message");
    if (message->payload_len > BYTES_MAX)
        return REFUSE(sink, EG_MALFORMED, "%zu bytes, the most is %d", message->payload_len, BYTES_MAX);
    for (const char *const end = at + message->payload_len; at < end; at++) {
        const char *stop = memchr(at, ';', (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        const enum eg_verdict verdict =
            read_piece(prepared == NULL ? &plain : prepared, at, (size_t)(stop - at), sink);
        if (verdict != EG_DECODED)
            return verdict;
        at = stop;
    }
    if (sink->count == 0 && sink->fault_count == 0)
        return REFUSE(sink, EG_IMPLAUSIBLE, "no letter in it is known; name it in fields");
    return eg_twice_find(sink) == sink->count ? EG_DECODED
                                              : REFUSE(sink, EG_MALFORMED, "a letter is given twice");
}

extern const struct eg_driver eg_driver_template;
const struct eg_driver eg_driver_template = {
    .name = "template",
    .about = "Where a new driver begins",
    .keys = "fields",
    .prepare = prepare,
    .release = release,
    .decode = decode,
};
