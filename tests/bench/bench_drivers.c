/* How many messages a second drivers decode, by shapes of payload: bench_drivers [SECONDS_PER_SHAPE [DRIVER]]. A line each: driver, shape,
 * messages a second, readings a message, 1 where there is a target, and how often the message is decoded in the time that cJSON takes to
 * make its tree and to delete it (0: it is no JSON). With --count N DRIVER SHAPE it decodes that shape N times and is
 * silent: for callgrind (drivers.py). Payloads of formats that no one types are those of golden pairs. */
#include <ecogov/driver.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAYLOAD_MAX 4096
static const struct eg_field fields[] = {{.path = "/pm/fine", .quantity = "pm25"},
                                         {.path = "/temp_f", .quantity = "temperature", .unit = "degF"}};
static const struct eg_field row_fields[] = {{.path = "/m", .quantity = "soil_moisture", .unit = "m3/m3"}};
#define TEXT(text) text, sizeof text - 1
static const struct shape {
    const char *driver, *name, *payload; /* the name begins with '*': has the target */
    size_t length;
    const char *topic;
    struct eg_mapping mapping;
} shapes[] = {
    {"json", "*flat, two readings", TEXT("{\"ts\":1763881200000,\"pm25\":12.3,\"pm10\":20.1}"), "t", {0}},
    {"json",
     "*flat, eight readings",
     TEXT("{\"ts\":\"2026-11-23T07:00:00.000Z\",\"pm25\":12.3,\"pm10\":20.1,\"no2\":31,\"o3\":80.5,"
          "\"temperature\":21.4,\"humidity\":60.2,\"pressure\":1013.2,\"battery\":97}"),
     "t",
     {0}},
    {"json",
     "*fields by pointer",
     TEXT("{\"when\":1763881200000,\"pm\":{\"fine\":12.3,\"coarse\":20.1},\"temp_f\":70.5}"),
     "t",
     {.time = "/when", .fields = fields, .field_count = 2}},
    {"json",
     "*four rows",
     TEXT("{\"at\":1763881200,\"rows\":[{\"d\":10,\"m\":0.31},{\"d\":20,\"m\":0.3},{\"d\":30,\"m\":0.28},{"
          "\"d\":60,\"m\":0.2}]}"),
     "t",
     {.time = "/at", .readings = "/rows", .channel = "/d", .fields = row_fields, .field_count = 1}},
    {"json", "refused", TEXT("{\"ts\":1763881200000,\"pm25\":NaN}"), "t", {0}},
    {"senml",
     "*two records",
     TEXT("[{\"bn\":\"urn:dev:ow:10e2073a01080063:\",\"bt\":1763881200,\"n\":\"temperature\",\"u\":\"Cel\","
          "\"v\":27.2},"
          "{\"n\":\"humidity\",\"u\":\"%RH\",\"v\":80}]"),
     "t",
     {0}},
    {"influx",
     "*one line",
     TEXT("weather,site=shangtian temperature=21.4,humidity=60.2,pm25=12i 1763881200000000000"),
     "t",
     {0}},
    {"influx",
     "*one line of eight fields",
     TEXT("air,site=shangtian,device=roof "
          "temperature=21.4,humidity=60.2,pm25=12i,pm10=20i,no2=31,o3=80.5,pressure=1013.2,battery=97 "
          "1763881200000000000"),
     "t",
     {0}},
    {"senml",
     "four records",
     TEXT("[{\"bn\":\"urn:dev:mac:0024befffe804ff1/"
          "\",\"bt\":1763881200,\"n\":\"temperature\",\"u\":\"Cel\",\"v\":27.2},"
          "{\"n\":\"humidity\",\"u\":\"%RH\",\"v\":80},{\"n\":\"pressure\",\"u\":\"Pa\",\"v\":101320},"
          "{\"n\":\"battery\",\"u\":\"%EL\",\"v\":97}]"),
     "t",
     {0}},
    {"cayenne-lpp", "*two temperatures", "cayenne-lpp/two", 0, "t", {0}},
    {"cayenne-lpp", "*base64", "cayenne-lpp/base64", 0, "t", {0}},
    {"senml-cbor", "three readings", "senml-cbor/base", 0, "t", {0}},
    {"sparkplug-b", "two values by name", "sparkplug-b/template", 0, "spBv1.0/g/DDATA/n/d", {0}},
    {"value", "a number", TEXT("21.5"), "yard/temperature", {.quantity = "temperature"}},
    {"value", "with a unit", TEXT("70.7 degF"), "yard/temperature", {.quantity = "temperature"}},
    {"csv", "two rows", "csv/names", 0, "t", {0}},
    {"sensorthings",
     "as stored",
     "sensorthings/stored",
     0,
     "v1.1/Datastreams(7)/Observations",
     {.quantity = "temperature"}},
    {"hj212", "five factors", "hj212/now", 0, "t", {0}},
    {"chirpstack", "decoded object", "chirpstack/object", 0, "t", {0}},
    {"ttn", "decoded payload", "ttn/decoded", 0, "t", {0}},
    {"lorawan", "Milesight", "lorawan/milesight-soil", 0, "t", {.codec = "milesight"}},
    {"sensecap-openstream",
     "one value",
     TEXT("{\"value\":437,\"timestamp\":1795417200137}"),
     "/device_sensor_data/1/2CF7F12000000001/1/vs/4100",
     {0}},
    {"tasmota", "two sensors", "tasmota/distances", 0, "tele/bin/SENSOR", {0}},
    {"report", "seen", "report/seen", 0, "t", {0}},
};

/* Of this process: what others do on the machine does not count. */
static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Of the shape, or of its golden pair; false: it cannot be read. */
static bool payload_of(const struct shape *shape, uint8_t room[PAYLOAD_MAX], struct eg_message *message)
{
    char path[512];
    message->payload = (const uint8_t *)shape->payload;
    message->payload_len = shape->length;
    if (shape->length > 0)
        return true;
    snprintf(path, sizeof path, "%s/tests/drivers/%s.payload", SOURCE_DIR, shape->payload);
    FILE *file = fopen(path, "rb");
    message->payload = room;
    message->payload_len = file == NULL ? 0 : fread(room, 1, PAYLOAD_MAX, file);
    if (file != NULL)
        fclose(file);
    return message->payload_len > 0;
}

/* Seconds that cJSON takes for the payload; 0: it is no JSON. */
static double by_cjson(const struct eg_message *message, double seconds)
{
    const double begin = now_s();
    size_t trees = 0;
    double spent;
    do {
        for (int i = 0; i < 1000; i++, trees++) {
            cJSON *json = cJSON_ParseWithLength((const char *)message->payload, message->payload_len);
            if (!cJSON_IsObject(json) && !cJSON_IsArray(json)) {
                cJSON_Delete(json);
                return 0;
            }
            cJSON_Delete(json);
        }
        spent = now_s() - begin;
    } while (spent < seconds);
    return spent / (double)trees;
}

/* Decodes it `count` times, or for `seconds` when that is 0. False: it could not be run. */
static bool run(const struct shape *shape, double seconds, size_t count, struct eg_sink *sink)
{
    const struct eg_driver *driver = eg_driver_find(shape->driver);
    struct eg_message message = {
        .topic = shape->topic, .topic_len = strlen(shape->topic), .arrived_ms = INT64_C(1795417200000)};
    char error[240] = "no such driver, or no payload";
    uint8_t room[PAYLOAD_MAX];
    int field;
    void *prepared = NULL;
    if (driver == NULL || !payload_of(shape, room, &message) ||
        driver->prepare(&shape->mapping, &prepared, error, sizeof error, &field) != 0) {
        fprintf(stderr, "%s, %s: %s\n", shape->driver, shape->name, error);
        return false;
    }
    const size_t bite = count > 0 ? count : 1000;
    size_t messages = 0, readings = 0;
    const double begin = now_s();
    double spent = 0;
    do {
        for (size_t k = 0; k < bite; k++)
            if (driver->decode(prepared, &message, sink) == EG_DECODED)
                readings += sink->count;
        messages += bite;
        spent = now_s() - begin;
    } while (count == 0 && spent < seconds);
    const bool aimed = shape->name[0] == '*';
    if (count == 0)
        printf("%s\t%s\t%.0f\t%zu\t%d\t%.2f\n", shape->driver, shape->name + aimed, (double)messages / spent,
               readings / messages, aimed, by_cjson(&message, seconds / 2) * (double)messages / spent);
    driver->release(prepared);
    return true;
}

static const struct shape *shape_of(const char *driver, const char *name)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(shapes[i].driver, driver) == 0 &&
            strcmp(shapes[i].name + (shapes[i].name[0] == '*'), name) == 0)
            return &shapes[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const bool counted = argc == 5 && strcmp(argv[1], "--count") == 0;
    const double seconds = !counted && argc > 1 ? strtod(argv[1], NULL) : 1;
    struct eg_sink *sink = calloc(1, sizeof *sink);
    int failed = 0;
    if (sink != NULL && counted) {
        const struct shape *shape = shape_of(argv[3], argv[4]);
        failed = shape == NULL || !run(shape, 0, strtoul(argv[2], NULL, 10), sink);
    }
    for (size_t i = 0; sink != NULL && !counted && i < sizeof shapes / sizeof shapes[0]; i++) {
        if (argc > 2 && strstr(shapes[i].driver, argv[2]) == NULL)
            continue;
        failed += !run(&shapes[i], seconds, 0, sink);
    }
    free(sink);
    return sink == NULL || failed ? 1 : 0;
}
