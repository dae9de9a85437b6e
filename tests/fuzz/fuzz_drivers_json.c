/* Any bytes as a payload of the json driver, under the mappings sources use and under mappings made of the same bytes. Knows what
 * driver.h promises: a verdict in range, a sink that holds only what may be stored, a sentence with every refusal, the same
 * answer twice.
 *
 * Input: byte 0 chooses the mapping; when that is MAPPING_GIVEN, lines follow (time, readings, channel, then path, quantity,
 * unit, channel per field, up to an empty path); the rest is the payload. */
#include "input.h"

#include <ecogov/driver.h>
#include <ecogov/time.h>

#include <math.h>

#define LATEST_MS INT64_C(253402300799999) /* the end of year 9999 */
#define FIELDS_MAX 4
#define MAPPING_COUNT 6
#define MAPPING_GIVEN MAPPING_COUNT

static const struct eg_field nested[] = {
    {.path = "/pm/fine", .quantity = "pm25", .unit = "", .channel = ""},
    {.path = "/temp_f", .quantity = "temperature", .unit = "degF", .channel = ""}};
static const struct eg_field rows[] = {
    {.path = "/m", .quantity = "soil_moisture", .unit = "m3/m3", .channel = ""},
    {.path = "/t", .quantity = "soil_temperature", .unit = "", .channel = "probe"}};
static const struct eg_field by_index[] = {
    {.path = "/0", .quantity = "pm25", .unit = "", .channel = ""},
    {.path = "/1", .quantity = "pm10", .unit = "", .channel = "a~b/c"}};
static const struct eg_field one[] = {{.path = "/a", .quantity = "pm25", .unit = "", .channel = ""}};
static const struct eg_field escaped[] = {
    {.path = "/a~1b/m~0n", .quantity = "pm25", .unit = "mg/m3", .channel = ""},
    {.path = "/", .quantity = "no2", .unit = "ppb", .channel = ""}};
static const struct eg_mapping mappings[MAPPING_COUNT] = {
    {.field_count = 0},
    {.time = "/when", .fields = nested, .field_count = 2},
    {.time = "/at", .readings = "/rows", .channel = "/d", .fields = rows, .field_count = 2},
    {.fields = by_index, .field_count = 2},
    {.channel = "/n", .fields = one, .field_count = 1},
    {.time = "/t/0", .readings = "/list", .fields = escaped, .field_count = 2},
};

static void *prepare(const struct eg_driver *driver, const struct eg_mapping *mapping)
{
    char error[120];
    int field = -2;
    void *prepared = NULL;
    memset(error, '!', sizeof error);
    if (driver->prepare(mapping, &prepared, error, sizeof error, &field) == 0)
        return prepared;
    DEMAND(memchr(error, '\0', sizeof error) && *error, "a mapping is refused without a sentence");
    DEMAND(field >= -1 && field < (int)mapping->field_count, "field %d of %zu", field, mapping->field_count);
    DEMAND(!prepared, "refused, and yet something is prepared");
    return NULL;
}

static void *prepare_given(const struct eg_driver *driver, struct input *input)
{
    char *texts[3 + 4 * FIELDS_MAX];
    struct eg_field fields[FIELDS_MAX];
    size_t count = 0, field_count = 0;
    for (int i = 0; i < 3; i++)
        texts[count++] = input_text(input, '\n');
    while (field_count < FIELDS_MAX) {
        texts[count] = input_text(input, '\n');
        if (!*texts[count++])
            break;
        for (int i = 0; i < 3; i++)
            texts[count++] = input_text(input, '\n');
        char **field = &texts[count - 4];
        fields[field_count++] =
            (struct eg_field){.path = field[0], .quantity = field[1], .unit = field[2], .channel = field[3]};
    }
    const struct eg_mapping mapping = {.time = texts[0],
                                       .readings = texts[1],
                                       .channel = texts[2],
                                       .fields = fields,
                                       .field_count = field_count};
    void *prepared = prepare(driver, &mapping);
    while (count)
        free(texts[--count]); /* what is prepared does not live on what was given */
    return prepared;
}

static void check_reading(const struct eg_reading *reading)
{
    DEMAND(isfinite(reading->value), "a value that is none");
    DEMAND(reading->quantity < EG_QUANTITY_COUNT, "quantity %u", reading->quantity);
    DEMAND(reading->flags == 0, "a driver sets no flags");
    DEMAND(reading->time_ms == EG_TIME_NONE || (reading->time_ms >= 0 && reading->time_ms <= LATEST_MS),
           "time %lld", (long long)reading->time_ms);
    DEMAND(memchr(reading->channel, '\0', sizeof reading->channel), "a channel without an end");
    for (const char *c = reading->channel; *c; c++)
        DEMAND((unsigned char)*c >= 0x20 && *c != 0x7f, "a control byte in a channel");
}

static void check_sink(enum eg_verdict verdict, const struct eg_sink *sink)
{
    DEMAND((unsigned)verdict < EG_VERDICT_COUNT, "verdict %d", (int)verdict);
    if (verdict != EG_DECODED) {
        DEMAND(memchr(sink->reason, '\0', sizeof sink->reason) && *sink->reason, "%s without a sentence",
               eg_verdict_name(verdict));
        return;
    }
    /* A device that only confesses that it could not measure is understood, too. */
    DEMAND(sink->count + sink->fault_count >= 1 && sink->count <= EG_SINK_MAX, "%zu readings, %zu faults",
           sink->count, (size_t)sink->fault_count);
    for (size_t i = 0; i < sink->count; i++)
        check_reading(&sink->readings[i]);
    if (sink->count > 64)
        return; /* pairs of more are slow and no other code */
    for (size_t i = 1; i < sink->count; i++)
        for (size_t k = 0; k < i; k++)
            DEMAND(sink->readings[i].quantity != sink->readings[k].quantity ||
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
    for (size_t i = 0; i < a->count; i++) {
        const struct eg_reading *x = &a->readings[i], *y = &b->readings[i];
        DEMAND(x->time_ms == y->time_ms && !memcmp(&x->value, &y->value, sizeof x->value) &&
                   x->quantity == y->quantity && !strcmp(x->channel, y->channel),
               "reading %zu differs the second time", i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *prepared[MAPPING_COUNT]; /* as a source does: prepared once */
    static struct eg_sink first, second;
    const struct eg_driver *driver = eg_driver_find("json");
    struct input input = {data, data + size};
    unsigned choice = input_byte(&input) % (MAPPING_COUNT + 2);
    void *given = NULL;
    const void *used = NULL; /* the last choice: nothing was prepared */
    if (choice < MAPPING_COUNT) {
        if (!prepared[choice])
            prepared[choice] = prepare(driver, &mappings[choice]);
        DEMAND(prepared[choice], "mapping %u is refused", choice);
        used = prepared[choice];
    } else if (choice == MAPPING_GIVEN) {
        used = given = prepare_given(driver, &input);
        if (!given)
            return 0;
    }
    static const char topic[] = "ecogov/shangtian/air/a1";
    struct eg_message message = {.topic = topic, .topic_len = sizeof topic - 1, .arrived_ms = 1};
    uint8_t *payload = input_exact(&input, SIZE_MAX, &message.payload_len);
    message.payload = message.payload_len ? payload : NULL;

    memset(&first, 0xA5, sizeof first); /* what a sink held before must not show */
    memset(&second, 0x5A, sizeof second);
    enum eg_verdict verdict = driver->decode(used, &message, &first),
                    again = driver->decode(used, &message, &second);
    check_sink(verdict, &first);
    DEMAND(verdict == again, "%s, then %s", eg_verdict_name(verdict), eg_verdict_name(again));
    check_same(&first, &second, verdict);
    free(payload);
    driver->release(given);
    return 0;
}
