/* Any bytes as a payload of any registered driver, without a mapping and under one made of the same bytes. Knows what driver.h promises:
 * a verdict in range, a sink that holds only what may be stored, a sentence with every refusal, the same answer twice, and once more from
 * the same thing in another notation (twins.h).
 *
 * Input: byte 0 chooses the driver, unless ECOGOV_FUZZ_DRIVER names the one to search; byte 1 is odd when a mapping follows; a line with
 * the topic; the mapping's lines (in the order of `keys`, then path, quantity, unit, channel and a missing value per field, up to an empty
 * path); the rest is the payload. seeds.py makes such inputs of tests/drivers. */
#include "input.h"
#include "twins.h"

#include <ecogov/driver.h>
#include <ecogov/time.h>

#include <math.h>

#define LATEST_MS INT64_C(253402300799999) /* the end of year 9999 */
#define FIELDS_MAX 8
#define FIELD_LINES 5
#define KEYS 14
#define PAIRS_MAX 64 /* readings that are held against each other; more are slow and no other code */

static const struct eg_driver *driver_of(unsigned choice)
{
    const char *pinned = getenv("ECOGOV_FUZZ_DRIVER");
    if (pinned && *pinned) {
        const struct eg_driver *driver = eg_driver_find(pinned);
        DEMAND(driver, "ECOGOV_FUZZ_DRIVER=%s: no such driver", pinned);
        return driver;
    }
    unsigned count = 0;
    while (eg_driver_at(count))
        count++;
    return eg_driver_at(choice % count);
}

static void *prepare(const struct eg_driver *driver, const struct eg_mapping *mapping)
{
    char error[240];
    int field = -2;
    void *prepared = NULL;
    memset(error, '!', sizeof error);
    if (driver->prepare(mapping, &prepared, error, sizeof error, &field) == 0)
        return prepared;
    DEMAND(memchr(error, '\0', sizeof error) && *error, "%s: a mapping is refused without a sentence",
           driver->name);
    DEMAND(field >= -1 && field < (int)mapping->field_count, "field %d of %zu", field, mapping->field_count);
    DEMAND(!prepared, "refused, and yet something is prepared");
    return NULL;
}

/* NULL when the driver refuses the mapping. */
static void *prepare_given(const struct eg_driver *driver, struct input *input)
{
    char *texts[KEYS + FIELD_LINES * FIELDS_MAX];
    struct eg_field fields[FIELDS_MAX];
    double missing[FIELDS_MAX];
    size_t count = 0, field_count = 0;
    while (count < KEYS)
        texts[count++] = input_text(input, '\n');
    while (field_count < FIELDS_MAX) {
        texts[count] = input_text(input, '\n');
        if (!*texts[count++])
            break;
        for (int i = 1; i < FIELD_LINES; i++)
            texts[count++] = input_text(input, '\n');
        char **line = &texts[count - FIELD_LINES];
        missing[field_count] = strtod(line[4], NULL);
        fields[field_count] = (struct eg_field){.path = line[0],
                                                .quantity = line[1],
                                                .unit = line[2],
                                                .channel = line[3],
                                                .missing = &missing[field_count],
                                                .missing_count = *line[4] != '\0'};
        field_count++;
    }
    const struct eg_mapping mapping = {.time = texts[0],
                                       .readings = texts[1],
                                       .channel = texts[2],
                                       .device = texts[3],
                                       .quantity = texts[4],
                                       .value = texts[5],
                                       .unit = texts[6],
                                       .precision = texts[7],
                                       .utc_offset = texts[8],
                                       .codec = texts[9],
                                       .checksum = texts[10],
                                       .time_format = texts[11],
                                       .separator = texts[12],
                                       .decimal = texts[13],
                                       .ignore_unmatched = field_count % 2,
                                       .fields = fields,
                                       .field_count = field_count};
    void *prepared = prepare(driver, &mapping);
    while (count)
        free(texts[--count]); /* what is prepared does not live on what was given */
    return prepared;
}

static bool printable(const char *text, size_t size)
{
    if (!memchr(text, '\0', size))
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return true;
}

static void check_reading(const struct eg_sink *sink, const struct eg_reading *reading)
{
    DEMAND(isfinite(reading->value), "a value that is none");
    DEMAND(reading->quantity < EG_QUANTITY_COUNT, "quantity %u", reading->quantity);
    DEMAND((reading->flags & ~(EG_FLAG_RANGE | EG_FLAG_INCONSISTENT)) == 0,
           "a driver says of a value that it is in doubt, and nothing else: flags %u", reading->flags);
    DEMAND(reading->time_ms == EG_TIME_NONE || (reading->time_ms >= 0 && reading->time_ms <= LATEST_MS),
           "time %lld", (long long)reading->time_ms);
    DEMAND(printable(reading->channel, sizeof reading->channel), "a channel that cannot be printed");
    DEMAND(reading->device <= sink->device_count, "device %u of %u", reading->device, sink->device_count);
}

static void check_sink(enum eg_verdict verdict, const struct eg_sink *sink)
{
    DEMAND((unsigned)verdict < EG_VERDICT_COUNT, "verdict %d", (int)verdict);
    if (verdict != EG_DECODED) {
        DEMAND(memchr(sink->reason, '\0', sizeof sink->reason) && *sink->reason, "%s without a sentence",
               eg_verdict_name(verdict));
        return;
    }
    /* A device that only confesses that it could not measure is understood, too, and what a person only saw. */
    DEMAND((sink->count + sink->fault_count >= 1 || sink->has_report) != sink->gone &&
               sink->count <= EG_SINK_MAX,
           "%zu readings, %u faults, gone: %d", sink->count, sink->fault_count, sink->gone);
    DEMAND(!sink->unread_count || *sink->unread, "unread without a sentence");
    DEMAND(sink->device_count <= EG_SINK_DEVICES, "%u devices", sink->device_count);
    for (size_t i = 0; i < sink->device_count; i++)
        DEMAND(*sink->devices[i] && printable(sink->devices[i], sizeof sink->devices[i]), "a device's name");
    for (size_t i = 0; i < sink->count; i++)
        check_reading(sink, &sink->readings[i]);
    for (size_t i = 1; i < sink->count && i < PAIRS_MAX; i++)
        for (size_t k = 0; k < i; k++)
            DEMAND(sink->readings[i].device != sink->readings[k].device ||
                       sink->readings[i].quantity != sink->readings[k].quantity ||
                       sink->readings[i].time_ms != sink->readings[k].time_ms ||
                       strcmp(sink->readings[i].channel, sink->readings[k].channel) != 0,
                   "readings %zu and %zu are the same one", k, i);
}

static void check_same(const struct eg_sink *a, const struct eg_sink *b, enum eg_verdict verdict)
{
    if (verdict != EG_DECODED) {
        DEMAND(!strcmp(a->reason, b->reason), "'%s', then '%s'", a->reason, b->reason);
        return;
    }
    DEMAND(a->count == b->count, "%zu readings, then %zu", a->count, b->count);
    DEMAND(a->fault_count == b->fault_count && a->has_frame == b->has_frame, "another health");
    for (size_t i = 0; i < a->count; i++) {
        const struct eg_reading *x = &a->readings[i], *y = &b->readings[i];
        DEMAND(x->time_ms == y->time_ms && !memcmp(&x->value, &y->value, sizeof x->value) &&
                   x->quantity == y->quantity && x->device == y->device && !strcmp(x->channel, y->channel),
               "reading %zu differs the second time", i);
    }
}

/* With a memory of its own. Where the topic says that it is Sparkplug's data, the same payload comes as the birth before. */
static enum eg_verdict decode(const struct eg_driver *driver, const void *prepared,
                              const struct eg_message *message, struct eg_sink *sink)
{
    struct eg_message lent = *message;
    lent.memory = eg_memory_create();
    const char *data = strstr(message->topic, "DATA/");
    char *topic = data ? malloc(message->topic_len + 2) : NULL;
    if (topic) {
        const size_t before = (size_t)(data - message->topic);
        memcpy(topic, message->topic, before);
        memcpy(topic + before, "BIRTH/", 6);
        memcpy(topic + before + 6, data + 5, message->topic_len - before - 5 + 1);
        lent.topic = topic;
        lent.topic_len++;
        (void)driver->decode(prepared, &lent, sink);
        lent.topic = message->topic;
        lent.topic_len--;
    }
    const enum eg_verdict verdict = driver->decode(prepared, &lent, sink);
    eg_memory_destroy(lent.memory);
    free(topic);
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct eg_sink first, second;
    struct input input = {data, data + size};
    const struct eg_driver *driver = driver_of(input_byte(&input));
    bool given = input_byte(&input) % 2;
    char *topic = input_text(&input, '\n');
    void *prepared = given ? prepare_given(driver, &input) : NULL;
    if (given && !prepared) {
        free(topic);
        return 0;
    }
    const char *level = strchr(topic, '/'); /* what follows the first '/' stands for {quantity} */
    struct eg_message message = {.topic = topic, .topic_len = strlen(topic), .arrived_ms = 1795417200000};
    message.quantity = level ? level + 1 : NULL;
    message.quantity_len = level ? strcspn(level + 1, "/") : 0;
    uint8_t *payload = input_exact(&input, SIZE_MAX, &message.payload_len);
    message.payload = message.payload_len ? payload : NULL;

    memset(&first, 0xA5, sizeof first); /* what a sink held before must not show */
    memset(&second, 0x5A, sizeof second);
    enum eg_verdict verdict = decode(driver, prepared, &message, &first),
                    again = decode(driver, prepared, &message, &second);
    check_sink(verdict, &first);
    DEMAND(verdict == again, "%s, then %s", eg_verdict_name(verdict), eg_verdict_name(again));
    check_same(&first, &second, verdict);
    check_twin(driver, prepared, given, &message, verdict, &first);
    free(payload);
    driver->release(prepared);
    free(topic);
    return 0;
}
