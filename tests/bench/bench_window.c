/* What a sliding window costs a reading, by how wide it is: bench_window READINGS. A line each: minutes, nanoseconds a reading.
 * One reading a minute, its mean asked after each, as a rule does. Knows the window and no more; called by questions.py. */
#include <base/clock.h>
#include <pipeline/window.h>

#include <stdio.h>
#include <stdlib.h>

static const int widths[] = {60, 24 * 60, 30 * 24 * 60};

int main(int count, char **arguments)
{
    long readings = count == 2 ? strtol(arguments[1], NULL, 10) : 0;
    double all = 0;
    for (size_t i = 0; readings > 0 && i < sizeof widths / sizeof *widths; i++) {
        struct eg_window *window = eg_window_create(
            &(struct eg_window_shape){.width_ms = (int64_t)widths[i] * 60000, .statistic = EG_STAT_MEAN});
        int64_t ms = 1795363200000;
        for (long at = 0; window && at < widths[i]; at++) /* it is full before it counts */
            eg_window_add(window, ms += 60000, (double)(at % 97), 60000);
        int64_t began_us = eg_clock_mono_us();
        for (long at = 0; window && at < readings; at++) {
            double mean = 0;
            eg_window_add(window, ms += 60000, (double)(at % 97), 60000);
            eg_window_value(window, EG_STAT_MEAN, &mean);
            all += mean;
        }
        printf("%d %.1f\n", widths[i], (double)(eg_clock_mono_us() - began_us) * 1000 / (double)readings);
        eg_window_destroy(window);
    }
    return readings > 0 && all > 0 ? 0 : 2;
}
