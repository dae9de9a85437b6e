/* The flash budget (flash.c): what it says was written against what the kernel counted, over restarts and kills; and rates, whose time
 * is the turns'. */
#include "house.h"

/* Handed to write(2) by this process since it began. */
static int64_t handed_over(void)
{
    char line[128];
    long long bytes = -1;
    FILE *file = fopen("/proc/self/io", "r");
    assert_non_null(file);
    while (bytes < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, "wchar: ", 7) == 0)
            bytes = strtoll(line + 7, NULL, 10);
    fclose(file);
    assert_true(bytes >= 0);
    return bytes;
}

static int64_t written(const struct house *house)
{
    struct eg_store_figures figures;
    eg_store_figures(house->store, &figures);
    return figures.bytes_written;
}

static struct eg_store_wear wear(const struct house *house, int64_t now_ms)
{
    struct eg_store_wear found;
    eg_store_wear(house->store, now_ms, &found);
    return found;
}

/* A turn of one reading, as most are. */
static void turn(struct house *house, int64_t now_ms)
{
    bool more;
    if (house->store->seq == 0) {
        struct eg_row_device *device = EG_BATCH_ADD(&house->batch, devices);
        struct eg_row_series *series = EG_BATCH_ADD(&house->batch, series);
        *device = (struct eg_row_device){1, "shangtian", "air", "a1", NOW};
        *series = (struct eg_row_series){1, 1, EG_Q_pm25, ""};
    }
    struct eg_row_reading *row = EG_BATCH_ADD(&house->batch, readings);
    *row = (struct eg_row_reading){1, 0, now_ms, 7};
    house->batch.events++;
    house->batch.now_ms = now_ms;
    house->batch.counters = house->store->counters;
    house->batch.counters.received++;
    house->batch.counters.decoded++;
    house->batch.counters.r_decoded++;
    house->batch.counters.r_stored++;
    house_commits(house);
    assert_int_equal(eg_store_tidy(house->store, now_ms, 1000, &more, &house->err), EG_OK);
}

/* Turns, write-backs, a close with its checkpoint: to the byte, but for the headers of log and wal-index and the lock file. */
static void the_sum_is_what_was_handed_over(void **state)
{
    struct house house;
    bool moved = false;
    house_make(&house, "1GB");
    int64_t began = handed_over();
    assert_int_equal(house_enter(&house), EG_OK);
    house.store->wal_due = 100;
    for (int i = 0; i < 1000; i++) {
        turn(&house, NOW + i * MINUTE);
        moved = moved || house.store->wal_moved > 0;
    }
    assert_true(moved);
    double said = (double)written(&house), were = (double)(handed_over() - began);
    assert_true(said > 1000 * 4096);
    assert_true(fabs(said - were) < 0.01 * were);
    house_leave(&house);
    were = (double)(handed_over() - began);
    assert_int_equal(house_enter(&house), EG_OK);
    said = (double)written(&house);
    assert_true(fabs(said - were) < 0.01 * were);
    house_raze(&house);
    (void)state;
}

static void a_start_and_a_stop_cost_nothing(void **state)
{
    struct house house;
    house_start(&house);
    turn(&house, NOW);
    house_leave(&house);
    assert_int_equal(house_enter(&house), EG_OK);
    int64_t before = written(&house), began = handed_over();
    assert_true(before > 4096);
    house_leave(&house);
    assert_int_equal(house_enter(&house), EG_OK);
    assert_int_equal(written(&house), before);
    assert_true(handed_over() - began < 64); /* a byte for each page of the wal-index */
    house_raze(&house);
    (void)state;
}

/* A kill forgets at most what came since the log was last written back. */
static void a_kill_forgets_little(void **state)
{
    struct house house;
    house_start(&house);
    for (int i = 0; i < 1400; i++)
        turn(&house, NOW + i * MINUTE);
    double before = (double)written(&house);
    house_kill(&house);
    double after = (double)written(&house);
    assert_true(after <= before);
    assert_true(after >= before - 1100.0 * 4120);
    assert_true(after > 0);
    house_raze(&house);
    (void)state;
}

/* The kernel's count to ours: known once a megabyte was written, and remembered over a kill. In memory there is none. */
static void the_kernels_factor(void **state)
{
    struct house house;
    house_start(&house);
    turn(&house, NOW);
    assert_true(isnan(wear(&house, NOW).kernel_factor));
    for (int i = 1; i < 1400; i++)
        turn(&house, NOW + i * MINUTE);
    double factor = wear(&house, NOW).kernel_factor;
    if (!isnan(factor)) {
        assert_true(factor >= 0.9 && factor <= 4);
        house_kill(&house);
        assert_true(fabs(wear(&house, NOW).kernel_factor - factor) < 1);
    }
    house_raze(&house);
    (void)state;
}

static void rates(void **state)
{
    struct house house;
    house_start(&house);
    struct eg_store_wear found = wear(&house, NOW);
    assert_true(isnan(found.bytes_per_reading) && isnan(found.bytes_per_day));
    turn(&house, NOW);
    found = wear(&house, NOW + 4 * MINUTE);
    assert_true(isnan(found.bytes_per_day));
    assert_true(found.bytes_per_reading == (double)written(&house));
    found = wear(&house, NOW + 6 * MINUTE); /* since the start, which wrote all there is */
    assert_true(fabs(found.bytes_per_day - (double)written(&house) * 240) < 1);
    for (int i = 1; i <= 1440; i++)
        turn(&house, NOW + i * MINUTE);
    int64_t day = written(&house);
    for (int i = 1441; i <= 2 * 1440; i++)
        turn(&house, NOW + i * MINUTE);
    int64_t now_ms = NOW + 48 * HOUR;
    double second = (double)(written(&house) - day);
    found = wear(&house, now_ms);
    assert_true(found.bytes_per_day > 0.9 * second && found.bytes_per_day < 1.1 * second);
    assert_true(fabs(found.bytes_per_reading - (double)written(&house) / 2881) < 0.01);
    found = wear(&house, now_ms + 10 * 24 * HOUR); /* ten days of silence: next to nothing a day */
    assert_true(found.bytes_per_day >= 0 && found.bytes_per_day < 0.01 * second);
    turn(&house, now_ms + 10 * 24 * HOUR);
    found = wear(&house, now_ms + 10 * 24 * HOUR + 6 * MINUTE);
    assert_true(found.bytes_per_day >= 0 && isfinite(found.bytes_per_day));
    /* A clock that went back makes no rate out of the future. */
    found = wear(&house, NOW - 24 * HOUR);
    assert_true(isnan(found.bytes_per_day));
    house_leave(&house); /* a start asks for a rate of its own */
    assert_int_equal(house_enter(&house), EG_OK);
    found = wear(&house, now_ms);
    assert_true(isnan(found.bytes_per_day) && isnan(found.bytes_per_reading));
    house_raze(&house);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_what_was_handed_over),
        cmocka_unit_test(a_start_and_a_stop_cost_nothing),
        cmocka_unit_test(a_kill_forgets_little),
        cmocka_unit_test(the_kernels_factor),
        cmocka_unit_test(rates),
    };
    return cmocka_run_group_tests_name("flash", tests, NULL, NULL);
}
