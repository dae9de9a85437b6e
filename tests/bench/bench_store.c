/* Makes a store with a long past and measures it: bytes of log per reading, how long a bite of tidying holds a turn up, how
 * soon a pipeline is loaded from it. bench_store FOLDER [SERIES READINGS PER_TURN | load]: one JSON object on stdout. The
 * store stays in FOLDER, so that a daemon can be started over it.
 *
 * Knows the store and the pipeline's door; broker, turn and socket are measured elsewhere. Readings come through the pipeline,
 * one per series and minute, as a village sends them, so that what is loaded is what a daemon would load. */
#include <base/clock.h>
#include <base/zone.h>
#include <store/store.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define QUANTITIES 10                   /* per device */
#define START_MS INT64_C(1795363200000) /* 2026-11-22T16:00:00Z: midnight in the village */
#define BUDGET_US 3000

struct bench {
    struct eg_conf *conf;
    struct eg_store *store;
    struct eg_reader *reader;
    struct eg_pipeline *pipeline;
    struct eg_batch batch;
    struct eg_err err;
    uint32_t devices;
    uint64_t readings;
    size_t per_turn;
    int64_t bites, bite_worst_us, bite_total_us, bites_late, commit_worst_us, commit_total_us, commits;
};

static void die(const struct bench *bench, const char *doing)
{
    fprintf(stderr, "bench_store: %s: %s\n", doing, bench->err.text);
    exit(1);
}

static void configure(struct bench *bench, const char *folder)
{
    char text[4096];
    struct eg_buf faults;
    eg_buf_init(&faults, 4096);
    int length =
        snprintf(text, sizeof text,
                 "store: {path: \"%s/ecogov.db\", max_size: 8GB}\nsocket: {path: \"%s/ecogov.sock\"}\n"
                 "mqtt: {client_id: bench-store, port: 1}\ntime_zone: Asia/Shanghai\n"
                 "sites:\n  - {id: shangtian, name: Shangtian, level: village}\n"
                 "sources:\n  - {id: plain, topic: \"ecogov/{site}/{domain}/{device}\", driver: json}\n"
                 "rules:\n  - {id: pm25-now, domain: air, quantity: pm25, statistic: last, levels: {warning: "
                 "{open: 75, clear: 70}}}\n"
                 "  - {id: pm25-mean, domain: air, quantity: pm25, statistic: mean, window: 1h, levels: "
                 "{notice: {open: 60, clear: 50}}}\n",
                 folder, folder);
    bench->conf = eg_conf_parse("bench.yaml", text, (size_t)length, &faults);
    if (!bench->conf || !eg_zone_use(bench->conf->time_zone)) {
        fprintf(stderr, "bench_store: %s\n", faults.data ? faults.data : "no time zone");
        exit(1);
    }
    snprintf(text + length, sizeof text - (size_t)length, "%s/ecogov.yaml", folder);
    FILE *file = fopen(text + length, "w");
    if (!file || fwrite(text, 1, (size_t)length, file) != (size_t)length || fclose(file) != 0)
        die(bench, "writing the configuration");
    eg_buf_finish(&faults);
}

static void enter(struct bench *bench)
{
    struct eg_past past = {0};
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
}

static void turn(struct bench *bench, int64_t now_ms)
{
    bool more = true;
    if (!bench->batch.events)
        return;
    int64_t began_us = eg_clock_mono_us();
    eg_pipeline_settle(bench->pipeline, &bench->batch);
    if (bench->batch.failed || eg_store_commit(bench->store, &bench->batch, &bench->err) != EG_OK)
        die(bench, "committing");
    int64_t took_us = eg_clock_mono_us() - began_us;
    bench->commits++;
    bench->commit_total_us += took_us;
    if (took_us > bench->commit_worst_us)
        bench->commit_worst_us = took_us;
    eg_batch_clear(&bench->batch);
    while (more) {
        began_us = eg_clock_mono_us();
        if (eg_store_tidy(bench->store, now_ms, BUDGET_US, &more, &bench->err) != EG_OK)
            die(bench, "tidying");
        took_us = eg_clock_mono_us() - began_us;
        bench->bites++;
        bench->bite_total_us += took_us;
        bench->bites_late += took_us > 2 * BUDGET_US;
        if (took_us > bench->bite_worst_us)
            bench->bite_worst_us = took_us;
    }
}

/* One device's minute: a message with ten readings, like a weather mast's. */
static void say(struct bench *bench, uint32_t device, int64_t minute, int64_t now_ms)
{
    static const char *const names[QUANTITIES] = {
        "pm25", "pm10", "no2", "o3", "so2", "co", "temperature", "humidity", "pressure", "wind_speed"};
    char topic[64], payload[512];
    size_t used = (size_t)snprintf(payload, sizeof payload, "{\"ts\":%" PRId64, now_ms);
    for (uint32_t i = 0; i < QUANTITIES; i++) {
        uint32_t noise = (uint32_t)(((uint64_t)minute * 2654435761u + device * 40503u + i * 97u) >> 7) % 100;
        used += (size_t)snprintf(payload + used, sizeof payload - used, ",\"%s\":%u.%u", names[i],
                                 i == 8   ? 1000
                                 : i == 5 ? 1
                                          : 20 + noise / 10,
                                 noise % 10);
    }
    snprintf(payload + used, sizeof payload - used, "}");
    snprintf(topic, sizeof topic, "ecogov/shangtian/air/d%u", device);
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

static void live(struct bench *bench)
{
    uint64_t stored = 0;
    for (int64_t minute = 0; stored < bench->readings; minute++)
        for (uint32_t device = 1; device <= bench->devices && stored < bench->readings; device++) {
            int64_t now_ms = START_MS + minute * 60000 + (int64_t)device * 59999 / bench->devices;
            say(bench, device, minute, now_ms);
            stored += QUANTITIES;
            if (bench->batch.readings_count >= bench->per_turn || bench->batch.urgent)
                turn(bench, now_ms);
        }
    turn(bench, START_MS);
}

/* What a start costs before anything else: open, migrate, rebuild. */
static double load_ms(struct bench *bench)
{
    int64_t began_us = eg_clock_mono_us();
    enter(bench);
    return (double)(eg_clock_mono_us() - began_us) / 1000;
}

/* What this process handed to write(2), as the kernel counts it: log, file and all. */
static double handed_to_the_disk(void)
{
    char line[128];
    unsigned long long bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while (file && !bytes && fgets(line, sizeof line, file))
        if (strncmp(line, "wchar: ", 7) == 0)
            bytes = strtoull(line + 7, NULL, 10);
    if (file)
        fclose(file);
    return (double)bytes;
}

static void report(const struct bench *bench, double loaded_ms, int64_t bytes, int64_t written)
{
    struct rusage usage;
    double readings = (double)eg_pipeline_counters(bench->pipeline)->r_stored;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"series\":%zu,\"readings\":%.0f,\"load_ms\":%.1f,\"peak_rss_kib\":%ld,\"store_bytes\":%" PRId64,
           eg_pipeline_series_count(bench->pipeline), readings, loaded_ms, usage.ru_maxrss, bytes);
    if (bench->commits)
        printf(",\"per_turn\":%zu,\"bytes_written_per_reading\":%.1f,\"wchar_per_reading\":%.1f,\"commits\":"
               "%" PRId64 ",\"commit_mean_ms\":%.2f,\"commit_worst_ms\":%.2f",
               bench->per_turn, (double)written / readings, handed_to_the_disk() / readings, bench->commits,
               (double)bench->commit_total_us / 1000 / (double)bench->commits,
               (double)bench->commit_worst_us / 1000);
    if (bench->bites)
        printf(",\"bites\":%" PRId64
               ",\"bite_mean_ms\":%.2f,\"bite_worst_ms\":%.2f,\"bites_twice_over\":%" PRId64,
               bench->bites, (double)bench->bite_total_us / 1000 / (double)bench->bites,
               (double)bench->bite_worst_us / 1000, bench->bites_late);
    printf("}\n");
}

int main(int count, char **arguments)
{
    struct bench bench = {.devices = 1000, .readings = 10000000, .per_turn = 8192};
    struct eg_store_figures figures;
    bool only_load = count == 3 && strcmp(arguments[2], "load") == 0;
    if (count != 2 && count != 5 && !only_load) {
        fprintf(stderr, "usage: bench_store FOLDER [SERIES READINGS PER_TURN | load]\n");
        return 2;
    }
    if (count == 5) {
        bench.devices = (uint32_t)(strtoul(arguments[2], NULL, 10) / QUANTITIES);
        bench.readings = strtoull(arguments[3], NULL, 10);
        bench.per_turn = strtoul(arguments[4], NULL, 10);
    }
    configure(&bench, arguments[1]);
    double loaded_ms = load_ms(&bench);
    if (!only_load)
        live(&bench);
    uint64_t want = eg_pipeline_counters(bench.pipeline)->r_stored;
    eg_store_figures(bench.store, &figures);
    if (!only_load) {
        leave(&bench);
        loaded_ms = load_ms(&bench);
    }
    if (eg_pipeline_counters(bench.pipeline)->r_stored != want) {
        fprintf(stderr, "bench_store: %" PRIu64 " readings were stored, %" PRIu64 " came back\n", want,
                eg_pipeline_counters(bench.pipeline)->r_stored);
        return 1;
    }
    report(&bench, loaded_ms, figures.bytes, figures.bytes_written);
    leave(&bench);
    eg_conf_destroy(bench.conf);
    return 0;
}
