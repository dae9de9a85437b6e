/* Sliding windows against a naive recomputation: exact while few readings lie in them, in steps of a pane
 * beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/zone.h>
#include <pipeline/sketch.h>
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

/* What the parts of a window came to, by how many parts back they lie. */
#define PARTS_MOST 64
struct parts {
    double sums[PARTS_MOST];
    unsigned counts[PARTS_MOST];
};

static void add_to_part(struct parts *parts, int64_t back, double value)
{
    assert_true(back >= 0 && back < PARTS_MOST);
    parts->sums[back] += value;
    parts->counts[back]++;
}

static double mean_of_means(const struct parts *parts)
{
    double means = 0;
    unsigned held = 0;
    for (int back = PARTS_MOST - 1; back >= 0; back--)
        if (parts->counts[back]) {
            means += parts->sums[back] / parts->counts[back];
            held++;
        }
    return means / held;
}

/* Panes: of a window of 24 hours half an hour, of ten hours a quarter, of two hours 150 s; whole ones make an hour, as nearly as may be. */
static int64_t hours_of(int64_t width)
{
    int64_t hours = width / 3600000 + (width % 3600000 >= 1800000);
    return hours < 1 ? 1 : hours > EG_WINDOW_PANES ? EG_WINDOW_PANES : hours;
}

static int64_t pane_width(int64_t width)
{
    return width / (EG_WINDOW_PANES / hours_of(width) * hours_of(width));
}

/* The last millisecond before the oldest pane begins: the panes are aligned to the epoch. */
static int64_t paned_from(int64_t newest, int64_t width)
{
    int64_t pane = pane_width(width), panes = EG_WINDOW_PANES / hours_of(width) * hours_of(width);
    return (newest / pane - panes + 1) * pane - 1;
}

static double naive_mean(const struct reading *rows, size_t count, int64_t newest, int64_t after,
                         int64_t width)
{
    const int64_t part = pane_width(width) * (EG_WINDOW_PANES / hours_of(width));
    struct parts parts = {0};
    for (size_t i = 0; i < count; i++)
        if (rows[i].ms > after)
            add_to_part(&parts, hours_of(width) == 1 ? 0 : newest / part - rows[i].ms / part, rows[i].value);
    return mean_of_means(&parts);
}

/* Over the readings of (after, newest], but for the mean; false where there is no such value. */
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
    *ret = statistic == EG_STAT_SUM   ? sum
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

/* Values are quarters: sums of them are exact in any order. */
static void run(uint64_t seed, int64_t width, int64_t step, int late_percent)
{
    static struct reading rows[MOST];
    const uint64_t start_seed = seed;
    struct eg_window *window = eg_window_create(&(struct eg_window_shape){.width_ms = width});
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
        assert_true(eg_window_add(window, ms, rows[count].value, 0));
        count++;
        for (size_t s = 0; s < STATISTICS; s++) {
            double is = 0, exact = 0, paned = 0;
            size_t ignored;
            bool has = eg_window_value(window, statistics[s], &is);
            bool has_exact = naive(rows, count, newest - width, statistics[s], &exact, &in_window);
            bool has_paned = naive(rows, count, paned_from(newest, width), statistics[s], &paned, &ignored);
            bool wanted = in_window <= EG_WINDOW_RAW ? has_exact : has_paned;
            if (statistics[s] == EG_STAT_MEAN)
                exact = paned =
                    naive_mean(rows, count, newest,
                               in_window > EG_WINDOW_RAW ? paned_from(newest, width) : newest - width, width);
            if (has != wanted || (has && is != (in_window <= EG_WINDOW_RAW ? exact : paned)))
                fail_msg("seed %llu, width %lld, reading %zu, %s: %.17g; exact %.17g, in panes %.17g, %zu in "
                         "the window",
                         (unsigned long long)start_seed, (long long)width, count,
                         eg_statistic_text(statistics[s], 0, (char[EG_STATISTIC_TEXT]){0}), is, exact, paned,
                         in_window);
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
    run(8, 1000, 1000, 10);                 /* mostly one reading */
    run(9, INT64_C(86400000), 1800000, 10); /* a day of some 48 readings: exact, each in its hour */
    run(10, 8 * INT64_C(3600000), 60000, 10);
    run(11, INT64_C(37000000), 300000, 10); /* ten parts and a bit, of no whole number of panes */
    run(12, INT64_C(30) * 86400000, 7200000, 10);
    run(13, 5399999, 60000, 10); /* just no two hours */
    run(14, 5400000, 60000, 10);
}

static void test_edges(void **unused)
{
    (void)unused;
    double value = 7;
    struct eg_window *window = eg_window_create(&(struct eg_window_shape){.width_ms = 3600000});
    for (size_t s = 0; s < STATISTICS; s++)
        assert_false(eg_window_value(window, statistics[s], &value)); /* empty */
    eg_window_add(window, 7200000, 5, 0);
    assert_false(eg_window_value(window, EG_STAT_RATE, &value)); /* takes two */
    assert_false(eg_window_value(window, EG_STAT_LAST, &value)); /* not a window's */
    assert_true(value == 7);
    eg_window_add(window, 3600001, 1, 0); /* the oldest moment that counts */
    eg_window_add(window, 3600000, 100, 0);
    assert_true(eg_window_value(window, EG_STAT_SUM, &value) && value == 6);
    assert_true(eg_window_value(window, EG_STAT_RATE, &value) &&
                fabs(value - 4 * 3600000.0 / 3599999) < 1e-9);
    eg_window_add(window, 7200001, 0, 0); /* and now it does not */
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
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t random = seed;
        const int64_t width = seed % 2 ? 3600000 : 6 * 3600000;
        struct eg_window *lived = eg_window_create(&(struct eg_window_shape){.width_ms = width}),
                         *restored = eg_window_create(&(struct eg_window_shape){.width_ms = width});
        static struct reading rows[2000];
        size_t count = 0;
        int64_t ms = INT64_C(1795435200000);
        while (count < sizeof rows / sizeof *rows) {
            int64_t step = next(&random) % 3 ? 1000 : 200000; /* bursts and rests */
            for (int i = 0; i < 100; i++) {
                ms += 1 + (int64_t)(next(&random) % (uint64_t)step);
                rows[count] = (struct reading){ms, (double)(next(&random) % 400) / 4};
                eg_window_add(lived, ms, rows[count].value, 0);
                count++;
            }
            eg_window_clear(restored);
            for (size_t i = 0; i < count; i++)
                if (rows[i].ms > ms - width)
                    eg_window_add(restored, rows[i].ms, rows[i].value, 0);
            for (size_t s = 0; s < STATISTICS; s++) {
                double a = 0, b = 0;
                assert_true(eg_window_value(lived, statistics[s], &a) &&
                            eg_window_value(restored, statistics[s], &b));
                if (a != b)
                    fail_msg("seed %llu, after %zu readings: %s is %.17g, restored %.17g",
                             (unsigned long long)seed, count,
                             eg_statistic_text(statistics[s], 0, (char[EG_STATISTIC_TEXT]){0}), a, b);
            }
        }
        eg_window_destroy(lived);
        eg_window_destroy(restored);
    }
}

/* Every half minute for an hour of smoke, else by the hour. By readings it would be a day of 255. An hour of smoke that lies in two of the
 * clock speaks in both, since nothing else was said in them. */
static void test_burst_is_an_hour(void **unused)
{
    (void)unused;
    const int64_t noon = INT64_C(1795435200000), hour = 3600000;
    for (int64_t late = 0; late < hour; late += 7 * 60000) {
        struct eg_window *sliding = eg_window_create(&(struct eg_window_shape){.width_ms = 24 * hour}),
                         *aligned = eg_window_create(&(struct eg_window_shape){.calendar = EG_CALENDAR_DAY});
        const int64_t smoke = noon + late;
        const double most = (late ? 22 * 20 + 2 * 300 : 23 * 20 + 300) / 24.0;
        for (int64_t ms = smoke - 24 * hour; ms < smoke + 24 * hour;
             ms += ms >= smoke && ms < smoke + hour ? 30000 : hour) {
            double value = ms >= smoke && ms < smoke + hour ? 300 : 20, mean = 0, today = 0;
            assert_true(eg_window_add(sliding, ms, value, 0) && eg_window_add(aligned, ms, value, 0));
            assert_true(eg_window_value(sliding, EG_STAT_MEAN, &mean) &&
                        eg_window_value(aligned, EG_STAT_MEAN, &today));
            if (mean > most || (ms >= smoke && mean < 20 + 280 / 25.0))
                fail_msg("%d minutes past the hour, %lld s after: mean %g", (int)(late / 60000),
                         (long long)(ms - smoke) / 1000, mean);
            if (late == 0 && ms == noon + 11 * hour && (today > most || today < most))
                fail_msg("the day's mean is %g", today);
        }
        eg_window_destroy(sliding);
        eg_window_destroy(aligned);
    }
}

/* --- what needs more than sums --- */

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Over the readings of (after, newest]; NAN: no such value. */
static double plain(const struct reading *rows, size_t count, int64_t after,
                    const struct eg_window_shape *shape)
{
    static double values[MOST];
    double sum = 0, squares = 0, east = 0, north = 0, above = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].ms > after)
            values[n++] = rows[i].value;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
        above += values[i] > shape->above;
        east += sin(values[i] * 0.017453292519943295);
        north += cos(values[i] * 0.017453292519943295);
    }
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - sum / (double)n) * (values[i] - sum / (double)n);
    if (shape->statistic == EG_STAT_READINGS)
        return (double)n;
    if (shape->statistic == EG_STAT_STDDEV)
        return n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
    if (shape->statistic == EG_STAT_ABOVE)
        return above / 60000; /* each speaks for a millisecond */
    if (shape->statistic == EG_STAT_VECTOR_MEAN)
        return fmod(atan2(east, north) / 0.017453292519943295 + 360, 360);
    qsort(values, n, sizeof *values, ascending);
    double rank = (double)(n - 1) * shape->share;
    size_t low = (size_t)rank;
    return low + 1 < n ? values[low] + (values[low + 1] - values[low]) * (rank - (double)low) : values[low];
}

static void test_more_statistics(void **unused)
{
    (void)unused;
    static const struct eg_window_shape shapes[] = {
        {3600000, EG_CALENDAR_SLIDING, EG_STAT_READINGS, 0, 0, 0},
        {3600000, EG_CALENDAR_SLIDING, EG_STAT_STDDEV, 0, 0, 0},
        {3600000, EG_CALENDAR_SLIDING, EG_STAT_QUANTILE, 0.5, 0, 0},
        {3600000, EG_CALENDAR_SLIDING, EG_STAT_QUANTILE, 0.98, 0, 0},
        {3600000, EG_CALENDAR_SLIDING, EG_STAT_QUANTILE, 0, 0, 0},
        {3600000, EG_CALENDAR_SLIDING, EG_STAT_ABOVE, 0, 120, 0},
        {3600000, EG_CALENDAR_SLIDING, EG_STAT_VECTOR_MEAN, 0, 0, 0},
    };
    static struct reading rows[MOST];
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int step = 10; step <= 600; step *= 4) {
            uint64_t seed = 99;
            int64_t ms = INT64_C(1795435200000);
            struct eg_window *window = eg_window_create(&shapes[s]);
            for (size_t count = 0; count < 1000;) {
                ms += 500 + (int64_t)(next(&seed) % (uint64_t)(step * 2000));
                rows[count] = (struct reading){ms, (double)(next(&seed) % 2000) / 10};
                assert_true(eg_window_add(window, ms, rows[count].value, 1));
                count++;
                size_t in_window = 0;
                for (size_t i = 0; i < count; i++)
                    in_window += rows[i].ms > ms - 3600000;
                bool exact = in_window <= EG_WINDOW_RAW;
                double is = NAN,
                       want = plain(rows, count, exact ? ms - 3600000 : paned_from(ms, 3600000), &shapes[s]);
                bool has = eg_window_value(window, shapes[s].statistic, &is);
                double off = exact || shapes[s].statistic != EG_STAT_QUANTILE
                                 ? 1e-7
                                 : EG_SKETCH_ERROR * fabs(want) + 0.25;
                if (has != !isnan(want) || (has && fabs(is - want) > off))
                    fail_msg(
                        "%s of %zu readings: %.17g, not %.17g",
                        eg_statistic_text(shapes[s].statistic, shapes[s].share, (char[EG_STATISTIC_TEXT]){0}),
                        in_window, is, want);
            }
            eg_window_destroy(window);
        }
}

/* Of few values a quantile is found without sorting them: the same, for all ranks, many of them alike or not. */
static void test_exact_quantile(void **unused)
{
    (void)unused;
    uint64_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        double values[200], sorted[200];
        size_t count = 1 + next(&seed) % 200, kinds = 1 + next(&seed) % 300;
        double share = (double)(next(&seed) % 1001) / 1000, rank = (double)(count - 1) * share;
        for (size_t i = 0; i < count; i++) {
            size_t at = i;
            values[i] = (double)(next(&seed) % kinds) / 8 - 10;
            for (; at && sorted[at - 1] > values[i]; at--)
                sorted[at] = sorted[at - 1];
            sorted[at] = values[i];
        }
        size_t at = (size_t)rank, behind = at + 1 < count ? at + 1 : at;
        double want = sorted[at] + (sorted[behind] - sorted[at]) * (rank - (double)at),
               is = eg_sketch_exact(values, count, share);
        if (is < want || is > want)
            fail_msg("round %d: %g of %zu values is %g, not %g", round, share, count, is, want);
    }
}

/* Sketches in any parts and order are the same, and negative values lie where they should. */
static void test_sketch(void **unused)
{
    (void)unused;
    uint64_t seed = 5;
    struct eg_sketch whole = {0}, parts[3] = {{0}}, sum = {0};
    static double values[3000];
    for (int i = 0; i < 3000; i++) {
        values[i] = (double)(next(&seed) % 200000) / 100 - 1000;
        assert_true(eg_sketch_add(&whole, values[i]) && eg_sketch_add(&parts[next(&seed) % 3], values[i]));
    }
    for (int i = 2; i >= 0; i--)
        assert_true(eg_sketch_merge(&sum, &parts[i]));
    assert_true(sum.total == 3000 && sum.count == whole.count);
    assert_memory_equal(sum.bins, whole.bins, whole.count * sizeof *whole.bins);
    for (int percent = 0; percent <= 100; percent += 5) {
        double exact = eg_sketch_exact(values, 3000, percent / 100.0),
               is = eg_sketch_quantile(&sum, NULL, percent / 100.0);
        if (fabs(is - exact) > EG_SKETCH_ERROR * fabs(exact) + 1)
            fail_msg("p%d: %g, not %g", percent, is, exact);
    }
    eg_sketch_finish(&whole);
    eg_sketch_finish(&sum);
    for (int i = 0; i < 3; i++)
        eg_sketch_finish(&parts[i]);
}

#define AT(hours)                                                                                            \
    (INT64_C(1774738800000) +                                                                                \
     (int64_t)((hours)*3600000.0)) /* 2026-03-29T00:00 in Berlin, a day of 23 hours */

static void test_aligned(void **unused)
{
    (void)unused;
    double value = 0;
    int64_t width = 0;
    assert_true(eg_zone_use("Europe/Berlin"));
    struct eg_window *day = eg_window_create(&(struct eg_window_shape){
        .width_ms = 90000000, .calendar = EG_CALENDAR_DAY, .statistic = EG_STAT_READINGS});
    for (int half = -4; half < 46;
         half++) /* every half hour, from the evening before to the end of the day */
        assert_true(eg_window_add(day, AT(half / 2.0), 1, 1800000));
    assert_true(eg_window_value(day, EG_STAT_READINGS, &value) && value == 46);
    assert_true(eg_window_observed(day, &width) == AT(22.5) - AT(0) && width == 23 * INT64_C(3600000));
    eg_window_add(day, AT(-1.1), 1, 0); /* of the day before: too late */
    assert_true(eg_window_value(day, EG_STAT_READINGS, &value) && value == 46);
    eg_window_add(day, AT(23), 1, 0); /* the next day */
    assert_true(eg_window_value(day, EG_STAT_READINGS, &value) && value == 1);
    eg_window_destroy(day);
    struct eg_window *month = eg_window_create(&(struct eg_window_shape){
        .width_ms = 90000000, .calendar = EG_CALENDAR_MONTH, .statistic = EG_STAT_SUM});
    for (int hour = -672; hour < 80; hour++) /* all of March and some of what lies round it */
        assert_true(eg_window_add(month, AT(hour), 1, 0));
    assert_true(eg_window_value(month, EG_STAT_SUM, &value) && value == 80 - 71); /* since April began */
    eg_window_observed(month, &width);
    assert_true(width == 30 * INT64_C(86400000));
    eg_window_destroy(month);
    assert_true(eg_zone_use("UTC"));
}

static int64_t hours_before_midnight(int64_t ms)
{
    int64_t start, end, hour, hour_end, back = 0;
    eg_zone_day(ms, &start, &end);
    eg_zone_hour(ms, &hour, &hour_end);
    for (; hour_end < end; back++)
        eg_zone_hour(hour_end, &hour, &hour_end);
    return back;
}

static int64_t days_before_next_month(int64_t ms)
{
    int64_t start, end, day, day_end, back = 0;
    eg_zone_month(ms, &start, &end);
    eg_zone_day(ms, &day, &day_end);
    for (; day_end < end; back++)
        eg_zone_day(day_end, &day, &day_end);
    return back;
}

/* Days of 23, 24 and 25 hours, sparse and dense, readings on the hour among them; a month without a change of clocks. */
static void test_mean_of_local_hours(void **unused)
{
    (void)unused;
    static const struct {
        enum eg_calendar calendar;
        int64_t from_ms;
        int steps_s[3]; /* one after the other */
        int64_t (*parts_back)(int64_t ms);
    } table[] = {
        {EG_CALENDAR_DAY, INT64_C(1774738800000), {1800, 3600, 7200}, hours_before_midnight}, /* 23 h */
        {EG_CALENDAR_DAY, INT64_C(1774738800000), {60, 3600, 300}, hours_before_midnight},
        {EG_CALENDAR_DAY, INT64_C(1774821600000), {3600, 30, 1200}, hours_before_midnight},   /* 24 h */
        {EG_CALENDAR_DAY, INT64_C(1792879200000), {1800, 3600, 7200}, hours_before_midnight}, /* 25 h */
        {EG_CALENDAR_DAY, INT64_C(1792879200000), {600, 30, 3600}, hours_before_midnight},
        {EG_CALENDAR_MONTH,
         INT64_C(1769900400000),
         {43200, 21600, 3600},
         days_before_next_month}, /* February */
        {EG_CALENDAR_MONTH, INT64_C(1777586400000), {86400, 3600, 600}, days_before_next_month}, /* May */
    };
    assert_true(eg_zone_use("Europe/Berlin"));
    for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
        int64_t ms = table[t].from_ms, start, end;
        uint64_t seed = t + 1;
        struct parts parts = {0};
        struct eg_window *window = eg_window_create(
            &(struct eg_window_shape){.calendar = table[t].calendar, .statistic = EG_STAT_MEAN});
        table[t].calendar == EG_CALENDAR_DAY ? eg_zone_day(ms, &start, &end)
                                             : eg_zone_month(ms, &start, &end);
        assert_true(start == ms); /* or the table is wrong */
        for (; ms < end; ms += table[t].steps_s[(ms - start) * 3 / (end - start)] * 1000) {
            double is = 0, value = (double)(next(&seed) % 4000) / 4;
            int64_t late = start + (int64_t)(next(&seed) % (uint64_t)(ms - start + 1));
            add_to_part(&parts, table[t].parts_back(ms), value);
            assert_true(eg_window_add(window, ms, value, 0));
            if (next(&seed) % 8 == 0) {
                add_to_part(&parts, table[t].parts_back(late), value + 1);
                assert_true(eg_window_add(window, late, value + 1, 0));
            }
            assert_true(eg_window_value(window, EG_STAT_MEAN, &is));
            if (is != mean_of_means(&parts))
                fail_msg("row %zu, %lld s in: %.17g, not %.17g", t, (long long)(ms - start) / 1000, is,
                         mean_of_means(&parts));
        }
        eg_window_destroy(window);
    }
    assert_true(eg_zone_use("UTC"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_edges),
                                       cmocka_unit_test(test_against_naive),
                                       cmocka_unit_test(test_history_does_not_matter),
                                       cmocka_unit_test(test_burst_is_an_hour),
                                       cmocka_unit_test(test_more_statistics),
                                       cmocka_unit_test(test_exact_quantile),
                                       cmocka_unit_test(test_sketch),
                                       cmocka_unit_test(test_aligned),
                                       cmocka_unit_test(test_mean_of_local_hours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
