/* Chance that can be had again: the same seed, the same numbers. A test that fails says which seed it had. */
#ifndef TEST_STORE_CHANCE_H
#define TEST_STORE_CHANCE_H

#include <stdint.h>

static uint64_t state, seed;

static inline void begin(uint64_t number)
{
    seed = number;
    state = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static inline uint64_t random64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t below(uint64_t most)
{
    return random64() % most;
}

#endif
