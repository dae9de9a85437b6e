/* Makes a store with a long past, within seconds: bench_past FOLDER DEVICES DAYS MINUTELY END_MS. Each of DEVICES sends eight quantities an
 * hour; MINUTELY more devices send one a minute; all of it sealed and folded, the last reading at END_MS. Prints how many readings.
 *
 * Knows the store's inside: what a pattern of series comes to is packed once and written for all that share it, for packing a hundred
 * million readings takes minutes. Called by questions.py, which then starts a daemon over it. */
#include <base/zone.h>
#include <pipeline/rollup.h>
#include <store/inside.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERNS 16
#define MINUTE_MS INT64_C(60000)
#define QUANTITIES 8

static const char *const names[QUANTITIES] = {"pm25", "pm10", "pm1",         "no2",
                                              "o3",   "co",   "temperature", "humidity"};

enum piece_kind { CHUNK, HOURS, DAYS };
/* A pattern's blobs, one after the other. */
struct packed {
    struct eg_buf bytes;
    struct piece {
        size_t from, length, count;
        int64_t first_ms, last_ms;
        enum piece_kind kind;
    } * pieces;
    size_t count, capacity;
    struct eg_point last;
};

static struct eg_store *store;
static struct eg_conf *conf;

static void die(const char *doing)
{
    fprintf(stderr, "bench_past: %s: %s\n", doing, store ? sqlite3_errmsg(store->db) : "");
    exit(1);
}

static void must(int code, const char *doing)
{
    if (code != SQLITE_OK)
        die(doing);
}

static void note_piece(struct packed *packed, size_t from, size_t count, int64_t first_ms, int64_t last_ms,
                       enum piece_kind kind)
{
    if (packed->count == packed->capacity) {
        packed->capacity = packed->capacity ? 2 * packed->capacity : 64;
        packed->pieces = realloc(packed->pieces, packed->capacity * sizeof *packed->pieces);
        if (!packed->pieces)
            die("no memory");
    }
    packed->pieces[packed->count++] =
        (struct piece){from, packed->bytes.length - from, count, first_ms, last_ms, kind};
}

static void pack_points(struct packed *packed, const struct eg_point *points, size_t count)
{
    size_t from = packed->bytes.length;
    if (count && !eg_pack_chunk(&packed->bytes, points, count))
        die("no memory");
    if (count)
        note_piece(packed, from, count, points[0].time_ms, points[count - 1].time_ms, CHUNK);
}

static void pack_buckets(struct packed *packed, const struct eg_rollup *rows, size_t count,
                         enum piece_kind kind)
{
    size_t from = packed->bytes.length;
    if (count && !eg_buckets_pack(&packed->bytes, rows, count))
        die("no memory");
    if (count)
        note_piece(packed, from, count, rows[0].start_ms, rows[count - 1].start_ms, kind);
}

/* One reading more; the bucket that ends with it goes to those that are closed. */
static void roll(struct packed *packed, struct eg_rollup *rows, size_t *count, enum eg_period period,
                 int64_t ms, double value)
{
    if (*count && ms >= rows[*count - 1].end_ms && *count == EG_BUCKETS_MAX) {
        pack_buckets(packed, rows, *count, period == EG_PERIOD_HOUR ? HOURS : DAYS);
        *count = 0;
    }
    if (!*count || ms >= rows[*count - 1].end_ms)
        eg_rollup_start(&rows[(*count)++], period, ms);
    eg_rollup_add(&rows[*count - 1], period, eg_rollup_scale(EG_Q_pm25), ms, value);
}

/* Values that wander by tenths; the open hour and day at the end are nobody's yet. */
static void make_pattern(struct packed *packed, unsigned number, int64_t from_ms, int64_t end_ms,
                         int64_t step_ms)
{
    struct eg_point *points = malloc(EG_CHUNK_POINTS * sizeof *points);
    struct eg_rollup *hours = malloc(2 * EG_BUCKETS_MAX * sizeof *hours), *days = hours + EG_BUCKETS_MAX;
    size_t held = 0, hour_count = 0, day_count = 0;
    int64_t tenths = 200 + number * 13;
    uint64_t state = number + 1;
    if (!points || !hours)
        die("no memory");
    eg_buf_init(&packed->bytes, (size_t)1 << 30);
    for (int64_t ms = from_ms; ms <= end_ms; ms += step_ms) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        tenths += (int64_t)(state >> 33) % 11 - 5;
        tenths = tenths < 10 ? 10 : tenths > 900 ? 900 : tenths;
        double value = (double)tenths / 10;
        points[held++] = packed->last = (struct eg_point){.time_ms = ms, .value = value};
        roll(packed, hours, &hour_count, EG_PERIOD_HOUR, ms, value);
        roll(packed, days, &day_count, EG_PERIOD_DAY, ms, value);
        if (held == EG_CHUNK_POINTS) {
            pack_points(packed, points, held);
            held = 0;
        }
    }
    pack_points(packed, points, held);
    pack_buckets(packed, hours, hour_count - 1, HOURS);
    pack_buckets(packed, days, day_count - 1, DAYS);
    free(points);
    free(hours);
}

static void write_series(uint32_t series, const struct packed *packed)
{
    for (size_t i = 0; i < packed->count; i++) {
        const struct piece *piece = &packed->pieces[i];
        bool chunk = piece->kind == CHUNK;
        sqlite3_stmt *sql = store->sql[chunk ? SQL_CHUNK : SQL_BUCKET_ADD];
        sqlite3_bind_blob64(sql, chunk ? 6 : 1, packed->bytes.data + piece->from, piece->length,
                            SQLITE_STATIC);
        sqlite3_bind_int64(sql, 2, piece->first_ms);
        sqlite3_bind_int64(sql, chunk ? 4 : 3, piece->last_ms);
        sqlite3_bind_int64(sql, chunk ? 5 : 4, (int64_t)piece->count);
        sqlite3_bind_int64(sql, chunk ? 1 : 5, series);
        if (chunk)
            sqlite3_bind_int64(sql, 3, 1);
        else
            sqlite3_bind_int(sql, 6, piece->kind == HOURS ? EG_PERIOD_HOUR : EG_PERIOD_DAY);
        must(eg_sql_run(store, chunk ? SQL_CHUNK : SQL_BUCKET_ADD), "writing a series");
    }
    sqlite3_stmt *sql = store->sql[SQL_SERIES_LAST];
    sqlite3_bind_int64(sql, 1, series);
    sqlite3_bind_int64(sql, 2, packed->last.time_ms);
    sqlite3_bind_double(sql, 3, packed->last.value);
    sqlite3_bind_int(sql, 4, 0);
    must(eg_sql_run(store, SQL_SERIES_LAST), "writing a series");
}

static uint64_t points_of(const struct packed *packed)
{
    uint64_t points = 0;
    for (size_t i = 0; i < packed->count; i++)
        points += packed->pieces[i].kind == CHUNK ? packed->pieces[i].count : 0;
    return points;
}

/* The turn that registered all of them, and counts what they sent. */
static void register_all(uint32_t hourly, uint32_t minutely, int64_t at_ms, uint64_t readings)
{
    struct eg_batch batch;
    char(*ids)[16] = calloc(hourly + minutely, sizeof *ids), sites[10][4];
    eg_batch_init(&batch);
    for (uint32_t i = 0, series = 0; i < hourly + minutely; i++) {
        snprintf(ids[i], sizeof ids[i], i < hourly ? "d%04u" : "m%04u", i < hourly ? i : i - hourly);
        snprintf(sites[i % 10], sizeof sites[0], "v%u", i % 10);
        struct eg_row_device *device = EG_BATCH_ADD(&batch, devices);
        *device = (struct eg_row_device){i + 1, sites[i % 10], "air", ids[i], at_ms};
        for (int quantity = 0; quantity < (i < hourly ? QUANTITIES : 1); quantity++) {
            struct eg_row_series *row = EG_BATCH_ADD(&batch, series);
            int found = eg_quantity_find(names[quantity], strlen(names[quantity]));
            *row = (struct eg_row_series){++series, i + 1, (uint16_t)found, ""};
        }
    }
    batch.now_ms = at_ms;
    batch.events = 1;
    batch.counters.received = batch.counters.decoded = readings;
    batch.counters.r_decoded = batch.counters.r_stored = readings;
    struct eg_err err;
    if (eg_store_commit(store, &batch, &err) != EG_OK)
        die(err.text);
    must(eg_meta_put(store, "sealed_seq", store->seq), "noting what is sealed");
    must(eg_meta_put(store, "sealed_stored", (int64_t)readings), "noting what is sealed");
    eg_batch_finish(&batch);
    free(ids);
}

static void enter(const char *folder)
{
    char text[1024];
    struct eg_buf faults;
    struct eg_err err;
    eg_buf_init(&faults, 4096);
    int length =
        snprintf(text, sizeof text,
                 "store: {path: \"%s/ecogov.db\", max_size: 8GB}\ntime_zone: Asia/Shanghai\n", folder);
    conf = eg_conf_parse("past.yaml", text, (size_t)length, &faults);
    if (!conf || !eg_zone_use(conf->time_zone) || eg_store_open(conf, &store, &err) != EG_OK)
        die(faults.data ? faults.data : "opening the store");
    eg_buf_finish(&faults);
    /* Nothing here must outlive a power cut. */
    must(sqlite3_exec(store->db,
                      "PRAGMA synchronous=OFF; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=20000",
                      NULL, NULL, NULL),
         "making haste");
}

int main(int count, char **arguments)
{
    static struct packed hourly[PATTERNS], minutely[PATTERNS];
    if (count != 6) {
        fprintf(stderr, "usage: bench_past FOLDER DEVICES DAYS MINUTELY END_MS\n");
        return 2;
    }
    uint32_t devices = (uint32_t)strtoul(arguments[2], NULL, 10),
             more = (uint32_t)strtoul(arguments[4], NULL, 10), series = 0;
    int64_t days = strtoll(arguments[3], NULL, 10), end_ms = strtoll(arguments[5], NULL, 10),
            from_ms = end_ms - days * 1440 * MINUTE_MS;
    uint64_t readings = 0;
    enter(arguments[1]);
    for (unsigned i = 0; i < PATTERNS; i++) {
        make_pattern(&hourly[i], i, from_ms + 60 * MINUTE_MS, end_ms, 60 * MINUTE_MS);
        if (i < more)
            make_pattern(&minutely[i], i, from_ms + MINUTE_MS, end_ms, MINUTE_MS);
    }
    for (uint32_t i = 0; i < devices * QUANTITIES; i++)
        readings += points_of(&hourly[i % PATTERNS]);
    for (uint32_t i = 0; i < more; i++)
        readings += points_of(&minutely[i % PATTERNS]);
    register_all(devices, more, from_ms, readings);
    for (uint32_t i = 0; i < devices * QUANTITIES + more; i++) {
        if (i % 256 == 0)
            must(eg_sql_run(store, SQL_BEGIN), "beginning");
        write_series(++series, i < devices * QUANTITIES ? &hourly[i % PATTERNS]
                                                        : &minutely[(i - devices * QUANTITIES) % PATTERNS]);
        if (i % 256 == 255 || i + 1 == devices * QUANTITIES + more)
            must(eg_sql_run(store, SQL_COMMIT), "committing");
    }
    for (unsigned i = 0; i < PATTERNS; i++) {
        eg_buf_finish(&hourly[i].bytes);
        free(hourly[i].pieces);
        if (i < more)
            eg_buf_finish(&minutely[i].bytes);
        free(minutely[i].pieces);
    }
    eg_store_close(store);
    eg_conf_destroy(conf);
    printf("%" PRIu64 "\n", readings);
    return 0;
}
