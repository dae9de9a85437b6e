/* How many messages a second drivers decode, by shapes of payload: bench_drivers [SECONDS_PER_SHAPE [DRIVER]]. A line each: driver, shape,
 * messages a second, readings a message, 1 where there is a target (drivers.py). */
#include <ecogov/driver.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Messages a second; below 0: it could not be run. */
static double run(const struct shape *shape, double seconds, struct eg_sink *sink)
{
    const struct eg_driver *driver = eg_driver_find(shape->driver);
    char error[240];
    int field;
    void *prepared = NULL;
    if (driver == NULL || driver->prepare(&shape->mapping, &prepared, error, sizeof error, &field) != 0) {
        fprintf(stderr, "%s, %s: %s\n", shape->driver, shape->name,
                driver == NULL ? "no such driver" : error);
        return -1;
    }
    const struct eg_message message = {.topic = shape->topic,
                                       .topic_len = strlen(shape->topic),
                                       .arrived_ms = INT64_C(1795417200000),
                                       .payload = (const uint8_t *)shape->payload,
                                       .payload_len = shape->length};
    size_t messages = 0, readings = 0;
    const double begin = now_s();
    double spent = 0;
    do {
        for (int k = 0; k < 1000; k++)
            if (driver->decode(prepared, &message, sink) == EG_DECODED)
                readings += sink->count;
        messages += 1000;
        spent = now_s() - begin;
    } while (spent < seconds);
    const double rate = (double)messages / spent;
    const bool aimed = shape->name[0] == '*';
    printf("%s\t%s\t%.0f\t%zu\t%d\n", shape->driver, shape->name + aimed, rate, readings / messages, aimed);
    driver->release(prepared);
    return rate;
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    struct eg_sink *sink = calloc(1, sizeof *sink);
    int failed = 0;
    for (size_t i = 0; sink != NULL && i < sizeof shapes / sizeof shapes[0]; i++) {
        if (argc > 2 && strstr(shapes[i].driver, argv[2]) == NULL)
            continue;
        if (run(&shapes[i], seconds, sink) < 0)
            failed++;
    }
    free(sink);
    return sink == NULL || failed ? 1 : 0;
}
