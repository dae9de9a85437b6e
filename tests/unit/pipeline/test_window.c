/* Sliding windows against a naive recomputation: exact while few readings lie in them, in steps of a pane
 * beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pipeline/window.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 4000
static const enum eg_statistic statistics[] = {EG_STAT_MEAN, EG_STAT_SUM, EG_STAT_MIN, EG_STAT_MAX,
                                               EG_STAT_RATE};
#define STATISTICS (sizeof statistics / sizeof *statistics)

struct reading {
    int64_t ms;
    double value;
};

/* Over the readings of (after, newest]; false where there is no such value. */
static bool naive(const struct reading *rows, size_t count, int64_t after, enum eg_statistic statistic,
                  double *ret, size_t *ret_count)
{
    double sum = 0, min = 0, max = 0;
    const struct reading *first = NULL, *last = NULL;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].ms <= after)
            continue;
        min = !n || rows[i].value < min ? rows[i].value : min;
        max = !n || rows[i].value > max ? rows[i].value : max;
        first = !n || rows[i].ms < first->ms ? &rows[i] : first;
        last = !n || rows[i].ms > last->ms ? &rows[i] : last;
        sum += rows[i].value;
        n++;
    }
    *ret_count = n;
    if (!n || (statistic == EG_STAT_RATE && last->ms == first->ms))
        return false;
    *ret = statistic == EG_STAT_MEAN  ? sum / (double)n
           : statistic == EG_STAT_SUM ? sum
           : statistic == EG_STAT_MIN ? min
           : statistic == EG_STAT_MAX
               ? max
               : (last->value - first->value) * 3600000 / (double)(last->ms - first->ms);
    return true;
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Where the oldest pane begins: the panes are aligned to the epoch. */
static int64_t paned_from(int64_t newest, int64_t width)
{
    int64_t pane = width / EG_WINDOW_PANES;
    return ((newest + pane - 1) / pane - EG_WINDOW_PANES) * pane;
}

/* Values are quarters: sums of them are exact in any order. */
static void run(uint64_t seed, int64_t width, int64_t step, int late_percent)
{
    static struct reading rows[MOST];
    const uint64_t start_seed = seed;
    struct eg_window *window = eg_window_create(width);
    size_t count = 0, in_window;
    int64_t newest = INT64_C(1795435200000);
    int64_t base_step = step;
    while (count < MOST) {
        int64_t ms;
        if (count % 500 == 0)
            step = count / 500 % 2 ? base_step * 10
                                   : base_step; /* dense, then rare: the window becomes exact again */
        if (count && (int)(next(&seed) % 100) < late_percent)
            ms = newest - (int64_t)(next(&seed) % (uint64_t)(width + width / 4));
        else
            ms = newest + 1 + (int64_t)(next(&seed) % (uint64_t)(2 * step));
        bool known = false;
        for (size_t i = count; i-- > 0 && !known;)
            known = rows[i].ms == ms;
        if (known)
            continue; /* a series has one value at a time; corrections make the window anew */
        newest = ms > newest ? ms : newest;
        rows[count] = (struct reading){ms, (double)(int64_t)(next(&seed) % 4000) / 4 - 500};
        assert_true(eg_window_add(window, ms, rows[count].value));
        count++;
        for (size_t s = 0; s < STATISTICS; s++) {
            double is = 0, exact = 0, paned = 0;
            size_t ignored;
            bool has = eg_window_value(window, statistics[s], &is);
            bool has_exact = naive(rows, count, newest - width, statistics[s], &exact, &in_window);
            bool has_paned = naive(rows, count, paned_from(newest, width), statistics[s], &paned, &ignored);
            bool wanted = in_window <= EG_WINDOW_RAW ? has_exact : has_paned;
            if (has != wanted || (has && is != (in_window <= EG_WINDOW_RAW ? exact : paned)))
                fail_msg("seed %llu, width %lld, reading %zu, %s: %.17g; exact %.17g, in panes %.17g, %zu in "
                         "the window",
                         (unsigned long long)start_seed, (long long)width, count,
                         eg_statistic_name(statistics[s]), is, exact, paned, in_window);
        }
    }
    eg_window_destroy(window);
}

static void test_against_naive(void **unused)
{
    (void)unused;
    run(1, 3600000, 60000, 0); /* an hour of minutes: exact */
    run(2, 3600000, 60000, 20);
    run(3, 3600000, 5000, 0); /* of seconds: in panes, and back */
    run(4, 3600000, 5000, 20);
    run(5, INT64_C(86400000), 300000, 10);
    run(6, 3600001, 9000, 10); /* no multiple of the panes */
    run(7, 1000, 5, 10);
    run(8, 1000, 1000, 10); /* mostly one reading */
}

static void test_edges(void **unused)
{
    (void)unused;
    double value = 7;
    struct eg_window *window = eg_window_create(3600000);
    for (size_t s = 0; s < STATISTICS; s++)
        assert_false(eg_window_value(window, statistics[s], &value)); /* empty */
    eg_window_add(window, 7200000, 5);
    assert_false(eg_window_value(window, EG_STAT_RATE, &value)); /* takes two */
    assert_false(eg_window_value(window, EG_STAT_LAST, &value)); /* not a window's */
    assert_true(value == 7);
    eg_window_add(window, 3600001, 1); /* the oldest moment that counts */
    eg_window_add(window, 3600000, 100);
    assert_true(eg_window_value(window, EG_STAT_SUM, &value) && value == 6);
    assert_true(eg_window_value(window, EG_STAT_RATE, &value) &&
                fabs(value - 4 * 3600000.0 / 3599999) < 1e-9);
    eg_window_add(window, 7200001, 0); /* and now it does not */
    assert_true(eg_window_value(window, EG_STAT_MAX, &value) && value == 5);
    eg_window_clear(window);
    assert_false(eg_window_value(window, EG_STAT_MAX, &value));
    eg_window_destroy(window);
    eg_window_destroy(NULL);
}

/* The same readings give the same value whatever their order and history: a restarted daemon decides as the
 * one before. */
static void test_history_does_not_matter(void **unused)
{
    (void)unused;
    static const int64_t width = 3600000;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t random = seed;
        struct eg_window *lived = eg_window_create(width), *restored = eg_window_create(width);
        static struct reading rows[2000];
        size_t count = 0;
        int64_t ms = INT64_C(1795435200000);
        while (count < sizeof rows / sizeof *rows) {
            int64_t step = next(&random) % 3 ? 1000 : 200000; /* bursts and rests */
            for (int i = 0; i < 100; i++) {
                ms += 1 + (int64_t)(next(&random) % (uint64_t)step);
                rows[count] = (struct reading){ms, (double)(next(&random) % 400) / 4};
                eg_window_add(lived, ms, rows[count].value);
                count++;
            }
            eg_window_clear(restored);
            for (size_t i = 0; i < count; i++)
                if (rows[i].ms > ms - width)
                    eg_window_add(restored, rows[i].ms, rows[i].value);
            for (size_t s = 0; s < STATISTICS; s++) {
                double a = 0, b = 0;
                assert_true(eg_window_value(lived, statistics[s], &a) &&
                            eg_window_value(restored, statistics[s], &b));
                if (a != b)
                    fail_msg("seed %llu, after %zu readings: %s is %.17g, restored %.17g",
                             (unsigned long long)seed, count, eg_statistic_name(statistics[s]), a, b);
            }
        }
        eg_window_destroy(lived);
        eg_window_destroy(restored);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_edges), cmocka_unit_test(test_against_naive),
                                       cmocka_unit_test(test_history_does_not_matter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
