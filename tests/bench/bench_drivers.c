/* How many payloads a second each shape costs the json driver: bench_drivers [SECONDS_PER_SHAPE]. */
#include <ecogov/driver.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct eg_field fields[] = {{.path = "/pm/fine", .quantity = "pm25"},
                                         {.path = "/temp_f", .quantity = "temperature", .unit = "degF"}};
static const struct eg_field row_fields[] = {{.path = "/m", .quantity = "soil_moisture", .unit = "m3/m3"}};
static const struct {
    const char *name, *payload;
    struct eg_mapping mapping;
} shapes[] = {
    {"flat, two readings", "{\"ts\":1763881200000,\"pm25\":12.3,\"pm10\":20.1}", {0}},
    {"flat, eight readings",
     "{\"ts\":\"2026-11-23T07:00:00.000Z\",\"pm25\":12.3,\"pm10\":20.1,\"no2\":31,\"o3\":80.5,"
     "\"temperature\":21.4,"
     "\"humidity\":60.2,\"pressure\":1013.2,\"battery\":97}",
     {0}},
    {"fields by pointer",
     "{\"when\":1763881200000,\"pm\":{\"fine\":12.3,\"coarse\":20.1},\"temp_f\":70.5}",
     {.time = "/when", .fields = fields, .field_count = 2}},
    {"four rows",
     "{\"at\":1763881200,\"rows\":[{\"d\":10,\"m\":0.31},{\"d\":20,\"m\":0.3},{\"d\":30,\"m\":0.28},{\"d\":"
     "60,\"m\":0.2}]}",
     {.time = "/at", .readings = "/rows", .channel = "/d", .fields = row_fields, .field_count = 1}},
    {"refused", "{\"ts\":1763881200000,\"pm25\":NaN}", {0}},
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    const struct eg_driver *driver = eg_driver_find("json");
    struct eg_sink *sink = calloc(1, sizeof *sink);
    if (driver == NULL || sink == NULL)
        return 1;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char error[200];
        int field;
        void *prepared = NULL;
        if (driver->prepare(&shapes[i].mapping, &prepared, error, sizeof error, &field) != 0) {
            fprintf(stderr, "%s: %s\n", shapes[i].name, error);
            free(sink);
            return 1;
        }
        const struct eg_message message = {.topic = "t",
                                           .topic_len = 1,
                                           .payload = (const uint8_t *)shapes[i].payload,
                                           .payload_len = strlen(shapes[i].payload)};
        size_t messages = 0, readings = 0;
        const double begin = now_s();
        double spent = 0;
        do {
            for (int k = 0; k < 1000; k++) {
                eg_sink_reset(sink);
                if (driver->decode(prepared, &message, sink) == EG_DECODED)
                    readings += sink->count;
            }
            messages += 1000;
            spent = now_s() - begin;
        } while (spent < seconds);
        printf("%-22s %9.0f messages/s %7.0f ns each, %zu readings each\n", shapes[i].name,
               (double)messages / spent, 1e9 * spent / (double)messages, readings / messages);
        driver->release(prepared);
    }
    free(sink);
    return 0;
}
