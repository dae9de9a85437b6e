/* What a day writes to the card, by how long readings wait for their commit. bench_flash FOLDER INTERVAL_MS DEVICES HOURS [READINGS]: one
 * JSON object on stdout. With READINGS a commit comes after so many, too. Each device sends a message of four readings every minute, the
 * devices evenly apart; time is made, not waited for.
 *
 * Knows the store, the pipeline's door and, of the turn, the one rule that matters here: a commit comes `commit_interval` after its first
 * event. Sealing and writing the log back take part as in the daemon. Called by flash.py. */
#include <base/zone.h>
#include <store/store.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1795363200000) /* 2026-11-22T16:00:00Z: midnight in the village */
#define BUDGET_US 3000
#define READINGS 4

struct bench {
    struct eg_conf *conf;
    struct eg_store *store;
    struct eg_reader *reader;
    struct eg_pipeline *pipeline;
    struct eg_batch batch;
    struct eg_err err;
    int64_t commits;
};

static void die(const struct bench *bench, const char *doing)
{
    fprintf(stderr, "bench_flash: %s: %s\n", doing, bench->err.text);
    exit(1);
}

static void enter(struct bench *bench, const char *folder)
{
    char text[1024];
    struct eg_buf faults;
    struct eg_past past = {0};
    eg_buf_init(&faults, 4096);
    int length =
        snprintf(text, sizeof text,
                 "store: {path: \"%s/ecogov.db\"}\nmqtt: {client_id: bench-flash}\n"
                 "sites:\n  - {id: shangtian, name: Shangtian, level: village}\n"
                 "sources:\n  - {id: plain, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n",
                 folder);
    bench->conf = eg_conf_parse("bench.yaml", text, (size_t)length, &faults);
    if (!bench->conf || !eg_zone_use(bench->conf->time_zone)) {
        fprintf(stderr, "bench_flash: %s\n", faults.data ? faults.data : "no time zone");
        exit(1);
    }
    eg_buf_finish(&faults);
    if (eg_store_open(bench->conf, &bench->store, &bench->err) != EG_OK ||
        eg_reader_open(bench->store, &bench->reader, &bench->err) != EG_OK)
        die(bench, "opening");
    eg_reader_past(bench->reader, &past);
    bench->pipeline = eg_pipeline_create(bench->conf, &past);
    if (!bench->pipeline || eg_store_load(bench->store, bench->pipeline, &bench->err) != EG_OK)
        die(bench, "loading");
    eg_batch_init(&bench->batch);
}

static void leave(struct bench *bench)
{
    eg_reader_close(bench->reader);
    eg_store_close(bench->store);
    eg_pipeline_destroy(bench->pipeline);
    eg_batch_finish(&bench->batch);
    eg_conf_destroy(bench->conf);
}

static void turn(struct bench *bench, int64_t now_ms)
{
    bool more = true;
    bench->batch.now_ms = now_ms;
    eg_pipeline_settle(bench->pipeline, &bench->batch);
    if (bench->batch.failed || eg_store_commit(bench->store, &bench->batch, &bench->err) != EG_OK)
        die(bench, "committing");
    bench->commits++;
    eg_batch_clear(&bench->batch);
    while (more)
        if (eg_store_tidy(bench->store, now_ms, BUDGET_US, &more, &bench->err) != EG_OK)
            die(bench, "tidying");
}

/* Values that wander by tenths, as sensors' do. */
static void say(struct bench *bench, unsigned device, int64_t minute, int64_t now_ms)
{
    char topic[64], payload[256];
    unsigned wander = (unsigned)((minute / 7 + device * 31 + (minute * 2654435761u >> 13) % 5) % 100);
    snprintf(topic, sizeof topic, "ecogov/shangtian/air/d%u", device);
    snprintf(payload, sizeof payload,
             "{\"ts\":%" PRId64 ",\"pm25\":%u.%u,\"pm10\":%u.%u,\"temperature\":%u.%u,\"humidity\":%u.%u}",
             now_ms, 20 + wander / 10, wander % 10, 40 + wander / 10, wander % 10, 15 + wander / 10,
             wander % 10, 55 + wander / 10, wander % 10);
    struct eg_event event = {.kind = EG_EVENT_MESSAGE, .now_ms = now_ms};
    event.message = (struct eg_message){.topic = topic,
                                        .topic_len = strlen(topic),
                                        .payload = (const uint8_t *)payload,
                                        .payload_len = strlen(payload),
                                        .arrived_ms = now_ms,
                                        .qos = 1,
                                        .mid = (uint16_t)(device % 65535 + 1)};
    eg_pipeline_event(bench->pipeline, &event, &bench->batch);
}

/* What this process handed to write(2), or dirtied of the kernel's pages, as /proc/self/io has it. */
static double kernels(const char *key)
{
    char line[128];
    double bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            bytes = strtod(line + strlen(key), NULL);
    if (file)
        fclose(file);
    return bytes;
}

int main(int count, char **arguments)
{
    struct bench bench = {0};
    struct eg_store_figures before, after;
    if (count != 5 && count != 6) {
        fprintf(stderr, "usage: bench_flash FOLDER INTERVAL_MS DEVICES HOURS [READINGS]\n");
        return 2;
    }
    int64_t interval_ms = strtoll(arguments[2], NULL, 10), hours = strtoll(arguments[4], NULL, 10);
    unsigned devices = (unsigned)strtoul(arguments[3], NULL, 10);
    const size_t most = count == 6 ? strtoul(arguments[5], NULL, 10) : 0;
    int64_t first_ms = 0;
    enter(&bench, arguments[1]);
    double handed = kernels("wchar: "), dirtied = kernels("write_bytes: ");
    eg_store_figures(bench.store, &before);
    for (int64_t minute = 0; minute < hours * 60; minute++)
        for (unsigned device = 0; device < devices; device++) {
            int64_t now_ms = START_MS + minute * 60000 + (int64_t)device * 60000 / devices;
            if (bench.batch.events && now_ms - first_ms >= interval_ms)
                turn(&bench, first_ms + interval_ms);
            if (most && bench.batch.readings_count >= most)
                turn(&bench, now_ms);
            if (!bench.batch.events)
                first_ms = now_ms;
            say(&bench, device, minute, now_ms);
        }
    turn(&bench, START_MS + hours * 3600000);
    eg_store_figures(bench.store, &after);
    double readings = (double)hours * 60 * devices * READINGS;
    if ((double)after.readings != readings)
        die(&bench, "not every reading was stored");
    printf("{\"commits\":%" PRId64 ",\"readings\":%.0f,\"bytes_written\":%" PRId64 ",\"bytes\":%" PRId64
           ",\"handed_over\":%.0f,\"dirtied\":%.0f}\n",
           bench.commits, readings, after.bytes_written - before.bytes_written, after.bytes,
           kernels("wchar: ") - handed, kernels("write_bytes: ") - dirtied);
    leave(&bench);
    return 0;
}
