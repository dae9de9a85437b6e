/* What a device's message counter tells: gaps, repetitions, starts and stragglers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pipeline/state.h>

static void test_counters(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t counters[8]; /* up to the first that says END */
        unsigned heard, lost, repeated, restarts;
    } table[] = {
#define END 4242424242U
        {{7, END}, 1, 0, 0, 0},
        {{0, 1, 2, END}, 3, 0, 0, 0},
        {{5, 5, 6, 6, END}, 2, 0, 2, 0},
        {{5, 9, END}, 2, 3, 0, 0},
        {{5, 1005, END}, 2, 999, 0, 0},
        {{5, 1006, 1007, END}, 3, 0, 0, 1},        /* too far: it counts from elsewhere now */
        {{500, 0, 1, 2, END}, 4, 0, 0, 1},         /* it started anew */
        {{65535, 0, 1, END}, 3, 0, 0, 0},          /* 16 bits wrap around */
        {{UINT32_MAX - 1, 1, 2, END}, 3, 2, 0, 0}, /* 32 bits as well, and a gap across it is a gap */
        {{10, 13, 11, 12, 14, END}, 5, 0, 0, 0},   /* stragglers */
        {{10, 13, 12, 12, END}, 4, 0, 0, 0},       /* one of them twice: never below nothing */
        {{255, 0, 1, END}, 3, 0, 0, 0},            /* 8 bits */
        {{10, 11, 12, 11, 13, END}, 4, 0, 1, 0},   /* late over another gateway */
        {{10, 11, 0, 0, 1, END}, 4, 0, 1, 1},
        {{1000, 3000, 2000, 2001, 2004, END}, 5, 2, 0, 2},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct eg_frames frames = {0};
        for (const uint32_t *counter = table[i].counters; *counter != END; counter++)
            eg_frames_take(&frames, *counter);
        if (frames.heard != table[i].heard || frames.lost != table[i].lost ||
            frames.repeated != table[i].repeated || frames.restarts != table[i].restarts)
            fail_msg("row %zu: %u heard, %u lost, %u repeated, %u restarts", i, (unsigned)frames.heard,
                     (unsigned)frames.lost, (unsigned)frames.repeated, frames.restarts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
