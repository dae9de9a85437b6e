/* The flash budget: how many bytes went to the card since the database was made, and how fast. Knows the pager's count, the write-ahead
 * log's frames, what the kernel counts of this process, and two rows of `meta`; refuses to know what a card endures (that is
 * configuration) and what the pages hold.
 *
 * Counted is what SQLite hands to the file system: each page of a commit as a frame of the log, each page that is written back into the
 * file once, however many frames the log holds of it. Called by sql.c, commit.c and log.c; the figures are asked from any thread. */
#include <store/inside.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
#define FRAME (PAGE + 24)
#define WAL_HEADER 32
#define KEY "bytes_written"
#define FACTOR_KEY "kernel_factor"
#define FACTOR_MIN_BYTES (INT64_C(1) << 20) /* before, the factor would be made of what a start costs */
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define RATE_MIN_MS INT64_C(300000) /* before, a rate would be made of what a start costs */

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static uint32_t page_of(const uint8_t head[4])
{
    return (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
}

/* What the kernel says this process caused to be written to disks; -1: it does not say. More than what was handed over: the kernel writes
 * whole pages of its cache, and a frame of the log lies across two. */
static int64_t kernel_bytes(void)
{
    char line[128];
    long long written = -1, cancelled = 0;
    FILE *file = fopen("/proc/self/io", "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "write_bytes: ", 13) == 0)
            written = strtoll(line + 13, NULL, 10);
        else if (strncmp(line, "cancelled_write_bytes: ", 23) == 0)
            cancelled = strtoll(line + 23, NULL, 10);
    }
    if (file)
        fclose(file);
    return written < 0 ? -1 : written - cancelled;
}

/* The kernel's count to ours, since the store was opened or, while that is too little to tell, as it was before. NAN: not known, as on
 * file systems that are no disk's. */
static double kernel_factor(const struct eg_store *store)
{
    const struct eg_flash *flash = &store->flash;
    int64_t ours = atomic_load(&store->bytes_written) - flash->at_open,
            kernels = kernel_bytes() - flash->kernel_at_open;
    double factor = (double)kernels / (double)(ours > 0 ? ours : 1);
    if (flash->kernel_at_open < 0 || ours < FACTOR_MIN_BYTES)
        factor = (double)flash->noted_factor / 1000;
    return factor >= 0.5 && factor < 100 ? factor : NAN;
}

/* How many different pages the frames (from, to] hold: writing them back writes each once. The log itself is asked, because the small
 * turns of every day put the same page into it again and again. If it cannot be read, each frame counts. */
static int64_t different_pages(const struct eg_store *store, int from, int to)
{
    char path[4096];
    uint8_t head[4];
    int64_t different = 0;
    size_t count = to > from ? (size_t)(to - from) : 0, got = 0;
    uint32_t *pages = count ? malloc(count * sizeof *pages) : NULL;
    snprintf(path, sizeof path, "%s-wal", store->path);
    int fd = pages ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    for (; fd >= 0 && got < count; got++) {
        if (pread(fd, head, sizeof head, WAL_HEADER + (off_t)FRAME * (from + (off_t)got)) != sizeof head)
            break;
        pages[got] = page_of(head);
    }
    if (fd >= 0)
        close(fd);
    if (got)
        qsort(pages, got, sizeof *pages, compare_numbers);
    for (size_t i = 0; i < got; i++)
        different += i == 0 || pages[i] != pages[i - 1];
    free(pages);
    return different + (int64_t)(count - got);
}

void eg_flash_open(struct eg_store *store)
{
    store->flash.noted = eg_meta_get(store->db, KEY, 0);
    store->flash.at_open = store->flash.noted;
    store->flash.noted_factor = eg_meta_get(store->db, FACTOR_KEY, 0);
    store->flash.kernel_at_open = kernel_bytes();
    atomic_store(&store->bytes_written, store->flash.noted);
}

void eg_flash_pages(struct eg_store *store)
{
    int pages = 0, high = 0;
    sqlite3_db_status(store->db, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &high, 1);
    atomic_fetch_add(&store->bytes_written, (int64_t)pages * FRAME);
}

void eg_flash_moved(struct eg_store *store, int from, int to)
{
    atomic_fetch_add(&store->bytes_written, different_pages(store, from, to) * PAGE);
    store->flash.due = true;
}

int eg_flash_put(struct eg_store *store, const struct eg_batch *batch)
{
    (void)batch;
    if (!store->flash.due)
        return SQLITE_OK;
    double factor = kernel_factor(store);
    int code = eg_meta_put(store, KEY, atomic_load(&store->bytes_written));
    return code == SQLITE_OK && isfinite(factor) ? eg_meta_put(store, FACTOR_KEY, lround(factor * 1000))
                                                 : code;
}

void eg_flash_before(struct eg_store *store, int64_t now_ms)
{
    struct eg_flash *flash = &store->flash;
    uint32_t count = atomic_load(&flash->count);
    if (count == 0)
        flash->stored_at_open = store->counters.r_stored;
    else if (now_ms - atomic_load(&flash->samples[(count - 1) % EG_FLASH_SAMPLES].at_ms) < HOUR_MS)
        return;
    /* The slot is one that no question looks at any more: they go 24 back, there are more. */
    struct eg_flash_sample *sample = &flash->samples[count % EG_FLASH_SAMPLES];
    atomic_store(&sample->at_ms, now_ms);
    atomic_store(&sample->bytes, count ? atomic_load(&store->bytes_written) : flash->at_open);
    atomic_store(&flash->count, count + 1);
}

void eg_flash_after(struct eg_store *store)
{
    store->flash.due = false;
    atomic_store(&store->flash.stored, store->counters.r_stored - store->flash.stored_at_open);
}

void eg_flash_close(struct eg_store *store)
{
    if (!store->sql[SQL_META])
        return;
    eg_flash_pages(store);
    if (atomic_load(&store->bytes_written) == store->flash.noted)
        return;
    /* With this row's own page and what the closing checkpoint is about to write. A refusal loses a figure, no reading. */
    int64_t to_come = FRAME + different_pages(store, store->wal_moved, store->wal_pages) * PAGE;
    eg_meta_put(store, KEY, atomic_load(&store->bytes_written) + to_come);
}

void eg_store_wear(const struct eg_store *store, int64_t now_ms, struct eg_store_wear *ret)
{
    const struct eg_flash *flash = &store->flash;
    int64_t written = atomic_load(&store->bytes_written), from_ms = EG_TIME_NONE, from_bytes = 0;
    uint64_t stored = atomic_load(&flash->stored);
    uint32_t count = atomic_load(&flash->count);
    *ret = (struct eg_store_wear){
        .bytes_per_reading = NAN, .bytes_per_day = NAN, .kernel_factor = kernel_factor(store)};
    if (stored)
        ret->bytes_per_reading = (double)(written - flash->at_open) / (double)stored;
    /* The oldest within a day; where there is none the newest: then nothing was written for longer than that. */
    for (uint32_t i = 0; i < count && i < 24; i++) {
        const struct eg_flash_sample *sample = &flash->samples[(count - 1 - i) % EG_FLASH_SAMPLES];
        int64_t at_ms = atomic_load(&sample->at_ms);
        if (i && at_ms < now_ms - DAY_MS)
            break;
        from_ms = at_ms;
        from_bytes = atomic_load(&sample->bytes);
    }
    if (count && now_ms - from_ms >= RATE_MIN_MS)
        ret->bytes_per_day = (double)(written - from_bytes) * (double)DAY_MS / (double)(now_ms - from_ms);
}
